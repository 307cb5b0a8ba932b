//! Judges a tree by a rule.

use std::borrow::Cow;

use serde_json::Value as Json;

use super::{Additional, SchemaRule, SchemaSet, Types};
use crate::hole::HoleType;
use crate::records::{Recorder, WalkTurn};
use crate::scalars::{check_format, expected_form};
use crate::schema::Minor;
use crate::view::{FieldView, Shape, View};
use tenantry_syntax::yaml::{NodeId, Path, PathStep};

/// How strictly a tree is judged.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Strictness {
    /// A whole document: what is required must be there.
    Whole,
    /// A layer of values: it may leave out or remove (`null`) what another layer sets.
    Partial,
}

/// What a value does wrong.
#[derive(Clone, Debug, PartialEq)]
pub enum SchemaProblem {
    /// A field that is not known; those that are.
    UnknownField(String, Vec<String>),
    /// A field that only other versions of Kubernetes have.
    OtherVersion {
        /// The field.
        field: String,
        /// The first version that has it; 0 if it was always there.
        since: Minor,
        /// The first version that no longer has it.
        removed: Option<Minor>,
    },
    /// A field that must be there; what it is for.
    MissingField(String, String),
    /// A value of another type.
    WrongType {
        /// The types that are allowed, for people.
        expected: String,
        /// What was found, for people.
        found: &'static str,
        /// What a text should look like here, if it has a form.
        form: Option<&'static str>,
    },
    /// A value that is not among those allowed.
    NotAllowed(String, Vec<String>),
    /// A text of the wrong form; what it should look like.
    Malformed(String, String),
    /// A number, length or count out of range; what it should be.
    OutOfRange(String),
}

/// A problem and its place.
#[derive(Clone, Debug)]
pub struct Violation<'a> {
    /// The way from the root; for an unknown field, to the field itself.
    pub path: Path,
    /// The place; for a missing field, the map that lacks it.
    pub view: View<'a>,
    /// The key of an unknown field, when it was read from the input.
    pub key: Option<NodeId>,
    /// What is wrong.
    pub problem: SchemaProblem,
}

/// All violations of a rule, in the order of the tree.
pub fn check<'a>(
    view: View<'a>,
    rule: &SchemaRule,
    set: &SchemaSet,
    mode: Strictness,
) -> Vec<Violation<'a>> {
    judge(view, rule, set, mode, None)
}

/// All violations of an object in a version of Kubernetes, which may lack fields that others have.
pub fn check_as_of<'a>(
    view: View<'a>,
    rule: &SchemaRule,
    set: &SchemaSet,
    minor: Minor,
) -> Vec<Violation<'a>> {
    judge(view, rule, set, Strictness::Whole, Some(minor))
}

fn judge<'a>(
    view: View<'a>,
    rule: &SchemaRule,
    set: &SchemaSet,
    mode: Strictness,
    minor: Option<Minor>,
) -> Vec<Violation<'a>> {
    let mut judge = SchemaCheck::new(set, mode, minor);
    judge.value(view, rule);
    judge.found
}

pub(super) struct SchemaCheck<'a, 's> {
    pub(super) set: &'s SchemaSet,
    mode: Strictness,
    minor: Option<Minor>,
    path: Vec<PathStep>,
    pub(super) found: Vec<Violation<'a>>,
    /// How often rules were applied, and how deep: schemas may refer to themselves.
    steps: usize,
    depth: usize,
    /// Who records the walk. The only work is to judge a value by its rule.
    pub(super) recorder: Option<Recorder<'a, ()>>,
}

/// Most rules that are applied to one document, and deepest nesting of them.
const MAX_STEPS: usize = 4_000_000;
const MAX_DEPTH: usize = 200;

impl<'a, 's> SchemaCheck<'a, 's> {
    pub(super) fn new(
        set: &'s SchemaSet,
        mode: Strictness,
        minor: Option<Minor>,
    ) -> SchemaCheck<'a, 's> {
        SchemaCheck {
            set,
            mode,
            minor,
            path: Vec::new(),
            found: Vec::new(),
            steps: 0,
            depth: 0,
            recorder: None,
        }
    }

    fn report(&mut self, view: View<'a>, problem: SchemaProblem) {
        self.found.push(Violation {
            path: Path(self.path.clone()),
            view,
            key: None,
            problem,
        });
    }

    pub(super) fn value(&mut self, view: View<'a>, rule: &SchemaRule) {
        if self.depth >= MAX_DEPTH || self.steps >= MAX_STEPS {
            return;
        }
        self.steps += 1;
        self.depth += 1;
        self.apply(view, rule);
        self.depth -= 1;
    }

    fn apply(&mut self, view: View<'a>, rule: &SchemaRule) {
        let rule = self.set.follow(rule);
        let kind = view.kind();
        let of = match kind {
            HoleType::Null => Types::NULL,
            HoleType::Bool => Types::BOOLEAN,
            HoleType::Int => Types::INTEGER,
            // JSON has one kind of number: 2.0 is an integer.
            HoleType::Float => match view.shape() {
                Shape::Float(number) if number.fract() == 0.0 => Types::INTEGER,
                _ => Types::NUMBER,
            },
            HoleType::Text => Types::STRING,
            HoleType::List => Types::ARRAY,
            HoleType::Map => Types::OBJECT,
        };
        if !rule.types.allows(of) {
            let form = rule.format.as_deref().and_then(expected_form);
            self.report(
                view,
                SchemaProblem::WrongType {
                    expected: rule.types.expected(),
                    found: view.shape().kind_name(),
                    form,
                },
            );
            return;
        }
        if !rule.allowed.is_empty() {
            let shape = view.shape();
            let mut allowed = rule.allowed.iter();
            if !allowed.any(|allowed| same(allowed, &shape, view)) {
                let allowed = rule.allowed.iter().map(plain).collect();
                self.report(view, SchemaProblem::NotAllowed(describe(&shape), allowed));
                return;
            }
        }
        let is_bounded = rule.format.is_some() || rule.pattern.is_some() || rule.limits.is_some();
        match kind {
            HoleType::List => self.list(view, rule),
            HoleType::Map => self.map(view, rule),
            // A value is read only if something depends on it.
            HoleType::Text | HoleType::Int | HoleType::Float if is_bounded => match view.shape() {
                Shape::Text(text) => self.text(view, &text, rule),
                Shape::Int(number) => {
                    #[allow(clippy::cast_precision_loss, reason = "bounds are small")]
                    self.number(view, number as f64, rule);
                }
                Shape::Float(number) => self.number(view, number, rule),
                _ => {}
            },
            HoleType::Null | HoleType::Bool | HoleType::Text | HoleType::Int | HoleType::Float => {}
        }
        for (at, part) in rule.all_of.iter().enumerate() {
            self.inside(view, part, || WalkTurn::Rule(at));
        }
        if !rule.any_of.is_empty() {
            self.any(view, &rule.any_of);
        }
    }

    /// One of several rules must hold; if none does, the nearest one tells why.
    fn any(&mut self, view: View<'a>, choices: &[SchemaRule]) {
        let mut best: Option<Vec<Violation<'a>>> = None;
        for choice in choices {
            let mut judge = SchemaCheck::new(self.set, self.mode, self.minor);
            judge.path.clone_from(&self.path);
            (judge.steps, judge.depth) = (self.steps, self.depth);
            judge.value(view, choice);
            self.steps = judge.steps;
            if judge.found.is_empty() {
                return;
            }
            let rank = |found: &[Violation<'a>]| {
                (
                    found
                        .iter()
                        .any(|one| matches!(one.problem, SchemaProblem::WrongType { .. })),
                    found.len(),
                )
            };
            if best
                .as_ref()
                .is_none_or(|best| rank(&judge.found) < rank(best))
            {
                best = Some(judge.found);
            }
        }
        self.found.extend(best.unwrap_or_default());
    }

    fn text(&mut self, view: View<'a>, text: &str, rule: &SchemaRule) {
        if let Some(format) = &rule.format
            && let Err(expected) = check_format(format, text)
        {
            return self.report(
                view,
                SchemaProblem::Malformed(format!("`{text}`"), expected),
            );
        }
        if let Some(pattern) = &rule.pattern
            && !pattern.is_match(text)
        {
            let form = rule
                .format
                .as_deref()
                .and_then(expected_form)
                .map(str::to_owned);
            let expected = form.unwrap_or_else(|| format!("text of the form `{pattern}`"));
            return self.report(
                view,
                SchemaProblem::Malformed(format!("`{text}`"), expected),
            );
        }
        self.count(view, text.chars().count(), "characters", rule);
    }

    fn number(&mut self, view: View<'a>, number: f64, rule: &SchemaRule) {
        match rule.format.as_deref() {
            Some("int32") if !(-2_147_483_648.0..=2_147_483_647.0).contains(&number) => {
                return self.report(
                    view,
                    SchemaProblem::OutOfRange("a whole number of 32 bits".to_owned()),
                );
            }
            Some("quantity") if number < 0.0 => {
                return self.report(
                    view,
                    SchemaProblem::OutOfRange("an amount that is not negative".to_owned()),
                );
            }
            _ => {}
        }
        let Some(limits) = &rule.limits else { return };
        let low = limits.minimum.is_some_and(|minimum| number < minimum);
        let high = limits.maximum.is_some_and(|maximum| number > maximum);
        if low || high {
            let expected = match (limits.minimum, limits.maximum) {
                (Some(minimum), Some(maximum)) => format!("from {minimum} to {maximum}"),
                (Some(minimum), None) => format!("{minimum} or more"),
                (None, Some(maximum)) => format!("at most {maximum}"),
                (None, None) => return,
            };
            self.report(view, SchemaProblem::OutOfRange(expected));
        }
    }

    fn count(&mut self, view: View<'a>, count: usize, unit: &str, rule: &SchemaRule) {
        let Some(limits) = &rule.limits else { return };
        if limits.min_length.is_some_and(|least| count < least) {
            let least = limits.min_length.unwrap_or(0);
            self.report(
                view,
                SchemaProblem::OutOfRange(format!("at least {least} {}", singular(unit, least))),
            );
        } else if limits.max_length.is_some_and(|most| count > most) {
            let most = limits.max_length.unwrap_or(0);
            self.report(
                view,
                SchemaProblem::OutOfRange(format!(
                    "at most {most} {}, not {count}",
                    singular(unit, most)
                )),
            );
        }
    }

    fn list(&mut self, view: View<'a>, rule: &SchemaRule) {
        let items = view.items();
        self.count(view, items.len(), "items", rule);
        if let Some(item_rule) = &rule.items {
            for (index, item) in items.into_iter().enumerate() {
                self.path.push(PathStep::Index(index));
                self.inside(item, item_rule, || WalkTurn::Item(index));
                self.path.pop();
            }
        }
    }

    /// Whether the version that is judged by has a field.
    fn is_there(&self, property: &SchemaRule) -> bool {
        let (history, minor) = (property.history, self.minor);
        match minor {
            Some(minor) => {
                history.since <= minor && history.removed.is_none_or(|removed| minor < removed)
            }
            None => history.removed.is_none(),
        }
    }

    /// Reports a field that must not be there.
    fn refuse(&mut self, field: FieldView<'a>, problem: SchemaProblem) {
        let mut path = self.path.clone();
        path.push(PathStep::from(&*field.key));
        self.found.push(Violation {
            path: Path(path),
            view: field.value,
            key: field.key_id.is_input().then_some(field.key_id),
            problem,
        });
    }

    fn map(&mut self, view: View<'a>, rule: &SchemaRule) {
        if rule.properties.is_empty()
            && matches!(rule.additional, Additional::Any)
            && rule.required.is_empty()
        {
            return;
        }
        let fields = view.fields();
        if rule.limits.is_some() {
            self.count(view, view.written_entries(), "entries", rule);
        }
        for required in &rule.required {
            if self.mode == Strictness::Whole
                && !fields.iter().any(|field| *field.key == **required)
            {
                let purpose = rule
                    .property(required)
                    .map_or("", |rule| rule.description.as_str());
                self.report(
                    view,
                    SchemaProblem::MissingField(required.to_string(), purpose.to_owned()),
                );
            }
        }
        // A field without a value counts for nothing, but a name that is not known is a mistake.
        let empty = match view {
            View::Node { node, within: None } => node.entries(),
            _ => &[],
        };
        let empty = empty
            .iter()
            .filter(|entry| entry.value.is_null())
            .map(|entry| FieldView {
                key: Cow::Borrowed(&*entry.key),
                key_id: entry.key_id,
                value: View::of(&entry.value),
            });
        let empty = empty.filter(|field| {
            rule.property(&field.key).is_none() && matches!(rule.additional, Additional::No)
        });
        for field in fields.into_iter().chain(empty) {
            let inner = match (rule.property(&field.key), &rule.additional) {
                (Some(property), _) if self.is_there(property) => Some(property),
                (Some(property), _) => {
                    let problem = SchemaProblem::OtherVersion {
                        field: field.key.to_string(),
                        since: property.history.since,
                        removed: property.history.removed,
                    };
                    self.refuse(field, problem);
                    continue;
                }
                (None, Additional::Rule(rule)) => Some(&**rule),
                (None, Additional::Any) => None,
                (None, Additional::No) => {
                    let known = rule
                        .properties
                        .iter()
                        .filter(|(_, property)| self.is_there(property))
                        .map(|(name, _)| name.to_string())
                        .collect();
                    let problem = SchemaProblem::UnknownField(field.key.to_string(), known);
                    self.refuse(field, problem);
                    continue;
                }
            };
            if let Some(inner) = inner {
                self.path.push(PathStep::from(&*field.key));
                self.inside(field.value, inner, || WalkTurn::Field((*field.key).into()));
                self.path.pop();
            }
        }
    }
}

fn same(allowed: &Json, shape: &Shape<'_>, view: View<'_>) -> bool {
    match (allowed, shape) {
        (Json::String(allowed), Shape::Text(text)) => allowed == text,
        (Json::String(_), _) | (_, Shape::Text(_)) => false,
        (allowed, _) => *allowed == view.to_json(),
    }
}

fn plain(json: &Json) -> String {
    json.as_str()
        .map_or_else(|| json.to_string(), str::to_owned)
}

fn describe(shape: &Shape<'_>) -> String {
    match shape {
        Shape::Text(text) => format!("`{text}`"),
        Shape::Int(number) => format!("`{number}`"),
        Shape::Float(number) => format!("`{number}`"),
        Shape::Bool(value) => format!("`{value}`"),
        other => other.kind_name().to_owned(),
    }
}

fn singular(unit: &str, count: usize) -> &str {
    match (unit, count) {
        ("entries", 1) => "entry",
        (unit, 1) => unit.strip_suffix('s').unwrap_or(unit),
        (unit, _) => unit,
    }
}
