//! Evaluates a program on values where they stand.

use std::sync::Arc;

use super::syntax::{Comprehension, Expr, Goes};
use super::value::{Key, Map, Text, Value};
use super::{COST_PER_CALL, Error, Program};
use crate::model::view::View;

/// What the names of the environment stand for.
pub trait Globals<'a> {
    /// The value of a name, by its position in [`super::Names::globals`].
    ///
    /// # Errors
    /// Only the API server knows it.
    fn global(&self, index: usize) -> Result<Value<'a>, Error>;

    /// The value of one of the policy's own variables, evaluated when it is first asked for.
    ///
    /// # Errors
    /// Those of its expression.
    fn variable(&self, index: usize, budget: &mut Budget<'a>) -> Result<Value<'a>, Error>;
}

/// A place that an expression read.
#[derive(Clone, Debug)]
pub struct Read<'a> {
    /// The scalar; or, where a field is missing, the map that it is missing from.
    pub view: View<'a>,
    /// The field that is missing.
    pub missing: Option<Text<'a>>,
}

/// What may still be spent, and what was read.
#[derive(Debug)]
pub struct Budget<'a> {
    left: u64,
    /// What is left of the budget of the policy.
    policy: u64,
    /// What was read, in order, when somebody asked for it.
    pub reads: Option<Vec<Read<'a>>>,
}

impl<'a> Budget<'a> {
    /// The budget of a policy for one object.
    pub fn new() -> Budget<'a> {
        Budget {
            left: COST_PER_CALL,
            policy: super::COST_PER_POLICY,
            reads: None,
        }
    }

    /// Notes what is read.
    #[must_use]
    pub fn noting_reads(mut self) -> Budget<'a> {
        self.reads = Some(Vec::new());
        self
    }

    /// Pays for a step.
    ///
    /// # Errors
    /// Nothing is left.
    pub fn pay(&mut self, cost: u64) -> Result<(), Error> {
        match (self.left.checked_sub(cost), self.policy.checked_sub(cost)) {
            (Some(left), Some(policy)) => {
                (self.left, self.policy) = (left, policy);
                Ok(())
            }
            _ => Err(Error::Cost),
        }
    }

    /// What was spent so far.
    pub fn spent(&self) -> u64 {
        super::COST_PER_POLICY - self.policy
    }

    fn note(&mut self, view: Option<View<'a>>, missing: Option<Text<'a>>) {
        if let (Some(reads), Some(view)) = (&mut self.reads, view) {
            reads.push(Read { view, missing });
        }
    }
}

impl Default for Budget<'_> {
    fn default() -> Self {
        Budget::new()
    }
}

/// Evaluates a program.
///
/// # Errors
/// As Kubernetes has them: a missing key, types that do not fit, a cost that is too high.
pub fn evaluate<'a>(
    program: &'a Program,
    globals: &dyn Globals<'a>,
    budget: &mut Budget<'a>,
) -> Result<Value<'a>, Error> {
    // Each expression has its own budget; a variable's is not its user's.
    let outer = std::mem::replace(&mut budget.left, COST_PER_CALL);
    let mut run = Run {
        globals,
        budget,
        locals: Vec::new(),
    };
    let result = run.evaluate(&program.root);
    budget.left = outer;
    result
}

struct Run<'r, 'a> {
    globals: &'r dyn Globals<'a>,
    budget: &'r mut Budget<'a>,
    locals: Vec<Value<'a>>,
}

impl<'a> Run<'_, 'a> {
    fn evaluate(&mut self, expr: &'a Expr) -> Result<Value<'a>, Error> {
        match expr {
            Expr::Constant(value) => Ok(value.clone()),
            Expr::Local(at) => {
                self.budget.pay(1)?;
                Ok(self.locals.get(*at).cloned().unwrap_or(Value::Null))
            }
            Expr::Global(at) => {
                self.budget.pay(1)?;
                self.globals.global(*at)
            }
            Expr::Variable(at) => {
                self.budget.pay(1)?;
                self.globals.variable(*at, self.budget)
            }
            Expr::Select {
                of,
                field,
                optional,
            } => {
                let of = self.evaluate(of)?;
                self.budget.pay(1)?;
                self.select(&of, &Value::Text(Text::Borrowed(field)), *optional, true)
            }
            Expr::Has { of, field } => {
                // A field of something absent is absent, too, for an optional value.
                let of = self.evaluate(of)?;
                let key = Value::Text(Text::Borrowed(field));
                // What has no fields has none of this name.
                if !of.is_map() && !matches!(of, Value::Optional(_)) {
                    return Ok(Value::Bool(false));
                }
                Ok(Value::Bool(match self.select(&of, &key, true, true)? {
                    Value::Optional(inner) => inner.is_some(),
                    _ => false,
                }))
            }
            Expr::Index {
                of,
                index,
                optional,
            } => {
                let of = self.evaluate(of)?;
                let index = self.evaluate(index)?;
                self.budget.pay(1)?;
                self.select(&of, &index, *optional, false)
            }
            Expr::And(a, b) => self.logic(a, b, false),
            Expr::Or(a, b) => self.logic(a, b, true),
            Expr::Conditional(parts) => {
                let [condition, yes, no] = &**parts;
                self.budget.pay(1)?;
                match self.evaluate(condition)? {
                    Value::Bool(true) => self.evaluate(yes),
                    Value::Bool(false) => self.evaluate(no),
                    other => Err(Error::overload("?:", &[&other])),
                }
            }
            Expr::List(items) => {
                self.budget.pay(10)?;
                let mut list = Vec::with_capacity(items.len());
                for (item, optional) in items {
                    match self.evaluate(item)? {
                        Value::Optional(value) if *optional => {
                            list.extend(value.map(Arc::unwrap_or_clone));
                        }
                        other if *optional => return Err(Error::overload("?", &[&other])),
                        value => list.push(value),
                    }
                }
                Ok(Value::list(list))
            }
            Expr::Map(entries) => {
                self.budget.pay(30)?;
                let mut map = Map::new();
                for (key, value, optional) in entries {
                    let key = self.evaluate(key)?;
                    let value = match self.evaluate(value)? {
                        Value::Optional(None) if *optional => continue,
                        Value::Optional(Some(value)) if *optional => Arc::unwrap_or_clone(value),
                        other if *optional => return Err(Error::overload("?", &[&other])),
                        value => value,
                    };
                    insert(&mut map, key, value)?;
                }
                Ok(Value::Map(Arc::new(map)))
            }
            Expr::Call {
                function,
                arguments,
            } => match arguments.as_slice() {
                [one] => {
                    let arguments = [self.evaluate(one)?];
                    (function.call)(&arguments, self.budget)
                }
                [one, two] => {
                    let arguments = [self.evaluate(one)?, self.evaluate(two)?];
                    (function.call)(&arguments, self.budget)
                }
                many => {
                    let mut arguments = Vec::with_capacity(many.len());
                    for argument in many {
                        arguments.push(self.evaluate(argument)?);
                    }
                    (function.call)(&arguments, self.budget)
                }
            },
            Expr::Comprehension(comprehension) => self.comprehension(comprehension),
            Expr::Bind { value, body } => {
                let value = self.evaluate(value)?;
                self.with(value, body)
            }
            Expr::OptionalMap { of, body, flat } => match self.evaluate(of)? {
                Value::Optional(None) => Ok(Value::Optional(None)),
                Value::Optional(Some(value)) => {
                    let result = self.with(Arc::unwrap_or_clone(value), body)?;
                    match result {
                        Value::Optional(_) if *flat => Ok(result),
                        other if *flat => Err(Error::overload("optFlatMap", &[&other])),
                        other => Ok(Value::some(other)),
                    }
                }
                other => Err(Error::overload("optMap", &[&other])),
            },
            Expr::Append { to, item } => {
                let item = self.evaluate(item)?;
                self.budget.pay(1)?;
                match self.take(*to) {
                    Value::List(mut list) => {
                        Arc::make_mut(&mut list).push(item);
                        Ok(Value::List(list))
                    }
                    other => Err(Error::overload("_+_", &[&other])),
                }
            }
            Expr::Insert { to, key, value } => {
                let key = self.evaluate(key)?;
                let value = self.evaluate(value)?;
                self.budget.pay(1)?;
                self.grow(*to, |map| insert(map, key, value))
            }
            Expr::InsertAll { to, entries } => {
                let entries = self.evaluate(entries)?;
                let keys = entries
                    .keys()
                    .ok_or_else(|| Error::overload("transformMapEntry", &[&entries]))?;
                self.budget.pay(1 + keys.len() as u64)?;
                self.grow(*to, |map| {
                    keys.into_iter().try_for_each(|key| {
                        let value = entries.lookup(&key)?.unwrap_or(Value::Null);
                        insert(map, key, value)
                    })
                })
            }
            Expr::OptionalElse {
                of,
                other,
                is_value,
            } => {
                self.budget.pay(1)?;
                match self.evaluate(of)? {
                    Value::Optional(None) => {
                        let other = self.evaluate(other)?;
                        match other {
                            Value::Optional(_) => Ok(other),
                            other if *is_value => Ok(other),
                            other => Err(Error::overload("or", &[&other])),
                        }
                    }
                    Value::Optional(Some(value)) if *is_value => Ok(Arc::unwrap_or_clone(value)),
                    // The API server takes a value that cannot be absent for one that is there.
                    value => Ok(value),
                }
            }
            Expr::OnlyInCluster(what) => Err(Error::OnlyInCluster(what)),
            Expr::SortBy { of, key } => {
                let of = self.evaluate(of)?;
                let items = of
                    .items()
                    .ok_or_else(|| Error::overload("sortBy", &[&of]))?
                    .into_owned();
                let mut keyed = Vec::with_capacity(items.len());
                for item in items {
                    keyed.push((self.with(item.clone(), key)?, item));
                }
                super::functions::lists::sort_keyed(keyed)
            }
        }
    }

    /// Evaluates with one more name.
    fn with(&mut self, value: Value<'a>, body: &'a Expr) -> Result<Value<'a>, Error> {
        self.locals.push(value);
        let result = self.evaluate(body);
        self.locals.pop();
        result
    }

    fn take(&mut self, at: usize) -> Value<'a> {
        match self.locals.get_mut(at) {
            Some(value) => std::mem::replace(value, Value::Null),
            None => Value::Null,
        }
    }

    fn grow(
        &mut self,
        to: usize,
        change: impl FnOnce(&mut Map<'a>) -> Result<(), Error>,
    ) -> Result<Value<'a>, Error> {
        match self.take(to) {
            Value::Map(mut map) => {
                change(Arc::make_mut(&mut map))?;
                Ok(Value::Map(map))
            }
            other => Err(Error::overload("transformMap", &[&other])),
        }
    }

    /// `&&` and `||`: what one side decides does not depend on an error of the other.
    fn logic(&mut self, a: &'a Expr, b: &'a Expr, decides: bool) -> Result<Value<'a>, Error> {
        let word = if decides { "||" } else { "&&" };
        let first = self.evaluate(a);
        match &first {
            Ok(Value::Bool(value)) if *value == decides => return first,
            Err(error) if error.is_final() => return first,
            _ => {}
        }
        let second = self.evaluate(b);
        match (&first, &second) {
            (_, Ok(Value::Bool(value))) if *value == decides => second,
            (_, Err(error)) if error.is_final() => second,
            // What only the cluster knows may still decide it.
            (Ok(Value::Bool(_)), Ok(Value::Bool(_)) | Err(_))
            | (_, Err(Error::OnlyInCluster(_))) => second,
            (Err(_), _) => first,
            (Ok(Value::Bool(_)), Ok(other)) | (Ok(other), _) => {
                Err(Error::overload(word, &[other]))
            }
        }
    }

    fn select(
        &mut self,
        of: &Value<'a>,
        key: &Value<'a>,
        optional: bool,
        is_field: bool,
    ) -> Result<Value<'a>, Error> {
        match of {
            Value::Optional(None) => Ok(Value::Optional(None)),
            Value::Optional(Some(inner)) if optional && is_field && !inner.is_map() => {
                Ok(Value::Optional(None))
            }
            // What is selected of an optional value is optional.
            Value::Optional(Some(inner)) => match self.select(inner, key, true, is_field)? {
                Value::Optional(found) => Ok(Value::Optional(found)),
                other => Ok(Value::some(other)),
            },
            _ => {
                let found = self.find(of, key, is_field)?;
                match found {
                    Some(value) if optional => Ok(Value::some(value)),
                    Some(value) => Ok(value),
                    None if optional => Ok(Value::Optional(None)),
                    None if !of.is_map() => Err(Error::Range(format!(
                        "there is no item {} in a list of {}",
                        super::convert::to_text(key).unwrap_or_default(),
                        of.size().unwrap_or(0)
                    ))),
                    None => Err(Error::NoSuchKey(
                        super::convert::to_text(key).unwrap_or_default(),
                    )),
                }
            }
        }
    }

    fn find(
        &mut self,
        of: &Value<'a>,
        key: &Value<'a>,
        is_field: bool,
    ) -> Result<Option<Value<'a>>, Error> {
        match of {
            Value::Tree(tree) if !tree.is_list() => {
                let Some(name) = key.as_str() else {
                    return Ok(None);
                };
                let found = tree.get(name);
                if self.budget.reads.is_some() {
                    match (&found, tree.place(name)) {
                        (Some(_), Some(place)) => self.budget.note(Some(place), None),
                        _ => {
                            let Value::Text(text) = key else {
                                return Ok(found);
                            };
                            self.budget.note(Some(tree.view), Some(text.clone()));
                        }
                    }
                }
                Ok(found)
            }
            Value::Map(_) => of.lookup(key),
            Value::Tree(_) | Value::List(_) if !is_field => {
                let index = match key {
                    Value::Int(index) => *index,
                    Value::Uint(index) => i64::try_from(*index).unwrap_or(-1),
                    #[allow(clippy::cast_possible_truncation)]
                    Value::Double(index) if index.fract() == 0.0 => *index as i64,
                    _ => return Err(Error::overload("[]", &[of, key])),
                };
                let Ok(index) = usize::try_from(index) else {
                    return Ok(None);
                };
                Ok(match of {
                    Value::List(items) => items.get(index).cloned(),
                    Value::Tree(tree) => {
                        let item = tree.item(index);
                        if !matches!(item, Some(Value::Tree(_)) | None) {
                            let place = tree.view.items().get(index).copied();
                            self.budget.note(place, None);
                        }
                        item
                    }
                    _ => None,
                })
            }
            _ if is_field => Err(Error::Overload(format!(
                "{} has no fields, so no `{}`",
                of.kind_name(),
                key.as_str().unwrap_or_default()
            ))),
            _ => Err(Error::overload("[]", &[of, key])),
        }
    }

    fn comprehension(&mut self, comprehension: &'a Comprehension) -> Result<Value<'a>, Error> {
        let over = self.evaluate(&comprehension.over)?;
        let base = self.locals.len();
        let start = self.evaluate(&comprehension.start)?;
        self.locals.push(start);
        let result = self
            .go_through(&over, comprehension, base)
            .and_then(|()| self.evaluate(&comprehension.result));
        self.locals.truncate(base);
        result
    }

    fn go_through(
        &mut self,
        over: &Value<'a>,
        comprehension: &'a Comprehension,
        base: usize,
    ) -> Result<(), Error> {
        let mut failed: Option<Error> = None;
        let items = over.items();
        let keys = if items.is_some() { None } else { over.keys() };
        let count = match (&items, &keys) {
            (Some(items), _) => items.len(),
            (None, Some(keys)) => keys.len(),
            (None, None) => return Err(Error::overload("loop", &[over])),
        };
        for at in 0..count {
            match (&items, &keys) {
                (Some(items), _) => {
                    let item = &items[at];
                    if let (Value::Tree(tree), true) = (over, self.budget.reads.is_some())
                        && !matches!(item, Value::Tree(_))
                    {
                        let place = tree.view.items().get(at).copied();
                        self.budget.note(place, None);
                    }
                    if comprehension.two_names {
                        self.locals
                            .push(Value::Int(i64::try_from(at).unwrap_or(i64::MAX)));
                    }
                    self.locals.push(item.clone());
                }
                (None, keys) => {
                    let key = keys.as_ref().map_or(Value::Null, |keys| keys[at].clone());
                    self.locals.push(key.clone());
                    if comprehension.two_names {
                        let value = self.find(over, &key, false)?.unwrap_or(Value::Null);
                        self.locals.push(value);
                    }
                }
            }
            // An empty body would make loops free.
            let step = self
                .budget
                .pay(1)
                .and_then(|()| self.evaluate(&comprehension.step));
            self.locals.truncate(base + 1);
            match (step, &comprehension.goes_on) {
                (Ok(value), goes_on) => {
                    let done = match (goes_on, &value) {
                        (Goes::UntilFalse, Value::Bool(false))
                        | (Goes::UntilTrue, Value::Bool(true)) => true,
                        (Goes::Always, _) | (_, Value::Bool(_)) => false,
                        (_, other) => return Err(Error::overload("loop", &[other])),
                    };
                    if done {
                        self.locals[base] = value;
                        return Ok(());
                    }
                    // An earlier item's error stands until an item decides.
                    if failed.is_none() {
                        self.locals[base] = value;
                    }
                }
                (Err(error), Goes::Always) => return Err(error),
                (Err(error), _) if error.is_final() => return Err(error),
                (Err(error), goes_on) => {
                    failed.get_or_insert(error);
                    self.locals[base] = Value::Bool(matches!(goes_on, Goes::UntilFalse));
                }
            }
        }
        failed.map_or(Ok(()), Err)
    }
}

fn insert<'a>(map: &mut Map<'a>, key: Value<'a>, value: Value<'a>) -> Result<(), Error> {
    if matches!(key, Value::Double(_)) {
        return Err(Error::overload("{}", &[&key]));
    }
    let name = Key::of(&key).ok_or_else(|| Error::overload("{}", &[&key]))?;
    if map.insert(name, (key.clone(), value)).is_some() {
        return Err(Error::Malformed(format!(
            "the map has `{}` twice",
            super::convert::to_text(&key).unwrap_or_default()
        )));
    }
    Ok(())
}

/// Whether a value is true; anything but a truth value is an error.
///
/// # Errors
/// The value is no truth value.
pub fn truth(value: &Value<'_>) -> Result<bool, Error> {
    match value {
        Value::Bool(value) => Ok(*value),
        other => Err(Error::Overload(format!(
            "the expression gives {}, and must give true or false",
            other.kind_name()
        ))),
    }
}
