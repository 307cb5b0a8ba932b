//! Names of fields as rules of schemas escape them: `a__dash__b` for `a-b`.
//! <https://kubernetes.io/docs/reference/using-api/cel/#escaping>

use std::borrow::Cow;

/// Words of the language that are also names of fields: `__namespace__` is the field `namespace`.
const WORDS: &[&str] = &[
    "true",
    "false",
    "null",
    "in",
    "as",
    "break",
    "const",
    "continue",
    "else",
    "for",
    "function",
    "if",
    "import",
    "let",
    "loop",
    "package",
    "namespace",
    "return",
    "var",
    "void",
    "while",
];
const ESCAPES: &[(&str, &str)] = &[
    ("__dot__", "."),
    ("__dash__", "-"),
    ("__slash__", "/"),
    ("__underscores__", "__"),
];

/// The field that an escaped name stands for; a name that is not escaped is the field's own.
pub(crate) fn unescaped(name: &str) -> Cow<'_, str> {
    let inner = name
        .strip_prefix("__")
        .and_then(|rest| rest.strip_suffix("__"));
    if let Some(word) = inner.filter(|word| WORDS.contains(word)) {
        return Cow::Borrowed(word);
    }
    let mut result = String::new();
    let mut rest = name;
    while let Some(at) = rest.find("__") {
        let escape = ESCAPES
            .iter()
            .find(|(escape, _)| rest[at..].starts_with(escape));
        let Some((escape, plain)) = escape else {
            return Cow::Borrowed(name);
        };
        result.push_str(&rest[..at]);
        result.push_str(plain);
        rest = &rest[at + escape.len()..];
    }
    if result.is_empty() {
        return Cow::Borrowed(name);
    }
    Cow::Owned(result + rest)
}

#[cfg(test)]
mod tests {
    use super::unescaped;

    #[test]
    fn names_are_unescaped() {
        for (escaped, field) in [
            ("__namespace__", "namespace"),
            ("a__dash__b", "a-b"),
            ("__dot__x__slash__y", ".x/y"),
            ("a__underscores__b", "a__b"),
            ("__x", "__x"),
            ("plain", "plain"),
        ] {
            assert_eq!(unescaped(escaped), field, "{escaped}");
        }
    }
}
