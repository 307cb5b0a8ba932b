//! `tenantry report upgrade`: what another Kubernetes version does not have.

use std::fs;
use std::process::Command;

use serde_json::Value;

use crate::support::{copy_folder, repository_path};

/// Runs the report on the base repository, on Kubernetes 1.24, with objects of several ages.
fn report(arguments: &[&str]) -> (i32, String) {
    let folder = tempfile::tempdir().unwrap();
    let root = folder.path();
    copy_folder(&repository_path("tests/ui/base"), root, false);
    let path = root.join("tenantry.yaml");
    let text = fs::read_to_string(&path).unwrap();
    fs::write(&path, text.replace("\"1.37\"", "\"1.24\"")).unwrap();
    fs::create_dir_all(root.join("templates/cluster")).unwrap();
    let template = "{#-\nscope: cluster\n-#}\n\
        apiVersion: batch/v1beta1\nkind: CronJob\nmetadata: {name: nightly, namespace: shared}\n\
        ---\napiVersion: autoscaling/v2beta2\nkind: HorizontalPodAutoscaler\nmetadata: {name: web, namespace: shared}\n\
        ---\napiVersion: v1\nkind: Endpoints\nmetadata: {name: database, namespace: shared}\n";
    fs::write(root.join("templates/cluster/old.yaml"), template).unwrap();
    let output = Command::new(env!("CARGO_BIN_EXE_tenantry"))
        .args(["report", "upgrade", "--quiet"])
        .args(arguments)
        .arg(root)
        .output()
        .unwrap();
    let said = String::from_utf8(output.stdout).unwrap() + &String::from_utf8_lossy(&output.stderr);
    (output.status.code().unwrap(), said)
}

fn messages(list: &Value) -> Vec<&str> {
    let findings = list.as_array().unwrap().iter();
    findings
        .map(|finding| finding["message"].as_str().unwrap())
        .collect()
}

#[test]
fn removed_and_deprecated_kinds_are_reported_by_version() {
    let (code, said) = report(&["--to", "1.25", "-o", "json"]);
    let found: Value =
        serde_json::from_str(&said).unwrap_or_else(|error| panic!("{error}: {said}"));
    assert_eq!(code, 3);
    assert_eq!(found["clusters"][0]["from"], "1.24");
    let breaks = messages(&found["breaks"]);
    assert_eq!(
        breaks,
        ["CronJob of batch/v1beta1 was removed in Kubernetes 1.25"]
    );
    let deprecated = messages(&found["deprecated"]);
    assert_eq!(
        deprecated,
        [
            "HorizontalPodAutoscaler of autoscaling/v2beta2 is deprecated since Kubernetes 1.23 and is removed in 1.26"
        ]
    );
    let (code, said) = report(&["--to", "1.36", "--cluster", "eu-1"]);
    assert_eq!(code, 3);
    for expected in [
        "Upgrade to Kubernetes 1.36: eu-1 (1.24)",
        "HorizontalPodAutoscaler of autoscaling/v2beta2 was removed in Kubernetes 1.26",
        "Endpoints of v1 is deprecated since Kubernetes 1.33",
        "2 to fix before the upgrade; 1 deprecated.",
    ] {
        assert!(said.contains(expected), "{said}");
    }
}

#[test]
fn fields_that_an_older_version_lacks_are_reported() {
    let (code, said) = report(&["--to", "1.20"]);
    assert_eq!(code, 3);
    assert!(said.contains("needs Kubernetes 1."), "{said}");
    let (code, said) = report(&["--to", "1.36", "--cluster", "eu-2"]);
    assert_eq!(code, 1);
    assert!(
        said.contains("there is no cluster `eu-2`; did you mean `eu-1`?"),
        "{said}"
    );
}
