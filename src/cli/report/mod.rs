//! `tenantry report`: evidence and figures.

mod compliance;
mod upgrade;

use std::collections::BTreeMap;
use std::sync::{Mutex, PoisonError};

use anyhow::{Context as _, Result, bail};

use super::arguments::{Arguments, ReadOptions, ReportCommand, ReportOfCommand};
use super::present::{self, Progress};
use super::{DENIED, DONE};
use tenantry::model::instance::Unit;
use tenantry::model::lifecycle::Users;
use tenantry::model::money;
use tenantry::report::figures::{self, Figures, capacity, cost, lifecycle, recovery, schedule};
use tenantry::report::{codeowners, isolation};
use tenantry::{Compilation, Visitor, compile, read};
use tenantry_engine::manifest::Rendered;
use tenantry_syntax::diagnostics::{Diagnostic, Sources};

/// Runs the command.
pub fn run(command: &ReportCommand, arguments: &Arguments) -> Result<u8> {
    match command {
        ReportCommand::Compliance(command) => compliance::run(command, arguments),
        ReportCommand::Verify(command) => compliance::verify(command),
        ReportCommand::Lifecycle(command) => lifecycle(command, arguments),
        ReportCommand::Codeowners(command) => {
            let options =
                present::options(arguments, command.path.as_ref(), &ReadOptions::NONE, None)?;
            let compilation = read(&options)?;
            let text = codeowners::write(&compilation.catalog, &compilation.sources);
            match &command.out {
                Some(file) => std::fs::write(file, text)
                    .with_context(|| format!("{} cannot be written", file.display()))?,
                None => present::print(&text)?,
            }
            Ok(DONE)
        }
        ReportCommand::Upgrade(command) => upgrade::run(command, arguments),
        ReportCommand::Isolation(command) => isolation_of(command, arguments),
        ReportCommand::Cost(command) => cost(command, arguments),
        ReportCommand::Schedule(command) => {
            let compilation = rendered(command, arguments)?;
            let day = day(command, arguments)?;
            put_figures(
                &schedule::figures(&compilation.footprints, day),
                command,
                arguments,
            )
        }
        ReportCommand::Recovery(command) => {
            // What plans cannot hold are errors, so it is shown in spite of errors.
            let compilation = compiled(command, arguments)?;
            let day = day(command, arguments)?;
            let (catalog, footprints) = (&compilation.catalog, &compilation.footprints);
            put_figures(
                &recovery::figures(catalog, footprints, day),
                command,
                arguments,
            )?;
            let holds = catalog
                .recovery_plans
                .iter()
                .all(|plan| recovery::holds(&plan.spec, day));
            Ok(if holds { DONE } else { DENIED })
        }
        ReportCommand::Capacity(command) => {
            let compilation = rendered(command, arguments)?;
            let figures = capacity::figures(&compilation.catalog, &compilation.footprints);
            put_figures(&figures, command, arguments)
        }
    }
}

/// Who reaches whom. What is wrong with that are errors, so it is shown in spite of errors.
fn isolation_of(command: &ReportOfCommand, arguments: &Arguments) -> Result<u8> {
    let compilation = compiled(command, arguments)?;
    let formats = present::formats(&command.formats, &isolation::IsolationFormat::ALL)?;
    let write = |format, color| isolation::write(format, &compilation.isolation, color);
    put(formats, arguments, write)?;
    let is_open = compilation
        .isolation
        .iter()
        .any(|cluster| !cluster.is_isolated());
    if is_open {
        return Ok(DENIED);
    }
    if compilation.has_errors() {
        show_errors(&compilation, arguments)?;
        bail!("the repository has errors, so nothing was proven of what they concern");
    }
    Ok(DONE)
}

fn cost(command: &ReportOfCommand, arguments: &Arguments) -> Result<u8> {
    let compilation = rendered(command, arguments)?;
    let platform = compilation.catalog.platforms.iter().next();
    let pricing = platform.and_then(|platform| platform.spec.pricing.as_ref());
    let costs = money::costs(&compilation.catalog, &compilation.footprints);
    let (Some(pricing), Some(costs)) = (pricing, costs) else {
        bail!(
            "the Platform has no `pricing`, so nothing can be said of costs; `tenantry explain Platform.pricing` says what to write"
        );
    };
    put_figures(&cost::figures(&costs, pricing), command, arguments)
}

/// Notes which version of a component runs for whom.
struct Noted(Mutex<Users>);

impl Visitor for Noted {
    fn unit(&self, unit: &Unit, _: &[Rendered], _: &Sources) -> std::io::Result<()> {
        let mut users = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        for instance in &unit.instances {
            let key = (instance.component.clone(), instance.version.clone());
            let user = (
                unit.key.tenant_name().to_owned(),
                unit.key.environment.clone(),
            );
            users.entry(key).or_default().insert(user);
        }
        Ok(())
    }
}

fn lifecycle(command: &ReportOfCommand, arguments: &Arguments) -> Result<u8> {
    let at = command.at.revision.as_ref();
    let options = present::options(arguments, command.path.as_ref(), &command.read, at)?;
    let noted = Noted(Mutex::default());
    let compilation = compile(&options, None, &noted)?;
    let users = noted.0.into_inner().unwrap_or_else(PoisonError::into_inner);
    let figures = lifecycle::figures(
        &compilation.catalog,
        &users,
        options.as_of,
        &compilation.sources,
    );
    put_figures(&figures, command, arguments)
}

/// The day by which a report is judged.
fn day(command: &ReportOfCommand, arguments: &Arguments) -> Result<jiff::civil::Date> {
    let path = command.path.as_ref();
    Ok(present::options(arguments, path, &command.read, None)?.as_of)
}

fn put_figures(figures: &Figures, command: &ReportOfCommand, arguments: &Arguments) -> Result<u8> {
    let formats = present::formats(&command.formats, &figures::FiguresFormat::ALL)?;
    put(formats, arguments, |format, color| {
        figures.write(format, color)
    })?;
    Ok(DONE)
}

/// A compilation without errors: figures of a part would pass for those of the whole.
fn rendered(command: &ReportOfCommand, arguments: &Arguments) -> Result<Compilation> {
    let compilation = compiled(command, arguments)?;
    if compilation.has_errors() {
        show_errors(&compilation, arguments)?;
        bail!("the repository has errors, so no figures can be given of it");
    }
    Ok(compilation)
}

fn compiled(command: &ReportOfCommand, arguments: &Arguments) -> Result<Compilation> {
    let at = command.at.revision.as_ref();
    let options = present::options(arguments, command.path.as_ref(), &command.read, at)?;
    let progress = Progress::new(command.quiet);
    let compilation = compile(&options, None, &progress)?;
    progress.finish();
    Ok(compilation)
}

/// Writes a report in each format that was asked for; gives the digests of the files.
pub fn put<F: Copy>(
    formats: Vec<(F, Option<String>)>,
    arguments: &Arguments,
    write: impl Fn(F, bool) -> String,
) -> Result<BTreeMap<String, String>> {
    let mut written = BTreeMap::new();
    for (format, file) in formats {
        let color = file.is_none() && present::use_color(arguments.color);
        let content = write(format, color);
        match file {
            Some(file) => {
                std::fs::write(&file, &content)
                    .with_context(|| format!("{file} cannot be written"))?;
                written.insert(file, tenantry::report::compliance::sha256(&content));
            }
            None => present::print(&content)?,
        }
    }
    Ok(written)
}

fn show_errors(compilation: &Compilation, arguments: &Arguments) -> Result<()> {
    let findings = compilation.findings.iter();
    let errors: Vec<Diagnostic> = findings
        .filter(|finding| finding.is_error())
        .cloned()
        .collect();
    let color = present::use_color(arguments.color);
    present::print(&tenantry::report::text::write(
        &errors,
        &compilation.sources,
        color,
    ))
}
