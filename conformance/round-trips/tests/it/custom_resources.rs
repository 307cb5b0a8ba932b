//! Custom resources against types that somebody else made of their CRDs: nothing is lost on the way through them.

use std::collections::BTreeMap;
use std::path::Path;

use serde_json::Value as Json;
use tempfile::tempdir;
use tenantry::emit::Mode;
use tenantry::load::Source;
use tenantry::resolve::Selection;
use tenantry::{CompileOptions, OutputOptions, Shard, compile};

use crate::support::{files_below, repository_path};

/// Kinds that no crate of types has; what they hold of pods is judged as pods.
const WITHOUT_TYPES: [&str; 3] = ["AnalysisTemplate", "CronWorkflow", "Rollout"];

/// What is left of an object after a typed round trip.
fn round_trip(object: &Json) -> Option<Result<Json, String>> {
    macro_rules! trip {
        ($($kind:literal => $type:ty),* $(,)?) => {
            match object["kind"].as_str().unwrap() {
                $($kind => serde_json::from_value::<$type>(object["spec"].clone()).map(|typed| serde_json::to_value(typed).unwrap()),)*
                _ => return None,
            }
        };
    }
    let trip = trip!(
        "Application" => kcr_argoproj_io::v1alpha1::applications::ApplicationSpec,
        "AppProject" => kcr_argoproj_io::v1alpha1::appprojects::AppProjectSpec,
        "ExternalSecret" => kcr_external_secrets_io::v1::externalsecrets::ExternalSecretSpec,
        "HTTPRoute" => kcr_gateway_networking_k8s_io::v1::httproutes::HttpRouteSpec,
        "Kustomization" => kcr_kustomize_toolkit_fluxcd_io::v1::kustomizations::KustomizationSpec,
        "PrometheusRule" => kcr_monitoring_coreos_com::v1::prometheusrules::PrometheusRuleSpec,
        "ServiceMonitor" => kcr_monitoring_coreos_com::v1::servicemonitors::ServiceMonitorSpec,
        "PodMonitor" => kcr_monitoring_coreos_com::v1::podmonitors::PodMonitorSpec,
        "AlertmanagerConfig" => kcr_monitoring_coreos_com::v1alpha1::alertmanagerconfigs::AlertmanagerConfigSpec,
        "DestinationRule" => kcr_networking_istio_io::v1::destinationrules::DestinationRuleSpec,
        "ServiceEntry" => kcr_networking_istio_io::v1::serviceentries::ServiceEntrySpec,
        "VirtualService" => kcr_networking_istio_io::v1::virtualservices::VirtualServiceSpec,
        "Backup" => kcr_velero_io::v1::backups::BackupSpec,
        "Schedule" => kcr_velero_io::v1::schedules::ScheduleSpec,
        "BackupStorageLocation" => kcr_velero_io::v1::backupstoragelocations::BackupStorageLocationSpec,
        "ReplicationSource" => kcr_volsync_backube::v1alpha1::replicationsources::ReplicationSourceSpec,
        "ReplicationDestination" => kcr_volsync_backube::v1alpha1::replicationdestinations::ReplicationDestinationSpec,
    );
    Some(trip.map_err(|error| error.to_string()))
}

/// Leaves out what is the same whether it is written or not.
fn without_nothing(json: &mut Json) {
    match json {
        Json::Object(map) => {
            map.values_mut().for_each(without_nothing);
            map.retain(|_, value| !value.is_null());
        }
        Json::Array(items) => items.iter_mut().for_each(without_nothing),
        // A whole number that a type has as a fraction.
        Json::Number(number) => {
            if let Some(whole) = number.as_f64().filter(|whole| whole.fract() == 0.0) {
                *json = Json::from(whole);
            }
        }
        _ => {}
    }
}

fn judge(rendered: &BTreeMap<String, Vec<u8>>, seen: &mut BTreeMap<String, usize>) {
    for (path, text) in rendered.iter().filter(|(path, _)| path.ends_with(".yaml")) {
        for document in serde_yaml::Deserializer::from_slice(text) {
            let mut object: Json = serde::Deserialize::deserialize(document).unwrap();
            let (kind, api) = (object["kind"].to_string(), object["apiVersion"].to_string());
            let (kind, api) = (
                kind.trim_matches('"').to_owned(),
                api.trim_matches('"').to_owned(),
            );
            let group = api.split('/').next().unwrap_or_default();
            let is_custom = group.contains('.') && !group.ends_with(".k8s.io")
                || group == "gateway.networking.k8s.io";
            // kustomize's own file, and what an API server reads when it starts, are no resources.
            if !is_custom || group == "kustomize.config.k8s.io" {
                continue;
            }
            let Some(trip) = round_trip(&object) else {
                assert!(
                    WITHOUT_TYPES.contains(&kind.as_str()),
                    "{path}: no type for {kind}"
                );
                *seen.entry(kind).or_default() += 1;
                continue;
            };
            let name = object["metadata"]["name"].clone();
            let mut spec = trip.unwrap_or_else(|error| panic!("{path}: {kind} {name}: {error}"));
            let mut own = object["spec"].take();
            without_nothing(&mut spec);
            without_nothing(&mut own);
            assert_eq!(spec, own, "{path}: {kind} {name}");
            *seen.entry(kind).or_default() += 1;
        }
    }
}

/// Writes files of a repository.
fn write_files(root: &Path, files: &[(String, String)]) {
    for (path, text) in files {
        let target = root.join(path);
        std::fs::create_dir_all(target.parent().unwrap()).unwrap();
        std::fs::write(target, text).unwrap();
    }
}

/// What a repository compiles to, by path; it must succeed.
fn render(root: &Path) -> BTreeMap<String, Vec<u8>> {
    let out = tempfile::tempdir().unwrap();
    let options = CompileOptions {
        source: Source::Folder {
            root: root.to_path_buf(),
        },
        extra: Vec::new(),
        selection: Selection::default(),
        as_of: jiff::civil::date(2026, 6, 1),
        shard: Shard::WHOLE,
        baseline: None,
        gives_evidence: false,
    };
    let output = OutputOptions {
        folder: out.path().to_path_buf(),
        mode: Mode::Write { force: false },
    };
    let compilation = compile(&options, Some(&output), &conformance::Silent).unwrap();
    assert!(compilation.output.is_some(), "{:?}", compilation.findings);
    files_below(out.path())
}

#[test]
fn custom_resources_survive_a_typed_round_trip() {
    let mut seen = BTreeMap::new();
    judge(
        &files_below(&repository_path("examples/acme/rendered")),
        &mut seen,
    );
    // What acme does not have: a service mesh, Flux, and a tenant that leaves.
    let folder = tempdir().unwrap();
    let files: Vec<(String, String)> = [
        ("tenantry.yaml", "apiVersion: tenantry.dev/v1\nkind: Platform\nmetadata: {name: small}\nspec:\n  organization: Small\n  labelPrefix: small.example\n  delivery: {engine: flux, repoURL: \"https://git.small.example/manifests.git\"}\n"),
        ("cluster.yaml", "apiVersion: tenantry.dev/v1\nkind: Cluster\nmetadata: {name: one}\nspec:\n  region: r\n  residency: eu\n  kubernetesVersion: \"1.37\"\n  apis: [networking.istio.io/v1, velero.io/v1, monitoring.coreos.com/v1]\n"),
        ("environments.yaml", "apiVersion: tenantry.dev/v1\nkind: Environment\nmetadata: {name: staging}\nspec: {stage: staging, clusters: [one]}\n---\napiVersion: tenantry.dev/v1\nkind: Environment\nmetadata: {name: live}\nspec: {stage: production, clusters: [one], promotesFrom: staging}\n"),
        ("connection.yaml", "apiVersion: tenantry.dev/v1\nkind: Connection\nmetadata: {name: erp}\nspec: {system: ERP, owner: team, pattern: service-mesh, endpoint: \"https://erp.small.example\", addresses: [192.0.2.0/28]}\n"),
        ("component.yaml", "apiVersion: tenantry.dev/v1\nkind: Component\nmetadata: {name: worker}\nspec:\n  version: 1.0.0\n  owner: team\n  capabilities: [work]\n  dataFormats: [json]\n  connections: [erp]\n  workload:\n    type: worker\n    image: registry.small.example/worker\n    tag: \"1\"\n    ports: [{name: metrics, port: 9090}]\n    resources: {cpu: 100m, memory: 64Mi, storage: 1Gi}\n    scaling: {maxReplicas: 2}\n"),
        ("tenants.yaml", "apiVersion: tenantry.dev/v1\nkind: Tenant\nmetadata: {name: a}\nspec: {owner: team, tier: professional, environments: {staging: , live: }, components: [{component: worker}]}\n---\napiVersion: tenantry.dev/v1\nkind: Tenant\nmetadata: {name: leaver}\nspec: {owner: team, tier: professional, status: offboarding, offboarding: {requestedAt: 2026-05-01, retainDataUntil: 2026-09-01}, environments: {live: }}\n"),
    ]
    .map(|(path, text)| (path.to_owned(), text.to_owned()))
    .into();
    let mut files = files;
    files[0]
        .1
        .push_str("  naming: {namespace: \"t-{tenant}-{environment}\"}\n");
    write_files(folder.path(), &files);
    judge(&render(folder.path()), &mut seen);
    for kind in [
        "AlertmanagerConfig",
        "AnalysisTemplate",
        "AppProject",
        "Application",
        "Backup",
        "BackupStorageLocation",
        "CronWorkflow",
        "DestinationRule",
        "ExternalSecret",
        "HTTPRoute",
        "Kustomization",
        "PodMonitor",
        "PrometheusRule",
        "ReplicationDestination",
        "ReplicationSource",
        "Rollout",
        "Schedule",
        "ServiceEntry",
        "ServiceMonitor",
    ] {
        assert!(
            seen.contains_key(kind),
            "{kind} was never rendered: {seen:?}"
        );
    }
}

#[test]
fn a_lost_field_is_noticed() {
    let object = serde_json::json!({"kind": "Schedule", "spec": {"schedule": "0 0 * * *", "template": {"snapshotVolume": true}}});
    let mut spec = round_trip(&object).unwrap().unwrap();
    without_nothing(&mut spec);
    assert_ne!(spec, object["spec"]);
}
