//! What Kubernetes itself has and does: facts, kept as data in `kubernetes/`.
//!
//! * [`versions`]: which version serves which kinds and has which fields.

pub mod versions;
