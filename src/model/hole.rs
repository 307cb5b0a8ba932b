//! Holes: the values in a skeleton, what they were made of, and how closely anybody looked at them.
//!
//! All that is known of a hole's value is asked here, so what was asked is what decided. A judgement of one manifest
//! holds for another of the same form where all that was asked is the same ([`super::records`]).

use std::sync::atomic::{AtomicU8, Ordering};

use crate::yaml::{NodeId, Value};

/// A value that fills a hole, and the input values that were read to compute it.
#[derive(Debug)]
pub struct Hole {
    value: Value,
    /// What was read; one for a value that is printed as it is.
    pub sources: Sources,
    /// The closest [`Look`] since the last [`Hole::forget`].
    seen: AtomicU8,
}

/// How closely a value was looked at; each look answers less than the next one.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Look {
    /// Not at all.
    None,
    /// Whether there is something.
    Presence,
    /// Its type, and whether it is empty.
    Kind,
    /// All of it.
    Value,
}

impl Hole {
    /// A hole that nobody looked at.
    pub fn new(value: Value, sources: Sources) -> Hole {
        Hole {
            value,
            sources,
            seen: AtomicU8::new(0),
        }
    }

    fn see(&self, look: Look) {
        // A manifest is judged by one thread at a time; others only read.
        if self.seen.load(Ordering::Relaxed) < look as u8 {
            self.seen.store(look as u8, Ordering::Relaxed);
        }
    }

    /// The value.
    pub fn value(&self) -> &Value {
        self.see(Look::Value);
        &self.value
    }

    /// Whether the value is nothing.
    pub fn is_null(&self) -> bool {
        self.see(Look::Presence);
        matches!(self.value, Value::Null)
    }

    /// Whether the value is a list.
    pub fn is_list(&self) -> bool {
        self.see(Look::Kind);
        matches!(self.value, Value::List(_))
    }

    /// Whether the value is a map.
    pub fn is_map(&self) -> bool {
        self.see(Look::Kind);
        matches!(self.value, Value::Map(_))
    }

    /// Whether the value is `false`, `0`, `""`, or has no entries that are something.
    pub fn is_zero(&self) -> bool {
        self.see(Look::Kind);
        is_zero(&self.value)
    }

    /// Whether nothing would be printed inside a text.
    pub fn is_empty_text(&self) -> bool {
        self.see(Look::Kind);
        match &self.value {
            Value::String(text) => text.is_empty(),
            Value::Null | Value::List(_) | Value::Map(_) => true,
            Value::Bool(_) | Value::Int(_) | Value::Float(_) => false,
        }
    }

    /// The closest look since the last time, which is forgotten.
    pub fn forget(&self) -> Look {
        match self.seen.swap(0, Ordering::Relaxed) {
            0 => Look::None,
            1 => Look::Presence,
            2 => Look::Kind,
            _ => Look::Value,
        }
    }

    /// Whether a look at the value shows what it would show of another one.
    pub fn shows(&self, look: Look, other: &Value) -> bool {
        match look {
            Look::None => true,
            Look::Presence => matches!(self.value, Value::Null) == matches!(other, Value::Null),
            Look::Kind => {
                std::mem::discriminant(&self.value) == std::mem::discriminant(other)
                    && is_zero(&self.value) == is_zero(other)
            }
            Look::Value => self.value == *other,
        }
    }

    /// The value, to be kept for [`Hole::shows`].
    pub fn kept(&self) -> Value {
        self.value.clone()
    }
}

/// Whether a value is `false`, `0`, `""`, or has no entries that are something.
pub fn is_zero(value: &Value) -> bool {
    match value {
        Value::Null => true,
        Value::Bool(value) => !value,
        Value::Int(number) => *number == 0,
        Value::Float(number) => *number == 0.0,
        Value::String(text) => text.is_empty(),
        Value::List(items) => items.iter().all(crate::yaml::Node::is_null),
        Value::Map(map) => map.entries.iter().all(|entry| entry.value.is_null()),
    }
}

/// Ids of input values.
#[derive(Clone, Debug, Default)]
pub enum Sources {
    /// The template itself.
    #[default]
    None,
    /// One, the usual case.
    One(NodeId),
    /// Several.
    Many(Box<[NodeId]>),
}

impl Sources {
    /// The ids.
    pub fn as_slice(&self) -> &[NodeId] {
        match self {
            Sources::None => &[],
            Sources::One(id) => std::slice::from_ref(id),
            Sources::Many(ids) => ids,
        }
    }
}

impl From<Vec<NodeId>> for Sources {
    fn from(ids: Vec<NodeId>) -> Sources {
        match ids.as_slice() {
            [] => Sources::None,
            [id] => Sources::One(*id),
            _ => Sources::Many(ids.into()),
        }
    }
}
