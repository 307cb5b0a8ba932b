//! CustomResourceDefinitions: what their parts say together. Their schemas are judged by `structural`.

use std::collections::HashSet;

use serde_json::Value as Json;

use super::checks::FormatError;
use super::{RefusalReason, forms, structural};
use tenantry_engine::schema::Minor;
use tenantry_syntax::yaml::PathStep;

/// Judges a definition as a version of Kubernetes does.
pub fn check(crd: &Json, minor: Minor) -> Vec<FormatError> {
    let spec = &crd["spec"];
    let mut found = Vec::new();
    names(crd, &mut found);
    versions(spec, &mut found);
    conversion(&spec["conversion"], &mut found);
    if spec["preserveUnknownFields"] == Json::Bool(true) {
        let field = ["spec".into(), "preserveUnknownFields".into()];
        found.push(FormatError::at(
            &field,
            RefusalReason::Invalid,
            "must be false",
            "write `x-kubernetes-preserve-unknown-fields: true` into the schema",
        ));
    }
    schemas(spec, minor, &mut found);
    found
}

/// Takes a field below a part of the definition, and what is wrong with it.
type Refuse<'a> = dyn FnMut(&[PathStep], RefusalReason, &str, &str) + 'a;

fn path(steps: &[&str]) -> Vec<PathStep> {
    steps.iter().map(|step| PathStep::from(*step)).collect()
}

fn names(crd: &Json, found: &mut Vec<FormatError>) {
    let spec = &crd["spec"];
    let text = |json: &Json| json.as_str().unwrap_or_default().to_owned();
    let (group, plural) = (text(&spec["group"]), text(&spec["names"]["plural"]));
    let is = |form: &str, text: &str| forms::find(form).is_some_and(|form| (form.is)(text));
    let mut refuse = |field: &[&str], reason, says: String, help: &str| {
        found.push(FormatError::at(&path(field), reason, says, help));
    };
    let wanted = format!("{plural}.{group}");
    if crd["metadata"]["name"]
        .as_str()
        .is_some_and(|name| name != wanted)
    {
        let help = format!("write `{wanted}`");
        let says = format!("must be `{wanted}`: the plural and the group");
        refuse(&["metadata", "name"], RefusalReason::Invalid, says, &help);
    }
    if !is("dns1123-subdomain", &group) || !group.contains('.') {
        let says = format!("cannot be `{group}`");
        refuse(
            &["spec", "group"],
            RefusalReason::Invalid,
            says,
            "write a domain, such as `acme.example`",
        );
    }
    let scope = text(&spec["scope"]);
    if !["Cluster", "Namespaced"].contains(&scope.as_str()) {
        let says = format!("cannot be `{scope}`");
        refuse(
            &["spec", "scope"],
            RefusalReason::NotSupported,
            says,
            "write `Namespaced` or `Cluster`",
        );
    }
    let own = &spec["names"];
    for name in ["plural", "singular", "kind", "listKind"] {
        let value = text(&own[name]);
        let is_optional = ["singular", "listKind"].contains(&name);
        if value.is_empty() && is_optional {
            continue;
        }
        let judged = if name.ends_with("ind") {
            value.to_lowercase()
        } else {
            value.clone()
        };
        if !is("dns1035-label", &judged) {
            let says = format!("cannot be `{value}`");
            refuse(
                &["spec", "names", name],
                RefusalReason::Invalid,
                says,
                "write letters and digits, a letter first",
            );
        }
    }
    if !text(&own["kind"]).is_empty() && own["kind"] == own["listKind"] {
        let says = "must differ from `kind`".to_owned();
        refuse(
            &["spec", "names", "listKind"],
            RefusalReason::Invalid,
            says,
            "append `List` to the kind",
        );
    }
    for list in ["shortNames", "categories"] {
        for (at, name) in own[list].as_array().into_iter().flatten().enumerate() {
            if !is("dns1035-label", &text(name)) {
                let mut field = path(&["spec", "names", list]);
                field.push(PathStep::Index(at));
                let says = format!("cannot be `{}`", text(name));
                found.push(FormatError::at(
                    &field,
                    RefusalReason::Invalid,
                    says,
                    "write lower-case letters, digits and `-`",
                ));
            }
        }
    }
    approval(crd, &group, found);
}

/// Groups of Kubernetes' own domains need an approval, or say that they have none.
fn approval(crd: &Json, group: &str, found: &mut Vec<FormatError>) {
    const KEY: &str = "api-approved.kubernetes.io";
    let is_kubernetes = ["k8s.io", "kubernetes.io"]
        .iter()
        .any(|domain| group == *domain || group.ends_with(&format!(".{domain}")));
    if !is_kubernetes {
        return;
    }
    let value = crd["metadata"]["annotations"][KEY].as_str();
    let is_url = |text: &str| {
        text.split_once("://").is_some_and(|(scheme, rest)| {
            !scheme.is_empty() && !rest.is_empty() && !rest.starts_with('/')
        })
    };
    let (reason, says) = match value {
        None | Some("") => (
            RefusalReason::Required,
            "is missing: groups of `k8s.io` need an approval",
        ),
        Some(text) if text.starts_with("unapproved") || is_url(text) => return,
        Some(_) => (
            RefusalReason::Invalid,
            "must be the address of the pull request that approved it",
        ),
    };
    found.push(FormatError::at(
        &path(&["metadata", "annotations", KEY]),
        reason,
        says,
        "write the address of the approval, or `unapproved, REASON`, or use a group of your own domain",
    ));
}

fn versions(spec: &Json, found: &mut Vec<FormatError>) {
    let empty = Vec::new();
    let versions = spec["versions"].as_array().unwrap_or(&empty);
    let list = path(&["spec", "versions"]);
    let refuse =
        |found: &mut Vec<FormatError>, field: &[PathStep], reason, says: &str, help: &str| {
            found.push(FormatError::at(field, reason, says, help));
        };
    let stored = versions
        .iter()
        .filter(|version| version["storage"] == Json::Bool(true))
        .count();
    if stored != 1 {
        refuse(
            found,
            &list,
            RefusalReason::Invalid,
            "must have exactly one version with `storage: true`",
            "mark the version in which objects are stored",
        );
    }
    let mut seen = HashSet::new();
    for (at, version) in versions.iter().enumerate() {
        let below = |steps: &[&str]| {
            let mut field = list.clone();
            field.push(PathStep::Index(at));
            field.extend(path(steps));
            field
        };
        let name = version["name"].as_str().unwrap_or_default();
        if !seen.insert(name) {
            refuse(
                found,
                &list,
                RefusalReason::Invalid,
                "must have names that differ",
                "remove one of the versions",
            );
        }
        if !forms::find("dns1035-label").is_some_and(|form| (form.is)(name)) {
            refuse(
                found,
                &below(&["name"]),
                RefusalReason::Invalid,
                "is not the name of a version",
                "write it like `v1`",
            );
        }
        if version["deprecationWarning"].is_string() && version["deprecated"] != Json::Bool(true) {
            refuse(
                found,
                &below(&["deprecationWarning"]),
                RefusalReason::Invalid,
                "may only be set for a deprecated version",
                "write `deprecated: true`, too",
            );
        }
        if !version["schema"]["openAPIV3Schema"].is_object() {
            refuse(
                found,
                &below(&["schema", "openAPIV3Schema"]),
                RefusalReason::Required,
                "is missing",
                "write the schema of the version",
            );
        }
        // The API server names what all versions share as if the definition had only that.
        let shared = |name: &str| versions.iter().all(|other| other[name] == version[name]);
        let mut refuse_part = |name: &str, steps: &[PathStep], reason, says: &str, help: &str| {
            let mut one = FormatError::at(&below(&[name]), reason, says, help);
            if shared(name) {
                one.field = path(&["spec", name]);
            }
            one.field.extend_from_slice(steps);
            one.place.extend_from_slice(steps);
            found.push(one);
        };
        subresources(
            &version["subresources"],
            &mut |steps, reason, says, help| {
                refuse_part("subresources", steps, reason, says, help);
            },
        );
        columns(version, &mut |steps, reason, says, help| {
            refuse_part("additionalPrinterColumns", steps, reason, says, help);
        });
    }
}

fn subresources(subresources: &Json, refuse: &mut Refuse<'_>) {
    let scale = &subresources["scale"];
    if !scale.is_object() {
        return;
    }
    let paths = [
        ("specReplicasPath", &[".spec."][..], true),
        ("statusReplicasPath", &[".status."][..], true),
        ("labelSelectorPath", &[".spec.", ".status."][..], false),
    ];
    for (name, below, is_required) in paths {
        let field = path(&["scale", name]);
        match scale[name].as_str().unwrap_or_default() {
            "" if is_required => refuse(
                &field,
                RefusalReason::Required,
                "is missing",
                "write the path of the field",
            ),
            "" => {}
            text if below.iter().any(|below| text.starts_with(below)) && !text.contains('[') => {}
            _ => refuse(
                &field,
                RefusalReason::Invalid,
                "must be a path below `.spec` or `.status`, without `[]`",
                "write it like `.spec.replicas`",
            ),
        }
    }
}

fn columns(version: &Json, refuse: &mut Refuse<'_>) {
    let columns = version["additionalPrinterColumns"].as_array();
    for (at, column) in columns.into_iter().flatten().enumerate() {
        let below = |name: &str| [PathStep::Index(at), PathStep::from(name)];
        for name in ["name", "jsonPath"] {
            if column[name].as_str().unwrap_or_default().is_empty() {
                refuse(
                    &below(name),
                    RefusalReason::Required,
                    "is missing",
                    "write it",
                );
            }
        }
        let kinds = ["integer", "number", "string", "boolean", "date"];
        if !column["type"]
            .as_str()
            .is_some_and(|kind| kinds.contains(&kind))
        {
            refuse(
                &below("type"),
                RefusalReason::NotSupported,
                "is not a type of columns",
                "write `integer`, `number`, `string`, `boolean` or `date`",
            );
        }
        let formats = [
            "int32",
            "int64",
            "float",
            "double",
            "byte",
            "date",
            "date-time",
            "password",
            "",
        ];
        if column["format"]
            .as_str()
            .is_some_and(|format| !formats.contains(&format))
        {
            refuse(
                &below("format"),
                RefusalReason::NotSupported,
                "is not a format of columns",
                "remove it",
            );
        }
        if column["jsonPath"]
            .as_str()
            .is_some_and(|text| !text.is_empty() && !text.starts_with('.'))
        {
            refuse(
                &below("jsonPath"),
                RefusalReason::Invalid,
                "must start with `.`",
                "write it like `.status.phase`",
            );
        }
    }
}

fn conversion(conversion: &Json, found: &mut Vec<FormatError>) {
    if !conversion.is_object() {
        return;
    }
    let mut refuse = |field: &[&str], reason, says: &str, help: &str| {
        let mut all = path(&["spec", "conversion"]);
        all.extend(path(field));
        found.push(FormatError::at(&all, reason, says, help));
    };
    let webhook = &conversion["webhook"];
    match conversion["strategy"].as_str() {
        Some("None") => {
            if webhook.is_object() {
                refuse(
                    &["webhook"],
                    RefusalReason::Forbidden,
                    "may only be set for the strategy `Webhook`",
                    "remove it",
                );
            }
        }
        Some("Webhook") => {
            let client = &webhook["clientConfig"];
            if !client.is_object() {
                refuse(
                    &["webhook", "clientConfig"],
                    RefusalReason::Required,
                    "is missing",
                    "name the webhook's service",
                );
            } else if client["url"].is_string() == client["service"].is_object() {
                refuse(
                    &["webhook", "clientConfig"],
                    RefusalReason::Required,
                    "must have a `url` or a `service`, and not both",
                    "name the webhook's service",
                );
            }
            let versions = webhook["conversionReviewVersions"].as_array();
            if versions.is_none_or(Vec::is_empty) {
                refuse(
                    &["webhook", "conversionReviewVersions"],
                    RefusalReason::Required,
                    "must have at least one version",
                    "write `[v1]`",
                );
            }
        }
        _ => refuse(
            &["strategy"],
            RefusalReason::NotSupported,
            "is not a strategy of conversion",
            "write `None` or `Webhook`",
        ),
    }
}

/// The schemas of versions. The API server names one that all versions share as if the definition had only that.
fn schemas(spec: &Json, minor: Minor, found: &mut Vec<FormatError>) {
    let empty = Vec::new();
    let versions = spec["versions"].as_array().unwrap_or(&empty);
    let schema = |version: &Json| version["schema"]["openAPIV3Schema"].clone();
    let is_shared = versions
        .iter()
        .all(|version| schema(version) == schema(&versions[0]));
    for (at, version) in versions.iter().enumerate() {
        if is_shared && at > 0 {
            break;
        }
        let own = &version["schema"]["openAPIV3Schema"];
        if !own.is_object() {
            continue;
        }
        let mut place = path(&["spec", "versions"]);
        place.push(PathStep::Index(at));
        place.extend(path(&["schema", "openAPIV3Schema"]));
        let named = if is_shared {
            path(&["spec", "validation", "openAPIV3Schema"])
        } else {
            place.clone()
        };
        for mut one in structural::check(own, minor) {
            one.field.splice(0..0, named.clone());
            one.place.splice(0..0, place.clone());
            found.push(one);
        }
    }
}
