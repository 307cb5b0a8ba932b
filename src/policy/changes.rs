//! What rules say of changes, and the parameters that hold for them.

use super::Circumstances;
use super::surroundings::kubernetes_of;
use super::surroundings::named;
use super::surroundings::namespace_object;
use super::{Left, ParameterSet, Policies, UnitObjects, judging, matching, names, parameters};
use crate::model::kinds::policy::Operation;
use crate::model::kinds::policy::Target;
use crate::model::locator::Locator;
use judging::Judging;
use matching::Objects;
use names::AdmissionRequest;
use std::sync::Arc;
use std::sync::Mutex;
use std::sync::PoisonError;
use tenantry_engine::manifest::Rendered;
use tenantry_engine::view::View;
use tenantry_syntax::diagnostics::Sink;
use tenantry_syntax::yaml::Node;
use tenantry_syntax::yaml::NodeId;
use tenantry_syntax::yaml::entry;

impl Policies<'_> {
    /// Judges what a change does to objects: pairs of before and after, of which one may be missing.
    pub fn change(
        &self,
        objects: &UnitObjects<'_>,
        pairs: &[(Option<View<'_>>, Option<&Rendered>)],
        left: &mut Left,
        sink: &mut Sink,
    ) {
        let circumstances = Circumstances::of_unit(objects.unit);
        // What is weakened was told when the unit was judged.
        let active = self.active(&circumstances, objects, &mut Sink::default());
        let locator = Locator {
            sources: self.input.sources,
            unit: objects.unit,
            rendered: objects.rendered,
        };
        let namespace = namespace_object(objects);
        let kubernetes = kubernetes_of(objects.unit);
        let named = named(objects.unit);
        let mut judging = Judging {
            policies: self,
            locator: &locator,
            custom: self.custom(objects.unit),
            named: &named,
            left,
            sink,
        };
        for (before, after) in pairs {
            let operation = match (before, after) {
                (Some(_), Some(_)) => Operation::Update,
                (Some(_), None) => Operation::Delete,
                _ => Operation::Create,
            };
            let root = after.map(|one| one.manifest.root());
            let Some(place) = root.or(*before) else {
                continue;
            };
            let request = AdmissionRequest {
                kubernetes,
                ..matching::request(place, operation)
            };
            let state = Objects {
                object: root,
                old: *before,
            };
            let mut scene = judging.scene(request.clone(), *after, *before, namespace.as_ref());
            let word = Node::text(NodeId::NONE, request.operation_word());
            let change = Node::map(NodeId::NONE, vec![entry("operation", word)]);
            scene.set(
                names::position("change").unwrap_or(0),
                tenantry_cel::tree::of(View::of(&change)),
            );
            // What only an update or a removal shows of an object was not judged before.
            let created = AdmissionRequest {
                operation: Some(Operation::Create),
                ..request.clone()
            };
            let now = Objects {
                object: root,
                old: None,
            };
            for target in [Target::Change, Target::Manifest] {
                if target == Target::Manifest && operation == Operation::Create {
                    continue;
                }
                for index in self.naming(target, &request).iter() {
                    let rule = &self.rules[*index];
                    let asks_before = || {
                        let mut programs = rule.programs();
                        programs.any(|program| program.uses.contains(&names::OLD_OBJECT))
                    };
                    let told = target == Target::Manifest
                        && operation == Operation::Update
                        && !asks_before()
                        && matching::matches(
                            rule.constraints.as_ref(),
                            &created,
                            now,
                            &judging::namespace_label(&scene),
                        )
                        .is_some();
                    if let (Some(params), false) = (active.get(*index), told) {
                        judging.object(*index, params, &scene, *after, state);
                    }
                }
            }
        }
    }

    /// The parameters of all rules: the same for all tenants that set none and share their contexts.
    pub(super) fn parameters(
        &self,
        circumstances: &Circumstances<'_>,
        contexts: &[&Node],
    ) -> Arc<ParameterSet> {
        let compliance = circumstances
            .tenant
            .and_then(|tenant| tenant.get("compliance"));
        let compliance = compliance.filter(|layer| !layer.entries().is_empty());
        let mut key: Vec<NodeId> = vec![compliance.map_or(NodeId::NONE, |layer| layer.id)];
        key.extend(contexts.iter().map(|layer| layer.id));
        let known = self
            .parameters
            .read()
            .unwrap_or_else(PoisonError::into_inner);
        if let Some(found) = known.get(&key) {
            return Arc::clone(found);
        }
        drop(known);
        let mut known = self
            .parameters
            .write()
            .unwrap_or_else(PoisonError::into_inner);
        let layers = self.layers(circumstances, contexts.to_vec());
        let found = known.entry(key).or_insert_with(|| {
            let mut weakened = Sink::default();
            let of_rule =
                |rule| parameters::of_rule(rule, &layers, self.input.sources, &mut weakened);
            Arc::new(ParameterSet {
                of_rules: self.rules.iter().map(of_rule).collect(),
                weakened: Mutex::new(weakened),
            })
        });
        Arc::clone(found)
    }

    pub(super) fn layers<'l>(
        &'l self,
        circumstances: &Circumstances<'l>,
        contexts: Vec<&'l Node>,
    ) -> parameters::Layers<'l> {
        let platform = self.input.catalog.platforms.iter().next();
        parameters::Layers {
            frameworks: &self.input.catalog.frameworks,
            platform: platform.and_then(|platform| platform.effective.get("frameworks")),
            contexts,
            tenant: circumstances
                .tenant
                .and_then(|tenant| tenant.get("compliance")),
        }
    }
}
