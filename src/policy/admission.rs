//! Policies that were written for the API server: ValidatingAdmissionPolicy, its bindings, and the
//! documents that hold their parameters, as they are.
//! <https://kubernetes.io/docs/reference/access-authn-authz/validating-admission-policy/>

use std::collections::{BTreeMap, BTreeSet};

use serde::Deserialize;

use super::matching;
use super::rules::{self, Rule, RuleCheck, RuleCompiler};
use super::storable;
use super::type_check::Expressions;
use crate::model::kinds::Enforcement;
use crate::model::kinds::policy::{
    AuditAnnotation, FailurePolicy, LabelSelector, MatchCondition, MatchResources, Matching,
    NamedExpression, RuleSeverity, Target, Tests,
};
use crate::model::{ADMISSION_GROUP, ADMISSION_KINDS};
use tenantry_cel::WantedType;
use tenantry_kubernetes::schemas::ObjectSchemas;
use tenantry_syntax::diagnostics::catalogue::policy as codes;
use tenantry_syntax::diagnostics::{Diagnostic, Sink, Sources, suggest};
use tenantry_syntax::yaml::{Node, PathStep};

/// The kinds of policies and of their bindings.
const POLICY: &str = ADMISSION_KINDS[0];
const BINDING: &str = ADMISSION_KINDS[1];

/// How an admission policy is bound.
#[derive(Debug, Default)]
pub struct Bindings {
    /// Its bindings.
    pub list: Vec<Binding>,
    /// Whether it takes parameters.
    pub takes_parameters: bool,
}

/// Where a policy is in force, and with which parameters.
#[derive(Debug)]
pub struct Binding {
    /// Its document.
    pub tree: Node,
    /// Which objects it narrows the policy to.
    pub resources: Option<MatchResources>,
    /// What a finding does.
    pub enforcement: Enforcement,
    /// Its parameters: nothing if it names none.
    pub parameters: Option<Parameters>,
}

/// What a binding's `paramRef` names.
#[derive(Debug)]
pub struct Parameters {
    /// The documents; those of another namespace than the object's do not count, if the reference
    /// leaves the namespace open.
    pub documents: Vec<Node>,
    /// Whether that no document is there denies everything.
    pub denies_if_missing: bool,
    /// Whether only documents of the object's own namespace count.
    pub of_own_namespace: bool,
    /// Whether documents of their kind are in namespaces.
    pub are_namespaced: bool,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
struct PolicySpec {
    #[serde(default)]
    param_kind: Option<ParamKind>,
    #[serde(default)]
    match_constraints: Option<MatchResources>,
    #[serde(default)]
    match_conditions: Vec<MatchCondition>,
    #[serde(default)]
    validations: Vec<AdmissionValidation>,
    #[serde(default)]
    failure_policy: Option<FailurePolicy>,
    #[serde(default)]
    audit_annotations: Vec<AuditAnnotation>,
    #[serde(default)]
    variables: Vec<NamedExpression>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
struct AdmissionValidation {
    expression: String,
    #[serde(default)]
    message: Option<String>,
    #[serde(default)]
    message_expression: Option<String>,
    #[serde(default)]
    #[allow(dead_code, reason = "a field that must be known to be allowed")]
    reason: Option<String>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
struct ParamKind {
    api_version: String,
    kind: String,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
struct BindingSpec {
    #[allow(dead_code, reason = "a field that must be there")]
    policy_name: String,
    #[serde(default)]
    param_ref: Option<ParamRef>,
    #[serde(default)]
    match_resources: Option<MatchResources>,
    #[serde(default)]
    validation_actions: Vec<String>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
struct ParamRef {
    #[serde(default)]
    name: Option<String>,
    #[serde(default)]
    namespace: Option<String>,
    #[serde(default)]
    selector: Option<LabelSelector>,
    #[serde(default)]
    parameter_not_found_action: Option<String>,
}

/// Whether a document is one of these.
pub fn is_admission(tree: &Node) -> bool {
    let version = tree.get("apiVersion").and_then(Node::as_str);
    version.is_some_and(|version| version.starts_with(ADMISSION_GROUP))
        && matches!(kind(tree), POLICY | BINDING)
}

fn kind(tree: &Node) -> &str {
    tree.get("kind").and_then(Node::as_str).unwrap_or_default()
}

fn name(tree: &Node) -> &str {
    let name = tree.at(&["metadata", "name"]);
    name.and_then(Node::as_str).unwrap_or_default()
}

fn read<T: for<'d> Deserialize<'d>>(tree: &Node, sources: &Sources, sink: &mut Sink) -> Option<T> {
    let spec = tree.get("spec").map(Node::to_json).unwrap_or_default();
    match serde_json::from_value(spec) {
        Ok(spec) => Some(spec),
        Err(error) => {
            let place = tree.at(&["metadata", "name"]).unwrap_or(tree);
            let message = format!(
                "the {} `{}` cannot be read: {error}",
                kind(tree),
                name(tree)
            );
            sink.push(
                Diagnostic::new(codes::BAD_ADMISSION, message)
                    .at(sources.span(place.id), "this document")
                    .help("write it as Kubernetes documents it: https://kubernetes.io/docs/reference/kubernetes-api/policy-resources/"),
            );
            None
        }
    }
}

/// Compiles all admission policies among the documents; the others are their bindings and
/// parameters. With `unbound`, policies that no binding names judge all the same.
pub fn compile(
    documents: &[Node],
    unbound: bool,
    custom: &[&ObjectSchemas],
    sources: &Sources,
    sink: &mut Sink,
) -> Vec<Rule> {
    let mut bindings: BTreeMap<&str, Vec<(&Node, BindingSpec)>> = BTreeMap::new();
    // The policies that bindings name which are refused: that nothing binds them follows.
    let mut refused: BTreeSet<&str> = BTreeSet::new();
    for tree in documents
        .iter()
        .filter(|tree| is_admission(tree) && kind(tree) == BINDING)
    {
        let policy = tree.at(&["spec", "policyName"]).and_then(Node::as_str);
        let policy = policy.unwrap_or_default();
        let spec = storable::check(tree, sources, sink)
            .then(|| read::<BindingSpec>(tree, sources, sink))
            .flatten();
        match spec {
            Some(spec) => bindings.entry(policy).or_default().push((tree, spec)),
            None => {
                refused.insert(policy);
            }
        }
    }
    let mut rules = Vec::new();
    for tree in documents
        .iter()
        .filter(|tree| is_admission(tree) && kind(tree) == POLICY)
    {
        let spec = storable::check(tree, sources, sink)
            .then(|| read::<PolicySpec>(tree, sources, sink))
            .flatten();
        let Some(spec) = spec else {
            bindings.remove(name(tree));
            continue;
        };
        let bound = bindings.remove(name(tree)).unwrap_or_default();
        if bound.is_empty() && !unbound && !refused.contains(name(tree)) {
            let place = tree.at(&["metadata", "name"]).unwrap_or(tree).id;
            let message = format!("no binding names the admission policy `{}`", name(tree));
            sink.push(
                Diagnostic::new(codes::NOT_BOUND, message)
                    .at(sources.span(place), "it does nothing")
                    .help(format!("add a {BINDING} with `policyName: {}`", name(tree))),
            );
        }
        let parameter_kind = spec.param_kind.as_ref();
        let mut list: Vec<Binding> = bound
            .into_iter()
            .map(|(tree, binding)| bind(tree, binding, parameter_kind, documents))
            .collect();
        if unbound && list.is_empty() {
            list.push(unbound_binding(parameter_kind, documents));
        }
        let bindings = Bindings {
            list,
            takes_parameters: parameter_kind.is_some(),
        };
        rules.extend(rule(tree, spec, bindings, custom, sources, sink));
    }
    for (policy, bound) in bindings {
        for (tree, _) in bound {
            let place = tree.at(&["spec", "policyName"]).unwrap_or(tree).id;
            let known = documents
                .iter()
                .filter(|tree| kind(tree) == POLICY)
                .map(name);
            let diagnostic = Diagnostic::new(
                codes::NOT_BOUND,
                format!(
                    "the binding `{}` names the admission policy `{policy}`, which is not here",
                    name(tree)
                ),
            );
            let mut diagnostic = diagnostic.at(sources.span(place), "");
            diagnostic.help = suggest(policy, known)
                .or_else(|| Some("add the policy, or remove the binding".to_owned()));
            sink.push(diagnostic);
        }
    }
    rules
}

/// Judges with every parameter that there is.
fn unbound_binding(parameter_kind: Option<&ParamKind>, documents: &[Node]) -> Binding {
    Binding {
        tree: Node::empty_map(),
        resources: None,
        enforcement: Enforcement::Deny,
        parameters: parameter_kind.map(|wanted| Parameters {
            documents: documents
                .iter()
                .filter(|tree| is_kind(tree, wanted))
                .cloned()
                .collect(),
            denies_if_missing: true,
            of_own_namespace: false,
            are_namespaced: false,
        }),
    }
}

fn is_kind(tree: &Node, wanted: &ParamKind) -> bool {
    let version = tree.get("apiVersion").and_then(Node::as_str);
    version == Some(&wanted.api_version) && kind(tree) == wanted.kind
}

/// Whether objects of a kind of parameters are in namespaces: those of Kubernetes' own are known, those of others
/// are if one of them says so.
fn are_namespaced(wanted: &ParamKind, documents: &[Node]) -> bool {
    let group = wanted
        .api_version
        .split_once('/')
        .map_or("", |(group, _)| group);
    if !group.contains('.') || group.ends_with(".k8s.io") {
        return !matching::OUTSIDE_NAMESPACES.contains(&&*matching::plural(&wanted.kind));
    }
    let mut of_kind = documents.iter().filter(|tree| is_kind(tree, wanted));
    of_kind.any(|tree| tree.at(&["metadata", "namespace"]).is_some())
}

fn bind(
    tree: &Node,
    spec: BindingSpec,
    parameter_kind: Option<&ParamKind>,
    documents: &[Node],
) -> Binding {
    let action = |name: &str| spec.validation_actions.iter().any(|action| action == name);
    let enforcement = if action("Deny") {
        Enforcement::Deny
    } else if action("Warn") {
        Enforcement::Warn
    } else {
        Enforcement::Audit
    };
    let parameters = spec
        .param_ref
        .zip(parameter_kind)
        .map(|(reference, wanted)| {
            let namespace = |tree: &Node| {
                let namespace = tree.at(&["metadata", "namespace"]);
                namespace.and_then(Node::as_str).map(str::to_owned)
            };
            let found = documents.iter().filter(|tree| {
                let label = |key: &str| {
                    let labels = tree.at(&["metadata", "labels"])?;
                    Some(labels.get(key)?.as_str()?.to_owned())
                };
                is_kind(tree, wanted)
                    && reference
                        .name
                        .as_deref()
                        .is_none_or(|wanted| name(tree) == wanted)
                    && reference
                        .selector
                        .as_ref()
                        .is_none_or(|selector| selector.selects(label))
                    && reference.namespace.as_ref().is_none_or(|wanted| {
                        namespace(tree).is_none_or(|namespace| namespace == *wanted)
                    })
            });
            Parameters {
                documents: found.cloned().collect(),
                denies_if_missing: reference.parameter_not_found_action.as_deref() == Some("Deny"),
                of_own_namespace: reference.namespace.is_none(),
                are_namespaced: are_namespaced(wanted, documents),
            }
        });
    Binding {
        tree: tree.clone(),
        resources: spec.match_resources,
        enforcement,
        parameters,
    }
}

fn rule(
    tree: &Node,
    spec: PolicySpec,
    bindings: Bindings,
    custom: &[&ObjectSchemas],
    sources: &Sources,
    sink: &mut Sink,
) -> Option<Rule> {
    let mut compiler = RuleCompiler {
        sources,
        custom,
        sink,
        policy: name(tree),
        variables: Vec::new(),
        failed: false,
        expressions: Expressions::default(),
    };
    let place = |list: &str, index: usize, field: &str| {
        let path = [
            "spec".into(),
            list.into(),
            PathStep::Index(index),
            field.into(),
        ];
        tree.at_path(&path).unwrap_or(tree).id
    };
    let mut conditions = Vec::new();
    for (index, condition) in spec.match_conditions.into_iter().enumerate() {
        let place = place("matchConditions", index, "expression");
        let program = compiler.program(&condition.expression, place, false, WantedType::Bool);
        conditions.extend(program.map(|program| (condition.name, program)));
    }
    let mut variables = Vec::new();
    for (index, variable) in spec.variables.into_iter().enumerate() {
        let place = place("variables", index, "expression");
        let program = compiler.program(&variable.expression, place, true, WantedType::Anything);
        compiler.declare(&variable.name, program.as_ref());
        variables.extend(program.map(|program| (variable.name, program)));
    }
    let mut validations = Vec::new();
    for (index, validation) in spec.validations.into_iter().enumerate() {
        let here = place("validations", index, "expression");
        let program = compiler.program(&validation.expression, here, true, WantedType::Bool);
        let message_place = place("validations", index, "messageExpression");
        let message_program = validation
            .message_expression
            .and_then(|text| compiler.program(&text, message_place, true, WantedType::Text));
        validations.extend(program.map(|program| RuleCheck {
            program,
            message: validation.message,
            message_program,
            path: None,
            place: here,
        }));
    }
    let mut annotations = Vec::new();
    for (index, annotation) in spec.audit_annotations.iter().enumerate() {
        let place = place("auditAnnotations", index, "valueExpression");
        let program = compiler.program(
            &annotation.value_expression,
            place,
            true,
            WantedType::TextOrNull,
        );
        annotations.extend(program.map(|program| (annotation.key.clone(), program)));
    }
    if compiler.failed {
        return None;
    }
    compiler.check_types(spec.match_constraints.as_ref());
    let annotation = |key: &str| {
        let annotations = tree.at(&["metadata", "annotations"])?;
        Some(annotations.get(key)?.as_str()?.to_owned())
    };
    let strictest = bindings.list.iter().map(|binding| binding.enforcement);
    let enforcement = strictest.max_by_key(|enforcement| *enforcement as u8);
    let mut rule = Rule {
        name: name(tree).to_owned(),
        title: annotation("description")
            .unwrap_or_else(|| format!("The admission policy {}", name(tree))),
        pack: String::new(),
        severity: RuleSeverity::Medium,
        enforcement: enforcement.unwrap_or(Enforcement::Audit),
        target: Target::Manifest,
        matching: Matching::default(),
        constraints: spec.match_constraints,
        conditions,
        fails_on_error: spec.failure_policy != Some(FailurePolicy::Ignore),
        parameters: BTreeMap::new(),
        defaults: Node::empty_map(),
        variables,
        validations,
        annotations,
        controls: BTreeMap::new(),
        rationale: String::new(),
        remediation: String::new(),
        tests: Tests::default(),
        tree: tree.clone(),
        admission: Some(bindings),
        compile_time_only: None,
        since: None,
        digest: rules::digest(tree),
    };
    rule.since = rules::since(&rule);
    Some(rule)
}
