//! Stage 6: the rules that manifests and documents must meet. Takes what was rendered, and gives
//! findings at the input line of the value that decided them, what clusters enforce, and evidence.
//!
//! * `rules`, `admission`: from documents to rules; every expression is compiled once.
//! * `names`: what expressions see. `matching`: which objects a rule judges. `judge`: one rule, one object.
//! * `parameters`, `waivers`, `baseline`: what is asked of whom, and what is excepted.
//! * `documents`: rules about tenants, components and the platform.
//! * `enforce`: the same rules for the API server. `cases`: the rules' own tests.
//!
//! A new rule is a new file below `policies/`, with its own cases; no rule is decided in code.

pub mod admission;
pub mod baseline;
pub mod cases;
mod documents;
pub mod enforce;
mod judge;
mod matching;
mod names;
mod parameters;
mod report;
pub mod rules;
mod selection;
mod waivers;

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, PoisonError, RwLock};

use jiff::civil::Date;

use crate::cel::tree::Tree;
use crate::cel::{self, Value};
use crate::diagnostics::{Diagnostic, Sink, Sources, catalogue::policy as codes};
use crate::model::catalog::Document;
use crate::model::instance::{Instance, Unit};
use crate::model::kinds::policy::{Operation, Target};
use crate::model::kinds::{Catalog, Policy};
use crate::model::locator::Locator;
use crate::model::manifest::Rendered;
use crate::model::verdict::{Count, Outcome, Record, Subject};
use crate::model::view::View;
use crate::yaml::{Entry, Node, NodeId, Value as Yaml};
use baseline::Baseline;
use judge::{Verdict, judge};
use names::{NAMESPACE_OBJECT, OBJECT, OLD_OBJECT, Request, Scene};
use rules::Rule;
pub use selection::Circumstances;
use waivers::Waivers;

/// What all expressions of one policy may cost over a whole run.
const COST_PER_RUN: u64 = 2_000_000_000;

/// What the stage is given.
#[derive(Clone, Copy)]
pub struct Input<'a> {
    /// The documents.
    pub catalog: &'a Catalog,
    /// Documents of Kubernetes' own API for admission, and their parameters.
    pub admission: &'a [Node],
    /// All files.
    pub sources: &'a Sources,
    /// The day by which expiry is judged.
    pub as_of: Date,
    /// Findings that were there before, and do not count.
    pub baseline: Option<&'a Baseline>,
}

/// The rules of a repository, ready to judge.
pub struct Policies<'a> {
    input: Input<'a>,
    rules: Vec<Rule>,
    waivers: Waivers<'a>,
    /// All documents as rules see them, where one asks.
    resources: Node,
    /// The rules that name a kind, by `apiVersion` and kind.
    by_kind: RwLock<HashMap<KindKey, Arc<[usize]>>>,
    /// What each rule cost so far.
    spent: Vec<AtomicU64>,
}

/// What rules are looked up by: API version and target, and kind.
type KindKey = (String, String);

/// What the judging of a part of the work leaves behind.
#[derive(Clone, Debug, Default)]
pub struct Left {
    counts: BTreeMap<(String, usize), Count>,
    records: Vec<Record>,
    used_waivers: BTreeSet<String>,
    known: BTreeSet<baseline::Known>,
}

impl Left {
    /// Takes over what another part of the work left.
    pub fn append(&mut self, other: Left) {
        for (key, count) in other.counts {
            self.counts.entry(key).or_default().append(count);
        }
        self.records.extend(other.records);
        self.used_waivers.extend(other.used_waivers);
        self.known.extend(other.known);
    }
}

/// The objects of a unit, and what is done to them.
pub struct UnitObjects<'a> {
    /// The unit.
    pub unit: &'a Unit,
    /// Its objects.
    pub rendered: &'a [Rendered],
    /// `policyParameters` of the contexts that hold, the widest first.
    pub contexts: Vec<&'a Node>,
}

impl<'a> Policies<'a> {
    /// Compiles the policies that are in use, the built-in ones included.
    pub fn new(input: Input<'a>, sink: &mut Sink) -> Policies<'a> {
        Policies::compile(input, false, sink)
    }

    /// Compiles all policies, whether they are in use or not.
    pub fn all(input: Input<'a>, sink: &mut Sink) -> Policies<'a> {
        Policies::compile(input, true, sink)
    }

    fn compile(input: Input<'a>, unused: bool, sink: &mut Sink) -> Policies<'a> {
        let is_wanted = |document: &&Document<Policy>| {
            let asked = selection::Asked {
                pack: rules::pack_of(input.sources.path(document.tree.id.file)),
                name: &document.name,
                frameworks: document.spec.controls.keys().map(String::as_str).collect(),
            };
            unused || asked.is_used(input.catalog, &Circumstances::SOMEBODY)
        };
        let rules = with_large_stack(|| {
            let mut found = Sink::default();
            let mut rules: Vec<Rule> = input
                .catalog
                .policies
                .iter()
                .filter(is_wanted)
                .filter_map(|document| rules::compile(document, input.sources, &mut found))
                .collect();
            rules.extend(admission::compile(
                input.admission,
                false,
                input.sources,
                &mut found,
            ));
            rules.sort_by(|a, b| a.name.cmp(&b.name));
            (rules, found)
        });
        sink.append(rules.1);
        let rules = rules.0;
        let admission = rules.iter().filter(|rule| rule.admission.is_some());
        let names: BTreeSet<&str> = admission
            .map(|rule| rule.name.as_str())
            .chain(input.catalog.policies.names())
            .collect();
        let waivers = Waivers::new(
            &input.catalog.waivers,
            &names,
            input.as_of,
            input.sources,
            sink,
        );
        let resources = names::position("resources").unwrap_or(0);
        let asks = rules
            .iter()
            .flat_map(Rule::programs)
            .any(|program| program.uses.contains(&resources));
        let policies = Policies {
            resources: if asks {
                documents::resources(input.catalog)
            } else {
                Node::empty_map()
            },
            spent: rules.iter().map(|_| AtomicU64::new(0)).collect(),
            by_kind: RwLock::default(),
            waivers,
            rules,
            input,
        };
        selection::check(&policies, sink);
        policies
    }

    /// Whether both judge in the same way: same rules, frameworks and waivers.
    pub fn is_same(&self, other: &Policies<'_>) -> bool {
        fn trees<K>(documents: &crate::model::catalog::Documents<K>) -> Vec<&Yaml> {
            documents
                .iter()
                .map(|document| &document.tree.value)
                .collect()
        }
        let digests = |policies: &Policies<'_>| -> Vec<String> {
            policies
                .rules
                .iter()
                .map(|rule| rule.digest.clone())
                .collect()
        };
        let (a, b) = (self.input.catalog, other.input.catalog);
        digests(self) == digests(other)
            && trees(&a.frameworks) == trees(&b.frameworks)
            && trees(&a.waivers) == trees(&b.waivers)
            && self.input.admission.iter().map(|tree| &tree.value).eq(other
                .input
                .admission
                .iter()
                .map(|tree| &tree.value))
            && self.resources.value == other.resources.value
    }

    /// All rules, sorted by name.
    pub fn rules(&self) -> &[Rule] {
        &self.rules
    }

    /// The rules about manifests that name a kind at all: found once for each kind.
    fn naming(&self, target: Target, request: &Request) -> Arc<[usize]> {
        let version = format!("{}/{} {}", request.group, request.version, target.name());
        let key = (version, request.kind.clone());
        let known = self.by_kind.read().unwrap_or_else(PoisonError::into_inner);
        if let Some(found) = known.get(&key) {
            return Arc::clone(found);
        }
        drop(known);
        let rules = self.rules.iter().enumerate();
        let found: Arc<[usize]> = rules
            .filter(|(_, rule)| {
                rule.target == target && matching::names_kind(rule.constraints.as_ref(), request)
            })
            .map(|(index, _)| index)
            .collect();
        let mut by_kind = self.by_kind.write().unwrap_or_else(PoisonError::into_inner);
        by_kind.insert(key, Arc::clone(&found));
        found
    }

    /// Judges the objects and instances of one unit.
    pub fn unit(&self, objects: &UnitObjects<'_>, left: &mut Left, sink: &mut Sink) {
        let unit = objects.unit;
        let circumstances = Circumstances::of_unit(unit);
        let active = self.active(&circumstances, objects, sink);
        if active.is_empty() {
            return;
        }
        let locator = Locator {
            sources: self.input.sources,
            unit,
            rendered: objects.rendered,
        };
        let namespace = namespace_object(objects);
        let named = named(unit);
        let mut judging = Judging {
            policies: self,
            locator: &locator,
            named: &named,
            left,
            sink,
        };
        for one in objects.rendered {
            let root = one.manifest.root();
            let request = matching::request(root, Operation::Create);
            let naming = self.naming(Target::Manifest, &request);
            if naming.iter().any(|index| active.contains_key(index)) {
                let scene = judging.scene(request, Some(one), None, namespace.as_ref());
                for index in naming.iter() {
                    if let Some(params) = active.get(index) {
                        judging.object(*index, params, &scene, one, root);
                    }
                }
            }
        }
        for instance in &unit.instances {
            for (index, params) in &active {
                if self.rules[*index].target == Target::Instance {
                    judging.instance(*index, params, instance);
                }
            }
        }
    }

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
        let named = named(objects.unit);
        let mut judging = Judging {
            policies: self,
            locator: &locator,
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
            let request = matching::request(place, operation);
            let mut scene = judging.scene(request.clone(), *after, *before, namespace.as_ref());
            let word = Node::text(NodeId::NONE, request.operation_word());
            let change = Node::map(NodeId::NONE, vec![entry("operation", word)]);
            scene.set(
                names::position("change").unwrap_or(0),
                cel::tree::of(View::of(&change)),
            );
            // What only an update or a removal shows of an object was not judged before.
            for target in [Target::Change, Target::Manifest] {
                if target == Target::Manifest && operation == Operation::Create {
                    continue;
                }
                for index in self.naming(target, &request).iter() {
                    let rule = &self.rules[*index];
                    let told = target == Target::Manifest
                        && matching::matches(
                            rule.constraints.as_ref(),
                            &Request {
                                operation: Some(Operation::Create),
                                ..request.clone()
                            },
                            place,
                            &|_| None,
                        );
                    if let (Some(params), false) = (active.get(index), told) {
                        judging.changed(*index, params, &scene, *after, place);
                    }
                }
            }
        }
    }

    /// The rules that hold in some circumstances, with their parameters.
    fn active(
        &self,
        circumstances: &Circumstances<'_>,
        objects: &UnitObjects<'_>,
        sink: &mut Sink,
    ) -> BTreeMap<usize, Node> {
        let layers = self.layers(circumstances, objects.contexts.clone());
        let mut active = BTreeMap::new();
        for (index, rule) in self.rules.iter().enumerate() {
            if self.holds(rule, circumstances) {
                active.insert(
                    index,
                    parameters::of_rule(rule, &layers, self.input.sources, sink),
                );
            }
        }
        active
    }

    fn layers<'l>(
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

    /// Whether a rule may still judge: one that costs too much is stopped.
    fn may_spend(&self, index: usize) -> bool {
        self.spent[index].load(Ordering::Relaxed) < COST_PER_RUN
    }

    /// Judges what only all units together show, and tells waivers that nothing needs; `whole` says
    /// that everything was judged.
    pub fn finish(&self, left: &Left, whole: bool, sink: &mut Sink) {
        for (index, rule) in self.rules.iter().enumerate() {
            if !self.may_spend(index) {
                let place = rule.tree.at(&["metadata", "name"]).map(|node| node.id);
                let message = format!(
                    "the policy `{}` costs too much over this repository, so not everything was judged",
                    rule.name
                );
                sink.push(
                    Diagnostic::new(codes::TOO_COSTLY, message)
                        .at(place.and_then(|id| self.input.sources.span(id)), "")
                        .help("narrow `matchConstraints`, or write it without loops in loops"),
                );
            }
        }
        if whole {
            self.waivers
                .unused(&left.used_waivers, self.input.sources, sink);
            if let Some(baseline) = self.input.baseline {
                baseline.shrunk(&left.known, sink);
            }
        }
    }
}

/// Runs with a stack that parsing of deep expressions needs.
///
/// # Panics
/// No thread can be started, or the work panics itself.
pub fn with_large_stack<T: Send>(work: impl FnOnce() -> T + Send) -> T {
    std::thread::scope(|scope| {
        let thread = std::thread::Builder::new().stack_size(64 << 20);
        match thread.spawn_scoped(scope, work) {
            Ok(handle) => match handle.join() {
                Ok(result) => result,
                Err(panic) => std::panic::resume_unwind(panic),
            },
            Err(error) => panic!("no thread can be started: {error}"),
        }
    })
}

fn entry(key: &str, value: Node) -> Entry {
    Entry {
        key: key.into(),
        key_id: NodeId::NONE,
        value,
    }
}

/// A unit's variables as rules see them.
fn named(unit: &Unit) -> Vec<(&'static str, Node)> {
    let variables = unit.variables.iter();
    variables
        .map(|(name, node)| (*name, names::named_entries(node)))
        .collect()
}

/// The namespace of a unit as the API server has it: with the label of its name.
fn namespace_object(objects: &UnitObjects<'_>) -> Option<Node> {
    let one = objects.rendered.iter().find(|one| {
        one.manifest.kind() == "Namespace" && one.manifest.name() == objects.unit.namespace
    })?;
    let mut tree = Node::from_json(&one.manifest.root().to_json());
    let name = one.manifest.name();
    if let Yaml::Map(map) = &mut tree.value {
        let map = Arc::make_mut(map);
        if let Some(metadata) = map
            .entries
            .iter_mut()
            .find(|entry| &*entry.key == "metadata")
            && let Yaml::Map(metadata) = &mut metadata.value.value
        {
            let metadata = Arc::make_mut(metadata);
            let label = entry(matching::NAME_LABEL, Node::text(NodeId::NONE, &*name));
            match metadata
                .entries
                .iter_mut()
                .find(|entry| &*entry.key == "labels")
            {
                Some(labels) => {
                    if let Yaml::Map(labels) = &mut labels.value.value {
                        Arc::make_mut(labels).entries.push(label);
                    }
                }
                None => metadata
                    .entries
                    .push(entry("labels", Node::map(NodeId::NONE, vec![label]))),
            }
        }
    }
    Some(tree)
}

/// The judging of one unit.
struct Judging<'j, 'p, 'l> {
    policies: &'j Policies<'p>,
    locator: &'j Locator<'l>,
    /// The unit's variables as rules see them.
    named: &'j [(&'static str, Node)],
    left: &'j mut Left,
    sink: &'j mut Sink,
}

impl<'j> Judging<'j, '_, '_> {
    /// What rules see of an object.
    fn scene<'a>(
        &self,
        request: Request,
        one: Option<&'a Rendered>,
        before: Option<View<'a>>,
        namespace: Option<&'a Node>,
    ) -> Scene<'a>
    where
        'j: 'a,
    {
        let outside = request.namespace.is_empty();
        let mut scene = Scene::new(request);
        if let Some(one) = one {
            scene.set(OBJECT, Value::Tree(Tree::object(one.manifest.root())));
        }
        if let Some(before) = before {
            scene.set(OLD_OBJECT, Value::Tree(Tree::object(before)));
        }
        if let Some(namespace) = namespace.filter(|_| !outside) {
            scene.set(NAMESPACE_OBJECT, cel::tree::of(View::of(namespace)));
        }
        let instance = one
            .and_then(|one| one.instance)
            .and_then(|at| self.locator.unit.instances.get(at));
        self.surroundings(&mut scene, instance);
        scene
    }

    /// What a compiler knows besides.
    fn surroundings<'a>(&self, scene: &mut Scene<'a>, instance: Option<&'a Instance>)
    where
        'j: 'a,
    {
        let own = instance.map_or(&[][..], |instance| &instance.variables);
        for (name, node) in self.named.iter().chain(own) {
            if let Some(position) = names::position(name) {
                scene.set(position, cel::tree::of(View::of(node)));
            }
        }
        let resources = names::position("resources").unwrap_or(0);
        scene.set(resources, cel::tree::of(View::of(&self.policies.resources)));
    }

    /// Judges one object by one rule.
    fn object<'a>(
        &mut self,
        index: usize,
        params: &'a Node,
        scene: &Scene<'a>,
        one: &'a Rendered,
        root: View<'a>,
    ) where
        'j: 'a,
    {
        let rule: &'a Rule = &self.policies.rules[index];
        let label = namespace_label(scene);
        if !matching::matches(rule.constraints.as_ref(), &scene.request, root, &label) {
            return;
        }
        match &rule.admission {
            None => self.verdict(index, rule.enforcement, params, scene, Some(one), root),
            Some(bindings) => {
                for binding in &bindings.list {
                    if !matching::matches(binding.resources.as_ref(), &scene.request, root, &label)
                    {
                        continue;
                    }
                    for params in bound_params(binding, &scene.request) {
                        match params {
                            Some(params) => {
                                self.verdict(
                                    index,
                                    binding.enforcement,
                                    params,
                                    scene,
                                    Some(one),
                                    root,
                                );
                            }
                            None if rule.fails_on_error => self.without_params(index, one, root),
                            None => {}
                        }
                    }
                }
            }
        }
    }

    /// Judges a change to an object by one rule.
    fn changed<'a>(
        &mut self,
        index: usize,
        params: &'a Node,
        scene: &Scene<'a>,
        one: Option<&'a Rendered>,
        root: View<'a>,
    ) where
        'j: 'a,
    {
        let rule: &'a Rule = &self.policies.rules[index];
        if matching::matches(
            rule.constraints.as_ref(),
            &scene.request,
            root,
            &namespace_label(scene),
        ) {
            self.verdict(index, rule.enforcement, params, scene, one, root);
        }
    }

    /// Judges one component of a tenant by one rule.
    fn instance(&mut self, index: usize, params: &Node, instance: &Instance) {
        if !self.policies.may_spend(index) {
            return;
        }
        let mut scene = Scene::new(Request::default());
        self.surroundings(&mut scene, Some(instance));
        let rule = &self.policies.rules[index];
        let Some(found) = instance.variable("instance") else {
            return;
        };
        let mut spent = 0;
        let params_value = cel::tree::of(View::of(params));
        let verdict = judge(rule, &scene, &params_value, &mut spent);
        self.policies.spent[index].fetch_add(spent, Ordering::Relaxed);
        let subject = Subject {
            component: instance.component.clone(),
            object: format!("Component/{}", instance.component),
            ..self.subject()
        };
        let failures = match verdict {
            Verdict::Skipped => return,
            Verdict::Met => return self.count(index, Outcome::Pass),
            Verdict::Undecided(what) => return self.undecided(index, what),
            Verdict::Failed(failures) => failures,
        };
        let roots: Vec<(&str, View<'_>)> = instance
            .variables
            .iter()
            .chain(self.named)
            .map(|(name, node)| (*name, View::of(node)))
            .collect();
        for failure in failures {
            let decisive = failure.reads.into_iter().rev().find_map(|read| {
                roots.iter().find_map(|(name, root)| {
                    let path = root.path_to(read.view)?;
                    let text = report::path_text(name, &path, read.missing.as_ref());
                    Some((read.clone(), text))
                })
            });
            let (decided, path) = decisive.unzip();
            let subject = Subject {
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
                key.tenant, instance.component, key.environment, key.cluster
            ));
            self.push(index, finding, subject, rules::digest(found), params);
        }
        self.judged(index);
    }

    fn subject(&self) -> Subject {
        let key = &self.locator.unit.key;
        Subject {
            tenant: key.tenant.clone(),
            environment: key.environment.clone(),
            cluster: key.cluster.clone(),
            ..Subject::default()
        }
    }

    fn verdict<'a>(
        &mut self,
        index: usize,
        enforcement: crate::model::kinds::Enforcement,
        params: &'a Node,
        scene: &Scene<'a>,
        one: Option<&'a Rendered>,
        root: View<'a>,
    ) where
        'j: 'a,
    {
        if !self.policies.may_spend(index) {
            return;
        }
        let rule: &'a Rule = &self.policies.rules[index];
        let mut spent = 0;
        let params_value = match rule
            .admission
            .as_ref()
            .filter(|bindings| !bindings.takes_parameters)
        {
            Some(_) => Value::Null,
            None => cel::tree::of(View::of(params)),
        };
        let verdict = judge(rule, scene, &params_value, &mut spent);
        self.policies.spent[index].fetch_add(spent, Ordering::Relaxed);
        let failures = match verdict {
            Verdict::Skipped => return,
            Verdict::Met => return self.count(index, Outcome::Pass),
            Verdict::Undecided(what) => return self.undecided(index, what),
            Verdict::Failed(failures) => failures,
        };
        let enforcement = rule_enforcement(self.policies, rule, enforcement);
        let digest = report::digest(root);
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
            let subject = Subject {
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
            let finding = report::finding(rule, enforcement, failure.message);
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
        self.judged(index);
    }

    /// The parameters that a binding names are not there.
    fn without_params(&mut self, index: usize, one: &Rendered, root: View<'_>) {
        let rule = &self.policies.rules[index];
        let message = "the parameters that its binding names are not there";
        let finding = report::finding(
            rule,
            crate::model::kinds::Enforcement::Deny,
            message.to_owned(),
        )
        .note(self.locator.object(one));
        let place = rule.tree.at(&["metadata", "name"]).map(|node| node.id);
        let finding = finding
            .at(
                place.and_then(|id| self.locator.sources.span(id)),
                "this policy",
            )
            .help(
                "add the document that `paramRef` names, or write `parameterNotFoundAction: Allow`",
            );
        let subject = Subject {
            object: one.manifest.title(),
            ..self.subject()
        };
        self.push(
            index,
            finding,
            subject,
            report::digest(root),
            &Node::empty_map(),
        );
        self.judged(index);
    }

    /// Puts a finding where it belongs, unless something accepts it.
    fn push(
        &mut self,
        index: usize,
        finding: Diagnostic,
        subject: Subject,
        digest: String,
        params: &Node,
    ) {
        self.policies.accept(
            index, finding, subject, digest, params, self.left, self.sink,
        );
    }

    /// Counts something that is not met: as accepted, when all that is wrong with it is.
    fn judged(&mut self, index: usize) {
        let name = &self.policies.rules[index].name;
        let last = self.left.records.last();
        let accepted =
            last.is_some_and(|record| record.policy == *name && record.accepted.is_some());
        self.count(
            index,
            if accepted {
                Outcome::Accepted
            } else {
                Outcome::Fail
            },
        );
    }

    fn count(&mut self, index: usize, outcome: Outcome) {
        let key = (self.locator.unit.key.tenant.clone(), index);
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

/// What a finding does, after the Platform's word for the rule's pack.
fn rule_enforcement(
    policies: &Policies<'_>,
    rule: &Rule,
    own: crate::model::kinds::Enforcement,
) -> crate::model::kinds::Enforcement {
    selection::pack_of(policies.input.catalog, &rule.pack)
        .and_then(|pack| pack.enforcement)
        .unwrap_or(own)
}

/// Looks up labels of the object's namespace.
fn namespace_label<'s>(scene: &'s Scene<'_>) -> impl Fn(&str) -> Option<String> + 's {
    |key: &str| {
        if key == matching::NAME_LABEL {
            return Some(scene.request.namespace.clone());
        }
        let Value::Tree(namespace) = scene.get(NAMESPACE_OBJECT) else {
            return None;
        };
        let label = namespace.view.at(&["metadata", "labels"])?.get(key)?;
        Some(label.text()?.into_owned())
    }
}

/// The parameters that a binding judges with: nothing stands for those that are missing and must
/// not be.
fn bound_params<'b>(binding: &'b admission::Binding, request: &Request) -> Vec<Option<&'b Node>> {
    static NOTHING: std::sync::LazyLock<Node> =
        std::sync::LazyLock::new(|| Node::new(NodeId::NONE, Yaml::Null));
    let Some(parameters) = &binding.parameters else {
        return vec![Some(&NOTHING)];
    };
    let found: Vec<Option<&Node>> = parameters
        .documents
        .iter()
        .filter(|document| {
            let namespace = document
                .at(&["metadata", "namespace"])
                .and_then(Node::as_str);
            !parameters.of_own_namespace || namespace.is_none_or(|name| name == request.namespace)
        })
        .map(Some)
        .collect();
    if found.is_empty() && parameters.denies_if_missing {
        return vec![None];
    }
    found
}
