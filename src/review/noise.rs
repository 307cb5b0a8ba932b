//! What makes no difference: fields that the API server fills in or writes itself, and amounts
//! that are written differently.

use serde_json::{Value as Json, json};

use super::lists::ListRule;
use crate::model::change::{FieldPath, Step};
use crate::model::scalars::Amount;
use crate::model::view::{Shape, View};

/// Fields that the API server fills in when they are left out, by the last keys of their path;
/// `*` stands for any item. From the `defaults.go` of each API group of Kubernetes 1.34
/// (<https://github.com/kubernetes/kubernetes/tree/master/pkg/apis>).
const DEFAULTS: &[(&[&str], Default)] = &[
    (&["ports", "*", "protocol"], Default::Text("TCP")),
    (&["spec", "restartPolicy"], Default::Text("Always")),
    (&["spec", "type"], Default::Text("ClusterIP")),
    (&["spec", "dnsPolicy"], Default::Text("ClusterFirst")),
    (
        &["spec", "schedulerName"],
        Default::Text("default-scheduler"),
    ),
    (
        &["spec", "terminationGracePeriodSeconds"],
        Default::Number(30),
    ),
    (
        &["terminationMessagePath"],
        Default::Text("/dev/termination-log"),
    ),
    (&["terminationMessagePolicy"], Default::Text("File")),
    (&["spec", "securityContext"], Default::EmptyMap),
    (&["resources"], Default::EmptyMap),
    (&["metadata", "labels"], Default::EmptyMap),
    (&["metadata", "annotations"], Default::EmptyMap),
    (&["livenessProbe", "successThreshold"], Default::Number(1)),
    (&["readinessProbe", "successThreshold"], Default::Number(1)),
    (&["startupProbe", "successThreshold"], Default::Number(1)),
    (&["livenessProbe", "failureThreshold"], Default::Number(3)),
    (&["readinessProbe", "failureThreshold"], Default::Number(3)),
    (&["startupProbe", "failureThreshold"], Default::Number(3)),
    (&["livenessProbe", "periodSeconds"], Default::Number(10)),
    (&["readinessProbe", "periodSeconds"], Default::Number(10)),
    (&["startupProbe", "periodSeconds"], Default::Number(10)),
    (&["livenessProbe", "timeoutSeconds"], Default::Number(1)),
    (&["readinessProbe", "timeoutSeconds"], Default::Number(1)),
    (&["startupProbe", "timeoutSeconds"], Default::Number(1)),
    (&["httpGet", "scheme"], Default::Text("HTTP")),
    (&["httpGet", "path"], Default::Text("/")),
    (&["fieldRef", "apiVersion"], Default::Text("v1")),
    (&["configMap", "defaultMode"], Default::Number(420)),
    (&["secret", "defaultMode"], Default::Number(420)),
    (&["projected", "defaultMode"], Default::Number(420)),
    (&["spec", "sessionAffinity"], Default::Text("None")),
    (&["spec", "internalTrafficPolicy"], Default::Text("Cluster")),
    (&["spec", "revisionHistoryLimit"], Default::Number(10)),
    (&["spec", "progressDeadlineSeconds"], Default::Number(600)),
    (
        &["spec", "podManagementPolicy"],
        Default::Text("OrderedReady"),
    ),
    (&["spec", "concurrencyPolicy"], Default::Text("Allow")),
    (&["spec", "successfulJobsHistoryLimit"], Default::Number(3)),
    (&["spec", "failedJobsHistoryLimit"], Default::Number(1)),
    (&["spec", "volumeMode"], Default::Text("Filesystem")),
    (&["spec", "backoffLimit"], Default::Number(6)),
    (&["spec", "completionMode"], Default::Text("NonIndexed")),
];

enum Default {
    Text(&'static str),
    Number(i64),
    EmptyMap,
}

impl Default {
    fn json(&self) -> Json {
        match self {
            Default::Text(text) => json!(text),
            Default::Number(number) => json!(number),
            Default::EmptyMap => json!({}),
        }
    }
}

/// Fields that the API server or a controller writes; no manifest sets them.
const WRITTEN_BY_SERVER: &[&[&str]] = &[
    &["status"],
    &["metadata", "uid"],
    &["metadata", "resourceVersion"],
    &["metadata", "generation"],
    &["metadata", "creationTimestamp"],
    &["metadata", "managedFields"],
    &["metadata", "selfLink"],
    &[
        "metadata",
        "annotations",
        "kubectl.kubernetes.io/last-applied-configuration",
    ],
    &[
        "metadata",
        "annotations",
        "deployment.kubernetes.io/revision",
    ],
];

/// Keys of maps of amounts, and of single amounts.
const AMOUNTS: &[&str] = &[
    "requests",
    "limits",
    "hard",
    "capacity",
    "max",
    "min",
    "default",
    "defaultRequest",
    "sizeLimit",
    "averageValue",
];

/// Whether the API server or a controller writes a field.
pub fn is_written_by_server(path: &FieldPath) -> bool {
    WRITTEN_BY_SERVER
        .iter()
        .any(|keys| path.0.len() == keys.len() && path.starts_with(keys))
}

/// Fields that the API server assigns where nobody sets them; `None` is set by somebody.
const ASSIGNED: &[&[&str]] = &[
    &["spec", "clusterIP"],
    &["spec", "clusterIPs"],
    &["spec", "ipFamilies"],
    &["spec", "ipFamilyPolicy"],
    &["spec", "serviceAccount"],
    &["spec", "volumeName"],
    &["spec", "ports", "*", "nodePort"],
];

/// Whether a field of a built-in kind holds what the API server would fill in.
pub fn is_default(view: View<'_>, path: &FieldPath) -> bool {
    let assigned = || {
        ASSIGNED.iter().any(|keys| path.ends_with(keys))
            && !view.to_json().to_string().contains("None")
    };
    DEFAULTS
        .iter()
        .any(|(keys, value)| path.ends_with(keys) && holds(view, &value.json()))
        || assigned()
        || is_hollow(view, path)
}

/// Whether annotations hold nothing but what the API server and controllers write.
fn is_hollow(view: View<'_>, path: &FieldPath) -> bool {
    let is_annotations = path.0.len() == 2 && path.starts_with(&["metadata", "annotations"]);
    is_annotations
        && view
            .fields()
            .iter()
            .all(|field| is_written_by_server(&path.joined(Step::Key(field.key.as_ref().into()))))
}

fn holds(view: View<'_>, value: &Json) -> bool {
    match (view.shape(), value) {
        (Shape::Text(text), Json::String(wanted)) => *text == **wanted,
        (Shape::Int(number), Json::Number(wanted)) => wanted.as_i64() == Some(number),
        (Shape::Map, Json::Object(_)) => view.fields().is_empty(),
        _ => false,
    }
}

/// The amount at a path where Kubernetes reads one; `1` and `1000m` are the same.
pub fn amount(view: View<'_>, path: &FieldPath) -> Option<Amount> {
    let mut keys = path.0.iter().rev().filter_map(|step| match step {
        Step::Key(key) => Some(&**key),
        Step::Item(_) => None,
    });
    let is_text = ["data", "stringData", "metadata"]
        .iter()
        .any(|key| path.starts_with(&[*key]));
    if is_text || !keys.by_ref().take(2).any(|key| AMOUNTS.contains(&key)) {
        return None;
    }
    match view.shape() {
        Shape::Text(text) => Amount::parse(&text),
        Shape::Int(number) => Amount::parse(&number.to_string()),
        Shape::Float(number) => Amount::parse(&number.to_string()),
        _ => None,
    }
}

/// A value in a form in which what makes no difference is not there: ignored fields left out,
/// amounts as numbers, lists whose order means nothing sorted.
pub fn canonical(
    view: View<'_>,
    path: &FieldPath,
    built_in: bool,
    rule: &dyn Fn(&FieldPath) -> ListRule,
) -> Json {
    match view.shape() {
        Shape::Map => {
            let mut map: Vec<(String, Json)> = Vec::new();
            for field in view.fields() {
                let path = path.joined(Step::Key(field.key.as_ref().into()));
                let default = built_in && is_default(field.value, &path);
                if !default && !is_written_by_server(&path) {
                    let value = canonical(field.value, &path, built_in, rule);
                    map.push((field.key.into_owned(), value));
                }
            }
            map.sort_by(|a, b| a.0.cmp(&b.0));
            Json::Object(map.into_iter().collect())
        }
        Shape::List => {
            let inside = path.joined(Step::Item("".into()));
            let items = view.items().into_iter();
            let mut items: Vec<Json> = items
                .map(|item| canonical(item, &inside, built_in, rule))
                .collect();
            if !rule(path).ordered {
                items.sort_by_cached_key(Json::to_string);
            }
            Json::Array(items)
        }
        _ => match amount(view, path).filter(|_| built_in) {
            Some(amount) => json!({"thousandths": amount.thousandths.to_string()}),
            None => view.to_json(),
        },
    }
}
