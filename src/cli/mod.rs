//! The command line: arguments, and one file per subcommand. The only place that reads the clock,
//! environment variables and the terminal.

mod absent;
mod arguments;
mod check;
mod diff;
mod explain;
mod find;
mod git_diff;
mod graph;
mod impact;
mod init;
mod manual;
mod policy;
mod present;
mod render;
mod report;
mod schema;
mod tenant;
mod why;

use std::process::ExitCode;

use clap::Parser as _;

use arguments::{Arguments, Command};

/// Done.
const DONE: u8 = 0;
/// It could not be done: usage, files, invalid input.
const FAILED: u8 = 1;
/// There are differences, where they were asked for.
const DIFFERENT: u8 = 2;
/// A risk is not allowed here.
const DENIED: u8 = 3;

/// Runs the command of this process.
pub fn run() -> ExitCode {
    let arguments = match Arguments::try_parse() {
        Ok(arguments) => arguments,
        Err(error) => {
            // Help and version are no failures.
            let code = if error.use_stderr() { FAILED } else { DONE };
            let _ = error.print();
            return ExitCode::from(code);
        }
    };
    let color = arguments.color;
    let result = match &arguments.command {
        Command::Check(command) => check::run(command, &arguments),
        Command::Render(command) => render::run(command, &arguments),
        Command::Diff(command) => diff::run(command, &arguments),
        Command::GitDiff(command) => git_diff::run(command, &arguments),
        Command::Impact(command) => impact::run(command, &arguments),
        Command::Why(command) => why::run(command, &arguments),
        Command::Find(command) => find::run(command, &arguments),
        Command::Graph(command) => graph::run(command, &arguments),
        Command::Policy(command) => policy::run(command, &arguments),
        Command::Report(command) => report::run(command, &arguments),
        Command::Tenant(command) => tenant::run(command, &arguments),
        Command::Explain(command) => explain::run(command, &arguments),
        Command::Schema(command) => schema::run(command),
        Command::Init(command) => init::run(command, &arguments),
        Command::Completions(command) => manual::completions(command),
        Command::Man => manual::man(),
    };
    match result {
        Ok(code) => ExitCode::from(code),
        Err(error) => {
            present::failure(&error, color);
            ExitCode::from(FAILED)
        }
    }
}
