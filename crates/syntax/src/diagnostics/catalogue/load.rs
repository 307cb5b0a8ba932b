//! T01: files and YAML.

codes! {
SYNTAX = "T0101" Error "not valid YAML"
cause: "The file cannot be read as YAML. What stands after the broken place is read again from the next `---`, so other documents of the file are still checked."
example: "metadata:\n  name: [globex\n"
remedy: "Close what is open at the marked place: a bracket, a quote, an indentation. An editor with YAML support shows it while you type."

DUPLICATE_KEY = "T0102" Error "a key is given twice"
cause: "YAML readers disagree about which of the two values counts, so one of them would silently be lost."
example: "limits:\n  cpu: 2\n  cpu: 4\n"
remedy: "Keep one of the two. Both places are shown."

AMBIGUOUS_NUMBER = "T0103" Error "a number that YAML readers disagree about"
cause: "`0755` is 755 to YAML 1.2 and 493 to YAML 1.1; numbers beyond 64 bits lose digits; JSON has no `.nan` and no `.inf`."
example: "defaultMode: 0755\n"
remedy: "Put it in quotes when it is text, or write the number without leading zeros (`0o755` for octal)."

UNSUPPORTED_YAML = "T0104" Error "a YAML feature that is not supported"
cause: "Tags, keys that are maps or lists, and merges of anything but maps have no meaning in a configuration that ends as JSON in the Kubernetes API."
example: "when: !!timestamp 2026-01-01\n"
remedy: "Write plain maps, lists, text, numbers, true and false."

BOUND = "T0105" Error "too large, too deep, or unfolding without end"
cause: "Input is bounded so that nobody can make a build hang: 8 MiB a file, 64 levels of nesting, a million values a document with its aliases unfolded."
example: "a: &a [x, x]\nb: &b [*a, *a]\n# … and so on, doubling at each line\n"
remedy: "Split the file, or write the values out in place of nested aliases."

NOT_UTF8 = "T0106" Error "not UTF-8 text"
cause: "Files are read as UTF-8."
example: "a file saved as UTF-16 or Latin-1"
remedy: "Save the file as UTF-8."

SYMLINK = "T0107" Warning "a symbolic link was not followed"
cause: "A link may lead out of the repository, so links to files and folders are not read."
example: "tenants/shared.yaml -> ../../elsewhere/shared.yaml"
remedy: "Put the file itself into the repository."

OTHER_VERSION = "T0109" Error "the repository needs another version of Tenantry"
cause: "The Platform's `requiredVersion` is a range that does not contain the version of the tool that runs. Nothing else is judged: what else seems wrong may only be wrong for this version."
example: "requiredVersion: \">=0.3, <0.5\"   # and 0.1.0 runs"
remedy: "Run a version of the range, as the pipelines of the repository do; or change the range once the repository is made ready for this version."

UNREADABLE_FILE = "T0108" Error "a file that is named here cannot be read"
cause: "The path leads to no file of the repository, out of it, or to content of another form than expected."
example: "crds: [crds/rollouts.yaml]   # there is no such file"
remedy: "Write the path from the repository's root, to a file that is in it."
}
