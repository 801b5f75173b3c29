//! `airlock plans`: imports that were staged and wait for a commit.

use std::process::ExitCode;

use clap::Subcommand;

use super::door::Door;
use super::{CliError, Common, diff_text, exit, plan_text};
use crate::admin::diff::DiffRequest;
use crate::admin::operations::WaitingPlan;
use crate::admin::routes::{CommitRequest, ConsentRequest};
use crate::admin::wording::grouped;
use crate::crypto::Digest;

#[derive(Debug, Subcommand)]
pub(super) enum PlansCommand {
    /// List the plans that wait
    List,
    /// Show what a plan would change, version by version
    Show {
        /// The plan's number
        plan: i64,
        /// Show what that means: versions, changelogs, detection rules, assets, as `airlock diff plan:N` does
        #[arg(long)]
        diff: bool,
    },
    /// Do what a plan says
    Commit {
        /// The plan's number
        plan: i64,
        /// Replace versions that are there with other content, where the branch allows it
        #[arg(long)]
        overwrite: bool,
        /// The digest that `airlock plans show` printed: a plan that would change anything else is not committed
        #[arg(long, value_name = "HEX")]
        digest: Option<Digest>,
    },
    /// Forget a plan
    Drop {
        /// The plan's number
        plan: i64,
    },
}

pub(super) fn run(common: &Common, command: PlansCommand) -> Result<ExitCode, CliError> {
    let door = Door::open(common)?;
    match command {
        PlansCommand::List => common.print(&door.plans()?, |plans| list(plans))?,
        PlansCommand::Show { plan, diff: true } => {
            let request = DiffRequest {
                before: format!("plan:{plan}"),
                ..DiffRequest::default()
            };
            common.print(&door.diff(&request)?, |report| {
                diff_text::report(report, false)
            })?;
        }
        PlansCommand::Show { plan, diff: false } => {
            common.print(&door.plan(plan, ConsentRequest::default())?, |plan| {
                plan_text::plan(plan, true)
            })?;
        }
        PlansCommand::Commit {
            plan,
            overwrite,
            digest,
        } => {
            let commit = CommitRequest {
                overwrite,
                digest: digest.map(|digest| digest.to_string()),
            };
            let done = door.commit(plan, &commit)?;
            common.print(&done, plan_text::committed)?;
            return Ok(exit::of_commit(&done));
        }
        PlansCommand::Drop { plan } => {
            door.drop_plan(plan)?;
            common.print(&plan, |plan| {
                format!("Plan {plan} is dropped; nothing changed.\n")
            })?;
        }
    }
    Ok(ExitCode::SUCCESS)
}

fn list(plans: &[WaitingPlan]) -> String {
    if plans.is_empty() {
        return "No plan waits.\n".to_owned();
    }
    plans.iter().map(line).collect()
}

fn line(waiting: &WaitingPlan) -> String {
    let number = waiting.plan;
    match (&waiting.report, &waiting.failure) {
        (Some(plan), _) => format!(
            "{number}: {} added, {} replaced in {} from {}, staged {} by {}\n",
            grouped(plan.added.len() as u64),
            grouped(plan.replaced.len() as u64),
            plan.branch,
            plan.source.name,
            plan.staged_at,
            plan.staged_by,
        ),
        (None, Some(failure)) => format!("{number}: cannot be committed: {}\n", failure.error),
        (None, None) => format!("{number}\n"),
    }
}
