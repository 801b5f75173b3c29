//! Reading a content of the store back, plain, a chunk at a time.

use flate2::{Decompress, FlushDecompress, Status};

use super::error::ImportError;
use crate::store::contents::ContentId;
use crate::store::streams::{self, Coding};
use crate::store::{Store, StoreError};

/// Hands the plain bytes of a content to `each`, piece by piece; at most one chunk and its plain form are in memory.
pub(super) fn content_reader(
    store: &Store,
    content: ContentId,
    mut each: impl FnMut(&[u8]),
) -> Result<(), ImportError> {
    let missing = || StoreError::Invalid {
        what: "content",
        value: content.0.to_string(),
    };
    let stream = store
        .read(|conn| streams::of_content(conn, content))?
        .ok_or_else(missing)?;
    let mut inflate = Decompress::new(false);
    let mut plain = Vec::with_capacity(streams::CHUNK_BYTES);
    for number in 0..stream.chunks() {
        let chunk = store
            .read(|conn| streams::chunk(conn, stream.id, number))?
            .ok_or_else(missing)?;
        if stream.coding == Coding::Plain {
            each(&chunk);
            continue;
        }
        let mut taken = 0;
        loop {
            plain.clear();
            let before = inflate.total_in();
            let status = inflate
                .decompress_vec(&chunk[taken..], &mut plain, FlushDecompress::None)
                .map_err(|_| StoreError::Damaged {
                    stream: stream.id.0,
                    number,
                })?;
            taken += (inflate.total_in() - before) as usize;
            each(&plain);
            let is_out_full = plain.len() == plain.capacity();
            if status == Status::StreamEnd || (taken == chunk.len() && !is_out_full) {
                break;
            }
        }
    }
    Ok(())
}
