//! Values of expressions, each with the step that made it.

use std::borrow::Cow;
use std::sync::Arc;

use super::tree::InputTree;
use tenantry_syntax::yaml::Node;
use tenantry_syntax::yaml::parse::MAX_DEPTH;

/// A step of the program that a run is: the one that made a value.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Term(pub u32);

impl Term {
    /// Nothing of the input went into it: it is the same in every run.
    pub const CONSTANT: Term = Term(u32::MAX);

    /// Whether it is the same in every run.
    pub fn is_constant(self) -> bool {
        self == Term::CONSTANT
    }
}

/// A value and the step that made it.
#[derive(Clone, Debug)]
pub struct TracedValue {
    /// The value.
    pub data: Data,
    /// The step.
    pub term: Term,
}

/// What a value is.
#[derive(Clone, Debug)]
pub enum Data {
    /// A name that stands for nothing; using it is an error.
    Undefined,
    /// `none`.
    Null,
    /// A truth value.
    Bool(bool),
    /// An integer of 64 bits.
    Int(i64),
    /// Any other number.
    Float(f64),
    /// Text.
    Text(Arc<str>),
    /// A map or list of the input.
    Tree(InputTree),
    /// A list that the template made.
    List(Arc<[TracedValue]>),
    /// A map that the template made, sorted by key.
    Map(Arc<[(Arc<str>, TracedValue)]>),
    /// Text of a template, with holes: what macros and blocks give.
    Markup(Arc<str>),
    /// A macro, an imported template or a loop: its place in the run that it belongs to.
    Local(usize),
}

/// The least that tells kinds of values apart.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ValueType {
    /// Nothing at all.
    Undefined,
    /// `none`.
    Null,
    /// A truth value.
    Bool,
    /// A number.
    Number,
    /// Text, that of macros included.
    Text,
    /// A list.
    List,
    /// A map.
    Map,
    /// A macro, an imported template or a loop.
    Local,
}

impl ValueType {
    /// How messages call it.
    pub fn name(self) -> &'static str {
        match self {
            ValueType::Undefined => "undefined",
            ValueType::Null => "none",
            ValueType::Bool => "bool",
            ValueType::Number => "number",
            ValueType::Text => "string",
            ValueType::List => "sequence",
            ValueType::Map => "map",
            ValueType::Local => "macro",
        }
    }
}

impl TracedValue {
    /// A value that is the same in every run.
    pub fn constant(data: Data) -> TracedValue {
        TracedValue {
            data,
            term: Term::CONSTANT,
        }
    }
}

impl From<bool> for Data {
    fn from(value: bool) -> Data {
        Data::Bool(value)
    }
}

impl From<i64> for Data {
    fn from(value: i64) -> Data {
        Data::Int(value)
    }
}

impl From<usize> for Data {
    fn from(value: usize) -> Data {
        Data::Int(i64::try_from(value).unwrap_or(i64::MAX))
    }
}

impl From<f64> for Data {
    fn from(value: f64) -> Data {
        Data::Float(value)
    }
}

impl From<&str> for Data {
    fn from(value: &str) -> Data {
        Data::Text(value.into())
    }
}

impl From<String> for Data {
    fn from(value: String) -> Data {
        Data::Text(value.into())
    }
}

impl From<Vec<Data>> for Data {
    fn from(items: Vec<Data>) -> Data {
        Data::List(items.into_iter().map(TracedValue::constant).collect())
    }
}

impl Data {
    /// A map; of two entries with one key the later holds.
    pub fn map(entries: Vec<(Arc<str>, TracedValue)>) -> Data {
        let mut sorted = std::collections::BTreeMap::new();
        sorted.extend(entries);
        Data::Map(sorted.into_iter().collect())
    }

    /// What kind of value this is.
    pub fn kind(&self) -> ValueType {
        match self {
            Data::Undefined => ValueType::Undefined,
            Data::Null => ValueType::Null,
            Data::Bool(_) => ValueType::Bool,
            Data::Int(_) | Data::Float(_) => ValueType::Number,
            Data::Text(_) | Data::Markup(_) => ValueType::Text,
            Data::Tree(tree) if tree.node.as_list().is_some() => ValueType::List,
            Data::Tree(_) | Data::Map(_) => ValueType::Map,
            Data::List(_) => ValueType::List,
            Data::Local(_) => ValueType::Local,
        }
    }

    /// The text, when this is one.
    pub fn as_str(&self) -> Option<&str> {
        match self {
            Data::Text(text) | Data::Markup(text) => Some(text),
            _ => None,
        }
    }

    /// Whether a condition takes it as true. Nothing of what is undefined is.
    pub fn is_true(&self) -> bool {
        match self {
            Data::Undefined | Data::Null => false,
            Data::Bool(value) => *value,
            Data::Int(number) => *number != 0,
            Data::Float(number) => *number != 0.0,
            Data::Text(text) | Data::Markup(text) => !text.is_empty(),
            Data::Tree(_) | Data::List(_) | Data::Map(_) => self.length() != Some(0),
            Data::Local(_) => true,
        }
    }

    /// How many items, entries or characters there are.
    pub fn length(&self) -> Option<usize> {
        match self {
            Data::Text(text) | Data::Markup(text) => Some(text.chars().count()),
            Data::Tree(tree) => match tree.node.as_list() {
                Some(items) => Some(items.len()),
                None => Some(tree.node.entries().len()),
            },
            Data::List(items) => Some(items.len()),
            Data::Map(entries) => Some(entries.len()),
            _ => None,
        }
    }

    /// The keys, when this is a map.
    pub fn keys(&self) -> Option<Vec<Arc<str>>> {
        match self {
            Data::Map(entries) => Some(entries.iter().map(|(key, _)| key.clone()).collect()),
            Data::Tree(tree) => {
                let entries = &tree.node.as_map()?.entries;
                Some(entries.iter().map(|entry| entry.key.clone()).collect())
            }
            _ => None,
        }
    }

    /// The items, when this is a list. Those of the input know no step.
    pub fn items(&self) -> Option<Vec<Data>> {
        match self {
            Data::List(items) => Some(items.iter().map(|item| item.data.clone()).collect()),
            Data::Tree(tree) => {
                let items = tree.node.as_list()?;
                Some((0..items.len()).filter_map(|at| tree.item(at)).collect())
            }
            _ => None,
        }
    }

    /// An entry of a map; `none` for a field that its schema knows and nobody sets.
    pub fn entry(&self, key: &str) -> Option<Data> {
        match self {
            Data::Map(entries) => entries
                .iter()
                .find(|(known, _)| **known == *key)
                .map(|(_, value)| value.data.clone()),
            Data::Tree(tree) => tree.get(key),
            _ => None,
        }
    }

    /// The value as it stands inside a text.
    pub fn to_text(&self) -> Cow<'_, str> {
        match self {
            Data::Undefined => Cow::Borrowed(""),
            Data::Null => Cow::Borrowed("None"),
            Data::Bool(true) => Cow::Borrowed("True"),
            Data::Bool(false) => Cow::Borrowed("False"),
            Data::Int(number) => Cow::Owned(number.to_string()),
            Data::Text(text) | Data::Markup(text) => Cow::Borrowed(text),
            _ => Cow::Owned(
                super::foreign::of(self).map_or_else(|_| String::new(), |value| value.to_string()),
            ),
        }
    }

    /// The value as one of YAML; an error for what no document can hold.
    ///
    /// # Errors
    ///
    /// What cannot be printed, for people.
    pub fn to_yaml(&self) -> Result<tenantry_syntax::yaml::Value, String> {
        self.yaml_of(0, &mut |_| tenantry_syntax::yaml::NodeId::NONE)
    }

    /// The same, with the places of parts that a step made.
    pub(super) fn yaml_of(
        &self,
        depth: usize,
        place: &mut dyn FnMut(Term) -> tenantry_syntax::yaml::NodeId,
    ) -> Result<tenantry_syntax::yaml::Value, String> {
        use tenantry_syntax::yaml::{Entry, Map, NodeId, Value as Yaml};
        if depth > MAX_DEPTH {
            return Err("a value nested deeper than 64 levels cannot be printed".to_owned());
        }
        let mut node = |value: &TracedValue| -> Result<Node, String> {
            if let Data::Tree(tree) = &value.data {
                return Ok(tree.node.clone());
            }
            let id = if value.term.is_constant() {
                NodeId::NONE
            } else {
                place(value.term)
            };
            Ok(Node::new(id, value.data.yaml_of(depth + 1, place)?))
        };
        Ok(match self {
            Data::Undefined | Data::Null => Yaml::Null,
            Data::Bool(value) => Yaml::Bool(*value),
            Data::Int(number) => Yaml::Int(*number),
            Data::Float(number) if number.is_finite() => Yaml::Float(*number),
            Data::Float(_) => return Err("a number that JSON does not have cannot be printed".to_owned()),
            Data::Text(text) => Yaml::String(Arc::clone(text)),
            Data::Tree(tree) => tree.node.value.clone(),
            Data::List(items) => {
                let items: Result<Vec<Node>, String> = items.iter().map(node).collect();
                Yaml::List(items?.into())
            }
            Data::Map(entries) => {
                let mut made = Vec::with_capacity(entries.len());
                for (key, value) in entries.iter() {
                    made.push(Entry {
                        key: Arc::clone(key),
                        key_id: NodeId::NONE,
                        value: node(value)?,
                    });
                }
                Yaml::Map(Arc::new(Map { entries: made }))
            }
            Data::Markup(_) => return Err("the text of a macro cannot be joined, filtered or put into a value; print it as it is, or with `indent`".to_owned()),
            Data::Local(_) => return Err("a macro cannot be printed; call it".to_owned()),
        })
    }
}
