//! What a server holds of TLS: it takes a stream and gives one back, and knows neither certificates nor protocols.

use std::io;
use std::sync::Arc;

use tokio::io::{AsyncRead, AsyncWrite};
use tokio_rustls::TlsAcceptor;

use super::served::ServedTls;

/// A stream after its handshake.
pub type TlsStream<T> = tokio_rustls::server::TlsStream<T>;

/// Speaks TLS with whatever certificate is in force when a connection comes.
#[derive(Debug, Clone)]
pub struct Acceptor(Arc<ServedTls>);

impl Acceptor {
    /// Returns one that speaks as `served` says.
    pub fn new(served: Arc<ServedTls>) -> Self {
        Self(served)
    }

    /// Returns `stream` after its handshake. Waits as long as the client likes: whoever calls bounds it. What a client
    /// sends before it has shown who it is is bounded by rustls, 64 KiB a message.
    pub async fn accept<T>(&self, stream: T) -> io::Result<TlsStream<T>>
    where
        T: AsyncRead + AsyncWrite + Unpin,
    {
        TlsAcceptor::from(self.0.config()).accept(stream).await
    }
}

/// Bounds the bytes that are kept, encrypted, for a client that takes none. Where few have to be kept, writing takes more
/// calls of the kernel: rustls keeps 64 KiB where nothing is said.
pub fn keep_at_most<T>(stream: &mut TlsStream<T>, bytes: usize) {
    stream.get_mut().1.set_buffer_limit(Some(bytes));
}
