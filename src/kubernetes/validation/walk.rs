//! Judges an object by overlays.

use super::checks::Check;
use super::keywords::out_of_range;
use super::memo;
use super::overlay::{ListType, Overlay, definition, named};
use super::{Reason, Violation, forms};
use crate::cel::tree::Tree;
use crate::cel::{Budget, Value};
use crate::kubernetes::versions::Minor;
use crate::model::view::View;
use crate::schema::kubernetes::ObjectSchemas;
use crate::yaml::{NodeId, Path, Step};

/// What is known of an object's kind.
#[derive(Clone, Copy, Debug)]
pub enum Known<'s> {
    /// The name of its definition.
    BuiltIn(&'s str),
    /// The overlay of its CRD, and the schemas that its defaults are in.
    Custom(&'s Overlay, &'s ObjectSchemas),
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
/// What only built-in kinds ask of their metadata.
const BUILT_IN_META: &str = "built-in.ObjectMeta";

/// All violations of an object by the newest version of Kubernetes; `old` is the object that it replaces.
pub fn check<'a>(
    object: View<'a>,
    known: Known<'a>,
    old: Option<View<'a>>,
    kind: Kind,
) -> Vec<Violation<'a>> {
    check_as_of(object, known, old, kind, Minor::MAX)
}

/// All violations of an object by a version of Kubernetes, in the order of the rules.
pub fn check_as_of<'a>(
    object: View<'a>,
    known: Known<'a>,
    old: Option<View<'a>>,
    kind: Kind,
    minor: Minor,
) -> Vec<Violation<'a>> {
    let custom = match known {
        Known::Custom(_, schemas) => Some(schemas),
        Known::BuiltIn(_) | Known::Nothing => None,
    };
    let root = Value::Tree(Tree::as_sent(object, custom));
    let old = old.map(|old| Value::Tree(Tree::as_sent(old, custom)));
    let mut judge = Judge {
        root: root.clone(),
        kind,
        minor: minor.min(Minor::MAX - 1),
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
        Known::Custom(overlay, _) => Some(overlay),
        Known::Nothing => None,
    };
    let meta = match known {
        Known::BuiltIn(_) => BUILT_IN_META,
        Known::Custom(..) | Known::Nothing => OBJECT_META,
    };
    if let Some(meta) = named(meta) {
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

pub(super) struct Judge<'a> {
    pub(super) root: Value<'a>,
    pub(super) kind: Kind,
    pub(super) minor: Minor,
    pub(super) found: Vec<Violation<'a>>,
    pub(super) steps: usize,
    /// What the rules of a CRD may cost for an object.
    pub(super) budget: Budget<'a>,
}

/// A value that is judged.
#[derive(Clone, Copy)]
pub(super) struct Place<'p, 'a> {
    pub(super) value: &'p Value<'a>,
    pub(super) old: Option<&'p Value<'a>>,
    /// Where it stands, or the nearest place that is written.
    pub(super) view: View<'a>,
    pub(super) trail: &'p Trail<'p>,
}

/// The way from the root; made into a path when there is something to tell.
pub(super) enum Trail<'p> {
    Root,
    Key(&'p Trail<'p>, &'p str),
    Index(&'p Trail<'p>, usize),
}

impl Trail<'_> {
    pub(super) fn path(&self) -> Path {
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

    pub(super) fn push(
        &mut self,
        path: Path,
        view: View<'a>,
        key: Option<NodeId>,
        reason: Reason,
        says: &str,
        help: String,
    ) {
        self.found.push(Violation {
            place: path.clone(),
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
        let Some(reference) = overlay.reference else {
            return;
        };
        let inner = definition(reference);
        if self.kind != Kind::All || place.old.is_some() || !inner.is_container {
            return self.value(place, inner, depth + 1);
        }
        let key = memo::container((reference, self.minor), place.view);
        if memo::is_right(key) {
            if let Some(variables) = inner.property(memo::OF_TENANTS) {
                self.field(place, memo::OF_TENANTS, variables);
            }
            return;
        }
        let before = self.found.len();
        self.value(place, inner, depth + 1);
        if self.found.len() == before && self.steps < MAX_STEPS {
            memo::remember(key);
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
                    violation.says = if violation.says.starts_with("cannot be ") {
                        format!("cannot have the key `{}`", field.key)
                    } else {
                        format!("has a key that {}", violation.says)
                    };
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
}

/// The value of a key, if this is a map that has it.
pub(super) fn below<'a>(value: &Value<'a>, key: &str) -> Option<Value<'a>> {
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
pub(super) fn old_item<'a>(
    old: &Value<'a>,
    item: &Value<'a>,
    list: &ListType,
) -> Option<Value<'a>> {
    let ListType::Map(_) = list else { return None };
    let items = old.items()?;
    items
        .iter()
        .find(|old| is_same_item(old, item, list))
        .cloned()
}
