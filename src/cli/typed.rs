//! Passwords as they are given: typed twice and not shown, on the first line of standard input, or in a file. Never as an
//! argument, which every user of the host can read.

use std::fs::File;
use std::io::{BufRead, BufReader, IsTerminal, Write};
use std::path::Path;

use rustix::termios::{LocalModes, OptionalActions, tcgetattr, tcsetattr};

use super::CliError;

/// Bytes of a line that are read: beyond what a password may have.
const MOST_BYTES: u64 = 2048;

/// Returns the first line of standard input; on a terminal it is asked for twice and not shown. `command` is what is to be run
/// again where the two differ.
pub(super) fn password(command: &str) -> Result<String, CliError> {
    if !std::io::stdin().is_terminal() {
        return first_line(std::io::stdin().lock());
    }
    let first = ask("Password:")?;
    if first != ask("Once more:")? {
        return Err(CliError::new("the two are not the same")
            .hint(format!("run `airlock {command}` again")));
    }
    Ok(first)
}

/// Returns the first line of a file.
pub(super) fn password_in(path: &Path) -> Result<String, CliError> {
    let failed = |error: std::io::Error| {
        CliError::new(format!("cannot read {}", path.display()))
            .caused_by(&error)
            .hint("--password-file names a file whose first line is the password")
    };
    let file = File::open(path).map_err(failed)?;
    first_line(BufReader::new(file))
}

fn ask(question: &str) -> Result<String, CliError> {
    let _silent = Silent::begin()?;
    eprint!("{question} ");
    // Whether it was shown or not, the answer is read.
    let _ = std::io::stderr().flush();
    let answer = first_line(std::io::stdin().lock());
    eprintln!();
    answer
}

fn first_line(source: impl BufRead) -> Result<String, CliError> {
    let mut line = String::new();
    source
        .take(MOST_BYTES)
        .read_line(&mut line)
        .map_err(|error| CliError::new("cannot read the password").caused_by(&error))?;
    // Editors that begin a file with a mark of its encoding show it to nobody.
    let line = line.strip_prefix('\u{feff}').unwrap_or(&line);
    let line = line.strip_suffix('\n').unwrap_or(line);
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_password_is_the_line_without_its_end_and_without_a_byte_order_mark() {
        for (text, expected) in [
            ("lighthouse", "lighthouse"),
            ("lighthouse\r\nother\n", "lighthouse"),
            ("\u{feff}light house \n", "light house "),
            ("light\u{feff}house\n", "light\u{feff}house"),
        ] {
            assert_eq!(first_line(text.as_bytes()).unwrap(), expected);
        }
    }
}
