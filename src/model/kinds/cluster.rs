//! Cluster: where workloads run.

use crate::model::reference::Ref;
use std::collections::BTreeMap;
use tenantry_derive::Fields;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::Workload;
use super::{Patch, Tenant};
use crate::model::catalog::Document;
use crate::model::listing::{Column, Listed};
use tenantry_engine::scalars::{Cidr, Domain, Name, Quantity};

/// A Kubernetes cluster: where it is, what it has, and what it can do.
#[derive(Clone, Debug, Deserialize, Serialize, JsonSchema, Fields)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Cluster {
    /// The provider's region: `eu-central-1`.
    pub region: String,
    /// The zone that data in this cluster is in, as tenants' `residency` names it: `eu`.
    pub residency: Name,
    /// The Kubernetes version, major and minor: `"1.36"`.
    #[schemars(regex(pattern = r"^1\.[0-9]{1,2}(\.[0-9]+)?$"), extend("format" = "kubernetes-version"))]
    pub kubernetes_version: String,
    /// APIs beyond Kubernetes' own: `argoproj.io/v1alpha1/Rollout`, or a whole group such as
    /// `monitoring.coreos.com/v1`.
    #[serde(default)]
    pub apis: Vec<String>,
    /// A dump of the cluster's own API (`kubectl get --raw /openapi/v2`, or the documents of `/openapi/v3` one
    /// after another), which manifests are then judged by. A path from the repository's root.
    #[serde(default)]
    pub openapi: Option<String>,
    /// Files of CustomResourceDefinitions, which custom resources are judged by. Paths from the
    /// repository's root.
    #[serde(default)]
    pub crds: Vec<String>,
    /// Groups of nodes.
    #[serde(default)]
    pub node_pools: Vec<NodePool>,
    /// The storage classes that exist.
    #[serde(default)]
    pub storage_classes: Vec<StorageClass>,
    /// How the API server encrypts Secrets at rest. With it, an EncryptionConfiguration is rendered.
    #[serde(default)]
    pub encryption: Option<KeyService>,
    /// What the cluster can hold in all.
    #[serde(default)]
    pub capacity: Option<Capacity>,
    /// The one tenant that the cluster belongs to (isolation `physical`).
    #[serde(default)]
    pub dedicated_to: Option<Ref<Tenant>>,
    /// Where the addresses of pods are. What network policies say of addresses is then told apart from
    /// what they say of pods; without it, any range may be one that pods are in.
    #[serde(default)]
    pub pod_cidrs: Vec<Cidr>,
    /// Where the API server is, which the pods of workflows report to.
    #[serde(default)]
    pub api_server_cidrs: Vec<Cidr>,
    /// The domain below which tenants' routes are served.
    #[serde(default)]
    pub domain: Option<Domain>,
    /// The class of ingress controller, where routes are served by Ingress. Default: `nginx`.
    #[serde(default)]
    pub ingress_class: Option<Name>,
    /// The namespace of the ingress controller. Default: `ingress-nginx`.
    #[serde(default)]
    pub ingress_namespace: Option<Name>,
    /// The Gateway that HTTPRoutes attach to, where the cluster has the Gateway API:
    /// `namespace/name`. Default: `gateway/public`.
    #[serde(default)]
    pub gateway: Option<String>,
    /// Objects that exist in the cluster already and may be referred to: `ConfigMap/ca-bundle`.
    #[serde(default)]
    pub existing: Vec<String>,
    /// Values for all workloads in this cluster.
    #[serde(default)]
    pub values: Option<Workload>,
    /// Changes of objects as they are rendered.
    #[serde(default)]
    pub patches: Vec<Patch>,
}

/// A group of nodes.
#[derive(Clone, Debug, Deserialize, Serialize, JsonSchema, Fields)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct NodePool {
    /// Its name.
    pub name: Name,
    /// Labels that all its nodes have.
    #[serde(default)]
    pub labels: BTreeMap<String, String>,
    /// Taints that keep other pods away.
    #[serde(default)]
    pub taints: Vec<Taint>,
    /// Whether its nodes have GPUs.
    #[serde(default)]
    pub gpu: bool,
    /// The tenant that it belongs to (isolation `dedicated`).
    #[serde(default)]
    pub tenant: Option<Ref<Tenant>>,
}

/// A taint of nodes.
#[derive(Clone, Debug, Deserialize, Serialize, JsonSchema, Fields)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Taint {
    /// Its key.
    pub key: String,
    /// Its value.
    #[serde(default)]
    pub value: Option<String>,
    /// What happens to pods that do not tolerate it.
    pub effect: TaintEffect,
}

/// What a taint does to pods that do not tolerate it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize, Serialize, JsonSchema)]
pub enum TaintEffect {
    /// They are not scheduled.
    NoSchedule,
    /// They are scheduled elsewhere if possible.
    PreferNoSchedule,
    /// They are moved away.
    NoExecute,
}

/// A service that keeps the keys by which the API server encrypts
/// (<https://kubernetes.io/docs/tasks/administer-cluster/kms-provider/>).
#[derive(Clone, Debug, Deserialize, Serialize, JsonSchema, Fields)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct KeyService {
    /// The plugin's name, which is kept beside what it encrypted.
    pub name: Name,
    /// Its socket: `unix:///var/run/kms/plugin.sock`.
    #[schemars(regex(pattern = r"^unix:///[^ ]+$"), extend("format" = "unix-socket"))]
    pub endpoint: String,
}

/// A storage class. It is rendered if its `provisioner` is written, and is there already if not.
#[derive(Clone, Debug, Deserialize, Serialize, JsonSchema, Fields)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct StorageClass {
    /// Its name.
    pub name: Name,
    /// Whether its volumes are encrypted at rest.
    #[serde(default)]
    pub encrypted: bool,
    /// Whether it is what workloads get that name no class. The first one, if none says so.
    #[serde(default)]
    pub default: bool,
    /// What makes its volumes: `ebs.csi.aws.com`.
    #[serde(default)]
    pub provisioner: Option<String>,
    /// Settings of the provisioner: `{type: gp3, encrypted: "true"}`.
    #[serde(default)]
    pub parameters: BTreeMap<String, String>,
}

/// What a cluster can hold in all.
#[derive(Clone, Debug, Deserialize, Serialize, JsonSchema, Fields)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Capacity {
    /// Processors.
    #[serde(default)]
    pub cpu: Option<Quantity>,
    /// Memory.
    #[serde(default)]
    pub memory: Option<Quantity>,
    /// Storage for volumes.
    #[serde(default)]
    pub storage: Option<Quantity>,
}

impl Listed for Cluster {
    const COLUMNS: &'static [Column<Cluster>] = &[
        Column::field("region", "REGION"),
        Column::field("residency", "RESIDENCY"),
        Column::field("kubernetesVersion", "KUBERNETES"),
        Column::field("dedicatedTo", "DEDICATED TO"),
    ];

    fn owners(_: &Document<Cluster>) -> Vec<&str> {
        Vec::new()
    }

    fn concerns(_: &Document<Cluster>, _: &Document<Tenant>) -> bool {
        true
    }
}
