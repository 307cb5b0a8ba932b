//! The same change in many objects is told once, with a count, where it is, and where it is not.

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::sync::Arc;

use serde_json::Value as Json;

use crate::model::change::{
    ChangeEntry, ChangeGroup, ChangeReach, ObjectChange, ObjectOperation, RiskClass, Variant,
};
use tenantry_kubernetes::field_path::{FieldPath, FieldStep};

/// Most tenants without a change that are named.
const MOST_EXCEPTIONS: usize = 5;
/// So many tenants are named rather than counted.
const FEW: usize = 3;
/// Most ways in which values differ that are kept apart.
const MOST_VARIANTS: usize = 50;

/// The tenants that have an object, by environment, component and kind.
pub type Population = BTreeMap<(Arc<str>, Arc<str>, String), BTreeSet<Arc<str>>>;

/// What entries are folded by.
type FoldKey = (Vec<usize>, ObjectOperation, String, String, bool);

/// Folds all changes: one group for each set of causes, the worst first.
pub fn fold(objects: &[ObjectChange], population: &Population) -> Vec<ChangeGroup> {
    let mut entries: BTreeMap<FoldKey, Folding> = BTreeMap::new();
    for (at, object) in objects.iter().enumerate() {
        let operation = object.operation();
        let kind = &object.object().kind;
        if operation != ObjectOperation::Changed {
            let causes: Vec<usize> = object.all_causes().into_iter().collect();
            // Kinds that are at risk are told one by one.
            let at_risk = object.risks.iter().any(|risk| risk.fields.is_empty());
            let kind_key = if at_risk { kind.clone() } else { String::new() };
            let key = (causes, operation, kind_key, String::new(), false);
            let folding = entries.entry(key).or_default();
            let (before, after): (Option<Json>, Option<Json>) =
                match (&object.before, &object.after) {
                    (Some(before), Some(after)) if before.name == after.name => (
                        Some(before.namespace.clone().into()),
                        Some(after.namespace.clone().into()),
                    ),
                    (Some(before), Some(after)) => (
                        Some(before.name.clone().into()),
                        Some(after.name.clone().into()),
                    ),
                    _ => (None, None),
                };
            folding.add(objects, at, None, (before.as_ref(), after.as_ref()));
            folding.kinds.insert(kind.clone());
            let whole = object.risks.iter().filter(|risk| risk.fields.is_empty());
            folding.risks.extend(whole.map(|risk| risk.class));
            if let Some(origin) = object.origin {
                folding.origins.get_or_insert((vec![origin], Vec::new()));
            }
        }
        for (position, field) in object.fields.iter().enumerate() {
            if operation == ObjectOperation::Renamed && is_name(&field.path) {
                continue;
            }
            let shape = shape(&field.path, &object.object().place.component);
            let key = (
                field.causes.clone(),
                ObjectOperation::Changed,
                String::new(),
                shape.to_string(),
                field.secret,
            );
            let folding = entries.entry(key).or_default();
            folding.kinds.insert(kind.clone());
            folding.add(
                objects,
                at,
                Some(&field.path),
                (field.before.as_ref(), field.after.as_ref()),
            );
            folding
                .origins
                .get_or_insert_with(|| (field.before_origins.clone(), field.after_origins.clone()));
            let shown = object.risks.iter();
            let shown = shown.filter(|risk| risk.fields.contains(&position));
            folding.risks.extend(shown.map(|risk| risk.class));
            // A rule about the object as a whole is shown by its first field.
            if position == 0 && operation == ObjectOperation::Changed {
                let whole = object.risks.iter().filter(|risk| risk.fields.is_empty());
                folding.risks.extend(whole.map(|risk| risk.class));
            }
        }
    }
    grouped(entries, objects, population)
}

fn is_name(path: &FieldPath) -> bool {
    path.starts_with(&["metadata", "name"]) || path.starts_with(&["metadata", "namespace"])
}

/// A path in which the component's own name stands for any.
fn shape(path: &FieldPath, component: &str) -> FieldPath {
    let steps = path.0.iter().map(|step| match step {
        FieldStep::Item(item) if !component.is_empty() && &**item == component => {
            FieldStep::Item("*".into())
        }
        step => step.clone(),
    });
    FieldPath(steps.collect())
}

#[derive(Default)]
struct Folding {
    /// The path, and whether it is not the same everywhere.
    path: Option<(FieldPath, bool)>,
    kinds: BTreeSet<String>,
    objects: Vec<usize>,
    variants: Vec<Variant>,
    known: HashMap<String, usize>,
    risks: BTreeSet<RiskClass>,
    origins: Option<(Vec<usize>, Vec<usize>)>,
}

impl Folding {
    fn add(
        &mut self,
        objects: &[ObjectChange],
        at: usize,
        path: Option<&FieldPath>,
        (before, after): (Option<&Json>, Option<&Json>),
    ) {
        if self.objects.last() != Some(&at) {
            self.objects.push(at);
        }
        match (&mut self.path, path) {
            (Some((known, mixed)), Some(path)) if known != path => *mixed = true,
            (none @ None, Some(path)) => *none = Some((path.clone(), false)),
            _ => {}
        }
        if let Some((known, mixed)) = &mut self.path
            && *mixed
        {
            *known = shape(known, &objects[self.objects[0]].object().place.component);
        }
        let key = format!("{}\n{}", text(before), text(after));
        match self.known.get(&key) {
            Some(variant) => self.variants[*variant].count += 1,
            None if self.variants.len() < MOST_VARIANTS => {
                self.known.insert(key, self.variants.len());
                self.variants.push(Variant {
                    before: before.cloned(),
                    after: after.cloned(),
                    count: 1,
                });
            }
            None => {}
        }
    }
}

fn text(value: Option<&Json>) -> String {
    value.map_or_else(String::new, Json::to_string)
}

fn grouped(
    entries: BTreeMap<FoldKey, Folding>,
    objects: &[ObjectChange],
    population: &Population,
) -> Vec<ChangeGroup> {
    let mut groups: BTreeMap<Vec<usize>, ChangeGroup> = BTreeMap::new();
    for ((causes, operation, _, _, secret), mut folding) in entries {
        folding
            .variants
            .sort_by_key(|variant| std::cmp::Reverse(variant.count));
        let (before_origins, after_origins) = folding.origins.take().unwrap_or_default();
        let entry = ChangeEntry {
            operation,
            spread: spread(&folding, objects, operation, population),
            kinds: folding.kinds,
            path: folding.path.map(|(path, _)| path),
            variants: folding.variants,
            secret,
            objects: folding.objects,
            risks: folding.risks,
            before_origins,
            after_origins,
        };
        let group = groups.entry(causes.clone()).or_insert_with(|| ChangeGroup {
            causes,
            ..ChangeGroup::default()
        });
        group.entries.push(entry);
    }
    let mut groups: Vec<ChangeGroup> = groups.into_values().collect();
    for group in &mut groups {
        group.entries.sort_by_cached_key(|entry| {
            (
                entry.path.as_ref().is_some_and(FieldPath::only_follows),
                entry
                    .risks
                    .first()
                    .map_or(usize::MAX, |class| *class as usize),
                entry.path.as_ref().is_some_and(FieldPath::only_describes),
                entry.operation,
                std::cmp::Reverse(entry.objects.len()),
                entry.kinds.clone(),
                entry.path.as_ref().map(ToString::to_string),
            )
        });
        let all: BTreeSet<usize> = group
            .entries
            .iter()
            .flat_map(|entry| entry.objects.iter().copied())
            .collect();
        group.objects = all.len();
        let risks = group.entries.iter().flat_map(|entry| &entry.risks);
        group.worst = risks.min().copied();
    }
    groups.sort_by(|a, b| {
        let key = |group: &ChangeGroup| {
            (
                group.only_follows(),
                group.worst.map_or(usize::MAX, |class| class as usize),
                std::cmp::Reverse(group.objects),
            )
        };
        key(a).cmp(&key(b)).then_with(|| a.causes.cmp(&b.causes))
    });
    groups
}

/// Which tenants have a change, by environment, and which could have it and do not.
fn spread(
    folding: &Folding,
    objects: &[ObjectChange],
    operation: ObjectOperation,
    population: &Population,
) -> BTreeMap<Arc<str>, ChangeReach> {
    let mut spread: BTreeMap<Arc<str>, ChangeReach> = BTreeMap::new();
    let mut components: BTreeSet<Arc<str>> = BTreeSet::new();
    for at in &folding.objects {
        let place = &objects[*at].object().place;
        components.insert(Arc::clone(&place.component));
        let entry = spread.entry(Arc::clone(&place.environment)).or_default();
        if !place.tenant.is_empty() {
            entry.tenants.insert(Arc::clone(&place.tenant));
        }
    }
    if operation != ObjectOperation::Changed {
        return spread;
    }
    for (environment, entry) in &mut spread {
        // Few tenants are named, so that nobody asks who else there is.
        if entry.tenants.len() <= FEW {
            continue;
        }
        let mut all: BTreeSet<&Arc<str>> = BTreeSet::new();
        for component in &components {
            for kind in &folding.kinds {
                let key = (Arc::clone(environment), Arc::clone(component), kind.clone());
                all.extend(population.get(&key).into_iter().flatten());
            }
        }
        entry.of = all.len();
        let without = all
            .into_iter()
            .filter(|tenant| !entry.tenants.contains(*tenant));
        let without: BTreeSet<Arc<str>> = without.cloned().collect();
        if without.len() <= MOST_EXCEPTIONS && without.len() < entry.tenants.len() {
            entry.except = without;
        }
    }
    spread
}
