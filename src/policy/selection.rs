//! Which rules hold where: packs, frameworks, and what a rule's `match` says.

use std::collections::{BTreeMap, BTreeSet};

use super::rules::Rule;
use super::{Policies, parameters};
use crate::model::catalog::Document;
use crate::model::instance::Unit;
use crate::model::kinds::policy::{Matching, Parameter};
use crate::model::kinds::{Catalog, Platform, Policy, PolicyPack};
use crate::model::reference::Ref;
use tenantry_syntax::diagnostics::catalogue::policy as codes;
use tenantry_syntax::diagnostics::{Diagnostic, Sink, suggest};
use tenantry_syntax::yaml::{Node, NodeId};

/// What rules are selected by.
#[derive(Clone, Debug, Default)]
pub struct Circumstances<'a> {
    /// What rules see as `tenant`; nothing for what belongs to none.
    pub tenant: Option<&'a Node>,
    /// What rules see as `environment`.
    pub environment: Option<&'a Node>,
    /// Whether what belongs to no tenant counts for all of them.
    pub all_tenants: bool,
}

impl<'a> Circumstances<'a> {
    /// Any tenant, or none.
    pub const SOMEBODY: Circumstances<'static> = Circumstances {
        tenant: None,
        environment: None,
        all_tenants: true,
    };

    /// Those of a unit.
    pub fn of_unit(unit: &'a Unit) -> Circumstances<'a> {
        Circumstances {
            tenant: unit.facts.tenant.as_ref(),
            environment: Some(&unit.facts.environment),
            all_tenants: false,
        }
    }

    fn follows(&self, platform: Option<&Platform>, catalog: &Catalog, framework: &str) -> bool {
        platform.is_some_and(|platform| platform.frameworks.contains_key(framework))
            || self.tenant.is_some_and(|tenant| {
                let compliance = tenant.get("compliance").and_then(Node::as_map);
                compliance.is_some_and(|map| map.entry(framework).is_some())
            })
            || self.all_tenants
                && catalog
                    .tenants
                    .iter()
                    .any(|tenant| tenant.spec.compliance.contains_key(framework))
    }
}

/// A policy, by what decides whether it is used.
pub struct Candidacy<'a> {
    /// Its pack; empty for the repository's own.
    pub pack: &'a str,
    /// Its name.
    pub name: &'a str,
    /// The frameworks whose controls it serves.
    pub frameworks: Vec<&'a str>,
}

impl Candidacy<'_> {
    /// Whether anything asks for it: its pack, or a framework that is followed.
    pub fn is_used(&self, catalog: &Catalog, circumstances: &Circumstances<'_>) -> bool {
        let platform = catalog
            .platforms
            .iter()
            .next()
            .map(|platform| &platform.spec);
        let is_excluded = pack_of(catalog, self.pack)
            .is_some_and(|pack| pack.exclude.iter().any(|name| name.0 == self.name));
        let is_used = self.pack.is_empty()
            || platform.is_some_and(|platform| platform.policy_packs.contains_key(self.pack))
            || self
                .frameworks
                .iter()
                .any(|framework| circumstances.follows(platform, catalog, framework));
        is_used && !is_excluded
    }
}

/// How a pack is used.
pub fn pack_of<'a>(catalog: &'a Catalog, pack: &str) -> Option<&'a PolicyPack> {
    let platform = catalog.platforms.iter().next()?;
    platform.spec.policy_packs.get(pack)?.as_ref()
}

impl Policies<'_> {
    /// Whether a rule is in use for somebody.
    pub fn is_in_use(&self, rule: &Rule) -> bool {
        let asked = Candidacy {
            pack: &rule.pack,
            name: &rule.name,
            frameworks: rule.controls.keys().map(String::as_str).collect(),
        };
        asked.is_used(self.input.catalog, &Circumstances::SOMEBODY)
    }

    /// Whether a rule is in use, and holds in these circumstances.
    pub(super) fn holds(&self, rule: &Rule, circumstances: &Circumstances<'_>) -> bool {
        let asked = Candidacy {
            pack: &rule.pack,
            name: &rule.name,
            frameworks: rule.controls.keys().map(String::as_str).collect(),
        };
        if !asked.is_used(self.input.catalog, circumstances) {
            return false;
        }
        let catalog = self.input.catalog;
        let platform = catalog
            .platforms
            .iter()
            .next()
            .map(|platform| &platform.spec);
        let follows = |framework: &str| circumstances.follows(platform, catalog, framework);
        fits(&rule.matching, circumstances, &follows)
    }

    /// Whether a rule holds for all tenants in all environments, whatever they ask for.
    pub(super) fn always_holds(&self, rule: &Rule) -> bool {
        rule.matching == Matching::default() && self.holds(rule, &Circumstances::default())
    }

    /// The input that decides whether a rule holds in these circumstances, where it does.
    pub(super) fn decided_by(&self, rule: &Rule, circumstances: &Circumstances<'_>) -> Vec<NodeId> {
        let mut ids = Vec::new();
        let platform = self.input.catalog.platforms.iter().next();
        let platform = platform.and_then(|platform| platform.tree.get("spec"));
        let mut key = |map: Option<&Node>, key: &str| {
            let entry = map.and_then(Node::as_map).and_then(|map| map.entry(key));
            ids.extend(entry.map(|entry| entry.key_id));
        };
        let (tenant, matching) = (circumstances.tenant, &rule.matching);
        key(
            platform.and_then(|spec| spec.get("policyPacks")),
            &rule.pack,
        );
        for framework in rule.controls.keys().chain(&matching.frameworks) {
            key(platform.and_then(|spec| spec.get("frameworks")), framework);
            key(
                tenant.and_then(|tenant| tenant.get("compliance")),
                framework,
            );
        }
        for label in matching.labels.keys() {
            key(tenant.and_then(|tenant| tenant.get("userLabels")), label);
        }
        for (field, is_asked) in [
            ("name", !matching.tenants.is_empty()),
            ("tier", !matching.tiers.is_empty()),
            ("isolation", !matching.isolation.is_empty()),
        ] {
            let value = tenant.and_then(|tenant| tenant.get(field));
            ids.extend(value.filter(|_| is_asked).map(|value| value.id));
        }
        let stage = circumstances
            .environment
            .and_then(|place| place.get("stage"));
        ids.extend(
            stage
                .filter(|_| !matching.stages.is_empty())
                .map(|stage| stage.id),
        );
        ids
    }
}

/// Whether what a rule's `match` says is so.
pub fn fits(
    matching: &Matching,
    circumstances: &Circumstances<'_>,
    follows: &dyn Fn(&str) -> bool,
) -> bool {
    let text = |node: Option<&Node>, key: &str| {
        node.and_then(|node| node.get(key))
            .and_then(Node::as_str)
            .unwrap_or_default()
            .to_owned()
    };
    let tenant = circumstances.tenant;

    let stage = text(circumstances.environment, "stage");
    let isolation = text(tenant, "isolation");
    let stages = &matching.stages;
    let levels = &matching.isolation;
    let frameworks = &matching.frameworks;
    is_one_of(&matching.tenants, &text(tenant, "name"))
        && is_one_of(&matching.tiers, &text(tenant, "tier"))
        && (stages.is_empty() || stages.iter().any(|wanted| word(wanted) == stage))
        && (levels.is_empty() || levels.iter().any(|wanted| word(wanted) == isolation))
        && (frameworks.is_empty() || frameworks.iter().any(|framework| follows(framework)))
        && matching.labels.iter().all(|(key, value)| {
            let labels = tenant.and_then(|tenant| tenant.get("userLabels"));
            text(labels, key) == *value
        })
}

/// A choice as documents write it.
fn word(choice: &impl serde::Serialize) -> String {
    let json = serde_json::to_value(choice).unwrap_or_default();
    json.as_str().unwrap_or_default().to_owned()
}

/// Judges what documents say of policies: names that are not there, and parameters.
pub fn check(policies: &Policies<'_>, sink: &mut Sink) {
    let catalog = policies.input.catalog;
    // By the documents: what nobody asks for is not compiled.
    let rules = catalog.policies.iter().map(|document| {
        let pack = super::rules::pack_of(policies.input.sources.path(document.tree.id.file));
        (document.name.as_str(), (pack, document))
    });
    let mut check = NamedPolicies {
        policies,
        rules: rules.collect(),
        frameworks: catalog.frameworks.names().collect(),
        sink,
    };
    check.packs();
    let platforms = catalog.platforms.iter();
    let tenants = catalog.tenants.iter();
    let layers = platforms
        .map(|platform| platform.fields().frameworks().node())
        .chain(tenants.map(|tenant| tenant.fields().compliance().node()));
    let layers: Vec<&Node> = layers.flatten().collect();
    for layer in &layers {
        check.followed(layer);
    }
    check.controls();
    for layer in layers {
        let of_framework = |name: &str| of_framework(policies, name);
        parameters::check(layer, &of_framework, policies.input.sources, check.sink);
    }
    check.contexts();
}

/// Names of policies, packs, frameworks and controls that documents mention.
struct NamedPolicies<'p, 's> {
    policies: &'p Policies<'p>,
    /// Each policy's pack and document.
    rules: BTreeMap<&'p str, (&'p str, &'p Document<Policy>)>,
    frameworks: Vec<&'p str>,
    sink: &'s mut Sink,
}

impl NamedPolicies<'_, '_> {
    fn unknown(&mut self, place: NodeId, message: String, name: &str, known: &[&str]) {
        let span = self.policies.input.sources.span(place);
        let mut diagnostic = Diagnostic::new(codes::UNKNOWN_POLICY, message).at(span, "");
        diagnostic.help = suggest(name, known.iter().copied())
            .or_else(|| Some("`tenantry policy list` shows all".to_owned()));
        self.sink.push(diagnostic);
    }

    /// Packs that the Platform uses, and policies that it leaves out of them.
    fn packs(&mut self) {
        let packs: BTreeSet<&str> = self.rules.values().map(|(pack, _)| *pack).collect();
        let packs: Vec<&str> = packs.into_iter().filter(|pack| !pack.is_empty()).collect();
        for platform in &self.policies.input.catalog.platforms {
            for (entry, pack) in platform.fields().policy_packs().entries() {
                if !packs.contains(&&*entry.key) {
                    let message = format!("there is no pack of policies `{}`", entry.key);
                    self.unknown(entry.key_id, message, &entry.key, &packs);
                }
                let own = self
                    .rules
                    .iter()
                    .filter(|(_, (pack, _))| *pack == &*entry.key);
                let own: Vec<&str> = own.map(|(name, _)| *name).collect();
                for item in pack.some().exclude().items() {
                    let name = item.as_str().unwrap_or_default();
                    if !own.contains(&name) {
                        let message = format!("the pack `{}` has no policy `{name}`", entry.key);
                        self.unknown(item.place(), message, name, &own);
                    }
                }
            }
        }
    }

    /// Frameworks that somebody follows.
    fn followed(&mut self, layer: &Node) {
        for entry in layer.entries() {
            if !self.frameworks.contains(&&*entry.key) {
                let message = format!("there is no framework `{}`", entry.key);
                self.unknown(entry.key_id, message, &entry.key, &self.frameworks.clone());
            }
        }
    }

    /// Controls that policies say they support.
    fn controls(&mut self) {
        let (policies, catalog) = (self.policies, self.policies.input.catalog);
        for rule in &policies.rules {
            let Some(controls) = rule.tree.at(&["spec", "controls"]) else {
                continue;
            };
            self.followed(controls);
            for framework in controls.entries() {
                let Some(document) = catalog.frameworks.get(&framework.key) else {
                    continue;
                };
                let known = document.spec.controls.iter();
                let known: Vec<&str> = known.map(|control| control.id.as_str()).collect();
                for control in framework.value.entries() {
                    if !known.contains(&&*control.key) {
                        let message = format!(
                            "the framework `{}` has no control `{}`",
                            framework.key, control.key
                        );
                        self.unknown(control.key_id, message, &control.key, &known);
                    }
                }
            }
        }
    }

    /// Parameters that contexts set, of policies or of frameworks.
    fn contexts(&mut self) {
        let input = &self.policies.input;
        for context in &input.catalog.contexts {
            let Some(layer) = context.fields().policy_parameters().node() else {
                continue;
            };
            for entry in layer.entries() {
                let is_known =
                    self.rules.contains_key(&*entry.key) || self.frameworks.contains(&&*entry.key);
                if !is_known {
                    let message = format!("there is no policy or framework `{}`", entry.key);
                    let mut diagnostic = Diagnostic::new(codes::UNKNOWN_POLICY, message)
                        .at(input.sources.span(entry.key_id), "");
                    let known = self.rules.keys().chain(&self.frameworks);
                    diagnostic.help = suggest(&entry.key, known.copied());
                    self.sink.push(diagnostic);
                }
            }
            let (policies, rules) = (self.policies, &self.rules);
            let of_any = |name: &str| match rules.get(name) {
                Some((_, document)) => Some(document.spec.parameters.clone()),
                None => of_framework(policies, name),
            };
            parameters::check(layer, &of_any, input.sources, self.sink);
        }
    }
}

/// The parameters of a framework, and of the policies that support it.
fn of_framework(policies: &Policies<'_>, name: &str) -> Option<BTreeMap<String, Parameter>> {
    let framework = policies.input.catalog.frameworks.get(name)?;
    let mut parameters = framework.spec.parameters.clone();
    let rules = policies.rules.iter();
    for rule in rules.filter(|rule| rule.controls.contains_key(name)) {
        for (name, parameter) in &rule.parameters {
            parameters
                .entry(name.clone())
                .or_insert_with(|| parameter.clone());
        }
    }
    Some(parameters)
}

/// Whether a list of names is empty or has this one.
fn is_one_of<K>(names: &[Ref<K>], name: &str) -> bool {
    names.is_empty() || names.iter().any(|known| known.0 == name)
}
