//! What a proof found, and what of it crosses the borders of tenants.

use super::{ClusterNetwork, MOST_NAMED, UndeclaredReach, port_words};
use crate::model::isolation::Outside;
use crate::model::network::Asks;
use crate::model::network::Direction;
use crate::model::network::NAME_LABEL;
use crate::model::network::Peer;
use std::collections::BTreeSet;
use tenantry_syntax::diagnostics::Diagnostic;
use tenantry_syntax::diagnostics::Sink;
use tenantry_syntax::diagnostics::catalogue::verify as codes;
use tenantry_syntax::diagnostics::list_plain;

impl ClusterNetwork<'_> {
    pub(super) fn tell(&self, cluster: &str, hole: &UndeclaredReach, sink: &mut Sink) {
        let Some(to) = hole.to.first().map(|to| &self.pods[*to]) else {
            return;
        };
        let owner = self.parts[to.unit];
        let mut tenants: BTreeSet<(&str, &str)> = BTreeSet::new();
        for from in &hole.from {
            let part = self.parts[self.pods[*from].unit];
            tenants.insert((part.tenant, part.environment));
        }
        let name = |(tenant, environment): &(&str, &str)| {
            let tenant = if tenant.is_empty() {
                "the cluster's own workloads"
            } else {
                tenant
            };
            if *environment == owner.environment {
                tenant.to_owned()
            } else {
                format!("{tenant} of {environment}")
            }
        };
        let mut named: Vec<String> = tenants.iter().take(MOST_NAMED).map(name).collect();
        if tenants.len() > MOST_NAMED {
            named.push(format!("{} more tenants", tenants.len() - MOST_NAMED));
        }
        let who = list_plain(&named);
        let tenants_of = |pods: &BTreeSet<usize>| -> BTreeSet<&str> {
            pods.iter()
                .map(|pod| self.parts[self.pods[*pod].unit].tenant)
                .collect()
        };
        let others = tenants_of(&hole.to).len() - 1;
        let of_others = match others {
            0 => String::new(),
            others => format!(", of {} tenants in all,", others + 1),
        };
        let more = match hole.to.len() {
            1 => String::new(),
            2 => format!(" and 1 more workload{of_others}"),
            count => format!(" and {} more workloads{of_others}", count - 1),
        };
        let message = format!(
            "{} of {}{more} can be reached by {who} on {}, and no share says so",
            to.facts.title,
            if owner.tenant.is_empty() {
                "the cluster"
            } else {
                owner.tenant
            },
            hole.ports.words()
        );
        let (place, label) = match hole.opening.rule {
            Some((policy, rule)) => {
                let facts = self.policies[policy];
                (
                    &facts.ingress[rule],
                    format!(
                        "NetworkPolicy `{}` in namespace `{}` lets it in",
                        facts.policy.name, facts.policy.namespace
                    ),
                )
            }
            None => (
                &to.facts.place,
                "no NetworkPolicy rules what reaches these pods".to_owned(),
            ),
        };
        let mut diagnostic = place.put(Diagnostic::new(codes::REACHED, message), &label);
        match hole.out.and_then(|out| out.rule) {
            Some((policy, rule)) => {
                let facts = self.policies[policy];
                let label = format!(
                    "NetworkPolicy `{}` in namespace `{}` lets it out",
                    facts.policy.name, facts.policy.namespace
                );
                diagnostic = match facts.egress[rule].primary {
                    Some(span) => diagnostic.and(span, label),
                    None => diagnostic.note(label),
                };
            }
            None => {
                diagnostic =
                    diagnostic.note("no NetworkPolicy rules what goes out at the other end");
            }
        }
        let help = if hole.opening.rule.is_none() {
            "add a policy that selects these pods, as the built-in default-deny of `templates/tenant/networkpolicy.yaml` does".to_owned()
        } else if owner.tenant.is_empty() || to.facts.component.is_empty() {
            "narrow the policy to the tenant's own pods".to_owned()
        } else {
            format!(
                "narrow the policy, or declare it: in {}'s `shares`, `component: {}` with those tenants",
                owner.tenant, to.facts.component
            )
        };
        sink.push(
            diagnostic
                .note(format!("in {} on {cluster}", owner.environment))
                .help(help),
        );
    }

    /// Pods in their node's network are outside of every policy.
    pub(super) fn node_networks(&self, sink: &mut Sink) {
        for pod in self.pods.iter().filter(|pod| pod.facts.in_node_network) {
            let part = self.parts[pod.unit];
            let message = format!(
                "{} of {} uses its node's own network, where no NetworkPolicy holds",
                pod.facts.title, part.tenant
            );
            let diagnostic = Diagnostic::new(codes::REACHED, message);
            sink.push(
                pod.facts
                    .place
                    .put(diagnostic, "")
                    .help("leave `hostNetwork` out of the template"),
            );
        }
    }

    /// What rules say of addresses, and of namespaces that nothing here makes.
    pub(super) fn outside(&self) -> Vec<Outside> {
        let mut outside: BTreeSet<Outside> = BTreeSet::new();
        for (workload, pod) in self.pods.iter().enumerate() {
            for direction in [Direction::Ingress, Direction::Egress] {
                let goes_out = direction == Direction::Egress;
                let mut is_ruled = false;
                let mut add = |peer: String, ports: String| {
                    outside.insert(Outside {
                        workload,
                        goes_out,
                        peer,
                        ports,
                    });
                };
                for (_, policy) in self.policies_of(workload) {
                    let Some(rules) = policy.rules(direction) else {
                        continue;
                    };
                    is_ruled = true;
                    for rule in rules {
                        let ports = port_words(rule, &pod.pods, goes_out);
                        let Some(peers) = &rule.peers else {
                            add("everybody".to_owned(), ports);
                            continue;
                        };
                        for peer in peers {
                            if let Some(words) = self.outside_peer(peer) {
                                add(words, ports.clone());
                            }
                        }
                    }
                }
                if !is_ruled {
                    add("everybody".to_owned(), "all ports".to_owned());
                }
            }
        }
        outside.into_iter().collect()
    }

    pub(super) fn outside_peer(&self, peer: &Peer) -> Option<String> {
        match peer {
            Peer::Block { block, except } if except.is_empty() => Some(block.words()),
            Peer::Block { block, .. } => Some(format!("{} with exceptions", block.words())),
            Peer::Pods {
                namespaces: Some(selector),
                ..
            } => {
                let names = selector
                    .0
                    .iter()
                    .find_map(|requirement| match &requirement.asks {
                        Asks::In(values) if &*requirement.key == NAME_LABEL => Some(values),
                        _ => None,
                    });
                match names {
                    Some(names) => {
                        let others: Vec<&str> = names
                            .iter()
                            .map(|name| &**name)
                            .filter(|name| !self.namespaces.contains_key(name))
                            .collect();
                        (!others.is_empty()).then(|| format!("namespace {}", others.join(", ")))
                    }
                    None if selector.0.is_empty() => Some("every namespace".to_owned()),
                    None => Some("namespaces by label".to_owned()),
                }
            }
            Peer::Pods {
                namespaces: None, ..
            } => None,
        }
    }
}
