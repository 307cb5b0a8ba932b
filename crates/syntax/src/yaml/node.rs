//! The spanned tree.

use std::sync::Arc;

/// Names one key or value of one input file. The span is looked up only when somebody asks
/// (see [`crate::diagnostics::Sources`]).
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct NodeId {
    /// The file, as an index into the source map; [`NodeId::NONE`] and derived ids lie above it.
    pub file: u32,
    /// The node, in the order of the file.
    pub index: u32,
}

impl NodeId {
    /// A value that no input line is responsible for.
    pub const NONE: NodeId = NodeId {
        file: u32::MAX,
        index: 0,
    };
    const DERIVED_FILE: u32 = u32::MAX - 1;

    /// The id of the `index`-th value that the compiler itself computed for one instance; what it
    /// was computed from is kept in that instance's `Derivations`.
    pub fn derived(index: usize) -> NodeId {
        NodeId {
            file: Self::DERIVED_FILE,
            index: u32::try_from(index).unwrap_or(u32::MAX),
        }
    }

    /// The position among the derived values, if this is one.
    pub fn as_derived(self) -> Option<usize> {
        (self.file == Self::DERIVED_FILE).then_some(self.index as usize)
    }

    /// Whether this id names a place in an input file.
    pub fn is_input(self) -> bool {
        self.file < Self::DERIVED_FILE
    }
}

/// A value and the place that it came from.
#[derive(Clone, Debug)]
pub struct Node {
    /// Where it was written.
    pub id: NodeId,
    /// What was written.
    pub value: Value,
}

/// What a YAML node holds. Cloning is cheap: containers and strings are shared.
#[derive(Clone, Debug)]
pub enum Value {
    /// `null`, `~` or nothing.
    Null,
    /// `true` or `false`.
    Bool(bool),
    /// An integer of 64 bits.
    Int(i64),
    /// Any other number.
    Float(f64),
    /// Text.
    String(Arc<str>),
    /// A sequence.
    List(Arc<[Node]>),
    /// A mapping; keys are text, in the order in which they were written.
    Map(Arc<Map>),
}

/// A key that the compiler itself gives a value.
pub fn entry(key: &str, value: Node) -> Entry {
    Entry {
        key: key.into(),
        key_id: NodeId::NONE,
        value,
    }
}

/// One key and its value.
#[derive(Clone, Debug)]
pub struct Entry {
    /// The key's text.
    pub key: Arc<str>,
    /// Where the key was written.
    pub key_id: NodeId,
    /// The value.
    pub value: Node,
}

/// A mapping, in the order of the input.
#[derive(Clone, Debug, Default)]
pub struct Map {
    /// The entries; no two have the same key.
    pub entries: Vec<Entry>,
}

impl Map {
    /// The entry of a key.
    pub fn entry(&self, key: &str) -> Option<&Entry> {
        self.entries.iter().find(|entry| &*entry.key == key)
    }

    /// The value of a key.
    pub fn get(&self, key: &str) -> Option<&Node> {
        self.entry(key).map(|entry| &entry.value)
    }
}

impl Node {
    /// A node at a place.
    pub fn new(id: NodeId, value: Value) -> Node {
        Node { id, value }
    }

    /// A text at a place.
    pub fn text(id: NodeId, text: impl Into<Arc<str>>) -> Node {
        Node {
            id,
            value: Value::String(text.into()),
        }
    }

    /// A mapping at a place.
    pub fn map(id: NodeId, entries: Vec<Entry>) -> Node {
        Node {
            id,
            value: Value::Map(Arc::new(Map { entries })),
        }
    }

    /// An empty mapping that nobody wrote.
    pub fn empty_map() -> Node {
        Node::map(NodeId::NONE, Vec::new())
    }

    /// The value of a key, when this is a mapping that has it.
    pub fn get(&self, key: &str) -> Option<&Node> {
        self.as_map()?.get(key)
    }

    /// Follows keys, such as `["spec", "scope", "level"]`.
    pub fn at(&self, keys: &[&str]) -> Option<&Node> {
        keys.iter().try_fold(self, |node, key| node.get(key))
    }

    /// Follows keys and positions.
    pub fn at_path(&self, path: &[super::PathStep]) -> Option<&Node> {
        path.iter().try_fold(self, |node, step| match step {
            super::PathStep::Key(key) => node.get(key),
            super::PathStep::Index(index) => node.as_list()?.get(*index),
        })
    }

    /// The mapping, when this is one.
    pub fn as_map(&self) -> Option<&Map> {
        match &self.value {
            Value::Map(map) => Some(map),
            _ => None,
        }
    }

    /// The entries of a mapping, to be changed.
    pub fn entries_mut(&mut self) -> Option<&mut Vec<Entry>> {
        match &mut self.value {
            Value::Map(map) => Some(&mut Arc::make_mut(map).entries),
            _ => None,
        }
    }

    /// The entries, when this is a mapping; else nothing.
    pub fn entries(&self) -> &[Entry] {
        self.as_map().map_or(&[], |map| &map.entries)
    }

    /// The items, when this is a sequence.
    pub fn as_list(&self) -> Option<&[Node]> {
        match &self.value {
            Value::List(items) => Some(items),
            _ => None,
        }
    }

    /// The text, when this is a string.
    pub fn as_str(&self) -> Option<&str> {
        match &self.value {
            Value::String(text) => Some(text),
            _ => None,
        }
    }

    /// Whether there is nothing here.
    pub fn is_null(&self) -> bool {
        matches!(self.value, Value::Null)
    }

    /// A value that was written nowhere.
    pub fn from_json(json: &serde_json::Value) -> Node {
        use serde_json::Value as Json;
        let value = match json {
            Json::Null => Value::Null,
            Json::Bool(value) => Value::Bool(*value),
            Json::Number(number) => match number.as_i64() {
                Some(number) => Value::Int(number),
                None => Value::Float(number.as_f64().unwrap_or(0.0)),
            },
            Json::String(text) => Value::String(text.as_str().into()),
            Json::Array(items) => Value::List(items.iter().map(Node::from_json).collect()),
            Json::Object(map) => {
                let entries = map.iter().map(|(key, value)| Entry {
                    key: key.as_str().into(),
                    key_id: NodeId::NONE,
                    value: Node::from_json(value),
                });
                return Node::map(NodeId::NONE, entries.collect());
            }
        };
        Node::new(NodeId::NONE, value)
    }

    /// The same value as JSON, its places forgotten.
    pub fn to_json(&self) -> serde_json::Value {
        use serde_json::Value as Json;
        match &self.value {
            Value::Null => Json::Null,
            Value::Bool(value) => Json::Bool(*value),
            Value::Int(value) => Json::from(*value),
            Value::Float(value) => Json::from(*value),
            Value::String(text) => Json::String(text.to_string()),
            Value::List(items) => Json::Array(items.iter().map(Node::to_json).collect()),
            Value::Map(map) => Json::Object(
                map.entries
                    .iter()
                    .map(|entry| (entry.key.to_string(), entry.value.to_json()))
                    .collect(),
            ),
        }
    }
}

impl Value {
    /// How people call this kind of value.
    pub fn kind_name(&self) -> &'static str {
        match self {
            Value::Null => "nothing",
            Value::Bool(_) => "true or false",
            Value::Int(_) => "a whole number",
            Value::Float(_) => "a number",
            Value::String(_) => "text",
            Value::List(_) => "a list",
            Value::Map(_) => "a map",
        }
    }
}

/// Same value, wherever it was written; the order of keys does not count.
impl PartialEq for Value {
    fn eq(&self, other: &Value) -> bool {
        match (self, other) {
            (Value::Null, Value::Null) => true,
            (Value::Bool(a), Value::Bool(b)) => a == b,
            (Value::Int(a), Value::Int(b)) => a == b,
            (Value::Float(a), Value::Float(b)) => a.to_bits() == b.to_bits(),
            (Value::String(a), Value::String(b)) => a == b,
            (Value::Map(a), Value::Map(b)) if Arc::ptr_eq(a, b) => true,
            (Value::List(a), Value::List(b)) => {
                a.len() == b.len() && a.iter().zip(b.iter()).all(|(a, b)| a.value == b.value)
            }
            (Value::Map(a), Value::Map(b)) => {
                a.entries.len() == b.entries.len()
                    && a.entries.iter().all(|entry| {
                        b.get(&entry.key)
                            .is_some_and(|v| v.value == entry.value.value)
                    })
            }
            _ => false,
        }
    }
}
