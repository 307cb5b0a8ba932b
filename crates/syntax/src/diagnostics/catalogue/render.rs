//! T04: templates.

codes! {
BAD_HEADER = "T0401" Error "a template's header cannot be read"
cause: "A template starts with a comment `{#- … -#}` of YAML that says its `scope`, and may say `when`, `requires` and `otherwise`."
example: "{#-\nscope: componnent\n-#}"
remedy: "Write the header as shown by `tenantry explain T0401`: scope is cluster, tenant, component, delivery or folder; `when` is an expression; `requires` an API such as `autoscaling/v2`; `otherwise` is skip or error."

TEMPLATE_SYNTAX = "T0402" Error "a template's syntax is wrong"
cause: "The template language is Jinja's, as minijinja has it."
example: "{% if workload.ports %}\n… and no {% endif %}"
remedy: "Mend the marked line."

UNDEFINED = "T0403" Error "a template uses a name that does not exist"
cause: "Nothing prints as empty by accident: an unknown name is an error. A known field that is not set is `none`."
example: "{{ workload.imgae }}"
remedy: "Write the name that is suggested; for data that may be absent, `{{ x.y | default(…) }}`."

TEMPLATE_FAILED = "T0404" Error "a template could not be evaluated"
cause: "A filter or operator was given something that it cannot work with."
example: "{{ workload.image | scale(2) }}"
remedy: "Mend the marked template line, or the value that it was given."

NOT_YAML = "T0405" Error "a template's text is not valid YAML"
cause: "Values cannot break the structure, so it is the template's own text: an indentation, a missing colon."
example: "spec:\n replicas: 1\n  paused: true"
remedy: "Mend the marked template line."

TEMPLATE_BOUND = "T0406" Error "a template does too much"
cause: "Loops, recursion and output are bounded: 1,000,000 steps and 4 MiB a template."
example: "{% for a in range(100000) %}{% for b in range(100000) %}…"
remedy: "Make the loops smaller."

KEY_TWICE = "T0407" Error "a template gives a key twice"
cause: "A computed key or a spread (`<<: {{ map }}`) has a key that is there already, so one of the values would be lost."
example: "labels:\n  app: web\n  <<: {{ component.labels }}   # which has app, too"
remedy: "Remove the key from the template, or from the map at the marked line."

BAD_PLACE = "T0408" Error "a value stands where it cannot be printed"
cause: "A map or a list can fill a place of its own, but cannot be joined with text or be a key; nothing (`none`) cannot be either; a spread needs a map."
example: "name: {{ tenant.contacts }}-api"
remedy: "Print a part of it, or give it a place of its own."

API_MISSING = "T0409" Error "the cluster does not have an API that is needed here"
cause: "A template with `otherwise: error` makes something that has no equivalent without that API."
example: "rollout: {strategy: canary}   # on a cluster without argoproj.io/v1alpha1/Rollout"
remedy: "Add the API to the cluster's `apis` once it is installed, or choose what the message suggests."

NOT_AN_OBJECT = "T0410" Error "a template's document is not a Kubernetes object"
cause: "Every document needs `apiVersion`, `kind` and `metadata.name`."
example: "kind: Service\nmetadata: {labels: {}}"
remedy: "Add the field that the message names to the template."

UNREAD_VALUE = "T0411" Warning "a value that nothing reads"
cause: "No template read it for any instance that it applies to, so it has no effect."
example: "schedule: \"0 2 * * *\"   # on a workload of type service"
remedy: "Remove it, or see `tenantry explain Component.workload` for what applies to this type."

PATCH_MATCHES_NOTHING = "T0412" Error "a patch that matches no object"
cause: "A patch is for something that is rendered; where its target is misspelt, what it should change goes out unchanged."
example: "patches: [{target: {kind: Deploymnet}, merge: {…}}]"
remedy: "Correct its `target`, or remove the patch."

PATCH_CHANGES_NOTHING = "T0413" Warning "a patch that changes nothing"
cause: "Every object that it matches is so without it."
example: "patches: [{target: {kind: Service}, merge: {spec: {type: ClusterIP}}}]"
remedy: "Remove it."

PATCH_FAILED = "T0414" Error "a patch cannot be applied"
cause: "It has a map where the object has a list, a path that is not there, a `test` that fails, or a directive that does not exist."
example: "json: [{op: remove, path: /spec/tempalte}]"
remedy: "Write it for what is rendered: `tenantry why` shows the object's fields."
}
