//! JSON as the reference registry prints it: two spaces, Go's numbers; but ASCII only.
//!
//! Characters beyond ASCII are written `\uXXXX`, since Kibana's client corrupts those that fall between two chunks. Knows
//! nothing of packages. Facts: Go's `encoding/json` with `SetIndent("", "  ")` and `SetEscapeHTML(false)`.

use std::io::{self, Write};

use serde::Serialize;
use serde_json::ser::{Formatter, Serializer};

use super::go_number;

/// Appends `value`, whose first line stands at `indent` spaces already.
pub fn write_pretty<T: Serialize + ?Sized>(out: &mut Vec<u8>, value: &T, indent: usize) {
    write(out, value, Some(indent));
}

/// Returns `value` without any white space.
pub fn compact<T: Serialize + ?Sized>(value: &T) -> String {
    let mut out = Vec::new();
    write(&mut out, value, None);
    String::from_utf8(out).expect("the printer writes ASCII only")
}

/// Appends the compact JSON `value` pretty printed, as [`write_pretty`] does for what it was made of.
pub fn write_indented(out: &mut Vec<u8>, value: &str, indent: usize) {
    let mut indent = indent;
    let mut in_text = false;
    let mut is_escaped = false;
    let mut previous = b' ';
    for &byte in value.as_bytes() {
        if in_text {
            out.push(byte);
            in_text = is_escaped || byte != b'"';
            is_escaped = byte == b'\\' && !is_escaped;
        } else {
            let was_opened = matches!(previous, b'{' | b'[');
            match byte {
                b'}' | b']' => {
                    indent = indent.saturating_sub(2);
                    if !was_opened {
                        new_line(out, indent);
                    }
                }
                _ if was_opened => new_line(out, indent),
                _ => {}
            }
            out.push(byte);
            match byte {
                b'{' | b'[' => indent += 2,
                b',' => new_line(out, indent),
                b':' => out.push(b' '),
                b'"' => in_text = true,
                _ => {}
            }
        }
        previous = byte;
    }
}

/// Appends a line break and `indent` spaces.
pub fn new_line(out: &mut Vec<u8>, indent: usize) {
    out.push(b'\n');
    out.resize(out.len() + indent, b' ');
}

fn write<T: Serialize + ?Sized>(out: &mut Vec<u8>, value: &T, indent: Option<usize>) {
    let printer = Printer {
        indent,
        has_values: false,
    };
    value
        .serialize(&mut Serializer::with_formatter(out, printer))
        .expect("memory takes all bytes, and keys are text throughout");
}

struct Printer {
    /// Spaces before the current line; `None` for one line.
    indent: Option<usize>,
    has_values: bool,
}

impl Printer {
    fn open<W: Write + ?Sized>(&mut self, writer: &mut W, bracket: &[u8]) -> io::Result<()> {
        self.indent = self.indent.map(|indent| indent + 2);
        self.has_values = false;
        writer.write_all(bracket)
    }

    fn close<W: Write + ?Sized>(&mut self, writer: &mut W, bracket: &[u8]) -> io::Result<()> {
        self.indent = self.indent.map(|indent| indent.saturating_sub(2));
        if self.has_values {
            self.break_line(writer)?;
        }
        self.has_values = true;
        writer.write_all(bracket)
    }

    fn next<W: Write + ?Sized>(&mut self, writer: &mut W, is_first: bool) -> io::Result<()> {
        if !is_first {
            writer.write_all(b",")?;
        }
        self.has_values = true;
        self.break_line(writer)
    }

    fn break_line<W: Write + ?Sized>(&self, writer: &mut W) -> io::Result<()> {
        match self.indent {
            Some(indent) => write!(writer, "\n{:indent$}", ""),
            None => Ok(()),
        }
    }
}

impl Formatter for Printer {
    fn write_f64<W: Write + ?Sized>(&mut self, writer: &mut W, value: f64) -> io::Result<()> {
        writer.write_all(go_number::print_json_float(value).as_bytes())
    }

    fn write_string_fragment<W: Write + ?Sized>(
        &mut self,
        writer: &mut W,
        fragment: &str,
    ) -> io::Result<()> {
        if fragment.is_ascii() {
            return writer.write_all(fragment.as_bytes());
        }
        for character in fragment.chars() {
            if character.is_ascii() {
                writer.write_all(&[character as u8])?;
                continue;
            }
            for unit in character.encode_utf16(&mut [0; 2]) {
                write!(writer, "\\u{unit:04x}")?;
            }
        }
        Ok(())
    }

    fn begin_array<W: Write + ?Sized>(&mut self, writer: &mut W) -> io::Result<()> {
        self.open(writer, b"[")
    }

    fn end_array<W: Write + ?Sized>(&mut self, writer: &mut W) -> io::Result<()> {
        self.close(writer, b"]")
    }

    fn begin_array_value<W: Write + ?Sized>(&mut self, out: &mut W, first: bool) -> io::Result<()> {
        self.next(out, first)
    }

    fn begin_object<W: Write + ?Sized>(&mut self, writer: &mut W) -> io::Result<()> {
        self.open(writer, b"{")
    }

    fn end_object<W: Write + ?Sized>(&mut self, writer: &mut W) -> io::Result<()> {
        self.close(writer, b"}")
    }

    fn begin_object_key<W: Write + ?Sized>(&mut self, out: &mut W, first: bool) -> io::Result<()> {
        self.next(out, first)
    }

    fn begin_object_value<W: Write + ?Sized>(&mut self, writer: &mut W) -> io::Result<()> {
        writer.write_all(if self.indent.is_some() { b": " } else { b":" })
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn pretty<T: Serialize>(value: &T, indent: usize) -> String {
        let mut out = Vec::new();
        write_pretty(&mut out, value, indent);
        String::from_utf8(out).unwrap()
    }

    #[test]
    fn lines_are_indented_by_two_and_empty_collections_stay_on_one_line() {
        let value = json!({"a": [1, {"b": []}, {}], "c": {"d": null}});
        let expected = concat!(
            "{\n    \"a\": [\n      1,\n      {\n        \"b\": []\n      },\n      {}\n    ],\n",
            "    \"c\": {\n      \"d\": null\n    }\n  }"
        );
        assert_eq!(pretty(&value, 2), expected);
    }

    #[test]
    fn keys_are_sorted_by_bytes() {
        let value: serde_json::Value =
            serde_json::from_str(r#"{"b":1,"a":2,"B":3,"a.b":4,"a-b":5}"#).unwrap();
        assert_eq!(compact(&value), r#"{"B":3,"a":2,"a-b":5,"a.b":4,"b":1}"#);
    }

    #[test]
    fn text_is_ascii_with_the_escapes_of_go() {
        for (text, json) in [
            ("a<b>&\u{7f}/", "\"a<b>&\u{7f}/\""),
            ("\"\\\n\r\t\u{8}\u{c}", r#""\"\\\n\r\t\b\f""#),
            ("\u{0}\u{1f}", r#""\u0000\u001f""#),
            ("ä–\u{2028}", r#""\u00e4\u2013\u2028""#),
            ("🚪", r#""\ud83d\udeaa""#),
        ] {
            assert_eq!(compact(text), json);
        }
    }

    #[test]
    fn numbers_are_printed_as_go_does() {
        let value = json!([1.0, 1e21, 1e-7, 1.5, 18446744073709551615_u64, -42]);
        assert_eq!(
            compact(&value),
            "[1,1e+21,1e-7,1.5,18446744073709551615,-42]"
        );
    }

    #[test]
    fn compact_json_can_be_indented_afterwards() {
        let value = json!({"a": "x{[,:]}\\\"", "b": {"c": [], "d": {}, "e": [[1], -2]}, "f": true});
        for indent in [0, 2, 4] {
            let mut out = Vec::new();
            write_indented(&mut out, &compact(&value), indent);
            assert_eq!(String::from_utf8(out).unwrap(), pretty(&value, indent));
        }
    }
}
