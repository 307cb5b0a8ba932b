//! `tenantry schema`: the JSON Schema of a kind.

use anyhow::{Result, bail};

use super::DONE;
use super::arguments::SchemaCommand;
use super::present;
use crate::diagnostics::suggest;
use crate::model::kinds::KINDS;
use crate::schema;

/// Runs the command.
pub fn run(command: &SchemaCommand) -> Result<u8> {
    let Some(kind) = &command.kind else {
        let names: String = KINDS.iter().map(|kind| format!("{kind}\n")).collect();
        present::print(&names)?;
        return Ok(DONE);
    };
    match schema::source(kind) {
        Some(text) => present::print(text)?,
        None => bail!(
            "there is no kind `{kind}`; {}",
            suggest(kind, KINDS.iter().copied()).unwrap_or_default()
        ),
    }
    Ok(DONE)
}
