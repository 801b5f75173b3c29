//! `airlock add`: a package of one's own, or a patched one.

use std::path::PathBuf;
use std::process::ExitCode;

use clap::Args;

use super::source::OpenSource;
use super::way::Way;
use super::{CliError, Common};
use crate::admin::addition::{Added, AdditionRequest};
use crate::distribution::DistributionName;

/// The package is checked as Kibana will check it when it installs it; all that is wrong is said at once, and then nothing is
/// stored. A signature beside it, NAME-VERSION.zip.sig, comes along.
#[derive(Debug, Args)]
pub(super) struct AddArgs {
    /// The package, NAME-VERSION.zip
    zip: PathBuf,
    /// The branch it goes to, which is made where it is missing
    #[arg(long, value_name = "BRANCH", default_value = "local")]
    to: DistributionName,
    /// Take a prerelease of a package that is published here, though Kibana does not see it unless it asks for prereleases
    #[arg(long)]
    prerelease: bool,
    /// Replace a version that is there with other content, where the branch allows it
    #[arg(long)]
    overwrite: bool,
    /// Show what would change, and change nothing
    #[arg(long)]
    dry_run: bool,
}

pub(super) fn run(common: &Common, args: &AddArgs) -> Result<ExitCode, CliError> {
    if args.zip.is_dir() {
        return Err(
            CliError::new(format!("{} is a folder, and no zip", args.zip.display())).hint(format!(
                "build the package as NAME-VERSION.zip, as `elastic-package build` does; `airlock import FOLDER --branch {}` takes \
                 folders, without these checks",
                args.to
            )),
        );
    }
    let mut files = vec![args.zip.clone()];
    let mut signature = args.zip.clone().into_os_string();
    signature.push(".sig");
    let signature = PathBuf::from(signature);
    if signature.is_file() {
        files.push(signature);
    }
    // Before the source: what reads it must have the rights that this leaves.
    let way = Way::find(common)?;
    let source = OpenSource::open(&files, None)?;
    let door = way.open()?;
    let name = args.zip.file_name().unwrap_or_default();
    let request = AdditionRequest {
        source_name: name.to_string_lossy().into_owned(),
        to: args.to.to_string(),
        prerelease: args.prerelease,
        overwrite: args.overwrite,
        is_dry: args.dry_run,
    };
    let added = door.add(&request, source.reader)?;
    common.print(&added, text)?;
    Ok(if added.findings.is_empty() && added.unseen.is_none() {
        ExitCode::SUCCESS
    } else {
        ExitCode::FAILURE
    })
}

fn text(added: &Added) -> String {
    let package = added.package.as_deref().unwrap_or("the package");
    let branch = &added.branch;
    let mut text = String::new();
    for finding in &added.findings {
        let key = finding.key.as_ref();
        let key = key.map_or_else(String::new, |key| format!(" {key}"));
        text.push_str(&format!("{}{key}: {}\n", finding.file, finding.why));
    }
    if let Some(unseen) = &added.unseen {
        let name = package.split(' ').next().unwrap_or_default();
        let free = &unseen.free;
        text.push_str(&format!(
            "{package} is a prerelease of a package that {} publishes: Kibana does not see it unless it asks for prereleases, and \
             it comes before the version it patches.\n\
             The next free version is {free}. Build the package as {name}-{free}.zip, then keep it there:\n  \
             airlock add {name}-{free}.zip\n  airlock hold default {name} --at {free}\n\
             Or take it as it is with --prerelease.\n",
            unseen.published_in
        ));
    }
    if !text.is_empty() {
        text.push_str(&format!("{package} is not taken; nothing is stored.\n"));
        return text;
    }
    match (added.change_set, &added.plan) {
        (Some(number), _) => format!("Change set {number}: {package} is in {branch}.\n"),
        (None, Some(plan)) if plan.added.is_empty() && plan.replaced.is_empty() => {
            format!("Nothing changed: {branch} has {package} already.\n")
        }
        (None, Some(plan)) if plan.is_new_branch => {
            format!("This would make branch {branch} and add {package} to it.\n")
        }
        (None, _) => format!("This would add {package} to {branch}.\n"),
    }
}
