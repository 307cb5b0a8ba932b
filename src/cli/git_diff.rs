//! `tenantry git-diff`: two files of manifests for git, field by field in place of line by line.

use std::path::Path;

use anyhow::{Context as _, Result};
use similar::TextDiff;

use super::DONE;
use super::arguments::{Arguments, GitDiffCommand};
use super::present;
use tenantry::comparison;
use tenantry::report::review::text;
use tenantry_syntax::diagnostics::printable;

/// Runs the command.
pub fn run(command: &GitDiffCommand, arguments: &Arguments) -> Result<u8> {
    let color = present::use_color(arguments.color);
    let old = read(&command.old_file)?;
    // Of an unmerged file, git gives nothing but the path.
    let Some(new_file) = &command.new_file else {
        present::print(&format!("{}: unmerged\n", printable(&command.path)))?;
        return Ok(DONE);
    };
    let new = read(new_file)?;
    let review = comparison::of_texts(&command.path, old.clone(), new.clone());
    let body = match review {
        Some(review) if !review.objects.is_empty() => text::write_objects(&review, color),
        Some(_) if old != new => {
            "  no difference to Kubernetes: comments, order, or what it fills in\n".to_owned()
        }
        Some(_) => String::new(),
        // Lines of a file that cannot be read may hold anything.
        None if old.contains("Secret") || new.contains("Secret") => {
            "  changed; it speaks of a Secret and cannot be read as manifests, so no line is shown\n"
                .to_owned()
        }
        None => printable(
            &TextDiff::from_lines(&old, &new)
                .unified_diff()
                .header(&format!("a/{}", command.path), &format!("b/{}", command.path))
                .to_string(),
        ),
    };
    let title = present::styled(&printable(&command.path), present::STRONG, color);
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
