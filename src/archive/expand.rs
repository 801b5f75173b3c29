//! The one layer of compression around a tar, undone as a stream.
//!
//! Memory is the decoder's: bounded by `Limits::zstd_window_log` and `Limits::xz_memory_bytes`. Time is bounded by the
//! ratio of bytes out to bytes in, `Limits::expansion_ratio`: a few kilobytes must not cost minutes of zeros.

use std::io::{self, BufReader, Read};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

use flate2::bufread::MultiGzDecoder;
use liblzma::bufread::XzDecoder;
use zstd::zstd_safe::zstd_sys::ZSTD_ErrorCode;

use super::error::{ArchiveError, Place};
use super::image::Span;
use super::source::{Format, Raw, ReadCounter};
use crate::crypto::Hasher;
use crate::limits::Limits;

/// Bytes asked of the source at once: few system calls, and what a processor's own cache holds until they are hashed.
const SOURCE_BUFFER_BYTES: usize = 256 << 10;

/// `LZMA_CONCATENATED` of liblzma's `container.h`: read all streams of a file, as `xz -d` does.
const XZ_CONCATENATED: u32 = 0x08;

type Buffered = BufReader<ReadCounter<Raw>>;

/// A reader of what is inside the layer.
pub(super) struct Expanded {
    layer: Layer,
    format: Format,
    bytes_in: Arc<AtomicU64>,
    bytes_out: u64,
    hasher: Option<Arc<Mutex<Hasher>>>,
    limits: Limits,
}

enum Layer {
    Plain(Buffered),
    /// A file that can be read from anywhere; its tar is looked through without its contents.
    Seekable(Span),
    // Boxed: the decoders' states are large beside the others.
    Gzip(Box<MultiGzDecoder<Buffered>>),
    Zstd(Box<zstd::Decoder<'static, Buffered>>),
    Xz(Box<XzDecoder<Buffered>>),
    /// After a fault nothing that a decoder says can be trusted.
    Failed,
}

impl Expanded {
    /// Undoes the layer that `format` says; a tar or anything unknown is passed on as it is.
    pub(super) fn new(raw: Raw, format: Format, limits: &Limits) -> Result<Self, ArchiveError> {
        let bytes_in = Arc::new(AtomicU64::new(0));
        let counted = ReadCounter::new(raw, Arc::clone(&bytes_in));
        let buffered = BufReader::with_capacity(SOURCE_BUFFER_BYTES, counted);
        let layer = match format {
            Format::TarGzip => Layer::Gzip(Box::new(MultiGzDecoder::new(buffered))),
            Format::TarZstd => {
                let mut decoder = zstd::Decoder::with_buffer(buffered)?;
                decoder.window_log_max(limits.zstd_window_log)?;
                Layer::Zstd(Box::new(decoder))
            }
            Format::TarXz => {
                let stream = liblzma::stream::Stream::new_stream_decoder(
                    limits.xz_memory_bytes,
                    XZ_CONCATENATED,
                )
                .map_err(io::Error::from)?;
                Layer::Xz(Box::new(XzDecoder::new_stream(buffered, stream)))
            }
            Format::Tar | Format::Zip | Format::Directory => Layer::Plain(buffered),
        };
        Ok(Self {
            layer,
            format,
            bytes_in,
            bytes_out: 0,
            hasher: None,
            limits: limits.clone(),
        })
    }

    /// Takes a tar that is not compressed and can be read from anywhere.
    pub(super) fn seekable(span: Span, limits: &Limits) -> Self {
        Self {
            layer: Layer::Seekable(span),
            format: Format::Tar,
            bytes_in: Arc::default(),
            bytes_out: 0,
            hasher: None,
            limits: limits.clone(),
        }
    }

    /// Hands what is inside the layer to `hasher` as well, as it is read.
    pub(super) fn hashed(mut self, hasher: Arc<Mutex<Hasher>>) -> Self {
        self.hasher = Some(hasher);
        self
    }

    /// Passes over bytes without reading them; `false` where that cannot be.
    pub(super) fn pass_over(&mut self, bytes: u64) -> bool {
        match &mut self.layer {
            Layer::Seekable(span) => {
                span.skip(bytes);
                true
            }
            _ => false,
        }
    }

    /// Returns the bytes that went in and came out.
    pub(super) fn traffic(&self) -> (u64, u64) {
        (self.bytes_in.load(Ordering::Relaxed), self.bytes_out)
    }

    /// Returns the layer, for messages.
    pub(super) fn format(&self) -> Format {
        self.format
    }

    fn check_ratio(&self) -> Result<(), ArchiveError> {
        let ratio = match self.format {
            Format::TarXz => self.limits.xz_expansion_ratio,
            _ => self.limits.expansion_ratio,
        };
        let bytes_in = self.bytes_in.load(Ordering::Relaxed);
        let allowed = bytes_in
            .saturating_mul(ratio)
            .saturating_add(self.limits.expansion_free_bytes);
        if self.bytes_out > allowed {
            return Err(ArchiveError::ExpandsTooFar {
                place: Place::Start,
                ratio,
            });
        }
        Ok(())
    }

    /// Tells a source that failed, a limit that was hit and damaged bytes apart.
    fn explain(&self, error: io::Error) -> ArchiveError {
        if error
            .get_ref()
            .is_some_and(|inner| inner.is::<ArchiveError>())
        {
            return error.into();
        }
        if error.kind() == io::ErrorKind::UnexpectedEof {
            return ArchiveError::Truncated {
                place: Place::Start,
            };
        }
        let zstd_error = error
            .get_ref()
            .and_then(|inner| inner.downcast_ref::<zstd::Error>());
        if zstd_error
            .is_some_and(|e| e.is(ZSTD_ErrorCode::ZSTD_error_frameParameter_windowTooLarge))
        {
            return ArchiveError::WindowTooLarge {
                limit_log: self.limits.zstd_window_log,
            };
        }
        let xz_error = error.get_ref().and_then(|inner| inner.downcast_ref());
        if xz_error == Some(&liblzma::stream::Error::MemLimit) {
            return ArchiveError::MemoryTooLarge {
                limit_bytes: self.limits.xz_memory_bytes,
            };
        }
        ArchiveError::Damaged {
            place: Place::Start,
            why: format!("{} says: {error}", self.format),
        }
    }
}

impl Read for Expanded {
    fn read(&mut self, buf: &mut [u8]) -> io::Result<usize> {
        let outcome = match &mut self.layer {
            Layer::Plain(reader) => Ok(reader.read(buf)?),
            Layer::Seekable(span) => return span.read(buf),
            Layer::Gzip(decoder) => decoder.read(buf),
            Layer::Zstd(decoder) => decoder.read(buf),
            Layer::Xz(decoder) => decoder.read(buf),
            Layer::Failed => Err(io::Error::other("reading went on after a fault")),
        };
        let explained = match outcome {
            Ok(count) => {
                self.bytes_out = self.bytes_out.saturating_add(count as u64);
                if let (Some(hasher), Some(bytes)) = (&self.hasher, buf.get(..count)) {
                    let mut hasher = hasher.lock().unwrap_or_else(PoisonError::into_inner);
                    hasher.update(bytes);
                }
                self.check_ratio().map(|()| count)
            }
            Err(error) => Err(self.explain(error)),
        };
        explained.map_err(|error| {
            self.layer = Layer::Failed;
            error.into()
        })
    }
}
