//! Patches: what a layer changes of rendered objects.

use std::collections::BTreeMap;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::Value as Json;
use tenantry_derive::Fields;

/// A change of objects as they are rendered, for what no value says. It is `merge` or `json`.
#[derive(Clone, Debug, Deserialize, Serialize, JsonSchema, Fields)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Patch {
    /// The objects that it changes; it must match one.
    pub target: PatchTarget,
    /// A part of the object, merged in as a strategic merge: lists by their keys, `null` removes, `$patch: delete` and
    /// `$patch: replace` as `kubectl` and Kustomize have them.
    #[serde(default)]
    pub merge: Option<BTreeMap<String, Json>>,
    /// Operations of a JSON patch, in their order.
    #[serde(default)]
    #[schemars(length(max = 200))]
    pub json: Option<Vec<JsonOperation>>,
}

/// Which objects a patch changes: those that all of these fit.
#[derive(Clone, Debug, Default, Deserialize, Serialize, JsonSchema, Fields)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct PatchTarget {
    /// The API group: `apps`; empty for Kubernetes' core.
    #[serde(default)]
    pub group: Option<String>,
    /// The version in the group: `v1`.
    #[serde(default)]
    pub version: Option<String>,
    /// The kind: `Deployment`.
    #[serde(default)]
    pub kind: Option<String>,
    /// The name; `*` stands for any characters: `*-api`.
    #[serde(default)]
    pub name: Option<String>,
    /// Labels that it has.
    #[serde(default)]
    pub labels: BTreeMap<String, String>,
}

/// An operation of a JSON patch: <https://www.rfc-editor.org/rfc/rfc6902>.
#[derive(Clone, Debug, Deserialize, Serialize, JsonSchema, Fields)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct JsonOperation {
    /// What is done.
    pub op: JsonOperationKind,
    /// Where: `/spec/template/spec/hostNetwork`; `/` in a key is `~1`, `~` is `~0`, and `-` is the end of a list.
    #[schemars(regex(pattern = r"^(/.*)?$"))]
    pub path: String,
    /// Where a copied or moved value is.
    #[serde(default)]
    #[schemars(regex(pattern = r"^(/.*)?$"))]
    pub from: Option<String>,
    /// The value.
    #[serde(default)]
    pub value: Option<Json>,
}

/// What an operation of a JSON patch does.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize, Serialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum JsonOperationKind {
    /// Puts a value there; into a list, before what is there.
    Add,
    /// Puts a value there instead of what is there.
    Replace,
    /// Takes away what is there.
    Remove,
    /// Fails unless the value is there.
    Test,
    /// Puts there what is at `from`, and takes it away there.
    Move,
    /// Puts there what is at `from`.
    Copy,
}
