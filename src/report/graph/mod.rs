//! What depends on what, as people and tools read it: one file per format.

pub mod dot;
pub mod html;
pub mod json;
pub mod mermaid;
pub mod openlineage;
pub mod text;

use crate::model::graph::{Graph, GraphNode};
use crate::model::kinds::Clearance;

/// A format of the graph.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum GraphFormat {
    /// For people at a terminal.
    Text,
    /// For Graphviz.
    Dot,
    /// For Markdown.
    Mermaid,
    /// For tools; carries `formatVersion`.
    Json,
    /// Events of `OpenLineage`, one on each line.
    Openlineage,
    /// A page to explore.
    Html,
}

impl GraphFormat {
    /// All formats by name.
    pub const ALL: [(&'static str, GraphFormat); 6] = [
        ("text", GraphFormat::Text),
        ("dot", GraphFormat::Dot),
        ("mermaid", GraphFormat::Mermaid),
        ("json", GraphFormat::Json),
        ("openlineage", GraphFormat::Openlineage),
        ("html", GraphFormat::Html),
    ];
}

/// What is shown besides the graph itself.
#[derive(Clone, Copy, Debug)]
pub struct GraphOptions<'a> {
    /// The Platform's name.
    pub platform: &'a str,
    /// The day that events carry.
    pub as_of: &'a str,
    /// The node that it is about: its position.
    pub around: Option<usize>,
    /// Which ways are shown: to where it comes from, to what it leads to.
    pub ways: [bool; 2],
}

/// The graph in a format.
pub fn write(
    format: GraphFormat,
    graph: &Graph<'_>,
    shown: GraphOptions<'_>,
    color: bool,
) -> String {
    match format {
        GraphFormat::Text => text::write(graph, shown, color),
        GraphFormat::Dot => dot::write(graph),
        GraphFormat::Mermaid => mermaid::write(graph),
        GraphFormat::Json => json::write(graph),
        GraphFormat::Openlineage => openlineage::write(graph, shown),
        GraphFormat::Html => html::write(graph, shown),
    }
}

/// A class of data as documents write it.
fn class(class: Option<Clearance>) -> &'static str {
    match class {
        None => "",
        Some(Clearance::Public) => "public",
        Some(Clearance::Internal) => "internal",
        Some(Clearance::Confidential) => "confidential",
        Some(Clearance::Restricted) => "restricted",
    }
}

/// An identifier that every language of graphs takes.
fn identifier(node: &GraphNode<'_>) -> String {
    node.id()
        .chars()
        .map(|c| if c.is_ascii_alphanumeric() { c } else { '_' })
        .collect()
}
