//! Recipes: how an artifact that came as a zip is put together again, in the order of its bytes.
//!
//! A recipe is one row: its steps as variable-length numbers, seven bits a byte and the lowest first, then all literal bytes
//! together, under zstd. An artifact that came as a tree has none: its zip is a function of its files.

use rusqlite::{Connection, OptionalExtension, Transaction, named_params};

use super::StoreError;
use super::artifacts::ArtifactId;
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
pub struct Packed(Vec<u8>);

/// Headers repeat each other; beyond this level they do not get smaller.
const ZSTD_LEVEL: i32 = 9;

/// Bytes of a recipe that is not compressed, far beyond what `limits::Limits::zip_rest_bytes` lets in.
const MAX_BYTES: usize = 64 << 20;

const LITERAL: u64 = 0;
const STREAM: u64 = 1;
const CONTENT: u64 = 2;

/// Packs a recipe.
pub fn pack(pieces: &[Piece]) -> Packed {
    let mut steps = Vec::new();
    let mut literals = Vec::new();
    put_number(&mut steps, pieces.len() as u64);
    for piece in pieces {
        let (kind, id) = match piece {
            Piece::Literal(bytes) => {
                literals.extend_from_slice(bytes);
                (LITERAL, None)
            }
            Piece::Stream { stream, .. } => (STREAM, Some(stream.0)),
            Piece::Content { content, .. } => (CONTENT, Some(content.0)),
        };
        // The kind takes two bits of its own, and no piece of an artifact needs all 64 for its size.
        put_number(&mut steps, piece.bytes() << 2 | kind);
        if let Some(id) = id {
            put_number(&mut steps, id.cast_unsigned());
        }
    }
    steps.extend_from_slice(&literals);
    let packed = zstd::bulk::compress(&steps, ZSTD_LEVEL);
    Packed(packed.expect("compressing memory into memory cannot fail at a level that exists"))
}

impl Packed {
    /// Returns how many bytes it takes in the store.
    pub fn bytes(&self) -> u64 {
        self.0.len() as u64
    }
}

/// Gives an artifact its recipe.
pub fn put(
    conn: &Transaction<'_>,
    artifact: ArtifactId,
    recipe: &Packed,
) -> Result<(), StoreError> {
    conn.prepare_cached("INSERT INTO recipe (artifact, pieces) VALUES (:artifact, :pieces)")?
        .execute(named_params! { ":artifact": artifact, ":pieces": recipe.0 })?;
    Ok(())
}

/// Returns the recipe of an artifact; `None` for one that came as a tree.
pub fn get(conn: &Connection, artifact: ArtifactId) -> Result<Option<Vec<Piece>>, StoreError> {
    let packed: Option<Vec<u8>> = conn
        .prepare_cached("SELECT pieces FROM recipe WHERE artifact = :artifact")?
        .query_row(named_params! { ":artifact": artifact }, |row| row.get(0))
        .optional()?;
    let unpack = |packed: Vec<u8>| {
        unpack(&packed).ok_or_else(|| StoreError::Invalid {
            what: "recipe",
            value: artifact.0.to_string(),
        })
    };
    packed.map(unpack).transpose()
}

fn unpack(packed: &[u8]) -> Option<Vec<Piece>> {
    let bytes = zstd::bulk::Decompressor::upper_bound(packed)?;
    let recipe = zstd::bulk::decompress(packed, bytes.min(MAX_BYTES)).ok()?;
    let mut steps = recipe.as_slice();
    let count = take_number(&mut steps)?;
    // A literal's bytes come behind all steps: until then its size stands for it.
    let mut sized = Vec::new();
    for _ in 0..count {
        let step = take_number(&mut steps)?;
        let id = match step & 3 {
            LITERAL => None,
            _ => Some(take_number(&mut steps)?.cast_signed()),
        };
        sized.push((step & 3, step >> 2, id));
    }
    let mut literals = steps;
    let mut pieces = Vec::with_capacity(sized.len());
    for (kind, bytes, id) in sized {
        pieces.push(match (kind, id) {
            (LITERAL, None) => {
                let (literal, rest) = literals.split_at_checked(usize::try_from(bytes).ok()?)?;
                literals = rest;
                Piece::Literal(literal.to_vec())
            }
            (STREAM, Some(id)) => Piece::Stream {
                stream: StreamId(id),
                bytes,
            },
            (CONTENT, Some(id)) => Piece::Content {
                content: ContentId(id),
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

    #[test]
    fn a_recipe_comes_back_as_it_was_and_a_tree_has_none() {
        let mut conn = schema::in_memory();
        let conn = conn.transaction().unwrap();
        let (zip, tree) = (artifact(&conn, "1.0.0", "a"), artifact(&conn, "1.1.0", "b"));
        put(&conn, zip, &pack(&pieces())).unwrap();
        assert_eq!(get(&conn, zip).unwrap(), Some(pieces()));
        assert_eq!(get(&conn, tree).unwrap(), None);
        for few in [&[][..], &[Piece::Literal(vec![7])]] {
            assert_eq!(unpack(&pack(few).0).as_deref(), Some(few));
        }
    }

    #[test]
    fn no_damage_to_a_recipe_is_taken_for_another() {
        let recipe = zstd::bulk::decompress(&pack(&pieces()).0, MAX_BYTES).unwrap();
        let again = |recipe: &[u8]| unpack(&zstd::bulk::compress(recipe, 1).unwrap());
        assert_eq!(again(&recipe), Some(pieces()));
        for cut in 0..recipe.len() {
            assert_eq!(again(&recipe[..cut]), None, "cut at {cut}");
        }
        assert_eq!(again(&[&recipe[..], b"x"].concat()), None);
        assert_eq!(again(&[0xff; 20]), None);
        assert_eq!(unpack(b"not zstd"), None);
    }
}
