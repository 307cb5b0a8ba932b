//! Evaluates expressions.

mod slices;

use slices::sliced;
use std::sync::Arc;

use super::filters;
use super::run::{LocalValue, LoopTurn, TemplateRun};
use super::syntax::{CallArguments, Expression, ExpressionKind};
use super::trace::{LookDepth, Own, StepOperation};
use super::value::{Data, Term, TracedValue, ValueType};
use super::{TemplateError, foreign};

/// Arguments by name.
type NamedArguments = Vec<(Arc<str>, TracedValue)>;

static NOT: Own = Own {
    name: "not",
    reach: LookDepth::Whole,
    apply: |arguments| Ok(Data::Bool(!arguments.first().is_some_and(Data::is_true))),
};
static NEGATIVE: Own = Own {
    name: "negative",
    reach: LookDepth::Whole,
    apply: |arguments| match arguments {
        [Data::Int(number)] => number
            .checked_neg()
            .map(Data::Int)
            .ok_or_else(|| "the number is too large".to_owned()),
        [Data::Float(number)] => Ok(Data::Float(-number)),
        _ => Err("only numbers have a negative".to_owned()),
    },
};
static CONCATENATION: Own = Own {
    name: "concatenation",
    reach: LookDepth::Whole,
    apply: |arguments| {
        let mut text = String::new();
        for argument in arguments {
            if matches!(argument, Data::Markup(_) | Data::Local(_)) {
                foreign::of(argument)?;
            }
            text.push_str(&argument.to_text());
            if text.len() > foreign::MAX_MADE {
                return Err("this would make more than 1 MiB of text".to_owned());
            }
        }
        Ok(text.into())
    },
};
static SLICE: Own = Own {
    name: "slice",
    reach: LookDepth::Whole,
    apply: |arguments| match arguments {
        [Data::Text(text), bounds @ ..] => {
            let characters: Vec<char> = text.chars().collect();
            let at = sliced(characters.len(), bounds)?;
            Ok(at
                .into_iter()
                .map(|at| characters[at])
                .collect::<String>()
                .into())
        }
        _ => Err("only lists and texts can be sliced".to_owned()),
    },
};
static DEFINED: Own = Own {
    name: "defined",
    reach: LookDepth::Presence,
    apply: |arguments| Ok(Data::Bool(!matches!(arguments, [Data::Undefined]))),
};
static NONE: Own = Own {
    name: "none",
    reach: LookDepth::Presence,
    apply: |arguments| Ok(Data::Bool(matches!(arguments, [Data::Null]))),
};
static KIND: Own = Own {
    name: "kind",
    reach: LookDepth::Presence,
    apply: |arguments| {
        Ok(arguments
            .first()
            .unwrap_or(&Data::Undefined)
            .kind()
            .name()
            .into())
    },
};
static LENGTH: Own = Own {
    name: "length",
    reach: LookDepth::Outline,
    apply: |arguments| match arguments.first().and_then(Data::length) {
        Some(length) => Ok(length.into()),
        None => Err("only lists, maps and texts have a length".to_owned()),
    },
};

impl TemplateRun<'_> {
    /// The value of an expression.
    pub(super) fn value(&mut self, expression: &Expression) -> Result<TracedValue, TemplateError> {
        self.pay()?;
        self.nested(|run| run.evaluated(expression))
            .map_err(|mut error| {
                error.line = error.line.or(Some(expression.line));
                error
            })
    }

    fn evaluated(&mut self, expression: &Expression) -> Result<TracedValue, TemplateError> {
        match &expression.kind {
            ExpressionKind::Constant(data) => Ok(TracedValue::constant(data.clone())),
            ExpressionKind::Name(name) => Ok(self.named(name)),
            ExpressionKind::Attribute(of, key) => {
                let of = self.value(of)?;
                self.attribute(&of, key)
            }
            ExpressionKind::Index(of, key) => {
                let (of, key) = (self.value(of)?, self.value(key)?);
                self.index(&of, &key)
            }
            ExpressionKind::Slice(parts) => self.slice(parts),
            ExpressionKind::Not(value) => {
                let value = self.value(value)?;
                let truth = self.truth(&value)?;
                self.apply(StepOperation::Own(&NOT), &[&truth])
            }
            ExpressionKind::Negative(value) => {
                let value = self.defined(value)?;
                self.apply(StepOperation::Own(&NEGATIVE), &[&value])
            }
            ExpressionKind::Binary(operator, both) => {
                let (a, b) = (self.defined(&both[0])?, self.defined(&both[1])?);
                if *operator == foreign::Operator::Add
                    && a.data.kind() == ValueType::List
                    && b.data.kind() == ValueType::List
                {
                    let ((mut items, first), (more, second)) = (self.items(&a)?, self.items(&b)?);
                    items.extend(more);
                    return Ok(self.sifted(items, &[first, second]));
                }
                self.apply(StepOperation::Operator(*operator), &[&a, &b])
            }
            ExpressionKind::Compare(first, more) => {
                let mut left = self.defined(first)?;
                let mut by: Vec<Term> = Vec::new();
                let mut result = TracedValue::constant(Data::Bool(true));
                for (operator, next) in more {
                    let right = self.defined(next)?;
                    result = self.apply(StepOperation::Operator(*operator), &[&left, &right])?;
                    if more.len() > 1 {
                        self.trace.guard(&result);
                        by.push(result.term);
                        if !result.data.is_true() {
                            break;
                        }
                    }
                    left = right;
                }
                Ok(self.trace.chosen(result, &by))
            }
            ExpressionKind::Concatenation(both) => {
                let (a, b) = (self.defined(&both[0])?, self.defined(&both[1])?);
                self.apply(StepOperation::Own(&CONCATENATION), &[&a, &b])
            }
            ExpressionKind::And(both) => self.first_that(both, false),
            ExpressionKind::Or(both) => self.first_that(both, true),
            ExpressionKind::If(test, then, otherwise) => {
                let test = self.value(test)?;
                let truth = self.truth(&test)?;
                let value = match (truth.data.is_true(), otherwise) {
                    (true, _) => self.value(then)?,
                    (false, Some(otherwise)) => self.value(otherwise)?,
                    (false, None) => TracedValue::constant(Data::Undefined),
                };
                Ok(self.trace.chosen(value, &[truth.term]))
            }
            ExpressionKind::Filter(name, of, arguments) => {
                let Some(of) = of else {
                    return Err(self.failed("a filter needs a value"));
                };
                let of = self.value(of)?;
                self.filter(name, of, arguments)
            }
            ExpressionKind::Test(name, of, arguments) => {
                let of = self.value(of)?;
                let (positional, _) = self.arguments(arguments)?;
                self.test(name, &of, &positional)
            }
            ExpressionKind::Call(..) => self.call(expression, None),
            ExpressionKind::List(items) => {
                let items: Vec<TracedValue> = items
                    .iter()
                    .map(|item| self.value(item))
                    .collect::<Result<_, _>>()?;
                let list = self.trace.list(items);
                self.bounded(list)
            }
            ExpressionKind::Map(pairs) => self.map(pairs),
        }
    }

    /// A value that must be something.
    fn defined(&mut self, expression: &Expression) -> Result<TracedValue, TemplateError> {
        let value = self.value(expression)?;
        match value.data {
            Data::Undefined => Err(self.undefined()),
            _ => Ok(value),
        }
    }

    /// `and`, `or`: the first value if it decides, else the second.
    fn first_that(
        &mut self,
        both: &[Expression; 2],
        decides: bool,
    ) -> Result<TracedValue, TemplateError> {
        let first = self.value(&both[0])?;
        let truth = self.truth(&first)?;
        if truth.data.is_true() == decides {
            return Ok(first);
        }
        let second = self.value(&both[1])?;
        Ok(self.trace.chosen(second, &[truth.term]))
    }

    fn map(&mut self, pairs: &[(Expression, Expression)]) -> Result<TracedValue, TemplateError> {
        let mut entries: Vec<(Arc<str>, TracedValue)> = Vec::with_capacity(pairs.len());
        for (key, value) in pairs {
            let key = self.defined(key)?;
            if matches!(key.data, Data::Markup(_)) {
                return Err(self.failed("the text of a macro cannot be a key"));
            }
            // What the keys of a map are, the rest depends on.
            self.trace.guard(&key);
            let value = self.value(value)?;
            let value = self.trace.chosen(value, &[key.term]);
            entries.push((key.data.to_text().into(), value));
        }
        let map = self.trace.map(entries);
        self.bounded(map)
    }

    /// `value.key`: of a map, an imported template or a loop.
    pub(super) fn attribute(
        &mut self,
        of: &TracedValue,
        key: &Arc<str>,
    ) -> Result<TracedValue, TemplateError> {
        match &of.data {
            Data::Undefined => return Err(self.undefined()),
            Data::Local(_) => {
                let found = match self.local(of) {
                    Some(LocalValue::Loop(turn)) => self.turn(&turn, key),
                    Some(local) => local.member(key),
                    None => None,
                };
                return Ok(found.unwrap_or_else(|| self.lacking(of, key)));
            }
            // What `groupby` gives is a list of two.
            Data::List(items) if items.len() == 2 && matches!(&**key, "grouper" | "list") => {
                let item = self.item(of, usize::from(&**key == "list"));
                return Ok(item.unwrap_or_else(|| self.lacking(of, key)));
            }
            Data::Map(entries) => {
                let found = entries.iter().find(|(known, _)| known == key);
                if let Some((_, value)) = found
                    && (!value.term.is_constant() || of.term.is_constant())
                {
                    let by = self.trace.choosers(of.term);
                    return Ok(self.trace.chosen(value.clone(), &by));
                }
            }
            _ => {}
        }
        let known = matches!(&of.data, Data::Tree(tree) if tree.knows(key));
        let term = if of.term.is_constant() {
            Term::CONSTANT
        } else {
            self.trace.get(of.term, key, known)
        };
        Ok(match of.data.entry(key) {
            Some(data) => TracedValue { data, term },
            None => TracedValue {
                term,
                ..self.lacking(of, key)
            },
        })
    }

    fn lacking(&mut self, of: &TracedValue, key: &str) -> TracedValue {
        let known = match &of.data {
            Data::Tree(tree) => tree.fields(),
            other => other
                .keys()
                .unwrap_or_default()
                .iter()
                .map(ToString::to_string)
                .collect(),
        };
        self.missing = Some((key.to_owned(), known));
        TracedValue::constant(Data::Undefined)
    }

    /// `value[key]`. The rest depends on what the key is.
    fn index(&mut self, of: &TracedValue, key: &TracedValue) -> Result<TracedValue, TemplateError> {
        if matches!(of.data, Data::Undefined) {
            return Err(self.undefined());
        }
        self.trace.guard(key);
        let number = match &key.data {
            Data::Bool(one) => Some(i64::from(*one)),
            Data::Int(number) => Some(*number),
            #[allow(clippy::cast_possible_truncation, reason = "whole, and saturating")]
            Data::Float(number) if number.fract() == 0.0 => Some(*number as i64),
            _ => None,
        };
        let found = match (&key.data, number) {
            (Data::Undefined, _) => return Err(self.undefined()),
            (_, Some(at)) if of.data.kind() != ValueType::Map => {
                let kind = self.apply(StepOperation::Own(&KIND), &[of])?;
                self.trace.guard(&kind);
                if matches!(of.data.kind(), ValueType::List | ValueType::Text) {
                    let (items, outline) = self.items(of)?;
                    let length = i64::try_from(items.len()).unwrap_or(i64::MAX);
                    let from_end = at < 0;
                    let at = if from_end {
                        at.saturating_add(length)
                    } else {
                        at
                    };
                    let item = usize::try_from(at)
                        .ok()
                        .and_then(|at| items.get(at).cloned());
                    let by = [outline];
                    // From the front, how many there are decides nothing about an item that is there.
                    let by = if from_end { &by[..] } else { &[] };
                    item.map(|item| self.trace.chosen(item, by))
                } else {
                    None
                }
            }
            (Data::Text(key), _) => Some(self.attribute(of, key)?),
            (other, _) => Some(self.attribute(of, &other.to_text().into())?),
        };
        let found = found.unwrap_or_else(|| self.lacking(of, &key.data.to_text()));
        Ok(self.trace.chosen(found, &[key.term]))
    }

    fn slice(&mut self, parts: &[Option<Expression>; 4]) -> Result<TracedValue, TemplateError> {
        let mut values = Vec::with_capacity(4);
        for part in parts {
            values.push(match part {
                Some(part) => self.defined(part)?,
                None => TracedValue::constant(Data::Null),
            });
        }
        if matches!(values[0].data, Data::Text(_)) {
            let values: Vec<&TracedValue> = values.iter().collect();
            return self.apply(StepOperation::Own(&SLICE), &values);
        }
        for bound in &values[1..] {
            self.trace.guard(bound);
        }
        let bounds: Vec<Data> = values[1..].iter().map(|value| value.data.clone()).collect();
        let by: Vec<Term> = values[1..].iter().map(|value| value.term).collect();
        if matches!(values[0].data, Data::Null) {
            return Ok(self
                .trace
                .chosen(TracedValue::constant(Vec::new().into()), &[values[0].term]));
        }
        if values[0].data.kind() != ValueType::List {
            return Err(self.failed(format!("{} cannot be sliced", values[0].data.kind().name())));
        }
        let (items, outline) = self.items(&values[0])?;
        let taken = sliced(items.len(), &bounds).map_err(|message| self.failed(message))?;
        let taken = taken
            .into_iter()
            .map(|at| self.trace.chosen(items[at].clone(), &by));
        let taken = taken.collect();
        Ok(self.sifted(taken, &[outline]))
    }

    /// A list of the items that some values let through.
    pub(super) fn sifted(&mut self, items: Vec<TracedValue>, by: &[Term]) -> TracedValue {
        let list = self.trace.list(items);
        self.trace.sifted(list, by)
    }

    fn turn(&mut self, turn: &LoopTurn, key: &str) -> Option<TracedValue> {
        let count = turn.items.len();
        let data: Data = match key {
            "index" => (turn.at + 1).into(),
            "index0" => turn.at.into(),
            "revindex" => (count - turn.at).into(),
            "revindex0" => (count - turn.at - 1).into(),
            "first" => (turn.at == 0).into(),
            "last" => (turn.at + 1 == count).into(),
            "length" => count.into(),
            "depth" => turn.depth.into(),
            "depth0" => (turn.depth - 1).into(),
            "previtem" | "nextitem" => {
                let at = if key == "previtem" {
                    turn.at.checked_sub(1)
                } else {
                    Some(turn.at + 1)
                };
                let item = at.and_then(|at| turn.items.get(at).cloned());
                let item = item.unwrap_or_else(|| TracedValue::constant(Data::Undefined));
                return Some(self.trace.chosen(item, &turn.by));
            }
            _ => return None,
        };
        Some(self.trace.chosen(TracedValue::constant(data), &turn.by))
    }

    /// Arguments, by position and by name.
    pub(super) fn arguments(
        &mut self,
        arguments: &CallArguments,
    ) -> Result<(Vec<TracedValue>, NamedArguments), TemplateError> {
        let positional = arguments
            .positional
            .iter()
            .map(|value| self.value(value))
            .collect::<Result<_, _>>()?;
        let mut named = Vec::with_capacity(arguments.named.len());
        for (name, value) in &arguments.named {
            named.push((name.clone(), self.value(value)?));
        }
        Ok((positional, named))
    }

    /// A call of a function, a macro or what a loop can do.
    pub(super) fn call(
        &mut self,
        call: &Expression,
        caller: Option<TracedValue>,
    ) -> Result<TracedValue, TemplateError> {
        let ExpressionKind::Call(of, arguments) = &call.kind else {
            return Err(self.failed("this cannot be called"));
        };
        if let ExpressionKind::Name(name) = &of.kind {
            let value = self.named(name);
            if matches!(value.data, Data::Undefined) {
                let (positional, named) = self.arguments(arguments)?;
                return self.function(name, positional, named);
            }
        }
        if let ExpressionKind::Attribute(of, method) = &of.kind {
            let of = self.value(of)?;
            if let Some(LocalValue::Loop(turn)) = self.local(&of) {
                let (positional, _) = self.arguments(arguments)?;
                return self.loop_method(&turn, method, positional);
            }
        }
        let of = self.value(of)?;
        if matches!(of.data, Data::Undefined) {
            return Err(self.undefined());
        }
        let Some(local) = self.local(&of) else {
            return Err(self.failed(format!("{} cannot be called", of.data.kind().name())));
        };
        let (positional, named) = self.arguments(arguments)?;
        self.call_macro(&local, positional, named, caller)
    }

    fn loop_method(
        &mut self,
        turn: &LoopTurn,
        method: &str,
        arguments: Vec<TracedValue>,
    ) -> Result<TracedValue, TemplateError> {
        match method {
            "cycle" if !arguments.is_empty() => Ok(arguments[turn.at % arguments.len()].clone()),
            "changed" => {
                let now = self.trace.list(arguments);
                let before = turn.last.replace(Some(now.clone()));
                let Some(before) = before else {
                    return Ok(TracedValue::constant(Data::Bool(true)));
                };
                self.apply(
                    StepOperation::Operator(foreign::Operator::Unequal),
                    &[&before, &now],
                )
            }
            _ => Err(self.failed(format!("loops have no `{method}(…)`"))),
        }
    }

    fn function(
        &mut self,
        name: &Arc<str>,
        positional: Vec<TracedValue>,
        named: Vec<(Arc<str>, TracedValue)>,
    ) -> Result<TracedValue, TemplateError> {
        match &**name {
            "range" => {
                for bound in &positional {
                    self.trace.guard(bound);
                }
                let by: Vec<Term> = positional.iter().map(|bound| bound.term).collect();
                let bounds: Vec<Data> = positional.into_iter().map(|bound| bound.data).collect();
                let list = filters::range(&bounds).map_err(|message| self.failed(message))?;
                Ok(self.trace.chosen(TracedValue::constant(list), &by))
            }
            "dict" if positional.is_empty() => Ok(self.trace.map(named)),
            _ => {
                let Some(function) = self
                    .functions
                    .iter()
                    .find(|function| function.own.name == &**name)
                else {
                    return Err(self.failed(format!("there is no function `{name}`")));
                };
                if !named.is_empty() {
                    return Err(self.failed(format!("`{name}` takes no arguments by name")));
                }
                let mut all = Vec::new();
                for path in function.reads {
                    let Some((first, rest)) = path.split_first() else {
                        continue;
                    };
                    let missing = self.missing.clone();
                    let mut value = self.named(&Arc::from(*first));
                    for key in rest {
                        if matches!(value.data, Data::Tree(_)) {
                            value = self.attribute(&value, &Arc::from(*key))?;
                        }
                    }
                    self.missing = missing;
                    all.push(value);
                }
                all.extend(positional);
                let all: Vec<&TracedValue> = all.iter().collect();
                self.apply(StepOperation::Own(&function.own), &all)
            }
        }
    }

    /// `value is test(…)`
    pub(super) fn test(
        &mut self,
        name: &str,
        of: &TracedValue,
        arguments: &[TracedValue],
    ) -> Result<TracedValue, TemplateError> {
        let own = match name {
            "defined" => Some(&DEFINED),
            "none" => Some(&NONE),
            _ => None,
        };
        if let Some(own) = own {
            return self.apply(StepOperation::Own(own), &[of]);
        }
        match name {
            "undefined" => {
                let defined = self.apply(StepOperation::Own(&DEFINED), &[of])?;
                return self.apply(StepOperation::Own(&NOT), &[&defined]);
            }
            "mapping" | "sequence" | "string" | "number" | "boolean" | "iterable" => {
                let kind = self.apply(StepOperation::Own(&KIND), &[of])?;
                let test = StepOperation::Test(name.into());
                let passed = test
                    .apply(std::slice::from_ref(&of.data))
                    .map_err(|message| self.failed(message))?;
                self.trace.guard(&kind);
                return Ok(self
                    .trace
                    .chosen(TracedValue::constant(passed), &[kind.term]));
            }
            _ => {}
        }
        if let Some(operator) = filters::operator_of_test(name)
            && let [other] = arguments
        {
            if matches!(of.data, Data::Undefined) || matches!(other.data, Data::Undefined) {
                return Err(self.undefined());
            }
            return self.apply(StepOperation::Operator(operator), &[of, other]);
        }
        let mut all = vec![of];
        all.extend(arguments);
        self.apply(StepOperation::Test(name.into()), &all)
    }

    /// How many items there are.
    pub(super) fn length(&mut self, of: &TracedValue) -> Result<TracedValue, TemplateError> {
        match of.data {
            Data::Undefined => Err(self.undefined()),
            _ => self.apply(StepOperation::Own(&LENGTH), &[of]),
        }
    }
}
