//! The Common Expression Language as Kubernetes has it: the rules of policies are written in it.
//!
//! <https://kubernetes.io/docs/reference/using-api/cel/>. The `cel` crate parses; what it parsed is
//! checked once (`check`) and evaluated ([`evaluate`]) on manifests where they stand, so nothing
//! is converted, every read is known, and every step is paid for (`cost`).
//!
//! * [`value`], [`types`], [`tree`]: what expressions compute with.
//! * `operators`, [`convert`]: what the language itself has. `escapes`: names of fields in rules of schemas.
//! * [`estimate`]: what an expression may cost at most.
//! * [`functions`]: its libraries, one file each; every function says since which Kubernetes.

mod check;
#[allow(
    clippy::missing_errors_doc,
    reason = "all have the type of functions::Call"
)]
pub mod convert;
mod cost;
mod escapes;
pub mod estimate;
mod evaluate;
#[allow(
    clippy::missing_errors_doc,
    reason = "all have the type of functions::Call"
)]
pub mod functions;
mod operators;
mod syntax;
pub mod tree;
pub mod types;
pub mod value;

use std::fmt;

pub use check::{
    CompileError, DeclaredVariable, Names, ParsedExpression, Program, WantedType, compile,
    compile_and_estimate,
};
pub use evaluate::{Budget, Globals, ReadPlace, evaluate, truth};
pub use value::CelValue;

use tenantry_syntax::diagnostics::list_names;

/// What one evaluation may cost: `PerCallLimit` of Kubernetes' apiserver.
pub const COST_PER_CALL: u64 = 1_000_000;
/// What all expressions of a policy may cost for one object: `RuntimeCELCostBudget`.
pub const COST_PER_POLICY: u64 = 10_000_000;
/// How long an expression may be, in characters, as in the API server.
pub const MAX_LENGTH: usize = 100_000;
/// How deep expressions may be nested.
pub const MAX_DEPTH: usize = 250;

pub use tenantry_engine::schema::Minor;

/// What an expression comes to.
pub type Evaluated<'a> = Result<CelValue<'a>, EvaluationError>;

/// Why an expression has no value.
#[derive(Clone, Debug, PartialEq)]
pub enum EvaluationError {
    /// A map has no such key, or an object no such field.
    NoSuchKey(String),
    /// A function or operator is not for values of these types.
    Overload(String),
    /// A position is outside of a list or text.
    Range(String),
    /// A value is outside of the range of its type.
    Overflow(String),
    /// A division by zero.
    DivisionByZero,
    /// Text that is not what a function expects.
    Malformed(String),
    /// It costs more than the API server allows.
    Cost,
    /// Only the API server knows: who asks, and what they may do.
    OnlyInCluster(&'static str),
}

impl EvaluationError {
    /// A function or operator that does not take these values.
    pub fn overload(function: &str, values: &[&CelValue<'_>]) -> EvaluationError {
        let mut kinds: Vec<&str> = values.iter().map(|value| value.kind_name()).collect();
        kinds.dedup();
        EvaluationError::Overload(format!(
            "{} does not work on {}",
            operator_word(function),
            kinds.join(" and ")
        ))
    }

    /// An error that `||` and `&&` must not hide.
    pub fn is_final(&self) -> bool {
        matches!(self, EvaluationError::Cost)
    }
}

/// `+` for `_+_`; functions are written with their parentheses.
fn operator_word(function: &str) -> String {
    let bare = function.trim_matches(['_', '@']);
    if bare.chars().all(|c| c.is_ascii_alphanumeric() || c == '.') && bare != "in" {
        format!("`{bare}()`")
    } else {
        format!("`{bare}`")
    }
}

impl fmt::Display for EvaluationError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            EvaluationError::NoSuchKey(key) => write!(
                f,
                "there is no {}, and the expression does not ask `has()` first",
                list_names([key.as_str()])
            ),
            EvaluationError::Overload(text)
            | EvaluationError::Malformed(text)
            | EvaluationError::Range(text)
            | EvaluationError::Overflow(text) => f.write_str(text),
            EvaluationError::DivisionByZero => f.write_str("it divides by zero"),
            EvaluationError::Cost => write!(
                f,
                "it costs more than the API server allows: 1,000,000 for an expression, 10,000,000 for a policy"
            ),
            EvaluationError::OnlyInCluster(what) => write!(f, "only the API server knows {what}"),
        }
    }
}
