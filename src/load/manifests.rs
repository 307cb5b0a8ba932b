//! Reading rendered manifests: a folder of them, or one text of several documents.

use std::io;
use std::path::Path;

use super::{InputFile, diagnostic, folder};
use tenantry_syntax::diagnostics::{Sink, SourceFile, Sources, Span};
use tenantry_syntax::yaml::Node;
use tenantry_syntax::yaml::parse::parse;

/// A manifest that was read.
#[derive(Clone, Debug)]
pub struct ManifestFile {
    /// The file's path below the folder.
    pub path: String,
    /// The object.
    pub tree: Node,
}

/// All objects of a folder of rendered manifests, generated files included. What is no object,
/// such as `kustomization.yaml`, is left out.
///
/// # Errors
/// The folder cannot be read.
pub fn of_folder(
    root: &Path,
    sources: &mut Sources,
    sink: &mut Sink,
) -> io::Result<Vec<ManifestFile>> {
    let mut files = folder::read_all(root)?;
    files.sort_by(|a, b| a.path.cmp(&b.path));
    Ok(files
        .into_iter()
        .flat_map(|file| of_file(file, sources, sink).0)
        .collect())
}

/// All objects of a text, and how many documents of it are something else.
pub fn of_text(
    name: &str,
    text: String,
    sources: &mut Sources,
    sink: &mut Sink,
) -> (Vec<ManifestFile>, usize) {
    let file = InputFile {
        path: name.to_owned(),
        bytes: text.into_bytes(),
        from_command_line: false,
    };
    of_file(file, sources, sink)
}

fn of_file(file: InputFile, sources: &mut Sources, sink: &mut Sink) -> (Vec<ManifestFile>, usize) {
    let index = u32::try_from(sources.len()).unwrap_or(u32::MAX);
    let text = String::from_utf8_lossy(&file.bytes).into_owned();
    let parsed = parse(&text, index);
    sources.add(SourceFile {
        path: file.path.clone(),
        text: text.into(),
        spans: parsed.spans,
        from_command_line: file.from_command_line,
    });
    for ((start, end), problem) in parsed.problems {
        let span = Span {
            file: index,
            start,
            end,
        };
        sink.push(diagnostic(span, problem));
    }
    let mut manifests = Vec::new();
    let mut pending: Vec<Node> = parsed.documents;
    pending.reverse();
    while let Some(tree) = pending.pop() {
        // What `kubectl get -o yaml` prints: List, SecretList.
        let kind = tree.get("kind").and_then(Node::as_str).unwrap_or_default();
        let items = tree.get("items").and_then(Node::as_list);
        match items.filter(|_| kind.ends_with("List")) {
            Some(items) => pending.extend(items.iter().rev().cloned()),
            None => manifests.push(tree),
        }
    }
    let documents = manifests.len();
    manifests.retain(is_object);
    let left_out = documents - manifests.len();
    let path = file.path;
    let manifest = |tree| ManifestFile {
        path: path.clone(),
        tree,
    };
    (manifests.into_iter().map(manifest).collect(), left_out)
}

fn is_object(tree: &Node) -> bool {
    let text = |keys: &[&str]| tree.at(keys).and_then(Node::as_str).unwrap_or_default();
    let group = text(&["apiVersion"]).split('/').next().unwrap_or_default();
    // What configures an API server has no name.
    let is_named = !text(&["metadata", "name"]).is_empty() || group.ends_with(".config.k8s.io");
    !text(&["kind"]).is_empty() && is_named && group != "kustomize.config.k8s.io"
}
