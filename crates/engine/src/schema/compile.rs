//! JSON Schema and Kubernetes' structural schemas, in a form that is quick to walk.

use serde_json::Value as Json;

use super::SchemaSet;
use crate::schema::FieldHistory;
use tenantry_syntax::yaml::Node;

/// What a value may be. Everything is allowed that nothing here forbids.
#[derive(Debug, Default)]
pub struct SchemaRule {
    /// Another rule, which holds in place of this one.
    pub reference: Option<usize>,
    /// Types that are allowed.
    pub types: Types,
    /// Fields, sorted by name.
    pub properties: Vec<(Box<str>, SchemaRule)>,
    /// Fields that must be there.
    pub required: Vec<Box<str>>,
    /// What holds for fields that are not listed.
    pub additional: Additional,
    /// What holds for each item.
    pub items: Option<Box<SchemaRule>>,
    /// Values that are allowed, if not all.
    pub allowed: Vec<Json>,
    /// The name of a text's form.
    pub format: Option<Box<str>>,
    /// A pattern that text must have.
    pub pattern: Option<Box<regex::Regex>>,
    /// Bounds.
    pub limits: Option<Box<ValueBounds>>,
    /// One of these must hold, besides.
    pub any_of: Vec<SchemaRule>,
    /// All of these must hold, besides.
    pub all_of: Vec<SchemaRule>,
    /// The versions of Kubernetes that have it, for a field of a built-in kind.
    pub history: FieldHistory,
    /// What the API server fills in where nothing is written.
    pub default: Option<Box<Node>>,
    /// What it is, for people.
    pub description: String,
}

impl SchemaRule {
    /// Allows everything.
    pub const ANYTHING: SchemaRule = SchemaRule {
        reference: None,
        types: Types(0),
        properties: Vec::new(),
        required: Vec::new(),
        additional: Additional::Any,
        items: None,
        allowed: Vec::new(),
        format: None,
        pattern: None,
        limits: None,
        any_of: Vec::new(),
        all_of: Vec::new(),
        history: FieldHistory {
            since: 0,
            removed: None,
        },
        default: None,
        description: String::new(),
    };

    /// The rule of a listed field.
    pub fn property(&self, name: &str) -> Option<&SchemaRule> {
        let at = self
            .properties
            .binary_search_by(|(known, _)| (**known).cmp(name))
            .ok()?;
        Some(&self.properties[at].1)
    }

    /// Notes which versions have the fields, and adds those that the newest no longer has.
    pub fn add_history(&mut self, fields: &[(String, FieldHistory)]) {
        for (name, history) in fields {
            match self
                .properties
                .binary_search_by(|(known, _)| (**known).cmp(name))
            {
                Ok(at) => self.properties[at].1.history = *history,
                Err(at) => {
                    let rule = SchemaRule {
                        history: *history,
                        ..SchemaRule::ANYTHING
                    };
                    self.properties.insert(at, (name.as_str().into(), rule));
                }
            }
        }
    }
}

/// A set of types; empty for all.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Types(pub u8);

impl Types {
    /// `null`.
    pub const NULL: u8 = 1;
    /// `boolean`.
    pub const BOOLEAN: u8 = 2;
    /// `integer`.
    pub const INTEGER: u8 = 4;
    /// `number`.
    pub const NUMBER: u8 = 8;
    /// `string`.
    pub const STRING: u8 = 16;
    /// `array`.
    pub const ARRAY: u8 = 32;
    /// `object`.
    pub const OBJECT: u8 = 64;

    /// Whether a type is in the set.
    pub fn allows(self, kind: u8) -> bool {
        self.0 == 0 || self.0 & kind != 0 || (kind == Types::INTEGER && self.0 & Types::NUMBER != 0)
    }

    /// `text or a whole number`, for people.
    pub fn expected(self) -> String {
        let names: Vec<&str> = [
            (Types::STRING, "text"),
            (Types::INTEGER, "a whole number"),
            (Types::NUMBER, "a number"),
            (Types::BOOLEAN, "true or false"),
            (Types::ARRAY, "a list"),
            (Types::OBJECT, "a map"),
        ]
        .into_iter()
        .filter(|(kind, _)| self.0 & kind != 0)
        .filter(|(kind, _)| *kind != Types::INTEGER || self.0 & Types::NUMBER == 0)
        .map(|(_, name)| name)
        .collect();
        names.join(" or ")
    }
}

/// What holds for fields that are not listed.
#[derive(Debug, Default)]
pub enum Additional {
    /// They are allowed.
    #[default]
    Any,
    /// They are not.
    No,
    /// They must meet a rule.
    Rule(Box<SchemaRule>),
}

/// Bounds of numbers, texts and lists.
#[derive(Debug, Default)]
pub struct ValueBounds {
    /// Least number.
    pub minimum: Option<f64>,
    /// Greatest number.
    pub maximum: Option<f64>,
    /// Least length or count.
    pub min_length: Option<usize>,
    /// Greatest length or count.
    pub max_length: Option<usize>,
}

/// Compiles a schema; what it does not know, it does not judge.
pub fn compile(json: &Json, set: &SchemaSet, strict: bool) -> SchemaRule {
    let Some(schema) = json.as_object() else {
        return SchemaRule::default();
    };
    if let Some(reference) = schema.get("$ref").and_then(Json::as_str) {
        let name = reference.rsplit('/').next().unwrap_or(reference);
        let description = text(json, "description");
        return SchemaRule {
            reference: set.index(name),
            description,
            ..SchemaRule::default()
        };
    }
    let flag = |name: &str| schema.get(name).and_then(Json::as_bool).unwrap_or(false);
    let list = |name: &str| {
        schema
            .get(name)
            .and_then(Json::as_array)
            .map_or(&[][..], Vec::as_slice)
    };
    let mut rule = SchemaRule {
        types: types(schema.get("type")),
        required: list("required")
            .iter()
            .filter_map(Json::as_str)
            .map(Into::into)
            .collect(),
        items: schema
            .get("items")
            .filter(|items| items.is_object())
            .map(|items| Box::new(compile(items, set, strict))),
        allowed: list("enum").to_vec(),
        format: schema.get("format").and_then(Json::as_str).map(Into::into),
        pattern: schema
            .get("pattern")
            .and_then(Json::as_str)
            .and_then(pattern),
        limits: limits(json),
        all_of: list("allOf")
            .iter()
            .map(|part| compile(part, set, strict))
            .collect(),
        default: schema
            .get("default")
            .map(|default| Box::new(Node::from_json(default))),
        description: text(json, "description"),
        ..SchemaRule::default()
    };
    if let Some(constant) = schema.get("const") {
        rule.allowed.push(constant.clone());
    }
    if let Some(properties) = schema.get("properties").and_then(Json::as_object) {
        rule.properties = properties
            .iter()
            .map(|(name, property)| (name.as_str().into(), compile(property, set, strict)))
            .collect();
        rule.properties.sort_by(|(a, _), (b, _)| a.cmp(b));
    }
    let open =
        flag("x-kubernetes-preserve-unknown-fields") || flag("x-kubernetes-embedded-resource");
    rule.additional = match schema.get("additionalProperties") {
        Some(Json::Bool(false)) => Additional::No,
        Some(value @ Json::Object(_)) => Additional::Rule(Box::new(compile(value, set, strict))),
        None if strict && !open && !rule.properties.is_empty() => Additional::No,
        _ => Additional::Any,
    };
    // A dump of version 2 calls it text of this format, one of version 3 a choice.
    let int_or_string =
        flag("x-kubernetes-int-or-string") || rule.format.as_deref() == Some("int-or-string");
    if int_or_string {
        rule.types = Types(Types::INTEGER | Types::STRING);
    }
    if flag("nullable") && rule.types.0 != 0 {
        rule.types.0 |= Types::NULL;
    }
    // `int-or-string` repeats itself as an anyOf, and structural schemas use it for validation only.
    if !int_or_string {
        let choices = if list("anyOf").is_empty() {
            list("oneOf")
        } else {
            list("anyOf")
        };
        choose(&mut rule, choices, set, strict);
    }
    rule
}

/// Takes in a choice: `anyOf: [X, null]` is X, a choice of constants is a list of allowed values.
fn choose(rule: &mut SchemaRule, choices: &[Json], set: &SchemaSet, strict: bool) {
    let choices: Vec<&Json> = choices
        .iter()
        .filter(|choice| choice["type"] != "null")
        .collect();
    let constants = || choices.iter().map(|choice| choice.get("const").cloned());
    if !choices.is_empty() && constants().all(|constant| constant.is_some()) {
        rule.allowed.extend(constants().flatten());
        return;
    }
    // Some documented constants come one by one, others as an enum.
    if !choices.is_empty()
        && choices
            .iter()
            .all(|choice| choice.get("const").is_some() || choice.get("enum").is_some())
    {
        for choice in &choices {
            rule.allowed.extend(choice.get("const").cloned());
            rule.allowed.extend(
                choice
                    .get("enum")
                    .and_then(Json::as_array)
                    .into_iter()
                    .flatten()
                    .cloned(),
            );
        }
        return;
    }
    match choices.as_slice() {
        [] => {}
        [only] if rule.types.0 == 0 && rule.properties.is_empty() => {
            let description = std::mem::take(&mut rule.description);
            *rule = compile(only, set, strict);
            if !description.is_empty() {
                rule.description = description;
            }
        }
        // Branches add conditions to the fields that are listed outside, so they are not strict.
        several => {
            rule.any_of = several
                .iter()
                .map(|choice| compile(choice, set, false))
                .collect();
        }
    }
}

fn types(json: Option<&Json>) -> Types {
    let bit = |name: &Json| match name.as_str() {
        Some("null") => Types::NULL,
        Some("boolean") => Types::BOOLEAN,
        Some("integer") => Types::INTEGER,
        Some("number") => Types::NUMBER,
        Some("string") => Types::STRING,
        Some("array") => Types::ARRAY,
        Some("object") => Types::OBJECT,
        _ => 0,
    };
    match json {
        Some(Json::Array(names)) => Types(names.iter().map(bit).fold(0, |all, one| all | one)),
        Some(name) => Types(bit(name)),
        None => Types(0),
    }
}

fn limits(json: &Json) -> Option<Box<ValueBounds>> {
    let number = |name: &str| json.get(name).and_then(Json::as_f64);
    let count = |names: [&str; 2]| {
        names
            .iter()
            .find_map(|name| json.get(*name).and_then(Json::as_u64))
            .and_then(|count| usize::try_from(count).ok())
    };
    // Bounds that every integer of its format meets are dropped.
    let limits = ValueBounds {
        minimum: number("minimum"),
        maximum: number("maximum"),
        min_length: count(["minLength", "minItems"]).filter(|least| *least > 0),
        max_length: count(["maxLength", "maxItems"]),
    };
    let bounded = limits.minimum.is_some()
        || limits.maximum.is_some()
        || limits.min_length.is_some()
        || limits.max_length.is_some();
    // An empty map of named things is as good as none, so its count is judged as a length, too.
    let properties = json
        .get("minProperties")
        .and_then(Json::as_u64)
        .filter(|least| *least > 0);
    match (bounded, properties) {
        (true, _) => Some(Box::new(limits)),
        (false, Some(least)) => Some(Box::new(ValueBounds {
            min_length: usize::try_from(least).ok(),
            ..limits
        })),
        (false, None) => None,
    }
}

fn text(json: &Json, key: &str) -> String {
    json.get(key)
        .and_then(Json::as_str)
        .unwrap_or_default()
        .to_owned()
}

/// A pattern of a schema; those that the engine cannot run in linear time are not judged.
fn pattern(source: &str) -> Option<Box<regex::Regex>> {
    regex::RegexBuilder::new(source)
        .size_limit(1 << 20)
        .build()
        .ok()
        .map(Box::new)
}
