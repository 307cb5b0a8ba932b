//! A policy's own cases: objects that pass, and objects that fail.

use super::Operation;
use schemars::JsonSchema;
use serde::Deserialize;
use serde::Serialize;
use serde_json::Value as Json;
use std::collections::BTreeMap;
use tenantry_derive::Fields;

/// A rule's own cases.
#[derive(Clone, Debug, Default, Deserialize, Serialize, JsonSchema, Fields)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Tests {
    /// What meets the rule.
    #[serde(default)]
    pub pass: Vec<Case>,
    /// What does not.
    #[serde(default)]
    pub fail: Vec<Case>,
    /// What it does not judge.
    #[serde(default)]
    pub skip: Vec<Case>,
}

/// What a request says where that does not follow from its object, as in an `AdmissionRequest` of Kubernetes.
#[derive(Clone, Debug, Default, Deserialize, Serialize, JsonSchema, Fields)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct CaseRequest {
    /// The resource that it is about.
    #[serde(default)]
    pub resource: Option<RequestResource>,
    /// The part of it, such as `exec` or `scale`.
    #[serde(default)]
    pub sub_resource: Option<String>,
    /// The name of the object.
    #[serde(default)]
    pub name: Option<String>,
    /// The namespace of the object.
    #[serde(default)]
    pub namespace: Option<String>,
}

/// A resource, by what the API calls it.
#[derive(Clone, Debug, Default, Deserialize, Serialize, JsonSchema, Fields)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct RequestResource {
    /// The API group; empty for the core group.
    #[serde(default)]
    pub group: String,
    /// The version in the group.
    pub version: String,
    /// The plural name.
    pub resource: String,
}

/// A case of a rule: what its expressions see.
#[derive(Clone, Debug, Default, Deserialize, Serialize, JsonSchema, Fields)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Case {
    /// What it shows.
    pub name: String,
    /// The object that is judged.
    #[serde(default)]
    pub object: Option<Json>,
    /// The object before the change.
    #[serde(default)]
    pub old_object: Option<Json>,
    /// The object's namespace.
    #[serde(default)]
    pub namespace_object: Option<Json>,
    /// Parameters that differ from their defaults.
    #[serde(default)]
    pub params: Option<Json>,
    /// What is done. Default: `UPDATE` with an old object, else `CREATE`.
    #[serde(default)]
    pub operation: Option<Operation>,
    /// What the request says besides the object, for one about a subresource such as `pods/exec`.
    #[serde(default)]
    pub request: Option<CaseRequest>,
    /// Everything else by name: `tenant`, `component`, `environment`, `cluster`, `platform`,
    /// `instance`, `workload`, `change`, `resources`.
    #[serde(default)]
    pub given: BTreeMap<String, Json>,
    /// Text that the finding's message must hold.
    #[serde(default)]
    pub message: Option<String>,
}
