//! Findings for tools. The form is a promise: what is here keeps its meaning within a
//! `formatVersion`.

use serde::Serialize;

use tenantry_syntax::diagnostics::{Accepted, Diagnostic, Label, Sources};

/// The version of this form.
pub const FORMAT_VERSION: u32 = 1;

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct FindingsReport<'a> {
    format_version: u32,
    findings: Vec<Finding<'a>>,
}

/// A finding in this form.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Finding<'a> {
    code: &'a str,
    severity: &'a str,
    title: &'a str,
    message: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    location: Option<Location<'a>>,
    related: Vec<Location<'a>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    help: Option<&'a str>,
    notes: &'a [String],
    repeated: usize,
    /// `waived` or `baseline`, if it does not count.
    #[serde(skip_serializing_if = "Option::is_none")]
    accepted: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    waiver: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    policy: Option<PolicyProperties<'a>>,
}

/// What findings of policies have besides.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct PolicyProperties<'a> {
    name: &'a str,
    severity: &'a str,
    title: &'a str,
    /// `waived` or `baseline`, if it does not count.
    #[serde(skip_serializing_if = "Option::is_none")]
    accepted: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    waiver: Option<&'a str>,
}

/// A place; lines and columns from 1, columns in characters.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Location<'a> {
    path: &'a str,
    line: usize,
    column: usize,
    end_line: usize,
    end_column: usize,
    label: &'a str,
}

/// All findings as one JSON document.
pub fn write(findings: &[Diagnostic], sources: &Sources) -> String {
    let findings = findings.iter().map(|finding| of_finding(finding, sources));
    let report = FindingsReport {
        format_version: FORMAT_VERSION,
        findings: findings.collect(),
    };
    serde_json::to_string_pretty(&report).unwrap_or_default() + "\n"
}

/// Why a finding does not count.
fn accepted(finding: &Diagnostic) -> Option<&'static str> {
    finding.accepted.as_ref().map(|accepted| match accepted {
        Accepted::Waived { .. } => "waived",
        Accepted::Known => "baseline",
    })
}

fn waiver(finding: &Diagnostic) -> Option<&str> {
    match finding.accepted.as_ref()? {
        Accepted::Waived { waiver, .. } => Some(waiver),
        Accepted::Known => None,
    }
}

/// One finding.
pub fn of_finding<'a>(finding: &'a Diagnostic, sources: &'a Sources) -> Finding<'a> {
    Finding {
        code: finding.code.id,
        severity: finding.severity.name(),
        title: finding.code.title,
        message: &finding.message,
        location: finding
            .primary
            .as_ref()
            .map(|label| location(label, sources)),
        related: finding
            .secondary
            .iter()
            .map(|label| location(label, sources))
            .collect(),
        help: finding.help.as_deref(),
        notes: &finding.notes,
        repeated: finding.repeated,
        accepted: accepted(finding),
        waiver: waiver(finding),
        policy: finding.policy.as_deref().map(|policy| PolicyProperties {
            name: &policy.policy,
            severity: policy.severity,
            title: &policy.title,
            accepted: accepted(finding),
            waiver: waiver(finding),
        }),
    }
}

fn location<'a>(label: &'a Label, sources: &'a Sources) -> Location<'a> {
    let start = sources.position(label.span.file, label.span.start);
    let end = sources.position(label.span.file, label.span.end);
    Location {
        path: sources.path(label.span.file),
        line: start.line,
        column: start.column,
        end_line: end.line,
        end_column: end.column,
        label: &label.message,
    }
}
