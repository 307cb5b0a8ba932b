//! Which values of the input no template looks at, so that setting them has no effect.

use std::sync::Arc;

use crate::diagnostics::{Diagnostic, Sink, Sources, catalogue::render as codes};
use crate::engine::looked::{self, Way};
use crate::engine::program::Recording;
use crate::model::instance::{Usage, Variable};
use crate::yaml::{Node, Path, Step, Value};

/// Values that rules and the compiler read, and no template.
const READ_ELSEWHERE: [&str; 3] = ["type", "encryptionRequired", "auditLogging"];

/// What the templates of one instance did.
#[derive(Default)]
pub struct Looked(pub Vec<Arc<Recording>>);

impl Looked {
    /// Notes of each value of a workload that the repository sets whether a template looked at it, as that or as a part of
    /// another variable.
    pub fn note(
        &self,
        workload: &Node,
        variables: &[Variable],
        sources: &Sources,
        usage: &mut Usage,
    ) {
        let looked = self.at("workload");
        note(workload, &mut Path::default(), &looked, sources, usage);
        for (name, node) in variables.iter().filter(|(name, _)| *name != "workload") {
            for looked in self.at(name) {
                mark(node, looked, usage);
            }
        }
    }

    fn at(&self, variable: &str) -> Vec<&looked::Looked> {
        let name = Way::Key(variable.into());
        let all = self.0.iter();
        all.filter_map(|one| one.looked.below.get(&name)).collect()
    }
}

/// Values that are known already, and that are looked at here, too.
fn mark(node: &Node, looked: &looked::Looked, usage: &mut Usage) {
    let containers = matches!(node.value, Value::Map(_) | Value::List(_));
    if containers && looked.whole {
        return note_all_used(node, usage);
    }
    if let Some((_, read)) = usage.values.get_mut(&node.id).filter(|_| !containers) {
        *read = true;
    }
    for (way, looked) in &looked.below {
        let below = match way {
            Way::Key(key) => node.get(key),
            Way::At(at) => node.as_list().and_then(|items| items.get(*at)),
        };
        if let Some(below) = below {
            mark(below, looked, usage);
        }
    }
}

fn note(
    node: &Node,
    path: &mut Path,
    looked: &[&looked::Looked],
    sources: &Sources,
    usage: &mut Usage,
) {
    let below = |way: &Way| -> Vec<&looked::Looked> {
        looked.iter().filter_map(|one| one.below.get(way)).collect()
    };
    match &node.value {
        Value::Map(_) | Value::List(_) if looked.iter().any(|one| one.whole) => {
            note_all_used(node, usage);
        }
        Value::Map(map) => {
            for entry in &map.entries {
                // The name of an item is what layers merge it by.
                let names_item =
                    &*entry.key == "name" && matches!(path.0.last(), Some(Step::Index(_)));
                if names_item || path.0.is_empty() && READ_ELSEWHERE.contains(&&*entry.key) {
                    continue;
                }
                path.0.push(Step::Key(Arc::clone(&entry.key)));
                note(
                    &entry.value,
                    path,
                    &below(&Way::Key(entry.key.clone())),
                    sources,
                    usage,
                );
                path.0.pop();
            }
        }
        Value::List(items) => {
            for (at, item) in items.iter().enumerate() {
                path.0.push(Step::Index(at));
                note(item, path, &below(&Way::At(at)), sources, usage);
                path.0.pop();
            }
        }
        _ if sources.is_in_repository(node.id.file) => {
            let known = usage.values.entry(node.id);
            known.or_insert_with(|| (path.to_string(), false)).1 |= !looked.is_empty();
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
        _ => {
            usage.values.insert(node.id, (String::new(), true));
        }
    }
}

/// Finds values that nothing read, for any instance that they apply to.
pub fn unread(usage: Usage, sources: &Sources, sink: &mut Sink) {
    for (id, (path, read)) in usage.values {
        if read {
            continue;
        }
        sink.push(
            Diagnostic::new(codes::UNREAD_VALUE, format!("`{path}` is set here, and no template reads it for the workloads that get it"))
                .at(sources.span(id), "has no effect")
                .help("remove it, or see `tenantry explain Component.workload` for what applies to which type of workload"),
        );
    }
}
