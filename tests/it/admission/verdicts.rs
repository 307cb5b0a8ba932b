//! What a policy says of what it matches, and what bindings make of it.

use tenantry::diagnostics::Severity;

use super::{DENY, DEPLOYMENT, Request, bound, judge, result, rule};

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
        (
            "false",
            "words",
            "string(object.nothing)",
            "words".to_owned(),
        ),
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
        ("null", None),
    ] {
        let (answer, _) = judge(&policy(value, false, "Deny"), &request);
        let found = answer.audit.get("p/k").map(String::as_str);
        assert_eq!((answer.result, found), ("pass", expected), "{value}");
    }
    let (answer, findings) = judge(&policy("string(object.nothing)", false, "Audit"), &request);
    assert_eq!(answer.result, "fail");
    assert_eq!(findings[0].severity, Severity::Error, "{findings:?}");
    assert_eq!(
        result(&policy("string(object.nothing)", true, "Audit"), &request),
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
