//! `airlock hold`, `withdraw`, `holds` and `release-hold`: what is kept back, and why.

use std::process::ExitCode;

use clap::Args;

use super::door::Door;
use super::{CliError, Common, change_text, hold_text};
use crate::admin::holds::{HoldDetails, HoldRequest, ReleaseRequest};
use crate::distribution::{DistributionName, Reason};
use crate::package::{PackageChoice, PackageVersion};

/// What is held back is not found by Kibana. What was offered before is still answered for those that run it.
#[derive(Debug, Args)]
pub(super) struct HoldArgs {
    /// The distribution that keeps it back
    distribution: DistributionName,
    /// The package, with --at or --only; or one version of it, as NAME@VERSION
    #[arg(value_name = "PACKAGE")]
    package: PackageChoice,
    /// Offer nothing newer than this version
    #[arg(long, value_name = "VERSION", value_parser = PackageVersion::parse, conflicts_with = "only")]
    at: Option<PackageVersion>,
    /// Offer only what this branch holds
    #[arg(long, value_name = "BRANCH")]
    only: Option<DistributionName>,
    /// Why, to be shown with the hold and kept in the history
    #[arg(long)]
    reason: Option<Reason>,
    /// When it ends by itself: a day, at 00:00 UTC, or a time in RFC 3339
    #[arg(long, value_name = "DATE")]
    until: Option<String>,
    /// Show what would change, and change nothing
    #[arg(long)]
    dry_run: bool,
}

/// What is withdrawn is offered nowhere and answered for nowhere, not even to a Kibana that runs it, until it is released.
#[derive(Debug, Args)]
pub(super) struct WithdrawArgs {
    /// The package version, as NAME@VERSION
    #[arg(value_name = "PACKAGE")]
    package: PackageChoice,
    /// Why, to be shown with it and kept in the history
    #[arg(long)]
    reason: Reason,
    /// Show what would change, and change nothing
    #[arg(long)]
    dry_run: bool,
}

#[derive(Debug, Args)]
pub(super) struct HoldsArgs {
    /// Of this distribution alone
    distribution: Option<DistributionName>,
}

#[derive(Debug, Args)]
pub(super) struct ReleaseHoldArgs {
    /// The number of the hold, as `airlock holds` shows it
    #[arg(value_name = "N")]
    number: i64,
    /// Why, to be kept in the history; needed for what is withdrawn
    #[arg(long)]
    reason: Option<Reason>,
    /// Show what would change, and change nothing
    #[arg(long)]
    dry_run: bool,
}

pub(super) fn hold(common: &Common, args: &HoldArgs) -> Result<ExitCode, CliError> {
    let request = HoldRequest {
        package: args.package.to_string(),
        at: args.at.as_ref().map(ToString::to_string),
        only: args.only.as_ref().map(ToString::to_string),
        reason: args.reason.as_ref().map(ToString::to_string),
        until: args.until.clone(),
        is_dry: args.dry_run,
    };
    let done = Door::open(common)?.hold(&args.distribution, &request)?;
    common.print(&done, change_text::held)?;
    Ok(ExitCode::SUCCESS)
}

pub(super) fn withdraw(common: &Common, args: &WithdrawArgs) -> Result<ExitCode, CliError> {
    let request = HoldRequest {
        package: args.package.to_string(),
        reason: Some(args.reason.to_string()),
        is_dry: args.dry_run,
        ..HoldRequest::default()
    };
    let done = Door::open(common)?.withdraw(&request)?;
    common.print(&done, change_text::held)?;
    Ok(ExitCode::SUCCESS)
}

pub(super) fn list(common: &Common, args: &HoldsArgs) -> Result<ExitCode, CliError> {
    let holds = Door::open(common)?.holds(args.distribution.as_ref())?;
    common.print(&holds, |holds| match holds.as_slice() {
        [] => "Nothing is held back.\n".to_owned(),
        holds => holds.iter().map(details).collect(),
    })?;
    Ok(ExitCode::SUCCESS)
}

pub(super) fn release(common: &Common, args: &ReleaseHoldArgs) -> Result<ExitCode, CliError> {
    let request = ReleaseRequest {
        reason: args.reason.as_ref().map(ToString::to_string),
        is_dry: args.dry_run,
    };
    let done = Door::open(common)?.release_hold(args.number, &request)?;
    common.print(&done, change_text::done)?;
    Ok(ExitCode::SUCCESS)
}

fn details(details: &HoldDetails) -> String {
    let HoldDetails { hold, at, who, .. } = details;
    let mut text = hold_text::line(hold);
    text.push_str(&format!("    by {who} at {at}\n"));
    text.push_str(&hold_text::versions_or_none(hold));
    text
}
