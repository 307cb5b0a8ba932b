//! URLs. <https://kubernetes.io/docs/reference/using-api/cel/#kubernetes-url-library>

use std::fmt;
use std::sync::Arc;

use super::{Function, global, method, mismatch, text_of};
use crate::cel::operators::traversal;
use crate::cel::value::{Key, Kubernetes, Map, Value};
use crate::cel::{Budget, Error};

type Result<'a> = std::result::Result<Value<'a>, Error>;

/// The functions of this library.
pub const TABLE: &[Function] = &[
    global("url", (1, 1), 0, url),
    global("isURL", (1, 1), 0, is_url),
    method("getScheme", (1, 1), 0, |v, b| {
        part("getScheme", v, b, |url| url.scheme.clone())
    }),
    method("getHost", (1, 1), 0, |v, b| {
        part("getHost", v, b, |url| url.host.clone())
    }),
    method("getHostname", (1, 1), 0, |v, b| {
        part("getHostname", v, b, |url| url.hostname().to_owned())
    }),
    method("getPort", (1, 1), 0, |v, b| {
        part("getPort", v, b, |url| url.port().to_owned())
    }),
    method("getEscapedPath", (1, 1), 0, |v, b| {
        part("getEscapedPath", v, b, |url| url.path.clone())
    }),
    method("getQuery", (1, 1), 0, query),
];

/// An absolute URL, or an absolute path.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Url {
    scheme: String,
    host: String,
    path: String,
    query: String,
    text: String,
}

impl fmt::Display for Url {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.text)
    }
}

impl Url {
    /// The host without its port and brackets.
    fn hostname(&self) -> &str {
        if let Some(rest) = self.host.strip_prefix('[') {
            return rest.split(']').next().unwrap_or(rest);
        }
        self.host
            .rsplit_once(':')
            .map_or(&self.host, |(name, _)| name)
    }

    fn port(&self) -> &str {
        let after = self.host.rsplit(']').next().unwrap_or_default();
        after.rsplit_once(':').map_or("", |(_, port)| port)
    }
}

/// As Go's `url.ParseRequestURI`: absolute, or a path from the root; a fragment is part of the path.
fn parse(text: &str) -> Option<Url> {
    if text.bytes().any(|byte| byte < 0x20 || byte == 0x7f) || text.is_empty() {
        return None;
    }
    let (scheme, rest) = match text.split_once(':') {
        Some((scheme, rest))
            if scheme.starts_with(|c: char| c.is_ascii_alphabetic())
                && scheme
                    .bytes()
                    .all(|b| b.is_ascii_alphanumeric() || b"+-.".contains(&b)) =>
        {
            (scheme.to_ascii_lowercase(), rest)
        }
        _ => (String::new(), text),
    };
    if scheme.is_empty() && !rest.starts_with('/') {
        return None;
    }
    let (rest, query) = rest.split_once('?').unwrap_or((rest, ""));
    let (authority, path) = match rest.strip_prefix("//") {
        Some(after) if !scheme.is_empty() => {
            let end = after.find('/').unwrap_or(after.len());
            after.split_at(end)
        }
        _ => ("", rest),
    };
    if !scheme.is_empty() && !rest.starts_with('/') {
        // `mailto:someone` has neither host nor path.
        return Some(Url {
            scheme,
            host: String::new(),
            path: String::new(),
            query: query.to_owned(),
            text: text.to_owned(),
        });
    }
    let host = authority.rsplit('@').next().unwrap_or_default();
    let port_is_number = match host.rsplit(']').next().unwrap_or_default().rsplit_once(':') {
        Some((_, port)) => port.bytes().all(|b| b.is_ascii_digit()),
        None => true,
    };
    let host_is_proper = !host.contains([' ', '<', '>', '"', '\\', '^', '`', '{', '|', '}'])
        && (host.matches(':').count() <= 1 || host.starts_with('['))
        && host.starts_with('[') == host.contains(']');
    if !port_is_number || !host_is_proper || !escapes_are_proper(path) {
        return None;
    }
    Some(Url {
        scheme,
        host: host.to_owned(),
        path: escaped(path),
        query: query.to_owned(),
        text: text.to_owned(),
    })
}

fn escapes_are_proper(text: &str) -> bool {
    text.split('%')
        .skip(1)
        .all(|after| after.len() >= 2 && after.bytes().take(2).all(|byte| byte.is_ascii_hexdigit()))
}

fn escaped(path: &str) -> String {
    let mut text = String::new();
    for byte in path.bytes() {
        if byte.is_ascii_alphanumeric() || b"-_.~$&+,/:;=@%!'()*[]".contains(&byte) {
            text.push(char::from(byte));
        } else {
            text.push_str(&format!("%{byte:02X}"));
        }
    }
    text
}

fn unescaped(text: &str) -> String {
    let mut bytes = Vec::new();
    let mut rest = text.bytes();
    while let Some(byte) = rest.next() {
        match byte {
            b'+' => bytes.push(b' '),
            b'%' => {
                let code: String = rest.by_ref().take(2).map(char::from).collect();
                bytes.extend(u8::from_str_radix(&code, 16).ok());
            }
            byte => bytes.push(byte),
        }
    }
    String::from_utf8_lossy(&bytes).into_owned()
}

fn url<'a>(arguments: &[Value<'a>], budget: &mut Budget<'a>) -> Result<'a> {
    let text = text_of("url", arguments, 0)?;
    budget.pay(traversal(&[&arguments[0]]))?;
    match parse(text) {
        Some(url) => Ok(Value::Kubernetes(Arc::new(Kubernetes::Url(url)))),
        None => Err(Error::Malformed(format!("`{text}` is no URL"))),
    }
}

fn is_url<'a>(arguments: &[Value<'a>], budget: &mut Budget<'a>) -> Result<'a> {
    let text = text_of("isURL", arguments, 0)?;
    budget.pay(traversal(&[&arguments[0]]))?;
    Ok(Value::Bool(parse(text).is_some()))
}

fn own<'v>(name: &str, arguments: &'v [Value<'_>]) -> std::result::Result<&'v Url, Error> {
    match arguments.first() {
        Some(Value::Kubernetes(value)) => match &**value {
            Kubernetes::Url(url) => Ok(url),
            _ => Err(mismatch(name, arguments)),
        },
        _ => Err(mismatch(name, arguments)),
    }
}

fn part<'a>(
    name: &str,
    arguments: &[Value<'a>],
    budget: &mut Budget<'a>,
    read: fn(&Url) -> String,
) -> Result<'a> {
    budget.pay(1)?;
    Ok(Value::text(read(own(name, arguments)?)))
}

fn query<'a>(arguments: &[Value<'a>], budget: &mut Budget<'a>) -> Result<'a> {
    let url = own("getQuery", arguments)?;
    budget.pay((url.query.len() as u64).div_ceil(10).max(1))?;
    let mut found: std::collections::BTreeMap<String, Vec<Value<'a>>> =
        std::collections::BTreeMap::new();
    for pair in url.query.split('&').filter(|pair| !pair.is_empty()) {
        let (key, value) = pair.split_once('=').unwrap_or((pair, ""));
        found
            .entry(unescaped(key))
            .or_default()
            .push(Value::text(unescaped(value)));
    }
    let mut map = Map::new();
    for (key, values) in found {
        let name = Key::Text(key.as_str().into());
        map.insert(name, (Value::text(key), Value::list(values)));
    }
    Ok(Value::Map(Arc::new(map)))
}
