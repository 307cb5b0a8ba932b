//! A review for tools. The form is a promise: what is here keeps its meaning within a
//! `formatVersion`. Secret values are `(secret)`.

use std::collections::BTreeSet;

use serde_json::{Value as Json, json};

use super::words;
use crate::model::change::{FieldChange, Object, ObjectChange, Review, RiskClass};
use crate::report::json::FORMAT_VERSION;
use tenantry_syntax::diagnostics::{Diagnostic, Sources};

/// Writes all of a review; `denied` are the classes of risks that are not allowed.
pub fn write(
    review: &Review,
    sources: &Sources,
    denied: &BTreeSet<RiskClass>,
    has_errors: bool,
) -> String {
    let summary = words::summary(review);
    let risks: serde_json::Map<String, Json> = summary
        .risks
        .iter()
        .map(|(class, number)| (class.name().to_owned(), json!(number)))
        .collect();
    let operations: serde_json::Map<String, Json> = summary
        .operations
        .iter()
        .map(|(operation, number)| (operation.word().to_owned(), json!(number)))
        .collect();
    let objects: Vec<Json> = review
        .objects
        .iter()
        .map(|change| object(review, change))
        .collect();
    let all_risks: Vec<Json> = review
        .risks
        .iter()
        .map(|risk| {
            json!({
                "class": risk.class,
                "code": risk.class.code().id,
                "denied": denied.contains(&risk.class),
                "message": risk.message,
                "objects": risk.objects,
                "causes": risk.causes,
            })
        })
        .collect();
    let findings = |list: &[Diagnostic]| -> Vec<Json> {
        list.iter()
            .map(|finding| self::finding(finding, sources))
            .collect()
    };
    let report = json!({
        "formatVersion": FORMAT_VERSION,
        "base": review.base,
        "head": review.head,
        "verdict": words::verdict(review, denied, has_errors),
        "hasErrors": has_errors,
        "summary": {
            "inputs": review.inputs.len(),
            "objects": review.objects.len(),
            "compared": review.compared,
            "operations": operations,
            "tenants": summary.tenants,
            "environments": summary.environments,
            "risks": risks,
        },
        "inputs": review.inputs,
        "risks": all_risks,
        "objects": objects,
        "findings": {
            "new": findings(&review.new_findings),
            "fixed": findings(&review.fixed_findings),
            "unchanged": findings(&review.old_findings),
            "newlyWaived": findings(&review.newly_waived),
        },
        "currency": review.currency,
        "costs": review.costs,
        "notes": review.notes,
    });
    serde_json::to_string_pretty(&report).unwrap_or_default() + "\n"
}

fn finding(finding: &Diagnostic, sources: &Sources) -> Json {
    let place = finding.primary.as_ref().map(|label| {
        let position = sources.position(label.span.file, label.span.start);
        json!({"path": sources.path(label.span.file), "line": position.line})
    });
    json!({
        "code": finding.code.id,
        "policy": finding.policy.as_ref().map(|policy| &policy.policy),
        "severity": finding.severity.name(),
        "message": finding.message,
        "location": place,
    })
}

fn object(review: &Review, change: &ObjectChange) -> Json {
    let object = change.object();
    let fields: Vec<Json> = change
        .fields
        .iter()
        .map(|change| field(review, change))
        .collect();
    let risks: Vec<Json> = change
        .risks
        .iter()
        .map(|risk| {
            let paths = risk
                .fields
                .iter()
                .map(|at| change.fields[*at].path.to_string());
            let paths: Vec<String> = paths.collect();
            json!({"class": risk.class, "message": risk.message, "fields": paths})
        })
        .collect();
    let both = change.before.as_ref().zip(change.after.as_ref());
    let whole = both.is_none().then(|| super::redacted(object));
    let renamed_from = both
        .filter(|(before, after)| before.name != after.name || before.namespace != after.namespace);
    let identity = |object: &Object| json!({"namespace": object.namespace, "name": object.name});
    json!({
        "operation": change.operation(),
        "place": object.place,
        "apiVersion": object.api_version,
        "kind": object.kind,
        "namespace": object.namespace,
        "name": object.name,
        "renamedFrom": renamed_from.map(|(before, _)| identity(before)),
        "object": whole,
        "fields": fields,
        "risks": risks,
        "causes": change.all_causes(),
    })
}

fn field(review: &Review, change: &FieldChange) -> Json {
    let origins = |positions: &[usize]| -> Vec<Json> {
        positions
            .iter()
            .map(|at| json!(review.origins[*at]))
            .collect()
    };
    json!({
        "path": change.path.to_string(),
        "before": change.before,
        "after": change.after,
        "reordered": change.reordered,
        "position": change.position,
        "secret": change.secret,
        "beforeOrigins": origins(&change.before_origins),
        "afterOrigins": origins(&change.after_origins),
        "causes": change.causes,
    })
}
