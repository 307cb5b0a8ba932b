//! Verdicts of expressions: `{expression, variables?, object?, result}` or `{…, error, class?}`.

use std::cell::OnceCell;
use std::collections::BTreeMap;
use std::path::Path;

use anyhow::{Context as _, Result};
use serde_json::{Value as Json, json};
use tenantry::cel::value::{CelValue, Kubernetes};
use tenantry::cel::{self, Budget, DeclaredVariable, EvaluationError, Globals, Names, Program};
use tenantry::engine::view::View;
use tenantry::yaml::{self, Node};

use super::{Cases, Tally};

/// The names of an expression's environment, in the order of [`Scene::global`].
const GLOBALS: &[&str] = &[
    "object",
    "oldObject",
    "request",
    "namespaceObject",
    "authorizer",
];

/// The objects that cases name, from `objects.json` beside a file, or else of this crate's own data.
///
/// # Errors
/// The file is not of the form.
fn objects_beside(path: &Path) -> Result<BTreeMap<String, Node>> {
    let beside = path.with_file_name("objects.json");
    let Ok(text) = std::fs::read_to_string(&beside) else {
        return Ok(objects());
    };
    read_objects(&text).with_context(|| beside.display().to_string())
}

/// The objects of this crate's own data.
pub fn objects() -> BTreeMap<String, Node> {
    read_objects(include_str!("../data/objects.json")).unwrap_or_default()
}

fn read_objects(text: &str) -> Result<BTreeMap<String, Node>> {
    let json: BTreeMap<String, Json> = serde_json::from_str(text)?;
    Ok(json
        .into_iter()
        .map(|(name, object)| (name, tree(&object)))
        .collect())
}

/// A tree of YAML.
pub fn tree(json: &Json) -> Node {
    let mut parsed = yaml::parse::parse(&json.to_string(), 0);
    parsed.documents.pop().unwrap_or_else(Node::empty_map)
}

/// What an expression sees, and its compiled variables.
struct Scene<'a> {
    object: Option<&'a Node>,
    variables: Vec<Program>,
    /// Each variable is evaluated once.
    known: Vec<OnceCell<Result<CelValue<'a>, EvaluationError>>>,
}

impl<'a> Globals<'a> for &'a Scene<'a> {
    fn global(&self, index: usize) -> Result<CelValue<'a>, EvaluationError> {
        Ok(match self.object {
            Some(object) if index == 0 => cel::tree::of(View::of(object)),
            _ => CelValue::Null,
        })
    }

    fn variable(
        &self,
        index: usize,
        budget: &mut Budget<'a>,
    ) -> Result<CelValue<'a>, EvaluationError> {
        let this: &'a Scene<'a> = self;
        match (this.variables.get(index), this.known.get(index)) {
            (Some(program), Some(known)) => match known.get() {
                Some(value) => value.clone(),
                None => {
                    let value = cel::evaluate(program, self, budget);
                    known.get_or_init(|| value).clone()
                }
            },
            _ => Ok(CelValue::Null),
        }
    }
}

/// What the product answers, and what it cost: a result, or an error with its class.
pub fn answer(case: &Json, objects: &BTreeMap<String, Node>) -> (Json, u64) {
    let refused = |error: &cel::CompileError| {
        let error = if error.panics { "panic" } else { "compile" };
        (json!({"error": error}), 0)
    };
    let mut scene = Scene {
        object: case["object"].as_str().and_then(|name| objects.get(name)),
        variables: Vec::new(),
        known: Vec::new(),
    };
    let mut names: Vec<DeclaredVariable> = Vec::new();
    for variable in case["variables"].as_array().into_iter().flatten() {
        let text = variable["expression"].as_str().unwrap_or_default();
        match compile(text, &names) {
            Ok(program) => {
                let name = variable["name"].as_str().unwrap_or_default().to_owned();
                names.push(DeclaredVariable {
                    name,
                    of: program.gives.clone(),
                });
                scene.variables.push(program);
                scene.known.push(OnceCell::new());
            }
            Err(errors) => return refused(&errors[0]),
        }
    }
    let program = match compile(case["expression"].as_str().unwrap_or_default(), &names) {
        Ok(program) => program,
        Err(errors) => return refused(&errors[0]),
    };
    let mut budget = Budget::new();
    let verdict = cel::evaluate(&program, &&scene, &mut budget);
    let cost = budget.spent();
    let answer = match verdict {
        Ok(value) => json!({"result": written(&value)}),
        Err(EvaluationError::Cost) => json!({"error": "cost"}),
        Err(error) => json!({"error": "runtime", "class": class(&error)}),
    };
    (answer, cost)
}

fn compile(text: &str, variables: &[DeclaredVariable]) -> Result<Program, Vec<cel::CompileError>> {
    cel::compile(
        text,
        &Names {
            globals: GLOBALS,
            declared: &[],
            is_escaped: false,
            variables: Some(variables),
        },
    )
}

/// The class of an error at run time, as the files name them.
fn class(error: &EvaluationError) -> &'static str {
    match error {
        EvaluationError::NoSuchKey(_) => "key",
        EvaluationError::Overload(_) => "overload",
        EvaluationError::DivisionByZero => "division",
        EvaluationError::Range(_) => "range",
        EvaluationError::Overflow(_) => "overflow",
        _ => "other",
    }
}

/// A value in the notation of the files.
fn written(value: &CelValue<'_>) -> Json {
    match value {
        CelValue::Null => Json::Null,
        CelValue::Bool(value) => json!(value),
        CelValue::Int(number) => json!(number),
        CelValue::Uint(number) => json!({"uint": number.to_string()}),
        CelValue::Double(number) => json!({"double": double(*number)}),
        CelValue::Text(text) => json!(text.as_str()),
        CelValue::Bytes(bytes) => {
            let hex: String = bytes.iter().map(|byte| format!("{byte:02x}")).collect();
            json!({"bytes": hex})
        }
        CelValue::Duration(span) => json!({"duration": span.as_nanos().to_string()}),
        CelValue::Timestamp(time) => json!({"timestamp": time.in_utc().to_string()}),
        CelValue::Type(name) => json!({"type": name.as_str()}),
        CelValue::Optional(None) => json!({"none": true}),
        CelValue::Optional(Some(value)) => json!({"some": written(value)}),
        CelValue::Kubernetes(value) => match &**value {
            Kubernetes::Quantity(quantity) => {
                json!({"quantity": quantity.billionths()})
            }
            Kubernetes::Ip(ip) => json!({"ip": ip.to_string()}),
            Kubernetes::Cidr(ip, length) => json!({"cidr": format!("{ip}/{length}")}),
            Kubernetes::Semver(version) => json!({"semver": version.to_string()}),
            Kubernetes::Url(_) => json!({"url": true}),
            Kubernetes::Format(name) => json!({"format": name.to_lowercase()}),
        },
        list_or_map => match (list_or_map.items(), list_or_map.entries()) {
            (Some(items), _) => items.iter().map(written).collect(),
            (None, entries) => map(&entries.unwrap_or_default()),
        },
    }
}

fn map(entries: &[(CelValue<'_>, CelValue<'_>)]) -> Json {
    let names: Option<Vec<&str>> = entries.iter().map(|(key, _)| key.as_str()).collect();
    if let Some(names) = names {
        let entries = names
            .iter()
            .zip(entries)
            .map(|(name, (_, value))| ((*name).to_owned(), written(value)));
        let mut entries: Vec<(String, Json)> = entries.collect();
        entries.sort_by(|a, b| a.0.cmp(&b.0));
        return json!({"map": entries.into_iter().collect::<serde_json::Map<_, _>>()});
    }
    let mut entries: Vec<Json> = entries
        .iter()
        .map(|(key, value)| json!([written(key), written(value)]))
        .collect();
    entries.sort_by_key(Json::to_string);
    json!({"entries": entries})
}

fn double(number: f64) -> String {
    if number.is_nan() {
        "NaN".to_owned()
    } else if number.is_infinite() {
        if number > 0.0 { "+Inf" } else { "-Inf" }.to_owned()
    } else {
        format!("{number:e}")
    }
}

/// The recorded answer, in the notation of [`answer`].
fn recorded(case: &Json) -> Json {
    match case.get("error") {
        Some(error) => match case.get("class") {
            Some(class) => json!({"error": error, "class": class}),
            None => json!({"error": error}),
        },
        None => json!({"result": sorted(&case["result"])}),
    }
}

/// Entries of maps have no order.
fn sorted(value: &Json) -> Json {
    match value {
        Json::Array(items) => items.iter().map(sorted).collect(),
        Json::Object(map) => {
            let mut entries: Vec<(String, Json)> = map
                .iter()
                .map(|(key, value)| (key.clone(), sorted(value)))
                .collect();
            entries.sort_by(|a, b| a.0.cmp(&b.0));
            if let [(key, Json::Array(list))] = entries.as_mut_slice()
                && key == "entries"
            {
                list.sort_by_key(Json::to_string);
            }
            Json::Object(entries.into_iter().collect())
        }
        other => other.clone(),
    }
}

/// Judges costs: `{expression, variables?, object?, cost}`.
///
/// # Errors
/// The file is not of this format.
pub fn judge_costs(cases: &mut Cases<'_>) -> Result<Tally> {
    let objects = objects_beside(cases.path)?;
    let mut tally = Tally::default();
    for case in cases.lines()? {
        let (answer, cost) = answer(&case, &objects);
        tally.of += 1;
        if case["cost"] == cost {
            tally.agree += 1;
        } else {
            writeln!(
                cases.out,
                "{}\n  server: {}\n  ours:   {cost} ({answer})",
                json!({"expression": case["expression"], "variables": case["variables"], "object": case["object"]}),
                case["cost"]
            )?;
        }
    }
    Ok(tally)
}

/// Judges verdicts.
///
/// # Errors
/// The file is not of this format.
pub fn judge(cases: &mut Cases<'_>) -> Result<Tally> {
    let objects = objects_beside(cases.path)?;
    let mut tally = Tally::default();
    for case in cases.lines()? {
        let (answer, _) = answer(&case, &objects);
        let recorded = recorded(&case);
        tally.of += 1;
        if answer == recorded {
            tally.agree += 1;
        } else {
            writeln!(
                cases.out,
                "{}\n  server: {recorded}\n  ours:   {answer}",
                json!({"expression": case["expression"], "variables": case["variables"], "object": case["object"]})
            )?;
        }
    }
    Ok(tally)
}
