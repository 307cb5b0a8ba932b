//! Text: the language's own functions, and the strings extension (version 2).
//! <https://pkg.go.dev/github.com/google/cel-go/ext#Strings>

use super::{Function, format, global, guarded, int_of, method, mismatch, text_of};
use crate::types::Sig::{self, Bool, Dyn, Int, Text};
use crate::value::CelValue;
use crate::{Evaluated, EvaluationError, operators};

/// The functions of this library.
pub const TABLE: &[Function] = &[
    guarded(
        "contains",
        &[method("contains_string", &[Text, Text], Bool, 0, |v| {
            asks("contains", v, |text, part| text.contains(part))
        })],
    ),
    guarded(
        "startsWith",
        &[method("starts_with_string", &[Text, Text], Bool, 0, |v| {
            asks("startsWith", v, |text, part| text.starts_with(part))
        })],
    ),
    guarded(
        "endsWith",
        &[method("ends_with_string", &[Text, Text], Bool, 0, |v| {
            asks("endsWith", v, |text, part| text.ends_with(part))
        })],
    ),
    guarded(
        "charAt",
        &[method("string_char_at_int", &[Text, Int], Text, 0, char_at)],
    ),
    guarded(
        "indexOf",
        &[
            method("string_index_of_string", &[Text, Text], Int, 0, index_of),
            method(
                "string_index_of_string_int",
                &[Text, Text, Int],
                Int,
                0,
                index_of,
            ),
        ],
    ),
    guarded(
        "lastIndexOf",
        &[
            method(
                "string_last_index_of_string",
                &[Text, Text],
                Int,
                0,
                last_index_of,
            ),
            method(
                "string_last_index_of_string_int",
                &[Text, Text, Int],
                Int,
                0,
                last_index_of,
            ),
        ],
    ),
    guarded(
        "lowerAscii",
        &[method("string_lower_ascii", &[Text], Text, 0, |v| {
            changed("lowerAscii", v, str::to_ascii_lowercase)
        })],
    ),
    guarded(
        "upperAscii",
        &[method("string_upper_ascii", &[Text], Text, 0, |v| {
            changed("upperAscii", v, str::to_ascii_uppercase)
        })],
    ),
    guarded(
        "trim",
        &[method("string_trim", &[Text], Text, 0, |v| {
            changed("trim", v, |text| text.trim().to_owned())
        })],
    ),
    guarded(
        "replace",
        &[
            method(
                "string_replace_string_string",
                &[Text, Text, Text],
                Text,
                0,
                replace,
            ),
            method(
                "string_replace_string_string_int",
                &[Text, Text, Text, Int],
                Text,
                0,
                replace,
            ),
        ],
    ),
    guarded(
        "split",
        &[
            method(
                "string_split_string",
                &[Text, Text],
                Sig::List(&Text),
                0,
                split,
            ),
            method(
                "string_split_string_int",
                &[Text, Text, Int],
                Sig::List(&Text),
                0,
                split,
            ),
        ],
    ),
    guarded(
        "join",
        &[
            method("list_join", &[Sig::List(&Text)], Text, 0, join),
            method("list_join_string", &[Sig::List(&Text), Text], Text, 0, join),
        ],
    ),
    guarded(
        "substring",
        &[
            method("string_substring_int", &[Text, Int], Text, 0, substring),
            method(
                "string_substring_int_int",
                &[Text, Int, Int],
                Text,
                0,
                substring,
            ),
        ],
    ),
    guarded(
        "format",
        &[method(
            "string_format",
            &[Text, Sig::List(&Dyn)],
            Text,
            29,
            format::format,
        )],
    ),
    guarded(
        "strings.quote",
        &[global("strings_quote", &[Text], Text, 29, |v| {
            changed("strings.quote", v, crate::value::quoted::quoted)
        })],
    ),
];

fn asks<'a>(
    name: &str,
    arguments: &[CelValue<'a>],
    question: fn(&str, &str) -> bool,
) -> Evaluated<'a> {
    let (text, part) = (text_of(name, arguments, 0)?, text_of(name, arguments, 1)?);
    Ok(CelValue::Bool(question(text, part)))
}

fn changed<'a>(
    name: &str,
    arguments: &[CelValue<'a>],
    change: fn(&str) -> String,
) -> Evaluated<'a> {
    Ok(CelValue::text(change(text_of(name, arguments, 0)?)))
}

fn out_of_range(index: i64) -> EvaluationError {
    EvaluationError::Range(format!("there is no position {index} in the text"))
}

/// A position within a text, its end included.
fn position(index: i64, length: usize) -> Result<usize, EvaluationError> {
    usize::try_from(index)
        .ok()
        .filter(|index| *index <= length)
        .ok_or_else(|| out_of_range(index))
}

fn int<'a>(number: usize) -> CelValue<'a> {
    CelValue::Int(i64::try_from(number).unwrap_or(i64::MAX))
}

fn char_at<'a>(arguments: &[CelValue<'a>]) -> Evaluated<'a> {
    let text = text_of("charAt", arguments, 0)?;
    let count = text.chars().count();
    let at = position(int_of("charAt", arguments, 1)?, count)?;
    let found: String = text.chars().skip(at).take(1).collect();
    Ok(CelValue::text(found))
}

/// Where to start; below zero is an error, past the end finds nothing.
fn offset(name: &str, arguments: &[CelValue<'_>]) -> Result<Option<usize>, EvaluationError> {
    match arguments.get(2) {
        Some(_) => {
            let offset = int_of(name, arguments, 2)?;
            usize::try_from(offset)
                .map(Some)
                .map_err(|_| out_of_range(offset))
        }
        None => Ok(None),
    }
}

fn index_of<'a>(arguments: &[CelValue<'a>]) -> Evaluated<'a> {
    let text: Vec<char> = text_of("indexOf", arguments, 0)?.chars().collect();
    let part: Vec<char> = text_of("indexOf", arguments, 1)?.chars().collect();
    let from = offset("indexOf", arguments)?.unwrap_or(0);
    if part.is_empty() {
        return Ok(int(from));
    }
    let mut windows = text.windows(part.len()).enumerate().skip(from);
    let found = windows.find(|(_, window)| **window == part[..]);
    Ok(found.map_or(CelValue::Int(-1), |(at, _)| int(at)))
}

fn last_index_of<'a>(arguments: &[CelValue<'a>]) -> Evaluated<'a> {
    let text: Vec<char> = text_of("lastIndexOf", arguments, 0)?.chars().collect();
    let part: Vec<char> = text_of("lastIndexOf", arguments, 1)?.chars().collect();
    let offset = offset("lastIndexOf", arguments)?;
    if part.is_empty() {
        return Ok(int(offset.unwrap_or(text.len())));
    }
    if offset.is_some_and(|from| from >= text.len()) {
        return Ok(CelValue::Int(-1));
    }
    let from = offset.unwrap_or(text.len());
    let mut windows = text.windows(part.len()).enumerate();
    let found = windows.rfind(|(at, window)| *at <= from && **window == part[..]);
    Ok(found.map_or(CelValue::Int(-1), |(at, _)| int(at)))
}

fn limit(
    arguments: &[CelValue<'_>],
    at: usize,
    name: &str,
) -> Result<Option<usize>, EvaluationError> {
    match arguments.get(at) {
        // Below zero stands for no limit.
        Some(_) => Ok(usize::try_from(int_of(name, arguments, at)?).ok()),
        None => Ok(None),
    }
}

fn replace<'a>(arguments: &[CelValue<'a>]) -> Evaluated<'a> {
    let text = text_of("replace", arguments, 0)?;
    let (from, to) = (
        text_of("replace", arguments, 1)?,
        text_of("replace", arguments, 2)?,
    );
    let limit = limit(arguments, 3, "replace")?;
    let places = match text.len().checked_div(from.len()) {
        Some(places) => places,
        None => text.len() + 1,
    };
    let places = places.min(limit.unwrap_or(usize::MAX));
    operators::bounded(places.saturating_mul(to.len()).saturating_add(text.len()))?;
    Ok(CelValue::text(match limit {
        Some(limit) => text.replacen(from, to, limit),
        None => text.replace(from, to),
    }))
}

fn split<'a>(arguments: &[CelValue<'a>]) -> Evaluated<'a> {
    let (text, separator) = (
        text_of("split", arguments, 0)?,
        text_of("split", arguments, 1)?,
    );
    let limit = limit(arguments, 2, "split")?;
    let part = |text: &str| CelValue::text(text);
    let parts: Vec<CelValue<'a>> = match limit {
        Some(0) => Vec::new(),
        _ if separator.is_empty() => characters(text, limit.unwrap_or(usize::MAX)),
        Some(limit) => text.splitn(limit, separator).map(part).collect(),
        None => text.split(separator).map(part).collect(),
    };
    Ok(CelValue::list(parts))
}

/// Each character, and what is left as the last of so many.
fn characters<'a>(text: &str, most: usize) -> Vec<CelValue<'a>> {
    let mut parts: Vec<CelValue<'a>> = Vec::new();
    let mut rest = text;
    while let Some(first) = rest.chars().next() {
        if parts.len() + 1 == most {
            parts.push(CelValue::text(rest));
            break;
        }
        let (one, after) = rest.split_at(first.len_utf8());
        parts.push(CelValue::text(one));
        rest = after;
    }
    parts
}

fn join<'a>(arguments: &[CelValue<'a>]) -> Evaluated<'a> {
    let items = arguments
        .first()
        .and_then(CelValue::items)
        .ok_or_else(|| mismatch("join", arguments))?;
    let separator = match arguments.get(1) {
        Some(_) => text_of("join", arguments, 1)?,
        None => "",
    };
    let texts: Option<Vec<&str>> = items.iter().map(CelValue::as_str).collect();
    let texts =
        texts.ok_or_else(|| EvaluationError::Malformed("`join()` joins texts only".to_owned()))?;
    let length: usize = texts.iter().map(|text| text.len() + separator.len()).sum();
    operators::bounded(length)?;
    Ok(CelValue::text(texts.join(separator)))
}

fn substring<'a>(arguments: &[CelValue<'a>]) -> Evaluated<'a> {
    let text = text_of("substring", arguments, 0)?;
    let count = text.chars().count();
    let start = int_of("substring", arguments, 1)?;
    let end = match arguments.get(2) {
        Some(_) => int_of("substring", arguments, 2)?,
        None => i64::try_from(count).unwrap_or(i64::MAX),
    };
    if start > end && arguments.len() > 2 {
        return Err(EvaluationError::Range(format!(
            "a text cannot start at {start} and end at {end}"
        )));
    }
    let (start, end) = (position(start, count)?, position(end, count)?);
    let part: String = text.chars().skip(start).take(end - start).collect();
    Ok(CelValue::text(part))
}
