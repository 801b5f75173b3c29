//! The TLS handshake of a connection, in its own task: whoever does not go on with it keeps nobody else waiting.
//!
//! Knows of TLS that it begins with a byte that is no letter: a client that speaks plain HTTP here is told so. A handshake
//! that fails is one line of the log at its level for details; it is most often somebody trying the port.

use std::future::poll_fn;
use std::io;
use std::pin::pin;
use std::time::Duration;

use futures_util::future::{Either, select};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::sync::watch;
use tokio::time::{sleep, timeout};

use super::connection::FIRST_REQUEST_GRACE;
use super::places::Place;
use super::transport::Transport;
use crate::crypto::tls::{self, Acceptor, TlsStream};

/// How long a client that spoke plain HTTP is read on, so that it sees why it was refused.
const LINGER: Duration = Duration::from_secs(2);

/// Bytes that are kept for one of many clients beyond those it has taken: one record (RFC 8446, 5.1).
const CROWDED_BYTES: usize = 16 << 10;

const REFUSAL: &str = "HTTP/1.1 400 Bad Request\r\nconnection: close\r\ncontent-type: text/plain; \
    charset=utf-8\r\nx-content-type-options: nosniff\r\ncontent-length: 66\r\n\r\nthis port speaks TLS: \
    ask it by an address that begins with https\n";

/// How a connection gets from being accepted to speaking HTTP.
#[derive(Debug, Clone)]
pub struct Handshake {
    /// What TLS is spoken with; `None` where none is.
    pub acceptor: Option<Acceptor>,
    /// How long it may take.
    pub time_out: Duration,
    /// Changes once, when the server is asked to stop.
    pub asked_to_stop: watch::Receiver<bool>,
}

impl Handshake {
    /// Returns `accepted` once HTTP can be spoken on it; `None` where it never will be.
    ///
    /// While the client is waited for, its `place` can be given to another.
    pub async fn shake(self, accepted: Transport, place: &Place) -> Option<Transport> {
        let (Some(acceptor), Transport::Tcp(stream)) = (self.acceptor, &accepted) else {
            return Some(accepted);
        };
        let peer = stream.peer_addr().ok();
        let Transport::Tcp(stream) = accepted else {
            return None;
        };
        let mut shaking = pin!(secured(acceptor, stream));
        let shaken = poll_fn(|cx| {
            let polled = shaking.as_mut().poll(cx);
            if polled.is_pending() {
                place.go_on_waiting();
            }
            polled
        });
        let mut asked_to_stop = self.asked_to_stop;
        let given_up = async {
            let asked = asked_to_stop.wait_for(|is_asked| *is_asked);
            if timeout(self.time_out, asked).await.is_ok() {
                sleep(FIRST_REQUEST_GRACE).await;
            }
        };
        let shaken = match select(pin!(shaken), pin!(given_up)).await {
            Either::Left((shaken, _)) => shaken,
            Either::Right(((), _)) => Err(io::ErrorKind::TimedOut.into()),
        };
        match shaken {
            Ok(mut stream) => {
                if place.is_in_a_crowd() {
                    tls::keep_at_most(&mut stream, CROWDED_BYTES);
                }
                Some(Transport::Tls(Box::new(stream)))
            }
            Err(error) => {
                tracing::debug!(?peer, %error, "no TLS handshake");
                None
            }
        }
    }
}

async fn secured(acceptor: Acceptor, mut stream: TcpStream) -> io::Result<TlsStream<TcpStream>> {
    let mut first = [0];
    if stream.peek(&mut first).await? == 0 {
        return Err(io::ErrorKind::UnexpectedEof.into());
    }
    if first[0].is_ascii_alphabetic() {
        refuse_plain_http(&mut stream).await?;
        return Err(io::Error::other("plain HTTP"));
    }
    acceptor.accept(stream).await
}

/// Says what is wrong, and reads on for a moment: a connection that is closed with something unread is reset, and its
/// client sees no answer.
async fn refuse_plain_http(stream: &mut TcpStream) -> io::Result<()> {
    let mut unread = [0; 1024];
    let _ = stream.read(&mut unread).await?;
    stream.write_all(REFUSAL.as_bytes()).await?;
    stream.shutdown().await?;
    let rest = async { while stream.read(&mut unread).await.is_ok_and(|bytes| bytes > 0) {} };
    let _ = timeout(LINGER, rest).await;
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_refusal_is_as_long_as_it_says() {
        let (head, body) = REFUSAL.split_once("\r\n\r\n").unwrap();
        assert!(
            head.ends_with(&format!("content-length: {}", body.len())),
            "{}",
            body.len()
        );
    }
}
