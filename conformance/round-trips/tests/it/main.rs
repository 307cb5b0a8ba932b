//! Judges that take minutes to compile: Kubernetes' types, and other people's types of custom resources.

#![allow(
    clippy::unwrap_used,
    clippy::disallowed_methods,
    missing_docs,
    reason = "tests fail by panicking, and make files"
)]

mod built_in_kinds;
mod custom_resources;
mod schemas;
#[path = "../../../tests/it/support.rs"]
#[allow(dead_code, reason = "other tests share it")]
mod support;
