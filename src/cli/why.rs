//! `tenantry why`: where a value came from, what it overrode, which template line printed it.

use std::fmt::Write as _;

use anyhow::{Result, anyhow, bail};

use super::arguments::{Arguments, WhyCommand};
use super::present::{self, DIM, NAME, STRONG, plural, styled};
use super::{DONE, FAILED, absent};
use tenantry::explain::why::{self, Explanation};
use tenantry_syntax::yaml::Path;

/// Runs the command.
pub fn run(command: &WhyCommand, arguments: &Arguments) -> Result<u8> {
    if command.absent {
        return absent::run(command, arguments);
    }
    let options = present::options(arguments, None, &command.read, command.at.revision.as_ref())?;
    let field = command
        .field
        .as_deref()
        .map(Path::parse)
        .transpose()
        .map_err(|why| {
            anyhow!(
                "`{}` is not a field: {why}",
                command.field.as_deref().unwrap_or_default()
            )
        })?;
    let wanted = command.object.split('/').filter(|part| !part.is_empty());
    let answer = why::why(&options, wanted.map(str::to_owned).collect(), field)?;
    let color = present::use_color(arguments.color);
    match answer.found.as_slice() {
        [] => {
            let broken = if answer.has_errors {
                " There are findings of errors, which `tenantry check` shows; what they concern was not rendered."
            } else {
                ""
            };
            bail!(
                "no object matches `{}`. Write parts of environment/cluster/tenant/component/Kind/name, in this order.{broken}",
                command.object
            );
        }
        [explanation] => {
            if explanation.fields.is_empty() {
                bail!(
                    "{} has no field `{}`",
                    explanation.object,
                    command.field.as_deref().unwrap_or_default()
                );
            }
            if command.json {
                present::print(
                    &(serde_json::to_string_pretty(
                        &serde_json::json!({"formatVersion": 1, "why": explanation}),
                    )? + "\n"),
                )?;
            } else if command.field.is_some() && explanation.fields.len() == 1 {
                present::print(&detail(explanation, color))?;
            } else {
                present::print(&overview(explanation, color))?;
            }
            Ok(DONE)
        }
        several => {
            let list: String = several
                .iter()
                .map(|one| format!("  {}\n", one.object))
                .collect();
            let more = if several.len() == why::MOST {
                " or more"
            } else {
                ""
            };
            eprintln!(
                "{}{more} match `{}`. Which one?\n{list}",
                plural(several.len(), "object"),
                command.object
            );
            Ok(FAILED)
        }
    }
}

/// One field, with all that is known of it.
fn detail(explanation: &Explanation, color: bool) -> String {
    let mut text = format!("{}\n", styled(&explanation.object, DIM, color));
    for field in &explanation.fields {
        let _ = writeln!(
            text,
            "{} = {}\n",
            styled(&field.path, STRONG, color),
            styled(&field.value, NAME, color)
        );
        let mut rows: Vec<[String; 4]> = Vec::new();
        let mut row = |what: &str, layer: &str, place: &str, text: &str| {
            rows.push([
                what.to_owned(),
                layer.to_owned(),
                place.to_owned(),
                text.to_owned(),
            ]);
        };
        if field.set_by.is_empty() {
            row("set by", "the template itself", "", "");
        }
        for origin in &field.set_by {
            row(
                "set by",
                origin.layer.as_deref().unwrap_or_default(),
                &origin.place,
                &origin.text,
            );
            for below in &origin.overrides {
                row("overrides", &below.layer, &below.place, &below.value);
            }
        }
        for origin in &field.decided_by {
            row(
                "decided by",
                origin.layer.as_deref().unwrap_or_default(),
                &origin.place,
                &origin.text,
            );
        }
        for what in &field.not_set {
            row("decided by", "not set", "", what);
        }
        if let Some(printed) = &field.printed_by {
            row("printed by", "template", &printed.place, &printed.text);
        }
        if let Some(before) = &field.replaces {
            row("replaces", "", "", &before.value);
            for origin in &before.set_by {
                let layer = origin.layer.as_deref().unwrap_or_default();
                row("  set by", layer, &origin.place, &origin.text);
            }
            if let Some(printed) = &before.printed_by {
                row("  printed by", "template", &printed.place, &printed.text);
            }
        }
        let width = |column: usize| {
            rows.iter()
                .map(|row| row[column].chars().count())
                .max()
                .unwrap_or(0)
        };
        let widths = [width(0), width(1), width(2)];
        let pad = |text: &str, width: usize| {
            format!(
                "{text}{}",
                " ".repeat(width.saturating_sub(text.chars().count()))
            )
        };
        for [what, layer, place, content] in &rows {
            let line = format!(
                "  {}  {}  {}  {content}",
                styled(&pad(what, widths[0]), DIM, color),
                pad(layer, widths[1]),
                styled(&pad(place, widths[2]), NAME, color),
            );
            let _ = writeln!(text, "{}", line.trim_end());
        }
    }
    text
}

/// All fields of an object, one a line.
fn overview(explanation: &Explanation, color: bool) -> String {
    let mut text = format!("{}\n", styled(&explanation.object, STRONG, color));
    let rows: Vec<(String, String)> = explanation
        .fields
        .iter()
        .map(|field| {
            let value = format!("{} = {}", field.path, field.value);
            let origin = match (field.set_by.as_slice(), &field.printed_by) {
                ([], Some(printed)) => format!("{} (template)", printed.place),
                ([], None) => String::new(),
                (origins, _) => {
                    let list: Vec<String> = origins
                        .iter()
                        .map(|origin| match &origin.layer {
                            Some(layer) => format!("{} ({layer})", origin.place),
                            None => origin.place.clone(),
                        })
                        .collect();
                    let mut list = list;
                    list.dedup();
                    list.join(", ")
                }
            };
            (value, origin)
        })
        .collect();
    let width = rows
        .iter()
        .map(|(value, _)| value.chars().count())
        .filter(|width| *width <= 90)
        .max()
        .unwrap_or(0);
    for (value, origin) in rows {
        let gap = " ".repeat(width.saturating_sub(value.chars().count()));
        let _ = writeln!(text, "  {value}{gap}  {}", styled(&origin, DIM, color));
    }
    text
}
