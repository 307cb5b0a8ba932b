//! Values that may be absent. <https://pkg.go.dev/github.com/google/cel-go/cel#OptionalTypes>

use std::sync::Arc;

use super::{Function, global, guarded, method, mismatch};
use crate::types::Sig::{self, Bool};
use crate::value::CelValue;
use crate::{Evaluated, EvaluationError, operators};

const V: Sig = Sig::Param("V");
const OPTIONAL: Sig = Sig::Optional(&V);
const LIST: Sig = Sig::List(&V);

/// The functions of this library.
pub const TABLE: &[Function] = &[
    guarded(
        "optional.of",
        &[global("optional_of", &[V], OPTIONAL, 28, of)],
    ),
    guarded(
        "optional.none",
        &[global("optional_none", &[], OPTIONAL, 28, none)],
    ),
    guarded(
        "optional.ofNonZeroValue",
        &[global(
            "optional_ofNonZeroValue",
            &[V],
            OPTIONAL,
            28,
            of_non_zero,
        )],
    ),
    guarded(
        "optional.unwrap",
        &[global(
            "optional_unwrap",
            &[Sig::List(&OPTIONAL)],
            LIST,
            32,
            unwrap,
        )],
    ),
    guarded(
        "unwrapOpt",
        &[method(
            "optional_unwrapOpt",
            &[Sig::List(&OPTIONAL)],
            LIST,
            32,
            unwrap,
        )],
    ),
    guarded(
        "hasValue",
        &[method(
            "optional_hasValue",
            &[OPTIONAL],
            Bool,
            28,
            has_value,
        )],
    ),
    guarded(
        "value",
        &[method("optional_value", &[OPTIONAL], V, 28, value)],
    ),
    // Their second argument is evaluated only where it is needed.
    guarded(
        "or",
        &[method(
            "optional_or_optional",
            &[OPTIONAL, OPTIONAL],
            OPTIONAL,
            28,
            operators::no_call,
        )],
    ),
    guarded(
        "orValue",
        &[method(
            "optional_orValue_value",
            &[OPTIONAL, V],
            V,
            28,
            operators::no_call,
        )],
    ),
    guarded(
        "first",
        &[method("list_first", &[LIST], OPTIONAL, 34, |v| {
            end(v, true)
        })],
    ),
    guarded(
        "last",
        &[method("list_last", &[LIST], OPTIONAL, 34, |v| {
            end(v, false)
        })],
    ),
];

fn of<'a>(arguments: &[CelValue<'a>]) -> Evaluated<'a> {
    match arguments {
        [value] => Ok(CelValue::some(value.clone())),
        _ => Err(mismatch("optional.of", arguments)),
    }
}

#[allow(clippy::unnecessary_wraps, reason = "has the type of Call")]
fn none<'a>(_: &[CelValue<'a>]) -> Evaluated<'a> {
    Ok(CelValue::Optional(None))
}

fn of_non_zero<'a>(arguments: &[CelValue<'a>]) -> Evaluated<'a> {
    let [value] = arguments else {
        return Err(mismatch("optional.ofNonZeroValue", arguments));
    };
    // An optional value is never zero, even one without a value.
    let is_zero = match value {
        CelValue::Null | CelValue::Bool(false) | CelValue::Int(0) | CelValue::Uint(0) => true,
        CelValue::Double(number) => *number == 0.0,
        CelValue::Duration(span) => span.is_zero(),
        CelValue::Timestamp(time) => time.is_zero(),
        other => other.size() == Some(0),
    };
    Ok(CelValue::Optional(
        (!is_zero).then(|| Arc::new(value.clone())),
    ))
}

fn has_value<'a>(arguments: &[CelValue<'a>]) -> Evaluated<'a> {
    match arguments {
        [CelValue::Optional(inner)] => Ok(CelValue::Bool(inner.is_some())),
        _ => Err(mismatch("hasValue", arguments)),
    }
}

fn value<'a>(arguments: &[CelValue<'a>]) -> Evaluated<'a> {
    match arguments {
        [CelValue::Optional(Some(value))] => Ok((**value).clone()),
        [CelValue::Optional(None)] => Err(EvaluationError::Malformed(
            "`value()` of an optional that has none".to_owned(),
        )),
        _ => Err(mismatch("value", arguments)),
    }
}

fn unwrap<'a>(arguments: &[CelValue<'a>]) -> Evaluated<'a> {
    let items = arguments
        .first()
        .and_then(CelValue::items)
        .ok_or_else(|| mismatch("optional.unwrap", arguments))?;
    let mut found = Vec::new();
    for item in items.iter() {
        match item {
            CelValue::Optional(inner) => found.extend(inner.iter().map(|value| (**value).clone())),
            _ => {
                return Err(EvaluationError::Malformed(
                    "an item is not optional".to_owned(),
                ));
            }
        }
    }
    Ok(CelValue::list(found))
}

fn end<'a>(arguments: &[CelValue<'a>], first: bool) -> Evaluated<'a> {
    let [list] = arguments else {
        return Err(mismatch("first", arguments));
    };
    let at = if first {
        Some(0)
    } else {
        list.size().and_then(|size| size.checked_sub(1))
    };
    let item = at.and_then(|at| list.item(at));
    Ok(CelValue::Optional(item.map(Arc::new)))
}
