//! From documents to rules: every expression compiled once, every name looked up.

use std::collections::BTreeMap;

use sha2::{Digest as _, Sha256};

use super::names::{FIRST_OWN, NAMES, OBJECT, PARAMS};
use super::type_check::Expressions;
use crate::model::catalog::Document;
use crate::model::kinds::policy::{
    Case, FailurePolicy, MatchResources, Matching, Parameter, Policy, RuleSeverity, Strength,
    Target, Tests,
};
use crate::model::kinds::{Enforcement, Policy as PolicyKind};
use tenantry_cel::types::Type;
use tenantry_cel::{self, CompileError, DeclaredVariable, Minor, Names, Program, WantedType};
use tenantry_kubernetes::schemas::ObjectSchemas;
use tenantry_syntax::diagnostics::catalogue::Code;
use tenantry_syntax::diagnostics::catalogue::policy as codes;
use tenantry_syntax::diagnostics::{Diagnostic, Sink, Sources};
use tenantry_syntax::yaml::{Node, NodeId, Path, PathStep};

/// A rule that is ready to judge.
#[derive(Debug)]
pub struct Rule {
    /// Its name.
    pub name: String,
    /// What it asks for.
    pub title: String,
    /// The pack that it is of; empty for the repository's own.
    pub pack: String,
    /// How bad it is when it is not met.
    pub severity: RuleSeverity,
    /// What a finding does.
    pub enforcement: Enforcement,
    /// What it judges.
    pub target: Target,
    /// Where it holds.
    pub matching: Matching,
    /// Which objects it judges.
    pub constraints: Option<MatchResources>,
    /// What must be true for it to judge.
    pub conditions: Vec<(String, Program)>,
    /// Whether an error in an expression is a finding.
    pub fails_on_error: bool,
    /// Values that others may set.
    pub parameters: BTreeMap<String, Parameter>,
    /// The defaults of those, as one map.
    pub defaults: Node,
    /// Its own variables.
    pub variables: Vec<(String, Program)>,
    /// What must be true.
    pub validations: Vec<RuleCheck>,
    /// Facts for the audit log of the API server.
    pub annotations: Vec<(String, Program)>,
    /// The controls that it serves.
    pub controls: BTreeMap<String, BTreeMap<String, Strength>>,
    /// Why it is asked for.
    pub rationale: String,
    /// What to write instead.
    pub remediation: String,
    /// Its own cases.
    pub tests: Tests,
    /// Its document.
    pub tree: Node,
    /// How it is bound, for one that was written for the API server.
    pub admission: Option<super::admission::Bindings>,
    /// Why it is judged at compile time only; nothing if clusters can enforce it.
    pub compile_time_only: Option<String>,
    /// The oldest Kubernetes that can run it, and what asks for it.
    pub since: Option<(Minor, &'static str)>,
    /// SHA-256 of its document.
    pub digest: String,
}

/// What must be true.
#[derive(Debug)]
pub struct RuleCheck {
    /// The expression.
    pub program: Program,
    /// What is wrong when it is not.
    pub message: Option<String>,
    /// An expression that gives the message.
    pub message_program: Option<Program>,
    /// Where to point.
    pub path: Option<Path>,
    /// Where the expression is written.
    pub place: NodeId,
}

/// Compiles the documents. To be called with a large stack: expressions are parsed recursively.
pub fn compile(
    document: &Document<PolicyKind>,
    custom: &[&ObjectSchemas],
    sources: &Sources,
    sink: &mut Sink,
) -> Option<Rule> {
    let spec = &document.spec;
    let pack = pack_of(sources.path(document.tree.id.file)).to_owned();
    let mut compiler = RuleCompiler {
        sources,
        custom,
        sink,
        policy: &document.name,
        variables: Vec::new(),
        failed: false,
        expressions: Expressions::default(),
    };
    let at = |path: &[PathStep]| document.at(path);
    let mut rule = Rule {
        name: document.name.clone(),
        title: spec.title.clone(),
        pack,
        severity: spec.severity.unwrap_or(RuleSeverity::Medium),
        enforcement: spec.enforcement.unwrap_or(Enforcement::Deny),
        target: spec.target.unwrap_or_default(),
        matching: spec.matching.clone(),
        constraints: spec.match_constraints.clone(),
        conditions: Vec::new(),
        fails_on_error: spec.failure_policy != Some(FailurePolicy::Ignore),
        parameters: spec.parameters.clone(),
        defaults: defaults(&spec.parameters),
        variables: Vec::new(),
        validations: Vec::new(),
        annotations: Vec::new(),
        controls: spec.controls.clone(),
        rationale: spec.rationale.clone().unwrap_or_default(),
        remediation: spec.remediation.clone().unwrap_or_default(),
        tests: spec.tests.clone(),
        tree: document.tree.clone(),
        admission: None,
        compile_time_only: None,
        since: None,
        digest: digest(&document.tree),
    };
    let items = |list: &'static str, index: usize, field: &'static str| {
        at(&[
            "spec".into(),
            list.into(),
            PathStep::Index(index),
            field.into(),
        ])
    };
    for (index, condition) in spec.match_conditions.iter().enumerate() {
        let place = items("matchConditions", index, "expression");
        let program = compiler.program(&condition.expression, place, false, WantedType::Bool);
        rule.conditions
            .extend(program.map(|program| (condition.name.clone(), program)));
    }
    for (index, variable) in spec.variables.iter().enumerate() {
        let place = items("variables", index, "expression");
        let program = compiler.program(&variable.expression, place, true, WantedType::Anything);
        compiler.declare(&variable.name, program.as_ref());
        rule.variables
            .extend(program.map(|program| (variable.name.clone(), program)));
    }
    for (index, validation) in spec.validations.iter().enumerate() {
        let place = items("validations", index, "expression");
        let program = compiler.program(&validation.expression, place, true, WantedType::Bool);
        let message_place = items("validations", index, "messageExpression");
        let message_program = validation
            .message_expression
            .as_ref()
            .and_then(|text| compiler.program(text, message_place, true, WantedType::Text));
        let path = validation
            .path
            .as_ref()
            .and_then(|text| match Path::parse(text) {
                Ok(path) => Some(path),
                Err(problem) => {
                    let place = items("validations", index, "path");
                    compiler.refuse(place, format!("`{text}` is no path: {problem}"), None);
                    None
                }
            });
        rule.validations.extend(program.map(|program| RuleCheck {
            program,
            message: validation.message.clone(),
            message_program,
            path,
            place,
        }));
    }
    for (index, annotation) in spec.audit_annotations.iter().enumerate() {
        let place = items("auditAnnotations", index, "valueExpression");
        let program = compiler.program(
            &annotation.value_expression,
            place,
            true,
            WantedType::TextOrNull,
        );
        rule.annotations
            .extend(program.map(|program| (annotation.key.clone(), program)));
    }
    if compiler.failed {
        return None;
    }
    rule.since = since(&rule);
    rule.compile_time_only = compile_time_only(&rule);
    // Those of the packs fit their kinds, which is tested.
    if rule.compile_time_only.is_none() && rule.pack.is_empty() {
        compiler.check_types(rule.constraints.as_ref());
    }
    check_parameters(document, sources, sink).then_some(rule)
}

/// `baseline` for `<builtin>/policies/baseline/pinned-images.yaml`.
pub fn pack_of(path: &str) -> &str {
    path.strip_prefix("<builtin>/policies/")
        .and_then(|rest| rest.split('/').next())
        .unwrap_or_default()
}

/// The SHA-256 of a document as JSON.
pub fn digest(tree: &Node) -> String {
    hex(&Sha256::digest(tree.to_json().to_string()))
}

/// Bytes as hexadecimal digits.
pub fn hex(bytes: &[u8]) -> String {
    let mut text = String::with_capacity(2 * bytes.len());
    for byte in bytes {
        let digit = |value: u8| char::from_digit(u32::from(value), 16).unwrap_or_default();
        text.extend([digit(byte >> 4), digit(byte & 15)]);
    }
    text
}

fn defaults(parameters: &BTreeMap<String, Parameter>) -> Node {
    let map: serde_json::Map<String, serde_json::Value> = parameters
        .iter()
        .map(|(name, parameter)| (name.clone(), parameter.default.clone()))
        .collect();
    Node::from_json(&map.into())
}

/// The compiler of one document's expressions.
pub struct RuleCompiler<'c> {
    /// All files.
    pub sources: &'c Sources,
    /// Where findings go.
    pub sink: &'c mut Sink,
    /// The document's name.
    pub policy: &'c str,
    /// The variables that are declared so far.
    pub variables: Vec<DeclaredVariable>,
    /// Whether an expression could not be compiled.
    pub failed: bool,
    /// What is checked with the types of the kinds that the policy names.
    pub expressions: Expressions,
    /// The schemas of custom resources.
    pub custom: &'c [&'c ObjectSchemas],
}

impl RuleCompiler<'_> {
    /// Compiles one expression, which must give what is wanted.
    pub fn program(
        &mut self,
        text: &str,
        place: NodeId,
        with_variables: bool,
        wanted: WantedType,
    ) -> Option<Program> {
        let names = Names {
            globals: NAMES,
            declared: &[],
            is_escaped: false,
            variables: with_variables.then_some(self.variables.as_slice()),
        };
        match tenantry_cel::compile(text, &names) {
            Ok(program) => {
                for remark in &program.remarks {
                    self.tell(codes::CLOSED_OPTIONAL, place, text, remark);
                }
                if !wanted.takes(&program.gives) {
                    let (words, gives) = (wanted.words(), &program.gives);
                    let message = format!("the expression must give {words}, and gives {gives}");
                    self.refuse(place, message, Some(wanted.help().to_owned()));
                    return None;
                }
                if with_variables && matches!(wanted, WantedType::Bool | WantedType::Text) {
                    self.expressions.judged.push((text.to_owned(), place));
                }
                Some(program)
            }
            Err(errors) => {
                self.failed = true;
                for error in &errors {
                    self.tell(codes::BAD_EXPRESSION, place, text, error);
                }
                None
            }
        }
    }

    /// Declares a variable for the expressions that follow.
    pub fn declare(&mut self, name: &str, program: Option<&Program>) {
        if let Some(program) = program {
            let text = program.text.clone();
            self.expressions.variables.push((name.to_owned(), text));
        }
        self.variables.push(DeclaredVariable {
            name: name.to_owned(),
            of: program.map_or(Type::Dyn, |program| program.gives.clone()),
        });
    }

    /// Warns of what does not fit the kinds that the policy names.
    pub fn check_types(&mut self, constraints: Option<&MatchResources>) {
        let Some(constraints) = constraints else {
            return;
        };
        let expressions = std::mem::take(&mut self.expressions);
        for misfit in expressions.misfits(constraints, self.custom) {
            self.tell(codes::MISFIT, misfit.place, misfit.text, &misfit.error);
        }
    }

    /// A finding about an expression as a whole.
    pub fn refuse(&mut self, place: NodeId, message: String, help: Option<String>) {
        self.failed = true;
        let error = CompileError {
            message,
            help,
            position: None,
            panics: false,
        };
        self.tell(codes::BAD_EXPRESSION, place, "", &error);
    }

    /// A finding at its character of an expression.
    fn tell(&mut self, code: Code, place: NodeId, text: &str, error: &CompileError) {
        let whole = self.sources.span(place);
        let exact = whole.zip(error.position);
        let exact = exact.and_then(|(span, at)| self.sources.within(span, text, at));
        let span = exact.or(whole.map(|span| self.sources.first_line(span)));
        let message = format!("policy `{}`: {}", self.policy, error.message);
        let mut diagnostic = Diagnostic::new(code, message).at(span, "");
        if let (None, Some((line, column))) = (exact, error.position) {
            let snippet = text.lines().nth(line - 1).unwrap_or_default();
            diagnostic.notes.push(format!(
                "line {line}, column {column} of the expression: `{}`",
                shortened(snippet)
            ));
        }
        diagnostic.help = error.help.clone().or_else(|| {
            Some("write what https://kubernetes.io/docs/reference/using-api/cel/ has".to_owned())
        });
        self.sink.push(diagnostic);
    }
}

fn shortened(text: &str) -> String {
    let text = text.trim();
    if text.chars().count() <= 60 {
        return text.to_owned();
    }
    let short: String = text.chars().take(59).collect();
    format!("{short}…")
}

impl Rule {
    /// All its expressions.
    pub fn programs(&self) -> impl Iterator<Item = &Program> {
        let checks = self.validations.iter();
        self.conditions
            .iter()
            .map(|(_, program)| program)
            .chain(self.variables.iter().map(|(_, program)| program))
            .chain(checks.flat_map(|check| {
                [Some(&check.program), check.message_program.as_ref()]
                    .into_iter()
                    .flatten()
            }))
    }

    /// Whether it sees nothing but the object and its parameters.
    pub fn is_of_object_alone(&self) -> bool {
        let annotations = self.annotations.iter().map(|(_, program)| program);
        let mut programs = self.programs().chain(annotations);
        programs.all(|program| {
            let mut uses = program.uses.iter();
            uses.all(|used| [OBJECT, PARAMS].contains(used))
        })
    }
}

/// The oldest Kubernetes that can run a rule.
pub fn since(rule: &Rule) -> Option<(Minor, &'static str)> {
    rule.programs().filter_map(|program| program.since).max()
}

/// Why clusters cannot enforce a rule.
pub fn compile_time_only(rule: &Rule) -> Option<String> {
    if rule.target != Target::Manifest {
        return Some(format!(
            "judges a {}, which no cluster sees",
            rule.target.name()
        ));
    }
    let own = rule
        .programs()
        .flat_map(|program| program.uses.iter())
        .filter(|used| **used >= FIRST_OWN)
        .min();
    if let Some(name) = own {
        return Some(format!(
            "asks for `{}`, which no cluster knows",
            NAMES[*name]
        ));
    }
    if rule
        .constraints
        .as_ref()
        .is_none_or(|constraints| constraints.resource_rules.is_empty())
    {
        return Some("names no resources".to_owned());
    }
    None
}

/// Whether all defaults are such as the parameters take.
fn check_parameters(document: &Document<Policy>, sources: &Sources, sink: &mut Sink) -> bool {
    let mut good = true;
    for (name, parameter) in &document.spec.parameters {
        let Some(wanted) = super::parameters::misfit(parameter, &parameter.default) else {
            continue;
        };
        good = false;
        let place = document.fields().parameters().value(name).default().place();
        let message = format!("the default of `{name}` must be {wanted}");
        sink.push(
            Diagnostic::new(codes::BAD_PARAMETER, message)
                .at(sources.span(place), "")
                .help("write a default that the parameter itself allows"),
        );
    }
    good
}

impl Rule {
    /// Its cases with what is expected: nothing for those that are not judged.
    pub fn cases(&self) -> impl Iterator<Item = (&'static str, usize, &Case)> {
        let pass = self
            .tests
            .pass
            .iter()
            .enumerate()
            .map(|(at, case)| ("pass", at, case));
        let fail = self
            .tests
            .fail
            .iter()
            .enumerate()
            .map(|(at, case)| ("fail", at, case));
        let skip = self
            .tests
            .skip
            .iter()
            .enumerate()
            .map(|(at, case)| ("skip", at, case));
        pass.chain(fail).chain(skip)
    }
}
