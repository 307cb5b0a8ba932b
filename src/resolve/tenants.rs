//! What a tenant may subscribe to, environment by environment.

use std::collections::BTreeMap;

use super::versions::VersionRequirement;
use super::{Chosen, PlanInput, PlannedUnit, access, contexts, placement, references, versions};
use crate::model::catalog::Document;
use crate::model::kinds::{
    Component, ComponentStatus, Environment, Isolation, Subscription, Tenant, TenantStatus, Tier,
};
use tenantry_syntax::diagnostics::catalogue::resolve as codes;
use tenantry_syntax::diagnostics::{Diagnostic, Sink, list_names};
use tenantry_syntax::yaml::NodeId;

/// Plans a tenant: where it runs, and with which components.
pub fn plan<'a>(
    input: &PlanInput<'a>,
    tenant: &'a Document<Tenant>,
    sink: &mut Sink,
) -> Vec<PlannedUnit<'a>> {
    let catalog = input.catalog;
    let tier = catalog.tiers.get(&tenant.spec.tier.0);
    if let Some(tier) = tier {
        tier_terms(input, tenant, tier, sink);
    }
    let environments = tenant.spec.environments.keys();
    let environments = environments.filter_map(|name| catalog.environments.get(&name.0));
    access_dates(input, tenant, sink);
    overdue(input, tenant, sink);
    access::duties(input, tenant, sink);
    for (at, subscription) in tenant.spec.components.iter().enumerate() {
        subscribed_environments(input, tenant, at, subscription, sink);
    }
    let contexts = contexts::of_tenant(input, tenant);
    let mut units = Vec::new();
    for environment in environments {
        let components = components(input, tenant, environment, sink);
        for cluster in placement::of_tenant(input, tenant, environment, sink) {
            if tenant.spec.isolation == Some(Isolation::Dedicated)
                && !cluster.spec.node_pools.iter().any(|pool| {
                    pool.tenant
                        .as_ref()
                        .is_some_and(|name| name.0 == tenant.name)
                })
            {
                sink.push(
                    Diagnostic::new(
                        codes::NO_CLUSTER,
                        format!(
                            "cluster `{}` has no node pool for {}",
                            cluster.name, tenant.name
                        ),
                    )
                    .at(
                        input.span(tenant.fields().isolation().place()),
                        "dedicated isolation needs a node pool of its own",
                    )
                    .and(
                        cluster
                            .fields()
                            .node_pools()
                            .written()
                            .and_then(|id| input.span(id)),
                        "the cluster's node pools",
                    )
                    .help(format!(
                        "add a node pool with `tenant: {}` to the cluster, or change the isolation",
                        tenant.name
                    )),
                );
            }
            let Some(tier) = tier else { continue };
            let contexts = contexts.clone();
            let components = if tenant.spec.status == Some(TenantStatus::Onboarding) {
                Vec::new()
            } else {
                components.clone()
            };
            units.push(PlannedUnit {
                tenant,
                tier,
                environment,
                cluster,
                contexts,
                components,
            });
        }
    }
    units
}

fn tier_terms(
    input: &PlanInput<'_>,
    tenant: &Document<Tenant>,
    tier: &Document<Tier>,
    sink: &mut Sink,
) {
    let limits = tenant.fields().limits();
    let limits = [
        (
            "maxConcurrentJobs",
            limits.max_concurrent_jobs().is_written(),
        ),
        (
            "maxMonthlyProcessingHours",
            limits.max_monthly_processing_hours().is_written(),
        ),
        ("storageQuota", limits.storage_quota().is_written()),
        (
            "maxConcurrentAgents",
            limits.max_concurrent_agents().is_written(),
        ),
        ("memory", limits.memory().is_written()),
        ("cpu", limits.cpu().is_written()),
        ("storage", limits.storage().is_written()),
        (
            "maxRequestsPerMinute",
            limits.max_requests_per_minute().is_written(),
        ),
        (
            "maxExecutionSeconds",
            limits.max_execution_seconds().is_written(),
        ),
    ];
    let missing = limits.into_iter().filter(|(_, is_there)| !is_there);
    let missing: Vec<&str> = missing.map(|(limit, _)| limit).collect();
    if tier.spec.require_limits && !missing.is_empty() {
        sink.push(
            Diagnostic::new(codes::TIER_LIMITS, format!("tier `{}` is negotiated, and {} has not all limits", tier.name, tenant.name))
                .at(input.span(tenant.fields().limits().written().unwrap_or_else(|| tenant.fields().tier().place())), format!("without {}", list_names(missing)))
                .help("write every limit under `limits`; `null` for maxMonthlyProcessingHours or storageQuota means no limit"),
        );
    }
    let isolation = tenant.spec.isolation.unwrap_or(Isolation::Namespace);
    if !tier.spec.isolation.is_empty() && !tier.spec.isolation.contains(&isolation) {
        sink.push(
            Diagnostic::new(
                codes::TIER_ISOLATION,
                format!(
                    "tier `{}` does not include isolation `{}`",
                    tier.name,
                    word(isolation)
                ),
            )
            .at(
                input.span(
                    tenant
                        .fields()
                        .isolation()
                        .written()
                        .unwrap_or_else(|| tenant.fields().tier().place()),
                ),
                "asked for here",
            )
            .and(
                input.span(tier.fields().isolation().place()),
                "what the tier offers",
            )
            .help(format!(
                "write {}, or choose a higher tier",
                list_names(
                    tier.spec
                        .isolation
                        .iter()
                        .map(|level| word(*level))
                        .collect::<Vec<_>>()
                        .iter()
                        .map(String::as_str)
                )
            )),
        );
    }
}

/// A word as documents write it.
fn word(value: impl serde::Serialize) -> String {
    serde_json::to_string(&value)
        .unwrap_or_default()
        .trim_matches('"')
        .to_owned()
}

/// A tenant that has left, and whose data is still there after its last day.
fn overdue(input: &PlanInput<'_>, tenant: &Document<Tenant>, sink: &mut Sink) {
    let offboarding = tenant.spec.offboarding.as_ref();
    let leaves = tenant.spec.status == Some(TenantStatus::Offboarding);
    let last = offboarding.and_then(|offboarding| offboarding.retain_data_until.as_ref());
    if let Some(last) = last.filter(|last| leaves && input.has_expired(Some(last))) {
        let message = format!(
            "{} left, and its data was to be kept until {last} only",
            tenant.name
        );
        let place = tenant.fields().offboarding().retain_data_until().place();
        sink.push(
            Diagnostic::new(codes::OVERDUE, message)
                .at(input.span(place), "the last day")
                .help("remove the tenant's document, then delete its namespaces; a later day needs a reason"),
        );
    }
}

/// References and last days of shares and grants.
fn access_dates(input: &PlanInput<'_>, tenant: &Document<Tenant>, sink: &mut Sink) {
    let own: Vec<&str> = tenant
        .spec
        .components
        .iter()
        .map(|subscription| subscription.component.0.as_str())
        .collect();
    for (at, share) in tenant.spec.shares.iter().enumerate() {
        let written = tenant.fields().shares().item(at);
        if !own.contains(&share.component.0.as_str()) {
            references::unknown(
                input,
                &format!("component of {}", tenant.name),
                &share.component.0,
                own.clone(),
                written.component().place(),
                sink,
            );
        }
        if let Some(last) = share
            .expires_at
            .as_ref()
            .filter(|last| input.has_expired(Some(last)))
        {
            sink.push(input.expired(
                &format!("the share of `{}`", share.component),
                &last.0,
                written.expires_at().place(),
            ));
        }
    }
    for (at, grant) in tenant.spec.grants.iter().enumerate() {
        let written = tenant.fields().grants().item(at);

        for (position, environment) in grant.environments.iter().enumerate() {
            if !tenant
                .spec
                .environments
                .contains_key(environment.0.as_str())
            {
                let place = written.environments().item(position).place();
                let known = tenant
                    .spec
                    .environments
                    .keys()
                    .map(|name| name.0.as_str())
                    .collect();
                references::unknown(
                    input,
                    &format!("environment of {}", tenant.name),
                    &environment.0,
                    known,
                    place,
                    sink,
                );
            }
        }
        if let Some(last) = grant
            .expires_at
            .as_ref()
            .filter(|last| input.has_expired(Some(last)))
        {
            sink.push(input.expired("the grant", &last.0, written.expires_at().place()));
        }
    }
}

/// The line that subscribes to a component.
fn subscribed(tenant: &Document<Tenant>, at: usize) -> NodeId {
    tenant.fields().components().item(at).component().place()
}

/// A subscription runs only where its tenant does.
fn subscribed_environments(
    input: &PlanInput<'_>,
    tenant: &Document<Tenant>,
    at: usize,
    subscription: &Subscription,
    sink: &mut Sink,
) {
    for name in subscription.environments.iter().flat_map(BTreeMap::keys) {
        if tenant.spec.environments.contains_key(name) {
            continue;
        }
        let subscribed = tenant.fields().components().item(at);
        let place = subscribed.environments().key(&name.0);
        if input.catalog.environments.get(&name.0).is_none() {
            continue;
        }
        let allowed = list_names(tenant.spec.environments.keys().map(|name| name.0.as_str()));
        sink.push(
            Diagnostic::new(
                codes::ENVIRONMENT_NOT_ALLOWED,
                format!("{} does not run in `{name}`", tenant.name),
            )
            .at(input.span(place), "subscribed for here")
            .and(
                input.span(tenant.fields().environments().place()),
                format!("it runs in {allowed}"),
            )
            .help(format!(
                "add `{name}` to the tenant's environments, or remove it here"
            )),
        );
    }
}

/// The components of a tenant in an environment, each in one version.
fn components<'a>(
    input: &PlanInput<'a>,
    tenant: &'a Document<Tenant>,
    environment: &Document<Environment>,
    sink: &mut Sink,
) -> Vec<Chosen<'a>> {
    let mut wanted: BTreeMap<&str, VersionRequirement> = BTreeMap::new();
    let mut subscriptions: BTreeMap<&str, usize> = BTreeMap::new();
    for (at, subscription) in tenant.spec.components.iter().enumerate() {
        let settings = match &subscription.environments {
            None => None,
            Some(environments) => match environments
                .iter()
                .find(|(name, _)| name.0 == environment.name)
            {
                None => continue,
                Some((_, settings)) => settings.as_ref(),
            },
        };
        let name = subscription.component.0.as_str();
        if input.catalog.components.get(name).is_none() {
            continue;
        }
        if let Some(first) = subscriptions.insert(name, at) {
            sink.push(
                Diagnostic::new(codes::DUPLICATE_NAME, format!("{} subscribes to `{name}` twice in {}", tenant.name, environment.name))
                    .at(input.span(subscribed(tenant, at)), "again here")
                    .and(input.span(subscribed(tenant, first)), "first here")
                    .help("keep one subscription; what differs by environment goes into its `environments`"),
            );
            continue;
        }
        let version = settings
            .and_then(|settings| settings.version.as_ref())
            .or(subscription.version.as_ref());
        let requirement = VersionRequirement {
            wanted: versions::requirement(version),
            by: format!("{}'s subscription", tenant.name),
            place: tenant.fields().components().item(at).version().place(),
        };
        wanted.insert(name, requirement);
    }
    let chosen = versions::choose(input, &wanted, sink);
    for (name, component) in &chosen {
        let at = subscriptions[name];
        entitled(input, tenant, at, component, sink);
        for (needed, requirement) in versions::of_dependencies(component) {
            if wanted.contains_key(needed) || input.catalog.components.get(needed).is_none() {
                continue;
            }
            sink.push(
                Diagnostic::new(
                    codes::NOT_SUBSCRIBED,
                    format!(
                        "`{name}` needs `{needed}`, which {} does not run",
                        tenant.name
                    ),
                )
                .at(input.span(subscribed(tenant, at)), "subscribed to here")
                .and(input.span(requirement.place), "the dependency")
                .note(format!("in {}", environment.name))
                .help(format!(
                    "add `- component: {needed}` to the tenant's components"
                )),
            );
        }
    }
    chosen
        .into_iter()
        .filter(|(name, _)| input.selection.component(name))
        .map(|(name, component)| Chosen {
            component,
            subscription: subscriptions[name],
        })
        .collect()
}

/// Whether a tenant may run a component at all.
fn entitled(
    input: &PlanInput<'_>,
    tenant: &Document<Tenant>,
    at: usize,
    component: &Document<Component>,
    sink: &mut Sink,
) {
    let here = input.span(subscribed(tenant, at));
    let spec = &component.spec;
    let title = format!("`{}` {}", component.name, spec.version);
    // Another version of the same component is nearer than another component.
    let newer = input
        .catalog
        .components
        .all_named(&component.name)
        .find(|other| {
            matches!(other.spec.status, None | Some(ComponentStatus::Active))
                && other.spec.version != spec.version
        });
    let replacement = match (&spec.replaced_by, newer) {
        (Some(name), _) if name.0 != component.name => format!("subscribe to `{name}` instead"),
        (_, Some(newer)) => format!(
            "write `version: ^{}` into the subscription",
            newer.spec.version
        ),
        _ => format!("ask {} what to use instead", spec.owner),
    };
    let status = input.span(component.fields().status().place());
    let until = spec.sunset_on.as_ref().map_or_else(String::new, |day| {
        if input.has_expired(Some(day)) {
            format!(" and should have gone on {day}")
        } else {
            format!(" and goes on {day}")
        }
    });
    match spec.status {
        Some(ComponentStatus::Deprecated) => sink.push(
            Diagnostic::new(codes::DEPRECATED, format!("{title} is deprecated{until}"))
                .at(here, "subscribed to here")
                .and(status, "deprecated here")
                .help(replacement),
        ),
        Some(ComponentStatus::Sunset) => {
            let since = tenant.spec.components[at].since.as_ref();
            let old = since.is_some_and(|since| {
                spec.deprecated_on
                    .as_ref()
                    .is_none_or(|deprecated| since.0 < deprecated.0)
            });
            if old {
                sink.push(
                    Diagnostic::new(
                        codes::DEPRECATED,
                        format!("{title} is being phased out{until}"),
                    )
                    .at(here, "subscribed to here")
                    .and(status, "phased out here")
                    .help(replacement),
                );
            } else {
                sink.push(
                    Diagnostic::new(codes::SUNSET, format!("{title} takes no new subscriptions{until}"))
                        .at(here, "subscribed to here")
                        .and(status, "phased out here")
                        .help(format!("{replacement}; if this subscription is older than the deprecation, write the day it began as `since`")),
                );
            }
        }
        Some(ComponentStatus::Archived) => sink.push(
            Diagnostic::new(
                codes::ARCHIVED,
                format!("{title} is archived and cannot be deployed"),
            )
            .at(here, "subscribed to here")
            .and(status, "archived here")
            .help(replacement),
        ),
        Some(ComponentStatus::Active) | None => {}
    }
    if let Some(access) = &spec.access
        && !access.is_open_to(tenant)
    {
        sink.push(
            Diagnostic::new(
                codes::NOT_AUTHORISED,
                format!("{} is not authorised for {title}", tenant.name),
            )
            .at(here, "subscribed to here")
            .and(
                input.span(component.fields().access().place()),
                "those who are authorised",
            )
            .help(format!(
                "ask {} to add the tenant to `access`, or remove the subscription",
                spec.owner
            )),
        );
    }
    if let (Some(has), Some(needs)) = (tenant.spec.clearance, spec.clearance)
        && has < needs
    {
        sink.push(
            Diagnostic::new(codes::CLEARANCE, format!("{title} handles {} data, and {} is cleared for {}", word(needs), tenant.name, word(has)))
                .at(here, "subscribed to here")
                .and(tenant.fields().clearance().written().and_then(|id| input.span(id)), "the tenant's clearance")
                .and(component.fields().clearance().written().and_then(|id| input.span(id)), "the component's")
                .help("raise the tenant's clearance, if it is entitled to that data, or choose another component"),
        );
    }
}
