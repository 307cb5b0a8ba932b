//! From text to a program: names, types and overloads resolved as cel-go's checker does, macros spelled out, and what the
//! API server refuses refused.
//!
//! * `names`: identifiers, selections, literals.
//! * `calls`: operators, functions and their overloads.
//! * `macros`: loops.
//! * `literals`: what is judged once all types are known.

mod calls;
mod literals;
mod macros;
mod names;
mod syntax_errors;

use std::collections::HashMap;
use std::sync::{Arc, LazyLock, OnceLock, PoisonError, RwLock};

use cel::common::ast::{IdedExpr, SourceInfo};
use cel::parser::{Parser, PrattParser};

use super::estimate::{self, CheckedFacts, ResolvedCall, Sizes};
use super::syntax::Expr;
use super::types::{Substitutions, Type};
use super::value::CelValue;
use super::{MAX_DEPTH, MAX_LENGTH, Minor};
use literals::Literals;

/// The names that an expression can use.
#[derive(Clone, Debug)]
pub struct Names<'a> {
    /// The environment's, such as `object`; by position.
    pub globals: &'a [&'a str],
    /// The types that schemas give to some of them.
    pub declared: &'a [DeclaredVariable],
    /// Whether names of fields are escaped, as in rules of schemas: `__namespace__` for `namespace`.
    pub is_escaped: bool,
    /// The policy's own `variables` that are declared so far; by position. Nothing where
    /// `variables` is no name at all.
    pub variables: Option<&'a [DeclaredVariable]>,
}

/// A name with a type: a variable of a policy, or `self` of a rule in a schema.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DeclaredVariable {
    /// Its name.
    pub name: String,
    /// The type of its expression.
    pub of: Type,
}

impl DeclaredVariable {
    /// A variable whose type is known only when it is evaluated.
    pub fn dynamic(name: &str) -> DeclaredVariable {
        DeclaredVariable {
            name: name.to_owned(),
            of: Type::Dyn,
        }
    }
}

/// An expression that is ready to be evaluated.
#[derive(Debug)]
pub struct Program {
    /// Its text.
    pub text: String,
    pub(super) root: Expr,
    /// The type of what it gives.
    pub gives: Type,
    /// The oldest Kubernetes that can run it, and the function that asks for it.
    pub since: Option<(Minor, &'static str)>,
    /// Which of the environment's names it uses.
    pub uses: Vec<usize>,
    /// Which of the policy's own variables it uses.
    pub variables: Vec<usize>,
    mentions: OnceLock<Vec<(usize, usize)>>,
    /// What the API server accepts, though it hardly means what it says.
    pub remarks: Vec<CompileError>,
}

impl Program {
    /// Where in the text, in characters, it names which of the environment's names; `names` are those that it was compiled
    /// with.
    pub fn mentions(&self, names: &Names<'_>) -> &[(usize, usize)] {
        self.mentions.get_or_init(|| {
            let located = ParsedExpression::located(&self.text);
            let program = located.and_then(|parsed| parsed.compile(names));
            let mentions = program.map(|program| program.mentions.into_inner());
            mentions.ok().flatten().unwrap_or_default()
        })
    }
}

/// What an expression must give: exactly that, and nothing that is known only when it runs.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum WantedType {
    /// Whatever it is.
    Anything,
    /// `bool`
    Bool,
    /// `string`
    Text,
    /// `string` or `null`
    TextOrNull,
}

impl WantedType {
    /// Whether a type is what is wanted.
    pub fn takes(self, of: &Type) -> bool {
        match self {
            WantedType::Anything => true,
            WantedType::Bool => *of == Type::Bool,
            WantedType::Text => *of == Type::Text,
            WantedType::TextOrNull => matches!(of, Type::Text | Type::Null),
        }
    }

    /// It, for a message.
    pub fn words(self) -> &'static str {
        match self {
            WantedType::Anything => "any value",
            WantedType::Bool => "a bool",
            WantedType::Text => "a string",
            WantedType::TextOrNull => "a string or null",
        }
    }

    /// How to get it from another type.
    pub fn help(self) -> &'static str {
        match self {
            WantedType::Bool => "compare the value, such as with `== true`",
            WantedType::Anything | WantedType::Text | WantedType::TextOrNull => {
                "convert the value with `string(…)`"
            }
        }
    }
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

/// Most expressions that are kept, and most bytes of each; beyond, all are forgotten.
const MAX_KNOWN: usize = 4096;
static KNOWN: LazyLock<RwLock<HashMap<Box<str>, Arc<ParsedExpression>>>> =
    LazyLock::new(RwLock::default);

/// An expression whose names and types are not looked at yet.
#[derive(Debug)]
pub struct ParsedExpression {
    text: String,
    ast: IdedExpr,
    /// Where its parts stand. The parser that tells is seventeen times slower, so this is found where somebody asks.
    info: Option<SourceInfo>,
}

impl ParsedExpression {
    /// Parses an expression, if that was not done before: parsing is most of what compiling costs, and a policy is rendered
    /// for each cluster. To be called with a large stack: parsing recurses.
    ///
    /// # Errors
    /// It cannot be parsed, is too long or nested too deeply.
    pub fn new(text: &str) -> Result<Arc<ParsedExpression>, Vec<CompileError>> {
        let known = KNOWN.read().unwrap_or_else(PoisonError::into_inner);
        if let Some(parsed) = known.get(text) {
            return Ok(parsed.clone());
        }
        drop(known);
        let parsed = Arc::new(match quickly(text)? {
            Some(ast) => ParsedExpression {
                text: text.to_owned(),
                ast,
                info: None,
            },
            None => ParsedExpression::located(text)?,
        });
        let mut known = KNOWN.write().unwrap_or_else(PoisonError::into_inner);
        if known.len() >= MAX_KNOWN {
            known.clear();
        }
        if parsed.text.len() <= MAX_KNOWN {
            known.insert(parsed.text.as_str().into(), parsed.clone());
        }
        Ok(parsed)
    }

    /// Parses an expression, and notes where its parts stand.
    fn located(text: &str) -> Result<ParsedExpression, Vec<CompileError>> {
        let parser = Parser::new()
            .enable_optional_syntax(true)
            .max_recursion_depth(250);
        let (ast, info) = parser
            .parse_with_source_info(text)
            .map_err(|errors| syntax_errors::describe(text, &errors.errors))?;
        Ok(ParsedExpression {
            text: text.to_owned(),
            ast,
            info: Some(info),
        })
    }

    /// The program that it is where it can use these names.
    ///
    /// # Errors
    /// The API server refuses it: it is nested too deeply, uses unknown names, or its types do not fit.
    pub fn compile(&self, names: &Names<'_>) -> Result<Program, Vec<CompileError>> {
        let (program, ()) = self.check(names, false, |_, _| ())?;
        Ok(program)
    }
}

/// Compiles an expression. To be called with a large stack: parsing recurses.
///
/// # Errors
/// As for [`ParsedExpression::new`] and [`ParsedExpression::compile`].
pub fn compile(text: &str, names: &Names<'_>) -> Result<Program, Vec<CompileError>> {
    ParsedExpression::new(text)?.compile(names)
}

/// Compiles an expression, and estimates what it may cost at most where `self` has the sizes that are given.
///
/// # Errors
/// As for [`compile`].
pub fn compile_and_estimate(
    text: &str,
    names: &Names<'_>,
    sizes: &Sizes,
) -> Result<(Program, u64), Vec<CompileError>> {
    ParsedExpression::new(text)?.check(names, true, |ast, facts| estimate::most(ast, facts, sizes))
}

impl ParsedExpression {
    /// Compiles the expression; what was parsed, and what the checker found out, are passed on. `keeps_calls` says whether
    /// the overloads are among it.
    fn check<T>(
        &self,
        names: &Names<'_>,
        keeps_calls: bool,
        then: impl FnOnce(&IdedExpr, CheckedFacts) -> T,
    ) -> Result<(Program, T), Vec<CompileError>> {
        let mut checker = TypeChecker {
            names,
            info: self.info.as_ref(),
            text: &self.text,
            scope: Vec::new(),
            types: Substitutions::default(),
            literals: Literals::default(),
            known: HashMap::new(),
            calls: keeps_calls.then(HashMap::new),
            formats: 0,
            depth: 0,
            errors: Vec::new(),
            since: None,
            uses: Vec::new(),
            variables: Vec::new(),
            mentions: Vec::new(),
            remarks: Vec::new(),
        };
        let root = checker.check(&self.ast);
        if checker.errors.is_empty() {
            checker.judge_literals();
        }
        if self.info.is_none() && !(checker.errors.is_empty() && checker.remarks.is_empty()) {
            return ParsedExpression::located(&self.text)?.check(names, keeps_calls, then);
        }
        if !checker.errors.is_empty() {
            return Err(checker.errors);
        }
        checker.mentions.sort_unstable();
        checker.mentions.dedup();
        let program = Program {
            text: self.text.clone(),
            root: root.expr,
            gives: checker.types.resolve(&root.of, true),
            since: checker.since,
            uses: checker.uses,
            variables: checker.variables,
            mentions: match self.info {
                Some(_) => OnceLock::from(checker.mentions),
                None => OnceLock::new(),
            },
            remarks: checker.remarks,
        };
        let facts = CheckedFacts {
            types: checker.known,
            open: checker.types,
            calls: checker.calls.unwrap_or_default(),
        };
        Ok((program, then(&self.ast, facts)))
    }
}

/// Parses an expression, within its bounds. Nothing, if it has an error, or the parser would take more than the API server.
fn quickly(text: &str) -> Result<Option<IdedExpr>, Vec<CompileError>> {
    let refuse = |message: String, help: &str| {
        vec![CompileError {
            message,
            help: Some(help.to_owned()),
            position: None,
            panics: false,
        }]
    };
    if text.chars().count() > MAX_LENGTH {
        return Err(refuse(
            format!("the expression is longer than {MAX_LENGTH} characters"),
            "split it into `variables` or several `validations`",
        ));
    }
    if syntax_errors::nesting(text) > MAX_DEPTH {
        return Err(refuse(
            format!("the expression opens more than {MAX_DEPTH} brackets at once"),
            "give its parts names in `variables`",
        ));
    }
    if syntax_errors::is_peculiar(text) {
        return Ok(None);
    }
    let parser = PrattParser::new()
        .enable_optional_syntax(true)
        .max_recursion_depth(250);
    Ok(parser.parse(text).ok())
}

/// An expression with its type.
struct Typed {
    expr: Expr,
    of: Type,
}

impl Typed {
    const fn new(expr: Expr, of: Type) -> Typed {
        Typed { expr, of }
    }
}

/// A name of a loop.
struct LoopVariable {
    name: String,
    of: Type,
    /// Whether it is a list or map that the loop builds.
    is_built: bool,
}

struct TypeChecker<'a> {
    names: &'a Names<'a>,
    info: Option<&'a SourceInfo>,
    text: &'a str,
    /// The names of the loops around.
    scope: Vec<LoopVariable>,
    types: Substitutions,
    literals: Literals,
    /// The type of each part, by its id.
    known: HashMap<u64, Type>,
    /// The function of each call, kept for an estimate only.
    calls: Option<HashMap<u64, ResolvedCall>>,
    /// How many calls of `format` are around: their lists may hold several types.
    formats: usize,
    depth: usize,
    errors: Vec<CompileError>,
    since: Option<(Minor, &'static str)>,
    uses: Vec<usize>,
    variables: Vec<usize>,
    mentions: Vec<(usize, usize)>,
    remarks: Vec<CompileError>,
}

/// What stands for an expression with an error.
const WRONG: Typed = Typed::new(Expr::Constant(CelValue::Null), Type::Error);

impl TypeChecker<'_> {
    /// Line and column of a part of the expression.
    fn position(&self, id: u64) -> Option<(usize, usize)> {
        let (start, _) = self.info?.offset_for(id)?;
        let before: String = self.text.chars().take(start as usize).collect();
        let line = before.matches('\n').count() + 1;
        let last = before.rsplit('\n').next().unwrap_or_default();
        Some((line, last.chars().count() + 1))
    }

    fn error(&mut self, at: &IdedExpr, message: impl Into<String>, help: Option<String>) -> Typed {
        self.error_at(at.id, message, help);
        WRONG
    }

    fn error_at(&mut self, id: u64, message: impl Into<String>, help: Option<String>) {
        let position = self.position(id);
        if self.errors.len() < 10 {
            self.errors.push(CompileError {
                message: message.into(),
                help,
                position,
                panics: false,
            });
        }
    }

    fn remark(&mut self, at: &IdedExpr, message: String, help: String) {
        self.remarks.push(CompileError {
            message,
            help: Some(help),
            position: self.position(at.id),
            panics: false,
        });
    }

    fn needs(&mut self, since: Minor, what: &'static str) {
        if since > self.since.map_or(0, |(known, _)| known) {
            self.since = Some((since, what));
        }
    }

    fn check(&mut self, ast: &IdedExpr) -> Typed {
        self.depth += 1;
        let checked = if self.depth > MAX_DEPTH {
            if self.errors.is_empty() {
                self.error(
                    ast,
                    format!("it is nested more than {MAX_DEPTH} levels deep"),
                    Some("give its parts names in `variables`".to_owned()),
                );
            }
            WRONG
        } else {
            self.check_one(ast)
        };
        self.known.insert(ast.id, checked.of.clone());
        self.depth -= 1;
        checked
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// What is parsed, without the numbers of its parts, which the parsers give in another order.
    fn plain(ast: &IdedExpr) -> String {
        let text = format!("{ast:?}");
        let mut parts = text.split("id: ");
        let first = parts.next().unwrap_or_default().to_owned();
        parts.fold(first, |plain, part| {
            plain + part.trim_start_matches(|c: char| c.is_ascii_digit())
        })
    }

    /// What the quick parser takes is what the other one takes, also of texts with mistakes.
    #[test]
    fn both_parsers_agree() {
        const TEXTS: [&str; 12] = [
            "!has(self.a) || self.a.all(k, k in self.b && self.b[k] == self.a[k])",
            "object.spec.?template.?spec.orValue({}).?volumes.orValue([]).exists(v, has(v.hostPath))",
            "variables.containers.map(c, 'container ' + c.name + ' of ' + c.?image.orValue(\"none\")).join(', ')",
            "[1, 2u, -3, 1.5e3, 0xff, true, null, b'\\x01', r'a\\b', '''t'''].size() >= {'a': 1, ?'b': x}.size() % 2",
            "a ? b : c ? [d][0] : {e: f}.g(h).i",
            "- 1 < -a.b && !(c != d) || !!e",
            "quantity(string(item)).compareTo(quantity('1Gi')) <= 0",
            "x.transformList(i, v, i > 0, v * 2).filter(y, y / 2 == 1).exists_one(z, z in [1])",
            "'a'.matches('^[a-z]([-a-z0-9]*[a-z0-9])?$') // a remark\n  && true",
            "!-1",
            "rb'a' + 0X1F",
            "'a\nb'",
        ];
        const TOKENS: [&str; 26] = [
            "!", "-", "?", ".", ",", "(", ")", "[", "]", "{", "}", ":", "'", "\"", "\\", "0", "1.",
            "x", "in", "&&", "==", "<", ".?", "[?", "\n", "as",
        ];
        let mut taken = 0;
        for (at, text) in TEXTS.iter().enumerate() {
            for (position, _) in text.char_indices().step_by(2) {
                let token = TOKENS[(at + position) % TOKENS.len()];
                let (before, after) = text.split_at(position);
                let changed = [
                    format!("{before}{token}{after}"),
                    format!("{before}{}", after.get(1..).unwrap_or_default()),
                    (*text).to_owned(),
                ];
                for text in changed {
                    if let Ok(Some(ast)) = quickly(&text) {
                        let located = ParsedExpression::located(&text);
                        let located = located.unwrap_or_else(|error| panic!("{text}: {error:?}"));
                        assert_eq!(plain(&ast), plain(&located.ast), "{text}");
                        taken += 1;
                    }
                }
            }
        }
        assert!(taken > 500, "{taken}");
        let deep = format!("{}c", "a ? b : ".repeat(300));
        for text in [
            &deep,
            "-!a",
            "rb'a'",
            "0X1F",
            r"r'\' + 'a
b' + r'\'",
        ] {
            assert!(ParsedExpression::new(text).is_err(), "{text}");
        }
    }
}
