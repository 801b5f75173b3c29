//! Bodies that come out of the store while they are sent.

use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll, ready};

use actix_web::body::{BodySize, MessageBody};
use actix_web::web::Data;
use bytes::Bytes;
use futures_util::FutureExt;
use quick_cache::Weighter;
use quick_cache::sync::Cache;
use tokio::task::{JoinHandle, spawn_blocking};

use super::State;
use super::pieces::{PieceReader, ReadError};
use super::stored::{Stored, StoredId};

/// Bytes of all blocks that are kept in memory.
const KEPT_BYTES: u64 = 16 << 20;
/// How many of them the cache expects: most are as large as a chunk of the store.
const EXPECTED_BLOCKS: usize = 128;

/// Blocks that were sent lately, by what they are of and where they begin: the Kibanas of a site install the same
/// packages, and what is inflated and checked once need not be so again.
#[derive(Debug)]
pub(super) struct Blocks(Cache<(StoredId, u64), Bytes, ByBytes>);

#[derive(Debug, Clone)]
struct ByBytes;

impl Default for Blocks {
    fn default() -> Self {
        Self(Cache::with_weighter(EXPECTED_BLOCKS, KEPT_BYTES, ByBytes))
    }
}

impl Weighter<(StoredId, u64), Bytes> for ByBytes {
    fn weight(&self, _: &(StoredId, u64), block: &Bytes) -> u64 {
        block.len() as u64 + 128
    }
}

/// A body that is taken from the kept blocks where they have it, and else read from the store on blocking threads.
///
/// One block is in memory. On a failure it ends in an error, which cuts the connection: an answer that is not whole must
/// not look it.
pub struct StoredBody {
    state: Data<State>,
    stored: Arc<Stored>,
    /// The offset of the next block.
    next: u64,
    end: u64,
    size: u64,
    /// Whether its blocks begin where those of the whole do. Blocks of ranges that begin anywhere are not worth keeping.
    is_kept: bool,
    /// Stands at `next`.
    reader: Option<PieceReader>,
    reading: Option<JoinHandle<ReadBlock>>,
    first: Option<Bytes>,
}

type ReadBlock = Result<(PieceReader, Bytes), ReadError>;

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
            next: start,
            end: start + length,
            size: length,
            is_kept: start == 0,
            reader: None,
            reading: None,
            first: None,
        };
        body.first = std::future::poll_fn(|cx| body.poll_block(cx))
            .await
            .transpose()?;
        Ok(body)
    }

    fn poll_block(&mut self, cx: &mut Context<'_>) -> Poll<Option<Result<Bytes, ReadError>>> {
        while self.next < self.end {
            if let Some(block) = self.kept() {
                return Poll::Ready(Some(Ok(self.advance(block))));
            }
            let (store, stored) = (&self.state.store, &self.stored);
            let reading = self.reading.get_or_insert_with(|| {
                let (store, stored) = (Arc::clone(store), Arc::clone(stored));
                let (reader, start) = (self.reader.take(), self.next);
                // What is kept is kept in whole blocks.
                let length = if self.is_kept {
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
                    let block = reader.next_block()?;
                    Ok((reader, block))
                })
            });
            let read = ready!(reading.poll_unpin(cx));
            self.reading = None;
            match read {
                Ok(Ok((reader, block))) => {
                    self.reader = Some(reader);
                    if !block.is_empty() {
                        if self.is_kept {
                            let id = (self.stored.id(), self.next);
                            self.state.blocks.0.insert(id, block.clone());
                        }
                        return Poll::Ready(Some(Ok(self.advance(block))));
                    }
                }
                Ok(Err(error)) => return Poll::Ready(Some(Err(error))),
                Err(lost) => return Poll::Ready(Some(Err(ReadError::Lost(lost.to_string())))),
            }
        }
        Poll::Ready(None)
    }

    /// Returns the kept block that is next.
    fn kept(&mut self) -> Option<Bytes> {
        if self.reading.is_some() {
            return None;
        }
        let block = self.state.blocks.0.get(&(self.stored.id(), self.next))?;
        // It stands behind from now on.
        self.reader = None;
        self.is_kept = true;
        Some(block)
    }

    /// Passes over a block that begins at `next`, and returns as much of it as is wanted.
    fn advance(&mut self, mut block: Bytes) -> Bytes {
        let wanted = usize::try_from(self.end - self.next).unwrap_or(usize::MAX);
        block.truncate(wanted);
        self.next += block.len() as u64;
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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::store::artifacts::ArtifactId;

    #[test]
    fn blocks_are_kept_within_a_bound_in_bytes() {
        let blocks = Blocks::default();
        let block = Bytes::from(vec![0; 256 << 10]);
        for number in 0..1000 {
            let id = StoredId::Zip(ArtifactId(number));
            blocks.0.insert((id, 0), block.clone());
        }
        assert!(blocks.0.weight() <= KEPT_BYTES, "{}", blocks.0.weight());
        assert!(blocks.0.len() > 32, "{}", blocks.0.len());
    }
}
