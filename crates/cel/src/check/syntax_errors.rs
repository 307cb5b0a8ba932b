//! What the parser says, in words for people.

use super::CompileError;

/// How many brackets are open at once, at most; texts and comments not looked into.
pub(super) fn nesting(text: &str) -> usize {
    let (mut open, mut most) = (0usize, 0usize);
    for byte in text.bytes() {
        match byte {
            b'(' | b'[' | b'{' => {
                open += 1;
                most = most.max(open);
            }
            b')' | b']' | b'}' => open = open.saturating_sub(1),
            _ => {}
        }
    }
    most
}

/// Whether the quick parser may take a text for another one than the API server does: it takes signs, prefixes and ends of
/// lines that are errors, counts levels in another way, and does not tell where `existsOne` stands.
pub(super) fn is_peculiar(text: &str) -> bool {
    const MOST_CHOICES: usize = 100;
    let mut signs = text.bytes().filter(|b| !b.is_ascii_whitespace());
    let mut before = signs.next().unwrap_or(b' ');
    let has_signs = signs.any(|sign| {
        let pair = (std::mem::replace(&mut before, sign), sign);
        matches!(pair, (b'!', b'-') | (b'-', b'!'))
    });
    let mut threes = text.as_bytes().windows(3);
    let has_prefix = threes.any(|three| matches!(three, [b'r' | b'R', b'b' | b'B', b'\'' | b'"']));
    has_signs
        || has_prefix
        || text.contains("0X")
        || text.contains("existsOne")
        || text.bytes().filter(|b| *b == b'?').count() > MOST_CHOICES
        || has_broken_text(text)
}

/// Whether a line ends within a text of one line.
fn has_broken_text(text: &str) -> bool {
    let bytes = text.as_bytes();
    let is_raw = |at: usize| matches!(at.checked_sub(1).map(|at| bytes[at]), Some(b'r' | b'R'));
    let (mut at, mut quote): (usize, Option<(u8, bool, bool)>) = (0, None);
    while let Some(byte) = bytes.get(at) {
        let is_tripled = bytes
            .get(at..at + 3)
            .is_some_and(|three| three == [*byte; 3]);
        match (quote, byte) {
            (None, b'/') if bytes.get(at + 1) == Some(&b'/') => {
                at += text[at..].find('\n').unwrap_or(text.len() - at);
            }
            (None, b'\'' | b'"') => {
                quote = Some((*byte, is_tripled, is_raw(at)));
                at += if is_tripled { 2 } else { 0 };
            }
            (Some((.., false)), b'\\') => at += 1,
            (Some((open, tripled, _)), _) if *byte == open && (!tripled || is_tripled) => {
                quote = None;
                at += if tripled { 2 } else { 0 };
            }
            (Some((_, false, _)), b'\n' | b'\r') => return true,
            _ => {}
        }
        at += 1;
    }
    // What is still open is an error, or was not understood here.
    quote.is_some()
}

/// The first error of the parser: those that follow are its consequences.
pub(super) fn describe(text: &str, errors: &[cel::ParseError]) -> Vec<CompileError> {
    let first = errors.iter().find(|error| !error.msg.contains("No `"));
    let Some(error) = first else {
        return vec![CompileError {
            message: "it is not an expression".to_owned(),
            help: None,
            position: None,
            panics: false,
        }];
    };
    let message = error.msg.trim_start_matches("Syntax error: ");
    let line = usize::try_from(error.pos.0).unwrap_or(0);
    let column = usize::try_from(error.pos.1).unwrap_or(0);
    vec![CompileError {
        message: message_of(message),
        help: None,
        position: (line > 0 && line <= text.lines().count() && column > 0)
            .then_some((line, column)),
        panics: false,
    }]
}

fn message_of(message: &str) -> String {
    if message.contains("Recursion limit") {
        return "it is nested too deeply".to_owned();
    }
    if message.contains("<EOF>") {
        return "it ends too early: something is still open, or an operand is missing".to_owned();
    }
    if message.contains("token recognition error") {
        let what = message.rsplit("at: ").next().unwrap_or_default();
        return match what.trim().trim_matches('\'').trim() {
            "=" => "`=` does not belong here: `==` compares".to_owned(),
            what => format!("`{what}` does not belong here"),
        };
    }
    match message.split('\'').nth(1) {
        Some(token) => format!("`{token}` does not belong here"),
        None => message.to_owned(),
    }
}
