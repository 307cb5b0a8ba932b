//! The recorded answers of an API server, all of them.

use conformance::{Tally, judge};

use crate::support::repository_path;

/// Holds a file of `conformance/data` against the product; at most `exceptions` may disagree.
fn assert_agrees(what: &str, file: &str, exceptions: usize) {
    let path = repository_path("conformance/data").join(file);
    let mut said = Vec::new();
    let tally: Tally = judge(what, &path, 36, &mut said).unwrap();
    assert!(
        tally.of > 0 && tally.of - tally.agree <= exceptions,
        "{what}: agree {} of {}\n{}",
        tally.agree,
        tally.of,
        String::from_utf8_lossy(&said)
    );
}

#[test]
fn defaults_agree() {
    assert_agrees("defaults", "defaults.jsonl", 0);
}

#[test]
fn a_cluster_that_holds_what_was_rendered_differs_in_nothing() {
    assert_agrees("live", "live-eu-prod-1.json", 0);
}
