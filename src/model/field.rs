//! Fields of documents, read as what their types say, and known by where they stand.

use std::collections::BTreeMap;
use std::marker::PhantomData;

use serde::de::value::{
    BoolDeserializer, Error, F64Deserializer, I64Deserializer, StrDeserializer,
};
use serde::de::{DeserializeOwned, IntoDeserializer};

use tenantry_syntax::yaml::{Entry, Node, NodeId, Value};

/// A place of a document that holds a `T` if somebody wrote one there. Each struct that documents are read as has a method
/// for each of its fields (`#[derive(Fields)]`), which leads further down: also where nothing was written, so that the place
/// nearest to it is known.
#[derive(Debug)]
pub struct Field<'a, T: ?Sized> {
    node: Option<&'a Node>,
    nearest: NodeId,
    of: PhantomData<fn() -> T>,
}

impl<T: ?Sized> Clone for Field<'_, T> {
    fn clone(&self) -> Self {
        *self
    }
}

impl<T: ?Sized> Copy for Field<'_, T> {}

impl<'a, T: ?Sized> Field<'a, T> {
    /// A value that a schema found to be a `T`.
    pub fn of(node: &'a Node) -> Field<'a, T> {
        Field {
            node: Some(node),
            nearest: node.id,
            of: PhantomData,
        }
    }

    /// Nothing, at no place.
    pub fn nowhere() -> Field<'a, T> {
        Field {
            node: None,
            nearest: NodeId::NONE,
            of: PhantomData,
        }
    }

    /// The value of a key, or nothing, near here.
    pub fn field<U: ?Sized>(self, key: &str) -> Field<'a, U> {
        match self.node.and_then(|node| node.get(key)) {
            Some(node) => Field::of(node),
            None => Field {
                node: None,
                nearest: self.nearest,
                of: PhantomData,
            },
        }
    }

    /// The same place, read as something else.
    pub fn read_as<U: ?Sized>(self) -> Field<'a, U> {
        Field {
            node: self.node,
            nearest: self.nearest,
            of: PhantomData,
        }
    }

    /// What was written, also if it is `null`.
    pub fn node(self) -> Option<&'a Node> {
        self.node
    }

    /// What was written, unless it is `null`, which takes away what lower layers say.
    pub fn set(self) -> Option<&'a Node> {
        self.node.filter(|node| !node.is_null())
    }

    /// Whether something was written, also if it is `null`.
    pub fn is_written(self) -> bool {
        self.node.is_some()
    }

    /// The place, or the one nearest above it where something was written.
    pub fn place(self) -> NodeId {
        self.nearest
    }

    /// The place, if something was written there.
    pub fn written(self) -> Option<NodeId> {
        self.node.map(|node| node.id)
    }

    /// The text that was written.
    pub fn as_str(self) -> Option<&'a str> {
        self.node?.as_str()
    }
}

impl<T: DeserializeOwned> Field<'_, T> {
    /// The value as a type; nothing if there is none, or if it is something else.
    pub fn read(self) -> Option<T> {
        let node = self.node?;
        match &node.value {
            Value::String(text) => {
                T::deserialize::<StrDeserializer<'_, Error>>((&**text).into_deserializer()).ok()
            }
            Value::Bool(value) => {
                T::deserialize::<BoolDeserializer<Error>>((*value).into_deserializer()).ok()
            }
            Value::Int(value) => {
                T::deserialize::<I64Deserializer<Error>>((*value).into_deserializer()).ok()
            }
            Value::Float(value) => {
                T::deserialize::<F64Deserializer<Error>>((*value).into_deserializer()).ok()
            }
            Value::Null => None,
            Value::List(_) | Value::Map(_) => serde_json::from_value(node.to_json()).ok(),
        }
    }
}

impl<T: DeserializeOwned + PartialEq> Field<'_, T> {
    /// Whether this very value was written.
    pub fn is(self, value: T) -> bool {
        self.read() == Some(value)
    }
}

impl<'a, T> Field<'a, Vec<T>> {
    /// The items that were written.
    pub fn items(self) -> impl DoubleEndedIterator<Item = Field<'a, T>> + ExactSizeIterator {
        let items = self.node.and_then(Node::as_list).unwrap_or_default();
        items.iter().map(Field::of)
    }

    /// The item at a position, or the nearest place.
    pub fn item(self, at: usize) -> Field<'a, T> {
        match self.node.and_then(|node| node.as_list()?.get(at)) {
            Some(node) => Field::of(node),
            None => Field {
                node: None,
                nearest: self.nearest,
                of: PhantomData,
            },
        }
    }
}

impl<'a, T> Field<'a, Option<T>> {
    /// The same place, where a value may be left out.
    pub fn some(self) -> Field<'a, T> {
        self.read_as()
    }
}

impl<'a, K, T> Field<'a, BTreeMap<K, T>> {
    /// The entry of a key.
    pub fn entry(self, key: &str) -> Option<&'a Entry> {
        self.node?.as_map()?.entry(key)
    }

    /// The value of a key, or nothing, near here.
    pub fn value(self, key: &str) -> Field<'a, T> {
        self.field(key)
    }

    /// The place of a key, or the nearest above it.
    pub fn key(self, key: &str) -> NodeId {
        self.entry(key).map_or(self.nearest, |entry| entry.key_id)
    }

    /// The keys and values that were written.
    pub fn entries(self) -> impl Iterator<Item = (&'a Entry, Field<'a, T>)> {
        let entries = self.node.map(Node::entries).unwrap_or_default();
        entries.iter().map(|entry| (entry, Field::of(&entry.value)))
    }
}
