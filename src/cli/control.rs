//! The client of a running server: the JSON API over `control.sock`.

use std::io::{self, Read};
use std::os::unix::net::UnixStream;
use std::path::PathBuf;
use std::sync::{Arc, OnceLock};

use bytes::Bytes;
use http_body_util::combinators::BoxBody;
use http_body_util::{BodyExt, Empty, Full, StreamBody};
use hyper::body::Frame;
use hyper::header::{CONTENT_TYPE, HOST};
use hyper::{Method, Request};
use hyper_util::rt::TokioIo;
use serde::Serialize;
use serde::de::DeserializeOwned;
use tokio::sync::mpsc;

use crate::admin::Failure;

/// Asks the server that owns a store.
#[derive(Debug, Clone)]
pub(super) struct ControlClient {
    socket: PathBuf,
}

/// Why the server could not be asked.
#[derive(Debug, thiserror::Error)]
pub(super) enum ControlError {
    #[error("cannot reach the server at {}", path.display())]
    Connect {
        path: PathBuf,
        source: std::io::Error,
    },
    #[error("the connection to the server broke")]
    Http(#[from] hyper::Error),
    #[error("the request cannot be made")]
    Request(#[from] hyper::http::Error),
    #[error("cannot write the request")]
    Encode(#[from] serde_json::Error),
    #[error("cannot write the parameters")]
    Parameters(#[from] serde_urlencoded::ser::Error),
    #[error("cannot read the source")]
    Source(#[from] std::io::Error),
    #[error("the server answered {status}, and not as this version expects")]
    Answer { status: u16 },
}

/// Bytes of the source sent at once.
const PIECE_BYTES: usize = 256 << 10;

impl From<ControlError> for Failure {
    fn from(error: ControlError) -> Self {
        let causes =
            std::iter::successors(std::error::Error::source(&error), |cause| cause.source());
        Self {
            causes: causes.map(ToString::to_string).collect(),
            kind: "control".to_owned(),
            similar: None,
            offset: None,
            error: error.to_string(),
        }
    }
}

impl ControlClient {
    /// Finds the server that answers at the first of `sockets` where one does; says of the first why not where none does.
    pub(super) fn connect_first(sockets: &[PathBuf]) -> Result<Self, ControlError> {
        let mut failed = None;
        for socket in sockets {
            match UnixStream::connect(socket) {
                Ok(_) => {
                    return Ok(Self {
                        socket: socket.clone(),
                    });
                }
                Err(source) => {
                    let path = socket.clone();
                    failed.get_or_insert(ControlError::Connect { path, source });
                }
            }
        }
        Err(failed.unwrap_or(ControlError::Answer { status: 0 }))
    }

    pub(super) fn get<T: DeserializeOwned>(
        &self,
        path: &str,
        parameters: &impl Serialize,
    ) -> Result<T, Failure> {
        self.send(Method::GET, path, parameters, empty())
    }

    pub(super) fn delete<T: DeserializeOwned>(&self, path: &str) -> Result<T, Failure> {
        self.send(Method::DELETE, path, &(), empty())
    }

    pub(super) fn put<T: DeserializeOwned>(
        &self,
        path: &str,
        value: &impl Serialize,
    ) -> Result<T, Failure> {
        self.send(Method::PUT, path, &(), json(value)?)
    }

    pub(super) fn post<T: DeserializeOwned>(
        &self,
        path: &str,
        value: &impl Serialize,
    ) -> Result<T, Failure> {
        self.send(Method::POST, path, &(), json(value)?)
    }

    /// Streams `source` as the body of a request.
    pub(super) fn upload<T: DeserializeOwned>(
        &self,
        path: &str,
        parameters: &impl Serialize,
        mut source: Box<dyn Read + Send>,
    ) -> Result<T, Failure> {
        let (pieces, mut received) = mpsc::channel::<Result<Bytes, ControlError>>(4);
        let failure = Arc::new(OnceLock::new());
        let failed = Arc::clone(&failure);
        std::thread::spawn(move || {
            loop {
                let mut piece = vec![0; PIECE_BYTES];
                let sent = match source.read(&mut piece) {
                    Ok(0) => return,
                    Ok(bytes) => {
                        piece.truncate(bytes);
                        pieces.blocking_send(Ok(piece.into()))
                    }
                    Err(error) => {
                        // The request breaks off, so that the server does not take the half for the whole.
                        let broken = Err(io::Error::from(error.kind()).into());
                        let _ = failed.set(Failure::from(ControlError::Source(error)));
                        pieces.blocking_send(broken)
                    }
                };
                // Nobody takes more pieces: the server has answered, and its answer says why.
                if sent.is_err() {
                    return;
                }
            }
        });
        let stream = futures_util::stream::poll_fn(move |context| received.poll_recv(context));
        let frames = futures_util::StreamExt::map(stream, |piece| piece.map(Frame::data));
        let body = BodyExt::boxed(StreamBody::new(frames));
        let answer = self.send(Method::POST, path, parameters, body);
        match failure.get() {
            Some(failure) => Err(failure.clone()),
            None => answer,
        }
    }

    fn send<T: DeserializeOwned>(
        &self,
        method: Method,
        path: &str,
        parameters: &impl Serialize,
        body: Body,
    ) -> Result<T, Failure> {
        let (status, answer) = self.exchange(method, path, parameters, body)?;
        if (200..300).contains(&status) {
            Ok(serde_json::from_slice(&answer).map_err(|_| ControlError::Answer { status })?)
        } else {
            Err(serde_json::from_slice(&answer)
                .unwrap_or_else(|_| ControlError::Answer { status }.into()))
        }
    }

    fn exchange(
        &self,
        method: Method,
        path: &str,
        parameters: &impl Serialize,
        body: Body,
    ) -> Result<(u16, Bytes), ControlError> {
        let query = serde_urlencoded::to_string(parameters)?;
        let request = Request::builder()
            .method(method)
            .uri(format!("/admin/api/v1{path}?{query}"))
            .header(HOST, "localhost")
            .header(CONTENT_TYPE, "application/json")
            .body(body)?;
        let runtime = tokio::runtime::Builder::new_current_thread()
            .enable_all()
            .build()?;
        runtime.block_on(async {
            let connect = |source| ControlError::Connect {
                path: self.socket.clone(),
                source,
            };
            let stream = tokio::net::UnixStream::connect(&self.socket)
                .await
                .map_err(connect)?;
            let (mut sender, connection) =
                hyper::client::conn::http1::handshake(TokioIo::new(stream)).await?;
            let connection = tokio::spawn(connection);
            let response = sender.send_request(request).await?;
            let status = response.status().as_u16();
            let answer = response.into_body().collect().await?.to_bytes();
            connection.abort();
            Ok((status, answer))
        })
    }
}

type Body = BoxBody<Bytes, ControlError>;

fn empty() -> Body {
    Empty::new().map_err(|never| match never {}).boxed()
}

fn json(value: &impl Serialize) -> Result<Body, ControlError> {
    Ok(Full::new(Bytes::from(serde_json::to_vec(value)?))
        .map_err(|never| match never {})
        .boxed())
}
