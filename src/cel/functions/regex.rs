//! Regular expressions. <https://kubernetes.io/docs/reference/using-api/cel/#kubernetes-regex-library>

use std::cell::RefCell;
use std::collections::HashMap;

use regex::{Regex, RegexBuilder};

use super::{Function, int_of, method, text_of};
use crate::cel::value::Value;
use crate::cel::{Budget, Error};

pub const TABLE: &[Function] = &[
    method("find", (2, 2), 0, find).checking(is_pattern),
    method("findAll", (2, 3), 0, find_all).checking(is_pattern),
];

/// How large a compiled pattern may be, in bytes, and how many are kept for each thread.
const MAX_SIZE: usize = 1 << 20;
const KEPT: usize = 128;

thread_local! {
    static PATTERNS: RefCell<HashMap<String, Regex>> = RefCell::new(HashMap::new());
}

fn compile(pattern: &str) -> Result<Regex, String> {
    RegexBuilder::new(pattern)
        .size_limit(MAX_SIZE)
        .dfa_size_limit(MAX_SIZE)
        .nest_limit(50)
        .build()
        .map_err(|error| match error {
            regex::Error::CompiledTooBig(_) => "the pattern is too large once compiled".to_owned(),
            error => {
                let text = error.to_string();
                let reason = text
                    .lines()
                    .last()
                    .unwrap_or_default()
                    .trim_start_matches("error: ");
                format!("`{pattern}` is no regular expression: {reason}")
            }
        })
}

fn with_pattern<T>(pattern: &str, work: impl FnOnce(&Regex) -> T) -> Result<T, Error> {
    PATTERNS.with_borrow_mut(|patterns| {
        if !patterns.contains_key(pattern) {
            if patterns.len() >= KEPT {
                patterns.clear();
            }
            let regex = compile(pattern).map_err(Error::Malformed)?;
            patterns.insert(pattern.to_owned(), regex);
        }
        Ok(work(&patterns[pattern]))
    })
}

/// Judges a literal pattern.
pub fn is_pattern(arguments: &[Option<&Value<'static>>]) -> Result<(), String> {
    match arguments.get(1) {
        Some(Some(Value::Text(pattern))) => compile(pattern.as_str()).map(|_| ()),
        _ => Ok(()),
    }
}

/// The price of a search: the text's length times the pattern's.
fn pay(text: &str, pattern: &str, budget: &mut Budget<'_>) -> Result<(), Error> {
    let text = (text.len() as u64 + 1).div_ceil(10);
    budget.pay(text * (pattern.len() as u64).div_ceil(4).max(1))
}

/// `text.matches(pattern)`
pub fn matches<'a>(arguments: &[Value<'a>], budget: &mut Budget<'a>) -> Result<Value<'a>, Error> {
    let (text, pattern) = (
        text_of("matches", arguments, 0)?,
        text_of("matches", arguments, 1)?,
    );
    pay(text, pattern, budget)?;
    with_pattern(pattern, |regex| Value::Bool(regex.is_match(text)))
}

fn find<'a>(arguments: &[Value<'a>], budget: &mut Budget<'a>) -> Result<Value<'a>, Error> {
    let (text, pattern) = (
        text_of("find", arguments, 0)?,
        text_of("find", arguments, 1)?,
    );
    pay(text, pattern, budget)?;
    with_pattern(pattern, |regex| {
        Value::text(regex.find(text).map_or("", |found| found.as_str()))
    })
}

fn find_all<'a>(arguments: &[Value<'a>], budget: &mut Budget<'a>) -> Result<Value<'a>, Error> {
    let (text, pattern) = (
        text_of("findAll", arguments, 0)?,
        text_of("findAll", arguments, 1)?,
    );
    let most = match arguments.get(2) {
        Some(_) => usize::try_from(int_of("findAll", arguments, 2)?).unwrap_or(usize::MAX),
        None => usize::MAX,
    };
    pay(text, pattern, budget)?;
    with_pattern(pattern, |regex| {
        let found = regex.find_iter(text).take(most);
        Value::list(found.map(|found| Value::text(found.as_str())).collect())
    })
}
