//! `tenantry find`: discovery.

use anyhow::{Result, bail};
use serde_json::{Map, Value as Json, json};

use super::DONE;
use super::arguments::{Arguments, ClearanceArgument, FindCommand, ReadOptions};
use super::present;
use tenantry::model::catalog::Document;
use tenantry::model::kinds::Tenant;
use tenantry::model::listing::{Listed, Wanted};
use tenantry::read;
use tenantry::report::table::{Align, Table};
use tenantry_syntax::diagnostics::suggest;
use tenantry_syntax::yaml::Node;

/// Runs the command.
pub fn run(command: &FindCommand, arguments: &Arguments) -> Result<u8> {
    let compilation = read(&present::options(
        arguments,
        None,
        &ReadOptions::NONE,
        None,
    )?)?;
    let catalog = &compilation.catalog;
    let tenant = command.tenant.as_deref().map(|name| {
        let found = catalog.tenants.get(name);
        found.ok_or_else(|| suggest(name, catalog.tenants.names()).unwrap_or_default())
    });
    let tenant = match tenant {
        Some(Err(near)) => {
            let name = command.tenant.as_deref().unwrap_or_default();
            bail!("there is no tenant `{name}`; {near}")
        }
        Some(Ok(found)) => Some(found),
        None => None,
    };
    let listing = catalog.list(command.what.0, &Filter { command, tenant });
    if command.json {
        let items = listing.rows.into_iter().map(|row| {
            let keys = listing.columns.iter().map(|(key, _)| (*key).to_owned());
            Json::Object(keys.zip(row).collect::<Map<String, Json>>())
        });
        let report = json!({"formatVersion": 2, "items": items.collect::<Vec<Json>>()});
        present::print(&(serde_json::to_string_pretty(&report)? + "\n"))?;
        return Ok(DONE);
    }
    let columns = listing
        .columns
        .iter()
        .enumerate()
        .map(|(at, (_, heading))| {
            let is_number = |row: &Vec<Json>| row[at].is_number();
            let all = !listing.rows.is_empty() && listing.rows.iter().all(is_number);
            (*heading, if all { Align::Right } else { Align::Left })
        });
    let mut table = Table::new(&columns.collect::<Vec<_>>());
    for row in &listing.rows {
        table.row(row.iter().map(cell));
    }
    present::print(&table.text("", present::use_color(arguments.color)))?;
    eprintln!("{} found.", listing.rows.len());
    Ok(DONE)
}

/// A value as people read it.
fn cell(value: &Json) -> String {
    match value {
        Json::Null | Json::Bool(false) => String::new(),
        Json::Bool(true) => "yes".to_owned(),
        Json::String(text) => text.clone(),
        Json::Array(items) => items.iter().map(cell).collect::<Vec<_>>().join(", "),
        other => other.to_string(),
    }
}

/// What the command line asks of a document.
struct Filter<'f> {
    command: &'f FindCommand,
    tenant: Option<&'f Document<Tenant>>,
}

impl Wanted for Filter<'_> {
    fn takes<K: Listed>(&self, document: &Document<K>) -> bool {
        let command = self.command;
        let has = |field: &str, wanted: &str| {
            let value = document.effective.get(field);
            let items = value.map(|value| value.as_list().unwrap_or(std::slice::from_ref(value)));
            let mut texts = items.into_iter().flatten().filter_map(Node::as_str);
            texts.any(|text| text.eq_ignore_ascii_case(wanted))
        };
        let mut labels = command.labels.iter();
        labels.all(|label| {
            let (key, value) = present::parse_label(label);
            let found = document.metadata.labels.get(&key);
            found.is_some_and(|found| value.is_none_or(|value| *found == value))
        }) && (command.status.iter()).all(|status| has("status", status))
            && (command.capability.iter()).all(|wanted| has("capabilities", wanted))
            && (command.format.is_empty()
                || (command.format.iter())
                    .any(|wanted| has("dataFormats", wanted) || has("format", wanted)))
            && (command.min_clearance.iter()).all(|least| {
                let classes = ClearanceArgument::ALL
                    .iter()
                    .filter(|class| **class >= *least);
                classes.into_iter().any(|class| {
                    has("clearance", class.word()) || has("classification", class.word())
                })
            })
            && self
                .tenant
                .is_none_or(|tenant| K::concerns(document, tenant))
    }
}
