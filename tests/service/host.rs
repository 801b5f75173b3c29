//! A host as the packages make it: a settings file, a state folder, a folder for the socket, the binary where all may run it.

use std::fs::{self, Permissions};
use std::io::{BufReader, Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::os::unix::fs::{MetadataExt, PermissionsExt, chown};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Output, Stdio};
use std::time::Duration;

use rustix::process::{Pid, Signal, kill_process};

use crate::child::address_in;
use crate::trees::Tree;

/// The group whose members may use the socket: one that every Debian has.
pub const GROUP: &str = "users";
/// Users without names, for no host has these.
pub const OWNER: u32 = 61_001;
pub const MEMBER: u32 = 61_002;
pub const STRANGER: u32 = 61_003;

/// A host of its own in a temporary folder.
pub struct Host {
    folder: tempfile::TempDir,
}

/// A running command that is killed when this is dropped.
pub struct Running(pub Child);

impl Host {
    /// Returns a host whose settings end in `settings`; its folders belong to [`OWNER`] where the test is root's.
    pub fn new(settings: &str) -> Self {
        let host = Self {
            folder: tempfile::tempdir().unwrap(),
        };
        open_to(host.folder.path(), 0o755);
        // By a process of its own: what this one has open to write is open in the children of other tests too, and no
        // program runs that is.
        let mut copy = Command::new("cp");
        copy.arg(env!("CARGO_BIN_EXE_airlock"))
            .arg(host.path("airlock"));
        assert!(copy.status().unwrap().success());
        for (name, mode) in [("data", 0o750), ("run", 0o755)] {
            fs::create_dir(host.path(name)).unwrap();
            open_to(&host.path(name), mode);
            if is_root() {
                chown(host.path(name), Some(OWNER), Some(OWNER)).unwrap();
            }
        }
        let (data, run) = (host.path("data"), host.path("run"));
        let text = format!(
            "data_dir = {data:?}\n[listen]\napi = [\"127.0.0.1:0\"]\n[control]\nsocket = {:?}\n{settings}",
            run.join("control.sock")
        );
        fs::write(host.path("airlock.toml"), text).unwrap();
        host
    }

    pub fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    /// Writes the archive of a release with one package and returns where it is; it is `owner`'s alone.
    pub fn release(&self, name: &str, version: &str, owner: u32) -> String {
        let folder = format!("package-storage-{version}/packages/{name}/1.0.0");
        let path = self.path(&format!("{name}.tar"));
        fs::write(&path, Tree::default().package(&folder).tar().bytes()).unwrap();
        open_to(&path, 0o600);
        if is_root() {
            chown(&path, Some(owner), Some(owner)).unwrap();
        }
        path.to_str().unwrap().to_owned()
    }

    /// Returns the command `airlock` with the settings, as the user that the test is.
    pub fn airlock(&self, args: &[&str]) -> Command {
        let mut command = Command::new(self.path("airlock"));
        command.arg("--config").arg(self.path("airlock.toml"));
        command.args(args);
        tidy(&mut command);
        command
    }

    /// Returns it as another user, who is in no group of theirs but `groups`.
    pub fn airlock_as(&self, user: u32, groups: &[&str], args: &[&str]) -> Command {
        let groups = match groups {
            [] => "--clear-groups".to_owned(),
            groups => format!("--groups={}", groups.join(",")),
        };
        let mut command = Command::new("setpriv");
        command
            .args([format!("--reuid={user}"), format!("--regid={user}"), groups])
            .arg(self.path("airlock"))
            .arg("--config")
            .arg(self.path("airlock.toml"))
            .args(args);
        tidy(&mut command);
        command
    }

    /// Starts the service as [`OWNER`] in [`GROUP`], where the test is root's.
    pub fn start(&self) -> (Running, SocketAddr) {
        let command = match is_root() {
            true => self.airlock_as(OWNER, &[GROUP], &["serve"]),
            false => self.airlock(&["serve"]),
        };
        start(command)
    }

    /// Returns whose the files of the store are, and those beside the socket.
    pub fn owners(&self) -> Vec<(String, u32)> {
        let mut owners = Vec::new();
        for folder in ["data", "run"] {
            for entry in fs::read_dir(self.path(folder)).unwrap() {
                let entry = entry.unwrap();
                let name = entry.file_name().into_string().unwrap();
                owners.push((name, entry.metadata().unwrap().uid()));
            }
        }
        owners.sort();
        owners
    }
}

/// Starts a server and waits until it says where it is reached.
pub fn start(mut command: Command) -> (Running, SocketAddr) {
    // Where a server is reached is read from its log.
    command.env("AIRLOCK_LOG_FORMAT", "text");
    let mut child = command.stderr(Stdio::piped()).spawn().unwrap();
    let mut log = BufReader::new(child.stderr.take().unwrap());
    let address = address_in(&mut log);
    // The log is drained, so that the server never waits for its reader.
    std::thread::spawn(move || std::io::copy(&mut log, &mut std::io::sink()));
    (Running(child), address)
}

impl Running {
    pub fn signal(&self, signal: Signal) {
        kill_process(Pid::from_child(&self.0), signal).unwrap();
    }

    /// Asks it to stop and returns whether it ended well.
    pub fn stop(self) -> bool {
        self.signal(Signal::TERM);
        self.ended_well()
    }

    /// Waits for its end and returns whether it was a good one.
    pub fn ended_well(mut self) -> bool {
        self.0.wait().unwrap().success()
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

/// Returns the exit code and all that was said.
pub fn said(output: &Output) -> (i32, String) {
    let mut text = String::from_utf8_lossy(&output.stdout).into_owned();
    text.push_str(&String::from_utf8_lossy(&output.stderr));
    (output.status.code().unwrap_or(-1), text)
}

/// Runs a command to its end.
pub fn run(mut command: Command) -> (i32, String) {
    said(&command.output().unwrap())
}

/// Tells whether the test is root's; says that it is left out where not.
pub fn is_root_or_left_out() -> bool {
    if !is_root() {
        println!("left out: users other than the test's own need root");
    }
    is_root()
}

pub fn is_root() -> bool {
    rustix::process::geteuid().is_root()
}

/// Fetches `path` on a connection of its own and returns the whole answer.
pub fn get(address: SocketAddr, path: &str) -> String {
    let mut stream = TcpStream::connect(address).unwrap();
    stream
        .set_read_timeout(Some(Duration::from_secs(20)))
        .unwrap();
    let ask = format!(
        "GET {path} HTTP/1.1\r\nhost: x\r\nuser-agent: Kibana/8.5.0 node-fetch\r\nconnection: close\r\n\r\n"
    );
    stream.write_all(ask.as_bytes()).unwrap();
    let mut answer = String::new();
    stream.read_to_string(&mut answer).unwrap();
    answer
}

pub fn open_to(path: &Path, mode: u32) {
    fs::set_permissions(path, Permissions::from_mode(mode)).unwrap();
}

fn tidy(command: &mut Command) {
    let ours = std::env::vars_os().map(|(name, _)| name);
    for name in ours.filter(|name| name.to_string_lossy().starts_with("AIRLOCK_")) {
        command.env_remove(name);
    }
    command
        .env_remove("STATE_DIRECTORY")
        .env_remove("RUST_LOG")
        .env_remove("NOTIFY_SOCKET")
        .env_remove("LISTEN_FDS")
        .stdin(Stdio::null());
}
