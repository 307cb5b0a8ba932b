//! A baseline: findings that were there when it was written, and do not count. It lets an old
//! repository start strict.

use std::collections::BTreeSet;

use serde_json::{Value as Json, json};

use crate::model::verdict::{Evidence, VerdictSubject};
use tenantry_syntax::diagnostics::catalogue::policy as codes;
use tenantry_syntax::diagnostics::{Diagnostic, Sink};

/// The version of the file's form.
const FORMAT_VERSION: u64 = 1;

/// A finding that is known, whatever its message says.
pub type KnownFinding = (String, VerdictSubject);

/// The findings that are known.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Baseline {
    /// What people call it: its path.
    pub name: String,
    known: BTreeSet<KnownFinding>,
}

impl Baseline {
    /// Reads a baseline's JSON.
    ///
    /// # Errors
    /// What is wrong with the text.
    pub fn parse(name: &str, text: &str) -> Result<Baseline, String> {
        let json: Json =
            serde_json::from_str(text).map_err(|error| format!("it is no JSON: {error}"))?;
        if json["formatVersion"].as_u64() != Some(FORMAT_VERSION) {
            return Err(format!(
                "it is no baseline: `formatVersion` is not {FORMAT_VERSION}"
            ));
        }
        let findings = json["findings"]
            .as_array()
            .ok_or("it is no baseline: it has no list of `findings`")?;
        let known = findings.iter().map(|finding| {
            let text = |key: &str| finding[key].as_str().unwrap_or_default().to_owned();
            let subject = VerdictSubject {
                tenant: text("tenant"),
                environment: text("environment"),
                cluster: text("cluster"),
                component: text("component"),
                object: text("object"),
                path: text("path"),
            };
            (text("policy"), subject)
        });
        Ok(Baseline {
            name: name.to_owned(),
            known: known.collect(),
        })
    }

    /// The findings of a run that no waiver excepts, as a baseline's JSON; of those, what an earlier
    /// baseline knew.
    pub fn write(evidence: &Evidence, earlier: Option<&Baseline>) -> String {
        let standing = evidence.records.iter().filter(|record| {
            !matches!(
                record.accepted,
                Some(tenantry_syntax::diagnostics::Accepted::Waived { .. })
            )
        });
        let known: BTreeSet<KnownFinding> = standing
            .map(|record| (record.policy.clone(), record.subject.clone()))
            .filter(|known| earlier.is_none_or(|earlier| earlier.known.contains(known)))
            .collect();
        let findings: Vec<Json> = known
            .into_iter()
            .map(|(policy, subject)| {
                let mut finding = json!({"policy": policy});
                for (key, value) in [
                    ("tenant", subject.tenant),
                    ("environment", subject.environment),
                    ("cluster", subject.cluster),
                    ("component", subject.component),
                    ("object", subject.object),
                    ("path", subject.path),
                ] {
                    if !value.is_empty() {
                        finding[key] = Json::from(value);
                    }
                }
                finding
            })
            .collect();
        let json = json!({"formatVersion": FORMAT_VERSION, "findings": findings});
        serde_json::to_string_pretty(&json).unwrap_or_default() + "\n"
    }

    /// Whether a finding is known.
    pub fn accepts(&self, policy: &str, subject: &VerdictSubject) -> Option<KnownFinding> {
        let known = (policy.to_owned(), subject.clone());
        self.known.contains(&known).then_some(known)
    }

    /// Tells how many findings are fixed.
    pub fn shrunk(&self, still_there: &BTreeSet<KnownFinding>, sink: &mut Sink) {
        let fixed = self.known.difference(still_there).count();
        if fixed == 0 {
            return;
        }
        let message = match fixed {
            1 => format!("a finding of the baseline {} is fixed", self.name),
            many => format!("{many} findings of the baseline {} are fixed", self.name),
        };
        sink.push(
            Diagnostic::new(codes::BASELINE_SHRINKS, message)
                .help("write it anew with `--update-baseline`, so that they cannot come back"),
        );
    }
}
