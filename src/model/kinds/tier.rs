//! Tier: a named set of limits and defaults.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use tenantry_derive::Fields;

use super::{Isolation, Limits, Workload};
use super::{Patch, Tenant};
use crate::model::catalog::Document;
use crate::model::listing::{Column, Listed};
use serde_json::json;

/// A named set of limits and defaults that tenants subscribe to. `basic`, `professional`,
/// `enterprise` and `custom` are built in; a document of the same name replaces one.
#[derive(Clone, Debug, Deserialize, Serialize, JsonSchema, Fields)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Tier {
    /// What a tenant of this tier gets, unless it has limits of its own.
    #[serde(default)]
    pub limits: Limits,
    /// Whether every limit must be on the tenant, because nothing is included.
    #[serde(default)]
    pub require_limits: bool,
    /// How pods are ranked when a cluster is full: the higher stay. 0 to 1,000,000.
    #[serde(default)]
    #[schemars(range(min = 0, max = 1_000_000))]
    pub priority: Option<i32>,
    /// The availability that is promised, in percent: 99.9.
    #[serde(default)]
    #[schemars(range(min = 0.0, max = 100.0))]
    pub availability: Option<f64>,
    /// The levels of isolation that a tenant of this tier may have. Default: all.
    #[serde(default)]
    pub isolation: Vec<Isolation>,
    /// Values for all workloads of this tier.
    #[serde(default)]
    pub values: Option<Workload>,
    /// Changes of objects as they are rendered.
    #[serde(default)]
    pub patches: Vec<Patch>,
}

impl Listed for Tier {
    const COLUMNS: &'static [Column<Tier>] =
        &[Column::made("description", "DESCRIPTION", |found, _| {
            json!(found.metadata.description)
        })];

    fn owners(_: &Document<Tier>) -> Vec<&str> {
        Vec::new()
    }

    fn concerns(document: &Document<Tier>, tenant: &Document<Tenant>) -> bool {
        tenant.spec.tier.0 == document.name
    }
}
