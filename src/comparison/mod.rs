//! Two compilations, unit by unit: what a review is made of. Files that both sides have are read
//! once, and units that are made of the same values are rendered once.

mod figures;
mod placed;
mod same;
mod unit;

use std::collections::{BTreeMap, BTreeSet};
use std::io;
use std::path::PathBuf;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Mutex, PoisonError};

use rayon::prelude::*;

use crate::load::manifests::{self, ManifestFile};
use crate::load::{self, FileCache, Loaded};
use crate::model::change::{ChangePlace, Object, Review};
use crate::model::instance::UnitKey;
use crate::resolve::Plan;
use crate::review::causes::{Comparer, Traced};
use crate::review::fold::Population;
use crate::review::inputs::{InputChanges, InputSide};
use crate::review::objects::{self, Changes, Incomplete};
use crate::review::{self, findings};
use crate::side::{self, Snapshot, UnitJob};
use crate::{CompileOptions, Visitor};
use figures::money_and_room;
use placed::{Placed, placed, readable};
use tenantry_kubernetes::schemas::ObjectSchemas;
use tenantry_syntax::diagnostics::{Diagnostic, Sink, Sources};
use tenantry_syntax::yaml::Node;
use unit::{Shared, UnitComparison, title};

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
        let is_named =
            self.tenants.is_empty() || self.tenants.iter().any(|name| name == key.tenant_name());
        is_there && is_named && key.tenant().is_some()
    }

    /// The unit that would take over from one.
    fn taking_over(&self, key: &UnitKey) -> UnitKey {
        UnitKey {
            environment: self.to.0.clone(),
            cluster: self.to.1.clone(),
            owner: key.owner.clone(),
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
    let (old, files) = read_base(base, &loaded, &mut sources, old_sink)?;
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
    let work = UnitComparison::new(
        &new,
        old.as_ref(),
        &policies,
        old_policies.as_ref(),
        places,
        &sources,
    );
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
    let changes = Changes::default();
    let mut shared = compare_units(&work, &plans, &pairs, &placed, &comparer, &changes, visitor);
    if let Some(objects) = placed.get(&None) {
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
    not_compared.extend(hidden(&pairs, has_errors, base_has_errors));
    notes(
        &mut review,
        base,
        base_has_errors,
        has_errors,
        &not_compared,
    );
    let old_findings = (old.is_some() && places.is_none()).then(|| old_sink.finish(&sources));
    compare_findings(
        &mut review,
        old_findings,
        new_sink.finish(&sources),
        has_errors,
        &sources,
    );
    // What has no place has no tenant to pay for it, and what has errors is not there to be counted.
    let counts = places.is_none() && !placed.contains_key(&None);
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

/// What is known of a base, and its manifests if it has no more than those.
type BaseInput<'b> = (Option<(&'b CompileOptions, Loaded)>, Vec<ManifestFile>);

fn read_base<'b>(
    base: &'b Base,
    head: &Loaded,
    sources: &mut Sources,
    sink: &mut Sink,
) -> io::Result<BaseInput<'b>> {
    match base {
        Base::Repository(options) | Base::Elsewhere(options, _) => {
            let known = FileCache::new(head, sources);
            let loaded = load::run(&options.source, &options.extra, Some(&known), sources, sink)?;
            Ok((Some((options, loaded)), Vec::new()))
        }
        Base::Folder(root) => Ok((None, manifests::of_folder(root, sources, sink)?)),
        Base::Text(text) => {
            let (files, _) = manifests::of_text("(stdin)", text.clone(), sources, sink);
            Ok((None, files))
        }
    }
}

/// Compares all units, in parallel.
fn compare_units(
    work: &UnitComparison<'_>,
    plans: &Plans<'_>,
    pairs: &BTreeMap<UnitKey, JobPair<'_>>,
    placed: &Placed,
    comparer: &Comparer<'_>,
    changes: &Changes,
    visitor: &dyn Visitor,
) -> Shared {
    let shared = Mutex::new(Shared::default());
    let done = AtomicUsize::new(0);
    pairs.par_iter().for_each(|(key, pair)| {
        let base = placed.get(&Some(key.clone())).cloned();
        let of_unit = work.unit(plans, key, pair, base, comparer, changes);
        shared
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .append(of_unit);
        visitor.progress(done.fetch_add(1, Ordering::Relaxed) + 1, pairs.len());
    });
    shared.into_inner().unwrap_or_else(PoisonError::into_inner)
}

/// Units that only one side has, where errors of the other may hide them: what one side lacks may be there all the same.
fn hidden(
    pairs: &BTreeMap<UnitKey, JobPair<'_>>,
    has_errors: bool,
    base_has_errors: bool,
) -> impl Iterator<Item = String> {
    let hidden = move |pair: &JobPair<'_>| match pair {
        (Some(_), None) => has_errors,
        (None, Some(_)) => base_has_errors,
        _ => false,
    };
    pairs
        .iter()
        .filter(move |(_, pair)| hidden(pair))
        .map(|(key, _)| title(key))
}

fn compare_findings(
    review: &mut Review,
    old: Option<Vec<Diagnostic>>,
    new: Vec<Diagnostic>,
    has_errors: bool,
    sources: &Sources,
) {
    let Some(old) = old else {
        review.old_findings = new;
        return;
    };
    review.findings_compared = true;
    let compared = findings::compare(old, new, sources);
    review.newly_waived = findings::newly_waived(&compared);
    review.new_findings = compared.new;
    review.fixed_findings = compared.fixed;
    review.old_findings = compared.old;
    // What was not rendered has no findings to be fixed.
    if has_errors {
        review.fixed_findings.clear();
    }
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
    for key in placed.keys().flatten() {
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
        let was_read = placed.get(&Some(key.clone()));
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
