//! Requests at the most replicas, plus the surge of an update, against the tenant's quota and the
//! cluster's capacity.

use std::collections::BTreeMap;

use super::references::pod_spec;
use super::{Facts, Locator};
use crate::diagnostics::{Diagnostic, Sink, Sources, catalogue::verify as codes};
use crate::model::kinds::Catalog;
use crate::model::scalars::Amount;
use crate::model::view::{Shape, View};

/// What workloads request at most, by resource.
pub type Demand = BTreeMap<&'static str, Amount>;

type Counted = (&'static str, &'static str, fn(Amount) -> String);

/// Resources that are counted: the name in a ResourceQuota, the name in a container's requests,
/// and how amounts are written.
const COUNTED: [Counted; 3] = [
    ("requests.cpu", "cpu", Amount::cpu_for_people),
    ("requests.memory", "memory", Amount::bytes_for_people),
    ("requests.storage", "storage", Amount::bytes_for_people),
];

/// Adds up a unit's requests and judges them by its ResourceQuota.
pub fn check(locator: &Locator<'_>, sink: &mut Sink) -> Demand {
    let mut demand = Demand::new();
    let mut shares: BTreeMap<&'static str, Vec<(String, Amount)>> = BTreeMap::new();
    for one in locator.rendered {
        let root = one.manifest.root();
        let kind = one.manifest.kind();
        let mut add = |resource: &'static str, amount: Amount, copies: i128| {
            let total = Amount {
                thousandths: amount.thousandths.saturating_mul(copies),
            };
            if total.thousandths > 0 {
                let sum = demand.entry(resource).or_default();
                *sum = *sum + total;
                let name = format!(
                    "{} × {copies} for {}",
                    write(resource, amount),
                    one.manifest.title()
                );
                shares.entry(resource).or_default().push((name, total));
            }
        };
        if &*kind == "PersistentVolumeClaim" {
            add(
                "requests.storage",
                amount_at(root, &["spec", "resources", "requests", "storage"]),
                1,
            );
        }
        let Some(pod) = pod_spec(root, &kind) else {
            continue;
        };
        let copies = most_pods(locator, root, &kind, &one.manifest.name());
        for (resource, request, _) in &COUNTED[..2] {
            let containers = |list| {
                pod.get(list)
                    .map(View::items)
                    .unwrap_or_default()
                    .into_iter()
                    .map(|container| amount_at(container, &["resources", "requests", request]))
            };
            // Init containers run before the others, so the larger of the two counts.
            let running: Amount = containers("containers").sum();
            add(
                resource,
                running.max(containers("initContainers").max().unwrap_or_default()),
                copies,
            );
        }
        for claim in root
            .at(&["spec", "volumeClaimTemplates"])
            .map(View::items)
            .unwrap_or_default()
        {
            add(
                "requests.storage",
                amount_at(claim, &["spec", "resources", "requests", "storage"]),
                copies,
            );
        }
    }
    judge(locator, &demand, &mut shares, sink);
    demand
}

fn judge(
    locator: &Locator<'_>,
    demand: &Demand,
    shares: &mut BTreeMap<&'static str, Vec<(String, Amount)>>,
    sink: &mut Sink,
) {
    for quota in locator
        .rendered
        .iter()
        .filter(|one| one.manifest.kind() == "ResourceQuota")
    {
        for (resource, ..) in COUNTED {
            let Some(hard) = quota.manifest.root().at(&["spec", "hard", resource]) else {
                continue;
            };
            let (limit, wanted) = (
                amount(hard),
                demand.get(resource).copied().unwrap_or_default(),
            );
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
                key.tenant,
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
            let written =
                input.filter(|span| !locator.sources.path(span.file).starts_with("<builtin>/"));
            let tier = || {
                let tenant = locator
                    .unit
                    .variables
                    .iter()
                    .find(|(name, _)| *name == "tenant")
                    .map(|(_, node)| node)?;
                locator.sources.span(tenant.get("tier")?.id)
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

/// The most pods that a workload may have at the same time.
fn most_pods(locator: &Locator<'_>, root: View<'_>, kind: &str, name: &str) -> i128 {
    let number = |keys: &[&str]| match root.at(keys).map(View::shape) {
        Some(Shape::Int(number)) => Some(i128::from(number)),
        _ => None,
    };
    match kind {
        "Job" => number(&["spec", "parallelism"]).unwrap_or(1),
        "CronJob" => number(&["spec", "jobTemplate", "spec", "parallelism"]).unwrap_or(1),
        _ => {
            let scaled = locator
                .rendered
                .iter()
                .filter(|one| one.manifest.kind() == "HorizontalPodAutoscaler")
                .find_map(|one| {
                    let spec = one.manifest.root().get("spec")?;
                    let target = spec.get("scaleTargetRef")?;
                    (target.text_at(&["kind"]) == kind && target.text_at(&["name"]) == name)
                        .then(|| spec.get("maxReplicas"))
                        .flatten()
                });
            let most = match scaled.map(View::shape) {
                Some(Shape::Int(most)) => i128::from(most),
                _ => number(&["spec", "replicas"]).unwrap_or(1),
            };
            most + surge(root, kind, most)
        }
    }
}

/// Pods beyond the wanted ones during an update. Shares round up, as Kubernetes rounds them:
/// <https://kubernetes.io/docs/concepts/workloads/controllers/deployment/#max-surge>
fn surge(root: View<'_>, kind: &str, replicas: i128) -> i128 {
    if kind == "Rollout" && root.at(&["spec", "strategy", "blueGreen"]).is_some() {
        return replicas;
    }
    let path: &[&str] = match kind {
        "Deployment" => &["spec", "strategy", "rollingUpdate", "maxSurge"],
        "Rollout" => &["spec", "strategy", "canary", "maxSurge"],
        _ => return 0,
    };
    match root.at(path).map(View::shape) {
        _ if replicas == 0 => 0,
        Some(Shape::Int(surge)) => i128::from(surge),
        Some(Shape::Text(share)) => {
            let percent: i128 = share.trim_end_matches('%').parse().unwrap_or(0);
            (replicas * percent + 99) / 100
        }
        _ => 0,
    }
}

fn amount_at(view: View<'_>, keys: &[&str]) -> Amount {
    view.at(keys).map(amount).unwrap_or_default()
}

fn amount(view: View<'_>) -> Amount {
    let text = match view.shape() {
        Shape::Text(text) => text.into_owned(),
        Shape::Int(number) => number.to_string(),
        Shape::Float(number) => number.to_string(),
        _ => return Amount::default(),
    };
    Amount::parse(&text).unwrap_or_default()
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
pub fn capacity(facts: &[Facts], catalog: &Catalog, sources: &Sources, sink: &mut Sink) {
    for cluster in &catalog.clusters {
        let Some(capacity) = &cluster.spec.capacity else {
            continue;
        };
        let limits = [
            ("requests.cpu", "cpu", &capacity.cpu),
            ("requests.memory", "memory", &capacity.memory),
            ("requests.storage", "storage", &capacity.storage),
        ];
        for (resource, field, limit) in limits {
            let Some(limit) = limit.as_ref().and_then(|limit| Amount::parse(&limit.0)) else {
                continue;
            };
            let mut tenants: BTreeMap<&str, Amount> = BTreeMap::new();
            for fact in facts
                .iter()
                .filter(|fact| fact.cluster == cluster.name && !fact.tenant.is_empty())
            {
                let sum = tenants.entry(&fact.tenant).or_default();
                *sum = *sum + fact.demand.get(resource).copied().unwrap_or_default();
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
                .at(
                    sources.span(cluster.spec_at(&["capacity", field])),
                    "the cluster's capacity",
                )
                .note(format!("the largest: {}", list.join(", ")))
                .help("add capacity, move a tenant, or lower requests or maxReplicas"),
            );
        }
    }
}
