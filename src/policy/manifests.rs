//! Any manifests by any policies, outside of a compilation: `tenantry policy eval`.

use std::collections::BTreeMap;

use super::equivalents::Converted;
use super::judge::{self, RuleVerdict, judge};
use super::judging::{bound_params, namespace_label};
use super::matching::{Match, Objects};
use super::names::{NAMESPACE_OBJECT, NameValues, OBJECT, OLD_OBJECT};
use super::rules::Rule;
use super::{matching, report};
use crate::model::kinds::Enforcement;
use crate::model::kinds::policy::{Operation, Target};
use tenantry_cel::tree::StoredTree;
use tenantry_cel::{self, CelValue};
use tenantry_engine::view::View;
use tenantry_syntax::diagnostics::{Sink, Sources};
use tenantry_syntax::yaml::{Node, merge};

/// What a policy says of a manifest.
#[derive(Clone, Debug)]
pub struct Answer {
    /// The policy.
    pub policy: String,
    /// The object: `Deployment/web`.
    pub object: String,
    /// Its namespace.
    pub namespace: String,
    /// `pass`, `fail`, `skip` or `undecided`.
    pub result: &'static str,
    /// What is wrong.
    pub messages: Vec<String>,
    /// The fields that decided it.
    pub paths: Vec<String>,
    /// What the audit log gets, by `POLICY/KEY`.
    pub audit: BTreeMap<String, String>,
}

/// A manifest that is judged, and what it was before.
pub struct JudgedManifest<'a> {
    /// The object.
    pub object: &'a Node,
    /// Before.
    pub old: Option<&'a Node>,
    /// Its namespace, where that is known.
    pub namespace: Option<&'a Node>,
    /// What is done to it.
    pub operation: Operation,
}

/// Judges a manifest by a policy, with parameters; findings that have a line are in the sink.
pub fn evaluate(
    rule: &Rule,
    manifest: &JudgedManifest<'_>,
    params: &Node,
    sources: &Sources,
    sink: &mut Sink,
) -> Answer {
    let root = View::of(manifest.object);
    let is_removed = manifest.operation == Operation::Delete;
    let objects = Objects {
        object: (!is_removed).then_some(root),
        old: manifest.old.map(View::of).or(is_removed.then_some(root)),
    };
    let mut scene = NameValues::new(matching::request(root, manifest.operation));
    for (place, view) in [(OBJECT, objects.object), (OLD_OBJECT, objects.old)] {
        if let Some(view) = view {
            scene.set(place, CelValue::Tree(StoredTree::object(view, None)));
        }
    }
    if let Some(namespace) = manifest.namespace {
        scene.set(
            NAMESPACE_OBJECT,
            tenantry_cel::tree::of(View::of(namespace)),
        );
    }
    let answer = Answer {
        policy: rule.name.clone(),
        object: format!("{}/{}", scene.request.kind, scene.request.name),
        namespace: root.namespace().into_owned(),
        result: "skip",
        messages: Vec::new(),
        paths: Vec::new(),
        audit: BTreeMap::new(),
    };
    let own = merge::over(&rule.defaults, params);
    let mut evaluation = Evaluation {
        rule,
        objects,
        own: &own,
        sources,
        sink,
        answer,
    };
    if rule.target == Target::Manifest {
        let label = namespace_label(&scene);
        match matching::matches(rule.constraints.as_ref(), &scene.request, objects, &label) {
            None => {}
            Some(Match::Exact) => evaluation.bound(&scene, root),
            Some(Match::Equivalent(version)) => {
                match Converted::new(objects, &scene.request, &version) {
                    None => evaluation.answer.result = "undecided",
                    Some(converted) => {
                        if let Some(root) = converted.root() {
                            evaluation.bound(&converted.scene(&scene, &version), root);
                        }
                    }
                }
            }
        }
    }
    evaluation.answer
}

/// The judging of one manifest by one policy.
struct Evaluation<'e> {
    rule: &'e Rule,
    objects: Objects<'e>,
    own: &'e Node,
    sources: &'e Sources,
    sink: &'e mut Sink,
    answer: Answer,
}

impl Evaluation<'_> {
    /// Judges as each binding of the policy says.
    fn bound(&mut self, scene: &NameValues<'_>, root: View<'_>) {
        let Some(bindings) = &self.rule.admission else {
            self.judge(scene, root, self.rule.enforcement, self.own);
            return;
        };
        let request = scene.request.original.as_deref().unwrap_or(&scene.request);
        let label = namespace_label(scene);
        for binding in &bindings.list {
            let resources = binding.resources.as_ref();
            if matching::matches(resources, request, self.objects, &label).is_none() {
                continue;
            }
            match bound_params(binding, request) {
                Ok(found) => {
                    for params in found {
                        self.judge(scene, root, binding.enforcement, params);
                    }
                }
                Err(problem) if self.rule.fails_on_error => {
                    let finding = report::finding(self.rule, Enforcement::Deny, problem.to_owned());
                    let object = &self.answer.object;
                    self.sink.push(finding.note(format!("in {object}")));
                    self.answer.result = "fail";
                    self.answer.messages.push(problem.to_owned());
                }
                Err(_) => {}
            }
        }
    }

    fn judge(
        &mut self,
        scene: &NameValues<'_>,
        root: View<'_>,
        enforcement: Enforcement,
        params: &Node,
    ) {
        let answer = &mut self.answer;
        // Its own, so that it lives no longer than the parameters.
        let scene = &scene.of_request(scene.request.clone());
        let params = tenantry_cel::tree::of(View::of(params));
        let verdict = judge(self.rule, scene, &params, &mut 0);
        if matches!(verdict, RuleVerdict::Met | RuleVerdict::Failed(_)) {
            for (key, value) in judge::published(self.rule, scene, &params) {
                let text = answer.audit.entry(format!("{}/{key}", self.rule.name));
                let text = text.or_default();
                // Bindings that say the same say it once.
                if !text.split(", ").any(|known| known == value) {
                    text.push_str(if text.is_empty() { "" } else { ", " });
                    text.push_str(&value);
                }
            }
        }
        match verdict {
            RuleVerdict::Met if answer.result == "skip" => answer.result = "pass",
            RuleVerdict::Undecided(_) if answer.result != "fail" => answer.result = "undecided",
            RuleVerdict::Skipped | RuleVerdict::Met | RuleVerdict::Undecided(_) => {}
            RuleVerdict::Failed(failures) => {
                answer.result = "fail";
                for failure in failures {
                    let (view, path) =
                        report::decided(&failure, root).unwrap_or((root, String::new()));
                    let place = view.sources().first().and_then(|id| self.sources.span(*id));
                    let action = if failure.always_denies {
                        Enforcement::Deny
                    } else {
                        enforcement
                    };
                    let finding = report::finding(self.rule, action, failure.message.clone())
                        .at(place.map(|span| self.sources.first_line(span)), "")
                        .note(format!("in {}", answer.object));
                    self.sink.push(finding);
                    answer.messages.push(failure.message);
                    answer.paths.push(path);
                }
            }
        }
    }
}
