//! Holes: the values in a skeleton, what they were made of, and how closely anybody looked at them.
//!
//! All that is known of a hole's value is asked here, so what was asked is what decided. A judgement of one manifest
//! holds for another of the same form where all that was asked is the same ([`super::records`]).

use std::sync::atomic::{AtomicU8, Ordering};

use super::manifest::SkeletonNode;
use crate::origin::{Past, ValueOrigin};
use crate::value::Term;
use tenantry_syntax::yaml::{Node, NodeId, Value};

/// A value that fills a hole.
#[derive(Debug)]
pub struct Hole {
    value: Value,
    /// The input value that it is; none for one that was made.
    id: NodeId,
    /// The step that made it.
    term: Term,
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
    /// The types and keys of all its parts, and which of them are empty.
    Outline,
    /// All of it.
    Value,
}

impl Hole {
    /// A hole that nobody looked at.
    pub fn new(value: Value, id: NodeId, term: Term) -> Hole {
        Hole {
            value,
            id,
            term,
            seen: AtomicU8::new(0),
        }
    }

    /// The same value, which nobody looked at.
    pub fn unseen(&self) -> Hole {
        Hole::new(self.value.clone(), self.id, self.term)
    }

    /// A part of the value as a hole of its own: it comes from where it was written, or from where the whole does.
    pub fn part(&self, node: &Node) -> Hole {
        let term = if node.id == NodeId::NONE {
            self.term
        } else {
            Term::CONSTANT
        };
        Hole::new(node.value.clone(), node.id, term)
    }

    /// The value, for who makes another manifest of this one.
    pub fn taken(&self) -> &Value {
        &self.value
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

    /// The value, whose scalars are read by [`Hole::read`] only.
    pub fn outline(&self) -> &Value {
        self.see(Look::Outline);
        &self.value
    }

    /// A scalar in the value is read.
    pub fn read(&self) {
        self.see(Look::Value);
    }

    /// The type of the value.
    pub fn kind(&self) -> HoleType {
        self.see(Look::Kind);
        HoleType::of(&self.value)
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
            3 => Look::Outline,
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
            Look::Outline => is_alike(&self.value, other),
            Look::Value => self.value == *other,
        }
    }

    /// The value, to be kept for [`Hole::shows`].
    pub fn kept(&self) -> Value {
        self.value.clone()
    }
}

/// The type of a value.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum HoleType {
    /// Nothing.
    Null,
    /// A truth value.
    Bool,
    /// An integer.
    Int,
    /// Another number.
    Float,
    /// Text.
    Text,
    /// A sequence.
    List,
    /// A mapping.
    Map,
}

impl HoleType {
    /// The type of a value.
    pub fn of(value: &Value) -> HoleType {
        match value {
            Value::Null => HoleType::Null,
            Value::Bool(_) => HoleType::Bool,
            Value::Int(_) => HoleType::Int,
            Value::Float(_) => HoleType::Float,
            Value::String(_) => HoleType::Text,
            Value::List(_) => HoleType::List,
            Value::Map(_) => HoleType::Map,
        }
    }
}

/// Whether two values have the same outline.
fn is_alike(a: &Value, b: &Value) -> bool {
    match (a, b) {
        (Value::List(a), Value::List(b)) => {
            let items = &mut a.iter().zip(b.iter());
            a.len() == b.len() && items.all(|(a, b)| is_alike(&a.value, &b.value))
        }
        (Value::Map(a), Value::Map(b)) => {
            let entries = &mut a.entries.iter().zip(&b.entries);
            a.entries.len() == b.entries.len()
                && entries.all(|(a, b)| a.key == b.key && is_alike(&a.value.value, &b.value.value))
        }
        (a, b) => {
            std::mem::discriminant(a) == std::mem::discriminant(b) && is_zero(a) == is_zero(b)
        }
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
        Value::List(items) => items.iter().all(tenantry_syntax::yaml::Node::is_null),
        Value::Map(map) => map.entries.iter().all(|entry| entry.value.is_null()),
    }
}

/// What looks at the holes of a manifest showed: by position, how closely one was looked at, and its value.
#[derive(Debug)]
pub struct ShownHoles(Box<[(usize, Look, Value)]>);

impl ShownHoles {
    /// What the closest looks at the holes showed, in their order.
    pub fn new(holes: &Holes, looks: impl IntoIterator<Item = Look>) -> ShownHoles {
        let looks = holes.iter().zip(looks).enumerate();
        let looks = looks.filter(|(_, (_, look))| *look != Look::None);
        ShownHoles(
            looks
                .map(|(at, (hole, look))| (at, look, hole.kept()))
                .collect(),
        )
    }

    /// Whether the same looks at other holes show the same.
    pub fn is_shown_by(&self, holes: &Holes) -> bool {
        let shown = &mut self.0.iter();
        shown.all(|(at, look, value)| holes.get(*at).is_some_and(|hole| hole.shows(*look, value)))
    }
}

/// The holes of one rendering, and the run that filled them.
#[derive(Debug)]
pub struct Holes {
    holes: Box<[Hole]>,
    /// What the template did; nothing for what no template printed.
    pub past: Option<Past>,
}

impl std::ops::Deref for Holes {
    type Target = [Hole];

    fn deref(&self) -> &[Hole] {
        &self.holes
    }
}

impl Holes {
    /// The holes that a run filled.
    pub fn new(holes: Vec<Hole>, past: Option<Past>) -> Holes {
        Holes {
            holes: holes.into(),
            past,
        }
    }

    /// The closest look at each hole since the last time, which is forgotten.
    pub fn forget(&self) -> Vec<Look> {
        self.iter().map(Hole::forget).collect()
    }

    /// The input values that some holes were made of.
    pub fn sources(&self, positions: impl IntoIterator<Item = usize>) -> Vec<NodeId> {
        let mut sources = Vec::new();
        for hole in positions.into_iter().filter_map(|at| self.get(at)) {
            if hole.id != NodeId::NONE {
                sources.push(hole.id);
            } else if !hole.term.is_constant() {
                sources.extend(self.origin([hole.term], [], &[]).values);
            }
        }
        sources
    }

    /// What some holes were made of and what decided about them, with what decided that a part stands where it does.
    pub fn origins(
        &self,
        positions: impl IntoIterator<Item = usize>,
        part: &SkeletonNode,
    ) -> ValueOrigin {
        fn terms(holes: &Holes, at: impl IntoIterator<Item = usize>) -> impl Iterator<Item = Term> {
            let holes = at.into_iter().filter_map(|at| holes.get(at));
            holes
                .map(|hole| hole.term)
                .filter(|term| !term.is_constant())
        }
        let positions: Vec<usize> = positions.into_iter().collect();
        let keys = terms(self, part.keys.iter().copied());
        let mut origin = self.origin(terms(self, positions.iter().copied()), keys, &part.regions);
        // What a patch wrote was made by no step.
        let holes = positions.iter().filter_map(|at| self.get(*at));
        let written = holes.filter(|hole| hole.term.is_constant() && hole.id != NodeId::NONE);
        origin.values.extend(written.map(|hole| hole.id));
        origin
    }

    fn origin(
        &self,
        terms: impl IntoIterator<Item = Term>,
        deciding: impl IntoIterator<Item = Term>,
        regions: &[u32],
    ) -> ValueOrigin {
        self.past
            .as_ref()
            .map_or_else(ValueOrigin::default, |past| {
                past.origin(terms, deciding, regions)
            })
    }
}
