//! `airlock keys`: whose signatures are believed.

use std::fs::File;
use std::io::Read;
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use clap::{Args, Subcommand};
use serde::Serialize;

use super::door::Door;
use super::{CliError, Common, key_places, terminal};
use crate::admin::keys::{KeyAdded, KeyReport, KeyRequest};
use crate::admin::wording::counted;
use crate::crypto::openpgp::{Certificate, Fingerprint, KeyFile};
use crate::limits::Limits;

#[derive(Debug, Subcommand)]
pub(super) enum KeysCommand {
    /// Believe a key's signatures from now on
    Add(AddArgs),
    /// List the keys
    List,
    /// Believe a key's signatures no more
    Remove {
        /// Its fingerprint, or at least the last 8 digits
        fingerprint: String,
    },
}

#[derive(Debug, Args)]
pub(super) struct AddArgs {
    /// A file of OpenPGP public keys, armored or binary [default: where Kibana, rpm and apt keep Elastic's]
    file: Option<PathBuf>,
    /// Add the key with this fingerprint, and ask nothing
    #[arg(long, value_name = "HEX", conflicts_with = "yes")]
    fingerprint: Option<Fingerprint>,
    /// Add every key in the file, and ask nothing
    #[arg(long)]
    yes: bool,
}

/// What `keys add` came to.
#[derive(Debug, Serialize)]
struct Added {
    added: Vec<KeyAdded>,
    /// What else is in the file, and why it was not taken.
    refused: Vec<String>,
}

pub(super) fn run(common: &Common, command: KeysCommand) -> Result<ExitCode, CliError> {
    match command {
        KeysCommand::Add(args) => add(common, &args),
        KeysCommand::List => {
            let keys = Door::open(common)?.keys()?;
            common.print(&keys, |keys| match keys.as_slice() {
                [] => "There is no key yet; `airlock keys add` takes one.\n".to_owned(),
                keys => keys.iter().map(shown).collect(),
            })?;
            Ok(ExitCode::SUCCESS)
        }
        KeysCommand::Remove { fingerprint } => {
            // It becomes a part of a path.
            let end: String = fingerprint.split_whitespace().collect();
            let end = end.strip_prefix("0x").unwrap_or(&end);
            if end.len() < 8 || !end.bytes().all(|digit| digit.is_ascii_hexdigit()) {
                return Err(CliError::new(format!(
                    "{fingerprint:?} are not the last 8 digits of a fingerprint"
                ))
                .hint("`airlock keys list` shows the keys"));
            }
            let removed = Door::open(common)?.remove_key(end)?;
            common.print(&removed, |removed| {
                let fingerprint = grouped(&removed.key.fingerprint);
                format!("Removed {fingerprint}\n{}", judged(removed.judged_again))
            })?;
            Ok(ExitCode::SUCCESS)
        }
    }
}

fn add(common: &Common, args: &AddArgs) -> Result<ExitCode, CliError> {
    let path = match &args.file {
        Some(file) => file.clone(),
        None => key_places::find(Path::new("/")).ok_or_else(nowhere)?,
    };
    let file = KeyFile::read(&read(&path)?, &Limits::default());
    let shown_path = path.display();
    let refused: Vec<_> = file.refused.iter().map(ToString::to_string).collect();
    if file.certificates.is_empty() {
        let because = refused.first().map_or("it is empty", String::as_str);
        return Err(CliError::new(format!(
            "{shown_path} holds no key that can be believed: {because}"
        ))
        .hint("`gpg --armor --export NAME` writes a public key"));
    }
    let chosen: Vec<&Certificate> = match &args.fingerprint {
        None => file.certificates.iter().collect(),
        Some(named) => {
            let mut certificates = file.certificates.iter();
            let named = certificates.find(|key| key.fingerprint() == named);
            vec![named.ok_or_else(|| no_such(&path, &file.certificates))?]
        }
    };
    let must_ask = !args.yes && args.fingerprint.is_none();
    if must_ask && !terminal::is_interactive() {
        return Err(unasked(&path, &chosen));
    }
    if !common.json && !common.quiet {
        for why in &refused {
            super::print(&format!("Not taken from {shown_path}: {why}\n"))?;
        }
    }
    let door = Door::open(common)?;
    let mut added = Vec::new();
    for certificate in chosen {
        if must_ask && !is_confirmed(&path, certificate)? {
            eprintln!("Not added: these are not the last 8 digits of its fingerprint.");
            continue;
        }
        added.push(door.add_key(&KeyRequest {
            fingerprint: certificate.fingerprint().to_string(),
            key: certificate.to_armored(),
        })?);
    }
    let is_empty = added.is_empty();
    common.print(&Added { added, refused }, |all| {
        all.added.iter().map(added_text).collect()
    })?;
    Ok(if is_empty {
        ExitCode::FAILURE
    } else {
        ExitCode::SUCCESS
    })
}

fn read(path: &Path) -> Result<Vec<u8>, CliError> {
    let failed = |error: std::io::Error| {
        CliError::new(format!("cannot read {}", path.display()))
            .caused_by(&error)
            .hint("name a file of OpenPGP keys: `airlock keys add FILE`")
    };
    // One byte over the bound tells that there are more.
    let limit = Limits::default().key_file_bytes + 1;
    let mut bytes = Vec::new();
    File::open(path)
        .and_then(|file| file.take(limit).read_to_end(&mut bytes))
        .map_err(failed)?;
    Ok(bytes)
}

fn is_confirmed(path: &Path, certificate: &Certificate) -> Result<bool, CliError> {
    let key = shown(&KeyReport::new(certificate));
    eprint!(
        "{} holds\n{key}Compare the fingerprint with one from another source.\n",
        path.display()
    );
    let answer = terminal::ask("To believe its signatures, type the last 8 digits:")?;
    Ok(certificate.fingerprint().is_confirmed_by(&answer))
}

fn nowhere() -> CliError {
    let places: Vec<_> = key_places::places(Path::new("/"))
        .map(|place| format!("looked at {}", place.display()))
        .collect();
    CliError::new(format!(
        "no file was named, and Elastic's key is in none of its places: {}",
        places.join(", ")
    ))
    .hint("name the file: `airlock keys add FILE`")
}

fn no_such(path: &Path, certificates: &[Certificate]) -> CliError {
    let error = CliError::new(format!("{} does not hold this key", path.display()));
    certificates.iter().fold(error, |error, key| {
        error.hint(format!(
            "--fingerprint {} names one that it holds",
            key.fingerprint()
        ))
    })
}

fn unasked(path: &Path, chosen: &[&Certificate]) -> CliError {
    let error = CliError::new(format!(
        "nobody can be asked to confirm what {} holds",
        path.display()
    ))
    .hint("compare the fingerprint with one from another source, and name it with --fingerprint; --yes believes all");
    chosen.iter().fold(error, |error, key| {
        error.hint(format!("it holds --fingerprint {}", key.fingerprint()))
    })
}

fn added_text(added: &KeyAdded) -> String {
    let begin = if added.is_changed {
        "Added"
    } else {
        "Nothing changed: there is already"
    };
    let hint = if added.key.is_sha1_only {
        "Hint: all that this key says of itself is signed over SHA-1, as in old files of it; Kibana may refuse it. A newer file of the \
         same key, added by `airlock keys add`, completes it.\n"
    } else {
        ""
    };
    let judged = judged(added.judged_again);
    format!("{begin}\n{}{hint}{judged}", shown(&added.key))
}

fn judged(count: usize) -> String {
    match count {
        0 => String::new(),
        count => format!(
            "{} judged anew: `airlock signatures list`; `airlock quarantine retry --all` tries what was kept out.\n",
            counted(count as u64, "signature is", "signatures are")
        ),
    }
}

/// Returns what there is to say of a key, some lines.
fn shown(key: &KeyReport) -> String {
    let mut text = grouped(&key.fingerprint);
    if let Some(name) = &key.known_as {
        text.push_str(&format!("  ({name})"));
    }
    text.push('\n');
    for id in &key.user_ids {
        text.push_str(&format!("  {id}\n"));
    }
    let day = |time: &str| time.chars().take(10).collect::<String>();
    let end = match &key.expires {
        None => "does not expire".to_owned(),
        Some(time) if key.is_expired => format!("expired {}", day(time)),
        Some(time) => format!("expires {}", day(time)),
    };
    text.push_str(&format!("  made {}, {end}", day(&key.created)));
    if key.is_revoked {
        text.push_str(", REVOKED by its owner");
    }
    if let (Some(at), Some(who)) = (&key.added_at, &key.added_by) {
        text.push_str(&format!(", added {} by {who}", day(at)));
    }
    text.push('\n');
    text
}

/// Returns a fingerprint in groups of four digits.
fn grouped(fingerprint: &str) -> String {
    let parsed = fingerprint.parse::<Fingerprint>();
    parsed.map_or_else(
        |_| fingerprint.to_owned(),
        |fingerprint| fingerprint.grouped(),
    )
}
