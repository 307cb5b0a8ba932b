//! The documents of a repository.

use std::collections::HashMap;

use super::field::Field;
use super::kinds::{Header, Kind, Metadata};
use tenantry_syntax::yaml::{Node, NodeId, PathStep};

/// One document: its tree, and its spec as a type.
#[derive(Clone, Debug)]
pub struct Document<K> {
    /// `metadata.name`.
    pub name: String,
    /// `metadata`.
    pub metadata: Metadata,
    /// The whole document as it was written.
    pub tree: Node,
    /// The spec over the built-in defaults of its kind: what templates see.
    pub effective: Node,
    /// The spec as a type.
    pub spec: K,
}

impl<K> Document<K> {
    /// The id of a field below the document's root; of the nearest part that was written if the
    /// field itself was not.
    pub fn at(&self, path: &[PathStep]) -> NodeId {
        let mut node = &self.tree;
        for step in path {
            match node.at_path(std::slice::from_ref(step)) {
                Some(next) => node = next,
                None => break,
            }
        }
        node.id
    }

    /// `metadata` as it was written.
    pub fn metadata_fields(&self) -> Field<'_, Metadata> {
        Field::<Header>::of(&self.tree).metadata()
    }

    /// The spec as it was written.
    pub fn fields(&self) -> Field<'_, K> {
        Field::<Header>::of(&self.tree).spec().read_as()
    }

    /// The spec over the built-in defaults of its kind.
    pub fn effective_fields(&self) -> Field<'_, K> {
        Field::of(&self.effective)
    }

    /// The id of the document's name.
    pub fn name_id(&self) -> NodeId {
        self.metadata_fields().name().place()
    }
}

impl Document<()> {
    /// The same document with its spec as a type.
    ///
    /// # Errors
    /// The type refuses what the schema let pass.
    pub fn typed<K: Kind>(self) -> Result<Document<K>, String> {
        let spec =
            serde_json::from_value(self.effective.to_json()).map_err(|error| error.to_string())?;
        Ok(Document {
            name: self.name,
            metadata: self.metadata,
            tree: self.tree,
            effective: self.effective,
            spec,
        })
    }
}

/// The documents of one kind, sorted by name.
#[derive(Clone, Debug)]
pub struct Documents<K> {
    items: Vec<Document<K>>,
    by_name: HashMap<String, usize>,
}

impl<K> Default for Documents<K> {
    fn default() -> Documents<K> {
        Documents {
            items: Vec::new(),
            by_name: HashMap::new(),
        }
    }
}

impl<K> Documents<K> {
    /// Adds a document; [`Documents::sort`] is called once all are there.
    pub fn push(&mut self, document: Document<K>) {
        self.items.push(document);
    }

    /// Sorts by name; among equals the order of the files stays.
    pub fn sort(&mut self) {
        self.items.sort_by(|a, b| a.name.cmp(&b.name));
        self.by_name = self
            .items
            .iter()
            .enumerate()
            .rev()
            .map(|(at, item)| (item.name.clone(), at))
            .collect();
    }

    /// The document of a name; the first, should there be several.
    pub fn get(&self, name: &str) -> Option<&Document<K>> {
        self.by_name.get(name).map(|at| &self.items[*at])
    }

    /// All documents of a name.
    pub fn all_named<'a>(&'a self, name: &'a str) -> impl Iterator<Item = &'a Document<K>> {
        let start = self.by_name.get(name).copied().unwrap_or(self.items.len());
        self.items[start..]
            .iter()
            .take_while(move |item| item.name == name)
    }

    /// All documents, sorted by name.
    pub fn iter(&self) -> std::slice::Iter<'_, Document<K>> {
        self.items.iter()
    }

    /// The names, sorted; a name that several documents have comes several times.
    pub fn names(&self) -> impl Iterator<Item = &str> {
        self.items.iter().map(|item| item.name.as_str())
    }
}

impl<'a, K> IntoIterator for &'a Documents<K> {
    type Item = &'a Document<K>;
    type IntoIter = std::slice::Iter<'a, Document<K>>;
    fn into_iter(self) -> Self::IntoIter {
        self.iter()
    }
}
