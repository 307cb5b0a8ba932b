//! The types that expressions have by a schema: rules of a CustomResourceDefinition, and policies whose kinds are known.
//! <https://kubernetes.io/docs/tasks/extend-kubernetes/custom-resources/custom-resource-definitions/#validation-rules>

use std::collections::HashMap;
use std::sync::{LazyLock, PoisonError, RwLock};

use serde_json::Value as Json;

use tenantry_cel::types::Type;
use tenantry_kubernetes::schemas::built_in;

/// Deepest nesting of types.
const MAX_DEPTH: usize = 60;

/// The type of the values of a schema; `is_root` for a whole object.
pub fn of(schema: &Json, is_root: bool) -> Type {
    TypeReader::default().named(schema, "object", is_root)
}

/// The type of the objects of a CRD's schema, as policies see them: with all metadata.
pub fn of_custom(mut schema: Json) -> Type {
    let metadata = "#/definitions/io.k8s.apimachinery.pkg.apis.meta.v1.ObjectMeta";
    schema["properties"]["metadata"] = serde_json::json!({"$ref": metadata});
    of(&schema, false)
}

/// The type of the values of a built-in definition.
pub fn of_definition(name: &str) -> Type {
    TypeReader::default().definition(name)
}

/// The types of built-in definitions that do not depend on what they are in.
static KNOWN: LazyLock<RwLock<HashMap<String, Type>>> = LazyLock::new(RwLock::default);

struct TypeReader {
    depth: usize,
    /// The definitions around; one that is inside itself has no type of its own.
    around: Vec<String>,
    /// The outermost of them that the type depends on, by position.
    outermost: usize,
}

impl Default for TypeReader {
    fn default() -> TypeReader {
        TypeReader {
            depth: 0,
            around: Vec::new(),
            outermost: usize::MAX,
        }
    }
}

impl TypeReader {
    fn definition(&mut self, name: &str) -> Type {
        if let Some(at) = self.around.iter().position(|known| known == name) {
            self.outermost = self.outermost.min(at);
            return Type::Dyn;
        }
        let known = KNOWN.read().unwrap_or_else(PoisonError::into_inner);
        if let Some(known) = known.get(name) {
            return known.clone();
        }
        drop(known);
        let source = built_in().definition_source(name);
        let Some(schema) = source.and_then(|text| serde_json::from_str(text).ok()) else {
            return Type::Dyn;
        };
        let before = std::mem::replace(&mut self.outermost, usize::MAX);
        self.around.push(name.to_owned());
        let of = self.named(&schema, name, false);
        self.around.pop();
        if self.outermost >= self.around.len() {
            let mut known = KNOWN.write().unwrap_or_else(PoisonError::into_inner);
            known.insert(name.to_owned(), of.clone());
            self.outermost = before;
        } else {
            self.outermost = self.outermost.min(before);
        }
        of
    }

    fn named(&mut self, schema: &Json, name: &str, is_root: bool) -> Type {
        if self.depth > MAX_DEPTH || schema["x-kubernetes-int-or-string"] == Json::Bool(true) {
            return Type::Dyn;
        }
        if let Some(reference) = schema["$ref"].as_str() {
            return self.definition(reference.rsplit('/').next().unwrap_or(reference));
        }
        self.depth += 1;
        let of = match schema["type"].as_str() {
            Some("boolean") => Type::Bool,
            Some("integer") => Type::Int,
            Some("number") => Type::Double,
            Some("string") => match schema["format"].as_str() {
                Some("byte") => Type::Bytes,
                Some("date" | "date-time") => Type::Timestamp,
                Some("duration") => Type::Duration,
                _ => Type::Text,
            },
            Some("array") => {
                Type::list(self.named(&schema["items"], &format!("{name}.item"), false))
            }
            Some("object") => self.object(schema, name, is_root),
            _ => Type::Dyn,
        };
        self.depth -= 1;
        of
    }

    fn object(&mut self, schema: &Json, name: &str, is_root: bool) -> Type {
        let fields = schema["properties"].as_object();
        let fields = fields.filter(|fields| !fields.is_empty());
        let is_object = is_root || schema["x-kubernetes-embedded-resource"] == Json::Bool(true);
        if fields.is_none() && !is_object {
            let inner = &schema["additionalProperties"];
            return if inner.is_object() {
                let of = self.named(inner, &format!("{name}.value"), false);
                Type::map(Type::Text, of)
            } else {
                Type::Dyn
            };
        }
        let mut types: Vec<(&str, Type)> = Vec::new();
        if is_object {
            let metadata = vec![("name", Type::Text), ("generateName", Type::Text)];
            let metadata = Type::object(&format!("{name}.metadata"), metadata);
            types.push(("apiVersion", Type::Text));
            types.push(("kind", Type::Text));
            types.push(("metadata", metadata));
        }
        for (field, inner) in fields.into_iter().flatten() {
            if !types.iter().any(|(known, _)| known == field) {
                let of = self.named(inner, &format!("{name}.{field}"), false);
                types.push((field, of));
            }
        }
        Type::object(name, types)
    }
}
