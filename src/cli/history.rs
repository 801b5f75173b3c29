//! `airlock history`: what was changed, by whom and why.

use std::process::ExitCode;

use clap::{Args, Subcommand};

use super::change_text::changes;
use super::door::Door;
use super::{CliError, Common, terminal};
use crate::admin::history::{ChangeSetReport, History};
use crate::admin::prune::{PruneRequest, Pruned};
use crate::admin::routes::HistoryRequest;
use crate::admin::wording::{counted, size};

#[derive(Debug, Args)]
#[command(args_conflicts_with_subcommands = true)]
pub(super) struct HistoryArgs {
    #[command(subcommand)]
    command: Option<HistoryCommand>,
    /// Show this change set whole
    #[arg(conflicts_with_all = ["all", "limit"])]
    number: Option<i64>,
    /// Name every package version that was added, replaced or removed
    #[arg(long)]
    all: bool,
    /// Show this many, the newest first
    #[arg(long, default_value_t = 20)]
    limit: u32,
}

#[derive(Debug, Subcommand)]
enum HistoryCommand {
    /// Let go of what branches gave up long ago, for `airlock gc` to free; what was there before is no longer served or gone
    /// back to
    Prune(PruneArgs),
}

#[derive(Debug, Args)]
struct PruneArgs {
    /// Keep all that was there right after this change set, and since
    #[arg(long, value_name = "N")]
    up_to: i64,
    /// Let go also of what some Kibana fetched lately
    #[arg(long)]
    also_fetched: bool,
    /// Count as in use what some Kibana fetched in the last DAYS days [default: 400]
    #[arg(long, value_name = "DAYS", conflicts_with = "also_fetched")]
    keep_fetched: Option<u16>,
    /// Show what would go, and change nothing
    #[arg(long)]
    dry_run: bool,
    /// Do it without a question
    #[arg(long)]
    yes: bool,
}

pub(super) fn run(common: &Common, args: &HistoryArgs) -> Result<ExitCode, CliError> {
    let door = Door::open(common)?;
    if let Some(HistoryCommand::Prune(args)) = &args.command {
        return prune(common, &door, args);
    }
    match args.number {
        Some(number) => common.print(&door.change_set(number)?, shown)?,
        None => {
            let request = HistoryRequest {
                limit: args.limit,
                packages: args.all,
            };
            common.print(&door.history(&request)?, list)?;
        }
    }
    Ok(ExitCode::SUCCESS)
}

fn prune(common: &Common, door: &Door, args: &PruneArgs) -> Result<ExitCode, CliError> {
    let mut request = PruneRequest {
        up_to: args.up_to,
        also_fetched: args.also_fetched,
        keep_fetched_days: args.keep_fetched,
        is_dry: true,
    };
    if args.dry_run {
        common.print(&door.prune(&request)?, pruned)?;
        return Ok(ExitCode::SUCCESS);
    }
    if !args.yes && terminal::is_interactive() {
        let would = door.prune(&request)?;
        eprint!("{}", pruned(&would));
        if would.versions > 0 && !terminal::confirm("Let go of it for good?")? {
            eprintln!("Nothing changed.");
            return Ok(ExitCode::SUCCESS);
        }
    }
    request.is_dry = false;
    common.print(&door.prune(&request)?, pruned)?;
    Ok(ExitCode::SUCCESS)
}

fn pruned(pruned: &Pruned) -> String {
    let versions = counted(pruned.versions as u64, "version", "versions");
    let zips = counted(pruned.artifacts, "zip", "zips");
    let bytes = size(pruned.bytes);
    let what =
        format!("{versions} that branches gave up, {zips} that nothing else keeps ({bytes})");
    let mut text = match pruned.change_set {
        Some(number) => {
            format!("Change set {number}: let go of {what}; `airlock gc` frees the space\n")
        }
        None if pruned.versions == 0 => "There is nothing to prune.\n".to_owned(),
        None => format!("This would go: {what}\n"),
    };
    if !pruned.fetched.is_empty() {
        text.push_str(&format!(
            "Fetched by some Kibana in the last {} days, and kept unless --also-fetched:\n",
            pruned.keep_fetched_days
        ));
        let lines = pruned.fetched.iter().map(|it| format!("  {it}\n"));
        text.extend(lines);
    }
    text
}

fn list(history: &History) -> String {
    if history.change_sets.is_empty() && history.older == 0 {
        return "Nothing was changed yet; `airlock import` makes the first change set.\n"
            .to_owned();
    }
    let mut text: String = history.change_sets.iter().map(shown).collect();
    if history.older > 0 {
        let older = counted(history.older, "older change set", "older change sets");
        text.push_str(&format!("{older}: `airlock history --limit` shows more\n"));
    }
    text
}

fn shown(change_set: &ChangeSetReport) -> String {
    let mut text = format!(
        "{}  {}  {}  {}",
        change_set.number, change_set.at, change_set.who, change_set.action
    );
    if let Some(source) = &change_set.source {
        text.push_str(&format!(" from {source}"));
    }
    if let Some(why) = &change_set.why {
        text.push_str(&format!(": {why}"));
    }
    if change_set.is_pruned {
        text.push_str(" (pruned)");
    }
    text.push('\n');
    text.push_str(&changes(&change_set.changes));
    text
}
