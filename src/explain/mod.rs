//! Answers about what was rendered: why a field is what it is, why an object is not there. What a command, an editor or a
//! test asks is a function here; how an answer is shown is for them.

pub mod absent;
pub mod impact;
pub mod why;

use serde::Serialize;

use crate::model::instance::{Layer, Unit};
use tenantry_engine::manifest::TemplateLine;
use tenantry_engine::view::{Shape, View};
use tenantry_engine::writer;
use tenantry_syntax::diagnostics::Sources;
use tenantry_syntax::yaml::{Node, NodeId, Value, merge};

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
    /// The layer that it belongs to.
    pub layer: String,
    /// `tiers/gold.yaml:12`.
    pub place: String,
    /// The value.
    pub value: String,
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
        origin: &tenantry_engine::origin::ValueOrigin,
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
        let mut of_layers = self.layers.iter().rev();
        let found = of_layers.find_map(|layer| merge::find(&layer.values, id));
        found.map(|path| path.to_string())
    }

    fn text(&self, span: tenantry_syntax::diagnostics::Span) -> String {
        let line = self.sources.position(span.file, span.start).line;
        let whole = self.sources.line_span(span.file, line).unwrap_or(span);
        let text = self.sources.file(whole.file).map_or("", |file| &file.text);
        tenantry_syntax::diagnostics::printable(
            text.get(whole.start as usize..whole.end as usize)
                .unwrap_or_default(),
        )
    }

    /// The line of a value, and what it overrides.
    pub fn set_by(&self, id: NodeId) -> Option<InputLine> {
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
            let of_instances = self.unit.instances.iter().flat_map(|one| &one.patches);
            let mut patches = self.unit.patches.iter().chain(of_instances);
            let patch = patches.find(|one| merge::find(&one.patch, id).is_some());
            return Some(InputLine {
                layer: patch.map(|one| format!("patch of {}", one.source)),
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
