//! What the API server's own tests say of admission policies: which requests they match, what they say, and what
//! bindings make of it.

mod matching;
mod verdicts;

use tenantry::diagnostics::{Diagnostic, Sink, Sources};
use tenantry::model::kinds::policy::Operation;
use tenantry::policy::cases;
use tenantry::policy::manifests::{self, Answer, JudgedManifest};
use tenantry::policy::with_large_stack;
use tenantry::yaml::{Node, parse::parse};

fn documents(text: &str) -> Vec<Node> {
    let parsed = parse(text, 0);
    assert!(parsed.problems.is_empty(), "{text}");
    parsed.documents
}

/// A policy with a binding to it; `spec` and `binding` are entries of flow maps.
fn bound(spec: &str, binding: &str) -> String {
    format!(
        "apiVersion: admissionregistration.k8s.io/v1\nkind: ValidatingAdmissionPolicy\nmetadata: {{name: p}}\nspec: {{{spec}}}\n---\napiVersion: admissionregistration.k8s.io/v1\nkind: ValidatingAdmissionPolicyBinding\nmetadata: {{name: b}}\nspec: {{policyName: p, {binding}}}\n"
    )
}

/// What is done to an object, and what is known of its surroundings.
#[derive(Default)]
struct Request<'r> {
    object: &'r str,
    old: Option<&'r str>,
    namespace: Option<&'r str>,
    operation: Option<Operation>,
}

fn judge(policy: &str, request: &Request<'_>) -> (Answer, Vec<Diagnostic>) {
    let documents = documents(policy);
    let sources = Sources::default();
    let mut sink = Sink::default();
    let rules = with_large_stack(|| cases::compile(&[], &documents, &sources, &mut sink));
    assert_eq!(rules.len(), 1, "{policy}\n{:#?}", sink.finish(&sources));
    let tree = |text: &str| self::documents(text).remove(0);
    let object = tree(request.object);
    let (old, namespace) = (request.old.map(tree), request.namespace.map(tree));
    let manifest = JudgedManifest {
        object: &object,
        old: old.as_ref(),
        namespace: namespace.as_ref(),
        operation: request.operation.unwrap_or(if old.is_some() {
            Operation::Update
        } else {
            Operation::Create
        }),
    };
    let mut found = Sink::default();
    let params = cases::no_parameters();
    let answer = manifests::evaluate(&rules[0], &manifest, &params, &sources, &mut found);
    (answer, found.finish(&sources))
}

fn result(policy: &str, request: &Request<'_>) -> &'static str {
    judge(policy, request).0.result
}

const DEPLOYMENT: &str =
    "{apiVersion: apps/v1, kind: Deployment, metadata: {name: web, namespace: n, labels: {a: b}}}";
const DENY: &str = "validationActions: [Deny]";

/// A policy that refuses all that matches.
fn refusing(constraints: &str) -> String {
    bound(
        &format!("matchConstraints: {{{constraints}}}, validations: [{{expression: 'false'}}]"),
        DENY,
    )
}

fn rule(rest: &str) -> String {
    let defaults = [
        ("apiGroups", "['*']"),
        ("apiVersions", "['*']"),
        ("operations", "['*']"),
        ("resources", "['*']"),
    ];
    let missing = defaults.into_iter().filter(|(key, _)| !rest.contains(key));
    let entries: Vec<String> = missing
        .map(|(key, value)| format!("{key}: {value}"))
        .collect();
    let rest = if rest.is_empty() {
        String::new()
    } else {
        format!("{rest}, ")
    };
    format!("{{{rest}{}}}", entries.join(", "))
}
