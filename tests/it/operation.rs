//! Workloads in operation: rollouts, pipelines, what is watched, recovery, runbooks, delivery.

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;
use std::process::Command;

use serde_json::{Value as Json, json};

use crate::support::{copy_folder, documents, files_below, render, repository_path};

/// The objects of acme's output below a path.
fn acme(path: &str) -> Vec<Json> {
    let files = files_below(&repository_path("examples/acme/rendered"));
    let here = files
        .iter()
        .filter(|(name, _)| name.starts_with(path) && name.ends_with(".yaml"));
    here.flat_map(|(_, text)| documents(text)).collect()
}

fn find<'a>(objects: &'a [Json], kind: &str, name: &str) -> &'a Json {
    let found = objects
        .iter()
        .find(|one| one["kind"] == kind && one["metadata"]["name"] == name);
    found.unwrap_or_else(|| panic!("no {kind}/{name}"))
}

/// The small repository of the UI tests with changes: texts that replace others, and files.
fn small(changes: &[(&str, &str, &str)], files: &[(&str, &str)]) -> tempfile::TempDir {
    let folder = tempfile::tempdir().unwrap();
    copy_folder(&repository_path("tests/ui/base"), folder.path(), false);
    for (file, from, to) in changes {
        let path = folder.path().join(file);
        let text = fs::read_to_string(&path).unwrap();
        assert!(text.contains(from), "{file}: {from}");
        fs::write(path, text.replacen(from, to, 1)).unwrap();
    }
    for (path, text) in files {
        let path = folder.path().join(path);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, text).unwrap();
    }
    folder
}

fn objects(files: &BTreeMap<String, Vec<u8>>) -> Vec<Json> {
    let manifests = files
        .iter()
        .filter(|(path, _)| path.ends_with(".yaml") && !path.starts_with("api-server/"));
    manifests.flat_map(|(_, text)| documents(text)).collect()
}

fn tenantry(root: &Path, arguments: &[&str]) -> (i32, String) {
    let output = Command::new(env!("CARGO_BIN_EXE_tenantry"))
        .args(arguments)
        .current_dir(root)
        .env("TENANTRY_AS_OF", "2026-06-01")
        .env("NO_COLOR", "1")
        .output()
        .unwrap();
    let said = String::from_utf8_lossy(&output.stdout).into_owned()
        + &String::from_utf8_lossy(&output.stderr);
    (output.status.code().unwrap(), said)
}

const CLUSTER: &str = "  domain: eu-1.acme.example";

#[test]
fn rollouts_have_four_strategies_with_argo_and_without() {
    let rendered = |strategy: &str, apis: &str| {
        let apis = format!("  apis: [{apis}]\n{CLUSTER}");
        let rollout = format!("    rollout: {strategy}\n    ports:");
        let folder = small(
            &[
                ("tenantry.yaml", CLUSTER, &apis),
                ("components/web.yaml", "    ports:", &rollout),
            ],
            &[],
        );
        objects(&render(folder.path(), &[]))
    };
    let name = "data-processing-globex-web";
    let rolling = rendered("{strategy: rolling, maxSurge: 2}", "");
    assert_eq!(
        find(&rolling, "Deployment", name)["spec"]["strategy"],
        json!({"type": "RollingUpdate", "rollingUpdate": {"maxSurge": 2, "maxUnavailable": 0}})
    );
    let recreate = rendered("{strategy: recreate}", "");
    assert_eq!(
        find(&recreate, "Deployment", name)["spec"]["strategy"],
        json!({"type": "Recreate"})
    );
    let canary = rendered(
        "{strategy: canary, steps: [{weight: 5, pause: 10m}, {weight: 50}], analysis: {errorRate: 1, responseTime: 250ms, failureLimit: 0}}",
        "argoproj.io/v1alpha1",
    );
    let strategy = &find(&canary, "Rollout", name)["spec"]["strategy"]["canary"];
    assert_eq!(
        strategy["steps"],
        json!([{"setWeight": 5}, {"pause": {"duration": "10m"}}, {"setWeight": 50}, {"pause": {}}])
    );
    assert_eq!(
        strategy["analysis"]["templates"],
        json!([{"templateName": name}])
    );
    let metrics = find(&canary, "AnalysisTemplate", name)["spec"]["metrics"]
        .as_array()
        .unwrap()
        .clone();
    let conditions: Vec<(&str, &str)> = metrics
        .iter()
        .map(|one| {
            (
                one["name"].as_str().unwrap(),
                one["successCondition"].as_str().unwrap(),
            )
        })
        .collect();
    assert_eq!(
        conditions,
        [
            (
                "error-rate",
                "len(result) == 0 || isNaN(result[0]) || result[0] <= 1 / 100"
            ),
            (
                "response-time",
                "len(result) == 0 || isNaN(result[0]) || result[0] <= 0.25"
            )
        ]
    );
    assert!(metrics.iter().all(|one| one["failureLimit"] == 0));
    let switch = "{strategy: blue-green, active: green, preview: {tag: 2.0.0}, validation: {command: [smoke]}}";
    let argo = rendered(switch, "argoproj.io/v1alpha1");
    let strategy = &find(&argo, "Rollout", name)["spec"]["strategy"]["blueGreen"];
    assert_eq!(
        (&strategy["activeService"], &strategy["previewService"]),
        (&json!(name), &json!("data-processing-globex-web-preview"))
    );
    assert_eq!(
        strategy["prePromotionAnalysis"]["templates"],
        json!([{"templateName": "data-processing-globex-web-validation"}])
    );
    assert!(
        !argo.iter().any(|one| one["kind"] == "Job"),
        "the pod of an analysis is judged, not written"
    );
    let native = rendered(switch, "");
    let image = |color: &str| {
        find(&native, "Deployment", &format!("{name}-{color}"))["spec"]["template"]["spec"]["containers"][0]["image"].clone()
    };
    assert_eq!(
        (image("green"), image("blue")),
        (
            json!("registry.acme.example/web:1.0.0"),
            json!("registry.acme.example/web:2.0.0")
        )
    );
    assert_eq!(
        find(&native, "Service", name)["spec"]["selector"]["acme.example/color"],
        "green"
    );
    assert_eq!(
        find(&native, "Service", &format!("{name}-preview"))["spec"]["selector"]["acme.example/color"],
        "blue"
    );
    assert_eq!(
        find(&native, "HorizontalPodAutoscaler", name)["spec"]["scaleTargetRef"]["name"],
        format!("{name}-green")
    );
    let job = native.iter().find(|one| one["kind"] == "Job").unwrap();
    let container = &job["spec"]["template"]["spec"]["containers"][0];
    assert_eq!(container["command"], json!(["smoke"]));
    assert!(
        container["env"].as_array().unwrap().contains(
            &json!({"name": "PREVIEW_HOST", "value": "data-processing-globex-web-preview"})
        )
    );
}

#[test]
fn pipelines_become_workflows() {
    let here = acme("production/eu-prod-1/data-platform/");
    let workflow = find(
        &here,
        "CronWorkflow",
        "data-processing-data-platform-nightly",
    );
    let spec = &workflow["spec"];
    assert_eq!(
        (
            &spec["schedules"],
            &spec["timezone"],
            &spec["concurrencyPolicy"],
            &spec["startingDeadlineSeconds"]
        ),
        (
            &json!(["0 2 * * *"]),
            &json!("Europe/Berlin"),
            &json!("Forbid"),
            &json!(3600)
        )
    );
    let spec = &spec["workflowSpec"];
    assert_eq!(
        (&spec["priority"], &spec["parallelism"]),
        (&json!(8), &json!(100))
    );
    let templates = spec["templates"].as_array().unwrap();
    let tasks: Vec<(&str, Json)> = templates[0]["dag"]["tasks"]
        .as_array()
        .unwrap()
        .iter()
        .map(|task| (task["name"].as_str().unwrap(), task["dependencies"].clone()))
        .collect();
    assert_eq!(
        tasks,
        [
            ("etl", Json::Null),
            ("quality", json!(["etl"])),
            ("features", json!(["quality"])),
            ("training", json!(["features"])),
            ("reports", json!(["quality"]))
        ]
    );
    let template = |name: &str| templates.iter().find(|one| one["name"] == name).unwrap();
    assert_eq!(
        template("etl")["retryStrategy"],
        json!({"limit": 3, "retryPolicy": "Always", "backoff": {"duration": "5m", "factor": 2, "cap": "1h", "maxDuration": "5400s"}})
    );
    assert_eq!(template("training")["retryStrategy"]["limit"], 1);
    assert_eq!(
        template("training")["retryStrategy"]["backoff"]["duration"],
        "10m"
    );
    let classes = ["etl", "training"].map(|name| {
        find(
            &here,
            "PriorityClass",
            template(name)["priorityClassName"].as_str().unwrap(),
        )["value"]
            .as_i64()
            .unwrap()
    });
    assert_eq!(
        classes,
        [100_003, 99_998],
        "the tier's, a little higher and a little lower"
    );
    // What a pipeline runs does not run by itself, and its pods hold no token.
    assert!(!here.iter().any(|one| one["kind"] == "CronJob"
        && one["metadata"]["name"] == "data-processing-data-platform-etl-daily"));
    assert!(
        templates[1..]
            .iter()
            .all(|one| one["automountServiceAccountToken"] == false)
    );
    let weekly = find(&here, "CronJob", "data-processing-data-platform-weekly");
    assert_eq!(
        (
            &weekly["spec"]["timeZone"],
            &weekly["spec"]["startingDeadlineSeconds"]
        ),
        (&json!("Europe/Berlin"), &json!(14400))
    );
    let suspended = acme("disaster-recovery/eu-dr-1/data-platform/");
    assert_eq!(
        find(
            &suspended,
            "CronJob",
            "data-processing-data-platform-weekly"
        )["spec"]["suspend"],
        true
    );
}

#[test]
fn pods_of_a_workflow_are_judged_like_any_other() {
    let folder = tempfile::tempdir().unwrap();
    copy_folder(&repository_path("examples/acme"), folder.path(), false);
    let file = folder.path().join("components/etl-daily.yaml");
    let text = fs::read_to_string(&file).unwrap();
    let from = "    args: [etl, --day, yesterday]\n";
    assert!(text.contains(from));
    fs::write(
        &file,
        text.replace(
            from,
            &format!("{from}    security: {{readOnlyRootFilesystem: false}}\n"),
        ),
    )
    .unwrap();
    let (code, said) = tenantry(
        folder.path(),
        &[
            "check",
            "--environment",
            "production",
            "--tenant",
            "data-platform",
        ],
    );
    assert_eq!(code, 3, "{said}");
    assert!(
        said.contains("error[read-only-root-file-system]")
            && said.contains("components/etl-daily.yaml:"),
        "{said}"
    );
}

#[test]
fn a_week_of_jobs_is_told() {
    let root = repository_path("examples/acme");
    let (code, said) = tenantry(&root, &["report", "schedule", "-o", "json"]);
    assert_eq!(code, 0, "{said}");
    let report: Json = serde_json::from_str(&said).unwrap();
    assert_eq!(report["monday"], "2026-06-01");
    let jobs = report["jobs"].as_array().unwrap();
    // The ten jobs of the source documents, in production.
    let ten = [
        "incremental-sync",
        "etl-daily",
        "quality-check",
        "feature-build",
        "model-training",
        "daily-reports",
        "weekly-aggregation",
        "cold-archive",
        "anomaly-scan",
        "cache-refresh",
    ];
    for component in ten {
        let at = jobs.iter().position(|job| {
            job["component"] == component
                && job["environment"] == "production"
                && job["tenant"] == "data-platform"
                && job["paused"] == false
        });
        let at = at.unwrap_or_else(|| panic!("{component} has no schedule"));
        assert!(
            report["runs"]
                .as_array()
                .unwrap()
                .iter()
                .any(|run| run[0] == at),
            "{component} does not run"
        );
    }
    let runs_of = |name: &str| {
        let at = jobs
            .iter()
            .position(|job| {
                job["name"] == name
                    && job["environment"] == "production"
                    && job["tenant"] == "data-platform"
            })
            .unwrap();
        let runs = report["runs"]
            .as_array()
            .unwrap()
            .iter()
            .filter(move |run| run[0] == at);
        runs.map(|run| (run[1].as_i64().unwrap(), run[2].as_i64().unwrap()))
            .collect::<Vec<_>>()
    };
    // Two in Berlin is midnight in UTC; the check begins when the ETL must have ended.
    assert_eq!(runs_of("etl")[0], (0, 90));
    assert_eq!(runs_of("quality")[0], (90, 120));
    let most = report["peaks"]
        .as_array()
        .unwrap()
        .iter()
        .find(|one| one["cluster"] == "eu-prod-1")
        .unwrap();
    assert!(most["most"].as_u64().unwrap() >= 5, "{most}");
    let (_, text) = tenantry(&root, &["report", "schedule"]);
    assert!(
        text.contains("nightly / etl") && text.contains("Jobs at the same time, by hour"),
        "{text}"
    );
    let (_, page) = tenantry(&root, &["report", "schedule", "-o", "html"]);
    assert!(page.starts_with("<!doctype html>") && page.contains("A week of jobs"));
}

#[test]
fn monitoring_is_layered() {
    let files = [(
        "monitoring.yaml",
        "apiVersion: tenantry.dev/v1\nkind: Monitoring\nmetadata: {name: a}\nspec: {thresholds: {errorRate: 4, cpu: 70}, metrics: {requests: rpc_total}}\n---\napiVersion: tenantry.dev/v1\nkind: Monitoring\nmetadata: {name: b}\nspec: {tenants: [globex], thresholds: {errorRate: 3, memory: 60}}\n---\napiVersion: tenantry.dev/v1\nkind: Monitoring\nmetadata: {name: c}\nspec: {environments: [production], thresholds: {memory: 50}}\n---\napiVersion: tenantry.dev/v1\nkind: Monitoring\nmetadata: {name: d}\nspec: {components: [other], thresholds: {errorRate: 99}}\n",
    )];
    let other = fs::read_to_string(repository_path("tests/ui/base/components/web.yaml"))
        .unwrap()
        .replace("name: web", "name: other");
    let apis = format!("  apis: [monitoring.coreos.com/v1]\n{CLUSTER}");
    let changes = [
        ("tenantry.yaml", CLUSTER, apis.as_str()),
        (
            "components/web.yaml",
            "        port: 8080\n",
            "        port: 8080\n      - {name: metrics, port: 9090}\n",
        ),
        (
            "components/web.yaml",
            "  workload:",
            "  alerts: {lasting: 1m}\n  workload:",
        ),
    ];
    let folder = small(&changes, &[files[0], ("components/other.yaml", &other)]);
    let here = objects(&render(folder.path(), &[]));
    let rules: Vec<Json> =
        find(&here, "PrometheusRule", "data-processing-globex-web")["spec"]["groups"]
            .as_array()
            .unwrap()
            .iter()
            .flat_map(|group| group["rules"].as_array().unwrap().clone())
            .collect();
    let of = |alert: &str| rules.iter().find(|rule| rule["alert"] == alert).unwrap();
    let expression = |alert: &str| of(alert)["expr"].as_str().unwrap().trim().to_owned();
    // The tenant's over the environment's over everybody's over the defaults; another component's nowhere.
    assert!(
        expression("ErrorRateHigh").ends_with("> 3 / 100"),
        "{}",
        expression("ErrorRateHigh")
    );
    assert!(expression("MemoryHigh").ends_with("> 60 / 100"));
    assert!(expression("CpuHigh").ends_with("> 70 / 100"));
    assert!(expression("ResponseTimeHigh").ends_with("> 1"));
    assert_eq!(of("ErrorRateHigh")["for"], "1m");
    assert!(rules[0]["expr"].as_str().unwrap().contains("rpc_total{"));
    let (_, why) = tenantry(
        folder.path(),
        &["why", "globex/web/PrometheusRule", "spec.groups[0].rules"],
    );
    assert!(why.contains("monitoring.yaml"), "{why}");
}

#[test]
fn a_standby_takes_over() {
    let primary = acme("production/eu-prod-1/");
    let standby = acme("disaster-recovery/eu-dr-1/");
    let name = "data-processing-globex-production-ireland";
    let schedule = &find(&primary, "Schedule", name)["spec"];
    assert_eq!(
        (&schedule["schedule"], &schedule["template"]["ttl"]),
        (&json!("0 */4 * * *"), &json!("2592000s"))
    );
    assert_eq!(
        schedule["template"]["includedNamespaces"],
        json!(["data-tenant-globex-production"])
    );
    let location = schedule["template"]["storageLocation"].as_str().unwrap();
    let modes = [&primary, &standby]
        .map(|side| find(side, "BackupStorageLocation", location)["spec"]["accessMode"].clone());
    assert_eq!(modes, [json!("ReadWrite"), json!("ReadOnly")]);
    let volume = "data-processing-globex-event-store-log-0";
    let (source, target) = (
        find(&primary, "ReplicationSource", volume),
        find(&standby, "ReplicationDestination", volume),
    );
    assert_eq!(
        source["spec"]["sourcePVC"],
        "log-data-processing-globex-event-store-0"
    );
    assert_eq!(source["spec"]["trigger"], target["spec"]["trigger"]);
    assert_eq!(target["spec"]["restic"]["capacity"], "200Gi");
    let verify = find(&standby, "CronJob", "verify-europe")["spec"]["jobTemplate"]["spec"]["template"]["spec"]["containers"][0]["command"][2].as_str().unwrap();
    assert!(
        verify.contains(&format!("--from-schedule {name} ")),
        "{verify}"
    );
    let elsewhere =
        "--namespace-mappings data-tenant-globex-production:verify-data-tenant-globex-production";
    assert!(verify.contains(elsewhere), "{verify}");
    let root = repository_path("examples/acme");
    let (code, said) = tenantry(&root, &["diff", "--failover", "europe", "-o", "json"]);
    assert_eq!(code, 0, "{said}");
    let review: Json = serde_json::from_str(&said).unwrap();
    let text = review.to_string();
    assert!(
        text.contains("io2-encrypted") && !text.contains("\"finance\""),
        "only the plan's tenants"
    );
    let (_, text) = tenantry(&root, &["diff", "--failover", "europe"]);
    assert!(
        text.starts_with("Review of disaster-recovery on eu-dr-1 against production on eu-prod-1"),
        "{text}"
    );
    assert!(
        text.contains(
            "was environments/production.yaml:4, is environments/disaster-recovery.yaml:4"
        ),
        "{text}"
    );
    let (code, said) = tenantry(&root, &["diff", "--failover", "eurpoe"]);
    assert_eq!(code, 1);
    assert!(said.contains("did you mean `europe`?"), "{said}");
}

#[test]
fn recovery_is_held_to_its_promises() {
    let root = repository_path("examples/acme");
    let (code, said) = tenantry(&root, &["report", "recovery", "-o", "json"]);
    assert_eq!(code, 0, "{said}");
    let report: Json = serde_json::from_str(&said).unwrap();
    assert!(
        report["plans"][0]["checks"]
            .as_array()
            .unwrap()
            .iter()
            .all(|check| check["holds"] == true)
    );
    let platform = report["tenants"]
        .as_array()
        .unwrap()
        .iter()
        .find(|one| one["tenant"] == "data-platform")
        .unwrap();
    assert_eq!(
        platform["missing"],
        json!(["cold-archive", "model-training"])
    );
    // Half a year later, two drills were missed.
    let (code, said) = tenantry(&root, &["report", "recovery", "--as-of", "2026-12-01"]);
    assert_eq!(code, 3, "{said}");
    assert!(said.contains("one was due on 2026-10-15"), "{said}");
    let (_, page) = tenantry(&root, &["report", "recovery", "-o", "html"]);
    assert!(page.contains("Readiness for recovery"));
}

#[test]
fn api_servers_get_their_files() {
    let days = |cluster: &str, environment: &str| {
        let path =
            format!("examples/acme/rendered/api-server/{environment}/{cluster}/audit-policy.yaml");
        let policy = documents(&fs::read(repository_path(&path)).unwrap()).remove(0);
        assert_eq!(
            policy["rules"].as_array().unwrap().last().unwrap(),
            &json!({"level": "Metadata"}),
            "nothing is left out"
        );
        policy["metadata"]["annotations"]["acme.example/audit-log-maxage"]
            .as_str()
            .unwrap()
            .to_owned()
    };
    // SOC 2 asks for twelve months of all; HIPAA for six years, for a tenant in the US.
    assert_eq!(days("eu-prod-1", "production"), "372");
    assert_eq!(days("us-prod-1", "production"), "2190");
    let encryption = documents(
        &fs::read(repository_path(
            "examples/acme/rendered/api-server/production/eu-prod-1/encryptionconfiguration.yaml",
        ))
        .unwrap(),
    )
    .remove(0);
    assert_eq!(
        encryption["resources"][0]["providers"][0]["kms"]["endpoint"],
        "unix:///var/run/kms/vault.sock"
    );
    let class = acme("production/eu-prod-1/cluster")
        .into_iter()
        .find(|one| one["kind"] == "StorageClass" && one["metadata"]["name"] == "gp3-encrypted")
        .unwrap();
    assert_eq!(
        (&class["reclaimPolicy"], &class["parameters"]["encrypted"]),
        (&json!("Retain"), &json!("true"))
    );
    // What nothing applies is in no kustomization.
    for (path, text) in files_below(&repository_path("examples/acme/rendered")) {
        if path.ends_with("kustomization.yaml") {
            let text = String::from_utf8(text).unwrap();
            assert!(
                !text.contains("audit-policy") && !text.contains(".md"),
                "{path}"
            );
        }
    }
}

#[test]
fn runbooks_are_pages_of_their_own() {
    let route = "apiVersion: tenantry.dev/v1\nkind: Monitoring\nmetadata: {name: a}\nspec: {runbooks: \"https://runbooks.example\"}\n";
    let folder = small(
        &[(
            "tenants/globex.yaml",
            "  owner: team-globex",
            "  owner: team-globex\n  displayName: \"<!-- a --> | b\"",
        )],
        &[("monitoring.yaml", route)],
    );
    let out = tempfile::tempdir().unwrap();
    let made = |arguments: &[&str]| {
        let all = [
            &["render", ".", "--out", out.path().to_str().unwrap()],
            arguments,
        ]
        .concat();
        tenantry(folder.path(), &all)
    };
    assert_eq!(made(&[]).0, 0);
    let page = out.path().join("runbooks/production/eu-1/globex/web.md");
    let text = fs::read_to_string(&page).unwrap();
    assert!(text.starts_with("<!-- Generated by tenantry for acme. Do not edit: change the input and render again. -->\n<!-- blake3:"), "{text}");
    // It has no metrics of its own, so that no alert leads to headings about errors or latency.
    assert!(!text.contains("## Errors"), "{text}");
    for heading in ["## Down", "## Resources", "## Maintenance"] {
        assert!(text.contains(heading), "{heading}\n{text}");
    }
    let tenant =
        fs::read_to_string(out.path().join("runbooks/production/eu-1/globex/README.md")).unwrap();
    for heading in [
        "## Contacts",
        "## Incident",
        "## Maintenance",
        "## Failover",
    ] {
        assert!(tenant.contains(heading), "{heading}\n{tenant}");
    }
    // It is ours like any other file: nobody's edit is lost, and what is no longer made goes.
    assert_eq!(made(&["--check"]).0, 0);
    fs::write(&page, text.clone() + "by hand\n").unwrap();
    let (code, said) = made(&[]);
    assert_eq!(code, 1, "{said}");
    assert!(said.contains("edited by hand"), "{said}");
    fs::write(&page, text).unwrap();
    fs::remove_file(folder.path().join("monitoring.yaml")).unwrap();
    assert_eq!(made(&[]).0, 0);
    assert!(!page.exists());
}

#[test]
fn environments_follow_one_another() {
    let waves = |environment: &str, cluster: &str| {
        let here = acme(&format!("delivery/{environment}/{cluster}/globex"));
        here.iter()
            .find(|one| one["kind"] == "Application")
            .unwrap()["metadata"]["annotations"]["argocd.argoproj.io/sync-wave"]
            .clone()
    };
    assert_eq!(
        [
            waves("staging", "eu-lab-1"),
            waves("production", "eu-prod-1"),
            waves("disaster-recovery", "eu-dr-1")
        ],
        [json!("10"), json!("20"), json!("30")]
    );
    let project = acme("delivery/production/eu-prod-1/globex")
        .into_iter()
        .find(|one| one["kind"] == "AppProject")
        .unwrap();
    assert_eq!(
        project["spec"]["roles"][0]["groups"],
        json!(["data-platform-leads"])
    );
    let windows: Vec<&Json> = project["spec"]["syncWindows"]
        .as_array()
        .unwrap()
        .iter()
        .map(|window| &window["kind"])
        .collect();
    assert_eq!(windows, [&json!("allow"), &json!("deny")]);
    let delivery = "  labelPrefix: acme.example\n  delivery: {engine: flux, repoURL: \"https://git.acme.example/m.git\"}\n  naming: {namespace: \"t-{tenant}-{environment}\"}";
    let staging = "apiVersion: tenantry.dev/v1\nkind: Environment\nmetadata: {name: staging}\nspec: {stage: staging, clusters: [eu-1]}\n";
    let changes = [
        ("tenantry.yaml", "  labelPrefix: acme.example", delivery),
        (
            "tenantry.yaml",
            "  stage: production\n",
            "  stage: production\n  promotesFrom: staging\n",
        ),
        (
            "tenants/globex.yaml",
            "    production:\n",
            "    production:\n    staging:\n",
        ),
    ];
    let folder = small(&changes, &[("staging.yaml", staging)]);
    let whole = objects(&render(folder.path(), &[]));
    assert_eq!(
        find(&whole, "Kustomization", "globex-production-eu-1")["spec"]["dependsOn"],
        json!([{"name": "globex-staging-eu-1"}])
    );
    assert_eq!(
        find(&whole, "Kustomization", "globex-staging-eu-1")["spec"]["dependsOn"],
        Json::Null
    );
    // A part of the output is what it is in the whole.
    let part = objects(&render(folder.path(), &["--environment", "production"]));
    assert_eq!(
        find(&part, "Kustomization", "globex-production-eu-1"),
        find(&whole, "Kustomization", "globex-production-eu-1")
    );
}
