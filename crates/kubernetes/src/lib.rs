//! What Kubernetes itself has and does, offline: facts, kept as data in `tables/`.
//!
//! * [`base64`]: texts that stand for bytes.
//! * [`defaults`]: what the API server makes of an object when it stores it.
//! * [`object_id`]: what tells objects apart. [`field_path`]: the way to a field of one.
//! * [`patch`]: strategic merges and JSON patches.
//! * [`generated`]: the objects that it makes itself.
//! * [`volatile`]: the parts of objects that no manifest sets.
//! * [`schemas`]: what the fields of its kinds, and of CRDs, may hold.
//! * [`versions`]: which version serves which kinds and has which fields.

pub mod base64;
pub mod defaults;
pub mod field_path;
pub mod generated;
pub mod object_id;
pub mod patch;
pub mod schemas;
pub mod versions;
pub mod volatile;
