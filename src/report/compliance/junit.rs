//! A test for each control, for the test reports of any CI.

use std::fmt::Write as _;

use super::{ControlReport, Report, Status};
use crate::report::junit::escaped;

/// One test suite for each framework and tenant.
pub fn write(report: &Report<'_>) -> String {
    let mut suites = String::new();
    let (mut tests, mut failures) = (0, 0);
    for framework in &report.frameworks {
        for tenant in &framework.tenants {
            let name = format!("{} / {}", framework.framework.name, tenant.tenant);
            let count = |status: Status| tenant.tally().get(&status).copied().unwrap_or(0);
            let skipped: usize = [
                Status::Manual,
                Status::NotCovered,
                Status::NotApplicable,
                Status::Undecided,
            ]
            .map(count)
            .iter()
            .sum();
            tests += tenant.controls.len();
            failures += count(Status::Fail);
            let _ = writeln!(
                suites,
                "  <testsuite name=\"{}\" tests=\"{}\" failures=\"{}\" skipped=\"{skipped}\">",
                escaped(&name),
                tenant.controls.len(),
                count(Status::Fail)
            );
            for control in &tenant.controls {
                test(report, control, &name, &mut suites);
            }
            suites.push_str("  </testsuite>\n");
        }
    }
    format!(
        "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<testsuites name=\"tenantry compliance\" tests=\"{tests}\" failures=\"{failures}\">\n{suites}</testsuites>\n"
    )
}

fn test(report: &Report<'_>, control: &ControlReport<'_>, suite: &str, text: &mut String) {
    let name = format!("{} {}", control.control.id, control.control.title);
    let _ = write!(
        text,
        "    <testcase classname=\"{}\" name=\"{}\">",
        escaped(suite),
        escaped(&name)
    );
    let lines: Vec<String> = control
        .policies
        .iter()
        .flat_map(|policy| &policy.records)
        .map(|at| {
            let record = &report.evidence.records[*at];
            let place = report.place(record.place);
            let place = place.map_or(String::new(), |(path, line)| format!("{path}:{line}: "));
            format!("{place}{} ({})", record.message, record.policy)
        })
        .collect();
    let body = escaped(&lines.join("\n"));
    match control.status {
        Status::Fail => {
            let _ = write!(
                text,
                "<failure type=\"policy\" message=\"{}\">{body}</failure>",
                escaped(&first(&lines))
            );
        }
        Status::Waived => {
            let _ = write!(text, "<system-out>waived: {body}</system-out>");
        }
        Status::Pass => {}
        other => {
            let _ = write!(text, "<skipped message=\"{}\"/>", other.name());
        }
    }
    text.push_str("</testcase>\n");
}

fn first(lines: &[String]) -> String {
    match lines {
        [] => String::new(),
        [only] => only.clone(),
        [first, rest @ ..] => format!("{first}, and {} more", rest.len()),
    }
}
