//! `airlock distribution`: addresses that serve one or more branches.

use std::process::ExitCode;

use clap::{Args, Subcommand};

use super::door::Door;
use super::{CliError, Common};
use super::{change_text, hold_text};
use crate::admin::distributions::{
    Changed, DistributionDetails, DistributionReport, LayersRequest,
};
use crate::admin::wording::{counted, grouped};
use crate::distribution::{DistributionName, Exact};

#[derive(Debug, Subcommand)]
pub(super) enum DistributionCommand {
    /// Make a distribution, served at /d/NAME/
    Create {
        /// Its name
        name: DistributionName,
        #[command(flatten)]
        layers: LayersArgs,
    },
    /// Say what a distribution of your own, or `default`, serves from now on
    Set {
        /// Its name
        name: DistributionName,
        #[command(flatten)]
        layers: LayersArgs,
        /// Lay no local branch over it; without this and --with those stay that are there
        #[arg(long, conflicts_with_all = ["with", "like"])]
        alone: bool,
        /// Show what would change, and change nothing
        #[arg(long)]
        dry_run: bool,
    },
    /// List all distributions
    List,
    /// Show what a distribution serves, and which versions are shadowed
    Show {
        /// Its name
        name: DistributionName,
    },
    /// Delete a distribution of your own; its branches stay
    Delete {
        /// Its name
        name: DistributionName,
    },
}

#[derive(Debug, Args)]
pub(super) struct LayersArgs {
    /// The branch or release that it is made of
    #[arg(long, value_name = "BRANCH", required_unless_present_any = ["like", "exact", "approvals"])]
    from: Option<DistributionName>,
    /// A branch with it: local ones are laid over it, others under it; may be given more than once, the first wins
    #[arg(long, value_name = "BRANCH", conflicts_with = "like")]
    with: Vec<DistributionName>,
    /// Serve what this distribution serves now, with its holds, and answer for the versions it answers for
    #[arg(long, value_name = "DISTRIBUTION", conflicts_with = "from")]
    like: Option<DistributionName>,
    /// Answer for every version it ever offered (`ever`, as it is without this), or for what it offers (`now`)
    #[arg(long, value_name = "ever|now")]
    exact: Option<Exact>,
    /// Have plans for its branches committed by somebody else than who staged them (1), or by anybody who may (0)
    #[arg(long, value_name = "0|1", value_parser = clap::value_parser!(u8).range(0..=1))]
    approvals: Option<u8>,
}

pub(super) fn run(common: &Common, command: DistributionCommand) -> Result<ExitCode, CliError> {
    let door = Door::open(common)?;
    match command {
        DistributionCommand::Create { name, layers } => {
            let changed = door.create_distribution(&name, layers.request(false))?;
            common.print(&changed, now_serves)?;
        }
        DistributionCommand::Set {
            name,
            layers,
            alone,
            dry_run,
        } => {
            let request = LayersRequest {
                is_dry: dry_run,
                ..layers.request(alone)
            };
            let changed = door.set_distribution(&name, &request)?;
            common.print(&changed, now_serves)?;
        }
        DistributionCommand::List => {
            common.print(&door.distributions()?, |all| match all.as_slice() {
                [] => {
                    "There is no distribution yet; `airlock import` makes the first.\n".to_owned()
                }
                all => all.iter().map(line).collect(),
            })?
        }
        DistributionCommand::Show { name } => common.print(&door.distribution(&name)?, details)?,
        DistributionCommand::Delete { name } => {
            common.print(&door.delete_distribution(&name)?, |changed| {
                let number = changed.change_set.unwrap_or_default();
                let text = format!("Change set {number}: {name} is deleted; its branches stay.\n");
                text + &change_text::holds_changed(&changed.holds)
                    + &change_text::no_longer_offered(&changed.no_longer_offered)
            })?;
        }
    }
    Ok(ExitCode::SUCCESS)
}

fn now_serves(changed: &Changed) -> String {
    let line = line(&changed.distribution);
    let text = match changed.change_set {
        Some(number) => format!("Change set {number}: {line}"),
        None if changed.is_dry => format!("This would be: {line}"),
        None => format!("Nothing changed: {line}"),
    };
    let approvals = changed
        .approvals
        .map(|approvals| change_text::approvals_changed(&changed.distribution.name, approvals));
    text + &approvals.unwrap_or_default()
        + &change_text::holds_changed(&changed.holds)
        + &change_text::no_longer_offered(&changed.no_longer_offered)
}

fn line(distribution: &DistributionReport) -> String {
    let path = match distribution.name.as_str() {
        "default" => "/".to_owned(),
        name => format!("/d/{name}/"),
    };
    format!(
        "{} serves {} at {path} ({}, fingerprint {})\n",
        distribution.name,
        distribution.branches.join(", then "),
        counted(distribution.offered as u64, "version", "versions"),
        distribution.fingerprint,
    )
}

fn details(distribution: &DistributionDetails) -> String {
    let mut text = line(&distribution.report);
    for layer in &distribution.layers {
        let offered = counted(layer.offered as u64, "version", "versions");
        text.push_str(&format!("  {} ({}): {offered}", layer.branch, layer.kind));
        if layer.shadowed > 0 {
            text.push_str(&format!(", {} shadowed", grouped(layer.shadowed as u64)));
        }
        text.push('\n');
    }
    let packages = counted(distribution.packages as u64, "package", "packages");
    text.push_str(&format!("  {packages} in all\n"));
    if distribution.exact == Exact::Now {
        text.push_str("  answers only for what it offers now\n");
    }
    if distribution.approvals > 0 {
        text.push_str("  somebody else than who staged a plan commits it\n");
    }
    for hold in &distribution.holds {
        text.push_str(&hold_text::line(hold));
        text.push_str(&hold_text::versions(hold));
    }
    for shadowed in &distribution.shadowed {
        let content = if shadowed.is_same { "same" } else { "other" };
        text.push_str(&format!(
            "  {} of {} is shadowed by {}, with {content} content\n",
            shadowed.package, shadowed.branch, shadowed.by
        ));
    }
    text
}

impl LayersArgs {
    fn request(&self, alone: bool) -> LayersRequest {
        let text = |name: &Option<DistributionName>| name.as_ref().map(ToString::to_string);
        LayersRequest {
            from: text(&self.from),
            with: self.with.iter().map(ToString::to_string).collect(),
            alone,
            like: text(&self.like),
            exact: self.exact,
            approvals: self.approvals,
            is_dry: false,
        }
    }
}
