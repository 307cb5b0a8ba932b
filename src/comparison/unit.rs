//! One unit on both sides: built, rendered, judged and compared.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use super::same::{is_made_the_same, sees_the_same, usage_of_base};
use super::{JobPair, PlacePair, Plans};
use crate::model::change::Object;
use crate::model::instance::{Unit, UnitKey};
use crate::policy::{Policies, UnitObjects};
use crate::resolve::Plan;
use crate::review::causes::{Comparer, Traced};
use crate::review::fold::Population;
use crate::review::inputs::document_key;
use crate::review::objects::{self, Changes};
use crate::review::risks::capacity::{Demanded, UnitFootprints};
use crate::side::{Snapshot, UnitJob, UnitTotals};
use tenantry_engine::manifest::{self, Rendered};
use tenantry_engine::view::View;
use tenantry_kubernetes::object_id::ObjectId;
use tenantry_syntax::diagnostics::{Sink, Sources};

/// What units leave behind.
#[derive(Default)]
pub(super) struct Shared {
    pub(super) new_sink: Sink,
    pub(super) old_sink: Sink,
    pub(super) new_tally: UnitTotals,
    pub(super) old_tally: UnitTotals,
    pub(super) population: Population,
    pub(super) footprints: Vec<UnitFootprints>,
    /// Units of which one side has errors.
    pub(super) not_compared: BTreeSet<String>,
}

impl Shared {
    pub(super) fn append(&mut self, other: Shared) {
        self.new_sink.append(other.new_sink);
        self.old_sink.append(other.old_sink);
        self.new_tally.append(other.new_tally);
        self.old_tally.append(other.old_tally);
        self.footprints.extend(other.footprints);
        self.not_compared.extend(other.not_compared);
        for (key, tenants) in other.population {
            self.population.entry(key).or_default().extend(tenants);
        }
    }
}

/// A unit that was built, and what built it.
type Built<'a> = (UnitJob<'a>, Unit);

/// Compares units.
pub(super) struct UnitComparison<'a> {
    new: &'a Snapshot<'a>,
    old: Option<&'a Snapshot<'a>>,
    policies: &'a Policies<'a>,
    pub(super) old_policies: &'a Policies<'a>,
    /// Whether both sides judge in the same way.
    same_policies: bool,
    /// Whether waivers except the same on both.
    same_waivers: bool,
    sources: &'a Sources,
    same_making: bool,
    /// What takes over from what.
    places: Option<&'a PlacePair>,
}

impl<'a> UnitComparison<'a> {
    /// Compares the units of two snapshots; without a base, the policies of the head stand for its own.
    pub(super) fn new(
        new: &'a Snapshot<'a>,
        old: Option<&'a Snapshot<'a>>,
        policies: &'a Policies<'a>,
        old_policies: Option<&'a Policies<'a>>,
        places: Option<&'a PlacePair>,
        sources: &'a Sources,
    ) -> UnitComparison<'a> {
        UnitComparison {
            new,
            old,
            policies,
            old_policies: old_policies.unwrap_or(policies),
            same_policies: old_policies.is_some_and(|old| old.is_same(policies)),
            same_waivers: old_policies.is_some_and(|old| old.has_same_waivers(policies)),
            sources,
            same_making: old.is_some_and(|old| is_made_the_same(old, new)),
            places,
        }
    }
}

impl UnitComparison<'_> {
    /// Builds, renders and judges one unit on both sides, and compares what came of it.
    pub(super) fn unit(
        &self,
        plans: &Plans<'_>,
        key: &UnitKey,
        (old_job, new_job): &JobPair<'_>,
        read: Option<Vec<Traced>>,
        comparer: &Comparer<'_>,
        changes: &Changes,
    ) -> Shared {
        let mut shared = Shared::default();
        // What building finds depends on more than what templates see, such as locks.
        let (mut new_built, mut old_built) = (Sink::default(), Sink::default());
        let new_unit = build(
            new_job.as_ref(),
            plans.0.as_ref(),
            self.policies,
            &mut new_built,
        );
        let old_unit = build(
            old_job.as_ref(),
            plans.1.as_ref(),
            self.old_policies,
            &mut old_built,
        );
        let can_render = |built: &Sink| !built.has_errors();
        let head = new_unit.as_ref().filter(|_| can_render(&new_built));
        let new_rendered = head.and_then(|built| self.render_head(built, &mut shared));
        let after = demanded(new_rendered.as_deref());
        if let (Some((_, new)), Some((_, old))) = (&new_unit, &old_unit)
            && self.same_making
            && self.same_waivers
            && can_render(&new_built)
            && can_render(&old_built)
            && sees_the_same(old, new)
        {
            self.unchanged(
                old_unit.as_ref(),
                new_unit.as_ref(),
                new_rendered.as_deref(),
                &mut shared,
            );
            shared.new_sink.append(new_built);
            shared.old_sink.append(old_built);
            shared.footprints.push(UnitFootprints {
                key: key.clone(),
                before: after.clone(),
                after,
            });
            return shared;
        }
        let old_rendered = old_unit
            .as_ref()
            .filter(|_| can_render(&old_built))
            .and_then(|(job, unit)| {
                // What was made for one side helps the other.
                let side = self.old.filter(|_| !self.same_making).unwrap_or(self.new);
                let (tally, sink) = (&mut shared.old_tally, &mut shared.old_sink);
                side.render(job, unit, self.old_policies, self.sources, tally, sink)
            });
        self.judge_head(new_unit.as_ref(), new_rendered.as_deref(), &mut shared);
        if let (Some((job, unit)), Some(rendered), Some(_)) = (&old_unit, &old_rendered, self.old) {
            let (tally, sink) = (&mut shared.old_tally, &mut shared.old_sink);
            job.judge(unit, rendered, self.old_policies, tally, sink);
        }
        shared.new_sink.append(new_built);
        shared.old_sink.append(old_built);
        let failed = |unit: &Option<Built<'_>>, rendered: &Option<Vec<Rendered>>| {
            unit.is_some() && rendered.is_none()
        };
        if failed(&new_unit, &new_rendered) || failed(&old_unit, &old_rendered) {
            shared.not_compared.insert(title(key));
            return shared;
        }
        let before = match &read {
            Some(objects) => Demanded::of(objects.iter().map(|one| one.object.root())),
            None => demanded(old_rendered.as_deref()),
        };
        shared.footprints.push(UnitFootprints {
            key: key.clone(),
            before,
            after,
        });
        let old_views: Vec<View<'_>> = match (&read, &old_rendered) {
            (Some(objects), _) => objects.iter().map(|one| one.object.root()).collect(),
            (None, Some(rendered)) => {
                let objects = manifest::objects(rendered).iter();
                objects.map(|one| one.manifest.root()).collect()
            }
            (None, None) => Vec::new(),
        };
        // A failover is no change that anybody could be denied.
        if self.places.is_none() {
            self.judge_changes(
                &old_views,
                old_unit.as_ref(),
                new_unit.as_ref(),
                new_rendered.as_deref().map(manifest::objects),
                &mut shared,
            );
        }
        let documents = documents_of(plans, [old_job, new_job]);
        let namespace = new_unit.as_ref().map(|(_, unit)| unit.namespace.clone());
        let before = read.unwrap_or_else(|| {
            self.base_objects(key, (old_unit, old_rendered), namespace, &documents)
        });
        changes.unit(comparer, before, traced(new_unit, new_rendered, &documents));
        shared
    }

    /// The objects of the base. What takes over elsewhere is compared by the names that it has there.
    fn base_objects(
        &self,
        key: &UnitKey,
        (built, rendered): (Option<Built<'_>>, Option<Vec<Rendered>>),
        namespace: Option<String>,
        documents: &Arc<BTreeSet<(String, String)>>,
    ) -> Vec<Traced> {
        let Some(places) = self.places else {
            return traced(built, rendered, documents);
        };
        let there = built.map(|(job, mut unit)| {
            unit.key = key.clone();
            (job, unit)
        });
        let own = there.as_ref().map(|(_, unit)| unit.namespace.clone());
        let mut objects = traced(there, rendered, documents);
        for one in &mut objects {
            taken_over(
                &mut one.object,
                places,
                own.as_deref(),
                namespace.as_deref(),
            );
        }
        objects
    }

    /// Renders the head's unit. Where both sides judge in the same way, it is judged for both.
    fn render_head(&self, (job, unit): &Built<'_>, shared: &mut Shared) -> Option<Vec<Rendered>> {
        let (tally, sink) = (&mut shared.new_tally, &mut shared.new_sink);
        let rendered = self
            .new
            .render(job, unit, self.policies, self.sources, tally, sink)?;
        populate(&mut shared.population, unit, &rendered);
        if self.same_policies {
            let (tally, sink) = (&mut shared.new_tally, &mut shared.new_sink);
            job.judge(unit, &rendered, self.policies, tally, sink);
        }
        Some(rendered)
    }

    /// Judges the head's unit where that was not done for both sides at once.
    fn judge_head(
        &self,
        built: Option<&Built<'_>>,
        rendered: Option<&[Rendered]>,
        shared: &mut Shared,
    ) {
        if let (Some((job, unit)), Some(rendered), false) = (built, rendered, self.same_policies) {
            let (tally, sink) = (&mut shared.new_tally, &mut shared.new_sink);
            job.judge(unit, rendered, self.policies, tally, sink);
        }
    }

    /// Same values, same templates, same schemas: the same manifests and findings.
    fn unchanged(
        &self,
        old: Option<&Built<'_>>,
        new: Option<&Built<'_>>,
        rendered: Option<&[Rendered]>,
        shared: &mut Shared,
    ) {
        shared.old_tally = shared.new_tally.clone();
        if let (Some((_, old)), Some((_, new))) = (old, new) {
            shared.old_tally.usage = usage_of_base(&shared.new_tally.usage, old, new);
        }
        shared.old_sink = shared.new_sink.clone();
        if let (Some((job, unit)), Some(rendered), false) = (old, rendered, self.same_policies) {
            let (tally, sink) = (&mut shared.old_tally, &mut shared.old_sink);
            job.judge(unit, rendered, self.old_policies, tally, sink);
        }
        self.judge_head(new, rendered, shared);
    }
}

/// What the objects of a unit ask for.
fn demanded(rendered: Option<&[Rendered]>) -> Demanded {
    rendered.map_or_else(Demanded::default, |rendered| {
        let objects = manifest::objects(rendered).iter();
        Demanded::of(objects.map(|one| one.manifest.root()))
    })
}

/// The documents that a unit is made of, on both sides.
fn documents_of(
    plans: &Plans<'_>,
    jobs: [&Option<UnitJob<'_>>; 2],
) -> Arc<BTreeSet<(String, String)>> {
    let mut documents = BTreeSet::new();
    for job in jobs.into_iter().flatten() {
        documents.extend(job.documents().into_iter().map(document_key));
    }
    for plan in [&plans.0, &plans.1].into_iter().flatten() {
        documents.insert(document_key(&plan.platform.tree));
    }
    Arc::new(documents)
}

fn traced(
    built: Option<Built<'_>>,
    rendered: Option<Vec<Rendered>>,
    documents: &Arc<BTreeSet<(String, String)>>,
) -> Vec<Traced> {
    match (built, rendered) {
        (Some((_, unit)), Some(rendered)) => objects::of_unit(&unit, rendered, documents),
        _ => Vec::new(),
    }
}

/// Gives an object the name and namespace that what takes over from it has.
fn taken_over(object: &mut Object, places: &PlacePair, own: Option<&str>, theirs: Option<&str>) {
    if let (Some(own), Some(theirs)) = (own, theirs)
        && object.namespace == own
    {
        theirs.clone_into(&mut object.namespace);
    }
    if let (Some(own), Some(theirs)) = (own, theirs)
        && object.name == own
    {
        theirs.clone_into(&mut object.name);
    }
    object.name = object.name.replace(&places.from.0, &places.to.0);
    object.name = object.name.replace(&places.from.1, &places.to.1);
}

impl UnitComparison<'_> {
    /// Judges what the change does to each object that it touches.
    fn judge_changes(
        &self,
        before: &[View<'_>],
        old_unit: Option<&Built<'_>>,
        new_unit: Option<&Built<'_>>,
        rendered: Option<&[Rendered]>,
        shared: &mut Shared,
    ) {
        let Some((job, unit)) = new_unit.or(old_unit) else {
            return;
        };
        let before = before.iter().map(|view| (ObjectId::of(*view), *view));
        let mut known: BTreeMap<ObjectId, View<'_>> = before.collect();
        let mut pairs = Vec::new();
        for one in rendered.unwrap_or_default() {
            let root = one.manifest.root();
            match known.remove(&ObjectId::of(root)) {
                Some(before)
                    if before.is_written_as(root) || before.to_json() == root.to_json() => {}
                before => pairs.push((before, Some(one))),
            }
        }
        pairs.extend(known.into_values().map(|before| (Some(before), None)));
        let objects = UnitObjects {
            unit,
            rendered: rendered.unwrap_or_default(),
            contexts: job.policy_parameters(),
        };
        let (left, sink) = (&mut shared.new_tally.judged, &mut shared.new_sink);
        self.policies.change(&objects, &pairs, left, sink);
    }
}

fn build<'a>(
    job: Option<&UnitJob<'a>>,
    plan: Option<&Plan<'_>>,
    policies: &Policies<'_>,
    sink: &mut Sink,
) -> Option<Built<'a>> {
    let job = *job?;
    let mut unit = job.build(plan?, sink);
    job.enforce(&mut unit, plan?, policies, sink);
    Some((job, unit))
}

fn populate(population: &mut Population, unit: &Unit, rendered: &[Rendered]) {
    let place = objects::place_of(&unit.key);
    for one in manifest::objects(rendered)
        .iter()
        .filter(|one| one.is_written)
    {
        let instance = one.instance.and_then(|at| unit.instances.get(at));
        let component = instance.map_or("", |instance| &instance.component);
        let key = (
            Arc::clone(&place.environment),
            component.into(),
            one.manifest.kind().into_owned(),
        );
        if !place.tenant.is_empty() {
            let tenants = population.entry(key).or_default();
            tenants.insert(Arc::clone(&place.tenant));
        }
    }
}

/// `globex in production`; a cluster by its own name.
pub(super) fn title(key: &UnitKey) -> String {
    let who = if key.tenant().is_none() {
        &key.cluster
    } else {
        key.tenant_name()
    };
    format!("{who} in {}", key.environment)
}
