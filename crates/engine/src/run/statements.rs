//! Statements: what a run does for each.

use super::super::TemplateError;
use super::super::syntax::AssignmentTarget;
use super::super::syntax::Condition;
use super::super::syntax::Expression;
use super::super::syntax::Loop;
use super::super::syntax::Macro;
use super::super::syntax::Statement;
use super::super::syntax::StatementKind;
use super::super::value::Data;
use super::super::value::TracedValue;
use super::{Frame, LocalValue, LoopTurn, TemplateRun};
use std::rc::Rc;
use std::sync::Arc;

impl TemplateRun<'_> {
    pub(super) fn statement(&mut self, statement: &Statement) -> Result<(), TemplateError> {
        match &statement.kind {
            StatementKind::Text(text) => self.write(text),
            StatementKind::Print(expression) => {
                let value = self.value(expression)?;
                self.print(&value)
            }
            StatementKind::For(one) => self.iterate(one),
            StatementKind::If(condition) => self.decide(condition),
            StatementKind::With(assigned, body) => {
                let scope = Frame::within(&self.scope);
                self.scoped(scope, |run| {
                    for (target, value) in assigned {
                        let value = run.value(value)?;
                        run.assign(target, value)?;
                    }
                    run.all(body)
                })
            }
            StatementKind::Set(target, value) => {
                let value = self.value(value)?;
                self.assign(target, value)
            }
            StatementKind::SetBlock(target, filter, body) => {
                let text = self.captured(|run| run.all(body))?;
                let value = match filter {
                    None => text,
                    Some(filter) => self.filtered(filter, text)?,
                };
                self.assign(target, value)
            }
            StatementKind::Filter(filter, body) => {
                let text = self.captured(|run| run.all(body))?;
                let value = self.filtered(filter, text)?;
                self.print(&value)
            }
            StatementKind::Import(path, target) => {
                let module = self.module(path)?;
                self.locals.push(LocalValue::Module(module));
                let value = TracedValue::constant(Data::Local(self.locals.len() - 1));
                self.assign(target, value)
            }
            StatementKind::From(path, names) => {
                let module = self.module(path)?;
                for (name, alias) in names {
                    let Some(value) = module.find(name) else {
                        return Err(self.failed(format!("the template has no `{name}` to import")));
                    };
                    self.scope.set(alias, value);
                }
                Ok(())
            }
            StatementKind::Include(path, may_lack) => {
                let value = self.value(path)?;
                let path = self.path(&value)?;
                match self.library.get(&*path).cloned() {
                    Some(body) => self.within(vec![value.term], |run| run.enter(&path, &body)),
                    None if *may_lack => Ok(()),
                    None => Err(self.failed(format!("there is no template `{path}`"))),
                }
            }
            StatementKind::Macro(one) => {
                let value = self.define(one);
                self.scope.set(&one.name, value);
                Ok(())
            }
            StatementKind::Call(call, body) => {
                let caller = self.define(body);
                let value = self.call(call, Some(caller))?;
                self.print(&value)
            }
            StatementKind::Do(call) => self.value(call).map(drop),
        }
    }

    pub(super) fn define(&mut self, one: &Arc<Macro>) -> TracedValue {
        let local = LocalValue::Macro(one.clone(), self.scope.clone(), self.template.clone());
        self.locals.push(local);
        TracedValue::constant(Data::Local(self.locals.len() - 1))
    }

    /// The path of a template that a value names; the rest depends on it.
    pub(super) fn path(&mut self, value: &TracedValue) -> Result<Arc<str>, TemplateError> {
        self.trace.guard(value);
        match &value.data {
            Data::Text(path) => Ok(path.clone()),
            _ => Err(self.failed("a template is named by a text")),
        }
    }

    pub(super) fn enter(
        &mut self,
        path: &Arc<str>,
        body: &[Statement],
    ) -> Result<(), TemplateError> {
        let outer = self.template.replace(path.clone());
        self.deeper(|run| run.all(body))?;
        self.template = outer;
        Ok(())
    }

    pub(super) fn module(&mut self, path: &Expression) -> Result<Rc<Frame>, TemplateError> {
        let value = self.value(path)?;
        let path = self.path(&value)?;
        let Some(body) = self.library.get(&*path).cloned() else {
            return Err(self.failed(format!("there is no template `{path}`")));
        };
        let scope = Frame::within(&self.scope);
        self.scoped(scope.clone(), |run| {
            run.captured(|run| run.enter(&path, &body))
        })?;
        Ok(scope)
    }

    pub(super) fn assign(
        &mut self,
        target: &AssignmentTarget,
        value: TracedValue,
    ) -> Result<(), TemplateError> {
        match target {
            AssignmentTarget::Name(name) => {
                self.scope.set(name, value);
                Ok(())
            }
            AssignmentTarget::Several(targets) => {
                let (items, _) = self.items(&value)?;
                if items.len() != targets.len() {
                    return Err(self.failed(format!(
                        "{} values cannot be assigned to {} names",
                        items.len(),
                        targets.len()
                    )));
                }
                targets
                    .iter()
                    .zip(items)
                    .try_for_each(|(target, item)| self.assign(target, item))
            }
        }
    }

    pub(super) fn decide(&mut self, condition: &Condition) -> Result<(), TemplateError> {
        let value = self.value(&condition.test)?;
        let truth = self.truth(&value)?;
        let branch = if truth.data.is_true() {
            &condition.then
        } else {
            &condition.otherwise
        };
        self.within(vec![truth.term], |run| run.all(branch))?;
        // A name that one of the branches sets is what it is because of the condition, even where that branch was not taken.
        for name in &condition.sets {
            if let Some(value) = self.scope.find(name) {
                let value = self.trace.chosen(value, &[truth.term]);
                self.scope.set(name, value);
            }
        }
        Ok(())
    }

    pub(super) fn iterate(&mut self, one: &Loop) -> Result<(), TemplateError> {
        let over = self.value(&one.over)?;
        let (items, outline) = self.items(&over)?;
        // What decided how many turns there are; of one turn it is only what decided about its own item.
        let mut by = vec![outline];
        by.extend(self.trace.choosers(over.term));
        let mut taken = Vec::with_capacity(items.len());
        for item in items {
            let Some(filter) = &one.filter else {
                taken.push(item);
                continue;
            };
            let scope = Frame::within(&self.scope);
            let truth = self.scoped(scope, |run| {
                run.pay()?;
                run.assign(&one.target, item.clone())?;
                let value = run.value(filter)?;
                run.truth(&value)
            })?;
            by.push(truth.term);
            if truth.data.is_true() {
                taken.push(self.trace.chosen(item, &[truth.term]));
            }
        }
        if taken.is_empty() {
            return self.within(by, |run| run.all(&one.otherwise));
        }
        let items: Rc<[TracedValue]> = taken.into();
        let last = Rc::default();
        self.loops += 1;
        for at in 0..items.len() {
            let turn = LoopTurn {
                items: items.clone(),
                at,
                depth: self.loops,
                by: by.clone(),
                last: Rc::clone(&last),
            };
            self.locals.push(LocalValue::Loop(Rc::new(turn)));
            let turn = TracedValue::constant(Data::Local(self.locals.len() - 1));
            let scope = Frame::within(&self.scope);
            self.within(vec![items[at].term], |run| {
                run.scoped(scope, |run| {
                    run.pay()?;
                    run.scope.set(&"loop".into(), turn);
                    run.assign(&one.target, items[at].clone())?;
                    run.all(&one.body)
                })
            })?;
        }
        self.loops -= 1;
        Ok(())
    }

    /// Calls a macro with values.
    pub(crate) fn call_macro(
        &mut self,
        local: &LocalValue,
        positional: Vec<TracedValue>,
        named: Vec<(Arc<str>, TracedValue)>,
        caller: Option<TracedValue>,
    ) -> Result<TracedValue, TemplateError> {
        let LocalValue::Macro(one, defined, template) = local else {
            return Err(self.failed("this cannot be called"));
        };
        if positional.len() > one.parameters.len() {
            return Err(self.failed(format!(
                "the macro `{}` takes {} arguments",
                one.name,
                one.parameters.len()
            )));
        }
        if let Some((name, _)) = named
            .iter()
            .find(|(name, _)| one.parameters.iter().all(|(known, _)| known != name))
        {
            return Err(self.failed(format!("the macro `{}` has no argument `{name}`", one.name)));
        }
        let scope = Frame::within(defined);
        let outer = std::mem::replace(&mut self.template, template.clone());
        let mut positional = positional.into_iter();
        let made = self.deeper(|run| {
            run.scoped(scope, |run| {
                if let Some(caller) = caller {
                    run.scope.set(&"caller".into(), caller);
                }
                for (name, default) in &one.parameters {
                    let given = positional.next().or_else(|| {
                        named
                            .iter()
                            .find(|(known, _)| known == name)
                            .map(|(_, value)| value.clone())
                    });
                    let given = given.unwrap_or(TracedValue::constant(Data::Undefined));
                    let value = match default {
                        Some(default) if matches!(given.data, Data::Undefined) => {
                            run.value(default)?
                        }
                        _ => given,
                    };
                    run.scope.set(name, value);
                }
                run.captured(|run| run.all(&one.body))
            })
        })?;
        self.template = outer;
        Ok(made)
    }

    /// A name: of a scope, of the input, or of a function.
    pub(crate) fn named(&mut self, name: &Arc<str>) -> TracedValue {
        if let Some(value) = self.scope.find(name) {
            return value;
        }
        if let Some(node) = self.inputs.get(name) {
            let data = crate::tree::named(name, node, None, self.inputs.declared);
            let term = self.trace.root(name);
            return TracedValue { data, term };
        }
        let names = self
            .inputs
            .variables
            .iter()
            .map(|(name, _)| (*name).to_owned());
        self.missing = Some((name.to_string(), names.collect()));
        TracedValue::constant(Data::Undefined)
    }
}
