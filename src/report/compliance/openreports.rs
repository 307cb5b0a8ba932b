//! Reports of the OpenReports API, which dashboards of clusters show.
//! <https://github.com/openreports/reports-api/blob/main/docs/api-docs.md>

use serde_json::{Value, json};

use super::{Report, standing};
use tenantry_engine::view::View;
use tenantry_engine::writer;
use tenantry_syntax::yaml::Node;

/// One report for each tenant that follows a framework, as YAML documents.
pub fn write(report: &Report<'_>) -> String {
    let mut text = String::new();
    for (at, tenant) in report.tenants().into_iter().enumerate() {
        if at > 0 {
            text.push_str("---\n");
        }
        writer::write_document(View::of(&Node::from_json(&one(report, tenant))), &mut text);
    }
    text
}

fn one(report: &Report<'_>, tenant: &str) -> Value {
    let mut results: Vec<Value> = Vec::new();
    let mut summary = [0usize; 5];
    for (at, policy) in report.evidence.policies.iter().enumerate() {
        let records = report
            .evidence
            .records
            .iter()
            .filter(|record| record.policy == policy.name && record.subject.tenant == tenant);
        for record in records {
            // A policy that only warns gives a warning; what is accepted is skipped.
            let (result, position) = match (standing(record), policy.enforcement) {
                ("fail", "deny") => ("fail", 1),
                ("fail", _) => ("warn", 2),
                _ => ("skip", 4),
            };
            summary[position] += 1;
            let (kind, name) = record
                .subject
                .object
                .split_once('/')
                .unwrap_or(("", &record.subject.object));
            let place = report.place(record.place);
            let mut properties = json!({
                "environment": record.subject.environment,
                "cluster": record.subject.cluster,
                "path": record.subject.path,
                "objectDigest": record.object_digest,
            });
            if let Some((path, line)) = place {
                properties["source"] = json!(format!("{path}:{line}"));
            }
            results.push(json!({
                "source": "tenantry",
                "policy": policy.name,
                "severity": policy.severity.name(),
                "result": result,
                "message": record.message,
                "subjects": [{"kind": kind, "name": name}],
                "properties": properties,
            }));
        }
        let count = report
            .evidence
            .counts
            .get(&(tenant.to_owned(), at))
            .copied()
            .unwrap_or_default();
        if count.pass > 0 {
            summary[0] += count.pass;
            results.push(json!({
                "source": "tenantry",
                "policy": policy.name,
                "severity": policy.severity.name(),
                "result": "pass",
                "message": format!("met {} times", count.pass),
            }));
        }
    }
    let [pass, fail, warn, error, skip] = summary;
    json!({
        "apiVersion": "openreports.io/v1alpha1",
        "kind": "ClusterReport",
        "metadata": {
            "name": format!("tenantry-{tenant}"),
            "labels": {"app.kubernetes.io/managed-by": "tenantry"},
            "annotations": {"tenantry.dev/input-digest": report.scope.input_digest, "tenantry.dev/as-of": report.scope.as_of},
        },
        "source": "tenantry",
        "summary": {"pass": pass, "fail": fail, "warn": warn, "error": error, "skip": skip},
        "results": results,
    })
}
