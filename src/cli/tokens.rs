//! `airlock tokens`: what programs act by.

use std::process::ExitCode;

use clap::{Args, Subcommand};

use super::door::Door;
use super::plain::plain;
use super::users::role_parser;
use super::{CliError, Common, print, table};
use crate::admin::tokens::{TokenReport, TokenRequest};
use crate::people::Role;

#[derive(Debug, Subcommand)]
pub(super) enum TokensCommand {
    /// Make a token, and print it once
    Add(AddArgs),
    /// List the tokens, without their secrets
    List,
    /// Remove a token: what is asked for by it is refused from then on
    Remove {
        /// Its number
        number: i64,
    },
}

#[derive(Debug, Args)]
pub(super) struct AddArgs {
    /// What you call it
    name: String,
    /// What it may, at most what you may: viewer, publisher, approver or admin
    #[arg(long, value_parser = role_parser())]
    role: Role,
    /// For how many days it is good, at most 365
    #[arg(long)]
    days: u16,
}

pub(super) fn run(common: &Common, command: TokensCommand) -> Result<ExitCode, CliError> {
    let door = Door::open(common)?;
    match command {
        TokensCommand::Add(AddArgs { name, role, days }) => {
            let made = door.make_token(&TokenRequest { name, role, days })?;
            if common.quiet && !common.json {
                // It is what was asked for, and nobody can print it again.
                print(&format!("{}\n", made.secret))?;
                return Ok(ExitCode::SUCCESS);
            }
            common.print(&made, |made| {
                let token = &made.token;
                format!(
                    "{}\n\nThis is token {}, {}, {} until {}. Nobody can show it again: keep it now.\n",
                    made.secret,
                    token.number,
                    plain(&token.name),
                    token.role,
                    token.expires_at
                )
            })?;
        }
        TokensCommand::List => common.print(&door.tokens()?, |tokens| list(tokens))?,
        TokensCommand::Remove { number } => {
            let removed = door.remove_token(number)?;
            common.print(&removed, |removed| {
                let (name, owner) = (plain(&removed.name), plain(&removed.owner));
                format!("Removed token {}, {name} of {owner}\n", removed.number)
            })?;
        }
    }
    Ok(ExitCode::SUCCESS)
}

fn list(tokens: &[TokenReport]) -> String {
    if tokens.is_empty() {
        return "There is no token; `airlock tokens add NAME --role viewer --days 90` makes one.\n"
            .to_owned();
    }
    let row = |token: &TokenReport| {
        let end = match token.is_expired {
            true => format!("EXPIRED {}", token.expires_at),
            false => format!("until {}", token.expires_at),
        };
        let used = match &token.last_used_at {
            Some(at) => format!("last used {at}"),
            None => "never used".to_owned(),
        };
        [
            token.number.to_string(),
            token.name.clone(),
            token.role.to_string(),
            format!("of {}", token.owner),
            format!("{end}, {used}"),
        ]
    };
    table::rows(tokens.iter().map(row))
}
