//! What is built in: defaults, tiers, templates, policies and frameworks.

use std::collections::{BTreeMap, HashMap};

use rayon::prelude::*;

use super::{FileCache, Loaded, RawDocument, TemplateFile, of_ours};
use crate::model::defaults::{self, DefaultFile};
use crate::model::field::Field;
use crate::model::kinds::Catalog;
use crate::model::kinds::{Header, KindName};
use tenantry_syntax::diagnostics::{SourceFile, Sources};
use tenantry_syntax::yaml::Node;
use tenantry_syntax::yaml::parse::parse;

/// The built-in templates: path below `templates/`, and text.
const BUILT_IN_TEMPLATES: &[(&str, &str)] = include!(concat!(env!("OUT_DIR"), "/templates.rs"));

/// The built-in policies and frameworks: path below `policies/`, and text.
const BUILT_IN_POLICIES: &[(&str, &str)] = include!(concat!(env!("OUT_DIR"), "/policies.rs"));

/// Where built-in policies are said to be.
pub(super) const BUILT_IN: &str = "<builtin>/policies/";
/// Where the cases of a built-in policy begin.
const CASES: &str = "\n  tests:\n";

/// Whether a repository asks for built-in policies or frameworks at all.
pub(super) fn asks_for_policies(documents: &[RawDocument]) -> bool {
    documents.iter().any(|document| {
        let spec = Field::<Header>::of(&document.tree).spec().node();
        let asks = |key: &str| {
            spec.and_then(|spec| spec.get(key))
                .is_some_and(|node| !node.entries().is_empty())
        };
        asks("frameworks")
            || asks("policyPacks")
            || asks("compliance")
            || asks("controls")
            || Field::<Header>::of(&document.tree).kind_name() == Some(KindName::Waiver)
    })
}

/// The built-in defaults, tiers and templates.
pub(super) fn built_in(sources: &mut Sources) -> Loaded {
    let mut loaded = Loaded::default();
    let mut add = |file: &DefaultFile| {
        let parsed = parse(file.text, u32::try_from(sources.len()).unwrap_or(u32::MAX));
        sources.add(SourceFile {
            path: file.path.to_owned(),
            text: file.text.into(),
            spans: parsed.spans,
            from_command_line: false,
        });
        parsed.documents
    };
    loaded.default_workload = add(&defaults::WORKLOAD).pop();
    for (kind, file) in defaults::SPECS {
        if let Some(spec) = add(file).pop() {
            loaded.default_specs.insert(kind, spec);
        }
    }
    for file in [&defaults::TIERS, &defaults::ROLES, &defaults::MONITORING] {
        loaded.documents.extend(add(file).into_iter().map(of_ours));
    }
    for (path, text) in BUILT_IN_TEMPLATES {
        let file = SourceFile {
            path: format!("<builtin>/templates/{path}"),
            text: (*text).into(),
            spans: Vec::new(),
            from_command_line: false,
        };
        let file = sources.add(file);
        loaded.templates.push(TemplateFile {
            path: (*path).to_owned(),
            file,
        });
    }
    loaded
}

/// Adds the built-in policies and frameworks; their own cases only where somebody asks.
pub(super) fn built_in_policies(loaded: &mut Loaded, with_cases: bool, sources: &mut Sources) {
    let first = u32::try_from(sources.len()).unwrap_or(u32::MAX);
    let parsed: Vec<(SourceFile, Vec<Node>)> = BUILT_IN_POLICIES
        .par_iter()
        .enumerate()
        .map(|(at, (path, text))| {
            // The cases come last in each file, and are most of it.
            let text = match text.split_once(CASES) {
                Some((rule, _)) if !with_cases => rule,
                _ => text,
            };
            let parsed = parse(text, first + u32::try_from(at).unwrap_or(0));
            let file = SourceFile {
                path: format!("{BUILT_IN}{path}"),
                text: text.into(),
                spans: parsed.spans,
                from_command_line: false,
            };
            (file, parsed.documents)
        })
        .collect();
    for (file, documents) in parsed {
        sources.add(file);
        loaded.documents.extend(documents.into_iter().map(of_ours));
    }
}

/// The built-in documents alone, judged by `validate`.
pub fn built_in_catalog(
    sources: &mut Sources,
    validate: impl FnOnce(&[Node], &BTreeMap<&'static str, Node>, &Sources) -> Catalog,
) -> Catalog {
    let mut loaded = built_in(sources);
    built_in_policies(&mut loaded, true, sources);
    let trees: Vec<Node> = loaded
        .documents
        .into_iter()
        .map(|document| document.tree)
        .collect();
    validate(&trees, &loaded.default_specs, sources)
}

/// Adds what is built in and was left out: the policies that nobody asks for, and their cases.
pub fn all_built_in_policies(loaded: &mut Loaded, sources: &mut Sources) {
    loaded
        .documents
        .retain(|document| !sources.path(document.tree.id.file).starts_with(BUILT_IN));
    built_in_policies(loaded, true, sources);
}

impl FileCache<'_> {
    pub(super) fn built_in_documents(&self, sources: &Sources) -> Vec<RawDocument> {
        let documents = self.loaded.documents.iter();
        documents
            .filter(|document| sources.is_built_in(document.tree.id.file))
            .cloned()
            .collect()
    }

    pub(super) fn built_in_templates(sources: &Sources) -> Vec<TemplateFile> {
        let place = |path: &str| format!("<builtin>/templates/{path}");
        let files: HashMap<&str, u32> = (0..)
            .zip(sources.files())
            .map(|(index, file)| (file.path.as_str(), index))
            .filter(|(path, _)| path.starts_with("<builtin>/"))
            .collect();
        BUILT_IN_TEMPLATES
            .iter()
            .filter_map(|(path, _)| {
                let file = *files.get(place(path).as_str())?;
                Some(TemplateFile {
                    path: (*path).to_owned(),
                    file,
                })
            })
            .collect()
    }
}
