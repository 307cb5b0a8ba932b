//! What a container may do on its node: the fields of which a change opens something.

use serde_json::Value as Json;

use super::FoundRisks;
use crate::model::change::{FieldChange, RiskClass};
use tenantry_engine::view::View;
use tenantry_kubernetes::field_path::{FieldPath, FieldStep};

/// A field of a pod or container, and the value that opens something.
struct UnsafeField {
    path: &'static [&'static str],
    opens: Opens,
    message: &'static str,
}

enum Opens {
    /// This value, whatever was there.
    To(UnsafeValue),
    /// Any value but this one, where this one was.
    Off(UnsafeValue),
    /// None, where one was.
    Lost,
    /// One, where none was.
    Gained,
}

enum UnsafeValue {
    Bool(bool),
    Text(&'static str),
    Number(i64),
}

const fn to(
    path: &'static [&'static str],
    value: UnsafeValue,
    message: &'static str,
) -> UnsafeField {
    UnsafeField {
        path,
        opens: Opens::To(value),
        message,
    }
}

const fn off(
    path: &'static [&'static str],
    value: UnsafeValue,
    message: &'static str,
) -> UnsafeField {
    UnsafeField {
        path,
        opens: Opens::Off(value),
        message,
    }
}

const fn lost(path: &'static [&'static str], message: &'static str) -> UnsafeField {
    UnsafeField {
        path,
        opens: Opens::Lost,
        message,
    }
}

const fn gained(path: &'static [&'static str], message: &'static str) -> UnsafeField {
    UnsafeField {
        path,
        opens: Opens::Gained,
        message,
    }
}

/// After the Pod Security Standards:
/// <https://kubernetes.io/docs/concepts/security/pod-security-standards/>
const OPENINGS: &[UnsafeField] = &[
    to(
        &["securityContext", "privileged"],
        UnsafeValue::Bool(true),
        "a container is privileged: it may do on its node what the node may do",
    ),
    off(
        &["securityContext", "allowPrivilegeEscalation"],
        UnsafeValue::Bool(false),
        "a container's processes may gain more rights than their parents",
    ),
    off(
        &["securityContext", "runAsNonRoot"],
        UnsafeValue::Bool(true),
        "a container may run as root",
    ),
    to(
        &["securityContext", "runAsUser"],
        UnsafeValue::Number(0),
        "a container runs as root",
    ),
    off(
        &["securityContext", "readOnlyRootFilesystem"],
        UnsafeValue::Bool(true),
        "a container may write to its own file system, where intruders keep tools",
    ),
    to(
        &["securityContext", "seccompProfile", "type"],
        UnsafeValue::Text("Unconfined"),
        "a container may make any system call",
    ),
    lost(
        &["securityContext", "seccompProfile"],
        "a container may make any system call",
    ),
    to(
        &["hostNetwork"],
        UnsafeValue::Bool(true),
        "pods use the network of their node, past all network policies",
    ),
    to(
        &["hostPID"],
        UnsafeValue::Bool(true),
        "pods see all processes of their node",
    ),
    to(
        &["hostIPC"],
        UnsafeValue::Bool(true),
        "pods share memory with all processes of their node",
    ),
    to(
        &["securityContext", "procMount"],
        UnsafeValue::Text("Unmasked"),
        "a container sees the node's /proc unmasked",
    ),
    to(
        &["windowsOptions", "hostProcess"],
        UnsafeValue::Bool(true),
        "a container is a process of its node",
    ),
    to(
        &["appArmorProfile", "type"],
        UnsafeValue::Text("Unconfined"),
        "a container is not confined by AppArmor",
    ),
    gained(
        &["ports", "*", "hostPort"],
        "a port of the node leads to a pod",
    ),
    gained(
        &["securityContext", "sysctls"],
        "pods set parameters of the kernel",
    ),
    off(
        &["automountServiceAccountToken"],
        UnsafeValue::Bool(false),
        "pods get a token for the API server",
    ),
];

impl UnsafeValue {
    fn is(&self, json: Option<&Json>) -> bool {
        match (self, json) {
            (UnsafeValue::Bool(value), Some(Json::Bool(found))) => value == found,
            (UnsafeValue::Text(value), Some(Json::String(found))) => value == found,
            (UnsafeValue::Number(value), Some(Json::Number(found))) => {
                found.as_i64() == Some(*value)
            }
            _ => false,
        }
    }
}

/// Judges a changed field of a workload, and the fields within it.
pub fn judge(at: usize, field: &FieldChange, found: &mut FoundRisks) {
    let (before, after) = (field.before.as_ref(), field.after.as_ref());
    // That a whole container or volume is gone opens nothing.
    let is_item = matches!(field.path.0.last(), Some(FieldStep::Item(_)));
    if after.is_none() && is_item {
        return;
    }
    for message in openings(&field.path, before, after) {
        found.at(RiskClass::Exposure, at, message);
    }
}

/// Judges a container that is new in a workload: it is as closed as it says itself, or its pod.
pub fn judge_container(at: usize, field: &FieldChange, root: View<'_>, found: &mut FoundRisks) {
    let [pod @ .., FieldStep::Key(list), FieldStep::Item(_)] = field.path.0.as_slice() else {
        return;
    };
    let (None, Some(after)) = (&field.before, &field.after) else {
        return;
    };
    if !matches!(&**list, "containers" | "initContainers") {
        return;
    }
    let pod = pod.iter().try_fold(root, |view, step| match step {
        FieldStep::Key(key) => view.get(key),
        FieldStep::Item(_) => None,
    });
    let of_pod = pod.and_then(|pod| pod.at(&["securityContext", "runAsNonRoot"]));
    let closed = |json: Option<&Json>| json == Some(&Json::Bool(true));
    let own = &after["securityContext"]["runAsNonRoot"];
    if !closed(Some(own))
        && (own == &Json::Bool(false) || !closed(of_pod.map(View::to_json).as_ref()))
    {
        found.at(RiskClass::Exposure, at, "a new container may run as root");
    }
}

/// Judges a workload that is new.
pub fn judge_new(object: &Json, found: &mut FoundRisks) {
    for message in openings(&FieldPath::default(), None, Some(object)) {
        found.add(RiskClass::Exposure, message);
    }
}

fn openings(path: &FieldPath, before: Option<&Json>, after: Option<&Json>) -> Vec<String> {
    let mut pairs = Vec::new();
    within(path, before, after, &mut pairs);
    let mut messages = Vec::new();
    for (path, before, after) in pairs {
        for opening in OPENINGS {
            let opens = match &opening.opens {
                Opens::To(value) => value.is(after) && !value.is(before),
                Opens::Off(value) => value.is(before) && !value.is(after),
                Opens::Gained => before.is_none() && after.is_some(),
                Opens::Lost => before.is_some() && after.is_none(),
            };
            if opens && path.ends_with(opening.path) {
                messages.push(opening.message.to_owned());
            }
        }
        let list = |json: Option<&Json>| -> Vec<String> {
            let items = json.and_then(Json::as_array).into_iter().flatten();
            items.map(Json::to_string).collect()
        };
        if path.ends_with(&["capabilities", "add"]) {
            let known = list(before);
            for capability in list(after).iter().filter(|one| !known.contains(one)) {
                let name = capability.trim_matches('"');
                messages.push(format!("a container gets the capability {name}"));
            }
        }
        if path.ends_with(&["capabilities", "drop"]) {
            let left = list(after);
            if list(before).iter().any(|one| !left.contains(one)) {
                messages.push("a container keeps capabilities that it dropped before".to_owned());
            }
        }
        let is_folder = path.ends_with(&["hostPath"]) && before.is_none();
        if after.is_some() && (is_folder || path.ends_with(&["hostPath", "path"])) {
            messages.push("pods see a folder of their node".to_owned());
        }
    }
    messages
}

type PodPair<'a> = (FieldPath, Option<&'a Json>, Option<&'a Json>);

/// A changed value, and all values within it, on both sides.
fn within<'a>(
    path: &FieldPath,
    before: Option<&'a Json>,
    after: Option<&'a Json>,
    pairs: &mut Vec<PodPair<'a>>,
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
        steps.push(FieldStep::Key(key.as_str().into()));
        within(&FieldPath(steps), inner(old), inner(new), pairs);
    }
    let items = |json: Option<&'a Json>| json.and_then(Json::as_array).into_iter().flatten();
    let known: std::collections::BTreeSet<String> = items(before).map(Json::to_string).collect();
    for item in items(after).filter(|item| !known.contains(&item.to_string())) {
        within(
            &path.joined(FieldStep::Item("".into())),
            None,
            Some(item),
            pairs,
        );
    }
}
