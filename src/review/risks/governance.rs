//! A rule, a lock or a right is weaker.

use serde_json::Value as Json;

use super::rank;
use crate::model::change::{InputChange, InputKind};
use crate::model::kinds::KINDS;

/// How a finding is enforced, from strict to soft.
const ENFORCEMENT: [&str; 3] = ["deny", "warn", "audit"];
/// What a grant allows, from little to much.
const ROLES: [&str; 2] = ["viewer", "operator"];

/// A change of a document, by what it touches.
struct Edit<'i> {
    input: &'i InputChange,
    kind: &'i str,
    /// The field without `spec.`.
    field: &'i str,
    /// The first key of the field, and what comes after it.
    head: &'i str,
    rest: &'i str,
    is_gone: bool,
}

/// Judges a change of the input.
pub fn judge(input: &InputChange) -> Vec<String> {
    let Some(kind) = input.subject.kind() else {
        return Vec::new();
    };
    let field = input.field.strip_prefix("spec.").unwrap_or(&input.field);
    let (head, rest) = field.split_once(['.', '[']).unwrap_or((field, ""));
    let edit = Edit {
        input,
        kind,
        field,
        head,
        rest: rest.trim_end_matches(']'),
        is_gone: input.after.is_none(),
    };
    let mut found = Vec::new();
    match kind {
        "Platform" => platform(&edit, &mut found),
        "Role" | "Grant" => rights(&edit, &mut found),
        "Tenant" if head == "grants" => grants(input, &mut found),
        "Tenant" | "Component" | "Dataset" | "Environment" => others(&edit, &mut found),
        _ => policies(&edit, &mut found),
    }
    found
}

/// What the Platform asks for.
fn platform(edit: &Edit<'_>, found: &mut Vec<String>) {
    let Edit {
        input,
        kind,
        field,
        head,
        rest,
        is_gone,
        ..
    } = *edit;
    match (kind, head) {
        ("Platform", "frameworks") if is_gone && !rest.contains('.') => {
            found.push(match rest {
                "" => "the platform follows no framework any more".to_owned(),
                name => format!("the platform no longer follows {name}"),
            });
        }
        ("Platform", "frameworks") if rest.contains('.') => {
            found.push(format!("parameters of frameworks change: `{field}`"));
        }
        ("Platform", "policyPacks") => {
            // A pack that had no settings gets some, or the other way round.
            let settings = |value: &Option<Json>, key: &str| {
                value.as_ref().and_then(|value| value.get(key)).cloned()
            };
            if !rest.contains('.') && !is_gone {
                let rules = |value: &Option<Json>| settings(value, "exclude");
                for rule in added(rules(&input.before).as_ref(), rules(&input.after).as_ref()) {
                    found.push(format!("the rule {rule} of the pack {rest} is left out"));
                }
                let to = settings(&input.after, "enforcement");
                let from = settings(&input.before, "enforcement");
                if input.before_place.is_some() && to != from {
                    let to = to.as_ref().and_then(Json::as_str).unwrap_or("as they say");
                    found.push(format!("rules of the pack {rest} only {to}"));
                }
            }
            let softer = rank(input.after.as_ref(), &ENFORCEMENT)
                > rank(input.before.as_ref(), &ENFORCEMENT);
            if is_gone && !rest.contains('.') {
                found.push(format!("the pack of rules {rest} is not used any more"));
            } else if rest.ends_with(".enforcement") && softer {
                let to = input
                    .after
                    .as_ref()
                    .and_then(Json::as_str)
                    .unwrap_or_default();
                found.push(format!(
                    "rules of the pack {} only {to}",
                    rest.trim_end_matches(".enforcement")
                ));
            } else if rest.ends_with(".exclude") {
                for rule in added(input.before.as_ref(), input.after.as_ref()) {
                    found.push(format!(
                        "the rule {rule} of the pack {} is left out",
                        rest.trim_end_matches(".exclude")
                    ));
                }
            }
        }
        ("Platform", "delivery") => {
            found.push(format!(
                "clusters take manifests from elsewhere, or in another way: `{field}` changes"
            ));
        }
        ("Platform", "sessionContexts") => {
            for stage in added(input.before.as_ref(), input.after.as_ref()) {
                found.push(format!(
                    "values from the command line are allowed in {stage}"
                ));
            }
        }
        _ => {}
    }
}

/// Policies, waivers, and contexts that lock or set parameters.
fn policies(edit: &Edit<'_>, found: &mut Vec<String>) {
    let Edit {
        input,
        kind,
        field,
        head,
        is_gone,
        ..
    } = *edit;
    let subject = &input.subject;
    match (kind, head) {
        ("Context", "lock") => {
            for path in added(input.after.as_ref(), input.before.as_ref()) {
                found.push(format!(
                    "{subject} no longer locks `{path}`: whoever sets it decides"
                ));
            }
        }
        ("Context", "")
            if is_gone && input.before_place.is_some() && input.after_place.is_none() =>
        {
            found.push(format!(
                "{subject} is removed, and with it what it sets and locks"
            ));
        }
        ("Context", "policyParameters") => {
            found.push(format!("{subject} changes parameters of rules: `{field}`"));
        }
        ("Waiver", "") if input.before_place.is_none() => {
            found.push(format!(
                "{subject} is added: what it excepts counts no more"
            ));
        }
        ("Waiver", "expiresAt") if is_later(input) => {
            found.push(format!("{subject} holds longer"));
        }
        ("Waiver", "subject") => found.push(format!("{subject} excepts something else: `{field}`")),
        ("Policy" | "ValidatingAdmissionPolicy" | "ValidatingAdmissionPolicyBinding", "")
            if is_gone && input.after_place.is_none() =>
        {
            found.push(format!(
                "{subject} is removed: nothing asks for it any more"
            ));
        }
        ("Policy", "enforcement")
            if rank(input.after.as_ref(), &ENFORCEMENT)
                > rank(input.before.as_ref(), &ENFORCEMENT) =>
        {
            found.push(format!("{subject} is enforced more softly"));
        }
        (
            "Policy" | "ValidatingAdmissionPolicy" | "ValidatingAdmissionPolicyBinding",
            "validations" | "matchConstraints" | "matchConditions" | "match" | "failurePolicy"
            | "validationActions" | "matchResources" | "parameters" | "variables",
        ) => found.push(format!(
            "{subject} asks for something else: `{field}` changes"
        )),
        (other, _)
            if input.kind == InputKind::Document
                && !KINDS.contains(&other)
                && !other.starts_with("Validating") =>
        {
            found.push(format!(
                "{subject} changes, which admission policies take their parameters from"
            ));
        }
        _ => {}
    }
}

/// Roles and grants.
fn rights(edit: &Edit<'_>, found: &mut Vec<String>) {
    let Edit {
        input,
        kind,
        field,
        head,
        is_gone,
        ..
    } = *edit;
    let subject = &input.subject;
    match (kind, head) {
        ("Grant", "") if input.before_place.is_none() => found.push(format!(
            "{subject} is added: more people have rights in tenants"
        )),
        ("Grant", "tenants" | "matchLabels" | "environments") => {
            let opened = is_gone || !added(input.before.as_ref(), input.after.as_ref()).is_empty();
            found.extend(
                opened.then(|| format!("{subject} holds in more places: `{head}` changes")),
            );
        }
        ("Grant", _) => grants(input, found),
        ("Role", "permissions" | "kubernetes" | "inherits") if !is_gone => {
            let more = added(input.before.as_ref(), input.after.as_ref());
            let is_wider = !more.is_empty() || input.before.is_none() || head == "kubernetes";
            found.extend(is_wider.then(|| {
                let what = if head == "kubernetes" {
                    "in the cluster".to_owned()
                } else {
                    more.join(", ")
                };
                format!("{subject} allows more to all who have it: {what}")
            }));
        }
        ("Role", "constraints") => found.push(format!(
            "{subject} asks for something else of those who use it: `{field}` changes"
        )),
        ("Role", "conflictsWith") => {
            for other in added(input.after.as_ref(), input.before.as_ref()) {
                found.push(format!(
                    "{subject} and the role {other} need not be apart any more"
                ));
            }
            if is_gone
                && input
                    .before
                    .as_ref()
                    .is_none_or(|before| !before.is_array())
            {
                found.push(format!("{subject} need not be apart from others any more"));
            }
        }
        ("Role", "policyParameters") => {
            found.push(format!("{subject} changes parameters of rules: `{field}`"));
        }
        _ => {}
    }
}

/// Tenants, components, datasets and environments.
fn others(edit: &Edit<'_>, found: &mut Vec<String>) {
    let Edit {
        input,
        kind,
        field,
        head,
        rest,
        is_gone,
        ..
    } = *edit;
    let subject = &input.subject;
    match (kind, head) {
        ("Tenant", "compliance") if is_gone && !rest.contains('.') => {
            found.push(format!(
                "{subject} no longer needs {}",
                if rest.is_empty() {
                    "any framework"
                } else {
                    rest
                }
            ));
        }
        ("Tenant", "compliance") if rest.contains('.') => {
            found.push(format!(
                "{subject} changes parameters of frameworks: `{field}`"
            ));
        }
        ("Dataset", "access" | "accessApproval") => {
            let opened = is_gone
                || !added(input.before.as_ref(), input.after.as_ref()).is_empty()
                || input.before.is_none() && field.contains("approved");
            found.extend(opened.then(|| format!("more tenants may use {subject}")));
        }
        ("Component", "lineage") if field.contains("lowers") && !is_gone => found.push(format!(
            "what {subject} writes may be of a lower class: `{field}`"
        )),
        ("Tenant", "shares") if input.field.ends_with(".expiresAt") => {
            let lasts = is_gone || is_later(input);
            found.extend(lasts.then(|| format!("a share of {subject} lasts longer")));
        }
        ("Tenant", "shares") if !is_gone => found.push(format!(
            "{subject} shares {}",
            share(input).unwrap_or_else(|| "more with other tenants".to_owned())
        )),
        ("Component", "access") => {
            let opened = is_gone && input.before.is_some()
                || !added(input.before.as_ref(), input.after.as_ref()).is_empty();
            if opened {
                found.push(format!("more tenants may use {subject}"));
            }
        }
        ("Environment", "stage") => {
            let text =
                |value: Option<&Json>| value.and_then(Json::as_str).unwrap_or("nothing").to_owned();
            found.push(format!(
                "the stage of {subject} goes from {} to {}: rules for the old stage no longer hold",
                text(input.before.as_ref()),
                text(input.after.as_ref())
            ));
        }
        _ => {}
    }
}

/// Whether a day is later than before; days are written so that they sort.
fn is_later(input: &InputChange) -> bool {
    let day = |value: &Option<Json>| value.as_ref().and_then(Json::as_str).map(str::to_owned);
    matches!((day(&input.before), day(&input.after)), (Some(before), Some(after)) if after > before)
}

/// What a share is of, and with whom; of a share that is widened, with whom besides.
fn share(input: &InputChange) -> Option<String> {
    let value = input.after.as_ref()?;
    let names = |value: &Json| -> Vec<String> {
        let items = value.as_array().into_iter().flatten();
        items
            .filter_map(|item| Some(item.as_str()?.to_owned()))
            .collect()
    };
    let one = |share: &Json| {
        let component = share.get("component")?.as_str()?;
        Some(format!(
            "{component} with {}",
            names(share.get("with")?).join(", ")
        ))
    };
    match value {
        Json::Object(_) => one(value),
        Json::Array(items) if items.iter().all(Json::is_object) => {
            let shares: Option<Vec<String>> = items.iter().map(one).collect();
            Some(shares?.join("; "))
        }
        Json::Array(_) => {
            let (_, component) = input.field.split_once('[')?;
            let component = component.split(']').next()?;
            let more = added(input.before.as_ref(), Some(value)).join(", ");
            (!more.is_empty()).then(|| format!("{component} with {more}, too"))
        }
        _ => None,
    }
}

fn grants(input: &InputChange, found: &mut Vec<String>) {
    let subject = &input.subject;
    let last = input.field.rsplit('.').next().unwrap_or_default();
    let Some(after) = &input.after else {
        match last {
            "expiresAt" => found.push(format!("a grant of {subject} no longer ends")),
            "environments" => found.push(format!("a grant of {subject} holds in all environments")),
            _ => {}
        }
        return;
    };
    match last {
        "role" if rank(Some(after), &ROLES) > rank(input.before.as_ref(), &ROLES) => {
            found.push(format!(
                "{subject} grants more: the role {}",
                after.as_str().unwrap_or_default()
            ));
        }
        "role"
            if input.before.is_some()
                && [Some(after), input.before.as_ref()]
                    .iter()
                    .any(|role| rank(*role, &ROLES).is_none()) =>
        {
            found.push(format!(
                "{subject} grants another role: {}",
                after.as_str().unwrap_or_default()
            ));
        }
        "expiresAt" if is_later(input) => {
            found.push(format!("a grant of {subject} lasts longer"));
        }
        "expiresAt" | "grantedAt" | "approvedBy" | "reason" => {}
        _ if last.starts_with("grants")
            || last.starts_with("subjects")
            || last == "environments" =>
        {
            let old = input.before.as_ref();
            if !added(old, Some(after)).is_empty() || old.is_none() {
                found.push(format!(
                    "{subject} grants rights to more people, or in more environments"
                ));
            }
        }
        _ => {}
    }
}

/// Items of a list that another does not have, as texts.
fn added(before: Option<&Json>, after: Option<&Json>) -> Vec<String> {
    let list = |value: Option<&Json>| value.and_then(Json::as_array).cloned().unwrap_or_default();
    let old = list(before);
    let new = list(after).into_iter().filter(|item| !old.contains(item));
    new.map(|item| {
        item.as_str()
            .map_or_else(|| item.to_string(), str::to_owned)
    })
    .collect()
}
