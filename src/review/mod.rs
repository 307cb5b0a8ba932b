//! Stage 7: what changed, why, and what it risks. Takes the objects of two compilations, unit by
//! unit, and what changed between their inputs; gives a [`Review`].
//!
//! * `inputs`: what changed in documents, templates and files, and which values belong to it.
//! * `objects`: which object is which, across units and renames.
//! * `fields`: which fields of two objects differ, by the tables of `lists` and `noise`.
//! * `causes`: the changes of the input that a changed field follows from.
//! * `risks`: what may go wrong, one file per class.
//! * `fold`: the same change in many objects, told once.
//! * `findings`: new, fixed, unchanged.
//!
//! To add a risk, see `risks`; a key of a list, a row in `lists`; a default of Kubernetes, a row in
//! `noise`; an immutable field, a row in `risks/immutable`.

pub mod causes;
pub mod fields;
pub mod findings;
pub mod fold;
pub mod inputs;
pub mod lists;
pub mod noise;
pub mod objects;
pub mod risks;

use std::collections::BTreeSet;
use std::sync::Arc;

use crate::model::change::{ChangePlace, ObjectChange, ObjectOperation, Review};
use crate::model::secrets;
use rayon::prelude::*;

use causes::Comparer;
use fold::Population;
use objects::{Belongs, Changes, Incomplete};
use risks::RiskSubject;

/// Puts together what the units left.
pub fn finish(
    comparer: Comparer<'_>,
    changes: Changes,
    population: &Population,
    incomplete: Incomplete,
    belongs: Belongs<'_>,
    mut review: Review,
) -> Review {
    let closed = changes.closed();
    let mut objects = changes.finish(&comparer, incomplete, belongs);
    let new_namespaces: BTreeSet<(Arc<str>, String)> = objects
        .iter()
        .filter(|change| {
            matches!(
                change.operation(),
                ObjectOperation::Added | ObjectOperation::Renamed
            )
        })
        .map(ObjectChange::object)
        .filter(|object| object.kind == "Namespace")
        .map(|object| (Arc::clone(&object.place.cluster), object.name.clone()))
        .collect();
    objects.par_iter_mut().for_each(|object| {
        object.risks = risks::of_object(&subject(object, &comparer, &closed, &new_namespaces));
    });
    let (inputs, origins) = comparer.finish(&mut objects);
    review.origins = origins;
    review.inputs = inputs;
    for object in &objects {
        for cause in object.all_causes() {
            review.inputs[cause].objects += 1;
        }
    }
    let more = std::mem::take(&mut review.risks);
    let mut of_inputs = risks::of_inputs(&review.inputs);
    of_inputs.extend(more);
    for input in review.inputs.iter_mut().filter(|input| input.secret) {
        for value in [&mut input.before, &mut input.after].into_iter().flatten() {
            *value = secrets::HIDDEN.into();
        }
    }
    review.risks = risks::folded(&objects, of_inputs);
    review.groups = fold::fold(&objects, population);
    review.objects = objects;
    review
}

fn subject<'a>(
    change: &'a ObjectChange,
    comparer: &Comparer<'a>,
    closed: &BTreeSet<(Arc<str>, String)>,
    new_namespaces: &BTreeSet<(Arc<str>, String)>,
) -> RiskSubject<'a> {
    let namespace = (
        Arc::clone(&change.object().place.cluster),
        change.object().namespace.clone(),
    );
    let place = &change.object().place;
    let unit = ChangePlace {
        component: "".into(),
        ..place.clone()
    };
    RiskSubject {
        change,
        is_whole_place: comparer.one_sided.contains(&unit),
        is_whole_component: comparer.one_sided.contains(place),
        is_closed: closed.contains(&namespace),
        is_new_namespace: new_namespaces.contains(&namespace),
        custom: comparer.custom(change.object()),
    }
}
