//! Pipelines: their jobs, the tenants that run them, and what templates see of them.

use std::collections::{BTreeMap, BTreeSet};

use super::build::{NamingPattern, ValueBuilder, extended, name_node, with_name};
use super::{Plan, PlanInput, PlannedUnit, references};
use crate::model::catalog::Document;
use crate::model::data::{self, DataFlow};
use crate::model::field::Field;
use crate::model::instance::{Instance, PlannedJob, PlannedPipeline, Variable};
use crate::model::kinds::{Isolation, Pipeline, Tenant, Workload, WorkloadType};
use crate::model::recovery::{readable, seconds};
use tenantry_syntax::diagnostics::catalogue::resolve as codes;
use tenantry_syntax::diagnostics::{Diagnostic, Sink, list_names};
use tenantry_syntax::yaml::{Entry, Node, NodeId, Value, entry, merge};

/// Checks the pipelines by themselves: names, order, and what flows between their jobs.
pub fn check(input: &PlanInput<'_>, sink: &mut Sink) {
    for pipeline in &input.catalog.pipelines {
        let jobs = &pipeline.spec.jobs;
        for (at, job) in jobs.iter().enumerate() {
            let first = jobs[..at].iter().position(|other| other.name == job.name);
            if let Some(first) = first {
                let message = format!("two jobs of the pipeline are named `{}`", job.name);
                sink.push(
                    Diagnostic::new(codes::DUPLICATE_NAME, message)
                        .at(
                            input.span(pipeline.fields().jobs().item(at).name().place()),
                            "again here",
                        )
                        .and(
                            input.span(pipeline.fields().jobs().item(first).name().place()),
                            "first here",
                        )
                        .help("rename one of them"),
                );
            }
            for (position, wanted) in job.depends_on.iter().enumerate() {
                if jobs.iter().all(|other| other.name != *wanted) {
                    let place = pipeline
                        .fields()
                        .jobs()
                        .item(at)
                        .depends_on()
                        .item(position)
                        .place();
                    let known = jobs.iter().map(|job| job.name.0.as_str()).collect();
                    references::unknown(
                        input,
                        "job of the pipeline",
                        &wanted.0,
                        known,
                        place,
                        sink,
                    );
                }
            }
        }
        let named: BTreeSet<&str> = jobs.iter().map(|job| job.name.0.as_str()).collect();
        match circle(pipeline).filter(|_| named.len() == jobs.len()) {
            Some(at) => {
                let names = list_names(jobs.iter().filter_map(|job| {
                    before(pipeline, &job.name.0)
                        .contains(job.name.0.as_str())
                        .then_some(job.name.0.as_str())
                }));
                sink.push(
                    Diagnostic::new(
                        codes::DEPENDENCY_CYCLE,
                        format!("jobs of the pipeline wait for each other: {names}"),
                    )
                    .at(
                        input.span(pipeline.fields().jobs().item(at).depends_on().place()),
                        "waits, in the end, for itself",
                    )
                    .help("remove one of the dependencies"),
                );
            }
            None => {
                races(input, pipeline, sink);
                promises(input, pipeline, sink);
            }
        }
        let backoff = pipeline.fields().retries().backoff().written();
        let of_the_job = pipeline
            .fields()
            .jobs()
            .item(0)
            .retries()
            .backoff()
            .written();
        if let (1, Some(place)) = (jobs.len(), backoff.or(of_the_job)) {
            sink.push(
                Diagnostic::new(
                    codes::NO_EFFECT,
                    "a pipeline of one job is a CronJob, whose pauses cannot be chosen",
                )
                .at(input.span(place), "has no effect")
                .help(
                    "remove it: Kubernetes waits 10 s, then twice as long each time, 6 min at most",
                ),
            );
        }
    }
    for tenant in &input.catalog.tenants {
        subscriptions(input, tenant, sink);
    }
}

/// Whether jobs may take longer than what is promised; those that say no time are left out.
fn promises(input: &PlanInput<'_>, pipeline: &Document<Pipeline>, sink: &mut Sink) {
    let jobs = &pipeline.spec.jobs;
    let takes = |job: &crate::model::kinds::PipelineJob| {
        let component = input.catalog.components.get(&job.component.0);
        let deadline = component.and_then(|one| one.spec.workload.deadline.as_ref());
        job.timeout.as_ref().or(deadline).map_or(0.0, seconds)
    };
    let mut ends: BTreeMap<&str, f64> = BTreeMap::new();
    // There is no circle, so each round settles at least one more job.
    for _ in jobs {
        for job in jobs {
            let before = job
                .depends_on
                .iter()
                .filter_map(|name| ends.get(name.0.as_str()));
            let start = before.copied().fold(0.0, f64::max);
            ends.insert(&job.name.0, start + takes(job));
        }
    }
    let whole = ends.values().copied().fold(0.0, f64::max);
    let mut tell = |what: String, most: f64, place: NodeId| {
        sink.push(
            Diagnostic::new(codes::LATE, what)
                .at(input.span(place), format!("{} is promised", readable(most)))
                .help(
                    "write shorter timeouts, let fewer jobs wait for one another, or promise less",
                ),
        );
    };
    if let Some(sla) = pipeline
        .spec
        .sla
        .as_ref()
        .map(seconds)
        .filter(|sla| whole > *sla)
    {
        let place = pipeline
            .fields()
            .sla()
            .written()
            .unwrap_or_else(|| pipeline.name_id());
        let what = format!(
            "the jobs of `{}` may take {}, one after the other",
            pipeline.name,
            readable(whole)
        );
        tell(what, sla, place);
    }
    for (at, job) in jobs.iter().enumerate() {
        if let Some(sla) = job
            .sla
            .as_ref()
            .map(seconds)
            .filter(|sla| takes(job) > *sla)
        {
            let what = format!("the job `{}` may take {}", job.name, readable(takes(job)));
            tell(what, sla, pipeline.fields().jobs().item(at).sla().place());
        }
    }
}

/// The jobs that a job waits for, in the end.
fn before<'a>(pipeline: &'a Document<Pipeline>, name: &str) -> BTreeSet<&'a str> {
    let mut found = BTreeSet::new();
    let mut pending: Vec<&str> = vec![name];
    while let Some(next) = pending.pop() {
        let jobs = pipeline.spec.jobs.iter().filter(|job| job.name.0 == next);
        for wanted in jobs.flat_map(|job| &job.depends_on) {
            if found.insert(wanted.0.as_str()) {
                pending.push(&wanted.0);
            }
        }
    }
    found
}

/// The first job that waits for itself.
fn circle(pipeline: &Document<Pipeline>) -> Option<usize> {
    let mut jobs = pipeline.spec.jobs.iter();
    jobs.position(|job| before(pipeline, &job.name.0).contains(job.name.0.as_str()))
}

/// Jobs that read what another one of the pipeline writes, and do not wait for it.
fn races(input: &PlanInput<'_>, pipeline: &Document<Pipeline>, sink: &mut Sink) {
    let flows = |component: &str, flow| -> Vec<String> {
        let component = input.catalog.components.get(component);
        let datasets =
            component.map(|component| data::of_component(input.catalog, component, flow));
        let datasets = datasets.unwrap_or_default().into_iter();
        datasets.map(|(_, dataset)| dataset.name.clone()).collect()
    };
    for (at, reader) in pipeline.spec.jobs.iter().enumerate() {
        let earlier = before(pipeline, &reader.name.0);
        let read = flows(&reader.component.0, DataFlow::Input);
        for writer in &pipeline.spec.jobs {
            // What comes after the reader writes for its next run.
            let is_ordered = writer.name == reader.name
                || earlier.contains(writer.name.0.as_str())
                || before(pipeline, &writer.name.0).contains(reader.name.0.as_str());
            let written = flows(&writer.component.0, DataFlow::Output);
            let Some(dataset) = read
                .iter()
                .find(|name| written.contains(name))
                .filter(|_| !is_ordered)
            else {
                continue;
            };
            let message = format!(
                "`{}` reads {dataset}, which `{}` writes at the same time",
                reader.name, writer.name
            );
            sink.push(
                Diagnostic::new(codes::RACE, message)
                    .at(
                        input.span(pipeline.fields().jobs().item(at).name().place()),
                        "reads it",
                    )
                    .help(format!("write `dependsOn: [{}]`", writer.name)),
            );
        }
    }
}

/// The pipelines that a tenant names, and the environments of each.
fn subscriptions(input: &PlanInput<'_>, tenant: &Document<Tenant>, sink: &mut Sink) {
    for (at, subscription) in tenant.spec.pipelines.iter().enumerate() {
        let subscribed = tenant.fields().pipelines().item(at);
        let named = &subscription.pipeline.0;
        let found = input.catalog.pipelines.get(named);
        for (position, environment) in subscription.environments.iter().enumerate() {
            if !tenant
                .spec
                .environments
                .contains_key(environment.0.as_str())
            {
                let known = tenant.spec.environments.keys();
                references::unknown(
                    input,
                    &format!("environment of {}", tenant.name),
                    &environment.0,
                    known.map(|name| name.0.as_str()).collect(),
                    subscribed.environments().item(position).place(),
                    sink,
                );
            }
        }
        let Some(pipeline) = found else { continue };
        for (position, job) in pipeline.spec.jobs.iter().enumerate() {
            let Some(component) = input.catalog.components.get(&job.component.0) else {
                continue;
            };
            let runs = component.spec.workload.workload_type;
            if !matches!(runs, Some(WorkloadType::Job | WorkloadType::Scheduled)) {
                let message = format!("`{}` is no job, so no pipeline can run it", component.name);
                sink.push(
                    Diagnostic::new(codes::NOT_A_JOB, message)
                        .at(
                            input.span(pipeline.fields().jobs().item(position).component().place()),
                            "named here",
                        )
                        .and(
                            input.span(component.fields().workload().workload_type().place()),
                            "what it is",
                        )
                        .help(
                            "name a component whose workload has `type: job` or `type: scheduled`",
                        ),
                );
            }
            let own = tenant.spec.components.iter();
            let own = own.filter(|one| one.component == job.component);
            let missing: Vec<&str> = environments(tenant, at)
                .filter(|name| {
                    own.clone().all(|one| {
                        let there = one.environments.as_ref();
                        there.is_some_and(|there| there.keys().all(|known| known.0 != **name))
                    })
                })
                .collect();
            if missing.is_empty() {
                continue;
            }
            let message = format!(
                "the pipeline `{named}` runs `{}`, which {} does not have in {}",
                component.name,
                tenant.name,
                list_names(missing)
            );
            sink.push(
                Diagnostic::new(codes::NOT_SUBSCRIBED, message)
                    .at(input.span(subscribed.pipeline().place()), "asked for here")
                    .and(
                        input.span(pipeline.fields().jobs().item(position).component().place()),
                        "the job",
                    )
                    .help("add the component to `components` for these environments, or list the pipeline's `environments`"),
            );
        }
    }
}

/// The environments that a tenant runs one of its pipelines in.
fn environments(tenant: &Document<Tenant>, at: usize) -> impl Iterator<Item = &str> {
    let listed = &tenant.spec.pipelines[at].environments;
    let all = tenant.spec.environments.keys();
    all.filter(|name| listed.is_empty() || listed.iter().any(|listed| listed.0 == name.0))
        .map(|name| name.0.as_str())
}

/// The pipelines of a unit, each with the position of the tenant's subscription.
fn of_unit<'a>(plan: &Plan<'a>, planned: &PlannedUnit<'a>) -> Vec<(usize, &'a Document<Pipeline>)> {
    let here =
        |at: usize| environments(planned.tenant, at).any(|name| name == planned.environment.name);
    let named = planned.tenant.spec.pipelines.iter().enumerate();
    let named = named.filter(|(at, _)| here(*at));
    let found = named
        .filter_map(|(at, one)| Some((at, plan.input.catalog.pipelines.get(&one.pipeline.0)?)));
    found.collect()
}

/// The names of the pipelines of a unit that run a component.
pub fn running(builder: &ValueBuilder<'_, '_>, planned: &PlannedUnit<'_>, component: &str) -> Node {
    let pipelines = of_unit(builder.plan, planned).into_iter();
    let running = pipelines.filter(|(_, pipeline)| {
        let mut jobs = pipeline.spec.jobs.iter();
        jobs.any(|job| job.component.0 == component)
    });
    let names: Vec<Node> = running.map(|(_, pipeline)| name_node(pipeline)).collect();
    Node::new(NodeId::NONE, Value::List(names.into()))
}

/// The pipelines of a unit for pages: what each is called here, when it runs, and the names of its jobs.
pub fn listed(builder: &ValueBuilder<'_, '_>, planned: &PlannedUnit<'_>) -> Node {
    let pipelines = of_unit(builder.plan, planned)
        .into_iter()
        .map(|(_, pipeline)| {
            let jobs = &pipeline.spec.jobs;
            let names = jobs.iter().enumerate().map(|(at, job)| {
                Node::text(
                    pipeline.fields().jobs().item(at).name().place(),
                    job.name.0.as_str(),
                )
            });
            let name = builder.named(
                NamingPattern::Workload,
                Some(planned.tenant),
                Some(&name_node(pipeline)),
            );
            let is_workflow = builder.derived(
                Value::Bool(jobs.len() > 1),
                &[pipeline.fields().jobs().place()],
            );
            let names = Node::new(NodeId::NONE, Value::List(names.collect()));
            let more = vec![
                entry("resourceName", name),
                entry("isWorkflow", is_workflow),
                entry("jobs", names),
            ];
            extended(&with_name(pipeline), more)
        });
    Node::new(NodeId::NONE, Value::List(pipelines.collect()))
}

/// The pipelines of a unit as templates see them.
pub fn build(
    builder: &ValueBuilder<'_, '_>,
    planned: &PlannedUnit<'_>,
    namespace: &Node,
    instances: &[Instance],
    sink: &mut Sink,
) -> Vec<PlannedPipeline> {
    let pipelines = of_unit(builder.plan, planned).into_iter();
    pipelines
        .filter_map(|(at, pipeline)| {
            reporting(builder, pipeline, sink);
            let jobs: Vec<PlannedJob> = (0..pipeline.spec.jobs.len())
                .filter_map(|at| job(builder, planned, pipeline, at, instances))
                .collect();
            // Where a part was selected, or a job is missing, there is no whole to be shown.
            if jobs.len() < pipeline.spec.jobs.len() {
                return None;
            }
            let asked = planned.tenant.fields().pipelines().item(at).place();
            let labels = builder.labels(
                planned,
                vec![
                    entry("app.kubernetes.io/name", name_node(pipeline)),
                    builder.platform_label("pipeline", name_node(pipeline)),
                ],
            );
            let suspended = jobs.iter().find_map(|job| {
                let suspend = job.workload().schedule().suspend();
                suspend.node().filter(|_| suspend.is(true)).cloned()
            });
            let seen = jobs.iter().map(|job| job.job.clone());
            let mut more = vec![
                entry("name", name_node(pipeline)),
                entry(
                    "resourceName",
                    builder.named(
                        NamingPattern::Workload,
                        Some(planned.tenant),
                        Some(&name_node(pipeline)),
                    ),
                ),
                entry("namespace", namespace.clone()),
                entry("labels", Node::map(NodeId::NONE, labels)),
                entry("jobs", Node::new(NodeId::NONE, Value::List(seen.collect()))),
            ];
            more.extend(suspended.map(|node| entry("suspend", node)));
            Some(PlannedPipeline {
                name: pipeline.name.clone(),
                subscription: asked,
                variables: vec![("pipeline", extended(&with_name(pipeline), more))],
                jobs,
            })
        })
        .collect()
}

/// The pods of a workflow can report to the API server.
fn reporting(builder: &ValueBuilder<'_, '_>, pipeline: &Document<Pipeline>, sink: &mut Sink) {
    let cluster = builder.cluster;
    let makes_workflows = cluster
        .spec
        .apis
        .iter()
        .any(|api| "argoproj.io/v1alpha1/CronWorkflow".starts_with(api.as_str()));
    if pipeline.spec.jobs.len() < 2 || !makes_workflows || !cluster.spec.api_server_cidrs.is_empty()
    {
        return;
    }
    let message = format!(
        "the pods of `{}` report to the API server of {}, and nothing says where it is",
        pipeline.name, cluster.name
    );
    let input = &builder.plan.input;
    sink.push(
        Diagnostic::new(codes::NO_API_SERVER, message)
            .at(input.span(cluster.name_id()), "this cluster")
            .and(input.span(pipeline.name_id()), "this pipeline is a workflow")
            .help("add `apiServerCidrs` to the cluster: `kubectl get endpointslices -l kubernetes.io/service-name=kubernetes` shows the addresses"),
    );
}

/// A job with everything that its component has here.
fn job(
    builder: &ValueBuilder<'_, '_>,
    planned: &PlannedUnit<'_>,
    pipeline: &Document<Pipeline>,
    at: usize,
    instances: &[Instance],
) -> Option<PlannedJob> {
    let fields = pipeline.effective_fields().jobs().item(at);
    let seen = fields.node()?;
    let component = &pipeline.spec.jobs[at].component.0;
    let position = instances
        .iter()
        .position(|one| one.component == *component)?;
    let instance = &instances[position];
    let workload = instance.workload.clone();
    let over = [("args", fields.args().node()), ("env", fields.env().node())].into_iter();
    let over = over.filter_map(|(key, node)| Some(entry(key, node?.clone())));
    let workload = merge::over(&workload, &Node::map(workload.id, over.collect()));
    let of_all = pipeline.effective_fields();
    let retries = [of_all.retries().node(), fields.retries().node()];
    let mut more = vec![entry(
        "retries",
        merge::merge(retries.into_iter().flatten()),
    )];
    let deadline = Field::<Workload>::of(&workload).deadline().node();
    let inherited = [
        (
            "priority",
            of_all
                .priority()
                .node()
                .filter(|_| !fields.priority().is_written()),
        ),
        (
            "timeout",
            deadline.filter(|_| !fields.timeout().is_written()),
        ),
    ];
    more.extend(
        inherited
            .into_iter()
            .filter_map(|(key, node)| Some(entry(key, node?.clone()))),
    );
    more.extend(priority(builder, planned, pipeline, at));
    let of_component = instance.variables.iter();
    let of_component =
        of_component.filter(|(name, _)| matches!(*name, "component" | "instance" | "parameters"));
    let mut variables: Vec<Variable> = of_component.cloned().collect();
    more.extend(variables.iter().map(|(name, node)| {
        // A job's own field `component` is the name.
        let name = if *name == "component" {
            "definition"
        } else {
            *name
        };
        entry(name, node.clone())
    }));
    more.push(entry("workload", workload.clone()));
    let job = extended(seen, more);
    variables.extend([("workload", workload.clone()), ("job", job.clone())]);
    let earlier = before(pipeline, &pipeline.spec.jobs[at].name.0);
    Some(PlannedJob {
        instance: position,
        waits_for: earlier.into_iter().map(str::to_owned).collect(),
        variables,
        job,
        workload,
    })
}

/// The priority of a job among all pods: the tier's, a little higher or lower. In a namespace that
/// tenants share, quotas know a tenant's pods by its one priority class, so that stays.
fn priority(
    builder: &ValueBuilder<'_, '_>,
    planned: &PlannedUnit<'_>,
    pipeline: &Document<Pipeline>,
    at: usize,
) -> Vec<Entry> {
    let spec = &pipeline.spec;
    let own = spec.jobs[at].priority.or(spec.priority).unwrap_or(MIDDLE);
    let of_tier = planned.tier.effective_fields().priority().node();
    let base = match of_tier.map(|node| &node.value) {
        Some(Value::Int(number)) => *number,
        _ => 0,
    };
    let is_shared = planned.tenant.spec.isolation == Some(Isolation::Shared);
    let from: Vec<NodeId> = of_tier
        .map(|node| node.id)
        .into_iter()
        .chain([
            pipeline.fields().priority().place(),
            pipeline.fields().jobs().item(at).priority().place(),
        ])
        .collect();
    let (value, owner) = if is_shared {
        (
            base,
            builder.named(NamingPattern::Tenant, Some(planned.tenant), None),
        )
    } else {
        let value = (base + i64::from(own) - i64::from(MIDDLE)).max(0);
        let pipeline = name_node(pipeline);
        (
            value,
            builder.named(
                NamingPattern::Workload,
                Some(planned.tenant),
                Some(&pipeline),
            ),
        )
    };
    let name = format!(
        "{}-{}-{value}",
        owner.as_str().unwrap_or_default(),
        planned.environment.name
    );
    vec![
        entry(
            "priorityClass",
            builder.derived(Value::String(name.into()), &from),
        ),
        entry("priorityValue", builder.derived(Value::Int(value), &from)),
    ]
}

/// The priority that is neither high nor low.
const MIDDLE: u8 = 5;
