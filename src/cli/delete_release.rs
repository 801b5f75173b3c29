//! `airlock delete-release`: a release goes whole, when nothing serves from it.

use std::process::ExitCode;

use clap::Args;

use super::door::Door;
use super::{CliError, Common, terminal};
use crate::admin::deletion::{Deleted, DeletionRequest};
use crate::admin::wording::{counted, size};
use crate::distribution::{DistributionName, Reason};

/// A release goes whole: its address, and what it holds. Kibanas that installed from it cannot fetch those versions again
/// unless something else holds them. The history still tells what it held; `airlock gc` frees the space.
#[derive(Debug, Args)]
pub(super) struct DeleteReleaseArgs {
    /// The release
    release: DistributionName,
    /// Why, to be kept in the history
    #[arg(long)]
    reason: Option<Reason>,
    /// Delete it though some Kibana fetched versions lately that nothing else holds
    #[arg(long)]
    also_fetched: bool,
    /// Count as in use what some Kibana fetched in the last DAYS days [default: 400]
    #[arg(long, value_name = "DAYS", conflicts_with = "also_fetched")]
    keep_fetched: Option<u16>,
    /// Show what would be deleted, and delete nothing
    #[arg(long)]
    dry_run: bool,
    /// Delete without asking
    #[arg(long, short)]
    yes: bool,
}

pub(super) fn run(common: &Common, args: &DeleteReleaseArgs) -> Result<ExitCode, CliError> {
    let door = Door::open(common)?;
    let mut request = DeletionRequest {
        reason: args.reason.as_ref().map(ToString::to_string),
        also_fetched: args.also_fetched,
        keep_fetched_days: args.keep_fetched,
        is_dry: true,
    };
    let plan = door.delete_release(&args.release, &request)?;
    if args.dry_run {
        common.print(&plan, text)?;
        return Ok(ExitCode::SUCCESS);
    }
    if !args.yes {
        if !terminal::is_interactive() {
            return Err(CliError::new(format!(
                "nobody can be asked whether to delete {}",
                args.release
            ))
            .hint("say so with --yes; --dry-run shows what would be deleted"));
        }
        eprint!("{}", text(&plan));
        if !terminal::confirm("Delete it?")? {
            return Err(CliError::new("nothing was deleted"));
        }
    }
    request.is_dry = false;
    common.print(&door.delete_release(&args.release, &request)?, text)?;
    Ok(ExitCode::SUCCESS)
}

fn text(deleted: &Deleted) -> String {
    let versions = counted(
        deleted.versions as u64,
        "package version",
        "package versions",
    );
    let (release, bytes) = (&deleted.release, size(deleted.own_bytes));
    let mut text = match deleted.change_set {
        Some(number) => format!(
            "Change set {number}: {release} is deleted, {versions}; `airlock gc` frees {bytes} that nothing else needs\n"
        ),
        None => format!(
            "This would delete {release}, {versions}, of which nothing else needs {bytes}\n"
        ),
    };
    if !deleted.fetched.is_empty() {
        text.push_str(&format!(
            "Some Kibana fetched these in the last {} days, and nothing else holds them:\n",
            deleted.keep_fetched_days
        ));
        for package in &deleted.fetched {
            text.push_str(&format!("  {package}\n"));
        }
    }
    text
}
