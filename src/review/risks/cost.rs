//! It costs more: requests by the Platform's `pricing`.

use std::collections::BTreeMap;
use std::sync::Arc;

use super::capacity::UnitFootprints;
use crate::model::change::{CostChange, Risk, RiskClass};
use crate::model::kinds::Pricing;
use crate::model::money::money;

/// A rise that is worth a risk of its own.
const RISE: f64 = 0.1;
/// Most tenants that are named.
const MOST_NAMED: usize = 5;

/// What tenants cost in each environment where that changed; and all of a tenant's costs now.
pub fn changes(
    units: &[UnitFootprints],
    before: Option<&Pricing>,
    after: Option<&Pricing>,
) -> (Vec<CostChange>, BTreeMap<Arc<str>, f64>) {
    let mut costs: BTreeMap<(Arc<str>, Arc<str>), CostChange> = BTreeMap::new();
    let mut totals: BTreeMap<Arc<str>, f64> = BTreeMap::new();
    for unit in units.iter().filter(|unit| unit.key.tenant().is_some()) {
        let tenant: Arc<str> = unit.key.tenant_name().into();
        let environment: Arc<str> = unit.key.environment.as_str().into();
        let cost = costs
            .entry((Arc::clone(&tenant), Arc::clone(&environment)))
            .or_insert_with(|| CostChange {
                tenant: Arc::clone(&tenant),
                environment,
                ..CostChange::default()
            });
        let both = |pricing: Option<&Pricing>, asked: &super::capacity::Demanded| {
            let footprint = &asked.footprint;
            pricing.map_or([0.0; 2], |pricing| {
                [
                    pricing.monthly(&footprint.least),
                    pricing.monthly(&footprint.most),
                ]
            })
        };
        let (old, new) = (
            both(before.or(after), &unit.before),
            both(after, &unit.after),
        );
        for at in 0..2 {
            cost.before[at] += old[at];
            cost.after[at] += new[at];
        }
        *totals.entry(tenant).or_default() += new[0];
    }
    let differs = |a: f64, b: f64| (a - b).abs() >= 0.005;
    let changed = costs
        .into_values()
        .filter(|cost| {
            differs(cost.before[0], cost.after[0]) || differs(cost.before[1], cost.after[1])
        })
        .collect();
    (changed, totals)
}

/// Judges rises, and totals by the tenants' budgets.
pub fn judge(
    changes: &[CostChange],
    totals: &BTreeMap<Arc<str>, f64>,
    old_budgets: &BTreeMap<String, f64>,
    budgets: &BTreeMap<String, f64>,
    currency: &str,
) -> Vec<Risk> {
    let mut risks = Vec::new();
    let mut add = |message: String| {
        risks.push(Risk {
            class: RiskClass::Cost,
            message,
            objects: Vec::new(),
            causes: Vec::new(),
        });
    };
    let mut rises: BTreeMap<&str, [f64; 2]> = BTreeMap::new();
    for change in changes {
        let rise = rises.entry(&change.tenant).or_default();
        rise[0] += change.before[0];
        rise[1] += change.after[0];
    }
    // What is new costs something, of course; that is in the sums.
    let mut rising: Vec<(&str, [f64; 2])> = rises
        .iter()
        .filter(|(_, [old, new])| *old > 0.0 && new - old >= old * RISE)
        .map(|(tenant, rise)| (*tenant, *rise))
        .collect();
    rising.sort_by(|a, b| {
        let by = |rise: &[f64; 2]| rise[1] - rise[0];
        by(&b.1).total_cmp(&by(&a.1)).then(a.0.cmp(b.0))
    });
    if !rising.is_empty() {
        let texts = rising.iter().map(|(tenant, [old, new])| {
            format!(
                "{tenant} {} → {} (+{:.0}%)",
                money(*old),
                money(*new),
                (new - old) / old * 100.0
            )
        });
        add(format!(
            "a month at the least replicas costs more {currency}: {}",
            named(texts, rising.len())
        ));
    }
    let mut over: Vec<String> = Vec::new();
    for (tenant, budget) in budgets {
        let Some(total) = totals.get(tenant.as_str()) else {
            continue;
        };
        let [old, new] = rises.get(tenant.as_str()).copied().unwrap_or_default();
        let is_cut = old_budgets
            .get(tenant)
            .is_some_and(|before| before > budget);
        if total > budget && (new > old || is_cut) {
            over.push(format!("{tenant} {} of {}", money(*total), money(*budget)));
        }
    }
    if !over.is_empty() {
        let count = over.len();
        add(format!(
            "a month costs more {currency} than the budget: {}",
            named(over.into_iter(), count)
        ));
    }
    risks
}

fn named(texts: impl Iterator<Item = String>, count: usize) -> String {
    let mut texts: Vec<String> = texts.take(MOST_NAMED).collect();
    if count > texts.len() {
        texts.push(format!("and {} more", count - texts.len()));
    }
    texts.join(", ")
}
