//! Environment: a stage on the way to production.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::Workload;
use crate::model::scalars::Name;

/// A stage on the way to production, with the clusters that belong to it.
#[derive(Clone, Debug, Deserialize, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Environment {
    /// What the environment is for.
    pub stage: Stage,
    /// The clusters that it runs on.
    #[schemars(length(min = 1))]
    pub clusters: Vec<Name>,
    /// The environment that versions come from, once they are proven there.
    #[serde(default)]
    pub promotes_from: Option<Name>,
    /// Values for all workloads in this environment.
    #[serde(default)]
    pub values: Option<Workload>,
    /// Who must approve a change.
    #[serde(default)]
    pub approvals: Option<Approvals>,
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
#[derive(Clone, Debug, Deserialize, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Approvals {
    /// How many people.
    #[schemars(range(min = 1, max = 20))]
    pub count: u32,
    /// The group that they belong to.
    pub group: String,
}
