//! What the parameters of a rule are for a tenant: each layer may tighten what the wider ones say.

use std::collections::BTreeMap;

use serde_json::Value as Json;

use super::rules::Rule;
use crate::model::catalog::Documents;
use crate::model::kinds::Framework;
use crate::model::kinds::policy::Parameter;
use tenantry_syntax::diagnostics::catalogue::policy as codes;
use tenantry_syntax::diagnostics::{Diagnostic, Sink, Sources, suggest};
use tenantry_syntax::yaml::{Entry, Node, NodeId};

/// Where parameters are set, the widest first.
pub struct Layers<'a> {
    /// The frameworks that are followed: their defaults.
    pub frameworks: &'a Documents<Framework>,
    /// `frameworks` of the Platform, which sets them freely.
    pub platform: Option<&'a Node>,
    /// `policyParameters` of the contexts that hold, the widest first.
    pub contexts: Vec<&'a Node>,
    /// `compliance` of the tenant.
    pub tenant: Option<&'a Node>,
}

/// The parameters of a rule as one map; findings for those that are weakened.
pub fn of_rule(rule: &Rule, layers: &Layers<'_>, sources: &Sources, sink: &mut Sink) -> Node {
    if rule.parameters.is_empty() {
        return rule.defaults.clone();
    }
    let mut entries = Vec::new();
    for (name, parameter) in &rule.parameters {
        let default = rule.defaults.get(name).cloned();
        let mut value = default.unwrap_or_else(|| Node::from_json(&parameter.default));
        // What the platform itself says is where tightening starts.
        for framework in rule.controls.keys() {
            let defaults = layers.frameworks.get(framework);
            let is_followed =
                follows(layers.platform, framework) || follows(layers.tenant, framework);
            if let Some(shared) = defaults.and_then(|document| document.spec.parameters.get(name))
                && is_followed
                && stricter(parameter, &value, &shared.default)
            {
                value = Node::from_json(&shared.default);
            }
        }
        // Where it sets several frameworks' values, the strictest counts.
        let mut of_platform: Option<&Node> = None;
        for framework in rule.controls.keys() {
            if let Some(set) = set_by(layers.platform, framework, name)
                && of_platform.is_none_or(|known| stricter(parameter, known, &set.to_json()))
            {
                of_platform = Some(set);
            }
        }
        if let Some(set) = of_platform {
            value = set.clone();
        }
        let contexts = layers.contexts.iter().flat_map(|context| {
            let keys = std::iter::once(&rule.name).chain(rule.controls.keys());
            keys.filter_map(|key| set_by(Some(context), key, name))
        });
        let tenant = rule
            .controls
            .keys()
            .filter_map(|framework| set_by(layers.tenant, framework, name));
        for set in contexts.chain(tenant) {
            tighten(name, parameter, &mut value, set, sources, sink);
        }
        entries.push(Entry {
            key: name.as_str().into(),
            key_id: NodeId::NONE,
            value,
        });
    }
    Node::map(NodeId::NONE, entries)
}

fn follows(layer: Option<&Node>, framework: &str) -> bool {
    layer.is_some_and(|layer| {
        layer
            .as_map()
            .is_some_and(|map| map.entry(framework).is_some())
    })
}

fn set_by<'a>(layer: Option<&'a Node>, policy: &str, name: &str) -> Option<&'a Node> {
    layer?.at(&[policy, name]).filter(|node| !node.is_null())
}

fn stricter(parameter: &Parameter, from: &Node, to: &Json) -> bool {
    match parameter.tighten {
        Some(tighten) => tighten.allows(&from.to_json(), to),
        None => true,
    }
}

fn tighten(
    name: &str,
    parameter: &Parameter,
    value: &mut Node,
    set: &Node,
    sources: &Sources,
    sink: &mut Sink,
) {
    let wanted = set.to_json();
    if !parameter.kind.takes(&wanted) {
        return;
    }
    match parameter.tighten {
        Some(tighten) if !tighten.allows(&value.to_json(), &wanted) => {
            let message = format!(
                "`{name}` is weakened from {} to {wanted}: {}",
                value.to_json(),
                tighten.advice()
            );
            sink.push(
                Diagnostic::new(codes::WEAKENED, message)
                    .at(sources.span(set.id), "weaker than a wider layer")
                    .and(sources.span(value.id), "the wider layer")
                    .help(format!("write {} or something stricter", value.to_json())),
            );
        }
        _ => *value = set.clone(),
    }
}

/// Judges what a layer sets, wherever it is: unknown names, and values that do not fit.
pub fn check(
    layer: &Node,
    known: &dyn Fn(&str) -> Option<BTreeMap<String, Parameter>>,
    sources: &Sources,
    sink: &mut Sink,
) {
    for policy in layer.entries() {
        let Some(parameters) = known(&policy.key) else {
            continue;
        };
        for set in policy.value.entries() {
            let Some(parameter) = parameters.get(&*set.key) else {
                let mut diagnostic = Diagnostic::new(
                    codes::BAD_PARAMETER,
                    format!("`{}` has no parameter `{}`", policy.key, set.key),
                )
                .at(sources.span(set.key_id), "");
                diagnostic.help = suggest(&set.key, parameters.keys().map(String::as_str))
                    .or_else(|| Some("remove it: there are no parameters".to_owned()));
                sink.push(diagnostic);
                continue;
            };
            if let Some(wanted) = misfit(parameter, &set.value.to_json()) {
                let message = format!("`{}` of `{}` must be {wanted}", set.key, policy.key);
                sink.push(
                    Diagnostic::new(codes::BAD_PARAMETER, message)
                        .at(sources.span(set.value.id), "")
                        .help(format!(
                            "write {wanted}; the default is {}",
                            parameter.default
                        )),
                );
            }
        }
    }
}

/// What a value should be, if it is not.
pub fn misfit(parameter: &Parameter, value: &Json) -> Option<String> {
    if value.is_null() {
        return None;
    }
    if !parameter.kind.takes(value) {
        return Some(parameter.kind.kind_name().to_owned());
    }
    if !parameter.allowed.is_empty() {
        let each: Vec<&Json> = match value {
            Json::Array(items) => items.iter().collect(),
            other => vec![other],
        };
        if each.iter().any(|item| !parameter.allowed.contains(item)) {
            let words: Vec<String> = parameter.allowed.iter().map(Json::to_string).collect();
            return Some(format!("one of {}", words.join(", ")));
        }
    }
    let number = value.as_f64()?;
    match (parameter.minimum, parameter.maximum) {
        (Some(least), _) if number < least => Some(format!("at least {least}")),
        (_, Some(most)) if number > most => Some(format!("at most {most}")),
        _ => None,
    }
}
