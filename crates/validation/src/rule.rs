//! Rules of the Common Expression Language: `x-kubernetes-validations`.

use std::cell::RefCell;
use std::sync::{Arc, OnceLock};

use serde_json::Value as Json;

use super::{RefusalReason, types};
use tenantry_cel::estimate::Sizes;
use tenantry_cel::types::Type;
use tenantry_cel::{
    self, Budget, CelValue, CompileError, DeclaredVariable, EvaluationError, Globals, Names,
    Program,
};
use tenantry_engine::schema::Minor;
use tenantry_kubernetes::versions::minor;
use tenantry_syntax::yaml::PathStep;

/// The names that rules of this crate's data can use, by position.
pub(super) const OWN_NAMES: &[&str] = &[
    "self", "oldSelf", "item", "key", "index", "object", "oldItem",
];
/// The names that rules of CRDs can use.
const CRD_NAMES: &[&str] = &["self", "oldSelf"];
/// The position of `oldSelf` among them.
pub(super) const OLD_SELF: usize = 1;

/// A rule.
#[derive(Debug)]
pub struct CrdRule {
    program: LazyExpression,
    pub(super) message: Option<String>,
    message_expression: Option<LazyExpression>,
    pub(super) help: Option<String>,
    /// Below `self` or `item`.
    pub(super) field: Vec<PathStep>,
    /// What a finding points at, if not at the field.
    pub(super) place: Option<Vec<PathStep>>,
    pub(super) reason: RefusalReason,
    /// Whether it is judged without an old value, which then is an empty optional value.
    pub(super) is_old_optional: bool,
    /// Whether it names `oldItem`.
    pub(super) needs_old_item: bool,
    /// Whether it compares with an old object.
    pub(super) is_transition: bool,
    /// The versions of Kubernetes that have it: from the first on, up to before the second.
    pub(super) versions: (Minor, Minor),
    /// The fields of `self` that must all be there; else the rule holds.
    pub(super) guards: Vec<Box<str>>,
    /// The fields of `item` that must all be there.
    pub(super) item_guards: Vec<Box<str>>,
    /// The keys that it is about, where it names them; else the rule holds.
    pub(super) keys: Option<Vec<Box<str>>>,
    /// The places below `self` that it is judged for; none for `self`.
    pub(super) places: Vec<Vec<RulePath>>,
}

/// A step to the places that a rule is judged for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum RulePath {
    /// Into a field.
    Field(Box<str>),
    /// To each item of a list.
    Items,
    /// To each entry of a map.
    Entries,
}

/// An expression, compiled when it is first evaluated.
#[derive(Debug)]
struct LazyExpression {
    text: String,
    of: Sees,
    program: OnceLock<Result<Program, Vec<CompileError>>>,
}

/// What an expression sees.
#[derive(Clone, Debug)]
pub(super) enum Sees {
    /// A rule of this crate's data, with the variables of its place.
    Own(Arc<Variables>),
    /// A rule of a CRD: the types of `self` and `oldSelf`.
    Crd([DeclaredVariable; 2]),
}

impl Sees {
    /// What a rule sees at a place of a CRD's schema; `is_root` for a whole object.
    pub(super) fn crd(schema: &Json, is_root: bool, is_old_optional: bool) -> Sees {
        let own = types::of(schema, is_root);
        let old = if is_old_optional {
            Type::optional(own.clone())
        } else {
            own.clone()
        };
        Sees::Crd(
            [("self", own), ("oldSelf", old)].map(|(name, of)| DeclaredVariable {
                name: name.to_owned(),
                of,
            }),
        )
    }

    /// Compiles an expression of a CRD, and estimates what it costs at most where `self` has these sizes.
    pub(super) fn compile_and_estimate(
        &self,
        text: &str,
        sizes: &Sizes,
    ) -> Result<(Program, u64), Vec<CompileError>> {
        let Sees::Crd(declared) = self else {
            return self.compile(text).map(|program| (program, 0));
        };
        let names = crd_names(declared);
        with_large_stack(|| tenantry_cel::compile_and_estimate(text, &names, sizes))
    }

    /// Compiles an expression that sees it.
    pub(super) fn compile(&self, text: &str) -> Result<Program, Vec<CompileError>> {
        match self {
            Sees::Own(variables) => {
                let names = Names {
                    globals: OWN_NAMES,
                    declared: &[],
                    is_escaped: false,
                    variables: Some(&variables.names),
                };
                tenantry_cel::compile(text, &names)
            }
            Sees::Crd(declared) => {
                let names = crd_names(declared);
                with_large_stack(|| tenantry_cel::compile(text, &names))
            }
        }
    }
}

fn crd_names(declared: &[DeclaredVariable]) -> Names<'_> {
    Names {
        globals: CRD_NAMES,
        declared,
        is_escaped: true,
        variables: None,
    }
}

/// `x-kubernetes-variables`: expressions over `self` that rules of the same place share.
#[derive(Debug, Default)]
pub struct Variables {
    names: Vec<DeclaredVariable>,
    programs: Vec<LazyExpression>,
}

impl Variables {
    /// Reads `[{name, expression}]`.
    pub(super) fn new(json: &Json) -> Variables {
        let mut variables = Variables::default();
        for variable in json.as_array().into_iter().flatten() {
            let text = |key: &str| variable[key].as_str().unwrap_or_default().to_owned();
            let before = Variables {
                names: variables.names.clone(),
                programs: Vec::new(),
            };
            variables.programs.push(LazyExpression::new(
                text("expression"),
                &Sees::Own(Arc::new(before)),
            ));
            variables
                .names
                .push(DeclaredVariable::dynamic(&text("name")));
        }
        variables
    }

    pub(super) fn len(&self) -> usize {
        self.names.len()
    }

    pub(super) fn problems(&self) -> Vec<String> {
        self.programs
            .iter()
            .filter_map(LazyExpression::problem)
            .collect()
    }
}

impl LazyExpression {
    fn new(text: String, of: &Sees) -> LazyExpression {
        LazyExpression {
            text,
            of: of.clone(),
            program: OnceLock::new(),
        }
    }

    fn program(&self) -> Result<&Program, &Vec<CompileError>> {
        let compiled = self.program.get_or_init(|| self.of.compile(&self.text));
        compiled.as_ref()
    }

    fn problem(&self) -> Option<String> {
        let errors = self.program().err()?;
        let error = errors
            .first()
            .map(|error| error.message.clone())
            .unwrap_or_default();
        Some(format!("{error}, in `{}`", self.text))
    }
}

/// Runs with a stack that parsing of others' expressions needs.
pub(super) fn with_large_stack<T: Send>(
    work: impl FnOnce() -> Result<T, Vec<CompileError>> + Send,
) -> Result<T, Vec<CompileError>> {
    std::thread::scope(|scope| {
        let thread = std::thread::Builder::new().stack_size(64 << 20);
        let joined = thread
            .spawn_scoped(scope, work)
            .map(std::thread::ScopedJoinHandle::join);
        joined.map_or_else(
            |_| Err(Vec::new()),
            |result| result.unwrap_or_else(|_| Err(Vec::new())),
        )
    })
}

/// What a rule sees.
pub(super) struct RuleInput<'s, 'a> {
    /// By position in [`OWN_NAMES`].
    pub values: [Option<CelValue<'a>>; 7],
    pub variables: &'a Variables,
    /// The values of variables that were evaluated.
    pub known: &'s RefCell<Vec<Option<Result<CelValue<'a>, EvaluationError>>>>,
}

impl<'a> Globals<'a> for RuleInput<'_, 'a> {
    fn global(&self, index: usize) -> Result<CelValue<'a>, EvaluationError> {
        Ok(self
            .values
            .get(index)
            .cloned()
            .flatten()
            .unwrap_or(CelValue::Null))
    }

    fn variable(
        &self,
        index: usize,
        budget: &mut Budget<'a>,
    ) -> Result<CelValue<'a>, EvaluationError> {
        if let Some(Some(known)) = self.known.borrow().get(index) {
            return known.clone();
        }
        let variables: &'a Variables = self.variables;
        let Some(expression) = variables.programs.get(index) else {
            return Ok(CelValue::Null);
        };
        let result = match expression.program() {
            Ok(program) => tenantry_cel::evaluate(program, self, budget),
            Err(_) => Ok(CelValue::Null),
        };
        if let Some(slot) = self.known.borrow_mut().get_mut(index) {
            *slot = Some(result.clone());
        }
        result
    }
}

/// What a rule says.
pub(super) enum CrdVerdict {
    Holds,
    /// With the message of its expression.
    Refused(Option<String>),
    Failed(EvaluationError),
    /// It is no program: a rule that the API server would not store.
    Unknown,
}

impl CrdRule {
    /// Reads a rule.
    pub(super) fn new(json: &Json, of: &Sees) -> Result<CrdRule, String> {
        let text = |key: &str| json[key].as_str().map(|text| text.trim().to_owned());
        let rule = text("rule").ok_or("a rule without `rule`")?;
        let mut places = Vec::new();
        for place in json["forEach"].as_array().into_iter().flatten() {
            places.push(ways(place.as_str().unwrap_or_default()));
        }
        places.extend(json["forEach"].as_str().map(ways));
        let version = |key: &str| minor(json[key].as_str()?);
        let names_old = |text: &str| text.contains("oldSelf") || text.contains("oldItem");
        let reason = match json["reason"].as_str() {
            Some(name) => {
                RefusalReason::parse(name).ok_or_else(|| format!("unknown reason `{name}`"))?
            }
            None => RefusalReason::Invalid,
        };
        let [guards, item_guards] = guards(&rule);
        Ok(CrdRule {
            is_transition: names_old(&rule),
            versions: (
                version("since").unwrap_or(0),
                version("until").unwrap_or(Minor::MAX),
            ),
            needs_old_item: rule.contains("oldItem"),
            guards,
            item_guards,
            keys: keys(&rule),
            program: LazyExpression::new(rule, of),
            message: text("message"),
            message_expression: text("messageExpression").map(|text| LazyExpression::new(text, of)),
            help: text("help"),
            field: field(json["fieldPath"].as_str().unwrap_or_default())?,
            place: json["place"].as_str().map(field).transpose()?,
            reason,
            is_old_optional: json["optionalOldSelf"].as_bool().unwrap_or(false),
            places,
        })
    }

    /// Whether it is of this crate's data.
    pub(super) fn is_own(&self) -> bool {
        matches!(self.program.of, Sees::Own(_))
    }

    /// Whether it can be broken where `key` is this.
    pub(super) fn is_about(&self, key: Option<&CelValue<'_>>) -> bool {
        match (&self.keys, key.and_then(CelValue::as_str)) {
            (Some(keys), Some(key)) => keys.iter().any(|known| **known == *key),
            _ => true,
        }
    }

    /// Its text.
    pub(super) fn text(&self) -> &str {
        &self.program.text
    }

    /// Why it is no program.
    pub(super) fn problem(&self) -> Option<String> {
        let message = self
            .message_expression
            .as_ref()
            .and_then(LazyExpression::problem);
        self.program.problem().or(message)
    }

    /// Judges.
    pub(super) fn judge<'a>(
        &'a self,
        scene: &RuleInput<'_, 'a>,
        budget: &mut Budget<'a>,
    ) -> CrdVerdict {
        let Ok(program) = self.program.program() else {
            return CrdVerdict::Unknown;
        };
        match tenantry_cel::evaluate(program, scene, budget)
            .and_then(|value| tenantry_cel::truth(&value))
        {
            Ok(true) => CrdVerdict::Holds,
            Ok(false) => {
                let message = self.message_expression.as_ref();
                let message = message.and_then(|expression| expression.program().ok());
                let message =
                    message.and_then(|program| tenantry_cel::evaluate(program, scene, budget).ok());
                let message =
                    message.and_then(|value| value.as_str().map(|text| text.trim().to_owned()));
                CrdVerdict::Refused(message.filter(|text| !text.is_empty() && !text.contains('\n')))
            }
            Err(error) => CrdVerdict::Failed(error),
        }
    }
}

/// `!has(self.a) || !has(item.b) || …`: the fields of `self` and of `item` that a rule is about.
fn guards(rule: &str) -> [Vec<Box<str>>; 2] {
    let mut guards = [Vec::new(), Vec::new()];
    let mut rest = rule;
    loop {
        let (of, after) = match (
            rest.strip_prefix("!has(self."),
            rest.strip_prefix("!has(item."),
        ) {
            (Some(after), _) => (0, after),
            (_, Some(after)) => (1, after),
            _ => break,
        };
        let Some((name, after)) = after.split_once(')') else {
            break;
        };
        let Some(after) = after.trim_start().strip_prefix("||") else {
            break;
        };
        if !name.bytes().all(|b| b.is_ascii_alphanumeric()) {
            break;
        }
        guards[of].push(name.into());
        rest = after.trim_start();
    }
    // `a || b && c` is `a || (b && c)`, so what is left may be anything but a choice of two.
    if has_open_choice(rest) {
        return [Vec::new(), Vec::new()];
    }
    guards
}

/// `!(key in ['a', 'b']) || …`: the keys that a rule is about.
fn keys(rule: &str) -> Option<Vec<Box<str>>> {
    let (list, after) = rule.strip_prefix("!(key in [")?.split_once("])")?;
    let after = after.trim_start().strip_prefix("||")?;
    let keys = list.split(',').map(|key| {
        let key = key.trim().strip_prefix('\'')?.strip_suffix('\'')?;
        let is_plain = |b: u8| b.is_ascii_alphanumeric() || b"./-_".contains(&b);
        key.bytes().all(is_plain).then(|| key.into())
    });
    keys.collect::<Option<_>>()
        .filter(|_| !has_open_choice(after))
}

/// Whether an expression has a `?` of a choice outside brackets and texts.
fn has_open_choice(rule: &str) -> bool {
    let (mut depth, mut quote) = (0, None);
    let bytes = rule.as_bytes();
    for (at, byte) in bytes.iter().enumerate() {
        match (quote, byte) {
            (Some(open), _) if byte == open => quote = None,
            (None, b'\'' | b'"') => quote = Some(byte),
            (None, b'(' | b'[' | b'{') => depth += 1,
            (None, b')' | b']' | b'}') => depth -= 1,
            (None, b'?') if depth == 0 && bytes.get(at + 1) == Some(&b' ') => return true,
            _ => {}
        }
    }
    false
}

/// `spec.containers[].ports[]`, `labels{}`.
fn ways(text: &str) -> Vec<RulePath> {
    let mut ways = Vec::new();
    for part in text.split('.') {
        let name = part.trim_end_matches(['[', ']', '{', '}']);
        if !name.is_empty() {
            ways.push(RulePath::Field(name.into()));
        }
        for bracket in part[name.len()..].chars() {
            match bracket {
                '[' => ways.push(RulePath::Items),
                '{' => ways.push(RulePath::Entries),
                _ => {}
            }
        }
    }
    ways
}

/// `.spec.x`, `['a.b']`, `[0]`.
fn field(text: &str) -> Result<Vec<PathStep>, String> {
    let mut steps = Vec::new();
    let mut rest = text;
    while !rest.is_empty() {
        if let Some(inner) = rest.strip_prefix('[') {
            let (inside, after) = inner
                .split_once(']')
                .ok_or_else(|| format!("`{text}` is no path"))?;
            let bare = inside.trim_matches(['\'', '"']);
            steps.push(match inside.parse() {
                Ok(index) => PathStep::Index(index),
                Err(_) => PathStep::from(bare),
            });
            rest = after;
        } else {
            let inner = rest
                .strip_prefix('.')
                .ok_or_else(|| format!("`{text}` is no path"))?;
            let end = inner.find(['.', '[']).unwrap_or(inner.len());
            steps.push(PathStep::from(&inner[..end]));
            rest = &inner[end..];
        }
    }
    Ok(steps)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keys_are_read() {
        let of = |text| keys(text).map(|keys| keys.join(" "));
        let some = |text: &str| Some(text.to_owned());
        assert_eq!(
            of("!(key in ['a/b', 'c.d']) || item == ''"),
            some("a/b c.d")
        );
        assert_eq!(of("!(key in ['a']) && x"), None);
        assert_eq!(of("!(key in ['a', self.b]) || x"), None);
        assert_eq!(of("!(key in ['a']) || x ? y : z"), None);
        assert_eq!(of("key in ['a'] || x"), None);
    }

    #[test]
    fn guards_are_read() {
        let of = |text| {
            guards(text)
                .iter()
                .flatten()
                .map(std::string::ToString::to_string)
                .collect::<Vec<_>>()
        };
        assert_eq!(
            of("!has(self.a) || !has(item.b) || self.a < self.b"),
            ["a", "b"]
        );
        assert_eq!(of("!has(self.a) || (self.a ? x : y)"), ["a"]);
        assert_eq!(of("!has(self.a) || self.a ? x : y"), Vec::<String>::new());
        assert_eq!(of("!has(self.a) && true"), Vec::<String>::new());
    }
}
