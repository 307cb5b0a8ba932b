//! Overlays: what holds for the values of a type, compiled from data.

use std::collections::HashMap;
use std::sync::{Arc, LazyLock, OnceLock};

use serde_json::{Map, Value as Json};

use super::checks::{self, FormatCheck};
use super::forms::{self, FormatName};
use super::rule::{CrdRule, RulePath, Sees, Variables};
use tenantry_kubernetes::schemas::{ObjectSchemas, built_in};
use tenantry_syntax::yaml;

/// What holds for the values of one place.
#[derive(Debug, Default)]
pub struct Overlay {
    /// The definition that holds, too.
    pub(super) reference: Option<usize>,
    /// Fields that must be there.
    pub(super) required: Vec<Box<str>>,
    /// Values that are allowed, if not all.
    pub(super) allowed: Vec<Json>,
    pub(super) form: Option<&'static FormatName>,
    pub(super) pattern: Option<Box<regex::Regex>>,
    pub(super) bounds: Option<Box<Bounds>>,
    pub(super) list: ListType,
    /// What holds for the keys of a map.
    pub(super) keys: Option<Box<Overlay>>,
    /// What holds for fields, sorted by name.
    pub(super) properties: Vec<(Box<str>, Overlay)>,
    pub(super) additional: Option<Box<Overlay>>,
    pub(super) items: Option<Box<Overlay>>,
    pub(super) rules: Vec<CrdRule>,
    /// The places below that rules are meant for.
    pub(super) branches: Vec<Branch>,
    /// What the expression language cannot say.
    pub(super) checks: Vec<FormatCheck>,
    pub(super) variables: Arc<Variables>,
}

/// Bounds of numbers, texts, lists and maps.
#[derive(Debug, Default)]
pub struct Bounds {
    pub(super) minimum: Option<f64>,
    pub(super) maximum: Option<f64>,
    pub(super) above: Option<f64>,
    pub(super) below: Option<f64>,
    pub(super) multiple_of: Option<f64>,
    /// Least and greatest length of a text, in characters.
    pub(super) length: (Option<usize>, Option<usize>),
    pub(super) items: (Option<usize>, Option<usize>),
    pub(super) properties: (Option<usize>, Option<usize>),
}

/// A step below a place, and the rules that are meant for where it leads.
#[derive(Debug)]
pub struct Branch {
    pub(super) way: RulePath,
    /// The rules for this place, by position.
    pub(super) rules: Vec<usize>,
    pub(super) below: Vec<Branch>,
    /// All rules for this place and those below.
    pub(super) all: Vec<usize>,
}

impl Branch {
    /// Adds a rule at the end of a way.
    fn add(branches: &mut Vec<Branch>, ways: &[RulePath], rule: usize) {
        let Some((way, rest)) = ways.split_first() else {
            return;
        };
        let known = branches.iter().position(|branch| branch.way == *way);
        let at = known.unwrap_or_else(|| {
            branches.push(Branch {
                way: way.clone(),
                rules: Vec::new(),
                below: Vec::new(),
                all: Vec::new(),
            });
            branches.len() - 1
        });
        let branch = &mut branches[at];
        branch.all.push(rule);
        if rest.is_empty() {
            branch.rules.push(rule);
        } else {
            Branch::add(&mut branch.below, rest, rule);
        }
    }
}

/// How the items of a list are told apart.
#[derive(Debug, Default)]
pub enum ListType {
    /// By nothing.
    #[default]
    Atomic,
    /// No value may be there twice.
    Set,
    /// No two items may have the same keys.
    Map(Vec<Box<str>>),
}

/// Where a schema comes from.
#[derive(Clone, Copy, PartialEq, Eq)]
enum SchemaOrigin {
    /// The data of this crate.
    BuiltIn,
    /// A CRD: types, enumerations, patterns and simple bounds are judged by `schema`.
    Crd { is_root: bool },
}

impl Overlay {
    /// Whether it says nothing but what a scalar alone decides.
    pub(super) fn is_of_scalars(&self) -> bool {
        self.reference.is_none()
            && self.properties.is_empty()
            && self.additional.is_none()
            && self.items.is_none()
            && self.rules.is_empty()
            && self.checks.is_empty()
    }

    /// Whether nothing holds.
    fn is_empty(&self) -> bool {
        self.reference.is_none()
            && self.required.is_empty()
            && self.allowed.is_empty()
            && self.form.is_none()
            && self.pattern.is_none()
            && self.bounds.is_none()
            && matches!(self.list, ListType::Atomic)
            && self.keys.is_none()
            && self.properties.is_empty()
            && self.additional.is_none()
            && self.items.is_none()
            && self.rules.is_empty()
            && self.checks.is_empty()
    }

    /// Whether there are rules here or below.
    pub(super) fn has_rules(&self) -> bool {
        let below = self.properties.iter().map(|(_, overlay)| overlay);
        let mut below = below
            .chain(self.items.as_deref())
            .chain(self.additional.as_deref());
        !self.rules.is_empty() || below.any(Overlay::has_rules)
    }

    /// What holds for a field.
    pub(super) fn property(&self, name: &str) -> Option<&Overlay> {
        let at = self
            .properties
            .binary_search_by(|(known, _)| (**known).cmp(name))
            .ok()?;
        Some(&self.properties[at].1)
    }

    /// What a custom resource must meet beyond its schema; nothing for kinds of Kubernetes' own.
    pub fn of_custom<'a>(
        schemas: &'a ObjectSchemas,
        api_version: &str,
        kind: &str,
    ) -> Option<&'a Overlay> {
        schemas.compiled(api_version, kind, Overlay::of_crd)
    }

    /// What the schema of a CRD's version says beyond types.
    pub fn of_crd(schema: &Json) -> Overlay {
        compile(
            &Json::Null,
            schema,
            SchemaOrigin::Crd { is_root: true },
            &mut Vec::new(),
        )
    }
}

/// The data of this crate: definitions by name, each compiled when it is used.
struct OverlayData {
    names: HashMap<&'static str, usize>,
    definitions: Vec<(&'static str, OnceLock<Overlay>)>,
    texts: HashMap<&'static str, &'static str>,
}

/// The files of `tables/validation/`.
const FILES: &[(&str, &str)] = include!(concat!(env!("OUT_DIR"), "/tables_validation.rs"));

static LIBRARY: LazyLock<OverlayData> = LazyLock::new(|| {
    let mut library = OverlayData {
        names: HashMap::new(),
        definitions: Vec::new(),
        texts: HashMap::new(),
    };
    for name in built_in().definitions() {
        library.names.insert(name, library.definitions.len());
        library.definitions.push((name, OnceLock::new()));
    }
    for (_, text) in FILES {
        let mut lines = text.lines();
        if let Some(name) = lines.find_map(|line| line.strip_prefix("definition: ")) {
            let name = name.trim();
            library.texts.insert(name, text);
            library.names.entry(name).or_insert_with(|| {
                library.definitions.push((name, OnceLock::new()));
                library.definitions.len() - 1
            });
        }
    }
    library
});

/// The overlay of a definition, by its position.
pub(super) fn definition(at: usize) -> &'static Overlay {
    static NOTHING: LazyLock<Overlay> = LazyLock::new(Overlay::default);
    let Some((name, overlay)) = LIBRARY.definitions.get(at) else {
        return &NOTHING;
    };
    overlay.get_or_init(|| compile_definition(name, &mut Vec::new()))
}

/// The overlay of a definition.
pub(super) fn named(name: &str) -> Option<&'static Overlay> {
    LIBRARY.names.get(name).map(|at| definition(*at))
}

fn compile_definition(name: &str, problems: &mut Vec<String>) -> Overlay {
    let structure = built_in().definition_source(name);
    let structure = structure.and_then(|text| serde_json::from_str(text).ok());
    let overlay = match LIBRARY.texts.get(name) {
        Some(text) => schema_of(text, problems),
        None => Json::Null,
    };
    let structure = structure.unwrap_or(Json::Null);
    compile(&structure, &overlay, SchemaOrigin::BuiltIn, problems)
}

fn schema_of(text: &str, problems: &mut Vec<String>) -> Json {
    document(text, problems)["schema"].take()
}

/// The document of a file.
pub(super) fn document(text: &str, problems: &mut Vec<String>) -> Json {
    let parsed = yaml::parse::parse(text, u32::MAX);
    for (_, problem) in &parsed.problems {
        problems.push(format!("{problem:?}"));
    }
    let document = parsed.documents.into_iter().next();
    document.map_or(Json::Null, |document| document.to_json())
}

/// The overlay of rules that belong to no definition.
pub(super) fn of_data(schema: &Json, problems: &mut Vec<String>) -> Overlay {
    compile(&Json::Null, schema, SchemaOrigin::BuiltIn, problems)
}

/// What is wrong with the data itself: for the test of it.
pub fn problems() -> Vec<String> {
    let mut all = super::admission::problems();
    for (path, text) in FILES {
        let mut found = Vec::new();
        let mut lines = text.lines();
        let name = lines.find_map(|line| line.strip_prefix("definition: "));
        match name.filter(|name| LIBRARY.names.contains_key(name.trim())) {
            Some(name) => {
                let overlay = compile_definition(name.trim(), &mut found);
                overlay.compile_rules(&mut found);
            }
            None => found.push("there is no such definition".to_owned()),
        }
        all.extend(
            found
                .into_iter()
                .map(|problem| format!("{path}: {problem}")),
        );
    }
    all
}

const KEYWORDS: &[&str] = &[
    "required",
    "enum",
    "format",
    "pattern",
    "minimum",
    "maximum",
    "exclusiveMinimum",
    "exclusiveMaximum",
    "multipleOf",
    "minLength",
    "maxLength",
    "minItems",
    "maxItems",
    "minProperties",
    "maxProperties",
    "propertyNames",
    "properties",
    "additionalProperties",
    "items",
    "x-kubernetes-list-type",
    "x-kubernetes-list-map-keys",
    "x-kubernetes-validations",
    "x-kubernetes-variables",
    "x-kubernetes-checks",
];

/// Compiles the keywords of `schema` on the structure of a definition.
fn compile(
    structure: &Json,
    schema: &Json,
    origin: SchemaOrigin,
    problems: &mut Vec<String>,
) -> Overlay {
    if structure.is_null() && schema.is_null() {
        return Overlay::default();
    }
    let is_own = origin == SchemaOrigin::BuiltIn;
    let empty = Map::new();
    let keywords = schema.as_object().unwrap_or(&empty);
    if is_own
        && let Some(key) = keywords
            .keys()
            .find(|key| !KEYWORDS.contains(&key.as_str()))
    {
        problems.push(format!("unknown keyword `{key}`"));
    }
    let variables = Arc::new(Variables::new(&schema["x-kubernetes-variables"]));
    let mut overlay = Overlay {
        reference: structure["$ref"].as_str().and_then(|reference| {
            let name = reference.rsplit('/').next().unwrap_or(reference);
            LIBRARY.names.get(name).copied()
        }),
        bounds: bounds(schema, origin),
        list: match schema["x-kubernetes-list-type"].as_str() {
            Some("set") => ListType::Set,
            Some("map") => ListType::Map(texts(&schema["x-kubernetes-list-map-keys"])),
            _ => ListType::Atomic,
        },
        rules: list(&schema["x-kubernetes-validations"])
            .iter()
            .filter_map(|rule| {
                let is_old_optional = rule["optionalOldSelf"] == Json::Bool(true);
                let sees = match origin {
                    SchemaOrigin::BuiltIn => Sees::Own(Arc::clone(&variables)),
                    SchemaOrigin::Crd { is_root } => Sees::crd(schema, is_root, is_old_optional),
                };
                CrdRule::new(rule, &sees)
                    .map_err(|why| problems.push(why))
                    .ok()
            })
            .collect(),
        variables,
        ..Overlay::default()
    };
    for (at, rule) in overlay.rules.iter().enumerate() {
        for ways in &rule.places {
            Branch::add(&mut overlay.branches, ways, at);
        }
    }
    if let Some(name) = schema["format"].as_str() {
        overlay.form = if is_own {
            forms::find(name)
        } else {
            forms::of_crd(name)
        };
        if is_own && overlay.form.is_none() {
            problems.push(format!("unknown form `{name}`"));
        }
    }
    if is_own {
        keywords_of_ours(&mut overlay, structure, schema, problems);
    }
    let origin = match origin {
        SchemaOrigin::BuiltIn => origin,
        SchemaOrigin::Crd { .. } => SchemaOrigin::Crd { is_root: false },
    };
    let mut below = |key: &str| {
        let found = compile(&structure[key], &schema[key], origin, problems);
        (!found.is_empty()).then(|| Box::new(found))
    };
    overlay.items = below("items");
    overlay.additional = below("additionalProperties");
    let no_fields = Map::new();
    let known = structure["properties"].as_object().unwrap_or(&no_fields);
    let added = schema["properties"].as_object().unwrap_or(&no_fields);
    let inherits = structure.get("$ref").is_some();
    let mut names: Vec<&String> = known.keys().chain(added.keys()).collect();
    names.sort_unstable();
    names.dedup();
    for name in names {
        if is_own && !inherits && known.get(name).is_none() && !known.is_empty() {
            problems.push(format!("there is no field `{name}`"));
        }
        let structure = known.get(name).unwrap_or(&Json::Null);
        let schema = added.get(name).unwrap_or(&Json::Null);
        let property = compile(structure, schema, origin, problems);
        if !property.is_empty() {
            overlay.properties.push((name.as_str().into(), property));
        }
    }
    overlay
}

/// The keywords that only the data of this crate may have.
fn keywords_of_ours(
    overlay: &mut Overlay,
    structure: &Json,
    schema: &Json,
    problems: &mut Vec<String>,
) {
    for name in texts(&schema["x-kubernetes-checks"]) {
        match checks::find(&name) {
            Some(check) => overlay.checks.push(check),
            None => problems.push(format!("unknown check `{name}`")),
        }
    }
    let known = texts(&structure["required"]);
    overlay.required = texts(&schema["required"]);
    overlay.required.retain(|name| !known.contains(name));
    overlay.allowed = list(&schema["enum"]);
    overlay.pattern = schema["pattern"].as_str().and_then(|pattern| {
        let pattern = regex::Regex::new(pattern);
        pattern
            .map_err(|error| problems.push(error.to_string()))
            .ok()
            .map(Box::new)
    });
    if schema["propertyNames"].is_object() {
        let keys = compile(
            &Json::Null,
            &schema["propertyNames"],
            SchemaOrigin::BuiltIn,
            problems,
        );
        overlay.keys = Some(Box::new(keys));
    }
}

fn list(json: &Json) -> Vec<Json> {
    json.as_array().cloned().unwrap_or_default()
}

fn texts(json: &Json) -> Vec<Box<str>> {
    let list = json.as_array().map_or(&[][..], Vec::as_slice);
    list.iter()
        .filter_map(Json::as_str)
        .map(Into::into)
        .collect()
}

fn bounds(schema: &Json, origin: SchemaOrigin) -> Option<Box<Bounds>> {
    let is_own = origin == SchemaOrigin::BuiltIn;
    let number = |name: &str| schema[name].as_f64();
    let count = |name: &str| {
        schema[name]
            .as_u64()
            .and_then(|count| usize::try_from(count).ok())
    };
    // OpenAPI 3.0 has flags beside the bounds, JSON Schema has numbers.
    let is_exclusive = |name: &str| schema[name].as_bool() == Some(true);
    let exclusive = |flag: &str, bound: &str| match schema[flag].as_f64() {
        Some(number) => Some(number),
        None if is_exclusive(flag) => number(bound),
        None => None,
    };
    let mut bounds = Bounds {
        above: exclusive("exclusiveMinimum", "minimum"),
        below: exclusive("exclusiveMaximum", "maximum"),
        multiple_of: number("multipleOf"),
        properties: (count("minProperties"), count("maxProperties")),
        ..Bounds::default()
    };
    if is_own {
        bounds.minimum = number("minimum");
        bounds.maximum = number("maximum");
        bounds.length = (count("minLength"), count("maxLength"));
        bounds.items = (count("minItems"), count("maxItems"));
    }
    let numbers = [
        bounds.above,
        bounds.below,
        bounds.multiple_of,
        bounds.minimum,
        bounds.maximum,
    ];
    let counts = [bounds.length, bounds.items, bounds.properties];
    let is_bounded = numbers.iter().any(Option::is_some)
        || counts
            .iter()
            .any(|(least, most)| least.is_some() || most.is_some());
    is_bounded.then(|| Box::new(bounds))
}

impl Overlay {
    /// Compiles all rules at and below this place, for their problems.
    pub(super) fn compile_rules(&self, problems: &mut Vec<String>) {
        problems.extend(self.rules.iter().filter_map(CrdRule::problem));
        problems.extend(self.variables.problems());
        let below = self.properties.iter().map(|(_, overlay)| overlay);
        let below = below
            .chain(self.items.as_deref())
            .chain(self.additional.as_deref());
        for overlay in below.chain(self.keys.as_deref()) {
            overlay.compile_rules(problems);
        }
    }
}

#[cfg(test)]
mod tests {
    /// Every file is of a definition that exists, and all its forms, fields and expressions are known.
    #[test]
    fn the_data_is_sound() {
        let problems = super::problems();
        assert!(problems.is_empty(), "{problems:#?}");
    }
}
