//! Holes and template lines as characters of planes that are for private use. Values never pass
//! through text, so only a template's own text could hold such a character, and that is refused.

use crate::model::manifest::TemplateLine;

const FIRST_HOLE: u32 = 0xf_0000;
const FIRST_LINE: u32 = 0x10_0000;
const EACH: u32 = 0xfffe;

/// The character that stands for a hole; none once there are too many.
pub fn hole(index: usize) -> Option<char> {
    u32::try_from(index)
        .ok()
        .filter(|index| *index < EACH)
        .and_then(|index| char::from_u32(FIRST_HOLE + index))
}

/// The hole that a character stands for.
pub fn as_hole(c: char) -> Option<usize> {
    let code = u32::from(c);
    (FIRST_HOLE..FIRST_HOLE + EACH)
        .contains(&code)
        .then(|| (code - FIRST_HOLE) as usize)
}

fn as_line(c: char) -> Option<usize> {
    u32::from(c)
        .checked_sub(FIRST_LINE)
        .map(|index| index as usize)
}

/// Whether a template's own text has a character that is ours.
pub fn is_reserved(c: char) -> bool {
    u32::from(c) >= FIRST_HOLE
}

/// Marks the end of each line of a template's own text with its place, so that the text which
/// comes out tells which line it came from. `lines` keeps the places.
pub fn mark_lines(source: &str, file: u32, lines: &mut Vec<TemplateLine>) -> String {
    #[derive(PartialEq)]
    enum Mode {
        Text,
        Tag(&'static str),
        Quoted(&'static str, char),
    }
    let mut marked = String::with_capacity(source.len() + source.len() / 8);
    let mut mode = Mode::Text;
    let mut line = 1;
    // Where the marker of this line goes: after the last thing that it prints.
    let mut end = None;
    let mut rest = source;
    while let Some(c) = rest.chars().next() {
        let mut taken = c.len_utf8();
        match &mode {
            Mode::Text => {
                let tag = [("{{", "}}"), ("{%", "%}"), ("{#", "#}")]
                    .into_iter()
                    .find(|(open, _)| rest.starts_with(open));
                if let Some((_, close)) = tag {
                    mode = Mode::Tag(close);
                    taken = 2;
                }
                marked.push_str(&rest[..taken]);
                if tag.is_none() && !c.is_whitespace() {
                    end = Some(marked.len());
                }
            }
            Mode::Tag(close) => {
                if rest.starts_with(close) {
                    taken = 2;
                }
                marked.push_str(&rest[..taken]);
                if taken == 2 {
                    if *close == "}}" {
                        end = Some(marked.len());
                    }
                    mode = Mode::Text;
                } else if matches!(c, '"' | '\'') && *close != "#}" {
                    mode = Mode::Quoted(close, c);
                }
            }
            Mode::Quoted(close, quote) => {
                if c == '\\' {
                    taken += rest[taken..].chars().next().map_or(0, char::len_utf8);
                }
                marked.push_str(&rest[..taken]);
                if c == *quote {
                    mode = Mode::Tag(close);
                }
            }
        }
        if c == '\n' {
            if mode == Mode::Text
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

/// Takes the line markers out of a rendered text; gives the text, and where each marker was.
pub fn strip_lines(text: &str) -> (String, Vec<(usize, usize)>) {
    let mut stripped = String::with_capacity(text.len());
    let mut places = Vec::new();
    for c in text.chars() {
        match as_line(c) {
            Some(index) => places.push((stripped.len(), index)),
            None => stripped.push(c),
        }
    }
    (stripped, places)
}

/// The same, when only the text matters.
pub fn without_lines(text: &str) -> String {
    text.chars().filter(|c| as_line(*c).is_none()).collect()
}
