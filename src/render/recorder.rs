//! What one rendering reads and prints. Templates run on one thread, so this is kept per thread.

use std::cell::RefCell;
use std::collections::HashSet;

use minijinja::value::ValueKind;
use minijinja::{Error, ErrorKind, Output, State, Value};

use super::{markers, tree};
use crate::model::hole::{Hole, Sources};
use crate::yaml::{self, Entry, Node, NodeId};

#[derive(Default)]
struct Recorder {
    /// Values that were read and not yet printed.
    read: Vec<(NodeId, Value)>,
    /// Values that were read before: a template may keep them in variables.
    before: Vec<(NodeId, Value)>,
    /// What filters made of values.
    made: Vec<(Value, NodeId)>,
    holes: Vec<Hole>,
    /// What was read, or printed as a whole, since [`begin_usage`].
    used: HashSet<NodeId>,
    missing: Option<(String, Vec<String>)>,
}

thread_local! {
    static RECORDER: RefCell<Recorder> = RefCell::default();
}

/// Most values that are remembered of one rendering.
const MAX_BEFORE: usize = 4096;

/// Begins a rendering.
pub fn start() {
    RECORDER.with_borrow_mut(|recorder| {
        recorder.read.clear();
        recorder.before.clear();
        recorder.made.clear();
        recorder.holes.clear();
        recorder.missing = None;
    });
}

/// Ends a rendering: the values of its holes, and all that was read.
pub fn finish() -> (Vec<Hole>, Vec<NodeId>) {
    RECORDER.with_borrow_mut(|recorder| {
        let Recorder {
            read, before, used, ..
        } = recorder;
        let mut ids: Vec<NodeId> = read
            .iter()
            .chain(before.iter())
            .map(|(id, _)| *id)
            .collect();
        used.extend(&ids);
        ids.sort_unstable();
        ids.dedup();
        (std::mem::take(&mut recorder.holes), ids)
    })
}

/// Begins to note which values are used, over several renderings.
pub fn begin_usage() {
    RECORDER.with_borrow_mut(|recorder| recorder.used.clear());
}

/// The values that were read, or printed as a whole, since [`begin_usage`].
pub fn take_usage() -> HashSet<NodeId> {
    RECORDER.with_borrow_mut(|recorder| std::mem::take(&mut recorder.used))
}

/// The input value that was read last.
pub fn last_read() -> Option<NodeId> {
    RECORDER.with_borrow(|recorder| recorder.read.last().map(|(id, _)| *id))
}

/// The last name that was looked up in vain, and the names that there are.
pub fn missing() -> Option<(String, Vec<String>)> {
    RECORDER.with_borrow_mut(|recorder| recorder.missing.take())
}

/// Notes that a scalar was read.
pub fn note_read(id: NodeId, value: &Value) {
    RECORDER.with_borrow_mut(|recorder| recorder.read.push((id, value.clone())));
}

/// Notes that a name was looked up in vain.
pub fn note_missing(name: &str, known: impl FnOnce() -> Vec<String>) {
    RECORDER.with_borrow_mut(|recorder| recorder.missing = Some((name.to_owned(), known())));
}

/// Notes that a filter made one value of another, so that it is traced through.
pub fn note_made(from: &Value, made: &Value) {
    RECORDER.with_borrow_mut(|recorder| {
        if let Some(tree) = from.downcast_object_ref::<tree::Tree>() {
            recorder.made.push((made.clone(), tree.node.id));
            return;
        }
        let source = recorder
            .read
            .iter()
            .chain(&recorder.before)
            .rev()
            .find(|(_, value)| same(value, from))
            .map(|(id, _)| *id);
        if let Some(id) = source {
            recorder.made.push((made.clone(), id));
        }
    });
}

/// Prints a value: markup of macros as text, everything else as a hole.
pub fn print(out: &mut Output<'_>, _: &mut State<'_, '_>, value: &Value) -> Result<(), Error> {
    if value.is_safe() {
        return out
            .write_str(value.as_str().unwrap_or_default())
            .map_err(Error::from);
    }
    let marker = RECORDER.with_borrow_mut(|recorder| {
        let hole = recorder.hole(value)?;
        recorder.holes.push(hole);
        markers::hole(recorder.holes.len() - 1)
            .ok_or_else(|| Error::new(ErrorKind::OutOfFuel, "more than 65,000 values are printed"))
    })?;
    out.write_str(marker.encode_utf8(&mut [0; 4]))
        .map_err(Error::from)
}

impl Recorder {
    fn hole(&mut self, value: &Value) -> Result<Hole, Error> {
        if let Some(tree) = value.downcast_object_ref::<tree::Tree>() {
            self.remember();
            self.used.insert(tree.node.id);
            let sources = Sources::One(tree.node.id);
            return Ok(Hole::new(tree.node.value.clone(), sources));
        }
        // A character of ours that no value has stands for a part of a macro's text.
        let values_may = self
            .read
            .iter()
            .chain(&self.before)
            .any(|(_, read)| read.as_str().is_some_and(has_marker));
        let converted = convert(value, values_may, 0)?;
        let sources = self.sources(value);
        self.remember();
        Ok(Hole::new(converted, sources))
    }

    /// The input values that a printed value came from.
    fn sources(&self, value: &Value) -> Sources {
        // Printed as it was read; conditions are read before it.
        if let Some((id, last)) = self.read.last()
            && same(last, value)
        {
            return Sources::One(*id);
        }
        if let Some((_, id)) = self.made.iter().rev().find(|(made, _)| same(made, value)) {
            return Sources::One(*id);
        }
        let equal = self
            .read
            .iter()
            .chain(&self.before)
            .rev()
            .find(|(_, read)| same(read, value));
        let Some(text) = value.as_str() else {
            return equal.map_or_else(|| ids(self.read.iter()), |(id, _)| Sources::One(*id));
        };
        // Text is joined of what it contains; what else was read only decided something.
        let inside = |(_, read): &&(NodeId, Value)| match read.as_str() {
            Some(part) => !part.is_empty() && text.contains(part),
            None => text.contains(&read.to_string()),
        };
        let joined = ids(self.read.iter().filter(inside));
        match (joined, equal) {
            (Sources::None, Some((id, _))) => Sources::One(*id),
            (Sources::None, None) => {
                let earlier = ids(self.before.iter().filter(inside));
                if matches!(earlier, Sources::None) {
                    ids(self.read.iter())
                } else {
                    earlier
                }
            }
            (joined, _) => joined,
        }
    }

    fn remember(&mut self) {
        if self.before.len() < MAX_BEFORE {
            self.before.append(&mut self.read);
        } else {
            self.read.clear();
        }
    }
}

fn has_marker(text: &str) -> bool {
    text.chars().any(markers::is_reserved)
}

/// Equality of scalars, without the conversions that the template language makes.
fn same(a: &Value, b: &Value) -> bool {
    match (a.as_str(), b.as_str()) {
        (Some(a), Some(b)) => a == b,
        (None, None) => a.kind() == b.kind() && a == b,
        _ => false,
    }
}

fn ids<'a>(read: impl Iterator<Item = &'a (NodeId, Value)>) -> Sources {
    let mut ids: Vec<NodeId> = Vec::new();
    for (id, _) in read {
        if !ids.contains(id) {
            ids.push(*id);
        }
    }
    Sources::from(ids)
}

/// A template's value as one of ours.
fn convert(value: &Value, values_may: bool, depth: usize) -> Result<yaml::Value, Error> {
    let refuse = |what: &str| {
        Error::new(
            ErrorKind::InvalidOperation,
            format!("{what} cannot be printed"),
        )
    };
    if depth > yaml::parse::MAX_DEPTH {
        return Err(refuse("a value nested deeper than 64 levels"));
    }
    if let Some(tree) = value.downcast_object_ref::<tree::Tree>() {
        return Ok(tree.node.value.clone());
    }
    let node = |value: &Value| -> Result<Node, Error> {
        match value.downcast_object_ref::<tree::Tree>() {
            Some(tree) => Ok(tree.node.clone()),
            None => Ok(Node::new(
                NodeId::NONE,
                convert(value, values_may, depth + 1)?,
            )),
        }
    };
    Ok(match value.kind() {
        ValueKind::None | ValueKind::Undefined => yaml::Value::Null,
        ValueKind::Bool => yaml::Value::Bool(value.is_true()),
        ValueKind::Number => match value.as_i64() {
            Some(number) if value.is_integer() => yaml::Value::Int(number),
            _ => match f64::try_from(value.clone()) {
                Ok(number) if number.is_finite() => yaml::Value::Float(number),
                _ => return Err(refuse("a number that JSON does not have")),
            },
        },
        ValueKind::String => {
            let text = value.as_str().unwrap_or_default();
            if value.is_safe() || (!values_may && has_marker(text)) {
                let message = "the text of a macro cannot be joined, filtered or put into a value; print it as it is, or with `indent`";
                return Err(Error::new(ErrorKind::InvalidOperation, message));
            }
            yaml::Value::String(text.into())
        }
        ValueKind::Seq | ValueKind::Iterable => {
            let items: Result<Vec<Node>, Error> =
                value.try_iter()?.map(|item| node(&item)).collect();
            yaml::Value::List(items?.into())
        }
        ValueKind::Map => {
            let mut entries = Vec::new();
            for key in value.try_iter()? {
                let item = value.get_item(&key)?;
                if key.is_safe() || (!values_may && key.as_str().is_some_and(has_marker)) {
                    return Err(refuse("the text of a macro, as a key,"));
                }
                let name = key.to_string();
                if entries.iter().any(|entry: &Entry| *entry.key == *name) {
                    return Err(refuse(&format!("a map with the key `{name}` twice")));
                }
                entries.push(Entry {
                    key: name.into(),
                    key_id: NodeId::NONE,
                    value: node(&item)?,
                });
            }
            yaml::Value::Map(std::sync::Arc::new(yaml::Map { entries }))
        }
        kind => return Err(refuse(&format!("a value of kind {kind}"))),
    })
}
