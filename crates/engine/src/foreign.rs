//! What minijinja does with values that nobody needs to look into: its operators, filters and tests on whole values.

use std::sync::{Arc, LazyLock};

use minijinja::value::{Kwargs, ValueKind};
use minijinja::{Environment, Expression, UndefinedBehavior};

use super::value::{Data, TracedValue};
use tenantry_syntax::yaml::parse::MAX_DEPTH;
use tenantry_syntax::yaml::{self, Node};

/// Most bytes of a text that a step makes.
pub const MAX_MADE: usize = 1 << 20;

static LANGUAGE: LazyLock<Environment<'static>> = LazyLock::new(|| {
    let mut environment = Environment::new();
    environment.set_undefined_behavior(UndefinedBehavior::Strict);
    environment
});

/// An operator between two values.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Operator {
    /// `+`
    Add,
    /// `-`
    Subtract,
    /// `*`
    Multiply,
    /// `/`
    Divide,
    /// `//`
    DivideWhole,
    /// `%`
    Remainder,
    /// `**`
    Power,
    /// `==`
    Equal,
    /// `!=`
    Unequal,
    /// `<`
    Less,
    /// `<=`
    AtMost,
    /// `>`
    Greater,
    /// `>=`
    AtLeast,
    /// `in`
    In,
    /// `not in`
    NotIn,
}

/// The operators, in the order of [`Operator`], as they are written.
const WRITTEN: [&str; 15] = [
    "+", "-", "*", "/", "//", "%", "**", "==", "!=", "<", "<=", ">", ">=", "in", "not in",
];

static OPERATORS: LazyLock<Vec<Option<Expression<'static, 'static>>>> = LazyLock::new(|| {
    let compiled = |written| {
        LANGUAGE
            .compile_expression_owned(format!("a {written} b"))
            .ok()
    };
    WRITTEN.into_iter().map(compiled).collect()
});

impl Operator {
    /// The result for two values, as the template language has it.
    ///
    /// # Errors
    ///
    /// What does not go together, for people.
    pub fn apply(self, a: &Data, b: &Data) -> Result<Data, String> {
        use Operator::{Add, AtLeast, AtMost, Equal, Greater, Less, Multiply, Subtract, Unequal};
        match (self, a, b) {
            (Equal, Data::Text(a), Data::Text(b)) => return Ok(Data::Bool(a == b)),
            (Unequal, Data::Text(a), Data::Text(b)) => return Ok(Data::Bool(a != b)),
            (Equal, Data::Null, Data::Null) => return Ok(Data::Bool(true)),
            (Equal, Data::Null, Data::Text(_)) | (Equal, Data::Text(_), Data::Null) => {
                return Ok(Data::Bool(false));
            }
            (Unequal, Data::Null, Data::Text(_)) | (Unequal, Data::Text(_), Data::Null) => {
                return Ok(Data::Bool(true));
            }
            (_, Data::Int(a), Data::Int(b)) => {
                let found = match self {
                    Equal => Some(Data::Bool(a == b)),
                    Unequal => Some(Data::Bool(a != b)),
                    Less => Some(Data::Bool(a < b)),
                    AtMost => Some(Data::Bool(a <= b)),
                    Greater => Some(Data::Bool(a > b)),
                    AtLeast => Some(Data::Bool(a >= b)),
                    Add => a.checked_add(*b).map(Data::Int),
                    Subtract => a.checked_sub(*b).map(Data::Int),
                    Multiply => a.checked_mul(*b).map(Data::Int),
                    _ => None,
                };
                if let Some(found) = found {
                    return Ok(found);
                }
            }
            (Operator::In | Operator::NotIn, Data::Text(text), Data::List(items)) => {
                let is_in = items
                    .iter()
                    .any(|item| matches!(&item.data, Data::Text(item) if item == text));
                let others = items.iter().any(|item| !matches!(item.data, Data::Text(_)));
                if is_in || !others {
                    return Ok(Data::Bool(is_in == (self == Operator::In)));
                }
            }
            (Add, Data::List(_) | Data::Tree(_), Data::List(_) | Data::Tree(_)) => {
                if let (Some(mut items), Some(more)) = (a.items(), b.items()) {
                    items.extend(more);
                    return Ok(items.into());
                }
            }
            // What would be longer than a text may be is not made first.
            (Multiply, ..) => {
                let times = match (a, b) {
                    (Data::Int(number), other) | (other, Data::Int(number)) => {
                        other.length().map(|length| (length.max(1), *number))
                    }
                    _ => None,
                };
                let bytes = times
                    .and_then(|(length, number)| length.checked_mul(usize::try_from(number).ok()?));
                if times.is_some() && bytes.is_none_or(|bytes| bytes > MAX_MADE) {
                    return Err("this would make more than 1 MiB".to_owned());
                }
            }
            _ => {}
        }
        let expression = OPERATORS.get(self as usize).and_then(Option::as_ref);
        let expression = expression.ok_or("the operator is not known")?;
        let context = minijinja::Value::from_pairs([("a", of(a)?), ("b", of(b)?)]);
        back(&expression.eval(context).map_err(|error| message(&error))?)
    }
}

/// Applies a filter of the language; the last arguments have names.
///
/// # Errors
///
/// What the filter refuses, for people.
pub fn filter(name: &str, arguments: &[Data], named: &[Arc<str>]) -> Result<Data, String> {
    let arguments = all(arguments, named)?;
    let made = LANGUAGE.empty_state().apply_filter(name, &arguments);
    back(&made.map_err(|error| message(&error))?)
}

/// Performs a test of the language.
///
/// # Errors
///
/// What the test refuses, for people.
pub fn test(name: &str, arguments: &[Data]) -> Result<Data, String> {
    let arguments = all(arguments, &[])?;
    let passed = LANGUAGE.empty_state().perform_test(name, &arguments);
    passed.map(Data::Bool).map_err(|error| message(&error))
}

fn message(error: &minijinja::Error) -> String {
    error
        .detail()
        .map_or_else(|| error.kind().to_string(), str::to_owned)
}

fn all(arguments: &[Data], named: &[Arc<str>]) -> Result<Vec<minijinja::Value>, String> {
    let mut values: Vec<minijinja::Value> = arguments.iter().map(of).collect::<Result<_, _>>()?;
    if !named.is_empty() {
        let own = values.split_off(values.len().saturating_sub(named.len()));
        let pairs = named.iter().map(ToString::to_string).zip(own);
        values.push(pairs.collect::<Kwargs>().into());
    }
    Ok(values)
}

/// One of our values as minijinja's.
pub fn of(data: &Data) -> Result<minijinja::Value, String> {
    Ok(match data {
        Data::Undefined => minijinja::Value::UNDEFINED,
        Data::Null => minijinja::Value::from(()),
        Data::Bool(value) => (*value).into(),
        Data::Int(number) => (*number).into(),
        Data::Float(number) => (*number).into(),
        Data::Text(text) => Arc::clone(text).into(),
        Data::Tree(tree) => of_node(&tree.node),
        Data::List(items) => {
            let items: Result<Vec<_>, String> = items.iter().map(|item| of(&item.data)).collect();
            items?.into()
        }
        Data::Map(entries) => {
            let pair = |(key, value): &(Arc<str>, TracedValue)| Ok((key.to_string(), of(&value.data)?));
            let pairs: Result<Vec<_>, String> = entries.iter().map(pair).collect();
            minijinja::Value::from_pairs(pairs?)
        }
        Data::Markup(_) => return Err("the text of a macro cannot be joined, filtered or put into a value; print it as it is, or with `indent`".to_owned()),
        Data::Local(_) => return Err("a macro is no value; call it".to_owned()),
    })
}

fn of_node(node: &Node) -> minijinja::Value {
    match &node.value {
        yaml::Value::Null => minijinja::Value::from(()),
        yaml::Value::Bool(value) => (*value).into(),
        yaml::Value::Int(number) => (*number).into(),
        yaml::Value::Float(number) => (*number).into(),
        yaml::Value::String(text) => Arc::clone(text).into(),
        yaml::Value::List(items) => items.iter().map(of_node).collect::<Vec<_>>().into(),
        yaml::Value::Map(map) => {
            let entries = map.entries.iter();
            let pair = |entry: &yaml::Entry| (entry.key.to_string(), of_node(&entry.value));
            minijinja::Value::from_pairs(entries.map(pair))
        }
    }
}

/// One of minijinja's values as ours.
pub(super) fn back(value: &minijinja::Value) -> Result<Data, String> {
    back_at(value, 0)
}

fn back_at(value: &minijinja::Value, depth: usize) -> Result<Data, String> {
    if depth > MAX_DEPTH {
        return Err("a value nested deeper than 64 levels".to_owned());
    }
    Ok(match value.kind() {
        ValueKind::Undefined => Data::Undefined,
        ValueKind::None => Data::Null,
        ValueKind::Bool => Data::Bool(value.is_true()),
        ValueKind::Number if value.is_integer() => {
            let number = value.as_i64();
            Data::Int(number.ok_or("a whole number of more than 64 bits")?)
        }
        ValueKind::Number => {
            Data::Float(f64::try_from(value.clone()).map_err(|error| message(&error))?)
        }
        ValueKind::String => {
            let text = value.as_str().unwrap_or_default();
            if text.len() > MAX_MADE {
                return Err("this would make more than 1 MiB of text".to_owned());
            }
            text.into()
        }
        ValueKind::Seq | ValueKind::Iterable => {
            let items = value.try_iter().map_err(|error| message(&error))?;
            let items: Result<Vec<Data>, String> =
                items.map(|item| back_at(&item, depth + 1)).collect();
            items?.into()
        }
        ValueKind::Map => {
            let mut entries = Vec::new();
            for key in value.try_iter().map_err(|error| message(&error))? {
                let item = value.get_item(&key).map_err(|error| message(&error))?;
                let item = TracedValue::constant(back_at(&item, depth + 1)?);
                entries.push((key.to_string().into(), item));
            }
            Data::map(entries)
        }
        kind => return Err(format!("a value of kind {kind}")),
    })
}
