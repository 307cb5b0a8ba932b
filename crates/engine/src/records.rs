//! What was judged of manifests of the same form, and need not be judged again.
//!
//! A judge that walks a manifest records which holes it looked at, how closely, and for which piece of its work
//! ([`Recorder`]). What it looked at to find its way must be the same for the record to hold (`Record::given`); each
//! piece of work that looked at values is right for the values that it was right for. Another manifest of the same
//! skeleton then needs only the pieces whose values are new. Only what is right is kept: what is wrong is judged in
//! full, so that findings are always made in the same way.

use std::collections::{HashMap, HashSet, VecDeque};
use std::sync::{Arc, PoisonError, RwLock};

use super::hole::{Hole, Look, ShownHoles};
use super::manifest::{Manifest, SkeletonNode};
use super::view::View;
use tenantry_syntax::yaml::Value;

/// Most records that are kept of a skeleton and a judge, and most values that are kept of a piece of work.
const MAX_RECORDS: usize = 32;
const MAX_RIGHT: usize = 4;
/// Most skeletons that are kept.
const MAX_SKELETONS: usize = 20_000;
/// The group of what is done for each manifest; the others differ in what they look at.
const ALWAYS: usize = 63;

/// A turn of a judge's walk over a manifest.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum WalkTurn {
    /// To another rule for the same place, by number.
    Rule(usize),
    /// Into a field.
    Field(Box<str>),
    /// To an item, counted without those that hold nothing.
    Item(usize),
}

/// A place that a judge visits, and the work there that depends on values; `W` says which work.
#[derive(Debug)]
pub struct Visit<W> {
    /// The turn that leads here.
    pub turn: WalkTurn,
    /// The work, by the group of what it looks at.
    work: Vec<(usize, W)>,
    below: Vec<Visit<W>>,
    /// The groups of all work here and below, as bits.
    groups: u64,
}

impl<W> Visit<W> {
    fn new(turn: WalkTurn) -> Visit<W> {
        Visit {
            turn,
            work: Vec::new(),
            below: Vec::new(),
            groups: 0,
        }
    }

    /// The work here that is to be done.
    pub fn work(&self, pending: Pending) -> impl Iterator<Item = &W> {
        let work = self.work.iter();
        work.filter(move |(group, _)| pending.has(*group))
            .map(|(_, work)| work)
    }

    /// The places below where there is work to be done.
    pub fn below(&self, pending: Pending) -> impl Iterator<Item = &Visit<W>> {
        let below = self.below.iter();
        below.filter(move |visit| visit.groups & pending.0 != 0)
    }
}

/// The groups of work that are to be done.
#[derive(Clone, Copy, Debug)]
pub struct Pending(u64);

impl Pending {
    fn has(self, group: usize) -> bool {
        self.0 & (1 << group) != 0
    }
}

/// What work looked at, and the values that it was right for.
#[derive(Debug)]
struct RecordGroup {
    /// The holes whose values it looked at; nothing else differs between manifests of a record.
    holes: Vec<usize>,
    right: RwLock<VecDeque<Box<[Value]>>>,
}

/// A record of a judge's walk.
#[derive(Debug)]
struct WalkRecord<W> {
    /// What the judge looked at to find its way.
    given: ShownHoles,
    groups: Vec<RecordGroup>,
    root: Visit<W>,
}

fn shows(manifest: &Manifest, hole: usize, look: Look, value: &Value) -> bool {
    let hole = manifest.holes.get(hole);
    hole.is_some_and(|hole| hole.shows(look, value))
}

fn kept(manifest: &Manifest, hole: usize) -> Value {
    let hole = manifest.holes.get(hole);
    hole.map_or(Value::Null, Hole::kept)
}

impl<W> WalkRecord<W> {
    /// The groups of work whose values are new.
    fn pending(&self, manifest: &Manifest) -> Pending {
        let mut pending = 1 << ALWAYS;
        for (at, group) in self.groups.iter().enumerate() {
            let right = group.right.read().unwrap_or_else(PoisonError::into_inner);
            let is_known = right.iter().any(|values| {
                let holes = &mut group.holes.iter().zip(values);
                holes.all(|(hole, value)| shows(manifest, *hole, Look::Value, value))
            });
            if !is_known {
                pending |= 1 << at;
            }
        }
        Pending(pending)
    }

    /// Notes that all work is right for the values of a manifest.
    fn remember(&self, manifest: &Manifest, pending: Pending) {
        let groups = self.groups.iter().enumerate();
        for (_, group) in groups.filter(|(at, _)| pending.has(*at)) {
            let holes = group.holes.iter();
            let values = holes.map(|hole| kept(manifest, *hole)).collect();
            let mut right = group.right.write().unwrap_or_else(PoisonError::into_inner);
            // The other side of a comparison has what this one has: the newest are the likeliest.
            right.truncate(MAX_RIGHT - 1);
            right.push_front(values);
        }
    }
}

/// Records a judge's walk over a manifest.
#[derive(Debug)]
pub struct Recorder<'m, W> {
    manifest: &'m Manifest,
    /// What finding the way looked at, by hole.
    given: Vec<Look>,
    /// The holes that each group of work looked at.
    groups: Vec<Vec<usize>>,
    /// Holes that were judged as wholes, each with the address of what it was judged by.
    wholes: HashSet<(usize, usize)>,
    /// The places on the way to where the judge is.
    way: Vec<Visit<W>>,
    is_at_work: bool,
}

impl<'m, W> Recorder<'m, W> {
    /// A record that starts at the root.
    pub fn new(manifest: &'m Manifest) -> Recorder<'m, W> {
        manifest.holes.forget();
        Recorder {
            manifest,
            given: vec![Look::None; manifest.holes.len()],
            groups: Vec::new(),
            wholes: HashSet::new(),
            way: vec![Visit::new(WalkTurn::Rule(0))],
            is_at_work: false,
        }
    }

    /// The judge goes to a place below. Within a piece of work, steps do not count.
    pub fn enter(&mut self, turn: impl FnOnce() -> WalkTurn) {
        if !self.is_at_work {
            self.way.push(Visit::new(turn()));
        }
    }

    /// The judge comes back from a place.
    pub fn leave(&mut self) {
        if self.is_at_work || self.way.len() < 2 {
            return;
        }
        if let (Some(visit), Some(above)) = (self.way.pop(), self.way.last_mut())
            && visit.groups != 0
        {
            above.groups |= visit.groups;
            above.below.push(visit);
        }
    }

    /// Whether a part is a hole that was judged by the same rule before, elsewhere in the manifest.
    pub fn repeats<R>(&mut self, part: View<'_>, rule: &R) -> bool {
        let hole = part.hole();
        !self.is_at_work
            && hole.is_some_and(|hole| !self.wholes.insert((hole, std::ptr::from_ref(rule).addr())))
    }

    /// Whether a piece of work has begun.
    pub fn is_at_work(&self) -> bool {
        self.is_at_work
    }

    /// A piece of work begins, unless one has begun; tells which.
    pub fn begin(&mut self) -> bool {
        if self.is_at_work {
            return false;
        }
        self.settle();
        self.is_at_work = true;
        true
    }

    /// What was looked at so far was to find the way.
    fn settle(&mut self) {
        for (hole, given) in self.manifest.holes.iter().zip(&mut self.given) {
            *given = hole.forget().max(*given);
        }
    }

    /// The piece of work that has begun is done. `always` says that it is to be done for each manifest.
    pub fn end(&mut self, work: W, always: bool) {
        let mut seen = Vec::new();
        let holes = self.manifest.holes.iter().zip(&mut self.given);
        for (at, (hole, given)) in holes.enumerate() {
            match hole.forget() {
                // Only whole values differ from one manifest to the next.
                Look::Value => seen.push(at),
                look => *given = look.max(*given),
            }
        }
        self.is_at_work = false;
        let group = match self.groups.iter().position(|known| *known == seen) {
            _ if always => ALWAYS,
            _ if seen.is_empty() => return,
            Some(group) => group,
            None if self.groups.len() < ALWAYS => {
                self.groups.push(seen);
                self.groups.len() - 1
            }
            None => ALWAYS,
        };
        if let Some(here) = self.way.last_mut() {
            here.work.push((group, work));
            here.groups |= 1 << group;
        }
    }

    fn finish(mut self) -> WalkRecord<W> {
        self.is_at_work = false;
        while self.way.len() > 1 {
            self.leave();
        }
        self.settle();
        WalkRecord {
            given: ShownHoles::new(&self.manifest.holes, self.given),
            groups: self
                .groups
                .into_iter()
                .map(|holes| RecordGroup {
                    holes,
                    right: RwLock::default(),
                })
                .collect(),
            root: self
                .way
                .pop()
                .unwrap_or_else(|| Visit::new(WalkTurn::Rule(0))),
        }
    }
}

/// What is known of a manifest.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Recorded {
    /// It is right.
    Right,
    /// Something may be wrong with it, or there is no room for another record.
    Doubtful,
    /// Nothing: a record of its judgement would help the next one.
    Nothing,
}

/// Who judges: the address of the rules, which outlive the record, and what else they depend on.
pub type JudgeKey = (usize, u32);

/// Records by skeleton and judge.
#[derive(Debug)]
pub struct Records<W> {
    kept: RwLock<HashMap<(usize, usize, JudgeKey), RecordCache<W>>>,
}

#[derive(Debug)]
struct RecordCache<W> {
    /// Kept so that no other one takes its address.
    _skeleton: Arc<Vec<SkeletonNode>>,
    records: Vec<Arc<WalkRecord<W>>>,
}

impl<W> Default for Records<W> {
    fn default() -> Records<W> {
        Records {
            kept: RwLock::default(),
        }
    }
}

fn key(manifest: &Manifest, judge: JudgeKey) -> (usize, usize, JudgeKey) {
    let skeleton = Arc::as_ptr(&manifest.skeleton).addr();
    (skeleton, manifest.document, judge)
}

impl<W> Records<W> {
    /// What is wrong with a manifest. `replay` does the work that is pending, and tells whether all of it is right;
    /// `judge` judges in full, and gives back the recorder that it was given.
    pub fn check<'m, V>(
        &self,
        manifest: &'m Manifest,
        judge: JudgeKey,
        replay: impl FnOnce(&Visit<W>, Pending) -> bool,
        in_full: impl Fn(Option<Recorder<'m, W>>) -> (Vec<V>, Option<Recorder<'m, W>>),
    ) -> Vec<V> {
        match self.known(manifest, judge, replay) {
            Recorded::Right => return Vec::new(),
            Recorded::Doubtful => {}
            Recorded::Nothing => {
                if let (found, Some(recorder)) = in_full(Some(Recorder::new(manifest)))
                    && found.is_empty()
                {
                    self.learn(judge, recorder);
                    return found;
                }
            }
        }
        // Who records may judge in another order.
        in_full(None).0
    }

    fn known(
        &self,
        manifest: &Manifest,
        judge: JudgeKey,
        replay: impl FnOnce(&Visit<W>, Pending) -> bool,
    ) -> Recorded {
        let record = {
            let all = self.kept.read().unwrap_or_else(PoisonError::into_inner);
            match all.get(&key(manifest, judge)) {
                None if all.len() < MAX_SKELETONS => return Recorded::Nothing,
                None => return Recorded::Doubtful,
                Some(kept) => match kept
                    .records
                    .iter()
                    .find(|record| record.given.is_shown_by(&manifest.holes))
                {
                    Some(record) => Arc::clone(record),
                    None if kept.records.len() < MAX_RECORDS => return Recorded::Nothing,
                    None => return Recorded::Doubtful,
                },
            }
        };
        let pending = record.pending(manifest);
        if record.root.groups & pending.0 != 0 && !replay(&record.root, pending) {
            return Recorded::Doubtful;
        }
        record.remember(manifest, pending);
        Recorded::Right
    }

    fn learn(&self, judge: JudgeKey, recorder: Recorder<'_, W>) {
        let manifest = recorder.manifest;
        let record = recorder.finish();
        record.remember(manifest, Pending(u64::MAX));
        let mut all = self.kept.write().unwrap_or_else(PoisonError::into_inner);
        let kept = all
            .entry(key(manifest, judge))
            .or_insert_with(|| RecordCache {
                _skeleton: Arc::clone(&manifest.skeleton),
                records: Vec::new(),
            });
        kept.records.push(Arc::new(record));
    }
}
