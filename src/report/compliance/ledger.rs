//! The ledger: one line for each run, chained by SHA-256, so that nothing in it can be changed,
//! left out or put in without breaking the chain. It proves order, not authorship: sign the report.

use std::collections::BTreeMap;

use serde_json::{Value, json};

use super::{Report, Status, sha256, tree_digest};

/// What the first entry names as the one before.
const BEGINNING: &str = "0000000000000000000000000000000000000000000000000000000000000000";

/// The line that a run adds to a ledger; `reports` are the digests of the reports it wrote, by path.
///
/// # Errors
/// The ledger is broken already.
pub fn entry(
    ledger: &str,
    report: &Report<'_>,
    reports: &BTreeMap<String, String>,
) -> Result<String, Vec<String>> {
    let entries = verify(ledger)?;
    let scope = report.scope;
    let previous = entries
        .last()
        .and_then(|entry| entry["hash"].as_str())
        .unwrap_or(BEGINNING);
    let mut summary = serde_json::Map::new();
    for framework in &report.frameworks {
        let mut tally = serde_json::Map::new();
        for status in Status::ALL {
            let number: usize = framework
                .tenants
                .iter()
                .map(|tenant| tenant.tally().get(&status).copied().unwrap_or(0))
                .sum();
            tally.insert(status.name().to_owned(), json!(number));
        }
        summary.insert(framework.framework.name.clone(), Value::Object(tally));
    }
    let mut entry = json!({
        "sequence": entries.len() + 1,
        "previous": previous,
        "asOf": scope.as_of,
        "platform": scope.platform,
        "commit": scope.commit,
        "toolVersion": env!("CARGO_PKG_VERSION"),
        "inputDigest": scope.input_digest,
        "policyDigest": scope.policy_digest,
        "outputDigest": if scope.output.is_empty() { Value::Null } else { json!(tree_digest(&scope.output)) },
        "reports": reports,
        "summary": summary,
    });
    let hash = sha256(canonical(&entry));
    entry["hash"] = json!(hash);
    Ok(canonical(&entry) + "\n")
}

/// JSON with sorted keys and no spaces: the same bytes for the same value.
/// <https://www.rfc-editor.org/rfc/rfc8785>, for texts, whole numbers, lists and maps.
fn canonical(value: &Value) -> String {
    match value {
        Value::Object(map) => {
            let sorted: BTreeMap<&String, &Value> = map.iter().collect();
            let entries: Vec<String> = sorted
                .into_iter()
                .map(|(key, value)| format!("{}:{}", json!(key), canonical(value)))
                .collect();
            format!("{{{}}}", entries.join(","))
        }
        Value::Array(items) => {
            let items: Vec<String> = items.iter().map(canonical).collect();
            format!("[{}]", items.join(","))
        }
        other => other.to_string(),
    }
}

/// Recomputes the chain; the entries, the first run first.
///
/// # Errors
/// Everything that is wrong with it, by its line.
pub fn verify(ledger: &str) -> Result<Vec<Value>, Vec<String>> {
    let mut entries = Vec::new();
    let mut problems = Vec::new();
    let mut previous = BEGINNING.to_owned();
    if !ledger.is_empty() && !ledger.ends_with('\n') {
        problems.push("the last line is cut off".to_owned());
    }
    for (at, line) in ledger.split_terminator('\n').enumerate() {
        let number = at + 1;
        let Ok(mut entry) = serde_json::from_str::<Value>(line) else {
            problems.push(format!("line {number} is no entry"));
            continue;
        };
        let hash = entry["hash"].as_str().unwrap_or_default().to_owned();
        // Two texts of one value would be two ledgers with one hash.
        let is_canonical = canonical(&entry) == line;
        if let Some(map) = entry.as_object_mut() {
            map.remove("hash");
        }
        if !is_canonical || sha256(canonical(&entry)) != hash {
            problems.push(format!(
                "line {number} was altered: its hash is not that of its content"
            ));
        }
        if entry["previous"].as_str() != Some(previous.as_str()) {
            problems.push(format!("line {number} does not follow the line before it: one was altered, left out or put in"));
        }
        if entry["sequence"].as_u64() != Some(number as u64) {
            problems.push(format!(
                "line {number} says that it is entry {}",
                entry["sequence"]
            ));
        }
        previous.clone_from(&hash);
        entry["hash"] = json!(hash);
        entries.push(entry);
    }
    if problems.is_empty() {
        Ok(entries)
    } else {
        Err(problems)
    }
}
