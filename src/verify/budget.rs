//! What tenants cost, against what they mean to spend, and how long their jobs run.

use std::collections::BTreeMap;

use crate::diagnostics::{Diagnostic, Sink, Sources, catalogue::verify as codes};
use crate::model::footprint::UnitFootprint;
use crate::model::kinds::{BillingModel, Catalog};
use crate::model::money::{self, money};

/// Judges what tenants are charged by their budgets.
pub fn check(units: &[UnitFootprint], catalog: &Catalog, sources: &Sources, sink: &mut Sink) {
    let pricing = catalog
        .platforms
        .iter()
        .next()
        .and_then(|platform| platform.spec.pricing.as_ref());
    let Some((pricing, costs)) = pricing.zip(money::costs(catalog, units)) else {
        return;
    };
    for cost in costs {
        let (Some(budget), true) = (cost.budget, cost.is_over()) else {
            continue;
        };
        let Some(tenant) = catalog.tenants.get(&cost.tenant) else {
            continue;
        };
        let currency = &pricing.currency;
        let (what, help) = match cost.model {
            BillingModel::Requested => (
                "requests at the least replicas",
                "lower requests or minReplicas, or raise `monthlyBudget`",
            ),
            BillingModel::Reserved => (
                "quota in all of its clusters",
                "lower the tenant's `limits` or tier, or raise `monthlyBudget`",
            ),
            BillingModel::Flat => ("fee", "raise `monthlyBudget`, or agree on another fee"),
        };
        let message = format!(
            "{}'s {what} cost {} {currency} a month, and its budget is {}",
            cost.tenant,
            money(cost.charged[0]),
            money(budget)
        );
        let mut dearest: Vec<_> = cost.components.iter().collect();
        dearest.sort_by(|a, b| b.least.total_cmp(&a.least));
        let mut diagnostic = Diagnostic::new(codes::BUDGET, message)
            .at(
                sources.span(tenant.spec_at(&["billing", "monthlyBudget"])),
                "the budget",
            )
            .help(help);
        if cost.model == BillingModel::Requested {
            let list = dearest.iter().take(4).map(|one| {
                format!(
                    "{} in {} on {} {}",
                    one.component,
                    one.environment,
                    one.cluster,
                    money(one.least)
                )
            });
            diagnostic = diagnostic.note(format!(
                "the dearest: {}",
                list.collect::<Vec<_>>().join(", ")
            ));
        }
        sink.push(diagnostic);
    }
}

/// Judges how long jobs of tenants may run in a month by `limits.maxMonthlyProcessingHours`.
pub fn job_hours(units: &[UnitFootprint], catalog: &Catalog, sources: &Sources, sink: &mut Sink) {
    let mut tenants: BTreeMap<&str, Vec<&UnitFootprint>> = BTreeMap::new();
    for unit in units {
        tenants.entry(&unit.key.tenant).or_default().push(unit);
    }
    for (name, units) in tenants {
        let Some(tenant) = catalog.tenants.get(name) else {
            continue;
        };
        let limit = units
            .iter()
            .filter_map(|unit| unit.most_job_hours)
            .reduce(f64::min);
        let mut jobs: BTreeMap<&str, f64> = BTreeMap::new();
        for (component, footprint) in units.iter().flat_map(|unit| &unit.components) {
            *jobs.entry(component).or_default() += footprint.job_hours;
        }
        let hours: f64 = jobs.values().sum();
        let Some(limit) = limit.filter(|limit| hours > *limit) else {
            continue;
        };
        let mut longest: Vec<(&str, f64)> =
            jobs.into_iter().filter(|(_, hours)| *hours > 0.0).collect();
        longest.sort_by(|a, b| b.1.total_cmp(&a.1).then(a.0.cmp(b.0)));
        let list: Vec<String> = longest
            .iter()
            .take(4)
            .map(|(component, hours)| format!("{component} {}", money(*hours)))
            .collect();
        let message = format!(
            "jobs of {name} may run for {} hours a month, and its limit is {}",
            money(hours),
            money(limit)
        );
        let written = tenant.written(&["limits", "maxMonthlyProcessingHours"]);
        let place = written.unwrap_or_else(|| tenant.spec_at(&["tier"]));
        sink.push(
            Diagnostic::new(codes::JOB_HOURS, message)
                .at(sources.span(place), "sets the limit")
                .note(format!("the longest, until their deadlines, in all environments: {}", list.join(", ")))
                .help("run them less often, lower their `deadline`, or raise `limits.maxMonthlyProcessingHours`"),
        );
    }
}
