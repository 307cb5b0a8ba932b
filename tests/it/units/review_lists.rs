//! `src/review/lists.rs`.

use tenantry::kubernetes::field_path::FieldPath;
use tenantry::kubernetes::field_path::FieldStep;
use tenantry::review::lists::*;

fn path(steps: &[&str]) -> FieldPath {
    let step = |step: &&str| match step.strip_prefix('#') {
        Some(item) => FieldStep::Item(item.into()),
        None => FieldStep::Key((*step).into()),
    };
    FieldPath(steps.iter().map(step).collect())
}

/// Each row of the table, at the place where Kubernetes has it.
#[test]
fn lists_have_kubernetes_keys() {
    let pod = |rest: &[&str]| {
        let steps: Vec<&str> = ["spec", "template", "spec"]
            .into_iter()
            .chain(rest.iter().copied())
            .collect();
        path(&steps)
    };
    for (kind, path, keys) in [
        ("Deployment", pod(&["containers"]), &["name"][..]),
        ("Deployment", pod(&["initContainers"]), &["name"]),
        ("Pod", path(&["spec", "ephemeralContainers"]), &["name"]),
        ("Deployment", pod(&["volumes"]), &["name"]),
        ("Deployment", pod(&["containers", "#web", "env"]), &["name"]),
        ("Deployment", pod(&["imagePullSecrets"]), &["name"]),
        (
            "ValidatingAdmissionPolicy",
            path(&["spec", "matchConditions"]),
            &["name"],
        ),
        (
            "ValidatingWebhookConfiguration",
            path(&["webhooks"]),
            &["name"],
        ),
        (
            "Deployment",
            pod(&["containers", "#web", "ports"]),
            &["containerPort", "protocol"],
        ),
        (
            "Deployment",
            pod(&["initContainers", "#web", "ports"]),
            &["containerPort", "protocol"],
        ),
        ("Service", path(&["spec", "ports"]), &["port", "protocol"]),
        (
            "Deployment",
            pod(&["containers", "#web", "volumeMounts"]),
            &["mountPath"],
        ),
        (
            "Deployment",
            pod(&["containers", "#web", "volumeDevices"]),
            &["devicePath"],
        ),
        (
            "Deployment",
            pod(&["topologySpreadConstraints"]),
            &["topologyKey", "whenUnsatisfiable"],
        ),
        ("Deployment", pod(&["hostAliases"]), &["ip"]),
        ("Pod", path(&["metadata", "ownerReferences"]), &["uid"]),
        // Atomic: not the ports of a Service, and no list that is not in the table.
        ("NetworkPolicy", path(&["spec", "ports"]), &[]),
        ("Deployment", pod(&["tolerations"]), &[]),
        ("Role", path(&["rules"]), &[]),
    ] {
        assert_eq!(of_object(kind, true, &path).keys, keys, "{kind} {path}");
    }
}

#[test]
fn order_means_something_in_few_lists() {
    let container = |list: &str| path(&["spec", "containers", "#web", list]);
    for list in ["env", "envFrom", "command", "args"] {
        assert!(of_object("Pod", true, &container(list)).ordered, "{list}");
    }
    assert!(of_object("Pod", true, &path(&["spec", "initContainers"])).ordered);
    for list in ["ports", "volumeMounts", "volumeDevices"] {
        assert!(!of_object("Pod", true, &container(list)).ordered, "{list}");
    }
    for (kind, list) in [
        ("Pod", "containers"),
        ("Pod", "tolerations"),
        ("NetworkPolicy", "ingress"),
    ] {
        assert!(
            !of_object(kind, true, &path(&["spec", list])).ordered,
            "{list}"
        );
    }
    let steps = path(&["spec", "strategy", "canary", "steps"]);
    assert!(of_object("Rollout", false, &steps).ordered);
}
