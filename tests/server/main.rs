//! The server on real sockets: time-outs, the clean stop, the control socket, many clients and hostile ones.

#![allow(clippy::unwrap_used, reason = "a test may fail anywhere")]

#[path = "../support/answers.rs"]
mod answers;
mod attacks;
mod crowd;
mod shared;
#[path = "../support/mod.rs"]
mod support;

use std::io::{self, Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::os::unix::net::UnixStream;
use std::sync::atomic::Ordering;
use std::sync::{Arc, Barrier};
use std::thread;
use std::time::{Duration, Instant};

use airlock::server::{Settings, Stopped, TimeOuts};

use shared::{GIVEN, SHORT, Server, answer, answers, ask, is_closed, long};

fn assert_took(since: Instant, at_least: Duration) {
    let took = since.elapsed();
    assert!(
        took >= at_least && took < at_least + Duration::from_secs(3),
        "{took:?}"
    );
}

#[test]
fn an_idle_connection_is_closed() {
    let server = Server::start(TimeOuts {
        idle: SHORT,
        ..long()
    });
    let unused = server.connect();
    let used = server.connect();
    for (path, expected) in [("/", "hello\n"), ("/slow", "slow\n")] {
        ask(&used, path);
        assert!(answer(&used).unwrap().unwrap().ends_with(expected));
    }
    let since = Instant::now();
    assert!(is_closed(&used));
    assert_took(since, SHORT - Duration::from_millis(20));
    assert!(is_closed(&unused));
    server.stop();
}

#[test]
fn a_slow_request_head_is_answered_with_408_and_closed() {
    let server = Server::start(TimeOuts {
        head: SHORT,
        ..long()
    });
    let mut first = server.connect();
    let mut later = server.connect();
    ask(&later, "/");
    answer(&later).unwrap().unwrap();
    let since = Instant::now();
    for stream in [&mut first, &mut later] {
        stream.write_all(b"GET / HTT").unwrap();
    }
    // A byte now and then does not help.
    thread::sleep(SHORT / 2);
    for stream in [&mut first, &mut later] {
        stream.write_all(b"P").unwrap();
    }
    for stream in [&first, &later] {
        let refusal = answer(stream).unwrap().unwrap();
        assert!(refusal.starts_with("http/1.1 408 "), "{refusal}");
        assert!(is_closed(stream));
    }
    assert_took(since, SHORT - Duration::from_millis(20));
    server.stop();
}

#[test]
fn a_client_that_stops_reading_is_cut_and_its_answer_is_dropped() {
    let server = Server::start(TimeOuts {
        write: SHORT,
        ..long()
    });
    let mut stream = server.connect();
    ask(&stream, "/endless");
    // As long as it reads, however slowly, it is served.
    for _ in 0..8 {
        let mut some = vec![0; 1 << 20];
        stream.read_exact(&mut some).unwrap();
        thread::sleep(SHORT / 4);
    }
    thread::sleep(SHORT + Duration::from_millis(500));
    let given = GIVEN.load(Ordering::Relaxed);
    thread::sleep(Duration::from_millis(200));
    assert_eq!(GIVEN.load(Ordering::Relaxed), given);
    let mut rest = Vec::new();
    let _ = stream.read_to_end(&mut rest);
    assert!(rest.len() < 64 << 20, "{}", rest.len());
    assert_eq!(server.stop(), Stopped { cut_connections: 0 });
}

#[test]
fn a_damaged_answer_is_cut_and_never_completed() {
    let server = Server::start(long());
    let stream = server.connect();
    ask(&stream, "/damaged");
    let error = answer(&stream).unwrap_err();
    assert_eq!(error.kind(), io::ErrorKind::UnexpectedEof);
    server.stop();
}

#[test]
fn head_sends_the_length_and_not_one_byte_more() {
    let server = Server::start(long());
    let mut stream = server.connect();
    for _ in 0..2 {
        stream
            .write_all(b"HEAD /announced HTTP/1.1\r\nhost: x\r\n\r\n")
            .unwrap();
        ask(&stream, "/");
        let mut head = Vec::new();
        while !head.ends_with(b"\r\n\r\n") {
            let mut byte = [0];
            stream.read_exact(&mut byte).unwrap();
            head.push(byte[0]);
        }
        let head = String::from_utf8(head).unwrap();
        assert!(head.contains("content-length: 1099511627776\r\n"), "{head}");
        assert!(
            answer(&stream)
                .unwrap()
                .unwrap()
                .starts_with("http/1.1 200 ")
        );
    }
    server.stop();
}

#[test]
fn a_stop_closes_what_is_idle_and_finishes_what_is_not() {
    let server = Server::start(long());
    let idle = server.connect();
    ask(&idle, "/");
    answer(&idle).unwrap().unwrap();
    let busy = server.connect();
    ask(&busy, "/slow");
    thread::sleep(Duration::from_millis(100));

    let since = Instant::now();
    let address = server.address;
    let stopping = thread::spawn(|| server.stop());
    assert!(is_closed(&idle));
    assert!(since.elapsed() < Duration::from_millis(200));
    let last = answer(&busy).unwrap().unwrap();
    assert!(
        last.contains("connection: close\r\n") && last.ends_with("slow\n"),
        "{last}"
    );
    assert!(is_closed(&busy));
    assert_eq!(stopping.join().unwrap(), Stopped { cut_connections: 0 });
    assert!(since.elapsed() < Duration::from_secs(2));
    assert!(TcpStream::connect(address).is_err());
}

#[test]
fn what_does_not_end_is_cut_in_time() {
    let server = Server::start(TimeOuts {
        stop: SHORT,
        ..long()
    });
    let stream = server.connect();
    ask(&stream, "/endless");
    (&stream).read_exact(&mut [0; 1024]).unwrap();
    let since = Instant::now();
    assert_eq!(server.stop(), Stopped { cut_connections: 1 });
    assert_took(since, SHORT);
}

/// Asks again and again until nothing listens; says how often it was answered, or what went wrong.
///
/// A request on a kept-alive connection that is closed before its answer's first byte is asked again once, on a new
/// connection (RFC 9110, 9.2.2).
fn ask_until_refused(address: SocketAddr) -> Result<usize, String> {
    let mut kept: Option<TcpStream> = None;
    let mut answered = 0;
    loop {
        if let Some(stream) = &kept {
            let sent = (&*stream).write_all(b"GET / HTTP/1.1\r\nhost: x\r\n\r\n");
            let got = sent.and_then(|()| answer(stream));
            match got {
                Ok(Some(text)) => {
                    answered += 1;
                    if text.contains("connection: close\r\n") {
                        kept = None;
                    }
                    continue;
                }
                Ok(None) => {}
                Err(e)
                    if matches!(
                        e.kind(),
                        io::ErrorKind::ConnectionReset | io::ErrorKind::BrokenPipe
                    ) => {}
                Err(e) => return Err(format!("kept: {e}")),
            }
        }
        let stream = match TcpStream::connect(address) {
            Ok(stream) => stream,
            Err(e) if e.kind() == io::ErrorKind::ConnectionRefused => return Ok(answered),
            Err(e) => return Err(format!("connecting: {e}")),
        };
        (&stream)
            .write_all(b"GET / HTTP/1.1\r\nhost: x\r\n\r\n")
            .map_err(|e| format!("new, asking: {e}"))?;
        match answer(&stream) {
            Ok(Some(text)) => {
                answered += 1;
                kept = (!text.contains("connection: close\r\n")).then_some(stream);
            }
            other => return Err(format!("new: {other:?}")),
        }
    }
}

#[test]
fn a_client_that_asks_again_never_sees_a_stop() {
    const CLIENTS: usize = 16;
    let mut failures = Vec::new();
    for _ in 0..4 {
        let server = Server::start(long());
        let ready = Arc::new(Barrier::new(CLIENTS + 1));
        let clients: Vec<_> = (0..CLIENTS)
            .map(|_| {
                let (address, ready) = (server.address, Arc::clone(&ready));
                thread::spawn(move || {
                    ready.wait();
                    ask_until_refused(address)
                })
            })
            .collect();
        ready.wait();
        thread::sleep(Duration::from_millis(150));
        assert_eq!(server.stop(), Stopped { cut_connections: 0 });
        for client in clients {
            match client.join().unwrap() {
                Ok(answered) => assert!(answered > 0),
                Err(error) => failures.push(error),
            }
        }
    }
    assert_eq!(failures, Vec::<String>::new());
}

#[test]
fn the_control_socket_knows_who_asks() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("control.sock");
    let settings = Settings {
        time_outs: long(),
        ..Settings::default()
    };
    let server = Server::serving(&settings, Some(&path), answers);
    let stream = UnixStream::connect(&path).unwrap();
    ask(&stream, "/who");
    let text = answer(&stream).unwrap().unwrap();
    let own = rustix::process::getuid().as_raw().to_string();
    assert!(text.ends_with(&format!("\r\n\r\n{own}")), "{text}");
    server.stop();
    assert!(!path.exists());
}
