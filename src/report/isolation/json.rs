//! The proof for tools.

use serde_json::{Value as Json, json};

use super::{ends, name};
use crate::model::isolation::{ClusterIsolation, Why};

/// The version of this form.
const FORMAT_VERSION: &str = "1";

/// Writes the proof.
pub fn write(clusters: &[ClusterIsolation]) -> String {
    let clusters: Vec<Json> = clusters.iter().map(of_cluster).collect();
    let document = json!({"formatVersion": FORMAT_VERSION, "clusters": clusters});
    serde_json::to_string_pretty(&document).unwrap_or_default() + "\n"
}

/// One cluster.
pub fn of_cluster(cluster: &ClusterIsolation) -> Json {
    let workloads: Vec<Json> = cluster
        .workloads
        .iter()
        .map(|one| {
            json!({
                "environment": one.environment, "tenant": one.tenant, "component": one.component,
                "object": one.title, "namespace": one.namespace, "name": name(one),
            })
        })
        .collect();
    let flows: Vec<Json> = cluster
        .flows
        .iter()
        .filter(|flow| ends(cluster, flow).is_some())
        .map(|flow| {
            let why = match flow.why {
                Why::Own => "own",
                Why::Share => "share",
                Why::Undeclared => "undeclared",
            };
            let through =
                |at: usize| -> Vec<&str> { flow.through[at].iter().map(|name| &**name).collect() };
            json!({
                "from": flow.from, "to": flow.to, "why": why, "ports": flow.ports.words(),
                "letInBy": through(0), "letOutBy": through(1),
            })
        })
        .collect();
    let within: Vec<Json> = cluster
        .within
        .iter()
        .map(|one| {
            let [let_in, let_out] = &one.through;
            json!({
                "from": one.from, "to": one.to, "ports": "all ports",
                "letInBy": let_in.as_deref(), "letOutBy": let_out.as_deref(),
            })
        })
        .collect();
    let outside: Vec<Json> = cluster
        .outside
        .iter()
        .map(|one| {
            let direction = if one.goes_out { "out" } else { "in" };
            json!({"workload": one.workload, "direction": direction, "peer": one.peer, "ports": one.ports})
        })
        .collect();
    let accounts: Vec<Json> = cluster
        .rights
        .iter()
        .map(|account| {
            let dangers: Vec<&str> = account.dangers.iter().map(|danger| danger.words()).collect();
            json!({
                "tenant": account.tenant, "environment": account.environment, "subject": account.subject,
                "namespace": account.namespace, "role": account.role, "rights": account.rights, "dangers": dangers,
            })
        })
        .collect();
    json!({
        "cluster": cluster.cluster, "isComplete": cluster.is_complete, "pairs": cluster.pairs, "inNodeNetwork": cluster.in_node_network,
        "workloads": workloads, "flows": flows, "within": within, "pairsWithin": cluster.pairs_within, "outside": outside, "accounts": accounts,
    })
}
