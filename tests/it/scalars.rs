//! Any text in any place that users set comes out as exactly that text, to two readers of YAML.

use std::fs;

use proptest::prelude::*;
use serde_yaml::Value as Yaml;
use tenantry::emit::Mode;
use tenantry::engine::view::View;
use tenantry::engine::writer::write_document;
use tenantry::yaml::parse::parse;
use tenantry::yaml::{Entry, Node, NodeId, Value};
use tenantry::{OutputOptions, compile};

use crate::support::{Nothing, cases, options, repository_path};

/// Texts that other tools trip over.
const TRAPS: &[&str] = &[
    "\n  evil: true",
    "{{ x }}",
    "{% if x %}",
    "{# x #}",
    "- a",
    "yes",
    "no",
    "on",
    "y",
    "0o7",
    "0777",
    "1e3",
    "1_000",
    "null",
    "~",
    "",
    " ",
    "\t",
    "a\tb",
    "🦀",
    "a: b",
    "a #b",
    "#",
    "'",
    "\"",
    "''",
    "\"\"",
    "\\",
    "\\n",
    "|",
    ">",
    "|-\n x",
    "---",
    "...",
    "--- a",
    "<<",
    "=",
    "!!str",
    "!x",
    "&a",
    "*a",
    "%YAML",
    "@",
    "`",
    "?",
    "? a",
    ":",
    "- ",
    "a:",
    " a",
    "a ",
    "a\n",
    "\na",
    "a\n\n",
    "a\n b",
    "a \nb",
    "\r",
    "a\r\nb",
    "\u{0}",
    "\u{7f}",
    "\u{85}",
    "\u{a0}",
    "\u{2028}",
    "\u{feff}",
    "\u{e000}",
    "\u{f0000}",
    "\u{f0001}\u{100000}",
    "\u{10ffff}",
    "1.0",
    "1.10",
    "0x1F",
    "12:30:45",
    "2026-01-01",
    "2026-01-01T00:00:00Z",
    ".inf",
    "-.INF",
    ".nan",
    "+1",
    "-0",
    "1.",
    ".5",
    "true",
    "True",
    "TRUE",
    "[a]",
    "{a: b}",
    "a, b",
    "a]",
    "}",
    "{{ '{{' }}",
];

fn any_text() -> impl Strategy<Value = String> {
    let trap = proptest::sample::select(TRAPS).prop_map(str::to_owned);
    let pieces = prop::collection::vec(
        prop_oneof![trap.clone(), any::<String>(), "[ -~\n\t]{0,12}"],
        0..4,
    )
    .prop_map(|pieces| pieces.concat());
    prop_oneof![trap, any::<String>(), "[ -~\n]{0,40}", pieces]
}

fn any_value() -> impl Strategy<Value = Value> {
    let leaf = prop_oneof![
        any::<bool>().prop_map(Value::Bool),
        any::<i64>().prop_map(Value::Int),
        any::<f64>()
            .prop_filter("finite", |number| number.is_finite())
            .prop_map(Value::Float),
        any_text().prop_map(|text| Value::String(text.into())),
    ];
    leaf.prop_recursive(4, 24, 4, |inner| {
        let node = inner.prop_map(|value| Node::new(NodeId::NONE, value));
        let list =
            prop::collection::vec(node.clone(), 0..4).prop_map(|items| Value::List(items.into()));
        let map = prop::collection::btree_map(any_text(), node, 0..4).prop_map(|map| {
            let entries = map
                .into_iter()
                .map(|(key, value)| Entry {
                    key: key.into(),
                    key_id: NodeId::NONE,
                    value,
                })
                .collect();
            Node::map(NodeId::NONE, entries).value
        });
        prop_oneof![list, map]
    })
}

fn same(ours: &Value, theirs: &Yaml) -> bool {
    match (ours, theirs) {
        (Value::Null, Yaml::Null) => true,
        (Value::Bool(a), Yaml::Bool(b)) => a == b,
        (Value::Int(a), Yaml::Number(b)) => b.as_i64() == Some(*a),
        (Value::Float(a), Yaml::Number(b)) => {
            b.is_f64() && b.as_f64().is_some_and(|b| b.to_bits() == a.to_bits())
        }
        (Value::String(a), Yaml::String(b)) => **a == **b,
        (Value::List(a), Yaml::Sequence(b)) => {
            a.len() == b.len() && a.iter().zip(b).all(|(a, b)| same(&a.value, b))
        }
        (Value::Map(a), Yaml::Mapping(b)) => {
            a.entries.len() == b.len()
                && a.entries.iter().all(|entry| {
                    b.get(&*entry.key)
                        .is_some_and(|b| same(&entry.value.value, b))
                })
        }
        _ => false,
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: cases(1024), failure_persistence: None, ..ProptestConfig::default() })]

    /// The writer against our own reader, and against an unrelated one.
    #[test]
    fn what_is_written_is_read_back(value in any_value()) {
        let node = Node::map(NodeId::NONE, vec![Entry { key: "data".into(), key_id: NodeId::NONE, value: Node::new(NodeId::NONE, value.clone()) }]);
        let mut text = String::new();
        write_document(View::of(&node), &mut text);
        let parsed = parse(&text, 0);
        prop_assert!(parsed.problems.is_empty(), "{:?}\n{text}", parsed.problems);
        prop_assert_eq!(&parsed.documents[0].get("data").unwrap().value, &value, "{}", text);
        let other: Yaml = serde_yaml::from_str(&text).map_err(|error| TestCaseError::fail(format!("{error}\n{text:?}")))?;
        prop_assert!(same(&value, &other["data"]), "{:?}\n{}", other, text);
    }
}

/// A text in double quotes, all but letters and digits as escapes.
fn escaped(text: &str) -> String {
    let escape = |c: char| {
        if c.is_ascii_alphanumeric() {
            c.to_string()
        } else {
            format!("\\U{:08x}", u32::from(c))
        }
    };
    format!("\"{}\"", text.chars().map(escape).collect::<String>())
}

/// One compilation with each text in every kind of place that templates print: a subtree, a whole
/// scalar, a part of a text, a key, an annotation in quotes.
fn compile_texts(texts: &[String]) {
    let folder = tempfile::tempdir().unwrap();
    let (input, output) = (folder.path().join("in"), folder.path().join("out"));
    crate::support::copy_folder(&repository_path("examples/quickstart"), &input, false);
    let json: Vec<String> = texts.iter().map(|text| escaped(text)).collect();
    let env: String = json
        .iter()
        .enumerate()
        .map(|(at, text)| format!("          - {{name: TEXT_{at}, value: {text}}}\n"))
        .collect();
    let settings: String = json
        .iter()
        .enumerate()
        .map(|(at, text)| format!("          text{at}: {text}\n"))
        .collect();
    let tenant = format!(
        "apiVersion: tenantry.dev/v1\nkind: Tenant\nmetadata: {{name: globex}}\nspec:\n  owner: team-globex\n  tier: basic\n  environments:\n    production:\n  \
         components:\n    - component: web\n      values:\n        args: [{}]\n        env:\n{env}        settings:\n{settings}",
        json.join(", ")
    );
    fs::write(input.join("tenants/globex.yaml"), tenant).unwrap();
    fs::create_dir_all(input.join("templates/component")).unwrap();
    let template = "{#-\nscope: component\n-#}\napiVersion: v1\nkind: ConfigMap\nmetadata:\n  name: texts\n  namespace: {{ instance.namespace }}\ndata:\n  \
                    subtree: {{ workload.settings | tojson }}\n  {% for key in workload.settings %}\n  whole.{{ key }}: {{ workload.settings[key] }}\n  part.{{ key }}: before {{ workload.settings[key] }} after\n  \
                    quoted.{{ key }}: \"{{ workload.settings[key] }}\"\n  block.{{ key }}: |\n    first\n    {{ workload.settings[key] }}\n  {% endfor %}\n---\napiVersion: acme.example/v1\nkind: Texts\nmetadata:\n  \
                    name: keys\n  namespace: {{ instance.namespace }}\ndata:\n  {% for key in workload.settings %}\n  {% if loop.first %}\n  {{ workload.settings[key] }}: value\n  {% endif %}\n  {% endfor %}\n";
    fs::write(input.join("templates/component/texts.yaml"), template).unwrap();
    let settings = OutputOptions {
        folder: output.clone(),
        mode: Mode::Write { force: false },
    };
    let compilation = compile(&options(&input), Some(&settings), &Nothing).unwrap();
    let shown = tenantry::report::findings(
        tenantry::report::Format::Text,
        &compilation.findings,
        &compilation.sources,
        false,
    );
    assert!(!compilation.has_errors(), "{shown}");
    let text = fs::read_to_string(output.join("production/eu-1/globex/web.yaml")).unwrap();
    let documents: Vec<Yaml> = serde_yaml::Deserializer::from_str(&text)
        .map(|document| {
            serde::Deserialize::deserialize(document)
                .unwrap_or_else(|error| panic!("{error}\n{text}"))
        })
        .collect();
    let find = |kind: &str, name: &str| {
        documents
            .iter()
            .find(|document| document["kind"] == kind && document["metadata"]["name"] == name)
            .unwrap()
    };
    let container = &find("Deployment", "data-processing-globex-web")["spec"]["template"]["spec"]["containers"]
        [0];
    let data = &find("ConfigMap", "texts")["data"];
    for (at, expected) in texts.iter().enumerate() {
        let variable = container["env"]
            .as_sequence()
            .unwrap()
            .iter()
            .find(|variable| variable["name"] == format!("TEXT_{at}").as_str())
            .unwrap();
        assert_eq!(variable["value"], Yaml::from(expected.as_str()), "env");
        assert_eq!(container["args"][at], Yaml::from(expected.as_str()), "args");
        assert_eq!(
            data[format!("whole.text{at}").as_str()],
            Yaml::from(expected.as_str()),
            "whole"
        );
        assert_eq!(
            data[format!("quoted.text{at}").as_str()],
            Yaml::from(expected.as_str()),
            "quoted"
        );
        assert_eq!(
            data[format!("part.text{at}").as_str()],
            Yaml::from(format!("before {expected} after")),
            "part"
        );
        assert_eq!(
            data[format!("block.text{at}").as_str()],
            Yaml::from(format!("first\n{expected}\n")),
            "block"
        );
    }
    assert_eq!(
        find("Texts", "keys")["data"][texts[0].as_str()],
        Yaml::from("value"),
        "key"
    );
}

#[test]
fn the_traps_come_out_as_they_are() {
    let texts: Vec<String> = TRAPS.iter().map(|text| (*text).to_owned()).collect();
    for start in 0..texts.len() {
        // Each text is the first once: the first is used as a key, too.
        if start % 8 == 0 {
            let mut rotated = texts.clone();
            rotated.rotate_left(start);
            compile_texts(&rotated);
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 64, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn any_text_comes_out_as_it_is(texts in prop::collection::vec(any_text(), 1..40)) {
        compile_texts(&texts);
    }
}
