//! What the table cannot say: fields that are computed of those beside them.

use std::borrow::Cow;
use std::collections::BTreeSet;

use super::part::{Stored, StoredPart};
use super::pods;
use crate::base64;
use tenantry_engine::view::{Shape, View};

/// Computes the value of a key of a part: with an argument, and with what is written there.
pub type Computed =
    for<'a> fn(&StoredPart<'a>, &str, &str, Option<Stored<'a>>) -> Option<Stored<'a>>;

/// A function by its name in the table.
pub fn computed(name: &str) -> Option<Computed> {
    Some(match name {
        "drop" => |_, _, _, _| None,
        "same" => same,
        "pullPolicy" => pull_policy,
        "emptyVolume" => empty_volume,
        "dataSource" => data_source,
        "labelsOfTemplate" => labels_of_template,
        "namespaceName" => namespace_name,
        "stringData" => string_data,
        "limitDefaults" => limit_defaults,
        "limitRequests" => limit_requests,
        "singular" => singular,
        "listKind" => list_kind,
        "requests" => pods::requests,
        "account" => pods::account,
        "priority" => pods::priority,
        "podResources" => pods::resources,
        "tolerations" => pods::tolerations,
        "tokenVolume" => pods::token_volume,
        "tokenMount" => pods::token_mount,
        _ => return None,
    })
}

type RuleFill<'a> = Option<Stored<'a>>;

/// The value of another field.
fn same<'a>(part: &StoredPart<'a>, key: &str, other: &str, written: RuleFill<'a>) -> RuleFill<'a> {
    written.or_else(|| {
        let other = part.written(other)?;
        Some(part.filled(key, other.view, None))
    })
}

/// <https://kubernetes.io/docs/concepts/containers/images/#imagepullpolicy-defaulting>
fn pull_policy<'a>(part: &StoredPart<'a>, _: &str, _: &str, written: RuleFill<'a>) -> RuleFill<'a> {
    written.or_else(|| {
        let image = match part.view.text_at(&["image"]) {
            image if image.is_empty() => part.view.text_at(&["reference"]),
            image => image,
        };
        let name = image.rsplit('/').next().unwrap_or(&image);
        let is_latest = match name.split_once(':') {
            _ if name.is_empty() || name.contains('@') => false,
            None | Some((_, "latest")) => true,
            Some(_) => false,
        };
        let policy = if is_latest { "Always" } else { "IfNotPresent" };
        Some(Stored::text(policy, None))
    })
}

/// A volume without a source is an empty folder.
fn empty_volume<'a>(
    part: &StoredPart<'a>,
    key: &str,
    _: &str,
    written: RuleFill<'a>,
) -> RuleFill<'a> {
    written.or_else(|| {
        // Every source is a map.
        let mut fields = part.view.fields().into_iter();
        let has_source = fields.any(|field| matches!(field.value.shape(), Shape::Map));
        (!has_source).then(|| part.filled_empty(key))
    })
}

/// `dataSource` and `dataSourceRef` of a claim are the same, unless the latter names a namespace.
fn data_source<'a>(
    part: &StoredPart<'a>,
    key: &str,
    other: &str,
    written: RuleFill<'a>,
) -> RuleFill<'a> {
    written.or_else(|| {
        let other = part.written(other)?;
        let is_elsewhere = !other.view.text_at(&["namespace"]).is_empty();
        (!is_elsewhere).then(|| part.filled(key, other.view, None))
    })
}

/// Labels, or a selector, that are those of the template of the pods.
fn labels_of_template<'a>(
    part: &StoredPart<'a>,
    key: &str,
    _: &str,
    written: RuleFill<'a>,
) -> RuleFill<'a> {
    let has_own = |found: &Stored<'a>| !found.fields().is_empty();
    if key == "selector" {
        let labels = part.view.at(&["template", "metadata", "labels"]);
        let own = written.filter(has_own);
        return own.or_else(|| Some(part.filled(key, labels?, None)));
    }
    let metadata = part.written(key)?;
    let labels = part.view.at(&["spec", "template", "metadata", "labels"]);
    match labels.filter(|labels| !labels.is_zero()) {
        Some(labels) if metadata.written("labels").is_none() => {
            let mut fields = metadata.fields();
            fields.push((
                Cow::Borrowed("labels"),
                metadata.filled("labels", labels, None),
            ));
            Some(Stored::map(fields, Some(metadata.view)))
        }
        _ => written,
    }
}

/// Every namespace has its name as a label.
fn namespace_name<'a>(
    part: &StoredPart<'a>,
    _: &str,
    _: &str,
    written: RuleFill<'a>,
) -> RuleFill<'a> {
    const LABEL: &str = "kubernetes.io/metadata.name";
    let name = part.view.text_at(&["name"]);
    if name.is_empty() {
        return written;
    }
    let view = written.as_ref().and_then(|labels| labels.written);
    let mut labels = written.map(|labels| labels.fields()).unwrap_or_default();
    labels.retain(|(key, _)| key != LABEL);
    labels.push((Cow::Borrowed(LABEL), Stored::text(&*name, None)));
    Some(Stored::map(labels, view))
}

/// `stringData` is stored as `data`.
fn string_data<'a>(part: &StoredPart<'a>, _: &str, _: &str, written: RuleFill<'a>) -> RuleFill<'a> {
    let Some(texts) = part.view.get("stringData").filter(|texts| !texts.is_zero()) else {
        return written;
    };
    let mut data = written.map(|data| data.fields()).unwrap_or_default();
    let fields = texts.fields();
    let names: BTreeSet<&str> = fields.iter().map(|field| &*field.key).collect();
    data.retain(|(key, _)| !names.contains(&**key));
    for field in fields {
        let text = field.value.text().unwrap_or_default();
        data.push((
            field.key,
            Stored::text(base64::encoded(text.as_bytes()), Some(field.value)),
        ));
    }
    Some(Stored::map(data, Some(texts)))
}

/// The fields of a map, and those of others that it lacks.
pub(super) fn filled_up<'a>(
    written: RuleFill<'a>,
    others: impl IntoIterator<Item = RuleFill<'a>>,
) -> RuleFill<'a> {
    let view = written.as_ref().and_then(|map| map.written);
    let mut fields = written.map(|map| map.fields()).unwrap_or_default();
    let known = fields.iter().map(|(key, _)| key.to_string());
    let mut known: BTreeSet<String> = known.collect();
    for (key, value) in others.into_iter().flatten().flat_map(|map| map.fields()) {
        if known.insert(key.to_string()) {
            let value = Stored {
                written: None,
                ..value
            };
            fields.push((key, value));
        }
    }
    (!fields.is_empty()).then(|| Stored::map(fields, view))
}

fn limit_defaults<'a>(
    part: &StoredPart<'a>,
    _: &str,
    _: &str,
    written: RuleFill<'a>,
) -> RuleFill<'a> {
    filled_up(written, [part.get("max")])
}

fn limit_requests<'a>(
    part: &StoredPart<'a>,
    _: &str,
    _: &str,
    written: RuleFill<'a>,
) -> RuleFill<'a> {
    filled_up(written, [part.get("default"), part.get("min")])
}

fn named<'a>(
    part: &StoredPart<'a>,
    written: RuleFill<'a>,
    name: impl Fn(&str) -> String,
) -> RuleFill<'a> {
    written.or_else(|| {
        let kind = part.view.get("kind").and_then(View::text)?;
        Some(Stored::text(name(&kind), None))
    })
}

fn singular<'a>(part: &StoredPart<'a>, _: &str, _: &str, written: RuleFill<'a>) -> RuleFill<'a> {
    named(part, written, str::to_lowercase)
}

fn list_kind<'a>(part: &StoredPart<'a>, _: &str, _: &str, written: RuleFill<'a>) -> RuleFill<'a> {
    named(part, written, |kind| format!("{kind}List"))
}
