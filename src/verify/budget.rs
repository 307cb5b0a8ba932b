//! What tenants cost, against what they mean to spend, and how long their jobs run.

use crate::model::footprint::UnitFootprint;
use crate::model::kinds::{BillingModel, Catalog};
use crate::model::money::{self, money};
use tenantry_syntax::diagnostics::catalogue::verify as codes;
use tenantry_syntax::diagnostics::{Diagnostic, Sink, Sources};

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
                sources.span(tenant.fields().billing().monthly_budget().place()),
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
