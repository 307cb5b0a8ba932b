//! The layers of an instance's values, their locks, and whether the result makes sense.

use super::{Chosen, Plan, PlannedUnit};
use crate::model::catalog::Document;
use crate::model::field::Field;
use crate::model::instance::{Layer, LayerSource, PatchLayer};
use crate::model::kinds::{Cluster, Component, Context, Environment, Patch, Tier};
use tenantry_syntax::diagnostics::catalogue::resolve as codes;
use tenantry_syntax::diagnostics::{Diagnostic, Sink};
use tenantry_syntax::yaml::{Node, NodeId, Path, PathStep, Value, merge};

/// All layers, the lowest first; the order is that of `docs/layers.md`.
pub fn of_instance(plan: &Plan<'_>, unit: &PlannedUnit<'_>, chosen: Chosen<'_>) -> Vec<Layer> {
    let mut layers = Vec::new();
    let mut add = |source: LayerSource, values: Option<&Node>| {
        if let Some(values) = values.filter(|values| values.as_map().is_some()) {
            layers.push(Layer {
                source,
                values: values.clone(),
            });
        }
    };
    let (environment, component) = (unit.environment, chosen.component);
    let (tier, cluster) = (unit.tier, unit.cluster);
    let fields = unit.tenant.fields();
    let subscription = fields.components().item(chosen.subscription);
    let of_tenant = |environment: Option<&str>| LayerSource::Tenant {
        tenant: unit.tenant.name.clone(),
        environment: environment.map(str::to_owned),
    };
    let subscribed = |environment: Option<&str>| LayerSource::Subscription {
        tenant: unit.tenant.name.clone(),
        component: component.name.clone(),
        environment: environment.map(str::to_owned),
    };
    let here = environment.name.as_str();
    add(LayerSource::BuiltIn, Some(plan.input.default_workload));
    add(
        LayerSource::Platform,
        plan.platform.fields().defaults().node(),
    );
    add(
        LayerSource::Tier(tier.name.clone()),
        tier.fields().values().node(),
    );
    for context in &unit.contexts {
        add(of_context(context), context.fields().values().node());
    }
    let of_component = LayerSource::Component {
        name: component.name.clone(),
        version: component.spec.version.to_string(),
    };
    add(of_component, component.fields().workload().node());
    add(
        LayerSource::Cluster(cluster.name.clone()),
        cluster.fields().values().node(),
    );
    add(
        LayerSource::Environment(here.to_owned()),
        environment.fields().values().node(),
    );
    add(of_tenant(None), fields.values().node());
    let tenant_here = fields.environments().value(here).some();
    add(of_tenant(Some(here)), tenant_here.values().node());
    add(subscribed(None), subscription.values().node());
    let subscribed_here = subscription.environments().value(here).some();
    add(subscribed(Some(here)), subscribed_here.values().node());
    for context in &plan.session {
        add(of_context(context), context.fields().values().node());
    }
    layers
}

/// The patches of objects, the lowest layer first: in the order of the layers of values.
pub fn patches(
    plan: &Plan<'_>,
    tier: Option<&Document<Tier>>,
    component: Option<&Document<Component>>,
    cluster: &Document<Cluster>,
    environment: &Document<Environment>,
) -> Vec<PatchLayer> {
    let mut all = Vec::new();
    let mut add = |source: LayerSource, patches: Field<'_, Vec<Patch>>| {
        let patches = patches.items().filter_map(Field::node);
        all.extend(patches.map(|patch| PatchLayer {
            source: source.clone(),
            patch: patch.clone(),
        }));
    };
    add(LayerSource::Platform, plan.platform.fields().patches());
    if let Some(tier) = tier {
        add(
            LayerSource::Tier(tier.name.clone()),
            tier.fields().patches(),
        );
    }
    if let Some(component) = component {
        let source = LayerSource::Component {
            name: component.name.clone(),
            version: component.spec.version.to_string(),
        };
        add(source, component.fields().patches());
    }
    add(
        LayerSource::Cluster(cluster.name.clone()),
        cluster.fields().patches(),
    );
    let source = LayerSource::Environment(environment.name.clone());
    add(source, environment.fields().patches());
    all
}

fn of_context(context: &Document<Context>) -> LayerSource {
    LayerSource::Context(context.spec.scope.level, context.name.clone())
}

/// The layered values of an instance; findings where a lock is broken.
pub fn merge(plan: &Plan<'_>, unit: &PlannedUnit<'_>, layers: &[Layer], sink: &mut Sink) -> Node {
    for context in unit.contexts.iter().chain(&plan.session) {
        for (at, text) in context.spec.lock.iter().enumerate() {
            let Ok(path) = Path::parse(&text.0) else {
                continue;
            };
            let place = context.fields().lock().item(at).place();
            locked(plan, context, &path, place, layers, sink);
        }
    }
    merge::merge(layers.iter().map(|layer| &layer.values))
}

/// The values that contexts lock, and all that is in them, each with the line that locks it.
pub fn locked_values(
    plan: &Plan<'_>,
    unit: &PlannedUnit<'_>,
    workload: &Node,
) -> Vec<(NodeId, NodeId)> {
    fn all(node: &Node, lock: NodeId, found: &mut Vec<(NodeId, NodeId)>) {
        found.push((node.id, lock));
        let entries = node.entries().iter().map(|entry| &entry.value);
        let items = node.as_list().unwrap_or_default().iter();
        entries
            .chain(items)
            .for_each(|child| all(child, lock, found));
    }
    let mut found = Vec::new();
    for context in unit.contexts.iter().chain(&plan.session) {
        for (at, text) in context.spec.lock.iter().enumerate() {
            let path = Path::parse(&text.0).ok();
            let held = path.and_then(|path| merge::lookup(workload, &path.0));
            if let Some(held) = held {
                all(held, context.fields().lock().item(at).place(), &mut found);
            }
        }
    }
    found
}

/// Looks for layers above a context that change what it locks.
fn locked(
    plan: &Plan<'_>,
    context: &Document<Context>,
    path: &Path,
    place: NodeId,
    layers: &[Layer],
    sink: &mut Sink,
) {
    let name = of_context(context);
    // A context that sets nothing has no layer; what it locks is what the layers below it made.
    let height = |layer: &Layer| {
        layer.values.id
            == context
                .fields()
                .values()
                .node()
                .map_or(NodeId::NONE, |node| node.id)
    };
    let start = layers.iter().position(height).map_or_else(
        || {
            layers
                .iter()
                .position(|layer| matches!(layer.source, LayerSource::Component { .. }))
                .unwrap_or(layers.len())
        },
        |at| at + 1,
    );
    let below = merge::merge(layers[..start].iter().map(|layer| &layer.values));
    let held = merge::lookup(&below, &path.0);
    for layer in &layers[start..] {
        let Some(changed) = touched(&layer.values, &path.0) else {
            continue;
        };
        if held.is_some_and(|held| held.value == changed.value || contains(held, changed)) {
            continue;
        }
        sink.push(
            Diagnostic::new(
                codes::LOCKED,
                format!("`{path}` is locked by {name}, and set by {}", layer.source),
            )
            .at(plan.input.span(changed.id), "overrides a locked value")
            .and(plan.input.span(place), "locked here")
            .and(
                held.and_then(|held| plan.input.span(held.id)),
                "the value that is locked",
            )
            .help("remove the override, or ask the context's owner to lift the lock"),
        );
    }
}

/// What a layer says about a path: the value there, or a value above it that takes it away.
fn touched<'a>(values: &'a Node, path: &[PathStep]) -> Option<&'a Node> {
    let mut node = values;
    for step in path {
        match merge::lookup(node, std::slice::from_ref(step)) {
            Some(next) => node = next,
            None if matches!(node.value, Value::Map(_) | Value::List(_)) => return None,
            None => break,
        }
    }
    Some(node)
}

/// Whether every value of a map is what the held map has there, so that setting it changes nothing.
fn contains(held: &Node, changed: &Node) -> bool {
    changed.as_map().is_some_and(|map| {
        map.entries.iter().all(|entry| {
            held.get(&entry.key).is_some_and(|known| {
                known.value == entry.value.value || contains(known, &entry.value)
            })
        })
    })
}
