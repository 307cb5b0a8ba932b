//! Data is kept shorter, less safely or elsewhere.

use serde_json::Value as Json;

use super::{FoundRisks, RiskSubject, rank};
use crate::model::change::{InputChange, ObjectOperation, RiskClass};
use tenantry_engine::scalars::parse_duration;

/// Classes of data, from open to closed.
const CLASSES: [&str; 4] = ["public", "internal", "confidential", "restricted"];

/// Judges changes of objects.
pub fn judge(subject: &RiskSubject<'_>, found: &mut FoundRisks) {
    if !subject.is(ObjectOperation::Changed) {
        return;
    }
    for (at, field) in subject.fields() {
        let key = field.path.last_key();
        let was = |text: &str| field.before.as_ref().is_some_and(|value| value == text);
        let is = |text: &str| field.after.as_ref().is_some_and(|value| value == text);
        if subject.kind() == "StorageClass" && key == "encrypted" && was("true") && !is("true") {
            found.at(
                RiskClass::Data,
                at,
                "new volumes of a StorageClass are not encrypted",
            );
        }
        if key == "persistentVolumeReclaimPolicy" && was("Retain") && !is("Retain") {
            found.at(
                RiskClass::Data,
                at,
                "a volume is deleted with its claim, and was retained before",
            );
        }
        if key.ends_with("/classification")
            && matches!((rank(field.before.as_ref(), &CLASSES), rank(field.after.as_ref(), &CLASSES)), (Some(a), Some(b)) if b < a)
        {
            found.at(
                RiskClass::Data,
                at,
                "the classification of a workload's data is lowered",
            );
        }
    }
}

/// Judges changes of the input.
pub fn judge_input(input: &InputChange) -> Option<String> {
    let kind = input.subject.kind()?;
    let (before, after) = (&input.before, &input.after);
    let subject = &input.subject;
    let last = input.field.rsplit('.').next().unwrap_or_default();
    let text = |value: &Option<Json>| match value {
        Some(Json::String(text)) => text.clone(),
        Some(value) => value.to_string(),
        None => "nothing".to_owned(),
    };
    let sooner = || match (before, after) {
        (Some(Json::Number(a)), Some(Json::Number(b))) => b.as_f64() < a.as_f64(),
        (Some(Json::String(a)), Some(Json::String(b))) => {
            match (parse_duration(a), parse_duration(b)) {
                (Some(a), Some(b)) => b < a,
                // Days are written so that they sort.
                _ => b < a,
            }
        }
        (Some(_), None) => true,
        _ => false,
    };
    if last.to_lowercase().contains("retention") || last == "retainDataUntil" {
        return sooner().then(|| {
            format!(
                "{subject} keeps data shorter: `{last}` goes from {} to {}",
                text(before),
                text(after)
            )
        });
    }
    match (kind, last) {
        (_, "encryptionRequired") if after == &Some(Json::Bool(false)) => {
            Some(format!("{subject} no longer asks for encrypted volumes"))
        }
        (_, "encrypted")
            if before == &Some(Json::Bool(true)) && after != &Some(Json::Bool(true)) =>
        {
            Some(format!(
                "{subject} has a storage class that is not encrypted any more"
            ))
        }
        ("Component" | "Tenant", "clearance") | ("Dataset", "classification") => {
            let lowered = rank(after.as_ref(), &CLASSES) < rank(before.as_ref(), &CLASSES);
            lowered.then(|| {
                format!(
                    "the classification of {subject} goes from {} to {}",
                    text(before),
                    text(after)
                )
            })
        }
        ("Dataset", "atRest" | "inTransit") if after == &Some(Json::Bool(false)) => Some(format!(
            "{subject} is no longer encrypted {}",
            if last == "atRest" {
                "where it is stored"
            } else {
                "on its way"
            }
        )),
        ("Dataset", "keyRotationHours")
            if after.as_ref().and_then(Json::as_u64) > before.as_ref().and_then(Json::as_u64)
                && before.is_some() =>
        {
            Some(format!("keys of {subject} are in use for longer"))
        }
        ("Dataset", "legalHold") if after.is_none() => Some(format!(
            "{subject} may be deleted: its legal hold is lifted"
        )),
        ("Dataset", "personalData") if after.is_none() => Some(format!(
            "{subject} is said to hold no personal data any more"
        )),
        ("Dataset", "spec" | "") if after.is_none() && input.after_place.is_none() => Some(
            format!("{subject} is no longer declared: no rule follows it any more"),
        ),
        ("Tenant" | "Dataset", "residency") => {
            let zones = |value: &Option<Json>| -> Vec<String> {
                let items = value
                    .as_ref()
                    .and_then(Json::as_array)
                    .into_iter()
                    .flatten();
                items
                    .map(|zone| zone.as_str().unwrap_or_default().to_owned())
                    .collect()
            };
            let (old, new) = (zones(before), zones(after));
            let added: Vec<&String> = new.iter().filter(|zone| !old.contains(zone)).collect();
            if !old.is_empty() && new.is_empty() {
                Some(format!("data of {subject} may be in any zone"))
            } else if !old.is_empty() && !added.is_empty() {
                let added: Vec<&str> = added.into_iter().map(String::as_str).collect();
                Some(format!(
                    "data of {subject} may be in more zones: {}",
                    added.join(", ")
                ))
            } else {
                None
            }
        }
        ("Cluster", "region" | "zone" | "residency") if before.is_some() => Some(format!(
            "{subject} is elsewhere: `{last}` goes from {} to {}",
            text(before),
            text(after)
        )),
        _ => None,
    }
}
