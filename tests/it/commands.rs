//! The commands, as users run them.

use std::path::Path;
use std::process::{Command, Output};

use serde_json::Value as Json;

use crate::support::{copy_folder, files_below, options, repository_path, sampled};

fn tenantry(folder: &Path, arguments: &[&str]) -> Output {
    Command::new(env!("CARGO_BIN_EXE_tenantry"))
        .args(arguments)
        .current_dir(folder)
        .env("TENANTRY_AS_OF", "2026-06-01")
        .output()
        .unwrap()
}

fn stdout(output: &Output) -> String {
    String::from_utf8(output.stdout.clone()).unwrap()
}

fn json(output: &Output) -> Json {
    serde_json::from_slice(&output.stdout)
        .unwrap_or_else(|error| panic!("{error}: {}", stdout(output)))
}

/// Five fields of the example, set by five layers: value, line and layer written down by hand.
#[test]
fn why_names_the_line_and_the_layer() {
    let acme = repository_path("examples/acme");
    let query_api = "production/eu-prod-1/globex/query-api";
    let cases: [(&str, &str, &str, &str, &str); 9] = [
        (
            "production/eu-prod-1/supply-chain/dashboard/Rollout/dashboard",
            "spec.template.spec.containers[dashboard].resources.requests.cpu",
            "400m",
            "tiers/professional.yaml",
            "tier professional",
        ),
        (
            "development/eu-lab-1/finance/query-api/PodDisruptionBudget/query-api",
            "spec.maxUnavailable",
            "50%",
            "clusters/eu-lab-1.yaml",
            "cluster eu-lab-1",
        ),
        (
            "disaster-recovery/eu-dr-1/data-platform/etl-daily/CronJob",
            "spec.suspend",
            "true",
            "environments/disaster-recovery.yaml",
            "environment disaster-recovery",
        ),
        (
            query_api,
            "spec.maxReplicas",
            "8",
            "tenants/globex.yaml",
            "tenant globex in production",
        ),
        (
            query_api,
            "spec.minReplicas",
            "4",
            "tenants/globex.yaml",
            "globex's subscription to query-api in production",
        ),
        (
            "production/eu-prod-1/finance/daily-reports/CronJob",
            "spec.timeZone",
            "Europe/Berlin",
            "contexts/finance.yaml",
            "department context finance",
        ),
        (
            "production/eu-prod-1/globex/query-api/Rollout",
            "spec.template.metadata.labels.\"acme.example/backup\"",
            "geo-redundant",
            "contexts/divisions.yaml",
            "division context commercial",
        ),
        (
            "production/eu-prod-1/globex/query-api/Rollout",
            "spec.template.spec.containers[0].readinessProbe.periodSeconds",
            "3",
            "tenants/globex.yaml",
            "tenant globex",
        ),
        (
            "production/eu-prod-1/globex/event-store/StatefulSet",
            "spec.volumeClaimTemplates[0].spec.resources.requests.storage",
            "200Gi",
            "tenants/globex.yaml",
            "globex's subscription to event-store",
        ),
    ];
    for (object, field, value, file, layer) in sampled(cases, 3) {
        let object = if object == query_api {
            format!("{object}/HorizontalPodAutoscaler")
        } else {
            object.to_owned()
        };
        let output = tenantry(&acme, &["why", &object, field, "--json"]);
        assert_eq!(
            output.status.code(),
            Some(0),
            "{object} {field}: {}",
            String::from_utf8_lossy(&output.stderr)
        );
        let found = &json(&output)["why"]["fields"][0];
        assert_eq!(found["value"], value, "{object} {field}");
        let origin = &found["setBy"][0];
        assert_eq!(origin["layer"], layer, "{object} {field}");
        let (path, line) = origin["place"].as_str().unwrap().rsplit_once(':').unwrap();
        assert_eq!(path, file, "{object} {field}");
        // The line itself holds the value.
        let text = std::fs::read_to_string(acme.join(path)).unwrap();
        let line = text
            .lines()
            .nth(line.parse::<usize>().unwrap() - 1)
            .unwrap();
        assert!(
            line.contains(value),
            "{path}: {line:?} does not hold {value}"
        );
        assert!(
            found["printedBy"]["place"]
                .as_str()
                .unwrap()
                .contains("templates/"),
            "{object} {field}"
        );
        // What it overrode is told, from the next lower layer down to the built-in default.
        let lower: Vec<&str> = origin["overrides"]
            .as_array()
            .into_iter()
            .flatten()
            .map(|lower| lower["layer"].as_str().unwrap())
            .collect();
        assert!(!lower.contains(&layer), "{lower:?}");
    }
    let output = tenantry(
        &acme,
        &[
            "why",
            "production/eu-prod-1/globex/query-api/HorizontalPodAutoscaler",
            "spec.maxReplicas",
            "--json",
        ],
    );
    let overrides = &json(&output)["why"]["fields"][0]["setBy"][0]["overrides"];
    let last = overrides.as_array().unwrap().last().unwrap();
    assert_eq!(
        (last["layer"].as_str(), last["value"].as_str()),
        (Some("built-in default"), Some("10"))
    );
}

#[test]
fn find_answers_discovery() {
    let acme = repository_path("examples/acme");
    let names = |arguments: &[&str]| -> Vec<String> {
        let arguments: Vec<&str> = ["find"]
            .into_iter()
            .chain(arguments.iter().copied())
            .chain(["--json"])
            .collect();
        let output = tenantry(&acme, &arguments);
        assert_eq!(
            output.status.code(),
            Some(0),
            "{}",
            String::from_utf8_lossy(&output.stderr)
        );
        json(&output)["items"]
            .as_array()
            .unwrap()
            .iter()
            .map(|item| item["name"].as_str().unwrap().to_owned())
            .collect()
    };
    let all = names(&["components"]);
    let restricted = names(&["components", "--min-clearance", "confidential"]);
    let deprecated = names(&["components", "--status", "deprecated"]);
    assert!(all.len() >= 15 && !restricted.is_empty() && restricted.len() < all.len());
    assert_eq!(deprecated, ["csv-import"]);
    let for_globex = names(&["components", "--tenant", "globex"]);
    assert!(
        for_globex.iter().all(|name| all.contains(name))
            && for_globex.contains(&"query-api".to_owned())
    );
    // Capabilities: all of them; formats: any of them.
    let parquet = names(&["components", "--format", "parquet"]);
    let either = names(&["components", "--format", "parquet", "--format", "csv"]);
    assert!(!parquet.is_empty() && parquet.len() < either.len());
    assert!(names(&["components", "--capability", "no-such-capability"]).is_empty());
    assert!(names(&["tenants", "--status", "suspended"]).len() == 1);
    // Every kind is found, and its values have their types.
    for kind in tenantry::model::kinds::KindName::ALL {
        assert!(!names(&[kind.plural()]).is_empty(), "{kind:?}");
    }
    let tenants = json(&tenantry(&acme, &["find", "tenants", "--json"]));
    let tenant = &tenants["items"][0];
    assert!(tenant["components"].is_u64() && tenant["environments"].is_array());
    // A grant that names no tenant holds in all.
    let of_globex = names(&["grants", "--tenant", "globex"]);
    assert!(of_globex.len() < names(&["grants"]).len());
    let output = tenantry(&acme, &["find", "components", "--tenant", "globx"]);
    assert_eq!(output.status.code(), Some(1));
    assert!(String::from_utf8_lossy(&output.stderr).contains("did you mean `globex`?"));
}

#[test]
fn a_new_repository_renders_and_is_up_to_date() {
    let folder = tempfile::tempdir().unwrap();
    let run = |arguments: &[&str]| tenantry(folder.path(), arguments).status.code();
    assert_eq!(run(&["check"]), Some(1), "there is no repository yet");
    assert_eq!(run(&["init"]), Some(0));
    assert_eq!(run(&["init"]), Some(1), "nothing is overwritten");
    let quickstart = files_below(&repository_path("examples/quickstart"));
    assert_eq!(
        files_below(folder.path()),
        quickstart,
        "init writes examples/quickstart, all of it"
    );
    assert_eq!(run(&["check"]), Some(0));
    assert_eq!(
        run(&["render", "--out", "rendered", "--check"]),
        Some(2),
        "nothing is rendered yet"
    );
    assert_eq!(run(&["render", "--out", "rendered"]), Some(0));
    assert_eq!(run(&["render", "--out", "rendered", "--check"]), Some(0));
    // The output below the repository is not taken for input, wherever the command runs.
    assert_eq!(
        tenantry(&folder.path().join("rendered/production"), &["check"])
            .status
            .code(),
        Some(0)
    );
    assert_eq!(
        run(&["check", "--environment", "prod"]),
        Some(1),
        "an unknown selection is no success"
    );
    assert_eq!(run(&["no-such-command"]), Some(1));
    assert_eq!(run(&["--help"]), Some(0));
}

#[test]
fn manuals_and_explanations_are_complete() {
    let here = repository_path("");
    for code in tenantry::diagnostics::catalogue::all() {
        let text = stdout(&tenantry(&here, &["explain", code.id]));
        for part in [code.title, code.cause, code.remedy, "What to do"] {
            assert!(text.contains(part), "{}: {text}", code.id);
        }
    }
    for kind in tenantry::model::kinds::KINDS {
        assert!(
            stdout(&tenantry(&here, &["explain", kind])).contains("Fields"),
            "{kind}"
        );
        assert!(
            json(&tenantry(&here, &["schema", kind]))["properties"]["spec"].is_object(),
            "{kind}"
        );
    }
    assert!(stdout(&tenantry(&here, &["explain", "Tenant.limits.cpu"])).contains("Processors"));
    assert!(stdout(&tenantry(&here, &["explain"])).contains("T0101"));
    for shell in ["bash", "zsh", "fish", "powershell", "elvish"] {
        assert!(
            stdout(&tenantry(&here, &["completions", shell])).contains("tenantry"),
            "{shell}"
        );
    }
    assert!(stdout(&tenantry(&here, &["man"])).contains(".TH tenantry"));
}

/// A commit is compiled from git's object store, whatever the working tree holds.
#[test]
fn a_commit_compiles_without_a_checkout() {
    let folder = tempfile::tempdir().unwrap();
    let root = folder.path().join("platform");
    copy_folder(&repository_path("examples/quickstart"), &root, false);
    let git = |arguments: &[&str]| {
        let status = Command::new("git")
            .args(["-c", "user.name=test", "-c", "user.email=test@example.com"])
            .args(arguments)
            .current_dir(folder.path())
            .output();
        status.is_ok_and(|output| output.status.success())
    };
    if !(git(&["init", "-q"]) && git(&["add", "."]) && git(&["commit", "-qm", "first"])) {
        eprintln!("git is not installed: not judged");
        return;
    }
    let compiled = |revision: Option<&str>| {
        let mut options = options(&root);
        if let Some(revision) = revision {
            options.source = tenantry::load::Source::Commit {
                root: root.clone(),
                revision: revision.to_owned(),
            };
        }
        let compilation = tenantry::compile(&options, None, &crate::support::Nothing).unwrap();
        (compilation.counts, compilation.findings.len())
    };
    let before = compiled(None);
    assert_eq!(compiled(Some("HEAD")), before);
    std::fs::remove_file(root.join("tenants/globex.yaml")).unwrap();
    assert_eq!(compiled(Some("HEAD")), before);
    assert_ne!(compiled(None), before);
    let output = tenantry(&root, &["check", "--revision", "no-such-branch"]);
    assert_eq!(output.status.code(), Some(1));
    assert!(String::from_utf8_lossy(&output.stderr).contains("no-such-branch"));
}

/// What formats say of places holds: line and column give back the text that is marked.
#[test]
fn positions_are_those_of_the_text() {
    let folder = tempfile::tempdir().unwrap();
    copy_folder(&repository_path("tests/ui/base"), folder.path(), false);
    let tenant = "apiVersion: tenantry.dev/v1\nkind: Tenant\nmetadata: {name: globex, description: \"Grüße 🦀\", nmae: x}\nspec:\n  owner: team\n  tier: basc\n  environments: {production: {}}\n";
    std::fs::write(folder.path().join("tenants/globex.yaml"), tenant).unwrap();
    let output = tenantry(folder.path(), &["check", "-o", "json"]);
    assert_eq!(output.status.code(), Some(1));
    let report = json(&output);
    assert_eq!(report["formatVersion"], 1);
    let findings = report["findings"].as_array().unwrap();
    assert!(!findings.is_empty());
    for finding in findings {
        let place = &finding["location"];
        let number = |key: &str| usize::try_from(place[key].as_u64().unwrap()).unwrap();
        let line = tenant.lines().nth(number("line") - 1).unwrap();
        let marked: String = line
            .chars()
            .skip(number("column") - 1)
            .take(number("endColumn") - number("column"))
            .collect();
        assert!(
            finding["message"].as_str().unwrap().contains(&marked),
            "{marked:?} in {finding}"
        );
    }
    let sarif = json(&tenantry(folder.path(), &["check", "-o", "sarif"]));
    let result = &sarif["runs"][0]["results"][0];
    let region = &result["locations"][0]["physicalLocation"]["region"];
    assert_eq!(
        (region["startLine"].as_u64(), &result["ruleId"]),
        (Some(3), &Json::from("T0202"))
    );
    assert!(
        sarif["runs"][0]["tool"]["driver"]["rules"]
            .as_array()
            .unwrap()
            .iter()
            .any(|rule| rule["id"] == "T0202")
    );
    let github = stdout(&tenantry(folder.path(), &["check", "-o", "github"]));
    assert!(
        github.starts_with("::error file=tenants/globex.yaml,line=3,endLine=3,col="),
        "{github}"
    );
    // Several formats at once, into files.
    let output = tenantry(
        folder.path(),
        &["check", "-o", "text", "-o", "sarif=out.sarif"],
    );
    assert!(stdout(&output).contains("error[T0202]"));
    assert_eq!(
        serde_json::from_slice::<Json>(&std::fs::read(folder.path().join("out.sarif")).unwrap())
            .unwrap(),
        sarif
    );
}

/// What is not rendered, and the line that keeps it out: a switch, a type, a status, a value that is not set, a list that a
/// template loops over; and once the line says otherwise, the object is there.
#[test]
fn why_absent_names_the_line_that_decides() {
    type Case = (&'static str, &'static str, &'static str, &'static str);
    // The object, an edit that removes it, and what must be named.
    let cases: [Case; 4] = [
        (
            "HorizontalPodAutoscaler",
            "      values: {scaling: {enabled: false}}\n",
            "tenants/globex.yaml:14",
            "enabled: false",
        ),
        (
            "Service",
            "      values: {type: worker}\n",
            "tenants/globex.yaml:14",
            "type: worker",
        ),
        (
            "PodDisruptionBudget",
            "      values: {scaling: {minReplicas: 1, maxReplicas: 1}}\n",
            "tenants/globex.yaml:14",
            "maxReplicas: 1",
        ),
        ("Ingress", "", "", "not set"),
    ];
    let folder = tempfile::tempdir().unwrap();
    copy_folder(
        &repository_path("examples/quickstart"),
        folder.path(),
        false,
    );
    let tenant = folder.path().join("tenants/globex.yaml");
    let text = std::fs::read_to_string(&tenant).unwrap();
    let why = |object: &str, flags: &[&str]| {
        let place = format!("production/globex/web/{object}");
        let output = tenantry(folder.path(), &[&["why", &place][..], flags].concat());
        let text = stdout(&output) + &String::from_utf8_lossy(&output.stderr);
        (output.status.success(), text)
    };
    for (object, edit, line, says) in cases {
        std::fs::write(&tenant, format!("{text}{edit}")).unwrap();
        let (_, found) = why(object, &["--absent"]);
        assert!(
            found.contains(line) && found.contains(says),
            "{object}:\n{found}"
        );
        assert!(
            found.contains("<builtin>/templates/component/"),
            "{object}:\n{found}"
        );
        let (is_there, shown) = why(object, &[]);
        assert!(!is_there, "{object} is rendered:\n{shown}");
        if !edit.is_empty() {
            std::fs::write(&tenant, &text).unwrap();
            let (is_there, shown) = why(object, &[]);
            assert!(is_there, "{object} is not rendered:\n{shown}");
        }
    }
}
