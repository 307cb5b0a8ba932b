//! From text to a program: every name and function resolved, every macro spelled out.

mod calls;

use std::sync::Arc;

use cel::common::ast::{
    ComprehensionExpr, EntryExpr, Expr as Ast, IdedExpr, LiteralValue, SourceInfo, operators,
};
use cel::parser::Parser;

use super::syntax::{Comprehension, Expr, Goes};
use super::value::{Text, Value};
use super::{MAX_DEPTH, MAX_LENGTH, Minor};
use crate::diagnostics::suggest;

/// The names that an expression can use.
#[derive(Clone, Debug)]
pub struct Names<'a> {
    /// The environment's, such as `object`; by position.
    pub globals: &'a [&'a str],
    /// The policy's own `variables` that are declared so far; by position. Nothing where
    /// `variables` is no name at all.
    pub variables: Option<&'a [String]>,
}

/// An expression that is ready to be evaluated.
#[derive(Debug)]
pub struct Program {
    /// Its text.
    pub text: String,
    pub(super) root: Expr,
    /// The oldest Kubernetes that can run it, and the function that asks for it.
    pub since: Option<(Minor, &'static str)>,
    /// The functions it uses that no Kubernetes has.
    pub not_in_kubernetes: Option<&'static str>,
    /// Which of the environment's names it uses.
    pub uses: Vec<usize>,
    /// Which of the policy's own variables it uses.
    pub variables: Vec<usize>,
    /// Where in the text, in characters, it names which of the environment's names.
    pub mentions: Vec<(usize, usize)>,
}

/// Why a text is no program.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CompileError {
    /// What is wrong.
    pub message: String,
    /// What to write instead.
    pub help: Option<String>,
    /// Line and column in the text, from 1.
    pub position: Option<(usize, usize)>,
    /// The API server does not refuse it: its compiler panics.
    pub panics: bool,
}

/// Compiles an expression. To be called with a large stack: parsing recurses.
///
/// # Errors
/// It cannot be parsed, is too long or nested too deeply, or uses unknown names.
pub fn compile(text: &str, names: &Names<'_>) -> Result<Program, Vec<CompileError>> {
    let refuse = |message: String, help: &str| {
        vec![CompileError {
            message,
            help: Some(help.to_owned()),
            position: None,
            panics: false,
        }]
    };
    if text.len() > MAX_LENGTH {
        return Err(refuse(
            format!(
                "the expression has {} bytes; at most {MAX_LENGTH} are read",
                text.len()
            ),
            "split it into `variables` or several `validations`",
        ));
    }
    if nesting(text) > MAX_DEPTH / 4 {
        return Err(refuse(
            format!(
                "the expression opens more than {} brackets at once",
                MAX_DEPTH / 4
            ),
            "give its parts names in `variables`",
        ));
    }
    let parser = Parser::new()
        .enable_optional_syntax(true)
        .enable_ident_escape_syntax(true)
        .max_recursion_depth(250);
    let (ast, info) = match parser.parse_with_source_info(text) {
        Ok(parsed) => parsed,
        Err(errors) => return Err(parse_errors(text, &errors.errors)),
    };
    let mut lowering = Lowering {
        names,
        info: &info,
        text,
        scope: Vec::new(),
        accumulators: Vec::new(),
        depth: 0,
        errors: Vec::new(),
        since: None,
        not_in_kubernetes: None,
        uses: Vec::new(),
        variables: Vec::new(),
        mentions: Vec::new(),
    };
    let root = lowering.lower(&ast);
    let Lowering {
        errors,
        since,
        not_in_kubernetes,
        uses,
        variables,
        mut mentions,
        ..
    } = lowering;
    mentions.sort_unstable();
    mentions.dedup();
    if errors.is_empty() {
        Ok(Program {
            text: text.to_owned(),
            root,
            since,
            not_in_kubernetes,
            uses,
            variables,
            mentions,
        })
    } else {
        Err(errors)
    }
}

/// How many brackets are open at once, at most; texts and comments not looked into.
fn nesting(text: &str) -> usize {
    let (mut open, mut most) = (0usize, 0usize);
    for byte in text.bytes() {
        match byte {
            b'(' | b'[' | b'{' => {
                open += 1;
                most = most.max(open);
            }
            b')' | b']' | b'}' => open = open.saturating_sub(1),
            _ => {}
        }
    }
    most
}

fn parse_errors(text: &str, errors: &[cel::ParseError]) -> Vec<CompileError> {
    let mut found: Vec<CompileError> = errors
        .iter()
        .filter(|error| !error.msg.contains("No `"))
        .map(|error| {
            let message = error.msg.trim_start_matches("Syntax error: ");
            let line = usize::try_from(error.pos.0).unwrap_or(0);
            let column = usize::try_from(error.pos.1).unwrap_or(0);
            CompileError {
                message: match message {
                    _ if message.contains("Recursion limit") => {
                        "it is nested too deeply".to_owned()
                    }
                    _ if message.contains("<EOF>") => {
                        "it ends too early: something is still open, or an operand is missing"
                            .to_owned()
                    }
                    _ if message.contains("token recognition error") => {
                        let what = message.rsplit("at: ").next().unwrap_or_default();
                        match what.trim().trim_matches('\'').trim() {
                            "=" => "`=` does not belong here: `==` compares".to_owned(),
                            what => format!("`{what}` does not belong here"),
                        }
                    }
                    _ => match message.split('\'').nth(1) {
                        Some(token) => format!("`{token}` does not belong here"),
                        None => message.to_owned(),
                    },
                },
                help: None,
                position: (line > 0 && line <= text.lines().count() && column > 0)
                    .then_some((line, column)),
                panics: false,
            }
        })
        .collect();
    found.truncate(1);
    if found.is_empty() {
        found.push(CompileError {
            message: "it is no expression".to_owned(),
            help: None,
            position: None,
            panics: false,
        });
    }
    found
}

struct Lowering<'a> {
    names: &'a Names<'a>,
    info: &'a SourceInfo,
    text: &'a str,
    /// The names of the comprehensions around.
    scope: Vec<String>,
    /// Which of them are lists that are being built.
    accumulators: Vec<usize>,
    depth: usize,
    errors: Vec<CompileError>,
    since: Option<(Minor, &'static str)>,
    not_in_kubernetes: Option<&'static str>,
    uses: Vec<usize>,
    variables: Vec<usize>,
    mentions: Vec<(usize, usize)>,
}

const NOTHING: Expr = Expr::Constant(Value::Null);

impl Lowering<'_> {
    fn error(&mut self, at: &IdedExpr, message: impl Into<String>, help: Option<String>) -> Expr {
        let position = self.info.offset_for(at.id).map(|(start, _)| {
            let before: String = self.text.chars().take(start as usize).collect();
            let line = before.matches('\n').count() + 1;
            let column = before
                .rsplit('\n')
                .next()
                .unwrap_or_default()
                .chars()
                .count()
                + 1;
            (line, column)
        });
        if self.errors.len() < 10 {
            self.errors.push(CompileError {
                message: message.into(),
                help,
                position,
                panics: false,
            });
        }
        NOTHING
    }

    fn needs(&mut self, since: Minor, what: &'static str) {
        if since > self.since.map_or(0, |(known, _)| known) {
            self.since = Some((since, what));
        }
    }

    fn lower(&mut self, ast: &IdedExpr) -> Expr {
        self.depth += 1;
        let lowered = if self.depth > MAX_DEPTH {
            if self.errors.is_empty() {
                self.error(
                    ast,
                    format!("it is nested more than {MAX_DEPTH} levels deep"),
                    Some("give its parts names in `variables`".to_owned()),
                );
            }
            NOTHING
        } else {
            self.lower_one(ast)
        };
        self.depth -= 1;
        lowered
    }

    fn boxed(&mut self, ast: &IdedExpr) -> Box<Expr> {
        Box::new(self.lower(ast))
    }

    fn lower_one(&mut self, ast: &IdedExpr) -> Expr {
        match &ast.expr {
            Ast::Unspecified => self.error(ast, "something is missing here", None),
            Ast::Literal(literal) => Expr::Constant(constant(literal)),
            Ast::Ident(name) => self.name(ast, name),
            Ast::Select(select) => {
                if let Some(found) = self.qualified(ast) {
                    return found;
                }
                let is_variables = matches!(&select.operand.expr, Ast::Ident(name)
                    if name == "variables" && !self.scope.contains(name));
                if let (true, Some(variables)) = (is_variables, self.names.variables) {
                    return match variables.iter().position(|known| *known == select.field) {
                        Some(_) if select.test => Expr::Constant(Value::Bool(true)),
                        Some(at) => {
                            if !self.variables.contains(&at) {
                                self.variables.push(at);
                            }
                            Expr::Variable(at)
                        }
                        None => self.error(
                            ast,
                            format!("`variables.{}` is not declared above", select.field),
                            suggest(&select.field, variables.iter().map(String::as_str)),
                        ),
                    };
                }
                let is_request = matches!(&select.operand.expr, Ast::Ident(name)
                    if name == "request" && !self.scope.contains(name));
                if is_request && ["userInfo", "options", "uid"].contains(&select.field.as_str()) {
                    self.lower(&select.operand);
                    return Expr::OnlyInCluster("who makes a request, and how");
                }
                let of = self.boxed(&select.operand);
                let field = select.field.as_str().into();
                if select.test {
                    Expr::Has { of, field }
                } else {
                    Expr::Select {
                        of,
                        field,
                        optional: false,
                    }
                }
            }
            Ast::List(list) => {
                let mut items = Vec::new();
                for (at, element) in list.elements.iter().enumerate() {
                    let optional = list.optional_indices.contains(&at);
                    if optional {
                        self.needs(28, "optional values");
                    }
                    items.push((self.lower(element), optional));
                }
                let constants: Option<Vec<Value<'static>>> = items
                    .iter()
                    .map(|(item, optional)| match item {
                        Expr::Constant(value) if !optional => Some(value.clone()),
                        _ => None,
                    })
                    .collect();
                match constants {
                    // One that grows is made anew for each loop.
                    Some(constants) if !constants.is_empty() => {
                        Expr::Constant(Value::list(constants))
                    }
                    _ => Expr::List(items),
                }
            }
            Ast::Map(map) => {
                let mut entries = Vec::new();
                for entry in &map.entries {
                    if let EntryExpr::MapEntry(entry) = &entry.expr {
                        if entry.optional {
                            self.needs(28, "optional values");
                        }
                        let key = self.lower(&entry.key);
                        entries.push((key, self.lower(&entry.value), entry.optional));
                    }
                }
                Expr::Map(entries)
            }
            Ast::Struct(structure) => {
                let name = structure.type_name.clone();
                self.error(
                    ast,
                    format!("`{name}{{…}}` makes a message, and Kubernetes' expressions have none"),
                    Some("write a map: `{\"key\": value}`".to_owned()),
                )
            }
            Ast::Comprehension(comprehension) => self.comprehension(comprehension),
            Ast::Call(call) => self.call(ast, call),
        }
    }

    fn name(&mut self, ast: &IdedExpr, name: &str) -> Expr {
        let name = name.strip_prefix('.').unwrap_or(name);
        if let Some(at) = self.scope.iter().rposition(|known| known == name) {
            return Expr::Local(at);
        }
        if let Some(at) = self.names.globals.iter().position(|known| *known == name) {
            if !self.uses.contains(&at) {
                self.uses.push(at);
            }
            if let Some((start, _)) = self.info.offset_for(ast.id) {
                self.mentions.push((start as usize, at));
            }
            return Expr::Global(at);
        }
        if let Some(known) = TYPES.iter().find(|known| **known == name) {
            return Expr::Constant(Value::Type(Text::Borrowed(known)));
        }
        let known = self.scope.iter().map(String::as_str);
        let known = known.chain(self.names.globals.iter().copied());
        let variables = self.names.variables.map(|_| "variables");
        let help = suggest(
            name,
            known.chain(variables).filter(|name| !name.starts_with('@')),
        );
        self.error(ast, format!("unknown name `{name}`"), help)
    }

    /// `google.protobuf.Timestamp` and the like.
    fn qualified(&mut self, ast: &IdedExpr) -> Option<Expr> {
        let name = dotted(ast)?;
        let root = name.split('.').next().unwrap_or_default();
        if self.scope.iter().any(|known| known == root) || self.names.globals.contains(&root) {
            return None;
        }
        let known = TYPES.iter().find(|known| **known == name)?;
        Some(Expr::Constant(Value::Type(Text::Borrowed(known))))
    }

    fn comprehension(&mut self, comprehension: &ComprehensionExpr) -> Expr {
        let over = self.lower(&comprehension.iter_range);
        let start = self.lower(&comprehension.accu_init);
        let goes_on = match &comprehension.loop_cond.expr {
            Ast::Call(call) if call.func_name == operators::NOT_STRICTLY_FALSE => {
                match &call.args[0].expr {
                    Ast::Call(inner) if inner.func_name == operators::LOGICAL_NOT => {
                        Goes::UntilTrue
                    }
                    _ => Goes::UntilFalse,
                }
            }
            _ => Goes::Always,
        };
        let base = self.scope.len();
        self.scope.push(comprehension.accu_var.clone());
        if matches!(start, Expr::List(_)) {
            self.accumulators.push(base);
        }
        self.scope.push(comprehension.iter_var.clone());
        if let Some(second) = &comprehension.iter_var2 {
            self.scope.push(second.clone());
        }
        let step = self.lower(&comprehension.loop_step);
        self.scope.truncate(base + 1);
        self.accumulators.retain(|at| *at != base);
        let result = self.lower(&comprehension.result);
        self.scope.truncate(base);
        Expr::Comprehension(Box::new(Comprehension {
            over,
            two_names: comprehension.iter_var2.is_some(),
            start,
            goes_on,
            step,
            result,
        }))
    }
}

/// `a.b.c`, when that is all there is.
fn dotted(ast: &IdedExpr) -> Option<String> {
    match &ast.expr {
        Ast::Ident(name) => Some(name.clone()),
        Ast::Select(select) if !select.test => {
            Some(format!("{}.{}", dotted(&select.operand)?, select.field))
        }
        _ => None,
    }
}

fn constant(literal: &LiteralValue) -> Value<'static> {
    match literal {
        LiteralValue::Boolean(value) => Value::Bool(*value.inner()),
        LiteralValue::Bytes(bytes) => Value::Bytes(bytes.inner().into()),
        LiteralValue::Double(number) => Value::Double(*number.inner()),
        LiteralValue::Int(number) => Value::Int(*number.inner()),
        LiteralValue::Null => Value::Null,
        LiteralValue::String(text) => Value::Text(Text::Shared(Arc::from(text.inner()))),
        LiteralValue::UInt(number) => Value::Uint(*number.inner()),
    }
}

/// Types that have names.
const TYPES: &[&str] = &[
    "bool",
    "bytes",
    "double",
    "int",
    "list",
    "map",
    "null_type",
    "string",
    "type",
    "uint",
    "optional_type",
    "google.protobuf.Duration",
    "google.protobuf.Timestamp",
    "kubernetes.Quantity",
    "kubernetes.URL",
    "kubernetes.Semver",
    "net.IP",
    "net.CIDR",
];
