//! Strategic merges, as kustomize does them: <https://github.com/kubernetes-sigs/kustomize/tree/master/kyaml/yaml/merge2>.
//! Items of a patch come first, in its order; what they do not name follows.

use std::collections::HashMap;
use std::sync::Arc;

use tenantry_engine::manifest::{PartKind, SkeletonNode};
use tenantry_engine::view::scalar_text;
use tenantry_syntax::yaml::{Entry, Node, NodeId, Value};

use super::keys::MergePlace;
use super::open::{OpenField, PartForm, PartFrame, map};
use super::{PatchProblem, Patching};

/// Most items of a list that are compared in pairs.
const MAX_UNIFIED: usize = 1_000;

/// The key that says how a map or list is patched.
const DIRECTIVE: &str = "$patch";

#[derive(Clone, Copy, PartialEq, Eq)]
enum Directive {
    Merge,
    Replace,
    Delete,
}

fn directive_in(entries: &[Entry]) -> Result<Directive, PatchProblem> {
    let Some(entry) = entries.iter().find(|entry| &*entry.key == DIRECTIVE) else {
        return Ok(Directive::Merge);
    };
    match entry.value.as_str() {
        Some("merge") => Ok(Directive::Merge),
        Some("replace") => Ok(Directive::Replace),
        Some("delete") => Ok(Directive::Delete),
        _ => Err(PatchProblem {
            message: "`$patch` is `merge`, `replace` or `delete`".to_owned(),
            place: entry.value.id,
        }),
    }
}

/// How a list is patched: an item of its own says so.
fn directive_of_list(items: &[Node]) -> Result<Directive, PatchProblem> {
    let is_directive = |item: &&Node| is_list_directive(item);
    items
        .iter()
        .find(is_directive)
        .map_or(Ok(Directive::Merge), |item| directive_in(item.entries()))
}

fn has_directives(patch: &Node) -> bool {
    let mut items = patch.as_list().unwrap_or_default().iter();
    let mut entries = patch.entries().iter();
    items.any(has_directives)
        || entries.any(|entry| &*entry.key == DIRECTIVE || has_directives(&entry.value))
}

fn is_list_directive(item: &Node) -> bool {
    matches!(item.entries(), [only] if &*only.key == DIRECTIVE)
}

/// An item of a list: of the object, of the patch, or of both.
struct MergedItem<'p> {
    /// The values of its keys; empty for a key that it lacks.
    keys: Vec<String>,
    /// Where it is in the object; 0 for one of the patch alone.
    position: usize,
    old: Option<SkeletonNode>,
    new: Option<&'p Node>,
}

impl Patching {
    /// A part with a patch merged in; nothing if that takes it away.
    pub(super) fn merged(
        &mut self,
        old: SkeletonNode,
        patch: &Node,
        place: MergePlace<'_>,
    ) -> Result<Option<SkeletonNode>, PatchProblem> {
        let (was, new) = (self.form(&old), PartForm::of(&patch.value));
        if new == PartForm::Nothing {
            return Ok(None);
        }
        if was != PartForm::Nothing && was != new {
            return Err(PatchProblem {
                message: format!(
                    "the patch has {} where the object has {}",
                    new.as_str(),
                    was.as_str()
                ),
                place: patch.id,
            });
        }
        // What is new as a whole is one place of the input.
        if was == PartForm::Nothing && !has_directives(patch) {
            return Ok(Some(self.written(patch)));
        }
        match new {
            PartForm::Map => self.merged_map(old, patch, place),
            // Lists that merge are known by the field that they are in.
            PartForm::List => Ok(Some(self.written_list(patch)?)),
            PartForm::Scalar | PartForm::Nothing => Ok(Some(self.written(patch))),
        }
    }

    fn merged_map(
        &mut self,
        old: SkeletonNode,
        patch: &Node,
        place: MergePlace<'_>,
    ) -> Result<Option<SkeletonNode>, PatchProblem> {
        let is_new = self.is_nothing(&old);
        let (outside, mut fields) = match directive_in(patch.entries())? {
            Directive::Delete => return Ok(None),
            Directive::Merge if !is_new => self.opened_map(old),
            Directive::Merge | Directive::Replace => (PartFrame::new(), Vec::new()),
        };
        for entry in patch.entries() {
            if &*entry.key != DIRECTIVE {
                self.merge_field(&mut fields, entry, place)?;
            }
        }
        Ok(Some(map(outside, fields)))
    }

    fn merge_field(
        &mut self,
        fields: &mut Vec<OpenField>,
        entry: &Entry,
        place: MergePlace<'_>,
    ) -> Result<(), PatchProblem> {
        let at = fields.iter().position(|(key, _)| *key == entry.key);
        let old = at.map_or_else(super::nothing, |at| fields[at].1.clone());
        let list = place.keys(&entry.key);
        let merged = match (&entry.value.value, list) {
            (Value::List(items), Some(keys))
                if matches!(self.form(&old), PartForm::List | PartForm::Nothing) =>
            {
                let items_place = place.field(&entry.key).item();
                self.merged_list(old, items, keys, items_place)?
            }
            _ => {
                let mut inner = place.field(&entry.key);
                // The types of other APIs do not say that a pod is one.
                if inner.is_foreign() && &*entry.key == "template" && self.is_pod_template(&old) {
                    inner = MergePlace::pod_template();
                }
                self.merged(old, &entry.value, inner)?
            }
        };
        match (at, merged) {
            (Some(at), Some(merged)) => fields[at].1 = merged,
            (Some(at), None) => drop(fields.remove(at)),
            (None, Some(merged)) => fields.push((entry.key.clone(), merged)),
            (None, None) => {}
        }
        Ok(())
    }

    fn is_pod_template(&mut self, part: &SkeletonNode) -> bool {
        let (_, fields) = self.opened_map(part.clone());
        let Some((_, spec)) = fields.into_iter().find(|(key, _)| &**key == "spec") else {
            return false;
        };
        let (_, fields) = self.opened_map(spec);
        let mut fields = fields.iter();
        fields.any(|(key, value)| &**key == "containers" && self.form(value) == PartForm::List)
    }

    /// A list that does not merge: all of it is the patch's.
    fn written_list(&mut self, patch: &Node) -> Result<SkeletonNode, PatchProblem> {
        let mut items = Vec::new();
        for item in patch.as_list().unwrap_or_default() {
            if let Some(directive) = item.entries().iter().find(|entry| &*entry.key == DIRECTIVE) {
                return Err(PatchProblem {
                    message: "items of this list do not merge, so `$patch` says nothing of one"
                        .to_owned(),
                    place: directive.key_id,
                });
            }
            items.extend(self.merged(super::nothing(), item, MergePlace::UNKNOWN)?);
        }
        Ok(PartFrame::new().around(PartKind::List(items)))
    }

    fn merged_list(
        &mut self,
        old: SkeletonNode,
        patch: &Arc<[Node]>,
        keys: &[String],
        place: MergePlace<'_>,
    ) -> Result<Option<SkeletonNode>, PatchProblem> {
        let (outside, old) = match directive_of_list(patch)? {
            Directive::Delete => return Ok(None),
            Directive::Replace => (PartFrame::new(), Vec::new()),
            Directive::Merge => self.opened_list(old),
        };
        let mut found: Vec<MergedItem<'_>> = Vec::new();
        let new = patch
            .iter()
            .filter(|item| !item.is_null() && !is_list_directive(item));
        for item in new {
            found.push(MergedItem {
                keys: keys_in_patch(item, keys),
                position: 0,
                old: None,
                new: Some(item),
            });
        }
        for (at, item) in old.into_iter().enumerate() {
            found.push(MergedItem {
                keys: self.keys_of(&item, keys),
                position: at + 1,
                old: Some(item),
                new: None,
            });
        }
        if found
            .iter()
            .any(|item| item.keys.iter().any(String::is_empty))
        {
            unify(&mut found, patch)?;
        }
        let mut merged: Vec<MergedItem<'_>> = Vec::new();
        let mut positions: HashMap<Vec<String>, usize> = HashMap::new();
        for item in found {
            let is_named = item.keys.iter().any(|value| !value.is_empty());
            match positions.get(&item.keys).filter(|_| is_named) {
                Some(at) => {
                    let known = &mut merged[*at];
                    known.position = known.position.max(item.position);
                    known.old = known.old.take().or(item.old);
                    known.new = known.new.or(item.new);
                }
                None => {
                    positions.insert(item.keys.clone(), merged.len());
                    merged.push(item);
                }
            }
        }
        // Kustomize keeps the order of what is there where several keys tell items apart, and else that of the patch.
        let known = |key: usize| merged.iter().any(|item| !item.keys[key].is_empty());
        if (0..keys.len()).filter(|key| known(*key)).count() > 1 {
            merged.sort_by_key(|item| item.position);
        }
        let mut items = Vec::new();
        for item in merged {
            let old = item.old.unwrap_or_else(super::nothing);
            items.extend(match item.new {
                None => Some(old),
                Some(new) => self.merged(old, new, place)?,
            });
        }
        Ok(Some(outside.around(PartKind::List(items))))
    }

    fn keys_of(&mut self, item: &SkeletonNode, keys: &[String]) -> Vec<String> {
        if keys.is_empty() {
            return vec![self.scalar(item).unwrap_or_default()];
        }
        let (_, fields) = self.opened_map(item.clone());
        let value = |key: &String| {
            let field = fields.iter().find(|(known, _)| **known == **key);
            field
                .and_then(|(_, value)| self.scalar(value))
                .unwrap_or_default()
        };
        keys.iter().map(value).collect()
    }
}

fn keys_in_patch(item: &Node, keys: &[String]) -> Vec<String> {
    if keys.is_empty() {
        return vec![scalar_text(&item.value).unwrap_or_default().into_owned()];
    }
    let value = |key: &String| {
        let value = item.get(key).and_then(|node| scalar_text(&node.value));
        value.unwrap_or_default().into_owned()
    };
    keys.iter().map(value).collect()
}

/// Items that only differ in keys that one of them lacks are the same: `8080` is `8080/TCP`, where that is there.
fn unify(items: &mut [MergedItem<'_>], patch: &[Node]) -> Result<(), PatchProblem> {
    if items.len() > MAX_UNIFIED {
        return Err(PatchProblem {
            message: format!(
                "more than {MAX_UNIFIED} items, some of which lack keys, do not merge"
            ),
            place: patch.first().map_or(NodeId::NONE, |item| item.id),
        });
    }
    for a in 0..items.len() {
        for b in 0..items.len() {
            let pairs = || items[a].keys.iter().zip(&items[b].keys);
            let has_common = pairs().any(|(a, b)| a == b);
            let differs = pairs().any(|(a, b)| a != b && !a.is_empty() && !b.is_empty());
            if a != b && items[a].keys.len() > 1 && has_common && !differs {
                let both = pairs().map(|(a, b)| if a.is_empty() { b } else { a });
                let both: Vec<String> = both.cloned().collect();
                items[a].keys.clone_from(&both);
                items[b].keys = both;
            }
        }
    }
    Ok(())
}
