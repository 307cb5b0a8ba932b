//! The proof of isolation: from the rendered manifests of a cluster, who reaches whom and what accounts
//! may do. What crosses tenants or environments and no share declares is a finding, at the policy that
//! lets it through.
//!
//! * `facts`: what each unit leaves behind. `reach`: network policies. `accounts`: roles and bindings.

mod accounts;
mod facts;
mod reach;

use std::collections::BTreeMap;

use rayon::prelude::*;

pub use facts::{IsolationFacts, gather};

use super::Facts;
use crate::diagnostics::Sink;
use crate::model::isolation::ClusterIsolation;
use crate::model::kinds::Catalog;
use crate::model::network::Block;

/// What one unit left behind, and whose it is.
#[derive(Clone, Copy, Debug)]
pub struct Part<'a> {
    /// The environment.
    pub environment: &'a str,
    /// The tenant; empty for what belongs to the cluster.
    pub tenant: &'a str,
    /// What was left.
    pub facts: &'a IsolationFacts,
}

/// Proves the isolation of every cluster that was rendered.
pub fn prove(facts: &[&Facts], catalog: &Catalog, sink: &mut Sink) -> Vec<ClusterIsolation> {
    let mut clusters: BTreeMap<&str, Vec<Part<'_>>> = BTreeMap::new();
    for fact in facts {
        clusters.entry(&fact.cluster).or_default().push(Part {
            environment: &fact.environment,
            tenant: &fact.tenant,
            facts: &fact.isolation,
        });
    }
    let proven: Vec<(Sink, ClusterIsolation)> = clusters
        .into_par_iter()
        .map(|(cluster, parts)| {
            let mut sink = Sink::default();
            let document = catalog.clusters.get(cluster);
            let blocks = document.map(|document| &document.spec.pod_cidrs);
            let blocks = blocks.into_iter().flatten();
            let blocks: Vec<Block> = blocks.filter_map(|block| Block::parse(&block.0)).collect();
            let isolation = of_cluster(cluster, &parts, &blocks, &mut sink);
            (sink, isolation)
        })
        .collect();
    let mut isolations = Vec::new();
    for (found, isolation) in proven {
        sink.append(found);
        isolations.push(isolation);
    }
    isolations
}

/// Proves the isolation of one cluster. Pods have their addresses in `blocks`; anywhere if there are none.
pub fn of_cluster(
    cluster: &str,
    parts: &[Part<'_>],
    blocks: &[Block],
    sink: &mut Sink,
) -> ClusterIsolation {
    let mut isolation = reach::prove(cluster, parts, blocks, sink);
    isolation.rights = accounts::prove(cluster, parts, sink);
    isolation
}
