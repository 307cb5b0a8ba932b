//! What an API server refused: `{name, class, kind, object, old?, accepted, fields?, reasons?, podsRefused?}`.
//!
//! Objects stand in the namespace `data-tenant-globex` of a cluster that enforces the level `restricted` there.

use anyhow::Result;
use serde_json::Value as Json;
use tenantry::engine::schema::{self, SchemaProblem};
use tenantry::engine::view::View;
use tenantry::kubernetes::schemas::built_in;
use tenantry::validation::admission::{self, Level, Namespace};
use tenantry::validation::{self, KnownKind, RuleSet};
use tenantry::yaml::{Path, PathStep};

use super::cel::tree;
use super::{Cases, Tally};

/// What the product says of an object.
#[derive(Default)]
struct Answer {
    /// The fields of its errors; one without a field is an empty path.
    fields: Vec<Path>,
    messages: Vec<String>,
    /// Whether it says that pods are refused.
    pods: bool,
}

impl Answer {
    fn add(&mut self, path: Path, message: String) {
        self.fields.push(path);
        self.messages.push(message);
    }
}

/// Texts that the file has shortened: `<x repeated 300000 times>`.
fn expanded(json: &Json) -> Json {
    match json {
        Json::String(text) => {
            let inner = text
                .strip_prefix('<')
                .and_then(|rest| rest.strip_suffix(" times>"));
            match inner.and_then(|inner| inner.split_once(" repeated ")) {
                Some((what, count)) => what.repeat(count.parse().unwrap_or(1)).into(),
                None => json.clone(),
            }
        }
        Json::Array(items) => items.iter().map(expanded).collect(),
        Json::Object(map) => {
            let fields = map
                .iter()
                .map(|(key, value)| (key.clone(), expanded(value)));
            Json::Object(fields.collect())
        }
        other => other.clone(),
    }
}

fn answer(case: &Json, kubernetes: u32) -> Answer {
    let mut answer = Answer::default();
    let object = tree(&expanded(&case["object"]));
    let old = case.get("old").map(|old| tree(&expanded(old)));
    let view = View::of(&object);
    let (api_version, kind) = (view.text_at(&["apiVersion"]), view.text_at(&["kind"]));
    let (Some((rule, set)), Some(definition)) = (
        built_in().find(&api_version, &kind),
        built_in().definition(&api_version, &kind),
    ) else {
        answer.add(Path::default(), format!("no {kind} of {api_version}"));
        return answer;
    };
    for violation in schema::check_as_of(view, rule, set, kubernetes) {
        let mut path = violation.path.clone();
        if let SchemaProblem::MissingField(name, _) = &violation.problem {
            path = path.join(name.as_str());
        }
        answer.add(path, format!("{:?}", violation.problem));
    }
    let old = old.as_ref().map(View::of);
    for violation in validation::check_as_of(
        view,
        KnownKind::BuiltIn(definition),
        old,
        RuleSet::All,
        kubernetes,
    ) {
        let message = violation.message();
        answer.add(violation.path, message);
    }
    // The namespace of the cases enforces the strictest level, and has no quota that concerns them.
    let mut namespace = Namespace::default();
    namespace.runtime_classes = Some(Vec::new());
    (namespace.level, namespace.minor) = (Level::Restricted, kubernetes);
    for violation in admission::refusals(view, &namespace) {
        let message = violation.message();
        if kind == "Pod" {
            answer.add(Path::default(), message);
        } else {
            answer.pods = true;
            answer.messages.push(message);
        }
    }
    answer
}

/// The steps of a field as the API server writes it: `spec.a[0].b`, `metadata.labels[a.b/c]`.
fn steps(field: &str) -> Vec<String> {
    let mut steps = Vec::new();
    let mut rest = field;
    while !rest.is_empty() {
        if let Some(inner) = rest.strip_prefix('[') {
            let end = inner.find(']').unwrap_or(inner.len());
            steps.push(inner[..end].to_owned());
            rest = inner.get(end + 1..).unwrap_or_default();
        } else {
            let inner = rest.strip_prefix('.').unwrap_or(rest);
            let end = inner.find(['.', '[']).unwrap_or(inner.len());
            steps.push(inner[..end].to_owned());
            rest = &inner[end..];
        }
    }
    steps
}

/// The API server leaves positions and some steps out of its paths, and names some fields as its internal types do.
const LEFT_OUT: [&str; 3] = ["metadata", "items", "securityContext"];

/// Whether a finding is at a field that the API server names: there, or directly above or below.
fn is_at(path: &Path, field: &str) -> bool {
    let named = steps(field);
    let ours: Vec<String> = path
        .0
        .iter()
        .map(|step| match step {
            PathStep::Key(key) => key.to_string(),
            PathStep::Index(at) => at.to_string(),
        })
        .collect();
    let (mut a, mut b) = (ours.as_slice(), named.as_slice());
    let is_left_out =
        |step: &String| LEFT_OUT.contains(&step.as_str()) || step.parse::<usize>().is_ok();
    let mut is_any = false;
    while let (Some((ours, after_ours)), Some((theirs, after_theirs))) =
        (a.split_first(), b.split_first())
    {
        if ours == theirs || *ours == format!("{theirs}s") {
            (a, b, is_any) = (after_ours, after_theirs, true);
        } else if is_left_out(ours) {
            a = after_ours;
        } else if is_left_out(theirs) && theirs.parse::<usize>().is_err() {
            b = after_theirs;
        } else {
            return false;
        }
    }
    is_any && a.len() + b.len() <= 1
}

/// Judges refusals.
///
/// # Errors
/// The file is not of this format.
pub fn judge(cases: &mut Cases<'_>) -> Result<Tally> {
    let mut tally = Tally::default();
    for case in cases.lines()? {
        let is = |flag: &str| case[flag] == Json::Bool(true);
        let pods = is("podsRefused") || is("restrictedNamespaceRefuses");
        let answer = answer(&case, cases.kubernetes);
        let accepted = case["accepted"] == Json::Bool(true);
        let fields = case["fields"].as_array().map_or(&[][..], Vec::as_slice);
        let fields: Vec<&str> = fields
            .iter()
            .filter_map(Json::as_str)
            .filter(|field| !field.is_empty() && *field != "[]")
            .collect();
        let is_named = fields.is_empty()
            || answer
                .fields
                .iter()
                .any(|path| fields.iter().any(|field| is_at(path, field)));
        let agrees = match (accepted, answer.fields.is_empty()) {
            (true, is_accepted) => is_accepted && answer.pods == pods,
            (false, is_accepted) => !is_accepted && is_named,
        };
        tally.of += 1;
        if agrees {
            tally.agree += 1;
        } else {
            let server = if accepted {
                "accepted".to_owned()
            } else {
                format!("refused at {}", fields.join(", "))
            };
            let pods = if pods { ", its pods refused" } else { "" };
            writeln!(
                cases.out,
                "{} {}\n  server: {server}{pods}\n  ours:   {}",
                case["class"].as_str().unwrap_or_default(),
                case["name"].as_str().unwrap_or_default(),
                answer.messages.join("; ")
            )?;
        }
    }
    Ok(tally)
}
