//! Annotations of GitHub Actions, worst first: GitHub shows ten of each level.
//! <https://docs.github.com/actions/reference/workflow-commands-for-github-actions>

use tenantry_syntax::diagnostics::{Diagnostic, Severity, Sources, printable};

/// One line for each finding.
pub fn write(findings: &[Diagnostic], sources: &Sources) -> String {
    let mut sorted: Vec<&Diagnostic> = findings.iter().collect();
    sorted.sort_by_key(|finding| std::cmp::Reverse(finding.severity));
    sorted
        .into_iter()
        .map(|finding| line(finding, sources))
        .collect()
}

fn line(finding: &Diagnostic, sources: &Sources) -> String {
    let command = match finding.severity {
        Severity::Error => "error",
        Severity::Warning => "warning",
        Severity::Note => "notice",
    };
    let mut properties = Vec::new();
    if let Some(label) = finding
        .primary
        .as_ref()
        .filter(|label| sources.is_in_repository(label.span.file))
    {
        let start = sources.position(label.span.file, label.span.start);
        let end = sources.position(label.span.file, label.span.end);
        properties.push(format!(
            "file={}",
            property(&sources.path_in_git(label.span.file))
        ));
        properties.push(format!("line={}", start.line));
        properties.push(format!("endLine={}", end.line));
        // Columns are only understood within one line.
        if start.line == end.line {
            properties.push(format!("col={}", start.column));
            properties.push(format!("endColumn={}", end.column));
        }
    }
    properties.push(format!(
        "title={}",
        property(&format!("{} {}", finding.rule_id(), finding.rule_title()))
    ));
    let mut message = finding.message.clone();
    if let Some(help) = &finding.help {
        message.push_str("\nhelp: ");
        message.push_str(help);
    }
    format!("::{command} {}::{}\n", properties.join(","), data(&message))
}

fn data(text: &str) -> String {
    printable(text)
        .replace('%', "%25")
        .replace('\r', "%0D")
        .replace('\n', "%0A")
}

fn property(text: &str) -> String {
    data(text).replace(':', "%3A").replace(',', "%2C")
}
