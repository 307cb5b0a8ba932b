//! Violations in the words of users.

use super::{SchemaProblem, Violation};
use tenantry_syntax::diagnostics::catalogue::validate as codes;
use tenantry_syntax::diagnostics::{Code, Diagnostic, suggest};

impl SchemaProblem {
    /// The code of this problem in a document of ours.
    pub fn code(&self) -> Code {
        match self {
            SchemaProblem::UnknownField(..) | SchemaProblem::OtherVersion { .. } => {
                codes::UNKNOWN_FIELD
            }
            SchemaProblem::MissingField(..) => codes::MISSING_FIELD,
            SchemaProblem::WrongType { .. } => codes::WRONG_TYPE,
            SchemaProblem::NotAllowed(..) => codes::NOT_ONE_OF,
            SchemaProblem::Malformed(..) => codes::MALFORMED,
            SchemaProblem::OutOfRange(..) => codes::OUT_OF_RANGE,
        }
    }
}

impl Violation<'_> {
    /// A finding without a place: what is wrong and what to write instead.
    pub fn describe(&self, code: Code) -> Diagnostic {
        let path = self.path.to_string();
        match &self.problem {
            SchemaProblem::UnknownField(name, known) => {
                let diagnostic = Diagnostic::new(code, format!("unknown field `{name}`"));
                match suggest(name, known.iter().map(String::as_str)) {
                    Some(help) => diagnostic.help(help),
                    None => diagnostic
                        .help("remove it; `tenantry explain` lists the fields of each kind"),
                }
            }
            SchemaProblem::OtherVersion {
                field,
                since,
                removed,
            } => match removed {
                Some(removed) => Diagnostic::new(
                    code,
                    format!("`{path}` was removed in Kubernetes 1.{removed}"),
                )
                .help(format!("remove `{field}`")),
                None => Diagnostic::new(code, format!("`{path}` needs Kubernetes 1.{since}"))
                    .help(format!("remove `{field}`, or upgrade the cluster first")),
            },
            SchemaProblem::MissingField(name, purpose) => {
                let of = if path.is_empty() {
                    String::new()
                } else {
                    format!(" in `{path}`")
                };
                let purpose = purpose
                    .split(". ")
                    .next()
                    .unwrap_or_default()
                    .trim_end_matches('.');
                let purpose = if purpose.is_empty() {
                    String::new()
                } else {
                    format!(": {}", lower_first(purpose))
                };
                Diagnostic::new(code, format!("`{name}` is missing{of}"))
                    .help(format!("add `{name}`{purpose}"))
            }
            SchemaProblem::WrongType {
                expected,
                found,
                form,
            } => {
                let diagnostic = Diagnostic::new(
                    code,
                    format!("`{path}` should be {expected}, and is {found}"),
                );
                diagnostic.help(match form {
                    Some(form) => format!("write {form}"),
                    None => retype(expected, found, &self.view.text().unwrap_or_default()),
                })
            }
            SchemaProblem::NotAllowed(found, allowed) => {
                let wanted = found.trim_matches('`');
                let help = match suggest(wanted, allowed.iter().map(String::as_str)) {
                    Some(help) => help,
                    None => format!(
                        "write one of {}",
                        tenantry_syntax::diagnostics::list_names(
                            allowed.iter().map(String::as_str)
                        )
                    ),
                };
                Diagnostic::new(code, format!("`{path}` cannot be {found}")).help(help)
            }
            SchemaProblem::Malformed(found, expected) => {
                Diagnostic::new(code, format!("`{path}` is malformed: {found}"))
                    .help(format!("write {expected}"))
            }
            SchemaProblem::OutOfRange(expected) => Diagnostic::new(
                code,
                format!("`{path}` is out of range: it should be {expected}"),
            )
            .help(format!("write {expected}")),
        }
    }
}

/// How to turn what was found into what is expected.
fn retype(expected: &str, found: &str, text: &str) -> String {
    match (expected, found) {
        ("text", "a whole number" | "a number" | "true or false") => {
            "put the value in quotes".to_owned()
        }
        ("true or false", "text") => "write `true` or `false`, without quotes".to_owned(),
        ("a whole number" | "a number", "text") if text.parse::<f64>().is_ok() => {
            "write the number without quotes".to_owned()
        }
        ("a whole number" | "a number", "text") => format!("write {expected}, without a unit"),
        ("a list", _) => "write a list: each item on a line that starts with `- `".to_owned(),
        ("a map", "a list") => "write `key: value` lines, without the leading `- `".to_owned(),
        ("a map", _) => "write `key: value` lines, indented below it".to_owned(),
        (expected, _) => format!("write {expected}"),
    }
}

fn lower_first(text: &str) -> String {
    let mut chars = text.chars();
    chars
        .next()
        .map(|first| first.to_lowercase().chain(chars).collect())
        .unwrap_or_default()
}
