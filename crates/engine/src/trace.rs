//! What a run did: the steps that made its values, and what it decided by. It is the program of the run, too, and says
//! where each value came from.

use std::collections::{HashMap, HashSet};
use std::sync::Arc;

use super::foreign::{self, Operator};
use super::markers;
use super::value::{Data, Term, TracedValue};

/// What can be done to whole values: a function of theirs and of nothing else.
#[derive(Clone, Debug)]
pub enum StepOperation {
    /// One of ours.
    Own(&'static Own),
    /// A filter of the language; the last arguments have these names.
    Filter(Arc<str>, Arc<[Arc<str>]>),
    /// A test of the language.
    Test(Arc<str>),
    /// An operator of the language.
    Operator(Operator),
}

/// A function of ours.
pub struct Own {
    /// Its name.
    pub name: &'static str,
    /// How much of its arguments it looks at.
    pub reach: LookDepth,
    /// The function. What it refuses is said for people.
    pub apply: fn(&[Data]) -> Result<Data, String>,
}

impl std::fmt::Debug for Own {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(self.name)
    }
}

/// How much of a map or list a step looks at.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum LookDepth {
    /// All that is in it.
    Whole,
    /// How many items it has, or which keys.
    Outline,
    /// Whether anything is in it.
    Truth,
    /// Whether it is there, of what may be undefined, too.
    Presence,
}

impl StepOperation {
    /// The result.
    ///
    /// # Errors
    ///
    /// What the function refuses, for people.
    pub fn apply(&self, arguments: &[Data]) -> Result<Data, String> {
        match self {
            StepOperation::Own(own) => (own.apply)(arguments),
            StepOperation::Filter(name, named) => foreign::filter(name, arguments, named),
            StepOperation::Test(name) => foreign::test(name, arguments),
            StepOperation::Operator(operator) => match arguments {
                [a, b] => operator.apply(a, b),
                _ => Err("an operator takes two values".to_owned()),
            },
        }
    }

    /// How much it looks at.
    pub fn reach(&self) -> LookDepth {
        match self {
            StepOperation::Own(own) => own.reach,
            _ => LookDepth::Whole,
        }
    }
}

/// One step: makes a value of earlier ones, or of the input.
#[derive(Clone, Debug)]
pub enum TraceStep {
    /// A value of the template itself.
    Constant(Data),
    /// A variable of the input.
    Root(Arc<str>),
    /// An entry of a map.
    Get {
        /// The map.
        of: Term,
        /// The key.
        key: Arc<str>,
        /// Whether the schema knows it: it is `none` where nobody sets it.
        known: bool,
    },
    /// An item of a list.
    Item {
        /// The list.
        of: Term,
        /// From 0.
        at: usize,
    },
    /// A list that the template made.
    List(Box<[Term]>),
    /// A map that the template made.
    Map(Box<[(Arc<str>, Term)]>),
    /// What a function made of values.
    Apply(StepOperation, Box<[Term]>),
    /// A list that has the items that it has because of some values. Of each item, what decided about it is its own.
    Sifted {
        /// The list.
        list: Term,
        /// What decided.
        by: Box<[Term]>,
    },
    /// A value that others chose.
    Chosen {
        /// The value.
        value: Term,
        /// What decided for it.
        by: Box<[Term]>,
    },
}

impl TraceStep {
    /// Does something with each step that this one takes a value from.
    pub fn each_operand(&self, mut does: impl FnMut(Term)) {
        match self {
            TraceStep::Constant(_) | TraceStep::Root(_) => {}
            TraceStep::Get { of, .. } | TraceStep::Item { of, .. } => does(*of),
            TraceStep::List(terms) | TraceStep::Apply(_, terms) => {
                terms.iter().copied().for_each(does);
            }
            TraceStep::Map(entries) => entries.iter().for_each(|(_, term)| does(*term)),
            TraceStep::Chosen { value: of, by } | TraceStep::Sifted { list: of, by } => {
                does(*of);
                by.iter().copied().for_each(does);
            }
        }
    }
}

/// A place in a run where the rest depends on what a value is.
#[derive(Clone, Debug)]
pub struct Guard {
    /// How many steps were taken before.
    pub steps: usize,
    /// The value.
    pub term: Term,
    /// What it was.
    pub seen: Data,
}

#[derive(PartialEq, Eq, Hash)]
enum StepKey {
    Root(Arc<str>),
    Get(Term, Arc<str>),
    Item(Term, usize),
    Look(&'static str, Term),
}

/// The steps of a run, so far.
#[derive(Default)]
pub struct Trace {
    /// The steps.
    pub steps: Vec<TraceStep>,
    /// What decided.
    pub guards: Vec<Guard>,
    /// For each stretch of the text that something decided about, what did.
    pub regions: Vec<Box<[Term]>>,
    known: HashMap<StepKey, Term>,
    guarded: HashSet<Term>,
}

impl Trace {
    fn push(&mut self, step: TraceStep) -> Term {
        self.steps.push(step);
        Term(u32::try_from(self.steps.len() - 1).unwrap_or(u32::MAX - 1))
    }

    fn once(&mut self, key: StepKey, step: impl FnOnce() -> TraceStep) -> Term {
        if let Some(term) = self.known.get(&key) {
            return *term;
        }
        let term = self.push(step());
        self.known.insert(key, term);
        term
    }

    /// The step of a value; one of the template's own gets one.
    pub fn term(&mut self, value: &TracedValue) -> Term {
        if value.term.is_constant() {
            self.push(TraceStep::Constant(value.data.clone()))
        } else {
            value.term
        }
    }

    /// A variable.
    pub fn root(&mut self, name: &Arc<str>) -> Term {
        self.once(StepKey::Root(name.clone()), || {
            TraceStep::Root(name.clone())
        })
    }

    /// An entry of a map that a step made.
    pub fn get(&mut self, of: Term, key: &Arc<str>, known: bool) -> Term {
        self.once(StepKey::Get(of, key.clone()), || TraceStep::Get {
            of,
            key: key.clone(),
            known,
        })
    }

    /// An item of a list that a step made.
    pub fn item(&mut self, of: Term, at: usize) -> Term {
        self.once(StepKey::Item(of, at), || TraceStep::Item { of, at })
    }

    /// A list of values; constant if all of them are.
    pub fn list(&mut self, items: Vec<TracedValue>) -> TracedValue {
        let term = if items.iter().all(|item| item.term.is_constant()) {
            Term::CONSTANT
        } else {
            let terms = items.iter().map(|item| self.term(item)).collect();
            self.push(TraceStep::List(terms))
        };
        TracedValue {
            data: Data::List(items.into()),
            term,
        }
    }

    /// A map of values; constant if all of them are.
    pub fn map(&mut self, entries: Vec<(Arc<str>, TracedValue)>) -> TracedValue {
        let data = Data::map(entries);
        let Data::Map(sorted) = &data else {
            return TracedValue::constant(data);
        };
        let term = if sorted.iter().all(|(_, value)| value.term.is_constant()) {
            Term::CONSTANT
        } else {
            let terms = sorted
                .iter()
                .map(|(key, value)| (key.clone(), self.term(value)));
            let terms = terms.collect();
            self.push(TraceStep::Map(terms))
        };
        TracedValue { data, term }
    }

    /// What a function makes of values; constant if all of them are.
    ///
    /// # Errors
    ///
    /// What the function refuses, for people.
    pub fn apply(
        &mut self,
        operation: StepOperation,
        arguments: &[&TracedValue],
    ) -> Result<TracedValue, String> {
        let data: Vec<Data> = arguments.iter().map(|value| value.data.clone()).collect();
        let made = operation.apply(&data)?;
        if arguments.iter().all(|value| value.term.is_constant()) {
            return Ok(TracedValue::constant(made));
        }
        let term = match (&operation, arguments) {
            // A look at one value is the same each time.
            (StepOperation::Own(own), [value]) => {
                let key = StepKey::Look(own.name, value.term);
                self.once(key, || {
                    TraceStep::Apply(operation.clone(), [value.term].into())
                })
            }
            _ => {
                let terms = arguments.iter().map(|value| self.term(value)).collect();
                self.push(TraceStep::Apply(operation, terms))
            }
        };
        Ok(TracedValue { data: made, term })
    }

    /// A value that others chose.
    pub fn chosen(&mut self, value: TracedValue, by: &[Term]) -> TracedValue {
        self.decided(value, by, |value, by| TraceStep::Chosen { value, by })
    }

    /// A list of the items that some values let through.
    pub fn sifted(&mut self, list: TracedValue, by: &[Term]) -> TracedValue {
        self.decided(list, by, |list, by| TraceStep::Sifted { list, by })
    }

    fn decided(
        &mut self,
        value: TracedValue,
        by: &[Term],
        step: impl FnOnce(Term, Box<[Term]>) -> TraceStep,
    ) -> TracedValue {
        let of_input = |term: &Term| !term.is_constant() && *term != value.term;
        let mut by: Vec<Term> = by.iter().copied().filter(of_input).collect();
        by.sort_unstable();
        by.dedup();
        if by.is_empty() {
            return value;
        }
        let of = self.term(&value);
        let term = self.push(step(of, by.into()));
        TracedValue { term, ..value }
    }

    /// What decided in the stretches that a text of macros has.
    pub fn decided_in(&self, text: &str) -> Vec<Term> {
        let numbers = markers::numbers(text).into_iter();
        numbers
            .filter_map(|number| self.regions.get(number))
            .flat_map(|by| by.iter().copied())
            .collect()
    }

    /// What chose a value among others; not what decided which items a list has.
    pub fn choosers(&self, term: Term) -> Vec<Term> {
        let mut by = Vec::new();
        let mut at = term;
        loop {
            at = match self.steps.get(at.0 as usize) {
                Some(TraceStep::Chosen { value, by: more }) => {
                    by.extend(more.iter().copied());
                    *value
                }
                Some(TraceStep::Sifted { list, .. }) => *list,
                _ => return by,
            };
        }
    }

    /// Notes that the rest of the run depends on what a value is.
    pub fn guard(&mut self, value: &TracedValue) {
        if value.term.is_constant() || !self.guarded.insert(value.term) {
            return;
        }
        self.guards.push(Guard {
            steps: self.steps.len(),
            term: value.term,
            seen: value.data.clone(),
        });
    }

    /// A stretch of text that some values decided about; gives its number.
    pub fn region(&mut self, mut by: Vec<Term>) -> Option<usize> {
        by.retain(|term| !term.is_constant());
        by.sort_unstable();
        by.dedup();
        if by.is_empty() {
            return None;
        }
        self.regions.push(by.into());
        Some(self.regions.len() - 1)
    }
}
