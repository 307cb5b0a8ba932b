//! What every Kubernetes object says of itself.

use std::borrow::Cow;

use super::View;

impl<'a> View<'a> {
    /// `apiVersion` of an object.
    pub fn api_version(self) -> Cow<'a, str> {
        self.text_at(&["apiVersion"])
    }

    /// `kind` of an object, or of what names one.
    pub fn object_kind(self) -> Cow<'a, str> {
        self.text_at(&["kind"])
    }

    /// `metadata` of an object.
    pub fn metadata(self) -> Option<View<'a>> {
        self.get("metadata")
    }

    /// `metadata.name` of an object.
    pub fn object_name(self) -> Cow<'a, str> {
        self.text_at(&["metadata", "name"])
    }

    /// `metadata.namespace` of an object; empty without one.
    pub fn namespace(self) -> Cow<'a, str> {
        self.text_at(&["metadata", "namespace"])
    }

    /// `metadata.labels` of an object.
    pub fn labels(self) -> Option<View<'a>> {
        self.at(&["metadata", "labels"])
    }

    /// One of the labels of an object; empty without it.
    pub fn label(self, name: &str) -> Cow<'a, str> {
        self.text_at(&["metadata", "labels", name])
    }

    /// `metadata.annotations` of an object.
    pub fn annotations(self) -> Option<View<'a>> {
        self.at(&["metadata", "annotations"])
    }

    /// `spec` of an object.
    pub fn spec(self) -> Option<View<'a>> {
        self.get("spec")
    }
}
