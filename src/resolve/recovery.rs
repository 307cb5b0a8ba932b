//! Recovery plans: whether they can hold what they promise, and for whom.

use super::build::{NamingPattern, ValueBuilder, extended, name_node, with_name};
use super::{PlanInput, PlannedUnit, TenantPlacement};
use crate::model::catalog::Document;
use crate::model::field::Field;
use crate::model::kinds::{Isolation, RecoveryPlan, Spot, Tenant, TenantStatus};
use crate::model::recovery::{self, readable};
use tenantry_engine::schedule::CronSchedule;
use tenantry_syntax::diagnostics::catalogue::resolve as codes;
use tenantry_syntax::diagnostics::{Diagnostic, Sink, list_names};
use tenantry_syntax::yaml::{Node, NodeId, Value, entry};

/// Checks the plans by themselves, and by the tenants that run where they say.
pub fn check(input: &PlanInput<'_>, units: &[TenantPlacement<'_>], sink: &mut Sink) {
    for plan in &input.catalog.recovery_plans {
        let spec = &plan.spec;

        let fields = plan.fields();
        let spots = [
            (fields.primary(), &spec.primary),
            (fields.standby(), &spec.standby),
        ];
        let usable = spots.map(|(written, spot)| usable(input, written, spot, sink));
        if spec.primary == spec.standby {
            sink.push(
                Diagnostic::new(codes::NO_STANDBY, "the standby is where the tenants run already")
                    .at(input.span(plan.fields().standby().place()), "the same as `primary`")
                    .help("name an environment of stage disaster-recovery and a cluster in another region"),
            );
        } else if usable == [true, true] {
            tenants(input, plan, units, sink);
        }
        objectives(input, plan, sink);
        drills(input, plan, sink);
    }
    twice(input, units, sink);
}

/// Whether a spot names a cluster of its environment.
fn usable(input: &PlanInput<'_>, written: Field<'_, Spot>, spot: &Spot, sink: &mut Sink) -> bool {
    let catalog = input.catalog;
    let environment = catalog.environments.get(&spot.environment.0);
    let cluster = catalog.clusters.get(&spot.cluster.0);
    let (Some(environment), Some(cluster)) = (environment, cluster) else {
        return false;
    };
    let is_there = environment.spec.clusters.contains(&spot.cluster);
    if !is_there {
        let message = format!(
            "{} does not run on cluster `{}`",
            environment.name, cluster.name
        );
        let known = environment.spec.clusters.iter().map(|name| name.0.as_str());
        sink.push(
            Diagnostic::new(codes::UNKNOWN_REFERENCE, message)
                .at(input.span(written.cluster().place()), "named here")
                .and(
                    input.span(environment.fields().clusters().place()),
                    "the environment's clusters",
                )
                .help(format!("write {}", list_names(known))),
        );
    }
    is_there
}

/// Whether a unit is at a spot.
fn is_at(unit: &TenantPlacement<'_>, spot: &Spot) -> bool {
    unit.environment.name == spot.environment.0 && unit.cluster.name == spot.cluster.0
}

fn covers(plan: &Document<RecoveryPlan>, tenant: &str) -> bool {
    let named = &plan.spec.tenants;
    named.is_empty() || named.iter().any(|name| name.0 == tenant)
}

/// Each tenant of a plan can run at the standby, and its copies are where its data may be.
fn tenants(
    input: &PlanInput<'_>,
    plan: &Document<RecoveryPlan>,
    units: &[TenantPlacement<'_>],
    sink: &mut Sink,
) {
    let spec = &plan.spec;
    let at = |spot: &Spot, name: &str| {
        let mut here = units.iter().filter(|unit| is_at(unit, spot));
        here.any(|unit| unit.tenant.name == name)
    };
    for (position, name) in spec.tenants.iter().enumerate() {
        if input.catalog.tenants.get(&name.0).is_some() && !at(&spec.primary, &name.0) {
            let place = plan.fields().tenants().item(position).place();
            let primary = &spec.primary;
            let message = format!(
                "{name} does not run in {} on {}, so there is nothing to recover",
                primary.environment, primary.cluster
            );
            sink.push(
                Diagnostic::new(codes::NO_STANDBY, message)
                    .at(input.span(place), "named here")
                    .and(
                        input.span(plan.fields().primary().place()),
                        "where the plan's tenants run",
                    )
                    .help("remove it from `tenants`, or write a plan for where it runs"),
            );
        }
    }
    let zone = input.catalog.clusters.get(&spec.standby.cluster.0);
    for unit in units.iter().filter(|unit| is_at(unit, &spec.primary)) {
        let tenant = unit.tenant;
        let is_served = matches!(
            tenant.spec.status,
            None | Some(TenantStatus::Active | TenantStatus::Suspended)
        );
        if !covers(plan, &tenant.name) || !is_served {
            continue;
        }
        let standby = plan.fields().standby().place();
        let zone = zone.map(|cluster| (cluster.spec.residency.0.as_str(), "the standby is"));
        let mut breaks =
            zone.is_some_and(|(zone, what)| outside(input, tenant, zone, what, standby, sink));
        let locations = spec.backups.iter().flat_map(|backups| &backups.locations);
        for (position, location) in locations.enumerate() {
            let what = format!("the copies in `{}` are", location.name);
            let place = plan
                .fields()
                .backups()
                .locations()
                .item(position)
                .residency()
                .place();
            breaks |= outside(input, tenant, &location.residency.0, &what, place, sink);
        }
        if !breaks && !at(&spec.standby, &tenant.name) {
            let message = format!(
                "{} runs in {} on {}, and not where it would be recovered: in {} on {}",
                tenant.name,
                spec.primary.environment,
                spec.primary.cluster,
                spec.standby.environment,
                spec.standby.cluster
            );
            sink.push(
                Diagnostic::new(codes::NO_STANDBY, message)
                    .at(input.span(standby), "the standby")
                    .and(input.span(tenant.fields().environments().place()), "where the tenant runs")
                    .help("add the environment to the tenant, or list the plan's `tenants` without it"),
            );
        }
    }
}

/// Whether a zone is one that the tenant's data may not be in.
fn outside(
    input: &PlanInput<'_>,
    tenant: &Document<Tenant>,
    zone: &str,
    what: &str,
    place: NodeId,
    sink: &mut Sink,
) -> bool {
    let allowed = &tenant.spec.residency;
    if allowed.is_empty() || allowed.iter().any(|name| name.0 == zone) {
        return false;
    }
    let message = format!(
        "{what} in zone `{zone}`, where {}'s data may not be",
        tenant.name
    );
    sink.push(
        Diagnostic::new(codes::RESIDENCY, message)
            .at(input.span(place), format!("zone `{zone}`"))
            .and(
                input.span(tenant.fields().residency().place()),
                "where its data may be",
            )
            .help(
                "keep it in one of the tenant's zones, or write a plan of its own for the tenant",
            ),
    );
    true
}

/// Copies are made often enough, and the steps are quick enough.
fn objectives(input: &PlanInput<'_>, plan: &Document<RecoveryPlan>, sink: &mut Sink) {
    let measured = recovery::measure(&plan.spec);
    let (rpo, rto) = (measured.rpo, measured.rto);
    let fields = plan.fields();
    let (may_be_lost, may_pass) = (
        input.span(fields.rpo().place()),
        input.span(fields.rto().place()),
    );
    match measured.at_risk {
        None => sink.push(
            Diagnostic::new(codes::RPO, "nothing is copied, so everything may be lost")
                .at(may_be_lost, "what may be lost")
                .help("add `backups` or `replication`"),
        ),
        Some(at_risk) if at_risk > rpo => {
            let schedule = if measured.by_replication {
                fields.replication().schedule().place()
            } else {
                fields.backups().schedule().place()
            };
            let message = format!(
                "up to {} may lie between two copies, and no more than {} may be lost",
                readable(at_risk),
                readable(rpo)
            );
            sink.push(
                Diagnostic::new(codes::RPO, message)
                    .at(input.span(schedule), "how often copies are made")
                    .and(may_be_lost, "what may be lost")
                    .help("copy more often, add `replication`, or promise less"),
            );
        }
        Some(_) => {}
    }
    if measured.steps > rto {
        let longest = plan
            .spec
            .steps
            .iter()
            .max_by(|a, b| recovery::seconds(&a.takes).total_cmp(&recovery::seconds(&b.takes)));
        let message = format!(
            "the steps take {}, and no more than {} may pass",
            readable(measured.steps),
            readable(rto)
        );
        let longest = longest.map_or_else(String::new, |step| {
            format!("the longest: {}, {}", step.name, step.takes)
        });
        sink.push(
            Diagnostic::new(codes::RTO, message)
                .at(
                    input
                        .span(plan.fields().steps().place())
                        .map(|span| input.sources.first_line(span)),
                    "the steps",
                )
                .and(may_pass, "what may pass")
                .note(longest)
                .help("prepare more beforehand, shorten the steps, or promise less"),
        );
    }
}

/// Drills were held when they were due, and held what is promised.
fn drills(input: &PlanInput<'_>, plan: &Document<RecoveryPlan>, sink: &mut Sink) {
    let Some(drills) = &plan.spec.drills else {
        return;
    };
    let (fields, held) = (plan.fields(), |at: usize| {
        plan.fields().drills().held().item(at)
    });
    let measured = recovery::measure(&plan.spec);
    if let Some((at, drill)) = drills.held.iter().enumerate().next_back() {
        let lost = drill.lost.as_ref().map(recovery::seconds);
        let took = Some(recovery::seconds(&drill.took));
        let checks = [
            (
                "took",
                took,
                measured.rto,
                held(at).took().place(),
                fields.rto().place(),
            ),
            (
                "lost",
                lost,
                measured.rpo,
                held(at).lost().place(),
                fields.rpo().place(),
            ),
        ];
        for (word, found, most, place, objective) in checks {
            let Some(found) = found.filter(|found| *found > most) else {
                continue;
            };
            let message = format!(
                "the drill of {} {word} {}, and {} is promised",
                drill.on,
                readable(found),
                readable(most)
            );
            sink.push(
                Diagnostic::new(codes::DRILL, message)
                    .at(input.span(place), "what the drill showed")
                    .and(input.span(objective), "what is promised")
                    .help("correct the plan and hold another drill, or promise less"),
            );
        }
    }
    if let Some(due) = recovery::drill_due(drills, input.as_of) {
        let (span, message) = match drills.held.len() {
            0 => (
                input.span(plan.fields().drills().schedule().place()),
                format!("a drill was due on {due}, and none was held"),
            ),
            count => (
                input.span(held(count - 1).on().place()),
                format!(
                    "a drill was due on {due}, and the last one was held on {}",
                    drills.held[count - 1].on
                ),
            ),
        };
        sink.push(
            Diagnostic::new(codes::DRILL, message)
                .at(span, "")
                .help("hold it, and write what came of it into `drills.held`"),
        );
    }
}

/// No tenant is in two plans for where it runs: nobody would know which to follow.
fn twice(input: &PlanInput<'_>, units: &[TenantPlacement<'_>], sink: &mut Sink) {
    for unit in units {
        let mut plans = input.catalog.recovery_plans.iter().filter(|plan| {
            let is_there = is_at(unit, &plan.spec.primary) || is_at(unit, &plan.spec.standby);
            is_there && covers(plan, &unit.tenant.name)
        });
        if let (Some(first), Some(second)) = (plans.next(), plans.next()) {
            let message = format!(
                "{} is in two recovery plans for {} on {}",
                unit.tenant.name, unit.environment.name, unit.cluster.name
            );
            sink.push(
                Diagnostic::new(codes::NO_STANDBY, message)
                    .at(input.span(second.name_id()), "one plan")
                    .and(input.span(first.name_id()), "the other plan")
                    .help("list `tenants` in both, each tenant in one of them"),
            );
        }
    }
}

/// The plan for a unit as templates see it, with `role` primary or standby; nothing if there is none.
pub fn of_unit(builder: &ValueBuilder<'_, '_>, planned: &PlannedUnit<'_>) -> Node {
    let plans = builder.plan.input.catalog.recovery_plans.iter();
    let mut plans = plans.filter(|plan| covers(plan, &planned.tenant.name));
    let place = planned.placement();
    let found = plans.find_map(|plan| Some((plan, role(plan, |spot| is_at(&place, spot))?)));
    found.map_or(Node::new(NodeId::NONE, Value::Null), |(plan, role)| {
        seen(builder, plan, role)
    })
}

/// The plans of a cluster in an environment, as templates see them.
pub fn of_cluster(builder: &ValueBuilder<'_, '_>) -> Node {
    let here = |spot: &Spot| {
        spot.environment.0 == builder.environment.name && spot.cluster.0 == builder.cluster.name
    };
    let plans = builder.plan.input.catalog.recovery_plans.iter();
    let plans = plans.filter_map(|plan| {
        let seen = seen(builder, plan, role(plan, here)?);
        Some(extended(
            &seen,
            vec![entry("covered", covered(builder, plan))],
        ))
    });
    Node::new(NodeId::NONE, Value::List(plans.collect()))
}

/// The tenants of a plan, with their namespaces and the name of what belongs to them there.
fn covered(builder: &ValueBuilder<'_, '_>, plan: &Document<RecoveryPlan>) -> Node {
    let units = builder.plan.placements.iter();
    let units =
        units.filter(|unit| is_at(unit, &plan.spec.primary) && covers(plan, &unit.tenant.name));
    let served = units.filter(|unit| {
        matches!(
            unit.tenant.spec.status,
            None | Some(TenantStatus::Active | TenantStatus::Suspended)
        )
    });
    let items = served.map(|unit| {
        let there = builder.at(unit.environment, unit.cluster);
        let name = there.named(NamingPattern::Tenant, Some(unit.tenant), None);
        let whole = format!(
            "{}-{}",
            name.as_str().unwrap_or_default(),
            unit.environment.name
        );
        let from = [unit.tenant.name_id(), unit.environment.name_id()];
        let is_shared = unit.tenant.spec.isolation == Some(Isolation::Shared);
        let isolation = [unit.tenant.fields().isolation().place()];
        Node::map(
            NodeId::NONE,
            vec![
                entry("tenant", name_node(unit.tenant)),
                entry("namespace", there.namespace(unit.tenant)),
                entry("name", builder.derived(Value::String(whole.into()), &from)),
                entry(
                    "isShared",
                    builder.derived(Value::Bool(is_shared), &isolation),
                ),
            ],
        )
    });
    Node::new(NodeId::NONE, Value::List(items.collect()))
}

/// What a place is in a plan.
fn role(plan: &Document<RecoveryPlan>, is_here: impl Fn(&Spot) -> bool) -> Option<&'static str> {
    match () {
        () if is_here(&plan.spec.primary) => Some("primary"),
        () if is_here(&plan.spec.standby) => Some("standby"),
        () => None,
    }
}

fn seen(builder: &ValueBuilder<'_, '_>, plan: &Document<RecoveryPlan>, role: &str) -> Node {
    let spots = [
        plan.fields().primary().place(),
        plan.fields().standby().place(),
    ];
    let role = builder.derived(Value::String(role.into()), &spots);
    let mut more = vec![entry("role", role)];
    let schedule = plan
        .spec
        .backups
        .as_ref()
        .map(|backups| &backups.schedule.0);
    let gap = schedule.and_then(|text| CronSchedule::parse(text)?.longest_gap());
    #[allow(
        clippy::cast_possible_truncation,
        reason = "seconds of two years at most"
    )]
    let gap = gap.map(|gap| Value::Int(gap as i64));
    let from = [plan.fields().backups().schedule().place()];
    more.extend(gap.map(|gap| entry("backupGap", builder.derived(gap, &from))));
    extended(&with_name(plan), more)
}
