//! Judges rules at the places that they are meant for.

use std::cell::RefCell;

use super::Violation;
use super::memo;
use super::overlay::{Branch, ListType, Overlay};
use super::rule::{Rule, Scene, Verdict, Way};
use super::walk::{Judge, Kind, Place, Trail, below, old_item};
use crate::cel::tree::Tree;
use crate::cel::{Budget, Error, Value};
use crate::kubernetes::versions::Minor;
use crate::model::view::View;
use crate::yaml::Step;

/// Judges the rules of one place of an object, such as its pod; keys lead there.
pub(super) fn rules_of<'a>(
    object: View<'a>,
    keys: &[&str],
    overlay: &'a Overlay,
    found: &mut Vec<Violation<'a>>,
) {
    let root = Value::Tree(Tree::as_sent(object, None));
    let value = keys
        .iter()
        .try_fold(root.clone(), |value, key| below(&value, key));
    let (Some(value), Some(place)) = (value, object.at(keys)) else {
        return;
    };
    let mut judge = Judge {
        root: root.clone(),
        kind: Kind::All,
        minor: Minor::MAX - 1,
        found: std::mem::take(found),
        steps: 0,
        budget: Budget::new(),
    };
    let place = Place {
        value: &value,
        old: None,
        view: place,
        trail: &Trail::Root,
    };
    judge.rules(place, overlay);
    *found = judge.found;
}

impl<'a> Judge<'a> {
    /// Judges the rules of a place: those of the place itself, then those of places below it.
    pub(super) fn rules(&mut self, place: Place<'_, 'a>, overlay: &'a Overlay) {
        // The claims of a StatefulSet count as volumes of its pods.
        let is_known = overlay.is_pod
            && self.kind == Kind::All
            && place.old.is_none()
            && below(&self.root, "kind").is_some_and(|kind| kind.as_str() != Some("StatefulSet"));
        if !is_known {
            return self.rules_at(place, overlay);
        }
        let key = memo::pod(("PodSpec", self.minor, 0), None, place.view);
        if memo::is_right(key) {
            return;
        }
        let before = self.found.len();
        self.rules_at(place, overlay);
        if self.found.len() == before {
            memo::remember(key);
        }
    }

    fn rules_at(&mut self, place: Place<'_, 'a>, overlay: &'a Overlay) {
        let is_meant = |rule: &Rule| {
            let is_judged = match (rule.is_transition, self.kind) {
                (false, kind) => kind == Kind::All,
                (true, _) => place.old.is_some() || rule.is_old_optional,
            };
            let (since, until) = rule.versions;
            let is_there = since <= self.minor && self.minor < until;
            is_judged && is_there && has_all(place.value, &rule.guards)
        };
        let meant: Vec<bool> = overlay.rules.iter().map(is_meant).collect();
        if !meant.contains(&true) {
            return;
        }
        let known = RefCell::new(vec![None; overlay.variables.len()]);
        let mut scene = Scene {
            values: [const { None }; 7],
            variables: &overlay.variables,
            known: &known,
        };
        scene.values[0] = Some(place.value.clone());
        scene.values[5] = Some(self.root.clone());
        let mut round = Round {
            overlay,
            meant: &meant,
            old: place.old,
            scene,
        };
        for (rule, _) in overlay
            .rules
            .iter()
            .zip(&meant)
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
        place: Place<'_, 'a>,
        branches: &'a [Branch],
        round: &mut Round<'_, 'a>,
    ) {
        let Value::Tree(tree) = place.value else {
            return;
        };
        for branch in branches {
            if !branch.all.iter().any(|at| round.meant[*at]) {
                continue;
            }
            match &branch.way {
                Way::Field(name) => {
                    let (Some(value), Some(view)) = (tree.get(name), tree.place(name)) else {
                        continue;
                    };
                    let old = place.old.and_then(|old| below(old, name));
                    let trail = Trail::Key(place.trail, name);
                    let inside = Place {
                        value: &value,
                        old: old.as_ref(),
                        view,
                        trail: &trail,
                    };
                    self.branch(inside, branch, round);
                }
                Way::Items if tree.is_list() => {
                    for (at, (value, view)) in
                        tree.items().iter().zip(tree.view.items()).enumerate()
                    {
                        let by_name = || ListType::Map(vec!["name".into()]);
                        let old = place.old.and_then(|old| old_item(old, value, &by_name()));
                        let trail = Trail::Index(place.trail, at);
                        round.scene.values[4] =
                            Some(Value::Int(i64::try_from(at).unwrap_or(i64::MAX)));
                        let inside = Place {
                            value,
                            old: old.as_ref(),
                            view,
                            trail: &trail,
                        };
                        self.branch(inside, branch, round);
                    }
                }
                Way::Entries if !tree.is_list() => {
                    for field in tree.view.fields() {
                        let Some(value) = tree.get(&field.key) else {
                            continue;
                        };
                        let old = place.old.and_then(|old| below(old, &field.key));
                        let trail = Trail::Key(place.trail, &field.key);
                        round.scene.values[3] = Some(Value::text(&*field.key));
                        let inside = Place {
                            value: &value,
                            old: old.as_ref(),
                            view: field.value,
                            trail: &trail,
                        };
                        self.branch(inside, branch, round);
                    }
                }
                Way::Items | Way::Entries => {}
            }
        }
    }

    fn branch(&mut self, place: Place<'_, 'a>, branch: &'a Branch, round: &mut Round<'_, 'a>) {
        for rule in branch.rules.iter().filter(|at| round.meant[**at]) {
            let rule = &round.overlay.rules[*rule];
            let is_ready = has_all(place.value, &rule.item_guards)
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

    fn rule(&mut self, place: Place<'_, 'a>, rule: &'a Rule, scene: &Scene<'_, 'a>) {
        let verdict = if rule.is_own() {
            rule.judge(scene, &mut Budget::new())
        } else {
            rule.judge(scene, &mut self.budget)
        };
        let message = match verdict {
            Verdict::Holds | Verdict::Unknown | Verdict::Failed(Error::OnlyInCluster(_)) => return,
            Verdict::Refused(message) => message.or_else(|| rule.message.clone()),
            // A value of a wrong type is the schema's to tell.
            Verdict::Failed(_) if rule.is_own() => return,
            Verdict::Failed(error) => Some(format!("has a rule that fails: {error}")),
        };
        let message = message.unwrap_or_else(|| format!("must meet the rule `{}`", rule.text()));
        let mut path = place.trail.path();
        let mut view = place.view;
        let pointed = rule.place.as_ref().unwrap_or(&rule.field);
        let mut place = path.clone();
        place.0.extend(pointed.iter().cloned());
        for step in pointed {
            let next = match step {
                Step::Key(key) => view.get(key),
                Step::Index(at) => view.items().get(*at).copied(),
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
    old: Option<&'r Value<'a>>,
    scene: Scene<'r, 'a>,
}

impl Round<'_, '_> {
    fn set_old(&mut self, rule: &Rule) {
        self.scene.values[1] = match (self.old, rule.is_old_optional) {
            (Some(old), true) => Some(Value::some(old.clone())),
            (None, true) => Some(Value::Optional(None)),
            (old, false) => old.cloned(),
        };
    }
}

/// Whether a map has all these keys; what is no map is left to the rule.
fn has_all(value: &Value<'_>, keys: &[Box<str>]) -> bool {
    match value {
        Value::Tree(tree) => keys.iter().all(|key| tree.get(key).is_some()),
        _ => true,
    }
}
