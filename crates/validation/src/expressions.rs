//! The expressions of admission policies and webhooks.

use serde_json::Value as Json;

use super::RefusalReason;
use super::checks::FormatError;
use super::rule::with_large_stack;
use tenantry_cel::types::Type;
use tenantry_cel::{self, CompileError, DeclaredVariable, Names, WantedType};
use tenantry_engine::schema::Minor;
use tenantry_syntax::yaml::PathStep;

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

/// Expressions of a policy's spec, but those of mutations, which make objects of types that are not known here.
pub fn of_policy(spec: &Json, _: Minor) -> Vec<FormatError> {
    with_large_stack(|| Ok(policy(spec))).unwrap_or_default()
}

/// Conditions of a webhook.
pub fn of_webhook(webhook: &Json, _: Minor) -> Vec<FormatError> {
    let work = || {
        let mut compiler = CrdRuleCompiler {
            globals: OF_WEBHOOK,
            variables: None,
            found: Vec::new(),
        };
        each(webhook, "matchConditions", |field, condition| {
            compiler.compile(condition, field, "expression", WantedType::Bool);
        });
        Ok(compiler.found)
    };
    with_large_stack(work).unwrap_or_default()
}

fn policy(spec: &Json) -> Vec<FormatError> {
    // `params` is a name only where a kind of parameters is named.
    let globals = match spec.get("paramKind") {
        Some(kind) if !kind.is_null() => OF_POLICY,
        _ => &OF_POLICY[..OF_POLICY.len() - 1],
    };
    let mut compiler = CrdRuleCompiler {
        globals,
        variables: Some(Vec::new()),
        found: Vec::new(),
    };
    each(spec, "variables", |field, variable| {
        let of = compiler.compile(variable, field, "expression", WantedType::Anything);
        let name = variable["name"].as_str().unwrap_or_default().to_owned();
        if let Some(variables) = &mut compiler.variables {
            variables.push(DeclaredVariable { name, of });
        }
    });
    each(spec, "validations", |field, validation| {
        compiler.compile(validation, field, "expression", WantedType::Bool);
        compiler.compile(validation, field, "messageExpression", WantedType::Text);
    });
    each(spec, "auditAnnotations", |field, annotation| {
        compiler.compile(annotation, field, "valueExpression", WantedType::TextOrNull);
    });
    // Conditions are judged before the variables are there.
    compiler.variables = None;
    each(spec, "matchConditions", |field, condition| {
        compiler.compile(condition, field, "expression", WantedType::Bool);
    });
    compiler.found
}

fn each(json: &Json, name: &str, mut judge: impl FnMut(&[PathStep], &Json)) {
    for (at, item) in json[name].as_array().into_iter().flatten().enumerate() {
        judge(&[name.into(), PathStep::Index(at)], item);
    }
}

struct CrdRuleCompiler<'a> {
    globals: &'a [&'a str],
    variables: Option<Vec<DeclaredVariable>>,
    found: Vec<FormatError>,
}

impl CrdRuleCompiler<'_> {
    /// Compiles an expression, and gives the type of what it gives.
    fn compile(
        &mut self,
        holder: &Json,
        field: &[PathStep],
        name: &str,
        wanted: WantedType,
    ) -> Type {
        let Some(text) = holder[name].as_str().filter(|text| !text.trim().is_empty()) else {
            return Type::Dyn;
        };
        let names = Names {
            globals: self.globals,
            declared: &[],
            is_escaped: false,
            variables: self.variables.as_deref(),
        };
        let mut field = field.to_vec();
        field.push(name.into());
        match tenantry_cel::compile(text, &names) {
            Err(errors) => {
                self.found
                    .extend(errors.first().map(|error| refused(&field, error)));
                Type::Dyn
            }
            Ok(program) => {
                if !wanted.takes(&program.gives) {
                    let says = format!("must give {}, and gives {}", wanted.words(), program.gives);
                    self.found.push(FormatError::at(
                        &field,
                        RefusalReason::Invalid,
                        says,
                        wanted.help(),
                    ));
                }
                program.gives
            }
        }
    }
}

fn refused(field: &[PathStep], error: &CompileError) -> FormatError {
    let place = error.position.map_or(String::new(), |(line, column)| {
        format!(" at {line}:{column}")
    });
    let help = error
        .help
        .clone()
        .unwrap_or_else(|| "correct the expression".to_owned());
    FormatError::at(
        field,
        RefusalReason::Invalid,
        format!("does not compile{place}: {}", error.message),
        help,
    )
}
