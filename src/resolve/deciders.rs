//! What decides that a document has a say in a unit: the tenant's tier, its subscriptions, where it is placed, its part of
//! the organisation.

use std::sync::Arc;

use super::{Plan, PlannedUnit};
use crate::model::instance::{Decided, Deciders};
use crate::model::kinds::Catalog;
use tenantry_syntax::yaml::{Node, NodeId, Value};

/// Documents that say themselves for whom they are.
pub fn selecting(catalog: &Catalog) -> Arc<[Decided]> {
    let grants = catalog.grants.iter().map(|document| {
        let fields = document.fields();
        let by = [
            fields.tenants().node(),
            fields.match_labels().node(),
            fields.environments().node(),
        ];
        decided(document.tree.id, &by, fields.match_labels().is_written())
    });
    let routes = catalog.alert_routes.iter().map(|document| {
        let fields = document.fields();
        let by = [fields.tenants().node(), fields.environments().node()];
        decided(document.tree.id, &by, false)
    });
    let monitoring = catalog.monitorings.iter().map(|document| {
        let fields = document.fields();
        let by = [
            fields.tenants().node(),
            fields.environments().node(),
            fields.components().node(),
        ];
        decided(document.tree.id, &by, false)
    });
    let plans = catalog.recovery_plans.iter().map(|document| {
        decided(
            document.tree.id,
            &[document.fields().tenants().node()],
            false,
        )
    });
    grants
        .chain(routes)
        .chain(monitoring)
        .chain(plans)
        .collect()
}

/// A document that says for whom it is.
fn decided(document: NodeId, parts: &[Option<&Node>], by_labels: bool) -> Decided {
    let mut by = Vec::new();
    parts.iter().flatten().for_each(|part| ids(part, &mut by));
    Decided {
        document,
        by,
        by_labels,
    }
}

/// What decides about each document that the unit's values come from, besides the tenant's own.
pub fn of_unit(plan: &Plan<'_>, planned: &PlannedUnit<'_>) -> Deciders {
    let mut labels = Vec::new();
    let of_tenant = planned.tenant.metadata_fields().labels().node();
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
        tenant.fields().tier().written().into_iter().collect(),
    )];
    let environments = tenant.fields().environments();
    let placed = environments.entry(&planned.environment.name);
    decided.push((
        planned.environment.tree.id,
        placed.map(|placed| placed.key_id).into_iter().collect(),
    ));
    let mut by = Vec::new();
    match environments
        .value(&planned.environment.name)
        .some()
        .clusters()
        .node()
    {
        Some(clusters) => ids(clusters, &mut by),
        None => {
            by.extend(placed.map(|placed| placed.key_id));
            let of_environment = planned.environment.fields().clusters().node();
            if let Some(clusters) = of_environment {
                ids(clusters, &mut by);
            }
        }
    }
    let zones = [
        tenant.fields().residency().node(),
        planned.cluster.fields().residency().node(),
    ];
    zones
        .into_iter()
        .flatten()
        .for_each(|zones| ids(zones, &mut by));
    decided.push((planned.cluster.tree.id, by));
    for context in &planned.contexts {
        let mut by = Vec::new();
        let fields = context.fields();
        let parts = [
            fields.scope().node(),
            fields.priority().node(),
            fields.expires_at().node(),
            tenant.fields().organization().node(),
        ];
        parts
            .into_iter()
            .flatten()
            .for_each(|part| ids(part, &mut by));
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
    let mut by = Vec::new();
    let entries = planned
        .tenant
        .fields()
        .components()
        .item(at)
        .node()
        .map(Node::entries);
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
