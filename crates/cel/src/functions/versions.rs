//! Semantic versions. <https://kubernetes.io/docs/reference/using-api/cel/#kubernetes-semver-library>

use std::cmp::Ordering;
use std::sync::Arc;

use semver::Version;

use super::{Function, global, guarded, method, mismatch, text_of};
use crate::types::Sig::{self, Bool, Int, Text};
use crate::value::{CelValue, Kubernetes};
use crate::{Evaluated, EvaluationError};

const SEMVER: Sig = Sig::Named("kubernetes.Semver");

/// The functions of this library.
pub const TABLE: &[Function] = &[
    guarded(
        "semver",
        &[
            global("string_to_semver", &[Text], SEMVER, 33, semver),
            global("string_bool_to_semver", &[Text, Bool], SEMVER, 33, semver),
        ],
    ),
    guarded(
        "isSemver",
        &[
            global("is_semver_string", &[Text], Bool, 33, is_semver),
            global("is_semver_string_bool", &[Text, Bool], Bool, 33, is_semver),
        ],
    ),
    guarded(
        "major",
        &[method("semver_major", &[SEMVER], Int, 33, |v| {
            number("major", v, |version| version.major)
        })],
    ),
    guarded(
        "minor",
        &[method("semver_minor", &[SEMVER], Int, 33, |v| {
            number("minor", v, |version| version.minor)
        })],
    ),
    guarded(
        "patch",
        &[method("semver_patch", &[SEMVER], Int, 33, |v| {
            number("patch", v, |version| version.patch)
        })],
    ),
    guarded(
        "compareTo",
        &[method(
            "semver_compare_to",
            &[SEMVER, SEMVER],
            Int,
            33,
            |v| compare("compareTo", v, |order| CelValue::Int(order as i64)),
        )],
    ),
    guarded(
        "isGreaterThan",
        &[method(
            "semver_is_greater_than",
            &[SEMVER, SEMVER],
            Bool,
            33,
            |v| compare("isGreaterThan", v, |order| CelValue::Bool(order.is_gt())),
        )],
    ),
    guarded(
        "isLessThan",
        &[method(
            "semver_is_less_than",
            &[SEMVER, SEMVER],
            Bool,
            33,
            |v| compare("isLessThan", v, |order| CelValue::Bool(order.is_lt())),
        )],
    ),
];

/// With `normalize`, a leading `v` and leading zeros are removed first, and missing numbers added; a short version then has
/// neither a pre-release nor a build.
fn parse(arguments: &[CelValue<'_>], name: &str) -> Result<Option<Version>, EvaluationError> {
    let text = text_of(name, arguments, 0)?;
    if !matches!(arguments.get(1), Some(CelValue::Bool(true))) {
        return Ok(Version::parse(text).ok());
    }
    let text = text.strip_prefix('v').unwrap_or(text);
    let mut parts: Vec<String> = text.splitn(3, '.').map(without_zeros).collect();
    if parts.len() < 3 && parts.last().is_some_and(|last| last.contains(['+', '-'])) {
        return Ok(None);
    }
    parts.resize(3, "0".to_owned());
    Ok(Version::parse(&parts.join(".")).ok())
}

fn without_zeros(part: &str) -> String {
    if part.len() <= 1 {
        return part.to_owned();
    }
    let bare = part.trim_start_matches('0');
    if bare.starts_with(|c: char| c.is_ascii_digit()) {
        bare.to_owned()
    } else {
        format!("0{bare}")
    }
}

fn semver<'a>(arguments: &[CelValue<'a>]) -> Evaluated<'a> {
    match parse(arguments, "semver")? {
        Some(version) => Ok(CelValue::Kubernetes(Arc::new(Kubernetes::Semver(version)))),
        None => Err(EvaluationError::Malformed(format!(
            "`{}` is not a version such as `1.2.3`",
            text_of("semver", arguments, 0)?
        ))),
    }
}

fn is_semver<'a>(arguments: &[CelValue<'a>]) -> Evaluated<'a> {
    Ok(CelValue::Bool(parse(arguments, "isSemver")?.is_some()))
}

fn version<'v>(value: &'v CelValue<'_>) -> Option<&'v Version> {
    match value {
        CelValue::Kubernetes(value) => match &**value {
            Kubernetes::Semver(version) => Some(version),
            _ => None,
        },
        _ => None,
    }
}

fn number<'a>(name: &str, arguments: &[CelValue<'a>], read: fn(&Version) -> u64) -> Evaluated<'a> {
    let version = arguments
        .first()
        .and_then(version)
        .ok_or_else(|| mismatch(name, arguments))?;
    Ok(CelValue::Int(read(version).cast_signed()))
}

fn compare<'a>(
    name: &str,
    arguments: &[CelValue<'a>],
    answer: fn(Ordering) -> CelValue<'static>,
) -> Evaluated<'a> {
    let (a, b) = match arguments {
        [a, b] => (version(a), version(b)),
        _ => (None, None),
    };
    match (a, b) {
        (Some(a), Some(b)) => Ok(answer(a.cmp_precedence(b))),
        _ => Err(mismatch(name, arguments)),
    }
}
