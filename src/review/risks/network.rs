//! What network policies let through.

use std::collections::BTreeSet;
use std::net::IpAddr;

use serde_json::Value as Json;

use super::{FoundRisks, MOST_PAIRS, RiskSubject};
use crate::model::change::{Object, ObjectOperation, RiskClass};
use tenantry_engine::view::View;

const CLASS: RiskClass = RiskClass::Exposure;
/// Most pairs of peers and ports of one rule.
const MOST_OF_RULE: usize = 10_000;

/// Who may be reached on which ports; `None` is everybody, or every port.
type OpenPorts = (Option<String>, Option<String>);

/// What a policy lets through in one direction; nothing for a policy that does not rule it.
fn openings(object: Option<&Object>, direction: &str) -> Option<BTreeSet<OpenPorts>> {
    let spec = object?.root().spec()?;
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

/// Judges a network policy.
pub fn judge(subject: &RiskSubject<'_>, found: &mut FoundRisks) {
    let change = subject.change;
    let (before, after) = (change.before.as_ref(), change.after.as_ref());
    if subject.is(ObjectOperation::Removed) {
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
    let with_new_pods = subject.is(ObjectOperation::Added)
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
        let moved = subject.is(ObjectOperation::Renamed) && !subject.is_new_namespace;
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
        let covers = |wide: &OpenPorts, narrow: &OpenPorts| {
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
