//! The text of a constraint in, its clauses out.

use super::{Clause, Operator, Precision};
use crate::package::loose_version::{Parts, parse_loose_version};

/// Longer operators before those they start with.
const OPERATORS: [(&str, Operator); 12] = [
    ("!=", Operator::NotEqual),
    (">=", Operator::GreaterOrEqual),
    ("=>", Operator::GreaterOrEqual),
    ("<=", Operator::LessOrEqual),
    ("=<", Operator::LessOrEqual),
    ("~>", Operator::Tilde),
    ("~", Operator::Tilde),
    ("^", Operator::Caret),
    (">", Operator::Greater),
    ("<", Operator::Less),
    ("=", Operator::Equal),
    ("", Operator::Equal),
];

/// Reads clauses parted by white space or one comma, at least one, and no more than `max_clauses` of them.
pub(super) fn parse_clauses(text: &str, max_clauses: usize) -> Option<Vec<Clause>> {
    let mut clauses = Vec::new();
    let mut rest = without_space(text);
    while clauses.len() < max_clauses {
        let (clause, after) = parse_clause(rest)?;
        clauses.push(clause);
        rest = without_space(after);
        if rest.is_empty() {
            break;
        }
        let is_parted = rest.len() < after.len();
        rest = match rest.strip_prefix(',') {
            Some(next) => without_space(next),
            None if is_parted => rest,
            None => return None,
        };
    }
    Some(clauses)
}

fn parse_clause(text: &str) -> Option<(Clause, &str)> {
    let (operator, text) = OPERATORS
        .iter()
        .find_map(|(sign, operator)| Some((*operator, text.strip_prefix(sign)?)))?;
    let text = without_space(text);
    let (parts, rest) = Parts::split(text, is_number_or_wildcard)?;
    let is_open = |part: Option<&str>| matches!(part, None | Some("x" | "X" | "*"));
    let pre = parts.pre.map(|p| format!("-{p}")).unwrap_or_default();
    let major = parts.major;
    let (bound, precision) = if is_open(Some(major)) {
        (format!("0.0.0{pre}"), Precision::Nothing)
    } else if is_open(parts.minor) {
        (format!("{major}.0.0{pre}"), Precision::Major)
    } else if is_open(parts.patch) {
        let minor = parts.minor.unwrap_or("0");
        (format!("{major}.{minor}.0{pre}"), Precision::Minor)
    } else {
        let written = text.strip_suffix(rest).unwrap_or(text);
        (written.to_owned(), Precision::Patch)
    };
    let clause = Clause {
        operator,
        bound: parse_loose_version(&bound).ok()?,
        precision,
    };
    Some((clause, rest))
}

/// The bar belongs to numbers in the reference: `1.x.|` is read as `1.x`.
fn is_number_or_wildcard(byte: u8) -> bool {
    byte.is_ascii_digit() || matches!(byte, b'x' | b'X' | b'*' | b'|')
}

/// Writes each range `1.2 - 1.4` as `>= 1.2, <= 1.4 `.
///
/// This happens to the text, before alternatives are parted, as in the reference: `1||2 - 3` becomes `>= 1||2, <= 3`.
pub(super) fn with_ranges_spelled_out(text: &str) -> String {
    let mut spelled_out = text.to_owned();
    let mut rest = text;
    let mut searched_bytes = 0;
    while let Some(dash) = rest.get(searched_bytes..).and_then(|r| r.find('-')) {
        let dash = searched_bytes + dash;
        match range_at(rest, dash) {
            Some(range) => {
                let clauses = format!(">= {}, <= {} ", range.low, range.high);
                spelled_out = spelled_out.replacen(range.written, &clauses, 1);
                rest = range.rest;
                searched_bytes = 0;
            }
            None => searched_bytes = dash + 1,
        }
    }
    spelled_out
}

struct Range<'a> {
    /// The whole of it, with the white space around.
    written: &'a str,
    low: &'a str,
    high: &'a str,
    rest: &'a str,
}

/// Returns the range whose dash is at byte `dash` of `text`. The dash needs white space on both sides.
fn range_at(text: &str, dash: usize) -> Option<Range<'_>> {
    let (before, after) = (text.get(..dash)?, text.get(dash + 1..)?);
    let (low_end, high) = (before.trim_end_matches(is_space), without_space(after));
    if low_end.len() == before.len() || high.len() == after.len() {
        return None;
    }
    let word_start = low_end.rfind(is_space).map_or(0, |space| space + 1);
    let word = low_end.get(word_start..)?;
    let is_version = |t: &str| matches!(Parts::split(t, is_number_or_wildcard), Some((_, "")));
    let low = word
        .char_indices()
        .filter_map(|(start, _)| word.get(start..))
        .find(|t| is_version(t))?;
    let (_, rest) = Parts::split(high, is_number_or_wildcard)?;
    let high = high.strip_suffix(rest)?;
    let rest = without_space(rest);
    let start = low_end.strip_suffix(low)?.trim_end_matches(is_space).len();
    Some(Range {
        written: text.strip_suffix(rest)?.get(start..)?,
        low,
        high,
        rest,
    })
}

fn is_space(c: char) -> bool {
    matches!(c, '\t' | '\n' | '\x0c' | '\r' | ' ')
}

fn without_space(text: &str) -> &str {
    text.trim_start_matches(is_space)
}
