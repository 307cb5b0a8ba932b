//! Tenants, data, access and money: what is declared reaches manifests, reports and pages.

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;
use std::process::{Command, Output};
use std::sync::Mutex;

use serde_json::{Value as Json, json};
use tenantry::diagnostics::Sources;
use tenantry::engine::manifest::Rendered;
use tenantry::model::instance::Unit;
use tenantry::{Visitor, compile};

use crate::support::{copy_folder, options, repository_path};

/// Objects by environment, tenant, kind and name.
type Objects = BTreeMap<(String, String, String, String), Json>;

#[derive(Default)]
struct Collected(Mutex<Objects>);

impl Visitor for Collected {
    fn unit(&self, unit: &Unit, rendered: &[Rendered], _: &Sources) -> std::io::Result<()> {
        let mut objects = self.0.lock().unwrap();
        for one in rendered {
            let (kind, name) = (
                one.manifest.kind().into_owned(),
                one.manifest.name().into_owned(),
            );
            let key = (
                unit.key.environment.clone(),
                unit.key.tenant_name().to_owned(),
                kind,
                name,
            );
            objects.insert(key, one.manifest.root().to_json());
        }
        Ok(())
    }
}

fn rendered(root: &Path) -> Objects {
    let collected = Collected::default();
    let compiled = compile(&options(root), None, &collected).unwrap();
    let errors: Vec<_> = compiled
        .findings
        .iter()
        .filter(|finding| finding.is_error())
        .collect();
    assert!(errors.is_empty(), "{errors:#?}");
    collected.0.into_inner().unwrap()
}

fn get<'a>(
    objects: &'a Objects,
    environment: &str,
    tenant: &str,
    kind: &str,
    name: &str,
) -> &'a Json {
    let key = (
        environment.to_owned(),
        tenant.to_owned(),
        kind.to_owned(),
        name.to_owned(),
    );
    objects.get(&key).unwrap_or_else(|| panic!("no {key:?}"))
}

fn run(root: &Path, arguments: &[&str]) -> Output {
    Command::new(env!("CARGO_BIN_EXE_tenantry"))
        .args(arguments)
        .current_dir(root)
        .env("TENANTRY_AS_OF", "2026-06-01")
        .output()
        .unwrap()
}

fn said(root: &Path, arguments: &[&str]) -> String {
    let output = run(root, arguments);
    let text = String::from_utf8(output.stdout).unwrap();
    assert!(
        output.status.success(),
        "{arguments:?}: {text}{}",
        String::from_utf8_lossy(&output.stderr)
    );
    text
}

fn acme() -> std::path::PathBuf {
    repository_path("examples/acme")
}

/// The base of the UI cases, with more files.
fn small(files: &[(&str, &str)]) -> tempfile::TempDir {
    let folder = tempfile::tempdir().unwrap();
    copy_folder(&repository_path("tests/ui/base"), folder.path(), false);
    for (path, text) in files {
        let path = folder.path().join(path);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, text).unwrap();
    }
    folder
}

fn inner(map: &Json, key: &str) -> Json {
    serde_json::from_str(map["data"][key].as_str().unwrap()).unwrap()
}

#[test]
fn isolation_levels_differ() {
    let objects = rendered(&acme());
    let has = |tenant: &str, kind: &str| {
        objects.keys().any(|(environment, owner, known, _)| {
            environment == "production" && owner == tenant && known == kind
        })
    };
    // Shared: no namespace of its own, and a quota that counts by priority class.
    assert!(!has("marketing", "Namespace") && has("finance", "Namespace"));
    let quota = get(
        &objects,
        "production",
        "marketing",
        "ResourceQuota",
        "data-processing-marketing",
    );
    let class = &quota["spec"]["scopeSelector"]["matchExpressions"][0]["values"][0];
    get(
        &objects,
        "production",
        "marketing",
        "PriorityClass",
        class.as_str().unwrap(),
    );
    let deployment = get(
        &objects,
        "production",
        "marketing",
        "Deployment",
        "data-processing-marketing-dashboard",
    );
    assert_eq!(
        deployment["spec"]["template"]["spec"]["priorityClassName"],
        *class
    );
    assert_eq!(
        deployment["metadata"]["namespace"],
        "data-shared-production"
    );
    // Namespace: no scope, no nodes of its own. Dedicated: its own nodes.
    let quota = get(
        &objects,
        "production",
        "finance",
        "ResourceQuota",
        "data-processing-finance",
    );
    assert_eq!(quota["spec"]["scopeSelector"], Json::Null);
    let pod = |tenant: &str, kind: &str, component: &str| {
        get(
            &objects,
            "production",
            tenant,
            kind,
            &format!("data-processing-{tenant}-{component}"),
        )["spec"]["template"]["spec"]
            .clone()
    };
    assert_eq!(
        pod("finance", "Rollout", "query-api")["nodeSelector"],
        Json::Null
    );
    let dedicated = pod("globex", "Rollout", "query-api");
    assert_eq!(
        dedicated["nodeSelector"],
        json!({"acme.example/pool": "globex"})
    );
    assert_eq!(dedicated["tolerations"][0]["value"], "globex");
    // Physical: nobody else on its cluster.
    let compiled = compile(&options(&acme()), None, &crate::support::Nothing).unwrap();
    let on = |cluster: &str| -> Vec<&str> {
        let units = compiled
            .footprints
            .iter()
            .filter(|unit| unit.key.cluster == cluster);
        units.map(|unit| unit.key.tenant_name()).collect()
    };
    assert_eq!(on("eu-prod-2"), ["meridian-bank"]);
}

#[test]
fn shares_are_on_both_sides() {
    let objects = rendered(&acme());
    let owner = get(
        &objects,
        "production",
        "finance",
        "NetworkPolicy",
        "data-processing-finance-query-api",
    );
    let lets_in = owner["spec"]["ingress"]
        .as_array()
        .unwrap()
        .iter()
        .find(|rule| {
            rule["from"][0]["podSelector"]["matchLabels"]["acme.example/tenant"] == "supply-chain"
        })
        .unwrap();
    assert_eq!(
        lets_in["ports"],
        json!([{"port": "http", "protocol": "TCP"}])
    );
    let user = get(
        &objects,
        "production",
        "supply-chain",
        "NetworkPolicy",
        "data-processing-supply-chain-allow-tenant",
    );
    let lets_out = user["spec"]["egress"]
        .as_array()
        .unwrap()
        .iter()
        .find(|rule| rule["to"][0]["namespaceSelector"] != Json::Null)
        .unwrap();
    assert_eq!(
        lets_out["to"][0]["podSelector"]["matchLabels"]["app.kubernetes.io/name"],
        "query-api"
    );
    assert_eq!(
        lets_out["ports"],
        json!([{"port": "http", "protocol": "TCP"}])
    );
    let bundle = get(
        &objects,
        "production",
        "supply-chain",
        "ConfigMap",
        "data-processing-supply-chain-authorization",
    );
    let shared = inner(bundle, "shared-with-us.json");
    assert_eq!(
        (
            &shared[0]["tenant"],
            &shared[0]["quota"]["requestsPerMinute"]
        ),
        (&json!("finance"), &json!(600))
    );
    // After its last day, neither side knows of it.
    let folder = tempfile::tempdir().unwrap();
    copy_folder(&acme(), folder.path(), false);
    let path = folder.path().join("tenants/finance.yaml");
    let text = fs::read_to_string(&path)
        .unwrap()
        .replace("expiresAt: 2031-12-31", "expiresAt: 2026-05-31");
    fs::write(path, text).unwrap();
    let objects = rendered(folder.path());
    let text: String = objects
        .iter()
        .filter(|((_, _, kind, _), _)| kind == "NetworkPolicy")
        .map(|(_, object)| object.to_string())
        .collect();
    assert!(!text.contains("\"query-api\",\"acme.example/tenant\":\"finance\""));
    let user = get(
        &objects,
        "production",
        "supply-chain",
        "NetworkPolicy",
        "data-processing-supply-chain-allow-tenant",
    );
    assert_eq!(user["spec"]["egress"].as_array().unwrap().len(), 1);
}

#[test]
fn roles_inherit_and_reach_cluster_and_applications() {
    let objects = rendered(&acme());
    let bundle = get(
        &objects,
        "development",
        "data-science",
        "ConfigMap",
        "data-processing-data-science-authorization",
    );
    let tenant = inner(bundle, "tenant.json");
    assert_eq!(
        tenant["authentication"],
        json!({"methods": ["saml", "mfa"], "maxFailedAttempts": 5, "sessionTimeout": "60m"})
    );
    assert!(
        tenant["limits"]["maxRequestsPerMinute"].as_i64().unwrap() > 0
            && tenant["limits"]["maxExecutionSeconds"].as_i64().unwrap() > 0
    );
    let roles = inner(bundle, "roles.json");
    let scientist = roles
        .as_array()
        .unwrap()
        .iter()
        .find(|role| role["name"] == "data-scientist")
        .unwrap();
    // Its own and those of the analyst, whose hours and addresses it inherits.
    assert_eq!(
        scientist["permissions"],
        json!([
            "agent:read",
            "agent:execute",
            "data:read:public",
            "data:read:internal",
            "data:read:confidential",
            "model:experiment",
            "data:sample:internal"
        ])
    );
    assert_eq!(scientist["constraints"]["maxConcurrentSessions"], 3);
    assert_eq!(
        scientist["constraints"]["ipAllowList"],
        json!(["10.0.0.0/8"])
    );
    assert_eq!(scientist["constraints"]["hours"]["from"], "08:00");
    assert_eq!(scientist["constraints"]["mfa"], true);
    // It allows nothing in the cluster, so it is no Role there; the operator is one, with what a viewer may.
    let role = |tenant: &str, name: &str| {
        objects.get(&(
            "development".to_owned(),
            tenant.to_owned(),
            "Role".to_owned(),
            name.to_owned(),
        ))
    };
    assert!(
        role(
            "data-science",
            "data-processing-data-science-data-scientist"
        )
        .is_none()
    );
    let operator = role("data-science", "data-processing-data-science-operator").unwrap();
    assert_eq!(operator["rules"].as_array().unwrap().len(), 5);
    assert_eq!(
        operator["rules"][0]["verbs"],
        json!(["get", "list", "watch"])
    );
    // A grant for several tenants, in the environments that it names.
    let bound = |environment: &str| {
        objects
            .iter()
            .filter(|((known, tenant, kind, _), _)| {
                known == environment && tenant == "finance" && kind == "RoleBinding"
            })
            .map(|(_, binding)| binding["roleRef"]["name"].as_str().unwrap().to_owned())
            .collect::<Vec<_>>()
    };
    assert!(bound("production").contains(&"data-processing-finance-platform-oncall".to_owned()));
    assert!(!bound("staging").contains(&"data-processing-finance-platform-oncall".to_owned()));
}

#[test]
fn a_role_tightens_the_rules_of_its_grants() {
    let grant = |days: u32| {
        format!(
            "apiVersion: tenantry.dev/v1\nkind: Role\nmetadata: {{name: trial}}\nspec:\n  permissions: [model:experiment]\n  policyParameters: {{grants-within-review: {{accessReviewDays: {days}}}}}\n---\napiVersion: tenantry.dev/v1\nkind: Grant\nmetadata: {{name: trial}}\nspec: {{role: trial, subjects: [{{kind: Group, name: a}}], grantedAt: 2026-05-01, expiresAt: 2026-06-15, approvedBy: b, reason: c}}\n"
        )
    };
    let told = |days: u32| {
        let folder = small(&[("access.yaml", &grant(days))]);
        let path = folder.path().join("tenantry.yaml");
        let text = fs::read_to_string(&path).unwrap().replace(
            "organization: Acme",
            "organization: Acme\n  frameworks: {soc2: {accessReviewDays: 60}}",
        );
        fs::write(path, text).unwrap();
        let output = run(folder.path(), &["check"]);
        String::from_utf8(output.stdout).unwrap()
    };
    assert!(
        told(30).contains("access is reviewed every 30 days"),
        "{}",
        told(30)
    );
    assert!(!told(50).contains("[grants-within-review]"), "{}", told(50));
    assert!(
        told(90).contains("[T0804]"),
        "weakening is told: {}",
        told(90)
    );
}

#[test]
fn prompts_take_context_in_three_ways() {
    let context = "apiVersion: tenantry.dev/v1\nkind: Context\nmetadata: {name: acme}\nspec:\n  scope: {level: global}\n  business:\n    market: {growth: 2.3, trends: [ai, cost]}\n    support: \"a: {b}\\n- c\"\n    secret: {code: 7}\n";
    let prompt = |strategy: &str, keys: &str| {
        let folder = small(&[("context.yaml", context)]);
        let path = folder.path().join("components/web.yaml");
        let mut text = fs::read_to_string(&path).unwrap();
        text.push_str(&format!("  agent: {{prompt: \"Growth: {{market.growth}}, JSON {{\\\"x\\\": 1}}.\", contextKeys: {keys}, strategy: {strategy}}}\n"));
        fs::write(path, text).unwrap();
        let objects = rendered(folder.path());
        let map = get(
            &objects,
            "production",
            "globex",
            "ConfigMap",
            "data-processing-globex-web-agent",
        )
        .clone();
        assert_eq!(inner(&map, "tenant.json")["name"], "globex");
        map["data"]["prompt"].as_str().unwrap().to_owned()
    };
    let raw = "Growth: {market.growth}, JSON {\"x\": 1}.";
    let section = "--- Context of globex ---\nmarket:\n- growth: 2.3\n- trends: [\"ai\",\"cost\"]\nsupport: a: {b}\n- c\n";
    assert_eq!(
        prompt("append", "[market, support]"),
        format!("{raw}\n\n{section}")
    );
    assert_eq!(
        prompt("inject", "[market, support]"),
        format!("{section}\n{raw}\n")
    );
    assert_eq!(
        prompt("template", "[market]"),
        "Growth: 2.3, JSON {\"x\": 1}."
    );
    assert!(
        prompt("append", "[]").contains("secret:\n- code: 7"),
        "all facts, where none is named"
    );
}

#[test]
fn costs_follow_the_billing_model() {
    // 2 pods of half a processor and 1Gi at the least, 4 at the most; a job of an hour each day.
    let platform =
        "  pricing: {currency: EUR, cpuHour: 0.1, memoryGibHour: 0.01, rates: {USD: 2}}\n";
    let component = "apiVersion: tenantry.dev/v1\nkind: Component\nmetadata: {name: nightly}\nspec:\n  version: 1.0.0\n  owner: a\n  capabilities: [a]\n  dataFormats: [json]\n  workload: {type: scheduled, image: registry.acme.example/a, tag: 1.0.0, resources: {cpu: 1, memory: 1Gi}, schedule: {cron: \"0 2 * * *\"}, deadline: 1h}\n";
    let costs = |billing: &str| -> Json {
        let tenant = format!(
            "apiVersion: tenantry.dev/v1\nkind: Tenant\nmetadata: {{name: globex}}\nspec:\n  owner: a\n  tier: professional\n  environments: {{production: }}\n  limits: {{cpu: 10, memory: 20Gi, storage: 10Gi}}\n  components:\n    - {{component: web, values: {{resources: {{cpu: 500m, memory: 1Gi}}, scaling: {{minReplicas: 2, maxReplicas: 4}}}}}}\n    - component: nightly\n  billing: {{costCenter: c, {billing}}}\n"
        );
        let folder = small(&[
            ("components/nightly.yaml", component),
            ("tenants/globex.yaml", &tenant),
        ]);
        let path = folder.path().join("tenantry.yaml");
        let text = fs::read_to_string(&path).unwrap().replace(
            "  organization: Acme\n",
            &format!("  organization: Acme\n{platform}"),
        );
        fs::write(path, text).unwrap();
        serde_json::from_str(&said(folder.path(), &["report", "cost", "-o", "json"])).unwrap()
    };
    let near = |value: &Json, wanted: f64| {
        assert!(
            (value.as_f64().unwrap() - wanted).abs() < 0.01,
            "{value} is not {wanted}"
        );
    };
    let hours = 730.5;
    let least = 2.0 * (0.5 * 0.1 + 0.01) * hours;
    // Twice as many pods, and the job: an hour on 365 days of a year.
    let most = 2.0 * least + 365.0 / 12.0 * (0.1 + 0.01);
    let requested = costs("monthlyBudget: 100");
    let tenant = &requested["tenants"][0];
    near(&tenant["least"], least);
    near(&tenant["most"], most);
    near(&tenant["charged"]["least"], least);
    near(&tenant["budget"], 100.0);
    let parts: f64 = tenant["components"]
        .as_array()
        .unwrap()
        .iter()
        .map(|part| part["most"].as_f64().unwrap())
        .sum();
    assert!((parts - most).abs() < 0.02, "{parts}");
    let reserved = costs("model: reserved, monthlyBudget: 100, currency: USD");
    near(
        &reserved["tenants"][0]["charged"]["most"],
        (10.0 * 0.1 + 20.0 * 0.01) * hours,
    );
    near(&reserved["tenants"][0]["budget"], 50.0);
    let flat = costs("model: flat, monthlyFee: 70");
    near(&flat["tenants"][0]["charged"]["least"], 70.0);
    let text = said(&acme(), &["report", "cost", "-o", "csv"]);
    assert!(text.starts_with(
        "tenant,cost_center,model,environment,cluster,component,least,most,currency\r\n"
    ));
    assert!(text.lines().count() > 100);
}

#[test]
fn quotas_and_capacity_are_told_apart() {
    let figures: Json =
        serde_json::from_str(&said(&acme(), &["report", "capacity", "-o", "json"])).unwrap();
    let cluster = |name: &str| {
        figures["clusters"]
            .as_array()
            .unwrap()
            .iter()
            .find(|row| row["cluster"] == name && row["resource"] == "cpu")
            .unwrap()
            .clone()
    };
    // eu-lab-1 has 400 processors, and its tenants are promised more than that.
    assert_eq!(cluster("eu-lab-1")["limit"], 400.0);
    assert!(cluster("eu-lab-1")["quotas"].as_f64().unwrap() > 400.0);
    assert!(
        cluster("eu-lab-1")["advice"]
            .as_str()
            .unwrap()
            .contains("what may run fits")
    );
    // What tenants may use at the most makes what the cluster may have to hold.
    let rows = figures["tenants"].as_array().unwrap();
    let sum: f64 = rows
        .iter()
        .filter(|row| row["cluster"] == "eu-prod-1" && row["resource"] == "cpu")
        .map(|row| row["most"].as_f64().unwrap())
        .sum();
    assert!((sum - cluster("eu-prod-1")["most"].as_f64().unwrap()).abs() < 1e-6);
    let advised = rows.iter().filter(|row| {
        row["tenant"] == "globex" && row["advice"].as_str().unwrap().contains("would do")
    });
    assert_eq!(
        advised.count(),
        3,
        "once for each resource, where most of it is used"
    );
}

#[test]
fn a_tenant_comes_and_goes() {
    let folder = tempfile::tempdir().unwrap();
    let root = folder.path();
    copy_folder(&acme(), root, false);
    let output = run(
        root,
        &[
            "tenant",
            "new",
            "stark",
            "--owner",
            "team-x: \"y\"",
            "--tier",
            "professional",
            "-e",
            "staging,production",
            "-c",
            "dashboard",
            "--residency",
            "eu",
            "--cost-center",
            "007",
            "--budget",
            "900",
            "--incidents",
            "a@b.example",
        ],
    );
    assert!(
        output.status.success(),
        "{}{}",
        String::from_utf8_lossy(&output.stdout),
        String::from_utf8_lossy(&output.stderr)
    );
    let objects = rendered(root);
    let of = |kind: &str| {
        objects
            .keys()
            .filter(|(environment, tenant, known, _)| {
                environment == "production" && tenant == "stark" && known == kind
            })
            .count()
    };
    assert_eq!(
        (of("Namespace"), of("Deployment")),
        (1, 0),
        "onboarding: a place, and nothing that runs"
    );
    let again = run(root, &["tenant", "new", "stark", "--owner", "a"]);
    assert_eq!(again.status.code(), Some(1));
    assert!(
        !run(root, &["tenant", "new", "../evil", "--owner", "a"])
            .status
            .success()
            && !root.join("../evil.yaml").exists()
    );

    let before = fs::read_to_string(root.join("tenants/globex.yaml")).unwrap();
    let plan = said(
        root,
        &[
            "tenant",
            "offboard",
            "globex",
            "--on",
            "2026-06-01",
            "--dry-run",
        ],
    );
    assert_eq!(
        fs::read_to_string(root.join("tenants/globex.yaml")).unwrap(),
        before
    );
    for text in [
        "2026-06-01",
        "a last backup",
        "2026-07-01  what it wrote to clean-events goes (30 days, personal data)",
        "2026-08-30  the last day",
    ] {
        assert!(plan.contains(text), "{text}: {plan}");
    }
    let early = run(
        root,
        &[
            "tenant",
            "offboard",
            "globex",
            "--on",
            "2026-06-01",
            "--retain-until",
            "2026-07-15",
        ],
    );
    assert!(String::from_utf8_lossy(&early.stderr).contains("as long as `anomalies`"));
    let future = run(
        root,
        &["tenant", "offboard", "globex", "--on", "2027-01-01"],
    );
    assert!(String::from_utf8_lossy(&future.stderr).contains("run it on that day"));
    said(
        root,
        &["tenant", "offboard", "globex", "--on", "2026-06-01"],
    );
    let after = fs::read_to_string(root.join("tenants/globex.yaml")).unwrap();
    assert!(after.contains("  status: offboarding\n  offboarding: {requestedAt: 2026-06-01, retainDataUntil: 2026-08-30}\n"));
    assert_eq!(after.replace("  status: offboarding\n  offboarding: {requestedAt: 2026-06-01, retainDataUntil: 2026-08-30}\n", ""), before, "nothing else changed");
    let objects = rendered(root);
    let of = |kind: &str| {
        objects
            .keys()
            .filter(|(environment, tenant, known, _)| {
                environment == "production" && tenant == "globex" && known == kind
            })
            .count()
    };
    assert_eq!(
        (
            of("Namespace"),
            of("Backup"),
            of("Rollout"),
            of("Deployment"),
            of("RoleBinding")
        ),
        (1, 1, 0, 0, 0)
    );
    let backup = get(
        &objects,
        "production",
        "globex",
        "Backup",
        "data-tenant-globex-production-last",
    );
    assert_eq!(backup["spec"]["ttl"], "2160h0m0s", "90 days");
    let twice = run(root, &["tenant", "offboard", "globex"]);
    assert!(String::from_utf8_lossy(&twice.stderr).contains("leaves already"));
    // A suspended tenant is scaled to zero, and keeps everything else.
    let umbrella: Vec<&Json> = objects
        .iter()
        .filter(|((_, tenant, kind, _), _)| {
            tenant == "umbrella" && (kind == "Deployment" || kind == "Rollout")
        })
        .map(|(_, object)| object)
        .collect();
    assert!(
        !umbrella.is_empty()
            && umbrella
                .iter()
                .all(|object| object["spec"]["replicas"] == 0)
    );
}

#[test]
fn lineage_is_told_in_every_format() {
    let graph = |arguments: &[&str]| said(&acme(), &[&["graph"], arguments].concat());
    let upstream = graph(&["--around", "models", "--direction", "upstream"]);
    let order = [
        "Component/model-training",
        "Dataset/features",
        "Component/feature-build",
        "Dataset/warehouse-tables",
        "Component/etl-daily",
        "Dataset/raw-tables",
        "Component/incremental-sync",
        "Dataset/source-tables",
    ];
    let places: Vec<usize> = order
        .iter()
        .map(|name| {
            upstream
                .find(name)
                .unwrap_or_else(|| panic!("{name}: {upstream}"))
        })
        .collect();
    assert!(places.is_sorted(), "{upstream}");
    let json: Json = serde_json::from_str(&graph(&[
        "--around",
        "Dataset/source-tables",
        "--direction",
        "downstream",
        "-o",
        "json",
    ]))
    .unwrap();
    let ids: Vec<&str> = json["nodes"]
        .as_array()
        .unwrap()
        .iter()
        .map(|node| node["id"].as_str().unwrap())
        .collect();
    assert!(
        ids.contains(&"Dataset/weekly-aggregates")
            && ids.contains(&"Tenant/supply-chain")
            && !ids.contains(&"Dataset/raw-events")
    );
    let reads = json["edges"]
        .as_array()
        .unwrap()
        .iter()
        .find(|edge| edge["from"] == "Dataset/source-tables")
        .unwrap();
    assert_eq!(
        (&reads["kind"], &reads["classification"]),
        (&json!("is read by"), &json!("confidential"))
    );
    assert!(
        graph(&["-o", "dot"])
            .contains("Dataset_raw_tables -> Component_etl_daily [label=\"confidential\"];")
    );
    assert!(
        graph(&["-o", "mermaid"])
            .contains("  Component_etl_daily -->|internal| Dataset_warehouse_tables\n")
    );
    let confidential = graph(&["--min-class", "confidential"]);
    assert!(confidential.contains("raw-events") && !confidential.contains("exchange-rates"));
    let events: Vec<Json> = graph(&["-o", "openlineage"])
        .lines()
        .map(|line| serde_json::from_str(line).unwrap())
        .collect();
    for event in &events {
        assert_eq!(event["eventTime"], "2026-06-01T00:00:00Z");
        assert!(
            event["schemaURL"]
                .as_str()
                .unwrap()
                .starts_with("https://openlineage.io/spec/2-0-2/")
        );
    }
    let job = events
        .iter()
        .find(|event| {
            event["job"]["namespace"] == "acme/data-platform" && event["job"]["name"] == "etl-daily"
        })
        .unwrap();
    assert_eq!(
        (&job["inputs"][0]["name"], &job["outputs"][0]["name"]),
        (&json!("raw-tables"), &json!("warehouse-tables"))
    );
    let dataset = events
        .iter()
        .find(|event| event["dataset"]["name"] == "warehouse-tables")
        .unwrap();
    assert_eq!(
        dataset["dataset"]["facets"]["schema"]["fields"][0],
        json!({"name": "amount", "type": "decimal(12,2)"})
    );
    // The component finds the same in its own contract, and runs under the same name.
    let objects = rendered(&acme());
    let contract = get(
        &objects,
        "production",
        "data-platform",
        "ConfigMap",
        "data-processing-data-platform-etl-daily-data",
    );
    let input = inner(contract, "input.raw-tables.json");
    assert_eq!(
        (
            &input["classification"],
            &input["encryption"]["keyRotationHours"]
        ),
        (&json!("confidential"), &json!(24))
    );
    assert_eq!(
        inner(contract, "output.warehouse-tables.json")["contract"]["quality"][0]["name"],
        "unit-known"
    );
    let job = get(
        &objects,
        "development",
        "data-platform",
        "CronJob",
        "data-processing-data-platform-etl-daily",
    );
    let container = &job["spec"]["jobTemplate"]["spec"]["template"]["spec"]["containers"][0];
    assert!(
        container["env"]
            .as_array()
            .unwrap()
            .contains(&json!({"name": "OPENLINEAGE_NAMESPACE", "value": "acme/data-platform"}))
    );
    assert!(
        container["volumeMounts"]
            .as_array()
            .unwrap()
            .iter()
            .any(|mount| mount["mountPath"] == "/etc/data-contracts")
    );
}

#[test]
fn what_ends_is_told() {
    let figures: Json =
        serde_json::from_str(&said(&acme(), &["report", "lifecycle", "-o", "json"])).unwrap();
    let component = &figures["components"][0];
    assert_eq!(
        (
            &component["component"],
            &component["until"],
            &component["left"]
        ),
        (
            &json!("csv-import"),
            &json!("2027-03-31"),
            &json!("in 303 days")
        )
    );
    assert_eq!(component["users"], json!({"people-ops": ["production"]}));
    let statuses: Vec<&str> = figures["tenants"]
        .as_array()
        .unwrap()
        .iter()
        .map(|tenant| tenant["status"].as_str().unwrap())
        .collect();
    assert_eq!(statuses, ["offboarding", "suspended", "onboarding"]);
    let days: Vec<i64> = figures["endings"]
        .as_array()
        .unwrap()
        .iter()
        .map(|one| one["days"].as_i64().unwrap())
        .collect();
    assert!(
        days.is_sorted() && days.len() > 10 && days[0] == 28,
        "{days:?}"
    );
}

#[test]
fn owners_become_code_owners() {
    let text = said(&acme(), &["report", "codeowners"]);
    let line = |start: &str| {
        text.lines()
            .find(|line| line.starts_with(start))
            .unwrap_or_else(|| panic!("{start}: {text}"))
    };
    assert_eq!(
        line("/examples/acme/ "),
        "/examples/acme/ @acme/data-platform-leads @acme/security-office"
    );
    assert_eq!(
        line("/examples/acme/tenants/globex.yaml"),
        "/examples/acme/tenants/globex.yaml @acme/team-retail-accounts"
    );
    assert_eq!(
        line("/examples/acme/contexts/finance.yaml"),
        "/examples/acme/contexts/finance.yaml @acme/finance-controlling"
    );
    assert_eq!(
        line("/examples/acme/datasets/warehouse.yaml"),
        "/examples/acme/datasets/warehouse.yaml @acme/team-warehouse data-protection@acme.example"
    );
    assert_eq!(
        line("/rendered/production/"),
        "/rendered/production/ @acme/data-platform-leads"
    );
    let first = text.lines().nth(1).unwrap();
    assert!(
        first.starts_with("/examples/acme/ "),
        "the widest comes first, because later lines win"
    );
}
