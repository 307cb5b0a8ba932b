//! Which objects a policy judges: Kubernetes' own rules of matching.
//! <https://kubernetes.io/docs/reference/access-authn-authz/extensible-admission-controllers/#matching-requests-rules>

use crate::model::kinds::policy::{
    LabelSelector, MatchPolicy, MatchResources, Operation, ResourceRule, ResourceScope,
};
use tenantry_engine::view::View;

use super::equivalents::{self, Served};
use super::names::AdmissionRequest;

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
    "mutatingadmissionpolicies",
    "mutatingadmissionpolicybindings",
    "validatingwebhookconfigurations",
    "mutatingwebhookconfigurations",
    "volumesnapshotclasses",
    "volumeattributesclasses",
    "volumeattachments",
    "clustersecretstores",
    "gatewayclasses",
    "runtimeclasses",
    "csidrivers",
    "csinodes",
    "apiservices",
    "certificatesigningrequests",
    "flowschemas",
    "prioritylevelconfigurations",
    "deviceclasses",
    "resourceslices",
    "servicecidrs",
    "ipaddresses",
];

/// Resources that no policy judges, so that none can lock everybody out, by group.
const EXEMPT: &[(&str, &[&str])] = &[
    (
        "admissionregistration.k8s.io",
        &[
            "validatingadmissionpolicies",
            "validatingadmissionpolicybindings",
            "mutatingadmissionpolicies",
            "mutatingadmissionpolicybindings",
        ],
    ),
    (
        "authentication.k8s.io",
        &["selfsubjectreviews", "tokenreviews"],
    ),
    (
        "authorization.k8s.io",
        &[
            "localsubjectaccessreviews",
            "selfsubjectaccessreviews",
            "selfsubjectrulesreviews",
            "subjectaccessreviews",
        ],
    ),
];

/// The label that every namespace has.
pub const NAME_LABEL: &str = "kubernetes.io/metadata.name";

/// What a request is about: the object as it will be, and as it was. A removal has only the latter.
#[derive(Clone, Copy, Debug, Default)]
pub struct Objects<'a> {
    /// The object.
    pub object: Option<View<'a>>,
    /// The object before.
    pub old: Option<View<'a>>,
}

/// How a policy sees what it judges.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Match {
    /// As it was requested.
    Exact,
    /// In the version that the policy names.
    Equivalent(Served),
}

/// Whether some operation could make a policy judge objects of this kind: what depends on nothing
/// but the kind.
pub fn names_kind(constraints: Option<&MatchResources>, request: &AdmissionRequest) -> bool {
    let Some(constraints) = constraints else {
        return true;
    };
    let any = AdmissionRequest {
        kubernetes: None,
        ..request.clone()
    };
    // One that names no resources judges all.
    constraints.resource_rules.is_empty()
        || constraints.resource_rules.iter().any(|rule| {
            names_resource(rule, &any.group, &any.version, &any)
                || constraints.match_policy != Some(MatchPolicy::Exact)
                    && equivalents::all(&any, &rule.api_versions)
                        .iter()
                        .any(|other| names_resource(rule, &other.group, &other.version, &any))
        })
}

/// Whether a policy judges a request, and how it sees the object. `namespace_label` looks up a label
/// of the object's namespace.
pub fn matches(
    constraints: Option<&MatchResources>,
    request: &AdmissionRequest,
    objects: Objects<'_>,
    namespace_label: &dyn Fn(&str) -> Option<String>,
) -> Option<Match> {
    let Some(constraints) = constraints else {
        return Some(Match::Exact);
    };
    let is_exempt = |(group, resources): &(&str, &[&str])| {
        *group == request.group && resources.contains(&&*request.resource)
    };
    if EXEMPT.iter().any(is_exempt)
        || !in_namespaces(constraints, request, objects, namespace_label)
        || !has_labels(constraints.object_selector.as_ref(), objects)
        || chosen(&constraints.exclude_resource_rules, constraints, request).is_some()
    {
        return None;
    }
    if constraints.resource_rules.is_empty() {
        return Some(Match::Exact);
    }
    chosen(&constraints.resource_rules, constraints, request)
}

/// Whether the namespace is among those that are selected. Objects outside namespaces always are, but
/// for a namespace itself: it is selected by its own labels.
fn in_namespaces(
    constraints: &MatchResources,
    request: &AdmissionRequest,
    objects: Objects<'_>,
    namespace_label: &dyn Fn(&str) -> Option<String>,
) -> bool {
    let Some(selector) = &constraints.namespace_selector else {
        return true;
    };
    let is_namespace = request.resource == "namespaces";
    if request.namespace.is_empty() && !is_namespace {
        return true;
    }
    if is_namespace && request.subresource.is_empty() {
        let own = objects.object.or(objects.old);
        return selector.selects(|key| {
            let written = own.and_then(|object| label(object, key));
            written.or_else(|| (key == NAME_LABEL).then(|| request.name.clone()))
        });
    }
    selector.selects(namespace_label)
}

/// Whether the object has the labels that are asked for, before or after.
fn has_labels(selector: Option<&LabelSelector>, objects: Objects<'_>) -> bool {
    let Some(selector) = selector.filter(|selector| !selector.is_empty()) else {
        return true;
    };
    [objects.object, objects.old]
        .into_iter()
        .flatten()
        // What has no metadata, such as the options of a connection, has no labels to select.
        .filter(|object| object.get("metadata").is_some())
        .any(|object| selector.selects(|key| label(object, key)))
}

fn label(object: View<'_>, key: &str) -> Option<String> {
    let labels = object.at(&["metadata", "labels"])?;
    Some(labels.get(key)?.text()?.into_owned())
}

/// The rule that a request meets: as it was made, or else in another version.
fn chosen(
    rules: &[ResourceRule],
    constraints: &MatchResources,
    request: &AdmissionRequest,
) -> Option<Match> {
    let meets = |rule: &ResourceRule, group: &str, version: &str| {
        names_resource(rule, group, version, request) && allows(rule, request)
    };
    if rules
        .iter()
        .any(|rule| meets(rule, &request.group, &request.version))
    {
        return Some(Match::Exact);
    }
    if constraints.match_policy == Some(MatchPolicy::Exact) {
        return None;
    }
    rules.iter().find_map(|rule| {
        let others = equivalents::of(request, &rule.api_versions).into_iter();
        let mut others = others
            .filter(|other| (&other.group, &other.version) != (&request.group, &request.version));
        let found = others.find(|other| meets(rule, &other.group, &other.version));
        found.map(Match::Equivalent)
    })
}

fn names_resource(
    rule: &ResourceRule,
    group: &str,
    version: &str,
    request: &AdmissionRequest,
) -> bool {
    let any = |list: &[String], wanted: &str| list.iter().any(|item| item == "*" || item == wanted);
    any(&rule.api_groups, group)
        && any(&rule.api_versions, version)
        && rule.resources.iter().any(|item| {
            // `pods/*` has the pods themselves, too; `*` has no subresources.
            let (resource, subresource) = item.split_once('/').unwrap_or((item, ""));
            (resource == "*" || resource == request.resource)
                && (subresource == "*" || subresource == request.subresource)
        })
}

/// Whether a rule has the operation, the scope and the name of a request.
fn allows(rule: &ResourceRule, request: &AdmissionRequest) -> bool {
    let is_namespace =
        request.group.is_empty() && request.version == "v1" && request.resource == "namespaces";
    let is_inside = !is_namespace && is_namespaced(request);
    let scope = match rule.scope {
        None | Some(ResourceScope::Any) => true,
        Some(ResourceScope::Namespaced) => is_inside,
        Some(ResourceScope::Cluster) => !is_inside,
    };
    let operation = request.operation.unwrap_or(Operation::Create);
    scope
        && rule
            .operations
            .iter()
            .any(|listed| *listed == Operation::Any || *listed == operation)
        && (rule.resource_names.is_empty() || rule.resource_names.contains(&request.name))
}

/// Whether the object is in a namespace; one of Kubernetes' own that names none gets that of whoever
/// applies it.
fn is_namespaced(request: &AdmissionRequest) -> bool {
    let is_custom = request.group.contains('.') && !request.group.ends_with(".k8s.io");
    !request.namespace.is_empty() || !is_custom && !OUTSIDE_NAMESPACES.contains(&&*request.resource)
}

/// What a request about an object says.
pub fn request(object: View<'_>, operation: Operation) -> AdmissionRequest {
    let api_version = object.api_version();
    let (group, version) = api_version.rsplit_once('/').unwrap_or(("", &api_version));
    let kind = object.object_kind().into_owned();
    let name = object.object_name().into_owned();
    let mut namespace = object.namespace().into_owned();
    // The API server takes a namespace for one that is in itself.
    if (group, version, kind.as_str()) == ("", "v1", "Namespace") {
        namespace.clone_from(&name);
    }
    AdmissionRequest {
        group: group.to_owned(),
        version: version.to_owned(),
        resource: plural(&kind),
        kind,
        name,
        namespace,
        operation: Some(operation),
        ..AdmissionRequest::default()
    }
}
