//! Bodies that come out of the store while they are sent.

use std::pin::Pin;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::task::{Context, Poll, ready};

use actix_web::body::{BodySize, MessageBody};
use bytes::Bytes;
use futures_util::FutureExt;
use tokio::task::{JoinHandle, spawn_blocking};

use super::pieces::{BLOCK_BYTES, PieceReader, ReadError};

/// Bytes that all blocks together may have while each is as large as it can be. It is what slow clients hold.
const BLOCKS_BYTES: usize = 32 << 20;

/// Bytes of a block once there are more.
const SMALL_BLOCK_BYTES: usize = 16 << 10;

/// Bytes of the blocks that wait for their clients, in this process.
static HELD_BYTES: AtomicUsize = AtomicUsize::new(0);

/// A body that is read from the store on blocking threads, a block at a time.
///
/// The next block is read when the one before was taken, while the connection sends it: nothing waits on a thread, and a
/// client that does not read holds one block, a small one where many do so. On a failure it ends in an error, which cuts
/// the connection: an answer that is not whole must not look it.
pub struct StoredBody {
    bytes: u64,
    reading: Option<JoinHandle<ReadBlock>>,
    given_out: Option<(PieceReader, Room)>,
}

type ReadBlock = (PieceReader, Result<Bytes, ReadError>, Room);

/// What a block takes of [`BLOCKS_BYTES`], until it is dropped.
struct Room(usize);

impl Room {
    fn take() -> Self {
        let is_scarce = HELD_BYTES.load(Ordering::Relaxed) + BLOCK_BYTES > BLOCKS_BYTES;
        let bytes = if is_scarce {
            SMALL_BLOCK_BYTES
        } else {
            BLOCK_BYTES
        };
        HELD_BYTES.fetch_add(bytes, Ordering::Relaxed);
        Self(bytes)
    }
}

impl Drop for Room {
    fn drop(&mut self) {
        HELD_BYTES.fetch_sub(self.0, Ordering::Relaxed);
    }
}

impl StoredBody {
    /// Returns the body that `reader` reads, and begins to read it. Needs a runtime.
    pub fn new(reader: PieceReader) -> Self {
        Self {
            bytes: reader.remaining(),
            reading: read_on(reader),
            given_out: None,
        }
    }
}

fn read_on(mut reader: PieceReader) -> Option<JoinHandle<ReadBlock>> {
    (reader.remaining() > 0).then(|| {
        let room = Room::take();
        spawn_blocking(move || {
            let block = reader.next_block(room.0);
            (reader, block, room)
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
            if let Some((reader, room)) = self.given_out.take() {
                drop(room);
                self.reading = read_on(reader);
            }
            let Some(reading) = &mut self.reading else {
                return Poll::Ready(None);
            };
            let read = ready!(reading.poll_unpin(cx));
            self.reading = None;
            let (reader, block, room) = read?;
            match block {
                Ok(block) => {
                    self.given_out = Some((reader, room));
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
