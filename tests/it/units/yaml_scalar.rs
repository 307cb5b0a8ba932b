//! `crates/syntax/src/yaml/scalar.rs`.

use tenantry::yaml::Value;
use tenantry::yaml::scalar::*;

#[test]
fn plain_scalars_follow_the_core_schema() {
    for (text, expected) in [
        ("", Value::Null),
        ("~", Value::Null),
        ("true", Value::Bool(true)),
        ("yes", Value::String("yes".into())),
        ("12", Value::Int(12)),
        ("-12", Value::Int(-12)),
        ("0o17", Value::Int(15)),
        ("0x1F", Value::Int(31)),
        ("1e3", Value::Float(1000.0)),
        (".5", Value::Float(0.5)),
        ("1.2.3", Value::String("1.2.3".into())),
        ("e3", Value::String("e3".into())),
        ("2026-01-01", Value::String("2026-01-01".into())),
    ] {
        assert_eq!(resolve_plain(text), Ok(expected), "{text}");
    }
    assert_eq!(resolve_plain("0755"), Err(Ambiguous::LeadingZero));
    assert_eq!(
        resolve_plain("99999999999999999999"),
        Err(Ambiguous::TooLarge)
    );
    assert_eq!(resolve_plain("-.inf"), Err(Ambiguous::NotFinite));
}

#[test]
fn words_and_numbers_of_either_yaml_are_quoted() {
    for text in [
        "",
        "yes",
        "No",
        "on",
        "null",
        "~",
        "true",
        "0o7",
        "0x1f",
        "1e3",
        "1_000",
        "12:30:45",
        "2026-01-01",
        "-1",
        "+1",
        ".5",
        ".inf",
        "- a",
        "-",
        "---",
        "a: b",
        "a:",
        "a #b",
        " a",
        "a ",
        "{a}",
        "[a]",
        "*a",
        "&a",
        "!a",
        "%a",
        "@a",
        "`a",
        "'a'",
        "\"a\"",
        "a\tb",
        "?",
        "=",
        "<<",
        "\u{a0}a",
        "|",
        ">",
        "\u{feff}",
    ] {
        assert!(needs_quotes(text), "{text:?}");
    }
    for text in [
        "a",
        "a-b",
        "1.2.3a",
        "nginx:1.25",
        "a:b",
        "/health",
        "10.0.0.0/8",
        "é",
        "emoji 🦀",
        "2Gi",
        "500m",
        "a=b",
        "--flag",
        "-v",
        "a, b",
        "it's",
        "a{b}",
        "a[0]",
    ] {
        assert!(!needs_quotes(text), "{text:?}");
    }
}
