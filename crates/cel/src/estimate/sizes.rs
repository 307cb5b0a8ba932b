//! The sizes that a schema allows.

use std::collections::HashMap;

use super::paths::SizeStep;

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

impl Sizes {
    /// The sizes one step further.
    pub(super) fn inside(&self, step: &SizeStep) -> Option<&Sizes> {
        match (&self.below, step) {
            (Below::Items(inner) | Below::Values(inner), SizeStep::Items | SizeStep::Values) => {
                Some(inner)
            }
            (Below::Values(_), SizeStep::Keys) => Some(&KEYS),
            (Below::Fields(fields), SizeStep::Field(name)) => fields.get(&**name),
            _ => None,
        }
    }
}
