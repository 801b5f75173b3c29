//! What a connection's bytes travel over: TCP, TLS on it, or a Unix socket. One type for all, so that the service that
//! answers is compiled once.

use std::io;
use std::pin::Pin;
use std::task::{Context, Poll};

use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::net::{TcpStream, UnixStream};

use crate::admin::{OverTls, PeerUser};
use crate::crypto::tls::TlsStream;

/// A connection, after its handshake where it has one.
#[derive(Debug)]
pub enum Transport {
    /// Plain TCP.
    Tcp(TcpStream),
    /// TLS on TCP.
    Tls(Box<TlsStream<TcpStream>>),
    /// A Unix socket.
    Unix(UnixStream),
}

impl Transport {
    /// Returns the user at the other end, which only a Unix socket tells.
    pub fn peer_user(&self) -> Option<PeerUser> {
        match self {
            Self::Unix(stream) => Some(PeerUser(stream.peer_cred().ok()?.uid())),
            Self::Tcp(_) | Self::Tls(_) => None,
        }
    }

    /// Returns the mark of a connection that is TLS.
    pub fn over_tls(&self) -> Option<OverTls> {
        matches!(self, Self::Tls(_)).then_some(OverTls)
    }

    fn reader(&mut self) -> &mut (dyn AsyncRead + Unpin) {
        match self {
            Self::Tcp(stream) => stream,
            Self::Tls(stream) => stream,
            Self::Unix(stream) => stream,
        }
    }

    fn writer(&mut self) -> &mut (dyn AsyncWrite + Unpin) {
        match self {
            Self::Tcp(stream) => stream,
            Self::Tls(stream) => stream,
            Self::Unix(stream) => stream,
        }
    }
}

impl AsyncRead for Transport {
    fn poll_read(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        Pin::new(self.reader()).poll_read(cx, buffer)
    }
}

impl AsyncWrite for Transport {
    fn poll_write(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        Pin::new(self.writer()).poll_write(cx, bytes)
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(self.writer()).poll_flush(cx)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(self.writer()).poll_shutdown(cx)
    }
}
