//! `tenantry render`: writes the manifests, or proves that they are up to date.

use anyhow::{Result, anyhow, bail};

use super::arguments::{Arguments, RenderCommand};
use super::present::{self, Progress, plural};
use super::{DENIED, DIFFERENT, DONE, FAILED};
use tenantry::emit::Mode;
use tenantry::load::Source;
use tenantry::{OutputOptions, Shard, compile};
use tenantry_syntax::diagnostics::catalogue::emit as codes;

/// Runs the command.
pub fn run(command: &RenderCommand, arguments: &Arguments) -> Result<u8> {
    let mut options = present::options(
        arguments,
        command.path.as_ref(),
        &command.read,
        command.at.revision.as_ref(),
    )?;
    if let Source::Folder { root } = &options.source
        && let Ok(out) = command.out.canonicalize()
        && root.starts_with(&out)
    {
        bail!(
            "--out {} holds the repository itself; name a folder of its own, such as rendered",
            command.out.display()
        );
    }
    if let Some(text) = &command.shard {
        options.shard = parse_shard(text)?;
    }
    options.baseline = present::baseline(&command.accept, false)?;
    let mode = if command.check {
        Mode::Compare
    } else {
        Mode::Write {
            force: command.force,
        }
    };
    let progress = Progress::new(command.report.quiet);
    let output = OutputOptions {
        folder: command.out.clone(),
        mode,
    };
    let compilation = compile(&options, Some(&output), &progress)?;
    progress.finish();
    present::findings(&compilation, &command.report, arguments.color)?;
    if command.unchecked.unchecked {
        present::unchecked(&compilation, &command.report)?;
    }
    let summary = compilation.output.unwrap_or_default();
    present::close(
        &compilation,
        &command.report,
        if command.check {
            "Compared"
        } else {
            "Rendered"
        },
    );
    if !command.report.quiet
        && !command.check
        && !compilation.has_errors()
        && !compilation.is_denied()
    {
        eprintln!(
            "{}: {}, {} written, {} unchanged, {} removed.",
            command.out.display(),
            plural(summary.files, "file"),
            summary.written,
            summary.files - summary.written,
            summary.removed,
        );
    }
    let other_errors = compilation
        .findings
        .iter()
        .any(|finding| finding.is_error() && finding.code != codes::OUT_OF_DATE);
    Ok(match () {
        () if other_errors => FAILED,
        () if compilation.is_denied() => DENIED,
        () if summary.out_of_date => DIFFERENT,
        () => DONE,
    })
}

fn parse_shard(text: &str) -> Result<Shard> {
    let parts = text
        .split_once('/')
        .and_then(|(number, of)| Some((number.parse().ok()?, of.parse().ok()?)));
    match parts {
        Some((number, of)) if number >= 1 && number <= of => Ok(Shard { number, of }),
        _ => Err(anyhow!(
            "--shard takes K/N with K from 1 to N, such as 2/4, not `{text}`"
        )),
    }
}
