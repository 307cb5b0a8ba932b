//! Objects as the API server has them once it has read them into its types: fields that a type does not have are
//! gone, and so is what is null or empty. What it fills in besides comes from the tree that expressions see.

use tenantry_engine::schema::{Additional, SchemaRule, SchemaSet};
use tenantry_engine::view::View;
use tenantry_kubernetes::schemas::built_in;
use tenantry_syntax::yaml::{Entry, Node, Value as Yaml};

/// The type of amounts, which the API server writes as text.
const QUANTITY: &str = "io.k8s.apimachinery.pkg.api.resource.Quantity";

/// Lists without `omitempty` that their schemas do not require: those of roles and of projected volumes.
const KEPT_EMPTY: [&str; 2] = ["rules", "sources"];

/// An object as its type has it; one of a kind that is not built in stays as it is.
pub fn typed(object: &Node) -> Node {
    let view = View::of(object);
    let (version, kind) = (view.api_version(), view.object_kind());
    match built_in().find(&version, &kind) {
        Some((rule, set)) => of_type(object, rule, set),
        None => object.clone(),
    }
}

fn of_type(node: &Node, rule: &SchemaRule, set: &SchemaSet) -> Node {
    let is_amount = rule.reference.is_some() && rule.reference == set.index(QUANTITY);
    let rule = set.follow(rule);
    let value = match &node.value {
        Yaml::Map(map) => {
            let entries = map.entries.iter().filter_map(|entry| {
                let value = field(&entry.key, &entry.value, rule, set)?;
                Some(Entry {
                    value,
                    ..entry.clone()
                })
            });
            return Node::map(node.id, entries.collect());
        }
        Yaml::List(items) => match &rule.items {
            Some(rule) => Yaml::List(items.iter().map(|item| of_type(item, rule, set)).collect()),
            None => node.value.clone(),
        },
        Yaml::Int(number) if is_amount => Yaml::String(number.to_string().into()),
        other => other.clone(),
    };
    Node::new(node.id, value)
}

/// Whether a value is left out because it is empty: lists, and maps of any keys. A struct that is there counts.
fn is_omitted(value: &Node, rule: &SchemaRule) -> bool {
    match &value.value {
        Yaml::List(items) => items.is_empty(),
        Yaml::Map(map) => {
            map.entries.is_empty()
                && rule.properties.is_empty()
                && matches!(rule.additional, Additional::Rule(_))
        }
        _ => false,
    }
}

/// What a field is in its type; nothing if the type does not have it, or nothing is in it.
fn field(key: &str, value: &Node, rule: &SchemaRule, set: &SchemaSet) -> Option<Node> {
    let is_kept = KEPT_EMPTY.contains(&key) || rule.required.iter().any(|known| **known == *key);
    let own = rule.property(key).map(|rule| set.follow(rule));
    if value.is_null() || !is_kept && own.is_some_and(|own| is_omitted(value, own)) {
        return None;
    }
    match (rule.property(key), &rule.additional) {
        (Some(rule), _) => Some(of_type(value, rule, set)),
        (None, Additional::Rule(rule)) => Some(of_type(value, rule, set)),
        (None, Additional::Any) => Some(value.clone()),
        (None, Additional::No) => None,
    }
}
