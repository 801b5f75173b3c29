//! One line a request, written when the last byte of its answer was handed on or its client has gone; and its place in the
//! metrics.
//!
//! A line has no secrets: of the target its path and query, of the headers those of the client's program and of proxies that
//! are trusted. Bounded, since whoever asks writes it.
//!
//! Also tells the connection that a request is being answered, and the client that its connection ends when the server
//! is stopping: both need to know where a request begins and ends.

use std::net::IpAddr;
use std::pin::Pin;
use std::rc::Rc;
use std::sync::Arc;
use std::task::{Context, Poll, ready};
use std::time::{Duration, Instant};

use actix_web::body::{BodySize, BoxBody, MessageBody};
use actix_web::dev::{ServiceRequest, ServiceResponse};
use actix_web::http::header::USER_AGENT;
use actix_web::http::{ConnectionType, StatusCode};
use actix_web::web::Data;
use actix_web::{HttpMessage, HttpRequest};
use bytes::Bytes;
use tracing::Level;

use super::connection::{Answering, Connection};
use super::metrics::{InFlight, Metrics};
use crate::admin::{Kibanas, entrance};
use crate::api::access::{SharedAccess, User};

/// What lines of requests are called.
const REQUESTS: &str = "airlock::request";

/// Bytes of an answer that are handed on at a time where many are being answered. What is handed on is copied into the
/// connection's own buffer and stays there until the client takes it, and the buffer of a connection that idles afterwards
/// is as large as its fullest was. Where few are, whole blocks take fewer calls of the kernel.
const SLICE_BYTES: usize = 32 << 10;

/// Bytes of a path, query or program that the log takes.
const MOST_LOGGED_BYTES: usize = 1_024;

/// What looks at the requests of one listener.
#[derive(Debug, Clone)]
pub struct Watching {
    /// Whose word on their client is taken.
    pub access: SharedAccess,
    /// Where they are counted.
    pub metrics: Option<Arc<Metrics>>,
    /// Whether each is a line of the log.
    pub logs_requests: bool,
}

/// A request whose answer is not there yet.
pub struct Begun {
    at: Instant,
    watching: Rc<Watching>,
    in_flight: Option<InFlight>,
    connection: Option<Rc<Connection>>,
    answering: Option<Answering>,
}

impl Begun {
    /// Notes that `request` has come.
    pub fn new(request: &ServiceRequest, watching: &Rc<Watching>) -> Self {
        let connection = request.conn_data::<Rc<Connection>>().cloned();
        Self {
            at: Instant::now(),
            watching: Rc::clone(watching),
            in_flight: watching.metrics.as_ref().map(Metrics::begin),
            answering: connection.as_ref().map(Connection::answering),
            connection,
        }
    }

    /// Returns the answer with its body counted and logged.
    pub fn answered<B: MessageBody + 'static>(
        self,
        answer: ServiceResponse<B>,
    ) -> ServiceResponse<LoggedBody> {
        let request = answer.request().clone();
        let mut answer = answer.map_into_boxed_body();
        if self.connection.is_some_and(|c| c.is_ending()) {
            let head = answer.response_mut().head_mut();
            head.set_connection_type(ConnectionType::Close);
        }
        let status = answer.status();
        answer.map_body(|_, body| LoggedBody {
            body,
            rest: Bytes::new(),
            bytes: 0,
            line: Line {
                request,
                status,
                begun_at: self.at,
                watching: self.watching,
                _in_flight: self.in_flight,
            },
            answering: self.answering,
        })
    }
}

/// A body that is handed on in slices, counts what was taken of it and writes the request's line when it is dropped.
pub struct LoggedBody {
    body: BoxBody,
    rest: Bytes,
    bytes: u64,
    line: Line,
    answering: Option<Answering>,
}

impl MessageBody for LoggedBody {
    type Error = <BoxBody as MessageBody>::Error;

    fn size(&self) -> BodySize {
        self.body.size()
    }

    fn poll_next(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Bytes, Self::Error>>> {
        let this = &mut *self;
        if this.rest.is_empty() {
            match ready!(Pin::new(&mut this.body).poll_next(cx)) {
                Some(Ok(chunk)) => this.rest = chunk,
                end => return Poll::Ready(end),
            }
        }
        let is_crowded = this
            .answering
            .as_ref()
            .is_some_and(Answering::is_in_a_crowd);
        let most = if is_crowded { SLICE_BYTES } else { usize::MAX };
        let slice = this.rest.split_to(this.rest.len().min(most));
        this.bytes += slice.len() as u64;
        Poll::Ready(Some(Ok(slice)))
    }
}

impl Drop for LoggedBody {
    fn drop(&mut self) {
        self.line.end(self.bytes);
    }
}

struct Line {
    request: HttpRequest,
    status: StatusCode,
    begun_at: Instant,
    watching: Rc<Watching>,
    _in_flight: Option<InFlight>,
}

impl Line {
    fn end(&self, bytes: u64) {
        let took = self.begun_at.elapsed();
        if let Some(metrics) = &self.watching.metrics {
            metrics.count(&self.request, self.status, bytes, took);
        }
        let kibanas = self.request.app_data::<Data<Kibanas>>();
        if let (Some(version), Some(kibanas)) = (self.agent().and_then(kibana_version), kibanas) {
            let target = self.request.uri().path_and_query();
            let target = target.map_or("", |it| it.as_str());
            kibanas.note(version, self.client(), target, self.status.as_u16());
        }
        if self.watching.logs_requests && tracing::enabled!(target: REQUESTS, Level::INFO) {
            self.write(bytes, took);
        }
    }

    /// Returns what the client's program calls itself.
    fn agent(&self) -> Option<&str> {
        self.request.headers().get(USER_AGENT)?.to_str().ok()
    }

    /// Returns the address that asks; where proxies do not agree on it, the nearest one's.
    fn client(&self) -> Option<IpAddr> {
        let client = self.watching.access.load().client(&self.request);
        client.address.or(client.peer)
    }

    fn write(&self, bytes: u64, took: Duration) {
        let agent = self.agent();
        let kibana = agent.and_then(kibana_version);
        let uri = self.request.uri();
        let (path, query) = entrance::loggable(uri.path(), uri.query());
        let user = self.request.extensions().get::<User>().cloned();
        let id = self.watching.access.load().request_id(&self.request);
        let client = self.client();
        tracing::info!(
            target: REQUESTS,
            method = %bounded(self.request.method().as_str()),
            path = bounded(path),
            query = query.map(bounded),
            status = self.status.as_u16(),
            bytes,
            duration_ms = took.as_micros() as f64 / 1000.0,
            client = client.map(tracing::field::display),
            user = user.as_ref().map(|user| &*user.0),
            kibana,
            agent = agent.filter(|_| kibana.is_none()).map(bounded),
            id = %id.as_str(),
        );
    }
}

/// Returns the beginning of `text` that the log takes.
fn bounded(text: &str) -> &str {
    &text[..text.floor_char_boundary(MOST_LOGGED_BYTES)]
}

/// Returns the version in `Kibana/8.5.0 node-fetch`, as Kibana has called itself since 7.16.2.
pub fn kibana_version(user_agent: &str) -> Option<&str> {
    let version = user_agent.strip_prefix("Kibana/")?.split(' ').next()?;
    let is_plain = |b: u8| b.is_ascii_alphanumeric() || matches!(b, b'.' | b'-' | b'+');
    (!version.is_empty() && version.len() <= 32 && version.bytes().all(is_plain)).then_some(version)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn kibana_tells_its_version() {
        for (agent, expected) in [
            ("Kibana/8.5.0 node-fetch", Some("8.5.0")),
            ("Kibana/9.2.0-SNAPSHOT node-fetch", Some("9.2.0-SNAPSHOT")),
            ("Kibana/8.5.0", Some("8.5.0")),
            ("Kibana/ node-fetch", None),
            ("Kibana/8.5.0\"\x1b[0m", None),
            (
                "node-fetch/1.0 (+https://github.com/bitinn/node-fetch)",
                None,
            ),
            ("curl/8.5.0", None),
        ] {
            assert_eq!(kibana_version(agent), expected, "{agent}");
        }
        assert_eq!(kibana_version(&format!("Kibana/{}", "8".repeat(33))), None);
    }
}
