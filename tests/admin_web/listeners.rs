//! Where the admin side is served: with the registry, at an address of its own, nowhere. And what the log has of secrets.

use std::io::{BufRead, BufReader, Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::path::Path;
use std::process::{Child, Stdio};
use std::sync::mpsc::{Receiver, channel};
use std::time::Duration;

use airlock::store::Store;

use crate::child::airlock;

struct Running {
    child: Child,
    registry: SocketAddr,
    admin: Option<SocketAddr>,
    log: Receiver<String>,
}

impl Drop for Running {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// Starts `airlock serve` with these settings.
fn serve(data: &Path, settings: &[(&str, &str)]) -> Running {
    let mut command = airlock(data, &["serve", "--listen", "127.0.0.1:0"]);
    command.envs(settings.iter().copied());
    command.stdout(Stdio::piped()).stderr(Stdio::piped());
    let mut child = command.spawn().unwrap();
    let mut log = BufReader::new(child.stderr.take().unwrap());
    let mut admin = None;
    let (tell, told) = channel();
    let registry = loop {
        let mut line = String::new();
        assert_ne!(log.read_line(&mut line).unwrap(), 0, "the server ended");
        let at = |name: &str| {
            let (_, rest) = line.split_once(name)?;
            rest.split_whitespace().next()?.parse::<SocketAddr>().ok()
        };
        admin = admin.or(at("admin="));
        if let Some(registry) = at("address=") {
            break registry;
        }
    };
    std::thread::spawn(move || {
        for line in log.lines().map_while(Result::ok) {
            let _ = tell.send(line);
        }
    });
    Running {
        child,
        registry,
        admin,
        log: told,
    }
}

/// Returns the status and body of an answer.
fn get(address: SocketAddr, path: &str, header: &str) -> (u16, String) {
    let mut stream = TcpStream::connect(address).unwrap();
    stream
        .set_read_timeout(Some(Duration::from_secs(30)))
        .unwrap();
    let ask =
        format!("GET {path} HTTP/1.1\r\nhost: localhost\r\n{header}connection: close\r\n\r\n");
    stream.write_all(ask.as_bytes()).unwrap();
    let mut answer = String::new();
    stream.read_to_string(&mut answer).unwrap();
    let (head, body) = answer.split_once("\r\n\r\n").unwrap();
    (head[9..12].parse().unwrap(), body.to_owned())
}

const STATUS: &str = "/admin/api/v1/status";

#[test]
fn it_is_served_with_the_registry_and_leaves_its_answers_alone_and_no_secret_in_the_log() {
    let data = tempfile::tempdir().unwrap();
    drop(Store::open(data.path()).unwrap());
    let server = serve(data.path(), &[]);
    assert_eq!(server.admin, None);
    assert_eq!(get(server.registry, STATUS, "").0, 401);
    assert_eq!(
        get(server.registry, "/administrator", "").1,
        "404 page not found\n"
    );
    assert_eq!(get(server.registry, "/search", ""), (200, "[]".to_owned()));

    let secret = "5ec2e7".repeat(10);
    let headers = format!(
        "cookie: airlock-session={secret}\r\nauthorization: Bearer airlock_{secret}\r\nx-csrf-token: {secret}\r\n"
    );
    get(server.registry, STATUS, &headers);
    get(server.registry, &format!("/admin/setup/{secret}"), "");
    get(
        server.registry,
        &format!("/admin/%73etup/{secret}?link={secret}"),
        "",
    );
    get(server.registry, "/admin/last", "");
    let mut seen = Vec::new();
    while let Ok(line) = server.log.recv_timeout(Duration::from_secs(30)) {
        let is_last = line.contains("/admin/last");
        seen.push(line);
        if is_last {
            break;
        }
    }
    let seen = seen.join("\n");
    assert!(seen.contains("/admin/setup"), "{seen}");
    assert!(seen.contains("airlock setup-link"), "{seen}");
    assert!(!seen.contains("5ec2e7"), "{seen}");
}

#[test]
fn with_an_address_of_its_own_it_is_there_and_the_registry_knows_nothing_of_it() {
    let data = tempfile::tempdir().unwrap();
    drop(Store::open(data.path()).unwrap());
    let server = serve(data.path(), &[("AIRLOCK_ADMIN_LISTEN", "127.0.0.1:0")]);
    let admin = server.admin.unwrap();
    assert_eq!(get(admin, STATUS, "").0, 401);
    assert_eq!(get(admin, "/search", "").0, 404);
    for path in [STATUS, "/admin/", "/admin"] {
        let answer = get(server.registry, path, "");
        assert_eq!(answer, (404, "404 page not found\n".to_owned()), "{path}");
    }
}

#[test]
fn where_it_is_switched_off_nobody_serves_it() {
    let data = tempfile::tempdir().unwrap();
    drop(Store::open(data.path()).unwrap());
    let settings = [
        ("AIRLOCK_ADMIN_ENABLED", "false"),
        ("AIRLOCK_ADMIN_LISTEN", "127.0.0.1:0"),
    ];
    let server = serve(data.path(), &settings);
    assert_eq!(server.admin, None);
    let answer = get(server.registry, STATUS, "");
    assert_eq!(answer, (404, "404 page not found\n".to_owned()));
}
