//! Who reaches whom in a cluster. Only pairs that some rule could open are looked at: rules are turned
//! into lists of pods by an index of labels and namespaces.

mod findings;

use std::cell::RefCell;
use std::collections::{BTreeMap, BTreeSet, HashMap, HashSet};
use std::sync::Arc;

use super::UnitIsolation;
use super::facts::{PolicyFacts, WorkloadFacts};
use super::within::{Groups, PeerPlace};
use crate::model::isolation::{ClusterIsolation, IsolatedWorkload, NetworkFlow, Why};
use crate::model::network::{
    Asks, Block, Direction, Labels, NAME_LABEL, NetworkPolicy, NetworkRule, OpenedBy, Peer,
    PodGroup, Ports, Selector, allowed,
};
use tenantry_syntax::diagnostics::catalogue::verify as codes;
use tenantry_syntax::diagnostics::{Diagnostic, Sink, Span};

/// Most pairs that are looked at in a cluster, and most of them that nothing declares: where everything is
/// open, they are too many to tell.
const MOST_PAIRS: usize = 20_000_000;
const MOST_UNDECLARED: usize = 100_000;
/// From so many pods on, a peer may as well be everybody: the pairs are looked at from the other side.
const MANY: usize = 2_000;
/// Most tenants that a finding names.
const MOST_NAMED: usize = 3;

/// A workload of the cluster, with the policies that hold for it.
pub(super) struct Pod<'a> {
    pub(super) unit: usize,
    facts: &'a WorkloadFacts,
    pub(super) pods: PodGroup,
    policies: Vec<usize>,
}

/// The network of a cluster.
pub(super) struct ClusterNetwork<'a> {
    pub(super) parts: &'a [UnitIsolation<'a>],
    pub(super) pods: Vec<Pod<'a>>,
    pub(super) policies: Vec<&'a PolicyFacts>,
    namespaces: HashMap<&'a str, Labels>,
    by_namespace: HashMap<&'a str, Vec<usize>>,
    by_label: HashMap<(&'a str, &'a str), Vec<usize>>,
    /// The pods that peers of whole namespaces mean; nothing for many.
    known_peers: RefCell<HashMap<Peer, Option<Arc<[usize]>>>>,
}

/// The pods at the other end of what policies open.
enum Others {
    All,
    These(BTreeSet<usize>),
}

/// Proves who reaches whom.
pub fn prove(
    cluster: &str,
    parts: &[UnitIsolation<'_>],
    blocks: &[Block],
    sink: &mut Sink,
) -> ClusterIsolation {
    let blocks: Option<Arc<[Block]>> = (!blocks.is_empty()).then(|| blocks.into());
    let network = ClusterNetwork::new(parts, blocks.as_ref());
    let mut isolation = ClusterIsolation {
        cluster: cluster.to_owned(),
        workloads: network
            .pods
            .iter()
            .map(|pod| network.workload(pod))
            .collect(),
        is_complete: true,
        ..ClusterIsolation::default()
    };
    let names: Vec<Arc<str>> = network
        .policies
        .iter()
        .map(|facts| format!("{}/{}", facts.policy.namespace, facts.policy.name).into())
        .collect();
    let groups = Groups::of(&network);
    let senders = Senders::of(&network, &groups);
    let mut known: HashSet<Arc<Ports>> = HashSet::new();
    let mut holes: BTreeMap<Line<'_>, UndeclaredReach> = BTreeMap::new();
    let mut undeclared_pairs = 0;
    for to in 0..network.pods.len() {
        for from in senders.to(to, &network, &groups) {
            if from == to || groups.has(from, to) {
                continue;
            }
            if isolation.pairs >= MOST_PAIRS || undeclared_pairs >= MOST_UNDECLARED {
                isolation.is_complete = false;
                break;
            }
            isolation.pairs += 1;
            let Some((ports, openings)) = network.reaches(from, to) else {
                continue;
            };
            let (why, undeclared) = network.why(from, to, &ports);
            if why == Why::Undeclared {
                undeclared_pairs += 1;
                for opening in &openings[0] {
                    let hole = holes
                        .entry(network.line_of(*opening, to))
                        .or_insert_with(|| {
                            UndeclaredReach::new(*opening, openings[1].first().copied())
                        });
                    hole.to.insert(to);
                    hole.from.insert(from);
                    hole.ports.append(&undeclared);
                }
            }
            let through = openings.map(|openings| {
                let policies: BTreeSet<usize> = openings
                    .iter()
                    .filter_map(|opening| Some(opening.rule?.0))
                    .collect();
                policies
                    .into_iter()
                    .map(|policy| Arc::clone(&names[policy]))
                    .collect()
            });
            let ports = known
                .get(&ports)
                .map_or_else(|| Arc::new(ports), Arc::clone);
            known.insert(Arc::clone(&ports));
            isolation.flows.push(NetworkFlow {
                from,
                to,
                why,
                ports,
                through,
            });
        }
    }
    for hole in holes.values() {
        network.tell(cluster, hole, sink);
    }
    network.node_networks(sink);
    if !isolation.is_complete {
        let message =
            format!("so much is open on {cluster} that not every pair of workloads was looked at");
        sink.push(
            Diagnostic::new(codes::TOO_OPEN, message)
                .help("fix the findings above, then run again"),
        );
    }
    let in_node_network = |at: &usize| network.pods[*at].facts.in_node_network;
    (isolation.within, isolation.pairs_within) = groups.told(&names);
    isolation.pairs += isolation.pairs_within;
    isolation.in_node_network = (0..network.pods.len()).filter(in_node_network).collect();
    isolation.flows.sort_unstable();
    isolation.outside = network.outside();
    isolation
}

/// Who may send to whom, as far as the senders' side goes.
struct Senders {
    /// Those that may send to everybody, and are not told as sets within their own group; then those that are.
    open: [Vec<usize>; 2],
    /// The others, by receiver.
    to: Vec<Vec<usize>>,
}

impl Senders {
    fn of(network: &ClusterNetwork<'_>, groups: &Groups) -> Senders {
        let mut senders = Senders {
            open: [Vec::new(), Vec::new()],
            to: vec![Vec::new(); network.pods.len()],
        };
        for from in 0..network.pods.len() {
            match network.others(from, Direction::Egress, groups) {
                Others::All => {
                    let is_set = groups.is_whole(from, Direction::Egress);
                    senders.open[usize::from(is_set)].push(from);
                }
                Others::These(these) => these.into_iter().for_each(|to| senders.to[to].push(from)),
            }
        }
        senders
    }

    /// Those that could reach a pod, in their order; all of them but those that are told as sets.
    fn to(&self, to: usize, network: &ClusterNetwork<'_>, groups: &Groups) -> BTreeSet<usize> {
        let own = |from: &usize| groups.are_together(*from, to);
        let [apart, in_sets] = &self.open;
        match network.others(to, Direction::Ingress, groups) {
            Others::These(mut these) => {
                if groups.is_in_set(to, Direction::Ingress) {
                    let open = apart.iter().chain(&self.to[to]);
                    these.extend(open.copied().filter(own));
                }
                these
            }
            Others::All => {
                let mut all: BTreeSet<usize> = apart.iter().chain(&self.to[to]).copied().collect();
                if groups.is_whole(to, Direction::Ingress) {
                    all.extend(in_sets.iter().copied().filter(|from| !own(from)));
                } else {
                    all.extend(in_sets.iter().copied());
                    all.extend(groups.senders(to));
                }
                all
            }
        }
    }
}

/// What holes are told together: in one environment, by one line of a policy, or by the lack of one.
type Line<'a> = (&'a str, Option<Span>, bool);

/// What an opening lets through that nothing declares.
struct UndeclaredReach {
    opening: OpenedBy,
    to: BTreeSet<usize>,
    from: BTreeSet<usize>,
    ports: Ports,
    /// What lets it out at the other end.
    out: Option<OpenedBy>,
}

impl UndeclaredReach {
    fn new(opening: OpenedBy, out: Option<OpenedBy>) -> UndeclaredReach {
        UndeclaredReach {
            opening,
            to: BTreeSet::new(),
            from: BTreeSet::new(),
            ports: Ports::default(),
            out,
        }
    }
}

impl<'a> ClusterNetwork<'a> {
    fn new(parts: &'a [UnitIsolation<'a>], blocks: Option<&Arc<[Block]>>) -> ClusterNetwork<'a> {
        let mut network = ClusterNetwork {
            parts,
            pods: Vec::new(),
            policies: Vec::new(),
            namespaces: HashMap::new(),
            by_namespace: HashMap::new(),
            by_label: HashMap::new(),
            known_peers: RefCell::default(),
        };
        // By namespace, and by a label that pods must have where the selector names one.
        type Place<'a> = (&'a str, Option<(&'a str, &'a str)>);
        let mut known: HashMap<Place<'_>, Vec<usize>> = HashMap::new();
        for part in parts {
            for (name, labels) in &part.facts.namespaces {
                network.namespaces.insert(name, labels.clone());
            }
            for facts in &part.facts.policies {
                let labels = exact(Some(&facts.policy.selects), None);
                let labels = labels.map_or_else(
                    || vec![None],
                    |labels| labels.into_iter().map(Some).collect(),
                );
                for label in labels {
                    let of_label = known.entry((&facts.policy.namespace, label)).or_default();
                    of_label.push(network.policies.len());
                }
                network.policies.push(facts);
            }
        }
        for (unit, part) in parts.iter().enumerate() {
            for facts in &part.facts.workloads {
                let position = network.pods.len();
                network
                    .by_namespace
                    .entry(&facts.pods.namespace)
                    .or_default()
                    .push(position);
                for (key, value) in &facts.pods.labels {
                    network
                        .by_label
                        .entry((key, value))
                        .or_default()
                        .push(position);
                }
                let pods = PodGroup {
                    addresses: blocks.cloned(),
                    ..facts.pods.clone()
                };
                let holds = |policy: &usize| network.policies[*policy].policy.holds_for(&pods);
                let labels = pods
                    .labels
                    .iter()
                    .map(|(key, value)| Some((&**key, &**value)));
                let there = labels
                    .chain([None])
                    .filter_map(|label| known.get(&(&*pods.namespace, label)));
                let mut policies: Vec<usize> = there.flatten().copied().filter(holds).collect();
                policies.sort_unstable();
                policies.dedup();
                if facts.in_node_network {
                    policies.clear();
                }
                network.pods.push(Pod {
                    unit,
                    facts,
                    pods,
                    policies,
                });
            }
        }
        // A namespace that another repository makes has its name, as every namespace has.
        for name in network.by_namespace.keys() {
            network
                .namespaces
                .entry(name)
                .or_insert_with(|| vec![(NAME_LABEL.into(), (*name).into())]);
        }
        network
    }

    fn workload(&self, pod: &Pod<'_>) -> IsolatedWorkload {
        let part = self.parts[pod.unit];
        IsolatedWorkload {
            environment: part.environment.to_owned(),
            tenant: part.tenant.to_owned(),
            title: pod.facts.title.to_string(),
            component: pod.facts.component.to_string(),
            namespace: pod.pods.namespace.to_string(),
        }
    }

    fn labels_of(&self, namespace: &str) -> &Labels {
        static NONE: Labels = Vec::new();
        self.namespaces.get(namespace).unwrap_or(&NONE)
    }

    pub(super) fn policies_of(
        &self,
        pod: usize,
    ) -> impl Iterator<Item = (usize, &'a NetworkPolicy)> + '_ {
        self.pods[pod]
            .policies
            .iter()
            .map(|policy| (*policy, &self.policies[*policy].policy))
    }

    /// The pods that may be at the other end of a pod's traffic, but for those that are told as sets.
    fn others(&self, pod: usize, direction: Direction, groups: &Groups) -> Others {
        let (mut is_ruled, mut these) = (false, BTreeSet::new());
        for (at, policy) in self.policies_of(pod) {
            let Some(rules) = policy.rules(direction) else {
                continue;
            };
            is_ruled = true;
            for (number, rule) in rules.iter().enumerate() {
                let Some(peers) = &rule.peers else {
                    return Others::All;
                };
                for (position, peer) in peers.iter().enumerate() {
                    let place = PeerPlace {
                        policy: at,
                        direction,
                        rule: number,
                        peer: position,
                    };
                    if let Some(others) = groups.others(place, pod) {
                        these.extend(others.iter().copied());
                    } else {
                        match self.meant(peer, &policy.namespace) {
                            Some(more) => these.extend(more.iter().copied()),
                            None => return Others::All,
                        }
                    }
                    if these.len() > MANY {
                        return Others::All;
                    }
                }
            }
        }
        if is_ruled {
            Others::These(these)
        } else {
            Others::All
        }
    }

    /// The pods that a peer means; nothing if they are many. Peers of whole namespaces are alike in many
    /// policies, and looked up once.
    fn meant(&self, peer: &Peer, own: &str) -> Option<Arc<[usize]>> {
        let is_own = matches!(
            peer,
            Peer::Pods {
                namespaces: None,
                ..
            }
        );
        if !is_own && let Some(known) = self.known_peers.borrow().get(peer) {
            return known.clone();
        }
        let found = self.selected(peer, own).filter(|pods| pods.len() <= MANY);
        let found: Option<Arc<[usize]>> = found.map(Arc::from);
        if !is_own {
            let mut known = self.known_peers.borrow_mut();
            known.insert(peer.clone(), found.clone());
        }
        found
    }

    /// The pods that a peer means; nothing for everybody.
    pub(super) fn selected(&self, peer: &Peer, own: &str) -> Option<Vec<usize>> {
        let Peer::Pods { namespaces, pods } = peer else {
            let is_met = |pod: &&Pod<'_>| peer.is(own, &pod.pods, &Vec::new());
            // Pods are alike in where their addresses may be.
            return match self.pods.first().filter(is_met) {
                Some(_) => None,
                None => Some(Vec::new()),
            };
        };
        let is_any = namespaces.as_ref().is_some_and(|one| one.0.is_empty());
        if is_any && pods.is_none() {
            return None;
        }
        let list = |name: &str| self.by_namespace.get(name).map_or(&[][..], Vec::as_slice);
        let candidates: Vec<usize> = match namespaces {
            None => list(own).to_vec(),
            Some(selector) => match (
                exact(Some(selector), Some(NAME_LABEL)),
                exact(pods.as_ref(), None),
            ) {
                (Some(names), _) => names
                    .iter()
                    .flat_map(|(_, name)| list(name))
                    .copied()
                    .collect(),
                (None, Some(labels)) => labels
                    .iter()
                    .filter_map(|label| self.by_label.get(label))
                    .flatten()
                    .copied()
                    .collect(),
                (None, None) => (0..self.pods.len()).collect(),
            },
        };
        let is_meant = |at: &usize| {
            let other = &self.pods[*at].pods;
            peer.is(own, other, self.labels_of(&other.namespace))
        };
        Some(candidates.into_iter().filter(is_meant).collect())
    }

    /// The ports on which a pod reaches another, and what opens them: at the receiver, at the sender.
    fn reaches(&self, from: usize, to: usize) -> Option<(Ports, [Vec<OpenedBy>; 2])> {
        let (sender, receiver) = (&self.pods[from].pods, &self.pods[to].pods);
        let side = |here: usize, direction, there: &PodGroup| {
            let labels = self.labels_of(&there.namespace);
            allowed(
                self.policies_of(here),
                direction,
                &self.pods[here].pods,
                there,
                labels,
            )
        };
        let (into, let_in) = side(to, Direction::Ingress, sender);
        if into.is_empty() {
            return None;
        }
        let (out, let_out) = side(from, Direction::Egress, receiver);
        let ports = into.common(&out);
        (!ports.is_empty()).then_some((ports, [let_in, let_out]))
    }

    /// Why a pod reaches another, and the ports that nothing declares.
    fn why(&self, from: usize, to: usize, ports: &Ports) -> (Why, Ports) {
        let (sender, receiver) = (&self.pods[from], &self.pods[to]);
        let (a, b) = (self.parts[sender.unit], self.parts[receiver.unit]);
        // Two environments in one namespace are another finding.
        let is_same = a.tenant == b.tenant && sender.pods.namespace == receiver.pods.namespace;
        if sender.unit == receiver.unit || is_same {
            return (Why::Own, Ports::default());
        }
        let mut declared = Ports::default();
        if a.environment == b.environment {
            for share in &b.facts.shares {
                if share.component == receiver.facts.component && *share.with == *a.tenant {
                    if share.ports.is_empty() {
                        declared = Ports::all();
                    }
                    for (name, protocol, port) in &receiver.pods.ports {
                        if share.ports.contains(name) {
                            declared.add(*protocol, *port, *port);
                        }
                    }
                }
            }
        }
        let undeclared = ports.without(&declared);
        if undeclared.is_empty() {
            (Why::Share, undeclared)
        } else {
            (Why::Undeclared, undeclared)
        }
    }

    fn line_of(&self, opening: OpenedBy, to: usize) -> Line<'a> {
        let environment = self.parts[self.pods[to].unit].environment;
        let place = opening
            .rule
            .map(|(policy, rule)| self.policies[policy].ingress[rule].primary);
        (environment, place.flatten(), place.is_some())
    }
}

/// Labels of which pods that a selector selects must have one.
fn exact<'s>(selector: Option<&'s Selector>, key: Option<&str>) -> Option<Vec<(&'s str, &'s str)>> {
    let mut requirements = selector?.0.iter();
    requirements.find_map(|requirement| match &requirement.asks {
        Asks::In(values) if key.is_none_or(|key| key == &*requirement.key) => {
            let values = values.iter();
            Some(values.map(|value| (&*requirement.key, &**value)).collect())
        }
        _ => None,
    })
}

fn port_words(rule: &NetworkRule, receiver: &PodGroup, goes_out: bool) -> String {
    // The other end's names of ports are not known.
    let nobody = PodGroup::default();
    let ports = rule.ports_of(if goes_out { &nobody } else { receiver });
    if ports.is_empty() {
        "some ports".to_owned()
    } else {
        ports.words()
    }
}
