//! The judging of one unit: each object, instance and change by each rule that holds, each finding at
//! the line that decided it.

use std::cell::OnceCell;
use std::sync::atomic::Ordering;

use super::equivalents::Converted;
use super::judge::{Failure, RuleVerdict, judge};
use super::matching::{Match, Objects};
use super::names::{self, AdmissionRequest, NAMESPACE_OBJECT, NameValues, OBJECT, OLD_OBJECT};
use super::rules::Rule;
use super::verdicts::Passed;
use super::{Left, Policies, admission, matching, report, rule_enforcement, rules};
use crate::model::instance::Instance;
use crate::model::kinds::Enforcement;
use crate::model::locator::Locator;
use crate::model::verdict::{Outcome, VerdictSubject};
use tenantry_cel::tree::StoredTree;
use tenantry_cel::{self, CelValue};
use tenantry_engine::manifest::Rendered;
use tenantry_engine::view::View;
use tenantry_kubernetes::schemas::ObjectSchemas;
use tenantry_syntax::diagnostics::catalogue::policy as codes;
use tenantry_syntax::diagnostics::{Diagnostic, Sink};
use tenantry_syntax::yaml::{Node, NodeId, Value as Yaml};

/// The judging of one unit.
pub struct Judging<'j, 'p, 'l> {
    pub policies: &'j Policies<'p>,
    pub locator: &'j Locator<'l>,
    /// The schemas of the cluster's custom resources.
    pub custom: Option<&'j ObjectSchemas>,
    /// The unit's variables as rules see them.
    pub named: &'j [(&'static str, Node)],
    pub left: &'j mut Left,
    pub sink: &'j mut Sink,
}

impl<'j> Judging<'j, '_, '_> {
    /// What rules see of an object.
    pub fn scene<'a>(
        &self,
        request: AdmissionRequest,
        one: Option<&'a Rendered>,
        before: Option<View<'a>>,
        namespace: Option<&'a Node>,
    ) -> NameValues<'a>
    where
        'j: 'a,
    {
        // A namespace is in none, though a request about it names it.
        let outside = request.namespace.is_empty() || request.resource == "namespaces";
        let mut scene = NameValues::new(request);
        scene.known = one.filter(|_| before.is_none()).and_then(|one| {
            let verdicts = &self.policies.verdicts;
            verdicts.of(&one.manifest, self.custom, &scene.request)
        });
        if let Some(one) = one {
            scene.set(
                OBJECT,
                CelValue::Tree(StoredTree::object(one.manifest.root(), self.custom)),
            );
        }
        if let Some(before) = before {
            scene.set(
                OLD_OBJECT,
                CelValue::Tree(StoredTree::object(before, self.custom)),
            );
        }
        if let Some(namespace) = namespace.filter(|_| !outside) {
            scene.set(
                NAMESPACE_OBJECT,
                tenantry_cel::tree::of(View::of(namespace)),
            );
        }
        let instance = one
            .and_then(|one| one.instance)
            .and_then(|at| self.locator.unit.instances.get(at));
        self.surroundings(&mut scene, instance);
        scene
    }

    /// What a compiler knows besides.
    fn surroundings<'a>(&self, scene: &mut NameValues<'a>, instance: Option<&'a Instance>)
    where
        'j: 'a,
    {
        let own = instance.map_or(&[][..], |instance| &instance.variables);
        for (name, node) in self.named.iter().chain(own) {
            if let Some(position) = names::position(name) {
                scene.set(position, tenantry_cel::tree::of(View::of(node)));
            }
        }
        let resources = names::position("resources").unwrap_or(0);
        scene.set(
            resources,
            tenantry_cel::tree::of(View::of(&self.policies.resources)),
        );
    }

    /// Judges what is done to one object by one rule; `one` is what was rendered, if it is still there.
    pub fn object<'a>(
        &mut self,
        index: usize,
        params: &'a Node,
        scene: &NameValues<'a>,
        one: Option<&'a Rendered>,
        objects: Objects<'a>,
    ) where
        'j: 'a,
    {
        let rule: &'a Rule = &self.policies.rules[index];
        let label = namespace_label(scene);
        let constraints = rule.constraints.as_ref();
        let Some(root) = objects.object.or(objects.old) else {
            return;
        };
        match matching::matches(constraints, &scene.request, objects, &label) {
            None => {}
            Some(Match::Exact) => self.bound(index, params, scene, one, objects, root),
            Some(Match::Equivalent(version)) => {
                let Some(converted) = Converted::new(objects, &scene.request, &version) else {
                    self.undecided(index, "the object in the version that the rule names");
                    return;
                };
                if let Some(root) = converted.root() {
                    let seen = converted.scene(scene, &version);
                    self.bound(index, params, &seen, one, objects, root);
                }
            }
        }
    }

    /// Judges as each binding of the rule says.
    fn bound<'a>(
        &mut self,
        index: usize,
        params: &'a Node,
        scene: &NameValues<'a>,
        one: Option<&'a Rendered>,
        objects: Objects<'_>,
        root: View<'a>,
    ) where
        'j: 'a,
    {
        let rule: &'a Rule = &self.policies.rules[index];
        let Some(bindings) = &rule.admission else {
            self.verdict(index, rule.enforcement, params, scene, one, root);
            return;
        };
        let request = scene.request.original.as_deref().unwrap_or(&scene.request);
        let label = namespace_label(scene);
        for binding in &bindings.list {
            if matching::matches(binding.resources.as_ref(), request, objects, &label).is_none() {
                continue;
            }
            match bound_params(binding, request) {
                Ok(found) => {
                    for params in found {
                        self.verdict(index, binding.enforcement, params, scene, one, root);
                    }
                }
                Err(problem) if rule.fails_on_error => {
                    self.without_params(index, problem, scene, one, root);
                }
                Err(_) => {}
            }
        }
    }

    /// Judges one component of a tenant by rules with their parameters.
    pub fn instance(&mut self, rules: &[(usize, &Node)], instance: &Instance) {
        if rules.is_empty() {
            return;
        }
        let tree = &instance.instance;
        let mut scene = NameValues::new(AdmissionRequest::default());
        self.surroundings(&mut scene, Some(instance));
        let digest = OnceCell::new();
        let gives_evidence = self.policies.input.gives_evidence;
        for (index, params) in rules {
            let Some(failures) = self.failures(*index, &scene, params) else {
                continue;
            };
            let digest = digest.get_or_init(|| gives_evidence.then(|| rules::digest(tree)));
            self.instance_failures(*index, params, instance, failures, digest.as_ref());
        }
    }

    /// Tells what is wrong with one component of a tenant by one rule. `digest` is the instance's.
    fn instance_failures(
        &mut self,
        index: usize,
        params: &Node,
        instance: &Instance,
        failures: Vec<Failure<'_>>,
        digest: Option<&String>,
    ) {
        let rule = &self.policies.rules[index];
        let subject = VerdictSubject {
            component: instance.component.clone(),
            object: format!("Component/{}", instance.component),
            ..self.subject()
        };
        let roots: Vec<(&str, View<'_>)> = instance
            .variables
            .iter()
            .chain(self.named)
            .map(|(name, node)| (*name, View::of(node)))
            .collect();
        let known = self.left.records.len();
        for failure in failures {
            let decisive = failure.reads.into_iter().rev().find_map(|read| {
                roots.iter().find_map(|(name, root)| {
                    let path = root.path_to(read.view)?;
                    let text = report::path_text(name, &path, read.missing.as_ref());
                    Some((read.clone(), text))
                })
            });
            let (decided, path) = decisive.unzip();
            let subject = VerdictSubject {
                path: path.unwrap_or_default(),
                ..subject.clone()
            };
            let finding = report::finding(
                rule,
                rule_enforcement(self.policies, rule, rule.enforcement),
                failure.message.clone(),
            );
            let own = |id: &NodeId| {
                self.locator
                    .sources
                    .span(*id)
                    .filter(|span| !self.locator.sources.is_built_in(span.file))
            };
            let read_places: Vec<NodeId> = decided
                .iter()
                .flat_map(|read| read.view.sources())
                .flat_map(|id| self.locator.unit.derivations.inputs(id))
                .collect();
            let exact = read_places
                .iter()
                .find_map(own)
                .filter(|_| decided.as_ref().is_some_and(|read| read.missing.is_none()));
            // What a document lacks is added to that document.
            let lacking = subject.path.split('.').next().unwrap_or_default();
            let lacking = ["component", "tenant", "environment", "cluster"]
                .contains(&lacking)
                .then(|| roots.iter().find(|(name, _)| *name == lacking))
                .flatten()
                .and_then(|(_, root)| root.get("name")?.sources().first().copied());
            let place = exact
                .or_else(|| lacking.and_then(|id| own(&id)))
                .or_else(|| own(&instance.subscription));
            let default = read_places
                .iter()
                .find_map(|id| self.locator.sources.span(*id))
                .filter(|span| {
                    Some(*span) != place
                        && exact.is_none()
                        && decided.as_ref().is_some_and(|read| read.missing.is_none())
                });
            let place = place.map(|span| self.locator.sources.first_line(span));
            let finding = finding.at(place, "").and(
                default.map(|span| self.locator.sources.first_line(span)),
                "the value that decides it",
            );
            let key = &self.locator.unit.key;
            let finding = finding.note(format!(
                "for {}/{}, in {} on {}",
                key.tenant_name(),
                instance.component,
                key.environment,
                key.cluster
            ));
            self.push(index, finding, subject, digest.cloned(), params);
        }
        self.judged(index, known);
    }

    /// What is wrong by one rule. Nothing if it is met, not decided, or costs too much.
    fn failures<'a>(
        &mut self,
        index: usize,
        scene: &NameValues<'a>,
        params: &'a Node,
    ) -> Option<Vec<Failure<'a>>>
    where
        'j: 'a,
    {
        if !self.policies.may_spend(index) {
            return None;
        }
        let rule: &'a Rule = &self.policies.rules[index];
        let known = scene.known.as_ref();
        let known = known.filter(|_| self.policies.is_of_object_alone[index]);
        let mut judged = Passed {
            is_met: false,
            cost: 0,
        };
        let verdict = match known.and_then(|known| known.verdict(index, params)) {
            Some(found) => {
                judged = found;
                #[cfg(debug_assertions)]
                assert_same(rule, scene, params, found);
                if found.is_met {
                    RuleVerdict::Met
                } else {
                    RuleVerdict::Skipped
                }
            }
            None => {
                if let Some(known) = known {
                    known.begin();
                }
                let verdict = judge(
                    rule,
                    scene,
                    &seen_parameters(rule, params),
                    &mut judged.cost,
                );
                judged.is_met = matches!(verdict, RuleVerdict::Met);
                if let (Some(known), RuleVerdict::Met | RuleVerdict::Skipped) = (known, &verdict) {
                    known.end(index, params, judged);
                }
                verdict
            }
        };
        self.policies.spent[index].fetch_add(judged.cost, Ordering::Relaxed);
        match verdict {
            RuleVerdict::Skipped => {}
            RuleVerdict::Met => self.count(index, Outcome::Pass),
            RuleVerdict::Undecided(what) => self.undecided(index, what),
            RuleVerdict::Failed(failures) => return Some(failures),
        }
        None
    }

    /// The digest of an object, for evidence.
    fn digest(&self, root: View<'_>) -> Option<String> {
        let gives_evidence = self.policies.input.gives_evidence;
        gives_evidence.then(|| report::digest(root))
    }

    fn subject(&self) -> VerdictSubject {
        let key = &self.locator.unit.key;
        VerdictSubject {
            tenant: key.tenant_name().to_owned(),
            environment: key.environment.clone(),
            cluster: key.cluster.clone(),
            ..VerdictSubject::default()
        }
    }

    fn verdict<'a>(
        &mut self,
        index: usize,
        enforcement: Enforcement,
        params: &'a Node,
        scene: &NameValues<'a>,
        one: Option<&'a Rendered>,
        root: View<'a>,
    ) where
        'j: 'a,
    {
        let rule: &'a Rule = &self.policies.rules[index];
        let Some(failures) = self.failures(index, scene, params) else {
            return;
        };
        let enforcement = rule_enforcement(self.policies, rule, enforcement);
        let digest = self.digest(root);
        let known = self.left.records.len();
        for failure in failures {
            let (view, path) = report::decided(&failure, root).unwrap_or_else(|| {
                // A rule that only looks at what is around the object is decided there.
                let instance = one
                    .and_then(|one| one.instance)
                    .and_then(|at| self.locator.unit.instances.get(at));
                let own = instance.map_or(&[][..], |instance| &instance.variables);
                let around = failure.reads.iter().rev().find_map(|read| {
                    self.named.iter().chain(own).find_map(|(name, node)| {
                        let path = View::of(node).path_to(read.view)?;
                        Some((
                            read.view,
                            report::path_text(name, &path, read.missing.as_ref()),
                        ))
                    })
                });
                around.unwrap_or((root, String::new()))
            });
            let subject = VerdictSubject {
                component: one
                    .and_then(|one| one.instance)
                    .and_then(|at| self.locator.unit.instances.get(at))
                    .map(|instance| instance.component.clone())
                    .unwrap_or_default(),
                object: format!("{}/{}", scene.request.kind, scene.request.name),
                path,
                ..self.subject()
            };
            let expression = failure.check.filter(|_| failure.is_error);
            let expression = expression.and_then(|check| self.locator.sources.span(check.place));
            let expression = expression.map(|span| self.locator.sources.first_line(span));
            let action = if failure.always_denies {
                Enforcement::Deny
            } else {
                enforcement
            };
            let finding = report::finding(rule, action, failure.message);
            let finding = match one {
                Some(one) => {
                    let finding = finding.note(self.locator.object(one));
                    self.locator.at_own(finding, view, Some(one))
                }
                None => {
                    let finding = finding.note(format!(
                        "{} is removed, in {} on {}",
                        subject.object, subject.environment, subject.cluster
                    ));
                    self.locator.at_own(finding, view, None)
                }
            };
            let finding = finding.and(expression, "this expression");
            self.push(index, finding, subject, digest.clone(), params);
        }
        self.judged(index, known);
    }

    /// The parameters that a binding names cannot be had.
    fn without_params(
        &mut self,
        index: usize,
        problem: &str,
        scene: &NameValues<'_>,
        one: Option<&Rendered>,
        root: View<'_>,
    ) {
        let known = self.left.records.len();
        let rule = &self.policies.rules[index];
        let object = format!("{}/{}", scene.request.kind, scene.request.name);
        let note = one.map_or_else(|| object.clone(), |one| self.locator.object(one));
        let finding = report::finding(rule, Enforcement::Deny, problem.to_owned()).note(note);
        let place = rule.tree.at(&["metadata", "name"]).map(|node| node.id);
        let finding = finding
            .at(
                place.and_then(|id| self.locator.sources.span(id)),
                "this policy",
            )
            .help(
                "add the document that `paramRef` names, or write `parameterNotFoundAction: Allow`",
            );
        let subject = VerdictSubject {
            object: one.map_or(object, |one| one.manifest.title()),
            ..self.subject()
        };
        self.push(
            index,
            finding,
            subject,
            self.digest(root),
            &Node::empty_map(),
        );
        self.judged(index, known);
    }

    /// Puts a finding where it belongs, unless something accepts it.
    fn push(
        &mut self,
        index: usize,
        finding: Diagnostic,
        subject: VerdictSubject,
        digest: Option<String>,
        params: &Node,
    ) {
        self.policies.accept(
            index, finding, subject, digest, params, self.left, self.sink,
        );
    }

    /// Counts something that is not met: as accepted, when all that is wrong with it is. `known` is how
    /// many records there were before.
    fn judged(&mut self, index: usize, known: usize) {
        self.count(index, self.left.outcome(known));
    }

    fn count(&mut self, index: usize, outcome: Outcome) {
        let key = (self.locator.unit.key.tenant_name().to_owned(), index);
        self.left.counts.entry(key).or_default().add(outcome);
    }

    fn undecided(&mut self, index: usize, what: &str) {
        self.count(index, Outcome::Undecided);
        let rule = &self.policies.rules[index];
        let place = rule.tree.at(&["metadata", "name"]).map(|node| node.id);
        self.sink.push(
            Diagnostic::new(
                codes::ONLY_IN_CLUSTER,
                format!(
                    "the policy `{}` was not judged: only the API server knows {what}",
                    rule.name
                ),
            )
            .at(place.and_then(|id| self.locator.sources.span(id)), "")
            .help("nothing is to be done here: it is enforced in the cluster"),
        );
    }
}

/// Compares what is known of a rule's verdict with the rule itself.
#[cfg(debug_assertions)]
fn assert_same<'a>(rule: &'a Rule, scene: &NameValues<'a>, params: &'a Node, known: Passed) {
    let mut cost = 0;
    let verdict = judge(rule, scene, &seen_parameters(rule, params), &mut cost);
    let is_met = matches!(verdict, RuleVerdict::Met);
    assert!(
        is_met || matches!(verdict, RuleVerdict::Skipped),
        "{}",
        rule.name
    );
    assert_eq!(Passed { is_met, cost }, known, "{}", rule.name);
}

/// Parameters as a rule sees them.
fn seen_parameters<'a>(rule: &Rule, params: &'a Node) -> CelValue<'a> {
    match &rule.admission {
        Some(bindings) if !bindings.takes_parameters => CelValue::Null,
        _ => tenantry_cel::tree::of(View::of(params)),
    }
}

/// Looks up labels of the object's namespace.
pub fn namespace_label<'s>(scene: &'s NameValues<'_>) -> impl Fn(&str) -> Option<String> + 's {
    |key: &str| {
        if key == matching::NAME_LABEL {
            return Some(scene.request.namespace.clone());
        }
        let CelValue::Tree(namespace) = scene.get(NAMESPACE_OBJECT) else {
            return None;
        };
        let label = namespace.view.at(&["metadata", "labels"])?.get(key)?;
        Some(label.text()?.into_owned())
    }
}

/// The parameters that a binding judges with: none, where it says that missing ones do not matter.
///
/// # Errors
/// Why there are none, where that denies the request.
pub fn bound_params<'b>(
    binding: &'b admission::Binding,
    request: &AdmissionRequest,
) -> Result<Vec<&'b Node>, &'static str> {
    static NOTHING: std::sync::LazyLock<Node> =
        std::sync::LazyLock::new(|| Node::new(NodeId::NONE, Yaml::Null));
    let Some(parameters) = &binding.parameters else {
        return Ok(vec![&NOTHING]);
    };
    let in_own_namespace = parameters.of_own_namespace && parameters.are_namespaced;
    if in_own_namespace && request.namespace.is_empty() {
        return Err(
            "its binding looks for parameters in the namespace of the object, which has none",
        );
    }
    let documents = parameters.documents.iter().filter(|document| {
        let namespace = document.at(&["metadata", "namespace"]);
        let namespace = namespace.and_then(Node::as_str);
        !in_own_namespace || namespace.is_none_or(|name| name == request.namespace)
    });
    let found: Vec<&Node> = documents.collect();
    if found.is_empty() && parameters.denies_if_missing {
        return Err("the parameters that its binding names are not there");
    }
    Ok(found)
}
