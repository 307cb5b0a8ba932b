//! What Kubernetes allows as a name, a label or an annotation's key.
//! <https://kubernetes.io/docs/concepts/overview/working-with-objects/names/>

use crate::diagnostics::{Diagnostic, Sink, catalogue::verify as codes};
use crate::model::locator::Locator;
use crate::model::manifest::Rendered;
use crate::model::scalars::{is_label, is_subdomain};
use crate::model::view::View;
use crate::yaml::NodeId;

/// The path of a place in an object.
fn path_of(root: View<'_>, view: View<'_>) -> String {
    root.path_to(view)
        .map_or_else(String::new, |path| path.to_string())
}

/// Checks the names and labels of one object.
pub fn check(locator: &Locator<'_>, one: &Rendered, sink: &mut Sink) {
    let root = one.manifest.root();
    let Some(metadata) = root.get("metadata") else {
        return;
    };
    let kind = one.manifest.kind();
    let mut report_at = |view: View<'_>, key: Option<NodeId>, message: String, help: &str| {
        let diagnostic = Diagnostic::new(codes::BAD_OBJECT_NAME, message)
            .note(locator.object(one))
            .help(help)
            .on(path_of(root, view));
        sink.push(match key.and_then(|id| locator.sources.span(id)) {
            Some(span) => diagnostic
                .at(span, "")
                .and(locator.place(view).1, "printed by this template line"),
            None => locator.at(diagnostic, view, ""),
        });
    };
    let mut report =
        |view: View<'_>, message: String, help: &str| report_at(view, None, message, help);
    if let Some(view) = metadata.get("name") {
        let name = view.text().unwrap_or_default();
        let (most, fits) = match &*kind {
            // RBAC names may hold what roles of the system hold, such as colons.
            "Role" | "RoleBinding" | "ClusterRole" | "ClusterRoleBinding" => {
                (253, !name.contains(['/', '%']))
            }
            "Service" | "Namespace" => (
                63,
                is_label(&name)
                    && (*kind == *"Namespace"
                        || name.starts_with(|c: char| c.is_ascii_lowercase())),
            ),
            // Kubernetes appends 11 characters to the names of a CronJob's jobs.
            "CronJob" | "CronWorkflow" => (52, is_subdomain(&name)),
            // They become labels: Velero puts the name of a Schedule on its backups.
            "Job" | "StatefulSet" | "Schedule" => (63, is_subdomain(&name)),
            _ => (253, is_subdomain(&name)),
        };
        if name.len() > most {
            report(
                view,
                format!(
                    "the name `{name}` of a {kind} has {} characters; {most} are allowed",
                    name.len()
                ),
                "shorten the names that it is made of, or the Platform's `naming`",
            );
        } else if !fits {
            report(
                view,
                format!("`{name}` is no name for a {kind}"),
                "use lower-case letters, digits and `-`",
            );
        }
    }
    if let Some(view) = metadata.get("namespace") {
        let name = view.text().unwrap_or_default();
        if !is_label(&name) {
            report(
                view,
                format!("`{name}` is no name for a Namespace"),
                "use lower-case letters, digits and `-`, at most 63 characters",
            );
        }
    }
    let template = root.at(&["spec", "template", "metadata"]);
    for metadata in [Some(metadata), template].into_iter().flatten() {
        for field in metadata.get("labels").map(View::fields).unwrap_or_default() {
            if !is_qualified(&field.key) {
                report_at(
                    field.value,
                    Some(field.key_id),
                    format!("`{}` is no key for a label", field.key),
                    "write `name` or `domain/name`, the name with at most 63 characters",
                );
            }
            if let Some(value) = field.value.text()
                && !is_label_value(&value)
            {
                report_at(
                    field.value,
                    None,
                    format!("the label `{}` cannot be `{value}`", field.key),
                    "use letters, digits, `-`, `_` and `.`, at most 63 characters, a letter or digit at both ends",
                );
            }
        }
        for field in metadata
            .get("annotations")
            .map(View::fields)
            .unwrap_or_default()
        {
            if !is_qualified(&field.key) {
                report_at(
                    field.value,
                    Some(field.key_id),
                    format!("`{}` is no key for an annotation", field.key),
                    "write `name` or `domain/name`, the name with at most 63 characters",
                );
            }
        }
    }
}

fn is_label_value(text: &str) -> bool {
    let end = |b: u8| b.is_ascii_alphanumeric();
    text.is_empty()
        || text.len() <= 63
            && text.bytes().all(|b| end(b) || b"-_.".contains(&b))
            && text.bytes().next().is_some_and(end)
            && text.bytes().last().is_some_and(end)
}

fn is_qualified(key: &str) -> bool {
    let (prefix, name) = match key.rsplit_once('/') {
        Some((prefix, name)) => (Some(prefix), name),
        None => (None, key),
    };
    !name.is_empty() && is_label_value(name) && prefix.is_none_or(is_subdomain)
}
