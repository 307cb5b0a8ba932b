//! Two compilations, unit by unit: what a review is made of. Files that both sides have are read
//! once, and units that are made of the same values are rendered once.

mod figures;
mod placed;
mod same;

use std::collections::{BTreeMap, BTreeSet};
use std::io;
use std::path::PathBuf;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

use rayon::prelude::*;

use crate::diagnostics::{Sink, Sources};
use crate::load::manifests::{self, ManifestFile};
use crate::load::{self, FileCache, Loaded};
use crate::model::change::{ChangePlace, Object, Review};
use crate::model::instance::{Unit, UnitKey};
use crate::model::manifest::{self, Rendered};
use crate::model::object_id::ObjectId;
use crate::model::view::View;
use crate::policy::{Policies, UnitObjects};
use crate::resolve::Plan;
use crate::review::causes::{Comparer, Traced};
use crate::review::fold::Population;
use crate::review::inputs::{InputChanges, InputSide, document_key};
use crate::review::objects::{self, Changes, Incomplete};
use crate::review::risks::capacity::{Demanded, UnitFootprints};
use crate::review::{self, findings};
use crate::schema::kubernetes::ObjectSchemas;
use crate::side::{self, Snapshot, UnitJob, UnitTotals};
use crate::yaml::Node;
use crate::{CompileOptions, Visitor};
use figures::money_and_room;
use placed::{Placed, placed, readable};
use same::{is_made_the_same, sees_the_same, usage_of_base};

/// What the head is compared with.
pub enum Base {
    /// Another state of the repository.
    Repository(Box<CompileOptions>),
    /// The same repository, and two places in it: what runs in one of them is compared with what
    /// would take over in the other.
    Elsewhere(Box<CompileOptions>, PlacePair),
    /// A folder of rendered manifests.
    Folder(PathBuf),
    /// Manifests as one text.
    Text(String),
}

/// Two places: an environment on a cluster each.
#[derive(Clone, Debug)]
pub struct PlacePair {
    /// Where tenants run.
    pub from: (String, String),
    /// Where they would run.
    pub to: (String, String),
    /// Which tenants; all that run there if none is named.
    pub tenants: Vec<String>,
}

impl PlacePair {
    /// Whether a unit is one of these tenants at a place; what belongs to a cluster stays there.
    fn has(&self, key: &UnitKey, place: &(String, String)) -> bool {
        let is_there = (&key.environment, &key.cluster) == (&place.0, &place.1);
        let is_named = self.tenants.is_empty() || self.tenants.contains(&key.tenant);
        is_there && is_named && !key.tenant.is_empty()
    }

    /// The unit that would take over from one.
    fn taking_over(&self, key: &UnitKey) -> UnitKey {
        UnitKey {
            environment: self.to.0.clone(),
            cluster: self.to.1.clone(),
            tenant: key.tenant.clone(),
        }
    }
}

/// A review, and what it was made from.
pub struct Comparison {
    /// The review.
    pub review: Review,
    /// The files of both sides.
    pub sources: Sources,
    /// Whether the head has errors, so that parts of it were not compared.
    pub has_errors: bool,
}

/// Compares a head with a base.
///
/// # Errors
/// One of the two cannot be read; never what is wrong with the input, which is in the findings.
pub fn compare(
    head: &CompileOptions,
    base: &Base,
    visitor: &dyn Visitor,
) -> io::Result<Comparison> {
    let mut sources = Sources::default();
    let mut sinks = [Sink::default(), Sink::default()];
    let [old_sink, new_sink] = &mut sinks;
    let loaded = load::run(&head.source, &head.extra, None, &mut sources, new_sink)?;
    let mut old: Option<(&CompileOptions, Loaded)> = None;
    let mut files: Vec<ManifestFile> = Vec::new();
    match base {
        Base::Repository(options) | Base::Elsewhere(options, _) => {
            let known = FileCache::new(&loaded, &sources);
            let loaded = load::run(
                &options.source,
                &options.extra,
                Some(&known),
                &mut sources,
                old_sink,
            )?;
            old = Some((options, loaded));
        }
        Base::Folder(root) => files = manifests::of_folder(root, &mut sources, old_sink)?,
        Base::Text(text) => {
            (files, _) = manifests::of_text("(stdin)", text.clone(), &mut sources, old_sink);
        }
    }
    let places = match base {
        Base::Elsewhere(_, places) => Some(places),
        _ => None,
    };
    if old.is_none() {
        readable(&files, old_sink, &sources)?;
    }
    let documents = trees(&loaded);
    let old_documents = old.as_ref().map(|(_, loaded)| trees(loaded));
    let new = Snapshot::new(head, loaded, &sources, new_sink);
    let old = old.map(|(options, loaded)| Snapshot::new(options, loaded, &sources, old_sink));
    let inputs = match (&old, &old_documents) {
        (Some(old), Some(old_documents)) => InputChanges::compare(
            &input_side(old, old_documents),
            &input_side(&new, &documents),
            &sources,
        ),
        _ => InputChanges::none(),
    };
    let mut review = Review::default();
    let policies = new.policies(&sources, new_sink);
    let old_policies = old.as_ref().map(|old| old.policies(&sources, old_sink));
    let same_policies = old_policies
        .as_ref()
        .is_some_and(|old| old.is_same(&policies));
    let work = UnitComparison {
        new: &new,
        old: old.as_ref(),
        policies: &policies,
        old_policies: old_policies.as_ref().unwrap_or(&policies),
        same_policies,
        same_waivers: old_policies
            .as_ref()
            .is_some_and(|old| old.has_same_waivers(&policies)),
        sources: &sources,
        same_making: old.as_ref().is_some_and(|old| is_made_the_same(old, &new)),
        places,
    };
    let plans = (
        new.plan(&sources, new_sink),
        old.as_ref().and_then(|old| old.plan(&sources, old_sink)),
    );
    if old.is_some() && plans.1.is_none() {
        let note = "the base has no Platform that can be used, so no manifest can be compared";
        review.notes.push(note.to_owned());
    }
    let platform = plans.0.as_ref().map(|plan| &plan.platform.spec);
    let placed = placed(files, platform, plans.0.as_ref());
    let pairs = pairs(plans.0.as_ref(), plans.1.as_ref(), &placed, places);
    let comparer = Comparer::new(
        &sources,
        inputs,
        one_sided(&pairs, &placed),
        new.schemas.custom(),
    );
    let shared = Mutex::new(Shared::default());
    let changes = Changes::default();
    let done = AtomicUsize::new(0);
    pairs.par_iter().for_each(|(key, pair)| {
        let base = placed.get(key).cloned();
        let shared_part = work.unit(&plans, key, pair, base, &comparer, &changes);
        shared
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .append(shared_part);
        visitor.progress(done.fetch_add(1, Ordering::Relaxed) + 1, pairs.len());
    });
    let mut shared = shared.into_inner().unwrap_or_else(PoisonError::into_inner);
    let placeless = UnitKey {
        environment: String::new(),
        cluster: String::new(),
        tenant: String::new(),
    };
    if let Some(objects) = placed.get(&placeless) {
        review
            .notes
            .extend(placed::cluster_note(objects, plans.0.as_ref()));
        changes.unit(&comparer, objects.clone(), Vec::new());
    }
    shared.footprints.sort_by(|a, b| a.key.cmp(&b.key));
    review.compared = shared.new_tally.counts.objects;
    let mut not_compared: BTreeSet<String> = std::mem::take(&mut shared.not_compared);
    new_sink.append(shared.new_sink);
    old_sink.append(shared.old_sink);
    let (new_tally, old_tally) = (shared.new_tally, shared.old_tally);
    rayon::join(
        || new.across(new_tally, &policies, &sources, new_sink),
        || {
            let old = old.as_ref();
            old.map(|old| old.across(old_tally, work.old_policies, &sources, old_sink))
        },
    );
    let [old_sink, new_sink] = sinks;
    let has_errors = new_sink.has_errors();
    let base_has_errors = old_sink.has_errors();
    review.is_incomplete = base_has_errors;
    // What one side lacks, where it has errors, may only be hidden by them.
    for (key, pair) in &pairs {
        let hidden = match pair {
            (Some(_), None) => has_errors,
            (None, Some(_)) => base_has_errors,
            _ => false,
        };
        not_compared.extend(hidden.then(|| title(key)));
    }
    notes(
        &mut review,
        base,
        base_has_errors,
        has_errors,
        &not_compared,
    );
    let new_findings = new_sink.finish(&sources);
    if old.is_some() && places.is_none() {
        let old_findings = old_sink.finish(&sources);
        review.findings_compared = true;
        let compared = findings::compare(old_findings, new_findings, &sources);
        review.newly_waived = findings::newly_waived(&compared);
        review.new_findings = compared.new;
        review.fixed_findings = compared.fixed;
        review.old_findings = compared.old;
        // What was not rendered has no findings to be fixed.
        if has_errors {
            review.fixed_findings.clear();
        }
    } else {
        review.old_findings = new_findings;
    }
    // What has no place has no tenant to pay for it, and what has errors is not there to be counted.
    let counts = places.is_none() && !placed.contains_key(&placeless);
    if counts && !has_errors && !base_has_errors {
        money_and_room(&mut review, &shared.footprints, &plans, old.as_ref(), &new);
    }
    let incomplete = Incomplete {
        base: base_has_errors,
        head: has_errors,
    };
    let belongs = |object: &Object| placed::belongs(object, plans.0.as_ref(), &head.selection);
    let population = &shared.population;
    let review = review::finish(comparer, changes, population, incomplete, &belongs, review);
    drop((plans, old_policies, policies));
    Ok(Comparison {
        review,
        sources,
        has_errors,
    })
}

/// Compares two texts of manifests; nothing if one of them is something else.
pub fn of_texts(path: &str, before: String, after: String) -> Option<Review> {
    of_texts_with(path, before, after, &ObjectSchemas::default())
}

/// Compares two texts of manifests, of which some are custom resources of known schemas.
pub fn of_texts_with(
    path: &str,
    before: String,
    after: String,
    custom: &ObjectSchemas,
) -> Option<Review> {
    let mut sources = Sources::default();
    let mut sink = Sink::default();
    let is_empty = [before.trim().is_empty(), after.trim().is_empty()];
    let mut others = false;
    let sides = [before, after].map(|text| {
        let (files, left_out) = manifests::of_text(path, text, &mut sources, &mut sink);
        others |= left_out > 0;
        let placed = placed(files, None, None);
        placed.into_values().flatten().collect::<Vec<Traced>>()
    });
    let unread = sides
        .iter()
        .zip(is_empty)
        .any(|(side, is_empty)| side.is_empty() && !is_empty);
    if sink.has_errors() || unread || others {
        return None;
    }
    let comparer = Comparer::new(
        &sources,
        InputChanges::none(),
        BTreeSet::new(),
        BTreeMap::from([("", custom)]),
    );
    let changes = Changes::default();
    let [before, after] = sides;
    changes.unit(&comparer, before, after);
    let population = Population::default();
    Some(review::finish(
        comparer,
        changes,
        &population,
        Incomplete::default(),
        &|_| true,
        Review::default(),
    ))
}

fn trees(loaded: &Loaded) -> Vec<Node> {
    let documents = loaded.documents.iter();
    documents.map(|document| document.tree.clone()).collect()
}

fn input_side<'a>(side: &'a Snapshot<'_>, documents: &'a [Node]) -> InputSide<'a> {
    let templates = side.loaded.templates.iter();
    InputSide {
        documents,
        templates: templates
            .map(|template| (template.path.as_str(), template.file))
            .collect(),
        files: &side.named_files,
    }
}

/// The jobs that make one unit: of the base and of the head.
type JobPair<'a> = (Option<UnitJob<'a>>, Option<UnitJob<'a>>);
/// The plans of the head and of the base.
type Plans<'a> = (Option<Plan<'a>>, Option<Plan<'a>>);

/// The units of both sides.
fn pairs<'a>(
    new: Option<&'a Plan<'a>>,
    old: Option<&'a Plan<'a>>,
    placed: &Placed,
    places: Option<&PlacePair>,
) -> BTreeMap<UnitKey, JobPair<'a>> {
    let mut pairs: BTreeMap<UnitKey, JobPair<'a>> = BTreeMap::new();
    let jobs = |plan: Option<&'a Plan<'a>>| {
        plan.map(|plan| side::work(plan, crate::Shard::WHOLE))
            .unwrap_or_default()
    };
    for job in jobs(old) {
        let key = match places {
            None => job.key(),
            Some(places) if places.has(&job.key(), &places.from) => places.taking_over(&job.key()),
            Some(_) => continue,
        };
        pairs.entry(key).or_default().0 = Some(job);
    }
    let is_meant =
        |job: &UnitJob<'_>| places.is_none_or(|places| places.has(&job.key(), &places.to));
    for job in jobs(new).into_iter().filter(is_meant) {
        pairs.entry(job.key()).or_default().1 = Some(job);
    }
    // Tenants that only run where nothing fails over from have nothing to do with it.
    if places.is_some() {
        pairs.retain(|_, pair| pair.0.is_some());
    }
    for key in placed.keys().filter(|key| !key.cluster.is_empty()) {
        pairs.entry(key.clone()).or_default();
    }
    pairs
}

/// Places that only one side has: units, and components of units.
fn one_sided(pairs: &BTreeMap<UnitKey, JobPair<'_>>, placed: &Placed) -> BTreeSet<ChangePlace> {
    let mut places = BTreeSet::new();
    for (key, (old, new)) in pairs {
        let place = objects::place_of(key);
        let components = |job: &Option<UnitJob<'_>>| -> BTreeSet<String> {
            let names = job.as_ref().map(UnitJob::components).unwrap_or_default();
            names.into_iter().map(str::to_owned).collect()
        };
        let (mut before, after) = (components(old), components(new));
        let was_read = placed.get(key);
        if let Some(objects) = was_read {
            let objects = objects.iter();
            before.extend(objects.map(|one| one.object.place.component.to_string()));
        }
        for component in before.symmetric_difference(&after) {
            if !component.is_empty() {
                places.insert(ChangePlace {
                    component: component.as_str().into(),
                    ..place.clone()
                });
            }
        }
        if (old.is_some() || was_read.is_some()) != new.is_some() {
            places.insert(place);
        }
    }
    places
}

/// What units leave behind.
#[derive(Default)]
struct Shared {
    new_sink: Sink,
    old_sink: Sink,
    new_tally: UnitTotals,
    old_tally: UnitTotals,
    population: Population,
    footprints: Vec<UnitFootprints>,
    /// Units of which one side has errors.
    not_compared: BTreeSet<String>,
}

impl Shared {
    fn append(&mut self, other: Shared) {
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

struct UnitComparison<'a> {
    new: &'a Snapshot<'a>,
    old: Option<&'a Snapshot<'a>>,
    policies: &'a Policies<'a>,
    old_policies: &'a Policies<'a>,
    /// Whether both sides judge in the same way.
    same_policies: bool,
    /// Whether waivers except the same on both.
    same_waivers: bool,
    sources: &'a Sources,
    same_making: bool,
    /// What takes over from what.
    places: Option<&'a PlacePair>,
}

impl UnitComparison<'_> {
    fn unit(
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
        let new_rendered = new_unit
            .as_ref()
            .filter(|_| can_render(&new_built))
            .and_then(|(job, unit)| {
                let (tally, sink) = (&mut shared.new_tally, &mut shared.new_sink);
                self.new
                    .render(job, unit, self.policies, self.sources, tally, sink)
            });
        if let (Some((job, unit)), Some(rendered)) = (&new_unit, &new_rendered) {
            populate(&mut shared.population, unit, rendered);
            if self.same_policies {
                let (tally, sink) = (&mut shared.new_tally, &mut shared.new_sink);
                job.judge(unit, rendered, self.policies, tally, sink);
            }
        }
        let judge_new = |shared: &mut Shared| {
            if let (Some((job, unit)), Some(rendered), false) =
                (&new_unit, &new_rendered, self.same_policies)
            {
                let (tally, sink) = (&mut shared.new_tally, &mut shared.new_sink);
                job.judge(unit, rendered, self.policies, tally, sink);
            }
        };
        let asks = |rendered: &Option<Vec<Rendered>>| match rendered {
            Some(rendered) => {
                let objects = manifest::objects(rendered).iter();
                Demanded::of(objects.map(|one| one.manifest.root()))
            }
            None => Demanded::default(),
        };
        let after = asks(&new_rendered);
        if let (Some((_, new)), Some((_, old))) = (&new_unit, &old_unit)
            && self.same_making
            && self.same_waivers
            && can_render(&new_built)
            && can_render(&old_built)
            && sees_the_same(old, new)
        {
            // Same values, same templates, same schemas: the same manifests and findings.
            shared.old_tally = shared.new_tally.clone();
            shared.old_tally.usage = usage_of_base(&shared.new_tally.usage, old, new);
            shared.old_sink = shared.new_sink.clone();
            if let (Some((job, unit)), Some(rendered), false) =
                (&old_unit, &new_rendered, self.same_policies)
            {
                let (tally, sink) = (&mut shared.old_tally, &mut shared.old_sink);
                job.judge(unit, rendered, self.old_policies, tally, sink);
            }
            judge_new(&mut shared);
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
        judge_new(&mut shared);
        if let (Some((job, unit)), Some(rendered), Some(_)) = (&old_unit, &old_rendered, self.old) {
            let (tally, sink) = (&mut shared.old_tally, &mut shared.old_sink);
            job.judge(unit, rendered, self.old_policies, tally, sink);
        }
        shared.new_sink.append(new_built);
        shared.old_sink.append(old_built);
        let failed = |unit: &Option<(UnitJob<'_>, Unit)>, rendered: &Option<Vec<Rendered>>| {
            unit.is_some() && rendered.is_none()
        };
        if failed(&new_unit, &new_rendered) || failed(&old_unit, &old_rendered) {
            shared.not_compared.insert(title(key));
            return shared;
        }
        let before = match &read {
            Some(objects) => Demanded::of(objects.iter().map(|one| one.object.root())),
            None => asks(&old_rendered),
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
        let mut documents: BTreeSet<(String, String)> = BTreeSet::new();
        for job in [old_job, new_job].into_iter().flatten() {
            documents.extend(job.documents().into_iter().map(document_key));
        }
        for plan in [&plans.0, &plans.1].into_iter().flatten() {
            documents.insert(document_key(&plan.platform.tree));
        }
        let documents = Arc::new(documents);
        let namespace = new_unit.as_ref().map(|(_, unit)| unit.namespace.clone());
        let traced = |unit: Option<(UnitJob<'_>, Unit)>, rendered: Option<Vec<Rendered>>| match (
            unit, rendered,
        ) {
            (Some((_, unit)), Some(rendered)) => objects::of_unit(&unit, rendered, &documents),
            _ => Vec::new(),
        };
        let before = read.unwrap_or_else(|| match self.places {
            None => traced(old_unit, old_rendered),
            Some(places) => {
                let there = old_unit.map(|(job, mut unit)| {
                    unit.key = key.clone();
                    (job, unit)
                });
                let own = there.as_ref().map(|(_, unit)| unit.namespace.clone());
                let mut objects = traced(there, old_rendered);
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
        });
        changes.unit(comparer, before, traced(new_unit, new_rendered));
        shared
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
        old_unit: Option<&(UnitJob<'_>, Unit)>,
        new_unit: Option<&(UnitJob<'_>, Unit)>,
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
) -> Option<(UnitJob<'a>, Unit)> {
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
fn title(key: &UnitKey) -> String {
    let who = if key.tenant.is_empty() {
        &key.cluster
    } else {
        &key.tenant
    };
    format!("{who} in {}", key.environment)
}

fn notes(
    review: &mut Review,
    base: &Base,
    base_errors: bool,
    head_errors: bool,
    not_compared: &BTreeSet<String>,
) {
    /// Most that are named.
    const MOST: usize = 8;
    let mut add = |note: String| review.notes.push(note);
    if base_errors {
        add("the base has errors itself; what they concern is not compared".to_owned());
    }
    if head_errors {
        add(
            "the head has errors, which `tenantry check` shows; what they concern is not compared"
                .to_owned(),
        );
    }
    if !not_compared.is_empty() {
        let names: Vec<&str> = not_compared.iter().map(String::as_str).collect();
        let more = match names.len().saturating_sub(MOST) {
            0 => String::new(),
            more => format!(" and {more} more"),
        };
        let names = names[..names.len().min(MOST)].join(", ");
        add(format!("not compared: {names}{more}"));
    }
    if let Base::Elsewhere(..) = base {
        add("both sides are the same input, so no line of it is named as a cause; what the standby lacks is said to be removed".to_owned());
    } else if !matches!(base, Base::Repository(_)) {
        add("the base is rendered manifests: there is no input to name as a cause, and findings are not compared".to_owned());
    }
}
