//! Waiver: an exception from a rule, for a while.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use tenantry_derive::Fields;

use super::Tenant;
use crate::model::catalog::Document;
use crate::model::listing::{Column, Listed};
use serde_json::json;
use tenantry_engine::scalars::{Date, Name};

/// An exception from a rule: for whom, why, by whom, until when. The finding stays visible.
#[derive(Clone, Debug, Deserialize, Serialize, JsonSchema, Fields)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Waiver {
    /// The rule. Either this or `code`.
    #[serde(default)]
    pub policy: Option<Name>,
    /// The code of findings that say what an API server would do, such as `T0501`: for a distribution or a webhook
    /// that does otherwise. Either this or `policy`.
    #[serde(default)]
    pub code: Option<String>,
    /// What is excepted: as little as possible.
    pub subject: WaiverSubject,
    /// Why.
    #[schemars(length(min = 1))]
    pub reason: String,
    /// Where it was discussed.
    #[serde(default)]
    pub ticket: Option<String>,
    /// What is done instead.
    #[serde(default)]
    pub compensating_control: Option<String>,
    /// Who asked for it.
    #[schemars(length(min = 1))]
    pub requested_by: String,
    /// Who allowed it: somebody else.
    #[schemars(length(min = 1))]
    pub approved_by: String,
    /// The first day.
    pub issued_at: Date,
    /// The last day.
    pub expires_at: Date,
}

impl Waiver {
    /// The policy or the code that it names.
    pub fn names(&self) -> &str {
        let policy = self.policy.as_ref().map(|policy| policy.0.as_str());
        policy.or(self.code.as_deref()).unwrap_or_default()
    }
}

/// What a waiver excepts. Everything that is written must be so.
#[derive(Clone, Debug, Default, Deserialize, Serialize, JsonSchema, Fields)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
#[schemars(extend("minProperties" = 1))]
pub struct WaiverSubject {
    /// This tenant.
    #[serde(default)]
    pub tenant: Option<Name>,
    /// This environment.
    #[serde(default)]
    pub environment: Option<Name>,
    /// This cluster.
    #[serde(default)]
    pub cluster: Option<Name>,
    /// This component.
    #[serde(default)]
    pub component: Option<Name>,
    /// This object: `Deployment/web`.
    #[serde(default)]
    pub object: Option<String>,
    /// This field of it, and what is below: `spec.template.spec.hostNetwork`.
    #[serde(default)]
    pub path: Option<String>,
}

impl Listed for Waiver {
    const COLUMNS: &'static [Column<Waiver>] = &[
        Column::made("policy", "POLICY", |found, _| json!(found.spec.names())),
        Column::field("reason", "REASON"),
        Column::field("approvedBy", "APPROVED BY"),
        Column::field("expiresAt", "EXPIRES"),
    ];

    fn owners(_: &Document<Waiver>) -> Vec<&str> {
        Vec::new()
    }

    fn concerns(_: &Document<Waiver>, _: &Document<Tenant>) -> bool {
        true
    }
}
