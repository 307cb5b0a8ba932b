//! Findings as people and tools read them: one file per format.
//!
//! To add a format, add a file and its line in [`Format`].

pub mod github;
pub mod json;
pub mod sarif;
pub mod text;

use crate::diagnostics::{Diagnostic, Severity, Sources};

/// A format of findings.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Format {
    /// For people at a terminal.
    Text,
    /// For tools; carries `formatVersion`.
    Json,
    /// For code scanning: SARIF 2.1.0.
    Sarif,
    /// Annotations of GitHub Actions.
    Github,
}

impl Format {
    /// All formats by name.
    pub const ALL: [(&'static str, Format); 4] = [
        ("text", Format::Text),
        ("json", Format::Json),
        ("sarif", Format::Sarif),
        ("github", Format::Github),
    ];
}

/// Findings in a format; `color` counts for text only.
pub fn findings(format: Format, findings: &[Diagnostic], sources: &Sources, color: bool) -> String {
    match format {
        Format::Text => text::write(findings, sources, color),
        Format::Json => json::write(findings, sources),
        Format::Sarif => sarif::write(findings, sources),
        Format::Github => github::write(findings, sources),
    }
}

/// How many findings of each severity there are, for people: `2 errors, 1 warning`.
pub fn tally(findings: &[Diagnostic]) -> String {
    let count = |severity: Severity| {
        findings
            .iter()
            .filter(|finding| finding.severity == severity)
            .count()
    };
    let parts: Vec<String> = [Severity::Error, Severity::Warning, Severity::Note]
        .into_iter()
        .map(|severity| (count(severity), severity.name()))
        .filter(|(count, _)| *count > 0)
        .map(|(count, name)| {
            if count == 1 {
                format!("1 {name}")
            } else {
                format!("{count} {name}s")
            }
        })
        .collect();
    if parts.is_empty() {
        "no findings".to_owned()
    } else {
        parts.join(", ")
    }
}
