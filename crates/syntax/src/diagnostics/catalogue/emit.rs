//! T06: the output folder.

codes! {
HAND_EDITED = "T0601" Error "a generated file was edited by hand"
cause: "Its body no longer has the digest that its header states. Rendering would lose the edit."
example: "replicas: 5   # changed in rendered/… instead of in the input"
remedy: "Make the change in the input; `tenantry why` names the line. Then render with --force, which discards the edit."

FOREIGN_FILE = "T0602" Error "a file that Tenantry did not write is in the way"
cause: "A manifest has the same path as a file without the generated header."
example: "rendered/production/eu-1/globex/tenant.yaml written by somebody else"
remedy: "Move the file away, choose another --out, or render with --force, which replaces it."

OUT_OF_DATE = "T0603" Error "the output is not what the input compiles to"
cause: "`render --check` found files that are missing, different, or no longer made."
example: "a tenant was changed, and its manifests were not rendered again"
remedy: "Run `tenantry render` with the same --out and commit the result."

LEFT_ALONE = "T0604" Note "files that Tenantry did not write were left alone"
cause: "Files without the generated header belong to somebody else."
example: "rendered/README.md"
remedy: "Nothing, if they belong there. Remove them by hand otherwise."
}
