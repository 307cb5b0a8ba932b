//! How a new version of a workload replaces the old.

use schemars::JsonSchema;
use serde::Deserialize;
use serde::Serialize;
use serde_json::Value as Json;
use tenantry_derive::Fields;
use tenantry_engine::scalars::Duration;
use tenantry_engine::scalars::ImageDigest;

/// How a new version replaces the old.
#[derive(Clone, Debug, Deserialize, Serialize, JsonSchema, Fields)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Rollout {
    /// Default: `rolling`. `canary` needs Argo Rollouts in the cluster; `blue-green` is two Deployments
    /// and a Service that switches where the cluster does not have it.
    pub strategy: Option<RolloutStrategy>,
    /// How many pods more than wanted there may be: a number or a share. Default: 1.
    pub max_surge: Option<Json>,
    /// How many pods less than wanted there may be: a number or a share. Default: 0.
    pub max_unavailable: Option<Json>,
    /// The steps of a canary.
    pub steps: Option<Vec<RolloutStep>>,
    /// Whether a blue-green rollout switches without being asked. Default: false.
    pub auto_promote: Option<bool>,
    /// What must hold for a canary to go on, by what Prometheus measures of the new pods.
    pub analysis: Option<RolloutAnalysis>,
    /// What must succeed before a blue-green rollout switches.
    pub validation: Option<RolloutValidation>,
    /// With `blue-green` and without Argo Rollouts: which of the two answers. Default: `blue`.
    pub active: Option<RolloutColor>,
    /// With `blue-green` and without Argo Rollouts: what the other one runs, to be looked at before
    /// the switch, or to go back to after it. Default: nothing.
    pub preview: Option<RolloutPreview>,
}

/// What must hold for a canary to go on.
#[derive(Clone, Debug, Deserialize, Serialize, JsonSchema, Fields)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct RolloutAnalysis {
    /// Requests that may fail, in percent. Default: the threshold of Monitoring.
    #[schemars(range(min = 0.0, max = 100.0))]
    pub error_rate: Option<f64>,
    /// The time within which 95 % of requests must be answered. Default: the threshold of Monitoring.
    pub response_time: Option<Duration>,
    /// How often it is measured. Default: `1m`.
    pub interval: Option<Duration>,
    /// Measurements that may be bad before it goes back. Default: 2.
    #[schemars(range(min = 0, max = 100))]
    pub failure_limit: Option<u32>,
}

/// What must succeed before a blue-green rollout switches: a command in a pod of the new image.
#[derive(Clone, Debug, Deserialize, Serialize, JsonSchema, Fields)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct RolloutValidation {
    /// The command. `PREVIEW_HOST` names the Service of the new pods.
    #[schemars(length(min = 1))]
    pub command: Option<Vec<String>>,
    /// The longest that it may take. Default: `10m`.
    pub timeout: Option<Duration>,
}

/// One of the two sides of a blue-green rollout.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize, Serialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum RolloutColor {
    /// One.
    Blue,
    /// The other.
    Green,
}

/// What the side that does not answer runs.
#[derive(Clone, Debug, Deserialize, Serialize, JsonSchema, Fields)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct RolloutPreview {
    /// The image's tag.
    #[schemars(regex(pattern = r"^[A-Za-z0-9_][A-Za-z0-9._-]{0,127}$"), extend("format" = "image-tag"))]
    pub tag: Option<String>,
    /// The image's digest.
    pub digest: Option<ImageDigest>,
    /// How many pods it has: as many as the load needs at the switch, because it is not scaled before.
    /// Default: `minReplicas`.
    #[schemars(range(min = 1, max = 1000))]
    pub replicas: Option<u32>,
}

/// How a new version replaces the old.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize, Serialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum RolloutStrategy {
    /// Pod by pod.
    Rolling,
    /// A growing share of the traffic.
    Canary,
    /// Beside the old one, then all at once.
    BlueGreen,
    /// The old one stops first.
    Recreate,
}

/// A step of a canary.
#[derive(Clone, Debug, Deserialize, Serialize, JsonSchema, Fields)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct RolloutStep {
    /// The share of the new version, in percent.
    #[schemars(range(min = 0, max = 100))]
    pub weight: u32,
    /// How long to wait then; without it, until somebody goes on.
    pub pause: Option<Duration>,
}
