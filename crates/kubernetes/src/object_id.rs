//! What an API server knows an object by.

use std::fmt;

use crate::versions::group;
use tenantry_engine::view::View;

/// What an API server knows an object by. The version of the API is no part of it: an object is the same in each version
/// that serves it.
#[derive(Clone, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct ObjectId {
    /// The API group; empty for the core.
    pub group: String,
    /// `Deployment`.
    pub kind: String,
    /// Empty for what belongs to no namespace.
    pub namespace: String,
    /// Its name.
    pub name: String,
}

impl ObjectId {
    /// What `apiVersion`, `kind` and `metadata` of an object say.
    pub fn of(object: View<'_>) -> ObjectId {
        let metadata = object.metadata();
        let text = |key: &str| {
            let text = metadata.map(|metadata| metadata.text_at(&[key]));
            text.unwrap_or_default().into_owned()
        };
        ObjectId {
            group: group(&object.api_version()).to_owned(),
            kind: object.object_kind().into_owned(),
            namespace: text("namespace"),
            name: text("name"),
        }
    }
}

/// `Deployment/web`.
impl fmt::Display for ObjectId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}/{}", self.kind, self.name)
    }
}
