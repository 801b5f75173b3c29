//! What a scalar means: the resolution of yaml.v2, which is YAML 1.1 with Go's numbers.

use super::Yaml;
use crate::package::go_number;

pub(super) const MERGE_TAG: &str = "tag:yaml.org,2002:merge";

const LONG_PREFIX: &str = "tag:yaml.org,2002:";

/// Returns the value of `text` under the full `tag`, which is empty for a plain scalar without one.
///
/// `None` when the tag is one of the core ones and the text is something else.
pub(super) fn resolve(tag: &str, text: &str) -> Option<Yaml> {
    let as_text = || Yaml::Text(text.to_owned());
    match tag.strip_prefix(LONG_PREFIX) {
        None if tag.is_empty() => Some(guess(text)),
        Some("str") => Some(as_text()),
        Some("binary") => decode_base64(text).map(Yaml::Text),
        Some("timestamp") => looks_like_a_date(text).then(as_text),
        Some("null") => Some(guess(text)).filter(|v| *v == Yaml::Null),
        Some("bool") => Some(guess(text)).filter(|v| matches!(v, Yaml::Bool(_))),
        Some("int") => Some(guess(text)).filter(|v| matches!(v, Yaml::Int(_) | Yaml::Uint(_))),
        Some("float") => match guess(text) {
            Yaml::Int(number) => Some(Yaml::Float(number as f64)),
            value => Some(value).filter(|v| matches!(v, Yaml::Float(_))),
        },
        // Tags of one's own, and those of collections, leave the text as it is.
        _ => Some(as_text()),
    }
}

/// Returns what a plain scalar means. Dates stay text, as they do in Go for untyped values.
fn guess(text: &str) -> Yaml {
    match text {
        "y" | "Y" | "yes" | "Yes" | "YES" | "true" | "True" | "TRUE" | "on" | "On" | "ON" => {
            return Yaml::Bool(true);
        }
        "n" | "N" | "no" | "No" | "NO" | "false" | "False" | "FALSE" | "off" | "Off" | "OFF" => {
            return Yaml::Bool(false);
        }
        "" | "~" | "null" | "Null" | "NULL" => return Yaml::Null,
        ".nan" | ".NaN" | ".NAN" => return Yaml::Float(f64::NAN),
        ".inf" | ".Inf" | ".INF" | "+.inf" | "+.Inf" | "+.INF" => {
            return Yaml::Float(f64::INFINITY);
        }
        "-.inf" | "-.Inf" | "-.INF" => return Yaml::Float(f64::NEG_INFINITY),
        _ => {}
    }
    let number = match text.as_bytes().first() {
        Some(b'.') => float(text),
        Some(b'0'..=b'9' | b'+' | b'-') => number(&text.replace('_', "")),
        _ => None,
    };
    number.unwrap_or_else(|| Yaml::Text(text.to_owned()))
}

fn number(plain: &str) -> Option<Yaml> {
    let int = || go_number::parse_i64(plain).map(Yaml::Int);
    let uint = || go_number::parse_u64(plain).map(Yaml::Uint);
    int()
        .or_else(uint)
        .or_else(|| float(plain))
        .or_else(|| signed_binary(plain))
}

/// `0b-11` and `0b+11`, which Go's integers do not know but yaml.v2 takes.
fn signed_binary(plain: &str) -> Option<Yaml> {
    let (is_negative, digits) = match plain.strip_prefix("0b")? {
        rest if rest.starts_with('-') => (true, &rest[1..]),
        rest => (false, rest.strip_prefix('+')?),
    };
    let magnitude = i128::from(go_number::parse_digits(digits, 2)?);
    let number = if is_negative { -magnitude } else { magnitude };
    i64::try_from(number).ok().map(Yaml::Int)
}

/// A decimal number; one too large for 64 bits is text.
fn float(plain: &str) -> Option<Yaml> {
    let is_decimal = plain
        .bytes()
        .all(|b| b.is_ascii_digit() || matches!(b, b'.' | b'e' | b'E' | b'+' | b'-'));
    let number: f64 = plain.parse().ok().filter(|_| is_decimal)?;
    number.is_finite().then_some(Yaml::Float(number))
}

/// Tells whether `text` starts as every date of yaml.v2 does: four digits and a dash. What follows is not looked at.
fn looks_like_a_date(text: &str) -> bool {
    let bytes = text.as_bytes();
    bytes.len() > 4 && bytes[..4].iter().all(u8::is_ascii_digit) && bytes[4] == b'-'
}

/// Returns the text that the base64 `text` holds; what is not UTF-8 in it becomes U+FFFD, as in Go's JSON.
fn decode_base64(text: &str) -> Option<String> {
    let digits: Vec<u8> = text.bytes().filter(|b| !b"\r\n".contains(b)).collect();
    if !digits.len().is_multiple_of(4) {
        return None;
    }
    let padding = digits
        .iter()
        .rev()
        .take(2)
        .take_while(|&&b| b == b'=')
        .count();
    let mut bytes = Vec::with_capacity(digits.len() / 4 * 3);
    let (mut bits, mut held) = (0_u32, 0);
    for &digit in digits.get(..digits.len() - padding)? {
        bits = (bits << 6 | sextet(digit)?) & 0xff_ffff;
        held += 6;
        if held >= 8 {
            held -= 8;
            bytes.push((bits >> held & 0xff) as u8);
        }
    }
    Some(String::from_utf8_lossy(&bytes).into_owned())
}

fn sextet(digit: u8) -> Option<u32> {
    let value = match digit {
        b'A'..=b'Z' => digit - b'A',
        b'a'..=b'z' => digit - b'a' + 26,
        b'0'..=b'9' => digit - b'0' + 52,
        b'+' => 62,
        b'/' => 63,
        _ => return None,
    };
    Some(value.into())
}
