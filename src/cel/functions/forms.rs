//! Named forms of text, such as DNS labels.
//! <https://kubernetes.io/docs/reference/using-api/cel/#kubernetes-format-library>

use std::sync::Arc;

use super::{Function, global, method, mismatch, text_of};
use crate::cel::operators::traversal;
use crate::cel::value::{Kubernetes, Value};
use crate::cel::{Budget, Error};

type Result<'a> = std::result::Result<Value<'a>, Error>;

/// Each form is a function of its name, and known to `format.named`.
macro_rules! forms {
    ($($name:literal),* $(,)?) => {
        /// The functions of this library.
        pub const TABLE: &[Function] = &[
            global("format.named", (1, 1), 31, named),
            $(global(concat!("format.", $name), (0, 0), 31, |_, b| form($name, b)),)*
            method("validate", (2, 2), 31, validate),
        ];
        const NAMES: &[&str] = &[$($name),*];
    };
}

forms!(
    "dns1123Label",
    "dns1123Subdomain",
    "dns1035Label",
    "dns1123LabelPrefix",
    "dns1123SubdomainPrefix",
    "dns1035LabelPrefix",
    "qualifiedName",
    "labelValue",
    "uri",
    "uuid",
    "byte",
    "date",
    "datetime",
);

fn form<'a>(name: &'static str, budget: &mut Budget<'a>) -> Result<'a> {
    budget.pay(1)?;
    Ok(Value::Kubernetes(Arc::new(Kubernetes::Format(name))))
}

fn named<'a>(arguments: &[Value<'a>], budget: &mut Budget<'a>) -> Result<'a> {
    let name = text_of("format.named", arguments, 0)?;
    match NAMES.iter().find(|known| **known == name) {
        Some(known) => Ok(Value::some(form(known, budget)?)),
        None => Ok(Value::Optional(None)),
    }
}

/// Nothing when the text has the form, else what is wrong with it.
fn validate<'a>(arguments: &[Value<'a>], budget: &mut Budget<'a>) -> Result<'a> {
    let Some(Value::Kubernetes(value)) = arguments.first() else {
        return Err(mismatch("validate", arguments));
    };
    let Kubernetes::Format(name) = &**value else {
        return Err(mismatch("validate", arguments));
    };
    let text = text_of("validate", arguments, 1)?;
    budget.pay(traversal(&[&arguments[1]]) * 2)?;
    Ok(match problem(name, text) {
        None => Value::Optional(None),
        Some(problem) => Value::some(Value::list(vec![Value::text(problem)])),
    })
}

fn label(text: &str, most: usize) -> bool {
    let alphanumeric = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit();
    (1..=most).contains(&text.len())
        && text.chars().all(|c| alphanumeric(c) || c == '-')
        && text.starts_with(alphanumeric)
        && text.ends_with(alphanumeric)
}

fn old_label(text: &str) -> bool {
    label(text, 63) && text.starts_with(|c: char| c.is_ascii_lowercase())
}

fn subdomain(text: &str) -> bool {
    text.len() <= 253 && text.split('.').all(|part| label(part, 253))
}

/// A name as labels have it after their prefix.
fn name(text: &str) -> bool {
    let alphanumeric = |c: char| c.is_ascii_alphanumeric();
    (1..=63).contains(&text.len())
        && text.chars().all(|c| alphanumeric(c) || "-_.".contains(c))
        && text.starts_with(alphanumeric)
        && text.ends_with(alphanumeric)
}

fn problem(form: &str, text: &str) -> Option<String> {
    // A prefix may end in `-`: a random suffix follows.
    let prefix = |text: &str| format!("{}a", text.strip_suffix('-').map_or(text, |rest| rest));
    let good = match form {
        "dns1123Label" => label(text, 63),
        "dns1123Subdomain" => subdomain(text),
        "dns1035Label" => old_label(text),
        "dns1123LabelPrefix" => label(&prefix(text), 64),
        "dns1123SubdomainPrefix" => subdomain(&prefix(text)),
        "dns1035LabelPrefix" => old_label(&prefix(text)),
        "qualifiedName" => match text.split_once('/') {
            Some((domain, rest)) => subdomain(domain) && name(rest),
            None => name(text),
        },
        "labelValue" => text.is_empty() || name(text),
        "uri" => {
            text.split_once(':').is_some_and(|(scheme, rest)| {
                !rest.is_empty()
                    && scheme.starts_with(|c: char| c.is_ascii_alphabetic())
                    && !text.contains(char::is_whitespace)
            }) || text.starts_with('/') && !text.contains(char::is_whitespace)
        }
        "uuid" => {
            let bare: String = text.chars().filter(|c| *c != '-').collect();
            let dashes: Vec<usize> = text.match_indices('-').map(|(at, _)| at).collect();
            bare.len() == 32
                && bare.bytes().all(|b| b.is_ascii_hexdigit())
                && (dashes.is_empty() || dashes == [8, 13, 18, 23])
        }
        "byte" => {
            text.len().is_multiple_of(4)
                && text.trim_end_matches('=').len() + 2 >= text.len()
                && text
                    .trim_end_matches('=')
                    .bytes()
                    .all(|b| b.is_ascii_alphanumeric() || b == b'+' || b == b'/')
        }
        "date" => text.len() == 10 && text.parse::<jiff::civil::Date>().is_ok(),
        _ => text.parse::<jiff::Timestamp>().is_ok(),
    };
    (!good).then(|| format!("`{text}` is not of the form {form}"))
}
