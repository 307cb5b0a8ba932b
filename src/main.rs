//! The `tenantry` command.

use std::process::ExitCode;

/// Rendering makes many small values; this allocator takes a third off the whole.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

fn main() -> ExitCode {
    tenantry::cli::run()
}
