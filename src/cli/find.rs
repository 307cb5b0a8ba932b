//! `tenantry find`: discovery.

use std::collections::BTreeMap;

use anyhow::{Result, bail};
use serde_json::{Value, json};

use super::DONE;
use super::arguments::{Arguments, ClearanceArgument, FindCommand, FindWhat, ReadOptions};
use super::present;
use crate::diagnostics::suggest;
use crate::model::catalog::Document;
use crate::model::kinds::{Access, Component, Spot, Tenant};
use crate::model::scalars::Name;
use crate::read;
use crate::report::table::Table;
use crate::yaml::Node;

/// The order of classes, the most open first.
const CLASSES: [&str; 4] = ["public", "internal", "confidential", "restricted"];

/// A row of the result: cells under the headings.
type Row = Vec<String>;

/// Runs the command.
pub fn run(command: &FindCommand, arguments: &Arguments) -> Result<u8> {
    let compilation = read(&present::options(
        arguments,
        None,
        &ReadOptions::NONE,
        None,
    )?)?;
    let catalog = &compilation.catalog;
    if let Some(name) = &command.tenant
        && catalog.tenants.get(name).is_none()
    {
        bail!(
            "there is no tenant `{name}`; {}",
            suggest(name, catalog.tenants.names()).unwrap_or_default()
        );
    }
    let tenant = command
        .tenant
        .as_deref()
        .and_then(|name| catalog.tenants.get(name));
    let mut rows: Vec<Row> = Vec::new();
    let headings: &[&str] = match command.what {
        FindWhat::Components => {
            let fits = |component: &&Document<Component>| {
                let spec = &component.spec;
                common(command, component)
                    && command
                        .capability
                        .iter()
                        .all(|wanted| spec.capabilities.contains(wanted))
                    && (command.format.is_empty()
                        || command.format.iter().any(|wanted| {
                            spec.data_formats
                                .iter()
                                .any(|format| format.eq_ignore_ascii_case(wanted))
                        }))
                    && tenant.is_none_or(|tenant| may_use(tenant, component))
            };
            for component in catalog.components.iter().filter(fits) {
                let spec = &component.spec;
                rows.push(vec![
                    component.name.clone(),
                    spec.version.to_string(),
                    text(component, "status"),
                    text(component, "clearance"),
                    spec.capabilities.join(", "),
                    spec.data_formats.join(", "),
                    spec.owner.clone(),
                ]);
            }
            &[
                "NAME",
                "VERSION",
                "STATUS",
                "CLEARANCE",
                "CAPABILITIES",
                "FORMATS",
                "OWNER",
            ]
        }
        FindWhat::Tenants => {
            for found in catalog
                .tenants
                .iter()
                .filter(|found| common(command, found))
                .filter(|found| tenant.is_none_or(|tenant| tenant.name == found.name))
            {
                rows.push(vec![
                    found.name.clone(),
                    text(found, "tier"),
                    text(found, "status"),
                    text(found, "isolation"),
                    text(found, "clearance"),
                    names(found.spec.environments.keys()),
                    found.spec.components.len().to_string(),
                    found.spec.owner.clone(),
                ]);
            }
            &[
                "NAME",
                "TIER",
                "STATUS",
                "ISOLATION",
                "CLEARANCE",
                "ENVIRONMENTS",
                "COMPONENTS",
                "OWNER",
            ]
        }
        FindWhat::Environments => {
            for found in catalog
                .environments
                .iter()
                .filter(|found| common(command, found))
            {
                rows.push(vec![
                    found.name.clone(),
                    text(found, "stage"),
                    names(&found.spec.clusters),
                    text(found, "promotesFrom"),
                ]);
            }
            &["NAME", "STAGE", "CLUSTERS", "PROMOTES FROM"]
        }
        FindWhat::Clusters => {
            for found in catalog
                .clusters
                .iter()
                .filter(|found| common(command, found))
            {
                rows.push(vec![
                    found.name.clone(),
                    text(found, "region"),
                    text(found, "residency"),
                    found.spec.kubernetes_version.clone(),
                    text(found, "dedicatedTo"),
                ]);
            }
            &["NAME", "REGION", "RESIDENCY", "KUBERNETES", "DEDICATED TO"]
        }
        FindWhat::Contexts => {
            for found in catalog
                .contexts
                .iter()
                .filter(|found| common(command, found))
            {
                let level = found
                    .effective
                    .at(&["scope", "level"])
                    .and_then(Node::as_str)
                    .unwrap_or_default()
                    .to_owned();
                rows.push(vec![
                    found.name.clone(),
                    level,
                    found.spec.scope_name().to_owned(),
                    found.spec.priority().to_string(),
                    text(found, "expiresAt"),
                ]);
            }
            &["NAME", "LEVEL", "OF", "PRIORITY", "EXPIRES"]
        }
        FindWhat::Tiers => {
            for found in catalog.tiers.iter().filter(|found| common(command, found)) {
                rows.push(vec![found.name.clone(), found.metadata.description.clone()]);
            }
            &["NAME", "DESCRIPTION"]
        }
        FindWhat::Datasets => {
            for found in catalog.datasets.iter().filter(|found| {
                common(command, found)
                    && (command.format.is_empty()
                        || command
                            .format
                            .iter()
                            .any(|wanted| found.spec.format.eq_ignore_ascii_case(wanted)))
                    && tenant.is_none_or(|tenant| {
                        open_to(found.spec.access.as_ref(), tenant)
                            && tenant.spec.clearance >= found.spec.classification
                    })
            }) {
                rows.push(vec![
                    found.name.clone(),
                    text(found, "domain"),
                    text(found, "classification"),
                    if found.spec.personal_data.is_some() {
                        "yes"
                    } else {
                        ""
                    }
                    .to_owned(),
                    text(found, "format"),
                    names(&found.spec.residency),
                    found.spec.owner.clone(),
                ]);
            }
            &[
                "NAME",
                "DOMAIN",
                "CLASS",
                "PERSONAL",
                "FORMAT",
                "RESIDENCY",
                "OWNER",
            ]
        }
        FindWhat::Roles => {
            for found in catalog.roles.iter().filter(|found| common(command, found)) {
                let of_tenants = catalog
                    .tenants
                    .iter()
                    .flat_map(|tenant| &tenant.spec.grants);
                let roles = of_tenants
                    .map(|grant| &grant.role)
                    .chain(catalog.grants.iter().map(|grant| &grant.spec.role));
                let granted = roles.filter(|role| role.0 == found.name);
                rows.push(vec![
                    found.name.clone(),
                    names(&found.spec.inherits),
                    granted.count().to_string(),
                    found.metadata.description.clone(),
                ]);
            }
            &["NAME", "INHERITS", "GRANTS", "DESCRIPTION"]
        }
        FindWhat::Grants => {
            for found in catalog.grants.iter().filter(|found| {
                common(command, found)
                    && tenant.is_none_or(|tenant| {
                        found.spec.tenants.iter().any(|name| name.0 == tenant.name)
                            || has_labels(tenant, &found.spec.match_labels)
                    })
            }) {
                let spec = &found.spec;
                let mut tenants: Vec<String> =
                    spec.tenants.iter().map(|name| name.0.clone()).collect();
                tenants.extend(
                    spec.match_labels
                        .iter()
                        .map(|(key, value)| format!("{key}={value}")),
                );
                let subjects: Vec<&str> = spec
                    .subjects
                    .iter()
                    .map(|subject| subject.name.as_str())
                    .collect();
                rows.push(vec![
                    found.name.clone(),
                    spec.role.0.clone(),
                    subjects.join(", "),
                    tenants.join(", "),
                    if spec.environments.is_empty() {
                        "all".to_owned()
                    } else {
                        names(&spec.environments)
                    },
                    text(found, "expiresAt"),
                ]);
            }
            &["NAME", "ROLE", "TO", "TENANTS", "ENVIRONMENTS", "EXPIRES"]
        }
        FindWhat::Connections => {
            for found in catalog.connections.iter().filter(|found| {
                common(command, found)
                    && tenant.is_none_or(|tenant| open_to(found.spec.access.as_ref(), tenant))
            }) {
                rows.push(vec![
                    found.name.clone(),
                    found.spec.system.clone(),
                    text(found, "pattern"),
                    text(found, "endpoint"),
                    text(found, "classification"),
                    found.spec.owner.clone(),
                ]);
            }
            &["NAME", "SYSTEM", "PATTERN", "ENDPOINT", "CLASS", "OWNER"]
        }
        FindWhat::Pipelines => {
            for found in catalog.pipelines.iter().filter(|found| {
                let is_run = |tenant: &Document<Tenant>| {
                    tenant
                        .spec
                        .pipelines
                        .iter()
                        .any(|one| one.pipeline.0 == found.name)
                };
                common(command, found) && tenant.is_none_or(is_run)
            }) {
                let tenants = catalog.tenants.iter().filter(|tenant| {
                    tenant
                        .spec
                        .pipelines
                        .iter()
                        .any(|one| one.pipeline.0 == found.name)
                });
                let tenants: Vec<&str> = tenants.map(|tenant| tenant.name.as_str()).collect();
                rows.push(vec![
                    found.name.clone(),
                    text(found, "schedule"),
                    text(found, "timezone"),
                    found.spec.jobs.len().to_string(),
                    text(found, "sla"),
                    tenants.join(", "),
                    found.spec.owner.clone(),
                ]);
            }
            &[
                "NAME", "SCHEDULE", "ZONE", "JOBS", "SLA", "TENANTS", "OWNER",
            ]
        }
        FindWhat::AlertRoutes => {
            for found in catalog.alert_routes.iter().filter(|found| {
                let listed = &found.spec.tenants;
                common(command, found)
                    && tenant.is_none_or(|tenant| {
                        listed.is_empty() || listed.iter().any(|name| name.0 == tenant.name)
                    })
            }) {
                let severities = found.effective.get("severities").map(Node::entries);
                let severities = severities.unwrap_or_default().iter();
                rows.push(vec![
                    found.name.clone(),
                    all_or(&found.spec.tenants),
                    all_or(&found.spec.environments),
                    severities
                        .map(|one| one.key.to_string())
                        .collect::<Vec<_>>()
                        .join(", "),
                ]);
            }
            &["NAME", "TENANTS", "ENVIRONMENTS", "SEVERITIES"]
        }
        FindWhat::RecoveryPlans => {
            for found in catalog.recovery_plans.iter().filter(|found| {
                let listed = &found.spec.tenants;
                common(command, found)
                    && tenant.is_none_or(|tenant| {
                        listed.is_empty() || listed.iter().any(|name| name.0 == tenant.name)
                    })
            }) {
                let spec = &found.spec;
                let place = |spot: &Spot| format!("{} on {}", spot.environment, spot.cluster);
                rows.push(vec![
                    found.name.clone(),
                    place(&spec.primary),
                    place(&spec.standby),
                    all_or(&spec.tenants),
                    text(found, "rpo"),
                    text(found, "rto"),
                    spec.owner.clone(),
                ]);
            }
            &[
                "NAME", "PRIMARY", "STANDBY", "TENANTS", "RPO", "RTO", "OWNER",
            ]
        }
    };
    if command.json {
        let items: Vec<Value> = rows
            .iter()
            .map(|row| {
                Value::Object(
                    headings
                        .iter()
                        .zip(row)
                        .map(|(heading, cell)| (camel(heading), json!(cell)))
                        .collect(),
                )
            })
            .collect();
        present::print(
            &(serde_json::to_string_pretty(&json!({"formatVersion": 1, "items": items}))? + "\n"),
        )?;
    } else {
        let mut table = Table::of_text(headings);
        for row in &rows {
            table.row(row.iter().map(String::as_str));
        }
        present::print(&table.text("", present::use_color(arguments.color)))?;
        eprintln!("{} found.", rows.len());
    }
    Ok(DONE)
}

/// Names, or that all are meant.
fn all_or(listed: &[Name]) -> String {
    if listed.is_empty() {
        "all".to_owned()
    } else {
        names(listed)
    }
}

/// Filters that all kinds share.
fn common<K>(command: &FindCommand, document: &Document<K>) -> bool {
    let labels = command
        .labels
        .iter()
        .map(|label| present::parse_label(label));
    let clearance = || {
        CLASSES.iter().position(|class| {
            *class == text(document, "clearance") || *class == text(document, "classification")
        })
    };
    let wanted = command.min_clearance.map(|class| match class {
        ClearanceArgument::Public => 0,
        ClearanceArgument::Internal => 1,
        ClearanceArgument::Confidential => 2,
        ClearanceArgument::Restricted => 3,
    });
    labels.into_iter().all(|(key, value)| {
        document
            .metadata
            .labels
            .get(&key)
            .is_some_and(|found| value.is_none_or(|value| *found == value))
    }) && command
        .status
        .as_deref()
        .is_none_or(|status| text(document, "status") == status)
        && wanted.is_none_or(|wanted| clearance().is_some_and(|class| class >= wanted))
}

/// Whether a tenant has all of these labels; none name nobody.
fn has_labels(tenant: &Document<Tenant>, labels: &BTreeMap<String, String>) -> bool {
    let mut pairs = labels.iter();
    !labels.is_empty() && pairs.all(|(key, value)| tenant.metadata.labels.get(key) == Some(value))
}

/// Whether something is open to a tenant: to all, unless it says to whom.
fn open_to(access: Option<&Access>, tenant: &Document<Tenant>) -> bool {
    access.is_none_or(|access| {
        access.tenants.iter().any(|name| name.0 == tenant.name)
            || has_labels(tenant, &access.match_labels)
    })
}

/// Whether a tenant is authorised and cleared for a component.
fn may_use(tenant: &Document<Tenant>, component: &Document<Component>) -> bool {
    open_to(component.spec.access.as_ref(), tenant)
        && tenant.spec.clearance >= component.spec.clearance
}

/// `a, b`.
fn names<'a>(names: impl IntoIterator<Item = &'a Name>) -> String {
    let names: Vec<&str> = names.into_iter().map(|name| name.0.as_str()).collect();
    names.join(", ")
}

/// A field of the spec, as text.
fn text<K>(document: &Document<K>, field: &str) -> String {
    document
        .effective
        .get(field)
        .and_then(Node::as_str)
        .unwrap_or_default()
        .to_owned()
}

fn camel(heading: &str) -> String {
    let lower = heading.to_lowercase();
    let mut words = lower.split(' ');
    let first = words.next().unwrap_or_default().to_owned();
    words.fold(first, |name, word| {
        name + &word[..1].to_uppercase() + &word[1..]
    })
}
