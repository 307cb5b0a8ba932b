//! What ends, and by when, as tables and as a page with a line of time.

use anstyle::{AnsiColor, Style};
use jiff::civil::Date;
use serde_json::{Value as Json, json};

use super::Figures;
use crate::model::kinds::{Catalog, ComponentStatus, TenantStatus};
use crate::model::lifecycle::{Users, endings, leaving, passages};
use crate::report::table::{Align, Table};
use tenantry_syntax::diagnostics::Sources;

const BAD: Style = AnsiColor::Red.on_default().bold();
const NEAR: Style = AnsiColor::Yellow.on_default();
/// Days in which something is soon.
const SOON: i32 = 30;
/// The version of the JSON.
const FORMAT_VERSION: &str = "1";

fn days(from: Date, to: Date) -> i32 {
    (to - from).get_days()
}

/// `in 12 days`, `today`, `3 days ago`.
fn distance(from: Date, to: Date) -> String {
    match days(from, to) {
        0 => "today".to_owned(),
        1 => "in a day".to_owned(),
        -1 => "a day ago".to_owned(),
        days if days > 0 => format!("in {days} days"),
        days => format!("{} days ago", -days),
    }
}

fn text(date: Option<Date>) -> String {
    date.map_or_else(String::new, |date| date.to_string())
}

/// What ends, as figures.
pub fn figures(catalog: &Catalog, users: &Users, today: Date, sources: &Sources) -> Figures {
    let (components, leaving_json) = components(catalog, users, today);
    let (tenants, passages_json) = tenants(catalog, today);
    let (ends, sheet, endings_json) = last_days(catalog, today, sources);
    Figures {
        title: "What ends",
        sentence: format!(
            "Seen from {today}: components that go and who still uses them, tenants that come and leave, and everything with a last day."
        ),
        tables: vec![
            ("Components".to_owned(), components),
            ("Tenants".to_owned(), tenants),
            ("Last days".to_owned(), ends),
        ],
        notes: Vec::new(),
        sheet,
        data: json!({
            "formatVersion": FORMAT_VERSION, "asOf": today.to_string(), "components": leaving_json,
            "tenants": passages_json, "endings": endings_json,
        }),
        script: include_str!("lifecycle.js"),
    }
}

/// Components that go, and who still uses them.
fn components(catalog: &Catalog, users: &Users, today: Date) -> (Table, Vec<Json>) {
    let mut components = Table::of_text(&[
        "COMPONENT",
        "VERSION",
        "STATUS",
        "SINCE",
        "GOES ON",
        "",
        "MOVE TO",
        "STILL USED BY",
    ]);
    let mut leaving_json = Vec::new();
    for one in leaving(catalog, users) {
        let status = match one.status {
            ComponentStatus::Deprecated => "deprecated",
            ComponentStatus::Sunset => "sunset",
            ComponentStatus::Archived => "archived",
            ComponentStatus::Active => "active",
        };
        let using: Vec<String> = one
            .users
            .iter()
            .map(|(tenant, environments)| format!("{tenant} ({})", environments.join(", ")))
            .collect();
        let replacement = one
            .component
            .spec
            .replaced_by
            .as_ref()
            .map_or("", |name| &name.0);
        let left = one
            .until
            .map_or_else(String::new, |until| distance(today, until));
        components.row([
            one.component.name.clone(),
            one.component.spec.version.to_string(),
            status.to_owned(),
            text(one.since),
            text(one.until),
            left.clone(),
            replacement.to_owned(),
            if using.is_empty() {
                "nobody".to_owned()
            } else {
                using.join("; ")
            },
        ]);
        if !using.is_empty() && one.until.is_some_and(|until| days(today, until) < SOON) {
            components.style(5, BAD);
        }
        leaving_json.push(json!({
            "component": one.component.name, "version": one.component.spec.version.to_string(), "status": status,
            "since": text(one.since), "until": text(one.until), "left": left, "replacedBy": replacement, "users": one.users,
        }));
    }
    (components, leaving_json)
}

/// Tenants that come and leave.
fn tenants(catalog: &Catalog, today: Date) -> (Table, Vec<Json>) {
    let mut tenants = Table::of_text(&["TENANT", "STATUS", "SINCE", "DATA UNTIL", "NEXT"]);
    let mut passages_json = Vec::new();
    for one in passages(catalog) {
        let (status, next) = match one.status {
            TenantStatus::Onboarding => (
                "onboarding",
                "write `status: active` when it may start".to_owned(),
            ),
            TenantStatus::Suspended => (
                "suspended",
                "scaled to zero; write `status: active` or offboard it".to_owned(),
            ),
            TenantStatus::Offboarding => (
                "offboarding",
                match one.until {
                    Some(until) if until < today => {
                        "its data may be deleted: remove its document and its namespaces".to_owned()
                    }
                    Some(_) => "wait until its data may be deleted".to_owned(),
                    None => "write `retainDataUntil`".to_owned(),
                },
            ),
            TenantStatus::Active => ("active", String::new()),
        };
        tenants.row([
            one.tenant.name.clone(),
            status.to_owned(),
            text(one.since),
            text(one.until),
            next.clone(),
        ]);
        passages_json.push(json!({"tenant": one.tenant.name, "status": status, "since": text(one.since), "until": text(one.until), "next": next}));
    }
    (tenants, passages_json)
}

/// Everything with a last day: for people, for spreadsheets and as JSON.
fn last_days(catalog: &Catalog, today: Date, sources: &Sources) -> (Table, Table, Vec<Json>) {
    let columns = [
        ("ON", Align::Left),
        ("", Align::Right),
        ("WHAT", Align::Left),
        ("OF", Align::Left),
        ("WHERE", Align::Left),
    ];
    let mut ends = Table::new(&columns);
    let mut sheet = Table::of_text(&["ON", "DAYS", "WHAT", "OF", "WHERE"]);
    let mut endings_json = Vec::new();
    for one in endings(catalog) {
        let place = sources.place(one.place).unwrap_or_default();
        let left = days(today, one.on);
        ends.row([
            one.on.to_string(),
            distance(today, one.on),
            one.what.clone(),
            one.of.clone(),
            place.clone(),
        ]);
        match left {
            ..0 => ends.style(1, BAD),
            0..SOON => ends.style(1, NEAR),
            _ => {}
        }
        sheet.row([
            one.on.to_string(),
            left.to_string(),
            one.what.clone(),
            one.of.clone(),
            place.clone(),
        ]);
        endings_json.push(json!({"on": one.on.to_string(), "days": left, "what": one.what, "of": one.of, "where": place}));
    }
    (ends, sheet, endings_json)
}
