//! Connections: what a component needs to know, its credentials, and what its network and mesh are told.

use std::collections::BTreeMap;
use std::fs;
use std::sync::Mutex;

use serde_json::{Value as Json, json};
use tenantry::diagnostics::Sources;
use tenantry::engine::manifest::Rendered;
use tenantry::model::instance::Unit;
use tenantry::{Visitor, compile};

use crate::support::{copy_folder, options, repository_path};

#[derive(Default)]
struct Objects(Mutex<BTreeMap<(String, String), Json>>);

impl Visitor for Objects {
    fn unit(&self, _: &Unit, rendered: &[Rendered], _: &Sources) -> std::io::Result<()> {
        let mut objects = self.0.lock().unwrap();
        for one in rendered {
            let key = (
                one.manifest.kind().into_owned(),
                one.manifest.name().into_owned(),
            );
            objects.insert(key, one.manifest.root().to_json());
        }
        Ok(())
    }
}

fn rendered(apis: &str, connection: &str) -> BTreeMap<(String, String), Json> {
    let folder = tempfile::tempdir().unwrap();
    copy_folder(&repository_path("tests/ui/base"), folder.path(), false);
    let edit = |file: &str, from: &str, to: &str| {
        let path = folder.path().join(file);
        let text = fs::read_to_string(&path).unwrap();
        assert!(text.contains(from), "{file}: {from}");
        fs::write(path, text.replacen(from, to, 1)).unwrap();
    };
    edit(
        "tenantry.yaml",
        "  domain: eu-1",
        &format!("  apis: [external-secrets.io/v1{apis}]\n  domain: eu-1"),
    );
    edit(
        "components/web.yaml",
        "  workload:",
        "  connections: [erp]\n  workload:",
    );
    let text = format!(
        "apiVersion: tenantry.dev/v1\nkind: Connection\nmetadata: {{name: erp}}\nspec:\n  system: SAP\n  owner: team-erp\n  endpoint: https://erp.acme.example:8443/odata\n{connection}"
    );
    fs::write(folder.path().join("connection.yaml"), text).unwrap();
    let objects = Objects::default();
    let compiled = compile(&options(folder.path()), None, &objects).unwrap();
    let errors: Vec<_> = compiled
        .findings
        .iter()
        .filter(|finding| finding.is_error())
        .collect();
    assert!(errors.is_empty(), "{errors:#?}");
    objects.0.into_inner().unwrap()
}

fn get<'a>(objects: &'a BTreeMap<(String, String), Json>, kind: &str, name: &str) -> &'a Json {
    &objects[&(kind.to_owned(), name.to_owned())]
}

const NAME: &str = "data-processing-globex-web";

#[test]
fn components_find_their_connections() {
    let objects = rendered(
        "",
        "  pattern: request-reply\n  addresses: [192.0.2.0/28, 192.0.2.64/28]\n  auth: {method: oauth2, tokenUrl: https://login.acme.example/token, scopes: [read]}\n  credentials: {from: a/b, keys: {id: client_id}}\n",
    );
    let map = get(&objects, "ConfigMap", &format!("{NAME}-connections"));
    let told: Json = serde_json::from_str(map["data"]["erp.json"].as_str().unwrap()).unwrap();
    // The defaults of the source documents, and nothing of where secrets are.
    assert_eq!(
        told["pool"],
        json!({"size": 10, "overflow": 20, "recycleSeconds": 3600, "prePing": true})
    );
    assert_eq!(
        (
            &told["timeout"],
            &told["circuitBreaker"],
            &told["retry"]["attempts"]
        ),
        (&json!("30s"), &json!(true), &json!(3))
    );
    assert_eq!(told["auth"]["scopes"], json!(["read"]));
    assert_eq!(told["credentials"], Json::Null);
    let secret = get(&objects, "ExternalSecret", &format!("{NAME}-erp"));
    assert_eq!(
        secret["spec"]["data"],
        json!([{"secretKey": "id", "remoteRef": {"key": "a/b", "property": "client_id"}}])
    );
    let policy = get(&objects, "NetworkPolicy", NAME);
    assert_eq!(
        policy["spec"]["egress"],
        json!([{
            "to": [{"ipBlock": {"cidr": "192.0.2.0/28"}}, {"ipBlock": {"cidr": "192.0.2.64/28"}}],
            "ports": [{"port": 8443, "protocol": "TCP"}, {"port": 443, "protocol": "TCP"}],
        }])
    );
    let pod = &get(&objects, "Deployment", NAME)["spec"]["template"]["spec"];
    let mounts = pod["containers"][0]["volumeMounts"].as_array().unwrap();
    let paths: Vec<&str> = mounts
        .iter()
        .filter_map(|mount| mount["mountPath"].as_str())
        .collect();
    assert!(
        paths.contains(&"/etc/connections") && paths.contains(&"/etc/connection-secrets/erp"),
        "{paths:?}"
    );
    assert!(
        !objects.keys().any(|(kind, _)| kind == "DestinationRule"),
        "there is no mesh"
    );
}

#[test]
fn a_mesh_is_told_when_to_give_up() {
    let objects = rendered(
        ", networking.istio.io/v1/DestinationRule",
        "  pattern: service-mesh\n  pool: {size: 4, overflow: 1}\n  timeout: 5s\n",
    );
    let entry = get(&objects, "ServiceEntry", &format!("{NAME}-erp"));
    assert_eq!(
        (
            &entry["spec"]["hosts"],
            &entry["spec"]["ports"][0]["number"]
        ),
        (&json!(["erp.acme.example"]), &json!(8443))
    );
    let rule = &get(&objects, "DestinationRule", &format!("{NAME}-erp"))["spec"];
    assert_eq!(
        rule["trafficPolicy"]["connectionPool"]["tcp"],
        json!({"maxConnections": 5, "connectTimeout": "5s"})
    );
    assert_eq!(
        rule["trafficPolicy"]["outlierDetection"]["baseEjectionTime"],
        "30s"
    );
    let objects = rendered(
        ", networking.istio.io/v1/DestinationRule",
        "  pattern: service-mesh\n  circuitBreaker: false\n",
    );
    let rule = &get(&objects, "DestinationRule", &format!("{NAME}-erp"))["spec"];
    assert_eq!(rule["trafficPolicy"]["outlierDetection"], Json::Null);
}
