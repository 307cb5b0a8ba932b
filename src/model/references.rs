//! What pods refer to by name in their own namespace, and which objects make such names.

use tenantry_engine::view::{Shape, View};

/// A name in the spec of a pod.
#[derive(Clone, Copy, Debug)]
pub struct Reference<'a> {
    /// The kind of the object that is meant.
    pub kind: &'static str,
    /// The name, as it is written.
    pub name: View<'a>,
    /// Whether the pod starts without it.
    pub is_optional: bool,
}

/// What the spec of a pod refers to, in its order.
pub fn of_pod<'a>(pod: View<'a>) -> Vec<Reference<'a>> {
    let mut found = Vec::new();
    let mut add = |kind: &'static str, reference: Option<View<'a>>, field: &str| {
        let Some(reference) = reference else { return };
        let optional = reference.get("optional").map(View::shape);
        found.extend(reference.get(field).map(|name| Reference {
            kind,
            name,
            is_optional: matches!(optional, Some(Shape::Bool(true))),
        }));
    };
    let list = |view: View<'a>, key: &str| view.get(key).map(View::items).unwrap_or_default();
    add("ServiceAccount", Some(pod), "serviceAccountName");
    for secret in list(pod, "imagePullSecrets") {
        add("Secret", Some(secret), "name");
    }
    for volume in list(pod, "volumes") {
        add("ConfigMap", volume.get("configMap"), "name");
        add("Secret", volume.get("secret"), "secretName");
        add(
            "PersistentVolumeClaim",
            volume.get("persistentVolumeClaim"),
            "claimName",
        );
        let sources = volume.at(&["projected", "sources"]).map(View::items);
        for source in sources.unwrap_or_default() {
            add("ConfigMap", source.get("configMap"), "name");
            add("Secret", source.get("secret"), "name");
        }
    }
    for containers in ["containers", "initContainers"] {
        for container in list(pod, containers) {
            for source in list(container, "envFrom") {
                add("ConfigMap", source.get("configMapRef"), "name");
                add("Secret", source.get("secretRef"), "name");
            }
            for variable in list(container, "env") {
                let from = |key: &str| variable.at(&["valueFrom", key]);
                add("ConfigMap", from("configMapKeyRef"), "name");
                add("Secret", from("secretKeyRef"), "name");
            }
        }
    }
    found
}

/// Kind and name of what an object makes for pods to refer to: itself, or what its controller makes of it.
pub fn made(root: View<'_>) -> Vec<(&'static str, String)> {
    let name = root.object_name().into_owned();
    match &*root.object_kind() {
        "Secret" => vec![("Secret", name)],
        "ConfigMap" => vec![("ConfigMap", name)],
        "ServiceAccount" => vec![("ServiceAccount", name)],
        "PersistentVolumeClaim" => vec![("PersistentVolumeClaim", name)],
        // The operator makes a Secret of it.
        "ExternalSecret" => {
            let target = root.text_at(&["spec", "target", "name"]).into_owned();
            vec![("Secret", if target.is_empty() { name } else { target })]
        }
        // A controller makes the Secret with the certificate.
        "Certificate" => vec![("Secret", root.text_at(&["spec", "secretName"]).into_owned())],
        "Ingress" => {
            let tls = root
                .at(&["spec", "tls"])
                .map(View::items)
                .unwrap_or_default();
            let secrets = tls
                .into_iter()
                .map(|one| one.text_at(&["secretName"]).into_owned());
            secrets.map(|name| ("Secret", name)).collect()
        }
        _ => Vec::new(),
    }
}
