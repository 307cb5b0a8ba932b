//! Names, labels, and what templates see.

use std::sync::Arc;

use super::{
    Plan, PlannedUnit, SharedComponent, connections, deciders, instances, layers, monitoring,
    pipelines, prompts, recovery,
};
use crate::model::access;
use crate::model::catalog::Document;
use crate::model::field::Field;
use crate::model::instance::{Facts, Instance, Unit};
use crate::model::kinds::tenant::{Offboarding, Share, TenantGrant};
use crate::model::kinds::{Cluster, Environment, Isolation, Tenant};
use tenantry_engine::derivations::Derivations;
use tenantry_engine::scalars::{Date, Name};
use tenantry_syntax::diagnostics::Sink;
use tenantry_syntax::yaml::{Entry, Node, NodeId, Value, entry, merge};

/// Builds a unit: a tenant in an environment on a cluster.
pub fn unit(plan: &Plan<'_>, planned: &PlannedUnit<'_>, sink: &mut Sink) -> Unit {
    let derivations = Arc::new(Derivations::default());
    let builder = ValueBuilder::new(plan, planned.environment, planned.cluster, &derivations);
    let namespace = builder.namespace(planned.tenant);
    let tenant = tenant(&builder, planned, &namespace);
    let facts = builder.facts(Some(tenant.clone()), planned.tenant.name_id(), None);
    let mut variables = builder.variables(&facts);
    variables.push(("tenant", tenant));
    variables.push(("tier", with_name(planned.tier)));
    let business = merge::merge(
        planned
            .contexts
            .iter()
            .filter_map(|context| context.fields().business().node()),
    );
    for chosen in &planned.components {
        prompts::check(plan, planned, *chosen, &business, sink);
        connections::check(plan, planned, *chosen, sink);
    }
    variables.push(("context", business));
    let parameters = planned
        .contexts
        .iter()
        .filter_map(|context| context.fields().policy_parameters().node());
    variables.push(("policy", merge::merge(parameters)));
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
        facts,
        variables,
        patches: layers::patches(
            plan,
            Some(planned.tier),
            None,
            planned.cluster,
            planned.environment,
        ),
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

/// A pattern of the Platform's `naming`.
#[derive(Clone, Copy)]
pub enum NamingPattern {
    /// Of what belongs to a tenant.
    Tenant,
    /// Of a tenant's own namespace.
    Namespace,
    /// Of a namespace that tenants share.
    SharedNamespace,
    /// Of a component of a tenant.
    Workload,
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

impl ValueBuilder<'_, '_> {
    /// What is the same for all templates of a place.
    pub fn variables(&self, facts: &Facts) -> Vec<(&'static str, Node)> {
        vec![
            ("platform", with_name(self.plan.platform)),
            ("environment", facts.environment.clone()),
            ("cluster", facts.cluster.clone()),
        ]
    }

    /// What the compiler has to know of a unit of this place.
    pub fn facts(
        &self,
        tenant: Option<Node>,
        name: NodeId,
        shared_namespace: Option<Node>,
    ) -> Facts {
        Facts {
            tenant,
            environment: self.promoted(),
            cluster: with_name(self.cluster),
            name,
            shared_namespace,
        }
    }

    /// The environment, with how many come before it: `wave`.
    fn promoted(&self) -> Node {
        let environments = &self.plan.input.catalog.environments;
        let (mut wave, mut from) = (0, Vec::new());
        let mut at = Some(self.environment);
        // Circles are another finding.
        while let Some(earlier) = at.filter(|_| wave < 100) {
            let name = earlier.spec.promotes_from.as_ref();
            from.extend(name.map(|_| earlier.fields().promotes_from().place()));
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
        pattern: NamingPattern,
        tenant: Option<&Document<Tenant>>,
        component: Option<&Node>,
    ) -> Node {
        let naming = self.plan.platform.effective_fields().naming();
        let naming = match pattern {
            NamingPattern::Tenant => naming.tenant().node(),
            NamingPattern::Namespace => naming.namespace().node(),
            NamingPattern::SharedNamespace => naming.shared_namespace().node(),
            NamingPattern::Workload => naming.workload().node(),
        };
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
            NamingPattern::SharedNamespace
        } else {
            NamingPattern::Namespace
        };
        let name = self.named(pattern, Some(tenant), None);
        match tenant.fields().isolation().written() {
            None => name,
            Some(isolation) => self.derived(name.value, &[name.id, isolation]),
        }
    }

    /// A label of the platform: `<labelPrefix>/tenant`.
    pub fn platform_label(&self, name: &str, value: Node) -> Entry {
        let prefix = self.plan.platform.effective_fields().label_prefix().node();
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
        if let Some(cost_center) = planned
            .tenant
            .effective_fields()
            .billing()
            .cost_center()
            .node()
        {
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
    let (empty, own) = (Node::empty_map(), document.effective_fields());
    // A limit of `null` on the tenant lifts the tier's.
    let limits = merge::over(
        planned
            .tier
            .effective_fields()
            .limits()
            .node()
            .unwrap_or(&empty),
        own.limits().node().unwrap_or(&empty),
    );
    let labels = builder.labels(planned, Vec::new());
    let selector = vec![builder.platform_label("tenant", name_node(document))];
    let catalog = builder.plan.input.catalog;
    let grants = access::grants_of(catalog, document);
    let grants = in_force::<TenantGrant>(builder, planned, Field::of(&grants));
    let more = vec![
        entry("name", name_node(document)),
        entry(
            "description",
            document
                .metadata_fields()
                .description()
                .node()
                .cloned()
                .unwrap_or_else(|| builder.constant("")),
        ),
        entry(
            "userLabels",
            document
                .metadata_fields()
                .labels()
                .node()
                .cloned()
                .unwrap_or_else(Node::empty_map),
        ),
        entry("namespace", namespace.clone()),
        entry(
            "resourceName",
            builder.named(NamingPattern::Tenant, Some(document), None),
        ),
        entry("labels", Node::map(NodeId::NONE, labels)),
        entry("selector", Node::map(NodeId::NONE, selector)),
        entry("limits", limits),
        entry("roles", roles(builder, &grants)),
        entry("grants", grants),
        entry("shares", in_force(builder, planned, own.shares())),
        entry("sharedFrom", shared_from(builder, planned)),
        entry("pipelineRuns", pipelines::listed(builder, planned)),
    ];
    let more = more
        .into_iter()
        .chain(offboarding(builder, own.offboarding()));
    extended(effective, more.collect())
}

/// How a tenant leaves, with the time from its notice to the end of its data.
fn offboarding(builder: &ValueBuilder<'_, '_>, written: Field<'_, Offboarding>) -> Option<Entry> {
    let day = |field: Field<'_, Date>| {
        let day = field.as_str()?.parse::<jiff::civil::Date>().ok()?;
        Some((day, field.place()))
    };
    let (from, first) = day(written.requested_at())?;
    let (until, last) = day(written.retain_data_until())?;
    let hours = (until - from).get_days().max(1) * 24;
    let keep = builder.text(format!("{hours}h0m0s"), &[first, last]);
    Some(entry(
        "offboarding",
        extended(written.node()?, vec![entry("keepFor", keep)]),
    ))
}

/// The roles that grants give, with what they inherit.
fn roles(builder: &ValueBuilder<'_, '_>, grants: &Node) -> Node {
    let granted = Field::<Vec<TenantGrant>>::of(grants).items();
    let granted: Vec<&Node> = granted.filter_map(|grant| grant.role().node()).collect();
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

/// What holds in some environments, from a first to a last day.
pub trait TimeLimited: Sized {
    /// The first and the last day.
    fn days(this: Field<'_, Self>) -> [Field<'_, Date>; 2];
    /// The environments; none for all.
    fn environments(this: Field<'_, Self>) -> Field<'_, Vec<Name>>;
}

impl TimeLimited for TenantGrant {
    fn days(this: Field<'_, Self>) -> [Field<'_, Date>; 2] {
        [this.granted_at(), this.expires_at()]
    }

    fn environments(this: Field<'_, Self>) -> Field<'_, Vec<Name>> {
        this.environments()
    }
}

impl TimeLimited for Share {
    fn days(this: Field<'_, Self>) -> [Field<'_, Date>; 2] {
        [Field::nowhere(), this.expires_at()]
    }

    fn environments(_: Field<'_, Self>) -> Field<'_, Vec<Name>> {
        Field::nowhere()
    }
}

/// Those of some grants or shares that hold today in this environment.
pub fn in_force<T: TimeLimited>(
    builder: &ValueBuilder<'_, '_>,
    planned: &PlannedUnit<'_>,
    list: Field<'_, Vec<T>>,
) -> Node {
    let Some(written) = list.node() else {
        return Node::new(NodeId::NONE, Value::List(Arc::new([])));
    };
    let input = &builder.plan.input;
    let mut from = vec![written.id];
    let (mut items, mut decided) = (Vec::new(), Vec::new());
    for item in list.items() {
        let [first, last] = T::days(item);
        let environments = T::environments(item).items();
        let mut named = T::environments(item).items();
        let is_here = environments.len() == 0
            || named.any(|name| name.as_str() == Some(&planned.environment.name));
        if is_here
            && !input.has_expired(last.read().as_ref())
            && !input.is_to_come(first.read().as_ref())
        {
            items.extend(item.node().cloned());
        }
        decided.extend([last, first].into_iter().filter_map(Field::written));
        decided.extend(environments.map(Field::place));
    }
    if decided.is_empty() {
        return Node::new(written.id, Value::List(items.into()));
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
            let written = other.fields().shares().item(at);
            let with = written.with().item(with).place();
            let mut entries = vec![
                entry("tenant", name_node(other)),
                entry(
                    "component",
                    Node::text(written.component().place(), share.component.0.as_str()),
                ),
                entry("namespace", builder.namespace(other)),
                entry("permittedBy", builder.text(other.name.as_str(), &[with])),
            ];
            let more = [
                ("ports", written.ports().node()),
                ("expiresAt", written.expires_at().node()),
                ("quota", written.quota().node()),
            ];
            let more = more
                .into_iter()
                .filter_map(|(key, node)| Some(entry(key, node?.clone())));
            entries.extend(more);
            from.push(with);
            let share = Node::map(NodeId::NONE, entries);
            items.push(builder.derived(share.value, &[with]));
        }
    }
    builder.derived(Value::List(items.into()), &from)
}
