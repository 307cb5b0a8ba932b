//! What is watched, and who is told: the documents that hold for a tenant or one of its components.

use super::build::{extended, with_name};
use super::{Plan, PlanInput, references};
use crate::model::catalog::Document;
use crate::model::field::Field;
use crate::model::kinds::{AlertRoute, Component, Monitoring, WorkloadType};
use crate::model::reference::Ref;
use tenantry_engine::scalars::Name;
use tenantry_syntax::diagnostics::catalogue::resolve as codes;
use tenantry_syntax::diagnostics::{Diagnostic, Sink};
use tenantry_syntax::yaml::{Node, NodeId, Value, entry, merge};

/// Whether a list of names is empty, or has a name; without a name, only an empty one will do.
fn takes<K>(names: &[Ref<K>], name: Option<&str>) -> bool {
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
        let named = [
            !spec.components.is_empty(),
            !spec.tenants.is_empty(),
            !spec.environments.is_empty(),
        ];
        let is_own = !plan.input.sources.is_built_in(document.tree.id.file);
        (is_own, named, document.name.as_str())
    });
    let layers = documents.into_iter().map(|document| &document.effective);
    let merged = merge::merge(layers);
    let Some(component) = component else {
        return merged;
    };
    let fields = component.fields();
    let own = [
        ("thresholds", fields.alerts().set()),
        ("slo", fields.slo().set()),
    ];
    let own = own
        .into_iter()
        .filter_map(|(key, node)| Some(entry(key, node?.clone())));
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
    let severities = document
        .effective_fields()
        .severities()
        .node()
        .map(Node::entries);
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
    for document in &catalog.alert_routes {
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
        let (slo, alerts) = (component.fields().slo(), component.fields().alerts());
        let promised = slo.availability().written().or(slo.latency().written());
        let watched = alerts
            .error_rate()
            .written()
            .or(alerts.response_time().written());
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
    for (position, receiver) in document.spec.receivers.iter().enumerate() {
        let place = document.fields().receivers().item(position).name().place();
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
    let severities = document.fields().severities();
    let mut check = |names: Field<'_, Vec<Name>>| {
        for name in names.items() {
            let text = name.as_str().unwrap_or_default();
            if !known.contains(&text) {
                let what = "receiver of this document";
                references::unknown(input, what, text, known.clone(), name.place(), sink);
            }
        }
    };
    for route in [
        severities.critical(),
        severities.error(),
        severities.warning(),
        severities.info(),
    ] {
        check(route.to());
        for escalation in route.escalate().items() {
            check(escalation.to());
        }
    }
}
