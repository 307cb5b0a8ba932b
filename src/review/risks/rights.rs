//! What roles allow, and to whom.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::Value as Json;

use super::{FoundRisks, MOST_PAIRS, RiskSubject};
use crate::model::change::{Object, ObjectOperation, RiskClass};
use tenantry_engine::view::View;

const CLASS: RiskClass = RiskClass::Exposure;
/// Most resources of a role that are named.
const MOST_NAMED: usize = 6;

/// What a role allows: API group, resource (or address), verb.
fn rights(object: Option<&Object>) -> BTreeSet<(String, String, String)> {
    let rules = object
        .and_then(|object| object.root().get("rules"))
        .map(View::items);
    let mut rights = BTreeSet::new();
    for rule in rules.unwrap_or_default() {
        let texts = |key: &str| -> Vec<String> {
            let items = rule
                .get(key)
                .map(View::items)
                .unwrap_or_default()
                .into_iter();
            items
                .filter_map(|item| Some(item.text()?.into_owned()))
                .collect()
        };
        let names = texts("resourceNames");
        let mut groups = texts("apiGroups");
        let mut resources = texts("resources");
        resources.extend(texts("nonResourceURLs"));
        if groups.is_empty() {
            groups.push(String::new());
        }
        if !names.is_empty() {
            let named = |resource: String| {
                names
                    .iter()
                    .map(move |name| format!("{resource} {name}"))
                    .collect::<Vec<_>>()
            };
            resources = resources.into_iter().flat_map(named).collect();
        }
        for group in &groups {
            for resource in &resources {
                for verb in texts("verbs") {
                    rights.insert((group.clone(), resource.clone(), verb));
                }
            }
        }
    }
    rights
}

/// Judges a role.
pub fn judge_role(subject: &RiskSubject<'_>, found: &mut FoundRisks) {
    if subject.is(ObjectOperation::Removed) {
        return;
    }
    // Roles of a new tenant are its own; those of the cluster, and without bounds, are not.
    let is_own = subject.is(ObjectOperation::Added)
        && subject.is_whole_place
        && !subject.kind().starts_with("Cluster");
    judge_aggregation(subject, found);
    let old = rights(subject.change.before.as_ref());
    let covers = |wide: &str, narrow: &str| {
        wide == "*"
            || wide == narrow
            || narrow
                .split(' ')
                .next()
                .is_some_and(|all| all == wide && narrow != wide)
    };
    let mut gained: BTreeMap<String, BTreeSet<String>> = BTreeMap::new();
    let new = rights(subject.change.after.as_ref());
    if old.len().saturating_mul(new.len()) > MOST_PAIRS {
        return found.add(CLASS, "a role has more rules than can be compared");
    }
    for (group, resource, verb) in new {
        let known = old
            .iter()
            .any(|(g, r, v)| covers(g, &group) && covers(r, &resource) && covers(v, &verb));
        let unbounded =
            verb == "*" || resource == "*" || matches!(&*verb, "escalate" | "bind" | "impersonate");
        if !known && (!is_own || unbounded) {
            gained.entry(resource).or_default().insert(verb);
        }
    }
    let mut by_verbs: BTreeMap<BTreeSet<String>, Vec<String>> = BTreeMap::new();
    for (what, verbs) in gained {
        by_verbs.entry(verbs).or_default().push(what);
    }
    for (verbs, mut what) in by_verbs {
        let verbs: Vec<String> = verbs.into_iter().collect();
        let more = what.len().saturating_sub(MOST_NAMED);
        what.truncate(MOST_NAMED);
        let more = if more > 0 {
            format!(" and {more} more")
        } else {
            String::new()
        };
        found.add(
            CLASS,
            format!(
                "a {} may {} {}{more}",
                subject.kind(),
                verbs.join(", "),
                what.join(", ")
            ),
        );
    }
}

/// A `ClusterRole` can take its rights from others, by their labels.
fn judge_aggregation(subject: &RiskSubject<'_>, found: &mut FoundRisks) {
    for (at, field) in subject.fields() {
        let after = field
            .after
            .as_ref()
            .map(Json::to_string)
            .unwrap_or_default();
        let labels = field.path.starts_with(&["metadata", "labels"])
            && format!("{}{after}", field.path).contains("rbac.authorization.k8s.io/aggregate-to-");
        let rule = field.path.starts_with(&["aggregationRule"]);
        if field.after.is_some() && (labels || rule) {
            found.at(
                CLASS,
                at,
                "a ClusterRole takes rights from others, or gives its own to others",
            );
        }
    }
}

/// Judges who gets a role.
pub fn judge_binding(subject: &RiskSubject<'_>, found: &mut FoundRisks) {
    let is_own = subject.is(ObjectOperation::Added)
        && subject.is_whole_place
        && !subject.kind().starts_with("Cluster");
    if subject.is(ObjectOperation::Removed) || is_own {
        return;
    }
    let subjects = |object: Option<&Object>| -> BTreeSet<String> {
        let list = object
            .and_then(|object| object.root().get("subjects"))
            .map(View::items);
        let text = |view: View<'_>| {
            let namespace = view.text_at(&["namespace"]);
            let namespace = if namespace.is_empty() {
                String::new()
            } else {
                format!(" of {namespace}")
            };
            format!(
                "{} {}{namespace}",
                view.object_kind(),
                view.text_at(&["name"])
            )
        };
        list.unwrap_or_default().into_iter().map(text).collect()
    };
    let role = |object: &Object| object.root().text_at(&["roleRef", "name"]).into_owned();
    // With another role, or in another namespace, all of them get something new.
    let same = match (&subject.change.before, &subject.change.after) {
        (Some(before), Some(after)) => {
            role(before) == role(after)
                && (before.namespace == after.namespace || subject.is_new_namespace)
        }
        _ => false,
    };
    let old = subjects(subject.change.before.as_ref().filter(|_| same));
    if let Some(after) = &subject.change.after {
        for who in subjects(Some(after)).difference(&old) {
            found.add(
                CLASS,
                format!("{who} gets the rights of the role {}", role(after)),
            );
        }
    }
}
