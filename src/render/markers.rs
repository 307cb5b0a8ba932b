//! Template lines as characters, beside those of the engine, and what is read off a text by both.

use tenantry_engine::manifest::TemplateLine;
use tenantry_engine::markers::{CLOSE, EACH, OPEN, as_hole};

const FIRST_LINE: u32 = 0x10_0000;

fn as_line(c: char) -> Option<usize> {
    u32::from(c)
        .checked_sub(FIRST_LINE)
        .filter(|index| *index < EACH)
        .map(|index| index as usize)
}

/// Marks the end of each line of a template's own text with its place, so that the text which
/// comes out tells which line it came from. `lines` keeps the places.
pub fn mark_lines(source: &str, file: u32, lines: &mut Vec<TemplateLine>) -> String {
    #[derive(PartialEq)]
    enum MarkerMode {
        Text,
        Tag(&'static str),
        Quoted(&'static str, char),
    }
    let mut marked = String::with_capacity(source.len() + source.len() / 8);
    let mut mode = MarkerMode::Text;
    let mut line = 1;
    // Where the marker of this line goes: after the last thing that it prints.
    let mut end = None;
    let mut rest = source;
    while let Some(c) = rest.chars().next() {
        let mut taken = c.len_utf8();
        match &mode {
            MarkerMode::Text => {
                let tag = [("{{", "}}"), ("{%", "%}"), ("{#", "#}")]
                    .into_iter()
                    .find(|(open, _)| rest.starts_with(open));
                if let Some((_, close)) = tag {
                    mode = MarkerMode::Tag(close);
                    taken = 2;
                }
                marked.push_str(&rest[..taken]);
                if tag.is_none() && !c.is_whitespace() {
                    end = Some(marked.len());
                }
            }
            MarkerMode::Tag(close) => {
                if rest.starts_with(close) {
                    taken = 2;
                }
                marked.push_str(&rest[..taken]);
                if taken == 2 {
                    if *close == "}}" {
                        end = Some(marked.len());
                    }
                    mode = MarkerMode::Text;
                } else if matches!(c, '"' | '\'') && *close != "#}" {
                    mode = MarkerMode::Quoted(close, c);
                }
            }
            MarkerMode::Quoted(close, quote) => {
                if c == '\\' {
                    taken += rest[taken..].chars().next().map_or(0, char::len_utf8);
                }
                marked.push_str(&rest[..taken]);
                if c == *quote {
                    mode = MarkerMode::Tag(close);
                }
            }
        }
        if c == '\n' {
            if mode == MarkerMode::Text
                && let Some(at) = end.take()
            {
                insert(&mut marked, at, file, line, lines);
            }
            line += 1;
        }
        rest = &rest[taken..];
    }
    if let Some(at) = end {
        insert(&mut marked, at, file, line, lines);
    }
    marked
}

fn insert(text: &mut String, at: usize, file: u32, line: u32, lines: &mut Vec<TemplateLine>) {
    let marker = u32::try_from(lines.len())
        .ok()
        .filter(|index| *index < EACH)
        .and_then(|index| char::from_u32(FIRST_LINE + index));
    if let Some(marker) = marker {
        text.insert(at, marker);
        lines.push(TemplateLine { file, line });
    }
}

/// A rendered text without the markers that print nothing, and what they said.
pub struct Stripped {
    /// The text, with its holes.
    pub text: String,
    /// The ends of template lines: where each was, and which line it was.
    pub lines: Vec<(usize, usize)>,
    /// Where other stretches hold than before, and which: those that something decided about.
    pub regions: Vec<(usize, Box<[u32]>)>,
}

/// Takes the markers out of a rendered text.
pub fn strip(text: &str) -> Stripped {
    let mut stripped = Stripped {
        text: String::with_capacity(text.len()),
        lines: Vec::new(),
        regions: Vec::new(),
    };
    let mut open: Vec<u32> = Vec::new();
    let mut chars = text.chars();
    while let Some(c) = chars.next() {
        match c {
            OPEN => {
                let region = chars.next().and_then(as_hole);
                open.push(
                    region
                        .and_then(|region| u32::try_from(region).ok())
                        .unwrap_or(u32::MAX),
                );
            }
            CLOSE => drop(open.pop()),
            _ => {
                match as_line(c) {
                    Some(line) => stripped.lines.push((stripped.text.len(), line)),
                    None => stripped.text.push(c),
                }
                continue;
            }
        }
        stripped
            .regions
            .push((stripped.text.len(), open.as_slice().into()));
    }
    stripped
}
