//! Sockets that outlive the server: it is started anew, and exchanged, while clients ask, and none of them notices.

use std::io::{self, Write};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::os::fd::OwnedFd;
use std::process::{Command, Stdio};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::thread;
use std::time::Duration;

use actix_web::web::{self, ServiceConfig};
use airlock::server::{Listeners, Settings, Stopped, serve};
use rustix::process::Signal;

use crate::answers::answer;
use crate::host::{Host, Running, get, is_root, start};

const CLIENTS: usize = 6;
const RESTARTS: usize = 4;

/// Returns a server at `listener`, which it inherits as systemd hands a socket over; `before` runs it.
fn inheriting(host: &Host, listener: &TcpListener, name: &str, before: &[&str]) -> Command {
    let args = host.airlock(&["serve"]);
    let mut command = Command::new("sh");
    command
        .arg("-c")
        .arg("exec 3<&0 </dev/null; LISTEN_FDS=1 LISTEN_FDNAMES=$0 exec \"$@\"")
        .arg(name)
        .args(before)
        // The number of the process is known to the process alone.
        .args(["sh", "-c", "LISTEN_PID=$$ exec \"$0\" \"$@\""])
        .arg(args.get_program())
        .args(args.get_args());
    for (name, value) in args.get_envs() {
        match value {
            Some(value) => command.env(name, value),
            None => command.env_remove(name),
        };
    }
    command.stdin(Stdio::from(OwnedFd::from(listener.try_clone().unwrap())));
    command
}

/// Asks once; a request on a kept-alive connection that is closed before its answer's first byte is asked once more, on a
/// new connection (RFC 9110, 9.2.2).
fn ask(address: SocketAddr, kept: &mut Option<TcpStream>) -> Result<(), String> {
    if let Some(stream) = kept.take() {
        match exchange(&stream) {
            Ok(Some(is_last)) => {
                *kept = (!is_last).then_some(stream);
                return Ok(());
            }
            Ok(None) => {}
            Err(error) if is_closed(&error) => {}
            Err(error) => return Err(format!("kept: {error}")),
        }
    }
    let stream = TcpStream::connect(address).map_err(|error| format!("connecting: {error}"))?;
    stream
        .set_read_timeout(Some(Duration::from_secs(30)))
        .unwrap();
    match exchange(&stream) {
        Ok(Some(is_last)) => {
            *kept = (!is_last).then_some(stream);
            Ok(())
        }
        other => Err(format!("new: {other:?}")),
    }
}

fn is_closed(error: &io::Error) -> bool {
    use io::ErrorKind::{BrokenPipe, ConnectionReset};
    matches!(error.kind(), ConnectionReset | BrokenPipe)
}

/// Returns whether the answer is the connection's last; `None` where it was closed before the first byte.
fn exchange(mut stream: &TcpStream) -> io::Result<Option<bool>> {
    stream.write_all(b"GET /search HTTP/1.1\r\nhost: x\r\n\r\n")?;
    let Some(answer) = answer(stream)? else {
        return Ok(None);
    };
    match answer.starts_with("http/1.1 200 ") {
        true => Ok(Some(answer.contains("connection: close\r\n"))),
        false => Err(io::Error::other(answer)),
    }
}

#[test]
fn clients_do_not_notice_that_the_server_is_started_anew_or_exchanged() {
    let host = Host::new("");
    let upgraded = host.path("upgraded");
    std::fs::copy(host.path("airlock"), &upgraded).unwrap();
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap();
    let (mut server, told) = start(inheriting(&host, &listener, "api", &[]));
    assert_eq!(told, address);

    let is_over = Arc::new(AtomicBool::new(false));
    let answered = Arc::new(AtomicUsize::new(0));
    let clients: Vec<_> = (0..CLIENTS)
        .map(|_| {
            let (is_over, answered) = (Arc::clone(&is_over), Arc::clone(&answered));
            thread::spawn(move || {
                let mut kept = None;
                while !is_over.load(Ordering::Relaxed) {
                    ask(address, &mut kept)?;
                    answered.fetch_add(1, Ordering::Relaxed);
                    thread::sleep(Duration::from_millis(5));
                }
                Ok::<_, String>(())
            })
        })
        .collect();
    for number in 0..RESTARTS {
        let before = answered.load(Ordering::Relaxed);
        while answered.load(Ordering::Relaxed) < before + 50
            && !clients.iter().any(|it| it.is_finished())
        {
            thread::sleep(Duration::from_millis(10));
        }
        assert!(server.stop());
        if number == 1 {
            // As a package manager does it: another file under the same name.
            std::fs::rename(&upgraded, host.path("airlock")).unwrap();
        }
        // A network of its own reaches no address: what is handed over does not lie in it.
        let before: &[&str] = match is_root() && number == 2 {
            true => &["unshare", "--net"],
            false => &[],
        };
        (server, _) = start(inheriting(&host, &listener, "api", before));
    }
    is_over.store(true, Ordering::Relaxed);
    for client in clients {
        assert_eq!(client.join().unwrap(), Ok(()));
    }
    assert!(answered.load(Ordering::Relaxed) >= RESTARTS * 50);
    assert!(server.stop());
}

/// Opened by a test: what is asked for is answered then.
static HELD: tokio::sync::Semaphore = tokio::sync::Semaphore::const_new(0);

#[test]
fn one_that_takes_long_keeps_nobody_waiting_at_a_socket_that_outlives_the_server() {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap();
    let listeners = Listeners {
        api: vec![listener.try_clone().unwrap()],
        are_inherited: true,
        tls: None,
        api_sockets: Vec::new(),
        control: None,
    };
    let settings = Settings {
        workers: 1,
        ..Settings::default()
    };
    let answers = |app: &mut ServiceConfig| {
        let held = web::to(|| async {
            HELD.acquire().await.unwrap().forget();
            "held\n"
        });
        app.route("/held", held);
        app.default_service(web::to(|| async { "hello\n" }));
    };
    let (stop, asked) = tokio::sync::oneshot::channel::<()>();
    let server = thread::spawn(move || {
        let nothing = |_: &mut ServiceConfig| {};
        let asked = async { drop(asked.await) };
        serve(listeners, &settings, answers, nothing, |_| asked).unwrap()
    });
    let long = thread::spawn(move || get(address, "/held"));
    // The answer comes after the question that was asked before it.
    assert!(get(address, "/").ends_with("hello\n"));
    thread::sleep(Duration::from_millis(200));
    stop.send(()).unwrap();
    thread::sleep(Duration::from_millis(600));
    for _ in 0..3 {
        assert!(get(address, "/").ends_with("hello\n"));
    }
    HELD.add_permits(1);
    assert!(long.join().unwrap().ends_with("held\n"));
    assert_eq!(server.join().unwrap(), Stopped { cut_connections: 0 });
}

#[test]
fn a_killed_server_leaves_the_socket_to_the_next() {
    let host = Host::new("");
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let (server, address) = start(inheriting(&host, &listener, "", &[]));
    assert!(get(address, "/").starts_with("HTTP/1.1 200 "));
    server.signal(Signal::KILL);
    drop(server);
    let waiting = thread::spawn(move || get(address, "/"));
    let (server, _): (Running, _) = start(inheriting(&host, &listener, "", &[]));
    assert!(waiting.join().unwrap().starts_with("HTTP/1.1 200 "));
    assert!(server.stop());
}

#[test]
fn prometheus_is_answered_at_a_socket_that_is_handed_over_for_it() {
    let host = Host::new("");
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let (server, _) = start(inheriting(&host, &listener, "metrics", &[]));
    let page = get(listener.local_addr().unwrap(), "/metrics");
    assert!(page.starts_with("HTTP/1.1 200 "), "{page}");
    assert!(page.contains("\nepr_"), "{page}");
    assert!(server.stop());
}

#[test]
fn a_socket_that_cannot_be_what_it_is_called_is_refused() {
    let host = Host::new("");
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let output = inheriting(&host, &listener, "control", &[])
        .output()
        .unwrap();
    let said = String::from_utf8(output.stderr).unwrap();
    assert_eq!(output.status.code(), Some(1));
    insta::assert_snapshot!(said, @r#"
    Error: the sockets that were handed over cannot be served
    Caused by: socket 0, called "control", is one too many, or of a family that is not served so
    Hint: `FileDescriptorName=` of a socket unit is api, admin, metrics or control; `systemctl cat airlock.socket` shows it
    "#);
    assert!(!host.path("data/airlock.db").exists(), "nothing was made");
}
