//! Whether layered values make sense together: what no single layer can get wrong.

use super::{Chosen, Plan, PlannedUnit, references};
use crate::model::field::Field;
use crate::model::instance::Layer;
use crate::model::kinds::workload::{
    NetworkPeer, Port, Protocol, RolloutStrategy, Volume, VolumeType, Workload, WorkloadType,
};
use tenantry_engine::scalars::{Amount, Quantity};
use tenantry_engine::view::scalar_text;
use tenantry_syntax::diagnostics::catalogue::resolve as codes;
use tenantry_syntax::diagnostics::{Diagnostic, Sink, suggest};
use tenantry_syntax::yaml::{Node, Value, merge};

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
    let mut check = WorkloadCheck {
        plan,
        unit,
        chosen,
        layers,
        place,
        root: workload,
        workload: Field::of(workload),
        kind: Field::<Workload>::of(workload).workload_type().read(),
        sink,
    };
    check.blocks();
    check.image();
    check.form();
    check.items_without_fields();
    check.port_names();
    check.volumes();
    check.storage_classes();
    check.encryption();
    check.scaling();
    check.resources();
    check.placement();
    check.shared_ports();
    check.refused_by_kubernetes();
    check.mount_paths();
    check.service_ports();
    let network = check.workload.network();
    for peers in [network.ingress(), network.egress()] {
        peers.items().for_each(|peer| check.peer(peer));
        peers.items().for_each(|peer| check.peer_component(peer));
    }
}

struct WorkloadCheck<'p, 'a, 's> {
    plan: &'p Plan<'a>,
    unit: &'p PlannedUnit<'a>,
    chosen: Chosen<'a>,
    layers: &'p [Layer],
    place: String,
    /// The layered values.
    root: &'p Node,
    workload: Field<'p, Workload>,
    kind: Option<WorkloadType>,
    sink: &'s mut Sink,
}

impl<'p> WorkloadCheck<'p, '_, '_> {
    /// Parts that templates rely on, and that a layer took away as a whole.
    fn blocks(&mut self) {
        let workload = self.workload;
        let blocks: [(&str, bool); 11] = [
            ("resources", workload.resources().is_written()),
            ("gpu", workload.gpu().is_written()),
            ("scaling", workload.scaling().is_written()),
            ("rollout", workload.rollout().is_written()),
            ("security", workload.security().is_written()),
            ("network", workload.network().is_written()),
            ("disruption", workload.disruption().is_written()),
            ("placement", workload.placement().is_written()),
            ("retries", workload.retries().is_written()),
            ("concurrency", workload.concurrency().is_written()),
            (
                "terminationGracePeriod",
                workload.termination_grace_period().is_written(),
            ),
        ];
        for (block, _) in blocks.into_iter().filter(|(_, is_there)| !is_there) {
            let mut layers = self.layers.iter().rev();
            let removed = layers
                .find_map(|layer| layer.values.get(block))
                .unwrap_or(self.root);
            self.finding(
                removed,
                &format!("`{block}` cannot be removed as a whole"),
                "remove a field of it, or set it to what you want",
            );
        }
    }

    fn image(&mut self) {
        let workload = self.workload;
        if !workload.image().is_written() {
            self.finding(
                self.root,
                "no layer says which image runs",
                "add `image` to the component's workload",
            );
        }
        match (workload.tag().node(), workload.digest().node()) {
            (None, None) => self.finding(
                workload.image().node().unwrap_or(self.root),
                "the image has neither a tag nor a digest",
                "add `tag`, or better `digest`",
            ),
            (Some(tag), Some(digest)) => self.pair(
                "the image has a tag in one layer and a digest in another",
                (tag, "the tag is ignored beside a digest"),
                (digest, "the digest decides"),
                "write `digest: null` in the layer with the tag, or `tag: null` in the one with the digest",
            ),
            _ => {}
        }
    }

    /// What a type of workload cannot do without.
    fn form(&mut self) {
        let at = self.workload.workload_type().node().unwrap_or(self.root);
        if self.kind == Some(WorkloadType::Scheduled)
            && !self.workload.schedule().cron().is_written()
        {
            self.finding(
                at,
                "a scheduled workload has no schedule",
                "add `schedule: {cron: \"0 2 * * *\"}`",
            );
        }
        if self.workload.ports().items().len() == 0
            && matches!(
                self.kind,
                Some(WorkloadType::Service | WorkloadType::Stateful)
            )
        {
            let kind = self.workload.workload_type().as_str().unwrap_or_default();
            self.finding(at, &format!("a {kind} workload has no ports"), "add `ports`, such as `- {name: http, port: 8080}`; a workload that nobody calls is a worker");
        }
    }

    /// Items of lists that are merged by name, where no layer sets what they need.
    fn items_without_fields(&mut self) {
        for port in self.workload.ports().items() {
            self.lacks(
                port,
                port.name(),
                "ports",
                [("port", port.port().is_written())],
            );
        }
        for volume in self.workload.volumes().items() {
            let fields = [
                ("type", volume.volume_type().is_written()),
                ("mountPath", volume.mount_path().is_written()),
            ];
            self.lacks(volume, volume.name(), "volumes", fields);
        }
        for secret in self.workload.secrets().items() {
            let fields = [
                ("from", secret.from().is_written()),
                ("keys", secret.keys().is_written()),
            ];
            self.lacks(secret, secret.name(), "secrets", fields);
        }
    }

    fn lacks<T, N, const FIELDS: usize>(
        &mut self,
        item: Field<'p, T>,
        name: Field<'p, N>,
        list: &str,
        fields: [(&str, bool); FIELDS],
    ) {
        let (Some(node), name) = (item.node(), name.as_str().unwrap_or_default()) else {
            return;
        };
        for (field, _) in fields.into_iter().filter(|(_, is_there)| !is_there) {
            self.finding(
                node,
                &format!("`{name}` in `{list}` has no `{field}`"),
                &format!("add `{field}`"),
            );
        }
    }

    fn ports_named(&self) -> Vec<&'p str> {
        let ports = self.workload.ports().items();
        ports.filter_map(|port| port.name().as_str()).collect()
    }

    /// Ports are referred to by their names.
    fn port_names(&mut self) {
        let probes = self.workload.probes();
        let references = [
            probes.liveness().port(),
            probes.readiness().port(),
            probes.startup().port(),
            self.workload.route().port(),
        ];
        for reference in references.into_iter().filter_map(Field::node) {
            self.refers_to_port(reference);
        }
    }

    fn refers_to_port(&mut self, reference: &Node) {
        let names = self.ports_named();
        let name = reference.as_str().unwrap_or_default();
        if !names.contains(&name) {
            let help = suggest(name, names).unwrap_or_else(|| "name one of its `ports`".to_owned());
            self.finding(reference, &format!("there is no port `{name}`"), &help);
        }
    }

    /// A share names ports of the workload.
    fn shared_ports(&mut self) {
        let shares = self.unit.tenant.fields().shares().items();
        let component = self.chosen.component.name.as_str();
        for share in shares.filter(|share| share.component().as_str() == Some(component)) {
            for port in share.ports().items().filter_map(Field::node) {
                self.refers_to_port(port);
            }
        }
    }

    /// Combinations that the API server or the kubelet would refuse.
    fn refused_by_kubernetes(&mut self) {
        let (rollout, security) = (self.workload.rollout(), self.workload.security());
        if let (Some(surge), Some(unavailable)) =
            (rollout.max_surge().node(), rollout.max_unavailable().node())
            && is_zero(surge)
            && is_zero(unavailable)
        {
            self.pair(
                "with maxSurge and maxUnavailable of 0 no pod could ever be replaced",
                (surge, "no pod more"),
                (unavailable, "and no pod less"),
                "write 1 for one of them",
            );
        }
        let scaling = self.workload.scaling();
        if let Some(least) = scaling.min_replicas().node()
            && is_zero(least)
            && matches!(
                self.kind,
                Some(WorkloadType::Service | WorkloadType::Worker)
            )
            && scaling.enabled().is(true)
        {
            self.finding(
                least,
                "an autoscaler cannot scale from 0 by the load of pods",
                "write 1 or more, or `enabled: false`",
            );
        }
        if let (Some(user), Some(non_root)) = (
            security.run_as_user().node(),
            security.run_as_non_root().node(),
        ) && is_zero(user)
            && security.run_as_non_root().is(true)
        {
            self.pair(
                "user 0 is root, and the container must not run as root",
                (user, "root"),
                (non_root, "not as root"),
                "write another user, such as 1001",
            );
        }
    }

    fn mount_paths(&mut self) {
        let volumes = self
            .workload
            .volumes()
            .items()
            .map(|volume| volume.mount_path().node());
        let secrets = self
            .workload
            .secrets()
            .items()
            .map(|secret| secret.mount_path().node());
        let mut paths: Vec<&Node> = Vec::new();
        for path in volumes.chain(secrets).flatten() {
            match paths.iter().find(|known| known.value == path.value) {
                Some(first) => self.pair(
                    "two volumes are mounted at the same path",
                    (path, "again here"),
                    (first, "first here"),
                    "mount one of them elsewhere",
                ),
                None => paths.push(path),
            }
        }
    }

    fn service_ports(&mut self) {
        let number = |port: Field<'p, Port>| port.service_port().node().or(port.port().node());
        let mut numbers: Vec<(&Node, Protocol)> = Vec::new();
        for port in self.workload.ports().items() {
            let Some(number) = number(port) else { continue };
            let protocol = port.protocol().read().unwrap_or(Protocol::TCP);
            let mut known = numbers.iter();
            match known.find(|(known, other)| known.value == number.value && *other == protocol) {
                Some((first, _)) => self.pair(
                    "two ports of the service have the same number",
                    (number, "again here"),
                    (first, "first here"),
                    "write another `servicePort` for one of them",
                ),
                None => numbers.push((number, protocol)),
            }
        }
    }

    fn volumes(&mut self) {
        for volume in self.workload.volumes().items() {
            let (field, is_there) = match volume.volume_type().read() {
                Some(VolumeType::Persistent) => ("size", volume.size().is_written()),
                Some(VolumeType::Config) => ("data", volume.data().is_written()),
                Some(VolumeType::Secret) => ("secret", volume.secret().is_written()),
                _ => continue,
            };
            if let Some(node) = volume.node().filter(|_| !is_there) {
                let name = volume.name().as_str().unwrap_or_default();
                self.finding(
                    node,
                    &format!("the volume `{name}` has no `{field}`"),
                    &format!("add `{field}`"),
                );
            }
        }
    }

    fn must_encrypt(&self) -> bool {
        !self.workload.encryption_required().is(false)
    }

    fn storage_classes(&mut self) {
        let cluster = self.unit.cluster;
        let classes = &cluster.spec.storage_classes;
        for volume in self.workload.volumes().items() {
            let Some((node, name)) = with_text(volume.storage_class()) else {
                continue;
            };
            let class = classes.iter().find(|class| class.name.0 == name);
            if self.must_encrypt() && class.is_some_and(|class| !class.encrypted) {
                self.finding(node, &format!("storage class `{name}` of cluster `{}` is not encrypted, and encryption is required", cluster.name), "name an encrypted class");
            }
            if !classes.is_empty() && class.is_none() {
                let help = suggest(name, classes.iter().map(|class| class.name.0.as_str()))
                    .unwrap_or_else(|| "name one of the cluster's `storageClasses`".to_owned());
                let message = format!("cluster `{}` has no storage class `{name}`", cluster.name);
                self.finding(node, &message, &help);
            }
        }
    }

    /// Persistent volumes that name no class get an encrypted one, where there is one.
    fn encryption(&mut self) {
        let cluster = self.unit.cluster;
        let classes = &cluster.spec.storage_classes;
        if !self.must_encrypt() || classes.is_empty() || classes.iter().any(|class| class.encrypted)
        {
            return;
        }
        let is_unnamed = |volume: &Field<'p, Volume>| {
            volume.volume_type().is(VolumeType::Persistent) && !volume.storage_class().is_written()
        };
        for volume in self
            .workload
            .volumes()
            .items()
            .filter(is_unnamed)
            .filter_map(Field::node)
        {
            let message = format!(
                "encryption is required, and cluster `{}` has no encrypted storage class",
                cluster.name
            );
            self.finding(volume, &message, "add a storage class with `encrypted: true` to the cluster, or write `encryptionRequired: false` where that is allowed");
        }
    }

    fn scaling(&mut self) {
        let scaling = self.workload.scaling();
        if matches!(self.kind, Some(WorkloadType::Job | WorkloadType::Scheduled)) {
            return;
        }
        if let (Some(least), Some(most)) =
            (scaling.min_replicas().node(), scaling.max_replicas().node())
            && let (Value::Int(low), Value::Int(high)) = (&least.value, &most.value)
            && low > high
        {
            let help =
                format!("write minReplicas of at most {high}, or maxReplicas of at least {low}");
            self.pair(
                "minReplicas is above maxReplicas",
                (least, "the least"),
                (most, "the most"),
                &help,
            );
        }
        for metric in scaling.metrics().items() {
            let has_custom = metric.metric().is_written() && metric.average_value().is_written();
            let has_aim = metric.utilization().is_written() || has_custom;
            if let Some(node) = metric.node().filter(|_| !has_aim) {
                let name = metric.name().as_str().unwrap_or_default();
                self.finding(
                    node,
                    &format!("the metric `{name}` does not say what to aim at"),
                    "add `utilization` (for cpu and memory), or `metric` and `averageValue`",
                );
            }
        }
    }

    fn resources(&mut self) {
        let (requests, limits) = (
            self.workload.resources(),
            self.workload.resources().limits(),
        );
        let memory = ("memory", requests.memory(), limits.memory());
        let storage = ("storage", requests.storage(), limits.storage());
        for (resource, request, limit) in [memory, storage] {
            for node in [request, limit].into_iter().filter_map(Field::node) {
                let text = scalar_text(&node.value).unwrap_or_default();
                if Amount::parse(&text).is_some_and(|amount| {
                    amount.thousandths > 0 && amount.thousandths < 1_048_576_000
                }) {
                    let message = format!("{resource} of `{text}` is less than one mebibyte");
                    self.finding(node, &message, "write a quantity such as `512Mi` or `2Gi`");
                }
            }
        }
        for (resource, request, limit) in [("cpu", requests.cpu(), limits.cpu()), memory, storage] {
            let amount = |of: Field<'p, Quantity>| {
                let node = of.node()?;
                Some((node, Amount::parse(&scalar_text(&node.value)?)?))
            };
            if let (Some((request, wanted)), Some((limit, most))) = (amount(request), amount(limit))
                && wanted > most
            {
                self.pair(
                    &format!("the limit of {resource} is below what is requested"),
                    (limit, "the limit"),
                    (request, "the request"),
                    "raise the limit, or lower the request",
                );
            }
        }
    }

    /// What the cluster must have, and what must have a Service.
    fn placement(&mut self) {
        let strategy = self.workload.rollout().strategy();
        if let Some(node) = strategy.node()
            && strategy.is(RolloutStrategy::BlueGreen)
            && self.kind == Some(WorkloadType::Worker)
        {
            self.finding(
                node,
                "a worker has no service to switch",
                "write `strategy: rolling`, or canary",
            );
        }
        let (cluster, required) = (self.unit.cluster, self.workload.gpu().required());
        let pools = &cluster.spec.node_pools;
        if let Some(node) = required.node()
            && required.is(true)
            && !pools.is_empty()
            && !pools.iter().any(|pool| pool.gpu)
        {
            let message = format!(
                "it needs a GPU, and cluster `{}` has no node pool with `gpu: true`",
                cluster.name
            );
            self.finding(
                node,
                &message,
                "place the tenant on another cluster, or add a node pool",
            );
        }
    }

    fn peer(&mut self, peer: Field<'p, NetworkPeer>) {
        let says_who = peer.component().is_written()
            || peer.cidr().is_written()
            || peer.namespace_labels().is_written()
            || peer.pod_labels().is_written();
        if let Some(node) = peer.node().filter(|_| !says_who) {
            let name = peer.name().as_str().unwrap_or_default();
            self.finding(
                node,
                &format!("the peer `{name}` does not say who it is"),
                "add `component`, `cidr`, `namespaceLabels` or `podLabels`",
            );
        }
    }

    /// A component that a peer names is one of the tenant's.
    fn peer_component(&mut self, peer: Field<'p, NetworkPeer>) {
        let Some((node, name)) = with_text(peer.component()) else {
            return;
        };
        let (input, tenant) = (&self.plan.input, self.unit.tenant);
        let chosen = self.unit.components.iter();
        let own: Vec<&str> = chosen
            .map(|chosen| chosen.component.name.as_str())
            .collect();
        let mut subscriptions = tenant.spec.components.iter();
        let is_complete = input.selection.components.is_empty();
        if is_complete
            && !own.contains(&name)
            && subscriptions.all(|subscription| subscription.component.0 != name)
        {
            let kind = format!("component of {}", tenant.name);
            references::unknown(input, &kind, name, own, node.id, self.sink);
        }
    }

    /// How high the layer of a value is.
    fn height(&self, node: &Node) -> Option<usize> {
        self.layers
            .iter()
            .rposition(|layer| merge::find(&layer.values, node.id).is_some())
    }

    fn finding(&mut self, node: &Node, message: &str, help: &str) {
        let component = self.chosen.component;
        let fallback = || self.plan.input.span(component.fields().workload().place());
        let span = self.plan.input.span(node.id).or_else(fallback);
        let message = format!("{}: {message}", component.name);
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

/// A text that was written, and where.
fn with_text<T>(field: Field<'_, T>) -> Option<(&Node, &str)> {
    Some((field.node()?, field.as_str()?))
}

fn is_zero(node: &Node) -> bool {
    matches!(&node.value, Value::Int(0)) || matches!(node.as_str(), Some("0" | "0%"))
}
