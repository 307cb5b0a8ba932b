//! Reading a commit from git's object store, without a checkout.

use std::io;
use std::path::Path;

use gix::bstr::ByteSlice as _;

use super::{InputFile, is_yaml_path};
use crate::yaml::parse::MAX_BYTES;

/// Deepest nesting of folders.
const MAX_DEPTH: usize = 64;

/// All YAML files of a commit below the folder.
pub fn read(root: &Path, revision: &str) -> io::Result<Vec<InputFile>> {
    let repository = gix::discover(root).map_err(io::Error::other)?;
    let tree = tree_of(&repository, root, revision).map_err(io::Error::other)?;
    let mut files = Vec::new();
    collect(&tree, "", 0, &mut files).map_err(io::Error::other)?;
    Ok(files)
}

/// One file of a commit.
pub fn read_one(root: &Path, revision: &str, path: &str) -> Result<Vec<u8>, String> {
    let repository = gix::discover(root).map_err(|error| error.to_string())?;
    let tree = tree_of(&repository, root, revision)?;
    let entry = tree
        .lookup_entry_by_path(path)
        .map_err(|error| error.to_string())?
        .ok_or("there is no such file")?;
    let mut object = entry.object().map_err(|error| error.to_string())?;
    Ok(std::mem::take(&mut object.data))
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
            files.push(InputFile {
                path,
                bytes: std::mem::take(&mut object.data),
                from_command_line: false,
            });
        }
    }
    Ok(())
}
