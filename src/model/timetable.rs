//! When jobs run: a week of all schedules, with what runs at the same time.

use jiff::civil::Date;
use jiff::tz::TimeZone;

use super::demand::{self, ResourceRequest};
use super::instance::UnitKey;
use tenantry_engine::scalars::Amount;
use tenantry_engine::schedule::CronSchedule;
use tenantry_engine::view::{Shape, View};

/// Minutes of a week.
pub const WEEK: i32 = 7 * 24 * 60;

/// A job with a schedule.
#[derive(Clone, Debug, PartialEq)]
pub struct ScheduledJob {
    /// The unit that it belongs to.
    pub key: UnitKey,
    /// The component that it runs.
    pub component: String,
    /// The pipeline that it is a job of; empty if it is none's.
    pub pipeline: String,
    /// Its name in the pipeline; else the component's.
    pub name: String,
    /// Jobs of the pipeline that it waits for.
    pub after: Vec<String>,
    /// As it is written: `0 2 * * *`.
    pub cron: String,
    /// The time zone of that.
    pub zone: String,
    /// Whether it is paused.
    pub is_suspended: bool,
    /// What happens when it is due and still goes on: `Allow`, `Forbid`, `Replace`.
    pub concurrency: String,
    /// The longest that it may take, in minutes.
    pub minutes: i32,
    /// What its pods request.
    pub cpu: Amount,
    /// What its pods request.
    pub memory: Amount,
}

/// A run, in minutes from the Monday, midnight in UTC; it may begin before and end after the week.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct TimeSlot {
    /// When it starts.
    pub from: i32,
    /// When it has ended, at the latest.
    pub until: i32,
    /// The position of the job.
    pub job: usize,
}

/// The jobs among the objects of a component.
pub fn jobs<'a>(
    key: &UnitKey,
    component: &str,
    objects: impl IntoIterator<Item = View<'a>>,
) -> Vec<ScheduledJob> {
    let is_scheduled = |object: &View<'_>| object.object_kind() == "CronJob";
    let objects = objects.into_iter().filter(is_scheduled);
    objects
        .map(|object| {
            let title = format!("CronJob/{}", object.object_name());
            let requests = demand::of([object]);
            let asked = |resource: &str| {
                let of_job =
                    |one: &&ResourceRequest| one.title == title && one.resource == resource;
                requests
                    .iter()
                    .filter(of_job)
                    .map(|one| one.times(one.most))
                    .sum()
            };
            let noted = |map: &str, name: &str| {
                let fields = object
                    .at(&["metadata", map])
                    .map(View::fields)
                    .unwrap_or_default();
                let found = fields
                    .into_iter()
                    .find(|field| field.key.ends_with(&format!("/{name}")));
                found
                    .and_then(|field| field.value.text())
                    .unwrap_or_default()
                    .into_owned()
            };
            let pipeline = noted("labels", "pipeline");
            let name = noted("annotations", "job");
            let after = noted("annotations", "after");
            let deadline = object.at(&["spec", "jobTemplate", "spec", "activeDeadlineSeconds"]);
            let seconds = match deadline.map(View::shape) {
                Some(Shape::Int(seconds)) => seconds,
                _ => 0,
            };
            ScheduledJob {
                key: key.clone(),
                component: component.to_owned(),
                pipeline,
                name: if name.is_empty() {
                    component.to_owned()
                } else {
                    name
                },
                after: after
                    .split(',')
                    .filter(|name| !name.is_empty())
                    .map(str::to_owned)
                    .collect(),
                cron: object.text_at(&["spec", "schedule"]).into_owned(),
                zone: object.text_at(&["spec", "timeZone"]).into_owned(),
                concurrency: object.text_at(&["spec", "concurrencyPolicy"]).into_owned(),
                is_suspended: matches!(
                    object.at(&["spec", "suspend"]).map(View::shape),
                    Some(Shape::Bool(true))
                ),
                minutes: i32::try_from((seconds + 59) / 60)
                    .unwrap_or(i32::MAX / 4)
                    .clamp(1, WEEK),
                cpu: asked("requests.cpu"),
                memory: asked("requests.memory"),
            }
        })
        .collect()
}

/// Minutes from the start of a job's pipeline until it starts, if those before take all of their time.
fn offset(jobs: &[ScheduledJob], job: &ScheduledJob, depth: usize) -> i32 {
    // A circle is another finding.
    if depth > 100 {
        return 0;
    }
    let before = jobs.iter().filter(|other| {
        other.key == job.key && other.pipeline == job.pipeline && job.after.contains(&other.name)
    });
    let ends = before.map(|other| offset(jobs, other, depth + 1).saturating_add(other.minutes));
    ends.max().unwrap_or(0).min(WEEK)
}

/// All runs of the week that begins on a Monday, sorted by their start; jobs that are paused have none.
pub fn week(jobs: &[ScheduledJob], monday: Date) -> Vec<TimeSlot> {
    let mut runs = Vec::new();
    let Ok(zero) = monday.to_zoned(TimeZone::UTC) else {
        return runs;
    };
    for (at, job) in jobs.iter().enumerate().filter(|(_, job)| !job.is_suspended) {
        let Some(schedule) = CronSchedule::parse(&job.cron) else {
            continue;
        };
        let zone = TimeZone::get(if job.zone.is_empty() {
            "UTC"
        } else {
            &job.zone
        });
        let zone = zone.unwrap_or(TimeZone::UTC);
        let offset = offset(jobs, job, 0);
        let minutes = schedule.minutes_of_day();
        let first_of_job = runs.len();
        // A run of the week before may still go on, and zones are up to a day apart.
        let first = monday
            .checked_sub(jiff::Span::new().days(8))
            .unwrap_or(monday);
        for day in first.series(jiff::Span::new().days(1)).take(17) {
            if !schedule.fires_on(day) {
                continue;
            }
            for minute in &minutes {
                let (hour, minute) = (minute / 60, minute % 60);
                let time = i8::try_from(hour).ok().zip(i8::try_from(minute).ok());
                let Some(time) = time.and_then(|(hour, minute)| {
                    day.at(hour, minute, 0, 0).to_zoned(zone.clone()).ok()
                }) else {
                    continue;
                };
                let seconds = time.timestamp().as_second() - zero.timestamp().as_second();
                let start = i32::try_from(seconds.div_euclid(60)).unwrap_or(WEEK);
                let from = start.saturating_add(offset);
                let until = from.saturating_add(job.minutes);
                // The last one, wherever it lies: later ones wait for it, or stop it.
                let last: Option<&mut TimeSlot> = runs[first_of_job..].last_mut();
                match (job.concurrency.as_str(), last) {
                    ("Forbid", Some(last)) if from < last.until => continue,
                    ("Replace", Some(last)) => last.until = last.until.min(from),
                    _ => {}
                }
                if from < WEEK {
                    runs.push(TimeSlot {
                        from,
                        until,
                        job: at,
                    });
                }
            }
        }
    }
    runs.retain(|run| run.until > 0);
    runs.sort_unstable();
    runs
}

/// The most runs at one time, and the first minute at which there are so many.
pub fn peak(runs: &[TimeSlot]) -> (usize, i32) {
    let mut edges: Vec<(i32, i32)> = Vec::with_capacity(runs.len() * 2);
    for run in runs {
        edges.push((run.from.max(0), 1));
        edges.push((run.until, -1));
    }
    // Of an end and a start in the same minute, the end comes first.
    edges.sort_unstable();
    let (mut now, mut most) = (0, (0, 0));
    for (minute, change) in edges {
        now += change;
        if now > most.0 && minute < WEEK {
            most = (now, minute);
        }
    }
    (usize::try_from(most.0).unwrap_or(0), most.1)
}

/// The Monday on or before a day.
pub fn monday(day: Date) -> Date {
    let since = i64::from(day.weekday().to_monday_zero_offset());
    day.checked_sub(jiff::Span::new().days(since))
        .unwrap_or(day)
}

/// A minute of the week for people: `Mon 02:00`.
pub fn readable(minute: i32) -> String {
    const DAYS: [&str; 7] = ["Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun"];
    let minute = minute.rem_euclid(WEEK);
    let day = usize::try_from(minute / 1440).unwrap_or(0);
    format!("{} {:02}:{:02}", DAYS[day], minute / 60 % 24, minute % 60)
}
