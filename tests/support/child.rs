//! The built binary as a child, and all that it serves, to be compared.
#![allow(dead_code, reason = "each test target uses some of it")]

use std::collections::BTreeMap;
use std::io::{BufRead, BufReader, Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::time::Duration;

/// Returns the command `airlock` on the store in `data`.
pub fn airlock(data: &Path, args: &[&str]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_airlock"));
    command
        .arg("--data-dir")
        .arg(data)
        .args(args)
        .env_remove("STATE_DIRECTORY")
        // Where a server is reached is read from its log.
        .env("AIRLOCK_LOG_FORMAT", "text")
        .env_remove("RUST_LOG")
        .stdin(Stdio::null());
    command
}

/// A server that is ready; killed when dropped.
pub struct Server {
    child: Option<Child>,
    address: SocketAddr,
}

/// Reads a server's log until it says where it is reached.
pub fn address_in(log: &mut impl BufRead) -> SocketAddr {
    let mut said = String::new();
    loop {
        let mut line = String::new();
        assert_ne!(log.read_line(&mut line).unwrap(), 0, "no address in {said}");
        if let Some((_, rest)) = line.split_once("address=") {
            break rest.split_whitespace().next().unwrap().parse().unwrap();
        }
        said.push_str(&line);
    }
}

/// An answer, whole.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Answer {
    pub status: u16,
    pub body: Vec<u8>,
}

impl Server {
    /// Starts `airlock serve` at a free port.
    pub fn start(data: &Path) -> Self {
        Self::start_with(data, "info", |_| {})
    }

    /// Starts `airlock serve` with a log as `log` says, of which each line goes to `watch`.
    pub fn start_with(
        data: &Path,
        log: &str,
        mut watch: impl FnMut(&str) + Send + 'static,
    ) -> Self {
        let mut command = airlock(data, &["serve", "--listen", "127.0.0.1:0"]);
        command.env("RUST_LOG", log).stderr(Stdio::piped());
        let mut child = command.spawn().unwrap();
        let mut log = BufReader::new(child.stderr.take().unwrap());
        let address = address_in(&mut log);
        // The log is read to its end, so that the server never waits for its reader.
        std::thread::spawn(move || {
            for line in log.lines() {
                watch(&line.unwrap_or_default());
            }
        });
        Self {
            child: Some(child),
            address,
        }
    }

    /// Returns the address of what it serves at `/`, without the slash.
    pub fn url(&self) -> String {
        format!("http://{}", self.address)
    }

    /// Fetches `path` on a connection of its own; fails unless the answer is complete.
    pub fn get(&self, path: &str) -> Answer {
        let mut answer = Vec::new();
        self.ask(path).read_to_end(&mut answer).unwrap();
        let end = answer.windows(4).position(|bytes| bytes == b"\r\n\r\n");
        let body = answer.split_off(end.unwrap() + 4);
        let head = String::from_utf8(answer).unwrap().to_ascii_lowercase();
        let length = head
            .lines()
            .find_map(|line| line.strip_prefix("content-length: "));
        assert_eq!(
            length.unwrap().parse(),
            Ok(body.len()),
            "{path} is complete"
        );
        Answer {
            status: head[9..12].parse().unwrap(),
            body,
        }
    }

    /// Asks for `path` on a connection of its own; the answer is still to be read.
    pub fn ask(&self, path: &str) -> TcpStream {
        let mut stream = TcpStream::connect(self.address).unwrap();
        let patience = Some(Duration::from_secs(60));
        stream.set_read_timeout(patience).unwrap();
        let ask = format!("GET {path} HTTP/1.1\r\nhost: x\r\nconnection: close\r\n\r\n");
        stream.write_all(ask.as_bytes()).unwrap();
        stream
    }

    /// Asks the server to stop and returns whether it ended well.
    pub fn stop(self) -> bool {
        let mut child = self.into_child();
        let pid = rustix::process::Pid::from_child(&child);
        rustix::process::kill_process(pid, rustix::process::Signal::TERM).unwrap();
        child.wait().unwrap().success()
    }

    /// Returns the process, which is now the caller's to end.
    pub fn into_child(mut self) -> Child {
        self.child.take().unwrap()
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        if let Some(mut child) = self.child.take() {
            let _ = child.kill();
            let _ = child.wait();
        }
    }
}

impl Answer {
    fn elements(&self) -> Vec<serde_json::Value> {
        assert_eq!(self.status, 200);
        serde_json::from_slice(&self.body).unwrap()
    }

    /// Returns the packages of a search, `name-version`.
    pub fn packages(&self) -> Vec<String> {
        let text = |value: &serde_json::Value| value.as_str().unwrap().to_owned();
        let id = |element: serde_json::Value| {
            format!("{}-{}", text(&element["name"]), text(&element["version"]))
        };
        self.elements().into_iter().map(id).collect()
    }
}

/// Returns all that a server answers at `/` and from it: the search, each package's document and zip.
pub fn answers(server: &Server) -> BTreeMap<String, Answer> {
    let search = "/search?all=true&prerelease=true".to_owned();
    let found = server.get(&search);
    let mut answers = BTreeMap::new();
    for element in found.elements() {
        for key in ["path", "download"] {
            let path = element[key].as_str().unwrap().to_owned();
            let path = if key == "path" {
                format!("{path}/")
            } else {
                path
            };
            let answer = server.get(&path);
            assert_eq!(answer.status, 200, "{path}");
            answers.insert(path, answer);
        }
    }
    assert!(!answers.is_empty());
    answers.insert(search, found);
    answers
}

/// Returns how much is in the store: open and waiting stages, what they hold, unfinished streams, unfinished artifacts,
/// sources, artifacts, contents, chunks, change sets.
pub fn counts(data: &Path) -> [i64; 9] {
    let database = rusqlite::Connection::open(data.join("airlock.db")).unwrap();
    [
        "stage",
        "staged",
        "stream WHERE content IS NULL",
        "artifact WHERE tree_sha256 = zeroblob(32)",
        "source",
        "artifact",
        "content",
        "chunk",
        "change_set",
    ]
    .map(|what| {
        let query = format!("SELECT count(*) FROM {what}");
        database.query_row(&query, [], |row| row.get(0)).unwrap()
    })
}
