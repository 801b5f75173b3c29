//! Armor and the frames of packets: where one ends and the next begins (RFC 9580, 4.2 and 6.2).
//!
//! What is inside a packet is not looked at. Lengths have to be plain: keys and signatures have no others.

use std::io::Read;

use pgp::armor::{BlockType, Dearmor, DearmorOptions};
use pgp::packet::PacketHeader;
use pgp::types::{PacketLength, Tag};

/// Tells whether `bytes` are packets and not text: the first byte of a packet has its highest bit set.
pub(super) fn are_binary(bytes: &[u8]) -> bool {
    bytes.first().is_some_and(|byte| byte & 0x80 != 0)
}

const BEGIN: &str = "-----BEGIN PGP ";
const END: &str = "-----END PGP ";

/// Returns the armored blocks in `text`, each from its first line to its last, and whether there is anything but white
/// space around them. A block that has no end goes on to the next, or to the end of the text.
pub(super) fn armored(text: &str) -> (Vec<&str>, bool) {
    let mut blocks = Vec::new();
    let mut has_more = false;
    let mut begun = None;
    let mut start = 0;
    for line in text.split_inclusive('\n') {
        let end = start + line.len();
        if line.starts_with(BEGIN) {
            if let Some(begin) = begun.replace(start) {
                blocks.push(&text[begin..start]);
            }
        } else if begun.is_none() {
            has_more |= !line.trim().is_empty();
        } else if line.starts_with(END)
            && let Some(begin) = begun.take()
        {
            blocks.push(&text[begin..end]);
        }
        start = end;
    }
    if let Some(begin) = begun {
        blocks.push(&text[begin..]);
    }
    (blocks, has_more)
}

/// Returns what kind of block this is, and its packets; `None` where it is damaged.
pub(super) fn unarmored(block: &str) -> Option<(BlockType, Vec<u8>)> {
    if !block.lines().next_back()?.starts_with(END) {
        return None;
    }
    let options = DearmorOptions::new().set_limit(block.len());
    let mut dearmor = Dearmor::with_options(block.as_bytes(), options);
    dearmor.read_header().ok()?;
    let mut packets = Vec::new();
    dearmor.read_to_end(&mut packets).ok()?;
    Some((dearmor.typ?, packets))
}

/// One packet.
#[derive(Debug, Clone, Copy)]
pub(super) struct Frame<'a> {
    pub(super) header: PacketHeader,
    /// What is inside it.
    pub(super) body: &'a [u8],
}

impl<'a> Frame<'a> {
    /// Splits the first packet off `bytes`; `None` where they do not begin with a whole one.
    pub(super) fn first(bytes: &'a [u8]) -> Option<(Self, &'a [u8])> {
        let mut rest = bytes;
        let header = PacketHeader::try_from_reader(&mut rest).ok()?;
        let PacketLength::Fixed(length) = header.packet_length() else {
            return None;
        };
        let (body, rest) = rest.split_at_checked(usize::try_from(length).ok()?)?;
        Some((Self { header, body }, rest))
    }

    /// Returns what kind of packet begins here, whole or not.
    pub(super) fn first_tag(bytes: &[u8]) -> Option<Tag> {
        Some(PacketHeader::try_from_reader(bytes).ok()?.tag())
    }

    pub(super) fn tag(&self) -> Tag {
        self.header.tag()
    }
}
