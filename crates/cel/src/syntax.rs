//! An expression once its names and overloads are resolved.

use std::sync::Arc;

use super::cost::Cost;
use super::functions::{Declared, Overload};
use super::types::Type;
use super::value::CelValue;

/// An expression.
#[derive(Debug)]
pub enum Expr {
    /// A literal, or what is computed from literals alone.
    Constant(CelValue<'static>),
    /// A name, and what is selected of it.
    Attribute(Attribute),
    /// `has(of.field)`: the last qualifier is only tested.
    Has(Attribute),
    /// `a && b`
    And(Box<[Expr; 2]>),
    /// `a || b`
    Or(Box<[Expr; 2]>),
    /// `a == b`, or `a != b`.
    Equal {
        negated: bool,
        sides: Box<[Expr; 2]>,
    },
    /// `[a, ?b]`
    List(Vec<(Expr, bool)>),
    /// `{a: b, ?c: d}`
    Map(Vec<(Expr, Expr, bool)>),
    /// A function or operator; the target of a method is the first argument.
    Call {
        function: &'static Declared,
        /// The overload, where the types leave one.
        chosen: Option<&'static Overload>,
        cost: Cost,
        arguments: Vec<Expr>,
    },
    /// `item in [literals]`, which costs nothing.
    Among {
        item: Box<Expr>,
        list: CelValue<'static>,
    },
    /// `optional.orValue(other)`, or `or`: the other is evaluated only if it is needed.
    OptionalElse {
        of: Box<Expr>,
        other: Box<Expr>,
        is_value: bool,
    },
    /// Whether a loop goes on: an error does not end it.
    NotFalse(Box<Expr>),
    /// A loop that a macro stands for.
    Fold(Box<Fold>),
    /// Adds an item to the list that a loop builds, in place.
    Append {
        to: usize,
        item: Box<Expr>,
        /// Whether the list of the one item is a literal.
        is_literal: bool,
    },
    /// Adds an entry to the map that a loop builds, in place.
    Insert {
        to: usize,
        key: Box<Expr>,
        value: Box<Expr>,
    },
    /// Adds all entries of a map to the map that a loop builds.
    InsertAll { to: usize, entries: Box<Expr> },
    /// Text that a schema's format makes a value of another type.
    Formatted { text: Box<Expr>, of: Type },
    /// What only the API server knows.
    OnlyInCluster(&'static str),
    /// What a macro writes twice.
    Shared(Arc<Expr>),
}

/// A name or value, and what is selected of it. As in the API server, an optional value is looked into only where it is
/// the root.
#[derive(Debug)]
pub struct Attribute {
    pub root: Root,
    pub qualifiers: Vec<Arc<Qualifier>>,
}

/// Where an attribute starts.
#[derive(Debug)]
pub enum Root {
    /// A variable of a loop, by its position from the outermost.
    Local(usize),
    /// A name of the environment, by its position.
    Global(usize),
    /// One of the policy's own `variables`, by its position; `variables.?name` is optional, `has(variables.name)` tested.
    Variable {
        at: usize,
        optional: bool,
        tested: bool,
    },
    /// Any other expression.
    Computed(Box<Expr>),
    /// `condition ? a : b`
    Conditional(Box<(Expr, Attribute, Attribute)>),
}

/// A step of a selection.
#[derive(Debug)]
pub struct Qualifier {
    pub key: SelectorKey,
    /// `.?field`, or `[?index]`.
    pub optional: bool,
    /// The last step of `has()`.
    pub tested: bool,
}

/// What a step selects.
#[derive(Debug)]
pub enum SelectorKey {
    /// A field, or a literal index.
    Constant(CelValue<'static>),
    /// An index that is an attribute itself.
    Attribute(Attribute),
    /// Any other index.
    Computed(Expr),
}

/// A loop. Its names are pushed in this order: accumulator, then one or two for the item.
#[derive(Debug)]
pub struct Fold {
    pub over: Expr,
    pub two_names: bool,
    /// Evaluated when the accumulator is first asked for.
    pub init: Expr,
    pub condition: Expr,
    pub step: Expr,
    pub result: Expr,
}

impl Attribute {
    /// An attribute that starts at an expression.
    pub fn of(expr: Expr) -> Attribute {
        match expr {
            Expr::Attribute(attribute) | Expr::Has(attribute) => attribute,
            other => Attribute {
                root: Root::Computed(Box::new(other)),
                qualifiers: Vec::new(),
            },
        }
    }

    /// One step more; of a conditional, on both branches.
    pub fn qualify(&mut self, qualifier: Arc<Qualifier>) {
        match &mut self.root {
            Root::Conditional(parts) => {
                parts.1.qualify(Arc::clone(&qualifier));
                parts.2.qualify(qualifier);
            }
            _ => self.qualifiers.push(qualifier),
        }
    }
}
