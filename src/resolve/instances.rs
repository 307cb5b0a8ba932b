//! What templates see of one component of a tenant: its names, labels and layered values.

use super::build::{NamingPattern, ValueBuilder, extended, in_force, name_node, with_name};
use super::{Chosen, PlannedUnit, consistency, layers, monitoring, pipelines};
use crate::model::catalog::Document;
use crate::model::data::{self, DataFlow};
use crate::model::field::Field;
use crate::model::instance::Instance;
use crate::model::kinds::tenant::Share;
use crate::model::kinds::{Component, Workload};
use tenantry_syntax::diagnostics::catalogue::resolve as codes;
use tenantry_syntax::diagnostics::{Diagnostic, Sink};
use tenantry_syntax::yaml::{Entry, Node, NodeId, Value, entry, merge};

/// A component of a tenant in an environment on a cluster; nothing if the subscription is not written.
pub fn build(
    builder: &ValueBuilder<'_, '_>,
    planned: &PlannedUnit<'_>,
    chosen: Chosen<'_>,
    namespace: &Node,
    sink: &mut Sink,
) -> Option<Instance> {
    let plan = builder.plan;
    let component = chosen.component;
    let layers = layers::of_instance(plan, planned, chosen);
    let workload = layers::merge(plan, planned, &layers, sink);
    consistency::check(plan, planned, chosen, &layers, &workload, sink);
    let parameters = parameters(builder, planned, chosen, sink);
    let subscription = planned
        .tenant
        .fields()
        .components()
        .item(chosen.subscription)
        .written()?;
    let component_name = name_node(component);
    let name = builder.named(
        NamingPattern::Workload,
        Some(planned.tenant),
        Some(&component_name),
    );
    let version = component
        .fields()
        .version()
        .node()
        .cloned()
        .unwrap_or_else(|| builder.constant(""));
    let digest = plan
        .digests
        .get(&(component.name.as_str(), component.spec.version.0.as_str()))
        .cloned()
        .unwrap_or_default();
    let digest = builder.text(digest, &[component.tree.id]);

    let names = Named {
        component: &component_name,
        name: &name,
        version: &version,
        digest: &digest,
    };
    let mut entries = vec![
        entry("name", name.clone()),
        entry("namespace", namespace.clone()),
    ];
    entries.extend(labels(builder, planned, component, &names));
    entries.extend([
        entry("version", version.clone()),
        entry("digest", digest.clone()),
        entry("dependencies", dependencies(builder, planned, chosen)),
        entry(
            "inputs",
            data::list(plan.input.catalog, component, DataFlow::Input),
        ),
        entry(
            "outputs",
            data::list(plan.input.catalog, component, DataFlow::Output),
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
    ]);
    let previews = previews(&workload);
    entries.extend(storage_class(builder, &workload).map(|class| entry("storageClass", class)));
    entries.extend(host(builder, planned, &component_name).map(|host| entry("host", host)));
    let [validation, preview_validation, preview] = previews;
    let instance = Node::map(NodeId::NONE, entries);
    let variables = vec![
        ("validation", validation),
        ("previewValidation", preview_validation),
        ("preview", preview),
        ("component", with_name(component)),
        ("instance", instance.clone()),
        ("workload", workload.clone()),
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
        name: component.name_id(),
        version: component.spec.version.to_string(),
        instance,
        subscription,
        variables,
        templates: component.spec.templates.clone(),
        patches: layers::patches(
            plan,
            Some(planned.tier),
            Some(component),
            planned.cluster,
            planned.environment,
        ),
        locked: layers::locked_values(plan, planned, &workload),
        workload,
        layers: layers.into(),
    })
}

/// What an instance is called.
struct Named<'n> {
    component: &'n Node,
    name: &'n Node,
    version: &'n Node,
    digest: &'n Node,
}

/// The labels of an instance's objects, of its pods, and what selects them.
fn labels(
    builder: &ValueBuilder<'_, '_>,
    planned: &PlannedUnit<'_>,
    component: &Document<Component>,
    named: &Named<'_>,
) -> [Entry; 4] {
    let selector = vec![
        entry("app.kubernetes.io/name", named.component.clone()),
        entry("app.kubernetes.io/instance", named.name.clone()),
        builder.platform_label("tenant", name_node(planned.tenant)),
    ];
    let mut labels = selector.clone();
    labels.extend([
        entry("app.kubernetes.io/version", named.version.clone()),
        entry("app.kubernetes.io/managed-by", builder.constant("tenantry")),
        builder.platform_label("tier", name_node(planned.tier)),
        builder.platform_label("environment", name_node(planned.environment)),
        builder.platform_label("component-digest", named.digest.clone()),
    ]);
    let billing = planned.tenant.effective_fields().billing();
    let more = [
        (
            "classification",
            component.effective_fields().clearance().node(),
        ),
        ("cost-center", billing.cost_center().node()),
    ];
    for (label, node) in more {
        labels.extend(node.map(|node| builder.platform_label(label, node.clone())));
    }
    // Pods are not replaced when only what describes the component changes.
    let of_pods = labels
        .iter()
        .filter(|label| !label.key.ends_with("/component-digest"));
    let of_pods = of_pods.cloned().collect();
    // A pod that looks at the new version is none of the pods that answer.
    let apart = format!("{}-validation", named.name.as_str().unwrap_or_default());
    let apart = builder.text(apart, &[named.name.id]);
    let of_validation = extended(
        &Node::map(NodeId::NONE, labels.clone()),
        vec![entry("app.kubernetes.io/instance", apart)],
    );
    [
        entry("validationLabels", of_validation),
        entry("labels", Node::map(NodeId::NONE, labels)),
        entry("podLabels", Node::map(NodeId::NONE, of_pods)),
        entry("selector", Node::map(NodeId::NONE, selector)),
    ]
}

/// A workload as it is validated before a blue-green rollout switches, and as its other side runs it; nothing
/// where it does neither.
fn previews(workload: &Node) -> [Node; 3] {
    let nothing = || Node::new(NodeId::NONE, Value::Null);
    let rollout = Field::<Workload>::of(workload).rollout();
    let preview = rollout.preview().set().map_or_else(nothing, |preview| {
        let image = [
            ("tag", rollout.preview().tag().node()),
            ("digest", rollout.preview().digest().node()),
        ];
        let image = image.map(|(key, node)| entry(key, node.cloned().unwrap_or_else(nothing)));
        merge::over(workload, &Node::map(preview.id, image.to_vec()))
    });
    let validated = |workload: &Node| {
        let validation = rollout.validation().set();
        validation
            .filter(|_| !workload.is_null())
            .map_or_else(nothing, |validation| {
                let mut over = vec![
                    entry("type", Node::text(NodeId::NONE, "job")),
                    entry("args", nothing()),
                    entry("ports", nothing()),
                ];
                let command = rollout.validation().command().node();
                over.extend(command.map(|command| entry("command", command.clone())));
                merge::over(workload, &Node::map(validation.id, over))
            })
    };
    [validated(workload), validated(&preview), preview]
}

/// The components that this one depends on, by the names that they have here.
fn dependencies(
    builder: &ValueBuilder<'_, '_>,
    planned: &PlannedUnit<'_>,
    chosen: Chosen<'_>,
) -> Node {
    let list = chosen.component.fields().dependencies();
    let items: Vec<Node> = list
        .items()
        .filter_map(|dependency| dependency.component().node())
        .map(|component| {
            let name = builder.named(
                NamingPattern::Workload,
                Some(planned.tenant),
                Some(component),
            );
            Node::map(
                NodeId::NONE,
                vec![entry("component", component.clone()), entry("name", name)],
            )
        })
        .collect();
    Node::new(
        list.written().unwrap_or(NodeId::NONE),
        Value::List(items.into()),
    )
}

/// The tenants that may reach this instance, with their namespaces.
fn shares(builder: &ValueBuilder<'_, '_>, planned: &PlannedUnit<'_>, chosen: Chosen<'_>) -> Node {
    let mut items = Vec::new();
    let list = in_force(builder, planned, planned.tenant.effective_fields().shares());
    for share in Field::<Vec<Share>>::of(&list).items() {
        if share.component().as_str() != Some(&chosen.component.name) {
            continue;
        }
        for with in share.with().items().filter_map(Field::node) {
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
            let more = [
                ("ports", share.ports().node()),
                ("expiresAt", share.expires_at().node()),
                ("quota", share.quota().node()),
                ("reason", share.reason().node()),
            ];
            let more = more
                .into_iter()
                .filter_map(|(key, node)| Some(entry(key, node?.clone())));
            entries.extend(more);
            items.push(Node::map(share.place(), entries));
        }
    }
    Node::new(list.id, Value::List(items.into()))
}

/// The class of volumes that name none: the cluster's default, encrypted where that is required.
fn storage_class(builder: &ValueBuilder<'_, '_>, workload: &Node) -> Option<Node> {
    let must_encrypt = !Field::<Workload>::of(workload)
        .encryption_required()
        .is(false);
    let classes = builder.cluster.effective_fields().storage_classes().items();
    let fitting = classes.filter(|class| !must_encrypt || class.encrypted().is(true));
    // The first of those that are the default, or else the first.
    let first = fitting.min_by_key(|class| !class.default().is(true))?;
    first.name().node().cloned()
}

fn host(
    builder: &ValueBuilder<'_, '_>,
    planned: &PlannedUnit<'_>,
    component: &Node,
) -> Option<Node> {
    let domain = builder.cluster.effective_fields().domain().node()?;
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
    builder: &ValueBuilder<'_, '_>,
    planned: &PlannedUnit<'_>,
    chosen: Chosen<'_>,
    sink: &mut Sink,
) -> Node {
    let subscription = planned
        .tenant
        .fields()
        .components()
        .item(chosen.subscription);
    let own = subscription.parameters().node();
    let there = subscription
        .environments()
        .value(&planned.environment.name)
        .some()
        .parameters()
        .node();
    let parameters = merge::merge(own.into_iter().chain(there));
    let Some(schema) = chosen.component.fields().parameters().set() else {
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
        let place = place.unwrap_or_else(|| subscription.place());
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
