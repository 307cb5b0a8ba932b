//! `tenantry report compliance` and `verify`: evidence for auditors, and the ledger of its runs.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use anyhow::{Context as _, Result, anyhow, bail};

use super::super::arguments::{Arguments, ComplianceCommand, VerifyCommand};
use super::super::present::{self, Progress};
use super::super::{DENIED, DONE, FAILED};
use super::{put, show_errors};
use tenantry::comparison::{self, Base};
use tenantry::emit::{Ownership, ownership};
use tenantry::load::{Source, git};
use tenantry::model::change::RiskClass;
use tenantry::model::kinds::policy::Target;
use tenantry::report::compliance::{
    ComplianceFormat, ComplianceScope, Report, html, json, junit, ledger, openreports, oscal,
    sha256, text, tree_digest,
};
use tenantry::report::sarif;
use tenantry::{Compilation, CompileOptions, compile};
use tenantry_syntax::diagnostics::{Diagnostic, Sources};

/// Writes evidence.
pub fn run(command: &ComplianceCommand, arguments: &Arguments) -> Result<u8> {
    let mut options = present::options(
        arguments,
        command.path.as_ref(),
        &command.read,
        command.at.revision.as_ref(),
    )?;
    options.baseline = present::baseline(&command.accept, false)?;
    options.gives_evidence = true;
    let formats = present::formats(&command.formats, &ComplianceFormat::ALL)?;
    let progress = Progress::new(command.quiet);
    let compilation = compile(&options, None, &progress)?;
    progress.finish();
    // Evidence of a part would pass for evidence of the whole.
    if compilation.has_errors() {
        show_errors(&compilation, arguments)?;
        bail!("the repository has errors, so no evidence can be given of it");
    }
    let mut scope = scope(&options, &compilation, command.out.as_deref())?;
    if let Some(base) = &command.base {
        scope.weakened = weakened(&options, base, arguments, command)?;
    }
    let selected = |framework: &str, _: &str| {
        command.frameworks.is_empty() || command.frameworks.iter().any(|name| name == framework)
    };
    for framework in &command.frameworks {
        if compilation.catalog.frameworks.get(framework).is_none() {
            bail!("there is no framework {framework}");
        }
    }
    let report = Report::new(
        &scope,
        &compilation.evidence,
        &compilation.catalog,
        &compilation.sources,
        &selected,
    );
    let write = |format, color| content(format, &report, &compilation, color);
    let written = put(formats, arguments, write)?;
    if let Some(path) = &command.ledger {
        append(path, &report, &written)?;
    }
    Ok(if compilation.is_denied() {
        DENIED
    } else {
        DONE
    })
}

fn content(
    format: ComplianceFormat,
    report: &Report<'_>,
    compilation: &Compilation,
    color: bool,
) -> String {
    match format {
        ComplianceFormat::Text => text::write(report, color),
        ComplianceFormat::Json => json::write(report),
        ComplianceFormat::Html => html::write(report),
        ComplianceFormat::Oscal => oscal::write(report),
        ComplianceFormat::Openreports => openreports::write(report),
        ComplianceFormat::Junit => junit::write(report),
        ComplianceFormat::Sarif => {
            let findings = compilation
                .findings
                .iter()
                .filter(|finding| finding.policy.is_some() || finding.accepted.is_some());
            let findings: Vec<Diagnostic> = findings.cloned().collect();
            sarif::write(&findings, &compilation.sources, &[])
        }
    }
}

fn scope(
    options: &CompileOptions,
    compilation: &Compilation,
    out: Option<&Path>,
) -> Result<ComplianceScope> {
    let platform = compilation.catalog.platforms.iter().next();
    let commit = match &options.source {
        Source::Folder { root } => git::revision(root, "HEAD"),
        Source::Commit { root, revision } => git::revision(root, revision),
    };
    let evidence = &compilation.evidence;
    let policies: BTreeMap<String, String> = evidence
        .policies
        .iter()
        .map(|policy| (policy.name.clone(), policy.digest.clone()))
        .collect();
    let mut not_evaluated = Vec::new();
    if !options.selection.is_everything() {
        not_evaluated.push("everything outside of the selection".to_owned());
    }
    let undecided = evidence
        .counts
        .iter()
        .filter(|(_, count)| count.undecided > 0);
    let mut undecided: Vec<&str> = undecided
        .map(|((_, index), _)| evidence.policies[*index].name.as_str())
        .collect();
    undecided.sort_unstable();
    undecided.dedup();
    for name in undecided {
        not_evaluated.push(format!("{name}, where only the API server can decide it"));
    }
    let changes = evidence
        .policies
        .iter()
        .filter(|policy| policy.target == Target::Change);
    let changes: Vec<&str> = changes.map(|policy| policy.name.as_str()).collect();
    if !changes.is_empty() {
        not_evaluated.push(format!(
            "rules about changes, which `tenantry diff` judges: {}",
            changes.join(", ")
        ));
    }
    Ok(ComplianceScope {
        platform: platform
            .map(|platform| platform.name.clone())
            .unwrap_or_default(),
        commit: commit.map(|revision| revision.id).unwrap_or_default(),
        input_digest: input_digest(&compilation.sources),
        policy_digest: tree_digest(&policies),
        as_of: options.as_of.to_string(),
        output: match out {
            Some(folder) => files(folder)?,
            None => BTreeMap::new(),
        },
        not_evaluated,
        weakened: Vec::new(),
    })
}

/// SHA-256 over the files of the repository that were read.
fn input_digest(sources: &Sources) -> String {
    let files = sources.files().filter(|file| !file.path.starts_with('<'));
    let digests: BTreeMap<String, String> = files
        .map(|file| (file.path.clone(), sha256(file.text.as_bytes())))
        .collect();
    tree_digest(&digests)
}

/// SHA-256 of each file below a folder.
fn files(folder: &Path) -> Result<BTreeMap<String, String>> {
    let mut digests = BTreeMap::new();
    let mut pending: Vec<PathBuf> = vec![folder.to_owned()];
    while let Some(next) = pending.pop() {
        let entries = std::fs::read_dir(&next)
            .with_context(|| format!("{} cannot be read", next.display()))?;
        for entry in entries {
            let entry = entry?;
            let path = entry.path();
            let kind = entry.file_type()?;
            if kind.is_dir() {
                pending.push(path);
            } else if kind.is_file() {
                let bytes = std::fs::read(&path)
                    .with_context(|| format!("{} cannot be read", path.display()))?;
                let name = path.strip_prefix(folder).unwrap_or(&path).to_str();
                let name =
                    name.ok_or_else(|| anyhow!("{} has no name in UTF-8", path.display()))?;
                digests.insert(name.replace(std::path::MAIN_SEPARATOR, "/"), sha256(bytes));
            } else {
                bail!(
                    "{} is neither a file nor a folder: manifests are no links",
                    path.display()
                );
            }
        }
    }
    if digests.is_empty() {
        bail!("{} has no files", folder.display());
    }
    Ok(digests)
}

/// What became weaker since a base: rules, packs, waivers, grants.
fn weakened(
    head: &CompileOptions,
    base: &str,
    arguments: &Arguments,
    command: &ComplianceCommand,
) -> Result<Vec<String>> {
    let (Source::Folder { root } | Source::Commit { root, .. }) = &head.source;
    let revision =
        git::revision(root, base).map_err(|why| anyhow!("the base cannot be read: {why}"))?;
    let options = CompileOptions {
        source: Source::Commit {
            root: root.clone(),
            revision: revision.id,
        },
        as_of: head.as_of,
        ..present::options(arguments, command.path.as_ref(), &command.read, None)?
    };
    let progress = Progress::new(true);
    let compared = comparison::compare(head, &Base::Repository(Box::new(options)), &progress)?;
    let risks = compared.review.risks.iter();
    Ok(risks
        .filter(|risk| risk.class == RiskClass::Governance)
        .map(|risk| risk.message.clone())
        .collect())
}

fn append(path: &Path, report: &Report<'_>, written: &BTreeMap<String, String>) -> Result<()> {
    use std::io::Write as _;
    let known = if path.exists() {
        std::fs::read_to_string(path)
            .with_context(|| format!("the ledger {} cannot be read", path.display()))?
    } else {
        String::new()
    };
    let line = ledger::entry(&known, report, written).map_err(|problems| {
        anyhow!(
            "the ledger {} is broken, so nothing is added: {}",
            path.display(),
            problems.join("; ")
        )
    })?;
    // Added at the end, so that what is there is never written again.
    let mut file = std::fs::OpenOptions::new()
        .create(true)
        .append(true)
        .open(path)
        .with_context(|| format!("the ledger {} cannot be written", path.display()))?;
    file.write_all(line.as_bytes())
        .with_context(|| format!("the ledger {} cannot be written", path.display()))?;
    Ok(())
}

/// Checks a ledger.
pub fn verify(command: &VerifyCommand) -> Result<u8> {
    let path = &command.ledger;
    let text = std::fs::read_to_string(path)
        .with_context(|| format!("the ledger {} cannot be read", path.display()))?;
    let mut problems: Vec<String> = Vec::new();
    let entries = match ledger::verify(&text) {
        Ok(entries) => entries,
        Err(found) => {
            problems.extend(
                found
                    .into_iter()
                    .map(|problem| format!("{}: {problem}", path.display())),
            );
            Vec::new()
        }
    };
    if entries.is_empty() && problems.is_empty() {
        bail!("the ledger {} has no entries", path.display());
    }
    if let Some(last) = entries.last() {
        for (file, digest) in last["reports"].as_object().into_iter().flatten() {
            match std::fs::read(file) {
                Ok(bytes) if Some(sha256(&bytes).as_str()) == digest.as_str() => {}
                Ok(_) => problems.push(format!("{file} is not what the last entry recorded")),
                Err(error) => problems.push(format!(
                    "{file}, which the last entry recorded, cannot be read: {error}"
                )),
            }
        }
        if let Some(folder) = &command.out {
            output(folder, last, &mut problems)?;
        }
    }
    if problems.is_empty() {
        println!(
            "{}: {} in order; the reports of the last one are as it recorded them{}.",
            path.display(),
            present::plural(entries.len(), "entry"),
            if command.out.is_some() {
                ", and so is the output"
            } else {
                ""
            }
        );
        return Ok(DONE);
    }
    for problem in &problems {
        println!("{problem}");
    }
    Ok(FAILED)
}

/// Compares a folder with the digest of the last entry; files whose header tells are named.
fn output(folder: &Path, entry: &serde_json::Value, problems: &mut Vec<String>) -> Result<()> {
    let found = files(folder)?;
    let platform = entry["platform"].as_str().unwrap_or_default();
    let Some(wanted) = entry["outputDigest"].as_str() else {
        problems.push(
            "the last entry recorded no output: `report compliance --out DIR --ledger FILE` does"
                .to_owned(),
        );
        return Ok(());
    };
    if tree_digest(&found) == wanted {
        return Ok(());
    }
    let altered: Vec<&String> = found
        .keys()
        .filter(|name| {
            let bytes = std::fs::read(folder.join(name)).unwrap_or_default();
            ownership(platform, name, &bytes) == Ownership::Edited
        })
        .collect();
    for name in &altered {
        problems.push(format!(
            "{}/{name} was altered: its content is not that of its header",
            folder.display()
        ));
    }
    if altered.is_empty() {
        problems.push(format!("{} is not the output that the last entry recorded: files were added, removed or made anew", folder.display()));
    }
    Ok(())
}
