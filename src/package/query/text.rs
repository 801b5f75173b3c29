//! Query strings as Go reads them and text as Go quotes it: clients see both in the registry's answers.

use std::collections::HashMap;
use std::fmt::Write as _;

/// One parameter of a query string with all its values, decoded. There is at least one value; it need not be UTF-8.
#[derive(Debug, PartialEq, Eq)]
pub struct Parameter {
    pub name: Vec<u8>,
    pub values: Vec<Vec<u8>>,
}

impl Parameter {
    /// The value that counts where only one can.
    pub fn first(&self) -> &[u8] {
        self.values.first().map_or(&[], Vec::as_slice)
    }
}

/// Returns the parameters in the order in which they first appear, as Go's `url.ParseQuery` finds them.
///
/// Pairs with a semicolon or with a `%` that two hexadecimal digits do not follow are left out.
pub fn parameters(raw_query: &str) -> Vec<Parameter> {
    let mut parameters: Vec<Parameter> = Vec::new();
    let mut places: HashMap<Vec<u8>, usize> = HashMap::new();
    for pair in raw_query.split('&') {
        if pair.is_empty() || pair.contains(';') {
            continue;
        }
        let (name, value) = pair.split_once('=').unwrap_or((pair, ""));
        let (Some(name), Some(value)) = (decoded(name), decoded(value)) else {
            continue;
        };
        let place = *places.entry(name).or_insert_with_key(|name| {
            parameters.push(Parameter {
                name: name.clone(),
                values: Vec::new(),
            });
            parameters.len() - 1
        });
        if let Some(parameter) = parameters.get_mut(place) {
            parameter.values.push(value);
        }
    }
    parameters
}

fn decoded(text: &str) -> Option<Vec<u8>> {
    let mut decoded = Vec::with_capacity(text.len());
    let mut bytes = text.bytes();
    while let Some(byte) = bytes.next() {
        decoded.push(match byte {
            b'+' => b' ',
            b'%' => 16 * hex_digit(bytes.next()?)? + hex_digit(bytes.next()?)?,
            _ => byte,
        });
    }
    Some(decoded)
}

fn hex_digit(byte: u8) -> Option<u8> {
    char::from(byte)
        .to_digit(16)
        .and_then(|d| u8::try_from(d).ok())
}

/// Returns `bytes` in double quotes as Go's `%q` writes them.
pub fn quoted(bytes: &[u8]) -> String {
    let mut quoted = String::from("\"");
    for chunk in bytes.utf8_chunks() {
        chunk.valid().chars().for_each(|c| push(&mut quoted, c));
        for byte in chunk.invalid() {
            push_number(&mut quoted, 'x', 2, u32::from(*byte));
        }
    }
    quoted.push('"');
    quoted
}

fn push(quoted: &mut String, c: char) {
    match c {
        '"' | '\\' => quoted.extend(['\\', c]),
        '\x07' => quoted.push_str("\\a"),
        '\x08' => quoted.push_str("\\b"),
        '\x0c' => quoted.push_str("\\f"),
        '\n' => quoted.push_str("\\n"),
        '\r' => quoted.push_str("\\r"),
        '\t' => quoted.push_str("\\t"),
        '\x0b' => quoted.push_str("\\v"),
        _ if is_printable(c) => quoted.push(c),
        _ if c.is_ascii() => push_number(quoted, 'x', 2, u32::from(c)),
        _ if u32::from(c) < 0x10000 => push_number(quoted, 'u', 4, u32::from(c)),
        _ => push_number(quoted, 'U', 8, u32::from(c)),
    }
}

fn push_number(quoted: &mut String, kind: char, digits: usize, number: u32) {
    // Writing to a string cannot fail.
    let _ = write!(quoted, "\\{kind}{number:0digits$x}");
}

/// Go and Rust agree on what is printable: letters, marks, numbers, punctuation, symbols and the space. Rust tells it
/// only by what it escapes; the letter in front keeps it from escaping combining marks.
fn is_printable(c: char) -> bool {
    if c.is_ascii() {
        return matches!(c, ' '..='~');
    }
    let mut buffer = *b"a\0\0\0\0";
    let Some((_, rest)) = buffer.split_at_mut_checked(1) else {
        return false;
    };
    let length = 1 + c.encode_utf8(rest).len();
    std::str::from_utf8(buffer.get(..length).unwrap_or_default())
        .is_ok_and(|text| text.escape_debug().nth(1) == Some(c))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(raw_query: &str) -> Vec<(String, Vec<String>)> {
        let text = |bytes: &Vec<u8>| String::from_utf8_lossy(bytes).into_owned();
        parameters(raw_query)
            .iter()
            .map(|p| (text(&p.name), p.values.iter().map(text).collect()))
            .collect()
    }

    #[test]
    fn parameters_come_in_order_of_first_appearance_with_all_their_values() {
        let found = read("b=1&a=2&b=3&&c&=d&b&%62=%34&a==x=");
        let expected: [(&str, &[&str]); 4] = [
            ("b", &["1", "3", "", "4"]),
            ("a", &["2", "=x="]),
            ("c", &[""]),
            ("", &["d"]),
        ];
        assert_eq!(found.len(), expected.len());
        for ((name, values), (expected_name, expected_values)) in found.iter().zip(expected) {
            assert_eq!(
                (name.as_str(), values.as_slice()),
                (
                    expected_name,
                    &*expected_values
                        .iter()
                        .map(|v| (*v).to_owned())
                        .collect::<Vec<_>>()
                )
            );
        }
    }

    #[test]
    fn pairs_that_do_not_parse_are_left_out() {
        for raw in [
            "%zz=1", "a=%", "a=%4", "a=%4g", "a=%+1", "a;b", "a=1;b=2", "%=", "a=%é",
        ] {
            assert_eq!(read(raw), [], "{raw}");
        }
        assert_eq!(read("a=%zz&a=b+c%2B%2b")[0].1, ["b c++"]);
    }

    #[test]
    fn quotes_are_those_of_go() {
        for (bytes, expected) in [
            ("".as_bytes(), r#""""#),
            (b"a b~", r#""a b~""#),
            (b"\"'\\", r#""\"'\\""#),
            (b"\x07\x08\x0c\n\r\t\x0b", r#""\a\b\f\n\r\t\v""#),
            (b"\0\x1b\x7f", r#""\x00\x1b\x7f""#),
            ("é日😀\u{fffd}".as_bytes(), "\"é日😀\u{fffd}\""),
            ("e\u{301}\u{301}".as_bytes(), "\"e\u{301}\u{301}\""),
            ("\u{301}".as_bytes(), "\"\u{301}\""),
            ("\u{80}\u{a0}\u{ad}".as_bytes(), r#""\u0080\u00a0\u00ad""#),
            (
                "\u{200b}\u{2028}\u{feff}\u{e000}".as_bytes(),
                r#""\u200b\u2028\ufeff\ue000""#,
            ),
            (
                "\u{e0001}\u{10ffff}".as_bytes(),
                r#""\U000e0001\U0010ffff""#,
            ),
            (b"\xff\xc3", r#""\xff\xc3""#),
            (b"\xed\xa0\x80a\xe6\x97", r#""\xed\xa0\x80a\xe6\x97""#),
        ] {
            assert_eq!(quoted(bytes), expected);
        }
    }
}
