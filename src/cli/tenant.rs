//! `tenantry tenant`: onboarding and offboarding. Both edit the repository, never a cluster.

mod offboard;

use std::fmt::Write as _;
use std::path::{Path, PathBuf};

use anyhow::{Context as _, Result, anyhow, bail};
use serde_json::json;

use super::arguments::{Arguments, ReadOptions, TenantCommand, TenantNewCommand};
use super::present::{self, Progress};
use super::{DENIED, DONE, FAILED};
use tenantry::load::Source;
use tenantry::model::API_VERSION;
use tenantry::model::kinds::Catalog;
use tenantry::{CompileOptions, compile, read};
use tenantry_engine::scalars::is_label;
use tenantry_syntax::diagnostics::{Diagnostic, suggest};
use tenantry_syntax::yaml::scalar::needs_quotes;

/// Days that data is kept after a notice, where nothing says for how long.
const RETENTION: u32 = 30;

/// Runs the command.
pub fn run(command: &TenantCommand, arguments: &Arguments) -> Result<u8> {
    match command {
        TenantCommand::New(command) => new(command, arguments),
        TenantCommand::Offboard(command) => offboard::offboard(command, arguments),
    }
}

fn options(arguments: &Arguments, as_of: Option<&String>) -> Result<(CompileOptions, PathBuf)> {
    let read = ReadOptions {
        as_of: as_of.cloned(),
        ..ReadOptions::NONE
    };
    let options = present::options(arguments, None, &read, None)?;
    let (Source::Folder { root } | Source::Commit { root, .. }) = &options.source;
    let root = root.clone();
    Ok((options, root))
}

fn new(command: &TenantNewCommand, arguments: &Arguments) -> Result<u8> {
    let name = &command.name;
    if !is_label(name) {
        bail!(
            "`{name}` cannot be a tenant's name: write lower-case letters, digits and `-`, at most 63 characters"
        );
    }
    let (options, root) = options(arguments, command.as_of.as_ref())?;
    let known = read(&options)?;
    let catalog = &known.catalog;
    if let Some(tenant) = catalog.tenants.get(name) {
        let place = known.sources.place(tenant.name_id()).unwrap_or_default();
        bail!("there is a tenant `{name}` already: {place}");
    }
    let check = |what: &str, wanted: &str, names: Vec<&str>| -> Result<()> {
        if names.contains(&wanted) {
            return Ok(());
        }
        Err(anyhow!(
            "there is no {what} `{wanted}`; {}",
            suggest(wanted, names).unwrap_or_default()
        ))
    };
    check("tier", &command.tier, catalog.tiers.names().collect())?;
    let environments: Vec<String> = if command.environments.is_empty() {
        first_environment(catalog).into_iter().collect()
    } else {
        command.environments.clone()
    };
    for environment in &environments {
        check(
            "environment",
            environment,
            catalog.environments.names().collect(),
        )?;
    }
    for component in &command.components {
        check("component", component, catalog.components.names().collect())?;
    }
    if environments.is_empty() {
        bail!("the repository has no environments yet; add one first");
    }
    let file = root.join("tenants").join(format!("{name}.yaml"));
    if file.exists() {
        bail!("{} exists already; nothing was written", file.display());
    }
    let text = document(command, &environments, &options.as_of.to_string());
    write_in(&root, &file, &text)?;
    println!("{}", file.display());
    report(name, &options, arguments)
}

/// The environment that others are promoted from; the first by name, if several are.
fn first_environment(catalog: &Catalog) -> Option<String> {
    let first = catalog
        .environments
        .iter()
        .find(|one| one.spec.promotes_from.is_none());
    first.map(|environment| environment.name.clone())
}

fn document(command: &TenantNewCommand, environments: &[String], today: &str) -> String {
    // JSON's quotes are YAML's, too.
    let quoted = |text: &str| {
        if needs_quotes(text) {
            json!(text).to_string()
        } else {
            text.to_owned()
        }
    };
    let list = |names: &[String]| {
        names
            .iter()
            .map(|name| quoted(name))
            .collect::<Vec<_>>()
            .join(", ")
    };
    let mut text = format!(
        "# Onboarding: namespaces, quotas and rights are there, workloads are not yet. `status: active` starts them.\n\
         apiVersion: {API_VERSION}\nkind: Tenant\nmetadata:\n  name: {}\nspec:\n",
        quoted(&command.name)
    );
    let mut line = |key: &str, value: &str| {
        let _ = writeln!(text, "  {key}: {value}");
    };
    if let Some(display) = &command.display_name {
        line("displayName", &quoted(display));
    }
    line("owner", &quoted(&command.owner));
    line("createdAt", today);
    if let Some(contact) = &command.incidents {
        line("contacts", &format!("{{incidents: {}}}", json!(contact)));
    }
    let parts = [
        ("division", &command.division),
        ("department", &command.department),
        ("project", &command.project),
    ];
    let parts: Vec<String> = parts
        .into_iter()
        .filter_map(|(key, value)| Some(format!("{key}: {}", json!(value.as_ref()?))))
        .collect();
    if !parts.is_empty() {
        line("organization", &format!("{{{}}}", parts.join(", ")));
    }
    line("tier", &quoted(&command.tier));
    line("status", "onboarding");
    if let Some(isolation) = &command.isolation {
        line("isolation", isolation);
    }
    let names: Vec<String> = environments
        .iter()
        .map(|name| format!("{}: {{}}", quoted(name)))
        .collect();
    line("environments", &format!("{{{}}}", names.join(", ")));
    if let Some(clearance) = &command.clearance {
        line("clearance", clearance);
    }
    if !command.residency.is_empty() {
        line("residency", &format!("[{}]", list(&command.residency)));
    }
    if !command.components.is_empty() {
        let components: Vec<String> = command
            .components
            .iter()
            .map(|name| format!("\n    - component: {}", quoted(name)))
            .collect();
        line("components", &components.concat());
    }
    if command.cost_center.is_some() || command.budget.is_some() {
        let cost_center = command
            .cost_center
            .as_ref()
            .map(|code| format!("costCenter: {}", json!(code)));
        let budget = command
            .budget
            .map(|budget| format!("monthlyBudget: {budget}"));
        let parts: Vec<String> = cost_center.into_iter().chain(budget).collect();
        line("billing", &format!("{{{}}}", parts.join(", ")));
    }
    text.replace(": \n", ":\n")
}

/// Writes a file of the repository, through no link.
fn write_in(root: &Path, file: &Path, text: &str) -> Result<()> {
    let folder = file.parent().unwrap_or(root);
    std::fs::create_dir_all(folder)
        .with_context(|| format!("{} cannot be made", folder.display()))?;
    let (inside, root) = (folder.canonicalize()?, root.canonicalize()?);
    if !inside.starts_with(&root) || file.is_symlink() {
        bail!(
            "{} leads out of the repository; nothing was written",
            file.display()
        );
    }
    std::fs::write(file, text).with_context(|| format!("{} cannot be written", file.display()))
}

/// Compiles the repository as it is now, and shows what is found of the tenant.
fn report(name: &str, options: &CompileOptions, arguments: &Arguments) -> Result<u8> {
    let progress = Progress::new(true);
    let compilation = compile(options, None, &progress)?;
    let file = compilation
        .catalog
        .tenants
        .get(name)
        .map(|tenant| tenant.tree.id.file);
    let concerns = |finding: &&Diagnostic| {
        let labels = finding.primary.iter().chain(&finding.secondary);
        labels
            .into_iter()
            .any(|label| Some(label.span.file) == file)
    };
    let findings: Vec<Diagnostic> = compilation
        .findings
        .iter()
        .filter(concerns)
        .cloned()
        .collect();
    let color = present::use_color(arguments.color);
    if !findings.is_empty() {
        present::print(&tenantry::report::text::write(
            &findings,
            &compilation.sources,
            color,
        ))?;
    }
    eprintln!("{name}: {}.", tenantry::report::tally(&findings));
    Ok(if findings.iter().any(Diagnostic::is_error) {
        FAILED
    } else if findings.iter().any(Diagnostic::is_denial) {
        DENIED
    } else {
        DONE
    })
}
