//! What is rendered: a tenant in an environment on a cluster, and the components that run there.

use std::collections::HashMap;
use std::collections::hash_map::Entry;
use std::fmt;
use std::sync::Arc;

use foldhash::fast::FixedState;

use super::field::Field;
use super::kinds::{
    Cluster, ContextLevel, Environment, Patch, PipelineJob, Tenant, TenantStatus, Workload,
};
use tenantry_engine::derivations::Derivations;
use tenantry_syntax::yaml::{Node, NodeId};

/// Names one unit of work, and the folder that it fills.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct UnitKey {
    /// The environment's name.
    pub environment: String,
    /// The cluster's name.
    pub cluster: String,
    /// Whose it is.
    pub owner: Owner,
}

/// Whose a unit is; a cluster's own comes before those of its tenants.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Owner {
    /// What the cluster itself needs in that environment.
    Cluster,
    /// The tenant of this name.
    Tenant(String),
}

impl UnitKey {
    /// The tenant's name; none for what the cluster itself needs.
    pub fn tenant(&self) -> Option<&str> {
        match &self.owner {
            Owner::Cluster => None,
            Owner::Tenant(name) => Some(name),
        }
    }

    /// The tenant's name as reports have it: empty for what the cluster itself needs.
    pub fn tenant_name(&self) -> &str {
        self.tenant().unwrap_or_default()
    }
}

/// What the compiler itself has to know of a unit, as templates see it.
#[derive(Debug)]
pub struct Facts {
    /// The tenant; none for what the cluster itself needs.
    pub tenant: Option<Node>,
    /// The environment.
    pub environment: Node,
    /// The cluster.
    pub cluster: Node,
    /// Where the name of the tenant, or else of the cluster, is written.
    pub name: NodeId,
    /// The namespace that tenants share on a cluster, for the cluster's own unit.
    pub shared_namespace: Option<Node>,
}

impl Facts {
    /// The tenant.
    pub fn tenant(&self) -> Option<Field<'_, Tenant>> {
        self.tenant.as_ref().map(Field::of)
    }

    /// The environment.
    pub fn environment(&self) -> Field<'_, Environment> {
        Field::of(&self.environment)
    }

    /// The cluster.
    pub fn cluster(&self) -> Field<'_, Cluster> {
        Field::of(&self.cluster)
    }
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
    /// What the compiler itself has to know of it.
    pub facts: Facts,
    /// Patches of its own objects, the lowest layer first.
    pub patches: Vec<PatchLayer>,
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
        let tenant = self.facts.tenant();
        !tenant.is_some_and(|tenant| tenant.status().is(TenantStatus::Active))
    }
}

/// One component of a tenant in an environment on a cluster.
#[derive(Debug)]
pub struct Instance {
    /// The component's name.
    pub component: String,
    /// Where that name is written.
    pub name: NodeId,
    /// The version that runs.
    pub version: String,
    /// The instance itself, as templates see it.
    pub instance: Node,
    /// The layered values, as templates see them.
    pub workload: Node,
    /// The line that asked for it: the tenant's subscription.
    pub subscription: NodeId,
    /// What templates of scope component see besides the unit's variables.
    pub variables: Vec<Variable>,
    /// Templates of the repository that are rendered for this component only.
    pub templates: Vec<String>,
    /// Patches of its objects, the lowest layer first.
    pub patches: Vec<PatchLayer>,
    /// Its values that are locked, each with the line that locks it.
    pub locked: Vec<(NodeId, NodeId)>,
    /// Each layer of values, the lowest first, for `why`.
    pub layers: Arc<[Layer]>,
}

/// A patch of rendered objects, and whose it is.
#[derive(Clone, Debug)]
pub struct PatchLayer {
    /// Whose it is.
    pub source: LayerSource,
    /// The patch, as it is written.
    pub patch: Node,
}

impl PatchLayer {
    /// The patch by its fields.
    pub fn fields(&self) -> Field<'_, Patch> {
        Field::of(&self.patch)
    }
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
    /// Whose values they are.
    pub source: LayerSource,
    /// What it sets; a part of a workload.
    pub values: Node,
}

/// Whose values a layer has, the lowest first; the order is that of `docs/layers.md`. It is written as people call it:
/// `tier basic`, `tenant globex in production`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum LayerSource {
    /// The built-in defaults.
    BuiltIn,
    /// `defaults` of the Platform.
    Platform,
    /// The tier of this name.
    Tier(String),
    /// The context of this name.
    Context(ContextLevel, String),
    /// The component itself.
    Component {
        /// Its name.
        name: String,
        /// Its version.
        version: String,
    },
    /// The cluster of this name.
    Cluster(String),
    /// The environment of this name.
    Environment(String),
    /// The tenant.
    Tenant {
        /// Its name.
        tenant: String,
        /// The environment that it is for; none for all.
        environment: Option<String>,
    },
    /// The tenant's subscription to the component.
    Subscription {
        /// The tenant's name.
        tenant: String,
        /// The component's name.
        component: String,
        /// The environment that it is for; none for all.
        environment: Option<String>,
    },
}

impl LayerSource {
    /// Whether it is above the contexts of the organization, whose locks hold for it.
    pub fn is_above_contexts(&self) -> bool {
        !matches!(
            self,
            LayerSource::BuiltIn
                | LayerSource::Platform
                | LayerSource::Tier(_)
                | LayerSource::Context(..)
        )
    }
}

impl fmt::Display for LayerSource {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            LayerSource::BuiltIn => f.write_str("built-in default"),
            LayerSource::Platform => f.write_str("platform defaults"),
            LayerSource::Tier(name) => write!(f, "tier {name}"),
            LayerSource::Context(ContextLevel::Session, _) => f.write_str("the command line"),
            LayerSource::Context(level, name) => write!(f, "{level} context {name}"),
            LayerSource::Component { name, version } => write!(f, "component {name} {version}"),
            LayerSource::Cluster(name) => write!(f, "cluster {name}"),
            LayerSource::Environment(name) => write!(f, "environment {name}"),
            LayerSource::Tenant {
                tenant,
                environment,
            } => {
                write!(f, "tenant {tenant}")?;
                in_environment(environment.as_deref(), f)
            }
            LayerSource::Subscription {
                tenant,
                component,
                environment,
            } => {
                write!(f, "{tenant}'s subscription to {component}")?;
                in_environment(environment.as_deref(), f)
            }
        }
    }
}

fn in_environment(environment: Option<&str>, f: &mut fmt::Formatter<'_>) -> fmt::Result {
    environment.map_or(Ok(()), |name| write!(f, " in {name}"))
}

/// Which values of instances templates read.
#[derive(Clone, Debug, Default)]
pub struct Usage {
    /// Values that were set in the repository: nothing if something read them, else their path.
    pub values: HashMap<NodeId, Option<Box<str>>, FixedState>,
    /// What patches did.
    pub patches: HashMap<NodeId, PatchEffect, FixedState>,
}

/// The most that a patch did to any object.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum PatchEffect {
    /// It matched none.
    MatchedNone,
    /// It changed none of those that it matched.
    ChangedNone,
    /// It changed one.
    Changed,
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
        for (id, effect) in other.patches {
            self.note_patch(id, effect);
        }
    }

    /// Notes what a patch did to an object.
    pub fn note_patch(&mut self, patch: NodeId, effect: PatchEffect) {
        let known = self.patches.entry(patch).or_insert(effect);
        *known = effect.max(*known);
    }
}
