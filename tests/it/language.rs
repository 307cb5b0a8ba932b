//! The language of templates is minijinja's: random expressions have the value there that they have here.

use minijinja::value::ValueKind;
use minijinja::{Environment, UndefinedBehavior};
use proptest::prelude::*;
use proptest::test_runner::{Config, RngAlgorithm, TestRng, TestRunner};
use serde_json::{Value as Json, json};
use tenantry::engine::run::TemplateRun;
use tenantry::engine::value::Data;
use tenantry::engine::{RunInputs, TemplateErrorKind, TemplateLibrary, syntax};
use tenantry::yaml::{Node, NodeId};

fn facts() -> Json {
    json!({
        "one": 1, "three": 3, "minus": -7, "half": 0.5, "yes": true, "no": false, "nothing": null,
        "text": "Hello", "empty": "", "name": "b", "list": [3, 1, 2], "words": ["b", "a", "B"],
        "map": {"a": 1, "b": {"c": "deep"}}, "bare": [], "none_in": [1, null, "x"],
        "items": [
            {"name": "x", "on": true, "rank": 2, "kind": "k"},
            {"name": "y", "on": false, "rank": 1, "kind": "l"},
            {"name": "z", "on": true, "rank": 3, "kind": "k"},
        ],
    })
}

/// What minijinja makes of an expression.
fn theirs(expression: &str) -> Option<Json> {
    let mut environment = Environment::new();
    environment.set_undefined_behavior(UndefinedBehavior::Strict);
    let compiled = environment.compile_expression(expression).ok()?;
    let value = compiled.eval(to_theirs(&facts())).ok()?;
    from_theirs(&value)
}

fn to_theirs(value: &Json) -> minijinja::Value {
    match value {
        Json::Null => ().into(),
        Json::Bool(value) => (*value).into(),
        Json::Number(number) => match number.as_i64() {
            Some(number) => number.into(),
            None => number.as_f64().unwrap().into(),
        },
        Json::String(text) => text.as_str().into(),
        Json::Array(items) => items.iter().map(to_theirs).collect::<Vec<_>>().into(),
        Json::Object(map) => minijinja::Value::from_pairs(
            map.iter()
                .map(|(key, value)| (key.clone(), to_theirs(value))),
        ),
    }
}

/// Nothing for what is undefined, or is no value of JSON.
fn from_theirs(value: &minijinja::Value) -> Option<Json> {
    Some(match value.kind() {
        ValueKind::None => Json::Null,
        ValueKind::Bool => value.is_true().into(),
        ValueKind::Number if value.is_integer() => value.as_i64()?.into(),
        ValueKind::Number => Json::from(
            f64::try_from(value.clone())
                .ok()
                .filter(|number| number.is_finite())?,
        ),
        ValueKind::String => value.as_str()?.into(),
        ValueKind::Seq | ValueKind::Iterable => {
            let items = value.try_iter().ok()?;
            items
                .map(|item| from_theirs(&item))
                .collect::<Option<Vec<_>>>()?
                .into()
        }
        ValueKind::Map => {
            let mut map = serde_json::Map::new();
            for key in value.try_iter().ok()? {
                map.insert(key.to_string(), from_theirs(&value.get_item(&key).ok()?)?);
            }
            Json::Object(map)
        }
        _ => return None,
    })
}

/// What the engine makes of it, or why it makes nothing.
fn ours(expression: &str) -> Result<Option<Json>, TemplateErrorKind> {
    let compiled = syntax::expression(expression).map_err(|error| error.reason)?;
    let facts = facts();
    let variables = facts.as_object().unwrap().iter().map(|(name, value)| {
        let name: &'static str = Box::leak(name.clone().into_boxed_str());
        (name, Node::from_json(value))
    });
    let inputs = RunInputs {
        variables: variables.collect(),
        ..RunInputs::default()
    };
    let library = TemplateLibrary::default();
    let run = TemplateRun::new(&library, &inputs, &[]);
    let (value, _) = run.expression(&compiled).map_err(|error| error.reason)?;
    if has_undefined(&value.data) {
        return Ok(None);
    }
    let value = value.data.to_yaml().map_err(TemplateErrorKind::Failed)?;
    Ok(Some(Node::new(NodeId::NONE, value).to_json()))
}

fn has_undefined(data: &Data) -> bool {
    match data {
        Data::Undefined => true,
        Data::List(items) => items.iter().any(|item| has_undefined(&item.data)),
        Data::Map(entries) => entries.iter().any(|(_, value)| has_undefined(&value.data)),
        _ => false,
    }
}

fn expressions() -> impl Strategy<Value = String> {
    let leaf = prop::sample::select(vec![
        "one",
        "three",
        "minus",
        "half",
        "yes",
        "no",
        "nothing",
        "text",
        "empty",
        "name",
        "list",
        "words",
        "map",
        "bare",
        "none_in",
        "items",
        "0",
        "2",
        "-1",
        "'a'",
        "'Hello'",
        "[]",
        "[1, 'a']",
        "{'k': one}",
        "map.b",
        "map.b.c",
        "map.zzz",
        "unknown",
        "list[0]",
        "list[-1]",
        "map['a']",
        "items[1].name",
        "true",
        "none",
    ]);
    leaf.prop_map(str::to_owned)
        .prop_recursive(4, 24, 3, |inner| {
            let operator = prop::sample::select(vec![
                "+", "-", "*", "/", "//", "%", "**", "~", "==", "!=", "and", "or", "in", "not in",
            ]);
            let filter = prop::sample::select(vec![
                "length",
                "first",
                "last",
                "list",
                "reverse",
                "sort",
                "unique",
                "lower",
                "upper",
                "capitalize",
                "trim",
                "string",
                "int",
                "float",
                "abs",
                "round",
                "min",
                "max",
                "default('d')",
                "default('d', true)",
                "selectattr('on')",
                "rejectattr('on')",
                "selectattr('kind', 'eq', 'k')",
                "map(attribute='name')",
                "map('upper')",
                "sort(attribute='rank')",
                "sort(reverse=true)",
                "select('odd')",
                "reject('none')",
                "title",
                "bool",
                "attr('a')",
                "unique(case_sensitive=true)",
                "split('l')",
                "lines",
            ]);
            let test = prop::sample::select(vec![
                "defined",
                "undefined",
                "none",
                "string",
                "number",
                "mapping",
                "boolean",
                "odd",
                "even",
                "eq(1)",
                "in([1, 'a'])",
                "lower",
                "true",
                "false",
                "startingwith('H')",
                "divisibleby(3)",
                "integer",
                "float",
            ]);
            prop_oneof![
                (inner.clone(), operator, inner.clone())
                    .prop_map(|(a, operator, b)| format!("({a} {operator} {b})")),
                (inner.clone(), filter).prop_map(|(a, filter)| format!("({a} | {filter})")),
                (inner.clone(), test).prop_map(|(a, test)| format!("({a} is {test})")),
                (inner.clone(), inner.clone())
                    .prop_map(|(a, b)| format!("({a} | length <= {b} | length)")),
                inner.clone().prop_map(|a| format!("(not {a})")),
                inner.clone().prop_map(|a| format!("(-{a})")),
                (inner.clone(), inner.clone(), inner.clone())
                    .prop_map(|(a, b, c)| format!("({a} if {b} else {c})")),
                (inner.clone(), inner.clone()).prop_map(|(a, b)| format!("[{a}, {b}]")),
                inner.clone().prop_map(|a| format!("{{'x': {a}}}.x")),
                (
                    inner.clone(),
                    -3i64..4,
                    -3i64..4,
                    prop::sample::select(vec![1i64, 2])
                )
                    .prop_map(|(a, from, to, step)| format!("({a})[{from}:{to}:{step}]")),
                (inner.clone(), inner).prop_map(|(a, b)| format!("({a})[{b}]")),
            ]
        })
}

#[test]
fn expressions_have_the_values_of_the_language() {
    let cases = std::env::var("PROPTEST_CASES")
        .ok()
        .and_then(|cases| cases.parse().ok());
    let config = Config {
        cases: cases.unwrap_or(4000),
        ..Config::default()
    };
    // The same cases each time; more of them, and others, for who asks.
    let mut runner = match cases {
        None => TestRunner::new_with_rng(config, TestRng::deterministic_rng(RngAlgorithm::ChaCha)),
        Some(_) => TestRunner::new(config),
    };
    let same = std::cell::Cell::new(0);
    let run = runner.run(&expressions(), |expression| {
        let theirs = theirs(&expression);
        // A list that is not made yet has no text there; here every list is made.
        let is_lazy = |value: &Json| value.to_string().to_lowercase().contains("iterator>");
        if theirs.as_ref().is_some_and(is_lazy) {
            return Ok(());
        }
        match ours(&expression) {
            // A name that stands for nothing is an error wherever it is used; some tests and filters take it.
            Err(TemplateErrorKind::Undefined(_)) => {}
            Err(reason) => prop_assert!(
                theirs.is_none(),
                "{expression}: {reason:?}, there {theirs:?}"
            ),
            // What minijinja refuses, such as the last entry of a map, may have a value here.
            Ok(Some(_)) if theirs.is_none() => {}
            Ok(ours) => {
                same.set(same.get() + u32::from(ours.is_some()));
                prop_assert_eq!(ours, theirs, "{}", expression);
            }
        }
        Ok(())
    });
    if let Err(error) = run {
        panic!("{error}");
    }
    assert!(
        same.get() > 500,
        "only {} expressions have a value",
        same.get()
    );
}
