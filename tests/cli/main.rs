//! The built binary as people run it: what it prints, how it ends, what it serves.
#![allow(clippy::unwrap_used, reason = "in a test, what fails may panic")]

mod adding;
#[path = "../support/archives.rs"]
mod archives;
mod branches;
mod editions;
mod failures;
mod holds;
mod import;
mod keeping;
mod keys;
mod packaged;
mod people;
mod questions;
mod real_images;
mod records;
mod served;
mod server;
mod settings;
mod shared;
mod signatures;
#[path = "../support/signer.rs"]
mod signer;
mod sockets;
mod sources;
mod tls;
#[path = "../support/trees.rs"]
mod trees;

use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};

/// A folder with a store of its own, and a place for sources beside it.
struct Site {
    folder: tempfile::TempDir,
}

impl Site {
    fn new() -> Self {
        Self {
            folder: tempfile::tempdir().unwrap(),
        }
    }

    fn data(&self) -> PathBuf {
        self.folder.path().join("data")
    }

    fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    /// Writes a source and returns where it is.
    fn source(&self, name: &str, bytes: impl AsRef<[u8]>) -> String {
        std::fs::write(self.path(name), bytes).unwrap();
        self.path(name).to_str().unwrap().to_owned()
    }

    fn command(&self, args: &[&str]) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_airlock"));
        command
            .arg("--data-dir")
            .arg(self.data())
            .args(args)
            .env_remove("STATE_DIRECTORY")
            // Where a server is reached is read from its log.
            .env("AIRLOCK_LOG_FORMAT", "text")
            .env_remove("RUST_LOG")
            .stdin(Stdio::null());
        command
    }

    /// Runs a command to its end and returns all it said, fit for a snapshot.
    fn run(&self, args: &[&str]) -> String {
        self.shown(&self.command(args).output().unwrap())
    }

    fn run_with_input(&self, args: &[&str], input: &[u8]) -> String {
        let mut command = self.command(args);
        command
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped());
        let mut child = command.spawn().unwrap();
        // A command that fails early does not read all of it.
        let _ = child.stdin.take().unwrap().write_all(input);
        self.shown(&child.wait_with_output().unwrap())
    }

    /// Exit code, standard output and standard error; what differs from run to run is put in brackets.
    fn shown(&self, output: &Output) -> String {
        let mut text = format!("exit {}\n", output.status.code().unwrap_or(-1));
        for stream in [&output.stdout, &output.stderr] {
            text.push_str(&String::from_utf8_lossy(stream));
        }
        let folder = self.folder.path().to_str().unwrap();
        let user = airlock::admin::PeerUser::own().name();
        let text = text
            .replace(folder, "[SITE]")
            .replace(&format!("by {user}\n"), "by [USER]\n");
        let at = |line: &str| match line.split_once(", staged 20") {
            Some((before, after)) => {
                let rest = after.split_once(' ').map_or("", |(_, rest)| rest);
                format!("{before}, staged [TIME] {rest}")
            }
            None => line.to_owned(),
        };
        let text = text.lines().map(at).collect::<Vec<_>>().join("\n");
        // Editions are called by the day they come.
        let today = format!("+{}", &jiff::Timestamp::now().to_string()[..10]);
        text.replace(&today, "+[TODAY]")
    }
}

/// Returns a path as text.
fn text(path: &Path) -> &str {
    path.to_str().unwrap()
}
