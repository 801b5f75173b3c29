//! One tar header block: its checksum, its numbers and its name.
//!
//! POSIX.1-2017, `pax`, "ustar Interchange Format", and the GNU tar manual, "Basic Tar Format". The crate `tar` says
//! where the fields lie; the numbers are read here, because the crate takes signs, drops the upper bytes of base-256
//! numbers and reads negative ones as huge.

use std::borrow::Cow;

/// A header block whose fields have not been believed yet.
pub(in crate::archive) struct Header(tar::Header);

/// What a type flag says, as far as it matters here.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Type {
    File,
    Directory,
    HardLink,
    SymbolicLink,
    Device,
    Fifo,
    GnuSparse,
    GnuDumpedDirectory,
    GnuLongName,
    GnuLongLink,
    Pax,
    PaxGlobal,
    Other(u8),
}

impl Header {
    /// Bytes of a block: headers have one, contents are padded to whole ones.
    pub(in crate::archive) const BYTES: usize = 512;

    /// Returns the header in a whole block; `None` when it is not whole.
    pub(in crate::archive) fn from_block(block: &[u8]) -> Option<Self> {
        let block: &[u8; Self::BYTES] = block.try_into().ok()?;
        let mut header = tar::Header::new_old();
        header.as_mut_bytes().copy_from_slice(block);
        Some(Self(header))
    }

    /// Says whether a tar could begin with this block: by its magic, its checksum, or by being the end mark.
    pub(in crate::archive) fn looks_like_tar(&self) -> bool {
        Self::begins_like_tar(self.0.as_bytes()) || self.is_end_mark() || self.checksum_holds()
    }

    /// Says whether `head`, shorter than a block, has the magic of POSIX or GNU where a tar has it.
    pub(in crate::archive) fn begins_like_tar(head: &[u8]) -> bool {
        head.get(257..262) == Some(b"ustar")
    }

    pub(super) fn is_end_mark(&self) -> bool {
        self.0.as_bytes().iter().all(|byte| *byte == 0)
    }

    /// Says whether the sum over the block, its own field counted as spaces, is the one announced.
    pub(super) fn checksum_holds(&self) -> bool {
        let field = &self.0.as_old().cksum;
        let others = self.0.as_bytes().iter().map(|byte| u64::from(*byte));
        let own = field.iter().map(|byte| u64::from(*byte));
        let spaces = u64::from(b' ') * field.len() as u64;
        number(field)
            .is_ok_and(|announced| announced == others.sum::<u64>() - own.sum::<u64>() + spaces)
    }

    pub(super) fn kind(&self) -> Type {
        match self.0.as_old().linkflag[0] {
            // '7' was to be laid out contiguously; everybody reads it as a file.
            0 | b'0' | b'7' => Type::File,
            b'1' => Type::HardLink,
            b'2' => Type::SymbolicLink,
            b'3' | b'4' => Type::Device,
            b'5' => Type::Directory,
            b'6' => Type::Fifo,
            b'S' => Type::GnuSparse,
            b'D' => Type::GnuDumpedDirectory,
            b'L' => Type::GnuLongName,
            b'K' => Type::GnuLongLink,
            b'x' | b'X' => Type::Pax,
            b'g' => Type::PaxGlobal,
            other => Type::Other(other),
        }
    }

    /// Returns the name, the ustar prefix in front where there is one.
    pub(super) fn name(&self) -> Cow<'_, [u8]> {
        let name = until_nul(&self.0.as_old().name);
        match self.0.as_ustar().map(|ustar| until_nul(&ustar.prefix)) {
            None | Some([]) => Cow::Borrowed(name),
            Some(prefix) => Cow::Owned([prefix, b"/", name].concat()),
        }
    }

    /// Returns what the field for a link's target holds, where that is text.
    pub(super) fn link_target(&self) -> Option<String> {
        let target = until_nul(&self.0.as_old().linkname);
        String::from_utf8(target.to_vec()).ok()
    }

    /// Returns the announced bytes of content.
    pub(super) fn size(&self) -> Result<u64, &'static str> {
        number(&self.0.as_old().size)
    }

    /// Returns the modification time in seconds since 1970, where it is a sensible number.
    pub(super) fn modified(&self) -> Option<i64> {
        i64::try_from(number(&self.0.as_old().mtime).ok()?).ok()
    }

    /// Says whether blocks with more of a GNU sparse map follow before the content.
    pub(super) fn has_sparse_blocks(&self) -> bool {
        self.0.as_gnu().is_some_and(|gnu| gnu.isextended[0] != 0)
    }
}

/// Says whether another block of a GNU sparse map follows this one.
pub(super) fn sparse_block_goes_on(block: &[u8]) -> bool {
    block.get(504).is_some_and(|flag| *flag != 0)
}

fn until_nul(field: &[u8]) -> &[u8] {
    field.split(|byte| *byte == 0).next().unwrap_or(field)
}

/// Returns a number: octal digits, or base-256 with the top bit of the first byte set.
fn number(field: &[u8]) -> Result<u64, &'static str> {
    match field {
        [0x80, rest @ ..] => rest.iter().try_fold(0_u64, |value, byte| {
            let shifted = value
                .checked_mul(256)
                .ok_or("a number does not fit in 64 bits")?;
            Ok(shifted | u64::from(*byte))
        }),
        [0xff, ..] => Err("a number is negative"),
        [0x81..=0xfe, ..] => Err("a number does not fit in 64 bits"),
        _ => octal(field),
    }
}

fn octal(field: &[u8]) -> Result<u64, &'static str> {
    const NOT_OCTAL: &str = "a number is not octal";
    // GNU tar leaves out the numbers of a volume label; a field of spaces is read as nothing by some only.
    if field.iter().all(|byte| *byte == 0) {
        return Ok(0);
    }
    let digits = field.trim_ascii_start();
    let length = digits
        .iter()
        .position(|byte| *byte == 0 || *byte == b' ')
        .unwrap_or(digits.len());
    let (digits, _) = digits.split_at_checked(length).ok_or(NOT_OCTAL)?;
    if digits.is_empty() {
        return Err(NOT_OCTAL);
    }
    // Twelve digits at most: 36 bits.
    digits.iter().try_fold(0_u64, |value, digit| match digit {
        b'0'..=b'7' => Ok(value * 8 + u64::from(digit - b'0')),
        _ => Err(NOT_OCTAL),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_are_octal_or_base_256_and_never_guessed() {
        let table: &[(&[u8], Option<u64>)] = &[
            (b"00000000012\0", Some(10)),
            (b"         12 ", Some(10)),
            (b"777777777777", Some((1 << 36) - 1)),
            (b"12\0garbage\0\0", Some(10)),
            (b"\x80\0\0\0\0\0\0\0\0\0\x01\0", Some(256)),
            (
                b"\x80\0\0\0\xff\xff\xff\xff\xff\xff\xff\xff",
                Some(u64::MAX),
            ),
            (b"\x80\0\0\x01\0\0\0\0\0\0\0\0", None),
            (b"\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff", None),
            (b"\x81\0\0\0\0\0\0\0\0\0\0\0", None),
            (b"-0000000001\0", None),
            (b"+0000000001\0", None),
            (b"00000000009\0", None),
            (b"0x000000001\0", None),
            (b"1_1\0\0\0\0\0\0\0\0\0", None),
            (b"            ", None),
            (b"\0\0\0\0\0\0\0\0\0\0\0\0", Some(0)),
            (b"\x0000000000012", None),
            (b" \x000000000012", None),
        ];
        for (field, expected) in table {
            assert_eq!(
                number(field).ok(),
                *expected,
                "{:?}",
                field.escape_ascii().to_string()
            );
        }
    }

    #[test]
    fn the_checksum_covers_every_byte_but_its_own_field() {
        let mut header = tar::Header::new_ustar();
        header.set_path("a").unwrap();
        header.set_size(1);
        header.set_cksum();
        let good = *header.as_bytes();
        assert!(Header::from_block(&good).unwrap().checksum_holds());
        for position in (0..148).chain(156..512) {
            let mut bad = good;
            bad[position] ^= 1;
            assert!(
                !Header::from_block(&bad).unwrap().checksum_holds(),
                "{position}"
            );
        }
    }

    #[test]
    fn the_prefix_counts_for_posix_headers_only() {
        let mut posix = tar::Header::new_ustar();
        posix.as_ustar_mut().unwrap().prefix[..1].copy_from_slice(b"p");
        posix.as_old_mut().name[..1].copy_from_slice(b"n");
        let mut gnu = tar::Header::new_gnu();
        gnu.as_mut_bytes()[345] = b'p';
        gnu.as_old_mut().name[..1].copy_from_slice(b"n");
        let name = |header: &tar::Header| {
            Header::from_block(header.as_bytes())
                .unwrap()
                .name()
                .into_owned()
        };
        assert_eq!(name(&posix), b"p/n");
        assert_eq!(name(&gnu), b"n");
    }
}
