//! Amounts, as Kubernetes' `resource.Quantity` keeps them.
//! <https://kubernetes.io/docs/reference/using-api/cel/#kubernetes-quantity-library>

use std::cmp::Ordering;
use std::sync::Arc;

use super::{Function, global, guarded, method, mismatch, text_of};
use crate::types::Sig::{self, Bool, Double, Int, Text};
use crate::value::quantity::Quantity;
use crate::value::{CelValue, Kubernetes};
use crate::{Evaluated, EvaluationError};

const QUANTITY: Sig = Sig::Named("kubernetes.Quantity");

/// The functions of this library.
pub const TABLE: &[Function] = &[
    guarded(
        "quantity",
        &[global(
            "string_to_quantity",
            &[Text],
            QUANTITY,
            28,
            quantity,
        )],
    ),
    guarded(
        "isQuantity",
        &[global("is_quantity_string", &[Text], Bool, 28, is_quantity)],
    ),
    guarded(
        "sign",
        &[global("quantity_sign", &[QUANTITY], Int, 28, sign)],
    ),
    guarded(
        "isInteger",
        &[method(
            "quantity_is_integer",
            &[QUANTITY],
            Bool,
            28,
            is_integer,
        )],
    ),
    guarded(
        "asInteger",
        &[method("quantity_get_int", &[QUANTITY], Int, 28, as_integer)],
    ),
    guarded(
        "asApproximateFloat",
        &[method(
            "quantity_get_float",
            &[QUANTITY],
            Double,
            28,
            as_float,
        )],
    ),
    guarded(
        "add",
        &[
            method("quantity_add", &[QUANTITY, QUANTITY], QUANTITY, 28, |v| {
                sum("add", v, false)
            }),
            method("quantity_add_int", &[QUANTITY, Int], QUANTITY, 28, |v| {
                sum("add", v, false)
            }),
        ],
    ),
    guarded(
        "sub",
        &[
            method("quantity_sub", &[QUANTITY, QUANTITY], QUANTITY, 28, |v| {
                sum("sub", v, true)
            }),
            method("quantity_sub_int", &[QUANTITY, Int], QUANTITY, 28, |v| {
                sum("sub", v, true)
            }),
        ],
    ),
    guarded(
        "compareTo",
        &[method(
            "quantity_compare_to",
            &[QUANTITY, QUANTITY],
            Int,
            28,
            |v| compare("compareTo", v, |order| CelValue::Int(order as i64)),
        )],
    ),
    guarded(
        "isGreaterThan",
        &[method(
            "quantity_is_greater_than",
            &[QUANTITY, QUANTITY],
            Bool,
            28,
            |v| compare("isGreaterThan", v, |order| CelValue::Bool(order.is_gt())),
        )],
    ),
    guarded(
        "isLessThan",
        &[method(
            "quantity_is_less_than",
            &[QUANTITY, QUANTITY],
            Bool,
            28,
            |v| compare("isLessThan", v, |order| CelValue::Bool(order.is_lt())),
        )],
    ),
];

fn quantity_of(value: &CelValue<'_>) -> Option<Quantity> {
    match value {
        CelValue::Kubernetes(value) => match &**value {
            Kubernetes::Quantity(quantity) => Some(*quantity),
            _ => None,
        },
        _ => None,
    }
}

fn target(name: &str, arguments: &[CelValue<'_>]) -> Result<Quantity, EvaluationError> {
    arguments
        .first()
        .and_then(quantity_of)
        .ok_or_else(|| mismatch(name, arguments))
}

fn value<'a>(quantity: Quantity) -> CelValue<'a> {
    CelValue::Kubernetes(Arc::new(Kubernetes::Quantity(quantity)))
}

fn quantity<'a>(arguments: &[CelValue<'a>]) -> Evaluated<'a> {
    let text = text_of("quantity", arguments, 0)?;
    match Quantity::parse(text) {
        Some(quantity) => Ok(value(quantity)),
        None => Err(EvaluationError::Malformed(format!(
            "`{text}` is not a quantity such as `500m` or `2Gi`"
        ))),
    }
}

fn is_quantity<'a>(arguments: &[CelValue<'a>]) -> Evaluated<'a> {
    let text = text_of("isQuantity", arguments, 0)?;
    Ok(CelValue::Bool(Quantity::parse(text).is_some()))
}

fn sign<'a>(arguments: &[CelValue<'a>]) -> Evaluated<'a> {
    let sign = target("sign", arguments)?.unscaled.signum();
    Ok(CelValue::Int(i64::try_from(sign).unwrap_or(0)))
}

fn is_integer<'a>(arguments: &[CelValue<'a>]) -> Evaluated<'a> {
    Ok(CelValue::Bool(
        target("isInteger", arguments)?.as_int().is_some(),
    ))
}

fn as_integer<'a>(arguments: &[CelValue<'a>]) -> Evaluated<'a> {
    let amount = target("asInteger", arguments)?;
    amount.as_int().map(CelValue::Int).ok_or_else(|| {
        EvaluationError::Malformed(format!("`{amount}` is not a whole number to Kubernetes"))
    })
}

fn as_float<'a>(arguments: &[CelValue<'a>]) -> Evaluated<'a> {
    Ok(CelValue::Double(
        target("asApproximateFloat", arguments)?.as_float(),
    ))
}

fn sum<'a>(name: &str, arguments: &[CelValue<'a>], negative: bool) -> Evaluated<'a> {
    let amount = target(name, arguments)?;
    let other = match arguments {
        [_, CelValue::Int(number)] => Quantity::whole(*number),
        [_, other] => quantity_of(other).ok_or_else(|| mismatch(name, arguments))?,
        _ => return Err(mismatch(name, arguments)),
    };
    let other = if negative {
        Quantity {
            unscaled: -other.unscaled,
            ..other
        }
    } else {
        other
    };
    amount.plus(other).map(value).ok_or_else(|| {
        EvaluationError::Overflow(format!("`{name}()` leaves the range of quantities"))
    })
}

fn compare<'a>(
    name: &str,
    arguments: &[CelValue<'a>],
    answer: fn(Ordering) -> CelValue<'static>,
) -> Evaluated<'a> {
    let (a, b) = match arguments {
        [a, b] => (quantity_of(a), quantity_of(b)),
        _ => (None, None),
    };
    match (a, b) {
        (Some(a), Some(b)) => Ok(answer(a.cmp(&b))),
        _ => Err(mismatch(name, arguments)),
    }
}
