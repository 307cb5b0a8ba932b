//! Which findings are new, gone, or still there.

use std::collections::HashMap;

use crate::diagnostics::{Diagnostic, Sources};

/// New, fixed and unchanged findings. A finding is the same when its code, its message and its file
/// are; lines move.
pub fn compare(
    before: Vec<Diagnostic>,
    after: Vec<Diagnostic>,
    sources: &Sources,
) -> (Vec<Diagnostic>, Vec<Diagnostic>, Vec<Diagnostic>) {
    let key = |finding: &Diagnostic| {
        let file = finding.primary.as_ref().map(|label| label.span.file);
        let path = file.map_or("", |file| sources.path(file)).to_owned();
        (
            finding.code,
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
        let (code, _, message, path) = key(finding);
        (path, code.id, message)
    });
    (new, fixed, old)
}
