//! When fields came and went.

/// A version of Kubernetes: 1 and the number after the dot.
pub type Minor = u32;

/// When a field came and went.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct FieldHistory {
    /// The first version that has it; 0 for all that are known.
    pub since: Minor,
    /// The first version that no longer has it.
    pub removed: Option<Minor>,
}

/// The fields of a definition that came or went, by name.
pub type FieldsHistory = fn(definition: &str) -> &'static [(String, FieldHistory)];
