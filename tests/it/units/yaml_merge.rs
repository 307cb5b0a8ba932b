//! `crates/syntax/src/yaml/merge.rs`.

use tenantry::yaml::Node;
use tenantry::yaml::merge::*;
use tenantry::yaml::parse::parse;

fn tree(text: &str) -> Node {
    parse(text, 0)
        .documents
        .into_iter()
        .next()
        .unwrap_or_else(Node::empty_map)
}

fn merged(layers: &[&str]) -> serde_json::Value {
    let trees: Vec<Node> = layers.iter().map(|layer| tree(layer)).collect();
    merge(&trees).to_json()
}

#[test]
fn maps_merge_lists_replace_named_lists_merge_null_removes() {
    for (layers, expected) in [
        (
            &["{a: 1, b: {c: 2}}", "{b: {d: 3}}"][..],
            "{a: 1, b: {c: 2, d: 3}}",
        ),
        (&["{a: [1, 2]}", "{a: [3]}"], "{a: [3]}"),
        (
            &[
                "{e: [{name: x, value: 1}, {name: y, value: 2}]}",
                "{e: [{name: y, value: 3}, {name: z, value: 4}]}",
            ],
            "{e: [{name: x, value: 1}, {name: y, value: 3}, {name: z, value: 4}]}",
        ),
        (&["{a: 1, b: 2}", "{a: null}"], "{b: 2}"),
        (&["{a: 1}", "{a: null}", "{a: 2}"], "{a: 2}"),
        (
            &[
                "{e: [{name: x, value: 1}, {name: y, value: 2}]}",
                "{e: [{name: x, value: null}]}",
            ],
            "{e: [{name: y, value: 2}]}",
        ),
        (&["{a: {b: 1}}", "{a: 2}"], "{a: 2}"),
        (&["{e: [{name: x}]}", "{e: []}"], "{e: []}"),
    ] {
        assert_eq!(merged(layers), tree(expected).to_json(), "{layers:?}");
    }
}

#[test]
fn merging_over_nothing_or_with_nothing_changes_nothing() {
    let values = tree("{a: {b: [1, {name: x}]}, c: text}");
    assert_eq!(over(&Node::empty_map(), &values).value, values.value);
    assert_eq!(over(&values, &Node::empty_map()).value, values.value);
    assert_eq!(over(&values, &values).value, values.value);
}
