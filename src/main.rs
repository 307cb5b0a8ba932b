//! The `tenantry` command.

#![forbid(unsafe_code)]

#[allow(
    clippy::disallowed_methods,
    reason = "reads the clock, the environment and files that the user names"
)]
mod cli;

use std::process::ExitCode;

/// Rendering makes many small values; this allocator takes a third off the whole.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

fn main() -> ExitCode {
    cli::run()
}
