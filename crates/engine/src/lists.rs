//! Filters that choose among items, or put them together: what they give is what went in, chosen by what decided.

use std::sync::Arc;

use super::run::TemplateRun;
use super::syntax::{CallArguments, Expression, ExpressionKind};
use super::trace::{LookDepth, Own, StepOperation};
use super::value::{Data, Term, TracedValue, ValueType};
use super::{TemplateError, filters, foreign};

/// The order of the first list, by its items; whether it is reversed, and whether capitals count.
static ORDER: Own = Own {
    name: "order",
    reach: LookDepth::Whole,
    apply: |arguments| {
        let [keys, reverse, capitals] = arguments else {
            return Err("an order is of one list".to_owned());
        };
        let keys = comparable(keys, capitals)?;
        let mut order: Vec<usize> = (0..keys.len()).collect();
        order.sort_by(|a, b| keys[*a].cmp(&keys[*b]));
        if reverse.is_true() {
            // Those that are alike stay in their order, as in Jinja.
            order.sort_by(|a, b| keys[*b].cmp(&keys[*a]).then(a.cmp(b)));
        }
        Ok(order.into_iter().map(Data::from).collect::<Vec<_>>().into())
    },
};
/// Which items are the first of their kind.
static FIRST_OF_KIND: Own = Own {
    name: "first of kind",
    reach: LookDepth::Whole,
    apply: |arguments| {
        let [keys, capitals] = arguments else {
            return Err("this is of one list".to_owned());
        };
        let keys = comparable(keys, capitals)?;
        let mut seen = std::collections::BTreeSet::new();
        let first = keys
            .into_iter()
            .enumerate()
            .filter(|(_, key)| seen.insert(key.clone()));
        Ok(first
            .map(|(at, _)| Data::from(at))
            .collect::<Vec<_>>()
            .into())
    },
};

/// Keys as the language compares them.
fn comparable(keys: &Data, capitals: &Data) -> Result<Vec<minijinja::Value>, String> {
    let key = |key: Data| match &key {
        Data::Text(text) if !capitals.is_true() => foreign::of(&text.to_lowercase().into()),
        _ => foreign::of(&key),
    };
    keys.items()
        .unwrap_or_default()
        .into_iter()
        .map(key)
        .collect()
}

fn positions(data: &Data) -> Vec<usize> {
    let items = data.items().unwrap_or_default().into_iter();
    items
        .filter_map(|item| match item {
            Data::Int(at) => usize::try_from(at).ok(),
            _ => None,
        })
        .collect()
}

/// Arguments of a filter that have names.
struct FilterOptions(Vec<(Arc<str>, TracedValue)>);

impl FilterOptions {
    fn take(&mut self, name: &str) -> Option<TracedValue> {
        let at = self.0.iter().position(|(known, _)| **known == *name)?;
        Some(self.0.remove(at).1)
    }
}

impl TemplateRun<'_> {
    /// A filter applied to text that a block printed.
    pub(super) fn filtered(
        &mut self,
        filter: &Expression,
        text: TracedValue,
    ) -> Result<TracedValue, TemplateError> {
        match &filter.kind {
            ExpressionKind::Filter(name, of, arguments) => {
                let text = match of {
                    None => text,
                    Some(of) => self.filtered(of, text)?,
                };
                self.filter(name, text, arguments)
            }
            _ => Err(self.failed("a filter belongs here")),
        }
    }

    /// `value | filter(…)`
    pub(super) fn filter(
        &mut self,
        name: &Arc<str>,
        of: TracedValue,
        arguments: &CallArguments,
    ) -> Result<TracedValue, TemplateError> {
        if matches!(&**name, "default" | "d") {
            return self.default(of, arguments);
        }
        let (positional, named) = self.arguments(arguments)?;
        for (_, value) in &named {
            self.trace.guard(value);
        }
        self.filter_with(name, &of, positional, FilterOptions(named))
    }

    fn filter_with(
        &mut self,
        name: &Arc<str>,
        of: &TracedValue,
        positional: Vec<TracedValue>,
        mut options: FilterOptions,
    ) -> Result<TracedValue, TemplateError> {
        let first = positional.first();
        if filters::is_choosing(name) {
            for value in &positional {
                self.guard_text(value);
            }
        }
        let made = match &**name {
            "length" | "count" => self.length(of)?,
            "first" | "last" => {
                let (mut items, outline) = self.items(of)?;
                let item = match (&**name, items.is_empty()) {
                    (_, true) => TracedValue::constant(Data::Undefined),
                    ("first", _) => items.swap_remove(0),
                    _ => items
                        .pop()
                        .unwrap_or_else(|| TracedValue::constant(Data::Undefined)),
                };
                self.trace.chosen(item, &[outline])
            }
            "list" => {
                let (items, outline) = self.items(of)?;
                let by = self.choosers_and(of, outline);
                self.sifted(items, &by)
            }
            "reverse" if of.data.kind() == ValueType::List => {
                let (mut items, outline) = self.items(of)?;
                items.reverse();
                self.sifted(items, &[outline])
            }
            "chain" => {
                let (mut items, outline) = self.items(of)?;
                let mut by = vec![outline];
                for more in &positional {
                    let (more, outline) = self.items(more)?;
                    items.extend(more);
                    by.push(outline);
                }
                self.sifted(items, &by)
            }
            "zip" => self.zipped(of, &positional)?,
            "items" => self.pairs(of, None)?,
            "dictsort" => {
                let by_value = options
                    .take("by")
                    .is_some_and(|by| by.data.as_str() == Some("value"));
                let order = (
                    by_value,
                    options.take("reverse"),
                    options.take("case_sensitive"),
                );
                self.pairs(of, Some(order))?
            }
            "attr" => {
                let key = first
                    .and_then(|key| key.data.as_str())
                    .map(Arc::<str>::from);
                let key = key.ok_or_else(|| self.failed("`attr` takes the name of a field"))?;
                self.attribute(of, &key)?
            }
            "select" | "reject" => self.select(of, None, &positional, &**name == "select")?,
            "selectattr" | "rejectattr" => {
                let path = first.and_then(|path| path.data.as_str()).map(str::to_owned);
                let path = path.ok_or_else(|| self.failed("name the attribute"))?;
                self.select(of, Some(&path), &positional[1..], &**name == "selectattr")?
            }
            "map" => self.mapped(of, positional.clone(), &mut options)?,
            "sort" => {
                let reverse = first.cloned().or_else(|| options.take("reverse"));
                let capitals = options.take("case_sensitive");
                let (items, outline) = self.items(of)?;
                let keys = self.keys(&items, options.take("attribute"))?;
                self.ordered(items, keys, reverse, capitals, vec![outline])?
            }
            "unique" => self.unique(of, &mut options)?,
            "groupby" => self.groups(of, first, &mut options)?,
            "only" | "without" => self.entries_of(of, &positional, &**name == "only")?,
            "indent" => filters::indented(of, first).map_err(|message| self.failed(message))?,
            _ => self.of_whole_values(name, of, &positional, std::mem::take(&mut options.0))?,
        };
        match options.0.first() {
            Some((unknown, _)) => {
                Err(self.failed(format!("`{name}` takes no argument `{unknown}`")))
            }
            None if filters::is_choosing(name) => self.bounded(made),
            None => Ok(made),
        }
    }

    /// Rows of the items at the same position.
    fn zipped(
        &mut self,
        of: &TracedValue,
        others: &[TracedValue],
    ) -> Result<TracedValue, TemplateError> {
        let mut all = Vec::new();
        let mut by = Vec::new();
        for list in std::iter::once(of).chain(others) {
            let (items, outline) = self.items(list)?;
            all.push(items);
            by.push(outline);
        }
        let shortest = all.iter().map(Vec::len).min().unwrap_or(0);
        let rows = (0..shortest).map(|at| all.iter().map(|items| items[at].clone()).collect());
        let rows: Vec<Vec<TracedValue>> = rows.collect();
        let rows = rows.into_iter().map(|row| self.trace.list(row)).collect();
        Ok(self.sifted(rows, &by))
    }

    /// The first item of each kind.
    fn unique(
        &mut self,
        of: &TracedValue,
        options: &mut FilterOptions,
    ) -> Result<TracedValue, TemplateError> {
        let capitals = options
            .take("case_sensitive")
            .unwrap_or_else(|| TracedValue::constant(Data::Bool(false)));
        let (items, outline) = self.items(of)?;
        let keys = self.keys(&items, options.take("attribute"))?;
        let keys = self.trace.list(keys);
        let first = self.apply(StepOperation::Own(&FIRST_OF_KIND), &[&keys, &capitals])?;
        self.trace.guard(&first);
        let kept = positions(&first.data)
            .into_iter()
            .filter_map(|at| items.get(at).cloned());
        Ok(self.sifted(kept.collect(), &[outline, first.term]))
    }

    /// A filter that looks at whole values: one of our own, or of the template language.
    fn of_whole_values(
        &mut self,
        name: &Arc<str>,
        of: &TracedValue,
        positional: &[TracedValue],
        named: Vec<(Arc<str>, TracedValue)>,
    ) -> Result<TracedValue, TemplateError> {
        if matches!(of.data, Data::Undefined) {
            return Err(self.undefined());
        }
        let names: Arc<[Arc<str>]> = named.iter().map(|(name, _)| name.clone()).collect();
        let named: Vec<TracedValue> = named.into_iter().map(|(_, value)| value).collect();
        let mut all = vec![of];
        all.extend(positional);
        all.extend(&named);
        let operation = match filters::own(name) {
            Some(own) => {
                if let Some(unknown) = names.iter().find(|given| !filters::takes(name, given)) {
                    return Err(self.failed(format!("`{name}` takes no argument `{unknown}`")));
                }
                StepOperation::Own(own)
            }
            None => StepOperation::Filter(name.clone(), names),
        };
        self.apply(operation, &all)
    }

    /// A text or number that a filter goes by: the rest depends on it.
    fn guard_text(&mut self, value: &TracedValue) {
        if matches!(value.data, Data::Text(_) | Data::Int(_) | Data::Bool(_)) {
            self.trace.guard(value);
        }
    }

    fn choosers_and(&self, of: &TracedValue, outline: Term) -> Vec<Term> {
        let mut by = self.trace.choosers(of.term);
        by.push(outline);
        by
    }

    fn default(
        &mut self,
        of: TracedValue,
        arguments: &CallArguments,
    ) -> Result<TracedValue, TemplateError> {
        let lax: Option<TracedValue> = match arguments.positional.get(1) {
            Some(lax) => Some(self.value(lax)?),
            None => match arguments
                .named
                .iter()
                .find(|(name, _)| &**name == "boolean")
            {
                Some((_, lax)) => Some(self.value(lax)?),
                None => None,
            },
        };
        if let Some(lax) = &lax {
            self.trace.guard(lax);
        }
        let kept = match (&of.data, lax) {
            (Data::Undefined, _) => self.test("defined", &of, &[])?,
            (_, Some(lax)) if lax.data.is_true() => self.truth(&of)?,
            _ => {
                let kept = self.test("defined", &of, &[])?;
                self.trace.guard(&kept);
                return Ok(of);
            }
        };
        self.trace.guard(&kept);
        if kept.data.is_true() {
            return Ok(of);
        }
        let other = match arguments.positional.first() {
            Some(other) => self.value(other)?,
            None => TracedValue::constant("".into()),
        };
        Ok(self.trace.chosen(other, &[kept.term]))
    }

    /// A value below another one: `a.b`.
    fn below(&mut self, of: &TracedValue, path: &str) -> Result<TracedValue, TemplateError> {
        let mut value = of.clone();
        for key in path.split('.') {
            value = match key.parse::<usize>() {
                Ok(at) if value.data.items().is_some() => {
                    let item = self.item(&value, at);
                    item.unwrap_or_else(|| TracedValue::constant(Data::Undefined))
                }
                _ => self.attribute(&value, &key.into())?,
            };
        }
        Ok(value)
    }

    fn select(
        &mut self,
        of: &TracedValue,
        path: Option<&str>,
        test: &[TracedValue],
        wanted: bool,
    ) -> Result<TracedValue, TemplateError> {
        let (items, outline) = self.items(of)?;
        let mut by = self.choosers_and(of, outline);
        let mut taken = Vec::new();
        for item in items {
            self.pay()?;
            let value = match path {
                Some(path) => self.below(&item, path)?,
                None => item.clone(),
            };
            let passed = match test.split_first() {
                None => value,
                Some((name, arguments)) => {
                    let name = name.data.as_str().unwrap_or_default().to_owned();
                    if !filters::is_test(&name) {
                        return Err(self.failed(format!("there is no test `{name}`")));
                    }
                    self.test(&name, &value, arguments)?
                }
            };
            let passed = self.truth(&passed)?;
            by.push(passed.term);
            if passed.data.is_true() == wanted {
                taken.push(self.trace.chosen(item, &[passed.term]));
            }
        }
        Ok(self.sifted(taken, &by))
    }

    fn mapped(
        &mut self,
        of: &TracedValue,
        positional: Vec<TracedValue>,
        options: &mut FilterOptions,
    ) -> Result<TracedValue, TemplateError> {
        let (items, outline) = self.items(of)?;
        let by = self.choosers_and(of, outline);
        let (attribute, default) = (options.take("attribute"), options.take("default"));
        let mut made = Vec::with_capacity(items.len());
        for item in items {
            self.pay()?;
            made.push(match (&attribute, positional.split_first()) {
                (Some(path), _) => {
                    let path = path.data.to_text().into_owned();
                    let value = self.below(&item, &path)?;
                    match (&value.data, &default) {
                        (Data::Undefined, Some(default)) => default.clone(),
                        _ => value,
                    }
                }
                (None, Some((name, arguments))) => {
                    let name = name.data.as_str().and_then(filters::known);
                    let name =
                        name.ok_or_else(|| self.failed("`map` takes an attribute or a filter"))?;
                    self.filter_with(
                        &name.into(),
                        &item,
                        arguments.to_vec(),
                        FilterOptions(Vec::new()),
                    )?
                }
                (None, None) => return Err(self.failed("`map` takes an attribute or a filter")),
            });
        }
        Ok(self.sifted(made, &by))
    }

    /// The values by which items are compared.
    fn keys(
        &mut self,
        items: &[TracedValue],
        attribute: Option<TracedValue>,
    ) -> Result<Vec<TracedValue>, TemplateError> {
        match attribute.filter(|attribute| !matches!(attribute.data, Data::Null)) {
            None => Ok(items.to_vec()),
            Some(path) => {
                let path = path.data.to_text().into_owned();
                items.iter().map(|item| self.below(item, &path)).collect()
            }
        }
    }

    fn ordered(
        &mut self,
        items: Vec<TracedValue>,
        keys: Vec<TracedValue>,
        reverse: Option<TracedValue>,
        capitals: Option<TracedValue>,
        mut by: Vec<Term>,
    ) -> Result<TracedValue, TemplateError> {
        let no = || TracedValue::constant(Data::Bool(false));
        let keys = self.trace.list(keys);
        let (reverse, capitals) = (reverse.unwrap_or_else(no), capitals.unwrap_or_else(no));
        let order = self.apply(StepOperation::Own(&ORDER), &[&keys, &reverse, &capitals])?;
        self.trace.guard(&order);
        by.push(order.term);
        let sorted = positions(&order.data)
            .into_iter()
            .filter_map(|at| items.get(at).cloned());
        Ok(self.sifted(sorted.collect(), &by))
    }

    /// The entries of a map as lists of a key and a value, in an order.
    fn pairs(
        &mut self,
        of: &TracedValue,
        order: Option<(bool, Option<TracedValue>, Option<TracedValue>)>,
    ) -> Result<TracedValue, TemplateError> {
        if of.data.keys().is_none() {
            return Err(self.failed("only maps have items"));
        }
        let (keys, outline) = self.items(of)?;
        let by = self.choosers_and(of, outline);
        let mut pairs = Vec::with_capacity(keys.len());
        let mut values = Vec::with_capacity(keys.len());
        for key in &keys {
            let name: Arc<str> = key.data.to_text().into();
            let value = self.attribute(of, &name)?;
            values.push(value.clone());
            pairs.push(self.trace.list(vec![key.clone(), value]));
        }
        match order {
            None => Ok(self.sifted(pairs, &by)),
            Some((by_value, reverse, capitals)) => self.ordered(
                pairs,
                if by_value { values } else { keys },
                reverse,
                capitals,
                by,
            ),
        }
    }

    /// Items by the value of one of their fields: lists of that value and its items.
    fn groups(
        &mut self,
        of: &TracedValue,
        first: Option<&TracedValue>,
        options: &mut FilterOptions,
    ) -> Result<TracedValue, TemplateError> {
        let attribute = options.take("attribute").or_else(|| first.cloned());
        let default = options.take("default");
        let capitals = options.take("case_sensitive");
        let (items, outline) = self.items(of)?;
        let mut keys = self.keys(&items, attribute)?;
        for key in &mut keys {
            if let (Data::Undefined, Some(default)) = (&key.data, &default) {
                *key = default.clone();
            }
            self.trace.guard(key);
        }
        let pairs: Vec<TracedValue> = keys
            .iter()
            .zip(&items)
            .map(|(key, item)| self.trace.list(vec![key.clone(), item.clone()]))
            .collect();
        let sorted = self.ordered(pairs, keys, None, capitals, vec![outline])?;
        let (sorted, outline) = self.items(&sorted)?;
        let mut groups: Vec<(TracedValue, Vec<TracedValue>)> = Vec::new();
        for pair in &sorted {
            let (Some(key), Some(item)) = (self.item(pair, 0), self.item(pair, 1)) else {
                continue;
            };
            match groups.last_mut() {
                Some((known, list)) if known.data.to_text() == key.data.to_text() => {
                    list.push(item);
                }
                _ => groups.push((key, vec![item])),
            }
        }
        let by = [outline];
        let groups: Vec<TracedValue> = groups
            .into_iter()
            .map(|(key, list)| {
                let list = self.sifted(list, &[]);
                self.trace.list(vec![key, list])
            })
            .collect();
        Ok(self.sifted(groups, &by))
    }

    /// Some entries of a map: `only` those that a list names, all if it names none; or those that are not named.
    fn entries_of(
        &mut self,
        of: &TracedValue,
        positional: &[TracedValue],
        only: bool,
    ) -> Result<TracedValue, TemplateError> {
        let mut names: Vec<TracedValue> = Vec::new();
        let mut by = Vec::new();
        if only {
            let list = positional
                .first()
                .cloned()
                .unwrap_or_else(|| TracedValue::constant(Data::Null));
            let (items, outline) = self.items(&list)?;
            by.push(outline);
            names.extend(items);
        } else {
            names.extend(positional.iter().cloned());
        }
        for name in &names {
            self.trace.guard(name);
            by.push(name.term);
        }
        let names = self.trace.list(names);
        let flag = TracedValue::constant(Data::Bool(only));
        let made = self.apply(StepOperation::Own(&filters::ENTRIES), &[of, &names, &flag])?;
        Ok(self.trace.chosen(made, &by))
    }
}
