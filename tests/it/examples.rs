//! The examples: what they compile to, judged by others than ourselves.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::PathBuf;
use std::process::Command;

use serde_json::Value as Json;
use tenantry::compile;
use tenantry::diagnostics::Severity;

use crate::support::{Nothing, assert_file, files_below, options, repository_path, sampled};

/// All objects of the committed output, by file, read by an unrelated YAML parser.
fn objects() -> Vec<(String, Json)> {
    let mut objects = Vec::new();
    for (path, bytes) in files_below(&repository_path("examples/acme/rendered")) {
        // Pages for people, and what API servers read when they start.
        if path.starts_with("runbooks/") || path.starts_with("api-server/") {
            continue;
        }
        for document in serde_yaml::Deserializer::from_slice(&bytes) {
            let json: Json = serde::Deserialize::deserialize(document)
                .unwrap_or_else(|error| panic!("{path}: {error}"));
            objects.push((path.clone(), json));
        }
    }
    assert!(objects.len() > 500, "only {} objects", objects.len());
    objects
}

#[test]
fn the_examples_have_no_errors() {
    for (example, warnings) in [("quickstart", 0), ("acme", 10)] {
        let compilation = compile(
            &options(&repository_path(&format!("examples/{example}"))),
            None,
            &Nothing,
        )
        .unwrap();
        let text = tenantry::report::findings(
            tenantry::report::Format::Text,
            &compilation.findings,
            &compilation.sources,
            false,
        );
        let count = |severity| {
            compilation
                .findings
                .iter()
                .filter(|finding| finding.severity == severity)
                .count()
        };
        assert_eq!(
            (count(Severity::Error), count(Severity::Warning)),
            (0, warnings),
            "{example}\n{text}"
        );
        assert!(compilation.counts.objects > 10);
    }
}

#[test]
fn the_committed_output_is_what_the_input_compiles_to() {
    let example = repository_path("examples/acme");
    let out = example.join("rendered");
    let mut command = Command::new(env!("CARGO_BIN_EXE_tenantry"));
    command
        .arg("render")
        .arg(&example)
        .arg("--out")
        .arg(&out)
        .args(["--as-of", "2026-06-01", "--quiet"]);
    if !crate::support::updating() {
        command.arg("--check");
    }
    let output = command.output().unwrap();
    assert_eq!(
        output.status.code(),
        Some(0),
        "{}\nUPDATE=1 cargo test examples writes it anew",
        String::from_utf8_lossy(&output.stdout)
    );
}

#[test]
fn the_example_shows_what_it_should() {
    let compilation = compile(&options(&repository_path("examples/acme")), None, &Nothing).unwrap();
    let catalog = &compilation.catalog;
    let of = |words: Vec<String>| words.into_iter().collect::<BTreeSet<String>>();
    let tenants = || catalog.tenants.iter();
    let word = |document: &tenantry::yaml::Node, field: &str| {
        document
            .get(field)
            .and_then(|node| node.as_str())
            .unwrap_or_default()
            .to_owned()
    };
    assert!(tenants().count() >= 12);
    assert_eq!(
        of(tenants().map(|tenant| tenant.spec.tier.0.clone()).collect()).len(),
        4,
        "all four tiers"
    );
    assert_eq!(
        of(tenants()
            .map(|tenant| word(&tenant.effective, "isolation"))
            .collect())
        .len(),
        4,
        "all levels of isolation"
    );
    assert!(
        of(catalog
            .components
            .iter()
            .map(|component| component.name.clone())
            .collect())
        .len()
            >= 15
    );
    let kinds = of(catalog
        .components
        .iter()
        .map(|component| word(component.effective.get("workload").unwrap(), "type"))
        .collect());
    assert_eq!(kinds.len(), 5, "every type of workload: {kinds:?}");
    assert!(
        of(catalog
            .environments
            .iter()
            .map(|environment| word(&environment.effective, "stage"))
            .collect())
        .len()
            == 4,
        "all stages"
    );
    assert!(catalog.clusters.iter().count() >= 4);
    assert!(
        of(catalog
            .clusters
            .iter()
            .map(|cluster| word(&cluster.effective, "residency"))
            .collect())
        .len()
            >= 2,
        "two zones"
    );
    let levels = of(catalog
        .contexts
        .iter()
        .map(|context| word(context.effective.get("scope").unwrap(), "level"))
        .collect());
    assert_eq!(
        levels,
        of(["global", "division", "department", "project"]
            .map(str::to_owned)
            .to_vec())
    );
}

/// The `jsonschema` crate judges by the same schemas, made strict, and has no objection either.
#[test]
fn an_independent_validator_accepts_every_object_in_strict_mode() {
    let mut schemas: Json = serde_json::from_str(
        &fs::read_to_string(repository_path("crates/kubernetes/schemas/kubernetes.json")).unwrap(),
    )
    .unwrap();
    for definition in schemas["definitions"].as_object_mut().unwrap().values_mut() {
        if definition.get("properties").is_some()
            && definition.get("additionalProperties").is_none()
        {
            definition["additionalProperties"] = Json::Bool(false);
        }
    }
    let mut validators = BTreeMap::new();
    let mut judged = 0;
    for (path, object) in objects() {
        let kind = format!(
            "{}/{}",
            object["apiVersion"].as_str().unwrap(),
            object["kind"].as_str().unwrap()
        );
        let Some(name) = schemas["kinds"][&kind].as_str() else {
            continue;
        };
        let validator = validators.entry(kind).or_insert_with(|| {
            let schema = serde_json::json!({"$schema": "http://json-schema.org/draft-07/schema#", "$ref": format!("#/definitions/{name}"), "definitions": schemas["definitions"]});
            jsonschema::draft7::new(&schema).unwrap()
        });
        let errors: Vec<String> = validator
            .iter_errors(&object)
            .map(|error| format!("{}: {error}", error.instance_path()))
            .collect();
        assert!(errors.is_empty(), "{path}: {errors:#?}");
        judged += 1;
    }
    assert!(judged > 400, "only {judged} objects were judged");
}

/// Both validators find the same mistakes, planted one by one.
#[test]
fn planted_mistakes_are_found_by_both_validators() {
    let text = fs::read_to_string(repository_path(
        "examples/acme/rendered/production/eu-prod-1/globex/query-api.yaml",
    ))
    .unwrap();
    let service: Json = serde_yaml::Deserializer::from_str(&text)
        .map(|document| serde::Deserialize::deserialize(document).unwrap())
        .find(|object: &Json| object["kind"] == "Service")
        .unwrap();
    let schemas: Json = serde_json::from_str(
        &fs::read_to_string(repository_path("crates/kubernetes/schemas/kubernetes.json")).unwrap(),
    )
    .unwrap();
    let mut strict = schemas["definitions"].clone();
    for definition in strict
        .as_object_mut()
        .unwrap()
        .values_mut()
        .filter(|definition| definition.get("properties").is_some())
    {
        definition["additionalProperties"] = Json::Bool(false);
    }
    let name = schemas["kinds"]["v1/Service"].as_str().unwrap();
    let theirs = jsonschema::draft7::new(
        &serde_json::json!({"$ref": format!("#/definitions/{name}"), "definitions": strict}),
    )
    .unwrap();
    let built_in = tenantry::kubernetes::schemas::built_in();
    let (rule, set) = built_in.find("v1", "Service").unwrap();
    let ours = |object: &Json| {
        let text = serde_json::to_string(object).unwrap();
        let tree = tenantry::yaml::parse::parse(&text, 0).documents.remove(0);
        let root = tenantry::engine::view::View::of(&tree);
        tenantry::engine::schema::check(
            root,
            rule,
            set,
            tenantry::engine::schema::Strictness::Whole,
        )
        .len()
    };
    assert_eq!(
        (ours(&service), theirs.iter_errors(&service).count()),
        (0, 0)
    );
    for (pointer, value) in [
        ("/spec/ports/0/port", Json::from("80")),
        ("/spec/ports/0/port", Json::from(1.5)),
        ("/spec/prots", Json::from(1)),
        ("/spec/selector", Json::from("x")),
        ("/spec/selector/app", Json::from(1)),
        ("/metadata/labels/a", Json::from(true)),
        ("/spec/publishNotReadyAddresses", Json::from("yes")),
    ] {
        let mut object = service.clone();
        let (parent, key) = pointer.rsplit_once('/').unwrap();
        object.pointer_mut(parent).unwrap()[key] = value;
        assert_eq!(
            (ours(&object), theirs.iter_errors(&object).count()),
            (1, 1),
            "{pointer}"
        );
    }
}

/// `kubectl kustomize` builds every folder, where kubectl is installed.
#[test]
fn kubectl_kustomize_builds_every_folder() {
    let known = ["kubectl", "/usr/lib/google-cloud-sdk/bin/kubectl"];
    let Some(kubectl) = known.into_iter().find(|kubectl| {
        Command::new(kubectl)
            .args(["version", "--client"])
            .output()
            .is_ok_and(|output| output.status.success())
    }) else {
        eprintln!("kubectl is not installed: not judged");
        return;
    };
    let root = repository_path("examples/acme/rendered");
    let folders: BTreeSet<PathBuf> = files_below(&root)
        .into_keys()
        .filter(|path| path.ends_with("kustomization.yaml"))
        .map(|path| root.join(path).parent().unwrap().to_path_buf())
        .collect();
    assert!(folders.len() > 10);
    for folder in sampled(folders, 4) {
        let output = Command::new(kubectl)
            .arg("kustomize")
            .arg(&folder)
            .output()
            .unwrap();
        assert!(
            output.status.success(),
            "{}: {}",
            folder.display(),
            String::from_utf8_lossy(&output.stderr)
        );
        let listed = String::from_utf8(output.stdout)
            .unwrap()
            .matches("\nkind: ")
            .count();
        let own: usize = files_below(&folder)
            .into_iter()
            .filter(|(path, _)| !path.ends_with("kustomization.yaml"))
            .map(|(_, bytes)| {
                String::from_utf8(bytes)
                    .unwrap()
                    .matches("\nkind: ")
                    .count()
            })
            .sum();
        assert_eq!(listed, own, "{}", folder.display());
    }
}

/// The five pull requests of `examples/acme/reviews`: branches made by the script, and the comments
/// that are committed beside it.
#[test]
fn the_committed_reviews_are_what_the_script_makes() {
    let reviews = repository_path("examples/acme/reviews");
    let out = tempfile::tempdir().unwrap();
    let status = std::process::Command::new("bash")
        .arg(reviews.join("make.sh"))
        .arg(out.path())
        .env("TENANTRY", env!("CARGO_BIN_EXE_tenantry"))
        .status()
        .unwrap();
    assert!(status.success());
    let made = files_below(out.path());
    assert_eq!(made.len(), 5, "{:?}", made.keys());
    for (name, text) in made {
        assert_file(&reviews.join(name), &String::from_utf8(text).unwrap());
    }
}

/// What was rendered is what would be rendered: a comparison with the committed output has nothing to tell, also of what has no
/// name, such as an EncryptionConfiguration.
#[test]
fn the_committed_output_as_a_base_has_no_changes() {
    let output = Command::new(env!("CARGO_BIN_EXE_tenantry"))
        .args([
            "diff",
            "--base",
            "rendered",
            "--as-of",
            "2026-06-01",
            "-o",
            "json",
        ])
        .current_dir(repository_path("examples/acme"))
        .output()
        .unwrap();
    let review: serde_json::Value = serde_json::from_slice(&output.stdout).unwrap();
    assert_eq!(review["objects"], serde_json::json!([]), "{review:#}");
}
