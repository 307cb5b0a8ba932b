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
