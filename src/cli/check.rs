//! `tenantry check`: everything but writing.

use anyhow::{Context as _, Result, bail};

use super::arguments::{Arguments, CheckCommand};
use super::present::{self, Progress};
use super::{DENIED, DONE, FAILED};
use tenantry::compile;
use tenantry::policy::baseline::Baseline;

/// Runs the command.
pub fn run(command: &CheckCommand, arguments: &Arguments) -> Result<u8> {
    let mut options = present::options(
        arguments,
        command.path.as_ref(),
        &command.read,
        command.at.revision.as_ref(),
    )?;
    if command.update_baseline && !options.selection.is_everything() {
        bail!("a baseline is written of everything: leave out the selection");
    }
    options.baseline = present::baseline(&command.accept, command.update_baseline)?;
    let progress = Progress::new(command.report.quiet);
    let compilation = compile(&options, None, &progress)?;
    progress.finish();
    present::findings(&compilation, &command.report, arguments.color)?;
    if command.unchecked.unchecked {
        present::unchecked(&compilation, &command.report)?;
    }
    present::close(&compilation, &command.report, "Checked");
    if command.update_baseline && compilation.has_errors() {
        bail!(
            "the repository has errors, so not everything was judged: the baseline is not written"
        );
    }
    if let (true, Some(path)) = (command.update_baseline, &command.accept.baseline) {
        let known = options.baseline.as_ref();
        let text = Baseline::write(&compilation.evidence, known);
        std::fs::write(path, text)
            .with_context(|| format!("the baseline {} cannot be written", path.display()))?;
        eprintln!("{}: written.", path.display());
        if known.is_none() {
            return Ok(DONE);
        }
    }
    Ok(if compilation.has_errors() {
        FAILED
    } else if compilation.is_denied() {
        DENIED
    } else {
        DONE
    })
}
