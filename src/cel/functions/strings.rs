//! Text: the language's own functions, and the strings extension (version 2).
//! <https://pkg.go.dev/github.com/google/cel-go/ext#Strings>

use super::super::operators::traversal;
use super::{Function, format, int_of, method, mismatch, regex, text_of};
use super::{both, global, lists};
use crate::cel::value::Value;
use crate::cel::{Budget, Error};

type Result<'a> = std::result::Result<Value<'a>, Error>;

pub const TABLE: &[Function] = &[
    method("contains", (2, 2), 0, contains),
    method("startsWith", (2, 2), 0, starts_with),
    method("endsWith", (2, 2), 0, ends_with),
    both("matches", (2, 2), 0, regex::matches).checking(regex::is_pattern),
    method("charAt", (2, 2), 0, char_at),
    method("indexOf", (2, 3), 0, index_of),
    method("lastIndexOf", (2, 3), 0, last_index_of),
    method("lowerAscii", (1, 1), 0, lower),
    method("upperAscii", (1, 1), 0, upper),
    method("replace", (3, 4), 0, replace),
    method("split", (2, 3), 0, split),
    method("join", (1, 2), 0, join),
    method("substring", (2, 3), 0, substring),
    method("trim", (1, 1), 0, trim),
    method("format", (2, 2), 29, format::format).checking(format::is_format),
    method("reverse", (1, 1), 34, reverse),
    global("strings.quote", (1, 1), 29, quote),
];

fn contains<'a>(arguments: &[Value<'a>], budget: &mut Budget<'a>) -> Result<'a> {
    let (text, part) = (
        text_of("contains", arguments, 0)?,
        text_of("contains", arguments, 1)?,
    );
    budget.pay(traversal(&[&arguments[0]]) * traversal(&[&arguments[1]]))?;
    Ok(Value::Bool(text.contains(part)))
}

fn starts_with<'a>(arguments: &[Value<'a>], budget: &mut Budget<'a>) -> Result<'a> {
    let (text, part) = (
        text_of("startsWith", arguments, 0)?,
        text_of("startsWith", arguments, 1)?,
    );
    budget.pay(traversal(&[&arguments[1]]))?;
    Ok(Value::Bool(text.starts_with(part)))
}

fn ends_with<'a>(arguments: &[Value<'a>], budget: &mut Budget<'a>) -> Result<'a> {
    let (text, part) = (
        text_of("endsWith", arguments, 0)?,
        text_of("endsWith", arguments, 1)?,
    );
    budget.pay(traversal(&[&arguments[1]]))?;
    Ok(Value::Bool(text.ends_with(part)))
}

fn out_of_range(index: i64) -> Error {
    Error::Range(format!("there is no position {index} in the text"))
}

/// A position within a text, its end included.
fn position(index: i64, length: usize) -> std::result::Result<usize, Error> {
    usize::try_from(index)
        .ok()
        .filter(|index| *index <= length)
        .ok_or_else(|| out_of_range(index))
}

fn int<'a>(number: usize) -> Value<'a> {
    Value::Int(i64::try_from(number).unwrap_or(i64::MAX))
}

fn char_at<'a>(arguments: &[Value<'a>], budget: &mut Budget<'a>) -> Result<'a> {
    let text = text_of("charAt", arguments, 0)?;
    budget.pay(traversal(&[&arguments[0]]))?;
    let count = text.chars().count();
    let at = position(int_of("charAt", arguments, 1)?, count)?;
    let found: String = text.chars().skip(at).take(1).collect();
    Ok(Value::text(found))
}

fn index_of<'a>(arguments: &[Value<'a>], budget: &mut Budget<'a>) -> Result<'a> {
    if arguments[0].items().is_some() {
        return lists::index_of(arguments, budget);
    }
    let (text, part) = (
        text_of("indexOf", arguments, 0)?,
        text_of("indexOf", arguments, 1)?,
    );
    budget.pay(traversal(&[&arguments[0]]) * traversal(&[&arguments[1]]))?;
    let characters: Vec<char> = text.chars().collect();
    let from = match arguments.get(2) {
        Some(_) => int_of("indexOf", arguments, 2)?,
        None => 0,
    };
    if part.is_empty() {
        return position(
            from,
            characters.len().max(usize::try_from(from).unwrap_or(0)),
        )
        .map(int);
    }
    let from = position(from, characters.len())?;
    let part: Vec<char> = part.chars().collect();
    let found = characters
        .windows(part.len())
        .enumerate()
        .skip(from)
        .find(|(_, window)| **window == part[..]);
    Ok(found.map_or(Value::Int(-1), |(at, _)| int(at)))
}

fn last_index_of<'a>(arguments: &[Value<'a>], budget: &mut Budget<'a>) -> Result<'a> {
    if arguments[0].items().is_some() {
        return lists::last_index_of(arguments, budget);
    }
    let (text, part) = (
        text_of("lastIndexOf", arguments, 0)?,
        text_of("lastIndexOf", arguments, 1)?,
    );
    budget.pay(traversal(&[&arguments[0]]) * traversal(&[&arguments[1]]))?;
    let characters: Vec<char> = text.chars().collect();
    let from = match arguments.get(2) {
        Some(_) => position(int_of("lastIndexOf", arguments, 2)?, characters.len())?,
        None => characters.len(),
    };
    if part.is_empty() {
        return Ok(int(from.min(characters.len())));
    }
    let part: Vec<char> = part.chars().collect();
    let found = characters
        .windows(part.len())
        .enumerate()
        .rfind(|(at, window)| *at <= from && **window == part[..]);
    Ok(found.map_or(Value::Int(-1), |(at, _)| int(at)))
}

fn lower<'a>(arguments: &[Value<'a>], budget: &mut Budget<'a>) -> Result<'a> {
    let text = text_of("lowerAscii", arguments, 0)?;
    budget.pay(traversal(&[&arguments[0]]))?;
    Ok(Value::text(text.to_ascii_lowercase()))
}

fn upper<'a>(arguments: &[Value<'a>], budget: &mut Budget<'a>) -> Result<'a> {
    let text = text_of("upperAscii", arguments, 0)?;
    budget.pay(traversal(&[&arguments[0]]))?;
    Ok(Value::text(text.to_ascii_uppercase()))
}

fn limit(
    arguments: &[Value<'_>],
    at: usize,
    name: &str,
) -> std::result::Result<Option<usize>, Error> {
    match arguments.get(at) {
        // Below zero stands for no limit.
        Some(_) => Ok(usize::try_from(int_of(name, arguments, at)?).ok()),
        None => Ok(None),
    }
}

fn replace<'a>(arguments: &[Value<'a>], budget: &mut Budget<'a>) -> Result<'a> {
    let text = text_of("replace", arguments, 0)?;
    let (from, to) = (
        text_of("replace", arguments, 1)?,
        text_of("replace", arguments, 2)?,
    );
    let places = if from.is_empty() {
        text.chars().count() + 1
    } else {
        text.len() / from.len()
    };
    budget.pay(
        ((text.len() + places * to.len()) as u64)
            .div_ceil(10)
            .max(1),
    )?;
    Ok(Value::text(match limit(arguments, 3, "replace")? {
        Some(limit) => text.replacen(from, to, limit),
        None => text.replace(from, to),
    }))
}

fn split<'a>(arguments: &[Value<'a>], budget: &mut Budget<'a>) -> Result<'a> {
    let (text, separator) = (
        text_of("split", arguments, 0)?,
        text_of("split", arguments, 1)?,
    );
    budget.pay(traversal(&[&arguments[0]]))?;
    let limit = limit(arguments, 2, "split")?;
    let part = |text: &str| Value::text(text);
    let parts: Vec<Value<'a>> = match limit {
        Some(0) => Vec::new(),
        _ if separator.is_empty() => {
            let count = text.chars().count();
            let limit = limit.unwrap_or(count).max(1);
            let mut parts: Vec<Value<'a>> = Vec::new();
            let mut rest = text;
            while parts.len() + 1 < limit && rest.chars().count() > 1 {
                let at = rest.chars().next().map_or(0, char::len_utf8);
                parts.push(part(&rest[..at]));
                rest = &rest[at..];
            }
            if !rest.is_empty() {
                parts.push(part(rest));
            }
            parts
        }
        Some(limit) => text.splitn(limit, separator).map(part).collect(),
        None => text.split(separator).map(part).collect(),
    };
    Ok(Value::list(parts))
}

fn join<'a>(arguments: &[Value<'a>], budget: &mut Budget<'a>) -> Result<'a> {
    let items = arguments[0]
        .items()
        .ok_or_else(|| mismatch("join", arguments))?;
    let separator = match arguments.get(1) {
        Some(_) => text_of("join", arguments, 1)?,
        None => "",
    };
    let texts: Option<Vec<&str>> = items.iter().map(Value::as_str).collect();
    let joined = texts
        .ok_or_else(|| mismatch("join", arguments))?
        .join(separator);
    budget.pay((joined.len() as u64).div_ceil(10).max(1))?;
    Ok(Value::text(joined))
}

fn substring<'a>(arguments: &[Value<'a>], budget: &mut Budget<'a>) -> Result<'a> {
    let text = text_of("substring", arguments, 0)?;
    budget.pay(traversal(&[&arguments[0]]))?;
    let count = text.chars().count();
    let start = position(int_of("substring", arguments, 1)?, count)?;
    let end = match arguments.get(2) {
        Some(_) => position(int_of("substring", arguments, 2)?, count)?,
        None => count,
    };
    if start > end {
        return Err(Error::Range(format!(
            "a text cannot start at {start} and end at {end}"
        )));
    }
    let part: String = text.chars().skip(start).take(end - start).collect();
    Ok(Value::text(part))
}

fn trim<'a>(arguments: &[Value<'a>], budget: &mut Budget<'a>) -> Result<'a> {
    let text = text_of("trim", arguments, 0)?;
    budget.pay(traversal(&[&arguments[0]]))?;
    Ok(Value::text(text.trim()))
}

fn reverse<'a>(arguments: &[Value<'a>], budget: &mut Budget<'a>) -> Result<'a> {
    if arguments[0].items().is_some() {
        return lists::reverse(arguments, budget);
    }
    Err(mismatch("reverse", arguments))
}

fn quote<'a>(arguments: &[Value<'a>], budget: &mut Budget<'a>) -> Result<'a> {
    let text = text_of("strings.quote", arguments, 0)?;
    budget.pay(traversal(&[&arguments[0]]))?;
    Ok(Value::text(format::quoted(text)))
}
