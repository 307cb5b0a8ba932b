//! Judges rules at the places that they are meant for.

use std::cell::RefCell;

use super::lists::old_item;
use super::overlay::{Branch, ListType, Overlay};
use super::replay::ReplayWork;
use super::rule::{CrdRule, CrdVerdict, RuleInput, RulePath};
use super::walk::{JudgedValue, ObjectWalk, RuleSet, below};
use tenantry_cel::tree;
use tenantry_cel::{Budget, CelValue, EvaluationError};
use tenantry_kubernetes::defaults::StoredPart;
use tenantry_syntax::yaml::{PathStep, Trail};

impl<'a> ObjectWalk<'a> {
    /// Judges the rules of one part of the object, such as its pod.
    pub(super) fn rules_of(&mut self, part: StoredPart<'a>, overlay: &'a Overlay) {
        let place = JudgedValue {
            value: &tree::of_part(part),
            old: None,
            view: part.view,
            trail: &Trail::Root,
        };
        self.rules(place, overlay);
    }

    /// Judges the rules of a place: those of the place itself, then those of places below it.
    pub(super) fn rules(&mut self, place: JudgedValue<'_, 'a>, overlay: &'a Overlay) {
        let is_meant = |rule: &CrdRule| {
            let is_judged = match (rule.is_transition, self.kind) {
                (false, kind) => kind == RuleSet::All,
                (true, _) => place.old.is_some() || rule.is_old_optional,
            };
            let (since, until) = rule.versions;
            let is_there = since <= self.minor && self.minor < until;
            is_judged && is_there && has_all(place.value, &rule.guards)
        };
        let meant: Vec<bool> = overlay.rules.iter().map(is_meant).collect();
        if self.recorder.is_none() {
            return self.rules_among(place, overlay, &meant);
        }
        // One after the other, so that it is known what each looks at.
        for at in (0..meant.len()).filter(|at| meant[*at]) {
            let only: Vec<bool> = (0..meant.len()).map(|other| other == at).collect();
            self.work(ReplayWork::Rule(at), |judge| {
                judge.rules_among(place, overlay, &only);
            });
        }
    }

    /// Judges some of the rules of a place, by position.
    pub(super) fn rules_among(
        &mut self,
        place: JudgedValue<'_, 'a>,
        overlay: &'a Overlay,
        meant: &[bool],
    ) {
        if !meant.contains(&true) {
            return;
        }
        let known = RefCell::new(vec![None; overlay.variables.len()]);
        let mut scene = RuleInput {
            values: [const { None }; 7],
            variables: &overlay.variables,
            known: &known,
        };
        scene.values[0] = Some(place.value.clone());
        scene.values[5] = Some(self.root.clone());
        let mut round = Round {
            overlay,
            meant,
            old: place.old,
            scene,
        };
        for (rule, _) in overlay
            .rules
            .iter()
            .zip(meant)
            .filter(|(rule, meant)| **meant && rule.places.is_empty())
        {
            round.set_old(rule);
            self.rule(place, rule, &round.scene);
        }
        self.branches(place, &overlay.branches, &mut round);
    }

    /// Judges the rules of places below.
    fn branches(
        &mut self,
        place: JudgedValue<'_, 'a>,
        branches: &'a [Branch],
        round: &mut Round<'_, 'a>,
    ) {
        let CelValue::Tree(tree) = place.value else {
            return;
        };
        for branch in branches {
            if !branch.all.iter().any(|at| round.meant[*at]) {
                continue;
            }
            match &branch.way {
                RulePath::Field(name) => {
                    let Some(view) = tree.place(name) else {
                        continue;
                    };
                    let Some(part) = tree.sent(name, view) else {
                        continue;
                    };
                    let value = tree::of_part(part);
                    let old = place.old.and_then(|old| below(old, name));
                    let trail = Trail::Key(place.trail, name);
                    let inside = JudgedValue {
                        value: &value,
                        old: old.as_ref(),
                        view,
                        trail: &trail,
                    };
                    self.branch(inside, branch, round);
                }
                RulePath::Items if tree.is_list() => {
                    for (at, part) in tree.parts().into_iter().enumerate() {
                        let (value, view) = (&tree::of_part(part), part.view);
                        let by_name = || ListType::Map(vec!["name".into()]);
                        let old = place.old.and_then(|old| old_item(old, value, &by_name()));
                        let trail = Trail::Index(place.trail, at);
                        round.scene.values[4] =
                            Some(CelValue::Int(i64::try_from(at).unwrap_or(i64::MAX)));
                        let inside = JudgedValue {
                            value,
                            old: old.as_ref(),
                            view,
                            trail: &trail,
                        };
                        self.branch(inside, branch, round);
                    }
                }
                RulePath::Entries if !tree.is_list() => {
                    for field in tree.view.fields() {
                        let Some(part) = tree.sent(&field.key, field.value) else {
                            continue;
                        };
                        let value = tree::of_part(part);
                        let old = place.old.and_then(|old| below(old, &field.key));
                        let trail = Trail::Key(place.trail, &field.key);
                        round.scene.values[3] = Some(CelValue::text(&*field.key));
                        let inside = JudgedValue {
                            value: &value,
                            old: old.as_ref(),
                            view: field.value,
                            trail: &trail,
                        };
                        self.branch(inside, branch, round);
                    }
                }
                RulePath::Items | RulePath::Entries => {}
            }
        }
    }

    fn branch(
        &mut self,
        place: JudgedValue<'_, 'a>,
        branch: &'a Branch,
        round: &mut Round<'_, 'a>,
    ) {
        for rule in branch.rules.iter().filter(|at| round.meant[**at]) {
            let rule = &round.overlay.rules[*rule];
            let is_ready = has_all(place.value, &rule.item_guards)
                && rule.is_about(round.scene.values[3].as_ref())
                && (place.old.is_some() || !rule.needs_old_item);
            if is_ready {
                round.scene.values[2] = Some(place.value.clone());
                round.scene.values[6] = place.old.cloned();
                round.set_old(rule);
                self.rule(place, rule, &round.scene);
            }
        }
        self.branches(place, &branch.below, round);
    }

    fn rule(&mut self, place: JudgedValue<'_, 'a>, rule: &'a CrdRule, scene: &RuleInput<'_, 'a>) {
        let verdict = if rule.is_own() {
            rule.judge(scene, &mut Budget::new())
        } else {
            rule.judge(scene, &mut self.budget)
        };
        let message = match verdict {
            CrdVerdict::Holds
            | CrdVerdict::Unknown
            | CrdVerdict::Failed(EvaluationError::OnlyInCluster(_)) => return,
            CrdVerdict::Refused(message) => message.or_else(|| rule.message.clone()),
            // A value of a wrong type is the schema's to tell.
            CrdVerdict::Failed(_) if rule.is_own() => return,
            CrdVerdict::Failed(error) => Some(format!("has a rule that fails: {error}")),
        };
        let message = message.unwrap_or_else(|| format!("must meet the rule `{}`", rule.text()));
        let mut path = place.trail.path();
        let mut view = place.view;
        let pointed = rule.place.as_ref().unwrap_or(&rule.field);
        let mut place = path.clone();
        place.0.extend(pointed.iter().cloned());
        for step in pointed {
            let next = match step {
                PathStep::Key(key) => view.get(key),
                PathStep::Index(at) => view.items().get(*at).copied(),
            };
            let Some(next) = next else { break };
            view = next;
        }
        path.0.extend(rule.field.iter().cloned());
        let says = if rule.is_own() || path.0.is_empty() {
            message
        } else {
            format!("is refused: {message}")
        };
        let help = rule
            .help
            .clone()
            .unwrap_or_else(|| rule.reason.help().to_owned());
        self.push(path, view, None, rule.reason, &says, help);
        if let Some(last) = self.found.last_mut() {
            last.rule = Some(rule.text().to_owned());
            last.place = place;
        }
    }
}

/// What the rules of one place share.
struct Round<'r, 'a> {
    overlay: &'a Overlay,
    /// Which rules are judged, by position.
    meant: &'r [bool],
    old: Option<&'r CelValue<'a>>,
    scene: RuleInput<'r, 'a>,
}

impl Round<'_, '_> {
    fn set_old(&mut self, rule: &CrdRule) {
        self.scene.values[1] = match (self.old, rule.is_old_optional) {
            (Some(old), true) => Some(CelValue::some(old.clone())),
            (None, true) => Some(CelValue::Optional(None)),
            (old, false) => old.cloned(),
        };
    }
}

/// Whether a map has all these keys; what is no map is left to the rule.
fn has_all(value: &CelValue<'_>, keys: &[Box<str>]) -> bool {
    match value {
        CelValue::Tree(tree) => keys.iter().all(|key| tree.has(key)),
        _ => true,
    }
}
