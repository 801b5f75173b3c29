//! The zip of a package that came as a tree: a function of its files and of nothing else.
//!
//! Files only, by path component, stored, mode 0644, time 1980-01-01, no extra fields, one root folder
//! `{name}-{version}/`. The same tree gives the same bytes on every machine and with every later airlock, so this layout
//! never changes. The format is PKWARE's APPNOTE 6.3.10; zip64 is never needed within [`crate::limits`].

use super::PackageId;

/// A file of the tree.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Entry<'a> {
    /// Its path inside the package.
    pub path: &'a str,
    /// How many bytes it has.
    pub bytes: u32,
    /// The CRC-32 of its bytes.
    pub crc32: u32,
}

/// A piece of the zip, in order.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Piece {
    /// These bytes.
    Literal(Vec<u8>),
    /// The plain bytes of the entry with this index.
    Entry(usize),
}

/// A tree that no plain zip can hold.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("its zip would be larger than 4 GiB or hold more than 65,535 files")]
pub struct TooLarge;

/// Returns the pieces of the zip of `entries`, which are sorted by path component, and how many bytes it has.
pub fn layout(package: &PackageId, entries: &[Entry<'_>]) -> Result<(Vec<Piece>, u32), TooLarge> {
    let count = u16::try_from(entries.len()).map_err(|_| TooLarge)?;
    let root = format!("{}-{}/", package.name, package.version);
    let mut pieces = Vec::with_capacity(2 * entries.len() + 1);
    let mut directory = Vec::new();
    let mut offset = 0_u32;
    for (index, entry) in entries.iter().enumerate() {
        let name = [root.as_bytes(), entry.path.as_bytes()].concat();
        let fields = common_fields(entry, &name)?;
        directory.extend(CENTRAL_SIGNATURE);
        directory.extend(MADE_BY_UNIX);
        directory.extend(&fields);
        directory.extend([0; 2 + 2 + 2]); // comment length, disk, internal attributes
        directory.extend(REGULAR_FILE_0644.to_le_bytes());
        directory.extend(offset.to_le_bytes());
        directory.extend(&name);

        let header = [&LOCAL_SIGNATURE[..], &fields, &name].concat();
        offset = added(offset, header.len())?
            .checked_add(entry.bytes)
            .ok_or(TooLarge)?;
        pieces.push(Piece::Literal(header));
        pieces.push(Piece::Entry(index));
    }
    let directory_bytes = u32::try_from(directory.len()).map_err(|_| TooLarge)?;
    directory.extend(END_SIGNATURE);
    directory.extend([0; 2 + 2]); // this disk, the directory's disk
    directory.extend(count.to_le_bytes());
    directory.extend(count.to_le_bytes());
    directory.extend(directory_bytes.to_le_bytes());
    directory.extend(offset.to_le_bytes());
    directory.extend([0; 2]); // comment length
    let total = added(offset, directory.len())?;
    pieces.push(Piece::Literal(directory));
    Ok((pieces, total))
}

const LOCAL_SIGNATURE: [u8; 4] = *b"PK\x03\x04";
const CENTRAL_SIGNATURE: [u8; 4] = *b"PK\x01\x02";
const END_SIGNATURE: [u8; 4] = *b"PK\x05\x06";
const MADE_BY_UNIX: [u8; 2] = [20, 3];
const REGULAR_FILE_0644: u32 = 0o100_644 << 16;

/// What the local header and the directory say alike: from "version needed to extract" to the length of extra fields.
fn common_fields(entry: &Entry<'_>, name: &[u8]) -> Result<Vec<u8>, TooLarge> {
    const VERSION_NEEDED: u16 = 10;
    const NAME_IS_UTF8: u16 = 1 << 11;
    const STORED: u16 = 0;
    const MIDNIGHT: u16 = 0;
    const FIRST_OF_1980: u16 = 1 << 5 | 1;
    let flags = if name.is_ascii() { 0 } else { NAME_IS_UTF8 };
    let name_bytes = u16::try_from(name.len()).map_err(|_| TooLarge)?;
    let mut fields = Vec::with_capacity(26);
    for half in [VERSION_NEEDED, flags, STORED, MIDNIGHT, FIRST_OF_1980] {
        fields.extend(half.to_le_bytes());
    }
    for word in [entry.crc32, entry.bytes, entry.bytes] {
        fields.extend(word.to_le_bytes());
    }
    fields.extend(name_bytes.to_le_bytes());
    fields.extend([0; 2]);
    Ok(fields)
}

fn added(offset: u32, bytes: usize) -> Result<u32, TooLarge> {
    u32::try_from(bytes)
        .ok()
        .and_then(|bytes| offset.checked_add(bytes))
        .ok_or(TooLarge)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::crypto::Digest;

    fn assembled(files: &[(&str, &[u8])]) -> Vec<u8> {
        let entries: Vec<_> = files
            .iter()
            .map(|(path, bytes)| Entry {
                path,
                bytes: bytes.len() as u32,
                crc32: crc32fast::hash(bytes),
            })
            .collect();
        let (pieces, total) =
            layout(&PackageId::parse("nginx", "1.5.0").unwrap(), &entries).unwrap();
        let zip: Vec<u8> = pieces
            .into_iter()
            .flat_map(|piece| match piece {
                Piece::Literal(bytes) => bytes,
                Piece::Entry(index) => files[index].1.to_vec(),
            })
            .collect();
        assert_eq!(zip.len(), total as usize);
        zip
    }

    #[test]
    fn another_reader_finds_the_same_files() {
        let files: [(&str, &[u8]); 3] = [
            ("docs/README.md", b"# nginx"),
            ("img/ä.svg", b""),
            ("manifest.yml", b"name: nginx\n"),
        ];
        let mut zip = zip::ZipArchive::new(std::io::Cursor::new(assembled(&files))).unwrap();
        assert_eq!(zip.len(), files.len());
        for (index, (path, bytes)) in files.iter().enumerate() {
            let mut entry = zip.by_index(index).unwrap();
            assert_eq!(entry.name().unwrap(), format!("nginx-1.5.0/{path}"));
            assert_eq!(entry.compression(), zip::CompressionMethod::Stored);
            assert_eq!(entry.unix_mode(), Some(0o100_644));
            let mut read = Vec::new();
            std::io::Read::read_to_end(&mut entry, &mut read).unwrap();
            assert_eq!(read, *bytes);
        }
    }

    #[test]
    fn the_bytes_never_change() {
        let zip = assembled(&[
            ("docs/README.md", b"# nginx"),
            ("manifest.yml", b"name: nginx\n"),
        ]);
        assert_eq!(
            Digest::of(&zip).to_string(),
            "d9418e7ccc42f5e96cee516961cc53c002df3e140264691d3c980c7ee545e756"
        );
    }

    #[test]
    fn what_a_plain_zip_cannot_hold_is_refused() {
        let package = PackageId::parse("nginx", "1.5.0").unwrap();
        let huge = Entry {
            path: "a",
            bytes: u32::MAX,
            crc32: 0,
        };
        assert_eq!(layout(&package, &[huge]), Err(TooLarge));
        let small = Entry {
            path: "a",
            bytes: 0,
            crc32: 0,
        };
        assert_eq!(layout(&package, &vec![small; 65_536]), Err(TooLarge));
        assert!(layout(&package, &vec![small; 65_535]).is_ok());
    }
}
