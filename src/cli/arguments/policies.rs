//! Arguments of `tenantry policy`.

use clap::Args;
use clap::Subcommand;
use std::path::PathBuf;

/// `tenantry policy`.
#[derive(Debug, Subcommand)]
pub enum PolicyCommand {
    /// Run policies' own cases.
    Test(PolicyTestCommand),
    /// Judge any manifests by any policies.
    Eval(PolicyEvalCommand),
    /// List all policies, built-in ones included.
    List(PolicyListCommand),
    /// Turn ValidatingAdmissionPolicies into documents of kind Policy.
    Import(PolicyImportCommand),
}

/// `tenantry policy test`.
#[derive(Debug, Args)]
pub struct PolicyTestCommand {
    /// Files or folders of policies. Default: those of the repository, and the built-in ones.
    pub paths: Vec<PathBuf>,
    /// Only these policies.
    #[arg(short, long = "policy", value_name = "NAME", value_delimiter = ',')]
    pub policies: Vec<String>,
    /// Name each policy.
    #[arg(short, long)]
    pub verbose: bool,
}

/// `tenantry policy eval`.
#[derive(Debug, Args)]
pub struct PolicyEvalCommand {
    /// A file or folder of policies: ours, or ValidatingAdmissionPolicies with their bindings. One
    /// that no binding names judges everything that it matches.
    #[arg(short = 'p', long = "policy", value_name = "FILE", required = true)]
    pub policies: Vec<PathBuf>,
    /// A file or folder of manifests.
    #[arg(short = 'f', long = "manifest", value_name = "FILE", required = true)]
    pub manifests: Vec<PathBuf>,
    /// A file of parameters: objects that `paramKind` names, or a map of values for policies of ours.
    #[arg(long, value_name = "FILE")]
    pub params: Vec<PathBuf>,
    /// The same objects before: what is judged is an update.
    #[arg(long, value_name = "FILE")]
    pub old: Option<PathBuf>,
    /// What is done to the objects: CREATE, UPDATE, DELETE or CONNECT.
    #[arg(long, value_name = "OPERATION")]
    pub operation: Option<String>,
    /// text or json.
    #[arg(short, long, value_name = "FORMAT")]
    pub output: Option<String>,
}

/// `tenantry policy list`.
#[derive(Debug, Args)]
pub struct PolicyListCommand {
    /// The repository.
    pub path: Option<PathBuf>,
    /// Only those that serve controls of this framework.
    #[arg(long, value_name = "NAME")]
    pub framework: Option<String>,
    /// Only those of this pack.
    #[arg(long, value_name = "NAME")]
    pub pack: Option<String>,
    /// Print JSON.
    #[arg(long)]
    pub json: bool,
}

/// `tenantry policy import`.
#[derive(Debug, Args)]
pub struct PolicyImportCommand {
    /// Files with ValidatingAdmissionPolicies.
    #[arg(required = true)]
    pub files: Vec<PathBuf>,
    /// The file to write. Default: standard output.
    #[arg(long, value_name = "FILE")]
    pub out: Option<PathBuf>,
}
