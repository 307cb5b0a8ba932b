//! The same rules for the API server: what the template of a cluster's admission policies sees.
//!
//! A rule that holds for some tenants only, or with parameters of theirs, is bound to their
//! namespaces; its parameters become literals of its variables, so a cluster needs no more than the
//! policy itself.

use std::collections::BTreeMap;

use serde_json::{Value as Json, json};
use sha2::{Digest as _, Sha256};

use super::names::{NAMES, PARAMS};
use super::rules::{self, Rule};
use super::selection::Circumstances;
use super::{Policies, matching, parameters};
use crate::cel::Program;
use crate::diagnostics::{Diagnostic, Sink, catalogue::policy as codes};
use crate::model::kinds::Enforcement;
use crate::model::kinds::policy::{ResourceScope, Target};
use crate::yaml::Node;

/// A tenant that runs on a cluster.
pub struct Resident<'a> {
    /// What rules see as `tenant`.
    pub tenant: &'a Node,
    /// `policyParameters` of the contexts that hold for it.
    pub contexts: Vec<&'a Node>,
}

/// Where it is enforced.
pub struct Place<'a> {
    /// What rules see as `environment`.
    pub environment: &'a Node,
    /// The environment's name.
    pub environment_name: &'a str,
    /// The cluster's name.
    pub cluster_name: &'a str,
    /// The cluster's Kubernetes: the number after `1.`.
    pub minor: u32,
    /// The prefix of the platform's labels.
    pub label_prefix: &'a str,
    /// Whether documents that are taken as they are go here: to one environment of each cluster.
    pub takes_others: bool,
    /// The namespace of tenants that share one.
    pub shared_namespace: Option<&'a str>,
}

impl Policies<'_> {
    /// The admission policies of a cluster in an environment, as a list for its template.
    pub fn admission(
        &self,
        place: &Place<'_>,
        residents: &[Resident<'_>],
        sink: &mut Sink,
    ) -> Node {
        let mut list: Vec<Json> = Vec::new();
        for rule in &self.rules {
            if let Some(bindings) = &rule.admission {
                if !place.takes_others {
                    continue;
                }
                list.push(rule.tree.to_json());
                list.extend(bindings.list.iter().map(|binding| binding.tree.to_json()));
                let documents = bindings
                    .list
                    .iter()
                    .filter_map(|binding| binding.parameters.as_ref());
                for document in documents.flat_map(|parameters| &parameters.documents) {
                    let document = document.to_json();
                    if !list.contains(&document) {
                        list.push(document);
                    }
                }
                continue;
            }
            if rule.target != Target::Manifest || rule.compile_time_only.is_some() {
                continue;
            }
            // The tenants that it holds for, by the parameters that they have.
            let mut groups: BTreeMap<String, (Json, Vec<&Node>)> = BTreeMap::new();
            for resident in residents {
                let circumstances = Circumstances {
                    tenant: Some(resident.tenant),
                    environment: Some(place.environment),
                    all_tenants: false,
                };
                if !self.holds(rule, &circumstances) {
                    continue;
                }
                let layers = self.layers(&circumstances, resident.contexts.clone());
                // What is weakened is told where the tenant's units are judged.
                let params =
                    parameters::of_rule(rule, &layers, self.input.sources, &mut Sink::default());
                let params = params.to_json();
                let group = groups
                    .entry(params.to_string())
                    .or_insert((params, Vec::new()));
                group.1.push(resident.tenant);
            }
            if groups.is_empty() {
                continue;
            }
            if let Some((since, what)) = rule.since.filter(|(since, _)| *since > place.minor) {
                self.too_new(rule, since, what, place, sink);
                continue;
            }
            let several = groups.len() > 1;
            for (text, (params, tenants)) in groups {
                let mut name = format!("{}-{}", place.environment_name, rule.name);
                if several {
                    let digest = rules::hex(&Sha256::digest(text));
                    name = format!("{name}-{}", &digest[..8]);
                }
                let everyone = tenants.len() == residents.len();
                let enforcement = super::rule_enforcement(self, rule, rule.enforcement);
                list.push(policy(rule, &name, &params));
                list.extend(bindings(&name, enforcement, place, &tenants, everyone));
            }
        }
        Node::from_json(&Json::Array(list))
    }

    fn too_new(&self, rule: &Rule, since: u32, what: &str, place: &Place<'_>, sink: &mut Sink) {
        let name = rule.tree.at(&["metadata", "name"]).map(|node| node.id);
        let message = format!(
            "cluster `{}` cannot enforce the policy `{}`: `{what}` came with Kubernetes 1.{since}, and the cluster runs 1.{}",
            place.cluster_name, rule.name, place.minor
        );
        sink.push(
            Diagnostic::new(codes::NEEDS_NEWER_KUBERNETES, message)
                .at(
                    name.and_then(|id| self.input.sources.span(id)),
                    "judged at compile time only there",
                )
                .help("write it with what the oldest cluster has, or update the cluster"),
        );
    }
}

/// What a template needs to print one admission policy.
fn policy(rule: &Rule, name: &str, params: &Json) -> Json {
    let spec = rule.tree.get("spec").map(Node::to_json).unwrap_or_default();
    let has_params = !rule.parameters.is_empty();
    // A name that the rule itself does not have.
    let names: Vec<&str> = rule
        .variables
        .iter()
        .map(|(name, _)| name.as_str())
        .collect();
    let own = ["params", "layeredParams", "layeredPolicyParams"];
    let own = own
        .into_iter()
        .find(|name| !names.contains(name))
        .unwrap_or("params");
    let variable = format!("variables.{own}");
    let parameters = if has_params { &variable } else { "{}" };
    let rewritten = |program: &Program| with_params(program, parameters);
    let mut kept = serde_json::Map::new();
    kept.insert(
        "failurePolicy".to_owned(),
        json!(if rule.fails_on_error {
            "Fail"
        } else {
            "Ignore"
        }),
    );
    let constraints = spec.get("matchConstraints").cloned().unwrap_or_default();
    kept.insert("matchConstraints".to_owned(), constraints);
    let mut conditions: Vec<Json> = Vec::new();
    if judges_outside_namespaces(rule) {
        // Objects outside namespaces are everybody's: only those that are rendered are judged.
        conditions.push(json!({
            "name": "tenantry-rendered-objects",
            "expression": "request.?namespace.orValue('') != '' || (object != null && object.metadata.?labels[?'app.kubernetes.io/managed-by'].orValue('') == 'tenantry')",
        }));
    }
    // Conditions see no variables, so parameters stand in them as they are.
    conditions.extend(rule.conditions.iter().map(|(name, program)| {
        json!({"name": name, "expression": with_params(program, &literal(params))})
    }));
    if !conditions.is_empty() {
        kept.insert("matchConditions".to_owned(), Json::Array(conditions));
    }
    let mut variables: Vec<Json> = Vec::new();
    if has_params {
        variables.push(json!({"name": own, "expression": literal(params)}));
    }
    variables.extend(
        rule.variables
            .iter()
            .map(|(name, program)| json!({"name": name, "expression": rewritten(program)})),
    );
    if !variables.is_empty() {
        kept.insert("variables".to_owned(), Json::Array(variables));
    }
    let written = spec["validations"].as_array().into_iter().flatten();
    let validations = rule
        .validations
        .iter()
        .zip(written)
        .map(|(check, written)| {
            let mut kept = serde_json::Map::new();
            kept.insert("expression".to_owned(), json!(rewritten(&check.program)));
            if let Some(program) = &check.message_program {
                kept.insert("messageExpression".to_owned(), json!(rewritten(program)));
            }
            // A finding without words of its own says what the rule asks for.
            let title = format!("not met: {}", rule.title.replace('\n', " "));
            kept.insert(
                "message".to_owned(),
                json!(check.message.as_ref().unwrap_or(&title)),
            );
            if written["reason"].is_string() {
                kept.insert("reason".to_owned(), written["reason"].clone());
            }
            Json::Object(kept)
        });
    kept.insert("validations".to_owned(), validations.collect());
    let annotations: Vec<Json> = rule
        .annotations
        .iter()
        .map(|(key, program)| json!({"key": key, "valueExpression": rewritten(program)}))
        .collect();
    if !annotations.is_empty() {
        kept.insert("auditAnnotations".to_owned(), Json::Array(annotations));
    }
    let controls: Vec<String> = rule
        .controls
        .iter()
        .map(|(framework, controls)| {
            let ids: Vec<&str> = controls.keys().map(String::as_str).collect();
            format!("{framework}: {}", ids.join(", "))
        })
        .collect();
    json!({
        "kind": "ValidatingAdmissionPolicy",
        "name": name,
        "policy": rule.name,
        "title": rule.title,
        "severity": rule.severity.name(),
        "controls": controls.join("; "),
        "spec": kept,
    })
}

fn judges_outside_namespaces(rule: &Rule) -> bool {
    let Some(constraints) = &rule.constraints else {
        return false;
    };
    constraints.resource_rules.iter().any(|resources| {
        resources.scope != Some(ResourceScope::Namespaced)
            && resources.resources.iter().any(|name| {
                name.contains('*') || matching::OUTSIDE_NAMESPACES.contains(&name.as_str())
            })
    })
}

/// One binding for tenants with namespaces of their own, one for those that share one.
fn bindings(
    name: &str,
    enforcement: Enforcement,
    place: &Place<'_>,
    tenants: &[&Node],
    everyone: bool,
) -> Vec<Json> {
    let actions = match enforcement {
        Enforcement::Deny => json!(["Deny"]),
        Enforcement::Warn => json!(["Warn", "Audit"]),
        Enforcement::Audit => json!(["Audit"]),
    };
    let text = |node: &Node, key: &str| {
        node.get(key)
            .and_then(Node::as_str)
            .unwrap_or_default()
            .to_owned()
    };
    let is_shared = |tenant: &Node| text(tenant, "isolation") == "shared";
    let mut own: Vec<String> = tenants
        .iter()
        .filter(|tenant| !is_shared(tenant))
        .map(|tenant| text(tenant, "name"))
        .collect();
    own.sort_unstable();
    let mut bindings = Vec::new();
    let mut bind = |suffix: &str, expressions: Json| {
        bindings.push(json!({
            "kind": "ValidatingAdmissionPolicyBinding",
            "name": format!("{name}{suffix}"),
            "spec": {
                "policyName": name,
                "validationActions": actions,
                "matchResources": {"namespaceSelector": {"matchExpressions": expressions}},
            },
        }));
    };
    if !own.is_empty() {
        let tenant_label = format!("{}/tenant", place.label_prefix);
        let tenants = if everyone {
            json!({"key": tenant_label, "operator": "Exists"})
        } else {
            json!({"key": tenant_label, "operator": "In", "values": own})
        };
        let environment = json!({
            "key": format!("{}/environment", place.label_prefix),
            "operator": "In",
            "values": [place.environment_name],
        });
        bind("", json!([tenants, environment]));
    }
    if let (true, Some(namespace)) = (
        tenants.iter().any(|tenant| is_shared(tenant)),
        place.shared_namespace,
    ) {
        bind(
            "-shared",
            json!([{"key": matching::NAME_LABEL, "operator": "In", "values": [namespace]}]),
        );
    }
    bindings
}

/// Parameters as a literal of the language; its lists and maps hold values of one type, unless they
/// are `dyn`.
fn literal(value: &Json) -> String {
    match value {
        Json::Object(map) => {
            let entries: Vec<String> = map
                .iter()
                .map(|(key, value)| {
                    format!("{}: dyn({})", Json::from(key.as_str()), literal(value))
                })
                .collect();
            format!("{{{}}}", entries.join(", "))
        }
        Json::Array(items) => {
            let items: Vec<String> = items.iter().map(literal).collect();
            format!("[{}]", items.join(", "))
        }
        other => other.to_string(),
    }
}

/// An expression in which another text stands wherever it names the parameters.
fn with_params(program: &Program, with: &str) -> String {
    let characters: Vec<char> = program.text.chars().collect();
    let mut text = String::new();
    let mut at = 0;
    for (start, name) in &program.mentions {
        if *name == PARAMS && *start >= at {
            text.extend(&characters[at..*start]);
            text.push_str(with);
            at = start + NAMES[PARAMS].len();
        }
    }
    text.extend(characters.get(at..).unwrap_or_default());
    text
}
