//! Connections of components: what they ask of a cluster is there.

use super::{Chosen, Plan, PlannedUnit};
use crate::model::kinds::Pattern;
use tenantry_syntax::diagnostics::catalogue::resolve as codes;
use tenantry_syntax::diagnostics::{Diagnostic, Sink};

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
        let used = chosen.component.fields().connections().item(at).place();
        let message = format!(
            "`{}` goes through a service mesh, and cluster `{}` has none",
            connection.name, planned.cluster.name
        );
        sink.push(
            Diagnostic::new(codes::NO_MESH, message)
                .at(plan.input.span(connection.fields().pattern().place()), "asked for here")
                .and(plan.input.span(used), "used here")
                .and(plan.input.span(planned.cluster.fields().apis().place()), "what the cluster has")
                .note(format!("for {}/{} in {}", planned.tenant.name, chosen.component.name, planned.environment.name))
                .help("install Istio and list networking.istio.io/v1/DestinationRule in the cluster's `apis`, or write another `pattern`"),
        );
    }
}
