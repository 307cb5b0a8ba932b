//! The folder tree is the pipeline: `main → cli → lib → stages → vocabulary`.

use std::fs;
use std::path::{Path, PathBuf};

use crate::support::repository_path;

const STAGES: [&str; 9] = [
    "load", "validate", "resolve", "render", "verify", "policy", "review", "emit", "report",
];
const VOCABULARY: [&str; 7] = [
    "cel",
    "diagnostics",
    "engine",
    "kubernetes",
    "model",
    "schema",
    "yaml",
];

fn rust_files(folder: &Path, files: &mut Vec<PathBuf>) {
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            rust_files(&path, files);
        } else if path.extension().is_some_and(|extension| extension == "rs") {
            files.push(path);
        }
    }
}

/// The modules that a text names by `crate::`, also in groups: `crate::{a, b::c}`.
fn imports(text: &str) -> Vec<String> {
    let code: String = text
        .lines()
        .filter(|line| !line.trim_start().starts_with("//"))
        .collect::<Vec<_>>()
        .join("\n");
    let mut modules = Vec::new();
    for rest in code.split("crate::").skip(1) {
        let list = match rest.strip_prefix('{') {
            Some(group) => group
                .split('}')
                .next()
                .unwrap()
                .split(',')
                .map(str::trim)
                .collect(),
            None => vec![rest],
        };
        for path in list {
            let end = path
                .find(|c: char| !c.is_alphanumeric() && c != '_')
                .unwrap_or(path.len());
            modules.push(path[..end].to_owned());
        }
    }
    modules
}

#[test]
fn stages_import_the_vocabulary_and_nothing_else() {
    let root = repository_path("src");
    let mut files = Vec::new();
    rust_files(&root, &mut files);
    let mut seen = 0;
    for file in files {
        let relative = file
            .strip_prefix(&root)
            .unwrap()
            .to_str()
            .unwrap()
            .to_owned();
        let module = relative.split(['/', '.']).next().unwrap();
        let is_stage = STAGES.contains(&module);
        let is_vocabulary = VOCABULARY.contains(&module);
        if !is_stage && !is_vocabulary {
            continue;
        }
        seen += 1;
        for import in imports(&fs::read_to_string(&file).unwrap()) {
            // Constants and macros of the crate itself are written in capitals or by path.
            let allowed = VOCABULARY.contains(&import.as_str())
                || (is_stage && import == module)
                || import.is_empty();
            assert!(
                allowed,
                "src/{relative} imports crate::{import}; stages import only {VOCABULARY:?}"
            );
        }
    }
    assert!(seen > 40, "only {seen} files were looked at");
}

#[test]
fn main_is_thin_and_every_stage_says_what_it_takes_and_gives() {
    let main = fs::read_to_string(repository_path("src/main.rs")).unwrap();
    assert!(main.lines().count() < 40);
    for stage in STAGES {
        let text = fs::read_to_string(repository_path(&format!("src/{stage}/mod.rs"))).unwrap();
        assert!(
            text.starts_with("//! "),
            "src/{stage}/mod.rs opens with what the stage does"
        );
    }
}
