//! `airlock tag`: what a distribution serves now, frozen as a release.

use std::process::ExitCode;

use clap::Args;

use super::door::Door;
use super::{CliError, Common};
use crate::admin::tag::{TagRequest, Tagged};
use crate::admin::wording::counted;
use crate::distribution::{DistributionName, Reason};

/// A release that is here with the same content is found; with other content this becomes its next edition.
#[derive(Debug, Args)]
pub(super) struct TagArgs {
    /// What the release is called, as in 8.5.0
    release: DistributionName,
    /// The distribution to be frozen
    #[arg(long, value_name = "DISTRIBUTION", default_value = "production")]
    from: DistributionName,
    /// Why, to be kept in the history
    #[arg(long)]
    reason: Option<Reason>,
}

pub(super) fn run(common: &Common, args: &TagArgs) -> Result<ExitCode, CliError> {
    let door = Door::open(common)?;
    let tagged = door.tag(&TagRequest {
        release: args.release.to_string(),
        from: Some(args.from.to_string()),
        reason: args.reason.as_ref().map(ToString::to_string),
    })?;
    common.print(&tagged, text)?;
    Ok(ExitCode::SUCCESS)
}

fn text(tagged: &Tagged) -> String {
    let Tagged { release, from, .. } = tagged;
    let versions = counted(
        tagged.versions as u64,
        "package version",
        "package versions",
    );
    let Some(number) = tagged.change_set else {
        return format!("Nothing changed: {release} has all that {from} serves, and no more.\n");
    };
    let mut text = format!(
        "Change set {number}: {release} is what {from} serves now, {versions}, served at /d/{release}/; `airlock activate \
         {release}` puts it at /\n"
    );
    if let Some(last) = &tagged.last {
        text.push_str(&format!(
            "{last} is here with other content, and stays as it is.\n"
        ));
    }
    text
}
