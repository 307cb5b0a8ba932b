//! `cargo run -p conformance -- WHAT FILE`: holds a file of recorded answers against the product, prints each
//! disagreement, and as the last line `agree N of M`.

use std::io::Write as _;
use std::path::PathBuf;
use std::process::ExitCode;

use clap::Parser;

/// Holds recorded answers of an API server against the product.
#[derive(Parser)]
struct Arguments {
    /// What the file has.
    #[arg(value_parser = conformance::names())]
    what: String,
    /// The recorded answers.
    file: PathBuf,
    /// The version of Kubernetes to judge as.
    #[arg(long, default_value = "1.36", value_parser = minor)]
    kubernetes: u32,
}

/// The minor version of a text such as `1.36`.
fn minor(text: &str) -> Result<u32, String> {
    let minor = text.strip_prefix("1.").and_then(|minor| minor.parse().ok());
    minor.ok_or_else(|| "write it as 1.36".to_owned())
}

fn main() -> anyhow::Result<ExitCode> {
    let arguments = Arguments::parse();
    let mut out = std::io::stdout().lock();
    let tally = conformance::judge(
        &arguments.what,
        &arguments.file,
        arguments.kubernetes,
        &mut out,
    )?;
    writeln!(out, "agree {} of {}", tally.agree, tally.of)?;
    Ok(if tally.agree == tally.of {
        ExitCode::SUCCESS
    } else {
        ExitCode::FAILURE
    })
}
