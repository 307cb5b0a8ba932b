//! `tenantry diff`, `impact` and `git-diff`, as users run them.

use std::fmt::Write as _;
use std::fs;
use std::io::Write as _;
use std::path::Path;
use std::process::{Command, Output, Stdio};

use serde_json::Value as Json;

use crate::support::{copy_folder, files_below, repository_path};

struct Repository {
    folder: tempfile::TempDir,
}

impl Repository {
    /// The base of the reviews' cases, committed on `main`.
    fn new() -> Repository {
        let folder = tempfile::tempdir().unwrap();
        copy_folder(&repository_path("tests/review/base"), folder.path(), false);
        let repository = Repository { folder };
        repository.git(&["init", "--quiet", "--initial-branch=main"]);
        repository.commit("base");
        repository
    }

    fn path(&self) -> &Path {
        self.folder.path()
    }

    fn git(&self, arguments: &[&str]) -> String {
        let output = Command::new("git")
            .args(["-c", "user.name=a", "-c", "user.email=a@example.com"])
            .args(arguments)
            .current_dir(self.path())
            .env("GIT_CONFIG_GLOBAL", "/dev/null")
            .output()
            .unwrap();
        assert!(
            output.status.success(),
            "git {arguments:?}: {}",
            String::from_utf8_lossy(&output.stderr)
        );
        String::from_utf8(output.stdout).unwrap()
    }

    fn commit(&self, message: &str) {
        self.git(&["add", "--all"]);
        self.git(&["commit", "--quiet", "--message", message]);
    }

    fn edit(&self, file: &str, from: &str, to: &str) {
        let path = self.path().join(file);
        let text = fs::read_to_string(&path).unwrap();
        assert!(text.contains(from), "{file} has no {from}");
        fs::write(path, text.replace(from, to)).unwrap();
    }

    fn command(&self, arguments: &[&str]) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_tenantry"));
        command
            .args(arguments)
            .current_dir(self.path())
            .env("TENANTRY_AS_OF", "2026-06-01")
            .env_remove("GITHUB_BASE_REF")
            .env_remove("CI_MERGE_REQUEST_TARGET_BRANCH_NAME");
        command
    }

    fn run(&self, arguments: &[&str]) -> Output {
        self.command(arguments).output().unwrap()
    }

    /// The review as JSON.
    fn review(&self, arguments: &[&str]) -> Json {
        let all = [&["diff", "--quiet", "-o", "json"], arguments].concat();
        let output = self.run(&all);
        serde_json::from_slice(&output.stdout)
            .unwrap_or_else(|error| panic!("{error}: {}", String::from_utf8_lossy(&output.stderr)))
    }
}

fn text(output: &Output) -> String {
    String::from_utf8(output.stdout.clone()).unwrap()
}

fn changed(review: &Json) -> usize {
    review["summary"]["objects"]
        .as_u64()
        .unwrap()
        .try_into()
        .unwrap()
}

#[test]
fn the_working_tree_counts_with_what_is_not_committed() {
    let repository = Repository::new();
    assert_eq!(changed(&repository.review(&[])), 0);
    repository.git(&["checkout", "--quiet", "-b", "work"]);
    repository.edit("components/web.yaml", "tag: 1.4.0", "tag: 1.5.0");
    repository.commit("committed");
    // Since then, the default branch went on, which is not a part of this change.
    repository.git(&["checkout", "--quiet", "main"]);
    repository.edit("tiers/gold.yaml", "cpu: 12", "cpu: 16");
    repository.commit("elsewhere");
    repository.git(&["checkout", "--quiet", "work"]);
    repository.edit("components/report.yaml", "0 3 * * *", "0 4 * * *");
    fs::write(
        repository.path().join("tenants/umbrella.yaml"),
        "apiVersion: tenantry.dev/v1\nkind: Tenant\nmetadata: {name: umbrella}\nspec: {owner: a, tier: silver, environments: {production: }}\n",
    )
    .unwrap();
    fs::write(repository.path().join(".gitignore"), "scratch/\n").unwrap();
    fs::create_dir(repository.path().join("scratch")).unwrap();
    fs::write(repository.path().join("scratch/a.yaml"), "kind: Tenant\n").unwrap();
    let review = repository.review(&[]);
    let subjects: Vec<&str> = review["inputs"]
        .as_array()
        .unwrap()
        .iter()
        .map(|input| input["subject"].as_str().unwrap())
        .collect();
    assert_eq!(
        subjects,
        ["Component report", "Component web", "Tenant umbrella"]
    );
    // Without the merge base, what the other branch has is a part of the difference.
    let review = repository.review(&["--base", "main"]);
    let subjects: Vec<&str> = review["inputs"]
        .as_array()
        .unwrap()
        .iter()
        .map(|input| input["subject"].as_str().unwrap())
        .collect();
    assert_eq!(
        subjects,
        [
            "Component report",
            "Component web",
            "Tier gold",
            "Tenant umbrella"
        ]
    );
    assert_eq!(
        changed(&repository.review(&["--base", "main..."])),
        changed(&repository.review(&[]))
    );
    // A commit as the head leaves the working tree out.
    let review = repository.review(&["--head", "work"]);
    let subjects: Vec<&str> = review["inputs"]
        .as_array()
        .unwrap()
        .iter()
        .map(|input| input["subject"].as_str().unwrap())
        .collect();
    assert_eq!(subjects, ["Component web"]);
}

#[test]
fn exit_codes_say_what_happened() {
    let repository = Repository::new();
    let code = |arguments: &[&str]| {
        let all = [&["diff", "--quiet"], arguments].concat();
        repository.run(&all).status.code().unwrap()
    };
    assert_eq!(code(&["--exit-code", "--fail-on", "restart"]), 0);
    repository.edit("components/web.yaml", "tag: 1.4.0", "tag: 1.5.0");
    assert_eq!(code(&[]), 0);
    assert_eq!(code(&["--exit-code"]), 2);
    assert_eq!(code(&["--fail-on", "destroy,exposure"]), 0);
    assert_eq!(code(&["--exit-code", "--fail-on", "destroy,restart"]), 3);
    assert_eq!(code(&["--fail-on", "everything"]), 1);
    repository.edit("components/store.yaml", "  workload:", "  worklode:");
    assert_eq!(code(&["--exit-code", "--fail-on", "restart"]), 1);
}

#[test]
fn a_base_with_errors_is_reported_and_the_rest_is_compared() {
    let repository = Repository::new();
    repository.edit("components/store.yaml", "  workload:", "  worklode:");
    repository.commit("broken");
    repository.edit("components/store.yaml", "  worklode:", "  workload:");
    repository.edit("tiers/gold.yaml", "cpu: 8", "cpu: 9");
    let review = repository.review(&["--base", "HEAD"]);
    assert_eq!(review["hasErrors"], false);
    assert!(
        review["notes"][0]
            .as_str()
            .unwrap()
            .starts_with("the base has errors itself")
    );
    let fixed = review["findings"]["fixed"].as_array().unwrap();
    assert!(
        fixed
            .iter()
            .any(|finding| finding["message"].as_str().unwrap().contains("worklode")),
        "{fixed:?}"
    );
    let kinds: Vec<&str> = review["objects"]
        .as_array()
        .unwrap()
        .iter()
        .map(|object| object["kind"].as_str().unwrap())
        .collect();
    assert!(kinds.contains(&"ResourceQuota"), "{kinds:?}");
    // What only the base's error hid is not said to be new.
    assert!(!kinds.contains(&"StatefulSet"), "{kinds:?}");
}

#[test]
fn a_folder_or_standard_input_can_be_the_base() {
    let repository = Repository::new();
    assert!(
        repository
            .run(&["render", "--quiet", "--out", "rendered"])
            .status
            .success()
    );
    let review = repository.review(&["--base", "rendered"]);
    assert_eq!(changed(&review), 0, "{:#}", review["objects"]);
    repository.edit("components/web.yaml", "tag: 1.4.0", "tag: 1.5.0");
    repository.edit("tenants/initech.yaml", "    staging:\n", "");
    let from_folder = repository.review(&["--base", "rendered"]);
    let from_git = repository.review(&["--base", "HEAD"]);
    assert_eq!(changed(&from_folder), changed(&from_git));
    assert_eq!(
        from_folder["summary"]["operations"],
        from_git["summary"]["operations"]
    );
    assert_eq!(
        from_folder["summary"]["risks"],
        from_git["summary"]["risks"]
    );
    // All manifests of one cluster, as `kubectl get -o yaml` may give them.
    let manifests: String = files_below(&repository.path().join("rendered/production"))
        .into_iter()
        .filter(|(path, _)| !path.ends_with("kustomization.yaml"))
        .map(|(_, bytes)| String::from_utf8(bytes).unwrap())
        .collect();
    let mut child = repository
        .command(&[
            "diff",
            "--quiet",
            "--base",
            "-",
            "--environment",
            "production",
            "-o",
            "json",
        ])
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    child
        .stdin
        .take()
        .unwrap()
        .write_all(manifests.as_bytes())
        .unwrap();
    let output = child.wait_with_output().unwrap();
    let review: Json = serde_json::from_slice(&output.stdout).unwrap();
    let operations = &review["summary"]["operations"];
    assert_eq!(operations["removed"], Json::Null, "{operations}");
    assert_eq!(operations["added"], Json::Null, "{operations}");
    let images: Vec<&Json> = review["objects"]
        .as_array()
        .unwrap()
        .iter()
        .flat_map(|object| object["fields"].as_array().unwrap())
        .filter(|field| field["path"].as_str().unwrap().ends_with(".image"))
        .collect();
    assert_eq!(images.len(), 2);
    assert_eq!(images[0]["beforeOrigins"][0]["path"], "(stdin)");
}

#[test]
fn several_formats_are_written_at_once_and_always_the_same() {
    let repository = Repository::new();
    repository.edit("components/web.yaml", "tag: 1.4.0", "tag: 1.5.0");
    repository.edit("tenants/globex.yaml", "tier: gold", "tier: silver");
    fs::remove_file(repository.path().join("templates/cluster/storage.yaml")).unwrap();
    let formats = [
        "text", "json", "markdown", "github", "gitlab", "sarif", "junit", "html",
    ];
    let out = tempfile::tempdir().unwrap();
    let mut runs: Vec<Vec<Vec<u8>>> = Vec::new();
    for threads in ["1", "2", "7"] {
        let mut command = repository.command(&["diff", "--quiet"]);
        for format in formats {
            let file = out.path().join(format);
            command
                .arg("-o")
                .arg(format!("{format}={}", file.display()));
        }
        let output = command.env("RAYON_NUM_THREADS", threads).output().unwrap();
        assert!(output.stdout.is_empty());
        runs.push(
            formats
                .iter()
                .map(|format| fs::read(out.path().join(format)).unwrap())
                .collect(),
        );
    }
    for (at, format) in formats.iter().enumerate() {
        assert!(!runs[0][at].is_empty(), "{format} is empty");
        assert!(
            runs.iter().all(|run| run[at] == runs[0][at]),
            "{format} differs between runs"
        );
    }
    let sarif: Json = serde_json::from_slice(&runs[0][5]).unwrap();
    for result in sarif["runs"][0]["results"].as_array().unwrap() {
        for location in result["locations"].as_array().unwrap() {
            assert!(
                location["physicalLocation"]["region"]["startLine"]
                    .as_u64()
                    .unwrap()
                    >= 1
            );
        }
    }
    let gitlab: Json = serde_json::from_slice(&runs[0][4]).unwrap();
    for issue in gitlab.as_array().unwrap() {
        for field in ["description", "check_name", "fingerprint", "severity"] {
            assert!(issue[field].is_string(), "{issue}");
        }
        assert!(issue["location"]["lines"]["begin"].as_u64().unwrap() >= 1);
    }
}

#[test]
fn a_change_in_many_tenants_fits_a_comment() {
    let repository = Repository::new();
    let tenants = 120;
    let write = |replicas: usize| {
        for number in 0..tenants {
            let mut tenant = format!(
                "apiVersion: tenantry.dev/v1\nkind: Tenant\nmetadata: {{name: tenant-{number}}}\nspec:\n  owner: team-{number}\n  tier: gold\n  environments: {{production: }}\n  components:\n    - component: report\n      values:\n        env:\n"
            );
            for variable in 0..8 {
                writeln!(
                    tenant,
                    "          - {{name: VARIABLE_{variable}_{number}, value: \"{}\"}}",
                    replicas + variable
                )
                .unwrap();
            }
            fs::write(
                repository
                    .path()
                    .join(format!("tenants/tenant-{number}.yaml")),
                tenant,
            )
            .unwrap();
        }
    };
    write(1);
    repository.commit("many tenants");
    write(100);
    fs::remove_file(repository.path().join("tenants/initech.yaml")).unwrap();
    repository.edit(
        "tenants/globex.yaml",
        "  shares:\n    - component: web\n      with: [initech]\n      ports: [http]\n",
        "",
    );
    repository.edit("components/web.yaml", "[globex, initech]", "[globex]");
    let output = repository.run(&["diff", "--quiet", "--base", "HEAD", "-o", "markdown"]);
    let comment = text(&output);
    assert!(
        comment.len() > 40_000 && comment.len() <= 65_000,
        "{} bytes",
        comment.len()
    );
    // The worst is kept, and what is left out is said.
    assert!(comment.contains("a Namespace is removed"), "{comment}");
    assert!(
        comment.contains("*Left out, for a comment has no more room: "),
        "{}",
        &comment[comment.len() - 400..]
    );
    assert_eq!(
        comment.matches("<details>").count(),
        comment.matches("</details>").count()
    );
    // A change of the tier is one entry, whatever the number of tenants.
    repository.commit("next");
    repository.edit("tiers/gold.yaml", "cpu: 12", "cpu: 13");
    let told = text(&repository.run(&["diff", "--quiet", "--base", "HEAD"]));
    assert!(told.lines().count() <= 40, "more than a screen:\n{told}");
    assert!(
        told.contains("12 → 13  ×121  production (all 121 tenants)"),
        "{told}"
    );
}

#[test]
fn exceptions_are_named() {
    let repository = Repository::new();
    for number in 0..5 {
        let own = if number == 3 {
            "\n      values: {terminationGracePeriod: 10s}"
        } else {
            ""
        };
        let tenant = format!(
            "apiVersion: tenantry.dev/v1\nkind: Tenant\nmetadata: {{name: tenant-{number}}}\nspec:\n  owner: a\n  tier: silver\n  environments: {{production: }}\n  components:\n    - component: report{own}\n"
        );
        fs::write(
            repository
                .path()
                .join(format!("tenants/tenant-{number}.yaml")),
            tenant,
        )
        .unwrap();
    }
    repository.commit("tenants");
    repository.edit(
        "tenantry.yaml",
        "terminationGracePeriod: 45s",
        "terminationGracePeriod: 50s",
    );
    let told = text(&repository.run(&["diff", "--quiet", "--base", "HEAD"]));
    assert!(
        told.contains("production (6 tenants; not in: tenant-3)"),
        "{told}"
    );
}

#[test]
fn impact_names_what_depends_on_a_line() {
    let repository = Repository::new();
    let impact = |what: &str| -> Json {
        let output = repository.run(&["impact", what, "--json"]);
        assert!(
            output.status.success(),
            "{}",
            String::from_utf8_lossy(&output.stderr)
        );
        serde_json::from_slice(&output.stdout).unwrap()
    };
    let objects = |report: &Json| -> Vec<String> {
        let objects = report["objects"].as_array().unwrap().iter();
        objects
            .map(|object| {
                format!(
                    "{}/{} {}",
                    object["environment"].as_str().unwrap(),
                    object["tenant"].as_str().unwrap(),
                    object["kind"].as_str().unwrap()
                )
            })
            .collect()
    };
    // A value of a tier that one tenant has.
    let report = impact("tiers/gold.yaml:8");
    // Its quota, and what its applications are told of its limits.
    assert_eq!(
        objects(&report),
        [
            "production/globex ConfigMap",
            "production/globex ResourceQuota"
        ]
    );
    assert_eq!(
        report["objects"][1]["fields"][0],
        "spec.hard.\"requests.cpu\""
    );
    // The tag of an image that three workloads have.
    let report = impact("components/web.yaml:16");
    let images = |object: &&Json| {
        object["fields"][0]
            .as_str()
            .is_some_and(|path| path.ends_with(".image"))
    };
    assert_eq!(
        report["objects"]
            .as_array()
            .unwrap()
            .iter()
            .filter(images)
            .count(),
        3
    );
    // What decides without being printed.
    let report = impact("tenants/initech.yaml:7");
    assert!(
        objects(&report)
            .iter()
            .all(|object| object.contains("/initech "))
    );
    assert_eq!(
        report["objects"].as_array().unwrap().len(),
        objects(&impact("Tenant/initech"))
            .iter()
            .filter(|object| object.contains("/initech "))
            .count()
    );
    // A line of a template, and one that nothing depends on.
    assert_eq!(objects(&impact("templates/tenant/extra.yaml:11")).len(), 3);
    assert_eq!(objects(&impact("tenants/globex.yaml:1")).len(), 0);
}

#[test]
fn git_shows_manifests_field_by_field() {
    let repository = Repository::new();
    fs::write(
        repository.path().join(".gitattributes"),
        "*.yaml diff=manifests\n",
    )
    .unwrap();
    let driver = format!("{} git-diff", env!("CARGO_BIN_EXE_tenantry"));
    repository.git(&["config", "diff.manifests.command", &driver]);
    assert!(
        repository
            .run(&["render", "--quiet", "--out", "rendered"])
            .status
            .success()
    );
    repository.commit("rendered");
    repository.edit("components/web.yaml", "tag: 1.4.0", "tag: 1.5.0");
    assert!(
        repository
            .run(&["render", "--quiet", "--out", "rendered"])
            .status
            .success()
    );
    fs::remove_file(
        repository
            .path()
            .join("rendered/staging/us-1/initech/report.yaml"),
    )
    .unwrap();
    let shown = repository.git(&["diff", "rendered"]);
    assert!(
        shown.contains("~ Deployment/data-processing-globex-web restart"),
        "{shown}"
    );
    assert!(shown.contains("spec.template.spec.containers[web].image  registry.acme.example/web:1.4.0 → registry.acme.example/web:1.5.0"), "{shown}");
    assert!(
        shown.contains("- CronJob/data-processing-initech-report"),
        "{shown}"
    );
    // What is no manifest is shown line by line.
    fs::write(repository.path().join("notes.yaml"), "a: 1\n").unwrap();
    repository.git(&["add", "notes.yaml"]);
    repository.git(&["commit", "--quiet", "--message", "notes"]);
    fs::write(repository.path().join("notes.yaml"), "a: 2\n").unwrap();
    let shown = repository.git(&["diff", "notes.yaml"]);
    assert!(shown.contains("-a: 1\n+a: 2\n"), "{shown}");
}

/// What a pull request's author controls must not pass a gate.
#[test]
fn a_gate_cannot_be_passed_by() {
    let repository = Repository::new();
    let gate = |base: &str| {
        let arguments = ["diff", "--quiet", "--base", base, "--fail-on", "destroy"];
        repository.run(&arguments).status.code().unwrap()
    };
    fs::remove_file(repository.path().join("tenants/initech.yaml")).unwrap();
    repository.edit(
        "tenants/globex.yaml",
        "  shares:\n    - component: web\n      with: [initech]\n      ports: [http]\n",
        "",
    );
    repository.edit("components/web.yaml", "[globex, initech]", "[globex]");
    assert_eq!(gate("main"), 3);
    // A folder of the name of the branch.
    assert!(
        repository
            .run(&["render", "--quiet", "--out", "main"])
            .status
            .success()
    );
    assert_eq!(gate("main"), 3);
    assert_eq!(gate("./main"), 0);
    // A base that cannot be read, or holds nothing to compare with.
    fs::write(repository.path().join("main/broken.yaml"), "a: [\n").unwrap();
    assert_eq!(gate("./main"), 1);
    fs::create_dir(repository.path().join("empty")).unwrap();
    assert_eq!(gate("empty"), 1);
    // A base with errors may hide anything.
    let repository = Repository::new();
    repository.edit("components/store.yaml", "  workload:", "  worklode:");
    repository.commit("broken");
    repository.edit("components/store.yaml", "  worklode:", "  workload:");
    let arguments = ["diff", "--quiet", "--base", "HEAD", "--fail-on", "destroy"];
    let output = repository.run(&arguments);
    assert_eq!(output.status.code().unwrap(), 3);
    assert!(
        text(&output).contains("Denied: the base has errors"),
        "{}",
        text(&output)
    );
}

/// Findings that building a unit shows are compared although what it renders is the same.
#[test]
fn a_lock_that_is_broken_is_a_new_finding() {
    let repository = Repository::new();
    repository.edit(
        "contexts/global.yaml",
        "  lock:\n",
        "  lock:\n    - resources.cpu\n",
    );
    let review = repository.review(&["--base", "HEAD"]);
    let new = review["findings"]["new"].as_array().unwrap();
    assert!(
        new.iter().any(|finding| finding["code"] == "T0313"),
        "{new:?}"
    );
    repository.commit("a lock");
    repository.edit("contexts/global.yaml", "    - resources.cpu\n", "");
    let review = repository.review(&["--base", "HEAD"]);
    let fixed = review["findings"]["fixed"].as_array().unwrap();
    assert!(
        fixed.iter().any(|finding| finding["code"] == "T0313"),
        "{fixed:?}"
    );
}

/// Many changes take a moment, and no more.
#[test]
fn many_changes_are_compared_in_time() {
    let repository = Repository::new();
    let list = |word: &str| -> String {
        (0..20_000)
            .map(|item| format!("{{a: {word}{item}}}, "))
            .collect()
    };
    let web = fs::read_to_string(repository.path().join("components/web.yaml")).unwrap();
    let write = |word: &str| {
        let settings = format!("{web}    settings: {{list: [{}]}}\n", list(word));
        fs::write(repository.path().join("components/web.yaml"), settings).unwrap();
        let tiers: String = (0..3_000)
            .map(|tier| format!("---\napiVersion: tenantry.dev/v1\nkind: Tier\nmetadata: {{name: {word}{tier}}}\nspec: {{priority: 1}}\n"))
            .collect();
        fs::write(repository.path().join("tiers/many.yaml"), tiers).unwrap();
    };
    write("x");
    repository.commit("many");
    write("y");
    let start = std::time::Instant::now();
    let review = repository.review(&["--base", "HEAD"]);
    assert!(start.elapsed().as_secs() < 30, "{:?}", start.elapsed());
    assert_eq!(review["inputs"].as_array().unwrap().len(), 6_001);
}
