//! What tenants cost: prices times what is asked for, by their billing model.

use std::collections::BTreeMap;

use super::catalog::Document;
use super::footprint::{Amounts, Footprint, HOURS, UnitFootprint};
use super::kinds::{BillingModel, Catalog, Pricing, Tenant};
use tenantry_engine::scalars::Amount;

impl Pricing {
    /// What amounts cost in a month.
    pub fn monthly(&self, amounts: &Amounts) -> f64 {
        #[allow(clippy::cast_precision_loss, reason = "a sum of money for people")]
        let units = |resource: &str| {
            let amount: Amount = amounts.get(resource);
            amount.thousandths as f64 / 1000.0
        };
        let gib = f64::from(1 << 30);
        units("requests.cpu") * self.cpu_hour * HOURS
            + units("requests.memory") / gib * self.memory_gib_hour * HOURS
            + units("requests.gpu") * self.gpu_hour.unwrap_or(0.0) * HOURS
            + units("requests.storage") / gib * self.storage_gib_month.unwrap_or(0.0)
    }

    /// A sum of the Platform's currency in another; nothing if no rate is known.
    pub fn in_currency(&self, sum: f64, currency: &str) -> Option<f64> {
        if currency == self.currency {
            return Some(sum);
        }
        let rate = self.rates.get(currency).filter(|rate| **rate > 0.0)?;
        Some(sum * rate)
    }
}

/// What one component of a tenant costs in an environment on a cluster, in a month.
#[derive(Clone, Debug, PartialEq)]
pub struct ComponentCost {
    /// The environment.
    pub environment: String,
    /// The cluster.
    pub cluster: String,
    /// The component; empty for what belongs to the tenant as a whole.
    pub component: String,
    /// At the least replicas, without jobs.
    pub least: f64,
    /// At the most replicas, with jobs that run until their deadlines.
    pub most: f64,
}

/// What a tenant costs in a month, in the Platform's currency.
#[derive(Clone, Debug, PartialEq)]
pub struct TenantCost {
    /// The tenant.
    pub tenant: String,
    /// Who is charged.
    pub cost_center: Option<String>,
    /// What is charged for.
    pub model: BillingModel,
    /// By component, environment and cluster.
    pub components: Vec<ComponentCost>,
    /// What its requests cost at the least replicas, without jobs.
    pub least: f64,
    /// What they cost at the most replicas, with jobs that run until their deadlines.
    pub most: f64,
    /// What it is charged by its model: at the least, and at the most.
    pub charged: [f64; 2],
    /// What it means to spend, if that can be told in the Platform's currency.
    pub budget: Option<f64>,
    /// The budget as it was written, where its currency has no rate.
    pub other_budget: Option<(f64, String)>,
}

impl TenantCost {
    /// Whether it is charged more than its budget, already at the least replicas.
    pub fn is_over(&self) -> bool {
        self.budget.is_some_and(|budget| self.charged[0] > budget)
    }

    /// Whether it may be charged more than its budget, at the most replicas.
    pub fn may_be_over(&self) -> bool {
        self.budget.is_some_and(|budget| self.charged[1] > budget)
    }
}

/// What all tenants cost, by name; nothing if there are no prices.
pub fn costs(catalog: &Catalog, units: &[UnitFootprint]) -> Option<Vec<TenantCost>> {
    let platform = catalog.platforms.iter().next()?;
    let pricing = platform.spec.pricing.as_ref()?;
    let mut by_tenant: BTreeMap<&str, Vec<&UnitFootprint>> = BTreeMap::new();
    for unit in units.iter().filter(|unit| unit.key.tenant().is_some()) {
        by_tenant
            .entry(unit.key.tenant_name())
            .or_default()
            .push(unit);
    }
    let tenants = by_tenant.into_iter();
    Some(
        tenants
            .filter_map(|(name, units)| Some(cost(catalog.tenants.get(name)?, &units, pricing)))
            .collect(),
    )
}

fn cost(tenant: &Document<Tenant>, units: &[&UnitFootprint], pricing: &Pricing) -> TenantCost {
    let mut components = Vec::new();
    let (mut least, mut most, mut reserved) = (0.0, 0.0, 0.0);
    for unit in units {
        for (component, footprint) in &unit.components {
            let cost = ComponentCost {
                environment: unit.key.environment.clone(),
                cluster: unit.key.cluster.clone(),
                component: component.clone(),
                least: pricing.monthly(&footprint.least),
                most: forecast(footprint, pricing),
            };
            least += cost.least;
            most += cost.most;
            components.push(cost);
        }
        let mut quota = Amounts::default();
        for (resource, amount) in &unit.quota {
            quota.add(resource, *amount);
        }
        reserved += pricing.monthly(&quota);
    }
    let billing = tenant.spec.billing.as_ref();
    let model = billing
        .and_then(|billing| billing.model)
        .unwrap_or(BillingModel::Requested);
    let charged = match model {
        BillingModel::Requested => [least, most],
        BillingModel::Reserved => [reserved; 2],
        // A fee is written in the currency of the tenant's billing, as its budget is.
        BillingModel::Flat => {
            let fee = billing.and_then(|billing| billing.monthly_fee);
            let currency = billing.and_then(|billing| billing.currency.as_deref());
            let rate = pricing.in_currency(1.0, currency.unwrap_or(&pricing.currency));
            [fee.zip(rate).map_or(0.0, |(fee, rate)| fee / rate); 2]
        }
    };
    let wanted = billing.and_then(|billing| billing.monthly_budget);
    let currency = billing.and_then(|billing| billing.currency.as_deref());
    let rate = pricing.in_currency(1.0, currency.unwrap_or(&pricing.currency));
    TenantCost {
        tenant: tenant.name.clone(),
        cost_center: billing.map(|billing| billing.cost_center.clone()),
        model,
        components,
        least,
        most,
        charged,
        budget: wanted.zip(rate).map(|(budget, rate)| budget / rate),
        other_budget: match rate {
            Some(_) => None,
            None => wanted.map(|budget| (budget, currency.unwrap_or_default().to_owned())),
        },
    }
}

fn forecast(footprint: &Footprint, pricing: &Pricing) -> f64 {
    pricing.monthly(&footprint.most) + pricing.monthly(&footprint.jobs) / HOURS
}

/// A sum with thousands set apart: `12,480`.
pub fn money(sum: f64) -> String {
    let digits = format!("{:.0}", sum.abs());
    let mut text = String::new();
    for (at, digit) in digits.chars().enumerate() {
        if at > 0 && (digits.len() - at) % 3 == 0 {
            text.push(',');
        }
        text.push(digit);
    }
    if sum < 0.0 && text != "0" {
        format!("-{text}")
    } else {
        text
    }
}
