//! Rules about documents: tenants, components and the platform as a whole.

use std::collections::BTreeMap;
use std::sync::atomic::Ordering;

use rayon::prelude::*;

use super::judge::{RuleVerdict, judge};
use super::names::{self, AdmissionRequest, NameValues};
use super::{Circumstances, Left, Policies, parameters, report, rules};
use crate::model::access;
use crate::model::catalog::Document;
use crate::model::field::Field;
use crate::model::kinds::policy::Target;
use crate::model::kinds::{Catalog, Header, KindName, Tenant};
use crate::model::verdict::{Outcome, VerdictSubject};
use tenantry_engine::view::View;
use tenantry_syntax::diagnostics::Sink;
use tenantry_syntax::yaml::{Node, NodeId, Value as Yaml, entry, merge};

/// A document as rules see it: its spec, its name and its labels.
fn seen<K>(document: &Document<K>) -> Node {
    named(
        &document.effective,
        &document.tree,
        document.name_id(),
        &document.name,
    )
}

fn named(effective: &Node, tree: &Node, name_id: NodeId, name: &str) -> Node {
    let mut entries = effective.entries().to_vec();
    let labels = Field::<Header>::of(tree)
        .metadata()
        .labels()
        .node()
        .cloned();
    for new in [
        entry("name", Node::text(name_id, name)),
        entry("userLabels", labels.unwrap_or_else(Node::empty_map)),
    ] {
        entries.retain(|known| known.key != new.key);
        entries.push(new);
    }
    names::named_entries(&Node::map(effective.id, entries))
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
    entries.retain(|known| !matches!(&*known.key, "limits" | "grants"));
    entries.push(entry("limits", limits));
    entries.push(entry("grants", access::grants_of(catalog, document)));
    Node::map(tenant.id, entries)
}

/// All documents, by kind: `resources.alertRoutes`. Rules, frameworks and the Platform are no resources.
pub fn resources(catalog: &Catalog) -> Node {
    let mut by_kind: BTreeMap<KindName, Vec<Node>> = BTreeMap::new();
    for document in catalog.all() {
        by_kind.entry(document.kind).or_default().push(named(
            document.effective,
            document.tree,
            document.name_id,
            document.name,
        ));
    }
    let tenants = catalog.tenants.iter();
    let tenants = tenants.map(|tenant| seen_tenant(tenant, catalog));
    by_kind.insert(KindName::Tenant, tenants.collect());
    by_kind.insert(
        KindName::Role,
        access::roles(catalog).into_values().collect(),
    );
    let kinds = KindName::ALL.iter().filter(|kind| {
        !matches!(
            kind,
            KindName::Platform | KindName::Policy | KindName::Framework
        )
    });
    let lists = kinds.map(|kind| {
        let list = by_kind.remove(kind).unwrap_or_default();
        entry(
            &kind.list_name(),
            Node::new(NodeId::NONE, Yaml::List(list.into())),
        )
    });
    Node::map(NodeId::NONE, lists.collect())
}

/// A document that rules judge.
struct Judged {
    target: Target,
    kind: &'static str,
    name: String,
    place: NodeId,
    seen: Node,
    /// The tenant that it is, or belongs to.
    tenant: Option<Node>,
    /// The role that a grant gives.
    role: Option<Node>,
    /// `policyParameters` of the role and of what it inherits, the inherited ones first.
    of_roles: Vec<Node>,
}

impl Judged {
    /// A document that belongs to no tenant.
    fn alone<K>(target: Target, kind: &'static str, document: &Document<K>) -> Judged {
        Judged {
            target,
            kind,
            name: document.name.clone(),
            place: document.name_id(),
            seen: seen(document),
            tenant: None,
            role: None,
            of_roles: Vec::new(),
        }
    }

    /// `Dataset/orders`; a grant is told apart by those who have it.
    fn title(&self) -> String {
        let subjects = self.seen.get("subjects").and_then(Node::as_list);
        let names = subjects.unwrap_or_default().iter();
        let names: Vec<&str> = names
            .filter_map(|subject| subject.get("name").and_then(Node::as_str))
            .collect();
        match self.target {
            Target::Grant => format!("Grant/{}:{}", self.name, names.join(",")),
            _ => format!("{}/{}", self.kind, self.name),
        }
    }

    fn note(&self) -> String {
        match self.target {
            Target::Grant => format!("in the grant of `{}` in {}", self.name, self.tenant_name()),
            _ => format!("in {} `{}`", self.kind.to_lowercase(), self.name),
        }
    }

    fn tenant_name(&self) -> &str {
        let tenant = self.tenant.as_ref().and_then(|tenant| tenant.get("name"));
        tenant.and_then(Node::as_str).unwrap_or_default()
    }
}

impl Policies<'_> {
    /// Judges tenants, their grants, components, datasets, connections, recovery plans and the platform.
    pub fn documents(&self, left: &mut Left, sink: &mut Sink) {
        let catalog = self.input.catalog;
        let platform = catalog.platforms.iter().next().map(seen);
        let mut judged: Vec<Judged> = Vec::new();
        let roles = access::roles(catalog);
        for tenant in &catalog.tenants {
            let seen = seen_tenant(tenant, catalog);
            let grants = seen.get("grants").and_then(Node::as_list);
            for grant in grants.unwrap_or_default() {
                let role = grant.get("role").and_then(Node::as_str);
                // A role that does not exist is another finding.
                if role.is_none_or(|role| !roles.contains_key(role)) {
                    continue;
                }
                judged.push(Judged {
                    target: Target::Grant,
                    kind: "Grant",
                    name: role.unwrap_or_default().to_owned(),
                    place: grant.get("role").map_or(grant.id, |role| role.id),
                    seen: grant.clone(),
                    tenant: Some(seen.clone()),
                    of_roles: role
                        .map(|role| access::parameters(catalog, role))
                        .unwrap_or_default(),
                    role: role.and_then(|role| roles.get(role)).cloned(),
                });
            }
            judged.push(Judged {
                target: Target::Tenant,
                kind: "Tenant",
                name: tenant.name.clone(),
                place: tenant.name_id(),
                tenant: Some(seen.clone()),
                seen,
                role: None,
                of_roles: Vec::new(),
            });
        }
        for dataset in &catalog.datasets {
            judged.push(Judged::alone(Target::Dataset, "Dataset", dataset));
        }
        for connection in &catalog.connections {
            judged.push(Judged::alone(Target::Connection, "Connection", connection));
        }
        for plan in &catalog.recovery_plans {
            judged.push(Judged::alone(Target::RecoveryPlan, "RecoveryPlan", plan));
        }
        for component in &catalog.components {
            judged.push(Judged::alone(Target::Component, "Component", component));
        }
        if let Some(document) = catalog.platforms.iter().next() {
            judged.push(Judged::alone(Target::Platform, "Platform", document));
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
        let circumstances = Circumstances {
            tenant: one.tenant.as_ref(),
            environment: None,
            all_tenants: one.tenant.is_none(),
        };
        if !self.holds(rule, &circumstances) || !self.may_spend(index) {
            return;
        }
        let mut contexts = self.contexts_of(one);
        contexts.extend(&one.of_roles);
        let layers = self.layers(&circumstances, contexts);
        // What is weakened is told where the tenant's units are judged; of a role, it is told here.
        let mut weakened = Sink::default();
        let params = parameters::of_rule(rule, &layers, self.input.sources, &mut weakened);
        if one.role.is_some() {
            sink.append(weakened);
        }
        let mut scene = NameValues::new(AdmissionRequest::default());
        let mut set = |name: &str, node| {
            if let Some(position) = names::position(name) {
                scene.set(position, tenantry_cel::tree::of(View::of(node)));
            }
        };
        set(one.target.name(), &one.seen);
        if let Some(tenant) = &one.tenant {
            set("tenant", tenant);
        }
        if let Some(role) = &one.role {
            set("role", role);
        }
        set("resources", &self.resources);
        if let Some(platform) = platform {
            set("platform", platform);
        }
        let mut spent = 0;
        let verdict = judge(
            rule,
            &scene,
            &tenantry_cel::tree::of(View::of(&params)),
            &mut spent,
        );
        self.spent[index].fetch_add(spent, Ordering::Relaxed);
        let tenant = one.tenant_name().to_owned();
        let mut count = |outcome| {
            let key = (tenant.clone(), index);
            left.counts.entry(key).or_default().add(outcome);
        };
        let failures = match verdict {
            RuleVerdict::Skipped => return,
            RuleVerdict::Met => return count(Outcome::Pass),
            RuleVerdict::Undecided(_) => return count(Outcome::Undecided),
            RuleVerdict::Failed(failures) => failures,
        };
        let root = View::of(&one.seen);
        let known = left.records.len();
        for failure in failures {
            let (view, path) = report::decided(&failure, root).unwrap_or((root, String::new()));
            let subject = VerdictSubject {
                tenant: tenant.clone(),
                component: if one.target == Target::Component {
                    one.name.clone()
                } else {
                    String::new()
                },
                object: one.title(),
                path,
                ..VerdictSubject::default()
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
                .note(one.note());
            self.accept(
                index,
                finding,
                subject,
                self.input.gives_evidence.then(|| rules::digest(&one.seen)),
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
        let tenant = catalog.tenants.get(one.tenant_name());
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
