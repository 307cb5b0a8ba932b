//! Code Quality of GitLab: a list of issues with a fingerprint, a place and a severity.
//! <https://docs.gitlab.com/ci/testing/code_quality/#code-quality-report-format>

use serde_json::{Value, json};

use super::fingerprint;
use tenantry_syntax::diagnostics::{Diagnostic, Severity, Sources, printable};

/// All findings.
pub fn write(findings: &[Diagnostic], sources: &Sources) -> String {
    let issues: Vec<Value> = findings
        .iter()
        .map(|finding| issue(finding, sources))
        .collect();
    serde_json::to_string_pretty(&issues).unwrap_or_default() + "\n"
}

fn issue(finding: &Diagnostic, sources: &Sources) -> Value {
    let severity = match finding.severity {
        Severity::Error => "critical",
        Severity::Warning => "minor",
        Severity::Note => "info",
    };
    let place = finding.primary.as_ref();
    let place = place.filter(|label| sources.is_in_repository(label.span.file));
    // An issue must have a place; what has none is about the repository as a whole.
    let (path, line) = place.map_or(("tenantry.yaml".to_owned(), 1), |label| {
        let position = sources.position(label.span.file, label.span.start);
        (sources.path_in_git(label.span.file), position.line)
    });
    let mut description = printable(&finding.message);
    if let Some(help) = &finding.help {
        description.push_str(" — help: ");
        description.push_str(&printable(help));
    }
    json!({
        "description": description,
        "check_name": finding.rule_id(),
        "fingerprint": fingerprint(finding, sources),
        "severity": severity,
        "location": {"path": path, "lines": {"begin": line}},
    })
}
