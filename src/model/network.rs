//! What `network policies` let through, as <https://kubernetes.io/docs/concepts/services-networking/network-policies/>
//! says it: pods that a policy selects are closed in its directions but for what any policy's rule opens;
//! other pods are open. Traffic passes where the sender's egress and the receiver's ingress both let it.

use std::net::IpAddr;
use std::sync::Arc;

use tenantry_engine::view::{Shape, View};
use tenantry_kubernetes::defaults::{Stored, StoredPart};

/// Labels of a pod or namespace.
pub type Labels = Vec<(Box<str>, Box<str>)>;

/// The label that every namespace has, with its name.
pub const NAME_LABEL: &str = "kubernetes.io/metadata.name";

/// A selector of labels: every requirement must be met; none selects all.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash)]
pub struct Selector(pub Vec<SelectorTerm>);

/// What a selector asks of one label.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct SelectorTerm {
    /// The label's key.
    pub key: Box<str>,
    /// What is asked.
    pub asks: Asks,
}

/// What is asked of a label.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum Asks {
    /// It has one of these values.
    In(Vec<Box<str>>),
    /// It has none of these values; it need not be there.
    NotIn(Vec<Box<str>>),
    /// It is there.
    Exists,
    /// It is not there.
    Absent,
}

impl Selector {
    /// Reads a `LabelSelector`.
    pub fn of(view: View<'_>) -> Selector {
        let mut requirements = Vec::new();
        for field in view
            .get("matchLabels")
            .map(View::fields)
            .unwrap_or_default()
        {
            let value = field.value.text().unwrap_or_default();
            requirements.push(SelectorTerm {
                key: field.key.into(),
                asks: Asks::In(vec![value.into()]),
            });
        }
        for one in view
            .get("matchExpressions")
            .map(View::items)
            .unwrap_or_default()
        {
            let values = one.get("values").map(View::items).unwrap_or_default();
            let values = values
                .into_iter()
                .filter_map(View::text)
                .map(Box::from)
                .collect();
            requirements.push(SelectorTerm {
                key: one.text_at(&["key"]).into(),
                asks: match &*one.text_at(&["operator"]) {
                    "In" => Asks::In(values),
                    "NotIn" => Asks::NotIn(values),
                    "DoesNotExist" => Asks::Absent,
                    _ => Asks::Exists,
                },
            });
        }
        Selector(requirements)
    }

    /// Whether it selects what has these labels.
    pub fn selects(&self, labels: &Labels) -> bool {
        self.0.iter().all(|requirement| {
            let found = labels.iter().find(|(key, _)| *key == requirement.key);
            let found = found.map(|(_, value)| value);
            match &requirement.asks {
                Asks::In(values) => found.is_some_and(|value| values.contains(value)),
                Asks::NotIn(values) => found.is_none_or(|value| !values.contains(value)),
                Asks::Exists => found.is_some(),
                Asks::Absent => found.is_none(),
            }
        })
    }
}

/// A range of addresses.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Block {
    is_v4: bool,
    first: u128,
    last: u128,
}

impl Block {
    /// Reads `10.0.0.0/8`.
    pub fn parse(text: &str) -> Option<Block> {
        let (address, length) = text.split_once('/')?;
        let length: u32 = length.parse().ok()?;
        let (is_v4, bits, width): (bool, u128, u32) = match address.parse().ok()? {
            IpAddr::V4(address) => (true, u128::from(u32::from(address)), 32),
            IpAddr::V6(address) => (false, u128::from(address), 128),
        };
        let host = u128::MAX
            .checked_shr(128 - width.checked_sub(length)?)
            .unwrap_or(0);
        Some(Block {
            is_v4,
            first: bits & !host,
            last: bits | host,
        })
    }

    /// `10.0.0.0/8`.
    pub fn words(&self) -> String {
        let width = if self.is_v4 { 32 } else { 128 };
        let length = width - (self.last - self.first).count_ones();
        let address = match u32::try_from(self.first) {
            Ok(bits) if self.is_v4 => IpAddr::from(bits.to_be_bytes()),
            _ => IpAddr::from(self.first.to_be_bytes()),
        };
        format!("{address}/{length}")
    }

    /// Whether all of another range lies in this one.
    pub fn contains(&self, other: &Block) -> bool {
        self.is_v4 == other.is_v4 && self.first <= other.first && other.last <= self.last
    }

    /// Whether the two have an address in common that lies in none of `except`.
    fn meets(&self, other: &Block, except: &[Block]) -> bool {
        if self.is_v4 != other.is_v4 {
            return false;
        }
        let (mut next, last) = (self.first.max(other.first), self.last.min(other.last));
        while next <= last {
            let within = |block: &&Block| {
                block.is_v4 == self.is_v4 && block.first <= next && next <= block.last
            };
            match except.iter().find(within) {
                None => return true,
                Some(block) if block.last == u128::MAX => return false,
                Some(block) => next = block.last + 1,
            }
        }
        false
    }
}

/// A protocol of ports.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum PortProtocol {
    /// TCP.
    Tcp,
    /// UDP.
    Udp,
    /// SCTP.
    Sctp,
}

impl PortProtocol {
    /// All of them.
    pub const ALL: [PortProtocol; 3] = [PortProtocol::Tcp, PortProtocol::Udp, PortProtocol::Sctp];

    /// Reads a `protocol`; TCP where nothing is said.
    pub fn of(text: &str) -> PortProtocol {
        match text {
            "UDP" => PortProtocol::Udp,
            "SCTP" => PortProtocol::Sctp,
            _ => PortProtocol::Tcp,
        }
    }

    /// As Kubernetes writes it.
    pub fn name(self) -> &'static str {
        ["TCP", "UDP", "SCTP"][self as usize]
    }
}

/// Ports that may be reached, by protocol, as ranges in order.
#[derive(Clone, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Ports([Vec<(u16, u16)>; 3]);

impl Ports {
    /// Every port of every protocol.
    pub fn all() -> Ports {
        Ports([
            vec![(1, u16::MAX)],
            vec![(1, u16::MAX)],
            vec![(1, u16::MAX)],
        ])
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.0.iter().all(Vec::is_empty)
    }

    /// Whether one is among them.
    pub fn has(&self, protocol: PortProtocol, port: u16) -> bool {
        self.0[protocol as usize]
            .iter()
            .any(|(from, to)| (*from..=*to).contains(&port))
    }

    /// Adds a range.
    pub fn add(&mut self, protocol: PortProtocol, from: u16, to: u16) {
        if from > to {
            return;
        }
        let ranges = &mut self.0[protocol as usize];
        ranges.push((from.max(1), to));
        ranges.sort_unstable();
        let mut merged: Vec<(u16, u16)> = Vec::with_capacity(ranges.len());
        for (from, to) in ranges.drain(..) {
            match merged.last_mut() {
                Some(last) if from <= last.1.saturating_add(1) => last.1 = last.1.max(to),
                _ => merged.push((from, to)),
            }
        }
        *ranges = merged;
    }

    /// Adds all of others.
    pub fn append(&mut self, other: &Ports) {
        for protocol in PortProtocol::ALL {
            for (from, to) in &other.0[protocol as usize] {
                self.add(protocol, *from, *to);
            }
        }
    }

    /// Those that both have.
    pub fn common(&self, other: &Ports) -> Ports {
        let mut both = Ports::default();
        for protocol in PortProtocol::ALL {
            for (from, to) in &self.0[protocol as usize] {
                for (other_from, other_to) in &other.0[protocol as usize] {
                    both.add(protocol, *from.max(other_from), *to.min(other_to));
                }
            }
        }
        both
    }

    /// Those that the other does not have.
    pub fn without(&self, other: &Ports) -> Ports {
        let mut rest = Ports::default();
        for protocol in PortProtocol::ALL {
            for (from, to) in &self.0[protocol as usize] {
                let mut next = u32::from(*from);
                for (gone_from, gone_to) in &other.0[protocol as usize] {
                    if u32::from(*gone_from) > next {
                        let end = (u32::from(*gone_from) - 1).min(u32::from(*to));
                        rest.add_wide(protocol, next, end);
                    }
                    next = next.max(u32::from(*gone_to) + 1);
                }
                rest.add_wide(protocol, next, u32::from(*to));
            }
        }
        rest
    }

    fn add_wide(&mut self, protocol: PortProtocol, from: u32, to: u32) {
        if let (Ok(from), Ok(to), true) = (u16::try_from(from), u16::try_from(to), from <= to) {
            self.add(protocol, from, to);
        }
    }

    /// `TCP 8080, UDP 53`, `all ports`.
    pub fn words(&self) -> String {
        if *self == Ports::all() {
            return "all ports".to_owned();
        }
        let mut words = Vec::new();
        for protocol in PortProtocol::ALL {
            for (from, to) in &self.0[protocol as usize] {
                words.push(match (from, to) {
                    (1, &u16::MAX) => format!("all of {}", protocol.name()),
                    _ if from == to => format!("{} {from}", protocol.name()),
                    _ => format!("{} {from}–{to}", protocol.name()),
                });
            }
        }
        words.join(", ")
    }
}

/// A port of a rule.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PortRule {
    /// Its protocol.
    pub protocol: PortProtocol,
    /// Which ports.
    pub port: PortName,
}

/// Which ports a rule is for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum PortName {
    /// Every port of the protocol.
    Any,
    /// From a number to another.
    Range(u16, u16),
    /// The receiver's port of this name.
    Named(Box<str>),
}

/// Who is at the other end.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum Peer {
    /// Pods in the policy's own namespace, or in those that are selected.
    Pods {
        /// Which namespaces; nothing for the policy's own.
        namespaces: Option<Selector>,
        /// Which pods there; nothing for all.
        pods: Option<Selector>,
    },
    /// Addresses.
    Block {
        /// Which.
        block: Block,
        /// But these.
        except: Vec<Block>,
    },
}

/// A rule of a policy: all its peers, on all its ports.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct NetworkRule {
    /// Who is at the other end; nothing for everybody.
    pub peers: Option<Vec<Peer>>,
    /// Which ports; nothing for all.
    pub ports: Option<Vec<PortRule>>,
}

/// A NetworkPolicy.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct NetworkPolicy {
    /// Its name.
    pub name: Box<str>,
    /// Its namespace.
    pub namespace: Box<str>,
    /// The pods that it holds for.
    pub selects: Selector,
    /// What it lets in; nothing if it does not rule what comes in.
    pub ingress: Option<Vec<NetworkRule>>,
    /// What it lets out; nothing if it does not rule what goes out.
    pub egress: Option<Vec<NetworkRule>>,
}

/// Pods that are alike.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct PodGroup {
    /// Their namespace.
    pub namespace: Box<str>,
    /// Their labels.
    pub labels: Labels,
    /// The ports that have a name.
    pub ports: Vec<(Box<str>, PortProtocol, u16)>,
    /// Where their addresses may be; nothing if that is not known, so that they may be anywhere.
    pub addresses: Option<Arc<[Block]>>,
}

impl NetworkPolicy {
    /// Reads a NetworkPolicy.
    pub fn of(root: View<'_>) -> NetworkPolicy {
        let spec = root.spec();
        let stored = StoredPart::object(root, None).get("spec");
        let types = stored.and_then(|spec| spec.get("policyTypes"));
        let types = types.map(|types| types.items()).unwrap_or_default();
        let list = |direction: &str, rules: &str, peers: &str| -> Option<Vec<NetworkRule>> {
            let rules = spec?.get(rules).map(View::items).unwrap_or_default();
            let mut types = types.iter().filter_map(Stored::as_text);
            types.any(|one| one == direction).then(|| {
                rules
                    .into_iter()
                    .map(|rule| NetworkRule::of(rule, peers))
                    .collect()
            })
        };
        NetworkPolicy {
            name: root.object_name().into(),
            namespace: root.namespace().into(),
            selects: spec
                .and_then(|spec| spec.get("podSelector"))
                .map(Selector::of)
                .unwrap_or_default(),
            ingress: list("Ingress", "ingress", "from"),
            egress: list("Egress", "egress", "to"),
        }
    }

    /// Whether it holds for pods.
    pub fn holds_for(&self, pods: &PodGroup) -> bool {
        self.namespace == pods.namespace && self.selects.selects(&pods.labels)
    }
}

impl NetworkRule {
    fn of(view: View<'_>, peers: &str) -> NetworkRule {
        let list = |key: &str| {
            view.get(key)
                .map(View::items)
                .filter(|items| !items.is_empty())
        };
        NetworkRule {
            peers: list(peers).map(|items| items.into_iter().filter_map(Peer::of).collect()),
            ports: list("ports").map(|items| items.into_iter().map(PortRule::of).collect()),
        }
    }

    /// Whether somebody is among its peers; `own` is the policy's namespace.
    pub fn names(&self, own: &str, other: &PodGroup, namespace: &Labels) -> bool {
        let Some(peers) = &self.peers else {
            return true;
        };
        peers.iter().any(|peer| peer.is(own, other, namespace))
    }

    /// The receiver's ports that it is for.
    pub fn ports_of(&self, receiver: &PodGroup) -> Ports {
        let Some(rules) = &self.ports else {
            return Ports::all();
        };
        let mut ports = Ports::default();
        for rule in rules {
            match &rule.port {
                PortName::Any => ports.add(rule.protocol, 1, u16::MAX),
                PortName::Range(from, to) => ports.add(rule.protocol, *from, *to),
                PortName::Named(name) => {
                    let named = receiver.ports.iter();
                    for (_, protocol, port) in named.filter(|(known, ..)| known == name) {
                        if *protocol == rule.protocol {
                            ports.add(*protocol, *port, *port);
                        }
                    }
                }
            }
        }
        ports
    }
}

impl PortRule {
    fn of(view: View<'_>) -> PortRule {
        let number = |key: &str| match view.get(key).map(View::shape) {
            Some(Shape::Int(number)) => u16::try_from(number).ok(),
            _ => None,
        };
        let name = view.get("port").and_then(View::text);
        PortRule {
            protocol: PortProtocol::of(&view.text_at(&["protocol"])),
            port: match (number("port"), name) {
                (Some(port), _) => PortName::Range(port, number("endPort").unwrap_or(port)),
                (None, Some(name)) => PortName::Named(name.into()),
                (None, None) if view.get("port").is_none() => PortName::Any,
                // What is no port lets nothing through.
                (None, None) => PortName::Range(1, 0),
            },
        }
    }
}

impl Peer {
    /// Reads a peer; nothing for a block that is none, which lets nobody through.
    fn of(view: View<'_>) -> Option<Peer> {
        if let Some(block) = view.get("ipBlock") {
            let except = block.get("except").map(View::items).unwrap_or_default();
            let except = except
                .into_iter()
                .filter_map(|one| Block::parse(&one.text()?));
            return Some(Peer::Block {
                block: Block::parse(&block.text_at(&["cidr"]))?,
                except: except.collect(),
            });
        }
        Some(Peer::Pods {
            namespaces: view.get("namespaceSelector").map(Selector::of),
            pods: view.get("podSelector").map(Selector::of),
        })
    }

    /// Whether pods are meant; `own` is the policy's namespace.
    pub fn is(&self, own: &str, other: &PodGroup, namespace: &Labels) -> bool {
        match self {
            Peer::Pods { namespaces, pods } => {
                let there = match namespaces {
                    None => *other.namespace == *own,
                    Some(selector) => selector.selects(namespace),
                };
                there
                    && pods
                        .as_ref()
                        .is_none_or(|selector| selector.selects(&other.labels))
            }
            Peer::Block { block, except } => match &other.addresses {
                None => true,
                Some(known) => known.iter().any(|range| block.meets(range, except)),
            },
        }
    }
}

/// Which policy lets something through: its position among those that were given, and that of its rule.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct OpenedBy {
    /// The policy; nothing if no policy rules the direction.
    pub rule: Option<(usize, usize)>,
}

/// A direction of traffic, seen from the pods that policies hold for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Direction {
    /// What comes in.
    Ingress,
    /// What goes out.
    Egress,
}

impl NetworkPolicy {
    /// Its rules for a direction.
    pub fn rules(&self, direction: Direction) -> Option<&[NetworkRule]> {
        match direction {
            Direction::Ingress => self.ingress.as_deref(),
            Direction::Egress => self.egress.as_deref(),
        }
    }
}

/// What policies that hold for `here` let through between it and `there`; the ports are those of the
/// receiver. `policies` are those that hold for `here`, with their positions.
pub fn allowed<'p>(
    policies: impl Iterator<Item = (usize, &'p NetworkPolicy)>,
    direction: Direction,
    here: &PodGroup,
    there: &PodGroup,
    namespace: &Labels,
) -> (Ports, Vec<OpenedBy>) {
    let receiver = match direction {
        Direction::Ingress => here,
        Direction::Egress => there,
    };
    let (mut is_ruled, mut ports, mut openings) = (false, Ports::default(), Vec::new());
    for (position, policy) in policies {
        let Some(rules) = policy.rules(direction) else {
            continue;
        };
        is_ruled = true;
        for (at, rule) in rules.iter().enumerate() {
            if rule.names(&policy.namespace, there, namespace) {
                let opened = rule.ports_of(receiver);
                if !opened.is_empty() {
                    ports.append(&opened);
                    openings.push(OpenedBy {
                        rule: Some((position, at)),
                    });
                }
            }
        }
    }
    if is_ruled {
        (ports, openings)
    } else {
        (Ports::all(), vec![OpenedBy { rule: None }])
    }
}
