//! What is known of Kubernetes itself.
//!
//! * `defaults`: what the API server makes of an object when it stores it.
//! * `generated`: the objects that it makes itself.
//! * `volatile`: the parts of objects that no manifest sets.

pub mod defaults;
pub mod generated;
pub mod volatile;
