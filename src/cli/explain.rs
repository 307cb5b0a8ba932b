//! `tenantry explain`: what a finding means, what a field is.

use std::fmt::Write as _;

use anyhow::{Result, bail};

use super::DONE;
use super::arguments::{Arguments, ExplainCommand};
use super::present::{self, DIM, NAME, STRONG, styled};
use tenantry::model::catalog::Document;
use tenantry::model::kinds::policy::RuleSeverity;
use tenantry::model::kinds::{KINDS, Policy};
use tenantry::model::schemas;
use tenantry_engine::scalars::expected_form;
use tenantry_engine::schema::{Additional, SchemaRule};
use tenantry_syntax::diagnostics::{Sources, catalogue, suggest};

/// Runs the command.
pub fn run(command: &ExplainCommand, arguments: &Arguments) -> Result<u8> {
    let color = present::use_color(arguments.color);
    let text = match command.topic.as_deref() {
        None => overview(color),
        Some(topic) => match catalogue::find(topic).filter(|_| is_code(topic)) {
            Some(code) => explain_code(code, color),
            None if is_code(topic) => {
                bail!("there is no code {topic}; `tenantry explain` lists all")
            }
            None => match policy(topic, arguments)? {
                Some(document) => explain_policy(&document, color),
                None => explain_field(topic, color)?,
            },
        },
    };
    present::print(&text)?;
    Ok(DONE)
}

fn is_code(topic: &str) -> bool {
    let digits = topic.trim_start_matches(['T', 't']);
    !digits.is_empty() && digits.bytes().all(|b| b.is_ascii_digit())
}

fn overview(color: bool) -> String {
    let mut text = format!("{}\n", styled("Kinds", STRONG, color));
    for kind in KINDS {
        let rule = schemas::own().rule(kind);
        let _ = writeln!(
            text,
            "  {}  {}",
            styled(&format!("{kind:<12}"), NAME, color),
            first_sentence(rule.map_or("", |rule| &rule.description))
        );
    }
    let _ = writeln!(text, "\n{}", styled("Codes", STRONG, color));
    for code in catalogue::all() {
        let _ = writeln!(
            text,
            "  {}  {:<8} {}",
            styled(code.id, NAME, color),
            code.severity.name(),
            code.title
        );
    }
    text
}

fn explain_code(code: &catalogue::Code, color: bool) -> String {
    let example: String = code
        .example
        .lines()
        .map(|line| format!("    {line}\n"))
        .collect();
    format!(
        "{} {}\n\n{}\n\n{}\n{example}\n{}\n  {}\n",
        styled(
            &format!("{} ({})", code.id, code.severity.name()),
            NAME,
            color
        ),
        styled(code.title, STRONG, color),
        code.cause,
        styled("For example", STRONG, color),
        styled("What to do", STRONG, color),
        code.remedy,
    )
}

/// The policy of a name: the repository's, if there is one around, or a built-in one.
fn policy(name: &str, arguments: &Arguments) -> Result<Option<Document<Policy>>> {
    let mut sources = Sources::default();
    let catalog = present::catalog(arguments.directory.as_deref(), &mut sources)?;
    Ok(catalog.policies.get(name).cloned())
}

fn explain_policy(document: &Document<Policy>, color: bool) -> String {
    let spec = &document.spec;
    let severity = spec.severity.unwrap_or(RuleSeverity::Medium).name();
    let mut text = format!(
        "{} {}\n",
        styled(&format!("{} ({severity})", document.name), NAME, color),
        styled(&spec.title, STRONG, color)
    );
    for part in [&spec.rationale, &spec.remediation].into_iter().flatten() {
        let _ = write!(text, "\n{}\n", part.trim());
    }
    let mut section = |title: &str, lines: Vec<String>| {
        if !lines.is_empty() {
            let _ = write!(text, "\n{}\n", styled(title, STRONG, color));
            for line in lines {
                let _ = writeln!(text, "  {line}");
            }
        }
    };
    section(
        "What must be true",
        spec.validations
            .iter()
            .map(|validation| validation.expression.trim().replace('\n', "\n  "))
            .collect(),
    );
    let parameters = spec.parameters.iter().map(|(name, parameter)| {
        let stricter = parameter
            .tighten
            .map_or(String::new(), |way| format!("; {}", way.advice()));
        format!(
            "{name} ({}, {} by default{stricter}) {}",
            parameter.kind.kind_name(),
            parameter.default,
            parameter.description.as_deref().unwrap_or_default()
        )
    });
    section("Parameters", parameters.collect());
    let controls = spec.controls.iter().map(|(framework, controls)| {
        let controls: Vec<String> = controls
            .iter()
            .map(|(id, strength)| format!("{id} ({})", strength.name()))
            .collect();
        format!("{framework}: {}", controls.join(", "))
    });
    section("Controls", controls.collect());
    text
}

/// A kind, or a field of it: `Tenant.limits.cpu`. `spec` may be left out.
fn explain_field(topic: &str, color: bool) -> Result<String> {
    let set = schemas::own();
    let mut steps = topic.split('.');
    let kind = steps.next().unwrap_or_default();
    let Some(kind) = KINDS.iter().find(|known| known.eq_ignore_ascii_case(kind)) else {
        let help = suggest(kind, KINDS.iter().copied()).unwrap_or_default();
        bail!("there is no kind or code `{kind}`; {help}");
    };
    let Some(mut rule) = set.rule(kind) else {
        bail!("the kind {kind} has no schema")
    };
    let mut description = rule.description.as_str();
    let mut path = (*kind).to_owned();
    for step in steps.filter(|step| *step != "spec") {
        let step = step.split('[').next().unwrap_or(step);
        rule = inner(rule);
        let Some(next) = rule.property(step).or(match &rule.additional {
            Additional::Rule(rule) => Some(rule),
            _ => None,
        }) else {
            let known = rule.properties.iter().map(|(name, _)| &**name);
            bail!(
                "{path} has no field `{step}`; {}",
                suggest(step, known).unwrap_or_default()
            );
        };
        let followed = set.follow(next);
        description = if next.description.is_empty() {
            &followed.description
        } else {
            &next.description
        };
        rule = followed;
        path = format!("{path}.{step}");
    }
    let mut text = format!("{}\n\n{description}\n", styled(&path, STRONG, color));
    let shown = inner(rule);
    let form = shown.format.as_deref().and_then(expected_form);
    let value = form.map_or_else(|| shown.types.expected(), str::to_owned);
    if !value.is_empty() {
        let list = if rule.items.is_some() {
            "a list, each of it "
        } else {
            ""
        };
        let _ = writeln!(text, "\nWrite {list}{value}.");
    }
    if !shown.allowed.is_empty() {
        let words: Vec<String> = shown
            .allowed
            .iter()
            .map(|word| {
                word.as_str()
                    .map_or_else(|| word.to_string(), str::to_owned)
            })
            .collect();
        let _ = writeln!(text, "\nOne of: {}", words.join(", "));
    }
    if !shown.properties.is_empty() {
        let _ = writeln!(text, "\n{}", styled("Fields", STRONG, color));
        let width = shown
            .properties
            .iter()
            .map(|(name, _)| name.len())
            .max()
            .unwrap_or(0);
        for (name, property) in &shown.properties {
            let followed = set.follow(property);
            let purpose = if property.description.is_empty() {
                &followed.description
            } else {
                &property.description
            };
            let required = if shown.required.contains(name) {
                styled(" (required)", DIM, color)
            } else {
                String::new()
            };
            let name = styled(&format!("{name:<width$}"), NAME, color);
            let _ = writeln!(text, "  {name}  {}{required}", first_sentence(purpose));
        }
    }
    Ok(text)
}

/// The rule of a list's items, for a list.
fn inner(rule: &'static SchemaRule) -> &'static SchemaRule {
    let mut rule = schemas::own().follow(rule);
    while let Some(items) = &rule.items {
        rule = schemas::own().follow(items);
    }
    rule
}

fn first_sentence(text: &str) -> String {
    let line = text.replace('\n', " ");
    match line.find(". ") {
        Some(end) => line[..=end].to_owned(),
        None => line,
    }
}
