//! The proof of isolation as people and tools read it: one file per format.

pub mod html;
pub mod json;
pub mod text;

use crate::model::isolation::{ClusterIsolation, IsolatedWorkload, NetworkFlow};

/// A format of the proof.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum IsolationFormat {
    /// For people at a terminal.
    Text,
    /// For tools; carries `formatVersion`.
    Json,
    /// A page to explore.
    Html,
}

impl IsolationFormat {
    /// All formats by name.
    pub const ALL: [(&'static str, IsolationFormat); 3] = [
        ("text", IsolationFormat::Text),
        ("json", IsolationFormat::Json),
        ("html", IsolationFormat::Html),
    ];
}

/// The proof in a format.
pub fn write(format: IsolationFormat, clusters: &[ClusterIsolation], color: bool) -> String {
    match format {
        IsolationFormat::Text => text::write(clusters, color),
        IsolationFormat::Json => json::write(clusters),
        IsolationFormat::Html => html::write(clusters),
    }
}

/// A workload as people call it: `globex/query-api`; what a template for the whole tenant made has no
/// component.
fn name(workload: &IsolatedWorkload) -> String {
    let tenant = if workload.tenant.is_empty() {
        "the cluster"
    } else {
        &workload.tenant
    };
    if workload.component.is_empty() {
        format!("{tenant} {}", workload.title)
    } else {
        format!("{tenant}/{}", workload.component)
    }
}

/// The ends of a flow.
fn ends<'a>(
    cluster: &'a ClusterIsolation,
    flow: &NetworkFlow,
) -> Option<(&'a IsolatedWorkload, &'a IsolatedWorkload)> {
    Some((
        cluster.workloads.get(flow.from)?,
        cluster.workloads.get(flow.to)?,
    ))
}
