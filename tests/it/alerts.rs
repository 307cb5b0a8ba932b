//! Alerts and their routes, judged by Prometheus' and Alertmanager's own tools. Where those are not there, the tests
//! say so; CI installs them.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::process::Command;

use serde_json::{Value as Json, json};

use crate::support::{documents, files_below, has_program, repository_path, sampled};

/// The objects of a kind in acme, with the path of their file.
fn objects(kind: &str) -> Vec<(String, Json)> {
    let files = files_below(&repository_path("examples/acme/rendered"));
    let files = files
        .into_iter()
        .filter(|(path, _)| path.ends_with(".yaml"));
    let all = files.flat_map(|(path, text)| {
        documents(&text)
            .into_iter()
            .map(move |one| (path.clone(), one))
    });
    all.filter(|(_, object)| object["kind"] == kind).collect()
}

/// The groups of some rules as a file of Prometheus, each group named for its object.
fn groups<'a>(rules: impl IntoIterator<Item = &'a (String, Json)>) -> Json {
    let mut groups = Vec::new();
    for (path, rule) in rules {
        for (at, group) in rule["spec"]["groups"]
            .as_array()
            .unwrap()
            .iter()
            .enumerate()
        {
            let mut group = group.clone();
            group["name"] = format!("{path} {} {at}", rule["metadata"]["name"]).into();
            groups.push(group);
        }
    }
    json!({ "groups": groups })
}

fn run(program: &str, arguments: &[&str]) -> (bool, String) {
    let output = Command::new(program).args(arguments).output().unwrap();
    let said = String::from_utf8_lossy(&output.stdout).into_owned();
    let warned = String::from_utf8_lossy(&output.stderr).into_owned();
    let passed = output.status.success();
    (passed, if passed { said } else { said + &warned })
}

#[test]
fn promtool_accepts_all_rules() {
    let rules = objects("PrometheusRule");
    assert!(rules.len() > 100, "{} rules", rules.len());
    if !has_program("promtool") {
        return;
    }
    // A Prometheus has the rules of the clusters that it watches, not of all.
    let clusters: BTreeSet<&str> = rules
        .iter()
        .map(|(path, _)| path.split('/').nth(1).unwrap())
        .collect();
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("rules.json");
    for cluster in clusters {
        let here = rules
            .iter()
            .filter(|(path, _)| path.split('/').nth(1) == Some(cluster));
        fs::write(&file, groups(here).to_string()).unwrap();
        let (passed, said) = run("promtool", &["check", "rules", file.to_str().unwrap()]);
        assert!(passed, "{cluster}: {said}");
    }
}

/// A history of metrics, and whether an alert fires at its end.
struct Case {
    alert: &'static str,
    severity: &'static str,
    at: &'static str,
    series: Vec<(String, String)>,
    fires: bool,
}

const SERVER: &str = r#"namespace="data-tenant-data-science-production", component="model-server", tenant="data-science""#;
const POD: &str = r#"namespace="data-tenant-data-science-production", pod="data-processing-data-science-model-server-abc-1", container="model-server""#;
const STORE: &str = r#"namespace="data-tenant-globex-production", pod="data-processing-globex-event-store-0", container="event-store""#;
const CLAIM: &str = r#"namespace="data-tenant-globex-production", persistentvolumeclaim="log-data-processing-globex-event-store-0""#;
const QUOTA: &str = r#"namespace="data-tenant-globex-production", resourcequota="data-processing-globex", resource="requests.cpu""#;
const NIGHTLY: &str = r#"pipeline="nightly", tenant="data-platform", environment="production""#;
const COPY: &str = r#"schedule="data-processing-globex-production-ireland""#;

fn cases() -> Vec<Case> {
    let mut cases = Vec::new();
    let mut add = |alert, severity, at, fires, series: &[(String, String)]| {
        cases.push(Case {
            alert,
            severity,
            at,
            fires,
            series: series.to_vec(),
        });
    };
    let one = |metric: &str, labels: &str, values: &str| {
        (format!("{metric}{{{labels}}}"), values.to_owned())
    };
    let requests = |bad: f64, minutes: usize| {
        [("500", bad), ("200", 1000.0 - bad)].map(|(code, each)| {
            let labels = format!(r#"{SERVER}, code="{code}""#);
            (
                format!("http_requests_total{{{labels}}}"),
                format!("0+{each}x{minutes}"),
            )
        })
    };
    // 5 % are allowed.
    add("ErrorRateHigh", "error", "20m", true, &requests(100.0, 60));
    add("ErrorRateHigh", "error", "20m", false, &requests(40.0, 60));
    // 99.9 % are promised: 14.4 × 0.1 % within the hour wakes somebody, 3 × 0.1 % within the day does not.
    add(
        "AvailabilityBudgetBurns",
        "critical",
        "80m",
        true,
        &requests(20.0, 90),
    );
    add(
        "AvailabilityBudgetBurns",
        "critical",
        "80m",
        false,
        &requests(5.0, 90),
    );
    add(
        "AvailabilityBudgetBurns",
        "warning",
        "80m",
        true,
        &requests(5.0, 90),
    );
    add(
        "AvailabilityBudgetBurns",
        "warning",
        "80m",
        false,
        &requests(0.5, 90),
    );
    let answers = |quick: u32, minutes: usize| {
        let bucket = |le: &str, each: u32| {
            one(
                "http_request_duration_seconds_bucket",
                &format!(r#"{SERVER}, le="{le}""#),
                &format!("0+{each}x{minutes}"),
            )
        };
        [
            bucket("0.15", quick),
            bucket("1", quick + (1000 - quick) / 4),
            bucket("4", 1000),
            bucket("+Inf", 1000),
            one(
                "http_request_duration_seconds_count",
                SERVER,
                &format!("0+1000x{minutes}"),
            ),
        ]
    };
    // 99 % within 150 ms are promised.
    add(
        "LatencyBudgetBurns",
        "critical",
        "80m",
        true,
        &answers(800, 90),
    );
    add(
        "LatencyBudgetBurns",
        "critical",
        "80m",
        false,
        &answers(960, 90),
    );
    add(
        "LatencyBudgetBurns",
        "warning",
        "80m",
        true,
        &answers(960, 90),
    );
    add(
        "LatencyBudgetBurns",
        "warning",
        "80m",
        false,
        &answers(996, 90),
    );
    add(
        "ResponseTimeHigh",
        "warning",
        "20m",
        true,
        &answers(800, 60),
    );
    add(
        "ResponseTimeHigh",
        "warning",
        "20m",
        false,
        &answers(980, 60),
    );
    add(
        "NothingReady",
        "critical",
        "10m",
        true,
        &[one("kube_pod_container_status_ready", POD, "0x20")],
    );
    add("NothingReady", "critical", "10m", true, &[]);
    add(
        "NothingReady",
        "critical",
        "10m",
        false,
        &[
            one("kube_pod_container_status_ready", POD, "1x20"),
            one("kube_pod_container_status_ready", STORE, "1x20"),
        ],
    );
    add(
        "Restarting",
        "error",
        "20m",
        true,
        &[one(
            "kube_pod_container_status_restarts_total",
            POD,
            "0+1x30",
        )],
    );
    add(
        "Restarting",
        "error",
        "20m",
        false,
        &[one(
            "kube_pod_container_status_restarts_total",
            POD,
            "0x10 1x20",
        )],
    );
    let limit = |resource: &str, value: &str| {
        one(
            "kube_pod_container_resource_limits",
            &format!(r#"{POD}, resource="{resource}""#),
            &format!("{value}x500"),
        )
    };
    // Of three processors, 2.7 are more than 80 %, 2.1 are not.
    add(
        "CpuHigh",
        "warning",
        "20m",
        true,
        &[
            limit("cpu", "3"),
            one("container_cpu_usage_seconds_total", POD, "0+162x60"),
        ],
    );
    add(
        "CpuHigh",
        "warning",
        "20m",
        false,
        &[
            limit("cpu", "3"),
            one("container_cpu_usage_seconds_total", POD, "0+126x60"),
        ],
    );
    add(
        "MemoryHigh",
        "warning",
        "20m",
        true,
        &[
            limit("memory", "1000"),
            one("container_memory_working_set_bytes", POD, "900x60"),
        ],
    );
    add(
        "MemoryHigh",
        "warning",
        "20m",
        false,
        &[
            limit("memory", "1000"),
            one("container_memory_working_set_bytes", POD, "800x60"),
        ],
    );
    // It grows by one a minute: in four hours, 240 more.
    add(
        "MemoryWillRunOut",
        "warning",
        "400m",
        true,
        &[
            limit("memory", "600"),
            one("container_memory_working_set_bytes", POD, "0+1x450"),
        ],
    );
    add(
        "MemoryWillRunOut",
        "warning",
        "400m",
        false,
        &[
            limit("memory", "900"),
            one("container_memory_working_set_bytes", POD, "0+1x450"),
        ],
    );
    let scaler = r#"namespace="data-tenant-data-science-production", horizontalpodautoscaler="data-processing-data-science-model-server""#;
    let replicas = |now: &str| {
        [
            one(
                "kube_horizontalpodautoscaler_status_current_replicas",
                scaler,
                &format!("{now}x40"),
            ),
            one(
                "kube_horizontalpodautoscaler_spec_max_replicas",
                scaler,
                "6x40",
            ),
        ]
    };
    add("AtMostReplicas", "warning", "20m", true, &replicas("6"));
    add("AtMostReplicas", "warning", "20m", false, &replicas("5"));
    let volume = |used: &str| {
        [
            one(
                "kubelet_volume_stats_used_bytes",
                CLAIM,
                &format!("{used}x40"),
            ),
            one("kubelet_volume_stats_capacity_bytes", CLAIM, "100x40"),
        ]
    };
    add("VolumeNearlyFull", "error", "20m", true, &volume("85"));
    add("VolumeNearlyFull", "error", "20m", false, &volume("75"));
    add(
        "VolumeWillBeFull",
        "warning",
        "400m",
        true,
        &[one(
            "kubelet_volume_stats_available_bytes",
            CLAIM,
            "600-1x450",
        )],
    );
    add(
        "VolumeWillBeFull",
        "warning",
        "400m",
        false,
        &[one(
            "kubelet_volume_stats_available_bytes",
            CLAIM,
            "900-1x450",
        )],
    );
    let run = |number: u32, ended: &str| {
        let labels = format!(
            r#"namespace="data-tenant-globex-production", job_name="data-processing-globex-anomaly-scan-{number}""#
        );
        [
            one("kube_job_created", &labels, &format!("{number}x10")),
            one(ended, &format!(r#"{labels}, condition="true""#), "1x10"),
        ]
    };
    let failed = run(29_000_000, "kube_job_failed");
    add("JobFailed", "error", "5m", true, &failed);
    // What ran later, and well, ends it; what failed later does not.
    let later = [failed.clone(), run(29_000_060, "kube_job_complete")].concat();
    add("JobFailed", "error", "5m", false, &later);
    let again = [later, run(29_000_120, "kube_job_failed").to_vec()].concat();
    add("JobFailed", "error", "5m", true, &again);
    let complete = run(29_000_000, "kube_job_complete");
    add("JobFailed", "error", "5m", false, &complete);
    let cron = r#"namespace="data-tenant-globex-production", cronjob="data-processing-globex-anomaly-scan""#;
    let due = |suspend: &str| {
        [
            one("kube_cronjob_next_schedule_time", cron, "60x60"),
            one("kube_cronjob_spec_suspend", cron, &format!("{suspend}x60")),
        ]
    };
    add("JobNotStarted", "error", "15m", true, &due("0"));
    add("JobNotStarted", "error", "15m", false, &due("1"));
    add("JobNotStarted", "error", "8m", false, &due("0"));
    let written = r#"dataset="warehouse-tables", tenant="data-platform", environment="production""#;
    add(
        "DataStale",
        "error",
        "27h",
        true,
        &[one(
            "dataset_last_written_timestamp_seconds",
            written,
            "0x2000",
        )],
    );
    add(
        "DataStale",
        "error",
        "25h",
        false,
        &[one(
            "dataset_last_written_timestamp_seconds",
            written,
            "0x2000",
        )],
    );
    let running = |seconds: &str| {
        [one(
            "argo_workflows_pipeline_running_seconds",
            NIGHTLY,
            &format!("{seconds}x10"),
        )]
    };
    // Nine hours are promised: 32,400 s.
    add("PipelineLate", "critical", "5m", true, &running("32500"));
    add("PipelineLate", "critical", "5m", false, &running("32300"));
    add(
        "PipelineWillBeLate",
        "warning",
        "5m",
        true,
        &running("26000"),
    );
    add(
        "PipelineWillBeLate",
        "warning",
        "5m",
        false,
        &running("25000"),
    );
    add(
        "PipelineWillBeLate",
        "warning",
        "5m",
        false,
        &running("32500"),
    );
    let etl = format!(r#"{NIGHTLY}, pipeline_job="etl""#);
    add(
        "PipelineJobLate",
        "error",
        "5m",
        true,
        &[one("argo_workflows_job_running_seconds", &etl, "7300x10")],
    );
    add(
        "PipelineJobLate",
        "error",
        "5m",
        false,
        &[one("argo_workflows_job_running_seconds", &etl, "7100x10")],
    );
    let ended = |status: &str| {
        [one(
            "argo_workflows_pipeline_runs_total",
            &format!(r#"{NIGHTLY}, status="{status}""#),
            "_x10 1x40",
        )]
    };
    add("PipelineFailed", "error", "15m", true, &ended("Failed"));
    add("PipelineFailed", "error", "40m", false, &ended("Failed"));
    add("PipelineFailed", "error", "15m", false, &ended("Succeeded"));
    let quota = |used: &str| {
        [
            one(
                "kube_resourcequota",
                &format!(r#"{QUOTA}, type="used""#),
                used,
            ),
            one(
                "kube_resourcequota",
                &format!(r#"{QUOTA}, type="hard""#),
                "1000x500",
            ),
        ]
    };
    add("QuotaNearlyUsed", "warning", "20m", true, &quota("950x60"));
    add("QuotaNearlyUsed", "warning", "20m", false, &quota("850x60"));
    add(
        "QuotaWillBeUsed",
        "warning",
        "400m",
        true,
        &quota("400+1x450"),
    );
    add(
        "QuotaWillBeUsed",
        "warning",
        "400m",
        false,
        &quota("100+1x450"),
    );
    let job = r#"namespace="data-tenant-globex-production", job_name="data-processing-globex-anomaly-scan-1""#;
    add(
        "TooManyJobs",
        "warning",
        "10m",
        true,
        &[one("kube_job_status_active", job, "101x20")],
    );
    add(
        "TooManyJobs",
        "warning",
        "10m",
        false,
        &[one("kube_job_status_active", job, "99x20")],
    );
    let all = r#"namespace="data-tenant-globex-production", tenant="globex", component="query-api", code="200""#;
    add(
        "TooManyRequests",
        "info",
        "20m",
        true,
        &[one("http_requests_total", all, "0+101000x60")],
    );
    add(
        "TooManyRequests",
        "info",
        "20m",
        false,
        &[one("http_requests_total", all, "0+99000x60")],
    );
    let asked = |cpu: &str| {
        [
            one(
                "kube_pod_container_resource_requests",
                r#"namespace="data-tenant-globex-production", pod="p", resource="cpu""#,
                &format!("{cpu}x2000"),
            ),
            one(
                "kube_pod_container_resource_requests",
                r#"namespace="data-tenant-globex-production", pod="p", resource="memory""#,
                "1073741824x2000",
            ),
        ]
    };
    // A processor costs 0.034 an hour, so 1,300 of them more than 30,000 a month.
    add("BudgetWillNotDo", "warning", "30h", true, &asked("1300"));
    add("BudgetWillNotDo", "warning", "30h", false, &asked("1100"));
    add(
        "BackupTooOld",
        "critical",
        "6h",
        true,
        &[one(
            "velero_backup_last_successful_timestamp",
            COPY,
            "0x600",
        )],
    );
    add(
        "BackupTooOld",
        "critical",
        "4h",
        false,
        &[one(
            "velero_backup_last_successful_timestamp",
            COPY,
            "0x600",
        )],
    );
    add("BackupMissing", "error", "2d", true, &[]);
    add(
        "BackupMissing",
        "error",
        "2d",
        false,
        &[one(
            "velero_backup_last_successful_timestamp",
            COPY,
            "1x3000",
        )],
    );
    let failures = |values: &str| {
        [
            one("velero_backup_failure_total", COPY, values),
            one("velero_backup_partial_failure_total", COPY, "0x100"),
        ]
    };
    add("BackupFailed", "error", "30m", true, &failures("0x20 1x60"));
    add("BackupFailed", "error", "30m", false, &failures("0x100"));
    let volumes = r#"obj_namespace="data-tenant-globex-production", obj_name="data-processing-globex-event-store-log-0""#;
    add(
        "ReplicationTooOld",
        "critical",
        "40m",
        true,
        &[one("volsync_volume_out_of_sync", volumes, "1x60")],
    );
    add(
        "ReplicationTooOld",
        "critical",
        "40m",
        false,
        &[one("volsync_volume_out_of_sync", volumes, "0x60")],
    );
    cases
}

/// The rules that the cases are about.
fn judged_rules() -> Vec<(String, Json)> {
    let of = [
        "data-science/model-server",
        "globex/event-store",
        "globex/anomaly-scan",
        "globex/tenant",
        "data-platform/etl-daily",
        "data-platform/pipeline-nightly",
    ];
    let mut rules = objects("PrometheusRule");
    rules.retain(|(path, _)| {
        of.iter()
            .any(|name| *path == format!("production/eu-prod-1/{name}.yaml"))
    });
    rules
}

#[test]
fn alerts_fire_when_they_should_and_only_then() {
    let cases = cases();
    // Each alert that acme has is shown to fire, and not to fire.
    let mut rendered = BTreeSet::new();
    for (_, rule) in objects("PrometheusRule") {
        for rule in rule["spec"]["groups"]
            .as_array()
            .unwrap()
            .iter()
            .flat_map(|group| group["rules"].as_array().unwrap())
        {
            if let Some(alert) = rule["alert"].as_str() {
                rendered.insert((
                    alert.to_owned(),
                    rule["labels"]["severity"].as_str().unwrap().to_owned(),
                ));
            }
        }
    }
    for fires in [true, false] {
        let shown = cases.iter().filter(|case| case.fires == fires);
        let shown: BTreeSet<_> = shown
            .map(|case| (case.alert.to_owned(), case.severity.to_owned()))
            .collect();
        assert_eq!(rendered, shown, "alerts that are shown to fire: {fires}");
    }
    if !has_program("promtool") {
        return;
    }
    let folder = tempfile::tempdir().unwrap();
    // Of an alert, its own rules are evaluated, and what they are computed from.
    let rules_of = |alert: &str| -> String {
        let name = format!("{alert}.rules.json");
        let mut rules = groups(&judged_rules());
        for group in rules["groups"].as_array_mut().unwrap() {
            let own = group["rules"].as_array_mut().unwrap();
            own.retain(|rule| rule["alert"].as_str().is_none_or(|known| known == alert));
        }
        fs::write(folder.path().join(&name), rules.to_string()).unwrap();
        name
    };
    let tests: Vec<(&str, Json)> = cases
        .iter()
        .map(|case| {
            let series: Vec<Json> = case.series.iter().map(|(series, values)| json!({"series": series, "values": values})).collect();
            let fired = format!("count(ALERTS{{alertname=\"{}\", severity=\"{}\", alertstate=\"firing\"}}) > bool 0", case.alert, case.severity);
            let samples = if case.fires { json!([{"labels": "{}", "value": 1}]) } else { json!([]) };
            let test = json!({
                "name": format!("{} {} {}", case.alert, case.severity, case.fires), "interval": "1m", "input_series": series,
                "promql_expr_test": [{"expr": fired, "eval_time": case.at, "exp_samples": samples}],
            });
            (case.alert, test)
        })
        .collect();
    // What takes a day is looked at every ten minutes.
    let interval = |test: &Json| {
        let at = test["promql_expr_test"][0]["eval_time"].as_str().unwrap();
        if at.ends_with('h') { "10m" } else { "1m" }
    };
    let mut suites: BTreeMap<(&str, &str), Vec<Json>> = BTreeMap::new();
    for (alert, test) in tests {
        suites
            .entry((alert, interval(&test)))
            .or_default()
            .push(test);
    }
    let mut arguments = vec!["test".to_owned(), "rules".to_owned()];
    for ((alert, interval), tests) in sampled(suites, 4) {
        let suite = json!({"rule_files": [rules_of(alert)], "evaluation_interval": interval, "tests": tests});
        let file = folder.path().join(format!("{alert}.{interval}.json"));
        fs::write(&file, suite.to_string()).unwrap();
        arguments.push(file.to_str().unwrap().to_owned());
    }
    let arguments: Vec<&str> = arguments.iter().map(String::as_str).collect();
    let (passed, said) = run("promtool", &arguments);
    assert!(passed, "{said}");
}

/// What the Prometheus Operator makes of an AlertmanagerConfig, for Alertmanager:
/// <https://prometheus-operator.dev/docs/api-reference/api/#monitoring.coreos.com/v1alpha1.AlertmanagerConfig>.
fn as_alertmanager_reads_it(json: &Json) -> Json {
    let snake = |key: &str| -> String {
        let mut snake = String::new();
        for c in key.chars() {
            if c.is_ascii_uppercase() {
                snake.push('_');
            }
            snake.push(c.to_ascii_lowercase());
        }
        match snake.as_str() {
            "source_match" => "source_matchers".to_owned(),
            "target_match" => "target_matchers".to_owned(),
            "api_u_r_l" => "api_url".to_owned(),
            "url_secret" => "url".to_owned(),
            _ => snake,
        }
    };
    match json {
        Json::Object(map) if map.contains_key("matchType") => format!(
            "{}{}\"{}\"",
            map["name"].as_str().unwrap(),
            map["matchType"].as_str().unwrap(),
            map["value"].as_str().unwrap()
        )
        .into(),
        Json::Object(map) => {
            let entries = map.iter().map(|(key, value)| {
                let is_secret = value.get("key").is_some() && value.as_object().unwrap().len() == 2;
                let value = match key.as_str() {
                    "routingKey" if is_secret => "0123456789abcdef0123456789abcdef".into(),
                    _ if is_secret => "https://secret.example/".into(),
                    _ => as_alertmanager_reads_it(value),
                };
                (snake(key), value)
            });
            Json::Object(entries.collect())
        }
        Json::Array(items) => items.iter().map(as_alertmanager_reads_it).collect(),
        other => other.clone(),
    }
}

#[test]
fn alerts_reach_those_who_are_named() {
    let configs = objects("AlertmanagerConfig");
    assert!(configs.len() > 10, "{}", configs.len());
    let of_bank: Vec<&Json> = configs
        .iter()
        .filter(|(path, _)| path.contains("/meridian-bank/"))
        .map(|(_, one)| one)
        .collect();
    assert_eq!(
        of_bank.len(),
        2,
        "the platform's people, and the bank's own"
    );
    if !has_program("amtool") {
        return;
    }
    let folder = tempfile::tempdir().unwrap();
    let mut said_of: BTreeMap<String, String> = BTreeMap::new();
    for (path, config) in &configs {
        let mut spec = as_alertmanager_reads_it(&config["spec"]);
        spec["global"] =
            json!({"smtp_smarthost": "mail.example:25", "smtp_from": "alerts@example.org"});
        // The operator puts each under a route of its own.
        let own = spec["route"].take();
        spec["route"] = json!({"receiver": "nobody", "routes": [own]});
        let file = folder.path().join("alertmanager.json");
        fs::write(&file, spec.to_string()).unwrap();
        let file = file.to_str().unwrap();
        let (passed, said) = run("amtool", &["check-config", file]);
        assert!(passed, "{path}: {said}");
        let tenant = config["metadata"]["labels"]["acme.example/tenant"]
            .as_str()
            .unwrap();
        let environment = config["metadata"]["labels"]["acme.example/environment"]
            .as_str()
            .unwrap();
        let name = config["metadata"]["name"]
            .as_str()
            .unwrap()
            .rsplit_once(&format!("{tenant}-"))
            .unwrap()
            .1;
        for severity in ["critical", "error", "warning", "info"] {
            let labels = [
                format!("tenant={tenant}"),
                format!("environment={environment}"),
                format!("severity={severity}"),
            ];
            let labels: Vec<&str> = labels.iter().map(String::as_str).collect();
            let arguments = [
                &["config", "routes", "test", "--config.file", file],
                labels.as_slice(),
            ]
            .concat();
            let (passed, told) = run("amtool", &arguments);
            assert!(passed, "{path}: {told}");
            let known = said_of
                .entry(format!("{name} {severity}"))
                .or_insert_with(|| told.trim().to_owned());
            assert_eq!(
                known,
                told.trim(),
                "{path}: all tenants of a route are told the same way"
            );
        }
        let others = [
            "tenant=somebody-else",
            "environment=production",
            "severity=critical",
        ];
        let (_, told) = run(
            "amtool",
            &[
                &["config", "routes", "test", "--config.file", file],
                others.as_slice(),
            ]
            .concat(),
        );
        assert_eq!(told.trim(), "nobody", "{path}");
    }
    assert_eq!(said_of["platform critical"], "on-call,channel,leads");
    assert_eq!(said_of["platform error"], "channel,on-call");
    assert_eq!(said_of["platform warning"], "channel");
    assert_eq!(said_of["platform info"], "nobody");
}

#[test]
fn somebody_is_told_in_time_and_the_next_one_later() {
    let configs = objects("AlertmanagerConfig");
    let (_, config) = configs
        .iter()
        .find(|(_, one)| one["metadata"]["name"] == "data-processing-globex-platform")
        .unwrap();
    let routes = config["spec"]["route"]["routes"].as_array().unwrap();
    let waits: Vec<(&str, &str)> = routes
        .iter()
        .filter(|route| route["matchers"].to_string().contains("critical"))
        .map(|route| {
            (
                route["receiver"].as_str().unwrap(),
                route["groupWait"].as_str().unwrap(),
            )
        })
        .collect();
    assert_eq!(
        waits,
        [("on-call", "30s"), ("channel", "30s"), ("leads", "15m")]
    );
    assert!(
        routes.iter().all(|route| route["continue"] == true),
        "nobody is told instead of somebody else"
    );
}

#[test]
fn alerts_link_to_headings_of_runbooks_that_are_there() {
    let root = repository_path("examples/acme/rendered/runbooks");
    let base = "https://git.acme.example/data-platform/manifests/blob/main/rendered/runbooks/";
    let mut links = 0;
    for (path, rule) in objects("PrometheusRule") {
        for rule in rule["spec"]["groups"]
            .as_array()
            .unwrap()
            .iter()
            .flat_map(|group| group["rules"].as_array().unwrap())
        {
            let Some(link) = rule["annotations"]["runbook_url"].as_str() else {
                continue;
            };
            let (page, heading) = link.strip_prefix(base).unwrap().split_once('#').unwrap();
            let text = fs::read_to_string(root.join(page))
                .unwrap_or_else(|_| panic!("{path}: no page {page}"));
            let headings = text.lines().filter_map(|line| line.strip_prefix("## "));
            let has = headings
                .map(|title| title.to_lowercase().replace(' ', "-"))
                .any(|anchor| anchor == heading);
            assert!(has, "{path}: {page} has no heading for #{heading}");
            links += 1;
        }
    }
    assert!(links > 300, "{links} links");
}
