//! `airlock diff`: how what is offered in one place differs from what is offered in another.

use std::process::ExitCode;

use clap::Args;

use super::asked::AskedArgs;
use super::door::Door;
use super::{CliError, Common, diff_markdown, diff_text};
use crate::admin::diff::DiffRequest;

/// Each place is a distribution, branch or release (8.5.0), one as it was right after a change set (prod@42), a plan that
/// waits (plan:3), or one version of a package (nginx@1.5.0).
#[derive(Debug, Args)]
pub(super) struct DiffArgs {
    /// What was. Named alone, it is what comes: a plan is compared with its branch, all else with what answers at /
    before: String,
    /// What is
    after: Option<String>,
    /// Look at one package alone
    #[arg(long, value_name = "NAME")]
    package: Option<String>,
    #[command(flatten)]
    asked: AskedArgs,
    /// Look only at packages that some Kibana fetched here lately
    #[arg(long)]
    used: bool,
    /// Name every change, rule, asset and file
    #[arg(long)]
    all: bool,
    /// Print the result as Markdown
    #[arg(long, conflicts_with = "json")]
    markdown: bool,
}

pub(super) fn run(common: &Common, args: DiffArgs) -> Result<ExitCode, CliError> {
    let request = DiffRequest {
        query: args.asked.query()?,
        before: args.before,
        after: args.after,
        package: args.package,
        used: args.used,
    };
    let door = Door::open(common)?;
    common.print(&door.diff(&request)?, |report| match args.markdown {
        true => diff_markdown::report(report, args.all),
        false => diff_text::report(report, args.all),
    })?;
    Ok(ExitCode::SUCCESS)
}
