//! `tenantry impact`: what depends on a file, a line or a document.

use std::collections::{BTreeMap, BTreeSet, HashSet};
use std::fmt::Write as _;
use std::io;
use std::sync::{Arc, Mutex, PoisonError};

use anyhow::{Result, anyhow, bail};
use serde_json::json;

use super::arguments::{Arguments, ImpactCommand};
use super::present::{self, DIM, NAME, STRONG, plural, styled};
use super::{DONE, FAILED};
use crate::diagnostics::{Sources, list_names, nearest, suggest};
use crate::kubernetes::defaults::{Stored, StoredPart};
use crate::model::change::{ChangePlace, FieldPath, FieldStep};
use crate::model::field::Field;
use crate::model::instance::LayerSource;
use crate::model::instance::Unit;
use crate::model::kinds::{Catalog, KINDS, KindName};
use crate::model::manifest::Rendered;
use crate::model::view::{Shape, View};
use crate::review::inputs::decides;
use crate::review::lists;
use crate::yaml::{Node, NodeId, Value};
use crate::{Compilation, Visitor, compile, read};

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
    documents: BTreeSet<(String, String)>,
    /// Fields that may decide what runs at all.
    deciding: Vec<((String, String), FieldPath)>,
}

/// An object that depends on the target.
struct Dependent {
    environment: String,
    cluster: String,
    tenant: String,
    component: String,
    kind: String,
    name: String,
    /// The fields that hold a value of it; none if it only decided something.
    fields: Vec<String>,
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
            let of_component = ("Component".to_owned(), component.to_owned());
            let place = ChangePlace {
                environment: unit.key.environment.as_str().into(),
                cluster: unit.key.cluster.as_str().into(),
                tenant: unit.key.tenant_name().into(),
                component: component.into(),
            };
            let decides = self.target.deciding.iter().any(|(document, path)| {
                (concerns(document, unit) || *document == of_component)
                    && decides(&document.0, path, &place)
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
fn concerns((kind, name): &(String, String), unit: &Unit) -> bool {
    match KindName::parse(kind) {
        Some(KindName::Platform) => true,
        Some(KindName::Environment) => unit.key.environment == *name,
        Some(KindName::Cluster) => unit.key.cluster == *name,
        Some(KindName::Tenant) => unit.key.tenant_name() == *name,
        Some(KindName::Tier) => {
            let tier = unit.facts.tenant().map(Field::tier);
            tier.and_then(Field::as_str) == Some(name)
        }
        Some(KindName::Context) => unit.instances.iter().any(|instance| {
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

/// Runs the command.
pub fn run(command: &ImpactCommand, arguments: &Arguments) -> Result<u8> {
    let options = present::options(arguments, None, &command.read, command.at.revision.as_ref())?;
    let target = target(&command.what, &read(&options)?)?;
    let search = ImpactSearch {
        target,
        found: Mutex::default(),
    };
    let compilation = compile(&options, None, &search)?;
    let title = search.target.title.clone();
    let mut found = search
        .found
        .into_inner()
        .unwrap_or_else(PoisonError::into_inner);
    found.sort_by(|a, b| order(a).cmp(&order(b)));
    if command.json {
        present::print(&as_json(&title, &found))?;
    } else {
        present::print(&as_text(
            &title,
            &found,
            present::use_color(arguments.color),
        ))?;
    }
    if compilation.has_errors() {
        eprintln!(
            "There are findings of errors, which `tenantry check` shows; what they concern is not counted."
        );
        return Ok(FAILED);
    }
    Ok(DONE)
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
fn target(what: &str, compilation: &Compilation) -> Result<ImpactTarget> {
    let sources = &compilation.sources;
    let trees = trees(&compilation.catalog);
    let (path, line) = match what.rsplit_once(':') {
        Some((path, line)) if line.bytes().all(|b| b.is_ascii_digit()) && !line.is_empty() => {
            (path, Some(line.parse::<usize>()?))
        }
        _ => (what, None),
    };
    let path = path.strip_prefix("./").unwrap_or(path);
    if let Some(file) = sources.find(path) {
        return of_file(what, file, path, line, sources, &trees);
    }
    let (kind, name) = what.split_once('/').unwrap_or((what, ""));
    if let Some(kind) = KINDS.iter().find(|known| known.eq_ignore_ascii_case(kind)) {
        let documents: Vec<&(&str, &str, &Node)> =
            trees.iter().filter(|(known, _, _)| known == kind).collect();
        let mut target = ImpactTarget {
            title: format!("{kind}/{name}"),
            documents: BTreeSet::from([((*kind).to_owned(), name.to_owned())]),
            ..ImpactTarget::default()
        };
        for (_, known, tree) in &documents {
            if *known == name {
                note(tree, &mut target.ids);
            }
        }
        if target.ids.is_empty() {
            let known = documents.iter().map(|(_, name, _)| *name);
            let help = suggest(name, known).unwrap_or_default();
            bail!("there is no {} `{name}`; {help}", kind.to_lowercase());
        }
        return Ok(target);
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
    Err(anyhow!(
        "`{what}` is no file of the repository and no document; {help}"
    ))
}

fn of_file(
    what: &str,
    file: u32,
    path: &str,
    line: Option<usize>,
    sources: &Sources,
    trees: &[(&str, &str, &Node)],
) -> Result<ImpactTarget> {
    let text = sources.file(file).map_or("", |file| &file.text);
    let content = match line {
        Some(line) => Some(text.lines().nth(line.wrapping_sub(1)).ok_or_else(|| {
            anyhow!(
                "{path} has {}, so there is no line {line}",
                plural(text.lines().count(), "line")
            )
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
    for (kind, name, tree) in trees.iter().filter(|(_, _, tree)| tree.id.file == file) {
        match line {
            None => {
                note(tree, &mut target.ids);
                target
                    .documents
                    .insert(((*kind).to_owned(), (*name).to_owned()));
            }
            Some(line) => {
                let mut paths = Vec::new();
                let root = FieldPath::default();
                note_line(tree, line, &root, sources, &mut target.ids, &mut paths);
                let document = ((*kind).to_owned(), (*name).to_owned());
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

/// All documents: kind, name and tree.
fn trees(catalog: &Catalog) -> Vec<(&'static str, &str, &Node)> {
    let mut trees: Vec<(&'static str, &str, &Node)> = Vec::new();
    macro_rules! add {
        ($($kind:literal $list:ident)*) => {
            $(trees.extend(catalog.$list.iter().map(|one| ($kind, one.name.as_str(), &one.tree)));)*
        };
    }
    add!("Platform" platforms "Environment" environments "Cluster" clusters "Context" contexts
         "Tier" tiers "Tenant" tenants "Component" components);
    trees
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

fn as_json(title: &str, found: &[Dependent]) -> String {
    let objects: Vec<serde_json::Value> = found
        .iter()
        .map(|one| {
            json!({
                "environment": one.environment, "cluster": one.cluster, "tenant": one.tenant,
                "component": one.component, "kind": one.kind, "name": one.name, "fields": one.fields,
            })
        })
        .collect();
    let report = json!({"formatVersion": 1, "of": title, "objects": objects});
    serde_json::to_string_pretty(&report).unwrap_or_default() + "\n"
}

#[derive(Default)]
struct ImpactRow {
    kinds: BTreeSet<String>,
    objects: usize,
    tenants: BTreeMap<String, BTreeSet<String>>,
}

fn as_text(title: &str, found: &[Dependent], color: bool) -> String {
    let mut text = format!("{}\n\n", styled(title, STRONG, color));
    if found.is_empty() {
        text.push_str("  Nothing that is rendered depends on it.\n");
        return text;
    }
    let tenants: BTreeSet<&str> = found
        .iter()
        .map(|one| one.tenant.as_str())
        .filter(|name| !name.is_empty())
        .collect();
    let environments: BTreeSet<&str> = found.iter().map(|one| one.environment.as_str()).collect();
    let _ = writeln!(
        text,
        "  {} of {} in {} {} on it.\n",
        plural(found.len(), "object"),
        plural(tenants.len(), "tenant"),
        plural(environments.len(), "environment"),
        if found.len() == 1 {
            "depends"
        } else {
            "depend"
        }
    );
    let mut rows: BTreeMap<&str, ImpactRow> = BTreeMap::new();
    for one in found {
        let paths: Vec<&str> = if one.fields.is_empty() {
            vec![""]
        } else {
            one.fields.iter().map(String::as_str).collect()
        };
        for path in paths {
            let row = rows.entry(path).or_default();
            row.kinds.insert(one.kind.clone());
            row.objects += 1;
            row.tenants
                .entry(one.environment.clone())
                .or_default()
                .extend(Some(one.tenant.clone()).filter(|name| !name.is_empty()));
        }
    }
    let mut rows: Vec<(&str, ImpactRow)> = rows.into_iter().collect();
    // What only decides comes last.
    rows.sort_by_key(|(path, row)| (path.is_empty(), std::cmp::Reverse(row.objects)));
    let width = rows
        .iter()
        .map(|(path, _)| path.chars().count())
        .filter(|width| *width <= 70)
        .max()
        .unwrap_or(0);
    for (path, row) in &rows {
        let kinds: Vec<&str> = row.kinds.iter().map(String::as_str).collect();
        let kinds = match kinds.len() {
            0..=3 => kinds.join(", "),
            number => plural(number, "kind"),
        };
        let places: Vec<String> = row
            .tenants
            .iter()
            .map(|(environment, tenants)| match tenants.len() {
                0 => environment.clone(),
                1..=3 => {
                    let names: Vec<&str> = tenants.iter().map(String::as_str).collect();
                    format!("{environment} ({})", names.join(", "))
                }
                number => format!("{environment} ({})", plural(number, "tenant")),
            })
            .collect();
        let shown = if path.is_empty() {
            "(only decides)"
        } else {
            path
        };
        let gap = " ".repeat(width.saturating_sub(shown.chars().count()));
        let _ = writeln!(
            text,
            "  {}{gap}  ×{}  {}  {}",
            styled(shown, NAME, color),
            row.objects,
            kinds,
            styled(&places.join(", "), DIM, color)
        );
    }
    text
}
