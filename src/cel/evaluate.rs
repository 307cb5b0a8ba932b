//! Evaluates a program on values where they stand, and charges for it as the API server does.

use std::sync::Arc;

use super::cost;
use super::syntax::{Attribute, Expr, Fold, Key, Qualifier, Root};
use super::tree::Tree;
use super::value::{Map, Text, Value, insert};
use super::{COST_PER_CALL, Error, Program};
use crate::model::view::View;

type Result<'a> = std::result::Result<Value<'a>, Error>;

/// What the names of the environment stand for.
pub trait Globals<'a> {
    /// The value of a name, by its position in [`super::Names::globals`].
    ///
    /// # Errors
    /// Only the API server knows it.
    fn global(&self, index: usize) -> Result<'a>;

    /// The value of one of the policy's own variables, evaluated when it is first asked for.
    ///
    /// # Errors
    /// Those of its expression.
    fn variable(&self, index: usize, budget: &mut Budget<'a>) -> Result<'a>;
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
    pub fn pay(&mut self, cost: u64) -> std::result::Result<(), Error> {
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
) -> Result<'a> {
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

/// The value of a loop's name.
enum Slot<'a> {
    /// Evaluated when it is first asked for.
    Pending(&'a Expr),
    /// Known; an error stays until something decides without it.
    Known(Result<'a>),
}

struct Run<'r, 'a> {
    globals: &'r dyn Globals<'a>,
    budget: &'r mut Budget<'a>,
    locals: Vec<Slot<'a>>,
}

impl<'a> Run<'_, 'a> {
    fn evaluate(&mut self, expr: &'a Expr) -> Result<'a> {
        match expr {
            Expr::Constant(value) => Ok(value.clone()),
            Expr::Attribute(attribute) => {
                let value = self.resolve(attribute);
                if !matches!(attribute.root, Root::Conditional(_)) {
                    self.budget.pay(1)?;
                }
                value
            }
            Expr::Has(attribute) => match self.resolve(attribute)? {
                Value::Optional(inner) => Ok(Value::Bool(inner.is_some())),
                value => Ok(value),
            },
            Expr::And(sides) => self.logic(sides, false),
            Expr::Or(sides) => self.logic(sides, true),
            Expr::Equal { negated, sides } => self.equal(sides, *negated),
            Expr::List(items) => {
                let list = self.list(items);
                self.budget.pay(cost::LIST)?;
                list
            }
            Expr::Map(entries) => {
                let map = self.map(entries);
                self.budget.pay(cost::MAP)?;
                map
            }
            Expr::Call { arguments, .. } => self.call(expr, arguments),
            Expr::Among { item, list } => {
                let item = self.evaluate(item)?;
                Ok(Value::Bool(super::operators::has(list, &item)))
            }
            Expr::OptionalElse {
                of,
                other,
                is_value,
            } => match self.evaluate(of)? {
                Value::Optional(None) => self.evaluate(other),
                Value::Optional(Some(value)) if *is_value => Ok(Arc::unwrap_or_clone(value)),
                // Also what is no optional value: it cannot be absent, so the API server takes it for one that is there.
                value => Ok(value),
            },
            Expr::Formatted { text, of } => {
                let text = self.evaluate(text)?;
                super::convert::formatted(text, of)
            }
            Expr::NotFalse(condition) => {
                let value = self.evaluate(condition);
                self.budget.pay(1)?;
                match value {
                    Ok(Value::Bool(value)) => Ok(Value::Bool(value)),
                    Err(error) if error.is_final() => Err(error),
                    _ => Ok(Value::Bool(true)),
                }
            }
            Expr::Fold(fold) => self.fold(fold),
            Expr::Append {
                to,
                item,
                is_literal,
            } => self.append(*to, item, *is_literal),
            Expr::Insert { to, key, value } => {
                let key = self.evaluate(key);
                let value = self.evaluate(value);
                self.budget.pay(2)?;
                let mut map = self.take_map(*to)?;
                insert(Arc::make_mut(&mut map), key?, value?);
                Ok(Value::Map(map))
            }
            Expr::InsertAll { to, entries } => {
                let entries = self.evaluate(entries);
                self.budget.pay(2)?;
                let mut map = self.take_map(*to)?;
                let entries = entries?;
                let entries = entries
                    .entries()
                    .ok_or_else(|| Error::overload("transformMapEntry", &[&entries]))?;
                let target = Arc::make_mut(&mut map);
                for (key, value) in entries {
                    if super::value::Key::of(&key).is_some_and(|name| target.contains_key(&name)) {
                        return Err(Error::Malformed(format!(
                            "the map has `{}` twice",
                            super::convert::to_text(&key).unwrap_or_default()
                        )));
                    }
                    insert(target, key, value);
                }
                Ok(Value::Map(map))
            }
            Expr::OnlyInCluster(what) => Err(Error::OnlyInCluster(what)),
            Expr::Shared(expr) => self.evaluate(expr),
        }
    }

    /// The value of a loop's name.
    fn local(&mut self, at: usize) -> Result<'a> {
        if let Some(Slot::Pending(expr)) = self.locals.get(at) {
            let expr = *expr;
            // It is evaluated outside of its loop.
            let inner = self.locals.split_off(at);
            let value = self.evaluate(expr);
            self.locals.extend(inner);
            self.locals[at] = Slot::Known(value);
        }
        match self.locals.get(at) {
            Some(Slot::Known(value)) => value.clone(),
            _ => Ok(Value::Null),
        }
    }

    /// The list or map that a loop builds, to be changed in place.
    fn take(&mut self, at: usize) -> Result<'a> {
        if matches!(self.locals.get(at), Some(Slot::Pending(_))) {
            self.local(at)?;
        }
        match self.locals.get_mut(at) {
            Some(slot) => match std::mem::replace(slot, Slot::Known(Ok(Value::Null))) {
                Slot::Known(value) => value,
                Slot::Pending(_) => Ok(Value::Null),
            },
            None => Ok(Value::Null),
        }
    }

    fn take_map(&mut self, at: usize) -> std::result::Result<Arc<Map<'a>>, Error> {
        match self.take(at)? {
            Value::Map(map) => Ok(map),
            other => Err(Error::overload("transformMap", &[&other])),
        }
    }

    /// `accumulator + [item]`
    fn append(&mut self, to: usize, item: &'a Expr, is_literal: bool) -> Result<'a> {
        let item = self.evaluate(item);
        let list = if is_literal { 0 } else { cost::LIST };
        self.budget.pay(1 + list + 1)?;
        match self.take(to)? {
            Value::List(mut list) => {
                Arc::make_mut(&mut list).push(item?);
                Ok(Value::List(list))
            }
            other => Err(Error::overload("_+_", &[&other])),
        }
    }

    /// A value, and what is selected of it.
    fn resolve(&mut self, attribute: &'a Attribute) -> Result<'a> {
        let (value, optional) = match &attribute.root {
            Root::Conditional(parts) => {
                let (condition, yes, no) = &**parts;
                return match self.evaluate(condition)? {
                    Value::Bool(true) => self.resolve(yes),
                    Value::Bool(false) => self.resolve(no),
                    other => Err(Error::overload("?:", &[&other])),
                };
            }
            Root::Variable {
                at,
                optional,
                tested,
            } => {
                let value = self.globals.variable(*at, self.budget);
                self.budget.pay(1)?;
                let value = value?;
                if *tested {
                    return Ok(Value::Bool(true));
                }
                (value, *optional)
            }
            Root::Local(at) => root(self.local(*at)?)?,
            Root::Global(at) => root(self.globals.global(*at)?)?,
            Root::Computed(expr) => root(self.evaluate(expr)?)?,
        };
        match (&attribute.root, value) {
            (Root::Variable { .. }, value) => self.select(value, optional, &attribute.qualifiers),
            (_, none @ Value::Optional(None)) => Ok(none),
            (_, value) => self.select(value, optional, &attribute.qualifiers),
        }
    }

    fn select(
        &mut self,
        mut value: Value<'a>,
        mut optional: bool,
        qualifiers: &'a [Arc<Qualifier>],
    ) -> Result<'a> {
        for qualifier in qualifiers {
            optional |= qualifier.optional;
            let computed;
            let key = match &qualifier.key {
                Key::Constant(key) => key,
                Key::Attribute(attribute) => {
                    computed = self.resolve(attribute)?;
                    &computed
                }
                Key::Computed(expr) => {
                    computed = self.evaluate(expr)?;
                    &computed
                }
            };
            if !key.is_key() {
                return Err(Error::Malformed(format!(
                    "{} is not a key or position",
                    key.kind_name()
                )));
            }
            let found = match (&value, key) {
                // Whether something is there does not depend on what it is.
                (Value::Tree(tree), Value::Text(name)) if qualifier.tested && !tree.is_list() => {
                    Ok(self.has(tree, name).then_some(Value::Null))
                }
                _ => self.find(&value, key),
            };
            if qualifier.tested {
                let is_absent = matches!(found, Ok(None));
                self.budget.pay(u64::from(!(optional && is_absent)))?;
                let present = found?.is_some();
                return Ok(match (optional, present) {
                    (true, false) => Value::Optional(None),
                    (true, true) => Value::some(Value::Null),
                    (false, present) => Value::Bool(present),
                });
            }
            value = match found {
                Ok(Some(found)) => {
                    self.budget.pay(1)?;
                    found
                }
                Ok(None) if optional => return Ok(Value::Optional(None)),
                Ok(None) => {
                    self.budget.pay(1)?;
                    return Err(absent(&value, key));
                }
                Err(error) => {
                    self.budget.pay(u64::from(!optional))?;
                    return Err(error);
                }
            };
        }
        Ok(if optional { Value::some(value) } else { value })
    }

    fn has(&mut self, tree: &Tree<'a>, name: &Text<'a>) -> bool {
        let found = tree.has(name.as_str());
        self.note(tree, name, found);
        found
    }

    fn note(&mut self, tree: &Tree<'a>, name: &Text<'a>, found: bool) {
        if self.budget.reads.is_some() {
            match tree.place(name.as_str()) {
                Some(place) if found => self.budget.note(Some(place), None),
                _ => self.budget.note(Some(tree.view), Some(name.clone())),
            }
        }
    }

    /// What a key selects of a value; what has neither keys nor items has none.
    fn find(
        &mut self,
        of: &Value<'a>,
        key: &Value<'a>,
    ) -> std::result::Result<Option<Value<'a>>, Error> {
        if of.is_list() {
            let index = index(of, key)?;
            let item = index.and_then(|index| of.item(index));
            if let (Value::Tree(tree), Some(index)) = (of, index)
                && !matches!(item, Some(Value::Tree(_)) | None)
            {
                let place = tree.view.items().get(index).copied();
                self.budget.note(place, None);
            }
            return Ok(item);
        }
        let Value::Tree(tree) = of else {
            return Ok(of.lookup(key));
        };
        let Value::Text(name) = key else {
            return Ok(None);
        };
        let found = tree.get(name.as_str());
        self.note(tree, name, found.is_some());
        Ok(found)
    }

    /// `&&` and `||`: what one side decides does not depend on an error of the other.
    fn logic(&mut self, sides: &'a [Expr; 2], decides: bool) -> Result<'a> {
        let word = if decides { "||" } else { "&&" };
        let first = self.evaluate(&sides[0]);
        match &first {
            Ok(Value::Bool(value)) if *value == decides => return first,
            Err(error) if error.is_final() => return first,
            _ => {}
        }
        let second = self.evaluate(&sides[1]);
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

    fn equal(&mut self, sides: &'a [Expr; 2], negated: bool) -> Result<'a> {
        let (a, b) = (self.evaluate(&sides[0]), self.evaluate(&sides[1]));
        let weight = |side: &Result<'a>| side.as_ref().map_or(1, Value::weight);
        self.budget
            .pay(cost::equality(weight(&a), weight(&b), a.as_ref().ok()))?;
        let (a, b) = (a?, b?);
        match (a.equals(&b), negated) {
            (Ok(equal), negated) => Ok(Value::Bool(equal != negated)),
            // What cannot be compared is not the same.
            (Err(_), true) => Ok(Value::Bool(true)),
            (Err(error), false) => Err(error),
        }
    }

    fn list(&mut self, items: &'a [(Expr, bool)]) -> Result<'a> {
        let mut list = Vec::with_capacity(items.len());
        for (item, optional) in items {
            match self.evaluate(item)? {
                Value::Optional(value) if *optional => {
                    list.extend(value.map(Arc::unwrap_or_clone));
                }
                other if *optional => return Err(not_optional(&other)),
                value => list.push(value),
            }
        }
        Ok(Value::list(list))
    }

    fn map(&mut self, entries: &'a [(Expr, Expr, bool)]) -> Result<'a> {
        let mut map = Map::new();
        for (key, value, optional) in entries {
            let key = self.evaluate(key)?;
            let value = match self.evaluate(value)? {
                Value::Optional(None) if *optional => {
                    if let Some(name) = super::value::Key::of(&key) {
                        map.remove(&name);
                    }
                    continue;
                }
                Value::Optional(Some(value)) if *optional => Arc::unwrap_or_clone(value),
                other if *optional => return Err(not_optional(&other)),
                value => value,
            };
            insert(&mut map, key, value);
        }
        Ok(Value::Map(Arc::new(map)))
    }

    fn call(&mut self, expr: &'a Expr, arguments: &'a [Expr]) -> Result<'a> {
        let Expr::Call {
            function,
            chosen,
            cost,
            ..
        } = expr
        else {
            return Ok(Value::Null);
        };
        let mut values: [Value<'a>; 3] = [Value::Null, Value::Null, Value::Null];
        let mut many = Vec::new();
        let mut failed: Option<Error> = None;
        for (at, argument) in arguments.iter().enumerate() {
            match self.evaluate(argument) {
                Ok(value) if arguments.len() <= values.len() => values[at] = value,
                Ok(value) => many.push(value),
                Err(error) if error.is_final() => return Err(error),
                Err(error) => {
                    failed.get_or_insert(error);
                    // The server evaluates both of two arguments, and stops at the first of more.
                    if arguments.len() > 2 {
                        break;
                    }
                }
            }
        }
        let values = if many.is_empty() {
            &values[..arguments.len().min(3)]
        } else {
            many.as_slice()
        };
        if let Some(error) = failed {
            if arguments.len() <= 2 {
                self.budget.pay(cost.charge(values, None))?;
            }
            return Err(error);
        }
        let result = function.call(*chosen, values);
        self.budget.pay(cost.charge(values, Some(&result)))?;
        result
    }

    fn fold(&mut self, fold: &'a Fold) -> Result<'a> {
        let over = self.evaluate(&fold.over)?;
        let base = self.locals.len();
        self.locals.push(Slot::Pending(&fold.init));
        let result = self
            .go_through(&over, fold, base)
            .and_then(|()| self.evaluate(&fold.result));
        self.locals.truncate(base);
        result
    }

    fn go_through(
        &mut self,
        over: &Value<'a>,
        fold: &'a Fold,
        base: usize,
    ) -> std::result::Result<(), Error> {
        let items = over.items();
        let entries = if items.is_some() {
            None
        } else {
            over.entries()
        };
        let count = match (&items, &entries) {
            (Some(items), _) => items.len(),
            (None, Some(entries)) => entries.len(),
            (None, None) => {
                return Err(Error::Malformed(format!(
                    "a loop goes over a list or map, not {}",
                    over.kind_name()
                )));
            }
        };
        for at in 0..count {
            let (first, second) = match (&items, &entries) {
                (Some(items), _) => {
                    let item = items[at].clone();
                    if let (Value::Tree(tree), true) = (over, self.budget.reads.is_some())
                        && !matches!(item, Value::Tree(_))
                    {
                        let place = tree.view.items().get(at).copied();
                        self.budget.note(place, None);
                    }
                    (Value::Int(i64::try_from(at).unwrap_or(i64::MAX)), item)
                }
                (None, entries) => {
                    let entry = entries
                        .as_ref()
                        .and_then(|entries| entries.get(at))
                        .cloned();
                    let (key, value) = entry.unwrap_or((Value::Null, Value::Null));
                    if let (Value::Tree(tree), Value::Text(name), true) =
                        (over, &key, fold.two_names && self.budget.reads.is_some())
                    {
                        self.budget.note(tree.place(name.as_str()), None);
                    }
                    (key, value)
                }
            };
            if fold.two_names {
                self.locals.push(Slot::Known(Ok(first)));
                self.locals.push(Slot::Known(Ok(second)));
            } else {
                let item = if items.is_some() { second } else { first };
                self.locals.push(Slot::Known(Ok(item)));
            }
            match self.evaluate(&fold.condition) {
                Ok(Value::Bool(false)) => {
                    self.locals.truncate(base + 1);
                    break;
                }
                Err(error) if error.is_final() => return Err(error),
                _ => {}
            }
            let step = self.evaluate(&fold.step);
            self.locals.truncate(base + 1);
            if step.as_ref().is_err_and(Error::is_final) {
                return step.map(|_| ());
            }
            self.locals[base] = Slot::Known(step);
        }
        Ok(())
    }
}

/// The root of a selection: an optional value is looked into, as the server does, by its value in Go.
fn root(value: Value<'_>) -> std::result::Result<(Value<'_>, bool), Error> {
    match value {
        Value::Optional(Some(inner)) => Ok((native(Arc::unwrap_or_clone(inner))?, true)),
        none @ Value::Optional(None) => Ok((none, true)),
        value => Ok((value, false)),
    }
}

/// A value that went through Go's own types: optional values in optional values are lost, types become text, and values of
/// Kubernetes' libraries do not come back.
fn native(value: Value<'_>) -> std::result::Result<Value<'_>, Error> {
    match value {
        Value::Optional(None) => Ok(Value::Null),
        Value::Optional(Some(inner)) => native(Arc::unwrap_or_clone(inner)),
        Value::Type(name) => Ok(Value::Text(name)),
        Value::Kubernetes(_) => Err(Error::Malformed(format!(
            "the API server cannot take {} out of an optional value here",
            value.kind_name()
        ))),
        value => Ok(value),
    }
}

/// The position that a key names in a list.
fn index(of: &Value<'_>, key: &Value<'_>) -> std::result::Result<Option<usize>, Error> {
    let index = match key {
        Value::Int(index) => Some(*index),
        Value::Uint(index) => i64::try_from(*index).ok(),
        Value::Double(number) => match super::convert::lossless_int(*number) {
            Some(index) => Some(index),
            None => return Err(not_an_index(of, key)),
        },
        _ => return Err(not_an_index(of, key)),
    };
    Ok(index.and_then(|index| usize::try_from(index).ok()))
}

fn not_an_index(of: &Value<'_>, key: &Value<'_>) -> Error {
    Error::Malformed(format!(
        "{} is not a position in {}",
        key.kind_name(),
        of.kind_name()
    ))
}

fn absent(of: &Value<'_>, key: &Value<'_>) -> Error {
    let name = super::convert::to_text(key).unwrap_or_default();
    if of.is_list() {
        return Error::Range(format!(
            "there is no item {name} in a list of {}",
            of.size().unwrap_or(0)
        ));
    }
    Error::NoSuchKey(name)
}

fn not_optional(value: &Value<'_>) -> Error {
    Error::Malformed(format!(
        "`?` is for optional values, not {}",
        value.kind_name()
    ))
}

/// Whether a value is true; anything but a truth value is an error.
///
/// # Errors
/// The value is no truth value.
pub fn truth(value: &Value<'_>) -> std::result::Result<bool, Error> {
    match value {
        Value::Bool(value) => Ok(*value),
        other => Err(Error::Overload(format!(
            "the expression gives {}, and must give true or false",
            other.kind_name()
        ))),
    }
}
