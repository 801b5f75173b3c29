//! `airlock gc`: what nothing needs any more is taken out of the store.

use std::process::ExitCode;

use clap::Args;

use super::door::Door;
use super::{CliError, Common};
use crate::admin::collection::{Collected, CollectionRequest};
use crate::admin::wording::{counted, size};

/// Frees what no branch, no history, no waiting plan and nothing in quarantine needs, and gives the space back to the disk. A
/// server goes on serving meanwhile; what was deleted in the last 15 minutes stays while one runs, as clients may be reading it.
/// Plans that waited for more than 30 days are dropped.
#[derive(Debug, Args)]
pub(super) struct GcArgs {
    /// Show what would be freed, and free nothing
    #[arg(long)]
    dry_run: bool,
}

pub(super) fn run(common: &Common, args: &GcArgs) -> Result<ExitCode, CliError> {
    let door = Door::open(common)?;
    let request = CollectionRequest {
        is_dry: args.dry_run,
    };
    let collected = door.collect(request)?;
    common.print(&collected, text)?;
    Ok(if collected.was_interrupted {
        ExitCode::from(2)
    } else {
        ExitCode::SUCCESS
    })
}

fn text(collected: &Collected) -> String {
    let zips = counted(collected.artifacts, "package version", "package versions");
    let bytes = size(collected.bytes);
    let before = size(collected.file_bytes_before);
    let mut text = match collected.file_bytes {
        Some(after) => format!(
            "Freed {bytes}, {zips}; the store took {before} and takes {}\n",
            size(after)
        ),
        None => format!("This would free {bytes}, {zips}; the store takes {before}\n"),
    };
    for plan in &collected.dropped_plans {
        text.push_str(&match collected.file_bytes {
            Some(_) => format!("Plan {plan} waited for more than 30 days, and is dropped\n"),
            None => format!("Plan {plan} waited for more than 30 days, and would be dropped; its space comes on top\n"),
        });
    }
    if collected.later_bytes > 0 {
        text.push_str(&format!(
            "{} were deleted in the last 15 minutes, and somebody may be reading them; `airlock gc` frees them later\n",
            size(collected.later_bytes)
        ));
    }
    if collected.was_interrupted {
        text.push_str("An import came in between; run `airlock gc` again when it is done\n");
    }
    text
}
