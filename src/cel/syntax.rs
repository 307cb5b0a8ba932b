//! An expression once its names are resolved.

use std::sync::Arc;

use super::functions::Function;
use super::value::Value;

/// An expression.
#[derive(Debug)]
pub enum Expr {
    /// A literal.
    Constant(Value<'static>),
    /// A variable of a comprehension, by its position from the outermost.
    Local(usize),
    /// A name of the environment, by its position.
    Global(usize),
    /// One of the policy's own `variables`, by its position.
    Variable(usize),
    /// `of.field`, or `of.?field`.
    Select {
        of: Box<Expr>,
        field: Arc<str>,
        optional: bool,
    },
    /// `has(of.field)`.
    Has { of: Box<Expr>, field: Arc<str> },
    /// `of[index]`, or `of[?index]`.
    Index {
        of: Box<Expr>,
        index: Box<Expr>,
        optional: bool,
    },
    /// `a && b`
    And(Box<Expr>, Box<Expr>),
    /// `a || b`
    Or(Box<Expr>, Box<Expr>),
    /// `condition ? a : b`
    Conditional(Box<[Expr; 3]>),
    /// `[a, ?b]`
    List(Vec<(Expr, bool)>),
    /// `{a: b, ?c: d}`
    Map(Vec<(Expr, Expr, bool)>),
    /// A function or operator; the target of a method is the first argument.
    Call {
        function: &'static Function,
        arguments: Vec<Expr>,
    },
    /// A loop that a macro stands for.
    Comprehension(Box<Comprehension>),
    /// `cel.bind(name, value, body)`
    Bind { value: Box<Expr>, body: Box<Expr> },
    /// `optional.optMap(name, body)`, or `optFlatMap`.
    OptionalMap {
        of: Box<Expr>,
        body: Box<Expr>,
        flat: bool,
    },
    /// Adds an item to the list that the loop builds, in place.
    Append { to: usize, item: Box<Expr> },
    /// Adds an entry to the map that the loop builds, in place.
    Insert {
        to: usize,
        key: Box<Expr>,
        value: Box<Expr>,
    },
    /// Adds all entries of a map to the map that the loop builds.
    InsertAll { to: usize, entries: Box<Expr> },
    /// `optional.orValue(other)`, or `or`: the other is evaluated only if it is needed.
    OptionalElse {
        of: Box<Expr>,
        other: Box<Expr>,
        is_value: bool,
    },
    /// What only the API server knows.
    OnlyInCluster(&'static str),
    /// `list.sortBy(item, key)`
    SortBy { of: Box<Expr>, key: Box<Expr> },
}

/// A loop. Its names are pushed in this order: accumulator, then one or two for the item.
#[derive(Debug)]
pub struct Comprehension {
    pub over: Expr,
    pub two_names: bool,
    pub start: Expr,
    pub goes_on: Goes,
    pub step: Expr,
    pub result: Expr,
}

/// When a loop goes on.
#[derive(Debug)]
pub enum Goes {
    /// To the end.
    Always,
    /// Until the accumulator is false: `all`.
    UntilFalse,
    /// Until the accumulator is true: `exists`.
    UntilTrue,
}
