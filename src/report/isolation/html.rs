//! The proof as a page: a matrix of tenants for each cluster, the workloads behind each cell, and accounts.

use serde_json::{Value as Json, json};

use super::json::of_cluster;
use crate::model::isolation::ClusterIsolation;
use crate::report::pages::Page;

/// Most flows within tenants that the page has of a cluster; those across tenants are all there.
const MOST_OWN: usize = 20_000;

/// Writes the page.
pub fn write(clusters: &[ClusterIsolation]) -> String {
    let clusters: Vec<Json> = clusters
        .iter()
        .map(|cluster| {
            let mut json = of_cluster(cluster);
            let sets = cluster.within.iter().flat_map(|within| {
                let pairs = within.from.iter();
                let pairs = pairs.flat_map(|from| within.to.iter().map(move |to| (*from, *to)));
                let through = within.through.each_ref();
                let through = through.map(|policy| Vec::from_iter(policy.as_deref()));
                let [let_in, let_out] = through;
                pairs
                    .filter(|(from, to)| from != to)
                    .map(move |(from, to)| {
                        json!({
                            "from": from, "to": to, "why": "own", "ports": "all ports",
                            "letInBy": let_in, "letOutBy": let_out,
                        })
                    })
            });
            let sets: Vec<Json> = sets.take(MOST_OWN).collect();
            if let Some(flows) = json["flows"].as_array_mut() {
                flows.extend(sets);
                let mut own = 0;
                flows.retain(|flow| {
                    own += usize::from(flow["why"] == "own");
                    flow["why"] != "own" || own <= MOST_OWN
                });
            }
            json
        })
        .collect();
    Page {
        title: "Isolation",
        sentence: "Who reaches whom, proven from the network policies and roles as they are rendered. A cell is a row's tenant reaching a column's.",
        data: &json!({"clusters": clusters}),
        script: include_str!("page.js"),
    }
    .write()
}
