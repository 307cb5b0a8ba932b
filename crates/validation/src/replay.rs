//! Judges objects of a form that is known: only what depends on values that are new.

use super::Refusal;
use super::entries::Entries;
use super::overlay::{Overlay, definition};
use super::walk::{JudgedValue, KnownKind, ObjectWalk};
use tenantry_cel::CelValue;
use tenantry_cel::tree;
use tenantry_engine::manifest::Manifest;
use tenantry_engine::records::{Pending, Records, Visit, WalkTurn};
use tenantry_engine::schema::Minor;
use tenantry_kubernetes::defaults::StoredPart;
use tenantry_syntax::yaml::Trail;

/// A piece of work at a place.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ReplayWork {
    /// All that holds for the value.
    All,
    /// What needs no expression.
    Keywords,
    /// A rule, by position.
    Rule(usize),
    /// A check in code, by position.
    Check(usize),
    /// Whether items of a list are there twice.
    Duplicates,
    /// The name of the object.
    Name,
}

impl ReplayWork {
    /// Whether rules of the expression language are part of it.
    pub(super) fn has_rules(self) -> bool {
        matches!(self, ReplayWork::All | ReplayWork::Rule(_))
    }
}

/// All violations of a manifest by a version of Kubernetes. `records` are of the schemas that `known` is of, and `entries`
/// of that version.
pub fn check_manifest<'a>(
    manifest: &'a Manifest,
    known: KnownKind<'a>,
    minor: Minor,
    records: &Records<ReplayWork>,
    entries: &'a Entries,
) -> Vec<Refusal<'a>> {
    let address = known
        .overlay()
        .map_or(0, |overlay| std::ptr::from_ref(overlay).addr());
    let judge = || {
        let mut judge = ObjectWalk::new(manifest.root(), known, minor);
        judge.entries = Some(entries);
        judge
    };
    records.check(
        manifest,
        (address, minor),
        |visit, pending| {
            let mut judge = judge();
            judge.replay_object(known, visit, pending);
            judge.found.is_empty()
        },
        |recorder| {
            let mut judge = judge();
            judge.shares_budget =
                matches!(known, KnownKind::Custom(overlay, _) if overlay.has_rules());
            judge.recorder = recorder;
            judge.object(known, None);
            (judge.found, judge.recorder)
        },
    )
}

impl<'a> ObjectWalk<'a> {
    /// Does what is pending of an object.
    fn replay_object(&mut self, known: KnownKind<'a>, visit: &Visit<ReplayWork>, pending: Pending) {
        let object = self.object;
        for below in visit.below(pending) {
            match (&below.turn, known.metadata(), known.overlay()) {
                (WalkTurn::Field(key), Some(meta), _) => {
                    self.replay_field(object, key, meta, below, pending);
                }
                (_, _, Some(overlay)) => self.replay(object, overlay, below, pending),
                _ => {}
            }
        }
        if visit.work(pending).next().is_some() {
            self.name(known.has_names());
        }
    }

    /// Does what is pending of a value.
    pub(super) fn replay(
        &mut self,
        part: StoredPart<'a>,
        overlay: &'a Overlay,
        visit: &Visit<ReplayWork>,
        pending: Pending,
    ) {
        let mut work = visit.work(pending).peekable();
        if work.peek().is_some() {
            let value = tree::of_part(part);
            let place = JudgedValue {
                value: &value,
                old: None,
                view: part.view,
                trail: &Trail::Root,
            };
            let mut rules = Vec::new();
            for work in work {
                match (*work, &value) {
                    (ReplayWork::All, _) => self.value(place, overlay, 0),
                    (ReplayWork::Keywords, _) => self.keywords(place, overlay),
                    (ReplayWork::Rule(at), _) => {
                        rules.resize(overlay.rules.len(), false);
                        rules[at] = true;
                    }
                    (ReplayWork::Check(at), _) => self.check(place, overlay.checks[at]),
                    (ReplayWork::Duplicates, CelValue::Tree(tree)) => {
                        self.duplicates(place, tree, &overlay.list);
                    }
                    (ReplayWork::Duplicates | ReplayWork::Name, _) => {}
                }
            }
            self.rules_among(place, overlay, &rules);
        }
        for below in visit.below(pending) {
            match &below.turn {
                WalkTurn::Rule(_) => {
                    if let Some(reference) = overlay.reference {
                        self.replay(part, definition(reference), below, pending);
                    }
                }
                WalkTurn::Field(key) => {
                    let inner = overlay.property(key).or(overlay.additional.as_deref());
                    if let Some(inner) = inner {
                        self.replay_field(part, key, inner, below, pending);
                    }
                }
                WalkTurn::Item(at) => {
                    let item = part.parts().get(*at).copied();
                    if let (Some(item), Some(inner)) = (item, &overlay.items) {
                        self.replay(item, inner, below, pending);
                    }
                }
            }
        }
    }

    fn replay_field(
        &mut self,
        part: StoredPart<'a>,
        key: &str,
        overlay: &'a Overlay,
        visit: &Visit<ReplayWork>,
        pending: Pending,
    ) {
        let field = part.view.get(key).and_then(|view| part.sent(key, view));
        if let Some(field) = field {
            self.replay(field, overlay, visit, pending);
        }
    }
}
