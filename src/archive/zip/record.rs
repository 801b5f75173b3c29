//! The records of a zip: end record, central header, local header.
//!
//! Facts: PKWARE APPNOTE 6.3.10, sections 4.3 and 4.5.3. Only fixed-size pieces are cut out here; what they must say
//! together is judged by the parent.

const END: &[u8] = b"PK\x05\x06";
const END64: &[u8] = b"PK\x06\x06";
const LOCATOR64: &[u8] = b"PK\x06\x07";
const CENTRAL: &[u8] = b"PK\x01\x02";
const LOCAL: &[u8] = b"PK\x03\x04";

pub(super) const END_BYTES: usize = 22;
pub(super) const END64_BYTES: u64 = 56;
pub(super) const LOCATOR64_BYTES: u64 = 20;
pub(super) const CENTRAL_BYTES: usize = 46;
pub(super) const LOCAL_BYTES: usize = 30;

const ZIP64: u16 = 0x0001;
const UNICODE_PATH: u16 = 0x7075;
const EXTENDED_TIMESTAMP: u16 = 0x5455;

/// Where the central directory lies and what it counts.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct End {
    pub(super) entries: u64,
    pub(super) directory_bytes: u64,
    pub(super) directory_start: u64,
    /// Whether all disk numbers say that this is the only part.
    pub(super) is_whole: bool,
}

/// Where in the end of a file the end record begins: the last signature there is.
pub(super) fn find_end(tail: &[u8]) -> Option<usize> {
    tail.windows(END.len()).rposition(|window| window == END)
}

impl End {
    /// Reads an end record; gives the comment behind it too.
    pub(super) fn parse(record: &[u8]) -> Option<(Self, &[u8])> {
        let (fixed, comment) = record.split_at_checked(END_BYTES)?;
        let fields = Fields(fixed);
        if !fixed.starts_with(END) || usize::from(fields.u16(20)?) != comment.len() {
            return None;
        }
        let end = Self {
            entries: fields.u16(10)?.into(),
            directory_bytes: fields.u32(12)?.into(),
            directory_start: fields.u32(16)?.into(),
            is_whole: fields.u16(4)? == 0
                && fields.u16(6)? == 0
                && fields.u16(8)? == fields.u16(10)?,
        };
        Some((end, comment))
    }

    /// Reads the zip64 record that goes before `self`; they must agree where `self` can say it.
    pub(super) fn parse64(&self, record: &[u8]) -> Option<Self> {
        let fields = Fields(record);
        // No extensible data: 44 bytes follow the first twelve.
        if !record.starts_with(END64) || fields.u64(4)? != END64_BYTES - 12 {
            return None;
        }
        let end = Self {
            entries: fields.u64(32)?,
            directory_bytes: fields.u64(40)?,
            directory_start: fields.u64(48)?,
            is_whole: fields.u32(16)? == 0
                && fields.u32(20)? == 0
                && fields.u64(24)? == fields.u64(32)?,
        };
        let agrees = |small: u64, all_ones: u64, large: u64| small == all_ones || small == large;
        (agrees(self.entries, 0xffff, end.entries)
            && agrees(self.directory_bytes, 0xffff_ffff, end.directory_bytes)
            && agrees(self.directory_start, 0xffff_ffff, end.directory_start))
        .then_some(end)
    }
}

/// Returns where the zip64 end record is said to begin; `None` when these bytes are no locator.
pub(super) fn parse_locator64(record: &[u8]) -> Option<u64> {
    record
        .starts_with(LOCATOR64)
        .then(|| Fields(record).u64(8))?
}

/// A central or local header, without its name and extra fields.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Facts {
    pub(super) flags: u16,
    pub(super) method: u16,
    pub(super) crc32: u32,
    pub(super) packed_bytes: u64,
    pub(super) size_bytes: u64,
    pub(super) name_bytes: usize,
    pub(super) extra_bytes: usize,
}

/// What only the central header says.
#[derive(Debug, Clone, Copy)]
pub(super) struct Central {
    pub(super) facts: Facts,
    pub(super) comment_bytes: usize,
    /// The file type bits of a Unix mode; 0 when made elsewhere.
    pub(super) unix_type: u32,
    pub(super) header_start: u64,
}

impl Central {
    pub(super) fn parse(record: &[u8]) -> Option<Self> {
        let fields = Fields(record);
        if !record.starts_with(CENTRAL) || fields.u16(34)? != 0 {
            return None;
        }
        let made_on_unix = fields.u16(4)? >> 8 == 3;
        Some(Self {
            facts: Facts::at(&fields, 8, 16)?,
            comment_bytes: fields.u16(32)?.into(),
            unix_type: if made_on_unix {
                (fields.u32(38)? >> 16) & 0o170_000
            } else {
                0
            },
            header_start: fields.u32(42)?.into(),
        })
    }

    /// Takes the sizes and the offset that only 64 bits hold from the extra fields.
    pub(super) fn widen(&mut self, extra: &[u8]) -> Option<()> {
        let mut wide = self.facts.widen(extra)?;
        if self.header_start == 0xffff_ffff {
            self.header_start = wide.take_u64()?;
        }
        Some(())
    }
}

impl Facts {
    /// Reads a local header.
    pub(super) fn parse_local(record: &[u8]) -> Option<Self> {
        record
            .starts_with(LOCAL)
            .then(|| Self::at(&Fields(record), 6, 14))?
    }

    fn at(fields: &Fields<'_>, flags: usize, crc32: usize) -> Option<Self> {
        Some(Self {
            flags: fields.u16(flags)?,
            method: fields.u16(flags + 2)?,
            crc32: fields.u32(crc32)?,
            packed_bytes: fields.u32(crc32 + 4)?.into(),
            size_bytes: fields.u32(crc32 + 8)?.into(),
            name_bytes: fields.u16(crc32 + 12)?.into(),
            extra_bytes: fields.u16(crc32 + 14)?.into(),
        })
    }

    /// Takes the sizes that only 64 bits hold from the extra fields; returns what is left of the zip64 one.
    pub(super) fn widen<'e>(&mut self, extra: &'e [u8]) -> Option<Wide<'e>> {
        let mut wide = Wide(field(extra, ZIP64)?.unwrap_or_default());
        if self.size_bytes == 0xffff_ffff {
            self.size_bytes = wide.take_u64()?;
        }
        if self.packed_bytes == 0xffff_ffff {
            self.packed_bytes = wide.take_u64()?;
        }
        Some(wide)
    }

    pub(super) fn is_encrypted(&self) -> bool {
        // Bit 0, strong encryption (6) and masked headers (13).
        self.flags & 0x2041 != 0
    }

    pub(super) fn has_descriptor(&self) -> bool {
        self.flags & 0x0008 != 0
    }
}

/// The values of a zip64 extra field not taken yet.
pub(super) struct Wide<'e>(&'e [u8]);

impl Wide<'_> {
    fn take_u64(&mut self) -> Option<u64> {
        let (value, rest) = self.0.split_first_chunk()?;
        self.0 = rest;
        Some(u64::from_le_bytes(*value))
    }
}

/// Returns the modification time in seconds since 1970, where it is given in UTC.
pub(super) fn modified(extra: &[u8]) -> Option<i64> {
    let (flags, rest) = field(extra, EXTENDED_TIMESTAMP)??.split_first()?;
    let seconds = rest.first_chunk()?;
    (flags & 1 != 0).then(|| i32::from_le_bytes(*seconds).into())
}

/// Returns the second name that a central header may carry.
pub(super) fn unicode_path(extra: &[u8]) -> Option<&[u8]> {
    field(extra, UNICODE_PATH)??.get(5..)
}

/// Finds an extra field; the outer `None` when they are malformed or hold it twice.
fn field(mut extra: &[u8], wanted: u16) -> Option<Option<&[u8]>> {
    let mut found = None;
    while !extra.is_empty() {
        let fields = Fields(extra);
        let (id, length) = (fields.u16(0)?, usize::from(fields.u16(2)?));
        let (whole, rest) = extra.split_at_checked(4 + length)?;
        if id == wanted && found.replace(whole.get(4..)?).is_some() {
            return None;
        }
        extra = rest;
    }
    Some(found)
}

/// Little-endian numbers in a record.
struct Fields<'r>(&'r [u8]);

impl Fields<'_> {
    fn bytes<const N: usize>(&self, at: usize) -> Option<[u8; N]> {
        self.0.get(at..)?.first_chunk().copied()
    }

    fn u16(&self, at: usize) -> Option<u16> {
        self.bytes(at).map(u16::from_le_bytes)
    }

    fn u32(&self, at: usize) -> Option<u32> {
        self.bytes(at).map(u32::from_le_bytes)
    }

    fn u64(&self, at: usize) -> Option<u64> {
        self.bytes(at).map(u64::from_le_bytes)
    }
}
