//! Reading a commit from git's object store, without a checkout.

use std::io;
use std::path::Path;

use gix::bstr::ByteSlice as _;

use super::{GENERATED_MARK, InputFile, is_yaml_path};
use tenantry_syntax::yaml::parse::MAX_BYTES;

/// Deepest nesting of folders.
const MAX_DEPTH: usize = 512;

/// A commit, and how people call it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Revision {
    /// Its id.
    pub id: String,
    /// `main at 1a2b3c4`.
    pub title: String,
}

/// The commit that a name stands for.
///
/// # Errors
/// Git has no such commit, or there is no git repository.
pub fn revision(root: &Path, name: &str) -> Result<Revision, String> {
    let repository = discover(root)?;
    let commit = commit(&repository, name)?;
    Ok(titled(name, commit))
}

/// The point where the head left one of some branches: the first of them that there is.
///
/// # Errors
/// There is no git repository, none of the branches, or no common commit.
pub fn merge_base(root: &Path, head: &str, branches: &[String]) -> Result<Revision, String> {
    let repository = discover(root)?;
    let found = branches
        .iter()
        .find_map(|name| Some((name, commit(&repository, name).ok()?)));
    let Some((name, branch)) = found else {
        return Err(format!(
            "git knows none of {}; name the base with --base, and fetch it first",
            tenantry_syntax::diagnostics::list_names(branches.iter().map(String::as_str))
        ));
    };
    let head_id = commit(&repository, head)?;
    let base = repository.merge_base(branch, head_id).ok().flatten();
    let base = base.ok_or_else(|| {
        format!("git has no common commit of {head} and {name}; in CI, fetch the whole history (`fetch-depth: 0`)")
    })?;
    Ok(titled(&format!("where {head} left {name}"), base.detach()))
}

fn titled(name: &str, commit: gix::ObjectId) -> Revision {
    let id = commit.to_string();
    let short: String = id.chars().take(9).collect();
    let title = if id.starts_with(name) {
        short
    } else {
        format!("{name} at {short}")
    };
    Revision { id, title }
}

fn discover(root: &Path) -> Result<gix::Repository, String> {
    gix::discover(root)
        .map_err(|_| format!("{} is not in a git repository; compare with a folder of rendered manifests: --base DIR", root.display()))
}

fn commit(repository: &gix::Repository, name: &str) -> Result<gix::ObjectId, String> {
    let unknown = || {
        format!(
            "git knows no revision `{name}`; fetch it, or write one that `git branch --all` or `git tag` lists"
        )
    };
    let object = repository.rev_parse_single(name).map_err(|_| unknown())?;
    let object = object.object().map_err(|_| unknown())?;
    let commit = object
        .peel_to_commit()
        .map_err(|_| format!("`{name}` is not a commit"))?;
    Ok(commit.id)
}

/// All YAML files of a commit below the folder.
pub(super) fn read(root: &Path, revision: &str) -> io::Result<Vec<InputFile>> {
    let repository = gix::discover(root).map_err(io::Error::other)?;
    let tree = tree_of(&repository, root, revision).map_err(io::Error::other)?;
    let mut files = Vec::new();
    collect(&tree, "", 0, &mut files).map_err(io::Error::other)?;
    Ok(files)
}

/// One file of a commit.
pub(super) fn read_one(root: &Path, revision: &str, path: &str) -> Result<Vec<u8>, String> {
    let repository = gix::discover(root).map_err(|error| error.to_string())?;
    let tree = tree_of(&repository, root, revision)?;
    let entry = tree
        .lookup_entry_by_path(path)
        .map_err(|error| error.to_string())?
        .ok_or("there is no such file")?;
    let mut object = entry.object().map_err(|error| error.to_string())?;
    Ok(std::mem::take(&mut object.data))
}

/// The way from the root of the git repository that a folder is in to the folder; empty if it is in none.
pub fn way_to(root: &Path) -> String {
    let Ok(root) = root.canonicalize() else {
        return String::new();
    };
    let repository = root.ancestors().find(|folder| folder.join(".git").exists());
    let way = repository.and_then(|repository| root.strip_prefix(repository).ok());
    let steps = way.into_iter().flat_map(Path::components);
    let steps: Vec<_> = steps
        .map(|step| step.as_os_str().to_string_lossy())
        .collect();
    steps.join("/")
}

/// The tree of a commit at the place of the folder in its repository.
fn tree_of<'repo>(
    repository: &'repo gix::Repository,
    root: &Path,
    revision: &str,
) -> Result<gix::Tree<'repo>, String> {
    let object = repository
        .rev_parse_single(revision)
        .map_err(|_| format!("git knows no revision `{revision}`"))?
        .object()
        .map_err(|error| error.to_string())?;
    let tree = object
        .peel_to_tree()
        .map_err(|_| format!("`{revision}` is not a commit"))?;
    let root = root.canonicalize().map_err(|error| error.to_string())?;
    let workdir = repository
        .workdir()
        .and_then(|workdir| workdir.canonicalize().ok());
    let prefix = workdir
        .and_then(|workdir| root.strip_prefix(workdir).map(Path::to_path_buf).ok())
        .unwrap_or_default();
    if prefix.as_os_str().is_empty() {
        return Ok(tree);
    }
    let entry = tree
        .lookup_entry_by_path(&prefix)
        .map_err(|error| error.to_string())?
        .ok_or_else(|| format!("`{revision}` has no folder {}", prefix.display()))?;
    entry
        .object()
        .map_err(|error| error.to_string())?
        .try_into_tree()
        .map_err(|error| error.to_string())
}

fn collect(
    tree: &gix::Tree<'_>,
    folder: &str,
    depth: usize,
    files: &mut Vec<InputFile>,
) -> Result<(), String> {
    if depth > MAX_DEPTH {
        return Err(format!(
            "{folder}: folders are nested deeper than {MAX_DEPTH}"
        ));
    }
    for entry in tree.iter() {
        let entry = entry.map_err(|error| error.to_string())?;
        let name = entry.filename().to_str_lossy();
        let path = if folder.is_empty() {
            name.into_owned()
        } else {
            format!("{folder}/{name}")
        };
        let hidden = path
            .rsplit('/')
            .next()
            .is_some_and(|name| name.starts_with('.'));
        let mode = entry.mode();
        if mode.is_tree() && !hidden {
            let tree = entry
                .object()
                .map_err(|error| error.to_string())?
                .try_into_tree()
                .map_err(|error| error.to_string())?;
            collect(&tree, &path, depth + 1, files)?;
        } else if mode.is_blob() && !hidden && is_yaml_path(&path) {
            let size = entry
                .id()
                .header()
                .map_err(|error| error.to_string())?
                .size();
            if size > 16 * MAX_BYTES as u64 {
                return Err(format!(
                    "{path} has {size} bytes; at most {MAX_BYTES} are read"
                ));
            }
            let mut object = entry.object().map_err(|error| error.to_string())?;
            let mut bytes = std::mem::take(&mut object.data);
            // Of generated files nothing but the mark is looked at.
            if bytes.starts_with(GENERATED_MARK.as_bytes()) {
                bytes.truncate(GENERATED_MARK.len());
                bytes.shrink_to_fit();
            }
            files.push(InputFile {
                path,
                bytes,
                from_command_line: false,
            });
        }
    }
    Ok(())
}
