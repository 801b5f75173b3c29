//! `airlock record`: what proves a change set, or what a distribution offered, signed with the appliance's own key; and that
//! key.

use std::path::PathBuf;
use std::process::ExitCode;

use clap::{Args, Subcommand};
use serde::Serialize;

use super::door::Door;
use super::{CliError, Common, print};
use crate::admin::offer_record::MomentRequest;
use crate::admin::record::SignedRecord;
use crate::admin::signer::SignerReport;
use crate::crypto::openpgp::verified_text;
use crate::distribution::DistributionName;

/// Prints Markdown, signed in clear with the key that `airlock signer` shows: `gpg --verify` checks it, and `airlock record
/// verify`.
#[derive(Debug, Args)]
#[command(args_conflicts_with_subcommands = true, subcommand_negates_reqs = true)]
pub(super) struct RecordArgs {
    #[command(subcommand)]
    command: Option<RecordCommand>,
    /// The change set
    #[arg(required_unless_present = "distribution")]
    number: Option<i64>,
    /// Tell what this distribution offered instead
    #[arg(long, value_name = "NAME", conflicts_with = "number", requires = "at")]
    distribution: Option<DistributionName>,
    /// When: a day, which stands for its end in UTC, or a time in RFC 3339
    #[arg(long, value_name = "TIME", requires = "distribution")]
    at: Option<String>,
}

#[derive(Debug, Subcommand)]
enum RecordCommand {
    /// Tell whether this appliance signed a record, and that nobody changed it since
    Verify {
        /// The record, as `airlock record` printed it
        file: PathBuf,
    },
}

/// What verifying came to, for `--json`.
#[derive(Debug, Serialize)]
struct Verified {
    signer: String,
    text: String,
}

pub(super) fn run(common: &Common, args: &RecordArgs) -> Result<ExitCode, CliError> {
    let door = Door::open(common)?;
    if let Some(RecordCommand::Verify { file }) = &args.command {
        let signed = std::fs::read_to_string(file).map_err(|error| {
            CliError::new(format!("cannot read {}", file.display())).caused_by(&error)
        })?;
        let signer = door.signer()?;
        let Some(text) = verified_text(&signed, &signer.public_key) else {
            return Err(CliError::new(format!(
                "{} is not what this appliance signed",
                file.display()
            ))
            .hint("`airlock signer` shows its key; a record of another appliance is checked there, or with `gpg --verify`"));
        };
        let verified = Verified {
            signer: signer.fingerprint,
            text,
        };
        common.print(&verified, |it| {
            format!(
                "{} is signed by {} and as it was.\n",
                file.display(),
                it.signer
            )
        })?;
        return Ok(ExitCode::SUCCESS);
    }
    match (&args.distribution, &args.at) {
        (Some(name), Some(at)) => {
            let moment = MomentRequest { at: at.clone() };
            print_record(common, &door.offer_record(name, &moment)?)?;
        }
        _ => print_record(common, &door.record(args.number.unwrap_or_default())?)?,
    }
    Ok(ExitCode::SUCCESS)
}

fn print_record<R: Serialize>(common: &Common, record: &SignedRecord<R>) -> Result<(), CliError> {
    if common.json {
        common.print(record, |_| String::new())
    } else {
        // The record is what was asked for: it is printed with `--quiet` too.
        print(&record.signed)
    }
}

/// Runs `airlock signer`.
pub(super) fn run_signer(common: &Common) -> Result<ExitCode, CliError> {
    let door = Door::open(common)?;
    common.print(&door.signer()?, |signer: &SignerReport| {
        format!("{}\n{}", signer.fingerprint, signer.public_key)
    })?;
    Ok(ExitCode::SUCCESS)
}
