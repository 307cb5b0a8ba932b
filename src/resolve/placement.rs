//! Which clusters a tenant runs on.

use super::{PlanInput, PlannedCluster, PlannedUnit, references};
use crate::model::catalog::Document;
use crate::model::kinds::{Cluster, Environment, Isolation, KindName, Tenant};
use tenantry_engine::scalars::Name;
use tenantry_syntax::diagnostics::catalogue::resolve as codes;
use tenantry_syntax::diagnostics::{Diagnostic, Sink, list_names};

/// The clusters of an environment that a tenant runs on: those it names, else all that fit.
pub fn of_tenant<'a>(
    input: &PlanInput<'a>,
    tenant: &Document<Tenant>,
    environment: &'a Document<Environment>,
    sink: &mut Sink,
) -> Vec<&'a Document<Cluster>> {
    let available: Vec<&Document<Cluster>> = environment
        .spec
        .clusters
        .iter()
        .filter_map(|name| input.catalog.clusters.get(&name.0))
        .collect();
    let settings = tenant
        .spec
        .environments
        .iter()
        .find(|(name, _)| name.0 == environment.name);
    let named = settings
        .and_then(|(_, settings)| settings.as_ref())
        .map_or(&[][..], |settings| &settings.clusters);
    if !named.is_empty() {
        return those_named(input, tenant, environment, (&available, named), sink);
    }
    let fitting: Vec<_> = available
        .iter()
        .copied()
        .filter(|cluster| misfit(tenant, cluster).is_none())
        .collect();
    let unreadable = environment.spec.clusters.len() > available.len();
    if fitting.is_empty() && !unreadable {
        sink.push(nowhere(input, tenant, environment, &available));
    }
    fitting
}

/// Those of an environment's clusters that a tenant names, and that can take it.
fn those_named<'a>(
    input: &PlanInput<'a>,
    tenant: &Document<Tenant>,
    environment: &Document<Environment>,
    (available, named): (&[&'a Document<Cluster>], &[Name]),
    sink: &mut Sink,
) -> Vec<&'a Document<Cluster>> {
    let settings = tenant.fields().environments().value(&environment.name);
    let written = settings.some().clusters();
    let mut clusters = Vec::new();
    for (at, name) in named.iter().enumerate() {
        let place = written.item(at).place();
        match available.iter().find(|cluster| cluster.name == name.0) {
            None if input.may_exist(KindName::Cluster, &name.0) => {}
            None => {
                let known = available.iter().map(|cluster| cluster.name.as_str());
                let what = format!("cluster of {}", environment.name);
                references::unknown(input, &what, &name.0, known.collect(), place, sink);
            }
            Some(cluster) => match misfit(tenant, cluster) {
                None => clusters.push(*cluster),
                Some(why) => sink.push(
                    refused(input, tenant, cluster, &why).at(input.span(place), "placed here"),
                ),
            },
        }
    }
    clusters
}

/// A cluster that a tenant names cannot take it.
fn refused(
    input: &PlanInput<'_>,
    tenant: &Document<Tenant>,
    cluster: &Document<Cluster>,
    why: &Misfit,
) -> Diagnostic {
    match why {
        Misfit::Residency => Diagnostic::new(
            codes::RESIDENCY,
            format!(
                "{} may not be in zone `{}`, where cluster `{}` is",
                tenant.name, cluster.spec.residency, cluster.name
            ),
        )
        .and(
            input.span(tenant.fields().residency().place()),
            "the zones that are allowed",
        )
        .and(
            input.span(cluster.fields().residency().place()),
            "the cluster's zone",
        )
        .help(format!(
            "choose a cluster in {}, or add `{}` to the tenant's residency",
            list_names(tenant.spec.residency.iter().map(|zone| zone.0.as_str())),
            cluster.spec.residency
        )),
        Misfit::Dedication => Diagnostic::new(
            codes::NO_CLUSTER,
            format!(
                "cluster `{}` cannot take {}: {}",
                cluster.name,
                tenant.name,
                dedication(tenant, cluster)
            ),
        )
        .and(
            cluster
                .fields()
                .dedicated_to()
                .written()
                .and_then(|id| input.span(id)),
            "what the cluster is for",
        )
        .help("choose another cluster, or change the tenant's isolation"),
    }
}

/// None of an environment's clusters can take a tenant.
fn nowhere(
    input: &PlanInput<'_>,
    tenant: &Document<Tenant>,
    environment: &Document<Environment>,
    available: &[&Document<Cluster>],
) -> Diagnostic {
    let reasons: Vec<String> = available
        .iter()
        .map(|cluster| match misfit(tenant, cluster) {
            Some(Misfit::Residency) => {
                format!("`{}` is in zone `{}`", cluster.name, cluster.spec.residency)
            }
            _ => format!("`{}`: {}", cluster.name, dedication(tenant, cluster)),
        })
        .collect();
    let residency = available
        .iter()
        .all(|cluster| misfit(tenant, cluster) == Some(Misfit::Residency));
    let code = if residency {
        codes::RESIDENCY
    } else {
        codes::NO_CLUSTER
    };
    let message = format!(
        "no cluster of {} can take {}: {}",
        environment.name,
        tenant.name,
        reasons.join(", ")
    );
    let fields = tenant.fields();
    let written = if residency {
        fields.residency().written()
    } else {
        fields.isolation().written()
    };
    let (place, label) = match written {
        Some(id) if residency => (Some(id), "the zones that are allowed"),
        Some(id) => (Some(id), "the isolation that is asked for"),
        None => (
            fields
                .environments()
                .entry(&environment.name)
                .map(|entry| entry.key_id),
            "it is to run here",
        ),
    };
    Diagnostic::new(code, message)
        .at(place.and_then(|id| input.span(id)), label)
        .and(
            input.span(environment.fields().clusters().place()),
            "the environment's clusters",
        )
        .help(format!(
            "add a cluster that fits to the environment, or change the tenant's `{}`",
            if residency { "residency" } else { "isolation" }
        ))
}

#[derive(PartialEq)]
enum Misfit {
    Residency,
    Dedication,
}

fn misfit(tenant: &Document<Tenant>, cluster: &Document<Cluster>) -> Option<Misfit> {
    let physical = tenant.spec.isolation == Some(Isolation::Physical);
    let dedicated = cluster
        .spec
        .dedicated_to
        .as_ref()
        .map(|name| name.0.as_str());
    let fits = if physical {
        dedicated == Some(&tenant.name)
    } else {
        dedicated.is_none_or(|name| name == tenant.name)
    };
    if !fits {
        return Some(Misfit::Dedication);
    }
    let residency = &tenant.spec.residency;
    (!residency.is_empty() && !residency.contains(&cluster.spec.residency))
        .then_some(Misfit::Residency)
}

fn dedication(tenant: &Document<Tenant>, cluster: &Document<Cluster>) -> String {
    match &cluster.spec.dedicated_to {
        Some(other) if other.0 != tenant.name => format!("it is dedicated to `{other}`"),
        _ => "the tenant needs a cluster that is dedicated to it (isolation physical)".to_owned(),
    }
}

/// Each cluster of each selected environment, with its tenants.
pub fn clusters<'a>(input: &PlanInput<'a>, units: &[PlannedUnit<'a>]) -> Vec<PlannedCluster<'a>> {
    let mut clusters = Vec::new();
    for environment in &input.catalog.environments {
        if !input.selection.environment(&environment.name) {
            continue;
        }
        for cluster in environment
            .spec
            .clusters
            .iter()
            .filter(|name| input.selection.cluster(&name.0))
            .filter_map(|name| input.catalog.clusters.get(&name.0))
        {
            let tenants = units
                .iter()
                .filter(|unit| {
                    unit.environment.name == environment.name && unit.cluster.name == cluster.name
                })
                .map(|unit| unit.tenant)
                .collect();
            clusters.push(PlannedCluster {
                environment,
                cluster,
                tenants,
            });
        }
    }
    clusters.sort_by(|a, b| {
        (&a.environment.name, &a.cluster.name).cmp(&(&b.environment.name, &b.cluster.name))
    });
    clusters
}
