//! Regular expressions. <https://kubernetes.io/docs/reference/using-api/cel/#kubernetes-regex-library>

use std::cell::RefCell;
use std::collections::HashMap;

use regex::{Regex, RegexBuilder};

use super::{Function, both, int_of, method, text_of};
use crate::cel::value::Value;
use crate::cel::{Budget, Error};

pub const TABLE: &[Function] = &[
    method("find", (2, 2), 0, |v, b| find(v, b, MADE)).checking(is_pattern),
    method("findAll", (2, 3), 0, |v, b| find_all(v, b, MADE)).checking(is_pattern),
    // The same with a pattern that is written in the expression.
    both("@matches", (2, 2), 0, |v, b| matches_within(v, b, WRITTEN)).checking(is_pattern),
    method("@find", (2, 2), 0, |v, b| find(v, b, WRITTEN)).checking(is_pattern),
    method("@findAll", (2, 3), 0, |v, b| find_all(v, b, WRITTEN)).checking(is_pattern),
];

/// What a pattern may take: one that is written is compiled once, one that is made again and again.
#[derive(Clone, Copy)]
struct Bounds {
    size: usize,
    cost: u64,
}

const WRITTEN: Bounds = Bounds {
    size: MAX_SIZE,
    cost: 0,
};
const MADE: Bounds = Bounds {
    size: 1 << 18,
    cost: 5000,
};

/// How large a compiled pattern may be, in bytes, and how many are kept for each thread.
const MAX_SIZE: usize = 4 << 20;
const KEPT: usize = 128;

thread_local! {
    static PATTERNS: RefCell<HashMap<String, Regex>> = RefCell::new(HashMap::new());
}

fn compile(pattern: &str, size: usize) -> Result<Regex, String> {
    RegexBuilder::new(&as_re2(pattern))
        .size_limit(size)
        .dfa_size_limit(size)
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

/// A pattern as the API server reads it: its classes are those of ASCII, and it has no operations on
/// sets. <https://github.com/google/re2/wiki/Syntax>
fn as_re2(pattern: &str) -> String {
    let mut text = String::new();
    let mut rest = pattern.chars().peekable();
    let mut in_class = false;
    while let Some(c) = rest.next() {
        match c {
            '\\' => match rest.next() {
                Some('d') => text.push_str(if in_class { "0-9" } else { "[0-9]" }),
                Some('s') => text.push_str(if in_class {
                    "\\t\\n\\x0C\\r\\x20"
                } else {
                    "[\\t\\n\\x0C\\r\\x20]"
                }),
                Some('w') => text.push_str(if in_class {
                    "0-9A-Za-z_"
                } else {
                    "[0-9A-Za-z_]"
                }),
                Some('D') => text.push_str("[^0-9]"),
                Some('S') => text.push_str("[^\\t\\n\\x0C\\r\\x20]"),
                Some('W') => text.push_str("[^0-9A-Za-z_]"),
                Some('b') => text.push_str("(?-u:\\b)"),
                Some('Q') => {
                    let mut quoted = String::new();
                    while let Some(c) = rest.next() {
                        if c == '\\' && rest.peek() == Some(&'E') {
                            rest.next();
                            break;
                        }
                        quoted.push(c);
                    }
                    text.push_str(&regex::escape(&quoted));
                }
                Some(c @ ('<' | '>')) => text.push(c),
                Some(c) => {
                    text.push('\\');
                    text.push(c);
                }
                None => text.push('\\'),
            },
            '[' if in_class && rest.peek() != Some(&':') => text.push_str("\\["),
            '[' if !in_class => {
                in_class = true;
                text.push('[');
                if rest.peek() == Some(&'^') {
                    text.extend(rest.next());
                }
                // A bracket that comes first is one of the class.
                if rest.peek() == Some(&']') {
                    rest.next();
                    text.push_str("\\]");
                }
            }
            '[' => {
                // `[:alpha:]`
                text.push('[');
                for c in rest.by_ref() {
                    text.push(c);
                    if c == ']' {
                        break;
                    }
                }
            }
            ']' if in_class => {
                in_class = false;
                text.push(']');
            }
            '&' | '~' if in_class => {
                text.push('\\');
                text.push(c);
            }
            c => text.push(c),
        }
    }
    text
}

fn with_pattern<T>(
    pattern: &str,
    bounds: Bounds,
    work: impl FnOnce(&Regex) -> T,
) -> Result<T, Error> {
    PATTERNS.with_borrow_mut(|patterns| {
        if !patterns.contains_key(pattern) {
            if patterns.len() >= KEPT {
                patterns.clear();
            }
            let regex = compile(pattern, bounds.size).map_err(Error::Malformed)?;
            patterns.insert(pattern.to_owned(), regex);
        }
        Ok(work(&patterns[pattern]))
    })
}

/// Judges a literal pattern.
pub fn is_pattern(arguments: &[Option<&Value<'static>>]) -> Result<(), String> {
    match arguments.get(1) {
        Some(Some(Value::Text(pattern))) => compile(pattern.as_str(), MAX_SIZE).map(|_| ()),
        _ => Ok(()),
    }
}

/// The price of a search: the text's length times the pattern's.
fn pay(text: &str, pattern: &str, bounds: Bounds, budget: &mut Budget<'_>) -> Result<(), Error> {
    let text = (text.len() as u64 + 1).div_ceil(10);
    budget.pay(bounds.cost + text * (pattern.len() as u64).div_ceil(4).max(1))
}

/// `text.matches(pattern)`
pub fn matches<'a>(arguments: &[Value<'a>], budget: &mut Budget<'a>) -> Result<Value<'a>, Error> {
    matches_within(arguments, budget, MADE)
}

fn matches_within<'a>(
    arguments: &[Value<'a>],
    budget: &mut Budget<'a>,
    bounds: Bounds,
) -> Result<Value<'a>, Error> {
    let (text, pattern) = (
        text_of("matches", arguments, 0)?,
        text_of("matches", arguments, 1)?,
    );
    pay(text, pattern, bounds, budget)?;
    with_pattern(pattern, bounds, |regex| Value::Bool(regex.is_match(text)))
}

fn find<'a>(
    arguments: &[Value<'a>],
    budget: &mut Budget<'a>,
    bounds: Bounds,
) -> Result<Value<'a>, Error> {
    let (text, pattern) = (
        text_of("find", arguments, 0)?,
        text_of("find", arguments, 1)?,
    );
    pay(text, pattern, bounds, budget)?;
    with_pattern(pattern, bounds, |regex| {
        Value::text(regex.find(text).map_or("", |found| found.as_str()))
    })
}

fn find_all<'a>(
    arguments: &[Value<'a>],
    budget: &mut Budget<'a>,
    bounds: Bounds,
) -> Result<Value<'a>, Error> {
    let (text, pattern) = (
        text_of("findAll", arguments, 0)?,
        text_of("findAll", arguments, 1)?,
    );
    let most = match arguments.get(2) {
        Some(_) => usize::try_from(int_of("findAll", arguments, 2)?).unwrap_or(usize::MAX),
        None => usize::MAX,
    };
    pay(text, pattern, bounds, budget)?;
    with_pattern(pattern, bounds, |regex| {
        let found = regex.find_iter(text).take(most);
        Value::list(found.map(|found| Value::text(found.as_str())).collect())
    })
}
