//! A request as a browser or a script sends it, on a connection of its own, and its answer.

use std::net::SocketAddr;

use actix_http::HttpService;
use actix_service::{Service as _, ServiceFactory, map_config};
use actix_web::App;
use actix_web::dev::AppConfig;
use airlock::admin::{OverTls, PeerUser, entrance};
use tokio::io::{AsyncReadExt, AsyncWriteExt, DuplexStream};

use crate::world::{Session, World};

/// A request; by default one that a browser of this host sends in plain HTTP.
#[derive(Clone)]
pub struct Ask {
    method: String,
    path: String,
    peer: Option<SocketAddr>,
    is_tls: bool,
    headers: Vec<(String, String)>,
    body: String,
}

/// An answer.
#[derive(Debug)]
pub struct Answer {
    pub status: u16,
    pub headers: Vec<(String, String)>,
    pub body: String,
}

pub fn get(path: &str) -> Ask {
    ask("GET", path)
}

pub fn post(path: &str) -> Ask {
    ask("POST", path)
}

/// A request for `path`, as it is.
pub fn ask(method: &str, path: &str) -> Ask {
    Ask {
        method: method.to_owned(),
        path: path.to_owned(),
        peer: Some("127.0.0.1:9".parse().unwrap()),
        is_tls: false,
        headers: vec![("host".to_owned(), "localhost:8080".to_owned())],
        body: String::new(),
    }
}

impl Ask {
    /// With one more header.
    pub fn with(mut self, name: &str, value: &str) -> Self {
        self.headers.push((name.to_owned(), value.to_owned()));
        self
    }

    /// With another value of a header that may be there.
    pub fn instead(mut self, name: &str, value: &str) -> Self {
        self = self.without(name);
        self.with(name, value)
    }

    pub fn without(mut self, name: &str) -> Self {
        self.headers.retain(|(sent, _)| sent != name);
        self
    }

    pub fn json(mut self, body: &str) -> Self {
        self.body = body.to_owned();
        self.instead("content-type", "application/json")
    }

    /// With the fields of a form.
    pub fn form(mut self, body: &str) -> Self {
        self.body = body.to_owned();
        self.instead("content-type", "application/x-www-form-urlencoded")
    }

    /// From another host.
    pub fn from(mut self, peer: &str) -> Self {
        self.peer = Some(peer.parse().unwrap());
        self
    }

    /// Over a Unix socket of the registry.
    pub fn over_unix(mut self) -> Self {
        self.peer = None;
        self
    }

    pub fn over_tls(mut self) -> Self {
        self.is_tls = true;
        self
    }

    /// As a page of the admin side asks, in a session.
    pub fn by(self, session: &Session) -> Self {
        self.sent_by_a_page()
            .with("cookie", &format!("airlock-session={}", session.cookie))
            .with("x-csrf-token", &session.csrf)
    }

    /// As a page of this very host asks.
    pub fn sent_by_a_page(self) -> Self {
        self.with("origin", "http://localhost:8080")
            .with("sec-fetch-site", "same-origin")
    }

    pub fn bearing(self, token: &str) -> Self {
        self.with("authorization", &format!("Bearer {token}"))
    }

    pub async fn send(self, world: &World) -> Answer {
        let (operator, web) = (world.operator.clone(), world.web.clone());
        let app = App::new()
            .app_data(operator)
            .configure(|config| entrance::configure(config, &web));
        let (is_tls, is_unix) = (self.is_tls, self.peer.is_none());
        let service = HttpService::build()
            .on_connect_ext(move |_: &DuplexStream, data| {
                if is_tls {
                    data.insert(OverTls);
                }
                if is_unix {
                    // Of the proxy, who is nobody here.
                    data.insert(PeerUser::own());
                }
            })
            .h1(map_config(app, |_| AppConfig::default()))
            .new_service(())
            .await
            .unwrap();
        let (mut client, end) = tokio::io::duplex(64 << 10);
        let headers: String = self
            .headers
            .iter()
            .map(|(name, value)| format!("{name}: {value}\r\n"))
            .collect();
        let (method, path, body) = (&self.method, &self.path, &self.body);
        let length = body.len();
        let sent = format!(
            "{method} {path} HTTP/1.1\r\n{headers}connection: close\r\ncontent-length: {length}\r\n\r\n{body}"
        );
        client.write_all(sent.as_bytes()).await.unwrap();
        let serving = actix_web::rt::spawn(service.call((end, self.peer)));
        let mut answer = String::new();
        client.read_to_string(&mut answer).await.unwrap();
        let _ = serving.await;
        Answer::parse(&answer)
    }
}

impl Answer {
    fn parse(text: &str) -> Self {
        let (head, body) = text.split_once("\r\n\r\n").unwrap();
        let mut lines = head.lines();
        let status = lines.next().unwrap()[9..12].parse().unwrap();
        let header = |line: &str| {
            let (name, value) = line.split_once(": ").unwrap();
            (name.to_ascii_lowercase(), value.to_owned())
        };
        Self {
            status,
            headers: lines.map(header).collect(),
            body: body.to_owned(),
        }
    }

    /// The one value of a header.
    pub fn header(&self, name: &str) -> Option<&str> {
        let mut found = self.headers.iter().filter(|(sent, _)| sent == name);
        let first = found.next();
        assert!(found.next().is_none(), "{name} twice in {self:?}");
        first.map(|(_, value)| value.as_str())
    }

    /// The kind of the failure that is answered.
    pub fn kind(&self) -> String {
        let failure: serde_json::Value = serde_json::from_str(&self.body).unwrap_or_default();
        failure["kind"].as_str().unwrap_or_default().to_owned()
    }
}
