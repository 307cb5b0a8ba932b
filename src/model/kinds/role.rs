//! Role: what people and services may do, in the cluster and in applications.

use crate::model::reference::Ref;
use std::collections::BTreeMap;
use tenantry_derive::Fields;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::Value as Json;

use super::Catalog;
use super::Tenant;
use super::component::Clearance;
use crate::model::catalog::Document;
use crate::model::listing::{Column, Listed};
use serde_json::json;
use tenantry_engine::scalars::{Cidr, Duration, Permission, TimeOfDay, TimeZone};

/// What those may do who are granted it: in a tenant's namespaces, and in its applications.
#[derive(Clone, Debug, Default, Deserialize, Serialize, JsonSchema, Fields)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Role {
    /// What applications allow: `agent:execute`, `data:read:confidential`.
    #[serde(default)]
    pub permissions: Vec<Permission>,
    /// What the cluster allows in the tenant's namespaces: rules of a Role, as
    /// <https://kubernetes.io/docs/reference/access-authn-authz/rbac/> has them.
    #[serde(default)]
    pub kubernetes: Vec<KubernetesRule>,
    /// Roles whose permissions, rules and constraints this one has, too.
    #[serde(default)]
    pub inherits: Vec<Ref<Role>>,
    /// When and from where it may be used.
    #[serde(default)]
    pub constraints: Constraints,
    /// Roles that nobody may have beside this one in the same tenant: separation of duties.
    #[serde(default)]
    pub conflicts_with: Vec<Ref<Role>>,
    /// Parameters of policies for grants of this role, by policy or framework; they may tighten, never weaken.
    #[serde(default)]
    pub policy_parameters: BTreeMap<String, BTreeMap<String, Json>>,
}

/// A rule of a Role of Kubernetes.
#[derive(Clone, Debug, Deserialize, Serialize, JsonSchema, Fields)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct KubernetesRule {
    /// The API groups; `""` is the core group.
    pub api_groups: Vec<String>,
    /// The resources, in plural: `pods`, `pods/log`.
    #[schemars(length(min = 1))]
    pub resources: Vec<String>,
    /// The names of single objects. Default: all.
    #[serde(default)]
    pub resource_names: Vec<String>,
    /// What may be done: `get`, `list`, `watch`, `create`, `update`, `patch`, `delete`.
    #[schemars(length(min = 1))]
    pub verbs: Vec<String>,
}

/// When and from where a role may be used. Applications hold to it, by the bundle that is rendered for them.
#[derive(Clone, Debug, Default, Deserialize, Serialize, JsonSchema, Fields)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Constraints {
    /// When. Default: always.
    #[serde(default)]
    pub hours: Option<Hours>,
    /// From which addresses. Default: all.
    #[serde(default)]
    pub ip_allow_list: Vec<Cidr>,
    /// How many sessions somebody may have at the same time.
    #[serde(default)]
    #[schemars(range(min = 1))]
    pub max_concurrent_sessions: Option<u32>,
    /// When an idle session ends.
    #[serde(default)]
    pub session_timeout: Option<Duration>,
    /// Whether a second factor is asked for.
    #[serde(default)]
    pub mfa: Option<bool>,
    /// The clearance that somebody needs.
    #[serde(default)]
    pub clearance: Option<Clearance>,
}

/// Hours of a week.
#[derive(Clone, Debug, Deserialize, Serialize, JsonSchema, Fields)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Hours {
    /// The days. Default: Monday to Friday.
    #[serde(default)]
    pub days: Vec<Weekday>,
    /// When it begins: `"08:00"`.
    pub from: TimeOfDay,
    /// When it ends: `"18:00"`.
    pub to: TimeOfDay,
    /// The time zone. Default: `Etc/UTC`.
    #[serde(default)]
    pub timezone: Option<TimeZone>,
}

/// A day of the week.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize, Serialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Weekday {
    /// Monday.
    Mon,
    /// Tuesday.
    Tue,
    /// Wednesday.
    Wed,
    /// Thursday.
    Thu,
    /// Friday.
    Fri,
    /// Saturday.
    Sat,
    /// Sunday.
    Sun,
}

impl Listed for Role {
    const COLUMNS: &'static [Column<Role>] = &[
        Column::field("inherits", "INHERITS"),
        Column::made("grants", "GRANTS", |found, catalog| {
            json!(granted(found, catalog))
        }),
        Column::made("description", "DESCRIPTION", |found, _| {
            json!(found.metadata.description)
        }),
    ];

    fn owners(_: &Document<Role>) -> Vec<&str> {
        Vec::new()
    }

    fn concerns(_: &Document<Role>, _: &Document<Tenant>) -> bool {
        true
    }
}

/// How many grants give a role.
fn granted(role: &Document<Role>, catalog: &Catalog) -> usize {
    let of_tenants = catalog.tenants.iter();
    let of_tenants = of_tenants.flat_map(|tenant| &tenant.spec.grants);
    let roles = of_tenants
        .map(|grant| &grant.role)
        .chain(catalog.grants.iter().map(|grant| &grant.spec.role));
    roles.filter(|name| name.0 == role.name).count()
}
