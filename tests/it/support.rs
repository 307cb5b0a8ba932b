//! What tests share.

use std::path::{Path, PathBuf};

use tenantry::load::Source;
use tenantry::resolve::Selection;
use tenantry::{CompileOptions, Shard};

/// A path below the repository's root.
pub fn repository_path(path: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join(path)
}

/// Whether goldens are to be written anew: `UPDATE=1 cargo test`.
pub fn updating() -> bool {
    std::env::var_os("UPDATE").is_some()
}

/// How many cases a property is tried with: a few, or as many times more as `CASES` says.
pub fn cases(few: u32) -> u32 {
    let times = std::env::var("CASES").ok();
    few * times.and_then(|times| times.parse().ok()).unwrap_or(1)
}

/// Of cases that take long, every `every`th; all when `CASES` is set, as `.ci/full` does.
pub fn sampled<T>(all: impl IntoIterator<Item = T>, every: usize) -> Vec<T> {
    let every = if std::env::var_os("CASES").is_some() {
        1
    } else {
        every
    };
    all.into_iter().step_by(every).collect()
}

/// Asserts that a file has a text, or writes it when updating.
pub fn assert_file(path: &Path, text: &str) {
    if updating() {
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        std::fs::write(path, text).unwrap();
        return;
    }
    let found = std::fs::read_to_string(path).unwrap_or_default();
    snapbox::assert_data_eq!(text.to_owned(), snapbox::Data::text(found).raw());
}

/// The options that compile all of a folder, on a fixed day.
pub fn options(root: &Path) -> CompileOptions {
    CompileOptions {
        source: Source::Folder {
            root: root.to_path_buf(),
        },
        extra: Vec::new(),
        selection: Selection::default(),
        as_of: jiff::civil::date(2026, 6, 1),
        shard: Shard::WHOLE,
        baseline: None,
        gives_evidence: false,
    }
}

/// All files below a folder, by path, with their bytes.
pub fn files_below(root: &Path) -> std::collections::BTreeMap<String, Vec<u8>> {
    let mut files = std::collections::BTreeMap::new();
    let mut pending = vec![root.to_path_buf()];
    while let Some(folder) = pending.pop() {
        for entry in std::fs::read_dir(&folder).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                pending.push(path);
            } else {
                let name = path
                    .strip_prefix(root)
                    .unwrap()
                    .to_str()
                    .unwrap()
                    .to_owned();
                files.insert(name, std::fs::read(&path).unwrap());
            }
        }
    }
    files
}

/// Copies a folder; gives the files in the order of `order`, to show that it does not count.
pub fn copy_folder(from: &Path, to: &Path, reversed: bool) {
    let mut files: Vec<_> = files_below(from).into_iter().collect();
    if reversed {
        files.reverse();
    }
    for (path, bytes) in files {
        let target = to.join(path);
        std::fs::create_dir_all(target.parent().unwrap()).unwrap();
        std::fs::write(target, bytes).unwrap();
    }
}

/// What `tenantry render` makes of a repository, by path; it must succeed.
pub fn render(root: &Path, arguments: &[&str]) -> std::collections::BTreeMap<String, Vec<u8>> {
    let out = tempfile::tempdir().unwrap();
    let output = std::process::Command::new(env!("CARGO_BIN_EXE_tenantry"))
        .arg("render")
        .arg(root)
        .arg("--out")
        .arg(out.path())
        .args(arguments)
        .output()
        .unwrap();
    let said = String::from_utf8_lossy(&output.stdout).into_owned()
        + &String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{said}");
    files_below(out.path())
}

/// The documents of a file.
pub fn documents(text: &[u8]) -> Vec<serde_json::Value> {
    let documents = serde_yaml::Deserializer::from_slice(text);
    documents
        .map(|document| serde::Deserialize::deserialize(document).unwrap())
        .collect()
}

/// Whether a program is there; what it would judge is left out if not, and that is said.
pub fn has_program(name: &str) -> bool {
    let there = std::process::Command::new(name)
        .arg("--version")
        .output()
        .is_ok();
    assert!(
        there || std::env::var_os("JUDGES").is_none(),
        "{name} is not there, and all judges are wanted (`JUDGES`)"
    );
    if !there {
        eprintln!("NOT JUDGED: {name} is not there (Debian: prometheus, prometheus-alertmanager)");
    }
    there
}

/// A visitor that only lets units pass.
pub struct Nothing;

impl tenantry::Visitor for Nothing {
    fn unit(
        &self,
        _: &tenantry::model::instance::Unit,
        _: &[tenantry::engine::manifest::Rendered],
        _: &tenantry::diagnostics::Sources,
    ) -> std::io::Result<()> {
        Ok(())
    }
}

/// Numbers that are the same each time.
pub struct Random(pub u64);

impl Random {
    /// A number below another.
    pub fn below(&mut self, most: usize) -> usize {
        self.0 = self
            .0
            .wrapping_mul(6_364_136_223_846_793_005)
            .wrapping_add(1_442_695_040_888_963_407);
        usize::try_from(self.0 >> 33).unwrap() % most
    }
}
