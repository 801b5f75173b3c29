//! `airlock signatures`: what is known of them, and what a branch makes of it.

use std::process::ExitCode;

use clap::Subcommand;

use super::door::Door;
use super::{CliError, Common, plan_text};
use crate::admin::signatures::BranchSignatures;
use crate::distribution::{DistributionName, SignaturePolicy, SignatureStatus};

#[derive(Debug, Subcommand)]
pub(super) enum SignaturesCommand {
    /// Show what is known of the signatures in each branch, and which packages have no good one
    List {
        /// Only this branch
        branch: Option<DistributionName>,
        /// Each package version, the good ones too
        #[arg(long)]
        all: bool,
    },
    /// Say what becomes of packages without a good signature in a branch from now on
    Set {
        /// The branch
        branch: DistributionName,
        /// require (they go to quarantine), verify (they are taken, and it is said) or off
        policy: SignaturePolicy,
    },
}

pub(super) fn run(common: &Common, command: SignaturesCommand) -> Result<ExitCode, CliError> {
    let door = Door::open(common)?;
    match command {
        SignaturesCommand::List { branch, all } => {
            common.print(
                &door.signatures(branch.as_ref())?,
                |branches| match branches.as_slice() {
                    [] => "There is no branch yet; `airlock import` makes the first.\n".to_owned(),
                    branches => branches.iter().map(|branch| shown(branch, all)).collect(),
                },
            )?;
        }
        SignaturesCommand::Set { branch, policy } => {
            common.print(&door.set_policy(&branch, policy)?, set)?;
        }
    }
    Ok(ExitCode::SUCCESS)
}

fn shown(branch: &BranchSignatures, all: bool) -> String {
    let mut text = format!(
        "{} ({}): {}\n",
        branch.branch,
        branch.policy,
        plan_text::counts(&branch.counts)
    );
    // Where nothing is signed, a line for each package says nothing.
    let is_told = |status: &SignatureStatus| match status {
        SignatureStatus::Good { .. } => all,
        SignatureStatus::Absent => all || !branch.counts.are_absent(),
        _ => true,
    };
    for package in branch
        .packages
        .iter()
        .filter(|package| is_told(&package.status))
    {
        text.push_str(&format!("  {}: {}\n", package.package, package.status));
    }
    text
}

fn set(branch: &BranchSignatures) -> String {
    let mut text = format!("{} has {} for signatures.\n", branch.branch, branch.policy);
    let refused = |status| branch.policy.refusal(status).is_some();
    let refused = branch
        .packages
        .iter()
        .filter(|package| refused(&package.status));
    match refused.count() {
        0 => {}
        count => text.push_str(&format!(
            "{count} of the package versions that it holds would not come in today; they stay.\n"
        )),
    }
    text
}
