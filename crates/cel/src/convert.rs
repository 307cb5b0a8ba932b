//! From one type to another: `int()`, `string()` and their like.

use crate::Evaluated;
use jiff::SignedDuration;
use tenantry_kubernetes::base64;

use super::EvaluationError;
use super::types::Type;
use super::value::time::{Time, nanos_of};
use super::value::{CelValue, Kubernetes};

fn one<'v, 'a>(
    name: &str,
    arguments: &'v [CelValue<'a>],
) -> Result<&'v CelValue<'a>, EvaluationError> {
    match arguments {
        [value] => Ok(value),
        _ => Err(EvaluationError::overload(
            name,
            &arguments.iter().collect::<Vec<_>>(),
        )),
    }
}

fn malformed<'a>(value: &CelValue<'_>, wanted: &str) -> Evaluated<'a> {
    let text = to_text(value).unwrap_or_default();
    Err(EvaluationError::Malformed(format!(
        "`{text}` is not {wanted}"
    )))
}

fn out_of_range<'a>(value: &CelValue<'_>, of: &str) -> Evaluated<'a> {
    let text = to_text(value).unwrap_or_default();
    Err(EvaluationError::Overflow(format!(
        "`{text}` is not within the range of `{of}`"
    )))
}

/// The value itself.
pub fn same<'a>(arguments: &[CelValue<'a>]) -> Evaluated<'a> {
    one("dyn", arguments).cloned()
}

/// The whole number that a double stands for exactly.
#[allow(
    clippy::cast_possible_truncation,
    clippy::cast_precision_loss,
    clippy::float_cmp,
    reason = "exactness is what is asked"
)]
pub fn lossless_int(number: f64) -> Option<i64> {
    let whole = number as i64;
    (number.fract() == 0.0 && number.abs() < 9_223_372_036_854_775_808.0 && whole as f64 == number)
        .then_some(whole)
}

/// The whole number from zero up that a double stands for exactly.
#[allow(
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    clippy::cast_precision_loss,
    clippy::float_cmp,
    reason = "exactness is what is asked"
)]
pub fn lossless_uint(number: f64) -> Option<u64> {
    let whole = number as u64;
    (number.fract() == 0.0
        && (0.0..18_446_744_073_709_551_616.0).contains(&number)
        && whole as f64 == number)
        .then_some(whole)
}

/// `int(value)`
pub fn to_int<'a>(arguments: &[CelValue<'a>]) -> Evaluated<'a> {
    let value = one("int", arguments)?;
    match value {
        CelValue::Int(_) => Ok(value.clone()),
        CelValue::Uint(number) => match i64::try_from(*number) {
            Ok(number) => Ok(CelValue::Int(number)),
            Err(_) => out_of_range(value, "int"),
        },
        #[allow(clippy::cast_possible_truncation)]
        CelValue::Double(number)
            if *number > -9_223_372_036_854_775_808.0 && *number < 9_223_372_036_854_775_808.0 =>
        {
            Ok(CelValue::Int(*number as i64))
        }
        CelValue::Double(_) => out_of_range(value, "int"),
        CelValue::Text(text) => match text.as_str().parse() {
            Ok(number) => Ok(CelValue::Int(number)),
            Err(_) => malformed(value, "a whole number"),
        },
        CelValue::Timestamp(time) => Ok(CelValue::Int(time.seconds())),
        CelValue::Duration(span) => Ok(CelValue::Int(nanos_of(*span))),
        other => Err(EvaluationError::overload("int", &[other])),
    }
}

/// `uint(value)`
pub fn to_uint<'a>(arguments: &[CelValue<'a>]) -> Evaluated<'a> {
    let value = one("uint", arguments)?;
    match value {
        CelValue::Uint(_) => Ok(value.clone()),
        CelValue::Int(number) => match u64::try_from(*number) {
            Ok(number) => Ok(CelValue::Uint(number)),
            Err(_) => out_of_range(value, "uint"),
        },
        #[allow(clippy::cast_possible_truncation, clippy::cast_sign_loss)]
        CelValue::Double(number) if *number >= 0.0 && *number < 18_446_744_073_709_551_616.0 => {
            Ok(CelValue::Uint(*number as u64))
        }
        CelValue::Double(_) => out_of_range(value, "uint"),
        // Go's `strconv.ParseUint` takes no sign.
        CelValue::Text(text) if !text.as_str().starts_with('+') => match text.as_str().parse() {
            Ok(number) => Ok(CelValue::Uint(number)),
            Err(_) => malformed(value, "a whole number of at least zero"),
        },
        CelValue::Text(_) => malformed(value, "a whole number of at least zero"),
        other => Err(EvaluationError::overload("uint", &[other])),
    }
}

/// `double(value)`
#[allow(clippy::cast_precision_loss)]
pub fn to_double<'a>(arguments: &[CelValue<'a>]) -> Evaluated<'a> {
    let value = one("double", arguments)?;
    match value {
        CelValue::Double(_) => Ok(value.clone()),
        CelValue::Int(number) => Ok(CelValue::Double(*number as f64)),
        CelValue::Uint(number) => Ok(CelValue::Double(*number as f64)),
        CelValue::Text(text) => match parse_double(text.as_str()) {
            Some(number) => Ok(CelValue::Double(number)),
            None => malformed(value, "a number"),
        },
        other => Err(EvaluationError::overload("double", &[other])),
    }
}

/// As Go's `strconv.ParseFloat`: decimal or hexadecimal, with `_` between digits.
fn parse_double(text: &str) -> Option<f64> {
    let (negative, bare) = match text.strip_prefix('-') {
        Some(bare) => (true, bare),
        None => (false, text.strip_prefix('+').unwrap_or(text)),
    };
    let sign = if negative { -1.0 } else { 1.0 };
    match bare.to_ascii_lowercase().as_str() {
        "inf" | "infinity" => return Some(sign * f64::INFINITY),
        "nan" => return (bare.len() == text.len()).then_some(f64::NAN),
        _ => {}
    }
    if let Some(digits) = bare.strip_prefix("0x").or_else(|| bare.strip_prefix("0X")) {
        return parse_hexadecimal(digits).map(|number| sign * number);
    }
    if !bare.starts_with(|c: char| c.is_ascii_digit() || c == '.') {
        return None;
    }
    let bytes = bare.as_bytes();
    let is_digit = |at: Option<usize>| {
        at.and_then(|at| bytes.get(at))
            .is_some_and(u8::is_ascii_digit)
    };
    let separates = |(at, _): (usize, &str)| is_digit(at.checked_sub(1)) && is_digit(Some(at + 1));
    if !bare.match_indices('_').all(separates) {
        return None;
    }
    let number: f64 = bare.replace('_', "").parse().ok()?;
    // What is too large is an error in Go.
    number.is_finite().then_some(sign * number)
}

/// `1p-2`, `1.8p3`
fn parse_hexadecimal(text: &str) -> Option<f64> {
    let (mantissa, exponent) = text.split_once(['p', 'P'])?;
    let exponent: i32 = exponent.parse().ok()?;
    let (whole, fraction) = mantissa.split_once('.').unwrap_or((mantissa, ""));
    let digits: String = [whole, fraction].concat().replace('_', "");
    if digits.is_empty() || digits.len() > 14 {
        return None;
    }
    let number = u64::from_str_radix(&digits, 16).ok()?;
    let shift = exponent.checked_sub(4 * i32::try_from(fraction.len()).ok()?)?;
    #[allow(clippy::cast_precision_loss)]
    let value = number as f64 * 2f64.powi(shift);
    value.is_finite().then_some(value)
}

/// `bool(value)`
pub fn to_bool<'a>(arguments: &[CelValue<'a>]) -> Evaluated<'a> {
    let value = one("bool", arguments)?;
    match value {
        CelValue::Bool(_) => Ok(value.clone()),
        // The spellings of Go's strconv.ParseBool.
        CelValue::Text(text) => match text.as_str() {
            "1" | "t" | "T" | "true" | "TRUE" | "True" => Ok(CelValue::Bool(true)),
            "0" | "f" | "F" | "false" | "FALSE" | "False" => Ok(CelValue::Bool(false)),
            _ => malformed(value, "true or false"),
        },
        other => Err(EvaluationError::overload("bool", &[other])),
    }
}

/// `bytes(value)`
pub fn to_bytes<'a>(arguments: &[CelValue<'a>]) -> Evaluated<'a> {
    let value = one("bytes", arguments)?;
    match value {
        CelValue::Bytes(_) => Ok(value.clone()),
        CelValue::Text(text) => Ok(CelValue::Bytes(text.as_str().as_bytes().into())),
        other => Err(EvaluationError::overload("bytes", &[other])),
    }
}

/// `string(value)`
pub fn to_string<'a>(arguments: &[CelValue<'a>]) -> Evaluated<'a> {
    let value = one("string", arguments)?;
    match value {
        CelValue::Text(_) => Ok(value.clone()),
        CelValue::Bytes(bytes) => match std::str::from_utf8(bytes) {
            Ok(text) => Ok(CelValue::text(text)),
            Err(_) => Err(EvaluationError::Malformed(
                "the bytes are not UTF-8".to_owned(),
            )),
        },
        CelValue::List(_)
        | CelValue::Map(_)
        | CelValue::Tree(_)
        | CelValue::Null
        | CelValue::Optional(_)
        | CelValue::Type(_) => Err(EvaluationError::overload("string", &[value])),
        other => to_text(other)
            .map(CelValue::text)
            .ok_or_else(|| EvaluationError::overload("string", &[other])),
    }
}

/// A scalar as text, as `string()` writes it.
pub fn to_text(value: &CelValue<'_>) -> Option<String> {
    Some(match value {
        CelValue::Null => "null".to_owned(),
        CelValue::Bool(value) => value.to_string(),
        CelValue::Int(number) => number.to_string(),
        CelValue::Uint(number) => number.to_string(),
        CelValue::Double(number) => double_text(*number),
        CelValue::Text(text) | CelValue::Type(text) => text.as_str().to_owned(),
        CelValue::Duration(span) => duration_text(*span),
        CelValue::Timestamp(time) => time.to_string(),
        CelValue::Kubernetes(value) => match &**value {
            Kubernetes::Quantity(quantity) => quantity.to_string(),
            Kubernetes::Ip(ip) => ip.to_string(),
            Kubernetes::Cidr(ip, length) => format!("{ip}/{length}"),
            Kubernetes::Url(url) => url.to_string(),
            Kubernetes::Semver(version) => version.to_string(),
            Kubernetes::Format(name) => (*name).to_owned(),
        },
        CelValue::Bytes(_)
        | CelValue::List(_)
        | CelValue::Map(_)
        | CelValue::Tree(_)
        | CelValue::Optional(_) => {
            return None;
        }
    })
}

/// Go's `%g`: the fewest digits that read back as the same number, with an exponent below -4 and from 6 up.
fn double_text(number: f64) -> String {
    if number.is_nan() {
        return "NaN".to_owned();
    }
    if number.is_infinite() {
        return if number > 0.0 { "+Inf" } else { "-Inf" }.to_owned();
    }
    let text = format!("{number:e}");
    let (digits, exponent) = text.split_once('e').unwrap_or((&text, "0"));
    let exponent: i32 = exponent.parse().unwrap_or(0);
    if (-4..6).contains(&exponent) || number == 0.0 {
        return number.to_string();
    }
    let sign = if exponent < 0 { '-' } else { '+' };
    format!("{digits}e{sign}{:02}", exponent.unsigned_abs())
}

/// Seconds, as the language writes durations: through a floating-point number.
#[allow(clippy::cast_precision_loss)]
fn duration_text(span: SignedDuration) -> String {
    let seconds = span.as_secs() as f64 + f64::from(span.subsec_nanos()) / 1e9;
    format!("{seconds}s")
}

/// `duration(value)`
pub fn to_duration<'a>(arguments: &[CelValue<'a>]) -> Evaluated<'a> {
    let value = one("duration", arguments)?;
    match value {
        CelValue::Duration(_) => Ok(value.clone()),
        CelValue::Text(text) => match parse_duration(text.as_str()) {
            Some(span) => Ok(CelValue::Duration(span)),
            None => malformed(value, "a duration such as `1h30m` or `1.5s`"),
        },
        other => Err(EvaluationError::overload("duration", &[other])),
    }
}

/// Go's durations: numbers with units, such as `-1h30m` or `1.5s`, of at most 64 bits of nanoseconds.
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
    i64::try_from(total).ok().map(SignedDuration::from_nanos)
}

/// `timestamp(value)`
pub fn to_timestamp<'a>(arguments: &[CelValue<'a>]) -> Evaluated<'a> {
    let value = one("timestamp", arguments)?;
    match value {
        CelValue::Timestamp(_) => Ok(value.clone()),
        CelValue::Int(seconds) => match Time::from_seconds(*seconds) {
            Some(time) => Ok(CelValue::Timestamp(time)),
            None => out_of_range(value, "timestamp"),
        },
        CelValue::Text(text) => match Time::parse(text.as_str()) {
            Some(time) => Ok(CelValue::Timestamp(time)),
            None => malformed(value, "a time such as `2026-01-31T12:00:00Z`"),
        },
        other => Err(EvaluationError::overload("timestamp", &[other])),
    }
}

/// The value that a text of a schema's format stands for.
pub(super) fn formatted<'a>(value: CelValue<'a>, of: &Type) -> Evaluated<'a> {
    let CelValue::Text(text) = &value else {
        return Ok(value);
    };
    match of {
        Type::Timestamp if text.as_str().len() == "2026-01-31".len() => {
            to_timestamp(&[CelValue::text(format!("{}T00:00:00Z", text.as_str()))])
        }
        Type::Timestamp => to_timestamp(&[value]),
        Type::Duration => to_duration(&[value]),
        Type::Bytes => match base64::decoded(text.as_str()) {
            Some(bytes) => Ok(CelValue::Bytes(bytes.into())),
            None => malformed(&value, "base64"),
        },
        _ => Ok(value),
    }
}
