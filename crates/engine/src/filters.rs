//! What templates can do to values, besides choosing among items: functions of whole values.

use std::sync::Arc;

use sha2::{Digest as _, Sha256};

use super::foreign::{MAX_MADE, Operator};
use super::markers;
use super::trace::{LookDepth, Own};
use super::value::{Data, TracedValue, ValueType};
use crate::placeholder;
use crate::scalars::{Amount, parse_duration, url_host, url_port};
use tenantry_syntax::yaml::parse::MAX_DEPTH;

/// Filters that give some of the items or entries that they are given, or put them together.
const CHOOSING: [&str; 24] = [
    "default",
    "d",
    "length",
    "count",
    "first",
    "last",
    "list",
    "reverse",
    "chain",
    "zip",
    "items",
    "dictsort",
    "attr",
    "select",
    "reject",
    "selectattr",
    "rejectattr",
    "map",
    "sort",
    "unique",
    "groupby",
    "only",
    "without",
    "indent",
];
/// Filters of the language that are taken as they are.
const TAKEN: [&str; 15] = [
    "lower",
    "upper",
    "title",
    "capitalize",
    "trim",
    "split",
    "lines",
    "round",
    "abs",
    "int",
    "float",
    "string",
    "bool",
    "min",
    "max",
];
/// The tests of the language.
const TESTS: [&str; 36] = [
    "undefined",
    "defined",
    "none",
    "boolean",
    "odd",
    "even",
    "divisibleby",
    "number",
    "integer",
    "int",
    "float",
    "string",
    "sequence",
    "iterable",
    "mapping",
    "startingwith",
    "endingwith",
    "lower",
    "upper",
    "sameas",
    "eq",
    "equalto",
    "==",
    "ne",
    "!=",
    "lt",
    "lessthan",
    "<",
    "le",
    "<=",
    "gt",
    "greaterthan",
    ">",
    "ge",
    ">=",
    "in",
];

macro_rules! owns {
    ($($name:literal $function:ident;)*) => {
        /// Our own filters.
        static OWN: &[Own] = &[$(Own { name: $name, reach: LookDepth::Whole, apply: $function }),*];
    };
}

owns! {
    "cpu" cpu;
    "bytes" bytes;
    "mebibytes" mebibytes;
    "seconds" seconds;
    "duration" duration;
    "exact_seconds" exact_seconds;
    "tojson" to_json;
    "dashboard" dashboard;
    "checksum" checksum;
    "fill" fill;
    "host" host;
    "port" port;
    "replace" replace;
    "join" join;
    "sum" sum;
}

/// Those entries of a map that a list names, or does not name.
pub(super) static ENTRIES: Own = Own {
    name: "entries",
    reach: LookDepth::Whole,
    apply: |arguments| {
        let [map, names, only] = arguments else {
            return Err("entries are of one map".to_owned());
        };
        let names: Vec<String> = names
            .items()
            .unwrap_or_default()
            .iter()
            .map(|name| name.to_text().into_owned())
            .collect();
        let is_named = |key: &str| names.iter().any(|name| name == key);
        let is_wanted = |key: &str| {
            if only.is_true() {
                names.is_empty() || is_named(key)
            } else {
                !is_named(key)
            }
        };
        match map {
            Data::Tree(tree) if tree.node.as_map().is_some() => {
                Ok(Data::Tree(tree.filtered(is_wanted)))
            }
            Data::Map(entries) => Ok(Data::Map(
                entries
                    .iter()
                    .filter(|(key, _)| is_wanted(key))
                    .cloned()
                    .collect(),
            )),
            _ => Err("only maps have entries".to_owned()),
        }
    },
};

/// The filter of a name, if there is one.
pub fn known(name: &str) -> Option<&'static str> {
    let named = |known: &&'static str| *known == name;
    let language = CHOOSING.into_iter().chain(TAKEN).find(named);
    language.or_else(|| own(name).map(|own| own.name))
}

/// Whether a filter chooses among items, so that the rest depends on its arguments.
pub(super) fn is_choosing(name: &str) -> bool {
    CHOOSING.contains(&name)
}

/// Whether there is a test of a name.
pub fn is_test(name: &str) -> bool {
    TESTS.contains(&name) || matches!(name, "true" | "false")
}

/// The operator that a test is.
pub(super) fn operator_of_test(name: &str) -> Option<Operator> {
    Some(match name {
        "eq" | "equalto" | "==" => Operator::Equal,
        "ne" | "!=" => Operator::Unequal,
        "lt" | "lessthan" | "<" => Operator::Less,
        "le" | "<=" => Operator::AtMost,
        "gt" | "greaterthan" | ">" => Operator::Greater,
        "ge" | ">=" => Operator::AtLeast,
        "in" => Operator::In,
        _ => return None,
    })
}

/// Our own filter of a name.
pub(super) fn own(name: &str) -> Option<&'static Own> {
    OWN.iter().find(|own| own.name == name)
}

/// Whether our own filter takes an argument by a name.
pub(super) fn takes(filter: &str, argument: &str) -> bool {
    matches!((filter, argument), ("tojson", "indent") | ("join", "d"))
}

fn first(arguments: &[Data]) -> &Data {
    arguments.first().unwrap_or(&Data::Undefined)
}

/// The text of an argument; that of macros is none.
fn text(data: &Data) -> Result<String, String> {
    match data {
        Data::Markup(_) => Err("the text of a macro cannot be joined or filtered".to_owned()),
        Data::Undefined => Err("there is no value".to_owned()),
        _ => Ok(data.to_text().into_owned()),
    }
}

fn amount(arguments: &[Data], write: fn(Amount) -> String) -> Result<Data, String> {
    let value = first(arguments);
    if matches!(value, Data::Null) {
        return Ok(Data::Null);
    }
    let text = text(value)?;
    let amount = Amount::parse(&text)
        .ok_or_else(|| format!("`{text}` is not a quantity such as `500m` or `2Gi`"))?;
    Ok(match arguments.get(1) {
        None | Some(Data::Null) => text.into(),
        #[allow(
            clippy::cast_precision_loss,
            reason = "a factor of 2^53 is out of the question"
        )]
        Some(Data::Int(factor)) => write(amount.times(*factor as f64)).into(),
        Some(Data::Float(factor)) => write(amount.times(*factor)).into(),
        Some(_) => return Err("a factor is a number".to_owned()),
    })
}

/// `{{ cpu | cpu(1.5) }}`: a quantity of processors as text, times a factor.
fn cpu(arguments: &[Data]) -> Result<Data, String> {
    amount(arguments, Amount::as_cpu)
}

/// `{{ memory | bytes(1.2) }}`: a quantity of bytes as text, times a factor.
fn bytes(arguments: &[Data]) -> Result<Data, String> {
    amount(arguments, Amount::as_bytes)
}

/// `{{ memory | mebibytes }}`: a quantity of bytes as a whole number of Mi, rounded down.
fn mebibytes(arguments: &[Data]) -> Result<Data, String> {
    let text = text(first(arguments))?;
    let amount =
        Amount::parse(&text).ok_or_else(|| format!("`{text}` is not a quantity such as `16Gi`"))?;
    Ok(Data::Int(
        i64::try_from((amount.thousandths / 1000) >> 20).unwrap_or(i64::MAX),
    ))
}

/// `{{ deadline | seconds }}`: a duration as a whole number of seconds, rounded up.
fn seconds(arguments: &[Data]) -> Result<Data, String> {
    if matches!(first(arguments), Data::Null) {
        return Ok(Data::Null);
    }
    let text = text(first(arguments))?;
    let seconds = parse_duration(&text)
        .ok_or_else(|| format!("`{text}` is not a duration such as `30s` or `1h`"))?;
    #[allow(
        clippy::cast_possible_truncation,
        reason = "a duration of more than 2^53 seconds is out of the question"
    )]
    Ok(Data::Int(seconds.min(9e15).ceil() as i64))
}

/// `{{ pause | duration }}`: a duration as Go and Prometheus both read it: without days and fractions.
fn duration(arguments: &[Data]) -> Result<Data, String> {
    let value = first(arguments);
    if matches!(value, Data::Null) || !text(value)?.contains(['d', '.']) {
        return Ok(value.clone());
    }
    Ok(format!("{}s", seconds(arguments)?.to_text()).into())
}

/// `{{ latency | exact_seconds }}`: a duration as a number of seconds, such as 0.25.
fn exact_seconds(arguments: &[Data]) -> Result<Data, String> {
    let text = text(first(arguments))?;
    let seconds = parse_duration(&text)
        .ok_or_else(|| format!("`{text}` is not a duration such as `250ms` or `1h`"))?;
    // To the millisecond, so that no binary fraction shows.
    let rounded = (seconds * 1000.0).round() / 1000.0;
    #[allow(
        clippy::cast_possible_truncation,
        reason = "a duration of more than 2^53 seconds is out of the question"
    )]
    Ok(if rounded.fract() == 0.0 {
        Data::Int(rounded.min(9e15) as i64)
    } else {
        Data::Float(rounded)
    })
}

/// `{{ macro() | indent(6) }}`: text of a macro, each line but the first moved to the right. Values are holes, so nothing
/// of theirs moves.
pub(super) fn indented(
    value: &TracedValue,
    columns: Option<&TracedValue>,
) -> Result<TracedValue, String> {
    let Data::Markup(text) = &value.data else {
        return Err("`indent` is for the text of macros; values need none".to_owned());
    };
    let columns = match columns.map(|columns| &columns.data) {
        Some(Data::Int(columns @ 0..=256)) => usize::try_from(*columns).unwrap_or(0),
        _ => return Err("`indent` takes a number of columns, at most 256".to_owned()),
    };
    let margin = " ".repeat(columns);
    let mut moved = String::with_capacity(text.len() + 64);
    for (position, line) in markers::without_last_line_ends(text)
        .split('\n')
        .enumerate()
    {
        if position > 0 {
            moved.push('\n');
            if !markers::is_blank(line) {
                moved.push_str(&margin);
            }
        }
        moved.push_str(line);
    }
    Ok(TracedValue {
        data: Data::Markup(moved.into()),
        term: value.term,
    })
}

/// `{{ map | tojson }}`: JSON, as an ordinary string; with `indent=2`, a line for each field.
fn to_json(arguments: &[Data]) -> Result<Data, String> {
    let json = json(first(arguments), 0)?;
    let made = match arguments.get(1) {
        None => serde_json::to_string(&json),
        Some(Data::Int(2)) => serde_json::to_string_pretty(&json),
        Some(_) => return Err("write `indent=2`, or none".to_owned()),
    };
    made.map(Data::from).map_err(|error| error.to_string())
}

fn json(value: &Data, depth: usize) -> Result<serde_json::Value, String> {
    if depth > MAX_DEPTH {
        return Err("nested deeper than 64 levels".to_owned());
    }
    Ok(match value {
        Data::Undefined | Data::Null => serde_json::Value::Null,
        Data::Bool(value) => (*value).into(),
        Data::Int(number) => (*number).into(),
        Data::Float(number) => (*number).into(),
        Data::Text(text) => (&**text).into(),
        Data::Tree(tree) => tree.node.to_json(),
        Data::List(items) => {
            let items = items.iter().map(|item| json(&item.data, depth + 1));
            serde_json::Value::Array(items.collect::<Result<_, _>>()?)
        }
        Data::Map(entries) => {
            let mut map = serde_json::Map::new();
            for (key, value) in entries.iter() {
                map.insert(key.to_string(), json(&value.data, depth + 1)?);
            }
            serde_json::Value::Object(map)
        }
        Data::Markup(_) | Data::Local(_) => {
            return Err("the text of a macro is no value".to_owned());
        }
    })
}

fn digest(text: &[u8], bytes: usize) -> String {
    Sha256::digest(text)
        .iter()
        .take(bytes)
        .map(|byte| format!("{byte:02x}"))
        .collect()
}

/// `{{ panels | dashboard(title, subtitle, uid) }}`: a dashboard of Grafana as JSON. A panel is a list: its form (`stat`,
/// `timeseries`), title, query, unit, and its place and size in a grid of 24 columns.
/// <https://grafana.com/docs/grafana/latest/dashboards/build-dashboards/view-dashboard-json-model/>
fn dashboard(arguments: &[Data]) -> Result<Data, String> {
    let [panels, title, subtitle, uid] = arguments else {
        return Err("`dashboard` takes a title, a subtitle and an identifier".to_owned());
    };
    let source = serde_json::json!({"type": "prometheus", "uid": "${source}"});
    let mut made = Vec::new();
    for (id, panel) in (1..).zip(panels.items().unwrap_or_default()) {
        let panel = json(&panel, 0)?;
        let at = |index: usize| panel.get(index).cloned().unwrap_or_default();
        if !(at(2).is_string() && at(7).is_number()) {
            return Err("a panel is [form, title, query, unit, x, y, width, height]".to_owned());
        }
        made.push(serde_json::json!({
            "id": id, "type": at(0), "title": at(1), "datasource": source,
            "gridPos": {"x": at(4), "y": at(5), "w": at(6), "h": at(7)},
            "fieldConfig": {"defaults": {"unit": at(3)}, "overrides": []},
            "targets": [{"refId": "A", "datasource": source, "expr": at(2)}],
        }));
    }
    // Grafana takes identifiers of 40 characters at most.
    let uid = digest(text(uid)?.as_bytes(), 16);
    let made = serde_json::to_string_pretty(&serde_json::json!({
        "uid": uid, "title": format!("{}: {}", text(title)?, text(subtitle)?), "tags": ["tenantry"], "schemaVersion": 39,
        "editable": false, "refresh": "1m", "time": {"from": "now-24h", "to": "now"},
        "templating": {"list": [{"name": "source", "type": "datasource", "query": "prometheus", "label": "Source"}]},
        "panels": made,
    }));
    made.map(Data::from).map_err(|error| error.to_string())
}

/// `{{ data | checksum }}`: the first 16 hexadecimal digits of SHA-256, so that pods are replaced when their configuration
/// changes.
fn checksum(arguments: &[Data]) -> Result<Data, String> {
    let mut json = json(first(arguments), 0)?;
    json.sort_all_objects();
    Ok(digest(json.to_string().as_bytes(), 8).into())
}

/// `{{ text | replace("a", "b") }}`.
fn replace(arguments: &[Data]) -> Result<Data, String> {
    let [value, from, to] = arguments else {
        return Err("`replace` takes two texts".to_owned());
    };
    let (value, from, to) = (text(value)?, text(from)?, text(to)?);
    let count = if from.is_empty() {
        value.chars().count() + 1
    } else {
        value.matches(&from).count()
    };
    if value.len().saturating_add(count.saturating_mul(to.len())) > MAX_MADE {
        return Err("this would make more than 1 MiB of text".to_owned());
    }
    Ok(value.replace(&from, &to).into())
}

/// `{{ list | join(", ") }}`.
fn join(arguments: &[Data]) -> Result<Data, String> {
    let separator = arguments.get(1).map(text).transpose()?.unwrap_or_default();
    let items = match first(arguments) {
        Data::Text(text) => text.chars().map(|c| c.to_string().into()).collect(),
        Data::Null => Vec::new(),
        list => list
            .items()
            .or_else(|| Some(list.keys()?.into_iter().map(Data::Text).collect()))
            .ok_or("only lists can be joined")?,
    };
    let mut made = String::new();
    for (position, item) in items.iter().enumerate() {
        if position > 0 {
            made.push_str(&separator);
        }
        made.push_str(&text(item)?);
        if made.len() > MAX_MADE {
            return Err("this would make more than 1 MiB of text".to_owned());
        }
    }
    Ok(made.into())
}

/// `{{ numbers | sum }}`.
fn sum(arguments: &[Data]) -> Result<Data, String> {
    let items = match first(arguments) {
        Data::Null => Vec::new(),
        list => list.items().ok_or("only lists have a sum")?,
    };
    items
        .iter()
        .try_fold(Data::Int(0), |sum, item| Operator::Add.apply(&sum, item))
}

/// `{{ prompt | fill(facts) }}`: `{market.growth}` in a text is what the facts have by that path; a brace that names
/// nothing of them stays as it is.
fn fill(arguments: &[Data]) -> Result<Data, String> {
    let [value, facts] = arguments else {
        return Err("`fill` takes facts".to_owned());
    };
    let value = text(value)?;
    let mut made = String::new();
    let mut rest = value.as_str();
    while let Some((before, name, after)) = placeholder::next(rest) {
        made.push_str(before);
        let mut found = Some(facts.clone());
        for step in name.split('.') {
            found = found.and_then(|found| found.entry(step));
        }
        let found = found.unwrap_or(Data::Undefined);
        match found.kind() {
            ValueType::Undefined | ValueType::Null => {
                made.push('{');
                made.push_str(name);
                made.push('}');
            }
            ValueType::List => {
                let items = found.items().unwrap_or_default();
                if items
                    .iter()
                    .any(|item| matches!(item.kind(), ValueType::List | ValueType::Map))
                {
                    made.push_str(&json(&found, 0)?.to_string());
                } else {
                    let words: Vec<String> = items
                        .iter()
                        .map(|item| item.to_text().into_owned())
                        .collect();
                    made.push_str(&words.join(", "));
                }
            }
            ValueType::Map => made.push_str(&json(&found, 0)?.to_string()),
            _ => made.push_str(&found.to_text()),
        }
        if made.len() > MAX_MADE {
            return Err("this would make more than 1 MiB of text".to_owned());
        }
        rest = after;
    }
    made.push_str(rest);
    Ok(made.into())
}

/// `{{ endpoint | host }}`.
fn host(arguments: &[Data]) -> Result<Data, String> {
    let text = text(first(arguments))?;
    url_host(&text)
        .map(Data::from)
        .ok_or_else(|| format!("`{text}` names no host"))
}

/// `{{ endpoint | port }}`: the scheme's own if none is written.
fn port(arguments: &[Data]) -> Result<Data, String> {
    let text = text(first(arguments))?;
    let port = url_port(&text).ok_or_else(|| format!("`{text}` names no port"))?;
    Ok(Data::Int(port.into()))
}

/// `range(stop)`, `range(start, stop, step)`.
pub(super) fn range(bounds: &[Data]) -> Result<Data, String> {
    let number = |data: &Data| match data {
        Data::Int(number) => Ok(*number),
        _ => Err("a range has whole numbers".to_owned()),
    };
    let (start, stop, step) = match bounds {
        [stop] => (0, number(stop)?, 1),
        [start, stop] => (number(start)?, number(stop)?, 1),
        [start, stop, step] => (number(start)?, number(stop)?, number(step)?),
        _ => return Err("a range has one, two or three numbers".to_owned()),
    };
    if step == 0 {
        return Err("a range cannot have a step of 0".to_owned());
    }
    let mut items = Vec::new();
    let mut at = start;
    while if step > 0 { at < stop } else { at > stop } {
        if items.len() >= 100_000 {
            return Err("a range has at most 100,000 items".to_owned());
        }
        items.push(TracedValue::constant(Data::Int(at)));
        at = at.saturating_add(step);
    }
    Ok(Data::List(Arc::from(items)))
}
