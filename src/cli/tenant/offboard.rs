//! `tenantry tenant offboard`: what goes when a tenant leaves.

use super::super::DONE;
use super::super::arguments::Arguments;
use super::super::arguments::TenantOffboardCommand;
use super::super::present;
use super::super::present::Progress;
use super::super::present::plural;
use super::{RETENTION, options, report, write_in};
use anyhow::Result;
use anyhow::anyhow;
use anyhow::bail;
use jiff::civil::Date;
use std::collections::BTreeSet;
use tenantry::Compilation;
use tenantry::compile;
use tenantry::model::catalog::Document;
use tenantry::model::data;
use tenantry::model::data::DataFlow;
use tenantry::model::field::Field;
use tenantry::model::kinds::Catalog;
use tenantry::model::kinds::Header;
use tenantry::model::kinds::Tenant;
use tenantry::model::kinds::TenantStatus;
use tenantry_syntax::diagnostics::Sources;
use tenantry_syntax::diagnostics::list_names;
use tenantry_syntax::diagnostics::suggest;
use tenantry_syntax::yaml::Node;

pub(super) fn offboard(command: &TenantOffboardCommand, arguments: &Arguments) -> Result<u8> {
    let (options, root) = options(arguments, command.as_of.as_ref())?;
    let progress = Progress::new(true);
    let compilation = compile(&options, None, &progress)?;
    let catalog = &compilation.catalog;
    let Some(tenant) = catalog.tenants.get(&command.name) else {
        bail!(
            "there is no tenant `{}`; {}",
            command.name,
            suggest(&command.name, catalog.tenants.names()).unwrap_or_default()
        );
    };
    if tenant.fields().offboarding().is_written() {
        let place = compilation
            .sources
            .place(tenant.fields().offboarding().place());
        bail!(
            "{} leaves already: {}",
            tenant.name,
            place.unwrap_or_default()
        );
    }
    let without = without_backups(&compilation, &tenant.name);
    if !without.is_empty() && !command.backup_elsewhere {
        bail!(
            "no last backup can be made on {}: Velero is not among the cluster's `apis`; add velero.io/v1/Backup there, or say --backup-elsewhere",
            list_names(without.iter().map(String::as_str))
        );
    }
    let day = |text: &str, option: &str| -> Result<Date> {
        text.parse()
            .map_err(|_| anyhow!("{option} takes a day such as 2027-01-31, not `{text}`"))
    };
    let on = command
        .on
        .as_deref()
        .map_or(Ok(options.as_of), |text| day(text, "--on"))?;
    if on > options.as_of {
        bail!(
            "workloads go with the next render after this, so --on cannot be {on}; run it on that day"
        );
    }
    let is_held = |name: &&str| {
        let dataset = catalog.datasets.get(name);
        dataset.is_some_and(|dataset| dataset.spec.legal_hold.is_some())
    };
    let written = datasets(catalog, tenant, &[DataFlow::Output]).into_iter();
    let held: Vec<&str> = written.filter(is_held).collect();
    if !held.is_empty() && command.retain_until.is_none() {
        bail!(
            "{} must not be deleted (`legalHold`), so there is no day to reckon with: lift the hold, or say with --retain-until how long the last backup is kept at the least",
            list_names(held)
        );
    }
    let (kept, why) = retention(catalog, tenant);
    let least = on.checked_add(jiff::Span::new().days(i64::from(kept)))?;
    let until = command
        .retain_until
        .as_deref()
        .map_or(Ok(least), |text| day(text, "--retain-until"))?;
    if until < on {
        bail!("data cannot be kept until {until}, before the tenant leaves on {on}");
    }
    if until < options.as_of {
        bail!("data cannot be kept until {until}, which is over");
    }
    if until < least {
        bail!("data has to be kept until {least} ({why}), so --retain-until {until} is too early");
    }
    present::print(&plan(
        &compilation,
        tenant,
        on,
        until,
        &why,
        command.backup_elsewhere,
    ))?;
    if command.dry_run {
        return Ok(DONE);
    }
    let (file, text) = edited(
        tenant,
        &compilation.sources,
        on,
        until,
        command.backup_elsewhere,
    )?;
    let path = root.join(&file);
    write_in(&root, &path, &text)?;
    println!("\n{}", path.display());
    report(&command.name, &options, arguments)
}

/// The clusters of a tenant that have no Velero.
pub(super) fn without_backups(compilation: &Compilation, tenant: &str) -> BTreeSet<String> {
    let units = compilation.footprints.iter();
    let clusters = units
        .filter(|unit| unit.key.tenant_name() == tenant)
        .map(|unit| unit.key.cluster.clone());
    let has_velero = |name: &String| {
        let cluster = compilation.catalog.clusters.get(name);
        cluster.is_some_and(|cluster| {
            cluster
                .spec
                .apis
                .iter()
                .any(|api| api.starts_with("velero.io/"))
        })
    };
    clusters.filter(|name| !has_velero(name)).collect()
}

/// How many days data of a tenant has to be kept, and what says so: the longest of what its components write.
pub(super) fn retention(catalog: &Catalog, tenant: &Document<Tenant>) -> (u32, String) {
    let longest = kept(catalog, tenant).into_iter().max();
    longest.map_or_else(
        || {
            (
                RETENTION,
                format!("{RETENTION} days, because no dataset that its components write says for how long"),
            )
        },
        |(days, dataset)| (days, format!("{days} days, as long as `{dataset}`")),
    )
}

/// What its components write and for how many days each is kept.
pub(super) fn kept<'a>(
    catalog: &'a Catalog,
    tenant: &'a Document<Tenant>,
) -> BTreeSet<(u32, &'a str)> {
    let datasets = datasets(catalog, tenant, &[DataFlow::Output]).into_iter();
    datasets
        .filter_map(|name| Some((catalog.datasets.get(name)?.spec.retention_days?, name)))
        .collect()
}

pub(super) fn datasets<'a>(
    catalog: &'a Catalog,
    tenant: &'a Document<Tenant>,
    flows: &[DataFlow],
) -> BTreeSet<&'a str> {
    let subscribed = tenant.spec.components.iter();
    let components = subscribed.flat_map(|one| catalog.components.all_named(&one.component.0));
    components
        .flat_map(|component| {
            flows
                .iter()
                .flat_map(move |flow| data::of_component(catalog, component, *flow))
        })
        .map(|(_, dataset)| dataset.name.as_str())
        .collect()
}

/// What goes when.
pub(super) fn plan(
    compilation: &Compilation,
    tenant: &Document<Tenant>,
    on: Date,
    until: Date,
    why: &str,
    elsewhere: bool,
) -> String {
    let catalog = &compilation.catalog;
    let name = &tenant.name;
    let units: Vec<_> = compilation
        .footprints
        .iter()
        .filter(|unit| unit.key.tenant_name() == *name)
        .collect();
    let workloads: usize = units
        .iter()
        .map(|unit| {
            unit.components
                .iter()
                .filter(|(one, _)| !one.is_empty())
                .count()
        })
        .sum();
    let storage = units
        .iter()
        .map(|unit| unit.total().peak.get("requests.storage"))
        .sum::<tenantry_engine::scalars::Amount>();
    let places: Vec<String> = units
        .iter()
        .map(|unit| format!("{} on {}", unit.key.environment, unit.key.cluster))
        .collect();
    let mut lines = vec![format!("{name} leaves: what goes when")];
    let mut line = |when: &str, what: String| lines.push(format!("  {when:<10}  {what}"));
    let in_places = if places.is_empty() {
        String::new()
    } else {
        format!(" ({})", places.join(", "))
    };
    line(
        &on.to_string(),
        format!(
            "{} of components removed{in_places}; nobody has grants any more",
            plural(workloads, "workload")
        ),
    );
    let by = if elsewhere {
        ", made by other means than this platform"
    } else {
        ""
    };
    if storage.thousandths > 0 {
        line(
            "",
            format!(
                "a last backup of {} in volumes{by}, before anything is deleted",
                storage.bytes_for_people()
            ),
        );
    }
    line(
        "",
        format!("namespaces, quotas and volumes stay, closed: nothing runs in them ({why})"),
    );
    for (days, dataset) in kept(catalog, tenant) {
        let personal = catalog
            .datasets
            .get(dataset)
            .is_some_and(|one| one.spec.personal_data.is_some());
        let end = on
            .checked_add(jiff::Span::new().days(i64::from(days)))
            .unwrap_or(until);
        let what = if personal { ", personal data" } else { "" };
        if end < until {
            line(
                &end.to_string(),
                format!("what it wrote to {dataset} goes ({days} days{what})"),
            );
        }
    }
    line(
        &until.to_string(),
        "the last day of its data; from then on:".to_owned(),
    );
    line(
        "",
        "remove the tenant's document; `tenantry render` removes its manifests".to_owned(),
    );
    line(
        "",
        "delete its namespaces by hand: delivery leaves them, because data goes with them"
            .to_owned(),
    );
    lines.extend(others(catalog, tenant));
    lines.join("\n") + "\n"
}

/// What others lose, and what must stay.
pub(super) fn others(catalog: &Catalog, tenant: &Document<Tenant>) -> Vec<String> {
    let (name, mut lines) = (&tenant.name, Vec::new());
    let with: BTreeSet<&str> = tenant
        .spec
        .shares
        .iter()
        .flat_map(|share| &share.with)
        .map(|with| with.0.as_str())
        .collect();
    let users: Vec<&str> = with.into_iter().collect();
    if !users.is_empty() {
        lines.push(format!(
            "\nOthers lose what it shares: {}.",
            users.join(", ")
        ));
    }
    let from: BTreeSet<&str> = catalog
        .tenants
        .iter()
        .filter(|other| {
            other
                .spec
                .shares
                .iter()
                .any(|share| share.with.iter().any(|with| with.0 == *name))
        })
        .map(|other| other.name.as_str())
        .collect();
    if !from.is_empty() {
        let from: Vec<&str> = from.into_iter().collect();
        lines.push(format!(
            "\nShares with it are to be removed from: {}.",
            from.join(", ")
        ));
    }
    let held: Vec<String> = datasets(catalog, tenant, &DataFlow::ALL)
        .into_iter()
        .filter_map(|dataset| {
            let hold = catalog.datasets.get(dataset)?.spec.legal_hold.as_ref()?;
            Some(format!(
                "{dataset} ({}, ordered by {})",
                hold.reason, hold.ordered_by
            ))
        })
        .collect();
    if !held.is_empty() {
        lines.push(format!(
            "\nMust not be deleted until the hold is lifted: {}.",
            held.join("; ")
        ));
    }
    lines
}

/// The tenant's file with its status, and how it leaves.
pub(super) fn edited(
    tenant: &Document<Tenant>,
    sources: &Sources,
    on: Date,
    until: Date,
    elsewhere: bool,
) -> Result<(String, String)> {
    let spec = tenant.fields().node().and_then(Node::as_map);
    let spec = spec.ok_or_else(|| anyhow!("the tenant's document has no `spec`"))?;
    let file = sources
        .file(tenant.tree.id.file)
        .ok_or_else(|| anyhow!("the tenant's file is not known"))?;
    let first = spec
        .entries
        .first()
        .and_then(|entry| sources.span(entry.key_id));
    let first = first
        .ok_or_else(|| anyhow!("the tenant's `spec` is empty"))?
        .start as usize;
    let line = file.text[..first].rfind('\n').map_or(0, |at| at + 1);
    let indent = &file.text[line..first];
    if !indent.chars().all(|c| c == ' ') {
        bail!(
            "{}: the `spec` is written on one line; write it as a block, and try again",
            file.path
        );
    }
    let backup = if elsewhere { ", backup: elsewhere" } else { "" };
    let more =
        format!("{indent}offboarding: {{requestedAt: {on}, retainDataUntil: {until}{backup}}}\n");
    let mut text = file.text.to_string();
    match spec
        .entry("status")
        .and_then(|entry| sources.span(entry.value.id))
    {
        Some(status) => {
            text.replace_range(status.start as usize..status.end as usize, "offboarding");
            let at = text[status.start as usize..]
                .find('\n')
                .map_or(text.len(), |end| status.start as usize + end + 1);
            text.insert_str(at, &more);
        }
        None => text.insert_str(line, &format!("{indent}status: offboarding\n{more}")),
    }
    // What cannot be read back is not written.
    let parsed = tenantry_syntax::yaml::parse::parse(&text, 0);
    let is_there = parsed.documents.iter().any(|document| {
        let header = Field::<Header>::of(document);
        let spec: Field<'_, Tenant> = header.spec().read_as();
        header.metadata().name().as_str() == Some(&tenant.name)
            && spec.status().is(TenantStatus::Offboarding)
            && spec.offboarding().requested_at().is_written()
    });
    if !parsed.problems.is_empty() || !is_there {
        bail!(
            "{} cannot be edited safely; write `status: offboarding` and\n{more}",
            file.path
        );
    }
    Ok((file.path.clone(), text))
}
