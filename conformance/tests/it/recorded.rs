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

#[test]
fn defaults_agree() {
    assert_agrees("defaults", "defaults.jsonl", &[]);
}

#[test]
fn a_cluster_that_holds_what_was_rendered_differs_in_nothing() {
    assert_agrees("live", "live-eu-prod-1.json", &[]);
}

#[test]
fn verdicts_of_policies_agree() {
    assert_agrees("policies", "policy-cases.jsonl", &[]);
}

/// Pieces of recorded expressions, put together at random: whatever comes out, nothing panics and nothing hangs.
#[test]
fn spliced_expressions_do_not_panic() {
    let path = repository_path("conformance/data/cel-verdicts.jsonl");
    let text = std::fs::read_to_string(path).unwrap();
    let cases: Vec<serde_json::Value> = text
        .lines()
        .map(|line| serde_json::from_str(line).unwrap())
        .collect();
    let expressions: Vec<Vec<char>> = cases
        .iter()
        .map(|case| case["expression"].as_str().unwrap().chars().collect())
        .collect();
    let mut seed = 0x2545_f491_4f6c_dd1d_u64;
    let mut random = move |below: usize| {
        seed ^= seed << 13;
        seed ^= seed >> 7;
        seed ^= seed << 17;
        usize::try_from(seed % u64::try_from(below.max(1)).unwrap()).unwrap()
    };
    let objects = conformance::objects();
    let mut compiled = 0;
    for _ in 0..20_000 {
        let (a, b) = (random(expressions.len()), random(expressions.len()));
        let (head, tail) = (random(expressions[a].len()), random(expressions[b].len()));
        let spliced: String = expressions[a][..head]
            .iter()
            .chain(&expressions[b][tail..])
            .collect();
        let case = serde_json::json!({"expression": spliced, "object": "cr"});
        let (answer, _) = conformance::answer(&case, &objects);
        compiled += usize::from(answer["error"] != "compile");
    }
    assert!(compiled > 100, "only {compiled} are expressions");
}
