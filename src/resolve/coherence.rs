//! Whether layered values make sense together: what no single layer can get wrong.

use super::{Chosen, Plan, PlannedUnit, references};
use crate::diagnostics::{Diagnostic, Sink, catalogue::resolve as codes, suggest};
use crate::model::instance::Layer;
use crate::model::scalars::Amount;
use crate::yaml::{Node, Value, merge};

/// Judges the layered values as a whole: what no single layer can get wrong.
pub fn check(
    plan: &Plan<'_>,
    unit: &PlannedUnit<'_>,
    chosen: Chosen<'_>,
    layers: &[Layer],
    workload: &Node,
    sink: &mut Sink,
) {
    let place = format!(
        "for {}/{} in {} on {}",
        unit.tenant.name, chosen.component.name, unit.environment.name, unit.cluster.name
    );
    let mut judge = WorkloadCheck {
        plan,
        chosen,
        layers,
        place,
        sink,
    };
    judge.blocks(workload);
    let kind = workload
        .get("type")
        .and_then(Node::as_str)
        .unwrap_or_default();
    judge.needed(
        workload,
        "image",
        "no layer says which image runs",
        "add `image` to the component's workload",
    );
    if workload.get("tag").is_none() && workload.get("digest").is_none() {
        judge.finding(
            workload.get("image").unwrap_or(workload),
            "the image has neither a tag nor a digest",
            "add `tag`, or better `digest`",
        );
    }
    if let (Some(tag), Some(digest)) = (workload.get("tag"), workload.get("digest")) {
        judge.pair("the image has a tag in one layer and a digest in another", (tag, "the tag is ignored beside a digest"), (digest, "the digest decides"), "write `digest: null` in the layer with the tag, or `tag: null` in the one with the digest");
    }
    if kind == "scheduled" && workload.at(&["schedule", "cron"]).is_none() {
        judge.finding(
            workload.get("type").unwrap_or(workload),
            "a scheduled workload has no schedule",
            "add `schedule: {cron: \"0 2 * * *\"}`",
        );
    }
    let ports = workload
        .get("ports")
        .and_then(Node::as_list)
        .unwrap_or_default();
    if ports.is_empty() && matches!(kind, "service" | "stateful") {
        judge.finding(workload.get("type").unwrap_or(workload), &format!("a {kind} workload has no ports"), "add `ports`, such as `- {name: http, port: 8080}`; a workload that nobody calls is a worker");
    }
    for (list, fields) in [
        ("ports", &["port"][..]),
        ("volumes", &["type", "mountPath"]),
        ("secrets", &["from", "keys"]),
    ] {
        for item in workload
            .get(list)
            .and_then(Node::as_list)
            .unwrap_or_default()
        {
            let name = item.get("name").and_then(Node::as_str).unwrap_or_default();
            for field in fields.iter().filter(|field| item.get(field).is_none()) {
                judge.finding(
                    item,
                    &format!("`{name}` in `{list}` has no `{field}`"),
                    &format!("add `{field}`"),
                );
            }
        }
    }
    port_names(&mut judge, workload, ports);
    volumes(&mut judge, workload);
    storage_classes(&mut judge, unit, workload);
    encryption(&mut judge, unit, workload);
    scaling(&mut judge, workload);
    resources(&mut judge, workload);
    if let Some(strategy) = workload
        .at(&["rollout", "strategy"])
        .filter(|strategy| strategy.as_str() == Some("blue-green"))
        && kind == "worker"
    {
        judge.finding(
            strategy,
            "a worker has no service to switch",
            "write `strategy: rolling`, or canary",
        );
    }
    if let Some(required) = workload
        .at(&["gpu", "required"])
        .filter(|node| matches!(node.value, Value::Bool(true)))
        && !unit.cluster.spec.node_pools.is_empty()
        && !unit.cluster.spec.node_pools.iter().any(|pool| pool.gpu)
    {
        let message = format!(
            "it needs a GPU, and cluster `{}` has no node pool with `gpu: true`",
            unit.cluster.name
        );
        judge.finding(
            required,
            &message,
            "place the tenant on another cluster, or add a node pool",
        );
    }
    shared_ports(&mut judge, unit, ports);
    refused_by_kubernetes(&mut judge, workload, kind);
    for side in ["ingress", "egress"] {
        for peer in workload
            .at(&["network", side])
            .and_then(Node::as_list)
            .unwrap_or_default()
        {
            if ["component", "cidr", "namespaceLabels", "podLabels"]
                .iter()
                .all(|key| peer.get(key).is_none())
            {
                let name = peer.get("name").and_then(Node::as_str).unwrap_or_default();
                judge.finding(
                    peer,
                    &format!("the peer `{name}` does not say who it is"),
                    "add `component`, `cidr`, `namespaceLabels` or `podLabels`",
                );
            }
        }
        for peer in workload
            .at(&["network", side])
            .and_then(Node::as_list)
            .unwrap_or_default()
        {
            let Some((node, name)) = peer
                .get("component")
                .and_then(|node| Some((node, node.as_str()?)))
            else {
                continue;
            };
            let own: Vec<&str> = unit
                .components
                .iter()
                .map(|chosen| chosen.component.name.as_str())
                .collect();
            let complete = plan.input.selection.components.is_empty();
            if complete
                && !own.contains(&name)
                && unit
                    .tenant
                    .spec
                    .components
                    .iter()
                    .all(|subscription| subscription.component.0 != name)
            {
                references::unknown(
                    &plan.input,
                    &format!("component of {}", unit.tenant.name),
                    name,
                    own,
                    node.id,
                    judge.sink,
                );
            }
        }
    }
}

/// Ports are referred to by their names.
fn port_names(judge: &mut WorkloadCheck<'_, '_, '_>, workload: &Node, ports: &[Node]) {
    let names: Vec<&str> = ports
        .iter()
        .filter_map(|port| port.get("name")?.as_str())
        .collect();
    let probes = ["liveness", "readiness", "startup"]
        .into_iter()
        .filter_map(|probe| workload.at(&["probes", probe, "port"]));
    for reference in probes.chain(workload.at(&["route", "port"])) {
        let name = reference.as_str().unwrap_or_default();
        if !names.contains(&name) {
            let help = suggest(name, names.iter().copied())
                .unwrap_or_else(|| "name one of its `ports`".to_owned());
            judge.finding(reference, &format!("there is no port `{name}`"), &help);
        }
    }
}

/// Combinations that the API server or the kubelet would refuse.
fn refused_by_kubernetes(judge: &mut WorkloadCheck<'_, '_, '_>, workload: &Node, kind: &str) {
    let is_zero = |node: &Node| {
        matches!(&node.value, Value::Int(0)) || matches!(node.as_str(), Some("0" | "0%"))
    };
    let (surge, unavailable) = (
        workload.at(&["rollout", "maxSurge"]),
        workload.at(&["rollout", "maxUnavailable"]),
    );
    if let (Some(surge), Some(unavailable)) = (surge, unavailable)
        && is_zero(surge)
        && is_zero(unavailable)
    {
        judge.pair(
            "with maxSurge and maxUnavailable of 0 no pod could ever be replaced",
            (surge, "no pod more"),
            (unavailable, "and no pod less"),
            "write 1 for one of them",
        );
    }
    if let Some(least) = workload.at(&["scaling", "minReplicas"])
        && is_zero(least)
        && matches!(kind, "service" | "worker")
        && workload
            .at(&["scaling", "enabled"])
            .is_some_and(|node| matches!(node.value, Value::Bool(true)))
    {
        judge.finding(
            least,
            "an autoscaler cannot scale from 0 by the load of pods",
            "write 1 or more, or `enabled: false`",
        );
    }
    if let (Some(user), Some(non_root)) = (
        workload.at(&["security", "runAsUser"]),
        workload.at(&["security", "runAsNonRoot"]),
    ) && is_zero(user)
        && matches!(non_root.value, Value::Bool(true))
    {
        judge.pair(
            "user 0 is root, and the container must not run as root",
            (user, "root"),
            (non_root, "not as root"),
            "write another user, such as 1001",
        );
    }
    let mut paths: Vec<&Node> = Vec::new();
    for list in ["volumes", "secrets"] {
        for path in workload
            .get(list)
            .and_then(Node::as_list)
            .unwrap_or_default()
            .iter()
            .filter_map(|item| item.get("mountPath"))
        {
            match paths.iter().find(|known| known.value == path.value) {
                Some(first) => judge.pair(
                    "two volumes are mounted at the same path",
                    (path, "again here"),
                    (first, "first here"),
                    "mount one of them elsewhere",
                ),
                None => paths.push(path),
            }
        }
    }
    let mut numbers: Vec<(&Node, String)> = Vec::new();
    for port in workload
        .get("ports")
        .and_then(Node::as_list)
        .unwrap_or_default()
    {
        let Some(number) = port.get("servicePort").or_else(|| port.get("port")) else {
            continue;
        };
        let protocol = port
            .get("protocol")
            .and_then(Node::as_str)
            .unwrap_or("TCP")
            .to_owned();
        match numbers
            .iter()
            .find(|(known, other)| known.value == number.value && *other == protocol)
        {
            Some((first, _)) => judge.pair(
                "two ports of the service have the same number",
                (number, "again here"),
                (first, "first here"),
                "write another `servicePort` for one of them",
            ),
            None => numbers.push((number, protocol)),
        }
    }
}

/// A share names ports of the workload.
fn shared_ports(judge: &mut WorkloadCheck<'_, '_, '_>, unit: &PlannedUnit<'_>, ports: &[Node]) {
    let names: Vec<&str> = ports
        .iter()
        .filter_map(|port| port.get("name")?.as_str())
        .collect();
    let shares = unit
        .tenant
        .tree
        .at(&["spec", "shares"])
        .and_then(Node::as_list)
        .unwrap_or_default();
    for share in shares.iter().filter(|share| {
        share.get("component").and_then(Node::as_str) == Some(&judge.chosen.component.name)
    }) {
        for port in share
            .get("ports")
            .and_then(Node::as_list)
            .unwrap_or_default()
        {
            let name = port.as_str().unwrap_or_default();
            if !names.contains(&name) {
                let help = suggest(name, names.iter().copied())
                    .unwrap_or_else(|| "name one of its `ports`".to_owned());
                judge.finding(port, &format!("there is no port `{name}`"), &help);
            }
        }
    }
}

fn storage_classes(judge: &mut WorkloadCheck<'_, '_, '_>, unit: &PlannedUnit<'_>, workload: &Node) {
    let known: Vec<&str> = unit
        .cluster
        .spec
        .storage_classes
        .iter()
        .map(|class| class.name.0.as_str())
        .collect();
    for volume in workload
        .get("volumes")
        .and_then(Node::as_list)
        .unwrap_or_default()
    {
        let Some((node, name)) = volume
            .get("storageClass")
            .and_then(|node| Some((node, node.as_str()?)))
        else {
            continue;
        };
        let class = unit
            .cluster
            .spec
            .storage_classes
            .iter()
            .find(|class| class.name.0 == name);
        let must = !matches!(
            workload.get("encryptionRequired").map(|node| &node.value),
            Some(Value::Bool(false))
        );
        if must && class.is_some_and(|class| !class.encrypted) {
            judge.finding(node, &format!("storage class `{name}` of cluster `{}` is not encrypted, and encryption is required", unit.cluster.name), "name an encrypted class");
        }
        if !known.is_empty() && !known.contains(&name) {
            let help = suggest(name, known.iter().copied())
                .unwrap_or_else(|| "name one of the cluster's `storageClasses`".to_owned());
            judge.finding(
                node,
                &format!(
                    "cluster `{}` has no storage class `{name}`",
                    unit.cluster.name
                ),
                &help,
            );
        }
    }
}

/// Persistent volumes that name no class get an encrypted one, where there is one.
fn encryption(judge: &mut WorkloadCheck<'_, '_, '_>, unit: &PlannedUnit<'_>, workload: &Node) {
    let classes = &unit.cluster.spec.storage_classes;
    let must = !matches!(
        workload.get("encryptionRequired").map(|node| &node.value),
        Some(Value::Bool(false))
    );
    if !must || classes.is_empty() || classes.iter().any(|class| class.encrypted) {
        return;
    }
    for volume in workload
        .get("volumes")
        .and_then(Node::as_list)
        .unwrap_or_default()
    {
        if volume.get("type").and_then(Node::as_str) == Some("persistent")
            && volume.get("storageClass").is_none()
        {
            let message = format!(
                "encryption is required, and cluster `{}` has no encrypted storage class",
                unit.cluster.name
            );
            judge.finding(volume, &message, "add a storage class with `encrypted: true` to the cluster, or write `encryptionRequired: false` where that is allowed");
        }
    }
}

fn volumes(judge: &mut WorkloadCheck<'_, '_, '_>, workload: &Node) {
    for volume in workload
        .get("volumes")
        .and_then(Node::as_list)
        .unwrap_or_default()
    {
        let name = volume
            .get("name")
            .and_then(Node::as_str)
            .unwrap_or_default();
        let needs = match volume.get("type").and_then(Node::as_str) {
            Some("persistent") => "size",
            Some("config") => "data",
            Some("secret") => "secret",
            _ => continue,
        };
        if volume.get(needs).is_none() {
            judge.finding(
                volume,
                &format!("the volume `{name}` has no `{needs}`"),
                &format!("add `{needs}`"),
            );
        }
    }
}

fn scaling(judge: &mut WorkloadCheck<'_, '_, '_>, workload: &Node) {
    let kind = workload
        .get("type")
        .and_then(Node::as_str)
        .unwrap_or_default();
    let Some(scaling) = workload
        .get("scaling")
        .filter(|_| !matches!(kind, "job" | "scheduled"))
    else {
        return;
    };
    if let (Some(least), Some(most)) = (scaling.get("minReplicas"), scaling.get("maxReplicas"))
        && let (Value::Int(low), Value::Int(high)) = (&least.value, &most.value)
        && low > high
    {
        let help = format!("write minReplicas of at most {high}, or maxReplicas of at least {low}");
        judge.pair(
            "minReplicas is above maxReplicas",
            (least, "the least"),
            (most, "the most"),
            &help,
        );
    }
    for metric in scaling
        .get("metrics")
        .and_then(Node::as_list)
        .unwrap_or_default()
    {
        if metric.get("utilization").is_none()
            && (metric.get("metric").is_none() || metric.get("averageValue").is_none())
        {
            let name = metric
                .get("name")
                .and_then(Node::as_str)
                .unwrap_or_default();
            judge.finding(
                metric,
                &format!("the metric `{name}` does not say what to aim at"),
                "add `utilization` (for cpu and memory), or `metric` and `averageValue`",
            );
        }
    }
}

fn resources(judge: &mut WorkloadCheck<'_, '_, '_>, workload: &Node) {
    let Some(resources) = workload.get("resources") else {
        return;
    };
    for resource in ["memory", "storage"] {
        for node in [resources.get(resource), resources.at(&["limits", resource])]
            .into_iter()
            .flatten()
        {
            let text = crate::model::view::scalar_text(&node.value)
                .unwrap_or_default()
                .into_owned();
            if Amount::parse(&text)
                .is_some_and(|amount| amount.thousandths > 0 && amount.thousandths < 1_048_576_000)
            {
                judge.finding(
                    node,
                    &format!("{resource} of `{text}` is less than one mebibyte"),
                    "write a quantity such as `512Mi` or `2Gi`",
                );
            }
        }
    }
    for resource in ["cpu", "memory", "storage"] {
        let (Some(request), Some(limit)) =
            (resources.get(resource), resources.at(&["limits", resource]))
        else {
            continue;
        };
        let amount = |node: &Node| Amount::parse(&crate::model::view::scalar_text(&node.value)?);
        if let (Some(wanted), Some(most)) = (amount(request), amount(limit))
            && wanted > most
        {
            let message = format!("the limit of {resource} is below what is requested");
            judge.pair(
                &message,
                (limit, "the limit"),
                (request, "the request"),
                "raise the limit, or lower the request",
            );
        }
    }
}

struct WorkloadCheck<'p, 'a, 's> {
    plan: &'p Plan<'a>,
    chosen: Chosen<'a>,
    layers: &'p [Layer],
    place: String,
    sink: &'s mut Sink,
}

/// Parts of a workload that templates rely on.
const BLOCKS: [&str; 11] = [
    "resources",
    "gpu",
    "scaling",
    "rollout",
    "security",
    "network",
    "disruption",
    "placement",
    "retries",
    "concurrency",
    "terminationGracePeriod",
];

impl WorkloadCheck<'_, '_, '_> {
    /// Parts that a layer took away as a whole.
    fn blocks(&mut self, workload: &Node) {
        for block in BLOCKS
            .into_iter()
            .filter(|block| workload.get(block).is_none())
        {
            let removed = self
                .layers
                .iter()
                .rev()
                .find_map(|layer| layer.values.get(block))
                .unwrap_or(workload);
            self.finding(
                removed,
                &format!("`{block}` cannot be removed as a whole"),
                "remove a field of it, or set it to what you want",
            );
        }
    }

    /// How high the layer of a value is.
    fn height(&self, node: &Node) -> Option<usize> {
        self.layers
            .iter()
            .rposition(|layer| merge::find(&layer.values, node.id).is_some())
    }

    fn needed(&mut self, workload: &Node, field: &str, message: &str, help: &str) {
        if workload.get(field).is_none() {
            self.finding(workload, message, help);
        }
    }

    fn finding(&mut self, node: &Node, message: &str, help: &str) {
        let fallback = || {
            self.plan
                .input
                .span(self.chosen.component.spec_at(&["workload"]))
        };
        let span = self.plan.input.span(node.id).or_else(fallback);
        let message = format!("{}: {message}", self.chosen.component.name);
        self.sink.push(
            Diagnostic::new(codes::BAD_VALUES, message)
                .at(span, "")
                .note(&self.place)
                .help(help),
        );
    }

    fn pair(&mut self, message: &str, here: (&Node, &str), other: (&Node, &str), help: &str) {
        // The higher layer changed what the lower one could count on.
        let (here, other) = if self.height(here.0) < self.height(other.0) {
            (other, here)
        } else {
            (here, other)
        };
        let message = format!("{}: {message}", self.chosen.component.name);
        self.sink.push(
            Diagnostic::new(codes::BAD_VALUES, message)
                .note(&self.place)
                .at(self.plan.input.span(here.0.id), here.1)
                .and(self.plan.input.span(other.0.id), other.1)
                .help(help),
        );
    }
}
