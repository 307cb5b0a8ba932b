//! `tenantry completions` and `tenantry man`.

use anyhow::Result;
use clap::CommandFactory as _;

use super::DONE;
use super::arguments::{Arguments, CompletionsCommand};
use super::present;

/// Prints completions for a shell.
pub fn completions(command: &CompletionsCommand) -> Result<u8> {
    let mut script = Vec::new();
    clap_complete::generate(
        command.shell,
        &mut Arguments::command(),
        "tenantry",
        &mut script,
    );
    present::print(&String::from_utf8_lossy(&script))?;
    Ok(DONE)
}

/// Prints the manual page.
pub fn man() -> Result<u8> {
    let mut page = Vec::new();
    let command = Arguments::command();
    clap_mangen::Man::new(command.clone()).render(&mut page)?;
    for subcommand in command.get_subcommands() {
        let name = format!("tenantry {}", subcommand.get_name());
        let page_of =
            clap_mangen::Man::new(subcommand.clone().bin_name(name.clone()).display_name(name));
        page_of.render_synopsis_section(&mut page)?;
        page_of.render_description_section(&mut page)?;
        page_of.render_options_section(&mut page)?;
    }
    present::print(&String::from_utf8_lossy(&page))?;
    Ok(DONE)
}
