//! Policy: a rule that manifests, or documents of ours, must meet.

mod cases;

use super::Tier;
use crate::model::reference::Ref;
pub use cases::{Case, CaseRequest, RequestResource, Tests};
use std::collections::BTreeMap;
use tenantry_derive::Fields;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::Value as Json;
use serde_json::json;

use super::Tenant;
use super::platform::Enforcement;
use super::{Isolation, Stage};
use crate::model::catalog::Document;
use crate::model::listing::{Column, Listed};

/// A rule: a ValidatingAdmissionPolicy of Kubernetes with what a compiler needs besides. Its spec may
/// be copied from one: <https://kubernetes.io/docs/reference/access-authn-authz/validating-admission-policy/>.
#[derive(Clone, Debug, Default, Deserialize, Serialize, JsonSchema, Fields)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Policy {
    /// What the rule asks for, in one sentence.
    pub title: String,
    /// How bad it is when it is not met. Default: `medium`.
    #[serde(default)]
    pub severity: Option<RuleSeverity>,
    /// What a finding does. Default: `deny`.
    #[serde(default)]
    pub enforcement: Option<Enforcement>,
    /// What it judges. Default: `manifest`.
    #[serde(default)]
    pub target: Option<Target>,
    /// Where it holds. Default: everywhere.
    #[serde(default, rename = "match")]
    pub matching: Matching,
    /// Which objects it judges, as in a ValidatingAdmissionPolicy. For target `manifest` and `change`.
    #[serde(default)]
    pub match_constraints: Option<MatchResources>,
    /// Expressions that must all be true for the rule to judge an object.
    #[serde(default)]
    #[schemars(length(max = 63))]
    pub match_conditions: Vec<MatchCondition>,
    /// What an error in an expression means: a finding, or nothing. Default: `Fail`.
    #[serde(default)]
    pub failure_policy: Option<FailurePolicy>,
    /// Values that expressions see as `params`, by name.
    #[serde(default)]
    pub parameters: BTreeMap<String, Parameter>,
    /// Values that expressions see as `variables`; each sees those above it.
    #[serde(default)]
    #[schemars(length(max = 49))]
    pub variables: Vec<NamedExpression>,
    /// What must be true.
    #[schemars(length(min = 1))]
    pub validations: Vec<Validation>,
    /// Facts for the audit log of the API server.
    #[serde(default)]
    pub audit_annotations: Vec<AuditAnnotation>,
    /// The controls that it serves, by framework and control id, and how far: a check of manifests
    /// supports a control, it never meets one alone.
    #[serde(default)]
    pub controls: BTreeMap<String, BTreeMap<String, Strength>>,
    /// Why it is asked for.
    #[serde(default)]
    pub rationale: Option<String>,
    /// What to write instead.
    #[serde(default)]
    pub remediation: Option<String>,
    /// Its own cases; `tenantry policy test` runs them.
    #[serde(default)]
    pub tests: Tests,
}

/// How bad it is when a rule is not met.
#[derive(
    Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Deserialize, Serialize, JsonSchema,
)]
#[serde(rename_all = "kebab-case")]
pub enum RuleSeverity {
    /// Good to know.
    Info,
    /// Hygiene.
    Low,
    /// A weakness.
    Medium,
    /// A weakness that is easy to use.
    High,
    /// An open door.
    Critical,
}

impl RuleSeverity {
    /// The word that output formats print.
    pub fn name(self) -> &'static str {
        match self {
            RuleSeverity::Info => "info",
            RuleSeverity::Low => "low",
            RuleSeverity::Medium => "medium",
            RuleSeverity::High => "high",
            RuleSeverity::Critical => "critical",
        }
    }
}

/// What a rule judges.
#[derive(
    Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Deserialize, Serialize, JsonSchema,
)]
#[serde(rename_all = "kebab-case")]
pub enum Target {
    /// Each rendered object, as the API server would see it.
    #[default]
    Manifest,
    /// Each tenant, as `tenant`.
    Tenant,
    /// Each version of a component, as `component`.
    Component,
    /// Each grant in each tenant that it holds in, as `grant`, with its `role` and `tenant`.
    Grant,
    /// Each dataset, as `dataset`.
    Dataset,
    /// Each connection, as `connection`.
    Connection,
    /// Each recovery plan, as `recoveryPlan`.
    RecoveryPlan,
    /// Each component of a tenant in an environment on a cluster, as `instance`, `workload` and `monitoring`.
    Instance,
    /// Each object that a change touches, in `tenantry diff`, as `object`, `oldObject` and `change`.
    Change,
    /// The platform as a whole, as `platform`.
    Platform,
}

impl Target {
    /// The word that documents write.
    pub fn name(self) -> &'static str {
        match self {
            Target::Manifest => "manifest",
            Target::Tenant => "tenant",
            Target::Component => "component",
            Target::Grant => "grant",
            Target::Dataset => "dataset",
            Target::Connection => "connection",
            Target::RecoveryPlan => "recoveryPlan",
            Target::Instance => "instance",
            Target::Change => "change",
            Target::Platform => "platform",
        }
    }
}

/// Where a rule holds. Everything that is written must be so.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize, Serialize, JsonSchema, Fields)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Matching {
    /// For these tenants.
    #[serde(default)]
    pub tenants: Vec<Ref<Tenant>>,
    /// For tenants of these tiers.
    #[serde(default)]
    pub tiers: Vec<Ref<Tier>>,
    /// In environments of these stages.
    #[serde(default)]
    pub stages: Vec<Stage>,
    /// For tenants of these levels of isolation.
    #[serde(default)]
    pub isolation: Vec<Isolation>,
    /// For tenants that follow one of these frameworks.
    #[serde(default)]
    pub frameworks: Vec<String>,
    /// For tenants with these labels.
    #[serde(default)]
    pub labels: BTreeMap<String, String>,
}

/// Which objects a policy judges: Kubernetes' own type.
#[derive(Clone, Debug, Default, Deserialize, Serialize, JsonSchema, Fields)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct MatchResources {
    /// Objects that it judges.
    #[serde(default)]
    pub resource_rules: Vec<ResourceRule>,
    /// Objects of those that it leaves out.
    #[serde(default)]
    pub exclude_resource_rules: Vec<ResourceRule>,
    /// Labels that the object's namespace must have.
    #[serde(default)]
    pub namespace_selector: Option<LabelSelector>,
    /// Labels that the object must have.
    #[serde(default)]
    pub object_selector: Option<LabelSelector>,
    /// Whether other versions of the same kind are judged, too. Default: `Equivalent`.
    #[serde(default)]
    pub match_policy: Option<MatchPolicy>,
}

/// Whether other versions of a kind are judged, too.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize, Serialize, JsonSchema)]
pub enum MatchPolicy {
    /// Only what the rule names.
    Exact,
    /// All versions of it.
    Equivalent,
}

/// Objects, by what the API calls them.
#[derive(Clone, Debug, Default, Deserialize, Serialize, JsonSchema, Fields)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct ResourceRule {
    /// API groups; `""` is the core group, `*` all.
    #[serde(default)]
    pub api_groups: Vec<String>,
    /// API versions; `*` is all.
    #[serde(default)]
    pub api_versions: Vec<String>,
    /// What is done: `CREATE`, `UPDATE`, `DELETE`, `CONNECT`, or `*`.
    #[serde(default)]
    pub operations: Vec<Operation>,
    /// Plural names: `deployments`; `*` is all. Subresources, such as `pods/exec`, are no manifests.
    #[serde(default)]
    pub resources: Vec<String>,
    /// Names of single objects.
    #[serde(default)]
    pub resource_names: Vec<String>,
    /// Objects in namespaces, objects outside, or both. Default: `*`.
    #[serde(default)]
    pub scope: Option<ResourceScope>,
}

/// What is done to an object.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize, Serialize, JsonSchema)]
pub enum Operation {
    /// All of them.
    #[serde(rename = "*")]
    Any,
    /// It is made.
    #[serde(rename = "CREATE")]
    Create,
    /// It is changed.
    #[serde(rename = "UPDATE")]
    Update,
    /// It is removed.
    #[serde(rename = "DELETE")]
    Delete,
    /// Somebody connects to it.
    #[serde(rename = "CONNECT")]
    Connect,
}

/// Where objects live.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize, Serialize, JsonSchema)]
pub enum ResourceScope {
    /// Anywhere.
    #[serde(rename = "*")]
    Any,
    /// Outside namespaces.
    Cluster,
    /// In a namespace.
    Namespaced,
}

/// Labels that must be there.
#[derive(Clone, Debug, Default, Deserialize, Serialize, JsonSchema, Fields)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct LabelSelector {
    /// Labels and their values.
    #[serde(default)]
    pub match_labels: BTreeMap<String, String>,
    /// Conditions on labels.
    #[serde(default)]
    pub match_expressions: Vec<LabelRequirement>,
}

/// A condition on a label.
#[derive(Clone, Debug, Deserialize, Serialize, JsonSchema, Fields)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct LabelRequirement {
    /// The label.
    pub key: String,
    /// What is asked of it.
    pub operator: LabelOperator,
    /// Values, for `In` and `NotIn`.
    #[serde(default)]
    pub values: Vec<String>,
}

/// What is asked of a label.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize, Serialize, JsonSchema)]
pub enum LabelOperator {
    /// It has one of the values.
    In,
    /// It has none of the values, or is not there.
    NotIn,
    /// It is there.
    Exists,
    /// It is not there.
    DoesNotExist,
}

impl LabelSelector {
    /// Whether it selects everything.
    pub fn is_empty(&self) -> bool {
        self.match_labels.is_empty() && self.match_expressions.is_empty()
    }

    /// Whether labels meet all that is asked; `label` looks one up.
    pub fn selects(&self, label: impl Fn(&str) -> Option<String>) -> bool {
        self.match_labels
            .iter()
            .all(|(key, value)| label(key).as_ref() == Some(value))
            && self.match_expressions.iter().all(|asked| {
                let found = label(&asked.key);
                match asked.operator {
                    LabelOperator::In => found.is_some_and(|found| asked.values.contains(&found)),
                    LabelOperator::NotIn => {
                        !found.is_some_and(|found| asked.values.contains(&found))
                    }
                    LabelOperator::Exists => found.is_some(),
                    LabelOperator::DoesNotExist => found.is_none(),
                }
            })
    }
}

/// An expression that must be true for a policy to judge an object.
#[derive(Clone, Debug, Deserialize, Serialize, JsonSchema, Fields)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct MatchCondition {
    /// Its name.
    pub name: String,
    /// The expression.
    pub expression: String,
}

/// What an error in an expression means.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize, Serialize, JsonSchema)]
pub enum FailurePolicy {
    /// A finding.
    Fail,
    /// Nothing.
    Ignore,
}

/// An expression with a name.
#[derive(Clone, Debug, Deserialize, Serialize, JsonSchema, Fields)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct NamedExpression {
    /// The name: expressions write `variables.NAME`.
    pub name: String,
    /// The expression.
    pub expression: String,
}

/// What must be true.
#[derive(Clone, Debug, Deserialize, Serialize, JsonSchema, Fields)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Validation {
    /// The expression, in the Common Expression Language.
    pub expression: String,
    /// What is wrong when it is not true.
    #[serde(default)]
    pub message: Option<String>,
    /// An expression that gives the message.
    #[serde(default)]
    pub message_expression: Option<String>,
    /// A word for programs. Default: `Invalid`.
    #[serde(default)]
    pub reason: Option<String>,
    /// Where to point: a path such as `spec.replicas`. Default: the value that decided it.
    #[serde(default)]
    pub path: Option<String>,
}

/// A fact for the audit log of the API server.
#[derive(Clone, Debug, Deserialize, Serialize, JsonSchema, Fields)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct AuditAnnotation {
    /// Its name.
    pub key: String,
    /// An expression that gives its text, or null.
    pub value_expression: String,
}

/// How far a rule serves a control.
#[derive(
    Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Deserialize, Serialize, JsonSchema,
)]
#[serde(rename_all = "kebab-case")]
pub enum Strength {
    /// It shows a part of it.
    Partial,
    /// It shows what manifests can show of it.
    Supports,
}

impl Strength {
    /// The word that documents write.
    pub fn name(self) -> &'static str {
        match self {
            Strength::Partial => "partial",
            Strength::Supports => "supports",
        }
    }
}

/// A value that a rule or a framework lets others set.
#[derive(Clone, Debug, Default, Deserialize, Serialize, JsonSchema, Fields)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Parameter {
    /// What it holds.
    #[serde(rename = "type")]
    pub kind: ParameterType,
    /// What it is when nobody sets it.
    pub default: Json,
    /// What it means.
    #[serde(default)]
    pub description: Option<String>,
    /// Everything that it may be.
    #[serde(default, rename = "enum")]
    pub allowed: Vec<Json>,
    /// The least that it may be.
    #[serde(default)]
    pub minimum: Option<f64>,
    /// The most that it may be.
    #[serde(default)]
    pub maximum: Option<f64>,
    /// Which way is stricter: a lower layer may only go there. Default: no way is.
    #[serde(default)]
    pub tighten: Option<Tighten>,
}

/// What a parameter holds.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize, Serialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum ParameterType {
    /// Text.
    #[default]
    String,
    /// A whole number.
    Integer,
    /// A number.
    Number,
    /// `true` or `false`.
    Boolean,
    /// A list of texts.
    Array,
}

impl ParameterType {
    /// Whether a value is of this type.
    pub fn takes(self, value: &Json) -> bool {
        match self {
            ParameterType::String => value.is_string(),
            ParameterType::Integer => value.is_i64() || value.is_u64(),
            ParameterType::Number => value.is_number(),
            ParameterType::Boolean => value.is_boolean(),
            ParameterType::Array => value
                .as_array()
                .is_some_and(|items| items.iter().all(Json::is_string)),
        }
    }

    /// How people call it.
    pub fn kind_name(self) -> &'static str {
        match self {
            ParameterType::String => "text",
            ParameterType::Integer => "a whole number",
            ParameterType::Number => "a number",
            ParameterType::Boolean => "true or false",
            ParameterType::Array => "a list of texts",
        }
    }
}

/// Which way a parameter becomes stricter.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize, Serialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Tighten {
    /// A lower number.
    Lower,
    /// A higher number.
    Higher,
    /// Fewer items of the same list; an empty list stands for everything.
    Fewer,
    /// More items.
    More,
    /// `true`.
    On,
    /// `false`.
    Off,
}

impl Tighten {
    /// Whether a value is no weaker than another.
    pub fn allows(self, from: &Json, to: &Json) -> bool {
        let number = |value: &Json| value.as_f64().unwrap_or(0.0);
        let within = |inner: &Json, outer: &Json| match (inner.as_array(), outer.as_array()) {
            (Some(inner), Some(outer)) => inner.iter().all(|item| outer.contains(item)),
            _ => false,
        };
        match self {
            Tighten::Lower => number(to) <= number(from),
            Tighten::Higher => number(to) >= number(from),
            Tighten::Fewer => {
                let is_all = |list: &Json| list.as_array().is_some_and(Vec::is_empty);
                is_all(from) || !is_all(to) && within(to, from)
            }
            Tighten::More => within(from, to),
            Tighten::On => to == &Json::Bool(true) || from == to,
            Tighten::Off => to == &Json::Bool(false) || from == to,
        }
    }

    /// What people are told to do.
    pub fn advice(self) -> &'static str {
        match self {
            Tighten::Lower => "a lower number is stricter",
            Tighten::Higher => "a higher number is stricter",
            Tighten::Fewer => "fewer items of the same list are stricter",
            Tighten::More => "more items are stricter",
            Tighten::On => "`true` is stricter",
            Tighten::Off => "`false` is stricter",
        }
    }
}

impl Listed for Policy {
    const COLUMNS: &'static [Column<Policy>] = &[
        Column::made("severity", "SEVERITY", |found, _| {
            json!(found.spec.severity.unwrap_or(RuleSeverity::Medium))
        }),
        Column::made("enforcement", "ENFORCEMENT", |found, _| {
            json!(found.spec.enforcement.unwrap_or(Enforcement::Deny))
        }),
        Column::made("target", "TARGET", |found, _| {
            json!(found.spec.target.unwrap_or_default())
        }),
        Column::field("title", "TITLE"),
    ];

    fn owners(_: &Document<Policy>) -> Vec<&str> {
        Vec::new()
    }

    fn concerns(_: &Document<Policy>, _: &Document<Tenant>) -> bool {
        true
    }
}
