//! What changed in the input, and which values of either side belong to which change.

use std::collections::{BTreeMap, BTreeSet, HashMap, HashSet};
use std::ops::Range;

use similar::{DiffTag, TextDiff};

use super::fields;
use crate::model::change::{
    ChangePlace, DocumentSubject, InputChange, InputKind, InputSubject, Origin,
};
use crate::model::field::Field;
use crate::model::kinds::{Component, Header, KindName};
use crate::model::secrets::redacted;
use tenantry_engine::manifest::TemplateLine;
use tenantry_engine::view::View;
use tenantry_kubernetes::field_path::{FieldPath, FieldStep};
use tenantry_syntax::diagnostics::Sources;
use tenantry_syntax::yaml::{Entry, Node, NodeId, Value};

/// Most bytes of a template of which lines are compared.
const MOST_COMPARED: usize = 128 << 10;

/// The input of one side.
pub struct InputSide<'a> {
    /// All documents, those with findings included.
    pub documents: &'a [Node],
    /// Templates by their path below `templates/`, and their file.
    pub templates: Vec<(&'a str, u32)>,
    /// Files that documents name, with their texts.
    pub files: &'a BTreeMap<String, Result<String, String>>,
}

/// What changed in the input.
pub struct InputChanges {
    /// Each change; whether its values are secret and how many objects it moved is not known yet.
    pub changes: Vec<InputChange>,
    /// The changes of each document, by kind and name.
    of_document: BTreeMap<(String, String), Vec<usize>>,
    /// The path of each change within its document.
    paths: Vec<FieldPath>,
    /// Values within a change.
    exact: HashMap<NodeId, usize>,
    /// Maps and lists around changes.
    around: HashMap<NodeId, Vec<usize>>,
    /// Those that are whole documents.
    roots: HashSet<NodeId>,
    templates: HashMap<u32, (usize, Vec<Range<usize>>)>,
}

impl InputChanges {
    /// Without any change.
    pub fn none() -> InputChanges {
        InputChanges {
            changes: Vec::new(),
            of_document: BTreeMap::new(),
            paths: Vec::new(),
            exact: HashMap::new(),
            around: HashMap::new(),
            roots: HashSet::new(),
            templates: HashMap::new(),
        }
    }

    /// Compares the input of both sides.
    pub fn compare(
        before: &InputSide<'_>,
        after: &InputSide<'_>,
        sources: &Sources,
    ) -> InputChanges {
        let mut inputs = InputChanges::none();
        inputs.compare_documents(before.documents, after.documents, sources);
        inputs.compare_templates(&before.templates, &after.templates, sources);
        let paths: BTreeSet<&String> = before.files.keys().chain(after.files.keys()).collect();
        for path in paths {
            if before.files.get(path) != after.files.get(path) {
                let place = Origin {
                    path: path.clone(),
                    line: 1,
                    layer: String::new(),
                };
                let there =
                    |side: &InputSide<'_>| side.files.contains_key(path).then(|| place.clone());
                inputs.add(
                    InputChange {
                        kind: InputKind::File,
                        subject: InputSubject::File(path.clone()),
                        field: String::new(),
                        before: None,
                        after: None,
                        after_place: there(after),
                        before_place: there(before),
                        secret: false,
                        objects: 0,
                    },
                    None,
                    FieldPath::default(),
                );
            }
        }
        inputs
    }

    fn add(
        &mut self,
        change: InputChange,
        document: Option<(String, String)>,
        path: FieldPath,
    ) -> usize {
        self.changes.push(change);
        self.paths.push(path);
        let at = self.changes.len() - 1;
        if let Some(document) = document {
            self.of_document.entry(document).or_default().push(at);
        }
        at
    }

    fn compare_documents(&mut self, before: &[Node], after: &[Node], sources: &Sources) {
        // Documents that both sides share, node by node, are the same.
        let shared = |one: &[Node]| -> HashSet<NodeId> { one.iter().map(|node| node.id).collect() };
        let (old_ids, new_ids) = (shared(before), shared(after));
        let only = |documents: &[Node], other: &HashSet<NodeId>| -> Vec<Node> {
            let documents = documents.iter();
            documents
                .filter(|document| !other.contains(&document.id))
                .cloned()
                .collect()
        };
        let old = only(before, &new_ids);
        let new = only(after, &old_ids);
        let mut known: BTreeMap<DocumentSubject, Vec<Node>> = BTreeMap::new();
        for document in old.into_iter().rev() {
            let subject = subject_of(&document);
            known.entry(subject).or_default().push(document);
        }
        let mut unmatched: Vec<(DocumentSubject, Node)> = Vec::new();
        for document in new {
            let subject = subject_of(&document);
            match known.get_mut(&subject).and_then(Vec::pop) {
                Some(before) => self.compare_document(&subject, &before, &document, sources),
                None => unmatched.push((subject, document)),
            }
        }
        // A component may have several versions: those that are gone and those that are new are the
        // same, if they are as many.
        let name = |subject: &DocumentSubject| (subject.kind.clone(), subject.name.clone());
        let mut gone: BTreeMap<(String, String), Vec<(DocumentSubject, Node)>> = BTreeMap::new();
        for (subject, documents) in known {
            let documents = documents.into_iter().rev();
            let list = gone.entry(name(&subject)).or_default();
            list.extend(documents.map(|document| (subject.clone(), document)));
        }
        let mut counts: BTreeMap<(String, String), usize> = BTreeMap::new();
        for (subject, _) in &unmatched {
            *counts.entry(name(subject)).or_default() += 1;
        }
        for list in gone.values_mut() {
            list.reverse();
        }
        let like: BTreeSet<(String, String)> = counts
            .into_iter()
            .filter(|(name, count)| gone.get(name).is_some_and(|list| list.len() == *count))
            .map(|(name, _)| name)
            .collect();
        for (subject, document) in &unmatched {
            let name = name(subject);
            let before = gone.get_mut(&name).filter(|_| like.contains(&name));
            match before.and_then(Vec::pop) {
                Some((_, before)) => self.compare_document(subject, &before, document, sources),
                None => self.whole(subject, document, false, sources),
            }
        }
        for (subject, document) in gone.into_values().flatten() {
            self.whole(&subject, &document, true, sources);
        }
    }

    /// A document that is only on one side.
    fn whole(
        &mut self,
        subject: &DocumentSubject,
        document: &Node,
        removed: bool,
        sources: &Sources,
    ) {
        let place = place(document.id, sources);
        let (before_place, after_place) = if removed {
            (place, None)
        } else {
            (None, place)
        };
        let at = self.add(
            InputChange {
                kind: InputKind::Document,
                subject: InputSubject::Document(subject.clone()),
                field: String::new(),
                before: None,
                after: None,
                after_place,
                before_place,
                secret: false,
                objects: 0,
            },
            Some((subject.kind.clone(), subject.name.clone())),
            FieldPath::default(),
        );
        self.note(document, at);
    }

    fn compare_document(
        &mut self,
        subject: &DocumentSubject,
        before: &Node,
        after: &Node,
        sources: &Sources,
    ) {
        // `production:` with nothing behind it says something, too.
        let (before, after) = (&explicit(before), &explicit(after));
        for found in fields::of_documents(View::of(before), View::of(after)) {
            let node = |view: Option<View<'_>>| match view {
                Some(View::Node { node, .. }) => Some(node.clone()),
                _ => None,
            };
            let (old, new) = (node(found.before), node(found.after));
            let mut secret = false;
            let mut show = |view: Option<View<'_>>| {
                let (value, hidden) = redacted(&subject.kind, view?, &found.path);
                secret |= hidden && !value.is_object() && !value.is_array();
                Some(value)
            };
            let (mut shown_before, mut shown_after) = (show(found.before), show(found.after));
            if let Some(orders) = &found.orders {
                shown_before = Some(orders[0].clone().into());
                shown_after = Some(orders[1].clone().into());
            }
            let where_is = |root: &Node, node: &Option<Node>| {
                let id = node.as_ref()?.id;
                place(key_of(root, id).unwrap_or(id), sources)
            };
            let at = self.add(
                InputChange {
                    kind: InputKind::Document,
                    subject: InputSubject::Document(subject.clone()),
                    field: found.path.to_string(),
                    before: shown_before,
                    after: shown_after,
                    after_place: where_is(after, &new),
                    before_place: where_is(before, &old),
                    secret,
                    objects: 0,
                },
                Some((subject.kind.clone(), subject.name.clone())),
                found.path.clone(),
            );
            for (root, node) in [(before, &old), (after, &new)] {
                let target = node.as_ref().map(|node| node.id);
                if let Some(node) = node {
                    if found.orders.is_none() {
                        self.note(node, at);
                    }
                    self.exact.entry(node.id).or_insert(at);
                }
                self.note_around(root, target, at);
            }
        }
    }

    /// Every value of a subtree belongs to a change.
    fn note(&mut self, node: &Node, at: usize) {
        self.exact.insert(node.id, at);
        match &node.value {
            Value::Map(map) => {
                for entry in &map.entries {
                    self.exact.insert(entry.key_id, at);
                    self.note(&entry.value, at);
                }
            }
            Value::List(items) => items.iter().for_each(|item| self.note(item, at)),
            _ => {}
        }
    }

    /// The maps and lists on the way to a value; just the root for a value that is not there.
    fn note_around(&mut self, root: &Node, target: Option<NodeId>, at: usize) {
        let mut way = vec![root.id];
        self.roots.insert(root.id);
        if let Some(target) = target {
            find_way(root, target, &mut way);
        }
        for id in way {
            if Some(id) != target {
                self.around.entry(id).or_default().push(at);
            }
        }
    }

    fn compare_templates(
        &mut self,
        before: &[(&str, u32)],
        after: &[(&str, u32)],
        sources: &Sources,
    ) {
        let old: BTreeMap<&str, u32> = before.iter().copied().collect();
        let new: BTreeMap<&str, u32> = after.iter().copied().collect();
        let paths: BTreeSet<&str> = old.keys().chain(new.keys()).copied().collect();
        let text = |file: Option<u32>| {
            let file = file.and_then(|file| sources.file(file));
            file.map_or("", |file| &*file.text)
        };
        for path in paths {
            let (was, is) = (old.get(path).copied(), new.get(path).copied());
            if was == is {
                continue;
            }
            let (mut removed, mut added) = (Vec::new(), Vec::new());
            let (old_text, new_text) = (text(was), text(is));
            if old_text.len().max(new_text.len()) > MOST_COMPARED {
                // No template of this size is rendered.
                removed.push(1..usize::MAX);
                added.push(1..usize::MAX);
            } else {
                for op in TextDiff::from_lines(old_text, new_text).ops() {
                    if op.tag() != DiffTag::Equal {
                        removed.push(op.old_range().start + 1..op.old_range().end + 1);
                        added.push(op.new_range().start + 1..op.new_range().end + 1);
                    }
                }
            }
            let place = |file: Option<u32>, ranges: &[Range<usize>]| {
                let line = ranges.iter().find(|range| !range.is_empty());
                file.map(|file| Origin {
                    path: sources.path(file).to_owned(),
                    line: line.or(ranges.first()).map_or(1, |range| range.start),
                    layer: "template".to_owned(),
                })
            };
            let change = InputChange {
                kind: InputKind::Template,
                subject: InputSubject::Template(path.to_string()),
                field: String::new(),
                before: None,
                after: None,
                after_place: place(is, &added),
                before_place: place(was, &removed),
                secret: false,
                objects: 0,
            };
            let at = self.add(change, None, FieldPath::default());
            for (file, ranges) in [(was, removed), (is, added)] {
                if let Some(file) = file {
                    self.templates.insert(file, (at, ranges));
                }
            }
        }
    }

    /// The changes that values are a part of.
    pub fn of_values(&self, ids: &[NodeId]) -> BTreeSet<usize> {
        ids.iter()
            .filter_map(|id| self.exact.get(id).copied())
            .collect()
    }

    /// Whether a change gives a value that was there another one; else it adds or removes one.
    pub fn is_edit(&self, at: usize) -> bool {
        self.changes
            .get(at)
            .is_some_and(|change| change.before_place.is_some() && change.after_place.is_some())
    }

    /// The changes inside the documents that ids name as a whole.
    pub fn of_documents(&self, ids: &[NodeId]) -> BTreeSet<usize> {
        let roots = ids.iter().copied().filter(|id| self.roots.contains(id));
        self.around(&roots.collect::<Vec<_>>())
    }

    /// The changes inside the maps and lists that ids name.
    pub fn around(&self, ids: &[NodeId]) -> BTreeSet<usize> {
        ids.iter()
            .filter_map(|id| self.around.get(id))
            .flatten()
            .copied()
            .collect()
    }

    /// The change of a template that changed just this line.
    pub fn of_line(&self, line: TemplateLine) -> Option<usize> {
        let (at, ranges) = self.templates.get(&line.file)?;
        let number = line.line as usize;
        ranges
            .iter()
            .any(|range| range.contains(&number))
            .then_some(*at)
    }

    /// The change of a template that has this line.
    pub fn of_template(&self, line: TemplateLine) -> Option<usize> {
        self.templates.get(&line.file).map(|(at, _)| *at)
    }

    /// All changes of templates.
    pub fn all_templates(&self) -> BTreeSet<usize> {
        self.templates.values().map(|(at, _)| *at).collect()
    }

    /// Changes of the documents that a place depends on that can decide what runs there at all:
    /// not values, and not what concerns another environment or component.
    pub fn deciding(
        &self,
        documents: &BTreeSet<(String, String)>,
        place: &ChangePlace,
    ) -> BTreeSet<usize> {
        let all: BTreeSet<usize> = documents
            .iter()
            .filter_map(|document| Some((document, self.of_document.get(document)?)))
            .flat_map(|(document, changes)| {
                let changes = changes.iter().copied();
                changes.filter(|at| decides(&document.0, &self.paths[*at], place))
            })
            .collect();
        // A document that comes or goes says more than a change within another.
        let is_whole = |at: &usize| self.paths[*at].0.is_empty();
        if all.iter().any(is_whole) {
            all.into_iter().filter(is_whole).collect()
        } else {
            all
        }
    }

    /// Changes of values in the documents that a place depends on: a condition may have looked at
    /// them without reading one.
    pub fn concerning(
        &self,
        documents: &BTreeSet<(String, String)>,
        place: &ChangePlace,
    ) -> BTreeSet<usize> {
        documents
            .iter()
            .filter(|(kind, name)| kind != "Component" || **name == *place.component)
            .filter_map(|document| self.of_document.get(document))
            .flatten()
            .copied()
            .filter(|at| !is_elsewhere(&self.paths[*at], place))
            .collect()
    }

    /// The same of any document: what one tenant is decides what another shares with it.
    pub fn deciding_anywhere(&self, place: &ChangePlace) -> BTreeSet<usize> {
        // Among very many changes, such a guess would cost more than it tells.
        if self.of_document.len() > 100 {
            return BTreeSet::new();
        }
        self.deciding(&self.of_document.keys().cloned().collect(), place)
    }
}

/// Whether a field of a tenant is about another component or environment.
fn is_elsewhere(path: &FieldPath, place: &ChangePlace) -> bool {
    match path.0.as_slice() {
        [_, FieldStep::Key(list), FieldStep::Item(component), ..] => {
            &**list == "components" && **component != *place.component
        }
        [_, FieldStep::Key(map), FieldStep::Key(environment), ..] => {
            &**map == "environments" && **environment != *place.environment
        }
        _ => false,
    }
}

/// Whether a field of a document, not being a value, can decide what runs at a place.
pub fn decides(kind: &str, path: &FieldPath, place: &ChangePlace) -> bool {
    let steps: Vec<&str> = path
        .0
        .iter()
        .map(|step| match step {
            FieldStep::Key(text) | FieldStep::Item(text) => &**text,
        })
        .collect();
    let holds_values = steps
        .iter()
        .any(|step| matches!(*step, "values" | "workload"));
    match (kind, steps.as_slice()) {
        ("Platform", ["spec", field, ..]) => {
            matches!(*field, "delivery" | "naming" | "labelPrefix" | "output")
        }
        ("Cluster", ["spec", "capacity" | "openapi" | "crds" | "existing", ..]) => false,
        (_, []) | ("Tenant", ["metadata", "labels", ..]) => true,
        ("Tenant", ["spec", "components", component, ..]) => {
            !holds_values && **component == *place.component
        }
        ("Tenant", ["spec", "environments", environment, rest @ ..]) => {
            **environment == *place.environment && !rest.contains(&"values")
        }
        ("Tenant", ["spec", field, ..]) => matches!(
            *field,
            "tier"
                | "organization"
                | "environments"
                | "residency"
                | "isolation"
                | "status"
                | "components"
                | "clearance"
                | "shares"
        ),
        (_, ["spec", ..]) => !holds_values && kind != "Tier",
        _ => false,
    }
}

fn subject_of(document: &Node) -> DocumentSubject {
    let fields = Field::<Header>::of(document);
    let text = |text: Option<&str>| text.unwrap_or_default().to_owned();
    let component: Field<'_, Component> = fields.spec().read_as();
    let is_component = fields.kind_name() == Some(KindName::Component);
    DocumentSubject {
        version: text(component.version().as_str().filter(|_| is_component)),
        kind: text(fields.kind().as_str()),
        name: text(fields.metadata().name().as_str()),
    }
}

/// The same document with `null` as a text, so that it counts as an entry.
fn explicit(node: &Node) -> Node {
    let value = match &node.value {
        Value::Null => Value::String("null".into()),
        Value::Map(map) => {
            let entries = map.entries.iter().map(|entry| Entry {
                value: explicit(&entry.value),
                ..entry.clone()
            });
            return Node::map(node.id, entries.collect());
        }
        Value::List(items) => Value::List(items.iter().map(explicit).collect()),
        other => other.clone(),
    };
    Node::new(node.id, value)
}

/// The kind and name of the document of each tree.
pub fn document_key(document: &Node) -> (String, String) {
    let subject = subject_of(document);
    (subject.kind, subject.name)
}

/// Where a node was written.
fn place(id: NodeId, sources: &Sources) -> Option<Origin> {
    let span = sources.span(id)?;
    Some(Origin {
        path: sources.path(span.file).to_owned(),
        line: sources.line(span.file, span.start),
        layer: String::new(),
    })
}

/// The key of a value: a map begins on the line below it.
fn key_of(root: &Node, id: NodeId) -> Option<NodeId> {
    match &root.value {
        Value::Map(map) => map.entries.iter().find_map(|entry| {
            if entry.value.id == id {
                Some(entry.key_id)
            } else {
                key_of(&entry.value, id)
            }
        }),
        Value::List(items) => items.iter().find_map(|item| key_of(item, id)),
        _ => None,
    }
}

fn find_way(node: &Node, target: NodeId, way: &mut Vec<NodeId>) -> bool {
    let children: Vec<&Node> = match &node.value {
        Value::Map(map) => map.entries.iter().map(|entry| &entry.value).collect(),
        Value::List(items) => items.iter().collect(),
        _ => return false,
    };
    for child in children {
        if child.id == target {
            return true;
        }
        way.push(child.id);
        if find_way(child, target, way) {
            return true;
        }
        way.pop();
    }
    false
}
