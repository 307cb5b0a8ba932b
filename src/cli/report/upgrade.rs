//! `tenantry report upgrade`: the repository as it is, and as if clusters ran another version of Kubernetes.

use anyhow::{Result, bail};

use super::put;
use crate::cli::arguments::{Arguments, UpgradeCommand};
use crate::cli::present::{self, Progress};
use crate::cli::{DENIED, DONE};
use tenantry::compile;
use tenantry::report::upgrade::{self, ClusterUpgrade, UpgradeReport};
use tenantry::resolve::Upgrade;
use tenantry_syntax::diagnostics::{list_names, suggest};

/// Runs the command.
pub fn run(command: &UpgradeCommand, arguments: &Arguments) -> Result<u8> {
    let report = &command.report;
    let formats = present::formats(&report.formats, &upgrade::UpgradeFormat::ALL)?;
    let at = report.at.revision.as_ref();
    let mut options = present::options(arguments, report.path.as_ref(), &report.read, at)?;
    let progress = Progress::new(report.quiet);
    let before = compile(&options, None, &progress)?;
    let names = || {
        before
            .catalog
            .clusters
            .iter()
            .map(|cluster| cluster.name.as_str())
    };
    let chosen = &report.read.clusters;
    let is_unknown = |wanted: &&String| !names().any(|name| name == *wanted);
    if let Some(wanted) = chosen.iter().find(is_unknown) {
        let help = suggest(wanted, names()).unwrap_or_else(|| list_names(names()));
        bail!("there is no cluster `{wanted}`; {help}");
    }
    options.selection.upgrade = Some(Upgrade {
        clusters: chosen.clone(),
        to: command.to.clone(),
    });
    let after = compile(&options, None, &progress)?;
    progress.finish();
    let moved = before.catalog.clusters.iter();
    let moved = moved.filter(|cluster| chosen.is_empty() || chosen.contains(&cluster.name));
    let clusters = moved.map(|cluster| ClusterUpgrade {
        name: cluster.name.clone(),
        from: cluster.spec.kubernetes_version.clone(),
        had_dump: cluster.spec.openapi.is_some(),
    });
    let found = UpgradeReport::new(
        command.to.clone(),
        clusters.collect(),
        (&before.findings, &before.sources),
        (&after.findings, &after.sources),
    );
    put(formats, arguments, |format, color| {
        found.write(format, color)
    })?;
    Ok(if found.breaks() { DENIED } else { DONE })
}
