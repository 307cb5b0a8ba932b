//! Maps and lists that fill a hole, or that spread others, as parts of their own.

use std::borrow::Cow;
use std::sync::Arc;

use tenantry_engine::hole::Hole;
use tenantry_engine::manifest::{
    FieldKey, PartKind, SkeletonField, SkeletonFields, SkeletonNode, TemplateLine, TextPiece,
};
use tenantry_engine::view::{canonical_order, scalar_text};
use tenantry_syntax::yaml::{Node, Value};

use super::Patching;

/// A field that is being patched.
pub(super) type OpenField = (Arc<str>, SkeletonNode);

/// What stands at a part.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum PartForm {
    Nothing,
    Scalar,
    List,
    Map,
}

impl PartForm {
    pub(super) fn of(value: &Value) -> PartForm {
        match value {
            Value::Null => PartForm::Nothing,
            Value::List(_) => PartForm::List,
            Value::Map(_) => PartForm::Map,
            _ => PartForm::Scalar,
        }
    }

    pub(super) fn as_str(self) -> &'static str {
        match self {
            PartForm::Nothing => "nothing",
            PartForm::Scalar => "a scalar",
            PartForm::List => "a list",
            PartForm::Map => "a map",
        }
    }
}

/// A map of fields, in canonical order; those that are nothing are left out by who reads it.
pub(super) fn map(like: PartFrame, mut fields: Vec<OpenField>) -> SkeletonNode {
    fields.sort_by(|(a, _), (b, _)| canonical_order(a).cmp(&canonical_order(b)));
    let fields = fields.into_iter().map(|(key, value)| SkeletonField {
        key: FieldKey::Literal(key),
        value,
    });
    like.around(PartKind::Map(SkeletonFields::new(fields.collect())))
}

/// What is known of a part besides what it holds.
#[derive(Clone)]
pub(super) struct PartFrame {
    line: TemplateLine,
    regions: Box<[u32]>,
    keys: Box<[usize]>,
}

impl PartFrame {
    /// Of what a patch adds.
    pub(super) fn new() -> PartFrame {
        PartFrame {
            line: TemplateLine::NONE,
            regions: Box::default(),
            keys: Box::default(),
        }
    }

    pub(super) fn around(self, kind: PartKind) -> SkeletonNode {
        SkeletonNode {
            kind,
            line: self.line,
            regions: self.regions,
            keys: self.keys,
        }
    }
}

fn taken_apart(node: SkeletonNode) -> (PartFrame, PartKind) {
    let outside = PartFrame {
        line: node.line,
        regions: node.regions,
        keys: node.keys,
    };
    (outside, node.kind)
}

impl Patching {
    pub(super) fn form(&self, node: &SkeletonNode) -> PartForm {
        match &node.kind {
            PartKind::Scalar(value) => PartForm::of(value),
            PartKind::Hole(at) => self
                .holes
                .get(*at)
                .map_or(PartForm::Nothing, |hole| PartForm::of(hole.taken())),
            PartKind::Text(_) => PartForm::Scalar,
            PartKind::List(_) => PartForm::List,
            PartKind::Map(_) | PartKind::OpenMap(_) => PartForm::Map,
        }
    }

    pub(super) fn is_nothing(&self, node: &SkeletonNode) -> bool {
        self.form(node) == PartForm::Nothing
    }

    /// The text of a scalar, as it compares with keys of lists; nothing for anything else.
    pub(super) fn scalar(&self, node: &SkeletonNode) -> Option<String> {
        match &node.kind {
            PartKind::Scalar(value) => scalar_text(value).map(Cow::into_owned),
            PartKind::Hole(at) => scalar_text(self.holes.get(*at)?.taken()).map(Cow::into_owned),
            PartKind::Text(pieces) => Some(self.joined(pieces)),
            PartKind::List(_) | PartKind::Map(_) | PartKind::OpenMap(_) => None,
        }
    }

    fn joined(&self, pieces: &[TextPiece]) -> String {
        let mut text = String::new();
        for piece in pieces {
            match piece {
                TextPiece::Literal(literal) => text.push_str(literal),
                TextPiece::Hole(at) => {
                    let value = self
                        .holes
                        .get(*at)
                        .and_then(|hole| scalar_text(hole.taken()));
                    text.push_str(&value.unwrap_or_default());
                }
            }
        }
        text
    }

    /// How many parts there are, and how many levels.
    pub(super) fn extent(&self, node: &SkeletonNode) -> (usize, usize) {
        fn all(extents: impl Iterator<Item = (usize, usize)>) -> (usize, usize) {
            extents.fold((1, 1), |(parts, depth), (more, below)| {
                (parts + more, depth.max(below + 1))
            })
        }
        fn of_input(node: &Node) -> (usize, usize) {
            let entries = node.entries().iter().map(|entry| &entry.value);
            let items = node.as_list().unwrap_or_default().iter();
            all(entries.chain(items).map(of_input))
        }
        match &node.kind {
            PartKind::Hole(at) => match self.holes.get(*at).map(Hole::taken) {
                Some(Value::Map(map)) => {
                    all(map.entries.iter().map(|entry| of_input(&entry.value)))
                }
                Some(Value::List(items)) => all(items.iter().map(of_input)),
                _ => (1, 1),
            },
            PartKind::List(items) => all(items.iter().map(|item| self.extent(item))),
            PartKind::Map(_) | PartKind::OpenMap(_) => {
                all(node.fields().iter().map(|field| self.extent(&field.value)))
            }
            PartKind::Scalar(_) | PartKind::Text(_) => (1, 1),
        }
    }

    /// The value of a part, for comparing it.
    pub(super) fn value(&mut self, node: &SkeletonNode) -> Node {
        let plain = |value| Node::new(tenantry_syntax::yaml::NodeId::NONE, value);
        match self.form(node) {
            PartForm::Map => {
                let (_, fields) = self.opened_map(node.clone());
                let entries = fields
                    .iter()
                    .map(|(key, value)| tenantry_syntax::yaml::entry(key, self.value(value)));
                let entries = entries.collect();
                Node::map(tenantry_syntax::yaml::NodeId::NONE, entries)
            }
            PartForm::List => {
                let (_, items) = self.opened_list(node.clone());
                let items: Vec<Node> = items.iter().map(|item| self.value(item)).collect();
                plain(Value::List(items.into()))
            }
            PartForm::Nothing => plain(Value::Null),
            PartForm::Scalar => match &node.kind {
                PartKind::Scalar(value) => plain(value.clone()),
                PartKind::Hole(at) => plain(self.holes[*at].taken().clone()),
                _ => plain(Value::String(self.scalar(node).unwrap_or_default().into())),
            },
        }
    }

    /// The fields of a map that hold something, with keys that are plain text.
    pub(super) fn opened_map(&mut self, node: SkeletonNode) -> (PartFrame, Vec<OpenField>) {
        let (outside, kind) = taken_apart(node);
        let mut fields = Vec::new();
        match kind {
            PartKind::Map(known) => {
                for field in known.iter() {
                    self.open_field(field, &mut fields);
                }
            }
            PartKind::OpenMap(known) => {
                for field in &known {
                    self.open_field(field, &mut fields);
                }
            }
            PartKind::Hole(at) => {
                let entries = match self.holes.get(at).map(|hole| hole.taken().clone()) {
                    Some(Value::Map(map)) => map.entries.clone(),
                    _ => Vec::new(),
                };
                for entry in entries {
                    let value = self.part_of(at, &entry.value, &outside);
                    fields.push((entry.key.clone(), value));
                }
            }
            PartKind::Scalar(_) | PartKind::Text(_) | PartKind::List(_) => {}
        }
        fields.retain(|(_, value)| !self.is_nothing(value));
        (outside, fields)
    }

    fn open_field(&mut self, field: &SkeletonField, fields: &mut Vec<OpenField>) {
        match &field.key {
            FieldKey::Literal(key) => fields.push((key.clone(), field.value.clone())),
            FieldKey::Text(pieces) => {
                fields.push((self.joined(pieces).into(), field.value.clone()));
            }
            FieldKey::Spread => fields.extend(self.opened_map(field.value.clone()).1),
        }
    }

    /// The items of a list that hold something.
    pub(super) fn opened_list(&mut self, node: SkeletonNode) -> (PartFrame, Vec<SkeletonNode>) {
        let (outside, kind) = taken_apart(node);
        let mut items = match kind {
            PartKind::List(items) => items,
            PartKind::Hole(at) => match self.holes.get(at).map(|hole| hole.taken().clone()) {
                Some(Value::List(nodes)) => {
                    let nodes = nodes.iter();
                    nodes.map(|node| self.part_of(at, node, &outside)).collect()
                }
                _ => Vec::new(),
            },
            _ => Vec::new(),
        };
        items.retain(|item| !self.is_nothing(item));
        (outside, items)
    }

    /// A part of what fills a hole, as a hole of its own.
    fn part_of(&mut self, hole: usize, node: &Node, whole: &PartFrame) -> SkeletonNode {
        let own = self.holes[hole].part(node);
        self.holes.push(own);
        whole.clone().around(PartKind::Hole(self.holes.len() - 1))
    }
}
