//! All integration tests, in one binary.

mod architecture;
mod commands;
mod determinism;
mod examples;
mod hostile;
mod scalars;
mod schemas;
mod support;
mod ui;
