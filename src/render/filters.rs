//! What templates can do to values, besides what Jinja has. Each notes what it made of what, so
//! that the result is traced to the input line.

use std::collections::BTreeMap;

use minijinja::value::Kwargs;
use minijinja::{Environment, Error, ErrorKind, Value};
use sha2::{Digest as _, Sha256};

use super::tree::Tree;
use super::{markers, recorder};
use crate::model::placeholder;
use crate::model::scalars::{Amount, parse_duration, url_host, url_port};

/// Adds the filters, and removes those that would let a value become text of the template.
pub fn install(environment: &mut Environment<'static>) {
    // `batch`, `slice` and `format` can be told to make more than memory holds.
    for name in ["safe", "escape", "e", "batch", "slice", "format"] {
        environment.remove_filter(name);
    }
    environment.add_filter("cpu", |value: &Value, factor: Option<f64>| {
        amount(value, factor, Amount::as_cpu)
    });
    environment.add_filter("bytes", |value: &Value, factor: Option<f64>| {
        amount(value, factor, Amount::as_bytes)
    });
    environment.add_filter("mebibytes", mebibytes);
    environment.add_filter("seconds", seconds);
    environment.add_filter("duration", duration);
    environment.add_filter("exact_seconds", exact_seconds);
    environment.add_filter("indent", indent);
    environment.add_filter("tojson", to_json);
    environment.add_filter("dashboard", dashboard);
    environment.add_filter("checksum", checksum);
    environment.add_filter("without", without);
    environment.add_filter("only", only);
    environment.add_filter("fill", fill);
    environment.add_filter("host", |url: &Value| part_of_url(url, false));
    environment.add_filter("port", |url: &Value| part_of_url(url, true));
    environment.add_filter("replace", replace);
    environment.add_filter("join", join);
}

fn invalid(message: String) -> Error {
    Error::new(ErrorKind::InvalidOperation, message)
}

/// `{{ memory | bytes(1.2) }}`: a quantity as text, times a factor.
fn amount(value: &Value, factor: Option<f64>, write: fn(Amount) -> String) -> Result<Value, Error> {
    if value.is_none() {
        return Ok(Value::from(()));
    }
    let text = value.to_string();
    let amount = Amount::parse(&text).ok_or_else(|| {
        invalid(format!(
            "`{text}` is not a quantity such as `500m` or `2Gi`"
        ))
    })?;
    let made = Value::from(match factor {
        Some(factor) => write(amount.times(factor)),
        None => text,
    });
    recorder::note_made(value, &made);
    Ok(made)
}

/// `{{ memory | mebibytes }}`: a quantity of bytes as a whole number of Mi, rounded down.
fn mebibytes(value: &Value) -> Result<Value, Error> {
    let text = value.to_string();
    let amount = Amount::parse(&text)
        .ok_or_else(|| invalid(format!("`{text}` is not a quantity such as `16Gi`")))?;
    let made = Value::from(i64::try_from((amount.thousandths / 1000) >> 20).unwrap_or(i64::MAX));
    recorder::note_made(value, &made);
    Ok(made)
}

/// `{{ deadline | seconds }}`: a duration as a whole number of seconds, rounded up.
fn seconds(value: &Value) -> Result<Value, Error> {
    if value.is_none() {
        return Ok(Value::from(()));
    }
    let text = value.to_string();
    let seconds = parse_duration(&text)
        .ok_or_else(|| invalid(format!("`{text}` is not a duration such as `30s` or `1h`")))?;
    #[allow(
        clippy::cast_possible_truncation,
        reason = "a duration of more than 2^53 seconds is out of the question"
    )]
    let made = Value::from(seconds.min(9e15).ceil() as i64);
    recorder::note_made(value, &made);
    Ok(made)
}

/// `{{ pause | duration }}`: a duration as Go and Prometheus both read it: without days and fractions.
fn duration(value: &Value) -> Result<Value, Error> {
    if value.is_none() || !value.to_string().contains(['d', '.']) {
        return Ok(value.clone());
    }
    let made = Value::from(format!("{}s", seconds(value)?));
    recorder::note_made(value, &made);
    Ok(made)
}

/// `{{ latency | exact_seconds }}`: a duration as a number of seconds, such as 0.25.
fn exact_seconds(value: &Value) -> Result<Value, Error> {
    let text = value.to_string();
    let seconds = parse_duration(&text).ok_or_else(|| {
        invalid(format!(
            "`{text}` is not a duration such as `250ms` or `1h`"
        ))
    })?;
    // To the millisecond, so that no binary fraction shows.
    let rounded = (seconds * 1000.0).round() / 1000.0;
    #[allow(
        clippy::cast_possible_truncation,
        reason = "a duration of more than 2^53 seconds is out of the question"
    )]
    let made = if rounded.fract() == 0.0 {
        Value::from(rounded.min(9e15) as i64)
    } else {
        Value::from(rounded)
    };
    recorder::note_made(value, &made);
    Ok(made)
}

/// `{{ macro() | indent(6) }}`: text of a macro, each line but the first moved to the right. Values
/// are holes, so nothing of theirs moves.
fn indent(value: &Value, columns: usize) -> Result<Value, Error> {
    let text = value.as_str().filter(|_| value.is_safe());
    let text = text.ok_or_else(|| {
        invalid("`indent` is for the text of macros; values need none".to_owned())
    })?;
    if columns > 256 {
        return Err(invalid("at most 256 columns".to_owned()));
    }
    let margin = " ".repeat(columns);
    let mut moved = String::with_capacity(text.len() + 64);
    for (position, line) in text.trim_end_matches('\n').split('\n').enumerate() {
        if position > 0 {
            moved.push('\n');
            if !markers::without_lines(line).trim().is_empty() {
                moved.push_str(&margin);
            }
        }
        moved.push_str(line);
    }
    Ok(Value::from_safe_string(moved))
}

/// `{{ map | tojson }}`: JSON, as an ordinary string; with `indent=2`, a line for each field.
fn to_json(value: &Value, kwargs: Kwargs) -> Result<Value, Error> {
    let indent: Option<usize> = kwargs.get("indent")?;
    kwargs.assert_all_used()?;
    let json = json(value, 0)?;
    let text = match indent {
        None => serde_json::to_string(&json),
        Some(2) => serde_json::to_string_pretty(&json),
        Some(_) => return Err(invalid("write `indent=2`, or none".to_owned())),
    };
    let made = Value::from(text.map_err(|error| invalid(error.to_string()))?);
    recorder::note_made(value, &made);
    Ok(made)
}

fn json(value: &Value, depth: usize) -> Result<serde_json::Value, Error> {
    use minijinja::value::ValueKind;
    if depth > crate::yaml::parse::MAX_DEPTH {
        return Err(invalid("nested deeper than 64 levels".to_owned()));
    }
    Ok(match value.kind() {
        ValueKind::Bool => value.is_true().into(),
        ValueKind::Number if value.is_integer() => value
            .as_i64()
            .ok_or_else(|| invalid("a whole number of more than 64 bits".to_owned()))?
            .into(),
        ValueKind::String if value.is_safe() => {
            return Err(invalid("the text of a macro is no value".to_owned()));
        }
        ValueKind::Number => f64::try_from(value.clone())?.into(),
        ValueKind::String => value.as_str().into(),
        ValueKind::Seq | ValueKind::Iterable => serde_json::Value::Array(
            value
                .try_iter()?
                .map(|item| json(&item, depth + 1))
                .collect::<Result<_, _>>()?,
        ),
        ValueKind::Map => {
            let mut map = serde_json::Map::new();
            for key in value.try_iter()? {
                map.insert(key.to_string(), json(&value.get_item(&key)?, depth + 1)?);
            }
            serde_json::Value::Object(map)
        }
        _ => serde_json::Value::Null,
    })
}

/// `{{ panels | dashboard(title, subtitle, uid) }}`: a dashboard of Grafana as JSON. A panel is a list:
/// its form (`stat`, `timeseries`), title, query, unit, and its place and size in a grid of 24 columns.
/// <https://grafana.com/docs/grafana/latest/dashboards/build-dashboards/view-dashboard-json-model/>
fn dashboard(panels: &Value, title: &str, subtitle: &str, uid: &str) -> Result<Value, Error> {
    let source = serde_json::json!({"type": "prometheus", "uid": "${source}"});
    let mut made = Vec::new();
    for (id, panel) in (1..).zip(panels.try_iter()?) {
        let panel = json(&panel, 0)?;
        let at = |index: usize| panel.get(index).cloned().unwrap_or_default();
        if !(at(2).is_string() && at(7).is_number()) {
            return Err(invalid(
                "a panel is [form, title, query, unit, x, y, width, height]".to_owned(),
            ));
        }
        made.push(serde_json::json!({
            "id": id, "type": at(0), "title": at(1), "datasource": source,
            "gridPos": {"x": at(4), "y": at(5), "w": at(6), "h": at(7)},
            "fieldConfig": {"defaults": {"unit": at(3)}, "overrides": []},
            "targets": [{"refId": "A", "datasource": source, "expr": at(2)}],
        }));
    }
    // Grafana takes identifiers of 40 characters at most.
    let digest = Sha256::digest(uid);
    let uid: String = digest
        .iter()
        .take(16)
        .map(|byte| format!("{byte:02x}"))
        .collect();
    let text = serde_json::to_string_pretty(&serde_json::json!({
        "uid": uid, "title": format!("{title}: {subtitle}"), "tags": ["tenantry"], "schemaVersion": 39,
        "editable": false, "refresh": "1m", "time": {"from": "now-24h", "to": "now"},
        "templating": {"list": [{"name": "source", "type": "datasource", "query": "prometheus", "label": "Source"}]},
        "panels": made,
    }));
    Ok(Value::from(
        text.map_err(|error| invalid(error.to_string()))?,
    ))
}

/// `{{ data | checksum }}`: the first 16 hexadecimal digits of SHA-256, so that pods are replaced
/// when their configuration changes.
fn checksum(value: &Value) -> Result<Value, Error> {
    let mut json = json(value, 0)?;
    json.sort_all_objects();
    let digest = Sha256::digest(json.to_string());
    let made = Value::from(
        digest
            .iter()
            .take(8)
            .map(|byte| format!("{byte:02x}"))
            .collect::<String>(),
    );
    recorder::note_made(value, &made);
    Ok(made)
}

/// Most bytes that a filter makes of texts.
const MAX_MADE: usize = 1 << 20;

/// `{{ text | replace("a", "b") }}`.
fn replace(value: &Value, from: &str, to: &str) -> Result<Value, Error> {
    let text = value.to_string();
    if value.is_safe() {
        return Err(invalid("the text of a macro cannot be filtered".to_owned()));
    }
    let count = if from.is_empty() {
        text.chars().count() + 1
    } else {
        text.matches(from).count()
    };
    if text.len().saturating_add(count.saturating_mul(to.len())) > MAX_MADE {
        return Err(invalid(
            "this would make more than 1 MiB of text".to_owned(),
        ));
    }
    Ok(Value::from(text.replace(from, to)))
}

/// `{{ list | join(", ") }}`.
fn join(value: &Value, separator: Option<&str>) -> Result<Value, Error> {
    let separator = separator.unwrap_or_default();
    let mut text = String::new();
    for (position, item) in value.try_iter()?.enumerate() {
        if position > 0 {
            text.push_str(separator);
        }
        if item.is_safe() {
            return Err(invalid("the text of a macro cannot be joined".to_owned()));
        }
        text.push_str(&item.to_string());
        if text.len() > MAX_MADE {
            return Err(invalid(
                "this would make more than 1 MiB of text".to_owned(),
            ));
        }
    }
    Ok(Value::from(text))
}

/// `{{ facts | only(names) }}`: the entries of a map that are named; all of them if none is.
fn only(value: &Value, names: &Value) -> Result<Value, Error> {
    let mut wanted = Vec::new();
    if !names.is_none() {
        for name in names.try_iter()? {
            wanted.push(name.to_string());
        }
    }
    entries(value, |key| {
        wanted.is_empty() || wanted.iter().any(|name| name == key)
    })
}

/// Those entries of a map whose key is wanted, as a map.
fn entries(value: &Value, is_wanted: impl Fn(&str) -> bool) -> Result<Value, Error> {
    if let Some(tree) = value.downcast_object_ref::<Tree>() {
        return Ok(Value::from_object(tree.filtered(is_wanted)));
    }
    let mut kept = BTreeMap::new();
    for key in value.try_iter()? {
        let name = key.to_string();
        if is_wanted(&name) {
            kept.insert(name, value.get_item(&key)?);
        }
    }
    Ok(Value::from(kept))
}

/// `{{ prompt | fill(facts) }}`: `{market.growth}` in a text is what the facts have by that path; a
/// brace that names nothing of them stays as it is.
fn fill(value: &Value, facts: &Value) -> Result<Value, Error> {
    let text = value.to_string();
    let mut made = String::new();
    let mut rest = text.as_str();
    while let Some((before, name, after)) = placeholder::next(rest) {
        made.push_str(before);
        let mut found = facts.clone();
        for step in name.split('.') {
            found = found.get_attr(step).unwrap_or_default();
        }
        match found.kind() {
            minijinja::value::ValueKind::Undefined | minijinja::value::ValueKind::None => {
                made.push('{');
                made.push_str(name);
                made.push('}');
            }
            minijinja::value::ValueKind::Seq
                if found.try_iter()?.all(|item| {
                    !matches!(
                        item.kind(),
                        minijinja::value::ValueKind::Seq | minijinja::value::ValueKind::Map
                    )
                }) =>
            {
                let words: Vec<String> = found.try_iter()?.map(|item| item.to_string()).collect();
                made.push_str(&words.join(", "));
            }
            minijinja::value::ValueKind::Map | minijinja::value::ValueKind::Seq => {
                made.push_str(&json(&found, 0)?.to_string());
            }
            _ => made.push_str(&found.to_string()),
        }
        if made.len() > MAX_MADE {
            return Err(invalid(
                "this would make more than 1 MiB of text".to_owned(),
            ));
        }
        rest = after;
    }
    made.push_str(rest);
    Ok(Value::from(made))
}

/// `{{ endpoint | host }}`, `{{ endpoint | port }}`: parts of a URL; the port is the scheme's own if none is
/// written.
fn part_of_url(value: &Value, port: bool) -> Result<Value, Error> {
    let text = value.to_string();
    let made = if port {
        url_port(&text).map(Value::from)
    } else {
        url_host(&text).map(Value::from)
    };
    let what = if port { "port" } else { "host" };
    let made = made.ok_or_else(|| invalid(format!("`{text}` names no {what}")))?;
    recorder::note_made(value, &made);
    Ok(made)
}

/// `{{ item | without("name") }}`: a map without some of its keys.
fn without(
    value: &Value,
    keys: minijinja::value::Rest<String>,
    kwargs: Kwargs,
) -> Result<Value, Error> {
    kwargs.assert_all_used()?;
    entries(value, |key| !keys.iter().any(|unwanted| unwanted == key))
}
