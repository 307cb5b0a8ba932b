//! The table of `tables/defaults/`, compiled: what each type of Kubernetes' API keeps and is filled with.

use std::collections::HashMap;
use std::sync::LazyLock;

use super::rules::{Computed, computed};
use crate::schemas::built_in;
use tenantry_engine::schema::{SchemaRule, SchemaSet};
use tenantry_engine::view::View;
use tenantry_syntax::yaml::{self, Node};

/// One file for each API group: path, and text.
const FILES: &[(&str, &str)] = include!(concat!(env!("OUT_DIR"), "/tables_defaults.rs"));

/// The fields that are stored though they are zero.
const KEPT: &str = "$kept";
/// What items of a list are filled with.
const EACH: &str = "$each";

/// What the fields of a type, or of one place in a kind, are filled with.
#[derive(Debug, Default)]
pub struct Fills {
    kept: Vec<&'static str>,
    /// Sorted by key.
    fields: Vec<(&'static str, Fill)>,
    /// What each item of a list is filled with.
    pub each: Option<Box<Fills>>,
}

/// What one field is filled with.
#[derive(Debug)]
pub enum Fill {
    /// A value.
    Value(View<'static>),
    /// A map, made if it is missing, whose own fields are filled.
    Map(Fills),
    /// The items of a list that is written.
    Items(Fills),
    /// What a function makes of the fields beside it, even where something is written.
    Computed(Computed, &'static str),
    /// It depends on the fields beside it.
    If(
        Vec<(&'static str, Vec<FieldCondition>)>,
        Box<Fill>,
        Option<Box<Fill>>,
    ),
}

/// What a field beside must be.
#[derive(Debug)]
pub enum FieldCondition {
    /// Not written.
    Unset,
    /// Written.
    Set,
    /// This text.
    Text(&'static str),
    /// This truth value.
    Bool(bool),
}

impl Fills {
    /// What a field is filled with.
    pub fn field(&self, key: &str) -> Option<&Fill> {
        let at = self.fields.binary_search_by(|(known, _)| (*known).cmp(key));
        Some(&self.fields[at.ok()?].1)
    }

    /// The fields that are filled.
    pub fn keys(&self) -> impl Iterator<Item = &'static str> {
        self.fields.iter().map(|(key, _)| *key)
    }

    /// Whether a field is stored though it is zero.
    pub fn keeps(&self, key: &str) -> bool {
        self.kept.contains(&key)
    }

    fn of(node: &'static Node) -> Fills {
        let mut fills = Fills::default();
        for entry in node.entries() {
            match &*entry.key {
                KEPT => {
                    let names = entry.value.as_list().unwrap_or_default();
                    fills.kept = names.iter().filter_map(Node::as_str).collect();
                }
                EACH => fills.each = Some(Box::new(Fills::of(&entry.value))),
                key => fills.fields.push((key, Fill::of(&entry.value))),
            }
        }
        fills.fields.sort_by_key(|(key, _)| *key);
        fills
    }
}

impl Fill {
    fn of(node: &'static Node) -> Fill {
        let function = node.as_str().and_then(|text| text.strip_prefix('$'));
        if let Some(function) = function {
            let (name, argument) = function.split_once(' ').unwrap_or((function, ""));
            if let Some(function) = computed(name) {
                return Fill::Computed(function, argument);
            }
        }
        if let (Some(conditions), Some(then)) = (node.get("$if"), node.get("$then")) {
            let conditions = conditions.entries().iter().map(|entry| {
                let values = entry.value.as_list().unwrap_or_default();
                (&*entry.key, values.iter().map(FieldCondition::of).collect())
            });
            let otherwise = node.get("$else").map(|fill| Box::new(Fill::of(fill)));
            return Fill::If(conditions.collect(), Box::new(Fill::of(then)), otherwise);
        }
        if node.get(EACH).is_some() {
            Fill::Items(Fills::of(node))
        } else if node.as_map().is_some() {
            Fill::Map(Fills::of(node))
        } else {
            Fill::Value(View::of(node))
        }
    }
}

impl FieldCondition {
    fn of(node: &'static Node) -> FieldCondition {
        match (&node.value, node.as_str()) {
            (yaml::Value::Bool(value), _) => FieldCondition::Bool(*value),
            (_, Some("$unset")) => FieldCondition::Unset,
            (_, Some("$set")) => FieldCondition::Set,
            (_, text) => FieldCondition::Text(text.unwrap_or_default()),
        }
    }
}

/// All of it.
pub struct DefaultsTable {
    /// By the definition's position among the built-in schemas.
    types: Vec<Option<Fills>>,
    /// By kind: API version and schema.
    kinds: HashMap<&'static str, Vec<(&'static str, SchemaRule)>>,
    /// Quantities, `ObjectMeta` and `MicroTime` among the definitions.
    quantity: Option<usize>,
    micro_time: Option<usize>,
    /// The rule of `metadata`.
    pub metadata: SchemaRule,
    /// The rule of objects whose kind is not known.
    pub unknown: SchemaRule,
}

/// The table.
pub static TABLE: LazyLock<DefaultsTable> = LazyLock::new(DefaultsTable::read);

static NODES: LazyLock<Vec<Node>> = LazyLock::new(|| {
    let parse = |(_, text): &(&str, &str)| yaml::parse::parse(text, u32::MAX).documents;
    FILES.iter().flat_map(parse).collect()
});

/// The built-in schemas.
pub fn set() -> &'static SchemaSet {
    built_in().set()
}

fn reference(index: Option<usize>) -> SchemaRule {
    SchemaRule {
        reference: index,
        ..SchemaRule::default()
    }
}

impl DefaultsTable {
    fn read() -> DefaultsTable {
        let mut types: Vec<Option<Fills>> = Vec::new();
        types.resize_with(set().len(), || None);
        for group in NODES.iter().flat_map(Node::entries) {
            for one in group.value.entries() {
                let index = set().index(&format!("{}.{}", group.key, one.key));
                if let Some(index) = index {
                    types[index] = Some(Fills::of(&one.value));
                }
            }
        }
        let mut kinds: HashMap<&str, Vec<(&str, SchemaRule)>> = HashMap::new();
        for (api_version, kind, index) in built_in().kinds() {
            let rule = reference(Some(index));
            kinds.entry(kind).or_default().push((api_version, rule));
        }
        let meta = "io.k8s.apimachinery.pkg.apis.meta.v1";
        let metadata = || reference(set().index(&format!("{meta}.ObjectMeta")));
        DefaultsTable {
            types,
            kinds,
            quantity: set().index("io.k8s.apimachinery.pkg.api.resource.Quantity"),
            micro_time: set().index(&format!("{meta}.MicroTime")),
            metadata: metadata(),
            unknown: SchemaRule {
                properties: vec![("metadata".into(), metadata())],
                ..SchemaRule::default()
            },
        }
    }

    /// The rule of a kind.
    pub fn kind(&self, api_version: &str, kind: &str) -> Option<&SchemaRule> {
        let versions = self.kinds.get(kind)?.iter();
        let mut found = versions.filter(|(known, _)| *known == api_version);
        found.next().map(|(_, rule)| rule)
    }

    /// What the type that a rule refers to is filled with.
    pub fn fills(&self, rule: &SchemaRule) -> Option<&Fills> {
        self.types.get(rule.reference?)?.as_ref()
    }

    /// Whether a rule is that of an amount.
    pub fn is_quantity(&self, rule: &SchemaRule) -> bool {
        rule.reference.is_some() && rule.reference == self.quantity
    }

    /// Whether a rule is that of a time in fractions of seconds.
    pub fn is_micro_time(&self, rule: &SchemaRule) -> bool {
        rule.reference.is_some() && rule.reference == self.micro_time
    }
}
