//! `airlock config password`: a line of the users' file, from a password that nobody sees.

use std::io::{BufRead, IsTerminal, Write};
use std::process::ExitCode;

use rustix::termios::{LocalModes, OptionalActions, tcgetattr, tcsetattr};
use serde::Serialize;

use crate::cli::{CliError, Common};
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
    let password = read()?;
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

/// Returns the first line of standard input; on a terminal it is asked for twice and not shown.
fn read() -> Result<String, CliError> {
    if !std::io::stdin().is_terminal() {
        return read_line();
    }
    let first = ask("Password:")?;
    if first != ask("Once more:")? {
        return Err(
            CliError::new("the two are not the same").hint("run `airlock config password` again")
        );
    }
    Ok(first)
}

fn ask(question: &str) -> Result<String, CliError> {
    let _silent = Silent::begin()?;
    eprint!("{question} ");
    // Whether it was shown or not, the answer is read.
    let _ = std::io::stderr().flush();
    let answer = read_line();
    eprintln!();
    answer
}

fn read_line() -> Result<String, CliError> {
    let mut line = String::new();
    let mut bounded = std::io::Read::take(std::io::stdin().lock(), 2 * MOST_BYTES as u64);
    bounded
        .read_line(&mut line)
        .map_err(|error| CliError::new("cannot read the password").caused_by(&error))?;
    let line = line.strip_suffix('\n').unwrap_or(&line);
    Ok(line.strip_suffix('\r').unwrap_or(line).to_owned())
}

/// A terminal that shows nothing of what is typed, until this is dropped.
struct Silent {
    before: rustix::termios::Termios,
}

impl Silent {
    fn begin() -> Result<Self, CliError> {
        let failed = |error: rustix::io::Errno| {
            CliError::new("cannot hide what is typed on this terminal").caused_by(&error)
        };
        let before = tcgetattr(std::io::stdin()).map_err(failed)?;
        let mut silent = before.clone();
        silent.local_modes.remove(LocalModes::ECHO);
        tcsetattr(std::io::stdin(), OptionalActions::Flush, &silent).map_err(failed)?;
        Ok(Self { before })
    }
}

impl Drop for Silent {
    fn drop(&mut self) {
        // A terminal that has gone needs it no more.
        let _ = tcsetattr(std::io::stdin(), OptionalActions::Now, &self.before);
    }
}
