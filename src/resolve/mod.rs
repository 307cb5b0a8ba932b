//! Stage 3: what runs where. Takes the [`Catalog`], gives a [`Plan`] of units (a tenant in an
//! environment on a cluster); [`Plan::build`] turns one into a [`Unit`] with the layered values of
//! each of its components.
//!
//! * `access`: roles and grants.
//! * `references`: every name that a document mentions exists, and only once.
//! * `contexts`: which contexts hold for a tenant.
//! * `versions`: which version of each component runs.
//! * `placement`: which clusters a tenant runs on.
//! * `tenants`: what a tenant may subscribe to.
//! * `layers`: the twelve layers and their locks.
//! * `connections`: what they ask of a cluster.
//! * `pipelines`: their jobs, and the tenants that run them.
//! * `monitoring`: what is watched, and who is told.
//! * `recovery`: whether plans can hold what they promise.
//! * `prompts`: the facts that agents ask for.
//! * `consistency`: whether the layered values make sense together.
//! * `deciders`: what decides that a document has a say.
//! * `build`, `clusters`, `instances`: names, labels, and what templates see.

mod access;
mod build;
mod clusters;
mod connections;
mod consistency;
mod contexts;
mod deciders;
mod instances;
mod layers;
mod monitoring;
mod pipelines;
mod placement;
mod prompts;
mod recovery;
mod references;
mod tenants;
mod versions;

use std::collections::BTreeMap;
use std::sync::Arc;

use jiff::civil::Date;
use rayon::prelude::*;

use crate::model::catalog::Document;
use crate::model::field::Field;
use crate::model::instance::{Decided, Owner, Unit, UnitKey};
use crate::model::kinds::{
    Catalog, Cluster, Component, Context, Environment, Header, KindName, Platform, Tenant, Tier,
};
use tenantry_syntax::diagnostics::catalogue::resolve as codes;
use tenantry_syntax::diagnostics::{Diagnostic, Sink, Sources, Span, suggest};
use tenantry_syntax::yaml::{Node, NodeId};

/// What the plan is made from.
pub struct PlanInput<'a> {
    /// The documents.
    pub catalog: &'a Catalog,
    /// Kind and name of documents that exist but cannot be used.
    pub broken: &'a [(KindName, String)],
    /// Whether files could not be read, so that names may be missing.
    pub incomplete: bool,
    /// The default workload.
    pub default_workload: &'a Node,
    /// Where everything was written.
    pub sources: &'a Sources,
    /// The day by which expiry is judged.
    pub as_of: Date,
    /// What is rendered at all.
    pub selection: &'a Selection,
}

/// What is selected; an empty list selects everything.
#[derive(Clone, Debug, Default)]
pub struct Selection {
    /// Environments by name.
    pub environments: Vec<String>,
    /// Clusters by name.
    pub clusters: Vec<String>,
    /// Tenants by name.
    pub tenants: Vec<String>,
    /// Components by name.
    pub components: Vec<String>,
    /// Tenants by label: `key=value`, or `key` for any value.
    pub labels: Vec<(String, Option<String>)>,
    /// Clusters that are taken to run another version of Kubernetes than they do.
    pub upgrade: Option<Upgrade>,
}

/// Another version of Kubernetes for clusters.
#[derive(Clone, Debug)]
pub struct Upgrade {
    /// The clusters; none for all.
    pub clusters: Vec<String>,
    /// The version, such as `1.36`.
    pub to: String,
}

impl Upgrade {
    /// Changes the documents of the clusters. A dump of a cluster's API says nothing of another version.
    pub fn apply<'a>(&self, documents: impl IntoIterator<Item = &'a mut Node>) {
        for document in documents {
            let fields = Field::<Header>::of(document);
            let name = fields.metadata().name().as_str();
            let is_named = self.clusters.iter().any(|wanted| Some(&**wanted) == name);
            let is_meant = self.clusters.is_empty() || is_named;
            let is_cluster = fields.kind_name() == Some(KindName::Cluster);
            if !(is_meant && is_cluster) {
                continue;
            }
            let Some(spec) = document.entries_mut().and_then(|entries| {
                let found = entries.iter_mut().find(|entry| &*entry.key == "spec")?;
                found.value.entries_mut()
            }) else {
                continue;
            };
            spec.retain(|entry| &*entry.key != "openapi");
            for entry in spec
                .iter_mut()
                .filter(|entry| &*entry.key == "kubernetesVersion")
            {
                entry.value = Node::text(entry.value.id, self.to.as_str());
            }
        }
    }
}

impl Selection {
    /// Whether everything is selected.
    pub fn is_everything(&self) -> bool {
        self.environments.is_empty()
            && self.clusters.is_empty()
            && self.tenants.is_empty()
            && self.components.is_empty()
            && self.labels.is_empty()
    }

    fn environment(&self, name: &str) -> bool {
        self.environments.is_empty() || self.environments.iter().any(|wanted| wanted == name)
    }

    /// Whether a cluster is selected.
    pub fn cluster(&self, name: &str) -> bool {
        self.clusters.is_empty() || self.clusters.iter().any(|wanted| wanted == name)
    }

    fn tenant(&self, tenant: &Document<Tenant>) -> bool {
        let labels = &tenant.metadata.labels;
        (self.tenants.is_empty() || self.tenants.contains(&tenant.name))
            && self
                .labels
                .iter()
                .all(|(key, value)| match (labels.get(key), value) {
                    (Some(found), Some(wanted)) => found == wanted,
                    (found, None) => found.is_some(),
                    (None, Some(_)) => false,
                })
    }

    /// Whether a component is selected.
    pub fn component(&self, name: &str) -> bool {
        self.components.is_empty() || self.components.iter().any(|wanted| wanted == name)
    }
}

/// Everything that is to be rendered.
pub struct Plan<'a> {
    input: PlanInput<'a>,
    /// The one Platform.
    pub platform: &'a Document<Platform>,
    /// Each tenant in each environment on each cluster, sorted.
    pub units: Vec<PlannedUnit<'a>>,
    /// Each cluster in each environment, sorted, with the tenants that it has there.
    pub clusters: Vec<PlannedCluster<'a>>,
    /// Where tenants run, whatever is selected.
    placements: Vec<TenantPlacement<'a>>,
    digests: BTreeMap<(&'a str, &'a str), String>,
    session: Vec<&'a Document<Context>>,
    /// All roles with what they inherit.
    roles: BTreeMap<&'a str, Node>,
    /// What others share with a tenant, by its name.
    shared_with: BTreeMap<&'a str, Vec<SharedComponent<'a>>>,
    /// Documents that say themselves for whom they are.
    selecting: Arc<[Decided]>,
}

/// A share that holds today, as the tenant that it is shared with sees it.
#[derive(Clone, Copy)]
struct SharedComponent<'a> {
    owner: &'a Document<Tenant>,
    /// The position in the owner's `shares`.
    share: usize,
    /// The position in the share's `with`.
    with: usize,
}

/// Where a tenant runs.
#[derive(Clone, Copy)]
pub struct TenantPlacement<'a> {
    /// The tenant.
    pub tenant: &'a Document<Tenant>,
    /// The environment.
    pub environment: &'a Document<Environment>,
    /// The cluster.
    pub cluster: &'a Document<Cluster>,
}

/// A unit to be built.
pub struct PlannedUnit<'a> {
    /// The tenant.
    pub tenant: &'a Document<Tenant>,
    /// Its tier.
    pub tier: &'a Document<Tier>,
    /// The environment.
    pub environment: &'a Document<Environment>,
    /// The cluster.
    pub cluster: &'a Document<Cluster>,
    /// The contexts that hold for the tenant, the lowest first.
    pub contexts: Vec<&'a Document<Context>>,
    /// The components that run.
    pub components: Vec<Chosen<'a>>,
}

impl<'a> PlannedUnit<'a> {
    fn placement(&self) -> TenantPlacement<'a> {
        TenantPlacement {
            tenant: self.tenant,
            environment: self.environment,
            cluster: self.cluster,
        }
    }

    /// Which unit it is.
    pub fn key(&self) -> UnitKey {
        UnitKey {
            environment: self.environment.name.clone(),
            cluster: self.cluster.name.clone(),
            owner: Owner::Tenant(self.tenant.name.clone()),
        }
    }
}

/// A cluster in an environment.
pub struct PlannedCluster<'a> {
    /// The environment.
    pub environment: &'a Document<Environment>,
    /// The cluster.
    pub cluster: &'a Document<Cluster>,
    /// The tenants that run there.
    pub tenants: Vec<&'a Document<Tenant>>,
}

/// The version of a component that was chosen for a subscription.
#[derive(Clone, Copy)]
pub struct Chosen<'a> {
    /// The component.
    pub component: &'a Document<Component>,
    /// The position in the tenant's `components`.
    pub subscription: usize,
}

/// Plans what runs where; nothing when there is no usable Platform.
pub fn run<'a>(input: PlanInput<'a>, sink: &mut Sink) -> Option<Plan<'a>> {
    references::check(&input, sink);
    access::check(&input, sink);
    pipelines::check(&input, sink);
    monitoring::check(&input, sink);
    versions::cycles(&input, sink);
    let Some(platform) = input.catalog.platforms.iter().next() else {
        if !input.incomplete
            && !input
                .broken
                .iter()
                .any(|(kind, _)| *kind == KindName::Platform)
        {
            let help = "add a document of kind Platform, by convention in tenantry.yaml, or run `tenantry init`";
            sink.push(
                Diagnostic::new(codes::NO_PLATFORM, "there is no document of kind Platform")
                    .help(help),
            );
        }
        return None;
    };
    let session = contexts::from_command_line(&input, platform, sink);
    selected(&input, sink);
    let mut tenants: Vec<&Document<Tenant>> = input.catalog.tenants.iter().collect();
    // Two documents of a name are told as such; what they would make twice is not.
    tenants.dedup_by(|second, first| second.name == first.name);
    let planned: Vec<(Sink, Vec<PlannedUnit<'a>>)> = tenants
        .into_par_iter()
        .map(|tenant| {
            let mut sink = Sink::default();
            let units = tenants::plan(&input, tenant, &mut sink);
            (sink, units)
        })
        .collect();
    let mut units = Vec::new();
    for (found, planned) in planned {
        sink.append(found);
        units.extend(planned);
    }
    units.sort_by_cached_key(PlannedUnit::key);
    let clusters = placement::clusters(&input, &units);
    let placements: Vec<TenantPlacement<'_>> = units.iter().map(PlannedUnit::placement).collect();
    recovery::check(&input, &placements, sink);
    units.retain(|unit| {
        input.selection.environment(&unit.environment.name)
            && input.selection.cluster(&unit.cluster.name)
            && input.selection.tenant(unit.tenant)
    });
    let digests = versions::digests(input.catalog);
    let roles = crate::model::access::roles(input.catalog);
    let shared_with = shares(&input);
    let selecting = deciders::selecting(input.catalog);
    Some(Plan {
        input,
        platform,
        units,
        clusters,
        placements,
        digests,
        session,
        roles,
        shared_with,
        selecting,
    })
}

/// A selection that names nothing would pass as if all were well.
fn selected(input: &PlanInput<'_>, sink: &mut Sink) {
    let catalog = input.catalog;
    let selection = input.selection;
    if !selection.labels.is_empty()
        && !catalog
            .tenants
            .iter()
            .any(|tenant| selection.tenant(tenant))
        && !input.incomplete
    {
        let message = "no tenant has the labels that are selected";
        sink.push(Diagnostic::new(codes::UNKNOWN_REFERENCE, message).help(
            "select labels of `metadata.labels` of a tenant: `tenantry find tenants -l KEY`",
        ));
    }
    let meet = |environment: &Document<Environment>| {
        let clusters = &mut environment.spec.clusters.iter();
        selection.environment(&environment.name) && clusters.any(|name| selection.cluster(&name.0))
    };
    let known = (selection.clusters.iter()).all(|name| catalog.clusters.get(name).is_some())
        && (selection.environments.iter()).all(|name| catalog.environments.get(name).is_some());
    if known
        && !selection.clusters.is_empty()
        && !catalog.environments.iter().any(meet)
        && !input.incomplete
    {
        let message = "no selected environment is on a selected cluster";
        sink.push(
            Diagnostic::new(codes::UNKNOWN_REFERENCE, message)
                .help("select a cluster that `spec.clusters` of the environment lists"),
        );
    }
    let mut check = |kind: KindName, wanted: &[String], known: Vec<&str>| {
        for name in wanted {
            if known.contains(&name.as_str()) || input.may_exist(kind, name) {
                continue;
            }
            let message = format!(
                "there is no {} `{name}` to select",
                kind.as_str().to_lowercase()
            );
            let diagnostic = Diagnostic::new(codes::UNKNOWN_REFERENCE, message);
            sink.push(
                diagnostic.help(
                    suggest(name, known.iter().copied())
                        .unwrap_or_else(|| "select one that exists".to_owned()),
                ),
            );
        }
    };
    check(
        KindName::Environment,
        &selection.environments,
        catalog.environments.names().collect(),
    );
    check(
        KindName::Cluster,
        &selection.clusters,
        catalog.clusters.names().collect(),
    );
    check(
        KindName::Tenant,
        &selection.tenants,
        catalog.tenants.names().collect(),
    );
    check(
        KindName::Component,
        &selection.components,
        catalog.components.names().collect(),
    );
}

fn shares<'a>(input: &PlanInput<'a>) -> BTreeMap<&'a str, Vec<SharedComponent<'a>>> {
    let mut shared: BTreeMap<&str, Vec<SharedComponent<'_>>> = BTreeMap::new();
    for owner in &input.catalog.tenants {
        for (at, share) in owner.spec.shares.iter().enumerate() {
            if input.has_expired(share.expires_at.as_ref()) {
                continue;
            }
            for (with, tenant) in share.with.iter().enumerate() {
                shared.entry(&tenant.0).or_default().push(SharedComponent {
                    owner,
                    share: at,
                    with,
                });
            }
        }
    }
    shared
}

impl Plan<'_> {
    /// Builds one unit. A unit with findings of errors is not to be rendered.
    pub fn build(&self, unit: &PlannedUnit<'_>, sink: &mut Sink) -> Unit {
        build::unit(self, unit, sink)
    }

    /// Whether an environment is the first of those that use its cluster, whatever is selected.
    pub fn is_first_environment(&self, cluster: &PlannedCluster<'_>) -> bool {
        let uses = |environment: &&Document<Environment>| {
            let clusters = &environment.spec.clusters;
            clusters.iter().any(|name| name.0 == cluster.cluster.name)
        };
        let first = self.input.catalog.environments.iter().find(uses);
        first.is_some_and(|first| first.name == cluster.environment.name)
    }

    /// What templates and rules see as `tenant` in a unit.
    pub fn tenant(&self, planned: &PlannedUnit<'_>) -> Node {
        build::tenant_of(self, planned)
    }

    /// What templates of scope cluster see.
    pub fn build_cluster(&self, cluster: &PlannedCluster<'_>) -> Unit {
        clusters::build(self, cluster)
    }
}

impl PlanInput<'_> {
    fn span(&self, id: NodeId) -> Option<Span> {
        self.sources
            .span(id)
            .map(|span| self.sources.first_line(span))
    }

    /// Whether a name may exist although the catalog does not have it.
    fn may_exist(&self, kind: KindName, name: &str) -> bool {
        self.incomplete
            || self
                .broken
                .iter()
                .any(|(broken, known)| *broken == kind && known == name)
    }

    /// Whether a last day has passed.
    fn has_expired(&self, last: Option<&tenantry_engine::scalars::Date>) -> bool {
        last.and_then(|date| date.0.parse::<Date>().ok())
            .is_some_and(|date| date < self.as_of)
    }

    fn is_to_come(&self, first: Option<&tenantry_engine::scalars::Date>) -> bool {
        first
            .and_then(|date| date.0.parse::<Date>().ok())
            .is_some_and(|date| date > self.as_of)
    }

    fn expired(&self, what: &str, last: &str, place: NodeId) -> Diagnostic {
        let message = format!("{what} expired on {last} and is left out");
        Diagnostic::new(codes::EXPIRED, message)
            .at(self.span(place), "its last day")
            .help("remove it, or write a later day if it should still hold")
    }
}
