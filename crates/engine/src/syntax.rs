//! Templates and expressions as trees of our own. minijinja parses.

use std::sync::Arc;

use minijinja::machinery::ast;
use minijinja::machinery::{parse, parse_expr};
use minijinja::syntax::SyntaxConfig;

use super::foreign::Operator;
use super::value::Data;
use super::{TemplateError, TemplateErrorKind, filters};

/// A statement, and the line that it begins on.
#[derive(Debug)]
pub struct Statement {
    /// What it does.
    pub kind: StatementKind,
    /// From 1.
    pub line: usize,
}

/// What a statement does.
#[derive(Debug)]
pub enum StatementKind {
    /// Text of the template itself.
    Text(Arc<str>),
    /// Prints a value.
    Print(Expression),
    /// `{% for %}`
    For(Box<Loop>),
    /// `{% if %}`
    If(Box<Condition>),
    /// `{% with %}`
    With(Vec<(AssignmentTarget, Expression)>, Vec<Statement>),
    /// `{% set name = … %}`
    Set(AssignmentTarget, Expression),
    /// `{% set name %}…{% endset %}`, with a filter.
    SetBlock(AssignmentTarget, Option<Expression>, Vec<Statement>),
    /// `{% filter … %}`
    Filter(Expression, Vec<Statement>),
    /// `{% import … as name %}`
    Import(Expression, AssignmentTarget),
    /// `{% from … import a as b %}`
    From(Expression, Vec<(Arc<str>, Arc<str>)>),
    /// `{% include … %}`; whether nothing happens if there is none.
    Include(Expression, bool),
    /// `{% macro %}`
    Macro(Arc<Macro>),
    /// `{% call macro() %}`
    Call(Expression, Arc<Macro>),
    /// `{% do … %}`
    Do(Expression),
}

/// A loop.
#[derive(Debug)]
pub struct Loop {
    /// What an item is called.
    pub target: AssignmentTarget,
    /// What is gone through.
    pub over: Expression,
    /// Which items are taken.
    pub filter: Option<Expression>,
    /// What is done with each.
    pub body: Vec<Statement>,
    /// What is done if there is none.
    pub otherwise: Vec<Statement>,
}

/// A condition.
#[derive(Debug)]
pub struct Condition {
    /// What is asked.
    pub test: Expression,
    /// What is done if so.
    pub then: Vec<Statement>,
    /// What is done if not.
    pub otherwise: Vec<Statement>,
    /// The names that either branch sets.
    pub sets: Vec<Arc<str>>,
}

/// A macro.
#[derive(Debug)]
pub struct Macro {
    /// Its name.
    pub name: Arc<str>,
    /// What its arguments are called, and what they are if they are not given.
    pub parameters: Vec<(Arc<str>, Option<Expression>)>,
    /// What it prints.
    pub body: Vec<Statement>,
}

/// What a value is assigned to.
#[derive(Debug)]
pub enum AssignmentTarget {
    /// A name.
    Name(Arc<str>),
    /// The items of a list.
    Several(Vec<AssignmentTarget>),
}

/// An expression, and the line that it stands on.
#[derive(Debug)]
pub struct Expression {
    /// What it is.
    pub kind: ExpressionKind,
    /// From 1.
    pub line: usize,
}

/// What an expression is.
#[derive(Debug)]
pub enum ExpressionKind {
    /// A value of the template itself.
    Constant(Data),
    /// A name.
    Name(Arc<str>),
    /// `value.key`
    Attribute(Box<Expression>, Arc<str>),
    /// `value[key]`
    Index(Box<Expression>, Box<Expression>),
    /// `value[start:stop:step]`
    Slice(Box<[Option<Expression>; 4]>),
    /// `not value`
    Not(Box<Expression>),
    /// `-value`
    Negative(Box<Expression>),
    /// An operator between two values.
    Binary(Operator, Box<[Expression; 2]>),
    /// `a < b < c`
    Compare(Box<Expression>, Vec<(Operator, Expression)>),
    /// `a ~ b`
    Concatenation(Box<[Expression; 2]>),
    /// `a and b`
    And(Box<[Expression; 2]>),
    /// `a or b`
    Or(Box<[Expression; 2]>),
    /// `a if b else c`: the condition, and both values.
    If(Box<Expression>, Box<Expression>, Option<Box<Expression>>),
    /// `value | filter(…)`; without a value, what a block prints.
    Filter(Arc<str>, Option<Box<Expression>>, CallArguments),
    /// `value is test(…)`
    Test(Arc<str>, Box<Expression>, CallArguments),
    /// `name(…)`, `value.name(…)`
    Call(Box<Expression>, CallArguments),
    /// `[a, b]`
    List(Vec<Expression>),
    /// `{a: b}`
    Map(Vec<(Expression, Expression)>),
}

/// Arguments by position, and by name.
#[derive(Debug, Default)]
pub struct CallArguments {
    /// By position.
    pub positional: Vec<Expression>,
    /// By name.
    pub named: Vec<(Arc<str>, Expression)>,
}

/// Reads a template.
///
/// # Errors
///
/// What is wrong with its syntax, or not part of the language.
pub fn template(text: &str, name: &str) -> Result<Vec<Statement>, TemplateError> {
    let syntax = SyntaxConfig::builder()
        .trim_blocks(true)
        .lstrip_blocks(true)
        .build()
        .unwrap_or_default();
    match parse(text, name, syntax).map_err(|error| refused(&error))? {
        ast::Stmt::Template(template) => statements(&template.children),
        _ => Ok(Vec::new()),
    }
}

/// Reads an expression.
///
/// # Errors
///
/// As [`template`].
pub fn expression(text: &str) -> Result<Expression, TemplateError> {
    expression_of(&parse_expr(text).map_err(|error| refused(&error))?)
}

fn refused(error: &minijinja::Error) -> TemplateError {
    let detail = error.detail();
    TemplateError {
        reason: TemplateErrorKind::Syntax(
            detail.map_or_else(|| error.kind().to_string(), str::to_owned),
        ),
        template: None,
        line: error.line(),
    }
}

fn unsupported(message: impl Into<String>, span: minijinja::machinery::Span) -> TemplateError {
    TemplateError {
        reason: TemplateErrorKind::Syntax(message.into()),
        template: None,
        line: Some(span.start_line.into()),
    }
}

fn statements(list: &[ast::Stmt<'_>]) -> Result<Vec<Statement>, TemplateError> {
    list.iter().map(statement).collect()
}

fn statement(statement: &ast::Stmt<'_>) -> Result<Statement, TemplateError> {
    use StatementKind as Kind;
    let (kind, span) = match statement {
        ast::Stmt::EmitRaw(one) => (Kind::Text(one.raw.into()), one.span()),
        ast::Stmt::EmitExpr(one) => (Kind::Print(expression_of(&one.expr)?), one.span()),
        ast::Stmt::ForLoop(one) => {
            if one.recursive {
                return Err(unsupported(
                    "loops cannot be recursive; write a macro that calls itself",
                    one.span(),
                ));
            }
            let made = Loop {
                target: target(&one.target)?,
                over: expression_of(&one.iter)?,
                filter: one.filter_expr.as_ref().map(expression_of).transpose()?,
                body: statements(&one.body)?,
                otherwise: statements(&one.else_body)?,
            };
            (Kind::For(Box::new(made)), one.span())
        }
        ast::Stmt::IfCond(one) => {
            let (then, otherwise) = (statements(&one.true_body)?, statements(&one.false_body)?);
            let mut sets = Vec::new();
            names_set(&then, &mut sets);
            names_set(&otherwise, &mut sets);
            let test = expression_of(&one.expr)?;
            (
                Kind::If(Box::new(Condition {
                    test,
                    then,
                    otherwise,
                    sets,
                })),
                one.span(),
            )
        }
        ast::Stmt::WithBlock(one) => {
            let assigned = one.assignments.iter();
            let assigned: Result<Vec<_>, TemplateError> = assigned
                .map(|(name, value)| Ok((target(name)?, expression_of(value)?)))
                .collect();
            (Kind::With(assigned?, statements(&one.body)?), one.span())
        }
        ast::Stmt::Set(one) => (
            Kind::Set(target(&one.target)?, expression_of(&one.expr)?),
            one.span(),
        ),
        ast::Stmt::SetBlock(one) => {
            let filter = one.filter.as_ref().map(expression_of).transpose()?;
            (
                Kind::SetBlock(target(&one.target)?, filter, statements(&one.body)?),
                one.span(),
            )
        }
        ast::Stmt::FilterBlock(one) => (
            Kind::Filter(expression_of(&one.filter)?, statements(&one.body)?),
            one.span(),
        ),
        ast::Stmt::Import(one) => (
            Kind::Import(expression_of(&one.expr)?, target(&one.name)?),
            one.span(),
        ),
        ast::Stmt::FromImport(one) => {
            let mut names = Vec::new();
            for (name, alias) in &one.names {
                let known = name_of(name)?;
                let alias = alias.as_ref().map_or(Ok(known.clone()), name_of)?;
                names.push((known, alias));
            }
            (Kind::From(expression_of(&one.expr)?, names), one.span())
        }
        ast::Stmt::Include(one) => (
            Kind::Include(expression_of(&one.name)?, one.ignore_missing),
            one.span(),
        ),
        ast::Stmt::Macro(one) => (Kind::Macro(Arc::new(macro_of(one)?)), one.span()),
        ast::Stmt::CallBlock(one) => {
            let call = call_of(&one.call)?;
            let line = one.span().start_line.into();
            (
                Kind::Call(
                    Expression { kind: call, line },
                    Arc::new(macro_of(&one.macro_decl)?),
                ),
                one.span(),
            )
        }
        ast::Stmt::Do(one) => {
            let line = one.span().start_line.into();
            (
                Kind::Do(Expression {
                    kind: call_of(&one.call)?,
                    line,
                }),
                one.span(),
            )
        }
        ast::Stmt::Template(_)
        | ast::Stmt::AutoEscape(_)
        | ast::Stmt::Block(_)
        | ast::Stmt::Extends(_) => return Err(left_out(statement)),
    };
    Ok(Statement {
        kind,
        line: span.start_line.into(),
    })
}

/// A statement of the language that templates cannot use here.
fn left_out(statement: &ast::Stmt<'_>) -> TemplateError {
    let (message, span) = match statement {
        ast::Stmt::Template(one) => ("a template within a template", one.span()),
        ast::Stmt::AutoEscape(one) => (
            "nothing is escaped, so `autoescape` has no effect; remove it",
            one.span(),
        ),
        ast::Stmt::Block(one) => (
            "blocks are for templates that extend others, which is not possible here; write a macro",
            one.span(),
        ),
        ast::Stmt::Extends(one) => (
            "templates cannot extend others; import macros, or include",
            one.span(),
        ),
        _ => unreachable!("`statement` reads all others"),
    };
    unsupported(message, span)
}

fn macro_of(one: &ast::Spanned<ast::Macro<'_>>) -> Result<Macro, TemplateError> {
    let first_default = one.args.len() - one.defaults.len().min(one.args.len());
    let mut parameters = Vec::new();
    for (at, parameter) in one.args.iter().enumerate() {
        let default = at
            .checked_sub(first_default)
            .and_then(|at| one.defaults.get(at));
        parameters.push((name_of(parameter)?, default.map(expression_of).transpose()?));
    }
    Ok(Macro {
        name: one.name.into(),
        parameters,
        body: statements(&one.body)?,
    })
}

/// The names that statements set where they stand; blocks with names of their own are left out.
fn names_set(list: &[Statement], names: &mut Vec<Arc<str>>) {
    fn of_target(target: &AssignmentTarget, names: &mut Vec<Arc<str>>) {
        match target {
            AssignmentTarget::Name(name) => names.push(name.clone()),
            AssignmentTarget::Several(all) => all.iter().for_each(|one| of_target(one, names)),
        }
    }
    for statement in list {
        match &statement.kind {
            StatementKind::Set(target, _)
            | StatementKind::SetBlock(target, ..)
            | StatementKind::Import(_, target) => of_target(target, names),
            StatementKind::From(_, all) => names.extend(all.iter().map(|(_, alias)| alias.clone())),
            StatementKind::Macro(one) => names.push(one.name.clone()),
            StatementKind::If(condition) => names.extend(condition.sets.iter().cloned()),
            _ => {}
        }
    }
}

fn name_of(expression: &ast::Expr<'_>) -> Result<Arc<str>, TemplateError> {
    match expression {
        ast::Expr::Var(name) => Ok(name.id.into()),
        other => Err(unsupported("a name belongs here", other.span())),
    }
}

fn target(expression: &ast::Expr<'_>) -> Result<AssignmentTarget, TemplateError> {
    match expression {
        ast::Expr::Var(name) => Ok(AssignmentTarget::Name(name.id.into())),
        ast::Expr::List(list) => several(&list.items),
        ast::Expr::Tuple(list) => several(&list.items),
        other => Err(unsupported(
            "values are assigned to names only",
            other.span(),
        )),
    }
}

fn several(items: &[ast::Expr<'_>]) -> Result<AssignmentTarget, TemplateError> {
    Ok(AssignmentTarget::Several(
        items.iter().map(target).collect::<Result<_, _>>()?,
    ))
}

fn boxed(expression: &ast::Expr<'_>) -> Result<Box<Expression>, TemplateError> {
    Ok(Box::new(expression_of(expression)?))
}

fn pair(a: &ast::Expr<'_>, b: &ast::Expr<'_>) -> Result<Box<[Expression; 2]>, TemplateError> {
    Ok(Box::new([expression_of(a)?, expression_of(b)?]))
}

fn expression_of(expression: &ast::Expr<'_>) -> Result<Expression, TemplateError> {
    use ExpressionKind as Kind;
    let kind = match expression {
        ast::Expr::Var(one) => Kind::Name(one.id.into()),
        ast::Expr::Const(one) => Kind::Constant(constant(&one.value)),
        ast::Expr::GetAttr(one) => Kind::Attribute(boxed(&one.expr)?, one.name.into()),
        ast::Expr::GetItem(one) => Kind::Index(boxed(&one.expr)?, boxed(&one.subscript_expr)?),
        ast::Expr::Slice(one) => {
            let part = |part: &Option<ast::Expr<'_>>| part.as_ref().map(expression_of).transpose();
            let of = Some(expression_of(&one.expr)?);
            Kind::Slice(Box::new([
                of,
                part(&one.start)?,
                part(&one.stop)?,
                part(&one.step)?,
            ]))
        }
        ast::Expr::UnaryOp(one) => match one.op {
            ast::UnaryOpKind::Not => Kind::Not(boxed(&one.expr)?),
            ast::UnaryOpKind::Neg => Kind::Negative(boxed(&one.expr)?),
        },
        ast::Expr::BinOp(one) => {
            let both = pair(&one.left, &one.right)?;
            match operator(one.op) {
                Some(operator) => Kind::Binary(operator, both),
                None => match one.op {
                    ast::BinOpKind::ScAnd => Kind::And(both),
                    ast::BinOpKind::ScOr => Kind::Or(both),
                    _ => Kind::Concatenation(both),
                },
            }
        }
        ast::Expr::Compare(one) => {
            let more = one.ops.iter();
            let more: Result<Vec<_>, TemplateError> = more
                .map(|next| Ok((comparison(next.op), expression_of(&next.expr)?)))
                .collect();
            Kind::Compare(boxed(&one.expr)?, more?)
        }
        ast::Expr::IfExpr(one) => {
            let otherwise = one.false_expr.as_ref().map(boxed).transpose()?;
            Kind::If(boxed(&one.test_expr)?, boxed(&one.true_expr)?, otherwise)
        }
        ast::Expr::Filter(one) => {
            let Some(name) = filters::known(one.name) else {
                return Err(unsupported(
                    format!("there is no filter `{}`", one.name),
                    one.span(),
                ));
            };
            let of = one.expr.as_ref().map(boxed).transpose()?;
            Kind::Filter(name.into(), of, arguments(&one.args, one.span())?)
        }
        ast::Expr::Test(one) => {
            if !filters::is_test(one.name) {
                return Err(unsupported(
                    format!("there is no test `{}`", one.name),
                    one.span(),
                ));
            }
            Kind::Test(
                one.name.into(),
                boxed(&one.expr)?,
                arguments(&one.args, one.span())?,
            )
        }
        ast::Expr::Call(one) => call_of(one)?,
        ast::Expr::List(one) => Kind::List(
            one.items
                .iter()
                .map(expression_of)
                .collect::<Result<_, _>>()?,
        ),
        ast::Expr::Tuple(one) => Kind::List(
            one.items
                .iter()
                .map(expression_of)
                .collect::<Result<_, _>>()?,
        ),
        ast::Expr::Map(one) => {
            let pairs = one.keys.iter().zip(&one.values);
            let pairs: Result<Vec<_>, TemplateError> = pairs
                .map(|(key, value)| Ok((expression_of(key)?, expression_of(value)?)))
                .collect();
            Kind::Map(pairs?)
        }
    };
    Ok(Expression {
        kind,
        line: expression.span().start_line.into(),
    })
}

fn call_of(one: &ast::Spanned<ast::Call<'_>>) -> Result<ExpressionKind, TemplateError> {
    Ok(ExpressionKind::Call(
        boxed(&one.expr)?,
        arguments(&one.args, one.span())?,
    ))
}

fn arguments(
    list: &[ast::CallArg<'_>],
    span: minijinja::machinery::Span,
) -> Result<CallArguments, TemplateError> {
    let mut arguments = CallArguments::default();
    for argument in list {
        match argument {
            ast::CallArg::Pos(value) => arguments.positional.push(expression_of(value)?),
            ast::CallArg::Kwarg(name, value) => {
                arguments
                    .named
                    .push(((*name).into(), expression_of(value)?));
            }
            ast::CallArg::PosSplat(_) | ast::CallArg::KwargSplat(_) => {
                return Err(unsupported(
                    "arguments cannot be spread with `*`; write each",
                    span,
                ));
            }
        }
    }
    Ok(arguments)
}

fn constant(value: &minijinja::Value) -> Data {
    super::foreign::back(value).unwrap_or(Data::Undefined)
}

fn operator(kind: ast::BinOpKind) -> Option<Operator> {
    Some(match kind {
        ast::BinOpKind::Eq => Operator::Equal,
        ast::BinOpKind::Ne => Operator::Unequal,
        ast::BinOpKind::Lt => Operator::Less,
        ast::BinOpKind::Lte => Operator::AtMost,
        ast::BinOpKind::Gt => Operator::Greater,
        ast::BinOpKind::Gte => Operator::AtLeast,
        ast::BinOpKind::Add => Operator::Add,
        ast::BinOpKind::Sub => Operator::Subtract,
        ast::BinOpKind::Mul => Operator::Multiply,
        ast::BinOpKind::Div => Operator::Divide,
        ast::BinOpKind::FloorDiv => Operator::DivideWhole,
        ast::BinOpKind::Rem => Operator::Remainder,
        ast::BinOpKind::Pow => Operator::Power,
        ast::BinOpKind::In => Operator::In,
        ast::BinOpKind::ScAnd | ast::BinOpKind::ScOr | ast::BinOpKind::Concat => return None,
    })
}

fn comparison(kind: ast::CompareOpKind) -> Operator {
    match kind {
        ast::CompareOpKind::Eq => Operator::Equal,
        ast::CompareOpKind::Ne => Operator::Unequal,
        ast::CompareOpKind::Lt => Operator::Less,
        ast::CompareOpKind::Lte => Operator::AtMost,
        ast::CompareOpKind::Gt => Operator::Greater,
        ast::CompareOpKind::Gte => Operator::AtLeast,
        ast::CompareOpKind::In => Operator::In,
        ast::CompareOpKind::NotIn => Operator::NotIn,
    }
}
