//! Parts of manifests and documents, read in place, as the API server stores them.

use std::sync::Arc;

use super::value::{Key, Map, Text, Value};
use crate::kubernetes::defaults::{Held, Part, Stored};
use crate::model::view::{Shape, View};
use crate::schema::kubernetes::ObjectSchemas;

/// A list or map, and what the API server makes of it.
#[derive(Clone, Copy, Debug)]
pub struct Tree<'a> {
    /// Where it stands.
    pub view: View<'a>,
    part: Part<'a>,
}

impl<'a> Tree<'a> {
    /// A part that nothing is filled into.
    pub fn of(view: View<'a>) -> Tree<'a> {
        Tree::part(Part::unknown(view))
    }

    /// An object as the API server sees it once it has filled in its defaults.
    /// `custom` has the schemas of custom resources.
    pub fn object(view: View<'a>, custom: Option<&'a ObjectSchemas>) -> Tree<'a> {
        Tree::part(Part::object(view, custom))
    }

    /// An object as the API server's validation sees it: with its defaults, and else as it is written.
    pub fn as_sent(view: View<'a>, custom: Option<&'a ObjectSchemas>) -> Tree<'a> {
        Tree::part(Part::as_sent(view, custom))
    }

    /// A part that is a list or map.
    pub fn part(part: Part<'a>) -> Tree<'a> {
        Tree {
            view: part.view,
            part,
        }
    }

    /// Whether this is a list.
    pub fn is_list(&self) -> bool {
        self.view.is_list()
    }

    /// How many items or keys it has.
    pub fn len(&self) -> usize {
        if self.is_list() {
            self.view.items().len()
        } else {
            self.part.fields().len()
        }
    }

    /// Whether it has no items or keys.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// The items of a list.
    pub fn items(&self) -> Vec<Value<'a>> {
        self.part.items().into_iter().map(value).collect()
    }

    /// One item of a list.
    pub fn item(&self, index: usize) -> Option<Value<'a>> {
        self.part.item(index).map(value)
    }

    /// The keys of a map, in the order of the output; those that are filled in come last.
    pub fn keys(&self) -> Vec<Value<'a>> {
        let fields = self.part.fields().into_iter();
        fields
            .map(|(key, _)| Value::Text(Text::from(key)))
            .collect()
    }

    /// The value of a key.
    pub fn get(&self, key: &str) -> Option<Value<'a>> {
        let value = value(self.part.get(key)?);
        if let Value::Null = value
            && let Some(list) = self.view.get(key).filter(|view| view.is_list())
        {
            // Admission still sees an empty list of which null is stored.
            return Some(of(list));
        }
        Some(value)
    }

    /// Whether a key has a value.
    pub fn has(&self, key: &str) -> bool {
        self.part.get(key).is_some()
    }

    /// What is written at a key, as it was sent; `view` is where it stands.
    pub fn sent(&self, key: &str, view: View<'a>) -> Option<Part<'a>> {
        self.part.sent(key, view)
    }

    /// The items of a list, as they are written.
    pub fn parts(&self) -> Vec<Part<'a>> {
        self.part.parts()
    }

    /// The place of a key's value, if it is written.
    pub fn place(&self, key: &str) -> Option<View<'a>> {
        self.view.get(key)
    }
}

/// What is stored at a place; lists and maps that stand somewhere stay there.
fn value(stored: Stored<'_>) -> Value<'_> {
    match stored.held {
        Held::Part(part) => match part.shape() {
            Shape::Null => Value::Null,
            Shape::Bool(value) => Value::Bool(value),
            Shape::Int(number) => Value::Int(number),
            Shape::Float(number) => Value::Double(number),
            Shape::Text(text) => Value::Text(Text::from(text)),
            Shape::List | Shape::Map => Value::Tree(Tree::part(part)),
        },
        Held::Text(text) | Held::Amount(text) => Value::Text(Text::Shared(text)),
        Held::List(items) => Value::List(Arc::new(items.iter().cloned().map(value).collect())),
        Held::Map(fields) => {
            let mut map = Map::new();
            for (key, stored) in fields.iter() {
                let key: Arc<str> = Arc::from(&**key);
                let entry = (Value::text(Arc::clone(&key)), value(stored.clone()));
                map.insert(Key::Text(key), entry);
            }
            Value::Map(Arc::new(map))
        }
    }
}

/// What is stored of a part; lists and maps stay where they stand.
pub fn of_part(part: Part<'_>) -> Value<'_> {
    value(Stored::written(part))
}

/// What stands at a place; lists and maps stay there.
pub fn of(view: View<'_>) -> Value<'_> {
    value(Stored::written(Part::unknown(view)))
}
