//! Asking the person at the terminal, where there is one.

use std::io::{IsTerminal, Write};

use super::CliError;

/// Tells whether somebody can be asked: questions go to standard error, answers come from standard input.
pub(super) fn is_interactive() -> bool {
    std::io::stdin().is_terminal() && std::io::stderr().is_terminal()
}

/// Asks a question and returns the answer without white space at its ends; empty at the end of input.
pub(super) fn ask(question: &str) -> Result<String, CliError> {
    let failed =
        |error: std::io::Error| CliError::new("cannot ask on this terminal").caused_by(&error);
    eprint!("{question} ");
    std::io::stderr().flush().map_err(failed)?;
    let mut answer = String::new();
    std::io::stdin().read_line(&mut answer).map_err(failed)?;
    Ok(answer.trim().to_owned())
}

/// Asks for a yes; anything else is a no.
pub(super) fn confirm(question: &str) -> Result<bool, CliError> {
    let answer = ask(&format!("{question} [y/N]"))?;
    Ok(matches!(answer.to_ascii_lowercase().as_str(), "y" | "yes"))
}
