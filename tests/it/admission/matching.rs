//! Which requests a policy matches.

use std::collections::BTreeMap;

use tenantry::diagnostics::{Sink, SourceFile, Sources};
use tenantry::model::kinds::policy::Operation;
use tenantry::policy::cases;
use tenantry::validate;
use tenantry::yaml::parse::parse;

use super::{DENY, DEPLOYMENT, Request, bound, judge, refusing, result, rule};

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
