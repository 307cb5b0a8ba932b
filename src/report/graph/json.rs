//! The graph for tools.

use serde_json::{Value as Json, json};

use super::class;
use crate::model::graph::Graph;

/// The version of this form.
const FORMAT_VERSION: &str = "1";

/// Writes the graph.
pub fn write(graph: &Graph<'_>) -> String {
    serde_json::to_string_pretty(&of(graph)).unwrap_or_default() + "\n"
}

/// The graph as JSON.
pub fn of(graph: &Graph<'_>) -> Json {
    let nodes: Vec<Json> = graph
        .nodes
        .iter()
        .map(|node| {
            let spec = node.dataset.map(|dataset| &dataset.spec);
            json!({
                "id": node.id(), "kind": node.kind.name(), "name": node.name, "owner": node.owner,
                "classification": class(node.classification), "domain": node.domain, "personalData": node.is_personal,
                "description": node.description, "tenants": node.tenants,
                "format": spec.map(|spec| &spec.format), "location": spec.map(|spec| &spec.location),
                "residency": spec.map(|spec| &spec.residency), "retentionDays": spec.map(|spec| spec.retention_days),
                "legalHold": spec.is_some_and(|spec| spec.legal_hold.is_some()),
                "contract": spec.and_then(|spec| spec.contract.as_ref()),
            })
        })
        .collect();
    let edges: Vec<Json> = graph
        .edges
        .iter()
        .map(|edge| {
            json!({
                "from": graph.nodes[edge.from].id(), "to": graph.nodes[edge.to].id(), "kind": edge.kind.word(),
                "classification": class(edge.classification),
            })
        })
        .collect();
    json!({"formatVersion": FORMAT_VERSION, "nodes": nodes, "edges": edges})
}
