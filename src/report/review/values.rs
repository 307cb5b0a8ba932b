//! Values, and how they changed, on one line.

use std::collections::BTreeSet;

use serde_json::Value as Json;

use super::words::count;

/// Most characters of a value on one line.
const MOST: usize = 90;

/// `10 → 12`, `added 12`, `removed (was 10)`.
pub fn values(before: Option<&Json>, after: Option<&Json>, secret: bool) -> String {
    if secret {
        return match (before.is_some(), after.is_some()) {
            (false, true) => "added (secret)".to_owned(),
            (true, false) => "removed (secret)".to_owned(),
            _ => "changed (secret)".to_owned(),
        };
    }
    match (before, after) {
        (Some(Json::String(before)), Some(Json::String(after)))
            if before.contains('\n') || after.contains('\n') =>
        {
            "changed text".to_owned()
        }
        (Some(Json::Array(before)), Some(Json::Array(after))) => {
            fn only<'a>(a: &'a [Json], b: &[Json]) -> Vec<&'a Json> {
                let known: BTreeSet<String> = b.iter().map(Json::to_string).collect();
                a.iter()
                    .filter(|item| !known.contains(&item.to_string()))
                    .collect()
            }
            let (gone, new) = (only(before, after), only(after, before));
            if let ([gone], [new]) = (gone.as_slice(), new.as_slice())
                && gone.is_object()
                && new.is_object()
            {
                return inner(gone, new);
            }
            let texts = |items: &[&Json]| items.iter().map(|item| value(item)).collect::<Vec<_>>();
            let (gone, new) = (texts(&gone), texts(&new));
            let mut parts = Vec::new();
            parts.extend(new.iter().map(|item| format!("+ {item}")));
            parts.extend(gone.iter().map(|item| format!("− {item}")));
            if parts.is_empty() || parts.len() > 4 {
                format!("{} → {}", list(before), list(after))
            } else {
                parts.join("  ")
            }
        }
        (Some(before @ Json::Object(_)), Some(after @ Json::Object(_))) => inner(before, after),
        (Some(before), Some(after)) => format!("{} → {}", value(before), value(after)),
        (None, Some(after)) => format!("added {}", value(after)),
        (Some(before), None) => format!("removed (was {})", value(before)),
        (None, None) => String::new(),
    }
}

/// What differs within two maps, such as the same item of a list before and now.
fn inner(before: &Json, after: &Json) -> String {
    let mut parts = Vec::new();
    collect(String::new(), Some(before), Some(after), &mut parts);
    if parts.len() > 3 {
        let more = count(parts.len() - 3, "more field");
        parts.truncate(3);
        parts.push(more);
    }
    parts.join("; ")
}

fn collect(path: String, before: Option<&Json>, after: Option<&Json>, parts: &mut Vec<String>) {
    if before == after {
        return;
    }
    match (before, after) {
        (Some(Json::Object(old)), Some(Json::Object(new))) => {
            let keys: BTreeSet<&String> = old.keys().chain(new.keys()).collect();
            for key in keys {
                let path = if path.is_empty() {
                    key.clone()
                } else {
                    format!("{path}.{key}")
                };
                collect(path, old.get(key), new.get(key), parts);
            }
        }
        _ => parts.push(format!("{path} {}", values(before, after, false))),
    }
}

/// A list on one line.
pub fn list(items: &[Json]) -> String {
    let texts: Vec<String> = items.iter().map(value).collect();
    shortened(&format!("[{}]", texts.join(", ")))
}

/// A value on one line.
pub fn value(json: &Json) -> String {
    match json {
        Json::String(text) if text.is_empty() => "\"\"".to_owned(),
        Json::String(text) => shortened(&text.replace('\n', "⏎")),
        Json::Object(map) => {
            let entries: Vec<String> = map
                .iter()
                .map(|(key, inner)| format!("{key}: {}", value(inner)))
                .collect();
            shortened(&format!("{{{}}}", entries.join(", ")))
        }
        Json::Array(items) => list(items),
        scalar => scalar.to_string(),
    }
}

fn shortened(text: &str) -> String {
    if text.chars().count() > MOST {
        text.chars().take(MOST - 1).chain(['…']).collect()
    } else {
        text.to_owned()
    }
}

/// Whether two lists have the same items.
pub fn is_reorder(before: &[Json], after: &[Json]) -> bool {
    let sorted = |items: &[Json]| {
        let mut texts: Vec<String> = items.iter().map(Json::to_string).collect();
        texts.sort_unstable();
        texts
    };
    before.len() == after.len() && sorted(before) == sorted(after)
}

/// The items of a list; none of anything else.
pub fn array(value: Option<&Json>) -> &[Json] {
    value
        .and_then(Json::as_array)
        .map_or(&[], |items| items.as_slice())
}
