//! One layer of values over another.
//!
//! Maps merge, key by key. Lists of named items (maps that all have a text `name`: env, ports,
//! volumes, …) merge by name; other lists are replaced. `null` removes; an item of a named list is
//! removed by setting all its fields to `null`.

use std::sync::Arc;

use super::{Entry, Map, Node, Value};

/// The value that results from layers, the lowest first. Every part keeps the id of the line that
/// won.
pub fn merge<'a>(layers: impl IntoIterator<Item = &'a Node>) -> Node {
    let mut layers = layers.into_iter();
    let first = layers.next().cloned().unwrap_or_else(Node::empty_map);
    layers.fold(first, |below, above| over(&below, above))
}

/// `above` over `below`.
pub fn over(below: &Node, above: &Node) -> Node {
    match (&below.value, &above.value) {
        (Value::Map(base), Value::Map(layer)) => {
            if layer.entries.is_empty() {
                return below.clone();
            }
            let mut entries = base.entries.clone();
            let mut index = KeyIndex::of(&base.entries);
            for entry in &layer.entries {
                match index.find(&entries, &entry.key) {
                    Some(at) if entry.value.is_null() => {
                        entries[at].value = entry.value.clone();
                    }
                    Some(at) => {
                        let value = over(&entries[at].value, &entry.value);
                        entries[at] = Entry {
                            key: Arc::clone(&entry.key),
                            key_id: entry.key_id,
                            value,
                        };
                    }
                    None if entry.value.is_null() => {}
                    None => {
                        entries.push(entry.clone());
                        index.add(&entry.key, entries.len() - 1);
                    }
                }
            }
            entries.retain(|entry| !entry.value.is_null());
            Node::new(above.id, Value::Map(Arc::new(Map { entries })))
        }
        (Value::List(base), Value::List(layer)) if is_merged(below, above) => {
            let name = |item: &Node| item.get("name").and_then(Node::as_str).map(str::to_owned);
            let mut items: Vec<Option<Node>> = base.iter().cloned().map(Some).collect();
            let mut places: std::collections::HashMap<Option<String>, usize> = base
                .iter()
                .enumerate()
                .rev()
                .map(|(at, item)| (name(item), at))
                .collect();
            for item in layer.iter() {
                match places.get(&name(item)).copied() {
                    Some(at) => {
                        let known = items[at].clone().unwrap_or_else(Node::empty_map);
                        let merged = over(&known, item);
                        let removed = merged.entries().len() == 1 && known.entries().len() > 1;
                        items[at] = (!removed).then_some(merged);
                    }
                    None => {
                        places.insert(name(item), items.len());
                        items.push(Some(item.clone()));
                    }
                }
            }
            let items: Vec<Node> = items.into_iter().flatten().collect();
            Node::new(above.id, Value::List(items.into()))
        }
        _ => above.clone(),
    }
}

/// Whether a value is merged with one of a higher layer, which does not take its place.
pub fn is_merged(below: &Node, above: &Node) -> bool {
    match (&below.value, &above.value) {
        (Value::Map(_), Value::Map(_)) => true,
        (Value::List(base), Value::List(layer)) => named(base) && named(layer) && !layer.is_empty(),
        _ => false,
    }
}

/// Whether all items are maps with a text `name`.
fn named(items: &[Node]) -> bool {
    items
        .iter()
        .all(|item| item.get("name").and_then(Node::as_str).is_some())
}

/// Finds keys: by looking through few of them, by a table among many.
struct KeyIndex {
    table: Option<std::collections::HashMap<Arc<str>, usize>>,
}

impl KeyIndex {
    fn of(entries: &[Entry]) -> KeyIndex {
        let table = (entries.len() > 32).then(|| {
            entries
                .iter()
                .enumerate()
                .map(|(at, entry)| (Arc::clone(&entry.key), at))
                .collect()
        });
        KeyIndex { table }
    }

    fn find(&self, entries: &[Entry], key: &str) -> Option<usize> {
        match &self.table {
            Some(table) => table.get(key).copied(),
            None => entries.iter().position(|entry| &*entry.key == key),
        }
    }

    fn add(&mut self, key: &Arc<str>, at: usize) {
        if let Some(table) = &mut self.table {
            table.insert(Arc::clone(key), at);
        }
    }
}

/// Where a node with this id stands in a tree, if it does.
pub fn find(tree: &Node, id: super::NodeId) -> Option<super::Path> {
    let mut path = Vec::new();
    search(tree, id, &mut path).then_some(super::Path(path))
}

fn search(node: &Node, id: super::NodeId, path: &mut Vec<super::PathStep>) -> bool {
    if node.id == id {
        return true;
    }
    let children: Vec<(super::PathStep, &Node)> = match &node.value {
        Value::Map(map) => map
            .entries
            .iter()
            .map(|entry| (super::PathStep::Key(Arc::clone(&entry.key)), &entry.value))
            .collect(),
        Value::List(items) => items
            .iter()
            .enumerate()
            .map(|(at, item)| (list_step(item, at), item))
            .collect(),
        _ => return false,
    };
    for (step, child) in children {
        path.push(step);
        if search(child, id, path) {
            return true;
        }
        path.pop();
    }
    false
}

/// Items of named lists are found by name, whatever their position in a layer.
fn list_step(item: &Node, at: usize) -> super::PathStep {
    match item.get("name").and_then(Node::as_str) {
        Some(name) => super::PathStep::from(name),
        None => super::PathStep::Index(at),
    }
}

/// The node at a path that [`find`] gave, in another layer.
pub fn lookup<'a>(tree: &'a Node, path: &[super::PathStep]) -> Option<&'a Node> {
    path.iter()
        .try_fold(tree, |node, step| match (&node.value, step) {
            (Value::Map(map), super::PathStep::Key(key)) => map.get(key),
            (Value::List(items), super::PathStep::Key(name)) => items
                .iter()
                .find(|item| item.get("name").and_then(Node::as_str) == Some(name)),
            (Value::List(items), super::PathStep::Index(at)) => items.get(*at),
            _ => None,
        })
}
