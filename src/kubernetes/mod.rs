//! What Kubernetes itself has and does, offline: facts, kept as data in `kubernetes/`.
//!
//! * [`base64`]: texts that stand for bytes.
//! * [`defaults`]: what the API server makes of an object when it stores it.
//! * [`generated`]: the objects that it makes itself.
//! * [`volatile`]: the parts of objects that no manifest sets.
//! * [`validation`]: what the API server refuses, and why.
//! * [`versions`]: which version serves which kinds and has which fields.

pub mod base64;
pub mod defaults;
pub mod generated;
pub mod validation;
pub mod versions;
pub mod volatile;
