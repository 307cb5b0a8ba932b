//! Judges manifests of a form that is known: only what depends on values that are new.

use super::check::{SchemaCheck, Strictness, Violation};
use super::{Additional, SchemaRule, SchemaSet};
use crate::manifest::Manifest;
use crate::records::{Pending, Records, Visit, WalkTurn};
use crate::schema::Minor;
use crate::view::View;

/// All violations of a manifest in a version of Kubernetes. `records` are of the schemas that the rule is of.
pub fn check_manifest<'a>(
    manifest: &'a Manifest,
    rule: &SchemaRule,
    set: &SchemaSet,
    minor: Minor,
    records: &Records<()>,
) -> Vec<Violation<'a>> {
    let judge = || SchemaCheck::new(set, Strictness::Whole, Some(minor));
    records.check(
        manifest,
        (std::ptr::from_ref(rule).addr(), minor),
        |visit, pending| {
            let mut judge = judge();
            judge.replay(manifest.root(), rule, visit, pending);
            judge.found.is_empty()
        },
        |recorder| {
            let mut judge = judge();
            judge.recorder = recorder;
            judge.value(manifest.root(), rule);
            (judge.found, judge.recorder)
        },
    )
}

impl<'a> SchemaCheck<'a, '_> {
    /// Does what is pending of a value.
    fn replay(&mut self, view: View<'a>, rule: &SchemaRule, visit: &Visit<()>, pending: Pending) {
        if visit.work(pending).next().is_some() {
            self.value(view, rule);
        }
        let rule = self.set.follow(rule);
        for below in visit.below(pending) {
            let inside = match &below.turn {
                WalkTurn::Rule(at) => rule.all_of.get(*at).map(|part| (view, part)),
                WalkTurn::Field(key) => {
                    let additional = match &rule.additional {
                        Additional::Rule(rule) => Some(&**rule),
                        Additional::Any | Additional::No => None,
                    };
                    view.get(key).zip(rule.property(key).or(additional))
                }
                WalkTurn::Item(at) => view.items().get(*at).copied().zip(rule.items.as_deref()),
            };
            if let Some((view, rule)) = inside {
                self.replay(view, rule, below, pending);
            }
        }
    }

    /// Judges a value at a place that a turn leads to.
    pub(super) fn inside(
        &mut self,
        view: View<'a>,
        rule: &SchemaRule,
        turn: impl FnOnce() -> WalkTurn,
    ) {
        let Some(recorder) = &mut self.recorder else {
            return self.value(view, rule);
        };
        recorder.enter(turn);
        let is_plain = view.is_of_template() && self.set.follow(rule).any_of.is_empty();
        let repeats = !is_plain && recorder.repeats(view, rule);
        let is_work = !is_plain && !repeats && recorder.begin();
        if !repeats {
            self.value(view, rule);
        }
        if let Some(recorder) = &mut self.recorder {
            if is_work {
                recorder.end((), false);
            }
            recorder.leave();
        }
    }
}
