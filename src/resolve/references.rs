//! Every name that a document mentions exists, and only once.

use std::collections::BTreeMap;

use super::PlanInput;
use crate::model::kinds::{DeliveryEngine, KindName};
use tenantry_syntax::diagnostics::catalogue::resolve as codes;
use tenantry_syntax::diagnostics::{Diagnostic, Sink, suggest};
use tenantry_syntax::yaml::NodeId;

/// Checks the names of all documents but those of tenants' subscriptions, which `tenants` does.
pub fn check(input: &PlanInput<'_>, sink: &mut Sink) {
    let catalog = input.catalog;
    let known = KindName::ALL
        .iter()
        .map(|kind| (*kind, catalog.names(*kind)));
    let known: BTreeMap<KindName, Vec<(&str, NodeId)>> = known.collect();
    for (kind, name, place) in catalog.references().found {
        exists(input, kind, &known[&kind], (&name, place), sink);
    }
    for (kind, documents) in &known {
        duplicates(input, *kind, documents, sink);
    }
    platforms(input, sink);
    components(input, sink);
    environments(input, sink);
    windows(input, sink);
}

/// There is a document of a kind and name.
fn exists(
    input: &PlanInput<'_>,
    kind: KindName,
    known: &[(&str, NodeId)],
    (name, place): (&str, NodeId),
    sink: &mut Sink,
) {
    let is_known = known
        .binary_search_by(|(known, _)| (*known).cmp(name))
        .is_ok();
    if is_known || input.may_exist(kind, name) {
        return;
    }
    let word = kind.as_str();
    let message = format!("there is no {} `{name}`", word.to_lowercase());
    let diagnostic =
        Diagnostic::new(codes::UNKNOWN_REFERENCE, message).at(input.span(place), "named here");
    sink.push(match suggest(name, known.iter().map(|(name, _)| *name)) {
        Some(help) if help.starts_with("did") => diagnostic.help(help),
        Some(help) => diagnostic.help(format!(
            "add a document of kind {word} with this name; {help}"
        )),
        None => diagnostic.help(format!("add a document of kind {word} with this name")),
    });
}

/// Windows for changes, where nothing keeps to them.
fn windows(input: &PlanInput<'_>, sink: &mut Sink) {
    let platform = input.catalog.platforms.iter().next();
    let Some(platform) =
        platform.filter(|one| one.spec.delivery.engine != Some(DeliveryEngine::Argocd))
    else {
        return;
    };
    for environment in &input.catalog.environments {
        if let Some(place) = environment
            .fields()
            .sync_windows()
            .written()
            .filter(|_| !environment.spec.sync_windows.is_empty())
        {
            let message =
                "only Argo CD keeps to windows, and changes are delivered by something else";
            sink.push(
                Diagnostic::new(codes::NO_EFFECT, message)
                    .at(input.span(place), "has no effect")
                    .and(input.span(platform.fields().delivery().engine().place()), "what delivers")
                    .help("remove it, and keep the windows where changes are merged; or write `engine: argocd`"),
            );
        }
    }
}

/// Two documents of a name; those that may be twice, or that are told of elsewhere, are left out.
fn duplicates(
    input: &PlanInput<'_>,
    kind: KindName,
    documents: &[(&str, NodeId)],
    sink: &mut Sink,
) {
    if matches!(
        kind,
        KindName::Platform
            | KindName::Component
            | KindName::Policy
            | KindName::Framework
            | KindName::Waiver
    ) {
        return;
    }
    for pair in documents.windows(2) {
        let [(name, first), (other, second)] = pair else {
            continue;
        };
        if name == other {
            let what = format!("{} `{name}`", kind.as_str());
            twice(
                input,
                &what,
                *first,
                *second,
                "rename one of them, or remove it",
                sink,
            );
        }
    }
}

fn twice(
    input: &PlanInput<'_>,
    what: &str,
    first: NodeId,
    second: NodeId,
    help: &str,
    sink: &mut Sink,
) {
    sink.push(
        Diagnostic::new(
            codes::DUPLICATE_NAME,
            format!("there are two documents for {what}"),
        )
        .at(input.span(second), "defined again here")
        .and(input.span(first), "first defined here")
        .help(help),
    );
}

fn platforms(input: &PlanInput<'_>, sink: &mut Sink) {
    let all: Vec<_> = input.catalog.platforms.iter().collect();
    for pair in all.windows(2) {
        twice(
            input,
            "the Platform",
            pair[0].name_id(),
            pair[1].name_id(),
            "remove one of them: a repository has one Platform",
            sink,
        );
    }
}

fn components(input: &PlanInput<'_>, sink: &mut Sink) {
    let catalog = input.catalog;
    let mut all: Vec<_> = catalog.components.iter().collect();
    all.sort_by(|a, b| (&a.name, &a.spec.version).cmp(&(&b.name, &b.spec.version)));
    for pair in all.windows(2) {
        if pair[0].name == pair[1].name && pair[0].spec.version == pair[1].spec.version {
            let what = format!(
                "Component `{}` in version {}",
                pair[0].name, pair[0].spec.version
            );
            twice(
                input,
                &what,
                pair[0].fields().version().place(),
                pair[1].fields().version().place(),
                "give one of them another version or name, or remove it",
                sink,
            );
        }
    }
}

fn environments(input: &PlanInput<'_>, sink: &mut Sink) {
    let catalog = input.catalog;
    for environment in &catalog.environments {
        let place = environment.fields().promotes_from().place();
        if environment.name == "delivery" {
            sink.push(
                Diagnostic::new(codes::DUPLICATE_NAME, "an environment cannot be named `delivery`: the delivery engine's objects are written to that folder")
                    .at(input.span(environment.name_id()), "taken")
                    .help("choose another name for the environment"),
            );
        }
        let Some(from) = &environment.spec.promotes_from else {
            continue;
        };
        if catalog.environments.get(&from.0).is_none() {
            continue;
        }
        // A chain that is longer than there are environments goes in a circle.
        let mut seen = vec![environment.name.as_str()];
        let mut next = Some(from.0.as_str());
        while let Some(name) = next {
            if seen.contains(&name) {
                // Told once, at the first environment of the circle by name.
                if name == environment.name
                    && seen.iter().all(|other| *other >= environment.name.as_str())
                {
                    let circle = seen
                        .iter()
                        .chain([&name])
                        .copied()
                        .collect::<Vec<_>>()
                        .join(" → ");
                    sink.push(
                        Diagnostic::new(
                            codes::DEPENDENCY_CYCLE,
                            format!("environments promote from each other in a circle: {circle}"),
                        )
                        .at(input.span(place), "promotes from here")
                        .help("remove one `promotesFrom`: the first environment has none"),
                    );
                }
                break;
            }
            seen.push(name);
            next = catalog
                .environments
                .get(name)
                .and_then(|e| e.spec.promotes_from.as_ref())
                .map(|name| name.0.as_str());
        }
    }
}

/// A finding for a name that should be one of a few.
pub fn unknown(
    input: &PlanInput<'_>,
    what: &str,
    name: &str,
    known: Vec<&str>,
    place: NodeId,
    sink: &mut Sink,
) {
    let diagnostic = Diagnostic::new(codes::UNKNOWN_REFERENCE, format!("`{name}` is no {what}"))
        .at(input.span(place), "named here");
    sink.push(match suggest(name, known) {
        Some(help) => diagnostic.help(help),
        None => diagnostic,
    });
}
