//! Reviews as people and tools read them: one file per format. Formats that know findings only
//! (`github`, `gitlab`, `sarif`, `junit`) get the risks as findings.

pub mod html;
pub mod json;
pub mod markdown;
pub mod text;
pub mod values;
pub mod words;

use std::collections::BTreeSet;

use serde_json::Value as Json;
use similar::{ChangeTag, TextDiff};

use crate::model::change::{InputChange, Object, Review, RiskClass, Variant};
use crate::model::secrets::redacted as hide;
use tenantry_kubernetes::field_path::FieldPath;
use tenantry_syntax::diagnostics::{Diagnostic, Severity, Sources, Span};

/// Most lines at which one risk is told.
const MOST_PLACES: usize = 20;

/// Risks as findings, at the input lines that they follow from, and findings that are new. A class
/// that is denied is an error.
pub fn as_findings(
    review: &Review,
    sources: &Sources,
    denied: &BTreeSet<RiskClass>,
) -> Vec<Diagnostic> {
    let span = |input: &InputChange| -> Option<Span> {
        // A line that is gone is in no file that could be annotated.
        let place = input.after_place.as_ref()?;
        let file = sources.find(&place.path)?;
        sources.line_span(file, place.line)
    };
    let mut findings: Vec<Diagnostic> = Vec::new();
    for risk in &review.risks {
        let mut finding = Diagnostic::new(risk.class.code(), risk.message.clone());
        if denied.contains(&risk.class) {
            finding.severity = Severity::Error;
        }
        if !risk.objects.is_empty() {
            let number = words::count(risk.objects.len(), "object");
            let names = words::objects(review, &risk.objects, 3);
            finding = finding.note(format!("{number}: {names}"));
        }
        finding = finding.help(risk.class.code().remedy);
        if risk.causes.is_empty() {
            findings.push(finding);
            continue;
        }
        // Each line that it follows from gets an annotation of its own.
        for cause in risk.causes.iter().take(MOST_PLACES) {
            let input = &review.inputs[*cause];
            findings.push(finding.clone().at(span(input), words::input(input)));
        }
    }
    findings.extend(review.new_findings.iter().cloned());
    findings
}

/// An object as JSON, what is secret in it hidden.
pub fn redacted(object: &Object) -> Json {
    hide(&object.kind, object.root(), &FieldPath::default()).0
}

/// The lines in which two texts of several lines differ, each with its sign; at most so many.
pub fn text_lines(variant: &Variant, most: usize) -> Vec<String> {
    let (Some(before), Some(after)) = (
        variant.before.as_ref().and_then(|value| value.as_str()),
        variant.after.as_ref().and_then(|value| value.as_str()),
    ) else {
        return Vec::new();
    };
    if !before.contains('\n') && !after.contains('\n') {
        return Vec::new();
    }
    let mut lines: Vec<String> = TextDiff::from_lines(before, after)
        .iter_all_changes()
        .filter(|change| change.tag() != ChangeTag::Equal)
        .map(|change| {
            let sign = if change.tag() == ChangeTag::Insert {
                '+'
            } else {
                '-'
            };
            format!("{sign} {}", change.value().trim_end())
        })
        .collect();
    if lines.len() > most {
        let more = lines.len() - most;
        lines.truncate(most);
        lines.push(format!("… {} more", words::count(more, "line")));
    }
    lines
}
