//! Names, labels, and what templates see.

use std::sync::Arc;

use super::{
    Chosen, Plan, PlannedCluster, PlannedUnit, SharedComponent, coherence, connections, layers,
    monitoring, pipelines, prompts, recovery,
};
use crate::diagnostics::{Diagnostic, Sink, catalogue::resolve as codes};
use crate::model::catalog::Document;
use crate::model::data::Flow;
use crate::model::instance::{Derivations, Instance, Unit, UnitKey};
use crate::model::kinds::{Cluster, Environment, Isolation, Tenant};
use crate::model::{access, data};
use crate::yaml::{Entry, Node, NodeId, Step, Value, entry, merge};

/// Builds a unit: a tenant in an environment on a cluster.
pub fn unit(plan: &Plan<'_>, planned: &PlannedUnit<'_>, sink: &mut Sink) -> Unit {
    let derivations = Arc::new(Derivations::default());
    let builder = Builder {
        plan,
        environment: planned.environment,
        cluster: planned.cluster,
        derivations: &derivations,
    };
    let namespace = builder.namespace(planned.tenant);
    let tenant = tenant(&builder, planned, &namespace);
    let mut variables = builder.variables();
    variables.push(("tenant", tenant));
    variables.push(("tier", with_name(planned.tier)));
    let facts = merge_field(planned, "business");
    for chosen in &planned.components {
        prompts::check(plan, planned, *chosen, &facts, sink);
        connections::check(plan, planned, *chosen, sink);
    }
    variables.push(("context", facts));
    variables.push(("policy", merge_field(planned, "policyParameters")));
    let (tenant, environment) = (
        planned.tenant.name.as_str(),
        planned.environment.name.as_str(),
    );
    variables.push((
        "monitoring",
        monitoring::of(plan, Some(tenant), environment, None),
    ));
    variables.push(("alertRoutes", monitoring::routes(plan, tenant, environment)));
    variables.push(("recovery", recovery::of_unit(&builder, planned)));
    variables.push(("promotedFrom", promoted_from(plan, planned)));
    let instances: Vec<Instance> = planned
        .components
        .iter()
        .filter_map(|chosen| instance(&builder, planned, *chosen, &namespace, sink))
        .collect();
    let pipelines = pipelines::build(&builder, planned, &namespace, &instances, sink);
    let namespace = namespace.as_str().unwrap_or_default().to_owned();
    Unit {
        key: planned.key(),
        namespace,
        variables,
        instances,
        pipelines,
        derivations,
    }
}

/// Where the tenant runs in the environment that this one is promoted from.
fn promoted_from(plan: &Plan<'_>, planned: &PlannedUnit<'_>) -> Node {
    let from = planned.environment.spec.promotes_from.as_ref();
    let earlier = plan.placements.iter().filter(|one| {
        one.tenant.name == planned.tenant.name
            && from.is_some_and(|from| from.0 == one.environment.name)
    });
    let place = |one: &super::Placement<'_>| {
        let names = [
            ("environment", name_node(one.environment)),
            ("cluster", name_node(one.cluster)),
        ];
        Node::map(
            NodeId::NONE,
            names.map(|(key, name)| entry(key, name)).to_vec(),
        )
    };
    Node::new(NodeId::NONE, Value::List(earlier.map(place).collect()))
}

/// What templates see as `tenant` in a unit, without the rest of it.
pub fn tenant_of(plan: &Plan<'_>, planned: &PlannedUnit<'_>) -> Node {
    let derivations = Derivations::default();
    let builder = Builder {
        plan,
        environment: planned.environment,
        cluster: planned.cluster,
        derivations: &derivations,
    };
    let namespace = builder.namespace(planned.tenant);
    tenant(&builder, planned, &namespace)
}

/// Builds what the templates of a cluster in an environment see.
pub fn cluster(plan: &Plan<'_>, planned: &PlannedCluster<'_>) -> Unit {
    let derivations = Arc::new(Derivations::default());
    let builder = Builder {
        plan,
        environment: planned.environment,
        cluster: planned.cluster,
        derivations: &derivations,
    };
    let mut variables = builder.variables();
    let shared = planned
        .tenants
        .iter()
        .find(|tenant| tenant.spec.isolation == Some(Isolation::Shared));
    let mut entries = vec![entry(
        "tenants",
        builder.derived(
            Value::Int(i64::try_from(planned.tenants.len()).unwrap_or(0)),
            &[],
        ),
    )];
    if let Some(tenant) = shared {
        entries.push(entry("sharedNamespace", builder.namespace(tenant)));
    }
    entries.push(entry("auditDays", audit_days(&builder, planned)));
    let first = plan.is_first_environment(planned);
    entries.push(entry(
        "isFirstEnvironment",
        builder.derived(Value::Bool(first), &[]),
    ));
    variables.push(("here", Node::map(NodeId::NONE, entries)));
    variables.push((
        "monitoring",
        monitoring::of(plan, None, &planned.environment.name, None),
    ));
    variables.push(("recoveryPlans", recovery::of_cluster(&builder)));
    let key = UnitKey {
        environment: planned.environment.name.clone(),
        cluster: planned.cluster.name.clone(),
        tenant: String::new(),
    };
    Unit {
        key,
        namespace: String::new(),
        variables,
        instances: Vec::new(),
        pipelines: Vec::new(),
        derivations,
    }
}

/// Days in a month, and a little more: no log is gone a day too early.
const MONTH: i64 = 31;
/// What is kept where no framework says more: the 90 days of the source documents.
const AUDIT_DAYS: i64 = 90;

/// How many days the audit log of a cluster is kept: the longest that a framework of one of its tenants, or of the
/// platform, asks for in `auditRetentionMonths`, by all environments that use the cluster.
fn audit_days(builder: &Builder<'_, '_>, planned: &PlannedCluster<'_>) -> Node {
    let catalog = builder.plan.input.catalog;
    let of = |name: &str, given: &Node, asked: NodeId| -> Option<(i64, NodeId)> {
        let framework = catalog.frameworks.get(name)?;
        // Some write it in months.
        let found = [("auditRetentionDays", 1), ("auditRetentionMonths", MONTH)].into_iter();
        let mut found = found.filter_map(|(parameter, days)| {
            let own = given.get(parameter);
            let default = framework
                .effective
                .at(&["parameters", parameter, "default"]);
            let Value::Int(number) = own.or(default)?.value else {
                return None;
            };
            Some((number.saturating_mul(days), own.map_or(asked, |own| own.id)))
        });
        found.next()
    };
    let mut asked: Vec<(i64, NodeId)> = Vec::new();
    let mut take = |frameworks: Option<&Node>| {
        for framework in frameworks.map(Node::entries).unwrap_or_default() {
            asked.extend(of(&framework.key, &framework.value, framework.key_id));
        }
    };
    take(builder.plan.platform.effective.get("frameworks"));
    let here = builder.plan.placements.iter();
    for one in here.filter(|one| one.cluster.name == planned.cluster.name) {
        take(one.tenant.effective.get("compliance"));
    }
    // Of two that ask for the same, the first.
    let most = asked.into_iter().rev().max_by_key(|(days, _)| *days);
    match most.filter(|(days, _)| *days > AUDIT_DAYS) {
        Some((days, from)) => builder.derived(Value::Int(days), &[from]),
        None => builder.derived(Value::Int(AUDIT_DAYS), &[]),
    }
}

/// Makes values that templates see, in an environment on a cluster.
pub struct Builder<'b, 'a> {
    /// Everything that is to be rendered.
    pub plan: &'b Plan<'a>,
    /// The environment.
    pub environment: &'b Document<Environment>,
    /// The cluster.
    pub cluster: &'b Document<Cluster>,
    derivations: &'b Derivations,
}

/// The name of a document.
pub fn name_node<K>(document: &Document<K>) -> Node {
    Node::text(document.name_id(), document.name.as_str())
}

/// A document as templates see it: its spec, with its name.
pub fn with_name<K>(document: &Document<K>) -> Node {
    extended(
        &document.effective,
        vec![entry("name", name_node(document))],
    )
}

/// A map with more entries; those that are there already are replaced.
pub fn extended(map: &Node, more: Vec<Entry>) -> Node {
    let mut entries = map.entries().to_vec();
    for new in more {
        match entries.iter_mut().find(|entry| entry.key == new.key) {
            Some(known) => *known = new,
            None => entries.push(new),
        }
    }
    Node::map(map.id, entries)
}

fn merge_field(planned: &PlannedUnit<'_>, field: &str) -> Node {
    merge::merge(
        planned
            .contexts
            .iter()
            .filter_map(|context| context.tree.at(&["spec", field])),
    )
}

impl Builder<'_, '_> {
    fn variables(&self) -> Vec<(&'static str, Node)> {
        vec![
            ("platform", with_name(self.plan.platform)),
            ("environment", self.promoted()),
            ("cluster", with_name(self.cluster)),
        ]
    }

    /// The environment, with how many come before it: `wave`.
    fn promoted(&self) -> Node {
        let environments = &self.plan.input.catalog.environments;
        let (mut wave, mut from) = (0, Vec::new());
        let mut at = Some(self.environment);
        // Circles are another finding.
        while let Some(earlier) = at.filter(|_| wave < 100) {
            let name = earlier.spec.promotes_from.as_ref();
            from.extend(name.map(|_| earlier.spec_at(&["promotesFrom"])));
            at = name.and_then(|name| environments.get(&name.0));
            wave += i64::from(at.is_some());
        }
        let wave = self.derived(Value::Int(wave), &from);
        extended(&with_name(self.environment), vec![entry("wave", wave)])
    }

    /// A value that was computed from others.
    pub fn derived(&self, value: Value, from: &[NodeId]) -> Node {
        self.derivations.derive(value, from.iter().copied())
    }

    fn text(&self, text: impl Into<Arc<str>>, from: &[NodeId]) -> Node {
        self.derived(Value::String(text.into()), from)
    }

    /// Fills in a pattern of the Platform's `naming`.
    pub fn named(
        &self,
        pattern: &str,
        tenant: Option<&Document<Tenant>>,
        component: Option<&Node>,
    ) -> Node {
        let naming = self.plan.platform.effective.at(&["naming", pattern]);
        let mut text = naming.and_then(Node::as_str).unwrap_or_default().to_owned();
        let mut from: Vec<NodeId> = naming.map(|node| node.id).into_iter().collect();
        let known = [
            (
                "{tenant}",
                tenant.map(|tenant| (tenant.name.as_str(), tenant.name_id())),
            ),
            (
                "{component}",
                component.and_then(|node| Some((node.as_str()?, node.id))),
            ),
            (
                "{environment}",
                Some((self.environment.name.as_str(), self.environment.name_id())),
            ),
            (
                "{cluster}",
                Some((self.cluster.name.as_str(), self.cluster.name_id())),
            ),
        ];
        for (placeholder, value) in known {
            if let Some((value, id)) = value
                && text.contains(placeholder)
            {
                text = text.replace(placeholder, value);
                from.push(id);
            }
        }
        self.text(text, &from)
    }

    /// The same for another environment on another cluster.
    pub fn at<'c>(
        &'c self,
        environment: &'c Document<Environment>,
        cluster: &'c Document<Cluster>,
    ) -> Builder<'c, 'c> {
        Builder {
            plan: self.plan,
            environment,
            cluster,
            derivations: self.derivations,
        }
    }

    /// The namespace of a tenant.
    pub fn namespace(&self, tenant: &Document<Tenant>) -> Node {
        let shared = tenant.spec.isolation == Some(Isolation::Shared);
        if !shared {
            return self.named("namespace", Some(tenant), None);
        }
        let name = self.named("sharedNamespace", Some(tenant), None);
        let isolation = tenant.spec_at(&["isolation"]);
        self.derived(name.value, &[name.id, isolation])
    }

    /// A label of the platform: `<labelPrefix>/tenant`.
    pub fn platform_label(&self, name: &str, value: Node) -> Entry {
        let prefix = self.plan.platform.effective.get("labelPrefix");
        let key = format!(
            "{}/{name}",
            prefix.and_then(Node::as_str).unwrap_or_default()
        );
        Entry {
            key: key.into(),
            key_id: prefix.map_or(NodeId::NONE, |node| node.id),
            value,
        }
    }

    /// Labels of something of a tenant's that is no component: those given, and those of all.
    pub fn labels(&self, planned: &PlannedUnit<'_>, own: Vec<Entry>) -> Vec<Entry> {
        let mut labels = own;
        labels.push(entry(
            "app.kubernetes.io/managed-by",
            self.constant("tenantry"),
        ));
        labels.push(self.platform_label("tenant", name_node(planned.tenant)));
        labels.push(self.platform_label("tier", name_node(planned.tier)));
        labels.push(self.platform_label("environment", name_node(planned.environment)));
        if let Some(cost_center) = planned.tenant.effective.at(&["billing", "costCenter"]) {
            labels.push(self.platform_label("cost-center", cost_center.clone()));
        }
        labels
    }

    fn constant(&self, text: &str) -> Node {
        self.text(text, &[])
    }
}

/// What templates see as `tenant`.
fn tenant(builder: &Builder<'_, '_>, planned: &PlannedUnit<'_>, namespace: &Node) -> Node {
    let document = planned.tenant;
    let effective = &document.effective;
    let empty = Node::empty_map();
    // A limit of `null` on the tenant lifts the tier's.
    let limits = merge::over(
        planned.tier.effective.get("limits").unwrap_or(&empty),
        effective.get("limits").unwrap_or(&empty),
    );
    let labels = builder.labels(planned, Vec::new());
    let selector = vec![builder.platform_label("tenant", name_node(document))];
    let catalog = builder.plan.input.catalog;
    let grants = in_force(
        builder,
        planned,
        Some(&access::grants_of(catalog, document)),
    );
    let more = vec![
        entry("name", name_node(document)),
        entry(
            "description",
            document
                .tree
                .at(&["metadata", "description"])
                .cloned()
                .unwrap_or_else(|| builder.constant("")),
        ),
        entry(
            "userLabels",
            document
                .tree
                .at(&["metadata", "labels"])
                .cloned()
                .unwrap_or_else(Node::empty_map),
        ),
        entry("namespace", namespace.clone()),
        entry(
            "resourceName",
            builder.named("tenant", Some(document), None),
        ),
        entry("labels", Node::map(NodeId::NONE, labels)),
        entry("selector", Node::map(NodeId::NONE, selector)),
        entry("limits", limits),
        entry("roles", roles(builder, &grants)),
        entry("grants", grants),
        entry(
            "shares",
            in_force(builder, planned, effective.get("shares")),
        ),
        entry("sharedFrom", shared_from(builder, planned)),
    ];
    let more = more.into_iter().chain(offboarding(builder, effective));
    extended(effective, more.collect())
}

/// How a tenant leaves, with the time from its notice to the end of its data.
fn offboarding(builder: &Builder<'_, '_>, tenant: &Node) -> Option<Entry> {
    let offboarding = tenant.get("offboarding")?;
    let day = |key: &str| {
        let node = offboarding.get(key)?;
        Some((node.as_str()?.parse::<jiff::civil::Date>().ok()?, node.id))
    };
    let ((from, first), (until, last)) = (day("requestedAt")?, day("retainDataUntil")?);
    let hours = (until - from).get_days().max(1) * 24;
    let keep = builder.text(format!("{hours}h0m0s"), &[first, last]);
    Some(entry(
        "offboarding",
        extended(offboarding, vec![entry("keepFor", keep)]),
    ))
}

/// The roles that grants give, with what they inherit.
fn roles(builder: &Builder<'_, '_>, grants: &Node) -> Node {
    let granted = grants.as_list().unwrap_or_default().iter();
    let mut names: Vec<&str> = granted
        .filter_map(|grant| grant.get("role").and_then(Node::as_str))
        .collect();
    names.sort_unstable();
    names.dedup();
    let roles = names
        .into_iter()
        .filter_map(|name| builder.plan.roles.get(name));
    Node::new(NodeId::NONE, Value::List(roles.cloned().collect()))
}

/// Those of some grants or shares that hold today in this environment.
fn in_force(builder: &Builder<'_, '_>, planned: &PlannedUnit<'_>, list: Option<&Node>) -> Node {
    let Some(list) = list else {
        return Node::new(NodeId::NONE, Value::List(Arc::new([])));
    };
    let items: Vec<Node> = list
        .as_list()
        .unwrap_or_default()
        .iter()
        .filter(|item| {
            let last = item
                .get("expiresAt")
                .and_then(Node::as_str)
                .map(|day| crate::model::scalars::Date(day.to_owned()));
            let environments = item
                .get("environments")
                .and_then(Node::as_list)
                .unwrap_or_default();
            let here = environments.is_empty()
                || environments
                    .iter()
                    .any(|name| name.as_str() == Some(&planned.environment.name));
            let first = item.get("grantedAt").and_then(Node::as_str);
            let first = first.map(|day| crate::model::scalars::Date(day.to_owned()));
            let input = &builder.plan.input;
            here && !input.has_expired(last.as_ref()) && !input.is_to_come(first.as_ref())
        })
        .cloned()
        .collect();
    Node::new(list.id, Value::List(items.into()))
}

/// Components of other tenants that this one may reach here.
fn shared_from(builder: &Builder<'_, '_>, planned: &PlannedUnit<'_>) -> Node {
    let mut items = Vec::new();
    for shared in builder
        .plan
        .shared_with
        .get(planned.tenant.name.as_str())
        .into_iter()
        .flatten()
    {
        let SharedComponent {
            owner: other,
            share: at,
            with,
        } = *shared;
        let share = &other.spec.shares[at];
        if other
            .spec
            .environments
            .keys()
            .any(|name| name.0 == planned.environment.name)
        {
            let path = [
                "spec".into(),
                "shares".into(),
                Step::Index(at),
                "component".into(),
            ];
            let with = other.at(&[
                "spec".into(),
                "shares".into(),
                Step::Index(at),
                "with".into(),
                Step::Index(with),
            ]);
            let mut entries = vec![
                entry("tenant", name_node(other)),
                entry(
                    "component",
                    Node::text(other.at(&path), share.component.0.as_str()),
                ),
                entry("namespace", builder.namespace(other)),
                entry("permittedBy", builder.text(other.name.as_str(), &[with])),
            ];
            let written = other.tree.at_path(&path[..3]);
            let more = ["ports", "expiresAt", "quota"]
                .iter()
                .filter_map(|key| Some(entry(key, written?.get(key)?.clone())));
            entries.extend(more);
            items.push(Node::map(NodeId::NONE, entries));
        }
    }
    Node::new(NodeId::NONE, Value::List(items.into()))
}

fn instance(
    builder: &Builder<'_, '_>,
    planned: &PlannedUnit<'_>,
    chosen: Chosen<'_>,
    namespace: &Node,
    sink: &mut Sink,
) -> Option<Instance> {
    let plan = builder.plan;
    let component = chosen.component;
    let layers = layers::of_instance(plan, planned, chosen);
    let workload = layers::merge(plan, planned, &layers, sink);
    coherence::check(plan, planned, chosen, &layers, &workload, sink);
    let parameters = parameters(builder, planned, chosen, sink);
    let subscription = planned.tenant.tree.at_path(&[
        "spec".into(),
        "components".into(),
        Step::Index(chosen.subscription),
    ])?;
    let component_name = name_node(component);
    let name = builder.named("workload", Some(planned.tenant), Some(&component_name));
    let version = component
        .tree
        .at(&["spec", "version"])
        .cloned()
        .unwrap_or_else(|| builder.constant(""));
    let digest = plan
        .digests
        .get(&(component.name.as_str(), component.spec.version.0.as_str()))
        .cloned()
        .unwrap_or_default();
    let digest = builder.text(digest, &[component.tree.id]);

    let selector = vec![
        entry("app.kubernetes.io/name", component_name.clone()),
        entry("app.kubernetes.io/instance", name.clone()),
        builder.platform_label("tenant", name_node(planned.tenant)),
    ];
    let mut labels = selector.clone();
    labels.extend([
        entry("app.kubernetes.io/version", version.clone()),
        entry("app.kubernetes.io/managed-by", builder.constant("tenantry")),
        builder.platform_label("tier", name_node(planned.tier)),
        builder.platform_label("environment", name_node(planned.environment)),
        builder.platform_label("component-digest", digest.clone()),
    ]);
    if let Some(clearance) = component.effective.get("clearance") {
        labels.push(builder.platform_label("classification", clearance.clone()));
    }
    if let Some(cost_center) = planned.tenant.effective.at(&["billing", "costCenter"]) {
        labels.push(builder.platform_label("cost-center", cost_center.clone()));
    }
    // Pods are not replaced when only what describes the component changes.
    let pod_labels = labels
        .iter()
        .filter(|label| !label.key.ends_with("/component-digest"))
        .cloned()
        .collect();
    // A pod that looks at the new version is none of the pods that answer.
    let apart = format!("{}-validation", name.as_str().unwrap_or_default());
    let validation_labels = extended(
        &Node::map(NodeId::NONE, labels.clone()),
        vec![entry(
            "app.kubernetes.io/instance",
            builder.text(apart, &[name.id]),
        )],
    );
    let mut entries = vec![
        entry("name", name.clone()),
        entry("namespace", namespace.clone()),
        entry("validationLabels", validation_labels),
        entry("labels", Node::map(NodeId::NONE, labels)),
        entry("podLabels", Node::map(NodeId::NONE, pod_labels)),
        entry("selector", Node::map(NodeId::NONE, selector)),
        entry("version", version),
        entry("digest", digest),
        entry("dependencies", dependencies(builder, planned, chosen)),
        entry(
            "inputs",
            data::list(plan.input.catalog, component, Flow::Input),
        ),
        entry(
            "outputs",
            data::list(plan.input.catalog, component, Flow::Output),
        ),
        entry(
            "connections",
            data::connections(plan.input.catalog, component),
        ),
        entry("shares", shares(builder, planned, chosen)),
        entry(
            "pipelines",
            pipelines::running(builder, planned, &component.name),
        ),
    ];
    let previews = previews(&workload);
    entries.extend(storage_class(builder, &workload).map(|class| entry("storageClass", class)));
    entries.extend(host(builder, planned, &component_name).map(|host| entry("host", host)));
    let (validation, preview) = previews;
    let variables = vec![
        ("validation", validation),
        ("preview", preview),
        ("component", with_name(component)),
        ("instance", Node::map(NodeId::NONE, entries)),
        ("workload", workload),
        ("parameters", parameters),
        (
            "monitoring",
            monitoring::of(
                plan,
                Some(&planned.tenant.name),
                &planned.environment.name,
                Some(component),
            ),
        ),
    ];
    Some(Instance {
        component: component.name.clone(),
        subscription: subscription.id,
        variables,
        templates: component.spec.templates.clone(),
        layers: layers.into(),
    })
}

/// A workload as it is validated before a blue-green rollout switches, and as its other side runs it; nothing
/// where it does neither.
fn previews(workload: &Node) -> (Node, Node) {
    let nothing = || Node::new(NodeId::NONE, Value::Null);
    let rollout = workload.get("rollout");
    let found = |key: &str| {
        rollout
            .and_then(|rollout| rollout.get(key))
            .filter(|node| !node.is_null())
    };
    let validation = found("validation").map_or_else(nothing, |validation| {
        let mut over = vec![
            entry("type", Node::text(NodeId::NONE, "job")),
            entry("args", nothing()),
            entry("ports", nothing()),
        ];
        over.extend(
            validation
                .get("command")
                .map(|command| entry("command", command.clone())),
        );
        merge::over(workload, &Node::map(validation.id, over))
    });
    let preview = found("preview").map_or_else(nothing, |preview| {
        let image = ["tag", "digest"]
            .map(|key| entry(key, preview.get(key).cloned().unwrap_or_else(nothing)));
        merge::over(workload, &Node::map(preview.id, image.to_vec()))
    });
    (validation, preview)
}

/// The components that this one depends on, by the names that they have here.
fn dependencies(builder: &Builder<'_, '_>, planned: &PlannedUnit<'_>, chosen: Chosen<'_>) -> Node {
    let list = chosen.component.tree.at(&["spec", "dependencies"]);
    let items: Vec<Node> = list
        .and_then(Node::as_list)
        .unwrap_or_default()
        .iter()
        .filter_map(|dependency| dependency.get("component"))
        .map(|component| {
            let name = builder.named("workload", Some(planned.tenant), Some(component));
            Node::map(
                NodeId::NONE,
                vec![entry("component", component.clone()), entry("name", name)],
            )
        })
        .collect();
    Node::new(
        list.map_or(NodeId::NONE, |list| list.id),
        Value::List(items.into()),
    )
}

/// The tenants that may reach this instance, with their namespaces.
fn shares(builder: &Builder<'_, '_>, planned: &PlannedUnit<'_>, chosen: Chosen<'_>) -> Node {
    let mut items = Vec::new();
    let list = in_force(builder, planned, planned.tenant.effective.get("shares"));
    for share in list.as_list().unwrap_or_default() {
        if share.get("component").and_then(Node::as_str) != Some(&chosen.component.name) {
            continue;
        }
        for with in share
            .get("with")
            .and_then(Node::as_list)
            .unwrap_or_default()
        {
            let Some(other) = with
                .as_str()
                .and_then(|name| builder.plan.input.catalog.tenants.get(name))
            else {
                continue;
            };
            if !other
                .spec
                .environments
                .keys()
                .any(|name| name.0 == planned.environment.name)
            {
                continue;
            }
            let mut entries = vec![
                entry("tenant", with.clone()),
                entry("namespace", builder.namespace(other)),
            ];
            let more = ["ports", "expiresAt", "quota", "reason"];
            let more = more
                .iter()
                .filter_map(|key| Some(entry(key, share.get(key)?.clone())));
            entries.extend(more);
            items.push(Node::map(share.id, entries));
        }
    }
    Node::new(list.id, Value::List(items.into()))
}

/// The class of volumes that name none: the cluster's default, encrypted where that is required.
fn storage_class(builder: &Builder<'_, '_>, workload: &Node) -> Option<Node> {
    let classes = builder.cluster.effective.get("storageClasses")?.as_list()?;
    let is = |class: &Node, field: &str| {
        class
            .get(field)
            .is_some_and(|node| matches!(node.value, Value::Bool(true)))
    };
    let encrypted = workload
        .get("encryptionRequired")
        .is_none_or(|node| !matches!(node.value, Value::Bool(false)));
    let mut fitting: Vec<&Node> = classes
        .iter()
        .filter(|class| !encrypted || is(class, "encrypted"))
        .collect();
    // The sort is stable: the default first, then the order of the document.
    fitting.sort_by_key(|class| !is(class, "default"));
    fitting.first()?.get("name").cloned()
}

fn host(builder: &Builder<'_, '_>, planned: &PlannedUnit<'_>, component: &Node) -> Option<Node> {
    let domain = builder.cluster.effective.get("domain")?;
    let text = format!(
        "{}.{}.{}",
        component.as_str()?,
        planned.tenant.name,
        domain.as_str()?
    );
    Some(builder.text(text, &[component.id, planned.tenant.name_id(), domain.id]))
}

/// The tenant's parameters, judged by the component's schema.
fn parameters(
    builder: &Builder<'_, '_>,
    planned: &PlannedUnit<'_>,
    chosen: Chosen<'_>,
    sink: &mut Sink,
) -> Node {
    let path = [
        "spec".into(),
        "components".into(),
        Step::Index(chosen.subscription),
    ];
    let subscription = planned.tenant.tree.at_path(&path);
    let own = subscription.and_then(|node| node.get("parameters"));
    let there = subscription
        .and_then(|node| node.at(&["environments", &planned.environment.name, "parameters"]));
    let parameters = merge::merge(own.into_iter().chain(there));
    let Some(schema) = chosen
        .component
        .tree
        .at(&["spec", "parameters"])
        .filter(|node| !node.is_null())
    else {
        if let Some(first) = parameters.entries().first() {
            sink.push(
                Diagnostic::new(
                    codes::BAD_PARAMETERS,
                    format!("`{}` takes no parameters", chosen.component.name),
                )
                .at(builder.plan.input.span(first.key_id), "set here")
                .help("remove them, or declare them in the component's `parameters`"),
            );
        }
        return parameters;
    };
    let Ok(validator) = jsonschema::draft202012::new(&schema.to_json()) else {
        return parameters;
    };
    for error in validator.iter_errors(&parameters.to_json()) {
        let pointer = error.instance_path().to_string();
        let node = pointer
            .split('/')
            .skip(1)
            .try_fold(&parameters, |node, step| {
                let step = step.replace("~1", "/").replace("~0", "~");
                node.get(&step)
                    .or_else(|| node.as_list()?.get(step.parse::<usize>().ok()?))
            });
        let place = node
            .map(|node| node.id)
            .filter(|id| id.is_input())
            .or_else(|| own.or(there).map(|node| node.id));
        let place = place.unwrap_or_else(|| subscription.map_or(NodeId::NONE, |node| node.id));
        sink.push(
            Diagnostic::new(
                codes::BAD_PARAMETERS,
                format!(
                    "the parameters of `{}` do not meet its schema: {error}",
                    chosen.component.name
                ),
            )
            .at(builder.plan.input.span(place), "")
            .and(builder.plan.input.span(schema.id), "the schema")
            .note(format!(
                "for {}/{} in {}",
                planned.tenant.name, chosen.component.name, planned.environment.name
            ))
            .help("write what the component's `parameters` allow"),
        );
    }
    parameters
}
