//! What decides that a document has a say in a unit: the tenant's tier, its subscriptions, where it is placed, its part of
//! the organisation.

use std::sync::Arc;

use super::{Plan, PlannedUnit};
use crate::model::instance::{Decided, Deciders};
use crate::model::kinds::Catalog;
use crate::yaml::{Node, NodeId, PathStep, Value};

/// Documents that say themselves for whom they are.
pub fn selecting(catalog: &Catalog) -> Arc<[Decided]> {
    const SELECTING: [&str; 4] = ["tenants", "matchLabels", "environments", "components"];
    let grants = catalog.grants.iter().map(|document| &document.tree);
    let routes = catalog.alert_routes.iter().map(|document| &document.tree);
    let monitoring = catalog.monitorings.iter().map(|document| &document.tree);
    let plans = catalog.recovery_plans.iter().map(|document| &document.tree);
    let trees = grants.chain(routes).chain(monitoring).chain(plans);
    let decided = |tree: &Node| {
        let mut by = Vec::new();
        for part in SELECTING.iter().filter_map(|key| tree.at(&["spec", key])) {
            ids(part, &mut by);
        }
        Decided {
            document: tree.id,
            by,
            by_labels: tree.at(&["spec", "matchLabels"]).is_some(),
        }
    };
    trees.map(decided).collect()
}

/// What decides about each document that the unit's values come from, besides the tenant's own.
pub fn of_unit(plan: &Plan<'_>, planned: &PlannedUnit<'_>) -> Deciders {
    let mut labels = Vec::new();
    let of_tenant = planned.tenant.tree.at(&["metadata", "labels"]);
    if let Some(node) = of_tenant {
        ids(node, &mut labels);
    }
    let chosen = chosen(planned).into_iter();
    let chosen = chosen.map(|(document, by)| Decided {
        document,
        by,
        by_labels: false,
    });
    Deciders {
        chosen: chosen.collect(),
        selecting: plan.selecting.clone(),
        labels,
    }
}

fn chosen(planned: &PlannedUnit<'_>) -> Vec<(NodeId, Vec<NodeId>)> {
    let tenant = planned.tenant;
    let mut decided = vec![(
        planned.tier.tree.id,
        tenant.written(&["tier"]).into_iter().collect(),
    )];
    let placed = tenant.tree.at(&["spec", "environments"]);
    let placed = placed.and_then(|placed| placed.as_map()?.entry(&planned.environment.name));
    decided.push((
        planned.environment.tree.id,
        placed.map(|placed| placed.key_id).into_iter().collect(),
    ));
    let mut by = Vec::new();
    match placed.and_then(|placed| placed.value.get("clusters")) {
        Some(clusters) => ids(clusters, &mut by),
        None => {
            by.extend(placed.map(|placed| placed.key_id));
            let of_environment = planned.environment.tree.at(&["spec", "clusters"]);
            if let Some(clusters) = of_environment {
                ids(clusters, &mut by);
            }
        }
    }
    for (document, key) in [
        (&tenant.tree, "residency"),
        (&planned.cluster.tree, "residency"),
    ] {
        if let Some(zones) = document.at(&["spec", key]) {
            ids(zones, &mut by);
        }
    }
    decided.push((planned.cluster.tree.id, by));
    for context in &planned.contexts {
        let mut by = Vec::new();
        for key in ["scope", "priority", "expiresAt"] {
            let part = context.tree.at(&["spec", key]);
            if let Some(part) = part {
                ids(part, &mut by);
            }
        }
        let organization = tenant.tree.at(&["spec", "organization"]);
        if let Some(part) = organization {
            ids(part, &mut by);
        }
        decided.push((context.tree.id, by));
    }
    for chosen in &planned.components {
        decided.push((
            chosen.component.tree.id,
            subscription(planned, chosen.subscription),
        ));
    }
    decided
}

/// What a subscription says, besides values and what is for other environments.
fn subscription(planned: &PlannedUnit<'_>, at: usize) -> Vec<NodeId> {
    let path = ["spec".into(), "components".into(), PathStep::Index(at)];
    let mut by = Vec::new();
    let entries = planned.tenant.tree.at_path(&path).map(Node::entries);
    for entry in entries.unwrap_or_default() {
        match (&*entry.key, entry.value.as_map()) {
            ("values" | "parameters", _) => {}
            ("environments", Some(environments)) => {
                let here = environments.entry(&planned.environment.name);
                by.extend(here.map(|here| here.key_id));
            }
            _ => ids(&entry.value, &mut by),
        }
    }
    by
}

/// The ids of a value's scalars.
fn ids(node: &Node, found: &mut Vec<NodeId>) {
    match &node.value {
        Value::Map(map) => map
            .entries
            .iter()
            .for_each(|entry| ids(&entry.value, found)),
        Value::List(items) => items.iter().for_each(|item| ids(item, found)),
        _ => found.push(node.id),
    }
}
