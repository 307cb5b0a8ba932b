//! By what items of lists are told apart: Kubernetes' own keys, as the API's `x-kubernetes-list-map-keys`
//! and merge keys name them. Every other list is atomic.

use tenantry_engine::view::Shape;
use tenantry_kubernetes::defaults::Stored;
use tenantry_kubernetes::field_path::FieldPath;
use tenantry_kubernetes::volatile::without_random;

/// A list by its name, and where it stands.
struct KeyedList {
    /// The last keys of its path; `*` stands for any item.
    path: &'static [&'static str],
    /// The kind of object that it is in; empty for any.
    kind: &'static str,
    /// What tells items apart.
    keys: &'static [&'static str],
}

const fn by_name(path: &'static [&'static str]) -> KeyedList {
    KeyedList {
        path,
        kind: "",
        keys: &["name"],
    }
}

const KEYED: &[KeyedList] = &[
    by_name(&["containers"]),
    by_name(&["initContainers"]),
    by_name(&["ephemeralContainers"]),
    by_name(&["volumes"]),
    by_name(&["*", "env"]),
    by_name(&["imagePullSecrets"]),
    by_name(&["matchConditions"]),
    by_name(&["webhooks"]),
    KeyedList {
        path: &["containers", "*", "ports"],
        kind: "",
        keys: &["containerPort", "protocol"],
    },
    KeyedList {
        path: &["initContainers", "*", "ports"],
        kind: "",
        keys: &["containerPort", "protocol"],
    },
    KeyedList {
        path: &["spec", "ports"],
        kind: "Service",
        keys: &["port", "protocol"],
    },
    KeyedList {
        path: &["volumeMounts"],
        kind: "",
        keys: &["mountPath"],
    },
    KeyedList {
        path: &["volumeDevices"],
        kind: "",
        keys: &["devicePath"],
    },
    KeyedList {
        path: &["topologySpreadConstraints"],
        kind: "",
        keys: &["topologyKey", "whenUnsatisfiable"],
    },
    KeyedList {
        path: &["hostAliases"],
        kind: "",
        keys: &["ip"],
    },
    KeyedList {
        path: &["ownerReferences"],
        kind: "",
        keys: &["uid"],
    },
];

/// Lists of built-in kinds whose order means something: commands; variables, which may use earlier
/// ones; containers that run one after the other; sources of which the later wins; servers that
/// are asked in turn.
const ORDERED: &[&str] = &[
    "args",
    "command",
    "env",
    "envFrom",
    "initContainers",
    "nameservers",
    "searches",
    "variables",
];

/// How the items of a list are compared.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ListRule {
    /// What tells items apart; nothing for a list that is compared as a whole.
    pub keys: &'static [&'static str],
    /// Whether the order means something.
    pub ordered: bool,
}

/// The rule for a list of an object. What order means in objects of other APIs is not known, so
/// there it counts.
pub fn of_object(kind: &str, built_in: bool, path: &FieldPath) -> ListRule {
    let keyed = KEYED
        .iter()
        .find(|list| (list.kind.is_empty() || list.kind == kind) && path.ends_with(list.path));
    ListRule {
        keys: keyed.map_or(&[], |list| list.keys),
        ordered: ORDERED.contains(&path.last_key()) || (!built_in && keyed.is_none()),
    }
}

/// The rule for a list of a document of ours: items with a name are told apart by it.
pub fn of_document(path: &FieldPath) -> ListRule {
    let keys: &[&str] = match path.last_key() {
        "components" | "dependencies" | "shares" => &["component"],
        "grants" => &["role"],
        _ => &["name"],
    };
    ListRule {
        keys,
        ordered: true,
    }
}

/// What an item is called by the keys of its list; nothing if it lacks one.
pub fn label(item: &Stored<'_>, keys: &[&str]) -> Option<String> {
    let mut label = String::new();
    for (at, key) in keys.iter().enumerate() {
        let text = match item.get(key)?.shape() {
            Shape::Text(text) => without_random(text).into_owned(),
            Shape::Int(number) => number.to_string(),
            Shape::Bool(value) => value.to_string(),
            _ => return None,
        };
        if at > 0 {
            label.push('/');
        }
        label.push_str(&text);
    }
    (!label.is_empty()).then_some(label)
}
