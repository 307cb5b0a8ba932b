//! Which values of the input no template looks at, so that setting them has no effect.

use std::collections::HashMap;
use std::collections::hash_map::Entry;
use std::sync::{Arc, PoisonError, RwLock};

use super::patches;

use crate::model::instance::{Usage, Variable};
use tenantry_engine::looked;
use tenantry_engine::program::Recording;
use tenantry_syntax::diagnostics::catalogue::render as codes;
use tenantry_syntax::diagnostics::{Diagnostic, Sink, Sources};
use tenantry_syntax::yaml::{Node, Trail, Value};

/// Values that rules and the compiler read, and no template.
const READ_ELSEWHERE: [&str; 5] = [
    "type",
    "encryptionRequired",
    "auditLogging",
    "pod",
    "container",
];

/// What the templates of one instance did.
#[derive(Debug, Default)]
pub struct InstanceUsage(pub Vec<Arc<Recording>>);

/// What runs looked at together, by who they are. Most instances have the runs of another one.
#[derive(Debug, Default)]
pub struct Merged(RwLock<HashMap<Box<[usize]>, Together>>);

/// What some runs looked at. They are kept, so that no others take their addresses.
#[derive(Debug)]
struct Together {
    _runs: InstanceUsage,
    merged: Arc<looked::LookedAt>,
}

/// Most of them; beyond, they are all forgotten.
const MAX_MERGED: usize = 4096;

impl Merged {
    fn of(&self, runs: &InstanceUsage) -> Arc<looked::LookedAt> {
        let key: Box<[usize]> = runs.0.iter().map(|run| Arc::as_ptr(run).addr()).collect();
        let known = self.0.read().unwrap_or_else(PoisonError::into_inner);
        if let Some(known) = known.get(&key) {
            return known.merged.clone();
        }
        drop(known);
        let mut merged = looked::LookedAt::default();
        runs.0.iter().for_each(|run| merged.append(&run.looked));
        let merged = Arc::new(merged);
        let mut known = self.0.write().unwrap_or_else(PoisonError::into_inner);
        if known.len() >= MAX_MERGED {
            known.clear();
        }
        let together = Together {
            _runs: InstanceUsage(runs.0.clone()),
            merged: merged.clone(),
        };
        known.insert(key, together);
        merged
    }
}

impl InstanceUsage {
    /// Notes of each value of a workload that the repository sets whether a template looked at it, as that or as a part of
    /// another variable.
    pub fn note(
        &self,
        workload: &Node,
        variables: &[Variable],
        merged: &Merged,
        sources: &Sources,
        usage: &mut Usage,
    ) {
        let merged = merged.of(self);
        let looked = merged.entries.get("workload");
        note(workload, &Trail::Root, looked, sources, usage);
        for (name, node) in variables.iter().filter(|(name, _)| *name != "workload") {
            if let Some(looked) = merged.entries.get(*name) {
                mark(node, looked, usage);
            }
        }
    }
}

/// Values that are known already, and that are looked at here, too.
fn mark(node: &Node, looked: &looked::LookedAt, usage: &mut Usage) {
    match &node.value {
        Value::Map(_) | Value::List(_) if looked.whole => note_all_used(node, usage),
        Value::Map(_) => {
            for (key, looked) in &looked.entries {
                if let Some(below) = node.get(key) {
                    mark(below, looked, usage);
                }
            }
        }
        Value::List(items) => {
            for (at, looked) in &looked.items {
                if let Some(below) = items.get(*at) {
                    mark(below, looked, usage);
                }
            }
        }
        _ => {
            if let Some(unread) = usage.values.get_mut(&node.id) {
                *unread = None;
            }
        }
    }
}

fn note(
    node: &Node,
    trail: &Trail<'_>,
    looked: Option<&looked::LookedAt>,
    sources: &Sources,
    usage: &mut Usage,
) {
    match &node.value {
        Value::Map(_) | Value::List(_) if looked.is_some_and(|looked| looked.whole) => {
            note_all_used(node, usage);
        }
        Value::Map(map) => {
            for entry in &map.entries {
                let key = &*entry.key;
                let is_root = matches!(trail, Trail::Root);
                // The name of an item is what layers merge it by.
                let names_item = key == "name" && matches!(trail, Trail::Index(..));
                if names_item || is_root && READ_ELSEWHERE.contains(&key) {
                    continue;
                }
                let looked = looked.and_then(|looked| looked.entries.get(key));
                let trail = Trail::Key(trail, key);
                note(&entry.value, &trail, looked, sources, usage);
            }
        }
        Value::List(items) => {
            for (at, item) in items.iter().enumerate() {
                let looked = looked.and_then(|looked| looked.items.get(&at));
                note(item, &Trail::Index(trail, at), looked, sources, usage);
            }
        }
        _ if sources.is_in_repository(node.id.file) => {
            let unread = looked.is_none().then(|| trail.path().to_string().into());
            match usage.values.entry(node.id) {
                Entry::Vacant(entry) => drop(entry.insert(unread)),
                Entry::Occupied(mut entry) if unread.is_none() => drop(entry.insert(None)),
                Entry::Occupied(_) => {}
            }
        }
        _ => {}
    }
}

/// A subtree that was printed as a whole is used in all its parts.
fn note_all_used(node: &Node, usage: &mut Usage) {
    match &node.value {
        Value::Map(map) => map
            .entries
            .iter()
            .for_each(|entry| note_all_used(&entry.value, usage)),
        Value::List(items) => items.iter().for_each(|item| note_all_used(item, usage)),
        _ => drop(usage.values.insert(node.id, None)),
    }
}

/// Finds values that nothing read, for any instance that they apply to, and patches without an effect.
pub fn unread(mut usage: Usage, sources: &Sources, sink: &mut Sink) {
    patches::without_effect(&mut usage, sources, sink);
    for (id, unread) in usage.values {
        let Some(path) = unread else { continue };
        sink.push(
            Diagnostic::new(codes::UNREAD_VALUE, format!("`{path}` is set here, and no template reads it for the workloads that get it"))
                .at(sources.span(id), "has no effect")
                .help("remove it, or see `tenantry explain Component.workload` for what applies to which type of workload"),
        );
    }
}
