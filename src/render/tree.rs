//! Input trees as templates see them: every read of a scalar is noted; a known field that is not
//! set is `none`; an unknown name is undefined, which is an error where it is used.

use std::sync::Arc;

use minijinja::Value;
use minijinja::value::{Enumerator, Object, ObjectRepr};

use super::recorder;
use crate::schema::{self, Additional, Rule};
use crate::yaml::{self, Node};

/// A map or list of the input.
#[derive(Debug)]
pub struct Tree {
    /// The input.
    pub node: Node,
    /// What may stand here, where that is known.
    rule: Option<&'static Rule>,
    /// What the items of a computed list may be, which no document declares.
    item: Option<&'static Rule>,
}

/// The names that a template can use.
#[derive(Debug)]
pub struct Names(pub Vec<(&'static str, Value)>);

/// A variable: its name tells what fields it may have.
pub fn root(name: &str, node: &Node) -> Value {
    let value = named(name, node, rule_of(name));
    recorder::start();
    value
}

/// What may stand under a name of the compiler's own.
fn rule_of(name: &str) -> Option<&'static Rule> {
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

/// A value by its name, if no rule says what it is.
fn named(name: &str, node: &Node, rule: Option<&'static Rule>) -> Value {
    let item = match rule {
        None => computed(name).and_then(|kind| schema::own().rule(kind)),
        Some(_) => None,
    };
    match item.filter(|_| node.as_list().is_some()) {
        Some(item) => Value::from_object(Tree {
            node: node.clone(),
            rule: None,
            item: Some(schema::own().follow(item)),
        }),
        None => value_of(
            node,
            rule.or_else(|| node.as_map().and_then(|_| rule_of(name))),
        ),
    }
}

/// A node as a template's value. Scalars are noted as read.
fn value_of(node: &Node, rule: Option<&'static Rule>) -> Value {
    let value = match &node.value {
        yaml::Value::Null => Value::from(()),
        yaml::Value::Bool(value) => Value::from(*value),
        yaml::Value::Int(number) => Value::from(*number),
        yaml::Value::Float(number) => Value::from(*number),
        yaml::Value::String(text) => Value::from(Arc::clone(text)),
        yaml::Value::List(_) | yaml::Value::Map(_) => {
            return Value::from_object(Tree {
                node: node.clone(),
                rule,
                item: None,
            });
        }
    };
    recorder::note_read(node.id, &value);
    value
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

impl Tree {
    fn child_rule(&self, key: &str) -> Option<&'static Rule> {
        let rule = self.rule?;
        let inner = match (rule.property(key), &rule.additional) {
            (Some(property), _) => property,
            (None, Additional::Rule(rule)) => rule,
            (None, _) => return None,
        };
        Some(schema::own().follow(inner))
    }

    /// The map with those of its entries whose key is wanted.
    pub fn filtered(&self, is_wanted: impl Fn(&str) -> bool) -> Tree {
        let entries = self.node.entries().iter();
        let kept = entries.filter(|entry| is_wanted(&entry.key)).cloned();
        Tree {
            node: Node::map(self.node.id, kept.collect()),
            rule: self.rule,
            item: self.item,
        }
    }

    fn item_rule(&self) -> Option<&'static Rule> {
        if self.item.is_some() {
            return self.item;
        }
        self.rule?
            .items
            .as_deref()
            .map(|rule| schema::own().follow(rule))
    }
}

impl Object for Tree {
    fn repr(self: &Arc<Self>) -> ObjectRepr {
        match self.node.value {
            yaml::Value::List(_) => ObjectRepr::Seq,
            _ => ObjectRepr::Map,
        }
    }

    fn get_value(self: &Arc<Self>, key: &Value) -> Option<Value> {
        match (&self.node.value, key.as_str(), key.as_usize()) {
            (yaml::Value::Map(_), Some(key), _) => self.get_value_by_str(key),
            (yaml::Value::List(items), _, Some(index)) => items
                .get(index)
                .map(|item| value_of(item, self.item_rule())),
            _ => None,
        }
    }

    fn get_value_by_str(self: &Arc<Self>, key: &str) -> Option<Value> {
        let map = self.node.as_map()?;
        match map.get(key) {
            Some(child) => Some(named(key, child, self.child_rule(key))),
            None if self.rule.is_some_and(|rule| rule.property(key).is_some()) => {
                Some(Value::from(()))
            }
            None => {
                recorder::note_missing(key, || {
                    let set = map.entries.iter().map(|entry| entry.key.to_string());
                    let known = self
                        .rule
                        .into_iter()
                        .flat_map(|rule| rule.properties.iter().map(|(name, _)| name.to_string()));
                    set.chain(known).collect()
                });
                None
            }
        }
    }

    fn enumerate(self: &Arc<Self>) -> Enumerator {
        match &self.node.value {
            yaml::Value::List(items) => Enumerator::Seq(items.len()),
            yaml::Value::Map(map) => Enumerator::Values(
                map.entries
                    .iter()
                    .map(|entry| Value::from(Arc::clone(&entry.key)))
                    .collect(),
            ),
            _ => Enumerator::Empty,
        }
    }
}

impl Object for Names {
    fn get_value(self: &Arc<Self>, key: &Value) -> Option<Value> {
        self.get_value_by_str(key.as_str()?)
    }

    fn get_value_by_str(self: &Arc<Self>, key: &str) -> Option<Value> {
        // What is closer to the template comes later, and wins.
        let mut names = self.0.iter().rev();
        let found = names
            .find(|(name, _)| *name == key)
            .map(|(_, value)| value.clone());
        if found.is_none() {
            recorder::note_missing(key, || {
                self.0.iter().map(|(name, _)| (*name).to_owned()).collect()
            });
        }
        found
    }

    fn enumerate(self: &Arc<Self>) -> Enumerator {
        Enumerator::Values(self.0.iter().map(|(name, _)| Value::from(*name)).collect())
    }
}
