//! The proof of isolation as people and tools read it: one file per format.

pub mod html;
pub mod json;
pub mod text;

use crate::model::isolation::{ClusterIsolation, Flow, Workload};

/// A format of the proof.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Format {
    /// For people at a terminal.
    Text,
    /// For tools; carries `formatVersion`.
    Json,
    /// A page to explore.
    Html,
}

impl Format {
    /// All formats by name.
    pub const ALL: [(&'static str, Format); 3] = [
        ("text", Format::Text),
        ("json", Format::Json),
        ("html", Format::Html),
    ];
}

/// The proof in a format.
pub fn write(format: Format, clusters: &[ClusterIsolation], color: bool) -> String {
    match format {
        Format::Text => text::write(clusters, color),
        Format::Json => json::write(clusters),
        Format::Html => html::write(clusters),
    }
}

/// A workload as people call it: `globex/query-api`; what a template for the whole tenant made has no
/// component.
fn name(workload: &Workload) -> String {
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
fn ends<'a>(cluster: &'a ClusterIsolation, flow: &Flow) -> Option<(&'a Workload, &'a Workload)> {
    Some((
        cluster.workloads.get(flow.from)?,
        cluster.workloads.get(flow.to)?,
    ))
}
