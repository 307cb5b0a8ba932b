//! What users read: each case of `tests/ui/<code>/<case>/` lays its files over `tests/ui/base/` and
//! runs `tenantry check`, or the lines of its `commands`. `cargo test --test ui T0206` runs those of one
//! code. `UPDATE=1 cargo test --test ui` writes the `expected.txt` of each case anew; read what changed.
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

#![allow(
    clippy::unwrap_used,
    clippy::disallowed_methods,
    missing_docs,
    reason = "tests fail by panicking, and make files"
)]

use std::fmt::Write as _;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use libtest_mimic::{Arguments, Failed, Trial};

#[path = "it/support.rs"]
#[allow(dead_code, reason = "other tests share it")]
mod support;

use support::{assert_file, repository_path};

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

/// A case prints what it is expected to, its own code among it.
fn judge(case: &Path) -> Result<(), Failed> {
    let code = case.parent().and_then(Path::file_name).unwrap();
    let code = code.to_str().unwrap();
    let transcript = transcript(case);
    // Findings of policies carry the policy's name.
    if !transcript.contains(&format!("[{code}]")) && code != "T0801" {
        return Err(format!("the case does not show its own code:\n{transcript}").into());
    }
    assert_file(&case.join("expected.txt"), &transcript);
    Ok(())
}

fn main() {
    let root = repository_path("tests/ui");
    let trials = cases().into_iter().map(|case| {
        let name = case.strip_prefix(&root).unwrap().display().to_string();
        Trial::test(name, move || judge(&case))
    });
    libtest_mimic::run(&Arguments::from_args(), trials.collect()).exit();
}
