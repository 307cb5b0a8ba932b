//! Operators, functions, methods and macros of an expression, made ready to run.

use cel::common::ast::{CallExpr, Expr as Ast, IdedExpr, LiteralValue, operators};

use super::{Lowering, NOTHING, dotted};
use crate::cel::functions::{self, Function};
use crate::cel::syntax::{Comprehension, Expr, Goes};
use crate::cel::value::Value;
use crate::diagnostics::suggest;

impl Lowering<'_> {
    pub(super) fn call(&mut self, ast: &IdedExpr, call: &CallExpr) -> Expr {
        let arguments = &call.args;
        match (call.func_name.as_str(), arguments.as_slice()) {
            (operators::LOGICAL_AND, [a, b]) => Expr::And(self.boxed(a), self.boxed(b)),
            (operators::LOGICAL_OR, [a, b]) => Expr::Or(self.boxed(a), self.boxed(b)),
            (operators::CONDITIONAL, [condition, yes, no]) => Expr::Conditional(Box::new([
                self.lower(condition),
                self.lower(yes),
                self.lower(no),
            ])),
            (operators::INDEX, [of, index]) => Expr::Index {
                of: self.boxed(of),
                index: self.boxed(index),
                optional: false,
            },
            (operators::OPT_INDEX, [of, index]) => {
                self.needs(28, "optional values");
                Expr::Index {
                    of: self.boxed(of),
                    index: self.boxed(index),
                    optional: true,
                }
            }
            (operators::OPT_SELECT, [of, field]) => {
                self.needs(28, "optional values");
                let Ast::Literal(LiteralValue::String(field)) = &field.expr else {
                    return self.error(ast, "`.?` takes the name of a field", None);
                };
                Expr::Select {
                    of: self.boxed(of),
                    field: field.inner().into(),
                    optional: true,
                }
            }
            // The macros for lists that grow: in place, or a loop would take quadratic time.
            (operators::ADD, [list, item]) if self.is_accumulator(list) => {
                let (Ast::Ident(name), Ast::List(items)) = (&list.expr, &item.expr) else {
                    return NOTHING;
                };
                let to = self
                    .scope
                    .iter()
                    .rposition(|known| known == name)
                    .unwrap_or(0);
                match items.elements.as_slice() {
                    [item] => Expr::Append {
                        to,
                        item: self.boxed(item),
                    },
                    _ => NOTHING,
                }
            }
            _ => match &call.target {
                Some(target) => self.method(ast, call, target),
                None => self.function(ast, &call.func_name, None, arguments),
            },
        }
    }

    fn is_accumulator(&self, ast: &IdedExpr) -> bool {
        let Ast::Ident(name) = &ast.expr else {
            return false;
        };
        name.starts_with('@')
            && self
                .scope
                .iter()
                .rposition(|known| known == name)
                .is_some_and(|at| self.accumulators.contains(&at))
    }

    fn method(&mut self, ast: &IdedExpr, call: &CallExpr, target: &IdedExpr) -> Expr {
        let arguments = &call.args;
        let name = call.func_name.as_str();
        if let Some(space) = dotted(target) {
            let root = space.split('.').next().unwrap_or_default();
            let is_name =
                self.scope.iter().any(|known| known == root) || self.names.globals.contains(&root);
            if !is_name {
                if space == "cel" && name == "bind" {
                    return self.bind(ast, arguments);
                }
                let full = format!("{space}.{name}");
                if functions::find(&full).is_some() {
                    return self.function(ast, &full, None, arguments);
                }
            }
        }
        match (name, arguments.as_slice()) {
            ("optMap" | "optFlatMap", [variable, body]) => {
                self.needs(28, "optional values");
                let of = self.boxed(target);
                let Some(body) = self.with_names(ast, &[variable], body) else {
                    return NOTHING;
                };
                Expr::OptionalMap {
                    of,
                    body: Box::new(body),
                    flat: name == "optFlatMap",
                }
            }
            ("or" | "orValue", [other]) => {
                self.needs(28, "optional values");
                Expr::OptionalElse {
                    of: self.boxed(target),
                    other: self.boxed(other),
                    is_value: name == "orValue",
                }
            }
            ("sortBy", [variable, key]) => {
                self.needs(34, "`sortBy()`");
                let of = self.boxed(target);
                let Some(key) = self.with_names(ast, &[variable], key) else {
                    return NOTHING;
                };
                Expr::SortBy {
                    of,
                    key: Box::new(key),
                }
            }
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
            _ => self.function(ast, name, Some(target), arguments),
        }
    }

    /// An expression with more names.
    fn with_names(&mut self, ast: &IdedExpr, names: &[&IdedExpr], body: &IdedExpr) -> Option<Expr> {
        let base = self.scope.len();
        for name in names {
            let Ast::Ident(name) = &name.expr else {
                self.error(ast, "the first argument must be a name for the item", None);
                self.scope.truncate(base);
                return None;
            };
            self.scope.push(name.clone());
        }
        let body = self.lower(body);
        self.scope.truncate(base);
        Some(body)
    }

    fn bind(&mut self, ast: &IdedExpr, arguments: &[IdedExpr]) -> Expr {
        let [name, value, body] = arguments else {
            return self.error(
                ast,
                "`cel.bind` takes a name, its value and an expression",
                None,
            );
        };
        self.not_in_kubernetes = Some("cel.bind");
        let value = self.boxed(value);
        match self.with_names(ast, &[name], body) {
            Some(body) => Expr::Bind {
                value,
                body: Box::new(body),
            },
            None => NOTHING,
        }
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
    ) -> Expr {
        self.needs(32, "loops with two names");
        let over = self.lower(target);
        let mut names = Vec::new();
        for variable in variables {
            match &variable.expr {
                Ast::Ident(name) => names.push(name.clone()),
                _ => {
                    return self.error(
                        ast,
                        format!("the first two arguments of `{name}` are names"),
                        None,
                    );
                }
            }
        }
        if names[0] == names[1] {
            return self.error(ast, format!("`{name}` needs two different names"), None);
        }
        let base = self.scope.len();
        self.scope.push("@result".to_owned());
        self.scope.extend(names);
        let filter = filter.map(|filter| self.lower(filter));
        let lowered = self.lower(body);
        self.scope.truncate(base);
        let accumulator = || Expr::Local(base);
        let truth = |value| Expr::Constant(Value::Bool(value));
        let one = || Expr::Constant(Value::Int(1));
        let plain = |name: &str, arguments| Expr::Call {
            function: functions::known(name),
            arguments,
        };
        let (start, goes_on, step, result) = match name {
            "all" => (
                truth(true),
                Goes::UntilFalse,
                Expr::And(Box::new(accumulator()), Box::new(lowered)),
                accumulator(),
            ),
            "exists" => (
                truth(false),
                Goes::UntilTrue,
                Expr::Or(Box::new(accumulator()), Box::new(lowered)),
                accumulator(),
            ),
            "existsOne" | "exists_one" => (
                Expr::Constant(Value::Int(0)),
                Goes::Always,
                Expr::Conditional(Box::new([
                    lowered,
                    plain("_+_", vec![accumulator(), one()]),
                    accumulator(),
                ])),
                plain("_==_", vec![accumulator(), one()]),
            ),
            _ => {
                let (start, step) = match name {
                    "transformList" => (
                        Expr::List(Vec::new()),
                        Expr::Append {
                            to: base,
                            item: Box::new(lowered),
                        },
                    ),
                    "transformMap" => (
                        Expr::Map(Vec::new()),
                        Expr::Insert {
                            to: base,
                            key: Box::new(Expr::Local(base + 1)),
                            value: Box::new(lowered),
                        },
                    ),
                    _ => (
                        Expr::Map(Vec::new()),
                        Expr::InsertAll {
                            to: base,
                            entries: Box::new(lowered),
                        },
                    ),
                };
                let step = match filter {
                    Some(filter) => Expr::Conditional(Box::new([filter, step, accumulator()])),
                    None => step,
                };
                (start, Goes::Always, step, accumulator())
            }
        };
        Expr::Comprehension(Box::new(Comprehension {
            over,
            two_names: true,
            start,
            goes_on,
            step,
            result,
        }))
    }

    fn function(
        &mut self,
        ast: &IdedExpr,
        name: &str,
        target: Option<&IdedExpr>,
        arguments: &[IdedExpr],
    ) -> Expr {
        let Some(function) = functions::find(name) else {
            let help = suggest(name, functions::names());
            return self.error(ast, format!("unknown function `{name}`"), help);
        };
        let count = arguments.len() + usize::from(target.is_some());
        if let Err(message) = takes(function, target.is_some(), count) {
            return self.error(ast, message, None);
        }
        if function.since == functions::NEVER {
            self.not_in_kubernetes = Some(function.name);
        } else {
            self.needs(function.since, function.name);
        }
        let mut lowered = Vec::with_capacity(count);
        lowered.extend(target.map(|target| self.lower(target)));
        for argument in arguments {
            lowered.push(self.lower(argument));
        }
        if let Err(message) = (function.check)(&constants(&lowered)) {
            return self.error(ast, message, None);
        }
        let is_written = matches!(lowered.get(1), Some(Expr::Constant(Value::Text(_))));
        let function = match function.name {
            "matches" if is_written => functions::known("@matches"),
            "find" if is_written => functions::known("@find"),
            "findAll" if is_written => functions::known("@findAll"),
            _ => function,
        };
        Expr::Call {
            function,
            arguments: lowered,
        }
    }
}

/// The arguments that are known before anything runs.
fn constants(arguments: &[Expr]) -> Vec<Option<&Value<'static>>> {
    arguments
        .iter()
        .map(|argument| match argument {
            Expr::Constant(value) => Some(value),
            _ => None,
        })
        .collect()
}

fn takes(function: &Function, is_method: bool, count: usize) -> Result<(), String> {
    let name = function.name.trim_matches(['_', '@']);
    match (is_method, function.style) {
        (true, functions::Style::Global) => {
            return Err(format!("`{name}` is no method: write `{name}(value)`"));
        }
        (false, functions::Style::Method) => {
            return Err(format!("`{name}` is a method: write `value.{name}()`"));
        }
        _ => {}
    }
    let (least, most) = function.arguments;
    if count < least || count > most {
        let own = usize::from(is_method);
        let (least, most) = (least - own.min(least), most - own.min(most));
        let wanted = if least == most {
            format!("{least}")
        } else {
            format!("{least} to {most}")
        };
        return Err(format!(
            "`{name}` takes {wanted} {}, not {}",
            if most == 1 { "argument" } else { "arguments" },
            count - own
        ));
    }
    Ok(())
}
