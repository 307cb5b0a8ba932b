//! What moving clusters to another Kubernetes version does: findings that come, stay and go.

use std::collections::HashSet;

use serde_json::{Value as Json, json};

use super::{json, text};
use tenantry_kubernetes::versions::FIELD_VERSIONS;
use tenantry_syntax::diagnostics::catalogue::verify as codes;
use tenantry_syntax::diagnostics::{Diagnostic, Severity, Sources};

/// The version of the form for tools.
const FORMAT_VERSION: &str = "1";

/// A format of the report.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum UpgradeFormat {
    /// For people at a terminal.
    Text,
    /// For tools; carries `formatVersion`.
    Json,
}

impl UpgradeFormat {
    /// All formats by name.
    pub const ALL: [(&'static str, UpgradeFormat); 2] =
        [("text", UpgradeFormat::Text), ("json", UpgradeFormat::Json)];
}

/// A cluster that moves.
#[derive(Clone, Debug)]
pub struct ClusterUpgrade {
    /// Its name.
    pub name: String,
    /// The version that it runs.
    pub from: String,
    /// Whether it is judged by a dump of its API today, which says nothing of another version.
    pub had_dump: bool,
}

/// The report.
pub struct UpgradeReport<'a> {
    to: String,
    clusters: Vec<ClusterUpgrade>,
    /// Errors and denials that come.
    breaks: Vec<Diagnostic>,
    /// API versions that are deprecated then, whether they are so today or not.
    deprecated: Vec<Diagnostic>,
    /// Other findings that come.
    others: Vec<Diagnostic>,
    /// Errors that are there already.
    already: usize,
    sources: &'a Sources,
    /// Findings that go, and their sources.
    fixed: Vec<Diagnostic>,
    sources_before: &'a Sources,
}

/// What makes two findings of two compilations the same.
fn key(finding: &Diagnostic, sources: &Sources) -> (String, String, String, usize) {
    let span = finding.primary.as_ref().map(|label| label.span);
    let (path, start) = span.map_or((String::new(), 0), |span| {
        (sources.path(span.file).to_owned(), span.start as usize)
    });
    (
        finding.rule_id().to_owned(),
        finding.message.clone(),
        path,
        start,
    )
}

impl<'a> UpgradeReport<'a> {
    /// Compares the findings of both versions, each with the sources that they point into.
    pub fn new(
        to: String,
        clusters: Vec<ClusterUpgrade>,
        (before, sources_before): (&[Diagnostic], &'a Sources),
        (after, sources): (&[Diagnostic], &'a Sources),
    ) -> UpgradeReport<'a> {
        let known: HashSet<_> = before
            .iter()
            .map(|finding| key(finding, sources_before))
            .collect();
        let stays: HashSet<_> = after.iter().map(|finding| key(finding, sources)).collect();
        let mut report = UpgradeReport {
            to,
            clusters,
            breaks: Vec::new(),
            deprecated: Vec::new(),
            others: Vec::new(),
            already: 0,
            sources,
            fixed: Vec::new(),
            sources_before,
        };
        for finding in after {
            let is_known = known.contains(&key(finding, sources));
            let kind = match (finding.severity, is_known) {
                _ if finding.code == codes::DEPRECATED_API => &mut report.deprecated,
                (Severity::Error, false) => &mut report.breaks,
                (Severity::Error, true) => {
                    report.already += 1;
                    continue;
                }
                (_, false) => &mut report.others,
                (_, true) => continue,
            };
            kind.push(finding.clone());
        }
        let goes = before
            .iter()
            .filter(|finding| !stays.contains(&key(finding, sources_before)));
        report.fixed = goes
            .filter(|finding| finding.code != codes::DEPRECATED_API)
            .cloned()
            .collect();
        report
    }

    /// Whether something would break.
    pub fn breaks(&self) -> bool {
        !self.breaks.is_empty()
    }

    /// Writes it.
    pub fn write(&self, format: UpgradeFormat, color: bool) -> String {
        match format {
            UpgradeFormat::Text => self.text(color),
            UpgradeFormat::Json => self.json(),
        }
    }

    fn text(&self, color: bool) -> String {
        let moves: Vec<String> = self
            .clusters
            .iter()
            .map(|one| format!("{} ({})", one.name, one.from))
            .collect();
        let mut out = format!(
            "Upgrade to Kubernetes {}: {}\n\n",
            self.to,
            moves.join(", ")
        );
        let sections = [
            ("Breaks", &self.breaks, self.sources),
            ("Deprecated", &self.deprecated, self.sources),
            ("New findings", &self.others, self.sources),
            ("Fixed", &self.fixed, self.sources_before),
        ];
        for (title, findings, sources) in sections {
            if !findings.is_empty() {
                out += &format!(
                    "{title}: {}\n\n{}",
                    findings.len(),
                    text::write(findings, sources, color)
                );
            }
        }
        for note in self.notes() {
            out += &format!("note: {note}\n");
        }
        out += &match (self.breaks.len(), self.deprecated.len()) {
            (0, 0) => "Nothing breaks, and nothing is deprecated.\n".to_owned(),
            (0, deprecated) => format!("Nothing breaks; {deprecated} deprecated.\n"),
            (breaks, deprecated) => {
                format!("{breaks} to fix before the upgrade; {deprecated} deprecated.\n")
            }
        };
        out
    }

    /// What the report does not show.
    fn notes(&self) -> Vec<String> {
        let mut notes = Vec::new();
        if self.already > 0 {
            notes.push(format!(
                "{} errors of today are not listed; `tenantry check` shows them",
                self.already
            ));
        }
        let with_dump: Vec<&str> = self
            .clusters
            .iter()
            .filter(|one| one.had_dump)
            .map(|one| one.name.as_str())
            .collect();
        if !with_dump.is_empty() {
            notes.push(format!(
                "the API dump of {} is left out, since it describes the version of today",
                with_dump.join(", ")
            ));
        }
        let minor = tenantry_kubernetes::versions::minor(&self.to);
        if minor.is_some_and(|minor| !FIELD_VERSIONS.contains(&minor)) {
            notes.push(format!("the fields of {} are not built in; kinds are judged, fields by the nearest version", self.to));
        }
        notes
    }

    fn json(&self) -> String {
        let list = |findings: &[Diagnostic], sources: &Sources| -> Vec<Json> {
            let findings = findings
                .iter()
                .map(|finding| json::of_finding(finding, sources));
            findings
                .map(|finding| serde_json::to_value(finding).unwrap_or_default())
                .collect()
        };
        let clusters: Vec<Json> = self
            .clusters
            .iter()
            .map(|one| json!({"name": one.name, "from": one.from}))
            .collect();
        let document = json!({
            "formatVersion": FORMAT_VERSION,
            "to": self.to,
            "clusters": clusters,
            "breaks": list(&self.breaks, self.sources),
            "deprecated": list(&self.deprecated, self.sources),
            "new": list(&self.others, self.sources),
            "fixed": list(&self.fixed, self.sources_before),
            "errorsToday": self.already,
            "notes": self.notes(),
        });
        serde_json::to_string_pretty(&document).unwrap_or_default() + "\n"
    }
}
