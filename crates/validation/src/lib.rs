//! Validation as the API server does it, from data: `tables/validation/`, one file a type.
//!
//! A file is an overlay on a definition of `schemas/kubernetes.json`, written as a CRD's schema is: keywords of JSON
//! Schema, Kubernetes' extensions, and rules of the Common Expression Language. The same walker runs the rules of
//! CRDs. Definitions are compiled when an object needs them, and a rule when it is first evaluated.
//!
//! * `checks`, `crd`: what the expression language cannot say, by name; `estimates`, `sizes`: what rules of CRDs may cost.
//! * `overlay`: keywords and rules, compiled.
//! * `rule`: one rule of the expression language.
//! * `walk`: judges an object; `keywords`: what needs no expression; `places`: where rules are judged;
//!   `lists`: items that are the same; `replay`: objects of a form that is known.
//! * [`forms`]: named forms of text; `cron`: schedules.
//! * [`admission`]: what admission refuses of pods; `limits`: `LimitRanges` and `ResourceQuotas`.

pub mod admission;
mod checks;
mod crd;
mod cron;
mod entries;
mod estimates;
mod expressions;
pub mod forms;
mod keywords;
mod limits;
mod lists;
mod overlay;
mod places;
mod replay;
mod rule;
mod sizes;
mod structural;
pub mod types;
mod walk;

use tenantry_engine::view::View;
use tenantry_syntax::yaml::{NodeId, Path};

pub use entries::Entries;
pub use overlay::{Overlay, problems};
pub use replay::{ReplayWork, check_manifest};
pub use walk::{KnownKind, RuleSet, check, check_as_of};

/// Why the API server refuses a value: the reasons of its field errors.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum RefusalReason {
    /// The value is malformed or does not fit with others.
    Invalid,
    /// A value is missing.
    Required,
    /// The value must not be there, or must not change.
    Forbidden,
    /// The value is there twice.
    Duplicate,
    /// The value is not one of those that are supported.
    NotSupported,
    /// The text or map is too long.
    TooLong,
    /// The list has too many items.
    TooMany,
    /// What the value refers to is not there.
    NotFound,
}

impl RefusalReason {
    /// The reason of a name such as `FieldValueInvalid` or `Invalid`.
    pub fn parse(name: &str) -> Option<RefusalReason> {
        Some(match name.strip_prefix("FieldValue").unwrap_or(name) {
            "Invalid" => RefusalReason::Invalid,
            "Required" => RefusalReason::Required,
            "Forbidden" => RefusalReason::Forbidden,
            "Duplicate" => RefusalReason::Duplicate,
            "NotSupported" => RefusalReason::NotSupported,
            "TooLong" => RefusalReason::TooLong,
            "TooMany" => RefusalReason::TooMany,
            "NotFound" => RefusalReason::NotFound,
            _ => return None,
        })
    }

    /// What to do about it, where a rule does not say so itself.
    fn help(self) -> &'static str {
        match self {
            RefusalReason::Invalid => "change the value",
            RefusalReason::Required => "add it",
            RefusalReason::Forbidden => "remove it",
            RefusalReason::Duplicate => "remove it, or make it differ",
            RefusalReason::NotSupported => "write one of the supported values",
            RefusalReason::TooLong => "shorten it",
            RefusalReason::TooMany => "remove some",
            RefusalReason::NotFound => "write the name of something that the object has",
        }
    }
}

/// A value that the API server refuses.
#[derive(Clone, Debug)]
pub struct Refusal<'a> {
    /// The field that the API server names.
    pub path: Path,
    /// The way to what a finding points at, where that is another field.
    pub place: Path,
    /// The nearest place that is written.
    pub view: View<'a>,
    /// The key, when the key is refused and was read from the input.
    pub key: Option<NodeId>,
    /// Why.
    pub reason: RefusalReason,
    /// What is wrong, to be said of the field.
    pub says: String,
    /// What to write.
    pub help: String,
    /// The text of the rule, if a rule of the expression language decided.
    pub rule: Option<String>,
}

impl Refusal<'_> {
    /// What is wrong, with the field's name.
    pub fn message(&self) -> String {
        match self.path.0.as_slice() {
            [] => self.says.clone(),
            _ => format!("`{}` {}", self.path, self.says),
        }
    }
}
