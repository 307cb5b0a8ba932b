//! Grant: who has a role, in which tenants.

use super::Environment;
use super::Role;
use crate::model::reference::Ref;
use std::collections::BTreeMap;
use tenantry_derive::Fields;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::Tenant;
use super::tenant::Subject;
use crate::model::catalog::Document;
use crate::model::listing::all_or;
use crate::model::listing::{Column, Listed};
use serde_json::json;
use tenantry_engine::scalars::Date;

/// Who has a role in several tenants, such as those who are on call. A grant in one tenant is written
/// into the tenant's own `grants`.
#[derive(Clone, Debug, Deserialize, Serialize, JsonSchema, Fields)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Grant {
    /// The tenants. Default: all.
    #[serde(default)]
    pub tenants: Vec<Ref<Tenant>>,
    /// Tenants by label: all must match.
    #[serde(default)]
    pub match_labels: BTreeMap<String, String>,
    /// The role.
    pub role: Ref<Role>,
    /// Who has it.
    #[schemars(length(min = 1))]
    pub subjects: Vec<Subject>,
    /// The environments it holds in. Default: all of the tenant's.
    #[serde(default)]
    pub environments: Vec<Ref<Environment>>,
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

impl Listed for Grant {
    const COLUMNS: &'static [Column<Grant>] = &[
        Column::field("role", "ROLE"),
        Column::made("subjects", "TO", |found, _| {
            let subjects = found.spec.subjects.iter();
            json!(subjects.map(|subject| &subject.name).collect::<Vec<_>>())
        }),
        Column::made("tenants", "TENANTS", |found, _| tenants(&found.spec)),
        Column::made("environments", "ENVIRONMENTS", |found, _| {
            all_or(&found.spec.environments)
        }),
        Column::field("expiresAt", "EXPIRES"),
    ];

    fn owners(_: &Document<Grant>) -> Vec<&str> {
        Vec::new()
    }

    fn concerns(document: &Document<Grant>, tenant: &Document<Tenant>) -> bool {
        document.spec.is_for(&tenant.name, &tenant.metadata.labels)
    }
}

/// The tenants that a grant holds in: names, and labels that all must have.
fn tenants(grant: &Grant) -> serde_json::Value {
    let labels = grant.match_labels.iter();
    let labels = labels.map(|(key, value)| format!("{key}={value}"));
    let names = grant.tenants.iter().map(|name| name.0.clone());
    let all: Vec<String> = names.chain(labels).collect();
    if all.is_empty() {
        json!("all")
    } else {
        json!(all)
    }
}
