//! Text to spanned trees.
//!
//! Every problem of a file is reported: after a syntax error the reader goes on at the next `---`.
//! Depth, size and what aliases unfold to are bounded, so that no input makes the compiler hang.

use std::collections::{HashMap, HashSet};
use std::sync::Arc;

use granit_parser::{Event, Parser, ScalarStyle};

use super::scalar::{self, Ambiguous};
use super::{Entry, Map, Node, NodeId, Value};

/// Deepest nesting of maps and lists.
pub const MAX_DEPTH: usize = 64;
/// Most nodes of one document, aliases unfolded.
pub const MAX_NODES: usize = 1_000_000;
/// Most problems of one file that are told.
pub const MAX_PROBLEMS: usize = 100;
/// Largest file, in bytes.
pub const MAX_BYTES: usize = 8 << 20;

/// A byte range of the file.
pub type ByteRange = (u32, u32);

/// What is wrong with a file.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum SyntaxProblem {
    /// Not YAML; what the parser says.
    Syntax(String),
    /// A key given twice in one map; where it was first.
    DuplicateKey(String, ByteRange),
    /// A number that readers disagree about.
    Ambiguous(String, Ambiguous),
    /// A feature of YAML that manifests have no use for; what to write instead.
    Unsupported(&'static str, &'static str),
    /// A bound was reached.
    Bound(String),
}

/// The documents of a file and what is wrong with it.
#[derive(Debug, Default)]
pub struct ParsedFile {
    /// Each document's tree, those before and after a broken one included.
    pub documents: Vec<Node>,
    /// The place of each node, by its index.
    pub spans: Vec<ByteRange>,
    /// All problems, in the order of the file.
    pub problems: Vec<(ByteRange, SyntaxProblem)>,
}

/// What `<<` means.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Merges {
    /// The entries of the map that follows belong here (YAML 1.1's merge key).
    #[default]
    Unfold,
    /// A key like any other, that may come several times: a template's spread.
    Keep,
}

/// Parses all documents of a file; its nodes are named by `file`.
pub fn parse(text: &str, file: u32) -> ParsedFile {
    parse_with(text, file, Merges::Unfold)
}

/// Parses all documents of a text.
pub fn parse_with(text: &str, file: u32, merge_keys: Merges) -> ParsedFile {
    let mut builder = TreeBuilder {
        file,
        text,
        merge_keys,
        ..TreeBuilder::default()
    };
    if text.len() > MAX_BYTES {
        let problem = format!(
            "the file has {} bytes; at most {MAX_BYTES} are read",
            text.len()
        );
        builder
            .out
            .problems
            .push(((0, 0), SyntaxProblem::Bound(problem)));
        return builder.out;
    }
    let mut start = 0;
    while start <= text.len() && !builder.stopped && builder.out.problems.len() <= MAX_PROBLEMS {
        builder.base = start;
        match builder.read(&text[start..]) {
            None => break,
            // The rest of the broken document is skipped.
            Some(at) => match text[start + at..].find("\n---") {
                Some(next) => start += at + next + 1,
                None => break,
            },
        }
    }
    builder.out
}

/// A container that is being read.
enum Open {
    List {
        id: NodeId,
        items: Vec<Node>,
        anchor: usize,
    },
    Map {
        id: NodeId,
        entries: Vec<Entry>,
        keys: HashSet<Arc<str>>,
        key: Option<ParsedKey>,
        merges: Vec<Node>,
        anchor: usize,
    },
}

struct ParsedKey {
    text: Arc<str>,
    id: NodeId,
    merge: bool,
}

#[derive(Default)]
struct TreeBuilder<'a> {
    file: u32,
    text: &'a str,
    merge_keys: Merges,
    base: usize,
    out: ParsedFile,
    stack: Vec<Open>,
    /// Anchored nodes with their unfolded size.
    anchors: HashMap<usize, (Node, usize)>,
    nodes: usize,
    root: Option<Node>,
    stopped: bool,
}

impl TreeBuilder<'_> {
    /// Reads documents until the end, or returns where the text is broken.
    fn read(&mut self, text: &str) -> Option<usize> {
        self.stack.clear();
        self.root = None;
        let options = granit_parser::options! { emit_unresolved_aliases: true };
        for event in Parser::new_from_str_with_options(text, options) {
            let (event, span) = match event {
                Ok(event) => event,
                Err(error) => {
                    let at = error.marker().byte_offset().unwrap_or(0).min(text.len());
                    let message = error.to_string();
                    // The parser appends its own position, which ours replaces.
                    let message = message.split(" at byte ").next().unwrap_or(&message);
                    let message = message.split(" at char ").next().unwrap_or(message);
                    let at = text.floor_char_boundary(at);
                    let problem = match message {
                        _ if message.contains("recursion limit") || message.contains("nest") => {
                            SyntaxProblem::Bound(format!("nested deeper than {MAX_DEPTH} levels"))
                        }
                        _ => SyntaxProblem::Syntax(message.to_owned()),
                    };
                    self.problem(at, at + 1, problem);
                    return Some(at);
                }
            };
            let range = span.byte_range().unwrap_or(0..0);
            let (start, end) = (range.start, range.end.max(range.start));
            if self.out.problems.len() >= MAX_PROBLEMS {
                self.problem(
                    start,
                    end,
                    SyntaxProblem::Bound(format!(
                        "more than {MAX_PROBLEMS} problems; the rest of the file is not read"
                    )),
                );
                self.stopped = true;
                return None;
            }
            if let Err(at) = self.event(event, start, end) {
                return Some(at);
            }
        }
        None
    }

    fn event(&mut self, event: Event<'_>, start: usize, end: usize) -> Result<(), usize> {
        match event {
            Event::DocumentStart(..) => {
                self.anchors.clear();
                self.nodes = 0;
                self.root = None;
            }
            Event::DocumentEnd => self.out.documents.extend(self.root.take()),
            Event::Scalar(text, style, anchor, tag) => {
                let tag = tag.map(|tag| format!("{}{}", tag.handle(), tag.suffix()));
                let id = self.id(start, end);
                let value = self.scalar(&text, style, tag.as_deref(), start, end);
                self.add(
                    Node::new(id, value),
                    1,
                    anchor,
                    start,
                    Some(&text),
                    style == ScalarStyle::Plain,
                )?;
            }
            Event::SequenceStart(_, anchor, tag) => {
                self.refuse_tag(tag.as_deref().map(|t| t.suffix() == "seq"), start, end);
                let id = self.id(start, end);
                self.open(
                    Open::List {
                        id,
                        items: Vec::new(),
                        anchor,
                    },
                    start,
                )?;
            }
            Event::MappingStart(_, anchor, tag) => {
                self.refuse_tag(tag.as_deref().map(|t| t.suffix() == "map"), start, end);
                let id = self.id(start, end);
                let keys = HashSet::new();
                self.open(
                    Open::Map {
                        id,
                        entries: Vec::new(),
                        keys,
                        key: None,
                        merges: Vec::new(),
                        anchor,
                    },
                    start,
                )?;
            }
            Event::SequenceEnd | Event::MappingEnd => {
                let Some(open) = self.stack.pop() else {
                    return Ok(());
                };
                let (node, anchor) = close(open);
                if let Some(span) = self.out.spans.get_mut(node.id.index as usize) {
                    // In block style, this is where the next token starts; in flow style, the bracket.
                    span.1 = span.1.max(to_u32(
                        self.text
                            .ceil_char_boundary((self.base + end).min(self.text.len())),
                    ));
                }
                let size = if anchor > 0 { unfolded_size(&node) } else { 1 };
                self.add(node, size, anchor, start, None, false)?;
            }
            Event::Alias(anchor) => match self.anchors.get(&anchor).cloned() {
                Some((node, size)) => {
                    let text = node.as_str().map(str::to_owned);
                    self.add(node, size, 0, start, text.as_deref(), false)?;
                }
                None => {
                    self.problem(
                        start,
                        end,
                        SyntaxProblem::Unsupported(
                            "an alias inside its own anchor",
                            "write the value out",
                        ),
                    );
                    let id = self.id(start, end);
                    self.add(Node::new(id, Value::Null), 1, 0, start, None, false)?;
                }
            },
            Event::UnresolvedAlias(name) => {
                let message = format!("there is no anchor `&{name}` before this alias");
                self.problem(start, end, SyntaxProblem::Syntax(message));
                let id = self.id(start, end);
                self.add(Node::new(id, Value::Null), 1, 0, start, None, false)?;
            }
            _ => {}
        }
        Ok(())
    }

    fn id(&mut self, start: usize, end: usize) -> NodeId {
        let index = to_u32(self.out.spans.len());
        let range = self.range(start, end);
        self.out.spans.push(range);
        NodeId {
            file: self.file,
            index,
        }
    }

    /// A range of the file that begins and ends between characters.
    fn range(&self, start: usize, end: usize) -> ByteRange {
        let start = self.text.floor_char_boundary(self.base + start);
        let end = self
            .text
            .ceil_char_boundary((self.base + end).min(self.text.len()));
        (to_u32(start), to_u32(end.max(start)))
    }

    fn problem(&mut self, start: usize, end: usize, problem: SyntaxProblem) {
        let range = self.range(start, end);
        self.out.problems.push((range, problem));
    }

    fn refuse_tag(&mut self, known: Option<bool>, start: usize, end: usize) {
        if known == Some(false) {
            self.problem(
                start,
                end,
                SyntaxProblem::Unsupported("a YAML tag", "leave the tag out"),
            );
        }
    }

    fn scalar(
        &mut self,
        text: &str,
        style: ScalarStyle,
        tag: Option<&str>,
        start: usize,
        end: usize,
    ) -> Value {
        match tag {
            None if style == ScalarStyle::Plain => match scalar::resolve_plain(text) {
                Ok(value) => value,
                Err(ambiguous) => {
                    self.problem(
                        start,
                        end,
                        SyntaxProblem::Ambiguous(text.to_owned(), ambiguous),
                    );
                    Value::String(text.into())
                }
            },
            None | Some("!" | "tag:yaml.org,2002:str") => Value::String(text.into()),
            Some(_) => {
                self.problem(
                    start,
                    end,
                    SyntaxProblem::Unsupported(
                        "a YAML tag",
                        "leave the tag out; to make something text, put it in quotes",
                    ),
                );
                Value::String(text.into())
            }
        }
    }

    fn open(&mut self, open: Open, start: usize) -> Result<(), usize> {
        if self.stack.len() >= MAX_DEPTH {
            self.problem(
                start,
                start + 1,
                SyntaxProblem::Bound(format!("nested deeper than {MAX_DEPTH} levels")),
            );
            return Err(start);
        }
        self.stack.push(open);
        Ok(())
    }

    /// Puts a finished node where it belongs; `key_text` is its text, should it be a key.
    fn add(
        &mut self,
        node: Node,
        size: usize,
        anchor: usize,
        start: usize,
        key_text: Option<&str>,
        plain: bool,
    ) -> Result<(), usize> {
        self.nodes += size;
        if self.nodes > MAX_NODES {
            let problem = format!("the document unfolds to more than {MAX_NODES} values");
            self.problem(start, start + 1, SyntaxProblem::Bound(problem));
            return Err(start);
        }
        if anchor > 0 {
            self.anchors.insert(anchor, (node.clone(), size));
        }
        match self.stack.last_mut() {
            None => self.root = Some(node),
            Some(Open::List { items, .. }) => items.push(node),
            Some(Open::Map {
                entries,
                keys,
                key,
                merges,
                ..
            }) => match key.take() {
                None => {
                    let Some(text) = key_text else {
                        self.problem(start, start + 1, SyntaxProblem::Unsupported("a key that is not plain text", "use plain text as the key; text with braces goes in quotes: `\"{{ … }}\"`"));
                        return Err(start);
                    };
                    let merge = plain && text == "<<" && self.merge_keys == Merges::Unfold;
                    *key = Some(ParsedKey {
                        text: text.into(),
                        id: node.id,
                        merge,
                    });
                }
                Some(ParsedKey {
                    merge: true, id, ..
                }) => {
                    let sources = node
                        .as_list()
                        .map_or_else(|| vec![node.clone()], <[Node]>::to_vec);
                    if sources.iter().all(|source| source.as_map().is_some()) {
                        merges.extend(sources);
                    } else {
                        let range = self.out.spans[id.index as usize];
                        let problem = SyntaxProblem::Unsupported(
                            "a merge of something that is not a map",
                            "merge an alias of a map: `<<: *name`",
                        );
                        self.out.problems.push((range, problem));
                    }
                }
                Some(ParsedKey { text, id, .. }) => {
                    let spread = self.merge_keys == Merges::Keep && &*text == "<<";
                    if keys.insert(Arc::clone(&text)) || spread {
                        entries.push(Entry {
                            key: text,
                            key_id: id,
                            value: node,
                        });
                    } else {
                        let first = entries
                            .iter()
                            .find(|entry| entry.key == text)
                            .map_or(id, |entry| entry.key_id);
                        let spans = &self.out.spans;
                        let (here, first) = (spans[id.index as usize], spans[first.index as usize]);
                        self.out
                            .problems
                            .push((here, SyntaxProblem::DuplicateKey(text.to_string(), first)));
                    }
                }
            },
        }
        Ok(())
    }
}

/// The node of a container that has ended, and its anchor.
fn close(open: Open) -> (Node, usize) {
    match open {
        Open::List { id, items, anchor } => (Node::new(id, Value::List(items.into())), anchor),
        Open::Map {
            id,
            mut entries,
            mut keys,
            merges,
            anchor,
            ..
        } => {
            // A merged key gives way to one that is written out, and to earlier merges.
            for merged in merges {
                for entry in merged.entries() {
                    if keys.insert(Arc::clone(&entry.key)) {
                        entries.push(entry.clone());
                    }
                }
            }
            (Node::new(id, Value::Map(Arc::new(Map { entries }))), anchor)
        }
    }
}

/// How many nodes a tree has when walked, shared ones counted each time.
fn unfolded_size(node: &Node) -> usize {
    let mut pending = vec![node];
    let mut size = 0;
    while let Some(node) = pending.pop() {
        size += 1;
        if size > MAX_NODES {
            break;
        }
        match &node.value {
            Value::List(items) => pending.extend(items.iter()),
            Value::Map(map) => pending.extend(map.entries.iter().map(|entry| &entry.value)),
            _ => {}
        }
    }
    size
}

fn to_u32(value: usize) -> u32 {
    u32::try_from(value).unwrap_or(u32::MAX)
}
