//! Every name that a document mentions exists, and only once.

use super::PlanInput;
use crate::diagnostics::{Diagnostic, Sink, catalogue::resolve as codes, suggest};
use crate::model::catalog::{Document, Documents};
use crate::model::kinds::DeliveryEngine;
use crate::yaml::{NodeId, PathStep};

/// Checks the names of all documents but those of tenants' subscriptions, which `tenants` does.
pub fn check(input: &PlanInput<'_>, sink: &mut Sink) {
    let catalog = input.catalog;
    duplicates(input, "Environment", &catalog.environments, sink);
    duplicates(input, "Cluster", &catalog.clusters, sink);
    duplicates(input, "Context", &catalog.contexts, sink);
    duplicates(input, "Tier", &catalog.tiers, sink);
    duplicates(input, "Tenant", &catalog.tenants, sink);
    duplicates(input, "Dataset", &catalog.datasets, sink);
    duplicates(input, "Connection", &catalog.connections, sink);
    duplicates(input, "Role", &catalog.roles, sink);
    duplicates(input, "Grant", &catalog.grants, sink);
    duplicates(input, "Pipeline", &catalog.pipelines, sink);
    duplicates(input, "Monitoring", &catalog.monitorings, sink);
    duplicates(input, "AlertRoute", &catalog.alert_routes, sink);
    duplicates(input, "RecoveryPlan", &catalog.recovery_plans, sink);
    platforms(input, sink);
    components(input, sink);
    datasets(input, sink);
    environments(input, sink);
    windows(input, sink);
    for cluster in &catalog.clusters {
        if let Some(tenant) = &cluster.spec.dedicated_to {
            input.reference(
                &catalog.tenants,
                "Tenant",
                &tenant.0,
                cluster.spec_at(&["dedicatedTo"]),
                sink,
            );
        }
        for (at, pool) in cluster.spec.node_pools.iter().enumerate() {
            if let Some(tenant) = &pool.tenant {
                let path = [
                    "spec".into(),
                    "nodePools".into(),
                    PathStep::Index(at),
                    "tenant".into(),
                ];
                input.reference(
                    &catalog.tenants,
                    "Tenant",
                    &tenant.0,
                    cluster.at(&path),
                    sink,
                );
            }
        }
    }
}

/// Windows for changes, where nothing keeps to them.
fn windows(input: &PlanInput<'_>, sink: &mut Sink) {
    let platform = input.catalog.platforms.iter().next();
    let Some(platform) =
        platform.filter(|one| one.spec.delivery.engine != Some(DeliveryEngine::Argocd))
    else {
        return;
    };
    for environment in &input.catalog.environments {
        if let Some(place) = environment
            .written(&["syncWindows"])
            .filter(|_| !environment.spec.sync_windows.is_empty())
        {
            let message =
                "only Argo CD keeps to windows, and changes are delivered by something else";
            sink.push(
                Diagnostic::new(codes::NO_EFFECT, message)
                    .at(input.span(place), "has no effect")
                    .and(input.span(platform.spec_at(&["delivery", "engine"])), "what delivers")
                    .help("remove it, and keep the windows where changes are merged; or write `engine: argocd`"),
            );
        }
    }
}

fn duplicates<K>(input: &PlanInput<'_>, kind: &str, documents: &Documents<K>, sink: &mut Sink) {
    let all: Vec<&Document<K>> = documents.iter().collect();
    for pair in all.windows(2) {
        if pair[0].name == pair[1].name {
            twice(
                input,
                &format!("{kind} `{}`", pair[0].name),
                pair[0].name_id(),
                pair[1].name_id(),
                "rename one of them, or remove it",
                sink,
            );
        }
    }
}

fn twice(
    input: &PlanInput<'_>,
    what: &str,
    first: NodeId,
    second: NodeId,
    help: &str,
    sink: &mut Sink,
) {
    sink.push(
        Diagnostic::new(
            codes::DUPLICATE_NAME,
            format!("there are two documents for {what}"),
        )
        .at(input.span(second), "defined again here")
        .and(input.span(first), "first defined here")
        .help(help),
    );
}

fn platforms(input: &PlanInput<'_>, sink: &mut Sink) {
    let all: Vec<_> = input.catalog.platforms.iter().collect();
    for pair in all.windows(2) {
        twice(
            input,
            "the Platform",
            pair[0].name_id(),
            pair[1].name_id(),
            "remove one of them: a repository has one Platform",
            sink,
        );
    }
}

fn components(input: &PlanInput<'_>, sink: &mut Sink) {
    let catalog = input.catalog;
    let mut all: Vec<_> = catalog.components.iter().collect();
    all.sort_by(|a, b| (&a.name, &a.spec.version).cmp(&(&b.name, &b.spec.version)));
    for pair in all.windows(2) {
        if pair[0].name == pair[1].name && pair[0].spec.version == pair[1].spec.version {
            let what = format!(
                "Component `{}` in version {}",
                pair[0].name, pair[0].spec.version
            );
            twice(
                input,
                &what,
                pair[0].spec_at(&["version"]),
                pair[1].spec_at(&["version"]),
                "give one of them another version or name, or remove it",
                sink,
            );
        }
    }
    for component in all {
        for (at, dependency) in component.spec.dependencies.iter().enumerate() {
            let path = [
                "spec".into(),
                "dependencies".into(),
                PathStep::Index(at),
                "component".into(),
            ];
            input.reference(
                &catalog.components,
                "Component",
                &dependency.component.0,
                component.at(&path),
                sink,
            );
        }
        if let Some(replacement) = &component.spec.replaced_by {
            input.reference(
                &catalog.components,
                "Component",
                &replacement.0,
                component.spec_at(&["replacedBy"]),
                sink,
            );
        }
        for (at, tenant) in component
            .spec
            .access
            .iter()
            .flat_map(|access| &access.tenants)
            .enumerate()
        {
            let path = [
                "spec".into(),
                "access".into(),
                "tenants".into(),
                PathStep::Index(at),
            ];
            input.reference(
                &catalog.tenants,
                "Tenant",
                &tenant.0,
                component.at(&path),
                sink,
            );
        }
    }
}

/// What components read and write, and who may use it.
fn datasets(input: &PlanInput<'_>, sink: &mut Sink) {
    let catalog = input.catalog;
    for component in &catalog.components {
        for (at, name) in component.spec.connections.iter().enumerate() {
            let path = ["spec".into(), "connections".into(), PathStep::Index(at)];
            input.reference(
                &catalog.connections,
                "Connection",
                &name.0,
                component.at(&path),
                sink,
            );
        }
        let lineage = &component.spec.lineage;
        for (field, names) in [("inputs", &lineage.inputs), ("outputs", &lineage.outputs)] {
            for (at, name) in names.iter().enumerate() {
                let path = [
                    "spec".into(),
                    "lineage".into(),
                    field.into(),
                    PathStep::Index(at),
                ];
                input.reference(
                    &catalog.datasets,
                    "Dataset",
                    &name.0,
                    component.at(&path),
                    sink,
                );
            }
        }
    }
    for dataset in &catalog.datasets {
        let access = dataset
            .spec
            .access
            .iter()
            .flat_map(|access| &access.tenants);
        for (at, tenant) in access.enumerate() {
            let path = [
                "spec".into(),
                "access".into(),
                "tenants".into(),
                PathStep::Index(at),
            ];
            input.reference(
                &catalog.tenants,
                "Tenant",
                &tenant.0,
                dataset.at(&path),
                sink,
            );
        }
        let approval = dataset.spec.access_approval.iter();
        for (at, approved) in approval.flat_map(|approval| &approval.approved).enumerate() {
            let path = [
                "spec".into(),
                "accessApproval".into(),
                "approved".into(),
                PathStep::Index(at),
                "tenant".into(),
            ];
            input.reference(
                &catalog.tenants,
                "Tenant",
                &approved.tenant.0,
                dataset.at(&path),
                sink,
            );
        }
    }
}

fn environments(input: &PlanInput<'_>, sink: &mut Sink) {
    let catalog = input.catalog;
    for environment in &catalog.environments {
        for (at, cluster) in environment.spec.clusters.iter().enumerate() {
            let path = ["spec".into(), "clusters".into(), PathStep::Index(at)];
            input.reference(
                &catalog.clusters,
                "Cluster",
                &cluster.0,
                environment.at(&path),
                sink,
            );
        }
        let place = environment.spec_at(&["promotesFrom"]);
        if environment.name == "delivery" {
            sink.push(
                Diagnostic::new(codes::DUPLICATE_NAME, "an environment cannot be named `delivery`: the delivery engine's objects are written to that folder")
                    .at(input.span(environment.name_id()), "taken")
                    .help("choose another name for the environment"),
            );
        }
        let Some(from) = &environment.spec.promotes_from else {
            continue;
        };
        if input
            .reference(&catalog.environments, "Environment", &from.0, place, sink)
            .is_none()
        {
            continue;
        }
        // A chain that is longer than there are environments goes in a circle.
        let mut seen = vec![environment.name.as_str()];
        let mut next = Some(from.0.as_str());
        while let Some(name) = next {
            if seen.contains(&name) {
                // Told once, at the first environment of the circle by name.
                if name == environment.name
                    && seen.iter().all(|other| *other >= environment.name.as_str())
                {
                    let circle = seen
                        .iter()
                        .chain([&name])
                        .copied()
                        .collect::<Vec<_>>()
                        .join(" → ");
                    sink.push(
                        Diagnostic::new(
                            codes::DEPENDENCY_CYCLE,
                            format!("environments promote from each other in a circle: {circle}"),
                        )
                        .at(input.span(place), "promotes from here")
                        .help("remove one `promotesFrom`: the first environment has none"),
                    );
                }
                break;
            }
            seen.push(name);
            next = catalog
                .environments
                .get(name)
                .and_then(|e| e.spec.promotes_from.as_ref())
                .map(|name| name.0.as_str());
        }
    }
}

/// A finding for a name that should be one of a few.
pub fn unknown(
    input: &PlanInput<'_>,
    what: &str,
    name: &str,
    known: Vec<&str>,
    place: NodeId,
    sink: &mut Sink,
) {
    let diagnostic = Diagnostic::new(codes::UNKNOWN_REFERENCE, format!("`{name}` is no {what}"))
        .at(input.span(place), "named here");
    sink.push(match suggest(name, known) {
        Some(help) => diagnostic.help(help),
        None => diagnostic,
    });
}
