//! What was proven of the isolation of a cluster: who reaches whom, and what accounts may do.

use std::sync::Arc;

use super::network::Ports;
use super::rights::Danger;

/// The isolation of one cluster.
#[derive(Clone, Debug, Default)]
pub struct ClusterIsolation {
    /// The cluster.
    pub cluster: String,
    /// All workloads, by environment, tenant and name.
    pub workloads: Vec<IsolatedWorkload>,
    /// Who reaches whom, sorted; but for what is told as sets.
    pub flows: Vec<NetworkFlow>,
    /// What is open within tenants of many workloads.
    pub within: Vec<Within>,
    /// How many pairs that is.
    pub pairs_within: usize,
    /// What comes from outside of what is rendered, or goes there.
    pub outside: Vec<Outside>,
    /// What accounts may do.
    pub rights: Vec<Account>,
    /// Workloads that use their node's own network, where no policy holds: their positions.
    pub in_node_network: Vec<usize>,
    /// How many names of other tenants' secrets and accounts workloads use.
    pub borrowed: usize,
    /// Pairs of workloads that were looked at.
    pub pairs: usize,
    /// Whether all pairs that could be open were looked at, and all policies could be read.
    pub is_complete: bool,
}

impl ClusterIsolation {
    /// Whether nothing crosses tenants but what is shared, and no account reaches beyond its tenant.
    pub fn is_isolated(&self) -> bool {
        self.is_complete
            && self.borrowed == 0
            && self.in_node_network.is_empty()
            && self.flows.iter().all(|flow| flow.why != Why::Undeclared)
            && self.rights.iter().all(|account| account.dangers.is_empty())
    }
}

/// Pods that something makes.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct IsolatedWorkload {
    /// The environment.
    pub environment: String,
    /// The tenant; empty for what belongs to the cluster.
    pub tenant: String,
    /// `Deployment/web`.
    pub title: String,
    /// The component; empty if a template for the whole tenant made it.
    pub component: String,
    /// The namespace.
    pub namespace: String,
}

/// Why a workload reaches another.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Why {
    /// Nothing says that it should.
    Undeclared,
    /// Its owner shares it.
    Share,
    /// Both are the same tenant's in the same environment.
    Own,
}

/// A workload that reaches another.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct NetworkFlow {
    /// The one that reaches: its position.
    pub from: usize,
    /// The one that is reached: its position.
    pub to: usize,
    /// Why.
    pub why: Why,
    /// On which ports.
    pub ports: Arc<Ports>,
    /// The policies that let it in, then those that let it out; by namespace and name.
    pub through: [Vec<Arc<str>>; 2],
}

/// Workloads of a tenant in a namespace that reach others of it, on all ports.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Within {
    /// Those that reach: their positions, sorted.
    pub from: Vec<usize>,
    /// Those that are reached: their positions, sorted.
    pub to: Vec<usize>,
    /// The policy that lets them in, and the one that lets them out; nothing where no policy rules it.
    pub through: [Option<Arc<str>>; 2],
}

/// What comes from outside of what is rendered, or goes there.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Outside {
    /// The workload: its position.
    pub workload: usize,
    /// Whether it goes out; it comes in otherwise.
    pub goes_out: bool,
    /// Whom it reaches, or who reaches it: addresses, or namespaces of others.
    pub peer: String,
    /// On which ports, in words.
    pub ports: String,
}

/// What an account may do.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Account {
    /// The tenant that the binding belongs to; empty for the cluster's own.
    pub tenant: String,
    /// The environment.
    pub environment: String,
    /// `Group auditors`.
    pub subject: String,
    /// The namespace; empty for the whole cluster.
    pub namespace: String,
    /// The role.
    pub role: String,
    /// What it allows, in words.
    pub rights: Vec<String>,
    /// What of it reaches beyond the tenant.
    pub dangers: Vec<Danger>,
}
