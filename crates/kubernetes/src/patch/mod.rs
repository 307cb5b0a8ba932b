//! Patches of manifests: strategic merges and JSON patches, which keep where each value comes from.
//!
//! A patched manifest is the manifest's skeleton with other parts, and its holes with those of the patch, which are nodes of
//! the input. The same objects come out as from `kubectl kustomize`, but that pods within custom resources merge as pods do.
//!
//! * `open`: maps and lists that fill a hole, as parts of their own.
//! * `merge`: strategic merges. `keys`: which lists merge, and by what. `json`: JSON patches.

mod json;
mod keys;
mod merge;
mod open;

use std::sync::Arc;

use tenantry_engine::hole::{Hole, Holes};
use tenantry_engine::manifest::{Manifest, PartKind, SkeletonNode, TemplateLine};
use tenantry_engine::value::Term;
use tenantry_syntax::yaml::{Node, NodeId};

use tenantry_syntax::yaml::parse::MAX_DEPTH;

/// Why a patch cannot be applied.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PatchProblem {
    /// What is wrong.
    pub message: String,
    /// The part of the patch that is.
    pub place: NodeId,
}

/// Most parts of a patched object, and most levels of them.
const MAX_PARTS: usize = 100_000;

/// A manifest while it is patched.
pub struct Patching {
    root: SkeletonNode,
    holes: Vec<Hole>,
    original: Manifest,
}

impl Patching {
    /// Starts on a manifest, which stays as it is.
    pub fn of(manifest: &Manifest) -> Patching {
        Patching {
            root: manifest.skeleton[manifest.document].clone(),
            holes: manifest.holes.iter().map(Hole::unseen).collect(),
            original: manifest.clone(),
        }
    }

    /// Merges a part of an object in, by Kubernetes' list keys.
    ///
    /// # Errors
    /// The patch does not have the form of what it patches.
    pub fn merge(&mut self, patch: &Node) -> Result<(), PatchProblem> {
        let root = self.original.root();
        let place = keys::MergePlace::object(&root.api_version(), &root.object_kind());
        self.merge_at(&[], patch, place)
    }

    /// Merges a part of a pod in, at the way to its template: `spec`, `template`.
    ///
    /// # Errors
    /// The patch does not have the form of what it patches.
    pub fn merge_pod(&mut self, way: &[&str], patch: &Node) -> Result<(), PatchProblem> {
        self.merge_at(way, patch, keys::MergePlace::pod_template())
    }

    fn merge_at(
        &mut self,
        way: &[&str],
        patch: &Node,
        place: keys::MergePlace<'_>,
    ) -> Result<(), PatchProblem> {
        let root = std::mem::replace(&mut self.root, nothing());
        let (root, result) = self.merged_below(root, way, patch, place);
        self.root = root;
        result
    }

    fn merged_below(
        &mut self,
        part: SkeletonNode,
        way: &[&str],
        patch: &Node,
        place: keys::MergePlace<'_>,
    ) -> (SkeletonNode, Result<(), PatchProblem>) {
        let Some((key, way)) = way.split_first() else {
            return match self.merged(part.clone(), patch, place) {
                Ok(merged) => (merged.unwrap_or_else(nothing), Ok(())),
                Err(problem) => (part, Err(problem)),
            };
        };
        let (line, mut fields) = self.opened_map(part);
        let mut result = Ok(());
        if let Some(at) = fields.iter().position(|(known, _)| **known == **key) {
            let child = std::mem::replace(&mut fields[at].1, nothing());
            (fields[at].1, result) = self.merged_below(child, way, patch, place);
        }
        (open::map(line, fields), result)
    }

    /// Applies the operations of a JSON patch, in their order; none of them if one fails.
    ///
    /// # Errors
    /// An operation has no form of one, or there is nothing at its path.
    pub fn json(&mut self, operations: &[Node]) -> Result<(), PatchProblem> {
        let before = self.root.clone();
        for operation in operations {
            let done = self.operation(operation);
            if let Err(problem) = done.and_then(|()| self.check_size(operation)) {
                self.root = before;
                return Err(problem);
            }
        }
        Ok(())
    }

    /// Operations that copy can double an object each time.
    fn check_size(&self, operation: &Node) -> Result<(), PatchProblem> {
        let (parts, depth) = self.extent(&self.root);
        if parts <= MAX_PARTS && depth <= MAX_DEPTH {
            return Ok(());
        }
        Err(PatchProblem {
            message: format!(
                "the object would have more than {MAX_PARTS} parts, or {MAX_DEPTH} levels"
            ),
            place: operation.id,
        })
    }

    /// The patched manifest; nothing if a patch deletes it. `interned` gives equal skeletons one address.
    pub fn finish(
        self,
        interned: impl FnOnce(SkeletonNode) -> Arc<Vec<SkeletonNode>>,
    ) -> Option<Manifest> {
        if self.is_nothing(&self.root) {
            return None;
        }
        Some(Manifest {
            skeleton: interned(self.root),
            document: 0,
            holes: Arc::new(Holes::new(self.holes, self.original.holes.past.clone())),
        })
    }

    /// A part that holds a value of the patch.
    fn written(&mut self, node: &Node) -> SkeletonNode {
        self.filled(Hole::new(node.value.clone(), node.id, Term::CONSTANT))
    }

    fn filled(&mut self, hole: Hole) -> SkeletonNode {
        self.holes.push(hole);
        part(TemplateLine::NONE, PartKind::Hole(self.holes.len() - 1))
    }
}

fn part(line: TemplateLine, kind: PartKind) -> SkeletonNode {
    SkeletonNode {
        kind,
        line,
        regions: Box::default(),
        keys: Box::default(),
    }
}

fn nothing() -> SkeletonNode {
    part(
        TemplateLine::NONE,
        PartKind::Scalar(tenantry_syntax::yaml::Value::Null),
    )
}
