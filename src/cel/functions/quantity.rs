//! Amounts. <https://kubernetes.io/docs/reference/using-api/cel/#kubernetes-quantity-library>

use std::cmp::Ordering;
use std::fmt;
use std::sync::Arc;

use super::{Function, global, method, mismatch, text_of, versions};
use crate::cel::value::{Kubernetes, Value};
use crate::cel::{Budget, Error};

type Result<'a> = std::result::Result<Value<'a>, Error>;

/// The functions of this library.
pub const TABLE: &[Function] = &[
    global("quantity", (1, 1), 28, quantity),
    global("isQuantity", (1, 1), 28, is_quantity),
    method("sign", (1, 1), 28, sign),
    method("isInteger", (1, 1), 28, is_integer),
    method("asInteger", (1, 1), 28, as_integer),
    method("asApproximateFloat", (1, 1), 28, as_float),
    method("add", (2, 2), 28, |v, b| sum("add", v, b, false)),
    method("sub", (2, 2), 28, |v, b| sum("sub", v, b, true)),
    method("compareTo", (2, 2), 28, |v, b| {
        compare("compareTo", v, b, |order| Value::Int(order as i64))
    }),
    method("isGreaterThan", (2, 2), 28, |v, b| {
        compare("isGreaterThan", v, b, |order| Value::Bool(order.is_gt()))
    }),
    method("isLessThan", (2, 2), 28, |v, b| {
        compare("isLessThan", v, b, |order| Value::Bool(order.is_lt()))
    }),
];

/// An amount, in billionths: the smallest unit that Kubernetes has.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Quantity(i128);

const ONE: i128 = 1_000_000_000;

impl Quantity {
    /// The amount, in billionths.
    pub fn billionths(self) -> i128 {
        self.0
    }
}

impl fmt::Display for Quantity {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.0 % ONE == 0 {
            write!(f, "{}", self.0 / ONE)
        } else if self.0 % (ONE / 1000) == 0 {
            write!(f, "{}m", self.0 / (ONE / 1000))
        } else {
            write!(f, "{}n", self.0)
        }
    }
}

/// <https://kubernetes.io/docs/reference/kubernetes-api/common-definitions/quantity/>
fn parse(text: &str) -> Option<Quantity> {
    let (negative, rest) = match text.strip_prefix('-') {
        Some(rest) => (true, rest),
        None => (false, text.strip_prefix('+').unwrap_or(text)),
    };
    let digits = rest
        .find(|c: char| !c.is_ascii_digit() && c != '.')
        .unwrap_or(rest.len());
    let (number, suffix) = rest.split_at(digits);
    let (whole, fraction) = number.split_once('.').unwrap_or((number, ""));
    if number.is_empty() || number == "." || fraction.contains('.') || number.len() > 30 {
        return None;
    }
    let (scale, divisor): (i128, i128) = match suffix {
        "" => (1, 1),
        "n" => (1, ONE),
        "u" => (1, 1_000_000),
        "m" => (1, 1000),
        "k" => (1000, 1),
        "M" => (1_000_000, 1),
        "G" => (ONE, 1),
        "T" => (1000 * ONE, 1),
        "P" => (1_000_000 * ONE, 1),
        "E" => (ONE * ONE, 1),
        "Ki" => (1 << 10, 1),
        "Mi" => (1 << 20, 1),
        "Gi" => (1 << 30, 1),
        "Ti" => (1 << 40, 1),
        "Pi" => (1 << 50, 1),
        "Ei" => (1 << 60, 1),
        _ => {
            let exponent = suffix.strip_prefix(['e', 'E'])?;
            let exponent: i32 = exponent
                .parse()
                .ok()
                .filter(|e: &i32| (-18..=18).contains(e))?;
            let power = 10i128.checked_pow(exponent.unsigned_abs())?;
            if exponent < 0 { (1, power) } else { (power, 1) }
        }
    };
    let digits: i128 = format!("0{whole}{fraction}").parse().ok()?;
    let divisor = divisor.checked_mul(10i128.checked_pow(u32::try_from(fraction.len()).ok()?)?)?;
    let scaled = digits.checked_mul(scale)?.checked_mul(ONE)?;
    // What is smaller than a billionth is rounded up, as Kubernetes does.
    let amount = scaled / divisor + i128::from(scaled % divisor != 0);
    Some(Quantity(if negative { -amount } else { amount }))
}

fn quantity_of(value: &Value<'_>) -> Option<Quantity> {
    match value {
        Value::Kubernetes(value) => match &**value {
            Kubernetes::Quantity(quantity) => Some(*quantity),
            _ => None,
        },
        _ => None,
    }
}

fn own(name: &str, arguments: &[Value<'_>]) -> std::result::Result<Quantity, Error> {
    arguments
        .first()
        .and_then(quantity_of)
        .ok_or_else(|| mismatch(name, arguments))
}

fn value<'a>(quantity: Quantity) -> Value<'a> {
    Value::Kubernetes(Arc::new(Kubernetes::Quantity(quantity)))
}

fn quantity<'a>(arguments: &[Value<'a>], budget: &mut Budget<'a>) -> Result<'a> {
    budget.pay(1)?;
    let text = text_of("quantity", arguments, 0)?;
    match parse(text) {
        Some(quantity) => Ok(value(quantity)),
        None => Err(Error::Malformed(format!(
            "`{text}` is no quantity such as `500m` or `2Gi`"
        ))),
    }
}

fn is_quantity<'a>(arguments: &[Value<'a>], budget: &mut Budget<'a>) -> Result<'a> {
    budget.pay(1)?;
    Ok(Value::Bool(
        parse(text_of("isQuantity", arguments, 0)?).is_some(),
    ))
}

fn sign<'a>(arguments: &[Value<'a>], budget: &mut Budget<'a>) -> Result<'a> {
    budget.pay(1)?;
    Ok(Value::Int(own("sign", arguments)?.0.signum() as i64))
}

fn is_integer<'a>(arguments: &[Value<'a>], budget: &mut Budget<'a>) -> Result<'a> {
    budget.pay(1)?;
    let amount = own("isInteger", arguments)?.0;
    Ok(Value::Bool(
        amount % ONE == 0 && i64::try_from(amount / ONE).is_ok(),
    ))
}

fn as_integer<'a>(arguments: &[Value<'a>], budget: &mut Budget<'a>) -> Result<'a> {
    budget.pay(1)?;
    let amount = own("asInteger", arguments)?;
    i64::try_from(amount.0 / ONE)
        .ok()
        .filter(|_| amount.0 % ONE == 0)
        .map(Value::Int)
        .ok_or_else(|| Error::Range(format!("`{amount}` is no whole number")))
}

#[allow(clippy::cast_precision_loss)]
fn as_float<'a>(arguments: &[Value<'a>], budget: &mut Budget<'a>) -> Result<'a> {
    budget.pay(1)?;
    Ok(Value::Double(
        own("asApproximateFloat", arguments)?.0 as f64 / ONE as f64,
    ))
}

fn sum<'a>(
    name: &str,
    arguments: &[Value<'a>],
    budget: &mut Budget<'a>,
    negative: bool,
) -> Result<'a> {
    budget.pay(1)?;
    let a = own(name, arguments)?.0;
    let b = match &arguments[1] {
        Value::Int(number) => i128::from(*number) * ONE,
        other => {
            quantity_of(other)
                .ok_or_else(|| mismatch(name, arguments))?
                .0
        }
    };
    let sum = if negative {
        a.checked_sub(b)
    } else {
        a.checked_add(b)
    };
    sum.map(|sum| value(Quantity(sum)))
        .ok_or_else(|| Error::Range(format!("`{name}` leaves the range of quantities")))
}

/// Quantities and versions are compared by the same methods.
fn compare<'a>(
    name: &str,
    arguments: &[Value<'a>],
    budget: &mut Budget<'a>,
    answer: fn(Ordering) -> Value<'static>,
) -> Result<'a> {
    budget.pay(1)?;
    let [a, b] = arguments else {
        return Err(mismatch(name, arguments));
    };
    if let (Some(a), Some(b)) = (quantity_of(a), quantity_of(b)) {
        return Ok(answer(a.cmp(&b)));
    }
    match (versions::version(a), versions::version(b)) {
        (Some(a), Some(b)) => Ok(answer(a.cmp_precedence(b))),
        _ => Err(mismatch(name, arguments)),
    }
}
