//! `airlock quarantine`: packages that were not taken.

use std::process::ExitCode;

use clap::{Args, Subcommand};
use serde::Serialize;

use super::door::Door;
use super::{CliError, Common, exit, plan_text};
use crate::admin::quarantine::{CaseReport, CasesRequest, Retried};
use crate::admin::routes::{CommitRequest, ConsentRequest};
use crate::admin::wording::{counted, size};
use crate::distribution::SignatureStatus;
use crate::import::Committed;

#[derive(Debug, Subcommand)]
pub(super) enum QuarantineCommand {
    /// List the packages that were not taken
    List,
    /// Show all that is known of one
    Show {
        /// Its number
        number: i64,
    },
    /// Try those again that are kept: after a key was added, or the branch asks for less
    Retry {
        #[command(flatten)]
        cases: CasesArgs,
        /// Show what would change, and change nothing
        #[arg(long)]
        dry_run: bool,
    },
    /// Let packages go
    Drop(CasesArgs),
}

#[derive(Debug, Args)]
#[group(required = true, multiple = false)]
pub(super) struct CasesArgs {
    /// Their numbers
    #[arg(value_name = "NUMBER")]
    numbers: Vec<i64>,
    /// Everything in quarantine
    #[arg(long)]
    all: bool,
}

pub(super) fn run(common: &Common, command: QuarantineCommand) -> Result<ExitCode, CliError> {
    let door = Door::open(common)?;
    match command {
        QuarantineCommand::List => common.print(&door.quarantine()?, |cases| list(cases))?,
        QuarantineCommand::Show { number } => {
            let cases = door.quarantine()?;
            let case = cases.into_iter().find(|case| case.id == number);
            let case = case.ok_or_else(|| {
                CliError::new(format!("there is no package {number} in quarantine"))
                    .hint("`airlock quarantine list` shows them")
            })?;
            common.print(&case, shown)?;
        }
        QuarantineCommand::Retry { cases, dry_run } => {
            return retry(common, &door, &cases.request(), dry_run);
        }
        QuarantineCommand::Drop(cases) => {
            common.print(&door.drop_quarantined(&cases.request())?, |dropped| {
                let count = counted(dropped.len() as u64, "package", "packages");
                format!("Dropped {count} from quarantine.\n")
            })?;
        }
    }
    Ok(ExitCode::SUCCESS)
}

fn retry(
    common: &Common,
    door: &Door,
    request: &CasesRequest,
    is_dry: bool,
) -> Result<ExitCode, CliError> {
    let Retried {
        plans,
        not_kept,
        passed_over,
    } = door.retry_quarantined(request)?;
    let speaks = !common.json && !common.quiet;
    let (mut taken, mut left) = (0, not_kept.len() + passed_over.len());
    let mut done: Vec<Committed> = Vec::new();
    let mut failure = None;
    for plan in plans {
        match try_plan(door, plan, is_dry, speaks) {
            Ok(tried) => {
                taken += tried.taken;
                left += tried.left;
                done.extend(tried.committed);
            }
            // What one branch refuses keeps nothing from the others.
            Err(error) => {
                if error.leaves_plan() {
                    failure.get_or_insert(error.plan_waits(plan));
                    continue;
                }
                let _ = door.drop_plan(plan);
                failure.get_or_insert(error);
            }
        }
    }
    if speaks {
        for case in &not_kept {
            super::print(&format!(
                "{}: nothing is kept of {}; import {} again\n",
                case.id, case.package, case.source
            ))?;
        }
        for case in &passed_over {
            super::print(&format!(
                "{}: another zip of {} was tried; this one stays\n",
                case.id, case.package
            ))?;
        }
    } else {
        let outcome = Outcome {
            committed: &done,
            not_kept: &not_kept,
            passed_over: &passed_over,
        };
        common.print(&outcome, |_| String::new())?;
    }
    match failure {
        Some(error) => Err(error),
        None => Ok(exit::code(taken, left)),
    }
}

/// What `quarantine retry` came to, for `--json`.
#[derive(Debug, Serialize)]
struct Outcome<'a> {
    committed: &'a [Committed],
    not_kept: &'a [CaseReport],
    passed_over: &'a [CaseReport],
}

/// What trying the packages of one branch again came to.
struct Tried {
    taken: usize,
    left: usize,
    committed: Option<Committed>,
}

fn try_plan(door: &Door, plan: i64, is_dry: bool, speaks: bool) -> Result<Tried, CliError> {
    let report = door.plan(plan, ConsentRequest::default())?;
    if speaks {
        super::print(&plan_text::plan(&report, false))?;
    }
    if is_dry {
        door.drop_plan(plan)?;
        return Ok(Tried {
            taken: report.added.len() + report.replaced.len(),
            left: report.quarantined.len(),
            committed: None,
        });
    }
    let committed = door.commit(plan, &CommitRequest::default())?;
    if speaks {
        super::print(&plan_text::committed(&committed))?;
    }
    Ok(Tried {
        taken: committed.added + committed.replaced,
        left: committed.quarantined,
        committed: Some(committed),
    })
}

fn list(cases: &[CaseReport]) -> String {
    if cases.is_empty() {
        return "Quarantine is empty: everything that came in was good.\n".to_owned();
    }
    let mut text: String = cases
        .iter()
        .map(|case| format!("{}: {}: {}\n", case.id, case.package, case.why))
        .collect();
    let lacks_key = |case: &CaseReport| {
        let kept = case.kept.as_ref();
        kept.is_some_and(|kept| matches!(kept.signature, SignatureStatus::UnknownKey { .. }))
    };
    if cases.iter().any(lacks_key) {
        text.push_str(
            "Once `airlock keys add` has taken the key, `airlock quarantine retry --all` tries them again.\n",
        );
    }
    text
}

fn shown(case: &CaseReport) -> String {
    let mut text = format!(
        "{} {}\n  {}\n  from {}, {}\n",
        case.id, case.package, case.why, case.source, case.at
    );
    match &case.kept {
        Some(kept) => text.push_str(&format!(
            "  for {}; kept: {}, SHA-256 {}\n  now: {}\n  `airlock quarantine retry {}` tries it again\n",
            kept.branch,
            size(kept.bytes),
            kept.sha256,
            kept.signature,
            case.id
        )),
        None => text.push_str("  nothing is kept of it: import its source again once it is mended\n"),
    }
    text
}

impl CasesArgs {
    fn request(&self) -> CasesRequest {
        CasesRequest {
            ids: self.numbers.clone(),
        }
    }
}
