//! What carries reviews into pull requests, run as CI runs it, with a `gh` that only notes its calls.

use std::fs;
use std::os::unix::fs::PermissionsExt as _;
use std::path::Path;
use std::process::Command;

use serde_json::Value as Json;

use crate::support::{copy_folder, repository_path};

fn git(folder: &Path, arguments: &[&str]) {
    let status = Command::new("git")
        .args(["-c", "user.name=a", "-c", "user.email=a@example.com"])
        .args(arguments)
        .current_dir(folder)
        .env("GIT_CONFIG_GLOBAL", "/dev/null")
        .status()
        .unwrap();
    assert!(status.success(), "git {arguments:?}");
}

/// Runs the script of the GitHub action on a pull request; gives its exit code.
fn review(folder: &Path, known_comment: &str, fail_on: &str, rendered: &str) -> i32 {
    let tools = folder.join("tools");
    fs::create_dir_all(&tools).unwrap();
    let gh = tools.join("gh");
    let calls = folder.join("calls");
    let script = format!(
        "#!/bin/sh\ncase \"$*\" in *--paginate*) echo {known_comment};; *) echo \"$*\" >> {} ;; esac\n",
        calls.display()
    );
    fs::write(&gh, script).unwrap();
    fs::set_permissions(&gh, fs::Permissions::from_mode(0o755)).unwrap();
    let own = Path::new(env!("CARGO_BIN_EXE_tenantry")).parent().unwrap();
    let path = format!(
        "{}:{}:{}",
        tools.display(),
        own.display(),
        std::env::var("PATH").unwrap()
    );
    Command::new("bash")
        .arg(repository_path("integrations/github/review.sh"))
        .current_dir(folder.join("repository"))
        .env("PATH", path)
        .env("RUNNER_TEMP", folder)
        .env("GITHUB_OUTPUT", folder.join("output"))
        .env("GITHUB_STEP_SUMMARY", folder.join("summary"))
        .env("GITHUB_REPOSITORY", "acme/platform")
        .env("GITHUB_BASE_REF", "main")
        .env("PULL_REQUEST", "7")
        .env("TENANTRY_AS_OF", "2026-06-01")
        .env("TENANTRY_BASE", "")
        .env("TENANTRY_FAIL_ON", fail_on)
        .env("RENDERED", rendered)
        .status()
        .unwrap()
        .code()
        .unwrap()
}

#[test]
fn the_github_action_keeps_one_comment() {
    let temporary = tempfile::tempdir().unwrap();
    let folder = temporary.path();
    let repository = folder.join("repository");
    copy_folder(&repository_path("tests/review/base"), &repository, false);
    git(&repository, &["init", "--quiet", "--initial-branch=main"]);
    git(&repository, &["add", "--all"]);
    git(&repository, &["commit", "--quiet", "--message", "base"]);
    // As `actions/checkout` leaves it.
    git(
        &repository,
        &["update-ref", "refs/remotes/origin/main", "main"],
    );
    git(&repository, &["checkout", "--quiet", "-b", "work"]);
    let web = repository.join("components/web.yaml");
    let text = fs::read_to_string(&web).unwrap();
    fs::write(&web, text.replace("tag: 1.4.0", "tag: 1.5.0")).unwrap();
    git(
        &repository,
        &["commit", "--quiet", "--all", "--message", "bump"],
    );

    assert_eq!(review(folder, "", "", ""), 0);
    let calls = fs::read_to_string(folder.join("calls")).unwrap();
    assert!(
        calls.contains("--method POST repos/acme/platform/issues/7/comments"),
        "{calls}"
    );
    let summary = fs::read_to_string(folder.join("summary")).unwrap();
    assert!(summary.starts_with("<!-- tenantry review -->"), "{summary}");
    let output = fs::read_to_string(folder.join("output")).unwrap();
    for line in output.lines() {
        let (_, file) = line.split_once('=').unwrap();
        assert!(fs::metadata(file).unwrap().len() > 1_000, "{line}");
    }

    // The next run takes the place of the comment; a risk that is not allowed fails the job, and
    // is commented on, too.
    fs::remove_file(folder.join("calls")).unwrap();
    assert_eq!(review(folder, "42", "restart", ""), 3);
    let calls = fs::read_to_string(folder.join("calls")).unwrap();
    assert!(
        calls.contains("--method PATCH repos/acme/platform/issues/comments/42"),
        "{calls}"
    );
    assert!(!calls.contains("POST"), "{calls}");

    // Manifests that are committed and stale fail it as well.
    let render = |folder: &Path| {
        let status = Command::new(env!("CARGO_BIN_EXE_tenantry"))
            .args(["render", "--quiet", "--out", "rendered"])
            .current_dir(folder)
            .env("TENANTRY_AS_OF", "2026-06-01")
            .status();
        assert!(status.unwrap().success());
    };
    render(&repository);
    assert_eq!(review(folder, "42", "", "rendered"), 0);
    fs::remove_file(repository.join("rendered/production/eu-1/globex/web.yaml")).unwrap();
    assert_eq!(review(folder, "42", "", "rendered"), 2);
}

#[test]
fn the_files_of_the_integrations_are_yaml_that_names_what_there_is() {
    let read = |path: &str| -> Json {
        let text = fs::read_to_string(repository_path(path)).unwrap();
        serde_yaml::from_str(&text).unwrap_or_else(|error| panic!("{path}: {error}"))
    };
    let run = |arguments: &[&str]| {
        let output = Command::new(env!("CARGO_BIN_EXE_tenantry"))
            .args(arguments)
            .arg("--help")
            .output()
            .unwrap();
        assert!(
            output.status.success(),
            "tenantry {arguments:?}: {}",
            String::from_utf8_lossy(&output.stderr)
        );
    };
    for hook in read(".pre-commit-hooks.yaml").as_array().unwrap() {
        let entry = hook["entry"].as_str().unwrap();
        let arguments: Vec<&str> = entry.split_whitespace().skip(1).collect();
        run(&arguments);
        assert_eq!(
            hook["pass_filenames"], false,
            "{entry} reads the whole repository"
        );
    }
    let action = read("action.yml");
    for step in action["runs"]["steps"].as_array().unwrap() {
        if let Some(script) = step["run"].as_str() {
            let path = script.split('"').nth(1).unwrap_or_default();
            let path = path.replace("$GITHUB_ACTION_PATH/", "");
            assert!(repository_path(&path).exists(), "{path}");
        }
    }
    let gitlab = read("integrations/gitlab/tenantry.gitlab-ci.yml");
    let reports = &gitlab["tenantry"]["artifacts"]["reports"];
    let script = gitlab["tenantry"]["script"][0].as_str().unwrap();
    for report in ["codequality", "junit"] {
        assert!(
            script.contains(reports[report].as_str().unwrap()),
            "{report} is written"
        );
    }
}

/// What is installed is the version that asks for it.
#[test]
fn one_version_stands_everywhere() {
    let version = env!("CARGO_PKG_VERSION");
    for (path, wanted) in [
        ("pyproject.toml", format!("version = \"{version}\"")),
        ("pyproject.toml", format!("\"tenantry=={version}\"")),
        (
            "integrations/gitlab/tenantry.gitlab-ci.yml",
            format!("TENANTRY_PACKAGE: tenantry=={version}\n"),
        ),
        (
            "integrations/jenkins/Jenkinsfile",
            format!("'tenantry=={version}'"),
        ),
        (
            "integrations/azure/azure-pipelines.yml",
            format!("tenantryPackage: tenantry=={version}\n"),
        ),
        (
            "integrations/bitbucket/bitbucket-pipelines.yml",
            format!(":-tenantry=={version}}}"),
        ),
        (
            "integrations/tekton/task.yaml",
            format!("default: tenantry=={version}\n"),
        ),
        (
            "examples/quickstart/.github/workflows/tenantry.yaml",
            format!("'tenantry=={version}'"),
        ),
    ] {
        let text = fs::read_to_string(repository_path(path)).unwrap();
        assert!(text.contains(&wanted), "{path} has no `{wanted}`");
    }
}
