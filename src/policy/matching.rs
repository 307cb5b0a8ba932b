//! Which objects a policy judges: Kubernetes' own rules of matching.
//! <https://kubernetes.io/docs/reference/access-authn-authz/extensible-admission-controllers/#matching-requests-rules>

use crate::model::kinds::policy::{
    MatchPolicy, MatchResources, Operation, ResourceRule, ResourceScope,
};
use crate::model::view::View;

use super::names::Request;

/// The plural name of a kind, as URLs of the API write it. Kinds of custom resources follow the same
/// convention.
pub fn plural(kind: &str) -> String {
    let name = kind.to_lowercase();
    if name == "endpoints" {
        return name;
    }
    let ends = |suffix: &str| name.ends_with(suffix);
    if ends("s") || ends("x") || ends("ch") || ends("sh") {
        return format!("{name}es");
    }
    match name.strip_suffix('y') {
        Some(stem) if !stem.ends_with(['a', 'e', 'i', 'o', 'u']) => format!("{stem}ies"),
        _ => format!("{name}s"),
    }
}

/// Resources that live outside namespaces, of the groups that manifests have.
pub const OUTSIDE_NAMESPACES: &[&str] = &[
    "namespaces",
    "nodes",
    "persistentvolumes",
    "clusterroles",
    "clusterrolebindings",
    "storageclasses",
    "priorityclasses",
    "ingressclasses",
    "customresourcedefinitions",
    "validatingadmissionpolicies",
    "validatingadmissionpolicybindings",
    "validatingwebhookconfigurations",
    "mutatingwebhookconfigurations",
    "volumesnapshotclasses",
    "clustersecretstores",
    "gatewayclasses",
    "runtimeclasses",
    "csidrivers",
    "apiservices",
];

/// Whether some operation could make a policy judge objects of this kind: what depends on nothing
/// but the kind.
pub fn names_kind(constraints: Option<&MatchResources>, request: &Request) -> bool {
    let Some(constraints) = constraints else {
        return true;
    };
    // One that names no resources judges all.
    constraints.resource_rules.is_empty()
        || constraints
            .resource_rules
            .iter()
            .any(|rule| names_resource(rule, constraints.match_policy, request))
}

/// Whether a policy judges what is done to an object. `namespace_label` looks up a label of the
/// object's namespace.
pub fn matches(
    constraints: Option<&MatchResources>,
    request: &Request,
    object: View<'_>,
    namespace_label: &dyn Fn(&str) -> Option<String>,
) -> bool {
    let Some(constraints) = constraints else {
        return true;
    };
    let rule_matches = |rule: &ResourceRule| judges(rule, constraints.match_policy, request);
    if !constraints.resource_rules.is_empty()
        && !constraints.resource_rules.iter().any(rule_matches)
        || constraints.exclude_resource_rules.iter().any(rule_matches)
    {
        return false;
    }
    let label = |key: &str| {
        let labels = object.at(&["metadata", "labels"])?;
        Some(labels.get(key)?.text()?.into_owned())
    };
    if constraints
        .object_selector
        .as_ref()
        .is_some_and(|selector| !selector.selects(label))
    {
        return false;
    }
    let Some(selector) = &constraints.namespace_selector else {
        return true;
    };
    if request.kind == "Namespace" && request.group.is_empty() {
        return selector.selects(|key| {
            label(key).or_else(|| (key == NAME_LABEL).then(|| request.name.clone()))
        });
    }
    // Objects outside namespaces are judged whatever the selector says.
    request.namespace.is_empty() || selector.selects(namespace_label)
}

/// The label that every namespace has.
pub const NAME_LABEL: &str = "kubernetes.io/metadata.name";

fn names_resource(rule: &ResourceRule, policy: Option<MatchPolicy>, request: &Request) -> bool {
    let any = |list: &[String], wanted: &str| list.iter().any(|item| item == "*" || item == wanted);
    // Other versions of the same kind are the same objects, unless the policy says `Exact`.
    let version = policy != Some(MatchPolicy::Exact) || any(&rule.api_versions, &request.version);
    let resource = rule
        .resources
        .iter()
        .any(|item| item == "*" || item == "*/*" || *item == request.resource);
    any(&rule.api_groups, &request.group) && version && resource
}

fn judges(rule: &ResourceRule, policy: Option<MatchPolicy>, request: &Request) -> bool {
    let scope = match rule.scope {
        None | Some(ResourceScope::Any) => true,
        Some(ResourceScope::Namespaced) => !request.namespace.is_empty(),
        Some(ResourceScope::Cluster) => request.namespace.is_empty(),
    };
    let operation = request.operation.unwrap_or(Operation::Create);
    names_resource(rule, policy, request)
        && scope
        && rule
            .operations
            .iter()
            .any(|listed| *listed == Operation::Any || *listed == operation)
        && (rule.resource_names.is_empty() || rule.resource_names.contains(&request.name))
}

/// What a request about an object says.
pub fn request(object: View<'_>, operation: Operation) -> Request {
    let api_version = object.text_at(&["apiVersion"]);
    let (group, version) = api_version.rsplit_once('/').unwrap_or(("", &api_version));
    let kind = object.text_at(&["kind"]).into_owned();
    Request {
        group: group.to_owned(),
        version: version.to_owned(),
        resource: plural(&kind),
        kind,
        name: object.text_at(&["metadata", "name"]).into_owned(),
        namespace: object.text_at(&["metadata", "namespace"]).into_owned(),
        operation: Some(operation),
    }
}
