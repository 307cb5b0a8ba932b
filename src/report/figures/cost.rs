//! What tenants cost in a month: by tenant, component and environment, against their budgets.

use std::collections::BTreeMap;

use anstyle::{AnsiColor, Style};
use serde_json::{Value as Json, json};

use super::{Figures, percent};
use crate::model::kinds::{BillingModel, Pricing};
use crate::model::money::{TenantCost, money};
use crate::report::table::{Align, Table};

const BAD: Style = AnsiColor::Red.on_default().bold();
const NEAR: Style = AnsiColor::Yellow.on_default();
/// The version of the JSON.
const FORMAT_VERSION: &str = "1";

fn model(model: BillingModel) -> &'static str {
    match model {
        BillingModel::Requested => "requested",
        BillingModel::Reserved => "reserved",
        BillingModel::Flat => "flat",
    }
}

/// What share of a budget is charged: `37 %`, `37–90 %`.
fn used([low, high]: [f64; 2], budget: f64) -> String {
    let (low, high) = (percent(low, budget), percent(high, budget));
    if low == high {
        low
    } else {
        format!("{}–{high}", low.trim_end_matches(" %"))
    }
}

/// Costs as figures.
pub fn figures(costs: &[TenantCost], pricing: &Pricing) -> Figures {
    let currency = &pricing.currency;
    let sentence = format!(
        "A month in {currency}, by the prices of the Platform. LEAST is at the least replicas without jobs, MOST at the most replicas with jobs that run until their deadlines; CHARGED goes by the billing model."
    );
    Figures {
        title: "Costs",
        tables: vec![
            (String::new(), by_tenant(costs)),
            (
                "By environment".to_owned(),
                by(costs, "ENVIRONMENT", |one| &one.environment),
            ),
            (
                "By component".to_owned(),
                by(costs, "COMPONENT", |one| &one.component),
            ),
        ],
        notes: vec![sentence.clone()],
        sentence,
        sheet: sheet(costs, currency),
        data: data(costs, pricing),
        script: include_str!("cost.js"),
    }
}

fn by_tenant(costs: &[TenantCost]) -> Table {
    let mut table = Table::new(&[
        ("TENANT", Align::Left),
        ("COST CENTER", Align::Left),
        ("MODEL", Align::Left),
        ("LEAST", Align::Right),
        ("MOST", Align::Right),
        ("CHARGED", Align::Right),
        ("BUDGET", Align::Right),
        ("USED", Align::Right),
    ]);
    let mut totals = [0.0; 4];
    for cost in costs {
        let [low, high] = cost.charged;
        let charged = if (high - low).abs() < 0.5 {
            money(low)
        } else {
            format!("{}–{}", money(low), money(high))
        };
        let budget = match (&cost.budget, &cost.other_budget) {
            (Some(budget), _) => money(*budget),
            (None, Some((budget, currency))) => format!("{} {currency}", money(*budget)),
            (None, None) => String::new(),
        };
        table.row([
            cost.tenant.clone(),
            cost.cost_center.clone().unwrap_or_default(),
            model(cost.model).to_owned(),
            money(cost.least),
            money(cost.most),
            charged,
            budget,
            cost.budget
                .map_or_else(String::new, |budget| used(cost.charged, budget)),
        ]);
        if cost.is_over() {
            table.style(7, BAD);
        } else if cost.may_be_over() {
            table.style(7, NEAR);
        }
        for (total, more) in totals.iter_mut().zip([cost.least, cost.most, low, high]) {
            *total += more;
        }
    }
    let [least, most, low, high] = totals;
    table.row([
        "all",
        "",
        "",
        &money(least),
        &money(most),
        &format!("{}–{}", money(low), money(high)),
        "",
        "",
    ]);
    table
}

fn by(
    costs: &[TenantCost],
    heading: &'static str,
    key: impl Fn(&crate::model::money::ComponentCost) -> &String,
) -> Table {
    let mut sums: BTreeMap<&str, (f64, f64, std::collections::BTreeSet<&str>)> = BTreeMap::new();
    for cost in costs {
        for one in &cost.components {
            let sum = sums.entry(key(one)).or_default();
            sum.0 += one.least;
            sum.1 += one.most;
            sum.2.insert(&cost.tenant);
        }
    }
    let mut rows: Vec<_> = sums.into_iter().collect();
    rows.sort_by(|a, b| b.1.1.total_cmp(&a.1.1).then(a.0.cmp(b.0)));
    let mut table = Table::new(&[
        (heading, Align::Left),
        ("LEAST", Align::Right),
        ("MOST", Align::Right),
        ("TENANTS", Align::Right),
    ]);
    for (name, (least, most, tenants)) in rows {
        let name = if name.is_empty() {
            "(the tenant's own)"
        } else {
            name
        };
        table.row([
            name.to_owned(),
            money(least),
            money(most),
            tenants.len().to_string(),
        ]);
    }
    table
}

fn sheet(costs: &[TenantCost], currency: &str) -> Table {
    let mut table = Table::of_text(&[
        "TENANT",
        "COST CENTER",
        "MODEL",
        "ENVIRONMENT",
        "CLUSTER",
        "COMPONENT",
        "LEAST",
        "MOST",
        "CURRENCY",
    ]);
    for cost in costs {
        for one in &cost.components {
            table.row([
                cost.tenant.clone(),
                cost.cost_center.clone().unwrap_or_default(),
                model(cost.model).to_owned(),
                one.environment.clone(),
                one.cluster.clone(),
                one.component.clone(),
                format!("{:.2}", one.least),
                format!("{:.2}", one.most),
                currency.to_owned(),
            ]);
        }
    }
    table
}

fn data(costs: &[TenantCost], pricing: &Pricing) -> Json {
    let cents = |sum: f64| (sum * 100.0).round() / 100.0;
    let tenants: Vec<Json> = costs
        .iter()
        .map(|cost| {
            let components: Vec<Json> = cost
                .components
                .iter()
                .map(|one| {
                    json!({
                        "environment": one.environment, "cluster": one.cluster, "component": one.component,
                        "least": cents(one.least), "most": cents(one.most),
                    })
                })
                .collect();
            json!({
                "tenant": cost.tenant, "costCenter": cost.cost_center, "model": model(cost.model),
                "least": cents(cost.least), "most": cents(cost.most),
                "charged": {"least": cents(cost.charged[0]), "most": cents(cost.charged[1])},
                "budget": cost.budget.map(cents), "components": components,
            })
        })
        .collect();
    json!({
        "formatVersion": FORMAT_VERSION, "currency": pricing.currency, "pricing": pricing, "tenants": tenants,
    })
}
