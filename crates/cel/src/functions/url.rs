//! URLs, as Go's `net/url` reads them. <https://kubernetes.io/docs/reference/using-api/cel/#kubernetes-url-library>

use std::collections::BTreeMap;
use std::sync::Arc;

use super::{Function, global, guarded, method, mismatch, text_of};
use crate::types::Sig::{self, Bool, Text};
use crate::value::url::{Url, UrlMode, UrlPart, parse, unescape};
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
