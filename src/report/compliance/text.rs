//! A summary for a terminal: each framework and tenant in a line, and what fails below.

use std::fmt::Write as _;

use anstyle::{AnsiColor, Style};

use super::{Report, Status};
use tenantry_syntax::diagnostics::printable;

const STRONG: Style = Style::new().bold();

fn paint(text: &str, style: Style, color: bool) -> String {
    if color {
        format!("{style}{text}{style:#}")
    } else {
        text.to_owned()
    }
}

fn style_of(status: Status) -> Style {
    match status {
        Status::Fail => AnsiColor::Red.on_default().bold(),
        Status::Waived | Status::Undecided => AnsiColor::Yellow.on_default(),
        Status::Pass => AnsiColor::Green.on_default(),
        _ => Style::new().dimmed(),
    }
}

/// The summary.
pub fn write(report: &Report<'_>, color: bool) -> String {
    let mut text = String::new();
    for framework in &report.frameworks {
        let spec = &framework.framework.spec;
        let edition = spec
            .edition
            .as_deref()
            .map_or(String::new(), |edition| format!(", {edition}"));
        let _ = writeln!(
            text,
            "{}\n",
            paint(&format!("{}{edition}", spec.title), STRONG, color)
        );
        let width = framework
            .tenants
            .iter()
            .map(|tenant| tenant.tenant.len())
            .max()
            .unwrap_or(0)
            .max(6);
        let _ = write!(text, "  {:<width$}", "tenant");
        for status in Status::ALL {
            let _ = write!(text, "  {:>14}", status.name());
        }
        text.push('\n');
        for tenant in &framework.tenants {
            let tally = tenant.tally();
            let _ = write!(text, "  {:<width$}", tenant.tenant);
            for status in Status::ALL {
                let number = tally.get(&status).copied().unwrap_or(0);
                let cell = format!(
                    "{:>14}",
                    if number == 0 {
                        "·".to_owned()
                    } else {
                        number.to_string()
                    }
                );
                let shown = if number == 0 {
                    paint(&cell, Style::new().dimmed(), color)
                } else {
                    paint(&cell, style_of(status), color)
                };
                let _ = write!(text, "  {shown}");
            }
            text.push('\n');
        }
        failing(report, framework, color, &mut text);
        text.push('\n');
    }
    if report.frameworks.is_empty() {
        text.push_str("No framework is followed: name one in the Platform's `frameworks` or a tenant's `compliance`.\n");
    }
    for reason in &report.scope.not_evaluated {
        let _ = writeln!(text, "not evaluated: {}", printable(reason));
    }
    for change in &report.scope.weakened {
        let _ = writeln!(text, "weaker than the base: {}", printable(change));
    }
    text
}

fn failing(
    report: &Report<'_>,
    framework: &super::FrameworkReport<'_>,
    color: bool,
    text: &mut String,
) {
    /// Most findings that are shown of a control.
    const MOST: usize = 3;
    let mut begun = false;
    for tenant in &framework.tenants {
        for control in tenant
            .controls
            .iter()
            .filter(|control| control.status == Status::Fail)
        {
            if !begun {
                text.push('\n');
                begun = true;
            }
            let title = format!(
                "{} {}: {}",
                tenant.tenant, control.control.id, control.control.title
            );
            let _ = writeln!(
                text,
                "  {} {}",
                paint("fail", style_of(Status::Fail), color),
                title
            );
            let records: Vec<_> = control
                .policies
                .iter()
                .flat_map(|policy| &policy.records)
                .map(|at| &report.evidence.records[*at])
                .filter(|record| record.accepted.is_none())
                .collect();
            for record in records.iter().take(MOST) {
                let place = report
                    .place(record.place)
                    .map_or(String::new(), |(path, line)| format!("  {path}:{line}"));
                let _ = writeln!(text, "       {}{place}", printable(&record.message));
            }
            if records.len() > MOST {
                let _ = writeln!(text, "       … and {} more", records.len() - MOST);
            }
        }
    }
}
