//! Maps and lists of the input: a known field that is not set is `none`; an unknown name is undefined, which is an error
//! where it is used.

use super::value::Data;
use crate::schema::{self, Additional, SchemaRule};
use crate::yaml::{self, Node};

/// A map or list of the input.
#[derive(Clone, Debug)]
pub struct InputTree {
    /// The input.
    pub node: Node,
    /// What may stand here, where that is known.
    pub(super) rule: Option<&'static SchemaRule>,
    /// What the items of a computed list may be, which no document declares.
    item: Option<&'static SchemaRule>,
}

/// What may stand under a name of the compiler's own.
fn rule_of(name: &str) -> Option<&'static SchemaRule> {
    let kind = match name {
        "platform" => "Platform",
        "environment" => "Environment",
        "cluster" => "Cluster",
        "tenant" => "Tenant",
        "tier" => "Tier",
        "component" | "definition" => "Component",
        "workload" | "validation" | "previewValidation" | "preview" => "Workload",
        "pipeline" => "Pipeline",
        "job" => "PipelineJob",
        "monitoring" => "Monitoring",
        "recovery" => "RecoveryPlan",
        _ => return None,
    };
    let set = schema::own();
    set.rule(kind).map(|rule| set.follow(rule))
}

/// The kind of documents that a computed list holds.
fn computed(key: &str) -> Option<&'static str> {
    match key {
        "roles" => Some("Role"),
        "inputs" | "outputs" => Some("Dataset"),
        "connections" => Some("Connection"),
        "shares" | "sharedFrom" => Some("Share"),
        "alertRoutes" => Some("AlertRoute"),
        "recoveryPlans" => Some("RecoveryPlan"),
        _ => None,
    }
}

/// A variable: its name tells what fields it may have.
pub fn root(name: &str, node: &Node) -> Data {
    named(name, node, rule_of(name))
}

/// A value by its name, if no rule says what it is.
fn named(name: &str, node: &Node, rule: Option<&'static SchemaRule>) -> Data {
    let item = match rule {
        None if node.as_list().is_some() => {
            computed(name).and_then(|kind| schema::own().rule(kind))
        }
        _ => None,
    };
    match item {
        Some(item) => Data::Tree(InputTree {
            node: node.clone(),
            rule: None,
            item: Some(schema::own().follow(item)),
        }),
        None => of(
            node,
            rule.or_else(|| node.as_map().and_then(|_| rule_of(name))),
        ),
    }
}

/// A place in the input, with what may stand there.
pub(super) fn of(node: &Node, rule: Option<&'static SchemaRule>) -> Data {
    match &node.value {
        yaml::Value::Null => Data::Null,
        yaml::Value::Bool(value) => Data::Bool(*value),
        yaml::Value::Int(number) => Data::Int(*number),
        yaml::Value::Float(number) => Data::Float(*number),
        yaml::Value::String(text) => Data::Text(text.clone()),
        yaml::Value::List(_) | yaml::Value::Map(_) => Data::Tree(InputTree {
            node: node.clone(),
            rule,
            item: None,
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
        Some(schema::own().follow(inner))
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
            Some(child) => Some(named(key, child, self.child_rule(key))),
            None if self.knows(key) => Some(Data::Null),
            None => None,
        }
    }

    /// An item.
    pub fn item(&self, at: usize) -> Option<Data> {
        let rule = match (self.item, self.rule) {
            (Some(item), _) => Some(item),
            (None, Some(rule)) => rule.items.as_deref().map(|rule| schema::own().follow(rule)),
            (None, None) => None,
        };
        self.node.as_list()?.get(at).map(|item| of(item, rule))
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
