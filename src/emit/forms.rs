//! Manifests of a form that is known: what the form alone decides about their text is written once.

use std::collections::HashMap;
use std::sync::{Arc, PoisonError, RwLock};

use tenantry_engine::hole::Holes;
use tenantry_engine::manifest::{FieldKey, Manifest, PartKind, SkeletonField, SkeletonNode};
use tenantry_engine::view::View;
use tenantry_engine::writer::{self, Out};
use tenantry_syntax::yaml::{Entry, Map, Value};

/// Most forms that are kept of a document of a skeleton, and most documents.
const MAX_FORMS: usize = 16;
const MAX_DOCUMENTS: usize = 20_000;

/// What the layout of a manifest's text depends on.
#[derive(Debug)]
enum Given {
    /// Whether a hole has a value.
    Hole(usize, bool),
    /// The keys of a map that a hole spreads; none for what is no map.
    Keys(usize, Option<Box<[Arc<str>]>>),
    /// Whether a map with computed keys has any entry.
    Entries(SkeletonNode, bool),
}

impl Given {
    fn holds(&self, holes: &Holes) -> bool {
        match self {
            Given::Hole(at, there) => holes.get(*at).is_some_and(|hole| !hole.is_null()) == *there,
            Given::Keys(at, keys) => match (map(holes, *at), keys) {
                (Some(map), Some(keys)) => entries(map).map(|entry| &entry.key).eq(keys),
                (None, None) => true,
                _ => false,
            },
            Given::Entries(part, there) => View::Part { part, holes }.is_null() != *there,
        }
    }
}

fn map(holes: &Holes, at: usize) -> Option<&Map> {
    match holes.get(at)?.value() {
        Value::Map(map) => Some(map),
        _ => None,
    }
}

/// The entries of a map that hold something.
fn entries(map: &Map) -> impl Iterator<Item = &Entry> {
    map.entries.iter().filter(|entry| !entry.value.is_null())
}

/// A stretch of a manifest's text.
#[derive(Debug)]
enum Segment {
    /// Text that is the same for all manifests of the form.
    Text(Box<str>),
    /// What stands at a place, with its column, and whether it follows a dash.
    Place(SkeletonNode, usize, bool),
    /// The value of an entry that a hole spreads, by its position among those that hold something, and its column.
    Entry(usize, usize, usize),
}

#[derive(Debug)]
struct WrittenForm {
    given: Vec<Given>,
    segments: Vec<Segment>,
}

impl WrittenForm {
    fn of(manifest: &Manifest) -> WrittenForm {
        let part = &manifest.skeleton[manifest.document];
        let mut given = Vec::new();
        note(part, &manifest.holes, &mut given);
        let mut draft = Draft {
            holes: &manifest.holes,
            segments: Vec::new(),
            text: String::new(),
        };
        writer::write_document(manifest.root(), &mut draft);
        draft.flush();
        WrittenForm {
            given,
            segments: draft.segments,
        }
    }

    fn write(&self, holes: &Holes, out: &mut String) {
        for segment in &self.segments {
            match segment {
                Segment::Text(text) => out.push_str(text),
                Segment::Place(part, column, after_dash) => {
                    writer::write_value(View::Part { part, holes }, *column, *after_dash, out);
                }
                Segment::Entry(hole, at, column) => {
                    let entry = map(holes, *hole).and_then(|map| entries(map).nth(*at));
                    if let Some(entry) = entry {
                        writer::write_value(View::of(&entry.value), *column, false, out);
                    }
                }
            }
        }
    }
}

/// Notes what decides about the layout of a part.
fn note(part: &SkeletonNode, holes: &Holes, given: &mut Vec<Given>) {
    match &part.kind {
        PartKind::Scalar(_) | PartKind::Text(_) => {}
        PartKind::Hole(at) => {
            let is_known = |known: &Given| matches!(known, Given::Hole(hole, _) if hole == at);
            if !given.iter().any(is_known) {
                let there = holes.get(*at).is_some_and(|hole| !hole.is_null());
                given.push(Given::Hole(*at, there));
            }
        }
        PartKind::List(parts) => parts.iter().for_each(|part| note(part, holes, given)),
        PartKind::Map(fields) => fields
            .iter()
            .for_each(|field| note(&field.value, holes, given)),
        PartKind::OpenMap(fields) if has_known_keys(fields) => {
            for field in fields {
                match (&field.key, &field.value.kind) {
                    (FieldKey::Spread, PartKind::Hole(at)) => {
                        let keys = map(holes, *at);
                        let keys =
                            keys.map(|map| entries(map).map(|entry| entry.key.clone()).collect());
                        given.push(Given::Keys(*at, keys));
                    }
                    _ => note(&field.value, holes, given),
                }
            }
        }
        PartKind::OpenMap(_) => {
            let there = !View::Part { part, holes }.is_null();
            given.push(Given::Entries(part.clone(), there));
        }
    }
}

/// Whether all keys are the template's own, or of maps that are spread.
fn has_known_keys(fields: &[SkeletonField]) -> bool {
    fields.iter().all(|field| match &field.key {
        FieldKey::Literal(_) => true,
        FieldKey::Text(_) => false,
        FieldKey::Spread => matches!(field.value.kind, PartKind::Hole(_)),
    })
}

/// The text of a manifest whose form becomes known: what depends on values is left for later.
struct Draft<'m> {
    holes: &'m Holes,
    segments: Vec<Segment>,
    text: String,
}

impl Draft<'_> {
    fn flush(&mut self) {
        if !self.text.is_empty() {
            let text = std::mem::take(&mut self.text);
            self.segments.push(Segment::Text(text.into()));
        }
    }

    /// The entry of a hole's map that a place is the value of.
    fn entry(&self, view: View<'_>) -> Option<(usize, usize)> {
        let (hole, node) = view.spread()?;
        let at = entries(map(self.holes, hole)?)
            .position(|entry| std::ptr::eq(&raw const entry.value, node))?;
        Some((hole, at))
    }
}

impl Out for Draft<'_> {
    fn text(&mut self, text: &str) {
        self.text.push_str(text);
    }

    fn leaves(&mut self, view: View<'_>, column: usize, after_dash: bool) -> bool {
        let segment = match view {
            View::Part { part, .. } => match &part.kind {
                PartKind::Scalar(_) | PartKind::List(_) | PartKind::Map(_) => return false,
                PartKind::OpenMap(fields) if has_known_keys(fields) => return false,
                _ => Segment::Place(part.clone(), column, after_dash),
            },
            _ => match self.entry(view) {
                Some((hole, at)) => Segment::Entry(hole, at, column),
                None => return false,
            },
        };
        self.flush();
        self.segments.push(segment);
        true
    }
}

/// The forms of documents, by skeleton and position.
#[derive(Debug, Default)]
pub struct Forms {
    kept: RwLock<HashMap<(usize, usize), FormCache>>,
}

#[derive(Debug)]
struct FormCache {
    /// Kept so that no other one takes its address.
    _skeleton: Arc<Vec<SkeletonNode>>,
    forms: Vec<Arc<WrittenForm>>,
}

impl Forms {
    /// Appends the text of a manifest, without a leading `---`.
    pub fn write(&self, manifest: &Manifest, out: &mut String) {
        let has_form = match &manifest.skeleton[manifest.document].kind {
            PartKind::Scalar(_) | PartKind::List(_) | PartKind::Map(_) => true,
            PartKind::OpenMap(fields) => has_known_keys(fields),
            PartKind::Hole(_) | PartKind::Text(_) => false,
        };
        if !has_form {
            return writer::write_document(manifest.root(), out);
        }
        let key = (Arc::as_ptr(&manifest.skeleton).addr(), manifest.document);
        let holes = &manifest.holes;
        let (form, is_full) = {
            let kept = self.kept.read().unwrap_or_else(PoisonError::into_inner);
            match kept.get(&key) {
                None => (None, kept.len() >= MAX_DOCUMENTS),
                Some(kept) => {
                    let mut forms = kept.forms.iter();
                    let form = forms.find(|form| form.given.iter().all(|given| given.holds(holes)));
                    (form.cloned(), kept.forms.len() >= MAX_FORMS)
                }
            }
        };
        if let Some(form) = form {
            #[cfg(debug_assertions)]
            assert_same(&form, manifest);
            form.write(holes, out);
            return;
        }
        if is_full {
            return writer::write_document(manifest.root(), out);
        }
        let form = Arc::new(WrittenForm::of(manifest));
        form.write(holes, out);
        let mut kept = self.kept.write().unwrap_or_else(PoisonError::into_inner);
        let kept = kept.entry(key).or_insert_with(|| FormCache {
            _skeleton: manifest.skeleton.clone(),
            forms: Vec::new(),
        });
        kept.forms.push(form);
    }
}

/// A form writes what the writer writes. Each test that renders is one of forms, too.
#[cfg(debug_assertions)]
fn assert_same(form: &WrittenForm, manifest: &Manifest) {
    let (mut ours, mut plain) = (String::new(), String::new());
    form.write(&manifest.holes, &mut ours);
    writer::write_document(manifest.root(), &mut plain);
    assert_eq!(ours, plain);
}
