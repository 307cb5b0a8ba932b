//! Lists: Kubernetes' own functions, and the lists extension (version 3).
//! <https://kubernetes.io/docs/reference/using-api/cel/#kubernetes-list-library>

use std::cmp::Ordering;

use super::{Function, global, int_of, method, mismatch};
use crate::cel::value::Value;
use crate::cel::{Budget, Error, operators};

type Result<'a> = std::result::Result<Value<'a>, Error>;

/// The functions of this library.
pub const TABLE: &[Function] = &[
    method("isSorted", (1, 1), 0, is_sorted),
    method("sum", (1, 1), 0, sum),
    method("min", (1, 1), 0, min),
    method("max", (1, 1), 0, max),
    method("slice", (3, 3), 34, slice),
    method("flatten", (1, 2), 34, flatten),
    method("distinct", (1, 1), 34, distinct),
    method("sort", (1, 1), 34, sort),
    global("lists.range", (1, 1), 34, range),
];

fn items<'a>(
    name: &str,
    arguments: &[Value<'a>],
    budget: &mut Budget<'a>,
) -> std::result::Result<Vec<Value<'a>>, Error> {
    let items = arguments
        .first()
        .and_then(Value::items)
        .ok_or_else(|| mismatch(name, arguments))?;
    budget.pay((items.len() as u64).max(1))?;
    Ok(items.into_owned())
}

fn order(a: &Value<'_>, b: &Value<'_>) -> std::result::Result<Ordering, Error> {
    a.compare(b).ok_or_else(|| Error::overload("sort", &[a, b]))
}

fn is_sorted<'a>(arguments: &[Value<'a>], budget: &mut Budget<'a>) -> Result<'a> {
    let items = items("isSorted", arguments, budget)?;
    for pair in items.windows(2) {
        if order(&pair[0], &pair[1])?.is_gt() {
            return Ok(Value::Bool(false));
        }
    }
    Ok(Value::Bool(true))
}

fn sum<'a>(arguments: &[Value<'a>], budget: &mut Budget<'a>) -> Result<'a> {
    let mut items = items("sum", arguments, budget)?.into_iter();
    let Some(first) = items.next() else {
        return Ok(Value::Int(0));
    };
    if !matches!(
        first,
        Value::Int(_) | Value::Uint(_) | Value::Double(_) | Value::Duration(_)
    ) {
        return Err(mismatch("sum", &[first]));
    }
    items.try_fold(first, |sum, item| operators::add(&[sum, item], budget))
}

fn extreme<'a>(
    name: &str,
    arguments: &[Value<'a>],
    budget: &mut Budget<'a>,
    wanted: Ordering,
) -> Result<'a> {
    let mut items = items(name, arguments, budget)?.into_iter();
    let first = items
        .next()
        .ok_or_else(|| Error::Range(format!("`{name}` of an empty list")))?;
    items.try_fold(first, |best, item| {
        Ok(if order(&item, &best)? == wanted {
            item
        } else {
            best
        })
    })
}

fn min<'a>(arguments: &[Value<'a>], budget: &mut Budget<'a>) -> Result<'a> {
    extreme("min", arguments, budget, Ordering::Less)
}

fn max<'a>(arguments: &[Value<'a>], budget: &mut Budget<'a>) -> Result<'a> {
    extreme("max", arguments, budget, Ordering::Greater)
}

fn position<'a>(found: Option<usize>) -> Value<'a> {
    Value::Int(found.map_or(-1, |at| i64::try_from(at).unwrap_or(i64::MAX)))
}

/// `list.indexOf(item)`
pub fn index_of<'a>(arguments: &[Value<'a>], budget: &mut Budget<'a>) -> Result<'a> {
    let list = items("indexOf", arguments, budget)?;
    Ok(position(
        list.iter().position(|item| item.equals(&arguments[1])),
    ))
}

/// `list.lastIndexOf(item)`
pub fn last_index_of<'a>(arguments: &[Value<'a>], budget: &mut Budget<'a>) -> Result<'a> {
    let list = items("lastIndexOf", arguments, budget)?;
    Ok(position(
        list.iter().rposition(|item| item.equals(&arguments[1])),
    ))
}

/// `list.reverse()`
pub fn reverse<'a>(arguments: &[Value<'a>], budget: &mut Budget<'a>) -> Result<'a> {
    let mut list = items("reverse", arguments, budget)?;
    list.reverse();
    Ok(Value::list(list))
}

fn slice<'a>(arguments: &[Value<'a>], budget: &mut Budget<'a>) -> Result<'a> {
    let list = items("slice", arguments, budget)?;
    let (from, to) = (
        int_of("slice", arguments, 1)?,
        int_of("slice", arguments, 2)?,
    );
    let range = usize::try_from(from).ok().zip(usize::try_from(to).ok());
    match range.and_then(|(from, to)| list.get(from..to)) {
        Some(part) => Ok(Value::list(part.to_vec())),
        None => Err(Error::Range(format!(
            "a list of {} has no part from {from} to {to}",
            list.len()
        ))),
    }
}

fn flatten<'a>(arguments: &[Value<'a>], budget: &mut Budget<'a>) -> Result<'a> {
    let depth = match arguments.get(1) {
        Some(_) => int_of("flatten", arguments, 1)?,
        None => 1,
    };
    if depth < 0 {
        return Err(Error::Range(
            "`flatten` takes a depth of at least 0".to_owned(),
        ));
    }
    let mut list = items("flatten", arguments, budget)?;
    for _ in 0..depth.min(64) {
        if list.iter().all(|item| item.items().is_none()) {
            break;
        }
        let mut flat = Vec::new();
        for item in list {
            match item.items() {
                Some(inner) => flat.extend(inner.into_owned()),
                None => flat.push(item),
            }
        }
        budget.pay(flat.len() as u64)?;
        list = flat;
    }
    Ok(Value::list(list))
}

fn distinct<'a>(arguments: &[Value<'a>], budget: &mut Budget<'a>) -> Result<'a> {
    let list = items("distinct", arguments, budget)?;
    for item in &list {
        budget.pay(operators::search_cost(item, list.len()))?;
    }
    let mut kept: Vec<Value<'a>> = Vec::new();
    for item in list {
        if !kept.iter().any(|known| known.equals(&item)) {
            kept.push(item);
        }
    }
    Ok(Value::list(kept))
}

fn sort<'a>(arguments: &[Value<'a>], budget: &mut Budget<'a>) -> Result<'a> {
    let list = items("sort", arguments, budget)?;
    budget.pay((list.len() * list.len()) as u64 / 10)?;
    sort_keyed(list.into_iter().map(|item| (item.clone(), item)).collect())
}

/// Sorts items by the keys beside them.
pub fn sort_keyed<'a>(mut keyed: Vec<(Value<'a>, Value<'a>)>) -> Result<'a> {
    // The order must be total before it is used to sort.
    for pair in keyed.windows(2) {
        order(&pair[0].0, &pair[1].0)?;
        if pair[0].0.type_name() != pair[1].0.type_name() {
            return Err(Error::overload("sort", &[&pair[0].0, &pair[1].0]));
        }
    }
    if let [(only, _)] = keyed.as_slice() {
        order(only, only)?;
    }
    keyed.sort_by(|a, b| a.0.compare(&b.0).unwrap_or(Ordering::Equal));
    Ok(Value::list(
        keyed.into_iter().map(|(_, item)| item).collect(),
    ))
}

fn range<'a>(arguments: &[Value<'a>], budget: &mut Budget<'a>) -> Result<'a> {
    let end = int_of("lists.range", arguments, 0)?;
    budget.pay(u64::try_from(end).unwrap_or(0))?;
    Ok(Value::list((0..end).map(Value::Int).collect()))
}
