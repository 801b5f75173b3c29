//! Bodies that come out of the store while they are sent.

use std::pin::Pin;
use std::task::{Context, Poll, ready};

use actix_web::body::{BodySize, MessageBody};
use bytes::Bytes;
use futures_util::FutureExt;
use tokio::task::{JoinHandle, spawn_blocking};

use super::pieces::{PieceReader, ReadError};

/// A body that is read from the store on blocking threads, one block ahead of the client.
///
/// At most two blocks are in memory. On a failure it ends in an error, which cuts the connection: an answer that is not
/// whole must not look it.
pub struct StoredBody {
    bytes: u64,
    reading: Option<JoinHandle<ReadBlock>>,
}

type ReadBlock = (PieceReader, Result<Bytes, ReadError>);

impl StoredBody {
    /// Returns the body that `reader` reads, and begins to read it. Needs a runtime.
    pub fn new(reader: PieceReader) -> Self {
        Self {
            bytes: reader.remaining(),
            reading: read_on(reader),
        }
    }
}

fn read_on(mut reader: PieceReader) -> Option<JoinHandle<ReadBlock>> {
    (reader.remaining() > 0).then(|| {
        spawn_blocking(move || {
            let block = reader.next_block();
            (reader, block)
        })
    })
}

impl MessageBody for StoredBody {
    type Error = Box<dyn std::error::Error>;

    fn size(&self) -> BodySize {
        BodySize::Sized(self.bytes)
    }

    fn poll_next(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Bytes, Self::Error>>> {
        loop {
            let Some(reading) = &mut self.reading else {
                return Poll::Ready(None);
            };
            let read = ready!(reading.poll_unpin(cx));
            self.reading = None;
            let (reader, block) = read?;
            match block {
                Ok(block) => {
                    self.reading = read_on(reader);
                    if !block.is_empty() {
                        return Poll::Ready(Some(Ok(block)));
                    }
                }
                Err(error) => {
                    let cause = std::error::Error::source(&error).map(ToString::to_string);
                    tracing::error!(%error, cause, "an answer was cut");
                    return Poll::Ready(Some(Err(error.into())));
                }
            }
        }
    }
}

/// The body of an answer to HEAD: the length that GET would have, and no bytes.
pub struct Announced(pub u64);

impl MessageBody for Announced {
    type Error = std::convert::Infallible;

    fn size(&self) -> BodySize {
        BodySize::Sized(self.0)
    }

    fn poll_next(
        self: Pin<&mut Self>,
        _: &mut Context<'_>,
    ) -> Poll<Option<Result<Bytes, Self::Error>>> {
        Poll::Ready(None)
    }
}
