//! What is never shown: secret material. A change to it shows the key's name only.

use std::sync::LazyLock;

use regex::Regex;
use serde_json::Value as Json;

use super::change::{FieldPath, Step};
use super::view::{Shape, View};

/// What stands in place of a secret value.
pub const HIDDEN: &str = "(secret)";

/// Names that people give to secrets.
static NAME: LazyLock<Option<Regex>> = LazyLock::new(|| {
    Regex::new(r"(?i)(password|passwd|passphrase|secret|token|api[_.-]?key|access[_.-]?key|private[_.-]?key|credential|connection[_.-]?string|(^|[_.-])dsn$|(^|[_.-])pwd$)").ok()
});
/// Names that only point at one.
static POINTER: LazyLock<Option<Regex>> =
    LazyLock::new(|| Regex::new(r"(?i)[_.-](file|path|dir|name|ref|url|uri|ttl|expiry)$").ok());
/// Texts that hold one: a key, credentials in an address, an option with its value.
static TEXT: LazyLock<Option<Regex>> = LazyLock::new(|| {
    Regex::new(r"(?i)(-----BEGIN [A-Z ]*PRIVATE KEY|://[^/\s:@]+:[^/\s@]+@|(password|passwd|secret|token|api[_-]?key)[=:]\s*\S|\bAKIA[0-9A-Z]{16}\b|\bghp_[A-Za-z0-9]{36}\b|\beyJ[A-Za-z0-9_-]{10,}\.[A-Za-z0-9_-]{10,}\.)").ok()
});

fn matches(pattern: &LazyLock<Option<Regex>>, text: &str) -> bool {
    // A pattern that cannot be read would hide everything rather than nothing.
    pattern
        .as_ref()
        .is_none_or(|pattern| pattern.is_match(text))
}

fn is_sensitive(name: &str) -> bool {
    matches(&NAME, name) && !matches(&POINTER, name)
}

/// Whether a scalar at a path of an object, or of a document of ours, is secret.
pub fn is_secret(kind: &str, path: &FieldPath, text: &str) -> bool {
    if kind == "Secret" && (path.starts_with(&["data"]) || path.starts_with(&["stringData"])) {
        return true;
    }
    let named = match path.0.as_slice() {
        [.., Step::Item(name), Step::Key(key)] if &**key == "value" => is_sensitive(name),
        [.., Step::Key(parent), Step::Key(key)] => match &**parent {
            "data" | "settings" | "parameters" | "custom" => is_sensitive(key),
            _ => false,
        },
        _ => false,
    };
    named || matches(&TEXT, text)
}

/// A value with what is secret in it hidden, and whether anything was.
pub fn redacted(kind: &str, view: View<'_>, path: &FieldPath) -> (Json, bool) {
    match view.shape() {
        Shape::Map => {
            // An item of a list without keys: its name says what its value is.
            let name = view.text_at(&["name"]);
            let inside = match path.0.last() {
                Some(Step::Item(label)) if label.is_empty() && !name.is_empty() => {
                    let mut steps = path.0.clone();
                    steps.pop();
                    FieldPath(steps).joined(Step::Item(name.as_ref().into()))
                }
                _ => path.clone(),
            };
            let mut any = false;
            let fields = view.fields().into_iter().map(|field| {
                let path = inside.joined(Step::Key(field.key.as_ref().into()));
                let (value, hidden) = redacted(kind, field.value, &path);
                any |= hidden;
                (field.key.into_owned(), value)
            });
            let map = Json::Object(fields.collect());
            (map, any)
        }
        Shape::List => {
            let path = path.joined(Step::Item("".into()));
            let mut any = false;
            let items = view.items().into_iter().map(|item| {
                let (value, hidden) = redacted(kind, item, &path);
                any |= hidden;
                value
            });
            let list = Json::Array(items.collect());
            (list, any)
        }
        Shape::Text(text) if is_secret(kind, path, &text) => (Json::from(HIDDEN), true),
        // Numbers can be secret, too.
        Shape::Int(_) | Shape::Float(_) if is_secret(kind, path, "") => (Json::from(HIDDEN), true),
        _ => (view.to_json(), false),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::yaml::parse::parse;

    fn shown(kind: &str, text: &str) -> String {
        let tree = parse(text, 0).documents.remove(0);
        let (value, _) = redacted(kind, View::of(&tree), &FieldPath::default());
        value.to_string()
    }

    #[test]
    fn secret_material_is_hidden_and_its_name_is_not() {
        for (kind, text) in [
            ("Secret", "data: {password: hunter2}"),
            ("Secret", "stringData: {anything: hunter2}"),
            ("Deployment", "env: [{name: DB_PASSWORD, value: hunter2}]"),
            (
                "Deployment",
                "spec: {containers: [{name: a, env: [{name: API_TOKEN, value: hunter2}]}]}",
            ),
            ("ConfigMap", "data: {db.password: hunter2}"),
            (
                "ConfigMap",
                "data: {app.conf: 'url: postgres://app:hunter2@db/app'}",
            ),
            ("Deployment", "args: ['--password=hunter2']"),
            (
                "ConfigMap",
                "data: {key.pem: \"-----BEGIN RSA PRIVATE KEY-----\\nhunter2\"}",
            ),
            (
                "Component",
                "spec: {workload: {settings: {apiKey: hunter2}}}",
            ),
            ("Deployment", "env: [{name: PIN_SECRET, value: 12345}]"),
        ] {
            let shown = shown(kind, text);
            assert!(shown.contains(HIDDEN), "{text}: {shown}");
            assert!(
                !shown.contains("hunter2") && !shown.contains("12345"),
                "{shown}"
            );
        }
    }

    #[test]
    fn what_only_names_a_secret_is_shown() {
        for text in [
            "env: [{name: DB_PASSWORD_FILE, value: /run/secrets/db}]",
            "env: [{name: DB, valueFrom: {secretKeyRef: {name: db, key: password}}}]",
            "spec: {volumes: [{name: tls, secret: {secretName: web-tls}}]}",
            "automountServiceAccountToken: false",
            "env: [{name: LOG_LEVEL, value: info}]",
            "image: registry.example:5000/app:1.2.3",
        ] {
            assert!(!shown("Deployment", text).contains(HIDDEN), "{text}");
        }
    }
}
