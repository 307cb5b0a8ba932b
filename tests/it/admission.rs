//! What the API server's own tests say of admission policies: which requests they match, what they say, and what
//! bindings make of it.

use std::collections::BTreeMap;

use tenantry::diagnostics::{Diagnostic, Severity, Sink, SourceFile, Sources};
use tenantry::model::kinds::policy::Operation;
use tenantry::policy::cases;
use tenantry::policy::manifests::{self, Answer, Manifest};
use tenantry::policy::with_large_stack;
use tenantry::validate;
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
    let manifest = Manifest {
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

#[test]
fn rules_match_by_group_version_resource_operation_scope_and_name() {
    let namespace = "{apiVersion: v1, kind: Namespace, metadata: {name: n, labels: {a: b}}}";
    let binding = "{apiVersion: admissionregistration.k8s.io/v1, kind: ValidatingAdmissionPolicyBinding, metadata: {name: n}}";
    let role = "{apiVersion: rbac.authorization.k8s.io/v1, kind: ClusterRole, metadata: {name: r}}";
    for (constraints, object, expected) in [
        (rule(""), DEPLOYMENT, true),
        (
            rule("apiGroups: [apps], apiVersions: [v1], resources: [deployments]"),
            DEPLOYMENT,
            true,
        ),
        (rule("apiGroups: ['']"), DEPLOYMENT, false),
        (rule("resources: ['*/*']"), DEPLOYMENT, true),
        (rule("resources: ['deployments/*']"), DEPLOYMENT, true),
        (rule("resources: ['*/scale']"), DEPLOYMENT, false),
        (rule("resources: ['deployments/scale']"), DEPLOYMENT, false),
        (rule("operations: [UPDATE, DELETE]"), DEPLOYMENT, false),
        (rule("resourceNames: [web]"), DEPLOYMENT, true),
        (rule("resourceNames: [other]"), DEPLOYMENT, false),
        (rule("scope: Namespaced"), DEPLOYMENT, true),
        (rule("scope: Cluster"), DEPLOYMENT, false),
        (rule("scope: Cluster"), role, true),
        (rule("scope: Namespaced"), role, false),
        // A request about a namespace names it, and is outside all the same.
        (rule("scope: Cluster"), namespace, true),
        (rule("scope: Namespaced"), namespace, false),
        // What would lock everybody out is never judged.
        (rule(""), binding, false),
        // Versions that no server serves are not equivalent to anything.
        (
            rule("apiGroups: [apps], apiVersions: [v2]"),
            DEPLOYMENT,
            false,
        ),
        (
            rule("apiGroups: [extensions], apiVersions: [v1beta1]"),
            DEPLOYMENT,
            false,
        ),
    ] {
        let policy = refusing(&format!("resourceRules: [{constraints}]"));
        let found = result(
            &policy,
            &Request {
                object,
                ..Request::default()
            },
        );
        assert_eq!(found == "fail", expected, "{constraints} {object}");
    }
}

#[test]
fn exclusions_go_before_rules() {
    for (excluded, expected) in [
        ("resources: [deployments]", "skip"),
        ("resources: [deployments], resourceNames: [other]", "fail"),
        ("resources: [pods]", "fail"),
    ] {
        let policy = refusing(&format!(
            "resourceRules: [{}], excludeResourceRules: [{}]",
            rule(""),
            rule(excluded)
        ));
        let request = Request {
            object: DEPLOYMENT,
            ..Request::default()
        };
        assert_eq!(result(&policy, &request), expected, "{excluded}");
    }
}

const AUTOSCALER: &str = "{apiVersion: autoscaling/v2, kind: HorizontalPodAutoscaler, metadata: {name: web, namespace: n}, spec: {maxReplicas: 3, metrics: [{type: Resource, resource: {name: cpu, target: {type: Utilization, averageUtilization: 70}}}]}}";

#[test]
fn other_versions_are_seen_as_the_rule_names_them() {
    let policy = |matching: &str, version: &str, expression: &str| {
        let rule = rule(&format!(
            "apiGroups: [autoscaling], apiVersions: [{version}], resources: [horizontalpodautoscalers]"
        ));
        bound(
            &format!(
                "matchConstraints: {{{matching}resourceRules: [{rule}]}}, validations: [{{expression: \"{expression}\"}}]"
            ),
            DENY,
        )
    };
    for (matching, version, expression, expected) in [
        (
            "",
            "v1",
            "object.spec.targetCPUUtilizationPercentage == 70 && !has(object.spec.metrics)",
            "pass",
        ),
        (
            "",
            "v1",
            "object.apiVersion == 'autoscaling/v1' && request.kind.version == 'v1'",
            "pass",
        ),
        (
            "",
            "v1",
            "request.requestKind.version == 'v2' && request.requestResource.version == 'v2'",
            "pass",
        ),
        ("", "v1", "false", "fail"),
        ("matchPolicy: Exact, ", "v1", "false", "skip"),
        (
            "",
            "'v1', 'v2'",
            "object.apiVersion == 'autoscaling/v2'",
            "pass",
        ),
        // It has not been served for long.
        ("", "v2beta2", "false", "skip"),
    ] {
        let found = judge(
            &policy(matching, version, expression),
            &Request {
                object: AUTOSCALER,
                ..Request::default()
            },
        );
        assert_eq!(
            found.0.result, expected,
            "{matching}{version}: {expression}: {:?}",
            found.0
        );
    }
}

#[test]
fn selectors_look_at_both_objects_and_at_the_namespace() {
    let unlabelled = "{apiVersion: apps/v1, kind: Deployment, metadata: {name: web, namespace: n}}";
    let labelled = "{apiVersion: v1, kind: Namespace, metadata: {name: n, labels: {a: b}}}";
    let other = "{apiVersion: v1, kind: Namespace, metadata: {name: n}}";
    let role = "{apiVersion: rbac.authorization.k8s.io/v1, kind: ClusterRole, metadata: {name: r}}";
    let object = "objectSelector: {matchLabels: {a: b}}";
    let namespace = "namespaceSelector: {matchLabels: {a: b}}";
    let named = "namespaceSelector: {matchLabels: {kubernetes.io/metadata.name: n}}";
    for (selector, request, expected) in [
        (
            object,
            Request {
                object: DEPLOYMENT,
                ..Request::default()
            },
            "fail",
        ),
        (
            object,
            Request {
                object: unlabelled,
                ..Request::default()
            },
            "skip",
        ),
        (
            object,
            Request {
                object: unlabelled,
                old: Some(DEPLOYMENT),
                ..Request::default()
            },
            "fail",
        ),
        (
            object,
            Request {
                object: DEPLOYMENT,
                old: Some(unlabelled),
                ..Request::default()
            },
            "fail",
        ),
        (
            object,
            Request {
                object: DEPLOYMENT,
                operation: Some(Operation::Delete),
                ..Request::default()
            },
            "fail",
        ),
        (
            "objectSelector: {}",
            Request {
                object: unlabelled,
                ..Request::default()
            },
            "fail",
        ),
        (
            "objectSelector: {matchExpressions: [{key: a, operator: NotIn, values: [b]}]}",
            Request {
                object: unlabelled,
                ..Request::default()
            },
            "fail",
        ),
        (
            namespace,
            Request {
                object: DEPLOYMENT,
                namespace: Some(labelled),
                ..Request::default()
            },
            "fail",
        ),
        (
            namespace,
            Request {
                object: DEPLOYMENT,
                namespace: Some(other),
                ..Request::default()
            },
            "skip",
        ),
        (
            named,
            Request {
                object: DEPLOYMENT,
                namespace: Some(other),
                ..Request::default()
            },
            "fail",
        ),
        // A namespace is selected by its own labels, whatever is outside namespaces always is.
        (
            namespace,
            Request {
                object: labelled,
                ..Request::default()
            },
            "fail",
        ),
        (
            namespace,
            Request {
                object: other,
                ..Request::default()
            },
            "skip",
        ),
        (
            namespace,
            Request {
                object: role,
                ..Request::default()
            },
            "fail",
        ),
    ] {
        let policy = refusing(&format!("resourceRules: [{}], {selector}", rule("")));
        assert_eq!(
            result(&policy, &request),
            expected,
            "{selector} {}",
            request.object
        );
    }
}

/// A policy for all objects, with more entries of its spec.
fn with(entries: &str) -> String {
    bound(
        &format!(
            "matchConstraints: {{resourceRules: [{}]}}, {entries}",
            rule("")
        ),
        DENY,
    )
}

#[test]
fn a_false_condition_decides_whatever_went_wrong_in_others() {
    let error = "object.spec.nothing == 1";
    for (conditions, ignore, expected) in [
        (vec!["true", "true"], false, "fail"),
        (vec!["true", "false"], false, "skip"),
        (vec![error, "false"], false, "skip"),
        (vec!["false", error], false, "skip"),
        (vec![error, "true"], false, "fail"),
        (vec![error, "true"], true, "skip"),
    ] {
        let conditions: Vec<String> = conditions
            .iter()
            .enumerate()
            .map(|(at, text)| format!("{{name: c{at}, expression: '{text}'}}"))
            .collect();
        let failure = if ignore { "Ignore" } else { "Fail" };
        let policy = with(&format!(
            "failurePolicy: {failure}, matchConditions: [{}], validations: [{{expression: 'false'}}]",
            conditions.join(", ")
        ));
        let request = Request {
            object: DEPLOYMENT,
            ..Request::default()
        };
        assert_eq!(result(&policy, &request), expected, "{policy}");
    }
}

#[test]
fn messages_are_trimmed_and_fall_back() {
    let long = format!("'{}'", "x".repeat(5 * 1024 + 1));
    let longest = format!("'{}'", "x".repeat(5 * 1024));
    for (expression, message, computed, expected) in [
        ("  false  ", "", "", "failed expression: false".to_owned()),
        ("false", " words ", "", "words".to_owned()),
        (
            "false",
            "words",
            "'  ' + object.metadata.name + '\\n'",
            "web".to_owned(),
        ),
        ("false", "words", "'two\\nlines'", "words".to_owned()),
        ("false", "words", "'   '", "words".to_owned()),
        ("false", "", "''", "failed expression: false".to_owned()),
        ("false", "words", "object.nothing", "words".to_owned()),
        ("false", "words", &long, "words".to_owned()),
        ("false", "words", &longest, "x".repeat(5 * 1024)),
    ] {
        let quoted = |text: &str| serde_json::to_string(text).unwrap();
        let mut validation = format!("expression: {}", quoted(expression));
        if !message.is_empty() {
            validation += &format!(", message: {}", quoted(message));
        }
        if !computed.is_empty() {
            validation += &format!(", messageExpression: {}", quoted(computed));
        }
        let policy = with(&format!("validations: [{{{validation}}}]"));
        let request = Request {
            object: DEPLOYMENT,
            ..Request::default()
        };
        assert_eq!(
            judge(&policy, &request).0.messages,
            [expected],
            "{validation}"
        );
    }
}

#[test]
fn errors_are_what_the_failure_policy_says() {
    let validations = "validations: [{expression: 'object.nothing == 1'}, {expression: 'true'}]";
    for (policy, expected) in [
        (validations.to_owned(), "fail"),
        (format!("failurePolicy: Ignore, {validations}"), "pass"),
        (
            "failurePolicy: Ignore, validations: [{expression: 'object.nothing == 1'}, {expression: 'false'}]".to_owned(),
            "fail",
        ),
        // Variables are evaluated where they are used, and only there.
        (
            "variables: [{name: v, expression: object.nothing}], validations: [{expression: 'true || variables.v'}]".to_owned(),
            "pass",
        ),
    ] {
        let request = Request { object: DEPLOYMENT, ..Request::default() };
        assert_eq!(result(&with(&policy), &request), expected, "{policy}");
    }
}

#[test]
fn audit_annotations_are_published_trimmed_and_their_errors_deny() {
    let policy = |value: &str, ignore: bool, actions: &str| {
        let failure = if ignore { "Ignore" } else { "Fail" };
        bound(
            &format!(
                "failurePolicy: {failure}, matchConstraints: {{resourceRules: [{}]}}, validations: [{{expression: 'true'}}], auditAnnotations: [{{key: k, valueExpression: \"{value}\"}}]",
                rule("")
            ),
            &format!("validationActions: [{actions}]"),
        )
    };
    let request = Request {
        object: DEPLOYMENT,
        ..Request::default()
    };
    for (value, expected) in [
        ("' ' + object.metadata.name + ' '", Some("web")),
        ("'  '", None),
        ("object.metadata.name == 'x' ? 'y' : null", None),
    ] {
        let (answer, _) = judge(&policy(value, false, "Deny"), &request);
        let found = answer.audit.get("p/k").map(String::as_str);
        assert_eq!((answer.result, found), ("pass", expected), "{value}");
    }
    let (answer, findings) = judge(&policy("object.nothing", false, "Audit"), &request);
    assert_eq!(answer.result, "fail");
    assert_eq!(findings[0].severity, Severity::Error, "{findings:?}");
    assert_eq!(
        result(&policy("object.nothing", true, "Audit"), &request),
        "pass"
    );
}

#[test]
fn actions_say_what_a_finding_does() {
    for (actions, expected) in [
        ("Deny", Severity::Error),
        ("Warn, Audit", Severity::Warning),
        ("Deny, Audit", Severity::Error),
        ("Audit", Severity::Note),
    ] {
        let policy = bound(
            &format!(
                "matchConstraints: {{resourceRules: [{}]}}, validations: [{{expression: 'false'}}]",
                rule("")
            ),
            &format!("validationActions: [{actions}]"),
        );
        let (_, findings) = judge(
            &policy,
            &Request {
                object: DEPLOYMENT,
                ..Request::default()
            },
        );
        assert_eq!(findings[0].severity, expected, "{actions}");
    }
}

#[test]
fn parameters_are_those_that_the_reference_names() {
    let limit = |name: &str, namespace: &str, labels: &str, most: u32| {
        format!(
            "---\napiVersion: v1\nkind: ConfigMap\nmetadata: {{name: {name}, namespace: {namespace}, labels: {{{labels}}}}}\ndata: {{most: '{most}'}}\n"
        )
    };
    let policy = |reference: &str, failure: &str, documents: &str| {
        let bound = bound(
            &format!(
                "failurePolicy: {failure}, paramKind: {{apiVersion: v1, kind: ConfigMap}}, matchConstraints: {{resourceRules: [{}]}}, validations: [{{expression: \"params == null || int(params.data.most) >= 3\", messageExpression: \"'at most ' + params.data.most\"}}]",
                rule("")
            ),
            &format!("validationActions: [Warn]{reference}"),
        );
        bound + documents
    };
    let all =
        limit("a", "n", "of: n", 2) + &limit("b", "n", "of: n", 1) + &limit("a", "m", "of: m", 5);
    let role = "{apiVersion: rbac.authorization.k8s.io/v1, kind: ClusterRole, metadata: {name: r}}";
    for (reference, failure, object, messages) in [
        // No reference: the policy sees null.
        ("", "Fail", DEPLOYMENT, vec![]),
        (
            ", paramRef: {name: a, namespace: m, parameterNotFoundAction: Deny}",
            "Fail",
            DEPLOYMENT,
            vec![],
        ),
        (
            ", paramRef: {name: a, parameterNotFoundAction: Deny}",
            "Fail",
            DEPLOYMENT,
            vec!["at most 2"],
        ),
        (
            ", paramRef: {selector: {}, parameterNotFoundAction: Deny}",
            "Fail",
            DEPLOYMENT,
            vec!["at most 2", "at most 1"],
        ),
        (
            ", paramRef: {selector: {matchLabels: {of: m}}, namespace: m, parameterNotFoundAction: Deny}",
            "Fail",
            DEPLOYMENT,
            vec![],
        ),
        (
            ", paramRef: {name: c, parameterNotFoundAction: Allow}",
            "Fail",
            DEPLOYMENT,
            vec![],
        ),
        (
            ", paramRef: {name: c, parameterNotFoundAction: Deny}",
            "Fail",
            DEPLOYMENT,
            vec!["the parameters that its binding names are not there"],
        ),
        (
            ", paramRef: {name: c, parameterNotFoundAction: Deny}",
            "Ignore",
            DEPLOYMENT,
            vec![],
        ),
        (
            ", paramRef: {name: a, parameterNotFoundAction: Allow}",
            "Fail",
            role,
            vec!["its binding looks for parameters in the namespace of the object, which has none"],
        ),
    ] {
        let (answer, findings) = judge(
            &policy(reference, failure, &all),
            &Request {
                object,
                ..Request::default()
            },
        );
        assert_eq!(answer.messages, messages, "{reference}");
        // What is wrong with the binding denies, whatever its actions are.
        let denied = findings
            .iter()
            .any(|finding| finding.severity == Severity::Error);
        let is_configuration = messages.iter().any(|text| text.contains("its binding"));
        assert_eq!(denied, is_configuration, "{reference}");
    }
}

#[test]
fn requests_say_no_more_than_there_is() {
    let namespace = "{apiVersion: v1, kind: Namespace, metadata: {name: n}}";
    for (object, expression) in [
        (
            DEPLOYMENT,
            "!has(request.subResource) && request.namespace == 'n' && request.name == 'web'",
        ),
        (
            DEPLOYMENT,
            "request.operation == 'CREATE' && request.resource.resource == 'deployments' && !request.dryRun",
        ),
        (
            DEPLOYMENT,
            "oldObject == null && namespaceObject.metadata.name == 'n'",
        ),
        (
            namespace,
            "request.namespace == 'n' && namespaceObject == null",
        ),
    ] {
        let policy = with(&format!("validations: [{{expression: \"{expression}\"}}]"));
        let request = Request {
            object,
            namespace: (object != namespace).then_some(namespace),
            ..Request::default()
        };
        let (answer, _) = judge(&policy, &request);
        assert_eq!(answer.result, "pass", "{expression}: {answer:?}");
    }
}

#[test]
fn subresources_are_matched_by_their_own_names() {
    const EXEC: &str = "{apiVersion: v1, kind: PodExecOptions, command: [sh]}";
    let scale = "{apiVersion: autoscaling/v1, kind: Scale, metadata: {name: web, namespace: n}, spec: {replicas: 3}}";
    for (resources, object, resource, expected) in [
        ("pods/exec", EXEC, ("", "pods", "exec"), "fail"),
        ("pods/*", EXEC, ("", "pods", "exec"), "fail"),
        ("*/*", EXEC, ("", "pods", "exec"), "fail"),
        ("*/exec", EXEC, ("", "pods", "exec"), "fail"),
        ("pods", EXEC, ("", "pods", "exec"), "skip"),
        ("*", EXEC, ("", "pods", "exec"), "skip"),
        (
            "deployments/scale",
            scale,
            ("apps", "deployments", "scale"),
            "fail",
        ),
        (
            "deployments",
            scale,
            ("apps", "deployments", "scale"),
            "skip",
        ),
    ] {
        let (group, plural, sub) = resource;
        let text = format!(
            "apiVersion: tenantry.dev/v1\nkind: Policy\nmetadata: {{name: own}}\nspec:\n  title: Own\n  matchConstraints:\n    resourceRules: [{}]\n  validations: [{{expression: \"request.subResource != '{sub}'\", message: refused}}]\n  tests:\n    {expected}:\n      - name: a case\n        object: {object}\n        operation: CONNECT\n        request: {{resource: {{group: '{group}', version: v1, resource: {plural}}}, subResource: {sub}, name: web, namespace: n}}\n",
            rule(&format!("resources: ['{resources}']"))
        );
        let mut sources = Sources::default();
        let mut sink = Sink::default();
        let parsed = parse(&text, 0);
        sources.add(SourceFile {
            path: "own.yaml".to_owned(),
            text: text.clone().into(),
            spans: parsed.spans,
            from_command_line: false,
        });
        let none = BTreeMap::new();
        let validated = validate::run(&parsed.documents, &none, &sources, &mut sink);
        let policies: Vec<_> = validated.catalog.policies.iter().cloned().collect();
        let rules = cases::compile(&policies, &[], &sources, &mut sink);
        let tally = cases::run(&rules[0], &sources, &mut sink);
        let findings = sink.finish(&sources);
        assert_eq!((tally.held, tally.failed), (1, 0), "{text}\n{findings:#?}");
    }
}
