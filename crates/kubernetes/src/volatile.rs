//! The parts of objects that no manifest sets: `tables/volatile.yaml`.

use std::borrow::Cow;
use std::collections::HashMap;
use std::sync::LazyLock;

use crate::field_path::{FieldPath, FieldStep};
use tenantry_syntax::yaml::{self, Node};

/// Paths by kind.
type PathsByKind = HashMap<&'static str, Vec<Vec<&'static str>>>;

struct Lists {
    written: PathsByKind,
    assigned: PathsByKind,
    generated: Vec<&'static str>,
}

static NODE: LazyLock<Node> = LazyLock::new(|| {
    let text = include_str!("../tables/volatile.yaml");
    let mut parsed = yaml::parse::parse(text, u32::MAX);
    parsed.documents.pop().unwrap_or_else(Node::empty_map)
});

static LISTS: LazyLock<Lists> = LazyLock::new(|| {
    let texts = |node: &'static Node| -> Vec<&'static str> {
        let items = node.as_list().unwrap_or_default();
        items.iter().filter_map(Node::as_str).collect()
    };
    let paths = |key: &str| -> PathsByKind {
        let kinds = NODE.get(key).map(Node::entries).unwrap_or_default();
        let paths = |node: &'static Node| -> Vec<Vec<&'static str>> {
            let paths = node.as_list().unwrap_or_default();
            paths.iter().map(texts).collect()
        };
        kinds
            .iter()
            .map(|kind| (&*kind.key, paths(&kind.value)))
            .collect()
    };
    Lists {
        written: paths("written"),
        assigned: paths("assigned"),
        generated: NODE.get("generated").map(texts).unwrap_or_default(),
    }
});

/// Whether the API server or a controller writes a part of an object, so that it is never compared.
pub fn is_written(kind: &str, path: &FieldPath) -> bool {
    is_listed(&LISTS.written, kind, path)
}

/// Whether a part of an object is assigned where nobody sets it.
pub fn is_assigned(kind: &str, path: &FieldPath) -> bool {
    is_listed(&LISTS.assigned, kind, path)
}

/// A name without its random letters.
pub fn without_random(name: Cow<'_, str>) -> Cow<'_, str> {
    let generated = LISTS.generated.iter();
    match generated.copied().find(|start| name.starts_with(start)) {
        Some(start) => Cow::Borrowed(start),
        None => name,
    }
}

fn is_listed(paths: &PathsByKind, kind: &str, path: &FieldPath) -> bool {
    let of_kind = [kind, "*"].into_iter().filter_map(|kind| paths.get(kind));
    of_kind.flatten().any(|wanted| is_at(path, wanted))
}

fn is_at(path: &FieldPath, wanted: &[&str]) -> bool {
    path.0.len() == wanted.len()
        && path.0.iter().zip(wanted).all(|(step, wanted)| {
            let (FieldStep::Key(name) | FieldStep::Item(name)) = step;
            match wanted.strip_suffix('*') {
                Some(start) => name.starts_with(start),
                None => **name == **wanted,
            }
        })
}
