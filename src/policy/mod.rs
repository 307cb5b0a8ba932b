//! Stage 6: the rules that manifests and documents must meet. Takes what was rendered, and gives
//! findings at the input line of the value that decided them, what clusters enforce, and evidence.
//!
//! * `rules`, `admission`: from documents to rules; every expression is compiled once.
//! * `storable`: whether the API server would store an admission policy.
//! * `names`: what expressions see. `matching`, `equivalents`: which objects a rule judges, and in which
//!   version. `judge`: one rule, one object. `judging`: all rules, one unit.
//! * `surroundings`: a unit's variables and namespace.
//! * `parameters`, `waivers`, `baseline`: what is asked of whom, and what is excepted.
//! * `documents`: rules about tenants, components and the platform.
//! * `enforce`: the same rules for the API server; `emitted`: one of them as a policy.
//! * `cases`: the rules' own tests, on objects as they are written and as the API server stores them (`typed`).
//!   `manifests`: any manifests by any policies.
//!
//! A new rule is a new file below `policies/`, with its own cases; no rule is decided in code.

mod changes;

pub mod admission;
pub mod baseline;
pub mod cases;
mod documents;
mod emitted;
pub mod enforce;
mod equivalents;
mod judge;
mod judging;
pub mod manifests;
mod matching;
mod names;
mod parameters;
mod report;
pub mod rules;
mod selection;
mod storable;
mod surroundings;
mod type_check;
mod typed;
mod verdicts;
mod waivers;

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError, RwLock};

use jiff::civil::Date;

use crate::model::catalog::Document;
use crate::model::instance::Unit;
use crate::model::kinds::policy::{Operation, Target};
use crate::model::kinds::{Catalog, Enforcement, Policy};
use crate::model::locator::Locator;
use crate::model::verdict::{Count, Outcome, PolicyRecord};
use baseline::Baseline;
use judging::Judging;
use matching::Objects;
use names::AdmissionRequest;
use rules::Rule;
pub use selection::Circumstances;
use surroundings::{kubernetes_of, named, namespace_object};
use tenantry_engine::manifest::Rendered;
use tenantry_kubernetes::schemas::ObjectSchemas;
use tenantry_syntax::diagnostics::catalogue::policy as codes;
use tenantry_syntax::diagnostics::{Diagnostic, Sink, Sources};
use tenantry_syntax::yaml::{Node, NodeId, Value as Yaml};
use verdicts::Verdicts;
use waivers::Waivers;

/// What all expressions of one policy may cost over a whole run, and more for each tenant.
const COST_PER_RUN: u64 = 200_000_000;
const COST_PER_TENANT: u64 = 2_000_000;

/// What the stage is given.
#[derive(Clone)]
pub struct PolicyInput<'a> {
    /// The documents.
    pub catalog: &'a Catalog,
    /// Documents of Kubernetes' own API for admission, and their parameters.
    pub admission: &'a [Node],
    /// The schemas of the custom resources of each cluster.
    pub custom: BTreeMap<&'a str, &'a ObjectSchemas>,
    /// All files.
    pub sources: &'a Sources,
    /// The day by which expiry is judged.
    pub as_of: Date,
    /// Findings that were there before, and do not count.
    pub baseline: Option<&'a Baseline>,
    /// Whether evidence is given: then records have digests.
    pub gives_evidence: bool,
}

/// The rules of a repository, ready to judge.
pub struct Policies<'a> {
    input: PolicyInput<'a>,
    rules: Vec<Rule>,
    waivers: Waivers<'a>,
    /// All documents as rules see them, where one asks.
    resources: Node,
    /// The rules that name a kind, by `apiVersion` and kind.
    by_kind: RwLock<HashMap<KindKey, Arc<[usize]>>>,
    /// For each rule, whether it sees nothing but the object and its parameters.
    is_of_object_alone: Vec<bool>,
    /// For each rule, whether it holds for all tenants in all environments.
    always_hold: Vec<bool>,
    /// What was said of manifests.
    verdicts: Verdicts,
    /// The parameters of all rules, by the layers that set them.
    parameters: RwLock<HashMap<Vec<NodeId>, Arc<ParameterSet>>>,
    /// What each rule cost so far.
    spent: Vec<AtomicU64>,
}

/// The rules that hold in some circumstances, by index, and the parameters of all rules.
struct Active {
    holds: Vec<bool>,
    parameters: Arc<ParameterSet>,
}

/// The parameters of all rules, by index, for those whose layers are the same.
struct ParameterSet {
    of_rules: Box<[Node]>,
    /// What is weakened, until a unit takes it: it is told once.
    weakened: Mutex<Sink>,
}

impl Active {
    /// The parameters of a rule, if it holds.
    fn get(&self, index: usize) -> Option<&Node> {
        self.holds[index].then(|| &self.parameters.of_rules[index])
    }

    fn is_empty(&self) -> bool {
        !self.holds.contains(&true)
    }
}

/// What rules are looked up by: API version and target, and kind.
type KindKey = (String, String);

/// What the judging of a part of the work leaves behind.
#[derive(Clone, Debug, Default)]
pub struct Left {
    counts: BTreeMap<(String, usize), Count>,
    records: Vec<PolicyRecord>,
    used_waivers: BTreeSet<String>,
    known: BTreeSet<baseline::KnownFinding>,
}

impl Left {
    /// What is said of something that is not met: it is accepted if every record of it is.
    fn outcome(&self, known: usize) -> Outcome {
        let records = self.records.get(known..).unwrap_or_default();
        if !records.is_empty() && records.iter().all(|record| record.accepted.is_some()) {
            Outcome::Accepted
        } else {
            Outcome::Fail
        }
    }

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
    /// The schemas of the custom resources of a unit's cluster.
    fn custom(&self, unit: &Unit) -> Option<&'a ObjectSchemas> {
        self.input.custom.get(&*unit.key.cluster).copied()
    }

    /// Compiles the policies that are in use, the built-in ones included.
    pub fn new(input: PolicyInput<'a>, sink: &mut Sink) -> Policies<'a> {
        Policies::compile(input, false, sink)
    }

    /// Compiles all policies, whether they are in use or not.
    pub fn all(input: PolicyInput<'a>, sink: &mut Sink) -> Policies<'a> {
        Policies::compile(input, true, sink)
    }

    fn compile(input: PolicyInput<'a>, unused: bool, sink: &mut Sink) -> Policies<'a> {
        let is_wanted = |document: &&Document<Policy>| {
            let asked = selection::Candidacy {
                pack: rules::pack_of(input.sources.path(document.tree.id.file)),
                name: &document.name,
                frameworks: document.spec.controls.keys().map(String::as_str).collect(),
            };
            unused || asked.is_used(input.catalog, &Circumstances::SOMEBODY)
        };
        let wanted: Vec<&Document<Policy>> =
            input.catalog.policies.iter().filter(is_wanted).collect();
        let custom: Vec<&ObjectSchemas> = input.custom.values().copied().collect();
        let (mut rules, found) = compile_documents(&wanted, &custom, input.sources);
        sink.append(found);
        rules.extend(with_large_stack(|| {
            admission::compile(input.admission, false, &custom, input.sources, sink)
        }));
        rules.sort_by(|a, b| a.name.cmp(&b.name));
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
        let mut policies = Policies {
            resources: if asks {
                documents::resources(input.catalog)
            } else {
                Node::empty_map()
            },
            spent: rules.iter().map(|_| AtomicU64::new(0)).collect(),
            by_kind: RwLock::default(),
            is_of_object_alone: rules.iter().map(Rule::is_of_object_alone).collect(),
            always_hold: Vec::new(),
            verdicts: Verdicts::default(),
            parameters: RwLock::default(),
            waivers,
            rules,
            input,
        };
        policies.always_hold = policies
            .rules
            .iter()
            .map(|rule| policies.always_holds(rule))
            .collect();
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

    /// Whether both except the same.
    pub fn has_same_waivers(&self, other: &Policies<'_>) -> bool {
        let trees = |policies: &Policies<'_>| -> Vec<Yaml> {
            let waivers = policies.input.catalog.waivers.iter();
            waivers.map(|waiver| waiver.tree.value.clone()).collect()
        };
        self.input.as_of == other.input.as_of && trees(self) == trees(other)
    }

    /// All rules, sorted by name.
    pub fn rules(&self) -> &[Rule] {
        &self.rules
    }

    /// The rules about manifests that name a kind at all: found once for each kind.
    fn naming(&self, target: Target, request: &AdmissionRequest) -> Arc<[usize]> {
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
        let kubernetes = kubernetes_of(unit);
        let named = named(unit);
        let mut judging = Judging {
            policies: self,
            locator: &locator,
            custom: self.custom(unit),
            named: &named,
            left,
            sink,
        };
        for one in objects.rendered {
            let root = one.manifest.root();
            let request = AdmissionRequest {
                kubernetes,
                ..matching::request(root, Operation::Create)
            };
            let naming = self.naming(Target::Manifest, &request);
            if naming.iter().any(|index| active.holds[*index]) {
                let scene = judging.scene(request, Some(one), None, namespace.as_ref());
                for index in naming.iter() {
                    if let Some(params) = active.get(*index) {
                        let objects = Objects {
                            object: Some(root),
                            old: None,
                        };
                        judging.object(*index, params, &scene, Some(one), objects);
                    }
                }
            }
        }
        let of_instances = self.rules.iter().enumerate();
        let of_instances = of_instances.filter(|(_, rule)| rule.target == Target::Instance);
        let of_instances: Vec<(usize, &Node)> = of_instances
            .filter_map(|(index, _)| Some((index, active.get(index)?)))
            .collect();
        for instance in &unit.instances {
            judging.instance(&of_instances, instance);
        }
    }

    /// Whether a rule holds in some circumstances.
    fn is_active(&self, index: usize, circumstances: &Circumstances<'_>) -> bool {
        self.always_hold[index] || self.holds(&self.rules[index], circumstances)
    }

    /// The rules that hold in some circumstances, with their parameters.
    fn active(
        &self,
        circumstances: &Circumstances<'_>,
        objects: &UnitObjects<'_>,
        sink: &mut Sink,
    ) -> Active {
        let parameters = self.parameters(circumstances, &objects.contexts);
        let mut weakened = parameters
            .weakened
            .lock()
            .unwrap_or_else(PoisonError::into_inner);
        sink.append(std::mem::take(&mut *weakened));
        drop(weakened);
        let rules = 0..self.rules.len();
        Active {
            parameters,
            holds: rules
                .map(|index| self.is_active(index, circumstances))
                .collect(),
        }
    }

    /// Whether a rule may still judge: one that costs too much is stopped.
    fn may_spend(&self, index: usize) -> bool {
        let tenants = self.input.catalog.tenants.iter().len() as u64;
        let most = COST_PER_RUN + COST_PER_TENANT * tenants;
        self.spent[index].load(Ordering::Relaxed) < most
    }

    /// Judges what only all units together show, and tells waivers that nothing needs; `whole` says
    /// that everything was judged.
    pub fn finish(&self, left: &mut Left, whole: bool, sink: &mut Sink) {
        for (index, rule) in self.rules.iter().enumerate() {
            if !self.may_spend(index) {
                let place = rule.tree.at(&["metadata", "name"]).map(|node| node.id);
                // Which objects were still judged depends on the threads, so nothing of it is told.
                sink.retain(|finding| finding.rule_id() != rule.name);
                left.records.retain(|record| record.policy != rule.name);
                left.counts.retain(|(_, judged), _| *judged != index);
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

/// Compiles documents of ours, on several threads.
pub fn compile_documents(
    documents: &[&Document<Policy>],
    custom: &[&ObjectSchemas],
    sources: &Sources,
) -> (Vec<Rule>, Sink) {
    let size = documents
        .len()
        .div_ceil(rayon::current_num_threads())
        .max(1);
    let parts: Vec<(Vec<Rule>, Sink)> = std::thread::scope(|scope| {
        let threads: Vec<_> = documents
            .chunks(size)
            .map(|chunk| {
                scope.spawn(move || {
                    with_large_stack(|| {
                        let mut found = Sink::default();
                        let compiled = chunk.iter().filter_map(|document| {
                            rules::compile(document, custom, sources, &mut found)
                        });
                        (compiled.collect(), found)
                    })
                })
            })
            .collect();
        let joined = threads.into_iter().map(|thread| match thread.join() {
            Ok(part) => part,
            Err(panic) => std::panic::resume_unwind(panic),
        });
        joined.collect()
    });
    let (mut rules, mut sink) = (Vec::new(), Sink::default());
    for (compiled, found) in parts {
        rules.extend(compiled);
        sink.append(found);
    }
    (rules, sink)
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

/// What a finding does, after the Platform's word for the rule's pack.
fn rule_enforcement(policies: &Policies<'_>, rule: &Rule, own: Enforcement) -> Enforcement {
    selection::pack_of(policies.input.catalog, &rule.pack)
        .and_then(|pack| pack.enforcement)
        .unwrap_or(own)
}
