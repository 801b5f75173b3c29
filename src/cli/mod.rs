//! The command line: one file a subcommand. It talks to people; what it does, [`crate::admin`] and [`crate::server`] do.

mod activate;
mod add;
mod asked;
mod audit;
mod change_text;
mod config;
mod control;
mod delete_release;
mod demo;
mod diff;
mod diff_markdown;
mod diff_text;
mod distribution;
mod door;
mod exit;
mod explain;
mod failure;
mod gc;
mod healthcheck;
mod history;
mod hold_text;
mod holds;
mod import;
mod key_places;
mod keys;
mod kibana_config;
mod log;
mod owner;
mod packaged;
mod plain;
mod plan_text;
mod plans;
mod preflight;
mod progress;
mod promote;
mod quarantine;
mod record;
mod remove;
mod rollback;
mod serve;
mod setup_link;
mod signatures;
mod sizes;
mod source;
mod status;
mod table;
mod tag;
mod terminal;
mod tls;
mod tls_settings;
mod tokens;
mod typed;
mod users;
mod way;

use std::io::Write;
use std::path::PathBuf;
use std::process::ExitCode;

use clap::{Parser, Subcommand};

use crate::config::{Config, ConfigError, Environment, Flags, LogLevel};
pub(crate) use failure::CliError;

/// An Elastic Package Registry for networks with no way out
#[derive(Debug, Parser)]
#[command(
    name = "airlock",
    version,
    max_term_width = 100,
    disable_help_subcommand = true
)]
struct Cli {
    #[command(flatten)]
    common: Common,
    #[command(subcommand)]
    command: Command,
}

/// What every command understands.
#[derive(Debug, Clone, clap::Args)]
struct Common {
    /// Read settings from this file [default: /etc/airlock/airlock.toml where it is there]
    #[arg(long, global = true, value_name = "FILE")]
    config: Option<PathBuf>,
    /// Keep the store in this folder [default: what the settings or systemd name, else the user's data folder]
    #[arg(long, global = true, value_name = "FOLDER")]
    data_dir: Option<PathBuf>,
    /// Print nothing but errors
    #[arg(long, short, global = true)]
    quiet: bool,
    /// Print the result as JSON
    #[arg(long, global = true)]
    json: bool,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Bring packages in: a release or branch as an archive, a folder or a container image, or packages as zips
    Import(import::ImportArgs),
    /// Add a package of your own or a patched one, checked as Kibana will check it
    Add(add::AddArgs),
    /// Answer Kibana
    Serve(serve::ServeArgs),
    /// Show and settle imports that were staged
    #[command(subcommand)]
    Plans(plans::PlansCommand),
    /// Take versions out of a branch, by its rules
    Remove(remove::RemoveArgs),
    /// Move versions on, from snapshot to staging to production
    Promote(promote::PromoteArgs),
    /// Freeze what production serves now as a release
    Tag(tag::TagArgs),
    /// Delete a release, when nothing serves from it
    DeleteRelease(delete_release::DeleteReleaseArgs),
    /// Free what nothing needs any more
    Gc(gc::GcArgs),
    /// Show what each branch takes, and what deleting it would free
    Sizes,
    /// Go back to what was there right after an earlier change set
    Rollback(rollback::RollbackArgs),
    /// Make what a release, branch or distribution serves answer at /
    Activate(activate::ActivateArgs),
    /// Make, set and show distributions: addresses that serve one or more branches
    #[command(subcommand)]
    Distribution(distribution::DistributionCommand),
    /// Keep versions of a package back from a distribution
    Hold(holds::HoldArgs),
    /// Take a package version out of every distribution at once, as for a security flaw
    Withdraw(holds::WithdrawArgs),
    /// Show what is held back, and why
    Holds(holds::HoldsArgs),
    /// Let go what a hold keeps back
    ReleaseHold(holds::ReleaseHoldArgs),
    /// Show what was changed, by whom and why, the newest first
    History(history::HistoryArgs),
    /// Show how what is offered in one place differs from what is offered in another
    Diff(diff::DiffArgs),
    /// Show why a version of a package is what Kibana is answered with, or is not
    Explain(explain::ExplainArgs),
    /// Show what a Kibana would find here before it is upgraded
    Preflight(preflight::PreflightArgs),
    /// Print what proves a change set, or what a distribution offered at some time, signed
    Record(record::RecordArgs),
    /// Show the key that signs records; it is made at the first use
    Signer,
    /// Say whose signatures are believed
    #[command(subcommand)]
    Keys(keys::KeysCommand),
    /// Show what is known of signatures, and say what a branch makes of it
    #[command(subcommand)]
    Signatures(signatures::SignaturesCommand),
    /// Ask for, install, make and show the certificate of the server
    #[command(subcommand)]
    Tls(tls::TlsCommand),
    /// Show and settle packages that were not taken
    #[command(subcommand)]
    Quarantine(quarantine::QuarantineCommand),
    /// Say who may use the admin side, and as what
    #[command(subcommand)]
    Users(users::UsersCommand),
    /// Make, list and remove what programs act by
    #[command(subcommand)]
    Tokens(tokens::TokensCommand),
    /// Print the address at which the first admin chooses name and password, good once and for an hour
    SetupLink,
    /// Show who did what, and prove that the log was not changed
    #[command(subcommand)]
    Audit(audit::AuditCommand),
    /// Show how the appliance is: whether it runs, what it serves, what waits
    Status,
    /// Tell by the exit code whether Kibana would be answered: for containers and monitoring
    Healthcheck(healthcheck::HealthcheckArgs),
    /// Show settings and where each was said, and tell whether they can be used
    #[command(subcommand)]
    Config(config::ConfigCommand),
    /// Serve a small sample release from a temporary folder, to try Kibana against
    Demo(demo::DemoArgs),
    /// Print what makes a Kibana ask this registry
    KibanaConfig(kibana_config::KibanaConfigArgs),
    /// Print the licences of all that is built into this program
    #[command(name = "licenses", visible_alias = "licences")]
    Licences,
    /// Print the completions of a shell
    #[command(hide = true)]
    Completions(packaged::CompletionsArgs),
    /// Write the man pages
    #[command(hide = true)]
    Man(packaged::ManArgs),
}

/// Runs the command that the process was started with.
pub fn run() -> ExitCode {
    let Cli { common, command } = match Cli::try_parse() {
        Ok(cli) => cli,
        Err(error) => {
            // Where nobody reads it there is nobody to tell.
            let _ = error.print();
            return exit::of_arguments(&error);
        }
    };
    // A server's log is set by its settings: it begins once they are read.
    if !matches!(command, Command::Serve(_)) {
        log::start(command.log_level(common.quiet));
    }
    let outcome = match command {
        Command::Import(args) => import::run(&common, args),
        Command::Add(args) => add::run(&common, &args),
        Command::Serve(args) => serve::run(&common, &args),
        Command::Plans(command) => plans::run(&common, command),
        Command::Remove(args) => remove::run(&common, &args),
        Command::Promote(args) => promote::run(&common, &args),
        Command::Tag(args) => tag::run(&common, &args),
        Command::DeleteRelease(args) => delete_release::run(&common, &args),
        Command::Gc(args) => gc::run(&common, &args),
        Command::Sizes => sizes::run(&common),
        Command::Rollback(args) => rollback::run(&common, &args),
        Command::Activate(args) => activate::run(&common, &args),
        Command::Distribution(command) => distribution::run(&common, command),
        Command::Hold(args) => holds::hold(&common, &args),
        Command::Withdraw(args) => holds::withdraw(&common, &args),
        Command::Holds(args) => holds::list(&common, &args),
        Command::ReleaseHold(args) => holds::release(&common, &args),
        Command::History(args) => history::run(&common, &args),
        Command::Diff(args) => diff::run(&common, args),
        Command::Explain(args) => explain::run(&common, args),
        Command::Preflight(args) => preflight::run(&common, args),
        Command::Record(args) => record::run(&common, &args),
        Command::Signer => record::run_signer(&common),
        Command::Keys(command) => keys::run(&common, command),
        Command::Signatures(command) => signatures::run(&common, command),
        Command::Tls(command) => tls::run(&common, command),
        Command::Quarantine(command) => quarantine::run(&common, command),
        Command::Users(command) => users::run(&common, command),
        Command::Tokens(command) => tokens::run(&common, command),
        Command::SetupLink => setup_link::run(&common),
        Command::Audit(command) => audit::run(&common, command),
        Command::Status => status::run(&common),
        Command::Healthcheck(args) => healthcheck::run(&common, &args),
        Command::Config(command) => config::run(&common, command),
        Command::Demo(args) => demo::run(&args),
        Command::KibanaConfig(args) => kibana_config::run(&common, &args),
        Command::Licences => packaged::licences(&common),
        Command::Completions(args) => packaged::completions(&args),
        Command::Man(args) => packaged::man(&args),
    };
    match outcome {
        Ok(code) => code,
        Err(error) => {
            eprint!("{error}");
            ExitCode::FAILURE
        }
    }
}

impl Command {
    /// Returns what is logged where `RUST_LOG` does not say it: a server tells what it does, a command prints it.
    fn log_level(&self, is_quiet: bool) -> LogLevel {
        match self {
            Self::Demo(_) if !is_quiet => LogLevel::Info,
            _ => LogLevel::Warn,
        }
    }
}

impl Common {
    /// Returns all settings, with `listen` from the command line.
    fn settings(&self, listen: &[String]) -> Result<Config, CliError> {
        Ok(self.load(listen)?)
    }

    fn load(&self, listen: &[String]) -> Result<Config, ConfigError> {
        Config::load(&self.flags(listen), &Environment::of_this_process())
    }

    /// Returns all settings as they are without `--data-dir`.
    fn settings_without_folder(&self) -> Result<Config, CliError> {
        let flags = Flags {
            data_dir: None,
            ..self.flags(&[])
        };
        Ok(Config::load(&flags, &Environment::of_this_process())?)
    }

    fn flags(&self, listen: &[String]) -> Flags {
        Flags {
            file: self.config.clone(),
            data_dir: self.data_dir.clone(),
            listen: listen.to_owned(),
        }
    }

    /// Prints a result: as JSON where that is asked for, else as text, and not at all with `--quiet`.
    fn print<T: serde::Serialize>(
        &self,
        value: &T,
        text: impl FnOnce(&T) -> String,
    ) -> Result<(), CliError> {
        if self.json {
            let json = serde_json::to_string_pretty(value)
                .map_err(|error| CliError::new(error.to_string()))?;
            print(&format!("{json}\n"))
        } else if self.quiet {
            Ok(())
        } else {
            print(&text(value))
        }
    }
}

/// Returns the folder of the store.
fn data_folder_of(config: &Config) -> Result<PathBuf, CliError> {
    config.data_dir.value.clone().ok_or_else(|| {
        CliError::new("there is no home folder to keep the store in")
            .hint("name one with --data-dir")
    })
}

/// Writes `text` to standard output; a reader that has seen enough and gone away is fine.
fn print(text: &str) -> Result<(), CliError> {
    let mut out = std::io::stdout().lock();
    match out.write_all(text.as_bytes()).and_then(|()| out.flush()) {
        Err(error) if error.kind() != std::io::ErrorKind::BrokenPipe => {
            Err(CliError::new("cannot write to standard output").caused_by(&error))
        }
        _ => Ok(()),
    }
}

#[cfg(test)]
mod tests {
    use clap::CommandFactory;

    #[test]
    fn the_command_line_is_well_formed() {
        super::Cli::command().debug_assert();
    }
}
