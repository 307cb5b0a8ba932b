//! One repository through the pipeline: what was read and judged of it, and each unit of its work
//! built, rendered and verified. A compilation has one side, a comparison two.

use std::collections::BTreeMap;

use crate::load::{self, Loaded};
use crate::model::footprint::UnitFootprint;
use crate::model::instance::{Owner, Unit, UnitKey, Usage};
use crate::model::isolation::ClusterIsolation;
use crate::model::verdict::Evidence;
use crate::policy::enforce::{self, Resident};
use crate::policy::{self, Policies, UnitObjects};
use crate::render::{self, Templates};
use crate::resolve::{self, Plan, PlannedCluster, PlannedUnit};
use crate::validate::{self, Validated};
use crate::verify::{self, Schemas, Unchecked, UnitFacts};
use crate::{CompileOptions, Counts, Shard};
use tenantry_engine::manifest::{self, Rendered, TemplateScope};
use tenantry_syntax::diagnostics::{Sink, Sources};
use tenantry_syntax::yaml::Node;

/// A repository that was read and judged.
pub struct Snapshot<'o> {
    options: &'o CompileOptions,
    /// What was read.
    pub loaded: Loaded,
    /// The documents.
    pub validated: Validated,
    /// The templates.
    pub templates: Templates,
    /// The schemas of its clusters.
    pub schemas: Schemas,
    /// Files that documents name.
    pub named_files: BTreeMap<String, Result<String, String>>,
    default_workload: Node,
    /// Admission policies of Kubernetes, their bindings and parameters.
    admission: Vec<Node>,
}

/// What units leave behind.
#[derive(Clone, Default)]
pub struct UnitTotals {
    /// How much there was.
    pub counts: Counts,
    /// What the checks that cross units need.
    pub facts: Vec<UnitFacts>,
    /// Which values were read.
    pub usage: Usage,
    /// What policies said.
    pub judged: policy::Left,
}

impl UnitTotals {
    /// Takes over what another part of the work left.
    pub fn append(&mut self, other: UnitTotals) {
        self.counts.units += other.counts.units;
        self.counts.instances += other.counts.instances;
        self.counts.objects += other.counts.objects;
        self.facts.extend(other.facts);
        self.usage.append(other.usage);
        self.judged.append(other.judged);
    }
}

/// What all units together show.
pub struct Across {
    /// What policies said.
    pub evidence: Evidence,
    /// Who reaches whom.
    pub isolation: Vec<ClusterIsolation>,
    /// What units ask for.
    pub footprints: Vec<UnitFootprint>,
    /// Objects without a schema, sorted.
    pub unchecked: Vec<Unchecked>,
}

/// A unit to be built.
#[derive(Clone, Copy)]
pub enum UnitJob<'a> {
    /// What a cluster itself needs in an environment.
    Cluster(&'a PlannedCluster<'a>),
    /// A tenant in an environment on a cluster.
    Tenant(&'a PlannedUnit<'a>),
}

/// All units of a part of the work: clusters first.
pub fn work<'a>(plan: &'a Plan<'a>, shard: Shard) -> Vec<UnitJob<'a>> {
    let clusters = plan.clusters.iter().filter(|_| shard.is_first());
    let units = plan.units.iter();
    clusters
        .map(UnitJob::Cluster)
        .chain(
            units
                .filter(|unit| shard.takes(&unit.tenant.name))
                .map(UnitJob::Tenant),
        )
        .collect()
}

impl<'a> UnitJob<'a> {
    /// Which unit it makes.
    pub fn key(&self) -> UnitKey {
        match self {
            UnitJob::Tenant(unit) => unit.key(),
            UnitJob::Cluster(cluster) => UnitKey {
                environment: cluster.environment.name.clone(),
                cluster: cluster.cluster.name.clone(),
                owner: Owner::Cluster,
            },
        }
    }

    /// Builds the unit.
    pub fn build(&self, plan: &Plan<'_>, sink: &mut Sink) -> Unit {
        match self {
            UnitJob::Tenant(unit) => plan.build(unit, sink),
            UnitJob::Cluster(cluster) => plan.build_cluster(cluster),
        }
    }

    /// The components that it has.
    pub fn components(&self) -> Vec<&str> {
        match self {
            UnitJob::Tenant(unit) => {
                let components = unit.components.iter();
                components
                    .map(|chosen| chosen.component.name.as_str())
                    .collect()
            }
            UnitJob::Cluster(_) => Vec::new(),
        }
    }

    /// The documents that decide what it makes, but the Platform.
    pub fn documents(&self) -> Vec<&Node> {
        match self {
            UnitJob::Tenant(unit) => {
                let mut documents = vec![
                    &unit.tenant.tree,
                    &unit.tier.tree,
                    &unit.environment.tree,
                    &unit.cluster.tree,
                ];
                documents.extend(unit.contexts.iter().map(|context| &context.tree));
                let components = unit.components.iter();
                documents.extend(components.map(|chosen| &chosen.component.tree));
                documents
            }
            UnitJob::Cluster(cluster) => {
                let tenants = cluster.tenants.iter().map(|tenant| &tenant.tree);
                [&cluster.environment.tree, &cluster.cluster.tree]
                    .into_iter()
                    .chain(tenants)
                    .collect()
            }
        }
    }

    /// Judges the unit by the policies.
    pub fn judge(
        &self,
        unit: &Unit,
        rendered: &[Rendered],
        policies: &Policies<'_>,
        tally: &mut UnitTotals,
        sink: &mut Sink,
    ) {
        let objects = UnitObjects {
            unit,
            rendered: manifest::objects(rendered),
            contexts: self.policy_parameters(),
        };
        policies.unit(&objects, &mut tally.judged, sink);
    }

    /// `policyParameters` of the contexts that hold, the widest first.
    pub fn policy_parameters(&self) -> Vec<&'a Node> {
        let contexts = match self {
            UnitJob::Tenant(unit) => unit.contexts.as_slice(),
            UnitJob::Cluster(_) => &[],
        };
        let contexts = contexts.iter();
        contexts
            .filter_map(|context| context.fields().policy_parameters().node())
            .collect()
    }

    /// Lets a cluster's templates see what it enforces.
    pub fn enforce(
        &self,
        unit: &mut Unit,
        plan: &Plan<'_>,
        policies: &Policies<'_>,
        sink: &mut Sink,
    ) {
        let UnitJob::Cluster(cluster) = self else {
            return;
        };
        let here = plan.units.iter().filter(|planned| {
            planned.environment.name == cluster.environment.name
                && planned.cluster.name == cluster.cluster.name
        });
        let residents: Vec<(Node, Vec<&Node>)> = here
            .map(|planned| {
                (
                    plan.tenant(planned),
                    UnitJob::Tenant(planned).policy_parameters(),
                )
            })
            .collect();
        let derivations = unit.derivations.clone();
        let version = cluster.cluster.spec.kubernetes_version.split('.').nth(1);
        let place = enforce::EnforcedAt {
            environment: &unit.facts.environment,
            environment_name: &cluster.environment.name,
            cluster_name: &cluster.cluster.name,
            minor: version.and_then(|minor| minor.parse().ok()).unwrap_or(0),
            label_prefix: &plan.platform.spec.label_prefix.0,
            takes_others: plan.is_first_environment(cluster),
            shared_namespace: unit.facts.shared_namespace.as_ref(),
            derivations: &derivations,
        };
        let residents: Vec<Resident<'_>> = residents
            .iter()
            .map(|(tenant, contexts)| Resident {
                tenant,
                contexts: contexts.clone(),
            })
            .collect();
        let admission = policies.admission(&place, &residents, sink);
        unit.variables.push(("admission", admission));
    }

    /// What its templates are for.
    pub fn scopes(&self) -> &'static [TemplateScope] {
        match self {
            UnitJob::Tenant(_) => &[
                TemplateScope::Tenant,
                TemplateScope::Delivery,
                TemplateScope::Component,
                TemplateScope::Pipeline,
                // Files come after objects.
                TemplateScope::Runbook,
                TemplateScope::ComponentRunbook,
            ],
            UnitJob::Cluster(_) => &[
                TemplateScope::Cluster,
                TemplateScope::ClusterDelivery,
                TemplateScope::ApiServer,
            ],
        }
    }
}

impl<'o> Snapshot<'o> {
    /// Judges what was read.
    pub fn new(
        options: &'o CompileOptions,
        mut loaded: Loaded,
        sources: &Sources,
        sink: &mut Sink,
    ) -> Snapshot<'o> {
        let documents = std::mem::take(&mut loaded.documents).into_iter();
        let (ours, others): (Vec<_>, Vec<_>) = documents.partition(|document| document.is_ours);
        let mut trees: Vec<Node> = ours.into_iter().map(|document| document.tree).collect();
        if let Some(upgrade) = &options.selection.upgrade {
            upgrade.apply(&mut trees);
        }
        let admission = others.into_iter().map(|document| document.tree).collect();
        let validated = validate::run(&trees, &loaded.default_specs, sources, sink);
        let files = loaded.templates.iter();
        let files = files.map(|template| (template.path.as_str(), template.file));
        let templates = Templates::new(files, sources, sink);
        templates.check_named(&validated.catalog, sources, sink);
        let named_files = load::named_files(&options.source, &validated.catalog);
        let schemas = Schemas::new(&validated.catalog, &named_files, sources, sink);
        let default_workload = loaded.default_workload.clone();
        Snapshot {
            options,
            loaded,
            validated,
            templates,
            schemas,
            named_files,
            default_workload: default_workload.unwrap_or_else(Node::empty_map),
            admission,
        }
    }

    /// Compiles the policies.
    pub fn policies<'a>(&'a self, sources: &'a Sources, sink: &mut Sink) -> Policies<'a> {
        let input = policy::PolicyInput {
            catalog: &self.validated.catalog,
            admission: &self.admission,
            custom: self.schemas.custom(),
            sources,
            as_of: self.options.as_of,
            baseline: self.options.baseline.as_ref(),
            gives_evidence: self.options.gives_evidence,
        };
        Policies::new(input, sink)
    }

    /// Plans what runs where; nothing when there is no usable Platform.
    pub fn plan<'a>(&'a self, sources: &'a Sources, sink: &mut Sink) -> Option<Plan<'a>> {
        let input = resolve::PlanInput {
            catalog: &self.validated.catalog,
            broken: &self.validated.broken,
            incomplete: self.loaded.incomplete,
            default_workload: &self.default_workload,
            sources,
            as_of: self.options.as_of,
            selection: &self.options.selection,
        };
        resolve::run(input, sink)
    }

    /// Renders and verifies a unit; nothing if that shows errors that no waiver excepts.
    pub fn render(
        &self,
        job: &UnitJob<'_>,
        unit: &Unit,
        policies: &Policies<'_>,
        sources: &Sources,
        tally: &mut UnitTotals,
        sink: &mut Sink,
    ) -> Option<Vec<Rendered>> {
        if sink.has_errors() {
            return None;
        }
        let mut usage = Usage::default();
        let rendered = render::unit(
            &self.templates,
            unit,
            job.scopes(),
            sources,
            &mut usage,
            sink,
        );
        // What a failed template leaves out is missed by others; that is told once.
        let complete = !sink.has_errors();
        let objects = manifest::objects(&rendered);
        let mut found = Sink::default();
        let facts = verify::unit(&self.schemas, unit, objects, complete, sources, &mut found);
        policies.waive(unit, objects, found, &mut tally.judged, sink);
        tally.append(UnitTotals {
            counts: Counts {
                units: usize::from(unit.key.tenant().is_some()),
                instances: unit.instances.len(),
                objects: objects.iter().filter(|one| one.is_written).count(),
            },
            facts: vec![facts],
            usage: if unit.is_idle() {
                Usage::default()
            } else {
                usage
            },
            judged: policy::Left::default(),
        });
        (!sink.has_errors()).then_some(rendered)
    }

    /// Checks what only all units together show.
    pub fn across(
        &self,
        mut tally: UnitTotals,
        policies: &Policies<'_>,
        sources: &Sources,
        sink: &mut Sink,
    ) -> Across {
        // What is unread in a part of the work may be read in another.
        let everything =
            self.options.selection.is_everything() && self.options.shard == Shard::WHOLE;
        if everything && !sink.has_errors() {
            render::unread(std::mem::take(&mut tally.usage), sources, sink);
        }
        let mut judged = std::mem::take(&mut tally.judged);
        if self.options.shard.is_first() {
            policies.documents(&mut judged, sink);
        }
        policies.finish(&mut judged, everything && !sink.has_errors(), sink);
        let mut facts: Vec<&UnitFacts> = tally.facts.iter().collect();
        facts.sort_by(|a, b| a.order().cmp(&b.order()));
        let footprints = facts
            .iter()
            .filter_map(|fact| fact.footprint.clone())
            .collect::<Vec<_>>();
        let isolation = verify::across(
            &facts,
            &footprints,
            &self.validated.catalog,
            &self.schemas,
            self.options.as_of,
            sources,
            sink,
        );
        let unchecked = facts.iter().flat_map(|fact| fact.unchecked.iter().cloned());
        let mut unchecked: Vec<Unchecked> = unchecked.collect();
        unchecked.sort();
        Across {
            evidence: policies.evidence(judged),
            isolation,
            footprints,
            unchecked,
        }
    }
}
