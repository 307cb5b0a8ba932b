//! The recorded answers of an API server, all of them.

use conformance::judge;

use crate::support::repository_path;

/// Holds a file of `conformance/data` against the product; what disagrees must be one of the exceptions.
fn assert_agrees(what: &str, file: &str, exceptions: &[&str]) {
    let path = repository_path("conformance/data").join(file);
    let mut said = Vec::new();
    let tally = judge(what, &path, 36, &mut said).unwrap();
    let said = String::from_utf8_lossy(&said);
    let listed = exceptions
        .iter()
        .filter(|name| said.contains(**name))
        .count();
    assert!(
        tally.of > 0 && tally.of - tally.agree == listed && listed == exceptions.len(),
        "{what}: agree {} of {}, {listed} of {} exceptions\n{said}",
        tally.agree,
        tally.of,
        exceptions.len()
    );
}

/// What depends on the order of a map in Go has no one answer.
const ORDER_OF_MAPS: &[&str] = &[
    "object.metadata.labels.transformList(k, v, v)",
    "object.spec.transformMap(p, vw, p).map(x, x).isSorted()",
];

#[test]
fn expressions_agree() {
    assert_agrees("cel", "cel-verdicts.jsonl", ORDER_OF_MAPS);
}

#[test]
fn costs_agree() {
    assert_agrees("costs", "cel-costs.jsonl", &[]);
}
