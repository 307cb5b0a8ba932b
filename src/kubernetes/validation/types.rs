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
    let mut types: Vec<(String, Type)> = Vec::new();
    if is_object {
        let metadata = vec![("name", Type::Text), ("generateName", Type::Text)];
        let metadata = Type::object(&format!("{name}.metadata"), metadata);
        types.push(("apiVersion".to_owned(), Type::Text));
        types.push(("kind".to_owned(), Type::Text));
        types.push(("metadata".to_owned(), metadata));
    }
    for (field, inner) in fields.into_iter().flatten() {
        if !types.iter().any(|(known, _)| known == field) {
            let of = named(inner, &format!("{name}.{field}"), false, depth + 1);
            types.push((escaped(field), of));
        }
    }
    let types = types.iter().map(|(field, of)| (field.as_str(), of.clone()));
    Type::object(name, types.collect())
}

/// Words of the language, which fields are not named by.
const WORDS: &[&str] = &[
    "as",
    "break",
    "const",
    "continue",
    "else",
    "false",
    "for",
    "function",
    "if",
    "import",
    "in",
    "let",
    "loop",
    "namespace",
    "null",
    "package",
    "return",
    "true",
    "var",
    "void",
    "while",
];

/// The name of a field as rules write it: <https://kubernetes.io/docs/reference/using-api/cel/#escaping>.
fn escaped(name: &str) -> String {
    if WORDS.contains(&name) {
        return format!("__{name}__");
    }
    let name = name.replace("__", "__underscores__");
    let name = name.replace('.', "__dot__").replace('-', "__dash__");
    name.replace('/', "__slash__")
}
