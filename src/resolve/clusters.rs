//! What templates of a cluster in an environment see.

use std::sync::Arc;

use super::build::ValueBuilder;
use super::{Plan, PlannedCluster, layers, monitoring, recovery};
use crate::model::instance::{Owner, Unit, UnitKey};
use crate::model::kinds::Isolation;
use tenantry_engine::derivations::Derivations;
use tenantry_syntax::yaml::{Node, NodeId, Value, entry};

/// Builds what the templates of a cluster in an environment see.
pub fn build(plan: &Plan<'_>, planned: &PlannedCluster<'_>) -> Unit {
    let derivations = Arc::new(Derivations::default());
    let builder = ValueBuilder::new(plan, planned.environment, planned.cluster, &derivations);

    let shared = planned
        .tenants
        .iter()
        .find(|tenant| tenant.spec.isolation == Some(Isolation::Shared));
    let mut entries = vec![entry(
        "tenants",
        builder.derived(
            Value::Int(i64::try_from(planned.tenants.len()).unwrap_or(0)),
            &[],
        ),
    )];
    let shared_namespace = shared.map(|tenant| builder.namespace(tenant));
    let facts = builder.facts(None, planned.cluster.name_id(), shared_namespace);
    let mut variables = builder.variables(&facts);
    let shared_namespace = facts.shared_namespace.clone();
    entries.extend(shared_namespace.map(|name| entry("sharedNamespace", name)));
    entries.push(entry("auditDays", audit_days(&builder, planned)));
    let first = plan.is_first_environment(planned);
    entries.push(entry(
        "isFirstEnvironment",
        builder.derived(Value::Bool(first), &[]),
    ));
    variables.push(("here", Node::map(NodeId::NONE, entries)));
    variables.push((
        "monitoring",
        monitoring::of(plan, None, &planned.environment.name, None),
    ));
    variables.push(("recoveryPlans", recovery::of_cluster(&builder)));
    let key = UnitKey {
        environment: planned.environment.name.clone(),
        cluster: planned.cluster.name.clone(),
        owner: Owner::Cluster,
    };
    Unit {
        key,
        namespace: String::new(),
        facts,
        variables,
        patches: layers::patches(plan, None, None, planned.cluster, planned.environment),
        instances: Vec::new(),
        pipelines: Vec::new(),
        derivations,
        deciders: Arc::default(),
    }
}

/// Days in a month, and a little more: no log is gone a day too early.
const MONTH: i64 = 31;
/// What is kept where no framework says more: the 90 days of the source documents.
const AUDIT_DAYS: i64 = 90;

/// How many days the audit log of a cluster is kept: the longest that a framework of one of its tenants, or of the
/// platform, asks for in `auditRetentionMonths`, by all environments that use the cluster.
fn audit_days(builder: &ValueBuilder<'_, '_>, planned: &PlannedCluster<'_>) -> Node {
    let catalog = builder.plan.input.catalog;
    let of = |name: &str, given: &Node, asked: NodeId| -> Option<(i64, NodeId)> {
        let framework = catalog.frameworks.get(name)?;
        // Some write it in months.
        let found = [("auditRetentionDays", 1), ("auditRetentionMonths", MONTH)].into_iter();
        let mut found = found.filter_map(|(parameter, days)| {
            let own = given.get(parameter);
            let default = framework
                .effective_fields()
                .parameters()
                .value(parameter)
                .default()
                .node();
            let Value::Int(number) = own.or(default)?.value else {
                return None;
            };
            Some((number.saturating_mul(days), own.map_or(asked, |own| own.id)))
        });
        found.next()
    };
    let mut asked: Vec<(i64, NodeId)> = Vec::new();
    let mut take = |frameworks: Option<&Node>| {
        for framework in frameworks.map(Node::entries).unwrap_or_default() {
            asked.extend(of(&framework.key, &framework.value, framework.key_id));
        }
    };
    take(builder.plan.platform.effective_fields().frameworks().node());
    let here = builder.plan.placements.iter();
    for one in here.filter(|one| one.cluster.name == planned.cluster.name) {
        take(one.tenant.effective_fields().compliance().node());
    }
    // Of two that ask for the same, the first.
    let most = asked.into_iter().rev().max_by_key(|(days, _)| *days);
    match most.filter(|(days, _)| *days > AUDIT_DAYS) {
        Some((days, from)) => builder.derived(Value::Int(days), &[from]),
        None => builder.derived(Value::Int(AUDIT_DAYS), &[]),
    }
}
