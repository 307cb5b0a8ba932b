//! Tenant: who is served, within which limits.

use super::Component;
use super::Environment;
use super::Pipeline;
use super::Role;
use super::Tier;
use crate::model::reference::Ref;
use std::collections::BTreeMap;
use tenantry_derive::Fields;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::Value as Json;

use super::Workload;
use super::component::Clearance;
use crate::model::catalog::Document;
use crate::model::listing::{Column, Listed};
use serde_json::json;
use tenantry_engine::scalars::{Date, Name, Quantity, VersionReq};

/// Someone whom the platform serves, and the components that run for them.
#[derive(Clone, Debug, Deserialize, Serialize, JsonSchema, Fields)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Tenant {
    /// The tenant's name, for people.
    #[serde(default)]
    pub display_name: Option<String>,
    /// The team that answers for the tenant.
    pub owner: String,
    /// The day on which the tenant began.
    #[serde(default)]
    pub created_at: Option<Date>,
    /// Whom to reach, by purpose: `incidents: oncall@globex.example`.
    #[serde(default)]
    pub contacts: BTreeMap<String, String>,
    /// Where in the organisation the tenant belongs: it selects the contexts.
    #[serde(default)]
    pub organization: Organization,
    /// The tier, which sets limits and defaults.
    pub tier: Ref<Tier>,
    /// Where the tenant is in its life. Default: `active`.
    #[serde(default)]
    pub status: Option<TenantStatus>,
    /// How far the tenant is kept apart from others. Default: `namespace`.
    #[serde(default)]
    pub isolation: Option<Isolation>,
    /// The environments that the tenant runs in, by name.
    #[schemars(extend("minProperties" = 1))]
    pub environments: BTreeMap<Ref<Environment>, Option<TenantEnvironment>>,
    /// Limits that differ from the tier's.
    #[serde(default)]
    pub limits: Limits,
    /// Compliance frameworks that the tenant needs, by name, with their parameters.
    #[serde(default)]
    pub compliance: BTreeMap<String, Option<BTreeMap<String, Json>>>,
    /// The highest class of data that the tenant may handle. Default: `internal`.
    #[serde(default)]
    pub clearance: Option<Clearance>,
    /// The zones that the tenant's data may be in. Default: all.
    #[serde(default)]
    pub residency: Vec<Name>,
    /// Values for all workloads of the tenant.
    #[serde(default)]
    pub values: Option<Workload>,
    /// The components that run for the tenant.
    #[serde(default)]
    pub components: Vec<Subscription>,
    /// The pipelines that run its components.
    #[serde(default)]
    pub pipelines: Vec<PipelineSubscription>,
    /// Components that other tenants may reach.
    #[serde(default)]
    pub shares: Vec<Share>,
    /// Who may do what in the tenant's namespaces.
    #[serde(default)]
    pub grants: Vec<TenantGrant>,
    /// Who pays, and how.
    #[serde(default)]
    pub billing: Option<Billing>,
    /// How the tenant leaves.
    #[serde(default)]
    pub offboarding: Option<Offboarding>,
}

/// Where in the organisation a tenant belongs.
#[derive(Clone, Debug, Default, Deserialize, Serialize, JsonSchema, Fields)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Organization {
    /// The division.
    #[serde(default)]
    pub division: Option<String>,
    /// The department.
    #[serde(default)]
    pub department: Option<String>,
    /// The project.
    #[serde(default)]
    pub project: Option<String>,
}

/// Where a tenant is in its life.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize, Serialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum TenantStatus {
    /// Being set up: the namespace is there, workloads are not yet.
    Onboarding,
    /// In service.
    Active,
    /// Workloads are scaled to zero, everything else stays.
    Suspended,
    /// Leaving: workloads are gone, data stays until its retention ends.
    Offboarding,
}

/// How far a tenant is kept apart from others.
#[derive(
    Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Deserialize, Serialize, JsonSchema,
)]
#[serde(rename_all = "kebab-case")]
pub enum Isolation {
    /// A namespace for all shared tenants of an environment.
    Shared,
    /// A namespace of its own.
    Namespace,
    /// A namespace and a node pool of its own.
    Dedicated,
    /// A cluster of its own.
    Physical,
}

/// What holds for a tenant in one environment.
#[derive(Clone, Debug, Default, Deserialize, Serialize, JsonSchema, Fields)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct TenantEnvironment {
    /// The clusters to run on, out of the environment's. Default: all that fit.
    #[serde(default)]
    pub clusters: Vec<Name>,
    /// Values for all workloads of the tenant in this environment.
    #[serde(default)]
    pub values: Option<Workload>,
}

/// What a tenant may use.
#[derive(Clone, Debug, Default, Deserialize, Serialize, JsonSchema, Fields)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Limits {
    /// Jobs that may run at the same time.
    #[serde(default)]
    #[schemars(range(min = 1))]
    pub max_concurrent_jobs: Option<u32>,
    /// Hours of processing in a month; `null` for no limit.
    #[serde(default)]
    #[schemars(range(min = 1))]
    pub max_monthly_processing_hours: Option<u32>,
    /// All volumes and object storage together; `null` for no limit.
    #[serde(default)]
    pub storage_quota: Option<Quantity>,
    /// Agents that may run at the same time.
    #[serde(default)]
    #[schemars(range(min = 1))]
    pub max_concurrent_agents: Option<u32>,
    /// Memory that all pods in a cluster may request.
    #[serde(default)]
    pub memory: Option<Quantity>,
    /// Processors that all pods in a cluster may request.
    #[serde(default)]
    pub cpu: Option<Quantity>,
    /// Storage that all volumes in a cluster may request.
    #[serde(default)]
    pub storage: Option<Quantity>,
    /// Requests a minute, over all services.
    #[serde(default)]
    #[schemars(range(min = 1))]
    pub max_requests_per_minute: Option<u32>,
    /// The longest that one execution may take, in seconds.
    #[serde(default)]
    #[schemars(range(min = 1))]
    pub max_execution_seconds: Option<u32>,
    /// Limits of your own, for templates and rules.
    #[serde(default)]
    pub custom: BTreeMap<String, Json>,
}

/// A pipeline that runs for a tenant.
#[derive(Clone, Debug, Deserialize, Serialize, JsonSchema, Fields)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct PipelineSubscription {
    /// The pipeline.
    pub pipeline: Ref<Pipeline>,
    /// The environments that it runs in. Default: all of the tenant's.
    #[serde(default)]
    pub environments: Vec<Name>,
}

/// A component that runs for a tenant.
#[derive(Clone, Debug, Deserialize, Serialize, JsonSchema, Fields)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Subscription {
    /// The component.
    pub component: Ref<Component>,
    /// Which versions will do; the highest is taken. Default: any.
    #[serde(default)]
    pub version: Option<VersionReq>,
    /// The day on which the subscription began.
    #[serde(default)]
    pub since: Option<Date>,
    /// The environments it runs in, with what differs there. Default: all of the tenant's.
    #[serde(default)]
    pub environments: Option<BTreeMap<Ref<Environment>, Option<SubscriptionEnvironment>>>,
    /// Values for this workload.
    #[serde(default)]
    pub values: Option<Workload>,
    /// What the component lets its tenants set.
    #[serde(default)]
    pub parameters: BTreeMap<String, Json>,
}

/// What differs for a subscription in one environment.
#[derive(Clone, Debug, Default, Deserialize, Serialize, JsonSchema, Fields)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct SubscriptionEnvironment {
    /// Which versions will do in this environment, in place of the subscription's own requirement.
    #[serde(default)]
    pub version: Option<VersionReq>,
    /// Values for this workload in this environment.
    #[serde(default)]
    pub values: Option<Workload>,
    /// Parameters for this environment, over the subscription's own.
    #[serde(default)]
    pub parameters: BTreeMap<String, Json>,
}

/// A component that other tenants may reach.
#[derive(Clone, Debug, Deserialize, Serialize, JsonSchema, Fields)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Share {
    /// The component, one that the tenant itself runs.
    pub component: Name,
    /// The tenants that may reach it.
    #[schemars(length(min = 1))]
    pub with: Vec<Ref<Tenant>>,
    /// The names of the ports that they may reach. Default: all.
    #[serde(default)]
    pub ports: Vec<Name>,
    /// The last day of the share.
    #[serde(default)]
    pub expires_at: Option<Date>,
    /// What each of them may use of it.
    #[serde(default)]
    pub quota: ShareQuota,
    /// Why it is shared.
    #[serde(default)]
    pub reason: Option<String>,
}

/// What a tenant may use of what another shares with it. Gateways and applications hold to it, by the
/// bundle that is rendered for them.
#[derive(Clone, Debug, Default, Deserialize, Serialize, JsonSchema, Fields)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct ShareQuota {
    /// Requests a minute.
    #[serde(default)]
    #[schemars(range(min = 1))]
    pub requests_per_minute: Option<u32>,
    /// Bytes a day, both ways.
    #[serde(default)]
    pub bytes_per_day: Option<Quantity>,
}

/// Who may do what in a tenant's namespaces.
#[derive(Clone, Debug, Deserialize, Serialize, JsonSchema, Fields)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct TenantGrant {
    /// The role: a document of kind Role, or one that is built in, such as `viewer` and `operator`.
    pub role: Ref<Role>,
    /// Who.
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

/// Someone in the cluster's sense.
#[derive(Clone, Debug, Deserialize, Serialize, JsonSchema, Fields)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Subject {
    /// What the name names.
    pub kind: SubjectKind,
    /// The name of the user or group, as the identity provider has it, or of the service account.
    pub name: String,
}

/// What a subject's name names.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize, Serialize, JsonSchema)]
pub enum SubjectKind {
    /// A person.
    User,
    /// A group of people.
    Group,
    /// A service account in the tenant's namespace.
    ServiceAccount,
}

/// Who pays, and how.
#[derive(Clone, Debug, Deserialize, Serialize, JsonSchema, Fields)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Billing {
    /// The cost centre that is charged.
    pub cost_center: String,
    /// What is charged for. Default: `requested`.
    #[serde(default)]
    pub model: Option<BillingModel>,
    /// The sum for a month, with model `flat`.
    #[serde(default)]
    #[schemars(range(min = 0.0))]
    pub monthly_fee: Option<f64>,
    /// What the tenant means to spend in a month.
    #[serde(default)]
    #[schemars(range(min = 0.0))]
    pub monthly_budget: Option<f64>,
    /// ISO 4217 code of the budget's currency. Default: the platform's.
    #[serde(default)]
    pub currency: Option<String>,
}

/// What a tenant is charged for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize, Serialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum BillingModel {
    /// What its workloads request.
    Requested,
    /// Its whole quota.
    Reserved,
    /// A fixed sum: `monthlyFee`.
    Flat,
}

/// How a tenant leaves.
#[derive(Clone, Debug, Deserialize, Serialize, JsonSchema, Fields)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Offboarding {
    /// When it was asked for.
    pub requested_at: Date,
    /// The last day on which its data is kept.
    #[serde(default)]
    pub retain_data_until: Option<Date>,
    /// Where the last backup is made. Default: `cluster`.
    #[serde(default)]
    pub backup: Option<LastBackup>,
}

/// Where the last backup of a tenant is made.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize, Serialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum LastBackup {
    /// By Velero, in the tenant's clusters.
    Cluster,
    /// By other means.
    Elsewhere,
}

impl Listed for Tenant {
    const COLUMNS: &'static [Column<Tenant>] = &[
        Column::field("tier", "TIER"),
        Column::field("status", "STATUS"),
        Column::field("isolation", "ISOLATION"),
        Column::field("clearance", "CLEARANCE"),
        Column::made("environments", "ENVIRONMENTS", |found, _| {
            json!(found.spec.environments.keys().collect::<Vec<_>>())
        }),
        Column::made("components", "COMPONENTS", |found, _| {
            json!(found.spec.components.len())
        }),
        Column::field("owner", "OWNER"),
    ];

    fn owners(document: &Document<Tenant>) -> Vec<&str> {
        vec![&document.spec.owner]
    }

    fn concerns(document: &Document<Tenant>, tenant: &Document<Tenant>) -> bool {
        document.name == tenant.name
    }
}
