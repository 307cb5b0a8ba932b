//! `tenantry why --absent`: why an object is not rendered.

use std::fmt::Write as _;

use anyhow::{Result, bail};

use super::arguments::{Arguments, WhyCommand};
use super::present::{self, DIM, NAME, STRONG, styled};
use super::{DONE, FAILED};
use tenantry::explain::absent::{self, AbsenceExplanation};

/// Runs the command.
pub fn run(command: &WhyCommand, arguments: &Arguments) -> Result<u8> {
    let options = present::options(arguments, None, &command.read, command.at.revision.as_ref())?;
    let mut wanted: Vec<&str> = command
        .object
        .split('/')
        .filter(|part| !part.is_empty())
        .collect();
    // The name of what is not there is known to nobody.
    let kind = match wanted
        .iter()
        .rposition(|part| part.starts_with(char::is_uppercase))
    {
        Some(at) => wanted.drain(at..).next().unwrap_or_default(),
        None => {
            bail!("name the kind that is missing: `production/eu-1/globex/HorizontalPodAutoscaler`")
        }
    };
    let Some(explanations) = absent::absent(&options, kind, &wanted)? else {
        bail!(
            "nothing runs at `{}`: write parts of environment/cluster/tenant/component, in this order; `tenantry find tenants` lists them",
            wanted.join("/")
        );
    };
    if explanations.is_empty() {
        let message = format!(
            "No template that makes a {kind} was kept from it at `{}`. `tenantry why {}` shows what is rendered; if there is none, no template makes one.",
            wanted.join("/"),
            command.object
        );
        eprintln!("{message}");
        return Ok(FAILED);
    }
    if command.json {
        let json = serde_json::json!({"formatVersion": 1, "kind": kind, "absent": explanations});
        present::print(&(serde_json::to_string_pretty(&json)? + "\n"))?;
    } else {
        present::print(&text(
            kind,
            &explanations,
            present::use_color(arguments.color),
        ))?;
    }
    Ok(DONE)
}

fn text(kind: &str, explanations: &[AbsenceExplanation], color: bool) -> String {
    let mut text = String::new();
    for one in explanations {
        let _ = writeln!(
            text,
            "{}: no {kind} from this template, because {}",
            styled(&one.place, STRONG, color),
            one.reason
        );
        let mut rows = vec![(
            "template",
            one.template.place.as_str(),
            one.template.text.as_str(),
        )];
        rows.extend(
            one.decided_by
                .iter()
                .map(|origin| ("decided by", origin.place.as_str(), origin.text.as_str())),
        );
        rows.extend(
            one.not_set
                .iter()
                .map(|what| ("not set", "", what.as_str())),
        );
        let width = rows
            .iter()
            .map(|(_, place, _)| place.chars().count())
            .max()
            .unwrap_or(0);
        for (what, place, content) in rows {
            let gap = " ".repeat(width.saturating_sub(place.chars().count()));
            let what = styled(&format!("{what:<10}"), DIM, color);
            let _ = writeln!(
                text,
                "  {what}  {}{gap}  {content}",
                styled(place, NAME, color)
            );
        }
    }
    text
}
