//! Files, and where in them every node was written.

use std::sync::{Arc, OnceLock};

use super::Span;
use crate::yaml::NodeId;

/// A file that was read, or a text that stands for one (built-in defaults, `--set`).
#[derive(Clone, Debug)]
pub struct SourceFile {
    /// Its path below the repository's root, with `/`; built-in files start with `<builtin>/`.
    pub path: String,
    /// Its text.
    pub text: Arc<str>,
    /// The byte range of each node.
    pub spans: Vec<(u32, u32)>,
    /// Whether it came from the command line, and is no part of the repository.
    pub from_command_line: bool,
}

/// All files of a compilation.
#[derive(Clone, Debug, Default)]
pub struct Sources {
    files: Vec<SourceFile>,
    /// The way from the root of the git repository to the files, with `/` at its end.
    folder: String,
    /// Where the lines of each file begin, once somebody asked.
    lines: Vec<OnceLock<Vec<u32>>>,
}

/// A place for people: line and column from 1, the column in characters.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Position {
    /// From 1.
    pub line: usize,
    /// From 1, in characters.
    pub column: usize,
}

/// How many characters are no spaces.
fn visible(text: &str) -> usize {
    text.chars().filter(|c| !c.is_whitespace()).count()
}

impl Sources {
    /// Adds a file and returns its index.
    pub fn add(&mut self, file: SourceFile) -> u32 {
        self.files.push(file);
        self.lines.push(OnceLock::new());
        u32::try_from(self.files.len() - 1).unwrap_or(u32::MAX)
    }

    /// Gives a file the ranges of its nodes, once it is parsed after all.
    pub fn set_spans(&mut self, index: u32, spans: Vec<(u32, u32)>) {
        if let Some(file) = self.files.get_mut(index as usize) {
            file.spans = spans;
        }
    }

    /// How many files there are: the index of the next one.
    pub fn len(&self) -> usize {
        self.files.len()
    }

    /// Whether no file was read.
    pub fn is_empty(&self) -> bool {
        self.files.is_empty()
    }

    /// A file by its index.
    pub fn file(&self, index: u32) -> Option<&SourceFile> {
        self.files.get(index as usize)
    }

    /// All files, in their order.
    pub fn files(&self) -> impl Iterator<Item = &SourceFile> {
        self.files.iter()
    }

    /// The file of a path; the first, where both sides of a comparison have one.
    pub fn find(&self, path: &str) -> Option<u32> {
        let at = self.files.iter().position(|file| file.path == path)?;
        u32::try_from(at).ok()
    }

    /// The path of a file; empty for one that does not exist.
    pub fn path(&self, index: u32) -> &str {
        self.file(index).map_or("", |file| &file.path)
    }

    /// Says where the files stand in a git repository: the way from its root, empty for the root itself.
    pub fn set_folder(&mut self, folder: &str) {
        folder.clone_into(&mut self.folder);
        if !folder.is_empty() && !folder.ends_with('/') {
            self.folder.push('/');
        }
    }

    /// The way from the root of the git repository to the files, with `/` at its end; empty for the root itself.
    pub fn folder(&self) -> &str {
        &self.folder
    }

    /// The path of a file from the root of the git repository, as a git host wants it.
    pub fn path_in_git(&self, index: u32) -> String {
        let folder = if self.is_in_repository(index) {
            &*self.folder
        } else {
            ""
        };
        format!("{folder}{}", self.path(index))
    }

    /// Whether a file came from the command line.
    pub fn is_from_command_line(&self, index: u32) -> bool {
        self.file(index).is_some_and(|file| file.from_command_line)
    }

    /// Whether a file is a part of this tool.
    pub fn is_built_in(&self, index: u32) -> bool {
        self.path(index).starts_with("<builtin>/")
    }

    /// Whether a file is one of the repository, so that other tools can open it.
    pub fn is_in_repository(&self, index: u32) -> bool {
        self.file(index)
            .is_some_and(|file| !file.path.starts_with('<') && !file.path.starts_with("--"))
    }

    /// Where a node was written; nothing for values that the compiler computed.
    pub fn span(&self, id: NodeId) -> Option<Span> {
        let (start, end) = *self.file(id.file)?.spans.get(id.index as usize)?;
        let text = &self.file(id.file)?.text;
        // A container's range reaches to the next token; people read it up to its last character.
        let used = text
            .get(start as usize..end as usize)
            .map_or(0, |text| text.trim_end().len());
        let end = if used == 0 {
            end
        } else {
            start + u32::try_from(used).unwrap_or(0)
        };
        Some(Span {
            file: id.file,
            start,
            end,
        })
    }

    /// The part of a span on its first line: what to underline of a whole map or list.
    pub fn first_line(&self, span: Span) -> Span {
        let text = self.file(span.file).map_or("", |file| &file.text);
        let inside = text
            .get(span.start as usize..span.end as usize)
            .unwrap_or_default();
        match inside.find('\n') {
            Some(end) => {
                let used = inside[..end].trim_end().len();
                Span {
                    end: span.start + u32::try_from(used).unwrap_or(0),
                    ..span
                }
            }
            None => span,
        }
    }

    /// The word at a character of a scalar's value, however the scalar is written; line and column are from 1. What is
    /// written need not have the value's spaces and line breaks, so those are not counted.
    pub fn within(
        &self,
        scalar: Span,
        value: &str,
        (line, column): (usize, usize),
    ) -> Option<Span> {
        let text = &self.file(scalar.file)?.text;
        let source = text.get(scalar.start as usize..scalar.end as usize)?;
        let before: usize = value.split('\n').take(line - 1).map(visible).sum();
        let of_line = value.split('\n').nth(line - 1)?;
        let start: String = of_line.chars().take(column - 1).collect();
        let mut left = before + visible(&start);
        let wanted = of_line
            .chars()
            .skip(column - 1)
            .find(|c| !c.is_whitespace())?;
        let quote = source.chars().next().filter(|c| matches!(c, '"' | '\''));
        let body = match source.chars().next()? {
            '|' | '>' => source.find('\n')?,
            _ => quote.map_or(0, char::len_utf8),
        };
        let mut chars = source.char_indices().skip_while(|(at, _)| *at < body);
        while let Some((mut at, mut c)) = chars.next() {
            if c == '\\' && quote == Some('"') || c == '\'' && quote == Some('\'') {
                (at, c) = chars.next()?;
                if c.is_ascii_alphanumeric() {
                    return None;
                }
            }
            if c.is_whitespace() {
                continue;
            }
            if left > 0 {
                left -= 1;
                continue;
            }
            let word = source[at..].find(|c: char| !c.is_alphanumeric() && c != '_');
            let length = word.unwrap_or(source.len() - at).max(c.len_utf8());
            let start = scalar.start + u32::try_from(at).ok()?;
            return (c == wanted).then_some(Span {
                file: scalar.file,
                start,
                end: start + u32::try_from(length).ok()?,
            });
        }
        None
    }

    /// The span of a whole line, from 1.
    pub fn line_span(&self, file: u32, line: usize) -> Option<Span> {
        let text = &self.file(file)?.text;
        let breaks = self.breaks(file);
        let start = match line.checked_sub(2) {
            Some(before) => *breaks.get(before)? as usize,
            None => 0,
        };
        let end = breaks.get(line.checked_sub(1)?);
        let end = end.map_or(text.len(), |end| *end as usize);
        let trimmed = text.get(start..end).filter(|content| !content.is_empty())?;
        let trimmed = trimmed.trim_end();
        let indent = trimmed.len() - trimmed.trim_start().len();
        let to = |value: usize| u32::try_from(value).unwrap_or(u32::MAX);
        Some(Span {
            file,
            start: to(start + indent),
            end: to(start + trimmed.len()),
        })
    }

    /// The bytes of a file that lines after the first start at.
    fn breaks(&self, file: u32) -> &[u32] {
        let Some(lines) = self.lines.get(file as usize) else {
            return &[];
        };
        lines.get_or_init(|| {
            let text = self.file(file).map_or("", |file| &file.text);
            let breaks = text.match_indices('\n');
            breaks
                .map(|(at, _)| u32::try_from(at + 1).unwrap_or(u32::MAX))
                .collect()
        })
    }

    /// The line of a byte of a file, from 1.
    pub fn line(&self, file: u32, byte: u32) -> usize {
        self.breaks(file).partition_point(|start| *start <= byte) + 1
    }

    /// Line and column of a byte of a file.
    pub fn position(&self, file: u32, byte: u32) -> Position {
        let text = self.file(file).map_or("", |file| &file.text);
        let mut byte = (byte as usize).min(text.len());
        while !text.is_char_boundary(byte) {
            byte -= 1;
        }
        let before = &text[..byte];
        let line_start = before.rfind('\n').map_or(0, |at| at + 1);
        Position {
            line: self.line(file, u32::try_from(byte).unwrap_or(u32::MAX)),
            column: before[line_start..].chars().count() + 1,
        }
    }

    /// `tenants/acme.yaml:12`, for a node.
    pub fn place(&self, id: NodeId) -> Option<String> {
        let span = self.span(id)?;
        Some(format!(
            "{}:{}",
            self.path(span.file),
            self.position(span.file, span.start).line
        ))
    }
}
