//! T05: the rendered manifests.

use super::Code;

/// What says no more than what an API server would do. A distribution or a webhook may do otherwise, so waivers may
/// name these; what crosses tenants is not among them.
pub const OF_API_SERVER: &[Code] = &[
    SCHEMA,
    BAD_OBJECT_NAME,
    REFUSED,
    PODS_REFUSED,
    NOT_SERVED,
    FIELD_VERSION,
];

codes! {
SCHEMA = "T0501" Error "a manifest does not meet the schema of its kind"
cause: "The API server would refuse it, or silently drop a field that it does not know."
example: "annotations: {replicas: 3}   # annotations are text"
remedy: "Change the marked value; the template line that printed it is shown, too. If your API server takes it all the same, write a Waiver with `code: T0501`."

DUPLICATE_OBJECT = "T0502" Error "two manifests are the same object"
cause: "Same group, kind, namespace and name in one cluster: the second would overwrite the first."
example: "two environments on one cluster, with a namespace name that leaves the environment out"
remedy: "Make the names differ: by the Platform's `naming`, or in the template."

DANGLING = "T0503" Error "a manifest refers to an object that is not there"
cause: "The reference stays without effect, or the pod never starts."
example: "configMapKeyRef: {name: settigns}"
remedy: "Write the name that is suggested, or render the object, too. What exists in the cluster already is listed in the Cluster's `existing`."

BAD_OBJECT_NAME = "T0504" Error "an object's name or label is not allowed by Kubernetes"
cause: "Names are DNS labels or subdomains with a greatest length that depends on the kind; labels have 63 characters."
example: "a Service with a name of 70 characters"
remedy: "Shorten the names that it is made of, or the Platform's `naming`."

REFUSED = "T0518" Error "the API server would refuse a manifest"
cause: "Its values have the right types, but break a rule of the API server or of a CRD: a form, a range, a list of values, or what fields say together."
example: "ports: [{containerPort: 70000}]"
remedy: "Write what the help says. The rules are those of Kubernetes' own validation; see docs/api-server.md."

PODS_REFUSED = "T0519" Warning "the namespace refuses the pods of a workload"
cause: "The Pod Security level that the namespace enforces, its LimitRange or a ResourceQuota does not allow them. The API server accepts the workload, and no pod ever starts."
example: "hostNetwork: true   # in a namespace that enforces the level restricted"
remedy: "Write what the help says, or choose another level for the namespace."

QUOTA = "T0505" Error "the tenant's workloads cannot fit into its quota"
cause: "Requests times the most replicas, plus the surge of an update, exceed the tenant's limit: the cluster would refuse the last pods, when they are needed most."
example: "limits: {cpu: 2}   # and 10 replicas of 1 cpu"
remedy: "Lower requests or maxReplicas, or raise the tenant's limit or tier. The shares of the components are listed."

CAPACITY = "T0506" Warning "the workloads of a cluster exceed its capacity"
cause: "When every workload runs at its most replicas, plus the surge of an update, the cluster has not enough. Quotas do not protect a cluster from the sum of its tenants."
example: "capacity: {cpu: 100}   # and workloads that may request 140"
remedy: "Add capacity, move a tenant, or lower requests or maxReplicas. The largest tenants are listed."

REACHED = "T0509" Error "a workload can be reached by another tenant, and no share says so"
cause: "The network policies of both sides, as they are rendered, let it through. Only what a tenant declares in its `shares` may cross tenants, or environments on one cluster."
example: "from: [{namespaceSelector: {}}]   # in a template of the repository"
remedy: "Narrow the policy that is shown, or declare the share in the owner's document. `tenantry report isolation` shows who reaches whom."

ESCALATION = "T0510" Error "an account of a tenant may reach beyond its tenant"
cause: "By the roles that are bound to it, as they are rendered, it could read others' secrets, run pods among others', take rights that it does not have, act as somebody else, or reach nodes."
example: "kubernetes: [{apiGroups: [\"\"], resources: [serviceaccounts], verbs: [impersonate]}]"
remedy: "Leave the right that is shown out of the role, or bind it in the tenant's own namespace only."

TOO_OPEN = "T0511" Error "too much is open to look at every pair of workloads"
cause: "The proof of isolation looks at pairs that some rule could open, and there are millions of them."
example: "no network policies for thousands of workloads"
remedy: "Restore the default-deny policies of the tenants, and look again."

FOREIGN_NAME = "T0513" Error "a workload uses what belongs to another tenant"
cause: "In a namespace that tenants share, every pod can use every Secret, ConfigMap, volume and service account by its name."
example: "envFrom: [{secretRef: {name: data-processing-people-ops-dashboard-payroll}}]"
remedy: "Have a secret of the tenant's own, or give one of the two a namespace of its own (`isolation: namespace`)."

UNPROVEN = "T0514" Warning "a network policy whose effect is not known here"
cause: "The proof of isolation reads the NetworkPolicies of networking.k8s.io. Those of Cilium, Calico, Antrea and of administrators may open what the others close, so nothing is proven of a cluster that has them."
example: "kind: CiliumNetworkPolicy"
remedy: "Write it as a NetworkPolicy where that can say it; otherwise read such policies by hand: the proof is not complete."

BUDGET = "T0512" Warning "a tenant costs more than its budget"
cause: "By the Platform's `pricing` and the tenant's billing model, what it is charged in a month is more than its `monthlyBudget`: for `requested`, already at the least replicas and without jobs."
example: "billing: {costCenter: cc-1, monthlyBudget: 100}"
remedy: "Lower what the message names, or raise the budget. `tenantry report cost` has all figures."

JOB_HOURS = "T0515" Warning "jobs of a tenant may run for longer than its hours of a month"
cause: "By their schedules, with every run until its deadline, in all environments and clusters of the tenant together."
example: "limits: {maxMonthlyProcessingHours: 10}   # and an hourly job with a deadline of half an hour"
remedy: "Run jobs less often, lower their deadline, or raise `limits.maxMonthlyProcessingHours`."

JOBS_AT_ONCE = "T0516" Warning "more jobs of a tenant may run at the same time than its limit"
cause: "By their schedules and time zones, in the week of the day of judgement, if each run takes its time until its deadline, in all environments and clusters of the tenant together."
example: "limits: {maxConcurrentJobs: 1}   # and two jobs at two o'clock"
remedy: "Start them at other times, lower their deadlines, or raise `limits.maxConcurrentJobs`. `tenantry report schedule` shows the week."

RUNS_TWICE = "T0517" Warning "jobs run in a standby that waits"
cause: "A recovery plan says `mode: active-passive`, and a job is not paused in the standby: it would work on the same data in both places."
example: "mode: active-passive   # and an environment of the standby without `schedule: {suspend: true}`"
remedy: "Pause jobs in the standby's environment, or write `mode: active-active` if they may run in both."

NO_SCHEMA = "T0507" Warning "a custom resource without a schema"
cause: "Nothing can be said about its fields. It is said once for each kind and cluster."
example: "kind: Rollout   # and no CRD"
remedy: "Add the CRD's file to the Cluster's `crds`, or a dump of its API to `openapi` (kubectl get --raw /openapi/v2)."

OTHER_VERSION = "T0508" Note "manifests are judged by another Kubernetes version's schemas"
cause: "The fields of Kubernetes 1.16 to 1.37 are built in; a field that came or went outside of them is judged wrongly."
example: "kubernetesVersion: \"1.40\""
remedy: "Add a dump of the cluster's API as `openapi` (kubectl get --raw /openapi/v2)."

NOT_SERVED = "T0530" Error "the cluster's Kubernetes version does not serve this kind"
cause: "The API server would refuse the object: Kubernetes never had the kind or API version, does not have it yet, or has removed it."
example: "apiVersion: policy/v1beta1   # removed in 1.25"
remedy: "Write the API version or kind that is named. `tenantry report upgrade --to 1.36` shows what another version does not serve."

DEPRECATED_API = "T0531" Warning "an API version is deprecated"
cause: "The cluster still serves it, and warns of it; a later Kubernetes version removes it."
example: "kind: Endpoints   # of v1, deprecated since 1.33"
remedy: "Move to the replacement that is named before the cluster is upgraded."

FIELD_VERSION = "T0532" Error "the cluster's Kubernetes version does not have this field"
cause: "The API server would refuse it under strict validation, or silently drop it."
example: "resizePolicy: []   # of a container, on a cluster of 1.26"
remedy: "Remove the field, or upgrade the cluster first."

NOT_ENABLED = "T0533" Warning "an API version is off by default"
cause: "API servers serve alpha versions, and beta versions introduced since 1.24, only if they are started with `--runtime-config`."
example: "apiVersion: resource.k8s.io/v1alpha3"
remedy: "Write a stable version, or list the API in the Cluster's `apis` if it is enabled there."
}
