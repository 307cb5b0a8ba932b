//! Prompts of agents: the facts that they ask for are there.

use super::{Chosen, Plan, PlannedUnit};
use crate::model::kinds::component::PromptStrategy;
use tenantry_engine::placeholder;
use tenantry_syntax::diagnostics::catalogue::resolve as codes;
use tenantry_syntax::diagnostics::{Diagnostic, Sink, suggest};
use tenantry_syntax::yaml::{Node, NodeId};

/// Checks the prompt of a component by the facts that a tenant's contexts have.
pub fn check(
    plan: &Plan<'_>,
    planned: &PlannedUnit<'_>,
    chosen: Chosen<'_>,
    facts: &Node,
    sink: &mut Sink,
) {
    let component = chosen.component;
    let agent = component.fields().agent();
    let mut missing = |name: &str, place: NodeId, known: Vec<&str>| {
        let message = format!(
            "the prompt of `{}` asks for `{name}`, which the context of {} does not have",
            component.name, planned.tenant.name
        );
        let (parent, last) = name
            .rsplit_once('.')
            .map_or(("", name), |(parent, last)| (parent, last));
        let within = |near: &str| {
            if parent.is_empty() {
                near.to_owned()
            } else {
                format!("{parent}.{near}")
            }
        };
        let known: Vec<String> = known.into_iter().map(within).collect();
        let help = match suggest(&within(last), known.iter().map(String::as_str)) {
            Some(near) => near,
            None => "no context of the tenant has `business` facts".to_owned(),
        };
        let diagnostic = Diagnostic::new(codes::BAD_PROMPT, message)
            .at(plan.input.span(place), "asked for here")
            .note("facts are the `business` of the contexts that hold for the tenant");
        sink.push(diagnostic.help(help));
    };
    let keys = |node: &'_ Node| -> Vec<String> {
        node.entries()
            .iter()
            .map(|entry| entry.key.to_string())
            .collect()
    };
    let top = keys(facts);
    for (at, name) in component
        .spec
        .agent
        .iter()
        .flat_map(|agent| &agent.context_keys)
        .enumerate()
    {
        if facts.get(name).is_none() {
            let place = agent.context_keys().item(at).place();
            missing(name, place, top.iter().map(String::as_str).collect());
        }
    }
    let Some(prompt) = agent
        .prompt()
        .node()
        .filter(|_| agent.strategy().is(PromptStrategy::Template))
    else {
        return;
    };
    for name in placeholder::all(prompt.as_str().unwrap_or_default()) {
        let mut node = facts;
        for step in name.split('.') {
            match node.get(step) {
                Some(next) => node = next,
                None => {
                    let known = keys(node);
                    missing(name, prompt.id, known.iter().map(String::as_str).collect());
                    break;
                }
            }
        }
    }
}
