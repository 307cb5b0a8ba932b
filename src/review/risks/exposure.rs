//! More can be reached or done than before: network policies, RBAC, Pod Security, services,
//! containers.

use std::collections::{BTreeMap, BTreeSet};
use std::net::IpAddr;

use serde_json::Value as Json;

use super::{Found, Subject, pods};
use crate::model::change::{InputChange, Object, Operation, RiskClass, Step};
use crate::model::view::View;

const CLASS: RiskClass = RiskClass::Exposure;
/// Most pairs of what a policy or a role allows before and now that are compared.
const MOST_PAIRS: usize = 4_000_000;
/// Most pairs of peers and ports of one rule.
const MOST_OF_RULE: usize = 10_000;
/// Most resources of a role that are named.
const MOST_NAMED: usize = 6;

/// Judges changes of objects.
pub fn judge(subject: &Subject<'_>, found: &mut Found) {
    match subject.kind() {
        "NetworkPolicy" => network(subject, found),
        "Role" | "ClusterRole" => roles(subject, found),
        "RoleBinding" | "ClusterRoleBinding" => bindings(subject, found),
        "Namespace" => pod_security(subject, found),
        "Service" => services(subject, found),
        "Ingress" | "HTTPRoute" | "GRPCRoute" | "TLSRoute" | "TCPRoute" => {
            if subject.is(Operation::Added) && !subject.is_whole_place {
                found.add(
                    CLASS,
                    "a route makes a workload reachable from outside the cluster",
                );
            }
            routes(subject, found);
        }
        _ => {
            for (at, field) in subject.fields() {
                pods::judge(at, field, found);
                if let Some(after) = &subject.change.after {
                    pods::judge_container(at, field, after.root(), found);
                }
            }
            if subject.is(Operation::Added) {
                pods::judge_new(&subject.change.object().root().to_json(), found);
            }
        }
    }
}

/// The isolation of tenants, from strong to weak.
const ISOLATION: [&str; 4] = ["physical", "dedicated", "namespace", "shared"];

/// Judges changes of the input.
pub fn judge_input(input: &InputChange) -> Option<String> {
    let rank = |value: &Option<Json>| {
        // Without the field, it is a namespace.
        let text = value
            .as_ref()
            .map_or("namespace", |value| value.as_str().unwrap_or(""));
        ISOLATION.iter().position(|level| *level == text)
    };
    let weaker = input.subject.starts_with("Tenant ")
        && input.field == "spec.isolation"
        && rank(&input.after) > rank(&input.before);
    weaker.then(|| {
        format!(
            "{} is kept apart from others less: its isolation goes from {} to {}",
            input.subject,
            ISOLATION[rank(&input.before).unwrap_or(2)],
            ISOLATION[rank(&input.after).unwrap_or(2)]
        )
    })
}

/// Who may be reached on which ports; `None` is everybody, or every port.
type Opening = (Option<String>, Option<String>);

/// What a policy lets through in one direction; nothing for a policy that does not rule it.
fn openings(object: Option<&Object>, direction: &str) -> Option<BTreeSet<Opening>> {
    let spec = object?.root().get("spec")?;
    let list = if direction == "Ingress" {
        "ingress"
    } else {
        "egress"
    };
    let types = spec.get("policyTypes").map(View::items);
    // Without types, a policy rules ingress, and egress if it has rules for it.
    let rules = match types {
        Some(types) => types
            .iter()
            .any(|one| one.text().is_some_and(|text| text == direction)),
        None => direction == "Ingress" || spec.get(list).is_some(),
    };
    if !rules {
        return None;
    }
    let peers_key = if direction == "Ingress" { "from" } else { "to" };
    let mut openings = BTreeSet::new();
    for rule in spec.get(list).map(View::items).unwrap_or_default() {
        let texts = |key: &str, text: &dyn Fn(View<'_>) -> String| -> Vec<Option<String>> {
            match rule.get(key).map(View::items) {
                Some(items) if !items.is_empty() => {
                    items.into_iter().map(|item| Some(text(item))).collect()
                }
                _ => vec![None],
            }
        };
        let peers = texts(peers_key, &peer);
        let ports = texts("ports", &port);
        if peers.len().saturating_mul(ports.len()) > MOST_OF_RULE {
            // Any change of such a rule is one that lets in more, for all that is known.
            let rule = rule.to_json().to_string();
            openings.insert((
                Some(format!("a rule of {} characters", rule.len())),
                Some(rule),
            ));
            continue;
        }
        for who in &peers {
            for port in &ports {
                openings.insert((who.clone(), port.clone()));
            }
        }
    }
    Some(openings)
}

/// Whether a policy holds for all pods of its namespace.
fn selects_all(policy: &Object) -> bool {
    let selector = policy.root().at(&["spec", "podSelector"]);
    selector.is_none_or(|selector| selector.fields().is_empty())
}

/// Whether a range of addresses lies in another.
fn contains(wide: &str, narrow: &str) -> bool {
    let range = |text: &str| -> Option<(u128, u32, bool)> {
        let (address, length) = text.split_once('/')?;
        let length: u32 = length.parse().ok()?;
        let (bits, width, is_v4) = match address.parse().ok()? {
            IpAddr::V4(address) => (u128::from(u32::from(address)) << 96, 32, true),
            IpAddr::V6(address) => (u128::from(address), 128, false),
        };
        (length <= width).then_some((bits, length, is_v4))
    };
    match (range(wide), range(narrow)) {
        (Some((wide, length, v4)), Some((narrow, inner, other))) => {
            let mask = u128::MAX.checked_shl(128 - length).unwrap_or(0);
            v4 == other && inner >= length && wide & mask == narrow & mask
        }
        _ => false,
    }
}

fn port_name(port: &str) -> String {
    if port.len() > 100 {
        "some ports".to_owned()
    } else {
        format!("port {port}")
    }
}

/// A peer of a network policy, for people.
fn peer(view: View<'_>) -> String {
    let labels = |view: View<'_>| {
        let labels = view
            .get("matchLabels")
            .map(View::fields)
            .unwrap_or_default();
        let mut texts: Vec<String> = labels
            .iter()
            .map(|field| format!("{}={}", field.key, field.value.text().unwrap_or_default()))
            .collect();
        let expressions = view.get("matchExpressions").map(View::items);
        texts.extend(
            expressions
                .unwrap_or_default()
                .into_iter()
                .map(|one| one.to_json().to_string()),
        );
        texts.join(",")
    };
    if let Some(block) = view.get("ipBlock") {
        let cidr = block.text_at(&["cidr"]).into_owned();
        return match block.get("except") {
            Some(except) => format!("{cidr} but {}", except.to_json()),
            None => cidr,
        };
    }
    let namespaces = view.get("namespaceSelector").map(labels);
    let pods = view.get("podSelector").map(labels);
    let pods = match pods {
        None => "all pods".to_owned(),
        Some(labels) if labels.is_empty() => "all pods".to_owned(),
        Some(labels) => format!("pods {labels}"),
    };
    match namespaces {
        None => format!("{pods} of its own namespace"),
        Some(labels) if labels.is_empty() => format!("{pods} of all namespaces"),
        Some(labels) => format!("{pods} of namespaces {labels}"),
    }
}

fn port(view: View<'_>) -> String {
    let scalar = |key: &str| match view.get(key).map(View::to_json) {
        Some(Json::String(text)) => Some(text),
        Some(value) => Some(value.to_string()),
        None => None,
    };
    let number = scalar("port").unwrap_or_else(|| "any".to_owned());
    let end = scalar("endPort").map_or_else(String::new, |end| format!("-{end}"));
    format!(
        "{number}{end}/{}",
        scalar("protocol").unwrap_or_else(|| "TCP".to_owned())
    )
}

fn network(subject: &Subject<'_>, found: &mut Found) {
    let change = subject.change;
    let (before, after) = (change.before.as_ref(), change.after.as_ref());
    if subject.is(Operation::Removed) {
        // Where all that it protected goes as well, nothing is opened; nor where another policy
        // closes all of the namespace.
        let is_wide = before.is_some_and(selects_all);
        let goes_with_pods = subject.is_whole_place || (subject.is_whole_component && !is_wide);
        if !goes_with_pods && (!subject.is_closed || is_wide) {
            let message = "a NetworkPolicy is removed: pods that no other policy selects are open to everybody";
            found.add(CLASS, message);
        }
        return;
    }
    // What comes with new pods of its own opens only what is open to all.
    let with_new_pods = subject.is(Operation::Added)
        && (subject.is_whole_place
            || (subject.is_whole_component && !after.is_some_and(selects_all)));
    if let (Some(before), Some(after)) = (before, after) {
        let selector = |object: &Object| {
            let selector = object.root().at(&["spec", "podSelector"]);
            selector.map(View::to_json)
        };
        if selector(before) != selector(after) {
            let at = subject
                .fields()
                .find(|(_, field)| field.path.touches(&["spec", "podSelector"]));
            let message =
                "a NetworkPolicy selects other pods: those that it no longer selects may be open";
            match at {
                Some((at, _)) => found.at(CLASS, at, message),
                None => found.add(CLASS, message),
            }
        }
    }
    for (direction, verb) in [("Ingress", "lets in"), ("Egress", "lets out to")] {
        // A policy that moves opens what it had not opened there.
        let moved = subject.is(Operation::Renamed) && !subject.is_new_namespace;
        let old = openings(before, direction).filter(|_| !moved);
        let Some(new) = openings(after, direction) else {
            if old.is_some() && after.is_some() {
                found.add(
                    CLASS,
                    format!(
                        "a NetworkPolicy no longer rules {}: it is open unless another policy does",
                        direction.to_lowercase()
                    ),
                );
            }
            continue;
        };
        // A policy that begins to rule a direction closes it.
        if before.is_some() && old.is_none() && !moved {
            continue;
        }
        let old = old.unwrap_or_default();
        let covers = |wide: &Opening, narrow: &Opening| {
            let peers = match (&wide.0, &narrow.0) {
                (None, _) => true,
                (Some(wide), Some(narrow)) => wide == narrow || contains(wide, narrow),
                (Some(_), None) => false,
            };
            peers && (wide.1.is_none() || wide.1 == narrow.1)
        };
        if old.len().saturating_mul(new.len()) > MOST_PAIRS {
            found.add(
                CLASS,
                "a NetworkPolicy has more peers and ports than can be compared",
            );
            continue;
        }
        for opening in new
            .iter()
            .filter(|new| !old.iter().any(|old| covers(old, new)))
        {
            let who = opening.0.as_deref().unwrap_or("everybody");
            let to_all = opening.0.is_none()
                || who.ends_with("all namespaces")
                || who.starts_with("0.0.0.0/0")
                || who.starts_with("::/0");
            if with_new_pods && !to_all {
                continue;
            }
            let ports = opening
                .1
                .as_ref()
                .map_or_else(|| "all ports".to_owned(), |port| port_name(port));
            let list = direction.to_lowercase();
            let at = subject
                .fields()
                .find(|(_, field)| field.path.touches(&["spec", &list]));
            let message = format!("a NetworkPolicy {verb} {who} on {ports}");
            match at {
                Some((at, _)) => found.at(CLASS, at, message),
                None => found.add(CLASS, message),
            }
        }
    }
}

/// What a role allows: API group, resource (or address), verb.
fn rights(object: Option<&Object>) -> BTreeSet<(String, String, String)> {
    let rules = object
        .and_then(|object| object.root().get("rules"))
        .map(View::items);
    let mut rights = BTreeSet::new();
    for rule in rules.unwrap_or_default() {
        let texts = |key: &str| -> Vec<String> {
            let items = rule
                .get(key)
                .map(View::items)
                .unwrap_or_default()
                .into_iter();
            items
                .filter_map(|item| Some(item.text()?.into_owned()))
                .collect()
        };
        let names = texts("resourceNames");
        let mut groups = texts("apiGroups");
        let mut resources = texts("resources");
        resources.extend(texts("nonResourceURLs"));
        if groups.is_empty() {
            groups.push(String::new());
        }
        if !names.is_empty() {
            let named = |resource: String| {
                names
                    .iter()
                    .map(move |name| format!("{resource} {name}"))
                    .collect::<Vec<_>>()
            };
            resources = resources.into_iter().flat_map(named).collect();
        }
        for group in &groups {
            for resource in &resources {
                for verb in texts("verbs") {
                    rights.insert((group.clone(), resource.clone(), verb));
                }
            }
        }
    }
    rights
}

fn roles(subject: &Subject<'_>, found: &mut Found) {
    if subject.is(Operation::Removed) {
        return;
    }
    // Roles of a new tenant are its own; those of the cluster, and without bounds, are not.
    let is_own = subject.is(Operation::Added)
        && subject.is_whole_place
        && !subject.kind().starts_with("Cluster");
    judge_aggregation(subject, found);
    let old = rights(subject.change.before.as_ref());
    let covers = |wide: &str, narrow: &str| {
        wide == "*"
            || wide == narrow
            || narrow
                .split(' ')
                .next()
                .is_some_and(|all| all == wide && narrow != wide)
    };
    let mut gained: BTreeMap<String, BTreeSet<String>> = BTreeMap::new();
    let new = rights(subject.change.after.as_ref());
    if old.len().saturating_mul(new.len()) > MOST_PAIRS {
        return found.add(CLASS, "a role has more rules than can be compared");
    }
    for (group, resource, verb) in new {
        let known = old
            .iter()
            .any(|(g, r, v)| covers(g, &group) && covers(r, &resource) && covers(v, &verb));
        let unbounded =
            verb == "*" || resource == "*" || matches!(&*verb, "escalate" | "bind" | "impersonate");
        if !known && (!is_own || unbounded) {
            gained.entry(resource).or_default().insert(verb);
        }
    }
    let mut by_verbs: BTreeMap<BTreeSet<String>, Vec<String>> = BTreeMap::new();
    for (what, verbs) in gained {
        by_verbs.entry(verbs).or_default().push(what);
    }
    for (verbs, mut what) in by_verbs {
        let verbs: Vec<String> = verbs.into_iter().collect();
        let more = what.len().saturating_sub(MOST_NAMED);
        what.truncate(MOST_NAMED);
        let more = if more > 0 {
            format!(" and {more} more")
        } else {
            String::new()
        };
        found.add(
            CLASS,
            format!(
                "a {} may {} {}{more}",
                subject.kind(),
                verbs.join(", "),
                what.join(", ")
            ),
        );
    }
}

/// A `ClusterRole` can take its rights from others, by their labels.
fn judge_aggregation(subject: &Subject<'_>, found: &mut Found) {
    for (at, field) in subject.fields() {
        let after = field
            .after
            .as_ref()
            .map(Json::to_string)
            .unwrap_or_default();
        let labels = field.path.starts_with(&["metadata", "labels"])
            && format!("{}{after}", field.path).contains("rbac.authorization.k8s.io/aggregate-to-");
        let rule = field.path.starts_with(&["aggregationRule"]);
        if field.after.is_some() && (labels || rule) {
            found.at(
                CLASS,
                at,
                "a ClusterRole takes rights from others, or gives its own to others",
            );
        }
    }
}

fn bindings(subject: &Subject<'_>, found: &mut Found) {
    let is_own = subject.is(Operation::Added)
        && subject.is_whole_place
        && !subject.kind().starts_with("Cluster");
    if subject.is(Operation::Removed) || is_own {
        return;
    }
    let subjects = |object: Option<&Object>| -> BTreeSet<String> {
        let list = object
            .and_then(|object| object.root().get("subjects"))
            .map(View::items);
        let text = |view: View<'_>| {
            let namespace = view.text_at(&["namespace"]);
            let namespace = if namespace.is_empty() {
                String::new()
            } else {
                format!(" of {namespace}")
            };
            format!(
                "{} {}{namespace}",
                view.text_at(&["kind"]),
                view.text_at(&["name"])
            )
        };
        list.unwrap_or_default().into_iter().map(text).collect()
    };
    let role = |object: &Object| object.root().text_at(&["roleRef", "name"]).into_owned();
    // With another role, or in another namespace, all of them get something new.
    let same = match (&subject.change.before, &subject.change.after) {
        (Some(before), Some(after)) => {
            role(before) == role(after)
                && (before.namespace == after.namespace || subject.is_new_namespace)
        }
        _ => false,
    };
    let old = subjects(subject.change.before.as_ref().filter(|_| same));
    if let Some(after) = &subject.change.after {
        for who in subjects(Some(after)).difference(&old) {
            found.add(
                CLASS,
                format!("{who} gets the rights of the role {}", role(after)),
            );
        }
    }
}

/// The levels of Pod Security, from strict to open.
const LEVELS: [&str; 3] = ["restricted", "baseline", "privileged"];

fn pod_security(subject: &Subject<'_>, found: &mut Found) {
    let key = "pod-security.kubernetes.io/enforce";
    let level = |object: Option<&Object>| {
        let text = object?.root().text_at(&["metadata", "labels", key]);
        LEVELS.iter().position(|level| *level == text).or(Some(2))
    };
    let (before, after) = (
        level(subject.change.before.as_ref()),
        level(subject.change.after.as_ref()),
    );
    let written = |object: &Object| {
        !object
            .root()
            .text_at(&["metadata", "labels", key])
            .is_empty()
    };
    if let Some(level) = after {
        let is_lowered = before.is_some_and(|before| level > before);
        // A new namespace that says nothing is left to the cluster's default.
        let is_open =
            before.is_none() && level == 2 && subject.change.after.as_ref().is_some_and(written);
        if is_lowered || is_open {
            let level = LEVELS[level];
            let message = format!(
                "Pod Security is lowered to {level}: pods may be admitted that were refused before"
            );
            found.add(CLASS, message);
        }
    }
}

fn services(subject: &Subject<'_>, found: &mut Found) {
    let kind = |object: Option<&Object>| {
        object.map(|object| object.root().text_at(&["spec", "type"]).into_owned())
    };
    let (old, new) = (
        kind(subject.change.before.as_ref()),
        kind(subject.change.after.as_ref()),
    );
    if let Some(new) =
        new.filter(|new| Some(new) != old.as_ref() && matches!(&**new, "LoadBalancer" | "NodePort"))
    {
        let at = subject
            .fields()
            .find(|(_, field)| field.path.starts_with(&["spec", "type"]));
        let message =
            format!("a Service becomes a {new}: it can be reached from outside the cluster");
        match at {
            Some((at, _)) => found.at(CLASS, at, message),
            None => found.add(CLASS, message),
        }
    }
    if let Some(after) = subject
        .change
        .after
        .as_ref()
        .filter(|_| subject.is(Operation::Added))
        && after.root().at(&["spec", "externalIPs"]).is_some()
    {
        found.add(
            CLASS,
            "a Service answers on addresses from outside the cluster",
        );
    }
    for (at, field) in subject.fields() {
        if field
            .path
            .starts_with(&["spec", "loadBalancerSourceRanges"])
        {
            found.at(CLASS, at, "a Service lets in other addresses from outside");
        }
        if field.path.touches(&["spec", "externalIPs"])
            && field.after.is_some()
            && field.path.0.len() >= 2
        {
            found.at(
                CLASS,
                at,
                "a Service answers on addresses from outside the cluster",
            );
        }
    }
}

fn routes(subject: &Subject<'_>, found: &mut Found) {
    for (at, field) in subject.fields() {
        let is_tls = matches!(field.path.0.get(1), Some(Step::Key(key)) if &**key == "tls");
        if is_tls && field.after.is_none() {
            found.at(CLASS, at, "a route is served without TLS");
        }
        let serves = [["spec", "rules"], ["spec", "hostnames"]];
        if field.after.is_some() && serves.iter().any(|keys| field.path.starts_with(keys)) {
            found.at(
                CLASS,
                at,
                "a route serves other hosts or paths, or leads elsewhere",
            );
        }
    }
}
