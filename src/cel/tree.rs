//! Parts of manifests and documents, read in place, with what the API server fills in.

use std::sync::{Arc, LazyLock};

use super::value::{Text, Value};
use crate::model::view::{Shape, View};
use crate::yaml::{self, Node};

/// A list or map, and what the API server would fill in there.
#[derive(Clone, Copy, Debug)]
pub struct Tree<'a> {
    /// Where it stands.
    pub view: View<'a>,
    /// What is filled in, see `defaults/kubernetes.yaml`.
    defaults: Option<&'static Node>,
}

/// Marks a map that is filled in when it is missing; others only when they are written.
const ALWAYS: &str = "$always";
/// A default for volumes without a source.
const EMPTY_VOLUME: &str = "$emptyVolume";
/// A default that depends on the image beside it.
const BY_IMAGE: &str = "$byImage";

static DEFAULTS: LazyLock<Node> = LazyLock::new(|| {
    let text = include_str!("../../defaults/kubernetes.yaml");
    let parsed = yaml::parse::parse(text, u32::MAX);
    parsed
        .documents
        .into_iter()
        .next()
        .unwrap_or_else(Node::empty_map)
});

impl<'a> Tree<'a> {
    /// A part that nothing is filled into.
    pub fn of(view: View<'a>) -> Tree<'a> {
        Tree {
            view,
            defaults: None,
        }
    }

    /// An object as the API server sees it once it has filled in its defaults.
    pub fn object(view: View<'a>) -> Tree<'a> {
        let kind = view.text_at(&["kind"]);
        let group = view.text_at(&["apiVersion"]);
        // Kinds of other APIs than Kubernetes' own have names of theirs.
        let native = !group.contains('/') || group.ends_with(".k8s.io") || {
            let group = group.split('/').next().unwrap_or_default();
            !group.contains('.') || group.ends_with(".k8s.io")
        };
        Tree {
            view,
            defaults: native.then(|| DEFAULTS.get(&kind)).flatten(),
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
        } else if self.defaults.is_some() {
            self.keys().len()
        } else {
            self.view.fields().len()
        }
    }

    /// Whether it has no items or keys.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// The items of a list.
    pub fn items(&self) -> Vec<Value<'a>> {
        let defaults = self
            .defaults
            .and_then(|defaults| defaults.as_list()?.first());
        let items = self.view.items().into_iter();
        items.map(|view| value(view, defaults)).collect()
    }

    /// One item of a list.
    pub fn item(&self, index: usize) -> Option<Value<'a>> {
        let defaults = self
            .defaults
            .and_then(|defaults| defaults.as_list()?.first());
        let view = self.view.items().get(index).copied()?;
        Some(value(view, defaults))
    }

    /// The keys of a map, in the order of the output; those that are filled in come last.
    pub fn keys(&self) -> Vec<Value<'a>> {
        let mut keys: Vec<Value<'a>> = self
            .view
            .fields()
            .into_iter()
            .map(|field| Value::Text(Text::from(field.key)))
            .collect();
        for entry in self.defaults.map(Node::entries).unwrap_or_default() {
            if self.view.get(&entry.key).is_none() && self.filled_in(&entry.key).is_some() {
                keys.push(Value::text(Arc::clone(&entry.key)));
            }
        }
        keys
    }

    /// The value of a key.
    pub fn get(&self, key: &str) -> Option<Value<'a>> {
        match self.view.get(key) {
            Some(view) => Some(value(view, self.defaults.and_then(|node| node.get(key)))),
            None => self.filled_in(key),
        }
    }

    /// The place of a key's value, if it is written.
    pub fn place(&self, key: &str) -> Option<View<'a>> {
        self.view.get(key)
    }

    fn filled_in(&self, key: &str) -> Option<Value<'a>> {
        let default = self.defaults?.get(key).filter(|_| !key.starts_with('$'))?;
        if default.as_list().is_some() {
            return None;
        }
        if default.as_str() == Some(EMPTY_VOLUME) {
            // Every source is a map.
            let fields = self.view.fields().into_iter();
            let is_bare = fields
                .filter(|field| matches!(field.value.shape(), Shape::Map))
                .count()
                == 0;
            return is_bare.then(|| of(View::of(&EMPTY)));
        }
        if default.as_str() == Some(BY_IMAGE) {
            return Some(Value::text(pull_policy(&self.view.text_at(&["image"]))));
        }
        if let Some(sibling) = default
            .as_str()
            .and_then(|text| text.strip_prefix("$same:"))
        {
            return self.get(sibling);
        }
        let is_map = default.as_map().is_some();
        let is_made = match default.get(ALWAYS).map(|mark| mark.as_str()) {
            // Only for the `type` beside it that has such a map.
            Some(Some(of_type)) => self
                .get("type")
                .is_some_and(|found| found.as_str() == Some(of_type)),
            Some(None) => true,
            None => !is_map || default.entries().is_empty(),
        };
        is_made.then(|| {
            let empty = View::of(&EMPTY);
            if is_map {
                Value::Tree(Tree {
                    view: empty,
                    defaults: Some(default),
                })
            } else {
                value(View::of(default), None)
            }
        })
    }
}

static EMPTY: LazyLock<Node> = LazyLock::new(Node::empty_map);

/// What stands at a place; lists and maps stay there.
fn value<'a>(view: View<'a>, defaults: Option<&'static Node>) -> Value<'a> {
    match view.shape() {
        Shape::Null => Value::Null,
        Shape::Bool(value) => Value::Bool(value),
        Shape::Int(number) => Value::Int(number),
        Shape::Float(number) => Value::Double(number),
        Shape::Text(text) => Value::Text(Text::from(text)),
        Shape::List | Shape::Map => Value::Tree(Tree { view, defaults }),
    }
}

/// What stands at a place; lists and maps stay there.
pub fn of(view: View<'_>) -> Value<'_> {
    value(view, None)
}

/// <https://kubernetes.io/docs/concepts/containers/images/#imagepullpolicy-defaulting>
fn pull_policy(image: &str) -> &'static str {
    if image.contains('@') {
        return "IfNotPresent";
    }
    let name = image.rsplit('/').next().unwrap_or(image);
    match name.split_once(':') {
        None | Some((_, "latest")) => "Always",
        Some(_) => "IfNotPresent",
    }
}
