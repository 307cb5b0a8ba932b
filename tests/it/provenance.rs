//! What `why` names is what moves a field: one scalar of the input is changed at a time, and what changed in the output must
//! name its line, as a value or as a decision; and what names a line must be moved by a change of it.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::io;
use std::path::Path;
use std::sync::Mutex;

use serde_json::Value as Json;
use tenantry::diagnostics::Sources;
use tenantry::engine::manifest::Rendered;
use tenantry::engine::view::{Shape, View};
use tenantry::model::instance::Unit;
use tenantry::yaml::parse::parse;
use tenantry::yaml::{Node, NodeId, Value};
use tenantry::{Visitor, compile};

use crate::support::{copy_folder, options, repository_path};

/// A line of a file.
type Line = (String, usize);
/// A value of a file: its line, and where it begins and ends.
type Spot = (Line, usize, usize);
/// An object, and a field of it.
type Field = (String, String);

/// What a compilation gave: the value of each field, and the values that `why` names for it.
#[derive(Default)]
struct Fields {
    values: BTreeMap<Field, String>,
    spots: BTreeMap<Field, BTreeSet<Spot>>,
}

/// Collects the fields of all objects; lines only of those that differ from the base.
struct Collect<'b> {
    base: Option<&'b Fields>,
    found: Mutex<Fields>,
}

impl Visitor for Collect<'_> {
    fn unit(&self, unit: &Unit, rendered: &[Rendered], sources: &Sources) -> io::Result<()> {
        let mut found = Fields::default();
        for one in rendered {
            let key = &unit.key;
            let manifest = &one.manifest;
            let object = format!(
                "{}/{}/{} {} {}/{} {}",
                key.environment,
                key.cluster,
                key.tenant_name(),
                manifest.kind(),
                manifest.namespace(),
                manifest.name(),
                one.template
            );
            let mut fields = Vec::new();
            leaves(manifest.root(), "", &[], &[], &mut fields);
            for leaf in fields {
                let field = (object.clone(), leaf.path);
                let value = leaf.views[0].to_json().to_string();
                if self
                    .base
                    .is_none_or(|base| base.values.get(&field) != Some(&value))
                {
                    let views = leaf.views.iter().chain(&leaf.names);
                    let mut spots: BTreeSet<Spot> =
                        views.flat_map(|view| named(unit, *view, sources)).collect();
                    spots.extend(of_ids(unit.provenance().inputs(leaf.keys), sources));
                    found.spots.insert(field.clone(), spots);
                }
                found.values.insert(field, value);
            }
        }
        let mut all = self.found.lock().unwrap();
        all.values.append(&mut found.values);
        all.spots.append(&mut found.spots);
        Ok(())
    }
}

/// A place in an object: its path, its views, and what its path is made of: keys, and the names of items.
struct Leaf<'v> {
    path: String,
    views: Vec<View<'v>>,
    keys: Vec<NodeId>,
    names: Vec<View<'v>>,
}

/// The fields of an object. Items of lists are known by their name; a list of others is one field.
fn leaves<'v>(
    view: View<'v>,
    path: &str,
    keys: &[NodeId],
    names: &[View<'v>],
    found: &mut Vec<Leaf<'v>>,
) {
    let mut leaf = |views, keys: &[NodeId]| {
        found.push(Leaf {
            path: path.to_owned(),
            views,
            keys: keys.to_vec(),
            names: names.to_vec(),
        });
    };
    match view.shape() {
        Shape::Map if !view.fields().is_empty() => {
            for field in view.fields() {
                let keys: Vec<NodeId> = keys.iter().copied().chain([field.key_id]).collect();
                leaves(
                    field.value,
                    &format!("{path}.{}", field.key),
                    &keys,
                    names,
                    found,
                );
            }
        }
        Shape::List if !view.items().is_empty() => {
            let labels: BTreeSet<String> = view
                .items()
                .iter()
                .map(|item| item.text_at(&["name"]).into_owned())
                .collect();
            if labels.len() == view.items().len() && !labels.contains("") {
                for item in view.items() {
                    let name = item.get("name");
                    let names: Vec<View<'v>> = names.iter().copied().chain(name).collect();
                    leaves(
                        item,
                        &format!("{path}[{}]", item.text_at(&["name"])),
                        keys,
                        &names,
                        found,
                    );
                }
            } else {
                let (mut views, mut keys) = (vec![view], keys.to_vec());
                parts(view, &mut views, &mut keys);
                leaf(views, &keys);
            }
        }
        _ => leaf(vec![view], keys),
    }
}

fn parts<'v>(view: View<'v>, views: &mut Vec<View<'v>>, keys: &mut Vec<NodeId>) {
    let below: Vec<View<'v>> = match view.shape() {
        Shape::Map => {
            keys.extend(view.fields().iter().map(|field| field.key_id));
            view.fields().into_iter().map(|field| field.value).collect()
        }
        Shape::List => view.items(),
        _ => return,
    };
    for view in below {
        views.push(view);
        parts(view, views, keys);
    }
}

/// The lines that `why` names for a value.
fn named(unit: &Unit, view: View<'_>, sources: &Sources) -> Vec<Spot> {
    let origin = unit.provenance().origin(view, sources);
    of_ids(origin.values.into_iter().chain(origin.decisions), sources)
}

fn of_ids(ids: impl IntoIterator<Item = NodeId>, sources: &Sources) -> Vec<Spot> {
    let spot = |id: NodeId| {
        let span = sources.span(id)?;
        (!sources.is_built_in(id.file)).then(|| {
            let line = sources.line(id.file, span.start);
            let line = (sources.path(id.file).to_owned(), line);
            (line, span.start as usize, span.end as usize)
        })
    };
    ids.into_iter().filter_map(spot).collect()
}

/// What a folder compiles to; nothing if something is wrong.
fn fields(root: &Path, base: Option<&Fields>) -> Option<Fields> {
    let collect = Collect {
        base,
        found: Mutex::default(),
    };
    let compilation = compile(&options(root), None, &collect).unwrap();
    let found = collect.found.into_inner().unwrap();
    (!compilation.has_errors()).then_some(found)
}

/// A scalar of a file.
pub struct Scalar {
    pub file: String,
    pub start: usize,
    pub end: usize,
    pub line: usize,
    pub text: String,
}

/// All scalars of the documents of a folder.
pub fn scalars(root: &Path) -> Vec<Scalar> {
    fn of(node: &Node, found: &mut Vec<NodeId>) {
        match &node.value {
            Value::Map(map) => map.entries.iter().for_each(|entry| of(&entry.value, found)),
            Value::List(items) => items.iter().for_each(|item| of(item, found)),
            _ => found.push(node.id),
        }
    }
    let mut all = Vec::new();
    for (file, bytes) in crate::support::files_below(root) {
        if !file.ends_with(".yaml") || file.starts_with("templates/") {
            continue;
        }
        let text = String::from_utf8(bytes).unwrap();
        let parsed = parse(&text, 0);
        let mut ids = Vec::new();
        let is_ours = |document: &&Node| {
            let version = document.get("apiVersion").and_then(Node::as_str);
            version.is_some_and(|version| version.starts_with("tenantry"))
        };
        let documents = parsed.documents.iter().filter(is_ours);
        documents.for_each(|document| of(document, &mut ids));
        for id in ids {
            let (start, end) = parsed.spans[id.index as usize];
            let (start, end) = (start as usize, end as usize);
            all.push(Scalar {
                line: text[..start].matches('\n').count() + 1,
                text: text[start..end].to_owned(),
                file: file.clone(),
                start,
                end,
            });
        }
    }
    all
}

/// Lists of words of which a field takes one.
pub fn choices(root: &Path) -> Vec<BTreeSet<String>> {
    fn of(json: &Json, found: &mut Vec<BTreeSet<String>>) {
        let words = |list: &Json, key: Option<&str>| -> BTreeSet<String> {
            let list = list.as_array().into_iter().flatten();
            list.filter_map(|item| {
                key.map_or(Some(item), |key| item.get(key))?
                    .as_str()
                    .map(str::to_owned)
            })
            .collect()
        };
        match json {
            Json::Object(map) => {
                found.push(words(&json["enum"], None));
                found.push(words(&json["oneOf"], Some("const")));
                map.values().for_each(|value| of(value, found));
            }
            Json::Array(items) => items.iter().for_each(|item| of(item, found)),
            _ => {}
        }
    }
    let mut found = Vec::new();
    for (name, bytes) in crate::support::files_below(&repository_path("schemas")) {
        if name.ends_with(".json") && !name.starts_with("kubernetes") {
            of(&serde_json::from_slice(&bytes).unwrap(), &mut found);
        }
    }
    // Names of documents of a kind.
    let mut names: BTreeMap<String, BTreeSet<String>> = BTreeMap::new();
    for (file, bytes) in crate::support::files_below(root) {
        if file.ends_with(".yaml") && !file.starts_with("templates/") {
            for document in parse(&String::from_utf8(bytes).unwrap(), 0).documents {
                let text = |keys: &[&str]| {
                    document
                        .at(keys)
                        .and_then(Node::as_str)
                        .unwrap_or_default()
                        .to_owned()
                };
                names
                    .entry(text(&["kind"]))
                    .or_default()
                    .insert(text(&["metadata", "name"]));
            }
        }
    }
    found.extend(names.into_values());
    found.retain(|words| words.len() > 1);
    found
}

/// The changes of a scalar that may be valid, by its form.
pub fn changes(text: &str, choices: &[BTreeSet<String>]) -> BTreeSet<String> {
    let mut changed = BTreeSet::new();
    let plain = text.trim_matches(['"', '\'']);
    match plain {
        "true" => drop(changed.insert("false".to_owned())),
        "false" => drop(changed.insert("true".to_owned())),
        _ => {}
    }
    let digits = plain
        .find(|c: char| !c.is_ascii_digit())
        .unwrap_or(plain.len());
    let (number, unit) = plain.split_at(digits);
    if let Ok(number) = number.parse::<u64>()
        && unit.chars().all(char::is_alphanumeric)
    {
        for other in [
            number + 1,
            number.saturating_sub(1),
            number * 2,
            number / 2,
            1,
            0,
        ] {
            changed.insert(format!("{other}{unit}"));
        }
    }
    for words in choices.iter().filter(|words| words.contains(plain)) {
        changed.extend(words.iter().cloned());
    }
    if let Some((before, last)) = plain.rsplit_once('.')
        && let Ok(number) = last.parse::<u64>()
    {
        changed.insert(format!("{before}.{}", number + 1));
    }
    if plain.parse::<jiff::civil::Date>().is_ok() {
        changed.insert("2031-01-31".to_owned());
        changed.insert("2021-01-31".to_owned());
    }
    if plain.chars().any(char::is_alphabetic) && !matches!(plain, "true" | "false" | "null") {
        changed.insert(format!("{plain}x"));
    }
    changed.remove(plain);
    changed
}

/// What was found wrong, and how much was looked at.
#[derive(Default, Debug)]
struct Told {
    scalars: usize,
    valid: usize,
    invalid: usize,
    moved: usize,
    /// A change, and a field that it moved and that does not name it.
    unnamed: Vec<String>,
}

/// Changes each of some scalars of a repository, and looks whether what moves names it; gives also which fields each
/// scalar moved.
fn judge(
    root: &Path,
    base: &Fields,
    every: usize,
) -> (Told, BTreeMap<(String, usize), BTreeSet<Field>>) {
    let choices = choices(root);
    let mut told = Told::default();
    let mut moved: BTreeMap<(String, usize), BTreeSet<Field>> = BTreeMap::new();
    for scalar in scalars(root).into_iter().step_by(every) {
        told.scalars += 1;
        let path = root.join(&scalar.file);
        let text = fs::read_to_string(&path).unwrap();
        let line = (scalar.file.clone(), scalar.line);
        let spot = (scalar.file.clone(), scalar.start);
        for change in changes(&scalar.text, &choices) {
            let edited = format!("{}{change}{}", &text[..scalar.start], &text[scalar.end..]);
            fs::write(&path, edited).unwrap();
            let Some(after) = fields(root, Some(base)) else {
                told.invalid += 1;
                continue;
            };
            told.valid += 1;
            moved.entry(spot.clone()).or_default();
            let objects = |fields: &Fields| -> BTreeSet<String> {
                fields
                    .values
                    .keys()
                    .map(|(object, _)| object.clone())
                    .collect()
            };
            let (before_objects, after_objects) = (objects(base), objects(&after));
            let mut of_object: BTreeMap<&str, BTreeSet<&Line>> = BTreeMap::new();
            let all: BTreeSet<&Field> = base.values.keys().chain(after.values.keys()).collect();
            for field in all {
                if base.values.get(field) == after.values.get(field) {
                    continue;
                }
                told.moved += 1;
                moved.entry(spot.clone()).or_default().insert(field.clone());
                let sides = [base, &after]
                    .into_iter()
                    .filter_map(|side| side.spots.get(field));
                let lines: BTreeSet<&Line> = sides.flatten().map(|(line, ..)| line).collect();
                // Of an object that came or went, one field that says why is enough.
                if before_objects.contains(&field.0) != after_objects.contains(&field.0) {
                    of_object.entry(&field.0).or_default().extend(lines);
                } else if field.1.ends_with("/component-digest") {
                    // A digest is of a whole document, which is named by its first line.
                    if !lines.iter().any(|(file, _)| *file == line.0) {
                        told.unnamed.push(format!(
                            "{}:{} {} -> {change}: {} {}",
                            line.0, line.1, scalar.text, field.0, field.1
                        ));
                    }
                } else if !lines.contains(&line) {
                    told.unnamed.push(format!(
                        "{}:{} {} -> {change}: {} {}",
                        line.0, line.1, scalar.text, field.0, field.1
                    ));
                }
            }
            for (object, lines) in of_object {
                if !lines.contains(&line) {
                    told.unnamed.push(format!(
                        "{}:{} {} -> {change}: {object}",
                        line.0, line.1, scalar.text
                    ));
                }
            }
        }
        fs::write(&path, text).unwrap();
    }
    (told, moved)
}

/// Values of `tests/review/base` that fields name, and that no change of the fixed set moves: each decides, and each other
/// value of the set decides alike.
const DECIDES_ALIKE: [(&str, &str, &str); 9] = [
    (
        "tiers/gold.yaml",
        "maxReplicas: 4",
        "a budget is there from 2 replicas on, and 1 is less than the minimum",
    ),
    (
        "tenants/globex.yaml",
        "tier: gold",
        "each tier scales beyond 1 replica",
    ),
    (
        "tenants/initech.yaml",
        "tier: silver",
        "each tier scales beyond 1 replica",
    ),
    (
        "data.yaml",
        "tenants: [globex]",
        "a binding is there if its role is among those that any grant gives",
    ),
    (
        "data.yaml",
        "expiresAt: 2026-12-31",
        "a binding is there if its role is among those that any grant gives",
    ),
    (
        "tenantry.yaml",
        "residency: us",
        "a tenant that may be anywhere is placed in any zone",
    ),
    (
        "tenants/globex.yaml",
        "organization: {division: retail}",
        "contexts of divisions set nothing of this",
    ),
    (
        "tenants/globex.yaml",
        "subjects: [{kind: Group, name: globex-developers}]",
        "a user is of the same API group as a group",
    ),
    (
        "components/store.yaml",
        "- {name: data, type: persistent, mountPath: /data, size: 10Gi, storageClass: fast}",
        "a place for temporary files is there unless a volume is mounted at /tmp",
    ),
];

/// Fields of `tests/provenance` that look at values of which another one decided.
const LOOKS_AT_OTHERS: [(&str, &str); 7] = [
    (".data.larger", "the other number is the larger one"),
    (".data.smallest", "the other number is the smaller one"),
    (".data.both", "any number but 0 is true"),
    (".data.slice", "it is in the letters that are left out"),
    (
        ".data.first",
        "that there is another port does not say which is the first",
    ),
    (".data.chosen", "no port gets the name that is chosen"),
    (
        ".data.refused",
        "no variable gets the value that is refused",
    ),
];

#[test]
fn what_moves_a_field_is_named() {
    let folder = tempfile::tempdir().unwrap();
    let of_review = "tests/review/base".to_owned();
    let repository = std::env::var("PROVENANCE_OF").unwrap_or_else(|_| of_review.clone());
    let every = std::env::var("PROVENANCE_EVERY");
    let every: usize = every.map_or(10, |every| every.parse().unwrap());
    copy_folder(&repository_path(&repository), folder.path(), false);
    if repository == of_review {
        // What built-in templates do not do: filters, macros, joins, loops, choices.
        copy_folder(&repository_path("tests/provenance"), folder.path(), false);
    }
    let base = fields(folder.path(), None).unwrap();
    let (told, moved) = judge(folder.path(), &base, every);
    println!(
        "{repository}: {} scalars, {} valid changes, {} invalid, {} fields moved, {} not named",
        told.scalars,
        told.valid,
        told.invalid,
        told.moved,
        told.unnamed.len()
    );
    assert!(told.unnamed.is_empty(), "{}", told.unnamed.join("\n"));
    let scalars = scalars(folder.path()).into_iter();
    let scalars: BTreeSet<(String, usize)> = scalars.map(|one| (one.file, one.start)).collect();
    let (mut decides_alike, mut moves_nothing) = (0, BTreeSet::new());
    for (field, spots) in &base.spots {
        for ((file, line), start, _) in spots {
            let spot = (file.clone(), *start);
            // Of a map or list that is named, other things decide than its scalars: that it is there, and what it has.
            if !scalars.contains(&spot)
                || moved.get(&spot).is_none_or(|moved| moved.contains(field))
            {
                continue;
            }
            decides_alike += 1;
            let of_forms = field.0.ends_with("component/forms.yaml");
            if of_forms && LOOKS_AT_OTHERS.iter().any(|(name, _)| *name == field.1) {
                continue;
            }
            let text = fs::read_to_string(folder.path().join(file)).unwrap();
            let written = text.lines().nth(line - 1).unwrap().trim();
            if !DECIDES_ALIKE
                .iter()
                .any(|(known, text, _)| known == file && written.starts_with(text))
            {
                moves_nothing.insert(format!("{file}:{line} {written}: {} {}", field.0, field.1));
            }
        }
    }
    println!(
        "{decides_alike} values are named and decide alike whatever they are, {} without a reason",
        moves_nothing.len()
    );
    if repository == of_review {
        let moves_nothing: Vec<String> = moves_nothing.into_iter().collect();
        assert!(moves_nothing.is_empty(), "{}", moves_nothing.join("\n"));
    }
}

/// What does not meet a policy: policy, message and subject, and the line that it points at, if what decided is written there.
/// What is lacking is told where it would be added, and nothing there decides.
fn policy_findings(root: &Path) -> Option<BTreeMap<String, Option<Line>>> {
    let compilation = compile(&options(root), None, &Nothing).unwrap();
    let sources = &compilation.sources;
    (!compilation.has_errors()).then(|| {
        let records = compilation.evidence.records.iter();
        let found = records.map(|record| {
            let last = record.subject.path.rsplit(['.', '[']).next();
            let line = record.place.and_then(|span| {
                let line = sources.line(span.file, span.start);
                let text = sources.file(span.file)?.text.lines().nth(line - 1)?;
                let is_written = last.is_some_and(|last| {
                    !last.is_empty() && text.contains(last.trim_end_matches(']'))
                });
                is_written.then(|| (sources.path(span.file).to_owned(), line))
            });
            let of = (&record.policy, &record.message, &record.subject);
            (format!("{of:?}"), line)
        });
        found.collect()
    })
}

struct Nothing;

impl Visitor for Nothing {
    fn unit(&self, _: &Unit, _: &[Rendered], _: &Sources) -> io::Result<()> {
        Ok(())
    }
}

/// The place of a policy's finding decides it: some change of what is written there ends it, or says something else.
#[test]
fn places_of_policies_decide() {
    let folder = tempfile::tempdir().unwrap();
    let root = folder.path();
    copy_folder(&repository_path("tests/review/base"), root, false);
    let platform = root.join("tenantry.yaml");
    let text = fs::read_to_string(&platform).unwrap();
    let packs = ["baseline", "soc2", "gdpr", "pci-dss", "sox", "iso27001"];
    let packs = packs.map(|pack| format!("    {pack}: {{enforcement: audit}}\n"));
    let packs = format!("  policyPacks:\n{}", packs.concat());
    let text = text.replace("  policyPacks:\n", &packs);
    fs::write(
        &platform,
        text.replace("enforcement: deny", "enforcement: audit"),
    )
    .unwrap();
    let base = policy_findings(root).unwrap();
    let (choices, scalars) = (choices(root), scalars(root));
    let (mut at_scalars, mut decided) = (BTreeMap::new(), BTreeSet::new());
    for (finding, line) in &base {
        for (at, scalar) in scalars.iter().enumerate() {
            if line.as_ref() == Some(&(scalar.file.clone(), scalar.line)) {
                at_scalars.entry(at).or_insert_with(Vec::new).push(finding);
            }
        }
    }
    for (at, findings) in &at_scalars {
        let scalar = &scalars[*at];
        let path = root.join(&scalar.file);
        let text = fs::read_to_string(&path).unwrap();
        for change in changes(&scalar.text, &choices) {
            let (before, after) = (&text[..scalar.start], &text[scalar.end..]);
            fs::write(&path, format!("{before}{change}{after}")).unwrap();
            if let Some(found) = policy_findings(root) {
                let ended = findings.iter().filter(|one| !found.contains_key(**one));
                decided.extend(ended.copied());
            }
        }
        fs::write(&path, text).unwrap();
    }
    let all: BTreeSet<&String> = at_scalars.values().flatten().copied().collect();
    println!(
        "{} findings, {} at scalars, {} ended by a change there",
        base.len(),
        all.len(),
        decided.len()
    );
    assert!(!decided.is_empty());
    let undecided: Vec<&str> = all.difference(&decided).map(|one| one.as_str()).collect();
    assert!(undecided.is_empty(), "{}", undecided.join("\n"));
}
