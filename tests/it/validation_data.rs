//! The data of validation: every file is read to its end, and every rule compiles.

#[test]
fn validation_data_has_no_problems() {
    let problems = tenantry::kubernetes::validation::problems();
    assert!(problems.is_empty(), "{problems:#?}");
}
