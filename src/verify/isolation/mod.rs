//! The proof of isolation: from the rendered manifests of a cluster, who reaches whom and what accounts
//! may do. What crosses tenants or environments and no share declares is a finding, at the policy that
//! lets it through.
//!
//! * `facts`: what each unit leaves behind. `reach`: network policies. `accounts`: roles and bindings.
//! * `names`: what pods use by name in a namespace that tenants share.

mod accounts;
mod facts;
mod names;
mod reach;
mod within;

use std::collections::BTreeMap;

use rayon::prelude::*;

pub use facts::{IsolationFacts, gather, gather_names};

use super::UnitFacts;
use crate::model::isolation::ClusterIsolation;
use crate::model::kinds::Catalog;
use crate::model::locator::Places;
use crate::model::network::Block;
use tenantry_syntax::diagnostics::catalogue::verify as codes;
use tenantry_syntax::diagnostics::{Diagnostic, Sink};

/// What one unit left behind, and whose it is.
#[derive(Clone, Copy, Debug)]
pub struct UnitIsolation<'a> {
    /// The environment.
    pub environment: &'a str,
    /// The tenant; empty for what belongs to the cluster.
    pub tenant: &'a str,
    /// What was left.
    pub facts: &'a IsolationFacts,
}

/// Proves the isolation of every cluster that was rendered.
pub fn prove(facts: &[&UnitFacts], catalog: &Catalog, sink: &mut Sink) -> Vec<ClusterIsolation> {
    let mut clusters: BTreeMap<&str, Vec<UnitIsolation<'_>>> = BTreeMap::new();
    for fact in facts {
        clusters
            .entry(&fact.cluster)
            .or_default()
            .push(UnitIsolation {
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
    parts: &[UnitIsolation<'_>],
    blocks: &[Block],
    sink: &mut Sink,
) -> ClusterIsolation {
    let mut isolation = reach::prove(cluster, parts, blocks, sink);
    isolation.rights = accounts::prove(cluster, parts, sink);
    isolation.borrowed = names::prove(cluster, parts, sink);
    isolation.is_complete &= !unread(cluster, parts, sink);
    isolation
}

/// Tells which policies could not be read, once for each line that makes some; whether there are any.
fn unread(cluster: &str, parts: &[UnitIsolation<'_>], sink: &mut Sink) -> bool {
    let policies = parts.iter().flat_map(|part| &part.facts.foreign_policies);
    let mut lines: BTreeMap<_, (usize, &(Box<str>, Places))> = BTreeMap::new();
    for one in policies {
        lines.entry(one.1.primary).or_insert((0, one)).0 += 1;
    }
    for (count, (title, place)) in lines.values() {
        let more = match count - 1 {
            0 => String::new(),
            more => format!(" and {more} more from this line"),
        };
        let message = format!(
            "what {title}{more} lets through on {cluster} is not known here, so its isolation is not proven"
        );
        let diagnostic = place.put(Diagnostic::new(codes::UNPROVEN, message), "");
        sink.push(
            diagnostic
                .help("write it as a NetworkPolicy of networking.k8s.io, or judge it by hand"),
        );
    }
    !lines.is_empty()
}
