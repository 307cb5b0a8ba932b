//! Whether a cluster's version of Kubernetes serves the kinds that it gets, and has their fields.

use super::schemas::Schemas;
use crate::model::locator::Locator;
use tenantry_engine::manifest::Rendered;
use tenantry_engine::schema::Minor;
use tenantry_kubernetes::versions::{self, Lifecycle};
use tenantry_syntax::diagnostics::catalogue::verify as codes;
use tenantry_syntax::diagnostics::{Diagnostic, Sink, list_names, nearest};

/// Checks the kind of an object; gives whether its fields can be judged.
pub fn check(schemas: &Schemas, locator: &Locator<'_>, one: &Rendered, sink: &mut Sink) -> bool {
    let cluster = &locator.unit.key.cluster;
    let (api_version, kind) = (one.manifest.api_version(), one.manifest.kind());
    let is_known = schemas.find(cluster, &api_version, &kind).is_some();
    let minor = schemas.minor(cluster);
    if !versions::is_built_in(versions::group(&api_version)) {
        return true;
    }
    let lifecycle = versions::lifecycle(&api_version, &kind);
    let is_listed = schemas.is_listed(cluster, &api_version, &kind);
    let judgement = match lifecycle {
        // What the cluster itself says that it serves, it serves.
        _ if is_known && schemas.has_dump(cluster) => lifecycle
            .filter(|known| known.is_deprecated(minor))
            .map(|known| {
                (
                    codes::DEPRECATED_API,
                    deprecated(&api_version, &kind, known),
                )
            }),
        None if is_known => None,
        None => Some((codes::NOT_SERVED, unknown(&api_version, &kind, minor))),
        Some(known) if !known.is_served(minor) => Some((
            codes::NOT_SERVED,
            not_served(&api_version, &kind, known, minor),
        )),
        Some(_) if schemas.has_dump(cluster) => Some((
            codes::NOT_SERVED,
            (
                format!("{kind} of {api_version} is not in the dump of the cluster's API"),
                replacement(
                    &kind,
                    versions::serving(versions::group(&api_version), &kind, minor),
                ),
            ),
        )),
        Some(known) if known.is_deprecated(minor) => Some((
            codes::DEPRECATED_API,
            deprecated(&api_version, &kind, known),
        )),
        Some(known) if known.opt_in && !is_listed => Some((
            codes::NOT_ENABLED,
            (
                format!("{kind} of {api_version} is served only where the API server enables it"),
                format!(
                    "add `{api_version}/{kind}` to the Cluster's `apis` if it runs with `--runtime-config={api_version}=true`"
                ),
            ),
        )),
        Some(_) => None,
    };
    let Some((code, (message, help))) = judgement else {
        return true;
    };
    let root = one.manifest.root();
    let field =
        if code == codes::NOT_SERVED && lifecycle.is_none() && is_version(&api_version, minor) {
            "kind"
        } else {
            "apiVersion"
        };
    let diagnostic = Diagnostic::new(code, message)
        .note(format!("cluster `{cluster}` runs Kubernetes 1.{minor}"))
        .note(locator.object(one))
        .help(help);
    sink.push(locator.at(diagnostic, root.get(field).unwrap_or(root), ""));
    code != codes::NOT_SERVED
}

/// Whether a version has kinds of an API version.
fn is_version(api_version: &str, minor: Minor) -> bool {
    let kinds = versions::served_kinds(versions::group(api_version), minor);
    kinds.iter().any(|(served, _)| *served == api_version)
}

/// What is wrong with a kind that Kubernetes never had, and what to write.
fn unknown(api_version: &str, kind: &str, minor: Minor) -> (String, String) {
    let group = versions::group(api_version);
    let message = if is_version(api_version, minor) {
        format!("{api_version} has no kind `{kind}`")
    } else {
        format!("Kubernetes has no API version `{api_version}`")
    };
    let here = versions::serving(group, kind, minor);
    if !here.is_empty() {
        return (message, replacement(kind, here));
    }
    let kinds = versions::served_kinds(group, minor);
    let near = nearest(kind, kinds.iter().map(|(_, kind)| *kind));
    if let Some(near) = near {
        let of = versions::serving(group, near, minor);
        let of = of.first().copied().unwrap_or(api_version);
        return (message, format!("did you mean `{near}` of `{of}`?"));
    }
    let elsewhere = versions::groups_of(kind, minor);
    let help = if elsewhere.is_empty() {
        format!(
            "the kinds of this group are {}",
            list_names(distinct(&kinds))
        )
    } else {
        replacement(kind, elsewhere)
    };
    (message, help)
}

fn distinct<'a>(kinds: &[(&'a str, &'a str)]) -> Vec<&'a str> {
    let mut names: Vec<&str> = kinds.iter().map(|(_, kind)| *kind).collect();
    names.sort_unstable();
    names.dedup();
    names
}

fn not_served(api_version: &str, kind: &str, known: &Lifecycle, minor: Minor) -> (String, String) {
    if known.introduced > minor {
        let served = versions::serving(versions::group(api_version), kind, minor);
        let help = match served.as_slice() {
            [] => "upgrade the cluster first, or leave the object out".to_owned(),
            _ => replacement(kind, served),
        };
        let message = format!(
            "{kind} of {api_version} needs Kubernetes 1.{}",
            known.introduced
        );
        return (message, help);
    }
    let removed = known.removed.unwrap_or(minor);
    let message = format!("{kind} of {api_version} was removed in Kubernetes 1.{removed}");
    (message, instead(known, minor))
}

fn deprecated(api_version: &str, kind: &str, known: &Lifecycle) -> (String, String) {
    let since = known.deprecated.unwrap_or(0);
    let until = known.removed.map_or(String::new(), |removed| {
        format!(" and is removed in 1.{removed}")
    });
    let message =
        format!("{kind} of {api_version} is deprecated since Kubernetes 1.{since}{until}");
    (message, instead(known, known.removed.unwrap_or(since)))
}

/// What to write in place of a kind that goes.
fn instead(known: &Lifecycle, minor: Minor) -> String {
    if let Some(advice) = &known.advice {
        return advice.clone();
    }
    let Some((api_version, kind)) = &known.replacement else {
        return "leave the object out: nothing replaces its kind".to_owned();
    };
    let since = versions::lifecycle(api_version, kind).map_or(0, |found| found.introduced);
    let since = if since > 0 && since <= minor {
        format!(", there since 1.{since}")
    } else {
        String::new()
    };
    format!("write `apiVersion: {api_version}` and `kind: {kind}`{since}; its fields may differ")
}

fn replacement(kind: &str, api_versions: Vec<&str>) -> String {
    match api_versions.as_slice() {
        [] => format!("{kind} is in no other version of this group; leave the object out"),
        [first, ..] => format!("write `apiVersion: {first}`"),
    }
}
