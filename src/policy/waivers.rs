//! Waivers: what they except, and what is wrong with them.

use std::collections::BTreeSet;

use jiff::civil::Date;

use crate::model::catalog::{Document, Documents};
use crate::model::kinds::Waiver;
use crate::model::verdict::VerdictSubject;
use tenantry_engine::scalars::Name;
use tenantry_syntax::diagnostics::catalogue::verify::OF_API_SERVER;
use tenantry_syntax::diagnostics::catalogue::{self, policy as codes};
use tenantry_syntax::diagnostics::{Accepted, Diagnostic, Sink, Sources, list_names, suggest};

/// Days before its end at which a waiver is told to expire.
const SOON: i32 = 30;

/// The waivers that hold.
#[derive(Debug)]
pub struct Waivers<'a> {
    in_force: Vec<&'a Document<Waiver>>,
}

impl<'a> Waivers<'a> {
    /// Judges the waivers, and keeps those that hold.
    pub fn new(
        waivers: &'a Documents<Waiver>,
        policies: &BTreeSet<&str>,
        as_of: Date,
        sources: &Sources,
        sink: &mut Sink,
    ) -> Waivers<'a> {
        let mut in_force = Vec::new();
        for waiver in waivers {
            let spec = &waiver.spec;
            let (fields, span) = (waiver.fields(), |place| sources.span(place));
            let name = &waiver.name;
            if let Some(problem) = names_nothing(waiver, policies, sources) {
                sink.push(problem);
                continue;
            }
            if same_person(&spec.requested_by, &spec.approved_by) {
                let message = format!(
                    "the waiver `{name}` was approved by who asked for it, so it does not count"
                );
                sink.push(
                    Diagnostic::new(codes::SELF_APPROVED, message)
                        .at(span(fields.approved_by().place()), "approved by")
                        .and(span(fields.requested_by().place()), "asked for by")
                        .help("have somebody else approve it"),
                );
                continue;
            }
            let (Ok(first), Ok(last)) = (
                spec.issued_at.0.parse::<Date>(),
                spec.expires_at.0.parse::<Date>(),
            ) else {
                continue;
            };
            if last < as_of {
                let message = format!(
                    "the last day of the waiver `{name}` was {last}, so its findings stand"
                );
                sink.push(
                    Diagnostic::new(codes::WAIVER_EXPIRED, message)
                        .at(span(fields.expires_at().place()), "its last day")
                        .help("fix the finding and remove the waiver, or renew it"),
                );
                continue;
            }
            if first > as_of {
                let message = format!("the waiver `{name}` holds from {first} on");
                sink.push(
                    Diagnostic::new(codes::WAIVER_NOT_YET, message)
                        .at(span(fields.issued_at().place()), "its first day")
                        .help("write the day from which it is meant to hold, if that is another"),
                );
                continue;
            }
            let left = as_of.until(last).map_or(i32::MAX, |span| span.get_days());
            if left <= SOON {
                let when = match left {
                    0 => "today".to_owned(),
                    1 => "tomorrow".to_owned(),
                    days => format!("in {days} days"),
                };
                let message = format!("the waiver `{name}` expires {when}, on {last}");
                sink.push(
                    Diagnostic::new(codes::WAIVER_EXPIRES, message)
                        .at(span(fields.expires_at().place()), "its last day")
                        .help("fix the finding first, or renew the waiver"),
                );
            }
            in_force.push(waiver);
        }
        Waivers { in_force }
    }

    /// The waiver that excepts a finding of a policy or of a code.
    pub fn find(&self, rule: &str, subject: &VerdictSubject) -> Option<Accepted> {
        let waiver = self
            .in_force
            .iter()
            .find(|waiver| waiver.spec.names() == rule && excepts(&waiver.spec, subject))?;
        Some(Accepted::Waived {
            waiver: waiver.name.clone(),
            reason: waiver.spec.reason.clone(),
        })
    }

    /// Tells those that nothing needed.
    pub fn unused(&self, used: &BTreeSet<String>, sources: &Sources, sink: &mut Sink) {
        for waiver in self
            .in_force
            .iter()
            .filter(|waiver| !used.contains(&waiver.name))
        {
            let message = format!("nothing needs the waiver `{}`", waiver.name);
            sink.push(
                Diagnostic::new(codes::WAIVER_UNUSED, message)
                    .at(sources.span(waiver.name_id()), "")
                    .and(
                        sources
                            .span(waiver.fields().subject().place())
                            .map(|span| sources.first_line(span)),
                        "nothing of this was found",
                    )
                    .help("remove it, or fix its `subject`"),
            );
        }
    }
}

/// What is wrong with what a waiver names: no such policy, or a code that cannot be waived.
fn names_nothing(
    waiver: &Document<Waiver>,
    policies: &BTreeSet<&str>,
    sources: &Sources,
) -> Option<Diagnostic> {
    let (name, named) = (&waiver.name, waiver.spec.names());
    let (fields, span) = (waiver.fields(), |place| sources.span(place));
    if waiver.spec.policy.is_some() {
        if policies.contains(named) {
            return None;
        }
        let message = format!("the waiver `{name}` names the policy `{named}`, which is not there");
        let mut diagnostic =
            Diagnostic::new(codes::UNKNOWN_POLICY, message).at(span(fields.policy().place()), "");
        diagnostic.help = suggest(named, policies.iter().copied())
            .or_else(|| Some("`tenantry policy list` shows all".to_owned()));
        return Some(diagnostic);
    }
    if OF_API_SERVER.iter().any(|code| code.id == named) {
        return None;
    }
    let message = match catalogue::find(named) {
        Some(code) => format!(
            "the waiver `{name}` names {named} ({}), which no waiver excepts",
            code.title
        ),
        None => format!("the waiver `{name}` names the code `{named}`, which is not there"),
    };
    let waivable = list_names(OF_API_SERVER.iter().map(|code| code.id));
    Some(
        Diagnostic::new(codes::NOT_WAIVABLE, message)
            .at(span(fields.code().place()), "")
            .help(format!("fix the finding; waivable are {waivable}")),
    )
}

/// Names that differ in case, spaces or characters that nobody sees are the same person.
fn same_person(a: &str, b: &str) -> bool {
    let bare = |name: &str| -> String {
        let seen = name
            .chars()
            .filter(|c| c.is_alphanumeric() || c.is_ascii_punctuation());
        seen.flat_map(char::to_lowercase).collect()
    };
    bare(a) == bare(b)
}

fn excepts(waiver: &Waiver, subject: &VerdictSubject) -> bool {
    let wanted = &waiver.subject;
    let is = |wanted: Option<&str>, found: &str| wanted.is_none_or(|wanted| wanted == found);
    let is_name =
        |wanted: &Option<Name>, found: &str| is(wanted.as_ref().map(|name| &*name.0), found);
    is_name(&wanted.tenant, &subject.tenant)
        && is_name(&wanted.environment, &subject.environment)
        && is_name(&wanted.cluster, &subject.cluster)
        && is_name(&wanted.component, &subject.component)
        && is(wanted.object.as_deref(), &subject.object)
        && wanted
            .path
            .as_deref()
            .is_none_or(|path| is_below(&subject.path, path))
}

/// Whether a path is another, or leads further down from it.
fn is_below(path: &str, of: &str) -> bool {
    path.strip_prefix(of)
        .is_some_and(|rest| rest.is_empty() || rest.starts_with(['.', '[']))
}
