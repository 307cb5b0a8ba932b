//! Whether tenants come back when a cluster is lost: what plans promise, what they can hold, and who has none.

use anstyle::{AnsiColor, Style};
use jiff::civil::Date;
use serde_json::{Value as Json, json};

use super::Figures;
use crate::model::catalog::Document;
use crate::model::footprint::UnitFootprint;
use crate::model::instance::UnitKey;
use crate::model::kinds::{Catalog, RecoveryMode, RecoveryPlan, Stage};
use crate::model::recovery::{drill_due, measure, readable, seconds};
use crate::report::table::Table;

const BAD: Style = AnsiColor::Red.on_default().bold();
const GOOD: Style = AnsiColor::Green.on_default();
/// The version of the JSON.
const FORMAT_VERSION: &str = "1";

/// One thing that must hold of a plan.
struct PlanCheck {
    what: &'static str,
    found: String,
    promised: String,
    holds: bool,
}

fn checks(plan: &RecoveryPlan, today: Date) -> Vec<PlanCheck> {
    let measured = measure(plan);
    let last = plan.drills.as_ref().and_then(|drills| drills.held.last());
    let verify = plan
        .backups
        .as_ref()
        .and_then(|backups| backups.verify.as_ref());
    let by = if measured.by_replication {
        "replication"
    } else {
        "backups"
    };
    let mut checks = vec![
        PlanCheck {
            what: "work that may be lost",
            found: measured.at_risk.map_or("everything".to_owned(), |risk| {
                format!("{} between two copies, by {by}", readable(risk))
            }),
            promised: readable(measured.rpo),
            holds: measured.at_risk.is_some_and(|risk| risk <= measured.rpo),
        },
        PlanCheck {
            what: "time until it runs again",
            found: format!("{} in {} steps", readable(measured.steps), plan.steps.len()),
            promised: readable(measured.rto),
            holds: measured.steps <= measured.rto,
        },
        PlanCheck {
            what: "copies are read back",
            found: verify.map_or("never".to_owned(), |verify| {
                format!("by {}", verify.schedule.0)
            }),
            promised: "on a schedule".to_owned(),
            holds: plan.backups.is_none() || verify.is_some(),
        },
    ];
    let due = plan
        .drills
        .as_ref()
        .and_then(|drills| drill_due(drills, today));
    checks.push(PlanCheck {
        what: "drills are held",
        found: match (last, due) {
            (_, Some(due)) => format!("one was due on {due}"),
            (Some(last), None) => format!("the last on {}", last.on),
            (None, None) => "none yet".to_owned(),
        },
        promised: plan.drills.as_ref().map_or("nothing".to_owned(), |drills| {
            format!("by {}", drills.schedule.0)
        }),
        holds: plan.drills.is_some() && due.is_none(),
    });
    if let Some(last) = last {
        let lost = last.lost.as_ref().map(seconds);
        checks.push(PlanCheck {
            what: "the last drill",
            found: format!(
                "took {}{}",
                readable(seconds(&last.took)),
                lost.map_or_else(String::new, |lost| format!(", lost {}", readable(lost)))
            ),
            promised: format!(
                "within {}, losing {}",
                readable(measured.rto),
                readable(measured.rpo)
            ),
            holds: seconds(&last.took) <= measured.rto
                && lost.is_none_or(|lost| lost <= measured.rpo),
        });
    }
    checks
}

/// Whether a plan holds all that it promises.
pub fn holds(plan: &RecoveryPlan, today: Date) -> bool {
    checks(plan, today).iter().all(|check| check.holds)
}

/// The components of a tenant in an environment on a cluster.
fn components<'a>(units: &'a [UnitFootprint], key: &UnitKey) -> Vec<&'a str> {
    let unit = units.iter().find(|unit| unit.key == *key);
    let components = unit
        .map(|unit| unit.components.iter())
        .into_iter()
        .flatten();
    components
        .map(|(name, _)| name.as_str())
        .filter(|name| !name.is_empty())
        .collect()
}

/// What plans hold, and for whom, as figures.
pub fn figures(catalog: &Catalog, units: &[UnitFootprint], today: Date) -> Figures {
    let mut plans = Table::of_text(&["PLAN", "", "PROMISED", "FOUND", "HOLDS"]);
    let mut plans_json = Vec::new();
    let documents: Vec<&Document<RecoveryPlan>> = catalog.recovery_plans.iter().collect();
    for plan in &documents {
        let checks = checks(&plan.spec, today);
        for check in &checks {
            let holds = if check.holds { "yes" } else { "no" };
            plans.row([
                plan.name.clone(),
                check.what.to_owned(),
                check.promised.clone(),
                check.found.clone(),
                holds.to_owned(),
            ]);
            plans.style(4, if check.holds { GOOD } else { BAD });
        }
        let spec = &plan.spec;
        let found: Vec<Json> = checks
            .iter()
            .map(|check| json!({"what": check.what, "promised": check.promised, "found": check.found, "holds": check.holds}))
            .collect();
        plans_json.push(json!({
            "plan": plan.name, "owner": spec.owner, "mode": if spec.mode == RecoveryMode::ActiveActive { "active-active" } else { "active-passive" },
            "primary": format!("{} on {}", spec.primary.environment, spec.primary.cluster),
            "standby": format!("{} on {}", spec.standby.environment, spec.standby.cluster),
            "rpo": seconds(&spec.rpo), "rto": seconds(&spec.rto), "checks": found,
            "steps": spec.steps.iter().map(|step| json!({"name": step.name, "seconds": seconds(&step.takes)})).collect::<Vec<_>>(),
        }));
    }
    let live = |unit: &&UnitFootprint| {
        let environment = catalog.environments.get(&unit.key.environment);
        environment.is_some_and(|environment| environment.spec.stage == Stage::Production)
    };
    let mut tenants = Table::of_text(&["TENANT", "RUNS IN", "PLAN", "COMES BACK IN", "WITHOUT"]);
    let mut tenants_json = Vec::new();
    for unit in units.iter().filter(live) {
        let key = &unit.key;
        let plan = documents.iter().find(|plan| {
            let spec = &plan.spec;
            let covers = spec.tenants.is_empty()
                || spec.tenants.iter().any(|name| name.0 == key.tenant_name());
            covers
                && spec.primary.environment.0 == key.environment
                && spec.primary.cluster.0 == key.cluster
        });
        let place = format!("{} on {}", key.environment, key.cluster);
        let (name, standby, missing) = match plan {
            None => ("none".to_owned(), String::new(), Vec::new()),
            Some(plan) => {
                let spot = &plan.spec.standby;
                let there = UnitKey {
                    environment: spot.environment.0.clone(),
                    cluster: spot.cluster.0.clone(),
                    owner: key.owner.clone(),
                };
                let there = components(units, &there);
                let missing = components(units, key)
                    .into_iter()
                    .filter(|name| !there.contains(name));
                (
                    plan.name.clone(),
                    format!("{} on {}", spot.environment, spot.cluster),
                    missing.map(str::to_owned).collect(),
                )
            }
        };
        tenants.row([
            key.tenant_name().to_owned(),
            place.clone(),
            name.clone(),
            standby.clone(),
            missing.join(", "),
        ]);
        if plan.is_none() {
            tenants.style(2, BAD);
        }
        tenants_json.push(json!({"tenant": key.tenant_name(), "place": place, "plan": plan.map(|plan| &plan.name), "standby": standby, "missing": missing}));
    }
    let without = tenants_json
        .iter()
        .filter(|one| one["plan"].is_null())
        .count();
    let notes = match (documents.is_empty(), without) {
        (true, _) => vec![
            "There is no recovery plan; `tenantry explain RecoveryPlan` says how to write one."
                .to_owned(),
        ],
        (false, 0) => Vec::new(),
        (false, 1) => vec!["One tenant in production is in no plan.".to_owned()],
        (false, count) => vec![format!("{count} tenants in production are in no plan.")],
    };
    let sheet = tenants.clone();
    Figures {
        title: "Readiness for recovery",
        sentence: format!(
            "Seen from {today}: what recovery plans promise, whether they can hold it, and who is in none."
        ),
        tables: vec![
            ("Plans".to_owned(), plans),
            ("Tenants in production".to_owned(), tenants),
        ],
        notes,
        sheet,
        data: json!({"formatVersion": FORMAT_VERSION, "asOf": today.to_string(), "plans": plans_json, "tenants": tenants_json}),
        script: include_str!("recovery.js"),
    }
}
