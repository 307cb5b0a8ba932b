//! Stage 2: the form of documents. Takes what was read, gives the [`Catalog`]: every document whose
//! form is right, as a type. All that is wrong is reported, at its line.
//!
//! What a single field may hold is said by the types in `model/kinds/`; what fields may hold
//! *together* is checked in `combinations`.

mod combinations;

use std::collections::BTreeMap;

use rayon::prelude::*;

use crate::model::API_VERSION;
use crate::model::catalog::Document;
use crate::model::field::Field;
use crate::model::kinds::{Catalog, Header, KINDS, KindName, Metadata};
use crate::model::schemas;
use tenantry_engine::schema::{self, SchemaProblem, Strictness};
use tenantry_engine::view::View;
use tenantry_syntax::diagnostics::catalogue::{policy, validate as codes};
use tenantry_syntax::diagnostics::{Diagnostic, Sink, Sources, suggest};
use tenantry_syntax::yaml::{Node, merge};

/// What the catalog was made from, and what is known to be missing from it.
#[derive(Debug, Default)]
pub struct Validated {
    /// Documents whose form is right.
    pub catalog: Catalog,
    /// Kind and name of documents whose form is wrong: references to them are not reported.
    pub broken: Vec<(KindName, String)>,
}

/// Judges every document.
pub fn run(
    documents: &[Node],
    default_specs: &BTreeMap<&'static str, Node>,
    sources: &Sources,
    sink: &mut Sink,
) -> Validated {
    let judged: Vec<(Sink, FormOutcome)> = documents
        .par_iter()
        .map(|tree| {
            let mut sink = Sink::default();
            let outcome = judge(tree, default_specs, sources, &mut sink);
            (sink, outcome)
        })
        .collect();
    let mut validated = Validated::default();
    let built_in = |document: &Document<()>| sources.is_built_in(document.tree.id.file);
    let named: std::collections::HashSet<(KindName, String)> = judged
        .iter()
        .filter_map(|(_, outcome)| match outcome {
            FormOutcome::Good(kind, document) if !built_in(document) => {
                Some((*kind, document.name.clone()))
            }
            _ => None,
        })
        .collect();
    let mut replaced: Vec<(KindName, String)> = Vec::new();
    for (found, outcome) in judged {
        sink.append(found);
        match outcome {
            // A document of the repository takes the place of a built-in one of the same name.
            FormOutcome::Good(kind, document)
                if built_in(&document) && named.contains(&(kind, document.name.clone())) =>
            {
                if matches!(kind, KindName::Policy | KindName::Framework) {
                    replaced.push((kind, document.name.clone()));
                }
            }
            FormOutcome::Good(kind, document) => {
                let (name, id) = (document.name.clone(), document.tree.id);
                if let Err(error) = validated.catalog.insert(kind, *document) {
                    let message = format!("the {} `{name}` cannot be read: {error}", kind.as_str());
                    sink.push(Diagnostic::new(codes::MALFORMED, message).at(sources.span(id), ""));
                    validated.broken.push((kind, name));
                }
            }
            FormOutcome::Broken(kind, name) => validated.broken.push((kind, name)),
            FormOutcome::Ignored => {}
        }
    }
    validated.catalog.sort();
    for (kind, name) in replaced {
        let id = match kind {
            KindName::Policy => validated.catalog.policies.get(&name).map(Document::name_id),
            _ => validated
                .catalog
                .frameworks
                .get(&name)
                .map(Document::name_id),
        };
        let message = format!(
            "this {} takes the place of the built-in `{name}`",
            kind.as_str()
        );
        sink.push(
            Diagnostic::new(policy::REPLACED, message)
                .at(
                    id.and_then(|id| sources.span(id)),
                    "what is built in does not hold any more",
                )
                .help("give it another name, unless that is meant"),
        );
    }
    validated
}

enum FormOutcome {
    Good(KindName, Box<Document<()>>),
    Broken(KindName, String),
    Ignored,
}

fn judge(
    tree: &Node,
    default_specs: &BTreeMap<&'static str, Node>,
    sources: &Sources,
    sink: &mut Sink,
) -> FormOutcome {
    let Some(kind) = header(tree, sources, sink) else {
        return FormOutcome::Ignored;
    };
    let fields = Field::<Header>::of(tree);
    let name = fields
        .metadata()
        .name()
        .as_str()
        .unwrap_or_default()
        .to_owned();
    let set = schemas::own();
    let Some(rule) = set.rule(&schemas::document_name(kind.as_str())) else {
        return FormOutcome::Ignored;
    };
    for violation in schema::check(View::of(tree), rule, set, Strictness::Whole) {
        let place = violation
            .key
            .or_else(|| violation.view.sources().first().copied());
        let label = match &violation.problem {
            SchemaProblem::UnknownField(..) | SchemaProblem::OtherVersion { .. } => {
                "not a field of this kind".to_owned()
            }
            SchemaProblem::MissingField(field, _) => format!("`{field}` belongs here"),
            SchemaProblem::WrongType { expected, .. } => format!("expected {expected}"),
            SchemaProblem::NotAllowed(..)
            | SchemaProblem::Malformed(..)
            | SchemaProblem::OutOfRange(_) => String::new(),
        };
        let span = place
            .and_then(|id| sources.span(id))
            .map(|span| sources.first_line(span));
        sink.push(violation.describe(violation.problem.code()).at(span, label));
    }
    combinations::check(kind, tree, sources, sink);
    if sink.has_errors() {
        return FormOutcome::Broken(kind, name);
    }
    let metadata: Metadata = fields.metadata().read().unwrap_or_default();
    let empty = Node::empty_map();
    let spec = fields.spec().node().unwrap_or(&empty);
    let effective = match default_specs.get(kind.as_str()) {
        Some(defaults) => merge::over(defaults, spec),
        None => spec.clone(),
    };
    FormOutcome::Good(
        kind,
        Box::new(Document {
            name,
            metadata,
            tree: tree.clone(),
            effective,
            spec: (),
        }),
    )
}

/// The document's kind, if it is one of ours.
fn header(tree: &Node, sources: &Sources, sink: &mut Sink) -> Option<KindName> {
    let fields = Field::<Header>::of(tree);
    let kind_node = fields.kind().node();
    let kind = kind_node.and_then(Node::as_str).unwrap_or_default();
    let Some(version) = fields.api_version().node() else {
        let message = format!(
            "this looks like a {kind} of Tenantry's, but has no apiVersion, so it is not read"
        );
        let help = format!("add `apiVersion: {API_VERSION}` above it, if it is one");
        sink.push(
            Diagnostic::new(codes::MISSING_HEADER, message)
                .at(kind_node.and_then(|node| sources.span(node.id)), "")
                .help(help),
        );
        return None;
    };
    let text = version.as_str().unwrap_or_default();
    if text != API_VERSION {
        let message = format!("unknown version `{text}` of Tenantry's API");
        let help = format!("write `apiVersion: {API_VERSION}`");
        sink.push(
            Diagnostic::new(codes::UNKNOWN_KIND, message)
                .at(sources.span(version.id), "")
                .help(help),
        );
        return None;
    }
    let found = KindName::parse(kind);
    if found.is_none() {
        let place = kind_node.map_or(tree.id, |node| node.id);
        let (message, label) = if kind.is_empty() {
            (
                "the document does not say its kind".to_owned(),
                "`kind` belongs here",
            )
        } else {
            (format!("unknown kind `{kind}`"), "")
        };
        let span = sources.span(place).map(|span| sources.first_line(span));
        let diagnostic = Diagnostic::new(codes::UNKNOWN_KIND, message).at(span, label);
        sink.push(match suggest(kind, KINDS.iter().copied()) {
            Some(help) => diagnostic.help(help),
            None => diagnostic,
        });
        return None;
    }
    found
}
