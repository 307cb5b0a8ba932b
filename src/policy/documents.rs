//! Rules about documents: tenants, components and the platform as a whole.

use std::sync::atomic::Ordering;

use rayon::prelude::*;

use super::judge::{Verdict, judge};
use super::names::{self, Request, Scene};
use super::{Circumstances, Left, Policies, entry, parameters, report, rules};
use crate::cel;
use crate::diagnostics::Sink;
use crate::model::catalog::{Document, Documents};
use crate::model::kinds::policy::Target;
use crate::model::kinds::{Catalog, Tenant};
use crate::model::verdict::{Outcome, Subject};
use crate::model::view::View;
use crate::yaml::{Node, NodeId, Value as Yaml, merge};

/// A document as rules see it: its spec, its name and its labels.
fn seen<K>(document: &Document<K>) -> Node {
    let mut entries = document.effective.entries().to_vec();
    let labels = document.tree.at(&["metadata", "labels"]).cloned();
    for new in [
        entry(
            "name",
            Node::text(document.name_id(), document.name.as_str()),
        ),
        entry("userLabels", labels.unwrap_or_else(Node::empty_map)),
    ] {
        entries.retain(|known| known.key != new.key);
        entries.push(new);
    }
    names::named_entries(&Node::map(document.effective.id, entries))
}

/// A tenant with the limits that it has by its tier.
fn seen_tenant(document: &Document<Tenant>, catalog: &Catalog) -> Node {
    let tenant = seen(document);
    let tier = catalog.tiers.get(&document.spec.tier.0);
    let limits = tier.and_then(|tier| tier.effective.get("limits"));
    let empty = Node::empty_map();
    let limits = merge::over(
        limits.unwrap_or(&empty),
        document.effective.get("limits").unwrap_or(&empty),
    );
    let mut entries = tenant.entries().to_vec();
    entries.retain(|known| &*known.key != "limits");
    entries.push(entry("limits", limits));
    Node::map(tenant.id, entries)
}

/// All documents, by kind.
pub fn resources(catalog: &Catalog) -> Node {
    fn list<K>(documents: &Documents<K>) -> Node {
        Node::new(
            NodeId::NONE,
            Yaml::List(documents.iter().map(seen).collect()),
        )
    }
    let tenants = catalog
        .tenants
        .iter()
        .map(|tenant| seen_tenant(tenant, catalog));
    Node::map(
        NodeId::NONE,
        vec![
            entry(
                "tenants",
                Node::new(NodeId::NONE, Yaml::List(tenants.collect())),
            ),
            entry("components", list(&catalog.components)),
            entry("environments", list(&catalog.environments)),
            entry("clusters", list(&catalog.clusters)),
            entry("contexts", list(&catalog.contexts)),
            entry("tiers", list(&catalog.tiers)),
            entry("waivers", list(&catalog.waivers)),
        ],
    )
}

/// A document that rules judge.
struct Judged {
    target: Target,
    kind: &'static str,
    name: String,
    place: NodeId,
    seen: Node,
}

impl Policies<'_> {
    /// Judges tenants, components and the platform.
    pub fn documents(&self, left: &mut Left, sink: &mut Sink) {
        let catalog = self.input.catalog;
        let platform = catalog.platforms.iter().next().map(seen);
        let mut judged: Vec<Judged> = Vec::new();
        for tenant in &catalog.tenants {
            judged.push(Judged {
                target: Target::Tenant,
                kind: "Tenant",
                name: tenant.name.clone(),
                place: tenant.name_id(),
                seen: seen_tenant(tenant, catalog),
            });
        }
        for component in &catalog.components {
            judged.push(Judged {
                target: Target::Component,
                kind: "Component",
                name: component.name.clone(),
                place: component.name_id(),
                seen: seen(component),
            });
        }
        if let (Some(document), Some(seen)) = (catalog.platforms.iter().next(), &platform) {
            judged.push(Judged {
                target: Target::Platform,
                kind: "Platform",
                name: document.name.clone(),
                place: document.name_id(),
                seen: seen.clone(),
            });
        }
        let parts: Vec<(Left, Sink)> = judged
            .par_iter()
            .map(|one| {
                let (mut left, mut sink) = (Left::default(), Sink::default());
                for index in 0..self.rules.len() {
                    if self.rules[index].target == one.target {
                        self.document(index, one, platform.as_ref(), &mut left, &mut sink);
                    }
                }
                (left, sink)
            })
            .collect();
        for (found, findings) in parts {
            left.append(found);
            sink.append(findings);
        }
    }

    fn document(
        &self,
        index: usize,
        one: &Judged,
        platform: Option<&Node>,
        left: &mut Left,
        sink: &mut Sink,
    ) {
        let rule = &self.rules[index];
        let is_tenant = one.target == Target::Tenant;
        let circumstances = Circumstances {
            tenant: is_tenant.then_some(&one.seen),
            environment: None,
            all_tenants: !is_tenant,
        };
        if !self.holds(rule, &circumstances) || !self.may_spend(index) {
            return;
        }
        let layers = self.layers(&circumstances, self.contexts_of(one));
        // What is weakened is told where the tenant's units are judged.
        let params = parameters::of_rule(rule, &layers, self.input.sources, &mut Sink::default());
        let mut scene = Scene::new(Request::default());
        let mut set = |name: &str, node| {
            if let Some(position) = names::position(name) {
                scene.set(position, cel::tree::of(View::of(node)));
            }
        };
        set(one.target.name(), &one.seen);
        set("resources", &self.resources);
        if let Some(platform) = platform {
            set("platform", platform);
        }
        let mut spent = 0;
        let verdict = judge(rule, &scene, &cel::tree::of(View::of(&params)), &mut spent);
        self.spent[index].fetch_add(spent, Ordering::Relaxed);
        let tenant = if is_tenant {
            one.name.clone()
        } else {
            String::new()
        };
        let mut count = |outcome| {
            let key = (tenant.clone(), index);
            left.counts.entry(key).or_default().add(outcome);
        };
        let failures = match verdict {
            Verdict::Skipped => return,
            Verdict::Met => return count(Outcome::Pass),
            Verdict::Undecided(_) => return count(Outcome::Undecided),
            Verdict::Failed(failures) => failures,
        };
        let root = View::of(&one.seen);
        let known = left.records.len();
        for failure in failures {
            let (view, path) = report::decided(&failure, root).unwrap_or((root, String::new()));
            let subject = Subject {
                tenant: tenant.clone(),
                component: if one.target == Target::Component {
                    one.name.clone()
                } else {
                    String::new()
                },
                object: format!("{}/{}", one.kind, one.name),
                path,
                ..Subject::default()
            };
            let own = view
                .sources()
                .into_iter()
                .find(|id| id.is_input() && !self.input.sources.is_built_in(id.file));
            let is_whole = view.is_same_place(root);
            let place = own.filter(|_| !is_whole).unwrap_or(one.place);
            let span = self.input.sources.span(place);
            let span = span.map(|span| self.input.sources.first_line(span));
            let enforcement = super::rule_enforcement(self, rule, rule.enforcement);
            let finding = report::finding(rule, enforcement, failure.message)
                .at(span, "")
                .note(format!("in {} `{}`", one.kind.to_lowercase(), one.name));
            self.accept(
                index,
                finding,
                subject,
                rules::digest(&one.seen),
                &params,
                left,
                sink,
            );
        }
        let outcome = left.outcome(known);
        let key = (tenant, index);
        left.counts.entry(key).or_default().add(outcome);
    }

    /// `policyParameters` of the contexts of a tenant's part of the organisation.
    fn contexts_of(&self, one: &Judged) -> Vec<&Node> {
        let catalog = self.input.catalog;
        let tenant = catalog
            .tenants
            .get(&one.name)
            .filter(|_| one.target == Target::Tenant);
        let organization = tenant.map(|tenant| &tenant.spec.organization);
        let mut contexts: Vec<_> = catalog
            .contexts
            .iter()
            .filter(|context| context.spec.holds_for(organization))
            .filter(|context| {
                let last = context.spec.expires_at.as_ref();
                let last = last.and_then(|last| last.0.parse::<jiff::civil::Date>().ok());
                last.is_none_or(|last| last >= self.input.as_of)
            })
            .collect();
        contexts.sort_by_key(|context| {
            (
                context.spec.scope.level,
                context.spec.priority(),
                context.name.as_str(),
            )
        });
        contexts
            .into_iter()
            .filter_map(|context| context.tree.at(&["spec", "policyParameters"]))
            .collect()
    }
}
