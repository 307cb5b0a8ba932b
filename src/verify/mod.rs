//! Stage 5: the rendered manifests. Every object against a strict schema, every reference inside
//! the output, names, quotas. Findings point at the input line of the value; the template line is
//! secondary.
//!
//! * `schemas`: the schemas of a cluster. `versions`: which kinds and fields its version has.
//! * `budget`: what it costs, against the tenant's budget.
//! * `jobs`: how long they run and how many at once, against the tenant's limits.
//! * `isolation`: who reaches whom, and what accounts may do.
//! * `validation`: what the API server would refuse beyond that.
//! * `names`: how long operators allow names to be.
//! * `references`: what objects refer to.
//! * `quota`: requests at the most replicas, against the tenant's quota and the cluster's capacity.

mod budget;
pub mod isolation;
mod jobs;
mod names;
mod quota;
mod references;
mod schemas;
mod validation;
mod versions;

use std::collections::{BTreeMap, HashMap, HashSet};

pub use schemas::Schemas;

use jiff::civil::Date;

use crate::model::footprint::{self, Amounts, Footprint, UnitFootprint};
use crate::model::instance::{PlannedJob, Unit};
use crate::model::isolation::ClusterIsolation;
use crate::model::kinds::Catalog;
use crate::model::locator::Locator;
use crate::model::timetable;
use tenantry_engine::manifest::{Rendered, TemplateLine};
use tenantry_engine::schema::{self, SchemaProblem};
use tenantry_engine::view::View;
use tenantry_kubernetes::object_id::ObjectId;
use tenantry_kubernetes::versions::{FIELD_VERSIONS, minor};
use tenantry_syntax::diagnostics::catalogue::verify as codes;
use tenantry_syntax::diagnostics::{Diagnostic, Sink, Sources, Span};
use tenantry_syntax::yaml::Node;
use tenantry_validation::Entries;

/// An object whose fields nothing checks, because its kind has no schema.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Unchecked {
    /// Its cluster.
    pub cluster: String,
    /// The group and version of its kind.
    pub api_version: String,
    /// Its namespace; empty for none.
    pub namespace: String,
    /// Its kind and name: `Rollout/web`.
    pub object: String,
}

/// What one unit leaves behind for the checks that cross units.
#[derive(Clone, Debug, Default)]
pub struct UnitFacts {
    /// Objects that another unit could define, too.
    identities: Vec<Identity>,
    /// Kinds without a schema, with the template that makes them.
    unknown_kinds: Vec<(String, Option<Span>)>,
    /// Objects without a schema.
    pub unchecked: Vec<Unchecked>,
    /// What the unit's workloads request at most.
    peak: Amounts,
    /// What they ask for, by component.
    pub footprint: Option<UnitFootprint>,
    /// What the proof of isolation needs.
    isolation: isolation::IsolationFacts,
    cluster: String,
    tenant: String,
    environment: String,
}

impl UnitFacts {
    /// What facts are sorted by, so that the order of threads does not show.
    pub fn order(&self) -> (&str, &str, &str) {
        (&self.environment, &self.cluster, &self.tenant)
    }
}

#[derive(Clone, Debug)]
struct Identity {
    id: ObjectId,
    place: Option<Span>,
    template: Option<Span>,
}

/// Verifies the manifests of one unit; `complete` if every template of it could be rendered.
pub fn unit(
    schemas: &Schemas,
    unit: &Unit,
    rendered: &[Rendered],
    complete: bool,
    sources: &Sources,
    sink: &mut Sink,
) -> UnitFacts {
    let locator = Locator {
        sources,
        unit,
        rendered,
    };
    let mut facts = UnitFacts {
        cluster: unit.key.cluster.clone(),
        tenant: unit.key.tenant_name().to_owned(),
        environment: unit.key.environment.clone(),
        ..UnitFacts::default()
    };
    let mut seen: HashMap<ObjectId, &Rendered> = HashMap::new();
    let mut pods = validation::PodSecurity::new(schemas, &locator);
    let entries = Entries::default();
    for one in rendered {
        if !is_object(&locator, one, sink) {
            continue;
        }
        let mut found = Sink::default();
        let is_typed = structure(schemas, &locator, one, &mut facts, &mut found);
        pods.check(one, &mut found);
        if one.is_written {
            validation::check(schemas, &locator, one, is_typed, &entries, &mut found);
            names::check(&locator, one, &mut found);
        }
        about(unit, one, &mut found);
        sink.append(found);
        if !one.is_written {
            continue;
        }
        let id = ObjectId::of(one.manifest.root());
        if let Some(first) = seen.insert(id.clone(), one) {
            let diagnostic = Diagnostic::new(
                codes::DUPLICATE_OBJECT,
                format!("{} is rendered twice", one.manifest.title()),
            )
            .note(locator.object(one))
            .help("make the names differ, or remove one of the templates");
            let root = first.manifest.root();
            let diagnostic = locator.at(
                diagnostic,
                one.manifest
                    .root()
                    .at(&["metadata", "name"])
                    .unwrap_or(one.manifest.root()),
                "named here",
            );
            let template = sources.line_span(root.line().file, root.line().line as usize);
            sink.push(diagnostic.and(template, "the other template"));
        }
        // Others can only define objects outside the unit's own namespace, or in a shared one.
        let namespace = one.manifest.namespace();
        if namespace.is_empty() || namespace != unit.namespace || is_shared(unit) {
            let (place, template) = locator.place(
                one.manifest
                    .root()
                    .at(&["metadata", "name"])
                    .unwrap_or(one.manifest.root()),
            );
            facts.identities.push(Identity {
                id,
                place,
                template,
            });
        }
    }
    if complete && unit.key.tenant().is_some() {
        references::check(&locator, sink);
        let footprint = footprint(&locator);
        quota::check(&locator, &footprint, sink);
        facts.peak = footprint.total().peak;
        facts.footprint = Some(footprint);
    }
    if complete {
        facts.isolation = isolation::gather(&locator);
        if is_shared(unit) {
            isolation::gather_names(&locator, &mut facts.isolation);
        }
    }
    facts
}

/// What a unit asks for, component by component.
fn footprint(locator: &Locator<'_>) -> UnitFootprint {
    let mut objects: HashMap<Option<usize>, Vec<View<'_>>> = HashMap::new();
    for one in locator.rendered {
        objects
            .entry(one.instance)
            .or_default()
            .push(one.manifest.root());
    }
    let of = |instance| objects.get(&instance).cloned().unwrap_or_default();
    let instances = locator.unit.instances.iter().enumerate();
    let mut components: Vec<(String, Footprint)> = instances
        .map(|(at, instance)| (instance.component.clone(), Footprint::of(of(Some(at)))))
        .collect();
    let mut own = Footprint::of(of(None));
    // Jobs of a pipeline that wait for one another need no room beside each other.
    own.peak = own.peak.minus(&waiting(locator));
    components.push((String::new(), own));
    components.retain(|(_, footprint)| *footprint != Footprint::default());
    let instances = locator.unit.instances.iter().enumerate();
    let scheduled = instances.flat_map(|(at, instance)| {
        timetable::jobs(&locator.unit.key, &instance.component, of(Some(at)))
    });
    UnitFootprint {
        key: locator.unit.key.clone(),
        scheduled: scheduled.collect(),
        components,
        quota: footprint::quota(locator.rendered.iter().map(|one| one.manifest.root())),
        most_job_hours: limit(locator.unit, "maxMonthlyProcessingHours"),
        most_jobs: limit(locator.unit, "maxConcurrentJobs"),
    }
}

/// What jobs of pipelines ask for and do not need, because they wait for one another: of each row of jobs that
/// follow one another, all but the largest.
fn waiting(locator: &Locator<'_>) -> Amounts {
    let mut spared = Amounts::default();
    let mut unwritten: HashMap<String, Vec<View<'_>>> = HashMap::new();
    for one in locator.rendered.iter().filter(|one| !one.is_written) {
        let of_name = unwritten.entry(one.manifest.name().into_owned());
        of_name.or_default().push(one.manifest.root());
    }
    for pipeline in &locator.unit.pipelines {
        let asks: Vec<(&PlannedJob, Amounts)> = pipeline
            .jobs
            .iter()
            .map(|job| {
                let pods = unwritten.get(&format!("{}-{}", pipeline.name, job.name()));
                (job, Footprint::of(pods.cloned().unwrap_or_default()).peak)
            })
            .collect();
        // Rows are made greedily; whatever the rows, no two jobs of one run at the same time.
        let mut rows: Vec<(Vec<&PlannedJob>, Amounts, Amounts)> = Vec::new();
        for (job, amounts) in asks {
            let row = rows
                .iter_mut()
                .find(|(row, ..)| row.iter().all(|other| other.waits_with(job)));
            match row {
                Some((row, sum, most)) => {
                    row.push(job);
                    sum.append(&amounts);
                    *most = most.larger(&amounts);
                }
                None => rows.push((vec![job], amounts, amounts)),
            }
        }
        for (_, sum, most) in rows {
            spared.append(&sum.minus(&most));
        }
    }
    spared
}

fn of_tenant<'a>(unit: &'a Unit, path: &[&str]) -> Option<&'a Node> {
    let (_, tenant) = unit.variables.iter().find(|(name, _)| *name == "tenant")?;
    tenant.at(path)
}

fn is_shared(unit: &Unit) -> bool {
    of_tenant(unit, &["isolation"]).and_then(Node::as_str) == Some("shared")
}

/// A number among the tenant's limits.
fn limit(unit: &Unit, name: &str) -> Option<f64> {
    of_tenant(unit, &["limits", name])?.to_json().as_f64()
}

fn is_object(locator: &Locator<'_>, one: &Rendered, sink: &mut Sink) -> bool {
    let root = one.manifest.root();
    let missing = [&["apiVersion"][..], &["kind"], &["metadata", "name"]]
        .into_iter()
        .find(|path| {
            root.at(path)
                .is_none_or(|view| view.text().is_none_or(|text| text.is_empty()))
        });
    let Some(path) = missing else {
        return has_proper_kind(locator, one, sink);
    };
    let diagnostic = Diagnostic::new(
        tenantry_syntax::diagnostics::catalogue::render::NOT_AN_OBJECT,
        format!("the template's document has no `{}`", path.join(".")),
    )
    .note(locator.object(one))
    .help(format!("add `{}` as text", path.join(".")));
    sink.push(locator.at(diagnostic, root, "this document"));
    false
}

/// A kind is a word of letters and digits: <https://kubernetes.io/docs/reference/using-api/api-concepts/>.
/// A list of objects is none: nothing would look into it.
fn has_proper_kind(locator: &Locator<'_>, one: &Rendered, sink: &mut Sink) -> bool {
    let (root, kind) = (one.manifest.root(), one.manifest.kind());
    let is_word = kind.len() <= 63
        && kind.bytes().all(|b| b.is_ascii_alphanumeric())
        && kind.starts_with(|c: char| c.is_ascii_alphabetic());
    let items = root.get("items").filter(|_| kind.ends_with("List"));
    let (place, message, help) = match (is_word, items) {
        (true, None) => return true,
        (true, Some(items)) => (
            items,
            format!("a {kind} holds objects that nothing would check"),
            "write each of its `items` as a document of its own, with `---` between them",
        ),
        (false, _) => (
            root.get("kind").unwrap_or(root),
            format!("`{kind}` is no kind of object"),
            "write a kind of letters and digits, such as `ConfigMap`",
        ),
    };
    let code = tenantry_syntax::diagnostics::catalogue::render::NOT_AN_OBJECT;
    let diagnostic = Diagnostic::new(code, message)
        .note(locator.object(one))
        .help(help);
    sink.push(locator.at(diagnostic, place, ""));
    false
}

/// Says which object findings are about, where a waiver may except them.
fn about(unit: &Unit, one: &Rendered, found: &mut Sink) {
    for finding in found
        .iter_mut()
        .filter(|finding| finding.code.is_waivable())
    {
        let instance = one.instance.and_then(|at| unit.instances.get(at));
        let about = finding.about.get_or_insert_default();
        about.object = one.manifest.title();
        about.component = instance.map_or_else(String::new, |instance| instance.component.clone());
    }
}

/// Judges an object by its schema, and tells whether it meets it.
fn structure(
    schemas: &Schemas,
    locator: &Locator<'_>,
    one: &Rendered,
    facts: &mut UnitFacts,
    sink: &mut Sink,
) -> bool {
    let root = one.manifest.root();
    let (api_version, kind) = (one.manifest.api_version(), one.manifest.kind());
    if !versions::check(schemas, locator, one, sink) {
        return false;
    }
    let Some((rule, set)) = schemas.find(&locator.unit.key.cluster, &api_version, &kind) else {
        let name = format!("{kind} of {api_version}");
        if !facts.unknown_kinds.iter().any(|(known, _)| *known == name) {
            facts.unknown_kinds.push((name, locator.place(root).1));
        }
        if one.is_written {
            facts.unchecked.push(Unchecked {
                cluster: locator.unit.key.cluster.clone(),
                api_version: api_version.into_owned(),
                namespace: one.manifest.namespace().into_owned(),
                object: one.manifest.title(),
            });
        }
        return true;
    };
    let minor = schemas.minor(&locator.unit.key.cluster);
    let violations = schema::check_manifest(&one.manifest, rule, set, minor, &schemas.structures);
    let is_typed = violations.is_empty();
    for violation in violations {
        let code = match violation.problem {
            SchemaProblem::OtherVersion { .. } => codes::FIELD_VERSION,
            _ => codes::SCHEMA,
        };
        let mut diagnostic = violation.describe(code).note(locator.object(one));
        diagnostic.message = format!("{kind}: {}", diagnostic.message);
        diagnostic = diagnostic.on(violation.path.to_string());
        if let SchemaProblem::WrongType {
            expected, found, ..
        } = &violation.problem
            && expected == "text"
            && violation.view.line() != TemplateLine::NONE
        {
            diagnostic.help = Some(format!(
                "{found} is printed as it is; in the template, quotes make it text: `\"{{{{ … }}}}\"`"
            ));
        }
        let key = violation.key.and_then(|id| locator.sources.span(id));
        sink.push(match (&violation.problem, key) {
            (_, Some(span)) => {
                let template = locator.place(violation.view).1;
                diagnostic
                    .at(span, "")
                    .and(template, "printed by this template line")
            }
            (SchemaProblem::UnknownField(..) | SchemaProblem::OtherVersion { .. }, None) => {
                locator.at_template(diagnostic, violation.view, "")
            }
            _ => locator.at(diagnostic, violation.view, ""),
        });
    }
    is_typed
}

/// Checks what only all units together show, and proves the isolation of each cluster. `footprints` are what
/// units ask for.
pub fn across(
    facts: &[&UnitFacts],
    footprints: &[UnitFootprint],
    catalog: &Catalog,
    schemas: &Schemas,
    as_of: Date,
    sources: &Sources,
    sink: &mut Sink,
) -> Vec<ClusterIsolation> {
    duplicates(facts, sink);
    budget::check(footprints, catalog, sources, sink);
    jobs::hours(footprints, catalog, sources, sink);
    jobs::in_both_places(footprints, catalog, sources, sink);
    jobs::at_the_same_time(footprints, catalog, as_of, sources, sink);
    let isolation = isolation::prove(facts, catalog, sink);
    quota::capacity(facts, catalog, sources, sink);
    let mut unknown: BTreeMap<(&str, &str), Option<Span>> = BTreeMap::new();
    for fact in facts {
        for (kind, template) in &fact.unknown_kinds {
            unknown.entry((kind, &fact.cluster)).or_insert(*template);
        }
    }
    let mut clusters: BTreeMap<&str, Vec<&str>> = BTreeMap::new();
    let mut templates: BTreeMap<&str, Option<Span>> = BTreeMap::new();
    for ((kind, cluster), template) in unknown {
        clusters.entry(kind).or_default().push(cluster);
        templates.entry(kind).or_insert(template);
    }
    for (kind, clusters) in clusters {
        sink.push(
            Diagnostic::new(
                codes::NO_SCHEMA,
                format!("{kind} has no schema, so its fields are not checked"),
            )
            .at(
                templates.get(kind).copied().flatten(),
                "rendered by this template",
            )
            .note(format!(
                "on {}",
                tenantry_syntax::diagnostics::list_names(clusters)
            ))
            .help(
                "add the CRD's file to the clusters' `crds`, or a dump of their API to `openapi`",
            ),
        );
    }
    let used: HashSet<&str> = facts.iter().map(|fact| fact.cluster.as_str()).collect();
    for cluster in catalog
        .clusters
        .iter()
        .filter(|cluster| used.contains(cluster.name.as_str()))
    {
        let Some(minor) = minor(&cluster.spec.kubernetes_version) else {
            continue;
        };
        if !FIELD_VERSIONS.contains(&minor) && !schemas.has_dump(&cluster.name) {
            let span = sources.span(cluster.fields().kubernetes_version().place());
            let nearest = minor.clamp(*FIELD_VERSIONS.start(), *FIELD_VERSIONS.end());
            let message = format!(
                "cluster `{}` runs 1.{minor}, and is judged by the schemas of 1.{nearest}",
                cluster.name
            );
            sink.push(
                Diagnostic::new(codes::OTHER_VERSION, message)
                    .at(span, "not a version whose schemas are built in")
                    .help("add a dump of its API as `openapi` (kubectl get --raw /openapi/v2)"),
            );
        }
    }
    isolation
}

fn duplicates(facts: &[&UnitFacts], sink: &mut Sink) {
    let mut seen: HashMap<(&str, &ObjectId), (&UnitFacts, &Identity)> = HashMap::new();
    for fact in facts.iter().copied() {
        for identity in &fact.identities {
            let Some((first, other)) = seen.insert((&fact.cluster, &identity.id), (fact, identity))
            else {
                continue;
            };
            if std::ptr::eq(first, fact) {
                continue;
            }
            let who = |fact: &UnitFacts| {
                if fact.tenant.is_empty() {
                    format!("the cluster's own in {}", fact.environment)
                } else {
                    format!("{} in {}", fact.tenant, fact.environment)
                }
            };
            let diagnostic = Diagnostic::new(
                codes::DUPLICATE_OBJECT,
                format!(
                    "{} on {} is rendered twice: for {} and for {}",
                    identity.id,
                    fact.cluster,
                    who(first),
                    who(fact)
                ),
            );
            let diagnostic = match identity.place.or(identity.template) {
                Some(place) => diagnostic.at(place, "named here"),
                None => diagnostic,
            };
            let other = other.place.filter(|place| Some(*place) != identity.place);
            sink.push(diagnostic.and(other, "and here").and(identity.template, "the template").help("make the names differ; where two environments share a cluster, with `namespace: data-tenant-{tenant}-{environment}` in the Platform's `naming` (every namespace is then a new one)"));
        }
    }
}
