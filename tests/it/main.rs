//! All integration tests, in one binary.

#![allow(
    clippy::unwrap_used,
    clippy::disallowed_methods,
    missing_docs,
    reason = "tests fail by panicking, and make files"
)]

mod admission;
mod alerts;
mod architecture;
mod causes;
mod commands;
mod connections;
mod coverage;
mod determinism;
mod diff;
mod dumps;
mod examples;
mod governance;
mod hostile;
mod house;
mod integrations;
mod isolation;
mod language;
mod layouts;
mod operation;
mod page;
mod patches;
mod policy;
mod provenance;
mod records;
mod review;
mod scalars;
mod schemas;
mod support;
mod ui;
mod units;
mod upgrade;
