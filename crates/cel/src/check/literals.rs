//! What the API server judges once all types are known: lists and maps of one type, and literals that are read when an
//! expression is stored. <https://github.com/google/cel-go/blob/master/cel/validator.go>

use cel::common::ast::{CallExpr, EntryExpr, Expr as Ast, IdedExpr, LiteralValue};

use super::{CompileError, TypeChecker};
use crate::convert;
use crate::functions::{self, FormatPiece};
use crate::types::{Type, is_equivalent};
use crate::value::time::Time;

/// A key, and a value that may be marked with `?`: where each is, and of which type.
pub(super) type MapLiteralEntry = ((u64, Type), (u64, Type, bool));

/// A literal to be judged.
pub(super) enum Literal {
    /// The items of a list: where, of which type, whether marked with `?`.
    List(Vec<(u64, Type, bool)>),
    /// The entries of a map: its key, and its value.
    Map(Vec<MapLiteralEntry>),
    /// `"text".format([…])`
    Format {
        id: u64,
        text: String,
        values: Vec<IdedExpr>,
    },
    /// `duration("…")`, `timestamp("…")`, or `matches("…")`.
    Read { id: u64, wrong: Option<String> },
    /// Nothing to judge.
    None,
}

/// All literals of an expression.
#[derive(Default)]
pub(super) struct Literals(Vec<Literal>);

impl Literals {
    pub(super) fn add(&mut self, literal: Literal) {
        self.0.push(literal);
    }

    /// Notes a literal that a function reads when the expression is stored.
    pub(super) fn call(&mut self, _ast: &IdedExpr, call: &CallExpr) {
        let Some(first) = call.args.first() else {
            return;
        };
        let wrong = match (&first.expr, call.func_name.as_str()) {
            (Ast::Literal(LiteralValue::String(text)), "duration") => {
                convert::parse_duration(text.inner()).is_none().then(|| {
                    format!(
                        "`{}` is not a duration: write `1h30m` or `1.5s`",
                        text.inner()
                    )
                })
            }
            (Ast::Literal(LiteralValue::String(text)), "timestamp") => {
                Time::parse(text.inner()).is_none().then(|| {
                    format!(
                        "`{}` is not a time: write `2026-01-31T12:00:00Z`",
                        text.inner()
                    )
                })
            }
            // As in the API server, `matches(text, pattern)` has its text judged as a pattern, too.
            (Ast::Literal(LiteralValue::String(pattern)), "matches") => {
                functions::pattern_error(pattern.inner())
            }
            _ => return,
        };
        self.add(Literal::Read {
            id: first.id,
            wrong,
        });
    }
}

impl Literal {
    /// A format with its values, if both are literals.
    pub(super) fn format(
        ast: &IdedExpr,
        target: Option<&IdedExpr>,
        arguments: &[IdedExpr],
    ) -> Literal {
        let text = target.map(|target| &target.expr);
        match (text, arguments) {
            (Some(Ast::Literal(LiteralValue::String(text))), [list]) => match &list.expr {
                Ast::List(list) => Literal::Format {
                    id: ast.id,
                    text: text.inner().to_owned(),
                    values: list.elements.clone(),
                },
                _ => Literal::None,
            },
            _ => Literal::None,
        }
    }
}

impl TypeChecker<'_> {
    /// Judges all literals.
    pub(super) fn judge_literals(&mut self) {
        for literal in std::mem::take(&mut self.literals).0 {
            match literal {
                Literal::List(items) => self.one_type(&items),
                Literal::Map(entries) => {
                    let keys: Vec<_> = entries
                        .iter()
                        .map(|((id, of), _)| (*id, of.clone(), false))
                        .collect();
                    let values: Vec<_> = entries.into_iter().map(|(_, value)| value).collect();
                    self.one_type(&keys);
                    self.one_type(&values);
                }
                Literal::Read {
                    id,
                    wrong: Some(wrong),
                } => self.error_at(id, wrong, None),
                Literal::Format { id, text, values } => self.format(id, &text, &values),
                Literal::Read { .. } | Literal::None => {}
            }
        }
    }

    /// All items must be of the type of the first; `dyn` is a type of its own.
    fn one_type(&mut self, items: &[(u64, Type, bool)]) {
        let mut first: Option<Type> = None;
        for (id, of, optional) in items {
            let mut of = self.types.resolve(of, true);
            if *optional {
                let Some(inner) = of.parameters().first().map(|inner| (*inner).clone()) else {
                    self.panic_at(*id);
                    return;
                };
                of = inner;
            }
            match &first {
                None => first = Some(of),
                Some(wanted) if !is_equivalent(wanted, &of) => {
                    let message = format!(
                        "this is of type `{of}`, and what stands before it of type `{wanted}`"
                    );
                    let help = "write `dyn(…)` around each where several types are meant";
                    self.error_at(*id, message, Some(help.to_owned()));
                    return;
                }
                Some(_) => {}
            }
        }
    }

    /// The API server's compiler ends with an error of its own.
    fn panic_at(&mut self, id: u64) {
        let error = CompileError {
            message: "the API server cannot compile `?` with a value whose type is not known"
                .to_owned(),
            help: Some(
                "write `optional.of(…)` or select with `.?` from a value whose type is known"
                    .to_owned(),
            ),
            position: self.position(id),
            panics: true,
        };
        self.errors.insert(0, error);
    }

    fn format(&mut self, id: u64, text: &str, values: &[IdedExpr]) {
        let mut used = 0;
        for piece in functions::pieces(text) {
            let verb = match piece {
                FormatPiece::Text(_) => continue,
                _ if used >= values.len() => {
                    self.error_at(id, "the text has more `%` than there are values", None);
                    return;
                }
                FormatPiece::Wrong(why) => {
                    self.error_at(id, why, None);
                    return;
                }
                FormatPiece::Value(verb, _) => verb,
            };
            let unfit = if verb == 's' {
                self.unfit(&values[used])
            } else {
                self.unfit_number(verb, &values[used])
            };
            if let Some((at, of)) = unfit {
                self.error_at(at, format!("`%{verb}` does not write `{of}`"), None);
                return;
            }
            used += 1;
        }
        if used < values.len() {
            let message = format!(
                "the text has {used} `%`, and there are {} values",
                values.len()
            );
            self.error_at(id, message, None);
        }
    }

    fn known_type(&self, value: &IdedExpr) -> Type {
        self.known
            .get(&value.id)
            .map_or(Type::Dyn, |of| self.types.resolve(of, true))
    }

    /// The part of a value that `%s` does not write.
    fn unfit(&self, value: &IdedExpr) -> Option<(u64, Type)> {
        let of = self.known_type(value);
        let fits = matches!(
            of,
            Type::Dyn
                | Type::List(_)
                | Type::Map(..)
                | Type::Int
                | Type::Uint
                | Type::Double
                | Type::Bool
                | Type::Text
                | Type::Timestamp
                | Type::Bytes
                | Type::Duration
                | Type::Type(_)
                | Type::Null
        );
        if !fits {
            return Some((value.id, of));
        }
        match &value.expr {
            Ast::List(list) => list.elements.iter().find_map(|element| self.unfit(element)),
            Ast::Map(map) => map.entries.iter().find_map(|entry| match &entry.expr {
                EntryExpr::MapEntry(entry) => {
                    self.unfit(&entry.key).or_else(|| self.unfit(&entry.value))
                }
                EntryExpr::StructField(_) => None,
            }),
            _ => None,
        }
    }

    fn unfit_number(&self, verb: char, value: &IdedExpr) -> Option<(u64, Type)> {
        let of = self.known_type(value);
        let fits = matches!(
            (verb, &of),
            (_, Type::Dyn)
                | ('d' | 'b' | 'o' | 'x' | 'X', Type::Int | Type::Uint)
                | ('b', Type::Bool)
                | ('x' | 'X', Type::Text | Type::Bytes)
                | ('e' | 'f', Type::Double | Type::Text)
        );
        (!fits).then_some((value.id, of))
    }
}
