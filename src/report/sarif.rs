//! SARIF 2.1.0, for code scanning. Paths are those of the repository; lines and columns from 1;
//! fingerprints have no line numbers, so that a finding stays the same when lines move.
//! <https://docs.oasis-open.org/sarif/sarif/v2.1.0/sarif-v2.1.0.html>

use serde_json::{Value, json};

use super::fingerprint;
use crate::diagnostics::{Diagnostic, Label, Severity, Sources, catalogue};

/// Findings as one SARIF log, with others that were there before, if it is known which.
pub fn write(findings: &[Diagnostic], sources: &Sources, old: &[Diagnostic]) -> String {
    let used = |id: &str| {
        findings
            .iter()
            .chain(old)
            .any(|finding| finding.code.id == id)
    };
    let rules: Vec<Value> = catalogue::all()
        .filter(|code| used(code.id))
        .map(|code| {
            json!({
                "id": code.id,
                "name": code.title,
                "shortDescription": {"text": code.title},
                "fullDescription": {"text": code.cause},
                "help": {
                    "text": format!("{}\n\n{}", code.cause, code.remedy),
                    "markdown": format!("{}\n\n```yaml\n{}\n```\n\n{}", code.cause, code.example, code.remedy),
                },
                "defaultConfiguration": {"level": level(code.severity)},
            })
        })
        .collect();
    let mut results: Vec<Value> = findings
        .iter()
        .map(|finding| result(finding, sources))
        .collect();
    results.extend(old.iter().map(|finding| {
        let mut result = result(finding, sources);
        result["baselineState"] = json!("unchanged");
        result
    }));
    let log = json!({
        "$schema": "https://json.schemastore.org/sarif-2.1.0.json",
        "version": "2.1.0",
        "runs": [{
            "tool": {"driver": {
                "name": "tenantry",
                "version": env!("CARGO_PKG_VERSION"),
                "rules": rules,
            }},
            "columnKind": "unicodeCodePoints",
            "results": results,
        }],
    });
    serde_json::to_string_pretty(&log).unwrap_or_default() + "\n"
}

fn level(severity: Severity) -> &'static str {
    match severity {
        Severity::Error => "error",
        Severity::Warning => "warning",
        Severity::Note => "note",
    }
}

fn result(finding: &Diagnostic, sources: &Sources) -> Value {
    let mut text = finding.message.clone();
    if let Some(help) = &finding.help {
        text.push_str(". Help: ");
        text.push_str(help);
    }
    let related: Vec<Value> = finding
        .secondary
        .iter()
        .filter(|label| sources.is_in_repository(label.span.file))
        .enumerate()
        .map(|(at, label)| {
            let mut place = location(label, sources);
            place["id"] = json!(at + 1);
            place["message"] =
                json!({"text": if label.message.is_empty() { "related" } else { &label.message }});
            place
        })
        .collect();
    json!({
        "ruleId": finding.code.id,
        "level": level(finding.severity),
        "message": {"text": text},
        "locations": finding.primary.iter().filter(|label| sources.is_in_repository(label.span.file)).map(|label| location(label, sources)).collect::<Vec<_>>(),
        "relatedLocations": related,
        "partialFingerprints": {"tenantry/v1": fingerprint(finding, sources)},
    })
}

fn location(label: &Label, sources: &Sources) -> Value {
    let start = sources.position(label.span.file, label.span.start);
    let end = sources.position(label.span.file, label.span.end);
    let uri: String = sources
        .path(label.span.file)
        .replace('%', "%25")
        .replace(' ', "%20");
    json!({"physicalLocation": {
        "artifactLocation": {"uri": uri},
        "region": {
            "startLine": start.line,
            "startColumn": start.column,
            "endLine": end.line,
            "endColumn": end.column,
        },
    }})
}
