//! Where values came from, and what decided that they are there: read off the steps of a run.

use std::collections::HashSet;
use std::sync::Arc;

use super::RunInputs;
use super::program::{self, Recording, StepValue};
use super::trace::{LookDepth, TraceStep};
use super::value::Term;
use tenantry_syntax::yaml::{Node, NodeId, Value};

/// The input values that something comes from.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ValueOrigin {
    /// What it is made of.
    pub values: Vec<NodeId>,
    /// What decided that it is this, and that it is there.
    pub decisions: Vec<NodeId>,
    /// What decided by not being set: the map, and the key that it lacks.
    pub absent: Vec<(NodeId, Arc<str>)>,
}

/// A run that has ended, with its input.
#[derive(Clone, Debug)]
pub struct Past {
    /// What it did.
    pub recording: Arc<Recording>,
    /// What it worked on.
    pub inputs: Arc<RunInputs>,
}

struct Collector<'p> {
    steps: &'p [TraceStep],
    slots: &'p [StepValue<'p>],
    origin: ValueOrigin,
    seen: HashSet<(Term, OriginRole, Depth)>,
}

#[derive(Clone, Copy, PartialEq, Eq, Hash)]
enum OriginRole {
    Value,
    Decision,
}

/// How much of a map or list is meant.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
enum Depth {
    /// That it is there.
    Itself,
    /// Its items, or keys: layers add to them.
    Outline,
    /// All that is in it.
    Whole,
}

impl Past {
    /// Where the values of steps came from, with other steps that decided, and what decided in these stretches of the text.
    pub fn origin(
        &self,
        terms: impl IntoIterator<Item = Term>,
        deciding: impl IntoIterator<Item = Term>,
        regions: &[u32],
    ) -> ValueOrigin {
        let of = |role: OriginRole| move |term: Term| (term, role, Depth::Whole);
        let mut wanted: Vec<(Term, OriginRole, Depth)> = Vec::new();
        wanted.extend(terms.into_iter().map(of(OriginRole::Value)));
        wanted.extend(deciding.into_iter().map(of(OriginRole::Decision)));
        for region in regions {
            let by = self.recording.regions.get(*region as usize);
            let by = by.into_iter().flat_map(|by| by.iter());
            wanted.extend(by.map(|term| (*term, OriginRole::Decision, Depth::Itself)));
        }
        let terms = wanted.iter().map(|(term, ..)| *term);
        let slots = program::evaluated_for(terms, &self.recording, &self.inputs);
        let mut collector = Collector::new(&self.recording.steps, &slots);
        collector.collect(wanted);
        collector.finish()
    }

    /// All input values that were looked at.
    pub fn read(&self) -> Vec<NodeId> {
        let steps = 0..u32::try_from(self.recording.steps.len()).unwrap_or(u32::MAX);
        let slots = program::evaluated_for(steps.map(Term), &self.recording, &self.inputs);
        let mut ids: Vec<NodeId> = slots
            .iter()
            .filter_map(StepValue::node)
            .map(|node| node.id)
            .collect();
        ids.sort_unstable();
        ids.dedup();
        ids
    }

    /// The id of a part of a printed value: its own if it is of the input, or one that stands for all that it was made of.
    pub(super) fn place(&self, term: Term, slots: &[StepValue<'_>]) -> NodeId {
        if let Some(node) = slots.get(term.0 as usize).and_then(StepValue::node) {
            return node.id;
        }
        let mut collector = Collector::new(&self.recording.steps, slots);
        collector.collect(vec![(term, OriginRole::Value, Depth::Whole)]);
        let values = collector.finish().values;
        if values.is_empty() {
            return NodeId::NONE;
        }
        self.inputs.derivations.derive(Value::Null, values).id
    }
}

impl<'p> Collector<'p> {
    fn new(steps: &'p [TraceStep], slots: &'p [StepValue<'p>]) -> Collector<'p> {
        Collector {
            steps,
            slots,
            origin: ValueOrigin::default(),
            seen: HashSet::new(),
        }
    }

    fn finish(mut self) -> ValueOrigin {
        let unique = |ids: &mut Vec<NodeId>| {
            let mut seen = HashSet::new();
            ids.retain(|id| *id != NodeId::NONE && seen.insert(*id));
        };
        unique(&mut self.origin.values);
        let values: HashSet<NodeId> = self.origin.values.iter().copied().collect();
        unique(&mut self.origin.decisions);
        self.origin.decisions.retain(|id| !values.contains(id));
        self.origin.absent.sort();
        self.origin.absent.dedup();
        self.origin
    }

    fn note(&mut self, id: NodeId, role: OriginRole) {
        match role {
            OriginRole::Value => self.origin.values.push(id),
            OriginRole::Decision => self.origin.decisions.push(id),
        }
    }

    fn note_outline(&mut self, node: &Node, role: OriginRole) {
        self.note(node.id, role);
        match &node.value {
            Value::Map(map) => map
                .entries
                .iter()
                .for_each(|entry| self.note(entry.key_id, role)),
            // Layers add items that have names; other lists are of one layer.
            Value::List(items) => items
                .iter()
                .filter(|item| matches!(item.value, Value::Map(_)))
                .for_each(|item| self.note(item.id, role)),
            _ => {}
        }
    }

    fn note_all(&mut self, node: &Node, role: OriginRole) {
        self.note(node.id, role);
        match &node.value {
            Value::Map(map) => map
                .entries
                .iter()
                .for_each(|entry| self.note_all(&entry.value, role)),
            Value::List(items) => items.iter().for_each(|item| self.note_all(item, role)),
            _ => {}
        }
    }

    /// Follows values to where they came from; by a list of its own, since a run can chain very many steps.
    fn collect(&mut self, mut pending: Vec<(Term, OriginRole, Depth)>) {
        pending.reverse();
        while let Some(next) = pending.pop() {
            if self.seen.insert(next) {
                let mut more = Vec::new();
                self.follow(next, &mut more);
                pending.extend(more.into_iter().rev());
            }
        }
    }

    fn follow(
        &mut self,
        (term, role, depth): (Term, OriginRole, Depth),
        more: &mut Vec<(Term, OriginRole, Depth)>,
    ) {
        let (steps, slots) = (self.steps, self.slots);
        let (Some(step), Some(slot)) = (steps.get(term.0 as usize), slots.get(term.0 as usize))
        else {
            return;
        };
        if let TraceStep::Chosen { value, by } | TraceStep::Sifted { list: value, by } = step {
            more.push((*value, role, depth));
            more.extend(
                by.iter()
                    .map(|term| (*term, OriginRole::Decision, Depth::Itself)),
            );
            return;
        }
        if let Some(node) = slot.node() {
            match depth {
                Depth::Whole => self.note_all(node, role),
                Depth::Outline => self.note_outline(node, role),
                Depth::Itself => self.note(node.id, role),
            }
            self.choosers(term, more);
            return;
        }
        match step {
            TraceStep::Constant(_)
            | TraceStep::Root(_)
            | TraceStep::Chosen { .. }
            | TraceStep::Sifted { .. } => {}
            TraceStep::Get { of, key, .. } => {
                match slots.get(of.0 as usize).and_then(StepValue::node) {
                    Some(node) => {
                        self.origin.absent.push((node.id, key.clone()));
                        self.choosers(*of, more);
                    }
                    None => more.push((*of, role, Depth::Itself)),
                }
            }
            TraceStep::Item { of, .. } => more.push((*of, role, depth)),
            TraceStep::List(_) | TraceStep::Map(_) => {
                step.each_operand(|term| more.push((term, role, depth)));
            }
            TraceStep::Apply(operation, _) => {
                let depth = match operation.reach() {
                    LookDepth::Whole => Depth::Whole,
                    LookDepth::Outline => Depth::Outline,
                    LookDepth::Truth | LookDepth::Presence => Depth::Itself,
                };
                step.each_operand(|term| more.push((term, role, depth)));
            }
        }
    }

    /// What chose the maps and lists that a value was taken from.
    fn choosers(&self, term: Term, more: &mut Vec<(Term, OriginRole, Depth)>) {
        let mut at = term;
        loop {
            at = match self.steps.get(at.0 as usize) {
                Some(
                    TraceStep::Get { of, .. }
                    | TraceStep::Item { of, .. }
                    | TraceStep::Sifted { list: of, .. },
                ) => *of,
                Some(TraceStep::Chosen { value, by }) => {
                    more.extend(
                        by.iter()
                            .map(|term| (*term, OriginRole::Decision, Depth::Itself)),
                    );
                    *value
                }
                Some(TraceStep::Apply(_, terms)) => {
                    // What names the entries that a map keeps decides; the map itself is what was taken from.
                    let by = terms.iter().skip(1);
                    more.extend(by.map(|term| (*term, OriginRole::Decision, Depth::Itself)));
                    match terms.first() {
                        Some(first) => *first,
                        None => return,
                    }
                }
                _ => return,
            };
        }
    }
}
