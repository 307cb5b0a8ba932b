//! What holds data, or other objects, goes away.

use std::collections::BTreeSet;

use super::{FoundRisks, RiskSubject, article};
use crate::model::change::{Object, ObjectOperation, RiskClass};
use tenantry_engine::view::View;

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
        "CustomResourceDefinition",
        "all objects of its kind are deleted with it, in every namespace",
    ),
];

/// Judges removals, and renames, which remove the old.
pub fn judge(subject: &RiskSubject<'_>, found: &mut FoundRisks) {
    let renamed = subject.is(ObjectOperation::Renamed);
    let Some(before) = &subject.change.before else {
        return;
    };
    if !renamed && !subject.is(ObjectOperation::Removed) {
        judge_protection(subject, found);
        return judge_claims(subject, found);
    }
    let root = before.root();
    let what = match before.kind.as_str() {
        "StatefulSet" => {
            let policy = &[
                "spec",
                "persistentVolumeClaimRetentionPolicy",
                "whenDeleted",
            ];
            if root.text_at(policy) == "Delete" {
                "its pods and their volume claims go, and the data on them"
            } else {
                "its pods go; their volume claims stay until somebody deletes them"
            }
        }
        // Argo CD deletes what an Application made when that goes with this finalizer:
        // <https://argo-cd.readthedocs.io/en/stable/user-guide/app_deletion/>
        "Application" if has_finalizer(root) => {
            "all that it delivered is deleted with it, but for what is marked Delete=false"
        }
        kind => match HOLDERS.iter().find(|(holder, _)| *holder == kind) {
            Some((_, what)) => what,
            None => return,
        },
    };
    let kind = &before.kind;
    let kept = is_kept(before);
    let verb = if renamed {
        "gets another name, so the old one is removed"
    } else {
        "is removed"
    };
    let consequence = if kept {
        "its delivery leaves it until somebody deletes it by hand, and then ".to_owned() + what
    } else {
        what.to_owned()
    };
    found.add(
        RiskClass::Destroy,
        format!("{} {verb}: {consequence}", article(kind)),
    );
}

fn has_finalizer(root: View<'_>) -> bool {
    let finalizers = root.at(&["metadata", "finalizers"]).map(View::items);
    finalizers.unwrap_or_default().into_iter().any(|finalizer| {
        finalizer
            .text()
            .is_some_and(|text| text.starts_with("resources-finalizer.argocd.argoproj.io"))
    })
}

fn is_kept(object: &Object) -> bool {
    let annotations = object.root().annotations();
    annotations.is_some_and(|annotations| {
        annotations
            .text_at(&["argocd.argoproj.io/sync-options"])
            .contains("Prune=false")
            || annotations.text_at(&["kustomize.toolkit.fluxcd.io/prune"]) == "disabled"
    })
}

/// What keeps data from being deleted with its manifest is gone.
fn judge_protection(subject: &RiskSubject<'_>, found: &mut FoundRisks) {
    if let (Some(before), Some(after)) = (&subject.change.before, &subject.change.after)
        && is_kept(before)
        && !is_kept(after)
    {
        found.add(
            RiskClass::Destroy,
            format!(
                "{} loses the mark that kept its delivery from deleting it",
                article(&before.kind)
            ),
        );
    }
}

/// Volume claims that a StatefulSet will delete from now on.
fn judge_claims(subject: &RiskSubject<'_>, found: &mut FoundRisks) {
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
    let claims = |object: Option<&Object>| -> BTreeSet<String> {
        let claims = object.and_then(|object| object.root().at(&["spec", "volumeClaimTemplates"]));
        let claims = claims.map(View::items).unwrap_or_default().into_iter();
        claims
            .map(|claim| claim.object_name().into_owned())
            .collect()
    };
    let (old, new) = (
        claims(subject.change.before.as_ref()),
        claims(subject.change.after.as_ref()),
    );
    if !old.is_subset(&new) {
        let message = "a StatefulSet has a volume less: what is on it can no longer be reached";
        found.add(RiskClass::Destroy, message);
    }
}
