//! AlertRoute: who is told of what, and who is told next.

use super::Environment;
use crate::model::reference::Ref;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use tenantry_derive::Fields;

use super::Tenant;
use crate::model::catalog::Document;
use crate::model::listing::all_or;
use crate::model::listing::{Column, Listed};
use serde_json::json;
use tenantry_engine::scalars::{Duration, Name};

/// Who is told of what, and who is told next when nothing happens. Renders an AlertmanagerConfig for
/// each tenant that it holds for, where the cluster has that API.
#[derive(Clone, Debug, Deserialize, Serialize, JsonSchema, Fields)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct AlertRoute {
    /// Tenants that it holds for. Default: all.
    #[serde(default)]
    pub tenants: Vec<Ref<Tenant>>,
    /// Environments that it holds for. Default: all.
    #[serde(default)]
    pub environments: Vec<Ref<Environment>>,
    /// Who can be told, by a name of your own.
    #[schemars(length(min = 1))]
    pub receivers: Vec<Receiver>,
    /// Who is told, by severity. Severities that are left out tell nobody.
    #[schemars(extend("minProperties" = 1))]
    pub severities: Severities,
}

/// Who is told, by how bad it is.
#[derive(Clone, Debug, Deserialize, Serialize, JsonSchema, Fields)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Severities {
    /// Somebody must get up.
    #[serde(default)]
    pub critical: Option<SeverityRoute>,
    /// To be looked at today.
    #[serde(default)]
    pub error: Option<SeverityRoute>,
    /// To be looked at on a working day.
    #[serde(default)]
    pub warning: Option<SeverityRoute>,
    /// Good to know.
    #[serde(default)]
    pub info: Option<SeverityRoute>,
}

/// Somebody who can be told, in one or more ways.
#[derive(Clone, Debug, Deserialize, Serialize, JsonSchema, Fields)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Receiver {
    /// Its name.
    pub name: Name,
    /// Addresses. The mail server is Alertmanager's own.
    #[serde(default)]
    pub email: Vec<String>,
    /// A channel of Slack.
    #[serde(default)]
    pub slack: Option<Slack>,
    /// A service of PagerDuty.
    #[serde(default)]
    pub pager_duty: Option<StoredSecret>,
    /// Anything else that takes Alertmanager's webhook; the secret holds its URL.
    #[serde(default)]
    pub webhook: Option<StoredSecret>,
}

/// A channel of Slack.
#[derive(Clone, Debug, Deserialize, Serialize, JsonSchema, Fields)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Slack {
    /// The channel: `#data-alerts`.
    pub channel: String,
    /// Where the webhook's URL is.
    pub secret: StoredSecret,
}

/// Something in the secret store.
#[derive(Clone, Debug, Deserialize, Serialize, JsonSchema, Fields)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct StoredSecret {
    /// The path in the store.
    pub from: String,
    /// The property there.
    pub key: String,
}

/// Who is told of alerts of a severity.
#[derive(Clone, Debug, Deserialize, Serialize, JsonSchema, Fields)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct SeverityRoute {
    /// Names of receivers.
    #[schemars(length(min = 1))]
    pub to: Vec<Name>,
    /// How often they are told again while it lasts. Default: `4h`.
    #[serde(default)]
    pub repeat: Option<Duration>,
    /// Who is told besides when it has lasted for a while, and after how long.
    #[serde(default)]
    pub escalate: Vec<Escalation>,
}

/// Who is told besides, when it has lasted for a while.
#[derive(Clone, Debug, Deserialize, Serialize, JsonSchema, Fields)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Escalation {
    /// For how long.
    pub after: Duration,
    /// Names of receivers.
    #[schemars(length(min = 1))]
    pub to: Vec<Name>,
}

impl Listed for AlertRoute {
    const COLUMNS: &'static [Column<AlertRoute>] = &[
        Column::made("tenants", "TENANTS", |found, _| all_or(&found.spec.tenants)),
        Column::made("environments", "ENVIRONMENTS", |found, _| {
            all_or(&found.spec.environments)
        }),
        Column::made("severities", "SEVERITIES", |found, _| {
            let severities = found.effective_fields().severities().node();
            let severities = severities
                .map(tenantry_syntax::yaml::Node::entries)
                .unwrap_or_default();
            json!(severities.iter().map(|one| &*one.key).collect::<Vec<_>>())
        }),
    ];

    fn owners(_: &Document<AlertRoute>) -> Vec<&str> {
        Vec::new()
    }

    fn concerns(document: &Document<AlertRoute>, tenant: &Document<Tenant>) -> bool {
        let listed = &document.spec.tenants;
        listed.is_empty() || listed.iter().any(|name| name.0 == tenant.name)
    }
}
