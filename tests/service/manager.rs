//! What the service manager hears, from the first answer to the stop, and what a reload takes up.

use std::convert::Infallible;
use std::fs;
use std::os::unix::net::UnixDatagram;
use std::time::Duration;

use actix_web::web::{self, ServiceConfig};
use airlock::server::{Listeners, Settings, serve};
use rustix::process::Signal;

use crate::host::{Host, get, open_to, run, start};

/// A service manager of the test's own.
struct Manager(UnixDatagram);

impl Manager {
    fn heard(&self) -> String {
        let mut bytes = [0; 1024];
        let length = self.0.recv(&mut bytes).unwrap();
        String::from_utf8(bytes[..length].to_vec()).unwrap()
    }

    /// Passes over what says that the workers live, and that a status is as it was, until `wanted` is heard.
    fn hears(&self, wanted: &str) -> String {
        loop {
            let heard = self.heard();
            if heard.contains(wanted) {
                return heard;
            }
            let may_come_between = heard == "WATCHDOG=1" || heard.starts_with("STATUS=");
            assert!(may_come_between, "{heard:?} and not {wanted:?}");
        }
    }
}

#[test]
fn the_manager_hears_of_the_first_answer_of_what_is_served_of_reloads_and_of_the_stop() {
    let host = Host::new("");
    let socket = UnixDatagram::bind(host.path("notify")).unwrap();
    // As systemd's: the service is another user's.
    open_to(&host.path("notify"), 0o777);
    let patience = Some(Duration::from_secs(30));
    socket.set_read_timeout(patience).unwrap();
    let manager = Manager(socket);
    let mut command = host.airlock(&["serve"]);
    command
        .env("NOTIFY_SOCKET", host.path("notify"))
        .env("WATCHDOG_USEC", "200000");
    let (server, address) = start(command);

    let first = manager.heard();
    assert_eq!(first, "READY=1\nSTATUS=serving no packages yet");
    assert!(get(address, "/health").starts_with("HTTP/1.1 200 "));
    manager.hears("WATCHDOG=1");

    let source = host.release("nginx", "8.5.0", 0);
    let (code, text) = run(host.airlock(&["import", &source, "--yes"]));
    assert_eq!(code, 0, "{text}");
    manager.hears("STATUS=serving 8.5.0: 1 package version");

    server.signal(Signal::HUP);
    let reloading = manager.hears("RELOADING=1\n");
    let usec = reloading.split_once("MONOTONIC_USEC=").unwrap().1;
    assert!(usec.parse::<u64>().unwrap() > 0);
    let ready = manager.hears("READY=1\n");
    assert_eq!(ready, "READY=1\nSTATUS=serving 8.5.0: 1 package version");

    // What cannot be read is said, and what was in force stays.
    fs::write(host.path("airlock.toml"), "[control]\nrole = 7\n").unwrap();
    server.signal(Signal::HUP);
    manager.hears("RELOADING=1\n");
    assert!(manager.hears("READY=1\n").contains("; not reloaded: "));
    assert!(get(address, "/health").starts_with("HTTP/1.1 200 "));

    server.signal(Signal::TERM);
    let stopping = manager.hears("STOPPING=1\n");
    assert!(stopping.contains("WATCHDOG_USEC="), "{stopping}");
    assert!(server.ended_well());
}

#[test]
fn a_server_that_does_not_answer_is_not_alive() {
    let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let listeners = Listeners {
        api: vec![listener],
        are_inherited: false,
        tls: None,
        api_sockets: Vec::new(),
        control: None,
    };
    let hangs = |app: &mut ServiceConfig| {
        app.default_service(web::to(|| async {
            std::future::pending::<Infallible>().await;
            ""
        }));
    };
    let nothing = |_: &mut ServiceConfig| {};
    let settings = Settings {
        workers: 2,
        ..Settings::default()
    };
    serve(listeners, &settings, hangs, nothing, async |pulse| {
        // However long one waits.
        let beat = tokio::time::timeout(Duration::from_millis(300), pulse.beat());
        assert!(beat.await.is_err());
    })
    .unwrap();

    let answers = |app: &mut ServiceConfig| {
        app.default_service(web::to(|| async { "" }));
    };
    let listeners = Listeners {
        api: Vec::new(),
        are_inherited: false,
        tls: None,
        api_sockets: Vec::new(),
        control: None,
    };
    serve(listeners, &settings, answers, nothing, async |pulse| {
        pulse.beat().await.unwrap();
        pulse.beat().await.unwrap();
    })
    .unwrap();
}

#[test]
fn health_and_status_are_told_by_exit_codes_with_and_without_a_server() {
    let host = Host::new("");
    let (code, text) = run(host.airlock(&["status"]));
    assert_eq!(code, 1, "{text}");
    assert!(text.starts_with("The service is not running"), "{text}");
    let (code, text) = run(host.airlock(&["healthcheck"]));
    assert_eq!(code, 1);
    assert!(
        text.starts_with("unhealthy: http://127.0.0.1:0: "),
        "{text}"
    );
    assert_eq!(text.lines().count(), 1);

    let (server, address) = start(host.airlock(&["serve"]));
    let url = format!("http://{address}");
    let health = run(host.airlock(&["healthcheck", "--url", &url]));
    assert_eq!(health, (0, format!("healthy: {url}/ answers\n")));
    let wrong = format!("{url}/no/such/path");
    let (code, text) = run(host.airlock(&["healthcheck", "--url", &wrong]));
    assert_eq!(code, 1);
    assert_eq!(text, format!("unhealthy: {wrong}: it answers 404\n"));

    get(address, "/search");
    let (code, text) = run(host.airlock(&["status", "--json"]));
    assert_eq!(code, 0);
    let status: serde_json::Value = serde_json::from_str(&text).unwrap();
    assert_eq!(status["service"]["addresses"][0], address.to_string());
    assert_eq!(status["service"]["process"], server.0.id());
    assert_eq!(status["service"]["kibanas"][0]["version"], "8.5.0");
    assert_eq!(status["disk"], "enough");
    assert!(server.stop());
}
