//! Roles and grants: what they name exists, roles inherit in no circle, and nobody has two roles that
//! are to be apart.

use std::collections::BTreeSet;

use super::PlanInput;
use crate::model::access;
use crate::model::catalog::Document;
use crate::model::field::Field;
use crate::model::kinds::tenant::TenantGrant;
use crate::model::kinds::{Role, Tenant};
use tenantry_syntax::diagnostics::catalogue::resolve as codes;
use tenantry_syntax::diagnostics::{Diagnostic, Sink};
use tenantry_syntax::yaml::NodeId;

/// Checks all documents of kind Role and Grant.
pub fn check(input: &PlanInput<'_>, sink: &mut Sink) {
    let catalog = input.catalog;
    for role in &catalog.roles {
        circle(input, role, sink);
        apart(input, role, sink);
    }
    for grant in &catalog.grants {
        let last = grant.spec.expires_at.as_ref();
        if let Some(last) = last.filter(|last| input.has_expired(Some(last))) {
            let place = grant.fields().expires_at().place();
            sink.push(input.expired(&format!("the grant `{}`", grant.name), &last.0, place));
        }
    }
}

fn circle(input: &PlanInput<'_>, role: &Document<Role>, sink: &mut Sink) {
    let inherited = access::lineage(input.catalog, &role.name);
    let closing = inherited
        .iter()
        .find(|other| other.spec.inherits.iter().any(|name| name.0 == role.name));
    // Told once, at the first role of the circle by name.
    let is_first = |other: &&Document<Role>| {
        let back = access::lineage(input.catalog, &other.name);
        let in_circle = back.iter().any(|known| known.name == role.name);
        !in_circle || other.name >= role.name
    };
    if let Some(closing) = closing
        && inherited.iter().all(is_first)
    {
        let message = format!(
            "roles inherit from each other in a circle: `{}` from `{}`, and that from `{}`",
            closing.name, role.name, closing.name
        );
        let message = if closing.name == role.name {
            format!("the role `{}` inherits from itself", role.name)
        } else {
            message
        };
        sink.push(
            Diagnostic::new(codes::DEPENDENCY_CYCLE, message)
                .at(
                    input.span(closing.fields().inherits().place()),
                    "inherits here",
                )
                .and(
                    input
                        .span(role.fields().inherits().place())
                        .filter(|_| closing.name != role.name),
                    "and here",
                )
                .help("remove one of the two from `inherits`"),
        );
    }
}

/// A role that inherits two roles which are to be apart gives both to whoever has it.
fn apart(input: &PlanInput<'_>, role: &Document<Role>, sink: &mut Sink) {
    let inherited = access::lineage(input.catalog, &role.name);
    for (at, first) in inherited.iter().enumerate() {
        for second in &inherited[at + 1..] {
            let Some(rule) = said(&[first], &[second]).or_else(|| said(&[second], &[first])) else {
                continue;
            };
            let message = format!(
                "the role `{}` is both `{}` and `{}`, which are to be apart",
                role.name, first.name, second.name
            );
            sink.push(
                Diagnostic::new(codes::DUTIES, message)
                    .at(
                        input.span(role.fields().inherits().place()),
                        "inherits here",
                    )
                    .and(input.span(rule), "kept apart here")
                    .help("take one of the two out of `inherits`"),
            );
            return;
        }
    }
}

/// Whoever has a role in a tenant.
struct Holder<'a> {
    role: &'a str,
    role_id: NodeId,
    /// Kind and name.
    subject: (&'a str, &'a str),
    /// All if empty.
    environments: Vec<&'a str>,
}

/// Separation of duties: nobody has two roles of a tenant that are to be apart.
pub fn duties(input: &PlanInput<'_>, tenant: &Document<Tenant>, sink: &mut Sink) {
    let grants = access::grants_of(input.catalog, tenant);

    let mut holders: Vec<Holder<'_>> = Vec::new();
    for grant in Field::<Vec<TenantGrant>>::of(&grants).items() {
        if input.has_expired(grant.expires_at().read().as_ref()) || !grant.role().is_written() {
            continue;
        }
        let environments = grant.environments().items();
        let environments: Vec<&str> = environments.filter_map(Field::as_str).collect();
        for subject in grant.subjects().items() {
            let kind = subject.kind().as_str().unwrap_or_default();
            let name = subject.name().as_str().unwrap_or_default();
            holders.push(Holder {
                role: grant.role().as_str().unwrap_or_default(),
                role_id: grant.role().place(),
                subject: (kind, name),
                environments: environments.clone(),
            });
        }
    }
    let mut told: BTreeSet<(&str, &str, &str)> = BTreeSet::new();
    for (at, second) in holders.iter().enumerate() {
        for first in &holders[..at] {
            let together = first.environments.is_empty()
                || second.environments.is_empty()
                || first
                    .environments
                    .iter()
                    .any(|name| second.environments.contains(name));
            if first.subject != second.subject || !together {
                continue;
            }
            let Some(rule) = conflict(input, first.role, second.role) else {
                continue;
            };
            if !told.insert((second.subject.1, first.role, second.role)) {
                continue;
            }
            let message = format!(
                "{} `{}` has the roles `{}` and `{}` in {}, which are to be apart",
                second
                    .subject
                    .0
                    .to_lowercase()
                    .replace("serviceaccount", "service account"),
                second.subject.1,
                first.role,
                second.role,
                tenant.name
            );
            sink.push(
                Diagnostic::new(codes::DUTIES, message)
                    .at(input.span(second.role_id), "has this role")
                    .and(input.span(first.role_id), "and this one")
                    .and(input.span(rule), "kept apart here")
                    .help("take one of the two away, or grant it to somebody else"),
            );
        }
    }
}

/// Where two roles, or what they inherit, are said to be apart.
fn conflict(input: &PlanInput<'_>, first: &str, second: &str) -> Option<NodeId> {
    let (a, b) = (
        access::lineage(input.catalog, first),
        access::lineage(input.catalog, second),
    );
    said(&a, &b).or_else(|| said(&b, &a))
}

/// Where one of some roles says that it is to be apart from one of others.
fn said(roles: &[&Document<Role>], others: &[&Document<Role>]) -> Option<NodeId> {
    roles.iter().find_map(|role| {
        let mut names = role.spec.conflicts_with.iter();
        let at = names.position(|name| others.iter().any(|other| other.name == name.0))?;
        Some(role.fields().conflicts_with().item(at).place())
    })
}
