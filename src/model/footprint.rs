//! What objects ask for, added up: for quotas, capacities and costs.

use std::collections::BTreeMap;

use super::demand::{self, ResourceRequest};
use super::instance::UnitKey;
use super::timetable::ScheduledJob;
use tenantry_engine::scalars::Amount;
use tenantry_engine::schedule::CronSchedule;
use tenantry_engine::view::{Shape, View};

/// Resources that are counted, as a ResourceQuota names them.
pub const RESOURCES: [&str; 4] = [
    "requests.cpu",
    "requests.memory",
    "requests.storage",
    "requests.gpu",
];

/// An amount of each resource.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Amounts([Amount; 4]);

impl Amounts {
    /// The amount of a resource.
    pub fn get(&self, resource: &str) -> Amount {
        let position = RESOURCES.iter().position(|known| *known == resource);
        position.map_or_else(Amount::default, |at| self.0[at])
    }

    /// Adds to the amount of a resource.
    pub fn add(&mut self, resource: &str, amount: Amount) {
        if let Some(at) = RESOURCES.iter().position(|known| *known == resource) {
            self.0[at] = self.0[at] + amount;
        }
    }

    /// These without others.
    pub fn minus(&self, less: &Amounts) -> Amounts {
        let mut left = *self;
        for (amount, less) in left.0.iter_mut().zip(less.0) {
            amount.thousandths -= less.thousandths;
        }
        left
    }

    /// Of each resource the larger amount.
    pub fn larger(&self, other: &Amounts) -> Amounts {
        let mut most = *self;
        for (amount, other) in most.0.iter_mut().zip(other.0) {
            *amount = (*amount).max(other);
        }
        most
    }

    /// Adds all of others.
    pub fn append(&mut self, other: &Amounts) {
        for (sum, more) in self.0.iter_mut().zip(other.0) {
            *sum = *sum + more;
        }
    }
}

impl std::iter::Sum for Amounts {
    fn sum<I: Iterator<Item = Amounts>>(amounts: I) -> Amounts {
        let mut sum = Amounts::default();
        amounts.for_each(|more| sum.append(&more));
        sum
    }
}

/// What some objects ask for.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Footprint {
    /// At the least replicas, jobs left out: what it costs.
    pub least: Amounts,
    /// At the most replicas, jobs left out.
    pub most: Amounts,
    /// At the most replicas, with jobs and the surge of an update: what must find room.
    pub peak: Amounts,
    /// Of jobs, times the hours of a month that they run at most: each run until its deadline.
    pub jobs: Amounts,
    /// Hours of a month that jobs run at most.
    pub job_hours: f64,
}

impl Footprint {
    /// What objects ask for; jobs without a deadline take no time, because nobody knows it.
    pub fn of<'a>(objects: impl IntoIterator<Item = View<'a>>) -> Footprint {
        let objects: Vec<View<'_>> = objects.into_iter().collect();
        let is_job = |kind: &str| matches!(kind, "Job" | "CronJob");
        let jobs = objects.iter().filter_map(|object| {
            let kind = object.object_kind();
            let title = || format!("{kind}/{}", object.object_name());
            is_job(&kind).then(|| (title(), job_hours(*object)))
        });
        let hours: BTreeMap<String, f64> = jobs.collect();
        let mut footprint = Footprint {
            job_hours: hours.values().sum(),
            ..Footprint::default()
        };
        for request in demand::of(objects.iter().copied()) {
            let add = |amounts: &mut Amounts, request: &ResourceRequest, pods: i128| {
                amounts.add(request.resource, request.times(pods));
            };
            let peak = request.most.saturating_add(request.surge);
            add(&mut footprint.peak, &request, peak);
            if request.now_and_then {
                let hours = hours.get(&request.title).copied().unwrap_or_default();
                let amount = request.times(request.most).times(hours);
                footprint.jobs.add(request.resource, amount);
            } else {
                add(&mut footprint.least, &request, request.least);
                add(&mut footprint.most, &request, request.most);
            }
        }
        footprint
    }

    /// Adds another.
    pub fn append(&mut self, other: &Footprint) {
        self.least.append(&other.least);
        self.most.append(&other.most);
        self.peak.append(&other.peak);
        self.jobs.append(&other.jobs);
        self.job_hours += other.job_hours;
    }
}

/// Hours of a month: 365.25 × 24 / 12.
pub const HOURS: f64 = 730.5;

/// The hours of a month that a job runs at most; a Job runs once.
fn job_hours(job: View<'_>) -> f64 {
    let number = |path: &[&str]| match job.at(path).map(View::shape) {
        Some(Shape::Int(seconds)) => Some(seconds),
        _ => None,
    };
    let (runs, deadline) = if job.object_kind() == "CronJob" {
        let is_suspended = matches!(
            job.at(&["spec", "suspend"]).map(View::shape),
            Some(Shape::Bool(true))
        );
        let schedule = CronSchedule::parse(&job.text_at(&["spec", "schedule"]));
        let runs = schedule.map_or(0.0, |schedule| schedule.runs_in_month());
        let deadline = number(&["spec", "jobTemplate", "spec", "activeDeadlineSeconds"]);
        (if is_suspended { 0.0 } else { runs }, deadline)
    } else {
        (1.0, number(&["spec", "activeDeadlineSeconds"]))
    };
    #[allow(clippy::cast_precision_loss, reason = "seconds of a deadline")]
    let hours = deadline.unwrap_or(0) as f64 / 3600.0 * runs;
    // One run at a time: it cannot run for longer than the month has.
    hours.clamp(0.0, HOURS)
}

/// What the objects of a unit ask for, by component, and what it may ask for.
#[derive(Clone, Debug, PartialEq)]
pub struct UnitFootprint {
    /// The unit.
    pub key: UnitKey,
    /// By component; what belongs to none has an empty name.
    pub components: Vec<(String, Footprint)>,
    /// The quota, by resource.
    pub quota: Vec<(&'static str, Amount)>,
    /// The hours of a month that the tenant's jobs may run, in all of its units together.
    pub most_job_hours: Option<f64>,
    /// The jobs of the tenant that may run at the same time, in all of its units together.
    pub most_jobs: Option<f64>,
    /// The jobs that have a schedule.
    pub scheduled: Vec<ScheduledJob>,
}

impl UnitFootprint {
    /// All of its components together.
    pub fn total(&self) -> Footprint {
        let mut total = Footprint::default();
        self.components
            .iter()
            .for_each(|(_, one)| total.append(one));
        total
    }
}

/// The quota that objects set, by resource.
pub fn quota<'a>(objects: impl IntoIterator<Item = View<'a>>) -> Vec<(&'static str, Amount)> {
    let mut quota = Vec::new();
    for object in objects {
        if object.object_kind() != "ResourceQuota" {
            continue;
        }
        for resource in RESOURCES {
            if let Some(hard) = object.at(&["spec", "hard", resource]) {
                quota.push((resource, demand::amount(hard)));
            }
        }
    }
    quota
}
