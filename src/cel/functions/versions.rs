//! Semantic versions. <https://kubernetes.io/docs/reference/using-api/cel/#kubernetes-semver-library>

use std::sync::Arc;

use semver::Version;

use super::{Function, global, method, mismatch, text_of};
use crate::cel::value::{Kubernetes, Value};
use crate::cel::{Budget, Error};

type Result<'a> = std::result::Result<Value<'a>, Error>;

pub const TABLE: &[Function] = &[
    global("semver", (1, 2), 33, semver),
    global("isSemver", (1, 2), 33, is_semver),
    method("major", (1, 1), 33, |v, b| {
        number("major", v, b, |version| version.major)
    }),
    method("minor", (1, 1), 33, |v, b| {
        number("minor", v, b, |version| version.minor)
    }),
    method("patch", (1, 1), 33, |v, b| {
        number("patch", v, b, |version| version.patch)
    }),
];

/// With `normalize`, a leading `v`, leading zeros and missing numbers are mended first.
fn parse(arguments: &[Value<'_>], name: &str) -> std::result::Result<Option<Version>, Error> {
    let text = text_of(name, arguments, 0)?;
    let normalize = match arguments.get(1) {
        Some(Value::Bool(normalize)) => *normalize,
        Some(_) => return Err(mismatch(name, arguments)),
        None => false,
    };
    if !normalize {
        return Ok(Version::parse(text).ok());
    }
    let text = text.strip_prefix('v').unwrap_or(text);
    let end = text.find(['-', '+']).unwrap_or(text.len());
    let (numbers, rest) = text.split_at(end);
    let mut numbers: Vec<String> = numbers
        .split('.')
        .map(|number| {
            let bare = number.trim_start_matches('0');
            if bare.is_empty() && !number.is_empty() {
                "0".to_owned()
            } else {
                bare.to_owned()
            }
        })
        .collect();
    while numbers.len() < 3 {
        numbers.push("0".to_owned());
    }
    Ok(Version::parse(&format!("{}{rest}", numbers.join("."))).ok())
}

fn semver<'a>(arguments: &[Value<'a>], budget: &mut Budget<'a>) -> Result<'a> {
    budget.pay(1)?;
    match parse(arguments, "semver")? {
        Some(version) => Ok(Value::Kubernetes(Arc::new(Kubernetes::Semver(version)))),
        None => Err(Error::Malformed(format!(
            "`{}` is no version such as `1.2.3`",
            text_of("semver", arguments, 0)?
        ))),
    }
}

fn is_semver<'a>(arguments: &[Value<'a>], budget: &mut Budget<'a>) -> Result<'a> {
    budget.pay(1)?;
    Ok(Value::Bool(parse(arguments, "isSemver")?.is_some()))
}

/// The version, when this is one.
pub fn version<'v>(value: &'v Value<'_>) -> Option<&'v Version> {
    match value {
        Value::Kubernetes(value) => match &**value {
            Kubernetes::Semver(version) => Some(version),
            _ => None,
        },
        _ => None,
    }
}

fn number<'a>(
    name: &str,
    arguments: &[Value<'a>],
    budget: &mut Budget<'a>,
    read: fn(&Version) -> u64,
) -> Result<'a> {
    budget.pay(1)?;
    let version = arguments
        .first()
        .and_then(version)
        .ok_or_else(|| mismatch(name, arguments))?;
    Ok(Value::Int(i64::try_from(read(version)).unwrap_or(i64::MAX)))
}
