//! Arithmetic, comparison and membership, as the language defines them.

use crate::Evaluated;
use std::cmp::Ordering;
use std::sync::Arc;

use jiff::SignedDuration;

use super::EvaluationError;
use super::value::time::nanos_of;
use super::value::{CelValue, Text};

/// The longest text and list that an expression may make here; the API server would go on until it has no memory left.
const MOST_BYTES: usize = 16 << 20;
const MOST_ITEMS: usize = 2 << 20;

/// What is evaluated without a call.
pub fn no_call<'a>(arguments: &[CelValue<'a>]) -> Evaluated<'a> {
    Err(mismatch("call", arguments))
}

fn overflow(operator: &str) -> EvaluationError {
    EvaluationError::Overflow(format!("`{operator}` leaves the range of its numbers"))
}

fn mismatch(operator: &str, arguments: &[CelValue<'_>]) -> EvaluationError {
    EvaluationError::overload(operator, &arguments.iter().collect::<Vec<_>>())
}

/// Refuses a text that is too long to be made.
///
/// # Errors
/// It has more than 16 MiB.
pub fn bounded(bytes: usize) -> Result<(), EvaluationError> {
    if bytes > MOST_BYTES {
        Err(EvaluationError::Cost)
    } else {
        Ok(())
    }
}

/// Refuses a list that is too long to be made.
///
/// # Errors
/// It has more than two million items.
pub fn bounded_items(items: usize) -> Result<(), EvaluationError> {
    if items > MOST_ITEMS {
        Err(EvaluationError::Cost)
    } else {
        Ok(())
    }
}

/// `a + b`
pub fn add<'a>(arguments: &[CelValue<'a>]) -> Evaluated<'a> {
    match arguments {
        [CelValue::Int(a), CelValue::Int(b)] => a
            .checked_add(*b)
            .map(CelValue::Int)
            .ok_or_else(|| overflow("+")),
        [CelValue::Uint(a), CelValue::Uint(b)] => a
            .checked_add(*b)
            .map(CelValue::Uint)
            .ok_or_else(|| overflow("+")),
        [CelValue::Double(a), CelValue::Double(b)] => Ok(CelValue::Double(a + b)),
        [CelValue::Text(left), CelValue::Text(right)] => {
            let (left, right) = (left.as_str(), right.as_str());
            bounded(left.len() + right.len())?;
            Ok(CelValue::text([left, right].concat()))
        }
        [CelValue::Bytes(left), CelValue::Bytes(right)] => {
            bounded(left.len() + right.len())?;
            Ok(CelValue::Bytes([&**left, &**right].concat().into()))
        }
        [CelValue::Duration(a), CelValue::Duration(b)] => {
            duration(nanos_of(*a).checked_add(nanos_of(*b)), "+")
        }
        [CelValue::Timestamp(time), CelValue::Duration(span)]
        | [CelValue::Duration(span), CelValue::Timestamp(time)] => time
            .plus(nanos_of(*span))
            .map(CelValue::Timestamp)
            .ok_or_else(|| overflow("+")),
        [a, b] => match (a.items(), b.items()) {
            (Some(left), Some(right)) => {
                bounded_items(left.len() + right.len())?;
                let mut joined = left.into_owned();
                joined.extend(right.iter().cloned());
                Ok(CelValue::List(Arc::new(joined)))
            }
            _ => Err(mismatch("_+_", arguments)),
        },
        _ => Err(mismatch("_+_", arguments)),
    }
}

/// Spans of 64 bits of nanoseconds.
fn duration<'a>(nanos: Option<i64>, operator: &str) -> Evaluated<'a> {
    nanos
        .map(|nanos| CelValue::Duration(SignedDuration::from_nanos(nanos)))
        .ok_or_else(|| overflow(operator))
}

/// `a - b`
pub fn subtract<'a>(arguments: &[CelValue<'a>]) -> Evaluated<'a> {
    match arguments {
        [CelValue::Int(a), CelValue::Int(b)] => a
            .checked_sub(*b)
            .map(CelValue::Int)
            .ok_or_else(|| overflow("-")),
        [CelValue::Uint(a), CelValue::Uint(b)] => a
            .checked_sub(*b)
            .map(CelValue::Uint)
            .ok_or_else(|| overflow("-")),
        [CelValue::Double(a), CelValue::Double(b)] => Ok(CelValue::Double(a - b)),
        [CelValue::Duration(a), CelValue::Duration(b)] => {
            duration(nanos_of(*a).checked_sub(nanos_of(*b)), "-")
        }
        [CelValue::Timestamp(a), CelValue::Duration(b)] => nanos_of(*b)
            .checked_neg()
            .and_then(|nanos| a.plus(nanos))
            .map(CelValue::Timestamp)
            .ok_or_else(|| overflow("-")),
        [CelValue::Timestamp(a), CelValue::Timestamp(b)] => duration(a.since(*b), "-"),
        _ => Err(mismatch("_-_", arguments)),
    }
}

/// `a * b`
pub fn multiply<'a>(arguments: &[CelValue<'a>]) -> Evaluated<'a> {
    match arguments {
        [CelValue::Int(a), CelValue::Int(b)] => a
            .checked_mul(*b)
            .map(CelValue::Int)
            .ok_or_else(|| overflow("*")),
        [CelValue::Uint(a), CelValue::Uint(b)] => a
            .checked_mul(*b)
            .map(CelValue::Uint)
            .ok_or_else(|| overflow("*")),
        [CelValue::Double(a), CelValue::Double(b)] => Ok(CelValue::Double(a * b)),
        _ => Err(mismatch("_*_", arguments)),
    }
}

/// `a / b`
pub fn divide<'a>(arguments: &[CelValue<'a>]) -> Evaluated<'a> {
    match arguments {
        [CelValue::Int(_), CelValue::Int(0)] | [CelValue::Uint(_), CelValue::Uint(0)] => {
            Err(EvaluationError::DivisionByZero)
        }
        [CelValue::Int(a), CelValue::Int(b)] => a
            .checked_div(*b)
            .map(CelValue::Int)
            .ok_or_else(|| overflow("/")),
        [CelValue::Uint(a), CelValue::Uint(b)] => Ok(CelValue::Uint(a / b)),
        [CelValue::Double(a), CelValue::Double(b)] => Ok(CelValue::Double(a / b)),
        _ => Err(mismatch("_/_", arguments)),
    }
}

/// `a % b`
pub fn remainder<'a>(arguments: &[CelValue<'a>]) -> Evaluated<'a> {
    match arguments {
        [CelValue::Int(_), CelValue::Int(0)] | [CelValue::Uint(_), CelValue::Uint(0)] => {
            Err(EvaluationError::DivisionByZero)
        }
        [CelValue::Int(a), CelValue::Int(b)] => a
            .checked_rem(*b)
            .map(CelValue::Int)
            .ok_or_else(|| overflow("%")),
        [CelValue::Uint(a), CelValue::Uint(b)] => Ok(CelValue::Uint(a % b)),
        _ => Err(mismatch("_%_", arguments)),
    }
}

/// `-a`
pub fn negate<'a>(arguments: &[CelValue<'a>]) -> Evaluated<'a> {
    match arguments {
        [CelValue::Int(a)] => a
            .checked_neg()
            .map(CelValue::Int)
            .ok_or_else(|| overflow("-")),
        [CelValue::Double(a)] => Ok(CelValue::Double(-a)),
        [CelValue::Duration(a)] => duration(nanos_of(*a).checked_neg(), "-"),
        _ => Err(mismatch("-_", arguments)),
    }
}

/// `!a`
pub fn not<'a>(arguments: &[CelValue<'a>]) -> Evaluated<'a> {
    match arguments {
        [CelValue::Bool(a)] => Ok(CelValue::Bool(!a)),
        _ => Err(mismatch("!_", arguments)),
    }
}

fn ordered<'a>(
    name: &str,
    arguments: &[CelValue<'a>],
    holds: fn(Ordering) -> bool,
) -> Evaluated<'a> {
    match arguments {
        [a, b] => Ok(CelValue::Bool(holds(a.compare(b)?))),
        _ => Err(mismatch(name, arguments)),
    }
}

/// `a < b`
pub fn less<'a>(arguments: &[CelValue<'a>]) -> Evaluated<'a> {
    ordered("_<_", arguments, Ordering::is_lt)
}

/// `a <= b`
pub fn at_most<'a>(arguments: &[CelValue<'a>]) -> Evaluated<'a> {
    ordered("_<=_", arguments, Ordering::is_le)
}

/// `a > b`
pub fn greater<'a>(arguments: &[CelValue<'a>]) -> Evaluated<'a> {
    ordered("_>_", arguments, Ordering::is_gt)
}

/// `a >= b`
pub fn at_least<'a>(arguments: &[CelValue<'a>]) -> Evaluated<'a> {
    ordered("_>=_", arguments, Ordering::is_ge)
}

/// `a in b`
pub fn contained<'a>(arguments: &[CelValue<'a>]) -> Evaluated<'a> {
    match arguments {
        [item, list] if list.is_list() => Ok(CelValue::Bool(has(list, item))),
        [key, map] if map.is_map() => Ok(CelValue::Bool(map.lookup(key).is_some())),
        _ => Err(mismatch("@in", arguments)),
    }
}

/// Whether a list has an item; what cannot be compared is another.
pub fn has<'a>(list: &CelValue<'a>, item: &CelValue<'a>) -> bool {
    let items = list.items();
    items.is_some_and(|items| {
        items
            .iter()
            .any(|other| item.equals(other).unwrap_or(false))
    })
}

/// `size(a)`
pub fn size<'a>(arguments: &[CelValue<'a>]) -> Evaluated<'a> {
    match arguments {
        [value] => value
            .size()
            .map(|size| CelValue::Int(i64::try_from(size).unwrap_or(i64::MAX)))
            .ok_or_else(|| mismatch("size", arguments)),
        _ => Err(mismatch("size", arguments)),
    }
}

/// `type(a)`
#[allow(clippy::unnecessary_wraps, reason = "has the type of functions::Call")]
pub fn type_of<'a>(arguments: &[CelValue<'a>]) -> Evaluated<'a> {
    let name = arguments.first().map_or("null_type", CelValue::type_name);
    Ok(CelValue::Type(Text::Borrowed(name)))
}
