//! The graph as a page to explore: search, focus on a node, up- and downstream, filters.

use serde_json::json;

use super::GraphOptions;
use crate::model::graph::Graph;
use crate::report::pages::Page;

/// Writes the page.
pub fn write(graph: &Graph<'_>, shown: GraphOptions<'_>) -> String {
    let mut data = super::json::of(graph);
    data["around"] = json!(shown.around.map(|at| graph.nodes[at].id()));
    Page {
        title: "Data and dependencies",
        sentence: "Where data comes from, what is made of it, and who depends on what. Choose a node to see what is around it.",
        data: &data,
        script: include_str!("page.js"),
    }
    .write()
}
