//! Which contexts hold for a tenant.

use super::PlanInput;
use crate::model::catalog::Document;
use crate::model::kinds::{Context, ContextLevel, Platform, Stage, Tenant};
use tenantry_syntax::diagnostics::catalogue::resolve as codes;
use tenantry_syntax::diagnostics::{Diagnostic, Sink, list_names};
use tenantry_syntax::yaml::Node;

fn is_session(context: &Document<Context>) -> bool {
    context.spec.scope.level >= ContextLevel::User
}

/// The contexts of a tenant's part of the organisation, the lowest first: by level, by priority,
/// then by name.
pub fn of_tenant<'a>(
    input: &PlanInput<'a>,
    tenant: &Document<Tenant>,
) -> Vec<&'a Document<Context>> {
    let mut contexts: Vec<_> = input
        .catalog
        .contexts
        .iter()
        .filter(|context| context.spec.holds_for(Some(&tenant.spec.organization)))
        .filter(|context| !input.has_expired(context.spec.expires_at.as_ref()))
        .collect();
    contexts.sort_by_key(|context| {
        (
            context.spec.scope.level,
            context.spec.priority(),
            context.name.as_str(),
        )
    });
    contexts
}

/// The user and session contexts, in order; findings for those that are where they may not be.
pub fn from_command_line<'a>(
    input: &PlanInput<'a>,
    platform: &Document<Platform>,
    sink: &mut Sink,
) -> Vec<&'a Document<Context>> {
    let mut session = Vec::new();
    for context in &input.catalog.contexts {
        let from_command_line = input.sources.is_from_command_line(context.tree.id.file);
        let level = context.fields().scope().level().place();
        if let Some(last) = &context.spec.expires_at
            && input.has_expired(Some(last))
        {
            sink.push(input.expired(
                &format!("the context `{}`", context.name),
                &last.0,
                context.fields().expires_at().place(),
            ));
            continue;
        }
        if is_session(context) != from_command_line {
            let (message, help) = if from_command_line {
                (
                    "a context from the command line is for a user or a session",
                    "write `level: user` or `level: session`, or put the file into the repository",
                )
            } else {
                (
                    "a context of a user or session does not belong into the repository",
                    "give the file with --context, or write a level from global to project",
                )
            };
            sink.push(
                Diagnostic::new(codes::BAD_CONTEXT_FILE, message)
                    .at(input.span(level), "")
                    .help(help),
            );
        } else if from_command_line {
            session.push(context);
        }
    }
    session.sort_by_key(|context| {
        (
            context.spec.scope.level,
            context.spec.priority(),
            context.tree.id,
        )
    });
    let stages = platform
        .spec
        .session_contexts
        .stages
        .clone()
        .unwrap_or_else(|| vec![Stage::Development, Stage::Staging]);
    if let Some(context) = session.first() {
        let guarded: Vec<&str> = input
            .catalog
            .environments
            .iter()
            .filter(|environment| input.selection.environment(&environment.name))
            .filter(|environment| !stages.contains(&environment.spec.stage))
            .map(|environment| environment.name.as_str())
            .collect();
        if !guarded.is_empty() {
            let values = context
                .fields()
                .values()
                .node()
                .map_or(context.tree.id, |values: &Node| values.id);
            let message = format!(
                "values from the command line are refused for {}",
                list_names(guarded)
            );
            sink.push(
                Diagnostic::new(codes::SESSION_REFUSED, message)
                    .at(input.span(values), "this value")
                    .help("select other environments with --environment, or write the value into the repository"),
            );
        }
    }
    session
}
