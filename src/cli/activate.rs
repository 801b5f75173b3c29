//! `airlock activate`: what answers at `/`.

use std::process::ExitCode;

use clap::Args;

use super::change_text;
use super::door::Door;
use super::{CliError, Common};
use crate::distribution::DistributionName;

#[derive(Debug, Args)]
pub(super) struct ActivateArgs {
    /// The release, branch or distribution
    name: DistributionName,
}

pub(super) fn run(common: &Common, args: &ActivateArgs) -> Result<ExitCode, CliError> {
    let changed = Door::open(common)?.activate(&args.name)?;
    common.print(&changed, |changed| {
        let text = match changed.change_set {
            Some(number) => format!("Change set {number}: {} is served at /\n", args.name),
            None => format!("Nothing changed: {} is served at / already.\n", args.name),
        };
        text + &change_text::holds_changed(&changed.holds)
            + &change_text::no_longer_offered(&changed.no_longer_offered)
    })?;
    Ok(ExitCode::SUCCESS)
}
