//! `tenantry why`: where a value came from, what it overrode, which template line printed it.

use std::fmt::Write as _;
use std::io;
use std::sync::Mutex;

use anyhow::{Result, anyhow, bail};
use serde::Serialize;

use super::arguments::{Arguments, WhyCommand};
use super::present::{self, DIM, NAME, STRONG, plural, styled};
use super::{DONE, FAILED, absent};
use crate::diagnostics::Sources;
use crate::engine;
use crate::model::instance::{Layer, Unit};
use crate::model::manifest::{Rendered, TemplateLine};
use crate::model::view::{Shape, View};
use crate::yaml::{Node, NodeId, Path, Value, merge, writer};
use crate::{Visitor, compile};

/// Most objects that are kept while it is not clear which one is meant.
const MOST: usize = 50;

/// Why an object is what it is.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Explanation {
    object: String,
    fields: Vec<FieldOrigin>,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct FieldOrigin {
    path: String,
    value: String,
    set_by: Vec<InputLine>,
    /// What decided that it is this, and that it is here.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    decided_by: Vec<InputLine>,
    /// What decided by not being set.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    not_set: Vec<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    printed_by: Option<InputLine>,
}

/// A line of the input.
#[derive(PartialEq, Eq, Serialize, Default)]
#[serde(rename_all = "camelCase")]
pub struct InputLine {
    /// The layer of values that it belongs to.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub layer: Option<String>,
    /// `tenants/globex.yaml:12`.
    pub place: String,
    /// The line.
    pub text: String,
    /// What it overrides.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub overrides: Vec<Overridden>,
}

/// A value that a higher layer overrides.
#[derive(PartialEq, Eq, Serialize)]
pub struct Overridden {
    layer: String,
    place: String,
    value: String,
}

struct WhySearch {
    wanted: Vec<String>,
    field: Option<Path>,
    found: Mutex<Vec<(String, Explanation)>>,
}

impl Visitor for WhySearch {
    fn unit(&self, unit: &Unit, rendered: &[Rendered], sources: &Sources) -> io::Result<()> {
        for one in rendered {
            let parts = address(unit, one);
            if !matches(&self.wanted, &parts) {
                continue;
            }
            let name = parts.join("/");
            let mut found = self
                .found
                .lock()
                .unwrap_or_else(std::sync::PoisonError::into_inner);
            if found.len() < MOST {
                let explanation = explain(&name, unit, one, self.field.as_ref(), sources);
                found.push((name, explanation));
            }
        }
        Ok(())
    }
}

/// `production/eu-1/globex/ingest/Deployment/ingest`, in parts.
fn address(unit: &Unit, one: &Rendered) -> Vec<String> {
    let key = &unit.key;
    let component = one
        .instance
        .and_then(|at| unit.instances.get(at))
        .map(|instance| instance.component.clone());
    let mut parts = vec![key.environment.clone(), key.cluster.clone()];
    parts.extend((key.tenant().is_some()).then(|| key.tenant_name().to_owned()));
    parts.extend(component);
    parts.push(one.manifest.kind().into_owned());
    parts.push(one.manifest.name().into_owned());
    parts
}

/// Whether the wanted parts come in this order; of names, the end is enough: `ingest` for
/// `data-processing-globex-ingest`.
fn matches(wanted: &[String], parts: &[String]) -> bool {
    let mut parts = parts.iter();
    wanted.iter().all(|wanted| {
        parts.any(|part| {
            let rest = part
                .len()
                .checked_sub(wanted.len())
                .and_then(|at| part.split_at_checked(at));
            rest.is_some_and(|(before, end)| {
                end.eq_ignore_ascii_case(wanted) && (before.is_empty() || before.ends_with('-'))
            })
        })
    })
}

/// Runs the command.
pub fn run(command: &WhyCommand, arguments: &Arguments) -> Result<u8> {
    if command.absent {
        return absent::run(command, arguments);
    }
    let options = present::options(arguments, None, &command.read, command.at.revision.as_ref())?;
    let field = command
        .field
        .as_deref()
        .map(Path::parse)
        .transpose()
        .map_err(|why| {
            anyhow!(
                "`{}` is not a field: {why}",
                command.field.as_deref().unwrap_or_default()
            )
        })?;
    let search = WhySearch {
        wanted: command
            .object
            .split('/')
            .filter(|part| !part.is_empty())
            .map(str::to_owned)
            .collect(),
        field,
        found: Mutex::default(),
    };
    let compilation = compile(&options, None, &search)?;
    let mut found = search
        .found
        .into_inner()
        .unwrap_or_else(std::sync::PoisonError::into_inner);
    found.sort_by(|a, b| a.0.cmp(&b.0));
    let color = present::use_color(arguments.color);
    match found.as_slice() {
        [] => {
            let broken = if compilation.has_errors() {
                " There are findings of errors, which `tenantry check` shows; what they concern was not rendered."
            } else {
                ""
            };
            bail!(
                "no object matches `{}`. Write parts of environment/cluster/tenant/component/Kind/name, in this order.{broken}",
                command.object
            );
        }
        [(_, explanation)] => {
            if explanation.fields.is_empty() {
                bail!(
                    "{} has no field `{}`",
                    explanation.object,
                    command.field.as_deref().unwrap_or_default()
                );
            }
            if command.json {
                present::print(
                    &(serde_json::to_string_pretty(
                        &serde_json::json!({"formatVersion": 1, "why": explanation}),
                    )? + "\n"),
                )?;
            } else if command.field.is_some() && explanation.fields.len() == 1 {
                present::print(&detail(explanation, color))?;
            } else {
                present::print(&overview(explanation, color))?;
            }
            Ok(DONE)
        }
        several => {
            let list: String = several
                .iter()
                .map(|(name, _)| format!("  {name}\n"))
                .collect();
            let more = if several.len() == MOST {
                " or more"
            } else {
                ""
            };
            eprintln!(
                "{}{more} match `{}`. Which one?\n{list}",
                plural(several.len(), "object"),
                command.object
            );
            Ok(FAILED)
        }
    }
}

fn explain(
    name: &str,
    unit: &Unit,
    one: &Rendered,
    field: Option<&Path>,
    sources: &Sources,
) -> Explanation {
    let root = one.manifest.root();
    let mut fields = Vec::new();
    let layers = one
        .instance
        .and_then(|at| unit.instances.get(at))
        .map_or(&[][..], |instance| &instance.layers);
    let explainer = Explainer {
        unit,
        layers,
        sources,
    };
    match field {
        None => explainer.leaves(root, &Path::default(), &mut fields),
        Some(path) => {
            if let Some(view) = root.at_path(path) {
                match view.shape() {
                    Shape::Map | Shape::List if view.sources().is_empty() => {
                        explainer.leaves(view, path, &mut fields);
                    }
                    _ => fields.push(explainer.origin(view, path)),
                }
            }
        }
    }
    Explanation {
        object: name.to_owned(),
        fields,
    }
}

/// Says where values of a unit come from.
pub struct Explainer<'a> {
    /// The unit.
    pub unit: &'a Unit,
    /// The layers of its component's values.
    pub layers: &'a [Layer],
    /// All files.
    pub sources: &'a Sources,
}

impl Explainer<'_> {
    fn leaves(&self, view: View<'_>, path: &Path, fields: &mut Vec<FieldOrigin>) {
        match view.shape() {
            Shape::Map if !view.fields().is_empty() => {
                for field in view.fields() {
                    self.leaves(field.value, &path.join(&*field.key), fields);
                }
            }
            Shape::List if !view.items().is_empty() => {
                for (index, item) in view.items().into_iter().enumerate() {
                    self.leaves(
                        item,
                        &path.join(crate::yaml::PathStep::Index(index)),
                        fields,
                    );
                }
            }
            _ => fields.push(self.origin(view, path)),
        }
    }

    fn origin(&self, view: View<'_>, path: &Path) -> FieldOrigin {
        let provenance = self.unit.provenance();
        let origin = provenance.origin(view, self.sources);
        // Of a map or list that a template wrote, its parts say what they were made of.
        let values = provenance.inputs(view.sources());
        let mut set_by: Vec<InputLine> = Vec::new();
        for line in values.into_iter().filter_map(|id| self.set_by(id)) {
            // A list and its first item stand on one line, and so do a name and its value.
            if !set_by.contains(&line) {
                set_by.push(line);
            }
        }
        let (decided_by, not_set) = self.decided(&origin, false);
        FieldOrigin {
            path: path.to_string(),
            value: one_line(view),
            set_by,
            decided_by,
            not_set,
            printed_by: self.printed(view.line()),
        }
    }

    /// The line of a template.
    pub fn printed(&self, line: TemplateLine) -> Option<InputLine> {
        let span = self.sources.line_span(line.file, line.line as usize)?;
        Some(InputLine {
            place: format!("{}:{}", self.sources.path(span.file), line.line),
            text: self.text(span),
            ..InputLine::default()
        })
    }

    /// What decided, by line, and what decided by not being set; with the values that something was made of, if those
    /// decided, too.
    pub fn decided(
        &self,
        origin: &engine::origin::ValueOrigin,
        with_values: bool,
    ) -> (Vec<InputLine>, Vec<String>) {
        let provenance = self.unit.provenance();
        let origin = provenance.complete(origin.clone(), self.sources);
        let values = origin.values.iter().filter(|_| with_values);
        let mut decided: Vec<InputLine> = Vec::new();
        for id in values.chain(&origin.decisions) {
            let Some(mut line) = self.set_by(*id) else {
                continue;
            };
            line.overrides.clear();
            if decided.iter().all(|known| known.place != line.place) {
                decided.push(line);
            }
        }
        let absent = origin.absent.iter().map(|(id, key)| match self.path(*id) {
            Some(path) if path.is_empty() => format!("`{key}`"),
            Some(path) => format!("`{path}.{key}`"),
            None => format!("`{key}`"),
        });
        (decided, absent.collect())
    }

    /// The path of a value in the variables that templates see.
    fn path(&self, id: NodeId) -> Option<String> {
        let of_layers = self.layers.iter().rev();
        let mut of_layers = of_layers;
        let found = of_layers.find_map(|layer| merge::find(&layer.values, id));
        found.map(|path| path.to_string())
    }

    fn text(&self, span: crate::diagnostics::Span) -> String {
        let line = self.sources.position(span.file, span.start).line;
        let whole = self.sources.line_span(span.file, line).unwrap_or(span);
        let text = self.sources.file(whole.file).map_or("", |file| &file.text);
        crate::diagnostics::printable(
            text.get(whole.start as usize..whole.end as usize)
                .unwrap_or_default(),
        )
    }

    fn set_by(&self, id: NodeId) -> Option<InputLine> {
        let span = self.sources.span(id)?;
        let place = self.sources.place(id)?;
        let text = self.text(span);
        let layer = self
            .layers
            .iter()
            .enumerate()
            .rev()
            .find_map(|(at, layer)| Some((at, layer, merge::find(&layer.values, id)?)));
        let Some((at, layer, path)) = layer else {
            return Some(InputLine {
                layer: None,
                place,
                text,
                overrides: Vec::new(),
            });
        };
        let overrides = self.layers[..at]
            .iter()
            .rev()
            .filter_map(|lower| {
                let node = merge::lookup(&lower.values, &path.0)?;
                let above = merge::lookup(&layer.values, &path.0)?;
                (!merge::is_merged(node, above)).then_some(())?;
                Some(Overridden {
                    layer: lower.source.to_string(),
                    place: self.sources.place(node.id)?,
                    value: one_line_node(node),
                })
            })
            .collect();
        Some(InputLine {
            layer: Some(layer.source.to_string()),
            place,
            text,
            overrides,
        })
    }
}

fn one_line(view: View<'_>) -> String {
    match view.shape() {
        Shape::Map | Shape::List => view.to_json().to_string(),
        _ => {
            let mut text = String::new();
            writer::write_document(view, &mut text);
            shortened(text.trim_end())
        }
    }
}

fn one_line_node(node: &Node) -> String {
    match &node.value {
        Value::Null => "null (removed)".to_owned(),
        _ => one_line(View::of(node)),
    }
}

fn shortened(text: &str) -> String {
    let line = text.replace('\n', "⏎");
    if line.chars().count() > 100 {
        line.chars().take(99).chain(['…']).collect()
    } else {
        line
    }
}

/// One field, with all that is known of it.
fn detail(explanation: &Explanation, color: bool) -> String {
    let mut text = format!("{}\n", styled(&explanation.object, DIM, color));
    for field in &explanation.fields {
        let _ = writeln!(
            text,
            "{} = {}\n",
            styled(&field.path, STRONG, color),
            styled(&field.value, NAME, color)
        );
        let mut rows: Vec<[String; 4]> = Vec::new();
        let mut row = |what: &str, layer: &str, place: &str, text: &str| {
            rows.push([
                what.to_owned(),
                layer.to_owned(),
                place.to_owned(),
                text.to_owned(),
            ]);
        };
        if field.set_by.is_empty() {
            row("set by", "the template itself", "", "");
        }
        for origin in &field.set_by {
            row(
                "set by",
                origin.layer.as_deref().unwrap_or_default(),
                &origin.place,
                &origin.text,
            );
            for below in &origin.overrides {
                row("overrides", &below.layer, &below.place, &below.value);
            }
        }
        for origin in &field.decided_by {
            row(
                "decided by",
                origin.layer.as_deref().unwrap_or_default(),
                &origin.place,
                &origin.text,
            );
        }
        for what in &field.not_set {
            row("decided by", "not set", "", what);
        }
        if let Some(printed) = &field.printed_by {
            row("printed by", "template", &printed.place, &printed.text);
        }
        let width = |column: usize| {
            rows.iter()
                .map(|row| row[column].chars().count())
                .max()
                .unwrap_or(0)
        };
        let widths = [width(0), width(1), width(2)];
        let pad = |text: &str, width: usize| {
            format!(
                "{text}{}",
                " ".repeat(width.saturating_sub(text.chars().count()))
            )
        };
        for [what, layer, place, content] in &rows {
            let line = format!(
                "  {}  {}  {}  {content}",
                styled(&pad(what, widths[0]), DIM, color),
                pad(layer, widths[1]),
                styled(&pad(place, widths[2]), NAME, color),
            );
            let _ = writeln!(text, "{}", line.trim_end());
        }
    }
    text
}

/// All fields of an object, one a line.
fn overview(explanation: &Explanation, color: bool) -> String {
    let mut text = format!("{}\n", styled(&explanation.object, STRONG, color));
    let rows: Vec<(String, String)> = explanation
        .fields
        .iter()
        .map(|field| {
            let value = format!("{} = {}", field.path, field.value);
            let origin = match (field.set_by.as_slice(), &field.printed_by) {
                ([], Some(printed)) => format!("{} (template)", printed.place),
                ([], None) => String::new(),
                (origins, _) => {
                    let list: Vec<String> = origins
                        .iter()
                        .map(|origin| match &origin.layer {
                            Some(layer) => format!("{} ({layer})", origin.place),
                            None => origin.place.clone(),
                        })
                        .collect();
                    let mut list = list;
                    list.dedup();
                    list.join(", ")
                }
            };
            (value, origin)
        })
        .collect();
    let width = rows
        .iter()
        .map(|(value, _)| value.chars().count())
        .filter(|width| *width <= 90)
        .max()
        .unwrap_or(0);
    for (value, origin) in rows {
        let gap = " ".repeat(width.saturating_sub(value.chars().count()));
        let _ = writeln!(text, "  {value}{gap}  {}", styled(&origin, DIM, color));
    }
    text
}
