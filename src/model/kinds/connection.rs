//! Connection: an external system that components use.

use std::collections::BTreeMap;
use tenantry_derive::Fields;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::Tenant;
use super::component::{Access, Clearance};
use crate::model::catalog::Document;
use crate::model::listing::{Column, Listed};
use tenantry_engine::scalars::{Cidr, Duration, Name, Url};

/// An external system that components use: where it is, how to sign in, and how to hold up when it does not.
#[derive(Clone, Debug, Deserialize, Serialize, JsonSchema, Fields)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Connection {
    /// What it is, for people: `SAP S/4HANA`.
    pub system: String,
    /// The team that answers for the connection.
    pub owner: String,
    /// How the two talk.
    pub pattern: Pattern,
    /// Where it is: `https://erp.acme.example`, `postgres://warehouse.acme.example:5439/sales`.
    pub endpoint: Url,
    /// The addresses behind it, which network policies open. Without them, nothing is opened.
    #[serde(default)]
    pub addresses: Vec<Cidr>,
    /// Whether it is encrypted on its way. Default: true.
    #[serde(default)]
    pub tls: Option<bool>,
    /// How to sign in.
    #[serde(default)]
    pub auth: Option<Auth>,
    /// Where its credentials are. They are never written here.
    #[serde(default)]
    pub credentials: Option<Credentials>,
    /// What happens to a request that fails.
    #[serde(default)]
    pub retry: Retry,
    /// Whether a system that fails is left alone for a while. Default: true.
    #[serde(default)]
    pub circuit_breaker: Option<bool>,
    /// How long an answer is waited for. Default: `30s`.
    #[serde(default)]
    pub timeout: Option<Duration>,
    /// Requests a minute, at most.
    #[serde(default)]
    #[schemars(range(min = 1))]
    pub rate_limit: Option<u32>,
    /// Connections that are kept open.
    #[serde(default)]
    pub pool: Pool,
    /// The zone that the system is in.
    #[serde(default)]
    pub residency: Option<Name>,
    /// The class of the data that flows. Default: `internal`.
    #[serde(default)]
    pub classification: Option<Clearance>,
    /// How to tell whether it is there.
    #[serde(default)]
    pub health_check: Option<HealthCheck>,
    /// Tenants whose components may use it. Default: every tenant.
    #[serde(default)]
    pub access: Option<Access>,
}

/// How two systems talk.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize, Serialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Pattern {
    /// A question and its answer.
    RequestReply,
    /// Events for all who listen.
    PublishSubscribe,
    /// Messages for one who works on them.
    MessageQueue,
    /// Through a gateway of APIs.
    ApiGateway,
    /// Through the cluster's service mesh, which retries and breaks circuits.
    ServiceMesh,
}

/// How to sign in.
#[derive(Clone, Debug, Deserialize, Serialize, JsonSchema, Fields)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Auth {
    /// The method.
    pub method: AuthMethod,
    /// With `oauth2` (client credentials, RFC 6749, section 4.4): where tokens are made.
    #[serde(default)]
    pub token_url: Option<Url>,
    /// With `oauth2`: what is asked for.
    #[serde(default)]
    pub scopes: Vec<String>,
    /// How long before its end a token is replaced. Default: `5m`.
    #[serde(default)]
    pub refresh_before: Option<Duration>,
}

/// A method to sign in.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize, Serialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum AuthMethod {
    /// Name and password.
    Basic,
    /// `OAuth` 2.0, client credentials.
    Oauth2,
    /// SAML 2.0.
    Saml,
    /// A directory.
    Ldap,
    /// A second factor.
    Mfa,
    /// A client certificate.
    Certificate,
}

/// Where credentials are.
#[derive(Clone, Debug, Deserialize, Serialize, JsonSchema, Fields)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Credentials {
    /// The path in the secret store.
    pub from: String,
    /// Files that the component finds, and the keys of the secret: `{client-id: client_id}`.
    #[schemars(extend("minProperties" = 1))]
    pub keys: BTreeMap<String, String>,
}

/// What happens to a request that fails.
#[derive(Clone, Debug, Default, Deserialize, Serialize, JsonSchema, Fields)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Retry {
    /// How often it is tried again. Default: 3.
    #[serde(default)]
    #[schemars(range(max = 20))]
    pub attempts: Option<u32>,
    /// How long the first pause is; each is twice as long as the last. Default: `1s`.
    #[serde(default)]
    pub backoff: Option<Duration>,
}

/// Connections that are kept open.
#[derive(Clone, Debug, Default, Deserialize, Serialize, JsonSchema, Fields)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Pool {
    /// How many. Default: 10.
    #[serde(default)]
    #[schemars(range(min = 1))]
    pub size: Option<u32>,
    /// How many more in a rush. Default: 20.
    #[serde(default)]
    pub overflow: Option<u32>,
    /// Seconds until one is replaced. Default: 3600.
    #[serde(default)]
    #[schemars(range(min = 1))]
    pub recycle_seconds: Option<u32>,
    /// Whether one is tried before it is used. Default: true.
    #[serde(default)]
    pub pre_ping: Option<bool>,
}

/// How to tell whether a system is there.
#[derive(Clone, Debug, Deserialize, Serialize, JsonSchema, Fields)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct HealthCheck {
    /// A path that answers: `/health`.
    pub path: String,
    /// How often. Default: `30s`.
    #[serde(default)]
    pub every: Option<Duration>,
}

impl Listed for Connection {
    const COLUMNS: &'static [Column<Connection>] = &[
        Column::field("system", "SYSTEM"),
        Column::field("pattern", "PATTERN"),
        Column::field("endpoint", "ENDPOINT"),
        Column::field("classification", "CLASS"),
        Column::field("owner", "OWNER"),
    ];

    fn owners(document: &Document<Connection>) -> Vec<&str> {
        vec![&document.spec.owner]
    }

    fn concerns(document: &Document<Connection>, tenant: &Document<Tenant>) -> bool {
        let access = document.spec.access.as_ref();
        access.is_none_or(|access| access.is_open_to(tenant))
    }
}
