//! `tenantry check`: everything but writing.

use anyhow::Result;

use super::arguments::{Arguments, CheckCommand};
use super::present::{self, Progress};
use super::{DONE, FAILED};
use crate::compile;

/// Runs the command.
pub fn run(command: &CheckCommand, arguments: &Arguments) -> Result<u8> {
    let options = present::options(
        arguments,
        command.path.as_ref(),
        &command.read,
        command.at.revision.as_ref(),
    )?;
    let progress = Progress::new(command.report.quiet);
    let compilation = compile(&options, None, &progress)?;
    progress.finish();
    present::findings(&compilation, &command.report, arguments.color)?;
    present::close(&compilation, &command.report, "Checked");
    Ok(if compilation.has_errors() {
        FAILED
    } else {
        DONE
    })
}
