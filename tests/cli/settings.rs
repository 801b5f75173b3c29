//! Settings as people say and see them, and a server that is set by them.

use std::io::{BufRead, BufReader, Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::process::{Child, Command, Stdio};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use rustix::process::Signal;

use crate::server::{signal, until};
use crate::{Site, text};

/// A server whose log is read line by line.
struct Logged {
    child: Child,
    lines: Arc<Mutex<Vec<String>>>,
}

impl Logged {
    fn start(mut command: Command) -> Self {
        let mut child = command.stderr(Stdio::piped()).spawn().unwrap();
        let log = BufReader::new(child.stderr.take().unwrap());
        let lines = Arc::<Mutex<Vec<String>>>::default();
        let read = Arc::clone(&lines);
        std::thread::spawn(move || {
            for line in log.lines() {
                read.lock().unwrap().push(line.unwrap_or_default());
            }
        });
        Self { child, lines }
    }

    fn lines(&self) -> Vec<String> {
        self.lines.lock().unwrap().clone()
    }

    /// Waits for a line of the log with `text` in it.
    fn line(&self, text: &str) -> String {
        until(|| self.lines().into_iter().find(|line| line.contains(text)))
    }

    /// Waits for the address that follows `name` in the log.
    fn address(&self, name: &str) -> SocketAddr {
        let line = self.line(name);
        let (_, rest) = line.split_once(name).unwrap();
        let end = rest.find(|c: char| c.is_whitespace() || c == '"');
        rest[..end.unwrap_or(rest.len())].parse().unwrap()
    }

    fn stop(mut self) -> Vec<String> {
        signal(&self.child, Signal::TERM);
        assert!(self.child.wait().unwrap().success());
        // The last line is written before the process ends, and read soon after.
        self.line("stopped");
        self.lines()
    }
}

impl Drop for Logged {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// Returns status and body of the answer to a GET with these header lines.
fn get(address: SocketAddr, path: &str, headers: &str) -> (u16, String) {
    let mut stream = TcpStream::connect(address).unwrap();
    stream
        .set_read_timeout(Some(Duration::from_secs(20)))
        .unwrap();
    let request = format!("GET {path} HTTP/1.1\r\nconnection: close\r\n{headers}\r\n");
    stream.write_all(request.as_bytes()).unwrap();
    let mut answer = String::new();
    stream.read_to_string(&mut answer).unwrap();
    let (head, body) = answer.split_once("\r\n\r\n").unwrap();
    (head[9..12].parse().unwrap(), body.to_owned())
}

fn with(user: &str, password: &str) -> String {
    let basic = STANDARD.encode(format!("{user}:{password}"));
    format!("host: epr.site\r\nauthorization: Basic {basic}\r\n")
}

#[test]
fn show_tells_every_setting_and_who_said_it() {
    let site = Site::new();
    let file = site.source("airlock.toml", "[access]\nhosts = [\"epr.site\"]\n");
    let mut command = site.command(&["--config", &file, "config", "show"]);
    command
        .env_remove("AIRLOCK_LOG_FORMAT")
        .env("AIRLOCK_CONTROL_ROLES", "alice=publisher, bob=viewer")
        .env("EPR_ADDRESS", ":8080")
        .env("EPR_PROXY_TO", "https://epr.example");
    // As wide as the longest path, which differs from machine to machine.
    let words = |line: &str| line.split_whitespace().collect::<Vec<_>>().join(" ");
    let shown = site.shown(&command.output().unwrap());
    let shown: Vec<_> = shown.lines().map(words).collect();
    insta::assert_snapshot!(shown.join("\n"), @r"
    exit 0
    data_dir [SITE]/data --data-dir
    listen.api :8080 EPR_ADDRESS
    listen.metrics - default
    tls.certificate - default
    tls.key - default
    tls.key_passphrase_file - default
    tls.min_version 1.2 default
    tls.client_ca - default
    access.hosts epr.site [SITE]/airlock.toml:2
    access.networks - default
    access.trusted_proxies - default
    access.users_file - default
    control.socket - default
    control.group - default
    control.role admin default
    control.roles alice=publisher, bob=viewer AIRLOCK_CONTROL_ROLES
    admin.enabled true default
    admin.listen - default
    admin.user_header - default
    admin.banner - default
    admin.idle_minutes 30 default
    admin.session_hours 12 default
    admin.failures 5 default
    admin.password_length 12 default
    log.level info default
    log.format auto default
    cache.index - default
    cache.search - default
    cache.categories - default
    cache.catch_all - default
    Note: of no meaning here: EPR_PROXY_TO; packages come in by `airlock import`
    ");
    command.arg("--json");
    let output = command.output().unwrap();
    let shown: serde_json::Value = serde_json::from_slice(&output.stdout).unwrap();
    let setting = |key: &str| {
        let all = shown["settings"].as_array().unwrap();
        all.iter().find(|row| row["key"] == key).unwrap().clone()
    };
    assert_eq!(setting("listen.api")["value"], serde_json::json!([":8080"]));
    assert_eq!(setting("listen.api")["origin"], "EPR_ADDRESS");
    assert_eq!(setting("tls.key")["value"], serde_json::Value::Null);
    assert_eq!(setting("control.roles")["value"]["bob"], "viewer");
    assert_eq!(setting("access.hosts")["origin"], format!("{file}:2"));
}

#[test]
fn check_tells_all_that_is_wrong_and_ends_with_1() {
    let site = Site::new();
    let wrong = site.source(
        "wrong.toml",
        "[listen]\napii = \"x\"\n[log]\nlevel = \"loud\"\n[access]\nusers_file = \"users\"\n",
    );
    insta::assert_snapshot!(site.run(&["config", "check", &wrong]), @r#"
    exit 1
    [SITE]/wrong.toml:2: listen.apii: no such key
      Hint: did you mean listen.api?
    [SITE]/wrong.toml:4: log.level: "loud" is none of its values
      Hint: one of error, warn, info, debug, trace
    "#);
    insta::assert_snapshot!(site.run(&["--config", &wrong, "plans", "list"]), @r#"
    exit 1
    Error: 2 settings cannot be used
    Caused by:
      1: [SITE]/wrong.toml:2: listen.apii: no such key; did you mean listen.api?
      2: [SITE]/wrong.toml:4: log.level: "loud" is none of its values; one of error, warn, info, debug, trace
    Hint: `airlock config check` looks at them again
    "#);
    assert!(!site.data().exists());
    let one = site.source("one.toml", "[listen]\nmetric = \"127.0.0.1:1\"\n");
    insta::assert_snapshot!(site.run(&["--config", &one, "serve"]), @r"
    exit 1
    Error: [SITE]/one.toml:2: listen.metric: no such key
    Hint: did you mean listen.metrics?
    ");
    assert!(!site.data().exists());
    site.source("users", "kibana:secret\n");
    let users = site.source("users.toml", "[access]\nusers_file = \"users\"\n");
    insta::assert_snapshot!(site.run(&["config", "check", &users]), @r"
    exit 1
    [SITE]/users:1: access.users_file: line 1 has no hash of a password
      Hint: `airlock config password USER` prints a line for it
    ");
    insta::assert_snapshot!(site.run(&["--config", &users, "serve"]), @r"
    exit 1
    Error: [SITE]/users:1: access.users_file: line 1 has no hash of a password
    Hint: `airlock config password USER` prints a line for it
    ");
    let right = site.source("right.toml", "[log]\nlevel = \"warn\"\n");
    insta::assert_snapshot!(site.run(&["config", "check", &right]), @r"
    exit 0
    [SITE]/right.toml can be used.
    ");
    insta::assert_snapshot!(site.run(&["config", "check", "--json", &one]), @r#"
    exit 1
    {
      "file": "[SITE]/one.toml",
      "is_right": false,
      "problems": [
        {
          "origin": "[SITE]/one.toml:2",
          "key": "listen.metric",
          "problem": "no such key",
          "hint": "did you mean listen.metrics?"
        }
      ],
      "notes": []
    }
    "#);
}

#[test]
fn a_password_becomes_a_line_that_does_not_tell_it() {
    let site = Site::new();
    let line = site.run_with_input(&["config", "password", "kibana"], b"lighthouse\r\nmore\n");
    assert!(
        line.starts_with("exit 0\nkibana:$argon2id$v=19$m=19456,t=2,p=1$"),
        "{line}"
    );
    assert!(!line.contains("lighthouse"));
    insta::assert_snapshot!(site.run_with_input(&["config", "password", "a:b"], b"x\n"), @r#"
    exit 1
    Error: "a:b" cannot be a user's name
    Hint: a name has up to 128 letters, digits and signs, no colon and no space
    "#);
    insta::assert_snapshot!(site.run_with_input(&["config", "password", "kibana"], b"\n"), @r"
    exit 1
    Error: a password has 1 to 256 bytes
    Hint: `airlock config password USER` reads it from the terminal, or the first line of standard input
    ");
    let long = [b'x'; 100_000];
    let refused = site.run_with_input(&["config", "password", "kibana"], &long);
    assert!(
        refused.starts_with("exit 1\nError: a password has"),
        "{refused}"
    );
}

/// Adds a user to the file `users` of `site`.
fn add_user(site: &Site, name: &str, password: &str) {
    let said = site.run_with_input(&["config", "password", name], password.as_bytes());
    let line = said.strip_prefix("exit 0\n").unwrap();
    let before = std::fs::read_to_string(site.path("users")).unwrap_or_default();
    site.source("users", format!("{before}{line}\n"));
}

#[test]
fn what_a_file_says_holds_is_taken_up_anew_and_no_line_of_the_log_tells_a_secret() {
    let site = Site::new();
    add_user(&site, "kibana", "lighthouse");
    let settings = "[listen]\napi = [\"127.0.0.1:0\", \"[::1]:0\"]\nmetrics = \"127.0.0.1:0\"\n[access]\nhosts = [\"epr.site\"]\nusers_file = \"users\"\ntrusted_proxies = [\"127.0.0.1\"]\n";
    let file = site.source("airlock.toml", settings);
    let mut command = site.command(&["--config", &file, "serve"]);
    command.env_remove("AIRLOCK_LOG_FORMAT");
    let server = Logged::start(command);
    let address = server.address("\"server.address\":\"");
    server.line("\"server.address\":\"[::1]:");

    let kibana = with("kibana", "lighthouse");
    let status = |headers: &str| get(address, "/search?package=nginx", headers).0;
    assert_eq!(status(&kibana), 200);
    assert_eq!(status(&with("kibana", "wrong-one")), 401);
    assert_eq!(status("host: epr.site\r\n"), 401);
    assert_eq!(status(&kibana.replace("epr.site", "evil.site")), 421);
    assert_eq!(get(address, "/health", "host: evil.site\r\n").0, 200);
    let with_userinfo = "http://kibana:lighthouse@epr.site/search";
    assert_eq!(get(address, with_userinfo, &kibana).0, 421);
    let told = format!("{kibana}x-forwarded-for: 192.0.2.7\r\nx-request-id: from-the-proxy\r\n");
    assert_eq!(status(&told), 200);

    let metrics = server.address("\"airlock.metrics\":\"");
    let (code, page) = get(metrics, "/metrics", "host: x\r\n");
    assert_eq!(code, 200);
    for line in [
        "epr_http_requests_total{code=\"200\",method=\"get\",path=\"/search\"} 2",
        "epr_http_requests_total{code=\"401\",method=\"get\",path=\"/search\"} 2",
        "epr_http_requests_total{code=\"421\",method=\"get\",path=\"/search\"} 2",
        "epr_in_flight_requests 0",
        "epr_number_indexed_packages 0",
        "# TYPE process_resident_memory_bytes gauge",
    ] {
        assert!(page.lines().any(|found| found == line), "{line} in {page}");
    }
    assert_eq!(get(metrics, "/search", "host: x\r\n").0, 404);
    assert_eq!(get(address, "/metrics", &kibana).0, 404);

    // A second user, and another host.
    let second = with("second", "fog horn").replace("epr.site", "other.site");
    assert_eq!(status(&second), 421);
    add_user(&site, "second", "fog horn");
    site.source("airlock.toml", settings.replace("epr.site", "other.site"));
    signal(&server.child, Signal::HUP);
    until(|| (status(&second) == 200).then_some(()));
    assert_eq!(status(&kibana), 421);

    site.source("airlock.toml", settings.replace("hosts", "host"));
    signal(&server.child, Signal::HUP);
    let refused = server.line("no such key");
    assert!(refused.contains("\"log.level\":\"error\""), "{refused}");
    assert_eq!(status(&second), 200);

    let lines = server.stop();
    let mut requests = Vec::new();
    for line in &lines {
        let read: serde_json::Value = serde_json::from_str(line).unwrap();
        for field in ["@timestamp", "log.level", "message", "ecs.version"] {
            assert!(read[field].is_string(), "{field} of {line}");
        }
        for secret in [
            "lighthouse",
            "wrong-one",
            "fog horn",
            "Basic",
            "argon2",
            &STANDARD.encode("kibana:")[..8],
        ] {
            assert!(!line.contains(secret), "{secret} in {line}");
        }
        if read["event.dataset"] == "airlock.access" {
            requests.push(read);
        }
    }
    let first = &requests[0];
    assert_eq!(first["message"], "GET /search 200");
    assert_eq!(first["url.query"], "package=nginx");
    assert_eq!(first["user.name"], "kibana");
    assert_eq!(first["client.ip"], "127.0.0.1");
    assert_eq!(first["event.outcome"], "success");
    assert!(first["event.duration"].is_u64());
    let by_proxy = requests
        .iter()
        .find(|read| read["client.ip"] == "192.0.2.7")
        .unwrap();
    assert_eq!(by_proxy["http.request.id"], "from-the-proxy");
    let refused = requests
        .iter()
        .find(|read| read["http.response.status_code"] == 401)
        .unwrap();
    assert_eq!(refused["event.outcome"], "failure");
    assert!(refused["user.name"].is_null());
    assert!(
        requests
            .iter()
            .all(|read| read["url.path"] != "/metrics" || read["http.response.status_code"] == 404)
    );
}

#[test]
fn the_variables_of_the_reference_set_a_server() {
    let site = Site::new();
    let config = site.source(
        "config.yml",
        "package_paths: [/packages]\ncache_time.search: 42s\n",
    );
    let mut command = site.command(&["serve"]);
    command
        .env_remove("AIRLOCK_LOG_FORMAT")
        .env("EPR_ADDRESS", "localhost:0")
        .env("EPR_LOG_LEVEL", "INFO")
        .env("EPR_LOG_TYPE", "dev")
        .env("EPR_CONFIG", config)
        .env("EPR_FEATURE_PROXY_MODE", "true")
        .env("EPR_PROXY_TO", "https://epr.example");
    let server = Logged::start(command);
    let address = server.address("address=");
    assert!(address.ip().is_loopback());
    let mut stream = TcpStream::connect(address).unwrap();
    let request = "GET /search HTTP/1.1\r\nhost: x\r\nconnection: close\r\n\r\n";
    stream.write_all(request.as_bytes()).unwrap();
    let mut answer = String::new();
    stream.read_to_string(&mut answer).unwrap();
    assert!(
        answer
            .to_lowercase()
            .contains("cache-control: max-age=42\r\n"),
        "{answer}"
    );
    let lines = server.stop();
    let told = lines.iter().filter(|line| line.contains("EPR_PROXY_TO"));
    assert_eq!(told.count(), 1, "{lines:?}");
    assert!(
        lines.iter().any(|line| line.contains("package_paths")),
        "{lines:?}"
    );
}

#[test]
fn a_flag_wins_over_variable_and_file_and_may_come_twice() {
    let site = Site::new();
    let file = site.source("airlock.toml", "[listen]\napi = [\"192.0.2.1:1\"]\n");
    let mut command = site.command(&["--config", text(&site.path("airlock.toml")), "serve"]);
    assert_eq!(file, text(&site.path("airlock.toml")));
    command
        .args(["--listen", "127.0.0.1:0", "--listen", "[::1]:0"])
        .env("AIRLOCK_LISTEN", "192.0.2.2:1");
    let server = Logged::start(command);
    for own in ["127.0.0.1:", "[::1]:"] {
        let line = server.line(&format!("address={own}"));
        let (_, address) = line.split_once("address=").unwrap();
        let address = address.split_whitespace().next().unwrap();
        let (status, _) = get(address.parse().unwrap(), "/health", "host: x\r\n");
        assert_eq!(status, 200);
    }
}
