//! The estimated cost of an expression: what it may cost at most, by the sizes that a schema allows. The API server computes
//! it when a CustomResourceDefinition is created.
//!
//! Source: <https://github.com/google/cel-go/blob/v0.26.0/checker/cost.go>. As there, the parsed expression is walked, with
//! the types and overloads that the checker found, so that what the compiler folds is still charged.
//!
//! * `calls`: what functions and operators cost, and how large their results are.
//! * `macros`: macros of libraries, spelled out.
//! * `paths`: where parts of an expression stand in the schema.
//! * `range`: a least and a greatest number.
//! * [`Sizes`]: what the schema says.

mod calls;
mod macros;
mod paths;
mod range;
mod sizes;

use std::collections::HashMap;

use cel::common::ast::{
    CallExpr, ComprehensionExpr, EntryExpr, Expr as Ast, IdedExpr, ListExpr, LiteralValue, MapExpr,
    SelectExpr, operators,
};

use super::cost::{LIST, MAP};
use super::types::{Substitutions, Type};
use crate::escapes::unescaped;
use paths::{SizePath, SizePaths, SizeStep};
use range::NumberRange;
pub use sizes::{Below, Sizes};

/// What the checker found out, by the ids of the parts of an expression.
#[derive(Debug, Default)]
pub(super) struct CheckedFacts {
    pub types: HashMap<u64, Type>,
    /// What open types of `types` stand for.
    pub open: Substitutions,
    pub calls: HashMap<u64, ResolvedCall>,
}

/// A call whose function is known.
#[derive(Clone, Debug)]
pub(super) struct ResolvedCall {
    pub function: &'static str,
    /// The ids of the overloads that the types leave.
    pub overloads: Vec<&'static str>,
    pub is_method: bool,
}

impl CheckedFacts {
    fn type_of(&self, part: &IdedExpr) -> Type {
        let of = self.types.get(&part.id);
        of.map_or(Type::Dyn, |of| self.open.resolve(of, true))
    }
}

/// The most that an expression may cost where `self` has these sizes.
pub(super) fn most(expression: &IdedExpr, facts: CheckedFacts, sizes: &Sizes) -> u64 {
    let mut estimator = Estimator {
        facts,
        root: sizes,
        scope: Vec::new(),
        paths: SizePaths::default(),
        places: HashMap::new(),
        sizes: HashMap::new(),
        entries: HashMap::new(),
        shared: HashMap::new(),
    };
    estimator.cost(expression).most
}

/// How large the keys and values of a list or map are.
#[derive(Clone, Copy, Debug)]
struct EntrySize {
    is_list: bool,
    key: NumberRange,
    value: NumberRange,
}

impl EntrySize {
    fn union(self, other: EntrySize) -> EntrySize {
        EntrySize {
            is_list: self.is_list,
            key: self.key.union(other.key),
            value: self.value.union(other.value),
        }
    }
}

/// A name of a loop.
struct SizedLoopVariable {
    name: String,
    path: Option<SizePath>,
    size: Option<NumberRange>,
    entry: Option<EntrySize>,
}

/// The target or an argument of a call.
struct Operand<'e> {
    part: &'e IdedExpr,
    path: Option<SizePath>,
    of: Type,
    size: Option<NumberRange>,
}

impl Operand<'_> {
    fn size(&self) -> NumberRange {
        self.size.unwrap_or(NumberRange::UNKNOWN)
    }
}

struct Estimator<'s> {
    facts: CheckedFacts,
    /// The sizes of `self`.
    root: &'s Sizes,
    scope: Vec<SizedLoopVariable>,
    paths: SizePaths,
    /// Where parts stand in the schema, if they are not computed, and what is known of their sizes, by their ids.
    places: HashMap<u64, SizePath>,
    sizes: HashMap<u64, NumberRange>,
    entries: HashMap<u64, EntrySize>,
    /// What parts cost that a macro writes twice, by their ids.
    shared: HashMap<u64, NumberRange>,
}

impl Estimator<'_> {
    fn cost(&mut self, part: &IdedExpr) -> NumberRange {
        if let Some(known) = self.shared.get(&part.id) {
            return *known;
        }
        match &part.expr {
            Ast::Ident(name) => self.name(part, name),
            // The checker reads the dotted name of a type as one name.
            Ast::Select(_) if matches!(self.facts.type_of(part), Type::Type(_)) => {
                self.name(part, "")
            }
            Ast::Select(select) => self.select(part, select),
            Ast::Call(call) => match self.expanded(part.id, call) {
                Some(expanded) => self.cost(&expanded),
                None => self.call(part, call),
            },
            Ast::List(list) => self.list(part, list),
            Ast::Map(map) => self.map(part, map),
            Ast::Comprehension(comprehension) if is_binding(comprehension) => {
                self.binding(part, comprehension)
            }
            Ast::Comprehension(comprehension) => self.comprehension(part, comprehension),
            Ast::Literal(_) | Ast::Struct(_) | Ast::Unspecified => NumberRange::NOTHING,
        }
    }

    fn local(&self, name: &str) -> Option<&SizedLoopVariable> {
        self.scope.iter().rev().find(|local| local.name == name)
    }

    fn name(&mut self, part: &IdedExpr, name: &str) -> NumberRange {
        let path = match self.local(name) {
            Some(local) => local.path,
            // As in the API server, every other name is a path of its own, even the name of a type.
            None => Some(self.paths.append(None, SizeStep::Variable)),
        };
        self.places.extend(path.map(|path| (part.id, path)));
        NumberRange::ONE
    }

    fn select(&mut self, part: &IdedExpr, select: &SelectExpr) -> NumberRange {
        let operand = self.cost(&select.operand);
        if select.test {
            return operand;
        }
        let field = unescaped(&select.field);
        self.step(part, &select.operand, SizeStep::Field((*field).into()));
        match self.facts.type_of(&select.operand) {
            Type::Map(..) | Type::Object(_) | Type::Named(_) => operand.plus(NumberRange::ONE),
            _ => operand,
        }
    }

    fn call(&mut self, part: &IdedExpr, call: &CallExpr) -> NumberRange {
        if let ("dyn", None, [value]) =
            (call.func_name.as_str(), &call.target, call.args.as_slice())
        {
            let cost = self.cost(value);
            self.copy_sizes(part, value);
            return cost.plus(NumberRange::ONE);
        }
        let mut arguments = Vec::new();
        let mut costs = Vec::new();
        for argument in &call.args {
            costs.push(self.cost(argument));
            arguments.push(self.operand(argument));
        }
        let resolved = match self.facts.calls.get(&part.id) {
            Some(resolved) => resolved.clone(),
            None if call.func_name == operators::OPT_SELECT => ResolvedCall {
                function: operators::OPT_SELECT,
                overloads: vec!["select_optional_field"],
                is_method: false,
            },
            None => return NumberRange::NOTHING,
        };
        let target = call.target.as_deref().filter(|_| resolved.is_method);
        let own = target.map_or(NumberRange::NOTHING, |target| self.cost(target));
        let target = target.map(|target| self.operand(target));
        let mut cost = NumberRange::EMPTY;
        let mut size: Option<NumberRange> = None;
        for overload in &resolved.overloads {
            let called = calls::Called {
                function: resolved.function,
                overload,
                target: target.as_ref(),
                arguments: &arguments,
                costs: &costs,
            };
            let estimate = self.called(part, &called);
            cost = cost.union(estimate.cost);
            if let Some(found) = estimate.result {
                size = Some(size.map_or(found, |size| size.union(found)));
            }
            let index = match *overload {
                "index_list" => Some(SizeStep::Items),
                "index_map" => Some(SizeStep::Values),
                _ => None,
            };
            if let (Some(step), Some(list)) = (index, call.args.first()) {
                size = self.entry(list).map(|entry| entry.value);
                self.step(part, list, step);
            }
            size = size.or_else(|| self.size(part));
        }
        if let Some(size) = size {
            self.sizes.insert(part.id, size);
        }
        own.plus(cost)
    }

    fn list(&mut self, part: &IdedExpr, list: &ListExpr) -> NumberRange {
        let mut cost = NumberRange::exactly(LIST);
        let mut value = NumberRange::EMPTY;
        for element in &list.elements {
            cost = cost.plus(self.cost(element));
            value = value.union(self.size_or_unknown(element));
        }
        if list.elements.is_empty() {
            value.least = 0;
        }
        let entry = EntrySize {
            is_list: true,
            key: NumberRange::ONE,
            value,
        };
        self.entries.insert(part.id, entry);
        cost
    }

    fn map(&mut self, part: &IdedExpr, map: &MapExpr) -> NumberRange {
        let mut cost = NumberRange::exactly(MAP);
        let (mut key, mut value) = (NumberRange::EMPTY, NumberRange::EMPTY);
        for entry in &map.entries {
            let EntryExpr::MapEntry(entry) = &entry.expr else {
                continue;
            };
            cost = cost.plus(self.cost(&entry.key));
            cost = cost.plus(self.cost(&entry.value));
            key = key.union(self.size_or_unknown(&entry.key));
            value = value.union(self.size_or_unknown(&entry.value));
        }
        if map.entries.is_empty() {
            (key.least, value.least) = (0, 0);
        }
        let entry = EntrySize {
            is_list: false,
            key,
            value,
        };
        self.entries.insert(part.id, entry);
        cost
    }

    fn comprehension(&mut self, part: &IdedExpr, of: &ComprehensionExpr) -> NumberRange {
        let range = self.cost(&of.iter_range);
        let init = self.cost(&of.accu_init);
        let base = self.scope.len();
        self.bind(&of.accu_var, &of.accu_init);
        self.iterate(of);
        let condition = self.cost(&of.loop_cond);
        let step = self.cost(&of.loop_step);
        self.scope.truncate(base + 1);
        let result = self.cost(&of.result);
        self.scope.truncate(base);
        let times = self.size_or_unknown(&of.iter_range);
        match of.accu_init.expr {
            Ast::Literal(_) => {
                if let Some(size) = self.size(&of.accu_init) {
                    self.sizes.insert(part.id, size);
                }
            }
            Ast::List(_) | Ast::Map(_) => {
                self.sizes.insert(part.id, times);
                if let Some(entry) = self.entry(&of.loop_step) {
                    self.entries.insert(part.id, entry);
                }
            }
            _ => {}
        }
        range
            .plus(init)
            .plus(result)
            .plus(times.times(step.plus(condition)))
    }

    /// Adds the names for an item: of a list its position and value, of a map its key and value. One name alone is the
    /// value of a list, and the key of a map.
    fn iterate(&mut self, of: &ComprehensionExpr) {
        let range = &of.iter_range;
        let entry = self.entry(range);
        let is_list = entry.map_or_else(
            || matches!(self.facts.type_of(range), Type::List(_)),
            |entry| entry.is_list,
        );
        let mut push = |name: &str, step: SizeStep, size: Option<NumberRange>| {
            let path = self.path(range);
            let path = Some(self.paths.append(path, step));
            self.scope.push(SizedLoopVariable {
                name: name.to_owned(),
                path,
                size,
                entry: None,
            });
        };
        let (key, value) = (entry.map(|entry| entry.key), entry.map(|entry| entry.value));
        let step = if is_list {
            SizeStep::Items
        } else {
            SizeStep::Values
        };
        match &of.iter_var2 {
            Some(second) => {
                let first = if is_list {
                    SizeStep::Positions
                } else {
                    SizeStep::Keys
                };
                push(&of.iter_var, first, key);
                push(second, step, value);
            }
            None if is_list => push(&of.iter_var, step, value),
            None => push(&of.iter_var, SizeStep::Keys, key),
        }
    }

    /// A macro that only gives a value a name.
    fn binding(&mut self, part: &IdedExpr, of: &ComprehensionExpr) -> NumberRange {
        let range = self.cost(&of.iter_range);
        let init = self.cost(&of.accu_init);
        let base = self.scope.len();
        self.bind(&of.accu_var, &of.accu_init);
        let result = self.cost(&of.result);
        self.scope.truncate(base);
        self.copy_sizes(part, &of.result);
        range.plus(init).plus(result)
    }

    /// Adds a name for a value.
    fn bind(&mut self, name: &str, value: &IdedExpr) {
        let local = SizedLoopVariable {
            name: name.to_owned(),
            path: self.path(value),
            size: self.size(value),
            entry: self.entry(value),
        };
        self.scope.push(local);
    }

    fn operand<'e>(&mut self, part: &'e IdedExpr) -> Operand<'e> {
        Operand {
            part,
            path: self.path(part),
            of: self.facts.type_of(part),
            size: self.size(part),
        }
    }

    fn path(&self, part: &IdedExpr) -> Option<SizePath> {
        if let Ast::Ident(name) = &part.expr
            && let Some(local) = self.local(name)
        {
            return local.path;
        }
        self.places.get(&part.id).copied()
    }

    /// Notes that a part stands one step from another.
    fn step(&mut self, part: &IdedExpr, from: &IdedExpr, step: SizeStep) {
        let path = self.path(from);
        let path = self.paths.append(path, step);
        self.places.insert(part.id, path);
    }

    /// The size of a part, as CEL's `size()` would give it; scalars have the size 1.
    fn size(&mut self, part: &IdedExpr) -> Option<NumberRange> {
        if let Some(size) = self.sizes.get(&part.id) {
            return Some(*size);
        }
        if let Some(size) = literal_size(part) {
            return Some(NumberRange::exactly(size));
        }
        let path = self.path(part);
        if let Some(size) = path.and_then(|path| self.paths.size(path, self.root)) {
            self.sizes.insert(part.id, size);
            return Some(size);
        }
        if is_scalar(&self.facts.type_of(part)) {
            return Some(NumberRange::ONE);
        }
        match &part.expr {
            Ast::Ident(name) => self.local(name)?.size,
            _ => None,
        }
    }

    fn size_or_unknown(&mut self, part: &IdedExpr) -> NumberRange {
        self.size(part).unwrap_or(NumberRange::UNKNOWN)
    }

    fn entry(&self, part: &IdedExpr) -> Option<EntrySize> {
        if let Some(entry) = self.entries.get(&part.id) {
            return Some(*entry);
        }
        match &part.expr {
            Ast::Ident(name) => self.local(name)?.entry,
            _ => None,
        }
    }

    fn copy_sizes(&mut self, to: &IdedExpr, from: &IdedExpr) {
        if let Some(size) = self.size(from) {
            self.sizes.insert(to.id, size);
        }
        if let Some(entry) = self.entry(from) {
            self.entries.insert(to.id, entry);
        }
    }
}

/// Whether a loop goes over nothing: it only gives a value a name.
fn is_binding(of: &ComprehensionExpr) -> bool {
    let is_empty = matches!(&of.iter_range.expr, Ast::List(list) if list.elements.is_empty());
    let never =
        matches!(&of.loop_cond.expr, Ast::Literal(LiteralValue::Boolean(value)) if !*value.inner());
    is_empty && never
}

/// The size of a literal. A list or map that is written out has one even if its items are not literals.
fn literal_size(part: &IdedExpr) -> Option<u64> {
    let size = match &part.expr {
        Ast::Literal(LiteralValue::String(text)) => text.inner().chars().count(),
        Ast::Literal(LiteralValue::Bytes(bytes)) => bytes.inner().len(),
        Ast::Literal(_) => 1,
        Ast::List(list) => list.elements.len(),
        Ast::Map(map) => map.entries.len(),
        _ => return None,
    };
    Some(size as u64)
}

/// Whether all values of a type are of one size.
fn is_scalar(of: &Type) -> bool {
    match of {
        Type::Bool | Type::Double | Type::Duration | Type::Int | Type::Timestamp | Type::Uint => {
            true
        }
        Type::Optional(inner) => is_scalar(inner),
        _ => false,
    }
}
