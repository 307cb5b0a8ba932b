//! When jobs run: a week of all schedules as tables and as a page with a calendar.

use std::collections::{BTreeMap, BTreeSet};

use anstyle::{AnsiColor, Style};
use jiff::civil::Date;
use serde_json::{Value as Json, json};

use super::Figures;
use crate::model::footprint::UnitFootprint;
use crate::model::timetable::{self, ScheduledJob, TimeSlot, WEEK, readable};
use crate::report::table::{Align, Table};
use tenantry_engine::scalars::Amount;

const BUSY: Style = AnsiColor::Yellow.on_default().bold();
const PAUSED: Style = Style::new().dimmed();
/// The version of the JSON.
const FORMAT_VERSION: &str = "1";

#[allow(clippy::cast_precision_loss, reason = "amounts for people")]
fn units(amount: Amount) -> f64 {
    amount.thousandths as f64 / 1000.0
}

/// Who runs a job, and where: `data-platform`, `production on eu-1`.
fn place(job: &ScheduledJob) -> String {
    format!("{} on {}", job.key.environment, job.key.cluster)
}

/// `nightly / etl`, or the component's name.
fn title(job: &ScheduledJob) -> String {
    if job.pipeline.is_empty() || job.pipeline == job.name {
        job.name.clone()
    } else {
        format!("{} / {}", job.pipeline, job.name)
    }
}

/// The week of a day, as figures.
pub fn figures(footprints: &[UnitFootprint], day: Date) -> Figures {
    let monday = timetable::monday(day);
    let jobs: Vec<ScheduledJob> = footprints
        .iter()
        .flat_map(|unit| &unit.scheduled)
        .cloned()
        .collect();
    let runs = timetable::week(&jobs, monday);
    let table = table(&jobs, &runs);
    let (peaks, peaks_json) = peaks(&jobs, &runs);
    let jobs_json: Vec<_> = jobs
        .iter()
        .map(|job| {
            json!({
                "tenant": job.key.tenant_name(), "environment": job.key.environment, "cluster": job.key.cluster,
                "component": job.component, "pipeline": job.pipeline, "name": job.name, "after": job.after,
                "schedule": job.cron, "zone": job.zone, "paused": job.is_suspended, "minutes": job.minutes,
                "cpu": units(job.cpu), "memory": job.memory.bytes_for_people(),
            })
        })
        .collect();
    let runs_json: Vec<_> = runs
        .iter()
        .map(|run| json!([run.job, run.from, run.until]))
        .collect();
    let (hours, notes) = hours(&runs, monday);
    let sheet = table.clone();
    Figures {
        title: "A week of jobs",
        sentence: format!(
            "The week from Monday, {monday}, in UTC: when jobs start by their schedules and time zones, and how long they go on if each takes its time until its deadline."
        ),
        tables: vec![
            ("Jobs".to_owned(), table),
            ("The busiest minute of each cluster".to_owned(), peaks),
            (
                format!("Jobs at the same time, by hour, in the week from {monday}, in UTC"),
                hours,
            ),
        ],
        notes,
        sheet,
        data: json!({
            "formatVersion": FORMAT_VERSION, "monday": monday.to_string(), "jobs": jobs_json,
            "runs": runs_json, "peaks": peaks_json,
        }),
        script: include_str!("schedule.js"),
    }
}

/// The jobs, by tenant and by when they first start.
fn table(jobs: &[ScheduledJob], runs: &[TimeSlot]) -> Table {
    let columns = [
        ("TENANT", Align::Left),
        ("WHERE", Align::Left),
        ("JOB", Align::Left),
        ("SCHEDULE", Align::Left),
        ("ZONE", Align::Left),
        ("FIRST, UTC", Align::Left),
        ("LONGEST", Align::Right),
        ("RUNS A WEEK", Align::Right),
    ];
    let mut table = Table::new(&columns);
    let mut order: Vec<usize> = (0..jobs.len()).collect();
    let first = |at: usize| runs.iter().find(|run| run.job == at && run.from >= 0);
    order.sort_by_cached_key(|at| {
        let job = &jobs[*at];
        let from = first(*at).map_or(WEEK, |run| run.from);
        (
            job.key.tenant_name().to_owned(),
            job.key.environment.clone(),
            job.key.cluster.clone(),
            job.is_suspended,
            from,
            title(job),
        )
    });
    for at in order {
        let job = &jobs[at];
        let count = runs
            .iter()
            .filter(|run| run.job == at && run.from >= 0)
            .count();
        let starts = match first(at) {
            _ if job.is_suspended => "paused".to_owned(),
            Some(run) => readable(run.from),
            None => "not this week".to_owned(),
        };
        let longest = timetable_minutes(job.minutes);
        table.row([
            job.key.tenant_name().to_owned(),
            place(job),
            title(job),
            job.cron.clone(),
            job.zone.clone(),
            starts,
            longest,
            count.to_string(),
        ]);
        if job.is_suspended {
            table.style(5, PAUSED);
        }
    }
    table
}

/// The busiest minute of each cluster.
fn peaks(jobs: &[ScheduledJob], runs: &[TimeSlot]) -> (Table, Vec<Json>) {
    let clusters: BTreeSet<&str> = jobs.iter().map(|job| job.key.cluster.as_str()).collect();
    let mut peaks = Table::new(&[
        ("CLUSTER", Align::Left),
        ("MOST AT ONCE", Align::Right),
        ("FIRST AT, UTC", Align::Left),
        ("CPU THEN", Align::Right),
        ("MEMORY THEN", Align::Right),
    ]);
    let mut peaks_json = Vec::new();
    for cluster in clusters {
        let here: Vec<TimeSlot> = runs
            .iter()
            .copied()
            .filter(|run| jobs[run.job].key.cluster == cluster)
            .collect();
        let (most, minute) = timetable::peak(&here);
        let then = || {
            here.iter()
                .filter(|run| run.from <= minute && minute < run.until)
        };
        let cpu: Amount = then().map(|run| jobs[run.job].cpu).sum();
        let memory: Amount = then().map(|run| jobs[run.job].memory).sum();
        let at = if most == 0 {
            String::new()
        } else {
            readable(minute)
        };
        peaks.row([
            cluster.to_owned(),
            most.to_string(),
            at.clone(),
            cpu.cpu_for_people(),
            memory.bytes_for_people(),
        ]);
        peaks_json.push(json!({"cluster": cluster, "most": most, "at": at, "cpu": units(cpu), "memory": memory.bytes_for_people()}));
    }
    (peaks, peaks_json)
}

/// Minutes as people say them: `1 h 30 min`.
fn timetable_minutes(minutes: i32) -> String {
    crate::model::recovery::readable(f64::from(minutes) * 60.0)
}

/// The most jobs at one time in each hour of each day, and what is said below.
fn hours(runs: &[TimeSlot], monday: Date) -> (Table, Vec<String>) {
    const HOURS: [&str; 24] = [
        "0", "1", "2", "3", "4", "5", "6", "7", "8", "9", "10", "11", "12", "13", "14", "15", "16",
        "17", "18", "19", "20", "21", "22", "23",
    ];
    let mut columns = vec![("", Align::Left)];
    columns.extend(HOURS.map(|hour| (hour, Align::Right)));
    let mut table = Table::new(&columns);
    let mut most: BTreeMap<i32, usize> = BTreeMap::new();
    for hour in 0..WEEK / 60 {
        let (from, until) = (hour * 60, hour * 60 + 60);
        let inside = runs
            .iter()
            .filter(|run| run.from < until && run.until > from);
        let inside: Vec<TimeSlot> = inside
            .map(|run| TimeSlot {
                from: run.from.max(from),
                until: run.until.min(until),
                job: run.job,
            })
            .collect();
        most.insert(hour, timetable::peak(&inside).0);
    }
    let busiest = most.values().copied().max().unwrap_or(0);
    for day in 0..7 {
        let name = monday
            .checked_add(jiff::Span::new().days(day))
            .unwrap_or(monday);
        let label = readable(day * 1440);
        let mut cells = vec![format!("{} {:02}", &label[..3], name.day())];
        let of_day = (0..24).map(|hour| most[&(day * 24 + hour)]);
        let of_day: Vec<usize> = of_day.collect();
        cells.extend(of_day.iter().map(|count| {
            if *count == 0 {
                "·".to_owned()
            } else {
                count.to_string()
            }
        }));
        table.row(cells);
        for (hour, count) in of_day.iter().enumerate() {
            if *count == busiest && busiest > 0 {
                table.style(hour + 1, BUSY);
            }
        }
    }
    let notes = if runs.is_empty() {
        vec!["No job runs in this week.".to_owned()]
    } else {
        vec![
            "Jobs of a pipeline start when those before them must have ended, at the latest."
                .to_owned(),
        ]
    };
    (table, notes)
}
