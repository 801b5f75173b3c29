//! `airlock audit`: who did what and what was refused, and whether the log still says what it said.

use std::fs::File;
use std::io::{BufRead, BufReader, Read};
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use clap::{Args, Subcommand};

use super::door::Door;
use super::{CliError, Common, print, table};
use crate::admin::audit::{self, AuditRequest, EntryReport, Verification, VerificationRequest};
use crate::admin::wording::counted;
use crate::store::audit::Head;

/// Bytes of a line of an export: an entry at its largest, with every character escaped.
const MOST_LINE_BYTES: u64 = 256 * 1024;

#[derive(Debug, Subcommand)]
pub(super) enum AuditCommand {
    /// List the last entries, the newest first
    List(ListArgs),
    /// Tell whether every entry is what it was: computes all digests again
    Verify(VerifyArgs),
    /// Print all entries, a line of JSON each, the oldest first
    Export,
}

#[derive(Debug, Args)]
pub(super) struct ListArgs {
    /// How many, at most 500
    #[arg(long, default_value_t = 20)]
    limit: u32,
    /// Those before this one
    #[arg(long, value_name = "NUMBER")]
    before: Option<i64>,
}

#[derive(Debug, Args)]
pub(super) struct VerifyArgs {
    /// An entry that was written down elsewhere, as in the log of the service or in what this printed before
    #[arg(long, value_name = "NUMBER:DIGEST")]
    head: Option<Head>,
    /// Look at what `airlock audit export` printed, without a store
    #[arg(long, value_name = "FILE")]
    file: Option<PathBuf>,
}

pub(super) fn run(common: &Common, command: AuditCommand) -> Result<ExitCode, CliError> {
    match command {
        AuditCommand::List(args) => {
            let request = AuditRequest {
                before: args.before,
                limit: Some(args.limit),
                after: None,
            };
            let entries = Door::open(common)?.audit(request)?;
            common.print(&entries, |entries| list(entries))?;
            Ok(ExitCode::SUCCESS)
        }
        AuditCommand::Verify(args) => verify(common, &args),
        AuditCommand::Export => export(common),
    }
}

fn verify(common: &Common, args: &VerifyArgs) -> Result<ExitCode, CliError> {
    let request = VerificationRequest {
        head: args.head.map(|head| head.to_string()),
    };
    let found = match &args.file {
        Some(path) => verify_file(path, &request)?,
        None => Door::open(common)?.verify_audit(&request)?,
    };
    common.print(&found, text)?;
    Ok(if found.is_whole {
        ExitCode::SUCCESS
    } else {
        ExitCode::FAILURE
    })
}

fn verify_file(path: &Path, request: &VerificationRequest) -> Result<Verification, CliError> {
    let failed = |error: std::io::Error| {
        CliError::new(format!("cannot read {}", path.display()))
            .caused_by(&error)
            .hint("`airlock audit export` prints such a file")
    };
    let mut file = BufReader::new(File::open(path).map_err(failed)?);
    let lines = std::iter::from_fn(|| {
        let mut line = Vec::new();
        // A line that is longer is cut, and no entry any more.
        match (&mut file)
            .take(MOST_LINE_BYTES)
            .read_until(b'\n', &mut line)
        {
            Ok(0) => None,
            Ok(_) => Some(Ok(String::from_utf8_lossy(&line).into_owned())),
            Err(error) => Some(Err(error)),
        }
    });
    let found = audit::verify_export(lines, request)?;
    found.map_err(failed)
}

fn export(common: &Common) -> Result<ExitCode, CliError> {
    let door = Door::open(common)?;
    let mut after = 0;
    loop {
        let request = AuditRequest {
            after: Some(after),
            ..AuditRequest::default()
        };
        let entries = door.audit(request)?;
        let Some(last) = entries.last() else {
            return Ok(ExitCode::SUCCESS);
        };
        after = last.number;
        let mut lines = String::new();
        for entry in &entries {
            let line = serde_json::to_string(entry);
            lines.push_str(&line.map_err(|error| CliError::new(error.to_string()))?);
            lines.push('\n');
        }
        // It is what was asked for: it is printed with `--quiet` too.
        print(&lines)?;
    }
}

fn text(found: &Verification) -> String {
    let entries = counted(found.entries.unsigned_abs(), "entry", "entries");
    match (&found.problem, &found.head) {
        (Some(problem), _) => {
            format!("NOT WHOLE: {problem}\n{entries} before that follow one another\n")
        }
        (None, None) => "There is no entry yet\n".to_owned(),
        (None, Some(head)) => format!(
            "Whole: {entries}, each follows the one before it\n\nThe last is {head}. Write it down elsewhere: `airlock audit verify --head` \
             tells by it whether the log was changed since.\n"
        ),
    }
}

fn list(entries: &[EntryReport]) -> String {
    if entries.is_empty() {
        return "There is no entry\n".to_owned();
    }
    let row = |entry: &EntryReport| {
        let who = match (entry.who.as_str(), entry.from.as_str()) {
            ("", "") => "-".to_owned(),
            ("", from) => format!("? ({from})"),
            (who, from) => format!("{who} ({from})"),
        };
        let what = match entry.outcome.as_str() {
            "done" => entry.action.clone(),
            outcome => format!("{}: {outcome}", entry.action),
        };
        let detail = match entry.detail.as_str() {
            "{}" => entry.subject.clone(),
            detail => format!("{} {detail}", entry.subject),
        };
        [
            entry.number.to_string(),
            entry.at.clone(),
            who,
            what,
            detail.trim().to_owned(),
        ]
    };
    table::rows(entries.iter().map(row))
}
