//! The tables of what the API server makes of objects name types and fields that Kubernetes has.

use std::fs;

use serde_json::Value as Json;

use crate::support::{files_below, repository_path};

/// The schema that a property refers to, or its own.
fn followed<'a>(definitions: &'a Json, property: &'a Json) -> &'a Json {
    match property["$ref"]
        .as_str()
        .and_then(|name| name.rsplit('/').next())
    {
        Some(name) => &definitions[name],
        None => property,
    }
}

/// Walks what a type, or a place in a kind, is filled with.
fn check(definitions: &Json, schema: &Json, fills: &Json, place: &str) {
    for (key, fill) in fills.as_object().unwrap() {
        match key.as_str() {
            "$kept" => {
                for name in fill.as_array().unwrap() {
                    let name = name.as_str().unwrap();
                    assert!(
                        !schema["properties"][name].is_null(),
                        "{place} has no {name}"
                    );
                }
            }
            "$each" => {
                let items = followed(definitions, &schema["items"]);
                check(definitions, items, fill, &format!("{place}[]"));
            }
            key => {
                let property = &schema["properties"][key];
                assert!(!property.is_null(), "{place} has no {key}");
                let property = followed(definitions, property);
                value(definitions, property, fill, &format!("{place}.{key}"));
            }
        }
    }
}

/// A value fits the type of its field.
fn value(definitions: &Json, schema: &Json, fill: &Json, place: &str) {
    match fill {
        Json::Object(parts) if parts.contains_key("$if") => {
            let branches = ["$then", "$else"].iter().filter_map(|key| parts.get(*key));
            branches.for_each(|branch| value(definitions, schema, branch, place));
        }
        Json::Object(_) => {
            let is_map = schema["additionalProperties"].is_object();
            let is_structure = schema["type"] == "object" && !is_map || schema["items"].is_object();
            assert!(is_structure, "{place} is no structure");
            check(definitions, schema, fill, place);
        }
        Json::String(text) if text.starts_with('$') => {}
        Json::Null => {}
        scalar => {
            let expected = match scalar {
                Json::String(_) => "string",
                Json::Number(_) => "integer",
                Json::Bool(_) => "boolean",
                _ => "array",
            };
            let is_open = schema["x-kubernetes-int-or-string"] == true;
            assert!(is_open || schema["type"] == expected, "{place}: {scalar}");
        }
    }
}

#[test]
fn types_and_fields_of_the_tables_exist() {
    let schemas =
        fs::read_to_string(repository_path("crates/kubernetes/schemas/kubernetes.json")).unwrap();
    let schemas: Json = serde_json::from_str(&schemas).unwrap();
    let definitions = &schemas["definitions"];
    let mut types = 0;
    for (path, text) in files_below(&repository_path("crates/kubernetes/tables/defaults")) {
        let groups: Json = serde_yaml::from_slice(&text).unwrap();
        for (group, of_group) in groups.as_object().unwrap() {
            for (name, fills) in of_group.as_object().unwrap() {
                let schema = &definitions[format!("{group}.{name}")];
                assert!(schema.is_object(), "{path}: there is no {group}.{name}");
                check(definitions, schema, fills, name);
                types += 1;
            }
        }
    }
    assert!(types > 200, "only {types} types");
}
