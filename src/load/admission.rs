//! Admission policies of Kubernetes, their bindings, and the documents that hold their parameters.

use super::{GENERATED_MARK, Loaded, RawDocument, is_yaml_path};
use crate::model::{ADMISSION_GROUP, ADMISSION_KINDS};
use tenantry_syntax::diagnostics::Sources;
use tenantry_syntax::yaml::Node;
use tenantry_syntax::yaml::parse::parse;

/// An admission policy of Kubernetes, or a binding of one.
pub(super) fn is_admission(tree: &Node) -> bool {
    let text = |key: &str| tree.get(key).and_then(Node::as_str).unwrap_or_default();
    text("apiVersion").starts_with(ADMISSION_GROUP) && ADMISSION_KINDS.contains(&text("kind"))
}

/// The documents that hold the parameters of admission policies: of any API, so they are looked for
/// once the policies are known.
pub(super) fn parameters(loaded: &mut Loaded, sources: &mut Sources) {
    let text = |node: &Node, key: &str| {
        let found = node.get(key).and_then(Node::as_str);
        found.unwrap_or_default().to_owned()
    };
    let kinds: Vec<(String, String)> = loaded
        .documents
        .iter()
        .filter(|document| !document.is_ours)
        .filter_map(|document| document.tree.at(&["spec", "paramKind"]))
        .map(|kind| (text(kind, "apiVersion"), text(kind, "kind")))
        .collect();
    if kinds.is_empty() {
        return;
    }
    let is_parameter =
        |tree: &Node| kinds.contains(&(text(tree, "apiVersion"), text(tree, "kind")));
    for index in loaded.files.clone() {
        let Some(file) = sources.file(index) else {
            continue;
        };
        let mentions = |kind: &String| file.text.contains(kind.as_str());
        if !is_yaml_path(&file.path)
            || file.path.starts_with("templates/")
            || file.text.starts_with(GENERATED_MARK)
            || !kinds.iter().any(|(_, kind)| mentions(kind))
        {
            continue;
        }
        let parsed = parse(&file.text, index);
        if !parsed.documents.iter().any(is_parameter) {
            continue;
        }
        sources.set_spans(index, parsed.spans);
        let known = |tree: &Node| {
            loaded
                .documents
                .iter()
                .any(|document| document.tree.id == tree.id)
        };
        let new: Vec<RawDocument> = parsed
            .documents
            .into_iter()
            .filter(|tree| is_parameter(tree) && !known(tree))
            .map(|tree| RawDocument {
                tree,
                is_ours: false,
            })
            .collect();
        loaded.documents.extend(new);
    }
}
