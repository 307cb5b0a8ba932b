//! The layers of an instance's values, their locks, and whether the result makes sense.

use super::{Chosen, Plan, PlannedUnit};
use crate::diagnostics::{Diagnostic, Sink, catalogue::resolve as codes};
use crate::model::catalog::Document;
use crate::model::instance::Layer;
use crate::model::kinds::{Context, ContextLevel};
use crate::yaml::{Node, NodeId, Path, PathStep, Value, merge};

/// All layers, the lowest first; the order is that of `docs/layers.md`.
pub fn of_instance(plan: &Plan<'_>, unit: &PlannedUnit<'_>, chosen: Chosen<'_>) -> Vec<Layer> {
    let mut layers = Vec::new();
    let mut add = |name: String, values: Option<&Node>| {
        if let Some(values) = values.filter(|values| values.as_map().is_some()) {
            layers.push(Layer {
                name,
                values: values.clone(),
            });
        }
    };
    let (tenant, environment, component) = (unit.tenant, unit.environment, chosen.component);
    let fields = tenant.fields();
    add(
        "built-in default".to_owned(),
        Some(plan.input.default_workload),
    );
    add(
        "platform defaults".to_owned(),
        plan.platform.fields().defaults().node(),
    );
    add(
        format!("tier {}", unit.tier.name),
        unit.tier.fields().values().node(),
    );
    for context in &unit.contexts {
        add(context_name(context), context.fields().values().node());
    }
    add(
        format!("component {} {}", component.name, component.spec.version),
        component.fields().workload().node(),
    );
    add(
        format!("cluster {}", unit.cluster.name),
        unit.cluster.fields().values().node(),
    );
    add(
        format!("environment {}", environment.name),
        environment.fields().values().node(),
    );
    add(
        format!("tenant {}", tenant.name),
        tenant.fields().values().node(),
    );
    add(
        format!("tenant {} in {}", tenant.name, environment.name),
        fields
            .environments()
            .value(&environment.name)
            .some()
            .values()
            .node(),
    );
    let subscription = fields.components().item(chosen.subscription);
    let subscribed = format!("{}'s subscription to {}", tenant.name, component.name);
    add(subscribed.clone(), subscription.values().node());
    add(
        format!("{subscribed} in {}", environment.name),
        subscription
            .environments()
            .value(&environment.name)
            .some()
            .values()
            .node(),
    );
    for context in &plan.session {
        add(context_name(context), context.fields().values().node());
    }
    layers
}

fn context_name(context: &Document<Context>) -> String {
    match context.spec.scope.level {
        ContextLevel::Global => format!("global context {}", context.name),
        ContextLevel::Division => format!("division context {}", context.name),
        ContextLevel::Department => format!("department context {}", context.name),
        ContextLevel::Project => format!("project context {}", context.name),
        ContextLevel::User => format!("user context {}", context.name),
        ContextLevel::Session => "the command line".to_owned(),
    }
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

/// Looks for layers above a context that change what it locks.
fn locked(
    plan: &Plan<'_>,
    context: &Document<Context>,
    path: &Path,
    place: NodeId,
    layers: &[Layer],
    sink: &mut Sink,
) {
    let name = context_name(context);
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
                .position(|layer| layer.name.starts_with("component "))
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
                format!("`{path}` is locked by {name}, and set by {}", layer.name),
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
