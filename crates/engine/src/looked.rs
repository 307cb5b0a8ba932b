//! Which parts of the input a run looked at.

use std::collections::BTreeMap;
use std::sync::Arc;

use super::run::PrintedValue;
use super::trace::{LookDepth, TraceStep};
use super::value::Term;

/// What a run looked at of a value, and of its parts.
#[derive(Debug, Default)]
pub struct LookedAt {
    /// Whether it was printed, or put into something, with all its parts.
    pub whole: bool,
    /// Its entries.
    pub entries: BTreeMap<Arc<str>, LookedAt>,
    /// Its items.
    pub items: BTreeMap<usize, LookedAt>,
}

/// A way further down into a value.
enum LookedStep {
    Key(Arc<str>),
    At(usize),
}

impl LookedAt {
    /// What a run looked at, by variable.
    pub(super) fn of(steps: &[TraceStep], holes: &[PrintedValue]) -> LookedAt {
        let mut looked = LookedAt::default();
        for number in 0..steps.len() {
            let term = Term(u32::try_from(number).unwrap_or(u32::MAX));
            looked.at(steps, term);
        }
        let mut whole: Vec<Term> = Vec::new();
        whole.extend(holes.iter().filter_map(|hole| match hole {
            PrintedValue::Made(term) => Some(*term),
            PrintedValue::Constant(_) => None,
        }));
        for step in steps {
            match step {
                TraceStep::Apply(operation, terms) if operation.reach() == LookDepth::Whole => {
                    whole.extend(terms);
                }
                TraceStep::List(terms) => whole.extend(terms),
                TraceStep::Map(entries) => whole.extend(entries.iter().map(|(_, term)| *term)),
                _ => {}
            }
        }
        for term in whole {
            if let Some(looked) = looked.at(steps, term) {
                looked.whole = true;
            }
        }
        looked
    }

    /// Takes over what another run looked at.
    pub fn append(&mut self, other: &LookedAt) {
        self.whole |= other.whole;
        for (key, looked) in &other.entries {
            self.entries.entry(key.clone()).or_default().append(looked);
        }
        for (at, looked) in &other.items {
            self.items.entry(*at).or_default().append(looked);
        }
    }

    /// The part that a step takes from the input, if it takes one.
    fn at(&mut self, steps: &[TraceStep], term: Term) -> Option<&mut LookedAt> {
        let mut ways = Vec::new();
        let mut at = term;
        loop {
            at = match steps.get(at.0 as usize)? {
                TraceStep::Root(name) => {
                    ways.push(LookedStep::Key(name.clone()));
                    break;
                }
                TraceStep::Get { of, key, .. } => {
                    ways.push(LookedStep::Key(key.clone()));
                    *of
                }
                TraceStep::Item { of, at } => {
                    ways.push(LookedStep::At(*at));
                    *of
                }
                TraceStep::Chosen { value, .. } | TraceStep::Sifted { list: value, .. } => *value,
                _ => return None,
            };
        }
        let mut looked = self;
        for way in ways.into_iter().rev() {
            looked = match way {
                LookedStep::Key(key) => looked.entries.entry(key).or_default(),
                LookedStep::At(at) => looked.items.entry(at).or_default(),
            };
        }
        Some(looked)
    }
}
