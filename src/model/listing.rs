//! Documents as rows: what `find` shows of each kind. A kind says so in its own file, so none can be left out.

use serde_json::{Value as Json, json};

use super::catalog::{Document, Documents};
use super::kinds::{Catalog, Kind, Tenant};
use super::reference::Ref;
use tenantry_syntax::yaml::Node;

/// What is shown of the documents of a kind.
pub trait Listed: Kind + Sized + 'static {
    /// The columns after the name.
    const COLUMNS: &'static [Column<Self>];

    /// The teams that answer for a document, as it names them itself.
    fn owners(document: &Document<Self>) -> Vec<&str>;

    /// Whether a document is a tenant's, or open to it.
    fn concerns(document: &Document<Self>, tenant: &Document<Tenant>) -> bool;
}

/// A column.
pub struct Column<K> {
    /// Its key in JSON.
    pub key: &'static str,
    /// Its heading.
    pub heading: &'static str,
    value: ColumnSource<K>,
}

/// Where the values of a column come from.
enum ColumnSource<K> {
    /// The field of the spec, with its default.
    Field(&'static str),
    /// What is made of the document.
    Made(fn(&Document<K>, &Catalog) -> Json),
}

impl<K> Column<K> {
    /// A field of the spec, which has the key of the column.
    pub const fn field(key: &'static str, heading: &'static str) -> Column<K> {
        Column {
            key,
            heading,
            value: ColumnSource::Field(key),
        }
    }

    /// What is made of the document.
    pub const fn made(
        key: &'static str,
        heading: &'static str,
        value: fn(&Document<K>, &Catalog) -> Json,
    ) -> Column<K> {
        Column {
            key,
            heading,
            value: ColumnSource::Made(value),
        }
    }

    fn of(&self, document: &Document<K>, catalog: &Catalog) -> Json {
        match &self.value {
            ColumnSource::Field(field) => {
                let value = document.effective.get(field);
                value.map_or(Json::Null, Node::to_json)
            }
            ColumnSource::Made(make) => make(document, catalog),
        }
    }
}

/// The documents of a kind.
#[derive(Clone, Debug, Default)]
pub struct Listing {
    /// Keys in JSON, and headings.
    pub columns: Vec<(&'static str, &'static str)>,
    /// The values of each document by column.
    pub rows: Vec<Vec<Json>>,
}

/// Which documents are meant, by what all kinds have.
pub trait Wanted {
    /// Whether a document is meant.
    fn takes<K: Listed>(&self, document: &Document<K>) -> bool;
}

/// The documents that are meant.
pub fn list<K: Listed>(
    documents: &Documents<K>,
    catalog: &Catalog,
    wanted: &impl Wanted,
) -> Listing {
    let columns = K::COLUMNS.iter();
    let mut listing = Listing {
        columns: vec![("name", "NAME")],
        rows: Vec::new(),
    };
    listing
        .columns
        .extend(columns.map(|column| (column.key, column.heading)));
    for document in documents.iter().filter(|document| wanted.takes(document)) {
        let values = K::COLUMNS.iter().map(|column| column.of(document, catalog));
        let name = json!(document.name);
        listing
            .rows
            .push([name].into_iter().chain(values).collect());
    }
    listing
}

/// Names, of which none mean all.
pub fn all_or<K>(names: &[Ref<K>]) -> Json {
    match names {
        [] => json!("all"),
        names => json!(names.iter().map(|name| &name.0).collect::<Vec<_>>()),
    }
}
