//! The data that components read and write, and the systems that they use.

use super::catalog::Document;
use super::kinds::{Catalog, Component, Dataset};
use tenantry_syntax::yaml::{Node, NodeId, PathStep, Value, entry};

/// Which way data flows between a component and a dataset.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum DataFlow {
    /// The component reads it.
    Input,
    /// The component writes it.
    Output,
}

impl DataFlow {
    /// Both ways.
    pub const ALL: [DataFlow; 2] = [DataFlow::Input, DataFlow::Output];

    /// The field of a component's `lineage`.
    pub fn field(self) -> &'static str {
        match self {
            DataFlow::Input => "inputs",
            DataFlow::Output => "outputs",
        }
    }
}

/// The datasets that a component reads or writes: where each is named, and what it names.
pub fn of_component<'a>(
    catalog: &'a Catalog,
    component: &'a Document<Component>,
    flow: DataFlow,
) -> Vec<(NodeId, &'a Document<Dataset>)> {
    let lineage = &component.spec.lineage;
    let names = match flow {
        DataFlow::Input => &lineage.inputs,
        DataFlow::Output => &lineage.outputs,
    };
    let place = |at: usize| {
        component.at(&[
            "spec".into(),
            "lineage".into(),
            flow.field().into(),
            PathStep::Index(at),
        ])
    };
    let named = names.iter().enumerate();
    named
        .filter_map(|(at, name)| Some((place(at), catalog.datasets.get(&name.0)?)))
        .collect()
}

/// A document as templates and rules see it: its spec, with its name.
pub fn seen<K>(document: &Document<K>) -> Node {
    let mut entries = vec![entry(
        "name",
        Node::text(document.name_id(), document.name.as_str()),
    )];
    let own = document.effective.entries().iter();
    entries.extend(own.filter(|entry| &*entry.key != "name").cloned());
    Node::map(document.effective.id, entries)
}

/// The datasets of a component as templates and rules see them.
pub fn list(catalog: &Catalog, component: &Document<Component>, flow: DataFlow) -> Node {
    let datasets = of_component(catalog, component, flow);
    let items = datasets.into_iter().map(|(_, dataset)| seen(dataset));
    Node::new(NodeId::NONE, Value::List(items.collect()))
}

/// The connections of a component as templates and rules see them.
pub fn connections(catalog: &Catalog, component: &Document<Component>) -> Node {
    let named = component.spec.connections.iter();
    let known = named.filter_map(|name| catalog.connections.get(&name.0));
    Node::new(NodeId::NONE, Value::List(known.map(seen).collect()))
}
