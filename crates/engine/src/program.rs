//! Runs as programs: what one run of a template did is done again for other input without the template, as long as all
//! that decided is as it was. Programs of one template form a tree: they part where one decided otherwise.

use std::borrow::Cow;
use std::sync::{Arc, PoisonError, RwLock};

use super::RunInputs;
use super::looked::LookedAt;
use super::run::{PrintedValue, Ran};
use super::trace::{Guard, LookDepth, Trace, TraceStep};
use super::tree;
use super::value::{Data, Term, TracedValue};
use tenantry_syntax::yaml::{self, Node, NodeId};

/// Most steps that the programs of one template have; beyond, they are all forgotten.
const MAX_STEPS: usize = 1 << 18;

/// The steps of a run that has ended, and what decided about which part of its text.
#[derive(Debug)]
pub struct Recording {
    /// The steps.
    pub steps: Box<[TraceStep]>,
    /// For each stretch of the text that something decided about, what did.
    pub regions: Box<[Box<[Term]>]>,
    /// What it looked at, by variable.
    pub looked: LookedAt,
}

impl Recording {
    /// Of a run that printed these values.
    pub fn new(trace: Trace, holes: &[PrintedValue]) -> Recording {
        Recording {
            looked: LookedAt::of(&trace.steps, holes),
            steps: trace.steps.into(),
            regions: trace.regions.into(),
        }
    }
}

/// A run that has ended, and what was made of its text.
#[derive(Debug)]
pub struct Finished<T> {
    /// What it did.
    pub recording: Arc<Recording>,
    /// The values that it printed.
    pub holes: Box<[PrintedValue]>,
    /// What was made of its text.
    pub made: T,
}

/// A value that a run printed, and where it came from.
pub struct Filled {
    /// The value.
    pub value: yaml::Value,
    /// The input value that it is, where it is one.
    pub id: NodeId,
    /// The step that made it.
    pub term: Term,
}

/// A stretch of programs without a decision, and the decision at its end.
struct ProgramStage<T> {
    steps: Vec<TraceStep>,
    guard: Option<Term>,
    branches: Vec<(Data, usize)>,
    end: Option<Arc<Finished<T>>>,
}

/// The programs of one template.
pub struct Programs<T> {
    stages: RwLock<Vec<ProgramStage<T>>>,
}

impl<T> Default for Programs<T> {
    fn default() -> Programs<T> {
        Programs {
            stages: RwLock::default(),
        }
    }
}

impl<T> std::fmt::Debug for Programs<T> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("programs")
    }
}

/// What a step made, this time.
#[derive(Clone, Debug)]
pub(super) enum StepValue<'i> {
    /// A place in the input.
    Node(Cow<'i, Node>),
    /// Anything else.
    Data(Cow<'i, Data>),
}

const NOTHING: StepValue<'static> = StepValue::Data(Cow::Owned(Data::Undefined));

impl StepValue<'_> {
    fn data(&self, declared: Option<&'static tree::Declarations>) -> Data {
        match self {
            StepValue::Node(node) => tree::unnamed(node, declared),
            StepValue::Data(data) => data.as_ref().clone(),
        }
    }

    fn is_undefined(&self) -> bool {
        matches!(self, StepValue::Data(data) if matches!(**data, Data::Undefined))
    }

    /// The place in the input that this is.
    pub(super) fn node(&self) -> Option<&Node> {
        match self {
            StepValue::Node(node) => Some(node),
            StepValue::Data(data) => match &**data {
                Data::Tree(tree) => Some(&tree.node),
                _ => None,
            },
        }
    }

    /// Whether a decision would be the same as for another value.
    fn is(&self, seen: &Data) -> bool {
        match self {
            StepValue::Data(data) => is_same(data, seen),
            StepValue::Node(node) => match (&node.value, seen) {
                (yaml::Value::Null, Data::Null) => true,
                (yaml::Value::Bool(a), Data::Bool(b)) => a == b,
                (yaml::Value::Int(a), Data::Int(b)) => a == b,
                (yaml::Value::String(a), Data::Text(b)) => a == b,
                (yaml::Value::Float(a), Data::Float(b)) => a.to_bits() == b.to_bits(),
                _ => false,
            },
        }
    }
}

fn is_same(a: &Data, b: &Data) -> bool {
    match (a, b) {
        (Data::Undefined, Data::Undefined) | (Data::Null, Data::Null) => true,
        (Data::Bool(a), Data::Bool(b)) => a == b,
        (Data::Int(a), Data::Int(b)) => a == b,
        (Data::Float(a), Data::Float(b)) => a.to_bits() == b.to_bits(),
        (Data::Text(a), Data::Text(b)) => a == b,
        (Data::List(a), Data::List(b)) => {
            a.len() == b.len()
                && a.iter()
                    .zip(b.iter())
                    .all(|(a, b)| is_same(&a.data, &b.data))
        }
        _ => false,
    }
}

/// Does one step; nothing if it cannot be done, so that the template has to say why.
fn step<'i>(
    step: &'i TraceStep,
    slots: &[StepValue<'i>],
    inputs: &'i RunInputs,
) -> Option<StepValue<'i>> {
    let at = |term: Term| slots.get(term.0 as usize);
    Some(match step {
        TraceStep::Constant(data) => StepValue::Data(Cow::Borrowed(data)),
        TraceStep::Root(name) => match inputs.get(name) {
            Some(node) => StepValue::Node(Cow::Borrowed(node)),
            None => NOTHING,
        },
        TraceStep::Get { of, key, known } => {
            let found = match at(*of)? {
                StepValue::Node(Cow::Borrowed(node)) => match node.get(key) {
                    Some(node) => return Some(StepValue::Node(Cow::Borrowed(node))),
                    None => None,
                },
                slot => match (slot.node(), slot) {
                    (Some(node), _) => node
                        .get(key)
                        .map(|node| StepValue::Node(Cow::Owned(node.clone()))),
                    (None, StepValue::Data(data)) if matches!(**data, Data::Undefined) => {
                        return None;
                    }
                    (None, StepValue::Data(data)) => data
                        .entry(key)
                        .map(|data| StepValue::Data(Cow::Owned(data))),
                    (None, StepValue::Node(_)) => None,
                },
            };
            match found {
                Some(found) => found,
                None if *known && at(*of)?.node().is_some_and(|node| node.as_map().is_some()) => {
                    StepValue::Data(Cow::Owned(Data::Null))
                }
                None => NOTHING,
            }
        }
        TraceStep::Item { of, at: position } => match at(*of)? {
            StepValue::Node(Cow::Borrowed(node)) => {
                StepValue::Node(Cow::Borrowed(node.as_list()?.get(*position)?))
            }
            slot => match (slot.node(), slot) {
                (Some(node), _) => {
                    StepValue::Node(Cow::Owned(node.as_list()?.get(*position)?.clone()))
                }
                (None, slot) => StepValue::Data(Cow::Owned(
                    slot.data(inputs.declared).items()?.get(*position)?.clone(),
                )),
            },
        },
        TraceStep::List(terms) => {
            let items = terms.iter().map(|term| {
                Some(TracedValue {
                    data: at(*term)?.data(inputs.declared),
                    term: *term,
                })
            });
            StepValue::Data(Cow::Owned(Data::List(items.collect::<Option<_>>()?)))
        }
        TraceStep::Map(entries) => {
            let entries = entries.iter();
            let entries = entries.map(|(key, term)| {
                Some((
                    key.clone(),
                    TracedValue {
                        data: at(*term)?.data(inputs.declared),
                        term: *term,
                    },
                ))
            });
            StepValue::Data(Cow::Owned(Data::Map(entries.collect::<Option<_>>()?)))
        }
        TraceStep::Apply(operation, terms) => {
            let mut arguments = Vec::with_capacity(terms.len());
            for term in terms {
                let slot = at(*term)?;
                if slot.is_undefined() && operation.reach() != LookDepth::Presence {
                    return None;
                }
                arguments.push(slot.data(inputs.declared));
            }
            StepValue::Data(Cow::Owned(operation.apply(&arguments).ok()?))
        }
        TraceStep::Chosen { value, .. } | TraceStep::Sifted { list: value, .. } => {
            at(*value)?.clone()
        }
    })
}

/// What each step of a run made.
fn evaluated<'i>(recording: &'i Recording, inputs: &'i RunInputs) -> Option<Vec<StepValue<'i>>> {
    let mut slots = Vec::with_capacity(recording.steps.len());
    for one in &recording.steps {
        slots.push(step(one, &slots, inputs)?);
    }
    Some(slots)
}

/// What those steps of a run made that some values come from; nothing for the others.
pub(super) fn evaluated_for<'i>(
    terms: impl IntoIterator<Item = Term>,
    recording: &'i Recording,
    inputs: &'i RunInputs,
) -> Vec<StepValue<'i>> {
    let mut wanted = vec![false; recording.steps.len()];
    let mut pending: Vec<Term> = terms.into_iter().collect();
    let mut last = 0;
    while let Some(term) = pending.pop() {
        let at = term.0 as usize;
        if wanted.get(at) != Some(&false) {
            continue;
        }
        wanted[at] = true;
        last = last.max(at + 1);
        recording.steps[at].each_operand(|term| pending.push(term));
    }
    let mut slots = Vec::with_capacity(last);
    for (one, wanted) in recording.steps.iter().zip(wanted).take(last) {
        let slot = wanted.then(|| step(one, &slots, inputs)).flatten();
        slots.push(slot.unwrap_or(NOTHING));
    }
    slots
}

fn filled(
    holes: &[PrintedValue],
    slots: &[StepValue<'_>],
    recording: &Arc<Recording>,
    inputs: &Arc<RunInputs>,
) -> Option<Vec<Filled>> {
    let fill = |printed: &PrintedValue| match printed {
        PrintedValue::Constant(value) => Some(Filled {
            value: value.clone(),
            id: NodeId::NONE,
            term: Term::CONSTANT,
        }),
        PrintedValue::Made(term) => {
            let slot = slots.get(term.0 as usize)?;
            if slot.is_undefined() {
                return None;
            }
            let (value, id) = match (slot, slot.node()) {
                (_, Some(node)) => (node.value.clone(), node.id),
                (StepValue::Data(data), None) => {
                    let past = super::origin::Past {
                        recording: recording.clone(),
                        inputs: inputs.clone(),
                    };
                    (
                        data.yaml_of(0, &mut |term| past.place(term, slots)).ok()?,
                        NodeId::NONE,
                    )
                }
                (StepValue::Node(_), None) => return None,
            };
            Some(Filled {
                value,
                id,
                term: *term,
            })
        }
    };
    holes.iter().map(fill).collect()
}

impl<T> Programs<T> {
    /// What a known program makes of other input; nothing if the template has to run.
    pub fn replay(&self, inputs: &Arc<RunInputs>) -> Option<(Arc<Finished<T>>, Vec<Filled>)> {
        let stages = self.stages.read().unwrap_or_else(PoisonError::into_inner);
        let mut slots = Vec::with_capacity(256);
        let mut stage = stages.first()?;
        loop {
            for one in &stage.steps {
                slots.push(step(one, &slots, inputs)?);
            }
            let Some(guard) = stage.guard else {
                let finished = stage.end.clone()?;
                let filled = filled(&finished.holes, &slots, &finished.recording, inputs)?;
                return Some((finished, filled));
            };
            let slot = slots.get(guard.0 as usize)?;
            let (_, next) = stage.branches.iter().find(|(seen, _)| slot.is(seen))?;
            stage = stages.get(*next)?;
        }
    }

    /// Keeps what a run did; gives it with the values that it printed.
    ///
    /// # Errors
    ///
    /// A fault of ours: the steps do not make what the run made.
    pub fn keep(
        &self,
        ran: Ran,
        made: T,
        inputs: &Arc<RunInputs>,
    ) -> Result<(Arc<Finished<T>>, Vec<Filled>), String> {
        let Ran {
            holes, mut trace, ..
        } = ran;
        let guards = std::mem::take(&mut trace.guards);
        let recording = Arc::new(Recording::new(trace, &holes));
        let finished = Arc::new(Finished {
            recording: recording.clone(),
            holes: holes.into(),
            made,
        });
        let filled = evaluated(&recording, inputs)
            .and_then(|slots| filled(&finished.holes, &slots, &recording, inputs))
            .ok_or("the steps of this template cannot be done again")?;
        let mut stages = self.stages.write().unwrap_or_else(PoisonError::into_inner);
        if stages
            .iter()
            .map(|stage| stage.steps.len() + 1)
            .sum::<usize>()
            + recording.steps.len()
            > MAX_STEPS
        {
            stages.clear();
        }
        insert(&mut stages, &recording.steps, &guards, &finished);
        Ok((finished, filled))
    }
}

/// Puts a program into the tree: along what is there as long as it decides alike, then on its own.
fn insert<T>(
    stages: &mut Vec<ProgramStage<T>>,
    steps: &[TraceStep],
    guards: &[Guard],
    finished: &Arc<Finished<T>>,
) {
    let mut begun = 0;
    // The branch that the next stage hangs on.
    let mut from: Option<(usize, &Data)> = None;
    for number in 0..=guards.len() {
        let guard = guards.get(number);
        let end = guard.map_or(steps.len(), |guard| guard.steps);
        let known = match from {
            None => (!stages.is_empty()).then_some(0),
            Some((parent, seen)) => {
                let branches = stages[parent].branches.iter();
                branches
                    .filter(|(known, _)| is_same(known, seen))
                    .map(|(_, next)| *next)
                    .next()
            }
        };
        let at = known.unwrap_or_else(|| {
            stages.push(ProgramStage {
                steps: steps[begun..end].to_vec(),
                guard: guard.map(|guard| guard.term),
                branches: Vec::new(),
                end: None,
            });
            let at = stages.len() - 1;
            if let Some((parent, seen)) = from {
                stages[parent].branches.push((seen.clone(), at));
            }
            at
        });
        match guard {
            Some(guard) => from = Some((at, &guard.seen)),
            None => stages[at].end = Some(finished.clone()),
        }
        begun = end;
    }
}
