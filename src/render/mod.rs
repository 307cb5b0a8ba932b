//! Stage 4: templates. Takes a [`Unit`], gives its [`Manifest`]s. Values never pass through text:
//! where a template prints one, the engine writes a *hole* and keeps the value beside it.
//!
//! * `registry`: the templates, their headers, and the template environment.
//! * `recorder`: which input values were read, and the values in the holes.
//! * `tree`: input trees as templates see them.
//! * `skeleton`: the text around the holes as a tree, parsed once for each form.
//! * `markers`: holes and template lines as characters that no text has.
//! * `filters`: what templates can do to values.
//!
//! To add a manifest, add a file to `templates/`.

mod filters;
mod markers;
mod recorder;
mod registry;
mod skeleton;
mod tree;

use std::collections::HashSet;
use std::sync::Arc;

use minijinja::Value;

pub use registry::Templates;

use crate::diagnostics::{Diagnostic, Sink, Sources, catalogue::render as codes, suggest};
use crate::kubernetes::versions::{self, Minor};
use crate::model::hole::Hole;
use crate::model::instance::{Unit, Usage, Variable};
use crate::model::manifest::{Manifest, Rendered, Scope, TemplateLine};
use crate::yaml::{Node, NodeId, Path, Step};
use registry::{Otherwise, Template};

/// Most steps of one rendering.
const FUEL: u64 = 1_000_000;
/// Most bytes of text of one rendering.
const MAX_TEXT: usize = 4 << 20;

/// What one rendering is for.
struct Job<'a> {
    sources: &'a Sources,
    /// `globex/ingest in production on eu-1`, for findings.
    title: String,
    /// The line that asked for it.
    asked: NodeId,
    scope: Scope,
    instance: Option<usize>,
    pipeline: Option<usize>,
}

/// Renders all templates of a unit: those of its scope, and those of its instances.
pub fn unit(
    templates: &Templates,
    unit: &Unit,
    scopes: &[Scope],
    sources: &Sources,
    usage: &mut Usage,
    sink: &mut Sink,
) -> Vec<Rendered> {
    let mut rendered = Vec::new();
    let apis = Apis::of(unit);
    let key = &unit.key;
    let place = format!("in {} on {}", key.environment, key.cluster);
    let of_unit: Vec<&Variable> = unit.variables.iter().collect();
    let mut all = |job: &Job<'_>, variables: &[&Variable], named: &[String], sink: &mut Sink| {
        let context = context(variables, &apis);
        let of_scope = templates.of(job.scope);
        for template in of_scope.filter(|template| template.is_for(named)) {
            run(
                templates,
                template,
                &context,
                &apis,
                job,
                sink,
                &mut rendered,
            );
        }
    };
    for scope in scopes.iter().copied() {
        let mut job = Job {
            sources,
            title: format!("{} {place}", key.tenant).trim_start().to_owned(),
            asked: NodeId::NONE,
            scope,
            instance: None,
            pipeline: None,
        };
        match scope {
            Scope::Component | Scope::ComponentRunbook => {
                for (position, instance) in unit.instances.iter().enumerate() {
                    job.title = format!("{}/{} {place}", key.tenant, instance.component);
                    job.asked = instance.subscription;
                    job.instance = Some(position);
                    recorder::begin_usage();
                    let variables = with(&of_unit, &instance.variables);
                    all(&job, &variables, &instance.templates, sink);
                    let used = recorder::take_usage();
                    // What a page for people tells has no effect for that.
                    if scope.makes_objects()
                        && let Some(workload) = instance.variable("workload")
                    {
                        note_usage(workload, &mut Path::default(), &used, sources, usage);
                    }
                }
            }
            Scope::Pipeline => {
                for (position, pipeline) in unit.pipelines.iter().enumerate() {
                    job.title = format!("{}'s pipeline {} {place}", key.tenant, pipeline.name);
                    job.asked = pipeline.subscription;
                    job.pipeline = Some(position);
                    job.scope = Scope::Pipeline;
                    job.instance = None;
                    recorder::begin_usage();
                    let variables = with(&of_unit, &pipeline.variables);
                    all(&job, &variables, &[], sink);
                    for one in &pipeline.jobs {
                        job.scope = Scope::PipelineJob;
                        job.instance = Some(one.instance);
                        all(&job, &with(&variables, &one.variables), &[], sink);
                    }
                    let used = recorder::take_usage();
                    let workloads = pipeline
                        .jobs
                        .iter()
                        .filter_map(|one| one.variable("workload"));
                    for workload in workloads {
                        note_usage(workload, &mut Path::default(), &used, sources, usage);
                    }
                }
            }
            _ => all(&job, &of_unit, &[], sink),
        }
    }
    rendered
}

/// Variables, and more of them.
fn with<'v>(variables: &[&'v Variable], more: &'v [Variable]) -> Vec<&'v Variable> {
    variables.iter().copied().chain(more).collect()
}

/// Values that rules and the compiler read, and no template.
const READ_ELSEWHERE: [&str; 3] = ["type", "encryptionRequired", "auditLogging"];

/// Notes of each value that the repository sets whether a template used it.
fn note_usage(
    node: &Node,
    path: &mut Path,
    used: &HashSet<NodeId>,
    sources: &Sources,
    usage: &mut Usage,
) {
    if used.contains(&node.id) && (node.as_map().is_some() || node.as_list().is_some()) {
        return note_all_used(node, usage);
    }
    match &node.value {
        crate::yaml::Value::Map(map) => {
            for entry in &map.entries {
                // The name of an item is what layers merge it by.
                let names_item =
                    &*entry.key == "name" && matches!(path.0.last(), Some(Step::Index(_)));
                if names_item || path.0.is_empty() && READ_ELSEWHERE.contains(&&*entry.key) {
                    continue;
                }
                path.0.push(Step::Key(Arc::clone(&entry.key)));
                note_usage(&entry.value, path, used, sources, usage);
                path.0.pop();
            }
        }
        crate::yaml::Value::List(items) => {
            for (at, item) in items.iter().enumerate() {
                path.0.push(Step::Index(at));
                note_usage(item, path, used, sources, usage);
                path.0.pop();
            }
        }
        _ if sources.is_in_repository(node.id.file) => {
            usage
                .values
                .entry(node.id)
                .or_insert_with(|| (path.to_string(), false))
                .1 |= used.contains(&node.id);
        }
        _ => {}
    }
}

/// A subtree that was printed as a whole is used in all its parts.
fn note_all_used(node: &Node, usage: &mut Usage) {
    match &node.value {
        crate::yaml::Value::Map(map) => map
            .entries
            .iter()
            .for_each(|entry| note_all_used(&entry.value, usage)),
        crate::yaml::Value::List(items) => items.iter().for_each(|item| note_all_used(item, usage)),
        _ => {
            usage.values.insert(node.id, (String::new(), true));
        }
    }
}

/// Finds values that nothing read, for any instance that they apply to.
pub fn unread(usage: Usage, sources: &Sources, sink: &mut Sink) {
    for (id, (path, read)) in usage.values {
        if read {
            continue;
        }
        sink.push(
            Diagnostic::new(codes::UNREAD_VALUE, format!("`{path}` is set here, and no template reads it for the workloads that get it"))
                .at(sources.span(id), "has no effect")
                .help("remove it, or see `tenantry explain Component.workload` for what applies to which type of workload"),
        );
    }
}

/// Renders the templates of a folder: its `kustomization.yaml`.
pub fn folder(
    templates: &Templates,
    variables: &[Variable],
    sources: &Sources,
    sink: &mut Sink,
) -> Vec<Rendered> {
    let mut rendered = Vec::new();
    let apis = Apis::default();
    let context = context(&variables.iter().collect::<Vec<_>>(), &apis);
    let job = Job {
        sources,
        title: "a folder of the output".to_owned(),
        asked: NodeId::NONE,
        scope: Scope::Folder,
        instance: None,
        pipeline: None,
    };
    for template in templates.of(Scope::Folder) {
        run(
            templates,
            template,
            &context,
            &apis,
            &job,
            sink,
            &mut rendered,
        );
    }
    rendered
}

/// The APIs that a cluster has.
#[derive(Clone, Debug, Default)]
struct Apis {
    /// Those beyond what its version of Kubernetes serves by itself.
    listed: Arc<Vec<String>>,
    minor: Option<Minor>,
}

impl Apis {
    fn of(unit: &Unit) -> Apis {
        let cluster = unit
            .variables
            .iter()
            .find(|(name, _)| *name == "cluster")
            .map(|(_, node)| node);
        let listed = cluster
            .and_then(|cluster| cluster.get("apis"))
            .and_then(Node::as_list)
            .unwrap_or_default();
        let listed = listed.iter().filter_map(Node::as_str).map(str::to_owned);
        let version = cluster.and_then(|cluster| cluster.get("kubernetesVersion")?.as_str());
        Apis {
            listed: Arc::new(listed.collect()),
            minor: version.and_then(versions::minor),
        }
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

fn context(variables: &[&Variable], apis: &Apis) -> Value {
    let mut names: Vec<(&'static str, Value)> = variables
        .iter()
        .map(|(name, node)| (*name, tree::root(name, node)))
        .collect();
    let apis = apis.clone();
    names.push((
        "has_api",
        Value::from_function(move |wanted: String| apis.has(&wanted)),
    ));
    Value::from_object(tree::Names(names))
}

fn run(
    templates: &Templates,
    template: &Template,
    context: &Value,
    apis: &Apis,
    job: &Job<'_>,
    sink: &mut Sink,
    rendered: &mut Vec<Rendered>,
) {
    if let Some(requires) = &template.requires
        && !apis.has(requires)
    {
        if template.otherwise == Otherwise::Error && applies(templates, template, context) {
            let line = |id: NodeId| {
                job.sources
                    .span(id)
                    .map(|span| job.sources.first_line(span))
            };
            let asked_by = template.asked_by.as_ref().and_then(|asked| {
                recorder::start();
                templates
                    .environment
                    .compile_expression(asked)
                    .and_then(|asked| asked.eval(context.clone()))
                    .ok()?;
                recorder::last_read()
            });
            sink.push(
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
                })),
            );
        }
        return;
    }
    match render(templates, template, context) {
        Ok((text, holes, read)) => {
            if text.trim().is_empty() {
                return;
            }
            match templates.skeletons.get(&text, template, &templates.lines) {
                Ok(skeleton) => {
                    let holes: Arc<[_]> = holes.into();
                    let read: Arc<[_]> = read.into();
                    let problems = skeleton.check(&holes);
                    if !problems.is_empty() {
                        for problem in problems {
                            sink.push(misplaced(problem, job));
                        }
                        return;
                    }
                    for document in 0..skeleton.documents.len() {
                        let manifest = Manifest {
                            skeleton: Arc::clone(&skeleton.documents),
                            document,
                            holes: Arc::clone(&holes),
                        };
                        rendered.push(Rendered {
                            manifest,
                            scope: job.scope,
                            instance: job.instance,
                            pipeline: job.pipeline,
                            is_written: template.is_written,
                            template: Arc::clone(&template.path),
                            read: Arc::clone(&read),
                        });
                    }
                }
                Err(problems) => {
                    for (line, message) in problems {
                        sink.push(
                            Diagnostic::new(codes::NOT_YAML, format!("the template's text is not valid YAML: {message}"))
                                .at(job.sources.line_span(line.file, line.line as usize), "at or just before this line")
                                .note(format!("rendered for {}", job.title))
                                .help("values cannot break the structure, so mend the template's own text: indentation, colons, dashes"),
                        );
                    }
                }
            }
        }
        Err(error) => sink.push(failed(&error, template, job)),
    }
}

fn applies(templates: &Templates, template: &Template, context: &Value) -> bool {
    let Some(when) = &template.when else {
        return true;
    };
    templates
        .environment
        .compile_expression(when)
        .and_then(|when| when.eval(context.clone()))
        .is_ok_and(|value| value.is_true())
}

/// The text of a template with its holes, and the values that it read.
fn render(
    templates: &Templates,
    template: &Template,
    context: &Value,
) -> Result<(String, Vec<Hole>, Vec<NodeId>), minijinja::Error> {
    recorder::start();
    let mut writer = Bounded {
        text: Vec::with_capacity(2048),
    };
    let result = templates
        .environment
        .get_template(&template.path)
        .and_then(|compiled| {
            compiled
                .render_captured_to(context.clone(), &mut writer)
                .map(drop)
        });
    let (holes, read) = recorder::finish();
    result?;
    let text = String::from_utf8(writer.text).unwrap_or_default();
    Ok((text, holes, read))
}

/// Text of a bounded length.
struct Bounded {
    text: Vec<u8>,
}

impl std::io::Write for Bounded {
    fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
        if self.text.len() + bytes.len() > MAX_TEXT {
            return Err(std::io::Error::other("more than 4 MiB of text"));
        }
        self.text.extend_from_slice(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> std::io::Result<()> {
        Ok(())
    }
}

fn failed(error: &minijinja::Error, template: &Template, job: &Job<'_>) -> Diagnostic {
    use minijinja::ErrorKind;
    // An error inside a macro names the library's file.
    let cause = innermost(error);
    let file = cause
        .name()
        .and_then(|name| {
            (name != &*template.path)
                .then(|| template.library_file(name))
                .flatten()
        })
        .unwrap_or(template.file);
    let (header_end, when) = template.when_lines;
    let line = cause.line().map(|line| {
        if file == template.file && line == header_end {
            when
        } else {
            line
        }
    });
    let span = line.and_then(|line| job.sources.line_span(file, line));
    let detail = cause
        .detail()
        .map_or_else(|| cause.kind().to_string(), str::to_owned);
    let missing = recorder::missing();
    let diagnostic = match cause.kind() {
        ErrorKind::UndefinedError => {
            let name = missing
                .as_ref()
                .map_or(detail, |(name, _)| format!("`{name}`"));
            let help = match missing
                .as_ref()
                .and_then(|(name, known)| suggest(name, known.iter().map(String::as_str)))
            {
                Some(help) => help,
                None => "for data that may be absent, write `| default(…)`".to_owned(),
            };
            Diagnostic::new(
                codes::UNDEFINED,
                format!("the template uses a name that does not exist: {name}"),
            )
            .help(help)
        }
        ErrorKind::OutOfFuel => Diagnostic::new(
            codes::TEMPLATE_BOUND,
            "the template takes more than 1,000,000 steps",
        )
        .help("make its loops smaller"),
        ErrorKind::WriteFailure => {
            Diagnostic::new(codes::TEMPLATE_BOUND, "the template prints more than 4 MiB")
                .help("make its loops smaller")
        }
        ErrorKind::SyntaxError => Diagnostic::new(
            codes::TEMPLATE_SYNTAX,
            format!("the template's syntax is wrong: {detail}"),
        )
        .help("mend the marked line; the language is Jinja's"),
        _ => Diagnostic::new(
            codes::TEMPLATE_FAILED,
            format!("the template could not be evaluated: {detail}"),
        )
        .help("mend the marked line, or the value that it was given"),
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

fn innermost(error: &minijinja::Error) -> &minijinja::Error {
    let mut innermost = error;
    let mut next = std::error::Error::source(error);
    while let Some(cause) = next {
        if let Some(inner) = cause.downcast_ref::<minijinja::Error>()
            && inner.line().is_some()
        {
            innermost = inner;
        }
        next = cause.source();
    }
    innermost
}

fn misplaced(problem: skeleton::Misplaced, job: &Job<'_>) -> Diagnostic {
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
