//! An image in the order it can be read in one go: what its layers are, then the layers from the topmost down.
//!
//! The files that tools write have the layers first and what they are last. Whoever can read such a file from anywhere
//! puts it in order here, as a stream, without a copy: the command line its file before it goes to a server, the server a
//! stream that it had to copy. The form is airlock's own: a tar of [`ORDER`] and of members named `0`, `1`, ….

use std::collections::{HashSet, VecDeque};
use std::io::{self, Cursor, Read};

use serde::{Deserialize, Serialize};

use super::choose::Chosen;
use super::documents::shown;
use super::error::ImageError;
use super::files::{Files, Span};
use crate::archive::error::{ArchiveError, Place};

/// The first member of an image in reading order.
pub(super) const ORDER: &str = "airlock-image.json";

const BLOCK: u64 = 512;

/// What [`ORDER`] says. It is no more believed than any other document: digests are checked as the layers are read.
#[derive(Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Order {
    pub name: Option<String>,
    pub registry_version: Option<String>,
    /// The topmost first.
    pub layers: Vec<OrderedLayer>,
}

/// A layer in reading order.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct OrderedLayer {
    /// What it is called in messages.
    pub path: String,
    /// The digest of its bytes, 64 hexadecimal digits; `None` where the image announces none.
    pub sha256: Option<String>,
    /// The digest of what is inside its compression.
    pub diff_id: String,
}

/// An image as a stream in reading order.
pub struct ArrangedImage {
    parts: VecDeque<Part>,
    bytes: u64,
}

enum Part {
    Bytes(Cursor<Vec<u8>>),
    Layer { path: String, span: Span },
}

impl ArrangedImage {
    pub(super) fn new(files: &Files, chosen: Chosen) -> Result<Self, ArchiveError> {
        let mut layers = Vec::new();
        let mut contents = VecDeque::new();
        let mut seen = HashSet::new();
        for layer in chosen.layers.into_iter().rev() {
            let span = files.span(&layer.path)?;
            if let Some(announced) = layer.bytes.filter(|bytes| *bytes != span.left()) {
                return Err(ImageError::WrongSize {
                    what: shown(&layer.path),
                    announced,
                    found: span.left(),
                }
                .into());
            }
            // The same layer further down adds nothing: all its paths are hidden by itself.
            if !seen.insert(layer.path.clone()) {
                continue;
            }
            layers.push(OrderedLayer {
                path: shown(&layer.path),
                sha256: layer.sha256.map(|digest| digest.to_string()),
                diff_id: layer.diff_id.to_string(),
            });
            contents.push_back((layer.path, span));
        }
        let order = Order {
            name: chosen.name,
            registry_version: chosen.registry_version,
            layers,
        };
        let order = serde_json::to_vec(&order).map_err(|error| ArchiveError::Io {
            what: ORDER.to_owned(),
            source: error.into(),
        })?;
        let mut arranged = Self {
            parts: VecDeque::new(),
            bytes: 0,
        };
        let bytes = order.len() as u64;
        arranged.push_bytes(header(ORDER, bytes));
        arranged.push_bytes(order);
        arranged.pad(bytes);
        for (number, (path, span)) in contents.into_iter().enumerate() {
            let bytes = span.left();
            arranged.push_bytes(header(&number.to_string(), bytes));
            arranged.bytes = arranged.bytes.saturating_add(bytes);
            arranged.parts.push_back(Part::Layer { path, span });
            arranged.pad(bytes);
        }
        arranged.push_bytes(vec![0; 2 * BLOCK as usize]);
        Ok(arranged)
    }

    /// Returns how many bytes it has.
    pub fn total_bytes(&self) -> u64 {
        self.bytes
    }

    fn push_bytes(&mut self, bytes: Vec<u8>) {
        self.bytes += bytes.len() as u64;
        self.parts.push_back(Part::Bytes(Cursor::new(bytes)));
    }

    fn pad(&mut self, bytes: u64) {
        let padding = bytes.next_multiple_of(BLOCK) - bytes;
        self.push_bytes(vec![0; padding as usize]);
    }
}

fn header(name: &str, bytes: u64) -> Vec<u8> {
    let mut header = tar::Header::new_gnu();
    // In base 256 where octal digits do not do.
    header.set_size(bytes);
    let field = &mut header.as_old_mut().name;
    for (to, from) in field.iter_mut().zip(name.bytes()) {
        *to = from;
    }
    header.set_mode(0o644);
    header.set_cksum();
    header.as_bytes().to_vec()
}

impl Read for ArrangedImage {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        if buffer.is_empty() {
            return Ok(0);
        }
        while let Some(part) = self.parts.front_mut() {
            let count = match part {
                Part::Bytes(bytes) => bytes.read(buffer)?,
                Part::Layer { path, span } => match span.read(buffer)? {
                    0 if span.left() > 0 => {
                        let place = Place::In(shown(path));
                        return Err(ArchiveError::Truncated { place }.into());
                    }
                    count => count,
                },
            };
            if count > 0 {
                return Ok(count);
            }
            self.parts.pop_front();
        }
        Ok(0)
    }
}
