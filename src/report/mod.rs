//! Findings and reviews as people and tools read them: one file per format.
//!
//! To add a format, add a file and its line in [`Format`].

pub mod codeowners;
pub mod compliance;
pub mod figures;
pub mod github;
pub mod gitlab;
pub mod graph;
pub mod isolation;
pub mod json;
pub mod junit;
pub mod pages;
pub mod review;
pub mod sarif;
pub mod table;
pub mod text;
pub mod upgrade;

use std::collections::BTreeSet;

use sha2::{Digest as _, Sha256};

use crate::model::change::{Review, RiskClass};
use tenantry_syntax::diagnostics::{Diagnostic, Severity, Sources};

/// A format of findings and reviews.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Format {
    /// For people at a terminal.
    Text,
    /// For tools; carries `formatVersion`.
    Json,
    /// For the comment of a pull request; of a review.
    Markdown,
    /// Annotations of GitHub Actions.
    Github,
    /// Code Quality of GitLab.
    Gitlab,
    /// For code scanning: SARIF 2.1.0.
    Sarif,
    /// For test reports of any CI.
    Junit,
    /// A page to explore; of a review.
    Html,
}

impl Format {
    /// All formats by name.
    pub const ALL: [(&'static str, Format); 8] = [
        ("text", Format::Text),
        ("json", Format::Json),
        ("markdown", Format::Markdown),
        ("github", Format::Github),
        ("gitlab", Format::Gitlab),
        ("sarif", Format::Sarif),
        ("junit", Format::Junit),
        ("html", Format::Html),
    ];

    /// Whether findings alone can be written so; reviews can be written in every format.
    pub fn takes_findings(self) -> bool {
        !matches!(self, Format::Markdown | Format::Html)
    }
}

/// Findings in a format that takes them; `color` counts for text only.
pub fn findings(format: Format, findings: &[Diagnostic], sources: &Sources, color: bool) -> String {
    match format {
        Format::Text | Format::Markdown | Format::Html => text::write(findings, sources, color),
        Format::Json => json::write(findings, sources),
        Format::Sarif => sarif::write(findings, sources, &[]),
        Format::Github => github::write(findings, sources),
        Format::Gitlab => gitlab::write(findings, sources),
        Format::Junit => junit::write(findings, sources),
    }
}

/// A review in a format; `denied` are the classes of risks that are not allowed, `has_errors` says
/// that the head cannot be rendered in full.
pub fn review(
    format: Format,
    review: &Review,
    sources: &Sources,
    denied: &BTreeSet<RiskClass>,
    has_errors: bool,
    color: bool,
) -> String {
    let as_findings = || review::as_findings(review, sources, denied);
    match format {
        Format::Text => review::text::write(review, sources, denied, has_errors, color),
        Format::Json => review::json::write(review, sources, denied, has_errors),
        Format::Markdown => review::markdown::write(review, sources, denied, has_errors),
        Format::Html => review::html::write(review, denied, has_errors),
        Format::Github => github::write(&as_findings(), sources),
        Format::Gitlab => gitlab::write(&as_findings(), sources),
        Format::Junit => junit::write(&as_findings(), sources),
        Format::Sarif if review.findings_compared => {
            sarif::write(&as_findings(), sources, &review.old_findings)
        }
        Format::Sarif => sarif::write(
            &[as_findings(), review.old_findings.clone()].concat(),
            sources,
            &[],
        ),
    }
}

/// How many findings of each severity there are, for people, and how many do not count: `2 errors, 1 waived`.
pub fn tally(findings: &[Diagnostic]) -> String {
    let count = |severity: Severity| {
        let found = findings.iter().filter(|finding| finding.accepted.is_none());
        found.filter(|finding| finding.severity == severity).count()
    };
    let standing = |word: &str| {
        let found = findings.iter().filter(|finding| finding.accepted.is_some());
        found.filter(|finding| finding.standing() == word).count()
    };
    let mut parts: Vec<String> = [Severity::Error, Severity::Warning, Severity::Note]
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
    for word in ["waived", "known"] {
        match standing(word) {
            0 => {}
            count => parts.push(format!("{count} {word}")),
        }
    }
    if parts.is_empty() {
        "no findings".to_owned()
    } else {
        parts.join(", ")
    }
}

/// What a finding is known by although lines move.
fn fingerprint(finding: &Diagnostic, sources: &Sources) -> String {
    let path = finding
        .primary
        .as_ref()
        .map_or("", |label| sources.path(label.span.file));
    // A risk that follows from several lines of a file is told once for each.
    let label = finding
        .primary
        .as_ref()
        .filter(|_| finding.code.id.starts_with("T07"))
        .map_or("", |label| label.message.as_str());
    Sha256::digest(format!(
        "{}\n{path}\n{}{label}",
        finding.rule_id(),
        finding.message
    ))
    .iter()
    .take(16)
    .map(|byte| format!("{byte:02x}"))
    .collect()
}
