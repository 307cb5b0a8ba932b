//! What a recovery plan can hold of what it promises.

use jiff::civil::Date;

use super::kinds::{Drills, RecoveryPlan};
use tenantry_engine::scalars::{Duration, parse_duration};
use tenantry_engine::schedule::CronSchedule;

/// What a plan promises, and what it comes to; all in seconds.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Measured {
    /// What may be lost.
    pub rpo: f64,
    /// What may pass.
    pub rto: f64,
    /// The longest time between two copies, the better of backups and replication; nothing if there
    /// are none.
    pub at_risk: Option<f64>,
    /// Whether that is replication's.
    pub by_replication: bool,
    /// All steps, one after the other.
    pub steps: f64,
}

/// A duration in seconds.
pub fn seconds(duration: &Duration) -> f64 {
    parse_duration(&duration.0).unwrap_or(0.0)
}

/// What a plan promises, and what it comes to.
pub fn measure(plan: &RecoveryPlan) -> Measured {
    let gap = |text: &str| CronSchedule::parse(text).and_then(|schedule| schedule.longest_gap());
    let backups = plan
        .backups
        .as_ref()
        .and_then(|backups| gap(&backups.schedule.0));
    let replicas = plan
        .replication
        .as_ref()
        .and_then(|copies| gap(&copies.schedule.0));
    let by_replication = match (backups, replicas) {
        (Some(backups), Some(replicas)) => replicas < backups,
        (None, Some(_)) => true,
        _ => false,
    };
    Measured {
        rpo: seconds(&plan.rpo),
        rto: seconds(&plan.rto),
        at_risk: if by_replication { replicas } else { backups },
        by_replication,
        steps: plan.steps.iter().map(|step| seconds(&step.takes)).sum(),
    }
}

/// The day on which a drill was due that was not held.
pub fn drill_due(drills: &Drills, as_of: Date) -> Option<Date> {
    let schedule = CronSchedule::parse(&drills.schedule.0)?;
    let last = drills
        .held
        .iter()
        .filter_map(|drill| drill.on.0.parse::<Date>().ok())
        // What is to come was not held.
        .filter(|day| *day <= as_of)
        .max();
    // A year is as far back as anybody looks for the first one.
    let first = as_of.checked_sub(jiff::Span::new().years(1)).ok()?;
    let mut day = as_of;
    while day > first {
        if schedule.fires_on(day) {
            return last.is_none_or(|last| last < day).then_some(day);
        }
        day = day.yesterday().ok()?;
    }
    None
}

/// Seconds as people say them: `4 h`, `1 h 30 min`, `2 days`.
pub fn readable(seconds: f64) -> String {
    #[allow(clippy::cast_possible_truncation, reason = "longer than any plan")]
    let minutes = (seconds / 60.0).ceil().min(1e15) as i64;
    let (days, hours, minutes) = (minutes / 1440, minutes / 60 % 24, minutes % 60);
    let mut parts = Vec::new();
    match days {
        0 => {}
        1 => parts.push("1 day".to_owned()),
        days => parts.push(format!("{days} days")),
    }
    parts.extend((hours > 0).then(|| format!("{hours} h")));
    parts.extend((minutes > 0 || parts.is_empty()).then(|| format!("{minutes} min")));
    parts.join(" ")
}
