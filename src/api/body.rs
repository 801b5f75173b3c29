//! Bodies that come out of the store while they are sent.

use std::future::poll_fn;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll, ready};

use actix_web::body::{BodySize, MessageBody};
use actix_web::web::Data;
use bytes::Bytes;
use futures_util::FutureExt;
use tokio::task::{JoinHandle, spawn_blocking};

use super::State;
use super::blocks::Room;
use super::pieces::{PieceReader, ReadError};
use super::stored::Stored;

/// A body that is taken from the kept blocks where they have it, and else read from the store on blocking threads.
///
/// The next block is looked for when the one before was taken: nothing waits on a thread, and a client that does not read
/// holds one block, a small one where many do so. On a failure the body ends in an error, which cuts the connection: an
/// answer that is not whole must not look it.
pub struct StoredBody {
    state: Data<State>,
    stored: Arc<Stored>,
    size: u64,
    /// The offset of the next block.
    next: u64,
    end: u64,
    /// Whether its blocks begin where those of the whole do: others are not worth keeping.
    is_in_step: bool,
    /// Stands at `next`.
    reader: Option<PieceReader>,
    reading: Option<JoinHandle<ReadBlock>>,
    first: Option<Bytes>,
    /// That of the block that was taken last, which its connection may still hold.
    room: Option<Room>,
}

type ReadBlock = Result<(PieceReader, Bytes, Room), ReadError>;

impl StoredBody {
    /// Returns the body of `length` bytes of `stored` from offset `start`, which lie within it, and reads its first block.
    ///
    /// Fails when that cannot be read: nothing has been sent by then.
    pub(super) async fn begin(
        state: Data<State>,
        stored: Stored,
        start: u64,
        length: u64,
    ) -> Result<Self, ReadError> {
        let mut body = Self {
            state,
            stored: Arc::new(stored),
            size: length,
            next: start,
            end: start + length,
            is_in_step: start == 0,
            reader: None,
            reading: None,
            first: None,
            room: None,
        };
        body.first = poll_fn(|cx| body.poll_block(cx)).await.transpose()?;
        Ok(body)
    }

    fn poll_block(&mut self, cx: &mut Context<'_>) -> Poll<Option<Result<Bytes, ReadError>>> {
        while self.next < self.end {
            let mut reading = match self.reading.take() {
                Some(reading) => reading,
                None => {
                    self.room = None;
                    let room = self.state.blocks.room();
                    if let Some(block) = self.state.blocks.get(self.stored.id(), self.next) {
                        // It stands behind from now on.
                        self.reader = None;
                        self.is_in_step = true;
                        return Poll::Ready(Some(Ok(self.advance(block, room))));
                    }
                    self.read_block(room)
                }
            };
            let Poll::Ready(read) = reading.poll_unpin(cx) else {
                self.reading = Some(reading);
                return Poll::Pending;
            };
            let (reader, block, room) = match read {
                Ok(Ok(read)) => read,
                Ok(Err(error)) => return Poll::Ready(Some(Err(error))),
                Err(lost) => return Poll::Ready(Some(Err(ReadError::Lost(lost.to_string())))),
            };
            self.reader = Some(reader);
            if !block.is_empty() {
                if self.is_in_step && room.is_ample() {
                    let blocks = &self.state.blocks;
                    blocks.keep(self.stored.id(), self.next, block.clone());
                }
                return Poll::Ready(Some(Ok(self.advance(block, room))));
            }
        }
        Poll::Ready(None)
    }

    /// Begins to read what comes next.
    fn read_block(&mut self, room: Room) -> JoinHandle<ReadBlock> {
        let (store, stored) = (Arc::clone(&self.state.store), Arc::clone(&self.stored));
        let (reader, start) = (self.reader.take(), self.next);
        // What is kept is kept in whole blocks.
        let length = if self.is_in_step {
            u64::MAX
        } else {
            self.end - start
        };
        spawn_blocking(move || {
            let mut reader = match reader {
                Some(reader) => reader,
                None => {
                    let pieces = stored.pieces(&store)?;
                    PieceReader::new(store, pieces, start, length)
                }
            };
            let block = reader.next_block(room.bytes())?;
            Ok((reader, block, room))
        })
    }

    /// Passes over the block that begins at `next`, and returns as much of it as is wanted and has room.
    fn advance(&mut self, mut block: Bytes, room: Room) -> Bytes {
        let wanted = usize::try_from(self.end - self.next).unwrap_or(usize::MAX);
        block.truncate(wanted.min(room.bytes()));
        self.is_in_step &= room.is_ample();
        self.next += block.len() as u64;
        self.room = Some(room);
        block
    }
}

impl MessageBody for StoredBody {
    type Error = Box<dyn std::error::Error>;

    fn size(&self) -> BodySize {
        BodySize::Sized(self.size)
    }

    fn poll_next(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Bytes, Self::Error>>> {
        if let Some(first) = self.first.take() {
            return Poll::Ready(Some(Ok(first)));
        }
        let block = ready!(self.poll_block(cx));
        Poll::Ready(block.map(|block| {
            block.map_err(|error| {
                let cause = std::error::Error::source(&error).map(ToString::to_string);
                tracing::error!(%error, cause, "an answer was cut");
                error.into()
            })
        }))
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
