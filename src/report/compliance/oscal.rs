//! NIST's Open Security Controls Assessment Language: assessment results.
//! <https://pages.nist.gov/OSCAL/concepts/layer/assessment/assessment-results/>

use serde_json::{Value, json};

use super::{ControlReport, Report, Status, standing, uuid};
use crate::model::verdict::PolicyRecord;

/// The version of the language.
const OSCAL_VERSION: &str = "1.1.2";
/// What our own properties are known by.
const NAMESPACE: &str = "https://tenantry.dev/oscal";

/// The document.
pub fn write(report: &Report<'_>) -> String {
    let scope = report.scope;
    let start = format!("{}T00:00:00Z", scope.as_of);
    let results: Vec<Value> = report
        .frameworks
        .iter()
        .flat_map(|framework| {
            let name = framework.framework.name.as_str();
            let start = start.as_str();
            framework.tenants.iter().map(move |tenant| {
                result(
                    report,
                    name,
                    &framework.framework.spec.title,
                    tenant.tenant,
                    &tenant.controls,
                    start,
                )
            })
        })
        .collect();
    let mut document = json!({
        "uuid": uuid(&format!("assessment results {} {}", scope.input_digest, scope.as_of)),
        "metadata": {
            "title": format!("Compliance of {}", scope.platform),
            "last-modified": start,
            "version": if scope.commit.is_empty() { &scope.input_digest } else { &scope.commit },
            "oscal-version": OSCAL_VERSION,
            "remarks": "Checks of manifests support controls; they do not meet a framework alone.",
        },
        "import-ap": {"href": "#assessment-plan", "remarks": "The policies of the repository are the plan."},
    });
    // The language has no empty list.
    if results.is_empty() {
        document["results"] = json!([nothing(&start)]);
    } else {
        document["results"] = json!(results);
    }
    serde_json::to_string_pretty(&json!({"assessment-results": document})).unwrap_or_default()
        + "\n"
}

fn nothing(start: &str) -> Value {
    json!({
        "uuid": uuid("no framework is followed"),
        "title": "No framework is followed",
        "description": "Neither the platform nor a tenant follows a framework.",
        "start": start,
        "reviewed-controls": {"control-selections": [{"description": "None."}]},
    })
}

fn result(
    report: &Report<'_>,
    framework: &str,
    title: &str,
    tenant: &str,
    controls: &[ControlReport<'_>],
    start: &str,
) -> Value {
    let key = format!("{framework} {tenant} {}", report.scope.input_digest);
    let mut observations: Vec<Value> = Vec::new();
    let mut findings: Vec<Value> = Vec::new();
    let mut seen = std::collections::BTreeSet::new();
    for control in controls {
        let mut related = Vec::new();
        for policy in &control.policies {
            let id = uuid(&format!("{key} population {}", policy.policy.name));
            related.push(json!({"observation-uuid": id}));
            if seen.insert(id.clone()) {
                observations.push(population(&id, policy, start));
            }
            for at in &policy.records {
                let record = &report.evidence.records[*at];
                let id = uuid(&format!("{key} record {at}"));
                related.push(json!({"observation-uuid": id}));
                if seen.insert(id.clone()) {
                    observations.push(observation(report, &id, record, start));
                }
            }
        }
        // What nobody has shown is not satisfied.
        let state = match control.status {
            Status::Pass | Status::NotApplicable => "satisfied",
            _ => "not-satisfied",
        };
        let mut finding = json!({
            "uuid": uuid(&format!("{key} control {}", control.control.id)),
            "title": format!("{}: {}", control.control.id, control.control.title),
            "description": described(control),
            "props": [{"name": "status", "ns": NAMESPACE, "value": control.status.name()}],
            "target": {
                "type": "objective-id",
                "target-id": token(&format!("{framework}-{}", control.control.id)),
                "status": {"state": state, "reason": reason(control.status)},
            },
        });
        if !related.is_empty() {
            finding["related-observations"] = json!(related);
        }
        findings.push(finding);
    }
    let selected: Vec<Value> = controls
        .iter()
        .map(|control| json!({"control-id": token(&format!("{framework}-{}", control.control.id))}))
        .collect();
    let mut result = json!({
        "uuid": uuid(&format!("{key} result")),
        "title": format!("{title}, tenant {tenant}"),
        "description": format!("What manifests and documents show of {title} for the tenant {tenant}."),
        "start": start,
        "end": start,
        "props": [
            {"name": "framework", "ns": NAMESPACE, "value": framework},
            {"name": "tenant", "ns": NAMESPACE, "value": tenant},
            {"name": "input-digest", "ns": NAMESPACE, "value": report.scope.input_digest},
            {"name": "policy-digest", "ns": NAMESPACE, "value": report.scope.policy_digest},
        ],
    });
    result["reviewed-controls"] = json!({
        "control-selections": [if selected.is_empty() { json!({"description": "None."}) } else { json!({"include-controls": selected}) }],
    });
    if !observations.is_empty() {
        result["observations"] = json!(observations);
    }
    if !findings.is_empty() {
        result["findings"] = json!(findings);
    }
    result
}

fn described(control: &ControlReport<'_>) -> String {
    match control.status {
        Status::Manual => "No manifest can show it: a person has to.".to_owned(),
        Status::NotCovered => "No policy serves it.".to_owned(),
        _ => {
            let judged: usize = control
                .policies
                .iter()
                .map(|policy| policy.count.judged())
                .sum();
            let failed: usize = control
                .policies
                .iter()
                .map(|policy| policy.count.fail)
                .sum();
            let accepted: usize = control
                .policies
                .iter()
                .map(|policy| policy.count.accepted)
                .sum();
            format!(
                "{} judged {judged} times: {failed} not met, {accepted} waived or known.",
                names(control)
            )
        }
    }
}

fn names(control: &ControlReport<'_>) -> String {
    let names: Vec<&str> = control
        .policies
        .iter()
        .map(|policy| policy.policy.name.as_str())
        .collect();
    names.join(", ")
}

fn reason(status: Status) -> &'static str {
    match status {
        Status::Pass => "pass",
        Status::Fail => "fail",
        _ => "other",
    }
}

/// How often a policy was judged.
fn population(id: &str, policy: &super::PolicyReport<'_>, start: &str) -> Value {
    let count = policy.count;
    json!({
        "uuid": id,
        "title": policy.policy.name,
        "description": format!(
            "{} Judged {} times: {} met, {} not met, {} waived or known, {} undecided.",
            sentence(&policy.policy.title),
            count.judged(),
            count.pass,
            count.fail,
            count.accepted,
            count.undecided
        ),
        "props": [
            {"name": "policy-digest", "ns": NAMESPACE, "value": policy.policy.digest},
            {"name": "strength", "ns": NAMESPACE, "value": policy.strength.name()},
        ],
        "methods": ["TEST"],
        "types": ["control-objective"],
        "collected": start,
    })
}

fn sentence(title: &str) -> String {
    let title = title.trim();
    if title.ends_with('.') {
        title.to_owned()
    } else {
        format!("{title}.")
    }
}

fn observation(report: &Report<'_>, id: &str, record: &PolicyRecord, start: &str) -> Value {
    let subject = &record.subject;
    let mut props = vec![
        json!({"name": "policy", "ns": NAMESPACE, "value": record.policy}),
        json!({"name": "status", "ns": NAMESPACE, "value": standing(record)}),
        json!({"name": "object-digest", "ns": NAMESPACE, "value": record.object_digest}),
    ];
    for (name, value) in [
        ("environment", &subject.environment),
        ("cluster", &subject.cluster),
        ("component", &subject.component),
        ("path", &subject.path),
    ] {
        if !value.is_empty() {
            props.push(json!({"name": name, "ns": NAMESPACE, "value": value}));
        }
    }
    let evidence = match report.place(record.place) {
        Some((path, line)) => {
            json!({"href": format!("{}#L{line}", escaped(&path)), "description": "The input line."})
        }
        None => json!({"description": "There is no input line."}),
    };
    json!({
        "uuid": id,
        "title": format!("{} does not meet {}", subject.object, record.policy),
        "description": record.message,
        "props": props,
        "methods": ["TEST"],
        "types": ["finding"],
        "subjects": [{
            "subject-uuid": uuid(&format!("{}/{}/{}/{}", subject.environment, subject.cluster, subject.tenant, subject.object)),
            "type": "resource",
            "title": subject.object,
        }],
        "relevant-evidence": [evidence],
        "collected": start,
    })
}

/// A reference without characters that URIs refuse.
fn escaped(path: &str) -> String {
    path.bytes()
        .map(|byte| {
            if byte.is_ascii_alphanumeric() || b"-._~/".contains(&byte) {
                char::from(byte).to_string()
            } else {
                format!("%{byte:02X}")
            }
        })
        .collect()
}

/// An id as the language allows it: letters, digits, `-`, `_` and `.`.
fn token(id: &str) -> String {
    let mut token = String::new();
    for c in id.chars() {
        let c = if c.is_ascii_alphanumeric() || "_.".contains(c) {
            c
        } else {
            '-'
        };
        if c != '-' || !token.ends_with('-') {
            token.push(c);
        }
    }
    token.trim_matches('-').to_owned()
}
