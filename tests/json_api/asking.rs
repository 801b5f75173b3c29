//! A server's JSON API in this process, asked over connections that can break.

use std::collections::BTreeMap;
use std::sync::Arc;

use actix_http::HttpService;
use actix_service::{Service as _, ServiceFactory, map_config};
use actix_web::App;
use actix_web::dev::AppConfig;
use actix_web::web::Data;
use airlock::admin::jobs::{JobLimits, Jobs};
use airlock::admin::routes::{Operator, configure};
use airlock::admin::status::Service;
use airlock::admin::{Kibanas, PeerUser, Role, Roles};
use airlock::catalog::Catalogs;
use airlock::limits::Limits;
use airlock::store::Store;
use arc_swap::ArcSwap;
use serde_json::Value;
use tokio::io::{AsyncReadExt, AsyncWriteExt, DuplexStream};

/// Users by their numbers, none of them root's or the store's owner's.
pub const VIEWER: u32 = 4_000_000_001;
pub const PUBLISHER: u32 = 4_000_000_002;
pub const OTHER_PUBLISHER: u32 = 4_000_000_003;
pub const APPROVER: u32 = 4_000_000_004;
pub const ADMIN: u32 = 4_000_000_005;

const ROLES: [(u32, Role); 5] = [
    (VIEWER, Role::Viewer),
    (PUBLISHER, Role::Publisher),
    (OTHER_PUBLISHER, Role::Publisher),
    (APPROVER, Role::Approver),
    (ADMIN, Role::Admin),
];

/// An answer.
#[derive(Debug)]
pub struct Answer {
    pub status: u16,
    pub body: String,
}

impl Answer {
    /// Returns its JSON.
    pub fn json(&self) -> Value {
        serde_json::from_str(&self.body).unwrap_or_else(|error| panic!("{error}: {self:?}"))
    }
}

/// What a server works on.
pub fn operator(store: &Arc<Store>) -> Data<Operator> {
    operator_with(store, JobLimits::default())
}

/// What a server works on that takes as many jobs as this.
pub fn operator_with(store: &Arc<Store>, limits: JobLimits) -> Data<Operator> {
    let named = ROLES.map(|(user, role)| (user.to_string(), role));
    Data::new(Operator {
        store: Arc::clone(store),
        catalogs: Arc::new(Catalogs::load(store).unwrap()),
        limits: Limits::default(),
        jobs: Jobs::new(limits),
        roles: ArcSwap::from_pointee(Roles {
            always_admin: vec![PeerUser::own()],
            of_members: Role::Viewer,
            named: BTreeMap::from(named),
        }),
        service: Service {
            since: jiff::Timestamp::now(),
            addresses: Vec::new(),
            kibanas: Data::new(Kibanas::default()),
            tls: None,
        },
    })
}

/// Opens a connection of `user`'s; it is served until it is dropped.
pub async fn connect(operator: &Data<Operator>, user: u32) -> DuplexStream {
    let app = App::new().app_data(operator.clone()).configure(configure);
    let service = HttpService::build()
        .on_connect_ext(move |_: &DuplexStream, data| {
            data.insert(PeerUser(user));
        })
        .h1(map_config(app, |_| AppConfig::default()))
        .new_service(())
        .await
        .unwrap();
    let (client, end) = tokio::io::duplex(64 << 10);
    actix_web::rt::spawn(async move {
        let _ = service.call((end, None)).await;
    });
    client
}

/// Returns the head of a request with a body of `bytes` bytes.
pub fn head(method: &str, path: &str, bytes: usize) -> String {
    format!(
        "{method} /admin/api/v1{path} HTTP/1.1\r\nhost: x\r\nconnection: close\r\ncontent-type: application/json\r\ncontent-length: {bytes}\r\n\r\n"
    )
}

/// Reads an answer to its end.
pub async fn answer(mut client: DuplexStream) -> Answer {
    let mut answer = String::new();
    client.read_to_string(&mut answer).await.unwrap();
    let (head, body) = answer
        .split_once("\r\n\r\n")
        .unwrap_or_else(|| panic!("no answer: {answer}"));
    let status = head[9..12].parse().unwrap();
    let is_chunked = head
        .to_ascii_lowercase()
        .contains("transfer-encoding: chunked");
    let body = match is_chunked {
        true => joined(body),
        false => body.to_owned(),
    };
    Answer { status, body }
}

/// Asks as `user`, on a connection of its own.
pub async fn ask(
    operator: &Data<Operator>,
    user: u32,
    method: &str,
    path: &str,
    body: &[u8],
) -> Answer {
    let mut client = connect(operator, user).await;
    let head = head(method, path, body.len());
    client.write_all(head.as_bytes()).await.unwrap();
    // What is refused by its head is not read.
    let _ = client.write_all(body).await;
    answer(client).await
}

/// Asks as a viewer.
pub async fn get(operator: &Data<Operator>, path: &str) -> Answer {
    ask(operator, VIEWER, "GET", path, b"").await
}

/// Returns what came in chunks (RFC 9112, 7.1).
fn joined(mut body: &str) -> String {
    let mut text = String::new();
    while let Some((bytes, rest)) = body.split_once("\r\n") {
        let bytes = usize::from_str_radix(bytes, 16).unwrap();
        text.push_str(&rest[..bytes]);
        body = rest[bytes..].trim_start_matches("\r\n");
    }
    text
}
