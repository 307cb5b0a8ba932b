//! What roles of Kubernetes allow, and which of it reaches beyond a tenant:
//! <https://kubernetes.io/docs/concepts/security/rbac-good-practices/#privilege-escalation-risks>.

use tenantry_engine::view::View;

/// A rule of a Role or `ClusterRole`.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Right {
    /// API groups; `*` for all.
    pub groups: Vec<Box<str>>,
    /// Resources; `*` for all.
    pub resources: Vec<Box<str>>,
    /// Names of single objects; none for all.
    pub names: Vec<Box<str>>,
    /// What may be done; `*` for everything.
    pub verbs: Vec<Box<str>>,
}

/// Whose objects a right is about.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum RightScope {
    /// Those in a namespace that is the tenant's alone.
    Own,
    /// Those in a namespace that others use, too.
    Others,
    /// Those of the whole cluster.
    Cluster,
}

/// What somebody can do with a right that a tenant must not be able to.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Danger {
    /// Everything.
    Everything,
    /// Give rights that they do not have.
    Bind,
    /// Write rights that they do not have.
    Escalate,
    /// Act as somebody else.
    Impersonate,
    /// Make tokens of service accounts of others.
    Tokens,
    /// Read or write secrets of others.
    Secrets,
    /// Read any secret of the store that secrets come from.
    Store,
    /// Send traffic of others elsewhere.
    Traffic,
    /// Have anything delivered.
    Delivery,
    /// Change what the API server serves.
    Definitions,
    /// What is not known here: the role is not rendered.
    Unknown,
    /// Run, restart or change pods of others.
    Pods,
    /// Read logs of others.
    Logs,
    /// Reach or change nodes.
    Nodes,
    /// Make volumes of a node's own disk.
    Volumes,
    /// Have certificates signed.
    Certificates,
    /// Change what the API server admits.
    Admission,
    /// Open the tenant's own isolation: its network policies, quotas or namespace.
    Isolation,
}

impl Danger {
    /// What it lets them do, after "may".
    pub fn words(self) -> &'static str {
        match self {
            Danger::Everything => "do everything",
            Danger::Bind => "bind roles with rights that they do not have",
            Danger::Escalate => "write roles with rights that they do not have",
            Danger::Impersonate => "act as somebody else",
            Danger::Tokens => "make tokens for service accounts of others",
            Danger::Secrets => "read or write secrets of others",
            Danger::Store => "read any secret of the cluster's secret store",
            Danger::Traffic => "send traffic of others elsewhere",
            Danger::Delivery => "have the delivery engine deploy anything",
            Danger::Definitions => "change what the API server serves",
            Danger::Unknown => "do what is not known here",
            Danger::Pods => "run, restart or change pods of others",
            Danger::Logs => "read logs of others",
            Danger::Nodes => "reach nodes",
            Danger::Volumes => "make volumes of a node's own disk",
            Danger::Certificates => "have certificates signed",
            Danger::Admission => "change what the API server admits",
            Danger::Isolation => "open the tenant's own isolation",
        }
    }
}

/// A right that is dangerous: `group/resource` (with its subresource), verbs, and from which reach on.
struct DangerousRight {
    danger: Danger,
    group: &'static str,
    resources: &'static [&'static str],
    verbs: &'static [&'static str],
    from: RightScope,
}

const READ: &[&str] = &["get", "list", "watch"];
const WRITE: &[&str] = &["create", "update", "patch", "delete", "deletecollection"];
const CHANGE: &[&str] = &["create", "update", "patch"];

macro_rules! known {
    ($($danger:ident: $group:literal $resources:expr, $verbs:expr, $from:ident;)*) => {
        &[$(DangerousRight { danger: Danger::$danger, group: $group, resources: &$resources, verbs: $verbs, from: RightScope::$from }),*]
    };
}

const KNOWN: &[DangerousRight] = known! {
    Bind: "rbac.authorization.k8s.io" ["roles", "clusterroles"], &["bind"], Own;
    Escalate: "rbac.authorization.k8s.io" ["roles", "clusterroles"], &["escalate"], Own;
    Impersonate: "" ["users", "groups", "serviceaccounts"], &["impersonate"], Own;
    Impersonate: "authentication.k8s.io" ["userextras", "uids"], &["impersonate"], Own;
    Tokens: "" ["serviceaccounts/token"], &["create"], Others;
    Secrets: "" ["secrets"], READ, Others;
    Secrets: "" ["secrets"], WRITE, Others;
    // What a cluster's store holds can be asked for from any namespace.
    Store: "external-secrets.io" ["externalsecrets", "clusterexternalsecrets", "secretstores", "clustersecretstores"], CHANGE, Own;
    Traffic: "" ["services", "endpoints"], WRITE, Others;
    Traffic: "discovery.k8s.io" ["endpointslices"], WRITE, Others;
    Traffic: "networking.k8s.io" ["ingresses"], WRITE, Others;
    Traffic: "gateway.networking.k8s.io" ["httproutes", "grpcroutes", "tcproutes", "tlsroutes", "udproutes", "gateways", "referencegrants"], WRITE, Others;
    Delivery: "argoproj.io" ["applications", "applicationsets", "appprojects"], WRITE, Own;
    Delivery: "kustomize.toolkit.fluxcd.io" ["kustomizations"], WRITE, Own;
    Delivery: "helm.toolkit.fluxcd.io" ["helmreleases"], WRITE, Own;
    Definitions: "apiextensions.k8s.io" ["customresourcedefinitions"], WRITE, Cluster;
    Definitions: "apiregistration.k8s.io" ["apiservices"], WRITE, Cluster;
    Pods: "" ["pods", "pods/exec", "pods/attach", "pods/ephemeralcontainers", "pods/portforward", "pods/proxy", "pods/eviction", "pods/resize", "replicationcontrollers"], WRITE, Others;
    // A connection to exec is opened with get.
    Pods: "" ["pods/exec", "pods/attach", "pods/portforward", "pods/proxy", "services/proxy"], &["get", "create"], Others;
    Pods: "apps" ["deployments", "statefulsets", "daemonsets", "replicasets", "deployments/scale", "statefulsets/scale", "replicasets/scale"], WRITE, Others;
    Pods: "batch" ["jobs", "cronjobs"], WRITE, Others;
    Pods: "argoproj.io" ["rollouts", "rollouts/scale", "workflows", "cronworkflows"], WRITE, Others;
    Logs: "" ["pods/log"], READ, Others;
    Nodes: "" ["nodes"], WRITE, Cluster;
    // Reading through a node's proxy runs commands in its pods.
    Nodes: "" ["nodes/proxy", "nodes/log", "nodes/exec", "nodes/pods"], &["get", "create", "update", "patch"], Cluster;
    Volumes: "" ["persistentvolumes"], CHANGE, Cluster;
    Certificates: "certificates.k8s.io" ["certificatesigningrequests/approval"], &["update", "patch"], Cluster;
    Certificates: "certificates.k8s.io" ["signers"], &["approve", "sign"], Cluster;
    Admission: "admissionregistration.k8s.io" ["mutatingwebhookconfigurations", "validatingwebhookconfigurations", "validatingadmissionpolicies", "validatingadmissionpolicybindings", "mutatingadmissionpolicies", "mutatingadmissionpolicybindings"], WRITE, Cluster;
    Isolation: "networking.k8s.io" ["networkpolicies"], WRITE, Own;
    Isolation: "" ["resourcequotas", "limitranges"], WRITE, Own;
    Isolation: "" ["namespaces"], &["update", "patch"], Own;
    Isolation: "" ["namespaces"], WRITE, Cluster;
    Isolation: "cilium.io" ["ciliumnetworkpolicies", "ciliumclusterwidenetworkpolicies"], WRITE, Own;
    Isolation: "policy.networking.k8s.io" ["adminnetworkpolicies", "baselineadminnetworkpolicies", "clusternetworkpolicies"], WRITE, Own;
    Isolation: "projectcalico.org" ["networkpolicies", "globalnetworkpolicies"], WRITE, Own;
    Isolation: "crd.projectcalico.org" ["networkpolicies", "globalnetworkpolicies"], WRITE, Own;
};

impl Right {
    /// Reads a rule; one of URLs allows nothing with objects.
    pub fn of(view: View<'_>) -> Right {
        let list = |key: &str| -> Vec<Box<str>> {
            let items = view.get(key).map(View::items).unwrap_or_default();
            items
                .into_iter()
                .filter_map(View::text)
                .map(Box::from)
                .collect()
        };
        Right {
            groups: list("apiGroups"),
            resources: list("resources"),
            names: list("resourceNames"),
            verbs: list("verbs"),
        }
    }

    /// What of it is dangerous, where it reaches so far.
    pub fn dangers(&self, reach: RightScope) -> Vec<Danger> {
        let has = |list: &[Box<str>], wanted: &str| {
            list.iter().any(|one| **one == *wanted || **one == *"*")
        };
        let all = |list: &[Box<str>]| list.iter().any(|one| **one == *"*");
        if all(&self.groups) && all(&self.resources) && all(&self.verbs) {
            return vec![Danger::Everything];
        }
        // `pods/*` and `*/exec` are written, too.
        let resource = |wanted: &str| {
            let (main, sub) = wanted.split_once('/').unwrap_or((wanted, ""));
            has(&self.resources, wanted)
                || (!sub.is_empty()
                    && self.resources.iter().any(|one| {
                        one.split_once('/')
                            .is_some_and(|(a, b)| (a == main || a == "*") && (b == sub || b == "*"))
                    }))
        };
        let mut dangers: Vec<Danger> = KNOWN
            .iter()
            .filter(|known| reach >= known.from)
            .filter(|known| has(&self.groups, known.group))
            .filter(|known| known.resources.iter().any(|wanted| resource(wanted)))
            .filter(|known| known.verbs.iter().any(|verb| has(&self.verbs, verb)))
            .map(|known| known.danger)
            .collect();
        dangers.sort_unstable();
        dangers.dedup();
        dangers
    }

    /// Only those resources and verbs of it that are a danger.
    #[must_use]
    pub fn only(&self, danger: Danger, reach: RightScope) -> Right {
        let part = |resource: &str, verb: &str| Right {
            resources: vec![resource.into()],
            verbs: vec![verb.into()],
            ..self.clone()
        };
        let is_one = |resource: &str, verb: &str| {
            let dangers = part(resource, verb).dangers(reach);
            dangers.contains(&danger) || dangers.contains(&Danger::Everything)
        };
        let mut only = self.clone();
        only.resources
            .retain(|resource| self.verbs.iter().any(|verb| is_one(resource, verb)));
        only.verbs
            .retain(|verb| self.resources.iter().any(|resource| is_one(resource, verb)));
        only
    }

    /// `get, list, watch pods, services`; long lists are cut.
    pub fn words(&self) -> String {
        const MOST: usize = 6;
        let list = |list: &[Box<str>]| {
            let mut words: Vec<&str> = list.iter().take(MOST).map(|one| &**one).collect();
            if list.len() > MOST {
                words.push("…");
            }
            words.join(", ")
        };
        let names = if self.names.is_empty() {
            String::new()
        } else {
            format!(" named {}", list(&self.names))
        };
        format!("{} {}{names}", list(&self.verbs), list(&self.resources))
    }
}

/// The rules of the `ClusterRoles` that every cluster has, so far as they are dangerous:
/// <https://kubernetes.io/docs/reference/access-authn-authz/rbac/#user-facing-roles>.
pub fn of_cluster_role(name: &str) -> Option<Vec<Right>> {
    let right = |groups: &[&str], resources: &[&str], verbs: &[&str]| {
        let list = |list: &[&str]| list.iter().map(|one| Box::from(*one)).collect();
        Right {
            groups: list(groups),
            resources: list(resources),
            names: Vec::new(),
            verbs: list(verbs),
        }
    };
    let view = right(
        &["", "apps", "batch"],
        &[
            "pods",
            "pods/log",
            "deployments",
            "statefulsets",
            "jobs",
            "cronjobs",
            "configmaps",
            "services",
        ],
        READ,
    );
    let edit = || {
        vec![
            right(
                &[""],
                &[
                    "secrets",
                    "pods/attach",
                    "pods/exec",
                    "pods/portforward",
                    "pods/proxy",
                    "services/proxy",
                ],
                READ,
            ),
            right(&[""], &["serviceaccounts"], &["impersonate"]),
            right(&[""], &["serviceaccounts/token"], &["create"]),
            right(
                &["", "apps", "batch", "networking.k8s.io"],
                &[
                    "pods",
                    "pods/attach",
                    "pods/exec",
                    "pods/eviction",
                    "deployments",
                    "statefulsets",
                    "daemonsets",
                    "replicasets",
                    "jobs",
                    "cronjobs",
                    "networkpolicies",
                    "secrets",
                ],
                WRITE,
            ),
            view.clone(),
        ]
    };
    match name {
        "view" => Some(vec![view]),
        "edit" => Some(edit()),
        "admin" => {
            let mut rights = edit();
            rights.push(right(
                &["rbac.authorization.k8s.io"],
                &["roles", "rolebindings"],
                WRITE,
            ));
            Some(rights)
        }
        "cluster-admin" => Some(vec![right(&["*"], &["*"], &["*"])]),
        _ => None,
    }
}
