//! A rule's own cases, judged on objects as they are written and as the API server has them.

use super::equivalents::Converted;
use super::judge::{CANNOT, Failure, RuleVerdict, judge};
use super::judging::namespace_label;
use super::matching::{Match, Objects};
use super::names::{self, AdmissionRequest, NAMESPACE_OBJECT, NameValues, OBJECT, OLD_OBJECT};
use super::rules::Rule;
use super::typed::typed;
use super::{Circumstances, admission, matching, selection};
use crate::model::kinds::policy::{Case, Matching, Operation, Target};
use tenantry_cel::tree::StoredTree;
use tenantry_cel::{self, CelValue};
use tenantry_engine::view::View;
use tenantry_syntax::diagnostics::catalogue::policy as codes;
use tenantry_syntax::diagnostics::{Diagnostic, Sink, Sources, suggest};
use tenantry_syntax::yaml::{Node, NodeId, PathStep, Value as Yaml, merge};

/// How expressions see the objects of a case.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum CaseObjects {
    /// As the case writes them, as a rule's reader would.
    Written,
    /// As the API server has them: typed, and with its defaults.
    Stored,
}

/// What became of a rule's own cases.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct CaseTotals {
    /// Cases that hold.
    pub held: usize,
    /// Cases that do not.
    pub failed: usize,
}

/// Runs a rule's own cases; one that does not hold is a finding at its line.
pub fn run(rule: &Rule, sources: &Sources, sink: &mut Sink) -> CaseTotals {
    let mut tally = CaseTotals::default();
    for (expected, at, case) in rule.cases() {
        for name in case
            .given
            .keys()
            .filter(|name| names::position(name).is_none())
        {
            let place = rule.tree.at_path(&[
                "spec".into(),
                "tests".into(),
                expected.into(),
                PathStep::Index(at),
                "given".into(),
            ]);
            let entry = place.and_then(|given| given.as_map()?.entry(name));
            let mut diagnostic = Diagnostic::new(
                codes::CASE_FAILS,
                format!(
                    "policy `{}`, case `{}`: expressions see no `{name}`",
                    rule.name, case.name
                ),
            )
            .at(entry.and_then(|entry| sources.span(entry.key_id)), "");
            diagnostic.help = suggest(name, names::NAMES.iter().copied());
            sink.push(diagnostic);
            tally.failed += 1;
        }
        let Some(node) = case_tree(rule, expected, at) else {
            continue;
        };
        let problem = |form| unexpected(expected, case, judge_case(rule, node, case, form));
        let problem = match (problem(CaseObjects::Written), problem(CaseObjects::Stored)) {
            (None, None) => None,
            (Some(written), Some(_)) => Some(written),
            (Some(written), None) => Some(format!(
                "{written}; only as it is written, not as the API server stores it"
            )),
            (None, Some(stored)) => Some(format!(
                "{stored}; only as the API server stores it: typed, and with its defaults"
            )),
        };
        match problem {
            None => tally.held += 1,
            Some(problem) => {
                tally.failed += 1;
                let place = node.get("name").unwrap_or(node).id;
                let message = format!("policy `{}`, case `{}`: {problem}", rule.name, case.name);
                sink.push(
                    Diagnostic::new(codes::CASE_FAILS, message)
                        .at(sources.span(place), "this case")
                        .help("fix the rule or the case"),
                );
            }
        }
    }
    if tally == CaseTotals::default() && rule.admission.is_none() {
        let place = rule.tree.at(&["metadata", "name"]).unwrap_or(&rule.tree).id;
        sink.push(
            Diagnostic::new(
                codes::NO_CASES,
                format!("the policy `{}` has no cases of its own", rule.name),
            )
            .at(sources.span(place), "")
            .help("add what passes and what fails below `tests`"),
        );
    }
    tally
}

fn case_tree<'r>(rule: &'r Rule, expected: &'static str, at: usize) -> Option<&'r Node> {
    let path = [
        "spec".into(),
        "tests".into(),
        expected.into(),
        PathStep::Index(at),
    ];
    rule.tree.at_path(&path)
}

/// What is wrong with what became of a case.
fn unexpected(expected: &str, case: &Case, found: CaseVerdict) -> Option<String> {
    match (expected, found) {
        ("pass", CaseVerdict::Met) | ("skip", CaseVerdict::Skipped) => None,
        ("fail", CaseVerdict::Failed(messages))
            if case.message.is_none()
                && messages.iter().all(|message| message.starts_with(CANNOT)) =>
        {
            Some(format!("it fails only because {}", messages.join("; ")))
        }
        ("fail", CaseVerdict::Failed(messages)) => {
            let wanted = case.message.as_ref()?;
            let is_said = messages.iter().any(|message| message.contains(wanted));
            let said = messages.join("; ");
            (!is_said).then(|| format!("no message has `{wanted}`; it says: {said}"))
        }
        ("pass", CaseVerdict::Failed(messages)) => {
            Some(format!("it should pass, but: {}", messages.join("; ")))
        }
        ("pass", _) => Some("it should pass, but the rule does not judge it".to_owned()),
        ("fail", CaseVerdict::Met) => Some("it should fail, but it passes".to_owned()),
        ("fail", _) => Some("it should fail, but the rule does not judge it".to_owned()),
        (_, CaseVerdict::Failed(messages)) => {
            let said = messages.join("; ");
            Some(format!("it should not be judged, but: {said}"))
        }
        _ => Some("it should not be judged, but it is, and passes".to_owned()),
    }
}

enum CaseVerdict {
    Met,
    Failed(Vec<String>),
    Skipped,
}

fn judge_case(rule: &Rule, node: &Node, case: &Case, form: CaseObjects) -> CaseVerdict {
    let found = with_verdict(rule, node, case, form, |verdict| match verdict {
        RuleVerdict::Met => CaseVerdict::Met,
        RuleVerdict::Skipped | RuleVerdict::Undecided(_) => CaseVerdict::Skipped,
        RuleVerdict::Failed(failures) => {
            let messages = failures.into_iter().map(|failure| failure.message);
            CaseVerdict::Failed(messages.collect())
        }
    });
    found.unwrap_or(CaseVerdict::Skipped)
}

/// What one validation of a rule says of a case.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Decision {
    /// `admit`, `deny` or `error`.
    pub word: &'static str,
    /// What is wrong; empty if nothing is.
    pub message: String,
}

/// What each validation of a rule says of one of its cases; none if it does not judge it.
pub fn decisions(
    rule: &Rule,
    expected: &'static str,
    at: usize,
    form: CaseObjects,
) -> Vec<Decision> {
    let mut cases = rule.cases();
    let case = cases.find(|(known, index, _)| (*known, *index) == (expected, at));
    let (Some((.., case)), Some(node)) = (case, case_tree(rule, expected, at)) else {
        return Vec::new();
    };
    let decide = |failure: Option<&Failure<'_>>| Decision {
        word: match failure {
            None => "admit",
            Some(failure) if failure.is_error => "error",
            Some(_) => "deny",
        },
        message: failure.map_or_else(String::new, |failure| failure.message.clone()),
    };
    let found = with_verdict(rule, node, case, form, |verdict| match verdict {
        RuleVerdict::Skipped | RuleVerdict::Undecided(_) => Vec::new(),
        RuleVerdict::Met => rule.validations.iter().map(|_| decide(None)).collect(),
        RuleVerdict::Failed(failures) => {
            let alone: Vec<_> = failures.iter().filter(|one| one.check.is_none()).collect();
            if !alone.is_empty() {
                return alone.into_iter().map(|one| decide(Some(one))).collect();
            }
            let checks = rule.validations.iter();
            let of_check = checks.map(|check| {
                let mut failures = failures.iter();
                let is_its = |one: &&Failure<'_>| one.check.is_some_and(|c| std::ptr::eq(c, check));
                decide(failures.find(is_its))
            });
            of_check.collect()
        }
    });
    found.unwrap_or_default()
}

/// Judges a case; nothing if the rule does not match it.
fn with_verdict<T>(
    rule: &Rule,
    node: &Node,
    case: &Case,
    form: CaseObjects,
    then: impl FnOnce(RuleVerdict<'_>) -> T,
) -> Option<T> {
    let get = |key: &str| node.get(key).filter(|node| !node.is_null());
    let seen = |key: &str| match form {
        CaseObjects::Written => get(key).cloned(),
        CaseObjects::Stored => get(key).map(typed),
    };
    let (object, old, namespace) = (seen("object"), seen("oldObject"), seen("namespaceObject"));
    let objects = Objects {
        object: object.as_ref().map(View::of),
        old: old.as_ref().map(View::of),
    };
    let request = case_request(case, objects);
    let change = change(&request);
    let mut scene = NameValues::new(request);
    for (place, view) in [(OBJECT, objects.object), (OLD_OBJECT, objects.old)] {
        if let Some(view) = view {
            scene.set(place, CelValue::Tree(form.tree(view)));
        }
    }
    if let Some(namespace) = &namespace {
        scene.set(
            NAMESPACE_OBJECT,
            tenantry_cel::tree::of(View::of(namespace)),
        );
    }
    if rule.target == Target::Change {
        scene.set(
            names::position("change").unwrap_or(0),
            tenantry_cel::tree::of(View::of(&change)),
        );
    }
    for entry in get("given").map(Node::entries).unwrap_or_default() {
        if let Some(position) = names::position(&entry.key) {
            scene.set(position, tenantry_cel::tree::of(View::of(&entry.value)));
        }
    }
    let given = |name: &str| get("given").and_then(|given| given.get(name));
    if !matches_given(rule, given("tenant"), given("environment")) {
        return None;
    }
    let params = match get("params") {
        Some(params) => merge::over(&rule.defaults, params),
        None => rule.defaults.clone(),
    };
    let params = tenantry_cel::tree::of(View::of(&params));
    if objects.object.or(objects.old).is_none() {
        return Some(then(judge(rule, &scene, &params, &mut 0)));
    }
    let matched = {
        let label = namespace_label(&scene);
        matching::matches(rule.constraints.as_ref(), &scene.request, objects, &label)?
    };
    match matched {
        Match::Exact => Some(then(judge(rule, &scene, &params, &mut 0))),
        Match::Equivalent(version) => {
            let converted = Converted::new(objects, &scene.request, &version)?;
            let seen = converted.scene(&scene, &version);
            Some(then(judge(rule, &seen, &params, &mut 0)))
        }
    }
}

impl CaseObjects {
    /// A part of an object as expressions see it.
    fn tree(self, view: View<'_>) -> StoredTree<'_> {
        match self {
            CaseObjects::Written => StoredTree::of(view),
            CaseObjects::Stored => StoredTree::object(view, None),
        }
    }
}

/// What a request says that does to objects what the case says.
fn case_request(case: &Case, objects: Objects<'_>) -> AdmissionRequest {
    let operation = case
        .operation
        .unwrap_or(match (objects.object, objects.old) {
            (None, Some(_)) => Operation::Delete,
            (_, Some(_)) => Operation::Update,
            _ => Operation::Create,
        });
    let mut request = match objects.object.or(objects.old) {
        Some(object) => matching::request(object, operation),
        None => AdmissionRequest::default(),
    };
    let Some(written) = &case.request else {
        return request;
    };
    if let Some(resource) = &written.resource {
        request.group.clone_from(&resource.group);
        request.version.clone_from(&resource.version);
        request.resource.clone_from(&resource.resource);
    }
    for (to, from) in [
        (&mut request.subresource, &written.sub_resource),
        (&mut request.name, &written.name),
        (&mut request.namespace, &written.namespace),
    ] {
        if let Some(from) = from {
            to.clone_from(from);
        }
    }
    request
}

/// Whether the rule's `match` fits what a case gives; what it does not give fits.
fn matches_given(rule: &Rule, tenant: Option<&Node>, environment: Option<&Node>) -> bool {
    let mut matching = rule.matching.clone();
    if tenant.is_none() {
        matching = Matching {
            stages: matching.stages,
            ..Matching::default()
        };
    }
    if environment.is_none() {
        matching.stages.clear();
    }
    let circumstances = Circumstances {
        tenant,
        environment,
        all_tenants: false,
    };
    let follows = |framework: &str| {
        let followed = tenant.and_then(|tenant| tenant.get("compliance")?.as_map());
        followed.is_none_or(|followed| followed.entry(framework).is_some())
    };
    selection::fits(&matching, &circumstances, &follows)
}

/// What rules see as `change`.
fn change(request: &AdmissionRequest) -> Node {
    let word = Node::text(NodeId::NONE, request.operation_word());
    Node::map(
        NodeId::NONE,
        vec![tenantry_syntax::yaml::entry("operation", word)],
    )
}

/// Compiles the policies among documents: ours, and the API server's own.
pub fn compile(
    ours: &[crate::model::catalog::Document<crate::model::kinds::Policy>],
    documents: &[Node],
    sources: &Sources,
    sink: &mut Sink,
) -> Vec<Rule> {
    let (mut rules, found) =
        super::compile_documents(&ours.iter().collect::<Vec<_>>(), &[], sources);
    sink.append(found);
    rules.extend(super::with_large_stack(|| {
        admission::compile(documents, true, &[], sources, sink)
    }));
    rules
}

/// No parameters.
pub fn no_parameters() -> Node {
    Node::new(NodeId::NONE, Yaml::Map(std::sync::Arc::default()))
}
