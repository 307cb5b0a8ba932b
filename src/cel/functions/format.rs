//! `format()`: text with values in it. <https://pkg.go.dev/github.com/google/cel-go/ext#Strings>

use super::{mismatch, text_of};
use crate::cel::convert::to_text;
use crate::cel::value::Value;
use crate::cel::{Error, operators};

/// The most digits after the point that are written: more the server's printer does not have.
const MOST_DIGITS: usize = 232;

/// `"…".format([values])`
pub fn format<'a>(arguments: &[Value<'a>]) -> Result<Value<'a>, Error> {
    let form = text_of("format", arguments, 0)?;
    let values = arguments
        .get(1)
        .and_then(Value::items)
        .ok_or_else(|| mismatch("format", arguments))?;
    let mut values = values.iter();
    let mut text = String::new();
    for piece in pieces(form) {
        match piece {
            Piece::Text(literal) => text.push_str(literal),
            Piece::Wrong(why) => {
                // A value that is missing is missed first.
                values.next().ok_or_else(missing)?;
                return Err(Error::Malformed(why));
            }
            Piece::Value(verb, precision) => {
                let value = values.next().ok_or_else(missing)?;
                text.push_str(&write(verb, precision, value)?);
                operators::bounded(text.len())?;
            }
        }
    }
    Ok(Value::text(text))
}

fn missing() -> Error {
    Error::Range("the text has more `%` than there are values".to_owned())
}

/// A piece of a text with places for values.
pub enum Piece<'f> {
    /// Text that stays as it is.
    Text(&'f str),
    /// A value: how it is written, and with how many digits.
    Value(char, Option<usize>),
    /// What is no such place: why.
    Wrong(String),
}

/// The pieces of a text, up to the first that is wrong.
pub fn pieces(form: &str) -> Vec<Piece<'_>> {
    let mut pieces = Vec::new();
    let mut rest = form;
    while let Some(at) = rest.find('%') {
        pieces.push(Piece::Text(&rest[..at]));
        rest = &rest[at + 1..];
        if let Some(after) = rest.strip_prefix('%') {
            pieces.push(Piece::Text("%"));
            rest = after;
            continue;
        }
        match place(rest) {
            Ok((piece, after)) => {
                pieces.push(piece);
                rest = after;
            }
            Err(why) => {
                pieces.push(Piece::Wrong(why));
                return pieces;
            }
        }
    }
    pieces.push(Piece::Text(rest));
    pieces
}

fn place(form: &str) -> Result<(Piece<'_>, &str), String> {
    let mut rest = form;
    let mut precision = None;
    if let Some(after) = rest.strip_prefix('.') {
        let digits = after
            .find(|c: char| !c.is_ascii_digit())
            .unwrap_or(after.len());
        rest = &after[digits..];
        let number = after[..digits].parse();
        precision = Some(number.map_err(|_| "after `%.` comes the number of digits".to_owned())?);
    }
    let verb = rest
        .chars()
        .next()
        .ok_or("nothing follows `%`: write `%%` for a percent sign")?;
    if !"sdfebxXo".contains(verb) {
        return Err(format!(
            "`%{verb}` is not a form; there are %s, %d, %f, %e, %b, %x, %X and %o"
        ));
    }
    Ok((Piece::Value(verb, precision), &rest[verb.len_utf8()..]))
}

fn write(verb: char, precision: Option<usize>, value: &Value<'_>) -> Result<String, Error> {
    let unfit = || Error::Malformed(format!("`%{verb}` does not write {}", value.kind_name()));
    let digits = precision.unwrap_or(6).min(MOST_DIGITS);
    Ok(match verb {
        's' => shown(value).ok_or_else(unfit)?,
        'd' => match value {
            Value::Int(number) => number.to_string(),
            Value::Uint(number) => number.to_string(),
            _ => return Err(unfit()),
        },
        'f' => fixed(double_of(value).ok_or_else(unfit)?, digits),
        // The server takes the digits for the width.
        'e' => {
            let text = scientific(double_of(value).ok_or_else(unfit)?);
            format!("{text:>0$}", precision.unwrap_or(6))
        }
        'b' => match value {
            Value::Bool(value) => u8::from(*value).to_string(),
            Value::Int(number) => signed(*number, |n| format!("{n:b}")),
            Value::Uint(number) => format!("{number:b}"),
            _ => return Err(unfit()),
        },
        'o' => match value {
            Value::Int(number) => signed(*number, |n| format!("{n:o}")),
            Value::Uint(number) => format!("{number:o}"),
            _ => return Err(unfit()),
        },
        _ => {
            let hexadecimal = match value {
                Value::Int(number) => signed(*number, |n| format!("{n:x}")),
                Value::Uint(number) => format!("{number:x}"),
                Value::Text(text) => hex(text.as_str().as_bytes()),
                Value::Bytes(bytes) => hex(bytes),
                _ => return Err(unfit()),
            };
            if verb == 'X' {
                hexadecimal.to_uppercase()
            } else {
                hexadecimal
            }
        }
    })
}

/// The number of a double, or of a text that names one that no literal does.
fn double_of(value: &Value<'_>) -> Option<f64> {
    match value {
        Value::Double(number) => Some(*number),
        Value::Text(text) => match text.as_str() {
            "NaN" => Some(f64::NAN),
            "Infinity" => Some(f64::INFINITY),
            "-Infinity" => Some(f64::NEG_INFINITY),
            _ => None,
        },
        _ => None,
    }
}

fn special(number: f64) -> Option<String> {
    if number.is_nan() {
        Some("NaN".to_owned())
    } else if number.is_infinite() {
        Some(if number > 0.0 { "∞" } else { "-∞" }.to_owned())
    } else {
        None
    }
}

/// As Go's printer for English writes it: with commas between thousands.
fn fixed(number: f64, digits: usize) -> String {
    special(number).unwrap_or_else(|| {
        let text = format!("{:.digits$}", number.abs());
        let (whole, fraction) = text.split_once('.').unwrap_or((&text, ""));
        let mut grouped = String::new();
        for (at, digit) in whole.chars().enumerate() {
            if at > 0 && (whole.len() - at).is_multiple_of(3) {
                grouped.push(',');
            }
            grouped.push(digit);
        }
        let sign = if number < 0.0 { "-" } else { "" };
        let point = if fraction.is_empty() { "" } else { "." };
        format!("{sign}{grouped}{point}{fraction}")
    })
}

/// As Go's printer for English writes it: `1.500000×10⁰⁰`.
fn scientific(number: f64) -> String {
    special(number).unwrap_or_else(|| {
        let sign = if number < 0.0 { "-" } else { "" };
        let text = format!("{:.6e}", number.abs());
        let (mantissa, exponent) = text.split_once('e').unwrap_or((&text, "0"));
        let exponent: i32 = exponent.parse().unwrap_or(0);
        let below = if exponent < 0 { "⁻" } else { "" };
        let raised: String = format!("{:02}", exponent.unsigned_abs())
            .bytes()
            .map(|digit| {
                ['⁰', '¹', '²', '³', '⁴', '⁵', '⁶', '⁷', '⁸', '⁹'][usize::from(digit - b'0') % 10]
            })
            .collect();
        format!("{sign}{mantissa}×10{below}{raised}")
    })
}

fn signed(number: i64, write: impl Fn(u64) -> String) -> String {
    let sign = if number < 0 { "-" } else { "" };
    format!("{sign}{}", write(number.unsigned_abs()))
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

/// A value as `%s` writes it.
fn shown(value: &Value<'_>) -> Option<String> {
    match value {
        Value::Bytes(bytes) => std::str::from_utf8(bytes).ok().map(str::to_owned),
        Value::Kubernetes(_) | Value::Optional(_) => None,
        _ if value.is_list() || value.is_map() => member(value),
        other => to_text(other),
    }
}

/// A value as a list or map shows it.
fn member(value: &Value<'_>) -> Option<String> {
    if let Some(items) = value.items() {
        let items: Option<Vec<String>> = items.iter().map(member).collect();
        return Some(format!("[{}]", items?.join(", ")));
    }
    if let Some(keys) = value.keys() {
        let mut entries = Vec::new();
        for key in keys {
            let shown = match &key {
                Value::Text(text) => quoted_as_go(text.as_str()),
                Value::Bool(_) | Value::Int(_) | Value::Uint(_) => to_text(&key)?,
                _ => return None,
            };
            entries.push((shown, member(&value.lookup(&key)?)?));
        }
        entries.sort();
        let entries: Vec<String> = entries
            .into_iter()
            .map(|(key, value)| format!("{key}:{value}"))
            .collect();
        return Some(format!("{{{}}}", entries.join(", ")));
    }
    match value {
        Value::Text(text) => Some(quoted_as_go(text.as_str())),
        Value::Bytes(bytes) => std::str::from_utf8(bytes)
            .ok()
            .map(|text| format!("b{}", quoted_as_go(text))),
        Value::Double(number) if number.is_nan() => Some("\"NaN\"".to_owned()),
        Value::Double(number) if number.is_infinite() => Some(
            if *number > 0.0 {
                "\"+Inf\""
            } else {
                "\"-Inf\""
            }
            .to_owned(),
        ),
        Value::Double(number) => Some(format!("{number:.6}")),
        Value::Duration(_) => Some(format!("duration({})", quoted_as_go(&to_text(value)?))),
        Value::Timestamp(_) => Some(format!("timestamp({})", quoted_as_go(&to_text(value)?))),
        Value::Kubernetes(_) | Value::Optional(_) => None,
        other => to_text(other),
    }
}

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
