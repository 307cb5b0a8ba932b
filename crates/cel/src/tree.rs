//! Parts of manifests and documents, read in place, as the API server stores them.

use std::sync::Arc;

use super::value::{CelValue, MapKey, Text, ValueMap};
use tenantry_engine::view::{Shape, View};
use tenantry_kubernetes::defaults::{Stored, StoredPart, StoredValue};
use tenantry_kubernetes::schemas::ObjectSchemas;

/// A list or map, and what the API server makes of it.
#[derive(Clone, Copy, Debug)]
pub struct StoredTree<'a> {
    /// Where it stands.
    pub view: View<'a>,
    part: StoredPart<'a>,
}

impl<'a> StoredTree<'a> {
    /// A part that nothing is filled into.
    pub fn of(view: View<'a>) -> StoredTree<'a> {
        StoredTree::part(StoredPart::unknown(view))
    }

    /// An object as the API server sees it once it has filled in its defaults.
    /// `custom` has the schemas of custom resources.
    pub fn object(view: View<'a>, custom: Option<&'a ObjectSchemas>) -> StoredTree<'a> {
        StoredTree::part(StoredPart::object(view, custom))
    }

    /// An object as the API server's validation sees it: with its defaults, and else as it is written.
    pub fn as_sent(view: View<'a>, custom: Option<&'a ObjectSchemas>) -> StoredTree<'a> {
        StoredTree::part(StoredPart::as_sent(view, custom))
    }

    /// A part that is a list or map.
    pub fn part(part: StoredPart<'a>) -> StoredTree<'a> {
        StoredTree {
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
    pub fn items(&self) -> Vec<CelValue<'a>> {
        self.part.items().into_iter().map(value).collect()
    }

    /// One item of a list.
    pub fn item(&self, index: usize) -> Option<CelValue<'a>> {
        self.part.item(index).map(value)
    }

    /// The keys of a map, in the order of the output; those that are filled in come last.
    pub fn keys(&self) -> Vec<CelValue<'a>> {
        let fields = self.part.fields().into_iter();
        fields
            .map(|(key, _)| CelValue::Text(Text::from(key)))
            .collect()
    }

    /// The value of a key.
    pub fn get(&self, key: &str) -> Option<CelValue<'a>> {
        let value = value(self.part.get(key)?);
        if let CelValue::Null = value
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
    pub fn sent(&self, key: &str, view: View<'a>) -> Option<StoredPart<'a>> {
        self.part.sent(key, view)
    }

    /// The items of a list, as they are written.
    pub fn parts(&self) -> Vec<StoredPart<'a>> {
        self.part.parts()
    }

    /// The place of a key's value, if it is written.
    pub fn place(&self, key: &str) -> Option<View<'a>> {
        self.view.get(key)
    }
}

/// What is stored at a place; lists and maps that stand somewhere stay there.
fn value(stored: Stored<'_>) -> CelValue<'_> {
    match stored.held {
        StoredValue::Part(part) => match part.shape() {
            Shape::Null => CelValue::Null,
            Shape::Bool(value) => CelValue::Bool(value),
            Shape::Int(number) => CelValue::Int(number),
            Shape::Float(number) => CelValue::Double(number),
            Shape::Text(text) => CelValue::Text(Text::from(text)),
            Shape::List | Shape::Map => CelValue::Tree(StoredTree::part(part)),
        },
        StoredValue::Text(text) | StoredValue::Amount(text) => CelValue::Text(Text::Shared(text)),
        StoredValue::List(items) => {
            CelValue::List(Arc::new(items.iter().cloned().map(value).collect()))
        }
        StoredValue::Map(fields) => {
            let mut map = ValueMap::new();
            for (key, stored) in fields.iter() {
                let key: Arc<str> = Arc::from(&**key);
                let entry = (CelValue::text(Arc::clone(&key)), value(stored.clone()));
                map.insert(MapKey::Text(key), entry);
            }
            CelValue::Map(Arc::new(map))
        }
    }
}

/// What is stored of a part; lists and maps stay where they stand.
pub fn of_part(part: StoredPart<'_>) -> CelValue<'_> {
    value(Stored::written(part))
}

/// What stands at a place; lists and maps stay there.
pub fn of(view: View<'_>) -> CelValue<'_> {
    value(Stored::written(StoredPart::unknown(view)))
}
