//! The committed schemas are those of the Rust types: `UPDATE=1 cargo test schemas` writes them anew.

use tenantry::model::kinds;

use crate::support::{assert_file, repository_path};

#[test]
fn schemas_of_our_kinds_are_those_of_the_types() {
    for kind in kinds::KINDS {
        let schema = kinds::json_schema(kind).expect("every kind has a schema");
        let text = serde_json::to_string_pretty(&schema).unwrap() + "\n";
        assert_file(
            &repository_path(&format!("schemas/{}.json", kind.to_lowercase())),
            &text,
        );
    }
}
