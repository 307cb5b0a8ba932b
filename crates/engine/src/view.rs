//! A place in a manifest, or in an input tree, read as one: the skeleton with its holes filled.

mod header;
mod order;

mod places;

pub use order::canonical_order;
use order::sort_fields;
use std::borrow::Cow;
use std::sync::Arc;

use super::hole::{self, Hole, HoleType, Holes};
use super::manifest::{FieldKey, PartKind, SkeletonField, SkeletonNode, TextPiece};
use tenantry_syntax::yaml::{Map, Node, NodeId, Value};

/// A place in a manifest, or in an input tree, read as one.
#[derive(Clone, Copy, Debug)]
pub enum View<'a> {
    /// A node of the skeleton.
    Part {
        /// The node.
        part: &'a SkeletonNode,
        /// The values of the manifest's holes.
        holes: &'a Holes,
    },
    /// A node of a subtree that fills a hole, or of an input tree.
    Node {
        /// The node.
        node: &'a Node,
        /// The hole that the subtree fills; none in an input tree.
        within: Option<PrintedHole<'a>>,
    },
    /// The value of a hole itself.
    Filled {
        /// The hole's value.
        hole: &'a Hole,
        /// Where it is printed.
        printed: PrintedHole<'a>,
    },
}

/// A hole where it is printed.
#[derive(Clone, Copy, Debug)]
pub struct PrintedHole<'a> {
    part: &'a SkeletonNode,
    holes: &'a Holes,
}

impl PrintedHole<'_> {
    /// A scalar within the hole's value is read.
    fn read(self) {
        if let Some(hole) = self.part.hole().and_then(|at| self.holes.get(at)) {
            hole.read();
        }
    }
}

/// A field of a mapping.
#[derive(Clone, Debug)]
pub struct FieldView<'a> {
    /// The key.
    pub key: Cow<'a, str>,
    /// Where the key was written, when it came out of the input.
    pub key_id: NodeId,
    /// The value.
    pub value: View<'a>,
}

/// What a place holds.
#[derive(Clone, Debug)]
pub enum Shape<'a> {
    /// Nothing.
    Null,
    /// A truth value.
    Bool(bool),
    /// An integer.
    Int(i64),
    /// Another number.
    Float(f64),
    /// Text.
    Text(Cow<'a, str>),
    /// A sequence.
    List,
    /// A mapping.
    Map,
}

impl Shape<'_> {
    /// How people call it.
    pub fn kind_name(&self) -> &'static str {
        match self {
            Shape::Null => "nothing",
            Shape::Bool(_) => "true or false",
            Shape::Int(_) => "a whole number",
            Shape::Float(_) => "a number",
            Shape::Text(_) => "text",
            Shape::List => "a list",
            Shape::Map => "a map",
        }
    }
}

/// A scalar as it stands inside a text; nothing for what cannot stand there.
pub fn scalar_text(value: &Value) -> Option<Cow<'_, str>> {
    match value {
        Value::String(text) => Some(Cow::Borrowed(text)),
        Value::Int(number) => Some(Cow::Owned(number.to_string())),
        Value::Float(number) => Some(Cow::Owned(number.to_string())),
        Value::Bool(value) => Some(Cow::Borrowed(if *value { "true" } else { "false" })),
        Value::Null | Value::List(_) | Value::Map(_) => None,
    }
}

fn joined<'a>(pieces: &'a [TextPiece], holes: &'a Holes) -> Cow<'a, str> {
    let mut text = String::new();
    for piece in pieces {
        match piece {
            TextPiece::Literal(literal) => text.push_str(literal),
            TextPiece::Hole(index) => {
                text.push_str(
                    &holes
                        .get(*index)
                        .and_then(|hole| scalar_text(hole.value()))
                        .unwrap_or_default(),
                );
            }
        }
    }
    Cow::Owned(text)
}

/// Whether two parts of skeletons are the same, with the same values in their holes.
fn is_same_part((a, x): (&SkeletonNode, &Holes), (b, y): (&SkeletonNode, &Holes)) -> bool {
    let is_same_hole = |a: usize, b: usize| match (x.get(a), y.get(b)) {
        (Some(a), Some(b)) => a.value() == b.value(),
        _ => false,
    };
    let are_same_pieces = |a: &[TextPiece], b: &[TextPiece]| {
        let pieces = &mut a.iter().zip(b);
        a.len() == b.len()
            && pieces.all(|(a, b)| match (a, b) {
                (TextPiece::Literal(a), TextPiece::Literal(b)) => a == b,
                (TextPiece::Hole(a), TextPiece::Hole(b)) => is_same_hole(*a, *b),
                _ => false,
            })
    };
    match (&a.kind, &b.kind) {
        (PartKind::Scalar(a), PartKind::Scalar(b)) => a == b,
        (PartKind::Hole(a), PartKind::Hole(b)) => is_same_hole(*a, *b),
        (PartKind::Text(a), PartKind::Text(b)) => are_same_pieces(a, b),
        (PartKind::List(a), PartKind::List(b)) => {
            let items = &mut a.iter().zip(b);
            a.len() == b.len() && items.all(|(a, b)| is_same_part((a, x), (b, y)))
        }
        (PartKind::Map(_), PartKind::Map(_)) | (PartKind::OpenMap(_), PartKind::OpenMap(_)) => {
            let (old, new) = (a.fields(), b.fields());
            let fields = &mut old.iter().zip(new);
            old.len() == new.len()
                && fields.all(|(a, b)| {
                    let is_same_key = match (&a.key, &b.key) {
                        (FieldKey::Literal(a), FieldKey::Literal(b)) => a == b,
                        (FieldKey::Text(a), FieldKey::Text(b)) => are_same_pieces(a, b),
                        (FieldKey::Spread, FieldKey::Spread) => true,
                        _ => false,
                    };
                    is_same_key && is_same_part((&a.value, x), (&b.value, y))
                })
        }
        _ => false,
    }
}

impl<'a> View<'a> {
    /// An input tree, which no template printed.
    pub fn of(node: &'a Node) -> View<'a> {
        View::Node { node, within: None }
    }

    /// A hole's value in place of the hole.
    fn filled(self) -> View<'a> {
        match self {
            View::Part { part, holes } => match part.kind {
                PartKind::Hole(index) => match holes.get(index) {
                    Some(hole) => View::Filled {
                        hole,
                        printed: PrintedHole { part, holes },
                    },
                    None => self,
                },
                _ => self,
            },
            other => other,
        }
    }

    /// Whether the same is written at both places, in the same order. Where they are of different forms, it is not
    /// looked into, and `false`.
    pub fn is_written_as(self, other: View<'_>) -> bool {
        match (self.filled(), other.filled()) {
            (View::Part { part: a, holes: x }, View::Part { part: b, holes: y }) => {
                is_same_part((a, x), (b, y))
            }
            (View::Node { node: a, .. }, View::Node { node: b, .. }) => a.value == b.value,
            (View::Filled { hole: a, .. }, View::Filled { hole: b, .. }) => a.value() == b.value(),
            _ => false,
        }
    }

    /// What stands here.
    pub fn shape(self) -> Shape<'a> {
        match self.filled() {
            View::Part { part, holes } => match &part.kind {
                PartKind::Scalar(value) => value_shape(value),
                PartKind::Text(pieces) => Shape::Text(joined(pieces, holes)),
                PartKind::List(_) => Shape::List,
                PartKind::Map(_) | PartKind::OpenMap(_) => Shape::Map,
                PartKind::Hole(_) => Shape::Null,
            },
            View::Node { node, within } => {
                if let Some(within) = within
                    && !matches!(node.value, Value::Null | Value::List(_) | Value::Map(_))
                {
                    within.read();
                }
                value_shape(&node.value)
            }
            View::Filled { hole, .. } => match hole.kind() {
                HoleType::Null => Shape::Null,
                HoleType::List => Shape::List,
                HoleType::Map => Shape::Map,
                HoleType::Bool | HoleType::Int | HoleType::Float | HoleType::Text => {
                    value_shape(hole.value())
                }
            },
        }
    }

    /// The type of what stands here.
    pub fn kind(self) -> HoleType {
        match self.filled() {
            View::Part { part, .. } => match &part.kind {
                PartKind::Scalar(value) => HoleType::of(value),
                PartKind::Text(_) => HoleType::Text,
                PartKind::List(_) => HoleType::List,
                PartKind::Map(_) | PartKind::OpenMap(_) => HoleType::Map,
                PartKind::Hole(_) => HoleType::Null,
            },
            View::Node { node, .. } => HoleType::of(&node.value),
            View::Filled { hole, .. } => hole.kind(),
        }
    }

    /// Whether nothing stands here, so that the entry is left out: `null`, or a map or list of the
    /// template of which every entry is left out.
    pub fn is_null(self) -> bool {
        match self.filled() {
            View::Part { part, holes } => match &part.kind {
                PartKind::Scalar(value) => matches!(value, Value::Null),
                PartKind::Hole(_) => true,
                PartKind::Text(_) => false,
                PartKind::List(parts) => {
                    !parts.is_empty()
                        && parts
                            .iter()
                            .all(|part| View::Part { part, holes }.is_null())
                }
                PartKind::Map(_) | PartKind::OpenMap(_) => {
                    let fields = part.fields();
                    !fields.is_empty()
                        && fields.iter().all(|field| {
                            let value = View::Part {
                                part: &field.value,
                                holes,
                            };
                            if matches!(field.key, FieldKey::Spread) {
                                !value.is_map() || value.is_zero()
                            } else {
                                value.is_null()
                            }
                        })
                }
            },
            View::Node { node, .. } => node.is_null(),
            View::Filled { hole, .. } => hole.is_null(),
        }
    }

    /// Whether an empty value stands here: `false`, `0`, `""`, `[]` or `{}`.
    pub fn is_zero(self) -> bool {
        let value = match self.filled() {
            View::Part { part, holes } => match &part.kind {
                PartKind::Scalar(value) => value,
                PartKind::Text(pieces) => {
                    return pieces.iter().all(|piece| match piece {
                        TextPiece::Literal(text) => text.is_empty(),
                        TextPiece::Hole(index) => holes.get(*index).is_none_or(Hole::is_empty_text),
                    });
                }
                PartKind::List(_) => return self.items().is_empty(),
                PartKind::Map(_) | PartKind::OpenMap(_) => return self.fields().is_empty(),
                PartKind::Hole(_) => return true,
            },
            View::Node { node, .. } => &node.value,
            View::Filled { hole, .. } => return hole.is_zero(),
        };
        hole::is_zero(value)
    }

    /// Whether a sequence stands here.
    pub fn is_list(self) -> bool {
        match self.filled() {
            View::Part { part, .. } => matches!(part.kind, PartKind::List(_)),
            View::Node { node, .. } => matches!(node.value, Value::List(_)),
            View::Filled { hole, .. } => hole.is_list(),
        }
    }

    /// Whether a mapping stands here.
    pub fn is_map(self) -> bool {
        match self.filled() {
            View::Part { part, .. } => {
                matches!(part.kind, PartKind::Map(_) | PartKind::OpenMap(_))
            }
            View::Node { node, .. } => matches!(node.value, Value::Map(_)),
            View::Filled { hole, .. } => hole.is_map(),
        }
    }

    /// Whether the template itself says what stands here: a list, a map whose keys are its own, or a scalar.
    pub fn is_of_template(self) -> bool {
        matches!(self, View::Part { part, .. } if matches!(part.kind, PartKind::Scalar(_) | PartKind::List(_) | PartKind::Map(_)))
    }

    /// The hole that this is, by position.
    pub fn hole(self) -> Option<usize> {
        match self {
            View::Part { part, .. } => match part.kind {
                PartKind::Hole(at) => Some(at),
                _ => None,
            },
            View::Node { .. } | View::Filled { .. } => None,
        }
    }

    /// A map of the input as a whole, which many places may share.
    pub fn shared_map(self) -> Option<&'a Arc<Map>> {
        let value = match self.filled() {
            View::Part { .. } => return None,
            View::Node { node, .. } => &node.value,
            View::Filled { hole, .. } => hole.value(),
        };
        match value {
            Value::Map(map) => Some(map),
            _ => None,
        }
    }

    /// For the root of a value within a hole's: the position of the hole, and the node.
    pub fn spread(self) -> Option<(usize, &'a Node)> {
        match self {
            View::Node { node, within } => Some((within?.part.hole()?, node)),
            View::Part { .. } | View::Filled { .. } => None,
        }
    }

    /// The text, when this is one.
    pub fn text(self) -> Option<Cow<'a, str>> {
        match self.shape() {
            Shape::Text(text) => Some(text),
            _ => None,
        }
    }

    /// The items of a sequence; items that are nothing are left out.
    pub fn items(self) -> Vec<View<'a>> {
        let items: Vec<View<'a>> = match self.filled() {
            View::Part { part, holes } => match &part.kind {
                PartKind::List(parts) => parts
                    .iter()
                    .map(|part| View::Part { part, holes })
                    .collect(),
                _ => Vec::new(),
            },
            View::Node { node, within } => list_items(&node.value, within),
            View::Filled { hole, printed } => list_items(hole.outline(), Some(printed)),
        };
        if items.iter().any(|item| item.is_null()) {
            items.into_iter().filter(|item| !item.is_null()).collect()
        } else {
            items
        }
    }

    /// The fields of a mapping in canonical order; fields that hold nothing are left out.
    pub fn fields(self) -> Vec<FieldView<'a>> {
        match self.filled() {
            View::Part { part, holes } => match &part.kind {
                PartKind::Map(fields) => fields
                    .iter()
                    .filter_map(|field| {
                        let value = View::Part {
                            part: &field.value,
                            holes,
                        };
                        let FieldKey::Literal(key) = &field.key else {
                            return None;
                        };
                        (!value.is_null()).then(|| FieldView {
                            key: Cow::Borrowed(&**key),
                            key_id: NodeId::NONE,
                            value,
                        })
                    })
                    .collect(),
                PartKind::OpenMap(fields) => {
                    let mut all = Vec::new();
                    for field in fields {
                        let value = View::Part {
                            part: &field.value,
                            holes,
                        };
                        match &field.key {
                            FieldKey::Spread => all.extend(value.fields()),
                            _ if value.is_null() => {}
                            FieldKey::Literal(key) => {
                                all.push(FieldView {
                                    key: Cow::Borrowed(&**key),
                                    key_id: NodeId::NONE,
                                    value,
                                });
                            }
                            FieldKey::Text(pieces) => {
                                let key_id = holes.sources(holes_of(pieces)).first().copied();
                                let key_id = key_id.unwrap_or(NodeId::NONE);
                                all.push(FieldView {
                                    key: joined(pieces, holes),
                                    key_id,
                                    value,
                                });
                            }
                        }
                    }
                    sort_fields(&mut all);
                    all
                }
                _ => Vec::new(),
            },
            View::Node { node, within } => map_fields(&node.value, within),
            View::Filled { hole, printed } => map_fields(hole.outline(), Some(printed)),
        }
    }

    /// How many entries a mapping was written with, those that hold nothing included.
    pub fn written_entries(self) -> usize {
        match self.filled() {
            View::Node { node, .. } => node.entries().len(),
            view => view.fields().len(),
        }
    }

    /// One field of a mapping.
    pub fn get(self, wanted: &str) -> Option<View<'a>> {
        match self.filled() {
            View::Part {
                part:
                    SkeletonNode {
                        kind: PartKind::Map(fields),
                        ..
                    },
                holes,
            } => {
                let part = fields.get(wanted)?;
                let value = View::Part { part, holes };
                (!value.is_null()).then_some(value)
            }
            View::Part {
                part:
                    SkeletonNode {
                        kind: PartKind::OpenMap(fields),
                        ..
                    },
                holes,
            } => fields
                .iter()
                .find_map(|SkeletonField { key, value: part }| {
                    let value = View::Part { part, holes };
                    match key {
                        FieldKey::Spread => return value.get(wanted),
                        FieldKey::Literal(key) if **key != *wanted => return None,
                        FieldKey::Text(pieces) if joined(pieces, holes) != wanted => return None,
                        FieldKey::Literal(_) | FieldKey::Text(_) => {}
                    }
                    (!value.is_null()).then_some(value)
                }),
            View::Part { .. } => None,
            View::Node { node, within } => node
                .get(wanted)
                .filter(|node| !node.is_null())
                .map(|node| View::Node { node, within }),
            View::Filled { hole, printed } => match hole.outline() {
                Value::Map(map) => {
                    map.get(wanted)
                        .filter(|node| !node.is_null())
                        .map(|node| View::Node {
                            node,
                            within: Some(printed),
                        })
                }
                _ => None,
            },
        }
    }

    /// The same value as JSON.
    pub fn to_json(self) -> serde_json::Value {
        use serde_json::Value as Json;
        match self.shape() {
            Shape::Null => Json::Null,
            Shape::Bool(value) => Json::Bool(value),
            Shape::Int(value) => Json::from(value),
            Shape::Float(value) => Json::from(value),
            Shape::Text(text) => Json::String(text.into_owned()),
            Shape::List => Json::Array(self.items().into_iter().map(View::to_json).collect()),
            Shape::Map => Json::Object(
                self.fields()
                    .into_iter()
                    .map(|field| (field.key.into_owned(), field.value.to_json()))
                    .collect(),
            ),
        }
    }
}

fn value_shape(value: &Value) -> Shape<'_> {
    match value {
        Value::Null => Shape::Null,
        Value::Bool(value) => Shape::Bool(*value),
        Value::Int(value) => Shape::Int(*value),
        Value::Float(value) => Shape::Float(*value),
        Value::String(text) => Shape::Text(Cow::Borrowed(text)),
        Value::List(_) => Shape::List,
        Value::Map(_) => Shape::Map,
    }
}

/// The positions of the holes in a text.
fn holes_of(pieces: &[TextPiece]) -> impl Iterator<Item = usize> {
    pieces.iter().filter_map(|piece| match piece {
        TextPiece::Hole(at) => Some(*at),
        TextPiece::Literal(_) => None,
    })
}

fn list_items<'a>(value: &'a Value, within: Option<PrintedHole<'a>>) -> Vec<View<'a>> {
    match value {
        Value::List(items) => items
            .iter()
            .map(|node| View::Node { node, within })
            .collect(),
        _ => Vec::new(),
    }
}

fn map_fields<'a>(value: &'a Value, within: Option<PrintedHole<'a>>) -> Vec<FieldView<'a>> {
    let Value::Map(map) = value else {
        return Vec::new();
    };
    let mut fields: Vec<FieldView<'_>> = map
        .entries
        .iter()
        .filter(|entry| !entry.value.is_null())
        .map(|entry| FieldView {
            key: Cow::Borrowed(&*entry.key),
            key_id: entry.key_id,
            value: View::Node {
                node: &entry.value,
                within,
            },
        })
        .collect();
    sort_fields(&mut fields);
    fields
}
