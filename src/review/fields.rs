//! Which fields of two trees differ.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use super::lists;
use super::noise::ValueComparison;
use crate::model::change::Object;
use tenantry_engine::view::{Shape, View};
use tenantry_kubernetes::defaults::{Stored, StoredPart};
use tenantry_kubernetes::field_path::{FieldPath, FieldStep};
use tenantry_kubernetes::schemas::{ObjectSchemas, built_in};

/// A field that differs.
#[derive(Clone, Debug)]
pub struct Difference<'a> {
    /// Which field.
    pub path: FieldPath,
    /// What is there in the base.
    pub before: Option<View<'a>>,
    /// What is there in the head.
    pub after: Option<View<'a>>,
    /// The position of an item that was added to a list whose order means something.
    pub position: Option<usize>,
    /// The keys of the items in both orders, where only the order differs.
    pub orders: Option<[Vec<String>; 2]>,
}

/// The fields of an object that differ, in the order in which they are written. `custom` has the schemas of custom
/// resources.
pub fn of_objects<'a>(
    before: &'a Object,
    after: &'a Object,
    custom: Option<&'a ObjectSchemas>,
) -> Vec<Difference<'a>> {
    let built_in = is_built_in(&after.api_version);
    let form = ValueComparison {
        kind: &after.kind,
        rule: &|path: &FieldPath| lists::of_object(&after.kind, built_in, path),
    };
    let stored = |object: &'a Object| Stored::written(StoredPart::object(object.root(), custom));
    let mut found = Vec::new();
    let path = FieldPath::default();
    form.values(&stored(before), &stored(after), &path, &mut found);
    found
}

/// The fields of a document of ours that differ.
pub fn of_documents<'a>(before: View<'a>, after: View<'a>) -> Vec<Difference<'a>> {
    let form = ValueComparison {
        kind: "",
        rule: &lists::of_document,
    };
    let stored = |view| Stored::written(StoredPart::unknown(view));
    let mut found = Vec::new();
    let path = FieldPath::default();
    form.map(&stored(before), &stored(after), &path, &mut found);
    found
}

/// An object in a form in which what makes no difference is not there.
pub fn canonical_object(object: &Object) -> serde_json::Value {
    let built_in = is_built_in(&object.api_version);
    let form = ValueComparison {
        kind: &object.kind,
        rule: &|path: &FieldPath| lists::of_object(&object.kind, built_in, path),
    };
    let stored = Stored::written(StoredPart::object(object.root(), None));
    form.canonical(&stored, &FieldPath::default())
}

/// Whether an API is Kubernetes' own, so that its lists are known.
pub fn is_built_in(api_version: &str) -> bool {
    built_in().has_api(api_version)
}

impl ValueComparison<'_> {
    fn values<'a>(
        &self,
        before: &Stored<'a>,
        after: &Stored<'a>,
        path: &FieldPath,
        found: &mut Vec<Difference<'a>>,
    ) {
        if before.is_written_as(after) {
            #[cfg(debug_assertions)]
            assert_eq!(self.canonical(before, path), self.canonical(after, path));
            return;
        }
        let same = match (before.written, after.written) {
            // What differs there follows from something else.
            (None, None) => true,
            (Some(_), Some(_)) => match (before.shape(), after.shape()) {
                (Shape::Map, Shape::Map) => return self.map(before, after, path, found),
                (Shape::List, Shape::List) => return self.list(before, after, path, found),
                _ => self.canonical(before, path) == self.canonical(after, path),
            },
            _ => self.canonical(before, path) == self.canonical(after, path),
        };
        if !same {
            found.push(changed(path.clone(), before.written, after.written));
        }
    }

    fn map<'a>(
        &self,
        before: &Stored<'a>,
        after: &Stored<'a>,
        path: &FieldPath,
        found: &mut Vec<Difference<'a>>,
    ) {
        let (old, new) = (before.fields(), after.fields());
        let was: BTreeMap<&str, &Stored<'a>> = old.iter().map(|(key, at)| (&**key, at)).collect();
        let is: BTreeMap<&str, &Stored<'a>> = new.iter().map(|(key, at)| (&**key, at)).collect();
        let only_old = old.iter().filter(|(key, _)| !is.contains_key(&**key));
        for (key, _) in new.iter().chain(only_old) {
            let name = match &**key {
                // As it is written.
                "data" if before.has_written("stringData") || after.has_written("stringData") => {
                    "stringData"
                }
                key => key,
            };
            let path = path.joined(FieldStep::Key(name.into()));
            if self.is_written_by_server(&path) {
                continue;
            }
            match (was.get(&**key), is.get(&**key)) {
                (Some(before), Some(after)) => self.values(before, after, &path, found),
                (Some(one), None) | (None, Some(one)) if self.is_without_effect(one, &path) => {}
                _ => found.push(changed(path, before.place(key), after.place(key))),
            }
        }
    }

    fn list<'a>(
        &self,
        before: &Stored<'a>,
        after: &Stored<'a>,
        path: &FieldPath,
        found: &mut Vec<Difference<'a>>,
    ) {
        let rule = (self.rule)(path);
        let keyed = labelled(before, rule.keys).zip(labelled(after, rule.keys));
        let Some((old, new)) = keyed else {
            if self.canonical(before, path) != self.canonical(after, path) {
                found.push(changed(path.clone(), before.written, after.written));
            }
            return;
        };
        let (was, is): (Labelled<'a>, Labelled<'a>) =
            (old.iter().cloned().collect(), new.iter().cloned().collect());
        for (label, item) in old.iter().filter(|(label, _)| !is.contains_key(label)) {
            let path = item_path(path, label);
            if !self.is_without_effect(item, &path) {
                found.push(changed(path, item.written, None));
            }
        }
        for (position, (label, item)) in new.iter().enumerate() {
            let path = item_path(path, label);
            match was.get(label) {
                Some(before) => self.values(before, item, &path, found),
                None if self.is_without_effect(item, &path) => {}
                None => found.push(Difference {
                    position: rule.ordered.then_some(position),
                    ..changed(path, None, item.written)
                }),
            }
        }
        if rule.ordered {
            let kept = |items: &[(String, Stored<'a>)], others: &Labelled<'a>| {
                let labels = items.iter().map(|(label, _)| label);
                let kept = labels.filter(|label| others.contains_key(*label));
                kept.cloned().collect::<Vec<String>>()
            };
            let orders = [kept(&old, &is), kept(&new, &was)];
            if orders[0] != orders[1] {
                found.push(Difference {
                    orders: Some(orders),
                    ..changed(path.clone(), before.written, after.written)
                });
            }
        }
    }
}

/// Items by what they are called.
type Labelled<'a> = BTreeMap<String, Stored<'a>>;

fn changed<'a>(
    path: FieldPath,
    before: Option<View<'a>>,
    after: Option<View<'a>>,
) -> Difference<'a> {
    Difference {
        path,
        before,
        after,
        position: None,
        orders: None,
    }
}

fn item_path(path: &FieldPath, label: &str) -> FieldPath {
    path.joined(FieldStep::Item(Arc::from(label)))
}

/// The items of a list with what they are called; nothing if the list has no keys, or an item
/// lacks them or shares them with another.
fn labelled<'a>(list: &Stored<'a>, keys: &[&str]) -> Option<Vec<(String, Stored<'a>)>> {
    if keys.is_empty() {
        return None;
    }
    let mut seen = BTreeSet::new();
    let items = list.items().into_iter();
    let items = items.map(|item| Some((lists::label(&item, keys)?, item)));
    let items: Vec<(String, Stored<'a>)> = items.collect::<Option<_>>()?;
    items
        .iter()
        .all(|(label, _)| seen.insert(label.clone()))
        .then_some(items)
}
