//! The proof for a terminal: what crosses tenants, what comes from outside, what accounts may do.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write as _;

use anstyle::{AnsiColor, Style};

use super::{ends, name};
use crate::model::isolation::{ClusterIsolation, Why};
use crate::report::review::words::count;
use crate::report::table::Table;

const BAD: Style = AnsiColor::Red.on_default().bold();
const GOOD: Style = AnsiColor::Green.on_default();
const STRONG: Style = Style::new().bold();

/// Writes the proof.
pub fn write(clusters: &[ClusterIsolation], color: bool) -> String {
    let paint = |text: &str, style: Style| {
        if color {
            format!("{style}{text}{style:#}")
        } else {
            text.to_owned()
        }
    };
    let mut text = String::new();
    for (at, cluster) in clusters.iter().enumerate() {
        if at > 0 {
            text.push('\n');
        }
        let tenants: BTreeSet<&str> = cluster
            .workloads
            .iter()
            .map(|one| one.tenant.as_str())
            .filter(|tenant| !tenant.is_empty())
            .collect();
        let flows = |why: Why| cluster.flows.iter().filter(|flow| flow.why == why).count();
        let _ = writeln!(
            text,
            "{}: {} with {}; {} that a rule could open {} looked at, all others are closed",
            paint(&cluster.cluster, STRONG),
            count(tenants.len(), "tenant"),
            count(cluster.workloads.len(), "workload"),
            count(cluster.pairs, "pair"),
            if cluster.pairs == 1 { "was" } else { "were" }
        );
        let undeclared = flows(Why::Undeclared);
        let nodes = cluster.in_node_network.len();
        let verdict = match (undeclared, cluster.is_complete) {
            (0, true) if nodes > 0 => paint(
                &format!("{nodes} in the network of their node, where no policy holds"),
                BAD,
            ),
            (0, true) if cluster.borrowed > 0 => paint(
                &format!(
                    "{} names of other tenants' secrets or accounts are used",
                    cluster.borrowed
                ),
                BAD,
            ),
            (0, true) => paint("nothing crosses tenants but what is shared", GOOD),
            (0, false) => paint("not everything could be looked at", BAD),
            _ => paint(
                &format!("{undeclared} cross tenants, and no share says so"),
                BAD,
            ),
        };
        let _ = writeln!(
            text,
            "  {verdict}; {} by a share, {} within a tenant\n",
            flows(Why::Share),
            flows(Why::Own) + cluster.pairs_within
        );
        let mut crossing = Table::of_text(&["FROM", "TO", "IN", "ON", "BY"]);
        for flow in cluster.flows.iter().filter(|flow| flow.why != Why::Own) {
            let Some((from, to)) = ends(cluster, flow) else {
                continue;
            };
            let environment = if from.environment == to.environment {
                to.environment.clone()
            } else {
                format!("{} → {}", from.environment, to.environment)
            };
            let by = match flow.why {
                Why::Share => "a share".to_owned(),
                _ if flow.through[0].is_empty() => "no policy".to_owned(),
                _ => flow.through[0].join(", "),
            };
            crossing.row([name(from), name(to), environment, flow.ports.words(), by]);
            if flow.why == Why::Undeclared {
                crossing.style(4, BAD);
            }
        }
        if !crossing.is_empty() {
            text.push_str(&crossing.text("  ", color));
            text.push('\n');
        }
        text.push_str(&outside(cluster, color));
        text.push_str(&accounts(cluster, color));
    }
    text
}

/// What comes from outside of what is rendered, or goes there: each peer once, with who uses it.
fn outside(cluster: &ClusterIsolation, color: bool) -> String {
    let mut peers: BTreeMap<(bool, &str, &str), BTreeSet<String>> = BTreeMap::new();
    for one in &cluster.outside {
        if let Some(workload) = cluster.workloads.get(one.workload) {
            peers
                .entry((one.goes_out, &one.peer, &one.ports))
                .or_default()
                .insert(name(workload));
        }
    }
    let mut table = Table::of_text(&["OUTSIDE", "", "ON", "WORKLOADS"]);
    for ((goes_out, peer, ports), workloads) in peers {
        let direction = if goes_out { "is reached" } else { "reaches" };
        let count = workloads.len();
        let mut names: Vec<String> = workloads.into_iter().take(3).collect();
        if count > names.len() {
            names.push(format!("{} more", count - names.len()));
        }
        table.row([
            peer.to_owned(),
            direction.to_owned(),
            ports.to_owned(),
            names.join(", "),
        ]);
    }
    if table.is_empty() {
        String::new()
    } else {
        table.text("  ", color) + "\n"
    }
}

fn accounts(cluster: &ClusterIsolation, color: bool) -> String {
    let mut table = Table::of_text(&["ACCOUNT", "TENANT", "IN", "ROLE", "MAY"]);
    for account in &cluster.rights {
        let namespace = if account.namespace.is_empty() {
            "the whole cluster"
        } else {
            &account.namespace
        };
        let dangers: Vec<&str> = account
            .dangers
            .iter()
            .map(|danger| danger.words())
            .collect();
        let may = if dangers.is_empty() {
            "nothing beyond the tenant".to_owned()
        } else {
            dangers.join("; ")
        };
        table.row([
            account.subject.clone(),
            account.tenant.clone(),
            namespace.to_owned(),
            account.role.clone(),
            may,
        ]);
        if !account.dangers.is_empty() {
            table.style(4, BAD);
        }
    }
    if table.is_empty() {
        String::new()
    } else {
        table.text("  ", color)
    }
}
