//! T07: what a change risks.

codes! {
DESTROY = "T0701" Warning "what holds data, or other objects, goes away"
cause: "A Namespace takes everything in it along; a claim takes its volume, unless the volume is retained; a CustomResourceDefinition takes all objects of its kind."
example: "a tenant is removed, and with it its Namespace and volume claims"
remedy: "Make sure that the data is backed up or not needed. To keep the objects, take the removal out of the change."

REPLACE = "T0702" Warning "a field that cannot be updated has changed"
cause: "The API server refuses the update, so that the delivery stops there; or the object is deleted and made anew, with an outage in between."
example: "the storage class of a PersistentVolumeClaim, the selector of a Deployment"
remedy: "Give the new object another name and move over, or plan the outage: delete the object by hand and let the delivery make it anew."

EXPOSURE = "T0703" Warning "more can be reached or done than before"
cause: "A network policy lets in more, a role may do more, a container may do more on its node, or a service can be reached from outside."
example: "runAsNonRoot: true → false"
remedy: "Let the owner of what is exposed, or the security team, agree. To keep it closed, take the marked line out of the change."

DATA = "T0704" Warning "data is kept shorter, less safely or elsewhere"
cause: "Retention is shortened, encryption is off, residency has moved, or a classification is lower."
example: "retentionDays: 730 → 30"
remedy: "Let the data's owner agree, and the data protection officer where personal data is concerned."

GOVERNANCE = "T0705" Warning "a rule, a lock or a right is weaker"
cause: "A framework or pack of rules is left out or judges more softly, a lock is lifted, a grant or share reaches further, or clusters take manifests from elsewhere."
example: "a path is taken out of a Context's `lock`"
remedy: "Let the owner of the rule agree, and write the reason into the change."

CAPACITY = "T0706" Warning "workloads may ask for nearly all that there is"
cause: "Requests at the most replicas come close to the tenant's quota, or to the cluster's capacity: the next update or spike finds no room."
example: "maxReplicas: 4 → 12 with a quota for 12"
remedy: "Raise the quota or the capacity, or lower requests or maxReplicas."

COST = "T0707" Note "it costs more"
cause: "Requests at the least replicas, by the Platform's `pricing`, cost at least a tenth more than before, or more than the tenant's budget."
example: "minReplicas: 2 → 6"
remedy: "Let whoever pays agree: the tenant's `billing` names the cost centre."

RESTART = "T0708" Note "pods are replaced"
cause: "A pod template has changed, so all pods of the workload are made anew, as its rollout says."
example: "image 1.4.0 → 1.5.0"
remedy: "Nothing, where restarts are expected. Mind workloads with one replica and without a rolling update: they are away for a moment."
}
