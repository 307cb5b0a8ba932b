//! `tenantry why --absent`: why an object is not rendered.

use std::fmt::Write as _;

use anyhow::{Result, bail};
use serde::Serialize;

use super::arguments::{Arguments, WhyCommand};
use super::present::{self, DIM, NAME, STRONG, styled};
use super::why::{Explainer, InputLine};
use super::{DONE, FAILED};
use crate::diagnostics::Sources;
use crate::engine::{TemplateErrorKind, origin};
use crate::model::instance::Unit;
use crate::render::{Absent, AbsentReason};

/// Why no object of a kind was rendered for something.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct AbsenceExplanation {
    /// `production/eu-1/globex/ingest`.
    place: String,
    /// The template, and the line that decided.
    template: InputLine,
    /// What kept it from it.
    reason: String,
    /// The values that decided.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    decided_by: Vec<InputLine>,
    /// What decided by not being set.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    not_set: Vec<String>,
}

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
    let parts = |unit: &Unit, component: Option<&str>| -> Vec<String> {
        let key = &unit.key;
        let mut parts = vec![key.environment.clone(), key.cluster.clone()];
        parts.extend((key.tenant().is_some()).then(|| key.tenant_name().to_owned()));
        parts.extend(component.map(str::to_owned));
        parts
    };
    let covers = |parts: &[String]| {
        let mut parts = parts.iter();
        wanted
            .iter()
            .all(|wanted| parts.any(|part| part.eq_ignore_ascii_case(wanted)))
    };
    let (units, sources) = crate::absent(&options, kind, |unit| {
        let of_components = unit
            .instances
            .iter()
            .map(|instance| instance.component.as_str());
        std::iter::once(None)
            .chain(of_components.map(Some))
            .any(|component| covers(&parts(unit, component)))
    })?;
    if units.is_empty() {
        bail!(
            "nothing runs at `{}`: write parts of environment/cluster/tenant/component, in this order; `tenantry find tenants` lists them",
            wanted.join("/")
        );
    }
    let mut explanations = Vec::new();
    for (unit, absent) in &units {
        for one in absent {
            let place = parts(unit, one.component.as_deref().or(one.pipeline.as_deref()));
            if covers(&place) {
                explanations.push(explanation(unit, one, place.join("/"), &sources));
            }
        }
    }
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

fn explanation(
    unit: &Unit,
    absent: &Absent,
    place: String,
    sources: &Sources,
) -> AbsenceExplanation {
    let instance = absent.component.as_ref();
    let instance =
        instance.and_then(|name| unit.instances.iter().find(|one| one.component == *name));
    let explainer = Explainer {
        unit,
        layers: instance.map_or(&[], |instance| &instance.layers),
        sources,
    };
    let (reason, origins): (String, Vec<&origin::ValueOrigin>) = match &absent.reason {
        AbsentReason::NotNamed => (
            "the component does not name this template in `templates`".to_owned(),
            Vec::new(),
        ),
        AbsentReason::Lacks(api) => (
            format!("the cluster does not have the API {api}"),
            Vec::new(),
        ),
        AbsentReason::Condition(origin) => ("its condition does not hold".to_owned(), vec![origin]),
        AbsentReason::Within(all) => (
            "conditions in it do not hold".to_owned(),
            all.iter().collect(),
        ),
        AbsentReason::Failed(error) => (why_failed(&error.reason), Vec::new()),
    };
    let (mut decided_by, mut not_set) = (Vec::new(), Vec::new());
    for origin in origins {
        let (decided, absent) = explainer.decided(origin, true);
        decided_by.extend(decided);
        not_set.extend(absent);
    }
    decided_by.dedup_by(|a, b| a.place == b.place);
    not_set.dedup();
    AbsenceExplanation {
        place,
        template: explainer.printed(absent.line).unwrap_or_default(),
        reason,
        decided_by,
        not_set,
    }
}

fn why_failed(reason: &TemplateErrorKind) -> String {
    match reason {
        TemplateErrorKind::Undefined(Some((name, _))) => {
            format!("it uses a name that does not exist: `{name}`")
        }
        TemplateErrorKind::Undefined(None) => "it uses a name that does not exist".to_owned(),
        TemplateErrorKind::Failed(detail) | TemplateErrorKind::Syntax(detail) => {
            format!("it cannot be evaluated: {detail}")
        }
        TemplateErrorKind::Steps | TemplateErrorKind::Text | TemplateErrorKind::Holes => {
            "it reaches a bound, which `tenantry check` names".to_owned()
        }
    }
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
