//! Which fields of two trees differ.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use super::lists::{self, ListRule};
use super::noise::{amount, canonical, is_default, is_written_by_server};
use crate::model::change::{FieldPath, Object, Step};
use crate::model::view::{FieldView, Shape, View};
use crate::schema::kubernetes::built_in;

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

/// How two trees are compared.
struct Comparison<'r> {
    built_in: bool,
    rule: &'r dyn Fn(&FieldPath) -> ListRule,
}

/// The fields of an object that differ, in the order in which they are written.
pub fn of_objects<'a>(before: &'a Object, after: &'a Object) -> Vec<Difference<'a>> {
    let built_in = is_built_in(&after.api_version);
    let rule = |path: &FieldPath| lists::of_object(&after.kind, built_in, path);
    let comparison = Comparison {
        built_in,
        rule: &rule,
    };
    let mut found = Vec::new();
    comparison.map(
        before.root(),
        after.root(),
        &FieldPath::default(),
        &mut found,
    );
    found
}

/// The fields of a document of ours that differ.
pub fn of_documents<'a>(before: View<'a>, after: View<'a>) -> Vec<Difference<'a>> {
    let comparison = Comparison {
        built_in: false,
        rule: &lists::of_document,
    };
    let mut found = Vec::new();
    comparison.map(before, after, &FieldPath::default(), &mut found);
    found
}

/// An object in a form in which what makes no difference is not there.
pub fn canonical_object(object: &Object) -> serde_json::Value {
    let built_in = is_built_in(&object.api_version);
    let rule = |path: &FieldPath| lists::of_object(&object.kind, built_in, path);
    canonical(object.root(), &FieldPath::default(), built_in, &rule)
}

/// Whether an API is Kubernetes' own, so that its defaults are known.
pub fn is_built_in(api_version: &str) -> bool {
    built_in().has_api(api_version)
}

impl Comparison<'_> {
    fn values<'a>(
        &self,
        before: View<'a>,
        after: View<'a>,
        path: &FieldPath,
        found: &mut Vec<Difference<'a>>,
    ) {
        let same = match (before.shape(), after.shape()) {
            (Shape::Map, Shape::Map) => return self.map(before, after, path, found),
            (Shape::List, Shape::List) => return self.list(before, after, path, found),
            (Shape::Text(a), Shape::Text(b)) if a == b => true,
            (Shape::Int(a), Shape::Int(b)) if a == b => true,
            (Shape::Bool(a), Shape::Bool(b)) => a == b,
            (Shape::Float(a), Shape::Float(b)) => a.to_bits() == b.to_bits(),
            (Shape::Null, Shape::Null) => true,
            (Shape::Map | Shape::List, _) | (_, Shape::Map | Shape::List) => false,
            _ if self.built_in => {
                let amounts = (amount(before, path), amount(after, path));
                amounts.0.is_some() && amounts.0 == amounts.1
            }
            _ => false,
        };
        if !same {
            found.push(changed(path.clone(), Some(before), Some(after)));
        }
    }

    fn map<'a>(
        &self,
        before: View<'a>,
        after: View<'a>,
        path: &FieldPath,
        found: &mut Vec<Difference<'a>>,
    ) {
        let (old, new) = (before.fields(), after.fields());
        let by_key = |fields: &'_ [FieldView<'a>]| -> BTreeMap<String, View<'a>> {
            let fields = fields.iter();
            fields
                .map(|field| (field.key.to_string(), field.value))
                .collect()
        };
        let (was, is) = (by_key(&old), by_key(&new));
        let only_old = old.iter().filter(|field| !is.contains_key(&*field.key));
        for field in new.iter().chain(only_old) {
            let path = path.joined(Step::Key(field.key.as_ref().into()));
            if is_written_by_server(&path) {
                continue;
            }
            match (was.get(&*field.key), is.get(&*field.key)) {
                (Some(before), Some(after)) => self.values(*before, *after, &path, found),
                (Some(one), None) | (None, Some(one))
                    if self.built_in && is_default(*one, &path) => {}
                (before, after) => found.push(changed(path, before.copied(), after.copied())),
            }
        }
    }

    fn list<'a>(
        &self,
        before: View<'a>,
        after: View<'a>,
        path: &FieldPath,
        found: &mut Vec<Difference<'a>>,
    ) {
        let rule = (self.rule)(path);
        let keyed = labelled(before, rule.keys).zip(labelled(after, rule.keys));
        let Some((old, new)) = keyed else {
            let canonical = |view| canonical(view, path, self.built_in, self.rule);
            if canonical(before) != canonical(after) {
                found.push(changed(path.clone(), Some(before), Some(after)));
            }
            return;
        };
        let index = |items: &[(String, View<'a>)]| -> BTreeMap<String, View<'a>> {
            items.iter().cloned().collect()
        };
        let (was, is) = (index(&old), index(&new));
        for (label, item) in old.iter().filter(|(label, _)| !is.contains_key(label)) {
            found.push(changed(item_path(path, label), Some(*item), None));
        }
        for (position, (label, item)) in new.iter().enumerate() {
            match was.get(label) {
                Some(before) => self.values(*before, *item, &item_path(path, label), found),
                None => found.push(Difference {
                    position: rule.ordered.then_some(position),
                    ..changed(item_path(path, label), None, Some(*item))
                }),
            }
        }
        if rule.ordered {
            let kept = |items: &[(String, View<'a>)], others: &BTreeMap<String, View<'a>>| {
                let labels = items.iter().map(|(label, _)| label);
                let kept = labels.filter(|label| others.contains_key(*label));
                kept.cloned().collect::<Vec<String>>()
            };
            let orders = [kept(&old, &is), kept(&new, &was)];
            if orders[0] != orders[1] {
                found.push(Difference {
                    orders: Some(orders),
                    ..changed(path.clone(), Some(before), Some(after))
                });
            }
        }
    }
}

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
    path.joined(Step::Item(Arc::from(label)))
}

/// The items of a list with what they are called; nothing if the list has no keys, or an item
/// lacks them or shares them with another.
fn labelled<'a>(list: View<'a>, keys: &[&str]) -> Option<Vec<(String, View<'a>)>> {
    if keys.is_empty() {
        return None;
    }
    let mut seen = BTreeSet::new();
    let items = list.items().into_iter();
    let items = items.map(|item| Some((lists::label(item, keys)?, item)));
    let items: Vec<(String, View<'a>)> = items.collect::<Option<_>>()?;
    items
        .iter()
        .all(|(label, _)| seen.insert(label.clone()))
        .then_some(items)
}
