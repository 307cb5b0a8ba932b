//! What an API server makes of objects: `{name, sent, stored}`.

use std::borrow::Cow;
use std::path::Path;

use anyhow::Result;
use serde_json::{Map, Value as Json};
use tenantry::comparison;
use tenantry::engine::view::View;
use tenantry::kubernetes::defaults::{Stored, StoredPart};
use tenantry::kubernetes::field_path::{FieldPath, FieldStep};
use tenantry::kubernetes::schemas::ObjectSchemas;
use tenantry::kubernetes::volatile;

use super::cel::tree;
use super::{Cases, Tally};

/// The custom resources of the servers that were asked, below the repository's root.
const CRDS: &str = "../examples/acme/crds";

/// Schemas of the custom resources of acme.
///
/// # Errors
/// A file cannot be read.
pub fn custom_resources() -> Result<ObjectSchemas> {
    let mut schemas = ObjectSchemas::default();
    for entry in std::fs::read_dir(Path::new(env!("CARGO_MANIFEST_DIR")).join(CRDS))? {
        let text = std::fs::read_to_string(entry?.path())?;
        // Other files describe the folder.
        let _ = schemas.add_crds(&text);
    }
    Ok(schemas)
}

/// What is not volatile of an object; what is assigned is left out where the other lacks it.
fn stable(kind: &str, value: &Json, other: Option<&Json>, path: &FieldPath) -> Option<Json> {
    let at = |step: FieldStep, other: Option<&Json>| {
        let path = path.joined(step);
        let is_assigned = other.is_none() && volatile::is_assigned(kind, &path);
        (!volatile::is_written(kind, &path) && !is_assigned).then_some(path)
    };
    match value {
        Json::Object(map) => {
            let fields = map.iter().filter_map(|(key, value)| {
                let other = other.and_then(|other| other.get(key));
                let path = at(FieldStep::Key(key.as_str().into()), other)?;
                Some((key.clone(), stable(kind, value, other, &path)?))
            });
            let fields: Map<String, Json> = fields.collect();
            let is_there = other.is_some_and(Json::is_object);
            (!fields.is_empty() || map.is_empty() || is_there).then_some(Json::Object(fields))
        }
        Json::Array(items) => {
            let left = items.iter().enumerate().filter_map(|(at_index, item)| {
                let name = ["name", "mountPath"]
                    .iter()
                    .find_map(|key| item[key].as_str());
                let name = volatile::without_random(Cow::Borrowed(match item {
                    Json::String(text) => text,
                    _ => item["mountPath"].as_str().or(name).unwrap_or_default(),
                }));
                let other = other.and_then(|other| other.get(at_index));
                let path = at(FieldStep::Item(name.as_ref().into()), other)?;
                stable(kind, item, other, &path)
            });
            let left: Vec<Json> = left.collect();
            (!left.is_empty() || items.is_empty()).then_some(Json::Array(left))
        }
        Json::String(text) => Some(
            volatile::without_random(Cow::Borrowed(text))
                .into_owned()
                .into(),
        ),
        other => Some(other.clone()),
    }
}

/// The paths at which two values differ.
fn differences(ours: &Json, server: &Json, path: &str, found: &mut Vec<String>) {
    match (ours, server) {
        (Json::Object(a), Json::Object(b)) => {
            let only_b = b.keys().filter(|key| !a.contains_key(*key));
            for key in a.keys().chain(only_b) {
                let path = format!("{path}.{key}");
                match (a.get(key), b.get(key)) {
                    (Some(a), Some(b)) => differences(a, b, &path, found),
                    (Some(a), None) => found.push(format!("{path}: ours has {a}")),
                    (_, b) => found.push(format!(
                        "{path}: the server has {}",
                        b.unwrap_or(&Json::Null)
                    )),
                }
            }
        }
        (Json::Array(a), Json::Array(b)) if a.len() == b.len() => {
            for (at, (a, b)) in a.iter().zip(b).enumerate() {
                differences(a, b, &format!("{path}[{at}]"), found);
            }
        }
        (a, b) if a == b => {}
        (a, b) => found.push(format!("{path}: ours is {a}, the server's is {b}")),
    }
}

/// What a review says of the change from one object to another.
fn reviewed(title: &str, before: &Json, after: &Json, custom: &ObjectSchemas) -> Vec<String> {
    let texts = (before.to_string(), after.to_string());
    let Some(review) = comparison::of_texts_with("case.yaml", texts.0, texts.1, custom) else {
        return vec![format!("{title}: not compared")];
    };
    let objects = review.objects.iter();
    let mut said: Vec<String> = objects
        .flat_map(|object| {
            let fields = object.fields.iter().map(|field| field.path.to_string());
            let whole = object.fields.is_empty().then(|| "all of it".to_owned());
            fields.chain(whole).collect::<Vec<_>>()
        })
        .map(|path| format!("{title}: a difference at {path}"))
        .collect();
    let risks = review.risks.iter();
    said.extend(risks.map(|risk| format!("{title}: a risk: {}", risk.message)));
    said
}

/// Judges what is stored, and reviews of what was sent and what is stored.
///
/// # Errors
/// The file is not of this format.
pub fn judge(cases: &mut Cases<'_>) -> Result<Tally> {
    let custom = custom_resources()?;
    let mut tally = Tally::default();
    for case in cases.lines()? {
        let (sent, stored) = (&case["sent"], &case["stored"]);
        let node = tree(sent);
        let ours = Stored::written(StoredPart::object(View::of(&node), Some(&custom))).to_json();
        let kind = sent["kind"].as_str().unwrap_or_default();
        let root = FieldPath::default();
        let both = [(&ours, stored), (stored, &ours)]
            .map(|(one, other)| stable(kind, one, Some(other), &root).unwrap_or_default());
        let mut found = Vec::new();
        differences(&both[0], &both[1], "", &mut found);
        found.extend(reviewed("sent to stored", sent, stored, &custom));
        found.extend(reviewed("stored to sent", stored, sent, &custom));
        tally.of += 1;
        if found.is_empty() {
            tally.agree += 1;
        } else {
            writeln!(cases.out, "{}\n  {}", case["name"], found.join("\n  "))?;
        }
    }
    Ok(tally)
}
