//! What a container may do on its node: the fields of which a change opens something.

use serde_json::Value as Json;

use super::Found;
use crate::model::change::{FieldChange, FieldPath, RiskClass, Step};

/// A field of a pod or container, and the value that opens something.
struct Opening {
    path: &'static [&'static str],
    opens: Opens,
    message: &'static str,
}

enum Opens {
    /// This value, whatever was there.
    To(Value),
    /// Any value but this one, where this one was.
    Off(Value),
}

enum Value {
    Bool(bool),
    Text(&'static str),
    Number(i64),
}

const fn to(path: &'static [&'static str], value: Value, message: &'static str) -> Opening {
    Opening {
        path,
        opens: Opens::To(value),
        message,
    }
}

const fn off(path: &'static [&'static str], value: Value, message: &'static str) -> Opening {
    Opening {
        path,
        opens: Opens::Off(value),
        message,
    }
}

/// After the Pod Security Standards:
/// <https://kubernetes.io/docs/concepts/security/pod-security-standards/>
const OPENINGS: &[Opening] = &[
    to(
        &["securityContext", "privileged"],
        Value::Bool(true),
        "a container is privileged: it may do on its node what the node may do",
    ),
    to(
        &["securityContext", "allowPrivilegeEscalation"],
        Value::Bool(true),
        "a container's processes may gain more rights than their parents",
    ),
    off(
        &["securityContext", "allowPrivilegeEscalation"],
        Value::Bool(false),
        "a container's processes may gain more rights than their parents",
    ),
    off(
        &["securityContext", "runAsNonRoot"],
        Value::Bool(true),
        "a container may run as root",
    ),
    to(
        &["securityContext", "runAsUser"],
        Value::Number(0),
        "a container runs as root",
    ),
    off(
        &["securityContext", "readOnlyRootFilesystem"],
        Value::Bool(true),
        "a container may write to its own file system, where intruders keep tools",
    ),
    to(
        &["securityContext", "seccompProfile", "type"],
        Value::Text("Unconfined"),
        "a container may make any system call",
    ),
    off(
        &["securityContext", "seccompProfile", "type"],
        Value::Text("RuntimeDefault"),
        "a container may make any system call",
    ),
    to(
        &["hostNetwork"],
        Value::Bool(true),
        "pods use the network of their node, past all network policies",
    ),
    to(
        &["hostPID"],
        Value::Bool(true),
        "pods see all processes of their node",
    ),
    to(
        &["hostIPC"],
        Value::Bool(true),
        "pods share memory with all processes of their node",
    ),
    off(
        &["automountServiceAccountToken"],
        Value::Bool(false),
        "pods get a token for the API server",
    ),
    to(
        &["automountServiceAccountToken"],
        Value::Bool(true),
        "pods get a token for the API server",
    ),
];

impl Value {
    fn is(&self, json: Option<&Json>) -> bool {
        match (self, json) {
            (Value::Bool(value), Some(Json::Bool(found))) => value == found,
            (Value::Text(value), Some(Json::String(found))) => value == found,
            (Value::Number(value), Some(Json::Number(found))) => found.as_i64() == Some(*value),
            _ => false,
        }
    }
}

/// Judges a changed field of a workload, and the fields within it.
pub fn judge(at: usize, field: &FieldChange, found: &mut Found) {
    let mut pairs = Vec::new();
    within(
        &field.path,
        field.before.as_ref(),
        field.after.as_ref(),
        &mut pairs,
    );
    for (path, before, after) in pairs {
        for opening in OPENINGS {
            let opens = match &opening.opens {
                Opens::To(value) => value.is(after) && !value.is(before),
                // A container that is new was never closed.
                Opens::Off(value) => value.is(before) && !value.is(after) && !is_gone(&path, field),
            };
            if opens && path.ends_with(opening.path) {
                found.at(RiskClass::Exposure, at, opening.message);
            }
        }
        let empty = Vec::new();
        let list = |json: Option<&Json>| -> Vec<String> {
            let items = json.and_then(Json::as_array).unwrap_or(&empty).iter();
            items.map(Json::to_string).collect()
        };
        if path.ends_with(&["capabilities", "add"]) {
            let known = list(before);
            for capability in list(after).iter().filter(|one| !known.contains(one)) {
                let name = capability.trim_matches('"');
                let message = format!("a container gets the capability {name}");
                found.at(RiskClass::Exposure, at, message);
            }
        }
        if path.ends_with(&["capabilities", "drop"]) {
            let left = list(after);
            if list(before).iter().any(|one| !left.contains(one)) && !is_gone(&path, field) {
                let message = "a container keeps capabilities that it dropped before";
                found.at(RiskClass::Exposure, at, message);
            }
        }
        if path.ends_with(&["hostPath"]) && before.is_none() && after.is_some() {
            found.at(RiskClass::Exposure, at, "pods see a folder of their node");
        }
    }
}

/// Whether a field is only gone because a whole container or volume is.
fn is_gone(path: &FieldPath, field: &FieldChange) -> bool {
    field.after.is_none()
        && path != &field.path
        && matches!(field.path.0.last(), Some(Step::Item(_)))
}

type Pair<'a> = (FieldPath, Option<&'a Json>, Option<&'a Json>);

/// A changed value, and all values within it, on both sides.
fn within<'a>(
    path: &FieldPath,
    before: Option<&'a Json>,
    after: Option<&'a Json>,
    pairs: &mut Vec<Pair<'a>>,
) {
    pairs.push((path.clone(), before, after));
    let map = |json: Option<&'a Json>| json.and_then(Json::as_object);
    let (old, new) = (map(before), map(after));
    let keys = old.into_iter().chain(new).flat_map(|map| map.keys());
    let keys: std::collections::BTreeSet<&String> = keys.collect();
    for key in keys {
        let inner =
            |map: Option<&'a serde_json::Map<String, Json>>| map.and_then(|map| map.get(key));
        let mut steps = path.0.clone();
        steps.push(Step::Key(key.as_str().into()));
        within(&FieldPath(steps), inner(old), inner(new), pairs);
    }
    let items = |json: Option<&'a Json>| json.and_then(Json::as_array).into_iter().flatten();
    if before.is_none() {
        for item in items(after) {
            let mut steps = path.0.clone();
            steps.push(Step::Item("".into()));
            within(&FieldPath(steps), None, Some(item), pairs);
        }
    }
}
