//! What a plain scalar means (YAML 1.2 core schema), and which texts another reader could take
//! for something else.

use super::Value;

/// Why a plain scalar is refused rather than guessed at.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Ambiguous {
    /// `0755`: 755 to YAML 1.2, 493 to YAML 1.1.
    LeadingZero,
    /// A whole number beyond 64 bits.
    TooLarge,
    /// `.inf`, `.nan`: JSON, and so Kubernetes, has no such number.
    NotFinite,
}

/// The meaning of a scalar written without quotes.
///
/// # Errors
/// [`Ambiguous`] when readers of YAML disagree about it, or no manifest could hold it.
pub fn resolve_plain(text: &str) -> Result<Value, Ambiguous> {
    match text {
        "" | "~" | "null" | "Null" | "NULL" => return Ok(Value::Null),
        "true" | "True" | "TRUE" => return Ok(Value::Bool(true)),
        "false" | "False" | "FALSE" => return Ok(Value::Bool(false)),
        _ => {}
    }
    let unsigned = text.strip_prefix(['-', '+']).unwrap_or(text);
    if matches!(unsigned, ".inf" | ".Inf" | ".INF") || matches!(text, ".nan" | ".NaN" | ".NAN") {
        return Err(Ambiguous::NotFinite);
    }
    for (prefix, radix) in [("0o", 8), ("0x", 16)] {
        if let Some(digits) = text.strip_prefix(prefix) {
            if !digits.is_empty() && digits.chars().all(|c| c.is_digit(radix)) {
                return i64::from_str_radix(digits, radix)
                    .map(Value::Int)
                    .map_err(|_| Ambiguous::TooLarge);
            }
            return Ok(Value::String(text.into()));
        }
    }
    if !unsigned.is_empty() && unsigned.bytes().all(|b| b.is_ascii_digit()) {
        if unsigned.len() > 1 && unsigned.starts_with('0') {
            return Err(Ambiguous::LeadingZero);
        }
        return text
            .parse()
            .map(Value::Int)
            .map_err(|_| Ambiguous::TooLarge);
    }
    if looks_like_float(unsigned)
        && let Ok(value) = text.parse::<f64>()
    {
        return if value.is_finite() {
            Ok(Value::Float(value))
        } else {
            Err(Ambiguous::TooLarge)
        };
    }
    Ok(Value::String(text.into()))
}

/// `1.5`, `.5`, `1.`, `1e3`: digits with a point or an exponent.
fn looks_like_float(text: &str) -> bool {
    let (mantissa, exponent) = match text.find(['e', 'E']) {
        Some(at) => (&text[..at], Some(&text[at + 1..])),
        None => (text, None),
    };
    let digits = mantissa.bytes().filter(u8::is_ascii_digit).count();
    let points = mantissa.bytes().filter(|b| *b == b'.').count();
    digits > 0
        && points <= 1
        && digits + points == mantissa.len()
        && (points == 1 || exponent.is_some())
        && exponent.is_none_or(|exponent| {
            let unsigned = exponent.strip_prefix(['-', '+']).unwrap_or(exponent);
            !unsigned.is_empty() && unsigned.bytes().all(|b| b.is_ascii_digit())
        })
}

/// Whether text written plainly could be read as anything but the same text, by a reader of
/// YAML 1.1 (`yes`, `0o7`, `1_000`, `12:30`, `2020-01-01`) or 1.2, in block style.
pub fn needs_quotes(text: &str) -> bool {
    // Most texts are names, which nothing could be taken for: a letter first, too long for a word that means something.
    let is_plain =
        |byte: &u8| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'.' | b'/' | b'_');
    if let [first, rest @ ..] = text.as_bytes()
        && first.is_ascii_alphabetic()
        && rest.len() > 4
        && rest.iter().all(is_plain)
    {
        return false;
    }
    let Some(first) = text.chars().next() else {
        return true;
    };
    if first.is_ascii_digit() || matches!(first, '+' | '-' | '.') {
        return looks_numeric(text) || needs_quotes_for_syntax(text, first);
    }
    is_reserved_word(text) || needs_quotes_for_syntax(text, first)
}

fn needs_quotes_for_syntax(text: &str, first: char) -> bool {
    if !(first.is_alphanumeric()
        || matches!(
            first,
            '/' | '_' | '.' | '(' | '$' | '+' | '^' | ';' | '\\' | '-' | '<' | '='
        ))
    {
        return true;
    }
    // `-`, `---`, `<<` and `=` have meanings of their own.
    if matches!(first, '-' | '<' | '=')
        && !text[1..].starts_with(|c: char| c.is_alphanumeric() || c == '-')
        || text.starts_with("---")
        || text.starts_with("...")
    {
        return true;
    }
    if text.ends_with([' ', ':']) {
        return true;
    }
    if text.is_ascii() {
        let mut previous = b' ';
        return text.bytes().any(|byte| {
            let breaks = match byte {
                b'#' => previous == b' ',
                b' ' => previous == b':',
                _ => byte < b' ' || byte == 0x7f,
            };
            previous = byte;
            breaks
        });
    }
    let mut previous = ' ';
    for c in text.chars() {
        let breaks = match c {
            '#' => previous == ' ',
            ' ' => previous == ':',
            _ => is_special(c),
        };
        if breaks {
            return true;
        }
        previous = c;
    }
    false
}

/// Characters that are written as escapes: control characters, other line breaks, invisible
/// marks, and code points that readers of YAML disagree about.
#[inline]
pub fn is_special(c: char) -> bool {
    if c.is_ascii() {
        return c.is_ascii_control();
    }
    c.is_control()
        || matches!(c, '\u{2028}' | '\u{2029}' | '\u{feff}' | '\u{fffe}' | '\u{ffff}' | '\u{200b}'..='\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}')
        || ('\u{e000}'..='\u{f8ff}').contains(&c)
        || c >= '\u{f0000}'
        || c == '\u{a0}'
}

/// Words that YAML 1.1 or 1.2 reads as null or a truth value, in any case.
fn is_reserved_word(text: &str) -> bool {
    const WORDS: [&str; 10] = [
        "null", "true", "false", "yes", "no", "on", "off", "y", "n", "~",
    ];
    text.len() <= 5 && WORDS.iter().any(|word| text.eq_ignore_ascii_case(word))
}

/// Numbers, sexagesimals and dates of YAML 1.1 and 1.2: anything that starts as a number and has
/// only the characters that those are made of.
fn looks_numeric(text: &str) -> bool {
    let unsigned = text.strip_prefix(['-', '+']).unwrap_or(text).as_bytes();
    match unsigned {
        [b'0', radix, ..] if matches!(radix.to_ascii_lowercase(), b'x' | b'o' | b'b') => true,
        [b'.', word @ ..]
            if word.get(..3).is_some_and(|word| {
                word.eq_ignore_ascii_case(b"inf") || word.eq_ignore_ascii_case(b"nan")
            }) =>
        {
            true
        }
        [b'0'..=b'9' | b'.', ..] => unsigned.iter().all(|byte| {
            byte.is_ascii_digit()
                || matches!(
                    byte.to_ascii_lowercase(),
                    b'.' | b'_' | b':' | b'e' | b'-' | b'+' | b't' | b'z' | b' '
                )
        }),
        _ => false,
    }
}
