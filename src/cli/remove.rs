//! `airlock remove`: versions out of a branch, by its rules.

use std::process::ExitCode;

use clap::Args;

use super::change_text;
use super::door::Door;
use super::{CliError, Common};
use crate::admin::branches::RemoveRequest;
use crate::distribution::{DistributionName, Reason};
use crate::package::PackageChoice;

/// Production and releases never give up a version; staging does as an exception, with a reason that stays in the history;
/// snapshot, experimental and branches of your own do.
#[derive(Debug, Args)]
pub(super) struct RemoveArgs {
    /// The branch
    branch: DistributionName,
    /// The versions, as in nginx@1.5.0; a package alone means all its versions
    #[arg(required = true, value_name = "PACKAGE@VERSION")]
    packages: Vec<PackageChoice>,
    /// Why, to be kept in the history
    #[arg(long)]
    reason: Option<Reason>,
    /// Show what would change, and change nothing
    #[arg(long)]
    dry_run: bool,
}

pub(super) fn run(common: &Common, args: &RemoveArgs) -> Result<ExitCode, CliError> {
    let door = Door::open(common)?;
    let request = RemoveRequest {
        packages: args.packages.iter().map(ToString::to_string).collect(),
        reason: args.reason.as_ref().map(ToString::to_string),
        is_dry: args.dry_run,
    };
    let done = door.remove(&args.branch, &request)?;
    common.print(&done, change_text::done)?;
    Ok(ExitCode::SUCCESS)
}
