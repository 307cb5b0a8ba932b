//! `tenantry check`: everything but writing.

use std::io;

use anyhow::Result;

use super::arguments::{Arguments, CheckCommand};
use super::present::{self, Progress};
use super::{DONE, FAILED};
use crate::diagnostics::Sources;
use crate::model::instance::Unit;
use crate::model::manifest::Rendered;
use crate::{Visitor, compile};

struct Watch {
    progress: Progress,
}

impl Visitor for Watch {
    fn unit(&self, _: &Unit, _: &[Rendered], _: &Sources) -> io::Result<()> {
        Ok(())
    }

    fn progress(&self, done: usize, of: usize) {
        self.progress.show(done, of);
    }
}

/// Runs the command.
pub fn run(command: &CheckCommand, arguments: &Arguments) -> Result<u8> {
    let options = present::options(arguments, command.path.as_ref(), &command.read)?;
    let watch = Watch {
        progress: Progress::new(command.report.quiet),
    };
    let compilation = compile(&options, None, &watch)?;
    watch.progress.finish();
    present::findings(&compilation, &command.report, arguments.color)?;
    present::close(&compilation, &command.report, "Checked");
    Ok(if compilation.has_errors() {
        FAILED
    } else {
        DONE
    })
}
