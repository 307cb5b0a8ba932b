//! What holds data, or other objects, goes away.

use super::{Found, Subject};
use crate::model::change::{Operation, RiskClass};
use crate::model::view::View;

/// Kinds that take something along when they go, and what.
const HOLDERS: &[(&str, &str)] = &[
    ("Namespace", "everything in it is deleted with it"),
    (
        "PersistentVolumeClaim",
        "its volume, and the data on it, goes with it unless the volume is retained",
    ),
    (
        "PersistentVolume",
        "the data on it can no longer be reached",
    ),
    (
        "StatefulSet",
        "its pods go, and by its retention policy their volume claims",
    ),
    (
        "CustomResourceDefinition",
        "all objects of its kind are deleted with it, in every namespace",
    ),
];

/// Judges removals, and renames, which remove the old.
pub fn judge(subject: &Subject<'_>, found: &mut Found) {
    let renamed = subject.is(Operation::Renamed);
    let Some(before) = &subject.change.before else {
        return;
    };
    if !renamed && !subject.is(Operation::Removed) {
        return judge_claims(subject, found);
    }
    let Some((kind, what)) = HOLDERS.iter().find(|(kind, _)| **kind == *before.kind) else {
        return;
    };
    let options = before.root().at(&["metadata", "annotations"]);
    let kept = options.is_some_and(|annotations| {
        annotations
            .text_at(&["argocd.argoproj.io/sync-options"])
            .contains("Prune=false")
            || annotations.text_at(&["kustomize.toolkit.fluxcd.io/prune"]) == "disabled"
    });
    let verb = if renamed {
        "gets another name, so the old one is removed"
    } else {
        "is removed"
    };
    let consequence = if kept {
        "its delivery leaves it until somebody deletes it by hand, and then ".to_owned() + what
    } else {
        (*what).to_owned()
    };
    found.add(
        RiskClass::Destroy,
        format!("a {kind} {verb}: {consequence}"),
    );
}

/// Volume claims that a StatefulSet will delete from now on.
fn judge_claims(subject: &Subject<'_>, found: &mut Found) {
    if subject.kind() != "StatefulSet" {
        return;
    }
    for (at, field) in subject.fields() {
        let deletes = field
            .path
            .starts_with(&["spec", "persistentVolumeClaimRetentionPolicy"])
            && field.after.as_ref().is_some_and(|after| {
                after == "Delete"
                    || after["whenDeleted"] == "Delete"
                    || after["whenScaled"] == "Delete"
            });
        if deletes {
            let message = "a StatefulSet deletes the volume claims of pods that go";
            found.at(RiskClass::Destroy, at, message);
        }
    }
    let claims = |object: Option<&crate::model::change::Object>| {
        let claims = object.and_then(|object| object.root().at(&["spec", "volumeClaimTemplates"]));
        claims.map(View::items).unwrap_or_default().len()
    };
    if claims(subject.change.after.as_ref()) < claims(subject.change.before.as_ref()) {
        let message = "a StatefulSet has a volume less: what is on it can no longer be reached";
        found.add(RiskClass::Destroy, message);
    }
}
