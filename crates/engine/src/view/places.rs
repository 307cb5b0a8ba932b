//! The places in a view, and where they come from.

use super::super::manifest::PartKind;
use super::super::manifest::SkeletonNode;
use super::super::manifest::TemplateLine;
use super::{Shape, View, holes_of};
use crate::origin::ValueOrigin;
use std::borrow::Cow;
use tenantry_syntax::yaml::NodeId;
use tenantry_syntax::yaml::Path;
use tenantry_syntax::yaml::PathStep;

impl<'a> View<'a> {
    /// Follows keys.
    pub fn at(self, keys: &[&str]) -> Option<View<'a>> {
        keys.iter().try_fold(self, |view, key| view.get(key))
    }

    /// The text at some keys, or nothing.
    pub fn text_at(self, keys: &[&str]) -> Cow<'a, str> {
        self.at(keys).and_then(View::text).unwrap_or_default()
    }

    /// Follows a path; positions count what is written, and items can be given by their name.
    pub fn at_path(self, path: &Path) -> Option<View<'a>> {
        path.0.iter().try_fold(self, |view, step| match step {
            PathStep::Key(name) if matches!(view.shape(), Shape::List) => view
                .items()
                .into_iter()
                .find(|item| item.text_at(&["name"]) == **name),
            PathStep::Key(key) => view.get(key),
            PathStep::Index(index) => view.items().get(*index).copied(),
        })
    }

    /// The input values that this one was made of; for a container, those of the container.
    pub fn sources(self) -> Vec<NodeId> {
        match self.filled() {
            View::Part { part, holes } => match &part.kind {
                PartKind::Text(pieces) => holes.sources(holes_of(pieces)),
                _ => Vec::new(),
            },
            View::Node { node, .. } => vec![node.id],
            View::Filled { printed, .. } => printed.holes.sources(printed.part.hole()),
        }
    }

    /// What this was made of, and what decided that it is this and that it is here.
    pub fn origin(self) -> ValueOrigin {
        match self.filled() {
            View::Part { part, holes } => match &part.kind {
                PartKind::Text(pieces) => holes.origins(holes_of(pieces), part),
                _ => holes.origins([], part),
            },
            View::Filled { printed, .. } => {
                printed.holes.origins(printed.part.hole(), printed.part)
            }
            // Of a part of what is printed the value is its own; what decided about all decided about it.
            View::Node { node, within } => {
                let whole = within.map(|within| {
                    let part = within.part;
                    within.holes.origins(part.hole(), part)
                });
                let whole = whole.unwrap_or_default();
                ValueOrigin {
                    values: vec![node.id],
                    ..whole
                }
            }
        }
    }

    /// Whether this is text of a template with values in it.
    pub fn is_joined(self) -> bool {
        matches!(self, View::Part { part: SkeletonNode { kind: PartKind::Text(pieces), .. }, .. } if pieces.len() > 1)
    }

    /// The template line that wrote this.
    pub fn line(self) -> TemplateLine {
        match self {
            View::Part { part, .. } => part.line,
            View::Filled { printed, .. } => printed.part.line,
            View::Node { within, .. } => {
                within.map_or(TemplateLine::NONE, |within| within.part.line)
            }
        }
    }

    /// Whether both are the same place.
    pub fn is_same_place(self, other: View<'_>) -> bool {
        match (self, other) {
            (View::Part { part: a, holes: x }, View::Part { part: b, holes: y }) => {
                std::ptr::eq(a, b) && std::ptr::eq(x, y)
            }
            (View::Node { node: a, .. }, View::Node { node: b, .. }) => std::ptr::eq(a, b),
            (
                View::Filled {
                    hole: a,
                    printed: x,
                },
                View::Filled {
                    hole: b,
                    printed: y,
                },
            ) => std::ptr::eq(a, b) && x.part.line == y.part.line,
            _ => false,
        }
    }

    /// The way from here to a place below, if it is there. Items that have a name are given by it.
    pub fn path_to(self, place: View<'_>) -> Option<Path> {
        let mut steps = Vec::new();
        let found = self.find(place, &mut steps);
        steps.reverse();
        found.then_some(Path(steps))
    }

    /// Whether a place is here or below; `steps` are those that lead to it, the last one first.
    fn find(self, place: View<'_>, steps: &mut Vec<PathStep>) -> bool {
        if self.is_same_place(place) {
            return true;
        }
        match self.shape() {
            Shape::Map => self.fields().into_iter().any(|field| {
                let found = field.value.find(place, steps);
                if found {
                    steps.push(PathStep::from(&*field.key));
                }
                found
            }),
            Shape::List => self.items().into_iter().enumerate().any(|(at, item)| {
                let found = item.find(place, steps);
                if found {
                    steps.push(match item.text_at(&["name"]) {
                        name if name.is_empty() => PathStep::Index(at),
                        name => PathStep::from(&*name),
                    });
                }
                found
            }),
            _ => false,
        }
    }
}
