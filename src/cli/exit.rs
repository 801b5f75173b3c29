//! What a command that takes packages in ends with: 0 for all, 2 where some were not taken, 1 where none was.

use std::process::ExitCode;

use crate::import::{Committed, PlanReport};

/// Returns the exit code where `taken` packages are where they belong and `left_out` are not.
pub(super) fn code(taken: usize, left_out: usize) -> ExitCode {
    match (taken, left_out) {
        (_, 0) => ExitCode::SUCCESS,
        (0, _) => ExitCode::FAILURE,
        _ => ExitCode::from(2),
    }
}

/// Returns the exit code of arguments that are no command: 1, since nothing was changed, or 0 where help was asked for. The
/// parser's own code would be 2.
pub(super) fn of_arguments(error: &clap::Error) -> ExitCode {
    if error.use_stderr() {
        ExitCode::FAILURE
    } else {
        ExitCode::SUCCESS
    }
}

/// Returns the exit code of a plan that is not committed.
pub(super) fn of_plan(plan: &PlanReport) -> ExitCode {
    let taken = plan.added.len() + plan.replaced.len() + plan.unchanged;
    code(taken, plan.quarantined.len() + plan.refused.len())
}

/// Returns the exit code of a commit.
pub(super) fn of_commit(done: &Committed) -> ExitCode {
    code(
        done.added + done.replaced + done.unchanged,
        done.quarantined + done.refused,
    )
}
