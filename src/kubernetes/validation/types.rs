//! The types that rules of a CustomResourceDefinition have, by its schema.
//! <https://kubernetes.io/docs/tasks/extend-kubernetes/custom-resources/custom-resource-definitions/#validation-rules>

use serde_json::Value as Json;

use crate::cel::Variable;
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

/// An expression whose `self` and `oldSelf` are variables, since those have types: each field of a known type that it
/// names is a variable of its own.
#[derive(Debug)]
pub struct Rewritten {
    /// The text.
    pub text: String,
    /// Its variables.
    pub variables: Vec<Variable>,
    /// A field that it names and the schema does not have.
    pub unknown: Option<String>,
}

/// Makes variables of what an expression names.
pub fn rewritten(text: &str, own: &Type, old: &Type) -> Rewritten {
    let mut result = Rewritten {
        text: String::with_capacity(text.len() + 16),
        variables: Vec::new(),
        unknown: None,
    };
    let mut quote: Option<char> = None;
    let mut rest = text;
    while let Some(c) = rest.chars().next() {
        let end = match quote {
            Some(_) if c == '\\' => rest.chars().take(2).map(char::len_utf8).sum(),
            Some(_) => c.len_utf8(),
            None => word(rest).max(c.len_utf8()),
        };
        match quote {
            Some(open) if c == open => quote = None,
            None if matches!(c, '"' | '\'' | '`') => quote = Some(c),
            _ => {}
        }
        let before = result.text.trim_end();
        let is_name = quote.is_none() && !before.ends_with('.');
        let root = match &rest[..end] {
            "self" if is_name => Some(own),
            "oldSelf" if is_name => Some(old),
            _ => None,
        };
        let taken = match root {
            Some(root) => result.name(rest, end, root),
            None => {
                result.text.push_str(&rest[..end]);
                end
            }
        };
        rest = &rest[taken..];
    }
    result
}

/// The length of the word at the start of a text.
fn word(text: &str) -> usize {
    let end = text.find(|c: char| !c.is_ascii_alphanumeric() && c != '_');
    end.unwrap_or(text.len())
}

impl Rewritten {
    /// Takes `self.a.b`, whose first word ends at `end`; gives the length of what was taken.
    fn name(&mut self, rest: &str, end: usize, root: &Type) -> usize {
        let is_tested = self.text.trim_end().ends_with("has(");
        let (mut at, mut of) = (end, root.clone());
        while let Type::Object(object) = &of {
            let Some(after) = rest[at..].strip_prefix('.') else {
                break;
            };
            let (name, length) = match after.strip_prefix('`') {
                Some(quoted) => match quoted.split_once('`') {
                    Some((name, _)) => (name, name.len() + 2),
                    None => break,
                },
                None => (&after[..word(after)], word(after)),
            };
            if name.is_empty() || after[length..].starts_with('(') {
                break;
            }
            let Some((_, field)) = object.fields.iter().find(|(known, _)| known == name) else {
                self.unknown.get_or_insert_with(|| name.to_owned());
                break;
            };
            (at, of) = (at + 1 + length, field.clone());
        }
        // A variable that is an object has no known fields, so they are followed here.
        let of = if is_tested {
            Type::Dyn
        } else {
            of.as_variable()
        };
        let taken = if of == Type::Dyn { end } else { at };
        let name = format!("v{}", self.variables.len());
        self.text.push_str(&format!("variables.{name}"));
        self.variables.push(Variable { name, of });
        taken
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn fields_become_variables_of_their_types() {
        let inner = Type::object("inner", vec![("b", Type::Int)]);
        let own = Type::object("own", vec![("a", inner), ("self", Type::Text)]);
        let found = rewritten(
            "self.a.b > 1 && 'self.a' != self.self && has(self.a) && selfish",
            &own,
            &Type::Dyn,
        );
        assert_eq!(
            found.text,
            "variables.v0 > 1 && 'self.a' != variables.v1 && has(variables.v2.a) && selfish"
        );
        let types: Vec<&Type> = found
            .variables
            .iter()
            .map(|variable| &variable.of)
            .collect();
        assert_eq!(types, [&Type::Int, &Type::Text, &Type::Dyn]);
        assert_eq!(
            rewritten("self.x", &own, &Type::Dyn).unknown.as_deref(),
            Some("x")
        );
        assert_eq!(
            rewritten("self.a.size()", &own, &Type::Dyn).text,
            "variables.v0.a.size()"
        );
    }
}
