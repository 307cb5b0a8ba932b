//! Tenantry: a compiler for a git repository of tenant, component and policy YAML.
//!
//! ```text
//!   load ──► validate ──► resolve ──► render ──► verify ──► emit
//!   files    documents    who runs    templates   schemas,   the output
//!   and git  of our       what where  with holes  names,     folder
//!            kinds                                quotas
//!                            └──────── per tenant, in parallel ───────┘
//! ```
//!
//! Stages do not import one another; what they hand on is in [`model`], and in the packages below the
//! compiler: [`engine`], [`kubernetes`], [`yaml`] and [`diagnostics`]. Every value keeps the place that
//! it was read from, through all stages: that is what findings, `why` and reviews stand on. See
//! `ARCHITECTURE.md`.

#![forbid(unsafe_code)]

#[allow(clippy::disallowed_methods, reason = "the stage that writes files")]
pub mod emit;
pub mod explain;
#[allow(clippy::disallowed_methods, reason = "the stage that reads files")]
pub mod load;
pub mod model;
pub mod policy;
pub mod render;
pub mod report;
pub mod resolve;
pub mod review;
pub mod validate;
pub mod verify;

pub use tenantry_cel as cel;
pub use tenantry_engine as engine;
pub use tenantry_kubernetes as kubernetes;
pub use tenantry_syntax::{diagnostics, yaml};
pub use tenantry_validation as validation;

pub mod comparison;
mod output;
mod side;

use std::io;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Mutex, PoisonError};

use jiff::civil::Date;
use rayon::prelude::*;

use diagnostics::{Diagnostic, Sink, Sources};
use load::{ExtraText, Source};
use model::footprint::UnitFootprint;
use model::instance::Unit;
use model::isolation::ClusterIsolation;
use model::kinds::Catalog;
use model::verdict::Evidence;
pub use output::{OutputOptions, Shard};
use resolve::Selection;
use side::{Snapshot, UnitTotals};
use tenantry_engine::manifest::Rendered;

/// What is compiled, and how.
pub struct CompileOptions {
    /// Where the repository is read from.
    pub source: Source,
    /// Texts from the command line.
    pub extra: Vec<ExtraText>,
    /// What is selected.
    pub selection: Selection,
    /// The day by which expiry is judged.
    pub as_of: Date,
    /// The part of the output that is made.
    pub shard: Shard,
    /// Findings of policies that were there before, and do not count.
    pub baseline: Option<policy::baseline::Baseline>,
    /// Whether evidence is given of it: then records have digests.
    pub gives_evidence: bool,
}

/// What came out.
#[derive(Debug, Default)]
pub struct Compilation {
    /// All files that were read.
    pub sources: Sources,
    /// All documents whose form is right.
    pub catalog: Catalog,
    /// All findings, sorted by file and place.
    pub findings: Vec<Diagnostic>,
    /// How much there was.
    pub counts: Counts,
    /// What was done to the output folder.
    pub output: Option<emit::EmitSummary>,
    /// What the policies said.
    pub evidence: Evidence,
    /// Who reaches whom in each cluster, and what accounts may do.
    pub isolation: Vec<ClusterIsolation>,
    /// What each tenant asks for in each environment on each cluster.
    pub footprints: Vec<UnitFootprint>,
    /// Objects without a schema, sorted.
    pub unchecked: Vec<verify::Unchecked>,
}

/// How much was compiled.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Counts {
    /// Tenants in an environment on a cluster.
    pub units: usize,
    /// Components of those.
    pub instances: usize,
    /// Kubernetes objects.
    pub objects: usize,
}

impl Compilation {
    /// Whether something must be fixed first.
    pub fn has_errors(&self) -> bool {
        self.findings.iter().any(Diagnostic::is_error)
    }

    /// Whether a policy denies it.
    pub fn is_denied(&self) -> bool {
        self.findings.iter().any(Diagnostic::is_denial)
    }
}

/// What is done with each unit once it is rendered and verified. Called from several threads.
pub trait Visitor: Sync {
    /// A unit and its manifests, in no particular order of units. Not called for units with errors.
    ///
    /// # Errors
    /// The disk.
    fn unit(&self, unit: &Unit, rendered: &[Rendered], sources: &Sources) -> io::Result<()>;

    /// So many of so many units are done.
    fn progress(&self, _done: usize, _of: usize) {}
}

/// Reads a repository, and renders nothing.
///
/// # Errors
/// The repository cannot be read.
pub fn read(options: &CompileOptions) -> io::Result<Compilation> {
    let mut sink = Sink::default();
    let mut sources = Sources::default();
    let loaded = load::run(
        &options.source,
        &options.extra,
        None,
        &mut sources,
        &mut sink,
    )?;
    let ours = loaded
        .documents
        .into_iter()
        .filter(|document| document.is_ours);
    let trees: Vec<yaml::Node> = ours.map(|document| document.tree).collect();
    let validated = validate::run(&trees, &loaded.default_specs, &sources, &mut sink);
    Ok(Compilation {
        findings: sink.finish(&sources),
        catalog: validated.catalog,
        sources,
        ..Compilation::default()
    })
}

/// Compiles a repository; `output` is where the manifests go, `visitor` sees them pass.
///
/// # Errors
/// The repository cannot be read, or the output cannot be written; never what is wrong with the
/// input, which is in the findings.
pub fn compile(
    options: &CompileOptions,
    output: Option<&OutputOptions>,
    visitor: &dyn Visitor,
) -> io::Result<Compilation> {
    let mut sink = Sink::default();
    let mut sources = Sources::default();
    let loaded = load::run(
        &options.source,
        &options.extra,
        None,
        &mut sources,
        &mut sink,
    )?;
    let side = Snapshot::new(options, loaded, &sources, &mut sink);
    let mut compilation = Compilation::default();
    let policies = side.policies(&sources, &mut sink);
    if let Some(plan) = side.plan(&sources, &mut sink) {
        let output = match output {
            Some(settings) => Some(output::Writer::open(
                settings,
                &plan,
                &side.templates,
                options,
            )?),
            None => None,
        };
        // Findings of the planned tenants are findings of their units, so nothing is rendered of
        // a repository with errors but what shows more of them.
        let planned_with_errors = sink.has_errors();
        let shared = Mutex::new((Sink::default(), UnitTotals::default()));
        let done = AtomicUsize::new(0);
        let work = side::work(&plan, options.shard);
        work.par_iter().try_for_each(|job| -> io::Result<()> {
            let mut sink = Sink::default();
            let mut unit = job.build(&plan, &mut sink);
            let mut tally = UnitTotals::default();
            job.enforce(&mut unit, &plan, &policies, &mut sink);
            if let Some(rendered) =
                side.render(job, &unit, &policies, &sources, &mut tally, &mut sink)
            {
                job.judge(&unit, &rendered, &policies, &mut tally, &mut sink);
                visitor.unit(&unit, &rendered, &sources)?;
                if let Some(output) = output.as_ref().filter(|_| !planned_with_errors) {
                    output.unit(&unit, &rendered, &sources, &mut sink)?;
                }
            }
            let mut shared = shared.lock().unwrap_or_else(PoisonError::into_inner);
            shared.0.append(sink);
            shared.1.append(tally);
            drop(shared);
            visitor.progress(done.fetch_add(1, Ordering::Relaxed) + 1, work.len());
            Ok(())
        })?;
        let (found, tally) = shared.into_inner().unwrap_or_else(PoisonError::into_inner);
        sink.append(found);
        compilation.counts = tally.counts;
        let across = side.across(tally, &policies, &sources, &mut sink);
        compilation.evidence = across.evidence;
        compilation.isolation = across.isolation;
        compilation.footprints = across.footprints;
        compilation.unchecked = across.unchecked;
        if let Some(output) = output {
            compilation.output = Some(output.finish(&plan, &sources, &mut sink)?);
        }
    }
    drop(policies);
    compilation.findings = sink.finish(&sources);
    compilation.catalog = side.validated.catalog;
    compilation.sources = sources;
    Ok(compilation)
}
