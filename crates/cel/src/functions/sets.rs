//! Lists as sets. <https://pkg.go.dev/github.com/google/cel-go/ext#Sets>

use super::{Function, global, guarded, mismatch};
use crate::types::Sig::{self, Bool};
use crate::value::CelValue;
use crate::{COST_PER_CALL, Evaluated, EvaluationError, operators};

const LIST: Sig = Sig::List(&Sig::Param("T"));

/// The functions of this library.
pub const TABLE: &[Function] = &[
    guarded(
        "sets.contains",
        &[global(
            "list_sets_contains_list",
            &[LIST, LIST],
            Bool,
            29,
            contains,
        )],
    ),
    guarded(
        "sets.equivalent",
        &[global(
            "list_sets_equivalent_list",
            &[LIST, LIST],
            Bool,
            29,
            equivalent,
        )],
    ),
    guarded(
        "sets.intersects",
        &[global(
            "list_sets_intersects_list",
            &[LIST, LIST],
            Bool,
            29,
            intersects,
        )],
    ),
];

/// Both lists, if comparing all pairs is within what an expression may cost.
fn lists<'v, 'a>(
    name: &str,
    arguments: &'v [CelValue<'a>],
) -> Result<(&'v CelValue<'a>, &'v CelValue<'a>), EvaluationError> {
    match arguments {
        [a, b] if a.is_list() && b.is_list() => {
            if a.weight().saturating_mul(b.weight()) > COST_PER_CALL {
                return Err(EvaluationError::Cost);
            }
            Ok((a, b))
        }
        _ => Err(mismatch(name, arguments)),
    }
}

fn has_all<'a>(list: &CelValue<'a>, wanted: &CelValue<'a>) -> bool {
    let wanted = wanted.items().unwrap_or_default();
    wanted.iter().all(|item| operators::has(list, item))
}

fn contains<'a>(arguments: &[CelValue<'a>]) -> Evaluated<'a> {
    let (list, wanted) = lists("sets.contains", arguments)?;
    Ok(CelValue::Bool(has_all(list, wanted)))
}

fn equivalent<'a>(arguments: &[CelValue<'a>]) -> Evaluated<'a> {
    let (a, b) = lists("sets.equivalent", arguments)?;
    Ok(CelValue::Bool(has_all(a, b) && has_all(b, a)))
}

fn intersects<'a>(arguments: &[CelValue<'a>]) -> Evaluated<'a> {
    let (a, b) = lists("sets.intersects", arguments)?;
    let items = a.items().unwrap_or_default();
    Ok(CelValue::Bool(
        items.iter().any(|item| operators::has(b, item)),
    ))
}
