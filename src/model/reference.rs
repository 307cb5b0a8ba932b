//! References: names of documents of a kind.

use std::borrow::{Borrow, Cow};
use std::cmp::Ordering;
use std::fmt;
use std::hash::{Hash, Hasher};
use std::marker::PhantomData;

use schemars::{JsonSchema, Schema, SchemaGenerator};
use serde::{Deserialize, Deserializer, Serialize, Serializer};

use super::field::Field;
use super::kinds::{Kind, KindName};
use tenantry_engine::scalars::Name;
use tenantry_syntax::yaml::{Entry, NodeId};

/// The name of a document of kind `K`; whether there is one is for `resolve` to say.
pub struct Ref<K: ?Sized>(pub String, PhantomData<fn() -> K>);

impl<K: ?Sized> Ref<K> {
    /// The document of a name.
    pub fn to(name: impl Into<String>) -> Ref<K> {
        Ref(name.into(), PhantomData)
    }
}

impl<K: ?Sized> Clone for Ref<K> {
    fn clone(&self) -> Self {
        Ref::to(self.0.clone())
    }
}

impl<K: ?Sized> fmt::Debug for Ref<K> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

impl<K: ?Sized> fmt::Display for Ref<K> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

impl<K: ?Sized> PartialEq for Ref<K> {
    fn eq(&self, other: &Self) -> bool {
        self.0 == other.0
    }
}

impl<K: ?Sized> Eq for Ref<K> {}

impl<K: ?Sized> PartialOrd for Ref<K> {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl<K: ?Sized> Ord for Ref<K> {
    fn cmp(&self, other: &Self) -> Ordering {
        self.0.cmp(&other.0)
    }
}

impl<K: ?Sized> Hash for Ref<K> {
    fn hash<H: Hasher>(&self, state: &mut H) {
        self.0.hash(state);
    }
}

impl<K: ?Sized> Borrow<str> for Ref<K> {
    fn borrow(&self) -> &str {
        &self.0
    }
}

impl<K: ?Sized> Serialize for Ref<K> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        self.0.serialize(serializer)
    }
}

impl<'de, K: ?Sized> Deserialize<'de> for Ref<K> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        String::deserialize(deserializer).map(Ref::to)
    }
}

/// In documents, a reference is a name.
impl<K: ?Sized> JsonSchema for Ref<K> {
    fn inline_schema() -> bool {
        Name::inline_schema()
    }

    fn schema_name() -> Cow<'static, str> {
        Name::schema_name()
    }

    fn schema_id() -> Cow<'static, str> {
        Name::schema_id()
    }

    fn json_schema(generator: &mut SchemaGenerator) -> Schema {
        Name::json_schema(generator)
    }
}

/// Names of documents, and where they stand.
#[derive(Debug, Default)]
pub struct References {
    /// In the order of the documents: the kind, the name, and its place.
    pub found: Vec<(KindName, String, NodeId)>,
}

impl References {
    /// A key of a map that is a reference.
    pub fn key<R: IsReference>(&mut self, entry: &Entry) {
        self.found
            .push((R::Kind::NAME, entry.key.to_string(), entry.key_id));
    }
}

/// The types of references.
pub trait IsReference {
    /// The kind of the documents.
    type Kind: Kind;
}

impl<K: Kind> IsReference for Ref<K> {
    type Kind = K;
}

impl<K: Kind> Field<'_, Ref<K>> {
    /// The reference itself, if it was written.
    pub fn references(self, found: &mut References) {
        if let Some(name) = self.as_str() {
            found.found.push((K::NAME, name.to_owned(), self.place()));
        }
    }
}

/// Fields of types that name no documents.
pub trait WithoutReferences: Sized {
    /// None.
    fn references(self, _: &mut References) {}
}

impl<T: ?Sized> WithoutReferences for Field<'_, T> {}
