//! Named forms of text, as the API server checks them.

mod names;

use names::{
    has_dots, is_c_identifier, is_config_map_key, is_domain_prefixed_path, is_env_var_name,
    is_path_segment, is_relative_path, is_wildcard_subdomain, masked,
};
pub use names::{is_dns1035_label, is_label_value, is_port_name, is_qualified_name};
use std::net::{Ipv4Addr, Ipv6Addr};
use std::sync::LazyLock;

use regex::Regex;

use tenantry_engine::scalars::{is_label, is_subdomain};
use tenantry_kubernetes::base64;

/// A form.
#[derive(Debug)]
pub struct FormatName {
    /// Its name in data.
    pub name: &'static str,
    /// What to write, for people.
    pub expected: &'static str,
    /// The greatest length in bytes, if the form has one.
    pub most: Option<usize>,
    /// Whether a number has it; nothing where numbers are judged as they are written.
    pub number: Option<fn(i64) -> bool>,
    /// Whether a text has it.
    pub is: fn(&str) -> bool,
}

const fn form(name: &'static str, expected: &'static str, is: fn(&str) -> bool) -> FormatName {
    FormatName {
        name,
        expected,
        most: None,
        number: None,
        is,
    }
}

impl FormatName {
    const fn or_number(mut self, number: fn(i64) -> bool) -> FormatName {
        self.number = Some(number);
        self
    }

    const fn at_most(mut self, most: usize) -> FormatName {
        self.most = Some(most);
        self
    }
}

/// All forms of this crate's data.
pub const FORMS: &[FormatName] = &[
    form(
        "dns1123-label",
        "lower-case letters, digits and `-`, a letter or digit at both ends, at most 63 characters",
        is_label,
    ).at_most(63),
    form(
        "dns1123-subdomain",
        "lower-case letters, digits, `-` and `.`, a letter or digit at both ends, at most 253 characters",
        is_subdomain,
    ).at_most(253),
    form(
        "dns1035-label",
        "lower-case letters, digits and `-`, a letter first, at most 63 characters",
        is_dns1035_label,
    ).at_most(63),
    form(
        "wildcard-subdomain",
        "a domain with `*.` in front, such as `*.acme.example`",
        is_wildcard_subdomain,
    ),
    form(
        "qualified-name",
        "`name` or `domain/name`; the name with at most 63 letters, digits, `-`, `_` and `.`",
        is_qualified_name,
    ),
    form(
        "annotation-key",
        "`name` or `domain/name`; the name with at most 63 letters, digits, `-`, `_` and `.`",
        |text| is_qualified_name(&text.to_lowercase()),
    ),
    form(
        "label-value",
        "letters, digits, `-`, `_` and `.`, a letter or digit at both ends, at most 63 characters",
        is_label_value,
    ).at_most(63),
    form(
        "resource-name",
        "`cpu`, `memory` or another resource of Kubernetes, or `domain/name`",
        is_qualified_name,
    ),
    form(
        "dns1123-label-or-empty",
        "lower-case letters, digits and `-`, a letter or digit at both ends, at most 63 characters",
        |text| text.is_empty() || is_label(text),
    ),
    form(
        "dns1123-subdomain-or-empty",
        "lower-case letters, digits, `-` and `.`, a letter or digit at both ends, at most 253 characters",
        |text| text.is_empty() || is_subdomain(text),
    ),
    form(
        "dns1123-subdomain-prefix",
        "lower-case letters, digits, `-` and `.`, a letter or digit first",
        |text| is_subdomain(&masked(text)),
    ),
    form(
        "qualified-name-or-empty",
        "`name` or `domain/name`; the name with at most 63 letters, digits, `-`, `_` and `.`",
        |text| text.is_empty() || is_qualified_name(text),
    ),
    form(
        "port-name-or-empty",
        "lower-case letters, digits and `-` with at least one letter, at most 15 characters",
        |text| text.is_empty() || is_port_name(text),
    ),
    form(
        "csi-driver-name",
        "a domain of at most 63 characters, such as `csi.acme.example`",
        |text| text.len() <= 63 && is_subdomain(&text.to_lowercase()),
    ),
    form(
        "domain-prefixed-path",
        "`domain/path`, such as `acme.example/controller`",
        is_domain_prefixed_path,
    ),
    form(
        "local-path",
        "a path without a leading `/` and without `..`",
        |text| is_relative_path(text) && !text.starts_with(".."),
    ),
    form(
        "env-var-name",
        "printable ASCII characters other than `=`",
        is_env_var_name,
    ),
    form(
        "c-identifier",
        "letters, digits and `_`, no digit first",
        is_c_identifier,
    ),
    form(
        "config-map-key",
        "letters, digits, `-`, `_` and `.`, at most 253 characters",
        is_config_map_key,
    ).at_most(253),
    form(
        "port-name",
        "lower-case letters, digits and `-` with at least one letter, at most 15 characters",
        is_port_name,
    ).at_most(15),
    form("port-number", "a port from 1 to 65535", |text| {
        text.parse::<u32>()
            .is_ok_and(|port| (1..=65535).contains(&port))
    }),
    form(
        "port-number-or-name",
        "a port from 1 to 65535, or the name of one",
        is_port_name,
    ).or_number(|port| (1..=65535).contains(&port)),
    form("absolute-path", "a path that starts with `/`", |text| {
        text.starts_with('/')
    }),
    form(
        "relative-path",
        "a path without a leading `/` and without `..`",
        is_relative_path,
    ),
    form("path-without-dots", "a path without `..`", |text| {
        !has_dots(text)
    }),
    form(
        "path-segment",
        "a name without `/` and `%`, other than `.` and `..`",
        is_path_segment,
    ),
    form(
        "ip",
        "an IP address, such as `10.0.0.1` or `fd00::1`",
        |text| is_ipv4(text) || is_ipv6(text),
    ),
    form("ipv4", "an IPv4 address, such as `10.0.0.1`", is_ipv4),
    form("ipv6", "an IPv6 address, such as `fd00::1`", is_ipv6),
    form(
        "cidr",
        "a range of addresses, such as `10.0.0.0/8` or `fd00::/64`",
        is_cidr,
    ),
    form(
        "quantity",
        "an amount, such as `500m`, `2` or `1.5Gi`",
        is_quantity,
    ),
    form(
        "quantity-not-negative",
        "an amount that is not negative, such as `500m`, `2` or `1.5Gi`",
        |text| is_quantity(text) && !is_negative(text),
    ),
    form(
        "quantity-positive",
        "an amount above zero, such as `500m`, `2` or `1.5Gi`",
        |text| is_quantity(text) && !is_negative(text) && !is_zero(text),
    ),
    form(
        "go-duration",
        "a duration such as `30s`, `5m` or `1h30m`",
        |text| go_duration(text).is_some(),
    ),
    form(
        "cron",
        "a schedule of five fields, such as `0 2 * * 1-5`, or `@daily`",
        is_cron,
    ),
    form(
        "time-zone",
        "a time zone of the IANA database, such as `Europe/Zurich` or `Etc/UTC`",
        is_time_zone,
    ),
    form(
        "date-time",
        "a time such as `2027-01-31T08:00:00Z`",
        is_date_time,
    ),
    form(
        "int-or-percent",
        "a whole number that is not negative, or a percentage such as `25%`",
        |text| percent(text).is_some(),
    ).or_number(|number| number >= 0),
    form(
        "percent-to-100",
        "a whole number that is not negative, or a percentage up to `100%`",
        is_percent_to_100,
    ).or_number(|number| number >= 0),
    form(
        "url",
        "a URL with its scheme, such as `https://acme.example`",
        is_url,
    ),
    form(
        "http-header-name",
        "letters, digits and `-`",
        is_http_header_name,
    ),
    form(
        "image-reference",
        "an image without spaces at its ends",
        |text| text.trim() == text && !text.is_empty(),
    ),
    form(
        "sysctl-name",
        "a name of lower-case parts with `.` or `/` between them, such as `net.core.somaxconn`",
        is_sysctl_name,
    ),
    form("base64", "text in base64", is_base64),
    form(
        "csi-driver-name",
        "letters, digits, `-` and `.`, a letter or digit at both ends, at most 63 characters",
        |text| is_subdomain(&text.to_lowercase()),
    )
    .at_most(63),
    form(
        "finalizer-name",
        "`domain/name`, such as `acme.example/cleanup`",
        is_qualified_name,
    ),
    form(
        "resource-version",
        "nothing: the API server sets it",
        |_| true,
    ),
];

/// The form of a name.
pub fn find(name: &str) -> Option<&'static FormatName> {
    FORMS.iter().find(|form| form.name == name)
}

/// Formats of CRDs that `schema` does not judge.
/// <https://github.com/kubernetes/kubernetes/blob/master/staging/src/k8s.io/apiextensions-apiserver/pkg/apiserver/validation/formats.go>
const CRD_FORMS: &[FormatName] = &[
    form("ipv4", "an IPv4 address, such as `10.0.0.1`", is_ipv4),
    form("ipv6", "an IPv6 address, such as `fd00::1`", is_ipv6),
    form(
        "uri",
        "a URI, such as `https://acme.example` or `/path`",
        is_request_uri,
    ),
    form("email", "an address such as `ops@acme.example`", is_email),
    form(
        "hostname",
        "a host name, such as `acme.example`",
        is_hostname,
    ),
    form(
        "mac",
        "a hardware address, such as `00:00:5e:00:53:01`",
        is_mac,
    ),
    form(
        "uuid",
        "a UUID, such as `123e4567-e89b-12d3-a456-426614174000`",
        is_uuid,
    ),
    form("byte", "text in base64", is_base64),
    form("date", "a day, such as `2027-01-31`", |text| {
        text.len() == 10 && text.parse::<jiff::civil::Date>().is_ok()
    }),
    form(
        "date-time",
        "a time such as `2027-01-31T08:00:00Z`",
        is_date_time,
    ),
    form(
        "datetime",
        "a time such as `2027-01-31T08:00:00Z`",
        is_date_time,
    ),
    form(
        "duration",
        "a duration such as `30s`, `5m` or `1h30m`",
        is_strfmt_duration,
    ),
    form(
        "cidr",
        "a range of addresses, such as `10.0.0.0/8`",
        is_cidr,
    ),
];

/// The form of a CRD's format.
pub fn of_crd(name: &str) -> Option<&'static FormatName> {
    CRD_FORMS.iter().find(|form| form.name == name)
}

fn pattern(text: &str) -> Option<Regex> {
    Regex::new(text).ok()
}

fn matches(pattern: Option<&Regex>, text: &str) -> bool {
    pattern.is_none_or(|pattern| pattern.is_match(text))
}

/// Four numbers without leading zeros.
pub fn is_ipv4(text: &str) -> bool {
    text.parse::<Ipv4Addr>().is_ok()
}

/// An IPv6 address; one that embeds IPv4 is none.
pub fn is_ipv6(text: &str) -> bool {
    !text.contains('%')
        && text
            .parse::<Ipv6Addr>()
            .is_ok_and(|ip| ip.to_ipv4_mapped().is_none())
}

/// An address and the length of its prefix; nothing may be set behind the prefix.
pub fn is_cidr(text: &str) -> bool {
    let Some((address, length)) = text.split_once('/') else {
        return false;
    };
    if length.len() > 1 && length.starts_with('0') || !length.bytes().all(|b| b.is_ascii_digit()) {
        return false;
    }
    let Ok(length) = length.parse::<u8>() else {
        return false;
    };
    (is_ipv4(address) && length <= 32) || (is_ipv6(address) && length <= 128)
}

/// <https://github.com/kubernetes/apimachinery/blob/master/pkg/api/resource/quantity.go>
pub fn is_quantity(text: &str) -> bool {
    static FORM: LazyLock<Option<Regex>> = LazyLock::new(|| {
        pattern(r"^[+-]?([0-9]+(\.[0-9]*)?|\.[0-9]+)(([KMGTPE]i)|[numkMGTPE]|[eE][+-]?[0-9]+)?$")
    });
    matches(FORM.as_ref(), text)
}

fn is_negative(text: &str) -> bool {
    text.starts_with('-') && !is_zero(text)
}

fn is_zero(text: &str) -> bool {
    let digits = text.trim_start_matches(['+', '-']);
    let end = digits
        .find(|c: char| !c.is_ascii_digit() && c != '.')
        .unwrap_or(digits.len());
    digits[..end].bytes().all(|b| matches!(b, b'0' | b'.'))
}

/// The nanoseconds of a duration as Go reads it.
pub fn go_duration(text: &str) -> Option<i128> {
    let rest = text.strip_prefix(['-', '+']).unwrap_or(text);
    if rest == "0" {
        return Some(0);
    }
    let mut rest = rest;
    let mut sum = 0.0f64;
    if rest.is_empty() {
        return None;
    }
    while !rest.is_empty() {
        let end = rest.find(|c: char| !c.is_ascii_digit() && c != '.')?;
        let number: f64 = rest[..end].parse().ok()?;
        rest = &rest[end..];
        let end = rest
            .find(|c: char| c.is_ascii_digit() || c == '.')
            .unwrap_or(rest.len());
        let unit = match &rest[..end] {
            "ns" => 1.0,
            "us" | "µs" | "μs" => 1e3,
            "ms" => 1e6,
            "s" => 1e9,
            "m" => 60e9,
            "h" => 3600e9,
            _ => return None,
        };
        sum += number * unit;
        rest = &rest[end..];
    }
    if sum > 9_223_372_036_854_775_807.0 {
        return None;
    }
    #[allow(clippy::cast_possible_truncation)]
    let nanoseconds = sum as i128;
    Some(if text.starts_with('-') {
        -nanoseconds
    } else {
        nanoseconds
    })
}

/// Go's durations, and those of other formats with days and weeks.
fn is_strfmt_duration(text: &str) -> bool {
    static FORM: LazyLock<Option<Regex>> = LazyLock::new(|| pattern(r"^((\d+)\s*([A-Za-zµ]+))+$"));
    go_duration(text).is_some() || matches(FORM.as_ref(), text)
}

fn is_time_zone(text: &str) -> bool {
    let is_local = text.eq_ignore_ascii_case("local");
    // The API server's names are files, so their case counts.
    let has_name = |zone: jiff::tz::TimeZone| zone.iana_name() == Some(text) || text == "UTC";
    !text.is_empty() && !is_local && jiff::tz::TimeZone::get(text).is_ok_and(has_name)
}

fn is_date_time(text: &str) -> bool {
    static FORM: LazyLock<Option<Regex>> = LazyLock::new(|| {
        pattern(r"^\d{4}-\d{2}-\d{2}[Tt]\d{2}:\d{2}:\d{2}([.,]\d+)?([Zz]|[+-]\d{2}:\d{2})$")
    });
    matches(FORM.as_ref(), text) && text.replace(',', ".").parse::<jiff::Timestamp>().is_ok()
}

fn percent(text: &str) -> Option<u64> {
    let digits = text.strip_suffix('%')?;
    (!digits.is_empty() && digits.bytes().all(|b| b.is_ascii_digit()))
        .then(|| digits.parse().unwrap_or(u64::MAX))
}

fn is_percent_to_100(text: &str) -> bool {
    percent(text).is_some_and(|percent| percent <= 100)
}

fn is_url(text: &str) -> bool {
    text.split_once("://")
        .is_some_and(|(scheme, rest)| !scheme.is_empty() && !rest.is_empty())
}

fn is_request_uri(text: &str) -> bool {
    static FORM: LazyLock<Option<Regex>> =
        LazyLock::new(|| pattern(r"^([A-Za-z][A-Za-z0-9+.-]*:.*|/.*)$"));
    matches(FORM.as_ref(), text)
}

fn is_email(text: &str) -> bool {
    static FORM: LazyLock<Option<Regex>> = LazyLock::new(|| pattern(r"^[^@\s]+@[^@\s]+$"));
    matches(FORM.as_ref(), text)
}

fn is_hostname(text: &str) -> bool {
    text.len() <= 255
        && !text.is_empty()
        && text.split('.').all(|part| {
            (1..=63).contains(&part.len())
                && part.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'-')
                && !part.starts_with('-')
                && !part.ends_with('-')
        })
}

fn is_mac(text: &str) -> bool {
    static FORM: LazyLock<Option<Regex>> = LazyLock::new(|| {
        pattern(r"^(?i)(([0-9a-f]{2}[:-]){5,7}[0-9a-f]{2}|([0-9a-f]{4}\.){2,3}[0-9a-f]{4})$")
    });
    matches(FORM.as_ref(), text)
}

fn is_uuid(text: &str) -> bool {
    static FORM: LazyLock<Option<Regex>> = LazyLock::new(|| {
        pattern(r"^(?i)[0-9a-f]{8}-?[0-9a-f]{4}-?[0-9a-f]{4}-?[0-9a-f]{4}-?[0-9a-f]{12}$")
    });
    matches(FORM.as_ref(), text)
}

fn is_http_header_name(text: &str) -> bool {
    !text.is_empty() && text.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'-')
}

fn is_sysctl_name(text: &str) -> bool {
    static FORM: LazyLock<Option<Regex>> = LazyLock::new(|| {
        pattern(r"^([a-z0-9]([-_a-z0-9]*[a-z0-9])?[\./])*[a-z0-9]([-_a-z0-9]*[a-z0-9])?$")
    });
    text.len() <= 253 && matches(FORM.as_ref(), text)
}

/// Standard base64 with its padding; line breaks count for nothing.
fn is_base64(text: &str) -> bool {
    base64::decoded(text).is_some()
}

/// <https://github.com/robfig/cron/blob/v3/parser.go>: five fields, or a word such as `@daily`.
fn is_cron(text: &str) -> bool {
    super::cron::is_schedule(text)
}
