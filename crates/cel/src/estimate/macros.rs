//! Macros of libraries, spelled out as the API server spells them out. Those of the language are spelled out by the parser.
//!
//! Sources: `cel/library.go`, `ext/comprehensions.go` and `ext/lists.go` of
//! <https://github.com/google/cel-go/tree/v0.26.0>.

use cel::common::ast::{
    CallExpr, ComprehensionExpr, Expr as Ast, IdedExpr, ListExpr, LiteralValue, MapExpr, operators,
};

use super::{Estimator, ResolvedCall};
use crate::types::Type;

const RESULT: &str = "@result";
const UNUSED: &str = "#unused";

impl Estimator<'_> {
    /// What the call of a macro stands for; the outermost part keeps the id of the call.
    pub(super) fn expanded(&mut self, id: u64, call: &CallExpr) -> Option<IdedExpr> {
        let target = call.target.as_deref()?;
        let mut maker = Maker {
            estimator: self,
            id,
            made: 0,
        };
        let name = call.func_name.as_str();
        match (name, call.args.as_slice()) {
            ("optMap" | "optFlatMap", [variable, body]) => {
                Some(maker.optional(target, ident(variable)?, body, name == "optFlatMap"))
            }
            ("sortBy", [variable, key]) => Some(maker.sorted(target, ident(variable)?, key)),
            ("all" | "exists" | "existsOne" | "exists_one", [first, second, body]) => {
                let names = [ident(first)?, ident(second)?];
                Some(maker.quantified(name, target, names, body))
            }
            (
                "transformList" | "transformMap" | "transformMapEntry",
                [first, second, rest @ ..],
            ) => {
                let (filter, body) = match rest {
                    [body] => (None, body),
                    [filter, body] => (Some(filter), body),
                    _ => return None,
                };
                let names = [ident(first)?, ident(second)?];
                Some(maker.transformed(name, target, names, filter, body))
            }
            _ => None,
        }
    }
}

fn ident(part: &IdedExpr) -> Option<&str> {
    match &part.expr {
        Ast::Ident(name) => Some(name),
        _ => None,
    }
}

/// Makes the parts that a macro stands for.
struct Maker<'m, 's> {
    estimator: &'m mut Estimator<'s>,
    /// Of the call of the macro.
    id: u64,
    made: u64,
}

impl Maker<'_, '_> {
    /// A part with an id of its own: the parser counts from 1, and the upper half of an id is free.
    fn part(&mut self, expr: Ast, of: Type) -> IdedExpr {
        self.made += 1;
        let id = (self.made << 32) | self.id;
        self.estimator.facts.types.insert(id, of);
        IdedExpr { id, expr }
    }

    fn call(
        &mut self,
        function: &'static str,
        overload: &'static str,
        target: Option<IdedExpr>,
        args: Vec<IdedExpr>,
        of: Type,
    ) -> IdedExpr {
        let resolved = ResolvedCall {
            function,
            overloads: vec![overload],
            is_method: target.is_some(),
        };
        let call = CallExpr {
            func_name: function.to_owned(),
            target: target.map(Box::new),
            args,
        };
        let made = self.part(Ast::Call(call), of);
        self.estimator.facts.calls.insert(made.id, resolved);
        made
    }

    /// The value that a loop has made so far.
    fn result(&mut self, of: &Type) -> IdedExpr {
        self.name(RESULT, of.clone())
    }

    fn name(&mut self, name: &str, of: Type) -> IdedExpr {
        self.part(Ast::Ident(name.to_owned()), of)
    }

    fn truth(&mut self, value: bool) -> IdedExpr {
        let literal = LiteralValue::Boolean(value.into());
        self.part(Ast::Literal(literal), Type::Bool)
    }

    fn number(&mut self, value: i64) -> IdedExpr {
        self.part(Ast::Literal(LiteralValue::Int(value.into())), Type::Int)
    }

    fn list(&mut self, items: Vec<IdedExpr>) -> IdedExpr {
        let list = ListExpr::new(items);
        self.part(Ast::List(list), Type::list(Type::Dyn))
    }

    fn conditional(&mut self, parts: Vec<IdedExpr>, of: &Type) -> IdedExpr {
        self.call("_?_:_", "conditional", None, parts, of.clone())
    }

    /// A loop, which is all of the macro.
    fn whole(&self, of: ComprehensionExpr) -> IdedExpr {
        IdedExpr {
            id: self.id,
            expr: Ast::Comprehension(Box::new(of)),
        }
    }

    /// `target.hasValue() ? optional.of(<body, with the value as a name>) : optional.none()`
    fn optional(
        &mut self,
        target: &IdedExpr,
        name: &str,
        body: &IdedExpr,
        is_flat: bool,
    ) -> IdedExpr {
        let cost = self.estimator.cost(target);
        self.estimator.shared.insert(target.id, cost);
        let of = self.estimator.facts.type_of(target);
        let inner = of.unwrapped().0.clone();
        let whole = Type::optional(Type::Dyn);
        let has_value = self.call(
            "hasValue",
            "optional_hasValue",
            Some(target.clone()),
            Vec::new(),
            Type::Bool,
        );
        let value = self.call(
            "value",
            "optional_value",
            Some(target.clone()),
            Vec::new(),
            inner.clone(),
        );
        let binding = self.binding(name, value, inner, body.clone());
        let body_type = self.estimator.facts.type_of(body);
        let mut mapped = self.part(Ast::Comprehension(Box::new(binding)), body_type);
        if !is_flat {
            mapped = self.call(
                "optional.of",
                "optional_of",
                None,
                vec![mapped],
                whole.clone(),
            );
        }
        let none = self.call(
            "optional.none",
            "optional_none",
            None,
            Vec::new(),
            whole.clone(),
        );
        let made = self.conditional(vec![has_value, mapped, none], &whole);
        let calls = &mut self.estimator.facts.calls;
        if let Some(resolved) = calls.remove(&made.id) {
            calls.insert(self.id, resolved);
        }
        IdedExpr {
            id: self.id,
            ..made
        }
    }

    /// A loop over nothing, which only gives a value a name.
    fn binding(
        &mut self,
        name: &str,
        value: IdedExpr,
        of: Type,
        body: IdedExpr,
    ) -> ComprehensionExpr {
        ComprehensionExpr {
            iter_range: self.list(Vec::new()),
            iter_var: UNUSED.to_owned(),
            iter_var2: None,
            accu_var: name.to_owned(),
            accu_init: value,
            loop_cond: self.truth(false),
            loop_step: self.name(name, of),
            result: body,
        }
    }

    /// The list, sorted by a list of keys.
    fn sorted(&mut self, target: &IdedExpr, name: &str, key: &IdedExpr) -> IdedExpr {
        const INPUT: &str = "@__sortBy_input__";
        // The checker notes under the id of the macro which overloads sort by keys of this type.
        let resolved = self.estimator.facts.calls.get(&self.id).cloned();
        let of = self.estimator.facts.type_of(target);
        let key_type = self.estimator.facts.type_of(key);
        let keys = Type::list(key_type);
        let range = self.name(INPUT, of.clone());
        let item = self.list(vec![key.clone()]);
        let result = self.result(&keys);
        let map = ComprehensionExpr {
            iter_range: range,
            iter_var: name.to_owned(),
            iter_var2: None,
            accu_var: RESULT.to_owned(),
            accu_init: self.list(Vec::new()),
            loop_cond: self.truth(true),
            loop_step: self.call("_+_", "add_list", None, vec![result, item], keys.clone()),
            result: self.result(&keys),
        };
        let map = self.part(Ast::Comprehension(Box::new(map)), keys);
        let input = self.name(INPUT, of.clone());
        let sorted = self.call(
            "@sortByAssociatedKeys",
            "",
            Some(input),
            vec![map],
            of.clone(),
        );
        if let Some(resolved) = resolved {
            self.estimator.facts.calls.insert(sorted.id, resolved);
        }
        let binding = self.binding(INPUT, target.clone(), of, sorted);
        self.whole(binding)
    }

    /// `all`, `exists` and `existsOne` with two names.
    fn quantified(
        &mut self,
        macro_name: &str,
        target: &IdedExpr,
        names: [&str; 2],
        body: &IdedExpr,
    ) -> IdedExpr {
        let body = body.clone();
        let of = match macro_name {
            "all" | "exists" => Type::Bool,
            _ => Type::Int,
        };
        let result = self.result(&of);
        let (init, condition, step, end) = match macro_name {
            "all" => (
                self.truth(true),
                self.not_false(result),
                self.joined("_&&_", "logical_and", body),
                self.result(&of),
            ),
            "exists" => {
                let not = self.call("!_", "logical_not", None, vec![result], Type::Bool);
                (
                    self.truth(false),
                    self.not_false(not),
                    self.joined("_||_", "logical_or", body),
                    self.result(&of),
                )
            }
            _ => {
                let one = self.number(1);
                let more = self.call("_+_", "add_int64", None, vec![result, one], Type::Int);
                let same = self.result(&of);
                let (end, one) = (self.result(&of), self.number(1));
                (
                    self.number(0),
                    self.truth(true),
                    self.conditional(vec![body, more, same], &of),
                    self.call("_==_", "equals", None, vec![end, one], Type::Bool),
                )
            }
        };
        self.whole(ComprehensionExpr {
            iter_range: target.clone(),
            iter_var: names[0].to_owned(),
            iter_var2: Some(names[1].to_owned()),
            accu_var: RESULT.to_owned(),
            accu_init: init,
            loop_cond: condition,
            loop_step: step,
            result: end,
        })
    }

    fn not_false(&mut self, of: IdedExpr) -> IdedExpr {
        let name = operators::NOT_STRICTLY_FALSE;
        self.call(name, "not_strictly_false", None, vec![of], Type::Bool)
    }

    /// The result so far, and one condition more.
    fn joined(
        &mut self,
        operator: &'static str,
        overload: &'static str,
        body: IdedExpr,
    ) -> IdedExpr {
        let result = self.result(&Type::Bool);
        self.call(operator, overload, None, vec![result, body], Type::Bool)
    }

    /// `transformList`, `transformMap` and `transformMapEntry`.
    fn transformed(
        &mut self,
        macro_name: &str,
        target: &IdedExpr,
        names: [&str; 2],
        filter: Option<&IdedExpr>,
        body: &IdedExpr,
    ) -> IdedExpr {
        const INSERT: &str = "cel.@mapInsert";
        let is_list = macro_name == "transformList";
        let of = if is_list {
            Type::list(Type::Dyn)
        } else {
            Type::map(Type::Dyn, Type::Dyn)
        };
        let result = self.result(&of);
        let body = body.clone();
        let mut step = match macro_name {
            "transformList" => {
                let item = self.list(vec![body]);
                self.call("_+_", "add_list", None, vec![result, item], of.clone())
            }
            "transformMap" => {
                let key = self.name(names[0], Type::Dyn);
                let args = vec![result, key, body];
                self.call(INSERT, "@mapInsert_map_key_value", None, args, of.clone())
            }
            _ => {
                let args = vec![result, body];
                self.call(INSERT, "@mapInsert_map_map", None, args, of.clone())
            }
        };
        if let Some(filter) = filter {
            let same = self.result(&of);
            step = self.conditional(vec![filter.clone(), step, same], &of);
        }
        let init = if is_list {
            self.list(Vec::new())
        } else {
            self.part(Ast::Map(MapExpr::default()), of.clone())
        };
        let whole = ComprehensionExpr {
            iter_range: target.clone(),
            iter_var: names[0].to_owned(),
            iter_var2: Some(names[1].to_owned()),
            accu_var: RESULT.to_owned(),
            accu_init: init,
            loop_cond: self.truth(true),
            loop_step: step,
            result: self.result(&of),
        };
        self.whole(whole)
    }
}
