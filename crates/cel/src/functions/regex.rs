//! Regular expressions. <https://kubernetes.io/docs/reference/using-api/cel/#kubernetes-regex-library>

use std::cell::RefCell;
use std::collections::HashMap;

use regex::{Regex, RegexBuilder};

use super::{Function, global, guarded, int_of, method, re2, text_of};
use crate::types::Sig::{self, Bool, Int, Text};
use crate::value::CelValue;
use crate::{Evaluated, EvaluationError};

/// The functions of this library, and `matches`.
pub const TABLE: &[Function] = &[
    guarded(
        "matches",
        &[
            global("matches", &[Text, Text], Bool, 0, matches),
            method("matches_string", &[Text, Text], Bool, 0, matches),
        ],
    ),
    guarded(
        "find",
        &[method("string_find_string", &[Text, Text], Text, 0, find)],
    ),
    guarded(
        "findAll",
        &[
            method(
                "string_find_all_string",
                &[Text, Text],
                Sig::List(&Text),
                0,
                find_all,
            ),
            method(
                "string_find_all_string_int",
                &[Text, Text, Int],
                Sig::List(&Text),
                0,
                find_all,
            ),
        ],
    ),
];

/// How large a compiled pattern may be, in bytes, and how many are kept for each thread.
const MAX_SIZE: usize = 4 << 20;
const KEPT: usize = 128;

thread_local! {
    static PATTERNS: RefCell<HashMap<String, Regex>> = RefCell::new(HashMap::new());
}

fn compile(pattern: &str) -> Result<Regex, String> {
    let refuse = |why: &str| format!("`{pattern}` is not a regular expression: {why}");
    let translated = re2::translate(pattern).map_err(|why| refuse(&why))?;
    RegexBuilder::new(&translated)
        .size_limit(MAX_SIZE)
        .dfa_size_limit(MAX_SIZE)
        .nest_limit(250)
        .build()
        .map_err(|error| match error {
            regex::Error::CompiledTooBig(_) => "the pattern is too large once compiled".to_owned(),
            error => {
                let text = error.to_string();
                let reason = text.lines().last().unwrap_or_default();
                refuse(reason.trim_start_matches("error: "))
            }
        })
}

/// What is wrong with a pattern.
pub fn pattern_error(pattern: &str) -> Option<String> {
    compile(pattern).err()
}

fn with_pattern<T>(pattern: &str, work: impl FnOnce(&Regex) -> T) -> Result<T, EvaluationError> {
    PATTERNS.with_borrow_mut(|patterns| {
        if !patterns.contains_key(pattern) {
            if patterns.len() >= KEPT {
                patterns.clear();
            }
            let regex = compile(pattern).map_err(EvaluationError::Malformed)?;
            patterns.insert(pattern.to_owned(), regex);
        }
        Ok(work(&patterns[pattern]))
    })
}

fn matches<'a>(arguments: &[CelValue<'a>]) -> Evaluated<'a> {
    let text = text_of("matches", arguments, 0)?;
    with_pattern(text_of("matches", arguments, 1)?, |regex| {
        CelValue::Bool(regex.is_match(text))
    })
}

fn find<'a>(arguments: &[CelValue<'a>]) -> Evaluated<'a> {
    let text = text_of("find", arguments, 0)?;
    with_pattern(text_of("find", arguments, 1)?, |regex| {
        CelValue::text(regex.find(text).map_or("", |found| found.as_str()))
    })
}

fn find_all<'a>(arguments: &[CelValue<'a>]) -> Evaluated<'a> {
    let text = text_of("findAll", arguments, 0)?;
    let most = match arguments.get(2) {
        Some(_) => usize::try_from(int_of("findAll", arguments, 2)?).unwrap_or(usize::MAX),
        None => usize::MAX,
    };
    with_pattern(text_of("findAll", arguments, 1)?, |regex| {
        let found = regex.find_iter(text).take(most);
        CelValue::list(found.map(|found| CelValue::text(found.as_str())).collect())
    })
}
