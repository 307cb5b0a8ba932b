//! Stage 6: the output folder. The only stage that writes files.
//!
//! * `forms`: the text of manifests of a form that is known.
//! * `layout`: which manifest goes into which file, in apply order.
//! * `header`: the first lines of a generated file, with the digest of its body.
//! * [`OutputFolder`]: stages files on disk as they stream in, and moves them into place at the end. Only
//!   files that carry the header are replaced or removed, and only if nobody edited them.

mod forms;
mod header;
mod layout;

use std::collections::{BTreeSet, HashSet};
use std::fs;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::Mutex;

pub use forms::Forms;
pub use header::{Ownership, ownership, with_header};
pub use layout::{File, cluster_folder, files, unit_folder, unit_of};

use tenantry_syntax::diagnostics::catalogue::emit as codes;
use tenantry_syntax::diagnostics::{Diagnostic, Sink};

/// What is done with the files.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Mode {
    /// They are written.
    Write {
        /// Files that were edited by hand, or belong to somebody else, are replaced, too.
        force: bool,
    },
    /// They are compared with what is there.
    Compare,
}

/// What was done.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct EmitSummary {
    /// Files that are part of the output.
    pub files: usize,
    /// Files that were new or different.
    pub written: usize,
    /// Files that were there and are no longer made.
    pub removed: usize,
    /// Whether the folder is not what it should be (mode compare).
    pub out_of_date: bool,
}

/// The output folder while it is being written.
pub struct OutputFolder {
    root: PathBuf,
    platform: String,
    staging: PathBuf,
    mode: Mode,
    state: Mutex<FolderState>,
}

#[derive(Default)]
struct FolderState {
    produced: HashSet<String>,
    changed: Vec<Change>,
    refused: Vec<(String, Ownership)>,
    /// Folders that are known to be folders and not links.
    folders: HashSet<PathBuf>,
}

struct Change {
    path: String,
    existed: bool,
}

/// Most files that are listed one by one.
const MOST_LISTED: usize = 20;

impl OutputFolder {
    /// Opens a folder; `part` names the part of the output that this run makes, if not all of it.
    ///
    /// # Errors
    /// The folder cannot be made.
    pub fn open(root: &Path, platform: &str, mode: Mode, part: &str) -> io::Result<OutputFolder> {
        let staging = root.join(format!(".tenantry-staging{part}"));
        if let Mode::Write { .. } = mode {
            match fs::symlink_metadata(&staging) {
                Ok(found) if found.is_dir() => fs::remove_dir_all(&staging)?,
                Ok(_) => fs::remove_file(&staging)?,
                Err(_) => {}
            }
            fs::create_dir_all(&staging)?;
        }
        Ok(OutputFolder {
            root: root.to_path_buf(),
            platform: platform.to_owned(),
            staging,
            mode,
            state: Mutex::default(),
        })
    }

    /// Takes a file: compares it with what is there, and stages it if it differs.
    ///
    /// # Errors
    /// The disk.
    pub fn put(&self, path: &str, body: &str) -> io::Result<()> {
        // Whatever the paths are made of, they stay below the output folder.
        if path
            .split('/')
            .any(|part| matches!(part, "" | "." | "..") || part.contains(['\\', '\0']))
        {
            return Err(io::Error::new(
                io::ErrorKind::InvalidInput,
                format!("{path:?} is no path of the output"),
            ));
        }
        let text = with_header(&self.platform, path, body);
        let target = self.root.join(path);
        let existing = if self.is_reachable(path) {
            read_existing(&target)?
        } else {
            Existing::Foreign
        };
        let mut refused = None;
        let changed = match &existing {
            Existing::Absent => true,
            Existing::Foreign => {
                refused = Some(Ownership::Foreign);
                true
            }
            Existing::Text(bytes) if bytes == text.as_bytes() => false,
            Existing::Text(bytes) => {
                let owner = ownership(&self.platform, path, bytes);
                refused = (owner != Ownership::Ours).then_some(owner);
                true
            }
        };
        let force = self.mode == Mode::Write { force: true } && self.is_reachable(path);
        if changed && (refused.is_none() || force) && self.mode != Mode::Compare {
            let file = self.staging.join(path);
            self.make_parent(&file)?;
            fs::write(&file, &text)?;
        }
        let mut state = self.state();
        state.produced.insert(path.to_owned());
        if changed {
            let existed = !matches!(existing, Existing::Absent);
            state.changed.push(Change {
                path: path.to_owned(),
                existed,
            });
        }
        if let Some(owner) = refused.filter(|_| !force && self.mode != Mode::Compare) {
            state.refused.push((path.to_owned(), owner));
        }
        Ok(())
    }

    fn state(&self) -> std::sync::MutexGuard<'_, FolderState> {
        self.state
            .lock()
            .unwrap_or_else(std::sync::PoisonError::into_inner)
    }

    /// Makes the folder of a staged file, once.
    fn make_parent(&self, file: &Path) -> io::Result<()> {
        let Some(folder) = file.parent() else {
            return Ok(());
        };
        if !self.state().folders.contains(folder) {
            fs::create_dir_all(folder)?;
            self.state().folders.insert(folder.to_path_buf());
        }
        Ok(())
    }

    /// Whether no folder on the way to a file is a link, which could lead out of the output.
    fn is_reachable(&self, path: &str) -> bool {
        let mut folder = self.root.clone();
        let mut parts: Vec<&str> = path.split('/').collect();
        parts.pop();
        for part in parts {
            folder.push(part);
            if self.state().folders.contains(&folder) {
                continue;
            }
            match fs::symlink_metadata(&folder) {
                Ok(found) if found.is_dir() => {
                    self.state().folders.insert(folder.clone());
                }
                Ok(_) => return false,
                Err(_) => return true,
            }
        }
        true
    }

    /// Moves everything into place and removes what is no longer made; changes nothing when
    /// comparing, after errors, or when a file is refused. `owns` says which paths this run answers for.
    ///
    /// # Errors
    /// The disk.
    pub fn finish(
        self,
        failed: bool,
        owns: &dyn Fn(&str) -> bool,
        sink: &mut Sink,
    ) -> io::Result<EmitSummary> {
        let state = std::mem::take(&mut *self.state());
        let mut summary = EmitSummary {
            files: state.produced.len(),
            ..EmitSummary::default()
        };
        if failed {
            return Ok(summary);
        }
        let mut stale = Vec::new();
        let mut foreign = BTreeSet::new();
        let mut refused = state.refused;
        let force = self.mode == Mode::Write { force: true };
        for path in existing_files(&self.root)? {
            if state.produced.contains(&path) || !owns(&path) {
                continue;
            }
            match read_existing(&self.root.join(&path))? {
                Existing::Text(bytes) => match ownership(&self.platform, &path, &bytes) {
                    Ownership::Ours => stale.push(path),
                    Ownership::Edited if force || self.mode == Mode::Compare => stale.push(path),
                    Ownership::Edited => refused.push((path, Ownership::Edited)),
                    // What a delivery engine would apply, too, is no part of the output.
                    Ownership::Foreign if self.mode == Mode::Compare && is_manifest(&path) => {
                        stale.push(path);
                    }
                    Ownership::Foreign => {
                        foreign.insert(path);
                    }
                },
                Existing::Foreign | Existing::Absent => {
                    foreign.insert(path);
                }
            }
        }
        refused.sort();
        refuse(&refused, &self.root, sink);
        if !foreign.is_empty() {
            let message = format!(
                "{} in {} not written by Tenantry for this platform, and left alone",
                count(foreign.len()),
                self.root.display()
            );
            let listed: Vec<&str> = foreign.iter().take(5).map(String::as_str).collect();
            sink.push(Diagnostic::new(codes::LEFT_ALONE, message).note(listed.join(", ")));
        }
        match self.mode {
            Mode::Compare => compare(&state.changed, &stale, &self.root, &mut summary, sink),
            Mode::Write { .. } if refused.is_empty() => {
                summary.written = state.changed.len();
                summary.removed = stale.len();
                move_into_place(&self.staging, &self.root)?;
                for path in &stale {
                    fs::remove_file(self.root.join(path))?;
                    remove_empty_folders(&self.root, path);
                }
            }
            Mode::Write { .. } => {}
        }
        Ok(summary)
    }
}

impl Drop for OutputFolder {
    fn drop(&mut self) {
        if let Mode::Write { .. } = self.mode {
            // What is left is of no use to anybody; a failure to remove it does no harm.
            let _ = fs::remove_dir_all(&self.staging);
        }
    }
}

enum Existing {
    Absent,
    Text(Vec<u8>),
    /// A link or a folder.
    Foreign,
}

fn read_existing(path: &Path) -> io::Result<Existing> {
    match fs::symlink_metadata(path) {
        Err(error)
            if matches!(
                error.kind(),
                io::ErrorKind::NotFound | io::ErrorKind::NotADirectory
            ) =>
        {
            Ok(Existing::Absent)
        }
        Err(error) => Err(error),
        Ok(found) if found.is_file() => Ok(Existing::Text(fs::read(path)?)),
        Ok(_) => Ok(Existing::Foreign),
    }
}

/// Whether a file is of a kind that delivery engines apply.
fn is_manifest(path: &str) -> bool {
    Path::new(path)
        .extension()
        .is_some_and(|extension| extension == "yaml" || extension == "yml" || extension == "json")
}

/// All files below a folder, without what is staged or hidden.
fn existing_files(root: &Path) -> io::Result<Vec<String>> {
    let mut files = Vec::new();
    let mut pending = vec![(root.to_path_buf(), String::new())];
    while let Some((folder, prefix)) = pending.pop() {
        let entries = match fs::read_dir(&folder) {
            Ok(entries) => entries,
            Err(error) if error.kind() == io::ErrorKind::NotFound => continue,
            Err(error) => return Err(error),
        };
        for entry in entries {
            let entry = entry?;
            let Some(name) = entry.file_name().to_str().map(str::to_owned) else {
                continue;
            };
            if name.starts_with('.') {
                continue;
            }
            let path = format!("{prefix}{name}");
            if entry.file_type()?.is_dir() {
                pending.push((entry.path(), format!("{path}/")));
            } else {
                files.push(path);
            }
        }
    }
    files.sort();
    Ok(files)
}

/// Moves what is staged to where it belongs: a folder that is not there yet as a whole.
fn move_into_place(staged: &Path, target: &Path) -> io::Result<()> {
    for entry in fs::read_dir(staged)? {
        let entry = entry?;
        let place = target.join(entry.file_name());
        if entry.file_type()?.is_dir()
            && fs::symlink_metadata(&place).is_ok_and(|found| found.is_dir())
        {
            move_into_place(&entry.path(), &place)?;
        } else {
            fs::rename(entry.path(), place)?;
        }
    }
    Ok(())
}

fn remove_empty_folders(root: &Path, path: &str) {
    let mut folder = root.join(path);
    while folder.pop() && folder != root && fs::remove_dir(&folder).is_ok() {}
}

fn refuse(refused: &[(String, Ownership)], root: &Path, sink: &mut Sink) {
    for (path, owner) in refused.iter().take(MOST_LISTED) {
        let full = root.join(path);
        sink.push(match owner {
            Ownership::Edited => Diagnostic::new(
                codes::HAND_EDITED,
                format!(
                    "{} was edited by hand since it was generated",
                    full.display()
                ),
            )
            .help("make the change in the input; `tenantry render --force` discards the edit"),
            _ => Diagnostic::new(
                codes::FOREIGN_FILE,
                format!(
                    "{} is in the way: Tenantry did not write it, or a link leads there",
                    full.display()
                ),
            )
            .help("move it away, choose another --out, or replace it with --force"),
        });
    }
    if refused.len() > MOST_LISTED {
        let message = format!(
            "{} more files were edited or are in the way",
            refused.len() - MOST_LISTED
        );
        sink.push(Diagnostic::new(codes::HAND_EDITED, message));
    }
}

fn compare(
    changed: &[Change],
    stale: &[String],
    root: &Path,
    summary: &mut EmitSummary,
    sink: &mut Sink,
) {
    let mut differences: Vec<(&str, &str)> = changed
        .iter()
        .map(|change| {
            (
                change.path.as_str(),
                if change.existed {
                    "is not what the input compiles to"
                } else {
                    "is missing"
                },
            )
        })
        .chain(
            stale
                .iter()
                .map(|path| (path.as_str(), "is not made from the input")),
        )
        .collect();
    differences.sort_unstable();
    summary.out_of_date = !differences.is_empty();
    for (path, what) in differences.iter().take(MOST_LISTED) {
        let message = format!("{} {what}", root.join(path).display());
        sink.push(
            Diagnostic::new(codes::OUT_OF_DATE, message)
                .help("run `tenantry render` with the same --out, and commit the result"),
        );
    }
    if differences.len() > MOST_LISTED {
        let message = format!("{} more differ", count(differences.len() - MOST_LISTED));
        sink.push(
            Diagnostic::new(codes::OUT_OF_DATE, message)
                .help("run `tenantry render` with the same --out, and commit the result"),
        );
    }
}

fn count(files: usize) -> String {
    if files == 1 {
        "1 file".to_owned()
    } else {
        format!("{files} files")
    }
}
