//! All integration tests, in one binary.

mod architecture;
mod determinism;
mod hostile;
mod scalars;
mod schemas;
mod support;
mod ui;
