//! `tenantry impact`: what depends on a file, a line or a document.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write as _;

use anyhow::{Result, anyhow};
use serde_json::json;

use super::arguments::{Arguments, ImpactCommand};
use super::present::{self, DIM, NAME, STRONG, plural, styled};
use super::{DONE, FAILED};
use tenantry::explain::impact::{self, Dependent};

/// Runs the command.
pub fn run(command: &ImpactCommand, arguments: &Arguments) -> Result<u8> {
    let options = present::options(arguments, None, &command.read, command.at.revision.as_ref())?;
    let found = impact::impact(&options, &command.what)?.map_err(|problem| anyhow!(problem))?;
    if command.json {
        present::print(&as_json(&found.title, &found.objects))?;
    } else {
        let color = present::use_color(arguments.color);
        present::print(&as_text(&found.title, &found.objects, color))?;
    }
    if found.has_errors {
        eprintln!(
            "There are findings of errors, which `tenantry check` shows; what they concern is not counted."
        );
        return Ok(FAILED);
    }
    Ok(DONE)
}

fn as_json(title: &str, found: &[Dependent]) -> String {
    let objects: Vec<serde_json::Value> = found
        .iter()
        .map(|one| {
            json!({
                "environment": one.environment, "cluster": one.cluster, "tenant": one.tenant,
                "component": one.component, "kind": one.kind, "name": one.name, "fields": one.fields,
            })
        })
        .collect();
    let report = json!({"formatVersion": 1, "of": title, "objects": objects});
    serde_json::to_string_pretty(&report).unwrap_or_default() + "\n"
}

#[derive(Default)]
struct ImpactRow {
    kinds: BTreeSet<String>,
    objects: usize,
    tenants: BTreeMap<String, BTreeSet<String>>,
}

fn as_text(title: &str, found: &[Dependent], color: bool) -> String {
    let mut text = format!("{}\n\n", styled(title, STRONG, color));
    if found.is_empty() {
        text.push_str("  Nothing that is rendered depends on it.\n");
        return text;
    }
    let tenants: BTreeSet<&str> = found
        .iter()
        .map(|one| one.tenant.as_str())
        .filter(|name| !name.is_empty())
        .collect();
    let environments: BTreeSet<&str> = found.iter().map(|one| one.environment.as_str()).collect();
    let _ = writeln!(
        text,
        "  {} of {} in {} {} on it.\n",
        plural(found.len(), "object"),
        plural(tenants.len(), "tenant"),
        plural(environments.len(), "environment"),
        if found.len() == 1 {
            "depends"
        } else {
            "depend"
        }
    );
    let mut rows: BTreeMap<&str, ImpactRow> = BTreeMap::new();
    for one in found {
        let paths: Vec<&str> = if one.fields.is_empty() {
            vec![""]
        } else {
            one.fields.iter().map(String::as_str).collect()
        };
        for path in paths {
            let row = rows.entry(path).or_default();
            row.kinds.insert(one.kind.clone());
            row.objects += 1;
            row.tenants
                .entry(one.environment.clone())
                .or_default()
                .extend(Some(one.tenant.clone()).filter(|name| !name.is_empty()));
        }
    }
    let mut rows: Vec<(&str, ImpactRow)> = rows.into_iter().collect();
    // What only decides comes last.
    rows.sort_by_key(|(path, row)| (path.is_empty(), std::cmp::Reverse(row.objects)));
    let width = rows
        .iter()
        .map(|(path, _)| path.chars().count())
        .filter(|width| *width <= 70)
        .max()
        .unwrap_or(0);
    for (path, row) in &rows {
        let kinds: Vec<&str> = row.kinds.iter().map(String::as_str).collect();
        let kinds = match kinds.len() {
            0..=3 => kinds.join(", "),
            number => plural(number, "kind"),
        };
        let places: Vec<String> = row
            .tenants
            .iter()
            .map(|(environment, tenants)| match tenants.len() {
                0 => environment.clone(),
                1..=3 => {
                    let names: Vec<&str> = tenants.iter().map(String::as_str).collect();
                    format!("{environment} ({})", names.join(", "))
                }
                number => format!("{environment} ({})", plural(number, "tenant")),
            })
            .collect();
        let shown = if path.is_empty() {
            "(only decides)"
        } else {
            path
        };
        let gap = " ".repeat(width.saturating_sub(shown.chars().count()));
        let _ = writeln!(
            text,
            "  {}{gap}  ×{}  {}  {}",
            styled(shown, NAME, color),
            row.objects,
            kinds,
            styled(&places.join(", "), DIM, color)
        );
    }
    text
}
