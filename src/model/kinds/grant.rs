//! Grant: who has a role, in which tenants.

use std::collections::BTreeMap;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::tenant::Subject;
use crate::model::scalars::{Date, Name};

/// Who has a role in several tenants, such as those who are on call. A grant in one tenant is written
/// into the tenant's own `grants`.
#[derive(Clone, Debug, Deserialize, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Grant {
    /// The tenants. Default: all.
    #[serde(default)]
    pub tenants: Vec<Name>,
    /// Tenants by label: all must match.
    #[serde(default)]
    pub match_labels: BTreeMap<String, String>,
    /// The role.
    pub role: Name,
    /// Who has it.
    #[schemars(length(min = 1))]
    pub subjects: Vec<Subject>,
    /// The environments it holds in. Default: all of the tenant's.
    #[serde(default)]
    pub environments: Vec<Name>,
    /// The first day.
    #[serde(default)]
    pub granted_at: Option<Date>,
    /// The last day.
    #[serde(default)]
    pub expires_at: Option<Date>,
    /// Who approved it.
    #[serde(default)]
    pub approved_by: Option<String>,
    /// Why.
    #[serde(default)]
    pub reason: Option<String>,
}

impl Grant {
    /// Whether it holds in a tenant.
    pub fn is_for(&self, name: &str, labels: &BTreeMap<String, String>) -> bool {
        let by_name = self.tenants.is_empty() || self.tenants.iter().any(|tenant| tenant.0 == name);
        by_name
            && self
                .match_labels
                .iter()
                .all(|(key, value)| labels.get(key) == Some(value))
    }
}
