//! `src/model/timetable.rs`.

use jiff::civil::date;
use tenantry::engine::scalars::Amount;
use tenantry::model::instance::Owner;
use tenantry::model::instance::UnitKey;
use tenantry::model::timetable::*;

fn job(name: &str, cron: &str, zone: &str, minutes: i32, after: &[&str]) -> ScheduledJob {
    let key = UnitKey {
        environment: String::new(),
        cluster: String::new(),
        owner: Owner::Cluster,
    };
    ScheduledJob {
        key,
        component: name.to_owned(),
        pipeline: "p".to_owned(),
        name: name.to_owned(),
        after: after.iter().map(|name| (*name).to_owned()).collect(),
        cron: cron.to_owned(),
        zone: zone.to_owned(),
        is_suspended: false,
        concurrency: "Forbid".to_owned(),
        minutes,
        cpu: Amount::default(),
        memory: Amount::default(),
    }
}

#[test]
fn jobs_run_when_their_zones_say_and_after_one_another() {
    let monday = date(2026, 6, 1);
    let jobs = [
        job("a", "0 2 * * *", "Europe/Berlin", 90, &[]),
        job("b", "0 2 * * *", "Europe/Berlin", 30, &["a"]),
        job("c", "0 2 * * *", "Europe/Berlin", 60, &["a"]),
    ];
    let runs = week(&jobs, monday);
    assert_eq!(runs.len(), 21);
    // Two in the morning in Berlin is midnight in UTC in summer.
    assert_eq!(
        runs[0],
        TimeSlot {
            from: 0,
            until: 90,
            job: 0
        }
    );
    assert_eq!(
        runs[1],
        TimeSlot {
            from: 90,
            until: 120,
            job: 1
        }
    );
    assert_eq!(peak(&runs), (2, 90));
    assert_eq!(readable(90), "Mon 01:30");
    // In winter it is one o'clock; the night before reaches into the week.
    let runs = week(&jobs[..1], date(2026, 1, 5));
    assert_eq!(runs[0].from, 60);
    let late = [job("late", "30 23 * * 0", "UTC", 60, &[])];
    assert_eq!(
        week(&late, monday)[0],
        TimeSlot {
            from: -30,
            until: 30,
            job: 0
        }
    );
    assert_eq!(tenantry::model::timetable::monday(date(2026, 6, 7)), monday);
}

#[test]
fn the_hour_that_is_left_out_does_not_lose_a_run() {
    let jobs = [job("a", "30 2 * * *", "Europe/Berlin", 10, &[])];
    // On 29 March 2026 there is no half past two in Berlin.
    assert_eq!(week(&jobs, date(2026, 3, 23)).len(), 7);
}
