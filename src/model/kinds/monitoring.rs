//! Monitoring: what is watched, and when somebody is told.

use super::Component;
use super::Environment;
use crate::model::reference::Ref;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use tenantry_derive::Fields;

use super::Tenant;
use super::component::Slo;
use crate::model::catalog::Document;
use crate::model::listing::all_or;
use crate::model::listing::{Column, Listed};
use tenantry_engine::scalars::{Duration, Url};

/// What is watched, and when somebody is told. Documents that hold for a workload are laid over one
/// another, the ones that name most last; a component's `alerts` and `slo` come on top. Without any
/// document, the defaults hold.
#[derive(Clone, Debug, Deserialize, Serialize, JsonSchema, Fields)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Monitoring {
    /// Tenants that it holds for. Default: all.
    #[serde(default)]
    pub tenants: Vec<Ref<Tenant>>,
    /// Environments that it holds for. Default: all.
    #[serde(default)]
    pub environments: Vec<Ref<Environment>>,
    /// Components that it holds for. Default: all.
    #[serde(default)]
    pub components: Vec<Ref<Component>>,
    /// Whether anything is watched. Default: true.
    #[serde(default)]
    pub enabled: Option<bool>,
    /// When somebody is told.
    #[serde(default)]
    pub thresholds: Thresholds,
    /// What is promised where a component promises nothing.
    #[serde(default)]
    pub slo: Option<Slo>,
    /// Telling before it happens.
    #[serde(default)]
    pub predictive: Predictive,
    /// The metrics that workloads have.
    #[serde(default)]
    pub metrics: Metrics,
    /// Dashboards for Grafana's sidecar, which loads ConfigMaps with the label `grafana_dashboard`.
    /// Default: true.
    #[serde(default)]
    pub dashboards: Option<bool>,
    /// Where the rendered runbooks can be read, without a `/` at the end. Runbooks are rendered if it is
    /// set, and alerts link to them.
    #[serde(default)]
    pub runbooks: Option<Url>,
}

/// When somebody is told.
#[derive(Clone, Debug, Default, Deserialize, Serialize, JsonSchema, Fields)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Thresholds {
    /// Requests that fail, in percent. Default: 5.
    #[serde(default)]
    #[schemars(range(min = 0.0, max = 100.0))]
    pub error_rate: Option<f64>,
    /// The time within which 95 % of requests are answered. Default: `1000ms`.
    #[serde(default)]
    pub response_time: Option<Duration>,
    /// Volumes, in percent of their size. Default: 80.
    #[serde(default)]
    #[schemars(range(min = 1.0, max = 100.0))]
    pub resources: Option<f64>,
    /// What a tenant uses of its quota, in percent. Default: 90.
    #[serde(default)]
    #[schemars(range(min = 1.0, max = 100.0))]
    pub quota: Option<f64>,
    /// Processors, in percent of the limit. Default: 80.
    #[serde(default)]
    #[schemars(range(min = 1.0, max = 100.0))]
    pub cpu: Option<f64>,
    /// Memory, in percent of the limit. Default: 85.
    #[serde(default)]
    #[schemars(range(min = 1.0, max = 100.0))]
    pub memory: Option<f64>,
    /// How long it must last. Default: `5m`.
    #[serde(default)]
    pub lasting: Option<Duration>,
}

/// Telling before it happens.
#[derive(Clone, Debug, Default, Deserialize, Serialize, JsonSchema, Fields)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Predictive {
    /// Whether trends are looked at. Default: true.
    #[serde(default)]
    pub enabled: Option<bool>,
    /// How far ahead. Default: `4h`.
    #[serde(default)]
    pub horizon: Option<Duration>,
    /// How far back a trend is measured. Default: `6h`.
    #[serde(default)]
    pub window: Option<Duration>,
}

/// The metrics that workloads have. All of them carry the labels `namespace`, `pod` and, as the
/// ServiceMonitor adds them, `tenant` and `component`.
#[derive(Clone, Debug, Default, Deserialize, Serialize, JsonSchema, Fields)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Metrics {
    /// A counter of requests. Default: `http_requests_total`.
    #[serde(default)]
    #[schemars(regex(pattern = r"^[a-zA-Z_:][a-zA-Z0-9_:]*$"), extend("format" = "metric-name"))]
    pub requests: Option<String>,
    /// The label of that counter which holds the status, of which those that begin with 5 are
    /// failures. Default: `code`.
    #[serde(default)]
    #[schemars(regex(pattern = r"^[a-zA-Z_][a-zA-Z0-9_]*$"), extend("format" = "label-name"))]
    pub status_label: Option<String>,
    /// A histogram of the seconds until an answer. Default: `http_request_duration_seconds`.
    #[serde(default)]
    #[schemars(regex(pattern = r"^[a-zA-Z_:][a-zA-Z0-9_:]*$"), extend("format" = "metric-name"))]
    pub duration: Option<String>,
    /// A gauge of the time, in seconds since 1970, at which a dataset was last written; its label
    /// `dataset` has the name. Default: `dataset_last_written_timestamp_seconds`.
    #[serde(default)]
    #[schemars(regex(pattern = r"^[a-zA-Z_:][a-zA-Z0-9_:]*$"), extend("format" = "metric-name"))]
    pub dataset_written: Option<String>,
}

impl Listed for Monitoring {
    const COLUMNS: &'static [Column<Monitoring>] = &[
        Column::made("tenants", "TENANTS", |found, _| all_or(&found.spec.tenants)),
        Column::made("environments", "ENVIRONMENTS", |found, _| {
            all_or(&found.spec.environments)
        }),
        Column::made("components", "COMPONENTS", |found, _| {
            all_or(&found.spec.components)
        }),
        Column::field("enabled", "ENABLED"),
    ];

    fn owners(_: &Document<Monitoring>) -> Vec<&str> {
        Vec::new()
    }

    fn concerns(document: &Document<Monitoring>, tenant: &Document<Tenant>) -> bool {
        let listed = &document.spec.tenants;
        listed.is_empty() || listed.iter().any(|name| name.0 == tenant.name)
    }
}
