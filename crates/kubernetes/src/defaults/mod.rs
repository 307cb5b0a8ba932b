//! One picture of an object: what the API server makes of it when it stores it.
//!
//! `tables/defaults/` has a file for each API group. It says for each type which fields are stored though they are
//! zero (`$kept`: pointers, and fields without `omitempty`), and what the others are filled with: a value; a map, which
//! is made if it is missing; `$each` for the items of a list; `$if` for what depends on fields beside; `$name` for a
//! function of [`rules`](self). Everything else follows from the schemas: which values are amounts, times or bytes, and
//! which empty values are dropped. Custom resources are filled from their own schemas.
//!
//! Nothing is converted: a [`StoredPart`] is a place in a manifest, read with what is known of it.

mod canonical;
mod part;
mod pods;
mod rules;
mod table;

pub use part::{Stored, StoredPart, StoredValue};
pub use pods::TOKEN_VOLUME;
