//! `airlock rollback`: back to what was there right after an earlier change set.

use std::process::ExitCode;

use clap::Args;

use super::change_text;
use super::door::Door;
use super::{CliError, Common, terminal};
use crate::admin::rollback::RollbackRequest;
use crate::distribution::Reason;

/// Every branch holds and every distribution serves again what it did right after change set N; what came with N is there,
/// what came after it is not. This is a change set of its own, and can be gone back on. Releases are frozen and stay, at
/// their own addresses; so do settings, such as what a branch makes of signatures.
#[derive(Debug, Args)]
pub(super) struct RollbackArgs {
    /// The change set right after which everything was as it is to be
    #[arg(value_name = "N")]
    number: i64,
    /// Why, to be kept in the history; needed where production or staging lose versions
    #[arg(long)]
    reason: Option<Reason>,
    /// Show what would change, and change nothing
    #[arg(long)]
    dry_run: bool,
    /// Do it without a question
    #[arg(long)]
    yes: bool,
}

pub(super) fn run(common: &Common, args: &RollbackArgs) -> Result<ExitCode, CliError> {
    let door = Door::open(common)?;
    let mut request = RollbackRequest {
        to: args.number,
        reason: args.reason.as_ref().map(ToString::to_string),
        is_dry: true,
    };
    if args.dry_run {
        common.print(&door.rollback(&request)?, change_text::done)?;
        return Ok(ExitCode::SUCCESS);
    }
    if !args.yes && terminal::is_interactive() {
        let plan = door.rollback(&request)?;
        if !plan.changes.is_empty() {
            eprint!("{}", change_text::done(&plan));
            if !terminal::confirm("Go back?")? {
                eprintln!("Nothing changed.");
                return Ok(ExitCode::SUCCESS);
            }
        }
    }
    request.is_dry = false;
    let done = door.rollback(&request)?;
    common.print(&done, change_text::done)?;
    Ok(ExitCode::SUCCESS)
}
