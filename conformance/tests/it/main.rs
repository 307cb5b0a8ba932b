//! Judges that need much to be compiled: Kubernetes' types, and the public cases of the expression language.

#![allow(
    clippy::unwrap_used,
    clippy::disallowed_methods,
    missing_docs,
    reason = "tests fail by panicking, and make files"
)]

mod built_in_kinds;
mod expressions;
mod random_objects;
mod recorded;
mod schemas;
mod support;
mod tables;
mod versions;
