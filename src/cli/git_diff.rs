//! x
use anyhow::Result;
use super::arguments::*;
pub fn run(_: &GitDiffCommand, _: &Arguments) -> Result<u8> { Ok(0) }
