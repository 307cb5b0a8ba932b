//! The types that rules of a CustomResourceDefinition have, by its schema.
//! <https://kubernetes.io/docs/tasks/extend-kubernetes/custom-resources/custom-resource-definitions/#validation-rules>

use serde_json::Value as Json;

use crate::cel::types::Type;

/// The type of the values of a schema; `is_root` for a whole object.
pub fn of(schema: &Json, is_root: bool) -> Type {
    named(schema, "object", is_root, 0)
}

/// Deepest nesting of types.
const MAX_DEPTH: usize = 60;

fn named(schema: &Json, name: &str, is_root: bool, depth: usize) -> Type {
    if depth > MAX_DEPTH || schema["x-kubernetes-int-or-string"] == Json::Bool(true) {
        return Type::Dyn;
    }
    match schema["type"].as_str() {
        Some("boolean") => Type::Bool,
        Some("integer") => Type::Int,
        Some("number") => Type::Double,
        Some("string") => match schema["format"].as_str() {
            Some("byte") => Type::Bytes,
            Some("date" | "date-time") => Type::Timestamp,
            Some("duration") => Type::Duration,
            _ => Type::Text,
        },
        Some("array") => Type::list(named(
            &schema["items"],
            &format!("{name}.item"),
            false,
            depth + 1,
        )),
        Some("object") => object(schema, name, is_root, depth),
        _ => Type::Dyn,
    }
}

fn object(schema: &Json, name: &str, is_root: bool, depth: usize) -> Type {
    let fields = schema["properties"].as_object();
    let fields = fields.filter(|fields| !fields.is_empty());
    let is_object = is_root || schema["x-kubernetes-embedded-resource"] == Json::Bool(true);
    if fields.is_none() && !is_object {
        let inner = &schema["additionalProperties"];
        return if inner.is_object() {
            Type::map(
                Type::Text,
                named(inner, &format!("{name}.value"), false, depth + 1),
            )
        } else {
            Type::Dyn
        };
    }
    let mut types: Vec<(&str, Type)> = Vec::new();
    if is_object {
        let metadata = vec![("name", Type::Text), ("generateName", Type::Text)];
        types.push(("apiVersion", Type::Text));
        types.push(("kind", Type::Text));
        types.push((
            "metadata",
            Type::object(&format!("{name}.metadata"), metadata),
        ));
    }
    for (field, inner) in fields.into_iter().flatten() {
        if !types.iter().any(|(known, _)| known == field) {
            types.push((
                field,
                named(inner, &format!("{name}.{field}"), false, depth + 1),
            ));
        }
    }
    Type::object(name, types)
}
