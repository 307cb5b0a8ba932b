//! The functions that expressions can call, one file for each library, with their overloads.
//!
//! Which Kubernetes offers what: `baseOpts` in
//! <https://github.com/kubernetes/kubernetes/blob/master/staging/src/k8s.io/apiserver/pkg/cel/environment/base.go>.
//! To add one: a row in the table of its library.

mod authorizer;
mod format;
pub mod forms;
mod language;
pub mod lists;
mod network;
mod optional;
pub mod quantity;
mod re2;
mod regex;
mod sets;
mod strings;
pub mod time;
pub mod url;
mod versions;

use std::collections::HashMap;
use std::sync::LazyLock;

pub use format::{FormatPiece, pieces};
pub use regex::pattern_error;

use super::types::Sig;
use super::value::CelValue;
use super::{EvaluationError, Minor};

/// What an overload does.
pub type Call = for<'a> fn(&[CelValue<'a>]) -> Result<CelValue<'a>, EvaluationError>;

/// How the overload of a call is found when the expression runs.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Dispatch {
    /// By the types of the values: one of another type than declared is an error.
    Guarded,
    /// One implementation judges all values by itself.
    Own,
}

/// One way to call a function.
#[derive(Debug)]
pub struct Overload {
    /// As cel-go and Kubernetes name it.
    pub id: &'static str,
    /// Whether it is called as `value.name()`.
    pub is_method: bool,
    /// What it takes; the target of a method comes first.
    pub takes: &'static [Sig],
    /// What it gives.
    pub gives: Sig,
    /// The first Kubernetes that has it, 1.x.
    pub since: Minor,
    /// What it does.
    pub call: Call,
}

/// A function, as one library declares it.
#[derive(Debug)]
pub struct Function {
    /// As it is written; operators as the parser names them.
    pub name: &'static str,
    /// How an overload is found.
    pub binding: Dispatch,
    /// Its overloads, in the order in which they are tried.
    pub overloads: &'static [Overload],
}

/// A function with the overloads of all libraries.
#[derive(Debug)]
pub struct Declared {
    /// As it is written.
    pub name: &'static str,
    /// How an overload is found.
    pub binding: Dispatch,
    /// Its overloads.
    pub overloads: Vec<&'static Overload>,
}

const fn global(
    id: &'static str,
    takes: &'static [Sig],
    gives: Sig,
    since: Minor,
    call: Call,
) -> Overload {
    Overload {
        id,
        is_method: false,
        takes,
        gives,
        since,
        call,
    }
}

const fn method(
    id: &'static str,
    takes: &'static [Sig],
    gives: Sig,
    since: Minor,
    call: Call,
) -> Overload {
    Overload {
        id,
        is_method: true,
        takes,
        gives,
        since,
        call,
    }
}

const fn guarded(name: &'static str, overloads: &'static [Overload]) -> Function {
    Function {
        name,
        binding: Dispatch::Guarded,
        overloads,
    }
}

const fn own(name: &'static str, overloads: &'static [Overload]) -> Function {
    Function {
        name,
        binding: Dispatch::Own,
        overloads,
    }
}

static TABLE: LazyLock<HashMap<&'static str, Declared>> = LazyLock::new(|| {
    let libraries = [
        language::TABLE,
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
    let mut table: HashMap<&'static str, Declared> = HashMap::new();
    for function in libraries.into_iter().flatten() {
        let declared = table.entry(function.name).or_insert_with(|| Declared {
            name: function.name,
            binding: function.binding,
            overloads: Vec::new(),
        });
        declared.overloads.extend(function.overloads);
    }
    table
});

/// The function of a name.
pub fn find(name: &str) -> Option<&'static Declared> {
    TABLE.get(name)
}

/// All names that users can write.
pub fn names() -> impl Iterator<Item = &'static str> {
    TABLE
        .keys()
        .copied()
        .filter(|name| !name.contains(['_', '@']))
}

impl Declared {
    /// Calls the function: the overload that the checker chose, or else the first that takes the values.
    ///
    /// # Errors
    /// No overload takes the values; or that of the overload.
    pub fn call<'a>(
        &self,
        chosen: Option<&'static Overload>,
        arguments: &[CelValue<'a>],
    ) -> Result<CelValue<'a>, EvaluationError> {
        let takes = |overload: &Overload| {
            overload.takes.len() == arguments.len()
                && overload
                    .takes
                    .iter()
                    .zip(arguments)
                    .all(|(sig, value)| sig.takes(value))
        };
        let own = || self.overloads.iter().copied();
        let overload = match (self.binding, chosen) {
            (Dispatch::Own, _) => own().next(),
            (Dispatch::Guarded, Some(chosen)) => Some(chosen).filter(|chosen| takes(chosen)),
            (Dispatch::Guarded, None) => own().find(|overload| takes(overload)),
        };
        match overload {
            Some(overload) => (overload.call)(arguments),
            None => Err(mismatch(self.name, arguments)),
        }
    }
}

fn mismatch(name: &str, arguments: &[CelValue<'_>]) -> EvaluationError {
    EvaluationError::overload(name, &arguments.iter().collect::<Vec<_>>())
}

fn text_of<'v>(
    name: &str,
    arguments: &'v [CelValue<'_>],
    at: usize,
) -> Result<&'v str, EvaluationError> {
    arguments
        .get(at)
        .and_then(CelValue::as_str)
        .ok_or_else(|| mismatch(name, arguments))
}

fn int_of(name: &str, arguments: &[CelValue<'_>], at: usize) -> Result<i64, EvaluationError> {
    match arguments.get(at) {
        Some(CelValue::Int(number)) => Ok(*number),
        _ => Err(mismatch(name, arguments)),
    }
}
