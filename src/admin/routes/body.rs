//! A request's body on its way to the thread that imports.

use std::io::{self, Read};

use actix_web::web::{Bytes, Payload};
use futures_util::StreamExt;
use tokio::sync::mpsc;

/// Carries the chunks of a request's body to the thread that imports, an empty one at its proper end; a client that goes
/// away is an error there.
pub(super) async fn feed(mut body: Payload, chunks: mpsc::Sender<io::Result<Bytes>>) {
    while let Some(chunk) = body.next().await {
        if chunk.as_ref().is_ok_and(Bytes::is_empty) {
            continue;
        }
        let chunk = chunk
            .map_err(|error| io::Error::new(io::ErrorKind::ConnectionAborted, error.to_string()));
        if chunks.send(chunk).await.is_err() {
            return;
        }
    }
    let _ = chunks.send(Ok(Bytes::new())).await;
}

/// Reads the chunks that [`feed`] carries.
pub(super) struct BodyReader {
    chunks: mpsc::Receiver<io::Result<Bytes>>,
    current: Bytes,
    is_at_end: bool,
}

impl BodyReader {
    pub(super) fn channel() -> (mpsc::Sender<io::Result<Bytes>>, Self) {
        let (sender, chunks) = mpsc::channel(4);
        (
            sender,
            Self {
                chunks,
                current: Bytes::new(),
                is_at_end: false,
            },
        )
    }
}

impl Read for BodyReader {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        if self.current.is_empty() && !self.is_at_end {
            // A channel that ends without the mark of the end was dropped with its connection.
            let broken_off =
                || io::Error::new(io::ErrorKind::ConnectionAborted, "the upload broke off");
            self.current = self.chunks.blocking_recv().ok_or_else(broken_off)??;
            self.is_at_end = self.current.is_empty();
        }
        let bytes = self.current.len().min(buffer.len());
        buffer[..bytes].copy_from_slice(&self.current.split_to(bytes));
        Ok(bytes)
    }
}
