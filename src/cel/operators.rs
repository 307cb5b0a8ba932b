//! Arithmetic, comparison and membership, as the language defines them.

use std::cmp::Ordering;
use std::sync::Arc;

use jiff::SignedDuration;

use super::value::{Text, Value};
use super::{Budget, COST_PER_CALL, Error};

type Result<'a> = std::result::Result<Value<'a>, Error>;

fn overflow(operator: &str) -> Error {
    Error::Range(format!("`{operator}` leaves the range of its numbers"))
}

/// The cost of going through texts: a tenth of their length.
pub fn traversal(values: &[&Value<'_>]) -> u64 {
    values
        .iter()
        .map(|value| value.weight())
        .sum::<u64>()
        .div_ceil(10)
        .max(1)
}

/// `a + b`
pub fn add<'a>(arguments: &[Value<'a>], budget: &mut Budget<'a>) -> Result<'a> {
    let [a, b] = arguments else {
        return Err(Error::overload("_+_", &[]));
    };
    match (a, b) {
        (Value::Int(a), Value::Int(b)) => {
            budget.pay(1)?;
            a.checked_add(*b)
                .map(Value::Int)
                .ok_or_else(|| overflow("+"))
        }
        (Value::Uint(a), Value::Uint(b)) => {
            budget.pay(1)?;
            a.checked_add(*b)
                .map(Value::Uint)
                .ok_or_else(|| overflow("+"))
        }
        (Value::Double(a), Value::Double(b)) => {
            budget.pay(1)?;
            Ok(Value::Double(a + b))
        }
        (Value::Text(left), Value::Text(right)) => {
            budget.pay(traversal(&[a, b]))?;
            Ok(Value::text(format!("{}{}", left.as_str(), right.as_str())))
        }
        (Value::Bytes(left), Value::Bytes(right)) => {
            budget.pay(traversal(&[a, b]))?;
            let joined: Vec<u8> = left.iter().chain(right.iter()).copied().collect();
            Ok(Value::Bytes(joined.into()))
        }
        (Value::Duration(a), Value::Duration(b)) => {
            budget.pay(1)?;
            duration(a.checked_add(*b), "+")
        }
        (Value::Timestamp(time), Value::Duration(span))
        | (Value::Duration(span), Value::Timestamp(time)) => {
            budget.pay(1)?;
            timestamp(time.checked_add(*span).ok(), "+")
        }
        _ => match (a.items(), b.items()) {
            (Some(left), Some(right)) => {
                // Copied here, where the API server shares: so it is paid for.
                budget.pay(1 + (left.len() + right.len()) as u64)?;
                let mut joined = left.into_owned();
                joined.extend(right.iter().cloned());
                Ok(Value::List(Arc::new(joined)))
            }
            _ => Err(Error::overload("_+_", &[a, b])),
        },
    }
}

/// Spans of at most ten thousand years, as the language has them.
pub fn duration<'a>(span: Option<SignedDuration>, operator: &str) -> Result<'a> {
    span.filter(|span| span.as_secs().unsigned_abs() <= 315_576_000_000)
        .map(Value::Duration)
        .ok_or_else(|| overflow(operator))
}

/// Times from year 1 to year 9999.
pub fn timestamp<'a>(time: Option<jiff::Timestamp>, operator: &str) -> Result<'a> {
    let first = jiff::Timestamp::constant(-62_135_596_800, 0);
    time.filter(|time| *time >= first)
        .map(Value::Timestamp)
        .ok_or_else(|| overflow(operator))
}

/// `a - b`
pub fn subtract<'a>(arguments: &[Value<'a>], budget: &mut Budget<'a>) -> Result<'a> {
    budget.pay(1)?;
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
        [Value::Duration(a), Value::Duration(b)] => duration(a.checked_sub(*b), "-"),
        [Value::Timestamp(a), Value::Duration(b)] => timestamp(a.checked_sub(*b).ok(), "-"),
        [Value::Timestamp(a), Value::Timestamp(b)] => duration(Some(a.duration_since(*b)), "-"),
        _ => Err(mismatch("_-_", arguments)),
    }
}

fn mismatch(operator: &str, arguments: &[Value<'_>]) -> Error {
    Error::overload(operator, &arguments.iter().collect::<Vec<_>>())
}

/// `a * b`
pub fn multiply<'a>(arguments: &[Value<'a>], budget: &mut Budget<'a>) -> Result<'a> {
    budget.pay(1)?;
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
pub fn divide<'a>(arguments: &[Value<'a>], budget: &mut Budget<'a>) -> Result<'a> {
    budget.pay(1)?;
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
pub fn remainder<'a>(arguments: &[Value<'a>], budget: &mut Budget<'a>) -> Result<'a> {
    budget.pay(1)?;
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
pub fn negate<'a>(arguments: &[Value<'a>], budget: &mut Budget<'a>) -> Result<'a> {
    budget.pay(1)?;
    match arguments {
        [Value::Int(a)] => a.checked_neg().map(Value::Int).ok_or_else(|| overflow("-")),
        [Value::Double(a)] => Ok(Value::Double(-a)),
        [Value::Duration(a)] => duration(a.checked_neg(), "-"),
        _ => Err(mismatch("-_", arguments)),
    }
}

/// `!a`
pub fn not<'a>(arguments: &[Value<'a>], budget: &mut Budget<'a>) -> Result<'a> {
    budget.pay(1)?;
    match arguments {
        [Value::Bool(a)] => Ok(Value::Bool(!a)),
        _ => Err(mismatch("!_", arguments)),
    }
}

/// The lesser size of both, for comparing; all values of lists and maps that an expression made.
fn comparison_cost(arguments: &[Value<'_>]) -> u64 {
    let weight = |value: &Value<'_>| match value {
        Value::List(_) | Value::Map(_) | Value::Optional(_) => {
            10 * value.deep_weight(COST_PER_CALL)
        }
        other => other.weight(),
    };
    let least = arguments.iter().map(weight).min().unwrap_or(1);
    least.div_ceil(10).max(1)
}

/// What comparing an item with each of some others costs.
pub fn search_cost(item: &Value<'_>, among: usize) -> u64 {
    item.deep_weight(COST_PER_CALL)
        .saturating_mul(among as u64)
        .max(1)
}

/// `a == b`
pub fn equal<'a>(arguments: &[Value<'a>], budget: &mut Budget<'a>) -> Result<'a> {
    budget.pay(comparison_cost(arguments))?;
    match arguments {
        [a, b] => Ok(Value::Bool(a.equals(b))),
        _ => Err(mismatch("_==_", arguments)),
    }
}

/// `a != b`
pub fn not_equal<'a>(arguments: &[Value<'a>], budget: &mut Budget<'a>) -> Result<'a> {
    match equal(arguments, budget)? {
        Value::Bool(equal) => Ok(Value::Bool(!equal)),
        other => Ok(other),
    }
}

fn ordered<'a>(
    name: &str,
    arguments: &[Value<'a>],
    budget: &mut Budget<'a>,
    holds: fn(Ordering) -> bool,
) -> Result<'a> {
    budget.pay(comparison_cost(arguments))?;
    let [a, b] = arguments else {
        return Err(mismatch(name, arguments));
    };
    match a.compare(b) {
        Some(ordering) => Ok(Value::Bool(holds(ordering))),
        None if is_number(a) && is_number(b) => Ok(Value::Bool(false)),
        None => Err(mismatch(name, arguments)),
    }
}

fn is_number(value: &Value<'_>) -> bool {
    matches!(value, Value::Int(_) | Value::Uint(_) | Value::Double(_))
}

/// `a < b`
pub fn less<'a>(arguments: &[Value<'a>], budget: &mut Budget<'a>) -> Result<'a> {
    ordered("_<_", arguments, budget, Ordering::is_lt)
}

/// `a <= b`
pub fn at_most<'a>(arguments: &[Value<'a>], budget: &mut Budget<'a>) -> Result<'a> {
    ordered("_<=_", arguments, budget, Ordering::is_le)
}

/// `a > b`
pub fn greater<'a>(arguments: &[Value<'a>], budget: &mut Budget<'a>) -> Result<'a> {
    ordered("_>_", arguments, budget, Ordering::is_gt)
}

/// `a >= b`
pub fn at_least<'a>(arguments: &[Value<'a>], budget: &mut Budget<'a>) -> Result<'a> {
    ordered("_>=_", arguments, budget, Ordering::is_ge)
}

/// `a in b`
pub fn contained<'a>(arguments: &[Value<'a>], budget: &mut Budget<'a>) -> Result<'a> {
    let [item, of] = arguments else {
        return Err(mismatch("@in", arguments));
    };
    if let Some(items) = of.items() {
        budget.pay(search_cost(item, items.len()))?;
        return Ok(Value::Bool(items.iter().any(|other| other.equals(item))));
    }
    budget.pay(1)?;
    match of {
        Value::Map(_) | Value::Tree(_) => Ok(Value::Bool(of.lookup(item)?.is_some())),
        _ => Err(mismatch("@in", arguments)),
    }
}

/// `size(a)`
pub fn size<'a>(arguments: &[Value<'a>], budget: &mut Budget<'a>) -> Result<'a> {
    budget.pay(1)?;
    match arguments {
        [value] => value
            .size()
            .map(|size| Value::Int(i64::try_from(size).unwrap_or(i64::MAX)))
            .ok_or_else(|| mismatch("size", arguments)),
        _ => Err(mismatch("size", arguments)),
    }
}

/// `type(a)`
pub fn type_of<'a>(arguments: &[Value<'a>], budget: &mut Budget<'a>) -> Result<'a> {
    budget.pay(1)?;
    let name = arguments.first().map_or("null_type", Value::type_name);
    Ok(Value::Type(Text::Borrowed(name)))
}
