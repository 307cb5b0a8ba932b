//! Judges an object by overlays.

use std::cell::RefCell;

use serde_json::Value as Json;

use super::checks::Check;
use super::forms::Form;
use super::overlay::{Bounds, ListType, Overlay, definition, named};
use super::rule::{Rule, Scene, Verdict, Way};
use super::{Reason, Violation, forms};
use crate::cel::tree::Tree;
use crate::cel::{Budget, Error, Value};
use crate::diagnostics::{list_names, suggest};
use crate::model::view::View;
use crate::yaml::{NodeId, Path, Step};

/// What is known of an object's kind.
#[derive(Clone, Copy, Debug)]
pub enum Known<'s> {
    /// The name of its definition.
    BuiltIn(&'s str),
    /// The overlay of its CRD.
    Custom(&'s Overlay),
    /// Only that it is an object.
    Nothing,
}

/// Which rules are judged.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// All.
    All,
    /// Those that compare with an old object.
    Transitions,
}

/// Most values of an object that are judged, and deepest nesting of them.
const MAX_STEPS: usize = 1_000_000;
const MAX_DEPTH: usize = 100;
const OBJECT_META: &str = "io.k8s.apimachinery.pkg.apis.meta.v1.ObjectMeta";

/// All violations of an object, in the order of the rules; `old` is the object that it replaces.
pub fn check<'a>(
    object: View<'a>,
    known: Known<'a>,
    old: Option<View<'a>>,
    kind: Kind,
) -> Vec<Violation<'a>> {
    let root = Value::Tree(Tree::as_sent(object));
    let old = old.map(|old| Value::Tree(Tree::as_sent(old)));
    let mut judge = Judge {
        root: root.clone(),
        kind,
        found: Vec::new(),
        steps: 0,
        budget: Budget::new(),
    };
    let place = Place {
        value: &root,
        old: old.as_ref(),
        view: object,
        trail: &Trail::Root,
    };
    let overlay = match known {
        Known::BuiltIn(name) => named(name),
        Known::Custom(overlay) => Some(overlay),
        Known::Nothing => None,
    };
    if !matches!(known, Known::BuiltIn(_))
        && let Some(meta) = named(OBJECT_META)
    {
        judge.field(place, "metadata", meta);
    }
    if let Some(overlay) = overlay {
        judge.value(place, overlay, 0);
    }
    let metadata = overlay.and_then(|overlay| overlay.property("metadata"));
    let name = metadata.and_then(|metadata| metadata.property("name"));
    if kind == Kind::All {
        judge.name(object, name.is_some());
    }
    judge.found
}

/// Judges the rules of one place of an object, such as its pod; keys lead there.
pub(super) fn rules_of<'a>(
    object: View<'a>,
    keys: &[&str],
    overlay: &'a Overlay,
    found: &mut Vec<Violation<'a>>,
) {
    let root = Value::Tree(Tree::as_sent(object));
    let value = keys.iter().try_fold(root, |value, key| below(&value, key));
    let (Some(value), Some(place)) = (value, object.at(keys)) else {
        return;
    };
    let mut judge = Judge {
        root: Value::Tree(Tree::of(object)),
        kind: Kind::All,
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

struct Judge<'a> {
    root: Value<'a>,
    kind: Kind,
    found: Vec<Violation<'a>>,
    steps: usize,
    /// What the rules of a CRD may cost for an object.
    budget: Budget<'a>,
}

/// A value that is judged.
#[derive(Clone, Copy)]
struct Place<'p, 'a> {
    value: &'p Value<'a>,
    old: Option<&'p Value<'a>>,
    /// Where it stands, or the nearest place that is written.
    view: View<'a>,
    trail: &'p Trail<'p>,
}

/// The way from the root; made into a path when there is something to tell.
enum Trail<'p> {
    Root,
    Key(&'p Trail<'p>, &'p str),
    Index(&'p Trail<'p>, usize),
}

impl Trail<'_> {
    fn path(&self) -> Path {
        let mut steps = Vec::new();
        let mut trail = self;
        loop {
            trail = match trail {
                Trail::Root => break,
                Trail::Key(before, key) => {
                    steps.push(Step::from(*key));
                    before
                }
                Trail::Index(before, at) => {
                    steps.push(Step::Index(*at));
                    before
                }
            };
        }
        steps.reverse();
        Path(steps)
    }
}

impl<'a> Judge<'a> {
    fn report(&mut self, place: Place<'_, 'a>, reason: Reason, says: &str, help: String) {
        let path = place.trail.path();
        self.push(path, place.view, None, reason, says, help);
    }

    fn push(
        &mut self,
        path: Path,
        view: View<'a>,
        key: Option<NodeId>,
        reason: Reason,
        says: &str,
        help: String,
    ) {
        self.found.push(Violation {
            path,
            view,
            key,
            reason,
            says: says.to_owned(),
            help,
            rule: None,
        });
    }

    /// The name of an object; its form, where the kind says nothing of it.
    fn name(&mut self, object: View<'a>, has_form: bool) {
        let metadata = object.get("metadata");
        let text = |key| {
            metadata
                .map(|view| view.text_at(&[key]))
                .unwrap_or_default()
        };
        let path = |key: &str| Path(vec!["metadata".into(), key.into()]);
        let view = metadata.unwrap_or(object);
        if text("name").is_empty() && text("generateName").is_empty() {
            let help = "add `metadata.name`".to_owned();
            self.push(
                path("name"),
                view,
                None,
                Reason::Required,
                "is missing",
                help,
            );
        }
        if has_form {
            return;
        }
        for (key, form) in [
            ("name", "dns1123-subdomain"),
            ("generateName", "dns1123-subdomain-prefix"),
        ] {
            let (text, Some(form)) = (text(key), forms::find(form)) else {
                continue;
            };
            if !text.is_empty() && !(form.is)(&text) {
                let view = view.get(key).unwrap_or(view);
                let (says, help) = (
                    format!("cannot be `{text}`"),
                    format!("write {}", form.expected),
                );
                self.push(path(key), view, None, Reason::Invalid, &says, help);
            }
        }
    }

    fn field(&mut self, place: Place<'_, 'a>, name: &str, overlay: &'a Overlay) {
        let Value::Tree(tree) = place.value else {
            return;
        };
        let (Some(value), Some(view)) = (tree.get(name), tree.place(name)) else {
            return;
        };
        let old = place.old.and_then(|old| below(old, name));
        let trail = Trail::Key(place.trail, name);
        self.value(
            Place {
                value: &value,
                old: old.as_ref(),
                view,
                trail: &trail,
            },
            overlay,
            1,
        );
    }

    fn value(&mut self, place: Place<'_, 'a>, overlay: &'a Overlay, depth: usize) {
        if depth > MAX_DEPTH || self.steps > MAX_STEPS {
            return;
        }
        self.steps += 1;
        if self.kind == Kind::All {
            self.keywords(place, overlay);
        }
        if !overlay.rules.is_empty() {
            self.rules(place, overlay);
        }
        if self.kind == Kind::All {
            for check in &overlay.checks {
                self.check(place, *check);
            }
        }
        if let Value::Tree(tree) = place.value {
            if tree.is_list() {
                self.list(place, tree, overlay, depth);
            } else {
                self.map(place, tree, overlay, depth);
            }
        }
        if let Some(reference) = overlay.reference {
            self.value(place, definition(reference), depth + 1);
        }
    }

    fn map(&mut self, place: Place<'_, 'a>, tree: &Tree<'a>, overlay: &'a Overlay, depth: usize) {
        if overlay.properties.is_empty() && overlay.additional.is_none() && overlay.keys.is_none() {
            return;
        }
        for field in tree.view.fields() {
            let trail = Trail::Key(place.trail, &field.key);
            if let (Some(keys), Kind::All) = (&overlay.keys, self.kind) {
                let key = Value::text(&*field.key);
                let before = self.found.len();
                self.keywords(
                    Place {
                        value: &key,
                        old: None,
                        view: field.value,
                        trail: &trail,
                    },
                    keys,
                );
                for violation in &mut self.found[before..] {
                    violation.key = field.key_id.is_input().then_some(field.key_id);
                    violation.path = place.trail.path();
                    violation.says =
                        format!("has the key `{}`, which {}", field.key, violation.says);
                }
            }
            let inner = overlay
                .property(&field.key)
                .or(overlay.additional.as_deref());
            let Some(inner) = inner else { continue };
            let Some(value) = tree.get(&field.key) else {
                continue;
            };
            let old = place.old.and_then(|old| below(old, &field.key));
            let inside = Place {
                value: &value,
                old: old.as_ref(),
                view: field.value,
                trail: &trail,
            };
            self.value(inside, inner, depth + 1);
        }
    }

    fn list(&mut self, place: Place<'_, 'a>, tree: &Tree<'a>, overlay: &'a Overlay, depth: usize) {
        let is_atomic = matches!(overlay.list, ListType::Atomic);
        if overlay.items.is_none() && is_atomic {
            return;
        }
        let (items, views) = (tree.items(), tree.view.items());
        if self.kind == Kind::All && !is_atomic && items.len() > 1 {
            self.duplicates(place, &items, &views, &overlay.list);
        }
        let Some(inner) = &overlay.items else { return };
        for (at, (value, view)) in items.iter().zip(views).enumerate() {
            let old = place
                .old
                .and_then(|old| old_item(old, value, &overlay.list));
            let trail = Trail::Index(place.trail, at);
            self.value(
                Place {
                    value,
                    old: old.as_ref(),
                    view,
                    trail: &trail,
                },
                inner,
                depth + 1,
            );
        }
    }

    fn duplicates(
        &mut self,
        place: Place<'_, 'a>,
        items: &[Value<'a>],
        views: &[View<'a>],
        list: &ListType,
    ) {
        for (at, item) in items.iter().enumerate() {
            if items[..at]
                .iter()
                .any(|before| is_same_item(before, item, list))
            {
                let trail = Trail::Index(place.trail, at);
                let (view, path) = (views[at], trail.path());
                let (path, view) = match list {
                    ListType::Map(keys) if keys.len() == 1 => {
                        (path.join(&*keys[0]), view.get(&keys[0]).unwrap_or(view))
                    }
                    _ => (path, view),
                };
                let what = view
                    .text()
                    .map(|text| format!(": `{text}`"))
                    .unwrap_or_default();
                let says = format!("is there twice{what}");
                self.push(
                    path,
                    view,
                    None,
                    Reason::Duplicate,
                    &says,
                    Reason::Duplicate.help().to_owned(),
                );
            }
        }
    }

    /// What needs no expression.
    fn keywords(&mut self, place: Place<'_, 'a>, overlay: &Overlay) {
        if let Value::Tree(tree) = place.value {
            for required in &overlay.required {
                if tree.get(required).is_none() {
                    let path = place.trail.path().join(&**required);
                    let help = format!("add `{required}`");
                    self.push(path, place.view, None, Reason::Required, "is missing", help);
                }
            }
            if let Some(bounds) = &overlay.bounds {
                let (range, unit) = if tree.is_list() {
                    (bounds.items, "items")
                } else {
                    (bounds.properties, "entries")
                };
                if let Some(range) = out_of_range(tree.len(), range, unit) {
                    let reason = if tree.len() > 1 {
                        Reason::TooMany
                    } else {
                        Reason::Required
                    };
                    self.report(
                        place,
                        reason,
                        &format!("must have {range}"),
                        format!("write {range}"),
                    );
                }
            }
            return;
        }
        if let Some((reason, says, help)) = overlay.scalar(place.value) {
            self.report(place, reason, &says, help);
        }
    }

    fn rules(&mut self, place: Place<'_, 'a>, overlay: &'a Overlay) {
        let known = RefCell::new(vec![None; overlay.variables.len()]);
        for rule in &overlay.rules {
            if !rule.is_transition && self.kind == Kind::Transitions {
                continue;
            }
            let old = match (place.old, rule.is_old_optional) {
                (Some(old), true) => Some(Value::some(old.clone())),
                (None, true) if rule.is_transition => Some(Value::Optional(None)),
                (None, _) if rule.is_transition => continue,
                (old, _) => old.cloned(),
            };
            let is_there = |name: &str| match place.value {
                Value::Tree(tree) => tree.get(name).is_some(),
                _ => true,
            };
            if rule.guards.iter().any(|guard| !is_there(guard)) {
                continue;
            }
            let mut scene = Scene {
                values: [
                    Some(place.value.clone()),
                    old,
                    None,
                    None,
                    None,
                    Some(self.root.clone()),
                    None,
                ],
                variables: &overlay.variables,
                known: &known,
            };
            if rule.places.is_empty() {
                self.rule(place, rule, &scene);
            }
            for ways in &rule.places {
                self.each(place, ways, rule, &mut scene);
            }
        }
    }

    /// Judges a rule for each place that is meant.
    fn each(
        &mut self,
        place: Place<'_, 'a>,
        ways: &[Way],
        rule: &'a Rule,
        scene: &mut Scene<'_, 'a>,
    ) {
        let Some((way, rest)) = ways.split_first() else {
            scene.values[2] = Some(place.value.clone());
            scene.values[6] = place.old.cloned();
            if rule.text().contains("oldItem") && place.old.is_none() {
                return;
            }
            return self.rule(place, rule, scene);
        };
        let Value::Tree(tree) = place.value else {
            return;
        };
        match way {
            Way::Field(name) => {
                let (Some(value), Some(view)) = (tree.get(name), tree.place(name)) else {
                    return;
                };
                let old = place.old.and_then(|old| below(old, name));
                let trail = Trail::Key(place.trail, name);
                self.each(
                    Place {
                        value: &value,
                        old: old.as_ref(),
                        view,
                        trail: &trail,
                    },
                    rest,
                    rule,
                    scene,
                );
            }
            Way::Items if tree.is_list() => {
                let by_name = ListType::Map(vec!["name".into()]);
                for (at, (value, view)) in tree.items().iter().zip(tree.view.items()).enumerate() {
                    let old = place.old.and_then(|old| old_item(old, value, &by_name));
                    let trail = Trail::Index(place.trail, at);
                    scene.values[4] = Some(Value::Int(i64::try_from(at).unwrap_or(i64::MAX)));
                    self.each(
                        Place {
                            value,
                            old: old.as_ref(),
                            view,
                            trail: &trail,
                        },
                        rest,
                        rule,
                        scene,
                    );
                }
            }
            Way::Entries if !tree.is_list() => {
                for field in tree.view.fields() {
                    let Some(value) = tree.get(&field.key) else {
                        continue;
                    };
                    let old = place.old.and_then(|old| below(old, &field.key));
                    let trail = Trail::Key(place.trail, &field.key);
                    scene.values[3] = Some(Value::text(&*field.key));
                    let inside = Place {
                        value: &value,
                        old: old.as_ref(),
                        view: field.value,
                        trail: &trail,
                    };
                    self.each(inside, rest, rule, scene);
                }
            }
            Way::Items | Way::Entries => {}
        }
    }

    fn check(&mut self, place: Place<'_, 'a>, check: Check) {
        for found in check(&place.view.to_json()) {
            let mut path = place.trail.path();
            let mut view = Some(place.view);
            let mut nearest = place.view;
            for step in &found.place {
                view = view.and_then(|view| match step {
                    Step::Key(key) => view.get(key),
                    Step::Index(at) => view.items().get(*at).copied(),
                });
                nearest = view.unwrap_or(nearest);
            }
            path.0.extend(found.field);
            self.push(path, nearest, None, found.reason, &found.says, found.help);
        }
    }

    fn rule(&mut self, place: Place<'_, 'a>, rule: &'a Rule, scene: &Scene<'_, 'a>) {
        let verdict = if rule.is_own {
            rule.judge(scene, &mut Budget::new())
        } else {
            rule.judge(scene, &mut self.budget)
        };
        let message = match verdict {
            Verdict::Holds | Verdict::Unknown | Verdict::Failed(Error::OnlyInCluster(_)) => return,
            Verdict::Refused(message) => message.or_else(|| rule.message.clone()),
            // A value of a wrong type is the schema's to tell.
            Verdict::Failed(_) if rule.is_own => return,
            Verdict::Failed(error) => Some(format!("has a rule that fails: {error}")),
        };
        let message = message.unwrap_or_else(|| format!("must meet the rule `{}`", rule.text()));
        let mut path = place.trail.path();
        let mut view = place.view;
        let place = rule.place.as_ref().unwrap_or(&rule.field);
        for step in place {
            let next = match step {
                Step::Key(key) => view.get(key),
                Step::Index(at) => view.items().get(*at).copied(),
            };
            let Some(next) = next else { break };
            view = next;
        }
        path.0.extend(rule.field.iter().cloned());
        let says = if rule.is_own || path.0.is_empty() {
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
        }
    }
}

impl Overlay {
    /// What is wrong with a scalar: the reason, what to say, and what to write.
    fn scalar(&self, value: &Value<'_>) -> Option<(Reason, String, String)> {
        let text = match value {
            Value::Text(text) => text.as_str().to_owned(),
            Value::Null => return None,
            other => other.to_json().to_string(),
        };
        if !self.allowed.is_empty() {
            let json = value.to_json();
            if !self.allowed.contains(&json) {
                let allowed: Vec<&str> = self
                    .allowed
                    .iter()
                    .filter_map(Json::as_str)
                    .filter(|one| !one.is_empty())
                    .collect();
                let help = suggest(&text, allowed.iter().copied()).unwrap_or_else(|| {
                    format!("write one of {}", list_names(allowed.iter().copied()))
                });
                return Some((Reason::NotSupported, format!("cannot be `{text}`"), help));
            }
        }
        if let Some(most) = self.form.and_then(|form| form.most)
            && text.len() > most
        {
            let says = format!(
                "has {} characters, and {most} are allowed: `{text}`",
                text.len()
            );
            return Some((Reason::Invalid, says, "shorten it".to_owned()));
        }
        let has_form = |form: &Form| match (value, form.number) {
            (Value::Int(number), Some(is)) => is(*number),
            _ => (form.is)(&text),
        };
        if let Some(form) = self.form
            && !has_form(form)
        {
            return Some((
                Reason::Invalid,
                format!("cannot be `{text}`"),
                format!("write {}", form.expected),
            ));
        }
        if let Some(pattern) = &self.pattern
            && !pattern.is_match(&text)
        {
            return Some((
                Reason::Invalid,
                format!("cannot be `{text}`"),
                format!("write text of the form `{pattern}`"),
            ));
        }
        let bounds = self.bounds.as_deref()?;
        if let Value::Text(text) = value {
            let count = text.as_str().chars().count();
            let range = out_of_range(count, bounds.length, "characters")?;
            let reason = if count == 0 {
                Reason::Required
            } else {
                Reason::TooLong
            };
            return Some((
                reason,
                format!("must have {range}, and has {count}"),
                format!("write {range}"),
            ));
        }
        #[allow(clippy::cast_precision_loss, reason = "bounds are small")]
        let number = match value {
            Value::Int(number) => *number as f64,
            Value::Double(number) => *number,
            _ => return None,
        };
        let range = bounds.refuses(number)?;
        Some((
            Reason::Invalid,
            format!("must be {range}, and is {text}"),
            format!("write a number that is {range}"),
        ))
    }
}

impl Bounds {
    /// The range that a number is not in.
    fn refuses(&self, number: f64) -> Option<String> {
        if self.above.is_some_and(|above| number <= above) {
            return Some(format!("greater than {}", self.above.unwrap_or_default()));
        }
        if self.below.is_some_and(|below| number >= below) {
            return Some(format!("less than {}", self.below.unwrap_or_default()));
        }
        if let Some(factor) = self.multiple_of.filter(|factor| *factor != 0.0)
            && (number / factor).fract() != 0.0
        {
            return Some(format!("a multiple of {factor}"));
        }
        let is_low = self.minimum.is_some_and(|minimum| number < minimum);
        let is_high = self.maximum.is_some_and(|maximum| number > maximum);
        match (self.minimum, self.maximum) {
            _ if !is_low && !is_high => None,
            (Some(minimum), Some(maximum)) => Some(format!("from {minimum} to {maximum}")),
            (Some(minimum), None) => Some(format!("{minimum} or more")),
            (None, Some(maximum)) => Some(format!("at most {maximum}")),
            (None, None) => None,
        }
    }
}

fn out_of_range(
    count: usize,
    (least, most): (Option<usize>, Option<usize>),
    unit: &str,
) -> Option<String> {
    let named = |bound: usize| match (unit, bound) {
        ("entries", 1) => "entry".to_owned(),
        (unit, 1) => unit.trim_end_matches('s').to_owned(),
        (unit, _) => unit.to_owned(),
    };
    if let Some(least) = least.filter(|least| count < *least) {
        return Some(format!("at least {least} {}", named(least)));
    }
    let most = most.filter(|most| count > *most)?;
    Some(format!("at most {most} {}", named(most)))
}

/// The value of a key, if this is a map that has it.
fn below<'a>(value: &Value<'a>, key: &str) -> Option<Value<'a>> {
    match value {
        Value::Tree(tree) if !tree.is_list() => tree.get(key),
        _ => None,
    }
}

fn is_same_item<'a>(a: &Value<'a>, b: &Value<'a>, list: &ListType) -> bool {
    match list {
        ListType::Atomic => false,
        ListType::Set => a.equals(b) == Ok(true),
        ListType::Map(keys) => {
            let mut is_any = false;
            keys.iter().all(|key| match (below(a, key), below(b, key)) {
                (Some(a), Some(b)) => {
                    is_any = true;
                    a.equals(&b) == Ok(true)
                }
                (None, None) => true,
                _ => false,
            }) && is_any
        }
    }
}

/// The item of an old list that another item replaces.
fn old_item<'a>(old: &Value<'a>, item: &Value<'a>, list: &ListType) -> Option<Value<'a>> {
    let ListType::Map(_) = list else { return None };
    let items = old.items()?;
    items
        .iter()
        .find(|old| is_same_item(old, item, list))
        .cloned()
}
