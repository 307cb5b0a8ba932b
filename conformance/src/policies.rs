//! Verdicts of rules: `{rule, case, expected, real, verdicts, messages, object, compileTimeOnly?}`, for the rules of
//! `policies-0.1` and their own cases.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use anyhow::{Context as _, Result, anyhow};
use serde_json::{Value as Json, json};
use tenantry::diagnostics::{Sink, SourceFile, Sources};
use tenantry::policy::cases::{self, CaseObjects};
use tenantry::policy::rules::Rule;
use tenantry::validate;
use tenantry::yaml::parse::parse;

use super::{Cases, Tally};

/// The folder of the rules that were recorded, beside the file or in this crate's own data.
fn folder(cases: &Cases<'_>) -> PathBuf {
    let beside = cases.path.with_file_name("policies-0.1");
    if beside.is_dir() {
        return beside;
    }
    Path::new(env!("CARGO_MANIFEST_DIR")).join("data/policies-0.1")
}

/// All files below a folder, sorted.
fn files(folder: &Path) -> Result<Vec<PathBuf>> {
    let mut found = Vec::new();
    let mut pending = vec![folder.to_owned()];
    while let Some(folder) = pending.pop() {
        let entries = std::fs::read_dir(&folder).with_context(|| folder.display().to_string())?;
        for entry in entries {
            let path = entry?.path();
            if path.is_dir() {
                pending.push(path);
            } else {
                found.push(path);
            }
        }
    }
    found.sort();
    Ok(found)
}

/// The rules as they were recorded.
fn rules(folder: &Path) -> Result<Vec<Rule>> {
    let mut sources = Sources::default();
    let mut sink = Sink::default();
    let mut trees = Vec::new();
    for path in files(folder)? {
        let text = std::fs::read_to_string(&path).with_context(|| path.display().to_string())?;
        let parsed = parse(&text, u32::try_from(sources.len())?);
        sources.add(SourceFile {
            path: path.display().to_string(),
            text: text.into(),
            spans: parsed.spans,
            from_command_line: false,
        });
        trees.extend(parsed.documents);
    }
    let validated = validate::run(&trees, &BTreeMap::new(), &sources, &mut sink);
    let documents: Vec<_> = validated.catalog.policies.iter().cloned().collect();
    let rules = cases::compile(&documents, &[], &sources, &mut sink);
    if rules.is_empty() {
        return Err(anyhow!("{} has no rules", folder.display()));
    }
    Ok(rules)
}

/// What a rule says of a case: verdicts of its validations, and the messages of those that deny.
fn answer(
    rule: &Rule,
    case: (&'static str, usize),
    form: CaseObjects,
) -> (Vec<&'static str>, Vec<String>) {
    let decisions = cases::decisions(rule, case.0, case.1, form);
    let words = decisions.iter().map(|decision| decision.word).collect();
    let denied = decisions.iter().filter(|decision| decision.word == "deny");
    let messages = denied.map(|decision| decision.message.clone());
    (words, messages.collect())
}

/// Whether messages say the same: a list that comes of a map's keys has no order.
fn same(ours: &[String], recorded: &[Json]) -> bool {
    let parts = |text: &str| {
        let mut parts: Vec<String> = text.split([' ', ',']).map(str::to_owned).collect();
        parts.sort();
        parts
    };
    ours.len() == recorded.len()
        && ours.iter().zip(recorded).all(|(ours, recorded)| {
            let recorded = recorded.as_str().unwrap_or_default();
            ours == recorded || parts(ours) == parts(recorded)
        })
}

/// Judges the rules' cases.
///
/// # Errors
/// The file is not of this format, or the rules are not there.
pub fn judge(cases: &mut Cases<'_>) -> Result<Tally> {
    let rules = rules(&folder(cases))?;
    let mut tally = Tally::default();
    for line in cases.lines()? {
        tally.of += 1;
        let text = |key: &str| line[key].as_str().unwrap_or_default();
        let rule = rules.iter().find(|rule| rule.name == text("rule"));
        let case = rule.and_then(|rule| {
            let mut cases = rule.cases();
            let found = cases.find(|(expected, _, case)| {
                *expected == text("expected") && case.name == text("case")
            });
            found.map(|(expected, at, _)| (rule, (expected, at)))
        });
        let ours = match case {
            None => json!("no such rule or case"),
            // A rule that asks for more than a cluster knows does not compile there.
            Some((rule, _)) if line.get("compileTimeOnly").is_some() => {
                if rule.compile_time_only.as_deref() == line["compileTimeOnly"].as_str() {
                    tally.agree += 1;
                    continue;
                }
                json!({"compileTimeOnly": rule.compile_time_only})
            }
            Some((rule, case)) => {
                let forms: &[CaseObjects] = match text("object") {
                    "typed and defaulted" => &[CaseObjects::Stored],
                    "as written" => &[CaseObjects::Written],
                    _ => &[CaseObjects::Written, CaseObjects::Stored],
                };
                let answers = forms.iter().map(|form| (*form, answer(rule, case, *form)));
                let wrong: Vec<Json> = answers
                    .filter(|(_, (words, messages))| {
                        json!(words) != line["verdicts"]
                            || !same(messages, line["messages"].as_array().unwrap_or(&Vec::new()))
                    })
                    .map(|(form, (words, messages))| {
                        json!({"form": format!("{form:?}"), "verdicts": words, "messages": messages})
                    })
                    .collect();
                if wrong.is_empty() {
                    tally.agree += 1;
                    continue;
                }
                json!(wrong)
            }
        };
        writeln!(
            cases.out,
            "{}: {}\n  server: {} {}\n  ours:   {ours}",
            text("rule"),
            text("case"),
            line["verdicts"],
            line["messages"]
        )?;
    }
    Ok(tally)
}
