//! Stage 4: templates. Takes a [`Unit`], gives its [`Manifest`]s. Values never pass through text:
//! where a template prints one, the engine writes a *hole* and keeps the value beside it.
//!
//! * `registry`: the templates and their headers.
//! * `skeleton`: the text around the holes as a tree, parsed once for each form.
//! * `markers`: template lines as characters that no text has.
//! * `absent`: why something is not rendered.
//! * `usage`: which values of the input no template looks at.
//!
//! What runs templates is [`tenantry_engine`].
//!
//! To add a manifest, add a file to `templates/`.

mod absent;
mod declarations;
mod markers;
mod patches;
mod registry;
mod skeleton;
mod usage;

use std::cell::RefCell;
use std::collections::HashMap;
use std::sync::Arc;

use foldhash::fast::FixedState;

pub use absent::{AbsenceReason as AbsentReason, Absent, absent};
pub use registry::Templates;
pub use usage::unread;

use crate::model::field::Field;
use crate::model::instance::{Unit, Usage, Variable};
use declarations::DECLARATIONS;
use registry::{Otherwise, Template};
use skeleton::Skeleton;
use tenantry_engine::derivations::Derivations;
use tenantry_engine::hole::{Hole, Holes};
use tenantry_engine::manifest::{Manifest, Rendered, TemplateLine, TemplateScope};
use tenantry_engine::origin::Past;
use tenantry_engine::program::{Filled, Finished, Recording};
use tenantry_engine::run::TemplateRun;
use tenantry_engine::schema::Minor;
use tenantry_engine::syntax::Expression;
use tenantry_engine::trace::{LookDepth, Own};
use tenantry_engine::value::Data;
use tenantry_engine::{RunInputs, TemplateErrorKind, TemplateFunction};
use tenantry_kubernetes::versions;
use tenantry_syntax::diagnostics::catalogue::render as codes;
use tenantry_syntax::diagnostics::{Diagnostic, Sink, Sources, suggest};
use tenantry_syntax::yaml::NodeId;
use usage::InstanceUsage;

/// `has_api("group/version/Kind")`: whether the cluster has an API.
static HAS_API: TemplateFunction = TemplateFunction {
    own: Own {
        name: "has_api",
        reach: LookDepth::Presence,
        apply: |arguments| {
            let [listed, version, wanted] = arguments else {
                return Err("`has_api` takes the name of an API".to_owned());
            };
            let wanted = wanted.as_str().ok_or("the name of an API is a text")?;
            let listed = listed.items().unwrap_or_default();
            let listed = listed
                .iter()
                .filter_map(|api| Some(api.as_str()?.to_owned()));
            let apis = Apis {
                listed: listed.collect(),
                minor: version.as_str().and_then(versions::minor),
                known: RefCell::default(),
            };
            Ok(Data::Bool(apis.has(wanted)))
        },
    },
    reads: &[&["cluster", "apis"], &["cluster", "kubernetesVersion"]],
};
static FUNCTIONS: [&TemplateFunction; 1] = [&HAS_API];

/// What one rendering is for.
struct RenderJob<'a> {
    sources: &'a Sources,
    /// `globex/ingest in production on eu-1`, for findings.
    title: String,
    /// The line that asked for it.
    asked: NodeId,
    scope: TemplateScope,
    instance: Option<usize>,
    pipeline: Option<usize>,
}

/// Renders all templates of a unit: those of its scope, and those of its instances.
pub fn unit(
    templates: &Templates,
    unit: &Unit,
    scopes: &[TemplateScope],
    sources: &Sources,
    usage: &mut Usage,
    sink: &mut Sink,
) -> Vec<Rendered> {
    let mut rendered = Vec::new();
    let apis = Apis::of(unit);
    let key = &unit.key;
    let place = format!("in {} on {}", key.environment, key.cluster);
    let of_unit: Vec<&Variable> = unit.variables.iter().collect();
    let mut all =
        |job: &RenderJob<'_>, variables: &[&Variable], named: &[String], sink: &mut Sink| {
            let inputs = inputs(variables, &unit.derivations);
            let mut looked = InstanceUsage::default();
            let of_scope = templates.of(job.scope);
            for template in of_scope.filter(|template| template.is_for(named)) {
                rendered.extend(run(
                    templates,
                    template,
                    &inputs,
                    &apis,
                    job,
                    &mut looked,
                    sink,
                ));
            }
            looked
        };
    for scope in scopes.iter().copied() {
        let mut job = RenderJob {
            sources,
            title: format!("{} {place}", key.tenant_name())
                .trim_start()
                .to_owned(),
            asked: NodeId::NONE,
            scope,
            instance: None,
            pipeline: None,
        };
        match scope {
            TemplateScope::Component | TemplateScope::ComponentRunbook => {
                for (position, instance) in unit.instances.iter().enumerate() {
                    job.title = format!("{}/{} {place}", key.tenant_name(), instance.component);
                    job.asked = instance.subscription;
                    job.instance = Some(position);
                    let variables = with(&of_unit, &instance.variables);
                    let looked = all(&job, &variables, &instance.templates, sink);
                    // What a page for people tells has no effect for that.
                    if scope.makes_objects() {
                        looked.note(
                            &instance.workload,
                            &instance.variables,
                            &templates.looked,
                            sources,
                            usage,
                        );
                    }
                }
            }
            TemplateScope::Pipeline => {
                for (position, pipeline) in unit.pipelines.iter().enumerate() {
                    job.title =
                        format!("{}'s pipeline {} {place}", key.tenant_name(), pipeline.name);
                    job.asked = pipeline.subscription;
                    job.pipeline = Some(position);
                    job.scope = TemplateScope::Pipeline;
                    job.instance = None;
                    let variables = with(&of_unit, &pipeline.variables);
                    let mut looked = all(&job, &variables, &[], sink);
                    for one in &pipeline.jobs {
                        job.scope = TemplateScope::PipelineJob;
                        job.instance = Some(one.instance);
                        let more = all(&job, &with(&variables, &one.variables), &[], sink);
                        looked.0.extend(more.0);
                    }
                    for one in &pipeline.jobs {
                        for variables in [&one.variables, &pipeline.variables] {
                            looked.note(
                                &one.workload,
                                variables,
                                &templates.looked,
                                sources,
                                usage,
                            );
                        }
                    }
                }
            }
            _ => drop(all(&job, &of_unit, &[], sink)),
        }
    }
    patches::apply(templates, unit, rendered, sources, usage, sink)
}

/// Variables, and more of them.
fn with<'v>(variables: &[&'v Variable], more: &'v [Variable]) -> Vec<&'v Variable> {
    variables.iter().copied().chain(more).collect()
}

/// Renders the templates of a folder: its `kustomization.yaml`.
pub fn folder(
    templates: &Templates,
    variables: &[Variable],
    sources: &Sources,
    sink: &mut Sink,
) -> Vec<Rendered> {
    let apis = Apis::default();
    let variables: Vec<&Variable> = variables.iter().collect();
    let inputs = inputs(&variables, &Arc::default());
    let job = RenderJob {
        sources,
        title: "a folder of the output".to_owned(),
        asked: NodeId::NONE,
        scope: TemplateScope::Folder,
        instance: None,
        pipeline: None,
    };
    let of_folders = templates.of(TemplateScope::Folder);
    let mut looked = InstanceUsage::default();
    of_folders
        .flat_map(|template| run(templates, template, &inputs, &apis, &job, &mut looked, sink))
        .collect()
}

/// The APIs that a cluster has.
#[derive(Clone, Debug, Default)]
struct Apis {
    /// Those beyond what its version of Kubernetes serves by itself.
    listed: Vec<String>,
    minor: Option<Minor>,
    /// What was asked, by the address of the template.
    known: RefCell<HashMap<usize, bool, FixedState>>,
}

impl Apis {
    fn of(unit: &Unit) -> Apis {
        let cluster = unit.facts.cluster();
        let listed = cluster.apis().items().filter_map(Field::as_str);
        let version = cluster.kubernetes_version().as_str();
        Apis {
            listed: listed.map(str::to_owned).collect(),
            minor: version.and_then(versions::minor),
            known: RefCell::default(),
        }
    }

    /// Whether the API that a template requires is there.
    fn serves(&self, template: &Template) -> bool {
        let Some(requires) = &template.requires else {
            return true;
        };
        let address = std::ptr::from_ref(template).addr();
        *self
            .known
            .borrow_mut()
            .entry(address)
            .or_insert_with(|| self.has(requires))
    }

    /// Whether an API is there: `group/version` or `group/version/Kind`.
    fn has(&self, wanted: &str) -> bool {
        let listed = self.listed.iter().any(|api| {
            wanted == api
                || wanted
                    .strip_prefix(api.as_str())
                    .is_some_and(|kind| kind.starts_with('/'))
        });
        let newest = *versions::FIELD_VERSIONS.end();
        listed || versions::is_served(wanted, self.minor.unwrap_or(newest))
    }
}

fn inputs(variables: &[&Variable], derivations: &Arc<Derivations>) -> Arc<RunInputs> {
    Arc::new(RunInputs {
        variables: variables
            .iter()
            .map(|variable| (*variable).clone())
            .collect(),
        declared: Some(&DECLARATIONS),
        derivations: derivations.clone(),
    })
}

/// What a template makes: no manifest if it does not apply, or if something is wrong, which is said.
fn run(
    templates: &Templates,
    template: &Template,
    inputs: &Arc<RunInputs>,
    apis: &Apis,
    job: &RenderJob<'_>,
    looked: &mut InstanceUsage,
    sink: &mut Sink,
) -> Vec<Rendered> {
    if let Some(requires) = &template.requires
        && !apis.serves(template)
    {
        if template.otherwise == Otherwise::Error && applies(templates, template, inputs) {
            sink.push(lacking(templates, template, requires, inputs, job));
        }
        return Vec::new();
    }
    let (finished, filled) = match template.programs.replay(inputs) {
        Some(known) => {
            // Each test that renders is one of programs, too.
            #[cfg(debug_assertions)]
            assert_same(&known, render(templates, template, inputs, job), template);
            known
        }
        None => match render(templates, template, inputs, job) {
            Ok(made) => made,
            Err(problems) => {
                for problem in problems {
                    sink.push(problem);
                }
                return Vec::new();
            }
        },
    };
    looked.0.push(finished.recording.clone());
    let Some(skeleton) = &finished.made else {
        return Vec::new();
    };
    let holes = filled
        .into_iter()
        .map(|one| Hole::new(one.value, one.id, one.term));
    let past = Past {
        recording: finished.recording.clone(),
        inputs: inputs.clone(),
    };
    let holes = Arc::new(Holes::new(holes.collect(), Some(past)));
    let problems = skeleton.check(&holes);
    if !problems.is_empty() {
        let problems = problems.into_iter().map(|problem| misplaced(problem, job));
        problems.for_each(|problem| sink.push(problem));
        return Vec::new();
    }
    let manifest = |document| Rendered {
        manifest: Manifest {
            skeleton: Arc::clone(&skeleton.documents),
            document,
            holes: Arc::clone(&holes),
        },
        scope: job.scope,
        instance: job.instance,
        pipeline: job.pipeline,
        is_written: template.is_written,
        template: Arc::clone(&template.path),
        unpatched: None,
    };
    (0..skeleton.documents.len()).map(manifest).collect()
}

/// An API that the cluster lacks, and what asked for it.
fn lacking(
    templates: &Templates,
    template: &Template,
    requires: &str,
    inputs: &Arc<RunInputs>,
    job: &RenderJob<'_>,
) -> Diagnostic {
    let line = |id: NodeId| {
        let span = job.sources.span(id);
        span.map(|span| job.sources.first_line(span))
    };
    let asked_by = template.asked_by.as_ref();
    let asked_by = asked_by.and_then(|asked| asking(templates, asked, inputs));
    Diagnostic::new(
        codes::API_MISSING,
        format!("this needs the API {requires}, which the cluster does not have"),
    )
    .at(
        asked_by.and_then(line).or_else(|| line(job.asked)),
        "asked for here",
    )
    .and(
        asked_by.and_then(|_| line(job.asked)),
        "in this subscription",
    )
    .note(format!("for {}", job.title))
    .help(template.message.clone().unwrap_or_else(|| {
        format!("add `{requires}` to the cluster's `apis` once it is installed")
    }))
}

/// The input value that an expression stands for.
fn asking(templates: &Templates, asked: &Expression, inputs: &Arc<RunInputs>) -> Option<NodeId> {
    let run = TemplateRun::new(&templates.library, inputs, &FUNCTIONS);
    let (value, trace) = run.expression(asked).ok()?;
    let past = Past {
        recording: Arc::new(Recording::new(trace, &[])),
        inputs: inputs.clone(),
    };
    past.origin([value.term], [], &[]).values.first().copied()
}

fn applies(templates: &Templates, template: &Template, inputs: &Arc<RunInputs>) -> bool {
    let Some(when) = &template.when else {
        return true;
    };
    if let Some((known, _)) = template.applied.replay(inputs) {
        return known.made;
    }
    let run = TemplateRun::new(&templates.library, inputs, &FUNCTIONS);
    let Ok((holds, ran)) = run.condition(when) else {
        return false;
    };
    // That it is not kept only means that it is evaluated again.
    let _ = template.applied.keep(ran, holds, inputs);
    holds
}

type Made = (Arc<Finished<Option<Arc<Skeleton>>>>, Vec<Filled>);

/// Runs a template: what it printed, to be done again without it; or what is wrong.
fn render(
    templates: &Templates,
    template: &Template,
    inputs: &Arc<RunInputs>,
    job: &RenderJob<'_>,
) -> Result<Made, Vec<Diagnostic>> {
    let run = TemplateRun::new(&templates.library, inputs, &FUNCTIONS);
    let ran = run.template(&template.path, template.when.as_ref());
    let ran = ran.map_err(|error| vec![failed(&error, template, job)])?;
    let skeleton = if tenantry_engine::markers::is_blank(&ran.text) {
        None
    } else {
        let skeleton = templates
            .skeletons
            .get(&ran.text, template, &templates.lines);
        let skeleton = skeleton.map_err(|problems| {
            problems
                .into_iter()
                .map(|(line, message)| not_yaml(line, &message, job))
                .collect::<Vec<_>>()
        })?;
        Some(skeleton)
    };
    let kept = template.programs.keep(ran, skeleton, inputs);
    kept.map_err(|message| {
        let diagnostic = Diagnostic::new(codes::TEMPLATE_FAILED, message);
        vec![diagnostic.note(format!("rendered for {}", job.title))]
    })
}

/// A program makes what its template makes, with the same origins.
#[cfg(debug_assertions)]
fn assert_same(known: &Made, ran: Result<Made, Vec<Diagnostic>>, template: &Template) {
    let ran = ran.unwrap_or_else(|_| panic!("{} fails where its program does not", template.path));
    let is_same = match (&known.0.made, &ran.0.made) {
        (None, None) => true,
        (Some(a), Some(b)) => Arc::ptr_eq(a, b) || format!("{a:?}") == format!("{b:?}"),
        _ => false,
    };
    assert!(
        is_same,
        "{} has another form than its program",
        template.path
    );
    assert_eq!(known.0.recording.regions, ran.0.recording.regions);
    assert_eq!(known.1.len(), ran.1.len());
    for (known, ran) in known.1.iter().zip(&ran.1) {
        let derived = |id: NodeId| id.as_derived().is_some();
        assert_eq!(known.value, ran.value, "{}", template.path);
        assert!(known.id == ran.id || derived(known.id) && derived(ran.id));
        assert_eq!(known.term, ran.term);
    }
}

fn not_yaml(line: TemplateLine, message: &str, job: &RenderJob<'_>) -> Diagnostic {
    Diagnostic::new(codes::NOT_YAML, format!("the template's text is not valid YAML: {message}"))
        .at(job.sources.line_span(line.file, line.line as usize), "at or just before this line")
        .note(format!("rendered for {}", job.title))
        .help("values cannot break the structure, so correct the template's own text: indentation, colons, dashes")
}

fn failed(
    error: &tenantry_engine::TemplateError,
    template: &Template,
    job: &RenderJob<'_>,
) -> Diagnostic {
    // An error inside a macro names the library's file; one of the condition names none.
    let (file, line) = match &error.template {
        None => (template.file, Some(template.when_line)),
        Some(path) if *path == template.path => (template.file, error.line),
        Some(path) => (
            template.library_file(path).unwrap_or(template.file),
            error.line,
        ),
    };
    let span = line.and_then(|line| job.sources.line_span(file, line));
    let diagnostic =
        match &error.reason {
            TemplateErrorKind::Undefined(missing) => {
                let name = missing.as_ref().map(|(name, _)| format!("`{name}`"));
                let near = missing
                    .as_ref()
                    .and_then(|(name, known)| suggest(name, known.iter().map(String::as_str)));
                Diagnostic::new(
                    codes::UNDEFINED,
                    format!(
                        "the template uses a name that does not exist: {}",
                        name.unwrap_or_else(|| "undefined value".to_owned())
                    ),
                )
                .help(near.unwrap_or_else(|| {
                    "for data that may be absent, write `| default(…)`".to_owned()
                }))
            }
            TemplateErrorKind::Steps => Diagnostic::new(
                codes::TEMPLATE_BOUND,
                "the template takes more than 1,000,000 steps",
            )
            .help("make its loops smaller"),
            TemplateErrorKind::Text => {
                Diagnostic::new(codes::TEMPLATE_BOUND, "the template prints more than 4 MiB")
                    .help("make its loops smaller")
            }
            TemplateErrorKind::Holes => Diagnostic::new(
                codes::TEMPLATE_BOUND,
                "the template prints more than 65,000 values",
            )
            .help("make its loops smaller"),
            TemplateErrorKind::Syntax(detail) => Diagnostic::new(
                codes::TEMPLATE_SYNTAX,
                format!("the template's syntax is wrong: {detail}"),
            )
            .help("correct the marked line; the language is Jinja's"),
            TemplateErrorKind::Failed(detail) => Diagnostic::new(
                codes::TEMPLATE_FAILED,
                format!("the template could not be evaluated: {detail}"),
            )
            .help("correct the marked line, or the value that it was given"),
        };
    let diagnostic = diagnostic
        .at(span, "")
        .note(format!("rendered for {}", job.title));
    diagnostic.and(
        job.sources
            .span(job.asked)
            .map(|span| job.sources.first_line(span)),
        "rendered for this subscription",
    )
}

fn misplaced(problem: skeleton::Misplaced, job: &RenderJob<'_>) -> Diagnostic {
    let template = |line: TemplateLine| job.sources.line_span(line.file, line.line as usize);
    let input = |ids: &[NodeId]| {
        ids.iter()
            .find_map(|id| job.sources.span(*id))
            .map(|span| job.sources.first_line(span))
    };
    match problem {
        skeleton::Misplaced::Value {
            line,
            found,
            place,
            sources,
        } => {
            let message = if found == "nothing" {
                format!("there is no value to print {place}")
            } else {
                format!("{found} cannot be printed {place}")
            };
            let diagnostic = Diagnostic::new(codes::BAD_PLACE, message)
                .note(format!("rendered for {}", job.title));
            let help = if found == "nothing" {
                "set the value, or guard the line with `{% if … %}`"
            } else {
                "print a part of it, or give it a place of its own"
            };
            match input(&sources) {
                Some(span) => diagnostic
                    .at(span, "this value")
                    .and(template(line), "printed here"),
                None => diagnostic.at(template(line), "printed here"),
            }
            .help(help)
        }
        skeleton::Misplaced::KeyTwice { line, key, source } => {
            let diagnostic =
                Diagnostic::new(codes::KEY_TWICE, format!("the key `{key}` is given twice"))
                    .note(format!("rendered for {}", job.title));
            match source.and_then(|id| input(&[id])) {
                Some(span) => diagnostic
                    .at(span, "given here")
                    .and(template(line), "and in the template"),
                None => diagnostic.at(template(line), "given here"),
            }
            .help("remove the key in one of the two places")
        }
    }
}
