//! Framework: a catalogue of controls that rules serve.

use std::collections::BTreeMap;
use tenantry_derive::Fields;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::Tenant;
use super::policy::Parameter;
use crate::model::catalog::Document;
use crate::model::listing::{Column, Listed};
use serde_json::json;
use tenantry_engine::scalars::Url;

/// A compliance framework: its controls, and the parameters that its rules share.
#[derive(Clone, Debug, Default, Deserialize, Serialize, JsonSchema, Fields)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Framework {
    /// Its name, for people.
    pub title: String,
    /// Which edition.
    #[serde(default)]
    pub edition: Option<String>,
    /// Where its text is.
    #[serde(default)]
    pub source: Option<Url>,
    /// What readers of a report must know of it.
    #[serde(default)]
    pub note: Option<String>,
    /// Its controls. The ids are the framework's; the titles are in our own words.
    #[serde(default)]
    pub controls: Vec<Control>,
    /// Values that tenants set in `compliance`, by name. A rule that has a parameter of the same name
    /// takes its value from here.
    #[serde(default)]
    pub parameters: BTreeMap<String, Parameter>,
}

/// A control of a framework.
#[derive(Clone, Debug, Deserialize, Serialize, JsonSchema, Fields)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Control {
    /// The framework's own id.
    pub id: String,
    /// What it asks for, in our own words.
    pub title: String,
    /// Whether no manifest can show it.
    #[serde(default)]
    pub manual: bool,
}

impl Listed for Framework {
    const COLUMNS: &'static [Column<Framework>] = &[
        Column::field("edition", "EDITION"),
        Column::made("controls", "CONTROLS", |found, _| {
            json!(found.spec.controls.len())
        }),
        Column::field("title", "TITLE"),
    ];

    fn owners(_: &Document<Framework>) -> Vec<&str> {
        Vec::new()
    }

    fn concerns(document: &Document<Framework>, tenant: &Document<Tenant>) -> bool {
        tenant.spec.compliance.contains_key(&document.name)
    }
}
