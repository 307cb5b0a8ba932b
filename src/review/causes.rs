//! Why a field changed: the values that it was made of, on both sides, and the changes of the input
//! among them.

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::sync::{Arc, Mutex, PoisonError};

use super::fields::{self, Difference};
use super::inputs::InputChanges;
use crate::model::change::{
    Body, ChangePlace, FieldChange, InputChange, Object, ObjectChange, ObjectOperation, Origin,
};
use crate::model::instance::Layer;
use crate::model::provenance::Provenance;
use crate::model::secrets::{self, redacted};
use tenantry_engine::manifest::TemplateLine;
use tenantry_engine::view::{Shape, View};
use tenantry_kubernetes::field_path::FieldPath;
use tenantry_kubernetes::schemas::ObjectSchemas;
use tenantry_syntax::diagnostics::Sources;
use tenantry_syntax::yaml::{NodeId, merge};

/// Most values of one field that are followed.
const MOST_VALUES: usize = 200;
/// Most places that are named for one field and side.
const MOST_PLACES: usize = 4;

/// An object and what is known of its making.
#[derive(Clone, Debug)]
pub struct Traced {
    /// The object.
    pub object: Object,
    /// Where its values come from; nothing for what was read as it is.
    pub provenance: Option<Provenance>,
    /// The layers of its component's values.
    pub layers: Option<Arc<[Layer]>>,
    /// The documents that decide about its place: kind and name.
    pub documents: Arc<BTreeSet<(String, String)>>,
}

/// The schemas of custom resources by cluster; under no name, those of objects without a place.
pub type Custom<'a> = BTreeMap<&'a str, &'a ObjectSchemas>;

/// Compares objects and names causes.
pub struct Comparer<'a> {
    /// Where values were written, of both sides.
    pub sources: &'a Sources,
    /// What changed in the input.
    pub inputs: InputChanges,
    /// Environment, cluster, tenant and component that only one side has.
    pub one_sided: BTreeSet<ChangePlace>,
    /// The schemas of custom resources by cluster, from which they are filled.
    pub custom: Custom<'a>,
    origins: Mutex<(HashMap<Origin, usize>, Vec<Origin>)>,
    /// Changes of the input that secrets are made of.
    secret: Mutex<BTreeSet<usize>>,
}

impl<'a> Comparer<'a> {
    /// Compares with these sources and changes.
    pub fn new(
        sources: &'a Sources,
        inputs: InputChanges,
        one_sided: BTreeSet<ChangePlace>,
        custom: Custom<'a>,
    ) -> Comparer<'a> {
        Comparer {
            sources,
            inputs,
            one_sided,
            custom,
            origins: Mutex::default(),
            secret: Mutex::default(),
        }
    }

    /// Whether only one side has this place: all of the unit, or the component in it.
    pub fn is_one_sided(&self, place: &ChangePlace) -> bool {
        let unit = ChangePlace {
            component: "".into(),
            ..place.clone()
        };
        self.one_sided.contains(place) || self.one_sided.contains(&unit)
    }

    /// What differs between an object and what became of it; nothing if nothing does.
    pub fn pair(&self, before: &Traced, after: &Traced) -> Option<ObjectChange> {
        if is_same(&before.object.body, &after.object.body) {
            return None;
        }
        let differences =
            fields::of_objects(&before.object, &after.object, self.custom(&after.object));
        if differences.is_empty() {
            return None;
        }
        let fields = differences
            .iter()
            .map(|difference| self.field(before, after, difference))
            .collect();
        Some(ObjectChange {
            before: Some(before.object.clone()),
            after: Some(after.object.clone()),
            fields,
            causes: Vec::new(),
            origin: None,
            risks: Vec::new(),
        })
    }

    /// The schemas of custom resources where an object is.
    pub(super) fn custom(&self, object: &Object) -> Option<&'a ObjectSchemas> {
        self.custom.get(&*object.place.cluster).copied()
    }

    fn field(&self, before: &Traced, after: &Traced, found: &Difference<'_>) -> FieldChange {
        let kind = &after.object.kind;
        let mut hidden = false;
        let mut show = |view: Option<View<'_>>| {
            let view = view?;
            let (value, secret) = redacted(kind, view, &found.path);
            hidden |= secret && !matches!(view.shape(), Shape::Map | Shape::List);
            Some(value)
        };
        let (mut shown_before, mut shown_after) = (show(found.before), show(found.after));
        if let Some(orders) = &found.orders {
            shown_before = Some(orders[0].clone().into());
            shown_after = Some(orders[1].clone().into());
        }
        let old_ids = found
            .before
            .map_or_else(Vec::new, |view| before.inputs(view));
        let new_ids = found.after.map_or_else(Vec::new, |view| after.inputs(view));
        for (traced, view) in [(before, found.before), (after, found.after)] {
            if let Some(view) = view {
                self.note_secrets(traced, kind, view, &found.path);
            }
        }
        let line = |view: Option<View<'_>>| view.map_or(TemplateLine::NONE, View::line);
        let lines = [line(found.before), line(found.after)];
        FieldChange {
            path: found.path.clone(),
            before: shown_before,
            after: shown_after,
            position: found.position,
            reordered: found.orders.is_some(),
            secret: hidden,
            causes: self
                .causes(
                    [
                        (before, found.before, &old_ids),
                        (after, found.after, &new_ids),
                    ],
                    lines,
                )
                .into_iter()
                .collect(),
            before_origins: self.places(before, &old_ids, lines[0]),
            after_origins: self.places(after, &new_ids, lines[1]),
        }
    }

    /// The changes of the input that a field follows from, by the surest sign that there is.
    fn causes(
        &self,
        sides: [(&Traced, Option<View<'_>>, &Vec<NodeId>); 2],
        lines: [TemplateLine; 2],
    ) -> BTreeSet<usize> {
        let inputs = &self.inputs;
        let [(before, _, old), (after, _, new)] = sides;
        let both = |find: &dyn Fn(&[NodeId]) -> BTreeSet<usize>, old: &[NodeId], new: &[NodeId]| {
            &find(old) | &find(new)
        };
        let of_old = inputs.of_values(old);
        let of_new = inputs.of_values(new);
        // What the field is made of now, what came and what went. A value that was edited and that it is no longer made of
        // is none: something else decided what it is made of.
        let (edited, gone): (BTreeSet<usize>, BTreeSet<usize>) =
            of_old.iter().partition(|at| inputs.is_edit(**at));
        let mut causes = &of_new | &gone;
        // A digest is made of all of a document.
        causes.extend(inputs.of_documents(new));
        causes.extend(lines.iter().filter_map(|line| inputs.of_line(*line)));
        let decided = || -> BTreeSet<usize> {
            let decisions = sides
                .iter()
                .filter_map(|(traced, view, _)| traced.decisions((*view)?, self.sources));
            decisions.flat_map(|ids| inputs.of_values(&ids)).collect()
        };
        if (&of_old ^ &of_new).iter().any(|at| inputs.is_edit(*at)) {
            causes.extend(decided());
        }
        let attempts: [&dyn Fn() -> BTreeSet<usize>; 10] = [
            &decided,
            &|| edited.clone(),
            &|| both(&|ids| inputs.around(ids), old, new),
            // What the template looked at.
            &|| both(&|ids| inputs.of_values(ids), &before.read(), &after.read()),
            &|| {
                let lines = lines.iter();
                lines.filter_map(|line| inputs.of_template(*line)).collect()
            },
            // What decides which layers hold.
            &|| {
                let documents = before.documents.as_ref() | after.documents.as_ref();
                inputs.deciding(&documents, &after.object.place)
            },
            &|| both(&|ids| inputs.around(ids), &before.read(), &after.read()),
            &|| inputs.all_templates(),
            &|| {
                let documents = before.documents.as_ref() | after.documents.as_ref();
                inputs.concerning(&documents, &after.object.place)
            },
            // What others share, or no longer can.
            &|| inputs.deciding_anywhere(&after.object.place),
        ];
        for attempt in attempts {
            if !causes.is_empty() {
                break;
            }
            causes = attempt();
        }
        causes
    }

    /// An object that only one side has.
    pub fn alone(&self, one: Traced, operation: ObjectOperation) -> ObjectChange {
        let inputs = &self.inputs;
        let root = one.object.root();
        let ids = one.inputs(root);
        self.note_secrets(&one, &one.object.kind, root, &FieldPath::default());
        let line = root.line();
        let place = &one.object.place;
        let deciding = || inputs.deciding(&one.documents, place);
        let is_whole = self.is_one_sided(place);
        let attempts: [&dyn Fn() -> BTreeSet<usize>; 9] = [
            &|| {
                if is_whole {
                    deciding()
                } else {
                    BTreeSet::new()
                }
            },
            // What decided that the template prints it, and what it is called.
            &|| {
                let decisions = one.decisions(root, self.sources).unwrap_or_default();
                let mut causes = inputs.of_values(&decisions);
                let named = [&["metadata", "name"][..], &["metadata", "namespace"]];
                let named = named.into_iter().filter_map(|path| root.at(path));
                causes.extend(named.flat_map(|view| inputs.of_values(&one.inputs(view))));
                causes.extend(inputs.of_line(line));
                causes
            },
            &|| inputs.of_values(&one.read()),
            &|| inputs.of_values(&ids),
            &|| inputs.of_template(line).into_iter().collect(),
            &deciding,
            &|| inputs.around(&one.read()),
            &|| inputs.concerning(&one.documents, place),
            &|| inputs.deciding_anywhere(place),
        ];
        let causes = attempts
            .iter()
            .map(|attempt| attempt())
            .find(|causes| !causes.is_empty())
            .unwrap_or_default();
        let origin = self.places(&one, &[], line).first().copied();
        let (before, after) = match operation {
            ObjectOperation::Removed => (Some(one.object), None),
            _ => (None, Some(one.object)),
        };
        ObjectChange {
            before,
            after,
            fields: Vec::new(),
            causes: causes.into_iter().collect(),
            origin,
            risks: Vec::new(),
        }
    }

    /// The places of values, and of the template line that printed them.
    fn places(&self, traced: &Traced, ids: &[NodeId], line: TemplateLine) -> Vec<usize> {
        let mut places: Vec<Origin> = Vec::new();
        for id in ids {
            let Some(span) = self.sources.span(*id) else {
                continue;
            };
            if places.len() >= MOST_PLACES {
                break;
            }
            let origin = Origin {
                path: self.sources.path(span.file).to_owned(),
                line: self.sources.line(span.file, span.start),
                layer: traced.layer(*id),
            };
            if !places.contains(&origin) {
                places.push(origin);
            }
        }
        if line != TemplateLine::NONE {
            places.push(Origin {
                path: self.sources.path(line.file).to_owned(),
                line: line.line as usize,
                layer: "template".to_owned(),
            });
        }
        let mut shared = self.origins.lock().unwrap_or_else(PoisonError::into_inner);
        let (known, list) = &mut *shared;
        places
            .into_iter()
            .map(|origin| {
                *known.entry(origin.clone()).or_insert_with(|| {
                    list.push(origin);
                    list.len() - 1
                })
            })
            .collect()
    }

    /// What a secret is made of is one, too.
    fn note_secrets(&self, traced: &Traced, kind: &str, view: View<'_>, path: &FieldPath) {
        secrets::each_hidden(kind, view, path, &mut |part| {
            let changes = self.inputs.of_values(&traced.inputs(part));
            let mut secret = self.secret.lock().unwrap_or_else(PoisonError::into_inner);
            secret.extend(changes);
        });
    }

    /// The changes of the input, those that are secret marked, and all places, sorted; the changes
    /// are told their new positions.
    pub fn finish(self, objects: &mut [ObjectChange]) -> (Vec<InputChange>, Vec<Origin>) {
        let (_, list) = self
            .origins
            .into_inner()
            .unwrap_or_else(PoisonError::into_inner);
        let mut order: Vec<usize> = (0..list.len()).collect();
        order.sort_by(|a, b| list[*a].cmp(&list[*b]));
        let mut position = vec![0; list.len()];
        for (new, old) in order.iter().enumerate() {
            position[*old] = new;
        }
        for object in objects {
            if let Some(origin) = &mut object.origin {
                *origin = position[*origin];
            }
            for field in &mut object.fields {
                let places = field.before_origins.iter_mut();
                for origin in places.chain(&mut field.after_origins) {
                    *origin = position[*origin];
                }
            }
        }
        let origins = order.into_iter().map(|at| list[at].clone()).collect();
        let mut inputs = self.inputs.changes;
        let secret = self.secret.into_inner();
        for at in secret.unwrap_or_else(PoisonError::into_inner) {
            inputs[at].secret = true;
        }
        (inputs, origins)
    }
}

impl Traced {
    /// What its template looked at.
    fn read(&self) -> Vec<NodeId> {
        match &self.object.body {
            Body::Manifest(manifest) => manifest.read(),
            Body::Tree(_) => Vec::new(),
        }
    }

    /// The input values that a value was made of, those of its parts included.
    fn inputs(&self, view: View<'_>) -> Vec<NodeId> {
        let mut ids = Vec::new();
        collect(view, &mut ids);
        match &self.provenance {
            None => ids,
            Some(provenance) => provenance.inputs(ids),
        }
    }

    /// What decided that a value is this, and that it is here.
    fn decisions(&self, view: View<'_>, sources: &Sources) -> Option<Vec<NodeId>> {
        let provenance = self.provenance.as_ref()?;
        Some(provenance.origin(view, sources).decisions)
    }

    /// Who sets a value.
    fn layer(&self, id: NodeId) -> String {
        let layers = self.layers.as_deref().unwrap_or_default();
        layers
            .iter()
            .rev()
            .find(|layer| merge::find(&layer.values, id).is_some())
            .map(|layer| layer.source.to_string())
            .unwrap_or_default()
    }
}

fn collect(view: View<'_>, ids: &mut Vec<NodeId>) {
    if ids.len() >= MOST_VALUES {
        return;
    }
    match view.shape() {
        Shape::Map => {
            for field in view.fields() {
                ids.extend(Some(field.key_id).filter(|id| *id != NodeId::NONE));
                collect(field.value, ids);
            }
        }
        Shape::List => view.items().into_iter().for_each(|item| collect(item, ids)),
        _ => {}
    }
    ids.extend(view.sources());
}

/// Whether two manifests are the same form with the same values.
fn is_same(before: &Body, after: &Body) -> bool {
    match (before, after) {
        (Body::Manifest(a), Body::Manifest(b)) => {
            Arc::ptr_eq(&a.skeleton, &b.skeleton)
                && a.document == b.document
                && a.holes.len() == b.holes.len()
                && a.holes
                    .iter()
                    .zip(b.holes.iter())
                    .all(|(a, b)| a.value() == b.value())
        }
        _ => false,
    }
}
