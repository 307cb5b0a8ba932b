//! `src/model/placeholder.rs`.

#[test]
fn names_are_told_from_other_braces() {
    let text = "Growth {market.growth}; {\"a\": {1}} {} {a b} {team-name}{";
    assert_eq!(
        tenantry::engine::placeholder::all(text),
        ["market.growth", "team-name"]
    );
}
