//! Plain bytes to what the store keeps: one raw deflate stream, or the bytes themselves where deflate gains nothing.

use libdeflater::{CompressionLvl, Compressor, Decompressor};

/// Encodes contents one after another, with one compressor.
pub(super) struct Encoder {
    compressor: Compressor,
    decompressor: Decompressor,
    inflated: Vec<u8>,
}

/// Deflate must take off more than one part in this many, else the bytes are kept plain: they then need no work to be
/// served, and pictures and models gain less.
const LEAST_GAIN: u64 = 32;

/// Of libdeflate's levels the one from which on size falls by less than it costs: see
/// `docs/decisions/0008-libdeflate-for-whole-contents.md`.
const LEVEL: i32 = 6;

impl Encoder {
    pub(super) fn new() -> Self {
        let level = CompressionLvl::new(LEVEL).expect("libdeflate's levels go from 0 to 12");
        Self {
            compressor: Compressor::new(level),
            decompressor: Decompressor::new(),
            inflated: Vec::new(),
        }
    }

    /// Returns the deflate stream that `plain` is to be kept as; `None` where it is to be kept plain.
    pub(super) fn encode(&mut self, plain: &[u8]) -> Option<Vec<u8>> {
        let mut deflated = self.deflate(plain);
        is_worth_it(plain.len() as u64, deflated.len() as u64).then(|| {
            deflated.shrink_to_fit();
            deflated
        })
    }

    /// As [`Self::encode`], where a zip has to come back with these very bytes: what does not inflate to them again is kept
    /// plain.
    pub(super) fn encode_proven(&mut self, plain: &[u8]) -> Option<Vec<u8>> {
        let deflated = self.encode(plain)?;
        if self.inflated.len() < plain.len() {
            self.inflated.resize(plain.len(), 0);
        }
        let target = self.inflated.get_mut(..plain.len())?;
        let inflated = self.decompressor.deflate_decompress(&deflated, target);
        (inflated.ok()? == plain.len() && target == plain).then_some(deflated)
    }

    /// Returns `plain` as one raw deflate stream, whatever it gains.
    pub(super) fn deflate(&mut self, plain: &[u8]) -> Vec<u8> {
        let mut deflated = vec![0; self.compressor.deflate_compress_bound(plain.len())];
        let bytes = self
            .compressor
            .deflate_compress(plain, &mut deflated)
            .expect("the buffer holds the worst case");
        deflated.truncate(bytes);
        deflated
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
        let deflated = encoder.encode(&text);
        assert_eq!(inflated(deflated.as_ref().unwrap()), text);
        assert_eq!(encoder.encode_proven(&text), deflated);
        for plain in [noise(10_000), Vec::new()] {
            assert_eq!(encoder.encode(&plain), None);
            assert_eq!(encoder.encode_proven(&plain), None);
        }
        // After a longer one, of which nothing is left over.
        assert!(encoder.encode_proven(&text[..1_200]).is_some());
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
