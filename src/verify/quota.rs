//! Requests at the most replicas, plus the surge of an update, against the tenant's quota and the
//! cluster's capacity.

use std::collections::BTreeMap;

use super::UnitFacts;
use crate::model::demand::{self, amount};
use crate::model::footprint::{Amounts, UnitFootprint};
use crate::model::kinds::Catalog;
use crate::model::locator::Locator;
use tenantry_engine::scalars::Amount;
use tenantry_syntax::diagnostics::catalogue::verify as codes;
use tenantry_syntax::diagnostics::{Diagnostic, Sink, Sources};

type QuotaUse = (&'static str, &'static str, fn(Amount) -> String);

/// Resources that are counted: the name in a ResourceQuota, the name for people, and how amounts
/// are written.
const COUNTED: [QuotaUse; 3] = [
    ("requests.cpu", "cpu", Amount::cpu_for_people),
    ("requests.memory", "memory", Amount::bytes_for_people),
    ("requests.storage", "storage", Amount::bytes_for_people),
];

/// Judges what a unit requests by its ResourceQuota.
pub fn check(locator: &Locator<'_>, footprint: &UnitFootprint, sink: &mut Sink) {
    let demand = footprint.total().peak;
    let is_over = |(resource, limit): &(&str, Amount)| demand.get(resource) > *limit;
    if footprint.quota.iter().any(is_over) {
        judge(locator, &demand, sink);
    }
}

/// Each request of a unit, by resource, in words.
fn shares(locator: &Locator<'_>) -> BTreeMap<&'static str, Vec<(String, Amount)>> {
    let mut shares: BTreeMap<&'static str, Vec<(String, Amount)>> = BTreeMap::new();
    let roots = locator.rendered.iter().map(|one| one.manifest.root());
    for request in demand::of(roots) {
        let copies = request.most.saturating_add(request.surge);
        let each = write(request.resource, request.amount);
        let name = format!("{each} × {copies} for {}", request.title);
        let list = shares.entry(request.resource).or_default();
        list.push((name, request.times(copies)));
    }
    shares
}

fn judge(locator: &Locator<'_>, demand: &Amounts, sink: &mut Sink) {
    let mut shares = shares(locator);
    for quota in locator
        .rendered
        .iter()
        .filter(|one| one.manifest.kind() == "ResourceQuota")
    {
        for (resource, ..) in COUNTED {
            let Some(hard) = quota.manifest.root().at(&["spec", "hard", resource]) else {
                continue;
            };
            let (limit, wanted) = (amount(hard), demand.get(resource));
            if wanted <= limit {
                continue;
            }
            let largest = shares.entry(resource).or_default();
            largest.sort_by(|a, b| b.1.cmp(&a.1).then_with(|| a.0.cmp(&b.0)));
            let mut list: Vec<String> = largest
                .iter()
                .take(4)
                .map(|(name, _)| name.clone())
                .collect();
            if largest.len() > list.len() {
                list.push(format!("{} more", largest.len() - list.len()));
            }
            let key = &locator.unit.key;
            let message = format!(
                "the workloads of {} may request {}, and its quota is {}",
                key.tenant_name(),
                in_words(resource, wanted),
                write(resource, limit)
            );
            let mut diagnostic = Diagnostic::new(codes::QUOTA, message)
                .note(format!("in {} on {}", key.environment, key.cluster))
                .note(format!(
                    "at the most replicas, plus the surge of an update: {}",
                    list.join(", ")
                ))
                .help("lower requests or maxReplicas, or raise the tenant's limit or tier");
            let (input, template) = locator.place(hard);
            let written = input.filter(|span| !locator.sources.is_built_in(span.file));
            let tier = || {
                let tenant = locator.unit.facts.tenant()?;
                locator.sources.span(tenant.tier().written()?)
            };
            diagnostic = match written {
                Some(span) => diagnostic.at(span, "this limit is too low"),
                None => diagnostic
                    .at(tier().or(template), "the limit comes with the tier")
                    .and(input, "here"),
            };
            sink.push(diagnostic);
        }
    }
}

fn write(resource: &str, amount: Amount) -> String {
    COUNTED
        .iter()
        .find(|(name, ..)| *name == resource)
        .map_or_else(String::new, |(.., write)| write(amount))
}

/// `2.5Gi of memory`, `10 processors`.
fn in_words(resource: &str, amount: Amount) -> String {
    match COUNTED.iter().find(|(name, ..)| *name == resource) {
        Some((_, "cpu", write)) => format!("{} processors", write(amount)),
        Some((_, name, write)) => format!("{} of {name}", write(amount)),
        None => String::new(),
    }
}

/// Judges what all units of a cluster request at most by its capacity.
pub fn capacity(facts: &[&UnitFacts], catalog: &Catalog, sources: &Sources, sink: &mut Sink) {
    for cluster in &catalog.clusters {
        let Some(capacity) = &cluster.spec.capacity else {
            continue;
        };
        let fields = cluster.fields().capacity();
        let limits = [
            ("requests.cpu", fields.cpu(), &capacity.cpu),
            ("requests.memory", fields.memory(), &capacity.memory),
            ("requests.storage", fields.storage(), &capacity.storage),
        ];
        for (resource, written, limit) in limits {
            let Some(limit) = limit.as_ref().and_then(|limit| Amount::parse(&limit.0)) else {
                continue;
            };
            let mut tenants: BTreeMap<&str, Amount> = BTreeMap::new();
            for fact in facts
                .iter()
                .filter(|fact| fact.cluster == cluster.name && !fact.tenant.is_empty())
            {
                let sum = tenants.entry(&fact.tenant).or_default();
                *sum = *sum + fact.peak.get(resource);
            }
            let total: Amount = tenants.values().copied().sum();
            if total <= limit {
                continue;
            }
            let mut largest: Vec<(&str, Amount)> = tenants.into_iter().collect();
            largest.sort_by(|a, b| b.1.cmp(&a.1).then(a.0.cmp(b.0)));
            let list: Vec<String> = largest
                .iter()
                .take(5)
                .map(|(tenant, amount)| format!("{tenant} {}", write(resource, *amount)))
                .collect();
            sink.push(
                Diagnostic::new(
                    codes::CAPACITY,
                    format!(
                        "the workloads on {} may request {}, and it has {}",
                        cluster.name,
                        in_words(resource, total),
                        write(resource, limit)
                    ),
                )
                .at(sources.span(written.place()), "the cluster's capacity")
                .note(format!("the largest: {}", list.join(", ")))
                .help("add capacity, move a tenant, or lower requests or maxReplicas"),
            );
        }
    }
}
