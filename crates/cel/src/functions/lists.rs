//! Lists: Kubernetes' own functions, and the lists extension (version 3).
//! <https://kubernetes.io/docs/reference/using-api/cel/#kubernetes-list-library>

use std::cmp::Ordering;

use super::{Function, global, guarded, int_of, method, mismatch, own};
use crate::types::Sig::{self, Bool, Bytes, Double, Duration, Dyn, Int, Text, Timestamp, Uint};
use crate::value::CelValue;
use crate::{Evaluated, EvaluationError, operators};

const T: Sig = Sig::Param("T");
const A: Sig = Sig::Param("A");
const LIST: Sig = Sig::List(&T);

/// One overload for each type that has an order.
macro_rules! comparable {
    ($before:literal, $after:literal, $since:literal, $call:expr, $gives:ident) => {
        &[
            method(
                concat!($before, "int", $after),
                &[Sig::List(&Int)],
                $gives!(Int),
                $since,
                $call,
            ),
            method(
                concat!($before, "uint", $after),
                &[Sig::List(&Uint)],
                $gives!(Uint),
                $since,
                $call,
            ),
            method(
                concat!($before, "double", $after),
                &[Sig::List(&Double)],
                $gives!(Double),
                $since,
                $call,
            ),
            method(
                concat!($before, "bool", $after),
                &[Sig::List(&Bool)],
                $gives!(Bool),
                $since,
                $call,
            ),
            method(
                concat!($before, "duration", $after),
                &[Sig::List(&Duration)],
                $gives!(Duration),
                $since,
                $call,
            ),
            method(
                concat!($before, "timestamp", $after),
                &[Sig::List(&Timestamp)],
                $gives!(Timestamp),
                $since,
                $call,
            ),
            method(
                concat!($before, "string", $after),
                &[Sig::List(&Text)],
                $gives!(Text),
                $since,
                $call,
            ),
            method(
                concat!($before, "bytes", $after),
                &[Sig::List(&Bytes)],
                $gives!(Bytes),
                $since,
                $call,
            ),
        ]
    };
}

macro_rules! truth {
    ($of:expr) => {
        Bool
    };
}
macro_rules! itself {
    ($of:expr) => {
        $of
    };
}
macro_rules! list {
    ($of:expr) => {
        Sig::List(&$of)
    };
}

macro_rules! by_keys {
    ($($name:literal $of:ident),*) => {
        &[$(method(concat!("list_", $name, "_sortByAssociatedKeys"), &[LIST, Sig::List(&$of)], LIST, 34, |v| sort_by(v)),)*]
    };
}

/// The functions of this library.
pub const TABLE: &[Function] = &[
    guarded(
        "isSorted",
        comparable!("list_", "_is_sorted_bool", 0, is_sorted, truth),
    ),
    guarded(
        "min",
        comparable!(
            "list_",
            "_min",
            0,
            |v| extreme("min", v, Ordering::Greater),
            itself
        ),
    ),
    guarded(
        "max",
        comparable!(
            "list_",
            "_max",
            0,
            |v| extreme("max", v, Ordering::Less),
            itself
        ),
    ),
    guarded(
        "sum",
        &[
            method("list_int_sum_int", &[Sig::List(&Int)], Int, 0, |v| {
                sum(v, CelValue::Int(0))
            }),
            method("list_uint_sum_uint", &[Sig::List(&Uint)], Uint, 0, |v| {
                sum(v, CelValue::Uint(0))
            }),
            method(
                "list_double_sum_double",
                &[Sig::List(&Double)],
                Double,
                0,
                |v| sum(v, CelValue::Double(0.0)),
            ),
            method(
                "list_duration_sum_duration",
                &[Sig::List(&Duration)],
                Duration,
                0,
                |v| sum(v, CelValue::Duration(jiff::SignedDuration::ZERO)),
            ),
        ],
    ),
    guarded(
        "indexOf",
        &[method(
            "list_a_index_of_int",
            &[Sig::List(&A), A],
            Int,
            0,
            index_of,
        )],
    ),
    guarded(
        "lastIndexOf",
        &[method(
            "list_a_last_index_of_int",
            &[Sig::List(&A), A],
            Int,
            0,
            last_index_of,
        )],
    ),
    guarded(
        "includes",
        &[method(
            "list_includes_dyn_dyn",
            &[Dyn, Dyn],
            Bool,
            37,
            includes,
        )],
    ),
    guarded(
        "slice",
        &[method("list_slice", &[LIST, Int, Int], LIST, 34, slice)],
    ),
    own(
        "flatten",
        &[
            method("list_flatten", &[Sig::List(&LIST)], LIST, 34, flatten),
            method(
                "list_flatten_int",
                &[Sig::List(&Dyn), Int],
                Sig::List(&Dyn),
                34,
                flatten,
            ),
        ],
    ),
    own("sort", comparable!("list_", "_sort", 34, sort, list)),
    own(
        "@sortByAssociatedKeys",
        by_keys!("int" Int, "uint" Uint, "double" Double, "bool" Bool, "duration" Duration,
        "timestamp" Timestamp, "string" Text, "bytes" Bytes),
    ),
    guarded(
        "lists.range",
        &[global("lists_range", &[Int], Sig::List(&Int), 34, range)],
    ),
    guarded(
        "reverse",
        &[method("list_reverse", &[LIST], LIST, 34, reverse)],
    ),
    guarded(
        "distinct",
        &[method("list_distinct", &[LIST], LIST, 34, distinct)],
    ),
];

fn items<'a>(name: &str, arguments: &[CelValue<'a>]) -> Result<Vec<CelValue<'a>>, EvaluationError> {
    let items = arguments.first().and_then(CelValue::items);
    items
        .map(std::borrow::Cow::into_owned)
        .ok_or_else(|| mismatch(name, arguments))
}

fn comparable(name: &str, item: &CelValue<'_>) -> Result<(), EvaluationError> {
    if item.is_comparable() {
        Ok(())
    } else {
        Err(mismatch(name, std::slice::from_ref(item)))
    }
}

/// Items that have no order with one another count as sorted.
fn is_sorted<'a>(arguments: &[CelValue<'a>]) -> Evaluated<'a> {
    let items = items("isSorted", arguments)?;
    for (at, item) in items.iter().enumerate() {
        comparable("isSorted", item)?;
        if at > 0 && items[at - 1].compare(item).is_ok_and(Ordering::is_gt) {
            return Ok(CelValue::Bool(false));
        }
    }
    Ok(CelValue::Bool(true))
}

fn sum<'a>(arguments: &[CelValue<'a>], zero: CelValue<'a>) -> Evaluated<'a> {
    items("sum", arguments)?
        .into_iter()
        .try_fold(zero, |sum, item| operators::add(&[sum, item]))
}

/// The item that no other is preferred to: where two have no order, the first stays.
fn extreme<'a>(name: &str, arguments: &[CelValue<'a>], replaces: Ordering) -> Evaluated<'a> {
    let mut best: Option<CelValue<'a>> = None;
    for item in items(name, arguments)? {
        comparable(name, &item)?;
        best = match best {
            Some(best) if best.compare(&item) != Ok(replaces) => Some(best),
            _ => Some(item),
        };
    }
    best.ok_or_else(|| EvaluationError::Malformed(format!("`{name}()` of an empty list")))
}

fn position<'a>(found: Option<usize>) -> CelValue<'a> {
    CelValue::Int(found.map_or(-1, |at| i64::try_from(at).unwrap_or(i64::MAX)))
}

fn is_same<'a>(item: &CelValue<'a>, other: &CelValue<'a>) -> bool {
    item.equals(other).unwrap_or(false)
}

fn index_of<'a>(arguments: &[CelValue<'a>]) -> Evaluated<'a> {
    let list = items("indexOf", arguments)?;
    Ok(position(
        list.iter().position(|item| is_same(item, &arguments[1])),
    ))
}

fn last_index_of<'a>(arguments: &[CelValue<'a>]) -> Evaluated<'a> {
    let list = items("lastIndexOf", arguments)?;
    Ok(position(
        list.iter().rposition(|item| is_same(item, &arguments[1])),
    ))
}

/// `list.includes(item)`, or whether a value is the other.
fn includes<'a>(arguments: &[CelValue<'a>]) -> Evaluated<'a> {
    Ok(CelValue::Bool(match arguments {
        [list, item] if list.is_list() => {
            let items = list.items().unwrap_or_default();
            items.iter().any(|other| is_same(other, item))
        }
        [value, other] => is_same(value, other),
        _ => return Err(mismatch("includes", arguments)),
    }))
}

fn reverse<'a>(arguments: &[CelValue<'a>]) -> Evaluated<'a> {
    let mut list = items("reverse", arguments)?;
    list.reverse();
    Ok(CelValue::list(list))
}

fn slice<'a>(arguments: &[CelValue<'a>]) -> Evaluated<'a> {
    let list = items("slice", arguments)?;
    let (from, to) = (
        int_of("slice", arguments, 1)?,
        int_of("slice", arguments, 2)?,
    );
    let range = usize::try_from(from).ok().zip(usize::try_from(to).ok());
    match range.and_then(|(from, to)| list.get(from..to)) {
        Some(part) => Ok(CelValue::list(part.to_vec())),
        None => Err(EvaluationError::Malformed(format!(
            "a list of {} has no part from {from} to {to}",
            list.len()
        ))),
    }
}

fn flatten<'a>(arguments: &[CelValue<'a>]) -> Evaluated<'a> {
    let depth = match arguments.get(1) {
        Some(_) => int_of("flatten", arguments, 1)?,
        None => 1,
    };
    let mut list = items("flatten", arguments)?;
    if depth < 0 {
        return Err(EvaluationError::Malformed(
            "`flatten()` takes a depth of at least 0".to_owned(),
        ));
    }
    for _ in 0..depth.min(256) {
        if !list.iter().any(CelValue::is_list) {
            break;
        }
        let mut flat = Vec::new();
        for item in list {
            match item.items() {
                Some(inner) => flat.extend(inner.into_owned()),
                None => flat.push(item),
            }
            operators::bounded_items(flat.len())?;
        }
        list = flat;
    }
    Ok(CelValue::list(list))
}

/// What the API server charges ends quadratic work: [`crate::COST_PER_CALL`] is 700 items squared.
fn bounded_square(items: usize) -> Result<(), EvaluationError> {
    if items > 1000 {
        Err(EvaluationError::Cost)
    } else {
        Ok(())
    }
}

fn distinct<'a>(arguments: &[CelValue<'a>]) -> Evaluated<'a> {
    let list = items("distinct", arguments)?;
    bounded_square(list.len())?;
    let mut kept: Vec<CelValue<'a>> = Vec::new();
    for item in list {
        if !kept.iter().any(|known| is_same(&item, known)) {
            kept.push(item);
        }
    }
    Ok(CelValue::list(kept))
}

fn sort<'a>(arguments: &[CelValue<'a>]) -> Evaluated<'a> {
    let list = items("sort", arguments)?;
    sort_keyed(list.into_iter().map(|item| (item.clone(), item)).collect())
}

fn sort_by<'a>(arguments: &[CelValue<'a>]) -> Evaluated<'a> {
    let (list, keys) = match arguments {
        [list, keys] => (list.items(), keys.items()),
        _ => (None, None),
    };
    match (list, keys) {
        (Some(list), Some(keys)) if list.len() == keys.len() => {
            sort_keyed(keys.iter().cloned().zip(list.iter().cloned()).collect())
        }
        _ => Err(mismatch("sortBy", arguments)),
    }
}

/// Sorts items by the keys beside them.
fn sort_keyed<'a>(mut keyed: Vec<(CelValue<'a>, CelValue<'a>)>) -> Evaluated<'a> {
    bounded_square(keyed.len())?;
    if let Some((first, _)) = keyed.first() {
        let kind = first.type_name();
        if !first.is_comparable() {
            return Err(EvaluationError::Malformed(
                "the items have no order".to_owned(),
            ));
        }
        if keyed.iter().any(|(key, _)| key.type_name() != kind) {
            return Err(EvaluationError::Malformed(
                "the items have several types".to_owned(),
            ));
        }
    }
    keyed.sort_by(|a, b| a.0.compare(&b.0).unwrap_or(Ordering::Equal));
    Ok(CelValue::list(
        keyed.into_iter().map(|(_, item)| item).collect(),
    ))
}

fn range<'a>(arguments: &[CelValue<'a>]) -> Evaluated<'a> {
    let end = int_of("lists.range", arguments, 0)?;
    operators::bounded_items(usize::try_from(end).unwrap_or(0))?;
    Ok(CelValue::list((0..end).map(CelValue::Int).collect()))
}
