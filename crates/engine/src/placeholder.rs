//! Names in braces within a text: `{market.growth}`, as prompts of agents have them.

/// What is before the next name in braces, the name, and what is after it; nothing if there is none.
/// A name is made of letters, digits, `_`, `-` and dots, and begins with a letter, so JSON stays as it is.
pub fn next(text: &str) -> Option<(&str, &str, &str)> {
    let mut from = 0;
    while let Some(open) = text.get(from..)?.find('{') {
        let start = from + open + 1;
        let rest = text.get(start..)?;
        let end = rest.find(|c: char| !(c.is_ascii_alphanumeric() || matches!(c, '_' | '-' | '.')));
        if let Some(end) = end
            && rest[end..].starts_with('}')
            && rest.starts_with(|c: char| c.is_ascii_alphabetic())
        {
            return Some((&text[..start - 1], &rest[..end], &rest[end + 1..]));
        }
        from = start;
    }
    None
}

/// All names in braces of a text.
pub fn all(text: &str) -> Vec<&str> {
    let mut names = Vec::new();
    let mut rest = text;
    while let Some((_, name, after)) = next(rest) {
        names.push(name);
        rest = after;
    }
    names
}
