//! `tenantry git-diff`: two files of manifests for git, field by field in place of line by line.

use std::path::Path;

use anyhow::{Context as _, Result};
use similar::TextDiff;

use super::DONE;
use super::arguments::{Arguments, GitDiffCommand};
use super::present;
use crate::comparison;
use crate::report::review::text;

/// Runs the command.
pub fn run(command: &GitDiffCommand, arguments: &Arguments) -> Result<u8> {
    let color = present::use_color(arguments.color);
    let old = read(&command.old_file)?;
    // Of an unmerged file, git gives nothing but the path.
    let Some(new_file) = &command.new_file else {
        present::print(&format!("{}: unmerged\n", command.path))?;
        return Ok(DONE);
    };
    let new = read(new_file)?;
    let review = comparison::of_texts(&command.path, old.clone(), new.clone());
    let body = match review {
        Some(review) => text::write_objects(&review, color),
        None => TextDiff::from_lines(&old, &new)
            .unified_diff()
            .header(
                &format!("a/{}", command.path),
                &format!("b/{}", command.path),
            )
            .to_string(),
    };
    let title = present::styled(&command.path, present::STRONG, color);
    if !body.is_empty() {
        present::print(&format!("{title}\n{body}"))?;
    }
    Ok(DONE)
}

/// A file's text; git names `/dev/null` where there is none.
fn read(path: &Path) -> Result<String> {
    let bytes =
        std::fs::read(path).with_context(|| format!("{} cannot be read", path.display()))?;
    Ok(String::from_utf8_lossy(&bytes).into_owned())
}
