//! Pods are replaced.

use super::{Found, Subject};
use crate::model::change::{Operation, RiskClass};

/// Kinds that replace their pods when their template changes. The next run of a CronJob is new
/// anyway, and a Job's template cannot change.
const KINDS: [&str; 4] = ["Deployment", "StatefulSet", "DaemonSet", "Rollout"];

/// Judges changes of pod templates.
pub fn judge(subject: &Subject<'_>, found: &mut Found) {
    if !KINDS.contains(&subject.kind()) || !subject.is(Operation::Changed) {
        return;
    }
    // That values which only follow, such as checksums, restart pods is their purpose.
    if let Some((at, _)) = subject
        .fields()
        .find(|(_, field)| field.path.starts_with(&["spec", "template"]))
    {
        let away = subject.change.after.as_ref().is_some_and(|after| {
            let spec = after.root().get("spec");
            let recreate =
                spec.is_some_and(|spec| spec.text_at(&["strategy", "type"]) == "Recreate");
            let single = spec
                .and_then(|spec| spec.get("replicas"))
                .map(|view| view.to_json())
                == Some(serde_json::json!(1));
            recreate || (single && subject.kind() == "StatefulSet")
        });
        let message = if away {
            "all pods are replaced, and away until the new ones are ready"
        } else {
            "all pods are replaced, one after the other"
        };
        found.at(RiskClass::Restart, at, message);
    }
}
