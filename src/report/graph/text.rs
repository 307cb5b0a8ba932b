//! The graph for a terminal: all data with who writes and reads it, or what is around one node.

use std::fmt::Write as _;

use super::{GraphOptions, class};
use crate::model::graph::{Edge, EdgeDirection, EdgeKind, Graph, NodeKind};
use crate::report::table::Table;

/// Most names in a cell.
const MOST_NAMED: usize = 12;

/// Writes the graph.
pub fn write(graph: &Graph<'_>, shown: GraphOptions<'_>, color: bool) -> String {
    match shown.around {
        Some(at) => around(graph, at, shown.ways),
        None => all(graph, color),
    }
}

fn all(graph: &Graph<'_>, color: bool) -> String {
    let (upstream, downstream) = (
        graph.edges_of(EdgeDirection::Upstream),
        graph.edges_of(EdgeDirection::Downstream),
    );
    let names = |at: usize, kind: EdgeKind, way: EdgeDirection| -> String {
        let edges = match way {
            EdgeDirection::Upstream => &upstream[at],
            EdgeDirection::Downstream => &downstream[at],
        };
        let wanted: Vec<usize> = edges
            .iter()
            .filter(|edge| edge.kind == kind)
            .map(|edge| way.end(edge))
            .collect();
        let mut names: Vec<String> = wanted
            .iter()
            .take(MOST_NAMED)
            .map(|at| graph.nodes[*at].name.to_owned())
            .collect();
        if wanted.len() > names.len() {
            names.push(format!("{} more", wanted.len() - names.len()));
        }
        names.join(", ")
    };
    let mut data = Table::of_text(&[
        "DATASET",
        "DOMAIN",
        "CLASS",
        "PERSONAL",
        "OWNER",
        "WRITTEN BY",
        "READ BY",
    ]);
    let mut components = Table::of_text(&["COMPONENT", "CLEARANCE", "OWNER", "NEEDS", "TENANTS"]);
    for (at, node) in graph.nodes.iter().enumerate() {
        match node.kind {
            NodeKind::Dataset => data.row([
                node.name,
                node.domain.unwrap_or(""),
                class(node.classification),
                if node.is_personal { "yes" } else { "" },
                node.owner,
                &names(at, EdgeKind::Writes, EdgeDirection::Upstream),
                &names(at, EdgeKind::Reads, EdgeDirection::Downstream),
            ]),
            NodeKind::Component => components.row([
                node.name,
                class(node.classification),
                node.owner,
                &names(at, EdgeKind::Needs, EdgeDirection::Upstream),
                &names(at, EdgeKind::Runs, EdgeDirection::Downstream),
            ]),
            NodeKind::Tenant => {}
        }
    }
    let tables = [data, components];
    let texts: Vec<String> = tables
        .iter()
        .filter(|table| !table.is_empty())
        .map(|table| table.text("", color))
        .collect();
    texts.join("\n")
}

/// Where a node comes from, and what it leads to, as two trees; what was told before is not told again.
fn around(graph: &Graph<'_>, at: usize, ways: [bool; 2]) -> String {
    let mut text = String::new();
    let node = &graph.nodes[at];
    let mut facts = vec![class(node.classification).to_owned()];
    let hold = node
        .dataset
        .and_then(|dataset| dataset.spec.legal_hold.as_ref());
    if let Some(domain) = node.domain {
        facts.push(format!("domain {domain}"));
    }
    facts.push(format!("owner {}", node.owner));
    if let Some(hold) = hold {
        facts.push(format!("must not be deleted: {}", hold.reason));
    }
    let _ = writeln!(text, "{} ({})", node.id(), facts.join(", "));
    let both = [
        (EdgeDirection::Upstream, "comes from"),
        (EdgeDirection::Downstream, "leads to"),
    ];
    for ((way, title), _) in both.into_iter().zip(ways).filter(|(_, shown)| *shown) {
        let _ = writeln!(text, "\n{title}");
        let before = text.len();
        tree(graph, at, way, &mut text);
        if text.len() == before {
            text.push_str("  nothing\n");
        }
    }
    text
}

fn tree(graph: &Graph<'_>, start: usize, way: EdgeDirection, text: &mut String) {
    let edges = graph.edges_of(way);
    let mut told = vec![false; graph.nodes.len()];
    told[start] = true;
    // A stack of our own: a chain may be as long as there are documents.
    let mut pending: Vec<(Edge, usize)> =
        edges[start].iter().rev().map(|edge| (*edge, 1)).collect();
    while let Some((edge, depth)) = pending.pop() {
        let next = way.end(&edge);
        let node = &graph.nodes[next];
        let class = match class(edge.classification) {
            "" => String::new(),
            class => format!(" ({class})"),
        };
        let word = match (way, edge.kind) {
            (EdgeDirection::Downstream, kind) => kind.word(),
            (EdgeDirection::Upstream, EdgeKind::Reads) => "reads",
            (EdgeDirection::Upstream, EdgeKind::Writes) => "is written by",
            (EdgeDirection::Upstream, EdgeKind::Needs) => "needs",
            (EdgeDirection::Upstream, EdgeKind::Runs) => "runs",
            (EdgeDirection::Upstream, EdgeKind::Shares) => "is shared with by",
        };
        let again = if told[next] { ", see above" } else { "" };
        let _ = writeln!(
            text,
            "{}{word} {}{class}{again}",
            "  ".repeat(depth.min(40)),
            node.id()
        );
        if !told[next] {
            told[next] = true;
            pending.extend(edges[next].iter().rev().map(|edge| (*edge, depth + 1)));
        }
    }
}
