//! More can be reached or done than before: network policies, RBAC, Pod Security, services,
//! containers.

use serde_json::Value as Json;

use super::{FoundRisks, RiskSubject, network, pods, rights};
use crate::model::change::{InputChange, Object, ObjectOperation, RiskClass};
use crate::model::kinds::KindName;
use tenantry_kubernetes::field_path::FieldStep;

const CLASS: RiskClass = RiskClass::Exposure;

/// Judges changes of objects.
pub fn judge(subject: &RiskSubject<'_>, found: &mut FoundRisks) {
    match subject.kind() {
        "NetworkPolicy" => network::judge(subject, found),
        "Role" | "ClusterRole" => rights::judge_role(subject, found),
        "RoleBinding" | "ClusterRoleBinding" => rights::judge_binding(subject, found),
        "Namespace" => pod_security(subject, found),
        "Service" => services(subject, found),
        "Ingress" | "HTTPRoute" | "GRPCRoute" | "TLSRoute" | "TCPRoute" => {
            if subject.is(ObjectOperation::Added) && !subject.is_whole_place {
                found.add(
                    CLASS,
                    "a route makes a workload reachable from outside the cluster",
                );
            }
            routes(subject, found);
        }
        _ => {
            for (at, field) in subject.fields() {
                pods::judge(at, field, found);
                if let Some(after) = &subject.change.after {
                    pods::judge_container(at, field, after.root(), found);
                }
            }
            if subject.is(ObjectOperation::Added) {
                pods::judge_new(&subject.change.object().root().to_json(), found);
            }
        }
    }
}

/// The isolation of tenants, from strong to weak.
const ISOLATION: [&str; 4] = ["physical", "dedicated", "namespace", "shared"];

/// Judges changes of the input.
pub fn judge_input(input: &InputChange) -> Option<String> {
    let rank = |value: &Option<Json>| {
        // Without the field, it is a namespace.
        let text = value
            .as_ref()
            .map_or("namespace", |value| value.as_str().unwrap_or(""));
        ISOLATION.iter().position(|level| *level == text)
    };
    let weaker = input.subject.kind() == Some(KindName::Tenant.as_str())
        && input.field == "spec.isolation"
        && rank(&input.after) > rank(&input.before);
    weaker.then(|| {
        format!(
            "{} is kept apart from others less: its isolation goes from {} to {}",
            input.subject,
            ISOLATION[rank(&input.before).unwrap_or(2)],
            ISOLATION[rank(&input.after).unwrap_or(2)]
        )
    })
}

/// The levels of Pod Security, from strict to open.
const LEVELS: [&str; 3] = ["restricted", "baseline", "privileged"];

fn pod_security(subject: &RiskSubject<'_>, found: &mut FoundRisks) {
    let key = "pod-security.kubernetes.io/enforce";
    let level = |object: Option<&Object>| {
        let text = object?.root().label(key);
        LEVELS.iter().position(|level| *level == text).or(Some(2))
    };
    let (before, after) = (
        level(subject.change.before.as_ref()),
        level(subject.change.after.as_ref()),
    );
    let written = |object: &Object| !object.root().label(key).is_empty();
    if let Some(level) = after {
        let is_lowered = before.is_some_and(|before| level > before);
        // A new namespace that says nothing is left to the cluster's default.
        let is_open =
            before.is_none() && level == 2 && subject.change.after.as_ref().is_some_and(written);
        if is_lowered || is_open {
            let level = LEVELS[level];
            let message = format!(
                "Pod Security is lowered to {level}: pods may be admitted that were refused before"
            );
            found.add(CLASS, message);
        }
    }
}

fn services(subject: &RiskSubject<'_>, found: &mut FoundRisks) {
    let kind = |object: Option<&Object>| {
        object.map(|object| object.root().text_at(&["spec", "type"]).into_owned())
    };
    let (old, new) = (
        kind(subject.change.before.as_ref()),
        kind(subject.change.after.as_ref()),
    );
    if let Some(new) =
        new.filter(|new| Some(new) != old.as_ref() && matches!(&**new, "LoadBalancer" | "NodePort"))
    {
        let at = subject
            .fields()
            .find(|(_, field)| field.path.starts_with(&["spec", "type"]));
        let message =
            format!("a Service becomes a {new}: it can be reached from outside the cluster");
        match at {
            Some((at, _)) => found.at(CLASS, at, message),
            None => found.add(CLASS, message),
        }
    }
    if let Some(after) = subject
        .change
        .after
        .as_ref()
        .filter(|_| subject.is(ObjectOperation::Added))
        && after.root().at(&["spec", "externalIPs"]).is_some()
    {
        found.add(
            CLASS,
            "a Service answers on addresses from outside the cluster",
        );
    }
    for (at, field) in subject.fields() {
        if field
            .path
            .starts_with(&["spec", "loadBalancerSourceRanges"])
        {
            found.at(CLASS, at, "a Service lets in other addresses from outside");
        }
        if field.path.touches(&["spec", "externalIPs"])
            && field.after.is_some()
            && field.path.0.len() >= 2
        {
            found.at(
                CLASS,
                at,
                "a Service answers on addresses from outside the cluster",
            );
        }
    }
}

fn routes(subject: &RiskSubject<'_>, found: &mut FoundRisks) {
    for (at, field) in subject.fields() {
        let is_tls = matches!(field.path.0.get(1), Some(FieldStep::Key(key)) if &**key == "tls");
        if is_tls && field.after.is_none() {
            found.at(CLASS, at, "a route is served without TLS");
        }
        let serves = [["spec", "rules"], ["spec", "hostnames"]];
        if field.after.is_some() && serves.iter().any(|keys| field.path.starts_with(keys)) {
            found.at(
                CLASS,
                at,
                "a route serves other hosts or paths, or leads elsewhere",
            );
        }
    }
}
