//! `tenantry diff`: the review of a change.

use std::collections::BTreeSet;
use std::io::Read as _;
use std::path::{Path, PathBuf};

use anyhow::{Context as _, Result, anyhow, bail};
use jiff::civil::Date;

use super::arguments::{Arguments, DiffCommand};
use super::present::{self, Progress};
use super::{DENIED, DIFFERENT, DONE, FAILED};
use tenantry::comparison::{self, Base, PlacePair};
use tenantry::load::{Source, git};
use tenantry::model::change::RiskClass;
use tenantry::model::kinds::Spot;
use tenantry::report::review::words;
use tenantry::{CompileOptions, report};
use tenantry_syntax::diagnostics::suggest;

/// Most bytes of manifests from standard input.
const MOST_INPUT: u64 = 256 << 20;

/// Runs the command.
pub fn run(command: &DiffCommand, arguments: &Arguments) -> Result<u8> {
    let path = command.path.as_ref();
    let mut head = present::options(arguments, path, &command.read, None)?;
    head.baseline = present::baseline(&command.accept, false)?;
    let root = match &head.source {
        Source::Folder { root } | Source::Commit { root, .. } => root.clone(),
    };
    let head_title = match &command.head {
        Some(name) => {
            let revision = git::revision(&root, name).map_err(|why| anyhow!("--head: {why}"))?;
            head.source = Source::Commit {
                root: root.clone(),
                revision: revision.id,
            };
            revision.title
        }
        None => "the working tree".to_owned(),
    };
    let (base, base_title, head_title) = match &command.failover {
        Some(plan) => failover(command, arguments, &head, plan)?,
        None => {
            let (base, title) = base(command, arguments, &root, head.as_of)?;
            (base, title, head_title)
        }
    };
    let denied: BTreeSet<RiskClass> = RiskClass::ALL
        .into_iter()
        .filter(|class| command.fail_on.iter().any(|name| name == class.name()))
        .collect();
    let progress = Progress::new(command.report.quiet);
    let compared = comparison::compare(&head, &base, &progress)?;
    progress.finish();
    let mut review = compared.review;
    if command.failover.is_some() {
        // Nothing is removed and nothing restarts: the standby is not made of the primary.
        let is_meant = |class: RiskClass| {
            !matches!(
                class,
                RiskClass::Destroy | RiskClass::Replace | RiskClass::Restart
            )
        };
        review.risks.retain(|risk| is_meant(risk.class));
        for object in &mut review.objects {
            object.risks.retain(|risk| is_meant(risk.class));
        }
    }
    review.base = base_title;
    review.head = head_title;
    present::write(&command.report, arguments.color, |format, color| {
        Ok(report::review(
            format,
            &review,
            &compared.sources,
            &denied,
            compared.has_errors,
            color,
        ))
    })?;
    let hit = words::is_denied(&review, &denied);
    Ok(match () {
        () if compared.has_errors => FAILED,
        () if hit => DENIED,
        () if command.exit_code && !review.objects.is_empty() => DIFFERENT,
        () => DONE,
    })
}

/// The primary of a recovery plan, to be compared with its standby, and how people call the two.
fn failover(
    command: &DiffCommand,
    arguments: &Arguments,
    head: &CompileOptions,
    name: &str,
) -> Result<(Base, String, String)> {
    let catalog = tenantry::read(head)?.catalog;
    let Some(plan) = catalog.recovery_plans.get(name) else {
        let known = suggest(name, catalog.recovery_plans.names());
        let help = known.map_or_else(String::new, |known| format!("; {known}"));
        bail!("there is no recovery plan `{name}`{help}");
    };
    let place = |spot: &Spot| (spot.environment.0.clone(), spot.cluster.0.clone());
    let title = |spot: &Spot| format!("{} on {}", spot.environment, spot.cluster);
    let (primary, standby) = (&plan.spec.primary, &plan.spec.standby);
    let places = PlacePair {
        from: place(primary),
        to: place(standby),
        tenants: plan
            .spec
            .tenants
            .iter()
            .map(|name| name.0.clone())
            .collect(),
    };
    let path = command.path.as_ref();
    let options = CompileOptions {
        as_of: head.as_of,
        ..present::options(arguments, path, &command.read, None)?
    };
    let base = Base::Elsewhere(Box::new(options), places);
    Ok((base, title(primary), title(standby)))
}

/// What to compare with, and how people call it.
fn base(
    command: &DiffCommand,
    arguments: &Arguments,
    root: &Path,
    as_of: Date,
) -> Result<(Base, String)> {
    let head = command.head.as_deref().unwrap_or("HEAD");
    let name = match command.base.as_deref() {
        Some("-") => {
            let mut text = String::new();
            let mut input = std::io::stdin().lock().take(MOST_INPUT + 1);
            input
                .read_to_string(&mut text)
                .context("standard input cannot be read")?;
            if text.len() as u64 > MOST_INPUT {
                bail!("standard input has more than 256 MiB; compare with a folder: --base DIR");
            }
            return Ok((Base::Text(text), "standard input".to_owned()));
        }
        // A folder cannot take the place of a revision of the same name: `./main` names the folder.
        Some(name) if Path::new(name).is_dir() && git::revision(root, name).is_err() => {
            return Ok((
                Base::Folder(PathBuf::from(name)),
                format!("the folder {name}"),
            ));
        }
        name => name,
    };
    let revision = match name {
        Some(name) => match name.strip_suffix("...") {
            Some(branch) => git::merge_base(root, head, &[branch.to_owned()]),
            None => git::revision(root, name),
        },
        None => git::merge_base(root, head, &default_branches()),
    };
    let revision = revision.map_err(|why| anyhow!("the base cannot be read: {why}"))?;
    let path = command.path.as_ref();
    let options = CompileOptions {
        source: Source::Commit {
            root: root.to_path_buf(),
            revision: revision.id,
        },
        // Both sides are judged by the same day.
        as_of,
        ..present::options(arguments, path, &command.read, None)?
    };
    Ok((Base::Repository(Box::new(options)), revision.title))
}

/// What the default branch may be called: the target of a pull request, where CI tells; then what
/// the remote calls it.
fn default_branches() -> Vec<String> {
    let target = |name: &str| {
        let branch = std::env::var(name)
            .ok()
            .filter(|branch| !branch.is_empty())?;
        Some(format!("origin/{branch}"))
    };
    let mut branches: Vec<String> = ["GITHUB_BASE_REF", "CI_MERGE_REQUEST_TARGET_BRANCH_NAME"]
        .into_iter()
        .filter_map(target)
        .collect();
    let usual = [
        "origin/HEAD",
        "origin/main",
        "origin/master",
        "main",
        "master",
    ];
    branches.extend(usual.map(str::to_owned));
    branches
}
