//! Environment: a stage on the way to production.

use super::Cluster;
use crate::model::reference::Ref;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use tenantry_derive::Fields;

use super::Workload;
use super::{Patch, Tenant};
use crate::model::catalog::Document;
use crate::model::listing::{Column, Listed};
use tenantry_engine::scalars::{Cron, Duration, TimeZone};

/// A stage on the way to production, with the clusters that belong to it.
#[derive(Clone, Debug, Deserialize, Serialize, JsonSchema, Fields)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Environment {
    /// What the environment is for.
    pub stage: Stage,
    /// The clusters that it runs on.
    #[schemars(length(min = 1))]
    pub clusters: Vec<Ref<Cluster>>,
    /// The environment that versions come from, once they are proven there.
    #[serde(default)]
    pub promotes_from: Option<Ref<Environment>>,
    /// Values for all workloads in this environment.
    #[serde(default)]
    pub values: Option<Workload>,
    /// Changes of objects as they are rendered.
    #[serde(default)]
    pub patches: Vec<Patch>,
    /// Who must approve a change.
    #[serde(default)]
    pub approvals: Option<Approvals>,
    /// When changes may reach the clusters, and when not. Without any, always.
    #[serde(default)]
    pub sync_windows: Vec<SyncWindow>,
}

/// A time at which changes may reach the clusters, or may not.
#[derive(Clone, Debug, Deserialize, Serialize, JsonSchema, Fields)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct SyncWindow {
    /// Whether they may.
    pub kind: SyncWindowKind,
    /// When it begins: `0 8 * * 1-4`.
    pub schedule: Cron,
    /// How long it goes on.
    pub duration: Duration,
    /// The time zone of the schedule. Default: `Etc/UTC`.
    #[serde(default)]
    pub timezone: Option<TimeZone>,
    /// Whether somebody may start a change by hand nevertheless. Default: false.
    #[serde(default)]
    pub manual: bool,
    /// Why: `the close of the quarter`.
    #[serde(default)]
    pub reason: Option<String>,
}

/// Whether changes may reach the clusters.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize, Serialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum SyncWindowKind {
    /// They may, and at no other time.
    Allow,
    /// They may not.
    Deny,
}

/// What an environment is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize, Serialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Stage {
    /// For those who build.
    Development,
    /// For those who test.
    Staging,
    /// For those who are served.
    Production,
    /// Takes over when production fails.
    DisasterRecovery,
}

/// Who must approve a change.
#[derive(Clone, Debug, Deserialize, Serialize, JsonSchema, Fields)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Approvals {
    /// How many people.
    #[schemars(range(min = 1, max = 20))]
    pub count: u32,
    /// The group that they belong to.
    pub group: String,
}

impl Listed for Environment {
    const COLUMNS: &'static [Column<Environment>] = &[
        Column::field("stage", "STAGE"),
        Column::field("clusters", "CLUSTERS"),
        Column::field("promotesFrom", "PROMOTES FROM"),
    ];

    fn owners(document: &Document<Environment>) -> Vec<&str> {
        let approvals = document.spec.approvals.iter();
        approvals
            .map(|approvals| approvals.group.as_str())
            .collect()
    }

    fn concerns(document: &Document<Environment>, tenant: &Document<Tenant>) -> bool {
        tenant
            .spec
            .environments
            .keys()
            .any(|name| name.0 == document.name)
    }
}
