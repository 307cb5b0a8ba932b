//! Costs, quotas and capacities of both sides.

use std::collections::BTreeMap;

use super::Plans;
use crate::model::change::Review;
use crate::model::kinds::{Catalog, Pricing};
use crate::resolve::Plan;
use crate::review::risks::capacity::{self, Capacities, UnitFootprints};
use crate::review::risks::cost;
use crate::side::Snapshot;
use tenantry_engine::scalars::Amount;

/// Costs, quotas and capacities of both sides.
pub(super) fn money_and_room(
    review: &mut Review,
    footprints: &[UnitFootprints],
    plans: &Plans<'_>,
    old: Option<&Snapshot<'_>>,
    new: &Snapshot<'_>,
) {
    let pricing = |plan: &'_ Option<Plan<'_>>| {
        let plan = plan.as_ref()?;
        plan.platform.spec.pricing.clone()
    };
    let (before, after) = (pricing(&plans.1), pricing(&plans.0));
    let none = Catalog::default();
    let new = &new.validated.catalog;
    let old = old.map_or(&none, |old| &old.validated.catalog);
    if let Some(pricing) = &after {
        review.currency.clone_from(&pricing.currency);
        let (costs, totals) = cost::changes(footprints, before.as_ref(), after.as_ref());
        let (old_budgets, new_budgets) = (budgets(old, pricing), budgets(new, pricing));
        let currency = &pricing.currency;
        let risks = cost::judge(&costs, &totals, &old_budgets, &new_budgets, currency);
        review.risks.extend(risks);
        review.costs = costs;
    }
    let risks = capacity::judge(footprints, &capacities(old), &capacities(new));
    review.risks.extend(risks);
}

/// What tenants mean to spend in a month.
fn budgets(catalog: &Catalog, pricing: &Pricing) -> BTreeMap<String, f64> {
    let tenants = catalog.tenants.iter();
    tenants
        .filter_map(|tenant| {
            let billing = tenant.spec.billing.as_ref()?;
            let currency = billing.currency.as_deref().unwrap_or(&pricing.currency);
            let rate = pricing.in_currency(1.0, currency)?;
            Some((tenant.name.clone(), billing.monthly_budget? / rate))
        })
        .collect()
}

fn capacities(catalog: &Catalog) -> Capacities {
    let mut capacities = Capacities::new();
    for cluster in &catalog.clusters {
        let Some(capacity) = &cluster.spec.capacity else {
            continue;
        };
        let limits = [
            ("requests.cpu", &capacity.cpu),
            ("requests.memory", &capacity.memory),
            ("requests.storage", &capacity.storage),
        ];
        let limits = limits
            .into_iter()
            .filter_map(|(resource, limit)| Some((resource, Amount::parse(&limit.as_ref()?.0)?)));
        capacities.insert(cluster.name.clone(), limits.collect());
    }
    capacities
}
