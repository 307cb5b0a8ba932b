//! The schemas of our own kinds.

use std::collections::HashMap;
use std::sync::OnceLock;

use serde_json::value::RawValue;

use tenantry_engine::schema::SchemaSet;

/// The schemas of our own kinds, as they are committed in `schemas/` and tested to be those of the
/// Rust types.
pub fn own() -> &'static SchemaSet {
    static OWN: OnceLock<SchemaSet> = OnceLock::new();
    OWN.get_or_init(|| {
        let mut set = SchemaSet::default();
        for (_, text) in FILES {
            let Ok(file) = serde_json::from_str::<OwnFile<'_>>(text) else { continue };
            for (name, definition) in file.definitions {
                set.add(name, definition.to_owned(), false);
            }
            let (required, properties) = (file.required, file.properties);
            let document = format!(
                r#"{{"type": "object", "additionalProperties": false, "required": {required}, "properties": {properties}}}"#
            );
            if let Ok(document) = RawValue::from_string(document) {
                set.add(&document_name(file.title), document, false);
            }
        }
        set
    })
}

/// The name that the schema of a kind's whole document has in [`own`].
pub fn document_name(kind: &str) -> String {
    format!("document of {kind}")
}

#[derive(serde::Deserialize)]
struct OwnFile<'a> {
    /// The kind.
    title: &'a str,
    #[serde(borrow, rename = "$defs")]
    definitions: HashMap<&'a str, &'a RawValue>,
    #[serde(borrow)]
    required: &'a RawValue,
    #[serde(borrow)]
    properties: &'a RawValue,
}

/// The files of `schemas/`, by name.
const FILES: &[(&str, &str)] = include!(concat!(env!("OUT_DIR"), "/schemas.rs"));

/// The committed schema of a kind, as `tenantry schema KIND` prints it.
pub fn source(kind: &str) -> Option<&'static str> {
    let name = format!("{}.json", kind.to_lowercase());
    let (_, text) = FILES.iter().find(|(file, _)| *file == name)?;
    Some(text)
}
