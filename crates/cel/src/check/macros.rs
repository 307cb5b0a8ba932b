//! Loops: those that the parser spells out, and the macros of libraries.

use std::sync::Arc;

use cel::common::ast::{CallExpr, ComprehensionExpr, Expr as Ast, IdedExpr, operators};

use super::names::{NOTHING, attribute};
use super::{LoopVariable, TypeChecker, Typed};
use crate::syntax::{Expr, Fold, Root};
use crate::types::Type;
use crate::value::CelValue;

/// A part of a loop that is checked where its names are known; the position of the accumulator is given.
type LoopPart<'p, 'c> = &'p mut dyn FnMut(&mut TypeChecker<'c>, usize) -> Typed;

/// The parts of a loop.
struct Parts<'p, 'c> {
    condition: LoopPart<'p, 'c>,
    step: LoopPart<'p, 'c>,
    result: LoopPart<'p, 'c>,
}

impl<'c> TypeChecker<'c> {
    /// A loop that the parser spelled out.
    pub(super) fn comprehension(&mut self, ast: &IdedExpr, loops: &ComprehensionExpr) -> Typed {
        let over = self.check(&loops.iter_range);
        let init = self.check(&loops.accu_init);
        if matches!(init.of, Type::Int) && self.is_called(ast, "existsOne") {
            // The parser has it for one name, the API server only for two.
            return self.error(
                ast,
                "unknown function `existsOne`",
                Some("write `exists_one`".to_owned()),
            );
        }
        let names: Vec<&str> = std::iter::once(loops.iter_var.as_str())
            .chain(loops.iter_var2.as_deref())
            .collect();
        self.fold(
            &loops.iter_range,
            over,
            &loops.accu_var,
            init,
            &names,
            Parts {
                condition: &mut |checker, _| checker.check(&loops.loop_cond),
                step: &mut |checker, _| checker.check(&loops.loop_step),
                result: &mut |checker, _| checker.check(&loops.result),
            },
        )
    }

    /// Whether a loop is written as a call of a name: it stands at the bracket behind.
    fn is_called(&self, ast: &IdedExpr, name: &str) -> bool {
        let start = self
            .info
            .and_then(|info| info.offset_for(ast.id))
            .map_or(0, |(start, _)| start as usize);
        let before: String = self.text.chars().take(start).collect();
        before.trim_end().ends_with(name)
    }

    fn fold(
        &mut self,
        range: &IdedExpr,
        over: Typed,
        accumulator: &str,
        init: Typed,
        names: &[&str],
        parts: Parts<'_, 'c>,
    ) -> Typed {
        let of = self.types.resolve(&over.of, false);
        let two = names.len() == 2;
        let (first, second) = match &of {
            Type::List(item) if two => (Type::Int, (**item).clone()),
            Type::List(item) => ((**item).clone(), Type::Dyn),
            Type::Map(key, value) => ((**key).clone(), (**value).clone()),
            Type::Dyn | Type::Error | Type::Param(_) => {
                self.types.assign(&Type::Dyn, &of);
                (Type::Dyn, Type::Dyn)
            }
            other => {
                self.error(
                    range,
                    format!("a loop goes over a list or map, not over `{other}`"),
                    None,
                );
                (Type::Error, Type::Error)
            }
        };
        let base = self.scope.len();
        let is_built = matches!(
            &init.expr,
            Expr::Constant(value) if value.size() == Some(0) && (value.is_list() || value.is_map())
        );
        let local = |name: &str, of: Type, is_built: bool| LoopVariable {
            name: name.to_owned(),
            of,
            is_built,
        };
        self.scope
            .push(local(accumulator, init.of.clone(), is_built));
        self.scope.push(local(
            names.first().copied().unwrap_or_default(),
            first,
            false,
        ));
        if let Some(name) = names.get(1) {
            self.scope.push(local(name, second, false));
        }
        let condition = (parts.condition)(self, base);
        self.assert(range, &Type::Bool, &condition.of);
        let step = (parts.step)(self, base);
        self.assert(range, &init.of, &step.of);
        self.scope.truncate(base + 1);
        let result = (parts.result)(self, base);
        self.scope.truncate(base);
        let of = self.types.resolve(&result.of, false);
        let fold = Fold {
            over: over.expr,
            two_names: two,
            init: init.expr,
            condition: condition.expr,
            step: step.expr,
            result: result.expr,
        };
        Typed::new(Expr::Fold(Box::new(fold)), of)
    }

    fn assert(&mut self, at: &IdedExpr, wanted: &Type, found: &Type) {
        if !self.types.assign(wanted, found) {
            let (wanted, found) = (
                self.types.resolve(wanted, true),
                self.types.resolve(found, true),
            );
            self.error(
                at,
                format!("this loop needs `{wanted}` where it has `{found}`"),
                None,
            );
        }
    }

    /// What a macro of a library stands for.
    pub(super) fn expand(&mut self, ast: &IdedExpr, call: &CallExpr) -> Option<Typed> {
        let target = call.target.as_deref()?;
        let name = call.func_name.as_str();
        Some(match (name, call.args.as_slice()) {
            ("optMap" | "optFlatMap", [variable, body]) => {
                self.optional_map(ast, target, variable, body, name == "optFlatMap")
            }
            ("sortBy", [variable, key]) => self.sort_by(ast, target, variable, key),
            ("all" | "exists" | "existsOne" | "exists_one", [first, second, predicate]) => {
                self.two_names(ast, name, target, [first, second], None, predicate)
            }
            ("transformList" | "transformMap" | "transformMapEntry", [first, second, value]) => {
                self.two_names(ast, name, target, [first, second], None, value)
            }
            (
                "transformList" | "transformMap" | "transformMapEntry",
                [first, second, filter, value],
            ) => self.two_names(ast, name, target, [first, second], Some(filter), value),
            _ => return None,
        })
    }

    fn simple_name<'n>(&mut self, ast: &'n IdedExpr) -> Option<&'n str> {
        match &ast.expr {
            Ast::Ident(name) => Some(name),
            _ => {
                self.error(ast, "a name for the item stands here", None);
                None
            }
        }
    }

    /// `target.hasValue() ? optional.of(<body, with the value as a name>) : optional.none()`
    fn optional_map(
        &mut self,
        ast: &IdedExpr,
        target: &IdedExpr,
        variable: &IdedExpr,
        body: &IdedExpr,
        flat: bool,
    ) -> Typed {
        self.needs(28, "optional values");
        let Some(name) = self.simple_name(variable) else {
            return NOTHING;
        };
        let of = self.check(target);
        let shared = Arc::new(of.expr);
        let again = |of: &Type| Typed::new(Expr::Shared(Arc::clone(&shared)), of.clone());
        let has_value = self.apply(ast, "hasValue", true, vec![again(&of.of)]);
        let value = self.apply(ast, "value", true, vec![again(&of.of)]);
        let range = Typed::new(
            Expr::Constant(CelValue::list(Vec::new())),
            Type::list(self.types.fresh()),
        );
        let mapped = self.fold(
            ast,
            range,
            name,
            value,
            &["#unused"],
            Parts {
                condition: &mut |_, _| {
                    Typed::new(Expr::Constant(CelValue::Bool(false)), Type::Bool)
                },
                step: &mut |checker, base| checker.itself(base),
                result: &mut |checker, _| checker.check(body),
            },
        );
        let mapped = if flat {
            mapped
        } else {
            self.apply(ast, "optional.of", false, vec![mapped])
        };
        let none = self.apply(ast, "optional.none", false, Vec::new());
        self.apply(
            ast,
            operators::CONDITIONAL,
            false,
            vec![has_value, mapped, none],
        )
    }

    /// The accumulator of a loop.
    fn itself(&self, base: usize) -> Typed {
        Typed::new(attribute(Root::Local(base)), self.scope[base].of.clone())
    }

    /// A list, and a list of keys, one for each of its items.
    fn sort_by(
        &mut self,
        ast: &IdedExpr,
        target: &IdedExpr,
        variable: &IdedExpr,
        key: &IdedExpr,
    ) -> Typed {
        self.needs(34, "sortBy");
        let is_sortable = matches!(
            target.expr,
            Ast::List(_) | Ast::Select(_) | Ast::Ident(_) | Ast::Comprehension(_) | Ast::Call(_)
        );
        if !is_sortable {
            return self.error(target, "`sortBy` sorts a list", None);
        }
        let Some(name) = self.simple_name(variable) else {
            return NOTHING;
        };
        let list = self.check(target);
        let range = Typed::new(
            Expr::Constant(CelValue::list(Vec::new())),
            Type::list(self.types.fresh()),
        );
        self.fold(
            ast,
            range,
            "@__sortBy_input__",
            list,
            &["#unused"],
            Parts {
                condition: &mut |_, _| {
                    Typed::new(Expr::Constant(CelValue::Bool(false)), Type::Bool)
                },
                step: &mut |checker, base| checker.itself(base),
                result: &mut |checker, base| {
                    let list = checker.itself(base);
                    let keys = checker.map_to(ast, base, name, key);
                    checker.apply(ast, "@sortByAssociatedKeys", true, vec![list, keys])
                },
            },
        )
    }

    /// `list.map(name, value)`
    fn map_to(&mut self, ast: &IdedExpr, list: usize, name: &str, value: &IdedExpr) -> Typed {
        let over = self.itself(list);
        let empty = Typed::new(
            Expr::Constant(CelValue::list(Vec::new())),
            Type::list(self.types.fresh()),
        );
        self.fold(
            ast,
            over,
            "@result",
            empty,
            &[name],
            Parts {
                condition: &mut |_, _| Typed::new(Expr::Constant(CelValue::Bool(true)), Type::Bool),
                step: &mut |checker, base| {
                    let value = checker.check(value);
                    checker.grown(ast, base, value)
                },
                result: &mut |checker, base| checker.itself(base),
            },
        )
    }

    /// The list that a loop builds, with one item more.
    fn grown(&mut self, ast: &IdedExpr, to: usize, item: Typed) -> Typed {
        let list = self.itself(to);
        let one = Typed::new(Expr::Constant(CelValue::Null), Type::list(item.of.clone()));
        let of = self.apply(ast, operators::ADD, false, vec![list, one]).of;
        let is_literal = matches!(item.expr, Expr::Constant(_));
        let item = Box::new(item.expr);
        Typed::new(
            Expr::Append {
                to,
                item,
                is_literal,
            },
            of,
        )
    }

    /// The macros with two names for an item: position and value, or key and value.
    /// <https://pkg.go.dev/github.com/google/cel-go/ext#TwoVarComprehensions>
    fn two_names(
        &mut self,
        ast: &IdedExpr,
        name: &str,
        target: &IdedExpr,
        variables: [&IdedExpr; 2],
        filter: Option<&IdedExpr>,
        body: &IdedExpr,
    ) -> Typed {
        self.needs(32, "loops with two names");
        let (Some(first), Some(second)) = (
            self.simple_name(variables[0]),
            self.simple_name(variables[1]),
        ) else {
            return NOTHING;
        };
        if first == second {
            return self.error(
                variables[1],
                format!("`{name}` needs two different names"),
                None,
            );
        }
        let over = self.check(target);
        let truth = |value: bool| Typed::new(Expr::Constant(CelValue::Bool(value)), Type::Bool);
        let one = || Typed::new(Expr::Constant(CelValue::Int(1)), Type::Int);
        let key_type = self.types.fresh();
        let init = match name {
            "all" => truth(true),
            "exists" => truth(false),
            "existsOne" | "exists_one" => Typed::new(Expr::Constant(CelValue::Int(0)), Type::Int),
            "transformList" => Typed::new(
                Expr::Constant(CelValue::list(Vec::new())),
                Type::list(self.types.fresh()),
            ),
            _ => Typed::new(
                Expr::Constant(CelValue::Map(Arc::default())),
                Type::map(key_type, self.types.fresh()),
            ),
        };
        let mut condition = |checker: &mut TypeChecker<'c>, base: usize| {
            let accumulator = checker.itself(base);
            match name {
                "all" => {
                    checker.apply(ast, operators::NOT_STRICTLY_FALSE, false, vec![accumulator])
                }
                "exists" => {
                    let not = checker.apply(ast, operators::LOGICAL_NOT, false, vec![accumulator]);
                    checker.apply(ast, operators::NOT_STRICTLY_FALSE, false, vec![not])
                }
                _ => truth(true),
            }
        };
        let mut step = |checker: &mut TypeChecker<'c>, base: usize| {
            let accumulator = checker.itself(base);
            let filter = filter.map(|filter| checker.check(filter));
            let next = match name {
                "all" | "exists" => {
                    let word = if name == "all" {
                        operators::LOGICAL_AND
                    } else {
                        operators::LOGICAL_OR
                    };
                    let body = checker.check(body);
                    return checker.apply(ast, word, false, vec![accumulator, body]);
                }
                "existsOne" | "exists_one" => {
                    let body = checker.check(body);
                    let more = checker.apply(ast, operators::ADD, false, vec![accumulator, one()]);
                    let same = checker.itself(base);
                    return checker.apply(
                        ast,
                        operators::CONDITIONAL,
                        false,
                        vec![body, more, same],
                    );
                }
                "transformList" => {
                    let value = checker.check(body);
                    checker.grown(ast, base, value)
                }
                "transformMap" => checker.inserted(ast, base, body),
                _ => checker.all_inserted(ast, base, body),
            };
            match filter {
                Some(filter) => {
                    let same = checker.itself(base);
                    checker.apply(ast, operators::CONDITIONAL, false, vec![filter, next, same])
                }
                None => next,
            }
        };
        let mut result = |checker: &mut TypeChecker<'c>, base: usize| {
            let accumulator = checker.itself(base);
            match name {
                "existsOne" | "exists_one" => {
                    checker.apply(ast, operators::EQUALS, false, vec![accumulator, one()])
                }
                _ => accumulator,
            }
        };
        let parts = Parts {
            condition: &mut condition,
            step: &mut step,
            result: &mut result,
        };
        self.fold(target, over, "@result", init, &[first, second], parts)
    }

    /// The map that a loop builds, with an entry of the item's key.
    fn inserted(&mut self, ast: &IdedExpr, to: usize, body: &IdedExpr) -> Typed {
        let of = self.scope[to].of.clone();
        let key = Typed::new(
            attribute(Root::Local(to + 1)),
            self.scope[to + 1].of.clone(),
        );
        let value = self.check(body);
        self.assert(ast, &Type::map(key.of.clone(), value.of.clone()), &of);
        let expr = Expr::Insert {
            to,
            key: Box::new(key.expr),
            value: Box::new(value.expr),
        };
        Typed::new(expr, self.types.resolve(&of, false))
    }

    /// The map that a loop builds, with all entries of another.
    fn all_inserted(&mut self, ast: &IdedExpr, to: usize, body: &IdedExpr) -> Typed {
        let of = self.scope[to].of.clone();
        let entries = self.check(body);
        self.assert(ast, &entries.of, &of);
        let expr = Expr::InsertAll {
            to,
            entries: Box::new(entries.expr),
        };
        Typed::new(expr, self.types.resolve(&of, false))
    }
}
