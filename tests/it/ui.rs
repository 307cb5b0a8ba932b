//! What users read: each case of `tests/ui/<code>/<case>/` lays its files over `tests/ui/base/` and
//! runs `tenantry check`, or the lines of its `commands`. `UPDATE=1 cargo test ui` writes the
//! `expected.txt` of each case anew; read what changed.
//!
//! Lines of `commands`:
//!
//! ```text
//! tenantry ARGUMENTS…      runs it in the case's folder
//! append FILE TEXT         adds a line to a file
//! write FILE TEXT          makes a file with one line
//! link FILE TARGET         makes a symbolic link
//! bytes FILE HEX           makes a file of bytes
//! commit                   puts all files into a git repository, as branch main
//! replace FILE OLD => NEW  replaces a text in a file
//! remove FILE              removes a file
//! ```

use std::fmt::Write as _;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use rayon::prelude::*;
use tenantry::diagnostics::catalogue;

use crate::support::{assert_file, repository_path};

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

fn copy(from: &Path, to: &Path) {
    for entry in fs::read_dir(from).unwrap() {
        let path = entry.unwrap().path();
        let target = to.join(path.file_name().unwrap());
        if path.is_dir() {
            fs::create_dir_all(&target).unwrap();
            copy(&path, &target);
        } else if !matches!(
            path.file_name().and_then(|name| name.to_str()),
            Some("expected.txt" | "commands")
        ) {
            fs::copy(&path, &target).unwrap();
        }
    }
}

/// What a case prints: each command, its exit code and its standard output.
fn transcript(case: &Path) -> String {
    let folder = tempfile::tempdir().unwrap();
    let root = folder.path();
    copy(&repository_path("tests/ui/base"), root);
    copy(case, root);
    let commands =
        fs::read_to_string(case.join("commands")).unwrap_or_else(|_| "tenantry check\n".to_owned());
    let mut transcript = String::new();
    for line in commands.lines().filter(|line| !line.is_empty()) {
        writeln!(transcript, "$ {line}").unwrap();
        let mut words = line.splitn(3, ' ');
        let (verb, first, rest) = (
            words.next().unwrap(),
            words.next().unwrap_or(""),
            words.next().unwrap_or(""),
        );
        let file = root.join(first);
        match verb {
            "tenantry" => {
                let output = Command::new(env!("CARGO_BIN_EXE_tenantry"))
                    .args(line.split_whitespace().skip(1))
                    .current_dir(root)
                    .env("TENANTRY_AS_OF", "2026-06-01")
                    .env("NO_COLOR", "1")
                    .output()
                    .unwrap();
                transcript += &String::from_utf8(output.stdout).unwrap();
                let errors = String::from_utf8(output.stderr).unwrap();
                // The tool's own failures are part of what users read.
                for error in errors.lines().filter(|line| line.starts_with("error: ")) {
                    writeln!(transcript, "{error}").unwrap();
                }
                writeln!(transcript, "exit {}", output.status.code().unwrap()).unwrap();
            }
            "append" => {
                let text = fs::read_to_string(&file).unwrap();
                fs::write(&file, format!("{text}{rest}\n")).unwrap();
            }
            "write" => {
                fs::create_dir_all(file.parent().unwrap()).unwrap();
                fs::write(&file, format!("{rest}\n")).unwrap();
            }
            "link" => std::os::unix::fs::symlink(rest, &file).unwrap(),
            "bytes" => {
                let digit = |at: usize| u8::from_str_radix(&rest[at..at + 2], 16).unwrap();
                fs::write(
                    &file,
                    (0..rest.len()).step_by(2).map(digit).collect::<Vec<u8>>(),
                )
                .unwrap();
            }
            "commit" => commit(root),
            "replace" => {
                let text = fs::read_to_string(&file).unwrap();
                let (old, new) = rest.split_once(" => ").unwrap();
                assert!(text.contains(old), "{}: no {old}", case.display());
                fs::write(&file, text.replace(old, new)).unwrap();
            }
            "remove" => fs::remove_file(&file).unwrap(),
            other => panic!("{}: unknown verb {other}", case.display()),
        }
    }
    transcript
        .lines()
        .map(|line| line.trim_end().to_owned() + "\n")
        .collect()
}

/// Puts everything into a git repository; always the same commit for the same files.
fn commit(root: &Path) {
    for arguments in [
        &["init", "--quiet", "--initial-branch=main"][..],
        &["add", "--all"],
        &["commit", "--quiet", "--message=base"],
    ] {
        let status = Command::new("git")
            .args(arguments)
            .current_dir(root)
            .envs([
                ("GIT_AUTHOR_NAME", "a"),
                ("GIT_AUTHOR_EMAIL", "a@example.com"),
                ("GIT_AUTHOR_DATE", "2026-01-01T00:00:00Z"),
                ("GIT_COMMITTER_NAME", "a"),
                ("GIT_COMMITTER_EMAIL", "a@example.com"),
                ("GIT_COMMITTER_DATE", "2026-01-01T00:00:00Z"),
                ("GIT_CONFIG_GLOBAL", "/dev/null"),
            ])
            .status()
            .unwrap();
        assert!(status.success(), "git {arguments:?}");
    }
}

#[test]
fn cases_print_what_is_expected() {
    let transcripts: Vec<(PathBuf, String)> = cases()
        .into_par_iter()
        .map(|case| (case.clone(), transcript(&case)))
        .collect();
    for (case, transcript) in transcripts {
        let code = case
            .parent()
            .unwrap()
            .file_name()
            .unwrap()
            .to_str()
            .unwrap()
            .to_owned();
        assert!(
            // Findings of policies carry the policy's name.
            transcript.contains(&format!("[{code}]")) || code == "T0801",
            "{} does not show its own code:\n{transcript}",
            case.display()
        );
        assert_file(&case.join("expected.txt"), &transcript);
    }
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
