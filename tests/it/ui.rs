//! What users read has cases (`tests/ui.rs`): one for each code, with a remedy in each.

use std::fs;
use std::path::{Path, PathBuf};

use tenantry::diagnostics::catalogue;

use crate::support::repository_path;

fn cases() -> Vec<PathBuf> {
    let mut cases: Vec<PathBuf> = folders(&repository_path("tests/ui"))
        .into_iter()
        .filter(|folder| !folder.ends_with("base"))
        .flat_map(|folder| folders(&folder))
        .collect();
    cases.sort();
    cases
}

fn folders(parent: &Path) -> Vec<PathBuf> {
    fs::read_dir(parent)
        .unwrap()
        .map(|entry| entry.unwrap().path())
        .filter(|path| path.is_dir())
        .collect()
}

#[test]
fn every_code_has_a_case_and_every_error_a_remedy() {
    let cases = cases();
    for code in catalogue::all() {
        let own: Vec<&PathBuf> = cases
            .iter()
            .filter(|case| case.parent().unwrap().ends_with(code.id))
            .collect();
        assert!(
            !own.is_empty(),
            "{} ({}) has no case in tests/ui/{}/",
            code.id,
            code.title,
            code.id
        );
        for case in own.into_iter().filter(|_| code.id != "T0801") {
            let text = fs::read_to_string(case.join("expected.txt")).unwrap();
            let shown = text.split(&format!("[{}]", code.id)).nth(1).unwrap();
            let finding = shown.split("\n\n").next().unwrap();
            assert!(
                finding.contains("= help: ") || code.id == "T0604",
                "{} says not what to write instead:\n{text}",
                case.display()
            );
        }
    }
}
