//! What is around the objects of a unit: its variables, its namespace, the Kubernetes of its cluster.

use super::{UnitObjects, matching, names};
use crate::model::instance::Unit;
use tenantry_cel::Minor;
use tenantry_syntax::yaml::{Node, merge};

/// A unit's variables as rules see them.
pub fn named(unit: &Unit) -> Vec<(&'static str, Node)> {
    let variables = unit.variables.iter();
    variables
        .map(|(name, node)| (*name, names::named_entries(node)))
        .collect()
}

/// The minor version of Kubernetes of a unit's cluster.
pub fn kubernetes_of(unit: &Unit) -> Option<Minor> {
    let version = unit.facts.cluster().kubernetes_version().as_str()?;
    version.split('.').nth(1)?.parse().ok()
}

/// The namespace of a unit as the API server has it: with the label of its name, and alive.
pub fn namespace_object(objects: &UnitObjects<'_>) -> Option<Node> {
    let one = objects.rendered.iter().find(|one| {
        one.manifest.kind() == "Namespace" && one.manifest.name() == objects.unit.namespace
    })?;
    let rendered = Node::from_json(&one.manifest.root().to_json());
    let stored = serde_json::json!({
        "metadata": {"labels": {matching::NAME_LABEL: one.manifest.name()}},
        "spec": {"finalizers": ["kubernetes"]},
        "status": {"phase": "Active"},
    });
    Some(merge::over(&rendered, &Node::from_json(&stored)))
}
