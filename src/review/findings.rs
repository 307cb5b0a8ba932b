//! Which findings are new, gone, or still there, and which are newly accepted.

use std::collections::HashMap;

use tenantry_syntax::diagnostics::{Accepted, Diagnostic, Sources};

/// The findings of a head, compared with those of its base.
#[derive(Debug, Default)]
pub struct Compared {
    /// Not there before.
    pub new: Vec<Diagnostic>,
    /// Not there any more.
    pub fixed: Vec<Diagnostic>,
    /// There before, too.
    pub old: Vec<Diagnostic>,
}

/// Compares. A finding is the same when its code or policy, its message and its file are; lines move.
pub fn compare(before: Vec<Diagnostic>, after: Vec<Diagnostic>, sources: &Sources) -> Compared {
    let key = |finding: &Diagnostic| {
        let file = finding.primary.as_ref().map(|label| label.span.file);
        let path = file.map_or("", |file| sources.path(file)).to_owned();
        (
            finding.rule_id().to_owned(),
            finding.severity,
            finding.message.clone(),
            path,
        )
    };
    let mut known: HashMap<_, Vec<Diagnostic>> = HashMap::new();
    for finding in before.into_iter().rev() {
        known.entry(key(&finding)).or_default().push(finding);
    }
    let (mut new, mut old) = (Vec::new(), Vec::new());
    for finding in after {
        match known.get_mut(&key(&finding)).and_then(Vec::pop) {
            Some(_) => old.push(finding),
            None => new.push(finding),
        }
    }
    let mut fixed: Vec<Diagnostic> = known.into_values().flatten().collect();
    fixed.sort_by_cached_key(|finding| {
        let (rule, _, message, path) = key(finding);
        (path, rule, message)
    });
    Compared { new, fixed, old }
}

/// The findings that a waiver accepts now, and did not before.
pub fn newly_waived(compared: &Compared) -> Vec<Diagnostic> {
    let is_waived =
        |finding: &&Diagnostic| matches!(finding.accepted, Some(Accepted::Waived { .. }));
    compared.new.iter().filter(is_waived).cloned().collect()
}
