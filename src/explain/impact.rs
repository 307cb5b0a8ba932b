//! What depends on a file, a line or a document.

use std::collections::{BTreeSet, HashSet};
use std::io;
use std::sync::{Arc, Mutex, PoisonError};

use crate::model::change::ChangePlace;
use crate::model::field::Field;
use crate::model::instance::{LayerSource, Unit};
use crate::model::kinds::{AnyDocument, KINDS, KindName};
use crate::review::inputs::decides;
use crate::review::lists;
use crate::{Compilation, CompileOptions, Visitor, compile, read};
use tenantry_engine::manifest::Rendered;
use tenantry_engine::view::{Shape, View};
use tenantry_kubernetes::defaults::{Stored, StoredPart};
use tenantry_kubernetes::field_path::{FieldPath, FieldStep};
use tenantry_syntax::diagnostics::{Sources, list_names, nearest, suggest};
use tenantry_syntax::yaml::{Node, NodeId, Value};

/// What depends on something.
pub struct Impact {
    /// What was asked about, for people: `tiers/gold.yaml:12`.
    pub title: String,
    /// The objects, sorted.
    pub objects: Vec<Dependent>,
    /// Whether there are findings of errors; what they concern is not counted.
    pub has_errors: bool,
}

/// The objects that depend on a file, a line of one (`tiers/gold.yaml:12`), or a document (`Tier/gold`); or what is wrong
/// with the question.
///
/// # Errors
/// The repository cannot be read.
pub fn impact(options: &CompileOptions, what: &str) -> io::Result<Result<Impact, String>> {
    let target = match target(what, &read(options)?) {
        Ok(target) => target,
        Err(problem) => return Ok(Err(problem)),
    };
    let search = ImpactSearch {
        target,
        found: Mutex::default(),
    };
    let compilation = compile(options, None, &search)?;
    let mut objects = search
        .found
        .into_inner()
        .unwrap_or_else(PoisonError::into_inner);
    objects.sort_by(|a, b| order(a).cmp(&order(b)));
    Ok(Ok(Impact {
        title: search.target.title,
        objects,
        has_errors: compilation.has_errors(),
    }))
}

/// What is asked about.
#[derive(Default)]
struct ImpactTarget {
    /// For people: `tiers/gold.yaml:12`.
    title: String,
    /// Values.
    ids: HashSet<NodeId>,
    /// A template's file, and the line if one is asked about.
    template: Option<(u32, Option<usize>)>,
    /// Documents that are asked about as a whole: kind and name.
    documents: BTreeSet<(KindName, String)>,
    /// Fields that may decide what runs at all.
    deciding: Vec<((KindName, String), FieldPath)>,
}

/// An object that depends on the target.
pub struct Dependent {
    /// The environment.
    pub environment: String,
    /// The cluster.
    pub cluster: String,
    /// The tenant; empty for none.
    pub tenant: String,
    /// The component; empty for none.
    pub component: String,
    /// The object's kind.
    pub kind: String,
    /// The object's name.
    pub name: String,
    /// The fields that hold a value of it; none if it only decided something.
    pub fields: Vec<String>,
}

struct ImpactSearch {
    target: ImpactTarget,
    found: Mutex<Vec<Dependent>>,
}

impl Visitor for ImpactSearch {
    fn unit(&self, unit: &Unit, rendered: &[Rendered], _: &Sources) -> io::Result<()> {
        let is_about = self
            .target
            .documents
            .iter()
            .any(|document| concerns(document, unit));
        let mut found = Vec::new();
        for one in rendered {
            let instance = one.instance.and_then(|at| unit.instances.get(at));
            let component = instance.map_or("", |instance| &instance.component);
            let mut fields = Vec::new();
            self.fields(unit, one.manifest.root(), "", component, &mut fields);
            let decided = one.manifest.read().iter().any(|id| {
                let inputs = unit.derivations.inputs(*id);
                inputs.iter().any(|id| self.target.ids.contains(id))
            });
            let of_component = (KindName::Component, component.to_owned());
            let place = ChangePlace {
                environment: unit.key.environment.as_str().into(),
                cluster: unit.key.cluster.as_str().into(),
                tenant: unit.key.tenant_name().into(),
                component: component.into(),
            };
            let decides = self.target.deciding.iter().any(|(document, path)| {
                (concerns(document, unit) || *document == of_component)
                    && decides(document.0.as_str(), path, &place)
            });
            let is_about = is_about || decides || self.target.documents.contains(&of_component);
            if fields.is_empty() && !decided && !is_about {
                continue;
            }
            found.push(Dependent {
                environment: unit.key.environment.clone(),
                cluster: unit.key.cluster.clone(),
                tenant: unit.key.tenant_name().to_owned(),
                component: component.to_owned(),
                kind: one.manifest.kind().into_owned(),
                name: one.manifest.name().into_owned(),
                fields,
            });
        }
        self.found
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .append(&mut found);
        Ok(())
    }
}

/// Whether a document decides about all of a unit.
fn concerns((kind, name): &(KindName, String), unit: &Unit) -> bool {
    match kind {
        KindName::Platform => true,
        KindName::Environment => unit.key.environment == *name,
        KindName::Cluster => unit.key.cluster == *name,
        KindName::Tenant => unit.key.tenant_name() == *name,
        KindName::Tier => {
            let tier = unit.facts.tenant().map(Field::tier);
            tier.and_then(Field::as_str) == Some(name)
        }
        KindName::Context => unit.instances.iter().any(|instance| {
            let mut layers = instance.layers.iter();
            layers.any(|layer| matches!(&layer.source, LayerSource::Context(_, of) if of == name))
        }),
        _ => false,
    }
}

impl ImpactSearch {
    /// The fields that hold a value of the target; the component's own name stands as `*`.
    fn fields(
        &self,
        unit: &Unit,
        view: View<'_>,
        path: &str,
        component: &str,
        found: &mut Vec<String>,
    ) {
        match view.shape() {
            Shape::Map if !view.fields().is_empty() => {
                for field in view.fields() {
                    let key = if field.key.contains(['.', '/']) {
                        format!("\"{}\"", field.key)
                    } else {
                        field.key.to_string()
                    };
                    let path = if path.is_empty() {
                        key
                    } else {
                        format!("{path}.{key}")
                    };
                    self.fields(unit, field.value, &path, component, found);
                }
            }
            Shape::List if !view.items().is_empty() => {
                for (at, item) in view.items().into_iter().enumerate() {
                    let label = match item.text_at(&["name"]) {
                        name if name.is_empty() => at.to_string(),
                        name if name == component => "*".to_owned(),
                        name => name.into_owned(),
                    };
                    self.fields(unit, item, &format!("{path}[{label}]"), component, found);
                }
            }
            _ => {
                let line = view.line();
                let printed = self.target.template.is_some_and(|(file, wanted)| {
                    // Text of several lines was written on as many of the template.
                    let more = view.text().map_or(0, |text| text.matches('\n').count());
                    let first = line.line as usize;
                    line.file == file
                        && wanted.is_none_or(|wanted| (first..=first + more).contains(&wanted))
                });
                let holds = || {
                    let ids = view.sources().into_iter();
                    ids.flat_map(|id| unit.derivations.inputs(id))
                        .any(|id| self.target.ids.contains(&id))
                };
                if printed || holds() {
                    found.push(path.to_owned());
                }
            }
        }
    }
}

fn order(one: &Dependent) -> [&str; 6] {
    [
        &one.environment,
        &one.cluster,
        &one.tenant,
        &one.component,
        &one.kind,
        &one.name,
    ]
}

/// What the argument names.
fn target(what: &str, compilation: &Compilation) -> Result<ImpactTarget, String> {
    let sources = &compilation.sources;
    let documents = compilation.catalog.all();
    let (path, line) = match what.rsplit_once(':') {
        Some((path, line)) if line.bytes().all(|b| b.is_ascii_digit()) && !line.is_empty() => {
            (path, line.parse::<usize>().ok())
        }
        _ => (what, None),
    };
    let path = path.strip_prefix("./").unwrap_or(path);
    if let Some(file) = sources.find(path) {
        return of_file(what, file, path, line, sources, &documents);
    }
    let (kind, name) = what.split_once('/').unwrap_or((what, ""));
    let mut kinds = KindName::ALL.iter();
    if let Some(kind) = kinds.find(|known| known.as_str().eq_ignore_ascii_case(kind)) {
        return of_document(*kind, name, &documents);
    }
    let known: Vec<&str> = sources.files().map(|file| file.path.as_str()).collect();
    let near_kind = nearest(kind, KINDS.iter().copied()).filter(|_| !name.is_empty());
    let near = nearest(path, known).map(str::to_owned);
    let help = match near.or_else(|| near_kind.map(|kind| format!("{kind}/{name}"))) {
        Some(near) => format!("did you mean `{near}`?"),
        None => format!(
            "write a file's path from the repository's root, or KIND/NAME with one of {}",
            list_names(KINDS.iter().copied())
        ),
    };
    Err(format!(
        "`{what}` is no file of the repository and no document; {help}"
    ))
}

fn of_document(
    kind: KindName,
    name: &str,
    documents: &[AnyDocument<'_>],
) -> Result<ImpactTarget, String> {
    let documents: Vec<&AnyDocument<'_>> =
        documents.iter().filter(|one| one.kind == kind).collect();
    let mut target = ImpactTarget {
        title: format!("{}/{name}", kind.as_str()),
        documents: BTreeSet::from([(kind, name.to_owned())]),
        ..ImpactTarget::default()
    };
    for document in documents.iter().filter(|one| one.name == name) {
        note(document.tree, &mut target.ids);
    }
    if target.ids.is_empty() {
        let known = documents.iter().map(|one| one.name);
        let help = suggest(name, known).unwrap_or_default();
        return Err(format!(
            "there is no {} `{name}`; {help}",
            kind.as_str().to_lowercase()
        ));
    }
    Ok(target)
}

fn of_file(
    what: &str,
    file: u32,
    path: &str,
    line: Option<usize>,
    sources: &Sources,
    documents: &[AnyDocument<'_>],
) -> Result<ImpactTarget, String> {
    let text = sources.file(file).map_or("", |file| &file.text);
    let content = match line {
        Some(line) => Some(text.lines().nth(line.wrapping_sub(1)).ok_or_else(|| {
            let count = text.lines().count();
            let lines = if count == 1 { "line" } else { "lines" };
            format!("{path} has {count} {lines}, so there is no line {line}")
        })?),
        None => None,
    };
    let mut target = ImpactTarget {
        title: match content {
            Some(content) => format!("{what}  {}", content.trim()),
            None => path.to_owned(),
        },
        ..ImpactTarget::default()
    };
    let below = path.strip_prefix("<builtin>/").unwrap_or(path);
    if below.starts_with("templates/") {
        target.template = Some((file, line));
        return Ok(target);
    }
    for one in documents.iter().filter(|one| one.tree.id.file == file) {
        match line {
            None => {
                note(one.tree, &mut target.ids);
                target.documents.insert((one.kind, one.name.to_owned()));
            }
            Some(line) => {
                let mut paths = Vec::new();
                let root = FieldPath::default();
                note_line(one.tree, line, &root, sources, &mut target.ids, &mut paths);
                let document = (one.kind, one.name.to_owned());
                let paths = paths.into_iter().map(|path| (document.clone(), path));
                target.deciding.extend(paths);
            }
        }
    }
    // Built-in defaults are no documents.
    if target.ids.is_empty() {
        let spans = sources.file(file).map_or(0, |file| file.spans.len());
        for index in 0..u32::try_from(spans).unwrap_or(0) {
            let id = NodeId { file, index };
            let at = sources
                .span(id)
                .map(|span| sources.position(file, span.start).line);
            if line.is_none() || at == line {
                target.ids.insert(id);
            }
        }
    }
    Ok(target)
}

/// All values of a subtree.
fn note(node: &Node, ids: &mut HashSet<NodeId>) {
    ids.insert(node.id);
    match &node.value {
        Value::Map(map) => {
            for entry in &map.entries {
                ids.insert(entry.key_id);
                note(&entry.value, ids);
            }
        }
        Value::List(items) => items.iter().for_each(|item| note(item, ids)),
        _ => {}
    }
}

/// The values that stand on a line, and those below a key that stands on it, with their paths.
fn note_line(
    node: &Node,
    line: usize,
    path: &FieldPath,
    sources: &Sources,
    ids: &mut HashSet<NodeId>,
    paths: &mut Vec<FieldPath>,
) {
    let is_here = |id: NodeId| {
        let span = sources.span(id);
        span.is_some_and(|span| sources.position(span.file, span.start).line == line)
    };
    match &node.value {
        Value::Map(map) => {
            for entry in &map.entries {
                let path = path.joined(FieldStep::Key(Arc::clone(&entry.key)));
                if is_here(entry.key_id) {
                    ids.insert(entry.key_id);
                    note(&entry.value, ids);
                    paths.push(path);
                } else {
                    note_line(&entry.value, line, &path, sources, ids, paths);
                }
            }
        }
        Value::List(items) => {
            let keys = lists::of_document(path).keys;
            for (at, item) in items.iter().enumerate() {
                let stored = Stored::written(StoredPart::unknown(View::of(item)));
                let label = lists::label(&stored, keys).unwrap_or_else(|| at.to_string());
                let path = path.joined(FieldStep::Item(label.into()));
                let scalar = item.as_map().is_none() && item.as_list().is_none();
                if scalar && is_here(item.id) {
                    ids.insert(item.id);
                    paths.push(path);
                } else {
                    note_line(item, line, &path, sources, ids, paths);
                }
            }
        }
        _ => {}
    }
}
