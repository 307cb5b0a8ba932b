//! Which object of the base is which of the head, and what differs between the two.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Arc, Mutex, PoisonError};

use super::causes::{Comparer, Traced};
use super::fields;
use crate::model::change::ChangePlace;
use crate::model::change::{Body, Object, ObjectChange, ObjectOperation};
use crate::model::instance::{Unit, UnitKey};
use tenantry_engine::manifest::{Rendered, TemplateScope};
use tenantry_kubernetes::field_path::FieldPath;
use tenantry_kubernetes::object_id::ObjectId;

/// From this share of equal fields on, a removed and an added object are one that was renamed.
const LIKE: f64 = 0.6;
/// Most objects of a kind and place of which each is compared with each.
const MOST_COMPARED: usize = 50;

/// The objects of one side of a unit.
pub fn of_unit(
    unit: &Unit,
    rendered: Vec<Rendered>,
    documents: &Arc<BTreeSet<(String, String)>>,
) -> Vec<Traced> {
    let place = place_of(&unit.key);
    let one = |one: Rendered| {
        let instance = one.instance.and_then(|at| unit.instances.get(at));
        let component = instance.map_or("", |instance| &instance.component);
        let place = ChangePlace {
            component: component.into(),
            ..place.clone()
        };
        Traced {
            object: Object::new(place, Body::Manifest(one.manifest)),
            provenance: Some(unit.provenance()),
            layers: instance.map(|instance| Arc::clone(&instance.layers)),
            documents: Arc::clone(documents),
        }
    };
    // Pages for people say what the objects are; what is only judged is in nobody's output.
    let compared = |one: &Rendered| {
        one.is_written && (one.scope.makes_objects() || one.scope == TemplateScope::ApiServer)
    };
    rendered.into_iter().filter(compared).map(one).collect()
}

/// The place of a unit.
pub fn place_of(key: &UnitKey) -> ChangePlace {
    ChangePlace {
        environment: key.environment.as_str().into(),
        cluster: key.cluster.as_str().into(),
        tenant: key.tenant_name().into(),
        component: "".into(),
    }
}

/// Which sides have errors, so that not all that they should have is there.
#[derive(Clone, Copy, Debug, Default)]
pub struct Incomplete {
    /// The base.
    pub base: bool,
    /// The head.
    pub head: bool,
}

/// Which objects of a base without places belong to what is compared, so that they are removed where the head lacks them.
pub type Belongs<'a> = &'a dyn Fn(&Object) -> bool;

/// Collects what changed, from several threads.
#[derive(Default)]
pub struct Changes {
    state: Mutex<ObjectState>,
}

#[derive(Default)]
struct ObjectState {
    changed: Vec<ObjectChange>,
    /// Objects of the base without their like in the same unit.
    gone: Vec<Traced>,
    /// Objects of the head without their like in the same unit.
    new: Vec<Traced>,
    /// Cluster and namespace of the head's policies that hold for all pods and open nothing.
    closed: BTreeSet<(Arc<str>, String)>,
}

impl Changes {
    /// Compares the objects of a unit.
    pub fn unit(&self, comparer: &Comparer<'_>, before: Vec<Traced>, after: Vec<Traced>) {
        let mut known: BTreeMap<ObjectId, Traced> = BTreeMap::new();
        let mut state = ObjectState::default();
        for one in after.iter().filter(|one| denies_all(&one.object)) {
            let object = &one.object;
            let place = (Arc::clone(&object.place.cluster), object.namespace.clone());
            state.closed.insert(place);
        }
        for one in before {
            known.insert(one.object.id(), one);
        }
        for after in after {
            match known.remove(&after.object.id()) {
                Some(before) => state.changed.extend(comparer.pair(&before, &after)),
                None => state.new.push(after),
            }
        }
        state.gone.extend(known.into_values());
        let mut shared = self.state.lock().unwrap_or_else(PoisonError::into_inner);
        shared.changed.append(&mut state.changed);
        shared.gone.append(&mut state.gone);
        shared.new.append(&mut state.new);
        shared.closed.append(&mut state.closed);
    }

    /// Cluster and namespace of policies of the head that hold for all pods and open nothing.
    pub fn closed(&self) -> BTreeSet<(Arc<str>, String)> {
        let state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
        state.closed.clone()
    }

    /// Matches what is left across units, then by likeness; all changes, sorted by place. Where a
    /// side has errors, what only the other has may well be there, so it is left out.
    pub fn finish(
        self,
        comparer: &Comparer<'_>,
        incomplete: Incomplete,
        belongs: Belongs<'_>,
    ) -> Vec<ObjectChange> {
        let ObjectState {
            mut changed,
            mut gone,
            mut new,
            closed: _,
        } = self
            .state
            .into_inner()
            .unwrap_or_else(PoisonError::into_inner);
        // Threads come in any order.
        gone.sort_by_cached_key(|one| order(&one.object));
        new.sort_by_cached_key(|one| order(&one.object));
        for (before, after) in matched(&mut gone, &mut new, |object| {
            (object.place.cluster.to_string(), object.id())
        }) {
            changed.extend(comparer.pair(&before, &after));
        }
        // Objects that were read without a place fit each cluster that has their like.
        let placeless: Vec<Traced> = extract(&mut gone, |one| one.object.place.cluster.is_empty());
        let scaled = scaled(placeless.iter().chain(&new));
        let mut fitted: BTreeSet<ObjectId> = BTreeSet::new();
        let mut by_id: BTreeMap<ObjectId, Vec<&Traced>> = BTreeMap::new();
        let mut kinds: BTreeSet<&str> = BTreeSet::new();
        for one in &placeless {
            kinds.insert(&one.object.kind);
            by_id.entry(one.object.id()).or_default().push(one);
        }
        new.retain(|after| {
            let Some(known) = by_id.get(&after.object.id()) else {
                // Some kinds of a cluster were read, and of the others nothing is known.
                return placeless.is_empty() || kinds.contains(&*after.object.kind);
            };
            fitted.insert(after.object.id());
            // Of several clusters' objects of the same name, the nearest is meant.
            let pairs = known.iter().map(|before| {
                let mut change = comparer.pair(before, after)?;
                if scaled.contains(&target(&after.object)) {
                    change.fields.retain(|field| !is_replicas(&field.path));
                }
                (!change.fields.is_empty()).then_some(change)
            });
            let fields =
                |pair: &Option<ObjectChange>| pair.as_ref().map_or(0, |change| change.fields.len());
            changed.extend(pairs.min_by_key(fields).flatten());
            false
        });
        if !incomplete.head {
            gone.extend(
                placeless
                    .iter()
                    .filter(|one| !fitted.contains(&one.object.id()))
                    .filter(|one| belongs(&one.object))
                    .cloned(),
            );
        }
        for (before, after) in renamed(&mut gone, &mut new) {
            changed.extend(comparer.pair(&before, &after));
        }
        for one in gone {
            if !(incomplete.head && comparer.is_one_sided(&one.object.place)) {
                changed.push(comparer.alone(one, ObjectOperation::Removed));
            }
        }
        for one in new {
            if !(incomplete.base && comparer.is_one_sided(&one.object.place)) {
                changed.push(comparer.alone(one, ObjectOperation::Added));
            }
        }
        changed.sort_by(|a, b| {
            let key = |change: &ObjectChange| (order(change.object()), change.operation());
            key(a).cmp(&key(b))
        });
        changed
    }
}

/// What an autoscaler names: namespace, kind and name.
type ScaleTarget = (String, String, String);

fn target(object: &Object) -> ScaleTarget {
    let Object {
        namespace,
        kind,
        name,
        ..
    } = object;
    (namespace.clone(), kind.clone(), name.clone())
}

/// What autoscalers scale.
fn scaled<'a>(objects: impl Iterator<Item = &'a Traced>) -> BTreeSet<ScaleTarget> {
    let target = |one: &Traced| {
        let target = one.object.root().at(&["spec", "scaleTargetRef"])?;
        let text = |key: &str| target.text_at(&[key]).into_owned();
        Some((one.object.namespace.clone(), text("kind"), text("name")))
    };
    objects.filter_map(target).collect()
}

fn is_replicas(path: &FieldPath) -> bool {
    path.0.len() == 2 && path.starts_with(&["spec", "replicas"])
}

fn denies_all(object: &Object) -> bool {
    let root = object.root();
    object.kind == "NetworkPolicy"
        && root
            .at(&["spec", "podSelector"])
            .is_none_or(|selector| selector.fields().is_empty())
        && root.at(&["spec", "ingress"]).is_none()
}

type Order = (ChangePlace, String, String, String);

fn order(object: &Object) -> Order {
    (
        object.place.clone(),
        object.kind.clone(),
        object.namespace.clone(),
        object.name.clone(),
    )
}

fn extract(list: &mut Vec<Traced>, wanted: impl Fn(&Traced) -> bool) -> Vec<Traced> {
    let (taken, left) = std::mem::take(list).into_iter().partition(wanted);
    *list = left;
    taken
}

/// Takes pairs with the same key out of both lists.
fn matched<K: Ord>(
    gone: &mut Vec<Traced>,
    new: &mut Vec<Traced>,
    key: impl Fn(&Object) -> K,
) -> Vec<(Traced, Traced)> {
    let mut by_key: BTreeMap<K, Traced> = BTreeMap::new();
    let mut twice = Vec::new();
    for one in std::mem::take(gone) {
        twice.extend(by_key.insert(key(&one.object), one));
    }
    let mut pairs = Vec::new();
    for after in std::mem::take(new) {
        match by_key.remove(&key(&after.object)) {
            Some(before) => pairs.push((before, after)),
            None => new.push(after),
        }
    }
    gone.extend(by_key.into_values());
    gone.append(&mut twice);
    gone.sort_by_cached_key(|one| order(&one.object));
    pairs
}

/// Takes objects that only have another name or namespace out of both lists.
fn renamed(gone: &mut Vec<Traced>, new: &mut Vec<Traced>) -> Vec<(Traced, Traced)> {
    let group = |object: &Object| {
        let place = &object.place;
        (
            place.environment.clone(),
            place.cluster.clone(),
            place.tenant.clone(),
            object.id().group,
            object.kind.clone(),
        )
    };
    // In another namespace with the same name.
    let mut pairs = matched(gone, new, |object| (group(object), object.name.clone()));
    let mut groups: BTreeMap<_, (Vec<usize>, Vec<usize>)> = BTreeMap::new();
    for (at, one) in gone.iter().enumerate() {
        groups.entry(group(&one.object)).or_default().0.push(at);
    }
    for (at, one) in new.iter().enumerate() {
        groups.entry(group(&one.object)).or_default().1.push(at);
    }
    let mut taken: BTreeMap<usize, usize> = BTreeMap::new();
    for (old, young) in groups.into_values() {
        if old.is_empty() || young.is_empty() || old.len().max(young.len()) > MOST_COMPARED {
            continue;
        }
        let leaves = |traced: &Traced| leaves(&traced.object);
        let old: Vec<_> = old.into_iter().map(|at| (at, leaves(&gone[at]))).collect();
        let young: Vec<_> = young.into_iter().map(|at| (at, leaves(&new[at]))).collect();
        let mut likely: Vec<(f64, usize, usize)> = Vec::new();
        for (before, old) in &old {
            for (after, young) in &young {
                let likeness = likeness(old, young);
                if likeness >= LIKE {
                    likely.push((likeness, *before, *after));
                }
            }
        }
        likely.sort_by(|a, b| b.0.total_cmp(&a.0).then((a.1, a.2).cmp(&(b.1, b.2))));
        let mut used = BTreeSet::new();
        for (_, before, after) in likely {
            if !taken.contains_key(&before) && used.insert(after) {
                taken.insert(before, after);
            }
        }
    }
    let mut targets: BTreeMap<usize, Traced> = BTreeMap::new();
    let wanted: BTreeSet<usize> = taken.values().copied().collect();
    for (at, one) in std::mem::take(new).into_iter().enumerate() {
        if wanted.contains(&at) {
            targets.insert(at, one);
        } else {
            new.push(one);
        }
    }
    for (at, one) in std::mem::take(gone).into_iter().enumerate() {
        match taken.get(&at).and_then(|after| targets.remove(after)) {
            Some(after) => pairs.push((one, after)),
            None => gone.push(one),
        }
    }
    pairs
}

/// All fields of an object but its name, as texts.
fn leaves(object: &Object) -> BTreeSet<String> {
    let mut leaves = BTreeSet::new();
    let canonical = fields::canonical_object(object);
    let mut pending = vec![(String::new(), &canonical)];
    while let Some((path, value)) = pending.pop() {
        match value {
            serde_json::Value::Object(map) => pending.extend(
                map.iter()
                    .map(|(key, value)| (format!("{path}/{key}"), value)),
            ),
            serde_json::Value::Array(items) => {
                pending.extend(items.iter().map(|item| (format!("{path}/-"), item)));
            }
            _ if matches!(&*path, "/metadata/name" | "/metadata/namespace") => {}
            scalar => {
                leaves.insert(format!("{path}={scalar}"));
            }
        }
    }
    leaves
}

#[allow(
    clippy::cast_precision_loss,
    reason = "an object has far fewer than 2^52 fields"
)]
fn likeness(a: &BTreeSet<String>, b: &BTreeSet<String>) -> f64 {
    let common = a.intersection(b).count();
    let all = a.len() + b.len() - common;
    if all == 0 {
        0.0
    } else {
        common as f64 / all as f64
    }
}
