//! Pods are replaced.

use super::{FoundRisks, RiskSubject};
use crate::model::change::{FieldChange, ObjectOperation, RiskClass};
use tenantry_engine::view::View;

/// Kinds that replace their pods when their template changes. The next run of a CronJob is new
/// anyway, and a Job's template cannot change.
const KINDS: [&str; 4] = ["Deployment", "StatefulSet", "DaemonSet", "Rollout"];

/// Judges changes of pod templates.
pub fn judge(subject: &RiskSubject<'_>, found: &mut FoundRisks) {
    if !KINDS.contains(&subject.kind()) || !subject.is(ObjectOperation::Changed) {
        return;
    }
    let of_pods = |field: &FieldChange| field.path.starts_with(&["spec", "template"]);
    let describes = |field: &FieldChange| field.path.starts_with(&["spec", "template", "metadata"]);
    let fields = || subject.fields().filter(|(_, field)| of_pods(field));
    // Labels and annotations follow from what matters more.
    let matters = fields().any(|(_, field)| !describes(field));
    let spec = subject
        .change
        .after
        .as_ref()
        .and_then(|after| after.root().spec());
    let recreate = spec.is_some_and(|spec| spec.text_at(&["strategy", "type"]) == "Recreate");
    let replicas = spec
        .and_then(|spec| spec.get("replicas"))
        .map(View::to_json);
    let is_single = replicas == Some(serde_json::json!(1)) && subject.kind() == "StatefulSet";
    let message = if recreate || is_single {
        "all pods are replaced, and away until the new ones are ready"
    } else {
        "all pods are replaced, one after the other"
    };
    for (at, _) in fields().filter(|(_, field)| !matters || !describes(field)) {
        found.at(RiskClass::Restart, at, message);
    }
}
