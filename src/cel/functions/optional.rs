//! Values that may be absent. <https://pkg.go.dev/github.com/google/cel-go/cel#OptionalTypes>

use std::sync::Arc;

use super::{Function, both, global, method, mismatch};
use crate::cel::value::Value;
use crate::cel::{Budget, Error};

type Result<'a> = std::result::Result<Value<'a>, Error>;

pub const TABLE: &[Function] = &[
    global("optional.of", (1, 1), 28, of),
    global("optional.none", (0, 0), 28, none),
    global("optional.ofNonZeroValue", (1, 1), 28, of_non_zero),
    both("optional.unwrap", (1, 1), 32, unwrap),
    method("unwrapOpt", (1, 1), 32, unwrap),
    method("hasValue", (1, 1), 28, has_value),
    method("value", (1, 1), 28, value),
    // Macros, listed so that they are suggested.
    method("or", (2, 2), 28, none),
    method("orValue", (2, 2), 28, none),
    method("first", (1, 1), 34, |v, b| end("first", v, b)),
    method("last", (1, 1), 34, |v, b| end("last", v, b)),
];

fn of<'a>(arguments: &[Value<'a>], budget: &mut Budget<'a>) -> Result<'a> {
    budget.pay(1)?;
    Ok(Value::some(arguments[0].clone()))
}

fn none<'a>(_: &[Value<'a>], budget: &mut Budget<'a>) -> Result<'a> {
    budget.pay(1)?;
    Ok(Value::Optional(None))
}

fn of_non_zero<'a>(arguments: &[Value<'a>], budget: &mut Budget<'a>) -> Result<'a> {
    budget.pay(1)?;
    let value = &arguments[0];
    let is_zero = match value {
        Value::Null
        | Value::Bool(false)
        | Value::Int(0)
        | Value::Uint(0)
        | Value::Optional(None) => true,
        Value::Double(number) => *number == 0.0,
        Value::Duration(span) => span.is_zero(),
        Value::Timestamp(time) => time.as_second() == 0 && time.subsec_nanosecond() == 0,
        other => other.size() == Some(0),
    };
    Ok(Value::Optional((!is_zero).then(|| Arc::new(value.clone()))))
}

fn inner<'v, 'a>(
    name: &str,
    arguments: &'v [Value<'a>],
) -> std::result::Result<&'v Option<Arc<Value<'a>>>, Error> {
    match arguments.first() {
        Some(Value::Optional(inner)) => Ok(inner),
        _ => Err(mismatch(name, arguments)),
    }
}

fn has_value<'a>(arguments: &[Value<'a>], budget: &mut Budget<'a>) -> Result<'a> {
    budget.pay(1)?;
    Ok(Value::Bool(inner("hasValue", arguments)?.is_some()))
}

fn value<'a>(arguments: &[Value<'a>], budget: &mut Budget<'a>) -> Result<'a> {
    budget.pay(1)?;
    match inner("value", arguments)? {
        Some(value) => Ok((**value).clone()),
        None => Err(Error::Malformed(
            "`value()` of an optional that has none".to_owned(),
        )),
    }
}

fn unwrap<'a>(arguments: &[Value<'a>], budget: &mut Budget<'a>) -> Result<'a> {
    let items = arguments[0]
        .items()
        .ok_or_else(|| mismatch("optional.unwrap", arguments))?;
    budget.pay((items.len() as u64).max(1))?;
    let mut found = Vec::new();
    for item in items.iter() {
        match item {
            Value::Optional(inner) => found.extend(inner.iter().map(|value| (**value).clone())),
            other => return Err(mismatch("optional.unwrap", std::slice::from_ref(other))),
        }
    }
    Ok(Value::list(found))
}

fn end<'a>(name: &str, arguments: &[Value<'a>], budget: &mut Budget<'a>) -> Result<'a> {
    budget.pay(1)?;
    let items = arguments[0]
        .items()
        .ok_or_else(|| mismatch(name, arguments))?;
    let found = if name == "first" {
        items.first()
    } else {
        items.last()
    };
    Ok(Value::Optional(found.map(|value| Arc::new(value.clone()))))
}
