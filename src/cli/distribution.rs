//! `airlock distribution`: addresses that serve one or more branches.

use std::process::ExitCode;

use clap::Subcommand;

use super::door::Door;
use super::{CliError, Common};
use crate::admin::operations::DistributionReport;
use crate::distribution::DistributionName;

#[derive(Debug, Subcommand)]
pub(super) enum DistributionCommand {
    /// Make a distribution, served at /d/NAME/
    Create {
        /// Its name
        name: DistributionName,
        /// The branch or release that wins where several hold a version
        #[arg(long, value_name = "BRANCH")]
        from: DistributionName,
        /// A branch or release laid under it; may be given more than once, the first wins
        #[arg(long, value_name = "BRANCH")]
        with: Vec<DistributionName>,
    },
    /// List all distributions
    List,
}

pub(super) fn run(common: &Common, command: DistributionCommand) -> Result<ExitCode, CliError> {
    let door = Door::open(&common.data_folder()?)?;
    match command {
        DistributionCommand::Create { name, from, with } => {
            let branches: Vec<_> = std::iter::once(from).chain(with).collect();
            common.print(&door.create_distribution(&name, &branches)?, |changed| {
                let number = changed.change_set.unwrap_or_default();
                format!("Change set {number}: {}", line(&changed.distribution))
            })?;
        }
        DistributionCommand::List => {
            common.print(&door.distributions()?, |all| match all.as_slice() {
                [] => {
                    "There is no distribution yet; `airlock import` makes the first.\n".to_owned()
                }
                all => all.iter().map(line).collect(),
            })?
        }
    }
    Ok(ExitCode::SUCCESS)
}

fn line(distribution: &DistributionReport) -> String {
    let path = match distribution.name.as_str() {
        "default" => "/".to_owned(),
        name => format!("/d/{name}/"),
    };
    format!(
        "{} serves {} at {path}\n",
        distribution.name,
        distribution.branches.join(", then ")
    )
}
