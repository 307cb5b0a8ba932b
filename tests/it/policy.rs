//! Policies: the built-in rules by their own cases and by mutation, hostile rules, what is emitted for
//! clusters, and evidence.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;
use std::process::Command;
use std::sync::Mutex;
use std::time::{Duration, Instant};

use tenantry::diagnostics::{Sink, Sources};
use tenantry::engine::manifest::Rendered;
use tenantry::load;
use tenantry::model::catalog::Document;
use tenantry::model::instance::Unit;
use tenantry::model::kinds::policy::Operation;
use tenantry::model::kinds::{Catalog, Policy};
use tenantry::policy::cases;
use tenantry::policy::manifests::{self, JudgedManifest};
use tenantry::policy::rules::{Rule, pack_of};
use tenantry::policy::{admission, with_large_stack};
use tenantry::report::compliance::ledger;
use tenantry::report::tally;
use tenantry::yaml::Node;
use tenantry::{CompileOptions, Visitor, compile, validate};

use crate::support::{copy_folder, options, repository_path};

fn built_in() -> (Catalog, Sources) {
    let mut sources = Sources::default();
    let mut sink = Sink::default();
    let catalog = load::built_in_catalog(&mut sources, |trees, specs, sources| {
        validate::run(trees, specs, sources, &mut sink).catalog
    });
    let findings = sink.finish(&sources);
    assert!(findings.is_empty(), "{findings:#?}");
    (catalog, sources)
}

fn compiled(policies: &[Document<Policy>], sources: &Sources) -> Vec<Rule> {
    let mut sink = Sink::default();
    let rules = cases::compile(policies, &[], sources, &mut sink);
    let findings = sink.finish(sources);
    assert!(findings.is_empty(), "{findings:#?}");
    rules
}

#[test]
fn built_in_rules_are_complete_and_their_cases_hold() {
    let (catalog, sources) = built_in();
    let documents: Vec<Document<Policy>> = catalog.policies.iter().cloned().collect();
    assert!(documents.len() >= 60, "{}", documents.len());
    let mut packs: BTreeMap<&str, usize> = BTreeMap::new();
    for document in &documents {
        let path = sources.path(document.tree.id.file);
        *packs.entry(pack_of(path)).or_default() += 1;
        assert!(
            path.ends_with(&format!("/{}.yaml", document.name)),
            "{path}: one rule, one file of its name"
        );
        let spec = &document.spec;
        let tests = &spec.tests;
        assert!(
            tests.pass.len() >= 2 && tests.fail.len() >= 2,
            "{path}: two passing and two failing cases"
        );
        let has = |text: &Option<String>| text.as_ref().is_some_and(|text| text.trim().len() > 20);
        assert!(
            has(&spec.rationale) && has(&spec.remediation),
            "{path}: rationale and remediation"
        );
        assert!(!spec.controls.is_empty(), "{path}: controls");
        for (framework, controls) in &spec.controls {
            let known = catalog
                .frameworks
                .get(framework)
                .unwrap_or_else(|| panic!("{path}: {framework}"));
            for id in controls.keys() {
                let found = known.spec.controls.iter().any(|control| control.id == *id);
                assert!(found, "{path}: {framework} has no control {id}");
            }
        }
    }
    let names: Vec<&str> = packs.keys().copied().collect();
    assert_eq!(
        names,
        [
            "baseline", "gdpr", "hipaa", "iso27001", "pci-dss", "soc2", "sox"
        ]
    );
    let rules = compiled(&documents, &sources);
    assert_eq!(rules.len(), documents.len());
    let mut sink = Sink::default();
    let held: usize = rules
        .iter()
        .map(|rule| cases::run(rule, &sources, &mut sink).held)
        .sum();
    let findings = sink.finish(&sources);
    assert!(findings.is_empty(), "{findings:#?}");
    assert!(held > 400, "{held}");
}

/// Whoever takes an expression out of a rule sees one of its own cases fail.
#[test]
fn removing_an_expression_makes_the_rules_own_cases_fail() {
    let (catalog, sources) = built_in();
    let mut mutants = Vec::new();
    for document in &catalog.policies {
        for at in 0..document.spec.validations.len() {
            let mut mutant = document.clone();
            "true".clone_into(&mut mutant.spec.validations[at].expression);
            mutants.push(mutant);
        }
    }
    let rules = compiled(&mutants, &sources);
    assert_eq!(rules.len(), mutants.len());
    let survivors: Vec<&str> = rules
        .iter()
        .filter(|rule| cases::run(rule, &sources, &mut Sink::default()).failed == 0)
        .map(|rule| rule.name.as_str())
        .collect();
    assert!(
        survivors.is_empty(),
        "nobody notices when these lose an expression: {survivors:?}"
    );
}

/// A file that holds one policy with this expression.
fn policy_with(expression: &str) -> String {
    let quoted = serde_json::to_string(expression).unwrap();
    format!(
        "apiVersion: tenantry.dev/v1\nkind: Policy\nmetadata: {{name: hostile}}\nspec:\n  title: Hostile\n  matchConstraints:\n    resourceRules: [{{apiGroups: ['*'], apiVersions: ['*'], operations: ['*'], resources: ['*']}}]\n  validations:\n    - expression: {quoted}\n"
    )
}

#[test]
fn hostile_rules_end_in_a_finding_within_a_second() {
    let nested = |depth: usize| {
        let open: String = (0..depth).map(|at| format!("l.all(v{at}, ")).collect();
        format!(
            "[[1,2,3,4,5,6,7,8,9,10]].all(l, {open}v0 + 1 > 0{})",
            ")".repeat(depth + 1)
        )
    };
    let hostile = [
        ("a sum of 8,000 terms", vec!["1"; 8000].join("+") + " > 0"),
        ("a conjunction of 5,000 terms", vec!["true"; 5000].join(" && ")),
        ("nested comprehensions", nested(9)),
        ("100,000 parentheses", format!("{}1{} == 1", "(".repeat(100_000), ")".repeat(100_000))),
        ("parentheses that nobody closes", "(".repeat(100_000)),
        ("a huge regex", format!("'a'.matches('{}')", "(a{1000}){1000}")),
        ("a long regex", format!("'a'.matches('{}')", "a|".repeat(7000))),
        ("a deep literal", format!("{}{} == []", "[".repeat(5000), "]".repeat(5000))),
        ("a deep map", format!("{}1{} == {{}}", "{'a':".repeat(3000), "}".repeat(3000))),
        ("unary minus", format!("{}1 == 1", "-".repeat(15_000))),
        ("not", format!("{}true", "!".repeat(15_000))),
        ("conditionals", format!("{}true", "true ? true : ".repeat(1000))),
        ("selections", format!("object{} == 1", ".a".repeat(7000))),
        ("indices", format!("object{} == 1", "[0]".repeat(5000))),
        ("doubling text", "['a'].map(a, [a+a].map(b, [b+b+b+b].map(c, lists.range(900000).map(i, c+c))))[0].size() > 0".to_owned()),
        ("a range of many", "lists.range(9000000000).size() > 0".to_owned()),
        ("a product of ranges", "lists.range(9000).map(a, lists.range(9000)).size() > 0".to_owned()),
        ("text that grows in a loop", "lists.range(5000).map(a, 'x'.replace('', 'xxxxxxxxxxxxxxxxxxxx').replace('x', 'yyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyy')).size() < 0".to_owned()),
        ("nothing", String::new()),
        ("control characters", "\u{0}\u{1}\u{7f}\u{202e}".to_owned()),
        ("a macro without its parts", "[1].map() && cel.bind() && [1].all(1, 2)".to_owned()),
        ("a message", "google.protobuf.Struct{fields: {}} == 1".to_owned()),
    ];
    let folder = tempfile::tempdir().unwrap();
    let manifest = folder.path().join("manifest.yaml");
    std::fs::write(
        &manifest,
        "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: a, namespace: b}\ndata: {k: v}\n",
    )
    .unwrap();
    for (what, expression) in hostile {
        let policy = folder.path().join("policy.yaml");
        std::fs::write(&policy, policy_with(&expression)).unwrap();
        let begun = Instant::now();
        let output = Command::new(env!("CARGO_BIN_EXE_tenantry"))
            .args(["policy", "eval", "-p"])
            .arg(&policy)
            .arg("-f")
            .arg(&manifest)
            .output()
            .unwrap();
        let taken = begun.elapsed();
        let code = output.status.code();
        // A second, ten times as long without optimisation.
        assert!(taken < Duration::from_secs(10), "{what}: {taken:?}");
        assert!(
            matches!(code, Some(0 | 1 | 3)),
            "{what}: {code:?} {}",
            String::from_utf8_lossy(&output.stderr)
        );
        assert!(!output.stdout.is_empty(), "{what} says nothing");
        if ![
            "a conjunction of 5,000 terms",
            "a long regex",
            "conditionals",
            "unary minus",
            "not",
        ]
        .contains(&what)
        {
            let text = String::from_utf8_lossy(&output.stdout);
            assert!(code != Some(0), "{what} passes: {text}");
        }
    }
}

/// A tenant and one of its objects.
type TenantObject = (String, Node);

/// The manifests of each environment and cluster, by the unit's tenant.
#[derive(Default)]
struct Collector {
    objects: Mutex<BTreeMap<(String, String), Vec<TenantObject>>>,
}

impl Visitor for Collector {
    fn unit(&self, unit: &Unit, rendered: &[Rendered], _: &Sources) -> std::io::Result<()> {
        let key = (unit.key.environment.clone(), unit.key.cluster.clone());
        let mut objects = self.objects.lock().unwrap();
        let list = objects.entry(key).or_default();
        for one in rendered {
            list.push((
                unit.key.tenant_name().to_owned(),
                Node::from_json(&one.manifest.root().to_json()),
            ));
        }
        Ok(())
    }
}

fn replace(root: &Path, file: &str, from: &str, to: &str) {
    let path = root.join(file);
    let text = std::fs::read_to_string(&path).unwrap();
    assert!(text.contains(from), "{file} has no {from}");
    std::fs::write(path, text.replacen(from, to, 1)).unwrap();
}

/// What clusters are given says the same as the policies that it was made from.
#[test]
fn emitted_policies_give_the_verdicts_of_their_sources() {
    let folder = tempfile::tempdir().unwrap();
    let root = folder.path().join("acme");
    copy_folder(&repository_path("examples/acme"), &root, false);
    // Some things that are not right, so that there is something to agree on.
    replace(
        &root,
        "components/query-api.yaml",
        "tag: 1.4.2",
        "tag: latest",
    );
    replace(
        &root,
        "components/dashboard.yaml",
        "image: registry.acme.example/",
        "image: docker.io/",
    );
    replace(
        &root,
        "components/ingest-gateway.yaml",
        "  workload:\n",
        "  workload:\n    terminationGracePeriod: 3h\n",
    );
    let collector = Collector::default();
    let compilation = compile(&options(&root), None, &collector).unwrap();
    assert!(compilation.is_denied() && !compilation.has_errors());
    let evidence = &compilation.evidence;
    let enforceable: BTreeSet<&str> = evidence
        .policies
        .iter()
        .filter(|policy| policy.compile_time_only.is_none())
        .map(|policy| policy.name.as_str())
        .collect();
    let mut expected: BTreeSet<String> = BTreeSet::new();
    for record in evidence
        .records
        .iter()
        .filter(|record| enforceable.contains(record.policy.as_str()))
        // Clusters enforce in the namespaces of tenants; what the platform runs beside them is judged here only.
        .filter(|record| !record.subject.tenant.is_empty())
    {
        let subject = &record.subject;
        expected.insert(format!(
            "{} {} {} {} {}",
            subject.environment, subject.cluster, subject.tenant, subject.object, record.policy
        ));
    }
    let mut found: BTreeSet<String> = BTreeSet::new();
    let mut emitted = 0;
    let sources = Sources::default();
    for ((environment, cluster), objects) in collector.objects.into_inner().unwrap() {
        let documents: Vec<Node> = objects.iter().map(|(_, tree)| tree.clone()).collect();
        let mut sink = Sink::default();
        let rules =
            with_large_stack(|| admission::compile(&documents, false, &[], &sources, &mut sink));
        let findings = sink.finish(&sources);
        assert!(findings.is_empty(), "{findings:#?}");
        emitted += rules.len();
        let text = |tree: &Node, keys: &[&str]| {
            tree.at(keys)
                .and_then(Node::as_str)
                .unwrap_or_default()
                .to_owned()
        };
        for (tenant, tree) in &objects {
            let namespace = text(tree, &["metadata", "namespace"]);
            let namespace = documents.iter().find(|other| {
                text(other, &["kind"]) == "Namespace"
                    && text(other, &["metadata", "name"]) == namespace
            });
            for rule in &rules {
                let manifest = JudgedManifest {
                    object: tree,
                    old: None,
                    namespace,
                    operation: Operation::Create,
                };
                let answer = manifests::evaluate(
                    rule,
                    &manifest,
                    &cases::no_parameters(),
                    &sources,
                    &mut Sink::default(),
                );
                if answer.result == "fail" {
                    // `production-pinned-images`, or `production-pinned-images-1f2e3d4c` for some tenants.
                    let label = rule.tree.at(&["metadata", "labels", "acme.example/policy"]);
                    let name = label
                        .and_then(Node::as_str)
                        .unwrap_or(&rule.name)
                        .to_owned();
                    found.insert(format!(
                        "{environment} {cluster} {tenant} {} {name}",
                        answer.object
                    ));
                }
            }
        }
    }
    assert!(emitted > 100, "{emitted} policies for all clusters");
    assert!(expected.len() > 10, "{expected:#?}");
    let missing: Vec<&String> = expected.difference(&found).collect();
    let extra: Vec<&String> = found.difference(&expected).collect();
    assert!(
        missing.is_empty() && extra.is_empty(),
        "only here: {missing:#?}\nonly in clusters: {extra:#?}"
    );
}

fn report(root: &Path, arguments: &[&str]) -> std::process::Output {
    Command::new(env!("CARGO_BIN_EXE_tenantry"))
        .current_dir(root)
        .args(["report"])
        .args(arguments)
        .output()
        .unwrap()
}

#[test]
fn evidence_is_valid_in_every_format_and_no_byte_of_the_ledger_can_change() {
    let folder = tempfile::tempdir().unwrap();
    let root = folder.path();
    copy_folder(&repository_path("examples/acme"), &root.join("acme"), false);
    let arguments = [
        "compliance",
        "acme",
        "--as-of",
        "2026-06-01",
        "--out",
        "acme/rendered",
        "--ledger",
        "ledger.jsonl",
        "-o",
        "json=r.json,html=r.html,oscal=r.oscal,openreports=r.yaml,sarif=r.sarif,junit=r.xml,text=r.txt",
    ];
    for _ in 0..2 {
        let output = report(root, &arguments);
        assert!(
            output.status.success(),
            "{}",
            String::from_utf8_lossy(&output.stderr)
        );
    }
    let read = |name: &str| std::fs::read_to_string(root.join(name)).unwrap();
    let statement: serde_json::Value = serde_json::from_str(&read("r.json")).unwrap();
    assert_eq!(statement["_type"], "https://in-toto.io/Statement/v1");
    assert!(
        statement["predicate"]["frameworks"]
            .as_array()
            .unwrap()
            .len()
            >= 4
    );
    let oscal: serde_json::Value = serde_json::from_str(&read("r.oscal")).unwrap();
    let schema = repository_path("target/oscal/schema.json");
    match std::fs::read_to_string(&schema) {
        Ok(schema) => {
            let schema: serde_json::Value = serde_json::from_str(&schema).unwrap();
            let validator = jsonschema::validator_for(&schema).unwrap();
            let errors: Vec<String> = validator
                .iter_errors(&oscal)
                .take(5)
                .map(|error| format!("{}: {error}", error.instance_path()))
                .collect();
            assert!(errors.is_empty(), "{errors:#?}");
        }
        Err(_) => eprintln!(
            "not judged by NIST's schema: {} is not there",
            schema.display()
        ),
    }
    judged_by_trestle(&root.join("r.oscal"));
    for document in serde_yaml::Deserializer::from_str(&read("r.yaml")) {
        let value: serde_yaml::Value = serde::Deserialize::deserialize(document).unwrap();
        assert_eq!(value["kind"], "ClusterReport");
        let results = value["results"].as_sequence().unwrap();
        let failed = results
            .iter()
            .filter(|result| result["result"] == "fail")
            .count();
        assert_eq!(value["summary"]["fail"], failed);
    }
    assert!(read("r.html").contains("<h1>Compliance of acme</h1>"));
    assert!(read("r.xml").starts_with("<?xml"));

    let ledger_text = read("ledger.jsonl");
    assert_eq!(ledger_text.lines().count(), 2);
    assert!(ledger::verify(&ledger_text).is_ok());
    let verified = report(root, &["verify", "ledger.jsonl", "--out", "acme/rendered"]);
    assert!(
        verified.status.success(),
        "{}",
        String::from_utf8_lossy(&verified.stdout)
    );
    for at in 0..ledger_text.len() {
        let mut bytes = ledger_text.clone().into_bytes();
        bytes[at] ^= 1;
        let Ok(altered) = String::from_utf8(bytes) else {
            continue;
        };
        assert!(
            ledger::verify(&altered).is_err(),
            "nobody notices byte {at}: {altered}"
        );
    }
    let first = ledger_text.lines().next().unwrap();
    assert!(
        ledger::verify(&ledger_text[first.len() + 1..]).is_err(),
        "the first entry can be left out"
    );

    let some = root.join("acme/rendered/production/eu-prod-1/globex/tenant.yaml");
    let original = std::fs::read_to_string(&some).unwrap();
    std::fs::write(&some, original.replacen("globex", "gl0bex", 1)).unwrap();
    let output = report(root, &["verify", "ledger.jsonl", "--out", "acme/rendered"]);
    assert_eq!(output.status.code(), Some(1));
    let text = String::from_utf8_lossy(&output.stdout);
    assert!(
        text.contains("production/eu-prod-1/globex/tenant.yaml was altered"),
        "{text}"
    );
}

/// An implementation of OSCAL that refuses unknown fields: `compliance-trestle` of PyPI.
fn judged_by_trestle(path: &Path) {
    let python = repository_path("target/oscal/venv/bin/python");
    if !python.is_file() {
        eprintln!(
            "not judged by compliance-trestle: {} is not there (`.ci/run` makes it where PyPI can be reached)",
            python.display()
        );
        return;
    }
    let script = "import json, sys; from trestle.oscal.assessment_results import AssessmentResults; AssessmentResults(**json.load(open(sys.argv[1]))['assessment-results'])";
    let output = Command::new(python)
        .args(["-c", script])
        .arg(path)
        .output()
        .unwrap();
    assert!(
        output.status.success(),
        "{}",
        String::from_utf8_lossy(&output.stderr)
    );
}

/// Expressions see objects as the API server does: with what it fills in.
#[test]
fn objects_are_judged_with_what_the_api_server_fills_in() {
    let cases = [
        (
            "{kind: Deployment, apiVersion: apps/v1, spec: {template: {spec: {containers: [{name: a, image: a}]}}}}",
            "object.spec.replicas == 1 && object.spec.strategy.rollingUpdate.maxSurge == '25%' && object.spec.template.spec.containers[0].imagePullPolicy == 'Always' && object.spec.template.spec.restartPolicy == 'Always'",
        ),
        (
            "{kind: Deployment, apiVersion: apps/v1, spec: {strategy: {type: Recreate}, template: {spec: {}}}}",
            "!has(object.spec.strategy.rollingUpdate)",
        ),
        (
            "{kind: Pod, apiVersion: v1, spec: {containers: [{name: a, image: 'a:1', ports: [{containerPort: 1}], readinessProbe: {httpGet: {port: 1}}}], volumes: [{name: v}]}}",
            "object.spec.containers[0].imagePullPolicy == 'IfNotPresent' && object.spec.containers[0].ports[0].protocol == 'TCP' && object.spec.containers[0].readinessProbe.httpGet.path == '/' && has(object.spec.volumes[0].emptyDir) && !has(object.spec.containers[0].livenessProbe)",
        ),
        (
            "{kind: Service, apiVersion: v1, spec: {ports: [{port: 80}]}}",
            "object.spec.type == 'ClusterIP' && object.spec.ports[0].targetPort == 80",
        ),
        (
            "{kind: Role, apiVersion: rbac.authorization.k8s.io/v1}",
            "has(object.rules) && object.rules == null",
        ),
        (
            "{kind: Rollout, apiVersion: argoproj.io/v1alpha1, spec: {}}",
            "!has(object.spec.replicas)",
        ),
        (
            "{kind: CronJob, apiVersion: batch/v1, spec: {jobTemplate: {spec: {template: {spec: {containers: [{name: a, image: 'a@sha256:1'}]}}}}}}",
            "object.spec.suspend == false && object.spec.jobTemplate.spec.template.spec.containers[0].imagePullPolicy == 'IfNotPresent'",
        ),
    ];
    let folder = tempfile::tempdir().unwrap();
    for (object, expression) in cases {
        let (policy, manifest) = (
            folder.path().join("policy.yaml"),
            folder.path().join("manifest.yaml"),
        );
        std::fs::write(&policy, policy_with(expression)).unwrap();
        std::fs::write(
            &manifest,
            object.replacen('{', "{metadata: {name: a, namespace: b}, ", 1),
        )
        .unwrap();
        let output = Command::new(env!("CARGO_BIN_EXE_tenantry"))
            .args(["policy", "eval", "-p"])
            .arg(&policy)
            .arg("-f")
            .arg(&manifest)
            .output()
            .unwrap();
        assert_eq!(
            output.status.code(),
            Some(0),
            "{expression}\n{}",
            String::from_utf8_lossy(&output.stdout)
        );
    }
}

/// A waiver of a code: what it excepts counts no more, and stays in the summary and in the evidence.
#[test]
fn findings_of_the_api_server_can_be_waived() {
    let folder = tempfile::tempdir().unwrap();
    let root = folder.path();
    copy_folder(&repository_path("tests/ui/base"), root, false);
    copy_folder(&repository_path("tests/ui/T0808/of-a-code"), root, false);
    let evident = CompileOptions {
        gives_evidence: true,
        ..options(root)
    };
    let judged = || compile(&evident, None, &Collector::default()).unwrap();
    let compilation = judged();
    assert!(!compilation.has_errors(), "{:#?}", compilation.findings);
    assert_eq!(tally(&compilation.findings), "1 warning, 1 waived");
    let [record] = &compilation.evidence.records[..] else {
        panic!("{:#?}", compilation.evidence.records);
    };
    assert_eq!(record.policy, "T0501");
    assert_eq!(record.subject.path, "spec.color");
    assert_eq!(record.object_digest.as_ref().unwrap().len(), 64);
    assert!(record.accepted.is_some());
    // Another object, another path, another day: it stands.
    for (from, to) in [
        ("path: spec.color", "path: spec.text"),
        ("component: web", "component: other"),
        ("2026-06-15", "2026-05-31"),
        ("approvedBy: grace", "approvedBy: ada"),
    ] {
        replace(root, "policies/waivers.yaml", from, to);
        assert!(judged().has_errors(), "{to}");
        replace(root, "policies/waivers.yaml", to, from);
    }
}

/// Wherever an expression names the parameters, and nowhere else.
#[test]
fn parameters_of_emitted_policies_stand_where_they_are_named() {
    let expressions = [
        "object.metadata.?labels.?params.orValue('none') != params.x",
        "'its params' != params.x || \"params\" != params.x",
        "r'\\' != params.x && 'my params' != params.x",
        "['a'].all(params, params != 'b') && params.x == 'a'",
        "params.x == 'a' // it's params\n && params.x != 'b'",
        "has(params.x) && '''it's my params''' != params.x",
        "object.metadata. params == params.x || true",
    ];
    for expression in expressions {
        let folder = tempfile::tempdir().unwrap();
        let root = folder.path();
        copy_folder(&repository_path("tests/ui/base"), root, false);
        let quoted = serde_json::to_string(expression).unwrap();
        let text = format!(
            "apiVersion: tenantry.dev/v1\nkind: Policy\nmetadata: {{name: own}}\nspec:\n  title: Own\n  enforcement: audit\n  parameters:\n    x: {{type: string, default: a}}\n  matchConstraints:\n    resourceRules: [{{apiGroups: [apps], apiVersions: [v1], operations: [CREATE], resources: [deployments]}}]\n  matchConditions:\n    - {{name: c, expression: {quoted}}}\n  variables:\n    - {{name: params, expression: \"'shadowed'\"}}\n  validations:\n    - expression: {quoted}\n"
        );
        std::fs::write(root.join("own.yaml"), text).unwrap();
        let collector = Collector::default();
        let compilation = compile(&options(root), None, &collector).unwrap();
        assert!(
            !compilation.has_errors(),
            "{expression}: {:#?}",
            compilation.findings
        );
        let objects = collector.objects.into_inner().unwrap();
        let documents: Vec<Node> = objects
            .into_values()
            .flatten()
            .map(|(_, tree)| tree)
            .collect();
        let sources = Sources::default();
        let mut sink = Sink::default();
        let rules =
            with_large_stack(|| admission::compile(&documents, false, &[], &sources, &mut sink));
        let mut findings = sink.finish(&sources);
        // Names such as `object.metadata.params` are what is tested, and no kind has them.
        findings.retain(|finding| finding.severity == tenantry::diagnostics::Severity::Error);
        assert!(
            findings.is_empty() && rules.len() == 1,
            "{expression}: {findings:#?}"
        );
        let rule = &rules[0];
        for text in [
            &rule.conditions[0].1.text,
            &rule.validations[0].program.text,
        ] {
            let named = text.matches("variables.layeredParams").count()
                + text.matches("{\"x\": dyn(\"a\")}").count();
            let source = expression.matches("params.x").count();
            assert_eq!(named, source, "{text}");
        }
    }
}

/// Rules of packs are not judged by the types of their kinds where they are used, since it is done here.
#[test]
fn rules_of_packs_fit_their_kinds() {
    let folder = tempfile::tempdir().unwrap();
    let root = folder.path();
    copy_folder(&repository_path("tests/ui/base"), root, false);
    // As if they were the repository's own.
    copy_folder(&repository_path("policies"), &root.join("policies"), false);
    let compilation = compile(&options(root), None, &Collector::default()).unwrap();
    let replaced = compilation.findings.iter();
    let replaced = replaced.filter(|finding| finding.code.id == "T0819");
    assert!(replaced.count() > 100, "{:#?}", compilation.findings);
    let misfits = compilation.findings.iter();
    let misfits = misfits.filter(|finding| finding.code.id == "T0826");
    assert_eq!(misfits.count(), 0);
}
