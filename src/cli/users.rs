//! `airlock users`: the people who may use the admin side.

use std::path::PathBuf;
use std::process::ExitCode;

use clap::{Args, Subcommand, builder::ValueParser};

use super::door::Door;
use super::plain::plain;
use super::{CliError, Common, table, typed};
use crate::admin::password::Password;
use crate::admin::users::{PasswordRequest, UserChanged, UserReport, UserRequest};
use crate::admin::wording::counted;
use crate::people::Role;

#[derive(Debug, Subcommand)]
pub(super) enum UsersCommand {
    /// Let somebody use the admin side
    Add(AddArgs),
    /// List who may, and when they were here last
    List,
    /// Give somebody another role
    Role {
        /// Their name
        name: String,
        /// The role: viewer, publisher, approver or admin
        #[arg(value_parser = role_parser())]
        role: Role,
    },
    /// Take somebody out, with sessions and tokens
    Remove {
        /// Their name
        name: String,
    },
    /// Let somebody log in again who failed too often
    Unlock {
        /// Their name
        name: String,
    },
    /// Give somebody another password, and end their sessions
    Reset(ResetArgs),
}

#[derive(Debug, Args)]
pub(super) struct AddArgs {
    /// Their name
    name: String,
    /// What they may: viewer, publisher, approver or admin
    #[arg(long, value_parser = role_parser())]
    role: Role,
    /// A file whose first line is the password [default: it is typed, or read from standard input]
    #[arg(long, value_name = "FILE")]
    password_file: Option<PathBuf>,
    /// Without a password: a proxy that is trusted says who they are
    #[arg(long, conflicts_with = "password_file")]
    no_password: bool,
}

#[derive(Debug, Args)]
pub(super) struct ResetArgs {
    /// Their name
    name: String,
    /// A file whose first line is the password [default: it is typed, or read from standard input]
    #[arg(long, value_name = "FILE")]
    password_file: Option<PathBuf>,
}

/// Returns what reads a role.
pub(super) fn role_parser() -> ValueParser {
    ValueParser::new(|text: &str| text.parse::<Role>())
}

pub(super) fn run(common: &Common, command: UsersCommand) -> Result<ExitCode, CliError> {
    match command {
        UsersCommand::Add(args) => add(common, args)?,
        UsersCommand::List => common.print(&Door::open(common)?.users()?, |users| list(users))?,
        UsersCommand::Role { name, role } => {
            let changed = Door::open(common)?.set_role(&name, role)?;
            common.print(&changed, |changed| {
                let (name, role) = (plain(&changed.user.name), changed.user.role);
                match changed.is_changed {
                    true => format!("{name} is {role} now\n"),
                    false => format!("Nothing changed: {name} is {role} already\n"),
                }
            })?;
        }
        UsersCommand::Remove { name } => {
            let removed = Door::open(common)?.remove_user(&name)?;
            common.print(&removed, |removed| {
                format!("Removed {}{}\n", plain(&removed.user.name), ended(removed))
            })?;
        }
        UsersCommand::Unlock { name } => {
            let unlocked = Door::open(common)?.unlock_user(&name)?;
            common.print(&unlocked, |unlocked| {
                let name = plain(&unlocked.user.name);
                match unlocked.is_changed {
                    true => format!("{name} can log in again\n"),
                    false => format!("Nothing changed: {name} is not locked\n"),
                }
            })?;
        }
        UsersCommand::Reset(args) => {
            let command = format!("users reset {}", args.name);
            let least = least_length(common)?;
            let password = password(args.password_file, &command)?;
            password.check(&args.name, least)?;
            let reset = PasswordRequest {
                password,
                old: None,
            };
            let changed = Door::open(common)?.reset_password(&args.name, &reset, least)?;
            common.print(&changed, |changed| {
                let name = plain(&changed.user.name);
                format!("{name} has another password{}\n", ended(changed))
            })?;
        }
    }
    Ok(ExitCode::SUCCESS)
}

fn add(common: &Common, args: AddArgs) -> Result<(), CliError> {
    let command = format!("users add {} --role {}", args.name, args.role);
    let user = UserRequest {
        password: match args.no_password {
            true => None,
            false => Some(password(args.password_file, &command)?),
        },
        name: args.name,
        role: args.role,
    };
    let least = least_length(common)?;
    if let Some(password) = &user.password {
        password.check(&user.name, least)?;
    }
    let added = Door::open(common)?.add_user(&user, least)?;
    common.print(&added, |user| {
        let how = match user.has_password {
            true => "",
            false => ", without a password: a proxy that is trusted says who they are",
        };
        format!("Added {} as {}{how}\n", plain(&user.name), user.role)
    })
}

/// Returns how many characters a password has at least.
fn least_length(common: &Common) -> Result<usize, CliError> {
    Ok(common.settings(&[])?.admin.password_length.value as usize)
}

fn password(file: Option<PathBuf>, command: &str) -> Result<Password, CliError> {
    let text = match file {
        Some(path) => typed::password_in(&path)?,
        None => typed::password(command)?,
    };
    Ok(Password::new(text))
}

fn ended(changed: &UserChanged) -> String {
    match changed.ended_sessions {
        0 => String::new(),
        count => format!("; {} ended", counted(count as u64, "session", "sessions")),
    }
}

fn list(users: &[UserReport]) -> String {
    if users.is_empty() {
        return "There is nobody yet; `airlock users add NAME --role admin` lets somebody in.\n"
            .to_owned();
    }
    let row = |user: &UserReport| {
        let last = match (&user.last_login_at, &user.last_login_from) {
            (Some(at), Some(from)) => format!("last here {at} from {from}"),
            _ => "never here".to_owned(),
        };
        let mut notes = vec![last];
        if !user.has_password {
            notes.push("no password".to_owned());
        }
        if let Some(since) = &user.locked_since {
            notes.push(format!("LOCKED since {since}"));
        } else if user.failures > 0 {
            let failures = u64::from(user.failures);
            notes.push(counted(failures, "failed login", "failed logins"));
        }
        [user.name.clone(), user.role.to_string(), notes.join(", ")]
    };
    table::rows(users.iter().map(row))
}
