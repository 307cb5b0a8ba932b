//! The expressions of admission policies and webhooks.

use serde_json::Value as Json;

use super::Reason;
use super::checks::Found;
use super::rule::with_large_stack;
use crate::cel::{self, CompileError, Names};
use crate::yaml::Step;

/// What expressions of policies see.
const OF_POLICY: &[&str] = &[
    "object",
    "oldObject",
    "request",
    "namespaceObject",
    "authorizer",
    "params",
];
/// What a match condition of a webhook sees.
const OF_WEBHOOK: &[&str] = &["object", "oldObject", "request", "authorizer"];

/// Expressions of a policy's spec.
pub fn of_policy(spec: &Json) -> Vec<Found> {
    with_large_stack(|| Ok(policy(spec))).unwrap_or_default()
}

/// Conditions of a webhook.
pub fn of_webhook(webhook: &Json) -> Vec<Found> {
    let conditions = |found: &mut Vec<Found>| {
        each(webhook, "matchConditions", |field, condition| {
            compile(condition, field, "expression", OF_WEBHOOK, None, found);
        });
    };
    let work = || {
        let mut found = Vec::new();
        conditions(&mut found);
        Ok(found)
    };
    with_large_stack(work).unwrap_or_default()
}

fn policy(spec: &Json) -> Vec<Found> {
    let mut found = Vec::new();
    // `params` is a name only where a kind of parameters is named.
    let names = match spec.get("paramKind") {
        Some(kind) if !kind.is_null() => OF_POLICY,
        _ => &OF_POLICY[..OF_POLICY.len() - 1],
    };
    let mut variables: Vec<String> = Vec::new();
    each(spec, "variables", |field, variable| {
        compile(
            variable,
            field,
            "expression",
            names,
            Some(&variables),
            &mut found,
        );
        variables.extend(variable["name"].as_str().map(str::to_owned));
    });
    // Conditions are judged before the variables are there.
    each(spec, "matchConditions", |field, condition| {
        compile(condition, field, "expression", names, None, &mut found);
    });
    each(spec, "validations", |field, validation| {
        for name in ["expression", "messageExpression"] {
            compile(validation, field, name, names, Some(&variables), &mut found);
        }
    });
    each(spec, "auditAnnotations", |field, annotation| {
        compile(
            annotation,
            field,
            "valueExpression",
            names,
            Some(&variables),
            &mut found,
        );
    });
    each(spec, "mutations", |field, mutation| {
        for patch in ["applyConfiguration", "jsonPatch"] {
            let mut field = field.to_vec();
            field.push(patch.into());
            compile(
                &mutation[patch],
                &field,
                "expression",
                names,
                Some(&variables),
                &mut found,
            );
        }
    });
    found
}

fn each(json: &Json, name: &str, mut judge: impl FnMut(&[Step], &Json)) {
    for (at, item) in json[name].as_array().into_iter().flatten().enumerate() {
        judge(&[name.into(), Step::Index(at)], item);
    }
}

fn compile(
    holder: &Json,
    field: &[Step],
    name: &str,
    globals: &[&str],
    variables: Option<&[String]>,
    found: &mut Vec<Found>,
) {
    let Some(text) = holder[name].as_str().filter(|text| !text.trim().is_empty()) else {
        return;
    };
    let Err(errors) = cel::compile(text, &Names { globals, variables }) else {
        return;
    };
    let mut field = field.to_vec();
    field.push(name.into());
    found.extend(errors.first().map(|error| refused(&field, error)));
}

fn refused(field: &[Step], error: &CompileError) -> Found {
    let place = error.position.map_or(String::new(), |(line, column)| {
        format!(" at {line}:{column}")
    });
    let help = error
        .help
        .clone()
        .unwrap_or_else(|| "correct the expression".to_owned());
    Found::at(
        field,
        Reason::Invalid,
        format!("does not compile{place}: {}", error.message),
        help,
    )
}
