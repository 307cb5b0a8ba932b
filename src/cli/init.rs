//! `tenantry init`: begins a repository that renders. It writes `examples/quickstart`.

use std::path::{Path, PathBuf};

use anyhow::{Context as _, Result, bail};

use super::DONE;
use super::arguments::{Arguments, InitCommand};

macro_rules! scaffold {
    ($($path:literal),* $(,)?) => {
        &[$(($path, include_str!(concat!("../../examples/quickstart/", $path)))),*]
    };
}

/// The files of a new repository.
pub const FILES: &[(&str, &str)] = scaffold![
    "tenantry.yaml",
    "components/web.yaml",
    "tenants/globex.yaml",
    ".github/workflows/tenantry.yaml",
    ".pre-commit-config.yaml",
];

/// Runs the command.
pub fn run(command: &InitCommand, arguments: &Arguments) -> Result<u8> {
    let folder = command
        .path
        .clone()
        .or_else(|| arguments.directory.clone())
        .unwrap_or_else(|| PathBuf::from("."));
    let taken: Vec<String> = FILES
        .iter()
        .map(|(path, _)| folder.join(path))
        .filter(|path| path.exists())
        .map(|path| path.display().to_string())
        .collect();
    if !taken.is_empty() {
        bail!(
            "there is {} already; nothing was written",
            taken.join(" and ")
        );
    }
    for (path, text) in FILES {
        let target = folder.join(path);
        let parent = target.parent().unwrap_or(Path::new("."));
        std::fs::create_dir_all(parent)
            .with_context(|| format!("{} cannot be made", parent.display()))?;
        std::fs::write(&target, text)
            .with_context(|| format!("{} cannot be written", target.display()))?;
        println!("{}", target.display());
    }
    eprintln!(
        "\nA repository that renders. Next:\n  tenantry check {0}\n  tenantry render {0} --out {1}",
        folder.display(),
        folder.join("rendered").display()
    );
    Ok(DONE)
}
