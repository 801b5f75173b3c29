//! What a zip says twice, taken out of its recipe: sizes that its pieces have, and the central directory, which repeats the
//! headers in front of the files.
//!
//! A field that is as expected becomes zeros, which cost nothing once they are compressed: the bytes are combined with the
//! expected ones by exclusive or, which undoes itself. Nothing is required of a zip. What is no header, or in another order,
//! comes out as it was, only no smaller; whoever packs a recipe unpacks it to see that. Facts: PKWARE APPNOTE 6.3.10.

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

/// Whether expected bytes are taken out or put back.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Direction {
    TakeOut,
    PutBack,
}

/// Literal bytes that lie together: where they begin in the zip and among all literal bytes, how many they are, and how many
/// bytes of a file come behind.
struct Run {
    position: u64,
    start: usize,
    end: usize,
    file_bytes: u64,
}

/// A header in front of a file: where it lies in the zip, and what the directory is expected to say.
struct Header {
    record: [u8; CENTRAL_BYTES],
    name: std::ops::Range<usize>,
}

/// Takes out of `literals`, all literal bytes of a zip made of `spans`, what can be expected, or puts it back.
pub(super) fn cross(literals: &mut [u8], spans: &[Span], direction: Direction) {
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
            headers.extend(header(literals, run, next, found, direction));
            at = found + LOCAL.len();
        }
    }
    if let Some(directory) = directory {
        cross_directory(literals, directory, &headers, direction);
    }
}

fn runs(spans: &[Span]) -> Vec<Run> {
    let mut runs: Vec<Run> = Vec::new();
    let (mut position, mut start) = (0_u64, 0_usize);
    for span in spans {
        if span.is_literal {
            let end = start.saturating_add(usize::try_from(span.bytes).unwrap_or(usize::MAX));
            runs.push(Run {
                position,
                start,
                end,
                file_bytes: 0,
            });
            start = end;
        } else if let Some(run) = runs.last_mut() {
            run.file_bytes = run.file_bytes.saturating_add(span.bytes);
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

/// Reads the header at `at`, and crosses its sizes with those of the piece behind it.
fn header(
    literals: &mut [u8],
    run: &Run,
    next: Option<&Run>,
    at: usize,
    direction: Direction,
) -> Option<Header> {
    let fixed: [u8; LOCAL_BYTES] = literals.get(at..)?.first_chunk().copied()?;
    let (name_bytes, extra_bytes) = (u16_at(&fixed, 26)?, u16_at(&fixed, 28)?);
    let name = at + LOCAL_BYTES..at + LOCAL_BYTES + usize::from(name_bytes);
    let data = name.end + usize::from(extra_bytes);
    let (file_bytes, behind) = if data == run.end {
        (run.file_bytes, next.map(|next| next.start))
    } else {
        (0, Some(data))
    };
    let has_descriptor = u16_at(&fixed, 6)? & 8 != 0;
    let facts = match behind {
        Some(behind) if has_descriptor => {
            let is_signed = literals.get(behind..)?.starts_with(DESCRIPTOR);
            behind + if is_signed { DESCRIPTOR.len() } else { 0 }
        }
        _ => at + 14,
    };
    let is_stored = u16_at(&fixed, 8)? == 0;
    let expected = (file_bytes as u32).to_le_bytes();
    let facts: &mut [u8; 12] = literals.get_mut(facts..)?.first_chunk_mut()?;
    let mut plain = *facts;
    xor(&mut facts[4..8], &expected);
    if is_stored {
        xor(&mut facts[8..], &expected);
    }
    if direction == Direction::PutBack {
        plain = *facts;
    }
    let mut record = [0; CENTRAL_BYTES];
    record[..4].copy_from_slice(CENTRAL);
    record[6..16].copy_from_slice(&fixed[4..14]);
    record[16..28].copy_from_slice(&plain);
    record[28..30].copy_from_slice(&fixed[26..28]);
    let position = run.position + (at - run.start) as u64;
    record[42..].copy_from_slice(&(position as u32).to_le_bytes());
    Some(Header { record, name })
}

/// Crosses each record of the directory with the header that comes in its turn.
fn cross_directory(
    literals: &mut [u8],
    directory: std::ops::Range<usize>,
    headers: &[Header],
    direction: Direction,
) -> Option<()> {
    let mut at = directory.start;
    let (before, from_directory) = literals.split_at_mut_checked(directory.start)?;
    for header in headers {
        let record = from_directory.get_mut(at - directory.start..directory.len())?;
        let (fixed, rest) = record.split_at_mut_checked(CENTRAL_BYTES)?;
        let mut plain = [0; CENTRAL_BYTES];
        plain.copy_from_slice(fixed);
        xor(fixed, &header.record);
        if direction == Direction::PutBack {
            plain.copy_from_slice(fixed);
        }
        let [name, extra, comment] =
            [28, 30, 32].map(|field| u16_at(&plain, field).map_or(0, usize::from));
        let name_here = rest.get_mut(..name)?;
        xor(name_here, before.get(header.name.clone())?);
        at += CENTRAL_BYTES + name + extra + comment;
    }
    Some(())
}

fn xor(target: &mut [u8], expected: &[u8]) {
    for (byte, expected) in target.iter_mut().zip(expected) {
        *byte ^= expected;
    }
}

fn u16_at(bytes: &[u8], at: usize) -> Option<u16> {
    Some(u16::from_le_bytes(*bytes.get(at..)?.first_chunk()?))
}

fn u32_at(bytes: &[u8], at: usize) -> Option<u32> {
    Some(u32::from_le_bytes(*bytes.get(at..)?.first_chunk()?))
}
