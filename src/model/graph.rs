//! What depends on what: components and the data that they read and write, the tenants that run them, and
//! what they share. Edges go the way that data goes, or from what is needed to what needs it.

use std::collections::{BTreeMap, BTreeSet};

use super::catalog::Document;
use super::data::{self, DataFlow};
use super::kinds::{Catalog, Clearance, Dataset};

/// What a node stands for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum NodeKind {
    /// Data.
    Dataset,
    /// A component, all its versions.
    Component,
    /// A tenant.
    Tenant,
}

impl NodeKind {
    /// As documents call it.
    pub fn name(self) -> &'static str {
        match self {
            NodeKind::Dataset => "Dataset",
            NodeKind::Component => "Component",
            NodeKind::Tenant => "Tenant",
        }
    }
}

/// Why one node leads to another.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum EdgeKind {
    /// A dataset is read by a component.
    Reads,
    /// A component writes a dataset.
    Writes,
    /// A component is needed by another.
    Needs,
    /// A component runs for a tenant.
    Runs,
    /// A tenant shares a component with another tenant.
    Shares,
}

impl EdgeKind {
    /// The word between the two.
    pub fn word(self) -> &'static str {
        match self {
            EdgeKind::Reads => "is read by",
            EdgeKind::Writes => "writes",
            EdgeKind::Needs => "is needed by",
            EdgeKind::Runs => "runs for",
            EdgeKind::Shares => "shares with",
        }
    }
}

/// A node.
#[derive(Clone, Debug)]
pub struct GraphNode<'a> {
    /// What it stands for.
    pub kind: NodeKind,
    /// Its name.
    pub name: &'a str,
    /// Who answers for it.
    pub owner: &'a str,
    /// Its class of data, or its clearance.
    pub classification: Option<Clearance>,
    /// The domain of a dataset.
    pub domain: Option<&'a str>,
    /// Whether it holds personal data.
    pub is_personal: bool,
    /// What it is, in a sentence.
    pub description: &'a str,
    /// The tenants that have to do with it.
    pub tenants: BTreeSet<&'a str>,
    /// The document, of a dataset.
    pub dataset: Option<&'a Document<Dataset>>,
}

impl GraphNode<'_> {
    /// `Dataset/orders`.
    pub fn id(&self) -> String {
        format!("{}/{}", self.kind.name(), self.name)
    }
}

/// An edge.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Edge {
    /// Where it begins: the position of a node.
    pub from: usize,
    /// Where it ends: the position of a node.
    pub to: usize,
    /// Why.
    pub kind: EdgeKind,
    /// The class of the data that flows.
    pub classification: Option<Clearance>,
}

/// What depends on what.
#[derive(Clone, Debug, Default)]
pub struct Graph<'a> {
    /// Sorted by kind and name.
    pub nodes: Vec<GraphNode<'a>>,
    /// Sorted.
    pub edges: Vec<Edge>,
}

/// Which way to follow edges.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum EdgeDirection {
    /// To where it comes from: provenance.
    Upstream,
    /// To what it leads to: impact.
    Downstream,
}

impl EdgeDirection {
    /// The far end of an edge.
    pub fn end(self, edge: &Edge) -> usize {
        match self {
            EdgeDirection::Upstream => edge.from,
            EdgeDirection::Downstream => edge.to,
        }
    }
}

impl<'a> Graph<'a> {
    /// The graph of a repository.
    pub fn of(catalog: &'a Catalog) -> Graph<'a> {
        let mut builder = GraphBuilder::default();
        for dataset in &catalog.datasets {
            let spec = &dataset.spec;
            let at = builder.node(NodeKind::Dataset, &dataset.name);
            let node = &mut builder.nodes[at];
            node.owner = &spec.owner;
            node.classification = spec.classification;
            node.domain = spec.domain.as_ref().map(|domain| domain.0.as_str());
            node.is_personal = spec.personal_data.is_some();
            node.description = &dataset.metadata.description;
            node.dataset = Some(dataset);
        }
        for component in &catalog.components {
            let at = builder.node(NodeKind::Component, &component.name);
            let node = &mut builder.nodes[at];
            node.owner = &component.spec.owner;
            node.classification = node.classification.max(component.spec.clearance);
            node.description = &component.metadata.description;
        }
        for component in &catalog.components {
            let at = builder.node(NodeKind::Component, &component.name);
            for flow in DataFlow::ALL {
                for (_, dataset) in data::of_component(catalog, component, flow) {
                    let other = builder.node(NodeKind::Dataset, &dataset.name);
                    let class = dataset.spec.classification;
                    match flow {
                        DataFlow::Input => builder.edge(other, at, EdgeKind::Reads, class),
                        DataFlow::Output => builder.edge(at, other, EdgeKind::Writes, class),
                    }
                }
            }
            for needed in &component.spec.dependencies {
                if let Some(needed) = catalog.components.get(&needed.component.0) {
                    let needed = builder.node(NodeKind::Component, &needed.name);
                    builder.edge(needed, at, EdgeKind::Needs, None);
                }
            }
        }
        for tenant in &catalog.tenants {
            let at = builder.node(NodeKind::Tenant, &tenant.name);
            let node = &mut builder.nodes[at];
            node.owner = &tenant.spec.owner;
            node.classification = tenant.spec.clearance;
            node.description = &tenant.metadata.description;
            node.tenants.insert(&tenant.name);
            for subscription in &tenant.spec.components {
                let Some(component) = catalog.components.get(&subscription.component.0) else {
                    continue;
                };
                let component = builder.node(NodeKind::Component, &component.name);
                builder.edge(component, at, EdgeKind::Runs, None);
                builder.nodes[component].tenants.insert(&tenant.name);
            }
            for share in &tenant.spec.shares {
                for with in &share.with {
                    if let Some(other) = catalog.tenants.get(&with.0) {
                        let other = builder.node(NodeKind::Tenant, &other.name);
                        builder.edge(at, other, EdgeKind::Shares, None);
                    }
                }
            }
        }
        builder.finish()
    }

    /// The position of a node: `Dataset/orders`, or its name where only one node has it.
    pub fn find(&self, wanted: &str) -> Option<usize> {
        let by_id = self
            .nodes
            .iter()
            .position(|node| node.id().eq_ignore_ascii_case(wanted));
        by_id.or_else(|| {
            let mut named = (0..self.nodes.len()).filter(|at| self.nodes[*at].name == wanted);
            let first = named.next()?;
            named.next().is_none().then_some(first)
        })
    }

    /// The edges of each node: those that lead to it, or away from it.
    pub fn edges_of(&self, way: EdgeDirection) -> Vec<Vec<Edge>> {
        let mut edges = vec![Vec::new(); self.nodes.len()];
        for edge in &self.edges {
            match way {
                EdgeDirection::Upstream => edges[edge.to].push(*edge),
                EdgeDirection::Downstream => edges[edge.from].push(*edge),
            }
        }
        edges
    }

    /// A node, and all that it leads to or comes from.
    pub fn reach(&self, start: usize, way: EdgeDirection) -> BTreeSet<usize> {
        let edges = self.edges_of(way);
        let mut found = BTreeSet::from([start]);
        let mut pending = vec![start];
        while let Some(at) = pending.pop() {
            let next = edges[at].iter().map(|edge| way.end(edge));
            pending.extend(next.filter(|next| found.insert(*next)));
        }
        found
    }

    /// The part of the graph with some of its nodes.
    #[must_use]
    pub fn only(&self, is_wanted: impl Fn(usize) -> bool) -> Graph<'a> {
        let mut positions = vec![None; self.nodes.len()];
        let mut nodes = Vec::new();
        for (at, node) in self.nodes.iter().enumerate() {
            if is_wanted(at) {
                positions[at] = Some(nodes.len());
                nodes.push(node.clone());
            }
        }
        let edges = self.edges.iter().filter_map(|edge| {
            Some(Edge {
                from: positions[edge.from]?,
                to: positions[edge.to]?,
                ..*edge
            })
        });
        Graph {
            edges: edges.collect(),
            nodes,
        }
    }
}

#[derive(Default)]
struct GraphBuilder<'a> {
    nodes: Vec<GraphNode<'a>>,
    edges: BTreeSet<Edge>,
    positions: BTreeMap<(NodeKind, &'a str), usize>,
}

impl<'a> GraphBuilder<'a> {
    fn node(&mut self, kind: NodeKind, name: &'a str) -> usize {
        let (nodes, positions) = (&mut self.nodes, &mut self.positions);
        *positions.entry((kind, name)).or_insert_with(|| {
            nodes.push(GraphNode {
                kind,
                name,
                owner: "",
                classification: None,
                domain: None,
                is_personal: false,
                description: "",
                tenants: BTreeSet::new(),
                dataset: None,
            });
            nodes.len() - 1
        })
    }

    fn edge(&mut self, from: usize, to: usize, kind: EdgeKind, classification: Option<Clearance>) {
        self.edges.insert(Edge {
            from,
            to,
            kind,
            classification,
        });
    }

    /// Sorts, and lets datasets know whose components use them.
    fn finish(mut self) -> Graph<'a> {
        for edge in &self.edges {
            let (component, dataset) = match edge.kind {
                EdgeKind::Reads => (edge.to, edge.from),
                EdgeKind::Writes => (edge.from, edge.to),
                _ => continue,
            };
            let tenants = self.nodes[component].tenants.clone();
            self.nodes[dataset].tenants.extend(tenants);
        }
        let order: Vec<usize> = self.positions.into_values().collect();
        let mut positions = vec![0; order.len()];
        for (new, old) in order.iter().enumerate() {
            positions[*old] = new;
        }
        let mut edges: Vec<Edge> = self
            .edges
            .into_iter()
            .map(|edge| Edge {
                from: positions[edge.from],
                to: positions[edge.to],
                ..edge
            })
            .collect();
        edges.sort_unstable();
        let nodes = order.into_iter().map(|at| self.nodes[at].clone()).collect();
        Graph { nodes, edges }
    }
}
