//! Texts in quotes.

/// A text in double quotes, what cannot be printed spelled out.
pub fn quoted(text: &str) -> String {
    let mut quoted = String::from("\"");
    for c in text.chars() {
        match c {
            '\u{7}' => quoted.push_str("\\a"),
            '\u{8}' => quoted.push_str("\\b"),
            '\u{c}' => quoted.push_str("\\f"),
            '\n' => quoted.push_str("\\n"),
            '\r' => quoted.push_str("\\r"),
            '\t' => quoted.push_str("\\t"),
            '\u{b}' => quoted.push_str("\\v"),
            '\\' => quoted.push_str("\\\\"),
            '"' => quoted.push_str("\\\""),
            c => quoted.push(c),
        }
    }
    quoted.push('"');
    quoted
}

/// The same as Go's `%q`: what does not print is a code.
pub fn quoted_as_go(text: &str) -> String {
    let mut shown = String::new();
    for c in quoted(text).chars() {
        match c {
            c if c.is_ascii_control() => shown.push_str(&format!("\\x{:02x}", u32::from(c))),
            // What joins or marks characters does not print on its own.
            '\u{200b}'..='\u{200f}'
            | '\u{2028}'..='\u{202f}'
            | '\u{80}'..='\u{a0}'
            | '\u{ad}'
            | '\u{feff}' => {
                shown.push_str(&format!("\\u{:04x}", u32::from(c)));
            }
            c => shown.push(c),
        }
    }
    shown
}
