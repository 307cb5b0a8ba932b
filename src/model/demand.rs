//! What workloads ask of a cluster: requests times pods, at the least and at the most replicas.

use std::collections::BTreeMap;

use tenantry_engine::scalars::Amount;
use tenantry_engine::view::{Shape, View};
use tenantry_kubernetes::defaults::StoredPart;

/// What one workload or volume asks of one resource.
#[derive(Clone, Debug)]
pub struct ResourceRequest {
    /// As a ResourceQuota names it: `requests.cpu`, `requests.memory`, `requests.storage`,
    /// `requests.gpu`.
    pub resource: &'static str,
    /// `Deployment/web`.
    pub title: String,
    /// What one pod or volume asks.
    pub amount: Amount,
    /// Pods at the least replicas.
    pub least: i128,
    /// Pods at the most replicas.
    pub most: i128,
    /// Pods beyond those during an update.
    pub surge: i128,
    /// Whether it only runs now and then: a Job or CronJob.
    pub now_and_then: bool,
}

impl ResourceRequest {
    /// An amount for so many pods.
    pub fn times(&self, pods: i128) -> Amount {
        Amount {
            thousandths: self.amount.thousandths.saturating_mul(pods),
        }
    }
}

/// Names of containers' requests, and of the same in a ResourceQuota.
const REQUESTS: [(&str, &str); 2] = [("cpu", "requests.cpu"), ("memory", "requests.memory")];

/// The pod that an object makes, if it makes one.
pub fn pod_spec<'a>(root: View<'a>, kind: &str) -> Option<View<'a>> {
    pod_template(root, kind)?.get("spec")
}

/// The template of the pods that an object makes, if it makes some; a Pod is its own.
pub fn pod_template<'a>(root: View<'a>, kind: &str) -> Option<View<'a>> {
    let template = root.at(way_to_pod_template(kind))?;
    // What operators make pods of, such as a Service of Knative, has a template like others that make none.
    let is_pod = MAKE_PODS.contains(&kind) || template.at(&["spec", "containers"]).is_some();
    is_pod.then_some(template)
}

/// Kinds that make pods.
const MAKE_PODS: [&str; 9] = [
    "Deployment",
    "StatefulSet",
    "DaemonSet",
    "ReplicaSet",
    "Job",
    "Rollout",
    "PodTemplate",
    "CronJob",
    "Pod",
];

/// Where the template of pods is in objects of a kind.
pub fn way_to_pod_template(kind: &str) -> &'static [&'static str] {
    match kind {
        "PodTemplate" => &["template"],
        "CronJob" => &["spec", "jobTemplate", "spec", "template"],
        "Pod" => &[],
        _ => &["spec", "template"],
    }
}

/// What objects ask; autoscalers among them say how many pods their targets have.
pub fn of<'a>(objects: impl IntoIterator<Item = View<'a>>) -> Vec<ResourceRequest> {
    let objects: Vec<View<'_>> = objects.into_iter().collect();
    let scalers: Vec<View<'_>> = objects
        .iter()
        .copied()
        .filter(|root| root.object_kind() == "HorizontalPodAutoscaler")
        .collect();
    let defaults = default_requests(&objects);
    let mut requests = Vec::new();
    for root in &objects {
        let kind = root.object_kind();
        let title = format!("{kind}/{}", root.object_name());
        let mut add = |resource, amount: Amount, pods: (i128, i128, i128)| {
            if amount.thousandths > 0 && pods.1 > 0 {
                requests.push(ResourceRequest {
                    resource,
                    title: title.clone(),
                    amount,
                    least: pods.0,
                    most: pods.1,
                    surge: pods.2,
                    now_and_then: matches!(&*kind, "Job" | "CronJob"),
                });
            }
        };
        if &*kind == "PersistentVolumeClaim" {
            let amount = amount_at(*root, &["spec", "resources", "requests", "storage"]);
            add("requests.storage", amount, (1, 1, 0));
        }
        let Some(pod) = pod_spec(*root, &kind) else {
            continue;
        };
        let pods = pods(&scalers, *root, &kind);
        let containers = |list| pod.get(list).map(View::items).unwrap_or_default();
        // Init containers run one after the other before the others, so the largest of them counts, unless
        // they stay as sidecars, which later ones and the others run besides:
        // <https://kubernetes.io/docs/concepts/workloads/pods/sidecar-containers/#resource-sharing-within-containers>
        let both = |read: &dyn Fn(View<'_>) -> Amount| {
            let (mut sidecars, mut before) = (Amount::default(), Amount::default());
            for container in containers("initContainers") {
                let asked = read(container);
                if container.text_at(&["restartPolicy"]) == "Always" {
                    sidecars = sidecars + asked;
                    before = before.max(sidecars);
                } else {
                    before = before.max(sidecars + asked);
                }
            }
            let running: Amount = containers("containers").into_iter().map(read).sum();
            before.max(running + sidecars)
        };
        for (request, resource) in REQUESTS {
            // A limit without a request is the request, too; without either, the namespace's LimitRange decides.
            let asked = |container: View<'_>| {
                let of = |kind: &str| container.at(&["resources", kind, request]);
                let own = of("requests").or_else(|| of("limits")).map(amount);
                let default = || {
                    let namespace = root.namespace();
                    defaults.get(&(namespace.into_owned(), request)).copied()
                };
                own.or_else(default).unwrap_or_default()
            };
            add(resource, both(&asked), pods);
        }
        // Of GPUs, the request is the limit:
        // <https://kubernetes.io/docs/tasks/manage-gpus/scheduling-gpus/>
        add("requests.gpu", both(&gpus), pods);
        let claims = root.at(&["spec", "volumeClaimTemplates"]).map(View::items);
        for claim in claims.unwrap_or_default() {
            let amount = amount_at(claim, &["spec", "resources", "requests", "storage"]);
            add("requests.storage", amount, pods);
        }
    }
    requests
}

/// What containers request where they say nothing, by namespace and resource: a `LimitRange` says it.
fn default_requests(objects: &[View<'_>]) -> BTreeMap<(String, &'static str), Amount> {
    let mut defaults = BTreeMap::new();
    let is_range = |root: &&View<'_>| root.object_kind() == "LimitRange";
    for root in objects.iter().filter(is_range) {
        let namespace = root.namespace();
        let limits = StoredPart::object(*root, None).get("spec");
        let limits = limits.and_then(|spec| spec.get("limits"));
        for item in limits.map(|limits| limits.items()).unwrap_or_default() {
            let is_of_containers = item
                .get("type")
                .and_then(|name| name.as_text())
                .is_some_and(|name| name == "Container");
            let requests = item.get("defaultRequest").filter(|_| is_of_containers);
            for (request, _) in REQUESTS {
                let amount = requests.as_ref().and_then(|all| all.get(request)?.amount());
                if let Some(amount) = amount {
                    defaults.insert((namespace.clone().into_owned(), request), amount);
                }
            }
        }
    }
    defaults
}

fn gpus(container: View<'_>) -> Amount {
    let limits = container.at(&["resources", "limits"]).map(View::fields);
    limits
        .unwrap_or_default()
        .into_iter()
        .filter(|field| field.key.ends_with("/gpu"))
        .map(|field| amount(field.value))
        .sum()
}

/// The least and the most pods of a workload, and those beyond them during an update.
fn pods(scalers: &[View<'_>], root: View<'_>, kind: &str) -> (i128, i128, i128) {
    let number = |view: View<'_>, keys: &[&str]| match view.at(keys).map(View::shape) {
        Some(Shape::Int(number)) => Some(i128::from(number)),
        _ => None,
    };
    let fixed = match kind {
        "Job" => number(root, &["spec", "parallelism"]),
        "CronJob" => number(root, &["spec", "jobTemplate", "spec", "parallelism"]),
        _ => None,
    };
    if matches!(kind, "Job" | "CronJob" | "Pod" | "DaemonSet") {
        let pods = fixed.unwrap_or(1);
        return (pods, pods, 0);
    }
    let name = root.object_name();
    let scaler = scalers
        .iter()
        .filter_map(|scaler| scaler.get("spec"))
        .find(|spec| {
            spec.text_at(&["scaleTargetRef", "kind"]) == kind
                && spec.text_at(&["scaleTargetRef", "name"]) == name
        });
    let replicas = number(root, &["spec", "replicas"]).unwrap_or(1);
    let (least, most) = match scaler {
        // An autoscaler leaves what is scaled to zero alone.
        Some(_) if replicas == 0 => (0, 0),
        Some(spec) => (
            number(spec, &["minReplicas"]).unwrap_or(1),
            number(spec, &["maxReplicas"]).unwrap_or(replicas),
        ),
        None => (replicas, replicas),
    };
    (least, most, surge(root, kind, most))
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
            replicas.saturating_mul(percent).saturating_add(99) / 100
        }
        _ => 0,
    }
}

fn amount_at(view: View<'_>, keys: &[&str]) -> Amount {
    view.at(keys).map(amount).unwrap_or_default()
}

/// The amount that a quantity stands for; nothing for what is none.
pub fn amount(view: View<'_>) -> Amount {
    let text = match view.shape() {
        Shape::Text(text) => text.into_owned(),
        Shape::Int(number) => number.to_string(),
        Shape::Float(number) => number.to_string(),
        _ => return Amount::default(),
    };
    Amount::parse(&text).unwrap_or_default()
}
