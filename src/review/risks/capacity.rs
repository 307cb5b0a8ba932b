//! Workloads may ask for nearly all that there is.

use std::collections::BTreeMap;

use crate::model::change::{Risk, RiskClass};
use crate::model::footprint::{self, Footprint};
use crate::model::instance::UnitKey;
use tenantry_engine::scalars::Amount;
use tenantry_engine::view::View;

/// From this share of a quota or capacity on, little room is left.
const NEARLY: f64 = 0.8;

type Limited = (&'static str, fn(Amount) -> String, &'static str);

/// Resources with a limit: as a quota names them, how amounts are written, and what is said of them.
const LIMITED: [Limited; 3] = [
    ("requests.cpu", Amount::cpu_for_people, "processors are"),
    ("requests.memory", Amount::bytes_for_people, "memory is"),
    ("requests.storage", Amount::bytes_for_people, "storage is"),
];

/// What a unit asks for, and what it may ask for.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Demanded {
    /// What it asks for.
    pub footprint: Footprint,
    /// The quota, by resource.
    pub quota: Vec<(&'static str, Amount)>,
}

impl Demanded {
    /// What objects ask for.
    pub fn of<'a>(objects: impl IntoIterator<Item = View<'a>> + Clone) -> Demanded {
        Demanded {
            footprint: Footprint::of(objects.clone()),
            quota: footprint::quota(objects),
        }
    }

    fn limit(&self, resource: &str) -> Option<Amount> {
        let found = self.quota.iter().find(|(known, _)| *known == resource);
        found.map(|(_, limit)| *limit)
    }
}

/// A unit's footprint before and now; the same where nothing changed.
pub struct UnitFootprints {
    /// The unit.
    pub key: UnitKey,
    /// In the base; nothing if it is new.
    pub before: Demanded,
    /// In the head; nothing if it is gone.
    pub after: Demanded,
}

/// The capacities of each cluster, by resource.
pub type Capacities = BTreeMap<String, BTreeMap<&'static str, Amount>>;

/// Judges what units ask for by their quotas, and all of a cluster by its capacity. What is beyond
/// them is a finding of its own.
pub fn judge(
    units: &[UnitFootprints],
    old_capacities: &Capacities,
    capacities: &Capacities,
) -> Vec<Risk> {
    let mut risks = Vec::new();
    let mut add = |message: String| {
        risks.push(Risk {
            class: RiskClass::Capacity,
            message,
            objects: Vec::new(),
            causes: Vec::new(),
        });
    };
    for (resource, write, word) in LIMITED {
        let mut tight: Vec<(f64, String)> = Vec::new();
        for unit in units.iter().filter(|unit| unit.before != unit.after) {
            let limit = unit.after.limit(resource);
            let (old, new) = (share(&unit.before, resource), share(&unit.after, resource));
            if let (Some(limit), Some(new)) = (limit, new)
                && new >= NEARLY
                && old.is_none_or(|old| new > old)
            {
                let asked = unit.after.footprint.peak.get(resource);
                let key = &unit.key;
                tight.push((
                    new,
                    format!(
                        "{} in {} on {} may ask for {} of {} ({:.0}%)",
                        key.tenant_name(),
                        key.environment,
                        key.cluster,
                        write(asked),
                        write(limit),
                        new * 100.0
                    ),
                ));
            }
        }
        if !tight.is_empty() {
            add(listed(&format!("{word} nearly used up in quotas: "), tight));
        }
        let mut full: Vec<(f64, String)> = Vec::new();
        for (cluster, capacity) in capacities {
            let Some(limit) = capacity.get(resource) else {
                continue;
            };
            let total = |side: fn(&UnitFootprints) -> &Demanded| -> Amount {
                let here = units.iter().filter(|unit| unit.key.cluster == *cluster);
                here.map(|unit| side(unit).footprint.peak.get(resource))
                    .sum()
            };
            let (old, new) = (total(|unit| &unit.before), total(|unit| &unit.after));
            let share = ratio(new, *limit);
            let before = old_capacities
                .get(cluster)
                .and_then(|old| old.get(resource));
            let is_cut = before.is_some_and(|before| before > limit);
            if (new > old || is_cut) && share >= NEARLY {
                full.push((
                    share,
                    format!(
                        "workloads on {cluster} may ask for {} of {} ({:.0}%)",
                        write(new),
                        write(*limit),
                        share * 100.0
                    ),
                ));
            }
        }
        if !full.is_empty() {
            add(listed(
                &format!("{word} nearly used up in clusters: "),
                full,
            ));
        }
    }
    risks
}

fn listed(intro: &str, mut list: Vec<(f64, String)>) -> String {
    const MOST: usize = 4;
    list.sort_by(|a, b| b.0.total_cmp(&a.0).then_with(|| a.1.cmp(&b.1)));
    let shown: Vec<&str> = list
        .iter()
        .take(MOST)
        .map(|(_, text)| text.as_str())
        .collect();
    let more = match list.len().saturating_sub(MOST) {
        0 => String::new(),
        more => format!("; and {more} more"),
    };
    format!("{intro}{}{more}", shown.join("; "))
}

fn share(asked: &Demanded, resource: &str) -> Option<f64> {
    let limit = asked.limit(resource)?;
    Some(ratio(asked.footprint.peak.get(resource), limit))
}

#[allow(clippy::cast_precision_loss, reason = "a share for people")]
fn ratio(part: Amount, whole: Amount) -> f64 {
    if whole.thousandths <= 0 {
        return 0.0;
    }
    part.thousandths as f64 / whole.thousandths as f64
}
