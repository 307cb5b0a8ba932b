//! Fields that cannot be updated: the API server refuses, or the object has to be made anew.

use super::{FoundRisks, RiskSubject, article};
use crate::model::change::{ObjectChange, ObjectOperation, RiskClass};
use tenantry_kubernetes::field_path::FieldPath;
use tenantry_kubernetes::schemas::built_in;
use tenantry_syntax::yaml::{self, Path};
use tenantry_validation::Overlay;
use tenantry_validation::{self, KnownKind, RuleSet};

/// Kinds of which a rename is an outage; a Job of another name only runs once more.
const OUTAGES: [&str; 10] = [
    "Deployment",
    "StatefulSet",
    "DaemonSet",
    "Rollout",
    "CronJob",
    "Service",
    "Ingress",
    "HTTPRoute",
    "PersistentVolumeClaim",
    "ExternalSecret",
];

/// Judges updates of fields that cannot be updated.
pub fn judge(subject: &RiskSubject<'_>, found: &mut FoundRisks) {
    if subject.is(ObjectOperation::Renamed) {
        if OUTAGES.contains(&subject.kind()) {
            let message = "what runs or is reached gets another name or namespace: the old one is removed and a new one is made, with an outage in between";
            found.add(RiskClass::Replace, message);
        }
        return;
    }
    if !subject.is(ObjectOperation::Changed) {
        return;
    }
    updates(subject, found);
    custom_updates(subject, found);
}

/// Updates of built-in kinds.
fn updates(subject: &RiskSubject<'_>, found: &mut FoundRisks) {
    let refused = refused(subject.change);
    for (at, field) in subject.fields() {
        let Some(place) = refused.iter().find(|place| touches(&field.path, place)) else {
            continue;
        };
        let name = shown(&field.path);
        let message = match subject.kind() {
            "PersistentVolumeClaim" if place.0.last() == Some(&"storage".into()) => {
                "the request of a PersistentVolumeClaim shrinks, which the API server refuses"
                    .to_owned()
            }
            "Job" => format!(
                "`{name}` of a Job cannot be updated: the API server refuses, so the old Job has to be deleted first"
            ),
            kind => format!(
                "`{name}` of {} cannot be updated: the API server refuses, or the object is deleted and made anew",
                article(kind)
            ),
        };
        found.at(RiskClass::Replace, at, message);
    }
}

/// The fields of which the API server refuses the update: the transition rules of `kubernetes/validation/`.
fn refused(change: &ObjectChange) -> Vec<Path> {
    let (Some(before), Some(after)) = (&change.before, &change.after) else {
        return Vec::new();
    };
    let after = after.root();
    let (api_version, kind) = (after.api_version(), after.object_kind());
    // Whoever delivers a bare pod replaces it.
    if kind == "Pod" {
        return Vec::new();
    }
    let Some(definition) = built_in().definition(&api_version, &kind) else {
        return Vec::new();
    };
    let known = KnownKind::BuiltIn(definition);
    let violations =
        tenantry_validation::check(after, known, Some(before.root()), RuleSet::Transitions);
    violations
        .into_iter()
        .map(|violation| violation.place)
        .collect()
}

/// Updates of custom resources: the transition rules of the CRDs that their cluster names.
fn custom_updates(subject: &RiskSubject<'_>, found: &mut FoundRisks) {
    let change = subject.change;
    let (Some(before), Some(after), Some(schemas)) =
        (&change.before, &change.after, subject.custom)
    else {
        return;
    };
    let (before, after) = (before.root(), after.root());
    let api_version = after.api_version();
    // What a conversion between versions makes of the old object is not known.
    if before.api_version() != api_version {
        return;
    }
    let Some(overlay) = Overlay::of_custom(schemas, &api_version, subject.kind()) else {
        return;
    };
    let known = KnownKind::Custom(overlay, schemas);
    for violation in tenantry_validation::check(after, known, Some(before), RuleSet::Transitions) {
        let message = format!(
            "{} cannot be updated like this: {}",
            article(subject.kind()),
            violation.message()
        );
        let touched = subject.fields();
        let touched = touched.filter(|(_, field)| touches(&field.path, &violation.place));
        let touched: Vec<usize> = touched.map(|(at, _)| at).collect();
        if touched.is_empty() {
            found.add(RiskClass::Replace, message);
            continue;
        }
        for at in touched {
            found.at(RiskClass::Replace, at, message.clone());
        }
    }
}

/// Whether a changed field is a refused one, or a part of it, or has it as a part.
fn touches(field: &FieldPath, place: &Path) -> bool {
    let keys = place.0.iter().map(|step| match step {
        yaml::PathStep::Key(key) => &**key,
        yaml::PathStep::Index(_) => "*",
    });
    field.touches(&keys.collect::<Vec<_>>())
}

/// The field that the message names: not deeper than its third step, so that messages are few.
fn shown(path: &FieldPath) -> FieldPath {
    FieldPath(path.0.iter().take(3).cloned().collect())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::change::FieldChange;
    use crate::model::change::{Body, ChangePlace, Object};
    use crate::review::fields;
    use tenantry_engine::view::View;
    use tenantry_syntax::yaml::parse::parse;

    fn object(text: &str) -> Object {
        let tree = parse(text, 0).documents.remove(0);
        Object::new(ChangePlace::default(), Body::Tree(tree))
    }

    fn is_replaced(kind: &str, before: &str, after: &str) -> bool {
        let (api_version, kind) = kind.rsplit_once('/').unwrap_or(("v1", kind));
        let head = format!("{{apiVersion: {api_version}, kind: {kind}, metadata: {{name: x}}");
        let sides = [before, after].map(|rest| object(&format!("{head}, {rest}}}")));
        let fields = fields::of_objects(&sides[0], &sides[1], None);
        let fields = fields.into_iter().map(|found| FieldChange {
            path: found.path,
            before: found.before.map(View::to_json),
            after: found.after.map(View::to_json),
            ..FieldChange::default()
        });
        let change = ObjectChange {
            fields: fields.collect(),
            before: Some(sides[0].clone()),
            after: Some(sides[1].clone()),
            causes: Vec::new(),
            origin: None,
            risks: Vec::new(),
        };
        let mut found = FoundRisks::default();
        let subject = RiskSubject {
            change: &change,
            is_whole_place: false,
            is_whole_component: false,
            is_closed: false,
            is_new_namespace: false,
            custom: None,
        };
        judge(&subject, &mut found);
        !found.0.is_empty()
    }

    #[test]
    fn what_cannot_be_updated_is_refused() {
        for (kind, before, after) in [
            (
                "apps/v1/Deployment",
                "spec: {selector: {a: 1}}",
                "spec: {selector: {a: 2}}",
            ),
            (
                "apps/v1/DaemonSet",
                "spec: {selector: {a: 1}}",
                "spec: {selector: {a: 2}}",
            ),
            (
                "apps/v1/ReplicaSet",
                "spec: {selector: {a: 1}}",
                "spec: {selector: {a: 2}}",
            ),
            (
                "apps/v1/StatefulSet",
                "spec: {serviceName: a}",
                "spec: {serviceName: b}",
            ),
            (
                "batch/v1/Job",
                "spec: {selector: {a: 1}, template: {}}",
                "spec: {selector: {a: 2}, template: {}}",
            ),
            (
                "batch/v1/Job",
                "spec: {template: {a: 1}}",
                "spec: {template: {a: 2}}",
            ),
            (
                "batch/v1/Job",
                "spec: {template: {}}",
                "spec: {template: {}, completionMode: Indexed}",
            ),
            (
                "batch/v1/Job",
                "spec: {template: {}}",
                "spec: {template: {}, podFailurePolicy: {rules: []}}",
            ),
            (
                "batch/v1/Job",
                "spec: {template: {}}",
                "spec: {template: {}, backoffLimitPerIndex: 1}",
            ),
            (
                "batch/v1/Job",
                "spec: {template: {}}",
                "spec: {template: {}, managedBy: a/b}",
            ),
            (
                "batch/v1/Job",
                "spec: {template: {}}",
                "spec: {template: {}, successPolicy: {rules: []}}",
            ),
            (
                "v1/Service",
                "spec: {clusterIP: 10.0.0.1}",
                "spec: {clusterIP: 10.0.0.2}",
            ),
            (
                "v1/PersistentVolumeClaim",
                "spec: {accessModes: [a]}",
                "spec: {accessModes: [b]}",
            ),
            (
                "v1/PersistentVolumeClaim",
                "spec: {resources: {requests: {storage: 2Gi}}}",
                "spec: {resources: {requests: {storage: 1Gi}}}",
            ),
            (
                "rbac.authorization.k8s.io/v1/RoleBinding",
                "roleRef: {apiGroup: g, kind: Role, name: a}",
                "roleRef: {apiGroup: g, kind: Role, name: b}",
            ),
            ("v1/Secret", "type: a", "type: b"),
            (
                "v1/Secret",
                "data: {a: eA==}, immutable: true",
                "data: {a: eQ==}, immutable: true",
            ),
            (
                "v1/ConfigMap",
                "data: {a: x}, immutable: true",
                "data: {a: y}, immutable: true",
            ),
            ("v1/ConfigMap", "immutable: true", "immutable: false"),
            (
                "storage.k8s.io/v1/StorageClass",
                "provisioner: a",
                "provisioner: b",
            ),
            ("scheduling.k8s.io/v1/PriorityClass", "value: 1", "value: 2"),
            (
                "networking.k8s.io/v1/IngressClass",
                "spec: {controller: a/b}",
                "spec: {controller: a/c}",
            ),
            (
                "v1/ResourceQuota",
                "spec: {scopes: [BestEffort]}",
                "spec: {scopes: [NotBestEffort]}",
            ),
        ] {
            assert!(is_replaced(kind, before, after), "{kind} {before} {after}");
        }
    }

    #[test]
    fn what_can_be_updated_is_not() {
        for (kind, before, after) in [
            (
                "apps/v1/Deployment",
                "spec: {replicas: 1}",
                "spec: {replicas: 2}",
            ),
            (
                "apps/v1/StatefulSet",
                "spec: {replicas: 1}",
                "spec: {replicas: 2}",
            ),
            (
                "apps/v1/StatefulSet",
                "spec: {template: {a: 1}}",
                "spec: {template: {a: 2}}",
            ),
            (
                "batch/v1/Job",
                "spec: {suspend: true, template: {}}",
                "spec: {suspend: false, template: {}}",
            ),
            (
                "v1/Service",
                "spec: {type: ClusterIP}",
                "spec: {type: LoadBalancer}",
            ),
            ("v1/Service", "spec: {}", "spec: {loadBalancerClass: a}"),
            ("v1/ConfigMap", "data: {a: b}", "data: {a: c}"),
            (
                "v1/ConfigMap",
                "data: {a: b}",
                "data: {a: b}, immutable: true",
            ),
            (
                "v1/PersistentVolumeClaim",
                "spec: {resources: {requests: {storage: 1Gi}}}",
                "spec: {resources: {requests: {storage: 2Gi}}}",
            ),
            (
                "rbac.authorization.k8s.io/v1/RoleBinding",
                "subjects: []",
                "subjects: [{name: a}]",
            ),
            (
                "scheduling.k8s.io/v1/PriorityClass",
                "description: a",
                "description: b",
            ),
        ] {
            assert!(!is_replaced(kind, before, after), "{kind} {before} {after}");
        }
    }
}
