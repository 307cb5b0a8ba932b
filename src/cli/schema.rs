//! `tenantry schema`: the JSON Schema of a kind.

use anyhow::{Result, bail};

use super::DONE;
use super::arguments::SchemaCommand;
use super::present;
use tenantry::model::kinds::KINDS;
use tenantry::model::schemas;
use tenantry_syntax::diagnostics::suggest;

/// Runs the command.
pub fn run(command: &SchemaCommand) -> Result<u8> {
    let Some(kind) = &command.kind else {
        let names: String = KINDS.iter().map(|kind| format!("{kind}\n")).collect();
        present::print(&names)?;
        return Ok(DONE);
    };
    match schemas::source(kind) {
        Some(text) => present::print(text)?,
        None => bail!(
            "there is no kind `{kind}`; {}",
            suggest(kind, KINDS.iter().copied()).unwrap_or_default()
        ),
    }
    Ok(DONE)
}
