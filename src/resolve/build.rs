//! Names, labels, and what templates see.

use std::sync::Arc;

use super::{
    Plan, PlannedUnit, SharedComponent, connections, deciders, instances, monitoring, pipelines,
    prompts, recovery,
};
use crate::diagnostics::Sink;
use crate::model::access;
use crate::model::catalog::Document;
use crate::model::instance::{Derivations, Instance, Unit};
use crate::model::kinds::{Cluster, Environment, Isolation, Tenant};
use crate::yaml::{Entry, Node, NodeId, PathStep, Value, entry, merge};

/// Builds a unit: a tenant in an environment on a cluster.
pub fn unit(plan: &Plan<'_>, planned: &PlannedUnit<'_>, sink: &mut Sink) -> Unit {
    let derivations = Arc::new(Derivations::default());
    let builder = ValueBuilder::new(plan, planned.environment, planned.cluster, &derivations);
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
        .filter_map(|chosen| instances::build(&builder, planned, *chosen, &namespace, sink))
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
        deciders: Arc::new(deciders::of_unit(plan, planned)),
    }
}

/// Where the tenant runs in the environment that this one is promoted from.
fn promoted_from(plan: &Plan<'_>, planned: &PlannedUnit<'_>) -> Node {
    let from = planned.environment.spec.promotes_from.as_ref();
    let earlier = plan.placements.iter().filter(|one| {
        one.tenant.name == planned.tenant.name
            && from.is_some_and(|from| from.0 == one.environment.name)
    });
    let place = |one: &super::TenantPlacement<'_>| {
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
    let builder = ValueBuilder::new(plan, planned.environment, planned.cluster, &derivations);
    let namespace = builder.namespace(planned.tenant);
    tenant(&builder, planned, &namespace)
}

/// Makes values that templates see, in an environment on a cluster.
pub struct ValueBuilder<'b, 'a> {
    /// Everything that is to be rendered.
    pub plan: &'b Plan<'a>,
    /// The environment.
    pub environment: &'b Document<Environment>,
    /// The cluster.
    pub cluster: &'b Document<Cluster>,
    derivations: &'b Derivations,
}

impl<'b, 'a> ValueBuilder<'b, 'a> {
    /// For a place; what it computes is remembered in `derivations`.
    pub fn new(
        plan: &'b Plan<'a>,
        environment: &'b Document<Environment>,
        cluster: &'b Document<Cluster>,
        derivations: &'b Derivations,
    ) -> ValueBuilder<'b, 'a> {
        ValueBuilder {
            plan,
            environment,
            cluster,
            derivations,
        }
    }
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

impl ValueBuilder<'_, '_> {
    /// What is the same for all templates of a place.
    pub fn variables(&self) -> Vec<(&'static str, Node)> {
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

    /// A text of the compiler's own.
    pub fn text(&self, text: impl Into<Arc<str>>, from: &[NodeId]) -> Node {
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
    ) -> ValueBuilder<'c, 'c> {
        ValueBuilder {
            plan: self.plan,
            environment,
            cluster,
            derivations: self.derivations,
        }
    }

    /// The namespace of a tenant.
    pub fn namespace(&self, tenant: &Document<Tenant>) -> Node {
        let shared = tenant.spec.isolation == Some(Isolation::Shared);
        let pattern = if shared {
            "sharedNamespace"
        } else {
            "namespace"
        };
        let name = self.named(pattern, Some(tenant), None);
        match tenant.written(&["isolation"]) {
            None => name,
            Some(isolation) => self.derived(name.value, &[name.id, isolation]),
        }
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

    /// A text of the compiler's own.
    pub fn constant(&self, text: &str) -> Node {
        self.text(text, &[])
    }
}

/// What templates see as `tenant`.
fn tenant(builder: &ValueBuilder<'_, '_>, planned: &PlannedUnit<'_>, namespace: &Node) -> Node {
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
        entry("pipelineRuns", pipelines::listed(builder, planned)),
    ];
    let more = more.into_iter().chain(offboarding(builder, effective));
    extended(effective, more.collect())
}

/// How a tenant leaves, with the time from its notice to the end of its data.
fn offboarding(builder: &ValueBuilder<'_, '_>, tenant: &Node) -> Option<Entry> {
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
fn roles(builder: &ValueBuilder<'_, '_>, grants: &Node) -> Node {
    let granted = grants.as_list().unwrap_or_default().iter();
    let granted: Vec<&Node> = granted.filter_map(|grant| grant.get("role")).collect();
    let mut names: Vec<&str> = granted.iter().filter_map(|role| role.as_str()).collect();
    names.sort_unstable();
    names.dedup();
    let roles = names
        .into_iter()
        .filter_map(|name| builder.plan.roles.get(name));
    // Which grants there are decides, and which role each gives.
    let from = granted.iter().map(|role| role.id).chain([grants.id]);
    builder.derived(
        Value::List(roles.cloned().collect()),
        &from.collect::<Vec<_>>(),
    )
}

/// Those of some grants or shares that hold today in this environment.
pub fn in_force(
    builder: &ValueBuilder<'_, '_>,
    planned: &PlannedUnit<'_>,
    list: Option<&Node>,
) -> Node {
    let Some(list) = list else {
        return Node::new(NodeId::NONE, Value::List(Arc::new([])));
    };
    let input = &builder.plan.input;
    let mut from = vec![list.id];
    let (mut items, mut decided) = (Vec::new(), Vec::new());
    for item in list.as_list().unwrap_or_default() {
        let day = |key: &str| {
            let node = item.get(key)?;
            Some(crate::model::scalars::Date(node.as_str()?.to_owned()))
        };
        let environments = item.get("environments");
        let named = environments.and_then(Node::as_list).unwrap_or_default();
        let here = named.is_empty()
            || named
                .iter()
                .any(|name| name.as_str() == Some(&planned.environment.name));
        if here
            && !input.has_expired(day("expiresAt").as_ref())
            && !input.is_to_come(day("grantedAt").as_ref())
        {
            items.push(item.clone());
        }
        let days = ["expiresAt", "grantedAt"]
            .into_iter()
            .filter_map(|key| item.get(key));
        decided.extend(days.chain(named).map(|node| node.id));
    }
    if decided.is_empty() {
        return Node::new(list.id, Value::List(items.into()));
    }
    from.append(&mut decided);
    builder.derived(Value::List(items.into()), &from)
}

/// Components of other tenants that this one may reach here.
fn shared_from(builder: &ValueBuilder<'_, '_>, planned: &PlannedUnit<'_>) -> Node {
    let (mut items, mut from) = (Vec::new(), Vec::new());
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
                PathStep::Index(at),
                "component".into(),
            ];
            let with = other.at(&[
                "spec".into(),
                "shares".into(),
                PathStep::Index(at),
                "with".into(),
                PathStep::Index(with),
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
            from.push(with);
            let share = Node::map(NodeId::NONE, entries);
            items.push(builder.derived(share.value, &[with]));
        }
    }
    builder.derived(Value::List(items.into()), &from)
}
