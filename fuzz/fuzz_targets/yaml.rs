//! Any bytes as YAML: problems, never a panic; what is read can be written and read again.
#![no_main]

use libfuzzer_sys::fuzz_target;
use tenantry::engine::view::View;
use tenantry::yaml::parse::parse;
use tenantry::engine::writer::write_document;

fuzz_target!(|text: &str| {
    let parsed = parse(text, 0);
    for document in parsed.documents.iter().filter(|_| parsed.problems.is_empty()) {
        let mut written = String::new();
        write_document(View::of(document), &mut written);
        let again = parse(&written, 0);
        assert!(again.problems.is_empty(), "{written}");
        // Entries that hold nothing are left out, so what is written once more is the same text.
        let mut twice = String::new();
        if let Some(document) = again.documents.first() {
            write_document(View::of(document), &mut twice);
        }
        assert_eq!(written, twice);
    }
});
