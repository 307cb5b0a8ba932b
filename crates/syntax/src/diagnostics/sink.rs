//! Where stages put what they find.

use std::collections::HashMap;
use std::collections::hash_map::Entry;

use super::{Diagnostic, Sources, Span};

/// Collects findings, so that all of them are shown and not only the first.
#[derive(Clone, Debug, Default)]
pub struct Sink {
    findings: Vec<Diagnostic>,
}

impl Sink {
    /// Adds a finding.
    pub fn push(&mut self, diagnostic: Diagnostic) {
        self.findings.push(diagnostic);
    }

    /// Takes over the findings of another sink.
    pub fn append(&mut self, other: Sink) {
        self.findings.extend(other.findings);
    }

    /// Keeps only some findings.
    pub fn retain(&mut self, keep: impl FnMut(&Diagnostic) -> bool) {
        self.findings.retain(keep);
    }

    /// All findings so far.
    pub fn iter_mut(&mut self) -> impl Iterator<Item = &mut Diagnostic> {
        self.findings.iter_mut()
    }

    /// Whether nothing was found.
    pub fn is_empty(&self) -> bool {
        self.findings.is_empty()
    }

    /// Whether anything here must be fixed before something can be rendered.
    pub fn has_errors(&self) -> bool {
        self.findings.iter().any(Diagnostic::is_error)
    }

    /// Whether a policy denies something that could be rendered.
    pub fn has_denials(&self) -> bool {
        self.findings.iter().any(Diagnostic::is_denial)
    }

    /// All findings, sorted by file and place. A finding that many instances share is told once,
    /// with a count.
    pub fn finish(self, sources: &Sources) -> Vec<Diagnostic> {
        let mut findings = self.findings;
        findings.sort_by_cached_key(|finding| sort_key(finding, sources));
        let mut kept: Vec<Diagnostic> = Vec::new();
        let mut seen: HashMap<FindingKey, usize> = HashMap::new();
        for finding in findings {
            // Without a place, only a repetition to the letter is the same finding.
            let Some(place) = finding.primary.as_ref().map(|label| label.span) else {
                if !kept.contains(&finding) {
                    kept.push(finding);
                }
                continue;
            };
            let key = (
                finding.rule_id().to_owned(),
                // One that is waived does not stand for one that is not.
                finding.standing(),
                place,
                finding.message.clone(),
            );
            match seen.entry(key) {
                Entry::Occupied(first) => kept[*first.get()].repeated += 1,
                Entry::Vacant(entry) => {
                    entry.insert(kept.len());
                    kept.push(finding);
                }
            }
        }
        kept
    }
}

/// What makes findings the same: rule, standing, place and message.
type FindingKey = (String, &'static str, Span, String);

type SortKey = (bool, String, u32, u32, String, &'static str, String, String);

fn sort_key(finding: &Diagnostic, sources: &Sources) -> SortKey {
    let place = finding.primary.as_ref().map(|label| label.span);
    let path = place
        .map(|span| sources.path(span.file).to_owned())
        .unwrap_or_default();
    let (start, end) = place.map_or((0, 0), |span| (span.start, span.end));
    (
        place.is_none(),
        path,
        start,
        end,
        finding.rule_id().to_owned(),
        finding.standing(),
        finding.message.clone(),
        // Units come in any order; of findings that are told once, the same one is kept.
        finding.notes.join("\n"),
    )
}
