//! `tenantry schema`: the JSON Schema of a kind.

use anyhow::{Result, bail};

use super::DONE;
use super::arguments::SchemaCommand;
use super::present;
use crate::diagnostics::suggest;
use crate::schema::OWN_SOURCES;

/// Runs the command.
pub fn run(command: &SchemaCommand) -> Result<u8> {
    let Some(kind) = &command.kind else {
        let names: String = OWN_SOURCES
            .iter()
            .map(|(kind, _)| format!("{kind}\n"))
            .collect();
        present::print(&names)?;
        return Ok(DONE);
    };
    match OWN_SOURCES
        .iter()
        .find(|(known, _)| known.eq_ignore_ascii_case(kind))
    {
        Some((_, text)) => present::print(text)?,
        None => bail!(
            "there is no kind `{kind}`; {}",
            suggest(kind, OWN_SOURCES.iter().map(|(kind, _)| *kind)).unwrap_or_default()
        ),
    }
    Ok(DONE)
}
