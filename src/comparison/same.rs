//! When both sides make the same manifests and findings, so that one is rendered for both.

use std::sync::Arc;

use crate::model::instance::{PatchLayer, Unit, Usage};
use crate::side::Snapshot;
use tenantry_syntax::yaml::{Node, Value};

/// Whether both sides render and verify in the same way, so that the same values make the same
/// manifests and the same findings.
pub(super) fn is_made_the_same(old: &Snapshot<'_>, new: &Snapshot<'_>) -> bool {
    let templates = |side: &Snapshot<'_>| -> Vec<(String, u32)> {
        let templates = side.loaded.templates.iter();
        templates
            .map(|template| (template.path.clone(), template.file))
            .collect()
    };
    let clusters = |side: &Snapshot<'_>| -> Vec<(String, Node)> {
        let clusters = side.validated.catalog.clusters.iter();
        clusters
            .map(|cluster| (cluster.name.clone(), cluster.effective.clone()))
            .collect()
    };
    let (old_clusters, new_clusters) = (clusters(old), clusters(new));
    templates(old) == templates(new)
        && old.named_files == new.named_files
        && old_clusters.len() == new_clusters.len()
        && old_clusters
            .iter()
            .zip(&new_clusters)
            .all(|(a, b)| a.0 == b.0 && is_identical(&a.1, &b.1))
}

/// Whether two trees have the same values in the same order.
fn is_identical(a: &Node, b: &Node) -> bool {
    match (&a.value, &b.value) {
        (Value::Map(a), Value::Map(b)) => {
            Arc::ptr_eq(a, b)
                || a.entries.len() == b.entries.len()
                    && a.entries
                        .iter()
                        .zip(&b.entries)
                        .all(|(a, b)| a.key == b.key && is_identical(&a.value, &b.value))
        }
        (Value::List(a), Value::List(b)) => {
            Arc::ptr_eq(a, b)
                || a.len() == b.len() && a.iter().zip(b.iter()).all(|(a, b)| is_identical(a, b))
        }
        (a, b) => a == b,
    }
}

/// Whether the templates of two units see the same.
pub(super) fn sees_the_same(a: &Unit, b: &Unit) -> bool {
    let same = |a: &[(&'static str, Node)], b: &[(&'static str, Node)]| {
        a.len() == b.len()
            && a.iter()
                .zip(b)
                .all(|(a, b)| a.0 == b.0 && is_identical(&a.1, &b.1))
    };
    let same_patches = |a: &[PatchLayer], b: &[PatchLayer]| {
        let pairs = &mut a.iter().zip(b);
        a.len() == b.len()
            && pairs.all(|(a, b)| a.source == b.source && is_identical(&a.patch, &b.patch))
    };
    a.namespace == b.namespace
        && same_patches(&a.patches, &b.patches)
        && same(&a.variables, &b.variables)
        && a.instances.len() == b.instances.len()
        && a.instances.iter().zip(&b.instances).all(|(a, b)| {
            a.component == b.component
                && a.templates == b.templates
                && same_patches(&a.patches, &b.patches)
                && same(&a.variables, &b.variables)
        })
        && a.pipelines.len() == b.pipelines.len()
        && a.pipelines
            .iter()
            .zip(&b.pipelines)
            .all(|(a, b)| a.name == b.name && same(&a.variables, &b.variables))
}

/// Which values of the base are read, where those of the head are known: the same trees, which may
/// have been written in other places.
pub(super) fn usage_of_base(usage: &Usage, old: &Unit, new: &Unit) -> Usage {
    fn walk(old: &Node, new: &Node, usage: &Usage, base: &mut Usage) {
        if let Some(known) = usage.values.get(&new.id) {
            base.values.insert(old.id, known.clone());
        }
        match (&old.value, &new.value) {
            (Value::Map(old), Value::Map(new)) => {
                for (old, new) in old.entries.iter().zip(&new.entries) {
                    walk(&old.value, &new.value, usage, base);
                }
            }
            (Value::List(old), Value::List(new)) => {
                for (old, new) in old.iter().zip(new.iter()) {
                    walk(old, new, usage, base);
                }
            }
            _ => {}
        }
    }
    let mut base = Usage::default();
    for (old, new) in old.instances.iter().zip(&new.instances) {
        walk(&old.workload, &new.workload, usage, &mut base);
    }
    let instances = old.instances.iter().zip(&new.instances);
    let of_instances = instances.flat_map(|(old, new)| old.patches.iter().zip(&new.patches));
    for (old, new) in of_instances.chain(old.patches.iter().zip(&new.patches)) {
        if let Some(effect) = usage.patches.get(&new.patch.id) {
            base.note_patch(old.patch.id, *effect);
        }
    }
    base
}
