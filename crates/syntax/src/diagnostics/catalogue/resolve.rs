//! T03: references, layers, versions, and who may run what where.

codes! {
NO_PLATFORM = "T0301" Error "there is no Platform document"
cause: "One document of kind Platform, by convention in `tenantry.yaml` at the root, names the organisation and the defaults."
example: "a repository without `kind: Platform`"
remedy: "Add a Platform document, or run `tenantry init`."

DUPLICATE_NAME = "T0302" Error "two documents of a kind have the same name"
cause: "A reference could mean either of them. Components may share a name when their versions differ; there is one Platform only."
example: "two documents `kind: Tenant` with `metadata.name: globex`"
remedy: "Rename one or remove it. Both places are shown."

UNKNOWN_REFERENCE = "T0303" Error "a reference to something that does not exist"
cause: "The name is misspelt, or the document is missing."
example: "components:\n  - component: ingets\n"
remedy: "Write the name that is suggested, or add the document."

DEPENDENCY_CYCLE = "T0304" Error "components or environments depend on each other in a circle"
cause: "None of them could be started, or promoted, before the others."
example: "a depends on b, b depends on a"
remedy: "Remove one of the dependencies that are shown."

NO_VERSION = "T0305" Error "no version meets every requirement"
cause: "The versions that the subscription and the other components of the tenant ask for have nothing in common."
example: "version: ^2 while another component depends on ^1"
remedy: "Loosen one of the requirements that are shown, or add a version that meets all."

DEPRECATED = "T0306" Warning "a deprecated component is in use"
cause: "The component's owner asks its users to move."
example: "status: deprecated"
remedy: "Subscribe to the replacement that the message names."

SUNSET = "T0307" Error "a new subscription to a component that is being phased out"
cause: "A component with `status: sunset` takes no new subscriptions. A subscription that is older than the deprecation says so with `since`."
example: "components:\n  - component: legacy-export   # status: sunset"
remedy: "Subscribe to the replacement; or, for an old subscription, write the day it began as `since`."

ARCHIVED = "T0308" Error "an archived component is in use"
cause: "A component with `status: archived` can no longer be deployed."
example: "status: archived"
remedy: "Subscribe to its replacement, or remove the subscription."

NOT_AUTHORISED = "T0309" Error "the tenant is not authorised for a component"
cause: "The component's `access` names the tenants that may subscribe, and this one is not among them."
example: "access: {tenants: [globex]}"
remedy: "Ask the component's owner to add the tenant to `access`, or remove the subscription."

ENVIRONMENT_NOT_ALLOWED = "T0310" Error "a subscription names an environment that the tenant is not allowed"
cause: "A tenant runs in the environments that its own `environments` lists, and nowhere else."
example: "environments: {development: {}}   # and a subscription for production"
remedy: "Add the environment to the tenant, or remove it from the subscription."

CLEARANCE = "T0311" Error "the tenant's clearance is below the component's"
cause: "A component handles data up to its clearance; a tenant may only run components within its own."
example: "clearance: internal   # and a component with clearance: restricted"
remedy: "Raise the tenant's clearance, if it is entitled to that data, or choose another component."

RESIDENCY = "T0312" Error "the tenant's data may not be in that cluster's zone"
cause: "The tenant's `residency` lists the zones that its data may be in."
example: "residency: [eu]   # placed on a cluster with residency: us"
remedy: "Place the tenant on a cluster in one of its zones, or add the zone to its `residency`."

LOCKED = "T0313" Error "a locked value is overridden from below"
cause: "A context locks paths that lower layers must not change."
example: "lock: [security]   # and a tenant that sets security.runAsNonRoot"
remedy: "Remove the override, or ask the context's owner to lift the lock. Both places are shown."

EXPIRED = "T0314" Note "something has expired and is left out"
cause: "Contexts, grants and shares with an `expiresAt` before the day of judgement (`--as-of`, by default today) have no effect."
example: "expiresAt: 2025-12-31"
remedy: "Remove it, or set a later day if it should still hold."

TIER_LIMITS = "T0315" Error "a negotiated tier needs every limit on the tenant"
cause: "The tier has `requireLimits: true`: nothing is included, so each limit must be agreed and written down."
example: "tier: custom   # and no limits"
remedy: "Write the limits that the message names under the tenant's `limits`."

SESSION_REFUSED = "T0316" Error "a user or session value for a guarded environment"
cause: "Values from `--context` and `--set` belong to nobody's review, so they are refused for production and disaster recovery unless the Platform allows them there."
example: "tenantry render --set image=test --environment production"
remedy: "Write the value into the repository, select other environments, or list the stage in the Platform's `sessionContexts.stages`."

NOT_SUBSCRIBED = "T0317" Error "a dependency that the tenant does not subscribe to"
cause: "A component needs another one beside it, and the tenant does not run that one in the environment."
example: "dependencies: [{component: catalog, version: ^1}]"
remedy: "Add the dependency to the tenant's `components`, in the same environments."

NO_CLUSTER = "T0318" Error "no cluster can take the tenant"
cause: "Of the environment's clusters none is left after dedication (`dedicatedTo`, isolation `physical`) and residency."
example: "isolation: physical   # and no cluster dedicated to the tenant"
remedy: "Add a cluster that fits to the environment, or change the tenant's isolation or residency."

BAD_VALUES = "T0319" Error "the layered values do not make a valid workload"
cause: "Each layer is right by itself, but what they make together is not."
example: "a context sets minReplicas: 5, a tenant sets maxReplicas: 2"
remedy: "Change the marked value, or the layer that it is at odds with."

BAD_PARAMETERS = "T0320" Error "parameters that do not meet the component's schema"
cause: "The component's `parameters` says what a tenant may set."
example: "parameters: {batchSize: many}"
remedy: "Write a value that meets the schema; the message says which rule it breaks."

BAD_CONTEXT_FILE = "T0321" Error "a value or context from the command line is not usable"
cause: "`--set` takes `path=value`; `--context` takes a file with documents of kind Context at level user or session."
example: "tenantry check --set resources.cpu"
remedy: "Write it in that form."

DUTIES = "T0323" Error "somebody has two roles that are to be apart"
cause: "A role's `conflictsWith` names roles that nobody may have beside it in the same tenant and environment: who asks for something does not approve it."
example: "conflictsWith: [approver]   # and a subject with both roles"
remedy: "Take one of the two roles away, or grant it to somebody else."

BAD_PROMPT = "T0324" Error "an agent's prompt asks for facts that are not there"
cause: "`contextKeys`, and `{name}` in a prompt with `strategy: template`, name facts of the `business` of contexts. The agent would be given the braces."
example: "prompt: \"Growth is {market.grwoth} %.\""
remedy: "Write the name that is suggested, or add the fact to a context that holds for every tenant of the component."

OVERDUE = "T0325" Warning "data of a tenant that left is kept for too long"
cause: "The tenant's `offboarding.retainDataUntil` has passed, and its document still makes namespaces and volumes."
example: "offboarding: {requestedAt: 2025-01-31, retainDataUntil: 2026-01-31}"
remedy: "Remove the tenant's document and delete its namespaces, or write a later day and why."

NO_MESH = "T0326" Error "a connection goes through a mesh that the cluster has not"
cause: "With `pattern: service-mesh`, the mesh retries, breaks circuits and gives up in time; the component does not."
example: "pattern: service-mesh   # and no networking.istio.io in the cluster's apis"
remedy: "Install Istio and list its API in the Cluster's `apis`, or write another `pattern`: the component then does it by itself, by the contract in /etc/connections."

NO_EFFECT = "T0327" Warning "something that has no effect where it is written"
cause: "The cluster, or the kind of object that is rendered, cannot do what is asked for."
example: "a pipeline of one job with `retries: {backoff: {first: 1m}}`"
remedy: "Remove it, or do what the message says."

NOT_A_JOB = "T0328" Error "a pipeline runs a component that is no job"
cause: "Jobs of a pipeline end; services do not."
example: "jobs: [{name: api, component: query-api}]   # type: service"
remedy: "Name a component whose workload has `type: job` or `type: scheduled`."

RACE = "T0329" Warning "a job reads what another one writes at the same time"
cause: "By the lineage of their components, one job of a pipeline reads a dataset that another one writes, and neither waits for the other: it may see half of it."
example: "jobs: [{name: load, …}, {name: report, …}]   # without dependsOn"
remedy: "Write the job that writes into `dependsOn` of the one that reads."

MUTE_RECEIVER = "T0330" Error "somebody is to be told, and nothing says how"
cause: "A receiver of an AlertRoute has none of `email`, `slack`, `pagerDuty` and `webhook`, so alerts would be lost."
example: "receivers: [{name: on-call}]"
remedy: "Add one of them."

RPO = "T0331" Error "copies are not made often enough for what may be lost"
cause: "The longest time between two copies by the plan's schedules is more than its `rpo`: that much work is gone when the cluster is lost just before the next copy."
example: "rpo: 1h
backups: {schedule: \"0 */4 * * *\"}"
remedy: "Copy more often, add `replication`, or write a longer `rpo`."

RTO = "T0332" Error "the steps take longer than may pass"
cause: "The plan's `steps`, one after the other, take longer than its `rto`."
example: "rto: 30m
steps: [{name: restore volumes, takes: 2h}]"
remedy: "Prepare more beforehand, shorten the steps, or write a longer `rto`."

NO_STANDBY = "T0333" Error "a tenant of a recovery plan could not be recovered"
cause: "It does not run where the plan says that it runs, or would be recovered; or it is in two plans."
example: "standby: {environment: disaster-recovery, cluster: eu-dr-1}   # which the tenant does not run in"
remedy: "Add the standby's environment to the tenant, or leave it out of the plan's `tenants`."

DRILL = "T0334" Warning "a drill is overdue, or did not hold what is promised"
cause: "By the plan's `drills.schedule` and the day of judgement (`--as-of`) a drill was due; or the last one took longer than the `rto`, or lost more than the `rpo`."
example: "drills: {schedule: \"0 9 1 */3 *\", held: []}"
remedy: "Hold it and write what came of it into `drills.held`, or correct the plan."

NO_API_SERVER = "T0335" Error "a workflow's pods cannot reach the API server"
cause: "The pods of an Argo Workflow tell the API server what came of them, and network policies close everything that is not opened; nothing says where the API server is."
example: "a pipeline of several jobs on a cluster without `apiServerCidrs`"
remedy: "Write the addresses of the API server into the Cluster's `apiServerCidrs`."

LATE = "T0336" Warning "a pipeline promises to end before its jobs may have ended"
cause: "By the `timeout` of its jobs, one after the other as they wait, the pipeline may take longer than its `sla`, or a job longer than its own."
example: "sla: 1h\njobs: [{name: load, timeout: 2h, …}]"
remedy: "Write shorter timeouts, let fewer jobs wait for one another, or promise less."

TIER_ISOLATION = "T0322" Error "the tier does not include that isolation"
cause: "A tier lists the levels of isolation that it offers."
example: "tier: basic\nisolation: physical"
remedy: "Write an isolation that the tier offers, or choose a higher tier."
}
