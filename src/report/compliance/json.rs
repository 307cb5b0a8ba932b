//! Everything, as an in-toto statement: what the pipeline signs.
//! <https://github.com/in-toto/attestation/blob/main/spec/v1/statement.md>

use serde_json::{Value, json};

use super::{PolicyReport, Report, standing, tree_digest};
use crate::model::verdict::PolicyRecord;
use tenantry_syntax::diagnostics::Accepted;

/// What the statement says: the form of its predicate.
const PREDICATE_TYPE: &str = "https://tenantry.dev/compliance/v1";

/// The statement.
pub fn write(report: &Report<'_>) -> String {
    serde_json::to_string_pretty(&statement(report)).unwrap_or_default() + "\n"
}

fn statement(report: &Report<'_>) -> Value {
    let scope = report.scope;
    let mut subject = vec![json!({"name": "input", "digest": {"sha256": scope.input_digest}})];
    if !scope.output.is_empty() {
        subject.push(json!({"name": "output", "digest": {"sha256": tree_digest(&scope.output)}}));
    }
    subject.extend(scope.output.iter().map(
        |(path, digest)| json!({"name": format!("output/{path}"), "digest": {"sha256": digest}}),
    ));
    json!({
        "_type": "https://in-toto.io/Statement/v1",
        "subject": subject,
        "predicateType": PREDICATE_TYPE,
        "predicate": {
            "formatVersion": 1,
            "scope": {
                "platform": scope.platform,
                "commit": scope.commit,
                "inputDigest": scope.input_digest,
                "policyDigest": scope.policy_digest,
                "toolVersion": env!("CARGO_PKG_VERSION"),
                "asOf": scope.as_of,
                "notEvaluated": scope.not_evaluated,
            },
            "frameworks": report.frameworks.iter().map(|framework| json!({
                "name": framework.framework.name,
                "title": framework.framework.spec.title,
                "edition": framework.framework.spec.edition,
                "note": framework.framework.spec.note,
                "tenants": framework.tenants.iter().map(|tenant| json!({
                    "tenant": tenant.tenant,
                    "controls": tenant.controls.iter().map(|control| json!({
                        "id": control.control.id,
                        "title": control.control.title,
                        "status": control.status.name(),
                        "policies": control.policies.iter().map(policy).collect::<Vec<_>>(),
                    })).collect::<Vec<_>>(),
                })).collect::<Vec<_>>(),
            })).collect::<Vec<_>>(),
            "policies": report.evidence.policies.iter().map(|policy| json!({
                "name": policy.name,
                "title": policy.title,
                "pack": policy.pack,
                "severity": policy.severity.name(),
                "enforcement": policy.enforcement,
                "target": policy.target.name(),
                "enforcedInCluster": policy.compile_time_only.is_none(),
                "compileTimeOnly": policy.compile_time_only,
                "digest": policy.digest,
                "rationale": policy.rationale,
                "remediation": policy.remediation,
            })).collect::<Vec<_>>(),
            "findings": report.evidence.records.iter().map(|record| finding(report, record)).collect::<Vec<_>>(),
            "weakened": scope.weakened,
        },
    })
}

fn policy(policy: &PolicyReport<'_>) -> Value {
    json!({
        "policy": policy.policy.name,
        "strength": policy.strength.name(),
        "judged": policy.count.judged(),
        "pass": policy.count.pass,
        "fail": policy.count.fail,
        "accepted": policy.count.accepted,
        "undecided": policy.count.undecided,
        // Positions in `findings`.
        "findings": policy.records,
    })
}

fn finding(report: &Report<'_>, record: &PolicyRecord) -> Value {
    let policy = report
        .evidence
        .policies
        .iter()
        .find(|policy| policy.name == record.policy);
    let subject = &record.subject;
    let (waiver, reason) = match &record.accepted {
        Some(Accepted::Waived { waiver, reason }) => (Some(waiver), Some(reason)),
        _ => (None, None),
    };
    json!({
        "policy": record.policy,
        "policyDigest": policy.map(|policy| &policy.digest),
        "status": standing(record),
        "message": record.message,
        "tenant": subject.tenant,
        "environment": subject.environment,
        "cluster": subject.cluster,
        "component": subject.component,
        "object": subject.object,
        "path": subject.path,
        "objectDigest": record.object_digest,
        "parameters": record.parameters,
        "source": report.place(record.place).map(|(path, line)| json!({"path": path, "line": line})),
        "waiver": waiver,
        "waiverReason": reason,
    })
}
