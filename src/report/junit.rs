//! `JUnit` XML, which test reports of most CI systems read: one failed test for each finding; those
//! that do not stop the work passed, with what they say as output.
//! <https://github.com/testmoapp/junitxml>

use std::fmt::Write as _;

use tenantry_syntax::diagnostics::{Diagnostic, Severity, Sources, printable};

/// All findings as one test suite.
pub fn write(findings: &[Diagnostic], sources: &Sources) -> String {
    let failures = findings
        .iter()
        .filter(|finding| finding.severity == Severity::Error)
        .count();
    let tests = findings.len().max(1);
    let mut text = format!(
        "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<testsuites name=\"tenantry\" tests=\"{tests}\" failures=\"{failures}\">\n  <testsuite name=\"tenantry\" tests=\"{tests}\" failures=\"{failures}\">\n"
    );
    if findings.is_empty() {
        text.push_str("    <testcase classname=\"tenantry\" name=\"no findings\"/>\n");
    }
    for finding in findings {
        test(finding, sources, &mut text);
    }
    text.push_str("  </testsuite>\n</testsuites>\n");
    text
}

fn test(finding: &Diagnostic, sources: &Sources, text: &mut String) {
    let place = finding.primary.as_ref().map(|label| {
        let position = sources.position(label.span.file, label.span.start);
        (sources.path_in_git(label.span.file), position.line)
    });
    let mut attributes = format!(
        "classname=\"{}\" name=\"{}\"",
        escaped(&format!("{} {}", finding.rule_id(), finding.rule_title())),
        escaped(&finding.message)
    );
    let mut body = finding.message.clone();
    if let Some((path, line)) = place {
        let _ = write!(attributes, " file=\"{}\" line=\"{line}\"", escaped(&path));
        let _ = write!(body, "\nat {path}:{line}");
    }
    for note in &finding.notes {
        let _ = write!(body, "\nnote: {note}");
    }
    if let Some(help) = &finding.help {
        let _ = write!(body, "\nhelp: {help}");
    }
    let body = escaped(&body);
    let inner = match finding.severity {
        Severity::Error => {
            let message = escaped(&finding.message);
            format!("<failure type=\"error\" message=\"{message}\">{body}</failure>")
        }
        other => format!("<system-out>{}: {body}</system-out>", other.name()),
    };
    let _ = writeln!(text, "    <testcase {attributes}>{inner}</testcase>");
}

/// Text for XML, which has no escape for most control characters: they are shown as a mark.
pub(crate) fn escaped(text: &str) -> String {
    let allowed = |c: char| !matches!(c, '\u{fffe}' | '\u{ffff}');
    let mut escaped = String::new();
    for c in printable(text).chars().filter(|c| allowed(*c)) {
        match c {
            '&' => escaped.push_str("&amp;"),
            '<' => escaped.push_str("&lt;"),
            '>' => escaped.push_str("&gt;"),
            '"' => escaped.push_str("&quot;"),
            '\n' => escaped.push_str("&#10;"),
            '\t' => escaped.push_str("&#9;"),
            c => escaped.push(c),
        }
    }
    escaped
}
