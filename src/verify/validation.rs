//! What the API server would refuse of an object, beyond its schema.

use std::collections::HashMap;

use super::Schemas;
use crate::model::locator::Locator;
use tenantry_engine::manifest::Rendered;
use tenantry_syntax::diagnostics::catalogue::verify as codes;
use tenantry_syntax::diagnostics::{Diagnostic, Sink};
use tenantry_syntax::yaml::{Path, PathStep};
use tenantry_validation::admission::{self, Namespace};
use tenantry_validation::{self, Entries, KnownKind, Refusal};

/// Validates an object; `is_typed` if its values have the types of its schema, without which the API server does not
/// come to the rules of a CRD. `entries` are of the unit.
pub fn check(
    schemas: &Schemas,
    locator: &Locator<'_>,
    one: &Rendered,
    is_typed: bool,
    entries: &Entries,
    sink: &mut Sink,
) {
    let (api_version, kind) = (one.manifest.api_version(), one.manifest.kind());
    let known = match schemas.known(&locator.unit.key.cluster, &api_version, &kind) {
        KnownKind::Custom(..) if !is_typed => KnownKind::Nothing,
        known => known,
    };
    let minor = schemas.minor(&locator.unit.key.cluster);
    let found =
        tenantry_validation::check_manifest(&one.manifest, known, minor, &schemas.objects, entries);
    for violation in found {
        sink.push(describe(locator, one, &kind, &violation));
    }
}

/// The pods of a unit, against what their namespaces allow.
pub struct PodSecurity<'a> {
    schemas: &'a Schemas,
    locator: &'a Locator<'a>,
    minor: u32,
    namespaces: HashMap<String, Namespace<'a>>,
}

impl<'a> PodSecurity<'a> {
    /// The pods of a unit.
    pub fn new(schemas: &'a Schemas, locator: &'a Locator<'a>) -> PodSecurity<'a> {
        PodSecurity {
            schemas,
            locator,
            minor: schemas.minor(&locator.unit.key.cluster),
            namespaces: HashMap::new(),
        }
    }

    /// Judges the pods of an object by the level, the `LimitRanges` and the quotas of its namespace, as far as the unit
    /// renders them.
    pub fn check(&mut self, one: &Rendered, sink: &mut Sink) {
        let root = one.manifest.root();
        if admission::pod(root).is_none() {
            return;
        }
        let (locator, minor) = (self.locator, self.minor);
        let name = one.manifest.namespace();
        let objects = locator.rendered.iter().map(|one| one.manifest.root());
        let namespace = self
            .namespaces
            .entry(name.to_string())
            .or_insert_with(|| Namespace::among(objects, &name, minor));
        let kind = one.manifest.kind();
        for violation in
            admission::refusals_of_manifest(&one.manifest, namespace, &self.schemas.pods)
        {
            // The API server accepts a workload, and refuses its pods later.
            let (code, message) = if kind == "Pod" {
                (codes::REFUSED, format!("{kind}: {}", violation.message()))
            } else {
                let message = format!("the pods of a {kind} are refused: {}", violation.message());
                (codes::PODS_REFUSED, message)
            };
            let diagnostic = Diagnostic::new(code, message)
                .note(locator.object(one))
                .help(violation.help.clone());
            sink.push(locator.at(diagnostic, violation.view, ""));
        }
    }
}

/// A finding about a value that the API server refuses.
fn describe(
    locator: &Locator<'_>,
    one: &Rendered,
    kind: &str,
    violation: &Refusal<'_>,
) -> Diagnostic {
    let metadata = violation
        .path
        .0
        .iter()
        .rposition(|step| *step == PathStep::from("metadata"));
    let diagnostic = match metadata {
        // Labels are the same on many objects, and are told once.
        Some(at) if violation.path.0.len() > at + 1 && (at == 0 || violation.rule.is_none()) => {
            let path = Path(violation.path.0[at..].to_vec());
            let of = if at == 0 && path.0[1] == PathStep::from("name") {
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
