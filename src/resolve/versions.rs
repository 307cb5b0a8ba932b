//! Which version of each component runs.

use std::collections::{BTreeMap, HashMap, HashSet};

use semver::{Version, VersionReq};
use sha2::{Digest as _, Sha256};

use super::PlanInput;
use crate::model::catalog::Document;
use crate::model::kinds::KindName;
use crate::model::kinds::{Catalog, Component, ComponentStatus};
use tenantry_syntax::diagnostics::catalogue::resolve as codes;
use tenantry_syntax::diagnostics::{Diagnostic, Sink};
use tenantry_syntax::yaml::NodeId;

/// A wish for versions, and the line that has it.
#[derive(Clone)]
pub struct VersionRequirement {
    /// What is wished for.
    pub wanted: VersionReq,
    /// Who wishes: `the subscription`, `pipeline 2.0.1`.
    pub by: String,
    /// Where it is written.
    pub place: NodeId,
}

/// Reads a requirement that was validated; any version if there is none.
pub fn requirement(text: Option<&tenantry_engine::scalars::VersionReq>) -> VersionReq {
    text.and_then(|text| VersionReq::parse(&text.0).ok())
        .unwrap_or(VersionReq::STAR)
}

fn version(component: &Document<Component>) -> Version {
    Version::parse(&component.spec.version.0).unwrap_or(Version::new(0, 0, 0))
}

/// The highest version that meets every requirement; archived ones only if no other does.
pub fn highest<'a>(
    catalog: &'a Catalog,
    name: &'a str,
    requirements: &[VersionRequirement],
) -> Option<&'a Document<Component>> {
    catalog
        .components
        .all_named(name)
        .filter(|component| {
            requirements
                .iter()
                .all(|requirement| requirement.wanted.matches(&version(component)))
        })
        .max_by_key(|component| {
            (
                component.spec.status != Some(ComponentStatus::Archived),
                version(component),
            )
        })
}

/// What a component asks of others.
pub fn of_dependencies(
    component: &Document<Component>,
) -> impl Iterator<Item = (&str, VersionRequirement)> {
    component
        .spec
        .dependencies
        .iter()
        .enumerate()
        .map(|(at, dependency)| {
            let requirement = VersionRequirement {
                wanted: requirement(dependency.version.as_ref()),
                by: format!("{} {}", component.name, component.spec.version),
                place: {
                    let written = component.fields().dependencies().item(at);
                    let version = written.version().written();
                    version.unwrap_or_else(|| written.component().place())
                },
            };
            (dependency.component.0.as_str(), requirement)
        })
}

/// Chooses a version for each wanted component so that the requirements of those that are chosen
/// are met, too. A choice may bring new requirements, so it is made again until nothing changes.
pub fn choose<'a>(
    input: &PlanInput<'a>,
    wanted: &BTreeMap<&'a str, VersionRequirement>,
    sink: &mut Sink,
) -> BTreeMap<&'a str, &'a Document<Component>> {
    let mut chosen: BTreeMap<&str, &Document<Component>> = BTreeMap::new();
    // Each round fixes at least one more component, or is the last.
    for _ in 0..=wanted.len() {
        let mut requirements: HashMap<&str, Vec<VersionRequirement>> = wanted
            .iter()
            .map(|(name, requirement)| (*name, vec![requirement.clone()]))
            .collect();
        for (name, requirement) in chosen
            .values()
            .flat_map(|component| of_dependencies(component))
        {
            if let Some(known) = requirements.get_mut(name) {
                known.push(requirement);
            }
        }
        let mut next = BTreeMap::new();
        let mut failed = Vec::new();
        for name in wanted.keys() {
            match highest(input.catalog, name, &requirements[name]) {
                Some(component) => {
                    next.insert(*name, component);
                }
                None => failed.push(*name),
            }
        }
        if !failed.is_empty() {
            for name in failed {
                no_version(input, name, &requirements[name], sink);
            }
            return next;
        }
        let same = chosen.len() == next.len()
            && chosen
                .iter()
                .all(|(name, component)| std::ptr::eq(*component, next[name]));
        chosen = next;
        if same {
            break;
        }
    }
    chosen
}

fn no_version(
    input: &PlanInput<'_>,
    name: &str,
    requirements: &[VersionRequirement],
    sink: &mut Sink,
) {
    let mut versions: Vec<Version> = input
        .catalog
        .components
        .all_named(name)
        .map(version)
        .collect();
    if versions.is_empty()
        || input
            .broken
            .iter()
            .any(|(kind, broken)| *kind == KindName::Component && broken == name)
    {
        return;
    }
    versions.sort();
    let versions: Vec<String> = versions.iter().map(Version::to_string).collect();
    // Who takes any version is not in the way.
    let picky: Vec<&VersionRequirement> = requirements
        .iter()
        .filter(|requirement| requirement.wanted != VersionReq::STAR)
        .collect();
    let wishes: Vec<String> = picky
        .iter()
        .map(|requirement| format!("{} wants {}", requirement.by, requirement.wanted))
        .collect();
    let message = match picky.as_slice() {
        [only] => format!("there is no version {} of `{name}`", only.wanted),
        _ => format!(
            "no version of `{name}` meets every requirement: {}",
            wishes.join(", ")
        ),
    };
    let Some((first, others)) = picky.split_first() else {
        return;
    };
    let mut diagnostic = Diagnostic::new(codes::NO_VERSION, message)
        .at(input.span(first.place), "wanted here")
        .help(format!(
            "the versions are {}; loosen a requirement, or add a version",
            versions.join(", ")
        ));
    for requirement in others {
        diagnostic = diagnostic.and(
            input.span(requirement.place),
            format!("{} wants {}", requirement.by, requirement.wanted),
        );
    }
    sink.push(diagnostic);
}

/// Finds components that depend on each other in a circle.
pub fn cycles(input: &PlanInput<'_>, sink: &mut Sink) {
    let mut done: HashSet<*const Document<Component>> = HashSet::new();
    for start in &input.catalog.components {
        // A walk in depth, with the way back to the start of the walk.
        type Pending<'a> = Vec<(&'a str, VersionRequirement)>;
        let mut way: Vec<(&Document<Component>, Pending<'_>)> = Vec::new();
        if done.insert(std::ptr::from_ref(start)) {
            way.push((start, of_dependencies(start).collect()));
        }
        while let Some((_, pending)) = way.last_mut() {
            let Some((name, requirement)) = pending.pop() else {
                way.pop();
                continue;
            };
            let place = requirement.place;
            let Some(next) = highest(input.catalog, name, &[requirement]) else {
                continue;
            };
            if let Some(at) = way
                .iter()
                .position(|(component, _)| std::ptr::eq(*component, next))
            {
                let circle: Vec<&str> = way[at..]
                    .iter()
                    .map(|(component, _)| component.name.as_str())
                    .chain([name])
                    .collect();
                sink.push(
                    Diagnostic::new(
                        codes::DEPENDENCY_CYCLE,
                        format!(
                            "components depend on each other in a circle: {}",
                            circle.join(" → ")
                        ),
                    )
                    .at(input.span(place), "this dependency closes the circle")
                    .and(input.span(next.name_id()), format!("`{name}` is here"))
                    .help("remove one of the dependencies"),
                );
            } else if done.insert(std::ptr::from_ref(next)) {
                way.push((next, of_dependencies(next).collect()));
            }
        }
    }
}

/// The digest of each component by name and version: the first 16 hexadecimal digits of SHA-256
/// over its spec as canonical JSON.
pub fn digests(catalog: &Catalog) -> BTreeMap<(&str, &str), String> {
    catalog
        .components
        .iter()
        .map(|component| {
            let mut json = component.effective.to_json();
            json.sort_all_objects();
            let digest = Sha256::digest(format!("{}\n{json}", component.name));
            let hex: String = digest
                .iter()
                .take(8)
                .map(|byte| format!("{byte:02x}"))
                .collect();
            (
                (component.name.as_str(), component.spec.version.0.as_str()),
                hex,
            )
        })
        .collect()
}
