//! What a zip says twice, taken out of its recipe: sizes that its pieces have, names and checksums that the rows of its files
//! have, and the central directory, which repeats the headers in front of the files.
//!
//! A field that is as expected becomes zeros, which cost nothing once they are compressed: the bytes are combined with the
//! expected ones by exclusive or, which undoes itself. Nothing is required of a zip. What is no header, or in another order,
//! comes out as it was, only no smaller; whoever packs a recipe unpacks it to see that. Facts: PKWARE APPNOTE 6.3.10.

use std::borrow::Cow;

const LOCAL: &[u8] = b"PK\x03\x04";
const LOCAL_BYTES: usize = 30;
const DESCRIPTOR: &[u8] = b"PK\x07\x08";
const CENTRAL: &[u8] = b"PK\x01\x02";
const CENTRAL_BYTES: usize = 46;
const END: &[u8] = b"PK\x05\x06";
const END_BYTES: usize = 22;

/// A piece of a recipe, without its bytes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Span {
    pub is_literal: bool,
    pub bytes: u64,
}

/// What the store knows of the files of a zip besides its recipe.
#[derive(Debug, Clone, Default)]
pub struct Listed<'a> {
    /// The folder that all lie in, `nginx-1.5.0`.
    pub root: String,
    /// The files by path component, the order that most zips have them in.
    pub files: Vec<ListedFile<'a>>,
}

/// A file of [`Listed`].
#[derive(Debug, Clone)]
pub struct ListedFile<'a> {
    /// Its path below the root.
    pub path: Cow<'a, str>,
    /// Bytes of its content.
    pub bytes: u64,
    /// The CRC-32 of its content.
    pub crc32: u32,
}

/// Whether expected bytes are taken out or put back.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Direction {
    TakeOut,
    PutBack,
}

/// Literal bytes that lie together: where they begin in the zip and among all literal bytes, and how many they are; which of
/// the zip's files comes behind, and how many bytes of files.
struct Run {
    position: u64,
    start: usize,
    end: usize,
    file: Option<usize>,
    file_bytes: u64,
}

/// What the directory is expected to say of a file.
struct Header {
    record: [u8; CENTRAL_BYTES],
    name: Vec<u8>,
}

/// Takes out of `literals`, all literal bytes of a zip made of `spans`, what can be expected of it and of the files that are
/// `listed`, or puts it back.
pub(super) fn cross(
    literals: &mut [u8],
    spans: &[Span],
    listed: Option<&Listed<'_>>,
    direction: Direction,
) {
    let runs = runs(spans);
    let directory = directory(literals, &runs);
    let mut headers = Vec::new();
    for (index, run) in runs.iter().enumerate() {
        let end = directory
            .as_ref()
            .map_or(run.end, |it| run.end.min(it.start));
        let next = runs.get(index + 1);
        let mut at = run.start;
        while let Some(found) = find(literals, at..end) {
            headers.extend(header(literals, run, next, found, listed, direction));
            at = found + LOCAL.len();
        }
    }
    if let Some(directory) = directory {
        cross_directory(literals, directory, &headers, direction);
    }
}

fn runs(spans: &[Span]) -> Vec<Run> {
    let mut runs: Vec<Run> = Vec::new();
    let (mut position, mut start, mut files) = (0_u64, 0_usize, 0_usize);
    for span in spans {
        if span.is_literal {
            let end = start.saturating_add(usize::try_from(span.bytes).unwrap_or(usize::MAX));
            runs.push(Run {
                position,
                start,
                end,
                file: None,
                file_bytes: 0,
            });
            start = end;
        } else {
            if let Some(run) = runs.last_mut() {
                run.file.get_or_insert(files);
                run.file_bytes = run.file_bytes.saturating_add(span.bytes);
            }
            files += 1;
        }
        position = position.saturating_add(span.bytes);
    }
    runs
}

/// Returns where among the literal bytes the central directory lies: in the last run, an end record without a comment
/// behind it.
fn directory(literals: &[u8], runs: &[Run]) -> Option<std::ops::Range<usize>> {
    let run = runs.last()?;
    let end_record = run
        .end
        .checked_sub(END_BYTES)
        .filter(|at| *at >= run.start)?;
    let record = literals.get(end_record..run.end)?;
    if !record.starts_with(END) {
        return None;
    }
    let (bytes, position) = (u32_at(record, 12)?, u32_at(record, 16)?);
    let inside = u64::from(position).checked_sub(run.position)?;
    let start = run.start.checked_add(usize::try_from(inside).ok()?)?;
    let end = start.checked_add(usize::try_from(bytes).ok()?)?;
    (end <= end_record).then_some(start..end)
}

fn find(literals: &[u8], within: std::ops::Range<usize>) -> Option<usize> {
    let bytes = literals.get(within.clone())?;
    let found = bytes.windows(LOCAL.len()).position(|it| it == LOCAL)?;
    Some(within.start + found)
}

/// Reads the header at `at`, and crosses its sizes with those of the piece behind it, its name and checksum with those of
/// the file.
fn header(
    literals: &mut [u8],
    run: &Run,
    next: Option<&Run>,
    at: usize,
    listed: Option<&Listed<'_>>,
    direction: Direction,
) -> Option<Header> {
    let fixed: [u8; LOCAL_BYTES] = literals.get(at..)?.first_chunk().copied()?;
    let (name_bytes, extra_bytes) = (u16_at(&fixed, 26)?, u16_at(&fixed, 28)?);
    let name = at + LOCAL_BYTES..at + LOCAL_BYTES + usize::from(name_bytes);
    let data = name.end + usize::from(extra_bytes);
    let is_in_front = data == run.end;
    let (file_bytes, behind) = if is_in_front {
        (run.file_bytes, next.map(|next| next.start))
    } else {
        (0, Some(data))
    };
    let file = listed.and_then(|listed| {
        let file = listed.files.get(run.file.filter(|_| is_in_front)?)?;
        Some((&listed.root, file))
    });
    let has_descriptor = u16_at(&fixed, 6)? & 8 != 0;
    let facts = match behind {
        Some(behind) if has_descriptor => {
            let is_signed = literals.get(behind..)?.starts_with(DESCRIPTOR);
            behind + if is_signed { DESCRIPTOR.len() } else { 0 }
        }
        _ => at + 14,
    };
    let is_stored = u16_at(&fixed, 8)? == 0;
    let packed_bytes = (file_bytes as u32).to_le_bytes();
    let crc32 = file.map_or(0, |(_, file)| file.crc32).to_le_bytes();
    let plain_bytes = match file {
        _ if is_stored => packed_bytes,
        Some((_, file)) => (file.bytes as u32).to_le_bytes(),
        None => [0; 4],
    };
    let facts: &mut [u8; 12] = literals.get_mut(facts..)?.first_chunk_mut()?;
    let expected = [crc32, packed_bytes, plain_bytes];
    let mut plain = [0; 12];
    cross_field(facts, expected.as_flattened(), direction, &mut plain);
    let expected = file.map_or(String::new(), |(root, file)| {
        format!("{root}/{}", file.path)
    });
    let mut plain_name = vec![0; usize::from(name_bytes)];
    cross_field(
        literals.get_mut(name)?,
        expected.as_bytes(),
        direction,
        &mut plain_name,
    );
    let mut record = [0; CENTRAL_BYTES];
    record[..4].copy_from_slice(CENTRAL);
    record[6..16].copy_from_slice(&fixed[4..14]);
    record[16..28].copy_from_slice(&plain);
    record[28..30].copy_from_slice(&fixed[26..28]);
    let position = run.position + (at - run.start) as u64;
    record[42..].copy_from_slice(&(position as u32).to_le_bytes());
    Some(Header {
        record,
        name: plain_name,
    })
}

/// Crosses each record of the directory with the header that comes in its turn.
fn cross_directory(
    literals: &mut [u8],
    directory: std::ops::Range<usize>,
    headers: &[Header],
    direction: Direction,
) -> Option<()> {
    let mut at = directory.start;
    for header in headers {
        let record = literals.get_mut(at..directory.end)?;
        let (fixed, rest) = record.split_at_mut_checked(CENTRAL_BYTES)?;
        let mut plain = [0; CENTRAL_BYTES];
        cross_field(fixed, &header.record, direction, &mut plain);
        let [name, extra, comment] =
            [28, 30, 32].map(|field| u16_at(&plain, field).map_or(0, usize::from));
        let name_here = rest.get_mut(..name)?;
        let mut plain = vec![0; name];
        cross_field(name_here, &header.name, direction, &mut plain);
        at += CENTRAL_BYTES + name + extra + comment;
    }
    Some(())
}

/// Crosses `target` with what is expected of it; `plain` gets its plain bytes.
fn cross_field(target: &mut [u8], expected: &[u8], direction: Direction, plain: &mut [u8]) {
    if direction == Direction::TakeOut {
        plain.copy_from_slice(target);
    }
    for (byte, expected) in target.iter_mut().zip(expected) {
        *byte ^= expected;
    }
    if direction == Direction::PutBack {
        plain.copy_from_slice(target);
    }
}

fn u16_at(bytes: &[u8], at: usize) -> Option<u16> {
    Some(u16::from_le_bytes(*bytes.get(at..)?.first_chunk()?))
}

fn u32_at(bytes: &[u8], at: usize) -> Option<u32> {
    Some(u32::from_le_bytes(*bytes.get(at..)?.first_chunk()?))
}
