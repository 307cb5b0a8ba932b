//! Recorded answers of an API server, held against the product: one file for each format.
//!
//! To add a format: a module with `judge`, and its line in `FORMATS`.

#![allow(
    clippy::disallowed_methods,
    reason = "it reads the files that it is given"
)]

mod cel;
mod defaults;
mod live;
mod policies;
mod validation;

pub use cel::{answer, objects};

use std::io::Write;
use std::path::Path;

use anyhow::{Context as _, Result, anyhow};
use serde_json::Value as Json;
use tenantry::diagnostics::Sources;
use tenantry::engine::manifest::Rendered;
use tenantry::model::instance::Unit;

/// How many cases agree.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Tally {
    /// The product answers as the API server did.
    pub agree: usize,
    /// All cases.
    pub of: usize,
}

/// The cases of a file, and what to judge them by.
pub struct Cases<'a> {
    /// The file that the cases are read from.
    pub path: &'a Path,
    /// Its text.
    pub text: &'a str,
    /// The minor version of Kubernetes to judge as.
    pub kubernetes: u32,
    /// Takes a line for each disagreement.
    pub out: &'a mut dyn Write,
}

impl Cases<'_> {
    /// The cases of a file that has one a line.
    ///
    /// # Errors
    /// A line is not JSON.
    pub fn lines(&self) -> Result<Vec<Json>> {
        let lines = self.text.lines().enumerate();
        lines
            .filter(|(_, line)| !line.trim().is_empty())
            .map(|(at, line)| {
                serde_json::from_str(line).with_context(|| format!("line {}", at + 1))
            })
            .collect()
    }
}

type Judge = fn(&mut Cases<'_>) -> Result<Tally>;

/// What can be judged.
const FORMATS: &[(&str, Judge)] = &[
    ("cel", cel::judge),
    ("costs", cel::judge_costs),
    ("policies", policies::judge),
    ("validation", validation::judge),
    ("defaults", defaults::judge),
    ("live", live::judge),
];

/// The names of what can be judged.
pub fn names() -> Vec<&'static str> {
    FORMATS.iter().map(|(name, _)| *name).collect()
}

/// Holds a file against the product, with a line for each disagreement.
///
/// # Errors
/// The file cannot be read, or is not of the format.
pub fn judge(what: &str, path: &Path, kubernetes: u32, out: &mut dyn Write) -> Result<Tally> {
    let (_, judge) = FORMATS
        .iter()
        .find(|(name, _)| *name == what)
        .ok_or_else(|| anyhow!("there is no format `{what}`"))?;
    let text = std::fs::read_to_string(path).with_context(|| path.display().to_string())?;
    let mut cases = Cases {
        path,
        text: &text,
        kubernetes,
        out,
    };
    judge(&mut cases)
}

/// A visitor that only lets units pass.
pub struct Silent;

impl tenantry::Visitor for Silent {
    fn unit(&self, _: &Unit, _: &[Rendered], _: &Sources) -> std::io::Result<()> {
        Ok(())
    }
}
