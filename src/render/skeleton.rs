//! The text around the holes, as a tree. Texts of the same form share it.

use std::collections::HashMap;
use std::sync::{Arc, RwLock};

use super::markers;
use super::registry::Template;
use tenantry_engine::hole::Holes;
use tenantry_engine::manifest::{
    FieldKey, PartKind, SkeletonField, SkeletonFields, SkeletonNode, TemplateLine, TextPiece,
};
use tenantry_engine::markers::as_hole;
use tenantry_engine::view::{View, canonical_order, scalar_text};
use tenantry_syntax::yaml::parse::{Merges, SyntaxProblem, parse_with};
use tenantry_syntax::yaml::{Node, NodeId, Value};

/// Most forms that are kept; beyond, each is parsed anew.
const MAX_KEPT: usize = 20_000;

/// The documents of a rendered text.
#[derive(Debug)]
pub struct Skeleton {
    /// The documents.
    pub documents: Arc<Vec<SkeletonNode>>,
    /// Holes inside text or keys, which only scalars can fill.
    text_holes: Vec<(usize, TemplateLine, &'static str)>,
    /// Holes that are spread, which only maps can fill.
    spread_holes: Vec<(usize, TemplateLine)>,
    has_open_maps: bool,
}

/// A value that stands where it cannot.
#[derive(Debug)]
pub enum Misplaced {
    /// A value of a kind that this place cannot take.
    Value {
        /// Where it is printed.
        line: TemplateLine,
        /// What it is.
        found: &'static str,
        /// `inside text`, for people.
        place: &'static str,
        /// Where it comes from.
        sources: Vec<NodeId>,
    },
    /// A key that two entries have.
    KeyTwice {
        /// Where the map is.
        line: TemplateLine,
        /// The key.
        key: String,
        /// Where one of them comes from.
        source: Option<NodeId>,
    },
}

/// What is wrong with a text, by template line.
pub type Problems = Vec<(TemplateLine, String)>;

/// Skeletons by their text.
#[derive(Debug, Default)]
pub struct Skeletons {
    kept: RwLock<HashMap<Box<str>, Arc<Skeleton>>>,
}

impl Skeletons {
    /// The skeleton of a text, parsed if it is new.
    pub fn get(
        &self,
        text: &str,
        template: &Template,
        lines: &[TemplateLine],
    ) -> Result<Arc<Skeleton>, Problems> {
        let known = self
            .kept
            .read()
            .unwrap_or_else(std::sync::PoisonError::into_inner)
            .get(text)
            .cloned();
        if let Some(skeleton) = known {
            return Ok(skeleton);
        }
        let skeleton = Arc::new(parse(text, template, lines)?);
        let mut kept = self
            .kept
            .write()
            .unwrap_or_else(std::sync::PoisonError::into_inner);
        if kept.len() < MAX_KEPT {
            kept.insert(text.into(), Arc::clone(&skeleton));
        }
        Ok(skeleton)
    }
}

fn parse(text: &str, template: &Template, lines: &[TemplateLine]) -> Result<Skeleton, Problems> {
    let stripped = markers::strip(text);
    let parsed = parse_with(&stripped.text, 0, Merges::Keep);
    let first = TemplateLine {
        file: template.file,
        line: 1,
    };
    let builder = SkeletonBuilder {
        text: &stripped.text,
        spans: &parsed.spans,
        places: &stripped.lines,
        regions: &stripped.regions,
        lines,
        first,
    };
    if !parsed.problems.is_empty() {
        let problem = |((start, _), problem): &((u32, u32), SyntaxProblem)| {
            let message = match problem {
                SyntaxProblem::Syntax(message) | SyntaxProblem::Bound(message) => message.clone(),
                SyntaxProblem::DuplicateKey(key, _) => format!("the key `{key}` is given twice"),
                SyntaxProblem::Ambiguous(text, _) => {
                    format!("`{text}` does not mean the same to every reader; put it in quotes")
                }
                SyntaxProblem::Unsupported(what, instead) => {
                    format!("{what} is not supported; {instead}")
                }
            };
            (builder.line(*start as usize), message)
        };
        return Err(parsed.problems.iter().map(problem).collect());
    }
    let mut skeleton = Skeleton {
        documents: Arc::default(),
        text_holes: Vec::new(),
        spread_holes: Vec::new(),
        has_open_maps: false,
    };
    let documents = parsed
        .documents
        .iter()
        .filter(|node| !node.is_null())
        .map(|node| builder.part(node, &[], &mut skeleton))
        .collect();
    skeleton.documents = Arc::new(documents);
    Ok(skeleton)
}

struct SkeletonBuilder<'a> {
    text: &'a str,
    spans: &'a [(u32, u32)],
    places: &'a [(usize, usize)],
    regions: &'a [(usize, Box<[u32]>)],
    lines: &'a [TemplateLine],
    first: TemplateLine,
}

impl SkeletonBuilder<'_> {
    /// The template line of a place: that of the first marker at or after it, on its own line.
    fn line(&self, at: usize) -> TemplateLine {
        let at = at.min(self.text.len());
        let end = self.text[at..]
            .find('\n')
            .map_or(self.text.len(), |length| at + length);
        let after = self.places.partition_point(|(place, _)| *place < at);
        let marker = self
            .places
            .get(after)
            .filter(|(place, _)| *place <= end)
            .or_else(|| self.places[..after].last());
        marker
            .and_then(|(_, index)| self.lines.get(*index))
            .copied()
            .unwrap_or(self.first)
    }

    /// The stretches that hold where something begins.
    fn regions_at(&self, start: usize) -> Vec<u32> {
        let first = self.regions.partition_point(|(at, _)| *at <= start);
        let held = first.checked_sub(1).map(|at| &self.regions[at].1);
        held.map_or_else(Vec::new, |held| held.to_vec())
    }

    /// The same, with those that begin or end before its own end: they decided about a part of it, or that it has no more.
    fn regions_within(&self, start: usize, end: usize) -> Vec<u32> {
        let end = end.min(self.text.len()).max(start);
        let end = start + self.text[start..end].trim_end().len();
        let mut found = self.regions_at(start);
        let begun = self.regions.partition_point(|(at, _)| *at < start);
        let within = self.regions[begun..]
            .iter()
            .take_while(|(at, _)| *at <= end);
        found.extend(within.flat_map(|(_, held)| held.iter().copied()));
        found.sort_unstable();
        found.dedup();
        found
    }

    /// `keys` are the holes in the keys that lead here.
    fn part(&self, node: &Node, keys: &[usize], skeleton: &mut Skeleton) -> SkeletonNode {
        let (start, end) = self.spans[node.id.index as usize];
        let line = self.line(start as usize);
        let kind = match &node.value {
            Value::String(text) if text.chars().any(|c| as_hole(c).is_some()) => {
                let pieces = pieces(text);
                // Exactly a hole, without quotes: the value keeps its type.
                match (
                    pieces.as_slice(),
                    self.text.get(start as usize..end as usize),
                ) {
                    ([TextPiece::Hole(index)], Some(written)) if written == &**text => {
                        PartKind::Hole(*index)
                    }
                    _ => {
                        note(&pieces, line, "inside text", skeleton);
                        PartKind::Text(pieces)
                    }
                }
            }
            Value::List(items) => {
                let items = items.iter();
                PartKind::List(items.map(|item| self.part(item, keys, skeleton)).collect())
            }
            Value::Map(map) => {
                let mut open = false;
                let mut fields: Vec<SkeletonField> = Vec::with_capacity(map.entries.len());
                for entry in &map.entries {
                    let mut inside = keys.to_vec();
                    inside.extend(entry.key.chars().filter_map(as_hole));
                    let mut value = self.part(&entry.value, &inside, skeleton);
                    if matches!(
                        value.kind,
                        PartKind::Map(_) | PartKind::OpenMap(_) | PartKind::List(_)
                    ) {
                        // What people look for is the line with the key.
                        value.line = self.line(self.spans[entry.key_id.index as usize].0 as usize);
                    }
                    let key = if &*entry.key == "<<" {
                        open = true;
                        if let PartKind::Hole(index) = value.kind {
                            skeleton.spread_holes.push((index, value.line));
                        }
                        FieldKey::Spread
                    } else if entry.key.chars().any(|c| as_hole(c).is_some()) {
                        open = true;
                        let pieces = pieces(&entry.key);
                        note(&pieces, value.line, "as a key", skeleton);
                        FieldKey::Text(pieces)
                    } else {
                        FieldKey::Literal(Arc::clone(&entry.key))
                    };
                    fields.push(SkeletonField { key, value });
                }
                skeleton.has_open_maps |= open;
                if open {
                    PartKind::OpenMap(fields)
                } else {
                    fields.sort_by(|a, b| match (&a.key, &b.key) {
                        (FieldKey::Literal(a), FieldKey::Literal(b)) => {
                            canonical_order(a).cmp(&canonical_order(b))
                        }
                        _ => std::cmp::Ordering::Equal,
                    });
                    PartKind::Map(SkeletonFields::new(fields))
                }
            }
            scalar => PartKind::Scalar(scalar.clone()),
        };
        let regions = match kind {
            // Of a map or list, what decided that it is there; its parts say what decided about them.
            PartKind::List(_) | PartKind::Map(_) | PartKind::OpenMap(_) => {
                self.regions_at(start as usize)
            }
            _ => self.regions_within(start as usize, end as usize),
        }
        .into();
        SkeletonNode {
            kind,
            line,
            regions,
            keys: keys.into(),
        }
    }
}

fn note(pieces: &[TextPiece], line: TemplateLine, place: &'static str, skeleton: &mut Skeleton) {
    skeleton
        .text_holes
        .extend(pieces.iter().filter_map(|piece| match piece {
            TextPiece::Hole(index) => Some((*index, line, place)),
            TextPiece::Literal(_) => None,
        }));
}

fn pieces(text: &str) -> Vec<TextPiece> {
    let mut pieces = Vec::new();
    let mut literal = String::new();
    for c in text.chars() {
        match as_hole(c) {
            Some(index) => {
                if !literal.is_empty() {
                    pieces.push(TextPiece::Literal(std::mem::take(&mut literal).into()));
                }
                pieces.push(TextPiece::Hole(index));
            }
            None => literal.push(c),
        }
    }
    if !literal.is_empty() {
        pieces.push(TextPiece::Literal(literal.into()));
    }
    pieces
}

impl Skeleton {
    /// What does not fit into the holes.
    pub fn check(&self, holes: &Holes) -> Vec<Misplaced> {
        let mut problems = Vec::new();
        for (index, line, place) in &self.text_holes {
            let Some(hole) = holes.get(*index) else {
                continue;
            };
            if scalar_text(hole.value()).is_none() {
                let sources = holes.sources([*index]);
                problems.push(Misplaced::Value {
                    line: *line,
                    found: hole.value().kind_name(),
                    place,
                    sources,
                });
            }
        }
        for (index, line) in &self.spread_holes {
            let Some(hole) = holes.get(*index) else {
                continue;
            };
            if !matches!(hole.value(), Value::Map(_) | Value::Null) {
                let sources = holes.sources([*index]);
                problems.push(Misplaced::Value {
                    line: *line,
                    found: hole.value().kind_name(),
                    place: "as a spread (`<<`)",
                    sources,
                });
            }
        }
        if self.has_open_maps && problems.is_empty() {
            for part in self.documents.iter() {
                keys_twice(part, holes, &mut problems);
            }
        }
        problems
    }
}

fn keys_twice(part: &SkeletonNode, holes: &Holes, problems: &mut Vec<Misplaced>) {
    match &part.kind {
        PartKind::List(parts) => parts
            .iter()
            .for_each(|part| keys_twice(part, holes, problems)),
        PartKind::Map(fields) => fields
            .iter()
            .for_each(|field| keys_twice(&field.value, holes, problems)),
        PartKind::OpenMap(fields) => {
            for field in fields {
                keys_twice(&field.value, holes, problems);
            }
            // The fields are sorted, so equal keys stand together.
            let all = View::Part { part, holes }.fields();
            for pair in all.windows(2) {
                if pair[0].key == pair[1].key {
                    let source = pair
                        .iter()
                        .map(|field| field.key_id)
                        .find(|id| id.is_input());
                    problems.push(Misplaced::KeyTwice {
                        line: part.line,
                        key: pair[0].key.to_string(),
                        source,
                    });
                }
            }
        }
        PartKind::Scalar(_) | PartKind::Hole(_) | PartKind::Text(_) => {}
    }
}
