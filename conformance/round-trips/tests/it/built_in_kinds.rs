//! Built-in kinds against the types of `k8s-openapi`.

use std::collections::BTreeMap;

use k8s_openapi::api;
use serde_json::Value as Json;

use crate::support::{files_below, repository_path};

/// A typed round trip through `k8s-openapi` loses no field: a field that the type does not know, or
/// that stands at the wrong place, would be missing afterwards.
#[test]
fn built_in_kinds_survive_a_typed_round_trip() {
    macro_rules! trip {
        ($object:expr, $($kind:literal => $type:ty),* $(,)?) => {
            match $object["kind"].as_str().unwrap() {
                $($kind => serde_json::from_value::<$type>($object.clone()).map(|typed| serde_json::to_value(typed).unwrap()),)*
                _ => Ok($object.clone()),
            }
        };
    }
    let mut seen = BTreeMap::new();
    for (path, object) in acme_objects() {
        let round = trip!(object,
            "Namespace" => api::core::v1::Namespace, "ResourceQuota" => api::core::v1::ResourceQuota, "LimitRange" => api::core::v1::LimitRange,
            "ServiceAccount" => api::core::v1::ServiceAccount, "Service" => api::core::v1::Service, "ConfigMap" => api::core::v1::ConfigMap,
            "PersistentVolumeClaim" => api::core::v1::PersistentVolumeClaim, "Deployment" => api::apps::v1::Deployment,
            "StatefulSet" => api::apps::v1::StatefulSet, "Job" => api::batch::v1::Job, "CronJob" => api::batch::v1::CronJob,
            "NetworkPolicy" => api::networking::v1::NetworkPolicy, "Ingress" => api::networking::v1::Ingress, "Role" => api::rbac::v1::Role,
            "RoleBinding" => api::rbac::v1::RoleBinding, "PriorityClass" => api::scheduling::v1::PriorityClass,
            "HorizontalPodAutoscaler" => api::autoscaling::v2::HorizontalPodAutoscaler, "PodDisruptionBudget" => api::policy::v1::PodDisruptionBudget,
        );
        let mut round =
            round.unwrap_or_else(|error| panic!("{path}: {}: {error}", object["metadata"]["name"]));
        let mut object = object;
        // The types write quantities as text and empty objects in their own way; neither is a loss.
        normalise(&mut round);
        normalise(&mut object);
        assert_eq!(round, object, "{path}");
        *seen
            .entry(object["kind"].as_str().unwrap().to_owned())
            .or_insert(0) += 1;
    }
    for kind in [
        "Deployment",
        "StatefulSet",
        "Job",
        "CronJob",
        "Ingress",
        "RoleBinding",
        "ExternalSecret",
        "Application",
        "AppProject",
        "Rollout",
        "HTTPRoute",
    ] {
        assert!(
            seen.contains_key(kind),
            "{kind} is not in the example: {seen:?}"
        );
    }
}

fn normalise(json: &mut Json) {
    match json {
        Json::Object(map) => {
            map.values_mut().for_each(normalise);
            for list in ["requests", "limits", "hard"] {
                for amount in map
                    .get_mut(list)
                    .and_then(Json::as_object_mut)
                    .into_iter()
                    .flat_map(|amounts| amounts.values_mut())
                {
                    *amount = Json::from(
                        amount
                            .as_str()
                            .map_or_else(|| amount.to_string(), str::to_owned),
                    );
                }
            }
            map.sort_keys();
        }
        Json::Array(items) => items.iter_mut().for_each(normalise),
        _ => {}
    }
}

/// All objects of acme's committed output, by file, read by an unrelated YAML parser.
fn acme_objects() -> Vec<(String, serde_json::Value)> {
    let mut objects = Vec::new();
    for (path, bytes) in files_below(&repository_path("examples/acme/rendered")) {
        // Pages for people, and what API servers read when they start.
        if path.starts_with("runbooks/") || path.starts_with("api-server/") {
            continue;
        }
        for document in serde_yaml::Deserializer::from_slice(&bytes) {
            let json = serde::Deserialize::deserialize(document)
                .unwrap_or_else(|error| panic!("{path}: {error}"));
            objects.push((path.clone(), json));
        }
    }
    assert!(objects.len() > 500, "only {} objects", objects.len());
    objects
}
