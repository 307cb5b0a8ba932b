//! Context: one layer of the organisation's context.

use std::collections::BTreeMap;
use tenantry_derive::Fields;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::Value as Json;

use super::Tenant;
use super::Workload;
use crate::model::catalog::Document;
use crate::model::listing::{Column, Listed};
use serde_json::json;
use tenantry_engine::scalars::{Date, ValuePath};

/// One layer of the organisation's context: values, locks and business facts for a part of it.
#[derive(Clone, Debug, Deserialize, Serialize, JsonSchema, Fields)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Context {
    /// Whom it holds for.
    pub scope: Scope,
    /// Which wins among contexts of the same level: the higher. Default: 5.
    #[serde(default)]
    #[schemars(range(min = 1, max = 10))]
    pub priority: Option<u8>,
    /// Who wrote it.
    #[serde(default)]
    pub created_by: Option<String>,
    /// When it was written.
    #[serde(default)]
    pub created_at: Option<Date>,
    /// The last day on which it holds.
    #[serde(default)]
    pub expires_at: Option<Date>,
    /// Words to find it by.
    #[serde(default)]
    pub tags: Vec<String>,
    /// Who may change it, by permission: `write: [platform-team]`.
    #[serde(default)]
    pub access: BTreeMap<String, Vec<String>>,
    /// Values for all workloads of this part of the organisation.
    #[serde(default)]
    pub values: Option<Workload>,
    /// Paths of values that lower layers must not override, whether they are set here or not.
    #[serde(default)]
    pub lock: Vec<ValuePath>,
    /// Parameters of policies, by policy; a lower layer may tighten them, never weaken.
    #[serde(default)]
    pub policy_parameters: BTreeMap<String, BTreeMap<String, Json>>,
    /// Facts for templates and rules: budgets, market, operations, regulation.
    #[serde(default)]
    pub business: BTreeMap<String, Json>,
}

/// A part of the organisation.
#[derive(Clone, Debug, Deserialize, Serialize, JsonSchema, Fields)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Scope {
    /// How large the part is.
    pub level: ContextLevel,
    /// Its name, as tenants' `organization` has it. Not needed at level global.
    #[serde(default)]
    pub name: Option<String>,
}

/// The levels of context, the widest first; a narrower one wins.
#[derive(
    Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Deserialize, Serialize, JsonSchema,
)]
#[serde(rename_all = "kebab-case")]
pub enum ContextLevel {
    /// The whole organisation.
    Global,
    /// A division.
    Division,
    /// A department.
    Department,
    /// A project.
    Project,
    /// One user; given by `--context`.
    User,
    /// One session; given by `--context`.
    Session,
}

impl Context {
    /// The name that other documents of the same scope are told apart by.
    pub fn scope_name(&self) -> &str {
        self.scope.name.as_deref().unwrap_or("")
    }

    /// Whether it holds for this part of the organisation; those of users and sessions hold for none.
    pub fn holds_for(&self, organization: Option<&super::tenant::Organization>) -> bool {
        let is = |named: Option<&Option<String>>| {
            named.is_some_and(|name| name.as_deref() == Some(self.scope_name()))
        };
        match self.scope.level {
            ContextLevel::Global => true,
            ContextLevel::Division => is(organization.map(|it| &it.division)),
            ContextLevel::Department => is(organization.map(|it| &it.department)),
            ContextLevel::Project => is(organization.map(|it| &it.project)),
            ContextLevel::User | ContextLevel::Session => false,
        }
    }

    /// The priority among contexts of the same level.
    pub fn priority(&self) -> u8 {
        self.priority.unwrap_or(5)
    }
}

impl std::fmt::Display for ContextLevel {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(match self {
            ContextLevel::Global => "global",
            ContextLevel::Division => "division",
            ContextLevel::Department => "department",
            ContextLevel::Project => "project",
            ContextLevel::User => "user",
            ContextLevel::Session => "session",
        })
    }
}

impl Listed for Context {
    const COLUMNS: &'static [Column<Context>] = &[
        Column::made("level", "LEVEL", |found, _| json!(found.spec.scope.level)),
        Column::made("of", "OF", |found, _| json!(found.spec.scope_name())),
        Column::made("priority", "PRIORITY", |found, _| {
            json!(found.spec.priority())
        }),
        Column::field("expiresAt", "EXPIRES"),
    ];

    fn owners(document: &Document<Context>) -> Vec<&str> {
        let writers = document.spec.access.get("write");
        writers.into_iter().flatten().map(String::as_str).collect()
    }

    fn concerns(_: &Document<Context>, _: &Document<Tenant>) -> bool {
        true
    }
}
