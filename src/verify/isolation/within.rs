//! What is open within tenants of many workloads. There, pairs are as many as the square of workloads, and most of them are
//! open for the same reason; they are told as two sets of workloads.

use std::collections::{BTreeMap, HashMap, HashSet};
use std::sync::Arc;

use super::reach::ClusterNetwork;
use crate::model::isolation::Within;
use crate::model::network::{Direction, Peer};

/// From so many workloads on, they are told as a set.
const MANY: usize = 64;

/// One direction of what a rule opens on all ports: for these workloads, and for those at the other end.
struct OpenDirection {
    /// Nothing where no policy rules the direction.
    policy: Option<usize>,
    here: HashSet<usize>,
    there: Arc<HashSet<usize>>,
}

/// The workloads of a tenant in a namespace.
#[derive(Default)]
struct NamespaceWorkloads {
    pods: Vec<usize>,
    ingress: Vec<OpenDirection>,
    egress: Vec<OpenDirection>,
}

impl NamespaceWorkloads {
    fn sides(&self, direction: Direction) -> &[OpenDirection] {
        match direction {
            Direction::Ingress => &self.ingress,
            Direction::Egress => &self.egress,
        }
    }

    /// Whether everybody here may be at the other end of a workload's traffic.
    fn is_whole(&self, pod: usize, direction: Direction) -> bool {
        let mut sides = self.sides(direction).iter();
        sides.any(|side| side.here.contains(&pod) && side.there.len() == self.pods.len())
    }

    /// What is open, as two sets: who reaches, and who is reached.
    fn blocks(&self) -> Vec<(&OpenDirection, &OpenDirection, Vec<usize>, Vec<usize>)> {
        let mut blocks = Vec::new();
        for ingress in &self.ingress {
            for egress in &self.egress {
                let both = |a: &HashSet<usize>, b: &HashSet<usize>| -> Vec<usize> {
                    let pods = self.pods.iter().copied();
                    pods.filter(|pod| a.contains(pod) && b.contains(pod))
                        .collect()
                };
                let from = both(&ingress.there, &egress.here);
                let to = both(&ingress.here, &egress.there);
                if !from.is_empty() && !to.is_empty() {
                    blocks.push((ingress, egress, from, to));
                }
            }
        }
        blocks
    }
}

/// The tenants' workloads, and what is open between many of them.
#[derive(Default)]
pub(super) struct Groups {
    groups: Vec<NamespaceWorkloads>,
    /// The group of each workload.
    of: Vec<usize>,
    /// Of peers that are told as sets, those that belong to others: by place and group.
    others: HashMap<(PeerPlace, usize), Vec<usize>>,
}

/// Where a peer is written.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
pub(super) struct PeerPlace {
    pub(super) policy: usize,
    pub(super) direction: Direction,
    pub(super) rule: usize,
    pub(super) peer: usize,
}

impl Groups {
    /// What policies open on all ports between many workloads of a tenant in a namespace.
    pub(super) fn of(network: &ClusterNetwork<'_>) -> Groups {
        let mut known: HashMap<(&str, &str), usize> = HashMap::new();
        let mut all = Groups::default();
        for (at, pod) in network.pods.iter().enumerate() {
            let key = (network.parts[pod.unit].tenant, &*pod.pods.namespace);
            let group = *known.entry(key).or_insert_with(|| {
                all.groups.push(NamespaceWorkloads::default());
                all.groups.len() - 1
            });
            all.groups[group].pods.push(at);
            all.of.push(group);
        }
        for group in 0..all.groups.len() {
            if all.groups[group].pods.len() >= MANY {
                all.groups[group].ingress = all.sides(network, group, Direction::Ingress);
                all.groups[group].egress = all.sides(network, group, Direction::Egress);
            }
        }
        all
    }

    fn sides(
        &mut self,
        network: &ClusterNetwork<'_>,
        group: usize,
        direction: Direction,
    ) -> Vec<OpenDirection> {
        let pods = &self.groups[group].pods;
        let everybody: Arc<HashSet<usize>> = Arc::new(pods.iter().copied().collect());
        let mut sides = Vec::new();
        let mut held: BTreeMap<Option<usize>, HashSet<usize>> = BTreeMap::new();
        for pod in pods {
            let mut is_ruled = false;
            for (policy, content) in network.policies_of(*pod) {
                if content.rules(direction).is_some() {
                    is_ruled = true;
                    held.entry(Some(policy)).or_default().insert(*pod);
                }
            }
            if !is_ruled {
                held.entry(None).or_default().insert(*pod);
            }
        }
        held.retain(|_, here| here.len() >= MANY);
        for (policy, here) in held {
            let side = |there: &Arc<HashSet<usize>>| OpenDirection {
                policy,
                here: here.clone(),
                there: there.clone(),
            };
            let Some(at) = policy else {
                sides.push(side(&everybody));
                continue;
            };
            let content = &network.policies[at].policy;
            let rules = content.rules(direction).unwrap_or_default().iter();
            for (number, rule) in rules.enumerate().filter(|(_, rule)| rule.ports.is_none()) {
                let Some(peers) = &rule.peers else {
                    sides.push(side(&everybody));
                    continue;
                };
                for (position, peer) in peers.iter().enumerate() {
                    let is_own = matches!(
                        peer,
                        Peer::Pods {
                            namespaces: None,
                            ..
                        }
                    );
                    if !is_own {
                        continue;
                    }
                    let meant = network.selected(peer, &content.namespace);
                    let meant = meant.unwrap_or_default();
                    let (there, others): (Vec<usize>, Vec<usize>) =
                        meant.iter().partition(|pod| everybody.contains(pod));
                    if there.len() >= MANY {
                        let place = PeerPlace {
                            policy: at,
                            direction,
                            rule: number,
                            peer: position,
                        };
                        self.others.insert((place, group), others);
                        sides.push(side(&Arc::new(there.into_iter().collect())));
                    }
                }
            }
        }
        sides
    }

    /// Of a peer that is told as a set for a workload, the pods that belong to others.
    pub(super) fn others(&self, place: PeerPlace, pod: usize) -> Option<&[usize]> {
        self.others.get(&(place, self.of[pod])).map(Vec::as_slice)
    }

    /// Whether two workloads are of one group.
    pub(super) fn are_together(&self, a: usize, b: usize) -> bool {
        self.of[a] == self.of[b]
    }

    /// Whether some of a workload's own group are let through as a set.
    pub(super) fn is_in_set(&self, pod: usize, direction: Direction) -> bool {
        let mut sides = self.groups[self.of[pod]].sides(direction).iter();
        sides.any(|side| side.here.contains(&pod))
    }

    /// Whether all of a workload's own group are let through as a set.
    pub(super) fn is_whole(&self, pod: usize, direction: Direction) -> bool {
        self.groups[self.of[pod]].is_whole(pod, direction)
    }

    /// Those of a workload's own group that may send to it as a set.
    pub(super) fn senders(&self, to: usize) -> impl Iterator<Item = usize> + '_ {
        let sides = self.groups[self.of[to]].egress.iter();
        let open = sides.filter(move |side| side.there.contains(&to));
        open.flat_map(|side| side.here.iter().copied())
    }

    /// Whether a pair is told as part of sets.
    pub(super) fn has(&self, from: usize, to: usize) -> bool {
        if !self.are_together(from, to) {
            return false;
        }
        let group = &self.groups[self.of[to]];
        let let_in = |side: &OpenDirection| side.here.contains(&to) && side.there.contains(&from);
        let let_out = |side: &OpenDirection| side.here.contains(&from) && side.there.contains(&to);
        group.ingress.iter().any(let_in) && group.egress.iter().any(let_out)
    }

    /// The sets, and how many pairs they are.
    pub(super) fn told(&self, names: &[Arc<str>]) -> (Vec<Within>, usize) {
        let (mut within, mut pairs) = (Vec::new(), 0);
        for group in &self.groups {
            let blocks = group.blocks();
            let mut kinds: BTreeMap<Vec<usize>, Vec<usize>> = BTreeMap::new();
            let receivers: Vec<HashSet<usize>> = blocks
                .iter()
                .map(|(.., to)| to.iter().copied().collect())
                .collect();
            for pod in &group.pods {
                let of = (0..blocks.len()).filter(|block| receivers[*block].contains(pod));
                kinds.entry(of.collect()).or_default().push(*pod);
            }
            for (of, to) in kinds {
                let from = of.iter().flat_map(|block| blocks[*block].2.iter().copied());
                let from: HashSet<usize> = from.collect();
                let themselves = to.iter().filter(|pod| from.contains(pod)).count();
                pairs += from.len() * to.len() - themselves;
            }
            within.extend(blocks.into_iter().map(|(ingress, egress, from, to)| {
                let through =
                    |side: &OpenDirection| side.policy.map(|policy| names[policy].clone());
                Within {
                    from,
                    to,
                    through: [through(ingress), through(egress)],
                }
            }));
        }
        (within, pairs)
    }
}
