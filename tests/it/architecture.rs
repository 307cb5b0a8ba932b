//! The folder tree is the pipeline: `main → cli → lib → stages → model → members`. Cargo keeps members from circles; these
//! tests keep stages apart, and folders.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::Path;

use crate::support::repository_path;

const STAGES: [&str; 9] = [
    "load", "validate", "resolve", "render", "verify", "policy", "review", "emit", "report",
];

/// A file as a module: its path in the crate, and the paths that it names.
struct Module {
    path: Vec<String>,
    names: BTreeSet<Vec<String>>,
}

fn modules(source: &Path) -> Vec<Module> {
    let mut found = Vec::new();
    let mut pending = vec![source.to_owned()];
    while let Some(folder) = pending.pop() {
        for entry in fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                pending.push(path);
            } else if path.extension().is_some_and(|extension| extension == "rs") {
                found.push(module(source, &path));
            }
        }
    }
    assert!(!found.is_empty(), "{}", source.display());
    found.sort_by(|a, b| a.path.cmp(&b.path));
    found
}

fn module(source: &Path, file: &Path) -> Module {
    let relative = file.strip_prefix(source).unwrap().with_extension("");
    let mut path: Vec<String> = relative
        .iter()
        .map(|part| part.to_str().unwrap().to_owned())
        .collect();
    if ["mod", "lib", "main"].contains(&path.last().unwrap().as_str()) {
        path.pop();
    }
    let text = fs::read_to_string(file).unwrap();
    let tests = text.find("#[cfg(test)]\nmod tests").unwrap_or(text.len());
    let code: String = text[..tests]
        .lines()
        .map(|line| line.split("//").next().unwrap_or_default())
        .collect::<Vec<_>>()
        .join(" ");
    let mut names = BTreeSet::new();
    for start in ["crate::", "super::"] {
        for (at, _) in code.match_indices(start) {
            let before = code[..at].chars().next_back();
            if !before.is_some_and(|c| c.is_alphanumeric() || c == '_' || c == ':') {
                name(&path, &code[at..], &mut names);
            }
        }
    }
    Module { path, names }
}

/// Adds the paths that a text starts with, from the root of the crate: of `super::{a, b::c}`, two.
fn name(module: &[String], text: &str, names: &mut BTreeSet<Vec<String>>) {
    let mut base = module.to_vec();
    let mut rest = text;
    if let Some(after) = rest.strip_prefix("crate::") {
        base.clear();
        rest = after;
    }
    while let Some(after) = rest.strip_prefix("super::") {
        base.pop();
        rest = after;
    }
    let is_name = |c: char| c.is_alphanumeric() || c == '_';
    let group = rest.strip_prefix('{').map(|group| {
        let mut depth = 1;
        let end = group.find(|c| {
            depth += i32::from(c == '{') - i32::from(c == '}');
            depth == 0
        });
        &group[..end.unwrap_or(group.len())]
    });
    // Of groups within groups, the outermost names are enough.
    let mut depth = 0;
    let paths = group.unwrap_or(rest).split(|c| {
        depth += i32::from(c == '{') - i32::from(c == '}');
        group.is_some() && c == ',' && depth == 0
    });
    for path in paths {
        let mut full = base.clone();
        for part in path.trim().split("::") {
            let end = part.find(|c| !is_name(c)).unwrap_or(part.len());
            if end > 0 && &part[..end] != "self" {
                full.push(part[..end].to_owned());
            }
            if end < part.len() {
                break;
            }
        }
        names.insert(full);
    }
}

#[test]
fn stages_import_the_vocabulary_and_nothing_else() {
    let mut seen = 0;
    for module in modules(&repository_path("src")) {
        let Some(stage) = module.path.first() else {
            continue;
        };
        let is_stage = STAGES.contains(&stage.as_str());
        if !is_stage && stage != "model" {
            continue;
        }
        seen += 1;
        for name in &module.names {
            let Some(first) = name.first() else { continue };
            let allowed = first == "model" || first == stage;
            assert!(
                allowed,
                "src/{} imports crate::{first}; stages import `model` and the workspace's members",
                module.path.join("/")
            );
        }
    }
    assert!(seen > 150, "only {seen} files were looked at");
}

/// The folder that a file is in; a file with a folder of its name is of that folder.
fn concern(module: &[String], folders: &BTreeSet<Vec<String>>) -> Vec<String> {
    if folders.contains(module) {
        module.to_vec()
    } else {
        module[..module.len().saturating_sub(1)].to_vec()
    }
}

#[test]
fn folders_are_in_no_circle() {
    let mut sources = vec![repository_path("src")];
    for member in fs::read_dir(repository_path("crates")).unwrap() {
        sources.push(member.unwrap().path().join("src"));
    }
    for source in sources {
        let all = modules(&source);
        let known: BTreeSet<&Vec<String>> = all.iter().map(|module| &module.path).collect();
        let folders: BTreeSet<Vec<String>> = all
            .iter()
            .filter(|module| !module.path.is_empty())
            .map(|module| module.path[..module.path.len() - 1].to_vec())
            .collect();
        let mut edges: BTreeMap<Vec<String>, BTreeSet<Vec<String>>> = BTreeMap::new();
        for module in &all {
            let from = concern(&module.path, &folders);
            for name in &module.names {
                let mut target = name.clone();
                while !known.contains(&target) && target.pop().is_some() {}
                let to = concern(&target, &folders);
                // A folder and the one that it is in are one concern.
                if !from.starts_with(&to) && !to.starts_with(&from) {
                    edges.entry(from.clone()).or_default().insert(to);
                }
            }
        }
        for start in edges.keys() {
            let mut reached = BTreeSet::new();
            let mut pending: Vec<&Vec<String>> = edges[start].iter().collect();
            while let Some(next) = pending.pop() {
                assert!(
                    next != start,
                    "{}: `{}` is in a circle with what it imports: {:?}",
                    source.display(),
                    start.join("/"),
                    edges[start]
                );
                if reached.insert(next) {
                    pending.extend(edges.get(next).into_iter().flatten());
                }
            }
        }
    }
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
