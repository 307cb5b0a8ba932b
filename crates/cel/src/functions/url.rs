//! URLs, as Go's `net/url` reads them. <https://kubernetes.io/docs/reference/using-api/cel/#kubernetes-url-library>

use std::collections::BTreeMap;
use std::fmt;
use std::sync::Arc;

use super::{Function, global, guarded, method, mismatch, text_of};
use crate::types::Sig::{self, Bool, Text};
use crate::value::{CelValue, Kubernetes, ValueMap, insert};
use crate::{Evaluated, EvaluationError};

const URL: Sig = Sig::Named("kubernetes.URL");

/// The functions of this library.
pub const TABLE: &[Function] = &[
    guarded("url", &[global("string_to_url", &[Text], URL, 0, url)]),
    guarded(
        "isURL",
        &[global("is_url_string", &[Text], Bool, 0, is_url)],
    ),
    guarded(
        "getScheme",
        &[method("url_get_scheme", &[URL], Text, 0, |v| {
            part("getScheme", v, |url| url.scheme.clone())
        })],
    ),
    guarded(
        "getHost",
        &[method("url_get_host", &[URL], Text, 0, |v| {
            part("getHost", v, |url| url.host.clone())
        })],
    ),
    guarded(
        "getHostname",
        &[method("url_get_hostname", &[URL], Text, 0, |v| {
            part("getHostname", v, |url| url.host_and_port().0.to_owned())
        })],
    ),
    guarded(
        "getPort",
        &[method("url_get_port", &[URL], Text, 0, |v| {
            part("getPort", v, |url| url.host_and_port().1.to_owned())
        })],
    ),
    guarded(
        "getEscapedPath",
        &[method("url_get_escaped_path", &[URL], Text, 0, |v| {
            part("getEscapedPath", v, |url| url.path.clone())
        })],
    ),
    guarded(
        "getQuery",
        &[method(
            "url_get_query",
            &[URL],
            Sig::Map(&Text, &Sig::List(&Text)),
            0,
            query,
        )],
    ),
];

/// A URL.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Url {
    scheme: String,
    /// With the port.
    host: String,
    /// As it is written, if that is a way to write it.
    path: String,
    query: String,
    /// The whole, but for how its scheme is written.
    text: String,
}

impl fmt::Display for Url {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.text)
    }
}

impl Url {
    /// The host without brackets, and the port.
    fn host_and_port(&self) -> (&str, &str) {
        let (host, port) = match self.host.rfind(':') {
            Some(at) if is_optional_port(&self.host[at..]) => {
                (&self.host[..at], &self.host[at + 1..])
            }
            _ => (self.host.as_str(), ""),
        };
        let bare = host
            .strip_prefix('[')
            .and_then(|host| host.strip_suffix(']'));
        (bare.unwrap_or(host), port)
    }
}

/// How a URL is read.
#[derive(Clone, Copy, PartialEq)]
enum UrlMode {
    /// `url.Parse`: a fragment is cut off.
    Any,
    /// `url.ParseRequestURI`: absolute, or a path from the root; a fragment is part of the path.
    Request,
}

/// What is wrong with a URL as `url.ParseRequestURI` reads it, in Go's words.
pub fn request_error(text: &str) -> Option<String> {
    let why = parse(text, UrlMode::Request).err()?;
    Some(format!(
        "parse {}: {why}",
        super::format::quoted_as_go(text)
    ))
}

fn parse(text: &str, mode: UrlMode) -> Result<Url, String> {
    let whole = text;
    let text = match text.split_once('#') {
        Some((text, fragment)) if mode == UrlMode::Any => {
            unescape(fragment, UrlPart::Fragment)?;
            text
        }
        _ => text,
    };
    if text.bytes().any(|byte| byte < 0x20 || byte == 0x7f) {
        return Err("net/url: invalid control character in URL".to_owned());
    }
    if text.is_empty() && mode == UrlMode::Request {
        return Err("empty url".to_owned());
    }
    let mut url = Url {
        scheme: String::new(),
        host: String::new(),
        path: String::new(),
        query: String::new(),
        text: whole.to_owned(),
    };
    if text == "*" {
        "*".clone_into(&mut url.path);
        return Ok(url);
    }
    let (scheme, rest) = scheme(text)?;
    url.scheme = scheme.to_ascii_lowercase();
    url.text = format!("{}{}", url.scheme, &whole[scheme.len()..]);
    let (rest, query) = rest.split_once('?').unwrap_or((rest, ""));
    query.clone_into(&mut url.query);
    if !rest.starts_with('/') {
        if !scheme.is_empty() {
            // `mailto:someone` has neither host nor path.
            return Ok(url);
        }
        if mode == UrlMode::Request {
            return Err("invalid URI for request".to_owned());
        }
        if rest
            .split('/')
            .next()
            .is_some_and(|segment| segment.contains(':'))
        {
            return Err("first path segment in URL cannot contain colon".to_owned());
        }
    }
    let has_authority = !scheme.is_empty() || mode == UrlMode::Any && !rest.starts_with("///");
    let path = match rest.strip_prefix("//").filter(|_| has_authority) {
        Some(after) => {
            let (authority, path) = after.split_at(after.find('/').unwrap_or(after.len()));
            url.host = authority_host(authority)?;
            path
        }
        None => rest,
    };
    let plain = unescape(path, UrlPart::Path)?;
    let is_way_to_write = path
        .bytes()
        .all(|byte| b"!$&'()*+,;=:@[]%".contains(&byte) || !UrlPart::Path.escapes(byte));
    url.path = if is_way_to_write {
        path.to_owned()
    } else {
        escape(&plain)
    };
    Ok(url)
}

fn scheme(text: &str) -> Result<(&str, &str), String> {
    for (at, byte) in text.bytes().enumerate() {
        match byte {
            b'a'..=b'z' | b'A'..=b'Z' => {}
            b'0'..=b'9' | b'+' | b'-' | b'.' if at > 0 => {}
            b':' if at > 0 => return Ok((&text[..at], &text[at + 1..])),
            b':' => return Err("missing protocol scheme".to_owned()),
            _ => break,
        }
    }
    Ok(("", text))
}

fn authority_host(authority: &str) -> Result<String, String> {
    let Some((user, host)) = authority.rsplit_once('@') else {
        return host_of(authority);
    };
    let host = host_of(host)?;
    let is_user = |c: char| c.is_ascii_alphanumeric() || "-._:~!$&'()*+,;=%@".contains(c);
    if !user.chars().all(is_user) {
        return Err("net/url: invalid userinfo".to_owned());
    }
    unescape(user, UrlPart::User)?;
    Ok(host)
}

fn is_optional_port(text: &str) -> bool {
    text.is_empty()
        || text
            .strip_prefix(':')
            .is_some_and(|port| port.bytes().all(|byte| byte.is_ascii_digit()))
}

fn host_of(text: &str) -> Result<String, String> {
    let bad_port = |port: &str| {
        let port = super::format::quoted_as_go(port);
        Err(format!("invalid port {port} after host"))
    };
    if text.starts_with('[') {
        let Some(end) = text.rfind(']') else {
            return Err("missing ']' in host".to_owned());
        };
        if !is_optional_port(&text[end + 1..]) {
            return bad_port(&text[end + 1..]);
        }
        if let Some(zone) = text[..end].find("%25") {
            let parts = [
                unescape(&text[..zone], UrlPart::Host)?,
                unescape(&text[zone..end], UrlPart::Zone)?,
                unescape(&text[end..], UrlPart::Host)?,
            ];
            return Ok(parts.concat());
        }
    } else if let Some(at) = text.rfind(':')
        && !is_optional_port(&text[at..])
    {
        return bad_port(&text[at..]);
    }
    unescape(text, UrlPart::Host)
}

/// A part of a URL, by how it is escaped.
#[derive(Clone, Copy, PartialEq)]
enum UrlPart {
    Path,
    Host,
    Zone,
    User,
    Query,
    Fragment,
}

impl UrlPart {
    /// Whether a character must be escaped there.
    fn escapes(self, byte: u8) -> bool {
        if byte.is_ascii_alphanumeric() || b"-_.~".contains(&byte) {
            return false;
        }
        match self {
            UrlPart::Host | UrlPart::Zone => !b"!$&'()*+,;=:[]<>\"".contains(&byte),
            UrlPart::Path => !b"$&+,/:;=@".contains(&byte),
            UrlPart::User => !b"$&+,;=".contains(&byte),
            UrlPart::Query => true,
            UrlPart::Fragment => !b"$&+,/:;=?@!()*".contains(&byte),
        }
    }
}

fn unescape(text: &str, part: UrlPart) -> Result<String, String> {
    let mut bytes = Vec::with_capacity(text.len());
    let mut rest = text.as_bytes();
    while let [byte, after @ ..] = rest {
        rest = after;
        match byte {
            b'%' => {
                let code = after
                    .get(..2)
                    .and_then(|code| std::str::from_utf8(code).ok());
                let value = code
                    .filter(|code| code.bytes().all(|byte| byte.is_ascii_hexdigit()))
                    .and_then(|code| u8::from_str_radix(code, 16).ok());
                let Some(value) = value else {
                    let shown: Vec<u8> = std::iter::once(b'%')
                        .chain(after.iter().copied().take(2))
                        .collect();
                    let shown = String::from_utf8_lossy(&shown).into_owned();
                    return Err(format!(
                        "invalid URL escape {}",
                        super::format::quoted_as_go(&shown)
                    ));
                };
                let is_bad = match part {
                    UrlPart::Host => value < 0x80 && value != b'%',
                    UrlPart::Zone => {
                        value != b'%'
                            && value < 0x80
                            && UrlPart::Host.escapes(value)
                            && value != b' '
                    }
                    _ => false,
                };
                if is_bad {
                    let shown = format!("%{}", code.unwrap_or_default());
                    return Err(format!(
                        "invalid URL escape {}",
                        super::format::quoted_as_go(&shown)
                    ));
                }
                bytes.push(value);
                rest = &after[2..];
            }
            b'+' if part == UrlPart::Query => bytes.push(b' '),
            byte => {
                if matches!(part, UrlPart::Host | UrlPart::Zone)
                    && *byte < 0x80
                    && part.escapes(*byte)
                {
                    let shown = super::format::quoted_as_go(&char::from(*byte).to_string());
                    return Err(format!("invalid character {shown} in host name"));
                }
                bytes.push(*byte);
            }
        }
    }
    Ok(String::from_utf8_lossy(&bytes).into_owned())
}

fn escape(path: &str) -> String {
    let mut text = String::new();
    for byte in path.bytes() {
        if UrlPart::Path.escapes(byte) {
            text.push_str(&format!("%{byte:02X}"));
        } else {
            text.push(char::from(byte));
        }
    }
    text
}

fn url<'a>(arguments: &[CelValue<'a>]) -> Evaluated<'a> {
    let text = text_of("url", arguments, 0)?;
    let parsed = parse(text, UrlMode::Request).and_then(|_| parse(text, UrlMode::Any));
    match parsed {
        Ok(url) => Ok(CelValue::Kubernetes(Arc::new(Kubernetes::Url(url)))),
        Err(why) => Err(EvaluationError::Malformed(format!(
            "`{text}` is not a URL: {why}"
        ))),
    }
}

fn is_url<'a>(arguments: &[CelValue<'a>]) -> Evaluated<'a> {
    let text = text_of("isURL", arguments, 0)?;
    Ok(CelValue::Bool(parse(text, UrlMode::Request).is_ok()))
}

fn target<'v>(name: &str, arguments: &'v [CelValue<'_>]) -> Result<&'v Url, EvaluationError> {
    match arguments.first() {
        Some(CelValue::Kubernetes(value)) => match &**value {
            Kubernetes::Url(url) => Ok(url),
            _ => Err(mismatch(name, arguments)),
        },
        _ => Err(mismatch(name, arguments)),
    }
}

fn part<'a>(name: &str, arguments: &[CelValue<'a>], read: fn(&Url) -> String) -> Evaluated<'a> {
    Ok(CelValue::text(read(target(name, arguments)?)))
}

/// Pairs that cannot be read are left out.
fn query<'a>(arguments: &[CelValue<'a>]) -> Evaluated<'a> {
    let url = target("getQuery", arguments)?;
    let mut found: BTreeMap<String, Vec<CelValue<'a>>> = BTreeMap::new();
    for pair in url
        .query
        .split('&')
        .filter(|pair| !pair.is_empty() && !pair.contains(';'))
    {
        let (key, value) = pair.split_once('=').unwrap_or((pair, ""));
        if let (Ok(key), Ok(value)) = (
            unescape(key, UrlPart::Query),
            unescape(value, UrlPart::Query),
        ) {
            found.entry(key).or_default().push(CelValue::text(value));
        }
    }
    let mut map = ValueMap::new();
    for (key, values) in found {
        insert(&mut map, CelValue::text(key), CelValue::list(values));
    }
    Ok(CelValue::Map(Arc::new(map)))
}
