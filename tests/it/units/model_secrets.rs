//! `src/model/secrets.rs`.

use tenantry::engine::view::View;
use tenantry::kubernetes::field_path::FieldPath;
use tenantry::model::secrets::*;
use tenantry::yaml::parse::parse;

fn shown(kind: &str, text: &str) -> String {
    let tree = parse(text, 0).documents.remove(0);
    let (value, _) = redacted(kind, View::of(&tree), &FieldPath::default());
    value.to_string()
}

#[test]
fn secret_material_is_hidden_and_its_name_is_not() {
    for (kind, text) in [
        ("Secret", "data: {password: hunter2}"),
        ("Secret", "stringData: {anything: hunter2}"),
        ("Deployment", "env: [{name: DB_PASSWORD, value: hunter2}]"),
        (
            "Deployment",
            "spec: {containers: [{name: a, env: [{name: API_TOKEN, value: hunter2}]}]}",
        ),
        ("ConfigMap", "data: {db.password: hunter2}"),
        (
            "ConfigMap",
            "data: {app.conf: 'url: postgres://app:hunter2@db/app'}",
        ),
        ("Deployment", "args: ['--password=hunter2']"),
        ("Deployment", "args: [--password, hunter2]"),
        (
            "ConfigMap",
            "data: {key.pem: \"-----BEGIN RSA PRIVATE KEY-----\\nhunter2\"}",
        ),
        (
            "Component",
            "spec: {workload: {settings: {apiKey: hunter2}}}",
        ),
        ("Deployment", "env: [{name: PIN_SECRET, value: 12345}]"),
        ("Deployment", "env: [{name: REDIS_AUTH, value: hunter2}]"),
        (
            "Deployment",
            "env: [{name: ENCRYPTION_KEY, value: hunter2}]",
        ),
        (
            "Deployment",
            "env: [{name: SETTINGS, value: '{\"DB_PASSWORD\":\"hunter2\"}'}]",
        ),
        (
            "Deployment",
            "env: [{name: CACHE, value: 'redis://:hunter2@cache'}]",
        ),
        (
            "Deployment",
            "env: [{name: REPO, value: 'https://hunter2@github.com/a'}]",
        ),
        ("Database", "spec: {auth: {password: hunter2}}"),
        (
            "Secret",
            "metadata: {annotations: {kubectl.kubernetes.io/last-applied-configuration: hunter2}}",
        ),
    ] {
        let shown = shown(kind, text);
        assert!(shown.contains(HIDDEN), "{text}: {shown}");
        assert!(
            !shown.contains("hunter2") && !shown.contains("12345"),
            "{shown}"
        );
    }
}

#[test]
fn what_only_names_a_secret_is_shown() {
    for text in [
        "env: [{name: DB_PASSWORD_FILE, value: /run/secrets/db}]",
        "env: [{name: DB, valueFrom: {secretKeyRef: {name: db, key: password}}}]",
        "spec: {volumes: [{name: tls, secret: {secretName: web-tls}}]}",
        "automountServiceAccountToken: false",
        "env: [{name: LOG_LEVEL, value: info}]",
        "image: registry.example:5000/app:1.2.3",
    ] {
        assert!(!shown("Deployment", text).contains(HIDDEN), "{text}");
    }
}
