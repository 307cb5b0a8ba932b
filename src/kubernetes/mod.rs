//! What Kubernetes itself has and does, offline: facts, kept as data in `kubernetes/`.
//!
//! * [`validation`]: what the API server refuses, and why.
//! * [`versions`]: which version serves which kinds and has which fields.

pub mod validation;
pub mod versions;
