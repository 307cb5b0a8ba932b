//! The templates, their headers, and the template environment.

use std::collections::HashMap;
use std::sync::Arc;

use super::markers;
use super::patches::PatchedSkeletons;
use super::skeleton::{Skeleton, Skeletons};
use super::usage::Merged;
use crate::model::kinds::Catalog;
use tenantry_engine::manifest::{TemplateLine, TemplateScope};
use tenantry_engine::markers::is_reserved;
use tenantry_engine::program::Programs;
use tenantry_engine::syntax::{self, Expression};
use tenantry_engine::{self, TemplateLibrary};
use tenantry_syntax::diagnostics::catalogue::render as codes;
use tenantry_syntax::diagnostics::catalogue::resolve::UNKNOWN_REFERENCE;
use tenantry_syntax::diagnostics::{Diagnostic, Sink, Sources, nearest, suggest};
use tenantry_syntax::yaml::parse::parse;
use tenantry_syntax::yaml::{Node, Value};

const SCOPES: [(&str, TemplateScope); 11] = [
    ("cluster", TemplateScope::Cluster),
    ("tenant", TemplateScope::Tenant),
    ("component", TemplateScope::Component),
    ("delivery", TemplateScope::Delivery),
    ("cluster-delivery", TemplateScope::ClusterDelivery),
    ("folder", TemplateScope::Folder),
    ("pipeline", TemplateScope::Pipeline),
    ("pipeline-job", TemplateScope::PipelineJob),
    ("api-server", TemplateScope::ApiServer),
    ("runbook", TemplateScope::Runbook),
    ("component-runbook", TemplateScope::ComponentRunbook),
];

/// What happens where the cluster lacks an API that a template requires.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Otherwise {
    /// The template is left out.
    Skip,
    /// It is an error.
    Error,
}

/// A template and its header.
#[derive(Debug)]
pub struct Template {
    /// Its path below `templates/`.
    pub path: Arc<str>,
    /// Its file.
    pub file: u32,
    /// What it is rendered for.
    pub scope: TemplateScope,
    /// When it applies.
    pub when: Option<Expression>,
    /// The API that the cluster must have.
    pub requires: Option<String>,
    /// What happens if it has not.
    pub otherwise: Otherwise,
    /// What to do then, for people.
    pub message: Option<String>,
    /// Whether only components that name it get it.
    pub on_request: bool,
    /// Whether what it makes is part of the output, and not only judged.
    pub is_written: bool,
    /// The expression whose value asks for the API.
    pub asked_by: Option<Expression>,
    /// The kinds of objects that its text names.
    pub kinds: Vec<String>,
    /// The line of its `when`.
    pub when_line: usize,
    /// What earlier renderings did; what they printed is nothing, or a skeleton.
    pub programs: Programs<Option<Arc<Skeleton>>>,
    /// Whether it applied, where the cluster lacks its API.
    pub applied: Programs<bool>,
    libraries: Arc<HashMap<String, u32>>,
}

impl Template {
    /// Whether a component that names some templates gets this one.
    pub fn is_for(&self, named: &[String]) -> bool {
        !self.on_request || named.iter().any(|name| **name == *self.path)
    }

    /// The file of a library that a finding is in.
    pub fn library_file(&self, name: &str) -> Option<u32> {
        self.libraries.get(name).copied()
    }
}

/// All templates, ready to run.
#[derive(Debug)]
pub struct Templates {
    pub(super) library: TemplateLibrary,
    pub(super) lines: Vec<TemplateLine>,
    pub(super) skeletons: Skeletons,
    pub(super) looked: Merged,
    pub(super) patched: PatchedSkeletons,
    templates: Vec<Template>,
}

impl Templates {
    /// Reads all templates, given by path and file; those with findings are left out.
    pub fn new<'a>(
        files: impl IntoIterator<Item = (&'a str, u32)>,
        sources: &Sources,
        sink: &mut Sink,
    ) -> Templates {
        let mut templates = Templates {
            library: TemplateLibrary::default(),
            lines: Vec::new(),
            skeletons: Skeletons::default(),
            looked: Merged::default(),
            patched: PatchedSkeletons::default(),
            templates: Vec::new(),
        };
        let files: Vec<(&str, u32)> = files.into_iter().collect();
        let libraries = Arc::new(
            files
                .iter()
                .map(|(path, file)| ((*path).to_owned(), *file))
                .collect(),
        );
        for (path, file) in files {
            templates.add(path, file, &libraries, sources, sink);
        }
        templates
    }

    /// The templates of a scope, by path.
    pub fn of(&self, scope: TemplateScope) -> impl Iterator<Item = &Template> {
        self.templates
            .iter()
            .filter(move |template| template.scope == scope)
    }

    /// Checks that the templates that components name exist.
    pub fn check_named(&self, catalog: &Catalog, sources: &Sources, sink: &mut Sink) {
        for component in &catalog.components {
            for (at, path) in component.spec.templates.iter().enumerate() {
                if self
                    .templates
                    .iter()
                    .any(|template| *template.path == **path)
                {
                    continue;
                }
                let place = component.fields().templates().item(at).place();
                let diagnostic =
                    Diagnostic::new(UNKNOWN_REFERENCE, format!("there is no template `{path}`"))
                        .at(sources.span(place), "named here");
                let near = nearest(path, self.templates.iter().map(|template| &*template.path));
                sink.push(diagnostic.help(near.map_or_else(
                    || format!("add the file templates/{path}"),
                    |near| format!("did you mean `{near}`?"),
                )));
            }
        }
    }

    fn add(
        &mut self,
        path: &str,
        file: u32,
        libraries: &Arc<HashMap<String, u32>>,
        sources: &Sources,
        sink: &mut Sink,
    ) {
        let source = sources.file(file).map_or("", |file| &file.text);
        let at = |line: usize| sources.line_span(file, line);
        if let Some(offset) = source.find(is_reserved) {
            let line = source[..offset].matches('\n').count() + 1;
            sink.push(
                Diagnostic::new(codes::TEMPLATE_SYNTAX, "the template has a character of the planes for private use (U+F0000 and above)")
                    .at(at(line), "on this line")
                    .help("remove the character; a value may have it"),
            );
            return;
        }
        if let Some((line, message)) = too_large(source) {
            sink.push(
                Diagnostic::new(codes::TEMPLATE_SYNTAX, message)
                    .at(at(line), "here")
                    .help("split it into several templates, or write it with loops and macros"),
            );
            return;
        }
        if let Some(offset) = ["\\U000f", "\\U000F", "\\U0010"]
            .iter()
            .filter_map(|escape| source.find(escape))
            .min()
        {
            let line = source[..offset].matches('\n').count() + 1;
            let message = "the template has an escape of a character of the planes for private use (U+F0000 and above)";
            sink.push(
                Diagnostic::new(codes::TEMPLATE_SYNTAX, message)
                    .at(at(line), "on this line")
                    .help("remove it; a value may have such a character"),
            );
            return;
        }
        let is_library = path.starts_with("lib/");
        let header = match header(source) {
            Some(found) => found,
            None if is_library => "",
            None => {
                sink.push(
                    Diagnostic::new(codes::BAD_HEADER, format!("the template {path} has no header"))
                        .at(at(1), "the header belongs here")
                        .help("begin with `{#-`, a line `scope: component` (or tenant, cluster, delivery, folder), and `-#}`"),
                );
                return;
            }
        };
        let mut template = Template {
            path: path.into(),
            file,
            scope: TemplateScope::Component,
            when: None,
            requires: None,
            otherwise: Otherwise::Skip,
            message: None,
            on_request: false,
            is_written: true,
            asked_by: None,
            kinds: source
                .lines()
                .filter_map(|line| line.strip_prefix("kind: "))
                .map(|kind| kind.trim_end().to_owned())
                .collect(),
            when_line: 1,
            programs: Programs::default(),
            applied: Programs::default(),
            libraries: Arc::clone(libraries),
        };
        if !is_library && !read_header(&mut template, header, sources, sink) {
            return;
        }
        let text = markers::mark_lines(source, file, &mut self.lines);
        match syntax::template(&text, path) {
            Ok(body) => {
                self.library.insert(path.into(), body.into());
                if !is_library {
                    self.templates.push(template);
                }
            }
            Err(error) => {
                let tenantry_engine::TemplateErrorKind::Syntax(detail) = error.reason else {
                    return;
                };
                sink.push(
                    Diagnostic::new(
                        codes::TEMPLATE_SYNTAX,
                        format!("the template's syntax is wrong: {detail}"),
                    )
                    .at(
                        at(error.line.unwrap_or(1)).or_else(|| at(source.lines().count())),
                        "",
                    )
                    .help("correct this line; the language is Jinja's, as minijinja has it"),
                );
            }
        }
    }
}

/// Most bytes of a template, and of one tag in it: the template language's compiler recurses.
const MAX_TEMPLATE: usize = 64 << 10;
const MAX_TAG: usize = 4 << 10;

/// The line and the message, if a template is more than its compiler can take.
fn too_large(source: &str) -> Option<(usize, String)> {
    if source.len() > MAX_TEMPLATE {
        return Some((
            1,
            format!(
                "the template has {} bytes; at most {MAX_TEMPLATE} are read",
                source.len()
            ),
        ));
    }
    let mut at = 0;
    while let Some(open) = source[at..].find(['{']).map(|open| at + open) {
        let close = match source.as_bytes().get(open + 1) {
            Some(b'{') => "}}",
            Some(b'%') => "%}",
            Some(b'#') => "#}",
            _ => {
                at = open + 1;
                continue;
            }
        };
        let end = source[open..]
            .find(close)
            .map_or(source.len(), |end| open + end);
        if end - open > MAX_TAG && close != "#}" {
            let line = source[..open].matches('\n').count() + 1;
            return Some((line, format!("the tag has more than {MAX_TAG} bytes")));
        }
        at = end;
    }
    None
}

/// The text of the header.
fn header(source: &str) -> Option<&str> {
    let start = source.find("{#")?;
    if !source[..start].trim().is_empty() {
        return None;
    }
    let end = start + source[start..].find("#}")?;
    let text = source[start + 2..end]
        .trim_start_matches('-')
        .trim_end_matches('-');
    Some(text)
}

/// The fields of a template's header.
const KEYS: [&str; 8] = [
    "scope",
    "when",
    "requires",
    "otherwise",
    "askedBy",
    "message",
    "onRequest",
    "written",
];

/// What is wrong with a header: the message, the field, and what to write.
struct HeaderProblem(String, String, String);

fn read_header(template: &mut Template, header: &str, sources: &Sources, sink: &mut Sink) -> bool {
    let source = sources.file(template.file).map_or("", |file| &file.text);
    let line_of = |key: &str| {
        let begins = format!("{key}:");
        source
            .lines()
            .position(|line| line.trim_start().starts_with(&begins))
    };
    template.when_line = line_of("when").unwrap_or(0) + 1;
    let Err(HeaderProblem(message, key, help)) = read_fields(template, header) else {
        return true;
    };
    let line = line_of(&key).map_or(1, |line| line + 1);
    let span = sources.line_span(template.file, line);
    sink.push(
        Diagnostic::new(codes::BAD_HEADER, message)
            .at(span, "")
            .help(help),
    );
    false
}

fn read_fields(template: &mut Template, header: &str) -> Result<(), HeaderProblem> {
    let parsed = parse(header, template.file);
    let map = parsed.documents.first();
    let Some(map) = map.filter(|_| parsed.problems.is_empty()) else {
        return Err(HeaderProblem(
            "the template's header is not valid YAML".to_owned(),
            String::new(),
            "write lines such as `scope: component` between `{#-` and `-#}`".to_owned(),
        ));
    };
    let value = |key: &str| map.get(key).map(|node| &node.value);
    let text = |key: &str| map.get(key).and_then(Node::as_str).map(str::to_owned);
    if let Some(entry) = map
        .entries()
        .iter()
        .find(|entry| !KEYS.contains(&&*entry.key))
    {
        let help = suggest(&entry.key, KEYS).unwrap_or_default();
        let message = format!("the template's header has an unknown field `{}`", entry.key);
        return Err(HeaderProblem(message, entry.key.to_string(), help));
    }
    let scope = text("scope").unwrap_or_default();
    match SCOPES.iter().find(|(name, _)| *name == scope) {
        Some((_, scope)) => template.scope = *scope,
        None => {
            let help = suggest(&scope, SCOPES.map(|(name, _)| name)).unwrap_or_default();
            let message = format!("the template's header has no scope that is known: `{scope}`");
            return Err(HeaderProblem(message, "scope".to_owned(), help));
        }
    }
    template.otherwise = match text("otherwise").as_deref() {
        None | Some("skip") => Otherwise::Skip,
        Some("error") => Otherwise::Error,
        Some(other) => {
            let message = format!("`otherwise` cannot be `{other}`");
            let help = "write skip or error".to_owned();
            return Err(HeaderProblem(message, "otherwise".to_owned(), help));
        }
    };
    template.when = text("when").map_or(Ok(None), |text| expression("when", &text))?;
    template.asked_by = text("askedBy").map_or(Ok(None), |text| expression("askedBy", &text))?;
    template.requires = text("requires");
    if let Some(requires) = &template.requires
        && !requires.contains('/')
        && requires != "v1"
    {
        return Err(HeaderProblem(
            format!("`requires` is not an API: `{requires}`"),
            "requires".to_owned(),
            "write group/version or group/version/Kind, such as `autoscaling/v2`".to_owned(),
        ));
    }
    template.message = text("message");
    template.on_request = matches!(value("onRequest"), Some(Value::Bool(true)));
    template.is_written = !matches!(value("written"), Some(Value::Bool(false)));
    Ok(())
}

/// An expression of a header.
fn expression(key: &str, text: &str) -> Result<Option<syntax::Expression>, HeaderProblem> {
    if text.len() > MAX_TAG {
        return Err(HeaderProblem(
            format!("`{key}` has more than {MAX_TAG} bytes"),
            key.to_owned(),
            "write a shorter expression".to_owned(),
        ));
    }
    match syntax::expression(text) {
        Ok(expression) => Ok(Some(expression)),
        Err(error) => match error.reason {
            tenantry_engine::TemplateErrorKind::Syntax(detail) => Err(HeaderProblem(
                format!("`{key}` is not an expression: {detail}"),
                key.to_owned(),
                "write an expression such as `workload.type == \"service\"`".to_owned(),
            )),
            _ => Ok(None),
        },
    }
}
