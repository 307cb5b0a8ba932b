//! One rule, one object: what the API server would answer.
//! <https://kubernetes.io/docs/reference/access-authn-authz/validating-admission-policy/>

use super::names::{Scene, Stage};
use super::rules::{Check, Rule};
use crate::cel::{Budget, Error, Read, Value, evaluate, truth};

/// The longest message that an expression may give, in bytes: 5 KiB, as the API server has it.
const LONGEST_MESSAGE: usize = 5 * 1024;

/// What a rule says.
#[derive(Debug)]
pub enum Verdict<'a> {
    /// It does not judge this: a condition is false.
    Skipped,
    /// It is met.
    Met,
    /// It is not met.
    Failed(Vec<Failure<'a>>),
    /// Only the API server can tell.
    Undecided(&'static str),
}

/// Why a rule is not met.
#[derive(Debug)]
pub struct Failure<'a> {
    /// Which of the rule's validations; nothing when a condition or variable failed.
    pub check: Option<&'a Check>,
    /// What is wrong.
    pub message: String,
    /// Whether the expression could not be evaluated.
    pub is_error: bool,
    /// What was read on the way, in order: the last of it decided, since `&&`, `||` and loops stop there.
    pub reads: Vec<Read<'a>>,
}

/// Judges; `spent` is what it cost.
pub fn judge<'a>(
    rule: &'a Rule,
    scene: &Scene<'a>,
    params: &Value<'a>,
    spent: &mut u64,
) -> Verdict<'a> {
    let stage = Stage::new(scene, rule, params.clone());
    let mut budget = Budget::new();
    let verdict = conditions(rule, &stage, &mut budget)
        .unwrap_or_else(|| validations(rule, scene, params, &stage, &mut budget));
    *spent += budget.spent();
    verdict
}

/// What the conditions decide; nothing if all are true.
fn conditions<'a>(
    rule: &'a Rule,
    stage: &Stage<'_, 'a>,
    budget: &mut Budget<'a>,
) -> Option<Verdict<'a>> {
    let mut failed = None;
    for (name, program) in &rule.conditions {
        match evaluate(program, stage, budget).and_then(|value| truth(&value)) {
            Ok(true) => {}
            // One that is false decides, whatever went wrong in others.
            Ok(false) => return Some(Verdict::Skipped),
            Err(error) => {
                failed.get_or_insert((name, error));
            }
        }
    }
    let (name, error) = failed?;
    Some(match error {
        Error::OnlyInCluster(what) => Verdict::Undecided(what),
        _ if !rule.fails_on_error => Verdict::Skipped,
        error => Verdict::Failed(vec![Failure {
            check: None,
            message: format!("the condition `{name}` cannot be judged: {error}"),
            is_error: true,
            reads: Vec::new(),
        }]),
    })
}

fn validations<'a>(
    rule: &'a Rule,
    scene: &Scene<'a>,
    params: &Value<'a>,
    stage: &Stage<'_, 'a>,
    budget: &mut Budget<'a>,
) -> Verdict<'a> {
    let mut failures = Vec::new();
    let mut undecided = None;
    for check in &rule.validations {
        let error = match evaluate(&check.program, stage, budget).and_then(|value| truth(&value)) {
            Ok(true) => continue,
            Ok(false) => None,
            Err(Error::OnlyInCluster(what)) => {
                undecided = Some(what);
                continue;
            }
            Err(_) if !rule.fails_on_error => continue,
            Err(error) => Some(error),
        };
        let is_final = error.as_ref().is_some_and(Error::is_final);
        let is_error = error.is_some();
        let message = match error {
            Some(error) => format!("it cannot be judged: {error}"),
            None => message(check, stage, budget),
        };
        failures.push(Failure {
            check: Some(check),
            message,
            is_error,
            reads: reads(check, rule, scene, params),
        });
        if is_final {
            break;
        }
    }
    match (failures.is_empty(), undecided) {
        (false, _) => Verdict::Failed(failures),
        (true, Some(what)) => Verdict::Undecided(what),
        (true, None) => Verdict::Met,
    }
}

/// The message of its expression; where that gives none, the one that is written.
fn message<'a>(check: &'a Check, stage: &Stage<'_, 'a>, budget: &mut Budget<'a>) -> String {
    let computed = check
        .message_program
        .as_ref()
        .and_then(|program| evaluate(program, stage, budget).ok())
        .and_then(|value| value.as_str().map(str::to_owned))
        .filter(|text| {
            !text.trim().is_empty() && !text.contains('\n') && text.len() <= LONGEST_MESSAGE
        });
    computed
        .or_else(|| check.message.clone())
        .unwrap_or_else(|| format!("this is not true: {}", check.program.text.trim()))
}

/// Evaluates once more, and notes what is read.
fn reads<'a>(
    check: &'a Check,
    rule: &'a Rule,
    scene: &Scene<'a>,
    params: &Value<'a>,
) -> Vec<Read<'a>> {
    let stage = Stage::new(scene, rule, params.clone()).alone();
    let mut budget = Budget::new().noting_reads();
    let _ = evaluate(&check.program, &stage, &mut budget);
    budget.reads.unwrap_or_default()
}
