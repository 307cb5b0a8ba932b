//! The order of keys in what is written.

use super::FieldView;

pub(super) fn sort_fields(fields: &mut [FieldView<'_>]) {
    fields.sort_by(|a, b| canonical_order(&a.key).cmp(&canonical_order(&b.key)));
}

/// Where a key stands among its siblings: what identifies an object comes first, as Kubernetes
/// writes it; the rest is sorted by name; status comes last.
pub fn canonical_order(key: &str) -> (usize, &str) {
    let first = match key {
        "apiVersion" => 0,
        "kind" => 1,
        "metadata" => 2,
        "name" => 3,
        "namespace" => 4,
        // Rules of Prometheus, as its documents write them.
        "alert" => 5,
        "record" => 6,
        "expr" => 7,
        "for" => 8,
        "labels" => 9,
        "annotations" => 10,
        "image" => 11,
        "status" => return (13, ""),
        _ => return (12, key),
    };
    (first, "")
}
