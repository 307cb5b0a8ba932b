//! Which versions of this tool a repository is written for.

use semver::{Version, VersionReq};

use super::RawDocument;
use crate::model::field::Field;
use crate::model::kinds::{Header, KindName, Platform};
use tenantry_syntax::diagnostics::catalogue::load as codes;
use tenantry_syntax::diagnostics::{Diagnostic, Sink, Sources};

/// Whether the Platform allows this version of the tool. If not, that is the only finding: what else is wrong may
/// only be wrong for this version.
pub fn is_for_this_version(documents: &[RawDocument], sources: &Sources, sink: &mut Sink) -> bool {
    let own = env!("CARGO_PKG_VERSION");
    let platform = documents
        .iter()
        .map(|document| &document.tree)
        .find(|tree| {
            Field::<Header>::of(tree).kind_name() == Some(KindName::Platform)
                && sources.is_in_repository(tree.id.file)
        });
    let required = platform.map(|tree| {
        let spec: Field<'_, Platform> = Field::<Header>::of(tree).spec().read_as();
        spec.required_version()
    });
    let Some((node, text)) = required.and_then(|field| Some((field.node()?, field.as_str()?)))
    else {
        return true;
    };
    // A value that is no range is reported with the other fields.
    let (Ok(wanted), Ok(version)) = (VersionReq::parse(text), Version::parse(own)) else {
        return true;
    };
    if wanted.matches(&version) {
        return true;
    }
    let message = format!("the repository needs Tenantry {text}, and this is {own}");
    sink.push(
        Diagnostic::new(codes::OTHER_VERSION, message)
            .at(sources.span(node.id), "the versions that are allowed")
            .help("run a version in this range, or change the range once the repository is ready for this one"),
    );
    false
}
