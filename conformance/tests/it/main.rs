//! Recorded answers of API servers, and the public cases of the expression language.

#![allow(
    clippy::unwrap_used,
    clippy::disallowed_methods,
    missing_docs,
    reason = "tests fail by panicking, and make files"
)]

mod expressions;
mod random_objects;
mod recorded;
mod support;
mod tables;
mod versions;
