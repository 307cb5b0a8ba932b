//! The committed schemas of Kubernetes are those of `k8s-openapi`:
//! `UPDATE=1 cargo test -p round-trips schemas` writes them anew.

use std::collections::BTreeMap;

use k8s_openapi::schemars::{JsonSchema, SchemaGenerator, generate::SchemaSettings};
use serde_json::{Value, json};

use std::path::Path;

use crate::support::repository_path;

macro_rules! kubernetes_kinds {
    ($($first:ident $(::$rest:ident)*,)*) => {
        fn kubernetes() -> Value {
            let mut generator = SchemaSettings::draft07().into_generator();
            let mut kinds = BTreeMap::new();
            $(add::<k8s_openapi::$first$(::$rest)*>(&mut generator, &mut kinds);)*
            let mut definitions: BTreeMap<String, Value> = generator.take_definitions(false).into_iter().collect();
            definitions.values_mut().for_each(without_prose);
            json!({"definitions": definitions, "kinds": kinds})
        }
    };
}

fn add<K: k8s_openapi::Resource + JsonSchema>(
    generator: &mut SchemaGenerator,
    kinds: &mut BTreeMap<String, String>,
) {
    let _ = generator.subschema_for::<K>();
    kinds.insert(
        format!("{}/{}", K::API_VERSION, K::KIND),
        K::schema_name().into_owned(),
    );
}

/// Kubernetes' descriptions are long, and nothing prints them.
fn without_prose(schema: &mut Value) {
    match schema {
        Value::Object(map) => {
            if map.get("description").is_some_and(Value::is_string) {
                map.remove("description");
            }
            map.values_mut().for_each(without_prose);
        }
        Value::Array(items) => items.iter_mut().for_each(without_prose),
        _ => {}
    }
}

#[test]
fn schemas_of_kubernetes_are_those_of_the_crate() {
    let schemas = kubernetes();
    let definitions = schemas["definitions"].as_object().unwrap();
    // One definition a line: a new Kubernetes version reads as a diff.
    let mut text = String::from("{\"definitions\": {\n");
    for (position, (name, definition)) in definitions.iter().enumerate() {
        let comma = if position + 1 < definitions.len() {
            ","
        } else {
            ""
        };
        text += &format!("{}: {definition}{comma}\n", Value::from(name.as_str()));
    }
    text += &format!(
        "}}, \"kinds\": {}}}\n",
        serde_json::to_string_pretty(&schemas["kinds"]).unwrap()
    );
    assert_file(
        &repository_path("crates/kubernetes/schemas/kubernetes.json"),
        &text,
    );
}

kubernetes_kinds! {
    api::admissionregistration::v1::MutatingAdmissionPolicy,
    api::admissionregistration::v1::MutatingAdmissionPolicyBinding,
    api::admissionregistration::v1::MutatingWebhookConfiguration,
    api::admissionregistration::v1::ValidatingAdmissionPolicy,
    api::admissionregistration::v1::ValidatingAdmissionPolicyBinding,
    api::admissionregistration::v1::ValidatingWebhookConfiguration,
    api::admissionregistration::v1beta1::MutatingAdmissionPolicy,
    api::admissionregistration::v1beta1::MutatingAdmissionPolicyBinding,
    api::apps::v1::ControllerRevision,
    api::apps::v1::DaemonSet,
    api::apps::v1::Deployment,
    api::apps::v1::ReplicaSet,
    api::apps::v1::StatefulSet,
    api::autoscaling::v1::HorizontalPodAutoscaler,
    api::autoscaling::v2::HorizontalPodAutoscaler,
    api::batch::v1::CronJob,
    api::batch::v1::Job,
    api::certificates::v1::CertificateSigningRequest,
    api::certificates::v1::ClusterTrustBundle,
    api::certificates::v1::PodCertificateRequest,
    api::certificates::v1beta1::ClusterTrustBundle,
    api::certificates::v1beta1::PodCertificateRequest,
    api::coordination::v1::Lease,
    api::coordination::v1beta1::LeaseCandidate,
    api::core::v1::ConfigMap,
    api::core::v1::Endpoints,
    api::core::v1::LimitRange,
    api::core::v1::Namespace,
    api::core::v1::Node,
    api::core::v1::PersistentVolume,
    api::core::v1::PersistentVolumeClaim,
    api::core::v1::Pod,
    api::core::v1::PodTemplate,
    api::core::v1::ReplicationController,
    api::core::v1::ResourceQuota,
    api::core::v1::Secret,
    api::core::v1::Service,
    api::core::v1::ServiceAccount,
    api::discovery::v1::EndpointSlice,
    api::flowcontrol::v1::FlowSchema,
    api::flowcontrol::v1::PriorityLevelConfiguration,
    api::networking::v1::IPAddress,
    api::networking::v1::Ingress,
    api::networking::v1::IngressClass,
    api::networking::v1::NetworkPolicy,
    api::networking::v1::ServiceCIDR,
    api::node::v1::RuntimeClass,
    api::policy::v1::PodDisruptionBudget,
    api::rbac::v1::ClusterRole,
    api::rbac::v1::ClusterRoleBinding,
    api::rbac::v1::Role,
    api::rbac::v1::RoleBinding,
    api::resource::v1::DeviceClass,
    api::resource::v1::DeviceTaintRule,
    api::resource::v1::ResourceClaim,
    api::resource::v1::ResourceClaimTemplate,
    api::resource::v1::ResourceSlice,
    api::resource::v1beta1::DeviceClass,
    api::resource::v1beta1::ResourceClaim,
    api::resource::v1beta1::ResourceClaimTemplate,
    api::resource::v1beta1::ResourceSlice,
    api::resource::v1beta2::DeviceClass,
    api::resource::v1beta2::DeviceTaintRule,
    api::resource::v1beta2::ResourceClaim,
    api::resource::v1beta2::ResourceClaimTemplate,
    api::resource::v1beta2::ResourceSlice,
    api::scheduling::v1::PriorityClass,
    api::scheduling::v1beta1::PodGroup,
    api::scheduling::v1beta1::Workload,
    api::storage::v1::CSIDriver,
    api::storage::v1::CSINode,
    api::storage::v1::CSIStorageCapacity,
    api::storage::v1::StorageClass,
    api::storage::v1::VolumeAttachment,
    api::storage::v1::VolumeAttributesClass,
    api::storagemigration::v1::StorageVersionMigration,
    api::storagemigration::v1beta1::StorageVersionMigration,
    apiextensions_apiserver::pkg::apis::apiextensions::v1::CustomResourceDefinition,
    kube_aggregator::pkg::apis::apiregistration::v1::APIService,
}

/// Asserts that a file has a text, or writes it with `UPDATE=1`.
fn assert_file(path: &Path, text: &str) {
    if std::env::var_os("UPDATE").is_some() {
        std::fs::write(path, text).unwrap();
        return;
    }
    let found = std::fs::read_to_string(path).unwrap_or_default();
    snapbox::assert_data_eq!(text.to_owned(), snapbox::Data::text(found).raw());
}
