//! Why an object is what it is.

use std::io;
use std::sync::{Mutex, PoisonError};

use serde::Serialize;

use super::{Explainer, InputLine, one_line};
use crate::model::instance::Unit;
use crate::{CompileOptions, Visitor, compile};
use tenantry_engine::manifest::Rendered;
use tenantry_engine::view::{Shape, View};
use tenantry_syntax::diagnostics::Sources;
use tenantry_syntax::yaml::{Path, PathStep};

/// Most objects that are kept while it is not clear which one is meant.
pub const MOST: usize = 50;

/// Why an object is what it is.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Explanation {
    /// The object: `production/eu-1/globex/ingest/Deployment/ingest`.
    pub object: String,
    /// Its fields, or the one that was asked about; none if there is no such field.
    pub fields: Vec<FieldOrigin>,
}

/// Where a field comes from.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
pub struct FieldOrigin {
    /// The field: `spec.replicas`.
    pub path: String,
    /// Its value, on one line.
    pub value: String,
    /// The values that it is made of.
    pub set_by: Vec<InputLine>,
    /// What decided that it is this, and that it is here.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub decided_by: Vec<InputLine>,
    /// What decided by not being set.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub not_set: Vec<String>,
    /// The line of the template that printed it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub printed_by: Option<InputLine>,
    /// What a patch replaced.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub replaces: Option<Box<FieldOrigin>>,
}

/// The objects that match a question.
pub struct Answer {
    /// Each with what is known of it, sorted by name; [`MOST`] at most.
    pub found: Vec<Explanation>,
    /// Whether there are findings of errors, so that objects may be missing.
    pub has_errors: bool,
}

/// Explains the objects that match: `wanted` are parts of environment, cluster, tenant, component, kind and name, in this
/// order; of names, the end is enough. All fields, or one of them.
///
/// # Errors
/// The repository cannot be read.
pub fn why(
    options: &CompileOptions,
    wanted: Vec<String>,
    field: Option<Path>,
) -> io::Result<Answer> {
    let search = WhySearch {
        wanted,
        field,
        found: Mutex::default(),
    };
    let compilation = compile(options, None, &search)?;
    let mut found = search
        .found
        .into_inner()
        .unwrap_or_else(PoisonError::into_inner);
    found.sort_by(|a, b| a.object.cmp(&b.object));
    Ok(Answer {
        found,
        has_errors: compilation.has_errors(),
    })
}

struct WhySearch {
    wanted: Vec<String>,
    field: Option<Path>,
    found: Mutex<Vec<Explanation>>,
}

impl Visitor for WhySearch {
    fn unit(&self, unit: &Unit, rendered: &[Rendered], sources: &Sources) -> io::Result<()> {
        for one in rendered {
            let parts = address(unit, one);
            if !matches(&self.wanted, &parts) {
                continue;
            }
            let name = parts.join("/");
            let mut found = self.found.lock().unwrap_or_else(PoisonError::into_inner);
            if found.len() < MOST {
                let explanation = explain(&name, unit, one, self.field.as_ref(), sources);
                found.push(explanation);
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
    if let Some(before) = &one.unpatched {
        for field in &mut fields {
            let path = Path::parse(&field.path).ok();
            let path = path.and_then(|path| by_name(root, &path));
            let was = path.and_then(|path| Some((before.root().at_path(&path)?, path)));
            let was = was.map(|(view, path)| explainer.origin(view, &path));
            field.replaces = was.filter(|was| was.value != field.value).map(Box::new);
        }
    }
    Explanation {
        object: name.to_owned(),
        fields,
    }
}

/// A path with items by their names: a patch moves them. Nothing if an item has none.
fn by_name(root: View<'_>, path: &Path) -> Option<Path> {
    let (mut view, mut named) = (root, Path::default());
    for step in &path.0 {
        view = view.at_path(&Path(vec![step.clone()]))?;
        named = match step {
            PathStep::Key(_) => named.join(step.clone()),
            PathStep::Index(_) => {
                let name = view.text_at(&["name"]);
                (!name.is_empty()).then(|| named.join(&*name))?
            }
        };
    }
    Some(named)
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
                    self.leaves(item, &path.join(PathStep::Index(index)), fields);
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
            replaces: None,
        }
    }
}
