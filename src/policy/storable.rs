//! Whether the API server would store an admission policy or a binding as it is written.

use tenantry_engine::schema::{self, SchemaProblem};
use tenantry_engine::view::View;
use tenantry_kubernetes::schemas::built_in;
use tenantry_kubernetes::versions::FIELD_VERSIONS;
use tenantry_syntax::diagnostics::catalogue::policy as codes;
use tenantry_syntax::diagnostics::{Diagnostic, Sink, Sources};
use tenantry_syntax::yaml::{Node, NodeId, PathStep};
use tenantry_validation::{self, KnownKind, RuleSet};

/// Fields whose expressions are compiled with the rule, which tells what is wrong with them at the character.
const EXPRESSIONS: [&str; 3] = ["expression", "messageExpression", "valueExpression"];

/// Tells why the API server would refuse a document; gives whether it would store it.
pub fn check(tree: &Node, sources: &Sources, sink: &mut Sink) -> bool {
    let root = View::of(tree);
    let (api_version, kind) = (root.api_version(), root.object_kind());
    let found = built_in().find(&api_version, &kind);
    let (Some((rule, set)), Some(definition)) = (found, built_in().definition(&api_version, &kind))
    else {
        return true;
    };
    let name = root.object_name();
    let refused = |id: Option<NodeId>, what: &str, help: Option<String>| {
        let span = id.and_then(|id| sources.span(id));
        let message = format!("the {kind} `{name}` is refused: {what}");
        let mut diagnostic = Diagnostic::new(codes::BAD_ADMISSION, message)
            .at(span.map(|span| sources.first_line(span)), "");
        diagnostic.help = help;
        diagnostic
    };
    let mut is_storable = true;
    for violation in schema::check_as_of(root, rule, set, *FIELD_VERSIONS.end()) {
        let place = match violation.problem {
            SchemaProblem::UnknownField(..) => {
                violation.key.or_else(|| key_of(root, &violation.path.0))
            }
            _ => violation.view.sources().first().copied(),
        };
        let described = violation.describe(codes::BAD_ADMISSION);
        sink.push(refused(place, &described.message, described.help));
        is_storable = false;
    }
    if !is_storable {
        return false;
    }
    for violation in
        tenantry_validation::check(root, KnownKind::BuiltIn(definition), None, RuleSet::All)
    {
        let is_expression = violation.path.0.last().is_some_and(
            |step| matches!(step, PathStep::Key(key) if EXPRESSIONS.contains(&&**key)),
        );
        if is_expression && !violation.says.starts_with("is missing") {
            continue;
        }
        let place = violation.view.sources().first().copied();
        sink.push(refused(place, &violation.message(), Some(violation.help)));
        is_storable = false;
    }
    is_storable
}

/// Where a key is written.
fn key_of(root: View<'_>, path: &[PathStep]) -> Option<NodeId> {
    let (PathStep::Key(key), above) = path.split_last()? else {
        return None;
    };
    let above = root.at_path(&tenantry_syntax::yaml::Path(above.to_vec()))?;
    let mut fields = above.fields().into_iter();
    fields
        .find(|field| field.key == **key)
        .map(|field| field.key_id)
}
