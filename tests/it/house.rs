//! How the code is kept: limits on what makes it hard to read, counted and printed.
//! `cargo test -p tenantry --test it house -- --nocapture` shows what counts.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::{Path, PathBuf};

use crate::support::repository_path;

/// Most lines of a file, and of a function.
const FILE_LINES: usize = 600;
const FUNCTION_LINES: usize = 120;
/// Most names that more than one type has.
const SHARED_NAMES: usize = 2;
/// Most look-ups by a key that is written out, of documents and of Kubernetes' objects. Fields of documents have types
/// (`model/field`); templates, expressions and policies look up what users write. The names of Kubernetes' fields are its own,
/// in any version and with any CRD: they never change under a name, and their schemas are data.
const DOCUMENT_LOOKUPS: usize = 30;
const OBJECT_LOOKUPS: usize = 200;
/// Files that read Kubernetes' objects, not our documents.
const OF_OBJECTS: [&str; 15] = [
    "crates/kubernetes/",
    "crates/validation/",
    "src/cli/policy.rs",
    "src/load/manifests.rs",
    "src/load/admission.rs",
    "src/comparison/placed.rs",
    "src/model/demand.rs",
    "src/model/footprint.rs",
    "src/model/network.rs",
    "src/model/references.rs",
    "src/model/secrets.rs",
    "src/model/timetable.rs",
    "src/review/",
    "src/verify/",
    "src/emit/",
];

/// A file of the product's own code, without its tests.
struct File {
    path: String,
    lines: Vec<String>,
}

fn files() -> Vec<File> {
    let mut found = Vec::new();
    for root in ["src", "crates"] {
        let mut pending = vec![repository_path(root)];
        while let Some(folder) = pending.pop() {
            for entry in fs::read_dir(folder).unwrap() {
                let path = entry.unwrap().path();
                if path.is_dir() {
                    pending.push(path);
                } else if path.extension().is_some_and(|extension| extension == "rs") {
                    found.push(path);
                }
            }
        }
    }
    found.sort();
    found.iter().map(|path| read(path)).collect()
}

fn read(path: &Path) -> File {
    let root: PathBuf = repository_path("");
    let text = fs::read_to_string(path).unwrap();
    let tests = text.find("#[cfg(test)]\nmod tests").unwrap_or(text.len());
    File {
        path: path
            .strip_prefix(&root)
            .unwrap()
            .to_str()
            .unwrap()
            .to_owned(),
        lines: text[..tests].lines().map(str::to_owned).collect(),
    }
}

#[test]
fn files_and_functions_are_short() {
    let mut long = Vec::new();
    for file in files() {
        if file.lines.len() > FILE_LINES {
            long.push(format!("{}: {} lines", file.path, file.lines.len()));
        }
        for (at, line) in file.lines.iter().enumerate() {
            let code = line.trim_start();
            let indent = &line[..line.len() - code.len()];
            let signature = code
                .trim_start_matches("pub(super) ")
                .trim_start_matches("pub(crate) ");
            let signature = signature
                .trim_start_matches("pub ")
                .trim_start_matches("const ");
            let Some(name) = signature.strip_prefix("fn ") else {
                continue;
            };
            // Of a trait's method without a body, the signature is all.
            let rest = &file.lines[at..];
            let mut ends = rest.iter();
            let signature = ends.find(|line| line.ends_with('{') || line.ends_with(';'));
            if signature.is_none_or(|line| line.ends_with(';')) {
                continue;
            }
            let end = rest.iter().position(|line| *line == format!("{indent}}}"));
            let count = end.map_or(0, |end| end + 1);
            if count > FUNCTION_LINES {
                let name = name.split(['(', '<']).next().unwrap();
                long.push(format!(
                    "{}:{}: `{name}` has {count} lines",
                    file.path,
                    at + 1
                ));
            }
        }
    }
    assert!(
        long.is_empty(),
        "shorter parts, please:\n{}",
        long.join("\n")
    );
}

#[test]
fn a_name_is_one_type() {
    let mut types: BTreeMap<String, BTreeSet<String>> = BTreeMap::new();
    for file in files() {
        for line in &file.lines {
            // Types within functions and traits are theirs alone.
            let code = line
                .trim_start_matches("pub(super) ")
                .trim_start_matches("pub(crate) ");
            let code = code.trim_start_matches("pub ");
            let name = ["struct ", "enum ", "trait ", "type ", "union "]
                .iter()
                .find_map(|word| code.strip_prefix(word));
            if let Some(name) = name {
                let name = name.split(|c: char| !c.is_alphanumeric()).next().unwrap();
                types
                    .entry(name.to_owned())
                    .or_default()
                    .insert(file.path.clone());
            }
        }
    }
    types.retain(|_, files| files.len() > 1);
    println!("{} names of more than one type: {types:#?}", types.len());
    assert!(types.len() <= SHARED_NAMES, "{types:#?}");
}

#[test]
fn fields_are_looked_up_by_their_types() {
    const METHODS: [&str; 11] = [
        "get",
        "at",
        "text_at",
        "spec_at",
        "written",
        "below",
        "entry",
        "values",
        "has_written",
        "get_mut",
        "variable",
    ];
    let mut counts: Vec<(usize, String)> = Vec::new();
    for file in files() {
        if ["crates/cel/", "crates/engine/", "src/policy/"]
            .iter()
            .any(|folder| file.path.starts_with(folder))
        {
            continue;
        }
        let text = file.lines.join("\n");
        let calls = text.split('.').skip(1).filter(|rest| {
            let Some((method, rest)) = rest.split_once('(') else {
                return false;
            };
            let argument = rest.trim_start().trim_start_matches('&');
            let argument = argument.strip_prefix('[').unwrap_or(argument).trim_start();
            METHODS.contains(&method) && argument.starts_with('"')
        });
        let count = calls.count();
        if count > 0 {
            counts.push((count, file.path));
        }
    }
    counts.sort_by(|a, b| b.cmp(a));
    let (of_objects, of_documents): (Vec<_>, Vec<_>) = counts
        .into_iter()
        .partition(|(_, path)| OF_OBJECTS.iter().any(|folder| path.starts_with(folder)));
    for (what, counts, most) in [
        ("documents", of_documents, DOCUMENT_LOOKUPS),
        ("Kubernetes' objects", of_objects, OBJECT_LOOKUPS),
    ] {
        let sum: usize = counts.iter().map(|(count, _)| count).sum();
        println!("{sum} look-ups of {what} by a key that is written out: {counts:#?}");
        assert!(sum <= most, "{sum} look-ups of {what}: {counts:#?}");
    }
}
