//! Dumps of a cluster's API, in the forms in which API servers write them.

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;
use std::process::Command;

use serde_json::{Value, json};

use crate::support::{copy_folder, repository_path};

/// The built-in definitions, and the kinds of each: group, version and kind.
fn built_in() -> (Value, BTreeMap<String, Value>) {
    let text =
        fs::read_to_string(repository_path("crates/kubernetes/schemas/kubernetes.json")).unwrap();
    let file: Value = serde_json::from_str(&text).unwrap();
    let mut kinds = BTreeMap::new();
    for (name, definition) in file["kinds"].as_object().unwrap() {
        let (api_version, kind) = name.rsplit_once('/').unwrap();
        let (group, version) = api_version.rsplit_once('/').unwrap_or(("", api_version));
        let definition = definition.as_str().unwrap().to_owned();
        kinds.insert(
            definition,
            json!({"group": group, "version": version, "kind": kind}),
        );
    }
    (file["definitions"].clone(), kinds)
}

/// What `kubectl get --raw /openapi/v2` prints.
fn version_2() -> String {
    let (mut definitions, kinds) = built_in();
    definitions["io.k8s.apimachinery.pkg.util.intstr.IntOrString"] =
        json!({"description": "an int32 or a string", "type": "string", "format": "int-or-string"});
    definitions["io.k8s.apimachinery.pkg.api.resource.Quantity"] =
        json!({"description": "a fixed-point number", "type": "string"});
    for (definition, kind) in &kinds {
        definitions[definition]["x-kubernetes-group-version-kind"] = json!([kind]);
    }
    json!({
        "swagger": "2.0",
        "info": {"title": "Kubernetes", "version": "v1.37.0"},
        "paths": {"/api/v1/": {"get": {"operationId": "getCoreV1APIResources"}}},
        "definitions": definitions,
    })
    .to_string()
}

/// References as version 3 writes them: beside a default, so within an `allOf`.
fn refer(schema: &mut Value) {
    match schema {
        Value::Object(map) => {
            map.values_mut().for_each(refer);
            if let Some(Value::String(reference)) = map.remove("$ref") {
                let reference = reference.replace("#/definitions/", "#/components/schemas/");
                map.insert("allOf".to_owned(), json!([{"$ref": reference}]));
                map.insert("default".to_owned(), json!({}));
                map.insert("description".to_owned(), json!("what it is"));
            }
        }
        Value::Array(items) => items.iter_mut().for_each(refer),
        _ => {}
    }
}

/// The index of version 3, and the documents of two groups, which share definitions.
fn version_3() -> String {
    let (mut definitions, kinds) = built_in();
    refer(&mut definitions);
    definitions["io.k8s.apimachinery.pkg.util.intstr.IntOrString"] =
        json!({"format": "int-or-string", "oneOf": [{"type": "integer"}, {"type": "string"}]});
    definitions["io.k8s.apimachinery.pkg.api.resource.Quantity"] =
        json!({"oneOf": [{"type": "string"}, {"type": "number"}]});
    for (definition, kind) in &kinds {
        definitions[definition]["x-kubernetes-group-version-kind"] = json!([kind]);
    }
    let index = json!({"paths": {"apis/apps/v1": {"serverRelativeURL": "/openapi/v3/apis/apps/v1?hash=0"}}});
    let document = json!({
        "openapi": "3.0.0",
        "info": {"title": "Kubernetes", "version": "v1.37.0"},
        "paths": {},
        "components": {"schemas": definitions},
    });
    format!("{index}\n{document}\n{document}\n")
}

fn check(root: &Path) -> String {
    let output = Command::new(env!("CARGO_BIN_EXE_tenantry"))
        .arg("check")
        .arg(root)
        .output()
        .unwrap();
    String::from_utf8(output.stdout).unwrap()
}

#[test]
fn what_is_rendered_is_right_by_dumps_of_both_versions() {
    for dump in [version_2(), version_3()] {
        let folder = tempfile::tempdir().unwrap();
        let root = folder.path();
        copy_folder(&repository_path("examples/quickstart"), root, false);
        let before = check(root);
        fs::write(root.join("openapi.json"), dump).unwrap();
        let path = root.join("tenantry.yaml");
        let text = fs::read_to_string(&path).unwrap();
        let version = text
            .lines()
            .find(|line| line.contains("kubernetesVersion:"))
            .unwrap();
        let changed = text.replace(version, &format!("{version}\n  openapi: openapi.json"));
        fs::write(&path, changed).unwrap();
        assert_eq!(check(root), before);
        // And what is wrong is found by them.
        fs::create_dir_all(root.join("templates/cluster")).unwrap();
        let template = "{#-\nscope: cluster\n-#}\n\
            apiVersion: policy/v1\nkind: PodDisruptionBudget\nmetadata: {name: web, namespace: web}\n\
            spec: {minAvailable: [1], selector: {matchLables: {app: web}}}\n\
            ---\napiVersion: apps/v1beta1\nkind: Deployment\nmetadata: {name: web, namespace: web}\n";
        fs::write(root.join("templates/cluster/wrong.yaml"), template).unwrap();
        let said = check(root);
        for expected in [
            "`spec.minAvailable` should be text or a whole number",
            "unknown field `matchLables`",
            "Deployment of apps/v1beta1 was removed in Kubernetes 1.16",
        ] {
            assert!(said.contains(expected), "{said}");
        }
    }
}
