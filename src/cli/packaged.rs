//! What a package of airlock holds beside the program and the program makes itself: completions, man pages, and the licences
//! of all that was built into it.

use std::path::PathBuf;
use std::process::ExitCode;

use clap::{Args, CommandFactory};
use clap_complete::Shell;
use serde::{Deserialize, Serialize};

use super::{Cli, CliError, Common, print};

/// Made by `packaging/licences`; `.ci/run` fails where it is older than `Cargo.lock`.
const THIRD_PARTY: &str = include_str!("../../packaging/third-party.json");

#[derive(Debug, Args)]
pub(super) struct CompletionsArgs {
    /// bash, zsh, fish, elvish or powershell
    shell: Shell,
}

#[derive(Debug, Args)]
pub(super) struct ManArgs {
    /// Write the pages into this folder
    folder: PathBuf,
}

#[derive(Serialize, Deserialize)]
struct ThirdParty {
    components: Vec<Component>,
    /// Each text once; several components have the same.
    texts: Vec<String>,
}

#[derive(Serialize, Deserialize)]
struct Component {
    name: String,
    version: String,
    licence: String,
    source: String,
    /// Which of the texts are its own.
    texts: Vec<usize>,
}

/// Prints the completions of a shell.
pub(super) fn completions(args: &CompletionsArgs) -> Result<ExitCode, CliError> {
    let mut script = Vec::new();
    clap_complete::generate(args.shell, &mut Cli::command(), "airlock", &mut script);
    print(&String::from_utf8_lossy(&script))?;
    Ok(ExitCode::SUCCESS)
}

/// Writes a man page for each command.
pub(super) fn man(args: &ManArgs) -> Result<ExitCode, CliError> {
    clap_mangen::generate_to(Cli::command(), &args.folder).map_err(|error| {
        CliError::new(format!("cannot write to {}", args.folder.display()))
            .caused_by(&error)
            .hint("name a folder that is there: `airlock man FOLDER`")
    })?;
    Ok(ExitCode::SUCCESS)
}

/// Prints the licences of what was built into the program.
pub(super) fn licences(common: &Common) -> Result<ExitCode, CliError> {
    let third_party: ThirdParty = serde_json::from_str(THIRD_PARTY)
        .map_err(|error| CliError::new("the licences cannot be read").caused_by(&error))?;
    common.print(&third_party, text)?;
    Ok(ExitCode::SUCCESS)
}

fn text(third_party: &ThirdParty) -> String {
    let mut text = format!(
        "airlock {}, Apache-2.0. Built into it are:\n\n",
        env!("CARGO_PKG_VERSION")
    );
    let named = |component: &Component| format!("{} {}", component.name, component.version);
    let width = third_party.components.iter().map(|it| named(it).len());
    let width = width.max().unwrap_or_default();
    for component in &third_party.components {
        let line = format!("{:width$}  {}\n", named(component), component.licence);
        text.push_str(&line);
    }
    for (number, licence) in third_party.texts.iter().enumerate() {
        let of = third_party.components.iter();
        let of = of.filter(|it| it.texts.contains(&number)).map(named);
        let of = of.collect::<Vec<_>>().join(", ");
        text.push_str(&format!("\n{}\n{of}\n\n{licence}\n", "-".repeat(72)));
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_component_has_a_text_that_is_there() {
        let third_party: ThirdParty = serde_json::from_str(THIRD_PARTY).unwrap();
        for component in &third_party.components {
            assert!(!component.texts.is_empty(), "{}", component.name);
            for text in &component.texts {
                assert!(third_party.texts.len() > *text, "{}", component.name);
            }
        }
        for bundled in [
            "SQLite",
            "Zstandard",
            "XZ Utils",
            "libdeflate",
            "GNU C Library",
        ] {
            let is_there = third_party.components.iter().any(|it| it.name == bundled);
            assert!(is_there, "{bundled}");
        }
    }
}
