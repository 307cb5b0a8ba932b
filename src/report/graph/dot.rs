//! The graph for Graphviz: <https://graphviz.org/doc/info/lang.html>.

use std::fmt::Write as _;

use super::{class, identifier};
use crate::model::graph::{Graph, NodeKind};
use tenantry_syntax::diagnostics::printable;

/// Writes the graph.
pub fn write(graph: &Graph<'_>) -> String {
    let quoted = |text: &str| {
        printable(text)
            .replace('\\', "\\\\")
            .replace('"', "\\\"")
            .replace('\n', " ")
    };
    let mut text =
        String::from("digraph tenantry {\n  rankdir=LR;\n  node [fontname=\"sans-serif\"];\n");
    for node in &graph.nodes {
        let shape = match node.kind {
            NodeKind::Dataset => "cylinder",
            NodeKind::Component => "box",
            NodeKind::Tenant => "house",
        };
        let mut label = quoted(node.name);
        if !class(node.classification).is_empty() {
            let _ = write!(label, "\\n{}", class(node.classification));
        }
        let _ = writeln!(
            text,
            "  {} [shape={shape}, label=\"{label}\", tooltip=\"{}\"];",
            identifier(node),
            quoted(node.description)
        );
    }
    for edge in &graph.edges {
        let _ = writeln!(
            text,
            "  {} -> {} [label=\"{}\"];",
            identifier(&graph.nodes[edge.from]),
            identifier(&graph.nodes[edge.to]),
            match class(edge.classification) {
                "" => edge.kind.word(),
                class => class,
            }
        );
    }
    text + "}\n"
}
