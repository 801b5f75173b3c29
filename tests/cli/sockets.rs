//! The registry at a Unix socket, for the host's own web server.

use std::fs;
use std::io::{Read, Write};
use std::os::unix::fs::PermissionsExt;
use std::os::unix::net::UnixStream;
use std::process::Stdio;

use crate::server::{Server, until};
use crate::{Site, text};

#[test]
fn the_registry_answers_at_a_unix_socket_that_its_group_may_open() {
    let site = Site::new();
    let socket = site.path("http.sock");
    let listen = format!("unix:{}", text(&socket));
    let mut command = site.command(&["serve", "--listen", &listen]);
    let server = Server {
        child: command.stderr(Stdio::null()).spawn().unwrap(),
        address: ([127, 0, 0, 1], 0).into(),
    };
    let mut stream = until(|| UnixStream::connect(&socket).ok());
    let request = "GET /search HTTP/1.1\r\nhost: x\r\nconnection: close\r\n\r\n";
    stream.write_all(request.as_bytes()).unwrap();
    let mut answer = String::new();
    stream.read_to_string(&mut answer).unwrap();
    assert!(answer.starts_with("HTTP/1.1 200 OK\r\n"), "{answer}");
    let mode = fs::metadata(&socket).unwrap().permissions().mode();
    assert_eq!(mode & 0o777, 0o660);
    assert!(server.stop());
    assert!(!socket.exists());
}
