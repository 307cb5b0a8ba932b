//! How full clusters and quotas are, and which quotas do not fit what runs.

use std::collections::BTreeMap;

use anstyle::{AnsiColor, Style};
use serde_json::{Value as Json, json};

use super::{Figures, percent};
use crate::model::footprint::{Amounts, UnitFootprint};
use crate::model::kinds::Catalog;
use crate::report::table::{Align, Table};
use tenantry_engine::scalars::Amount;

const BAD: Style = AnsiColor::Red.on_default().bold();
const NEAR: Style = AnsiColor::Yellow.on_default();
/// The version of the JSON.
const FORMAT_VERSION: &str = "1";
/// From this share on, little room is left.
const NEARLY: f64 = 0.9;
/// Up to this share, a quota is far larger than what may run.
const SPARE: f64 = 0.5;
/// What a quota should leave above what may run.
const ROOM: f64 = 1.2;

type CapacityTotals = (&'static str, &'static str, fn(Amount) -> String);

/// Resources that are shown: as a quota names them, for people, and how amounts are written.
const SHOWN: [CapacityTotals; 3] = [
    ("requests.cpu", "cpu", Amount::cpu_for_people),
    ("requests.memory", "memory", Amount::bytes_for_people),
    ("requests.storage", "storage", Amount::bytes_for_people),
];

#[allow(clippy::cast_precision_loss, reason = "a share for people")]
fn units(amount: Amount) -> f64 {
    amount.thousandths as f64 / 1000.0
}

/// What one tenant or cluster has of one resource.
struct CapacityRow {
    place: [String; 3],
    resource: &'static str,
    write: fn(Amount) -> String,
    limit: Option<Amount>,
    least: Amount,
    peak: Amount,
    /// The sum of tenants' quotas; of a cluster.
    promised: Option<Amount>,
    advice: String,
}

impl CapacityRow {
    fn share(&self) -> Option<f64> {
        let limit = units(self.limit?);
        (limit > 0.0).then(|| units(self.peak) / limit)
    }
}

/// Capacities and quotas as figures.
pub fn figures(catalog: &Catalog, units: &[UnitFootprint]) -> Figures {
    let clusters = clusters(catalog, units);
    let tenants = tenants(units);
    let sentence = "LEAST is what is requested at the least replicas, MOST at the most, with all jobs at once and the surge of an update.".to_owned();
    let table = |rows: &[CapacityRow], names: &[&'static str]| {
        let mut columns: Vec<(&'static str, Align)> =
            names.iter().map(|name| (*name, Align::Left)).collect();
        columns.extend([
            ("RESOURCE", Align::Left),
            ("LEAST", Align::Right),
            ("MOST", Align::Right),
            ("OF", Align::Right),
            ("USED", Align::Right),
        ]);
        if names.len() == 1 {
            columns.push(("QUOTAS", Align::Right));
        }
        columns.push(("ADVICE", Align::Left));
        let mut table = Table::new(&columns);
        for row in rows {
            let mut cells: Vec<String> = row
                .place
                .iter()
                .filter(|name| !name.is_empty())
                .cloned()
                .collect();
            let used = row.limit.map_or_else(String::new, |limit| {
                percent(self::units(row.peak), self::units(limit))
            });
            cells.extend([
                row.resource.to_owned(),
                (row.write)(row.least),
                (row.write)(row.peak),
                row.limit.map_or_else(String::new, row.write),
                used,
            ]);
            if names.len() == 1 {
                cells.push(row.promised.map_or_else(String::new, row.write));
            }
            cells.push(row.advice.clone());
            table.row(cells);
            match row.share() {
                Some(share) if share > 1.0 => table.style(names.len() + 4, BAD),
                Some(share) if share > NEARLY => table.style(names.len() + 4, NEAR),
                _ => {}
            }
        }
        table
    };
    Figures {
        title: "Capacity",
        tables: vec![
            ("Clusters".to_owned(), table(&clusters, &["CLUSTER"])),
            (
                "Tenants".to_owned(),
                table(&tenants, &["CLUSTER", "ENVIRONMENT", "TENANT"]),
            ),
        ],
        notes: vec![sentence.clone()],
        sentence,
        sheet: sheet(&clusters, &tenants),
        data: json!({
            "formatVersion": FORMAT_VERSION,
            "clusters": clusters.iter().map(json_of).collect::<Vec<_>>(),
            "tenants": tenants.iter().map(json_of).collect::<Vec<_>>(),
        }),
        script: include_str!("capacity.js"),
    }
}

fn clusters(catalog: &Catalog, units: &[UnitFootprint]) -> Vec<CapacityRow> {
    let mut sums: BTreeMap<&str, (Amounts, Amounts, Amounts)> = BTreeMap::new();
    for unit in units {
        let sum = sums.entry(&unit.key.cluster).or_default();
        let total = unit.total();
        sum.0.append(&total.least);
        sum.1.append(&total.peak);
        for (resource, amount) in &unit.quota {
            sum.2.add(resource, *amount);
        }
    }
    let mut rows = Vec::new();
    for (cluster, (least, peak, promised)) in sums {
        let capacity = catalog
            .clusters
            .get(cluster)
            .and_then(|cluster| cluster.spec.capacity.as_ref());
        for (resource, name, write) in SHOWN {
            let limit = capacity.and_then(|capacity| match name {
                "cpu" => capacity.cpu.as_ref(),
                "memory" => capacity.memory.as_ref(),
                _ => capacity.storage.as_ref(),
            });
            let mut row = CapacityRow {
                place: [cluster.to_owned(), String::new(), String::new()],
                resource: name,
                write,
                limit: limit.and_then(|limit| Amount::parse(&limit.0)),
                least: least.get(resource),
                peak: peak.get(resource),
                promised: Some(promised.get(resource)),
                advice: String::new(),
            };
            row.advice = cluster_advice(&row);
            rows.push(row);
        }
    }
    rows
}

fn cluster_advice(row: &CapacityRow) -> String {
    let Some(limit) = row.limit else {
        return "write the cluster's `capacity`".to_owned();
    };
    let promised = row.promised.unwrap_or_default();
    match row.share() {
        Some(share) if share > 1.0 => {
            let missing = Amount {
                thousandths: row.peak.thousandths - limit.thousandths,
            };
            format!("add {}, or move a tenant", (row.write)(missing))
        }
        Some(share) if share > NEARLY => "plan for more before the next tenant".to_owned(),
        _ if promised > limit => format!(
            "quotas promise {:.1} times what is there; what may run fits",
            units(promised) / units(limit)
        ),
        _ => String::new(),
    }
}

fn tenants(units_of: &[UnitFootprint]) -> Vec<CapacityRow> {
    let mut rows = Vec::new();
    for unit in units_of.iter().filter(|unit| unit.key.tenant().is_some()) {
        let total = unit.total();
        for (resource, name, write) in SHOWN {
            let limit = unit
                .quota
                .iter()
                .find(|(known, _)| *known == resource)
                .map(|(_, limit)| *limit);
            let row = CapacityRow {
                place: [
                    unit.key.cluster.clone(),
                    unit.key.environment.clone(),
                    unit.key.tenant_name().to_owned(),
                ],
                resource: name,
                write,
                limit,
                least: total.least.get(resource),
                peak: total.peak.get(resource),
                promised: None,
                advice: String::new(),
            };
            if row.limit.is_some() || row.peak.thousandths > 0 {
                rows.push(row);
            }
        }
    }
    advise(&mut rows);
    rows
}

/// A limit holds wherever the tenant runs, so its advice stands where most of it may be used.
fn advise(rows: &mut [CapacityRow]) {
    let mut fullest: BTreeMap<(String, &str), usize> = BTreeMap::new();
    for (at, row) in rows.iter().enumerate() {
        let known = fullest
            .entry((row.place[2].clone(), row.resource))
            .or_insert(at);
        if rows[*known].share().unwrap_or(0.0) < row.share().unwrap_or(0.0) {
            *known = at;
        }
    }
    for at in fullest.into_values() {
        rows[at].advice = tenant_advice(&rows[at]);
    }
}

/// A quota that fits what may run, with room for one thing more.
fn tenant_advice(row: &CapacityRow) -> String {
    let Some(limit) = row.limit else {
        return String::new();
    };
    match row.share() {
        Some(share) if share > NEARLY => {
            "little room: raise the limit before anything is added".to_owned()
        }
        Some(share) if share <= SPARE && row.peak.thousandths > 0 => {
            format!(
                "`limits.{}: {}` would do everywhere, {} less",
                row.resource,
                (row.write)(fitting(row)),
                (row.write)(Amount {
                    thousandths: limit.thousandths - fitting(row).thousandths
                })
            )
        }
        Some(_) if row.peak.thousandths == 0 => "nothing runs that asks for it".to_owned(),
        _ => String::new(),
    }
}

/// What may run and a fifth more, as whole processors or Gi.
fn fitting(row: &CapacityRow) -> Amount {
    let unit: i128 = if row.resource == "cpu" {
        1000
    } else {
        1000 << 30
    };
    let wanted = row.peak.times(ROOM).thousandths;
    Amount {
        thousandths: (wanted + unit - 1) / unit * unit,
    }
}

fn json_of(row: &CapacityRow) -> Json {
    let [cluster, environment, tenant] = &row.place;
    json!({
        "cluster": cluster, "environment": environment, "tenant": tenant, "resource": row.resource,
        "least": units(row.least), "most": units(row.peak), "limit": row.limit.map(units),
        "quotas": row.promised.map(units), "advice": row.advice,
        "words": {
            "least": (row.write)(row.least), "most": (row.write)(row.peak),
            "limit": row.limit.map(row.write), "quotas": row.promised.map(row.write),
        },
    })
}

fn sheet(clusters: &[CapacityRow], tenants: &[CapacityRow]) -> Table {
    let mut table = Table::of_text(&[
        "CLUSTER",
        "ENVIRONMENT",
        "TENANT",
        "RESOURCE",
        "LEAST",
        "MOST",
        "LIMIT",
        "QUOTAS",
        "ADVICE",
    ]);
    for row in clusters.iter().chain(tenants) {
        let number = |amount: Amount| format!("{}", units(amount));
        let [cluster, environment, tenant] = row.place.clone();
        table.row([
            cluster,
            environment,
            tenant,
            row.resource.to_owned(),
            number(row.least),
            number(row.peak),
            row.limit.map_or_else(String::new, number),
            row.promised.map_or_else(String::new, number),
            row.advice.clone(),
        ]);
    }
    table
}
