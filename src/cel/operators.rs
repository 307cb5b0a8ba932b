//! Arithmetic, comparison and membership, as the language defines them.

use std::cmp::Ordering;
use std::sync::Arc;

use jiff::SignedDuration;

use super::Error;
use super::functions::time::nanos_of;
use super::value::{Text, Value};

type Result<'a> = std::result::Result<Value<'a>, Error>;

/// The longest text and list that an expression may make here; the API server would go on until it has no memory left.
const MOST_BYTES: usize = 16 << 20;
const MOST_ITEMS: usize = 2 << 20;

/// What is evaluated without a call.
pub fn no_call<'a>(arguments: &[Value<'a>]) -> Result<'a> {
    Err(mismatch("call", arguments))
}

fn overflow(operator: &str) -> Error {
    Error::Overflow(format!("`{operator}` leaves the range of its numbers"))
}

fn mismatch(operator: &str, arguments: &[Value<'_>]) -> Error {
    Error::overload(operator, &arguments.iter().collect::<Vec<_>>())
}

/// Refuses a text that is too long to be made.
///
/// # Errors
/// It has more than 16 MiB.
pub fn bounded(bytes: usize) -> std::result::Result<(), Error> {
    if bytes > MOST_BYTES {
        Err(Error::Cost)
    } else {
        Ok(())
    }
}

/// Refuses a list that is too long to be made.
///
/// # Errors
/// It has more than two million items.
pub fn bounded_items(items: usize) -> std::result::Result<(), Error> {
    if items > MOST_ITEMS {
        Err(Error::Cost)
    } else {
        Ok(())
    }
}

/// `a + b`
pub fn add<'a>(arguments: &[Value<'a>]) -> Result<'a> {
    match arguments {
        [Value::Int(a), Value::Int(b)] => a
            .checked_add(*b)
            .map(Value::Int)
            .ok_or_else(|| overflow("+")),
        [Value::Uint(a), Value::Uint(b)] => a
            .checked_add(*b)
            .map(Value::Uint)
            .ok_or_else(|| overflow("+")),
        [Value::Double(a), Value::Double(b)] => Ok(Value::Double(a + b)),
        [Value::Text(left), Value::Text(right)] => {
            let (left, right) = (left.as_str(), right.as_str());
            bounded(left.len() + right.len())?;
            Ok(Value::text([left, right].concat()))
        }
        [Value::Bytes(left), Value::Bytes(right)] => {
            bounded(left.len() + right.len())?;
            Ok(Value::Bytes([&**left, &**right].concat().into()))
        }
        [Value::Duration(a), Value::Duration(b)] => {
            duration(nanos_of(*a).checked_add(nanos_of(*b)), "+")
        }
        [Value::Timestamp(time), Value::Duration(span)]
        | [Value::Duration(span), Value::Timestamp(time)] => time
            .plus(nanos_of(*span))
            .map(Value::Timestamp)
            .ok_or_else(|| overflow("+")),
        [a, b] => match (a.items(), b.items()) {
            (Some(left), Some(right)) => {
                bounded_items(left.len() + right.len())?;
                let mut joined = left.into_owned();
                joined.extend(right.iter().cloned());
                Ok(Value::List(Arc::new(joined)))
            }
            _ => Err(mismatch("_+_", arguments)),
        },
        _ => Err(mismatch("_+_", arguments)),
    }
}

/// Spans of 64 bits of nanoseconds.
fn duration<'a>(nanos: Option<i64>, operator: &str) -> Result<'a> {
    nanos
        .map(|nanos| Value::Duration(SignedDuration::from_nanos(nanos)))
        .ok_or_else(|| overflow(operator))
}

/// `a - b`
pub fn subtract<'a>(arguments: &[Value<'a>]) -> Result<'a> {
    match arguments {
        [Value::Int(a), Value::Int(b)] => a
            .checked_sub(*b)
            .map(Value::Int)
            .ok_or_else(|| overflow("-")),
        [Value::Uint(a), Value::Uint(b)] => a
            .checked_sub(*b)
            .map(Value::Uint)
            .ok_or_else(|| overflow("-")),
        [Value::Double(a), Value::Double(b)] => Ok(Value::Double(a - b)),
        [Value::Duration(a), Value::Duration(b)] => {
            duration(nanos_of(*a).checked_sub(nanos_of(*b)), "-")
        }
        [Value::Timestamp(a), Value::Duration(b)] => nanos_of(*b)
            .checked_neg()
            .and_then(|nanos| a.plus(nanos))
            .map(Value::Timestamp)
            .ok_or_else(|| overflow("-")),
        [Value::Timestamp(a), Value::Timestamp(b)] => duration(a.since(*b), "-"),
        _ => Err(mismatch("_-_", arguments)),
    }
}

/// `a * b`
pub fn multiply<'a>(arguments: &[Value<'a>]) -> Result<'a> {
    match arguments {
        [Value::Int(a), Value::Int(b)] => a
            .checked_mul(*b)
            .map(Value::Int)
            .ok_or_else(|| overflow("*")),
        [Value::Uint(a), Value::Uint(b)] => a
            .checked_mul(*b)
            .map(Value::Uint)
            .ok_or_else(|| overflow("*")),
        [Value::Double(a), Value::Double(b)] => Ok(Value::Double(a * b)),
        _ => Err(mismatch("_*_", arguments)),
    }
}

/// `a / b`
pub fn divide<'a>(arguments: &[Value<'a>]) -> Result<'a> {
    match arguments {
        [Value::Int(_), Value::Int(0)] | [Value::Uint(_), Value::Uint(0)] => {
            Err(Error::DivisionByZero)
        }
        [Value::Int(a), Value::Int(b)] => a
            .checked_div(*b)
            .map(Value::Int)
            .ok_or_else(|| overflow("/")),
        [Value::Uint(a), Value::Uint(b)] => Ok(Value::Uint(a / b)),
        [Value::Double(a), Value::Double(b)] => Ok(Value::Double(a / b)),
        _ => Err(mismatch("_/_", arguments)),
    }
}

/// `a % b`
pub fn remainder<'a>(arguments: &[Value<'a>]) -> Result<'a> {
    match arguments {
        [Value::Int(_), Value::Int(0)] | [Value::Uint(_), Value::Uint(0)] => {
            Err(Error::DivisionByZero)
        }
        [Value::Int(a), Value::Int(b)] => a
            .checked_rem(*b)
            .map(Value::Int)
            .ok_or_else(|| overflow("%")),
        [Value::Uint(a), Value::Uint(b)] => Ok(Value::Uint(a % b)),
        _ => Err(mismatch("_%_", arguments)),
    }
}

/// `-a`
pub fn negate<'a>(arguments: &[Value<'a>]) -> Result<'a> {
    match arguments {
        [Value::Int(a)] => a.checked_neg().map(Value::Int).ok_or_else(|| overflow("-")),
        [Value::Double(a)] => Ok(Value::Double(-a)),
        [Value::Duration(a)] => duration(nanos_of(*a).checked_neg(), "-"),
        _ => Err(mismatch("-_", arguments)),
    }
}

/// `!a`
pub fn not<'a>(arguments: &[Value<'a>]) -> Result<'a> {
    match arguments {
        [Value::Bool(a)] => Ok(Value::Bool(!a)),
        _ => Err(mismatch("!_", arguments)),
    }
}

fn ordered<'a>(name: &str, arguments: &[Value<'a>], holds: fn(Ordering) -> bool) -> Result<'a> {
    match arguments {
        [a, b] => Ok(Value::Bool(holds(a.compare(b)?))),
        _ => Err(mismatch(name, arguments)),
    }
}

/// `a < b`
pub fn less<'a>(arguments: &[Value<'a>]) -> Result<'a> {
    ordered("_<_", arguments, Ordering::is_lt)
}

/// `a <= b`
pub fn at_most<'a>(arguments: &[Value<'a>]) -> Result<'a> {
    ordered("_<=_", arguments, Ordering::is_le)
}

/// `a > b`
pub fn greater<'a>(arguments: &[Value<'a>]) -> Result<'a> {
    ordered("_>_", arguments, Ordering::is_gt)
}

/// `a >= b`
pub fn at_least<'a>(arguments: &[Value<'a>]) -> Result<'a> {
    ordered("_>=_", arguments, Ordering::is_ge)
}

/// `a in b`
pub fn contained<'a>(arguments: &[Value<'a>]) -> Result<'a> {
    match arguments {
        [item, list] if list.is_list() => Ok(Value::Bool(has(list, item))),
        [key, map] if map.is_map() => Ok(Value::Bool(map.lookup(key).is_some())),
        _ => Err(mismatch("@in", arguments)),
    }
}

/// Whether a list has an item; what cannot be compared is another.
pub fn has<'a>(list: &Value<'a>, item: &Value<'a>) -> bool {
    let items = list.items();
    items.is_some_and(|items| {
        items
            .iter()
            .any(|other| item.equals(other).unwrap_or(false))
    })
}

/// `size(a)`
pub fn size<'a>(arguments: &[Value<'a>]) -> Result<'a> {
    match arguments {
        [value] => value
            .size()
            .map(|size| Value::Int(i64::try_from(size).unwrap_or(i64::MAX)))
            .ok_or_else(|| mismatch("size", arguments)),
        _ => Err(mismatch("size", arguments)),
    }
}

/// `type(a)`
#[allow(clippy::unnecessary_wraps, reason = "has the type of functions::Call")]
pub fn type_of<'a>(arguments: &[Value<'a>]) -> Result<'a> {
    let name = arguments.first().map_or("null_type", Value::type_name);
    Ok(Value::Type(Text::Borrowed(name)))
}
