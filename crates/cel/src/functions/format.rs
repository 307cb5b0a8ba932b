//! `format()`: text with values in it. <https://pkg.go.dev/github.com/google/cel-go/ext#Strings>

use super::{mismatch, text_of};
use crate::convert::to_text;
use crate::value::CelValue;
use crate::value::quoted::quoted_as_go;
use crate::{EvaluationError, operators};

/// The most digits after the point that are written: more the server's printer does not have.
const MOST_DIGITS: usize = 232;

/// `"…".format([values])`
pub fn format<'a>(arguments: &[CelValue<'a>]) -> Result<CelValue<'a>, EvaluationError> {
    let form = text_of("format", arguments, 0)?;
    let values = arguments
        .get(1)
        .and_then(CelValue::items)
        .ok_or_else(|| mismatch("format", arguments))?;
    let mut values = values.iter();
    let mut text = String::new();
    for piece in pieces(form) {
        match piece {
            FormatPiece::Text(literal) => text.push_str(literal),
            FormatPiece::Wrong(why) => {
                // A value that is missing is missed first.
                values.next().ok_or_else(missing)?;
                return Err(EvaluationError::Malformed(why));
            }
            FormatPiece::Value(verb, precision) => {
                let value = values.next().ok_or_else(missing)?;
                text.push_str(&write(verb, precision, value)?);
                operators::bounded(text.len())?;
            }
        }
    }
    Ok(CelValue::text(text))
}

fn missing() -> EvaluationError {
    EvaluationError::Range("the text has more `%` than there are values".to_owned())
}

/// A piece of a text with places for values.
pub enum FormatPiece<'f> {
    /// Text that stays as it is.
    Text(&'f str),
    /// A value: how it is written, and with how many digits.
    Value(char, Option<usize>),
    /// What is no such place: why.
    Wrong(String),
}

/// The pieces of a text, up to the first that is wrong.
pub fn pieces(form: &str) -> Vec<FormatPiece<'_>> {
    let mut pieces = Vec::new();
    let mut rest = form;
    while let Some(at) = rest.find('%') {
        pieces.push(FormatPiece::Text(&rest[..at]));
        rest = &rest[at + 1..];
        if let Some(after) = rest.strip_prefix('%') {
            pieces.push(FormatPiece::Text("%"));
            rest = after;
            continue;
        }
        match place(rest) {
            Ok((piece, after)) => {
                pieces.push(piece);
                rest = after;
            }
            Err(why) => {
                pieces.push(FormatPiece::Wrong(why));
                return pieces;
            }
        }
    }
    pieces.push(FormatPiece::Text(rest));
    pieces
}

fn place(form: &str) -> Result<(FormatPiece<'_>, &str), String> {
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
    Ok((
        FormatPiece::Value(verb, precision),
        &rest[verb.len_utf8()..],
    ))
}

fn write(
    verb: char,
    precision: Option<usize>,
    value: &CelValue<'_>,
) -> Result<String, EvaluationError> {
    let unfit =
        || EvaluationError::Malformed(format!("`%{verb}` does not write {}", value.kind_name()));
    let digits = precision.unwrap_or(6).min(MOST_DIGITS);
    Ok(match verb {
        's' => shown(value).ok_or_else(unfit)?,
        'd' => match value {
            CelValue::Int(number) => number.to_string(),
            CelValue::Uint(number) => number.to_string(),
            _ => return Err(unfit()),
        },
        'f' => fixed(double_of(value).ok_or_else(unfit)?, digits),
        // The server takes the digits for the width.
        'e' => {
            let text = scientific(double_of(value).ok_or_else(unfit)?);
            format!("{text:>0$}", precision.unwrap_or(6))
        }
        'b' => match value {
            CelValue::Bool(value) => u8::from(*value).to_string(),
            CelValue::Int(number) => signed(*number, |n| format!("{n:b}")),
            CelValue::Uint(number) => format!("{number:b}"),
            _ => return Err(unfit()),
        },
        'o' => match value {
            CelValue::Int(number) => signed(*number, |n| format!("{n:o}")),
            CelValue::Uint(number) => format!("{number:o}"),
            _ => return Err(unfit()),
        },
        _ => {
            let hexadecimal = match value {
                CelValue::Int(number) => signed(*number, |n| format!("{n:x}")),
                CelValue::Uint(number) => format!("{number:x}"),
                CelValue::Text(text) => hex(text.as_str().as_bytes()),
                CelValue::Bytes(bytes) => hex(bytes),
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
fn double_of(value: &CelValue<'_>) -> Option<f64> {
    match value {
        CelValue::Double(number) => Some(*number),
        CelValue::Text(text) => match text.as_str() {
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
fn shown(value: &CelValue<'_>) -> Option<String> {
    match value {
        CelValue::Bytes(bytes) => std::str::from_utf8(bytes).ok().map(str::to_owned),
        CelValue::Kubernetes(_) | CelValue::Optional(_) => None,
        _ if value.is_list() || value.is_map() => member(value),
        other => to_text(other),
    }
}

/// A value as a list or map shows it.
fn member(value: &CelValue<'_>) -> Option<String> {
    if let Some(items) = value.items() {
        let items: Option<Vec<String>> = items.iter().map(member).collect();
        return Some(format!("[{}]", items?.join(", ")));
    }
    if let Some(keys) = value.keys() {
        let mut entries = Vec::new();
        for key in keys {
            let shown = match &key {
                CelValue::Text(text) => quoted_as_go(text.as_str()),
                CelValue::Bool(_) | CelValue::Int(_) | CelValue::Uint(_) => to_text(&key)?,
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
        CelValue::Text(text) => Some(quoted_as_go(text.as_str())),
        CelValue::Bytes(bytes) => std::str::from_utf8(bytes)
            .ok()
            .map(|text| format!("b{}", quoted_as_go(text))),
        CelValue::Double(number) if number.is_nan() => Some("\"NaN\"".to_owned()),
        CelValue::Double(number) if number.is_infinite() => Some(
            if *number > 0.0 {
                "\"+Inf\""
            } else {
                "\"-Inf\""
            }
            .to_owned(),
        ),
        CelValue::Double(number) => Some(format!("{number:.6}")),
        CelValue::Duration(_) => Some(format!("duration({})", quoted_as_go(&to_text(value)?))),
        CelValue::Timestamp(_) => Some(format!("timestamp({})", quoted_as_go(&to_text(value)?))),
        CelValue::Kubernetes(_) | CelValue::Optional(_) => None,
        other => to_text(other),
    }
}
