//! What the API server would refuse of an object, beyond its schema.

use super::Schemas;
use crate::diagnostics::{Diagnostic, Sink, catalogue::verify as codes};
use crate::kubernetes::validation::{self, Kind, Known, Violation};
use crate::model::locator::Locator;
use crate::model::manifest::Rendered;
use crate::yaml::{Path, Step};

/// Validates an object; `is_typed` if its values have the types of its schema, without which the API server does not
/// come to the rules of a CRD.
pub fn check(
    schemas: &Schemas,
    locator: &Locator<'_>,
    one: &Rendered,
    is_typed: bool,
    sink: &mut Sink,
) {
    let (api_version, kind) = (one.manifest.api_version(), one.manifest.kind());
    let known = match schemas.known(&locator.unit.key.cluster, &api_version, &kind) {
        Known::Custom(_) if !is_typed => Known::Nothing,
        known => known,
    };
    for violation in validation::check(one.manifest.root(), known, None, Kind::All) {
        sink.push(describe(locator, one, &kind, &violation));
    }
}

/// A finding about a value that the API server refuses.
fn describe(
    locator: &Locator<'_>,
    one: &Rendered,
    kind: &str,
    violation: &Violation<'_>,
) -> Diagnostic {
    let metadata = violation
        .path
        .0
        .iter()
        .rposition(|step| *step == Step::from("metadata"));
    let diagnostic = match metadata {
        // Labels are the same on many objects, and are told once.
        Some(at) if violation.path.0.len() > at + 1 => {
            let path = Path(violation.path.0[at..].to_vec());
            let of = if at == 0 && path.0[1] == Step::from("name") {
                format!("{kind}: ")
            } else {
                String::new()
            };
            let message = format!("{of}`{path}` {}", violation.says);
            Diagnostic::new(codes::BAD_OBJECT_NAME, message)
        }
        _ => Diagnostic::new(codes::REFUSED, format!("{kind}: {}", violation.message())),
    };
    let diagnostic = diagnostic
        .note(locator.object(one))
        .help(violation.help.clone());
    match violation.key.and_then(|id| locator.sources.span(id)) {
        Some(span) => diagnostic.at(span, "").and(
            locator.place(violation.view).1,
            "printed by this template line",
        ),
        None => locator.at(diagnostic, violation.view, ""),
    }
}
