//! More clients than there are places, and clients that take their time.

use std::io::{ErrorKind, Read, Write};
use std::net::TcpStream;
use std::os::unix::net::UnixStream;
use std::thread;
use std::time::Duration;

use airlock::server::{Settings, TimeOuts, file_limit};

use crate::shared::{SHORT, Server, answer, answers, ask, is_closed, long};

/// Starts a server of one worker, where it is known who is closed first.
fn server_with_places(max_connections: u32, time_outs: TimeOuts) -> Server {
    let settings = Settings {
        workers: 1,
        max_connections,
        time_outs,
        ..Settings::default()
    };
    Server::serving(&settings, None, answers)
}

/// A connection that was accepted and had its answer.
fn used(server: &Server) -> TcpStream {
    let stream = server.connect();
    ask(&stream, "/");
    assert!(answer(&stream).unwrap().is_some());
    stream
}

fn is_answered(stream: &TcpStream) -> bool {
    ask(stream, "/");
    matches!(answer(stream), Ok(Some(_)))
}

/// Whether it is closed, with or without what it sent last.
fn is_cut(mut stream: &TcpStream) -> bool {
    match stream.read(&mut [0]) {
        Ok(bytes) => bytes == 0,
        Err(error) => error.kind() == ErrorKind::ConnectionReset,
    }
}

#[test]
fn who_waits_longest_is_closed_for_a_newcomer() {
    let server = server_with_places(4, long());
    let crowd: Vec<_> = (0..4).map(|_| used(&server)).collect();
    // Its turn is the last one now.
    assert!(is_answered(&crowd[0]));
    let newcomers: Vec<_> = (0..2).map(|_| used(&server)).collect();
    assert!(is_closed(&crowd[1]));
    assert!(is_closed(&crowd[2]));
    for stream in [&crowd[3], &crowd[0]].into_iter().chain(&newcomers) {
        assert!(is_answered(stream));
    }
    server.stop();
}

#[test]
fn bytes_of_a_head_buy_no_time() {
    let server = server_with_places(2, long());
    let mut slow = server.connect();
    slow.write_all(b"GET / HTTP/1.1\r\n").unwrap();
    let quiet = used(&server);
    slow.write_all(b"x-slow: ").unwrap();
    let newcomer = used(&server);
    assert!(is_cut(&slow));
    assert!(is_answered(&quiet));
    assert!(is_answered(&newcomer));
    server.stop();
}

#[test]
fn who_is_being_answered_keeps_the_place() {
    let server = server_with_places(3, long());
    let mut reading = server.connect();
    ask(&reading, "/flowing");
    let mut some = vec![0; 1 << 16];
    reading.read_exact(&mut some).unwrap();
    let slow = server.connect();
    ask(&slow, "/slow");
    for _ in 0..200 {
        assert!(is_answered(&server.connect()));
    }
    assert!(answer(&slow).unwrap().unwrap().ends_with("slow\n"));
    for _ in 0..64 {
        reading.read_exact(&mut some).unwrap();
    }
    drop(reading);
    server.stop();
}

#[test]
fn an_answer_that_is_made_and_not_yet_taken_keeps_the_place() {
    let server = server_with_places(1, long());
    let mut reading = server.connect();
    ask(&reading, "/large");
    let mut first = [0];
    reading.read_exact(&mut first).unwrap();
    // Stays in the queue: the only place is not given away.
    let waiting = server.connect();
    ask(&waiting, "/");
    let mut rest = vec![0; 16 << 20];
    reading.read_exact(&mut rest).unwrap();
    assert!(answer(&waiting).unwrap().is_some());
    server.stop();
}

#[test]
fn newcomers_wait_while_all_are_being_answered() {
    let server = server_with_places(2, long());
    let busy = [server.connect(), server.connect()];
    for stream in &busy {
        ask(stream, "/slow");
    }
    let newcomer = server.connect();
    ask(&newcomer, "/");
    for stream in &busy {
        assert!(answer(stream).unwrap().unwrap().ends_with("slow\n"));
    }
    assert!(answer(&newcomer).unwrap().is_some());
    server.stop();
}

#[test]
fn a_thousand_times_more_idle_clients_than_places_lock_nobody_out() {
    // Both ends of each connection are open in this process.
    let limit = file_limit::raise().map_or(u64::MAX, |limit| limit.saturating_sub(512) / 2);
    let wanted = 5_000;
    let count = usize::try_from(limit).map_or(wanted, |limit| limit.min(wanted));
    if count < wanted {
        eprintln!("the limit of open files allows {count} of {wanted} connections");
    }
    let settings = Settings {
        workers: 2,
        max_connections: 64,
        time_outs: long(),
        ..Settings::default()
    };
    let server = Server::serving(&settings, None, answers);
    let mut crowd = Vec::with_capacity(count);
    for number in 0..count {
        crowd.push(server.connect());
        if number % 500 == 0 {
            used(&server);
        }
    }
    assert!(is_answered(&server.connect()));
    for stream in &crowd {
        stream.set_nonblocking(true).unwrap();
    }
    // Those whose places were given away last are on their way out: one for each worker.
    for _ in 0..500 {
        crowd.retain(|stream| !is_cut(stream));
        if crowd.len() <= 64 + 2 {
            break;
        }
        thread::sleep(Duration::from_millis(20));
    }
    assert!(crowd.len() <= 64 + 2, "{} are open", crowd.len());
    assert_eq!(server.stop().cut_connections, 0);
}

#[test]
fn a_body_that_stops_coming_ends_its_upload_and_its_connection() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("control.sock");
    let settings = Settings {
        time_outs: TimeOuts {
            body: SHORT,
            ..long()
        },
        ..Settings::default()
    };
    let server = Server::serving(&settings, Some(&path), answers);
    for (framing, sent, bytes) in [
        ("content-length: 1099511627776", "", 0),
        ("content-length: 1099511627776", "hello", 5),
        ("content-length: 6", "hello", 5),
        ("transfer-encoding: chunked", "", 0),
        ("transfer-encoding: chunked", "5\r\nhello\r\n", 5),
        ("transfer-encoding: chunked", "5\r\nhello\r\n0\r\n", 5),
    ] {
        let mut stream = UnixStream::connect(&path).unwrap();
        write!(
            stream,
            "POST /upload HTTP/1.1\r\nhost: x\r\n{framing}\r\n\r\n{sent}"
        )
        .unwrap();
        let text = answer(&stream).unwrap().unwrap();
        let expected = format!("{bytes} and the body stopped coming");
        assert!(text.ends_with(&expected), "{framing} {sent:?}: {text}");
    }
    server.stop();
}

#[test]
fn a_body_may_take_its_time_as_long_as_it_comes() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("control.sock");
    let settings = Settings {
        time_outs: TimeOuts {
            head: SHORT,
            idle: SHORT,
            body: 10 * SHORT,
            ..long()
        },
        ..Settings::default()
    };
    let server = Server::serving(&settings, Some(&path), answers);
    let mut stream = UnixStream::connect(&path).unwrap();
    write!(
        stream,
        "POST /upload HTTP/1.1\r\nhost: x\r\ncontent-length: 8\r\n\r\n"
    )
    .unwrap();
    for _ in 0..8 {
        thread::sleep(SHORT / 4);
        stream.write_all(b"x").unwrap();
    }
    let text = answer(&stream).unwrap().unwrap();
    assert!(text.ends_with("8 and the end"), "{text}");
    server.stop();
}
