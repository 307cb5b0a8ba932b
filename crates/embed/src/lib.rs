//! Lists the files of a folder for a build script, so that a new file of data needs no line of code.
#![allow(
    clippy::disallowed_methods,
    reason = "it runs before there is anything to keep"
)]

use std::fmt::Write as _;
use std::path::{Path, PathBuf};
use std::{env, fs};

/// Writes `NAME.rs` into the folder of the build script's output, a slash in the folder's name as `_`: a slice of the paths of
/// its files with this extension, at any depth, and their texts.
///
/// # Panics
/// The folder cannot be read, or it is called outside a build script.
pub fn folder(folder: &str, extension: &str) {
    println!("cargo::rerun-if-changed={folder}");
    let root =
        PathBuf::from(env::var_os("CARGO_MANIFEST_DIR").expect("cargo sets it")).join(folder);
    let mut files = Vec::new();
    collect(&root, extension, &mut files);
    files.sort();
    let mut text = String::from("&[\n");
    for file in files {
        let name = file
            .strip_prefix(&root)
            .expect("it was found there")
            .to_string_lossy()
            .replace('\\', "/");
        let _ = writeln!(
            text,
            "    ({name:?}, include_str!({:?})),",
            file.display().to_string()
        );
    }
    text.push_str("]\n");
    let out = PathBuf::from(env::var_os("OUT_DIR").expect("cargo sets it"));
    let name = folder.replace('/', "_");
    fs::write(out.join(format!("{name}.rs")), text).expect("cargo's own folder can be written");
}

fn collect(folder: &Path, extension: &str, files: &mut Vec<PathBuf>) {
    for entry in fs::read_dir(folder)
        .expect("the folder can be read")
        .flatten()
    {
        let path = entry.path();
        if path.is_dir() {
            collect(&path, extension, files);
        } else if path.extension().is_some_and(|found| found == extension) {
            files.push(path);
        }
    }
}
