//! x
use anyhow::Result;
use super::arguments::*;
pub fn run(_: &ImpactCommand, _: &Arguments) -> Result<u8> { Ok(0) }
