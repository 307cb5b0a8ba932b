//! Judging outside of a compilation: a rule's own cases, and any manifests by any policies.

use super::judge::{Verdict, judge};
use super::judging::{bound_params, namespace_label};
use super::names::{self, NAMESPACE_OBJECT, OBJECT, OLD_OBJECT, Request, Scene};
use super::rules::Rule;
use super::{Circumstances, admission, matching, report, selection};
use crate::cel::tree::Tree;
use crate::cel::{self, Value};
use crate::diagnostics::{Diagnostic, Sink, Sources, catalogue::policy as codes, suggest};
use crate::model::kinds::Enforcement;
use crate::model::kinds::policy::{Matching, Operation, Target};
use crate::model::view::View;
use crate::yaml::{Node, NodeId, Step, Value as Yaml, merge};

/// What became of a rule's own cases.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Tally {
    /// Cases that hold.
    pub held: usize,
    /// Cases that do not.
    pub failed: usize,
}

/// Runs a rule's own cases; one that does not hold is a finding at its line.
pub fn run(rule: &Rule, sources: &Sources, sink: &mut Sink) -> Tally {
    let mut tally = Tally::default();
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
                Step::Index(at),
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
        let path = [
            "spec".into(),
            "tests".into(),
            expected.into(),
            Step::Index(at),
        ];
        let Some(node) = rule.tree.at_path(&path) else {
            continue;
        };
        let problem = match (expected, judge_case(rule, node, case.operation)) {
            ("pass", Found::Met) | ("skip", Found::Skipped) => None,
            ("fail", Found::Failed(messages))
                if case.message.is_none()
                    && messages.iter().all(|message| message.starts_with(CANNOT)) =>
            {
                Some(format!("it fails only because {}", messages.join("; ")))
            }
            ("fail", Found::Failed(messages)) => case
                .message
                .as_ref()
                .filter(|wanted| !messages.iter().any(|message| message.contains(*wanted)))
                .map(|wanted| {
                    format!(
                        "no message has `{wanted}`; it says: {}",
                        messages.join("; ")
                    )
                }),
            ("pass", Found::Failed(messages)) => {
                Some(format!("it should pass, but: {}", messages.join("; ")))
            }
            ("pass", _) => Some("it should pass, but the rule does not judge it".to_owned()),
            ("fail", Found::Met) => Some("it should fail, but it passes".to_owned()),
            ("fail", _) => Some("it should fail, but the rule does not judge it".to_owned()),
            (_, Found::Failed(messages)) => Some(format!(
                "it should not be judged, but: {}",
                messages.join("; ")
            )),
            _ => Some("it should not be judged, but it is, and passes".to_owned()),
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
                        .help("mend the rule or the case"),
                );
            }
        }
    }
    if tally == Tally::default() && rule.admission.is_none() {
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

/// How failures begin that are none of the rule's own.
const CANNOT: &str = "it cannot be judged";

enum Found {
    Met,
    Failed(Vec<String>),
    Skipped,
}

fn judge_case(rule: &Rule, case: &Node, operation: Option<Operation>) -> Found {
    let get = |key: &str| case.get(key).filter(|node| !node.is_null());
    let (object, old) = (get("object"), get("oldObject"));
    let operation = operation.unwrap_or(match (object, old) {
        (None, Some(_)) => Operation::Delete,
        (_, Some(_)) => Operation::Update,
        _ => Operation::Create,
    });
    let request = match object.or(old) {
        Some(object) => matching::request(View::of(object), operation),
        None => Request::default(),
    };
    let change = change(&request);
    let mut scene = Scene::new(request);
    if let Some(object) = object {
        scene.set(OBJECT, Value::Tree(Tree::object(View::of(object))));
    }
    if let Some(old) = old {
        scene.set(OLD_OBJECT, Value::Tree(Tree::object(View::of(old))));
    }
    if let Some(namespace) = get("namespaceObject") {
        scene.set(NAMESPACE_OBJECT, cel::tree::of(View::of(namespace)));
    }
    if rule.target == Target::Change {
        scene.set(
            names::position("change").unwrap_or(0),
            cel::tree::of(View::of(&change)),
        );
    }
    for entry in get("given").map(Node::entries).unwrap_or_default() {
        if let Some(position) = names::position(&entry.key) {
            scene.set(position, cel::tree::of(View::of(&entry.value)));
        }
    }
    let given = |name: &str| get("given").and_then(|given| given.get(name));
    if !matches_given(rule, given("tenant"), given("environment")) {
        return Found::Skipped;
    }
    let params = match get("params") {
        Some(params) => merge::over(&rule.defaults, params),
        None => rule.defaults.clone(),
    };
    if let Some(object) = object.or(old)
        && !matching::matches(
            rule.constraints.as_ref(),
            &scene.request,
            View::of(object),
            &namespace_label(&scene),
        )
    {
        return Found::Skipped;
    }
    match judge(rule, &scene, &cel::tree::of(View::of(&params)), &mut 0) {
        Verdict::Met => Found::Met,
        Verdict::Skipped | Verdict::Undecided(_) => Found::Skipped,
        Verdict::Failed(failures) => Found::Failed(
            failures
                .into_iter()
                .map(|failure| failure.message)
                .collect(),
        ),
    }
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
fn change(request: &Request) -> Node {
    let word = Node::text(NodeId::NONE, request.operation_word());
    Node::map(NodeId::NONE, vec![crate::yaml::entry("operation", word)])
}

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
}

/// A manifest that is judged, and what it was before.
pub struct Manifest<'a> {
    /// The object.
    pub object: &'a Node,
    /// Before.
    pub old: Option<&'a Node>,
    /// Its namespace, where that is known.
    pub namespace: Option<&'a Node>,
    /// What is done to it.
    pub operation: Operation,
}

/// Judges manifests by a policy, with parameters; findings that have a line are in the sink.
pub fn evaluate(
    rule: &Rule,
    manifest: &Manifest<'_>,
    params: &Node,
    sources: &Sources,
    sink: &mut Sink,
) -> Answer {
    let own = merge::over(&rule.defaults, params);
    let root = View::of(manifest.object);
    let request = matching::request(root, manifest.operation);
    let mut scene = Scene::new(request);
    let object = Value::Tree(Tree::object(root));
    if manifest.operation == Operation::Delete {
        scene.set(OLD_OBJECT, object);
    } else {
        scene.set(OBJECT, object);
    }
    if let Some(old) = manifest.old {
        scene.set(OLD_OBJECT, Value::Tree(Tree::object(View::of(old))));
    }
    if let Some(namespace) = manifest.namespace {
        scene.set(NAMESPACE_OBJECT, cel::tree::of(View::of(namespace)));
    }
    let label = namespace_label(&scene);
    let mut answer = Answer {
        policy: rule.name.clone(),
        object: format!("{}/{}", scene.request.kind, scene.request.name),
        namespace: scene.request.namespace.clone(),
        result: "skip",
        messages: Vec::new(),
        paths: Vec::new(),
    };
    if rule.target != Target::Manifest
        || !matching::matches(rule.constraints.as_ref(), &scene.request, root, &label)
    {
        return answer;
    }
    let mut with: Vec<(Enforcement, Option<&Node>)> = Vec::new();
    match &rule.admission {
        None => with.push((rule.enforcement, Some(&own))),
        Some(bindings) => {
            for binding in &bindings.list {
                if matching::matches(binding.resources.as_ref(), &scene.request, root, &label) {
                    let params = bound_params(binding, &scene.request).into_iter();
                    with.extend(params.map(|params| (binding.enforcement, params)));
                }
            }
        }
    }
    for (enforcement, params) in with {
        let Some(params) = params else {
            if rule.fails_on_error {
                let message = "the parameters that its binding names are not there";
                let finding = report::finding(rule, Enforcement::Deny, message.to_owned());
                sink.push(finding.note(format!("in {}", answer.object)));
                answer.result = "fail";
                answer.messages.push(message.to_owned());
            }
            continue;
        };
        match judge(rule, &scene, &cel::tree::of(View::of(params)), &mut 0) {
            Verdict::Met if answer.result == "skip" => answer.result = "pass",
            Verdict::Undecided(_) if answer.result != "fail" => answer.result = "undecided",
            Verdict::Skipped | Verdict::Met | Verdict::Undecided(_) => {}
            Verdict::Failed(failures) => {
                answer.result = "fail";
                for failure in failures {
                    let (view, path) =
                        report::decided(&failure, root).unwrap_or((root, String::new()));
                    let place = view.sources().first().and_then(|id| sources.span(*id));
                    let finding = report::finding(rule, enforcement, failure.message.clone())
                        .at(place.map(|span| sources.first_line(span)), "")
                        .note(format!("in {}", answer.object));
                    sink.push(finding);
                    answer.messages.push(failure.message);
                    answer.paths.push(path);
                }
            }
        }
    }
    answer
}

/// Compiles the policies among documents: ours, and the API server's own.
pub fn compile(
    ours: &[crate::model::catalog::Document<crate::model::kinds::Policy>],
    documents: &[Node],
    sources: &Sources,
    sink: &mut Sink,
) -> Vec<Rule> {
    let (mut rules, found) = super::compile_documents(&ours.iter().collect::<Vec<_>>(), sources);
    sink.append(found);
    rules.extend(super::with_large_stack(|| {
        admission::compile(documents, true, sources, sink)
    }));
    rules
}

/// No parameters.
pub fn no_parameters() -> Node {
    Node::new(NodeId::NONE, Yaml::Map(std::sync::Arc::default()))
}
