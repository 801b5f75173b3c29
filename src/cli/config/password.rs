//! `airlock config password`: a line of the users' file, from a password that nobody sees.

use std::process::ExitCode;

use serde::Serialize;

use crate::cli::{CliError, Common, typed};
use crate::crypto::password::PasswordHash;
use crate::people::is_user_name;

/// Bytes of a password.
const MOST_BYTES: usize = 256;

#[derive(Debug, Serialize)]
struct Line {
    line: String,
}

pub(super) fn run(common: &Common, user: String) -> Result<ExitCode, CliError> {
    if !is_user_name(&user) {
        return Err(CliError::new(format!("{user:?} cannot be a user's name"))
            .hint("a name has up to 128 letters, digits and signs, no colon and no space"));
    }
    let password = typed::password("config password USER")?;
    if password.is_empty() || password.len() > MOST_BYTES {
        return Err(CliError::new(format!(
            "a password has 1 to {MOST_BYTES} bytes"
        ))
        .hint("`airlock config password USER` reads it from the terminal, or the first line of standard input"));
    }
    let hash = PasswordHash::make(password.as_bytes());
    let line = Line {
        line: format!("{user}:{hash}"),
    };
    common.print(&line, |line| format!("{}\n", line.line))?;
    Ok(ExitCode::SUCCESS)
}
