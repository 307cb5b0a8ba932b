//! URLs as Go's `net/url` reads them.

use std::fmt;

use super::quoted::quoted_as_go;

/// A URL.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Url {
    pub(crate) scheme: String,
    /// With the port.
    pub(crate) host: String,
    /// As it is written, if that is a way to write it.
    pub(crate) path: String,
    pub(crate) query: String,
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
    pub(crate) fn host_and_port(&self) -> (&str, &str) {
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
pub(crate) enum UrlMode {
    /// `url.Parse`: a fragment is cut off.
    Any,
    /// `url.ParseRequestURI`: absolute, or a path from the root; a fragment is part of the path.
    Request,
}

/// What is wrong with a URL as `url.ParseRequestURI` reads it, in Go's words.
pub fn request_error(text: &str) -> Option<String> {
    let why = parse(text, UrlMode::Request).err()?;
    Some(format!("parse {}: {why}", quoted_as_go(text)))
}

pub(crate) fn parse(text: &str, mode: UrlMode) -> Result<Url, String> {
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
        let port = quoted_as_go(port);
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
pub(crate) enum UrlPart {
    Path,
    Host,
    Zone,
    User,
    Query,
    Fragment,
}

impl UrlPart {
    /// Whether a character must be escaped there.
    pub(crate) fn escapes(self, byte: u8) -> bool {
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

pub(crate) fn unescape(text: &str, part: UrlPart) -> Result<String, String> {
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
                    return Err(format!("invalid URL escape {}", quoted_as_go(&shown)));
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
                    return Err(format!("invalid URL escape {}", quoted_as_go(&shown)));
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
                    let shown = quoted_as_go(&char::from(*byte).to_string());
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
