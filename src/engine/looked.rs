//! Which parts of the input a run looked at.

use std::collections::BTreeMap;
use std::sync::Arc;

use super::run::Printed;
use super::trace::{Reach, Step};
use super::value::Term;

/// What a run looked at of a value, and of its parts.
#[derive(Debug, Default)]
pub struct Looked {
    /// Whether it was printed, or put into something, with all its parts.
    pub whole: bool,
    /// Its entries.
    pub entries: BTreeMap<Arc<str>, Looked>,
    /// Its items.
    pub items: BTreeMap<usize, Looked>,
}

/// A way further down into a value.
enum Way {
    Key(Arc<str>),
    At(usize),
}

impl Looked {
    /// What a run looked at, by variable.
    pub(super) fn of(steps: &[Step], holes: &[Printed]) -> Looked {
        let mut looked = Looked::default();
        for number in 0..steps.len() {
            let term = Term(u32::try_from(number).unwrap_or(u32::MAX));
            looked.at(steps, term);
        }
        let mut whole: Vec<Term> = Vec::new();
        whole.extend(holes.iter().filter_map(|hole| match hole {
            Printed::Made(term) => Some(*term),
            Printed::Constant(_) => None,
        }));
        for step in steps {
            match step {
                Step::Apply(operation, terms) if operation.reach() == Reach::Whole => {
                    whole.extend(terms);
                }
                Step::List(terms) => whole.extend(terms),
                Step::Map(entries) => whole.extend(entries.iter().map(|(_, term)| *term)),
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
    pub fn append(&mut self, other: &Looked) {
        self.whole |= other.whole;
        for (key, looked) in &other.entries {
            self.entries.entry(key.clone()).or_default().append(looked);
        }
        for (at, looked) in &other.items {
            self.items.entry(*at).or_default().append(looked);
        }
    }

    /// The part that a step takes from the input, if it takes one.
    fn at(&mut self, steps: &[Step], term: Term) -> Option<&mut Looked> {
        let mut ways = Vec::new();
        let mut at = term;
        loop {
            at = match steps.get(at.0 as usize)? {
                Step::Root(name) => {
                    ways.push(Way::Key(name.clone()));
                    break;
                }
                Step::Get { of, key, .. } => {
                    ways.push(Way::Key(key.clone()));
                    *of
                }
                Step::Item { of, at } => {
                    ways.push(Way::At(*at));
                    *of
                }
                Step::Chosen { value, .. } | Step::Sifted { list: value, .. } => *value,
                _ => return None,
            };
        }
        let mut looked = self;
        for way in ways.into_iter().rev() {
            looked = match way {
                Way::Key(key) => looked.entries.entry(key).or_default(),
                Way::At(at) => looked.items.entry(at).or_default(),
            };
        }
        Some(looked)
    }
}
