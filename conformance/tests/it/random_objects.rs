//! Objects of all kinds with random values, valid and invalid: whatever comes, nothing panics.
//!
//! `RANDOM_OBJECTS=100000 cargo test -p conformance random_objects` makes more than by default.

use std::collections::BTreeMap;

use serde_json::{Map, Value as Json, json};
use tenantry::engine::schema::{self, Strictness};
use tenantry::engine::view::View;
use tenantry::kubernetes::schemas::built_in;
use tenantry::validation::admission::{self, Namespace};
use tenantry::validation::{self, KnownKind, RuleSet};
use tenantry::yaml::Node;

use crate::support::repository_path;

/// Texts that have a form somewhere, or nearly one.
const TEXTS: &[&str] = &[
    "",
    "a",
    "web",
    "Web",
    "a.b",
    "a b",
    "-a",
    "a-",
    "app.kubernetes.io/name",
    "a/b/c",
    "a//b",
    "0",
    "1",
    "-1",
    "80",
    "8080",
    "100m",
    "1Gi",
    "1.5",
    "1e3",
    "1e99",
    "0x1",
    "-0",
    "+1",
    "25%",
    "150%",
    "%",
    "10.0.0.1",
    "fd00::1",
    "::ffff:10.0.0.1",
    "10.0.0.0/8",
    "fd00::/64",
    "10.0.0.1/33",
    "0 3 * * *",
    "@daily",
    "@every 1h",
    "TZ=UTC 0 3 * * *",
    "*/0 * * * *",
    "Europe/Berlin",
    "Local",
    "2027-01-31T08:00:00Z",
    "30s",
    "1h30m",
    "TCP",
    "Always",
    "Never",
    "In",
    "Exists",
    "NotIn",
    "RollingUpdate",
    "Indexed",
    "Localhost",
    "metadata.labels['a']",
    "metadata.labels['']",
    "metadata.labels[",
    "limits.cpu",
    "/",
    "/a/../b",
    "../a",
    "a/../../b",
    "\u{0}",
    "ä",
    "日本語",
    "🦀",
    "'",
    "\"",
    "\\",
    "..",
    ".",
    "*",
    "*.acme.example",
    "https://acme.example",
    "aGVsbG8=",
    "a=b",
    "hugepages-2Mi",
    "nvidia.com/gpu",
    "requests.cpu",
    "kubernetes.io/x",
    "0-4,7",
    "3-1",
    "9999999999999999999",
    "-9223372036854775808",
    "container.apparmor.security.beta.kubernetes.io/",
    "xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx",
];
const NUMBERS: &[i64] = &[
    0,
    1,
    -1,
    2,
    80,
    255,
    256,
    511,
    512,
    600,
    8080,
    65_535,
    65_536,
    100_000,
    i32::MAX as i64,
    i32::MIN as i64,
    i64::MAX,
    i64::MIN,
];

struct Random(u64);

impl Random {
    fn below(&mut self, bound: usize) -> usize {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        usize::try_from(self.0 % u64::try_from(bound.max(1)).unwrap()).unwrap()
    }

    fn of<'a, T>(&mut self, items: &'a [T]) -> &'a T {
        &items[self.below(items.len())]
    }

    /// A value that has nothing to do with any schema.
    fn anything(&mut self) -> Json {
        match self.below(8) {
            0 => Json::Null,
            1 => json!(self.below(2) == 0),
            2 => json!(*self.of(NUMBERS)),
            3 => json!(0.5),
            4 => json!([self.of(TEXTS)]),
            5 => json!({*self.of(TEXTS): self.of(TEXTS)}),
            _ => json!(self.of(TEXTS)),
        }
    }

    /// A value of a schema, most of the time.
    fn value(&mut self, schema: &Json, definitions: &Map<String, Json>, depth: usize) -> Json {
        if self.below(60) == 0 {
            return self.anything();
        }
        if let Some(reference) = schema["$ref"].as_str() {
            let name = reference.rsplit('/').next().unwrap();
            return self.value(&definitions[name], definitions, depth);
        }
        if let Some(properties) = schema["properties"].as_object() {
            let mut map = Map::new();
            let required = schema["required"].as_array().map_or(&[][..], Vec::as_slice);
            // Deeper values have fewer fields, so that objects end.
            let odds = 2 + depth * properties.len() / 8;
            for (name, property) in properties {
                let is_required = required.iter().any(|required| required == name);
                let is_there = if is_required {
                    self.below(20) > 0
                } else {
                    self.below(odds) == 0
                };
                if is_there && depth < 14 && (name != "status") {
                    map.insert(name.clone(), self.value(property, definitions, depth + 1));
                }
            }
            return map.into();
        }
        match schema["type"].as_str() {
            Some("array") => {
                let count = self.below(4);
                (0..count)
                    .map(|_| self.value(&schema["items"], definitions, depth + 1))
                    .collect()
            }
            Some("object") => {
                let mut map = Map::new();
                for _ in 0..self.below(3) {
                    let key = (*self.of(TEXTS)).to_owned();
                    map.insert(
                        key,
                        self.value(&schema["additionalProperties"], definitions, depth + 1),
                    );
                }
                map.into()
            }
            Some("boolean") => json!(self.below(2) == 0),
            Some("integer") => json!(*self.of(NUMBERS)),
            Some("number") => json!(1.5),
            Some("string") => json!(self.of(TEXTS)),
            _ => self.anything(),
        }
    }
}

#[test]
fn random_objects_do_not_panic() {
    let wanted = std::env::var("RANDOM_OBJECTS").ok();
    let wanted: usize = wanted.and_then(|text| text.parse().ok()).unwrap_or(2_000);
    let text =
        std::fs::read_to_string(repository_path("crates/kubernetes/schemas/kubernetes.json"))
            .unwrap();
    let file: Json = serde_json::from_str(&text).unwrap();
    let definitions = file["definitions"].as_object().unwrap();
    let kinds: BTreeMap<&str, &str> = file["kinds"]
        .as_object()
        .unwrap()
        .iter()
        .map(|(kind, definition)| (kind.as_str(), definition.as_str().unwrap()))
        .collect();
    let kinds: Vec<(&str, &str)> = kinds.into_iter().collect();
    let mut random = Random(0x9e37_79b9_7f4a_7c15);
    let mut refused = 0;
    for at in 0..wanted {
        let (kind, definition) = kinds[at % kinds.len()];
        let (api_version, name) = kind.rsplit_once('/').unwrap();
        let mut sides = Vec::new();
        for _ in 0..2 {
            let mut object = random.value(&definitions[definition], definitions, 0);
            if let Some(map) = object.as_object_mut() {
                map.insert("apiVersion".to_owned(), api_version.into());
                map.insert("kind".to_owned(), name.into());
            }
            sides.push(Node::from_json(&object));
        }
        let [new, old] = [View::of(&sides[0]), View::of(&sides[1])];
        let (rule, set) = built_in().find(api_version, name).unwrap();
        let _ = schema::check(new, rule, set, Strictness::Whole);
        let known = KnownKind::BuiltIn(definition);
        refused += usize::from(!validation::check(new, known, None, RuleSet::All).is_empty());
        let _ = validation::check(new, known, Some(old), RuleSet::All);
        let _ = validation::check(old, known, Some(old), RuleSet::Transitions);
        let namespace = Namespace::among([new, old], "", 36);
        let _ = admission::refusals(new, &namespace);
    }
    assert!(
        refused > wanted / 2,
        "only {refused} of {wanted} are refused"
    );
}
