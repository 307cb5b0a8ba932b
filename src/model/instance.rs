//! What is rendered: a tenant in an environment on a cluster, and the components that run there.

use std::collections::HashMap;
use std::collections::hash_map::Entry;
use std::sync::{Arc, Mutex};

use foldhash::fast::FixedState;

use super::field::Field;
use super::kinds::{PipelineJob, Workload};
use crate::yaml::{Node, NodeId, Value};

/// Names one unit of work, and the folder that it fills.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct UnitKey {
    /// The environment's name.
    pub environment: String,
    /// The cluster's name.
    pub cluster: String,
    /// The tenant's name; empty for what the cluster itself needs in that environment.
    pub tenant: String,
}

/// A name that templates can use, and what it stands for.
pub type Variable = (&'static str, Node);

/// A tenant in an environment on a cluster: everything that its templates see.
#[derive(Debug)]
pub struct Unit {
    /// Which one.
    pub key: UnitKey,
    /// The namespace that its objects live in.
    pub namespace: String,
    /// What templates of scope tenant and delivery see.
    pub variables: Vec<Variable>,
    /// The components that run here.
    pub instances: Vec<Instance>,
    /// The pipelines that run some of them.
    pub pipelines: Vec<PlannedPipeline>,
    /// Where values that the compiler computed come from.
    pub derivations: Arc<Derivations>,
    /// What decided that documents have a say here.
    pub deciders: Arc<Deciders>,
}

/// What decided that documents have a say in a unit.
#[derive(Clone, Debug, Default)]
pub struct Deciders {
    /// Documents that something of the unit's chose.
    pub chosen: Vec<Decided>,
    /// Documents that say themselves for whom they are.
    pub selecting: Arc<[Decided]>,
    /// The labels of the tenant.
    pub labels: Vec<NodeId>,
}

/// What decided that a document has a say.
#[derive(Clone, Debug)]
pub struct Decided {
    /// The root of the document.
    pub document: NodeId,
    /// The values that decided.
    pub by: Vec<NodeId>,
    /// Whether the labels of tenants decide, too.
    pub by_labels: bool,
}

impl Unit {
    /// Whether the tenant is not in service, so that much of its values has no effect for now.
    pub fn is_idle(&self) -> bool {
        let tenant = self
            .variables
            .iter()
            .find(|(name, _)| *name == "tenant")
            .map(|(_, node)| node);
        tenant
            .and_then(|tenant| tenant.get("status"))
            .and_then(Node::as_str)
            != Some("active")
    }
}

/// One component of a tenant in an environment on a cluster.
#[derive(Debug)]
pub struct Instance {
    /// The component's name.
    pub component: String,
    /// The line that asked for it: the tenant's subscription.
    pub subscription: NodeId,
    /// What templates of scope component see besides the unit's variables.
    pub variables: Vec<Variable>,
    /// Templates of the repository that are rendered for this component only.
    pub templates: Vec<String>,
    /// Each layer of values, the lowest first, for `why`.
    pub layers: Arc<[Layer]>,
}

/// A pipeline of a tenant in an environment on a cluster.
#[derive(Debug)]
pub struct PlannedPipeline {
    /// Its name.
    pub name: String,
    /// The line that asked for it.
    pub subscription: NodeId,
    /// What its templates see besides the unit's variables.
    pub variables: Vec<Variable>,
    /// Its jobs.
    pub jobs: Vec<PlannedJob>,
}

/// A job of a pipeline.
#[derive(Debug)]
pub struct PlannedJob {
    /// The position of the component's instance in the unit.
    pub instance: usize,
    /// The jobs that it waits for, in the end.
    pub waits_for: std::collections::BTreeSet<String>,
    /// What its templates see besides the pipeline's variables.
    pub variables: Vec<Variable>,
    /// The job itself, as templates see it.
    pub job: Node,
    /// The component's values, with what the job sets of them.
    pub workload: Node,
}

impl PlannedJob {
    /// Its name in the pipeline.
    pub fn name(&self) -> &str {
        Field::<PipelineJob>::of(&self.job)
            .name()
            .as_str()
            .unwrap_or_default()
    }

    /// What it runs.
    pub fn workload(&self) -> Field<'_, Workload> {
        Field::of(&self.workload)
    }

    /// Whether it and another job of its pipeline never run at the same time, because one of them waits for the
    /// other.
    pub fn waits_with(&self, other: &PlannedJob) -> bool {
        self.waits_for.contains(other.name()) || other.waits_for.contains(self.name())
    }
}

/// One layer of an instance's values.
#[derive(Clone, Debug)]
pub struct Layer {
    /// What people call it: `tier basic`, `tenant globex in production`.
    pub name: String,
    /// What it sets; a part of a workload.
    pub values: Node,
}

impl Instance {
    /// One of its variables.
    pub fn variable(&self, name: &str) -> Option<&Node> {
        self.variables
            .iter()
            .find(|(known, _)| *known == name)
            .map(|(_, node)| node)
    }
}

/// Which values of instances templates read.
#[derive(Clone, Debug, Default)]
pub struct Usage {
    /// Values that were set in the repository: nothing if something read them, else their path.
    pub values: HashMap<NodeId, Option<Box<str>>, FixedState>,
}

impl Usage {
    /// Takes over what another part of the work found: what one reads is read.
    pub fn append(&mut self, other: Usage) {
        for (id, unread) in other.values {
            match self.values.entry(id) {
                Entry::Vacant(entry) => drop(entry.insert(unread)),
                Entry::Occupied(mut entry) if unread.is_none() => drop(entry.insert(None)),
                Entry::Occupied(_) => {}
            }
        }
    }
}

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
