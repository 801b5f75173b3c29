//! A running server as a child, and its clients.

use std::io::{BufRead, BufReader, Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::process::{Child, Stdio};
use std::time::{Duration, Instant};

use rustix::process::{Pid, Signal, kill_process};

use crate::Site;

/// A server that is ready; killed when dropped.
pub struct Server {
    pub child: Child,
    pub address: SocketAddr,
}

/// An answer, whole.
pub struct Answer {
    pub status: u16,
    pub head: String,
    pub body: Vec<u8>,
}

impl Server {
    /// Starts `airlock serve` at a free port.
    pub fn start(site: &Site) -> Self {
        let mut command = site.command(&["serve", "--listen", "127.0.0.1:0"]);
        let mut child = command.stderr(Stdio::piped()).spawn().unwrap();
        let mut log = BufReader::new(child.stderr.take().unwrap());
        let mut said = String::new();
        let address = loop {
            let mut line = String::new();
            assert_ne!(log.read_line(&mut line).unwrap(), 0, "no address in {said}");
            if let Some((_, rest)) = line.split_once("address=") {
                break rest.split_whitespace().next().unwrap().parse().unwrap();
            }
            said.push_str(&line);
        };
        // The log is drained, so that the server never waits for its reader.
        std::thread::spawn(move || std::io::copy(&mut log, &mut std::io::sink()));
        Self { child, address }
    }

    pub fn get(&self, path: &str) -> Answer {
        get(self.address, path)
    }

    /// Asks the server to stop and returns whether it ended well.
    pub fn stop(mut self) -> bool {
        signal(&self.child, Signal::TERM);
        self.child.wait().unwrap().success()
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

pub fn signal(child: &Child, signal: Signal) {
    kill_process(Pid::from_child(child), signal).unwrap();
}

/// Waits until `found` finds something.
pub fn until<T>(mut found: impl FnMut() -> Option<T>) -> T {
    let begun = Instant::now();
    loop {
        if let Some(found) = found() {
            return found;
        }
        assert!(begun.elapsed() < Duration::from_secs(20), "waited too long");
        std::thread::sleep(Duration::from_millis(10));
    }
}

/// Fetches `path` on a connection of its own; fails unless the answer is complete.
pub fn get(address: SocketAddr, path: &str) -> Answer {
    let mut stream = TcpStream::connect(address).unwrap();
    stream
        .set_read_timeout(Some(Duration::from_secs(20)))
        .unwrap();
    write!(
        stream,
        "GET {path} HTTP/1.1\r\nhost: x\r\nconnection: close\r\n\r\n"
    )
    .unwrap();
    let mut answer = Vec::new();
    stream.read_to_end(&mut answer).unwrap();
    let end = answer
        .windows(4)
        .position(|bytes| bytes == b"\r\n\r\n")
        .unwrap();
    let head = String::from_utf8(answer[..end].to_vec()).unwrap();
    let body = answer[end + 4..].to_vec();
    let length = head.lines().find_map(|line| {
        line.to_ascii_lowercase()
            .strip_prefix("content-length: ")
            .map(str::to_owned)
    });
    let length: usize = length
        .unwrap_or_else(|| panic!("no length in {head}"))
        .parse()
        .unwrap();
    assert_eq!(body.len(), length, "{path} is complete");
    let status = head[9..12].parse().unwrap();
    Answer { status, head, body }
}

impl Answer {
    pub fn json(&self) -> serde_json::Value {
        assert_eq!(self.status, 200, "{}", self.head);
        serde_json::from_slice(&self.body).unwrap()
    }

    /// Returns the packages of a search, `name-version`.
    pub fn packages(&self) -> Vec<String> {
        let json = self.json();
        let text = |value: &serde_json::Value, key: &str| value[key].as_str().unwrap().to_owned();
        json.as_array()
            .unwrap()
            .iter()
            .map(|element| format!("{}-{}", text(element, "name"), text(element, "version")))
            .collect()
    }
}
