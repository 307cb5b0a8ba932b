//! All integration tests, in one binary.

mod schemas;
mod support;
mod ui;
