//! The tables of Kubernetes' versions are what `k8s-openapi` has: its crates carry the types of several versions.
//!
//! `UPDATE=1 K8S_OPENAPI=FOLDER:FOLDER cargo test -p conformance versions` writes `crates/kubernetes/tables/fields.yaml` anew;
//! the folders are those of older crates, as cargo unpacks them.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};
use std::process::Command;

use serde_json::Value;

use crate::support::{files_below, repository_path};

/// The oldest version of the tables.
const OLDEST: u32 = 16;

/// What a version of Kubernetes has.
#[derive(Default)]
struct Version {
    /// Kinds, as `apps/v1 Deployment`.
    kinds: BTreeSet<String>,
    /// The fields of each definition.
    fields: BTreeMap<String, BTreeSet<String>>,
}

/// The folders of the `k8s-openapi` crates that this workspace builds with, and those that are named.
fn crates() -> Vec<PathBuf> {
    let rustc = Command::new("rustc").arg("-vV").output().unwrap();
    let rustc = String::from_utf8(rustc.stdout).unwrap();
    let host = rustc
        .lines()
        .find_map(|line| line.strip_prefix("host: "))
        .unwrap();
    let output = Command::new(env!("CARGO"))
        .args([
            "metadata",
            "--format-version",
            "1",
            "--offline",
            "--locked",
            "--filter-platform",
            host,
        ])
        .current_dir(env!("CARGO_MANIFEST_DIR"))
        .output()
        .unwrap();
    let metadata: Value = serde_json::from_slice(&output.stdout).unwrap();
    let packages = metadata["packages"].as_array().unwrap().iter();
    let built = packages
        .filter(|package| package["name"] == "k8s-openapi")
        .map(|package| {
            let manifest = Path::new(package["manifest_path"].as_str().unwrap());
            manifest.parent().unwrap().to_path_buf()
        });
    let named = std::env::var("K8S_OPENAPI").unwrap_or_default();
    let named: Vec<PathBuf> = std::env::split_paths(&named).collect();
    let mut all: Vec<PathBuf> = named.into_iter().chain(built).collect();
    // The newest crate tells best what a version has.
    all.sort();
    all
}

/// What each version has, by its minor version.
fn versions() -> BTreeMap<u32, Version> {
    let mut versions = BTreeMap::new();
    for root in crates() {
        for entry in std::fs::read_dir(root.join("src")).unwrap() {
            let entry = entry.unwrap();
            let name = entry.file_name().into_string().unwrap();
            let minor = name
                .strip_prefix("v1_")
                .and_then(|minor| minor.parse().ok());
            if let Some(minor) = minor.filter(|minor| *minor >= OLDEST) {
                versions.insert(minor, read(&entry.path()));
            }
        }
    }
    versions
}

/// Reads the generated types of a version.
fn read(root: &Path) -> Version {
    let mut version = Version::default();
    for (path, text) in files_below(root) {
        let text = String::from_utf8(text).unwrap();
        let constant = |name: &str| {
            let start = format!("const {name}: &'static str = \"");
            let rest = text.split(&start).nth(1)?;
            rest.split('"').next().map(str::to_owned)
        };
        if let (Some(api_version), Some(kind)) = (constant("API_VERSION"), constant("KIND")) {
            version.kinds.insert(format!("{api_version} {kind}"));
        }
        let Some(name) = text.split("\npub struct ").nth(1) else {
            continue;
        };
        let name: String = name.chars().take_while(|c| c.is_alphanumeric()).collect();
        let module = path.rsplit_once('/').map_or("", |(module, _)| module);
        let definition = format!(
            "io.k8s.{}.{name}",
            module.replace('/', ".").replace('_', "-")
        );
        let fields = text.lines().filter_map(|line| {
            let (field, rest) = line.trim().strip_prefix('"')?.split_once('"')?;
            rest.starts_with(" => Field::Key_")
                .then(|| field.to_owned())
        });
        version.fields.insert(definition, fields.collect());
    }
    version
}

/// Since when a field is there, and from when on no longer, where that is later than the oldest version known.
type History = BTreeMap<(String, String), (Option<u32>, Option<u32>)>;

fn history(versions: &BTreeMap<u32, Version>) -> History {
    let (oldest, newest) = (
        *versions.keys().next().unwrap(),
        *versions.keys().last().unwrap(),
    );
    let mut history = History::new();
    for definition in versions[&newest].fields.keys() {
        let having: Vec<(u32, &BTreeSet<String>)> = versions
            .iter()
            .filter_map(|(minor, version)| Some((*minor, version.fields.get(definition)?)))
            .collect();
        let all: BTreeSet<&String> = having.iter().flat_map(|(_, fields)| *fields).collect();
        for field in all {
            let with: Vec<u32> = having
                .iter()
                .filter(|(_, fields)| fields.contains(field))
                .map(|(minor, _)| *minor)
                .collect();
            let (first, last) = (with[0], with[with.len() - 1]);
            // The fields of a new definition are as old as what refers to it.
            let since = (first > oldest && first > having[0].0).then_some(first);
            let removed = (last < newest).then_some(last + 1);
            if since.is_some() || removed.is_some() {
                history.insert((definition.clone(), field.clone()), (since, removed));
            }
        }
    }
    history
}

fn minor(value: &Value) -> Option<u32> {
    value.as_str()?.strip_prefix("1.")?.parse().ok()
}

fn table(path: &str) -> BTreeMap<String, BTreeMap<String, Value>> {
    let text = std::fs::read_to_string(repository_path(path)).unwrap_or_default();
    serde_yaml::from_str(&text).unwrap_or_default()
}

#[test]
fn versions_of_fields_are_those_of_the_crates() {
    let versions = versions();
    let schemas: Value = serde_json::from_str(
        &std::fs::read_to_string(repository_path("crates/kubernetes/schemas/kubernetes.json"))
            .unwrap(),
    )
    .unwrap();
    let mut expected = history(&versions);
    expected.retain(|(definition, _), _| schemas["definitions"].get(definition).is_some());
    if std::env::var_os("UPDATE").is_some() {
        assert_eq!(
            versions.keys().next(),
            Some(&OLDEST),
            "name the folders of older crates in K8S_OPENAPI"
        );
        let mut text = format!(
            "# The fields that a version of Kubernetes added to or removed from the definitions of schemas/kubernetes.json,\n\
             # from 1.{OLDEST} on. since: the first version that has it; removed: the first that no longer has it.\n\
             # Made from `k8s-openapi` by a test of `conformance`.\n"
        );
        let mut last = "";
        for ((definition, field), (since, removed)) in &expected {
            if last != definition {
                text += &format!("{definition}:\n");
                last = definition;
            }
            let facts = [("since", since), ("removed", removed)];
            let facts = facts
                .iter()
                .filter_map(|(name, minor)| minor.map(|minor| format!("{name}: \"1.{minor}\"")));
            text += &format!("  {field}: {{{}}}\n", facts.collect::<Vec<_>>().join(", "));
        }
        std::fs::write(
            repository_path("crates/kubernetes/tables/fields.yaml"),
            text,
        )
        .unwrap();
        return;
    }
    let oldest = *versions.keys().next().unwrap();
    let table = table("crates/kubernetes/tables/fields.yaml");
    let mut found = History::new();
    for (definition, fields) in &table {
        for (field, facts) in fields {
            let later = |name: &str| minor(&facts[name]).filter(|minor| *minor > oldest);
            let (since, removed) = (later("since"), later("removed"));
            if since.is_some() || removed.is_some() {
                found.insert((definition.clone(), field.clone()), (since, removed));
            }
        }
    }
    assert_eq!(found, expected);
}

#[test]
fn versions_of_kinds_are_those_of_the_crates() {
    let versions = versions();
    let (oldest, newest) = (
        *versions.keys().next().unwrap(),
        *versions.keys().last().unwrap(),
    );
    let mut wrong = Vec::new();
    let table = table("crates/kubernetes/tables/versions.yaml");
    for (api_version, kinds) in &table {
        for (kind, facts) in kinds {
            let name = format!("{api_version} {kind}");
            let introduced = minor(&facts["introduced"]).unwrap_or(0);
            let removed = minor(&facts["removed"]).unwrap_or(u32::MAX);
            for minor in oldest..=newest {
                let is_there = versions[&minor].kinds.contains(&name);
                if is_there != (introduced <= minor && minor < removed) {
                    wrong.push(format!("{name} in 1.{minor}: {is_there}"));
                }
            }
        }
    }
    let is_new = |name: &&String| {
        let (api_version, kind) = name.split_once(' ').unwrap();
        !table
            .get(api_version)
            .is_some_and(|kinds| kinds.contains_key(kind))
    };
    // What is no object of its own: answers, and parts of others that have an address.
    let is_object = |name: &&String| {
        let kind = name.split(' ').next_back().unwrap();
        !kind.ends_with("List")
            && !["APIGroup", "APIVersions", "Status", "Scale", "Eviction"].contains(&kind)
    };
    let missing = versions[&newest]
        .kinds
        .iter()
        .filter(is_new)
        .filter(is_object);
    wrong.extend(missing.map(|name| format!("{name} is missing")));
    assert!(wrong.is_empty(), "{wrong:#?}");
}
