//! Workload: what runs, and how. The form of a component's `workload` and of all layers of `values`.

mod rollout;

pub use rollout::{
    Rollout, RolloutAnalysis, RolloutColor, RolloutPreview, RolloutStep, RolloutStrategy,
    RolloutValidation,
};
use std::collections::BTreeMap;
use tenantry_derive::Fields;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::Value as Json;

use tenantry_engine::scalars::{
    Cidr, Cron, Domain, Duration, Image, ImageDigest, Name, Quantity, TimeZone,
};

/// What runs, and how. Each layer of values has this form and sets a part of it; maps merge, lists
/// are replaced, lists of named items merge by name, and `null` removes. `tenantry why` shows the
/// layer of each value. Defaults are those of `defaults/workload.yaml`.
#[derive(Clone, Debug, Default, Deserialize, Serialize, JsonSchema, Fields)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Workload {
    /// The form of the workload, which decides what is rendered.
    #[serde(rename = "type")]
    pub workload_type: Option<WorkloadType>,
    /// The image, without its tag.
    pub image: Option<Image>,
    /// The image's tag. With `digest`, it is ignored by the container runtime, so only one may be set.
    #[schemars(regex(pattern = r"^[A-Za-z0-9_][A-Za-z0-9._-]{0,127}$"), extend("format" = "image-tag"))]
    pub tag: Option<String>,
    /// The image's digest.
    pub digest: Option<ImageDigest>,
    /// When the image is pulled. Default: `IfNotPresent`.
    pub image_pull_policy: Option<ImagePullPolicy>,
    /// Secrets for pulling the image.
    pub image_pull_secrets: Option<Vec<Name>>,
    /// The command, in place of the image's entry point.
    pub command: Option<Vec<String>>,
    /// The command's arguments.
    pub args: Option<Vec<String>>,
    /// Ports that the container listens on. Merged by name.
    pub ports: Option<Vec<Port>>,
    /// Environment variables. Merged by name.
    pub env: Option<Vec<EnvVar>>,
    /// Environment variables from whole ConfigMaps or Secrets.
    pub env_from: Option<Vec<EnvFrom>>,
    /// Secrets, by reference to the secret store. Merged by name.
    pub secrets: Option<Vec<SecretReference>>,
    /// What a pod requests, and may use at most.
    pub resources: Option<Resources>,
    /// GPUs.
    pub gpu: Option<Gpu>,
    /// Files. Merged by name.
    pub volumes: Option<Vec<Volume>>,
    /// How the cluster finds out whether the container works.
    pub probes: Option<Probes>,
    /// How many pods.
    pub scaling: Option<Scaling>,
    /// How a new version replaces the old.
    pub rollout: Option<Rollout>,
    /// What the container may do. Hardened by default.
    pub security: Option<Security>,
    /// Who may reach it, and what it may reach.
    pub network: Option<Network>,
    /// A route from outside the cluster.
    pub route: Option<Route>,
    /// How many pods a maintenance may take away.
    pub disruption: Option<Disruption>,
    /// Where pods run.
    pub placement: Option<Placement>,
    /// Whether its volumes must be encrypted at rest. Default: true.
    pub encryption_required: Option<bool>,
    /// Whether it writes an audit log. Default: true.
    pub audit_logging: Option<bool>,
    /// When a scheduled workload runs.
    pub schedule: Option<Schedule>,
    /// The longest that a job may take; then it is stopped.
    pub deadline: Option<Duration>,
    /// What happens when a job fails.
    pub retries: Option<Retries>,
    /// What happens when the next run of a scheduled job is due and the last still goes on.
    pub concurrency: Option<Concurrency>,
    /// How long a pod may take to stop.
    pub termination_grace_period: Option<Duration>,
    /// Labels for its pods.
    pub labels: Option<BTreeMap<String, String>>,
    /// Annotations for its pods.
    pub annotations: Option<BTreeMap<String, String>>,
    /// Whether Prometheus is told to scrape the port named `metrics`. Default: true.
    pub scrape: Option<bool>,
    /// What else its pods have, in the form of Kubernetes' `PodSpec`: merged into what is rendered, lists by their keys.
    /// `containers` beside the workload's own and `initContainers` are written in full.
    pub pod: Option<BTreeMap<String, Json>>,
    /// What else its container has, in the form of Kubernetes' `Container`: merged like `pod`.
    pub container: Option<BTreeMap<String, Json>>,
    /// Values of your own, for your own templates.
    pub settings: Option<BTreeMap<String, Json>>,
}

/// The form of a workload.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize, Serialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum WorkloadType {
    /// Answers requests: a Deployment with a Service.
    Service,
    /// Works without being asked: a Deployment.
    Worker,
    /// Keeps data: a StatefulSet with a Service.
    Stateful,
    /// Runs once: a Job.
    Job,
    /// Runs again and again: a CronJob.
    Scheduled,
}

/// When an image is pulled.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize, Serialize, JsonSchema)]
pub enum ImagePullPolicy {
    /// At each start.
    Always,
    /// Unless the node has it.
    IfNotPresent,
    /// Never.
    Never,
}

/// A port.
#[derive(Clone, Debug, Deserialize, Serialize, JsonSchema, Fields)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Port {
    /// Its name: at most 15 characters.
    #[schemars(length(max = 15))]
    pub name: Name,
    /// The number that the container listens on.
    #[schemars(range(min = 1, max = 65535))]
    pub port: Option<u16>,
    /// The number of the Service's port. Default: the same.
    #[schemars(range(min = 1, max = 65535))]
    pub service_port: Option<u16>,
    /// Default: TCP.
    pub protocol: Option<Protocol>,
}

/// A transport protocol.
#[allow(clippy::upper_case_acronyms, reason = "as Kubernetes writes them")]
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize, Serialize, JsonSchema)]
pub enum Protocol {
    /// TCP.
    TCP,
    /// UDP.
    UDP,
    /// SCTP.
    SCTP,
}

/// An environment variable.
#[derive(Clone, Debug, Deserialize, Serialize, JsonSchema, Fields)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct EnvVar {
    /// Its name.
    #[schemars(regex(pattern = r"^[A-Za-z_.-][A-Za-z0-9_.-]*$"))]
    pub name: String,
    /// Its value: text, so numbers go in quotes.
    pub value: Option<String>,
    /// Where its value comes from, in Kubernetes' own form.
    pub value_from: Option<EnvSource>,
}

/// Where a variable's value comes from.
#[derive(Clone, Debug, Deserialize, Serialize, JsonSchema, Fields)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct EnvSource {
    /// A key of a Secret.
    pub secret_key_ref: Option<KeyReference>,
    /// A key of a ConfigMap.
    pub config_map_key_ref: Option<KeyReference>,
    /// A field of the pod: `metadata.name`.
    pub field_ref: Option<FieldReference>,
}

/// A key of a Secret or ConfigMap.
#[derive(Clone, Debug, Deserialize, Serialize, JsonSchema, Fields)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct KeyReference {
    /// The object's name.
    pub name: String,
    /// The key.
    pub key: String,
    /// Whether the pod starts without it.
    pub optional: Option<bool>,
}

/// A field of the pod.
#[derive(Clone, Debug, Deserialize, Serialize, JsonSchema, Fields)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct FieldReference {
    /// Its path.
    pub field_path: String,
}

/// Environment variables from a whole object.
#[derive(Clone, Debug, Deserialize, Serialize, JsonSchema, Fields)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct EnvFrom {
    /// What the variables' names begin with.
    pub prefix: Option<String>,
    /// A ConfigMap.
    pub config_map_ref: Option<ObjectReference>,
    /// A Secret.
    pub secret_ref: Option<ObjectReference>,
}

/// An object in the same namespace.
#[derive(Clone, Debug, Deserialize, Serialize, JsonSchema, Fields)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct ObjectReference {
    /// Its name.
    pub name: String,
    /// Whether the pod starts without it.
    pub optional: Option<bool>,
}

/// A secret, by reference: the material itself is never in the repository.
#[derive(Clone, Debug, Deserialize, Serialize, JsonSchema, Fields)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct SecretReference {
    /// Its name in the workload.
    pub name: Name,
    /// Its path in the secret store: `globex/database`.
    pub from: Option<String>,
    /// Keys of the Secret, each with the property of the stored secret that it holds.
    pub keys: Option<BTreeMap<String, String>>,
    /// Whether its keys become environment variables. Default: true, unless `mountPath` is set.
    pub env: Option<bool>,
    /// Where its keys become files.
    pub mount_path: Option<String>,
}

/// What a pod requests, and may use at most.
#[derive(Clone, Debug, Deserialize, Serialize, JsonSchema, Fields)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Resources {
    /// Processors requested. Default: 2.
    pub cpu: Option<Quantity>,
    /// Memory requested. Default: 4Gi.
    pub memory: Option<Quantity>,
    /// Ephemeral storage requested. Default: 20Gi.
    pub storage: Option<Quantity>,
    /// What it may use at most. Default: cpu × 1.5, memory × 1.2, storage × 1.
    pub limits: Option<ResourceLimits>,
}

/// What a pod may use at most.
#[derive(Clone, Debug, Deserialize, Serialize, JsonSchema, Fields)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct ResourceLimits {
    /// Processors.
    pub cpu: Option<Quantity>,
    /// Memory.
    pub memory: Option<Quantity>,
    /// Ephemeral storage.
    pub storage: Option<Quantity>,
}

/// GPUs.
#[derive(Clone, Debug, Deserialize, Serialize, JsonSchema, Fields)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Gpu {
    /// Whether it needs one. Default: false.
    pub required: Option<bool>,
    /// How many. Default: 1.
    #[schemars(range(min = 1, max = 64))]
    pub count: Option<u32>,
    /// The least memory of each, for choosing nodes.
    pub memory: Option<Quantity>,
    /// The resource that the device plugin offers. Default: `nvidia.com/gpu`.
    pub resource: Option<String>,
}

/// Files.
#[derive(Clone, Debug, Deserialize, Serialize, JsonSchema, Fields)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Volume {
    /// Its name.
    pub name: Name,
    /// Where the files come from.
    #[serde(rename = "type")]
    pub volume_type: Option<VolumeType>,
    /// Where the container sees them.
    pub mount_path: Option<String>,
    /// Whether the container may only read them. Default: false; true for config and secret.
    pub read_only: Option<bool>,
    /// How much a persistent or ephemeral volume holds.
    pub size: Option<Quantity>,
    /// The storage class of a persistent volume. Default: the cluster's default, or its first
    /// encrypted class where encryption is required.
    pub storage_class: Option<Name>,
    /// How a persistent volume may be mounted. Default: `ReadWriteOnce`.
    pub access_mode: Option<AccessMode>,
    /// The files of a config volume, by name.
    pub data: Option<BTreeMap<String, String>>,
    /// The name of the Secret of a secret volume.
    pub secret: Option<String>,
}

/// Where the files of a volume come from.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize, Serialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum VolumeType {
    /// A claim that outlives the pod.
    Persistent,
    /// Scratch space that goes with the pod.
    Ephemeral,
    /// Text written here, in `data`.
    Config,
    /// A Secret that exists in the namespace.
    Secret,
}

/// How a persistent volume may be mounted.
#[allow(clippy::enum_variant_names, reason = "as Kubernetes writes them")]
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize, Serialize, JsonSchema)]
pub enum AccessMode {
    /// By one node.
    ReadWriteOnce,
    /// By one pod.
    ReadWriteOncePod,
    /// By many nodes.
    ReadWriteMany,
    /// By many nodes, for reading.
    ReadOnlyMany,
}

/// How the cluster finds out whether the container works.
#[derive(Clone, Debug, Deserialize, Serialize, JsonSchema, Fields)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Probes {
    /// Restarts a container that is stuck. Default: `/health` after 30 s, then every 10 s.
    pub liveness: Option<Probe>,
    /// Takes a pod out of service. Default: `/ready` after 10 s, then every 5 s.
    pub readiness: Option<Probe>,
    /// Gives a slow start time.
    pub startup: Option<Probe>,
}

/// A question that the cluster asks the container.
#[derive(Clone, Debug, Deserialize, Serialize, JsonSchema, Fields)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Probe {
    /// A path that must answer with 200 to 399.
    pub path: Option<String>,
    /// The port, by name. Default: the first.
    pub port: Option<Name>,
    /// A command that must succeed, in place of a path.
    pub command: Option<Vec<String>>,
    /// Seconds before the first question.
    #[schemars(range(min = 0))]
    pub initial_delay_seconds: Option<u32>,
    /// Seconds between questions.
    #[schemars(range(min = 1))]
    pub period_seconds: Option<u32>,
    /// Seconds within which the answer must come.
    #[schemars(range(min = 1))]
    pub timeout_seconds: Option<u32>,
    /// Failures in a row that count.
    #[schemars(range(min = 1))]
    pub failure_threshold: Option<u32>,
}

/// How many pods.
#[derive(Clone, Debug, Deserialize, Serialize, JsonSchema, Fields)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Scaling {
    /// The least. Default: 1.
    #[schemars(range(min = 0, max = 1000))]
    pub min_replicas: Option<u32>,
    /// The most. Default: 10.
    #[schemars(range(min = 1, max = 1000))]
    pub max_replicas: Option<u32>,
    /// Whether the number follows the load. Default: true, for services and workers.
    pub enabled: Option<bool>,
    /// What the load is measured by. Merged by name. Default: `cpu` at 70 %, `memory` at 80 %,
    /// `data_throughput` at 100 records a second for each pod.
    pub metrics: Option<Vec<ScalingMetric>>,
}

/// A measure of the load.
#[derive(Clone, Debug, Deserialize, Serialize, JsonSchema, Fields)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct ScalingMetric {
    /// `cpu`, `memory`, or a name of your own.
    pub name: String,
    /// The share of what is requested that a pod should use, in percent: for `cpu` and `memory`.
    #[schemars(range(min = 1, max = 1000))]
    pub utilization: Option<u32>,
    /// A metric that each pod has: `data_processing_throughput_per_second`.
    pub metric: Option<String>,
    /// The value of that metric that a pod should have.
    pub average_value: Option<Quantity>,
}

/// What the container may do.
#[derive(Clone, Debug, Deserialize, Serialize, JsonSchema, Fields)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Security {
    /// Default: true.
    pub run_as_non_root: Option<bool>,
    /// Default: 1001.
    pub run_as_user: Option<u32>,
    /// Default: 1001.
    pub run_as_group: Option<u32>,
    /// The group of its volumes. Default: 1001.
    pub fs_group: Option<u32>,
    /// Default: true.
    pub read_only_root_filesystem: Option<bool>,
    /// Default: false.
    pub allow_privilege_escalation: Option<bool>,
    /// Linux capabilities that it gets. Default: none.
    pub add_capabilities: Option<Vec<String>>,
    /// Linux capabilities that it loses. Default: all.
    pub drop_capabilities: Option<Vec<String>>,
    /// Default: `RuntimeDefault`.
    pub seccomp_profile: Option<SeccompProfile>,
}

/// Which system calls are allowed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize, Serialize, JsonSchema)]
pub enum SeccompProfile {
    /// Those that the container runtime allows.
    RuntimeDefault,
    /// All.
    Unconfined,
}

/// Who may reach it, and what it may reach. Everything else is denied.
#[derive(Clone, Debug, Deserialize, Serialize, JsonSchema, Fields)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Network {
    /// Who may reach it. Merged by name.
    pub ingress: Option<Vec<NetworkPeer>>,
    /// What it may reach, besides its dependencies and DNS. Merged by name.
    pub egress: Option<Vec<NetworkPeer>>,
}

/// The other side of a connection.
#[derive(Clone, Debug, Deserialize, Serialize, JsonSchema, Fields)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct NetworkPeer {
    /// What to call it.
    pub name: Name,
    /// A component of the same tenant.
    pub component: Option<Name>,
    /// Namespaces by label.
    pub namespace_labels: Option<BTreeMap<String, String>>,
    /// Pods by label, in those namespaces or in the tenant's own.
    pub pod_labels: Option<BTreeMap<String, String>>,
    /// A range of addresses.
    pub cidr: Option<Cidr>,
    /// The ports: of this workload for ingress, of the other side for egress. Default: all.
    pub ports: Option<Vec<PeerPort>>,
}

/// A port of the other side.
#[derive(Clone, Debug, Deserialize, Serialize, JsonSchema, Fields)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct PeerPort {
    /// The number.
    #[schemars(range(min = 1, max = 65535))]
    pub port: u16,
    /// Default: TCP.
    pub protocol: Option<Protocol>,
}

/// A route from outside the cluster: an HTTPRoute where the cluster has the Gateway API, else an
/// Ingress.
#[derive(Clone, Debug, Deserialize, Serialize, JsonSchema, Fields)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Route {
    /// The host name. Default: `<component>.<tenant>.<domain of the cluster>`.
    pub host: Option<Domain>,
    /// The path below which requests are taken. Default: `/`.
    pub path: Option<String>,
    /// The port, by name. Default: the first.
    pub port: Option<Name>,
    /// The Secret with the certificate, for Ingress. Default: `<workload>-tls`.
    pub tls_secret: Option<String>,
    /// Annotations for the controller.
    pub annotations: Option<BTreeMap<String, String>>,
}

/// How many pods a maintenance may take away.
#[derive(Clone, Debug, Deserialize, Serialize, JsonSchema, Fields)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Disruption {
    /// Whether there is a limit at all. Default: true where there may be two pods.
    pub enabled: Option<bool>,
    /// How many must stay: a number or a share.
    pub min_available: Option<Json>,
    /// How many may go: a number or a share. Default: 1.
    pub max_unavailable: Option<Json>,
}

/// Where pods run.
#[derive(Clone, Debug, Deserialize, Serialize, JsonSchema, Fields)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Placement {
    /// Labels that the node must have.
    pub node_selector: Option<BTreeMap<String, String>>,
    /// Taints that are tolerated.
    pub tolerations: Option<Vec<Toleration>>,
    /// What pods are spread over. Default: `zone` for two pods or more.
    pub spread: Option<Spread>,
}

/// A taint that is tolerated.
#[derive(Clone, Debug, Deserialize, Serialize, JsonSchema, Fields)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Toleration {
    /// The taint's key.
    pub key: Option<String>,
    /// How the taint's value is compared. Default: `Equal`.
    pub operator: Option<TolerationOperator>,
    /// The taint's value.
    pub value: Option<String>,
    /// The taint's effect.
    pub effect: Option<super::cluster::TaintEffect>,
}

/// How a taint's value is compared.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize, Serialize, JsonSchema)]
pub enum TolerationOperator {
    /// It is the same.
    Equal,
    /// There may be any.
    Exists,
}

/// What pods are spread over.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize, Serialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Spread {
    /// Zones of the region.
    Zone,
    /// Nodes.
    Node,
    /// Nothing in particular.
    None,
}

/// When a scheduled workload runs.
#[derive(Clone, Debug, Deserialize, Serialize, JsonSchema, Fields)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Schedule {
    /// The times.
    pub cron: Option<Cron>,
    /// The time zone that they are in. Default: `Etc/UTC`.
    pub timezone: Option<TimeZone>,
    /// Whether it is paused. Default: false.
    pub suspend: Option<bool>,
}

/// What happens when a job fails.
#[derive(Clone, Debug, Deserialize, Serialize, JsonSchema, Fields)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Retries {
    /// How often it is tried again. Kubernetes doubles the pause each time, from 10 s to 6 min.
    /// Default: 3.
    #[schemars(range(min = 0, max = 100))]
    pub limit: Option<u32>,
}

/// What happens when the next run is due and the last still goes on.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize, Serialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Concurrency {
    /// Both run.
    Allow,
    /// The next is skipped.
    Forbid,
    /// The last is stopped.
    Replace,
}
