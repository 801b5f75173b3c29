//! `airlock explain`: why a distribution answers with one version of a package, and not with another.

use std::process::ExitCode;

use clap::Args;

use super::asked::AskedArgs;
use super::door::Door;
use super::plain::plain;
use super::{CliError, Common};
use crate::admin::explain::{ExplainReport, ExplainRequest, ExplainedVersion, StandingReport};
use crate::distribution::DistributionName;

/// Every version is named, with the branch it is in and the condition that keeps it back.
#[derive(Debug, Args)]
pub(super) struct ExplainArgs {
    /// The package
    package: String,
    #[command(flatten)]
    asked: AskedArgs,
    /// The distribution that is asked
    #[arg(long, value_name = "NAME", default_value = "default")]
    distribution: DistributionName,
}

pub(super) fn run(common: &Common, args: ExplainArgs) -> Result<ExitCode, CliError> {
    let request = ExplainRequest {
        query: args.asked.install_query()?,
        package: args.package,
        distribution: Some(args.distribution.to_string()),
    };
    let door = Door::open(common)?;
    common.print(&door.explain(&request)?, text)?;
    Ok(ExitCode::SUCCESS)
}

fn text(report: &ExplainReport) -> String {
    let ExplainReport {
        package,
        distribution,
        query,
        answer,
        versions,
    } = report;
    let answer = match answer.as_slice() {
        [] => "nothing".to_owned(),
        answer => answer.join(", "),
    };
    let asked = match query.as_str() {
        "" => "/search".to_owned(),
        query => format!("/search?{}", plain(query)),
    };
    let mut text = format!("{asked} of {distribution} answers with {answer} of {package}:\n");
    let longest = |length: fn(&ExplainedVersion) -> usize| {
        versions.iter().map(length).max().unwrap_or_default()
    };
    let version_width = longest(|it| it.version.len());
    let branch_width = longest(|it| it.branch.as_deref().unwrap_or("-").len());
    for version in versions {
        let branch = version.branch.as_deref().unwrap_or("-");
        text.push_str(&format!(
            "  {:<version_width$}  {branch:<branch_width$}  {}\n",
            version.version,
            standing(version)
        ));
    }
    text
}

fn standing(version: &ExplainedVersion) -> String {
    let standing = match version.standing {
        StandingReport::Answered => "answered".to_owned(),
        StandingReport::OtherCategory => "not of this category".to_owned(),
        StandingReport::Unmet => {
            let why: Vec<_> = version.unmet.iter().map(|it| plain(&it.why)).collect();
            why.join("; ")
        }
        StandingReport::Older => {
            let newer = version.newer.as_deref().unwrap_or_default();
            format!("{newer} is newer and fits too")
        }
        StandingReport::LessFinal => "a final version fits too".to_owned(),
        StandingReport::Held => plain(version.hold.as_deref().unwrap_or_default()),
        StandingReport::NotOffered => "not offered here".to_owned(),
    };
    match version.also_in.as_slice() {
        [] => standing,
        others if version.branch.is_none() => format!("{standing}: in {}", others.join(", ")),
        others => format!("{standing} (also in {})", others.join(", ")),
    }
}
