//! The engine: templates and expressions, run on values that know where they came from.
//!
//! A run is noted step by step: which values it took from the input, what it made of them, and what it decided by. The
//! notes are three things at once. They say where each printed value came from, and what decided that it is there
//! ([`origin`]). They are a program, which makes the same of other input without the template, as long as everything that
//! decided is as it was ([`program`]). And they are complete: a step is a function of earlier steps and of nothing else.
//!
//! * `syntax`: templates and expressions as trees. minijinja parses.
//! * `value`, `tree`: values, and maps and lists of the input. `derivations`: those that were computed before a run.
//! * `trace`: the steps of a run.
//! * `run`, `evaluate`: statements and expressions.
//! * `looked`: which parts of the input a run looked at.
//! * `filters`, `lists`, `foreign`: what can be done to values: our own, those that choose among items, and minijinja's.
//! * `markers`: values and decisions as characters of a text.
//!
//! What was printed is a manifest:
//!
//! * [`manifest`]: a skeleton with values in its holes. [`hole`]: the values. [`view`]: both read as one tree.
//! * [`records`]: what was judged of manifests of the same form.
//! * [`schema`]: what the fields of a manifest or document may hold. [`scalars`]: texts with a form. [`schedule`]: when
//!   schedules fire. [`placeholder`]: names
//!   in braces.
//! * [`writer`]: the one canonical form in which manifests are written.

pub mod derivations;
pub mod evaluate;
pub mod filters;
mod foreign;
pub mod hole;
mod lists;
pub mod looked;
pub mod manifest;
pub mod markers;
pub mod origin;
pub mod placeholder;
pub mod program;
pub mod records;
pub mod run;
pub mod scalars;
pub mod schedule;
pub mod schema;
pub mod syntax;
pub mod trace;
pub mod tree;
pub mod value;
pub mod view;
pub mod writer;

use std::collections::HashMap;
use std::sync::Arc;

use tenantry_syntax::yaml::Node;

/// Most steps of one run.
pub const MAX_STEPS: u64 = 1_000_000;
/// Most bytes of text of one run.
pub const MAX_TEXT: usize = 4 << 20;
/// Most levels of macros and imports within one another.
const MAX_DEPTH: usize = 64;

/// Most statements, expressions and macros within one another.
const MAX_NESTING: usize = 500;

/// Why something could not be read or evaluated.
#[derive(Clone, Debug)]
pub struct TemplateError {
    /// What is wrong.
    pub reason: TemplateErrorKind,
    /// The template, by its path; none for an expression of its own.
    pub template: Option<Arc<str>>,
    /// The line, from 1.
    pub line: Option<usize>,
}

/// What is wrong.
#[derive(Clone, Debug)]
pub enum TemplateErrorKind {
    /// The syntax.
    Syntax(String),
    /// A name that stands for nothing, and the names that there are.
    Undefined(Option<(String, Vec<String>)>),
    /// What a value cannot do, for people.
    Failed(String),
    /// More than [`MAX_STEPS`].
    Steps,
    /// More than [`MAX_TEXT`].
    Text,
    /// More values than markers.
    Holes,
}

/// A function that templates can call, of what some variables hold and of its arguments.
#[derive(Debug)]
pub struct TemplateFunction {
    /// Its name, and what it makes of the read values and the arguments, in this order.
    pub own: trace::Own,
    /// The paths that it reads.
    pub reads: &'static [&'static [&'static str]],
}

/// What a run works on.
#[derive(Clone, Debug, Default)]
pub struct RunInputs {
    /// The variables; of two with one name the later holds.
    pub variables: Vec<(&'static str, Node)>,
    /// What is known of them.
    pub declared: Option<&'static tree::Declarations>,
    /// Where what is made of several values keeps its origin.
    pub derivations: Arc<crate::derivations::Derivations>,
}

impl RunInputs {
    /// A variable.
    pub fn get(&self, name: &str) -> Option<&Node> {
        let mut variables = self.variables.iter().rev();
        variables
            .find(|(known, _)| *known == name)
            .map(|(_, node)| node)
    }
}

/// The templates that a run may import.
pub type TemplateLibrary = HashMap<Arc<str>, Arc<[syntax::Statement]>>;
