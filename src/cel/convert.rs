//! From one type to another: `int()`, `string()` and their like.

use jiff::{SignedDuration, Timestamp};

use super::operators;
use super::value::{Kubernetes, Text, Value};
use super::{Budget, Error};

type Result<'a> = std::result::Result<Value<'a>, Error>;

fn one<'v, 'a>(
    name: &str,
    arguments: &'v [Value<'a>],
) -> std::result::Result<&'v Value<'a>, Error> {
    match arguments {
        [value] => Ok(value),
        _ => Err(Error::overload(name, &arguments.iter().collect::<Vec<_>>())),
    }
}

fn malformed<'a>(value: &Value<'_>, wanted: &str) -> Result<'a> {
    let text = to_text(value).unwrap_or_default();
    Err(Error::Malformed(format!("`{text}` is not {wanted}")))
}

/// `int(value)`
pub fn to_int<'a>(arguments: &[Value<'a>], budget: &mut Budget<'a>) -> Result<'a> {
    budget.pay(1)?;
    let value = one("int", arguments)?;
    match value {
        Value::Int(_) => Ok(value.clone()),
        Value::Uint(number) => match i64::try_from(*number) {
            Ok(number) => Ok(Value::Int(number)),
            Err(_) => malformed(value, "within the range of `int`"),
        },
        #[allow(clippy::cast_possible_truncation)]
        Value::Double(number)
            if *number > -9_223_372_036_854_775_808.0 && *number < 9_223_372_036_854_775_808.0 =>
        {
            Ok(Value::Int(*number as i64))
        }
        Value::Double(_) => malformed(value, "within the range of `int`"),
        Value::Text(text) => match text.as_str().parse() {
            Ok(number) => Ok(Value::Int(number)),
            Err(_) => malformed(value, "a whole number"),
        },
        Value::Timestamp(time) => Ok(Value::Int(time.as_second())),
        Value::Duration(span) => Ok(Value::Int(
            i64::try_from(span.as_nanos()).unwrap_or(i64::MAX),
        )),
        other => Err(Error::overload("int", &[other])),
    }
}

/// `uint(value)`
pub fn to_uint<'a>(arguments: &[Value<'a>], budget: &mut Budget<'a>) -> Result<'a> {
    budget.pay(1)?;
    let value = one("uint", arguments)?;
    match value {
        Value::Uint(_) => Ok(value.clone()),
        Value::Int(number) => match u64::try_from(*number) {
            Ok(number) => Ok(Value::Uint(number)),
            Err(_) => malformed(value, "within the range of `uint`"),
        },
        #[allow(clippy::cast_possible_truncation, clippy::cast_sign_loss)]
        Value::Double(number) if *number >= 0.0 && *number < 18_446_744_073_709_551_616.0 => {
            Ok(Value::Uint(*number as u64))
        }
        Value::Double(_) => malformed(value, "within the range of `uint`"),
        Value::Text(text) => match text.as_str().parse() {
            Ok(number) => Ok(Value::Uint(number)),
            Err(_) => malformed(value, "a whole number above or at zero"),
        },
        other => Err(Error::overload("uint", &[other])),
    }
}

/// `double(value)`
#[allow(clippy::cast_precision_loss)]
pub fn to_double<'a>(arguments: &[Value<'a>], budget: &mut Budget<'a>) -> Result<'a> {
    budget.pay(1)?;
    let value = one("double", arguments)?;
    match value {
        Value::Double(_) => Ok(value.clone()),
        Value::Int(number) => Ok(Value::Double(*number as f64)),
        Value::Uint(number) => Ok(Value::Double(*number as f64)),
        Value::Text(text) => match text.as_str().parse() {
            Ok(number) => Ok(Value::Double(number)),
            Err(_) => malformed(value, "a number"),
        },
        other => Err(Error::overload("double", &[other])),
    }
}

/// `bool(value)`
pub fn to_bool<'a>(arguments: &[Value<'a>], budget: &mut Budget<'a>) -> Result<'a> {
    budget.pay(1)?;
    let value = one("bool", arguments)?;
    match value {
        Value::Bool(_) => Ok(value.clone()),
        // The spellings of Go's strconv.ParseBool.
        Value::Text(text) => match text.as_str() {
            "1" | "t" | "T" | "true" | "TRUE" | "True" => Ok(Value::Bool(true)),
            "0" | "f" | "F" | "false" | "FALSE" | "False" => Ok(Value::Bool(false)),
            _ => malformed(value, "true or false"),
        },
        other => Err(Error::overload("bool", &[other])),
    }
}

/// `bytes(value)`
pub fn to_bytes<'a>(arguments: &[Value<'a>], budget: &mut Budget<'a>) -> Result<'a> {
    let value = one("bytes", arguments)?;
    budget.pay(operators::traversal(&[value]))?;
    match value {
        Value::Bytes(_) => Ok(value.clone()),
        Value::Text(text) => Ok(Value::Bytes(text.as_str().as_bytes().into())),
        other => Err(Error::overload("bytes", &[other])),
    }
}

/// `string(value)`
pub fn to_string<'a>(arguments: &[Value<'a>], budget: &mut Budget<'a>) -> Result<'a> {
    let value = one("string", arguments)?;
    budget.pay(operators::traversal(&[value]))?;
    match value {
        Value::Text(_) => Ok(value.clone()),
        Value::Bytes(bytes) => match std::str::from_utf8(bytes) {
            Ok(text) => Ok(Value::text(text)),
            Err(_) => Err(Error::Malformed("the bytes are not UTF-8".to_owned())),
        },
        Value::List(_)
        | Value::Map(_)
        | Value::Tree(_)
        | Value::Null
        | Value::Optional(_)
        | Value::Type(_) => Err(Error::overload("string", &[value])),
        other => to_text(other)
            .map(Value::text)
            .ok_or_else(|| Error::overload("string", &[other])),
    }
}

/// A scalar as text, as `string()` writes it.
pub fn to_text(value: &Value<'_>) -> Option<String> {
    Some(match value {
        Value::Null => "null".to_owned(),
        Value::Bool(value) => value.to_string(),
        Value::Int(number) => number.to_string(),
        Value::Uint(number) => number.to_string(),
        Value::Double(number) => double_text(*number),
        Value::Text(text) | Value::Type(text) => text.as_str().to_owned(),
        Value::Duration(span) => duration_text(*span),
        Value::Timestamp(time) => time.to_string(),
        Value::Kubernetes(value) => match &**value {
            Kubernetes::Quantity(quantity) => quantity.to_string(),
            Kubernetes::Ip(ip) => ip.to_string(),
            Kubernetes::Cidr(ip, length) => format!("{ip}/{length}"),
            Kubernetes::Url(url) => url.to_string(),
            Kubernetes::Semver(version) => version.to_string(),
            Kubernetes::Format(name) => (*name).to_owned(),
        },
        Value::Bytes(_) | Value::List(_) | Value::Map(_) | Value::Tree(_) | Value::Optional(_) => {
            return None;
        }
    })
}

/// Go's `%g` with the fewest digits that read back as the same number.
fn double_text(number: f64) -> String {
    if number.is_nan() {
        return "NaN".to_owned();
    }
    if number.is_infinite() {
        return if number > 0.0 { "+Inf" } else { "-Inf" }.to_owned();
    }
    let exponent = if number == 0.0 {
        0.0
    } else {
        number.abs().log10().floor()
    };
    if (-4.0..21.0).contains(&exponent) {
        return number.to_string();
    }
    let text = format!("{number:e}");
    match text.split_once('e') {
        Some((digits, exponent)) => {
            let (sign, exponent) = match exponent.strip_prefix('-') {
                Some(exponent) => ('-', exponent),
                None => ('+', exponent),
            };
            format!("{digits}e{sign}{exponent:0>2}")
        }
        None => text,
    }
}

/// Seconds, as the language writes durations.
fn duration_text(span: SignedDuration) -> String {
    let nanos = span.subsec_nanos().unsigned_abs();
    let sign = if span.is_negative() { "-" } else { "" };
    let seconds = span.as_secs().unsigned_abs();
    if nanos == 0 {
        return format!("{sign}{seconds}s");
    }
    let fraction = format!("{nanos:09}");
    format!("{sign}{seconds}.{}s", fraction.trim_end_matches('0'))
}

/// `duration(value)`
pub fn to_duration<'a>(arguments: &[Value<'a>], budget: &mut Budget<'a>) -> Result<'a> {
    budget.pay(1)?;
    let value = one("duration", arguments)?;
    match value {
        Value::Duration(_) => Ok(value.clone()),
        Value::Int(nanos) => Ok(Value::Duration(SignedDuration::from_nanos(*nanos))),
        Value::Text(text) => match parse_duration(text.as_str()) {
            Some(span) => operators::duration(Some(span), "duration"),
            None => malformed(value, "a duration such as `1h30m` or `1.5s`"),
        },
        other => Err(Error::overload("duration", &[other])),
    }
}

/// Go's durations: numbers with units, such as `-1h30m` or `1.5s`.
/// <https://pkg.go.dev/time#ParseDuration>
pub fn parse_duration(text: &str) -> Option<SignedDuration> {
    let (negative, mut rest) = match text.strip_prefix('-') {
        Some(rest) => (true, rest),
        None => (false, text.strip_prefix('+').unwrap_or(text)),
    };
    if rest == "0" {
        return Some(SignedDuration::ZERO);
    }
    if rest.is_empty() {
        return None;
    }
    let mut total: i128 = 0;
    while !rest.is_empty() {
        let digits = rest.find(|c: char| !c.is_ascii_digit() && c != '.')?;
        let (number, tail) = rest.split_at(digits);
        let unit_end = tail
            .find(|c: char| c.is_ascii_digit() || c == '.')
            .unwrap_or(tail.len());
        let (unit, tail) = tail.split_at(unit_end);
        let scale: i128 = match unit {
            "ns" => 1,
            "us" | "µs" | "μs" => 1_000,
            "ms" => 1_000_000,
            "s" => 1_000_000_000,
            "m" => 60_000_000_000,
            "h" => 3_600_000_000_000,
            _ => return None,
        };
        let (whole, fraction) = number.split_once('.').unwrap_or((number, ""));
        if whole.is_empty() && fraction.is_empty() || fraction.contains('.') {
            return None;
        }
        let whole: i128 = if whole.is_empty() {
            0
        } else {
            whole.parse().ok()?
        };
        total = total.checked_add(whole.checked_mul(scale)?)?;
        let mut part = scale;
        for digit in fraction.bytes() {
            part /= 10;
            total += i128::from(digit - b'0') * part;
        }
        rest = tail;
    }
    let total = if negative { -total } else { total };
    let seconds = i64::try_from(total / 1_000_000_000).ok()?;
    let nanos = i32::try_from(total % 1_000_000_000).ok()?;
    Some(SignedDuration::new(seconds, nanos))
}

/// `timestamp(value)`
pub fn to_timestamp<'a>(arguments: &[Value<'a>], budget: &mut Budget<'a>) -> Result<'a> {
    budget.pay(1)?;
    let value = one("timestamp", arguments)?;
    match value {
        Value::Timestamp(_) => Ok(value.clone()),
        Value::Int(seconds) => {
            operators::timestamp(Timestamp::from_second(*seconds).ok(), "timestamp")
        }
        Value::Text(text) => match text.as_str().parse::<Timestamp>() {
            Ok(time) => operators::timestamp(Some(time), "timestamp"),
            Err(_) => malformed(value, "a time such as `2026-01-31T12:00:00Z`"),
        },
        other => Err(Error::overload("timestamp", &[other])),
    }
}

/// `dyn(value)`: the value itself.
pub fn dynamic<'a>(arguments: &[Value<'a>], budget: &mut Budget<'a>) -> Result<'a> {
    budget.pay(1)?;
    one("dyn", arguments).cloned()
}

/// A computed text that is borrowed no longer.
pub fn owned<'a>(text: &str) -> Text<'a> {
    Text::Shared(text.into())
}
