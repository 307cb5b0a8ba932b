//! The sizes that the schema of a CRD allows, for the estimated cost of its rules.
//!
//! Source: `SchemaDeclType` of
//! <https://github.com/kubernetes/kubernetes/blob/v1.36.0/staging/src/k8s.io/apiserver/pkg/cel/common/schemas.go>, with the
//! numbers of `pkg/cel/limits.go` and `pkg/cel/types.go` beside it.

use std::collections::HashMap;

use serde_json::Value as Json;

use tenantry_cel::estimate::{Below, Sizes};
use tenantry_engine::schema::Minor;

/// The largest request, in bytes: `MaxRequestSizeBytes` of `pkg/apis/cel/config.go`.
pub(super) const REQUEST: u64 = 3 * 1024 * 1024;
/// A request without the two quotes or brackets around all of it.
const INSIDE: u64 = REQUEST - 2;
/// The most bytes of a character.
const CHARACTER: u64 = 4;

/// The sizes of the values of a schema, as a version of Kubernetes takes them; `is_root` for a whole object. None where
/// expressions cannot see the values.
pub(super) fn of(schema: &Json, is_root: bool, minor: Minor) -> Option<Sizes> {
    if schema["x-kubernetes-int-or-string"] == Json::Bool(true) {
        return Some(text(1, characters(schema).unwrap_or(INSIDE)));
    }
    let is_embedded = schema["x-kubernetes-embedded-resource"] == Json::Bool(true);
    match schema["type"].as_str()? {
        "array" => list(schema, minor),
        "object" => object(schema, is_root || is_embedded, minor),
        "string" => Some(string(schema)),
        "boolean" => Some(text(4, 0)),
        "number" | "integer" => Some(text(1, 0)),
        _ => None,
    }
}

/// A bound of the schema; a negative one counts as 0.
pub(super) fn bound(schema: &Json, name: &str) -> Option<u64> {
    let bound = schema[name].as_i64()?;
    Some(bound.try_into().unwrap_or(0))
}

/// `maxLength` in bytes.
fn characters(schema: &Json) -> Option<u64> {
    bound(schema, "maxLength").map(|most| most.saturating_mul(CHARACTER))
}

/// Sizes of a value with nothing inside.
fn text(least_bytes: u64, most: u64) -> Sizes {
    Sizes {
        most,
        least_bytes,
        below: Below::Nothing,
    }
}

fn string(schema: &Json) -> Sizes {
    match schema["format"].as_str() {
        Some("byte") => text(2, bound(schema, "maxLength").unwrap_or(INSIDE)),
        Some("duration") => text(3, 32),
        Some("date") => text(12, 12),
        Some("date-time") => text(21, 32),
        _ => {
            let values = schema["enum"].as_array();
            let longest = values.filter(|values| !values.is_empty()).map(|values| {
                let lengths = values.iter().filter_map(Json::as_str).map(str::len);
                lengths.max().unwrap_or(0) as u64
            });
            text(2, characters(schema).or(longest).unwrap_or(INSIDE))
        }
    }
}

fn list(schema: &Json, minor: Minor) -> Option<Sizes> {
    let items = of(&schema["items"], false, minor)?;
    // Each item is followed by a comma.
    let most = bound(schema, "maxItems").unwrap_or(INSIDE / (items.least_bytes + 1));
    Some(Sizes {
        most,
        least_bytes: 2,
        below: Below::Items(Box::new(items)),
    })
}

fn object(schema: &Json, is_whole: bool, minor: Minor) -> Option<Sizes> {
    if schema["additionalProperties"].is_object() {
        let values = of(&schema["additionalProperties"], false, minor)?;
        // A key of two quotes at least two bytes long, a colon and a comma.
        let most = bound(schema, "maxProperties").unwrap_or(INSIDE / (values.least_bytes + 6));
        return Some(Sizes {
            most,
            least_bytes: 2,
            below: Below::Values(Box::new(values)),
        });
    }
    let required = schema["required"].as_array();
    let is_required =
        |name: &str| required.is_some_and(|names| names.iter().any(|known| known == name));
    let mut fields = HashMap::new();
    let mut least_bytes = 2;
    let mut add = |name: &str, has_default: bool, sizes: Sizes| {
        if is_required(name) && !has_default {
            least_bytes += name.len() as u64 + sizes.least_bytes + 4;
        }
        fields.insert(name.to_owned(), sizes);
    };
    let adds_own = is_whole && !has_own_metadata(schema);
    for (name, property) in schema["properties"].as_object().into_iter().flatten() {
        if adds_own && ["apiVersion", "kind", "metadata"].contains(&name.as_str()) {
            continue;
        }
        if let Some(sizes) = of(property, false, minor) {
            add(name, !property["default"].is_null(), sizes);
        }
    }
    if adds_own {
        add("apiVersion", false, text(2, INSIDE));
        add("kind", false, text(2, INSIDE));
        add(
            "metadata",
            false,
            metadata(&schema["properties"]["metadata"], minor),
        );
    }
    Some(Sizes {
        most: 0,
        least_bytes,
        below: Below::Fields(fields),
    })
}

/// Whether a whole object declares all fields that expressions can read of every object.
fn has_own_metadata(schema: &Json) -> bool {
    let own = &schema["properties"];
    let metadata = &own["metadata"];
    own["kind"]["type"] == "string"
        && own["apiVersion"]["type"] == "string"
        && metadata["type"] == "object"
        && metadata["properties"]["name"]["type"] == "string"
        && metadata["properties"]["generateName"]["type"] == "string"
}

/// The metadata of a whole object that does not declare all of it.
fn metadata(schema: &Json, minor: Minor) -> Sizes {
    let name = |name: &str, most: u64| {
        let own = bound(&schema["properties"][name], "maxLength").unwrap_or(most);
        // Before, names had no bound: <https://github.com/kubernetes/kubernetes/pull/139573>.
        let most = if minor < 37 {
            INSIDE
        } else {
            own.min(most) * CHARACTER
        };
        (name.to_owned(), text(2, most))
    };
    let fields = [name("name", 253), name("generateName", 252)];
    Sizes {
        most: 0,
        least_bytes: 2,
        below: Below::Fields(HashMap::from(fields)),
    }
}
