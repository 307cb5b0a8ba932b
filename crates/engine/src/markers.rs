//! Values and decisions as characters of planes that are for private use. Values never pass through text, so only a
//! template's own text could hold such a character, and that is refused.

const FIRST_HOLE: u32 = 0xf_0000;
/// How many there are of each kind.
pub const EACH: u32 = 0xfffe;
/// Ends a stretch of text that something decided about.
pub const CLOSE: char = '\u{10fffe}';
/// Begins one; the next character is its number, as that of a hole.
pub const OPEN: char = '\u{10ffff}';

/// The character that stands for a number; none once there are too many.
pub fn hole(index: usize) -> Option<char> {
    u32::try_from(index)
        .ok()
        .filter(|index| *index < EACH)
        .and_then(|index| char::from_u32(FIRST_HOLE + index))
}

/// The number that a character stands for.
pub fn as_hole(c: char) -> Option<usize> {
    let code = u32::from(c);
    (FIRST_HOLE..FIRST_HOLE + EACH)
        .contains(&code)
        .then(|| (code - FIRST_HOLE) as usize)
}

/// Whether a template's own text has a character that is ours.
pub fn is_reserved(c: char) -> bool {
    u32::from(c) >= FIRST_HOLE
}

/// Whether a stretch has nothing but blanks and markers that print nothing.
pub fn is_blank(text: &str) -> bool {
    end_of_content(text) == 0
}

/// Where the last character ends that is neither a blank nor a marker that prints nothing.
fn end_of_content(text: &str) -> usize {
    let mut end = 0;
    let mut chars = text.char_indices();
    while let Some((at, c)) = chars.next() {
        if c == OPEN {
            chars.next();
        } else if !(c.is_whitespace() || u32::from(c) >= 0x10_0000) {
            end = at + c.len_utf8();
        }
    }
    end
}

/// A text without the line ends after its last content; markers stay.
pub fn without_last_line_ends(text: &str) -> String {
    let (content, rest) = text.split_at(end_of_content(text));
    let mut kept = String::with_capacity(text.len());
    kept.push_str(content);
    kept.extend(rest.chars().filter(|c| *c != '\n'));
    kept
}

/// Whether a text has markers only that print nothing.
pub fn is_empty(text: &str) -> bool {
    let mut chars = text.chars();
    while let Some(c) = chars.next() {
        match c {
            OPEN => drop(chars.next()),
            CLOSE => {}
            _ => return false,
        }
    }
    true
}

/// The numbers of the stretches in a text that something decided about.
pub fn numbers(text: &str) -> Vec<usize> {
    let mut chars = text.chars();
    let mut numbers = Vec::new();
    while let Some(c) = chars.next() {
        if c == OPEN {
            numbers.extend(chars.next().and_then(as_hole));
        }
    }
    numbers
}

/// The numbers of those stretches in which nothing was printed.
pub fn empty(text: &str) -> Vec<usize> {
    let mut open: Vec<(Option<usize>, bool)> = Vec::new();
    let mut empty = Vec::new();
    let mut chars = text.chars();
    while let Some(c) = chars.next() {
        match c {
            OPEN => open.push((chars.next().and_then(as_hole), true)),
            CLOSE => empty.extend(
                open.pop()
                    .filter(|(_, is_empty)| *is_empty)
                    .and_then(|(number, _)| number),
            ),
            _ if c.is_whitespace() => {}
            _ => open.iter_mut().for_each(|(_, is_empty)| *is_empty = false),
        }
    }
    empty
}
