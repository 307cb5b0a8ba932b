//! Names that operators append to, or use as labels; what the API server itself allows is data of
//! `kubernetes::validation`.

use crate::model::locator::Locator;
use tenantry_engine::manifest::Rendered;
use tenantry_syntax::diagnostics::catalogue::verify as codes;
use tenantry_syntax::diagnostics::{Diagnostic, Sink};

/// How long the names of some custom resources may be.
const LONGEST: &[(&str, usize)] = &[
    // Argo appends 11 characters for each workflow, as Kubernetes does for the jobs of a CronJob.
    ("CronWorkflow", 52),
    // Velero puts the name on its backups as a label.
    ("Schedule", 63),
];

/// Checks the name of one object.
pub fn check(locator: &Locator<'_>, one: &Rendered, sink: &mut Sink) {
    let (kind, name) = (one.manifest.kind(), one.manifest.name());
    let Some((_, most)) = LONGEST.iter().find(|(known, _)| *known == kind) else {
        return;
    };
    let view = one.manifest.root().at(&["metadata", "name"]);
    if let (true, Some(view)) = (name.len() > *most, view) {
        let message = format!(
            "the name `{name}` of a {kind} has {} characters; {most} are allowed",
            name.len()
        );
        let diagnostic = Diagnostic::new(codes::BAD_OBJECT_NAME, message)
            .note(locator.object(one))
            .help("shorten the names that it is made of, or the Platform's `naming`")
            .on("metadata.name".to_owned());
        sink.push(locator.at(diagnostic, view, ""));
    }
}
