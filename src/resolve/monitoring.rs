//! What is watched, and who is told: the documents that hold for a tenant or one of its components.

use super::build::{extended, with_name};
use super::{Plan, PlanInput, references};
use crate::diagnostics::{Diagnostic, Sink, catalogue::resolve as codes};
use crate::model::catalog::Document;
use crate::model::kinds::{AlertRoute, Component, Monitoring, WorkloadType};
use crate::model::scalars::Name;
use crate::yaml::{Node, NodeId, PathStep, Value, entry, merge};

/// Whether a list of names is empty, or has a name; without a name, only an empty one will do.
fn takes(names: &[Name], name: Option<&str>) -> bool {
    names.is_empty() || names.iter().any(|known| Some(known.0.as_str()) == name)
}

/// What holds for a component of a tenant in an environment; without them, what holds for all.
pub fn of(
    plan: &Plan<'_>,
    tenant: Option<&str>,
    environment: &str,
    component: Option<&Document<Component>>,
) -> Node {
    let holds = |document: &&Document<Monitoring>| {
        let spec = &document.spec;
        takes(&spec.tenants, tenant)
            && takes(&spec.environments, Some(environment))
            && takes(&spec.components, component.map(|one| one.name.as_str()))
    };
    let mut documents: Vec<_> = plan
        .input
        .catalog
        .monitorings
        .iter()
        .filter(holds)
        .collect();
    // What is said of few is laid over what is said of many; the built-in defaults lie below.
    documents.sort_by_key(|document| {
        let spec = &document.spec;
        let named = [&spec.components, &spec.tenants, &spec.environments];
        let named = named.map(|names| !names.is_empty());
        let is_own = !plan.input.sources.is_built_in(document.tree.id.file);
        (is_own, named, document.name.as_str())
    });
    let layers = documents.into_iter().map(|document| &document.effective);
    let merged = merge::merge(layers);
    let Some(component) = component else {
        return merged;
    };
    let own = [("thresholds", "alerts"), ("slo", "slo")];
    let own = own.into_iter().filter_map(|(key, from)| {
        let node = component.tree.at(&["spec", from])?;
        (!node.is_null()).then(|| entry(key, node.clone()))
    });
    merge::over(&merged, &Node::map(component.tree.id, own.collect()))
}

/// The routes of alerts that hold for a tenant in an environment.
pub fn routes(plan: &Plan<'_>, tenant: &str, environment: &str) -> Node {
    let holds = |document: &&Document<AlertRoute>| {
        takes(&document.spec.tenants, Some(tenant))
            && takes(&document.spec.environments, Some(environment))
    };
    let routes = plan.input.catalog.alert_routes.iter().filter(holds);
    Node::new(NodeId::NONE, Value::List(routes.map(route).collect()))
}

/// A route, with its severities as a list, and each escalation's name.
fn route(document: &Document<AlertRoute>) -> Node {
    let seen = with_name(document);
    let severities = document.effective.get("severities").map(Node::entries);
    let severities = severities.unwrap_or_default().iter().map(|severity| {
        let name = Node::text(severity.key_id, &*severity.key);
        extended(&severity.value, vec![entry("severity", name)])
    });
    let list = Node::new(NodeId::NONE, Value::List(severities.collect()));
    extended(&seen, vec![entry("severities", list)])
}

/// Checks the names that Monitoring and AlertRoute documents mention.
pub fn check(input: &PlanInput<'_>, sink: &mut Sink) {
    let catalog = input.catalog;
    measurable(input, sink);
    for document in &catalog.monitorings {
        let spec = &document.spec;
        names(input, document, "tenants", &spec.tenants, sink);
        names(input, document, "environments", &spec.environments, sink);
        names(input, document, "components", &spec.components, sink);
    }
    for document in &catalog.alert_routes {
        let spec = &document.spec;
        names(input, document, "tenants", &spec.tenants, sink);
        names(input, document, "environments", &spec.environments, sink);
        receivers(input, document, sink);
    }
}

/// What a component promises can be measured.
fn measurable(input: &PlanInput<'_>, sink: &mut Sink) {
    for component in &input.catalog.components {
        let workload = &component.spec.workload;
        let answers = matches!(
            workload.workload_type,
            Some(WorkloadType::Service | WorkloadType::Worker | WorkloadType::Stateful)
        );
        let ports = workload.ports.iter().flatten();
        let is_measured = ports
            .map(|port| port.name.0.as_str())
            .any(|name| name == "metrics");
        let mut promised = ["availability", "latency"].into_iter();
        let promised = promised.find_map(|key| component.written(&["slo", key]));
        let mut watched = ["errorRate", "responseTime"].into_iter();
        let watched = watched.find_map(|key| component.written(&["alerts", key]));
        if let Some(place) = promised.or(watched).filter(|_| answers && !is_measured) {
            let message = format!(
                "nothing measures the requests of `{}`: it has no port named `metrics`",
                component.name
            );
            sink.push(
                Diagnostic::new(codes::NO_EFFECT, message)
                    .at(input.span(place), "no alert comes of it")
                    .help("add the port that Prometheus reads: `ports: [{name: metrics, port: 9090}]`"),
            );
        }
    }
}

fn receivers(input: &PlanInput<'_>, document: &Document<AlertRoute>, sink: &mut Sink) {
    let known: Vec<&str> = document
        .spec
        .receivers
        .iter()
        .map(|one| one.name.0.as_str())
        .collect();
    let at = |path: &[PathStep]| {
        let mut all = vec![PathStep::from("spec")];
        all.extend(path.iter().cloned());
        document.at(&all)
    };
    for (position, receiver) in document.spec.receivers.iter().enumerate() {
        let place = at(&["receivers".into(), PathStep::Index(position), "name".into()]);
        if receiver.email.is_empty()
            && receiver.slack.is_none()
            && receiver.pager_duty.is_none()
            && receiver.webhook.is_none()
        {
            let message = format!("nothing says how `{}` is told", receiver.name);
            sink.push(
                Diagnostic::new(codes::MUTE_RECEIVER, message)
                    .at(input.span(place), "this receiver")
                    .help("add `email`, `slack`, `pagerDuty` or `webhook`"),
            );
        }
        if known[..position].contains(&receiver.name.0.as_str()) {
            let message = format!("two receivers are named `{}`", receiver.name);
            sink.push(
                Diagnostic::new(codes::DUPLICATE_NAME, message)
                    .at(input.span(place), "again here")
                    .help("rename one of them, or make them one with both ways to be told"),
            );
        }
    }
    let severities = &document.spec.severities;
    let severities = [
        ("critical", &severities.critical),
        ("error", &severities.error),
        ("warning", &severities.warning),
        ("info", &severities.info),
    ];
    for (word, route) in severities {
        let Some(route) = route else { continue };
        let mut check = |path: Vec<PathStep>, name: &Name| {
            if !known.contains(&name.0.as_str()) {
                let mut whole = vec!["severities".into(), PathStep::from(word)];
                whole.extend(path);
                let what = "receiver of this document";
                references::unknown(input, what, &name.0, known.clone(), at(&whole), sink);
            }
        };
        for (position, name) in route.to.iter().enumerate() {
            check(vec!["to".into(), PathStep::Index(position)], name);
        }
        for (position, escalation) in route.escalate.iter().enumerate() {
            for (inner, name) in escalation.to.iter().enumerate() {
                let path = [
                    "escalate".into(),
                    PathStep::Index(position),
                    "to".into(),
                    PathStep::Index(inner),
                ];
                check(path.to_vec(), name);
            }
        }
    }
}

/// Names of tenants, environments or components in a list of a document.
pub fn names<K>(
    input: &PlanInput<'_>,
    document: &Document<K>,
    field: &str,
    listed: &[Name],
    sink: &mut Sink,
) {
    let catalog = input.catalog;
    for (at, name) in listed.iter().enumerate() {
        let place = document.at(&["spec".into(), field.into(), PathStep::Index(at)]);
        match field {
            "tenants" => drop(input.reference(&catalog.tenants, "Tenant", &name.0, place, sink)),
            "components" => {
                let known = &catalog.components;
                input.reference(known, "Component", &name.0, place, sink);
            }
            _ => {
                let known = &catalog.environments;
                input.reference(known, "Environment", &name.0, place, sink);
            }
        }
    }
}
