//! What was judged and found right need not be judged again: workloads of many tenants are alike.
//!
//! A value is known by a hash of its content. Of a pod, only what the rules about whole pods read counts, so that
//! names, variables and labels of tenants do not make pods differ.

use std::collections::HashSet;
use std::hash::{BuildHasher, DefaultHasher, Hash, Hasher, RandomState};
use std::sync::{LazyLock, Mutex};

use crate::model::view::{Shape, View};

/// Hashes of what is right, in parts so that threads seldom wait.
static RIGHT: LazyLock<[Mutex<HashSet<u64>>; 16]> =
    LazyLock::new(|| std::array::from_fn(|_| Mutex::new(HashSet::new())));
/// Keys of the hashes, so that nobody can write two values that have the same one.
static KEYS: LazyLock<RandomState> = LazyLock::new(RandomState::new);
/// Most hashes of a part that are kept.
const MOST: usize = 50_000;

fn part(key: u64) -> &'static Mutex<HashSet<u64>> {
    &RIGHT[usize::try_from(key % 16).unwrap_or(0)]
}

/// Whether something was judged and is right.
pub(super) fn is_right(key: u64) -> bool {
    part(key).lock().is_ok_and(|part| part.contains(&key))
}

/// Notes that something is right.
pub(super) fn remember(key: u64) {
    if let Ok(mut part) = part(key).lock()
        && part.len() < MOST
    {
        part.insert(key);
    }
}

/// The fields of a container that differ from tenant to tenant, and that no rule about the container reads.
pub(super) const OF_TENANTS: &str = "env";

/// The key of a container, but for its variables; `what` is its definition and the version of Kubernetes.
pub(super) fn container(what: (usize, u32), view: View<'_>) -> u64 {
    let mut hasher = KEYS.build_hasher();
    what.hash(&mut hasher);
    for field in view.fields() {
        if field.key != OF_TENANTS {
            field.key.hash(&mut hasher);
            content(field.value, &mut hasher);
        }
    }
    hasher.finish()
}

fn content(view: View<'_>, hasher: &mut DefaultHasher) {
    match view.shape() {
        Shape::Null => hasher.write_u8(0),
        Shape::Bool(value) => hasher.write_u8(1 + u8::from(value)),
        Shape::Int(number) => (3u8, number).hash(hasher),
        Shape::Float(number) => (4u8, number.to_bits()).hash(hasher),
        Shape::Text(text) => (5u8, &*text).hash(hasher),
        Shape::List => {
            let items = view.items();
            (6u8, items.len()).hash(hasher);
            for item in items {
                content(item, hasher);
            }
        }
        Shape::Map => {
            let fields = view.fields();
            (7u8, fields.len()).hash(hasher);
            for field in fields {
                field.key.hash(hasher);
                content(field.value, hasher);
            }
        }
    }
}

/// Fields of a pod's spec that no rule about whole pods reads.
const LEFT_OUT: &[&str] = &[
    "serviceAccountName",
    "nodeSelector",
    "affinity",
    "tolerations",
    "imagePullSecrets",
    "topologySpreadConstraints",
    "schedulerName",
];
/// Fields of a container that no rule about whole pods reads.
const LEFT_OUT_OF_CONTAINERS: &[&str] = &[
    "env",
    "envFrom",
    "imagePullPolicy",
    "command",
    "args",
    "workingDir",
    "terminationMessagePath",
    "terminationMessagePolicy",
];

/// The key of a pod's spec for rules about whole pods; `what` tells them apart.
pub(super) fn pod(what: (&str, u32, u8), annotations: Option<View<'_>>, spec: View<'_>) -> u64 {
    let mut hasher = KEYS.build_hasher();
    what.hash(&mut hasher);
    for field in annotations.map(View::fields).unwrap_or_default() {
        if field.key.starts_with("container.") || field.key.starts_with("seccomp.") {
            field.key.hash(&mut hasher);
            content(field.value, &mut hasher);
        }
    }
    for field in spec.fields() {
        let key = &*field.key;
        if LEFT_OUT.contains(&key) {
            continue;
        }
        key.hash(&mut hasher);
        match key {
            "containers" | "initContainers" | "ephemeralContainers" => {
                for container in field.value.items() {
                    hasher.write_u8(8);
                    for field in container.fields() {
                        // An image is read for volumes, never for containers.
                        if field.key != "image" && !LEFT_OUT_OF_CONTAINERS.contains(&&*field.key) {
                            field.key.hash(&mut hasher);
                            content(field.value, &mut hasher);
                        }
                    }
                }
            }
            // Of volumes, the name and the kind count.
            "volumes" => {
                for volume in field.value.items() {
                    hasher.write_u8(9);
                    volume.text_at(&["name"]).hash(&mut hasher);
                    for field in volume.fields() {
                        field.key.hash(&mut hasher);
                    }
                }
            }
            // Whether it is one of Kubernetes' own.
            "priorityClassName" => {
                let name = field.value.text().unwrap_or_default();
                let own = name.starts_with("system-").then_some(name);
                own.as_deref().hash(&mut hasher);
            }
            _ => content(field.value, &mut hasher),
        }
    }
    hasher.finish()
}

#[cfg(test)]
mod tests {
    use super::{LEFT_OUT, LEFT_OUT_OF_CONTAINERS};

    /// What is left out of the keys is not read by the rules that they stand for.
    #[test]
    fn rules_about_pods_read_nothing_that_is_left_out() {
        let admission = super::super::admission::texts();
        let pods = include_str!("../../../kubernetes/validation/core/PodSpec.yaml");
        // Rules of the definition itself come after those of its fields.
        let (_, pods) = pods.split_once("\n  x-kubernetes-validations:").unwrap();
        for text in admission.into_iter().chain([pods]) {
            for name in LEFT_OUT.iter().chain(LEFT_OUT_OF_CONTAINERS) {
                let dotted = format!(".{name}");
                let is_read = text
                    .split(&dotted)
                    .skip(1)
                    .any(|rest| !rest.starts_with(|c: char| c.is_ascii_alphanumeric()));
                assert!(!is_read, "`{name}` is read: {text}");
            }
        }
    }
}
