//! Bodies that come out of the store while they are sent.

use std::future::poll_fn;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll, ready};

use actix_web::body::{BodySize, MessageBody};
use actix_web::web::Data;
use bytes::Bytes;
use futures_util::FutureExt;
use futures_util::future::LocalBoxFuture;
use tokio::task::spawn_blocking;

use super::State;
use super::pieces::{BLOCK_BYTES, PieceReader, ReadError};
use super::stored::Stored;

/// A body that is taken from the kept blocks where they have it, and else read from the store on blocking threads.
///
/// The next block is looked for when the one before was taken: nothing waits on a thread for a client that does not read.
/// On a failure the body ends in an error, which cuts the connection: an answer that is not whole must not look it.
pub struct StoredBody {
    state: Data<State>,
    stored: Arc<Stored>,
    size: u64,
    /// The offset of the next block.
    next: u64,
    end: u64,
    /// Whether its blocks begin where those of the whole do: others are not worth keeping.
    is_in_step: bool,
    /// Stands at `next`, or before it where blocks came from elsewhere.
    reader: Option<PieceReader>,
    reading: Option<LocalBoxFuture<'static, Result<Block, ReadError>>>,
    first: Option<Bytes>,
}

struct Block {
    bytes: Bytes,
    is_in_step: bool,
    reader: Option<PieceReader>,
}

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
        };
        body.first = poll_fn(|cx| body.poll_block(cx)).await.transpose()?;
        Ok(body)
    }

    fn poll_block(&mut self, cx: &mut Context<'_>) -> Poll<Option<Result<Bytes, ReadError>>> {
        if self.next == self.end {
            return Poll::Ready(None);
        }
        if self.reading.is_none() {
            let id = (self.stored.id(), self.next);
            if let Some(bytes) = self.state.blocks.get(id) {
                return Poll::Ready(Some(Ok(self.advance(bytes, true))));
            }
        }
        let reading = self.reading.get_or_insert_with(|| {
            let wanted = Wanted {
                state: self.state.clone(),
                stored: Arc::clone(&self.stored),
                start: self.next,
                end: self.end,
                is_in_step: self.is_in_step,
                reader: self.reader.take(),
            };
            wanted.read().boxed_local()
        });
        let read = ready!(reading.poll_unpin(cx));
        self.reading = None;
        Poll::Ready(Some(read.map(|block| {
            self.reader = block.reader;
            self.advance(block.bytes, block.is_in_step)
        })))
    }

    /// Passes over the block that begins at `next`, and returns as much of it as is wanted.
    fn advance(&mut self, mut block: Bytes, is_in_step: bool) -> Bytes {
        let rest = usize::try_from(self.end - self.next).unwrap_or(usize::MAX);
        block.truncate(rest);
        self.next += block.len() as u64;
        self.is_in_step = is_in_step;
        block
    }
}

/// A block that is not kept.
struct Wanted {
    state: Data<State>,
    stored: Arc<Stored>,
    start: u64,
    /// Where the body ends.
    end: u64,
    is_in_step: bool,
    /// Stands at `start`, or before.
    reader: Option<PieceReader>,
}

impl Wanted {
    /// Reads the block, or waits for another body that does.
    async fn read(mut self) -> Result<Block, ReadError> {
        let state = self.state.clone();
        let most_bytes = state.blocks.most_bytes();
        self.is_in_step &= most_bytes == BLOCK_BYTES;
        let mut to_read = None;
        if self.is_in_step {
            match state
                .blocks
                .get_or_read((self.stored.id(), self.start))
                .await
            {
                Ok(bytes) => {
                    return Ok(Block {
                        bytes,
                        is_in_step: true,
                        reader: self.reader,
                    });
                }
                Err(mine) => to_read = Some(mine),
            }
        }
        let mut reader = self.reader.take();
        loop {
            let (stored, store) = (Arc::clone(&self.stored), Arc::clone(&state.store));
            let (start, end) = (self.start, self.end);
            let is_in_step = self.is_in_step;
            let read = spawn_blocking(move || {
                let mut reader = match reader.filter(|reader| reader.offset() <= start) {
                    Some(reader) => reader,
                    None => {
                        let pieces = stored.pieces(&store)?;
                        // What is kept is kept in whole blocks.
                        let length = if is_in_step { u64::MAX } else { end - start };
                        PieceReader::new(store, pieces, start, length)
                    }
                };
                let offset = reader.offset();
                let block = reader.next_block(most_bytes)?;
                Ok::<_, ReadError>((reader, offset, block))
            });
            let read = read.await;
            let (stands, offset, bytes) =
                read.map_err(|lost| ReadError::Lost(lost.to_string()))??;
            if stands.remaining() == 0 && (offset < self.start || bytes.is_empty()) {
                return Err(ReadError::Short(self.start));
            }
            // None comes on the way to a range's first byte, and others than wanted where the reader was left behind.
            if offset < self.start || bytes.is_empty() {
                reader = Some(stands);
                continue;
            }
            let bytes = state.blocks.counted(bytes);
            if let Some(to_read) = to_read {
                // Refused only when it was removed meanwhile, which nobody does.
                let _ = to_read.insert(bytes.clone());
            }
            return Ok(Block {
                bytes,
                is_in_step,
                reader: Some(stands),
            });
        }
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
