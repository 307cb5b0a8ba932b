//! Lists as sets. <https://pkg.go.dev/github.com/google/cel-go/ext#Sets>

use super::{Function, global, mismatch};
use crate::cel::operators::search_cost;
use crate::cel::value::Value;
use crate::cel::{Budget, Error};

type Result<'a> = std::result::Result<Value<'a>, Error>;

pub const TABLE: &[Function] = &[
    global("sets.contains", (2, 2), 29, contains),
    global("sets.equivalent", (2, 2), 29, equivalent),
    global("sets.intersects", (2, 2), 29, intersects),
];

type Lists<'a> = (Vec<Value<'a>>, Vec<Value<'a>>);

fn lists<'a>(
    name: &str,
    arguments: &[Value<'a>],
    budget: &mut Budget<'a>,
) -> std::result::Result<Lists<'a>, Error> {
    match (arguments[0].items(), arguments[1].items()) {
        (Some(a), Some(b)) => {
            for item in a.iter() {
                budget.pay(search_cost(item, b.len()))?;
            }
            Ok((a.into_owned(), b.into_owned()))
        }
        _ => Err(mismatch(name, arguments)),
    }
}

fn has_all<'a>(list: &[Value<'a>], wanted: &[Value<'a>]) -> bool {
    wanted
        .iter()
        .all(|item| list.iter().any(|other| other.equals(item)))
}

fn contains<'a>(arguments: &[Value<'a>], budget: &mut Budget<'a>) -> Result<'a> {
    let (list, wanted) = lists("sets.contains", arguments, budget)?;
    Ok(Value::Bool(has_all(&list, &wanted)))
}

fn equivalent<'a>(arguments: &[Value<'a>], budget: &mut Budget<'a>) -> Result<'a> {
    let (a, b) = lists("sets.equivalent", arguments, budget)?;
    Ok(Value::Bool(has_all(&a, &b) && has_all(&b, &a)))
}

fn intersects<'a>(arguments: &[Value<'a>], budget: &mut Budget<'a>) -> Result<'a> {
    let (a, b) = lists("sets.intersects", arguments, budget)?;
    Ok(Value::Bool(
        a.iter()
            .any(|item| b.iter().any(|other| other.equals(item))),
    ))
}
