//! The sizes that a schema allows, and the way through them to where a part of an expression stands.

use std::collections::HashMap;

use super::range::Range;

/// How large the values of a schema may be.
#[derive(Debug, Default)]
pub struct Sizes {
    /// The most characters, items or entries; 0 for what has neither.
    pub most: u64,
    /// The fewest bytes of a value as JSON.
    pub least_bytes: u64,
    /// The sizes of what is inside.
    pub below: Below,
}

/// What is inside of a value.
#[derive(Debug, Default)]
pub enum Below {
    /// Nothing.
    #[default]
    Nothing,
    /// The items of a list.
    Items(Box<Sizes>),
    /// The values of a map; its keys have no bound of their own.
    Values(Box<Sizes>),
    /// The fields of an object.
    Fields(HashMap<String, Sizes>),
}

/// The keys of every map: the API server counts them as empty.
static KEYS: Sizes = Sizes {
    most: 0,
    least_bytes: 2,
    below: Below::Nothing,
};

/// A step to what is inside of a value.
#[derive(Clone, Copy, Debug)]
pub(super) enum Step<'n> {
    Field(&'n str),
    Items,
    Positions,
    Keys,
    Values,
}

/// Where a part of an expression stands.
#[derive(Clone, Copy, Debug, Default)]
pub(super) enum Place<'s> {
    /// In no schema: it is computed.
    #[default]
    Computed,
    /// At a place of the schema.
    At(&'s Sizes),
    /// Below a place of the schema, where the schema says nothing.
    Unknown,
}

impl<'s> Place<'s> {
    /// One step further. As in the API server, the first step from what is computed leads to `self`.
    pub(super) fn step(self, root: &'s Sizes, step: Step<'_>) -> Place<'s> {
        let sizes = match self {
            Place::Computed => return Place::At(root),
            Place::Unknown => return Place::Unknown,
            Place::At(sizes) => sizes,
        };
        let found = match (&sizes.below, step) {
            (Below::Items(inner) | Below::Values(inner), Step::Items | Step::Values) => {
                Some(&**inner)
            }
            (Below::Values(_), Step::Keys) => Some(&KEYS),
            (Below::Fields(fields), Step::Field(name)) => fields.get(name),
            _ => None,
        };
        found.map_or(Place::Unknown, Place::At)
    }

    pub(super) fn size(self) -> Option<Range> {
        match self {
            Place::At(sizes) => Some(Range::new(0, sizes.most)),
            Place::Computed | Place::Unknown => None,
        }
    }
}
