//! Values that are written as text but have a form: quantities, durations, schedules, versions.
//!
//! A type here gives the field its format in the JSON Schema; [`check_format`] is what judges it,
//! so an editor, `tenantry check` and the documentation agree.

use std::borrow::Cow;
use std::fmt;

use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::{Deserialize, Deserializer, Serialize};

/// Declares a text type with a format of its own.
macro_rules! formatted {
    ($($(#[$doc:meta])* $name:ident: $format:literal, $types:tt, $example:literal;)*) => {
        $(
            $(#[$doc])*
            #[derive(Clone, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
            pub struct $name(pub String);

            impl<'de> Deserialize<'de> for $name {
                fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<$name, D::Error> {
                    Ok($name(match serde_json::Value::deserialize(deserializer)? {
                        serde_json::Value::String(text) => text,
                        other => other.to_string(),
                    }))
                }
            }

            impl JsonSchema for $name {
                fn schema_name() -> Cow<'static, str> {
                    stringify!($name).into()
                }
                fn json_schema(_: &mut SchemaGenerator) -> Schema {
                    json_schema!({"type": $types, "format": $format, "examples": [$example]})
                }
                fn inline_schema() -> bool {
                    true
                }
            }

            impl fmt::Display for $name {
                fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                    f.write_str(&self.0)
                }
            }
        )*
    };
}

formatted! {
    /// A name of one DNS label (RFC 1123): lower-case letters, digits and `-`, 63 characters.
    Name: "name", "string", "globex";
    /// A Kubernetes quantity: `500m`, `2`, `1.5Gi`.
    Quantity: "quantity", ["string", "number", "integer"], "2Gi";
    /// A duration: `30s`, `5m`, `1h30m`.
    Duration: "duration", "string", "30s";
    /// A schedule of five fields: minute, hour, day, month, weekday.
    Cron: "cron", "string", "0 2 * * *";
    /// A time zone of the IANA database.
    TimeZone: "timezone", "string", "Europe/Zurich";
    /// A semantic version: `1.4.2`.
    Version: "semver", "string", "1.4.2";
    /// A requirement on semantic versions, as Cargo reads them: `^1.4`, `>=1.2, <2`.
    VersionReq: "semver-requirement", "string", "^1.4";
    /// A range of addresses: `10.0.0.0/8`.
    Cidr: "cidr", "string", "10.0.0.0/8";
    /// A URL with its scheme.
    Url: "url", "string", "https://git.example.com/platform.git";
    /// A day: `2027-01-31`.
    Date: "day", "string", "2027-01-31";
    /// A DNS domain: `acme.example`.
    Domain: "domain", "string", "acme.example";
    /// A container image without its tag: `registry.example.com/team/app`.
    Image: "image", "string", "registry.example.com/team/app";
    /// A digest of an image: `sha256:` and 64 hex digits.
    ImageDigest: "image-digest", "string", "sha256:9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08";
    /// A path into the values, such as `security` or `resources.cpu`.
    ValuePath: "value-path", "string", "resources.cpu";
    /// A permission in applications: what, what is done to it, and for data its class.
    Permission: "permission", "string", "data:read:internal";
    /// A time of day: `08:00`.
    TimeOfDay: "time-of-day", "string", "08:00";
}

/// Judges a text by the name of its format; formats that are not ours pass.
///
/// # Errors
/// What the text should look like, for people: it continues the sentence "expected …".
pub fn check_format(format: &str, text: &str) -> Result<(), String> {
    let fits = match format {
        "name" => is_label(text),
        "quantity" => Amount::parse(text).is_some_and(|amount| amount.thousandths >= 0),
        "duration" => parse_duration(text).is_some(),
        "cron" => is_cron(text),
        "timezone" => jiff::tz::TimeZone::get(text).is_ok(),
        "semver" => semver::Version::parse(text).is_ok(),
        "semver-requirement" => semver::VersionReq::parse(text).is_ok(),
        "cidr" => is_cidr(text),
        "url" => is_url(text),
        "day" => text.parse::<jiff::civil::Date>().is_ok() && text.len() == 10,
        "domain" => is_subdomain(text),
        "image" => is_image(text),
        "image-digest" => {
            let hex = |b: u8| matches!(b, b'0'..=b'9' | b'a'..=b'f');
            text.strip_prefix("sha256:")
                .is_some_and(|digits| digits.len() == 64 && digits.bytes().all(hex))
        }
        "value-path" => {
            tenantry_syntax::yaml::Path::parse(text).is_ok_and(|path| !path.0.is_empty())
        }
        "permission" => is_permission(text),
        "time-of-day" => text.len() == 5 && text.parse::<jiff::civil::Time>().is_ok(),
        _ => true,
    };
    if fits {
        Ok(())
    } else {
        Err(expected_form(format).unwrap_or_default().to_owned())
    }
}

/// What a text of a format should look like; it continues the sentence "write …".
pub fn expected_form(format: &str) -> Option<&'static str> {
    Some(match format {
        "name" => {
            "a name of lower-case letters, digits and `-`, at most 63 characters, such as `globex-eu`"
        }
        "quantity" => {
            "a quantity such as `500m` or `2` for processors, `512Mi` or `1.5Gi` for bytes"
        }
        "duration" => "a duration such as `30s`, `5m` or `1h30m`",
        "cron" => {
            "a schedule of five fields, minute (0–59) hour (0–23) day (1–31) month (1–12) weekday (0–7), such as `0 2 * * *`, or `@daily`"
        }
        "timezone" => "a time zone of the IANA database, such as `Europe/Zurich` or `Etc/UTC`",
        "semver" => "a version of three numbers, such as `1.4.2`",
        "semver-requirement" => "a requirement on versions, such as `^1.4` or `>=1.2, <2`",
        "cidr" => "a range of addresses, such as `10.0.0.0/8`, `10.1.2.3/32` or `fd00::/8`",
        "url" => "a URL with its scheme, such as `https://git.example.com/platform.git`",
        "day" => "a day, such as `2027-01-31`",
        "domain" => "a DNS domain, such as `acme.example`",
        "image" => {
            "an image without its tag, such as `registry.example.com/team/app`; the tag has a field of its own"
        }
        "image-digest" => "`sha256:` and 64 hexadecimal digits",
        "image-tag" => "a tag of letters, digits, `_`, `.` and `-`, such as `1.4.2`",
        "kubernetes-version" => "a version of Kubernetes in quotes, such as `\"1.37\"`",
        "value-path" => "a path into the values, such as `security` or `resources.cpu`",
        "permission" => {
            "a permission such as `agent:execute`, or for data with its class: `data:read:public`, `internal`, `confidential` or `restricted`"
        }
        "time-of-day" => "a time of day in quotes, such as `\"08:00\"`",
        _ => return None,
    })
}

/// What Kubernetes takes as the schedule of a CronJob: five fields, or one of a few words.
fn is_cron(text: &str) -> bool {
    const WORDS: [&str; 7] = [
        "@yearly",
        "@annually",
        "@monthly",
        "@weekly",
        "@daily",
        "@midnight",
        "@hourly",
    ];
    let plain = |c: char| c.is_ascii_digit() || matches!(c, '*' | '/' | ',' | '-' | ' ' | '?');
    // Names of months and weekdays; `L`, `W` and `#` are extensions that Kubernetes does not have.
    let named = |field: &str| {
        field
            .split([',', '-', '/'])
            .all(|part| part.chars().all(plain) || part.len() == 3)
    };
    WORDS.contains(&text)
        || (text.split_whitespace().count() == 5
            && text.split_whitespace().all(named)
            && crate::schedule::CronSchedule::parse(text).is_some())
}

/// `agent:execute`, `data:read:internal`; `*` stands for everything in its place.
fn is_permission(text: &str) -> bool {
    const CLASSES: [&str; 5] = ["public", "internal", "confidential", "restricted", "*"];
    let parts: Vec<&str> = text.split(':').collect();
    let words = parts.iter().all(|part| *part == "*" || is_label(part));
    words
        && match parts.as_slice() {
            ["data", _, class] => CLASSES.contains(class),
            ["data", ..] => false,
            _ => matches!(parts.len(), 2 | 3),
        }
}

/// A DNS label of RFC 1123.
pub fn is_label(text: &str) -> bool {
    let inner = |b: u8| b.is_ascii_lowercase() || b.is_ascii_digit();
    text.len() <= 63
        && text.bytes().all(|b| inner(b) || b == b'-')
        && text.bytes().next().is_some_and(inner)
        && text.bytes().last().is_some_and(inner)
}

/// A DNS subdomain of RFC 1123, as Kubernetes reads it: labels joined by dots, 253 characters in
/// all, of any length each.
pub fn is_subdomain(text: &str) -> bool {
    let inner = |b: u8| b.is_ascii_lowercase() || b.is_ascii_digit();
    let label = |part: &str| {
        part.bytes().all(|b| inner(b) || b == b'-')
            && part.bytes().next().is_some_and(inner)
            && part.bytes().last().is_some_and(inner)
    };
    text.len() <= 253 && text.split('.').all(label)
}

fn is_cidr(text: &str) -> bool {
    let Some((address, bits)) = text.split_once('/') else {
        return false;
    };
    let most = match address.parse::<std::net::IpAddr>() {
        Ok(std::net::IpAddr::V4(_)) => 32,
        Ok(std::net::IpAddr::V6(_)) => 128,
        Err(_) => return false,
    };
    bits.parse::<u8>().is_ok_and(|bits| bits <= most)
}

fn is_url(text: &str) -> bool {
    let Some((scheme, rest)) = text.split_once("://") else {
        // The short form that git hosts use: git@host:path.
        return text.starts_with("git@")
            && text.contains(':')
            && !text.contains(char::is_whitespace);
    };
    scheme
        .bytes()
        .all(|b| b.is_ascii_alphanumeric() || b"+-.".contains(&b))
        && scheme.starts_with(|c: char| c.is_ascii_alphabetic())
        && !rest.is_empty()
        && !rest.starts_with('/')
        && !rest.contains(|c: char| c.is_whitespace() || c.is_control())
}

/// The host of a URL.
pub fn url_host(text: &str) -> Option<&str> {
    let rest = text.split_once("://")?.1;
    let authority = rest.split(['/', '?', '#']).next()?;
    let host = authority.rsplit('@').next()?;
    let host = match host.strip_prefix('[') {
        Some(address) => address.split(']').next()?,
        None => host.split(':').next()?,
    };
    (!host.is_empty()).then_some(host)
}

/// The port of a URL; that of its scheme if none is written, where the scheme has one
/// (<https://www.iana.org/assignments/service-names-port-numbers>).
pub fn url_port(text: &str) -> Option<u16> {
    const KNOWN: [(&str, u16); 18] = [
        ("https", 443),
        ("http", 80),
        ("grpcs", 443),
        ("wss", 443),
        ("postgres", 5432),
        ("postgresql", 5432),
        ("mysql", 3306),
        ("oracle", 1521),
        ("mongodb", 27017),
        ("redis", 6379),
        ("rediss", 6379),
        ("amqp", 5672),
        ("amqps", 5671),
        ("kafka", 9092),
        ("ldap", 389),
        ("ldaps", 636),
        ("sftp", 22),
        ("snowflake", 443),
    ];
    let (scheme, rest) = text.split_once("://")?;
    let authority = rest.split(['/', '?', '#']).next()?;
    let host = authority.rsplit('@').next()?;
    let after = host.rsplit_once(']').map_or(host, |(_, after)| after);
    match after.rsplit_once(':') {
        Some((_, port)) => port.parse().ok().filter(|port| *port > 0),
        None => {
            let scheme = scheme.to_lowercase();
            let known = KNOWN.iter().find(|(name, _)| *name == scheme);
            known.map(|(_, port)| *port)
        }
    }
}

fn is_image(text: &str) -> bool {
    let last = text.rsplit('/').next().unwrap_or(text);
    let first_is_registry = text.contains('/');
    !text.is_empty()
        && text.len() <= 255
        && !last.contains(':')
        && text.split('/').enumerate().all(|(position, part)| {
            let (part, port) = match part.split_once(':') {
                Some((part, port)) if position == 0 && first_is_registry => {
                    (part, port.parse::<u16>().is_ok())
                }
                Some(_) => return false,
                None => (part, true),
            };
            port && !part.is_empty()
                && part
                    .bytes()
                    .all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b"._-".contains(&b))
                && part.starts_with(|c: char| c.is_ascii_alphanumeric())
                && part.ends_with(|c: char| c.is_ascii_alphanumeric())
        })
}

/// The seconds of `1h30m`, `45s`, `500ms`, `7d`.
pub fn parse_duration(text: &str) -> Option<f64> {
    let mut rest = text;
    let mut seconds = 0.0;
    while !rest.is_empty() {
        let digits = rest.find(|c: char| !c.is_ascii_digit() && c != '.')?;
        let number: f64 = rest[..digits].parse().ok()?;
        rest = &rest[digits..];
        let letters = rest
            .find(|c: char| !c.is_ascii_alphabetic())
            .unwrap_or(rest.len());
        seconds += number
            * match &rest[..letters] {
                "ms" => 0.001,
                "s" => 1.0,
                "m" => 60.0,
                "h" => 3600.0,
                "d" => 86400.0,
                _ => return None,
            };
        rest = &rest[letters..];
    }
    (!text.is_empty()).then_some(seconds)
}

/// The amount that a Kubernetes quantity stands for, in thousandths of its unit.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub struct Amount {
    /// Thousandths: `1` cpu is 1000; one byte is 1000.
    pub thousandths: i128,
}

const BINARY: [(&str, u32); 6] = [
    ("Ki", 10),
    ("Mi", 20),
    ("Gi", 30),
    ("Ti", 40),
    ("Pi", 50),
    ("Ei", 60),
];
const DECIMAL: [(&str, i32); 9] = [
    ("n", -9),
    ("u", -6),
    ("m", -3),
    ("k", 3),
    ("M", 6),
    ("G", 9),
    ("T", 12),
    ("P", 15),
    ("E", 18),
];

impl Amount {
    /// Reads a quantity as <https://kubernetes.io/docs/reference/kubernetes-api/common-definitions/quantity/>
    /// defines it; amounts below a thousandth round up, as the API server's do.
    pub fn parse(text: &str) -> Option<Amount> {
        let unsigned = text.strip_prefix(['+', '-']).unwrap_or(text);
        let end = unsigned
            .find(|c: char| !c.is_ascii_digit() && c != '.')
            .unwrap_or(unsigned.len());
        let (number, suffix) = unsigned.split_at(end);
        let (whole, fraction) = number.split_once('.').unwrap_or((number, ""));
        if number.is_empty() || number == "." || fraction.contains('.') || number.len() > 24 {
            return None;
        }
        let digits: i128 = format!("{whole}{fraction}").parse().ok()?;
        let scale = i32::try_from(fraction.len()).ok()?;
        let exponent = |power: i32| -> Option<i128> {
            let power = power - scale + 3;
            if power >= 0 {
                digits.checked_mul(10i128.checked_pow(u32::try_from(power).ok()?)?)
            } else {
                let divisor = 10i128.checked_pow(u32::try_from(-power).ok()?)?;
                Some((digits + divisor - 1) / divisor)
            }
        };
        let thousandths = if suffix.is_empty() {
            exponent(0)?
        } else if let Some((_, bits)) = BINARY.iter().find(|(name, _)| *name == suffix) {
            let divisor = 10i128.checked_pow(u32::try_from(scale).ok()?)?;
            let product = digits.checked_mul(1i128 << bits)?.checked_mul(1000)?;
            (product + divisor - 1) / divisor
        } else if let Some((_, power)) = DECIMAL.iter().find(|(name, _)| *name == suffix) {
            exponent(*power)?
        } else {
            let power: i32 = suffix.strip_prefix(['e', 'E'])?.parse().ok()?;
            (-12..=18).contains(&power).then(|| exponent(power))??
        };
        Some(Amount {
            thousandths: if text.starts_with('-') {
                -thousandths
            } else {
                thousandths
            },
        })
    }

    /// The amount times a factor, rounded up to a thousandth.
    #[must_use]
    pub fn times(self, factor: f64) -> Amount {
        // Factors are small decimals such as 1.2; a millionth is exact enough, and keeps integers.
        #[allow(
            clippy::cast_possible_truncation,
            reason = "bounded by the caller: a factor below 1e9"
        )]
        let millionths = (factor.clamp(0.0, 1e9) * 1e6).round() as i128;
        let product = self.thousandths.saturating_mul(millionths);
        Amount {
            thousandths: product.saturating_add(999_999) / 1_000_000,
        }
    }

    /// The amount as people write processors: `2`, `1500m`.
    pub fn as_cpu(self) -> String {
        if self.thousandths % 1000 == 0 {
            (self.thousandths / 1000).to_string()
        } else {
            format!("{}m", self.thousandths)
        }
    }

    /// The amount of bytes for messages, with one decimal at most: `901.6Gi`.
    pub fn bytes_for_people(self) -> String {
        let bytes = (self.thousandths + 999).div_euclid(1000);
        let (suffix, bits) = BINARY
            .iter()
            .rev()
            .find(|(_, bits)| bytes >= 1i128 << bits)
            .copied()
            .unwrap_or(("", 0));
        tenths(bytes * 10, 1i128 << bits, suffix)
    }

    /// The amount of processors for messages, with one decimal at most: `457.9`.
    pub fn cpu_for_people(self) -> String {
        if self.thousandths < 1000 {
            self.as_cpu()
        } else {
            tenths(self.thousandths * 10, 1000, "")
        }
    }

    /// The amount as people write bytes, rounded up to whole Mi from one Mi on: `4Gi`, `4916Mi`.
    pub fn as_bytes(self) -> String {
        let bytes = (self.thousandths + 999).div_euclid(1000);
        let mebibytes = 1i128 << 20;
        if bytes < mebibytes {
            return bytes.to_string();
        }
        let rounded = (bytes + mebibytes - 1) / mebibytes * mebibytes;
        let (suffix, bits) = BINARY
            .iter()
            .rev()
            .find(|(_, bits)| rounded % (1i128 << bits) == 0)
            .copied()
            .unwrap_or(("Mi", 20));
        format!("{}{suffix}", rounded >> bits)
    }
}

/// A number of tenths over a unit, rounded up: an amount is never told smaller than it is.
fn tenths(numerator: i128, unit: i128, suffix: &str) -> String {
    let tenths = (numerator + unit - 1) / unit;
    if tenths % 10 == 0 {
        format!("{}{suffix}", tenths / 10)
    } else {
        format!("{}.{}{suffix}", tenths / 10, tenths % 10)
    }
}

impl std::ops::Add for Amount {
    type Output = Amount;
    fn add(self, other: Amount) -> Amount {
        Amount {
            thousandths: self.thousandths.saturating_add(other.thousandths),
        }
    }
}

impl std::iter::Sum for Amount {
    fn sum<I: Iterator<Item = Amount>>(amounts: I) -> Amount {
        amounts.fold(Amount::default(), |sum, amount| sum + amount)
    }
}
