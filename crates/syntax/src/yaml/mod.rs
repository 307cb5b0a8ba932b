//! YAML as Tenantry sees it: a tree in which every key and value knows where it was written.
//!
//! * [`node`]: the tree.
//! * [`merge`]: one layer of values over another.
//! * [`parse`]: text to trees, every problem reported, resources bounded.
//! * [`scalar`]: what a plain scalar means, and when text must be quoted.
//! * [`path`]: steps into a tree, and how they are written for people.

pub mod merge;
pub mod node;
pub mod parse;
pub mod path;
pub mod scalar;

pub use node::{Entry, Map, Node, NodeId, Value, entry};
pub use path::{Path, PathStep, Trail};
