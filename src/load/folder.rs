//! Reading a folder: `.gitignore` is respected, links are not followed.

use std::io;
use std::path::{Path, PathBuf};

use rayon::prelude::*;

use super::{GENERATED_MARK, InputFile, is_yaml_path};
use tenantry_syntax::diagnostics::catalogue::load as codes;
use tenantry_syntax::diagnostics::{Diagnostic, Sink};
use tenantry_syntax::yaml::parse::MAX_BYTES;

/// All YAML files below a folder, but those that were generated.
pub fn read(root: &Path, sink: &mut Sink) -> io::Result<Vec<InputFile>> {
    list(root, sink)?
        .into_par_iter()
        .map(|(path, full)| {
            Ok(InputFile {
                path,
                bytes: read_bounded(&full, true)?,
                from_command_line: false,
            })
        })
        .collect()
}

/// All YAML files below a folder, those that were generated included.
pub fn read_all(root: &Path) -> io::Result<Vec<InputFile>> {
    list(root, &mut Sink::default())?
        .into_par_iter()
        .map(|(path, full)| {
            Ok(InputFile {
                path,
                bytes: read_bounded(&full, false)?,
                from_command_line: false,
            })
        })
        .collect()
}

/// The YAML files below a folder: their path from there, and their whole path.
fn list(root: &Path, sink: &mut Sink) -> io::Result<Vec<(String, PathBuf)>> {
    if !root.is_dir() {
        return Err(io::Error::new(
            io::ErrorKind::NotFound,
            format!("{} is not a folder", root.display()),
        ));
    }
    let mut paths = Vec::new();
    let walk = ignore::WalkBuilder::new(root)
        .require_git(false)
        .git_global(false)
        .git_exclude(false)
        .ignore(false)
        .parents(false)
        .follow_links(false)
        .build();
    for entry in walk {
        let entry = entry.map_err(io::Error::other)?;
        let Some(kind) = entry.file_type() else {
            continue;
        };
        let Ok(relative) = entry.path().strip_prefix(root) else {
            continue;
        };
        let path = relative.to_string_lossy();
        let path = if cfg!(windows) {
            path.replace('\\', "/")
        } else {
            path.into_owned()
        };
        if kind.is_symlink() {
            if is_yaml_path(&path) || entry.path().is_dir() {
                let message = format!("{path} is a symbolic link, so it was not read");
                sink.push(
                    Diagnostic::new(codes::SYMLINK, message)
                        .help("put the file itself into the repository"),
                );
            }
        } else if kind.is_file() && is_yaml_path(&path) {
            paths.push((path, entry.into_path()));
        }
    }
    Ok(paths)
}

/// One file below a folder, which no link may lead out of.
pub fn read_one(root: &Path, relative: &Path) -> Result<Vec<u8>, String> {
    let full = root
        .join(relative)
        .canonicalize()
        .map_err(|_| "there is no such file".to_owned())?;
    let root = root.canonicalize().map_err(|error| error.to_string())?;
    if !full.starts_with(root) {
        return Err("the path leads out of the repository".to_owned());
    }
    if !full.is_file() {
        return Err("it is a folder".to_owned());
    }
    // Dumps of a cluster's API are large.
    if full.metadata().map_err(|error| error.to_string())?.len() > 16 * MAX_BYTES as u64 {
        return Err("it is larger than 128 MiB".to_owned());
    }
    std::fs::read(full).map_err(|error| error.to_string())
}

/// Reads a little more than the bound, so that the bound is noticed and memory is not; of a
/// generated file just the mark, if such files are left out.
fn read_bounded(path: &Path, leave_out_generated: bool) -> io::Result<Vec<u8>> {
    use std::io::Read as _;
    let mut bytes = Vec::new();
    let mut file = std::fs::File::open(path)?;
    let mark = GENERATED_MARK.len() as u64;
    file.by_ref().take(mark).read_to_end(&mut bytes)?;
    if leave_out_generated && bytes == GENERATED_MARK.as_bytes() {
        return Ok(bytes);
    }
    file.take(MAX_BYTES as u64 + 1 - mark)
        .read_to_end(&mut bytes)?;
    if bytes.len() > MAX_BYTES {
        // The cut may go through a character.
        bytes.truncate(MAX_BYTES);
        bytes = String::from_utf8_lossy(&bytes).into_owned().into_bytes();
        bytes.resize(MAX_BYTES + 1, b' ');
    }
    Ok(bytes)
}
