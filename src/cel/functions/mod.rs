//! The functions that expressions can call, one file for each library.
//!
//! Which Kubernetes offers what: `baseOpts` in
//! <https://github.com/kubernetes/kubernetes/blob/master/staging/src/k8s.io/apiserver/pkg/cel/environment/base.go>.
//! To add one: a row in the table of its library.

mod authorizer;
mod format;
pub mod forms;
pub mod lists;
mod network;
mod optional;
pub mod quantity;
mod regex;
mod sets;
mod strings;
mod time;
pub mod url;
mod versions;

use std::collections::HashMap;
use std::sync::LazyLock;

use super::value::Value;
use super::{Budget, Error, Minor, convert, operators};

/// What every function looks like.
pub type Call = for<'a> fn(&[Value<'a>], &mut Budget<'a>) -> Result<Value<'a>, Error>;
/// Judges arguments that are known before anything runs.
pub type Check = fn(&[Option<&Value<'static>>]) -> Result<(), String>;

/// A function that no Kubernetes has.
pub const NEVER: Minor = Minor::MAX;

/// How a function is called.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Style {
    /// `name(value)`
    Global,
    /// `value.name()`
    Method,
    /// Either.
    Both,
}

/// A function.
#[derive(Debug)]
pub struct Function {
    /// As it is written; operators as the parser names them.
    pub name: &'static str,
    /// How it is called.
    pub style: Style,
    /// The least and the most arguments, the target of a method included.
    pub arguments: (usize, usize),
    /// The first Kubernetes that has it, 1.x.
    pub since: Minor,
    /// What it does.
    pub call: Call,
    /// What is wrong with literals.
    pub check: Check,
}

#[allow(clippy::unnecessary_wraps, reason = "has the type of Check")]
fn anything(_: &[Option<&Value<'static>>]) -> Result<(), String> {
    Ok(())
}

const fn global(
    name: &'static str,
    arguments: (usize, usize),
    since: Minor,
    call: Call,
) -> Function {
    Function {
        name,
        style: Style::Global,
        arguments,
        since,
        call,
        check: anything,
    }
}

const fn method(
    name: &'static str,
    arguments: (usize, usize),
    since: Minor,
    call: Call,
) -> Function {
    Function {
        name,
        style: Style::Method,
        arguments,
        since,
        call,
        check: anything,
    }
}

const fn both(name: &'static str, arguments: (usize, usize), since: Minor, call: Call) -> Function {
    Function {
        name,
        style: Style::Both,
        arguments,
        since,
        call,
        check: anything,
    }
}

impl Function {
    const fn checking(mut self, check: Check) -> Function {
        self.check = check;
        self
    }
}

const LANGUAGE: &[Function] = &[
    global("_+_", (2, 2), 0, operators::add),
    global("_-_", (2, 2), 0, operators::subtract),
    global("_*_", (2, 2), 0, operators::multiply),
    global("_/_", (2, 2), 0, operators::divide),
    global("_%_", (2, 2), 0, operators::remainder),
    global("-_", (1, 1), 0, operators::negate),
    global("!_", (1, 1), 0, operators::not),
    global("_==_", (2, 2), 0, operators::equal),
    global("_!=_", (2, 2), 0, operators::not_equal),
    global("_<_", (2, 2), 0, operators::less),
    global("_<=_", (2, 2), 0, operators::at_most),
    global("_>_", (2, 2), 0, operators::greater),
    global("_>=_", (2, 2), 0, operators::at_least),
    global("@in", (2, 2), 0, operators::contained),
    both("size", (1, 1), 0, operators::size),
    global("type", (1, 1), 0, operators::type_of),
    global("dyn", (1, 1), 0, convert::dynamic),
    global("int", (1, 1), 0, convert::to_int),
    global("uint", (1, 1), 0, convert::to_uint),
    global("double", (1, 1), 0, convert::to_double),
    global("bool", (1, 1), 0, convert::to_bool),
    global("string", (1, 1), 0, convert::to_string),
    global("bytes", (1, 1), 0, convert::to_bytes),
    global("duration", (1, 1), 0, convert::to_duration).checking(time::is_duration),
    global("timestamp", (1, 1), 0, convert::to_timestamp).checking(time::is_timestamp),
];

static TABLE: LazyLock<HashMap<&'static str, &'static Function>> = LazyLock::new(|| {
    let libraries = [
        LANGUAGE,
        strings::TABLE,
        lists::TABLE,
        sets::TABLE,
        regex::TABLE,
        time::TABLE,
        network::TABLE,
        url::TABLE,
        quantity::TABLE,
        versions::TABLE,
        forms::TABLE,
        optional::TABLE,
        authorizer::TABLE,
    ];
    libraries
        .into_iter()
        .flatten()
        .map(|function| (function.name, function))
        .collect()
});

/// The function of a name.
pub fn find(name: &str) -> Option<&'static Function> {
    TABLE.get(name).copied()
}

/// A function that is there for certain.
pub fn known(name: &str) -> &'static Function {
    find(name).unwrap_or(&LANGUAGE[0])
}

/// All names that users can write.
pub fn names() -> impl Iterator<Item = &'static str> {
    TABLE
        .keys()
        .copied()
        .filter(|name| !name.contains('_') && !name.starts_with('@'))
}

fn mismatch(name: &str, arguments: &[Value<'_>]) -> Error {
    Error::overload(name, &arguments.iter().collect::<Vec<_>>())
}

fn text_of<'v>(name: &str, arguments: &'v [Value<'_>], at: usize) -> Result<&'v str, Error> {
    arguments
        .get(at)
        .and_then(Value::as_str)
        .ok_or_else(|| mismatch(name, arguments))
}

fn int_of(name: &str, arguments: &[Value<'_>], at: usize) -> Result<i64, Error> {
    match arguments.get(at) {
        Some(Value::Int(number)) => Ok(*number),
        _ => Err(mismatch(name, arguments)),
    }
}
