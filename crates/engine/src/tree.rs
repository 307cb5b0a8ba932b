//! Maps and lists of the input: a known field that is not set is `none`; an unknown name is undefined, which is an error
//! where it is used.

use super::value::Data;
use crate::schema::{Additional, SchemaRule, SchemaSet};
use tenantry_syntax::yaml::{self, Node};

/// A map or list of the input.
#[derive(Clone, Debug)]
pub struct InputTree {
    /// The input.
    pub node: Node,
    /// What may stand here, where that is known.
    pub(super) rule: Option<&'static SchemaRule>,
    /// What the items of a computed list may be, which no document declares.
    item: Option<&'static SchemaRule>,
    declared: Option<&'static Declarations>,
}

/// What is known of the variables of a run.
#[derive(Debug)]
pub struct Declarations {
    /// The schemas of their types.
    pub schemas: fn() -> &'static SchemaSet,
    /// The type of what stands under a name.
    pub variable: fn(name: &str) -> Option<&'static str>,
    /// The type of the items of a computed list, by the list's name.
    pub list: fn(name: &str) -> Option<&'static str>,
}

impl Declarations {
    fn rule(&self, declared: Option<&'static str>) -> Option<&'static SchemaRule> {
        let set = (self.schemas)();
        Some(set.follow(set.rule(declared?)?))
    }
}

/// A place in the input by its name, if no rule says what may stand there.
pub(super) fn named(
    name: &str,
    node: &Node,
    rule: Option<&'static SchemaRule>,
    declared: Option<&'static Declarations>,
) -> Data {
    let (rule, item) = match (rule, declared) {
        (None, Some(all)) if node.as_list().is_some() => (None, all.rule((all.list)(name))),
        (None, Some(all)) if node.as_map().is_some() => (all.rule((all.variable)(name)), None),
        (rule, _) => (rule, None),
    };
    with_rules(node, rule, item, declared)
}

/// A place in the input of which nothing is known.
pub(super) fn unnamed(node: &Node, declared: Option<&'static Declarations>) -> Data {
    with_rules(node, None, None, declared)
}

fn with_rules(
    node: &Node,
    rule: Option<&'static SchemaRule>,
    item: Option<&'static SchemaRule>,
    declared: Option<&'static Declarations>,
) -> Data {
    match &node.value {
        yaml::Value::Null => Data::Null,
        yaml::Value::Bool(value) => Data::Bool(*value),
        yaml::Value::Int(number) => Data::Int(*number),
        yaml::Value::Float(number) => Data::Float(*number),
        yaml::Value::String(text) => Data::Text(text.clone()),
        yaml::Value::List(_) | yaml::Value::Map(_) => Data::Tree(InputTree {
            node: node.clone(),
            rule,
            item,
            declared,
        }),
    }
}

impl InputTree {
    fn child_rule(&self, key: &str) -> Option<&'static SchemaRule> {
        let rule = self.rule?;
        let inner = match (rule.property(key), &rule.additional) {
            (Some(property), _) => property,
            (None, Additional::Rule(rule)) => rule,
            (None, _) => return None,
        };
        Some(self.follow(inner))
    }

    fn follow(&self, rule: &'static SchemaRule) -> &'static SchemaRule {
        let all = self.declared;
        all.map_or(rule, |all| (all.schemas)().follow(rule))
    }

    /// Whether the schema knows a field of this name.
    pub fn knows(&self, key: &str) -> bool {
        self.rule.is_some_and(|rule| rule.property(key).is_some())
    }

    /// The names of all fields, those that are not set included.
    pub fn fields(&self) -> Vec<String> {
        let set = self.node.entries().iter();
        let set = set.map(|entry| entry.key.to_string());
        let known = self.rule.into_iter();
        let known = known.flat_map(|rule| rule.properties.iter().map(|(name, _)| name.to_string()));
        set.chain(known).collect()
    }

    /// An entry; `none` for a known field that is not set.
    pub fn get(&self, key: &str) -> Option<Data> {
        match self.node.as_map()?.get(key) {
            Some(child) => Some(named(key, child, self.child_rule(key), self.declared)),
            None if self.knows(key) => Some(Data::Null),
            None => None,
        }
    }

    /// An item.
    pub fn item(&self, at: usize) -> Option<Data> {
        let rule = match (self.item, self.rule) {
            (Some(item), _) => Some(item),
            (None, Some(rule)) => rule.items.as_deref().map(|rule| self.follow(rule)),
            (None, None) => None,
        };
        let item = self.node.as_list()?.get(at)?;
        Some(with_rules(item, rule, None, self.declared))
    }

    /// The map with those of its entries whose key is wanted.
    pub fn filtered(&self, is_wanted: impl Fn(&str) -> bool) -> InputTree {
        let entries = self.node.entries().iter();
        let kept = entries.filter(|entry| is_wanted(&entry.key)).cloned();
        InputTree {
            node: Node::map(self.node.id, kept.collect()),
            ..self.clone()
        }
    }
}
