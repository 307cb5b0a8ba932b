//! T02: the form of documents.

codes! {
UNKNOWN_KIND = "T0201" Error "an unknown kind or version"
cause: "The document says that it is Tenantry's, but there is no such kind, or no such version of the API."
example: "apiVersion: tenantry.dev/v1\nkind: Tennant\n"
remedy: "Write one of the kinds that `tenantry schema` lists, with `apiVersion: tenantry.dev/v1`."

UNKNOWN_FIELD = "T0202" Error "an unknown field"
cause: "A field that nothing reads is most often a misspelt one, and its value would have no effect."
example: "spec:\n  teir: basic\n"
remedy: "Write the field that is suggested, or see `tenantry explain KIND` for all fields. Free data for your own templates belongs under `settings`."

MISSING_FIELD = "T0203" Error "a required field is missing"
cause: "There is no sensible default for this field."
example: "kind: Tenant\nspec:\n  owner: team-a   # and no tier"
remedy: "Add the field. `tenantry explain KIND.field` tells what it holds."

WRONG_TYPE = "T0204" Error "a value of another type than expected"
cause: "For example text where a number is expected, or a single value where a list is expected. YAML reads `yes` as text and `1.10` as the number 1.1."
example: "maxReplicas: \"3\"\n"
remedy: "Write the value in the form that the message names: quotes make text, a leading `-` makes a list item."

NOT_ONE_OF = "T0205" Error "a value that is not one of those allowed"
cause: "The field takes one of a few words."
example: "tier: basc\n"
remedy: "Write one of the words that are listed."

MALFORMED = "T0206" Error "a value that is malformed"
cause: "Quantities, durations, schedules, versions, address ranges, dates, URLs and names are read, not passed on as text, so that mistakes show here and not in the cluster."
example: "memory: 4GB\n"
remedy: "Write it in the form that the message names, for example `4Gi`, `30s`, `0 2 * * *`, `^1.4`, `10.0.0.0/8`, `2027-01-31`."

OUT_OF_RANGE = "T0207" Error "a number or length out of its range"
cause: "The field has a least or a greatest value."
example: "maxConcurrentJobs: 0\n"
remedy: "Write a value within the range that the message names."

MISSING_HEADER = "T0208" Error "a document that looks like Tenantry's but has no apiVersion"
cause: "Only documents with `apiVersion: tenantry.dev/v1` are read, so this one has no effect."
example: "kind: Tenant\nmetadata: {name: globex}\n"
remedy: "Add `apiVersion: tenantry.dev/v1` as the first line of the document."

CONTRADICTION = "T0209" Error "two fields contradict each other"
cause: "For example an image with both tag and digest, or a minimum above its maximum."
example: "scaling: {minReplicas: 5, maxReplicas: 2}\n"
remedy: "Change one of the two fields. Both places are shown."

BAD_PARAMETER_SCHEMA = "T0210" Error "the schema for parameters is not a valid JSON Schema"
cause: "A component's `parameters` is a JSON Schema (draft 2020-12) that every tenant's parameters are judged by."
example: "parameters: {type: objekt}\n"
remedy: "Mend the schema at the marked place."
}
