//! Recipes: how an artifact that came as a zip is put together again, in the order of its bytes.
//!
//! A recipe is one row: its steps as variable-length numbers, seven bits a byte and the lowest first, then all literal bytes
//! together, less what `recipes/headers.rs` can tell from them and from the artifact's files, under zstd. An artifact that came as a tree has none: its
//! zip is a function of its files.

mod headers;

use rusqlite::{Connection, OptionalExtension, Transaction, named_params};

use self::headers::{Direction, Span};
pub use self::headers::{Listed, ListedFile};
use super::StoreError;
use super::artifacts::{self, ArtifactId};
use super::contents::ContentId;
use super::streams::StreamId;

/// Some bytes of an artifact.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Piece {
    /// These.
    Literal(Vec<u8>),
    /// A stream as it lies: a deflated entry.
    Stream {
        /// The stream, one of raw deflate.
        stream: StreamId,
        /// Its encoded bytes.
        bytes: u64,
    },
    /// A content, plain: a stored entry.
    Content {
        /// The content.
        content: ContentId,
        /// Its plain bytes.
        bytes: u64,
    },
}

impl Piece {
    /// Returns how many bytes it adds to the artifact.
    pub fn bytes(&self) -> u64 {
        match self {
            Self::Literal(bytes) => bytes.len() as u64,
            Self::Stream { bytes, .. } | Self::Content { bytes, .. } => *bytes,
        }
    }
}

/// A recipe as it lies in the store.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Packed {
    pieces: Vec<u8>,
    is_by_files: bool,
}

/// Headers repeat each other; beyond this level they do not get smaller.
const ZSTD_LEVEL: i32 = 9;

/// Bytes of a recipe that is not compressed, far beyond what `limits::Limits::zip_rest_bytes` lets in.
const MAX_BYTES: usize = 64 << 20;

const LITERAL: u64 = 0;
const STREAM: u64 = 1;
const CONTENT: u64 = 2;

/// Packs a recipe. `listed` are the files that the artifact has in the store.
pub fn pack(pieces: &[Piece], listed: &Listed<'_>) -> Packed {
    // Bytes that are left say which is smaller, without compressing twice.
    let forms = [Form::FoldedByFiles, Form::Folded].map(|form| Laid::out(pieces, form, listed));
    let [by_files, folded] = forms;
    let laid = match by_files.left_bytes() <= folded.left_bytes() {
        true => by_files,
        false => folded,
    };
    let packed = laid.pack();
    // A zip may be as odd as it likes: what would not come back is kept as it is.
    if packed.unpack(listed).as_deref() == Some(pieces) {
        return packed;
    }
    Laid::out(pieces, Form::AsItIs, listed).pack()
}

/// How the literal bytes of a recipe are kept.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Form {
    AsItIs,
    /// Without what [`headers`] expects from the recipe alone.
    Folded,
    /// Without what [`headers`] expects from the artifact's files too.
    FoldedByFiles,
}

/// A recipe before it is compressed.
struct Laid {
    form: Form,
    steps: Vec<u8>,
    literals: Vec<u8>,
}

impl Laid {
    fn out(pieces: &[Piece], form: Form, listed: &Listed<'_>) -> Self {
        let mut steps = Vec::new();
        let mut literals = Vec::new();
        let is_folded = form != Form::AsItIs;
        put_number(
            &mut steps,
            (pieces.len() as u64) << 1 | u64::from(is_folded),
        );
        for piece in pieces {
            let kind = match piece {
                Piece::Literal(bytes) => {
                    literals.extend_from_slice(bytes);
                    LITERAL
                }
                Piece::Stream { .. } => STREAM,
                Piece::Content { .. } => CONTENT,
            };
            // The kind takes two bits of its own, and no piece of an artifact needs all 64 for its size.
            put_number(&mut steps, piece.bytes() << 2 | kind);
        }
        // Files that came together have numbers in a row.
        let mut last = 0_i64;
        let ids = pieces.iter().filter_map(|piece| match piece {
            Piece::Literal(_) => None,
            Piece::Stream { stream, .. } => Some(stream.0),
            Piece::Content { content, .. } => Some(content.0),
        });
        for id in ids {
            let step = id.wrapping_sub(last);
            put_number(&mut steps, (step << 1 ^ step >> 63).cast_unsigned());
            last = id;
        }
        if is_folded {
            let spans: Vec<_> = pieces
                .iter()
                .map(|piece| Span {
                    is_literal: matches!(piece, Piece::Literal(_)),
                    bytes: piece.bytes(),
                })
                .collect();
            let listed = (form == Form::FoldedByFiles).then_some(listed);
            headers::cross(&mut literals, &spans, listed, Direction::TakeOut);
        }
        Self {
            form,
            steps,
            literals,
        }
    }

    /// Returns how many literal bytes could not be expected.
    fn left_bytes(&self) -> usize {
        self.literals.iter().filter(|byte| **byte != 0).count()
    }

    fn pack(mut self) -> Packed {
        self.steps.extend_from_slice(&self.literals);
        let packed = zstd::bulk::compress(&self.steps, ZSTD_LEVEL);
        Packed {
            pieces: packed
                .expect("compressing memory into memory cannot fail at a level that exists"),
            is_by_files: self.form == Form::FoldedByFiles,
        }
    }
}

impl Packed {
    /// Returns how many bytes it takes in the store.
    pub fn bytes(&self) -> u64 {
        self.pieces.len() as u64
    }

    fn unpack(&self, listed: &Listed<'_>) -> Option<Vec<Piece>> {
        unpack(&self.pieces, self.is_by_files.then_some(listed))
    }
}

/// Gives an artifact its recipe.
pub fn put(
    conn: &Transaction<'_>,
    artifact: ArtifactId,
    recipe: &Packed,
) -> Result<(), StoreError> {
    let mut query = conn.prepare_cached(
        "INSERT INTO recipe (artifact, pieces, is_by_files)
         VALUES (:artifact, :pieces, :is_by_files)",
    )?;
    query.execute(named_params! {
        ":artifact": artifact,
        ":pieces": recipe.pieces,
        ":is_by_files": recipe.is_by_files,
    })?;
    Ok(())
}

/// Returns the recipe of an artifact; `None` for one that came as a tree.
pub fn get(conn: &Connection, artifact: ArtifactId) -> Result<Option<Vec<Piece>>, StoreError> {
    let mut query =
        conn.prepare_cached("SELECT pieces, is_by_files FROM recipe WHERE artifact = :artifact")?;
    let packed = query.query_row(named_params! { ":artifact": artifact }, |row| {
        Ok(Packed {
            pieces: row.get(0)?,
            is_by_files: row.get(1)?,
        })
    });
    let Some(packed) = packed.optional()? else {
        return Ok(None);
    };
    let listed = match packed.is_by_files {
        true => listed(conn, artifact)?,
        false => Listed::default(),
    };
    let pieces = packed.unpack(&listed).ok_or_else(|| StoreError::Invalid {
        what: "recipe",
        value: artifact.0.to_string(),
    });
    pieces.map(Some)
}

/// Returns what the rows of an artifact's files say.
fn listed(conn: &Connection, artifact: ArtifactId) -> Result<Listed<'static>, StoreError> {
    let package = artifacts::get(conn, artifact)?.map(|artifact| artifact.package);
    let root = package.map(|package| format!("{}-{}", package.name, package.version));
    let files = artifacts::files(conn, artifact)?.into_iter();
    Ok(Listed {
        root: root.unwrap_or_default(),
        files: files
            .map(|file| ListedFile {
                path: file.path.into(),
                bytes: file.content.bytes,
                crc32: file.content.crc32,
            })
            .collect(),
    })
}

fn unpack(packed: &[u8], listed: Option<&Listed<'_>>) -> Option<Vec<Piece>> {
    let bytes = zstd::bulk::Decompressor::upper_bound(packed)?;
    let mut recipe = zstd::bulk::decompress(packed, bytes.min(MAX_BYTES)).ok()?;
    let mut steps = recipe.as_slice();
    let head = take_number(&mut steps)?;
    // A literal's bytes come behind all steps: until then its size stands for it.
    let mut spans = Vec::new();
    let mut kinds = Vec::new();
    for _ in 0..head >> 1 {
        let step = take_number(&mut steps)?;
        kinds.push(step & 3);
        spans.push(Span {
            is_literal: step & 3 == LITERAL,
            bytes: step >> 2,
        });
    }
    let mut ids = Vec::new();
    let mut last = 0_i64;
    for _ in kinds.iter().filter(|kind| **kind != LITERAL) {
        let step = take_number(&mut steps)?;
        last = last.wrapping_add((step >> 1).cast_signed() ^ -(step & 1).cast_signed());
        ids.push(last);
    }
    let literals_start = recipe.len() - steps.len();
    let literals = recipe.get_mut(literals_start..)?;
    if head & 1 == 1 {
        headers::cross(literals, &spans, listed, Direction::PutBack);
    }
    let (mut literals, mut ids) = (&*literals, ids.into_iter());
    let mut pieces = Vec::with_capacity(spans.len());
    for (kind, Span { bytes, .. }) in kinds.into_iter().zip(spans) {
        pieces.push(match kind {
            LITERAL => {
                let (literal, rest) = literals.split_at_checked(usize::try_from(bytes).ok()?)?;
                literals = rest;
                Piece::Literal(literal.to_vec())
            }
            STREAM => Piece::Stream {
                stream: StreamId(ids.next()?),
                bytes,
            },
            CONTENT => Piece::Content {
                content: ContentId(ids.next()?),
                bytes,
            },
            _ => return None,
        });
    }
    literals.is_empty().then_some(pieces)
}

fn put_number(out: &mut Vec<u8>, mut number: u64) {
    while number >= 0x80 {
        out.push(number as u8 | 0x80);
        number >>= 7;
    }
    out.push(number as u8);
}

fn take_number(from: &mut &[u8]) -> Option<u64> {
    let mut number = 0_u64;
    for shift in (0..64).step_by(7) {
        let (&byte, rest) = from.split_first()?;
        *from = rest;
        number |= u64::from(byte & 0x7f) << shift;
        if byte & 0x80 == 0 {
            return Some(number);
        }
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::store::examples::artifact;
    use crate::store::schema;

    fn pieces() -> Vec<Piece> {
        let mut pieces = vec![
            Piece::Literal(b"PK\x03\x04".repeat(100)),
            Piece::Literal(Vec::new()),
        ];
        for number in [
            0,
            1,
            127,
            128,
            16_383,
            16_384,
            i64::from(u32::MAX),
            i64::MAX,
        ] {
            pieces.push(Piece::Stream {
                stream: StreamId(number),
                bytes: number.cast_unsigned() >> 1,
            });
            pieces.push(Piece::Content {
                content: ContentId(number),
                bytes: number.cast_unsigned() >> 2,
            });
            pieces.push(Piece::Literal(number.to_be_bytes().to_vec()));
        }
        pieces
    }

    /// Packs a recipe and unpacks it again.
    fn again(pieces: &[Piece], listed: &Listed<'_>) -> Option<Vec<Piece>> {
        pack(pieces, listed).unpack(listed)
    }

    #[test]
    fn a_recipe_comes_back_as_it_was_and_a_tree_has_none() {
        let mut conn = schema::in_memory();
        let conn = conn.transaction().unwrap();
        let (zip, tree) = (artifact(&conn, "1.0.0", "a"), artifact(&conn, "1.1.0", "b"));
        put(&conn, zip, &pack(&pieces(), &Listed::default())).unwrap();
        assert_eq!(get(&conn, zip).unwrap(), Some(pieces()));
        assert_eq!(get(&conn, tree).unwrap(), None);
        for few in [&[][..], &[Piece::Literal(vec![7])]] {
            assert_eq!(again(few, &Listed::default()).as_deref(), Some(few));
        }
    }

    /// Returns the recipe of a zip with two deflated files and a stored one, the latter without a data descriptor.
    fn recipe_of_a_zip() -> Vec<Piece> {
        let header = |signature: &[u8], flags: u16, method: u16, facts: [u32; 3], name: &str| {
            let fixed = [20, flags, method, 0x4000, 0x5501].map(u16::to_le_bytes);
            let lengths = [name.len() as u16, 0].map(u16::to_le_bytes);
            [
                signature,
                fixed.as_flattened(),
                facts.map(u32::to_le_bytes).as_flattened(),
                lengths.as_flattened(),
            ]
            .concat()
        };
        let mut zip: Vec<u8> = Vec::new();
        let (mut pieces, mut directory, mut literal) = (Vec::new(), Vec::new(), Vec::new());
        let sizes = [(8, 300, 70_000), (0, 5_000, 5_000), (8, 9, 4)];
        for (number, (method, packed, plain)) in (7..).zip(sizes) {
            let name = format!("package-1.0.0/file-{number}");
            let facts = [0x1234_5678 * number as u32, packed, plain];
            let (flags, told) = if method == 8 { (8, [0; 3]) } else { (0, facts) };
            directory.extend(header(b"PK\x01\x02\x14\x03", flags, method, facts, &name));
            directory.extend([0; 6]);
            directory.extend((0o644_u32 << 16).to_le_bytes());
            directory.extend((zip.len() as u32).to_le_bytes());
            directory.extend(name.as_bytes());
            let local = [
                &header(b"PK\x03\x04", flags, method, told, &name),
                name.as_bytes(),
            ];
            literal.extend(local.concat());
            pieces.push(Piece::Literal(std::mem::take(&mut literal)));
            let stream = Piece::Stream {
                stream: StreamId(number),
                bytes: packed.into(),
            };
            let content = Piece::Content {
                content: ContentId(number),
                bytes: packed.into(),
            };
            pieces.push(if method == 8 { stream } else { content });
            zip.extend(local.concat());
            zip.extend(vec![0; packed as usize]);
            if flags == 8 {
                literal.extend(b"PK\x07\x08");
                literal.extend(facts.map(u32::to_le_bytes).as_flattened());
                zip.extend(&literal);
            }
        }
        let end = [directory.len() as u32, zip.len() as u32].map(u32::to_le_bytes);
        literal.extend(directory);
        literal.extend(b"PK\x05\x06\0\0\0\0\x03\0\x03\0");
        literal.extend(end.as_flattened());
        literal.extend([0, 0]);
        pieces.push(Piece::Literal(literal));
        pieces
    }

    /// Returns what the store says of the files of [`recipe_of_a_zip`].
    fn files_of_a_zip() -> Listed<'static> {
        let files = [(7, 70_000), (8, 5_000), (9, 4)].map(|(number, bytes)| ListedFile {
            path: format!("file-{number}").into(),
            bytes,
            crc32: 0x1234_5678 * number,
        });
        Listed {
            root: "package-1.0.0".to_owned(),
            files: files.into(),
        }
    }

    #[test]
    fn what_the_rows_of_the_files_say_is_not_kept_again() {
        let pieces = recipe_of_a_zip();
        let listed = files_of_a_zip();
        let packed = pack(&pieces, &listed);
        let steps = zstd::bulk::decompress(&packed.pieces, MAX_BYTES).unwrap();
        assert!(packed.is_by_files);
        for file in &listed.files {
            let crc32 = file.crc32.to_le_bytes();
            assert!(!steps.windows(4).any(|bytes| bytes == crc32), "{file:?}");
            let name = file.path.as_bytes();
            assert!(!steps.windows(name.len()).any(|bytes| bytes == name));
        }
        assert!(packed.bytes() < pack(&pieces, &Listed::default()).bytes());
        assert_eq!(packed.unpack(&listed), Some(pieces.clone()));

        // Rows that say something else help nothing, and are not needed then.
        let mut other = listed;
        other.root = "\u{7f}".repeat(13);
        for file in &mut other.files {
            file.path = "\u{7f}".repeat(30).into();
            file.crc32 = !0;
            file.bytes = u64::MAX;
        }
        let packed = pack(&pieces, &other);
        assert!(!packed.is_by_files);
        assert_eq!(packed.unpack(&Listed::default()), Some(pieces));
    }

    #[test]
    fn what_a_zip_says_twice_is_kept_once() {
        let pieces = recipe_of_a_zip();
        let literals = |pieces: &[Piece]| -> usize {
            let is_literal = |piece: &&Piece| matches!(piece, Piece::Literal(_));
            pieces
                .iter()
                .filter(is_literal)
                .map(|piece| piece.bytes() as usize)
                .sum()
        };
        let packed = pack(&pieces, &Listed::default());
        let steps = zstd::bulk::decompress(&packed.pieces, MAX_BYTES).unwrap();
        assert_eq!(steps[0] & 1, 1, "not folded");
        let directory = steps.len() - 22 - 3 * (46 + "package-1.0.0/file-7".len());
        // Left of three records: who made them, and the mode.
        let left = steps[directory..steps.len() - 22]
            .iter()
            .filter(|byte| **byte != 0);
        assert_eq!(left.count(), 3 * 4, "{:02x?}", &steps[directory..]);
        assert!(literals(&pieces) > 300);
        assert_eq!(again(&pieces, &Listed::default()), Some(pieces));
    }

    #[test]
    fn any_zip_comes_back_whatever_its_headers_say() {
        let good = recipe_of_a_zip();
        let listed = files_of_a_zip();
        let literals = good
            .iter()
            .filter(|piece| matches!(piece, Piece::Literal(_)));
        for (index, literal) in literals.enumerate() {
            for at in 0..literal.bytes() as usize {
                for byte in [0, 0x50, 0xff] {
                    let mut odd = good.clone();
                    let Piece::Literal(bytes) = &mut odd[2 * index] else {
                        panic!("literals and files take turns");
                    };
                    bytes[at] = byte;
                    assert_eq!(again(&odd, &listed), Some(odd), "{index}, {at}, {byte}");
                }
            }
        }
    }

    #[test]
    fn no_damage_to_a_recipe_is_taken_for_another() {
        let packed = pack(&pieces(), &Listed::default());
        let recipe = zstd::bulk::decompress(&packed.pieces, MAX_BYTES).unwrap();
        let again = |recipe: &[u8]| unpack(&zstd::bulk::compress(recipe, 1).unwrap(), None);
        assert_eq!(again(&recipe), Some(pieces()));
        for cut in 0..recipe.len() {
            assert_eq!(again(&recipe[..cut]), None, "cut at {cut}");
        }
        assert_eq!(again(&[&recipe[..], b"x"].concat()), None);
        assert_eq!(again(&[0xff; 20]), None);
        assert_eq!(unpack(b"not zstd", None), None);
    }
}
