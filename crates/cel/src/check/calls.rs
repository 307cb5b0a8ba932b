//! Operators, functions and methods, and the overloads that their types leave.

use std::sync::Arc;

use cel::common::ast::{CallExpr, Expr as Ast, IdedExpr, LiteralValue, operators};

use super::literals::Literal;
use super::names::dotted;
use super::{TypeChecker, Typed, WRONG};
use crate::cost;
use crate::estimate::ResolvedCall;
use crate::functions::{self, Declared, Overload};
use crate::syntax::{Attribute, Expr, Qualifier, Root, SelectorKey};
use crate::types::Type;
use crate::value::CelValue;
use tenantry_syntax::diagnostics::suggest;

/// Functions that the API server computes when it compiles, if their argument is a literal.
const CONVERSIONS: &[&str] = &[
    "bool",
    "bytes",
    "double",
    "duration",
    "dyn",
    "int",
    "string",
    "timestamp",
    "type",
    "uint",
];

impl TypeChecker<'_> {
    pub(super) fn call(&mut self, ast: &IdedExpr, call: &CallExpr) -> Typed {
        let name = call.func_name.as_str();
        match (name, call.args.as_slice()) {
            (operators::OPT_SELECT, [of, field]) => {
                self.needs(28, "optional values");
                let Ast::Literal(LiteralValue::String(field)) = &field.expr else {
                    return self.error(ast, "`.?` takes the name of a field", None);
                };
                return self.selection(ast, of, field.inner(), true, false);
            }
            (operators::ADD, [list, item]) if self.is_built(list) => {
                return self.append(ast, list, item);
            }
            _ => {}
        }
        if let Some(expanded) = self.expand(ast, call) {
            return expanded;
        }
        let Some(target) = &call.target else {
            self.literals.call(ast, call);
            return self.function(ast, name, None, &call.args);
        };
        if let Some(space) = dotted(target) {
            let full = format!("{space}.{name}");
            if functions::find(&full).is_some() {
                return self.function(ast, &full, None, &call.args);
            }
        }
        self.literals.call(ast, call);
        self.function(ast, name, Some(target), &call.args)
    }

    fn is_built(&self, ast: &IdedExpr) -> bool {
        match &ast.expr {
            Ast::Ident(name) => {
                let local = self.scope.iter().rev().find(|local| local.name == *name);
                local.is_some_and(|local| local.is_built)
            }
            _ => false,
        }
    }

    /// The macros for lists that grow: in place, or a loop would take quadratic time.
    fn append(&mut self, ast: &IdedExpr, list: &IdedExpr, item: &IdedExpr) -> Typed {
        let (Ast::Ident(name), Ast::List(items)) = (&list.expr, &item.expr) else {
            return WRONG;
        };
        let to = self
            .scope
            .iter()
            .rposition(|local| local.name == *name)
            .unwrap_or(0);
        let [one] = items.elements.as_slice() else {
            return WRONG;
        };
        let one = self.check(one);
        let types = [self.scope[to].of.clone(), Type::list(one.of.clone())];
        let Some((_, _, of)) = self.overload(ast, operators::ADD, false, &types) else {
            return WRONG;
        };
        let is_literal = matches!(one.expr, Expr::Constant(_));
        let item = Box::new(one.expr);
        Typed::new(
            Expr::Append {
                to,
                item,
                is_literal,
            },
            of,
        )
    }

    fn function(
        &mut self,
        ast: &IdedExpr,
        name: &str,
        target: Option<&IdedExpr>,
        arguments: &[IdedExpr],
    ) -> Typed {
        let is_format = name == "format" && target.is_some();
        self.formats += usize::from(is_format);
        let mut typed: Vec<Typed> = arguments
            .iter()
            .map(|argument| self.check(argument))
            .collect();
        if let Some(target) = target {
            typed.insert(0, self.check(target));
        }
        self.formats -= usize::from(is_format);
        if is_format {
            self.literals.add(Literal::format(ast, target, arguments));
        }
        self.apply(ast, name, target.is_some(), typed)
    }

    /// A call of arguments whose types are known.
    pub(super) fn apply(
        &mut self,
        ast: &IdedExpr,
        name: &str,
        is_method: bool,
        arguments: Vec<Typed>,
    ) -> Typed {
        let types: Vec<Type> = arguments
            .iter()
            .map(|argument| argument.of.clone())
            .collect();
        let Some((function, chosen, of)) = self.overload(ast, name, is_method, &types) else {
            return WRONG;
        };
        let arguments: Vec<Expr> = arguments
            .into_iter()
            .map(|argument| argument.expr)
            .collect();
        let expr = self.build(ast, function, chosen, arguments);
        Typed::new(expr, of)
    }

    /// The function of a name, the overload if the types leave just one, and the type of the result.
    fn overload(
        &mut self,
        ast: &IdedExpr,
        name: &str,
        is_method: bool,
        types: &[Type],
    ) -> Option<(&'static Declared, Option<&'static Overload>, Type)> {
        let Some(function) = functions::find(name) else {
            let help = suggest(name, functions::names());
            self.error(ast, format!("unknown function `{name}`"), help);
            return None;
        };
        let mut fitting: Vec<&'static Overload> = Vec::new();
        let mut gives: Option<Type> = None;
        for overload in &function.overloads {
            if overload.is_method != is_method {
                continue;
            }
            let mut known: Vec<(&'static str, Type)> = Vec::new();
            let types_of = &mut self.types;
            let mut param = |name: &'static str| {
                if let Some((_, of)) = known.iter().find(|(other, _)| *other == name) {
                    return of.clone();
                }
                let of = types_of.fresh();
                known.push((name, of.clone()));
                of
            };
            let takes: Vec<Type> = overload
                .takes
                .iter()
                .map(|sig| sig.instance(&mut param))
                .collect();
            let result = overload.gives.instance(&mut param);
            if !self.types.assign_all(types, &takes) {
                continue;
            }
            let result = self.types.resolve(&result, false);
            gives = Some(match gives {
                None => result,
                Some(Type::Dyn) => Type::Dyn,
                Some(first) if first == result => first,
                Some(_) => Type::Dyn,
            });
            fitting.push(overload);
        }
        let Some(gives) = gives else {
            self.no_overload(ast, function, is_method, types);
            return None;
        };
        let since = fitting
            .iter()
            .map(|overload| overload.since)
            .min()
            .unwrap_or(0);
        self.needs(since, function.name);
        let chosen = match fitting.as_slice() {
            [one] => Some(*one),
            _ => None,
        };
        if let Some(calls) = &mut self.calls {
            let resolved = ResolvedCall {
                function: function.name,
                overloads: fitting.iter().map(|overload| overload.id).collect(),
                is_method,
            };
            calls.insert(ast.id, resolved);
        }
        Some((function, chosen, gives))
    }

    /// Says why no overload fits: how it is called, with how many arguments, or of which types.
    fn no_overload(
        &mut self,
        ast: &IdedExpr,
        function: &Declared,
        is_method: bool,
        types: &[Type],
    ) {
        let types: Vec<Type> = types
            .iter()
            .map(|of| self.types.resolve(of, true))
            .collect();
        let name = function.name.trim_matches(['_', '@']);
        let styled: Vec<&&Overload> = function
            .overloads
            .iter()
            .filter(|overload| overload.is_method == is_method)
            .collect();
        if styled.is_empty() {
            let message = if is_method {
                format!("`{name}` is not a method: write `{name}(value)`")
            } else {
                format!("`{name}` is a method: write `value.{name}()`")
            };
            self.error(ast, message, None);
            return;
        }
        let own = usize::from(is_method);
        if !styled
            .iter()
            .any(|overload| overload.takes.len() == types.len())
        {
            let counts = styled.iter().map(|overload| overload.takes.len() - own);
            let (least, most) = (counts.clone().min().unwrap_or(0), counts.max().unwrap_or(0));
            let wanted = if least == most {
                format!("{least}")
            } else {
                format!("{least} to {most}")
            };
            let noun = if most == 1 { "argument" } else { "arguments" };
            self.error(
                ast,
                format!("`{name}` takes {wanted} {noun}, not {}", types.len() - own),
                None,
            );
            return;
        }
        let shown = |types: &[Type]| types.iter().map(|of| format!("`{of}`")).collect::<Vec<_>>();
        let is_operator = function.name.contains(['_', '@']);
        let message = match (is_operator, types.as_slice()) {
            (true, [a, b]) => format!("`{name}` does not work on `{a}` and `{b}`"),
            (true, _) => format!("`{name}` does not work on {}", shown(&types).join(", ")),
            (false, [target, arguments @ ..]) if is_method && arguments.is_empty() => {
                format!("`{name}()` is not a method of `{target}`")
            }
            (false, [target, arguments @ ..]) if is_method => format!(
                "`{name}()` of `{target}` does not take {}",
                shown(arguments).join(", ")
            ),
            _ => format!("`{name}()` does not take {}", shown(&types).join(", ")),
        };
        let open = types.contains(&Type::Dyn);
        let help = (!open).then(|| "the API server checks types before it stores an expression; `dyn(…)` leaves one open".to_owned());
        self.error(ast, message, help);
    }

    fn build(
        &mut self,
        ast: &IdedExpr,
        function: &'static Declared,
        chosen: Option<&'static Overload>,
        mut arguments: Vec<Expr>,
    ) -> Expr {
        let pair = |arguments: Vec<Expr>| <[Expr; 2]>::try_from(arguments).map(Box::new);
        match function.name {
            operators::LOGICAL_AND => {
                return pair(arguments).map_or(Expr::Constant(CelValue::Null), Expr::And);
            }
            operators::LOGICAL_OR => {
                return pair(arguments).map_or(Expr::Constant(CelValue::Null), Expr::Or);
            }
            operators::EQUALS | operators::NOT_EQUALS => {
                let negated = function.name == operators::NOT_EQUALS;
                return pair(arguments).map_or(Expr::Constant(CelValue::Null), |sides| {
                    Expr::Equal { negated, sides }
                });
            }
            operators::NOT_STRICTLY_FALSE => {
                return Expr::NotFalse(Box::new(arguments.remove(0)));
            }
            operators::CONDITIONAL if arguments.len() == 3 => {
                let (no, yes) = (arguments.remove(2), arguments.remove(1));
                let parts = (arguments.remove(0), Attribute::of(yes), Attribute::of(no));
                return super::names::attribute(Root::Conditional(Box::new(parts)));
            }
            operators::INDEX | operators::OPT_INDEX if arguments.len() == 2 => {
                let key = match arguments.remove(1) {
                    Expr::Constant(value) if !value.is_key() => {
                        let kind = value.kind_name();
                        return self
                            .error(ast, format!("{kind} is not a key or position"), None)
                            .expr;
                    }
                    Expr::Constant(value) => SelectorKey::Constant(value),
                    Expr::Attribute(attribute) => SelectorKey::Attribute(attribute),
                    other => SelectorKey::Computed(other),
                };
                let mut attribute = Attribute::of(arguments.remove(0));
                attribute.qualify(Arc::new(Qualifier {
                    key,
                    optional: function.name == operators::OPT_INDEX,
                    tested: false,
                }));
                return Expr::Attribute(attribute);
            }
            "or" | "orValue" if arguments.len() == 2 => {
                let other = Box::new(arguments.remove(1));
                return Expr::OptionalElse {
                    of: Box::new(arguments.remove(0)),
                    other,
                    is_value: function.name == "orValue",
                };
            }
            _ => {}
        }
        self.optimized(ast, function, chosen, arguments)
    }

    /// A call, computed here where the API server computes it when it compiles.
    fn optimized(
        &mut self,
        ast: &IdedExpr,
        function: &'static Declared,
        chosen: Option<&'static Overload>,
        mut arguments: Vec<Expr>,
    ) -> Expr {
        let overload = chosen.map(|overload| overload.id);
        if let [Expr::Constant(value)] = arguments.as_slice()
            && CONVERSIONS.contains(&function.name)
        {
            let computed = function.call(chosen, std::slice::from_ref(value));
            return match computed {
                Ok(value) => Expr::Constant(value),
                Err(error) => self.error(ast, error.to_string(), None).expr,
            };
        }
        if let (Some("in_list"), [_, Expr::Constant(list)]) = (overload, arguments.as_slice()) {
            if list.size() == Some(0) {
                return Expr::Constant(CelValue::Bool(false));
            }
            let is_scalar = |item: &CelValue<'_>| {
                matches!(
                    item,
                    CelValue::Bool(_)
                        | CelValue::Int(_)
                        | CelValue::Uint(_)
                        | CelValue::Double(_)
                        | CelValue::Text(_)
                )
            };
            if list
                .items()
                .is_some_and(|items| items.iter().all(is_scalar))
            {
                let list = list.clone();
                let item = Box::new(arguments.remove(0));
                return Expr::Among { item, list };
            }
        }
        if let ("matches" | "find" | "findAll", Some(Expr::Constant(CelValue::Text(pattern)))) =
            (function.name, arguments.get(1))
            && let Some(why) = functions::pattern_error(pattern.as_str())
        {
            return self.error(ast, why, None).expr;
        }
        Expr::Call {
            function,
            chosen,
            cost: cost::of(function.name, overload),
            arguments,
        }
    }
}
