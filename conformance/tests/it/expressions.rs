//! The expression language, judged by the public conformance cases of CEL.
//!
//! Those that the API server answers otherwise are in `conformance/data/cel-spec-differences.txt`.
//! The cases are the npm package `@bufbuild/cel-spec`; `.ci/run` unpacks them to
//! `target/cel-spec/conformance.json`. What is left out is in `LEFT_OUT`, with the reason.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use serde_json::Value as Json;
use tenantry::cel::value::time::Time;
use tenantry::cel::value::{MapKey, Text, ValueMap};
use tenantry::cel::{Budget, CelValue, EvaluationError, Globals, Names, compile, evaluate};

const MESSAGES: &str = "Kubernetes' expressions have no protobuf messages and enums";
const MATH: &str = "Kubernetes does not offer the math extension";
const ENCODERS: &str = "Kubernetes does not offer the encoders extension";
const BLOCK: &str = "`cel.block` is what optimisers write, not people";
const CONTAINERS: &str = "Kubernetes' expressions have no namespaces and no names with dots";
const CHECKER: &str =
    "asks for the type that a checker deduces, or for what only a checker refuses";
const UNCHECKED: &str =
    "unknown names are refused when a policy is read, as the API server refuses them";

/// Suite, section (or `*`), test (or `*`), and why.
const LEFT_OUT: &[(&str, &str, &str, &str)] = &[
    ("block_ext", "*", "*", BLOCK),
    ("dynamic", "*", "*", MESSAGES),
    ("enums", "*", "*", MESSAGES),
    ("proto2", "*", "*", MESSAGES),
    ("proto2_ext", "*", "*", MESSAGES),
    ("proto3", "*", "*", MESSAGES),
    ("wrappers", "*", "*", MESSAGES),
    ("comparisons", "eq_wrapper", "*", MESSAGES),
    ("math_ext", "*", "*", MATH),
    ("encoders_ext", "*", "*", ENCODERS),
    ("namespace", "*", "*", CONTAINERS),
    ("fields", "qualified_identifier_resolution", "*", CONTAINERS),
    ("type_deductions", "*", "*", CHECKER),
    ("basic", "variables", "unbound_is_runtime_error", UNCHECKED),
    ("basic", "functions", "unbound_is_runtime_error", UNCHECKED),
    ("parse", "receiver_function_names", "*", UNCHECKED),
];

#[test]
fn public_conformance_cases_pass() {
    let path = concat!(
        env!("CARGO_MANIFEST_DIR"),
        "/../target/cel-spec/conformance.json"
    );
    let Ok(text) = std::fs::read_to_string(path) else {
        eprintln!("not judged: {path} is not there (`.ci/run` makes it where npm can be reached)");
        return;
    };
    let root: Json = serde_json::from_str(&text).unwrap();
    let differences: BTreeSet<&str> = include_str!("../../data/cel-spec-differences.txt")
        .lines()
        .filter(|line| !line.is_empty() && !line.starts_with('#'))
        .collect();
    let run = move || {
        let mut tally: BTreeMap<String, (usize, usize)> = BTreeMap::new();
        let mut failures = Vec::new();
        for suite in list(&root, "suites") {
            for section in list(suite, "suites") {
                for test in list(section, "tests") {
                    let test = &test["original"];
                    let names = (name(suite), name(section), name(test));
                    let count = tally.entry(names.0.to_owned()).or_default();
                    if left_out(names, test).is_some() {
                        count.1 += 1;
                        continue;
                    }
                    count.0 += 1;
                    let title = format!("{}/{}/{}", names.0, names.1, names.2);
                    let differs = differences.contains(title.as_str());
                    match case(test) {
                        Err(reason) if !differs => {
                            failures.push(format!("{title}: {}\n    {reason}", test["expr"]));
                        }
                        Ok(()) if differs => {
                            failures.push(format!("{title}: agrees, and is listed"));
                        }
                        _ => {}
                    }
                }
            }
        }
        (tally, failures)
    };
    let thread = std::thread::Builder::new()
        .stack_size(64 << 20)
        .spawn(run)
        .unwrap();
    let (tally, failures) = thread.join().unwrap();
    for (suite, (judged, left_out)) in &tally {
        eprintln!("{suite}: {judged} judged, {left_out} left out");
    }
    let judged: usize = tally.values().map(|(judged, _)| judged).sum();
    assert!(judged > 1000, "only {judged} cases were judged");
    assert!(
        failures.is_empty(),
        "{} of {judged} fail:\n{}",
        failures.len(),
        failures.join("\n")
    );
}

fn list<'j>(json: &'j Json, key: &str) -> &'j [Json] {
    json[key].as_array().map_or(&[], Vec::as_slice)
}

fn name(json: &Json) -> &str {
    json["name"].as_str().unwrap_or_default()
}

fn left_out(names: (&str, &str, &str), test: &Json) -> Option<&'static str> {
    let listed = LEFT_OUT.iter().find(|(suite, section, test, _)| {
        *suite == names.0
            && (*section == "*" || *section == names.1)
            && (*test == "*" || *test == names.2)
    });
    if let Some((.., reason)) = listed {
        return Some(reason);
    }
    let text = test.to_string();
    // Messages can come in anywhere.
    if [
        "TestAllTypes",
        "google.protobuf.Struct",
        "google.protobuf.Value",
        "google.protobuf.Int",
        "google.protobuf.BoolValue",
        "google.protobuf.StringValue",
        "google.protobuf.Any",
        "google.protobuf.ListValue",
        "GlobalEnum",
    ]
    .iter()
    .any(|message| text.contains(message))
    {
        return Some(MESSAGES);
    }
    if test["checkOnly"] == true || test.get("typedResult").is_some() {
        return Some(CHECKER);
    }
    None
}

struct Bindings {
    values: Vec<CelValue<'static>>,
}

impl Globals<'_> for Bindings {
    fn global(&self, index: usize) -> Result<CelValue<'static>, EvaluationError> {
        Ok(self.values[index].clone())
    }

    fn variable(&self, _: usize, _: &mut Budget<'_>) -> Result<CelValue<'static>, EvaluationError> {
        Ok(CelValue::Null)
    }
}

fn case(test: &Json) -> Result<(), String> {
    let expr = test["expr"].as_str().unwrap();
    let bindings = test["bindings"].as_object().cloned().unwrap_or_default();
    let mut names: Vec<&str> = bindings.keys().map(String::as_str).collect();
    let mut values: Vec<CelValue<'static>> = names
        .iter()
        .map(|name| read(&bindings[*name]["value"]))
        .collect();
    // Declared, and never given: reading one is an error.
    for declared in list(test, "typeEnv") {
        let declared = declared["name"].as_str().unwrap_or_default();
        if !names.contains(&declared)
            && declared
                .chars()
                .all(|c| c.is_ascii_alphanumeric() || c == '_')
            && declared != "null"
        {
            names.push(declared);
            values.push(CelValue::Null);
        }
    }
    let wants_error = test.get("evalError").is_some();
    let program = match compile(
        expr,
        &Names {
            globals: &names,
            declared: &[],
            is_escaped: false,
            variables: None,
        },
    ) {
        Ok(program) => program,
        Err(_) if wants_error => return Ok(()),
        Err(errors) => return Err(format!("does not compile: {errors:?}")),
    };
    let globals = Bindings { values };
    let result = evaluate(&program, &globals, &mut Budget::new());
    match (result, wants_error) {
        (Err(_), true) => Ok(()),
        (Ok(value), true) => Err(format!("expected an error, found {value:?}")),
        (Err(error), false) => Err(format!("error: {error}")),
        (Ok(value), false) => {
            let wanted = match test.get("value") {
                Some(wanted) => read(wanted),
                None => CelValue::Bool(true),
            };
            let same = value.type_name() == wanted.type_name()
                && (value.equals(&wanted) == Ok(true) || is_nan(&value) && is_nan(&wanted));
            if same {
                Ok(())
            } else {
                Err(format!("expected {wanted:?}, found {value:?}"))
            }
        }
    }
}

fn is_nan(value: &CelValue<'_>) -> bool {
    matches!(value, CelValue::Double(number) if number.is_nan())
}

fn read(json: &Json) -> CelValue<'static> {
    let (kind, value) = json.as_object().unwrap().iter().next().unwrap();
    let text = || value.as_str().unwrap_or_default();
    match kind.as_str() {
        "nullValue" => CelValue::Null,
        "boolValue" => CelValue::Bool(value.as_bool().unwrap()),
        "int64Value" => CelValue::Int(text().parse().unwrap()),
        "uint64Value" => CelValue::Uint(text().parse().unwrap()),
        "doubleValue" => CelValue::Double(value.as_f64().unwrap_or_else(|| match text() {
            "NaN" => f64::NAN,
            "Infinity" => f64::INFINITY,
            "-Infinity" => f64::NEG_INFINITY,
            other => panic!("{other}"),
        })),
        "stringValue" => CelValue::text(text()),
        "bytesValue" => CelValue::Bytes(base64(text()).into()),
        "typeValue" => CelValue::Type(Text::Shared(text().into())),
        "listValue" => CelValue::list(list(value, "values").iter().map(read).collect()),
        "mapValue" => {
            let entries = list(value, "entries").iter().map(|entry| {
                let key = read(&entry["key"]);
                (MapKey::of(&key).unwrap(), (key, read(&entry["value"])))
            });
            CelValue::Map(Arc::new(entries.collect::<ValueMap<'static>>()))
        }
        "objectValue" => {
            let written = value["value"].as_str().unwrap_or_default();
            match value["@type"].as_str().unwrap_or_default() {
                "type.googleapis.com/google.protobuf.Duration" => {
                    CelValue::Duration(tenantry::cel::convert::parse_duration(written).unwrap())
                }
                "type.googleapis.com/google.protobuf.Timestamp" => {
                    CelValue::Timestamp(Time::parse(written).unwrap())
                }
                other => panic!("{other}"),
            }
        }
        other => panic!("{other}: {json}"),
    }
}

fn base64(text: &str) -> Vec<u8> {
    let digits = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    let mut bytes = Vec::new();
    let (mut buffer, mut bits) = (0u32, 0);
    for byte in text.bytes().filter(|byte| *byte != b'=') {
        let digit = digits.iter().position(|known| *known == byte).unwrap();
        buffer = buffer << 6 | u32::try_from(digit).unwrap();
        bits += 6;
        if bits >= 8 {
            bits -= 8;
            bytes.push(u8::try_from(buffer >> bits & 0xff).unwrap());
        }
    }
    bytes
}
