//! Values that were computed from input before a run.

use std::sync::Mutex;

use tenantry_syntax::yaml::{Node, NodeId, Value};

/// Remembers what each computed value was computed from.
#[derive(Debug, Default)]
pub struct Derivations {
    sources: Mutex<Vec<Vec<NodeId>>>,
}

impl Derivations {
    /// A value computed from others.
    pub fn derive(&self, value: Value, from: impl IntoIterator<Item = NodeId>) -> Node {
        let mut sources = self
            .sources
            .lock()
            .unwrap_or_else(std::sync::PoisonError::into_inner);
        sources.push(from.into_iter().filter(|id| *id != NodeId::NONE).collect());
        Node::new(NodeId::derived(sources.len() - 1), value)
    }

    /// The input nodes that a node stands for: itself, or what it was computed from.
    pub fn inputs(&self, id: NodeId) -> Vec<NodeId> {
        let mut pending = vec![id];
        let mut inputs = Vec::new();
        let sources = self
            .sources
            .lock()
            .unwrap_or_else(std::sync::PoisonError::into_inner);
        while let Some(id) = pending.pop() {
            match id.as_derived() {
                Some(at) => pending.extend(sources.get(at).into_iter().flatten().rev()),
                None if id.is_input() && !inputs.contains(&id) => inputs.push(id),
                None => {}
            }
        }
        inputs
    }
}
