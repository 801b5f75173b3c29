//! `airlock import`: stage, plan, commit, with a question between the last two where somebody can be asked.

use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::sync::mpsc::channel;

use clap::Args;
use serde::Serialize;

use super::door::Door;
use super::progress::Display;
use super::source::OpenSource;
use super::way::Way;
use super::{CliError, Common, exit, plan_text, print, terminal};
use crate::admin::jobs::JobId;
use crate::admin::operations::{KnownSource, StagedReport};
use crate::admin::routes::{CommitRequest, ConsentRequest, ImportRequest, TargetRequest};
use crate::admin::wording::size;
use crate::distribution::{DistributionName, SignaturePolicy, release_of};
use crate::import::{Committed, PlanReport};

#[derive(Debug, Args)]
pub(super) struct ImportArgs {
    /// The package-storage archive (.tar, .tar.gz, .tar.zst, .tar.xz, .zip), a container image that was saved to a file or
    /// folder, packages as zips, a folder of any of them, or - for standard input
    ///
    /// Several, all called NAME-VERSION.zip or NAME-VERSION.zip.sig, are the zips of packages. Several others are the
    /// pieces of one file in their order, as `split` made them: `airlock import image.tar.*`.
    #[arg(required = true, value_name = "SOURCE")]
    sources: Vec<PathBuf>,
    /// Make this release of it, whatever the source says it is
    #[arg(long, value_name = "VERSION", conflicts_with = "branch")]
    release: Option<String>,
    /// Add it to this branch
    #[arg(long, value_name = "NAME")]
    branch: Option<String>,
    /// Take this one of the container images in the file, by its name, the end of its name or its tag
    #[arg(long, value_name = "NAME:TAG")]
    image: Option<String>,
    /// What becomes of packages without a good signature, in this branch from now on: require (they go to quarantine),
    /// verify (they are taken, and it is said) or off [default: as the branch has it; verify]
    #[arg(long, value_name = "POLICY")]
    signatures: Option<SignaturePolicy>,
    /// Replace versions that are there with other content, where the branch allows it
    #[arg(long)]
    overwrite: bool,
    /// Commit without asking
    #[arg(long, short)]
    yes: bool,
    /// Stop before the commit and keep the plan
    #[arg(long, conflicts_with_all = ["yes", "dry_run"])]
    stage: bool,
    /// Show what would change, and change nothing
    #[arg(long, conflicts_with = "yes")]
    dry_run: bool,
}

/// What an import came to, for `--json`.
#[derive(Debug, Serialize)]
#[serde(tag = "outcome", rename_all = "kebab-case")]
enum Outcome {
    Known { branch: String },
    Planned { plan: PlanReport },
    Dropped { plan: PlanReport },
    Committed { plan: PlanReport, commit: Committed },
}

pub(super) fn run(common: &Common, args: ImportArgs) -> Result<ExitCode, CliError> {
    // A question without the plan above it would be no question.
    let may_ask = terminal::is_interactive()
        && !args.yes
        && !common.json
        && !common.quiet
        && args.sources != [Path::new("-")];
    // Before the source: what reads it must have the rights that this leaves. A source that is none makes no store.
    let way = Way::find(common)?;
    let source = OpenSource::open(&args.sources, args.image.as_deref())?;
    let door = way.open()?;
    if let Some(branch) = known(&door, &source, &args)? {
        common.print(
            &Outcome::Known {
                branch: branch.clone(),
            },
            |_| {
                format!(
                    "Nothing changed: {branch} has all of {} already.\n",
                    source.name
                )
            },
        )?;
        return Ok(ExitCode::SUCCESS);
    }
    let staged = stage(common, &door, source, &args, may_ask)?;
    let settled =
        plan(&door, &args, &staged).and_then(|plan| settle(common, &door, &args, plan, may_ask));
    settled.map_err(|error| {
        if error.leaves_plan() {
            return error.plan_waits(staged.plan);
        }
        // What was not planned or not committed is of no use to anybody: importing it again is quick.
        let _ = door.drop_plan(staged.plan);
        error
    })
}

/// Returns the branch that took all of this source before, if it is where the source is to go and nothing else is asked of it.
fn known(door: &Door, source: &OpenSource, args: &ImportArgs) -> Result<Option<String>, CliError> {
    let Some(bytes) = source.bytes else {
        return Ok(None);
    };
    let KnownSource { has_size: true, .. } = door.known_source(bytes, None)? else {
        return Ok(None);
    };
    let Some(digest) = source.digest()? else {
        return Ok(None);
    };
    let branches = door.known_source(bytes, Some(digest))?.branches;
    let wanted = args.release.as_ref().or(args.branch.as_ref());
    for branch in branches {
        if wanted.is_none_or(|wanted| is_edition(&branch, wanted))
            && has_policy(door, &branch, args.signatures)?
        {
            return Ok(Some(branch));
        }
    }
    Ok(None)
}

/// Tells whether a branch has the policy wanted.
fn has_policy(
    door: &Door,
    branch: &str,
    wanted: Option<SignaturePolicy>,
) -> Result<bool, CliError> {
    let (Some(wanted), Ok(name)) = (wanted, DistributionName::parse(branch)) else {
        return Ok(true);
    };
    let branches = door.signatures(Some(&name))?;
    Ok(branches.iter().all(|branch| branch.policy == wanted))
}

/// Tells whether a branch is the one wanted, or an edition of the release wanted.
fn is_edition(branch: &str, wanted: &str) -> bool {
    let name = DistributionName::parse(branch);
    branch == wanted || name.is_ok_and(|name| release_of(&name) == wanted)
}

fn stage(
    common: &Common,
    door: &Door,
    source: OpenSource,
    args: &ImportArgs,
    may_ask: bool,
) -> Result<StagedReport, CliError> {
    let display = Display::new(common.quiet || common.json, source.bytes);
    let request = ImportRequest {
        source_name: source.name,
        release: args.release.clone(),
        branch: args.branch.clone(),
        may_ask,
        signatures: args.signatures,
        image: args.image.clone(),
        source_bytes: source.bytes,
        job: JobId::random().to_string(),
    };
    let watch = door.watch(&request.job);
    let reader = source.reader;
    let outcome = std::thread::scope(|scope| {
        let (sender, done) = channel();
        let watch = &watch;
        scope.spawn(move || sender.send(door.stage(request, reader, watch)));
        display.follow(watch, &done)
    });
    let staged = outcome.ok_or_else(|| CliError::new("the import ended without a word"))??;
    if staged.copied_bytes > 0 && !common.quiet && !common.json {
        eprintln!(
            "{} were copied to the data folder first: the layers come before what says their order. A file that is not \
             compressed is read where it lies.",
            size(staged.copied_bytes)
        );
    }
    Ok(staged)
}

/// Returns the plan of what was staged, after asking where it belongs if nobody has said so.
fn plan(door: &Door, args: &ImportArgs, staged: &StagedReport) -> Result<PlanReport, CliError> {
    if !staged.has_target {
        let answer = match &staged.proposal {
            Some(proposal) => {
                let answer =
                    terminal::ask(&format!("Which release or branch is this? [{proposal}]"))?;
                if answer.is_empty() {
                    proposal.clone()
                } else {
                    answer
                }
            }
            None => terminal::ask(
                "Which release is this (such as 8.5.0), or which branch (such as production)?",
            )?,
        };
        door.set_target(staged.plan, &target_called(answer))?;
    }
    Ok(door.plan(staged.plan, consent(args))?)
}

/// Returns what an answer means: a release where releases are named so, else a branch.
fn target_called(answer: String) -> TargetRequest {
    let name = DistributionName::parse(&answer);
    let is_release = name.is_ok_and(|name| name.is_of_a_release());
    let (release, branch) = if is_release {
        (Some(answer), None)
    } else {
        (None, Some(answer))
    };
    TargetRequest { release, branch }
}

fn consent(args: &ImportArgs) -> ConsentRequest {
    ConsentRequest {
        overwrite: args.overwrite,
    }
}

fn settle(
    common: &Common,
    door: &Door,
    args: &ImportArgs,
    plan: PlanReport,
    may_ask: bool,
) -> Result<ExitCode, CliError> {
    if args.stage {
        common.print(&Outcome::Planned { plan: plan.clone() }, |_| {
            let number = plan.plan;
            format!(
                "{}Commit it with `airlock plans commit {number}`.\n",
                plan_text::plan(&plan, false)
            )
        })?;
        return Ok(exit::of_plan(&plan));
    }
    if args.dry_run {
        door.drop_plan(plan.plan)?;
        common.print(&Outcome::Dropped { plan: plan.clone() }, |_| {
            plan_text::plan(&plan, false)
        })?;
        return Ok(exit::of_plan(&plan));
    }
    let changes = plan.added.len() + plan.replaced.len();
    if !common.json && !common.quiet {
        print(&plan_text::plan(&plan, false))?;
    }
    // Who imports it may not commit it: nothing is asked that nobody answers.
    let may_ask = may_ask && plan.approving.is_empty();
    if may_ask && changes > 0 && !terminal::confirm("Commit?")? {
        door.drop_plan(plan.plan)?;
        common.print(&Outcome::Dropped { plan }, |_| {
            "Dropped; nothing changed.\n".to_owned()
        })?;
        return Ok(ExitCode::FAILURE);
    }
    let commit = CommitRequest {
        overwrite: args.overwrite,
        digest: None,
    };
    let commit = door.commit(plan.plan, &commit)?;
    common.print(
        &Outcome::Committed {
            plan,
            commit: commit.clone(),
        },
        |_| plan_text::committed(&commit),
    )?;
    Ok(exit::of_commit(&commit))
}
