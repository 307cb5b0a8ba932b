//! `format()`: text with values in it. <https://pkg.go.dev/github.com/google/cel-go/ext#Strings>

use super::super::operators::traversal;
use super::{mismatch, text_of};
use crate::cel::convert::to_text;
use crate::cel::value::Value;
use crate::cel::{Budget, COST_PER_CALL, Error};

/// `"…".format([values])`
pub fn format<'a>(arguments: &[Value<'a>], budget: &mut Budget<'a>) -> Result<Value<'a>, Error> {
    let form = text_of("format", arguments, 0)?;
    budget.pay(traversal(&[&arguments[0]]))?;
    let values = arguments[1]
        .items()
        .ok_or_else(|| mismatch("format", arguments))?;
    let mut values = values.iter();
    let mut text = String::new();
    for piece in pieces(form).map_err(Error::Malformed)? {
        match piece {
            Piece::Text(literal) => text.push_str(literal),
            Piece::Value(verb, precision) => {
                let value = values.next().ok_or_else(|| {
                    Error::Range("the text has more `%` than there are values".to_owned())
                })?;
                budget.pay(value.deep_weight(COST_PER_CALL))?;
                let written = write(verb, precision, value)?;
                budget.pay((written.len() as u64).div_ceil(10))?;
                text.push_str(&written);
            }
        }
    }
    Ok(Value::text(text))
}

/// Judges a literal.
pub fn is_format(arguments: &[Option<&Value<'static>>]) -> Result<(), String> {
    match arguments.first() {
        Some(Some(Value::Text(text))) => pieces(text.as_str()).map(|_| ()),
        _ => Ok(()),
    }
}

enum Piece<'f> {
    Text(&'f str),
    Value(char, Option<usize>),
}

fn pieces(form: &str) -> Result<Vec<Piece<'_>>, String> {
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
        let precision = if let Some(after) = rest.strip_prefix('.') {
            let digits = after
                .find(|c: char| !c.is_ascii_digit())
                .unwrap_or(after.len());
            rest = &after[digits..];
            let number: usize = after[..digits]
                .parse()
                .map_err(|_| "after `%.` comes the number of digits".to_owned())?;
            if number > 100 {
                return Err("at most 100 digits are written".to_owned());
            }
            Some(number)
        } else {
            None
        };
        let verb = rest
            .chars()
            .next()
            .ok_or("nothing follows `%`: write `%%` for a percent sign")?;
        if !"sdfebxXo".contains(verb) {
            return Err(format!(
                "`%{verb}` is no form; there are %s, %d, %f, %e, %b, %x, %X and %o"
            ));
        }
        rest = &rest[verb.len_utf8()..];
        pieces.push(Piece::Value(verb, precision));
    }
    pieces.push(Piece::Text(rest));
    Ok(pieces)
}

fn write(verb: char, precision: Option<usize>, value: &Value<'_>) -> Result<String, Error> {
    let unfit = || Error::Malformed(format!("`%{verb}` does not write {}", value.kind_name()));
    #[allow(clippy::cast_precision_loss)]
    let number = match value {
        Value::Int(number) => Some(*number as f64),
        Value::Uint(number) => Some(*number as f64),
        Value::Double(number) => Some(*number),
        _ => None,
    };
    let special = |number: f64| {
        if number.is_nan() {
            Some("NaN".to_owned())
        } else if number.is_infinite() {
            Some(
                if number > 0.0 {
                    "Infinity"
                } else {
                    "-Infinity"
                }
                .to_owned(),
            )
        } else {
            None
        }
    };
    Ok(match verb {
        's' => shown(value).ok_or_else(unfit)?,
        'd' => match value {
            Value::Int(number) => number.to_string(),
            Value::Uint(number) => number.to_string(),
            Value::Double(number) => special(*number).ok_or_else(unfit)?,
            _ => return Err(unfit()),
        },
        'f' => {
            let number = number.ok_or_else(unfit)?;
            special(number).unwrap_or_else(|| format!("{number:.0$}", precision.unwrap_or(6)))
        }
        'e' => {
            let number = number.ok_or_else(unfit)?;
            special(number).unwrap_or_else(|| {
                let text = format!("{number:.0$e}", precision.unwrap_or(6));
                let (digits, exponent) = text.split_once('e').unwrap_or((&text, "0"));
                let (sign, exponent) = match exponent.strip_prefix('-') {
                    Some(exponent) => ('-', exponent),
                    None => ('+', exponent),
                };
                format!("{digits}e{sign}{exponent:0>2}")
            })
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

fn signed(number: i64, write: impl Fn(u64) -> String) -> String {
    let sign = if number < 0 { "-" } else { "" };
    format!("{sign}{}", write(number.unsigned_abs()))
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

/// A value as `%s` writes it.
fn shown(value: &Value<'_>) -> Option<String> {
    if let Some(items) = value.items() {
        let items: Option<Vec<String>> = items.iter().map(shown).collect();
        return Some(format!("[{}]", items?.join(", ")));
    }
    if let Some(keys) = value.keys() {
        let mut entries = Vec::new();
        for key in keys {
            let found = value.lookup(&key).ok()??;
            entries.push(format!("{}: {}", shown(&key)?, shown(&found)?));
        }
        entries.sort_unstable();
        return Some(format!("{{{}}}", entries.join(", ")));
    }
    match value {
        Value::Bytes(bytes) => Some(String::from_utf8_lossy(bytes).into_owned()),
        Value::Double(number) if number.is_infinite() => Some(
            if *number > 0.0 {
                "Infinity"
            } else {
                "-Infinity"
            }
            .to_owned(),
        ),
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
