//! A gzip file around a deflate stream that is already there.
//!
//! RFC 1952: ten bytes before, the CRC-32 and the length of the plain bytes behind. All is known, so a stored stream goes
//! out without being touched and its `Content-Length` is known too.

use libdeflater::{CompressionLvl, Compressor};

/// What comes before the stream: no name, no time, no extra fields, from an unknown system.
pub const HEADER: [u8; 10] = [0x1f, 0x8b, 8, 0, 0, 0, 0, 0, 0, 0xff];

/// Bytes of header and trailer.
pub const OVERHEAD_BYTES: u64 = 18;

/// Returns what comes behind the stream of `size` plain bytes with `crc32`.
pub fn trailer(crc32: u32, size: u64) -> [u8; 8] {
    let mut trailer = [0; 8];
    trailer[..4].copy_from_slice(&crc32.to_le_bytes());
    // The format counts modulo 2^32.
    #[expect(clippy::cast_possible_truncation)]
    trailer[4..].copy_from_slice(&(size as u32).to_le_bytes());
    trailer
}

/// Returns `plain` as a gzip file, for what is made while it is asked for.
pub fn compress(plain: &[u8]) -> Vec<u8> {
    let level = CompressionLvl::new(LEVEL).expect("libdeflate's levels go from 0 to 12");
    let mut compressor = Compressor::new(level);
    let mut file = vec![0; compressor.gzip_compress_bound(plain.len())];
    let bytes = compressor
        .gzip_compress(plain, &mut file)
        .expect("the buffer holds the worst case");
    file.truncate(bytes);
    file.shrink_to_fit();
    file
}

/// A client waits for it: 256 kB take less than a millisecond.
const LEVEL: i32 = 1;

#[cfg(test)]
mod tests {
    use super::*;
    use std::io::{Read, Write};

    #[test]
    fn a_stored_stream_in_its_frame_is_a_gzip_file() {
        let plain = b"- version: 1.5.0\n".repeat(40);
        let mut encoder =
            flate2::write::DeflateEncoder::new(Vec::new(), flate2::Compression::new(6));
        encoder.write_all(&plain).unwrap();
        let stream = encoder.finish().unwrap();

        let mut file = HEADER.to_vec();
        file.extend(&stream);
        file.extend(trailer(crc32fast::hash(&plain), plain.len() as u64));
        assert_eq!(file.len() as u64, stream.len() as u64 + OVERHEAD_BYTES);

        let mut decoded = Vec::new();
        flate2::read::GzDecoder::new(&file[..])
            .read_to_end(&mut decoded)
            .unwrap();
        assert_eq!(decoded, plain);
    }
}
