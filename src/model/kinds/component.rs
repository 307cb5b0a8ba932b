//! Component: something that runs for tenants.

use super::Connection;
use super::Dataset;
use crate::model::reference::Ref;
use std::collections::BTreeMap;
use tenantry_derive::Fields;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::Value as Json;

use super::{Patch, Tenant};
use super::{Thresholds, Workload};
use crate::model::catalog::Document;
use crate::model::listing::{Column, Listed};
use tenantry_engine::scalars::{Date, Name, Url, Version, VersionReq};

/// Something that runs for tenants, in one version; several versions may stand side by side.
#[derive(Clone, Debug, Deserialize, Serialize, JsonSchema, Fields)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Component {
    /// The version: `1.4.2`.
    pub version: Version,
    /// The component's name, for people.
    #[serde(default)]
    pub display_name: Option<String>,
    /// The team that answers for it.
    pub owner: String,
    /// Where it is in its life. Default: `active`.
    #[serde(default)]
    pub status: Option<ComponentStatus>,
    /// The day since which it is deprecated.
    #[serde(default)]
    pub deprecated_on: Option<Date>,
    /// The day on which it goes.
    #[serde(default)]
    pub sunset_on: Option<Date>,
    /// The component to move to.
    #[serde(default)]
    pub replaced_by: Option<Ref<Component>>,
    /// What it can do, for discovery: `batch-ingest`.
    #[schemars(length(min = 1))]
    pub capabilities: Vec<String>,
    /// The data formats that it reads or writes: `json`, `parquet`.
    #[schemars(length(min = 1))]
    pub data_formats: Vec<String>,
    /// The highest class of data that it handles. Default: `internal`.
    #[serde(default)]
    pub clearance: Option<Clearance>,
    /// Frameworks that it is certified for: `SOC2`, `GDPR`.
    #[serde(default)]
    pub certifications: Vec<String>,
    /// Components that must run beside it.
    #[serde(default)]
    pub dependencies: Vec<Dependency>,
    /// Who may subscribe. Default: every tenant.
    #[serde(default)]
    pub access: Option<Access>,
    /// Data that it reads and writes.
    #[serde(default)]
    pub lineage: Lineage,
    /// A JSON Schema (draft 2020-12) of the parameters that tenants may set.
    #[serde(default)]
    pub parameters: Option<BTreeMap<String, Json>>,
    /// What runs.
    pub workload: Workload,
    /// Changes of its objects as they are rendered.
    #[serde(default)]
    pub patches: Vec<Patch>,
    /// External systems that it uses, by the name of their Connection.
    #[serde(default)]
    pub connections: Vec<Ref<Connection>>,
    /// What its users can count on.
    #[serde(default)]
    pub slo: Option<Slo>,
    /// Thresholds that differ from those of the Monitoring documents.
    #[serde(default)]
    pub alerts: Thresholds,
    /// What to do when it fails.
    #[serde(default)]
    pub runbook: Option<Url>,
    /// How an agent is prompted.
    #[serde(default)]
    pub agent: Option<Agent>,
    /// Templates of the repository that are rendered for this component only, by their path below
    /// `templates/`.
    #[serde(default)]
    pub templates: Vec<String>,
}

/// Where a component is in its life.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize, Serialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum ComponentStatus {
    /// In service.
    Active,
    /// Still in service; its users should move.
    Deprecated,
    /// Takes no new subscriptions.
    Sunset,
    /// Kept for the record, cannot be deployed.
    Archived,
}

/// Classes of data, the most open first.
#[derive(
    Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Deserialize, Serialize, JsonSchema,
)]
#[serde(rename_all = "kebab-case")]
pub enum Clearance {
    /// For everybody.
    Public,
    /// For the organisation.
    Internal,
    /// For those who need it.
    Confidential,
    /// For those who are named.
    Restricted,
}

/// A component that must run beside this one.
#[derive(Clone, Debug, Deserialize, Serialize, JsonSchema, Fields)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Dependency {
    /// The component.
    pub component: Ref<Component>,
    /// Which versions will do. Default: any.
    #[serde(default)]
    pub version: Option<VersionReq>,
}

/// Who may subscribe.
#[derive(Clone, Debug, Default, Deserialize, Serialize, JsonSchema, Fields)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Access {
    /// Tenants by name.
    #[serde(default)]
    pub tenants: Vec<Ref<Tenant>>,
    /// Tenants by label: all must match.
    #[serde(default)]
    pub match_labels: BTreeMap<String, String>,
}

/// Data that a component reads and writes.
#[derive(Clone, Debug, Default, Deserialize, Serialize, JsonSchema, Fields)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Lineage {
    /// Datasets that are read.
    #[serde(default)]
    pub inputs: Vec<Ref<Dataset>>,
    /// Datasets that are written.
    #[serde(default)]
    pub outputs: Vec<Ref<Dataset>>,
    /// Outputs that may be of a lower class than what is read, and what makes them so:
    /// `daily-sales: sums over at least fifty customers`.
    #[serde(default)]
    pub lowers: BTreeMap<Name, String>,
    /// Whether flows are recorded. Default: true.
    #[serde(default)]
    pub tracking: Option<bool>,
}

/// What users of a component can count on.
#[derive(Clone, Debug, Deserialize, Serialize, JsonSchema, Fields)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Slo {
    /// Successful requests, in percent: 99.9.
    #[serde(default)]
    #[schemars(range(min = 0.0, max = 100.0))]
    pub availability: Option<f64>,
    /// The time within which 99 % of requests are answered: `250ms`. It must be a bucket of the
    /// histogram that Monitoring's `metrics.duration` names.
    #[serde(default)]
    pub latency: Option<tenantry_engine::scalars::Duration>,
    /// How old what it writes may become: `26h`.
    #[serde(default)]
    pub freshness: Option<tenantry_engine::scalars::Duration>,
}

/// How an agent is prompted. Renders a ConfigMap with the prompt and the tenant's context.
#[derive(Clone, Debug, Deserialize, Serialize, JsonSchema, Fields)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Agent {
    /// The prompt.
    pub prompt: String,
    /// Which parts of the context's `business` facts are given. Default: all.
    #[serde(default)]
    pub context_keys: Vec<String>,
    /// How they are given. Default: `append`.
    #[serde(default)]
    pub strategy: Option<PromptStrategy>,
    /// Who answers for what it does.
    #[serde(default)]
    pub governance: AgentGovernance,
}

/// Who answers for what an agent does.
#[derive(Clone, Debug, Default, Deserialize, Serialize, JsonSchema, Fields)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct AgentGovernance {
    /// Who approved the model and the prompt.
    #[serde(default)]
    pub approved_by: Option<String>,
    /// The day of that.
    #[serde(default)]
    pub approved_on: Option<Date>,
    /// Who looks at what it decides, and can overrule it.
    #[serde(default)]
    pub oversight: Option<String>,
    /// Whether its answers are watched for bias.
    #[serde(default)]
    pub bias_monitored: bool,
    /// Whether it tells how it came to an answer.
    #[serde(default)]
    pub explains: bool,
}

/// How context enters a prompt.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize, Serialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum PromptStrategy {
    /// After the prompt.
    Append,
    /// Before the prompt.
    Inject,
    /// Where the prompt says `{name}`.
    Template,
}

impl Listed for Component {
    const COLUMNS: &'static [Column<Component>] = &[
        Column::field("version", "VERSION"),
        Column::field("status", "STATUS"),
        Column::field("clearance", "CLEARANCE"),
        Column::field("capabilities", "CAPABILITIES"),
        Column::field("dataFormats", "FORMATS"),
        Column::field("owner", "OWNER"),
    ];

    fn owners(document: &Document<Component>) -> Vec<&str> {
        vec![&document.spec.owner]
    }

    fn concerns(document: &Document<Component>, tenant: &Document<Tenant>) -> bool {
        let spec = &document.spec;
        spec.access
            .as_ref()
            .is_none_or(|access| access.is_open_to(tenant))
            && tenant.spec.clearance >= spec.clearance
    }
}

impl Access {
    /// Whether a tenant is among those: by its name, or by all labels, if there are any.
    pub fn is_open_to(&self, tenant: &Document<Tenant>) -> bool {
        let labels = &tenant.metadata.labels;
        let mut wanted = self.match_labels.iter();
        self.tenants.iter().any(|name| name.0 == tenant.name)
            || !self.match_labels.is_empty()
                && wanted.all(|(key, value)| labels.get(key) == Some(value))
    }
}
