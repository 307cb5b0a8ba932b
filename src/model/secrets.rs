//! What is never shown: secret material. A change to it shows the key's name only.

use std::sync::LazyLock;

use regex::Regex;
use serde_json::Value as Json;

use tenantry_engine::view::{Shape, View};
use tenantry_kubernetes::field_path::{FieldPath, FieldStep};

/// What stands in place of a secret value.
pub const HIDDEN: &str = "(secret)";

/// Names that people give to secrets.
static NAME: LazyLock<Option<Regex>> = LazyLock::new(|| {
    Regex::new(r"(?i)(password|passwd|passphrase|secret|token|credential|connection[_.-]?string|(api|access|private|encryption|signing|master|ssh)[_.-]?key|hmac|jwt|(^|[_.-])(dsn|pwd|pw|pass|auth|salt)$)").ok()
});
/// Names that only point at one.
static POINTER: LazyLock<Option<Regex>> =
    LazyLock::new(|| Regex::new(r"(?i)[_.-](file|path|dir|name|ref|url|uri|ttl|expiry)$").ok());
/// Keys of maps that hold one, in whatever object.
static KEY: LazyLock<Option<Regex>> = LazyLock::new(|| {
    Regex::new(r"(?i)^(password|passwd|passphrase|token|apikey|accesskey|privatekey|clientsecret|authtoken|bearertoken|accesstoken|connectionstring)$").ok()
});
/// Texts that hold one: a key, credentials in an address or a header, a setting with its value, and
/// what services give their tokens as beginnings.
static TEXT: LazyLock<Option<Regex>> = LazyLock::new(|| {
    Regex::new(concat!(
        r"(?i)(-----BEGIN [A-Z ]*PRIVATE KEY",
        r"|://[^/\s:@]*:[^\s@]+@|https?://[^/\s@]+@",
        r"|[?&](sig|signature|token|key|secret|password)=",
        r#"|(password|passwd|secret|token|api[_-]?key)["']?\s*[=:>]\s*\S"#,
        r"|\b(bearer|basic)\s+[A-Za-z0-9+/=._-]{8,}",
        r"|\bAKIA[0-9A-Z]{16}\b|\bgh[pousr]_[A-Za-z0-9]{20,}|\bgithub_pat_|\bglpat-|\bsk-[A-Za-z0-9_-]{20,}|hooks\.slack\.com/services/|\bxox[abprs]-",
        r"|\beyJ[A-Za-z0-9_-]{10,}\.[A-Za-z0-9_-]{10,}\.)",
    ))
    .ok()
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
    // It repeats the whole object.
    if path.last_key() == "kubectl.kubernetes.io/last-applied-configuration" {
        return true;
    }
    let named = match path.0.as_slice() {
        [.., FieldStep::Key(key)] if matches(&KEY, key) => true,
        [.., FieldStep::Item(name), FieldStep::Key(key)] if &**key == "value" => is_sensitive(name),
        [.., FieldStep::Key(parent), FieldStep::Key(key)] => match &**parent {
            "data" | "settings" | "parameters" | "custom" => is_sensitive(key),
            _ => false,
        },
        _ => false,
    };
    named || matches(&TEXT, text)
}

/// Each part of a value that is secret.
pub fn each_hidden<'a>(
    kind: &str,
    view: View<'a>,
    path: &FieldPath,
    found: &mut dyn FnMut(View<'a>),
) {
    match view.shape() {
        Shape::Map => {
            let inside = named(view, path);
            for field in view.fields() {
                let path = inside.joined(FieldStep::Key(field.key.as_ref().into()));
                each_hidden(kind, field.value, &path, found);
            }
        }
        Shape::List => {
            let path = path.joined(FieldStep::Item("".into()));
            let items = view.items();
            for (at, item) in items.iter().enumerate() {
                if at > 0 && is_option(items[at - 1]) {
                    found(*item);
                } else {
                    each_hidden(kind, *item, &path, found);
                }
            }
        }
        Shape::Text(text) if is_secret(kind, path, &text) => found(view),
        Shape::Int(_) | Shape::Float(_) if is_secret(kind, path, "") => found(view),
        _ => {}
    }
}

/// Whether the next argument of a command is secret: `--password`.
fn is_option(view: View<'_>) -> bool {
    view.text()
        .is_some_and(|text| text.starts_with('-') && !text.contains('=') && is_sensitive(&text))
}

/// The path of a map, with its name in place of the position in a list without keys: the name says
/// what its value is.
fn named(view: View<'_>, path: &FieldPath) -> FieldPath {
    let name = view.text_at(&["name"]);
    match path.0.split_last() {
        Some((FieldStep::Item(label), before)) if label.is_empty() && !name.is_empty() => {
            FieldPath(before.to_vec()).joined(FieldStep::Item(name.as_ref().into()))
        }
        _ => path.clone(),
    }
}

/// A value with what is secret in it hidden, and whether anything was.
pub fn redacted(kind: &str, view: View<'_>, path: &FieldPath) -> (Json, bool) {
    match view.shape() {
        Shape::Map => {
            let inside = named(view, path);
            let mut any = false;
            let fields = view.fields().into_iter().map(|field| {
                let path = inside.joined(FieldStep::Key(field.key.as_ref().into()));
                let (value, hidden) = redacted(kind, field.value, &path);
                any |= hidden;
                (field.key.into_owned(), value)
            });
            let map = Json::Object(fields.collect());
            (map, any)
        }
        Shape::List => {
            let path = path.joined(FieldStep::Item("".into()));
            let mut any = false;
            let items = view.items();
            let shown = items.iter().enumerate().map(|(at, item)| {
                if at > 0 && is_option(items[at - 1]) {
                    any = true;
                    return Json::from(HIDDEN);
                }
                let (value, hidden) = redacted(kind, *item, &path);
                any |= hidden;
                value
            });
            let list = Json::Array(shown.collect());
            (list, any)
        }
        Shape::Text(text) if is_secret(kind, path, &text) => (Json::from(HIDDEN), true),
        // Numbers can be secret, too.
        Shape::Int(_) | Shape::Float(_) if is_secret(kind, path, "") => (Json::from(HIDDEN), true),
        _ => (view.to_json(), false),
    }
}
