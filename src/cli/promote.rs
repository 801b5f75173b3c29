//! `airlock promote`: versions move on from snapshot to staging to production.

use std::process::ExitCode;

use clap::Args;

use super::change_text;
use super::door::Door;
use super::{CliError, Common, exit};
use crate::admin::branches::PromoteRequest;
use crate::distribution::{DistributionName, Reason};
use crate::package::{PackageChoice, PackageVersion};

/// Versions are added to the next branch and taken out of the one they come from, as one change set.
#[derive(Debug, Args)]
pub(super) struct PromoteArgs {
    /// The package, its versions after it; without a version all that the branch holds. More packages follow, or come as
    /// nginx@1.5.0
    #[arg(
        value_name = "NAME [VERSION]",
        required_unless_present = "all",
        conflicts_with = "all"
    )]
    packages: Vec<String>,
    /// Everything that the branch holds
    #[arg(long)]
    all: bool,
    /// The branch they go to
    #[arg(long, value_name = "BRANCH", default_value = "production")]
    to: DistributionName,
    /// The branch they come from [default: staging to production, snapshot to staging]
    #[arg(long, value_name = "BRANCH")]
    from: Option<DistributionName>,
    /// Replace versions that are there with other content, where the branch allows it
    #[arg(long)]
    overwrite: bool,
    /// Why, to be kept in the history
    #[arg(long)]
    reason: Option<Reason>,
    /// Show what would change, and change nothing
    #[arg(long)]
    dry_run: bool,
}

pub(super) fn run(common: &Common, args: &PromoteArgs) -> Result<ExitCode, CliError> {
    let packages = choices(&args.packages)?;
    let door = Door::open(common)?;
    let request = PromoteRequest {
        packages: packages.iter().map(ToString::to_string).collect(),
        all: args.all,
        from: args.from.as_ref().map(ToString::to_string),
        to: Some(args.to.to_string()),
        overwrite: args.overwrite,
        reason: args.reason.as_ref().map(ToString::to_string),
        is_dry: args.dry_run,
    };
    let done = door.promote(&request)?;
    common.print(&done, change_text::done)?;
    let moved: usize = done.changes.branches.iter().map(|it| it.removed).sum();
    Ok(exit::code(moved, done.refused.len()))
}

/// Reads `nginx 1.5.0 1.6.0 system zeek@1.0.0`: a version belongs to the name before it.
fn choices(words: &[String]) -> Result<Vec<PackageChoice>, CliError> {
    let mut choices: Vec<PackageChoice> = Vec::new();
    let mut is_open = false;
    for word in words {
        if let (Ok(version), Some(last)) = (PackageVersion::parse(word), choices.last_mut()) {
            if is_open {
                last.version = Some(version);
            } else {
                let name = last.name.clone();
                choices.push(PackageChoice {
                    name,
                    version: Some(version),
                });
            }
            is_open = false;
            continue;
        }
        let choice: PackageChoice = word
            .parse()
            .map_err(|error| CliError::new(format!("{error}")).hint(HINT))?;
        is_open = choice.version.is_none();
        choices.push(choice);
    }
    Ok(choices)
}

const HINT: &str = "name packages as in `airlock promote NAME VERSION`, or everything with --all";

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_version_belongs_to_the_name_before_it() {
        let read = |text: &str| {
            let words: Vec<_> = text.split(' ').map(str::to_owned).collect();
            let choices = choices(&words).ok()?;
            let shown: Vec<_> = choices.iter().map(ToString::to_string).collect();
            Some(shown.join(" "))
        };
        for (typed, meant) in [
            ("nginx", Some("nginx")),
            ("nginx 1.5.0", Some("nginx@1.5.0")),
            ("nginx 1.5.0 1.6.0", Some("nginx@1.5.0 nginx@1.6.0")),
            ("nginx system 1.0.0", Some("nginx system@1.0.0")),
            ("nginx@1.5.0 1.6.0", Some("nginx@1.5.0 nginx@1.6.0")),
            ("1.5.0", None),
            ("nginx 1.5", None),
        ] {
            assert_eq!(read(typed).as_deref(), meant, "{typed}");
        }
    }
}
