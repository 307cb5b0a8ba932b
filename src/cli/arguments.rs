//! What can be said on the command line. One definition feeds the parser, the help, the manual and
//! the completions.

mod reports;

mod policies;

pub use policies::{
    PolicyCommand, PolicyEvalCommand, PolicyImportCommand, PolicyListCommand, PolicyTestCommand,
};
pub use reports::{
    ComplianceCommand, ReportCommand, ReportOfCommand, UpgradeCommand, VerifyCommand,
};
use std::path::PathBuf;
use std::sync::LazyLock;

use clap::builder::{PossibleValue, PossibleValuesParser};
use clap::{Args, Parser, Subcommand, ValueEnum};

use tenantry::model::change::RiskClass;
use tenantry::model::kinds::KindName;

/// Compiles a repository of tenant, component and policy YAML into verified Kubernetes manifests.
#[derive(Debug, Parser)]
#[command(
    name = "tenantry",
    version,
    propagate_version = true,
    max_term_width = 100
)]
pub struct Arguments {
    /// The repository, or a folder in it. Default: the one around the working directory.
    #[arg(
        short = 'C',
        long = "directory",
        value_name = "DIR",
        global = true,
        env = "TENANTRY_DIRECTORY"
    )]
    pub directory: Option<PathBuf>,
    /// When to use colours.
    #[arg(
        long,
        global = true,
        value_name = "WHEN",
        default_value = "auto",
        env = "TENANTRY_COLOR"
    )]
    pub color: Color,
    /// What to do.
    #[command(subcommand)]
    pub command: Command,
}

/// When to use colours.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum Color {
    /// At a terminal, unless `NO_COLOR` is set.
    Auto,
    /// Always.
    Always,
    /// Never.
    Never,
}

/// The subcommands.
#[derive(Debug, Subcommand)]
pub enum Command {
    /// Check everything, write nothing: all findings at the input line.
    Check(CheckCommand),
    /// Write the manifests of every tenant in every environment.
    Render(RenderCommand),
    /// Review what changed in the manifests, why, and what it risks.
    Diff(DiffCommand),
    /// Compare two files of manifests: for git's `diff.<driver>.command` or `GIT_EXTERNAL_DIFF`.
    GitDiff(GitDiffCommand),
    /// Show what depends on a file, a line or a document.
    Impact(ImpactCommand),
    /// Show where a value of a manifest came from, what it overrode, and what printed it.
    Why(WhyCommand),
    /// Find components, tenants and other documents.
    Find(FindCommand),
    /// Show where data comes from, what is made of it, and which components need which.
    Graph(GraphCommand),
    /// Test, evaluate, list and import policies.
    #[command(subcommand)]
    Policy(PolicyCommand),
    /// Write evidence for auditors, and check it.
    #[command(subcommand)]
    Report(ReportCommand),
    /// Onboard or offboard a tenant: edits the repository, never a cluster.
    #[command(subcommand)]
    Tenant(TenantCommand),
    /// Explain a finding's code, a policy, a kind, or a field: `T0202`, `pinned-images`, `Tenant.limits`.
    Explain(ExplainCommand),
    /// Print the JSON Schema of a kind, for editors.
    Schema(SchemaCommand),
    /// Begin a repository that renders.
    Init(InitCommand),
    /// Print completions for a shell.
    Completions(CompletionsCommand),
    /// Print the manual page.
    Man,
}

/// What is read, and which part of it.
#[derive(Debug, Args)]
pub struct ReadOptions {
    /// Only these environments.
    #[arg(
        short,
        long = "environment",
        value_name = "NAME",
        env = "TENANTRY_ENVIRONMENT",
        value_delimiter = ','
    )]
    pub environments: Vec<String>,
    /// Only these clusters.
    #[arg(
        long = "cluster",
        value_name = "NAME",
        env = "TENANTRY_CLUSTER",
        value_delimiter = ','
    )]
    pub clusters: Vec<String>,
    /// Only these tenants.
    #[arg(
        short,
        long = "tenant",
        value_name = "NAME",
        env = "TENANTRY_TENANT",
        value_delimiter = ','
    )]
    pub tenants: Vec<String>,
    /// Only these components.
    #[arg(
        short,
        long = "component",
        value_name = "NAME",
        env = "TENANTRY_COMPONENT",
        value_delimiter = ','
    )]
    pub components: Vec<String>,
    /// Only tenants with this label: `KEY=VALUE`, or `KEY` for any value.
    #[arg(short = 'l', long = "label", value_name = "LABEL")]
    pub labels: Vec<String>,
    /// A file with contexts of a user or session, over all other layers.
    #[arg(long = "context", value_name = "FILE")]
    pub contexts: Vec<PathBuf>,
    /// A value over all other layers: `scaling.maxReplicas=2`.
    #[arg(long = "set", value_name = "PATH=VALUE")]
    pub sets: Vec<String>,
    /// The day by which expiry is judged. Default: today, in UTC.
    #[arg(long, value_name = "DATE", env = "TENANTRY_AS_OF")]
    pub as_of: Option<String>,
}

impl ReadOptions {
    /// Everything, today.
    pub const NONE: ReadOptions = ReadOptions {
        environments: Vec::new(),
        clusters: Vec::new(),
        tenants: Vec::new(),
        components: Vec::new(),
        labels: Vec::new(),
        contexts: Vec::new(),
        sets: Vec::new(),
        as_of: None,
    };
}

/// Which state of the repository is read.
#[derive(Debug, Args)]
pub struct RevisionOption {
    /// Compile a commit from git's object store in place of the working tree.
    #[arg(long, value_name = "REF")]
    pub revision: Option<String>,
}

/// Which findings of policies do not count.
#[derive(Debug, Args)]
pub struct BaselineOptions {
    /// Findings of policies that this file lists do not count; new ones do.
    #[arg(long, value_name = "FILE", env = "TENANTRY_BASELINE")]
    pub baseline: Option<PathBuf>,
}

/// How findings are shown.
#[derive(Debug, Args)]
pub struct ReportOptions {
    /// How findings are shown: text, json, github, gitlab, sarif or junit, and reviews also as
    /// markdown or html; `FORMAT=FILE` writes to a file. May be given several times.
    #[arg(
        short = 'o',
        long = "output",
        value_name = "FORMAT[=FILE]",
        env = "TENANTRY_OUTPUT",
        value_delimiter = ','
    )]
    pub formats: Vec<String>,
    /// No progress bar and no closing line.
    #[arg(short, long)]
    pub quiet: bool,
}

/// What is said of objects that nothing checks.
#[derive(Debug, Args)]
pub struct UncheckedOption {
    /// List the objects whose kinds have no schema, so that their fields are not checked.
    #[arg(long)]
    pub unchecked: bool,
}

/// `tenantry check`.
#[derive(Debug, Args)]
pub struct CheckCommand {
    /// The repository.
    pub path: Option<PathBuf>,
    /// What is read.
    #[command(flatten)]
    pub read: ReadOptions,
    /// Which state of it.
    #[command(flatten)]
    pub at: RevisionOption,
    /// Which findings do not count.
    #[command(flatten)]
    pub accept: BaselineOptions,
    /// Write the findings that there are now to the baseline's file. A baseline only shrinks: new
    /// findings are taken up only where there is no file yet.
    #[arg(long, requires = "baseline")]
    pub update_baseline: bool,
    /// What is said of what is not checked.
    #[command(flatten)]
    pub unchecked: UncheckedOption,
    /// How findings are shown.
    #[command(flatten)]
    pub report: ReportOptions,
}

/// `tenantry render`.
#[derive(Debug, Args)]
pub struct RenderCommand {
    /// The repository.
    pub path: Option<PathBuf>,
    /// The folder for the manifests.
    #[arg(long, value_name = "DIR", env = "TENANTRY_OUT")]
    pub out: PathBuf,
    /// Write nothing; fail with code 2 unless DIR is exactly what the input compiles to.
    #[arg(long, conflicts_with = "force")]
    pub check: bool,
    /// Replace files that were edited by hand or belong to somebody else.
    #[arg(long)]
    pub force: bool,
    /// Make only part K of N of the output, so that N machines can share a build.
    #[arg(long, value_name = "K/N")]
    pub shard: Option<String>,
    /// What is read.
    #[command(flatten)]
    pub read: ReadOptions,
    /// Which state of it.
    #[command(flatten)]
    pub at: RevisionOption,
    /// Which findings do not count.
    #[command(flatten)]
    pub accept: BaselineOptions,
    /// What is said of what is not checked.
    #[command(flatten)]
    pub unchecked: UncheckedOption,
    /// How findings are shown.
    #[command(flatten)]
    pub report: ReportOptions,
}

/// `tenantry diff`.
#[derive(Debug, Args)]
pub struct DiffCommand {
    /// The repository.
    pub path: Option<PathBuf>,
    /// What to compare with: a branch, tag or commit; `REF...` for the point where the head left
    /// it; a folder of rendered manifests; `-` for manifests from standard input. Default: where
    /// the head left the default branch.
    #[arg(long, value_name = "REF|DIR|-", env = "TENANTRY_BASE")]
    pub base: Option<String>,
    /// Compare this commit in place of the working tree.
    #[arg(long, value_name = "REF")]
    pub head: Option<String>,
    /// Show what a failover by this recovery plan changes: its primary compared with its standby.
    #[arg(long, value_name = "PLAN", conflicts_with_all = ["base", "head"])]
    pub failover: Option<String>,
    /// Fail with code 3 if the change has a risk of one of these classes.
    #[arg(long, value_name = "RISK", value_delimiter = ',', env = "TENANTRY_FAIL_ON", value_parser = PossibleValuesParser::new(RiskClass::ALL.map(RiskClass::name)))]
    pub fail_on: Vec<String>,
    /// Fail with code 2 if an object differs.
    #[arg(long)]
    pub exit_code: bool,
    /// What is read.
    #[command(flatten)]
    pub read: ReadOptions,
    /// Which findings do not count.
    #[command(flatten)]
    pub accept: BaselineOptions,
    /// How the review is shown.
    #[command(flatten)]
    pub report: ReportOptions,
}

/// `tenantry git-diff`, with what git gives an external diff program.
#[derive(Debug, Args)]
pub struct GitDiffCommand {
    /// The path in the repository.
    pub path: String,
    /// A file with the old text.
    pub old_file: PathBuf,
    /// The old object.
    pub old_hex: Option<String>,
    /// The old file mode.
    pub old_mode: Option<String>,
    /// A file with the new text.
    pub new_file: Option<PathBuf>,
    /// The new object.
    pub new_hex: Option<String>,
    /// The new file mode.
    pub new_mode: Option<String>,
    /// What git adds for a rename.
    #[arg(hide = true)]
    pub rest: Vec<String>,
}

/// `tenantry impact`.
#[derive(Debug, Args)]
pub struct ImpactCommand {
    /// A file, `FILE:LINE`, or a document as `KIND/NAME`: `tiers/gold.yaml:12`, `Tier/gold`.
    pub what: String,
    /// What is read.
    #[command(flatten)]
    pub read: ReadOptions,
    /// Which state of it.
    #[command(flatten)]
    pub at: RevisionOption,
    /// Print JSON.
    #[arg(long)]
    pub json: bool,
}

/// `tenantry why`.
#[derive(Debug, Args)]
pub struct WhyCommand {
    /// The object: `production/eu-1/globex/ingest/Deployment/ingest`, or any part of it that is
    /// not ambiguous.
    pub object: String,
    /// The field: `spec.replicas`. Default: all fields.
    pub field: Option<String>,
    /// Say why the object is not rendered: which templates could make one of its kind, and what kept each from it.
    #[arg(long, conflicts_with = "field")]
    pub absent: bool,
    /// What is read.
    #[command(flatten)]
    pub read: ReadOptions,
    /// Which state of it.
    #[command(flatten)]
    pub at: RevisionOption,
    /// Print JSON.
    #[arg(long)]
    pub json: bool,
}

/// `tenantry find`.
#[derive(Debug, Args)]
pub struct FindCommand {
    /// What to find.
    pub what: FindWhat,
    /// Components that this tenant may subscribe to; other documents of this tenant.
    #[arg(short, long, value_name = "NAME")]
    pub tenant: Option<String>,
    /// Components with this capability; given several times, with all of them.
    #[arg(long, value_name = "WORD")]
    pub capability: Vec<String>,
    /// Components for this data format; given several times, for any of them.
    #[arg(long, value_name = "FORMAT")]
    pub format: Vec<String>,
    /// Cleared for at least this class of data.
    #[arg(long, value_name = "CLASS")]
    pub min_clearance: Option<ClearanceArgument>,
    /// With this status.
    #[arg(long, value_name = "STATUS")]
    pub status: Option<String>,
    /// With this label: `KEY=VALUE`, or `KEY` for any value.
    #[arg(short = 'l', long = "label", value_name = "LABEL")]
    pub labels: Vec<String>,
    /// Print JSON.
    #[arg(long)]
    pub json: bool,
}

/// A kind, as `tenantry find` takes it: `alert-routes`.
#[derive(Clone, Copy, Debug)]
pub struct FindWhat(pub KindName);

impl ValueEnum for FindWhat {
    fn value_variants<'a>() -> &'a [FindWhat] {
        static ALL: LazyLock<Vec<FindWhat>> =
            LazyLock::new(|| KindName::ALL.iter().copied().map(FindWhat).collect());
        &ALL
    }

    fn to_possible_value(&self) -> Option<PossibleValue> {
        Some(PossibleValue::new(self.0.plural()))
    }
}

/// A class of data.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, ValueEnum)]
pub enum ClearanceArgument {
    /// For everybody.
    Public,
    /// For the organisation.
    Internal,
    /// For those who need it.
    Confidential,
    /// For those who are named.
    Restricted,
}

impl ClearanceArgument {
    /// All, the most open first.
    pub const ALL: [ClearanceArgument; 4] = [
        ClearanceArgument::Public,
        ClearanceArgument::Internal,
        ClearanceArgument::Confidential,
        ClearanceArgument::Restricted,
    ];

    /// As documents write it.
    pub fn word(self) -> &'static str {
        match self {
            ClearanceArgument::Public => "public",
            ClearanceArgument::Internal => "internal",
            ClearanceArgument::Confidential => "confidential",
            ClearanceArgument::Restricted => "restricted",
        }
    }
}

/// `tenantry graph`.
#[derive(Debug, Args)]
pub struct GraphCommand {
    /// The repository.
    pub path: Option<PathBuf>,
    /// Only what has to do with this tenant.
    #[arg(short, long, value_name = "NAME")]
    pub tenant: Option<String>,
    /// Only data of at least this class.
    #[arg(long, value_name = "CLASS")]
    pub min_class: Option<ClearanceArgument>,
    /// Only what is up- and downstream of this: `Dataset/orders`, or a name that only one document has.
    #[arg(long, value_name = "KIND/NAME")]
    pub around: Option<String>,
    /// With `--around`: where it comes from, what it leads to, or both.
    #[arg(long, value_name = "WAY", default_value = "both")]
    pub direction: GraphDirection,
    /// The day that events carry. Default: today, in UTC.
    #[arg(long, value_name = "DATE", env = "TENANTRY_AS_OF")]
    pub as_of: Option<String>,
    /// How it is written: text, dot, mermaid, json, openlineage or html; `FORMAT=FILE` writes to a file. May
    /// be given several times.
    #[arg(
        short = 'o',
        long = "output",
        value_name = "FORMAT[=FILE]",
        value_delimiter = ','
    )]
    pub formats: Vec<String>,
}

/// Which way to follow a graph.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum GraphDirection {
    /// To where it comes from.
    Upstream,
    /// To what it leads to.
    Downstream,
    /// Both ways.
    Both,
}

/// `tenantry tenant`.
#[derive(Debug, Subcommand)]
pub enum TenantCommand {
    /// Write the document of a new tenant, and check it.
    New(Box<TenantNewCommand>),
    /// Show what goes when, and write into the tenant's document that it leaves.
    Offboard(TenantOffboardCommand),
}

/// `tenantry tenant new`.
#[derive(Debug, Args)]
pub struct TenantNewCommand {
    /// The tenant's name.
    pub name: String,
    /// The team that answers for it.
    #[arg(long, value_name = "TEAM")]
    pub owner: String,
    /// Its tier.
    #[arg(long, value_name = "NAME", default_value = "basic")]
    pub tier: String,
    /// Its environments. Default: the one that others are promoted from.
    #[arg(
        short,
        long = "environment",
        value_name = "NAME",
        value_delimiter = ','
    )]
    pub environments: Vec<String>,
    /// The components that run for it.
    #[arg(short, long = "component", value_name = "NAME", value_delimiter = ',')]
    pub components: Vec<String>,
    /// How far it is kept apart: shared, namespace, dedicated or physical.
    #[arg(long, value_name = "LEVEL", value_parser = PossibleValuesParser::new(["shared", "namespace", "dedicated", "physical"]))]
    pub isolation: Option<String>,
    /// The highest class of data that it may handle: public, internal, confidential or restricted.
    #[arg(long, value_name = "CLASS", value_parser = PossibleValuesParser::new(["public", "internal", "confidential", "restricted"]))]
    pub clearance: Option<String>,
    /// The zones that its data may be in.
    #[arg(long, value_name = "ZONE", value_delimiter = ',')]
    pub residency: Vec<String>,
    /// Its name, for people.
    #[arg(long, value_name = "TEXT")]
    pub display_name: Option<String>,
    /// Whom to reach in an incident.
    #[arg(long, value_name = "ADDRESS")]
    pub incidents: Option<String>,
    /// Where in the organisation it belongs.
    #[arg(long, value_name = "NAME")]
    pub division: Option<String>,
    /// Where in the division it belongs.
    #[arg(long, value_name = "NAME")]
    pub department: Option<String>,
    /// Where in the department it belongs.
    #[arg(long, value_name = "NAME")]
    pub project: Option<String>,
    /// Who is charged.
    #[arg(long, value_name = "CODE")]
    pub cost_center: Option<String>,
    /// What it means to spend in a month.
    #[arg(long, value_name = "SUM", requires = "cost_center")]
    pub budget: Option<u32>,
    /// The first day. Default: today, in UTC.
    #[arg(long, value_name = "DATE", env = "TENANTRY_AS_OF")]
    pub as_of: Option<String>,
}

/// `tenantry tenant offboard`.
#[derive(Debug, Args)]
pub struct TenantOffboardCommand {
    /// The tenant's name.
    pub name: String,
    /// When it leaves. Default: today.
    #[arg(long, value_name = "DATE")]
    pub on: Option<String>,
    /// The last day on which its data is kept. Default: as long as its datasets are.
    #[arg(long, value_name = "DATE")]
    pub retain_until: Option<String>,
    /// The last backup is made by other means than Velero.
    #[arg(long)]
    pub backup_elsewhere: bool,
    /// Show what goes when, write nothing.
    #[arg(long)]
    pub dry_run: bool,
    /// The day by which expiry is judged. Default: today, in UTC.
    #[arg(long, value_name = "DATE", env = "TENANTRY_AS_OF")]
    pub as_of: Option<String>,
}

/// `tenantry explain`.
#[derive(Debug, Args)]
pub struct ExplainCommand {
    /// A code, a kind, or a field of a kind. Without it, all codes and kinds.
    pub topic: Option<String>,
}

/// `tenantry schema`.
#[derive(Debug, Args)]
pub struct SchemaCommand {
    /// The kind. Without it, the names of all kinds.
    pub kind: Option<String>,
}

/// `tenantry init`.
#[derive(Debug, Args)]
pub struct InitCommand {
    /// The folder. Default: the working directory.
    pub path: Option<PathBuf>,
}

/// `tenantry completions`.
#[derive(Debug, Args)]
pub struct CompletionsCommand {
    /// The shell.
    pub shell: clap_complete::Shell,
}
