//! Arguments of `tenantry report` and `tenantry verify`.

use super::{BaselineOptions, ReadOptions, RevisionOption};
use clap::Args;
use clap::Subcommand;
use std::path::PathBuf;

/// `tenantry report`.
#[derive(Debug, Subcommand)]
pub enum ReportCommand {
    /// Show what each framework asks for, what was checked of it, and what was found.
    Compliance(Box<ComplianceCommand>),
    /// Show who reaches whom in each cluster, and what accounts may do; fails with code 3 if a tenant is
    /// not isolated.
    Isolation(Box<ReportOfCommand>),
    /// Show what tenants cost in a month, by component and environment, against their budgets.
    Cost(Box<ReportOfCommand>),
    /// Show how full clusters and quotas are, and which quotas do not fit what runs.
    Capacity(Box<ReportOfCommand>),
    /// Show a week of all jobs: when they start, what runs at the same time, and what that asks for.
    Schedule(Box<ReportOfCommand>),
    /// Show whether tenants come back when a cluster is lost: what recovery plans promise and can hold, and
    /// who is in none; fails with code 3 if a promise does not hold.
    Recovery(Box<ReportOfCommand>),
    /// Show what ends and by when: components that go and who still uses them, tenants that leave, grants,
    /// shares, waivers and contexts.
    Lifecycle(Box<ReportOfCommand>),
    /// Show what breaks, is removed or is deprecated when clusters move to another Kubernetes version; fails with
    /// code 3 if something breaks.
    Upgrade(Box<UpgradeCommand>),
    /// Print CODEOWNERS: who must review which file, by the owners that documents name.
    Codeowners(CodeownersCommand),
    /// Check that neither a ledger nor what it recorded was altered.
    Verify(VerifyCommand),
}

/// `tenantry report compliance`.
#[derive(Debug, Args)]
pub struct ComplianceCommand {
    /// The repository.
    pub path: Option<PathBuf>,
    /// Only these frameworks.
    #[arg(long = "framework", value_name = "NAME", value_delimiter = ',')]
    pub frameworks: Vec<String>,
    /// The rendered manifests, whose digests the report and the ledger carry.
    #[arg(long, value_name = "DIR")]
    pub out: Option<PathBuf>,
    /// Tell what became weaker since this branch, tag or commit.
    #[arg(long, value_name = "REF")]
    pub base: Option<String>,
    /// Add this run to a ledger, which is made if it is not there.
    #[arg(long, value_name = "FILE")]
    pub ledger: Option<PathBuf>,
    /// What is read.
    #[command(flatten)]
    pub read: ReadOptions,
    /// Which state of it.
    #[command(flatten)]
    pub at: RevisionOption,
    /// Which findings do not count.
    #[command(flatten)]
    pub accept: BaselineOptions,
    /// How the report is written: text, json (an in-toto statement), html, oscal, openreports, sarif or
    /// junit; `FORMAT=FILE` writes to a file. May be given several times.
    #[arg(
        short = 'o',
        long = "output",
        value_name = "FORMAT[=FILE]",
        value_delimiter = ','
    )]
    pub formats: Vec<String>,
    /// No progress bar.
    #[arg(short, long)]
    pub quiet: bool,
}

/// A report without options of its own.
#[derive(Debug, Args)]
pub struct ReportOfCommand {
    /// The repository.
    pub path: Option<PathBuf>,
    /// What is read.
    #[command(flatten)]
    pub read: ReadOptions,
    /// Which state of it.
    #[command(flatten)]
    pub at: RevisionOption,
    /// How it is written: text, json or html, and figures also as csv; `FORMAT=FILE` writes to a file. May be
    /// given several times.
    #[arg(
        short = 'o',
        long = "output",
        value_name = "FORMAT[=FILE]",
        value_delimiter = ','
    )]
    pub formats: Vec<String>,
    /// No progress bar.
    #[arg(short, long)]
    pub quiet: bool,
}

/// `tenantry report upgrade`.
#[derive(Debug, Args)]
pub struct UpgradeCommand {
    /// The Kubernetes version that clusters move to, such as 1.36.
    #[arg(long, value_name = "VERSION", value_parser = kubernetes_version)]
    pub to: String,
    /// What is read, and how it is written: text or json. `--cluster` says which clusters move.
    #[command(flatten)]
    pub report: ReportOfCommand,
}

/// `tenantry report codeowners`.
#[derive(Debug, Args)]
pub struct CodeownersCommand {
    /// The repository.
    pub path: Option<PathBuf>,
    /// Write to this file, such as `.github/CODEOWNERS`. Default: standard output.
    #[arg(long, value_name = "FILE")]
    pub out: Option<PathBuf>,
}

/// `tenantry report verify`.
#[derive(Debug, Args)]
pub struct VerifyCommand {
    /// The ledger.
    pub ledger: PathBuf,
    /// The rendered manifests, which must be those that the last entry recorded.
    #[arg(long, value_name = "DIR")]
    pub out: Option<PathBuf>,
}

fn kubernetes_version(text: &str) -> Result<String, String> {
    let minor = text.strip_prefix("1.").filter(|minor| minor.len() <= 2);
    match minor.and_then(|minor| minor.parse::<u8>().ok()) {
        Some(_) => Ok(text.to_owned()),
        None => Err("write major and minor: 1.36".to_owned()),
    }
}
