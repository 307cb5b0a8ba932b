//! The proof of isolation: it agrees with a plain evaluation of what Kubernetes says of network policies, pair by
//! pair and port by port, and finds holes that are made on purpose.

use std::collections::{BTreeSet, HashMap};
use std::fs;
use std::path::Path;

use proptest::prelude::*;
use serde_json::{Value as Json, json};
use tenantry::diagnostics::Sink;
use tenantry::engine::view::View;
use tenantry::model::isolation::NetworkFlow;
use tenantry::model::network::{Block, PortProtocol};
use tenantry::verify::isolation::{IsolationFacts, UnitIsolation, of_cluster};
use tenantry::yaml::Node;

use crate::support::{Nothing, cases, copy_folder, options, repository_path, sampled};

/// Where all pods have their addresses: four of them.
const PODS: &str = "10.0.0.0/30";
const ADDRESSES: [[u8; 4]; 4] = [[10, 0, 0, 0], [10, 0, 0, 1], [10, 0, 0, 2], [10, 0, 0, 3]];
/// Ports that are compared: all that a policy here may name, their neighbours and the ends.
const COMPARED: [u16; 9] = [1, 2, 3, 4, 5, 6, 7, 8, u16::MAX];

fn labels() -> impl Strategy<Value = Json> {
    let value = || prop_oneof![Just(None), Just(Some("x")), Just(Some("y"))];
    (value(), value()).prop_map(|(a, b)| {
        let pairs = [("a", a), ("b", b)].into_iter();
        pairs
            .filter_map(|(key, value)| Some((key.to_owned(), json!(value?))))
            .collect::<serde_json::Map<_, _>>()
            .into()
    })
}

fn selector(keys: &'static [&'static str]) -> impl Strategy<Value = Json> {
    let key = prop::sample::select(keys);
    let value = prop::sample::select(vec!["x", "y", "n0", "n1"]);
    let expression = (
        key.clone(),
        0..4_usize,
        prop::collection::vec(value.clone(), 1..3),
    )
        .prop_map(|(key, operator, values)| match operator {
            0 => json!({"key": key, "operator": "In", "values": values}),
            1 => json!({"key": key, "operator": "NotIn", "values": values}),
            2 => json!({"key": key, "operator": "Exists"}),
            _ => json!({"key": key, "operator": "DoesNotExist"}),
        });
    prop_oneof![
        2 => Just(json!({})),
        3 => (key, value).prop_map(|(key, value)| json!({"matchLabels": {key: value}})),
        2 => prop::collection::vec(expression, 1..3).prop_map(|all| json!({"matchExpressions": all})),
    ]
}

fn peer() -> impl Strategy<Value = Json> {
    let pods = || selector(&["a", "b"]);
    let namespaces = || selector(&["kubernetes.io/metadata.name", "team"]);
    let block = prop::sample::select(vec![
        "0.0.0.0/0",
        "10.0.0.0/31",
        "10.0.0.2/32",
        "192.168.0.0/16",
        "fd00::/8",
    ]);
    let except = prop::collection::vec(
        prop::sample::select(vec![
            "10.0.0.0/31",
            "10.0.0.0/30",
            "10.0.0.3/32",
            "10.0.0.2/31",
        ]),
        0..3,
    );
    prop_oneof![
        3 => pods().prop_map(|pods| json!({"podSelector": pods})),
        3 => namespaces().prop_map(|namespaces| json!({"namespaceSelector": namespaces})),
        3 => (namespaces(), pods()).prop_map(|(namespaces, pods)| json!({"namespaceSelector": namespaces, "podSelector": pods})),
        2 => (block, except).prop_map(|(block, except)| json!({"ipBlock": {"cidr": block, "except": except}})),
    ]
}

fn port() -> impl Strategy<Value = Json> {
    let protocol = prop::sample::select(vec![None, Some("TCP"), Some("UDP"), Some("SCTP")]);
    let port = prop_oneof![
        Just(json!({})),
        (1..7_u16).prop_map(|port| json!({"port": port})),
        (1..7_u16, 0..3_u16).prop_map(|(port, more)| json!({"port": port, "endPort": port + more})),
        prop::sample::select(vec!["web", "dns", "none"]).prop_map(|name| json!({"port": name})),
    ];
    (protocol, port).prop_map(|(protocol, mut port)| {
        if let Some(protocol) = protocol {
            port["protocol"] = json!(protocol);
        }
        port
    })
}

fn rules(peers: &'static str) -> impl Strategy<Value = Option<Json>> {
    let rule = (
        prop::option::of(prop::collection::vec(peer(), 0..3)),
        prop::option::of(prop::collection::vec(port(), 0..3)),
    );
    let rule = rule.prop_map(move |(who, ports)| {
        let mut rule = json!({});
        if let Some(who) = who {
            rule[peers] = json!(who);
        }
        if let Some(ports) = ports {
            rule["ports"] = json!(ports);
        }
        rule
    });
    prop::option::of(prop::collection::vec(rule, 0..3).prop_map(|rules| json!(rules)))
}

fn policy() -> impl Strategy<Value = Json> {
    let types = prop::sample::select(vec![
        None,
        Some(Vec::new()),
        Some(vec!["Ingress"]),
        Some(vec!["Egress"]),
        Some(vec!["Ingress", "Egress"]),
    ]);
    (0..3_usize, selector(&["a", "b"]), types, rules("from"), rules("to")).prop_map(|(namespace, pods, types, ingress, egress)| {
        let mut spec = json!({"podSelector": pods});
        for (key, value) in [("policyTypes", types.map(|types| json!(types))), ("ingress", ingress), ("egress", egress)] {
            if let Some(value) = value {
                spec[key] = value;
            }
        }
        json!({"apiVersion": "networking.k8s.io/v1", "kind": "NetworkPolicy", "metadata": {"name": "p", "namespace": format!("n{namespace}")}, "spec": spec})
    })
}

fn pod() -> impl Strategy<Value = Json> {
    let ports = prop::collection::vec(
        (
            prop::sample::select(vec!["web", "dns"]),
            1..7_u16,
            prop::sample::select(vec!["TCP", "UDP"]),
        ),
        0..3,
    );
    (0..3_usize, labels(), ports).prop_map(|(namespace, labels, ports)| {
        let ports: Vec<Json> = ports.into_iter().map(|(name, port, protocol)| json!({"name": name, "containerPort": port, "protocol": protocol})).collect();
        json!({
            "kind": "Pod", "metadata": {"name": "p", "namespace": format!("n{namespace}"), "labels": labels},
            "spec": {"containers": [{"name": "c", "ports": ports}]},
        })
    })
}

fn namespaces() -> impl Strategy<Value = Vec<Json>> {
    let team = || prop::sample::select(vec![None, Some("x"), Some("y")]);
    (team(), team(), team()).prop_map(|(a, b, c)| {
        let named = [a, b, c].into_iter().enumerate();
        named
            .map(|(at, team)| {
                let labels = team.map_or(json!({}), |team| json!({"team": team}));
                json!({"kind": "Namespace", "metadata": {"name": format!("n{at}"), "labels": labels}})
            })
            .collect()
    })
}

/// Plain reading of <https://kubernetes.io/docs/reference/kubernetes-api/policy-resources/network-policy-v1/>,
/// on JSON, with nothing of ours in it.
mod plain {
    use serde_json::{Value as Json, json};

    fn selects(selector: &Json, labels: &Json) -> bool {
        let exact = selector["matchLabels"].as_object().into_iter().flatten();
        let expressions = selector["matchExpressions"]
            .as_array()
            .into_iter()
            .flatten();
        exact.into_iter().all(|(key, value)| labels[key] == *value)
            && expressions.into_iter().all(|one| {
                let found = &labels[one["key"].as_str().unwrap()];
                let among = one["values"]
                    .as_array()
                    .is_some_and(|values| values.contains(found));
                match one["operator"].as_str().unwrap() {
                    "In" => among,
                    "NotIn" => !among,
                    "Exists" => !found.is_null(),
                    _ => found.is_null(),
                }
            })
    }

    fn in_block(address: [u8; 4], block: &str) -> bool {
        let (base, length) = block.split_once('/').unwrap();
        let Ok(base) = base.parse::<std::net::Ipv4Addr>() else {
            return false;
        };
        let bits = |bytes: [u8; 4]| (0..32).map(move |bit| bytes[bit / 8] >> (7 - bit % 8) & 1);
        bits(address)
            .zip(bits(base.octets()))
            .take(length.parse().unwrap())
            .all(|(a, b)| a == b)
    }

    pub struct Cluster<'a> {
        pub namespaces: &'a [Json],
        pub policies: &'a [Json],
    }

    impl Cluster<'_> {
        fn is_peer(&self, peer: &Json, own: &Json, pod: &Json) -> bool {
            if let Some(block) = peer.get("ipBlock") {
                let except: Vec<&str> = block["except"]
                    .as_array()
                    .into_iter()
                    .flatten()
                    .map(|one| one.as_str().unwrap())
                    .collect();
                return super::ADDRESSES.into_iter().any(|address| {
                    in_block(address, block["cidr"].as_str().unwrap())
                        && !except.iter().any(|one| in_block(address, one))
                });
            }
            let there = &pod["metadata"]["namespace"];
            let namespace_fits = match peer.get("namespaceSelector") {
                None => there == own,
                Some(selector) => {
                    let namespace = self
                        .namespaces
                        .iter()
                        .find(|one| one["metadata"]["name"] == *there)
                        .unwrap();
                    let mut labels = namespace["metadata"]["labels"].clone();
                    labels["kubernetes.io/metadata.name"] = there.clone();
                    selects(selector, &labels)
                }
            };
            namespace_fits
                && peer
                    .get("podSelector")
                    .is_none_or(|selector| selects(selector, &pod["metadata"]["labels"]))
        }

        fn is_port(rule: &Json, receiver: &Json, protocol: &str, port: u16) -> bool {
            let wanted = rule.get("protocol").and_then(Json::as_str).unwrap_or("TCP");
            if wanted != protocol {
                return false;
            }
            match rule.get("port") {
                None => true,
                Some(Json::String(name)) => receiver["spec"]["containers"][0]["ports"]
                    .as_array()
                    .unwrap()
                    .iter()
                    .any(|known| {
                        known["name"] == **name
                            && known["protocol"] == protocol
                            && known["containerPort"] == port
                    }),
                Some(from) => {
                    let from = from.as_u64().unwrap();
                    let to = rule.get("endPort").and_then(Json::as_u64).unwrap_or(from);
                    (from..=to).contains(&u64::from(port))
                }
            }
        }

        /// Whether the policies of one side let traffic through.
        fn side(
            &self,
            ingress: bool,
            here: &Json,
            there: &Json,
            receiver: &Json,
            protocol: &str,
            port: u16,
        ) -> bool {
            let (kind, list, peers) = if ingress {
                ("Ingress", "ingress", "from")
            } else {
                ("Egress", "egress", "to")
            };
            let own = &here["metadata"]["namespace"];
            let holds: Vec<&Json> = self
                .policies
                .iter()
                .filter(|policy| policy["metadata"]["namespace"] == *own)
                .filter(|policy| {
                    selects(&policy["spec"]["podSelector"], &here["metadata"]["labels"])
                })
                // The API server's own defaults: pkg/apis/networking/v1/defaults.go of Kubernetes.
                .filter(|policy| match policy["spec"]["policyTypes"].as_array() {
                    Some(types) if !types.is_empty() => types.contains(&json!(kind)),
                    _ => {
                        ingress
                            || policy["spec"]["egress"]
                                .as_array()
                                .is_some_and(|rules| !rules.is_empty())
                    }
                })
                .collect();
            if holds.is_empty() {
                return true;
            }
            holds.iter().any(|policy| {
                policy["spec"][list]
                    .as_array()
                    .into_iter()
                    .flatten()
                    .any(|rule| {
                        let none = |key: &str| {
                            rule.get(key)
                                .and_then(Json::as_array)
                                .is_none_or(Vec::is_empty)
                        };
                        let who = none(peers)
                            || rule[peers]
                                .as_array()
                                .unwrap()
                                .iter()
                                .any(|peer| self.is_peer(peer, own, there));
                        let what = none("ports")
                            || rule["ports"]
                                .as_array()
                                .unwrap()
                                .iter()
                                .any(|one| Self::is_port(one, receiver, protocol, port));
                        who && what
                    })
            })
        }

        pub fn reaches(&self, from: &Json, to: &Json, protocol: &str, port: u16) -> bool {
            self.side(true, to, from, to, protocol, port)
                && self.side(false, from, to, to, protocol, port)
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: cases(2_500), ..ProptestConfig::default() })]

    #[test]
    fn it_agrees_with_a_plain_evaluation(
        namespaces in namespaces(),
        policies in prop::collection::vec(policy(), 0..6),
        pods in prop::collection::vec(pod(), 2..6),
    ) {
        let objects: Vec<Node> = namespaces.iter().chain(&policies).chain(&pods).map(Node::from_json).collect();
        let facts = IsolationFacts::of(objects.iter().map(View::of));
        let part = UnitIsolation { environment: "e", tenant: "t", facts: &facts };
        let found = of_cluster("c", &[part], &[Block::parse(PODS).unwrap()], &mut Sink::default());
        let plain = plain::Cluster { namespaces: &namespaces, policies: &policies };
        for (from, sender) in pods.iter().enumerate() {
            for (to, receiver) in pods.iter().enumerate().filter(|(to, _)| *to != from) {
                let flow = found.flows.iter().find(|flow| flow.from == from && flow.to == to);
                for protocol in PortProtocol::ALL {
                    for port in COMPARED {
                        let ours = flow.is_some_and(|flow| flow.ports.has(protocol, port));
                        let theirs = plain.reaches(sender, receiver, protocol.name(), port);
                        prop_assert_eq!(ours, theirs, "from {} to {} on {} {}", from, to, protocol.name(), port);
                    }
                }
            }
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 16, ..ProptestConfig::default() })]

    /// Where tenants have many workloads, what is open within them is told as sets.
    #[test]
    fn it_agrees_with_a_plain_evaluation_of_many(
        namespaces in namespaces(),
        policies in prop::collection::vec(policy(), 0..6),
        kinds in prop::collection::vec(pod(), 1..4),
    ) {
        const COPIES: usize = 64;
        let pods = || kinds.iter().flat_map(|pod| std::iter::repeat_n(pod, COPIES));
        let objects: Vec<Node> = namespaces.iter().chain(&policies).chain(pods()).map(Node::from_json).collect();
        let facts = IsolationFacts::of(objects.iter().map(View::of));
        let others: Vec<Node> = pods().map(Node::from_json).collect();
        let others = IsolationFacts::of(others.iter().map(View::of));
        let parts = [("t", &facts), ("u", &others)].map(|(tenant, facts)| UnitIsolation { environment: "e", tenant, facts });
        let found = of_cluster("c", &parts, &[Block::parse(PODS).unwrap()], &mut Sink::default());
        let plain = plain::Cluster { namespaces: &namespaces, policies: &policies };
        prop_assert!(found.is_complete || found.pairs >= 100_000);
        if !found.is_complete {
            return Ok(());
        }
        let is_within = |from: usize, to: usize| {
            let mut sets = found.within.iter();
            sets.any(|set| set.from.binary_search(&from).is_ok() && set.to.binary_search(&to).is_ok())
        };
        let all = kinds.len() * COPIES;
        let open: HashMap<(usize, usize), &NetworkFlow> = found.flows.iter().map(|flow| ((flow.from, flow.to), flow)).collect();
        prop_assert_eq!(found.flows.len(), open.len());
        let mut within = 0;
        for from in 0..2 * all {
            for to in (0..2 * all).filter(|to| *to != from) {
                let is_set = is_within(from, to);
                within += usize::from(is_set);
                prop_assert!(!(is_set && open.contains_key(&(from, to))), "{from} to {to} is told twice");
                // Copies are alike: one of each kind is compared on all ports.
                if from % COPIES > 1 || to % COPIES > 1 {
                    continue;
                }
                let flow = open.get(&(from, to));
                for protocol in PortProtocol::ALL {
                    for port in COMPARED {
                        let ours = is_set || flow.is_some_and(|flow| flow.ports.has(protocol, port));
                        let (from, to) = (from % all / COPIES, to % all / COPIES);
                        let theirs = plain.reaches(&kinds[from], &kinds[to], protocol.name(), port);
                        prop_assert_eq!(ours, theirs, "from {} to {} on {} {}", from, to, protocol.name(), port);
                    }
                }
            }
        }
        prop_assert_eq!(within, found.pairs_within);
    }
}

/// What one direction of a policy tells as a set, the other may not: everybody may send, and only to one.
#[test]
fn directions_of_a_policy_are_apart() {
    const PODS: usize = 80;
    let pod = |at: usize| {
        json!({
            "apiVersion": "v1", "kind": "Pod",
            "metadata": {"name": format!("p{at}"), "namespace": "n", "labels": {"number": at.to_string(), "app": "a"}},
            "spec": {"containers": [{"name": "c", "image": "i"}]},
        })
    };
    let policy = |ingress: Json, egress: Json| {
        json!({
            "apiVersion": "networking.k8s.io/v1", "kind": "NetworkPolicy",
            "metadata": {"name": "p", "namespace": "n"},
            "spec": {
                "podSelector": {}, "policyTypes": ["Ingress", "Egress"],
                "ingress": [{"from": [{"podSelector": ingress}]}], "egress": [{"to": [{"podSelector": egress}]}],
            },
        })
    };
    let (all, one) = (
        json!({"matchLabels": {"app": "a"}}),
        json!({"matchLabels": {"number": "7"}}),
    );
    for (ingress, egress, open) in [
        (&all, &one, PODS - 1),
        (&one, &all, PODS - 1),
        (&all, &all, PODS * (PODS - 1)),
    ] {
        let objects = (0..PODS)
            .map(pod)
            .chain([policy(ingress.clone(), egress.clone())]);
        let objects: Vec<Node> = objects.map(|object| Node::from_json(&object)).collect();
        let facts = IsolationFacts::of(objects.iter().map(View::of));
        let part = UnitIsolation {
            environment: "e",
            tenant: "t",
            facts: &facts,
        };
        let found = of_cluster("c", &[part], &[], &mut Sink::default());
        assert_eq!(
            found.flows.len() + found.pairs_within,
            open,
            "{ingress} {egress}"
        );
    }
}

/// A hole in the example: what is written where, and what is told of it.
struct Hole {
    name: &'static str,
    /// A file to write, or to change: all of its text, or a text in it and what to put there.
    edits: Vec<(&'static str, Edit)>,
    code: &'static str,
    /// A text of the message.
    says: &'static str,
    /// The file that the finding points at, or mentions.
    place: &'static str,
}

enum Edit {
    Write(&'static str),
    Replace(&'static str, &'static str),
}

const OPEN_TO_ALL: &str = "{#-\nscope: tenant\n-#}\napiVersion: networking.k8s.io/v1\nkind: NetworkPolicy\nmetadata:\n  name: {{ tenant.resourceName }}-open\n  namespace: {{ tenant.namespace }}\nspec:\n  podSelector: {}\n  policyTypes: [Ingress, Egress]\n";

fn tenant_template(rest: &str) -> &'static str {
    Box::leak(format!("{OPEN_TO_ALL}{rest}").into_boxed_str())
}

fn cluster_template(documents: &str) -> &'static str {
    Box::leak(format!("{{#-\nscope: cluster\n-#}}\n{documents}").into_boxed_str())
}

fn role(rules: &str) -> &'static str {
    let text = format!(
        "apiVersion: tenantry.dev/v1\nkind: Role\nmetadata: {{name: hole}}\nspec:\n  kubernetes:\n    - {rules}\n---\napiVersion: tenantry.dev/v1\nkind: Grant\nmetadata: {{name: hole}}\nspec: {{tenants: [globex], role: hole, subjects: [{{kind: Group, name: somebody}}], grantedAt: 2026-05-01, expiresAt: 2026-07-01, approvedBy: a, reason: b}}\n"
    );
    Box::leak(text.into_boxed_str())
}

fn cluster_role(rules: &str, subject: &str) -> &'static str {
    cluster_template(&format!(
        "apiVersion: rbac.authorization.k8s.io/v1\nkind: ClusterRole\nmetadata:\n  name: hole-{{{{ environment.name }}}}\nrules:\n  - {rules}\n---\napiVersion: rbac.authorization.k8s.io/v1\nkind: ClusterRoleBinding\nmetadata:\n  name: hole-{{{{ environment.name }}}}\nroleRef: {{apiGroup: rbac.authorization.k8s.io, kind: ClusterRole, name: \"hole-{{{{ environment.name }}}}\"}}\nsubjects:\n  - {subject}\n"
    ))
}

#[allow(clippy::too_many_lines, reason = "a list")]
fn holes() -> Vec<Hole> {
    use Edit::{Replace, Write};
    let template = |name, rest, place| Hole {
        name,
        edits: vec![("templates/tenant/open.yaml", Write(tenant_template(rest)))],
        code: "T0509",
        says: "-open` in namespace",
        place,
    };
    let mine = "templates/tenant/open.yaml";
    let rbac = |name, rules, says| Hole {
        name,
        edits: vec![("access/hole.yaml", Write(role(rules)))],
        code: "T0510",
        says,
        place: "access/hole.yaml",
    };
    let wide = |name, rules, says| Hole {
        name,
        edits: vec![(
            "templates/cluster/hole.yaml",
            Write(cluster_role(
                rules,
                "{kind: ServiceAccount, name: default, namespace: data-tenant-globex-production}",
            )),
        )],
        code: "T0510",
        says,
        place: "templates/cluster/hole.yaml",
    };
    vec![
        template(
            "every namespace",
            "  ingress: [{from: [{namespaceSelector: {}}]}]\n  egress: [{to: [{namespaceSelector: {}}]}]\n",
            mine,
        ),
        template(
            "a rule without peers",
            "  ingress: [{}]\n  egress: [{}]\n",
            mine,
        ),
        template(
            "all but one namespace",
            "  ingress: [{from: [{namespaceSelector: {matchExpressions: [{key: kubernetes.io/metadata.name, operator: NotIn, values: [kube-system]}]}}]}]\n  egress: [{}]\n",
            mine,
        ),
        template(
            "every tenant by its label",
            "  ingress: [{from: [{namespaceSelector: {}, podSelector: {matchExpressions: [{key: acme.example/tenant, operator: Exists}]}}]}]\n  egress: [{}]\n",
            mine,
        ),
        template(
            "the range that pods are in",
            "  ingress: [{from: [{ipBlock: {cidr: 10.0.0.0/8, except: [10.20.0.0/16]}}]}]\n  egress: [{to: [{ipBlock: {cidr: 10.244.0.0/16}}]}]\n",
            mine,
        ),
        template(
            "a range of ports",
            "  ingress: [{from: [{namespaceSelector: {}}], ports: [{port: 1024, endPort: 9000}]}]\n  egress: [{}]\n",
            mine,
        ),
        template(
            "a port by name",
            "  ingress: [{from: [{namespaceSelector: {}}], ports: [{port: http}]}]\n  egress: [{}]\n",
            mine,
        ),
        template(
            "the same tenant in another environment",
            "  ingress: [{from: [{namespaceSelector: {matchLabels: {acme.example/tenant: \"{{ tenant.name }}\"}}}]}]\n  egress: [{}]\n",
            mine,
        ),
        Hole {
            name: "a shared namespace open within",
            edits: vec![(
                mine,
                Write(tenant_template(
                    "  ingress: [{from: [{podSelector: {}}]}]\n  egress: [{to: [{podSelector: {}}]}]\n",
                )),
            )],
            code: "T0509",
            says: "can be reached by",
            place: mine,
        },
        Hole {
            name: "no policies at all",
            edits: vec![(
                "templates/tenant/networkpolicy.yaml",
                Write(
                    "{#-\nscope: tenant\nwhen: tenant.tier == \"nothing\"\n-#}\napiVersion: v1\nkind: ConfigMap\nmetadata: {name: x}\n",
                ),
            )],
            code: "T0509",
            says: "can be reached by",
            place: "",
        },
        Hole {
            name: "a component's own rule for another namespace",
            edits: vec![(
                "components/query-api.yaml",
                Replace(
                    "        - {name: warehouse, cidr: 10.40.0.0/16, ports: [{port: 5439}]}\n",
                    "        - {name: warehouse, cidr: 10.40.0.0/16, ports: [{port: 5439}]}\n        - {name: others, podLabels: {app.kubernetes.io/name: query-api}, namespaceLabels: {app.kubernetes.io/managed-by: tenantry}}\n      ingress:\n        - {name: others, podLabels: {app.kubernetes.io/name: query-api}, namespaceLabels: {app.kubernetes.io/managed-by: tenantry}}\n",
                ),
            )],
            code: "T0509",
            says: "query-api",
            place: "components/query-api.yaml",
        },
        Hole {
            name: "more ports than are shared",
            edits: vec![(
                "templates/tenant/networkpolicy.yaml",
                Write(
                    "{#-\nscope: tenant\n-#}\napiVersion: networking.k8s.io/v1\nkind: NetworkPolicy\nmetadata:\n  name: {{ tenant.resourceName }}-loose\n  namespace: {{ tenant.namespace }}\nspec:\n  podSelector: {}\n  policyTypes: [Ingress, Egress]\n  ingress:\n    - from: [{podSelector: {matchLabels: {{ tenant.selector }}}}]\n    {% for share in tenant.shares %}\n    {% for other in share.with %}\n    - from: [{namespaceSelector: {matchLabels: {acme.example/tenant: \"{{ other }}\"}}}]\n    {% endfor %}\n    {% endfor %}\n  egress: [{}]\n",
                ),
            )],
            code: "T0509",
            says: "can be reached by supply-chain",
            place: "templates/tenant/networkpolicy.yaml",
        },
        Hole {
            name: "a node's own network",
            edits: vec![(
                "templates/tenant/agent.yaml",
                Write(
                    "{#-\nscope: tenant\nwhen: tenant.name == \"globex\"\n-#}\napiVersion: apps/v1\nkind: DaemonSet\nmetadata:\n  name: agent\n  namespace: {{ tenant.namespace }}\nspec:\n  selector: {matchLabels: {app: agent}}\n  template:\n    metadata: {labels: {app: agent}}\n    spec:\n      hostNetwork: true\n      containers: [{name: agent, image: registry.acme.example/agent:1.0.0}]\n",
                ),
            )],
            code: "T0509",
            says: "its node's own network",
            place: "templates/tenant/agent.yaml",
        },
        rbac(
            "bind",
            "{apiGroups: [rbac.authorization.k8s.io], resources: [roles], verbs: [bind]}",
            "bind roles",
        ),
        rbac(
            "escalate",
            "{apiGroups: [rbac.authorization.k8s.io], resources: [\"*\"], verbs: [escalate]}",
            "write roles",
        ),
        rbac(
            "impersonate",
            "{apiGroups: [\"\"], resources: [serviceaccounts], verbs: [\"*\"]}",
            "act as somebody else",
        ),
        rbac(
            "its own policies",
            "{apiGroups: [networking.k8s.io], resources: [networkpolicies], verbs: [delete]}",
            "open the tenant's own isolation",
        ),
        rbac(
            "everything",
            "{apiGroups: [\"*\"], resources: [\"*\"], verbs: [\"*\"]}",
            "do everything",
        ),
        wide(
            "secrets of all",
            "{apiGroups: [\"\"], resources: [secrets], verbs: [list]}",
            "read or write secrets of others in the whole cluster",
        ),
        wide(
            "nodes",
            "{apiGroups: [\"\"], resources: [nodes/proxy], verbs: [get]}",
            "reach nodes",
        ),
        wide(
            "pods anywhere",
            "{apiGroups: [\"\"], resources: [pods/*], verbs: [create]}",
            "run, restart or change pods of others",
        ),
        Hole {
            name: "every service account",
            edits: vec![(
                "templates/cluster/hole.yaml",
                Write(cluster_role(
                    "{apiGroups: [admissionregistration.k8s.io], resources: [validatingwebhookconfigurations], verbs: [delete]}",
                    "{kind: Group, name: \"system:serviceaccounts\", apiGroup: rbac.authorization.k8s.io}",
                )),
            )],
            code: "T0510",
            says: "every tenant's service accounts may change what the API server admits",
            place: "templates/cluster/hole.yaml",
        },
        Hole {
            name: "pods in another's namespace",
            edits: vec![(
                "templates/tenant/hole.yaml",
                Write(
                    "{#-\nscope: tenant\nwhen: tenant.name == \"globex\"\n-#}\napiVersion: rbac.authorization.k8s.io/v1\nkind: RoleBinding\nmetadata:\n  name: hole\n  namespace: data-tenant-finance-production\nroleRef: {apiGroup: rbac.authorization.k8s.io, kind: ClusterRole, name: edit}\nsubjects:\n  - {kind: ServiceAccount, name: default, namespace: data-tenant-globex-production}\n",
                ),
            )],
            code: "T0510",
            says: "run, restart or change pods of others in `data-tenant-finance-production`",
            place: "templates/tenant/hole.yaml",
        },
        Hole {
            name: "an empty list of what goes out closes nothing",
            edits: vec![(
                "templates/tenant/networkpolicy.yaml",
                Write(
                    "{#-\nscope: tenant\n-#}\napiVersion: networking.k8s.io/v1\nkind: NetworkPolicy\nmetadata:\n  name: {{ tenant.resourceName }}-loose\n  namespace: {{ tenant.namespace }}\nspec:\n  podSelector: {}\n  egress: []\n  ingress: [{from: [{namespaceSelector: {}}]}]\n",
                ),
            )],
            code: "T0509",
            says: "can be reached by",
            place: "templates/tenant/networkpolicy.yaml",
        },
        Hole {
            name: "a policy of another kind in place of ours",
            edits: vec![(
                "templates/tenant/networkpolicy.yaml",
                Write(
                    "{#-\nscope: tenant\n-#}\napiVersion: projectcalico.org/v3\nkind: NetworkPolicy\nmetadata:\n  name: {{ tenant.resourceName }}-closed\n  namespace: {{ tenant.namespace }}\nspec:\n  types: [Ingress, Egress]\n",
                ),
            )],
            code: "T0509",
            says: "can be reached by",
            place: "",
        },
        Hole {
            name: "pods of a kind that is not Kubernetes' own",
            edits: vec![(
                "templates/tenant/agent.yaml",
                Write(
                    "{#-\nscope: tenant\nwhen: tenant.name == \"globex\"\n-#}\napiVersion: v1\nkind: ReplicationController\nmetadata:\n  name: agent\n  namespace: {{ tenant.namespace }}\nspec:\n  template:\n    metadata: {labels: {app: agent}}\n    spec:\n      hostNetwork: true\n      containers: [{name: agent, image: registry.acme.example/agent:1.0.0}]\n",
                ),
            )],
            code: "T0509",
            says: "its node's own network",
            place: "templates/tenant/agent.yaml",
        },
        Hole {
            name: "a secret of another tenant in the shared namespace",
            edits: vec![
                (
                    "tenants/marketing.yaml",
                    Replace(
                        "    - {component: dashboard, version: ^1}\n",
                        "    - component: dashboard\n      version: ^1\n      values: {envFrom: [{secretRef: {name: data-processing-people-ops-dashboard-payroll, optional: true}}]}\n",
                    ),
                ),
                (
                    "templates/tenant/payroll.yaml",
                    Write(
                        "{#-\nscope: tenant\nwhen: tenant.name == \"people-ops\"\n-#}\napiVersion: external-secrets.io/v1\nkind: ExternalSecret\nmetadata:\n  name: data-processing-people-ops-dashboard-payroll\n  namespace: {{ tenant.namespace }}\nspec: {}\n",
                    ),
                ),
            ],
            code: "T0513",
            says: "marketing uses the Secret `data-processing-people-ops-dashboard-payroll`, which belongs to people-ops",
            place: "tenants/marketing.yaml",
        },
        Hole {
            name: "rights for others' accounts in one's own namespace",
            edits: vec![(
                "templates/tenant/hole.yaml",
                Write(
                    "{#-\nscope: tenant\nwhen: tenant.name == \"finance\"\n-#}\napiVersion: rbac.authorization.k8s.io/v1\nkind: RoleBinding\nmetadata:\n  name: hole\n  namespace: {{ tenant.namespace }}\nroleRef: {apiGroup: rbac.authorization.k8s.io, kind: ClusterRole, name: edit}\nsubjects:\n  - {kind: User, name: \"system:serviceaccount:data-tenant-globex-production:default\", apiGroup: rbac.authorization.k8s.io}\n",
                ),
            )],
            code: "T0510",
            says: "of globex may run, restart or change pods of others in `data-tenant-finance-production`",
            place: "templates/tenant/hole.yaml",
        },
        wide(
            "traffic",
            "{apiGroups: [discovery.k8s.io], resources: [endpointslices], verbs: [update]}",
            "send traffic of others elsewhere",
        ),
        rbac(
            "secrets of the store",
            "{apiGroups: [external-secrets.io], resources: [externalsecrets], verbs: [create]}",
            "read any secret of the cluster's secret store",
        ),
        Hole {
            name: "a role that is made of others",
            edits: vec![(
                "templates/cluster/hole.yaml",
                Write(cluster_template(
                    "apiVersion: rbac.authorization.k8s.io/v1\nkind: ClusterRole\nmetadata:\n  name: part-{{ environment.name }}\n  labels: {zz: \"yes\"}\nrules:\n  - {apiGroups: [\"\"], resources: [serviceaccounts/token], verbs: [create]}\n---\napiVersion: rbac.authorization.k8s.io/v1\nkind: ClusterRole\nmetadata:\n  name: hole-{{ environment.name }}\naggregationRule: {clusterRoleSelectors: [{matchLabels: {zz: \"yes\"}}]}\nrules: []\n---\napiVersion: rbac.authorization.k8s.io/v1\nkind: ClusterRoleBinding\nmetadata:\n  name: hole-{{ environment.name }}\nroleRef: {apiGroup: rbac.authorization.k8s.io, kind: ClusterRole, name: \"hole-{{ environment.name }}\"}\nsubjects:\n  - {kind: ServiceAccount, name: default, namespace: data-tenant-globex-production}\n",
                )),
            )],
            code: "T0510",
            says: "make tokens for service accounts of others",
            place: "templates/cluster/hole.yaml",
        },
        Hole {
            name: "a role that is there already",
            edits: vec![(
                "templates/cluster/hole.yaml",
                Write(cluster_template(
                    "apiVersion: rbac.authorization.k8s.io/v1\nkind: ClusterRoleBinding\nmetadata:\n  name: hole-{{ environment.name }}\nroleRef: {apiGroup: rbac.authorization.k8s.io, kind: ClusterRole, name: \"system:kube-controller-manager\"}\nsubjects:\n  - {kind: ServiceAccount, name: default, namespace: data-tenant-globex-production}\n",
                )),
            )],
            code: "T0510",
            says: "do what is not known here in the whole cluster",
            place: "templates/cluster/hole.yaml",
        },
        Hole {
            name: "an operator in the shared namespace",
            edits: vec![(
                "tenants/marketing.yaml",
                Replace(
                    "  billing:",
                    "  grants: [{role: operator, subjects: [{kind: Group, name: campaigners}], grantedAt: 2026-05-01, expiresAt: 2026-07-01, approvedBy: a, reason: b}]\n  billing:",
                ),
            )],
            code: "T0510",
            says: "Group campaigners of marketing may run, restart or change pods of others in `data-shared-production`",
            place: "tenants/marketing.yaml",
        },
    ]
}

#[test]
fn planted_holes_are_found() {
    let holes = holes();
    assert!(holes.len() >= 20, "{}", holes.len());
    let folder = tempfile::tempdir().unwrap();
    let missed: Vec<String> = std::thread::scope(|scope| {
        let folder = folder.path();
        let threads: Vec<_> = sampled(&holes, 6)
            .into_iter()
            .map(|hole| scope.spawn(move || found(hole, folder)))
            .collect();
        threads
            .into_iter()
            .filter_map(|thread| thread.join().unwrap().err())
            .collect()
    });
    assert!(missed.is_empty(), "{}", missed.join("\n"));
}

fn found(hole: &Hole, folder: &Path) -> Result<(), String> {
    let root = folder.join(hole.name);
    copy_folder(&repository_path("examples/acme"), &root, false);
    let _ = fs::remove_dir_all(root.join("rendered"));
    for (path, edit) in &hole.edits {
        let path = root.join(path);
        let text = match edit {
            Edit::Write(text) => (*text).to_owned(),
            Edit::Replace(from, to) => {
                let text = fs::read_to_string(&path).unwrap();
                assert!(text.contains(from), "{}: {from}", hole.name);
                text.replace(from, to)
            }
        };
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, text).unwrap();
    }
    let compiled = tenantry::compile(&options(&root), None, &Nothing).unwrap();
    let told: Vec<String> = compiled
        .findings
        .iter()
        .filter(|finding| finding.is_error())
        .map(|finding| {
            let labels = finding.primary.iter().chain(&finding.secondary);
            let places: BTreeSet<&str> = labels
                .clone()
                .map(|label| compiled.sources.path(label.span.file))
                .collect();
            let words: Vec<&str> = labels.map(|label| label.message.as_str()).collect();
            format!(
                "{} {} {places:?} {words:?}",
                finding.code.id, finding.message
            )
        })
        .collect();
    let fits = |one: &String| {
        one.starts_with(hole.code) && one.contains(hole.says) && one.contains(hole.place)
    };
    if told.iter().any(fits)
        && compiled
            .isolation
            .iter()
            .any(|cluster| !cluster.is_isolated())
    {
        Ok(())
    } else {
        Err(format!("{}: {}", hole.name, told.join("\n    ")))
    }
}

#[test]
fn the_example_is_isolated() {
    let compiled =
        tenantry::compile(&options(&repository_path("examples/acme")), None, &Nothing).unwrap();
    assert!(
        compiled
            .isolation
            .iter()
            .all(tenantry::model::isolation::ClusterIsolation::is_isolated)
    );
    let pairs: usize = compiled.isolation.iter().map(|cluster| cluster.pairs).sum();
    assert!(pairs > 500, "{pairs}");
}
