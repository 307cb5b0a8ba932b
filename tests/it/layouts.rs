//! Other layouts of the output hold the same objects; other delivery engines deliver all of it; the
//! repository's own templates take the place of built-in ones.

use std::collections::BTreeSet;
use std::fs;
use std::path::Path;

use serde_json::Value as Json;
use tenantry::emit::Mode;
use tenantry::{OutputOptions, compile};

use crate::support::{Nothing, copy_folder, files_below, options, repository_path};

/// Renders `examples/quickstart` with changes to its files.
fn rendered(changes: &[(&str, &str, &str)], added: &[(&str, &str)]) -> Vec<(String, Json)> {
    let folder = tempfile::tempdir().unwrap();
    let (input, output) = (folder.path().join("in"), folder.path().join("out"));
    copy_folder(&repository_path("examples/quickstart"), &input, false);
    for (path, from, to) in changes {
        let text = fs::read_to_string(input.join(path)).unwrap();
        assert!(text.contains(from), "{path} has no {from}");
        fs::write(input.join(path), text.replace(from, to)).unwrap();
    }
    for (path, text) in added {
        fs::create_dir_all(input.join(path).parent().unwrap()).unwrap();
        fs::write(input.join(path), text).unwrap();
    }
    let settings = OutputOptions {
        folder: output.clone(),
        mode: Mode::Write { force: false },
    };
    let compilation = compile(&options(&input), Some(&settings), &Nothing).unwrap();
    let text = tenantry::report::findings(
        tenantry::report::Format::Text,
        &compilation.findings,
        &compilation.sources,
        false,
    );
    assert!(!compilation.has_errors(), "{text}");
    objects(&output)
}

fn objects(output: &Path) -> Vec<(String, Json)> {
    files_below(output)
        .into_iter()
        .flat_map(|(path, bytes)| {
            let documents: Vec<Json> = serde_yaml::Deserializer::from_slice(&bytes)
                .map(|document| serde::Deserialize::deserialize(document).unwrap())
                .collect();
            documents
                .into_iter()
                .map(move |document| (path.clone(), document))
        })
        .collect()
}

fn names(objects: &[(String, Json)]) -> BTreeSet<String> {
    objects
        .iter()
        .filter(|(_, object)| object["kind"] != "Kustomization")
        .map(|(_, object)| format!("{}/{}", object["kind"], object["metadata"]["name"]))
        .collect()
}

const PLATFORM: &str = "  labelPrefix: acme.example\n";

#[test]
fn layouts_hold_the_same_objects() {
    let usual = rendered(&[], &[]);
    let layout = format!("{PLATFORM}  output: {{layout: cluster-first, granularity: object}}\n");
    let other = rendered(&[("tenantry.yaml", PLATFORM, &layout)], &[]);
    assert_eq!(names(&usual), names(&other));
    assert!(
        usual
            .iter()
            .any(|(path, _)| path == "production/eu-1/globex/web.yaml")
    );
    assert!(
        other.iter().any(|(path, _)| path
            == "eu-1/production/globex/web.deployment.data-processing-globex-web.yaml")
    );
    // Each kustomization.yaml lists each file and folder beside it, and nothing else.
    for objects in [&usual, &other] {
        let files: BTreeSet<&str> = objects.iter().map(|(path, _)| path.as_str()).collect();
        for (path, kustomization) in objects
            .iter()
            .filter(|(path, _)| path.ends_with("kustomization.yaml"))
        {
            let folder = path.trim_end_matches("kustomization.yaml");
            let beside: BTreeSet<&str> = files
                .iter()
                .filter_map(|file| file.strip_prefix(folder))
                .map(|rest| rest.split('/').next().unwrap())
                .filter(|name| *name != "kustomization.yaml")
                .collect();
            let listed: BTreeSet<&str> = kustomization["resources"]
                .as_array()
                .unwrap()
                .iter()
                .map(|name| name.as_str().unwrap())
                .collect();
            assert_eq!(listed, beside, "{path}");
        }
    }
}

#[test]
fn delivery_engines_point_at_the_folders_that_are_there() {
    for (engine, kind, path_of) in [
        ("argocd", "Application", "/spec/source/path"),
        ("flux", "Kustomization", "/spec/path"),
    ] {
        let delivery = format!(
            "{PLATFORM}  delivery: {{engine: {engine}, repoURL: https://git.acme.example/rendered.git, path: out}}\n"
        );
        let objects = rendered(&[("tenantry.yaml", PLATFORM, &delivery)], &[]);
        let found: Vec<&Json> = objects
            .iter()
            .filter(|(path, object)| path.starts_with("delivery/") && object["kind"] == kind)
            .map(|(_, object)| object)
            .collect();
        assert_eq!(found.len(), 1, "{engine}");
        let path = found[0]
            .pointer(path_of)
            .unwrap()
            .as_str()
            .unwrap()
            .trim_start_matches("./")
            .strip_prefix("out/")
            .unwrap()
            .to_owned();
        assert!(
            objects
                .iter()
                .any(|(file, _)| *file == format!("{path}/kustomization.yaml")),
            "{engine}: {path}"
        );
    }
    let none = format!("{PLATFORM}  delivery: {{engine: none}}\n");
    assert!(
        rendered(&[("tenantry.yaml", PLATFORM, &none)], &[])
            .iter()
            .all(|(path, _)| !path.ends_with("kustomization.yaml"))
    );
}

#[test]
fn own_templates_override_and_add() {
    let service = "{#-\nscope: component\nwhen: workload.type == \"service\"\n-#}\napiVersion: v1\nkind: Service\nmetadata:\n  name: {{ instance.name }}\n  namespace: {{ instance.namespace }}\nspec:\n  type: LoadBalancer\n  selector: {{ instance.selector }}\n  ports:\n    - port: 80\n      targetPort: {{ workload.ports[0].name }}\n";
    let banner = "{#-\nscope: tenant\n-#}\napiVersion: v1\nkind: ConfigMap\nmetadata:\n  name: banner\n  namespace: {{ tenant.namespace }}\ndata:\n  text: Welcome, {{ tenant.displayName or tenant.name }}!\n";
    let objects = rendered(
        &[],
        &[
            ("templates/component/service.yaml", service),
            ("templates/tenant/banner.yaml", banner),
        ],
    );
    let of = |kind: &str| {
        objects
            .iter()
            .filter(|(_, object)| object["kind"] == kind)
            .map(|(_, object)| object)
            .collect::<Vec<_>>()
    };
    assert_eq!(of("Service").len(), 1);
    assert_eq!(of("Service")[0]["spec"]["type"], "LoadBalancer");
    assert_eq!(of("ConfigMap")[0]["data"]["text"], "Welcome, globex!");
    assert_eq!(of("Deployment").len(), 1, "the others are as they were");
}
