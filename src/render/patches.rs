//! Patches of what was rendered, in the order of layers.

use std::borrow::Cow;
use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};

use crate::model::demand;
use crate::model::field::Field;
use crate::model::instance::{Instance, PatchEffect, PatchLayer, Unit, Usage};
use crate::model::kinds::{PatchTarget, Workload};
use tenantry_engine::manifest::{Manifest, Rendered, SkeletonNode};
use tenantry_engine::view::{Shape, View};
use tenantry_kubernetes::patch::{PatchProblem, Patching};
use tenantry_kubernetes::versions;
use tenantry_syntax::diagnostics::catalogue::render as codes;
use tenantry_syntax::diagnostics::catalogue::resolve::LOCKED;
use tenantry_syntax::diagnostics::{Diagnostic, Sink, Sources};
use tenantry_syntax::yaml::{Node, NodeId, Value, entry, merge};

use super::registry::Templates;

/// Most skeletons of patched manifests that are kept.
const MAX_KEPT: usize = 10_000;

/// The skeletons of patched manifests: equal ones are one, so that what was judged of one holds for all.
#[derive(Debug, Default)]
pub(super) struct PatchedSkeletons(Mutex<HashMap<blake3::Hash, Arc<Vec<SkeletonNode>>>>);

impl PatchedSkeletons {
    fn of(&self, root: SkeletonNode) -> Arc<Vec<SkeletonNode>> {
        let digest = blake3::hash(format!("{root:?}").as_bytes());
        let mut kept = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if kept.len() >= MAX_KEPT {
            kept.clear();
        }
        let known = kept.entry(digest);
        Arc::clone(known.or_insert_with(|| Arc::new(vec![root])))
    }
}

/// Applies the patches of a unit and of its instances; an object that one deletes is left out.
pub(super) fn apply(
    templates: &Templates,
    unit: &Unit,
    rendered: Vec<Rendered>,
    sources: &Sources,
    usage: &mut Usage,
    sink: &mut Sink,
) -> Vec<Rendered> {
    let of_instances = unit.instances.iter().flat_map(|one| &one.patches);
    for layer in unit.patches.iter().chain(of_instances) {
        usage.note_patch(layer.patch.id, PatchEffect::MatchedNone);
    }
    let mut work = PatchWork {
        templates,
        unit,
        sources,
        usage,
        sink,
    };
    let patched = rendered.into_iter().filter_map(|one| work.object(one));
    patched.collect()
}

struct PatchWork<'a, 'w> {
    templates: &'a Templates,
    unit: &'a Unit,
    sources: &'a Sources,
    usage: &'w mut Usage,
    sink: &'w mut Sink,
}

impl PatchWork<'_, '_> {
    /// An object with what its workload adds to pods, and with its patches; nothing if one deletes it.
    fn object(&mut self, mut one: Rendered) -> Option<Rendered> {
        if !one.scope.makes_objects() {
            return Some(one);
        }
        let instance = one.instance.and_then(|at| self.unit.instances.get(at));
        if let Some(instance) = instance {
            self.fragments(instance, &mut one);
        }
        for layer in instance.map_or(&self.unit.patches, |instance| &instance.patches) {
            if !is_meant(layer, &one.manifest) {
                continue;
            }
            let what = format!("a patch of {}", layer.source);
            let changed = match patched(self.templates, layer, &one.manifest) {
                Ok(changed) => changed,
                Err(problem) => {
                    self.failed(&problem, &what, layer.patch.id, &one.manifest);
                    continue;
                }
            };
            let Some(changed) = changed else {
                self.usage.note_patch(layer.patch.id, PatchEffect::Changed);
                return None;
            };
            if changed.root().to_json() == one.manifest.root().to_json() {
                self.usage
                    .note_patch(layer.patch.id, PatchEffect::ChangedNone);
                continue;
            }
            self.usage.note_patch(layer.patch.id, PatchEffect::Changed);
            if let Some(instance) = instance.filter(|_| layer.source.is_above_contexts()) {
                let held = Held {
                    unit: self.unit,
                    instance,
                    what,
                    place: layer.patch.id,
                    sources: self.sources,
                };
                held.check(one.manifest.root(), Some(changed.root()), self.sink);
            }
            replace(&mut one, changed);
        }
        Some(one)
    }

    /// Merges `pod` and `container` of a workload into the pods that an object of it makes.
    fn fragments(&mut self, instance: &Instance, one: &mut Rendered) {
        let workload = Field::<Workload>::of(&instance.workload);
        let (pod, container) = (workload.pod().node(), workload.container().node());
        if pod.is_none() && container.is_none() {
            return;
        }
        let kind = one.manifest.kind();
        if demand::pod_template(one.manifest.root(), &kind).is_none() {
            return;
        }
        let container = container.map(|container| in_list(instance, container));
        let fragments = [("`pod`", pod), ("`container`", container.as_ref())];
        let mut patching = Patching::of(&one.manifest);
        let mut first = NodeId::NONE;
        for (what, fragment) in fragments {
            let Some(fragment) = fragment else { continue };
            let patch = Node::map(fragment.id, vec![entry("spec", fragment.clone())]);
            if let Err(problem) = patching.merge_pod(demand::way_to_pod_template(&kind), &patch) {
                self.failed(&problem, what, fragment.id, &one.manifest);
                return;
            }
            first = fragment.id;
        }
        let changed = patching.finish(|root| self.templates.patched.of(root));
        let Some(changed) = changed else { return };
        let held = Held {
            unit: self.unit,
            instance,
            what: "a fragment of a pod".to_owned(),
            place: first,
            sources: self.sources,
        };
        held.check(one.manifest.root(), Some(changed.root()), self.sink);
        replace(one, changed);
    }

    fn failed(&mut self, problem: &PatchProblem, what: &str, patch: NodeId, manifest: &Manifest) {
        let place = match problem.place {
            NodeId::NONE => patch,
            place => place,
        };
        let kind = manifest.kind();
        let message = format!("{kind}: {what} cannot be applied: {}", problem.message);
        let span = self.sources.span(place);
        self.sink.push(
            Diagnostic::new(codes::PATCH_FAILED, message)
                .at(span.map(|span| self.sources.first_line(span)), "")
                .note(format!("in {}", manifest.title()))
                .help("write it for what is rendered: `tenantry why` shows the object's fields"),
        );
    }
}

/// A fragment of the workload's own container, as a fragment of its pod.
fn in_list(instance: &Instance, container: &Node) -> Node {
    let name = Node::text(instance.name, instance.component.as_str());
    let mut entries = vec![entry("name", name)];
    entries.extend(container.entries().iter().cloned());
    let items = [Node::map(container.id, entries)];
    let list = Node::new(container.id, Value::List(items.into()));
    Node::map(container.id, vec![entry("containers", list)])
}

fn replace(one: &mut Rendered, changed: Manifest) {
    let before = std::mem::replace(&mut one.manifest, changed);
    one.unpatched.get_or_insert(before);
}

fn patched(
    templates: &Templates,
    layer: &PatchLayer,
    manifest: &Manifest,
) -> Result<Option<Manifest>, PatchProblem> {
    let mut patching = Patching::of(manifest);
    if let Some(merge) = layer.fields().merge().node() {
        patching.merge(merge)?;
    }
    if let Some(json) = layer.fields().json().node() {
        patching.json(json.as_list().unwrap_or_default())?;
    }
    let changed = patching.finish(|root| templates.patched.of(root));
    if let Some(changed) = &changed {
        let is_same = |part: fn(&Manifest) -> Cow<'_, str>| part(changed) == part(manifest);
        // What an object is decides where it goes and whose it is.
        for (field, is_kept) in [
            ("apiVersion", is_same(Manifest::api_version)),
            ("kind", is_same(Manifest::kind)),
            ("metadata.name", is_same(Manifest::name)),
            ("metadata.namespace", is_same(Manifest::namespace)),
        ] {
            if !is_kept {
                return Err(PatchProblem {
                    message: format!("it would change `{field}`, by which the object is known"),
                    place: layer.patch.id,
                });
            }
        }
    }
    Ok(changed)
}

/// The locked values of an instance, which a patch may not replace where they are printed.
struct Held<'a> {
    unit: &'a Unit,
    instance: &'a Instance,
    /// What replaces them, for people, and where it is.
    what: String,
    place: NodeId,
    sources: &'a Sources,
}

impl Held<'_> {
    /// Whether a part of a fragment is of a layer for which the locks of contexts hold; patches were chosen by theirs.
    fn is_above_contexts(&self, place: NodeId) -> bool {
        let mut layers = self.instance.layers.iter().rev();
        let layer = layers.find(|layer| merge::find(&layer.values, place).is_some());
        layer.is_none_or(|layer| layer.source.is_above_contexts())
    }

    fn check(&self, before: View<'_>, after: Option<View<'_>>, sink: &mut Sink) {
        if after.is_some_and(|after| after.is_written_as(before)) {
            return;
        }
        match before.shape() {
            Shape::Map => {
                for field in before.fields() {
                    let after = after.and_then(|after| after.get(&field.key));
                    self.check(field.value, after, sink);
                }
            }
            Shape::List => {
                // Items may have moved: what is still there somewhere is the same.
                let now = after.map(View::items).unwrap_or_default();
                for item in before.items() {
                    let name = item.text_at(&["name"]);
                    let same = now.iter().find(|now| {
                        now.is_written_as(item)
                            || !name.is_empty() && now.text_at(&["name"]) == name
                    });
                    self.check(item, same.copied(), sink);
                }
            }
            _ if after.is_some_and(|after| after.to_json() == before.to_json()) => {}
            _ => {
                let sources = before.sources().into_iter();
                let mut inputs = sources.flat_map(|id| self.unit.derivations.inputs(id));
                let held = inputs.find_map(|id| {
                    let mut locked = self.instance.locked.iter();
                    locked.find(|(value, _)| *value == id)
                });
                if let Some((value, lock)) = held {
                    let patch = after.and_then(|after| after.sources().first().copied());
                    let place = patch.unwrap_or(self.place);
                    if !self.is_above_contexts(place) {
                        return;
                    }
                    let message = format!("{} replaces a locked value", self.what);
                    sink.push(
                        Diagnostic::new(LOCKED, message)
                            .at(self.sources.span(place), "replaces it")
                            .and(self.sources.span(*lock), "locked here")
                            .and(self.sources.span(*value), "the value that is locked")
                            .help("remove it from the patch, or ask the context's owner to lift the lock"),
                    );
                }
            }
        }
    }
}

fn is_meant(layer: &PatchLayer, manifest: &Manifest) -> bool {
    let target: Field<'_, PatchTarget> = layer.fields().target();
    let api_version = manifest.api_version();
    let version = api_version.rsplit('/').next().unwrap_or_default();
    let fits = |wanted: Field<'_, String>, found: &str| {
        wanted.as_str().is_none_or(|wanted| wanted == found)
    };
    fits(target.group(), versions::group(&api_version))
        && fits(target.version(), version)
        && fits(target.kind(), &manifest.kind())
        && target
            .name()
            .as_str()
            .is_none_or(|wanted| is_like(wanted, &manifest.name()))
        && target.labels().entries().all(|(entry, wanted)| {
            let labels = manifest.root().at(&["metadata", "labels"]);
            let found = labels.and_then(|labels| labels.get(&entry.key));
            found.and_then(View::text).as_deref() == wanted.as_str()
        })
}

/// Whether a name fits a pattern, in which `*` stands for any characters.
fn is_like(pattern: &str, name: &str) -> bool {
    let Some((first, rest)) = pattern.split_once('*') else {
        return pattern == name;
    };
    let Some(mut left) = name.strip_prefix(first) else {
        return false;
    };
    let mut parts: Vec<&str> = rest.split('*').collect();
    let last = parts.pop().unwrap_or_default();
    for part in parts {
        match left.find(part) {
            Some(at) => left = &left[at + part.len()..],
            None => return false,
        }
    }
    left.ends_with(last)
}

/// Finds patches that match nothing, or change nothing, wherever they apply.
pub(super) fn without_effect(usage: &mut Usage, sources: &Sources, sink: &mut Sink) {
    for (id, effect) in std::mem::take(&mut usage.patches) {
        let (code, message, label) = match effect {
            PatchEffect::Changed => continue,
            PatchEffect::MatchedNone => (
                codes::PATCH_MATCHES_NOTHING,
                "this patch matches no object",
                "its target is not rendered where the patch applies",
            ),
            PatchEffect::ChangedNone => (
                codes::PATCH_CHANGES_NOTHING,
                "this patch changes nothing",
                "all objects that it matches are so without it",
            ),
        };
        let place = sources.span(id).map(|span| sources.first_line(span));
        sink.push(
            Diagnostic::new(code, message)
                .at(place, label)
                .help(match effect {
                    PatchEffect::MatchedNone => "correct its `target`, or remove the patch",
                    _ => "remove it",
                }),
        );
    }
}
