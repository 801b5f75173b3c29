//! Numbers as Go reads and prints them, where Rust's own ways differ.
//!
//! Knows nothing of YAML or JSON. Facts: Go's `strconv` (`ParseInt` with base 0, `FormatFloat`), `fmt` (`%v`) and
//! `encoding/json`.

/// Returns the integer that `text` is as `strconv.ParseInt(text, 0, 64)` reads it: sign, `0x`, `0b`, `0o` or `0` before
/// the digits, single underscores between them.
pub fn parse_i64(text: &str) -> Option<i64> {
    let (is_negative, digits) = match text.as_bytes().first()? {
        b'-' => (true, &text[1..]),
        b'+' => (false, &text[1..]),
        _ => (false, text),
    };
    let magnitude = i128::from(parse_u64(digits)?);
    i64::try_from(if is_negative { -magnitude } else { magnitude }).ok()
}

/// Returns the integer that `text` is as `strconv.ParseUint(text, 0, 64)` reads it: as [`parse_i64`], without a sign.
pub fn parse_u64(text: &str) -> Option<u64> {
    let prefix = text.get(..2).filter(|_| text.len() > 2);
    let (radix, digits) = match prefix.map(str::to_ascii_lowercase).as_deref() {
        Some("0x") => (16, &text[2..]),
        Some("0b") => (2, &text[2..]),
        Some("0o") => (8, &text[2..]),
        _ if text.starts_with('0') && text.len() > 1 => (8, &text[1..]),
        _ => (10, text),
    };
    // An underscore follows a digit or the prefix, and a digit follows it.
    let is_at_edge = digits.ends_with('_') || (radix == 10 && digits.starts_with('_'));
    if is_at_edge || digits.contains("__") {
        return None;
    }
    parse_digits(&digits.replace('_', ""), radix)
}

/// Returns the number that `digits` are; no sign, no underscore, at least one digit.
pub fn parse_digits(digits: &str, radix: u32) -> Option<u64> {
    let is_plain = digits.bytes().all(|b| b.is_ascii_alphanumeric());
    is_plain.then(|| u64::from_str_radix(digits, radix).ok())?
}

/// Returns `number` as `fmt` prints it with `%v`: `1.5`, `100000`, `1e+06`, `1e-05`, `+Inf`, `NaN`.
pub fn print_float(number: f64) -> String {
    if number.is_infinite() {
        return (if number > 0.0 { "+Inf" } else { "-Inf" }).to_owned();
    }
    if number.is_nan() {
        return "NaN".to_owned();
    }
    let (mantissa, exponent) = split_exponent(number);
    if number != 0.0 && !(-4..6).contains(&exponent) {
        let sign = if exponent < 0 { '-' } else { '+' };
        return format!("{mantissa}e{sign}{:02}", exponent.unsigned_abs());
    }
    format!("{number}")
}

/// Returns the finite `number` as `encoding/json` prints it: `1`, `1.5`, `1e+21`, `1e-7`.
pub fn print_json_float(number: f64) -> String {
    let (mantissa, exponent) = split_exponent(number);
    if number == 0.0 || (-6..21).contains(&exponent) {
        return format!("{number}");
    }
    let sign = if exponent < 0 { '-' } else { '+' };
    format!("{mantissa}e{sign}{}", exponent.unsigned_abs())
}

/// Returns the shortest digits that read back as `number`, and the power of ten they stand before.
fn split_exponent(number: f64) -> (String, i32) {
    let text = format!("{number:e}");
    match text.split_once('e') {
        Some((mantissa, exponent)) => (mantissa.to_owned(), exponent.parse().unwrap_or(0)),
        None => (text, 0),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn integers_take_the_prefixes_and_underscores_of_go() {
        for (text, number) in [
            ("0", Some(0)),
            ("00", Some(0)),
            ("0777", Some(0o777)),
            ("0_1", Some(1)),
            ("0x_1", Some(1)),
            ("0X1F", Some(31)),
            ("0B1", Some(1)),
            ("0O7", Some(7)),
            ("-0x8000000000000000", Some(i64::MIN)),
            ("+5", Some(5)),
            ("1_000", Some(1000)),
            ("9223372036854775808", None),
            ("09", None),
            ("0x", None),
            ("0b", None),
            ("0x1_", None),
            ("1__0", None),
            ("_1", None),
            ("", None),
            ("-", None),
            ("--1", None),
            ("+-1", None),
            ("0x-1", None),
            ("1e3", None),
            ("ä1", None),
        ] {
            assert_eq!(parse_i64(text), number, "{text:?}");
        }
        assert_eq!(parse_u64("18446744073709551615"), Some(u64::MAX));
        assert_eq!(parse_u64("18446744073709551616"), None);
        assert_eq!(parse_u64("-1"), None);
    }

    #[test]
    fn floats_print_as_go_prints_them() {
        for (number, text, json) in [
            (0.0, "0", "0"),
            (-0.0, "-0", "-0"),
            (1.0, "1", "1"),
            (1.5, "1.5", "1.5"),
            (1e5, "100000", "100000"),
            (999_999.0, "999999", "999999"),
            (1e6, "1e+06", "1000000"),
            (1_234_567.0, "1.234567e+06", "1234567"),
            (1e20, "1e+20", "100000000000000000000"),
            (1e21, "1e+21", "1e+21"),
            (1.5e22, "1.5e+22", "1.5e+22"),
            (1e-4, "0.0001", "0.0001"),
            (1.5e-5, "1.5e-05", "0.000015"),
            (1e-6, "1e-06", "0.000001"),
            (1e-7, "1e-07", "1e-7"),
            (-2.5e-9, "-2.5e-09", "-2.5e-9"),
            (
                12345678901234567890.0,
                "1.2345678901234567e+19",
                "12345678901234567000",
            ),
            (5e-324, "5e-324", "5e-324"),
            (
                f64::MAX,
                "1.7976931348623157e+308",
                "1.7976931348623157e+308",
            ),
        ] {
            assert_eq!(print_float(number), text);
            assert_eq!(print_json_float(number), json);
        }
        assert_eq!(print_float(f64::INFINITY), "+Inf");
        assert_eq!(print_float(f64::NEG_INFINITY), "-Inf");
        assert_eq!(print_float(f64::NAN), "NaN");
    }
}
