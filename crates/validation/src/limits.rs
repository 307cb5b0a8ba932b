//! `LimitRanges` and `ResourceQuotas` of a namespace: what they ask of its pods.
//!
//! <https://kubernetes.io/docs/concepts/policy/limit-range/>,
//! <https://kubernetes.io/docs/concepts/policy/resource-quotas/>

use std::collections::BTreeMap;

use serde_json::Value as Json;

use super::admission::{Namespace, items};
use super::{Refusal, RefusalReason};
use tenantry_engine::scalars::Amount;
use tenantry_engine::view::View;
use tenantry_syntax::yaml::{Path, PathStep};

type Quantities = BTreeMap<String, Amount>;

/// What a container requests and may use at most, with what `LimitRanges` fill in.
struct Container<'a> {
    view: View<'a>,
    path: Path,
    requests: Quantities,
    limits: Quantities,
}

/// Judges a pod.
pub(super) fn check<'a>(pod: View<'a>, namespace: &Namespace<'_>, found: &mut Vec<Refusal<'a>>) {
    if namespace.ranges.is_empty() && namespace.quotas.is_empty() {
        return;
    }
    let rules = &namespace.ranges;
    let containers = containers(pod, rules);
    for rule in rules {
        match rule["type"].as_str() {
            Some("Container") => {
                for container in &containers {
                    let of = (container.view, &container.path);
                    range(
                        rule,
                        "container",
                        of,
                        &container.requests,
                        &container.limits,
                        found,
                    );
                }
            }
            Some("Pod") => {
                let path = Path(vec!["spec".into()]);
                let spec = pod.get("spec").unwrap_or(pod);
                let [requests, limits] = sums(&containers);
                range(rule, "pod", (spec, &path), &requests, &limits, found);
            }
            _ => {}
        }
    }
    for quota in namespace
        .quotas
        .iter()
        .filter(|quota| is_meant(**quota, pod))
    {
        required(*quota, &containers, found);
    }
}

fn amounts(json: &Json) -> Quantities {
    let fields = json.as_object().into_iter().flatten();
    fields
        .filter_map(|(name, value)| {
            let text = value
                .as_str()
                .map_or_else(|| value.to_string(), str::to_owned);
            Some((name.clone(), Amount::parse(&text)?))
        })
        .collect()
}

fn containers<'a>(pod: View<'a>, rules: &[Json]) -> Vec<Container<'a>> {
    let mut all = Vec::new();
    for list in ["containers", "initContainers"] {
        let views = pod.at(&["spec", list]).map(View::items).unwrap_or_default();
        for (at, view) in views.into_iter().enumerate() {
            let of = |keys: &[&str]| amounts(&view.at(keys).map(View::to_json).unwrap_or_default());
            let mut limits = of(&["resources", "limits"]);
            let mut requests = of(&["resources", "requests"]);
            for (name, amount) in &limits {
                requests.entry(name.clone()).or_insert(*amount);
            }
            for rule in rules.iter().filter(|rule| rule["type"] == "Container") {
                let [min, max] = [amounts(&rule["min"]), amounts(&rule["max"])];
                let mut default = amounts(&rule["default"]);
                fill(&mut default, &max);
                let mut request = amounts(&rule["defaultRequest"]);
                fill(&mut request, &default);
                fill(&mut request, &min);
                fill(&mut limits, &default);
                fill(&mut requests, &request);
            }
            let path = Path(vec!["spec".into(), list.into(), PathStep::Index(at)]);
            all.push(Container {
                view,
                path,
                requests,
                limits,
            });
        }
    }
    all
}

fn fill(amounts: &mut Quantities, defaults: &Quantities) {
    for (name, amount) in defaults {
        amounts.entry(name.clone()).or_insert(*amount);
    }
}

/// What the containers of a pod request and may use together; init containers that end run one after the other.
fn sums(containers: &[Container<'_>]) -> [Quantities; 2] {
    let sum = |of: for<'c> fn(&'c Container<'_>) -> &'c Quantities| {
        let mut total = Quantities::new();
        let is_init =
            |one: &&Container<'_>| one.path.0.get(1) == Some(&PathStep::from("initContainers"));
        for container in containers.iter().filter(|one| !is_init(one)) {
            for (name, amount) in of(container) {
                let sum = total
                    .entry(name.clone())
                    .or_insert(Amount { thousandths: 0 });
                sum.thousandths = sum.thousandths.saturating_add(amount.thousandths);
            }
        }
        for container in containers.iter().filter(is_init) {
            for (name, amount) in of(container) {
                let most = total.entry(name.clone()).or_insert(*amount);
                most.thousandths = most.thousandths.max(amount.thousandths);
            }
        }
        total
    };
    [sum(|one| &one.requests), sum(|one| &one.limits)]
}

/// Judges by a rule of a `LimitRange`.
fn range<'a>(
    rule: &Json,
    what: &str,
    (view, path): (View<'a>, &Path),
    requests: &Quantities,
    limits: &Quantities,
    found: &mut Vec<Refusal<'a>>,
) {
    let text = |bound: &str, name: &str| match &rule[bound][name] {
        Json::String(text) => text.clone(),
        other => other.to_string(),
    };
    let mut report = |kind: &str, name: &str, says: String| {
        let keys = ["resources", kind, name];
        let place = keys.iter().try_fold(view, |view, key| view.get(key));
        let path = keys.iter().fold(path.clone(), |path, key| path.join(*key));
        found.push(Refusal {
            place: path.clone(),
            path,
            view: place.or_else(|| view.get("resources")).unwrap_or(view),
            key: None,
            reason: RefusalReason::Forbidden,
            says,
            help: "write an amount that the namespace's LimitRange allows".to_owned(),
            rule: None,
        });
    };
    for (name, least) in amounts(&rule["min"]) {
        let says = format!(
            "is below the least {name} of a {what}, {}",
            text("min", &name)
        );
        match (requests.get(&name), limits.get(&name)) {
            (None, _) => report(
                "requests",
                &name,
                format!("is missing: a {what} needs at least {}", text("min", &name)),
            ),
            (Some(request), _) if request.thousandths < least.thousandths => {
                report("requests", &name, says);
            }
            (_, Some(limit)) if limit.thousandths < least.thousandths => {
                report("limits", &name, says);
            }
            _ => {}
        }
    }
    for (name, most) in amounts(&rule["max"]) {
        let says = format!(
            "is above the greatest {name} of a {what}, {}",
            text("max", &name)
        );
        match (requests.get(&name), limits.get(&name)) {
            (_, None) => report(
                "limits",
                &name,
                format!(
                    "is missing: a {what} may use at most {}",
                    text("max", &name)
                ),
            ),
            (_, Some(limit)) if limit.thousandths > most.thousandths => {
                report("limits", &name, says);
            }
            (Some(request), _) if request.thousandths > most.thousandths => {
                report("requests", &name, says);
            }
            _ => {}
        }
    }
    for (name, ratio) in amounts(&rule["maxLimitRequestRatio"]) {
        let most = text("maxLimitRequestRatio", &name);
        let amount =
            |amounts: &Quantities| amounts.get(&name).map_or(0, |amount| amount.thousandths);
        let (request, limit) = (amount(requests), amount(limits));
        if request == 0 || limit == 0 {
            report(
                "limits",
                &name,
                format!("must be set with a request: it may be at most {most} times the request"),
            );
        } else if limit.saturating_mul(1000) > request.saturating_mul(ratio.thousandths) {
            report(
                "limits",
                &name,
                format!("is more than {most} times the request"),
            );
        }
    }
}

/// Whether a quota counts a pod.
fn is_meant(quota: View<'_>, pod: View<'_>) -> bool {
    let class = pod.text_at(&["spec", "priorityClassName"]);
    let is_terminating = pod.at(&["spec", "activeDeadlineSeconds"]).is_some();
    let holds = |scope: &str, operator: &str, values: &Json| match scope {
        "PriorityClass" => {
            let is_listed = values
                .as_array()
                .is_some_and(|values| values.iter().any(|value| *value == *class));
            match operator {
                "In" => is_listed,
                "NotIn" => !is_listed,
                "Exists" => !class.is_empty(),
                _ => class.is_empty(),
            }
        }
        "Terminating" => is_terminating,
        "NotTerminating" => !is_terminating,
        // Pods that request nothing are not asked for requests, and others are never best-effort.
        "NotBestEffort" => true,
        _ => false,
    };
    let scopes = items(quota, &["spec", "scopes"]);
    let selectors = items(quota, &["spec", "scopeSelector", "matchExpressions"]);
    let text = |json: &Json| json.as_str().unwrap_or_default().to_owned();
    scopes
        .iter()
        .all(|scope| holds(&text(scope), "Exists", &Json::Null))
        && selectors.iter().all(|one| {
            holds(
                &text(&one["scopeName"]),
                &text(&one["operator"]),
                &one["values"],
            )
        })
}

/// A quota of cpu or memory asks each container for a request or limit.
fn required<'a>(quota: View<'_>, containers: &[Container<'a>], found: &mut Vec<Refusal<'a>>) {
    let hard = quota
        .at(&["spec", "hard"])
        .map(View::fields)
        .unwrap_or_default();
    for field in hard {
        let (kind, name) = match &*field.key {
            name @ ("cpu" | "memory") => ("requests", name),
            other => match other.split_once('.') {
                Some((kind @ ("requests" | "limits"), name @ ("cpu" | "memory"))) => (kind, name),
                _ => continue,
            },
        };
        for container in containers {
            let amounts = if kind == "limits" {
                &container.limits
            } else {
                &container.requests
            };
            if amounts.contains_key(name) {
                continue;
            }
            let quota = quota.object_name();
            let path = container.path.join("resources").join(kind).join(name);
            found.push(Refusal {
                place: path.clone(),
                path,
                view: container.view.get("resources").unwrap_or(container.view),
                key: None,
                reason: RefusalReason::Required,
                says: format!(
                    "is missing: the ResourceQuota `{quota}` limits `{}`",
                    field.key
                ),
                help: format!("add `{kind}` of {name}"),
                rule: None,
            });
        }
    }
}
