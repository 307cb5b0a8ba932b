//! Runs templates: statements, scopes, and what they print.

mod statements;

use std::cell::RefCell;
use std::collections::HashMap;
use std::rc::Rc;
use std::sync::Arc;

use super::syntax::{Expression, Macro, Statement};
use super::trace::{LookDepth, Own, StepOperation, Trace};
use super::value::{Data, Term, TracedValue};
use super::{
    MAX_DEPTH, MAX_NESTING, MAX_STEPS, MAX_TEXT, RunInputs, TemplateError, TemplateErrorKind,
    TemplateFunction, TemplateLibrary, markers,
};
use tenantry_syntax::yaml;

/// A scope of names.
#[derive(Debug, Default)]
pub(super) struct Frame {
    names: RefCell<Vec<(Arc<str>, TracedValue)>>,
    parent: Option<Rc<Frame>>,
}

impl Frame {
    fn within(parent: &Rc<Frame>) -> Rc<Frame> {
        Rc::new(Frame {
            names: RefCell::default(),
            parent: Some(parent.clone()),
        })
    }

    fn find(&self, name: &str) -> Option<TracedValue> {
        let names = self.names.borrow();
        match names.iter().rev().find(|(known, _)| **known == *name) {
            Some((_, value)) => Some(value.clone()),
            None => self.parent.as_ref()?.find(name),
        }
    }

    fn set(&self, name: &Arc<str>, value: TracedValue) {
        let mut names = self.names.borrow_mut();
        match names.iter_mut().find(|(known, _)| known == name) {
            Some((_, known)) => *known = value,
            None => names.push((name.clone(), value)),
        }
    }
}

/// What a [`Data::Local`] stands for.
#[derive(Clone)]
pub(super) enum LocalValue {
    /// A macro: where it was defined, and in which template.
    Macro(Arc<Macro>, Rc<Frame>, Option<Arc<str>>),
    /// An imported template.
    Module(Rc<Frame>),
    /// The loop that is running.
    Loop(Rc<LoopTurn>),
}

/// One turn of a loop.
pub(super) struct LoopTurn {
    pub(super) items: Rc<[TracedValue]>,
    pub(super) at: usize,
    pub(super) depth: usize,
    /// What decided how many items there are.
    pub(super) by: Vec<Term>,
    /// What `changed` was called with in the last turn.
    pub(super) last: Rc<RefCell<Option<TracedValue>>>,
}

/// A value that was printed.
#[derive(Clone, Debug)]
pub enum PrintedValue {
    /// The template's own.
    Constant(yaml::Value),
    /// What a step made.
    Made(Term),
}

/// A run of a template or an expression.
pub struct TemplateRun<'r> {
    pub(super) library: &'r TemplateLibrary,
    pub(super) inputs: &'r RunInputs,
    pub(super) functions: &'r [&'static TemplateFunction],
    pub(super) trace: Trace,
    pub(super) locals: Vec<LocalValue>,
    pub(super) scope: Rc<Frame>,
    pub(super) missing: Option<(String, Vec<String>)>,
    holes: Vec<PrintedValue>,
    /// The hole of each value that was printed.
    printed: HashMap<Term, usize>,
    text: String,
    steps: u64,
    depth: usize,
    nesting: usize,
    loops: usize,
    template: Option<Arc<str>>,
}

/// What a run of a template did.
pub struct Ran {
    /// The text, with markers.
    pub text: String,
    /// The values that it printed.
    pub holes: Vec<PrintedValue>,
    /// Its steps.
    pub trace: Trace,
}

static TRUTH: Own = Own {
    name: "truth",
    reach: LookDepth::Truth,
    apply: |arguments| Ok(Data::Bool(arguments.first().is_some_and(Data::is_true))),
};
/// How many items, which keys, or the value itself where it has neither.
static OUTLINE: Own = Own {
    name: "outline",
    reach: LookDepth::Outline,
    apply: |arguments| {
        let value = arguments.first().unwrap_or(&Data::Undefined);
        Ok(match (value.keys(), value) {
            (Some(keys), _) => keys.into_iter().map(Data::Text).collect::<Vec<_>>().into(),
            (None, Data::Text(_) | Data::Tree(_) | Data::List(_)) => {
                value.length().unwrap_or(0).into()
            }
            (None, other) => other.clone(),
        })
    },
};
static CHARACTERS: Own = Own {
    name: "characters",
    reach: LookDepth::Whole,
    apply: |arguments| {
        let text = arguments.first().and_then(Data::as_str).unwrap_or_default();
        let characters = text.chars().map(|c| Data::from(c.to_string()));
        Ok(characters.collect::<Vec<_>>().into())
    },
};

impl<'r> TemplateRun<'r> {
    /// A run that has not begun.
    pub fn new(
        library: &'r TemplateLibrary,
        inputs: &'r RunInputs,
        functions: &'r [&'static TemplateFunction],
    ) -> TemplateRun<'r> {
        TemplateRun {
            library,
            inputs,
            functions,
            trace: Trace::default(),
            locals: Vec::new(),
            scope: Rc::default(),
            missing: None,
            holes: Vec::new(),
            printed: HashMap::new(),
            text: String::new(),
            steps: 0,
            depth: 0,
            nesting: 0,
            loops: 0,
            template: None,
        }
    }

    /// Runs a template of the library, if a condition holds.
    ///
    /// # Errors
    ///
    /// Why it could not be evaluated, with the template and the line; none is named for the condition's.
    pub fn template(
        mut self,
        path: &Arc<str>,
        when: Option<&Expression>,
    ) -> Result<Ran, TemplateError> {
        let Some(body) = self.library.get(path).cloned() else {
            return Err(self.failed(format!("there is no template `{path}`")));
        };
        let holds = match when {
            None => TracedValue::constant(Data::Bool(true)),
            Some(when) => {
                let value = self.value(when)?;
                self.truth(&value)?
            }
        };
        self.template = Some(path.clone());
        self.within(vec![holds.term], |run| {
            if holds.data.is_true() {
                run.all(&body)
            } else {
                Ok(())
            }
        })?;
        Ok(Ran {
            text: self.text,
            holes: self.holes,
            trace: self.trace,
        })
    }

    /// Evaluates an expression; gives the value, and the steps that made it.
    ///
    /// # Errors
    ///
    /// Why it could not be evaluated.
    pub fn expression(
        mut self,
        expression: &Expression,
    ) -> Result<(TracedValue, Trace), TemplateError> {
        let value = self.value(expression)?;
        Ok((value, self.trace))
    }

    pub(super) fn failed(&self, message: impl Into<String>) -> TemplateError {
        self.error(TemplateErrorKind::Failed(message.into()))
    }

    pub(super) fn error(&self, reason: TemplateErrorKind) -> TemplateError {
        TemplateError {
            reason,
            template: self.template.clone(),
            line: None,
        }
    }

    pub(super) fn undefined(&mut self) -> TemplateError {
        let missing = self.missing.take();
        self.error(TemplateErrorKind::Undefined(missing))
    }

    pub(super) fn pay(&mut self) -> Result<(), TemplateError> {
        self.steps += 1;
        if self.steps > MAX_STEPS || self.trace.steps.len() as u64 > MAX_STEPS {
            return Err(self.error(TemplateErrorKind::Steps));
        }
        Ok(())
    }

    /// What a function makes of values.
    pub(super) fn apply(
        &mut self,
        operation: StepOperation,
        arguments: &[&TracedValue],
    ) -> Result<TracedValue, TemplateError> {
        let is_undefined = |value: &&TracedValue| matches!(value.data, Data::Undefined);
        if operation.reach() != LookDepth::Presence && arguments.iter().any(is_undefined) {
            return Err(self.undefined());
        }
        let made = self.trace.apply(operation, arguments);
        let made = made.map_err(|message| self.failed(message))?;
        // Long texts are paid for by their length.
        self.steps += made.data.as_str().map_or(0, str::len) as u64 / 256;
        Ok(made)
    }

    /// Evaluates a condition; gives whether it holds, and the run, which printed nothing.
    ///
    /// # Errors
    ///
    /// Why it could not be evaluated.
    pub fn condition(mut self, condition: &Expression) -> Result<(bool, Ran), TemplateError> {
        let value = self.value(condition)?;
        let holds = self.truth(&value)?.data.is_true();
        let ran = Ran {
            text: String::new(),
            holes: Vec::new(),
            trace: self.trace,
        };
        Ok((holds, ran))
    }

    /// Whether a value is taken as true, as a value that the rest depends on.
    pub(super) fn truth(&mut self, value: &TracedValue) -> Result<TracedValue, TemplateError> {
        let truth = match value.data {
            Data::Undefined => return Err(self.undefined()),
            Data::Bool(_) => value.clone(),
            Data::Markup(ref text) => {
                let is_there = !markers::is_empty(text);
                let by = self.trace.decided_in(text);
                return Ok(self
                    .trace
                    .chosen(TracedValue::constant(is_there.into()), &by));
            }
            _ => self.apply(StepOperation::Own(&TRUTH), &[value])?,
        };
        self.trace.guard(&truth);
        Ok(truth)
    }

    /// The items of a value, and the value that tells how many there are. Of a map, the keys.
    pub(super) fn items(
        &mut self,
        value: &TracedValue,
    ) -> Result<(Vec<TracedValue>, Term), TemplateError> {
        let outline = self.apply(StepOperation::Own(&OUTLINE), &[value])?;
        self.trace.guard(&outline);
        let items = match &value.data {
            Data::Undefined => return Err(self.undefined()),
            Data::Null => Vec::new(),
            Data::List(items) => {
                let items = items.iter().cloned().enumerate();
                items
                    .map(|(at, item)| self.known_item(value, at, item))
                    .collect()
            }
            Data::Tree(tree) if tree.node.as_list().is_some() => {
                let count = value.data.length().unwrap_or(0);
                (0..count).filter_map(|at| self.item(value, at)).collect()
            }
            Data::Tree(_) | Data::Map(_) => {
                let keys = value.data.keys().unwrap_or_default();
                let key = |key| TracedValue {
                    data: Data::Text(key),
                    term: Term::CONSTANT,
                };
                let keys: Vec<TracedValue> = keys.into_iter().map(key).collect();
                keys.into_iter()
                    .map(|key| self.trace.chosen(key, &[outline.term]))
                    .collect()
            }
            Data::Text(_) => {
                let characters = self.apply(StepOperation::Own(&CHARACTERS), &[value])?;
                return self.items(&characters);
            }
            other => return Err(self.failed(format!("{} is not iterable", other.kind().name()))),
        };
        Ok((items, outline.term))
    }

    fn known_item(&mut self, list: &TracedValue, at: usize, item: TracedValue) -> TracedValue {
        if item.term.is_constant() && !list.term.is_constant() {
            let term = self.trace.item(list.term, at);
            return TracedValue { term, ..item };
        }
        let by = self.trace.choosers(list.term);
        self.trace.chosen(item, &by)
    }

    /// An item of a list.
    pub(super) fn item(&mut self, list: &TracedValue, at: usize) -> Option<TracedValue> {
        match &list.data {
            Data::List(items) => {
                let item = items.get(at)?.clone();
                Some(self.known_item(list, at, item))
            }
            Data::Tree(tree) => {
                let data = tree.item(at)?;
                let term = if list.term.is_constant() {
                    Term::CONSTANT
                } else {
                    self.trace.item(list.term, at)
                };
                Some(TracedValue { data, term })
            }
            _ => None,
        }
    }

    fn print(&mut self, value: &TracedValue) -> Result<(), TemplateError> {
        match &value.data {
            Data::Undefined => return Err(self.undefined()),
            Data::Markup(text) => {
                let by = self.trace.choosers(value.term);
                return self.within(by, |run| run.write(text));
            }
            _ => {}
        }
        let next = self.holes.len();
        let number = match value.term {
            Term::CONSTANT => next,
            term => *self.printed.entry(term).or_insert(next),
        };
        if number == next {
            // What cannot be printed is found here, where the line is known.
            let yaml = value.data.to_yaml();
            let yaml = yaml.map_err(|message| self.failed(message))?;
            self.holes.push(match value.term {
                Term::CONSTANT => PrintedValue::Constant(yaml),
                term => PrintedValue::Made(term),
            });
        }
        let marker = markers::hole(number).ok_or_else(|| self.error(TemplateErrorKind::Holes))?;
        self.write(marker.encode_utf8(&mut [0; 4]))
    }

    fn write(&mut self, text: &str) -> Result<(), TemplateError> {
        if self.text.len() + text.len() > MAX_TEXT {
            return Err(self.error(TemplateErrorKind::Text));
        }
        self.text.push_str(text);
        Ok(())
    }

    /// Does something whose text some values decided about.
    fn within(
        &mut self,
        by: Vec<Term>,
        does: impl FnOnce(&mut Self) -> Result<(), TemplateError>,
    ) -> Result<(), TemplateError> {
        let Some(region) = self.trace.region(by) else {
            return does(self);
        };
        let number = markers::hole(region).ok_or_else(|| self.error(TemplateErrorKind::Holes))?;
        self.write(markers::OPEN.encode_utf8(&mut [0; 4]))?;
        self.write(number.encode_utf8(&mut [0; 4]))?;
        does(self)?;
        self.write(markers::CLOSE.encode_utf8(&mut [0; 4]))
    }

    /// What something prints, as a value.
    pub(super) fn captured(
        &mut self,
        does: impl FnOnce(&mut Self) -> Result<(), TemplateError>,
    ) -> Result<TracedValue, TemplateError> {
        let outer = std::mem::take(&mut self.text);
        let done = does(self);
        let text = std::mem::replace(&mut self.text, outer);
        done?;
        Ok(TracedValue::constant(Data::Markup(text.into())))
    }

    /// Does something with names of its own.
    fn scoped<T>(
        &mut self,
        scope: Rc<Frame>,
        does: impl FnOnce(&mut Self) -> Result<T, TemplateError>,
    ) -> Result<T, TemplateError> {
        let outer = std::mem::replace(&mut self.scope, scope);
        let done = does(self);
        self.scope = outer;
        done
    }

    /// Does something within a statement or expression; they are bounded, since each takes some of the stack.
    pub(super) fn nested<T>(
        &mut self,
        does: impl FnOnce(&mut Self) -> Result<T, TemplateError>,
    ) -> Result<T, TemplateError> {
        if self.nesting >= MAX_NESTING {
            let message = "statements, expressions and macros are nested too deep in one another";
            return Err(self.failed(message));
        }
        self.nesting += 1;
        let done = does(self);
        self.nesting -= 1;
        done
    }

    /// Refuses lists and maps that are nested deeper than anything can print.
    pub(super) fn bounded(&mut self, value: TracedValue) -> Result<TracedValue, TemplateError> {
        let mut level = vec![&value.data];
        for _ in 0..=tenantry_syntax::yaml::parse::MAX_DEPTH {
            let mut below = Vec::new();
            for data in level {
                match data {
                    Data::List(items) => below.extend(items.iter().map(|item| &item.data)),
                    Data::Map(entries) => {
                        below.extend(entries.iter().map(|(_, value)| &value.data));
                    }
                    _ => {}
                }
            }
            self.steps += below.len() as u64;
            self.pay()?;
            if below.is_empty() {
                return Ok(value);
            }
            level = below;
        }
        Err(self.failed("a value nested deeper than 64 levels"))
    }

    /// Does something one level deeper.
    pub(super) fn deeper<T>(
        &mut self,
        does: impl FnOnce(&mut Self) -> Result<T, TemplateError>,
    ) -> Result<T, TemplateError> {
        if self.depth >= MAX_DEPTH {
            return Err(self.failed(format!(
                "macros and imports are nested deeper than {MAX_DEPTH} levels"
            )));
        }
        self.depth += 1;
        let done = does(self);
        self.depth -= 1;
        done
    }

    fn all(&mut self, statements: &[Statement]) -> Result<(), TemplateError> {
        self.nested(|run| run.each(statements))
    }

    fn each(&mut self, statements: &[Statement]) -> Result<(), TemplateError> {
        for statement in statements {
            self.pay()?;
            if let Err(mut error) = self.statement(statement) {
                if error.line.is_none() {
                    error.line = Some(statement.line);
                }
                return Err(error);
            }
        }
        Ok(())
    }

    pub(super) fn local(&self, value: &TracedValue) -> Option<LocalValue> {
        match value.data {
            Data::Local(at) => self.locals.get(at).cloned(),
            _ => None,
        }
    }
}

impl LocalValue {
    /// What an imported template has by a name.
    pub(super) fn member(&self, name: &str) -> Option<TracedValue> {
        match self {
            LocalValue::Module(frame) => {
                let names = frame.names.borrow();
                names
                    .iter()
                    .find(|(known, _)| **known == *name)
                    .map(|(_, value)| value.clone())
            }
            _ => None,
        }
    }
}
