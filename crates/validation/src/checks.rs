//! Checks that the expression language cannot say, by the names that data has for them.

use serde_json::Value as Json;

use super::{RefusalReason, crd, expressions};
use tenantry_engine::schema::Minor;
use tenantry_kubernetes::base64;
use tenantry_syntax::yaml::PathStep;

/// Judges a value as a version of Kubernetes does.
pub type FormatCheck = fn(&Json, Minor) -> Vec<FormatError>;

/// What a check finds.
#[derive(Debug)]
pub struct FormatError {
    /// The field that the API server names, below the value.
    pub field: Vec<PathStep>,
    /// Where it is written, below the value.
    pub place: Vec<PathStep>,
    /// Why the API server refuses it.
    pub reason: RefusalReason,
    /// What is wrong, to be said of the field.
    pub says: String,
    /// What to write.
    pub help: String,
}

impl FormatError {
    /// Something at a field, which stands where the API server names it.
    pub(super) fn at(
        field: &[PathStep],
        reason: RefusalReason,
        says: impl Into<String>,
        help: impl Into<String>,
    ) -> FormatError {
        FormatError {
            field: field.to_vec(),
            place: field.to_vec(),
            reason,
            says: says.into(),
            help: help.into(),
        }
    }
}

/// The checks by name.
const CHECKS: &[(&str, FormatCheck)] = &[
    ("admission-expressions", expressions::of_policy),
    ("webhook-expressions", expressions::of_webhook),
    ("custom-resource-definition", crd::check),
    ("docker-config", docker_config),
    ("resource-wildcards", resource_wildcards),
    ("webhook-url", webhook_url),
];

/// The check of a name.
pub fn find(name: &str) -> Option<FormatCheck> {
    let found = CHECKS.iter().find(|(known, _)| *known == name);
    found.map(|(_, check)| *check)
}

/// The credentials of registries are JSON.
fn docker_config(secret: &Json, _: Minor) -> Vec<FormatError> {
    let key = match secret["type"].as_str() {
        Some("kubernetes.io/dockercfg") => ".dockercfg",
        Some("kubernetes.io/dockerconfigjson") => ".dockerconfigjson",
        _ => return Vec::new(),
    };
    let is_json = |bytes: &[u8]| serde_json::from_slice::<serde::de::IgnoredAny>(bytes).is_ok();
    let plain = secret["stringData"][key].as_str();
    let place = if plain.is_some() {
        "stringData"
    } else {
        "data"
    };
    let is_right = match (plain, secret["data"][key].as_str()) {
        (Some(text), _) => is_json(text.as_bytes()),
        (None, Some(text)) => base64::decoded(text).is_none_or(|bytes| is_json(&bytes)),
        (None, None) => true,
    };
    if is_right {
        return Vec::new();
    }
    vec![FormatError {
        field: vec!["data".into(), key.into()],
        place: vec![place.into(), key.into()],
        reason: RefusalReason::Invalid,
        says: "is not JSON".to_owned(),
        help: "write the JSON that `kubectl create secret docker-registry` makes".to_owned(),
    }]
}

/// `*` and `*/scale` among the resources of a rule of admission.
fn resource_wildcards(rule: &Json, _: Minor) -> Vec<FormatError> {
    let empty = Vec::new();
    let resources = rule["resources"].as_array().unwrap_or(&empty);
    let resources: Vec<&str> = resources.iter().filter_map(Json::as_str).collect();
    let mut found = Vec::new();
    let list = [PathStep::from("resources")];
    let has = |name: &str| resources.contains(&name);
    let mut refuse = |field: &[PathStep], says: String| {
        found.push(FormatError::at(
            field,
            RefusalReason::Invalid,
            says,
            "remove what the wildcard already has",
        ));
    };
    if has("*/*") && resources.len() > 1 {
        refuse(&list, "may have nothing beside `*/*`".to_owned());
    }
    if has("*")
        && resources
            .iter()
            .any(|name| *name != "*" && !name.contains('/'))
    {
        refuse(&list, "may have no other resource beside `*`".to_owned());
    }
    for (at, name) in resources.iter().enumerate() {
        let Some((resource, sub)) = name.split_once('/') else {
            continue;
        };
        let before = &resources[..at];
        let wildcards = [format!("{resource}/*"), format!("*/{sub}")];
        if let Some(wildcard) = wildcards
            .iter()
            .find(|wildcard| before.contains(&wildcard.as_str()))
        {
            let field = [PathStep::from("resources"), PathStep::Index(at)];
            refuse(&field, format!("is a part of `{wildcard}`"));
        }
    }
    found
}

/// The address of a webhook.
fn webhook_url(config: &Json, _: Minor) -> Vec<FormatError> {
    let Some(text) = config["url"].as_str() else {
        return Vec::new();
    };
    let rest = text.strip_prefix("https://");
    let host = rest.map(|rest| rest.split(['/', '?', '#']).next().unwrap_or_default());
    let says = match (rest, host) {
        (None, _) => "must start with `https://`",
        (_, Some("")) => "must name a host",
        (_, Some(host)) if host.contains('@') => "may not name a user",
        (Some(rest), _) if rest.contains('#') => "may not have a fragment",
        (Some(rest), _) if rest.contains('?') => "may not have a query",
        _ => return Vec::new(),
    };
    vec![FormatError::at(
        &["url".into()],
        RefusalReason::Invalid,
        says,
        "write it like `https://webhook.acme.example/validate`",
    )]
}
