//! The graph for Markdown: <https://mermaid.js.org/syntax/flowchart.html>.

use std::fmt::Write as _;

use super::{class, identifier};
use crate::model::graph::{Graph, NodeKind};

/// Writes the graph.
pub fn write(graph: &Graph<'_>) -> String {
    let mut text = String::from("flowchart LR\n");
    for node in &graph.nodes {
        // Names are made of letters, digits and `-`: nothing of them is markup.
        let (open, close) = match node.kind {
            NodeKind::Dataset => ("[(", ")]"),
            NodeKind::Component => ("[", "]"),
            NodeKind::Tenant => ("([", "])"),
        };
        let _ = writeln!(text, "  {}{open}\"{}\"{close}", identifier(node), node.name);
    }
    for edge in &graph.edges {
        let word = match class(edge.classification) {
            "" => edge.kind.word(),
            class => class,
        };
        let _ = writeln!(
            text,
            "  {} -->|{word}| {}",
            identifier(&graph.nodes[edge.from]),
            identifier(&graph.nodes[edge.to])
        );
    }
    for name in ["confidential", "restricted"] {
        let nodes: Vec<String> = graph
            .nodes
            .iter()
            .filter(|node| node.kind == NodeKind::Dataset && class(node.classification) == name)
            .map(identifier)
            .collect();
        if !nodes.is_empty() {
            let color = if name == "restricted" {
                "#b42318"
            } else {
                "#c2410c"
            };
            let _ = writeln!(
                text,
                "  classDef {name} stroke:{color},stroke-width:2px\n  class {} {name}",
                nodes.join(",")
            );
        }
    }
    text
}
