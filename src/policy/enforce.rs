//! The same rules for the API server: what the template of a cluster's admission policies sees.
//!
//! A rule that holds for some tenants only, or with parameters of theirs, is bound to their
//! namespaces; its parameters become literals of its variables, so a cluster needs no more than the
//! policy itself.

use std::collections::{BTreeMap, HashMap};
use std::sync::Arc;

use serde_json::Value as Json;
use sha2::{Digest as _, Sha256};

use super::emitted::Emitted;
use super::rules::{self, Rule};
use super::selection::Circumstances;
use super::{ParameterSet, Policies, matching};
use crate::model::kinds::Enforcement;
use crate::model::kinds::policy::Target;
use tenantry_engine::derivations::Derivations;
use tenantry_syntax::diagnostics::catalogue::policy as codes;
use tenantry_syntax::diagnostics::{Diagnostic, Sink};
use tenantry_syntax::yaml::{Entry, Node, NodeId, Value};

/// A tenant that runs on a cluster.
pub struct Resident<'a> {
    /// What rules see as `tenant`.
    pub tenant: &'a Node,
    /// `policyParameters` of the contexts that hold for it.
    pub contexts: Vec<&'a Node>,
}

/// Where it is enforced.
pub struct EnforcedAt<'a> {
    /// What rules see as `environment`.
    pub environment: &'a Node,
    /// The environment's name.
    pub environment_name: &'a str,
    /// The cluster's name.
    pub cluster_name: &'a str,
    /// The cluster's Kubernetes: the number after `1.`.
    pub minor: u32,
    /// The prefix of the platform's labels.
    pub label_prefix: &'a str,
    /// Whether documents that are taken as they are go here: to one environment of each cluster.
    pub takes_others: bool,
    /// The namespace of tenants that share one.
    pub shared_namespace: Option<&'a Node>,
    /// Where what is made of what is noted.
    pub derivations: &'a Derivations,
}

impl EnforcedAt<'_> {
    /// A text that was made of input.
    pub(super) fn text(
        &self,
        text: impl Into<Arc<str>>,
        of: impl IntoIterator<Item = NodeId>,
    ) -> Node {
        self.derivations.derive(Value::String(text.into()), of)
    }
}

/// A map that nobody wrote.
pub(super) fn map<'k>(entries: impl IntoIterator<Item = (&'k str, Node)>) -> Node {
    let entries = entries.into_iter().map(|(key, value)| Entry {
        key: key.into(),
        key_id: NodeId::NONE,
        value,
    });
    Node::map(NodeId::NONE, entries.collect())
}

/// A list that nobody wrote.
pub(super) fn list(items: impl IntoIterator<Item = Node>) -> Node {
    let items: Vec<Node> = items.into_iter().collect();
    Node::new(NodeId::NONE, Value::List(items.into()))
}

/// All values in a tree.
fn leaves(node: &Node, found: &mut Vec<NodeId>) {
    match &node.value {
        Value::Map(map) => map
            .entries
            .iter()
            .for_each(|entry| leaves(&entry.value, found)),
        Value::List(items) => items.iter().for_each(|item| leaves(item, found)),
        _ => found.push(node.id),
    }
}

/// Tenants that a rule holds for with the same parameters.
pub(super) struct ParameterGroup<'a> {
    pub(super) params: Json,
    tenants: Vec<&'a Node>,
    /// What the parameters were made of.
    pub(super) params_of: Vec<NodeId>,
    /// What decided that it holds for them.
    decided_by: Vec<NodeId>,
}

/// A tenant of a cluster, as rules are selected for it.
struct Candidate<'a> {
    circumstances: Circumstances<'a>,
    /// What is weakened is told where the tenant's units are judged.
    parameters: Arc<ParameterSet>,
}

impl<'a> Candidate<'a> {
    fn new(
        policies: &Policies<'_>,
        place: &EnforcedAt<'a>,
        resident: &Resident<'a>,
    ) -> Candidate<'a> {
        let circumstances = Circumstances {
            tenant: Some(resident.tenant),
            environment: Some(place.environment),
            all_tenants: false,
        };
        Candidate {
            parameters: policies.parameters(&circumstances, &resident.contexts),
            circumstances,
        }
    }
}

impl Policies<'_> {
    /// The admission policies of a cluster in an environment, as a list for its template.
    pub fn admission(
        &self,
        place: &EnforcedAt<'_>,
        residents: &[Resident<'_>],
        sink: &mut Sink,
    ) -> Node {
        let mut all: Vec<Node> = Vec::new();
        let residents: Vec<Candidate<'_>> = residents
            .iter()
            .map(|resident| Candidate::new(self, place, resident))
            .collect();
        for (index, rule) in self.rules.iter().enumerate() {
            if let Some(bindings) = &rule.admission {
                if !place.takes_others {
                    continue;
                }
                all.push(rule.tree.clone());
                all.extend(bindings.list.iter().map(|binding| binding.tree.clone()));
                let documents = bindings
                    .list
                    .iter()
                    .filter_map(|binding| binding.parameters.as_ref());
                for document in documents.flat_map(|parameters| &parameters.documents) {
                    if !all.iter().any(|known| known.value == document.value) {
                        all.push((*document).clone());
                    }
                }
                continue;
            }
            if rule.target != Target::Manifest || rule.compile_time_only.is_some() {
                continue;
            }
            let groups = self.groups(index, &residents);
            if groups.is_empty() {
                continue;
            }
            if let Some((since, what)) = rule.since.filter(|(since, _)| *since > place.minor) {
                self.too_new(rule, since, what, place, sink);
                continue;
            }
            let several = groups.len() > 1;
            for (text, group) in groups {
                let mut name = format!("{}-{}", place.environment_name, rule.name);
                if several {
                    let digest = rules::hex(&Sha256::digest(text));
                    name = format!("{name}-{}", &digest[..8]);
                }
                let everyone = group.tenants.len() == residents.len();
                let enforcement = super::rule_enforcement(self, rule, rule.enforcement);
                // That it is there follows from the rule, and from what decided that it holds.
                let of = [
                    rule.tree.at(&["metadata", "name"]),
                    place.environment.get("name"),
                ];
                let of = of.into_iter().flatten().map(|node| node.id);
                let name = place.text(name, of.chain(group.decided_by.iter().copied()));
                all.push(Emitted::new(rule, &group, place).policy(&name));
                all.extend(bindings(rule, &name, enforcement, place, &group, everyone));
            }
        }
        list(all)
    }

    /// The tenants that a rule holds for, by the parameters that they have.
    fn groups<'r>(
        &self,
        index: usize,
        residents: &[Candidate<'r>],
    ) -> BTreeMap<String, ParameterGroup<'r>> {
        let rule = &self.rules[index];
        let mut groups: BTreeMap<String, ParameterGroup<'r>> = BTreeMap::new();
        // Most tenants share their parameters, which then are one tree.
        let mut texts: HashMap<usize, String> = HashMap::new();
        for resident in residents {
            let circumstances = &resident.circumstances;
            if !self.is_active(index, circumstances) {
                continue;
            }
            let params = &resident.parameters.of_rules[index];
            let text = texts
                .entry(std::ptr::from_ref(params).addr())
                .or_insert_with(|| {
                    let json = params.to_json();
                    let text = json.to_string();
                    let group = groups
                        .entry(text.clone())
                        .or_insert_with(|| ParameterGroup {
                            params: json,
                            tenants: Vec::new(),
                            params_of: Vec::new(),
                            decided_by: Vec::new(),
                        });
                    leaves(params, &mut group.params_of);
                    text
                });
            if let (Some(group), Some(tenant)) = (groups.get_mut(text), circumstances.tenant) {
                group.tenants.push(tenant);
                let decided = self.decided_by(rule, circumstances);
                group.decided_by.extend(decided);
            }
        }
        // Tenants share most of it.
        for group in groups.values_mut() {
            for ids in [&mut group.params_of, &mut group.decided_by] {
                ids.sort_unstable();
                ids.dedup();
            }
        }
        groups
    }

    fn too_new(
        &self,
        rule: &Rule,
        since: u32,
        what: &str,
        place: &EnforcedAt<'_>,
        sink: &mut Sink,
    ) {
        let name = rule.tree.at(&["metadata", "name"]).map(|node| node.id);
        let message = format!(
            "cluster `{}` cannot enforce the policy `{}`: `{what}` came with Kubernetes 1.{since}, and the cluster runs 1.{}",
            place.cluster_name, rule.name, place.minor
        );
        sink.push(
            Diagnostic::new(codes::NEEDS_NEWER_KUBERNETES, message)
                .at(
                    name.and_then(|id| self.input.sources.span(id)),
                    "judged at compile time only there",
                )
                .help("write it with what the oldest cluster has, or update the cluster"),
        );
    }
}

/// One binding for tenants with namespaces of their own, one for those that share one.
fn bindings(
    rule: &Rule,
    name: &Node,
    enforcement: Enforcement,
    place: &EnforcedAt<'_>,
    group: &ParameterGroup<'_>,
    everyone: bool,
) -> Vec<Node> {
    let actions: &[&str] = match enforcement {
        Enforcement::Deny => &["Deny"],
        Enforcement::Warn => &["Warn", "Audit"],
        Enforcement::Audit => &["Audit"],
    };
    let of_enforcement = rule.tree.at(&["spec", "enforcement"]).map(|node| node.id);
    let actions = list(
        actions
            .iter()
            .map(|action| place.text(*action, of_enforcement)),
    );
    let text = |node: &Node, key: &str| {
        node.get(key)
            .and_then(Node::as_str)
            .unwrap_or_default()
            .to_owned()
    };
    let id = |node: &Node, key: &str| node.get(key).map(|node| node.id);
    let isolations = || {
        group
            .tenants
            .iter()
            .filter_map(|tenant| id(tenant, "isolation"))
    };
    let is_shared = |tenant: &Node| text(tenant, "isolation") == "shared";
    let mut own: Vec<(String, &Node)> = group
        .tenants
        .iter()
        .filter(|tenant| !is_shared(tenant))
        .map(|tenant| (text(tenant, "name"), *tenant))
        .collect();
    own.sort_unstable_by(|a, b| a.0.cmp(&b.0));
    let constant = |text: &str| place.text(text, []);
    let mut bindings = Vec::new();
    let mut bind = |suffix: &str, expressions: Node| {
        let whole = format!("{}{suffix}", name.as_str().unwrap_or_default());
        let whole = place.text(whole, [name.id].into_iter().chain(isolations()));
        let selector = map([("matchExpressions", expressions)]);
        bindings.push(map([
            ("kind", constant("ValidatingAdmissionPolicyBinding")),
            ("name", whole),
            (
                "spec",
                map([
                    ("policyName", name.clone()),
                    ("validationActions", actions.clone()),
                    ("matchResources", map([("namespaceSelector", selector)])),
                ]),
            ),
        ]));
    };
    let requirement = |key: &str, operator: &str, values: Option<Node>| {
        let values = values.map(|values| ("values", values));
        let rest = [("key", constant(key)), ("operator", constant(operator))];
        map(rest.into_iter().chain(values))
    };
    if !own.is_empty() {
        let tenant_label = format!("{}/tenant", place.label_prefix);
        let tenants = if everyone {
            requirement(&tenant_label, "Exists", None)
        } else {
            let values = own.iter().map(|(name, tenant)| {
                let of = [id(tenant, "name"), id(tenant, "isolation")];
                place.text(name.as_str(), of.into_iter().flatten())
            });
            requirement(&tenant_label, "In", Some(list(values)))
        };
        let environment = place.text(place.environment_name, id(place.environment, "name"));
        let key = format!("{}/environment", place.label_prefix);
        let environment = requirement(&key, "In", Some(list([environment])));
        bind("", list([tenants, environment]));
    }
    if let (true, Some(namespace)) = (
        group.tenants.iter().any(|tenant| is_shared(tenant)),
        place.shared_namespace,
    ) {
        let values = list([namespace.clone()]);
        bind(
            "-shared",
            list([requirement(matching::NAME_LABEL, "In", Some(values))]),
        );
    }
    bindings
}
