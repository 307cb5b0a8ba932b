//! Values as an evaluation takes them.

use super::super::EvaluationError;
use super::super::value::CelValue;
use std::sync::Arc;

/// The root of a selection: an optional value is looked into, as the server does, by its value in Go.
pub(super) fn root(value: CelValue<'_>) -> Result<(CelValue<'_>, bool), EvaluationError> {
    match value {
        CelValue::Optional(Some(inner)) => Ok((native(Arc::unwrap_or_clone(inner))?, true)),
        none @ CelValue::Optional(None) => Ok((none, true)),
        value => Ok((value, false)),
    }
}

/// A value that went through Go's own types: optional values in optional values are lost, types become text, and values of
/// Kubernetes' libraries do not come back.
pub(super) fn native(value: CelValue<'_>) -> Result<CelValue<'_>, EvaluationError> {
    match value {
        CelValue::Optional(None) => Ok(CelValue::Null),
        CelValue::Optional(Some(inner)) => native(Arc::unwrap_or_clone(inner)),
        CelValue::Type(name) => Ok(CelValue::Text(name)),
        CelValue::Kubernetes(_) => Err(EvaluationError::Malformed(format!(
            "the API server cannot take {} out of an optional value here",
            value.kind_name()
        ))),
        value => Ok(value),
    }
}

/// The position that a key names in a list.
pub(super) fn index(
    of: &CelValue<'_>,
    key: &CelValue<'_>,
) -> Result<Option<usize>, EvaluationError> {
    let index = match key {
        CelValue::Int(index) => Some(*index),
        CelValue::Uint(index) => i64::try_from(*index).ok(),
        CelValue::Double(number) => match super::super::convert::lossless_int(*number) {
            Some(index) => Some(index),
            None => return Err(not_an_index(of, key)),
        },
        _ => return Err(not_an_index(of, key)),
    };
    Ok(index.and_then(|index| usize::try_from(index).ok()))
}

pub(super) fn not_an_index(of: &CelValue<'_>, key: &CelValue<'_>) -> EvaluationError {
    EvaluationError::Malformed(format!(
        "{} is not a position in {}",
        key.kind_name(),
        of.kind_name()
    ))
}

pub(super) fn absent(of: &CelValue<'_>, key: &CelValue<'_>) -> EvaluationError {
    let name = super::super::convert::to_text(key).unwrap_or_default();
    if of.is_list() {
        return EvaluationError::Range(format!(
            "there is no item {name} in a list of {}",
            of.size().unwrap_or(0)
        ));
    }
    EvaluationError::NoSuchKey(name)
}

pub(super) fn not_optional(value: &CelValue<'_>) -> EvaluationError {
    EvaluationError::Malformed(format!(
        "`?` is for optional values, not {}",
        value.kind_name()
    ))
}
