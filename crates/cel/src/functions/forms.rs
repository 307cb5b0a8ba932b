//! Named forms of text, such as DNS labels, with what the API server says of a text that is not of the form.
//! <https://kubernetes.io/docs/reference/using-api/cel/#kubernetes-format-library>

use std::sync::Arc;

use super::{Function, global, guarded, method, mismatch, text_of};
use crate::Evaluated;
use crate::types::Sig::{self, Text};
use crate::value::time::Time;
use crate::value::{CelValue, Kubernetes};

const FORMAT: Sig = Sig::Named("kubernetes.NamedFormat");

/// Each form is a function of its name, and known to `format.named`.
macro_rules! forms {
    ($($name:literal $regex:literal),* $(,)?) => {
        /// The functions of this library.
        pub const TABLE: &[Function] = &[
            guarded("format.named", &[global("format-named", &[Text], Sig::Optional(&FORMAT), 31, named)]),
            $(guarded(concat!("format.", $name), &[global(concat!("format.", $name), &[], FORMAT, 31, |_| form($name))]),)*
            guarded("validate", &[method("format-validate", &[FORMAT, Text], Sig::Optional(&Sig::List(&Text)), 31, validate)]),
        ];
        const FORMS: &[(&str, u32)] = &[$(($name, $regex)),*];
    };
}

// The number is the size of the regular expression that the API server charges for.
forms!(
    "dns1123Label" 30,
    "dns1123Subdomain" 60,
    "dns1035Label" 30,
    "dns1123LabelPrefix" 30,
    "dns1123SubdomainPrefix" 60,
    "dns1035LabelPrefix" 30,
    "qualifiedName" 60,
    "labelValue" 40,
    "uri" 1103,
    "uuid" 71,
    "byte" 84,
    "date" 71,
    "datetime" 71,
);

/// The size of the regular expression that stands for a form in costs.
pub fn regex_size(name: &str) -> u32 {
    FORMS
        .iter()
        .find(|(known, _)| *known == name)
        .map_or(0, |(_, size)| *size)
}

#[allow(clippy::unnecessary_wraps, reason = "has the type of Call")]
fn form<'a>(name: &'static str) -> Evaluated<'a> {
    Ok(CelValue::Kubernetes(Arc::new(Kubernetes::Format(name))))
}

fn named<'a>(arguments: &[CelValue<'a>]) -> Evaluated<'a> {
    let name = text_of("format.named", arguments, 0)?;
    match FORMS.iter().find(|(known, _)| *known == name) {
        Some((known, _)) => Ok(CelValue::some(form(known)?)),
        None => Ok(CelValue::Optional(None)),
    }
}

/// Nothing when the text has the form, else what is wrong with it.
fn validate<'a>(arguments: &[CelValue<'a>]) -> Evaluated<'a> {
    let Some(CelValue::Kubernetes(value)) = arguments.first() else {
        return Err(mismatch("validate", arguments));
    };
    let Kubernetes::Format(name) = &**value else {
        return Err(mismatch("validate", arguments));
    };
    let problems = problems(name, text_of("validate", arguments, 1)?);
    Ok(if problems.is_empty() {
        CelValue::Optional(None)
    } else {
        CelValue::some(CelValue::list(
            problems.into_iter().map(CelValue::text).collect(),
        ))
    })
}

const LABEL: &str = "[a-z0-9]([-a-z0-9]*[a-z0-9])?";
const SUBDOMAIN: &str = "[a-z0-9]([-a-z0-9]*[a-z0-9])?(\\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*";
const OLD_LABEL: &str = "[a-z]([-a-z0-9]*[a-z0-9])?";
const NAME: &str = "([A-Za-z0-9][-A-Za-z0-9_.]*)?[A-Za-z0-9]";

fn is_label(text: &str) -> bool {
    let alphanumeric = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit();
    text.chars().all(|c| alphanumeric(c) || c == '-')
        && text.starts_with(alphanumeric)
        && text.ends_with(alphanumeric)
}

fn is_subdomain(text: &str) -> bool {
    text.split('.').all(is_label)
}

/// A name as labels have it after their prefix.
fn is_name(text: &str) -> bool {
    let alphanumeric = |c: char| c.is_ascii_alphanumeric();
    text.chars().all(|c| alphanumeric(c) || "-_.".contains(c))
        && text.starts_with(alphanumeric)
        && text.ends_with(alphanumeric)
}

fn too_long(text: &str, most: usize) -> Option<String> {
    (text.len() > most).then(|| format!("must be no more than {most} bytes"))
}

/// As the API server writes it, with its commas.
fn unlike(what: &str, examples: &[&str], regex: &str) -> String {
    let examples: Vec<String> = examples
        .iter()
        .map(|example| format!("'{example}', "))
        .collect();
    format!(
        "{what} (e.g. {}regex used for validation is '{regex}')",
        examples.join(" or ")
    )
}

fn label_problems(text: &str) -> Vec<String> {
    let mut problems: Vec<String> = too_long(text, 63).into_iter().collect();
    if !is_label(text) {
        problems.push(if is_subdomain(text) {
            "must not contain dots".to_owned()
        } else {
            unlike(
                "a lowercase RFC 1123 label must consist of lower case alphanumeric characters or '-', and must start and end with an alphanumeric character",
                &["my-name", "123-abc"],
                LABEL,
            )
        });
    }
    problems
}

fn subdomain_problems(text: &str) -> Vec<String> {
    let mut problems: Vec<String> = too_long(text, 253).into_iter().collect();
    if !is_subdomain(text) {
        problems.push(unlike(
            "a lowercase RFC 1123 subdomain must consist of lower case alphanumeric characters, '-' or '.', and must start and end with an alphanumeric character",
            &["example.com"],
            SUBDOMAIN,
        ));
    }
    problems
}

fn old_label_problems(text: &str) -> Vec<String> {
    let mut problems: Vec<String> = too_long(text, 63).into_iter().collect();
    if !(is_label(text) && text.starts_with(|c: char| c.is_ascii_lowercase())) {
        problems.push(unlike(
            "a DNS-1035 label must consist of lower case alphanumeric characters or '-', start with an alphabetic character, and end with an alphanumeric character",
            &["my-name", "abc-123"],
            OLD_LABEL,
        ));
    }
    problems
}

fn qualified_name_problems(text: &str) -> Vec<String> {
    let form = unlike(
        "must consist of alphanumeric characters, '-', '_' or '.', and must start and end with an alphanumeric character",
        &["MyName", "my.name", "123-abc"],
        NAME,
    );
    let mut problems = Vec::new();
    let name = match text.split('/').collect::<Vec<_>>().as_slice() {
        [name] => *name,
        [prefix, name] => {
            if prefix.is_empty() {
                problems.push("prefix part must be non-empty".to_owned());
            } else {
                let found = subdomain_problems(prefix).into_iter();
                problems.extend(found.map(|problem| format!("prefix part {problem}")));
            }
            *name
        }
        _ => {
            return vec![format!(
                "a valid label key {form} with an optional DNS subdomain prefix and '/' (e.g. 'example.com/MyName')"
            )];
        }
    };
    if name.is_empty() {
        problems.push("name part must be non-empty".to_owned());
    }
    problems.extend(too_long(name, 63).map(|problem| format!("name part {problem}")));
    if !is_name(name) {
        problems.push(format!("name part {form}"));
    }
    problems
}

fn label_value_problems(text: &str) -> Vec<String> {
    let mut problems: Vec<String> = too_long(text, 63).into_iter().collect();
    if !(text.is_empty() || is_name(text)) {
        problems.push(unlike(
            "a valid label must be an empty string or consist of alphanumeric characters, '-', '_' or '.', and must start and end with an alphanumeric character",
            &["MyValue", "my_value", "12345"],
            &format!("({NAME})?"),
        ));
    }
    problems
}

/// What stands for the random suffix of a generated name: the server puts it over the last two characters.
fn completed(text: &str) -> String {
    match text.strip_suffix('-') {
        Some(rest) if !rest.is_empty() => {
            let mut characters: Vec<char> = rest.chars().collect();
            characters.pop();
            characters.into_iter().collect::<String>() + "a"
        }
        _ => text.to_owned(),
    }
}

fn is_date(text: &str) -> bool {
    text.len() == 10 && Time::parse(&format!("{text}T00:00:00Z")).is_some()
}

/// A date, `t`, and a time of day with an offset.
fn is_datetime(text: &str) -> bool {
    let lower = text.to_lowercase();
    let parts: Vec<&str> = lower.split('t').collect();
    let [date, time, ..] = parts.as_slice() else {
        return false;
    };
    is_date(date) && is_time_of_day(time)
}

fn is_time_of_day(text: &str) -> bool {
    let bytes = text.as_bytes();
    let two = |at: usize| {
        let digits = text
            .get(at..at + 2)
            .filter(|part| part.bytes().all(|b| b.is_ascii_digit()));
        digits.and_then(|digits| digits.parse::<u32>().ok())
    };
    let (Some(hour), Some(minute), Some(second)) = (two(0), two(3), two(6)) else {
        return false;
    };
    let mut rest = match text.get(8..) {
        Some(rest) if bytes[2] == b':' && bytes[5] == b':' => rest,
        _ => return false,
    };
    // The API server's pattern takes any character for the point.
    let after = rest.chars().next().map_or(0, char::len_utf8);
    let digits = rest[after..].bytes().take_while(u8::is_ascii_digit).count();
    let is_offset = |rest: &str| {
        rest == "z"
            || rest.len() == 6
                && rest.starts_with(['+', '-'])
                && rest.as_bytes()[3] == b':'
                && rest
                    .bytes()
                    .enumerate()
                    .all(|(at, b)| at == 0 || at == 3 || b.is_ascii_digit())
    };
    if !is_offset(rest) && digits > 0 {
        rest = &rest[after + digits..];
    }
    is_offset(rest) && hour <= 23 && minute <= 59 && second <= 59
}

fn is_base64(text: &str) -> bool {
    let bare = text.trim_end_matches('=');
    !text.is_empty()
        && text.len().is_multiple_of(4)
        && bare.len() + 2 >= text.len()
        && bare
            .bytes()
            .all(|b| b.is_ascii_alphanumeric() || b == b'+' || b == b'/')
}

fn is_uuid(text: &str) -> bool {
    let mut rest = text;
    for (at, length) in [8, 4, 4, 4, 12].into_iter().enumerate() {
        if at > 0 {
            rest = rest.strip_prefix('-').unwrap_or(rest);
        }
        match rest.get(..length) {
            Some(part) if part.bytes().all(|b| b.is_ascii_hexdigit()) => rest = &rest[length..],
            _ => return false,
        }
    }
    rest.is_empty()
}

fn problems(form: &str, text: &str) -> Vec<String> {
    let unless = |good: bool, problem: &str| {
        if good {
            Vec::new()
        } else {
            vec![problem.to_owned()]
        }
    };
    match form {
        "dns1123Label" => label_problems(text),
        "dns1123Subdomain" => subdomain_problems(text),
        "dns1035Label" => old_label_problems(text),
        "dns1123LabelPrefix" => label_problems(&completed(text)),
        "dns1123SubdomainPrefix" => subdomain_problems(&completed(text)),
        "dns1035LabelPrefix" => old_label_problems(&completed(text)),
        "qualifiedName" => qualified_name_problems(text),
        "labelValue" => label_value_problems(text),
        "uri" => crate::value::url::request_error(text).into_iter().collect(),
        "uuid" => unless(is_uuid(text), "does not match the UUID format"),
        "byte" => unless(is_base64(text), "invalid base64"),
        "date" => unless(is_date(text), "invalid date"),
        _ => unless(is_datetime(text), "invalid datetime"),
    }
}
