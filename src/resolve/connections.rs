//! Connections of components: what they ask of a cluster is there.

use super::{Chosen, Plan, PlannedUnit};
use crate::diagnostics::{Diagnostic, Sink, catalogue::resolve as codes};
use crate::model::kinds::Pattern;
use crate::yaml::PathStep;

/// The group of the mesh's API.
const MESH: &str = "networking.istio.io/";

/// Checks the connections of a component by the cluster that it runs on.
pub fn check(plan: &Plan<'_>, planned: &PlannedUnit<'_>, chosen: Chosen<'_>, sink: &mut Sink) {
    let has_mesh = planned
        .cluster
        .spec
        .apis
        .iter()
        .any(|api| api.starts_with(MESH));
    for (at, name) in chosen.component.spec.connections.iter().enumerate() {
        let Some(connection) = plan.input.catalog.connections.get(&name.0) else {
            continue;
        };
        if connection.spec.pattern != Pattern::ServiceMesh || has_mesh {
            continue;
        }
        let path = ["spec".into(), "connections".into(), PathStep::Index(at)];
        let message = format!(
            "`{}` goes through a service mesh, and cluster `{}` has none",
            connection.name, planned.cluster.name
        );
        sink.push(
            Diagnostic::new(codes::NO_MESH, message)
                .at(plan.input.span(connection.spec_at(&["pattern"])), "asked for here")
                .and(plan.input.span(chosen.component.at(&path)), "used here")
                .and(plan.input.span(planned.cluster.spec_at(&["apis"])), "what the cluster has")
                .note(format!("for {}/{} in {}", planned.tenant.name, chosen.component.name, planned.environment.name))
                .help("install Istio and list networking.istio.io/v1/DestinationRule in the cluster's `apis`, or write another `pattern`"),
        );
    }
}
