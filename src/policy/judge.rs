//! One rule, one object: what the API server would answer.
//! <https://kubernetes.io/docs/reference/access-authn-authz/validating-admission-policy/>

use super::names::{NameValues, RuleBindings};
use super::rules::{Rule, RuleCheck};
use tenantry_cel::{
    Budget, COST_PER_CALL, COST_PER_POLICY, CelValue, EvaluationError, ReadPlace, evaluate, truth,
};

/// The longest message that an expression may give, in bytes.
const LONGEST_MESSAGE: usize = 5 * 1024;
/// What all conditions of a policy may cost for one object.
const COST_OF_CONDITIONS: u64 = 2_500_000;

/// What a rule says.
#[derive(Debug)]
pub enum RuleVerdict<'a> {
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
    /// Which of the rule's validations; nothing when it could not get so far.
    pub check: Option<&'a RuleCheck>,
    /// What is wrong.
    pub message: String,
    /// Whether an expression could not be evaluated.
    pub is_error: bool,
    /// Whether the request is denied whatever actions the binding names.
    pub always_denies: bool,
    /// What was read on the way, in order: the last of it decided, since `&&`, `||` and loops stop there.
    pub reads: Vec<ReadPlace<'a>>,
}

impl<'a> Failure<'a> {
    fn error(message: String) -> Failure<'a> {
        Failure {
            check: None,
            message,
            is_error: true,
            always_denies: false,
            reads: Vec::new(),
        }
    }
}

/// How failures begin that are none of the rule's own.
pub const CANNOT: &str = "it cannot be judged";

/// Judges; `spent` is what it cost.
pub fn judge<'a>(
    rule: &'a Rule,
    scene: &NameValues<'a>,
    params: &CelValue<'a>,
    spent: &mut u64,
) -> RuleVerdict<'a> {
    if !rule.conditions.is_empty() {
        let mut budget = Budget::new();
        let stage = RuleBindings::new(scene, rule, params.clone());
        let decided = conditions(rule, &stage, &mut budget);
        *spent += budget.spent();
        if let Some(verdict) = decided {
            return verdict;
        }
    }
    let mut budget = Budget::new();
    let verdict = validations(rule, scene, params, &mut budget);
    *spent += budget.spent();
    if rule.annotations.is_empty() || matches!(verdict, RuleVerdict::Undecided(_)) {
        return verdict;
    }
    let mut budget = Budget::new();
    let annotations = annotations(rule, scene, params, &mut budget);
    *spent += budget.spent();
    match (verdict, annotations) {
        // Where the budget ends, nothing else is said.
        (_, Err(())) => out_of_budget(rule),
        (RuleVerdict::Failed(mut failures), Ok(found)) => {
            failures.extend(found.failures);
            RuleVerdict::Failed(failures)
        }
        (_, Ok(found)) if !found.failures.is_empty() => RuleVerdict::Failed(found.failures),
        (verdict, Ok(_)) => verdict,
    }
}

/// What the conditions decide; nothing if all are true. All are evaluated: one that is false decides,
/// whatever went wrong in others, but for the end of the budget.
fn conditions<'a>(
    rule: &'a Rule,
    stage: &RuleBindings<'_, 'a>,
    budget: &mut Budget<'a>,
) -> Option<RuleVerdict<'a>> {
    let mut errors: Vec<String> = Vec::new();
    let mut undecided = None;
    let mut is_false = false;
    for (name, program) in &rule.conditions {
        let answer = evaluate(program, stage, budget).and_then(|value| truth(&value));
        if budget.spent() > COST_OF_CONDITIONS {
            return Some(if rule.fails_on_error {
                out_of_budget(rule)
            } else {
                RuleVerdict::Skipped
            });
        }
        match answer {
            Ok(true) => {}
            Ok(false) => is_false = true,
            Err(EvaluationError::OnlyInCluster(what)) => undecided = undecided.or(Some(what)),
            Err(error) => errors.push(format!("the condition `{name}`: {error}")),
        }
    }
    if is_false {
        return Some(RuleVerdict::Skipped);
    }
    if let Some(what) = undecided {
        return Some(RuleVerdict::Undecided(what));
    }
    if errors.is_empty() {
        return None;
    }
    Some(if rule.fails_on_error {
        let message = format!("{CANNOT}: {}", errors.join("; "));
        RuleVerdict::Failed(vec![Failure::error(message)])
    } else {
        RuleVerdict::Skipped
    })
}

/// What stands in place of everything else once the budget of a policy is spent.
fn out_of_budget<'a>(rule: &Rule) -> RuleVerdict<'a> {
    if rule.fails_on_error {
        let message = format!("{CANNOT}: {}", EvaluationError::Cost);
        RuleVerdict::Failed(vec![Failure::error(message)])
    } else {
        RuleVerdict::Met
    }
}

/// Whether an error ends the judging: the budget of the policy is spent, not only that of an expression.
fn ends(error: &EvaluationError, budget: &Budget<'_>) -> bool {
    error.is_final() && COST_PER_POLICY.saturating_sub(budget.spent()) < COST_PER_CALL
}

/// What a validation came to.
enum CheckResult {
    True,
    False,
    Error(EvaluationError),
    Undecided(&'static str),
}

fn validations<'a>(
    rule: &'a Rule,
    scene: &NameValues<'a>,
    params: &CelValue<'a>,
    budget: &mut Budget<'a>,
) -> RuleVerdict<'a> {
    let stage = RuleBindings::new(scene, rule, params.clone());
    let mut answers = Vec::with_capacity(rule.validations.len());
    for check in &rule.validations {
        let value = evaluate(&check.program, &stage, budget).and_then(|value| truth(&value));
        answers.push(match value {
            Ok(true) => CheckResult::True,
            Ok(false) => CheckResult::False,
            Err(EvaluationError::OnlyInCluster(what)) => CheckResult::Undecided(what),
            Err(error) if ends(&error, budget) => return out_of_budget(rule),
            Err(error) => CheckResult::Error(error),
        });
    }
    let Ok(messages) = messages(rule, &answers, &stage, budget) else {
        return out_of_budget(rule);
    };
    let mut failures = Vec::new();
    let mut undecided = None;
    for ((check, answer), computed) in rule.validations.iter().zip(answers).zip(messages) {
        let (message, is_error) = match answer {
            CheckResult::True => continue,
            CheckResult::Undecided(what) => {
                undecided = Some(what);
                continue;
            }
            CheckResult::Error(_) if !rule.fails_on_error => continue,
            CheckResult::Error(error) => (format!("{CANNOT}: {error}"), true),
            CheckResult::False => (message(check, computed), false),
        };
        failures.push(Failure {
            check: Some(check),
            message,
            is_error,
            always_denies: false,
            reads: reads(check, rule, scene, params),
        });
    }
    match (failures.is_empty(), undecided) {
        (false, _) => RuleVerdict::Failed(failures),
        (true, Some(what)) => RuleVerdict::Undecided(what),
        (true, None) => RuleVerdict::Met,
    }
}

/// The messages that expressions give, one for each validation. The API server evaluates all of them,
/// also where nothing is wrong, with what is left of the budget.
fn messages<'a>(
    rule: &'a Rule,
    answers: &[CheckResult],
    stage: &RuleBindings<'_, 'a>,
    budget: &mut Budget<'a>,
) -> Result<Vec<Option<String>>, ()> {
    let programs = rule.validations.iter();
    let count = programs.filter(|check| check.message_program.is_some());
    // Where they cannot exceed the budget, only those that are needed are evaluated.
    let most = (count.count() + rule.variables.len()) as u64 * COST_PER_CALL;
    let all = most > COST_PER_POLICY - budget.spent();
    let mut messages = Vec::with_capacity(answers.len());
    for (check, answer) in rule.validations.iter().zip(answers) {
        let program = check.message_program.as_ref();
        let needed = all || matches!(answer, CheckResult::False);
        messages.push(match program.filter(|_| needed) {
            None => None,
            Some(program) => match evaluate(program, stage, budget) {
                Ok(value) => value.as_str().map(str::to_owned),
                Err(error) if ends(&error, budget) => return Err(()),
                Err(_) => None,
            },
        });
    }
    Ok(messages)
}

/// The message of its expression; where that gives none, the one that is written; else the expression.
fn message(check: &RuleCheck, computed: Option<String>) -> String {
    let usable =
        |text: &&str| !text.is_empty() && text.len() <= LONGEST_MESSAGE && !text.contains('\n');
    let computed = computed.as_deref().map(str::trim).filter(usable);
    let written = check.message.as_deref().map(str::trim);
    match computed.or(written.filter(|text| !text.is_empty())) {
        Some(text) => text.to_owned(),
        None => format!("failed expression: {}", check.program.text.trim()),
    }
}

/// What audit annotations come to.
#[derive(Debug, Default)]
pub struct Annotations<'a> {
    /// Keys and values that the audit log gets.
    pub published: Vec<(String, String)>,
    /// Those that could not be evaluated: the request is denied, whatever actions its binding names.
    failures: Vec<Failure<'a>>,
}

/// Evaluates the audit annotations, with a budget of their own.
fn annotations<'a>(
    rule: &'a Rule,
    scene: &NameValues<'a>,
    params: &CelValue<'a>,
    budget: &mut Budget<'a>,
) -> Result<Annotations<'a>, ()> {
    let stage = RuleBindings::new(scene, rule, params.clone());
    let mut found = Annotations::default();
    for (key, program) in &rule.annotations {
        let problem = match evaluate(program, &stage, budget) {
            Ok(CelValue::Null) | Err(EvaluationError::OnlyInCluster(_)) => continue,
            Ok(CelValue::Text(text)) => {
                let text = text.as_str().trim();
                if !text.is_empty() {
                    found.published.push((key.clone(), text.to_owned()));
                }
                continue;
            }
            Ok(other) => format!("it is {}, not text or null", other.kind_name()),
            Err(error) if ends(&error, budget) => return Err(()),
            Err(_) if !rule.fails_on_error => continue,
            Err(error) => error.to_string(),
        };
        found.failures.push(Failure {
            always_denies: true,
            ..Failure::error(format!("{CANNOT}: the audit annotation `{key}`: {problem}"))
        });
    }
    Ok(found)
}

/// The audit annotations that a rule publishes of an object that it judges.
pub fn published<'a>(
    rule: &'a Rule,
    scene: &NameValues<'a>,
    params: &CelValue<'a>,
) -> Vec<(String, String)> {
    let found = annotations(rule, scene, params, &mut Budget::new());
    found.map(|found| found.published).unwrap_or_default()
}

/// Evaluates once more, and notes what is read.
fn reads<'a>(
    check: &'a RuleCheck,
    rule: &'a Rule,
    scene: &NameValues<'a>,
    params: &CelValue<'a>,
) -> Vec<ReadPlace<'a>> {
    let stage = RuleBindings::new(scene, rule, params.clone());
    let mut budget = Budget::new().noting_reads();
    let _ = evaluate(&check.program, &stage, &mut budget);
    budget.reads.unwrap_or_default()
}
