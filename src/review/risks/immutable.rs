//! Fields that cannot be updated: the API server refuses, or the object has to be made anew.

use serde_json::Value as Json;

use super::{Found, Subject, article};
use crate::model::change::{FieldChange, FieldPath, ObjectChange, Operation, RiskClass, Step};
use crate::model::scalars::Amount;
use crate::model::view::View;

/// A field of which an update is rejected.
struct Immutable {
    kind: &'static str,
    /// The field; `*` stands for any one step.
    path: &'static [&'static str],
    when: When,
}

/// When an update is rejected.
enum When {
    /// Always.
    Always,
    /// Unless it is one of these fields below it.
    Except(&'static [&'static str]),
    /// Once it had a value.
    OnceSet,
    /// While the object has `immutable: true`.
    Marked,
}

const fn always(kind: &'static str, path: &'static [&'static str]) -> Immutable {
    Immutable {
        kind,
        path,
        when: When::Always,
    }
}

/// From the validation of each API group of Kubernetes (`Validate…Update` in
/// <https://github.com/kubernetes/kubernetes/tree/master/pkg/apis>).
const TABLE: &[Immutable] = &[
    always("Deployment", &["spec", "selector"]),
    always("DaemonSet", &["spec", "selector"]),
    always("ReplicaSet", &["spec", "selector"]),
    Immutable {
        kind: "StatefulSet",
        path: &["spec"],
        when: When::Except(&[
            "replicas",
            "ordinals",
            "template",
            "updateStrategy",
            "revisionHistoryLimit",
            "persistentVolumeClaimRetentionPolicy",
            "minReadySeconds",
        ]),
    },
    always("Job", &["spec", "selector"]),
    always("Job", &["spec", "template"]),
    always("Job", &["spec", "completionMode"]),
    always("Job", &["spec", "podFailurePolicy"]),
    always("Job", &["spec", "backoffLimitPerIndex"]),
    always("Job", &["spec", "managedBy"]),
    always("Job", &["spec", "successPolicy"]),
    always("Service", &["spec", "clusterIP"]),
    always("Service", &["spec", "clusterIPs"]),
    Immutable {
        kind: "Service",
        path: &["spec", "healthCheckNodePort"],
        when: When::OnceSet,
    },
    Immutable {
        kind: "Service",
        path: &["spec", "loadBalancerClass"],
        when: When::OnceSet,
    },
    Immutable {
        kind: "PersistentVolumeClaim",
        path: &["spec"],
        when: When::Except(&["resources", "volumeAttributesClassName"]),
    },
    always("RoleBinding", &["roleRef"]),
    always("ClusterRoleBinding", &["roleRef"]),
    always("Secret", &["type"]),
    Immutable {
        kind: "Secret",
        path: &["data"],
        when: When::Marked,
    },
    Immutable {
        kind: "Secret",
        path: &["stringData"],
        when: When::Marked,
    },
    Immutable {
        kind: "ConfigMap",
        path: &["data"],
        when: When::Marked,
    },
    Immutable {
        kind: "ConfigMap",
        path: &["binaryData"],
        when: When::Marked,
    },
    Immutable {
        kind: "Secret",
        path: &["immutable"],
        when: When::Marked,
    },
    Immutable {
        kind: "ConfigMap",
        path: &["immutable"],
        when: When::Marked,
    },
    always("StorageClass", &["provisioner"]),
    always("StorageClass", &["parameters"]),
    always("StorageClass", &["reclaimPolicy"]),
    always("StorageClass", &["volumeBindingMode"]),
    always("PriorityClass", &["value"]),
    always("PriorityClass", &["preemptionPolicy"]),
    always("IngressClass", &["spec", "controller"]),
    always("ResourceQuota", &["spec", "scopes"]),
    always("CustomResourceDefinition", &["spec", "group"]),
    always("CustomResourceDefinition", &["spec", "names", "plural"]),
    always("CustomResourceDefinition", &["spec", "scope"]),
    always("CustomResourceDefinition", &["spec", "names", "kind"]),
];

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
pub fn judge(subject: &Subject<'_>, found: &mut Found) {
    let change = subject.change;
    if subject.is(Operation::Renamed) {
        if OUTAGES.contains(&subject.kind()) {
            let message = "what runs or is reached gets another name or namespace: the old one is removed and a new one is made, with an outage in between";
            found.add(RiskClass::Replace, message);
        }
        return;
    }
    if !subject.is(Operation::Changed) {
        return;
    }
    for (at, field) in subject.fields() {
        let refused = TABLE.iter().any(|row| {
            row.kind == subject.kind()
                && field.path.touches(row.path)
                && is_refused(row, field, change)
        });
        if refused {
            let name = shown(&field.path);
            let message = match subject.kind() {
                "Job" => format!(
                    "`{name}` of a Job cannot be updated: the API server refuses, so the old Job has to be deleted first"
                ),
                kind => format!(
                    "`{name}` of {} cannot be updated: the API server refuses, or the object is deleted and made anew",
                    article(kind)
                ),
            };
            found.at(RiskClass::Replace, at, message);
        } else if subject.kind() == "PersistentVolumeClaim" && shrinks(field) {
            let message =
                "the request of a PersistentVolumeClaim shrinks, which the API server refuses";
            found.at(RiskClass::Replace, at, message);
        }
    }
}

fn is_refused(row: &Immutable, field: &FieldChange, change: &ObjectChange) -> bool {
    let below = match field.path.0.get(row.path.len()) {
        Some(Step::Key(key)) => &**key,
        _ => "",
    };
    match row.when {
        When::Always => field.path.0.len() >= row.path.len(),
        When::Except(allowed) => field.path.0.len() > row.path.len() && !allowed.contains(&below),
        When::OnceSet => field.before.is_some(),
        When::Marked => change.before.as_ref().is_some_and(|before| {
            let marked = before.root().get("immutable").map(View::to_json);
            marked == Some(Json::Bool(true))
        }),
    }
}

fn shrinks(field: &FieldChange) -> bool {
    let keys = ["spec", "resources", "requests", "storage"];
    let amount = |value: &Option<Json>| match value {
        Some(Json::String(text)) => Amount::parse(text),
        Some(number @ Json::Number(_)) => Amount::parse(&number.to_string()),
        _ => None,
    };
    field.path.starts_with(&keys)
        && matches!((amount(&field.before), amount(&field.after)), (Some(a), Some(b)) if b < a)
}

/// The field that the message names: not deeper than its third step, so that messages are few.
fn shown(path: &FieldPath) -> FieldPath {
    FieldPath(path.0.iter().take(3).cloned().collect())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::change::{Body, Object, Place};
    use crate::review::fields;
    use crate::yaml::parse::parse;

    fn object(text: &str) -> Object {
        let tree = parse(text, 0).documents.remove(0);
        Object::new(Place::default(), Body::Tree(tree))
    }

    fn is_replaced(kind: &str, before: &str, after: &str) -> bool {
        let head = format!("{{apiVersion: v1, kind: {kind}, metadata: {{name: x}}");
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
        let mut found = Found::default();
        let subject = Subject {
            change: &change,
            is_whole_place: false,
            is_whole_component: false,
            is_closed: false,
            is_new_namespace: false,
        };
        judge(&subject, &mut found);
        !found.0.is_empty()
    }

    /// Each row of the table is refused, and what stands beside it is not.
    #[test]
    fn each_row_is_refused() {
        for row in TABLE {
            let field = match row.when {
                When::Except(_) => [row.path, &["serviceName"]].concat(),
                _ => row.path.to_vec(),
            };
            let nested = |value: &str| {
                let keys = field.iter().rev();
                keys.fold(value.to_owned(), |inner, key| format!("{{{key}: {inner}}}"))
            };
            let marked = if matches!(row.when, When::Marked) {
                ", immutable: true"
            } else {
                ""
            };
            let strip = |text: String| text[1..text.len() - 1].to_owned() + marked;
            let sides = if row.path == ["immutable"] {
                ["immutable: true".to_owned(), "immutable: false".to_owned()]
            } else {
                [strip(nested("{a: one}")), strip(nested("{a: two}"))]
            };
            assert!(
                is_replaced(row.kind, &sides[0], &sides[1]),
                "{} {:?}: {sides:?}",
                row.kind,
                row.path
            );
        }
        for (kind, before, after) in [
            ("Deployment", "spec: {replicas: 1}", "spec: {replicas: 2}"),
            ("StatefulSet", "spec: {replicas: 1}", "spec: {replicas: 2}"),
            (
                "StatefulSet",
                "spec: {template: {a: 1}}",
                "spec: {template: {a: 2}}",
            ),
            ("Job", "spec: {suspend: true}", "spec: {suspend: false}"),
            (
                "Service",
                "spec: {type: ClusterIP}",
                "spec: {type: LoadBalancer}",
            ),
            ("Service", "spec: {}", "spec: {loadBalancerClass: a}"),
            ("ConfigMap", "data: {a: b}", "data: {a: c}"),
            ("ConfigMap", "data: {a: b}", "data: {a: b}, immutable: true"),
            (
                "PersistentVolumeClaim",
                "spec: {resources: {requests: {storage: 1Gi}}}",
                "spec: {resources: {requests: {storage: 2Gi}}}",
            ),
            ("RoleBinding", "subjects: []", "subjects: [{name: a}]"),
            ("PriorityClass", "description: a", "description: b"),
        ] {
            assert!(!is_replaced(kind, before, after), "{kind} {before} {after}");
        }
        assert!(is_replaced(
            "PersistentVolumeClaim",
            "spec: {resources: {requests: {storage: 2Gi}}}",
            "spec: {resources: {requests: {storage: 1Gi}}}",
        ));
    }
}
