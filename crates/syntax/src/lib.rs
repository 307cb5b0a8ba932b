//! YAML trees that know where each value was written, and findings that point there.
//!
//! * [`yaml`]: trees, parsing, merging.
//! * [`diagnostics`]: findings, the catalogue of their codes, the map of sources.

pub mod diagnostics;
pub mod yaml;
