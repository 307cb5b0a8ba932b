//! SARIF 2.1.0, for code scanning. Paths are those of the repository; lines and columns from 1;
//! fingerprints have no line numbers, so that a finding stays the same when lines move.
//! <https://docs.oasis-open.org/sarif/sarif/v2.1.0/sarif-v2.1.0.html>

use std::collections::BTreeMap;

use serde_json::{Value, json};

use super::fingerprint;
use tenantry_syntax::diagnostics::{
    Accepted, Diagnostic, Label, PolicyFinding, Severity, Sources, catalogue,
};

/// Findings as one SARIF log, with others that were there before, if it is known which.
pub fn write(findings: &[Diagnostic], sources: &Sources, old: &[Diagnostic]) -> String {
    let used = |id: &str| {
        findings
            .iter()
            .chain(old)
            .any(|finding| finding.policy.is_none() && finding.code.id == id)
    };
    let mut rules: Vec<Value> = catalogue::all()
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
    let policies: BTreeMap<&str, Value> = findings
        .iter()
        .chain(old)
        .filter_map(|finding| {
            let policy = finding.policy.as_ref()?;
            Some((policy.policy.as_str(), rule(policy)))
        })
        .collect();
    rules.extend(policies.into_values());
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

/// A policy as a rule; `security-severity` is how code scanning sorts them.
fn rule(policy: &PolicyFinding) -> Value {
    let score = match policy.severity {
        "critical" => "9.5",
        "high" => "8.0",
        "medium" => "5.5",
        "low" => "3.0",
        _ => "1.0",
    };
    let help = if policy.help.is_empty() {
        &policy.title
    } else {
        &policy.help
    };
    json!({
        "id": policy.policy,
        "name": policy.title,
        "shortDescription": {"text": policy.title},
        "fullDescription": {"text": policy.title},
        "help": {"text": help, "markdown": help},
        "properties": {"security-severity": score, "tags": ["security", "policy"]},
    })
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
    let mut result = json!({
        "ruleId": finding.rule_id(),
        "level": level(finding.severity),
        "message": {"text": text},
        "locations": finding.primary.iter().filter(|label| sources.is_in_repository(label.span.file)).map(|label| location(label, sources)).collect::<Vec<_>>(),
        "relatedLocations": related,
        "partialFingerprints": {"tenantry/v1": fingerprint(finding, sources)},
    });
    if let Some(accepted) = &finding.accepted {
        let why = match accepted {
            Accepted::Waived { waiver, reason } => format!("waiver {waiver}: {reason}"),
            Accepted::Known => "known to the baseline".to_owned(),
        };
        result["suppressions"] =
            json!([{"kind": "external", "status": "accepted", "justification": why}]);
    }
    result
}

fn location(label: &Label, sources: &Sources) -> Value {
    let start = sources.position(label.span.file, label.span.start);
    let end = sources.position(label.span.file, label.span.end);
    let uri: String = sources
        .path_in_git(label.span.file)
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
