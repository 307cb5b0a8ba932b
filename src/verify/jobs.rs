//! How long the jobs of a tenant run, and how many of them at the same time, against its limits.

use std::collections::{BTreeMap, BTreeSet};

use jiff::civil::Date;

use crate::model::catalog::Document;
use crate::model::footprint::UnitFootprint;
use crate::model::kinds::{Catalog, RecoveryMode, Spot, Tenant};
use crate::model::money::money;
use crate::model::timetable::{self, ScheduledJob};
use tenantry_syntax::diagnostics::catalogue::verify as codes;
use tenantry_syntax::diagnostics::{Diagnostic, Sink, Sources};
use tenantry_syntax::yaml::NodeId;

/// Judges how long jobs of tenants may run in a month by `limits.maxMonthlyProcessingHours`.
pub fn hours(units: &[UnitFootprint], catalog: &Catalog, sources: &Sources, sink: &mut Sink) {
    for (name, units) in by_tenant(units) {
        let Some(tenant) = catalog.tenants.get(name) else {
            continue;
        };
        let limit = units
            .iter()
            .filter_map(|unit| unit.most_job_hours)
            .reduce(f64::min);
        let mut jobs: BTreeMap<&str, f64> = BTreeMap::new();
        for (component, footprint) in units.iter().flat_map(|unit| &unit.components) {
            *jobs.entry(component).or_default() += footprint.job_hours;
        }
        let hours: f64 = jobs.values().sum();
        let Some(limit) = limit.filter(|limit| hours > *limit) else {
            continue;
        };
        let mut longest: Vec<(&str, f64)> =
            jobs.into_iter().filter(|(_, hours)| *hours > 0.0).collect();
        longest.sort_by(|a, b| b.1.total_cmp(&a.1).then(a.0.cmp(b.0)));
        let list: Vec<String> = longest
            .iter()
            .take(4)
            .map(|(component, hours)| format!("{component} {}", money(*hours)))
            .collect();
        let message = format!(
            "jobs of {name} may run for {} hours a month, and its limit is {}",
            money(hours),
            money(limit)
        );
        let place = limit_of(
            tenant,
            tenant
                .fields()
                .limits()
                .max_monthly_processing_hours()
                .written(),
        );
        sink.push(
            Diagnostic::new(codes::JOB_HOURS, message)
                .at(sources.span(place), "sets the limit")
                .note(format!("the longest, until their deadlines, in all environments: {}", list.join(", ")))
                .help("run them less often, lower their `deadline`, or raise `limits.maxMonthlyProcessingHours`"),
        );
    }
}

/// Judges how many jobs of a tenant may run at the same time by `limits.maxConcurrentJobs`.
pub fn at_the_same_time(
    units: &[UnitFootprint],
    catalog: &Catalog,
    as_of: Date,
    sources: &Sources,
    sink: &mut Sink,
) {
    for (name, units) in by_tenant(units) {
        let jobs: Vec<ScheduledJob> = units
            .iter()
            .flat_map(|unit| &unit.scheduled)
            .cloned()
            .collect();
        let limit = units
            .iter()
            .filter_map(|unit| unit.most_jobs)
            .reduce(f64::min);
        let (Some(tenant), Some(limit), false) =
            (catalog.tenants.get(name), limit, jobs.is_empty())
        else {
            continue;
        };
        let runs = timetable::week(&jobs, timetable::monday(as_of));
        let (most, minute) = timetable::peak(&runs);
        if u32::try_from(most).map_or(true, |most| f64::from(most) <= limit) {
            continue;
        }
        let message = format!(
            "up to {most} jobs of {name} may run at the same time, and its limit is {}",
            money(limit)
        );
        let then = runs
            .iter()
            .filter(|run| run.from <= minute && minute < run.until);
        let mut then: Vec<String> = then
            .map(|run| {
                format!(
                    "{} in {}",
                    jobs[run.job].name, jobs[run.job].key.environment
                )
            })
            .collect();
        then.sort();
        sink.push(
            Diagnostic::new(codes::JOBS_AT_ONCE, message)
                .at(sources.span(limit_of(tenant, tenant.fields().limits().max_concurrent_jobs().written())), "sets the limit")
                .note(format!(
                    "at {} UTC, if each takes its time until its deadline: {}",
                    timetable::readable(minute),
                    shortened(&then)
                ))
                .help("start them at other times, lower their `deadline`, or raise `limits.maxConcurrentJobs`; `tenantry report schedule` shows the week"),
        );
    }
}

/// Judges whether jobs of a tenant run where it lives and in the standby that waits for it.
pub fn in_both_places(
    units: &[UnitFootprint],
    catalog: &Catalog,
    sources: &Sources,
    sink: &mut Sink,
) {
    for plan in &catalog.recovery_plans {
        let spec = &plan.spec;
        if spec.mode != RecoveryMode::ActivePassive {
            continue;
        }
        let at = |spot: &Spot| {
            let here = units.iter().filter(|unit| {
                unit.key.environment == spot.environment.0 && unit.key.cluster == spot.cluster.0
            });
            let covered = here.filter(|unit| {
                spec.tenants.is_empty()
                    || spec
                        .tenants
                        .iter()
                        .any(|name| name.0 == unit.key.tenant_name())
            });
            let jobs = covered
                .flat_map(|unit| &unit.scheduled)
                .filter(|job| !job.is_suspended);
            let names: BTreeSet<(&str, &str)> = jobs
                .map(|job| (job.key.tenant_name(), job.component.as_str()))
                .collect();
            names
        };
        let (primary, standby) = (at(&spec.primary), at(&spec.standby));
        let twice: Vec<String> = primary
            .intersection(&standby)
            .map(|(tenant, component)| format!("{component} of {tenant}"))
            .collect();
        if twice.is_empty() {
            continue;
        }
        let message = format!(
            "the standby of `{}` waits, and jobs run there nevertheless: {}",
            plan.name,
            shortened(&twice)
        );
        let environment = catalog.environments.get(&spec.standby.environment.0);
        let place = environment.map_or(NodeId::NONE, Document::name_id);
        sink.push(
            Diagnostic::new(codes::RUNS_TWICE, message)
                .at(sources.span(plan.fields().mode().place()), "it waits")
                .and(sources.span(place), "where they run")
                .help(format!(
                    "write `values: {{schedule: {{suspend: true}}}}` into the environment {}, or `mode: active-active`",
                    spec.standby.environment
                )),
        );
    }
}

/// The first few of many names.
fn shortened(names: &[String]) -> String {
    let (shown, more) = names.split_at(names.len().min(8));
    let more = match more.len() {
        0 => String::new(),
        count => format!(" and {count} more"),
    };
    format!("{}{more}", shown.join(", "))
}

fn by_tenant(units: &[UnitFootprint]) -> BTreeMap<&str, Vec<&UnitFootprint>> {
    let mut tenants: BTreeMap<&str, Vec<&UnitFootprint>> = BTreeMap::new();
    for unit in units {
        tenants
            .entry(unit.key.tenant_name())
            .or_default()
            .push(unit);
    }
    tenants
}

/// Where a limit is written: on the tenant, or by its tier.
fn limit_of(tenant: &Document<Tenant>, written: Option<NodeId>) -> NodeId {
    written.unwrap_or_else(|| tenant.fields().tier().place())
}
