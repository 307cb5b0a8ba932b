//! Structural schemas: <https://kubernetes.io/docs/tasks/extend-kubernetes/custom-resources/custom-resource-definitions/#specifying-a-structural-schema>

mod rules;

use serde_json::Value as Json;

use super::RefusalReason;
use super::checks::FormatError;
use super::estimates::{Estimates, Occurrences};
use tenantry_engine::schema::Minor;
use tenantry_engine::schema::{self, SchemaSet, Strictness};
use tenantry_engine::view::View;
use tenantry_syntax::yaml::{Node, PathStep};

/// Deepest nesting of schemas.
const MAX_DEPTH: usize = 100;
const TYPES: &[&str] = &["array", "boolean", "integer", "number", "object", "string"];
/// Keywords that a structural schema does not have.
const UNKNOWN: &[&str] = &[
    "$ref",
    "additionalItems",
    "definitions",
    "dependencies",
    "id",
    "patternProperties",
];
/// Keywords that only describe, which conditions must not have.
const OUTSIDE: &[&str] = &[
    "additionalProperties",
    "default",
    "description",
    "nullable",
    "title",
    "type",
    "x-kubernetes-embedded-resource",
    "x-kubernetes-int-or-string",
    "x-kubernetes-list-map-keys",
    "x-kubernetes-list-type",
    "x-kubernetes-map-type",
    "x-kubernetes-preserve-unknown-fields",
];

/// Judges the schema of a version as a version of Kubernetes does; fields and places are below it.
pub fn check(schema: &Json, minor: Minor) -> Vec<FormatError> {
    let mut judge = StructuralCheck {
        minor,
        path: Vec::new(),
        found: Vec::new(),
        of_expressions: 0,
        estimates: Estimates::default(),
        occurrences: Occurrences::ONCE,
        has_old: true,
        depth: 0,
    };
    if schema["type"] != "object" {
        judge.refuse(
            &["type"],
            RefusalReason::Invalid,
            "must be `object` at the root",
            "write `type: object`",
        );
    }
    judge.structure(schema, true);
    // The API server estimates nothing if the schema itself is wrong.
    if judge.found.len() == judge.of_expressions {
        judge.found.extend(judge.estimates.found());
    }
    judge.found
}

struct StructuralCheck {
    minor: Minor,
    path: Vec<PathStep>,
    found: Vec<FormatError>,
    /// How many of the findings are of expressions.
    of_expressions: usize,
    /// What the rules cost at most.
    estimates: Estimates,
    /// How often values of this place are in an object.
    occurrences: Occurrences,
    /// Whether a value of this place has an old value that it can be compared with.
    has_old: bool,
    depth: usize,
}

fn is_true(schema: &Json, flag: &str) -> bool {
    schema[flag] == Json::Bool(true)
}

impl StructuralCheck {
    fn refuse(
        &mut self,
        field: &[&str],
        reason: RefusalReason,
        says: impl Into<String>,
        help: &str,
    ) {
        let mut all = self.path.clone();
        all.extend(field.iter().map(|step| PathStep::from(*step)));
        self.found.push(FormatError::at(&all, reason, says, help));
    }

    fn below(&mut self, steps: &[PathStep], work: impl FnOnce(&mut StructuralCheck)) {
        if self.depth >= MAX_DEPTH {
            return;
        }
        self.depth += 1;
        self.path.extend(steps.iter().cloned());
        work(self);
        self.path.truncate(self.path.len() - steps.len());
        self.depth -= 1;
    }

    fn structure(&mut self, schema: &Json, is_root: bool) {
        let int_or_string = is_true(schema, "x-kubernetes-int-or-string");
        let is_open = is_true(schema, "x-kubernetes-preserve-unknown-fields");
        match schema["type"].as_str() {
            None | Some("") if !int_or_string && !is_open => {
                let help =
                    "write the type, or `x-kubernetes-preserve-unknown-fields: true` for anything";
                self.refuse(&["type"], RefusalReason::Required, "is missing", help);
            }
            Some(name) if !name.is_empty() && int_or_string => {
                self.refuse(
                    &["type"],
                    RefusalReason::Forbidden,
                    "may not be set beside `x-kubernetes-int-or-string`",
                    "remove it",
                );
            }
            Some(name) if !name.is_empty() && !TYPES.contains(&name) => {
                let help = "write `object`, `array`, `string`, `integer`, `number` or `boolean`";
                self.refuse(
                    &["type"],
                    RefusalReason::NotSupported,
                    format!("cannot be `{name}`"),
                    help,
                );
            }
            _ => {}
        }
        self.keywords(schema);
        self.lists(schema);
        self.rules(schema);
        self.default(schema);
        if is_root && is_true(schema, "nullable") {
            self.refuse(
                &["nullable"],
                RefusalReason::Forbidden,
                "may not be true at the root",
                "remove it",
            );
        }
        if is_true(schema, "x-kubernetes-embedded-resource") {
            if schema["type"] != "object" {
                self.refuse(
                    &["type"],
                    RefusalReason::Invalid,
                    "must be `object` for an embedded resource",
                    "write `type: object`",
                );
            }
            if !is_open
                && schema["properties"]
                    .as_object()
                    .is_none_or(serde_json::Map::is_empty)
            {
                let help = "write `x-kubernetes-preserve-unknown-fields: true`";
                self.refuse(
                    &["properties"],
                    RefusalReason::Required,
                    "is missing for an embedded resource",
                    help,
                );
            }
        }
        self.inside(schema);
        self.conditions(schema, int_or_string);
    }

    fn inside(&mut self, schema: &Json) {
        let (around, had_old) = (self.occurrences, self.has_old);
        self.occurrences = around.inside(schema);
        let kind = schema["x-kubernetes-map-type"].as_str();
        self.has_old &= matches!(kind, None | Some("granular" | "atomic"));
        for (name, property) in schema["properties"].as_object().into_iter().flatten() {
            self.below(&["properties".into(), name.as_str().into()], |judge| {
                judge.structure(property, false);
            });
        }
        if schema["additionalProperties"].is_object() {
            self.below(&["additionalProperties".into()], |judge| {
                judge.structure(&schema["additionalProperties"], false);
            });
        }
        if schema["items"].is_object() {
            self.has_old &= schema["x-kubernetes-list-type"] == "map";
            self.below(&["items".into()], |judge| {
                judge.structure(&schema["items"], false);
            });
        }
        (self.occurrences, self.has_old) = (around, had_old);
    }

    /// `allOf` and its like restrict what stands outside of them, and add nothing to it.
    fn conditions(&mut self, schema: &Json, may_have_types: bool) {
        for list in ["allOf", "anyOf", "oneOf"] {
            for (at, inner) in schema[list].as_array().into_iter().flatten().enumerate() {
                self.below(&[list.into(), PathStep::Index(at)], |judge| {
                    judge.condition(inner, may_have_types);
                });
            }
        }
        if schema["not"].is_object() {
            self.below(&["not".into()], |judge| {
                judge.condition(&schema["not"], may_have_types);
            });
        }
    }

    fn condition(&mut self, schema: &Json, may_have_types: bool) {
        for keyword in OUTSIDE {
            let value = &schema[*keyword];
            let is_set =
                !matches!(value, Json::Null | Json::Bool(false)) && value.as_str() != Some("");
            if is_set && !(*keyword == "type" && may_have_types) {
                let help = "write it outside of `allOf`, `anyOf`, `oneOf` and `not`";
                self.refuse(
                    &[keyword],
                    RefusalReason::Forbidden,
                    "may not be set in a condition",
                    help,
                );
            }
        }
        self.keywords(schema);
        for (name, property) in schema["properties"].as_object().into_iter().flatten() {
            self.below(&["properties".into(), name.as_str().into()], |judge| {
                judge.condition(property, false);
            });
        }
        if schema["items"].is_object() {
            self.below(&["items".into()], |judge| {
                judge.condition(&schema["items"], false);
            });
        }
        self.conditions(schema, may_have_types);
    }

    fn keywords(&mut self, schema: &Json) {
        for keyword in UNKNOWN {
            if !schema[*keyword].is_null() {
                self.refuse(
                    &[keyword],
                    RefusalReason::Forbidden,
                    "is not supported",
                    "write the schema out",
                );
            }
        }
        if is_true(schema, "uniqueItems") {
            let help = "write `x-kubernetes-list-type: set`";
            self.refuse(
                &["uniqueItems"],
                RefusalReason::Forbidden,
                "may not be true",
                help,
            );
        }
        if schema["additionalProperties"] == Json::Bool(false) {
            let says = "may not be false: unknown fields are dropped anyway";
            self.refuse(
                &["additionalProperties"],
                RefusalReason::Forbidden,
                says,
                "remove it",
            );
        }
        let has_fields = schema["properties"]
            .as_object()
            .is_some_and(|fields| !fields.is_empty());
        if has_fields && schema["additionalProperties"].is_object() {
            let says = "may not be set together with `properties`";
            self.refuse(
                &["additionalProperties"],
                RefusalReason::Forbidden,
                says,
                "keep one of the two",
            );
        }
        if schema["x-kubernetes-preserve-unknown-fields"] == Json::Bool(false) {
            self.refuse(
                &["x-kubernetes-preserve-unknown-fields"],
                RefusalReason::Invalid,
                "must be true, or not be there",
                "remove it",
            );
        }
        if let Some(pattern) = schema["pattern"].as_str()
            && regex_syntax_error(pattern)
        {
            let says = format!("is not a regular expression: `{pattern}`");
            self.refuse(
                &["pattern"],
                RefusalReason::Invalid,
                says,
                "write it as https://github.com/google/re2/wiki/Syntax has it",
            );
        }
    }

    fn lists(&mut self, schema: &Json) {
        if schema["type"] == "array" && !schema["items"].is_object() {
            self.refuse(
                &["items"],
                RefusalReason::Required,
                "is missing for a list",
                "write the schema of its items",
            );
        }
        let kind = schema["x-kubernetes-list-type"].as_str();
        match kind {
            None | Some("atomic" | "set" | "map") => {}
            Some(_) => {
                let help = "write `atomic`, `set` or `map`";
                self.refuse(
                    &["x-kubernetes-list-type"],
                    RefusalReason::NotSupported,
                    "is not a type of lists",
                    help,
                );
            }
        }
        if kind.is_some() && schema["type"] != "array" {
            let says = "must be `array` for a type of lists";
            self.refuse(
                &["type"],
                RefusalReason::Invalid,
                says,
                "write `type: array`",
            );
        }
        if let Some(kind) = schema["x-kubernetes-map-type"].as_str()
            && !["granular", "atomic"].contains(&kind)
        {
            self.refuse(
                &["x-kubernetes-map-type"],
                RefusalReason::NotSupported,
                "is not a type of maps",
                "write `granular` or `atomic`",
            );
        }
        let keys = schema["x-kubernetes-list-map-keys"].as_array();
        if kind != Some("map") {
            if keys.is_some_and(|keys| !keys.is_empty()) {
                let says = "may only be set for the type of lists `map`";
                self.refuse(
                    &["x-kubernetes-list-map-keys"],
                    RefusalReason::Forbidden,
                    says,
                    "write `x-kubernetes-list-type: map`",
                );
            }
            return;
        }
        let Some(keys) = keys.filter(|keys| !keys.is_empty()) else {
            self.refuse(
                &["x-kubernetes-list-map-keys"],
                RefusalReason::Required,
                "is missing",
                "name the fields that tell items apart",
            );
            return;
        };
        let items = &schema["items"];
        for key in keys.iter().filter_map(Json::as_str) {
            let field = &items["properties"][key];
            let required = items["required"].as_array();
            let is_required = required.is_some_and(|names| names.iter().any(|name| name == key));
            if field.is_null() {
                let says = format!("names `{key}`, which items do not have");
                self.refuse(
                    &["x-kubernetes-list-map-keys"],
                    RefusalReason::Invalid,
                    says,
                    "name a field of the items",
                );
            } else if !is_required && field["default"].is_null() {
                let says = format!(
                    "must be required, or have a default, as it is the key `{key}` of a list"
                );
                self.refuse(
                    &["items", "properties", key, "default"],
                    RefusalReason::Required,
                    says,
                    "add it to `required`",
                );
            }
        }
    }

    fn default(&mut self, schema: &Json) {
        let default = &schema["default"];
        if default.is_null() {
            return;
        }
        let mut bare = schema.clone();
        if let Some(map) = bare.as_object_mut() {
            map.remove("default");
        }
        let Ok(source) = serde_json::value::to_raw_value(&bare) else {
            return;
        };
        let mut set = SchemaSet::default();
        set.add("default", source, true);
        let Some(rule) = set.rule("default") else {
            return;
        };
        let tree = Node::from_json(default);
        if let Some(violation) =
            schema::check(View::of(&tree), rule, &set, Strictness::Whole).first()
        {
            let says = format!("does not meet the schema: {:?}", violation.path.to_string());
            let says = says.replace(": \"\"", "");
            self.refuse(
                &["default"],
                RefusalReason::Invalid,
                says,
                "write a value of the field's type",
            );
        }
    }
}

/// Whether the API server's engine would refuse a pattern; it knows no look-around and no references.
fn regex_syntax_error(pattern: &str) -> bool {
    regex::Regex::new(pattern).is_err_and(|error| matches!(error, regex::Error::Syntax(_)))
}
