//! Names of objects, labels, variables, ports and paths.

use tenantry_engine::scalars::is_label;
use tenantry_engine::scalars::is_subdomain;

/// RFC 1035: a label that starts with a letter.
pub fn is_dns1035_label(text: &str) -> bool {
    is_label(text) && text.starts_with(|c: char| c.is_ascii_lowercase())
}

pub(super) fn is_wildcard_subdomain(text: &str) -> bool {
    text.len() <= 253 && text.strip_prefix("*.").is_some_and(is_subdomain)
}

/// The name part of a key of a label: letters and digits, `-`, `_` and `.` inside.
pub(super) fn is_name_part(text: &str) -> bool {
    let end = |b: u8| b.is_ascii_alphanumeric();
    (1..=63).contains(&text.len())
        && text.bytes().all(|b| end(b) || b"-_.".contains(&b))
        && text.bytes().next().is_some_and(end)
        && text.bytes().last().is_some_and(end)
}

/// `name` or `domain/name`.
pub fn is_qualified_name(text: &str) -> bool {
    match text.split_once('/') {
        Some((domain, name)) => is_subdomain(domain) && is_name_part(name),
        None => is_name_part(text),
    }
}

/// The value of a label.
pub fn is_label_value(text: &str) -> bool {
    text.is_empty() || is_name_part(text)
}

pub(super) fn is_env_var_name(text: &str) -> bool {
    !text.is_empty()
        && text
            .bytes()
            .all(|b| (b' '..=b'~').contains(&b) && b != b'=')
}

pub(super) fn is_c_identifier(text: &str) -> bool {
    text.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'_')
        && text.bytes().next().is_some_and(|b| !b.is_ascii_digit())
}

pub(super) fn is_config_map_key(text: &str) -> bool {
    (1..=253).contains(&text.len())
        && text
            .bytes()
            .all(|b| b.is_ascii_alphanumeric() || b"-_.".contains(&b))
        && !text.starts_with("..")
        && text != "."
}

/// An IANA service name.
pub fn is_port_name(text: &str) -> bool {
    (1..=15).contains(&text.len())
        && text
            .bytes()
            .all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'-')
        && text.bytes().any(|b| b.is_ascii_lowercase())
        && !text.contains("--")
        && !text.starts_with('-')
        && !text.ends_with('-')
}

pub(super) fn masked(text: &str) -> String {
    match text.strip_suffix('-') {
        Some(rest) if !rest.is_empty() => format!("{rest}a"),
        _ => text.to_owned(),
    }
}

pub(super) fn is_domain_prefixed_path(text: &str) -> bool {
    let is_plain = |c: char| c.is_ascii_alphanumeric() || "._~%!$&'()*+,;=:-@/".contains(c);
    text.split_once('/').is_some_and(|(domain, path)| {
        is_subdomain(domain) && !path.is_empty() && path.chars().all(is_plain)
    })
}

pub(super) fn has_dots(text: &str) -> bool {
    text.split('/').any(|part| part == "..")
}

pub(super) fn is_relative_path(text: &str) -> bool {
    !text.starts_with('/') && !has_dots(text)
}

pub(super) fn is_path_segment(text: &str) -> bool {
    !text.is_empty() && text != "." && text != ".." && !text.contains(['/', '%'])
}
