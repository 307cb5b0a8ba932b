//! Objects that nobody's manifests have to have: those that Kubernetes makes (`tables/generated.yaml`), and those
//! of others.

use std::sync::LazyLock;

use tenantry_engine::view::View;
use tenantry_syntax::yaml::{self, Node};

static LISTS: LazyLock<Node> = LazyLock::new(|| {
    let text = include_str!("../tables/generated.yaml");
    let mut parsed = yaml::parse::parse(text, u32::MAX);
    parsed.documents.pop().unwrap_or_else(Node::empty_map)
});

/// The label that says who manages an object, and our name in it.
const MANAGED_BY: (&str, &str) = ("app.kubernetes.io/managed-by", "tenantry");

fn list(keys: &[&str]) -> impl Iterator<Item = &'static str> {
    let items = LISTS.at(keys).and_then(Node::as_list).unwrap_or_default();
    items.iter().filter_map(Node::as_str)
}

fn lists(keys: &[&str], name: &str) -> bool {
    list(keys).any(|known| match known.strip_suffix('*') {
        Some(start) => name.starts_with(start),
        None => name == known,
    })
}

/// Whether Kubernetes makes an object itself.
pub fn is_generated(root: View<'_>) -> bool {
    let kind = root.object_kind();
    let has_any = |map: &str| {
        let of_object = root.at(&["metadata", map]);
        list(&[map]).any(|key| of_object.is_some_and(|map| map.get(key).is_some()))
    };
    let has_owner = || {
        let owners = root.at(&["metadata", "ownerReferences"]);
        owners.is_some_and(|owners| !owners.items().is_empty())
    };
    lists(&["kinds"], &kind)
        || lists(&["namespaces"], &root.namespace())
        || lists(&["names", &kind], &root.object_name())
        || has_any("labels")
        || has_any("annotations")
        || has_owner()
}

/// Whether an object was read from a cluster: no manifest has what the API server writes.
pub fn is_live(root: View<'_>) -> bool {
    let written = ["uid", "resourceVersion", "creationTimestamp"];
    let metadata = root.metadata();
    metadata.is_some_and(|metadata| written.iter().any(|key| metadata.get(key).is_some()))
}

/// Whether an object says that it is ours.
pub fn is_ours(root: View<'_>) -> bool {
    let (label, name) = MANAGED_BY;
    root.label(label) == name
}
