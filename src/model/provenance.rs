//! Where the values of a unit's manifests come from, down to lines of the input.

use std::collections::HashSet;
use std::sync::Arc;

use super::instance::{Decided, Deciders, Unit};
use tenantry_engine::derivations::Derivations;
use tenantry_engine::origin::ValueOrigin;
use tenantry_engine::view::View;
use tenantry_syntax::diagnostics::Sources;
use tenantry_syntax::yaml::NodeId;

/// What a unit's values were computed from, and what decided that documents have a say in it.
#[derive(Clone, Debug)]
pub struct Provenance {
    derivations: Arc<Derivations>,
    deciders: Arc<Deciders>,
}

impl Unit {
    /// Where its values come from.
    pub fn provenance(&self) -> Provenance {
        Provenance {
            derivations: self.derivations.clone(),
            deciders: self.deciders.clone(),
        }
    }
}

impl Provenance {
    /// The input values that some values were computed from.
    pub fn inputs(&self, ids: impl IntoIterator<Item = NodeId>) -> Vec<NodeId> {
        let mut seen = HashSet::new();
        ids.into_iter()
            .flat_map(|id| self.derivations.inputs(id))
            .filter(|id| seen.insert(*id))
            .collect()
    }

    /// What a place in a manifest was made of, and what decided that it is this and that it is here: what its template
    /// looked at, and what decided that the documents of its values have a say.
    pub fn origin(&self, view: View<'_>, sources: &Sources) -> ValueOrigin {
        self.complete(view.origin(), sources)
    }

    /// The same of what the engine knows.
    pub fn complete(&self, origin: ValueOrigin, sources: &Sources) -> ValueOrigin {
        let values = self.inputs(origin.values);
        let mut decisions = self.inputs(origin.decisions);
        // What decided may come from a document that something decided about.
        let mut seen: HashSet<NodeId> = HashSet::new();
        let mut pending: Vec<NodeId> = values.iter().chain(&decisions).copied().collect();
        while let Some(id) = pending.pop() {
            let Some(decided) = self.decided(id, sources) else {
                continue;
            };
            if seen.insert(decided.document) {
                let labels = self.deciders.labels.iter().filter(|_| decided.by_labels);
                let by = || decided.by.iter().chain(labels.clone());
                decisions.extend(by());
                pending.extend(by());
            }
        }
        let known: HashSet<NodeId> = values.iter().copied().collect();
        let mut seen = HashSet::new();
        decisions.retain(|id| !known.contains(id) && seen.insert(*id));
        ValueOrigin {
            values,
            decisions,
            absent: origin.absent,
        }
    }

    /// What decided about the document that a value stands in.
    fn decided(&self, id: NodeId, sources: &Sources) -> Option<&Decided> {
        let place = sources.span(id)?;
        let mut all = self.deciders.chosen.iter().chain(&*self.deciders.selecting);
        all.find(|decided| {
            decided.document.file == id.file
                && sources.span(decided.document).is_some_and(|document| {
                    document.start <= place.start && place.start <= document.end
                })
        })
    }
}
