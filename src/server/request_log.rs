//! One line a request, written when the last byte of its answer was handed on or its client has gone.
//!
//! Also tells the connection that a request is being answered, and the client that its connection ends when the server
//! is stopping: both need to know where a request begins and ends.

use std::pin::Pin;
use std::rc::Rc;
use std::task::{Context, Poll, ready};
use std::time::Instant;

use actix_web::HttpRequest;
use actix_web::body::{BodySize, BoxBody, MessageBody};
use actix_web::dev::{ServiceRequest, ServiceResponse};
use actix_web::http::header::USER_AGENT;
use actix_web::http::{ConnectionType, StatusCode};
use actix_web::web::Data;
use bytes::Bytes;

use super::connection::{Answering, Connection};
use crate::admin::Kibanas;

/// Bytes of an answer that are handed on at a time where many are being answered. What is handed on is copied into the
/// connection's own buffer and stays there until the client takes it, and the buffer of a connection that idles afterwards
/// is as large as its fullest was. Where few are, whole blocks take fewer calls of the kernel.
const SLICE_BYTES: usize = 32 << 10;

/// A request whose answer is not there yet.
pub struct Begun {
    at: Instant,
    connection: Option<Rc<Connection>>,
    answering: Option<Answering>,
}

impl Begun {
    /// Notes that `request` has come.
    pub fn new(request: &ServiceRequest) -> Self {
        let connection = request.conn_data::<Rc<Connection>>().cloned();
        Self {
            at: Instant::now(),
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
        self.line.write(self.bytes);
    }
}

struct Line {
    request: HttpRequest,
    status: StatusCode,
    begun_at: Instant,
}

impl Line {
    fn write(&self, bytes: u64) {
        let kibana = self.request.headers().get(USER_AGENT);
        let kibana = kibana.and_then(|agent| kibana_version(agent.to_str().ok()?));
        let kibanas = self.request.app_data::<Data<Kibanas>>();
        if let (Some(version), Some(kibanas)) = (kibana, kibanas) {
            kibanas.note(version, self.request.peer_addr().map(|peer| peer.ip()));
        }
        tracing::info!(
            target: "airlock::request",
            method = %self.request.method(),
            path = self.request.uri().path(),
            status = self.status.as_u16(),
            bytes,
            duration_ms = self.begun_at.elapsed().as_micros() as f64 / 1000.0,
            kibana,
        );
    }
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
