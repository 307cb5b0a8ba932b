//! What commands share: options to a compilation, findings to the terminal or to files, progress.

use std::io::{IsTerminal as _, Write as _};
use std::path::{Path, PathBuf};
use std::sync::Mutex;
use std::time::{Duration, Instant};

use anstyle::{AnsiColor, Style};
use anyhow::{Context as _, Result, anyhow, bail};
use indicatif::{ProgressBar, ProgressStyle};

use super::arguments::{Arguments, BaselineOptions, Color, ReadOptions, ReportOptions};
use tenantry::load::{self, ExtraText, Source};
use tenantry::model::API_VERSION;
use tenantry::model::instance::Unit;
use tenantry::model::kinds::Catalog;
use tenantry::policy::baseline::Baseline;
use tenantry::report::{self, Format};
use tenantry::resolve::Selection;
use tenantry::validate;
use tenantry::{Compilation, CompileOptions, Shard, Visitor};
use tenantry_engine::manifest::Rendered;
use tenantry_engine::schema::Types;
use tenantry_syntax::diagnostics::{Sink, Sources, printable};
use tenantry_syntax::yaml::parse::parse;
use tenantry_syntax::yaml::{Node, Path as ValuePath, PathStep};

/// The options of a compilation.
pub fn options(
    arguments: &Arguments,
    path: Option<&PathBuf>,
    read: &ReadOptions,
    revision: Option<&String>,
) -> Result<CompileOptions> {
    let start = path
        .or(arguments.directory.as_ref())
        .cloned()
        .unwrap_or_else(|| PathBuf::from("."));
    let root = find_root(&start)?;
    let source = match revision {
        Some(revision) => Source::Commit {
            root,
            revision: revision.clone(),
        },
        None => Source::Folder { root },
    };
    let mut extra = Vec::new();
    for file in &read.contexts {
        let text = std::fs::read_to_string(file)
            .with_context(|| format!("--context {} cannot be read", file.display()))?;
        extra.push(ExtraText {
            path: file.display().to_string(),
            text,
            typed: None,
        });
    }
    for (position, set) in read.sets.iter().enumerate() {
        extra.push(ExtraText {
            path: "--set".to_owned(),
            text: session_context(set, position)?,
            typed: Some(set.clone()),
        });
    }
    let as_of = match &read.as_of {
        Some(text) => text
            .parse()
            .map_err(|_| anyhow!("--as-of takes a day such as 2027-01-31, not `{text}`"))?,
        None => today(),
    };
    let selection = Selection {
        environments: read.environments.clone(),
        clusters: read.clusters.clone(),
        tenants: read.tenants.clone(),
        components: read.components.clone(),
        labels: read.labels.iter().map(|label| parse_label(label)).collect(),
        upgrade: None,
    };
    Ok(CompileOptions {
        source,
        extra,
        selection,
        as_of,
        shard: Shard::WHOLE,
        baseline: None,
        gives_evidence: false,
    })
}

/// The repository around a folder.
pub fn find_root(start: &Path) -> Result<PathBuf> {
    if !start.exists() {
        bail!("{} does not exist", start.display());
    }
    load::find_root(start).ok_or_else(|| {
        anyhow!("there is no tenantry.yaml in {} or in a folder above it; `tenantry init` begins a repository", start.display())
    })
}

/// `key=value`, or `key` for any value.
pub fn parse_label(label: &str) -> (String, Option<String>) {
    match label.split_once('=') {
        Some((key, value)) => (key.to_owned(), Some(value.to_owned())),
        None => (label.to_owned(), None),
    }
}

/// The document that a `--set` stands for.
fn session_context(set: &str, position: usize) -> Result<String> {
    let (path, value) = set.split_once('=').ok_or_else(|| {
        anyhow!("--set takes PATH=VALUE, such as scaling.maxReplicas=2, not `{set}`")
    })?;
    let steps = ValuePath::parse(path)
        .map_err(|why| anyhow!("--set {set}: `{path}` is not a path: {why}"))?
        .0;
    if steps.is_empty() {
        bail!("--set {set}: the path is empty");
    }
    let parsed = parse(value, 0);
    let mut json = match (parsed.documents.as_slice(), parsed.problems.is_empty()) {
        // A number where the field wants text is text: there is no way to quote twice in a shell.
        ([document], true)
            if document.as_map().is_none()
                && document.as_list().is_none()
                && wants_text(&steps) =>
        {
            serde_json::Value::from(value)
        }
        ([document], true) => document.to_json(),
        ([], true) => serde_json::Value::Null,
        _ => serde_json::Value::from(value),
    };
    for step in steps.into_iter().rev() {
        let PathStep::Key(key) = step else {
            bail!("--set {set}: items of lists are set by setting the list")
        };
        json = serde_json::Value::Object(std::iter::once((key.to_string(), json)).collect());
    }
    let document = serde_json::json!({
        "apiVersion": API_VERSION,
        "kind": "Context",
        "metadata": {"name": format!("set-{}", position + 1)},
        "spec": {"scope": {"level": "session", "name": "session"}, "values": json},
    });
    Ok(format!("{document}\n"))
}

/// Whether a field of a workload is text, and nothing else.
fn wants_text(steps: &[PathStep]) -> bool {
    let set = tenantry::model::schemas::own();
    let rule = steps
        .iter()
        .try_fold(set.rule("Workload"), |rule, step| match (rule, step) {
            (Some(rule), PathStep::Key(key)) => Some(set.follow(rule).property(key)),
            _ => None,
        });
    let types = rule.flatten().map_or(0, |rule| set.follow(rule).types.0);
    types & !Types::NULL == Types::STRING
}

/// Whether to use colours on standard output.
pub fn use_color(color: Color) -> bool {
    match color {
        Color::Always => true,
        Color::Never => false,
        Color::Auto => {
            std::io::stdout().is_terminal()
                && std::env::var_os("NO_COLOR").is_none_or(|value| value.is_empty())
        }
    }
}

/// Writes to standard output; a reader that went away is no failure.
pub fn print(text: &str) -> Result<()> {
    match std::io::stdout().write_all(text.as_bytes()) {
        Err(error) if error.kind() != std::io::ErrorKind::BrokenPipe => Err(error.into()),
        _ => Ok(()),
    }
}

/// A word in a style, if colours are used.
pub fn styled(text: &str, style: Style, color: bool) -> String {
    if color {
        format!("{style}{text}{style:#}")
    } else {
        text.to_owned()
    }
}

/// For what matters.
pub const STRONG: Style = Style::new().bold();
/// For what matters less.
pub const DIM: Style = Style::new().dimmed();
/// For names.
pub const NAME: Style = AnsiColor::Cyan.on_default();

/// For what failed.
pub const BAD: Style = AnsiColor::Red.on_default().bold();

/// Tells why the tool itself could not work.
pub fn failure(error: &anyhow::Error, color: Color) {
    let color = color == Color::Always
        || (color == Color::Auto
            && std::io::stderr().is_terminal()
            && std::env::var_os("NO_COLOR").is_none_or(|value| value.is_empty()));
    // CI obeys lines that begin with `::`, and a message may hold a file's name.
    let text = printable(&format!("{error:#}")).replace("\n::", "\n ::");
    eprintln!("{}: {text}", styled("error", BAD, color));
}

/// Writes the findings in all formats that were asked for.
pub fn findings(compilation: &Compilation, report: &ReportOptions, color: Color) -> Result<()> {
    write(report, color, |format, color| {
        if !format.takes_findings() {
            bail!(
                "findings alone cannot be written as a page or comment; `tenantry diff` writes reviews so"
            );
        }
        Ok(report::findings(
            format,
            &compilation.findings,
            &compilation.sources,
            color,
        ))
    })
}

/// Writes something in all formats that were asked for: to standard output, or to their files.
pub fn write(
    report: &ReportOptions,
    color: Color,
    text: impl Fn(Format, bool) -> Result<String>,
) -> Result<()> {
    for (format, file) in formats(&report.formats, &Format::ALL)? {
        let text = text(format, file.is_none() && use_color(color))?;
        match file {
            Some(file) => {
                std::fs::write(&file, text).with_context(|| format!("{file} cannot be written"))?;
            }
            None => print(&text)?,
        }
    }
    Ok(())
}

/// The closing line, on standard error.
pub fn close(compilation: &Compilation, report: &ReportOptions, done: &str) {
    if report.quiet {
        return;
    }
    let counts = compilation.counts;
    let environments = compilation.catalog.environments.iter().count();
    eprintln!(
        "{done} {} in {}: {}, {}. {}.",
        plural(compilation.catalog.tenants.iter().count(), "tenant"),
        plural(environments, "environment"),
        plural(counts.instances, "instance"),
        objects(compilation),
        capitalised(&report::tally(&compilation.findings)),
    );
}

/// `40 objects`, or `40 objects (2 without a schema)`.
fn objects(compilation: &Compilation) -> String {
    let objects = plural(compilation.counts.objects, "object");
    match compilation.unchecked.len() {
        0 => objects,
        count => format!("{objects} ({count} without a schema)"),
    }
}

/// Lists the objects whose fields nothing checked: on standard error, where a format for tools has standard output.
pub fn unchecked(compilation: &Compilation, report: &ReportOptions) -> Result<()> {
    let mut text = String::new();
    for one in &compilation.unchecked {
        let namespace = match one.namespace.as_str() {
            "" => String::new(),
            name => format!(" in {name}"),
        };
        let line = format!(
            "no schema: {} of {}{namespace}, on {}\n",
            one.object, one.api_version, one.cluster
        );
        text.push_str(&printable(&line));
    }
    let formats = formats(&report.formats, &Format::ALL)?;
    if formats
        .iter()
        .all(|(format, file)| *format == Format::Text || file.is_some())
    {
        return print(&text);
    }
    eprint!("{text}");
    Ok(())
}

/// `1 tenant`, `2 tenants`.
pub fn plural(count: usize, word: &str) -> String {
    match word.strip_suffix('y') {
        _ if count == 1 => format!("1 {word}"),
        Some(stem) => format!("{count} {stem}ies"),
        None => format!("{count} {word}s"),
    }
}

/// The documents of the repository around a folder, the built-in ones included; without a
/// repository, those alone. What is wrong with them is not told.
pub fn catalog(start: Option<&Path>, sources: &mut Sources) -> Result<Catalog> {
    Ok(documents(start, sources, &mut Sink::default())?.0)
}

/// The same, with what is wrong with them, and with the admission policies of Kubernetes.
pub fn documents(
    start: Option<&Path>,
    sources: &mut Sources,
    sink: &mut Sink,
) -> Result<(Catalog, Vec<Node>)> {
    let Some(root) = load::find_root(start.unwrap_or(Path::new("."))) else {
        let catalog = load::built_in_catalog(sources, |trees, specs, sources| {
            validate::run(trees, specs, sources, sink).catalog
        });
        return Ok((catalog, Vec::new()));
    };
    let mut loaded = load::run(&Source::Folder { root }, &[], None, sources, sink)?;
    load::all_built_in_policies(&mut loaded, sources);
    let (ours, others): (Vec<_>, Vec<_>) = loaded
        .documents
        .into_iter()
        .partition(|document| document.is_ours);
    let trees: Vec<Node> = ours.into_iter().map(|document| document.tree).collect();
    let catalog = validate::run(&trees, &loaded.default_specs, sources, sink).catalog;
    Ok((
        catalog,
        others.into_iter().map(|document| document.tree).collect(),
    ))
}

/// Reads a baseline; one that is to be written anew need not be there yet.
pub fn baseline(options: &BaselineOptions, may_be_missing: bool) -> Result<Option<Baseline>> {
    let Some(path) = &options.baseline else {
        return Ok(None);
    };
    if may_be_missing && !path.exists() {
        return Ok(None);
    }
    let name = path.display().to_string();
    let text = std::fs::read_to_string(path)
        .with_context(|| format!("the baseline {name} cannot be read"))?;
    let baseline = Baseline::parse(&name, &text).map_err(|why| anyhow!("{name}: {why}"))?;
    Ok(Some(baseline))
}

/// The formats that were asked for, `FORMAT` or `FORMAT=FILE`; text, if none was.
pub fn formats<F: Copy>(
    asked: &[String],
    known: &[(&'static str, F)],
) -> Result<Vec<(F, Option<String>)>> {
    let text = ["text".to_owned()];
    let asked = if asked.is_empty() { &text } else { asked };
    let mut formats = Vec::new();
    for format in asked {
        let (name, file) = match format.split_once('=') {
            Some((name, file)) => (name, Some(file.to_owned())),
            None => (format.as_str(), None),
        };
        let Some((_, format)) = known.iter().find(|(known, _)| *known == name) else {
            bail!(
                "there is no format `{name}`; write {}",
                tenantry_syntax::diagnostics::list_names(known.iter().map(|(name, _)| *name))
            );
        };
        formats.push((*format, file));
    }
    Ok(formats)
}

/// Today, in UTC.
pub fn today() -> jiff::civil::Date {
    jiff::Timestamp::now()
        .to_zoned(jiff::tz::TimeZone::UTC)
        .date()
}

fn capitalised(text: &str) -> String {
    let mut chars = text.chars();
    chars
        .next()
        .map(|first| first.to_uppercase().chain(chars).collect())
        .unwrap_or_default()
}

/// A progress bar at a terminal, once the work has taken half a second.
pub struct Progress {
    start: Instant,
    wanted: bool,
    bar: Mutex<Option<ProgressBar>>,
}

impl Progress {
    /// Begins to count.
    pub fn new(quiet: bool) -> Progress {
        Progress {
            start: Instant::now(),
            wanted: !quiet && std::io::stderr().is_terminal(),
            bar: Mutex::new(None),
        }
    }

    /// So many of so many are done.
    pub fn show(&self, done: usize, of: usize) {
        if !self.wanted || self.start.elapsed() < Duration::from_millis(500) {
            return;
        }
        let mut bar = self
            .bar
            .lock()
            .unwrap_or_else(std::sync::PoisonError::into_inner);
        let bar = bar.get_or_insert_with(|| {
            let style = ProgressStyle::with_template(
                "{bar:40.cyan/blue} {pos}/{len} tenants × clusters, {elapsed}",
            );
            ProgressBar::new(of as u64)
                .with_style(style.unwrap_or_else(|_| ProgressStyle::default_bar()))
        });
        bar.set_position(done as u64);
    }

    /// Takes the bar away.
    pub fn finish(&self) {
        if let Some(bar) = self
            .bar
            .lock()
            .unwrap_or_else(std::sync::PoisonError::into_inner)
            .take()
        {
            bar.finish_and_clear();
        }
    }
}

/// Commands that look at no unit of their own show how far the work is.
impl Visitor for Progress {
    fn unit(&self, _: &Unit, _: &[Rendered], _: &Sources) -> std::io::Result<()> {
        Ok(())
    }

    fn progress(&self, done: usize, of: usize) {
        self.show(done, of);
    }
}
