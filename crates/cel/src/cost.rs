//! What calls cost, as the API server charges for them.
//! <https://github.com/kubernetes/kubernetes/blob/master/staging/src/k8s.io/apiserver/pkg/cel/library/cost.go>,
//! and the cost trackers of cel-go's libraries.

use super::EvaluationError;
use super::functions::forms;
use super::value::{CelValue, Kubernetes};

/// What going through a text costs for each character.
pub const TRAVERSAL: f64 = 0.1;
/// What a regular expression costs for each of its characters.
pub const REGEX: f64 = 0.25;
/// What a list costs that is made.
pub const LIST: u64 = 10;
/// What a map costs that is made.
pub const MAP: u64 = 30;

/// How a call is charged.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Cost {
    /// The same for all values.
    Fixed(u64),
    /// The first text, so many times.
    Text(f64),
    /// The text that comes out, twice.
    Joined,
    /// All items of the first list, deeply.
    Items,
    /// Both texts.
    Both,
    /// The shorter of both.
    Shorter,
    /// The second list.
    SecondList,
    /// The text times the pattern.
    Pattern,
    /// The text times the part that is looked for.
    Search,
    /// Two networks, and the text that the second is read from.
    Networks { whole: bool, read: bool },
    /// The text, times the expression of a named form.
    Form,
    /// A list that comes out.
    NewList,
    /// A list that is made flat, at each level.
    Flat,
    /// Each item of a list against each other: of the first list, or of the second.
    Square(usize),
    /// Each item of one list against each of the other, so many times.
    Sets(u64),
}

/// How a function is charged; `overload` is the one that the types leave, if it is one.
pub fn of(function: &str, overload: Option<&str>) -> Cost {
    if let Some(cost) = overload.and_then(of_overload) {
        return cost;
    }
    match function {
        "check" => Cost::Fixed(350_000),
        "isSorted" | "sum" | "max" | "min" | "indexOf" | "lastIndexOf" | "includes" => Cost::Items,
        "ip" if overload == Some("cidr_ip") => Cost::Fixed(1),
        "url" | "lowerAscii" | "upperAscii" | "substring" | "trim" | "cidr" | "ip" | "isIP"
        | "isCIDR" | "quantity" | "isQuantity" | "semver" | "isSemver" => Cost::Text(1.0),
        "replace" | "split" | "ip.isCanonical" => Cost::Text(2.0),
        "join" => Cost::Joined,
        "find" | "findAll" => Cost::Pattern,
        "containsIP" => Cost::Networks {
            whole: false,
            read: overload == Some("cidr_contains_ip_string"),
        },
        "containsCIDR" => Cost::Networks {
            whole: true,
            read: overload == Some("cidr_contains_cidr_string"),
        },
        "validate" => Cost::Form,
        _ => overload.map_or(Cost::Fixed(1), of_language),
    }
}

/// Overloads that libraries of cel-go charge for by themselves.
fn of_overload(overload: &str) -> Option<Cost> {
    Some(match overload {
        "list_slice" | "lists_range" | "list_reverse" => Cost::NewList,
        "list_flatten" | "list_flatten_int" => Cost::Flat,
        "list_distinct" => Cost::Square(0),
        "list_sets_contains_list" | "list_sets_intersects_list" => Cost::Sets(1),
        "list_sets_equivalent_list" => Cost::Sets(2),
        _ if overload.ends_with("_sortByAssociatedKeys") => Cost::Square(1),
        _ if overload.starts_with("list_") && overload.ends_with("_sort") => Cost::Square(0),
        _ => return None,
    })
}

/// Overloads of the language itself.
fn of_language(overload: &str) -> Cost {
    match overload {
        "starts_with_string" | "ends_with_string" | "string_to_bytes" | "bytes_to_string"
        | "strings_quote" | "string_format" => Cost::Text(1.0),
        "in_list" => Cost::SecondList,
        "less_string"
        | "greater_string"
        | "less_equals_string"
        | "greater_equals_string"
        | "less_bytes"
        | "greater_bytes"
        | "less_equals_bytes"
        | "greater_equals_bytes" => Cost::Shorter,
        "add_string" | "add_bytes" => Cost::Both,
        "matches" | "matches_string" => Cost::Pattern,
        "contains_string" => Cost::Search,
        _ => Cost::Fixed(1),
    }
}

/// A size times a factor, rounded up.
#[allow(
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    clippy::cast_precision_loss
)]
fn part(size: u64, factor: f64) -> u64 {
    (size as f64 * factor).ceil() as u64
}

/// What comparing two values costs.
pub fn equality(a: u64, b: u64, first: Option<&CelValue<'_>>) -> u64 {
    match first {
        Some(CelValue::Kubernetes(_)) => 1,
        _ => part(a.min(b), TRAVERSAL),
    }
}

impl Cost {
    /// What a call costs; arguments that are errors count as one.
    pub fn charge(
        self,
        arguments: &[CelValue<'_>],
        result: Option<&Result<CelValue<'_>, EvaluationError>>,
    ) -> u64 {
        let size = |at: usize| arguments.get(at).map_or(1, CelValue::weight);
        let result = || match result {
            Some(Ok(value)) => value.weight(),
            _ => 1,
        };
        match self {
            Cost::Fixed(cost) => cost,
            Cost::Text(times) => part_times(size(0), times),
            Cost::Joined => part_times(result(), 2.0),
            Cost::Items => arguments.first().map_or(1, traversal),
            Cost::Both => part(size(0) + size(1), TRAVERSAL),
            Cost::Shorter => part(size(0).min(size(1)), TRAVERSAL),
            Cost::SecondList => size(1),
            Cost::Pattern => part(size(0) + 1, TRAVERSAL).saturating_mul(part(size(1), REGEX)),
            Cost::Search => part(size(0), TRAVERSAL).saturating_mul(part(size(1), TRAVERSAL)),
            Cost::Networks { whole, read } => {
                let own = part(2 * size(0), TRAVERSAL);
                let mask = if whole {
                    part(size(0), TRAVERSAL) + 1
                } else {
                    0
                };
                own + mask + if read { part(size(1), TRAVERSAL) } else { 0 }
            }
            Cost::Form => match arguments.first() {
                Some(CelValue::Kubernetes(value)) => match &**value {
                    Kubernetes::Format(name) => {
                        let regex = u64::from(forms::regex_size(name));
                        part(size(1) + 1, TRAVERSAL).saturating_mul(part(regex, REGEX))
                    }
                    _ => 1,
                },
                _ => 1,
            },
            Cost::NewList => result() + 1 + LIST,
            Cost::Flat => {
                let levels = match arguments.get(1) {
                    Some(CelValue::Int(levels)) => u64::try_from(*levels).unwrap_or(0),
                    _ => 1,
                };
                size(0).saturating_mul(levels).saturating_add(1 + LIST)
            }
            Cost::Square(at) => square(arguments.get(at)),
            Cost::Sets(times) => size(0).saturating_mul(size(1)).saturating_mul(times) + 1,
        }
    }
}

#[allow(
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    clippy::cast_precision_loss
)]
fn part_times(size: u64, times: f64) -> u64 {
    (size as f64 * times * TRAVERSAL).ceil() as u64
}

#[allow(
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    clippy::cast_precision_loss
)]
fn square(list: Option<&CelValue<'_>>) -> u64 {
    let size = list.map_or(1, CelValue::weight);
    let first = list.and_then(CelValue::first_item).flatten();
    let factor = match first {
        Some(CelValue::Text(_) | CelValue::Bytes(_)) => 2.0 + TRAVERSAL,
        _ => 2.0,
    };
    (size.saturating_mul(size) as f64 * factor) as u64 + 1 + LIST
}

/// All texts within a value at a tenth of their bytes, all other scalars at one.
#[allow(
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    clippy::cast_precision_loss
)]
fn traversal(value: &CelValue<'_>) -> u64 {
    if let Some(items) = value.items() {
        return items.iter().map(traversal).sum();
    }
    if let Some(keys) = value.keys() {
        let entry =
            |key: &CelValue<'_>| traversal(key) + value.lookup(key).map_or(1, |of| traversal(&of));
        return keys.iter().map(entry).sum();
    }
    match value {
        CelValue::Text(text) => (text.as_str().len() as f64 * TRAVERSAL) as u64,
        CelValue::Bytes(bytes) => (bytes.len() as f64 * TRAVERSAL) as u64,
        _ => 1,
    }
}
