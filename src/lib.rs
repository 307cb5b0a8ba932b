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
//! Stages do not import one another; what they hand on is in [`model`], [`yaml`], [`schema`] and
//! [`diagnostics`]. Every value keeps the place that it was read from, through all stages: that is
//! what findings, `why` and reviews stand on. See `ARCHITECTURE.md`.

#![forbid(unsafe_code)]

#[allow(
    clippy::disallowed_methods,
    reason = "reads the clock, the environment and files that the user names"
)]
pub mod cli;
pub mod diagnostics;
#[allow(clippy::disallowed_methods, reason = "the stage that writes files")]
pub mod emit;
#[allow(clippy::disallowed_methods, reason = "the stage that reads files")]
pub mod load;
pub mod model;
pub mod render;
pub mod report;
pub mod resolve;
pub mod schema;
pub mod validate;
pub mod verify;
pub mod yaml;

mod output;

use std::io;
use std::sync::Mutex;

use jiff::civil::Date;
use rayon::prelude::*;

use diagnostics::{Diagnostic, Severity, Sink, Sources};
use load::{ExtraText, Source};
use model::instance::{Unit, Usage};
use model::kinds::Catalog;
use model::manifest::{Rendered, Scope};
pub use output::{OutputOptions, Shard};
use resolve::Selection;

/// What is compiled, and how.
pub struct Options {
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
    pub output: Option<emit::Summary>,
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
    /// Whether something must be mended first.
    pub fn has_errors(&self) -> bool {
        self.findings
            .iter()
            .any(|finding| finding.severity == Severity::Error)
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
pub fn read(options: &Options) -> io::Result<Compilation> {
    let mut sink = Sink::default();
    let loaded = load::run(&options.source, &options.extra, &mut sink)?;
    let trees: Vec<yaml::Node> = loaded
        .documents
        .into_iter()
        .map(|document| document.tree)
        .collect();
    let validated = validate::run(&trees, &loaded.default_specs, &loaded.sources, &mut sink);
    let findings = sink.finish(&loaded.sources);
    Ok(Compilation {
        sources: loaded.sources,
        catalog: validated.catalog,
        findings,
        ..Compilation::default()
    })
}

/// Compiles a repository; `output` is where the manifests go, `visitor` sees them pass.
///
/// # Errors
/// The repository cannot be read, or the output cannot be written; never what is wrong with the
/// input, which is in the findings.
pub fn compile(
    options: &Options,
    output: Option<&OutputOptions>,
    visitor: &dyn Visitor,
) -> io::Result<Compilation> {
    let mut sink = Sink::default();
    let loaded = load::run(&options.source, &options.extra, &mut sink)?;
    let sources = loaded.sources;
    let trees: Vec<yaml::Node> = loaded
        .documents
        .into_iter()
        .map(|document| document.tree)
        .collect();
    let validated = validate::run(&trees, &loaded.default_specs, &sources, &mut sink);
    let templates = loaded
        .templates
        .iter()
        .map(|template| (template.path.as_str(), template.file));
    let templates = render::Templates::new(templates, &sources, &mut sink);
    templates.check_named(&validated.catalog, &sources, &mut sink);
    let files = load::named_files(&options.source, &validated.catalog);
    let schemas = verify::Schemas::new(&validated.catalog, &files, &sources, &mut sink);
    let default_workload = loaded
        .default_workload
        .unwrap_or_else(yaml::Node::empty_map);
    let input = resolve::Input {
        catalog: &validated.catalog,
        broken: &validated.broken,
        incomplete: loaded.incomplete,
        default_workload: &default_workload,
        sources: &sources,
        as_of: options.as_of,
        selection: &options.selection,
    };
    let mut compilation = Compilation::default();
    if let Some(plan) = resolve::run(input, &mut sink) {
        let output = match output {
            Some(settings) => Some(output::Writer::open(settings, &plan, &templates, options)?),
            None => None,
        };
        // Findings of the planned tenants are findings of their units, so nothing is rendered of
        // a repository with errors but what shows more of them.
        let planned_with_errors = sink.has_errors();
        let shared = Mutex::new((
            Sink::default(),
            Counts::default(),
            Vec::new(),
            Usage::default(),
        ));
        let done = std::sync::atomic::AtomicUsize::new(0);
        let clusters: Vec<_> = plan
            .clusters
            .iter()
            .filter(|_| options.shard.is_first())
            .collect();
        let units: Vec<_> = plan
            .units
            .iter()
            .filter(|unit| options.shard.takes(&unit.tenant.name))
            .collect();
        let total = units.len() + clusters.len();
        let step = |build: &dyn Fn(&mut Sink) -> Unit, scopes: &[Scope]| -> io::Result<()> {
            let mut sink = Sink::default();
            let unit = build(&mut sink);
            let mut facts = None;
            let mut usage = Usage::default();
            if !sink.has_errors() {
                let rendered =
                    render::unit(&templates, &unit, scopes, &sources, &mut usage, &mut sink);
                // What a failed template leaves out is missed by others; that is told once.
                let complete = !sink.has_errors();
                facts = Some((
                    verify::unit(&schemas, &unit, &rendered, complete, &sources, &mut sink),
                    rendered.len(),
                ));
                if !sink.has_errors() {
                    visitor.unit(&unit, &rendered, &sources)?;
                    if let Some(output) = output.as_ref().filter(|_| !planned_with_errors) {
                        output.unit(&unit, &rendered, &sources, &mut sink)?;
                    }
                }
            }
            let mut shared = shared
                .lock()
                .unwrap_or_else(std::sync::PoisonError::into_inner);
            shared.0.append(sink);
            if let Some((facts, objects)) = facts {
                shared.1.units += usize::from(!unit.key.tenant.is_empty());
                shared.1.instances += unit.instances.len();
                shared.1.objects += objects;
                shared.2.push(facts);
            }
            if !unit.is_idle() {
                shared.3.append(usage);
            }
            drop(shared);
            visitor.progress(
                done.fetch_add(1, std::sync::atomic::Ordering::Relaxed) + 1,
                total,
            );
            Ok(())
        };
        clusters.par_iter().try_for_each(|cluster| {
            step(
                &|_| plan.build_cluster(cluster),
                &[Scope::Cluster, Scope::ClusterDelivery],
            )
        })?;
        units.par_iter().try_for_each(|unit| {
            step(
                &|sink| plan.build(unit, sink),
                &[Scope::Tenant, Scope::Delivery, Scope::Component],
            )
        })?;
        let (found, counts, mut facts, usage) = shared
            .into_inner()
            .unwrap_or_else(std::sync::PoisonError::into_inner);
        sink.append(found);
        // What is unread in a part of the work may be read in another.
        if options.selection.is_everything() && options.shard == Shard::WHOLE && !sink.has_errors()
        {
            render::unread(usage, &sources, &mut sink);
        }
        compilation.counts = counts;
        facts.sort_by(|a, b| a.order().cmp(&b.order()));
        verify::across(&facts, &validated.catalog, &schemas, &sources, &mut sink);
        if let Some(output) = output {
            compilation.output = Some(output.finish(&plan, &sources, &mut sink)?);
        }
    }
    compilation.findings = sink.finish(&sources);
    compilation.catalog = validated.catalog;
    compilation.sources = sources;
    Ok(compilation)
}
