//! `airlock history`: what was changed, by whom and why.

use std::process::ExitCode;

use clap::Args;

use super::change_text::changes;
use super::door::Door;
use super::numbers::counted;
use super::{CliError, Common};
use crate::admin::history::{ChangeSetReport, History};
use crate::admin::routes::HistoryRequest;

#[derive(Debug, Args)]
pub(super) struct HistoryArgs {
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

pub(super) fn run(common: &Common, args: &HistoryArgs) -> Result<ExitCode, CliError> {
    let door = Door::open(&common.data_folder()?)?;
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
    text.push('\n');
    text.push_str(&changes(&change_set.changes));
    text
}
