//! Who may do what: roles with what they inherit, and the grants of a tenant.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use super::catalog::Document;
use super::kinds::{Catalog, Role, Tenant};
use tenantry_syntax::yaml::{Node, NodeId, Value, entry, merge};

/// A role and all that it inherits, the role itself first; each once, also in a circle.
pub fn lineage<'a>(catalog: &'a Catalog, role: &str) -> Vec<&'a Document<Role>> {
    let mut pending: Vec<&str> = vec![role];
    let mut seen: BTreeSet<&str> = BTreeSet::new();
    let mut roles = Vec::new();
    while let Some(name) = pending.pop() {
        let Some(document) = catalog.roles.get(name) else {
            continue;
        };
        if seen.insert(&document.name) {
            roles.push(document);
            let inherited = document.spec.inherits.iter().rev();
            pending.extend(inherited.map(|name| name.0.as_str()));
        }
    }
    roles
}

/// A role as templates and rules see it: with the permissions, rules and constraints that it inherits.
/// Where constraints differ, those of the role itself count.
pub fn effective(catalog: &Catalog, role: &Document<Role>) -> Node {
    let mut roles = lineage(catalog, &role.name);
    roles.reverse();
    let list = |key: &str| -> Node {
        let mut items: Vec<Node> = Vec::new();
        for role in &roles {
            let own = role.effective.get(key).and_then(Node::as_list);
            for item in own.unwrap_or_default() {
                let known = item
                    .as_str()
                    .is_some_and(|text| items.iter().any(|known| known.as_str() == Some(text)));
                if !known {
                    items.push(item.clone());
                }
            }
        }
        let id = role.effective.get(key).map_or(NodeId::NONE, |list| list.id);
        Node::new(id, Value::List(items.into()))
    };
    let merged = |key: &str| merge::merge(roles.iter().filter_map(|role| role.effective.get(key)));
    let description = role.metadata_fields().description().node().cloned();
    Node::map(
        role.effective.id,
        vec![
            entry("name", Node::text(role.name_id(), role.name.as_str())),
            entry(
                "description",
                description.unwrap_or_else(|| Node::new(NodeId::NONE, Value::Null)),
            ),
            entry("permissions", list("permissions")),
            entry("kubernetes", list("kubernetes")),
            entry("conflictsWith", list("conflictsWith")),
            entry("constraints", merged("constraints")),
            entry("policyParameters", merged("policyParameters")),
        ],
    )
}

/// `policyParameters` of a role and of what it inherits, the inherited ones first: each may only tighten
/// what those before it say.
pub fn parameters(catalog: &Catalog, role: &str) -> Vec<Node> {
    let mut roles = lineage(catalog, role);
    roles.reverse();
    let set = roles
        .iter()
        .filter_map(|role| role.effective_fields().policy_parameters().node());
    set.cloned().collect()
}

/// All roles as [`effective`] makes them, by name.
pub fn roles(catalog: &Catalog) -> BTreeMap<&str, Node> {
    let roles = catalog.roles.iter();
    roles
        .map(|role| (role.name.as_str(), effective(catalog, role)))
        .collect()
}

/// The grants of a tenant: its own, then those of documents of kind Grant that are for it.
pub fn grants_of(catalog: &Catalog, tenant: &Document<Tenant>) -> Node {
    let own = tenant.effective_fields().grants().node();
    let mut items: Vec<Node> = own.and_then(Node::as_list).unwrap_or_default().to_vec();
    for grant in &catalog.grants {
        if grant.spec.is_for(&tenant.name, &tenant.metadata.labels) {
            let entries = grant.effective.entries().iter();
            let entries = entries.filter(|entry| !matches!(&*entry.key, "tenants" | "matchLabels"));
            items.push(Node::map(grant.effective.id, entries.cloned().collect()));
        }
    }
    Node::new(
        own.map_or(NodeId::NONE, |own| own.id),
        Value::List(Arc::from(items)),
    )
}
