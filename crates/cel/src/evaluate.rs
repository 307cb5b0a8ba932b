//! Evaluates a program on values where they stand, and charges for it as the API server does.

mod budget;

mod values;

pub use budget::{Budget, ReadPlace};
use std::sync::Arc;
use values::{absent, index, not_optional, root};

use super::cost;
use super::syntax::{Attribute, Expr, Fold, Qualifier, Root, SelectorKey};
use super::tree::StoredTree;
use super::value::{CelValue, Text, ValueMap, insert};
use super::{COST_PER_CALL, Evaluated, EvaluationError, Program};

/// What the names of the environment stand for.
pub trait Globals<'a> {
    /// The value of a name, by its position in [`super::Names::globals`].
    ///
    /// # Errors
    /// Only the API server knows it.
    fn global(&self, index: usize) -> Evaluated<'a>;

    /// The value of one of the policy's own variables, evaluated when it is first asked for.
    ///
    /// # Errors
    /// Those of its expression.
    fn variable(&self, index: usize, budget: &mut Budget<'a>) -> Evaluated<'a>;
}

/// Evaluates a program.
///
/// # Errors
/// As Kubernetes has them: a missing key, types that do not fit, a cost that is too high.
pub fn evaluate<'a>(
    program: &'a Program,
    globals: &dyn Globals<'a>,
    budget: &mut Budget<'a>,
) -> Evaluated<'a> {
    // Each expression has its own budget; a variable's is not its user's.
    let outer = std::mem::replace(&mut budget.left, COST_PER_CALL);
    let mut run = ExpressionRun {
        globals,
        budget,
        locals: Vec::new(),
    };
    let result = run.evaluate(&program.root);
    budget.left = outer;
    result
}

/// The value of a loop's name.
enum LoopValue<'a> {
    /// Evaluated when it is first asked for.
    Pending(&'a Expr),
    /// Known; an error stays until something decides without it.
    Known(Evaluated<'a>),
}

struct ExpressionRun<'r, 'a> {
    globals: &'r dyn Globals<'a>,
    budget: &'r mut Budget<'a>,
    locals: Vec<LoopValue<'a>>,
}

impl<'a> ExpressionRun<'_, 'a> {
    fn evaluate(&mut self, expr: &'a Expr) -> Evaluated<'a> {
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
                CelValue::Optional(inner) => Ok(CelValue::Bool(inner.is_some())),
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
                Ok(CelValue::Bool(super::operators::has(list, &item)))
            }
            Expr::OptionalElse {
                of,
                other,
                is_value,
            } => match self.evaluate(of)? {
                CelValue::Optional(None) => self.evaluate(other),
                CelValue::Optional(Some(value)) if *is_value => Ok(Arc::unwrap_or_clone(value)),
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
                    Ok(CelValue::Bool(value)) => Ok(CelValue::Bool(value)),
                    Err(error) if error.is_final() => Err(error),
                    _ => Ok(CelValue::Bool(true)),
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
                Ok(CelValue::Map(map))
            }
            Expr::InsertAll { to, entries } => {
                let entries = self.evaluate(entries);
                self.budget.pay(2)?;
                let mut map = self.take_map(*to)?;
                let entries = entries?;
                let entries = entries
                    .entries()
                    .ok_or_else(|| EvaluationError::overload("transformMapEntry", &[&entries]))?;
                let target = Arc::make_mut(&mut map);
                for (key, value) in entries {
                    if super::value::MapKey::of(&key).is_some_and(|name| target.contains_key(&name))
                    {
                        return Err(EvaluationError::Malformed(format!(
                            "the map has `{}` twice",
                            super::convert::to_text(&key).unwrap_or_default()
                        )));
                    }
                    insert(target, key, value);
                }
                Ok(CelValue::Map(map))
            }
            Expr::OnlyInCluster(what) => Err(EvaluationError::OnlyInCluster(what)),
            Expr::Shared(expr) => self.evaluate(expr),
        }
    }

    /// The value of a loop's name.
    fn local(&mut self, at: usize) -> Evaluated<'a> {
        if let Some(LoopValue::Pending(expr)) = self.locals.get(at) {
            let expr = *expr;
            // It is evaluated outside of its loop.
            let inner = self.locals.split_off(at);
            let value = self.evaluate(expr);
            self.locals.extend(inner);
            self.locals[at] = LoopValue::Known(value);
        }
        match self.locals.get(at) {
            Some(LoopValue::Known(value)) => value.clone(),
            _ => Ok(CelValue::Null),
        }
    }

    /// The list or map that a loop builds, to be changed in place.
    fn take(&mut self, at: usize) -> Evaluated<'a> {
        if matches!(self.locals.get(at), Some(LoopValue::Pending(_))) {
            self.local(at)?;
        }
        match self.locals.get_mut(at) {
            Some(slot) => match std::mem::replace(slot, LoopValue::Known(Ok(CelValue::Null))) {
                LoopValue::Known(value) => value,
                LoopValue::Pending(_) => Ok(CelValue::Null),
            },
            None => Ok(CelValue::Null),
        }
    }

    fn take_map(&mut self, at: usize) -> Result<Arc<ValueMap<'a>>, EvaluationError> {
        match self.take(at)? {
            CelValue::Map(map) => Ok(map),
            other => Err(EvaluationError::overload("transformMap", &[&other])),
        }
    }

    /// `accumulator + [item]`
    fn append(&mut self, to: usize, item: &'a Expr, is_literal: bool) -> Evaluated<'a> {
        let item = self.evaluate(item);
        let list = if is_literal { 0 } else { cost::LIST };
        self.budget.pay(1 + list + 1)?;
        match self.take(to)? {
            CelValue::List(mut list) => {
                Arc::make_mut(&mut list).push(item?);
                Ok(CelValue::List(list))
            }
            other => Err(EvaluationError::overload("_+_", &[&other])),
        }
    }

    /// A value, and what is selected of it.
    fn resolve(&mut self, attribute: &'a Attribute) -> Evaluated<'a> {
        let (value, optional) = match &attribute.root {
            Root::Conditional(parts) => {
                let (condition, yes, no) = &**parts;
                return match self.evaluate(condition)? {
                    CelValue::Bool(true) => self.resolve(yes),
                    CelValue::Bool(false) => self.resolve(no),
                    other => Err(EvaluationError::overload("?:", &[&other])),
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
                    return Ok(CelValue::Bool(true));
                }
                (value, *optional)
            }
            Root::Local(at) => root(self.local(*at)?)?,
            Root::Global(at) => root(self.globals.global(*at)?)?,
            Root::Computed(expr) => root(self.evaluate(expr)?)?,
        };
        match (&attribute.root, value) {
            (Root::Variable { .. }, value) => self.select(value, optional, &attribute.qualifiers),
            (_, none @ CelValue::Optional(None)) => Ok(none),
            (_, value) => self.select(value, optional, &attribute.qualifiers),
        }
    }

    fn select(
        &mut self,
        mut value: CelValue<'a>,
        mut optional: bool,
        qualifiers: &'a [Arc<Qualifier>],
    ) -> Evaluated<'a> {
        for qualifier in qualifiers {
            optional |= qualifier.optional;
            let computed;
            let key = match &qualifier.key {
                SelectorKey::Constant(key) => key,
                SelectorKey::Attribute(attribute) => {
                    computed = self.resolve(attribute)?;
                    &computed
                }
                SelectorKey::Computed(expr) => {
                    computed = self.evaluate(expr)?;
                    &computed
                }
            };
            if !key.is_key() {
                return Err(EvaluationError::Malformed(format!(
                    "{} is not a key or position",
                    key.kind_name()
                )));
            }
            let found = match (&value, key) {
                // Whether something is there does not depend on what it is.
                (CelValue::Tree(tree), CelValue::Text(name))
                    if qualifier.tested && !tree.is_list() =>
                {
                    Ok(self.has(tree, name).then_some(CelValue::Null))
                }
                _ => self.find(&value, key),
            };
            if qualifier.tested {
                let is_absent = matches!(found, Ok(None));
                self.budget.pay(u64::from(!(optional && is_absent)))?;
                let present = found?.is_some();
                return Ok(match (optional, present) {
                    (true, false) => CelValue::Optional(None),
                    (true, true) => CelValue::some(CelValue::Null),
                    (false, present) => CelValue::Bool(present),
                });
            }
            value = match found {
                Ok(Some(found)) => {
                    self.budget.pay(1)?;
                    found
                }
                Ok(None) if optional => return Ok(CelValue::Optional(None)),
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
        Ok(if optional {
            CelValue::some(value)
        } else {
            value
        })
    }

    fn has(&mut self, tree: &StoredTree<'a>, name: &Text<'a>) -> bool {
        let found = tree.has(name.as_str());
        self.note(tree, name, found);
        found
    }

    fn note(&mut self, tree: &StoredTree<'a>, name: &Text<'a>, found: bool) {
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
        of: &CelValue<'a>,
        key: &CelValue<'a>,
    ) -> Result<Option<CelValue<'a>>, EvaluationError> {
        if of.is_list() {
            let index = index(of, key)?;
            let item = index.and_then(|index| of.item(index));
            if let (CelValue::Tree(tree), Some(index)) = (of, index)
                && !matches!(item, Some(CelValue::Tree(_)) | None)
            {
                let place = tree.view.items().get(index).copied();
                self.budget.note(place, None);
            }
            return Ok(item);
        }
        let CelValue::Tree(tree) = of else {
            return Ok(of.lookup(key));
        };
        let CelValue::Text(name) = key else {
            return Ok(None);
        };
        let found = tree.get(name.as_str());
        self.note(tree, name, found.is_some());
        Ok(found)
    }

    /// `&&` and `||`: what one side decides does not depend on an error of the other.
    fn logic(&mut self, sides: &'a [Expr; 2], decides: bool) -> Evaluated<'a> {
        let word = if decides { "||" } else { "&&" };
        let first = self.evaluate(&sides[0]);
        match &first {
            Ok(CelValue::Bool(value)) if *value == decides => return first,
            Err(error) if error.is_final() => return first,
            _ => {}
        }
        let second = self.evaluate(&sides[1]);
        match (&first, &second) {
            (_, Ok(CelValue::Bool(value))) if *value == decides => second,
            (_, Err(error)) if error.is_final() => second,
            // What only the cluster knows may still decide it.
            (Ok(CelValue::Bool(_)), Ok(CelValue::Bool(_)) | Err(_))
            | (_, Err(EvaluationError::OnlyInCluster(_))) => second,
            (Err(_), _) => first,
            (Ok(CelValue::Bool(_)), Ok(other)) | (Ok(other), _) => {
                Err(EvaluationError::overload(word, &[other]))
            }
        }
    }

    fn equal(&mut self, sides: &'a [Expr; 2], negated: bool) -> Evaluated<'a> {
        let (a, b) = (self.evaluate(&sides[0]), self.evaluate(&sides[1]));
        let weight = |side: &Evaluated<'a>| side.as_ref().map_or(1, CelValue::weight);
        self.budget
            .pay(cost::equality(weight(&a), weight(&b), a.as_ref().ok()))?;
        let (a, b) = (a?, b?);
        match (a.equals(&b), negated) {
            (Ok(equal), negated) => Ok(CelValue::Bool(equal != negated)),
            // What cannot be compared is not the same.
            (Err(_), true) => Ok(CelValue::Bool(true)),
            (Err(error), false) => Err(error),
        }
    }

    fn list(&mut self, items: &'a [(Expr, bool)]) -> Evaluated<'a> {
        let mut list = Vec::with_capacity(items.len());
        for (item, optional) in items {
            match self.evaluate(item)? {
                CelValue::Optional(value) if *optional => {
                    list.extend(value.map(Arc::unwrap_or_clone));
                }
                other if *optional => return Err(not_optional(&other)),
                value => list.push(value),
            }
        }
        Ok(CelValue::list(list))
    }

    fn map(&mut self, entries: &'a [(Expr, Expr, bool)]) -> Evaluated<'a> {
        let mut map = ValueMap::new();
        for (key, value, optional) in entries {
            let key = self.evaluate(key)?;
            let value = match self.evaluate(value)? {
                CelValue::Optional(None) if *optional => {
                    if let Some(name) = super::value::MapKey::of(&key) {
                        map.remove(&name);
                    }
                    continue;
                }
                CelValue::Optional(Some(value)) if *optional => Arc::unwrap_or_clone(value),
                other if *optional => return Err(not_optional(&other)),
                value => value,
            };
            insert(&mut map, key, value);
        }
        Ok(CelValue::Map(Arc::new(map)))
    }

    fn call(&mut self, expr: &'a Expr, arguments: &'a [Expr]) -> Evaluated<'a> {
        let Expr::Call {
            function,
            chosen,
            cost,
            ..
        } = expr
        else {
            return Ok(CelValue::Null);
        };
        let mut values: [CelValue<'a>; 3] = [CelValue::Null, CelValue::Null, CelValue::Null];
        let mut many = Vec::new();
        let mut failed: Option<EvaluationError> = None;
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

    fn fold(&mut self, fold: &'a Fold) -> Evaluated<'a> {
        let over = self.evaluate(&fold.over)?;
        let base = self.locals.len();
        self.locals.push(LoopValue::Pending(&fold.init));
        let result = self
            .go_through(&over, fold, base)
            .and_then(|()| self.evaluate(&fold.result));
        self.locals.truncate(base);
        result
    }

    fn go_through(
        &mut self,
        over: &CelValue<'a>,
        fold: &'a Fold,
        base: usize,
    ) -> Result<(), EvaluationError> {
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
                return Err(EvaluationError::Malformed(format!(
                    "a loop goes over a list or map, not {}",
                    over.kind_name()
                )));
            }
        };
        for at in 0..count {
            let (first, second) = match (&items, &entries) {
                (Some(items), _) => {
                    let item = items[at].clone();
                    if let (CelValue::Tree(tree), true) = (over, self.budget.reads.is_some())
                        && !matches!(item, CelValue::Tree(_))
                    {
                        let place = tree.view.items().get(at).copied();
                        self.budget.note(place, None);
                    }
                    (CelValue::Int(i64::try_from(at).unwrap_or(i64::MAX)), item)
                }
                (None, entries) => {
                    let entry = entries
                        .as_ref()
                        .and_then(|entries| entries.get(at))
                        .cloned();
                    let (key, value) = entry.unwrap_or((CelValue::Null, CelValue::Null));
                    if let (CelValue::Tree(tree), CelValue::Text(name), true) =
                        (over, &key, fold.two_names && self.budget.reads.is_some())
                    {
                        self.budget.note(tree.place(name.as_str()), None);
                    }
                    (key, value)
                }
            };
            if fold.two_names {
                self.locals.push(LoopValue::Known(Ok(first)));
                self.locals.push(LoopValue::Known(Ok(second)));
            } else {
                let item = if items.is_some() { second } else { first };
                self.locals.push(LoopValue::Known(Ok(item)));
            }
            match self.evaluate(&fold.condition) {
                Ok(CelValue::Bool(false)) => {
                    self.locals.truncate(base + 1);
                    break;
                }
                Err(error) if error.is_final() => return Err(error),
                _ => {}
            }
            let step = self.evaluate(&fold.step);
            self.locals.truncate(base + 1);
            if step.as_ref().is_err_and(EvaluationError::is_final) {
                return step.map(|_| ());
            }
            self.locals[base] = LoopValue::Known(step);
        }
        Ok(())
    }
}

/// Whether a value is true; anything but a truth value is an error.
///
/// # Errors
/// The value is no truth value.
pub fn truth(value: &CelValue<'_>) -> Result<bool, EvaluationError> {
    match value {
        CelValue::Bool(value) => Ok(*value),
        other => Err(EvaluationError::Overload(format!(
            "the expression gives {}, and must give true or false",
            other.kind_name()
        ))),
    }
}
