//! Handshakes: of every version, half ones, junk, plain HTTP; none of them is in anybody's way.

use std::io::{Read, Write};
use std::net::{Shutdown, TcpStream};
use std::sync::Arc;
use std::time::Duration;

use airlock::crypto::tls::{MinVersion, ServedTls, TlsFiles};
use airlock::server::{Settings, Stopped, TimeOuts};
use rustls::ClientConnection;
use rustls::pki_types::ServerName;

use crate::certificates::{in_years, root, server};
use crate::clients::{Client, Known};
use crate::files::served_files;
use crate::refusals::Bench;
use crate::shared::{SHORT, Server, answers, long};

/// A server with a certificate for epr.site, and what its clients know.
pub struct Site {
    pub bench: Bench,
    pub known: Known,
    pub served: Arc<ServedTls>,
    pub server: Server,
}

impl Site {
    pub fn new(time_outs: TimeOuts) -> Self {
        Self::with(time_outs, |_| {})
    }

    pub fn with(time_outs: TimeOuts, change: impl FnOnce(&mut TlsFiles)) -> Self {
        let settings = Settings {
            workers: 2,
            time_outs,
            ..Settings::default()
        };
        Self::at(&settings, change)
    }

    fn at(settings: &Settings, change: impl FnOnce(&mut TlsFiles)) -> Self {
        let bench = Bench::new();
        let root = root("Site Root");
        let pair = bench.file(
            "server.pem",
            root.server(&["epr.site"]).both() + &root.pem(),
        );
        bench.install(&pair, |_| {}).unwrap();
        let mut files = served_files(&bench);
        change(&mut files);
        let served = Arc::new(ServedTls::load(files).unwrap());
        Self {
            known: Known::root(&root),
            server: Server::speaking(settings, Some(Arc::clone(&served)), answers),
            bench,
            served,
        }
    }

    pub fn client(&self) -> Client {
        Client::connect(self.server.address, &self.known).unwrap()
    }
}

/// A whole hello of a client that offers TLS 1.2 and 1.3.
fn hello(known: &Known) -> Vec<u8> {
    let name = ServerName::try_from("epr.site").unwrap();
    let mut client = ClientConnection::new(known.config(), name).unwrap();
    let mut bytes = Vec::new();
    client.write_tls(&mut bytes).unwrap();
    bytes
}

/// A hello of a client that knows nothing newer than `version`, and the ciphers of its day.
fn old_hello(version: [u8; 2]) -> Vec<u8> {
    let mut hello = version.to_vec();
    hello.extend([7; 32]);
    hello.push(0);
    // ECDHE-RSA and RSA with AES-128-CBC, and ECDHE-ECDSA.
    hello.extend([0, 6, 0xc0, 0x13, 0, 0x2f, 0xc0, 0x09]);
    hello.extend([1, 0]);
    let mut handshake = vec![1, 0, 0, hello.len() as u8];
    handshake.extend(hello);
    let mut record = vec![0x16, 3, 1, 0, handshake.len() as u8];
    record.extend(handshake);
    record
}

#[test]
fn tls_1_2_and_1_3_are_spoken_and_http_1_1_on_them() {
    let site = Site::new(long());
    for (version, spoken) in [
        (&rustls::version::TLS12, rustls::ProtocolVersion::TLSv1_2),
        (&rustls::version::TLS13, rustls::ProtocolVersion::TLSv1_3),
    ] {
        let known = site.known.clone().only(version);
        let mut client = Client::connect(site.server.address, &known).unwrap();
        assert!(client.get("/").unwrap().ends_with("hello\n"));
        assert_eq!(client.version(), spoken);
        assert_eq!(client.protocol(), Some(b"http/1.1".to_vec()));
    }
    let h2 = site.known.clone().speaking(&[b"h2"]);
    assert!(Client::connect(site.server.address, &h2).is_err());
    let none = site.known.clone().speaking(&[]);
    assert!(Client::connect(site.server.address, &none).is_ok());
    site.server.stop();
}

#[test]
fn a_server_of_1_3_alone_refuses_1_2() {
    let site = Site::with(long(), |files| files.min_version = MinVersion::Tls13);
    let old = site.known.clone().only(&rustls::version::TLS12);
    assert!(Client::connect(site.server.address, &old).is_err());
    assert!(site.client().get("/").unwrap().ends_with("hello\n"));
    site.server.stop();
}

#[test]
fn older_versions_are_refused_with_an_alert() {
    let site = Site::new(long());
    for version in [[3, 0], [3, 1], [3, 2]] {
        let mut stream = site.server.connect();
        stream.write_all(&old_hello(version)).unwrap();
        let mut answer = Vec::new();
        let _ = stream.read_to_end(&mut answer);
        // One alert, fatal: the version or what was offered with it (RFC 5246, 7.2).
        assert_eq!(
            (answer.len(), answer[0], answer[5]),
            (7, 0x15, 2),
            "{answer:?}"
        );
        assert!([40, 70].contains(&answer[6]), "{answer:?}");
    }
    assert!(site.client().get("/").unwrap().ends_with("hello\n"));
    site.server.stop();
}

#[test]
fn junk_for_a_handshake_harms_nobody() {
    let site = Site::new(long());
    let good = hello(&site.known);
    let mut streams = Vec::new();
    for place in (0..good.len()).step_by(2) {
        let mut junk = good.clone();
        junk[place] ^= 0xff;
        streams.push((place, junk));
    }
    streams.extend(
        (1..good.len())
            .step_by(7)
            .map(|end| (end, good[..end].to_vec())),
    );
    streams.push((0, vec![0x16; 70_000]));
    streams.push((0, vec![0; 100]));
    let sent: Vec<_> = streams
        .into_iter()
        .map(|(_, junk)| {
            let mut stream = site.server.connect();
            let _ = stream.write_all(&junk);
            let _ = stream.shutdown(Shutdown::Write);
            stream
        })
        .collect();
    for mut stream in sent {
        // Whatever comes, it ends.
        let _ = stream.read_to_end(&mut Vec::new());
    }
    assert!(site.client().get("/").unwrap().ends_with("hello\n"));
    assert_eq!(site.server.stop(), Stopped { cut_connections: 0 });
}

#[test]
fn half_handshakes_keep_nobody_waiting_and_end() {
    let site = Site::new(TimeOuts {
        handshake: SHORT,
        ..long()
    });
    let good = hello(&site.known);
    let half: Vec<_> = (0..40)
        .map(|number| {
            let mut stream = site.server.connect();
            stream.write_all(&good[..good.len() * number / 40]).unwrap();
            stream
        })
        .collect();
    assert!(site.client().get("/").unwrap().ends_with("hello\n"));
    for stream in &half {
        assert!(crate::shared::is_closed(stream));
    }
    site.server.stop();
}

#[test]
fn half_handshakes_give_their_places_to_newcomers() {
    let settings = Settings {
        workers: 1,
        max_connections: 8,
        time_outs: long(),
        ..Settings::default()
    };
    let site = Site::at(&settings, |_| {});
    let begun = &hello(&site.known)[..20];
    let half: Vec<TcpStream> = (0..32)
        .map(|_| {
            let mut stream = site.server.connect();
            stream.write_all(begun).unwrap();
            stream
        })
        .collect();
    assert!(site.client().get("/").unwrap().ends_with("hello\n"));
    drop(half);
    site.server.stop();
}

#[test]
fn a_stop_waits_for_no_handshake() {
    let site = Site::new(long());
    let mut half = site.server.connect();
    half.write_all(&hello(&site.known)[..20]).unwrap();
    let silent = site.server.connect();
    let mut used = site.client();
    used.get("/").unwrap();
    assert_eq!(site.server.stop(), Stopped { cut_connections: 0 });
    drop((half, silent, used));
}

#[test]
fn plain_http_is_told_to_speak_tls() {
    let site = Site::new(long());
    for request in [
        "GET /search HTTP/1.1\r\nhost: epr.site\r\n\r\n",
        "HEAD / HTTP/1.0\r\n\r\n",
    ] {
        let mut stream = site.server.connect();
        stream.write_all(request.as_bytes()).unwrap();
        let mut answer = String::new();
        stream.read_to_string(&mut answer).unwrap();
        assert!(
            answer.starts_with("HTTP/1.1 400 Bad Request\r\nconnection: close\r\n"),
            "{answer}"
        );
        assert!(answer.ends_with(
            "\r\n\r\nthis port speaks TLS: ask it by an address that begins with https\n"
        ));
    }
    site.server.stop();
}

#[test]
fn time_outs_hold_inside_tls_as_outside() {
    let site = Site::new(TimeOuts {
        idle: SHORT,
        head: SHORT,
        write: SHORT,
        ..long()
    });
    let mut idle = site.client();
    idle.get("/").unwrap();
    assert_eq!(idle.rest().unwrap(), b"");

    let mut slow = site.client();
    slow.write(b"GET / HTT");
    let refusal = String::from_utf8(slow.rest().unwrap()).unwrap();
    assert!(refusal.starts_with("HTTP/1.1 408 "), "{refusal}");

    // One that takes nothing of its answer is cut, and never has all of it.
    let mut stuck = site.client();
    stuck.write(b"GET /endless HTTP/1.1\r\nhost: x\r\n\r\n");
    std::thread::sleep(SHORT * 4);
    let got = stuck.rest().map_or(0, |rest| rest.len());
    assert!(got < 64 << 20, "{got}");
    assert_eq!(site.server.stop(), Stopped { cut_connections: 0 });
}

#[test]
fn a_large_answer_comes_whole_to_a_slow_client() {
    let site = Site::new(TimeOuts {
        write: Duration::from_secs(5),
        ..long()
    });
    let mut client = site.client();
    client.write(b"GET /large HTTP/1.1\r\nhost: x\r\nconnection: close\r\n\r\n");
    let mut got = 0;
    while let Ok(bytes @ 1..) = client.read(&mut [0; 1 << 20]) {
        got += bytes;
        std::thread::sleep(Duration::from_millis(1));
    }
    assert!(got > 16 << 20, "{got}");
    site.server.stop();
}

#[test]
fn what_expired_or_is_not_valid_yet_is_served_and_clients_say_why_they_refuse_it() {
    for (years, reason) in [((2001, 2002), "expired"), ((2080, 2081), "not valid yet")] {
        let bench = Bench::new();
        let root = root("Site Root");
        let made = root.issue(in_years(server(&["epr.site"]), years.0, years.1));
        std::fs::create_dir(bench.places.key.parent().unwrap()).unwrap();
        std::fs::write(&bench.places.certificate, made.pem()).unwrap();
        std::fs::write(&bench.places.key, made.key_pem()).unwrap();
        let served = Arc::new(ServedTls::load(served_files(&bench)).unwrap());
        let settings = Settings {
            time_outs: long(),
            ..Settings::default()
        };
        let server = Server::speaking(&settings, Some(served), answers);
        let error = Client::connect(server.address, &Known::root(&root)).unwrap_err();
        assert!(error.to_string().contains(reason), "{error}");
        server.stop();
    }
}
