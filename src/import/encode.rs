//! Plain bytes to what the store keeps: one raw deflate stream, or the bytes themselves where deflate gains nothing.

use flate2::{Compress, Compression, FlushCompress, Status};

use crate::store::streams::Coding;

/// Encodes contents one after another, with one compressor.
pub(super) struct Encoder {
    compress: Compress,
}

/// Deflate must take off more than one part in this many, else the bytes are kept plain: they then need no work to be
/// served, and pictures and models gain less.
const LEAST_GAIN: u64 = 32;

impl Encoder {
    pub(super) fn new() -> Self {
        Self {
            compress: Compress::new(Compression::new(6), false),
        }
    }

    /// Returns how `plain` is to be kept, and the deflate stream where that is it.
    pub(super) fn encode(&mut self, plain: &[u8]) -> (Coding, Option<Vec<u8>>) {
        let mut deflated = self.deflate(plain);
        if is_worth_it(plain.len() as u64, deflated.len() as u64) {
            deflated.shrink_to_fit();
            (Coding::Deflate, Some(deflated))
        } else {
            (Coding::Plain, None)
        }
    }

    /// Returns `plain` as one raw deflate stream, whatever it gains.
    pub(super) fn deflate(&mut self, plain: &[u8]) -> Vec<u8> {
        self.compress.reset();
        // Stored blocks are deflate's worst case: 5 bytes for each 64 KiB, and a few at the end.
        let mut deflated = Vec::with_capacity(plain.len() + plain.len() / 1024 + 64);
        loop {
            let taken = self.compress.total_in() as usize;
            let status =
                self.compress
                    .compress_vec(&plain[taken..], &mut deflated, FlushCompress::Finish);
            match status.expect("compressing into memory cannot fail") {
                Status::StreamEnd => return deflated,
                Status::Ok | Status::BufError => deflated.reserve(64 << 10),
            }
        }
    }
}

/// Tells whether a deflate stream of `deflated_bytes` is worth keeping in place of `plain_bytes` plain ones.
pub(super) fn is_worth_it(plain_bytes: u64, deflated_bytes: u64) -> bool {
    deflated_bytes < plain_bytes - plain_bytes / LEAST_GAIN
}

#[cfg(test)]
mod tests {
    use std::io::Read;

    use super::*;

    fn inflated(deflated: &[u8]) -> Vec<u8> {
        let mut plain = Vec::new();
        flate2::read::DeflateDecoder::new(deflated)
            .read_to_end(&mut plain)
            .unwrap();
        plain
    }

    /// Bytes without any pattern that deflate could find.
    fn noise(bytes: usize) -> Vec<u8> {
        let mut state = 0x9e37_79b9_7f4a_7c15_u64;
        std::iter::repeat_with(|| {
            state ^= state << 13;
            state ^= state >> 7;
            state ^= state << 17;
            (state >> 32) as u8
        })
        .take(bytes)
        .collect()
    }

    #[test]
    fn text_is_deflated_and_noise_is_kept_plain() {
        let mut encoder = Encoder::new();
        let text = b"name: nginx\n".repeat(1000);
        let (coding, deflated) = encoder.encode(&text);
        assert_eq!(
            (coding, inflated(&deflated.unwrap())),
            (Coding::Deflate, text)
        );
        assert_eq!(encoder.encode(&noise(10_000)), (Coding::Plain, None));
        assert_eq!(encoder.encode(b""), (Coding::Plain, None));
    }

    #[test]
    fn any_size_survives_a_compressor_that_was_used_before() {
        let mut encoder = Encoder::new();
        for bytes in [0, 1, 100, 65_536, 3_000_000] {
            let plain = noise(bytes);
            assert_eq!(inflated(&encoder.deflate(&plain)), plain, "{bytes} bytes");
        }
    }
}
